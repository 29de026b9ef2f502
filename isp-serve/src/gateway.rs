//! Webhooks of payment gateways: money that came, and booked itself.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use isp_core::engine::{EngineError, Taken};
use isp_core::ports::{PaymentGateway, Webhook};

use crate::provider::Provider;
use crate::source::{Acted, Refused, Source};

/// The webhook of one gateway, under the name that it has in the settings.
pub struct Gateway {
    gateway: Arc<dyn PaymentGateway>,
}

impl Gateway {
    /// Of this gateway.
    #[must_use]
    pub fn new(gateway: Arc<dyn PaymentGateway>) -> Self {
        Self { gateway }
    }
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").field("name", &self.gateway.name().as_str()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Source for Gateway {
    fn name(&self) -> &str {
        self.gateway.name().as_str()
    }

    fn kept(&self, webhook: &Webhook) -> Vec<(String, String)> {
        self.gateway.kept(&webhook.headers, &webhook.body)
    }

    fn answer(&self) -> &'static str {
        self.gateway.acknowledgement()
    }

    fn admit(&self, webhook: &Webhook) -> Result<(), Refused> {
        Ok(self.gateway.read(&webhook.headers, &webhook.body).map(drop)?)
    }

    async fn act(&self, provider: &Provider, webhook: &Webhook, now: DateTime<Utc>) -> Result<Acted, EngineError> {
        let notice = match self.gateway.read(&webhook.headers, &webhook.body) {
            Ok(notice) => notice,
            // It was believed when it came: the secret has changed since.
            Err(error) => return Ok(Acted { unread: 1, note: error.to_string(), ..Acted::default() }),
        };
        let acted = |note: &str| Acted { note: note.to_owned(), ..Acted::default() };
        Ok(match provider.engine().take_notice(self.gateway.as_ref(), &notice, now).await? {
            Taken::Booked(report) => {
                let deliver = true;
                Acted { payments: u64::from(!report.known), deliver, ..acted("booked") }
            }
            Taken::Known => acted("booked before"),
            Taken::Moved(state) => acted(state.code()),
            Taken::Nothing => acted("nothing new"),
            Taken::Unmatched(_) => Acted { payments: 1, ..acted("nobody knows whose it is: isp bank list") },
            Taken::Refunded(_) => Acted { deliver: true, ..acted("the payment was reversed") },
            // It is listed until a person has seen to it.
            Taken::PartRefunded(_) => {
                Acted { unread: 1, ..acted("a part was given back; a person corrects the payment") }
            }
        })
    }
}
