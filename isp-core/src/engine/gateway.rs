//! Payment gateways: asking one to collect, what it says of that, and asking again where nothing was said.
//!
//! This and [`super::deliver`] are the journeys that call the outside. What is about to be asked is written down before, so a
//! process that dies in between leaves a row that [`Engine::poll_gateways`] settles.

use chrono::{DateTime, Utc};

use crate::bank::{BankFormat, ImportedFile, Mutation};
use crate::billing::InvoiceBalance;
use crate::billing::invoice::display_number;
use crate::calendar::Zone;
use crate::engine::pages::all_pages;
use crate::engine::retry::until_written;
use crate::engine::{Engine, EngineError, NewPayment, PayReport, ReverseReport, Told};
use crate::error::Error;
use crate::ids::{BankFileId, CustomerId, InvoiceId, MutationId, PaymentRequestId, derive};
use crate::money::Money;
use crate::payment::payout::entry_for_gateway_fee;
use crate::payment::{GatewayRequest, GatewayState, Instructions, NoticeState, PayChannel, PaymentNotice, Payout};
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

/// What followed from a notice of a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Its money was booked.
    Booked(PayReport),
    /// Its money had been booked before; nothing was booked again.
    Known,
    /// The request moved to this state; no money came.
    Moved(GatewayState),
    /// It was late news, or what it claims is not so when the gateway is asked.
    Nothing,
    /// Money for a request that is not known here: kept as a mutation, and a person says whose it is.
    Unmatched(MutationId),
    /// The gateway gave all of the money back: the payment was reversed.
    Refunded(ReverseReport),
    /// The gateway gave a part of the money back; a person has to correct the payment.
    PartRefunded(Money),
}

/// What asking the gateways came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PollReport {
    /// Requests that were asked about.
    pub asked: u64,
    /// Money of which only the question told.
    pub booked: u64,
    /// Requests that expired or were cancelled.
    pub ended: u64,
    /// Requests that could not be asked about, by reference, with the error.
    pub failed: Vec<(Reference, EngineError)>,
}

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
            let debt: Money = open.iter().map(InvoiceBalance::residual).sum();
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

    /// Takes what a gateway says of a request: books its money exactly once, whatever the order and however often it is said.
    /// What its signature does not cover, it is asked first.
    ///
    /// What was really paid is booked, also when another amount was asked, when it comes after the request has expired, or when
    /// the debt was paid another way meanwhile: what is too much is the customer's credit.
    ///
    /// # Errors
    /// [`EngineError::Port`] when the gateway could not be asked, and other retryable ones: take it again later.
    /// [`EngineError::PaymentMismatch`] when the payment is known with another customer or amount.
    pub async fn take_notice(
        &self,
        gateway: &dyn PaymentGateway,
        notice: &PaymentNotice,
        now: DateTime<Utc>,
    ) -> Result<Taken, EngineError> {
        if notice.sure {
            return self.settle_notice(notice, now).await;
        }
        let row = self.gateway_request(&notice.gateway, &notice.reference).await?;
        let asked = Asked {
            reference: &notice.reference,
            provider_id: row.as_ref().and_then(|r| r.provider_id.as_deref()).or(Some(notice.provider_id.as_str())),
            channel: row.as_ref().map(|r| r.channel),
        };
        match gateway.status(&asked).await? {
            Some(told) => self.settle_notice(&told, now).await,
            None => Ok(Taken::Nothing),
        }
    }

    async fn settle_notice(&self, notice: &PaymentNotice, now: DateTime<Utc>) -> Result<Taken, EngineError> {
        until_written(|| async {
            let Some(row) = self.gateway_request(&notice.gateway, &notice.reference).await? else {
                return self.keep_unknown(notice, now).await;
            };
            match notice.state {
                NoticeState::Paid => self.paid_at_gateway(row, notice, now).await,
                NoticeState::Refunded => self.refunded(row, notice, now).await,
                NoticeState::Pending | NoticeState::Expired | NoticeState::Cancelled => {
                    let state = row.state.after(notice.state);
                    let instructions = match row.instructions.is_empty() {
                        true => notice.instructions.clone(),
                        false => row.instructions.clone(),
                    };
                    if state == row.state && instructions == row.instructions {
                        return Ok(Taken::Nothing);
                    }
                    let provider_id = row.provider_id.clone().or_else(|| Some(notice.provider_id.to_string()));
                    let row = GatewayRequest { state, instructions, provider_id, ..row };
                    self.write_request(GatewayRequest { poll_at: row.next_poll(now), ..row }).await?;
                    Ok(Taken::Moved(state))
                }
            }
        })
        .await
    }

    async fn paid_at_gateway(
        &self,
        row: GatewayRequest,
        notice: &PaymentNotice,
        now: DateTime<Utc>,
    ) -> Result<Taken, EngineError> {
        let new = NewPayment {
            customer_id: row.customer_id,
            provider: row.gateway.clone(),
            reference: notice.provider_id.clone(),
            amount: notice.gross,
            // Its clock may be ahead of ours.
            paid_at: notice.paid_at.map_or(now, |at| at.min(now)),
            collector: None,
        };
        let known = self.store.payments_known_as(self.tenant, &new.provider, &new.reference).await?;
        let (mut changes, report, payment) = match known.last() {
            // Whatever became of it, a machine that says it again does not mean a second payment.
            Some(known) if known.payment.customer_id != row.customer_id || known.payment.amount != new.amount => {
                return Err(EngineError::PaymentMismatch);
            }
            Some(_) if row.state == GatewayState::Paid => return Ok(Taken::Known),
            Some(known) => (ChangeSet::default(), None, known.payment.id),
            None => {
                let (changes, report) = self.plan_told(&new, Told::ByMachine, now).await?;
                let payment = report.payment_id;
                (changes, Some(report), payment)
            }
        };
        let fee = notice.fee.or(row.fee.filter(|_| row.payment_id.is_none()));
        changes.journal.extend(entry_for_gateway_fee(payment, fee.unwrap_or_default(), Zone::Wib.date_of(now)));
        let fees = match row.payment_id {
            None => fee,
            // It was paid twice.
            Some(_) => row.fee.map_or(fee, |before| Some(before + fee.unwrap_or_default())),
        };
        changes.gateway_requests.retain(|other| other.id != row.id);
        changes.gateway_requests.push(GatewayRequest {
            state: GatewayState::Paid,
            payment_id: row.payment_id.or(Some(payment)),
            provider_id: row.provider_id.clone().or_else(|| Some(notice.provider_id.to_string())),
            fee: fees,
            poll_at: None,
            ..row
        });
        match self.store.commit(self.tenant, changes).await {
            Ok(_) => Ok(report.map_or(Taken::Known, Taken::Booked)),
            // Another process booked the same payment: look again.
            Err(StoreError::Duplicate { what: "payment.reference" | "journal.id" }) => Err(StoreError::Conflict.into()),
            Err(other) => Err(other.into()),
        }
    }

    async fn refunded(
        &self,
        row: GatewayRequest,
        notice: &PaymentNotice,
        now: DateTime<Utc>,
    ) -> Result<Taken, EngineError> {
        let known = self.store.payments_known_as(self.tenant, &notice.gateway, &notice.provider_id).await?;
        match known.iter().find(|k| k.reversal.is_none()) {
            Some(kept) if notice.gross >= kept.payment.amount => {
                let by = notice.gateway.as_str();
                Ok(Taken::Refunded(self.reverse(kept.payment.id, by, "refunded at the gateway", now).await?))
            }
            Some(_) => Ok(Taken::PartRefunded(notice.gross)),
            None if row.state == GatewayState::Paid => Ok(Taken::Nothing),
            // It came and went before we heard of it.
            None => {
                self.write_request(GatewayRequest { state: GatewayState::Cancelled, poll_at: None, ..row }).await?;
                Ok(Taken::Moved(GatewayState::Cancelled))
            }
        }
    }

    /// Keeps money for a request that is not known here as a mutation that waits for a person.
    async fn keep_unknown(&self, notice: &PaymentNotice, now: DateTime<Utc>) -> Result<Taken, EngineError> {
        let booked = self.store.payments_known_as(self.tenant, &notice.gateway, &notice.provider_id).await?;
        if notice.state != NoticeState::Paid || !booked.is_empty() {
            return Ok(Taken::Nothing);
        }
        let account = Code::parse("gateway", &notice.gateway.folded())?;
        let on = Zone::Wib.date_of(notice.paid_at.map_or(now, |at| at.min(now)));
        let file_id = BankFileId(derive(self.tenant.0, &["gateway", account.as_str()]));
        let id = MutationId(derive(self.tenant.0, &["gateway notice", account.as_str(), &notice.provider_id.folded()]));
        let text = [Some(notice.reference.as_str()), Some(notice.provider_id.as_str()), notice.channel.as_deref()];
        let text: String = text.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let mutation = Mutation {
            id,
            account: account.clone(),
            format: BankFormat::Gateway,
            on,
            amount: notice.gross,
            text: text.chars().take(Mutation::LONGEST).collect(),
            balance: None,
            file_id,
        };
        let mut changes = ChangeSet { mutations: vec![mutation], ..ChangeSet::default() };
        if self.store.bank_file(self.tenant, file_id).await?.is_none() {
            let (format, by) = (BankFormat::Gateway, account.to_string());
            changes.bank_files.push(ImportedFile { id: file_id, format, account, from: on, until: on, at: now, by });
        }
        match self.store.commit(self.tenant, changes).await {
            Ok(_) => Ok(Taken::Unmatched(id)),
            // It was said before.
            Err(StoreError::Duplicate { what: "mutation" }) => Ok(Taken::Known),
            Err(StoreError::Duplicate { what: "bank_file" }) => Err(StoreError::Conflict.into()),
            Err(other) => Err(other.into()),
        }
    }

    /// Asks the gateways about the requests whose time to ask has come, so that a webhook that was lost loses no money. Requests
    /// that nobody is to pay any more are cancelled there. What one cannot be asked stops no other.
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
        for row in self.gateway_requests(&query).await? {
            let Some(gateway) = gateways.iter().find(|g| *g.name() == row.gateway) else {
                let error = Error::Empty { field: "gateway" };
                report.failed.push((row.reference, error.into()));
                continue;
            };
            report.asked += 1;
            let (name, reference) = (row.gateway.clone(), row.reference.clone());
            match self.poll_one(*gateway, row, now).await {
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

    /// Books what a gateway paid out to the bank.
    ///
    /// # Errors
    /// [`Error::NotPositive`] as [`Payout::checked`]; [`Error::GatewayHoldsLess`] when the gateway does not hold that much;
    /// [`StoreError::Duplicate`] for an id that is there already.
    pub async fn pay_out(&self, payout: Payout) -> Result<(), EngineError> {
        let payout = payout.checked()?;
        let all = self.store.gateway_balances(self.tenant).await?;
        let holds = all.iter().find(|b| b.gateway == payout.gateway).map_or(Money::ZERO, |b| b.holds());
        if payout.net + payout.fee > holds {
            return Err(Error::GatewayHoldsLess { holds }.into());
        }
        let journal = payout.entries();
        self.store.commit(self.tenant, ChangeSet { payouts: vec![payout], journal, ..ChangeSet::default() }).await?;
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

    async fn write_request(&self, row: GatewayRequest) -> Result<(), EngineError> {
        let changes = ChangeSet { gateway_requests: vec![row], ..ChangeSet::default() };
        self.store.commit(self.tenant, changes).await?;
        Ok(())
    }
}

fn asked(row: &GatewayRequest) -> Asked<'_> {
    Asked { reference: &row.reference, provider_id: row.provider_id.as_deref(), channel: Some(row.channel) }
}
