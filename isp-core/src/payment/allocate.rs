//! Which invoice a payment pays (rules P2, P3).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::billing::{Debt, Owing};
use crate::calendar::Date;
use crate::ids::{InvoiceId, PaymentId};
use crate::money::Money;

/// A part of a payment that pays an invoice. Append-only: a reversal appends the negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocation {
    /// From which payment.
    pub payment_id: PaymentId,
    /// To which invoice.
    pub invoice_id: InvoiceId,
    /// How much; negative when a payment is reversed.
    pub amount: Money,
    /// When we did it.
    pub at: DateTime<Utc>,
}

/// A payment with money left, which is the customer's credit (*titipan*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditSource {
    /// Which payment.
    pub payment_id: PaymentId,
    /// When it was recorded.
    pub since: DateTime<Utc>,
    /// What is left of it.
    pub left: Money,
}

/// Spreads credit over open invoices: oldest due date first, then oldest issue date, then lowest number.
///
/// Of several sources the one that was recorded first is used first, else they are used in the order given. What is left stays with
/// them as credit. Invoices without residual and sources without money are passed over.
///
/// ```
/// # use isp_core::{billing::*, calendar::*, ids::*, money::Money, payment::*};
/// # let id = |n: u128| uuid::Uuid::from_u128(n);
/// # let invoice = |n: u128, due: &str, total, paid| Debt { invoice_id: InvoiceId(id(n)), number: n as u64,
/// #   issue_date: Date::parse(due).unwrap(), due_date: Date::parse(due).unwrap(), total: Money::rupiah(total), paid: Money::rupiah(paid) };
/// // Two open invoices, Rp166.500 due in February (of which Rp66.500 is paid) and Rp166.500 due in March.
/// let open = [invoice(2, "2026-03-11", 166_500, 0), invoice(1, "2026-02-11", 166_500, 66_500)];
/// // Rp200.000 come in: February is paid, March gets the rest.
/// let now = chrono::DateTime::UNIX_EPOCH;
/// let source = CreditSource { payment_id: PaymentId(id(9)), since: now, left: Money::rupiah(200_000) };
/// let told = |credit: &[CreditSource]| {
///     let made = allocate(&open, credit, now);
///     made.iter().map(|a| (a.payment_id.0.as_u128(), a.invoice_id.0.as_u128(), a.amount.as_i64())).collect::<Vec<_>>()
/// };
/// assert_eq!(told(&[source]), [(9, 1, 100_000), (9, 2, 100_000)]);
/// // What was credit the day before is used first.
/// let before = CreditSource { payment_id: PaymentId(id(8)), since: now - chrono::TimeDelta::days(1), left: Money::rupiah(150_000) };
/// assert_eq!(told(&[source, before]), [(8, 1, 100_000), (8, 2, 50_000), (9, 2, 116_500)]);
/// ```
#[must_use]
pub fn allocate<D: Owing>(open: &[D], credit: &[CreditSource], at: DateTime<Utc>) -> Vec<Allocation> {
    let order = oldest_first(open);
    let mut credit: Vec<CreditSource> = credit.iter().copied().filter(|c| c.left.is_positive()).collect();
    credit.sort_by_key(|c| c.since);
    let mut sources = credit.into_iter();
    let mut source = sources.next();
    let mut made = Vec::new();
    for invoice in order {
        let mut residual = invoice.residual();
        while residual.is_positive() {
            let Some(current) = source.as_mut() else { return made };
            let amount = residual.min(current.left);
            made.push(Allocation { payment_id: current.payment_id, invoice_id: invoice.invoice_id, amount, at });
            residual -= amount;
            current.left -= amount;
            if current.left.is_zero() {
                source = sources.next();
            }
        }
    }
    made
}

/// What of an invoice a payment pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaidPart<D> {
    /// What is paid.
    pub invoice: D,
    /// From which money.
    pub payment_id: PaymentId,
    /// How much.
    pub amount: Money,
}

/// What settles the invoices that are open once a payment was taken back (rules P2, P4): credit first, then what payments pay of
/// newer invoices, as if the payment had never come. `paid` is what each payment pays of which invoice; notes and write-offs, which
/// are for their own invoice, are not among it.
///
/// ```
/// # use isp_core::{billing::*, calendar::*, ids::*, money::Money, payment::{*, allocate::*}};
/// # let id = |n: u128| uuid::Uuid::from_u128(n);
/// # let invoice = |n: u128, due: &str, paid| Debt { invoice_id: InvoiceId(id(n)), number: n as u64,
/// #   issue_date: Date::parse(due).unwrap(), due_date: Date::parse(due).unwrap(), total: Money::rupiah(166_500), paid: Money::rupiah(paid) };
/// // January's payment bounced; February and March are paid, by payments 8 and 9. March is what is really open.
/// let (january, february) = (invoice(1, "2026-01-11", 0), invoice(2, "2026-02-11", 166_500));
/// let march = invoice(3, "2026-03-11", 166_500);
/// let part = |invoice, payment| PaidPart { invoice, payment_id: PaymentId(id(payment)), amount: Money::rupiah(166_500) };
/// let paid = [part(february, 8), part(march, 9)];
/// let told = |credit: &[CreditSource]| {
///     let made = settle_again(&[january], credit, &paid, chrono::DateTime::UNIX_EPOCH);
///     made.iter().map(|a| (a.payment_id.0.as_u128(), a.invoice_id.0.as_u128(), a.amount.as_i64())).collect::<Vec<_>>()
/// };
/// assert_eq!(told(&[]), [(9, 3, -166_500), (9, 1, 166_500)]);
/// // Credit of Rp66.500 comes first, and March gives up the rest.
/// let credit = CreditSource { payment_id: PaymentId(id(7)), since: chrono::DateTime::UNIX_EPOCH, left: Money::rupiah(66_500) };
/// assert_eq!(told(&[credit]), [(7, 1, 66_500), (9, 3, -100_000), (9, 1, 100_000)]);
/// ```
#[must_use]
pub fn settle_again<D: Owing>(
    open: &[D],
    credit: &[CreditSource],
    paid: &[PaidPart<D>],
    at: DateTime<Utc>,
) -> Vec<Allocation> {
    let mut settled = allocate(open, credit, at);
    let mut newest: Vec<(Debt, PaymentId, Money)> =
        paid.iter().map(|p| (*p.invoice.debt(), p.payment_id, p.amount)).collect();
    newest.sort_by_key(|(invoice, payment, _)| std::cmp::Reverse((age(invoice), *payment)));
    for older in oldest_first(open) {
        let by_credit: Money = settled.iter().filter(|a| a.invoice_id == older.invoice_id).map(|a| a.amount).sum();
        let mut residual = older.residual() - by_credit;
        for (newer, payment_id, amount) in newest.iter_mut().filter(|(newer, ..)| age(newer) > age(&older)) {
            let share = residual.min(*amount);
            if !share.is_positive() {
                continue;
            }
            (residual, *amount) = (residual - share, *amount - share);
            let part = |invoice_id, amount| Allocation { payment_id: *payment_id, invoice_id, amount, at };
            settled.extend([part(newer.invoice_id, -share), part(older.invoice_id, share)]);
        }
    }
    settled
}

/// What is open of these, the oldest first.
pub(crate) fn oldest_first<D: Owing>(open: &[D]) -> Vec<Debt> {
    let mut order: Vec<Debt> = open.iter().map(|i| *i.debt()).filter(|i| i.residual().is_positive()).collect();
    order.sort_by_key(age);
    order
}

/// What decides which of two invoices is paid first.
pub(crate) fn age(invoice: &Debt) -> (Date, Date, u64, InvoiceId) {
    (invoice.due_date, invoice.issue_date, invoice.number, invoice.invoice_id)
}
