//! Which ids the caller of a decision knows. A decision hands the ids of a row on to what it makes and reads few of them, so it
//! works for a caller who knows no others: the engine knows all ([`Known`]), a function of Python only what it was given.

use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::ids::{CustomerId, PackageId, SiteId, SubscriptionId};

/// What stands in a row for an id.
pub trait Id: Copy + Debug + Eq + Serialize + DeserializeOwned {}

impl<T: Copy + Debug + Eq + Serialize + DeserializeOwned> Id for T {}

/// Which ids of billable rows, invoices and credit notes are known.
pub trait Ids: Copy + Debug + Default + Eq {
    /// Whose.
    type Customer: Id;
    /// Where it is served.
    type Site: Id + Into<Option<SiteId>>;
    /// For which subscription.
    type Subscription: Id;
    /// Which package.
    type Package: Id;
}

/// Subscription and package are known: what planning and changes of terms read.
pub trait LineIds: Ids<Subscription = SubscriptionId, Package = PackageId> {}

impl<I: Ids<Subscription = SubscriptionId, Package = PackageId>> LineIds for I {}

/// All are known: rows of a store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Known;

impl Ids for Known {
    type Customer = CustomerId;
    type Site = SiteId;
    type Subscription = SubscriptionId;
    type Package = PackageId;
}

/// Only line and package are known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OfLine;

impl Ids for OfLine {
    type Customer = Unknown;
    type Site = Unknown;
    type Subscription = SubscriptionId;
    type Package = PackageId;
}

/// None is known: what is given back of an invoice is worked out without them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OfNobody;

impl Ids for OfNobody {
    type Customer = Unknown;
    type Site = Unknown;
    type Subscription = Unknown;
    type Package = Unknown;
}

/// An id that nobody asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unknown;

impl From<Unknown> for Option<SiteId> {
    fn from(_: Unknown) -> Self {
        None
    }
}
