//! What others tell of about the same days as mutations that are to be matched: loaded once for all of an account and a day.

use std::collections::{BTreeMap, BTreeSet};

use crate::bank::{Doubt, Mutation, MutationRow, MutationState, Telling, Whose, decided_as, is_too_often, text_of};
use crate::calendar::Date;
use crate::engine::{Engine, EngineError};
use crate::ids::{CustomerId, MutationId};
use crate::money::Money;
use crate::payment::Transfer;
use crate::ports::{MutationQuery, TellingQuery};
use crate::text::Code;

/// From so many mutations of one account and day on, all of the days about it are loaded, and not those of each amount alone.
const MANY: usize = 8;

/// A mutation about the same day.
struct Other {
    mutation: Mutation,
    /// What was said of it last.
    state: Option<MutationState>,
    /// Whose payment it is.
    payer: Option<CustomerId>,
}

/// What is told about a day of an account.
#[derive(Default)]
struct Day {
    tellings: Vec<Telling>,
    /// Mutations, by amount.
    others: BTreeMap<Money, Vec<Other>>,
    /// Those of this very day that may be another one once more, of any amount.
    anew: Vec<Other>,
}

/// Mutations that are, or would be, payments by the present walk.
#[derive(Default)]
pub(super) struct Books {
    of: BTreeMap<MutationId, CustomerId>,
    /// Everybody whose one was, at some time.
    payers: BTreeSet<CustomerId>,
}

impl Books {
    /// It is this customer's.
    pub(super) fn insert(&mut self, mutation: MutationId, customer: CustomerId) {
        self.of.insert(mutation, customer);
        self.payers.insert(customer);
    }

    /// It is nobody's after all.
    pub(super) fn remove(&mut self, mutation: MutationId) {
        self.of.remove(&mutation);
    }
}

/// What is told about the days of mutations.
#[derive(Default)]
pub(super) struct Near(BTreeMap<(Code, Date), Day>);

impl Near {
    /// What all who told of a mutation wrote about it.
    pub(super) fn text(&self, mutation: &Mutation) -> String {
        text_of(mutation, self.day(mutation).map_or(&[][..], |day| &day.tellings))
    }

    /// As [`decided_as`]; what is in `books` will be a payment.
    pub(super) fn decided(&self, mutation: &Mutation, whose: &Whose<'_>, books: &Books) -> Option<Doubt> {
        let day = self.day(mutation)?;
        let others = day.others.get(&mutation.amount).into_iter().flatten();
        let state = |other: &Other| match books.of.contains_key(&other.mutation.id) {
            true => Some(MutationState::Matched),
            false => other.state,
        };
        let decided = others.filter_map(|other| Some((&other.mutation, state(other)?)));
        decided_as(mutation, decided, &day.tellings, whose)
    }

    /// The mutation that may be the same row of a bank's file as this one, written anew, where a person has to tell: the one that this
    /// may correct, or one that may correct this and of which somebody said something, or whose amount is another one.
    pub(super) fn corrected(&self, mutation: &Mutation) -> Option<MutationId> {
        let asks = |other: &&Other| {
            other.mutation.may_correct == Some(mutation.id)
                && (other.state.is_some() || other.mutation.amount != mutation.amount)
        };
        let anew = || self.day(mutation).and_then(|day| day.anew.iter().find(asks));
        mutation.may_correct.or_else(|| anew().map(|other| other.mutation.id))
    }

    /// With what a file would bring that is not kept yet: its new mutations, and what else it would tell.
    pub(super) fn foresee(&mut self, new: &[Mutation], told: &[Telling]) {
        for ((account, on), day) in &mut self.0 {
            let near = |m: &&Mutation| m.account == *account && m.on.days_since(*on).abs() <= Transfer::APART;
            for mutation in new.iter().filter(near) {
                let other = Other { mutation: mutation.clone(), state: None, payer: None };
                day.others.entry(mutation.amount).or_default().push(other);
            }
            for mutation in new.iter().filter(near).filter(|m| m.on == *on && m.may_correct.is_some()) {
                day.anew.push(Other { mutation: mutation.clone(), state: None, payer: None });
            }
            let ids: BTreeSet<MutationId> = day.others.values().flatten().map(|other| other.mutation.id).collect();
            day.tellings.extend(told.iter().filter(|telling| ids.contains(&telling.mutation_id)).cloned());
        }
    }

    /// As [`is_too_often`]; `books` says whose a mutation will be besides.
    pub(super) fn is_too_often(
        &self,
        mutation: &Mutation,
        customer: CustomerId,
        whose: &Whose<'_>,
        books: &Books,
    ) -> bool {
        let Some(day) = self.day(mutation) else { return false };
        let others = day.others.get(&mutation.amount).into_iter().flatten();
        // Nearly nobody pays one amount twice in a few days, and the many others need no look at all texts.
        if !books.payers.contains(&customer) && !others.clone().any(|other| other.payer == Some(customer)) {
            return false;
        }
        let near: Vec<(&Mutation, Option<CustomerId>)> = others
            .map(|other| (&other.mutation, other.payer.or_else(|| books.of.get(&other.mutation.id).copied())))
            .collect();
        is_too_often(mutation.id, customer, &near, &day.tellings, whose)
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
        let (mut near, mut payers) = (Near::default(), BTreeMap::new());
        for ((account, on), mut amounts) in amounts {
            let days = Some((on.plus_days(-Transfer::APART), on.plus_days(Transfer::APART)));
            let query = TellingQuery { account: Some(account.clone()), days, ..TellingQuery::default() };
            let mut day = Day { tellings: self.store.tellings(self.tenant, &query).await?, ..Day::default() };
            let many = amounts.len() >= MANY;
            amounts.sort();
            amounts.dedup();
            let wanted: BTreeSet<Money> = amounts.iter().copied().collect();
            let each = if many { vec![None] } else { amounts.into_iter().map(Some).collect() };
            for amount in each {
                let query = MutationQuery { account: Some(account.clone()), days, amount, ..MutationQuery::default() };
                let rows = self.mutations(&query).await?;
                self.settle(rows.iter().filter(|row| wanted.contains(&row.mutation.amount)), &mut payers).await?;
                for MutationRow { mutation, mark, .. } in rows {
                    let payer = payers.get(&mutation.id).copied().flatten();
                    let state = mark.map(|mark| mark.state);
                    day.others.entry(mutation.amount).or_default().push(Other { mutation, state, payer });
                }
            }
            let query = MutationQuery {
                account: Some(account.clone()),
                days: Some((on, on)),
                anew: true,
                ..MutationQuery::default()
            };
            let other = |row: MutationRow| {
                let state = row.mark.map(|mark| mark.state);
                Other { mutation: row.mutation, state, payer: None }
            };
            day.anew = self.mutations(&query).await?.into_iter().map(other).collect();
            near.0.insert((account, on), day);
        }
        Ok(near)
    }
}
