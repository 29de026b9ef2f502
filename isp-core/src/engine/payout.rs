//! Payouts of gateways: booked, booked back, corrected.

use crate::ending::{Ending, EndingKind, RecordId};
use crate::engine::retry::until_written;
use crate::engine::{Engine, EngineError};
use crate::error::Error;
use crate::ids::PayoutId;
use crate::payment::purse::free_on;
use crate::payment::{Payout, Purse};
use crate::ports::{ChangeSet, Expectation, StoreError};

impl Engine<'_> {
    /// Books what a gateway paid out to the bank.
    ///
    /// # Errors
    /// [`Error::NotPositive`] as [`Payout::checked`]; [`Error::GatewayHoldsLess`] when the gateway does not hold that
    /// much, or did not on the day;
    /// [`StoreError::Duplicate`] for an id that is there already.
    pub async fn pay_out(&self, payout: Payout) -> Result<(), EngineError> {
        let payout = payout.checked()?;
        until_written(|| async {
            let changes = ChangeSet {
                expected: self.held_at(&payout, None).await?,
                journal: payout.entries(),
                payouts: vec![payout.clone()],
                ..ChangeSet::default()
            };
            self.store.commit(self.tenant, changes).await?;
            Ok(())
        })
        .await
    }

    /// Books a payout back that was recorded wrongly, and in its place another one, if there is one; both in one commit, so that the
    /// money is never counted twice. Each is booked on its own day.
    ///
    /// # Errors
    /// [`Error::AlreadyEnded`] when it was booked back before; [`StoreError::NotFound`]; as [`Engine::pay_out`].
    pub async fn correct_payout(
        &self,
        id: PayoutId,
        instead: Option<Payout>,
        ending: Ending,
    ) -> Result<(), EngineError> {
        let instead = instead.map(Payout::checked).transpose()?;
        until_written(|| async {
            let rows = self.store.payouts(self.tenant).await?;
            let row =
                rows.into_iter().find(|row| row.payout.id == id).ok_or(StoreError::NotFound { what: "payout" })?;
            let ending = Ending { kind: EndingKind::TakenBack, ..ending.clone() }.after(row.ending.as_ref())?;
            let mut changes = ChangeSet {
                endings: vec![(RecordId::Payout(id), ending)],
                journal: row.payout.reversals(),
                ..ChangeSet::default()
            };
            if let Some(instead) = &instead {
                changes.expected = self.held_at(instead, Some(&row.payout)).await?;
                changes.journal.extend(instead.entries());
                changes.payouts.push(instead.clone());
            }
            self.store.commit(self.tenant, changes).await.map_err(super::ended_meanwhile)?;
            Ok(())
        })
        .await
    }

    /// What a payout rests on: that its gateway holds it, and did so on its day.
    async fn held_at(&self, payout: &Payout, instead_of: Option<&Payout>) -> Result<Vec<Expectation>, EngineError> {
        let least = payout.needs(instead_of);
        if least.is_none() && instead_of.is_none_or(|before| before.on <= payout.on) {
            return Ok(Vec::new());
        }
        let mut days = self.store.purse_days(self.tenant, &Purse::Gateway(payout.gateway.clone())).await?;
        let given_back = instead_of.filter(|before| before.gateway == payout.gateway);
        days.extend(given_back.map(|before| (before.on, before.taken())));
        let (on, holds) = (payout.on, free_on(payout.on, &days));
        if payout.taken() > holds {
            return Err(Error::GatewayHoldsLess { holds, on }.into());
        }
        let least = least.map(|least| Expectation::GatewayHolds(payout.gateway.clone(), least));
        Ok(least.into_iter().collect())
    }
}
