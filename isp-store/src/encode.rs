//! Compact texts in columns: the lines of an invoice, and JSON.
//!
//! # Lines of an invoice
//!
//! Kept in the invoice's row, because a second row costs more than a third of the rate of a billing run. Separated by
//! blanks, each is a letter for its kind, its amount in rupiah, and for a prorated line `:days/full days`:
//!
//! ```text
//! S150000 D-15000 P14850        service, discount, PPN
//! S75000:15/30 P8250            half a month
//! ```
//!
//! S service, I installation, L late fee, D discount, C credit, P PPN, R rounding, Q PPN of an installation fee.

use isp_core::billing::{InvoiceLine, InvoiceLines, LineKind};
use isp_core::money::Money;
use isp_core::place::Coordinates;
use isp_core::ports::StoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::value::Reader;

/// Two columns, latitude and longitude in millionths of a degree.
pub(crate) fn degrees(at: Option<Coordinates>) -> (Option<i64>, Option<i64>) {
    (at.map(|at| at.latitude().into()), at.map(|at| at.longitude().into()))
}

/// Reads those two columns.
pub(crate) fn coordinates(r: &mut Reader<'_>) -> Result<Option<Coordinates>, StoreError> {
    let (latitude, longitude): (Option<i64>, Option<i64>) = (r.get()?, r.get()?);
    let Some((latitude, longitude)) = latitude.zip(longitude) else { return Ok(None) };
    let small = |value: i64| i32::try_from(value).ok();
    let read = small(latitude).zip(small(longitude)).and_then(|(north, east)| Coordinates::try_new(north, east).ok());
    read.map(Some).ok_or_else(|| r.corrupt("its coordinates are not on the earth"))
}

/// Writes the lines of an invoice.
pub(crate) fn lines(lines: &[InvoiceLine]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(lines.len() * 10);
    for line in lines {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push(letter(line.kind));
        // Writing to a string cannot fail.
        let _ = write!(text, "{}", line.amount.as_i64());
        if let Some((days, full)) = line.prorated {
            let _ = write!(text, ":{days}/{full}");
        }
    }
    text
}

/// Reads the lines of an invoice.
pub(crate) fn read_lines(text: &str) -> Result<InvoiceLines, StoreError> {
    text.split_ascii_whitespace()
        .map(|word| {
            read_line(word).ok_or_else(|| StoreError::Corrupt {
                what: "invoice",
                reason: "its lines are not in a form of this version".to_owned(),
            })
        })
        .collect()
}

fn read_line(word: &str) -> Option<InvoiceLine> {
    let mut rest = word.chars();
    let kind = kind_of(rest.next()?)?;
    let (amount, prorated) = match rest.as_str().split_once(':') {
        Some((amount, part)) => {
            let (days, full) = part.split_once('/')?;
            (amount, Some((days.parse().ok()?, full.parse().ok()?)))
        }
        None => (rest.as_str(), None),
    };
    Some(InvoiceLine { kind, amount: Money::rupiah(amount.parse().ok()?), prorated })
}

const fn letter(kind: LineKind) -> char {
    match kind {
        LineKind::Subscription => 'S',
        LineKind::Installation => 'I',
        LineKind::LateFee => 'L',
        LineKind::Discount => 'D',
        LineKind::Credit => 'C',
        LineKind::Ppn => 'P',
        LineKind::Rounding => 'R',
        LineKind::InstallationPpn => 'Q',
    }
}

const fn kind_of(letter: char) -> Option<LineKind> {
    Some(match letter {
        'S' => LineKind::Subscription,
        'I' => LineKind::Installation,
        'L' => LineKind::LateFee,
        'D' => LineKind::Discount,
        'C' => LineKind::Credit,
        'P' => LineKind::Ppn,
        'R' => LineKind::Rounding,
        'Q' => LineKind::InstallationPpn,
        _ => return None,
    })
}

/// Writes a value as JSON.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Rejected { reason: "it cannot be written as JSON".to_owned() })
}

/// Reads a value from JSON. The parser's words are left out, because they may quote the text.
pub(crate) fn read_json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::Corrupt {
        what,
        reason: format!("its JSON does not fit at line {} column {}", e.line(), e.column()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_as_they_were() {
        let kinds = [
            LineKind::Subscription,
            LineKind::Installation,
            LineKind::LateFee,
            LineKind::Discount,
            LineKind::Credit,
            LineKind::Ppn,
            LineKind::Rounding,
            LineKind::InstallationPpn,
        ];
        let made: Vec<_> = kinds
            .into_iter()
            .enumerate()
            .map(|(i, kind)| InvoiceLine {
                kind,
                amount: Money::rupiah(i as i64 * 10_000 - 20_000),
                prorated: (i % 2 == 0).then_some((15, 31)),
            })
            .collect();
        let text = lines(&made);
        assert_eq!(text, "S-20000:15/31 I-10000 L0:15/31 D10000 C20000:15/31 P30000 R40000:15/31 Q50000");
        assert_eq!(read_lines(&text).unwrap().as_slice(), made);
        assert!(read_lines("").unwrap().is_empty());
    }

    #[test]
    fn a_line_of_another_version_is_corrupt() {
        for text in ["X1", "S", "S1:2", "S1:a/b", "1", "Sx"] {
            assert_eq!(read_lines(text).unwrap_err().code(), "store.corrupt", "{text}");
        }
    }
}
