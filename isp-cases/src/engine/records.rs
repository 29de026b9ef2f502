//! Records of money, places and persons on the engine.

use chrono::{DateTime, Utc};
use isp_core::Money;
use isp_core::ending::{Ending, EndingKind, RecordId};
use isp_core::engine::{EngineError, Told};
use isp_core::ids::{CustomerId, DepositId, PayoutId, RefundId, RouterId, SiteId};
use isp_core::payment::{Channel, Deposit, Payout, Refund};
use isp_core::ports::{PageQuery, StoreError};
use isp_core::privacy::Erased;
use isp_core::text::Code;

use super::EngineHost;
use crate::record::{Place, Record, Recorded};

/// Who records it.
const BY: &str = "Rina";
/// More notes than a case has.
const NOTES: u32 = 1_000;

impl EngineHost<'_> {
    pub(super) async fn record(&mut self, record: &Record, at: DateTime<Utc>) -> Result<(), EngineError> {
        let number = self.recorded.len();
        match record {
            Record::TakeBackNote { invoice, reason } => {
                let (customer, invoice) = self.invoice(invoice).await?;
                let all = self.store.credit_notes(self.tenant, Some(customer), PageQuery::first(NOTES)).await?;
                let of = all.iter().filter(|row| row.note.invoice_id == invoice);
                // The last one that stands; where none does, the last one, which is refused.
                let last = of.max_by_key(|row| (row.taken_back.is_none(), row.note.number));
                let note = last.ok_or(StoreError::NotFound { what: "credit note" })?.note.id;
                self.engine().take_note_back(customer, note, BY, reason, at).await?;
            }
            Record::Refund { customer, amount, from, on } => {
                let customer_id = CustomerId(self.id("customer", customer));
                let credit = self.store.credit(self.tenant, customer_id).await?;
                let id = RefundId(self.id("refund", &number.to_string()));
                let refund = Refund {
                    id,
                    customer_id,
                    amount: amount.unwrap_or_else(|| credit.iter().map(|source| source.left).sum::<Money>()),
                    paid_from: Channel::parse(from)?,
                    on: *on,
                    by: BY.into(),
                    note: String::new(),
                    parts: Vec::new(),
                };
                self.engine().refund(refund, Told::ByPerson).await?;
                self.recorded.push((Recorded::Refund, RecordId::Refund(id)));
            }
            Record::Deposit { collector, amount, to, on, corrects } => {
                let id = DepositId(self.id("deposit", &number.to_string()));
                let collector = Code::parse("collector", collector)?;
                let (to, by, note) = (Channel::parse(to)?, BY.into(), String::new());
                let deposit = Deposit { id, collector, amount: *amount, to, on: *on, by, note };
                match (*corrects, self.last(Recorded::Deposit)) {
                    (true, Some(RecordId::Deposit(before))) => {
                        let ending = Self::mistake(at, "salah ketik")?;
                        self.engine().correct_deposit(before, Some(deposit), ending, Told::ByPerson).await?;
                    }
                    (true, _) => return Err(StoreError::NotFound { what: "deposit" }.into()),
                    (false, _) => self.engine().deposit(deposit).await?,
                }
                self.recorded.push((Recorded::Deposit, RecordId::Deposit(id)));
            }
            Record::Payout { gateway, net, fee, on, corrects } => {
                let id = PayoutId(self.id("payout", &number.to_string()));
                let gateway = Code::parse("gateway", gateway)?;
                let (by, note) = (BY.into(), String::new());
                let payout = Payout { id, gateway, net: *net, fee: *fee, on: *on, by, note };
                match (*corrects, self.last(Recorded::Payout)) {
                    (true, Some(RecordId::Payout(before))) => {
                        let ending = Self::mistake(at, "salah ketik")?;
                        self.engine().correct_payout(before, Some(payout), ending).await?;
                    }
                    (true, _) => return Err(StoreError::NotFound { what: "payout" }.into()),
                    (false, _) => self.engine().pay_out(payout).await?,
                }
                self.recorded.push((Recorded::Payout, RecordId::Payout(id)));
            }
            Record::TakeBack { what, reason } => self.take_back(*what, reason, at).await?,
            Record::Archive { what: Place::Router, site, archived, sure } => {
                let told = if *sure { Told::ByPersonWhoInsists } else { Told::ByPerson };
                self.engine().archive_router(RouterId(self.id("router", site)), *archived, told, at).await?;
            }
            Record::Archive { what: Place::Site, site, archived, .. } => {
                self.engine().archive_site(SiteId(self.id("site", site)), *archived, at).await?;
            }
            Record::Erase { customer, reason } => {
                let erased = Erased::try_new(CustomerId(self.id("customer", customer)), at, BY, reason)?;
                self.engine().erase(erased).await?;
            }
        }
        Ok(())
    }

    async fn take_back(&self, what: Recorded, reason: &str, at: DateTime<Utc>) -> Result<(), EngineError> {
        let ending = Self::mistake(at, reason)?;
        match self.last(what) {
            Some(RecordId::Deposit(id)) => self.engine().correct_deposit(id, None, ending, Told::ByPerson).await,
            Some(RecordId::Payout(id)) => self.engine().correct_payout(id, None, ending).await,
            Some(RecordId::Refund(id)) => {
                let rows = self.store.refunds(self.tenant, None).await?;
                let row = rows.into_iter().find(|row| row.refund.id == id);
                let customer = row.ok_or(StoreError::NotFound { what: "refund" })?.refund.customer_id;
                self.engine().take_refund_back(customer, id, ending).await
            }
            _ => Err(StoreError::NotFound { what: "record" }.into()),
        }
    }

    /// The one of a kind that was recorded last.
    fn last(&self, what: Recorded) -> Option<RecordId> {
        self.recorded.iter().rev().find(|(kind, _)| *kind == what).map(|(_, id)| *id)
    }

    fn mistake(at: DateTime<Utc>, reason: &str) -> Result<Ending, isp_core::Error> {
        Ending::try_new(EndingKind::TakenBack, at, BY, reason)
    }
}
