//! What stands on a printed bill: sums of what was charged and paid, nothing that is worked out anew.

use crate::billing::{Invoice, Statement};
use crate::calendar::Date;
use crate::ids::CustomerId;
use crate::money::Money;

/// A bill on paper: one invoice, or all that stand on a statement.
///
/// ```
/// # use isp_core::billing::{Bill, Invoice, InvoiceKind, InvoiceLine, LineKind};
/// # use isp_core::{Money, calendar::{Date, Period}, ids::*};
/// # let uuid = uuid::Uuid::nil();
/// # let day = |text| Date::parse(text).unwrap();
/// # let invoice = Invoice { id: InvoiceId(uuid), number: 42, customer_id: CustomerId(uuid), subscription_id: SubscriptionId(uuid),
/// #     site_id: SiteId(uuid), package_id: PackageId(uuid), kind: InvoiceKind::Subscription,
/// #     period: Period::try_new(day("2026-01-05"), day("2026-02-05")).unwrap(), issue_date: day("2026-01-05"), due_date: day("2026-01-15"),
/// #     lines: [InvoiceLine::new(LineKind::Subscription, Money::rupiah(150_000)), InvoiceLine::new(LineKind::Ppn, Money::rupiah(16_500))].into_iter().collect(),
/// #     dpp: Money::rupiah(150_000), ppn: Money::rupiah(16_500), total: Money::rupiah(166_500) };
/// let bill = Bill::of_invoice(invoice, Money::rupiah(100_000));
/// assert_eq!(bill.number, "INV-202601-000042");
/// assert_eq!((bill.total, bill.left()), (Money::rupiah(166_500), Money::rupiah(66_500)));
/// assert!(bill.has_ppn());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bill {
    /// Its number, as customers know it.
    pub number: String,
    /// Who owes.
    pub customer_id: CustomerId,
    /// Day of issue.
    pub issue_date: Date,
    /// Day by which it is to be paid.
    pub due_date: Date,
    /// The invoices that are on it, in the order of their numbers.
    pub invoices: Vec<Invoice>,
    /// Sum of what PPN was computed on.
    pub dpp: Money,
    /// Sum of the tax.
    pub ppn: Money,
    /// Sum of what is to be paid.
    pub total: Money,
    /// What was paid of it so far, by money, by credit notes or by a write-off.
    pub paid: Money,
}

impl Bill {
    /// An invoice by itself, with what was paid of it.
    #[must_use]
    pub fn of_invoice(invoice: Invoice, paid: Money) -> Self {
        Self {
            number: invoice.display_number(),
            customer_id: invoice.customer_id,
            issue_date: invoice.issue_date,
            due_date: invoice.due_date,
            dpp: invoice.dpp,
            ppn: invoice.ppn,
            total: invoice.total,
            paid,
            invoices: vec![invoice],
        }
    }

    /// A statement: those of these invoices that stand on it, each with what was paid of it.
    #[must_use]
    pub fn of_statement(statement: &Statement, invoices: Vec<(Invoice, Money)>) -> Self {
        let mut bill = Self {
            number: statement.display_number(),
            customer_id: statement.customer_id,
            issue_date: statement.issue_date,
            due_date: statement.due_date,
            invoices: Vec::new(),
            dpp: Money::ZERO,
            ppn: Money::ZERO,
            total: Money::ZERO,
            paid: Money::ZERO,
        };
        for (invoice, paid) in invoices {
            if statement.holds(&invoice.balance(paid)) {
                bill.dpp += invoice.dpp;
                bill.ppn += invoice.ppn;
                bill.total += invoice.total;
                bill.paid += paid;
                bill.invoices.push(invoice);
            }
        }
        bill.invoices.sort_by_key(|invoice| invoice.number);
        bill
    }

    /// The bills that invoices make: a statement once with all of its invoices, and each other invoice by itself, in the order
    /// of their first invoices.
    #[must_use]
    pub fn gathered(mut invoices: Vec<(Invoice, Money)>, statements: &[Statement]) -> Vec<Self> {
        invoices.sort_by_key(|(invoice, _)| (invoice.issue_date, invoice.number));
        let mut bills: Vec<Self> = Vec::new();
        let mut on_statements: Vec<(Statement, usize)> = Vec::new();
        let mut held: Vec<Vec<(Invoice, Money)>> = Vec::new();
        for (invoice, paid) in invoices {
            let Some(statement) = Statement::of(statements, &invoice.balance(paid)) else {
                bills.push(Self::of_invoice(invoice, paid));
                continue;
            };
            match on_statements.iter().position(|(known, _)| known.id() == statement.id()) {
                Some(at) => held[at].push((invoice, paid)),
                None => {
                    on_statements.push((*statement, bills.len()));
                    bills.push(Self::of_invoice(invoice.clone(), paid));
                    held.push(vec![(invoice, paid)]);
                }
            }
        }
        for ((statement, place), invoices) in on_statements.iter().zip(held) {
            bills[*place] = Self::of_statement(statement, invoices);
        }
        bills
    }

    /// What is still to be paid.
    #[must_use]
    pub fn left(&self) -> Money {
        self.total - self.paid
    }

    /// True when PPN was charged, so that DPP and PPN stand on it.
    #[must_use]
    pub fn has_ppn(&self) -> bool {
        !self.ppn.is_zero()
    }
}
