//! Bank files, mutations and what was learnt of their payers.

use crate::bank::{Mutation, MutationRow, Telling};
use crate::ports::{ChangeSet, MutationQuery, StoreError, TellingQuery};

use super::state::{State, must_exist};

impl State {
    pub(super) fn write_bank(&mut self, changes: &mut ChangeSet) -> Result<(), StoreError> {
        for file in changes.bank_files.drain(..) {
            if self.bank_files.has(&file.id) {
                return Err(StoreError::Duplicate { what: "bank_file" });
            }
            self.bank_files.put(file.id, file);
        }
        for mutation in changes.mutations.drain(..) {
            must_exist(self.bank_files.has(&mutation.file_id), "bank file")?;
            if self.mutations.has(&mutation.id) {
                return Err(StoreError::Duplicate { what: "mutation" });
            }
            let (id, mutation) = (mutation.id, Mutation { account: folded(&mutation), ..mutation });
            self.mutations.put(id, MutationRow { mutation, mark: None, revision: 0 });
        }
        for telling in changes.tellings.drain(..) {
            must_exist(self.mutations.has(&telling.mutation_id), "mutation")?;
            let same = |t: &Telling| (t.mutation_id, &t.source) == (telling.mutation_id, &telling.source);
            if self.tellings.has(&telling.id) || self.tellings.values().any(same) {
                return Err(StoreError::Duplicate { what: "mutation_telling" });
            }
            self.tellings.put(telling.id, telling);
        }
        for (id, revision, mark) in changes.mutation_marks.drain(..) {
            let found = self.mutations.get(&id).cloned();
            let row = found.ok_or_else(|| StoreError::Rejected { reason: "no such mutation".into() })?;
            if let Some(payment) = mark.payment_id {
                self.must_have_payment(payment)?;
            }
            let of = |row: &MutationRow| row.mark.as_ref().and_then(|m| m.payment_id);
            let taken = mark.payment_id.is_some()
                && self.mutations.values().any(|other| other.mutation.id != id && of(other) == mark.payment_id);
            if taken || row.revision != revision {
                return Err(StoreError::Conflict);
            }
            self.mutations.put(id, MutationRow { mark: Some(mark), revision: revision + 1, ..row });
        }
        for id in changes.forgotten_aliases.drain(..) {
            self.payer_aliases.remove(&id);
        }
        for alias in changes.payer_aliases.drain(..) {
            must_exist(self.mutations.has(&alias.mutation_id), "mutation")?;
            must_exist(self.customers.has(&alias.customer_id), "customer")?;
            if self.payer_aliases.has(&alias.mutation_id) {
                return Err(StoreError::Duplicate { what: "payer_alias" });
            }
            self.payer_aliases.put(alias.mutation_id, alias);
        }
        Ok(())
    }
}

/// Accounts are kept in small letters, as they are compared.
fn folded(mutation: &Mutation) -> crate::text::Code {
    crate::text::Code::parse("account", &mutation.account.folded()).unwrap_or_else(|_| mutation.account.clone())
}

pub(super) fn mutation_matches(row: &MutationRow, query: &MutationQuery) -> bool {
    let mutation = &row.mutation;
    query.id.is_none_or(|id| id == mutation.id)
        && query.account.as_ref().is_none_or(|account| *account == mutation.account)
        && query.days.is_none_or(|(from, until)| from <= mutation.on && mutation.on <= until)
        && query.amount.is_none_or(|amount| amount == mutation.amount)
        && (!query.waiting || (mutation.amount.is_positive() && row.state().waits()))
        && query.payment.is_none_or(|payment| row.mark.as_ref().and_then(|m| m.payment_id) == Some(payment))
        && (!query.anew || mutation.may_correct.is_some())
        && (!query.out || mutation.amount < crate::money::Money::ZERO)
}

impl State {
    pub(super) fn tellings_of(&self, query: &TellingQuery) -> Vec<Telling> {
        let of = MutationQuery { account: query.account.clone(), days: query.days, ..MutationQuery::default() };
        let fits = |t: &&Telling| {
            query.id.is_none_or(|id| id == t.id)
                && self.mutations.get(&t.mutation_id).is_some_and(|row| mutation_matches(row, &of))
        };
        self.tellings.values().filter(fits).cloned().collect()
    }
}
