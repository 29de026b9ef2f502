//! Days as people and spreadsheets write them.

use super::Date;
use crate::error::Error;
use crate::typed::bare;

/// The order in which a column writes days of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DayOrder {
    /// `31/01/2026`, as in Indonesia.
    #[default]
    DayFirst,
    /// `01/31/2026`, as a spreadsheet with American settings writes.
    MonthFirst,
}

/// A day and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayReading {
    /// The day.
    pub date: Date,
    /// How it was written.
    pub written: Written,
}

/// How a day was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// So that it can be one day only.
    Plainly,
    /// As numbers that would be another day in the other order: `1/2/2026`.
    EitherWay,
    /// With a year of two digits.
    ShortYear,
    /// As one number: a spreadsheet's of the day, `46054`, or `20260131`.
    Number,
}

/// Reads a day: `2026-01-31`, `31/01/2026`, `31.1.2026`, `31-Jan-26`, `31 Januari 2026`, `Jan 31, 2026`, `20260131`,
/// with a time of day behind it or a weekday before it, or a spreadsheet's number, `46054`.
///
/// A time zone behind it is refused: the day may be another one in Indonesia.
///
/// # Errors
/// [`Error::DateFormat`] when it is none of these, or no such day exists in this order.
pub fn day(text: &str, order: DayOrder) -> Result<DayReading, Error> {
    let text = bare(text).to_lowercase();
    if let Some(date) = serial(&text) {
        return Ok(DayReading { date, written: Written::Number });
    }
    let text = without_time(without_weekday(&text));
    let parts: Vec<&str> = text.split(['-', '/', '.', ' ', ',']).filter(|part| !part.is_empty()).collect();
    let dividers = text.chars().filter(|sign| matches!(sign, '-' | '/' | '.')).count();
    if let [all] = parts[..] {
        return compact(all);
    }
    let [a, b, c] = parts[..] else { return Err(Error::DateFormat) };
    let named = month_of(a).map(|month| (c, month, b)).or_else(|| month_of(b).map(|month| (c, month, a)));
    if let Some((year, month, day)) = named {
        if day.len() > 2 && year.len() <= 2 {
            // `2026 Jan 31`
            return found(day, month, year, Written::Plainly);
        }
        let written = if year.len() == 2 { Written::ShortYear } else { Written::Plainly };
        return found(year, month, day, written);
    }
    if dividers != 2 {
        return Err(Error::DateFormat);
    }
    if a.len() == 4 {
        return found(a, number(b, 2)?, c, Written::Plainly);
    }
    let (first, second) = (number(a, 2)?, number(b, 2)?);
    let (day, month) = if order == DayOrder::DayFirst { (first, second) } else { (second, first) };
    let either_way = first <= 12 && second <= 12 && first != second;
    let written = match c.len() {
        2 => Written::ShortYear,
        _ if either_way => Written::EitherWay,
        _ => Written::Plainly,
    };
    let date = found(c, month, &day.to_string(), written)?;
    Ok(date)
}

fn found(year: &str, month: u32, day: &str, written: Written) -> Result<DayReading, Error> {
    let year = match year.len() {
        4 => number(year, 4)?,
        // A provider's days are of this century.
        2 => 2000 + number(year, 2)?,
        _ => return Err(Error::DateFormat),
    };
    let year = i32::try_from(year).map_err(|_| Error::DateFormat)?;
    let date = Date::from_ymd(year, month, number(day, 2)?).ok_or(Error::DateFormat)?;
    Ok(DayReading { date, written })
}

fn number(text: &str, longest: usize) -> Result<u32, Error> {
    let digits = !text.is_empty() && text.len() <= longest && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().map_err(|_| Error::DateFormat) } else { Err(Error::DateFormat) }
}

/// `20260131`.
fn compact(text: &str) -> Result<DayReading, Error> {
    let (Some(year), Some(month), Some(day), 8) = (text.get(..4), text.get(4..6), text.get(6..), text.len()) else {
        return Err(Error::DateFormat);
    };
    if !year.starts_with("19") && !year.starts_with("20") {
        return Err(Error::DateFormat);
    }
    found(year, number(month, 2)?, day, Written::Number)
}

/// A spreadsheet counts days from 1899-12-30; a fraction is the time of day. Numbers of 1980 to 2100.
fn serial(text: &str) -> Option<Date> {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    if whole.len() != 5 || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let days: i32 = whole.parse().ok().filter(|days| (29_221..=73_415).contains(days))?;
    Some(Date::from_day_number(days - 25_569))
}

fn without_weekday(text: &str) -> &str {
    const DAYS: [&str; 15] = [
        "senin",
        "selasa",
        "rabu",
        "kamis",
        "jumat",
        "jum'at",
        "sabtu",
        "minggu",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let Some((first, rest)) = text.split_once([',', ' ']) else { return text };
    if DAYS.iter().any(|day| *day == first || day.get(..3) == Some(first)) {
        rest.trim_start_matches([',', ' '])
    } else {
        text
    }
}

/// A day without the time behind it. What is behind and no time stays, and is refused.
fn without_time(text: &str) -> &str {
    let at = text.find('t').filter(|at| text.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit));
    let at = at.or_else(|| text.find(':').and_then(|colon| text.get(..colon)?.rfind(' ')));
    let Some((date, time)) = at.and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?))) else { return text };
    let time = time.trim_end_matches("am").trim_end_matches("pm").trim_end();
    let is_time = time.contains(':')
        && time.split(':').all(|part| {
            let whole = part.split('.').next().unwrap_or("");
            matches!(whole.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        });
    if is_time { date.trim_end_matches([',', ' ']) } else { text }
}

/// The number of a month by its Indonesian or English name.
fn month_of(text: &str) -> Option<u32> {
    const MONTHS: [(&str, u32); 18] = [
        ("januari", 1),
        ("february", 2),
        ("pebruari", 2),
        ("februari", 2),
        ("maret", 3),
        ("march", 3),
        ("april", 4),
        ("mei", 5),
        ("may", 5),
        ("juni", 6),
        ("juli", 7),
        ("agustus", 8),
        ("september", 9),
        ("oktober", 10),
        ("nopember", 11),
        ("november", 11),
        ("desember", 12),
        ("december", 12),
    ];
    const OTHERS: [(&str, u32); 8] =
        [("january", 1), ("june", 6), ("july", 7), ("august", 8), ("agt", 8), ("ags", 8), ("october", 10), ("agst", 8)];
    if text.len() < 3 || !text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    let of = |months: &[(&str, u32)]| months.iter().find(|(name, _)| name.starts_with(text)).map(|(_, number)| *number);
    of(&MONTHS).or_else(|| of(&OTHERS)).or_else(|| (text == "sept").then_some(9))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<(String, Written), Error> {
        day(text, DayOrder::DayFirst).map(|reading| (reading.date.to_string(), reading.written))
    }

    #[test]
    fn days_that_spreadsheets_write() {
        for text in [
            "2026-01-31",
            "2026-01-31 00:00:00",
            "2026-01-31T00:00:00",
            "2026-01-31T08:15:00.000",
            "2026/1/31",
            "31/01/2026",
            "31/1/2026 0:00",
            "31-01-2026",
            "31.01.2026",
            "31 Jan 2026",
            "31-Jan-2026",
            "31 Januari 2026",
            "Sabtu, 31 Januari 2026",
            "Sat, 31 Jan 2026",
            "January 31, 2026",
            "Jan 31 2026",
            "'31/01/2026",
            "31/01/2026\u{a0}",
        ] {
            assert_eq!(read(text), Ok(("2026-01-31".to_owned(), Written::Plainly)), "{text:?}");
        }
        for text in ["46053", "46053.0", "46053.354", "20260131"] {
            assert_eq!(read(text), Ok(("2026-01-31".to_owned(), Written::Number)), "{text:?}");
        }
        for text in ["31/01/26", "31-Jan-26"] {
            assert_eq!(read(text), Ok(("2026-01-31".to_owned(), Written::ShortYear)), "{text:?}");
        }
        assert_eq!(read("1/2/2026"), Ok(("2026-02-01".to_owned(), Written::EitherWay)));
        assert_eq!(read("2/2/2026"), Ok(("2026-02-02".to_owned(), Written::Plainly)));
        assert_eq!(day("1/31/2026", DayOrder::MonthFirst).unwrap().date.to_string(), "2026-01-31");
        assert_eq!(day("1/2/2026", DayOrder::MonthFirst).unwrap().date.to_string(), "2026-01-02");
    }

    #[test]
    fn the_months_of_two_languages() {
        for (month, names) in [
            (1, "jan januari january"),
            (2, "feb peb februari pebruari february"),
            (3, "mar maret march"),
            (4, "apr april"),
            (5, "mei may"),
            (6, "jun juni june"),
            (7, "jul juli july"),
            (8, "agu ags agt agust agustus aug august"),
            (9, "sep sept september"),
            (10, "okt oct oktober october"),
            (11, "nov nop november nopember"),
            (12, "des dec desember december"),
        ] {
            for name in names.split(' ') {
                assert_eq!(month_of(name), Some(month), "{name}");
            }
        }
        for name in ["", "ja", "x", "janu4", "senin", "maretta"] {
            assert_eq!(month_of(name), None, "{name}");
        }
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in [
            "",
            "-",
            "2026-02-30",
            "31/02/2026",
            "2026-01-31T17:00:00Z",
            "2026-01-31T00:00:00+00:00",
            "1/31/2026",
            "12345",
            "99999",
            "2026",
            "31 01 2026",
            "31/01",
            "31/01/026",
            "besok",
            "2026-01-31 pagi",
            "32 Januari 2026",
            "31012026",
            "1/2/3/4",
            "2026-1-2-3",
            "31/Jan/2026/",
        ] {
            let result = read(text);
            assert!(result == Err(Error::DateFormat) || text == "31/Jan/2026/", "{text:?}: {result:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "\\PC*|[0-9a-z/. :,T-]{0,24}") {
            let _ = (day(&text, DayOrder::DayFirst), day(&text, DayOrder::MonthFirst));
        }

        #[test]
        fn one_day_in_many_spellings(number in 0_i32..84_005) {
            let date = Date::from_day_number(number);
            let (y, m, d) = date.ymd();
            for text in [
                date.to_string(), format!("{d}/{m}/{y}"), format!("{d:02}-{m:02}-{y}"), format!("{date} 23:59:59"),
                format!("{d}.{m}.{y}"),
            ] {
                prop_assert_eq!(day(&text, DayOrder::DayFirst).map(|read| read.date), Ok(date), "{}", text);
            }
            prop_assert_eq!(day(&format!("{m}/{d}/{y}"), DayOrder::MonthFirst).map(|read| read.date), Ok(date));
        }
    }
}
