//! The token that a bank gets: when it ends, random bytes, and a digest of both under a key of ours. Nothing is kept, so each process
//! knows the tokens of the others, and of those before it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::SnapSettings;

/// How long one holds.
pub(super) const LIFE: TimeDelta = TimeDelta::seconds(900);
const HEAD: usize = 8 + 16;

/// A new one.
pub(super) fn made(settings: &SnapSettings, now: DateTime<Utc>, nonce: [u8; 16]) -> String {
    let mut bytes = (now + LIFE).timestamp().to_be_bytes().to_vec();
    bytes.extend(nonce);
    let digest = digest(settings, &bytes);
    bytes.extend(digest);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Whether it is one of ours that still holds.
pub(super) fn holds(settings: &SnapSettings, token: &str, now: DateTime<Utc>) -> bool {
    let Ok(bytes) = URL_SAFE_NO_PAD.decode(token) else { return false };
    let Some((head, given)) = bytes.split_at_checked(HEAD) else { return false };
    let Some(until) = head.first_chunk::<8>().map(|until| i64::from_be_bytes(*until)) else { return false };
    let ours = bool::from(digest(settings, head).ct_eq(given));
    ours && now.timestamp() < until
}

fn digest(settings: &SnapSettings, head: &[u8]) -> Vec<u8> {
    let key = settings.token_key.expose_secret().as_bytes();
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    // A token is for one bank.
    let whose = format!("snap token|{}|{}|", settings.name.folded(), settings.client_key);
    mac.update(whose.as_bytes());
    mac.update(head);
    mac.finalize().into_bytes().to_vec()
}
