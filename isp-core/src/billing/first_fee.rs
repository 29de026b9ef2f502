//! The installation fee on the first periodic invoice (rule B9), for customers who want one bill.
//!
//! The fee becomes two lines of the first periodic invoice that is issued after the order is recorded: the fee, and its own
//! PPN by the rule of the invoice's date, whatever the package's prices include. It is booked as revenue from installation,
//! is due with the invoice, and is paid when the invoice is. It is for no days: what a pause, an end, an outage or days in
//! isolation give back leaves it out; a correction of the invoice does not. A late fee is on all of the invoice.
//!
//! An order that is recorded when the first periodic invoice has been issued is refused. A line that ends before it had any
//! has the fee as an invoice of its own, on the day of its end.
//!
//! Package Rp150.000, installation Rp500.000, both before PPN, from 1 January:
//!
//! | line | rupiah |
//! | --- | ---: |
//! | service, January | 150.000 |
//! | installation | 500.000 |
//! | PPN of the service | 16.500 |
//! | PPN of the installation | 55.000 |
//! | to be paid | 721.500 |
//!
//! ```
//! use isp_core::{billing::*, calendar::*, installation::*, ids::*, money::Money, tax::*};
//! # use isp_core::{billing::plan::BillingContext, package::*, subscription::*};
//! # let day = |text: &str| Date::parse(text).unwrap();
//! # let id = uuid::Uuid::from_u128(7);
//! # let start = day("2026-01-01");
//! # let terms = BillingTerms::new(PackageId(id), start, BillingDay::of(start), Cycle::Monthly);
//! # let row: Billable = Billable { subscription_id: SubscriptionId(id), customer_id: CustomerId(id), site_id: SiteId(id), zone: Zone::Wib, terms };
//! # let january = |price, mode| {
//! #   let catalog: Catalog = [(PackageId(id), PriceList::single(Money::rupiah(price)).unwrap(), mode)].into_iter().collect();
//! #   let (policy, tax) = (BillingPolicy::default(), Tax::pkp());
//! #   let context = BillingContext { catalog: &catalog, policy: &policy, tax: &tax, position: None, now: start.at(9, 0, Zone::Wib) };
//! #   plan_billing(&[row], &context).invoices.remove(0)
//! # };
//! let order = InstallationOrder { id: InstallationOrderId(id), customer_id: CustomerId(id),
//!     subscription_id: SubscriptionId(id), kind_id: InstallationKindId(id), fee: Money::rupiah(500_000),
//!     installed_on: day("2025-12-30"), instalments: 1, with_first_invoice: true,
//!     step: part_step(Money::rupiah(500_000)) };
//! let mut invoice = january(150_000, TaxMode::Exclusive); // ... the invoice for January, Rp166.500
//! let fee = add_fee(&mut invoice, &order, &Tax::pkp()).unwrap();
//! let lines: Vec<_> = invoice.lines.iter().map(|l| (l.kind, l.amount.as_i64())).collect();
//! assert_eq!(lines, [(LineKind::Subscription, 150_000), (LineKind::Installation, 500_000), (LineKind::Ppn, 16_500),
//!     (LineKind::InstallationPpn, 55_000)]);
//! assert_eq!((invoice.dpp, invoice.ppn, invoice.total),
//!     (Money::rupiah(650_000), Money::rupiah(71_500), Money::rupiah(721_500)));
//! assert_eq!(fee.amount, Money::rupiah(555_000));
//! // A package whose price includes PPN keeps its own split: Rp222.000 is Rp200.000 and Rp22.000.
//! let mut invoice = january(222_000, TaxMode::Inclusive);
//! add_fee(&mut invoice, &order, &Tax::pkp()).unwrap();
//! assert_eq!((invoice.total, invoice.ppn), (Money::rupiah(777_000), Money::rupiah(77_000)));
//! // Half of the invoice is paid: so is half of the fee.
//! assert_eq!(fee.paid(invoice.total, Money::rupiah(388_500)), Money::rupiah(277_500));
//! ```

use crate::billing::invoice::{Invoice, InvoiceLine, LineKind};
use crate::calendar::Date;
use crate::error::Error;
use crate::ids::{Ids, InvoiceId, LineIds, SubscriptionId};
use crate::installation::{InstallationOrder, InvoicedFee};
use crate::money::Money;
use crate::tax::{Tax, TaxMode};

/// The planned invoice that a waiting fee of a line goes with: its first that is not written yet. A plan that is made again
/// names invoices that are there already: those take nothing up.
pub fn invoice_for<I: LineIds>(
    planned: &mut [Invoice<I>],
    line: SubscriptionId,
    known: impl Fn(InvoiceId) -> bool,
) -> Option<&mut Invoice<I>> {
    let own = planned.iter_mut().filter(|i| i.subscription_id == line && !known(i.id));
    own.min_by_key(|i| i.period.start)
}

/// The day on which a fee that still waits after a run becomes an invoice of its own: that of the line's end, once it has come.
#[must_use]
pub fn alone_on(ends_on: Option<Date>, today: Date) -> Option<Date> {
    ends_on.filter(|end| *end <= today)
}

/// Makes a fee lines of a periodic invoice that is not issued yet, with PPN by the rule of its date.
///
/// # Errors
/// [`Error::NoTaxRule`]; the invoice is then as it was.
pub fn add_fee<I: Ids>(invoice: &mut Invoice<I>, order: &InstallationOrder, tax: &Tax) -> Result<InvoicedFee, Error> {
    let amount = add_amount(invoice, order.fee, tax)?;
    Ok(InvoicedFee { order_id: order.id, invoice_id: invoice.id, amount })
}

/// Makes a fee lines of a periodic invoice, and says how much it is with PPN.
///
/// # Errors
/// As [`add_fee`].
pub fn add_amount<I: Ids>(invoice: &mut Invoice<I>, fee: Money, tax: &Tax) -> Result<Money, Error> {
    let taxed = tax.apply(fee, TaxMode::Exclusive, invoice.issue_date)?;
    let at = invoice.lines.iter().position(|l| !l.kind.is_taxed()).unwrap_or(invoice.lines.len());
    invoice.lines.insert(at, InvoiceLine::new(LineKind::Installation, taxed.dpp));
    if !taxed.ppn.is_zero() {
        invoice.lines.push(InvoiceLine::new(LineKind::InstallationPpn, taxed.ppn));
    }
    invoice.dpp += taxed.dpp;
    invoice.ppn += taxed.ppn;
    invoice.total += taxed.total();
    Ok(taxed.total())
}
