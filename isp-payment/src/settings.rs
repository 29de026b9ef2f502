//! What an operator sets for one gateway.

use std::time::Duration;

use isp_core::text::Code;
use secrecy::SecretString;

/// Which gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GatewayKind {
    /// Midtrans: Core API, and Snap for a page.
    Midtrans,
    /// Xendit: payment requests v3, and invoices for a page.
    Xendit,
    /// Tripay, closed payments.
    Tripay,
    /// Tripay, open payments: a number that stays, for any amount; live only.
    TripayOpen,
    /// Duitku, API v2.
    Duitku,
    /// Duitku POP: a page, at the means of payment that was asked for.
    DuitkuPop,
}

impl GatewayKind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Midtrans, Self::Xendit, Self::Tripay, Self::TripayOpen, Self::Duitku, Self::DuitkuPop];

    /// `midtrans`, `xendit`, `tripay`, `tripay-open`, `duitku` or `duitku-pop`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Midtrans => "midtrans",
            Self::Xendit => "xendit",
            Self::Tripay => "tripay",
            Self::TripayOpen => "tripay-open",
            Self::Duitku => "duitku",
            Self::DuitkuPop => "duitku-pop",
        }
    }

    /// The addresses of the API, and of the pages where those are elsewhere.
    pub(crate) const fn addresses(self, sandbox: bool) -> (&'static str, Option<&'static str>) {
        match (self, sandbox) {
            (Self::Midtrans, true) => ("https://api.sandbox.midtrans.com", Some("https://app.sandbox.midtrans.com")),
            (Self::Midtrans, false) => ("https://api.midtrans.com", Some("https://app.midtrans.com")),
            (Self::Xendit, _) => ("https://api.xendit.co", None),
            (Self::Tripay, true) => ("https://tripay.co.id/api-sandbox", None),
            (Self::Tripay, false) | (Self::TripayOpen, _) => ("https://tripay.co.id/api", None),
            (Self::Duitku, true) => ("https://sandbox.duitku.com", None),
            (Self::Duitku, false) => ("https://passport.duitku.com", None),
            (Self::DuitkuPop, true) => ("https://api-sandbox.duitku.com", None),
            (Self::DuitkuPop, false) => ("https://api-prod.duitku.com", None),
        }
    }

    /// The beginning of keys that tells the environment, where there is one: for the sandbox and live.
    pub(crate) const fn prefixes(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Midtrans => Some(("SB-", "Mid-")),
            Self::Xendit => Some(("xnd_development_", "xnd_production_")),
            Self::Tripay | Self::TripayOpen => Some(("DEV-", "")),
            Self::Duitku | Self::DuitkuPop => None,
        }
    }
}

/// Address, keys and names of one account at a gateway.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct GatewaySettings {
    /// The name that it has in the settings and in the books.
    pub name: Code,
    /// Which gateway.
    pub kind: GatewayKind,
    /// True for the gateway's sandbox, where no money moves.
    pub sandbox: bool,
    /// The merchant code: Tripay and Duitku need it; where Midtrans has it, notices for another one are refused.
    pub merchant: String,
    /// The key that requests are made with: server key, secret key, API key.
    pub key: SecretString,
    /// The secret that webhooks are checked with, where it is another one: Xendit's callback token, Tripay's private key.
    pub webhook_key: SecretString,
    /// The address that Tripay and Duitku want for each payer: one of the provider, so that none of a customer is given away.
    pub email: String,
    /// Where the gateway sends its webhooks, where it is told so with each request.
    pub callback_url: Option<String>,
    /// Another address of the API, such as a simulator's.
    pub base_url: Option<String>,
    /// The longest that one call may take.
    pub deadline: Duration,
}

impl GatewaySettings {
    /// Settings with the gateway's own addresses and 20 seconds for a call.
    #[must_use]
    pub fn new(name: Code, kind: GatewayKind, key: SecretString) -> Self {
        Self {
            name,
            kind,
            sandbox: false,
            merchant: String::new(),
            key,
            webhook_key: SecretString::default(),
            email: String::new(),
            callback_url: None,
            base_url: None,
            deadline: Duration::from_secs(20),
        }
    }
}

/// Settings with which a gateway, or who tells of money, cannot work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// An address is not an `https` address; plain `http` only to this machine.
    #[error("the address of the gateway is not an https address")]
    BadAddress,
    /// A key is empty, or has blanks, line breaks or other signs that no key has.
    #[error("{0} of the gateway is empty, or has a blank or a second line")]
    BadKey(&'static str),
    /// The key is of the sandbox and the settings are live, or the other way round.
    #[error("the key is of another environment than the settings: sandbox or live")]
    Environment,
    /// A setting is missing that this gateway needs.
    #[error("the gateway needs {0}")]
    Missing(&'static str),
    /// Moota or a phone cannot be told from somebody else by this.
    #[error("{0}")]
    Teller(&'static str),
    /// The HTTPS client could not be made.
    #[error("the https client could not be made")]
    Client,
}

impl SettingsError {
    /// A stable code for programs and documentation.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::BadAddress => "gateway.bad_address",
            Self::BadKey(_) => "gateway.bad_key",
            Self::Environment => "gateway.environment",
            Self::Missing(_) => "gateway.missing",
            Self::Teller(_) => "told.settings",
            Self::Client => "gateway.client",
        }
    }

    /// Never: each needs a changed setting.
    #[must_use]
    pub const fn retryable(self) -> bool {
        false
    }
}
