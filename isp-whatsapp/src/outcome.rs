//! What became of one attempt to send.

use std::fmt;
use std::time::Duration;

use crate::cloud::{Accepted, Uploaded};
use crate::graph::{self, GraphClass, GraphCode};

/// The result of one call of the Cloud API. There is no idempotency key at Meta, so the difference between "not
/// sent" and "not known" decides whether a repetition is safe.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Meta took the message. Delivery is reported later, by webhook.
    Accepted {
        /// `wamid.…`
        message_id: String,
    },
    /// Meta took the message but holds it for a quality assessment of the template, or has paused the template.
    /// Do not repeat; a webhook tells the rest.
    Held {
        /// `wamid.…`
        message_id: String,
    },
    /// Refused for now; the same message may be sent again.
    RetryAfter {
        /// Not before this much time has passed. Add jitter.
        at_least: Duration,
        /// Who has to wait.
        scope: RetryScope,
        /// Meta's code.
        code: GraphCode,
    },
    /// This recipient cannot get this message by WhatsApp. Permanent.
    RecipientRejected {
        /// Meta's code.
        code: GraphCode,
    },
    /// The template, its parameters or the request are wrong. Permanent until the operator corrects them.
    ConfigError(ConfigFault),
    /// Nothing can be sent through this number. Keep the queue and tell the operator.
    ChannelDown(DownCause),
    /// The message may or may not have been sent. **Never send it again by itself.** A status webhook that carries
    /// our callback data settles it.
    Unknown(UnknownCause),
}

/// Whom a [`Outcome::RetryAfter`] slows.
pub use isp_core::ports::RetryScope;

/// What is wrong with a message that will never be taken as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigFault {
    /// Meta refused it with this code.
    Graph(GraphCode),
    /// No template is configured for this kind and language. Nothing was sent.
    NoTemplate,
    /// The template has a document, and there is none for this message. Nothing was sent.
    NoDocument,
    /// The document is larger than Meta takes. Nothing was sent.
    LargeDocument,
    /// The template asks for a value that this kind of message does not have. Nothing was sent.
    NoValue {
        /// The parameter's name.
        parameter: String,
    },
}

/// Why a channel is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DownCause {
    /// Token, permission, billing or account, by Meta's code.
    Account(GraphCode),
    /// Meta reports spam or low quality, by its code. A person has to look before anything more is sent.
    Quality(GraphCode),
    /// No connection could be made: certainly not sent.
    Unreachable(Unreachable),
    /// Something that is not the Graph API answered (a captive portal, a wrong address, a proxy without a way on) with
    /// this HTTP status. It took no message.
    NotGraph(u16),
}

/// Why no connection could be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unreachable {
    /// Refused, no route, or no such name.
    ConnectFailed,
    /// Connected, and there is no TLS that can be trusted: its certificate, something in between, or the clock of this machine.
    NoTls,
    /// Not connected in time.
    ConnectTimeout,
    /// Connected, but a look at the number, or the upload of a file, was not answered. No message was given to it.
    NoAnswer,
}

/// Why an outcome is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnknownCause {
    /// The deadline passed after the request had gone out.
    Timeout,
    /// The connection broke after the request had gone out.
    ConnectionLost,
    /// An answer with this HTTP status that does not say what became of the message.
    Unreadable(u16),
}

const NUMBER_PAUSE: Duration = Duration::from_secs(30);
/// Meta lets about one message in six seconds through to one recipient.
const PAIR_PAUSE: Duration = Duration::from_secs(6);
const TRANSIENT_PAUSE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Outcome {
    /// Reads an answer. `code` in a Graph error body decides whatever the HTTP status; only where there is no Graph
    /// body does the status count.
    #[must_use]
    pub fn from_answer(status: u16, body: &[u8]) -> Self {
        if let Some(code) = graph::message_error_code(body) {
            return Self::from_code(code);
        }
        if (200..300).contains(&status)
            && let Ok(Accepted { messages }) = serde_json::from_slice::<Accepted>(body)
            && let Some(message) = messages.into_iter().next()
        {
            return match message.message_status.as_deref() {
                Some("held_for_quality_assessment" | "paused") => Self::Held { message_id: message.id },
                _ => Self::Accepted { message_id: message.id },
            };
        }
        match status {
            // The Graph API answers a message in JSON. A page with status 200 is that of a captive portal.
            200..=299 if is_page(body) => Self::ChannelDown(DownCause::NotGraph(status)),
            // "The server is currently unable to handle the request" (RFC 9110, 15.6.4): in front of the Graph API, which
            // would have said so in JSON. 500, 502 and 504 do not say whether somebody behind took the message.
            503 if serde_json::from_slice::<serde_json::Value>(body).is_err() => {
                Self::ChannelDown(DownCause::NotGraph(status))
            }
            // 408 may come from a proxy that has already passed the request on.
            300..=407 | 409..=499 => Self::ChannelDown(DownCause::NotGraph(status)),
            _ => Self::Unknown(UnknownCause::Unreadable(status)),
        }
    }

    /// What the answer to an upload means for the message that the file was for, which was certainly not sent; `Ok` is Meta's id of
    /// the file.
    pub(crate) fn of_upload(status: u16, body: &[u8]) -> Result<String, Self> {
        if let Some(code) = graph::message_error_code(body) {
            return Err(Self::from_code(code));
        }
        let id = serde_json::from_slice::<Uploaded>(body).ok().map(|uploaded| uploaded.id);
        match id.filter(|id| (200..300).contains(&status) && !id.is_empty()) {
            Some(id) => Ok(id),
            None => Err(Self::ChannelDown(DownCause::NotGraph(status))),
        }
    }

    /// What a Graph error code means for the message that met it.
    #[must_use]
    pub fn from_code(code: GraphCode) -> Self {
        let retry = |at_least, scope| Self::RetryAfter { at_least, scope, code };
        match code.class() {
            // 4 and 80007 count for the app and the account, 130429 for the number.
            GraphClass::SlowNumber if code.0 == 130_429 => retry(NUMBER_PAUSE, RetryScope::Number),
            GraphClass::SlowNumber => retry(NUMBER_PAUSE, RetryScope::Account),
            GraphClass::Unavailable => retry(TRANSIENT_PAUSE, RetryScope::Account),
            GraphClass::SlowPair => retry(PAIR_PAUSE, RetryScope::Recipient),
            GraphClass::Transient => retry(TRANSIENT_PAUSE, RetryScope::Message),
            GraphClass::NotNow => retry(DAY, RetryScope::Recipient),
            GraphClass::ChannelDown => Self::ChannelDown(DownCause::Account(code)),
            GraphClass::Quality => Self::ChannelDown(DownCause::Quality(code)),
            GraphClass::Recipient => Self::RecipientRejected { code },
            // Each attempt uploads its file anew, so the next one may find it.
            GraphClass::Media => retry(TRANSIENT_PAUSE, RetryScope::Message),
            // We send templates, so the last one says that our request is not what we think it is.
            GraphClass::Template | GraphClass::Configuration | GraphClass::NeedsTemplate => {
                Self::ConfigError(ConfigFault::Graph(code))
            }
        }
    }

    /// What the answer to a mere look at the number says of the channel; `None` when it says nothing against sending. Only
    /// what would meet every message counts: a right to send need not be a right to look.
    pub(crate) fn of_probe(status: u16, body: &[u8]) -> Option<Self> {
        if let Some(code) = graph::error_code(body) {
            let meets_all = matches!(code.class(), GraphClass::SlowNumber | GraphClass::Unavailable)
                || matches!(code, GraphCode(0 | 33 | 190));
            return meets_all.then(|| Self::from_code(code));
        }
        match status {
            200..=299 if !is_page(body) => None,
            404 | 405 | 501 => None,
            _ => Some(Self::ChannelDown(DownCause::NotGraph(status))),
        }
    }

    /// Whether sending the same message again can do no harm, now or later.
    #[must_use]
    pub fn retryable(&self) -> bool {
        matches!(self, Self::RetryAfter { .. } | Self::ChannelDown(_))
    }
}

/// True for an HTML page.
fn is_page(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

impl fmt::Display for Outcome {
    /// One line for the outbox and the operator, without anything personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted { .. } => f.write_str("accepted by whatsapp"),
            Self::Held { .. } => f.write_str("held by whatsapp for a quality assessment"),
            Self::RetryAfter { scope: RetryScope::Number, code, .. } => {
                write!(f, "whatsapp error {code}: the sending number is over its rate")
            }
            Self::RetryAfter { scope: RetryScope::Recipient, code, .. } => {
                write!(f, "whatsapp error {code}: not now for this recipient")
            }
            Self::RetryAfter { scope: RetryScope::Account, code, .. } => {
                write!(f, "whatsapp error {code}: the account is over its rate, or whatsapp is out of service")
            }
            Self::RetryAfter { code, .. } if code.class() == GraphClass::Media => {
                write!(f, "whatsapp error {code}: the document was not taken")
            }
            Self::RetryAfter { code, .. } => {
                write!(f, "whatsapp error {code}: trouble at whatsapp")
            }
            Self::RecipientRejected { code } => {
                write!(f, "whatsapp error {code}: this recipient cannot get the message")
            }
            Self::ConfigError(ConfigFault::Graph(code)) => {
                write!(f, "whatsapp error {code}: the template or its parameters are wrong")
            }
            Self::ConfigError(ConfigFault::NoTemplate) => {
                f.write_str("no template is set for this kind of message and language")
            }
            Self::ConfigError(ConfigFault::NoDocument) => {
                f.write_str("the template has a document, and there is none for this message")
            }
            Self::ConfigError(ConfigFault::LargeDocument) => f.write_str("the document is larger than 100 MB"),
            Self::ConfigError(ConfigFault::NoValue { parameter }) => {
                write!(f, "the template asks for what this kind of message does not have: {parameter}")
            }
            Self::ChannelDown(DownCause::Account(code)) => {
                write!(f, "whatsapp error {code}: the account cannot send (token, permission, billing or a block)")
            }
            Self::ChannelDown(DownCause::Quality(code)) => {
                write!(f, "whatsapp error {code}: stopped for low quality or spam reports")
            }
            Self::ChannelDown(DownCause::Unreachable(Unreachable::ConnectFailed)) => {
                f.write_str("whatsapp cannot be reached")
            }
            Self::ChannelDown(DownCause::Unreachable(Unreachable::NoTls)) => f.write_str(
                "no trusted TLS connection to whatsapp (its certificate, something in between, or this machine's clock)",
            ),
            Self::ChannelDown(DownCause::Unreachable(Unreachable::ConnectTimeout)) => {
                f.write_str("whatsapp cannot be reached in time")
            }
            Self::ChannelDown(DownCause::Unreachable(Unreachable::NoAnswer)) => f.write_str("whatsapp does not answer"),
            Self::ChannelDown(DownCause::NotGraph(status)) => {
                write!(f, "http {status}: something other than whatsapp answered")
            }
            Self::Unknown(UnknownCause::Timeout) => f.write_str("whatsapp did not answer in time"),
            Self::Unknown(UnknownCause::ConnectionLost) => f.write_str("the connection broke before whatsapp answered"),
            Self::Unknown(UnknownCause::Unreadable(status)) => {
                write!(f, "http {status}: whatsapp's answer does not say what became of the message")
            }
        }
    }
}
