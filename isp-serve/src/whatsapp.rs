//! WhatsApp's webhooks: what became of our messages, and what customers write.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use isp_core::customer::Phone;
use isp_core::engine::EngineError;
use isp_core::ids::{OutboxId, TenantId};
use isp_core::message::inbound::Wish;
use isp_core::payment::notice::only;
use isp_core::ports::{DeliveryWord, Heard, Webhook};
use isp_whatsapp::webhook::{Event, InboundKind, InboundMessage, Status, StatusUpdate, Webhook as Meta, WebhookError};

use crate::provider::Provider;
use crate::source::{Acted, Refused, Source};

/// After so many hours a wish is for a person: the customer has gone on.
const WISH_HOURS: i64 = 20;

const SIGNATURE: &str = "x-hub-signature-256";

/// The webhook of a Meta app.
#[derive(Debug)]
pub struct WhatsApp {
    meta: Meta,
}

impl WhatsApp {
    /// With the two secrets of the app.
    #[must_use]
    pub fn new(meta: Meta) -> Self {
        Self { meta }
    }
}

fn refused(error: WebhookError) -> Refused {
    let (status, why) = match error {
        WebhookError::SignatureMissing => (401, "signature_missing"),
        WebhookError::SignatureMismatch => (401, "signature"),
        WebhookError::Malformed => (400, "malformed"),
        WebhookError::SubscriptionRefused => (403, "subscription"),
        WebhookError::NotSetUp => (503, "not_set_up"),
        _ => (401, "signature"),
    };
    Refused { status, why }
}

#[async_trait]
impl Source for WhatsApp {
    fn name(&self) -> &str {
        "whatsapp"
    }

    fn kept(&self, webhook: &Webhook) -> Vec<(String, String)> {
        only(&webhook.headers, &[SIGNATURE])
    }

    fn subscribe(&self, query: &str) -> Result<String, Refused> {
        self.meta.subscribe(query).map_err(refused)
    }

    fn admit(&self, webhook: &Webhook) -> Result<(), Refused> {
        self.meta.receive(webhook.header(SIGNATURE), &webhook.body).map(drop).map_err(refused)
    }

    async fn act(&self, provider: &Provider, webhook: &Webhook, now: DateTime<Utc>) -> Result<Acted, EngineError> {
        let mut acted = Acted::default();
        let events = match self.meta.receive(webhook.header(SIGNATURE), &webhook.body) {
            Ok(events) => events,
            // It was believed when it came: the secret has changed since.
            Err(error) => return Ok(Acted { unread: 1, note: error.to_string(), ..acted }),
        };
        let (mut words, mut answers, mut others) = (Vec::new(), 0, 0);
        for event in &events {
            match event {
                Event::Status(status) => match word(provider.tenant, status) {
                    Some(word) => words.push(word),
                    None => others += 1,
                },
                Event::Inbound(message) => answers += wrote(provider, message, now).await?,
                Event::Unreadable(_) => acted.unread += 1,
                _ => others += 1,
            }
        }
        let heard = if words.is_empty() { 0 } else { provider.inbox.hear(provider.tenant, &words).await? };
        acted.deliver = answers > 0;
        acted.note = format!("{heard} statuses, {answers} answers, {others} not acted upon");
        if acted.unread > 0 {
            acted.note = format!("{} parts could not be read; {}", acted.unread, acted.note);
        }
        Ok(acted)
    }
}

/// What a status says of a message of ours; `None` for a message of another provider, or of none.
fn word(tenant: TenantId, status: &StatusUpdate) -> Option<DeliveryWord> {
    let (of, id) = status.callback_data.as_deref()?.split_once(':')?;
    if of.parse() != Ok(tenant.0) {
        return None;
    }
    let (heard, why) = match status.status {
        Status::Sent => (Heard::Sent, String::new()),
        Status::Delivered => (Heard::Delivered, String::new()),
        Status::Read => (Heard::Read, String::new()),
        Status::Failed(code) => (Heard::Failed, code.map_or_else(|| "no code".to_owned(), |code| code.0.to_string())),
        _ => return None,
    };
    Some(DeliveryWord { id: OutboxId(id.parse().ok()?), heard, at: status.at, why })
}

/// Acts upon what a customer wrote; how many answers were queued.
async fn wrote(provider: &Provider, message: &InboundMessage, now: DateTime<Utc>) -> Result<usize, EngineError> {
    let wish = match &message.kind {
        InboundKind::Text(text) => Wish::read(text.reveal()),
        InboundKind::Button(payload) => Wish::of_button(payload),
        _ => Wish::Other,
    };
    // Who wants no messages says so for good; other wishes are of their day.
    let late = now - message.at > TimeDelta::hours(WISH_HOURS) && !matches!(wish, Wish::OptOut | Wish::OptIn);
    let phone = message.from.as_ref().and_then(|from| Phone::parse(&format!("+{}", from.reveal())).ok());
    let Some(phone) = phone.filter(|_| wish != Wish::Other && !late) else { return Ok(0) };
    let mut answers = 0;
    let engine = provider.engine();
    for customer in provider.inbox.customers_by_phone(provider.tenant, &phone).await? {
        let at = message.at.min(now);
        let answered = engine.wrote(provider.inbox.as_ref(), customer, &message.message_id, wish, at, now).await?;
        answers += usize::from(answered.is_some());
    }
    Ok(answers)
}
