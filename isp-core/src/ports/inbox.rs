//! What came in from outside and waits to be read, and the links by which customers see their page.

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Lease, OutboxState, PageQuery, StoreError, Topic};
use crate::customer::Phone;
use crate::ids::{CustomerId, OutboxId, PageLinkId, TenantId, WebhookId, WorkerId, derive};
use crate::payment::PageLink;

/// A request that somebody outside sent us, as it arrived. Whoever keeps it has verified it.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The row; follows from source and body, so that the same said twice is one.
    pub id: WebhookId,
    /// Who sent it: `whatsapp`, `midtrans` and so on.
    pub source: String,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// Those headers that reading it needs, names in small letters.
    pub headers: Vec<(String, String)>,
    /// The bytes as they came. They hold personal data.
    pub body: Vec<u8>,
}

impl Webhook {
    /// A request with the id that follows from it.
    ///
    /// ```
    /// use isp_core::{ids::TenantId, ports::Webhook};
    /// let now = chrono::DateTime::UNIX_EPOCH;
    /// let of = |body: &[u8]| Webhook::new(TenantId::DEFAULT, "whatsapp", Vec::new(), body.to_vec(), now).id;
    /// assert_eq!(of(b"{}"), of(b"{}"));
    /// assert_ne!(of(b"{}"), of(b"[]"));
    /// ```
    #[must_use]
    pub fn new(
        tenant: TenantId,
        source: &str,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
        received_at: DateTime<Utc>,
    ) -> Self {
        let id = WebhookId(Uuid::new_v5(&derive(tenant.0, &["webhook", source]), &body));
        Self { id, source: source.to_owned(), received_at, headers, body }
    }

    /// A header, by its name in small letters.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("id", &self.id).field("source", &self.source).finish_non_exhaustive()
    }
}

/// Where a webhook stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WebhookState {
    /// It is to be read.
    Waiting,
    /// All of it was read, and acted upon.
    Read,
    /// It, or a part of it, could not be read; a person looks.
    Unread,
}

impl WebhookState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Read, Self::Unread];

    /// `waiting`, `read` or `unread`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Read => "read",
            Self::Unread => "unread",
        }
    }
}

/// A webhook with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookRow {
    /// As it arrived.
    pub webhook: Webhook,
    /// Where it stands.
    pub state: WebhookState,
    /// How often it was read in vain.
    pub tries: u32,
    /// When it is read next.
    pub next_try: DateTime<Utc>,
    /// What it came to, without personal data.
    pub note: String,
}

/// What became of reading a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookOutcome {
    /// Which.
    pub id: WebhookId,
    /// Its new state; [`WebhookState::Waiting`] to read it again at `next_try`.
    pub state: WebhookState,
    /// When it is read next.
    pub next_try: DateTime<Utc>,
    /// What it came to, without personal data.
    pub note: String,
}

/// What the other side says became of a message that it took. The order is the rank: a later word of a lower rank changes
/// nothing, so it does not matter in which order words come, nor how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Heard {
    /// It left.
    Sent,
    /// It did not arrive. A phone that shows the message is stronger evidence.
    Failed,
    /// It is on the customer's phone.
    Delivered,
    /// It was opened.
    Read,
}

impl Heard {
    /// All words, by rank from 1.
    pub const ALL: [Self; 4] = [Self::Sent, Self::Failed, Self::Delivered, Self::Read];

    /// `sent`, `failed`, `delivered` or `read`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
            Self::Read => "read",
        }
    }

    /// Its rank; 0 is nothing heard.
    #[must_use]
    pub const fn rank(self) -> u16 {
        match self {
            Self::Sent => 1,
            Self::Failed => 2,
            Self::Delivered => 3,
            Self::Read => 4,
        }
    }
}

/// One word about a message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryWord {
    /// Which row of the outbox.
    pub id: OutboxId,
    /// What was heard.
    pub heard: Heard,
    /// When, by the other side's clock.
    pub at: DateTime<Utc>,
    /// Why it failed: the other side's code, without personal data.
    pub why: String,
}

/// What came in from outside, and the links of pages.
///
/// A port of its own beside [`super::Store`]: only a program that listens needs it. The contract of `Store` on tenants, pages
/// and durability holds here too.
#[async_trait]
pub trait InboxStore: Send + Sync {
    /// Keeps webhooks, durably when it returns. One that is there already is left as it is, but for one that could not be read:
    /// that is read again. How many were new.
    async fn keep_webhooks(&self, tenant: TenantId, webhooks: Vec<Webhook>) -> Result<u64, StoreError>;

    /// Takes waiting webhooks whose next try has come, earliest first, and holds them until the lease ends. Two callers at once
    /// never get the same.
    async fn claim_webhooks(&self, tenant: TenantId, lease: Lease, limit: u32) -> Result<Vec<WebhookRow>, StoreError>;

    /// Records what became of webhooks that this owner claimed; those that another one has meanwhile stay as they are.
    async fn settle_webhooks(
        &self,
        tenant: TenantId,
        owner: WorkerId,
        outcomes: &[WebhookOutcome],
    ) -> Result<(), StoreError>;

    /// Webhooks in id order, all or those of one state.
    async fn webhooks(
        &self,
        tenant: TenantId,
        state: Option<WebhookState>,
        page: PageQuery<WebhookId>,
    ) -> Result<Vec<WebhookRow>, StoreError>;

    /// Makes webhooks that could not be read wait for being read at `now`: one, or all. How many.
    async fn retry_webhooks(
        &self,
        tenant: TenantId,
        only: Option<WebhookId>,
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError>;

    /// A person has seen to a webhook that could not be read or acted upon: it counts as read. False when there is none such.
    async fn finish_webhook(&self, tenant: TenantId, id: WebhookId) -> Result<bool, StoreError>;

    /// Forgets webhooks that came before a moment and do not wait, the oldest first, at most so many. How many.
    async fn forget_webhooks(&self, tenant: TenantId, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError>;

    /// Folds what was heard of messages into the outbox. A message that is unknown went out, whatever is heard of it; one that
    /// did not arrive is failed, until it is heard that it did. Of rows that are not there, or are still to be sent, nothing
    /// is kept. How many rows changed.
    async fn hear(&self, tenant: TenantId, words: &[DeliveryWord]) -> Result<u64, StoreError>;

    /// The customers with this number, in id order.
    async fn customers_by_phone(&self, tenant: TenantId, phone: &Phone) -> Result<Vec<CustomerId>, StoreError>;

    /// Keeps that a customer said at a moment that no messages are wanted any more, or that they are wanted again. What was said
    /// last counts, in whatever order it is told. [`OutboxStore::message_facts`] tells it.
    ///
    /// [`OutboxStore::message_facts`]: super::OutboxStore::message_facts
    async fn opt_out(
        &self,
        tenant: TenantId,
        customer: CustomerId,
        out: bool,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// How much waits, is in trouble, is isolated: for whoever watches.
    async fn pulse(&self, tenant: TenantId) -> Result<Pulse, StoreError>;

    /// Keeps a link. `Rejected` when its customer is unknown.
    async fn keep_link(&self, tenant: TenantId, link: PageLink) -> Result<(), StoreError>;

    /// The link with this hash of its token.
    async fn link(&self, tenant: TenantId, hash: [u8; 32]) -> Result<Option<PageLink>, StoreError>;

    /// Links, in id order.
    async fn links(&self, tenant: TenantId, page: PageQuery<PageLinkId>) -> Result<Vec<PageLink>, StoreError>;

    /// Forgets links: those of a customer, or these.
    async fn forget_links(&self, tenant: TenantId, which: Forgotten) -> Result<u64, StoreError>;
}

/// How much waits, is in trouble, is isolated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pulse {
    /// Rows of the outbox that are not done or dropped, by topic and state, each with the earliest moment at which one was due.
    pub outbox: Vec<(Topic, OutboxState, u64, DateTime<Utc>)>,
    /// Webhooks that were not read, by state.
    pub webhooks: Vec<(WebhookState, u64)>,
    /// Lines that are wanted open, and isolated.
    pub lines: (u64, u64),
    /// Lines of either kind of which their router has not said so.
    pub unconfirmed: u64,
    /// Money on bank accounts of which nobody knows whose it is: how many mutations.
    pub unmatched: u64,
    /// Connections to the database that are at work, and idle ones; none where the store has no connections.
    pub connections: (u64, u64),
}

/// Which links are forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forgotten {
    /// All of a customer.
    Customer(CustomerId),
    /// These.
    These(Vec<PageLinkId>),
}
