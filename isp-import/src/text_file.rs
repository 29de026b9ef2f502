//! Text files as spreadsheets and banks write them.

/// How a file's text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// Two bytes a sign, as "Unicode text" of a spreadsheet.
    Utf16,
    /// Windows-1252, as "CSV" of an older spreadsheet; Latin-1 is a part of it.
    Windows1252,
}

/// A file's text and how it was written; `None` when nobody can be sure: bytes of UTF-8 beside bytes that are none, or
/// signs that only another writing than Windows-1252 has.
pub fn decoded(bytes: &[u8]) -> Option<(String, Encoding)> {
    if let Some(order) = wide(bytes) {
        return utf16(bytes, order).map(|text| (text, Encoding::Utf16));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Some((text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(), Encoding::Utf8));
    }
    let has_utf8 = bytes.utf8_chunks().any(|chunk| !chunk.valid().is_ascii());
    if has_utf8 {
        return None;
    }
    let text = bytes.iter().map(|byte| windows_1252(*byte)).collect::<Option<String>>()?;
    Some((text, Encoding::Windows1252))
}

/// Makes a sign of its two bytes.
type Order = fn([u8; 2]) -> u16;

/// The order of bytes in UTF-16: by its mark, else because each second byte at the start is zero.
fn wide(bytes: &[u8]) -> Option<Order> {
    match bytes {
        [0xff, 0xfe, ..] => return Some(u16::from_le_bytes),
        [0xfe, 0xff, ..] => return Some(u16::from_be_bytes),
        _ => {}
    }
    let pairs = bytes.get(..bytes.len().min(64)).unwrap_or_default().as_chunks::<2>().0;
    let all = |zero: usize| pairs.len() >= 4 && pairs.iter().all(|pair| pair[zero] == 0 && pair[1 - zero] != 0);
    match (all(1), all(0)) {
        (true, _) => Some(u16::from_le_bytes),
        (_, true) => Some(u16::from_be_bytes),
        _ => None,
    }
}

fn utf16(bytes: &[u8], order: Order) -> Option<String> {
    let (pairs, []) = bytes.as_chunks::<2>() else { return None };
    let units: Vec<u16> = pairs.iter().map(|pair| order(*pair)).collect();
    let text = String::from_utf16(&units).ok()?;
    Some(text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned))
}

/// A byte of Windows-1252. From 0x80 to 0x9f only quotation marks, dashes and their like are taken: letters there are
/// likelier those of a DOS program.
fn windows_1252(byte: u8) -> Option<char> {
    Some(match byte {
        0x80 => '€',
        0x85 => '…',
        0x91 => '‘',
        0x92 => '’',
        0x93 => '“',
        0x94 => '”',
        0x95 => '•',
        0x96 => '–',
        0x97 => '—',
        0x99 => '™',
        0x81..=0x9f => return None,
        _ => char::from(byte),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writings_are_told_apart_or_refused() {
        let wide = |text: &str, order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
        for (bytes, expected) in [
            ("nama\u{e9}".as_bytes().to_vec(), Some(("namaé", Encoding::Utf8))),
            ("\u{feff}nama".as_bytes().to_vec(), Some(("nama", Encoding::Utf8))),
            (wide("\u{feff}nama;é", u16::to_le_bytes), Some(("nama;é", Encoding::Utf16))),
            (wide("\u{feff}nama;é", u16::to_be_bytes), Some(("nama;é", Encoding::Utf16))),
            (wide("kode;nama\n", u16::to_le_bytes), Some(("kode;nama\n", Encoding::Utf16))),
            (wide("kode;nama\n", u16::to_be_bytes), Some(("kode;nama\n", Encoding::Utf16))),
            (b"Caf\xe9 \x93Jaya\x94 \x96 1".to_vec(), Some(("Café “Jaya” – 1", Encoding::Windows1252))),
            // Cut off, a half sign, two writings in one file, letters of DOS.
            (b"\xff\xfea\0b".to_vec(), None),
            (b"\xff\xfe\x00\xd8a\0".to_vec(), None),
            (b"Caf\xc3\xa9 Caf\xe9".to_vec(), None),
            (b"Caf\x82".to_vec(), None),
            (Vec::new(), Some(("", Encoding::Utf8))),
        ] {
            let read = decoded(&bytes);
            assert_eq!(read.as_ref().map(|(text, how)| (text.as_str(), *how)), expected, "{bytes:x?}");
        }
    }
}
