//! Cash, and PPh 23 that customers kept back, that is spent although the books have none of it.

use crate::engine::{Engine, EngineError};
use crate::error::Error;
use crate::ledger::{Account, cover};
use crate::payment::Told;
use crate::ports::{ChangeSet, Expectation};

impl Engine<'_> {
    /// Commits what may take cash or PPh 23, see [`Engine::ask_for_cover`].
    pub(super) async fn commit_covered(&self, mut changes: ChangeSet, told: Told) -> Result<(), EngineError> {
        self.ask_for_cover(&mut changes, told).await?;
        self.store.commit(self.tenant, changes).await?;
        Ok(())
    }

    /// Asks a person about cash or PPh 23 that the entries of a change set take and that is not there, and lets the commit look
    /// once more: another one may take it meanwhile.
    pub(super) async fn ask_for_cover(&self, changes: &mut ChangeSet, told: Told) -> Result<(), EngineError> {
        if told != Told::ByPerson {
            return Ok(());
        }
        for account in [Account::Cash, Account::Pph23Prepaid] {
            let Some(from) = cover::taken_from(account, &changes.journal) else { continue };
            let days = self.store.account_days(self.tenant, account, from).await?;
            if let Some(cover::Short { on, holds }) = cover::short(account, &days, &changes.journal) {
                let cash = account == Account::Cash;
                return Err(if cash { Error::CashShort { holds, on } } else { Error::Pph23Short { holds, on } }.into());
            }
            changes.expected.push(Expectation::Covered(account));
        }
        Ok(())
    }
}
