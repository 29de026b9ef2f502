//! Links by which a customer sees a page of his own: what is owed, and how to pay it.

use chrono::{DateTime, TimeDelta, Utc};

use crate::ids::{CustomerId, PageLinkId};

/// A link to a customer's page. The address holds a random token and no person; only the hash of the token is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageLink {
    /// The row.
    pub id: PageLinkId,
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// Whose page.
    pub customer_id: CustomerId,
    /// When it was made.
    pub made_at: DateTime<Utc>,
}

impl PageLink {
    /// Days for which a link still opens its page once everything is paid.
    pub const DAYS: i64 = 7;

    /// True while it opens its page: as long as something is owed, and some days after the last payment.
    ///
    /// ```
    /// use chrono::{DateTime, TimeDelta};
    /// use isp_core::{ids::*, payment::PageLink};
    /// let nobody = uuid::Uuid::nil();
    /// let made_at = DateTime::UNIX_EPOCH;
    /// let link = PageLink { id: PageLinkId(nobody), hash: [0; 32], customer_id: CustomerId(nobody), made_at };
    /// let day = |n| made_at + TimeDelta::days(n);
    /// assert!(link.holds(true, None, day(300)), "who owes can see it for as long");
    /// assert!(link.holds(false, Some(day(30)), day(37)));
    /// assert!(!link.holds(false, Some(day(30)), day(38)));
    /// ```
    #[must_use]
    pub fn holds(&self, owes: bool, last_paid: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
        let last = last_paid.map_or(self.made_at, |paid| paid.max(self.made_at));
        owes || now - last <= TimeDelta::days(Self::DAYS)
    }
}
