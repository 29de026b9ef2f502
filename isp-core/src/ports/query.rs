//! Which rows a caller asks the store for.

use chrono::{DateTime, Utc};

use super::{OutboxState, Topic};
use crate::billing::InvoiceKind;
use crate::calendar::Date;
use crate::ids::{CustomerId, MutationId, PaymentId, RefundId, SubscriptionId, TellingId};
use crate::message::NotificationKind;
use crate::money::Money;
use crate::text::{Code, Reference};

/// A page: rows after `after` in id order, at most `limit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageQuery<I> {
    /// The last id of the page before; `None` for the first page.
    pub after: Option<I>,
    /// At most so many rows. A page with fewer is the last.
    pub limit: u32,
}

impl<I> PageQuery<I> {
    /// The first page.
    #[must_use]
    pub const fn first(limit: u32) -> Self {
        Self { after: None, limit }
    }

    /// Moves on behind these rows of this page, whose ids `id` tells. False when they were the last: a page with fewer
    /// rows than its limit.
    pub fn advance<R>(&mut self, rows: &[R], id: impl FnOnce(&R) -> I) -> bool {
        match rows.last() {
            Some(last) if rows.len() as u64 == u64::from(self.limit) => {
                self.after = Some(id(last));
                true
            }
            _ => false,
        }
    }
}

/// Which subscriptions to load for billing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BillableQuery {
    /// Bit `d` is set when a period that starts on billing day `d` may come due in the window; those with
    /// `billed_from` set are loaded whatever their day.
    pub days: u32,
    /// Those whose `terms.end` is on or after this day are loaded whatever their day: a last, short period ends there.
    pub ends_from: Date,
}

/// Which customers to load for reminders: those with an open invoice in one of these spans of due dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DunningQuery {
    /// Earliest due date.
    pub due_from: Date,
    /// Latest due date.
    pub due_until: Date,
    /// Leaves out invoices of which the last reminder was written; a customer who has no other is not told. `None` leaves out
    /// nobody.
    pub last: Option<LastReminders>,
}

/// Of which invoices no reminder is due, and after which reminders none is due any more. One that was written for the statement of an invoice does not count
/// here: such a customer is told and looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastReminders {
    /// One that is overdue by so many days or more; `None` where none is sent.
    pub overdue: Option<u16>,
    /// One that is due in so many days or fewer, while the invoice is not overdue.
    pub due_soon: Option<u16>,
    /// From this due date on an invoice is not overdue.
    pub today: Date,
    /// The due dates, first and last, of what is overdue and not by enough for a reminder: none of these is due either. The first
    /// is after the last where there is no such day.
    pub between: (Date, Date),
}

impl LastReminders {
    /// True when an invoice with this due date is overdue, and not by enough for a reminder.
    #[must_use]
    pub fn waits(&self, due_date: Date) -> bool {
        self.between.0 <= due_date && due_date <= self.between.1
    }

    /// True when the last reminder of an invoice with this due date was written: one of this kind and level.
    #[must_use]
    pub fn written(&self, due_date: Date, kind: NotificationKind, level: u16) -> bool {
        match kind {
            NotificationKind::Overdue => self.overdue.is_some_and(|last| level >= last),
            NotificationKind::DueSoon => due_date >= self.today && self.due_soon.is_some_and(|last| level <= last),
            _ => false,
        }
    }
}

/// Which subscriptions to load for the isolation decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessQuery {
    /// Those that a run must look at: with an open invoice due on or before the day, or with desired access other than
    /// open, or whose terms end, pause or change package by `today`, or start after it. Closed lines whose terms have
    /// ended are left out.
    Due {
        /// Open invoices due on or before this day.
        due_until: Date,
        /// The latest civil day in any zone.
        today: Date,
    },
    /// All of these customers.
    Customers(Vec<CustomerId>),
    /// These.
    Subscriptions(Vec<SubscriptionId>),
}

/// Which outbox rows to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutboxQuery {
    /// Only this topic.
    pub topic: Option<Topic>,
    /// Only this state.
    pub state: Option<OutboxState>,
    /// Only messages to this customer.
    pub customer: Option<CustomerId>,
}

/// Which invoices to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InvoiceQuery {
    /// Only this customer's.
    pub customer: Option<CustomerId>,
    /// Only those issued on or after this day.
    pub issued_from: Option<Date>,
    /// Only those issued before this day.
    pub issued_before: Option<Date>,
    /// Only those with a residual.
    pub open: bool,
    /// Only this kind.
    pub kind: Option<InvoiceKind>,
}

/// Which payment requests to list; all conditions together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RequestQuery {
    /// Only this customer's.
    pub customer: Option<CustomerId>,
    /// Only those that were neither paid nor cancelled.
    pub standing: bool,
    /// Only those whose amount is kept after this moment.
    pub kept_after: Option<DateTime<Utc>>,
    /// Only amounts from one up to another, both included.
    pub amounts: Option<(Money, Money)>,
}

/// Which requests at gateways to list; all conditions together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GatewayQuery {
    /// Only this customer's.
    pub customer: Option<CustomerId>,
    /// Only the one that this gateway knows by this reference of ours.
    pub known_as: Option<(Code, Reference)>,
    /// Only those that are attempting, unknown or open.
    pub live: bool,
    /// Only those of which the gateway is to be asked by this moment.
    pub poll_due: Option<DateTime<Utc>>,
    /// Only that of this payment.
    pub payment: Option<PaymentId>,
}

/// Which tellings to list; all conditions together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TellingQuery {
    /// Only this one.
    pub id: Option<TellingId>,
    /// Only those of mutations of this account.
    pub account: Option<Code>,
    /// Only those of mutations from one day to another, both included.
    pub days: Option<(Date, Date)>,
}

/// Which refunds at gateways to list; all conditions together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GatewayRefundQuery {
    /// Only this one.
    pub id: Option<RefundId>,
    /// Only those of this payment.
    pub payment: Option<PaymentId>,
    /// Only those of which the gateway is to be asked by this moment.
    pub poll_due: Option<DateTime<Utc>>,
}

/// Which mutations to list; all conditions together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MutationQuery {
    /// Only this one.
    pub id: Option<MutationId>,
    /// Only of this account.
    pub account: Option<Code>,
    /// Only from one day to another, both included.
    pub days: Option<(Date, Date)>,
    /// Only of this amount.
    pub amount: Option<Money>,
    /// Only money that came in and waits for somebody to say whose it is.
    pub waiting: bool,
    /// Only that of this payment.
    pub payment: Option<PaymentId>,
    /// Only those that may be another one once more ([`Mutation::may_correct`](crate::bank::Mutation::may_correct)).
    pub anew: bool,
    /// Only money that went out.
    pub out: bool,
}
