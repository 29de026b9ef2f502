//! The sums that customers are asked for as they are, without an amount of their own.

use std::collections::{BTreeMap, BTreeSet};

use crate::billing::Debt;
use crate::ids::CustomerId;
use crate::money::Money;

/// Who owes which sums. A customer may pay the oldest invoice, the two oldest, and so on to all; any one; or those of one statement,
/// which are issued and due on the same days.
///
/// ```
/// use isp_core::{billing::Debt, calendar::Date, ids::*, money::Money, payment::sums_owed};
/// let (day, id) = (|text: &str| Date::parse(text).unwrap(), |n| uuid::Uuid::from_u128(n));
/// let owes = |n: u128, issued: &str, total| Debt { invoice_id: InvoiceId(id(n)), number: n as u64, issue_date: day(issued),
///     due_date: day("2026-03-10"), total: Money::rupiah(total), paid: Money::ZERO };
/// let (budi, debts) = (CustomerId(id(9)), [owes(1, "2026-02-01", 100), owes(2, "2026-03-01", 20), owes(3, "2026-03-01", 3)]);
/// let sums = sums_owed(debts.iter().map(|debt| (budi, debt)));
/// assert_eq!(sums.keys().map(|sum| sum.as_i64()).collect::<Vec<_>>(), [3, 20, 23, 100, 120, 123]);
/// ```
#[must_use]
pub fn sums_owed<'a>(open: impl IntoIterator<Item = (CustomerId, &'a Debt)>) -> BTreeMap<Money, BTreeSet<CustomerId>> {
    let mut of: BTreeMap<CustomerId, Vec<&Debt>> = BTreeMap::new();
    for (customer, debt) in open {
        if debt.residual().is_positive() {
            of.entry(customer).or_default().push(debt);
        }
    }
    let mut sums: BTreeMap<Money, BTreeSet<CustomerId>> = BTreeMap::new();
    for (customer, mut debts) in of {
        debts.sort_by_key(|debt| (debt.due_date, debt.issue_date, debt.number));
        let (mut all, mut statements) = (Money::ZERO, BTreeMap::new());
        for debt in debts {
            all += debt.residual();
            let statement = statements.entry((debt.issue_date, debt.due_date)).or_insert(Money::ZERO);
            *statement += debt.residual();
            for sum in [all, debt.residual()] {
                sums.entry(sum).or_default().insert(customer);
            }
        }
        for sum in statements.into_values() {
            sums.entry(sum).or_default().insert(customer);
        }
    }
    sums
}
