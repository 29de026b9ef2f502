//! Errors of setting up.

/// A setting with which no client can be made. What happens to a message is an
/// [`Outcome`](crate::outcome::Outcome), not an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WhatsAppError {
    /// The base address is not an `https` address.
    #[error("the whatsapp base address is not an https address")]
    BadBaseUrl,
    /// The base address is plain `http` to another machine: the access token would be readable on the way.
    #[error("the whatsapp base address is plain http to another machine")]
    InsecureBaseUrl,
    /// The Graph version or the phone number id has signs that do not belong there.
    #[error("the graph version or the phone number id is malformed")]
    BadSetting,
    /// The access token is empty, or has blanks, line breaks or other signs that no token has.
    #[error("the whatsapp access token is empty, or has a blank or a second line")]
    BadToken,
    /// The HTTP client could not be made.
    #[error("the https client could not be made")]
    Client,
    /// A template that Meta would refuse, with the reason.
    #[error("a message template is not usable: {0}")]
    BadTemplate(&'static str),
}

impl WhatsAppError {
    /// A stable code for programs and documentation.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadBaseUrl => "whatsapp.bad_base_url",
            Self::InsecureBaseUrl => "whatsapp.insecure_base_url",
            Self::BadSetting => "whatsapp.bad_setting",
            Self::BadToken => "whatsapp.bad_token",
            Self::Client => "whatsapp.client",
            Self::BadTemplate(_) => "whatsapp.bad_template",
        }
    }

    /// Never: each needs a changed setting.
    #[must_use]
    pub fn retryable(&self) -> bool {
        false
    }
}
