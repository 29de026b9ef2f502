//! Credit notes pay their own invoice first (rule P3): also one whose invoice was paid when it was given, and is open again because that
//! payment was taken back.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::billing::{Debt, Owing};
use crate::ids::{InvoiceId, PaymentId};
use crate::money::Money;
use crate::payment::allocate::{Allocation, CreditSource, PaidPart, age, oldest_first};

/// What credit notes pay of their own invoices that are open, with what is left of them as credit, and then with what they have paid of
/// other invoices meanwhile, the newest first. `own` is the invoice that each note was given for, by the payment that holds its amount;
/// `paid` is what these payments pay of which invoice. What is given up elsewhere is open there again.
///
/// ```
/// # use isp_core::{billing::*, calendar::*, ids::*, money::Money, payment::{*, own_note::notes_pay_their_own}};
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
