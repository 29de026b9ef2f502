//! Signs that nobody sees, and what spreadsheets put around a value.

/// True for a sign that shows nothing and says nothing: zero-width, bidirectional, byte-order marks, control characters
/// other than tab and line ends.
#[must_use]
pub const fn is_invisible(sign: char) -> bool {
    match sign {
        '\t' | '\n' | '\r' => false,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => true,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' => true,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' => true,
        _ => false,
    }
}

/// A text without invisible signs, each kind of blank as a plain one, trimmed; `="0812"` is what stands in it.
///
/// ```
/// use isp_core::typed::clean;
/// assert_eq!(clean("\u{feff} Siti\u{a0}Aminah\u{200b}"), "Siti Aminah");
/// assert_eq!(clean("=\"00123\""), "00123");
/// ```
#[must_use]
pub fn clean(text: &str) -> String {
    let plain = |sign: char| if matches!(sign, '\t' | '\n' | '\r') || !sign.is_whitespace() { sign } else { ' ' };
    let seen: String = text.chars().filter(|sign| !is_invisible(*sign)).map(plain).collect();
    let seen = seen.trim();
    // A spreadsheet's way to keep digits as text. Only a plain text is unwrapped; a formula that computes stays one.
    let quoted = seen.strip_prefix('=').map(str::trim_start).and_then(|rest| {
        let inner = rest.strip_prefix(['"', '“', '”'])?.strip_suffix(['"', '“', '”'])?;
        (!inner.contains(['"', '“', '”'])).then(|| inner.trim())
    });
    quoted.unwrap_or(seen).to_owned()
}

/// Signs that a spreadsheet or a person puts around digits to keep them as text.
const QUOTES: [char; 10] = ['\'', '’', '‘', '`', '´', 'ʼ', '"', '“', '”', '\u{2032}'];

/// A cleaned text without apostrophes and quotation marks around it, for numbers, dates and codes.
///
/// ```
/// assert_eq!(isp_core::typed::bare("’3273 "), "3273");
/// ```
#[must_use]
pub fn bare(text: &str) -> String {
    clean(text).trim_matches(|sign: char| QUOTES.contains(&sign) || sign.is_whitespace()).to_owned()
}

/// True when a cell says that there is nothing: empty, dashes, `n/a`, `kosong` and the like.
///
/// ```
/// use isp_core::typed::is_nothing;
/// assert!(is_nothing(" — ") && is_nothing("N/A") && is_nothing("tidak ada") && !is_nothing("Nana"));
/// ```
#[must_use]
pub fn is_nothing(text: &str) -> bool {
    const WORDS: [&str; 16] = [
        "n/a",
        "#n/a",
        "n.a.",
        "na",
        "nan",
        "null",
        "none",
        "nil",
        "nihil",
        "kosong",
        "(kosong)",
        "tidak ada",
        "tdk ada",
        "tidak punya",
        "belum ada",
        "blm ada",
    ];
    let text = bare(text).to_lowercase();
    text.chars().all(|sign| matches!(sign, '-' | '–' | '—' | '‒' | '−' | '_' | '.' | '?' | ' '))
        || WORDS.contains(&text.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_nobody_sees_goes() {
        for text in ["\u{202a}0812\u{202c}", "\u{200e}0812", "\u{feff}0812", "0812\u{a0}", "08\u{ad}12", "=\"0812\""] {
            assert_eq!(clean(text), "0812", "{text:?}");
        }
        for text in ["'0812", "’0812", "‘0812", "`0812", "\"0812\"", "'=\"0812\"'"] {
            assert!(bare(text).ends_with("0812") || bare(text).contains("0812"), "{text:?}");
        }
        assert_eq!(clean("=SUM(\"a\";\"b\")"), "=SUM(\"a\";\"b\")");
        assert_eq!(clean("'Aisyah"), "'Aisyah");
        assert_eq!(clean("D’Angelo"), "D’Angelo");
    }

    #[test]
    fn words_for_nothing() {
        for text in ["", " ", "-", "--", "–", "n/a", "#N/A", "Kosong", "tidak ada", "'-", "null", "."] {
            assert!(is_nothing(text), "{text:?}");
        }
        for text in ["0", "Nila", "-5", "a-b", "ada", "kosong sekali"] {
            assert!(!is_nothing(text), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn cleaning_twice_changes_nothing_more(text in "\\PC*") {
            let once = clean(&text);
            // One layer of `="..."` is a spreadsheet's; a second one would be a text of its own.
            prop_assume!(!once.starts_with('='));
            prop_assert_eq!(clean(&once), once);
        }
    }
}
