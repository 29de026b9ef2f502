//! Refunds that a payment gateway was asked for, and where each stands.
//!
//! A payment that came through a gateway can go back through it, as far as its money is still the customer's credit. The [`Refund`]
//! is booked together with this row, before the gateway is called: so nothing else uses the credit meanwhile, and the books have
//! it exactly once, however often it is told. Only when the gateway certainly does not give the money back is the refund taken
//! back. Its id is the key under which the gateway knows it, so that it is never given twice.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::ids::{PaymentId, RefundId};
use crate::money::Money;
use crate::payment::{Channel, CreditSource, Refund};
use crate::text::{Code, Reference};

/// Where a refund at a gateway stands. It only goes forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// The gateway is about to be asked.
    Attempting,
    /// The answer was lost: nobody knows whether the gateway gives the money back.
    Unknown,
    /// The gateway took it, and has still to bring the money to the customer.
    Pending,
    /// The gateway gave the money back.
    Done,
    /// The gateway does not give it back. The refund was taken back, and the customer has the credit again.
    Refused,
}

impl RefundState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Attempting, Self::Unknown, Self::Pending, Self::Done, Self::Refused];

    /// `attempting`, `unknown`, `pending`, `done` or `refused`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Attempting => "attempting",
            Self::Unknown => "unknown",
            Self::Pending => "pending",
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }

    /// Reads its code.
    ///
    /// # Errors
    /// [`Error::NotOneOf`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let expected = "attempting, unknown, pending, done, refused";
        Self::ALL.into_iter().find(|s| s.code() == text).ok_or(Error::NotOneOf { field: "state", expected })
    }

    /// True when nothing more becomes of it.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Refused)
    }

    /// The state after the gateway told another one. What is over stays so, and nothing goes back.
    ///
    /// ```
    /// use isp_core::payment::RefundState::{Done, Pending, Refused, Unknown};
    /// assert_eq!([Unknown.after(Pending), Pending.after(Unknown)], [Pending, Pending]);
    /// assert_eq!([Done.after(Refused), Refused.after(Done)], [Done, Refused]);
    /// ```
    #[must_use]
    pub fn after(self, told: Self) -> Self {
        if self.is_over() || told < self { self } else { told }
    }
}

/// A refund that a gateway was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayRefund {
    /// The refund that it is; see [`GatewayRefund::key`].
    pub id: RefundId,
    /// Which gateway, by the name it has in the settings.
    pub gateway: Code,
    /// The payment that goes back, all of it or a part.
    pub payment_id: PaymentId,
    /// What we called the request that was paid.
    pub reference: Reference,
    /// Where it stands.
    pub state: RefundState,
    /// What the gateway calls it.
    pub provider_id: Option<String>,
    /// When it was asked.
    pub asked_at: DateTime<Utc>,
    /// When the gateway is asked next how it stands; `None` when it is not asked any more.
    pub poll_at: Option<DateTime<Utc>>,
    /// What the gateway said last, or why it could not be asked, without secrets.
    pub note: String,
    /// How often the row was written; 0 for one that is new.
    pub revision: u32,
}

/// Minutes after it was asked at which the gateway is asked how it stands, before it is asked every hour.
const POLL_MINUTES: [i64; 4] = [1, 5, 15, 60];
/// Hours after which it is asked once a day only: some banks take days.
const HOURLY: i64 = 48;
/// Days that a refund which the gateway took may take before a person should ask.
const PENDING_DAYS: i64 = 7;
/// Minutes after a call whose answer was lost, before a gateway that does not know it is believed: the call may still be on its way.
const LOST_AFTER: i64 = 60;

impl GatewayRefund {
    /// The key under which the gateway knows it: the id in 32 signs. A gateway takes the same key once.
    #[must_use]
    pub fn key(&self) -> String {
        self.id.0.simple().to_string()
    }

    /// When the gateway is asked next, after it was asked at `now`: 1, 5, 15 and 60 minutes after it was asked for the money, then
    /// every hour, and every day once two days are over. `None` when its end is certain.
    #[must_use]
    pub fn next_poll(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.state.is_over() {
            return None;
        }
        let soon = POLL_MINUTES.iter().map(|m| self.asked_at + TimeDelta::minutes(*m)).find(|at| *at > now);
        let late = now - self.asked_at >= TimeDelta::hours(HOURLY);
        Some(soon.unwrap_or(now + TimeDelta::hours(if late { 24 } else { 1 })))
    }

    /// True when it should have come to an end long since: nobody knows for two days whether the gateway gives the money, or the gateway
    /// took it a week ago and the customer still has nothing. A person should ask the gateway then.
    #[must_use]
    pub fn is_long_open(&self, now: DateTime<Utc>) -> bool {
        let most = match self.state {
            RefundState::Attempting | RefundState::Unknown => TimeDelta::hours(HOURLY),
            RefundState::Pending => TimeDelta::days(PENDING_DAYS),
            RefundState::Done | RefundState::Refused => return false,
        };
        now - self.asked_at >= most
    }

    /// Where it stands after a person said what became of it, who saw it at the gateway: whether the customer got the money.
    ///
    /// # Errors
    /// [`Error::AlreadyEnded`] when its end is certain; [`Error::RefundOnItsWay`] while the call may still be on its way.
    pub fn said_by_person(&self, given: bool, now: DateTime<Utc>) -> Result<RefundState, Error> {
        if self.state.is_over() {
            return Err(Error::AlreadyEnded);
        }
        if self.state != RefundState::Pending && !self.never_came(now) {
            return Err(Error::RefundOnItsWay);
        }
        Ok(if given { RefundState::Done } else { RefundState::Refused })
    }

    /// True when a gateway that does not know it at `now` never got it: it was never taken, and the call can no longer be on its
    /// way.
    #[must_use]
    pub fn never_came(&self, now: DateTime<Utc>) -> bool {
        let unsure = matches!(self.state, RefundState::Attempting | RefundState::Unknown);
        unsure && now - self.asked_at >= TimeDelta::minutes(LOST_AFTER)
    }
}

impl Refund {
    /// The refund of a payment that goes back through its gateway: its one part is of this payment, and never more than what is
    /// left of it. What was refunded before, or pays an invoice, is no longer left. `credit` is what the customer has.
    ///
    /// # Errors
    /// [`Error::NotPositive`]; when less is left of the payment [`Error::CreditElsewhere`] for a customer with other credit, else
    /// [`Error::CreditIsLess`]. `notes` are the credit notes, by the payments that they count as.
    pub fn through_gateway(
        self,
        payment: PaymentId,
        credit: &[CreditSource],
        notes: &[PaymentId],
    ) -> Result<Self, Error> {
        let left = |of: &dyn Fn(&CreditSource) -> bool| -> Money {
            credit.iter().filter(|source| of(source)).map(|source| source.left).sum()
        };
        let holds = left(&|of| of.payment_id == payment);
        let of_notes = left(&|of| of.payment_id != payment && notes.contains(&of.payment_id));
        let others = left(&|_| true) - holds - of_notes;
        // Who says no amount means all that is left, which may be nothing.
        if (self.amount > holds || holds.is_zero()) && (of_notes + others).is_positive() {
            return Err(Error::CreditElsewhere { holds, notes: of_notes, others });
        }
        if self.amount > holds || holds.is_zero() {
            return Err(Error::CreditIsLess { holds });
        }
        if !self.amount.is_positive() {
            return Err(Error::NotPositive { field: "amount" });
        }
        Ok(Self { paid_from: Channel::Gateway, parts: vec![(payment, self.amount)], ..self })
    }
}

/// What of the money that a gateway says it gave back of a payment is not among the refunds that it was asked for; zero when all
/// of it is. `asked` are those refunds with their amounts.
///
/// ```
/// use isp_core::{money::Money, payment::{RefundState, not_asked_for}};
/// let asked = [(RefundState::Done, Money::rupiah(40_000)), (RefundState::Refused, Money::rupiah(9_000))];
/// assert_eq!(not_asked_for(Money::rupiah(40_000), &asked), Money::ZERO);
/// assert_eq!(not_asked_for(Money::rupiah(50_000), &asked), Money::rupiah(10_000));
/// ```
#[must_use]
pub fn not_asked_for(given_back: Money, asked: &[(RefundState, Money)]) -> Money {
    let ours: Money = asked.iter().filter(|(state, _)| *state != RefundState::Refused).map(|(_, amount)| *amount).sum();
    (given_back - ours).max(Money::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::CustomerId;
    use crate::testing::sample::{day, id, moment};

    fn row() -> GatewayRefund {
        GatewayRefund {
            id: RefundId(id(71, 1)),
            gateway: Code::parse("gateway", "midtrans").unwrap(),
            payment_id: PaymentId(id(9, 1)),
            reference: Reference::parse("reference", "INV-1-AB12").unwrap(),
            state: RefundState::Attempting,
            provider_id: None,
            asked_at: moment("2026-01-05T03:00:00Z"),
            poll_at: None,
            note: String::new(),
            revision: 0,
        }
    }

    #[test]
    fn states_only_go_forward_and_are_read_back() {
        for before in RefundState::ALL {
            assert_eq!(RefundState::parse(before.code()), Ok(before));
            for told in RefundState::ALL {
                let after = before.after(told);
                assert!(after >= before && (!before.is_over() || after == before), "{before:?} {told:?}");
                assert_eq!(after.after(told), after, "twice is once");
            }
        }
        assert!(RefundState::parse("lost").is_err());
    }

    #[test]
    fn a_gateway_is_asked_until_the_end_is_certain() {
        let minutes = |n: i64| row().asked_at + TimeDelta::minutes(n);
        let next = |n: i64| row().next_poll(minutes(n)).map(|at| (at - row().asked_at).num_minutes());
        assert_eq!([0, 1, 60, 48 * 60].map(next), [1, 5, 120, 72 * 60].map(Some));
        for state in [RefundState::Done, RefundState::Refused] {
            assert_eq!(GatewayRefund { state, ..row() }.next_poll(minutes(0)), None);
        }
    }

    #[test]
    fn what_the_gateway_took_is_never_taken_as_lost() {
        let lost = |state, n| GatewayRefund { state, ..row() }.never_came(row().asked_at + TimeDelta::minutes(n));
        assert!(lost(RefundState::Unknown, 60) && lost(RefundState::Attempting, 60));
        assert!(!lost(RefundState::Unknown, 59), "the call may still be on its way");
        assert!(!lost(RefundState::Pending, 9_999) && !lost(RefundState::Done, 9_999));
    }

    #[test]
    fn a_person_says_what_became_of_it_once_the_call_cannot_be_on_its_way() {
        let said = |state, minutes| {
            let row = GatewayRefund { state, ..row() };
            let now = row.asked_at + TimeDelta::minutes(minutes);
            [true, false].map(|given| row.said_by_person(given, now))
        };
        for state in [RefundState::Attempting, RefundState::Unknown] {
            assert_eq!(said(state, 59), [Err(Error::RefundOnItsWay), Err(Error::RefundOnItsWay)]);
            assert_eq!(said(state, 60), [Ok(RefundState::Done), Ok(RefundState::Refused)]);
        }
        assert_eq!(said(RefundState::Pending, 0), [Ok(RefundState::Done), Ok(RefundState::Refused)]);
        for state in [RefundState::Done, RefundState::Refused] {
            assert_eq!(said(state, 99_999), [Err(Error::AlreadyEnded), Err(Error::AlreadyEnded)]);
        }
    }

    #[test]
    fn one_that_does_not_end_is_named_after_days() {
        let long =
            |state, hours| GatewayRefund { state, ..row() }.is_long_open(row().asked_at + TimeDelta::hours(hours));
        assert!(!long(RefundState::Unknown, 47) && long(RefundState::Unknown, 48) && long(RefundState::Attempting, 48));
        assert!(!long(RefundState::Pending, 7 * 24 - 1) && long(RefundState::Pending, 7 * 24));
        assert!(!long(RefundState::Done, 9_999) && !long(RefundState::Refused, 9_999));
    }

    #[test]
    fn it_takes_what_is_left_of_its_own_payment_only() {
        let money = Money::rupiah;
        let elsewhere = |holds, notes, others| Error::CreditElsewhere {
            holds: money(holds),
            notes: money(notes),
            others: money(others),
        };
        let credit = [(1, 40), (2, 100)].map(|(number, left)| CreditSource {
            payment_id: PaymentId(id(9, number)),
            since: moment("2026-01-01T00:00:00Z"),
            left: Money::rupiah(left),
        });
        let refund = |amount| Refund {
            id: RefundId(id(71, 1)),
            customer_id: CustomerId(id(4, 1)),
            amount: Money::rupiah(amount),
            paid_from: Channel::Cash,
            on: day("2026-03-01"),
            by: "Sari".into(),
            note: String::new(),
            parts: Vec::new(),
        };
        let of =
            |amount, number| refund(amount).through_gateway(PaymentId(id(9, number)), &credit, &[PaymentId(id(9, 2))]);
        let made = of(100, 2).unwrap();
        assert_eq!(
            (made.paid_from, made.parts.as_slice()),
            (Channel::Gateway, &[(PaymentId(id(9, 2)), Money::rupiah(100))][..])
        );
        assert_eq!(of(41, 1), Err(elsewhere(40, 100, 0)), "what is left of others does not count");
        assert_eq!(of(101, 2), Err(elsewhere(100, 0, 40)));
        assert_eq!(of(1, 3), Err(elsewhere(0, 100, 40)));
        assert_eq!(of(0, 3), Err(elsewhere(0, 100, 40)), "all that is left is nothing");
        assert_eq!(of(0, 1), Err(Error::NotPositive { field: "amount" }));
        let alone = |amount| refund(amount).through_gateway(PaymentId(id(9, 1)), &credit[..1], &[]);
        assert_eq!(alone(41), Err(Error::CreditIsLess { holds: Money::rupiah(40) }));
        let nothing = refund(0).through_gateway(PaymentId(id(9, 1)), &[], &[]);
        assert_eq!(nothing, Err(Error::CreditIsLess { holds: Money::ZERO }), "all that is left, which is nothing");
    }
}
