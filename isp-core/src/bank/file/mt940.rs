//! MT940, SWIFT's statement of account: Mandiri, BCA and BNI give it to firms.

use super::{BankFile, BankFormat, BankRow, account_code, rupiah};
use crate::calendar::Date;
use crate::error::Error;

/// True for a text that begins as MT940 does, with or without SWIFT's own envelope.
pub(super) fn is(text: &str) -> bool {
    let has = |tag: &str| text.lines().any(|line| line.trim_start().starts_with(tag));
    has(":20:") && has(":60")
}

/// A tag with its text over all its lines, and the number of its first line.
struct Field {
    line: usize,
    tag: String,
    text: String,
}

fn fields(text: &str) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_end();
        // The envelope begins in a line of its own or before the first tag.
        let start = line.strip_prefix(':').and_then(|rest| rest.split_once(':'));
        match start.filter(|(tag, _)| (2..=3).contains(&tag.len()) && tag.starts_with(|c: char| c.is_ascii_digit())) {
            Some((tag, text)) => {
                fields.push(Field { line: number, tag: tag.to_ascii_uppercase(), text: text.to_owned() });
            }
            None if line.starts_with('-') || line.starts_with('{') || line.is_empty() => {}
            None => {
                if let Some(field) = fields.last_mut() {
                    field.text.push('\n');
                    field.text.push_str(line);
                }
            }
        }
    }
    fields
}

pub(super) fn read(text: &str) -> Result<BankFile, Error> {
    let mut file = BankFile { format: BankFormat::Mt940, account: None, rows: Vec::new(), pending: 0 };
    let (mut balance, mut of_row): (Option<i64>, bool) = (None, false);
    for field in fields(text) {
        let bad = |reason| Error::BankRow { line: field.line, reason };
        // A balance: its mark, its day, and the currency before the amount.
        if matches!(field.tag.as_str(), "60F" | "60M" | "62F" | "62M") {
            rupiah(field.line, &format!(":{}:", field.tag), field.text.trim().get(7..10).unwrap_or(""))?;
        }
        match field.tag.as_str() {
            "20" => balance = None,
            "25" => {
                let number = field.text.lines().next().unwrap_or("").trim();
                // Some banks put their own code before the number, and the currency behind it.
                let number = number.rsplit('/').next().unwrap_or(number).trim_end_matches("IDR").trim();
                let account = account_code(number).map_err(|_| bad("its account is missing"))?;
                if file.account.get_or_insert_with(|| account.clone()) != &account {
                    return Err(bad("it is of another account; give each account's rows as a file of their own"));
                }
            }
            "60F" | "60M" => balance = Some(balance_of(&field.text).map_err(bad)?),
            "61" => {
                let (on, amount, reference) = entry(&field.text).map_err(bad)?;
                let before = balance.ok_or(bad("no opening balance (:60F:) stands before it"))?;
                let after = before.checked_add(amount).ok_or(bad("its amount is out of range"))?;
                balance = Some(after);
                file.rows.push(BankRow {
                    line: field.line,
                    on,
                    hundredths: amount,
                    text: reference,
                    balance: Some(after),
                });
            }
            // Behind the closing balance it is about the whole statement.
            "86" if of_row => {
                if let Some(row) = file.rows.last_mut() {
                    row.text = format!("{} {}", plain(&field.text), row.text).trim().to_owned();
                }
            }
            "62F" | "62M" => {
                let told = balance_of(&field.text).map_err(bad)?;
                balance = balance.filter(|led_to| *led_to == told);
                balance.ok_or(Error::BankTotals)?;
            }
            _ => {}
        }
        of_row = field.tag == "61";
    }
    Ok(file)
}

/// `C260101IDR1000000,00`.
fn balance_of(text: &str) -> Result<i64, &'static str> {
    const BAD: &str = "its balance is no number";
    let text = text.trim();
    if !text.is_ascii() || text.len() < 11 {
        return Err(BAD);
    }
    let (mark, rest) = text.split_at(1);
    let amount = amount(&rest[9..]).ok_or(BAD)?;
    match mark {
        "C" => Ok(amount),
        "D" => Ok(-amount),
        _ => Err(BAD),
    }
}

/// `2601150115C50000,00NTRFNONREF//99` with its day, its amount and what the bank calls it.
fn entry(text: &str) -> Result<(Date, i64, String), &'static str> {
    const BAD: &str = "it is not written as MT940 wants";
    let line = text.lines().next().unwrap_or("").trim();
    if !line.is_ascii() || line.len() < 12 {
        return Err(BAD);
    }
    let number = |at: std::ops::Range<usize>| line.get(at).and_then(|t| t.parse::<u32>().ok()).ok_or(BAD);
    let year = 2000 + i32::try_from(number(0..2)?).map_err(|_| BAD)?;
    let on = Date::from_ymd(year, number(2..4)?, number(4..6)?).ok_or("its day is no calendar day")?;
    let mut rest = &line[6..];
    if rest.bytes().take(4).all(|b| b.is_ascii_digit()) {
        rest = rest.get(4..).ok_or(BAD)?;
    }
    // C and D, and the taking back of one: RC takes money out again, RD brings it back.
    let (sign, after) = match rest.as_bytes() {
        [b'R', b'C', ..] => (-1, &rest[2..]),
        [b'R', b'D', ..] => (1, &rest[2..]),
        [b'C', ..] => (1, &rest[1..]),
        [b'D', ..] => (-1, &rest[1..]),
        _ => return Err("it does not say whether money came in or went out"),
    };
    // The last letter of the currency may stand before the amount.
    let after = after.strip_prefix(|c: char| c.is_ascii_alphabetic()).unwrap_or(after);
    let end = after.find(|c: char| !c.is_ascii_digit() && c != ',').unwrap_or(after.len());
    let amount = amount(&after[..end]).filter(|n| *n > 0).ok_or("its amount is no number")?;
    // Four letters of a kind, then references, of which NONREF is none.
    let reference = after[end..].get(4..).unwrap_or("");
    let words = reference.split("//").filter(|w| !w.is_empty() && *w != "NONREF");
    // The mark alone says that a transfer is taken back.
    let mark = (rest.starts_with("RC")).then_some("REVERSAL");
    let words = words.chain(mark).collect::<Vec<_>>().join(" ");
    Ok((on, sign * amount, words))
}

/// An amount with the comma that MT940 always has.
fn amount(text: &str) -> Option<i64> {
    let (whole, part) = text.trim().split_once(',').unwrap_or((text.trim(), ""));
    if part.len() > 2 || whole.is_empty() || whole.len() > 13 {
        return None;
    }
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) {
        return None;
    }
    format!("{whole}{part:0<2}").parse().ok()
}

/// The words of a description, without the marks of its parts (`?20`).
fn plain(text: &str) -> String {
    let mut words = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('?') {
        words.push_str(&rest[..at]);
        let mark = rest[at + 1..].bytes().take_while(u8::is_ascii_digit).take(2).count();
        words.push(' ');
        rest = &rest[at + 1 + mark..];
    }
    words.push_str(rest);
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}
