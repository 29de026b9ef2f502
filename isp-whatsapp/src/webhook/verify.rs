//! Is it really Meta?

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use isp_http::percent_decoded;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::{Event, payload};

/// Why a webhook request is not believed. None of these carries any of the request's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// There is no `X-Hub-Signature-256` header, or it is not `sha256=` and 64 hex digits. Answer 401.
    #[error("the webhook signature is missing or malformed")]
    SignatureMissing,
    /// The signature does not belong to these bytes. Answer 401.
    #[error("the webhook signature does not match")]
    SignatureMismatch,
    /// Signed, but not the JSON of a WhatsApp webhook. Answer 400 and tell the operator.
    #[error("the webhook body is not a whatsapp notification")]
    Malformed,
    /// The GET request that subscribes the webhook has a wrong mode, token or no challenge. Answer 403.
    #[error("the webhook subscription request is refused")]
    SubscriptionRefused,
    /// The app secret or the verify token of this side is empty: anybody could sign with it, so nothing is believed.
    /// Answer 503 and tell the operator.
    #[error("the app secret or verify token of the webhook is empty")]
    NotSetUp,
}

impl WebhookError {
    /// A stable code for programs and documentation.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::SignatureMissing => "webhook.signature_missing",
            Self::SignatureMismatch => "webhook.signature_mismatch",
            Self::Malformed => "webhook.malformed",
            Self::SubscriptionRefused => "webhook.subscription_refused",
            Self::NotSetUp => "webhook.not_set_up",
        }
    }

    /// Never: Meta itself delivers again, for up to seven days.
    #[must_use]
    pub fn retryable(&self) -> bool {
        false
    }
}

/// The two secrets of a webhook endpoint.
#[derive(Clone)]
pub struct Webhook {
    app_secret: SecretString,
    verify_token: SecretString,
}

impl Webhook {
    /// `app_secret` is the one of the Meta app (it signs every delivery); `verify_token` is the word the operator
    /// typed into the app's webhook form. Either that is empty verifies nothing: anybody can sign with an empty secret.
    #[must_use]
    pub fn new(app_secret: SecretString, verify_token: SecretString) -> Self {
        Self { app_secret, verify_token }
    }

    /// Answers Meta's `GET` that subscribes the endpoint: the challenge to send back as plain text with status 200.
    ///
    /// `query` is the raw query string.
    ///
    /// # Errors
    /// [`WebhookError::SubscriptionRefused`]: answer 403; [`WebhookError::NotSetUp`].
    pub fn subscribe(&self, query: &str) -> Result<String, WebhookError> {
        if is_blank(&self.verify_token) {
            return Err(WebhookError::NotSetUp);
        }
        let mut mode = None;
        let mut token = None;
        let mut challenge = None;
        for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            let slot = match key {
                "hub.mode" => &mut mode,
                "hub.verify_token" => &mut token,
                "hub.challenge" => &mut challenge,
                _ => continue,
            };
            *slot = percent_decoded(value);
        }
        match (mode.as_deref(), token, challenge) {
            (Some("subscribe"), Some(token), Some(challenge))
                if bool::from(token.as_bytes().ct_eq(self.verify_token.expose_secret().as_bytes())) =>
            {
                Ok(challenge)
            }
            _ => Err(WebhookError::SubscriptionRefused),
        }
    }

    /// Checks the `X-Hub-Signature-256` header against the bytes as they came over the wire.
    ///
    /// Meta signs its own escaped form (`\u00e4`, `\/`, `\u0040`); a body that was parsed and written again has
    /// other bytes and must not pass. The comparison takes the same time wherever the first difference is.
    ///
    /// # Errors
    /// [`WebhookError::SignatureMissing`] or [`WebhookError::SignatureMismatch`]: answer 401; [`WebhookError::NotSetUp`].
    pub fn verify(&self, header: Option<&str>, raw: &[u8]) -> Result<(), WebhookError> {
        if is_blank(&self.app_secret) {
            return Err(WebhookError::NotSetUp);
        }
        let given = header
            .and_then(|header| header.trim().strip_prefix("sha256="))
            .and_then(unhex)
            .ok_or(WebhookError::SignatureMissing)?;
        let matches = mac(&self.app_secret, raw).is_some_and(|expected| bool::from(expected[..].ct_eq(&given[..])));
        if matches { Ok(()) } else { Err(WebhookError::SignatureMismatch) }
    }

    /// Verifies, then parses. The events are in the order of the body, duplicates included.
    ///
    /// # Errors
    /// As [`Webhook::verify`]; [`WebhookError::Malformed`] when the signed body is not a WhatsApp notification.
    pub fn receive(&self, header: Option<&str>, raw: &[u8]) -> Result<Vec<Event>, WebhookError> {
        self.verify(header, raw)?;
        payload::parse(raw)
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").finish_non_exhaustive()
    }
}

/// The value of the `X-Hub-Signature-256` header for these bytes, as Meta computes it.
#[must_use]
pub fn signature(app_secret: &SecretString, raw: &[u8]) -> String {
    format!("sha256={}", isp_core::text::hex(&mac(app_secret, raw).unwrap_or_default()))
}

/// A secret that was never filled in.
fn is_blank(secret: &SecretString) -> bool {
    secret.expose_secret().trim().is_empty()
}

fn mac(secret: &SecretString, raw: &[u8]) -> Option<[u8; 32]> {
    // HMAC takes a key of any length, so this is always `Some`; no panic path all the same.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).ok()?;
    mac.update(raw);
    Some(mac.finalize().into_bytes().into())
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0u8; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(bytes)
}
