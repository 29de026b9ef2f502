//! The `Messenger` port of isp-core, on the Cloud API.

use async_trait::async_trait;
use isp_core::message::notification::OutgoingMessage;
use isp_core::ports::{Messenger, PortError, SendOutcome};

use crate::cloud::CloudClient;
use crate::outcome::{DownCause, Outcome};

#[async_trait]
impl Messenger for CloudClient {
    async fn send(&self, message: &OutgoingMessage) -> Result<SendOutcome, PortError> {
        self.send_message(message).await.into_port()
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
            Self::RetryAfter { at_least, .. } => {
                let seconds = u32::try_from(at_least.as_secs()).unwrap_or(u32::MAX);
                Ok(SendOutcome::RetryAfter { seconds, reason })
            }
            Self::RecipientRejected { .. } => Ok(SendOutcome::RecipientRejected { reason }),
            Self::ConfigError(_) => Ok(SendOutcome::ConfigError { reason }),
            Self::ChannelDown(DownCause::Account(_) | DownCause::Quality(_)) => Ok(SendOutcome::ChannelDown { reason }),
            Self::ChannelDown(DownCause::Unreachable(_) | DownCause::NotGraph(_)) => Err(PortError::NotSent { reason }),
            Self::Unknown(_) => Err(PortError::Unknown { reason }),
        }
    }
}
