//! Somebody who sends webhooks.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use isp_core::engine::EngineError;
use isp_core::ports::Webhook;
use isp_payment::snap::SnapBank;

use crate::provider::Provider;

/// Somebody who sends webhooks: how its requests are believed, and what follows from them.
#[async_trait]
pub trait Source: Send + Sync {
    /// Its name, and the last part of its path: `/hooks/NAME`.
    fn name(&self) -> &str;

    /// What is kept of the body of a request that was admitted, where that holds what nobody is to keep; `None` keeps it as it came.
    ///
    /// # Errors
    /// As [`Source::admit`].
    fn reduced(&self, _: &Webhook) -> Result<Option<Vec<u8>>, Refused> {
        Ok(None)
    }

    /// Of a request that was admitted, with the body that is kept, the headers that are kept with it: those by which it is believed again when it is read,
    /// without a secret in clear.
    fn kept(&self, webhook: &Webhook) -> Vec<(String, String)>;

    /// What is said with status 200, where the sender wants to hear something.
    fn answer(&self) -> &'static str {
        ""
    }

    /// Answers a `GET`, by which some senders ask whether they have the right address: what to say, or why not.
    fn subscribe(&self, _query: &str) -> Result<String, Refused> {
        Err(Refused { status: 405, why: "method" })
    }

    /// The bank whose calls come on paths of their own, where this is one.
    fn bank(&self) -> Option<&SnapBank> {
        None
    }

    /// Whether a request is believed and understood as a whole. It touches no database.
    ///
    /// # Errors
    /// What is answered instead.
    fn admit(&self, webhook: &Webhook) -> Result<(), Refused>;

    /// Does what follows from a request that was kept. It may be called again for the same request.
    ///
    /// # Errors
    /// What was not done; nothing of the request's content.
    async fn act(&self, provider: &Provider, webhook: &Webhook, now: DateTime<Utc>) -> Result<Acted, EngineError>;
}

/// Why a request is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// One word, for the metric.
    pub why: &'static str,
}

/// What came of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Acted {
    /// Parts of it that could not be read; the others count all the same.
    pub unread: usize,
    /// What it came to, without personal data.
    pub note: String,
    /// True when something is to be delivered now.
    pub deliver: bool,
    /// Payments that it told of and that were not known.
    pub payments: u64,
}
