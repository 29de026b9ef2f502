//! A price of one's own, and a discount (rule B5): for what is not invoiced yet.

use crate::calendar::Date;
use crate::error::Error;
use crate::ids::LineIds;
use crate::money::Money;
use crate::subscription::{BillingTerms, Discount, HeldPrice, Off, SubscriptionStatus};

use super::change::Change;
use super::draft::Draft;
use super::facts::LineFacts;

/// The line holds a price per month, or takes the package's again. Nothing that was invoiced changes.
///
/// # Errors
/// [`Error::NotPositive`]; [`Error::DayPast`]; [`Error::DiscountAbovePrice`] when the line has a discount of more than it;
/// [`Error::NotServing`] for a line that has ended.
pub fn hold<I: LineIds>(facts: &LineFacts<'_, I>, held_price: Option<HeldPrice>) -> Result<Change<I>, Error> {
    if held_price.is_some_and(|held| !held.price.is_positive()) {
        return Err(Error::NotPositive { field: "price" });
    }
    lasts(facts, held_price.and_then(|held| held.until))?;
    next(facts, BillingTerms { held_price, ..facts.line.terms })
}

/// The line has a discount, or none any more. Nothing that was invoiced changes.
///
/// # Errors
/// [`Error::NotPositive`]; [`Error::DayPast`]; [`Error::DiscountAbovePrice`]; [`Error::NotServing`] for a line that has ended.
pub fn discount<I: LineIds>(facts: &LineFacts<'_, I>, discount: Option<Discount>) -> Result<Change<I>, Error> {
    let senseless = discount.is_some_and(|discount| match discount.off {
        Off::Amount(amount) => amount <= Money::ZERO,
        Off::Percent(percent) => !(1..=100).contains(&percent),
    });
    if senseless {
        return Err(Error::NotPositive { field: "discount" });
    }
    lasts(facts, discount.and_then(|discount| discount.until))?;
    next(facts, BillingTerms { discount, ..facts.line.terms })
}

/// Everything that has come due is invoiced at the old terms first.
fn next<I: LineIds>(facts: &LineFacts<'_, I>, terms: BillingTerms) -> Result<Change<I>, Error> {
    let (before, today) = (facts.line.terms, facts.today());
    if before.status_on(today) == SubscriptionStatus::Terminated {
        return Err(Error::NotServing);
    }
    let draft = Draft::settled(facts, before)?;
    let on: Date = today.max(before.start);
    let from = draft.paid_until(on).unwrap_or_else(|| before.period_of(on).start.max(before.first_day()));
    if let Some(Off::Amount(off)) = terms.discount_on(from) {
        let (prices, _) = facts.catalog.find(terms.package_on(from))?;
        let price = terms.held_price_on(from).or_else(|| prices.on(from));
        if let Some(price) = price.filter(|price| off > *price) {
            return Err(Error::DiscountAbovePrice { price });
        }
    }
    draft.finish(terms, from)
}

/// A last day that has passed would take away what the line has, in silence.
fn lasts<I: LineIds>(facts: &LineFacts<'_, I>, until: Option<Date>) -> Result<(), Error> {
    match until {
        Some(until) if until <= facts.today() => Err(Error::DayPast { on: until.plus_days(-1) }),
        _ => Ok(()),
    }
}
