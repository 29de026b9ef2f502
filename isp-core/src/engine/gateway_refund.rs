//! Refunds through a payment gateway: the payment that came through it goes back through it.
//!
//! The refund is booked, and the row that the gateway is about to be asked is written, in one commit before the call. A process
//! that dies in between leaves a row that [`Engine::poll_gateways`] settles by asking; it never asks for the money again.

use chrono::{DateTime, Utc};

use crate::billing::CreditNote;
use crate::calendar::Zone;
use crate::ending::{Ending, EndingKind, RecordId};
use crate::engine::retry::until_written;
use crate::engine::{Engine, EngineError, PollReport};
use crate::ids::{CustomerId, PaymentId, RefundId};
use crate::money::Money;
use crate::payment::{Channel, GatewayRefund, GatewayRequest, GatewayState, Refund, RefundState};
use crate::ports::{
    Asked, ChangeSet, GatewayQuery, GatewayRefundQuery, PaymentGateway, PortError, RefundAnswer, RefundAsk, StoreError,
};
use crate::text::given as given_text;

/// What is to go back to a customer through the gateway that it came through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundWish {
    /// The id of a new refund.
    pub id: RefundId,
    /// The payment that goes back.
    pub payment: PaymentId,
    /// How much; `None` for all that is left of the payment.
    pub amount: Option<Money>,
    /// Who says so.
    pub by: String,
    /// In words; they stay here.
    pub note: String,
}

impl Engine<'_> {
    /// Asks a gateway to give a payment back to the customer, or a part, and books it as a refund out of what the gateway holds. What
    /// was booked and where it stands is returned.
    ///
    /// # Errors
    /// As [`Refund::through_gateway`]; [`StoreError::NotFound`] when this gateway was not paid with this payment;
    /// [`EngineError::Port`] when the gateway did not take it: then nothing stays booked but the two entries that cancel each other;
    /// or when nobody knows whether it did ([`PortError::Unknown`]): then [`Engine::poll_gateways`] settles it.
    pub async fn refund_at_gateway(
        &self,
        gateway: &dyn PaymentGateway,
        wish: &RefundWish,
        now: DateTime<Utc>,
    ) -> Result<(Refund, GatewayRefund), EngineError> {
        let request = self.request_of(wish.payment).await?.filter(|r| r.gateway == *gateway.name());
        let request = request.ok_or(StoreError::NotFound { what: "payment_request" })?;
        if let Some(known) = self.settle_unknown_refund(gateway, wish, now).await? {
            return Ok(known);
        }
        let row = GatewayRefund {
            id: wish.id,
            gateway: request.gateway.clone(),
            payment_id: wish.payment,
            reference: request.reference.clone(),
            state: RefundState::Attempting,
            provider_id: None,
            asked_at: now,
            poll_at: None,
            note: String::new(),
            revision: 0,
        };
        let row = GatewayRefund { poll_at: row.next_poll(now), ..row };
        let key = row.key();
        if !gateway.refunds() {
            // It says so in its own words, and nothing is written.
            gateway.refund(&asked(&row, &request, &key, Money::ZERO)).await?;
        }
        let refund = until_written(|| async {
            // Another process may have asked for one meanwhile.
            if let Some((unknown, _)) = self.unknown_refund(wish.payment).await? {
                return Err(still_unknown(&unknown).into());
            }
            let credit = self.store.credit(self.tenant, request.customer_id).await?;
            let left = credit.iter().filter(|of| of.payment_id == wish.payment).map(|of| of.left).sum();
            let refund = Refund {
                id: wish.id,
                customer_id: request.customer_id,
                amount: wish.amount.unwrap_or(left),
                paid_from: Channel::Gateway,
                on: Zone::Wib.date_of(now),
                by: wish.by.clone(),
                note: wish.note.clone(),
                parts: Vec::new(),
            };
            let notes = self.credit_notes_of(request.customer_id).await?;
            let notes: Vec<PaymentId> = notes.iter().map(CreditNote::payment_id).collect();
            let refund = refund.through_gateway(wish.payment, &credit, &notes)?;
            let changes = ChangeSet {
                journal: vec![refund.entry()],
                refunds: vec![refund.clone()],
                gateway_refunds: vec![row.clone()],
                ..ChangeSet::default()
            };
            self.store.commit(self.tenant, changes).await?;
            Ok(refund)
        })
        .await?;

        let ask = asked(&row, &request, &key, refund.amount);
        let answer = match gateway.refund(&ask).await {
            // The reply was lost: it is asked once, by our key, before anybody is told so.
            Err(lost @ PortError::Unknown { .. }) => match gateway.refund_status(&ask).await {
                Ok(Some(told)) => Ok(told),
                _ => Err(lost),
            },
            answer => answer,
        };
        let answer = match answer {
            Ok(told) if told.state == RefundState::Refused => {
                Err(PortError::Refused { code: "gateway.refused", reason: told.reason })
            }
            answer => answer,
        };
        let settled = match &answer {
            Ok(told) => self.refund_told(row.id, told, now).await?,
            Err(error) => {
                let unknown = matches!(error, PortError::Unknown { .. });
                let state = if unknown { RefundState::Unknown } else { RefundState::Refused };
                let told = RefundAnswer { state, provider_id: None, reason: error.to_string() };
                self.refund_told(row.id, &told, now).await?
            }
        };
        // A webhook may have told more meanwhile.
        match answer {
            Err(error) if !matches!(settled.state, RefundState::Pending | RefundState::Done) => Err(error.into()),
            _ => Ok((refund, settled)),
        }
    }

    /// Of a payment, a refund of which nobody knows whether the gateway took it is settled before another one is asked for. The same
    /// wish once more is that refund: it is returned when the gateway has it. `None` when a new one may be asked for.
    async fn settle_unknown_refund(
        &self,
        gateway: &dyn PaymentGateway,
        wish: &RefundWish,
        now: DateTime<Utc>,
    ) -> Result<Option<(Refund, GatewayRefund)>, EngineError> {
        let Some((row, refund)) = self.unknown_refund(wish.payment).await? else { return Ok(None) };
        let row = match self.poll_refund(gateway, &row, now).await {
            Err(EngineError::Port(_)) => row,
            told => told?,
        };
        match row.state {
            RefundState::Attempting | RefundState::Unknown => Err(still_unknown(&row).into()),
            RefundState::Refused => Ok(None),
            RefundState::Pending | RefundState::Done => {
                let same = wish.amount.is_none_or(|amount| amount == refund.amount);
                Ok(same.then_some((refund, row)))
            }
        }
    }

    /// The refund of a payment of which nobody knows whether the gateway took it.
    async fn unknown_refund(&self, payment: PaymentId) -> Result<Option<(GatewayRefund, Refund)>, EngineError> {
        let query = GatewayRefundQuery { payment: Some(payment), ..GatewayRefundQuery::default() };
        let rows = self.store.gateway_refunds(self.tenant, query).await?;
        let unknown = |row: &GatewayRefund| matches!(row.state, RefundState::Attempting | RefundState::Unknown);
        let Some(row) = rows.into_iter().find(unknown) else { return Ok(None) };
        let refunds = self.store.refunds(self.tenant, None).await?;
        Ok(refunds.into_iter().find(|of| of.refund.id == row.id).map(|of| (row, of.refund)))
    }

    /// Asks the gateways how the refunds stand whose time to ask has come. One that a gateway refused, or never got, is taken back.
    ///
    /// # Errors
    /// [`EngineError::Store`] when the store does not answer; what was done before stays.
    pub(crate) async fn poll_refunds(
        &self,
        gateways: &[&dyn PaymentGateway],
        now: DateTime<Utc>,
        report: &mut PollReport,
    ) -> Result<(), EngineError> {
        let due = GatewayRefundQuery { poll_due: Some(now), ..GatewayRefundQuery::default() };
        for row in self.store.gateway_refunds(self.tenant, due).await? {
            let asked = match gateways.iter().find(|g| *g.name() == row.gateway) {
                Some(gateway) => self.poll_refund(*gateway, &row, now).await,
                None => {
                    let reason = "this gateway is not in the settings".to_owned();
                    Err(PortError::NotSent { reason }.into())
                }
            };
            report.asked += 1;
            match asked {
                Ok(after) => report.ended += u64::from(after.state.is_over()),
                Err(EngineError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    let told = RefundAnswer { state: row.state, provider_id: None, reason: error.to_string() };
                    self.refund_told(row.id, &told, now).await?;
                    report.failed.push((row.reference, error));
                }
            }
        }
        Ok(())
    }

    async fn poll_refund(
        &self,
        gateway: &dyn PaymentGateway,
        row: &GatewayRefund,
        now: DateTime<Utc>,
    ) -> Result<GatewayRefund, EngineError> {
        let request = self.request_of(row.payment_id).await?;
        let request = request.ok_or(StoreError::NotFound { what: "payment_request" })?;
        let rows = self.store.refunds(self.tenant, Some(request.customer_id)).await?;
        let refund = rows.into_iter().find(|of| of.refund.id == row.id).map(|of| of.refund);
        let refund = refund.ok_or(StoreError::NotFound { what: "refund" })?;
        let key = row.key();
        let told = gateway.refund_status(&asked(row, &request, &key, refund.amount)).await?;
        let told = match told {
            Some(told) => told,
            None if row.never_came(now) => {
                let reason = "the gateway never got it".to_owned();
                RefundAnswer { state: RefundState::Refused, provider_id: None, reason }
            }
            None => RefundAnswer { state: row.state, provider_id: None, reason: row.note.clone() },
        };
        self.refund_told(row.id, &told, now).await
    }

    /// Writes what a gateway told of a refund. One that it refuses is taken back in the same commit.
    pub(crate) async fn refund_told(
        &self,
        id: RefundId,
        told: &RefundAnswer,
        now: DateTime<Utc>,
    ) -> Result<GatewayRefund, EngineError> {
        self.refund_ends(id, told, None, now).await
    }

    /// Writes what a person saw at the gateway of a refund that does not come to its end by itself, such as one of a gateway that is not
    /// in the settings any more: `given` when the customer got the money. If not, the refund is taken back: the customer has the
    /// credit again.
    ///
    /// # Errors
    /// [`crate::Error::Empty`] without a reason; [`StoreError::NotFound`] for a refund that no gateway was asked for; as
    /// [`GatewayRefund::said_by_person`].
    pub async fn settle_refund(
        &self,
        id: RefundId,
        given: bool,
        by: &str,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<GatewayRefund, EngineError> {
        given_text("reason", reason)?;
        let state = if given { RefundState::Done } else { RefundState::Refused };
        let told = RefundAnswer { state, provider_id: None, reason: reason.trim().to_owned() };
        self.refund_ends(id, &told, Some(by), now).await
    }

    /// `by` is the person who says it; `None` when the gateway does.
    async fn refund_ends(
        &self,
        id: RefundId,
        told: &RefundAnswer,
        by: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<GatewayRefund, EngineError> {
        until_written(|| async {
            let found = GatewayRefundQuery { id: Some(id), ..GatewayRefundQuery::default() };
            let before = self.store.gateway_refunds(self.tenant, found).await?.pop();
            let before = before.ok_or(StoreError::NotFound { what: "refund" })?;
            let mut row = before.clone();
            row.state = match by {
                None if before.state.is_over() => return Ok(before),
                None => before.state.after(told.state),
                Some(_) => before.said_by_person(told.state == RefundState::Done, now)?,
            };
            row.provider_id = told.provider_id.clone().or(row.provider_id);
            row.note = by.map_or_else(|| told.reason.clone(), |by| format!("{by}: {}", told.reason));
            row.poll_at = row.next_poll(now);
            let mut changes = ChangeSet { gateway_refunds: vec![row.clone()], ..ChangeSet::default() };
            if row.state == RefundState::Refused {
                let rows = self.store.refunds(self.tenant, None).await?;
                let refund = rows.into_iter().find(|of| of.refund.id == id).map(|of| of.refund);
                let refund = refund.ok_or(StoreError::NotFound { what: "refund" })?;
                let (by, reason) = (by.unwrap_or(row.gateway.as_str()).to_owned(), told.reason.clone());
                let ending = Ending { kind: EndingKind::TakenBack, at: now, by, reason };
                changes.endings.push((RecordId::Refund(id), ending));
                changes.journal.push(refund.reversal());
            }
            self.store.commit(self.tenant, changes).await.map_err(super::ended_meanwhile)?;
            row.revision += 1;
            Ok(row)
        })
        .await
    }

    /// The refunds that gateways were asked for and whose end is not certain, of a customer or of all, each with what is booked of it;
    /// those that were asked first first.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn open_refunds(
        &self,
        customer: Option<CustomerId>,
    ) -> Result<Vec<(GatewayRefund, Refund)>, EngineError> {
        let mut rows = self.store.gateway_refunds(self.tenant, GatewayRefundQuery::default()).await?;
        rows.retain(|row| !row.state.is_over());
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        rows.sort_by_key(|row| (row.asked_at, row.id));
        let refunds = self.store.refunds(self.tenant, customer).await?;
        let with = |row: GatewayRefund| {
            let booked = refunds.iter().find(|of| of.refund.id == row.id).map(|of| of.refund.clone());
            booked.map(|refund| (row, refund))
        };
        Ok(rows.into_iter().filter_map(with).collect())
    }

    /// The refunds that gateways were asked for of a payment, each with its amount.
    pub(crate) async fn refunds_asked_for(
        &self,
        payment: PaymentId,
        customer: CustomerId,
    ) -> Result<Vec<(GatewayRefund, Money)>, EngineError> {
        let of = GatewayRefundQuery { payment: Some(payment), ..GatewayRefundQuery::default() };
        let rows = self.store.gateway_refunds(self.tenant, of).await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let refunds = self.store.refunds(self.tenant, Some(customer)).await?;
        let amount = |row: &GatewayRefund| refunds.iter().find(|of| of.refund.id == row.id).map(|of| of.refund.amount);
        let with = |row: GatewayRefund| {
            let amount = amount(&row).ok_or(StoreError::NotFound { what: "refund" })?;
            Ok((row, amount))
        };
        rows.into_iter().map(with).collect()
    }

    /// The paid request that a payment came by.
    async fn request_of(&self, payment: PaymentId) -> Result<Option<GatewayRequest>, EngineError> {
        let query = GatewayQuery { payment: Some(payment), ..GatewayQuery::default() };
        Ok(self.gateway_requests(&query).await?.into_iter().find(|r| r.state == GatewayState::Paid))
    }
}

/// Nobody knows yet whether the gateway took this refund, so no other one is asked for.
fn still_unknown(row: &GatewayRefund) -> PortError {
    let reason = if row.note.is_empty() { "the gateway still works on it".to_owned() } else { row.note.clone() };
    PortError::Unknown { reason }
}

fn asked<'a>(row: &'a GatewayRefund, request: &'a GatewayRequest, key: &'a str, amount: Money) -> RefundAsk<'a> {
    let of = Asked {
        reference: &request.reference,
        provider_id: request.provider_id.as_deref(),
        channel: Some(request.channel),
    };
    RefundAsk { of, key, amount, provider_id: row.provider_id.as_deref() }
}
