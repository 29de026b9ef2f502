//! Expenses: booked, booked back, corrected. An expense that was booked wrongly stays, with the entry that books it back.

use crate::ending::{Ending, EndingKind, RecordId};
use crate::engine::{Engine, EngineError};
use crate::error::Error;
use crate::ids::ExpenseId;
use crate::ledger::Expense;
use crate::money::{Money, plausible_amount};
use crate::payment::{Channel, Told};
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
        self.ask_about(&expense, Money::ZERO, told).await?;
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
        told: Told,
    ) -> Result<(), EngineError> {
        let rows = self.store.expenses(self.tenant).await?;
        let row = rows.into_iter().find(|row| row.expense.id == id).ok_or(StoreError::NotFound { what: "expense" })?;
        if row.ending.is_some() {
            return Err(Error::AlreadyEnded.into());
        }
        let instead = instead.map(Expense::checked).transpose()?;
        if let Some(instead) = &instead {
            let same = row.expense.paid_from == instead.paid_from;
            self.ask_about(instead, if same { row.expense.amount } else { Money::ZERO }, told).await?;
        }
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

    /// Asks about an amount that looks like a slip, and about cash or PPh 23 that is not there; `back` comes back to it with the same booking.
    async fn ask_about(&self, expense: &Expense, back: Money, told: Told) -> Result<(), EngineError> {
        if told == Told::ByPersonWhoInsists {
            return Ok(());
        }
        plausible_amount("amount", expense.amount)?;
        match expense.paid_from {
            Channel::Cash => self.ask_for_cash(expense.amount, back, told).await,
            Channel::Pph23 => self.ask_for_pph23(expense.amount, back, told).await,
            _ => Ok(()),
        }
    }
}
