//! Identifiers: newtypes over UUID, so that a customer's id is never taken for an invoice's.
//!
//! Ids of records that a person creates are version 7 and come from an [`IdSource`] that the caller owns.
//! Ids of what the engine decides follow from what they stand for, so that a repeated run names the same rows:
//! see [`InvoiceId::of_period`] and [`derive()`].

mod known;

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::calendar::Date;

pub use known::{Id, Ids, Known, LineIds, OfLine, OfNobody, Unknown};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    )*};
}

ids! {
    /// One internet provider in the database; the first column of every key.
    TenantId,
    /// A place with one time zone.
    SiteId,
    /// A MikroTik router of the provider.
    RouterId,
    /// A customer.
    CustomerId,
    /// A package.
    PackageId,
    /// A customer's use of a package.
    SubscriptionId,
    /// A kind of installation.
    InstallationKindId,
    /// An installation order.
    InstallationOrderId,
    /// A device at a customer's place.
    CpeId,
    /// An entry of the device history.
    DeviceHistoryId,
    /// An invoice.
    InvoiceId,
    /// A statement: invoices of one customer as one document.
    StatementId,
    /// A credit note.
    CreditNoteId,
    /// A payment.
    PaymentId,
    /// A payment request.
    PaymentRequestId,
    /// A file of a bank.
    BankFileId,
    /// A mutation of a bank account.
    MutationId,
    /// That a source told of a mutation.
    TellingId,
    /// A collector's deposit.
    DepositId,
    /// A payout of a payment gateway.
    PayoutId,
    /// Credit that was paid out to a customer.
    RefundId,
    /// A journal entry.
    JournalEntryId,
    /// An event in the life of a service access.
    AccessEventId,
    /// A row of the outbox.
    OutboxId,
    /// A promise to pay.
    PromiseId,
    /// A proof of transfer.
    ProofId,
    /// An exemption from isolation.
    ExemptionId,
    /// A recorded outage.
    OutageId,
    /// An expense.
    ExpenseId,
    /// A webhook as it arrived.
    WebhookId,
    /// A link to a customer's page.
    PageLinkId,
    /// A process that carries out what the outbox holds; drawn by the process itself.
    WorkerId,
}

/// A row of the master data, which can be removed while nothing else names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MasterId {
    /// A site.
    Site(SiteId),
    /// A router, together with what is remembered of its machine.
    Router(RouterId),
    /// A package.
    Package(PackageId),
    /// A customer.
    Customer(CustomerId),
    /// A kind of installation.
    InstallationKind(InstallationKindId),
}

impl MasterId {
    /// `site`, `router`, `package`, `customer` or `installation_kind`.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Site(_) => "site",
            Self::Router(_) => "router",
            Self::Package(_) => "package",
            Self::Customer(_) => "customer",
            Self::InstallationKind(_) => "installation_kind",
        }
    }

    /// The id itself.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        match self {
            Self::Site(id) => id.0,
            Self::Router(id) => id.0,
            Self::Package(id) => id.0,
            Self::Customer(id) => id.0,
            Self::InstallationKind(id) => id.0,
        }
    }
}

impl TenantId {
    /// The tenant of an installation that serves one provider.
    pub const DEFAULT: Self = Self(Uuid::from_u128(1));
}

impl InvoiceId {
    /// The id of the invoice for the period of `subscription` that starts on `start` (rule B3).
    ///
    /// A version 8 UUID: day number, then the time part of the subscription's id, then a mix of both. It follows
    /// from its arguments, and invoices of one day sort in the order of their subscriptions, so that a billing run
    /// writes its index from left to right.
    #[must_use]
    pub fn of_period(subscription: SubscriptionId, start: Date) -> Self {
        let id = subscription.0.as_u128();
        let day = (start.day_number() as u32) & 0xffff;
        let mixed = mix((id as u64) ^ mix((id >> 64) as u64 ^ (u64::from(start.day_number() as u32) << 17)));
        let sub = (id >> 64) as u64;
        let high = (u64::from(day) << 48) | ((sub >> 16 & 0xffff_ffff) << 16) | (sub & 0x0fff) | 0x8000;
        Self(Uuid::from_u64_pair(high, (mixed & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000))
    }

    /// The id of the invoice that a change of terms on a day makes for days from `start` on.
    #[must_use]
    pub fn of_adjustment(subscription: SubscriptionId, start: Date, on: Date) -> Self {
        Self(derive(subscription.0, &["adjustment", &start.to_string(), &on.to_string()]))
    }
}

/// The namespace of ids that follow from a name alone. The marks on routers of accounts that Python manages rest on it, so it
/// never changes.
pub const NAMES: Uuid = Uuid::nil();

/// Derives an id from the words that name a thing, so that a repeated decision names the same row.
///
/// ```
/// use isp_core::ids::{NAMES, derive};
/// assert_eq!(derive(NAMES, &["payment", "midtrans", "42"]), derive(NAMES, &["payment", "midtrans", "42"]));
/// assert_ne!(derive(NAMES, &["a", "bc"]), derive(NAMES, &["ab", "c"]));
/// ```
#[must_use]
pub fn derive(namespace: Uuid, words: &[&str]) -> Uuid {
    let mut name = Vec::with_capacity(words.iter().map(|w| w.len() + 9).sum());
    for word in words {
        name.extend_from_slice(&(word.len() as u64).to_be_bytes());
        name.extend_from_slice(word.as_bytes());
    }
    Uuid::new_v5(&namespace, &name)
}

/// Makes version 7 ids from a moment and entropy that the caller brings.
#[derive(Debug, Clone)]
pub struct IdSource {
    millis: u64,
    counter: u64,
    entropy: u64,
}

impl IdSource {
    /// Ids made now, told apart from those of other processes by `entropy` (64 random bits).
    #[must_use]
    pub fn new(now: DateTime<Utc>, entropy: u64) -> Self {
        Self { millis: u64::try_from(now.timestamp_millis()).unwrap_or(0), counter: 0, entropy }
    }

    /// The next id, larger than the one before.
    pub fn next_uuid(&mut self) -> Uuid {
        self.counter += 1;
        let millis = self.millis + (self.counter >> 12);
        let high = (millis << 16) | 0x7000 | (self.counter & 0xfff);
        let low = mix(self.entropy ^ mix(self.counter)) & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000;
        Uuid::from_u64_pair(high, low)
    }
}

/// The finaliser of splitmix64: spreads 64 bits over 64 bits, one to one.
fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invoice_ids_follow_from_subscription_and_period_and_sort_in_that_order() {
        let mut ids = IdSource::new(DateTime::UNIX_EPOCH, 7);
        let subs: Vec<_> = (0..5000).map(|_| SubscriptionId(ids.next_uuid())).collect();
        let start = Date::from_ymd(2026, 1, 31).unwrap();
        let made: Vec<_> = subs.iter().map(|s| InvoiceId::of_period(*s, start)).collect();
        assert!(made.is_sorted());
        assert_eq!(made[0], InvoiceId::of_period(subs[0], start));
        let other: Vec<_> = subs.iter().map(|s| InvoiceId::of_period(*s, start.plus_days(1))).collect();
        let all: std::collections::HashSet<_> = made.iter().chain(&other).collect();
        assert_eq!(all.len(), 10_000);
        assert_eq!(made[0].0.get_version_num(), 8);
    }

    #[test]
    fn new_ids_are_version_7_and_rise() {
        let mut ids = IdSource::new(DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_000), 1);
        let made: Vec<_> = (0..10_000).map(|_| ids.next_uuid()).collect();
        assert!(made.is_sorted());
        assert!(made.iter().all(|id| id.get_version_num() == 7));
    }
}
