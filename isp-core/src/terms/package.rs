//! Another package (rule B6).

use crate::billing::{ChangeAtOnce, change_at_once};
use crate::calendar::Date;
use crate::error::Error;
use crate::ids::{LineIds, PackageId};
use crate::subscription::{BillingTerms, SubscriptionStatus, Timing};

use super::change::Change;
use super::draft::{Draft, not_ahead};
use super::facts::LineFacts;

/// Another package from the next period on: from the first day that was not charged for the present one.
///
/// # Errors
/// [`Error::NotServing`], [`Error::UnknownPackage`]; [`Error::ChangePlanned`] when a change was planned before, whose days are
/// invoiced already.
pub fn next_period<I: LineIds>(facts: &LineFacts<'_, I>, package: PackageId) -> Result<Change<I>, Error> {
    let terms = facts.line.terms;
    facts.catalog.find(package)?;
    let today = facts.today();
    if terms.status_on(today) == SubscriptionStatus::Terminated {
        return Err(Error::NotServing);
    }
    let draft = Draft::settled(facts, terms)?;
    let on = today.max(terms.start);
    let from = draft.paid_until(on).unwrap_or_else(|| terms.period_of(on).end);
    if let Some(planned) = terms.change.filter(|c| c.package_id != package && today < c.from && c.from < from) {
        return Err(Error::ChangePlanned { from: planned.from });
    }
    draft.finish(terms.change_next_period(package, today, from)?, from)
}

/// Another package from today or a day of the past on: the unused days of what was billed are given back, the same days of the
/// new package charged. Where they come to more, they are one adjustment invoice for each period, else a credit note. A
/// postpaid period that runs and is not billed yet ends there, and its days are billed.
///
/// # Errors
/// [`Error::ChangedToday`] for a second time on one day; [`Error::ChangedLater`] when the line was changed from a later day on;
/// [`Error::NotServing`] also in a pause, whose end may be said for an earlier day; [`Error::UnknownPackage`],
/// [`Error::DayAhead`], [`Error::NoPrice`].
pub fn at_once<I: LineIds>(facts: &LineFacts<'_, I>, package: PackageId, from: Date) -> Result<Change<I>, Error> {
    not_ahead(facts, from)?;
    facts.catalog.find(package)?;
    let terms = facts.line.terms;
    if terms.status_on(from) == SubscriptionStatus::Paused {
        return Err(Error::NotServing);
    }
    let mut draft = Draft::settled(facts, terms)?;
    // An adjustment is of one price a day: one that crossed an earlier one would spread two prices evenly.
    if let Some(on) = draft.changed_after(from) {
        return Err(Error::ChangedLater { on });
    }
    let runs = terms.timing == Timing::Postpaid && terms.status_on(from) == SubscriptionStatus::Active;
    let cut = runs && from > terms.first_day() && draft.paid_until(from).is_none();
    let changed = terms.change_now(package, from, cut)?;
    let adjustments = change_at_once(&ChangeAtOnce {
        row: &facts.line,
        charges: &draft.charges,
        package,
        catalog: facts.catalog,
        from,
        policy: facts.policy,
        tax: facts.tax,
        written: facts.written(),
    })?;
    for adjustment in adjustments {
        if let Some(invoice) = adjustment.invoice {
            draft.write(invoice).map_err(|_| Error::ChangedToday)?;
        }
        draft.change.credit_notes.extend(adjustment.notes);
        draft.change.entries.extend(adjustment.entry);
    }
    if cut {
        draft.settle(BillingTerms { end: Some(from), ..terms })?;
    }
    draft.finish(changed, from)
}
