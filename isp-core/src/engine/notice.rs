//! What a payment gateway says: its money is booked exactly once, whatever the order and however often it is said.

use chrono::{DateTime, Utc};

use crate::bank::{BankFormat, ImportedFile, Mutation};
use crate::calendar::Zone;
use crate::engine::retry::until_written;
use crate::engine::{Engine, EngineError, NewPayment, PayReport, ReverseReport, Told};
use crate::ids::{BankFileId, MutationId, derive};
use crate::money::Money;
use crate::payment::payout::entry_for_gateway_fee;
use crate::payment::{
    GatewayRefund, GatewayRequest, GatewayState, NoticeState, PaymentNotice, RefundState, not_asked_for,
};
use crate::ports::{Asked, ChangeSet, PaymentGateway, RefundAnswer, StoreError};
use crate::text::Code;

/// What followed from a notice of a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Its money was booked.
    Booked(PayReport),
    /// Its money had been booked before, or what it gave back was; nothing was booked again.
    Known,
    /// The request moved to this state; no money came.
    Moved(GatewayState),
    /// It was late news, or what it claims is not so when the gateway is asked.
    Nothing,
    /// Money for a request that is not known here: kept as a mutation, and a person says whose it is.
    Unmatched(MutationId),
    /// The gateway gave all of the money back: the payment was reversed.
    Refunded(ReverseReport),
    /// The gateway gave a part of the money back that it was not asked for here; a person has to correct the payment.
    PartRefunded(Money),
}

impl Engine<'_> {
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

    pub(crate) async fn settle_notice(&self, notice: &PaymentNotice, now: DateTime<Utc>) -> Result<Taken, EngineError> {
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
                let (changes, report) = self.plan_told_or_known(&new, Told::ByMachine, now).await?;
                if report.known {
                    // Another process has booked it since: look again.
                    return Err(StoreError::Conflict.into());
                }
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
        let standing = known.iter().find(|k| k.reversal.is_none());
        if let Some(kept) = standing {
            let ours = self.refunds_asked_for(kept.payment.id, row.customer_id).await?;
            let sums: Vec<_> = ours.iter().map(|(of, amount)| (of.state, *amount)).collect();
            let ours = ours.into_iter().filter(|(of, _)| of.state != RefundState::Refused);
            let ours: Vec<(GatewayRefund, Money)> = ours.collect();
            let extra = not_asked_for(notice.gross, &sums);
            if !ours.is_empty() && extra.is_zero() {
                let all: Money = ours.iter().map(|(_, amount)| *amount).sum();
                for (of, _) in ours.iter().filter(|_| all == notice.gross) {
                    let told = RefundAnswer { state: RefundState::Done, provider_id: None, reason: String::new() };
                    self.refund_told(of.id, &told, now).await?;
                }
                return Ok(Taken::Known);
            }
            if !ours.is_empty() {
                return Ok(Taken::PartRefunded(extra));
            }
        }
        match standing {
            Some(kept) if notice.gross >= kept.payment.amount => {
                let by = notice.gateway.as_str();
                match self.reverse(kept.payment.id, by, "refunded at the gateway", now).await {
                    Ok(report) => Ok(Taken::Refunded(report)),
                    // Another process, or a person, has taken it back since: look again.
                    Err(EngineError::Store(StoreError::Duplicate { what: "payment.reversal" })) => {
                        Err(StoreError::Conflict.into())
                    }
                    Err(other) => Err(other),
                }
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
            bank: None,
            on,
            amount: notice.gross,
            text: text.chars().take(Mutation::LONGEST).collect(),
            balance: None,
            file_id,
            may_correct: None,
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
}
