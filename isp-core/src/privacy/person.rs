//! Where texts name a person, and the texts without the person.

use std::fmt;
use std::ops::Range;

use crate::customer::Customer;
use crate::payment::virtual_account::digits_of;

/// What stands in a text where something of the person was.
const LEFT_OUT: &str = "…";

/// By what a person is found in texts: name, address, phone number, NIK.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// Words that follow each other, in small letters.
    phrases: Vec<Vec<String>>,
    /// Digits that stand within a number.
    numbers: Vec<String>,
    /// The whole name, word by word, in small letters.
    name: Vec<String>,
    /// The number at a bank, as it stands in what is kept of a bank's call.
    account: Option<String>,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person(***)")
    }
}

/// Shorter words of a name, such as `bin` in front of the name of a father, stay where they stand alone.
const SHORTEST: usize = 4;

impl Person {
    /// The person that a customer is.
    #[must_use]
    pub fn of(customer: &Customer) -> Self {
        let whole = |text: &str| words(text).map(|at| text[at].to_lowercase()).collect::<Vec<_>>();
        let (name, address) = (whole(customer.name.as_str()), whole(customer.address.as_str()));
        let whole_name = name.clone();
        let alone = name.iter().filter(|word| word.chars().count() >= SHORTEST).map(|word| vec![word.clone()]);
        let mut phrases: Vec<Vec<String>> = alone.collect();
        phrases.extend([name, address].into_iter().filter(|phrase| phrase.len() > 1));
        // The longest first, so that a whole name becomes one sign.
        phrases.sort_by_key(|phrase| std::cmp::Reverse(phrase.len()));
        let phone = customer.phone.as_ref().map(|phone| {
            let digits = phone.digits();
            digits.strip_prefix("62").unwrap_or(digits).to_owned()
        });
        let nik = customer.nik.as_ref().map(|nik| nik.reveal().to_owned());
        let account = digits_of(&customer.code).map(|digits| format!("\"customerNo\":\"{digits}\""));
        Self { phrases, numbers: phone.into_iter().chain(nik).collect(), name: whole_name, account }
    }

    /// The digits by which the person is found: the phone number after the country code, the NIK.
    #[must_use]
    pub fn numbers(&self) -> &[String] {
        &self.numbers
    }

    /// True when the bytes of what came in have the person's phone number, NIK or whole name, or are a bank's call about the person's
    /// virtual account. JSON may have written letters as `\\u00e9`, a form as `%C3%A9`, and a number may be in groups of digits.
    #[must_use]
    pub fn is_in(&self, body: &[u8]) -> bool {
        let text = String::from_utf8_lossy(body);
        let plain = unescaped(&text);
        self.is_named_in(&text) || (plain != text && self.is_named_in(&plain))
    }

    fn is_named_in(&self, text: &str) -> bool {
        let said: Vec<String> = words(text).map(|at| text[at].to_lowercase()).collect();
        !self.numbers_in(text).is_empty()
            || self.account.as_ref().is_some_and(|account| text.contains(account.as_str()))
            || said.windows(self.name.len().max(1)).any(|part| part == self.name.as_slice())
    }

    /// A text without the person; `None` when it stays as it is.
    ///
    /// ```
    /// use isp_core::customer::{Address, Customer, Phone};
    /// # use isp_core::{ids::CustomerId, text::{Code, Language, Name}};
    /// # let budi = Customer { id: CustomerId(uuid::Uuid::from_u128(1)), code: Code::parse("code", "P001").unwrap(),
    /// #   name: Name::parse("name", "Budi Santoso").unwrap(), nik: None, address: Address::parse("Jl. Merdeka 1").unwrap(),
    /// #   phone: Some(Phone::parse("0812-3456-7890").unwrap()), language: Language::Id, invoicing: Default::default(),
    /// #   coordinates: None };
    /// let person = isp_core::privacy::Person::of(&budi);
    /// let without = person.left_out_of("TRSF BUDI SANTOSO 0812 3456 7890 JL MERDEKA 1 lunas").unwrap();
    /// assert_eq!(without, "TRSF … … … lunas");
    /// assert_eq!(person.left_out_of("setor tunai"), None);
    /// ```
    #[must_use]
    pub fn left_out_of(&self, text: &str) -> Option<String> {
        let mut gone: Vec<Range<usize>> = self.numbers_in(text);
        let found: Vec<Range<usize>> = words(text).collect();
        let small: Vec<String> = found.iter().map(|at| text[at.clone()].to_lowercase()).collect();
        for phrase in &self.phrases {
            for (at, part) in small.windows(phrase.len()).enumerate() {
                if let ([first, ..], true) = (&found[at..at + phrase.len()], part == phrase.as_slice())
                    && let Some(last) = found.get(at + phrase.len() - 1)
                {
                    gone.push(first.start..last.end);
                }
            }
        }
        if gone.is_empty() {
            return None;
        }
        gone.sort_by_key(|at| (at.start, std::cmp::Reverse(at.end)));
        let (mut out, mut done) = (String::with_capacity(text.len()), 0);
        for at in gone {
            if at.start < done {
                // What begins within something that is gone already ends there, or is gone to its own end.
                done = done.max(at.end);
                continue;
            }
            out.push_str(&text[done..at.start]);
            out.push_str(LEFT_OUT);
            done = at.end;
        }
        out.push_str(&text[done..]);
        Some(out)
    }

    /// True when the person's phone number or NIK stands in a text, in groups of digits or not.
    #[must_use]
    pub fn is_numbered_in(&self, text: &str) -> bool {
        !self.numbers_in(text).is_empty()
    }

    /// Where a number of the person stands, in groups of digits or not, with all of the number that it is a part of.
    fn numbers_in(&self, text: &str) -> Vec<Range<usize>> {
        let part = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '(' | ')' | '+');
        let mut runs: Vec<Range<usize>> = Vec::new();
        for (at, sign) in text.char_indices().filter(|(_, sign)| part(*sign)) {
            match runs.last_mut() {
                Some(run) if run.end == at => run.end = at + sign.len_utf8(),
                _ => runs.push(at..at + sign.len_utf8()),
            }
        }
        runs.iter().flat_map(|run| self.within(text, run)).collect()
    }

    /// Where the numbers of the person stand within a run of digits and dividers.
    fn within(&self, text: &str, run: &Range<usize>) -> Vec<Range<usize>> {
        let digits: Vec<(usize, char)> =
            text[run.clone()].char_indices().filter(|(_, sign)| sign.is_ascii_digit()).collect();
        let joined: String = digits.iter().map(|(_, digit)| digit).collect();
        let starts = |number: &'_ str| joined.match_indices(number).map(|(at, _)| at).collect::<Vec<_>>();
        let mut found = Vec::new();
        for number in &self.numbers {
            for at in starts(number) {
                // The country code or the zero in front belongs to it.
                let front =
                    ["0062", "62", "0"].iter().find(|front| joined[..at].ends_with(**front)).map_or(0, |f| f.len());
                let (Some(first), Some(last)) = (digits.get(at - front), digits.get(at + number.len() - 1)) else {
                    continue;
                };
                let plus = text[run.start..run.start + first.0].ends_with('+');
                found.push(run.start + first.0 - usize::from(plus)..run.start + last.0 + 1);
            }
        }
        found
    }
}

/// A text with what JSON and forms write by numbers in plain letters: `\u00e9`, `%C3%A9`. Other escapes stay: `\n` parts words, too.
fn unescaped(text: &str) -> String {
    let (mut bytes, mut left) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, after)) = left.split_first() {
        let hex = after.get(..2).filter(|two| *first == b'%' && two.iter().all(u8::is_ascii_hexdigit));
        let told = hex.and_then(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok());
        bytes.push(told.unwrap_or(*first));
        left = if told.is_some() { &after[2..] } else { after };
    }
    let of_form = String::from_utf8_lossy(&bytes);
    let (mut out, mut rest) = (String::with_capacity(of_form.len()), of_form.as_ref());
    while let Some(at) = rest.find("\\u") {
        // Letters beyond the first plane are two of them.
        let units: Vec<u16> = std::iter::successors(Some(&rest[at..]), |from| from.get(6..))
            .map_while(|from| u16::from_str_radix(from.strip_prefix("\\u")?.get(..4)?, 16).ok())
            .take(2)
            .collect();
        let first = char::decode_utf16(units.iter().copied()).next();
        let (letter, taken) = match first {
            Some(Ok(letter)) => (letter, 6 * letter.len_utf16()),
            Some(Err(_)) => (char::REPLACEMENT_CHARACTER, 6),
            None => ('\\', 1),
        };
        out.push_str(&rest[..at]);
        out.push(letter);
        rest = &rest[at + taken..];
    }
    out + rest
}

/// Where the words of a text stand: letters and digits that follow each other.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut signs = text.char_indices().peekable();
    std::iter::from_fn(move || {
        let (start, first) = signs.find(|(_, sign)| sign.is_alphanumeric())?;
        let mut end = start + first.len_utf8();
        while let Some((at, sign)) = signs.next_if(|(_, sign)| sign.is_alphanumeric()) {
            end = at + sign.len_utf8();
        }
        Some(start..end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customer::{Address, Nik, Phone};
    use crate::testing::sample;
    use crate::text::Name;
    use proptest::prelude::*;

    fn person(name: &str, address: &str) -> Person {
        let customer = Customer {
            name: Name::parse("name", name).unwrap(),
            address: Address::parse(address).unwrap(),
            phone: Some(Phone::parse("0812-3456-7890").unwrap()),
            nik: Some(Nik::parse("3201010101900001").unwrap()),
            ..sample::customer(1)
        };
        Person::of(&customer)
    }

    #[test]
    fn a_person_is_left_out_of_texts_however_it_is_written() {
        let budi = person("Budi bin Santoso", "Jl. Merdeka No. 1, Bandung");
        for (text, without) in [
            ("TRSF E-BANKING CR BUDI BIN SANTOSO", "TRSF E-BANKING CR …"),
            ("titip budi, lunas", "titip …, lunas"),
            ("SANTOSO/BUDI", "…/…"),
            ("wa +62 812-3456-7890 ya", "wa … ya"),
            ("0812.3456.7890", "…"),
            ("006281234567890", "…"),
            ("ktp 3201 0101 0190 0001 ada", "ktp … ada"),
            ("rumah jl merdeka no 1 bandung, pagar hijau", "rumah …, pagar hijau"),
            ("Rp081234567890000", "Rp…000"),
        ] {
            assert_eq!(budi.left_out_of(text).as_deref(), Some(without), "{text}");
        }
        for stays in ["bin alone", "INV-202601-000001", "Merdeka", "budiman", "", "…"] {
            assert_eq!(budi.left_out_of(stays), None, "{stays}");
        }
        for body in [&br#"{"from":"6281234567890"}"#[..], br#"{"virtualAccountName":"BUDI BIN SANTOSO"}"#] {
            assert!(budi.is_in(body));
        }
        // As other senders write it.
        for body in [
            r#"{"customer_name":"\u0042udi\u0020bin Santoso"}"#,
            r#"{"phone":"+62 812-3456-7890"}"#,
            r#"{"phone":"\u002b62\u00208123456\u002d7890"}"#,
            "nama=Budi+bin+Santoso&x=1",
            "nama=%42udi%20bin%20Santoso",
            "hp=0812%2D3456%2D7890",
        ] {
            assert!(budi.is_in(body.as_bytes()), "{body}");
        }
        let far = person("Dewi \u{1d538}\u{1d539} Sari", "Jl. 1");
        assert!(far.is_in(br#"{"name":"DEWI \ud835\udd38\ud835\udd39 sari"}"#));
        for broken in
            [r"\u", r"\u12", r"\uD835", r"\uzzzz Budi", "%", "%f", "%ff Budi", r"\ud835\ud835", "\\u00e\u{e9}"]
        {
            assert!(!budi.is_in(broken.as_bytes()) && !far.is_in(broken.as_bytes()), "{broken}");
        }
        let account = |code: &str| digits_of(&crate::text::Code::parse("code", code).unwrap()).unwrap();
        let of = |digits: &str| format!(r#"{{"customerNo":"{digits}","partnerServiceId":"   88899"}}"#);
        let own = account(sample::customer(1).code.as_str());
        assert!(budi.is_in(of(&own).as_bytes()), "a bank's call about the number");
        for other in [of(&account("P0777")), of(&format!("{own}0")), of(&format!("1{own}"))] {
            assert!(!budi.is_in(other.as_bytes()), "{other}");
        }
        for body in [&b"{}"[..], br#"{"name":"Budi Hartono"}"#, b"\xff\x00"] {
            assert!(!budi.is_in(body));
        }
        assert_eq!(format!("{budi:?}"), "Person(***)");
    }

    proptest! {
        #[test]
        fn nothing_of_the_person_is_left_and_the_rest_stays(before in "[a-zé ,.]{0,12}", after in "[a-zé ,.]{0,12}") {
            let budi = person("Wahyudi Çelik", "Jl. Merdeka 1");
            for own in ["WAHYUDI", "wahyudi çelik", "0812 3456 7890", "3201010101900001", "Jl. Merdeka 1"] {
                let text = format!("{before} {own} {after}");
                let without = budi.left_out_of(&text).unwrap();
                prop_assert!(without.contains('…'));
                prop_assert!(!without.to_lowercase().contains("wahyudi") && !without.contains("3456") && !without.contains("0101"));
                prop_assert!(without.starts_with(&before) && without.ends_with(&after));
            }
        }

        #[test]
        fn any_text_can_be_looked_at(text in ".{0,80}", name in "[^\\s]{1,8}( [^\\s]{1,8}){0,3}") {
            prop_assume!(Name::parse("name", &name).is_ok());
            let left = person(&name, &name).left_out_of(&text);
            prop_assert!(left.is_none_or(|left| left.contains('…')));
        }
    }
}
