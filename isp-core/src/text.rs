//! What people type and read: codes, names on one line, the language of messages.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use crate::calendar::Month;
use crate::error::Error;
use crate::typed;

/// Bytes as small hex digits.
///
/// ```
/// assert_eq!(isp_core::text::hex(&[0, 10, 255]), "000aff");
/// ```
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|half| char::from(DIGITS[usize::from(half)])).collect()
}

/// A short code that people type: a customer ID, a package code.
///
/// It is kept and shown as it was typed, and compared without case (rule P6): `P001` and `p001` are one customer, `ANTON`
/// and `Anton` one collector. Who needs the letters themselves, as a router does, compares [`Code::as_str`].
///
/// ```
/// use isp_core::text::Code;
/// let code = |text| Code::parse("code", text).unwrap();
/// assert_eq!(code(" bca "), code("BCA"));
/// assert_eq!((code("Bca").as_str(), code("Bca").folded().as_str()), ("Bca", "bca"));
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Code(String);

impl Code {
    /// Trims and checks a code of 1 to 64 characters out of letters, digits and `. _ - / @ :`.
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
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/@:".contains(&b)) {
            return Err(Error::BadCode { field });
        }
        Ok(Self(text))
    }

    /// The code in small letters: two codes that differ only in capitals are one code to people.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// The code, as it was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn small_letters(&self) -> impl Iterator<Item = u8> {
        self.0.bytes().map(|b| b.to_ascii_lowercase())
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Code {}

impl PartialOrd for Code {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Code {
    fn cmp(&self, other: &Self) -> Ordering {
        self.small_letters().cmp(other.small_letters())
    }
}

impl Hash for Code {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.small_letters().for_each(|b| state.write_u8(b));
        state.write_u8(0xff);
    }
}

/// What a router calls an account or a profile: one line of 1 to 64 signs that can be typed there, such as
/// `Pak Budi (RT 3) #2` or `10M Rumah`.
///
/// It is kept as it was typed, blanks inside it too, and compared without case as a [`Code`] is. Who needs the letters
/// themselves, as a router does, compares [`RouterName::as_str`].
///
/// ```
/// use isp_core::text::RouterName;
/// let name = |text| RouterName::parse("username", text);
/// assert_eq!(name(" Pak Budi  (RT 3) #2+: ").unwrap().as_str(), "Pak Budi  (RT 3) #2+:");
/// assert_eq!(name("Rumah 10M").unwrap(), name("rumah 10m").unwrap());
/// assert!(name("").is_err() && name("budi\nsiti").is_err() && name("b\u{fc}di").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RouterName(Code);

impl RouterName {
    /// The longest name.
    pub const LONGEST: usize = 64;

    /// Trims outer blanks and checks a name out of letters, digits, blanks and the signs of a plain keyboard. Letters with
    /// accents are other bytes on each router, so that none is taken.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::TooLong`], [`Error::BadRouterName`], each with `field`.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, Error> {
        let text = text.trim_matches(|sign: char| sign.is_whitespace() || typed::is_invisible(sign));
        if text.is_empty() {
            return Err(Error::Empty { field });
        }
        if text.len() > Self::LONGEST {
            return Err(Error::TooLong { field, max: Self::LONGEST });
        }
        if !text.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
            return Err(Error::BadRouterName { field });
        }
        Ok(Self(Code(text.to_owned())))
    }

    /// The name, as it was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The name in small letters.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.folded()
    }
}

impl fmt::Display for RouterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Code> for RouterName {
    /// Each code is a name that a router takes.
    fn from(code: Code) -> Self {
        Self(code)
    }
}

impl TryFrom<String> for RouterName {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        Self::parse("username", &text)
    }
}

impl From<RouterName> for String {
    fn from(name: RouterName) -> Self {
        name.0.0
    }
}

/// The row that people mean by a code: one that is written exactly so, else one that differs only in case. Databases of
/// old may hold two that do.
pub fn pick<T>(rows: impl IntoIterator<Item = T>, code: &Code, of: impl Fn(&T) -> &Code) -> Option<T> {
    let mut rows: Vec<T> = rows.into_iter().filter(|row| of(row) == code).collect();
    let exact = rows.iter().position(|row| of(row).as_str() == code.as_str()).unwrap_or(0);
    (!rows.is_empty()).then(|| rows.swap_remove(exact))
}

/// What a bank or gateway calls a payment, or the number of a receipt: one line of up to 140 characters, any signs.
///
/// It is kept and shown as it was typed, with white space folded and invisible signs left out, and compared without case
/// and without blanks (rule P6): a statement of account breaks a reference where its line ends.
///
/// ```
/// use isp_core::text::Reference;
/// let reference = |text| Reference::parse("reference", text).unwrap();
/// assert_eq!(reference("TRSF E-BANKING CR  0501/FTSCY/WS95031 "), reference("trsf e-banking cr 0501/ftscy/ws95031"));
/// assert_eq!(reference("TX -1"), reference("tx-1"));
/// assert_eq!(reference("INV#12").as_str(), "INV#12");
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference(String);

impl Reference {
    /// The longest reference, in characters.
    pub const LONGEST: usize = 140;

    /// Folds white space, leaves out what cannot be seen, and checks the length.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::TooLong`], each with `field`.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, Error> {
        one_line(field, &typed::bare(text), Self::LONGEST).map(Self)
    }

    /// The reference, as it was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// In small letters and without blanks, as it is compared.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_lowercase().split_whitespace().collect()
    }
}

impl PartialEq for Reference {
    fn eq(&self, other: &Self) -> bool {
        self.folded() == other.folded()
    }
}

impl Eq for Reference {}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<Code> for Reference {
    /// Each code is a reference.
    fn from(code: Code) -> Self {
        Self(code.0)
    }
}

impl TryFrom<String> for Reference {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        Self::parse("reference", &text)
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> Self {
        reference.0
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

/// Whether a text that must be there, such as a reason, says anything.
///
/// # Errors
/// [`Error::Empty`] with `field`.
pub fn given(field: &'static str, text: &str) -> Result<(), Error> {
    if text.trim().is_empty() { Err(Error::Empty { field }) } else { Ok(()) }
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
