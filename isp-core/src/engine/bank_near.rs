//! What others tell of about the same days as mutations that are to be matched: loaded once for all of an account and a day.

use std::collections::BTreeMap;

use crate::bank::{Mutation, MutationRow, MutationState, Telling, Whose, may_be_same, text_of};
use crate::calendar::Date;
use crate::engine::{Engine, EngineError};
use crate::ids::MutationId;
use crate::money::Money;
use crate::payment::Transfer;
use crate::ports::{MutationQuery, TellingQuery};
use crate::text::Code;

/// From so many mutations of one account and day on, all of the days about it are loaded, and not those of each amount alone.
const MANY: usize = 8;

/// What is told about a day of an account.
#[derive(Default)]
struct Day {
    tellings: Vec<Telling>,
    /// Mutations, by amount, each with whether it is a payment.
    others: BTreeMap<Money, Vec<(Mutation, bool)>>,
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
        let mut booked = others.filter(|(other, matched)| *matched || books(other.id));
        let text = text_of(mutation, &day.tellings);
        booked.any(|(other, _)| {
            may_be_same(mutation, other, &day.tellings) && !whose.differ(&text, &text_of(other, &day.tellings))
        })
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
            let each = if many { vec![None] } else { amounts.into_iter().map(Some).collect() };
            for amount in each {
                let query = MutationQuery { account: Some(account.clone()), days, amount, ..MutationQuery::default() };
                for row in self.mutations(&query).await? {
                    let matched = row.state() == MutationState::Matched;
                    day.others.entry(row.mutation.amount).or_default().push((row.mutation, matched));
                }
            }
            near.0.insert((account, on), day);
        }
        Ok(near)
    }
}
