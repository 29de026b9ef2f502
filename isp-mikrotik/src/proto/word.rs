//! Words: a length in one of five forms, then that many bytes.

/// Longest word that is accepted or sent, in bytes. RouterOS publishes no maximum; without one a single damaged
/// length would make the client wait for gigabytes.
pub const MAX_WORD: usize = 16 << 20;

/// Longest sentence that is accepted or sent, in bytes.
pub const MAX_SENTENCE: usize = 64 << 20;

/// What makes a byte stream unreadable. After one of these the connection cannot go on: where the next word
/// starts is not known any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtoError {
    /// A first byte of 0xF8 or more. The vendor reserves them as control bytes; a client that does not know one
    /// must not continue.
    #[error("reserved control byte 0x{0:02x}")]
    ControlByte(u8),
    /// A first byte of 0xF1 to 0xF7, which no length form uses.
    #[error("undefined length form 0x{0:02x}")]
    UndefinedLength(u8),
    /// A word longer than [`MAX_WORD`].
    #[error("word of {0} bytes is over the limit")]
    WordTooLong(usize),
    /// A sentence longer than [`MAX_SENTENCE`].
    #[error("sentence of more than {0} bytes is over the limit")]
    SentenceTooLong(usize),
    /// The rows of one reply are together over the limit of the connection.
    #[error("reply of more than {0} bytes is over the limit")]
    ReplyTooLong(usize),
}

/// Appends the length prefix of a word of `len` bytes.
///
/// ```
/// let mut out = Vec::new();
/// isp_mikrotik::proto::word::put_len(&mut out, 0x80);
/// assert_eq!(out, [0x80, 0x80]);
/// ```
pub fn put_len(out: &mut Vec<u8>, len: usize) {
    let bytes = (len as u32).to_be_bytes();
    match len {
        0..=0x7F => out.push(bytes[3]),
        0x80..=0x3FFF => out.extend_from_slice(&[bytes[2] | 0x80, bytes[3]]),
        0x4000..=0x1F_FFFF => out.extend_from_slice(&[bytes[1] | 0xC0, bytes[2], bytes[3]]),
        0x20_0000..=0xFFF_FFFF => out.extend_from_slice(&[bytes[0] | 0xE0, bytes[1], bytes[2], bytes[3]]),
        _ => {
            out.push(0xF0);
            out.extend_from_slice(&bytes);
        }
    }
}

/// Appends one word: its length, then its bytes.
pub fn put_word(out: &mut Vec<u8>, word: &[u8]) {
    put_len(out, word.len());
    out.extend_from_slice(word);
}

/// Reads a length prefix from the front of `bytes`: `Ok(None)` if more bytes are needed, otherwise the size of the
/// prefix and the length that it tells.
///
/// # Errors
///
/// [`ProtoError::ControlByte`], [`ProtoError::UndefinedLength`] and [`ProtoError::WordTooLong`].
#[inline]
pub fn parse_len(bytes: &[u8]) -> Result<Option<(usize, usize)>, ProtoError> {
    let Some(&first) = bytes.first() else { return Ok(None) };
    if first < 0x80 {
        return Ok(Some((1, usize::from(first))));
    }
    let (size, mask) = match first {
        0x80..=0xBF => (2, 0x3F),
        0xC0..=0xDF => (3, 0x1F),
        0xE0..=0xEF => (4, 0x0F),
        0xF0 => (5, 0),
        0xF1..=0xF7 => return Err(ProtoError::UndefinedLength(first)),
        _ => return Err(ProtoError::ControlByte(first)),
    };
    let Some(rest) = bytes.get(1..size) else { return Ok(None) };
    let len = rest.iter().fold(usize::from(first & mask), |len, &byte| (len << 8) | usize::from(byte));
    if len > MAX_WORD {
        return Err(ProtoError::WordTooLong(len));
    }
    Ok(Some((size, len)))
}

/// The words stored one after the other in wire form, without the closing zero.
#[derive(Clone)]
pub struct Words<'a> {
    rest: &'a [u8],
}

impl<'a> Words<'a> {
    /// Reads words from `wire`; stops at the first byte that is not a whole word.
    pub fn new(wire: &'a [u8]) -> Self {
        Words { rest: wire }
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let (size, len) = parse_len(self.rest).ok().flatten()?;
        let word = self.rest.get(size..size + len)?;
        self.rest = self.rest.get(size + len..).unwrap_or_default();
        Some(word)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_length_form_at_its_edges() {
        for (len, prefix) in [
            (0, &[0x00][..]),
            (0x7F, &[0x7F]),
            (0x80, &[0x80, 0x80]),
            (0x3FFF, &[0xBF, 0xFF]),
            (0x4000, &[0xC0, 0x40, 0x00]),
            (0x1F_FFFF, &[0xDF, 0xFF, 0xFF]),
            (0x20_0000, &[0xE0, 0x20, 0x00, 0x00]),
            (MAX_WORD, &[0xE1, 0x00, 0x00, 0x00]),
        ] {
            let mut out = Vec::new();
            put_len(&mut out, len);
            assert_eq!(out, prefix, "length {len:#x}");
            assert_eq!(parse_len(&out), Ok(Some((prefix.len(), len))));
            for cut in 0..prefix.len() {
                assert_eq!(parse_len(&out[..cut]), Ok(None));
            }
        }
        let mut out = Vec::new();
        put_len(&mut out, 0x1000_0000);
        assert_eq!(out, [0xF0, 0x10, 0x00, 0x00, 0x00]);
    }

    #[test]
    fn reserved_and_oversized_lengths_are_errors() {
        assert_eq!(parse_len(&[0xF1]), Err(ProtoError::UndefinedLength(0xF1)));
        assert_eq!(parse_len(&[0xF7, 1]), Err(ProtoError::UndefinedLength(0xF7)));
        assert_eq!(parse_len(&[0xF8]), Err(ProtoError::ControlByte(0xF8)));
        assert_eq!(parse_len(&[0xFF]), Err(ProtoError::ControlByte(0xFF)));
        assert_eq!(parse_len(&[0xF0, 0xFF, 0xFF, 0xFF, 0xFF]), Err(ProtoError::WordTooLong(0xFFFF_FFFF)));
        assert_eq!(parse_len(&[0xE1, 0, 0, 1]), Err(ProtoError::WordTooLong(MAX_WORD + 1)));
    }

    #[test]
    fn a_length_in_a_longer_form_than_needed_is_read() {
        assert_eq!(parse_len(&[0xF0, 0, 0, 0, 5]), Ok(Some((5, 5))));
        assert_eq!(parse_len(&[0x80, 5]), Ok(Some((2, 5))));
    }
}
