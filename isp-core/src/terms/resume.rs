//! The end of a pause (rule B7).

use crate::billing::{Charge, InvoiceKind};
use crate::calendar::{Date, Period};
use crate::error::Error;
use crate::ids::LineIds;
use crate::subscription::BillingTerms;

use super::change::Change;
use super::draft::{Draft, not_ahead};
use super::facts::LineFacts;

/// The end of a pause, today or on a day of the past. Days that are paid for are not billed again. Where whole periods had been
/// billed ahead and were given back, one invoice today is for all days up to the first period that was not.
///
/// # Errors
/// [`Error::NotServing`], [`Error::DayAhead`]; [`Error::GivenBackToday`] when the day was given back and is that of the pause, or the
/// first of a period that was billed.
pub fn resume<I: LineIds>(facts: &LineFacts<'_, I>, from: Date) -> Result<Change<I>, Error> {
    not_ahead(facts, from)?;
    let terms = facts.line.terms;
    // Refuse before anything is worked out.
    terms.resume(from)?;
    let mut draft = Draft::settled(facts, terms)?;
    let paid = draft.paid_until(from);
    let period = |c: &&Charge<I>| c.invoice.kind == InvoiceKind::Subscription;
    let given_back = |c: &&Charge<I>| c.invoice.period.contains(from) && c.is_unserved(from);
    let refused = draft
        .charges
        .iter()
        .filter(period)
        .filter(given_back)
        // There is one invoice for a day on which a period starts (rule B3), and it was given back.
        .any(|c| terms.paused_from == Some(from) || c.invoice.period.start == from);
    if paid.is_none() && refused {
        return Err(Error::GivenBackToday);
    }
    let (resumed, first) = match paid {
        Some(until) => (terms.resume_paid(from, until)?, until),
        None => (terms.resume(from)?, from),
    };
    let ahead = |c: &&Charge<I>| c.invoice.period.start >= first && c.is_unserved(c.invoice.period.start);
    let ahead = draft.charges.iter().filter(period).filter(ahead).map(|c| c.invoice.period.end).max();
    let Some(ahead) = ahead else { return draft.finish(resumed, from) };
    // Their first days have an invoice (rule B3), so no period may start there again.
    let last = resumed.period_of(ahead);
    let until = if last.start == ahead { ahead } else { last.end };
    let served = Period::try_new(first, resumed.end.map_or(until, |end| until.min(end)))?;
    // A planned package has its own price.
    let planned = resumed.change.map(|c| c.from).filter(|from| served.contains(*from) && *from > first);
    let cuts: Vec<Date> = [Some(first), planned, Some(served.end)].into_iter().flatten().collect();
    for cut in cuts.windows(2) {
        draft.write_part(resumed, resumed.period_of(cut[0]), Period::try_new(cut[0], cut[1])?)?;
    }
    let settled = Some(until);
    draft.finish(BillingTerms { billed_from: settled, charged_until: settled, ..resumed }, from)
}
