//! What customers write to us or press on their page: promises, and what is answered.

use chrono::{DateTime, TimeDelta, Utc};

use crate::calendar::Zone;
use crate::engine::pages::all_pages;
use crate::engine::{Engine, EngineError};
use crate::error::Error;
use crate::ids::{CustomerId, PromiseId, derive};
use crate::isolation::{Access, AccessFacts};
use crate::message::inbound::{Answer, Wish};
use crate::message::{Notification, NotificationKind};
use crate::money::Money;
use crate::ports::{ChangeSet, InboxStore, PaymentRow, StoreError};
use crate::protection::Promise;

/// Days for which a payment is told to somebody who says that he has paid.
const TOLD_DAYS: i64 = 14;

impl Engine<'_> {
    /// A customer asks for so many days to pay (*janji bayar*). Within the policy the promise is recorded and access follows at
    /// once: an isolated line opens, and falls back when the day is over. Said again on the same day, it is the same promise.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn ask_for_time(
        &self,
        customer: CustomerId,
        days: u16,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<Answer, EngineError> {
        let owed = self.owed_by(customer).await?;
        if !owed.is_positive() {
            return Ok(Answer::NothingOwed);
        }
        let facts = self.access_of(customer).await?;
        let today = facts.first().map_or(Zone::Wib, |f| f.zone).date_of(now);
        let max_days = self.policy.promise.max_days;
        if days == 0 || days > max_days {
            return Ok(Answer::PromiseTooLong { max_days });
        }
        // One a customer and day, so that two who ask at once ask for one.
        let id = PromiseId(derive(customer.0, &["promise", &today.to_string()]));
        let wanted = Promise {
            id,
            customer_id: customer,
            made_on: today,
            until: today.plus_days(days.into()),
            by: by.to_owned(),
            ending: None,
        };
        let (promises, _) = self.store.protections(self.tenant, Some(customer)).await?;
        let kept = promises.into_iter().find(|p| p.id == id);
        let promise = match kept {
            Some(promise) if !promise.holds(today, now) => {
                return Ok(Answer::PromiseUsed { limit: self.policy.promise.per_period });
            }
            Some(promise) => promise,
            None => match self.promise(wanted.clone()).await {
                Ok(()) => wanted,
                Err(EngineError::Store(StoreError::Duplicate { what: "promise.id" })) => {
                    self.find_promise(customer, id).await?
                }
                Err(EngineError::Domain(Error::TooManyPromises { limit })) => {
                    return Ok(Answer::PromiseUsed { limit });
                }
                Err(EngineError::Domain(Error::PromiseTooLong { max_days })) => {
                    return Ok(Answer::PromiseTooLong { max_days });
                }
                Err(other) => return Err(other),
            },
        };
        let isolated = |f: &&AccessFacts| f.access.desired == Access::Isolated;
        let before = facts.iter().filter(isolated).count();
        self.enforce_customer(customer, now).await?;
        let after = self.access_of(customer).await?.iter().filter(isolated).count();
        let digits = id.0.simple().to_string().to_ascii_uppercase();
        let number = format!("JB-{}", digits.get(..6).unwrap_or(&digits));
        Ok(Answer::Promised { until: promise.until, owed, number, reopened: after < before })
    }

    /// Acts upon what a customer wrote, and queues the answer. `message` is the other side's id of it, `at` when
    /// it was written: read again, it does nothing twice. `None` when it is for a person.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn wrote(
        &self,
        inbox: &dyn InboxStore,
        customer: CustomerId,
        message: &str,
        wish: Wish,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Option<Answer>, EngineError> {
        let answer = match wish {
            Wish::Other => return Ok(None),
            Wish::OptOut | Wish::OptIn => {
                inbox.opt_out(self.tenant, customer, wish == Wish::OptOut, at).await?;
                if wish == Wish::OptOut { Answer::OptedOut } else { Answer::OptedIn }
            }
            Wish::PromiseUnclear => Answer::PromiseHow { max_days: self.policy.promise.max_days },
            Wish::Promise(days) => self.ask_for_time(customer, days, "WhatsApp", now).await?,
            Wish::SaysPaid => self.says_paid(customer, now).await?,
        };
        let zone = self.access_of(customer).await?.first().map_or(Zone::Wib, |f| f.zone);
        let subject = derive(self.tenant.0, &["inbound", message, &customer.to_string()]);
        let mut notice = Notification::new(self.tenant, NotificationKind::Answer, 0, customer, &[subject], at, zone);
        notice.answer = Some(answer.clone());
        let changes = ChangeSet { messages: vec![notice], ..ChangeSet::default() };
        self.store.commit(self.tenant, changes).await?;
        Ok(Some(answer))
    }

    async fn says_paid(&self, customer: CustomerId, now: DateTime<Utc>) -> Result<Answer, EngineError> {
        let owed = self.owed_by(customer).await?;
        let zone = self.access_of(customer).await?.first().map_or(Zone::Wib, |f| f.zone);
        let last = self.last_payment(customer).await?;
        Ok(match last.filter(|row| now - row.payment.paid_at <= TimeDelta::days(TOLD_DAYS)) {
            _ if owed.is_positive() => Answer::PaymentNotSeen { owed },
            Some(PaymentRow { payment, .. }) => {
                Answer::PaymentKnown { amount: payment.amount, on: zone.date_of(payment.paid_at) }
            }
            None => Answer::NothingOwed,
        })
    }

    /// All that a customer owes.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn owed_by(&self, customer: CustomerId) -> Result<Money, EngineError> {
        Ok(self.store.open_invoices(self.tenant, customer).await?.iter().map(|i| i.residual()).sum())
    }

    /// The money that last came in from a customer and was not taken back.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn last_payment(&self, customer: CustomerId) -> Result<Option<PaymentRow>, EngineError> {
        let load = |page| self.store.payments(self.tenant, Some(customer), page);
        let rows = all_pages(self.page, load, |row: &PaymentRow| row.payment.id).await?;
        let money = |row: &PaymentRow| row.reversal.is_none() && row.payment.channel.is_money();
        Ok(rows.into_iter().filter(money).max_by_key(|row| row.payment.received_at))
    }
}
