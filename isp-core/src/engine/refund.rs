//! Credit that is paid out to a customer, and taken back.

use crate::ending::{Ending, EndingKind, RecordId};
use crate::engine::retry::until_written;
use crate::engine::{Engine, EngineError};
use crate::error::Error;
use crate::ids::{CustomerId, RefundId};
use crate::payment::{Refund, Told};
use crate::ports::{ChangeSet, GatewayRefundQuery, StoreError};

impl Engine<'_> {
    /// Books credit that is paid out to a customer; its parts are found here. What was booked is returned.
    ///
    /// # Errors
    /// As [`Refund::checked`]; [`crate::Error::CashShort`], on which a person can insist;
    /// [`StoreError::Duplicate`] for an id that is there already.
    pub async fn refund(&self, refund: Refund, told: Told) -> Result<Refund, EngineError> {
        until_written(|| async {
            let credit = self.store.credit(self.tenant, refund.customer_id).await?;
            let made = refund.clone().checked(&credit)?;
            let changes =
                ChangeSet { journal: vec![made.entry()], refunds: vec![made.clone()], ..ChangeSet::default() };
            self.commit_covered(changes, told).await?;
            Ok(made)
        })
        .await
    }

    /// Takes a refund back that was recorded by mistake: the customer has the credit again.
    ///
    /// # Errors
    /// [`crate::Error::AlreadyEnded`] when it was taken back before; [`Error::RefundAtGateway`] for one that a gateway was asked for; [`StoreError::NotFound`] when the customer has none with this id.
    pub async fn take_refund_back(
        &self,
        customer: CustomerId,
        id: RefundId,
        ending: Ending,
    ) -> Result<(), EngineError> {
        until_written(|| async {
            let rows = self.store.refunds(self.tenant, Some(customer)).await?;
            let row = rows.into_iter().find(|row| row.refund.id == id);
            let row = row.ok_or(StoreError::NotFound { what: "refund" })?;
            // What a gateway gives back is over when the gateway says so.
            let at_gateway = GatewayRefundQuery { id: Some(id), ..GatewayRefundQuery::default() };
            let asked = self.store.gateway_refunds(self.tenant, at_gateway).await?;
            if row.ending.is_none() && !asked.is_empty() {
                return Err(Error::RefundAtGateway.into());
            }
            let ending = Ending { kind: EndingKind::TakenBack, ..ending.clone() }.after(row.ending.as_ref())?;
            let changes = ChangeSet {
                endings: vec![(RecordId::Refund(id), ending)],
                journal: vec![row.refund.reversal()],
                ..ChangeSet::default()
            };
            self.store.commit(self.tenant, changes).await.map_err(super::ended_meanwhile)?;
            Ok(())
        })
        .await
    }
}
