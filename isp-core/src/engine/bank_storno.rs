//! Transfers that a bank has taken back, and whose payments stand.

use std::collections::BTreeMap;

use crate::bank::{MutationRow, TAKEN_BACK_WITHIN, Telling, Whose, payees, says_storno, taken_back, text_of};
use crate::calendar::Date;
use crate::engine::{Engine, EngineError};
use crate::ids::{CustomerId, MutationId};
use crate::money::Money;
use crate::ports::{MutationQuery, TellingQuery};

/// Money out by which a bank takes a transfer back, as its text says, and of which nobody has said anything.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TakenBack {
    /// The money out.
    pub mutation: MutationId,
    /// Its day.
    pub on: Date,
    /// How much was taken back.
    pub amount: Money,
    /// The transfers that it may take back, each with the customer whose payment it is; `None` where it waits.
    pub of: Vec<(MutationId, Option<CustomerId>)>,
}

impl Engine<'_> {
    /// The transfers that banks took back on these days, both included ([`taken_back`]), oldest first. A person answers:
    /// [`Engine::unmatch_mutation`] takes the payment back, and [`Engine::ignore_mutations`] of the money out says that it is about none.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn taken_back(&self, days: (Date, Date)) -> Result<Vec<TakenBack>, EngineError> {
        let mut outs =
            self.mutations(&MutationQuery { days: Some(days), out: true, ..MutationQuery::default() }).await?;
        if outs.is_empty() {
            return Ok(Vec::new());
        }
        let days = (days.0.plus_days(-TAKEN_BACK_WITHIN), days.1);
        let query = TellingQuery { days: Some(days), ..TellingQuery::default() };
        let mut told: BTreeMap<MutationId, Vec<Telling>> = BTreeMap::new();
        for telling in self.store.tellings(self.tenant, &query).await? {
            told.entry(telling.mutation_id).or_default().push(telling);
        }
        let text =
            |row: &MutationRow| text_of(&row.mutation, told.get(&row.mutation.id).map_or(&[][..], Vec::as_slice));
        outs.retain(|row| says_storno(&text(row)));
        let mut ins: BTreeMap<MutationId, MutationRow> = BTreeMap::new();
        for out in &outs {
            let query = MutationQuery {
                account: Some(out.mutation.account.clone()),
                days: Some((out.mutation.on.plus_days(-TAKEN_BACK_WITHIN), out.mutation.on)),
                amount: Some(Money::ZERO - out.mutation.amount),
                ..MutationQuery::default()
            };
            ins.extend(self.mutations(&query).await?.into_iter().map(|row| (row.mutation.id, row)));
        }
        if ins.is_empty() {
            return Ok(Vec::new());
        }
        let (payers, aliases) = self.payers().await?;
        let named = |text: &str| payees(text, &payers, &aliases);
        let texts: BTreeMap<MutationId, String> =
            outs.iter().chain(ins.values()).map(|row| (row.mutation.id, text(row))).collect();
        let with = |row| with_text(row, &texts);
        let (of_out, of_in): (Vec<_>, Vec<_>) = (outs.iter().map(with).collect(), ins.values().map(with).collect());
        let mut settled = BTreeMap::new();
        self.settle(ins.values(), &mut settled).await?;
        let found = taken_back(&of_out, &of_in, &Whose::by(&named));
        let of = |(mutation, of): (MutationId, Vec<MutationId>)| {
            let out = outs.iter().find(|row| row.mutation.id == mutation)?;
            let of = of.into_iter().map(|id| (id, settled.get(&id).copied().flatten())).collect();
            Some(TakenBack { mutation, on: out.mutation.on, amount: Money::ZERO - out.mutation.amount, of })
        };
        Ok(found.into_iter().filter_map(of).collect())
    }
}

fn with_text<'a>(row: &'a MutationRow, texts: &'a BTreeMap<MutationId, String>) -> (&'a MutationRow, &'a str) {
    (row, texts.get(&row.mutation.id).map_or("", String::as_str))
}
