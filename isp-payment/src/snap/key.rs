//! The bank's public key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

/// A public RSA key of 2048 bits or more.
pub(super) struct BankKey(Vec<u8>);

impl BankKey {
    /// Reads PEM: `PUBLIC KEY`, or the older `RSA PUBLIC KEY`.
    pub(super) fn parse(pem: &str) -> Option<Self> {
        let (_, rest) = pem.split_once("-----BEGIN ")?;
        let (kind, rest) = rest.split_once("-----")?;
        let (text, _) = rest.split_once("-----END ")?;
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let der = STANDARD.decode(text).ok()?;
        let key = match kind {
            "PUBLIC KEY" => inner(&der)?,
            "RSA PUBLIC KEY" => der,
            _ => return None,
        };
        // A sequence of modulus and exponent, of 2048 bits or more.
        let (numbers, rest) = element(0x30, &key)?;
        let (modulus, _) = element(0x02, numbers)?;
        let long = modulus.iter().skip_while(|b| **b == 0).count() >= 256;
        (rest.is_empty() && long).then_some(Self(key))
    }

    /// Whether these bytes were signed with it: RSA-SHA256 (PKCS #1 v1.5), in base64.
    pub(super) fn signed(&self, bytes: &[u8], signature: &str) -> bool {
        let Ok(signature) = STANDARD.decode(signature) else { return false };
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.0).verify(bytes, &signature).is_ok()
    }
}

/// The key inside a `SubjectPublicKeyInfo`: which kind it is, and a string of bits.
fn inner(der: &[u8]) -> Option<Vec<u8>> {
    /// rsaEncryption, 1.2.840.113549.1.1.1.
    const RSA: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    let (all, rest) = element(0x30, der)?;
    let (kind, bits) = element(0x30, all)?;
    let (key, after) = element(0x03, bits)?;
    let (unused, key) = key.split_first()?;
    (rest.is_empty() && after.is_empty() && kind.starts_with(&RSA) && *unused == 0).then(|| key.to_vec())
}

/// An element of DER with this tag: what is in it, and what follows.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (first, rest) = der.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match *length {
        short @ 0..=0x7f => (usize::from(short), rest),
        0x81 => (usize::from(*rest.first()?), &rest[1..]),
        0x82 => (usize::from(*rest.first()?) << 8 | usize::from(*rest.get(1)?), &rest[2..]),
        _ => return None,
    };
    (*first == tag && rest.len() >= length).then(|| rest.split_at(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_rsa_key_is_refused() {
        for bad in [
            "",
            "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
            "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----",
            "-----BEGIN RSA PUBLIC KEY-----\nMAYCAQECAQM=\n-----END RSA PUBLIC KEY-----",
            "-----BEGIN PUBLIC KEY-----\nMIL//w==\n-----END PUBLIC KEY-----",
        ] {
            assert!(BankKey::parse(bad).is_none(), "{bad}");
        }
    }
}
