//! Mutations that moota or a phone tells one by one: each kept once, whoever else tells of it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::bank::{ImportedFile, Recognised, Teller, Telling, ToldRow, Whose, payees, recognise};
use crate::calendar::Date;
use crate::engine::retry::until_written;
use crate::engine::{Engine, EngineError};
use crate::ids::TellingId;
use crate::money::Money;
use crate::payment::Transfer;
use crate::ports::{ChangeSet, Expectation, MutationQuery, StoreError, TellingQuery};
use crate::text::Code;

impl Engine<'_> {
    /// Keeps what was told, all in one commit. It books nothing: [`Engine::match_mutations`] does.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn keep_told(
        &self,
        teller: &Teller,
        rows: &[ToldRow],
        now: DateTime<Utc>,
    ) -> Result<Recognised, EngineError> {
        let mut accounts: BTreeMap<&Code, (Date, Date)> = BTreeMap::new();
        for row in rows {
            let days = accounts.entry(&row.account).or_insert((row.on, row.on));
            *days = (days.0.min(row.on), days.1.max(row.on));
        }
        until_written(|| async {
            let (mut kept, mut tellings, mut changes) = (Vec::new(), Vec::new(), ChangeSet::default());
            let wanted: BTreeSet<(Date, Money)> = rows.iter().map(|row| (row.on, row.amount())).collect();
            let mut settled = BTreeMap::new();
            for (account, days) in &accounts {
                // Others may tell of the same money with a day about it.
                let (account, (from, until)) = ((*account).clone(), *days);
                let days = Some((from.plus_days(-Transfer::APART), until.plus_days(Transfer::APART)));
                let of = TellingQuery { account: Some(account.clone()), days, ..TellingQuery::default() };
                tellings.extend(self.store.tellings(self.tenant, &of).await?);
                let of = MutationQuery { account: Some(account.clone()), days, ..MutationQuery::default() };
                let found = self.mutations(&of).await?;
                // A bank's file, or somebody else, may tell of the same money meanwhile.
                changes.expected.extend(days.map(|days| Expectation::Mutations(account, days, found.len() as u64)));
                let of_rows = found.iter().filter(|row| wanted.contains(&(row.mutation.on, row.mutation.amount)));
                self.settle(of_rows, &mut settled).await?;
                kept.extend(found.into_iter().map(|row| row.mutation));
            }
            let loaded: BTreeSet<TellingId> = tellings.iter().map(|t: &Telling| t.id).collect();
            for row in rows {
                let id = Telling::id_of(self.tenant, &teller.name.folded(), &row.id);
                if loaded.contains(&id) {
                    continue;
                }
                // It may have been told before with another day or account.
                for telling in
                    self.store.tellings(self.tenant, &TellingQuery { id: Some(id), ..Default::default() }).await?
                {
                    kept.push(self.mutation(telling.mutation_id).await?.mutation);
                    tellings.push(telling);
                }
            }
            let (payers, aliases) = if kept.is_empty() { Default::default() } else { self.payers().await? };
            let of = |text: &str| payees(text, &payers, &aliases);
            let found = recognise(self.tenant, teller, rows, &kept, &tellings, &Whose::by(&of).settled(settled));
            if found.tellings.is_empty() {
                return Ok(found);
            }
            for mutation in &found.new {
                let (id, on) = (mutation.file_id, mutation.on);
                let there = changes.bank_files.iter().any(|file: &ImportedFile| file.id == id);
                if !there && self.store.bank_file(self.tenant, id).await?.is_none() {
                    changes.bank_files.push(ImportedFile {
                        id,
                        format: teller.format,
                        account: mutation.account.clone(),
                        from: on,
                        until: on,
                        at: now,
                        by: teller.name.to_string(),
                    });
                }
            }
            changes.mutations.clone_from(&found.new);
            changes.tellings.clone_from(&found.tellings);
            match self.store.commit(self.tenant, changes).await {
                Ok(_) => Ok(found),
                // Somebody else keeps the same rows: look again.
                Err(StoreError::Duplicate { what: "mutation" | "bank_file" | "mutation_telling" }) => {
                    Err(StoreError::Conflict.into())
                }
                Err(other) => Err(other.into()),
            }
        })
        .await
    }
}
