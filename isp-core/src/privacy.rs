//! How a person is forgotten while the books stay (UU 27/2022 on personal data, articles 8, 16 (2) g and 43): what must be over
//! before, what takes the place of the data, and how the person is taken out of texts that stay.
//!
//! Invoices, payments and the journal stay: books and what they rest on are kept for ten years (UU KUP, article 28 (11)). They
//! name the customer by an ID and never by a name, so nothing of the person is left in them.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};

use crate::calendar::Zone;
use crate::customer::{Address, Customer};
use crate::device::{Cpe, Ownership};
use crate::error::Error;
use crate::ids::{CustomerId, RouterId};
use crate::isolation::{AccessEffect, AccessEvent, AccessFacts, ServiceAccess};
use crate::money::Money;
use crate::payment::virtual_account::digits_of;
use crate::secret::Secret;
use crate::subscription::{Account, Service, Subscription, SubscriptionStatus};
use crate::terms::account::{FormerAccount, moved};
use crate::text::{Name, RouterName};

/// What stands where a name or an address was: "erased" in Indonesian.
pub const ERASED: &str = "(dihapus)";

/// What is said of a message that was not sent, because the customer was forgotten.
pub const NOT_SENT: &str = "the customer's data was erased";

/// What stands in a text where something of the person was.
const LEFT_OUT: &str = "…";

/// That a customer's personal data was erased. The name, phone and so on by which it is found in texts are not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// Whose.
    pub customer_id: CustomerId,
    /// When.
    pub at: DateTime<Utc>,
    /// Who did it.
    pub by: String,
    /// Why, such as the letter in which it was asked for; without personal data.
    pub reason: String,
}

impl Erased {
    /// An erasure with who and why.
    ///
    /// # Errors
    /// [`Error::Empty`] without who or why.
    pub fn try_new(customer_id: CustomerId, at: DateTime<Utc>, by: &str, reason: &str) -> Result<Self, Error> {
        let said = |field, text: &str| match text.trim() {
            "" => Err(Error::Empty { field }),
            text => Ok(text.to_owned()),
        };
        Ok(Self { customer_id, at, by: said("by", by)?, reason: said("reason", reason)? })
    }
}

/// An erasure to be written: what is kept of it, and by what the person is found in what stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// What is kept of it.
    pub erased: Erased,
    /// By what the person is found.
    pub person: Person,
}

/// Why somebody's data is still needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Needed {
    /// So many lines have not ended.
    Lines(u64),
    /// This much is owed.
    Debt(Money),
    /// This much was paid ahead: pay it out first.
    Credit(Money),
    /// So many devices that are lent are still there.
    Devices(u64),
    /// This much of installation fees is still to be invoiced.
    Installation(Money),
    /// So many payment requests wait for money.
    Requests(u64),
    /// So many refunds are under way at payment gateways.
    Refunds(u64),
    /// So many proofs of transfer wait for review.
    Proofs(u64),
    /// So many messages are being sent at this moment.
    Messages(u64),
}

impl Needed {
    /// A stable word for it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Lines(_) => "lines",
            Self::Debt(_) => "debt",
            Self::Credit(_) => "credit",
            Self::Devices(_) => "devices",
            Self::Installation(_) => "installation",
            Self::Requests(_) => "requests",
            Self::Refunds(_) => "refunds",
            Self::Proofs(_) => "proofs",
            Self::Messages(_) => "messages",
        }
    }
}

/// What stands between a customer and being forgotten.
#[derive(Debug, Clone, Default)]
pub struct ErasureFacts<'a> {
    /// The customer's lines, each with its zone.
    pub lines: &'a [(Subscription, Zone)],
    /// The residual of all open invoices.
    pub owed: Money,
    /// What was paid ahead.
    pub credit: Money,
    /// The customer's devices.
    pub devices: &'a [Cpe],
    /// Installation fees that are not invoiced yet.
    pub not_invoiced: Money,
    /// Payment requests that wait for money, here and at gateways.
    pub requests: u64,
    /// Refunds that gateways were asked for and whose end is not certain.
    pub refunds: u64,
    /// Proofs of transfer that wait for review.
    pub proofs: u64,
    /// Messages that a worker has taken to send them.
    pub messages: u64,
}

/// All that must be over before the data may go; nothing when it may. Messages that wait are not among it: they are not sent.
#[must_use]
pub fn needed(facts: &ErasureFacts<'_>, now: DateTime<Utc>) -> Vec<Needed> {
    let serves = |(line, zone): &&(Subscription, Zone)| {
        line.terms.status_on(zone.date_of(now)) != SubscriptionStatus::Terminated
    };
    let lines = facts.lines.iter().filter(serves).count() as u64;
    let lent = facts.devices.iter().filter(|d| d.installed && d.ownership == Ownership::Lent).count() as u64;
    let counts = [
        (lines, Needed::Lines as fn(u64) -> Needed),
        (lent, Needed::Devices),
        (facts.requests, Needed::Requests),
        (facts.refunds, Needed::Refunds),
        (facts.proofs, Needed::Proofs),
        (facts.messages, Needed::Messages),
    ];
    let amounts = [
        (facts.owed, Needed::Debt as fn(Money) -> Needed),
        (facts.credit, Needed::Credit),
        (facts.not_invoiced, Needed::Installation),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, of)| of(count));
    counts.chain(amounts.into_iter().filter(|(sum, _)| sum.is_positive()).map(|(sum, of)| of(sum))).collect()
}

/// The customer without the person. The ID stays, by which invoices and payments name the customer.
///
/// # Errors
/// None: [`ERASED`] is a name and an address.
pub fn without_person(customer: &Customer) -> Result<Customer, Error> {
    Ok(Customer {
        id: customer.id,
        code: customer.code.clone(),
        name: Name::parse("name", ERASED)?,
        nik: None,
        address: Address::parse(ERASED)?,
        phone: None,
        language: customer.language,
        invoicing: customer.invoicing,
        coordinates: None,
    })
}

/// An ended line without what it was known by. A fixed address is the provider's own and stays.
///
/// # Errors
/// None: what takes the place of a name is one.
pub fn line_without_person(line: &Subscription) -> Result<Subscription, Error> {
    if line.account.service == Service::Static {
        return Ok(line.clone());
    }
    let account = Account {
        username: RouterName::parse("username", &format!("dihapus-{}", line.id.0.simple()))?,
        password: Secret::new(String::new()),
        service: line.account.service,
        address: None,
    };
    Ok(Subscription { account, ..line.clone() })
}

/// An ended line without what it was known by, and what its routers have to do about it. All of it goes into one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForgottenLine {
    /// The line as it is then, see [`line_without_person`].
    pub subscription: Subscription,
    /// The accounts that routers have to remove. Each is kept until its router said that it is gone.
    pub accounts: Vec<FormerAccount>,
    /// Access with its new revision, and what happened; `None` where no router has anything to do.
    pub step: Option<(ServiceAccess, AccessEvent)>,
    /// The wishes to these routers.
    pub effects: Vec<AccessEffect>,
}

/// Takes what an ended line was known by from it, and from the routers that it is or was on. `left` are the accounts that it has left
/// before, closed or not; `called` tells whether a router is still called at all, which an archived one is not.
///
/// # Errors
/// Those of [`line_without_person`].
pub fn forget_line(
    facts: &AccessFacts,
    line: &Subscription,
    left: &[FormerAccount],
    called: impl Fn(RouterId) -> bool,
    by: &str,
    now: DateTime<Utc>,
) -> Result<ForgottenLine, Error> {
    let mut here = AccessFacts { router_id: line.router_id.filter(|router| called(*router)), ..facts.clone() };
    let called_line = Subscription { router_id: here.router_id, ..line.clone() };
    let mut accounts: Vec<FormerAccount> =
        left.iter().filter(|a| a.service != Service::Static && called(a.router_id)).cloned().collect();
    let others: BTreeSet<RouterId> =
        accounts.iter().map(|a| a.router_id).filter(|r| Some(*r) != here.router_id).collect();
    let mut effects = Vec::new();
    for router_id in others {
        // A wish is told apart by its revision.
        here.access.revision += 1;
        let revision = here.access.revision;
        effects.push(AccessEffect { subscription_id: line.id, router_id, revision, not_before: now });
    }
    let step = moved(&here, &called_line, line_without_person(&called_line)?, by, now);
    accounts.extend(step.former);
    effects.extend(step.effects);
    let forgotten = step.subscription;
    let step = (!accounts.is_empty()).then_some((step.access, step.event));
    if step.is_none() {
        effects.clear();
    }
    let subscription = Subscription { router_id: line.router_id, ..forgotten };
    Ok(ForgottenLine { subscription, accounts, step, effects })
}

/// A device without how it was reached at the customer's place.
#[must_use]
pub fn device_without_person(device: &Cpe) -> Cpe {
    Cpe { ip: None, username: None, password: None, ..device.clone() }
}

/// Until when the people concerned and the authority are to be told of personal data that was lost or seen by others: 3 x 24
/// hours after it became known (UU 27/2022, article 46).
#[must_use]
pub fn notice_until(known: DateTime<Utc>) -> DateTime<Utc> {
    known + TimeDelta::hours(3 * 24)
}

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
    use crate::calendar::Date;
    use crate::customer::{Nik, Phone};
    use crate::isolation::Access;
    use crate::protection::Protections;
    use crate::testing::sample;
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

    #[test]
    fn data_is_needed_as_long_as_anything_is_not_over() {
        let day = |text: &str| Date::parse(text).unwrap();
        let now = day("2026-03-01").at(12, 0, Zone::Wib);
        let router = sample::router(1, sample::site(1).id);
        let served = sample::subscription(1, sample::customer(1).id, &router, sample::package(1).id);
        let line = Subscription { router_id: None, ..served };
        let serving = [(line.clone(), Zone::Wib)];
        assert_eq!(needed(&ErasureFacts { lines: &serving, ..ErasureFacts::default() }, now), [Needed::Lines(1)]);
        let mut ended = line.clone();
        ended.terms.end = Some(day("2026-03-01"));
        let over = [(ended.clone(), Zone::Wib)];
        assert_eq!(needed(&ErasureFacts { lines: &over, ..ErasureFacts::default() }, now), []);
        ended.router_id = Some(router.id);
        assert!(line_without_person(&ended).unwrap().account.username.as_str().starts_with("dihapus-"));
        let fixed = Account::fixed("10.20.0.7".parse().unwrap()).unwrap();
        let fixed = Subscription { account: fixed, ..ended };
        assert_eq!(line_without_person(&fixed).unwrap(), fixed, "the address is the provider's");

        let facts = ErasureFacts {
            owed: Money::rupiah(1),
            credit: Money::rupiah(2),
            not_invoiced: Money::rupiah(3),
            requests: 2,
            proofs: 3,
            messages: 4,
            ..ErasureFacts::default()
        };
        let codes: Vec<&str> = needed(&facts, now).into_iter().map(Needed::code).collect();
        assert_eq!(codes, ["requests", "proofs", "messages", "debt", "credit", "installation"]);
    }

    #[test]
    fn each_router_that_is_called_has_to_remove_what_it_knows_of_the_line() {
        let now = Date::parse("2026-03-01").unwrap().at(12, 0, Zone::Wib);
        let site = sample::site(1).id;
        let [here, there, gone] = [1, 2, 3].map(|n| sample::router(n, site));
        let line = sample::subscription(1, sample::customer(1).id, &here, sample::package(1).id);
        let facts = AccessFacts {
            subscription_id: line.id,
            customer_id: line.customer_id,
            site_id: site,
            router_id: line.router_id,
            zone: Zone::Wib,
            terms: line.terms,
            access: ServiceAccess { revision: 7, ..ServiceAccess::new(line.id, Access::Closed) },
            open: Vec::new(),
            protections: Protections::default(),
        };
        let former = |router: &crate::place::Router, name: &str, service| FormerAccount {
            subscription_id: line.id,
            router_id: router.id,
            username: RouterName::parse("username", name).unwrap(),
            service,
            address: None,
            left_at: now,
        };
        let left = [
            former(&there, "lama", Service::Pppoe),
            former(&gone, "lama", Service::Pppoe),
            former(&there, "10.0.0.1", Service::Static),
        ];
        let called = |id| id != gone.id;
        let forgotten = forget_line(&facts, &line, &left, called, "Sari", now).unwrap();
        assert_eq!(forgotten.subscription, line_without_person(&line).unwrap());
        let names: Vec<_> = forgotten.accounts.iter().map(|a| (a.router_id, a.username.as_str())).collect();
        assert_eq!(names, [(there.id, "lama"), (here.id, line.account.username.as_str())]);
        let wishes: Vec<_> = forgotten.effects.iter().map(|e| (e.router_id, e.revision)).collect();
        assert_eq!(wishes, [(there.id, 8), (here.id, 9)]);
        let (access, event) = forgotten.step.unwrap();
        assert_eq!((access.revision, event.revision, event.by.as_str()), (9, 9, "Sari"));

        // Nobody calls the router that is archived: nothing is asked of it, and the line still says where it was.
        let archived = forget_line(&facts, &line, &[], |id| id != here.id, "Sari", now).unwrap();
        assert_eq!(archived.subscription, line_without_person(&line).unwrap());
        assert_eq!((archived.accounts, archived.step, archived.effects), (Vec::new(), None, Vec::new()));
    }

    #[test]
    fn what_takes_the_place_of_the_data_holds_nothing_of_it() {
        let customer = Customer { nik: Some(Nik::parse("3201010101900001").unwrap()), ..sample::customer(1) };
        let without = without_person(&customer).unwrap();
        assert_eq!((without.id, &without.code), (customer.id, &customer.code));
        assert_eq!((without.name.as_str(), without.address.as_str()), (ERASED, ERASED));
        assert!(without.nik.is_none() && without.phone.is_none() && without.coordinates.is_none());
        assert_eq!(Person::of(&without).numbers, Vec::<String>::new());
    }
}
