//! A key file in a form that may lie beside the data: wrapped by a passphrase.
//!
//! Argon2id makes a key of the passphrase, and XChaCha20-Poly1305 seals the text of the key file with it. What the cost
//! was stands in the file, so that it can be raised later. A wrapped file is one line below a comment:
//! `isp-wrapped-key-1 MEMORY_KIB PASSES SALT NONCE SEALED`, the last three in hex.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use isp_core::text::hex;
use zeroize::Zeroizing;

use crate::vault::{VaultError, WRAPPED};

/// Fewer signs are guessed in a day, whatever the cost.
const SHORTEST: usize = 12;
/// 64 MiB, three times: about a fifth of a second, once.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
/// A file that asks for more than this is not ours, and would only take the memory of the machine.
const MOST_KIB: u32 = 1024 * 1024;
const MOST_PASSES: u32 = 100;
const SALT: usize = 16;
const NONCE: usize = 24;

/// Wraps the text of a key file.
pub(crate) fn wrap(text: &str, passphrase: &str) -> Result<String, VaultError> {
    if passphrase.chars().count() < SHORTEST {
        return Err(VaultError::PassphraseShort);
    }
    let (mut salt, mut nonce) = ([0_u8; SALT], [0_u8; NONCE]);
    getrandom::fill(&mut salt).and_then(|()| getrandom::fill(&mut nonce)).map_err(|_| VaultError::Random)?;
    let head = format!("{WRAPPED} {MEMORY_KIB} {PASSES} {}", hex(&salt));
    let cipher = cipher(passphrase, &salt, MEMORY_KIB, PASSES)?;
    let payload = Payload { msg: text.as_bytes(), aad: head.as_bytes() };
    let sealed = cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| VaultError::Form)?;
    Ok(format!(
        "# isp: the key, wrapped by a passphrase. `isp key unwrap` opens it.\n{head} {} {}\n",
        hex(&nonce),
        hex(&sealed)
    ))
}

/// The text of the key file that was wrapped.
pub(crate) fn unwrap(wrapped: &str, passphrase: &str) -> Result<Zeroizing<String>, VaultError> {
    let line = wrapped.lines().find(|line| line.starts_with(WRAPPED)).ok_or(VaultError::NotWrapped)?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, memory, passes, salt, nonce, sealed] = words[..] else { return Err(VaultError::NotWrapped) };
    let number = |text: &str, most: u32| text.parse().ok().filter(|n| (1..=most).contains(n));
    let (Some(memory), Some(passes)) = (number(memory, MOST_KIB), number(passes, MOST_PASSES)) else {
        return Err(VaultError::NotWrapped);
    };
    let bytes = |text: &str| from_hex(text).ok_or(VaultError::NotWrapped);
    let (salt_bytes, sealed) = (bytes(salt)?, bytes(sealed)?);
    let nonce: [u8; NONCE] = bytes(nonce)?.try_into().map_err(|_| VaultError::NotWrapped)?;
    let head = format!("{WRAPPED} {memory} {passes} {salt}");
    let payload = Payload { msg: &sealed, aad: head.as_bytes() };
    let cipher = cipher(passphrase, &salt_bytes, memory, passes)?;
    let clear = Zeroizing::new(cipher.decrypt(&XNonce::from(nonce), payload).map_err(|_| VaultError::Passphrase)?);
    String::from_utf8(clear.to_vec()).map(Zeroizing::new).map_err(|_| VaultError::Form)
}

fn cipher(passphrase: &str, salt: &[u8], memory: u32, passes: u32) -> Result<XChaCha20Poly1305, VaultError> {
    let params = Params::new(memory, passes, 1, Some(32)).map_err(|_| VaultError::NotWrapped)?;
    let mut key = Zeroizing::new([0_u8; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, key.as_mut_slice())
        .map_err(|_| VaultError::NotWrapped)?;
    XChaCha20Poly1305::new_from_slice(key.as_slice()).map_err(|_| VaultError::NotWrapped)
}

/// Bytes from hex digits.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || text.len() % 2 == 1 {
        return None;
    }
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| std::str::from_utf8(pair).ok().and_then(|p| u8::from_str_radix(p, 16).ok())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::is_wrapped;

    const PASSPHRASE: &str = "empat kata acak ini";

    #[test]
    fn what_is_wrapped_opens_with_its_passphrase_only() {
        let wrapped = wrap("the key\n", PASSPHRASE).unwrap();
        assert!(is_wrapped(&wrapped) && !wrapped.contains("the key\n"), "{wrapped}");
        assert_eq!(unwrap(&wrapped, PASSPHRASE).unwrap().as_str(), "the key\n");
        assert_ne!(wrapped, wrap("the key\n", PASSPHRASE).unwrap(), "salt and nonce are random");
        assert_eq!(unwrap(&wrapped, "empat kata acak itu").unwrap_err(), VaultError::Passphrase);
        // What a mailer or an editor does to the ends of lines does no harm.
        assert!(unwrap(&wrapped.replace('\n', "\r\n"), PASSPHRASE).is_ok());
    }

    #[test]
    fn what_was_changed_does_not_open() {
        let wrapped = wrap("the key\n", PASSPHRASE).unwrap();
        let words: Vec<&str> = wrapped.lines().last().unwrap().split(' ').collect();
        let with = |at: usize, word: &str| {
            let mut changed = words.clone();
            changed[at] = word;
            unwrap(&changed.join(" "), PASSPHRASE).unwrap_err()
        };
        assert_eq!(with(2, "2"), VaultError::Passphrase);
        assert_eq!(with(3, &"00".repeat(16)), VaultError::Passphrase);
        assert_eq!(with(4, &"00".repeat(24)), VaultError::Passphrase);
        assert_eq!(with(5, &words[5][2..]), VaultError::Passphrase);
        for (at, word) in [(1, "4294967295"), (1, "0"), (2, "1000000"), (3, "xy"), (4, "00"), (5, "é")] {
            assert_eq!(with(at, word), VaultError::NotWrapped, "{at} {word}");
        }
        assert_eq!(unwrap("", PASSPHRASE).unwrap_err(), VaultError::NotWrapped);
        assert_eq!(unwrap(&words[..5].join(" "), PASSPHRASE).unwrap_err(), VaultError::NotWrapped);
    }

    #[test]
    fn a_short_passphrase_is_refused() {
        for short in ["", "rahasia", "sebelas huk"] {
            assert_eq!(wrap("x", short).unwrap_err(), VaultError::PassphraseShort, "{short}");
        }
    }
}
