//! Payments that may be another customer's: whoever told of them later names somebody else more surely, or a person has said since whose
//! the words are.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::bank::{Clue, MutationRow, Telling, Whose, named_instead, payees, text_of, told_by};
use crate::calendar::{Date, Zone};
use crate::engine::{Engine, EngineError};
use crate::ids::{CustomerId, MutationId};
use crate::ports::{MutationQuery, TellingQuery};

/// Two months, in days.
const LATELY: i32 = 62;

/// A payment that may be another customer's.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NamedInstead {
    /// The mutation that was booked.
    pub mutation: MutationId,
    /// For whom.
    pub booked: CustomerId,
    /// Whom those who told of it name by ID or phone number, or whose words they write as a person has said since.
    pub named: BTreeSet<CustomerId>,
}

impl NamedInstead {
    /// The days of the last two months: who tells of a movement of money tells of it by then.
    #[must_use]
    pub fn lately(now: DateTime<Utc>) -> (Date, Date) {
        let today = Zone::Wib.date_of(now);
        (today.plus_days(-LATELY), today.plus_days(1))
    }
}

impl Engine<'_> {
    /// The payments of these days, both included, for which [`named_instead`] names somebody, oldest first. A person answers:
    /// [`Engine::unmatch_mutation`] takes the payment back, and [`Engine::match_mutation`] with the customer whom it was booked for
    /// says that it is right.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn named_instead(&self, days: (Date, Date)) -> Result<Vec<NamedInstead>, EngineError> {
        let days = Some(days);
        let tellings = self.store.tellings(self.tenant, &TellingQuery { days, ..TellingQuery::default() }).await?;
        let mut told: BTreeMap<MutationId, Vec<Telling>> = BTreeMap::new();
        for telling in tellings {
            told.entry(telling.mutation_id).or_default().push(telling);
        }
        let of_row = |row: &MutationRow| told.get(&row.mutation.id).map_or(&[][..], Vec::as_slice);
        let mut rows = self.mutations(&MutationQuery { days, ..MutationQuery::default() }).await?;
        // What one alone told of was booked by all that was known of it; what words say may be learnt anew.
        let learnt = |row: &MutationRow| row.mark.as_ref().and_then(|mark| mark.clue).is_some_and(Clue::may_be_learnt);
        rows.retain(|row| learnt(row) || told_by(&row.mutation, of_row(row)).len() > 1);
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let (payers, aliases) = self.payers().await?;
        let of = |text: &str| payees(text, &payers, &aliases);
        let whose = Whose::by(&of);
        rows.retain(|row| learnt(row) || !whose.by_id(&text_of(&row.mutation, of_row(row))).is_empty());
        rows.sort_by_key(|row| (row.mutation.on, row.mutation.id));
        let mut settled = BTreeMap::new();
        self.settle(rows.iter(), &mut settled).await?;
        let mut found = Vec::new();
        for row in &rows {
            let Some(booked) = settled.get(&row.mutation.id).copied().flatten() else { continue };
            let named = named_instead(row, booked, of_row(row), &whose);
            if !named.is_empty() {
                found.push(NamedInstead { mutation: row.mutation.id, booked, named });
            }
        }
        Ok(found)
    }
}
