//! How to reach a router.

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::backoff::Backoff;

/// How a router is reached and how patient the client is. `Debug` shows no password.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ConnectOptions {
    /// `host:port`. RouterOS listens on 8728 (plain) and 8729 (TLS).
    pub address: String,
    /// The RouterOS user. It needs the policies `api`, `read`, `write` and, to see passwords, `sensitive`.
    pub user: String,
    /// What the API user logs in with.
    pub password: SecretString,
    /// TLS, or clear text.
    pub tls: Tls,
    /// Limit for each of TCP connect, TLS handshake and login. Default 5 s: a router whose service does not allow
    /// our source address drops the packets in silence.
    pub connect_timeout: Duration,
    /// Default deadline of a command. Default 30 s: a large table on a small router is slow.
    pub deadline: Duration,
    /// How long a router may take to end a cancelled command before the connection is given up. Default 5 s.
    pub cancel_grace: Duration,
    /// How many commands may be in flight. Default 8; more than 16 has been seen to lose answers on real routers.
    pub window: usize,
    /// How long a caller looks at the socket itself before it sleeps until its answer comes. Default 100 us: a near router
    /// answers sooner than a sleeper is woken. One that does not is seldom waited for so. Zero: never. Not with TLS.
    pub spin: Duration,
    /// After this long without a byte a harmless command is sent; after as long again without an answer the
    /// connection is dead. Default 30 s.
    pub keep_alive: Duration,
    /// How a connection that broke is made again by the next call; `None`: it stays closed. Default: the default
    /// [`Backoff`].
    pub reconnect: Option<Backoff>,
}

impl ConnectOptions {
    /// Clear-text options with the defaults above.
    pub fn new(address: impl Into<String>, user: impl Into<String>, password: SecretString) -> ConnectOptions {
        ConnectOptions {
            address: address.into(),
            user: user.into(),
            password,
            tls: Tls::Off,
            connect_timeout: Duration::from_secs(5),
            deadline: Duration::from_secs(30),
            cancel_grace: Duration::from_secs(5),
            window: 8,
            spin: Duration::from_micros(100),
            keep_alive: Duration::from_secs(30),
            reconnect: Some(Backoff::default()),
        }
    }

    /// Sets the default deadline of a command.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> ConnectOptions {
        self.deadline = deadline;
        self
    }

    /// Sets how many commands may be in flight (at least 1).
    #[must_use]
    pub fn window(mut self, window: usize) -> ConnectOptions {
        self.window = window.max(1);
        self
    }

    /// Sets how long a caller waits awake.
    #[must_use]
    pub fn spin(mut self, moment: Duration) -> ConnectOptions {
        self.spin = moment;
        self
    }

    /// Sets the pauses between attempts to connect again.
    #[must_use]
    pub fn reconnect(mut self, backoff: Backoff) -> ConnectOptions {
        self.reconnect = Some(backoff);
        self
    }

    /// A connection that broke stays closed.
    #[must_use]
    pub fn without_reconnect(mut self) -> ConnectOptions {
        self.reconnect = None;
        self
    }

    /// Sets the limit of TCP connect, TLS handshake and login.
    #[must_use]
    pub fn connect_timeout(mut self, limit: Duration) -> ConnectOptions {
        self.connect_timeout = limit;
        self
    }
}

/// Whether and how the connection is encrypted.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Tls {
    /// Clear text, the password included: only on a network that is yours.
    #[default]
    Off,
    /// The router's certificate is signed by one of these (PEM), and names the host that we connect to.
    Authority(String),
    /// The router has exactly this certificate; right for one that signed itself.
    Pinned(Fingerprint),
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tls::Off => f.write_str("Off"),
            Tls::Authority(_) => f.write_str("Authority"),
            Tls::Pinned(fingerprint) => write!(f, "Pinned({fingerprint})"),
        }
    }
}

/// SHA-256 over a certificate, as `/certificate/print` shows it.
///
/// ```
/// use isp_mikrotik::client::Fingerprint;
/// let text = "AB:".repeat(31) + "CD";
/// assert_eq!(Fingerprint::parse(&text).map(|f| f.to_string()), Some("ab".repeat(31) + "cd"));
/// assert_eq!(Fingerprint::parse("abcd"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(pub(super) [u8; 32]);

impl Fingerprint {
    /// Of a certificate in DER.
    pub fn of(certificate: &[u8]) -> Fingerprint {
        Fingerprint(Sha256::digest(certificate).into())
    }

    /// Reads 64 hexadecimal digits, with or without colons.
    pub fn parse(text: &str) -> Option<Fingerprint> {
        let digits: Vec<u8> = text.bytes().filter(|byte| !b": ".contains(byte)).collect();
        if digits.len() != 64 {
            return None;
        }
        let mut bytes = [0_u8; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Fingerprint(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Fingerprint, &'static str> {
        Fingerprint::parse(&text).ok_or("not a SHA-256 fingerprint")
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> String {
        fingerprint.to_string()
    }
}
