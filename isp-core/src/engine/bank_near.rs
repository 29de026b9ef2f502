//! What others tell of about the same days as mutations that are to be matched: loaded once for all of an account and a day.

use std::collections::BTreeMap;

use crate::bank::{Mutation, MutationRow, MutationState, Telling, Whose, may_be_same, text_of, texts_of};
use crate::calendar::Date;
use crate::engine::{Engine, EngineError};
use crate::ids::{CustomerId, MutationId, TenantId};
use crate::money::Money;
use crate::payment::Transfer;
use crate::ports::{MutationQuery, TellingQuery};
use crate::text::Code;

/// From so many mutations of one account and day on, all of the days about it are loaded, and not those of each amount alone.
const MANY: usize = 8;

/// A mutation about the same day.
struct Other {
    mutation: Mutation,
    /// Whether it is a payment.
    matched: bool,
    /// Whose, where it is of the same day.
    payer: Option<CustomerId>,
}

/// What is told about a day of an account.
#[derive(Default)]
struct Day {
    tellings: Vec<Telling>,
    /// Mutations, by amount.
    others: BTreeMap<Money, Vec<Other>>,
}

/// What is told about the days of mutations.
#[derive(Default)]
pub(super) struct Near(BTreeMap<(Code, Date), Day>);

impl Near {
    /// What all who told of a mutation wrote about it.
    pub(super) fn text(&self, mutation: &Mutation) -> String {
        text_of(mutation, self.day(mutation).map_or(&[][..], |day| &day.tellings))
    }

    /// Whether the money of a mutation may be that of another one that is a payment, told by somebody else with another day or in
    /// other words. `books` says which will be one besides. One that names another customer is not.
    pub(super) fn is_booked(&self, mutation: &Mutation, whose: &Whose<'_>, books: impl Fn(MutationId) -> bool) -> bool {
        let Some(day) = self.day(mutation) else { return false };
        let others = day.others.get(&mutation.amount).into_iter().flatten();
        let mut booked = others.filter(|other| other.matched || books(other.mutation.id));
        let text = text_of(mutation, &day.tellings);
        booked.any(|Other { mutation: other, .. }| {
            may_be_same(mutation, other, &day.tellings) && !whose.differ(&text, &text_of(other, &day.tellings))
        })
    }

    /// Whether a customer would be booked more often for an amount of a day than any one source names that customer for it. A source
    /// tells of each movement once, so what is more was told before, beside another's text. `books` says whose a mutation will be.
    pub(super) fn is_too_often(
        &self,
        tenant: TenantId,
        mutation: &Mutation,
        customer: CustomerId,
        whose: &Whose<'_>,
        books: impl Fn(MutationId) -> Option<CustomerId>,
    ) -> bool {
        let Some(day) = self.day(mutation) else { return false };
        let others = day.others.get(&mutation.amount).into_iter().flatten();
        let of_day: Vec<&Other> = others.filter(|other| other.mutation.on == mutation.on).collect();
        let theirs = |other: &&&Other| {
            other.mutation.id != mutation.id && other.payer.or_else(|| books(other.mutation.id)) == Some(customer)
        };
        let booked = of_day.iter().filter(theirs).count();
        if booked == 0 {
            return false;
        }
        let mut named: BTreeMap<String, usize> = BTreeMap::new();
        for other in of_day {
            for (source, text) in texts_of(tenant, &other.mutation, &day.tellings) {
                *named.entry(source).or_default() += whose.naming(customer, std::iter::once(text));
            }
        }
        named.values().max().is_some_and(|most| *most > 0 && booked >= *most)
    }

    fn day(&self, mutation: &Mutation) -> Option<&Day> {
        self.0.get(&(mutation.account.clone(), mutation.on))
    }
}

impl Engine<'_> {
    /// Loads what is told about the days of mutations.
    pub(super) async fn near(&self, rows: &[MutationRow]) -> Result<Near, EngineError> {
        let mut amounts: BTreeMap<(Code, Date), Vec<Money>> = BTreeMap::new();
        for Mutation { account, on, amount, .. } in rows.iter().map(|row| &row.mutation) {
            amounts.entry((account.clone(), *on)).or_default().push(*amount);
        }
        let mut near = Near::default();
        for ((account, on), mut amounts) in amounts {
            let days = Some((on.plus_days(-Transfer::APART), on.plus_days(Transfer::APART)));
            let query = TellingQuery { account: Some(account.clone()), days, ..TellingQuery::default() };
            let mut day = Day { tellings: self.store.tellings(self.tenant, &query).await?, ..Day::default() };
            let many = amounts.len() >= MANY;
            amounts.sort();
            amounts.dedup();
            let asked = amounts.clone();
            let each = if many { vec![None] } else { amounts.into_iter().map(Some).collect() };
            for amount in each {
                let query = MutationQuery { account: Some(account.clone()), days, amount, ..MutationQuery::default() };
                for row in self.mutations(&query).await? {
                    let matched = row.state() == MutationState::Matched;
                    let of_day = row.mutation.on == on && asked.contains(&row.mutation.amount);
                    let payment = row.mark.as_ref().and_then(|mark| mark.payment_id).filter(|_| matched && of_day);
                    let payer = match payment {
                        Some(payment) => self.store.payment(self.tenant, payment).await?.map(|p| p.payment.customer_id),
                        None => None,
                    };
                    let other = Other { mutation: row.mutation, matched, payer };
                    day.others.entry(other.mutation.amount).or_default().push(other);
                }
            }
            near.0.insert((account, on), day);
        }
        Ok(near)
    }
}
