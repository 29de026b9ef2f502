//! A price of one's own, and a discount (rule B5): for what is not invoiced yet.

use crate::calendar::Date;
use crate::error::Error;
use crate::money::Money;
use crate::subscription::{BillingTerms, Discount, HeldPrice, Off, SubscriptionStatus};

use super::change::Change;
use super::draft::Draft;
use super::facts::LineFacts;

/// The line holds a price per month, or takes the package's again. Nothing that was invoiced changes.
///
/// # Errors
/// [`Error::NotPositive`]; [`Error::NotServing`] for a line that has ended.
pub fn hold(facts: &LineFacts<'_>, held_price: Option<HeldPrice>) -> Result<Change, Error> {
    if held_price.is_some_and(|held| !held.price.is_positive()) {
        return Err(Error::NotPositive { field: "price" });
    }
    next(facts, BillingTerms { held_price, ..facts.line.terms })
}

/// The line has a discount, or none any more. Nothing that was invoiced changes.
///
/// # Errors
/// [`Error::NotPositive`]; [`Error::NotServing`] for a line that has ended.
pub fn discount(facts: &LineFacts<'_>, discount: Option<Discount>) -> Result<Change, Error> {
    let senseless = discount.is_some_and(|discount| match discount.off {
        Off::Amount(amount) => amount <= Money::ZERO,
        Off::Percent(percent) => !(1..=100).contains(&percent),
    });
    if senseless {
        return Err(Error::NotPositive { field: "discount" });
    }
    next(facts, BillingTerms { discount, ..facts.line.terms })
}

/// Everything that has come due is invoiced at the old terms first.
fn next(facts: &LineFacts<'_>, terms: BillingTerms) -> Result<Change, Error> {
    let (before, today) = (facts.line.terms, facts.today());
    if before.status_on(today) == SubscriptionStatus::Terminated {
        return Err(Error::NotServing);
    }
    let draft = Draft::settled(facts, before)?;
    let on: Date = today.max(before.start);
    let from = draft.paid_until(on).unwrap_or_else(|| before.period_of(on).start.max(before.first_day()));
    draft.finish(terms, from)
}
