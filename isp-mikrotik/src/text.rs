//! Text that people typed: RouterOS stores bytes and leaves the reading to the reader.
//!
//! WinBox writes the code page of the PC it runs on, so a comment may be UTF-8, cp1252 or cp1251. [`CodePage::decode`]
//! reads UTF-8 where it is UTF-8, then the configured code page, and writes what neither knows as `\xNN`, so that no
//! table is lost to one bad byte. The bytes themselves are kept wherever a value is written back.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// How bytes that are not UTF-8 are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CodePage {
    /// Windows-1252, the usual one on PCs in Indonesia.
    #[default]
    Cp1252,
    /// ISO 8859-1, how WebFig reads.
    Latin1,
    /// None: every such byte is written as `\xNN`.
    Escape,
}

/// Windows-1252 differs from Latin-1 only between 0x80 and 0x9F; five of these bytes are not assigned.
const CP1252: [Option<char>; 32] = [
    Some('€'),
    None,
    Some('‚'),
    Some('ƒ'),
    Some('„'),
    Some('…'),
    Some('†'),
    Some('‡'),
    Some('ˆ'),
    Some('‰'),
    Some('Š'),
    Some('‹'),
    Some('Œ'),
    None,
    Some('Ž'),
    None,
    None,
    Some('‘'),
    Some('’'),
    Some('“'),
    Some('”'),
    Some('•'),
    Some('–'),
    Some('—'),
    Some('˜'),
    Some('™'),
    Some('š'),
    Some('›'),
    Some('œ'),
    None,
    Some('ž'),
    Some('Ÿ'),
];

impl CodePage {
    /// The bytes as text, for people to read.
    ///
    /// ```
    /// use isp_mikrotik::text::CodePage;
    /// assert_eq!(CodePage::Cp1252.decode(b"Pak Budi \x96 gang 2"), "Pak Budi – gang 2");
    /// assert_eq!(CodePage::Escape.decode(b"a\x96"), r"a\x96");
    /// ```
    pub fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => Cow::Owned(bytes.iter().fold(String::with_capacity(bytes.len() + 8), |mut text, &byte| {
                match self.char_of(byte) {
                    Some(letter) => text.push(letter),
                    None => text.push_str(&format!("\\x{byte:02x}")),
                }
                text
            })),
        }
    }

    fn char_of(self, byte: u8) -> Option<char> {
        match (self, byte) {
            (_, 0..=0x7F) => Some(char::from(byte)),
            (CodePage::Escape, _) => None,
            (CodePage::Cp1252, 0x80..=0x9F) => CP1252.get(usize::from(byte) - 0x80).copied().flatten(),
            _ => Some(char::from(byte)),
        }
    }
}

/// Bytes as people are shown them.
pub(crate) fn shown(bytes: &[u8]) -> String {
    CodePage::default().decode(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_that_no_code_page_knows_is_escaped() {
        assert_eq!(CodePage::Cp1252.decode(b"x\x81y\xe9"), "x\\x81yé");
        assert_eq!(CodePage::Latin1.decode(b"caf\xe9"), "café");
        assert_eq!(CodePage::Cp1252.decode("Jl. Mawar №1".as_bytes()), "Jl. Mawar №1");
    }
}
