//! Files in which banks tell what happened on an account: CSV of BCA, Mandiri, BNI and BRI, and MT940.
//!
//! A file is known by its heading row, never by its name or by a title above it, which banks share. It is taken whole or not
//! at all: its rows must lead from its opening balance to its closing one.

mod mt940;
mod number;
mod table;

use serde::{Deserialize, Serialize};

use crate::calendar::Date;
use crate::error::Error;
use crate::money::Money;
use crate::text::Code;

/// How the provider heard of a mutation: by what kind of file, or by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BankFormat {
    /// CSV of BCA.
    Bca,
    /// CSV of Bank Mandiri.
    Mandiri,
    /// CSV of BNI.
    Bni,
    /// CSV of BRI.
    Bri,
    /// SWIFT's MT940, of any bank.
    Mt940,
    /// No file: a payment gateway told of money for a request that is not known here.
    Gateway,
    /// No file: moota, which reads accounts at their banks, told of it.
    Moota,
    /// No file: a phone told of it, on which a bank's or merchant's app showed a notification.
    Phone,
}

impl BankFormat {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Bca, Self::Mandiri, Self::Bni, Self::Bri, Self::Mt940, Self::Gateway, Self::Moota, Self::Phone];

    /// `bca`, `mandiri`, `bni`, `bri`, `mt940`, `gateway`, `moota` or `phone`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Bca => "bca",
            Self::Mandiri => "mandiri",
            Self::Bni => "bni",
            Self::Bri => "bri",
            Self::Mt940 => "mt940",
            Self::Gateway => "gateway",
            Self::Moota => "moota",
            Self::Phone => "phone",
        }
    }

    /// Reads its code.
    ///
    /// # Errors
    /// [`Error::NotOneOf`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let unknown =
            Error::NotOneOf { field: "format", expected: "bca, mandiri, bni, bri, mt940, gateway, moota, phone" };
        Self::ALL.into_iter().find(|f| f.code() == text).ok_or(unknown)
    }
}

/// Fails for another currency than rupiah. What is no code of three letters, such as `Rupiah`, says nothing.
fn rupiah(line: usize, field: &str, currency: &str) -> Result<(), Error> {
    let code = currency.trim().trim_matches(['"', '\'']).to_ascii_uppercase();
    let is_code = code.len() == 3 && code.bytes().all(|letter| letter.is_ascii_uppercase());
    match is_code && code != "IDR" {
        true => Err(Error::BankCurrency { line, field: field.trim().to_owned(), currency: code }),
        false => Ok(()),
    }
}

/// A row of a file.
#[derive(Clone, PartialEq, Eq)]
pub struct BankRow {
    /// On which line of the file.
    pub line: usize,
    /// On which day.
    pub on: Date,
    /// Money in, or below zero money out, in hundredths of a rupiah: banks book interest with them.
    pub hundredths: i64,
    /// What the bank wrote about it.
    pub text: String,
    /// The balance after it, in hundredths, where the file tells it.
    pub balance: Option<i64>,
}

impl BankRow {
    /// The whole rupiah of it.
    #[must_use]
    pub const fn amount(&self) -> Money {
        Money::rupiah(self.hundredths / 100)
    }
}

/// What a bank wrote names people, so it is not shown.
impl std::fmt::Debug for BankRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BankRow").field("line", &self.line).field("on", &self.on).finish_non_exhaustive()
    }
}

/// A file that was read and found whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankFile {
    /// What it is.
    pub format: BankFormat,
    /// The number of the account, where the file tells it.
    pub account: Option<Code>,
    /// Its rows, oldest first.
    pub rows: Vec<BankRow>,
    /// Rows that the bank has not booked yet; they come again with a day.
    pub pending: usize,
}

impl BankFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::UnknownBankFile`]; [`Error::BankRow`] naming the line; [`Error::BankTotals`] when the rows do not lead from the
    /// opening balance to the closing one; [`Error::BankCurrency`] for another currency than rupiah; [`Error::Empty`] for a file without a
    /// row; [`Error::BankNothingBooked`] when the bank has booked none of them yet.
    pub fn read(text: &str) -> Result<Self, Error> {
        let text = text.trim_start_matches('\u{feff}');
        let file = if mt940::is(text) { mt940::read(text)? } else { table::read(text)? };
        match (file.rows.is_empty(), file.pending) {
            (false, _) => Ok(file),
            (true, 0) => Err(Error::Empty { field: "rows" }),
            (true, _) => Err(Error::BankNothingBooked),
        }
    }
}

/// The number of an account, or the name that a person gives it, as it is compared: of a number, its digits.
///
/// # Errors
/// As [`Code::parse`].
pub fn account_code(text: &str) -> Result<Code, Error> {
    if !text.chars().any(char::is_alphanumeric) {
        return Err(Error::Empty { field: "account" });
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let number = text.chars().all(|c| c.is_ascii_digit() || " .-/'".contains(c)) && digits.len() >= 6;
    Code::parse("account", if number { digits.trim_start_matches('0') } else { text })
}
