//! A pause (*cuti*, rule B7).

use crate::billing::CreditReason;
use crate::calendar::Date;
use crate::error::Error;
use crate::ids::LineIds;
use crate::subscription::{BillingTerms, Timing};

use super::change::Change;
use super::draft::{Draft, not_ahead};
use super::facts::LineFacts;

/// A pause from today or a day of the past on. Periods that begin in it are given back whole, if they were billed; the unused
/// days of the one that holds its first day by policy. Who pays afterwards pays the days up to it.
///
/// # Errors
/// [`Error::NotServing`], [`Error::DayAhead`].
pub fn pause<I: LineIds>(facts: &LineFacts<'_, I>, from: Date) -> Result<Change<I>, Error> {
    not_ahead(facts, from)?;
    let terms = facts.line.terms;
    let paused = terms.pause(from)?;
    let postpaid = terms.timing == Timing::Postpaid;
    let until = terms.end.map_or(from, |end| end.min(from));
    let due_under = if postpaid { BillingTerms { end: Some(until), ..terms } } else { paused };
    let mut draft = Draft::settled(facts, due_under)?;
    draft.give_back_from(from, CreditReason::Pause, facts.policy.credit_on_pause);
    // A postpaid period that the pause cuts is billed: no run may bill it again at its end.
    let charged_until = if postpaid && from > terms.start { Some(from) } else { paused.charged_until };
    draft.finish(BillingTerms { charged_until, ..paused }, from)
}
