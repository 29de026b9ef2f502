//! Write-offs, and collectors with their deposits.

use chrono::{DateTime, Utc};

use crate::billing::invoice::display_number;
use crate::ending::{Ending, EndingKind, RecordId};
use crate::engine::retry::until_written;
use crate::engine::{Engine, EngineError};
use crate::error::Error;
use crate::ids::{CustomerId, DepositId, InvoiceId, PaymentId};
use crate::ledger::entry_for_payment;
use crate::payment::purse::free_on;
use crate::payment::{Allocation, Deposit, Purse, Told, WriteOff, write_off};
use crate::ports::{ChangeSet, Expectation, StoreError};

impl Engine<'_> {
    /// Gives up the rest of an invoice: it is settled to zero, booked as bad debt, and owed no more. A line that only this
    /// debt had isolated is reopened. [`Engine::reverse`] of its payment takes it back.
    ///
    /// # Errors
    /// [`Error::Empty`] without a reason or an officer; [`StoreError::NotFound`] when the invoice has nothing open;
    /// [`EngineError::Store`].
    pub async fn write_off(
        &self,
        customer: CustomerId,
        invoice: InvoiceId,
        by: &str,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<WriteOff, EngineError> {
        write_off::check(by, reason)?;
        until_written(|| async {
            let facts = self.access_of(customer).await?;
            let open = self.store.open_invoices(self.tenant, customer).await?;
            let found = open.iter().find(|i| i.invoice_id == invoice);
            let nothing = StoreError::NotFound { what: "open invoice" };
            let balance = found.ok_or(nothing.clone())?;
            let amount = write_off::given_up(balance.residual(), by, reason)?.ok_or(nothing)?;
            let mut given_up = WriteOff {
                payment_id: PaymentId(invoice.0),
                invoice_id: invoice,
                customer_id: customer,
                amount,
                reason: reason.to_owned(),
                by: by.to_owned(),
                at: now,
            };
            let number = display_number(balance.number, balance.issue_date);
            let first = given_up.payment(self.tenant, &number, 0)?;
            let before = self.store.payments_known_as(self.tenant, &first.provider, &first.reference).await?.len();
            let payment = given_up.payment(self.tenant, &number, before)?;
            given_up.payment_id = payment.id;
            let made = Allocation { payment_id: payment.id, invoice_id: invoice, amount: payment.amount, at: now };
            let today = facts.first().map_or(crate::Zone::Wib, |f| f.zone).date_of(now);
            let mut changes = ChangeSet {
                journal: vec![entry_for_payment(&payment, &[made], &open, today)],
                payments: vec![payment],
                write_offs: vec![given_up.clone()],
                allocations: vec![made],
                ..ChangeSet::default()
            };
            self.withdraw_requests(&mut changes, customer, now).await?;
            self.reopen_paid(&mut changes, &facts, &[made], now);
            self.join_notices(&mut changes, &facts, now).await?;
            match self.store.commit(self.tenant, changes).await {
                Ok(_) => Ok(given_up),
                Err(StoreError::Duplicate { what: "payment.reference" }) => Err(StoreError::Conflict.into()),
                Err(other) => Err(other.into()),
            }
        })
        .await
    }

    /// The last write-off of an invoice, which is the one that can be taken back.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn last_write_off(
        &self,
        customer: CustomerId,
        invoice: InvoiceId,
    ) -> Result<Option<WriteOff>, EngineError> {
        let mut all = self.store.write_offs(self.tenant, Some(customer)).await?;
        all.retain(|w| w.invoice_id == invoice);
        all.sort_by_key(|w| w.at);
        Ok(all.pop())
    }

    /// Books what a collector hands over.
    ///
    /// # Errors
    /// [`Error::CollectorHoldsLess`], also when the money came after the day; [`Error::NotPositive`], [`Error::NotOneOf`] as [`Deposit::checked`];
    /// [`StoreError::Duplicate`] for an id that is there already.
    pub async fn deposit(&self, deposit: Deposit) -> Result<(), EngineError> {
        let deposit = deposit.checked()?;
        until_written(|| async {
            let changes = ChangeSet {
                expected: self.held_for(&deposit, None).await?,
                deposits: vec![deposit.clone()],
                journal: vec![deposit.entry()],
                ..ChangeSet::default()
            };
            self.store.commit(self.tenant, changes).await?;
            Ok(())
        })
        .await
    }

    /// Books a deposit back that was recorded wrongly, and in its place another one, if there is one; both in one commit, so that
    /// the money is never counted twice. Each is booked on its own day.
    ///
    /// # Errors
    /// [`Error::AlreadyEnded`] when it was booked back before; [`StoreError::NotFound`]; [`Error::CashShort`], on which a person can
    /// insist, when the office has spent that cash; as [`Engine::deposit`].
    pub async fn correct_deposit(
        &self,
        id: DepositId,
        instead: Option<Deposit>,
        ending: Ending,
        told: Told,
    ) -> Result<(), EngineError> {
        let instead = instead.map(Deposit::checked).transpose()?;
        until_written(|| async {
            let rows = self.store.deposits(self.tenant).await?;
            let row =
                rows.into_iter().find(|row| row.deposit.id == id).ok_or(StoreError::NotFound { what: "deposit" })?;
            let ending = Ending { kind: EndingKind::TakenBack, ..ending.clone() }.after(row.ending.as_ref())?;
            let mut changes = ChangeSet {
                endings: vec![(RecordId::Deposit(id), ending)],
                journal: vec![row.deposit.reversal()],
                ..ChangeSet::default()
            };
            if let Some(instead) = &instead {
                changes.expected = self.held_for(instead, Some(&row.deposit)).await?;
                changes.journal.push(instead.entry());
                changes.deposits.push(instead.clone());
            }
            self.ask_for_cover(&mut changes, told).await?;
            self.store.commit(self.tenant, changes).await.map_err(super::ended_meanwhile)?;
            Ok(())
        })
        .await
    }

    /// What a deposit rests on: that its collector holds it, and did so on its day.
    async fn held_for(&self, deposit: &Deposit, instead_of: Option<&Deposit>) -> Result<Vec<Expectation>, EngineError> {
        let least = deposit.needs(instead_of);
        if least.is_none() && instead_of.is_none_or(|before| before.on <= deposit.on) {
            return Ok(Vec::new());
        }
        let mut days = self.store.purse_days(self.tenant, &Purse::Collector(deposit.collector.clone())).await?;
        let given_back = instead_of.filter(|before| before.collector == deposit.collector);
        days.extend(given_back.map(|before| (before.on, before.amount)));
        let (on, holds) = (deposit.on, free_on(deposit.on, &days));
        if deposit.amount > holds {
            return Err(Error::CollectorHoldsLess { holds, on }.into());
        }
        let least = least.map(|least| Expectation::CollectorHolds(deposit.collector.clone(), least));
        Ok(least.into_iter().collect())
    }
}
