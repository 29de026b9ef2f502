//! Payment gateways: asking one to collect, asking how that stands where nothing was said, and cancelling.
//!
//! This and [`super::deliver`] are the journeys that call the outside. What is about to be asked is written down before, so a
//! process that dies in between leaves a row that [`Engine::poll_gateways`] settles.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::billing::invoice::display_number;
use crate::engine::notice::Taken;
use crate::engine::pages::all_pages;
use crate::engine::retry::until_written;
use crate::engine::{Engine, EngineError};
use crate::error::Error;
use crate::ids::{CustomerId, InvoiceId, PaymentRequestId};
use crate::money::Money;
use crate::payment::{GatewayRequest, GatewayState, Instructions, NoticeState, PayChannel};
use crate::ports::{
    Asked, CancelOutcome, ChangeSet, Created, GatewayAsk, GatewayQuery, PaymentGateway, PortError, StoreError,
};
use crate::text::{Code, Reference};

/// What a gateway is to be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatewayWish {
    /// The id of a new row.
    pub id: PaymentRequestId,
    /// Who is to pay.
    pub customer: CustomerId,
    /// For one invoice; `None` for all that is owed.
    pub invoice: Option<InvoiceId>,
    /// How it is paid.
    pub channel: PayChannel,
}

/// What asking the gateways came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PollReport {
    /// Requests and refunds that were asked about.
    pub asked: u64,
    /// Money of which only the question told.
    pub booked: u64,
    /// Requests that expired or were cancelled, and refunds that are done or refused.
    pub ended: u64,
    /// Requests and refunds that could not be asked about, by the reference of the request, with the error.
    pub failed: Vec<(Reference, EngineError)>,
}

/// A gateway that gives no answer so often one after the other is left alone until the next time: each call may take as long as
/// its deadline.
const PATIENCE: u32 = 3;

impl Engine<'_> {
    /// Asks a gateway to collect what a customer owes, or what is owed of an invoice, and gives what it is paid with.
    ///
    /// One document has one request at a gateway and a channel. Asking again for the same debt gives the same; when the debt has
    /// changed or its time is over, the one of before is cancelled first. The second value is true when it was known.
    ///
    /// # Errors
    /// [`Error::NothingOwed`]; [`EngineError::Port`] when the gateway did not do it, or nobody knows whether it did: then the
    /// same call settles it later.
    pub async fn request_at_gateway(
        &self,
        gateway: &dyn PaymentGateway,
        wish: GatewayWish,
        now: DateTime<Utc>,
    ) -> Result<(GatewayRequest, bool), EngineError> {
        // Once for a request of before, once for the new one; more only when others pay or ask meanwhile.
        for _ in 0..3 {
            let mut open = self.store.open_invoices(self.tenant, wish.customer).await?;
            open.retain(|i| wish.invoice.is_none_or(|wanted| wanted == i.invoice_id));
            let debt: Money = open.iter().map(|i| i.residual()).sum();
            let Some(first) = open.first().filter(|_| debt.is_positive()) else {
                return Err(Error::NothingOwed.into());
            };
            let query = GatewayQuery { customer: Some(wish.customer), live: true, ..GatewayQuery::default() };
            let same = |r: &GatewayRequest| {
                r.gateway == *gateway.name() && r.channel == wish.channel && r.invoice_id == wish.invoice
            };
            match self.gateway_requests(&query).await?.into_iter().find(same) {
                Some(row) if row.state == GatewayState::Open && row.amount == debt && now < row.expires_at => {
                    return Ok((row, true));
                }
                Some(row) if row.state == GatewayState::Open => self.withdraw(gateway, row, now).await?,
                Some(row) => {
                    let reference = row.reference.clone();
                    self.poll_one(gateway, row, now).await?;
                    let settled = self.gateway_request(gateway.name(), &reference).await?;
                    if settled.is_some_and(|r| matches!(r.state, GatewayState::Attempting | GatewayState::Unknown)) {
                        let reason = "an earlier call has no answer yet".to_owned();
                        return Err(PortError::Unknown { reason }.into());
                    }
                }
                None => {
                    let number = display_number(first.number, first.issue_date);
                    let expires_at = now + chrono::TimeDelta::hours(self.policy.request.valid_hours.into());
                    let row = GatewayRequest {
                        id: wish.id,
                        customer_id: wish.customer,
                        invoice_id: wish.invoice,
                        gateway: gateway.name().clone(),
                        channel: wish.channel,
                        reference: GatewayRequest::reference_of(&number, wish.id)?,
                        amount: debt,
                        made_at: now,
                        expires_at,
                        state: GatewayState::Attempting,
                        provider_id: None,
                        instructions: Instructions::default(),
                        fee: None,
                        payment_id: None,
                        poll_at: None,
                        note: String::new(),
                        revision: 0,
                    };
                    let row = GatewayRequest { poll_at: row.next_poll(now), ..row };
                    match self.write_request(row.clone()).await {
                        Ok(()) => return Ok((self.collect(gateway, &row, &number).await?, false)),
                        // Somebody else asks for the same: look again.
                        Err(EngineError::Store(StoreError::Duplicate { .. })) => {}
                        Err(other) => return Err(other),
                    }
                }
            }
        }
        Err(StoreError::Conflict.into())
    }

    /// Calls the gateway for a row that says so, and writes what it answered.
    async fn collect(
        &self,
        gateway: &dyn PaymentGateway,
        row: &GatewayRequest,
        number: &str,
    ) -> Result<GatewayRequest, EngineError> {
        let customer = self.store.customer(self.tenant, row.customer_id).await?;
        let customer = customer.ok_or(StoreError::NotFound { what: "customer" })?;
        let ask = GatewayAsk {
            reference: row.reference.clone(),
            amount: row.amount,
            channel: row.channel,
            description: format!("Internet {number}"),
            payer: customer.name,
            now: row.made_at,
            expires_at: row.expires_at,
        };
        let answer = gateway.create(&ask).await;
        let written = self
            .rewrite(&row.gateway, &row.reference, |row| match &answer {
                Ok(Created { provider_id, instructions, expires_at, fee }) => {
                    row.state = row.state.after(NoticeState::Pending);
                    row.provider_id = provider_id.clone().or_else(|| row.provider_id.take());
                    row.instructions = instructions.clone();
                    row.expires_at = expires_at.unwrap_or(row.expires_at);
                    row.fee = fee.or(row.fee);
                }
                Err(error) => {
                    let unknown = matches!(error, PortError::Unknown { .. });
                    if row.state == GatewayState::Attempting {
                        row.state = if unknown { GatewayState::Unknown } else { GatewayState::Cancelled };
                        row.poll_at = row.next_poll(row.made_at);
                    }
                    row.note = error.to_string();
                }
            })
            .await?;
        match answer {
            Ok(_) => Ok(written),
            Err(error @ PortError::Unknown { .. }) => {
                // The reply was lost: it is asked once, by our reference, before anybody is told so.
                let asked = self.poll_one(gateway, written, row.made_at).await;
                let found = self.gateway_request(&row.gateway, &row.reference).await?;
                match found.filter(|r| asked.is_ok() && r.state == GatewayState::Open) {
                    Some(open) => Ok(open),
                    None => Err(error.into()),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Asks the gateways about the requests and refunds whose time to ask has come, so that a webhook that was lost loses no money. Requests
    /// that nobody is to pay any more are cancelled there. What one cannot be asked stops no other; a gateway that gives no answer
    /// three times is asked about the rest the next time.
    ///
    /// # Errors
    /// [`EngineError::Store`] when the store does not answer; what was done before stays.
    pub async fn poll_gateways(
        &self,
        gateways: &[&dyn PaymentGateway],
        now: DateTime<Utc>,
    ) -> Result<PollReport, EngineError> {
        let query = GatewayQuery { poll_due: Some(now), ..GatewayQuery::default() };
        let mut report = PollReport::default();
        let mut silent: BTreeMap<Code, u32> = BTreeMap::new();
        for row in self.gateway_requests(&query).await? {
            if silent.get(&row.gateway).is_some_and(|times| *times >= PATIENCE) {
                continue;
            }
            let Some(gateway) = gateways.iter().find(|g| *g.name() == row.gateway) else {
                let reason = "this gateway is not in the settings".to_owned();
                report.failed.push((row.reference, PortError::NotSent { reason }.into()));
                continue;
            };
            let (name, reference) = (row.gateway.clone(), row.reference.clone());
            // What one before it told may have changed it.
            let fresh = self.gateway_request(&name, &reference).await?;
            let Some(row) = fresh.filter(|r| r.poll_at.is_some_and(|at| at <= now)) else { continue };
            report.asked += 1;
            let polled = self.poll_one(*gateway, row, now).await;
            match &polled {
                Err(EngineError::Port(PortError::NotSent { .. } | PortError::Unknown { .. })) => {
                    *silent.entry(name.clone()).or_default() += 1;
                }
                _ => drop(silent.remove(&name)),
            }
            match polled {
                Ok(Taken::Booked(_) | Taken::Unmatched(_)) => report.booked += 1,
                Ok(Taken::Moved(GatewayState::Expired | GatewayState::Cancelled)) => report.ended += 1,
                Ok(_) => {}
                Err(EngineError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    let note = error.to_string();
                    self.rewrite(&name, &reference, |row| row.note.clone_from(&note)).await?;
                    report.failed.push((reference.clone(), error));
                }
            }
            self.rewrite(&name, &reference, |row| row.poll_at = row.next_poll(now)).await?;
        }
        self.poll_refunds(gateways, now, &mut report).await?;
        Ok(report)
    }

    async fn poll_one(
        &self,
        gateway: &dyn PaymentGateway,
        row: GatewayRequest,
        now: DateTime<Utc>,
    ) -> Result<Taken, EngineError> {
        if row.state == GatewayState::Cancelling && gateway.cancel(&asked(&row)).await? == CancelOutcome::Cancelled {
            self.end(&row, GatewayState::Cancelled).await?;
            return Ok(Taken::Moved(GatewayState::Cancelled));
        }
        let lost = matches!(row.state, GatewayState::Attempting | GatewayState::Unknown);
        let told = gateway.status(&asked(&row)).await?;
        let taken = match &told {
            // Nobody was given anything to pay it with.
            Some(told) if lost && told.state == NoticeState::Pending && told.instructions.is_empty() => {
                self.end(&row, GatewayState::Cancelling).await?;
                return Ok(Taken::Moved(GatewayState::Cancelling));
            }
            Some(told) => self.settle_notice(told, now).await?,
            None if lost || row.state == GatewayState::Cancelling => {
                self.end(&row, GatewayState::Cancelled).await?;
                return Ok(Taken::Moved(GatewayState::Cancelled));
            }
            None => Taken::Nothing,
        };
        // The last question: nothing is heard of it any more.
        let over = row.next_poll(now).is_none() && (row.state.is_live() || row.state == GatewayState::Cancelling);
        if over && taken == Taken::Nothing {
            self.end(&row, GatewayState::Expired).await?;
            return Ok(Taken::Moved(GatewayState::Expired));
        }
        Ok(taken)
    }

    /// Cancels a request that is live, there and here.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when no live request of this customer is at this gateway; [`EngineError::Port`] when the
    /// gateway could not be asked.
    pub async fn cancel_at_gateway(
        &self,
        gateway: &dyn PaymentGateway,
        customer: CustomerId,
        now: DateTime<Utc>,
    ) -> Result<Vec<GatewayRequest>, EngineError> {
        let query = GatewayQuery { customer: Some(customer), live: true, ..GatewayQuery::default() };
        let mut rows = self.gateway_requests(&query).await?;
        rows.retain(|r| r.gateway == *gateway.name());
        if rows.is_empty() {
            return Err(StoreError::NotFound { what: "payment_request" }.into());
        }
        let mut after = Vec::new();
        for row in rows {
            let reference = row.reference.clone();
            self.withdraw(gateway, row, now).await?;
            after.extend(self.gateway_request(gateway.name(), &reference).await?);
        }
        Ok(after)
    }

    /// Cancels a row at its gateway. Where that cannot be done, it is shown to nobody any more.
    async fn withdraw(
        &self,
        gateway: &dyn PaymentGateway,
        row: GatewayRequest,
        now: DateTime<Utc>,
    ) -> Result<(), EngineError> {
        match gateway.cancel(&asked(&row)).await? {
            CancelOutcome::Cancelled => self.end(&row, GatewayState::Cancelled).await,
            CancelOutcome::Cannot => self.end(&row, GatewayState::Cancelling).await,
            CancelOutcome::TooLate => self.poll_one(gateway, row, now).await.map(drop),
        }
    }

    /// Adds to a change set that what a customer is asked for is another debt now: the open request of an amount is closed, and
    /// the live ones at gateways are to be cancelled there, which the next [`Engine::poll_gateways`] does.
    pub(crate) async fn withdraw_requests(
        &self,
        changes: &mut ChangeSet,
        customer: CustomerId,
        now: DateTime<Utc>,
    ) -> Result<(), EngineError> {
        changes.request_closings.extend(self.closing_of_request(customer, now).await?);
        let query = GatewayQuery { customer: Some(customer), live: true, ..GatewayQuery::default() };
        let rows = self.gateway_requests(&query).await?.into_iter();
        let state = GatewayState::Cancelling;
        changes.gateway_requests.extend(rows.map(|row| GatewayRequest { state, poll_at: Some(now), ..row }));
        Ok(())
    }

    /// The request that a gateway knows by a reference of ours.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn gateway_request(
        &self,
        gateway: &Code,
        reference: &Reference,
    ) -> Result<Option<GatewayRequest>, EngineError> {
        let known_as = Some((gateway.clone(), reference.clone()));
        Ok(self.gateway_requests(&GatewayQuery { known_as, ..GatewayQuery::default() }).await?.pop())
    }

    /// All requests at gateways of a query, in id order.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn gateway_requests(&self, query: &GatewayQuery) -> Result<Vec<GatewayRequest>, EngineError> {
        all_pages(self.page, |page| self.store.gateway_requests(self.tenant, query, page), |r| r.id).await
    }

    /// Moves a row on, unless it has come further meanwhile.
    async fn end(&self, row: &GatewayRequest, state: GatewayState) -> Result<(), EngineError> {
        let forward = |row: &mut GatewayRequest| {
            row.state = if row.state < state { state } else { row.state };
            row.poll_at = if row.state == GatewayState::Cancelled { None } else { row.poll_at };
        };
        self.rewrite(&row.gateway, &row.reference, forward).await.map(drop)
    }

    async fn rewrite(
        &self,
        gateway: &Code,
        reference: &Reference,
        change: impl Fn(&mut GatewayRequest),
    ) -> Result<GatewayRequest, EngineError> {
        until_written(|| async {
            let found = self.gateway_request(gateway, reference).await?;
            let before = found.ok_or(StoreError::NotFound { what: "payment_request" })?;
            let mut row = before.clone();
            change(&mut row);
            if row != before {
                self.write_request(row.clone()).await?;
                row.revision += 1;
            }
            Ok(row)
        })
        .await
    }

    pub(crate) async fn write_request(&self, row: GatewayRequest) -> Result<(), EngineError> {
        let changes = ChangeSet { gateway_requests: vec![row], ..ChangeSet::default() };
        self.store.commit(self.tenant, changes).await?;
        Ok(())
    }
}

fn asked(row: &GatewayRequest) -> Asked<'_> {
    Asked { reference: &row.reference, provider_id: row.provider_id.as_deref(), channel: Some(row.channel) }
}
