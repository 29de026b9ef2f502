//! Expenses: booked, booked back, corrected. An expense that was booked wrongly stays, with the entry that books it back.

use crate::ending::{Ending, EndingKind, RecordId};
use crate::engine::{Engine, EngineError};
use crate::error::Error;
use crate::ids::ExpenseId;
use crate::ledger::Expense;
use crate::ports::{ChangeSet, StoreError};

impl Engine<'_> {
    /// Books an expense.
    ///
    /// # Errors
    /// [`Error::NotPositive`]; [`StoreError::Duplicate`] for an id that is there already.
    pub async fn expense(&self, expense: Expense) -> Result<(), EngineError> {
        let expense = expense.checked()?;
        let journal = vec![expense.entry()];
        self.store.commit(self.tenant, ChangeSet { expenses: vec![expense], journal, ..ChangeSet::default() }).await?;
        Ok(())
    }

    /// Books an expense back, and in its place another one, if there is one; both in one commit, so that it is never
    /// booked twice.
    ///
    /// # Errors
    /// [`Error::AlreadyEnded`] when it was booked back before; [`StoreError::NotFound`]; as [`Engine::expense`].
    pub async fn correct_expense(
        &self,
        id: ExpenseId,
        instead: Option<Expense>,
        ending: Ending,
    ) -> Result<(), EngineError> {
        let rows = self.store.expenses(self.tenant).await?;
        let row = rows.into_iter().find(|row| row.expense.id == id).ok_or(StoreError::NotFound { what: "expense" })?;
        if row.ending.is_some() {
            return Err(Error::AlreadyEnded.into());
        }
        let instead = instead.map(Expense::checked).transpose()?;
        let journal =
            [Some(row.expense.reversal()), instead.as_ref().map(Expense::entry)].into_iter().flatten().collect();
        let ending = Ending { kind: EndingKind::TakenBack, ..ending };
        let changes = ChangeSet {
            expenses: instead.into_iter().collect(),
            endings: vec![(RecordId::Expense(id), ending)],
            journal,
            ..ChangeSet::default()
        };
        self.store.commit(self.tenant, changes).await.map_err(super::ended_meanwhile)?;
        Ok(())
    }
}
