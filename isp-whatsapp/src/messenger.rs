//! The `Messenger` port of isp-core, on the Cloud API.

use async_trait::async_trait;
use isp_core::message::Document;
use isp_core::message::notification::OutgoingMessage;
use isp_core::ports::{Attachment, Messenger, PortError, RetryScope, SendOutcome, Upload};

use crate::cloud::CloudClient;
use crate::graph::GraphClass;
use crate::kind::TemplateKind;
use crate::notification::TemplateMessage;
use crate::outcome::{ConfigFault, DownCause, Outcome};
use crate::template::Template;

#[async_trait]
impl Messenger for CloudClient {
    async fn send(&self, message: &OutgoingMessage) -> Result<SendOutcome, PortError> {
        self.send_message(message).await.into_port()
    }

    fn wants_document(&self, message: &OutgoingMessage) -> bool {
        TemplateKind::of(&message.content)
            .and_then(|kind| self.templates().template(kind, message.language))
            .is_some_and(Template::has_document)
    }

    async fn upload(&self, document: &Document) -> Result<Upload, PortError> {
        match self.upload(document).await {
            Ok(file) => Ok(Upload::Kept(file)),
            Err(outcome) => outcome.into_port().map(Upload::Refused),
        }
    }

    async fn send_with(&self, message: &OutgoingMessage, file: &Attachment) -> Result<SendOutcome, PortError> {
        self.send_message_with(message, file).await.into_port()
    }

    async fn probe(&self) -> Result<Option<SendOutcome>, PortError> {
        self.look().await.map(Outcome::into_port).transpose()
    }

    /// Name and language, as in `isp_layanan_dibuka/id`: Meta keeps each language of a template as one of its own.
    fn template(&self, message: &OutgoingMessage) -> Option<String> {
        let composed = TemplateMessage::compose(self.templates(), message).ok()?;
        Some(format!("{}/{}", composed.template, composed.language))
    }
}

impl Outcome {
    /// The same in the words of the port: `Err` where nothing answered, or nothing that knows.
    ///
    /// # Errors
    /// [`PortError::NotSent`] when no Graph API was reached, [`PortError::Unknown`] when the message may have gone.
    pub fn into_port(self) -> Result<SendOutcome, PortError> {
        let reason = self.to_string();
        match self {
            Self::Accepted { message_id } => Ok(SendOutcome::Accepted { provider_id: message_id }),
            Self::Held { message_id } => Ok(SendOutcome::Held { provider_id: message_id }),
            Self::RetryAfter { at_least, scope, .. } => {
                let seconds = u32::try_from(at_least.as_secs()).unwrap_or(u32::MAX);
                Ok(SendOutcome::RetryAfter { seconds, scope, reason })
            }
            Self::ConfigError(ConfigFault::Graph(code)) if code.class() == GraphClass::Template => {
                Ok(SendOutcome::RetryAfter { seconds: 0, scope: RetryScope::Template, reason })
            }
            Self::RecipientRejected { .. } => Ok(SendOutcome::RecipientRejected { reason }),
            Self::ConfigError(_) => Ok(SendOutcome::ConfigError { reason }),
            Self::ChannelDown(DownCause::Account(_) | DownCause::Quality(_)) => Ok(SendOutcome::ChannelDown { reason }),
            Self::ChannelDown(DownCause::Unreachable(_) | DownCause::NotGraph(_)) => Err(PortError::NotSent { reason }),
            Self::Unknown(_) => Err(PortError::Unknown { reason }),
        }
    }
}
