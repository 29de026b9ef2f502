//! Which invoice a payment pays (rules P2, P3).

use std::collections::BTreeMap;

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

/// What credit notes pay of their own invoices that are open, with what is left of them as credit, and then with what they have paid of
/// other invoices meanwhile, the newest first. `own` is the invoice that each note was given for, by the payment that holds its amount;
/// `paid` is what these payments pay of which invoice. What is given up elsewhere is open there again.
///
/// ```
/// # use isp_core::{billing::*, calendar::*, ids::*, money::Money, payment::{*, allocate::notes_pay_their_own}};
/// # let id = |n: u128| uuid::Uuid::from_u128(n);
/// # let invoice = |n: u128, due: &str, paid| Debt { invoice_id: InvoiceId(id(n)), number: n as u64,
/// #   issue_date: Date::parse(due).unwrap(), due_date: Date::parse(due).unwrap(), total: Money::rupiah(100), paid: Money::rupiah(paid) };
/// // March was paid when it was credited in full, so the note 9 paid April. Now the payment of March has bounced.
/// let (march, april) = (invoice(3, "2026-03-11", 0), invoice(4, "2026-04-11", 100));
/// let paid = [PaidPart { invoice: april, payment_id: PaymentId(id(9)), amount: Money::rupiah(100) }];
/// let own = [(PaymentId(id(9)), march.invoice_id)].into();
/// let made = notes_pay_their_own(&[march], &[], &paid, &own, chrono::DateTime::UNIX_EPOCH);
/// let told: Vec<_> = made.iter().map(|a| (a.invoice_id.0.as_u128(), a.amount.as_i64())).collect();
/// assert_eq!(told, [(4, -100), (3, 100)]);
/// ```
#[must_use]
pub fn notes_pay_their_own<D: Owing>(
    open: &[D],
    credit: &[CreditSource],
    paid: &[PaidPart<D>],
    own: &BTreeMap<PaymentId, InvoiceId>,
    at: DateTime<Utc>,
) -> Vec<Allocation> {
    let mut newest: Vec<(Debt, PaymentId, Money)> =
        paid.iter().map(|p| (*p.invoice.debt(), p.payment_id, p.amount)).collect();
    newest.sort_by_key(|(invoice, payment, _)| std::cmp::Reverse((age(invoice), *payment)));
    let mut made = Vec::new();
    for invoice in oldest_first(open) {
        let mut residual = invoice.residual();
        for note in own.iter().filter(|(_, of)| **of == invoice.invoice_id).map(|(note, _)| *note) {
            let part = |invoice_id, amount| Allocation { payment_id: note, invoice_id, amount, at };
            let left: Money = credit.iter().filter(|source| source.payment_id == note).map(|source| source.left).sum();
            let mut brought = residual.min(left);
            residual -= brought;
            for (elsewhere, payment, amount) in &newest {
                let share = residual.min(*amount);
                if *payment == note && elsewhere.invoice_id != invoice.invoice_id && share.is_positive() {
                    made.push(part(elsewhere.invoice_id, -share));
                    residual -= share;
                    brought += share;
                }
            }
            if brought.is_positive() {
                made.push(part(invoice.invoice_id, brought));
            }
        }
    }
    made
}

/// What settles the invoices that are open once a payment was taken back (rules P2, P4), as if the payment had never come: their own
/// credit notes first ([`notes_pay_their_own`]), then other credit, then what payments pay of newer invoices. `paid` is what each payment
/// and note pays of which invoice; write-offs, which are for their own invoice, are not among it. `own` is the invoice that each note was
/// given for, by the payment that holds its amount. One allocation for each payment and invoice.
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
///     let made = settle_again(&[january], credit, &paid, &Default::default(), chrono::DateTime::UNIX_EPOCH);
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
    own: &BTreeMap<PaymentId, InvoiceId>,
    at: DateTime<Utc>,
) -> Vec<Allocation> {
    let parts =
        paid.iter().map(|p| PaidPart { invoice: *p.invoice.debt(), payment_id: p.payment_id, amount: p.amount });
    let (of_notes, paid): (Vec<_>, Vec<_>) = parts.partition(|part| own.contains_key(&part.payment_id));
    let mut debts: Vec<Debt> = open.iter().map(|invoice| *invoice.debt()).collect();
    let brought = notes_pay_their_own(&debts, credit, &of_notes, own, at);
    // What notes give up elsewhere is open there, and is paid like everything else.
    for part in &of_notes {
        if debts.iter().all(|debt| debt.invoice_id != part.invoice.invoice_id) {
            debts.push(part.invoice);
        }
    }
    for debt in &mut debts {
        debt.paid += brought.iter().filter(|a| a.invoice_id == debt.invoice_id).map(|a| a.amount).sum();
    }
    let mut credit = credit.to_vec();
    for source in &mut credit {
        source.left -= brought.iter().filter(|a| a.payment_id == source.payment_id).map(|a| a.amount).sum();
    }
    joined([brought, newer_give_up(&debts, &credit, &paid, at)].concat())
}

/// Allocations with one for each payment and invoice, in the order in which they first come.
fn joined(made: Vec<Allocation>) -> Vec<Allocation> {
    let mut joined: Vec<Allocation> = Vec::with_capacity(made.len());
    for a in made {
        match joined.iter_mut().find(|b| (b.payment_id, b.invoice_id) == (a.payment_id, a.invoice_id)) {
            Some(known) => known.amount += a.amount,
            None => joined.push(a),
        }
    }
    joined.retain(|a| !a.amount.is_zero());
    joined
}

/// Credit pays what is open, and then payments what they have paid of newer invoices.
fn newer_give_up(
    open: &[Debt],
    credit: &[CreditSource],
    paid: &[PaidPart<Debt>],
    at: DateTime<Utc>,
) -> Vec<Allocation> {
    let mut settled = allocate(open, credit, at);
    let mut newest: Vec<(Debt, PaymentId, Money)> = paid.iter().map(|p| (p.invoice, p.payment_id, p.amount)).collect();
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
fn age(invoice: &Debt) -> (Date, Date, u64, InvoiceId) {
    (invoice.due_date, invoice.issue_date, invoice.number, invoice.invoice_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sample::{day, id, moment};

    fn debt(n: u64, due: &str, paid: i64) -> Debt {
        Debt {
            invoice_id: InvoiceId(id(6, n)),
            number: n,
            issue_date: day(due),
            due_date: day(due),
            total: Money::rupiah(100),
            paid: Money::rupiah(paid),
        }
    }

    fn note(n: u64) -> PaymentId {
        PaymentId(id(7, n))
    }

    fn told(made: &[Allocation]) -> Vec<(PaymentId, InvoiceId, i64)> {
        made.iter().map(|a| (a.payment_id, a.invoice_id, a.amount.as_i64())).collect()
    }

    #[test]
    fn what_is_left_comes_first_and_then_what_newer_invoices_were_paid_with() {
        let at = moment("2026-05-01T03:00:00Z");
        let (march, april, may) = (debt(3, "2026-03-11", 0), debt(4, "2026-04-11", 100), debt(5, "2026-05-11", 30));
        let part = |invoice, n, amount| PaidPart { invoice, payment_id: note(n), amount: Money::rupiah(amount) };
        // The note of March has Rp20 left, and pays Rp30 of April and Rp30 of May. That of April pays April, where it belongs.
        let paid = [part(april, 1, 30), part(may, 1, 30), part(april, 2, 70)];
        let own = BTreeMap::from([(note(1), march.invoice_id), (note(2), april.invoice_id)]);
        let credit = [CreditSource { payment_id: note(1), since: at, left: Money::rupiah(20) }];
        let made = notes_pay_their_own(&[may, march], &credit, &paid, &own, at);
        let (m, a, y) = (march.invoice_id, april.invoice_id, may.invoice_id);
        assert_eq!(told(&made), [(note(1), y, -30), (note(1), a, -30), (note(1), m, 80)]);
    }

    #[test]
    fn nothing_moves_where_the_own_invoice_is_paid_or_takes_less() {
        let at = moment("2026-05-01T03:00:00Z");
        let (march, april) = (debt(3, "2026-03-11", 100), debt(4, "2026-04-11", 100));
        let part = PaidPart { invoice: april, payment_id: note(1), amount: Money::rupiah(100) };
        let own = BTreeMap::from([(note(1), march.invoice_id)]);
        assert_eq!(notes_pay_their_own(&[march], &[], &[part], &own, at), []);
        let march = debt(3, "2026-03-11", 60);
        let made = notes_pay_their_own(&[march], &[], &[part], &own, at);
        assert_eq!(told(&made), [(note(1), april.invoice_id, -40), (note(1), march.invoice_id, 40)]);
        // A note that was given for an invoice that is not open, and credit that is no note, pay nothing here.
        let other = BTreeMap::from([(note(1), InvoiceId(id(6, 9)))]);
        let credit = [CreditSource { payment_id: note(2), since: at, left: Money::rupiah(20) }];
        assert_eq!(notes_pay_their_own(&[march], &credit, &[part], &other, at), []);
    }
}
