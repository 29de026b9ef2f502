//! Another billing day (rule C4).

use crate::calendar::{BillingDay, Date};
use crate::error::Error;
use crate::ids::LineIds;
use crate::subscription::{BillingTerms, SubscriptionStatus, Timing};

use super::change::Change;
use super::draft::{Draft, not_ahead};
use super::facts::LineFacts;

/// Another billing day: what was charged stays, and the days from its end to the next new billing day are a short period, which
/// is issued when its turn comes. A postpaid period that runs and is not billed yet ends today, and its days are billed.
/// [`Change::from`] is the first day of the first whole period.
///
/// # Errors
/// [`Error::NotServing`], [`Error::DayAhead`].
pub fn change<I: LineIds>(facts: &LineFacts<'_, I>, day: BillingDay, from: Date) -> Result<Change<I>, Error> {
    not_ahead(facts, from)?;
    let terms = facts.line.terms;
    // Refuse before anything is worked out.
    terms.change_day(day, from, None)?;
    let mut draft = Draft::settled(facts, terms)?;
    let on = from.max(terms.start);
    let active = terms.status_on(from) == SubscriptionStatus::Active;
    let paid = draft.paid_until(on).or_else(|| match terms.timing {
        // Days that nobody charged are to be billed from a day on, or belong to a period that was left out.
        Timing::Prepaid if active => {
            let runs_until = terms.period_of(on).end;
            Some(terms.billed_from.map_or(runs_until, |billed| billed.max(runs_until)))
        }
        _ => None,
    });
    let changed = terms.change_day(day, from, paid)?;
    if active && paid.is_none() && changed.start > terms.start {
        draft.settle(BillingTerms { end: Some(from), ..terms })?;
    }
    let first = changed.grid_from(changed.first_day());
    draft.finish(changed, first)
}
