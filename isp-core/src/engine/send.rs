//! A bill or a receipt that an officer sends: a message in the outbox, whose channel puts the paper above the text.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::billing::{InvoiceBalance, Statement};
use crate::calendar::Date;
use crate::engine::pages::all_pages;
use crate::engine::{BillPaper, Engine, EngineError};
use crate::ids::{CustomerId, derive};
use crate::message::freshness::Verdict;
use crate::message::reminder::{level_on, next_sending};
use crate::message::{DunningFacts, Notification, NotificationKey, NotificationKind, due_reminders};
use crate::ports::{ChangeSet, DunningQuery, Effect, OutboxQuery, OutboxRow, PageQuery, PaymentRow, Topic};

/// What became of the wish to send a paper.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PaperSent {
    /// A message waits in the outbox; it leaves at this moment at the earliest.
    Queued(Box<Notification>, DateTime<Utc>),
    /// A message with this paper was queued before, and none was made. How that one stands, where it is still kept.
    Known(Option<Box<OutboxRow>>),
    /// The message would be dropped, for this reason, and none was made: all is paid, or the customer wants no messages.
    Untrue(&'static str),
}

impl Engine<'_> {
    /// With which kind of message a bill goes at `now`: a reminder before its due date, or one after it.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn kind_of_bill(&self, paper: &BillPaper, now: DateTime<Utc>) -> Result<NotificationKind, EngineError> {
        let today = self.zone_of(paper.bill.customer_id).await?.date_of(now);
        Ok(if today > paper.bill.due_date { NotificationKind::Overdue } else { NotificationKind::DueSoon })
    }

    /// Queues a message with a bill, once for each bill by this way; `again` makes another one when there was one. It says all that
    /// the customer owes, and is looked at once more before it leaves, as each reminder is. It counts as the reminders of the day on
    /// which it leaves, and they count as one: nobody is asked twice for the same within a day.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn send_bill(
        &self,
        paper: &BillPaper,
        again: bool,
        now: DateTime<Utc>,
    ) -> Result<PaperSent, EngineError> {
        match self.queue_bill(paper, false, now).await? {
            PaperSent::Known(_) if again => self.queue_bill(paper, true, now).await,
            sent => Ok(sent),
        }
    }

    async fn queue_bill(&self, paper: &BillPaper, again: bool, now: DateTime<Utc>) -> Result<PaperSent, EngineError> {
        let bill = &paper.bill;
        let kind = self.kind_of_bill(paper, now).await?;
        let facts = self.dunning_of(bill.customer_id).await?;
        let document = facts.as_ref().and_then(|facts| {
            let of_bill = |open: &&InvoiceBalance| bill.invoices.iter().any(|invoice| invoice.id == open.invoice_id);
            facts.open.iter().find(of_bill).and_then(|open| Statement::of(&facts.statements, open))
        });
        // An invoice of a document of several is asked for as that document.
        let of = match (document, Statement::parse_number(&bill.number), bill.invoices.first()) {
            (Some(document), ..) => document.id().0,
            (None, None, Some(invoice)) => invoice.id.0,
            _ => Statement::id_of(bill.customer_id, bill.issue_date, bill.due_date).0,
        };
        let mut message = self.paper_message(kind, paper.customer.id, of, again, now).await?;
        // Once, be it before the due date or after it.
        let other =
            if kind == NotificationKind::Overdue { NotificationKind::DueSoon } else { NotificationKind::Overdue };
        message.keys.extend(message.keys.first().map(|key| NotificationKey { kind: other, ..*key }));
        message.invoices = bill.invoices.iter().map(|invoice| invoice.id).collect();
        if !again {
            if let (_, Verdict::Drop(why)) = self.foresee_message(&message, now).await? {
                return Ok(PaperSent::Untrue(why));
            }
            self.add_reminders(&mut message, facts, Some((of, bill.due_date)), now);
        } else {
            self.add_reminders(&mut message, facts, None, now);
        }
        self.queue_paper(message, now).await
    }

    /// Lets a message with a bill count as each reminder of the day on which it leaves, since it asks for all that is owed, and it
    /// leaves as long as anything of that is. `once` is its document and the due date: it counts as the message with a bill of that day,
    /// too, and as the reminder of this bill that was written before.
    fn add_reminders(
        &self,
        message: &mut Notification,
        facts: Option<DunningFacts>,
        once: Option<(Uuid, Date)>,
        now: DateTime<Utc>,
    ) {
        let policy = &self.policy.dunning;
        let leaves = next_sending(policy, message.zone, now);
        let days = [message.zone.date_of(now), message.zone.date_of(leaves)];
        if let Some((subject, due)) = once {
            for day in days {
                let reached = level_on(due, policy, day);
                message.keys.extend(reached.map(|(kind, level)| NotificationKey { kind, level, subject }));
            }
            let of_day = derive(message.customer_id.0, &["papers of a day", &days[1].to_string()]);
            message.keys.push(NotificationKey { kind: NotificationKind::DueSoon, level: 0, subject: of_day });
        }
        for at in [now, leaves] {
            let due = due_reminders(self.tenant, facts.as_slice(), policy, at);
            for reminder in due {
                message.keys.extend(reminder.keys);
                let more = reminder.invoices.into_iter().filter(|id| !message.invoices.contains(id));
                message.invoices.extend(more.collect::<Vec<_>>());
            }
        }
        let mut known = BTreeSet::new();
        message.keys.retain(|key| known.insert((key.kind, key.level, key.subject)));
    }

    /// What reminding this customer rests on; `None` when nothing of theirs is open.
    async fn dunning_of(&self, customer: CustomerId) -> Result<Option<DunningFacts>, EngineError> {
        // A page that begins with this customer, whose id comes right behind.
        let before = CustomerId(Uuid::from_u128(customer.0.as_u128().saturating_sub(1)));
        let page = PageQuery { after: Some(before), limit: 1 };
        let query = DunningQuery { due_from: Date::MIN, due_until: Date::MAX, last: None };
        let found = self.store.load_dunning(self.tenant, query, page).await?;
        Ok(found.into_iter().find(|facts| facts.customer_id == customer))
    }

    /// Queues a message with the receipt of a payment. The message that follows from the payment itself counts as one; `again` makes
    /// another one when there was one.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn send_receipt(
        &self,
        row: &PaymentRow,
        again: bool,
        now: DateTime<Utc>,
    ) -> Result<PaperSent, EngineError> {
        match self.queue_receipt(row, false, now).await? {
            PaperSent::Known(_) if again => self.queue_receipt(row, true, now).await,
            sent => Ok(sent),
        }
    }

    async fn queue_receipt(&self, row: &PaymentRow, again: bool, now: DateTime<Utc>) -> Result<PaperSent, EngineError> {
        let (id, customer) = (row.payment.id, row.payment.customer_id);
        let mut message = self.paper_message(NotificationKind::PaymentReceived, customer, id.0, again, now).await?;
        if !again {
            let key = NotificationKey { kind: NotificationKind::PaymentReceived, level: 0, subject: id.0 };
            message.keys.push(key);
        }
        message.payment_id = Some(id);
        self.queue_paper(message, now).await
    }

    async fn paper_message(
        &self,
        kind: NotificationKind,
        customer: CustomerId,
        of: Uuid,
        again: bool,
        now: DateTime<Utc>,
    ) -> Result<Notification, EngineError> {
        let moment = now.timestamp_micros().to_string();
        let words = if again { ["paper", moment.as_str()] } else { ["paper", ""] };
        let zone = self.zone_of(customer).await?;
        Ok(Notification::new(self.tenant, kind, 0, customer, &[derive(of, &words)], now, zone))
    }

    async fn queue_paper(&self, message: Notification, now: DateTime<Utc>) -> Result<PaperSent, EngineError> {
        let leaves = match self.foresee_message(&message, now).await? {
            (_, Verdict::Drop(why)) => return Ok(PaperSent::Untrue(why)),
            (at, Verdict::Send(_) | Verdict::Later(..)) => at,
        };
        let changes = ChangeSet { messages: vec![message.clone()], ..ChangeSet::default() };
        let commit = self.store.commit(self.tenant, changes).await?;
        Ok(match commit.messages {
            0 => PaperSent::Known(self.queued_with(&message).await?.map(Box::new)),
            _ => PaperSent::Queued(Box::new(message), leaves),
        })
    }

    /// The last message to a customer that has one of these keys.
    async fn queued_with(&self, message: &Notification) -> Result<Option<OutboxRow>, EngineError> {
        let query = OutboxQuery { topic: Some(Topic::Message), state: None, customer: Some(message.customer_id) };
        let rows = all_pages(self.page, |page| self.store.outbox(self.tenant, query, page), |row| row.id).await?;
        let same = |row: &OutboxRow| match &row.effect {
            Effect::Message(other) => other.keys.iter().any(|key| message.keys.contains(key)),
            Effect::Access(_) => false,
        };
        Ok(rows.into_iter().filter(same).max_by_key(|row| row.finished_at.unwrap_or(row.next_attempt)))
    }
}
