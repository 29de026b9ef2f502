//! Phone numbers and NIK. Errors never hold a digit of them.

use super::Phone;
use crate::error::Error;
use crate::typed::{bare, is_power_of_ten, joined};

/// The digits of one mobile number after the country code, `812...`.
pub(super) fn phone(text: &str) -> Result<String, Error> {
    let bad = |reason| Err(Error::Phone { reason });
    let text = bare(text);
    if text.is_empty() {
        return bad("it is empty");
    }
    if is_power_of_ten(&text) {
        return bad("a spreadsheet rounded it; format the column as text and type it again");
    }
    let (international, rest) = text.strip_prefix('+').map_or((false, text.as_str()), |rest| (true, rest));
    // `+62 (0)812`: the zero in brackets is dialled at home only.
    let rest = rest.replacen("(0)", " ", 1);
    let digits = joined(&rest, true).map_err(|reason| Error::Phone { reason })?;
    let national = if let Some(rest) = digits.strip_prefix("0062") {
        rest
    } else if let Some(rest) = digits.strip_prefix("62").filter(|_| international || digits.len() > 10) {
        rest
    } else if international {
        return bad("it is not an Indonesian number");
    } else {
        &digits
    };
    let national = national.strip_prefix('0').unwrap_or(national);
    if national.is_empty() {
        return bad("it is empty");
    }
    // 080 are the free and the expensive numbers of firms; no network has 084.
    if !national.starts_with('8') || national.starts_with("80") || national.starts_with("84") {
        return bad("it is a landline or no Indonesian mobile number, which cannot receive WhatsApp");
    }
    if !(9..=12).contains(&national.len()) {
        return bad("it does not have 9 to 12 digits after the country code");
    }
    // Only the oldest series have numbers of nine digits, 0811-xxx-xxx; any other is cut short.
    if national.len() == 9 && !["811", "816", "817", "818"].iter().any(|series| national.starts_with(series)) {
        return bad("it is too short; digits are missing");
    }
    if ends_before(&rest) {
        return bad("its digits stand in pieces that may not belong together");
    }
    Ok(national.to_owned())
}

/// True for a landline with its area code, `021-5551234`, or several of them: a number that people call and WhatsApp does not
/// reach.
///
/// ```
/// use isp_core::customer::is_landline;
/// assert!(is_landline("021-5551234") && is_landline("+62 22 4231234") && is_landline("Telp. (0251) 8312345"));
/// assert!(!is_landline("0812-3456-7890") && !is_landline("5551234") && !is_landline("3273011708450001"));
/// ```
#[must_use]
pub fn is_landline(text: &str) -> bool {
    let one = |part: &str| {
        let text = bare(without_label(part));
        let plain = text.chars().all(|sign| sign.is_ascii_digit() || " -.()+".contains(sign));
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let national = digits.strip_prefix('0').or_else(|| digits.strip_prefix("62"));
        // Area codes are 21 to 79 and 9xx; with the number they have 8 to 11 digits.
        plain
            && national
                .is_some_and(|n| (8..=11).contains(&n.len()) && n.starts_with(['2', '3', '4', '5', '6', '7', '9']))
    };
    let mut parts = text.split(['/', ';', ',']).map(str::trim).filter(|part| !part.is_empty()).peekable();
    parts.peek().is_some() && parts.all(one)
}

/// Whether the last group of digits stands behind a number that is a whole one without it: `0811-2345-678 90` may be
/// a number of its own and a remark.
fn ends_before(text: &str) -> bool {
    let groups: Vec<&str> = text.split(|sign: char| !sign.is_ascii_digit()).filter(|part| !part.is_empty()).collect();
    let dividers: Vec<&str> = text.split(|sign: char| sign.is_ascii_digit()).filter(|part| !part.is_empty()).collect();
    let Some((last, front)) = groups.split_last().filter(|(last, _)| last.len() <= 3) else { return false };
    // Behind the same divider as all groups it is one of them.
    if matches!(dividers.as_slice(), [.., before, divider] if before.trim() == divider.trim()) && front.len() > 1 {
        return false;
    }
    let national = front.concat();
    let national = national.trim_start_matches("00").trim_start_matches("62").trim_start_matches('0');
    !last.is_empty() && national.len() >= 9 && phone(&format!("0{national}")).is_ok()
}

/// The mobile numbers in a cell, in their order, and how many parts of it are none: `0812... / 0813...`,
/// `0812... (Budi), 021-...`.
///
/// # Errors
/// [`Error::Phone`] of the first part, when no part is a mobile number.
pub fn phones(text: &str) -> Result<(Vec<Phone>, usize), Error> {
    let text = without_remarks(&bare(text));
    let alone = match Phone::parse(without_label(&text)) {
        Ok(phone) => return Ok((vec![phone], 0)),
        Err(error) => error,
    };
    let mut parts: Vec<&str> = text.split(['/', ';', ',', '|', '&', '\n', '\r']).collect();
    for word in [" dan ", " atau ", " and ", " or "] {
        parts = parts.iter().flat_map(|part| part.split(word)).collect();
    }
    if parts.len() == 1 {
        // Two numbers with a blank between them: each must be a whole one.
        parts = text.split_whitespace().collect();
        if parts.len() < 2 || parts.iter().any(|part| Phone::parse(part).is_err()) {
            return Err(alone);
        }
    }
    let parts: Vec<&str> = parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect();
    let read: Vec<Result<Phone, Error>> = parts.iter().map(|part| Phone::parse(without_label(part))).collect();
    let error = read.iter().find_map(|phone| phone.as_ref().err().cloned());
    let phones: Vec<Phone> = read.into_iter().flatten().collect();
    match error {
        Some(error) if phones.is_empty() => Err(if parts.len() > 1 { error } else { alone }),
        _ => Ok((phones.clone(), parts.len() - phones.len())),
    }
}

/// A text without remarks in brackets that hold no digit: `0812... (istri)`.
fn without_remarks(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('(') {
        let Some((remark, behind)) = after.split_once(')') else { break };
        out.push_str(before);
        if remark.contains(|sign: char| sign.is_ascii_digit()) {
            out.push('(');
            out.push_str(remark);
            out.push(')');
        }
        rest = behind;
    }
    out.push_str(rest);
    out.trim().to_owned()
}

/// A number without the word in front that says what it is: `WA: 0812...`.
fn without_label(text: &str) -> &str {
    let text = text.trim();
    let word = text.trim_start_matches(|sign: char| sign.is_alphabetic());
    let label = text.get(..text.len() - word.len()).unwrap_or("").to_lowercase();
    let known = ["wa", "hp", "telp", "tlp", "tel", "telepon", "phone", "mobile", "no", "whatsapp"];
    if known.contains(&label.as_str()) { word.trim_start_matches(['.', ':', ' ']) } else { text }
}

/// The 16 digits of a NIK.
pub(super) fn nik(text: &str) -> Result<String, Error> {
    let bad = |reason| Err(Error::Nik { reason });
    let text = bare(text);
    if is_power_of_ten(&text) {
        return bad("a spreadsheet rounded it; format the column as text and type it again");
    }
    let digits = joined(&text, false).map_err(|reason| Error::Nik { reason })?;
    if digits.len() != 16 {
        return bad("it does not have 16 digits");
    }
    let two = |at: usize| digits.get(at..at + 2).and_then(|d| d.parse::<u32>().ok()).unwrap_or(0);
    if !(11..=99).contains(&two(0)) {
        return bad("no province has this number");
    }
    let day = if two(6) > 40 { two(6) - 40 } else { two(6) };
    // The century is not written: a leap year in either makes 29 February a day.
    let exists = [1900, 2000].iter().any(|century| {
        chrono::NaiveDate::from_ymd_opt(century + i32::try_from(two(10)).unwrap_or(0), two(8), day).is_some()
    });
    if !exists {
        return bad("digits 7 to 12 are not a date of birth");
    }
    if digits.ends_with("0000") {
        return bad("the serial is 0000");
    }
    Ok(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customer::Nik;
    use proptest::prelude::*;

    #[test]
    fn one_number_in_the_ways_it_is_typed() {
        for text in [
            "'081234567890",
            "’081234567890",
            "\u{202a}+62 812-3456-7890\u{202c}",
            "\u{feff}081234567890",
            "+62 (0)812 3456 7890",
            "+62 (812) 3456-7890",
            "(0812) 3456.7890",
            "0812.3456.7890",
            "0812 - 3456 - 7890",
            "=\"081234567890\"",
            "0812 345 678 90",
            "0812 34 56 78 90",
        ] {
            assert_eq!(Phone::parse(text).unwrap().e164(), "+6281234567890", "{text:?}");
        }
    }

    #[test]
    fn nothing_is_joined_out_of_digits() {
        for text in [
            "81210000001.0",
            "6281210000001.0",
            "0812100000.00",
            "81210000001,0",
            "08121000000 (2)",
            "0812 100000 1",
            "8.12E+10",
            "8,121E+10",
            "8.12e10",
            "0812-1000-000/1",
            "0812+1000000",
            "081210000001 081310000002",
            "0811234567 89",
            "0811-2345-678 90",
            "0811234567 101",
            "0812-3456-7890 12",
            "080012345678",
            "0804 1234 5678",
        ] {
            let error = Phone::parse(text).unwrap_err();
            assert_eq!(error.code(), "customer.phone", "{text}");
            assert!(
                !error.to_string().contains(|sign: char| sign.is_ascii_digit() && !"912".contains(sign)),
                "{error}"
            );
        }
    }

    #[test]
    fn several_numbers_in_a_cell() {
        for (text, count, others) in [
            ("081210000001", 1, 0),
            ("081210000001/081310000002", 2, 0),
            ("0812-1000-0001; 0813-1000-0002", 2, 0),
            ("081210000001 dan 081310000002", 2, 0),
            ("081210000001 081310000002", 2, 0),
            ("081210000001 (Budi) / 081310000002 (istri)", 2, 0),
            ("WA: 081210000001, 021-5551234", 1, 1),
            ("021-5551234 / 081210000001", 1, 1),
            ("HP.081210000001", 1, 0),
            ("081210000001/02", 1, 1),
        ] {
            let (found, rest) = phones(text).unwrap();
            assert_eq!((found.len(), rest), (count, others), "{text}");
            assert_eq!(found[0].e164(), "+6281210000001", "{text}");
        }
        for text in ["", "-", "021-555 1234", "08121000000 (2)", "81210000001.0", "budi", "021 / 022"] {
            assert_eq!(phones(text).unwrap_err().code(), "customer.phone", "{text}");
        }
    }

    #[test]
    fn a_rounded_nik_is_told_from_a_typed_one() {
        for text in ["'3273014102900001", "3273014102900001\u{a0}", "=\"3273014102900001\"", "327301 410290 0001"] {
            assert_eq!(Nik::parse(text).unwrap().reveal(), "3273014102900001", "{text:?}");
        }
        for (text, reason) in [
            ("3.27301E+15", "rounded"),
            ("3,2E+15", "rounded"),
            ("327301410290001.0", "decimal"),
            ("3273014102900001.0", "decimal"),
            ("3273014102900001,00", "decimal"),
            ("3273 0141 0290 000 1", "pieces"),
            ("3273014102900001 (KTP)", "other than digits"),
        ] {
            let error = Nik::parse(text).unwrap_err().to_string();
            assert!(error.contains(reason) && !error.contains("3273"), "{text}: {error}");
        }
        assert!(Nik::parse("3273014102900010").unwrap().may_be_rounded());
        assert!(!Nik::parse("3273014102900001").unwrap().may_be_rounded());
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "\\PC*|[0-9 ().,+/eE'-]{0,20}") {
            let _ = (Phone::parse(&text), phones(&text), Nik::parse(&text));
        }

        /// Whatever is read, its digits stand in the text in that order and without a gap.
        #[test]
        fn what_is_read_was_written(text in "[0-9 .()+-]{8,20}") {
            if let Ok(phone) = Phone::parse(&text) {
                let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                prop_assert!(digits.ends_with(phone.e164().trim_start_matches("+62")));
            }
        }

        #[test]
        fn what_is_shown_can_be_read(tail in 0_u64..1_000_000_000, length in 6_usize..=9) {
            let phone = Phone::parse(&format!("0811{}", &format!("{tail:09}")[..length])).unwrap();
            prop_assert_eq!(Phone::parse(phone.e164()), Ok(phone.clone()));
            prop_assert_eq!(Phone::parse(&phone.national()), Ok(phone));
        }
    }
}
