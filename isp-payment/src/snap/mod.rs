//! SNAP BI, the other way round: the bank calls us. It asks what is owed on a static virtual account, and tells that it was paid.
//!
//! Three calls, as the standard (Bank Indonesia, *Standar Nasional Open API Pembayaran*) has them:
//!
//! | call | path | service | signature |
//! |---|---|---|---|
//! | access token | `/v1.0/access-token/b2b` | 73 | RSA-SHA256 of `client key\|timestamp`, with the bank's key |
//! | inquiry | `/v1.0/transfer-va/inquiry` | 24 | HMAC-SHA512 of `POST:path:token:hex(sha256(body)):timestamp` |
//! | payment | `/v1.0/transfer-va/payment` | 25 | the same |
//!
//! [`SnapBank`] believes or refuses a call, reads it, and writes the answer. It opens nothing and books nothing.

mod answer;
mod body;
mod key;
mod token;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use isp_core::payment::notice::header;
use isp_core::text::{Code, hex};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;

pub use answer::{Refusal, SnapAnswer};
pub use body::{SnapCall, VaInquiry, VaNotice};

use crate::settings::SettingsError;
use crate::sign::is_blank;
use key::BankKey;

/// How far the bank's clock may be from ours (our choice; the standard names none).
const SKEW: TimeDelta = TimeDelta::minutes(5);
/// Where a path of the standard begins.
const VERSION: &str = "/v1.0/";
/// The header under which a call that was believed is believed again once it is kept.
const KEPT: &str = "x-isp-kept";
/// The header that says which call was kept.
const SERVICE: &str = "x-isp-service";

/// Which call of the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SnapService {
    /// It wants a token.
    Token,
    /// It asks what is owed.
    Inquiry,
    /// It tells of a payment.
    Payment,
}

impl SnapService {
    /// `token`, `inquiry` or `payment`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Inquiry => "inquiry",
            Self::Payment => "payment",
        }
    }

    /// The service of a path, from `/v1.0/` on.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        match path {
            "/v1.0/access-token/b2b" => Some(Self::Token),
            "/v1.0/transfer-va/inquiry" => Some(Self::Inquiry),
            "/v1.0/transfer-va/payment" => Some(Self::Payment),
            _ => None,
        }
    }
}

/// What an operator agrees on with one bank.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SnapSettings {
    /// The name in the settings and in the books.
    pub name: Code,
    /// Our number at the bank, 1 to 8 digits (`partnerServiceId`).
    pub service_id: String,
    /// What the bank calls itself when it wants a token (`X-CLIENT-KEY`).
    pub client_key: String,
    /// What it calls itself in each call (`X-PARTNER-ID`).
    pub partner_id: String,
    /// The bank's public RSA key, PEM.
    pub public_key: String,
    /// The secret of both sides, for the signatures of calls.
    pub client_secret: SecretString,
    /// A secret of ours alone, with which tokens are made; the same in each process.
    pub token_key: SecretString,
    /// The service code of payments: 25; some banks write 30.
    pub payment_service: u8,
    /// `subCompany`, which BCA wants to hear.
    pub sub_company: String,
    /// True when the payer may type another amount than is owed.
    pub open_amount: bool,
    /// What customers read in front of their number, such as `BCA`; the name when it is empty.
    pub label: String,
}

impl SnapSettings {
    /// Settings of a bank without its keys.
    #[must_use]
    pub fn new(name: Code) -> Self {
        Self {
            name,
            service_id: String::new(),
            client_key: String::new(),
            partner_id: String::new(),
            public_key: String::new(),
            client_secret: SecretString::default(),
            token_key: SecretString::default(),
            payment_service: 25,
            sub_company: "00000".to_owned(),
            open_amount: false,
            label: String::new(),
        }
    }
}

/// One bank that may call.
pub struct SnapBank {
    settings: SnapSettings,
    key: BankKey,
}

impl std::fmt::Debug for SnapBank {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SnapBank").field("name", &self.settings.name).finish_non_exhaustive()
    }
}

/// A call that is believed and was read.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SnapAdmitted {
    /// What it says.
    pub call: SnapCall,
    /// What the bank calls the request: it uses it once a day (`X-EXTERNAL-ID`).
    pub external_id: String,
    /// Which day that is, by the bank's own clock.
    pub day: NaiveDate,
    /// What is kept of its body: the part that was read, without what the bank says of persons.
    pub body: Vec<u8>,
    /// The headers that are kept with it.
    pub kept: Vec<(String, String)>,
}

impl std::fmt::Debug for SnapAdmitted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SnapAdmitted").field("day", &self.day).finish_non_exhaustive()
    }
}

impl SnapBank {
    /// A bank of these settings.
    ///
    /// # Errors
    /// [`SettingsError`] for settings that cannot work.
    pub fn try_new(mut settings: SnapSettings) -> Result<Self, SettingsError> {
        let digits = settings.service_id.trim().to_owned();
        if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(SettingsError::Missing("service_id of 1 to 8 digits"));
        }
        settings.service_id = digits;
        for (what, given) in [("client_key", &settings.client_key), ("partner_id", &settings.partner_id)] {
            if given.trim().is_empty() {
                return Err(SettingsError::Missing(what));
            }
        }
        for (what, secret) in [("client_secret", &settings.client_secret), ("token_key", &settings.token_key)] {
            let text = secret.expose_secret();
            if is_blank(secret) || !text.bytes().all(|b| b.is_ascii_graphic()) {
                return Err(SettingsError::BadKey(what));
            }
        }
        // Who guesses it makes tokens of his own.
        if settings.token_key.expose_secret().len() < 32 {
            return Err(SettingsError::Missing("token_key of 32 signs or more"));
        }
        if settings.token_key.expose_secret() == settings.client_secret.expose_secret() {
            return Err(SettingsError::Missing("token_key that is not the client_secret"));
        }
        let key = BankKey::parse(&settings.public_key).ok_or(SettingsError::BadKey("public_key"))?;
        Ok(Self { settings, key })
    }

    /// Its name in the settings.
    #[must_use]
    pub fn name(&self) -> &Code {
        &self.settings.name
    }

    /// What customers read in front of their number.
    #[must_use]
    pub fn label(&self) -> &str {
        if self.settings.label.is_empty() { self.settings.name.as_str() } else { &self.settings.label }
    }

    /// The number that the customer of these digits pays to.
    #[must_use]
    pub fn number_of(&self, digits: &str) -> String {
        format!("{}{digits}", self.settings.service_id)
    }

    /// Answers the call for a token. `nonce` are random bytes: no two tokens are the same.
    #[must_use]
    pub fn token(&self, headers: &[(String, String)], body: &[u8], now: DateTime<Utc>, nonce: [u8; 16]) -> SnapAnswer {
        match self.checked_token(headers, body, now) {
            Ok(()) => answer::token(&token::made(&self.settings, now, nonce)),
            Err(refusal) => self.refuse(SnapService::Token, refusal),
        }
    }

    fn checked_token(&self, headers: &[(String, String)], body: &[u8], now: DateTime<Utc>) -> Result<(), Refusal> {
        let stamp = needed(headers, "X-TIMESTAMP")?;
        let client = needed(headers, "X-CLIENT-KEY")?;
        let signature = needed(headers, "X-SIGNATURE")?;
        let at = timestamp(stamp)?;
        if !bool::from(client.as_bytes().ct_eq(self.settings.client_key.as_bytes())) {
            return Err(Refusal::Client);
        }
        if !self.key.signed(format!("{client}|{stamp}").as_bytes(), signature) {
            return Err(Refusal::Signature);
        }
        in_time(at.to_utc(), now)?;
        let body: serde_json::Value = serde_json::from_slice(body).map_err(|_| Refusal::Format("body"))?;
        match body.get("grantType").map(|kind| kind.as_str()) {
            Some(Some("client_credentials")) => Ok(()),
            None => Err(Refusal::Mandatory("grantType")),
            Some(_) => Err(Refusal::Format("grantType")),
        }
    }

    /// Believes and reads an inquiry or a payment: token, signature over the bytes as they came, time, and then what it says.
    /// `path` is the path as it came; a proxy may have put something before `/v1.0/`.
    ///
    /// # Errors
    /// What the bank is answered instead.
    pub fn admit(
        &self,
        service: SnapService,
        path: &str,
        headers: &[(String, String)],
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<SnapAdmitted, SnapAnswer> {
        self.checked(service, path, headers, body, now).map_err(|refusal| self.refuse(service, refusal))
    }

    fn checked(
        &self,
        service: SnapService,
        path: &str,
        headers: &[(String, String)],
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<SnapAdmitted, Refusal> {
        let bearer = needed(headers, "Authorization")?;
        let stamp = needed(headers, "X-TIMESTAMP")?;
        let signature = needed(headers, "X-SIGNATURE")?;
        let token = bearer.strip_prefix("Bearer ").ok_or(Refusal::Token)?.trim();
        if !token::holds(&self.settings, token, now) {
            return Err(Refusal::Token);
        }
        let at = timestamp(stamp)?;
        if !self.is_signed(path, token, stamp, body, signature) {
            return Err(Refusal::Signature);
        }
        in_time(at.to_utc(), now)?;
        let partner = needed(headers, "X-PARTNER-ID")?;
        needed(headers, "CHANNEL-ID")?;
        let external_id = needed(headers, "X-EXTERNAL-ID")?;
        if partner != self.settings.partner_id {
            return Err(Refusal::Client);
        }
        if external_id.len() > 36 || !external_id.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Refusal::Format("X-EXTERNAL-ID"));
        }
        let call = body::read(service, body)?;
        let body = body::read_part(service, body)?;
        let kept =
            vec![(SERVICE.to_owned(), service.name().to_owned()), (KEPT.to_owned(), self.kept_digest(service, &body))];
        Ok(SnapAdmitted { call, external_id: external_id.to_owned(), day: at.date_naive(), body, kept })
    }

    /// Whether the body is signed: over its bytes as they came, or without the blanks outside of texts, which some banks leave out
    /// when they sign. It is never written anew: `partnerServiceId` has blanks that count.
    fn is_signed(&self, path: &str, token: &str, stamp: &str, body: &[u8], signature: &str) -> bool {
        use base64::Engine as _;
        let Ok(given) = base64::engine::general_purpose::STANDARD.decode(signature) else { return false };
        let inner = path.find(VERSION).map(|at| &path[at..]);
        let paths = [Some(path), inner.filter(|inner| *inner != path)];
        let bodies = [body.to_vec(), minified(body)];
        paths.into_iter().flatten().any(|path| {
            bodies.iter().any(|body| {
                let signed = string_to_sign(path, token, stamp, body);
                bool::from(hmac_sha512(&self.settings.client_secret, signed.as_bytes()).ct_eq(&given))
            })
        })
    }

    /// Reads a call again that was believed and kept.
    #[must_use]
    pub fn read_kept(&self, headers: &[(String, String)], body: &[u8]) -> Option<SnapCall> {
        let service = match header(headers, SERVICE)? {
            "inquiry" => SnapService::Inquiry,
            "payment" => SnapService::Payment,
            _ => return None,
        };
        let expected = self.kept_digest(service, body);
        let fits = bool::from(header(headers, KEPT)?.as_bytes().ct_eq(expected.as_bytes()));
        if fits { body::read(service, body).ok() } else { None }
    }

    /// A digest of a call under the secret, in place of its token and signature.
    fn kept_digest(&self, service: SnapService, body: &[u8]) -> String {
        let text = [b"kept|", service.name().as_bytes(), b"|", body].concat();
        hex(&hmac_sha512(&self.settings.client_secret, &text))
    }

    /// The digits for the customer, when the number in a call is one of ours.
    #[must_use]
    pub fn digits<'a>(&self, call: &'a SnapCall) -> Option<&'a str> {
        let va = call.account();
        let ours = va.service_id.trim_start_matches(' ') == self.settings.service_id;
        ours.then_some(va.customer_no.as_str())
    }

    /// The answer to an inquiry of a customer who owes so much; nothing means that all is paid.
    #[must_use]
    pub fn owes(&self, inquiry: &VaInquiry, name: &str, owed: isp_core::Money) -> SnapAnswer {
        match owed.is_positive() {
            true => answer::owes(&self.settings, inquiry, name, owed),
            false => answer::inquiry_refused(&self.settings, inquiry, Refusal::Paid),
        }
    }

    /// The answer to a payment that is booked. It says the same each time.
    #[must_use]
    pub fn booked(&self, notice: &VaNotice, name: &str) -> SnapAnswer {
        answer::booked(&self.settings, notice, name)
    }

    /// Refuses a call that was believed, in the words of the standard.
    #[must_use]
    pub fn refuse_call(&self, call: &SnapCall, refusal: Refusal) -> SnapAnswer {
        match call {
            SnapCall::Inquiry(inquiry) => answer::inquiry_refused(&self.settings, inquiry, refusal),
            SnapCall::Payment(notice) => answer::payment_refused(&self.settings, notice, refusal),
        }
    }

    /// Refuses a call that was not believed or not read.
    #[must_use]
    pub fn refuse(&self, service: SnapService, refusal: Refusal) -> SnapAnswer {
        answer::refused(&self.settings, service, refusal)
    }
}

/// What is signed of a call.
pub(crate) fn string_to_sign(path: &str, token: &str, stamp: &str, body: &[u8]) -> String {
    format!("POST:{path}:{token}:{}:{stamp}", hex(&Sha256::digest(body)))
}

/// Empty for no key, which HMAC never refuses; an empty one fits no signature, for it has another length.
pub(crate) fn hmac_sha512(key: &SecretString, bytes: &[u8]) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<Sha512>::new_from_slice(key.expose_secret().as_bytes()) else { return Vec::new() };
    mac.update(bytes);
    mac.finalize().into_bytes().to_vec()
}

/// JSON without the blanks outside of texts.
pub(crate) fn minified(body: &[u8]) -> Vec<u8> {
    let (mut out, mut inside, mut escaped) = (Vec::with_capacity(body.len()), false, false);
    for b in body {
        if inside || !matches!(b, b' ' | b'\t' | b'\n' | b'\r') {
            out.push(*b);
        }
        (inside, escaped) = match (*b, inside, escaped) {
            (_, true, true) => (true, false),
            (b'\\', true, false) => (true, true),
            (b'"', was, _) => (!was, false),
            (_, was, _) => (was, false),
        };
    }
    out
}

/// A header that must be there, once and with something in it.
fn needed<'a>(headers: &'a [(String, String)], name: &'static str) -> Result<&'a str, Refusal> {
    header(headers, name).filter(|value| !value.is_empty()).ok_or(Refusal::Mandatory(name))
}

/// `2026-11-22T10:00:30+07:00`.
fn timestamp(text: &str) -> Result<DateTime<chrono::FixedOffset>, Refusal> {
    DateTime::parse_from_rfc3339(text).map_err(|_| Refusal::Format("X-TIMESTAMP"))
}

fn in_time(at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), Refusal> {
    if (now - at).abs() > SKEW { Err(Refusal::Stale) } else { Ok(()) }
}
