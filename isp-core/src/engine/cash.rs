//! Cash that is spent although the books have none of it.

use crate::calendar::Date;
use crate::engine::{Engine, EngineError};
use crate::error::Error;
use crate::ledger::Account;
use crate::money::Money;
use crate::payment::Told;

impl Engine<'_> {
    /// The cash in the office by the books.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn cash(&self) -> Result<Money, EngineError> {
        self.holds(Account::Cash).await
    }

    /// What an account holds by the books.
    async fn holds(&self, account: Account) -> Result<Money, EngineError> {
        let totals = self.store.journal_totals(self.tenant, Date::MIN, Date::MAX).await?;
        Ok(totals.iter().filter(|t| t.account == account).map(|t| t.amount).sum())
    }

    /// Asks a person about more PPh 23 than customers kept back; `back` comes back to it in the same booking.
    pub(super) async fn ask_for_pph23(&self, used: Money, back: Money, told: Told) -> Result<(), EngineError> {
        if told == Told::ByPerson {
            let holds = self.holds(Account::Pph23Prepaid).await? + back;
            if used > holds {
                return Err(Error::Pph23Short { holds }.into());
            }
        }
        Ok(())
    }

    /// Asks a person about cash that is not there; `back` comes back to it in the same booking. What brings cash, or takes
    /// none, is never asked about, whatever the books say of it.
    pub(super) async fn ask_for_cash(&self, spent: Money, back: Money, told: Told) -> Result<(), EngineError> {
        if told == Told::ByPerson && spent > back {
            let holds = self.cash().await?;
            if spent - back > holds {
                return Err(Error::CashShort { holds: holds + back }.into());
            }
        }
        Ok(())
    }
}
