//! Expenses: booked, booked back, corrected. An expense that was booked wrongly stays, with the entry that books it back.

use crate::ending::{Ending, EndingKind, RecordId};
use crate::engine::retry::until_written;
use crate::engine::{Engine, EngineError};
use crate::error::Error;
use crate::ids::ExpenseId;
use crate::ledger::Expense;
use crate::money::plausible_amount;
use crate::payment::Told;
use crate::ports::{ChangeSet, StoreError};

impl Engine<'_> {
    /// Books an expense.
    ///
    /// # Errors
    /// [`Error::NotPositive`]; [`Error::Implausible`], [`Error::CashShort`] and [`Error::Pph23Short`], on which a person can
    /// insist;
    /// [`StoreError::Duplicate`] for an id that is there already.
    pub async fn expense(&self, expense: Expense, told: Told) -> Result<(), EngineError> {
        let expense = expense.checked()?;
        ask_about(&expense, told)?;
        until_written(|| async {
            let (expenses, journal) = (vec![expense.clone()], vec![expense.entry()]);
            self.commit_covered(ChangeSet { expenses, journal, ..ChangeSet::default() }, told).await
        })
        .await
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
        told: Told,
    ) -> Result<(), EngineError> {
        let instead = instead.map(Expense::checked).transpose()?;
        instead.as_ref().map_or(Ok(()), |instead| ask_about(instead, told))?;
        until_written(|| async {
            let rows = self.store.expenses(self.tenant).await?;
            let row =
                rows.into_iter().find(|row| row.expense.id == id).ok_or(StoreError::NotFound { what: "expense" })?;
            if row.ending.is_some() {
                return Err(Error::AlreadyEnded.into());
            }
            let entries = [Some(row.expense.reversal()), instead.as_ref().map(Expense::entry)];
            let ending = Ending { kind: EndingKind::TakenBack, ..ending.clone() };
            let mut changes = ChangeSet {
                expenses: instead.clone().into_iter().collect(),
                endings: vec![(RecordId::Expense(id), ending)],
                journal: entries.into_iter().flatten().collect(),
                ..ChangeSet::default()
            };
            self.ask_for_cover(&mut changes, told).await?;
            self.store.commit(self.tenant, changes).await.map_err(super::ended_meanwhile)?;
            Ok(())
        })
        .await
    }
}

/// Asks about an amount that looks like a slip.
fn ask_about(expense: &Expense, told: Told) -> Result<(), Error> {
    if told == Told::ByPersonWhoInsists { Ok(()) } else { plausible_amount("amount", expense.amount) }
}
