//! From bytes to sentences.

use super::sentence::{Frame, Sentence};
use super::word::{MAX_SENTENCE, ProtoError, parse_len};

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
            Ok(range) => Ok(range.map(|range| Frame::new(self.buffer.get(range).unwrap_or_default()))),
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::proto::word::{MAX_WORD, put_word};

    fn encoded(words: &[Vec<u8>]) -> Vec<u8> {
        let mut out = Vec::new();
        for word in words {
            put_word(&mut out, word);
        }
        out.push(0);
        out
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
