//! Amounts and days as banks write them.

use crate::calendar::Date;

/// An amount in hundredths of a rupiah, with the sign that stands with it: `50,000.00`, `1.500.000,00 DB`, `-75000`. With `DB` it is
/// below zero, also when a minus stands before it. Nothing, and a dash alone, is zero.
pub(super) fn hundredths(text: &str) -> Result<i64, &'static str> {
    const BAD: &str = "its amount is no number";
    let text = text.trim().trim_matches('\'').trim();
    let upper = text.to_ascii_uppercase();
    let (text, out) = match () {
        () if upper.ends_with("DB") || upper.ends_with("DR") => (&text[..text.len() - 2], true),
        () if upper.ends_with("CR") => (&text[..text.len() - 2], false),
        () => (text, false),
    };
    let text = text.trim();
    let text = text.strip_prefix("Rp").or_else(|| text.strip_prefix("IDR")).unwrap_or(text).trim();
    let (text, below) = match text.strip_prefix('-') {
        Some(rest) => (rest.trim(), true),
        None => (text.strip_prefix('+').unwrap_or(text).trim(), false),
    };
    if text.is_empty() {
        return Ok(0);
    }
    // One or two digits behind the last mark are hundredths; every other mark divides thousands.
    let (whole, part) = match text.rfind(['.', ',']) {
        Some(at) if (1..=3).contains(&(text.len() - at)) => (&text[..at], &text[at + 1..]),
        _ => (text, ""),
    };
    let mut groups = whole.split(['.', ',']);
    // `.00` is written for nothing.
    let first = groups.next().filter(|first| !first.is_empty() || !whole.is_empty() || part.is_empty()).unwrap_or("0");
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if first.is_empty() || !digits(first) || !digits(part) || (whole.len() > first.len() && first.len() > 3) {
        return Err(BAD);
    }
    let mut number = first.to_owned();
    for group in groups {
        if group.len() != 3 || !digits(group) {
            return Err(BAD);
        }
        number.push_str(group);
    }
    let rupiah: i64 = number.parse().map_err(|_| BAD)?;
    let part: i64 = format!("{part:0<2}").parse().map_err(|_| BAD)?;
    let amount = rupiah.checked_mul(100).and_then(|n| n.checked_add(part)).ok_or(BAD)?;
    if amount > 1_000_000_000_000_000 {
        return Err("its amount is out of range");
    }
    Ok(if out || below { -amount } else { amount })
}

/// A day: `15/01/2026`, `15/01/26 08:15`, `2026-01-15`, and `15/01` within a period.
pub(super) fn day(text: &str, period: Option<(Date, Date)>) -> Result<Date, &'static str> {
    const BAD: &str = "its day is no calendar day";
    let text = text.trim().trim_matches('\'').trim();
    let date = text.split([' ', 'T']).next().unwrap_or("");
    let parts: Vec<u32> = date.split(['/', '-', '.']).map(str::parse).collect::<Result<_, _>>().map_err(|_| BAD)?;
    match parts.as_slice() {
        [year, month, day] if *year > 31 => made(*year, *month, *day),
        [day, month, year] if *year < 100 => made(2000 + year, *month, *day),
        [day, month, year] => made(*year, *month, *day),
        [day, month] => {
            let (from, until) = period.ok_or("its day has no year, and the file names no period")?;
            let years = from.ymd().0..=until.ymd().0;
            let mut days = years.filter_map(|year| Date::from_ymd(year, *month, *day));
            days.find(|d| from <= *d && *d <= until).ok_or("its day is not in the period of the file")
        }
        _ => Err(BAD),
    }
}

fn made(year: u32, month: u32, day: u32) -> Result<Date, &'static str> {
    let year = i32::try_from(year).map_err(|_| "its day is no calendar day")?;
    Date::from_ymd(year, month, day).filter(|_| (2000..2100).contains(&year)).ok_or("its day is no calendar day")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_banks_write_them() {
        for (text, expected) in [
            ("50,000.00", 5_000_000),
            ("1.500.000,00", 150_000_000),
            ("125,501,327.00 DB", -12_550_132_700),
            ("-75,000.00 DB", -7_500_000),
            ("-75,000.00 CR", -7_500_000),
            ("183,151.00 CR", 18_315_100),
            ("183151", 18_315_100),
            ("183.151", 18_315_100),
            ("-75000", -7_500_000),
            ("1,234.5", 123_450),
            ("0.07", 7),
            ("'50,000.00", 5_000_000),
            ("Rp 1.000", 100_000),
            ("", 0),
            (".00", 0),
            (".50", 50),
            ("-", 0),
        ] {
            assert_eq!(hundredths(text), Ok(expected), "{text}");
        }
        for text in ["50,00,000.00", "1O0", "..", "1.2.3", "5000,000.00", "Rp", "99999999999999999"] {
            assert!(hundredths(text).is_err() || text == "Rp", "{text}");
        }
    }

    #[test]
    fn days_without_a_year_take_it_from_the_period_also_across_new_year() {
        let on = |text| Date::parse(text).unwrap();
        let period = Some((on("2025-12-28"), on("2026-01-03")));
        assert_eq!(day("'31/12", period), Ok(on("2025-12-31")));
        assert_eq!(day("'02/01", period), Ok(on("2026-01-02")));
        assert!(day("15/02", period).is_err() && day("02/01", None).is_err());
        assert_eq!(day("15/01/26 08.15", None), Ok(on("2026-01-15")));
        assert_eq!(day("2026-01-15T08:15:00", None), Ok(on("2026-01-15")));
        assert_eq!(day("15-01-2026", None), Ok(on("2026-01-15")));
        for text in ["31/02/2026", "PEND", "", "1/13/2026", "01/01/1926", "1/1/1/1"] {
            assert!(day(text, period).is_err(), "{text}");
        }
    }
}
