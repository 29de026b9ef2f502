//! What a person is asked about before a payment is written: far more than is usual, or the same again.
//!
//! Both are slips of the keyboard now and then, and both are right now and then. So it is a question and no refusal: whoever is asked
//! and means it writes it. Machines are not asked.

use crate::calendar::{Date, Zone};
use crate::money::Money;
use crate::payment::Payment;
use crate::text::{Code, Reference};

/// More than so many times of what is usual is asked about.
const TIMES: i64 = 3;

/// Why a payment is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unusual {
    /// It is more than three times what the customer owes, and more than three times what his lines cost a month.
    TooMuch {
        /// What he owes.
        owed: Money,
        /// What his lines cost a month; a line that pays by the quarter or the year, that long.
        monthly: Money,
    },
    /// The same amount of the same customer on the same day is there, under another reference.
    Again {
        /// Through whom that one came.
        provider: Code,
        /// Its reference.
        reference: Reference,
    },
}

/// A payment before it is written, and what is known of who pays.
#[derive(Debug, Clone, Copy)]
pub struct Typed<'a> {
    /// How much.
    pub amount: Money,
    /// The day on which it was paid.
    pub on: Date,
    /// What the customer owes.
    pub owed: Money,
    /// What his lines cost a month; a line that pays by the quarter or the year, that long.
    pub monthly: Money,
    /// His payments that stand: neither reversed nor without money.
    pub known: &'a [Payment],
}

/// What is asked about a payment, if anything. Of a customer who owes nothing and has no line nothing is usual.
///
/// ```
/// use isp_core::{Money, calendar::Date, payment::unusual::{Typed, Unusual, unusual}};
/// let (owed, monthly) = (Money::rupiah(165_000), Money::rupiah(165_000));
/// let typed = |amount| Typed { amount: Money::rupiah(amount), on: Date::parse("2026-01-31").unwrap(), owed, monthly, known: &[] };
/// assert_eq!(unusual(&typed(495_000)), None);
/// assert_eq!(unusual(&typed(1_650_000)), Some(Unusual::TooMuch { owed, monthly }));
/// ```
#[must_use]
pub fn unusual(typed: &Typed<'_>) -> Option<Unusual> {
    let same = |p: &&Payment| p.amount == typed.amount && Zone::Wib.date_of(p.paid_at) == typed.on;
    if let Some(before) = typed.known.iter().find(same) {
        return Some(Unusual::Again { provider: before.provider.clone(), reference: before.reference.clone() });
    }
    let usual = typed.owed.max(typed.monthly);
    let most = usual.ratio(TIMES, 1);
    (usual.is_positive() && typed.amount > most)
        .then_some(Unusual::TooMuch { owed: typed.owed, monthly: typed.monthly })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{CustomerId, PaymentId};
    use crate::payment::Channel;
    use uuid::Uuid;

    fn payment(amount: i64, day: &str) -> Payment {
        let at = Date::parse(day).unwrap().at(12, 0, Zone::Wib);
        Payment {
            id: PaymentId(Uuid::nil()),
            customer_id: CustomerId(Uuid::nil()),
            provider: Code::parse("provider", "cash").unwrap(),
            reference: Reference::parse("reference", "KW-1").unwrap(),
            channel: Channel::Cash,
            collector: None,
            amount: Money::rupiah(amount),
            paid_at: at,
            received_at: at,
        }
    }

    #[test]
    fn three_times_what_is_usual_is_asked_about_and_no_less() {
        let of = |amount, owed, monthly| {
            let on = Date::parse("2026-01-31").unwrap();
            let money = Money::rupiah;
            let typed = Typed { amount: money(amount), on, owed: money(owed), monthly: money(monthly), known: &[] };
            unusual(&typed).is_some()
        };
        assert!(!of(495_000, 165_000, 100_000) && of(495_001, 165_000, 100_000));
        // Who owes little pays months ahead; who owes much pays it all.
        assert!(!of(495_000, 0, 165_000) && of(495_001, 0, 165_000));
        assert!(!of(2_000_000, 2_000_000, 165_000));
        assert!(!of(50_000_000, 0, 0), "nothing is usual of him");
    }

    #[test]
    fn the_same_again_is_asked_about_on_its_day_alone() {
        let known = [payment(150_000, "2026-01-31")];
        let of = |amount, day: &str| {
            let money = Money::rupiah;
            let on = Date::parse(day).unwrap();
            unusual(&Typed { amount: money(amount), on, owed: money(150_000), monthly: money(150_000), known: &known })
        };
        let again = Unusual::Again { provider: known[0].provider.clone(), reference: known[0].reference.clone() };
        assert_eq!(of(150_000, "2026-01-31"), Some(again));
        assert_eq!(of(150_000, "2026-02-01"), None);
        assert_eq!(of(100_000, "2026-01-31"), None);
    }
}
