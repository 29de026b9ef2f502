//! Errors of Meta's Graph API, sorted by what to do about them.
//!
//! Only the numeric `code` decides. The text is written for people and changes; the HTTP status differs between
//! copies of Meta's own documentation for the same code.

use std::fmt;

use serde::Deserialize;

/// A numeric error code of the Graph API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GraphCode(pub i64);

/// What a Graph error code asks for.
///
/// An explicit Graph error always means that the message was **not** accepted, so a repetition cannot send it twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GraphClass {
    /// The sending number is over its throughput: back off with jitter, for every recipient.
    SlowNumber,
    /// Too many messages to this one recipient: wait for that recipient only.
    SlowPair,
    /// Meta's service is down or under maintenance, for every message alike: wait.
    Unavailable,
    /// Trouble on Meta's side with this message: a few bounded repetitions.
    Transient,
    /// The account cannot send (token, permission, billing, blocked): stop, keep the queue, tell the operator.
    ChannelDown,
    /// Meta reports spam or low quality: stop, never repeat by itself, tell the operator.
    Quality,
    /// The template is missing, paused, disabled, or not what we think it is: every message of it will fail until somebody
    /// acts.
    Template,
    /// Our request is wrong: the same message will always fail.
    Configuration,
    /// This recipient cannot get this message: another channel may.
    Recipient,
    /// Meta holds this recipient back for now: once more, not before a day has passed.
    NotNow,
    /// Free text outside the 24-hour window: only a template may be sent.
    NeedsTemplate,
    /// The attached file was not taken, or is not there any more: upload it once more.
    Media,
}

impl GraphCode {
    /// The sending number was deleted, or does not exist for this token.
    pub(crate) const NO_SUCH_NUMBER: Self = Self(33);

    /// The class of this code. A code that is not listed counts as [`GraphClass::Transient`]: Meta adds codes
    /// without notice, and a bounded repetition of a message that was refused does no harm.
    ///
    /// Codes: Meta's page "error codes" of the WhatsApp Business Platform (May 2026); the grouping is ours.
    #[must_use]
    pub fn class(self) -> GraphClass {
        match self.0 {
            4 | 80_007 | 130_429 => GraphClass::SlowNumber,
            131_056 => GraphClass::SlowPair,
            2 | 131_016 | 131_057 | 133_004 => GraphClass::Unavailable,
            131_000 => GraphClass::Transient,
            // 33: the number was deleted. 131005: access denied. 131051: this number cannot send templates. 133010: the
            // number is not registered.
            0
            | 3
            | 10
            | 33
            | 190
            | 200..=299
            | 368
            | 130_497
            | 131_005
            | 131_031
            | 131_037
            | 131_042
            | 131_045
            | 131_051
            | 133_010 => GraphClass::ChannelDown,
            131_048 | 131_064 => GraphClass::Quality,
            131_008 | 132_000 | 132_001 | 132_007 | 132_012 | 132_015 | 132_016 => GraphClass::Template,
            100 | 131_009 | 132_005 | 132_018 => GraphClass::Configuration,
            130_472 | 131_021 | 131_026 | 131_030 | 131_050 => GraphClass::Recipient,
            131_049 => GraphClass::NotNow,
            131_047 => GraphClass::NeedsTemplate,
            131_052 | 131_053 => GraphClass::Media,
            _ => GraphClass::Transient,
        }
    }
}

impl fmt::Display for GraphCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Finds the code in a Graph error body, `None` when the body is not one.
///
/// The texts of the error are dropped on purpose: Meta repeats parts of the request in them, names included.
#[must_use]
pub(crate) fn error_code(body: &[u8]) -> Option<GraphCode> {
    error(body).map(|error| GraphCode(error.code))
}

/// The same of the answer to a message. What Meta says when the sending number was deleted, mistyped or not given to the token, 100
/// with subcode 33, counts as 33: it meets every message, as other 100s need not. Of a mere look at the number the same may be said
/// to a token that may send and not look.
#[must_use]
pub(crate) fn message_error_code(body: &[u8]) -> Option<GraphCode> {
    let error = error(body)?;
    let no_such_number = error.code == 100 && error.error_subcode.is_some_and(|code| code == 33);
    Some(if no_such_number { GraphCode::NO_SUCH_NUMBER } else { GraphCode(error.code) })
}

#[derive(Deserialize)]
struct Inner {
    code: i64,
    #[serde(default)]
    error_subcode: Option<serde_json::Value>,
}

fn error(body: &[u8]) -> Option<Inner> {
    #[derive(Deserialize)]
    struct Envelope {
        error: Inner,
    }
    serde_json::from_slice::<Envelope>(body).ok().map(|envelope| envelope.error)
}
