//! The token of a link: twenty random bytes, of which only the hash is kept.

use chrono::{DateTime, Utc};
use isp_core::ids::{CustomerId, PageLinkId};
use isp_core::payment::PageLink;
use sha2::{Digest as _, Sha256};

/// Letters and digits that nobody confuses, and that need no escape in an address.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
const LENGTH: usize = 32;

/// The secret of a link.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A new one.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn draw() -> Result<Self, std::io::Error> {
        let mut bytes = [0_u8; LENGTH];
        getrandom::fill(&mut bytes).map_err(|_| std::io::Error::other("no random numbers"))?;
        // Five bits of each byte: 160 bits in all.
        let letter = |byte: &u8| char::from(LETTERS[usize::from(byte & 31)]);
        Ok(Self(bytes.iter().map(letter).collect()))
    }

    /// Reads one from an address; `None` for what cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let good = text.len() == LENGTH && text.bytes().all(|byte| LETTERS.contains(&byte));
        good.then(|| Self(text.to_owned()))
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// The link that is kept.
    #[must_use]
    pub fn link(&self, id: PageLinkId, customer_id: CustomerId, made_at: DateTime<Utc>) -> PageLink {
        PageLink { id, hash: self.hash(), customer_id, made_at }
    }

    /// The address of its page.
    #[must_use]
    pub fn url(&self, public_url: &str) -> String {
        format!("{public_url}/t/{}", self.0)
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(***)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tokens_differ_and_are_read_back() {
        let (a, b) = (Token::draw().unwrap(), Token::draw().unwrap());
        assert_ne!(a.hash(), b.hash());
        let url = a.url("https://bayar.example.id");
        assert_eq!(Token::parse(url.rsplit('/').next().unwrap()), Some(a));
        for bad in ["", "x", &"a".repeat(33), &"l".repeat(32), "../../../../../../../../etc/passwd"] {
            assert_eq!(Token::parse(bad), None, "{bad}");
        }
    }
}
