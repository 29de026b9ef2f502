//! What others tell of about the same days as mutations that are to be matched: loaded once for all of an account and a day.

use std::collections::{BTreeMap, BTreeSet};

use crate::bank::{Mutation, MutationRow, MutationState, Telling, Whose, is_too_often, may_be_same, text_of};
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
    /// Whether it is a payment.
    matched: bool,
    /// Whether somebody said anything of it.
    marked: bool,
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

    /// The mutation that may be the same row of a bank's file as this one, written anew, where a person has to tell: the one that this
    /// may correct, or one that may correct this and of which somebody said something.
    pub(super) fn corrected(&self, mutation: &Mutation) -> Option<MutationId> {
        let others = || self.day(mutation).and_then(|day| day.others.get(&mutation.amount)).into_iter().flatten();
        let anew = || others().find(|other| other.marked && other.mutation.may_correct == Some(mutation.id));
        mutation.may_correct.or_else(|| anew().map(|other| other.mutation.id))
    }

    /// With what a file would bring that is not kept yet: its new mutations, and what else it would tell.
    pub(super) fn foresee(&mut self, new: &[Mutation], told: &[Telling]) {
        for ((account, on), day) in &mut self.0 {
            let near = |m: &&Mutation| m.account == *account && m.on.days_since(*on).abs() <= Transfer::APART;
            for mutation in new.iter().filter(near) {
                let other = Other { mutation: mutation.clone(), matched: false, marked: false, payer: None };
                day.others.entry(mutation.amount).or_default().push(other);
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
        books: impl Fn(MutationId) -> Option<CustomerId>,
    ) -> bool {
        let Some(day) = self.day(mutation) else { return false };
        let others = day.others.get(&mutation.amount).into_iter().flatten();
        let of_day = others.filter(|other| other.mutation.on == mutation.on);
        let of_day: Vec<(&Mutation, Option<CustomerId>)> =
            of_day.map(|other| (&other.mutation, other.payer.or_else(|| books(other.mutation.id)))).collect();
        is_too_often(mutation.id, customer, &of_day, &day.tellings, whose)
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
            let wanted: BTreeSet<(Date, Money)> = amounts.iter().map(|amount| (on, *amount)).collect();
            let each = if many { vec![None] } else { amounts.into_iter().map(Some).collect() };
            for amount in each {
                let query = MutationQuery { account: Some(account.clone()), days, amount, ..MutationQuery::default() };
                let rows = self.mutations(&query).await?;
                let payers = self.settled(&rows, &wanted).await?;
                for MutationRow { mutation, mark, .. } in rows {
                    let marked = mark.is_some();
                    let matched = mark.is_some_and(|mark| mark.state == MutationState::Matched);
                    let payer = payers.get(&mutation.id).copied().flatten();
                    day.others.entry(mutation.amount).or_default().push(Other { mutation, matched, marked, payer });
                }
            }
            near.0.insert((account, on), day);
        }
        Ok(near)
    }
}
