//! The JSON of a webhook. Every field that Meta may leave out is optional; unknown fields are ignored.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use super::half_signs::mended;
use super::{Event, InboundKind, InboundMessage, Pricing, Status, StatusUpdate, TemplateUpdate, WebhookError};
use crate::graph::GraphCode;
use crate::personal::Personal;

pub(super) fn parse(raw: &[u8]) -> Result<Vec<Event>, WebhookError> {
    let body: Body = match serde_json::from_slice(raw) {
        Ok(body) => body,
        Err(_) => read(serde_json::from_slice(&mended(raw)))?,
    };
    if body.object != "whatsapp_business_account" {
        return Err(WebhookError::Malformed);
    }
    let mut events = Vec::new();
    for entry in body.entry {
        let Some(Entry { changes }) = one(entry, "entry", &mut events) else { continue };
        for change in changes {
            let Some(change) = one::<Change>(change, "change", &mut events) else { continue };
            match change.field.as_str() {
                "messages" => messages(change.value, &mut events),
                "message_template_status_update" | "template_category_update" => match template(change.value) {
                    Ok(update) => events.push(Event::Template(update)),
                    Err(_) => events.push(Event::Unreadable("template")),
                },
                _ => events.push(Event::Ignored(change.field)),
            }
        }
    }
    // Nothing of it was understood: Meta is asked for it again.
    let lost = !events.is_empty() && events.iter().all(|event| matches!(event, Event::Unreadable(_)));
    if lost { Err(WebhookError::Malformed) } else { Ok(events) }
}

/// Reads one of several. One that cannot be read is told, and its neighbours are read all the same.
fn one<T: serde::de::DeserializeOwned>(value: Value, what: &'static str, events: &mut Vec<Event>) -> Option<T> {
    match serde_json::from_value(value) {
        Ok(read) => Some(read),
        Err(_) => {
            events.push(Event::Unreadable(what));
            None
        }
    }
}

// The error of serde_json quotes the offending value, which may be a phone number: it is dropped here.
fn read<T>(result: serde_json::Result<T>) -> Result<T, WebhookError> {
    result.map_err(|_| WebhookError::Malformed)
}

fn messages(value: Value, events: &mut Vec<Event>) {
    let Some(Messages { statuses, messages }) = one(value, "messages", events) else { return };
    // Each list by itself: one that is none costs the other nothing.
    let mut list = |value: Option<Value>, what| value.and_then(|value| one::<Vec<Value>>(value, what, events));
    let (statuses, messages) = (list(statuses, "statuses"), list(messages, "messages"));
    for status in statuses.unwrap_or_default() {
        let read = one::<WireStatus>(status, "status", events).map(WireStatus::event);
        events.extend(read.map(|event| event.unwrap_or(Event::Unreadable("status"))));
    }
    for message in messages.unwrap_or_default() {
        let read = one::<WireMessage>(message, "message", events).map(WireMessage::inbound);
        events.extend(read.map(|event| event.map_or(Event::Unreadable("message"), Event::Inbound)));
    }
}

fn template(value: Value) -> Result<TemplateUpdate, WebhookError> {
    let value: Template = read(serde_json::from_value(value))?;
    Ok(TemplateUpdate {
        name: value.message_template_name,
        language: value.message_template_language,
        event: value.event.or(value.new_category).ok_or(WebhookError::Malformed)?,
        reason: value.reason.filter(|reason| reason != "NONE"),
    })
}

/// A moment in seconds. WhatsApp has none before 2009, and a number of milliseconds is of a year that no calendar of ours has.
fn instant(seconds: &str) -> Result<DateTime<Utc>, WebhookError> {
    const MOMENTS: std::ops::Range<i64> = 1_230_768_000..7_258_118_400;
    let seconds = seconds.parse().ok().filter(|seconds| MOMENTS.contains(seconds));
    seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0)).ok_or(WebhookError::Malformed)
}

#[derive(Deserialize)]
struct Body {
    object: String,
    entry: Vec<Value>,
}

#[derive(Deserialize)]
struct Entry {
    changes: Vec<Value>,
}

#[derive(Deserialize)]
struct Change {
    field: String,
    value: Value,
}

#[derive(Deserialize)]
struct Messages {
    statuses: Option<Value>,
    messages: Option<Value>,
}

#[derive(Deserialize)]
struct WireStatus {
    id: String,
    status: String,
    timestamp: String,
    recipient_id: Option<Personal>,
    recipient_user_id: Option<Personal>,
    biz_opaque_callback_data: Option<String>,
    pricing: Option<WirePricing>,
    #[serde(default)]
    errors: Vec<WireError>,
}

#[derive(Deserialize)]
struct WirePricing {
    #[serde(default)]
    billable: bool,
    #[serde(default)]
    category: String,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct WireError {
    code: i64,
}

#[derive(Deserialize)]
struct WireMessage {
    id: String,
    timestamp: String,
    from: Option<Personal>,
    from_user_id: Option<Personal>,
    #[serde(rename = "type")]
    kind: String,
    text: Option<WireText>,
    button: Option<WireButton>,
    context: Option<WireContext>,
}

#[derive(Deserialize)]
struct WireText {
    body: Personal,
}

#[derive(Deserialize)]
struct WireButton {
    payload: String,
}

#[derive(Deserialize)]
struct WireContext {
    id: Option<String>,
}

#[derive(Deserialize)]
struct Template {
    message_template_name: String,
    message_template_language: String,
    event: Option<String>,
    new_category: Option<String>,
    reason: Option<String>,
}

impl WireStatus {
    fn event(self) -> Result<Event, WebhookError> {
        let status = match self.status.as_str() {
            "sent" => Status::Sent,
            "delivered" => Status::Delivered,
            "read" => Status::Read,
            "failed" => Status::Failed(self.errors.first().map(|error| GraphCode(error.code))),
            _ => return Ok(Event::Ignored(self.status)),
        };
        Ok(Event::Status(StatusUpdate {
            message_id: self.id,
            status,
            at: instant(&self.timestamp)?,
            callback_data: self.biz_opaque_callback_data,
            recipient: self.recipient_id,
            recipient_user_id: self.recipient_user_id,
            pricing: self.pricing.map(|pricing| Pricing {
                billable: pricing.billable,
                category: pricing.category,
                kind: pricing.kind,
            }),
        }))
    }
}

impl WireMessage {
    fn inbound(self) -> Result<InboundMessage, WebhookError> {
        let at = instant(&self.timestamp)?;
        let kind = match (self.text, self.button) {
            (Some(text), _) => InboundKind::Text(text.body),
            (None, Some(button)) => InboundKind::Button(button.payload),
            (None, None) => InboundKind::Other(self.kind),
        };
        Ok(InboundMessage {
            message_id: self.id,
            at,
            from: self.from,
            from_user_id: self.from_user_id,
            in_reply_to: self.context.and_then(|context| context.id),
            kind,
        })
    }
}
