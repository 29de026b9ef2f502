//! The client.

use std::fmt;

use isp_core::message::Document;
use isp_core::message::notification::{MessageContent, OutgoingMessage};
use isp_core::ports::Attachment;
use reqwest::Url;
use reqwest::multipart::{Form, Part};
use secrecy::ExposeSecret;

use super::transport::{self, Exchange};
use super::{CloudConfig, wire};
use crate::catalog::TemplateCatalog;
use crate::error::WhatsAppError;
use crate::notification::{TemplateMessage, callback_data};
use crate::outcome::{ConfigFault, DownCause, Outcome, Unreachable};

/// The largest document that Meta takes.
const LARGEST_DOCUMENT: usize = 100 * 1024 * 1024;

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

    /// As [`CloudClient::send_message`], with a file above the text that was uploaded. A template without a document goes without.
    pub async fn send_message_with(&self, message: &OutgoingMessage, file: &Attachment) -> Outcome {
        let composed = match TemplateMessage::compose(&self.config.templates, message) {
            Ok(composed) if composed.has_document() => composed,
            Ok(_) | Err(ConfigFault::NoTemplate) => return self.send_message(message).await,
            Err(fault) => return Outcome::ConfigError(fault),
        };
        let (to, data) = (message.to.digits(), callback_data(message));
        let media = wire::Media { id: &file.id, name: &file.name };
        self.post(&composed.template, &data, &wire::Request::new(to, &data, &composed, Some(media))).await
    }

    /// Gives a PDF file to Meta, which keeps it for 30 days. No message goes out.
    ///
    /// # Errors
    /// What it means for a message with the file, which was certainly not sent.
    pub async fn upload(&self, document: &Document) -> Result<Attachment, Outcome> {
        if document.content.len() > LARGEST_DOCUMENT {
            return Err(Outcome::ConfigError(ConfigFault::LargeDocument));
        }
        let unreached = |cause| Outcome::ChannelDown(DownCause::Unreachable(cause));
        let part = Part::bytes(document.content.clone()).file_name(document.name.clone());
        let part = part.mime_str("application/pdf").map_err(|_| unreached(Unreachable::ConnectFailed))?;
        let form = Form::new().text("messaging_product", "whatsapp").text("type", "application/pdf").part("file", part);
        let mut address = self.endpoint.clone();
        if let Ok(mut path) = address.path_segments_mut() {
            path.pop().push("media");
        }
        let token = self.config.access_token.expose_secret();
        let answer = transport::exchange(self.http.post(address).bearer_auth(token).multipart(form)).await;
        let uploaded = match answer {
            Exchange::Answered { status, body } => Outcome::of_upload(status, &body),
            Exchange::NotSent(cause) => Err(unreached(cause)),
            // A file that may have arrived is no message.
            Exchange::Unknown(_) => Err(unreached(Unreachable::NoAnswer)),
        };
        tracing::debug!(taken = uploaded.is_ok(), bytes = document.content.len(), "whatsapp document");
        uploaded.map(|id| Attachment { id, name: document.name.clone() })
    }

    /// Sends one composed message, once.
    ///
    /// `to` is a phone number in digits with country code (`62…`); `callback_data` (`tenant:outbox id`, at most 512
    /// characters) comes back in every status webhook of the message. A template with a document is refused: it goes by
    /// [`CloudClient::send_message_with`].
    pub async fn send_template(&self, to: &str, callback_data: &str, message: &TemplateMessage) -> Outcome {
        if message.has_document() {
            return Outcome::ConfigError(ConfigFault::NoDocument);
        }
        self.post(&message.template, callback_data, &wire::Request::new(to, callback_data, message, None)).await
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
