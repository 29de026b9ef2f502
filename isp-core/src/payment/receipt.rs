//! A payment as it arrived.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::calendar::Zone;
use crate::error::Error;
use crate::ids::{CustomerId, PaymentId, TenantId, derive};
use crate::ledger::Account;
use crate::money::Money;
use crate::payment::{Channel, withheld};
use crate::text::{Code, Reference};

/// Money that came in from a customer, or what stands for it (see [`Channel`]). Append-only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The row; follows from provider, reference and how often they were booked and taken back before. For a slip of tax from the
    /// customer too, who numbers it.
    pub id: PaymentId,
    /// Who paid.
    pub customer_id: CustomerId,
    /// Through whom: `cash`, `bank`, `midtrans` and so on.
    pub provider: Code,
    /// The provider's reference; with the provider, unique among payments that are not reversed (rules P1, P6).
    pub reference: Reference,
    /// How it came, which decides the account.
    pub channel: Channel,
    /// The collector who took the cash and holds it until a deposit.
    pub collector: Option<Code>,
    /// How much.
    pub amount: Money,
    /// When the customer paid.
    pub paid_at: DateTime<Utc>,
    /// When we heard of it.
    pub received_at: DateTime<Utc>,
}

impl Payment {
    /// The id of the payment of a customer that a provider calls `reference`, when `before` bookings of it were taken back.
    #[must_use]
    pub fn id_of(
        tenant: TenantId,
        customer: CustomerId,
        provider: &Code,
        reference: &Reference,
        before: usize,
    ) -> PaymentId {
        let whose = withheld::numbered_by(provider, customer).map(|customer| customer.to_string());
        let before = (before > 0).then(|| before.to_string());
        let (provider, reference) = (provider.folded(), withheld::folded(provider, reference));
        let mut name = vec!["payment", &provider, &reference];
        name.extend(whose.as_deref());
        name.extend(before.as_deref());
        PaymentId(derive(tenant.0, &name))
    }

    /// What it is known by (rule P6): provider and reference without case, the reference also without blanks, and the number of a slip
    /// of tax by its letters and digits alone. Slips of several customers may be known by the same.
    #[must_use]
    pub fn identity(provider: &Code, reference: &Reference) -> String {
        format!("{} {}", provider.folded(), withheld::folded(provider, reference))
    }

    /// The account that it is debited to.
    #[must_use]
    pub fn account(&self) -> Account {
        match (self.channel, &self.collector) {
            (Channel::Cash, Some(_)) => Account::Collector,
            (channel, _) => channel.account(),
        }
    }
}

/// Days after which a payment is asked about (rule P7).
const LONG_AGO_DAYS: i32 = 366;

/// Whether a payment may have been made at a moment (rule P7): not on a day that nowhere in the country has begun, and not
/// more than a year ago. A mistyped year is neither.
///
/// # Errors
/// [`Error::PaidInFuture`], [`Error::PaidLongAgo`], each with the day.
pub fn plausible(paid_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), Error> {
    // The latest zone for the day of paying is the earliest for today: a day that has begun anywhere is none of the future.
    let (on, today) = (Zone::Wib.date_of(paid_at), Zone::Wit.date_of(now));
    if on > today {
        return Err(Error::PaidInFuture { on });
    }
    if today.days_since(on) > LONG_AGO_DAYS {
        return Err(Error::PaidLongAgo { on });
    }
    Ok(())
}

/// The taking back of a payment (rule P4): a bounced transfer, a chargeback, a typing error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentReversal {
    /// Which payment; it is reversed whole, once.
    pub payment_id: PaymentId,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: String,
    /// Who said so.
    pub by: String,
}
