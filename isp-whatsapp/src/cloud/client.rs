//! The client.

use std::fmt;

use isp_core::message::notification::{MessageContent, OutgoingMessage};
use reqwest::Url;
use secrecy::ExposeSecret;

use super::transport::{self, Exchange};
use super::{CloudConfig, wire};
use crate::catalog::TemplateCatalog;
use crate::error::WhatsAppError;
use crate::notification::{TemplateMessage, callback_data};
use crate::outcome::{DownCause, Outcome, Unreachable};

/// Sends template messages from one number. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct CloudClient {
    http: reqwest::Client,
    endpoint: Url,
    config: CloudConfig,
}

impl CloudClient {
    /// Checks the settings and prepares the client. Connects to nothing.
    ///
    /// # Errors
    /// [`WhatsAppError`] for a setting that cannot work.
    pub fn try_new(config: CloudConfig) -> Result<Self, WhatsAppError> {
        let token = config.access_token.expose_secret();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(WhatsAppError::BadToken);
        }
        if !is_segment(&config.graph_version) || !is_segment(&config.phone_number_id) {
            return Err(WhatsAppError::BadSetting);
        }
        let mut endpoint = transport::address(&config.base_url)?;
        endpoint.path_segments_mut().map_err(|()| WhatsAppError::BadBaseUrl)?.pop_if_empty().extend([
            config.graph_version.as_str(),
            config.phone_number_id.as_str(),
            "messages",
        ]);
        let http = transport::client(config.deadline)?;
        Ok(Self { http, endpoint, config })
    }

    /// The templates this client sends.
    #[must_use]
    pub fn templates(&self) -> &TemplateCatalog {
        &self.config.templates
    }

    /// Looks at the sending number, which sends nothing; `None` when nothing that was seen speaks against sending.
    pub async fn look(&self) -> Option<Outcome> {
        let mut number = self.endpoint.clone();
        if let Ok(mut path) = number.path_segments_mut() {
            path.pop();
        }
        number.query_pairs_mut().append_pair("fields", "id");
        let request = self.http.get(number).bearer_auth(self.config.access_token.expose_secret());
        match transport::exchange(request).await {
            Exchange::Answered { status, body } => Outcome::of_probe(status, &body),
            Exchange::NotSent(cause) => Some(Outcome::ChannelDown(DownCause::Unreachable(cause))),
            // It was no message, so nothing is unknown of one.
            Exchange::Unknown(_) => Some(Outcome::ChannelDown(DownCause::Unreachable(Unreachable::NoAnswer))),
        }
    }

    /// Sends a message through the template of its kind and language, once: no repetition happens here. An answer goes as plain
    /// text, which Meta takes within 24 hours of what the customer wrote.
    pub async fn send_message(&self, message: &OutgoingMessage) -> Outcome {
        if let MessageContent::Answer(answer) = &message.content {
            let text = answer.text(message.language, message.sender.as_ref());
            return self
                .post("text", &callback_data(message), &wire::text(message.to.digits(), &callback_data(message), &text))
                .await;
        }
        match TemplateMessage::compose(&self.config.templates, message) {
            Ok(composed) => self.send_template(message.to.digits(), &callback_data(message), &composed).await,
            Err(fault) => Outcome::ConfigError(fault),
        }
    }

    /// Sends one composed message, once.
    ///
    /// `to` is a phone number in digits with country code (`62…`); `callback_data` (`tenant:outbox id`, at most 512
    /// characters) comes back in every status webhook of the message.
    pub async fn send_template(&self, to: &str, callback_data: &str, message: &TemplateMessage) -> Outcome {
        self.post(&message.template, callback_data, &wire::Request::new(to, callback_data, message)).await
    }

    async fn post(&self, what: &str, callback_data: &str, body: &impl serde::Serialize) -> Outcome {
        let token = self.config.access_token.expose_secret();
        let request = self.http.post(self.endpoint.clone()).bearer_auth(token).json(body);
        let outcome = match transport::exchange(request).await {
            Exchange::Answered { status, body } => Outcome::from_answer(status, &body),
            Exchange::NotSent(cause) => Outcome::ChannelDown(DownCause::Unreachable(cause)),
            Exchange::Unknown(cause) => Outcome::Unknown(cause),
        };
        tracing::debug!(template = what, callback = callback_data, ?outcome, "whatsapp message");
        outcome
    }
}

impl fmt::Debug for CloudClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudClient").field("endpoint", &self.endpoint.as_str()).finish_non_exhaustive()
    }
}

fn is_segment(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.') && !text.starts_with('.')
}
