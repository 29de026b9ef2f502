//! How long is kept what holds personal data and is no part of the books (UU 27/2022, articles 16 (2) g and 42: no longer than it is
//! needed for).
//!
//! Books and what they rest on are kept for ten years (UU KUP, article 28 (11)), so invoices, payments, the journal, what banks told
//! and the log of changes are never removed here.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::protection::Proof;

/// Days that something is kept: the table `[retention]` of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Webhooks that do not wait to be read any more, from when they came.
    pub webhooks_days: u16,
    /// Files of proofs of transfer, from when a person reviewed them. That there was a proof, its amount and its digest stay.
    pub proof_files_days: u16,
}

impl Default for Retention {
    fn default() -> Self {
        Self { webhooks_days: 30, proof_files_days: 365 }
    }
}

/// A kind of data with the days that it is kept, and the fewest days that may be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kept {
    /// A stable word for it: the key of the settings without `_days`.
    pub what: &'static str,
    /// Days that it is kept.
    pub days: u16,
    /// The fewest that may be set.
    pub least: u16,
}

/// The most days that may be set: ten years, as for books.
pub const MOST_DAYS: u16 = 3_653;

impl Retention {
    /// All kinds with their days.
    ///
    /// ```
    /// use isp_core::retention::Retention;
    /// let kept = Retention::default().kept();
    /// assert!(kept.iter().all(|kind| kind.least <= kind.days));
    /// ```
    #[must_use]
    pub const fn kept(&self) -> [Kept; 2] {
        [
            // Payment gateways send again for a week; an older one that comes again would be read as new.
            Kept { what: "webhooks", days: self.webhooks_days, least: 7 },
            // Who says that a transfer was booked to somebody else says so within some weeks.
            Kept { what: "proof_files", days: self.proof_files_days, least: 30 },
        ]
    }

    /// Checks that each kind is kept for long enough, and no longer than books are.
    ///
    /// # Errors
    /// [`Error::Policy`] with the key and what is wrong with it.
    pub fn checked(self) -> Result<Self, Error> {
        let within = |days: u16, least: u16| (least..=MOST_DAYS).contains(&days);
        let [webhooks, proofs] = self.kept();
        if !within(webhooks.days, webhooks.least) {
            return Err(Error::Policy { field: "webhooks_days", reason: "is not 7 to 3653" });
        }
        if !within(proofs.days, proofs.least) {
            return Err(Error::Policy { field: "proof_files_days", reason: "is not 30 to 3653" });
        }
        Ok(self)
    }

    /// Webhooks that came before this moment, and do not wait, may go.
    #[must_use]
    pub fn webhooks_before(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        before(now, self.webhooks_days)
    }

    /// Files of proofs that were reviewed before this moment may go.
    #[must_use]
    pub fn proof_files_before(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        before(now, self.proof_files_days)
    }

    /// Whether the file of a proof may go: somebody reviewed the proof, and that was long enough ago. One that waits is never removed.
    #[must_use]
    pub fn lets_file_go(&self, proof: &Proof, now: DateTime<Utc>) -> bool {
        proof.review.as_ref().is_some_and(|review| review.at < self.proof_files_before(now))
    }
}

/// So many days before a moment. In the beginning of all time nothing is old.
fn before(now: DateTime<Utc>, days: u16) -> DateTime<Utc> {
    now.checked_sub_signed(TimeDelta::days(days.into())).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_and_too_many_days_are_refused_by_their_key() {
        let with = |webhooks_days, proof_files_days| Retention { webhooks_days, proof_files_days }.checked();
        for days in [(7, 30), (30, 365), (3_653, 3_653)] {
            assert!(with(days.0, days.1).is_ok(), "{days:?}");
        }
        for (days, key) in [((6, 30), "webhooks_days"), ((3_654, 30), "webhooks_days"), ((7, 29), "proof_files_days")] {
            let error = with(days.0, days.1).unwrap_err();
            assert!(matches!(&error, Error::Policy { field, .. } if *field == key), "{days:?}: {error:?}");
        }
    }

    #[test]
    fn what_is_kept_to_the_last_moment_goes_after_it() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let kept = Retention { webhooks_days: 7, proof_files_days: 30 };
        assert_eq!(now - kept.webhooks_before(now), TimeDelta::days(7));
        assert_eq!(now - kept.proof_files_before(now), TimeDelta::days(30));
        assert_eq!(kept.webhooks_before(DateTime::<Utc>::MIN_UTC), DateTime::<Utc>::MIN_UTC);
    }
}
