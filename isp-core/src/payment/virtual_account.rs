//! The number that each customer keeps at a bank, a static virtual account: it follows from the customer ID alone.
//!
//! Nothing is kept for it: the number is worked out of the ID, and the ID out of the number. A number of a virtual account is the
//! provider's own number at the bank (`partnerServiceId` of SNAP, 8 digits at most) and up to 20 digits for the customer.

use crate::text::Code;

/// The digits that SNAP leaves for a customer (`customerNo`).
const MOST: usize = 20;
/// The first digit of an ID that is not letters and then digits.
const SIGNS: u32 = 9;
/// The most letters in front of the digits of an ID.
const LETTERS: usize = 6;
/// The signs of an ID, in the order of their value.
const ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ._-/@:";

/// The digits that stand for a customer at a bank; `None` for an ID that is too long for it.
///
/// * An ID of up to six letters and then digits: how many letters, each letter as 10 (A) to 35 (Z), the digits.
/// * Any other: a 9, and the ID as a number of base 42.
///
/// The last digit is Luhn's check digit, so one wrong digit is nobody's number. Capitals make no difference, as in the ID itself.
///
/// ```
/// use isp_core::{payment::virtual_account, text::Code};
/// let of = |code| virtual_account::digits_of(&Code::parse("customer", code).unwrap());
/// assert_eq!(of("P0042").as_deref(), Some("12500427"));
/// assert_eq!(of("100042").as_deref(), Some("01000421"));
/// assert_eq!(of("jl-merdeka/17-belakang"), None);
/// ```
#[must_use]
pub fn digits_of(code: &Code) -> Option<String> {
    let code = code.as_str().to_ascii_uppercase();
    let letters = code.bytes().take_while(u8::is_ascii_uppercase).count();
    let rest = &code[letters..];
    let plain = letters <= LETTERS && !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit());
    let body = if plain {
        let values = code[..letters].bytes().map(|b| (b - b'A' + 10).to_string());
        format!("{letters}{}{rest}", values.collect::<String>())
    } else {
        // Each value is one more than its place, so that an ID may begin with any sign.
        let place = |b: u8| ALPHABET.iter().position(|sign| *sign == b).and_then(|at| u128::try_from(at + 1).ok());
        let base = ALPHABET.len() as u128;
        let number = code.bytes().try_fold(0_u128, |all, b| all.checked_mul(base)?.checked_add(place(b)?))?;
        format!("{SIGNS}{number}")
    };
    (body.len() < MOST).then(|| format!("{body}{}", check_digit(&body)))
}

/// The customer ID of these digits, in capitals; `None` for digits that are nobody's.
///
/// ```
/// use isp_core::payment::virtual_account::code_of;
/// assert_eq!(code_of("12500427").unwrap().as_str(), "P0042");
/// assert_eq!(code_of("12500437"), None, "one digit is wrong");
/// ```
#[must_use]
pub fn code_of(digits: &str) -> Option<Code> {
    if digits.len() < 3 || digits.len() > MOST || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (body, check) = digits.split_at(digits.len() - 1);
    if check != check_digit(body).to_string() {
        return None;
    }
    let (kind, rest) = body.split_at(1);
    let kind = kind.parse::<u32>().ok()?;
    let text = if kind == SIGNS { of_number(rest)? } else { of_letters(usize::try_from(kind).ok()?, rest)? };
    let code = Code::parse("customer", &text).ok()?;
    // One number has one way of being written.
    (digits_of(&code).as_deref() == Some(digits)).then_some(code)
}

/// The one who has a number, among those whose ID it leads to; `None` for nobody, and for several: a database of old may hold IDs that
/// differ in case only, and what is paid on the number of two is nobody's for certain.
///
/// ```
/// use isp_core::payment::virtual_account::holder;
/// assert_eq!(holder(vec!["P009"]), Some("P009"));
/// assert_eq!(holder(vec!["P009", "p009"]), None);
/// assert_eq!(holder(Vec::<&str>::new()), None);
/// ```
#[must_use]
pub fn holder<T>(alike: Vec<T>) -> Option<T> {
    let mut alike = alike.into_iter();
    alike.next().filter(|_| alike.len() == 0)
}

fn of_letters(letters: usize, rest: &str) -> Option<String> {
    if letters > LETTERS {
        return None;
    }
    let (values, digits) = rest.split_at_checked(2 * letters)?;
    let letter = |at: usize| {
        let value: u8 = values.get(2 * at..2 * at + 2)?.parse().ok()?;
        (10..=35).contains(&value).then(|| char::from(b'A' + value - 10))
    };
    let letters: String = (0..letters).map(letter).collect::<Option<_>>()?;
    Some(letters + digits)
}

fn of_number(rest: &str) -> Option<String> {
    let base = ALPHABET.len() as u128;
    let mut number: u128 = rest.parse().ok()?;
    let mut signs = Vec::new();
    while number > 0 {
        number -= 1;
        signs.push(*ALPHABET.get(usize::try_from(number % base).ok()?)?);
        number /= base;
    }
    signs.reverse();
    String::from_utf8(signs).ok()
}

/// Luhn's check digit.
fn check_digit(body: &str) -> u32 {
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, b)| {
            let digit = u32::from(b - b'0');
            let doubled = if at % 2 == 0 { 2 * digit } else { digit };
            doubled / 10 + doubled % 10
        })
        .sum();
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Code {
        Code::parse("customer", text).unwrap()
    }

    #[test]
    fn each_id_has_a_number_of_its_own_that_leads_back() {
        let ids = [
            "1",
            "0",
            "001",
            "P1",
            "P01",
            "p0042",
            "ABCDEF12",
            "ABCDEFG1",
            "A",
            "AB",
            "P-1",
            "P.1",
            "1A",
            "9",
            "a@b",
            "ISP/2026-1",
            "-",
            "0-",
            "00-",
            "12345678901234567",
            "Z99999999999999",
        ];
        let mut seen = std::collections::BTreeMap::new();
        for id in ids {
            let digits = digits_of(&code(id)).unwrap_or_else(|| panic!("{id}"));
            assert!((3..=MOST).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()), "{id}: {digits}");
            assert_eq!(code_of(&digits), Some(code(id)), "{id}");
            assert_eq!(seen.insert(digits, id), None, "{id}");
        }
        assert_eq!(digits_of(&code("p0042")), digits_of(&code("P0042")));
        assert_eq!(digits_of(&code(&"9".repeat(19))), None);
        assert_eq!(digits_of(&code(&"x".repeat(64))), None);
    }

    #[test]
    fn one_wrong_digit_is_nobodys_number() {
        for id in ["P0042", "100042", "ISP-1"] {
            let digits = digits_of(&code(id)).unwrap();
            for at in 0..digits.len() {
                for other in b'0'..=b'9' {
                    let mut wrong = digits.clone().into_bytes();
                    let right = std::mem::replace(&mut wrong[at], other);
                    let read = code_of(std::str::from_utf8(&wrong).unwrap());
                    assert_eq!(read.is_some(), right == other, "{id} at {at}");
                }
            }
        }
        for none in ["", "0", "00", "1", "99", "x12", "123456789012345678901", "١٢٣٤"] {
            assert_eq!(code_of(none), None, "{none}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_id_leads_back_and_any_number_is_one_way(id in "[A-Za-z0-9._/@:-]{1,20}", digits in "[0-9]{1,21}") {
            if let Some(number) = digits_of(&code(&id)) {
                proptest::prop_assert_eq!(code_of(&number), Some(code(&id)));
            }
            if let Some(read) = code_of(&digits) {
                proptest::prop_assert_eq!(digits_of(&read), Some(digits));
            }
        }
    }
}
