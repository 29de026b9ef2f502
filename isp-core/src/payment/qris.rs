//! QRIS codes: reading a provider's own static code, and making one that asks for an amount.
//!
//! A QRIS code is a text in the form of EMVCo's merchant-presented mode: a tag of two digits, a length of two digits, that many
//! characters, and so on. Tag 01 says whether the code is static (11) or asks for one payment (12), tag 54 is the amount, and the
//! last one, tag 63, is a CRC-16 over everything before its own value. A payer's app shows the amount and does not let it be
//! changed. Nothing in the code comes back with the money, so the amount alone tells who paid: see
//! [`PaymentRequest`](crate::payment::PaymentRequest).

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::money::Money;

/// The most that one QRIS payment may be (Bank Indonesia): Rp10.000.000.
pub const MOST: Money = Money::rupiah(10_000_000);

const FORMAT: u8 = 0;
const KIND: u8 = 1;
const CURRENCY: u8 = 53;
const AMOUNT: u8 = 54;
/// That the payer may add a tip, a fee of so much, a fee of so many percent.
const TIPS: [u8; 3] = [55, 56, 57];
const COUNTRY: u8 = 58;
const NAME: u8 = 59;
const CITY: u8 = 60;
const CRC: u8 = 63;

/// A static QRIS code that was read and found whole.
///
/// ```
/// use isp_core::{money::Money, payment::{Qris, qris}};
/// let shop = qris::sample();
/// let asks = Qris::parse(&shop).unwrap().with_amount(Money::rupiah(183_151)).unwrap();
/// assert!(asks.starts_with("000201010212") && asks.contains("5303360" ) && asks.contains("5406183151"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Qris(Vec<(u8, String)>);

impl Qris {
    /// Reads the text of a static code, as any scanner of codes shows it. White space around it does not count.
    ///
    /// # Errors
    /// [`Error::Qris`] naming the tag that is damaged, missing or not that of a static code in rupiah.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let bad = |tag, reason| Err(Error::Qris { tag, reason });
        let fields = fields(text)?;
        if fields.first().map(|f| (f.0, f.1.as_str())) != Some((FORMAT, "01")) {
            return bad(FORMAT, "it does not begin with 000201");
        }
        let of = |tag: u8| fields.iter().find(|f| f.0 == tag).map(|f| f.1.as_str());
        for (at, (tag, _)) in fields.iter().enumerate() {
            if fields[..at].iter().any(|f| f.0 == *tag) {
                return bad(*tag, "it stands there twice");
            }
        }
        match fields.last() {
            Some((CRC, given)) => {
                let summed = text.len() - given.len();
                if crc(&text.as_bytes()[..summed]) != *given {
                    return bad(CRC, "the check sum does not fit: a character is wrong or missing");
                }
            }
            _ => return bad(CRC, "the code does not end with its check sum"),
        }
        match of(KIND) {
            Some("11") => {}
            Some("12") => return bad(KIND, "it is a code for one payment, not the static code of the shop"),
            _ => return bad(KIND, "it does not say that it is static (11)"),
        }
        if !fields.iter().any(|(tag, value)| (26..=51).contains(tag) && !value.is_empty()) {
            return bad(26, "it names no merchant account");
        }
        for (tag, value) in fields.iter().filter(|(tag, _)| (26..=51).contains(tag)) {
            if self::fields(value).is_err() {
                return bad(*tag, "what is inside it is damaged");
            }
        }
        if of(CURRENCY) != Some("360") {
            return bad(CURRENCY, "the currency is not rupiah (360)");
        }
        if of(AMOUNT).is_some() {
            return bad(AMOUNT, "it holds an amount already");
        }
        if of(COUNTRY) != Some("ID") {
            return bad(COUNTRY, "the country is not Indonesia (ID)");
        }
        for tag in [NAME, CITY] {
            if of(tag).is_none_or(str::is_empty) {
                return bad(tag, "it is missing");
            }
        }
        Ok(Self(fields))
    }

    /// The name of the shop, which the payer's app shows.
    #[must_use]
    pub fn merchant(&self) -> &str {
        self.0.iter().find(|f| f.0 == NAME).map_or("", |f| f.1.as_str())
    }

    /// The code that asks for an amount, to the rupiah. A tip or a fee on top of it (tags 55 to 57) is left out: whoever pays
    /// pays exactly what is asked, since the amount tells whose money it is.
    ///
    /// # Errors
    /// [`Error::NotPositive`]; [`Error::MoreThanQris`] above [`MOST`].
    pub fn with_amount(&self, amount: Money) -> Result<String, Error> {
        if !amount.is_positive() {
            return Err(Error::NotPositive { field: "amount" });
        }
        if amount > MOST {
            return Err(Error::MoreThanQris { most: MOST });
        }
        let mut fields: Vec<(u8, String)> =
            self.0.iter().filter(|f| f.0 != CRC && !TIPS.contains(&f.0)).cloned().collect();
        for field in fields.iter_mut().filter(|f| f.0 == KIND) {
            field.1 = "12".to_owned();
        }
        // Its place is before the tags that follow it in order.
        let at = fields.iter().position(|f| f.0 > AMOUNT).unwrap_or(fields.len());
        fields.insert(at, (AMOUNT, amount.as_i64().to_string()));
        Ok(written(&fields))
    }
}

impl TryFrom<String> for Qris {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        Self::parse(&text)
    }
}

impl From<Qris> for String {
    fn from(code: Qris) -> Self {
        written(&code.0.into_iter().filter(|f| f.0 != CRC).collect::<Vec<_>>())
    }
}

/// The fields of a text, in their order.
fn fields(text: &str) -> Result<Vec<(u8, String)>, Error> {
    let mut fields: Vec<(u8, String)> = Vec::new();
    let mut rest = text.chars();
    while !rest.as_str().is_empty() {
        // What cannot be read follows the last tag that could.
        let last = fields.last().map_or(FORMAT, |f| f.0);
        let mut two = |tag, reason| -> Result<u8, Error> {
            let digits: Vec<u32> = rest.by_ref().take(2).filter_map(|c| c.to_digit(10)).collect();
            match digits.as_slice() {
                [a, b] => Ok(u8::try_from(a * 10 + b).unwrap_or(u8::MAX)),
                _ => Err(Error::Qris { tag, reason }),
            }
        };
        let tag = two(last, "what follows it is no tag of two digits")?;
        let length = usize::from(two(tag, "its length is not written as two digits")?);
        let value: String = rest.by_ref().take(length).collect();
        if value.chars().count() < length {
            return Err(Error::Qris { tag, reason: "it is shorter than its length says" });
        }
        fields.push((tag, value));
    }
    Ok(fields)
}

/// Fields as a text with its check sum.
fn written(fields: &[(u8, String)]) -> String {
    let mut text: String =
        fields.iter().map(|(tag, value)| format!("{tag:02}{:02}{value}", value.chars().count())).collect();
    text.push_str("6304");
    let sum = crc(text.as_bytes());
    text + &sum
}

/// CRC-16/CCITT-FALSE (polynomial 0x1021, from 0xFFFF), as four hexadecimal capitals.
fn crc(bytes: &[u8]) -> String {
    let mut sum: u16 = 0xffff;
    for byte in bytes {
        sum ^= u16::from(*byte) << 8;
        for _ in 0..8 {
            sum = if sum & 0x8000 == 0 { sum << 1 } else { (sum << 1) ^ 0x1021 };
        }
    }
    format!("{sum:04X}")
}

/// The static code of an invented shop, for tests and examples.
#[must_use]
pub fn sample() -> String {
    let account = ["0016ID.CO.CONTOH.WWW", "0118936000090000000017", "0215000000000000001", "0303UMI"].concat();
    let hub = "0014ID.CO.QRIS.WWW0215ID10200000000010303UMI";
    written(&[
        (FORMAT, "01".to_owned()),
        (KIND, "11".to_owned()),
        (26, account),
        (51, hub.to_owned()),
        (52, "4814".to_owned()),
        (CURRENCY, "360".to_owned()),
        (COUNTRY, "ID".to_owned()),
        (NAME, "CONTOH NET".to_owned()),
        (CITY, "BANDUNG".to_owned()),
        (61, "40111".to_owned()),
        (62, "0703A01".to_owned()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(text: &str) -> u8 {
        match Qris::parse(text) {
            Err(Error::Qris { tag, .. }) => tag,
            other => panic!("{text}: {other:?}"),
        }
    }

    /// A code of these changes: the value of a tag, or none without it.
    fn changed(changes: &[(u8, Option<&str>)]) -> String {
        let mut fields: Vec<(u8, String)> = fields(&sample()).unwrap().into_iter().filter(|f| f.0 != CRC).collect();
        for (tag, value) in changes {
            let at = fields.iter().position(|f| f.0 == *tag);
            match (at, value) {
                (Some(at), Some(value)) => fields[at].1 = (*value).to_owned(),
                (Some(at), None) => _ = fields.remove(at),
                (None, Some(value)) => fields.push((*tag, (*value).to_owned())),
                (None, None) => {}
            }
        }
        written(&fields)
    }

    /// The check value of the algorithm, as its catalogues give it.
    #[test]
    fn the_check_sum_is_that_of_ccitt_false() {
        assert_eq!(crc(b"123456789"), "29B1");
        assert_eq!(crc(b""), "FFFF");
    }

    #[test]
    fn a_static_code_asks_for_an_amount_to_the_rupiah() {
        let code = Qris::parse(&format!(" {}\n", sample())).unwrap();
        assert_eq!(code.merchant(), "CONTOH NET");
        assert_eq!(String::from(code.clone()), sample());
        // Rp183.150 is not made Rp183.000 or Rp184.000 first.
        let asks = code.with_amount(Money::rupiah(183_151)).unwrap();
        let read = fields(&asks).unwrap();
        let tags: Vec<u8> = read.iter().map(|f| f.0).collect();
        assert_eq!(tags, [0, 1, 26, 51, 52, 53, 54, 58, 59, 60, 61, 62, 63]);
        assert_eq!((read[1].1.as_str(), read[6].1.as_str()), ("12", "183151"));
        let (body, sum) = asks.split_at(asks.len() - 4);
        assert_eq!(crc(body.as_bytes()), sum);
        // It is no static code any more.
        assert_eq!(tag(&asks), KIND);
    }

    #[test]
    fn a_code_with_a_tip_asks_for_none() {
        for tip in [[(55, Some("01"))].as_slice(), &[(55, Some("02")), (56, Some("500"))]] {
            let code = Qris::parse(&changed(tip)).unwrap();
            let asks = fields(&code.with_amount(Money::rupiah(222_004)).unwrap()).unwrap();
            assert!(asks.iter().all(|f| !TIPS.contains(&f.0)), "{tip:?}");
        }
    }

    #[test]
    fn an_amount_that_no_app_takes_is_refused() {
        let code = Qris::parse(&sample()).unwrap();
        assert!(code.with_amount(MOST).is_ok());
        assert_eq!(code.with_amount(MOST + Money::rupiah(1)).unwrap_err().code(), "qris.too_much");
        assert_eq!(code.with_amount(Money::ZERO).unwrap_err().code(), "value.not_positive");
    }

    #[test]
    fn a_damaged_code_names_its_tag() {
        let whole = sample();
        for (text, expected) in [
            (String::new(), FORMAT),
            ("https://example.test/pay".to_owned(), FORMAT),
            (whole.replacen("000201", "000202", 1), FORMAT),
            (whole[..whole.len() - 8].to_owned(), CRC),
            (whole[..whole.len() - 1].to_owned(), CRC),
            (whole.replace("BANDUNG", "BANDUNK"), CRC),
            (whole.to_lowercase(), CRC),
            (changed(&[(KIND, Some("12"))]), KIND),
            (changed(&[(KIND, None)]), KIND),
            (changed(&[(26, None), (51, None)]), 26),
            (changed(&[(51, Some("0014ID"))]), 51),
            (changed(&[(CURRENCY, Some("840"))]), CURRENCY),
            (changed(&[(AMOUNT, Some("10000"))]), AMOUNT),
            (changed(&[(COUNTRY, Some("SG"))]), COUNTRY),
            (changed(&[(NAME, None)]), NAME),
            (changed(&[(CITY, Some(""))]), CITY),
            (whole.replacen("5303360", "53033605303360", 1), CURRENCY),
            (whole.replacen("5303360", "53x3360", 1), CURRENCY),
        ] {
            assert_eq!(tag(&text), expected, "{text}");
        }
        // Each character counts: one other digit anywhere is found.
        for at in 0..whole.len() {
            let mut other = whole.clone().into_bytes();
            other[at] = if other[at] == b'7' { b'3' } else { b'7' };
            assert!(Qris::parse(&String::from_utf8(other).unwrap()).is_err(), "at {at}");
        }
    }
}
