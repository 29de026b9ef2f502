//! Sentences: the commands that go out and the replies that come in.

use std::fmt;

use zeroize::Zeroize;

use super::word::{MAX_SENTENCE, MAX_WORD, ProtoError, Words, parse_len, put_word};

/// Arguments whose values are never shown, not even in `Debug`.
const SENSITIVE: [&str; 4] = ["password", "response", "secret", "otp-secret"];

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
        super::word::put_len(&mut self.wire, len);
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
#[derive(Clone, PartialEq, Eq)]
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
    pub(super) fn to_sentence(self) -> Sentence {
        Sentence { wire: self.0.to_vec() }
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

/// Cuts a stream of bytes into sentences, however it is cut into segments.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    start: usize,
    scan: usize,
    failed: Option<ProtoError>,
}

/// Consumed bytes are dropped from the buffer only when there are this many of them, so that each is moved once.
const COMPACT_AT: usize = 64 << 10;

impl Decoder {
    /// Takes received bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.scan -= self.start;
            self.start = 0;
        } else if self.start > COMPACT_AT {
            self.buffer.drain(..self.start);
            self.scan -= self.start;
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole sentence; `Ok(None)` when more bytes are needed. Empty sentences are skipped, as the vendor
    /// asks.
    ///
    /// # Errors
    ///
    /// A [`ProtoError`], the same again on each later call: the place of the next word is lost.
    pub fn next_sentence(&mut self) -> Result<Option<Sentence>, ProtoError> {
        Ok(self.next_frame()?.map(Frame::to_sentence))
    }

    /// Like [`next_sentence`](Self::next_sentence), but the sentence stays in the buffer until the next call.
    pub(super) fn next_frame(&mut self) -> Result<Option<Frame<'_>>, ProtoError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        match self.scan_words() {
            Ok(range) => Ok(range.map(|range| Frame(self.buffer.get(range).unwrap_or_default()))),
            Err(error) => {
                self.failed = Some(error);
                Err(error)
            }
        }
    }

    fn scan_words(&mut self) -> Result<Option<std::ops::Range<usize>>, ProtoError> {
        loop {
            let Some((size, len)) = parse_len(self.buffer.get(self.scan..).unwrap_or_default())? else {
                return Ok(None);
            };
            let end = self.scan + size + len;
            if end - self.start > MAX_SENTENCE {
                return Err(ProtoError::SentenceTooLong(MAX_SENTENCE));
            }
            if end > self.buffer.len() {
                return Ok(None);
            }
            self.scan = end;
            if len > 0 {
                continue;
            }
            let words = self.start..end - size;
            self.start = end;
            if !words.is_empty() {
                return Ok(Some(words));
            }
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

fn split_attribute(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let body = word.strip_prefix(b"=")?;
    match body.iter().position(|&byte| byte == b'=') {
        Some(at) => Some((&body[..at], &body[at + 1..])),
        None => Some((body, b"")),
    }
}

fn show_words(words: Words<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn encoded(words: &[Vec<u8>]) -> Vec<u8> {
        let mut out = Vec::new();
        for word in words {
            put_word(&mut out, word);
        }
        out.push(0);
        out
    }

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
    fn values_are_bytes_and_may_hold_an_equals_sign() {
        let sentence = Sentence::from_words([&b"!re"[..], b"=comment=a=b\x93\xff", b"=empty=", b"=once"]);
        assert_eq!(sentence.value("comment"), Some(&b"a=b\x93\xff"[..]));
        assert_eq!(sentence.value("empty"), Some(&b""[..]));
        assert_eq!(sentence.value("once"), Some(&b""[..]));
        assert_eq!(sentence.value("absent"), None);
    }

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

    #[test]
    fn a_decoder_that_failed_stays_failed() {
        let mut decoder = Decoder::default();
        decoder.feed(&[0xF9, 0x00]);
        assert_eq!(decoder.next_sentence(), Err(ProtoError::ControlByte(0xF9)));
        decoder.feed(b"\x05!done\0");
        assert_eq!(decoder.next_sentence(), Err(ProtoError::ControlByte(0xF9)));
    }

    #[test]
    fn a_sentence_over_the_limit_is_an_error_before_it_fills_the_memory() {
        let mut decoder = Decoder::default();
        let mut word = Vec::new();
        put_word(&mut word, &vec![b'x'; MAX_WORD]);
        let mut outcome = Ok(None);
        for _ in 0..5 {
            decoder.feed(&word);
            outcome = decoder.next_sentence();
            if outcome.is_err() {
                break;
            }
        }
        assert_eq!(outcome, Err(ProtoError::SentenceTooLong(MAX_SENTENCE)));
    }

    proptest! {
        #[test]
        fn sentences_survive_any_segmentation(
            sentences in prop::collection::vec(
                prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 1..8), 1..8),
            cuts in prop::collection::vec(1_usize..64, 1..64),
        ) {
            let stream: Vec<u8> = sentences.iter().flat_map(|words| encoded(words)).collect();
            let mut decoder = Decoder::default();
            let mut seen = Vec::new();
            let mut rest = &stream[..];
            let mut cut = cuts.iter().cycle();
            while !rest.is_empty() {
                let (head, tail) = rest.split_at((*cut.next().unwrap()).min(rest.len()));
                decoder.feed(head);
                rest = tail;
                while let Some(sentence) = decoder.next_sentence().unwrap() {
                    seen.push(sentence.words().map(<[u8]>::to_vec).collect::<Vec<_>>());
                }
            }
            prop_assert_eq!(seen, sentences);
        }

        #[test]
        fn any_bytes_end_in_sentences_or_one_error(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let mut whole = Decoder::default();
            whole.feed(&bytes);
            let mut expected = Vec::new();
            let end = loop {
                match whole.next_sentence() {
                    Ok(Some(sentence)) => expected.push(sentence),
                    Ok(None) => break None,
                    Err(error) => break Some(error),
                }
            };
            let mut single = Decoder::default();
            let mut seen = Vec::new();
            let mut failed = None;
            for byte in bytes {
                single.feed(&[byte]);
                loop {
                    match single.next_sentence() {
                        Ok(Some(sentence)) => seen.push(sentence),
                        Ok(None) => break,
                        Err(error) => { failed = Some(error); break; }
                    }
                }
            }
            prop_assert_eq!(seen, expected);
            prop_assert_eq!(failed, end);
        }
    }
}
