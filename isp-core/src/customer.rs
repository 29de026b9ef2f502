//! Customers: who they are and how to reach them.

mod number;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use crate::error::Error;
use crate::ids::CustomerId;
use crate::place::Coordinates;
use crate::text::{Code, Language, Name, one_line};

pub use number::{is_landline, phones};

/// A person or firm that pays for a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// The row.
    pub id: CustomerId,
    /// The unique customer ID that people use (*ID pelanggan*).
    pub code: Code,
    /// As it stands on invoices and in messages.
    pub name: Name,
    /// Number of the identity card (KTP).
    pub nik: Option<Nik>,
    /// Where the line ends.
    pub address: Address,
    /// Where reminders go.
    pub phone: Option<Phone>,
    /// The language of messages.
    pub language: Language,
    /// Whether invoices of several subscriptions stand on one document.
    #[serde(default)]
    pub invoicing: Invoicing,
    /// Where the line ends on the map.
    #[serde(default)]
    pub coordinates: Option<Coordinates>,
}

/// How a customer with several subscriptions is invoiced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Invoicing {
    /// Each subscription by itself.
    #[default]
    PerSubscription,
    /// Invoices of the same days on one [`Statement`](crate::billing::Statement).
    PerCustomer,
}

impl Invoicing {
    /// `per_subscription` or `per_customer`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::PerSubscription => "per_subscription",
            Self::PerCustomer => "per_customer",
        }
    }

    /// Reads its code, or `per langganan`, `per pelanggan`.
    ///
    /// # Errors
    /// [`Error::NotOneOf`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text.trim().to_ascii_lowercase().replace([' ', '-'], "_").as_str() {
            "per_subscription" | "per_langganan" => Ok(Self::PerSubscription),
            "per_customer" | "per_pelanggan" => Ok(Self::PerCustomer),
            _ => Err(Error::NotOneOf { field: "invoicing", expected: "per_subscription, per_customer" }),
        }
    }
}

/// An address on one line, up to 300 characters: personal data, so `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address(String);

impl Address {
    /// Folds white space and checks the length.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::TooLong`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        one_line("address", text, 300).map(Self)
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(***)")
    }
}

impl TryFrom<String> for Address {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        Self::parse(&text)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.0
    }
}

/// The 16 digits of an identity card (KTP).
///
/// Digits 7 to 12 are the date of birth, with 40 added to the day for women; the serial is not 0000; there is no
/// check digit. Personal data under UU 27/2022: `Debug` and `Display` mask it, and it is wiped when dropped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Nik(String);

impl Nik {
    /// Reads 16 digits, in groups or not, as people and spreadsheets write them.
    ///
    /// # Errors
    /// [`Error::Nik`] with what is wrong, never with the number.
    pub fn parse(text: &str) -> Result<Self, Error> {
        number::nik(text).map(Self)
    }

    /// True when the last digit is a 0, as of every NIK that a spreadsheet kept as a number: it keeps 15 digits. One
    /// real NIK in ten or fewer ends so.
    #[must_use]
    pub fn may_be_rounded(&self) -> bool {
        self.0.ends_with('0')
    }

    /// The 16 digits. A caller that shows them to a person records it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Nik {
    /// The province and regency, the rest masked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}************", self.0.get(..4).unwrap_or("****"))
    }
}

impl fmt::Debug for Nik {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nik(***)")
    }
}

impl Drop for Nik {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl TryFrom<String> for Nik {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        Self::parse(&text)
    }
}

impl From<Nik> for String {
    fn from(nik: Nik) -> Self {
        nik.0.clone()
    }
}

/// An Indonesian mobile number in E.164 form, `+628...`.
///
/// Only mobile numbers receive WhatsApp, so a landline is refused. Personal data: `Debug` and `Display` mask it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Phone(String);

impl Phone {
    /// Reads `0812-3456-7890`, `812 3456 7890`, `+62 (0)812...`, `62812...`, `0062812...`.
    ///
    /// A mobile number is 8 and eight to eleven digits more (national numbering plan, Kominfo regulation 14/2018).
    /// Digits are never joined that may not belong together: `81210000001.0` is refused.
    ///
    /// # Errors
    /// [`Error::Phone`] with what is wrong, never with the number.
    pub fn parse(text: &str) -> Result<Self, Error> {
        number::phone(text).map(|national| Self(format!("+62{national}")))
    }

    /// The number as it is dialled at home, `0812-3456-7890`: text to every spreadsheet, and read by [`Phone::parse`].
    #[must_use]
    pub fn national(&self) -> String {
        let digits = self.0.get(3..).unwrap_or("");
        let (front, back) = digits.split_at(digits.len().min(3));
        let (middle, end) = back.split_at(back.len().min(4));
        [&format!("0{front}"), middle, end].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
    }

    /// True when the last five digits are 0, as of a number that a spreadsheet showed as `8.12E+10` and that was made
    /// whole again. Few real numbers end so.
    #[must_use]
    pub fn may_be_rounded(&self) -> bool {
        self.0.ends_with("00000")
    }

    /// The number in E.164 form, `+62812...`.
    #[must_use]
    pub fn e164(&self) -> &str {
        &self.0
    }

    /// The digits without the plus, as WhatsApp wants them.
    #[must_use]
    pub fn digits(&self) -> &str {
        self.0.get(1..).unwrap_or("")
    }
}

impl fmt::Display for Phone {
    /// Country code and the last three digits, the rest masked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+62***{}", self.0.get(self.0.len().saturating_sub(3)..).unwrap_or(""))
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(***)")
    }
}

impl TryFrom<String> for Phone {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        Self::parse(&text)
    }
}

impl From<Phone> for String {
    fn from(phone: Phone) -> Self {
        phone.0
    }
}

/// The next free customer ID, for a customer who is given none: as those of most customers are, one further than the last of them;
/// `PLG-0001` where nobody has an ID that ends with a number.
///
/// ```
/// use isp_core::{customer::next_code, text::Code};
/// let taken = ["P001", "P012", "KANTOR"].map(|code| Code::parse("customer", code).unwrap());
/// assert_eq!(next_code(taken.iter()).unwrap().as_str(), "P013");
/// assert_eq!(next_code([].iter()).unwrap().as_str(), "PLG-0001");
/// ```
///
/// # Errors
/// [`Error::TooLong`], with `field`, when that is longer than an ID may be.
pub fn next_code<'a>(taken: impl Iterator<Item = &'a Code>) -> Result<Code, Error> {
    // What stands before the number, by how many have it; then its highest number and how many digits that is written with.
    let mut kinds: BTreeMap<String, (usize, u64, usize)> = BTreeMap::new();
    for code in taken {
        let text = code.as_str();
        let front = text.trim_end_matches(|sign: char| sign.is_ascii_digit());
        let digits = &text[front.len()..];
        // A phone number or a NIK as the ID is no count.
        let Some(number) = digits.parse::<u64>().ok().filter(|_| digits.len() < 9) else { continue };
        let (count, highest, width) = kinds.entry(front.to_ascii_uppercase()).or_default();
        (*count, *highest, *width) = (*count + 1, number.max(*highest), digits.len().max(*width));
    }
    let most = kinds.into_iter().max_by_key(|(_, (count, ..))| *count);
    let (front, (_, highest, width)) = most.unwrap_or_else(|| ("PLG-".to_owned(), (0, 0, 4)));
    Code::parse("customer", &format!("{front}{:0width$}", highest + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("0812-3456-7890")]
    #[case("812 3456 7890")]
    #[case("+62 812 3456 7890")]
    #[case("6281234567890")]
    #[case("006281234567890")]
    #[case("+62 0812 3456 7890")]
    #[case("(0812) 3456.7890")]
    fn one_number_in_many_forms(#[case] text: &str) {
        assert_eq!(Phone::parse(text).unwrap().e164(), "+6281234567890");
    }

    #[rstest]
    #[case("021-5551234")]
    #[case("+1 202 555 0100")]
    #[case("0812")]
    #[case("08123456789012345")]
    #[case("08I2-3456-7890")]
    #[case("")]
    #[case("0812+3456789")]
    fn what_cannot_receive_whatsapp_is_refused_without_being_shown(#[case] text: &str) {
        let error = Phone::parse(text).unwrap_err();
        assert_eq!(error.code(), "customer.phone");
        assert!(text.is_empty() || !error.to_string().contains(text));
    }

    #[test]
    fn a_nik_is_checked_and_never_shown() {
        let nik = Nik::parse("3273 0141 0290 0001").unwrap();
        assert_eq!(nik.to_string(), "3273************");
        assert_eq!(format!("{nik:?}"), "Nik(***)");
        for (bad, reason) in [
            ("327301410290000", "16 digits"),
            ("32730141029O0001", "other than digits"),
            ("3273013202900001", "date of birth"),
            ("3273017202900001", "date of birth"),
            ("3273010113900001", "date of birth"),
            ("3273010102900000", "0000"),
            ("0973010102900001", "province"),
        ] {
            let error = Nik::parse(bad).unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
            assert!(!error.to_string().contains(bad));
        }
        assert!(Nik::parse("3273012902000001").is_ok(), "29 February 2000");
    }

    #[test]
    fn debug_of_a_customer_holds_no_personal_numbers() {
        let customer = Customer {
            id: CustomerId(uuid::Uuid::nil()),
            code: Code::parse("code", "C-1").unwrap(),
            name: Name::parse("name", "  Siti \n Aminah ").unwrap(),
            nik: Some(Nik::parse("3273014102900001").unwrap()),
            address: Address::parse("Jl. Melati 5").unwrap(),
            phone: Some(Phone::parse("081234567890").unwrap()),
            language: Language::Id,
            invoicing: Invoicing::default(),
            coordinates: None,
        };
        assert_eq!(customer.name.as_str(), "Siti Aminah");
        let shown = format!("{customer:?}");
        for hidden in ["3273014102900001", "81234567890", "Melati"] {
            assert!(!shown.contains(hidden));
        }
    }
}
