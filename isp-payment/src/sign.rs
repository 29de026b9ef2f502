//! Digests as gateways write them: lowercase hexadecimal.

use hmac::{Hmac, KeyInit, Mac};
use isp_core::text::hex;
use md5::Md5;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;

pub(crate) fn sha512(text: &str) -> String {
    hex(&Sha512::digest(text.as_bytes()))
}

pub(crate) fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

pub(crate) fn md5(text: &str) -> String {
    hex(&Md5::digest(text.as_bytes()))
}

/// Empty for no key, which HMAC never refuses; an empty one fits no signature.
pub(crate) fn hmac_sha256(key: &SecretString, bytes: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes()) else { return String::new() };
    mac.update(bytes);
    hex(&mac.finalize().into_bytes())
}

/// Whether a signature is the expected one, in the same time wherever they differ. Some write capital letters.
pub(crate) fn fits(given: &str, expected: &str) -> bool {
    !expected.is_empty() && bool::from(given.to_ascii_lowercase().as_bytes().ct_eq(expected.as_bytes()))
}

/// Whether a token is the secret, letter by letter.
pub(crate) fn is_secret(given: &str, secret: &SecretString) -> bool {
    !is_blank(secret) && bool::from(given.as_bytes().ct_eq(secret.expose_secret().as_bytes()))
}

/// A secret that was never filled in.
pub(crate) fn is_blank(secret: &SecretString) -> bool {
    secret.expose_secret().trim().is_empty()
}
