//! Messages that ask for money carry a link to the customer's page.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use isp_core::ids::{CustomerId, PageLinkId};
use isp_core::message::Document;
use isp_core::message::notification::OutgoingMessage;
use isp_core::ports::{
    Attachment, Effect, InboxStore as _, Messenger, OutboxStore as _, PortError, SendOutcome, StoreError, Upload,
};
use isp_serve::pages::Token;
use isp_store::SqlStore;

/// A messenger beside whose ways to pay stands a link, where customers' pages have an address.
pub(crate) struct Linked<M> {
    messenger: M,
    pages: Option<Pages>,
}

/// Where customers' pages are, and who keeps their links.
pub(crate) struct Pages {
    /// The address in front of every page's.
    pub(crate) public_url: String,
    /// Who keeps the links.
    pub(crate) store: Arc<SqlStore>,
    /// The moment for which messages leave; `None` for that of the clock.
    pub(crate) now: Option<DateTime<Utc>>,
}

impl<M> Linked<M> {
    pub(crate) const fn new(messenger: M, pages: Option<Pages>) -> Self {
        Self { messenger, pages }
    }
}

/// A message that asks for money with a sign in place of the link that it gets when it is sent.
pub(crate) fn private_page(mut message: OutgoingMessage, public_url: &str) -> OutgoingMessage {
    if let Some(sender) = message.sender.as_mut().filter(|_| message.content.asks_for_money()) {
        sender.pay_to.push(format!("{public_url}/t/..."));
    }
    message
}

impl Pages {
    /// A message that asks for money with a link of its own beside the ways to pay; any other as it is.
    pub(crate) async fn with_link(&self, message: &OutgoingMessage) -> Result<OutgoingMessage, PortError> {
        let mut message = message.clone();
        if message.sender.is_some()
            && message.content.asks_for_money()
            && let Some(url) = self.draw(&message).await?
            && let Some(sender) = &mut message.sender
        {
            sender.pay_to.push(url);
        }
        Ok(message)
    }

    /// The address of a page of its own for this message, kept before it is sent; `None` for a message whose row is gone.
    async fn draw(&self, message: &OutgoingMessage) -> Result<Option<String>, PortError> {
        let Some(customer) = self.customer(message).await.map_err(not_sent)? else { return Ok(None) };
        let token = Token::draw().map_err(|error| PortError::NotSent { reason: error.to_string() })?;
        let link = token.link(PageLinkId(uuid::Uuid::now_v7()), customer, self.now.unwrap_or_else(Utc::now));
        self.store.keep_link(message.tenant, link).await.map_err(not_sent)?;
        Ok(Some(token.url(&self.public_url)))
    }

    async fn customer(&self, message: &OutgoingMessage) -> Result<Option<CustomerId>, StoreError> {
        let row = self.store.outbox_row(message.tenant, message.id).await?;
        Ok(row.and_then(|row| match row.effect {
            Effect::Message(asked) => Some(asked.customer_id),
            _ => None,
        }))
    }
}

/// A message whose link could not be kept waits: its link would open nothing.
fn not_sent(error: StoreError) -> PortError {
    PortError::NotSent { reason: format!("link not kept: {}", error.code()) }
}

#[async_trait]
impl<M: Messenger> Messenger for Linked<M> {
    async fn send(&self, message: &OutgoingMessage) -> Result<SendOutcome, PortError> {
        match &self.pages {
            Some(pages) => self.messenger.send(&pages.with_link(message).await?).await,
            None => self.messenger.send(message).await,
        }
    }

    fn wants_document(&self, message: &OutgoingMessage) -> bool {
        self.messenger.wants_document(message)
    }

    async fn upload(&self, document: &Document) -> Result<Upload, PortError> {
        self.messenger.upload(document).await
    }

    async fn send_with(&self, message: &OutgoingMessage, file: &Attachment) -> Result<SendOutcome, PortError> {
        match &self.pages {
            Some(pages) => self.messenger.send_with(&pages.with_link(message).await?, file).await,
            None => self.messenger.send_with(message, file).await,
        }
    }

    async fn probe(&self) -> Result<Option<SendOutcome>, PortError> {
        self.messenger.probe().await
    }

    fn template(&self, message: &OutgoingMessage) -> Option<String> {
        self.messenger.template(message)
    }
}
