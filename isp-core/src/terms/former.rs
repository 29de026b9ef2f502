//! Terms as they were: what a line had before each change, so that the past can be told as it was.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::calendar::Date;
use crate::ids::SubscriptionId;
use crate::subscription::BillingTerms;

/// The terms that a line had until they were changed. It never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerTerms {
    /// Of which line.
    pub subscription_id: SubscriptionId,
    /// The moment at which they were replaced.
    pub until: DateTime<Utc>,
    /// What the line was billed by until then.
    pub terms: BillingTerms,
}

/// The terms as they were known at a moment: `now` are those of today, `former` those before, in the order in which they
/// were replaced. The marks of the billing run, which are no terms, are those of that time, too.
///
/// ```
/// use isp_core::{calendar::{BillingDay, Cycle, Date}, ids::{PackageId, SubscriptionId}, subscription::BillingTerms};
/// use isp_core::terms::former::{FormerTerms, terms_at};
/// let (id, start) = (uuid::Uuid::nil(), Date::parse("2026-01-01").unwrap());
/// let old = BillingTerms::new(PackageId(id), start, BillingDay::of(start), Cycle::Monthly);
/// let new = BillingTerms { day: BillingDay::try_new(20).unwrap(), ..old };
/// let until = "2026-03-05T05:00:00Z".parse().unwrap();
/// let former = [FormerTerms { subscription_id: SubscriptionId(id), until, terms: old }];
/// assert_eq!(terms_at(&new, &former, "2026-03-04T05:00:00Z".parse().unwrap()), old);
/// assert_eq!(terms_at(&new, &former, until), new);
/// ```
#[must_use]
pub fn terms_at(now: &BillingTerms, former: &[FormerTerms], at: DateTime<Utc>) -> BillingTerms {
    former.iter().find(|f| f.until > at).map_or(*now, |f| f.terms)
}

/// The first day of service of all: a pause or a change at once begins the periods anew, and is no start.
#[must_use]
pub fn first_start(now: &BillingTerms, former: &[FormerTerms]) -> Date {
    former.iter().map(|f| f.terms.start).fold(now.start, Date::min)
}
