//! The sentences that come in.

use std::fmt;

use super::word::{Words, put_word};

/// Arguments whose values are never shown, not even in `Debug`.
pub(super) const SENSITIVE: [&str; 4] = ["password", "response", "secret", "otp-secret"];

/// What the first word of a reply says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplyKind {
    /// `!re`: one row.
    Row,
    /// `!done`: the command ended. The only word that ends one.
    Done,
    /// `!trap`: an error. More of them, and then `!done`, follow.
    Trap,
    /// `!fatal`: the router closes the connection.
    Fatal,
    /// `!empty` (since 7.18): there is nothing to return; `!done` follows.
    Empty,
    /// A word that this crate does not know. Never fatal: three ecosystems broke on `!empty`.
    Unknown,
}

/// One received sentence, kept as it came over the wire: one allocation, values as bytes.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Sentence {
    wire: Vec<u8>,
}

/// A `!re` sentence.
pub type Row = Sentence;

impl Sentence {
    /// Builds a sentence from words, as the simulator does.
    pub fn from_words<W: AsRef<[u8]>>(words: impl IntoIterator<Item = W>) -> Sentence {
        let mut wire = Vec::new();
        for word in words {
            put_word(&mut wire, word.as_ref());
        }
        Sentence { wire }
    }

    /// The words in the order they came.
    pub fn words(&self) -> Words<'_> {
        Words::new(&self.wire)
    }

    /// What the first word says.
    pub fn kind(&self) -> ReplyKind {
        kind_of(self.words().next())
    }

    /// The tag, wherever in the sentence it stands.
    pub fn tag(&self) -> Option<&[u8]> {
        self.words().find_map(|word| word.strip_prefix(b".tag="))
    }

    /// The value of `=name=value`; `None` if the router did not send it, which is not the same as an empty value.
    pub fn value(&self, name: &str) -> Option<&[u8]> {
        self.attributes().find_map(|(key, value)| (key == name.as_bytes()).then_some(value))
    }

    /// Several values in one look, in the order of the names: rows are read by the ten thousand.
    pub fn values<const N: usize>(&self, names: [&str; N]) -> [Option<&[u8]>; N] {
        let mut values = [None; N];
        let mut next = 0;
        for (key, value) in self.attributes() {
            let named = |at: &usize| names.get(*at).is_some_and(|name| name.as_bytes() == key);
            // The router answers in the order that it was asked in, most of the time.
            let Some(at) = Some(next).filter(named).or_else(|| (0..N).find(named)) else { continue };
            if let Some(slot) = values.get_mut(at) {
                slot.get_or_insert(value);
            }
            next = at + 1;
        }
        values
    }

    /// The value as text if it is UTF-8. For text that people typed use [`crate::text::CodePage::decode`].
    pub fn utf8(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Every `=name=value` as bytes.
    pub fn attributes(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.words().filter_map(split_attribute)
    }

    /// Size on the wire in bytes, the closing zero left out.
    pub fn wire_len(&self) -> usize {
        self.wire.len()
    }
}

impl fmt::Debug for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show_words(self.words(), f)
    }
}

/// A sentence that is still in the buffer it was received into.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a>(&'a [u8]);

impl<'a> Frame<'a> {
    /// The words of one sentence in wire form, without the closing zero.
    pub(super) fn new(words: &'a [u8]) -> Frame<'a> {
        Frame(words)
    }

    pub(super) fn to_sentence(self) -> Sentence {
        Sentence { wire: self.0.to_vec() }
    }

    /// Writes a sentence over, in the memory that it has.
    pub(super) fn copy_to(self, sentence: &mut Sentence) {
        sentence.wire.clear();
        sentence.wire.extend_from_slice(self.0);
    }

    /// Reply word, tag, and whether there is more: one look, since this is done for every sentence.
    pub(super) fn head(self) -> Head<'a> {
        let mut words = Words::new(self.0);
        let mut head = Head { kind: kind_of(words.next()), tag: None, says_more: false };
        for word in words {
            match word.strip_prefix(b".tag=") {
                Some(tag) if head.tag.is_none() => head.tag = Some(tag),
                _ => head.says_more = true,
            }
            if head.tag.is_some() && head.says_more {
                break;
            }
        }
        head
    }

    pub(super) fn wire_len(self) -> usize {
        self.0.len()
    }
}

/// What the connection has to know of a sentence.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head<'a> {
    pub(super) kind: ReplyKind,
    pub(super) tag: Option<&'a [u8]>,
    /// Whether there is anything besides the reply word and the tag.
    pub(super) says_more: bool,
}

fn kind_of(word: Option<&[u8]>) -> ReplyKind {
    match word {
        Some(b"!re") => ReplyKind::Row,
        Some(b"!done") => ReplyKind::Done,
        Some(b"!trap") => ReplyKind::Trap,
        Some(b"!fatal") => ReplyKind::Fatal,
        Some(b"!empty") => ReplyKind::Empty,
        _ => ReplyKind::Unknown,
    }
}

pub(super) fn split_attribute(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let body = word.strip_prefix(b"=")?;
    match body.iter().position(|&byte| byte == b'=') {
        Some(at) => Some((&body[..at], &body[at + 1..])),
        None => Some((body, b"")),
    }
}

pub(super) fn show_words(words: Words<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (index, word) in words.enumerate() {
        if index > 0 {
            f.write_str(" ")?;
        }
        match split_attribute(word) {
            Some((name, _)) if SENSITIVE.iter().any(|hidden| hidden.as_bytes() == name) => {
                write!(f, "={}=***", name.escape_ascii())?;
            }
            _ => write!(f, "{}", word.escape_ascii())?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_at_any_position() {
        for words in [vec!["!done", ".tag=7", "=ret=*1"], vec!["!done", "=ret=*1", ".tag=7"]] {
            let sentence = Sentence::from_words(words);
            assert_eq!(sentence.tag(), Some(&b"7"[..]));
            assert_eq!(sentence.value("ret"), Some(&b"*1"[..]));
            assert_eq!(sentence.kind(), ReplyKind::Done);
        }
    }

    #[test]
    fn several_values_come_as_each_alone_would() {
        let sentence = Sentence::from_words(["!re", "=b=2", "=name=x", "=a=1", "=b=3", ".tag=4", "=empty="]);
        let names = ["a", "b", "c", "name", "empty"];
        assert_eq!(sentence.values(names), names.map(|name| sentence.value(name)));
        assert_eq!(sentence.values(names)[1], Some(&b"2"[..]), "the first one counts");
    }

    #[test]
    fn values_are_bytes_and_may_hold_an_equals_sign() {
        let sentence = Sentence::from_words([&b"!re"[..], b"=comment=a=b\x93\xff", b"=empty=", b"=once"]);
        assert_eq!(sentence.value("comment"), Some(&b"a=b\x93\xff"[..]));
        assert_eq!(sentence.value("empty"), Some(&b""[..]));
        assert_eq!(sentence.value("once"), Some(&b""[..]));
        assert_eq!(sentence.value("absent"), None);
    }
}
