//! The end of a line: ahead, today, or said afterwards (rules B7, B12); an end ahead that is taken back.

use crate::billing::CreditReason;
use crate::calendar::Date;
use crate::error::Error;
use crate::ids::LineIds;
use crate::subscription::{BillingTerms, Timing};

use super::change::Change;
use super::draft::Draft;
use super::facts::LineFacts;

/// The end of a line; `end` is the day after its last day of service, ahead or in the past.
///
/// What has come due up to there and was not billed is billed. Periods that begin on that day or later are given back whole:
/// they were never served. The unused days of the period that holds it are given back by policy; who pays afterwards pays none.
/// So what is owed is the same whichever runs were made before the end was said.
///
/// An end that lies ahead may be said anew, for an earlier day, and for a later one while no day next to the old end was charged.
///
/// # Errors
/// [`Error::NotServing`] for a line that has ended, or was charged up to its end already, [`Error::EmptyPeriod`] for one before its first day.
pub fn end<I: LineIds>(facts: &LineFacts<'_, I>, end: Date) -> Result<Change<I>, Error> {
    let mut terms = facts.line.terms;
    if let Some(old) = terms.end.filter(|old| *old > facts.today()) {
        let charged = facts.charges.iter().any(|c| c.invoice.period.end >= old && c.invoice.period.start < old);
        if end < old || !charged {
            terms.end = None;
        }
    }
    let served_from = facts.charges.iter().map(|c| c.invoice.period.start).chain([terms.start]).min();
    let ended = terms.terminate(end, served_from.unwrap_or(terms.start))?;
    let credit = facts.policy.credit_on_termination;
    // Said in time, a run had billed the period that holds the end whole.
    let whole = terms.timing == Timing::Prepaid && !credit && end <= facts.today() && end > terms.start;
    let until = if whole { terms.period_of(end.plus_days(-1)).end } else { end };
    let mut draft = Draft::settled(facts, BillingTerms { end: Some(until), ..terms })?;
    draft.give_back_from(end, CreditReason::Termination, credit);
    draft.finish(ended, end)
}

/// An end that lies ahead is taken back: the line goes on as if it had never been said.
///
/// # Errors
/// [`Error::NotServing`] for a line without an end ahead, [`Error::EndSettled`] when days were billed only up to that end, or given
/// back for it.
pub fn stay<I: LineIds>(facts: &LineFacts<'_, I>) -> Result<Change<I>, Error> {
    let terms = facts.line.terms;
    let old = terms.end.filter(|old| *old > facts.today()).ok_or(Error::NotServing)?;
    let staying = BillingTerms { end: None, ..terms };
    let settled = facts.charges.iter().filter(|c| c.invoice.period.end >= old).any(|c| {
        let cut = c.invoice.period.start < old && c.invoice.period.end != staying.period_of(c.invoice.period.start).end;
        cut || c.notes.iter().any(|note| note.reason == CreditReason::Termination)
    });
    if settled {
        return Err(Error::EndSettled { on: old });
    }
    Draft::settled(facts, staying)?.finish(staying, facts.today())
}
