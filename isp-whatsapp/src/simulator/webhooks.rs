//! Status webhooks, signed as Meta signs them.

use std::io;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::Simulator;
use crate::graph::GraphCode;
use crate::webhook::{Status, signature};

/// A webhook request: what stands on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedWebhook {
    /// The value of the `X-Hub-Signature-256` header.
    pub signature: String,
    /// The exact bytes that are signed.
    pub body: Vec<u8>,
}

impl Simulator {
    /// The webhook that reports these statuses of accepted messages, in this order, in one request.
    ///
    /// # Errors
    /// `NotFound` when a message id was never given out.
    pub fn status_webhook(&self, statuses: &[(&str, Status)], at: DateTime<Utc>) -> io::Result<SignedWebhook> {
        let statuses = statuses
            .iter()
            .map(|(message_id, status)| self.status(message_id, *status, at))
            .collect::<io::Result<Vec<_>>>()?;
        let body = json!({
            "object": "whatsapp_business_account",
            "entry": [{
                "id": "102290129340398",
                "changes": [{
                    "field": "messages",
                    "value": {
                        "messaging_product": "whatsapp",
                        "metadata": { "display_phone_number": "6285100001111", "phone_number_id": "106540352242922" },
                        "statuses": statuses,
                    },
                }],
            }],
        });
        // Meta escapes slashes; in JSON a slash occurs only inside strings, so replacing it keeps the value.
        let body = body.to_string().replace('/', "\\/").into_bytes();
        Ok(SignedWebhook { signature: signature(&self.shared().app_secret, &body), body })
    }

    /// Posts a webhook to a loopback address and gives back the HTTP status of the answer.
    ///
    /// # Errors
    /// When the address is not plain HTTP on loopback, or cannot be reached within 5 seconds.
    pub async fn post_webhook(&self, url: &str, webhook: &SignedWebhook) -> io::Result<u16> {
        crate::cloud::post_loopback(url, &webhook.signature, webhook.body.clone()).await
    }

    fn status(&self, message_id: &str, status: Status, at: DateTime<Utc>) -> io::Result<Value> {
        let state = self.shared().state();
        let message = state
            .accepted
            .iter()
            .find(|message| message.message_id == message_id)
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such message was accepted"))?;
        let mut value = json!({
            "id": message_id,
            "status": word(status),
            "timestamp": at.timestamp().to_string(),
            "recipient_id": message.to.reveal(),
        });
        if let Some(data) = &message.callback_data {
            value["biz_opaque_callback_data"] = json!(data);
        }
        match status {
            Status::Failed(code) => value["errors"] = errors(code),
            Status::Sent | Status::Delivered => {
                value["pricing"] =
                    json!({ "billable": true, "pricing_model": "PMP", "category": "utility", "type": "regular" });
            }
            Status::Read => {}
        }
        Ok(value)
    }
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Sent => "sent",
        Status::Delivered => "delivered",
        Status::Read => "read",
        Status::Failed(_) => "failed",
    }
}

fn errors(code: Option<GraphCode>) -> Value {
    code.map_or_else(
        || json!([]),
        |code| json!([{ "code": code.0, "title": "simulated", "href": "https://developers.facebook.com/docs/" }]),
    )
}
