//! What people type and read: codes, names on one line, the language of messages.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::calendar::Month;
use crate::error::Error;
use crate::typed;

/// A short code that people type: a customer ID, a package code, a PPPoE user name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Code(String);

impl Code {
    /// Trims and checks a code of 1 to 64 characters out of letters, digits and `. _ - / @`.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::TooLong`], [`Error::BadCode`], each with `field`.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, Error> {
        let text = typed::bare(text);
        if text.is_empty() {
            return Err(Error::Empty { field });
        }
        if text.len() > 64 {
            return Err(Error::TooLong { field, max: 64 });
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/@".contains(&b)) {
            return Err(Error::BadCode { field });
        }
        Ok(Self(text))
    }

    /// The code in small letters: two codes that differ only in capitals are one code to people.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for Code {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        Self::parse("code", &text)
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.0
    }
}

/// A name on one line, 1 to 120 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    /// The longest name, in characters.
    pub const LONGEST: usize = 120;

    /// Folds white space and checks the length.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::TooLong`], each with `field`.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, Error> {
        one_line(field, text, Self::LONGEST).map(Self)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for Name {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        Self::parse("name", &text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

/// The language of messages and screens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Indonesian.
    #[default]
    Id,
    /// English.
    En,
}

impl Language {
    /// `id` or `en`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::En => "en",
        }
    }

    /// What people call a month, without the year.
    ///
    /// ```
    /// use isp_core::{calendar::Month, text::Language};
    /// let august = Month::new(2026, 8).unwrap();
    /// assert_eq!((Language::Id.month(august), Language::En.month(august)), ("Agustus", "August"));
    /// ```
    #[must_use]
    pub const fn month(self, month: Month) -> &'static str {
        let (id, en) = match month.year_month().1 {
            1 => ("Januari", "January"),
            2 => ("Februari", "February"),
            3 => ("Maret", "March"),
            4 => ("April", "April"),
            5 => ("Mei", "May"),
            6 => ("Juni", "June"),
            7 => ("Juli", "July"),
            8 => ("Agustus", "August"),
            9 => ("September", "September"),
            10 => ("Oktober", "October"),
            11 => ("November", "November"),
            _ => ("Desember", "December"),
        };
        match self {
            Language::Id => id,
            Language::En => en,
        }
    }

    /// Reads `id` or `en`.
    ///
    /// # Errors
    /// [`Error::NotOneOf`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text.trim().to_ascii_lowercase().as_str() {
            "id" | "id_id" | "indonesia" => Ok(Self::Id),
            "en" | "en_us" | "inggris" => Ok(Self::En),
            _ => Err(Error::NotOneOf { field: "language", expected: "id, en" }),
        }
    }
}

/// Folds white space into single blanks and checks the length.
pub(crate) fn one_line(field: &'static str, text: &str, max: usize) -> Result<String, Error> {
    let line = typed::clean(text);
    let line = line.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect::<Vec<_>>();
    let line = line.join(" ");
    if line.is_empty() {
        Err(Error::Empty { field })
    } else if line.chars().count() > max {
        Err(Error::TooLong { field, max })
    } else {
        Ok(line)
    }
}
