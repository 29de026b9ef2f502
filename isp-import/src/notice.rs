//! What is told of an import that is right and that a person should know: how a cell was read, what was left aside.

use std::collections::{BTreeMap, BTreeSet};

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Note {
    /// A file or sheet whose kind is not known.
    UnknownFile,
    /// Lines above the header.
    Titles,
    /// A file in UTF-16.
    Utf16,
    /// A file in Windows-1252.
    Windows1252,
    /// A workbook that does not say what is hidden.
    HiddenUnknown,
    /// Rows of totals, which are left out.
    Totals,
    /// A column that is for people only.
    NotImported,
    /// A column that is not known, and resembles none that is.
    UnknownColumn,
    /// A landline in place of a mobile number: the customer is taken without a number.
    Landline,
    /// A cell with several numbers, of which the first was taken.
    SeveralPhones,
    /// A phone number that an earlier row has for another customer.
    SamePhone,
    /// A NIK that ends in 0.
    MayBeRounded,
    /// A day as `1/2/2026`, read with the day first.
    DayFirst,
    /// Days with the month first.
    MonthFirst,
    /// A day with a year of two digits.
    ShortYear,
    /// A day as a spreadsheet's number.
    DayNumber,
    /// A code as a decimal number, `12.0`.
    DecimalCode,
    /// The same row once more.
    SameAgain,
    /// A line without router and site, put on the only router.
    OnlyRouter,
    /// A row with everything whose package has a price and no speed, so that no package is made of it.
    PriceWithoutSpeed,
    /// An expense in cash, in books that hold none.
    NoCash,
}

impl Note {
    /// The key of its text in the locales, such as `notice.totals`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::UnknownFile => "notice.unknown_file",
            Self::Titles => "notice.titles",
            Self::Utf16 => "notice.utf16",
            Self::Windows1252 => "notice.windows_1252",
            Self::HiddenUnknown => "notice.hidden_unknown",
            Self::Totals => "notice.totals",
            Self::NotImported => "notice.not_imported",
            Self::UnknownColumn => "notice.unknown_column",
            Self::Landline => "notice.landline",
            Self::SeveralPhones => "notice.several_phones",
            Self::SamePhone => "notice.same_phone",
            Self::MayBeRounded => "notice.may_be_rounded",
            Self::DayFirst => "notice.day_first",
            Self::MonthFirst => "notice.month_first",
            Self::ShortYear => "notice.short_year",
            Self::DayNumber => "notice.day_number",
            Self::DecimalCode => "notice.decimal_code",
            Self::SameAgain => "notice.same_again",
            Self::OnlyRouter => "notice.only_router",
            Self::PriceWithoutSpeed => "notice.price_without_speed",
            Self::NoCash => "notice.no_cash",
        }
    }
}

/// All that is told, once for each file, column and kind.
#[derive(Debug, Clone, Default)]
pub struct Notices(BTreeMap<(String, String, Note), BTreeSet<u64>>);

/// Which lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lines {
    /// The first.
    pub first: u64,
    /// How many.
    pub count: usize,
}

impl Notices {
    /// Adds a line.
    pub(super) fn tell(&mut self, file: &str, line: u64, column: &str, note: Note) {
        self.0.entry((file.to_owned(), column.to_owned(), note)).or_default().insert(line);
    }

    /// Each: file, column, what, and in which lines.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, Note, Lines)> {
        self.0.iter().map(|((file, column, note), lines)| {
            let lines = Lines { first: lines.first().copied().unwrap_or(0), count: lines.len() };
            (file.as_str(), column.as_str(), *note, lines)
        })
    }
}
