//! Amounts of rupiah.

use super::Money;
use crate::error::Error;
use crate::typed::bare;

/// Reads an amount as people, gateways and spreadsheets write it: `150000`, `150.000`, `Rp 150.000,-`, `150000.00`,
/// `IDR 350,000.00`, `150rb`, `1,5jt`.
///
/// # Errors
/// [`Error::MoneyFraction`] for sen other than 00, [`Error::MoneyRange`], and [`Error::MoneyFormat`] for what has more
/// than one meaning: `165.5`, `1.500rb`, `1.5E+05`.
pub(super) fn rupiah(text: &str) -> Result<Money, Error> {
    let text = bare(text).to_lowercase();
    let (text, bracketed) = match text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        Some(inner) => (inner.trim().to_owned(), true),
        None => (text, false),
    };
    let (text, first) = without_minus(&text);
    let (text, second) = without_minus(without_currency(text));
    if [bracketed, first, second].iter().filter(|minus| **minus).count() > 1 {
        return Err(Error::MoneyFormat);
    }
    let (digits, factor) = without_factor(without_dash(text)?);
    let (whole, fraction) = parts(digits, factor != 1)?;
    let rupiah = multiplied(&whole, fraction, factor)?;
    Money::try_new(if bracketed || first || second { -rupiah } else { rupiah })
}

fn without_minus(text: &str) -> (&str, bool) {
    text.strip_prefix(['-', '−']).map_or((text, false), |rest| (rest.trim(), true))
}

fn without_currency(text: &str) -> &str {
    let front = ["rp.", "rp", "idr"].iter().find_map(|word| text.strip_prefix(word));
    let text = front.unwrap_or(text).trim();
    let back = [" rupiah", " rp", " idr"].iter().find_map(|word| text.strip_suffix(word));
    back.unwrap_or(text).trim()
}

/// Takes off the `,-` or `,--` with which an Indonesian price ends.
fn without_dash(text: &str) -> Result<&str, Error> {
    let whole = text.trim_end_matches(['-', '–', '—', '=']).trim_end();
    if whole.len() == text.len() {
        return Ok(text);
    }
    whole.strip_suffix([',', '.']).map(str::trim_end).ok_or(Error::MoneyFormat)
}

fn without_factor(text: &str) -> (&str, i64) {
    const WORDS: [(&str, i64); 9] = [
        ("ribu", 1_000),
        ("rb", 1_000),
        ("k", 1_000),
        ("juta", 1_000_000),
        ("jt", 1_000_000),
        ("miliar", 1_000_000_000),
        ("milyar", 1_000_000_000),
        ("mliar", 1_000_000_000),
        ("mlr", 1_000_000_000),
    ];
    let text = text.strip_suffix('.').filter(|rest| rest.ends_with(char::is_alphabetic)).unwrap_or(text);
    let found = WORDS.iter().find_map(|(word, factor)| Some((text.strip_suffix(word)?.trim_end(), *factor)));
    found.unwrap_or((text, 1))
}

/// The digits before and after the decimal sign.
fn parts(text: &str, with_factor: bool) -> Result<(String, &str), Error> {
    let digits_only = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let all: Vec<&str> = text.split(['.', ',']).collect();
    if !all.iter().all(|part| digits_only(part)) {
        return Err(Error::MoneyFormat);
    }
    let signs: Vec<char> = text.chars().filter(|sign| !sign.is_ascii_digit()).collect();
    let grouped = |parts: &[&str]| {
        parts.first().is_some_and(|first| first.len() <= 3 && !first.starts_with('0'))
            && parts.iter().skip(1).all(|part| part.len() == 3)
    };
    match (signs.as_slice(), all.as_slice()) {
        ([], _) => Ok((text.to_owned(), "")),
        // One sign: three digits after it are thousands, one or two a fraction.
        ([_], [_, after]) if after.len() == 3 && !with_factor && grouped(&all) => Ok((all.concat(), "")),
        ([sign], [whole, after]) if after.len() <= 2 => {
            let zeros = after.bytes().all(|byte| byte == b'0');
            // `165.5` may be thousands cut short, `165.00` too: with a point, a fraction needs a number that has none.
            let doubtful = *sign == '.' && !with_factor && whole.len() <= 3 && !(zeros && *whole == "0");
            if doubtful { Err(Error::MoneyFormat) } else { Ok(((*whole).to_owned(), *after)) }
        }
        ([first, middle @ .., last], [groups @ .., after])
            if !with_factor && middle.iter().all(|sign| sign == first) =>
        {
            if first == last && grouped(&all) {
                Ok((all.concat(), ""))
            } else if first != last && grouped(groups) && after.len() <= 2 {
                Ok((groups.concat(), *after))
            } else {
                Err(Error::MoneyFormat)
            }
        }
        _ => Err(Error::MoneyFormat),
    }
}

fn multiplied(whole: &str, fraction: &str, factor: i64) -> Result<i64, Error> {
    let whole: i64 = whole.parse().map_err(|_| Error::MoneyRange)?;
    let mut rupiah = whole.checked_mul(factor).ok_or(Error::MoneyRange)?;
    let mut unit = factor;
    for digit in fraction.bytes().map(|byte| i64::from(byte - b'0')) {
        if unit % 10 != 0 && digit != 0 {
            return Err(Error::MoneyFraction);
        }
        unit /= 10;
        rupiah = rupiah.checked_add(digit * unit).ok_or(Error::MoneyRange)?;
    }
    Ok(rupiah)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_that_people_and_gateways_write() {
        for (text, amount) in [
            ("Rp 150.000,-", 150_000),
            ("Rp150.000,--", 150_000),
            ("150.000.-", 150_000),
            ("Rp. 350.000", 350_000),
            ("Rp 350.000,00", 350_000),
            ("IDR 350.000", 350_000),
            ("IDR 350,000.00", 350_000),
            ("350,000", 350_000),
            ("1,150,000", 1_150_000),
            ("150000.00", 150_000),
            ("150000.0", 150_000),
            ("150000,00", 150_000),
            ("0.0", 0),
            ("150rb", 150_000),
            ("Rp 150 ribu", 150_000),
            ("150 rb.", 150_000),
            ("150k", 150_000),
            ("1,5jt", 1_500_000),
            ("1.5 juta", 1_500_000),
            ("2,25jt", 2_250_000),
            ("12,5rb", 12_500),
            ("-Rp5.000", -5_000),
            ("Rp -5.000", -5_000),
            ("(5.000)", -5_000),
            ("'150000", 150_000),
            ("\u{a0}Rp\u{a0}150.000\u{a0}", 150_000),
            ("=\"150000\"", 150_000),
            ("150.000 rupiah", 150_000),
        ] {
            assert_eq!(rupiah(text), Ok(Money::rupiah(amount)), "{text:?}");
        }
    }

    #[test]
    fn what_has_two_meanings_is_refused() {
        for text in [
            "1.500rb",
            "1.250.000 ribu",
            "165.5",
            "165.00",
            "1.5E+05",
            "1,5E5",
            "150 000",
            "150.000-",
            "-",
            "Rp",
            "0.500",
            "15.0000",
            "1.50.000",
            "150.000,000",
            "150.000.00",
            "lima",
            "150/200",
            "--5",
            "-(5)",
            "1,2,3",
            "٣",
            "½",
        ] {
            assert_eq!(rupiah(text), Err(Error::MoneyFormat), "{text:?}");
        }
        for text in ["150.000,50", "150000.50", "1,2345jt".get(..4).unwrap_or(""), "12,34"] {
            assert!(matches!(rupiah(text), Err(Error::MoneyFraction | Error::MoneyFormat)), "{text:?}");
        }
        assert_eq!(rupiah("99999999 miliar"), Err(Error::MoneyRange));
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "\\PC*|[0-9.,rpRPjtb\\- ]{0,16}") {
            let _ = rupiah(&text);
        }

        #[test]
        fn one_amount_in_many_spellings(amount in 1_000_i64..10_000_000_000_000) {
            let shown = Money::rupiah(amount).to_string();
            let spellings = [
                shown.clone(), format!("{shown},-"), format!("{shown},00"), shown.replace('.', ","),
                format!("{amount}.00"), format!("{amount}.0"), format!("IDR {amount}"), format!("'{amount}"),
            ];
            for text in spellings {
                prop_assert_eq!(rupiah(&text), Ok(Money::rupiah(amount)), "{}", text);
            }
        }
    }
}
