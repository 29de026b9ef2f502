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

/// Where a bill stands, in the words of whoever reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BillState {
    /// Nothing of it is paid.
    Unpaid,
    /// A part of it is paid.
    PaidInPart,
    /// It is paid.
    Paid,
    /// All of it was given back by credit notes: there is nothing to pay.
    GivenBack,
    /// It, or what was left of it, was given up.
    WrittenOff,
}

impl BillState {
    /// The state of a bill or of an invoice with this total, of which `settled` is settled in whatever way. `written_off` is what was
    /// given up of it and not taken back, `given_back` the credit notes that stand.
    ///
    /// ```
    /// use isp_core::{billing::BillState, money::Money};
    /// let of = |settled, written_off, given_back| {
    ///     let [settled, off, back] = [settled, written_off, given_back].map(Money::rupiah);
    ///     BillState::of(Money::rupiah(150_000), settled, off, back)
    /// };
    /// assert_eq!(of(0, 0, 0), BillState::Unpaid);
    /// assert_eq!(of(50_000, 0, 0), BillState::PaidInPart);
    /// assert_eq!(of(150_000, 0, 50_000), BillState::Paid);
    /// assert_eq!(of(150_000, 0, 150_000), BillState::GivenBack);
    /// assert_eq!(of(150_000, 100_000, 0), BillState::WrittenOff);
    /// ```
    #[must_use]
    pub fn of(total: Money, settled: Money, written_off: Money, given_back: Money) -> Self {
        match (total - settled).is_positive() {
            true if settled.is_positive() => Self::PaidInPart,
            true => Self::Unpaid,
            false if written_off.is_positive() => Self::WrittenOff,
            false if given_back.is_positive() && given_back >= total => Self::GivenBack,
            false => Self::Paid,
        }
    }
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
