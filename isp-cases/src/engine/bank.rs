//! Files of banks on the engine.

use chrono::{DateTime, Utc};
use isp_core::bank::{BankFile, Compared, MutationRow, account_code};
use isp_core::engine::{EngineError, Matched};
use isp_core::ids::CustomerId;
use isp_core::ports::{MutationQuery, StoreError};

use super::EngineHost;
use crate::case::{Action, BankWord};

impl EngineHost<'_> {
    pub(super) async fn bank(&self, action: &Action, at: DateTime<Utc>) -> Result<(), EngineError> {
        let engine = self.engine();
        match action {
            Action::BankFile { account, text } => {
                let (file, account) = (BankFile::read(text)?, account_code(account)?);
                let report = engine.import_bank_file(&file, &account, text, "Rina", at).await?;
                engine.match_mutations(&report.compared.order, "Rina", at).await?;
            }
            Action::BankSays { say: BankWord::Matched, words, customer, .. } => {
                let found = self.mutation_named(words, true).await?.mutation.id;
                let customer = CustomerId(self.id("customer", customer));
                engine.match_mutation(found, customer, "Rina", at).await?;
            }
            Action::BankSays { say: BankWord::Ignored, words, reason, .. } => {
                let found = self.mutation_named(words, true).await?.mutation.id;
                engine.ignore_mutations(&[found], "Rina", reason, at).await?;
            }
            Action::BankSays { say: BankWord::TakenBack, words, reason, .. } => {
                let found = self.mutation_named(words, false).await?.mutation.id;
                engine.unmatch_mutation(found, "Rina", reason, at).await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Why money of the bank waits for a person, in the order of the words for it.
    pub(super) async fn waits(&self, at: DateTime<Utc>) -> Result<Vec<String>, EngineError> {
        let looked = self.engine().foresee_mutations(&Compared::default(), at).await?;
        let why = |matched: &Matched| match matched {
            Matched::Asks(doubt) => Some(doubt.code().to_owned()),
            _ => None,
        };
        let mut all: Vec<String> = looked.iter().filter_map(|one| why(&one.matched)).collect();
        all.sort();
        Ok(all)
    }

    /// The mutation whose text holds these words: of those that wait, or of the others.
    async fn mutation_named(&self, words: &str, waits: bool) -> Result<MutationRow, EngineError> {
        let mut rows = self.engine().mutations(&MutationQuery::default()).await?;
        rows.retain(|row| row.state().waits() == waits && row.mutation.text.contains(words));
        rows.sort_by_key(|row| (row.mutation.on, row.mutation.id));
        Ok(rows.pop().ok_or(StoreError::NotFound { what: "mutation" })?)
    }
}
