//! Cells that a spreadsheet neither runs as a formula nor turns into another value.

/// A text as a cell of an exported file: an apostrophe stands in front where a spreadsheet would run it as a formula, or
/// would make another value of it (`00123`, `1E5`, `1-2`, a telephone number).
///
/// [`unguarded`] gives the text back.
///
/// ```
/// use isp_core::typed::{guarded, unguarded};
/// assert_eq!(guarded("-2+3+cmd|' /C calc'!A0"), "'-2+3+cmd|' /C calc'!A0");
/// assert_eq!(guarded("Siti"), "Siti");
/// assert_eq!(unguarded(&guarded("00123")), "00123");
/// ```
#[must_use]
pub fn guarded(text: &str) -> String {
    if needs_guard(text) { format!("'{text}") } else { text.to_owned() }
}

/// The text in a cell that [`guarded`] wrote.
#[must_use]
pub fn unguarded(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if needs_guard(rest) => rest,
        _ => text,
    }
}

fn needs_guard(text: &str) -> bool {
    // An apostrophe of the text's own is guarded too, or it would be taken for the guard.
    let text = text.trim_start_matches('\'');
    // Signs in front of which a spreadsheet may look, or at which a careless one may cut a cell.
    let start = text.trim_start_matches(|sign: char| {
        sign.is_whitespace() || super::is_invisible(sign) || sign == ';' || sign == ','
    });
    let runs = |sign: char| matches!(sign, '=' | '+' | '-' | '@' | '|' | '%' | '＝' | '＋' | '－' | '＠' | '−');
    // Blanks around a value are lost where a cell is typed or trimmed.
    start.starts_with(runs) || text.trim() != text || becomes_another(text)
}

/// True when a spreadsheet makes another value of a text than it shows: digits that begin with 0 or are longer than it
/// keeps, powers of ten, days and fractions. A day as `2026-01-31` is one that it should know.
fn becomes_another(text: &str) -> bool {
    let number_like = text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || b".,:/- eE".contains(&byte));
    if !number_like || is_iso_day(text) {
        return false;
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    !digits || (text.len() > 1 && text.starts_with('0')) || text.len() > 11
}

fn is_iso_day(text: &str) -> bool {
    text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_formula_survives() {
        for text in
            ["=1", "+1+HYPERLINK(\"x\")", "-1", "@x", ";=x", "\t=x", " =x", "\r=x", "'=x", "+62812", "\u{200b}=x"]
        {
            assert!(guarded(text).starts_with('\''), "{text:?}");
        }
    }

    #[test]
    fn what_stays_itself_is_left_alone() {
        for text in ["", "Siti", "P001", "123", "0", "2026-01-31", "R1", "Jl. Merdeka 1", "20M/10M"] {
            assert_eq!(guarded(text), text);
        }
        for text in ["00123", "1E5", "1-2", "3/4", "3273011708450001", "0812-3456-7890", "1.5"] {
            assert_eq!(guarded(text), format!("'{text}"));
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in "['=+@;a0\\-\\t ]{0,8}|\\PC*") {
            let cell = guarded(&text);
            prop_assert_eq!(unguarded(&cell), text.as_str());
            prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']));
        }
    }
}
