//! The sentences that go out.

use std::fmt;

use zeroize::Zeroize;

use super::sentence::{SENSITIVE, show_words, split_attribute};
use super::word::{MAX_SENTENCE, MAX_WORD, ProtoError, Words, put_len, put_word};

/// A command to be sent: a path, arguments (`=name=value`) and query words (`?…`).
///
/// It is kept in wire form, so that sending is one copy. Values are bytes. `Debug` shows no password.
///
/// ```
/// use isp_mikrotik::proto::Command;
/// let command = Command::new("/ppp/secret/add").arg("name", "budi").arg("password", "rahasia");
/// assert_eq!(format!("{command:?}"), "/ppp/secret/add =name=budi =password=***");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Command {
    wire: Vec<u8>,
    sensitive: bool,
    oversized: bool,
}

impl Command {
    /// A command without arguments, e.g. `/ppp/secret/print`.
    pub fn new(path: &str) -> Command {
        let mut command = Command { wire: Vec::with_capacity(128), sensitive: false, oversized: false };
        command.push(&[path.as_bytes()]);
        command
    }

    /// Adds `=name=value`.
    #[must_use]
    pub fn arg(mut self, name: &str, value: impl AsRef<[u8]>) -> Command {
        self.sensitive |= SENSITIVE.contains(&name);
        self.push(&[b"=", name.as_bytes(), b"=", value.as_ref()]);
        self
    }

    /// Adds `=name=`, the form of a keyword without a value such as `count-only`.
    #[must_use]
    pub fn flag(self, name: &str) -> Command {
        self.arg(name, "")
    }

    /// Limits a print to these properties. RouterOS sends every property otherwise, slow counters included, and
    /// `.id` only when it is in this list.
    #[must_use]
    pub fn proplist(self, names: &[&str]) -> Command {
        let list = names.join(",");
        self.arg(".proplist", list)
    }

    /// Adds one raw query word, without its leading `?`. Their order matters: they drive a stack.
    #[must_use]
    pub fn query(mut self, word: impl AsRef<[u8]>) -> Command {
        self.push(&[b"?", word.as_ref()]);
        self
    }

    /// Asks for rows whose `name` is exactly one of `values` (no row at all for an empty list is the caller's
    /// business: RouterOS would answer every row).
    #[must_use]
    pub fn where_any<V: AsRef<[u8]>>(mut self, name: &str, values: &[V]) -> Command {
        for (index, value) in values.iter().enumerate() {
            self.push(&[b"?", name.as_bytes(), b"=", value.as_ref()]);
            if index > 0 {
                self.push(&[b"?#|"]);
            }
        }
        self
    }

    /// The path, e.g. `/ppp/secret/print`.
    pub fn path(&self) -> &str {
        self.words().next().and_then(|word| std::str::from_utf8(word).ok()).unwrap_or_default()
    }

    /// Every word, the path first.
    pub fn words(&self) -> Words<'_> {
        Words::new(&self.wire)
    }

    /// The arguments as `(name, value)`, queries left out.
    pub fn args(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.words().filter_map(split_attribute)
    }

    /// Whether repeating the command can do no harm: it only reads.
    pub fn is_read_only(&self) -> bool {
        ["/print", "/get", "/find", "/listen", "/login", "/cancel"].iter().any(|end| self.path().ends_with(end))
    }

    /// Appends the whole sentence with its tag and the closing zero.
    pub(super) fn encode(&self, tag: u32, out: &mut Vec<u8>) -> Result<(), ProtoError> {
        if self.oversized {
            return Err(ProtoError::WordTooLong(MAX_WORD + 1));
        }
        if self.wire.len() > MAX_SENTENCE {
            return Err(ProtoError::SentenceTooLong(MAX_SENTENCE));
        }
        out.extend_from_slice(&self.wire);
        let mut word = [0_u8; 15];
        put_word(out, tag_word(tag, &mut word));
        out.push(0);
        Ok(())
    }

    fn push(&mut self, parts: &[&[u8]]) {
        let len = parts.iter().map(|part| part.len()).sum();
        if len > MAX_WORD {
            self.oversized = true;
            return;
        }
        put_len(&mut self.wire, len);
        for part in parts {
            self.wire.extend_from_slice(part);
        }
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show_words(self.words(), f)
    }
}

impl Drop for Command {
    fn drop(&mut self) {
        if self.sensitive {
            self.wire.zeroize();
        }
    }
}

/// `.tag=` and the number, written into `buffer`.
fn tag_word(tag: u32, buffer: &mut [u8; 15]) -> &[u8] {
    buffer[..5].copy_from_slice(b".tag=");
    let mut digits = [0_u8; 10];
    let mut at = digits.len();
    let mut rest = tag;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    let count = digits.len() - at;
    buffer[5..5 + count].copy_from_slice(&digits[at..]);
    &buffer[..5 + count]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_tag_is_written_in_decimal() {
        let mut out = Vec::new();
        Command::new("/x").encode(4_294_967_295, &mut out).unwrap();
        assert_eq!(out, b"\x02/x\x0f.tag=4294967295\0");
        let mut out = Vec::new();
        Command::new("/x").encode(0, &mut out).unwrap();
        assert_eq!(out, b"\x02/x\x06.tag=0\0");
    }

    #[test]
    fn a_word_over_the_limit_is_refused_before_it_is_sent() {
        let command = Command::new("/x").arg("a", vec![0_u8; MAX_WORD]);
        assert_eq!(command.encode(1, &mut Vec::new()), Err(ProtoError::WordTooLong(MAX_WORD + 1)));
    }
}
