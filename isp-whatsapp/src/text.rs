//! Texts a person reads: amounts, dates, and customer data that cannot break a template.

use chrono::{Datelike, NaiveDate};
use isp_core::calendar::Date;
use isp_core::money::Money;
use isp_core::text::Language;

/// Longest template parameter; a template body may have 1024 characters in all.
const PARAMETER_LIMIT: usize = 160;
const LONG_PARAMETER_LIMIT: usize = 320;

/// An amount as messages write it, with a space after the sign.
///
/// ```
/// use isp_core::money::Money;
/// assert_eq!(isp_whatsapp::text::rupiah(Money::rupiah(165_000)), "Rp 165.000");
/// assert_eq!(isp_whatsapp::text::rupiah(Money::rupiah(-500)), "-Rp 500");
/// ```
#[must_use]
pub fn rupiah(amount: Money) -> String {
    amount.to_string().replacen("Rp", "Rp ", 1)
}

/// A date in words.
///
/// ```
/// use chrono::NaiveDate;
/// use isp_core::text::Language;
/// use isp_whatsapp::text::long_date;
/// let day = NaiveDate::from_ymd_opt(2026, 8, 5).unwrap();
/// assert_eq!(long_date(day, Language::Id), "5 Agustus 2026");
/// assert_eq!(long_date(day, Language::En), "5 August 2026");
/// ```
#[must_use]
pub fn long_date(date: NaiveDate, language: Language) -> String {
    let month = Date::from_naive(date).month();
    format!("{} {} {}", date.day(), language.month(month), date.year())
}

/// Makes a text fit for a template parameter.
///
/// Meta refuses (132018) newlines, tabs and more than four spaces in a row, and (131008) an empty text: any run of
/// white space and control characters becomes one space, nothing becomes `-`, and what is longer than 160
/// characters is cut with an ellipsis.
///
/// ```
/// assert_eq!(isp_whatsapp::text::parameter("Budi\n\t  Santoso "), "Budi Santoso");
/// assert_eq!(isp_whatsapp::text::parameter("\n"), "-");
/// ```
#[must_use]
pub fn parameter(text: &str) -> String {
    cut(text, PARAMETER_LIMIT)
}

/// The same for the list of what is owed and the ways to pay: up to 320 characters.
#[must_use]
pub fn long_parameter(text: &str) -> String {
    cut(text, LONG_PARAMETER_LIMIT)
}

fn cut(text: &str, limit: usize) -> String {
    let mut clean = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !clean.is_empty() {
            clean.push(' ');
        }
        clean.push_str(word);
    }
    if clean.is_empty() {
        return "-".to_owned();
    }
    if let Some((cut, _)) = clean.char_indices().nth(limit) {
        let keep = clean[..cut].char_indices().next_back().map_or(0, |(last, _)| last);
        clean.truncate(keep);
        clean.push('…');
    }
    clean
}

/// Takes the markup out of text that a customer or an officer typed.
///
/// WhatsApp has no escape character: `*bold*`, `_italic_`, `~struck~` and backticks are replaced by signs that look
/// alike and mean nothing. Not for invoice numbers or links, which are copied.
///
/// ```
/// assert_eq!(isp_whatsapp::text::escape("*Budi* ~A_B~"), "∗Budi∗ ∼AˍB∼");
/// ```
#[must_use]
pub fn escape(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '*' => '∗',
            '_' => 'ˍ',
            '~' => '∼',
            '`' => 'ˋ',
            other => other,
        })
        .collect()
}
