//! Those who tell of mutations one by one: [`moota`], which reads accounts at their banks, and [`phone`]s on which a bank's or
//! merchant's app shows what came in.

pub mod moota;
pub mod phone;

use isp_core::bank::ToldRow;
use serde_json::Value;

/// What a body tells. It holds personal data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Told {
    /// Its mutations.
    pub rows: Vec<ToldRow>,
    /// Rows that could not be read, counted from 1, with the field that is wrong. They take nothing from the others.
    pub unread: Vec<(usize, String)>,
}

/// A text or a number, as it was written. A number with a fraction is none: how it was written is not known any more.
fn written(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

/// Hundredths of a rupiah of a text such as `12111`, `12111.5` or `12111.00`.
fn hundredths(text: &str) -> Option<i64> {
    let (below, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.len() <= 13 && text.bytes().all(|b| b.is_ascii_digit());
    // Three digits behind a point are thousands, as people here write them.
    let thousands = fraction.len() == 3;
    if !digits(whole) || !digits(fraction) || thousands || fraction.bytes().skip(2).any(|b| b != b'0') {
        return None;
    }
    let cents: String = fraction.chars().chain("00".chars()).take(2).collect();
    Some(below * (whole.parse::<i64>().ok()? * 100 + cents.parse::<i64>().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_read_to_the_hundredth_or_not_at_all() {
        for (text, expected) in [
            ("12111", Some(1_211_100)),
            ("12111.00", Some(1_211_100)),
            ("12111.5", Some(1_211_150)),
            ("-0.07", Some(-7)),
            ("10000.000000", Some(1_000_000)),
            ("12,111.00", None),
            ("12.111.00", None),
            ("1e5", None),
            ("", None),
            ("+5", None),
            ("1.", None),
            ("0.001", None),
            ("165.000", None),
            ("99999999999999", None),
        ] {
            assert_eq!(hundredths(text), expected, "{text}");
        }
    }
}
