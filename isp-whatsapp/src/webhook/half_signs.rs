//! Halves of signs in JSON. Phones cut names and texts in the middle of an emoji; what is left of it is no text, and a reader that
//! refuses it would lose everything else in the same body.

/// The body with each half of a sign (`\ud83d` without its other half, a byte that is no UTF-8) turned into `U+FFFD`.
pub(super) fn mended(raw: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(raw);
    let bytes = text.as_bytes();
    let mut whole = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let taken = match (escape(rest), rest.get(6..).and_then(escape)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                whole.extend_from_slice(b"\\ufffd");
                at += 6;
                continue;
            }
            // What a backslash stands before is part of its escape.
            _ if rest.first() == Some(&b'\\') => 2.min(rest.len()),
            _ => 1,
        };
        whole.extend_from_slice(rest.get(..taken).unwrap_or(rest));
        at += taken;
    }
    whole
}

/// The sixteen bits of an escape `\uXXXX` in front.
fn escape(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.strip_prefix(b"\\u")?.get(..4)?;
    let digits =
        std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|sign| sign.is_ascii_hexdigit()))?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::mended;

    #[test]
    fn only_halves_are_replaced() {
        for (raw, whole) in [
            (r#"{"a":"x"}"#, r#"{"a":"x"}"#),
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
            (r#""\uD83D\uDE00 \u00e4 \n \\""#, r#""\uD83D\uDE00 \u00e4 \n \\""#),
            (r#""\ud83d""#, r#""\ufffd""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\ude00\ud83d x""#, r#""\ufffd\ufffd x""#),
            // A backslash that is escaped itself.
            (r#""\\ud83d""#, r#""\\ud83d""#),
            (r#""\\\ud83d""#, r#""\\\ufffd""#),
            (r#""\ud8"#, r#""\ud8"#),
            (r"\", r"\"),
        ] {
            assert_eq!(String::from_utf8(mended(raw.as_bytes())).unwrap(), whole, "{raw}");
        }
        assert_eq!(mended(b"\"a\xf0\x9f\""), "\"a\u{fffd}\"".as_bytes());
    }
}
