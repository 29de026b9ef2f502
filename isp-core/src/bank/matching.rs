//! Whose a mutation is: by the amount of a payment request, then by what the bank wrote, then by a person.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::agree::Payees;
use super::payers::{Cut, Payer, Payers};
use super::storno::says_storno;
use super::words::{is_numbered, names_phone, payer_words, runs, words};
use super::written::{Named, Written};
use super::{Incoming, PayerAlias};
use crate::calendar::{Date, Zone};
use crate::error::Error;
use crate::ids::{CustomerId, PaymentId};
use crate::money::Money;
use crate::payment::{AskedAmount, Transfer};

/// By what a customer is known, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clue {
    /// The amount is that of a payment request.
    Request,
    /// The customer's ID stands in the text.
    Code,
    /// The words, two or more, are those of a mutation that a person matched. As with a name, the amount has to be owed.
    Alias,
    /// The customer's phone number stands in the text.
    Phone,
    /// The customer's whole name stands in the text, or the one word of a mutation that a person matched.
    Name,
    /// The customer owes just this amount. It is told where another one was asked for it, and books nothing.
    Owed,
}

impl Clue {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Request, Self::Code, Self::Alias, Self::Phone, Self::Name, Self::Owed];

    /// True when it may be words that were learnt from what a person matched: several are an alias, one counts as a name.
    #[must_use]
    pub const fn may_be_learnt(self) -> bool {
        matches!(self, Self::Alias | Self::Name)
    }

    /// `request`, `code`, `alias`, `phone`, `name` or `owed`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Code => "code",
            Self::Alias => "alias",
            Self::Phone => "phone",
            Self::Name => "name",
            Self::Owed => "owed",
        }
    }

    /// Reads its code.
    ///
    /// # Errors
    /// [`Error::NotOneOf`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let unknown = Error::NotOneOf { field: "clue", expected: "request, code, alias, phone, name, owed" };
        Self::ALL.into_iter().find(|c| c.code() == text).ok_or(unknown)
    }
}

/// Why a sum of money is a matter for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// Nobody is known by it.
    Nobody,
    /// It may be several customers'.
    Several,
    /// It has the amount of one customer's request, and its text, or whoever told of it, names somebody else.
    NamesAnother,
    /// It has the amount of one customer's request, and another customer owes just as much.
    AnotherOwes,
    /// It looks like a payment that is booked already.
    Booked,
    /// The request of this amount has been paid.
    Paid,
    /// A name or learnt words alone, and not an amount that this customer owes.
    OtherAmount,
    /// What may be a customer's ID may stand there by chance.
    Unclear,
    /// Its customer's data was erased, or all lines ended long ago, and nothing is owed ([`is_gone`]).
    Gone,
    /// It may be the row of another mutation, which the bank wrote anew with another balance, text or amount.
    Corrected,
    /// Its text says that the bank gives money back ([`says_storno`]): what the provider had sent to a customer comes back, and is no payment.
    ComesBack,
}

impl Doubt {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Nobody,
        Self::Several,
        Self::NamesAnother,
        Self::AnotherOwes,
        Self::Booked,
        Self::Paid,
        Self::OtherAmount,
        Self::Unclear,
        Self::Gone,
        Self::Corrected,
        Self::ComesBack,
    ];

    /// `nobody`, `several`, `names_another`, `another_owes`, `looks_booked`, `request_paid`, `other_amount`, `not_sure`,
    /// `customer_gone`, `written_anew` or `comes_back`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Several => "several",
            Self::NamesAnother => "names_another",
            Self::AnotherOwes => "another_owes",
            Self::Booked => "looks_booked",
            Self::Paid => "request_paid",
            Self::OtherAmount => "other_amount",
            Self::Unclear => "not_sure",
            Self::Gone => "customer_gone",
            Self::Corrected => "written_anew",
            Self::ComesBack => "comes_back",
        }
    }
}

/// Somebody whose a mutation may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub customer_id: CustomerId,
    /// By what.
    pub clue: Clue,
    /// The payment request whose amount it is.
    pub request: Option<AskedAmount>,
    /// By what else than the amount the customer is known, where it is a request's.
    pub also: Option<Clue>,
    /// False where what stands in the text may be no ID at all.
    pub sure: bool,
}

/// What becomes of a sum of money without asking a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is this customer's payment.
    Pays(Candidate),
    /// It is a payment of this customer that is booked already: nothing is booked again.
    Is(Candidate, PaymentId),
    /// A person says whose it is. `Some` is the payment that it looks like.
    Asks(Doubt, Option<PaymentId>),
}

/// Days after the end of the last line from which money for a customer who owes nothing is asked about: two months.
const GONE_AFTER: i32 = 62;

/// Whether money that names a customer is a matter for a person, because nobody expects it: the customer's data was erased; or all
/// lines ended long before the day of the money, and nothing is owed. `ends` are the ends of all lines; without a line nothing has ended.
///
/// ```
/// use isp_core::{bank::is_gone, calendar::Date};
/// let (on, day) = (Date::parse("2026-06-01").unwrap(), |text| Some(Date::parse(text).unwrap()));
/// assert!(is_gone(false, &[day("2026-01-01"), day("2025-01-01")], false, on));
/// assert!(!is_gone(false, &[day("2026-01-01")], true, on), "who owes may pay");
/// assert!(!is_gone(false, &[day("2026-05-01")], false, on), "it has just ended");
/// assert!(!is_gone(false, &[day("2026-01-01"), None], false, on), "a line goes on");
/// assert!(!is_gone(false, &[], false, on) && is_gone(true, &[day("2026-05-31")], false, on));
/// ```
#[must_use]
pub fn is_gone(erased: bool, ends: &[Option<Date>], owes: bool, on: Date) -> bool {
    let long_ago = |end: &Option<Date>| end.is_some_and(|end| on.days_since(end) > GONE_AFTER);
    erased || (!owes && !ends.is_empty() && ends.iter().all(long_ago))
}

/// The customers whom a text names, whatever the amount.
#[must_use]
pub fn payees(text: &str, payers: &Payers, aliases: &[PayerAlias]) -> Payees {
    let money = Incoming { amount: Money::ZERO, on: Date::MIN, text, said: None, owed_by: &[] };
    let mut payees = Payees::default();
    for found in candidates(&money, &[], payers, &[]) {
        match found.clue {
            Clue::Code | Clue::Phone => payees.by_id.insert(found.customer_id),
            _ => payees.by_name.insert(found.customer_id),
        };
    }
    payees.by_words = learnt(text, payers, aliases).iter().map(|alias| alias.customer_id).collect();
    payees
}

/// Everybody whose a mutation may be, the surest clue first; each customer once.
#[must_use]
pub fn candidates(
    money: &Incoming<'_>,
    requests: &[AskedAmount],
    payers: &Payers,
    aliases: &[PayerAlias],
) -> Vec<Candidate> {
    let (from, until) = (money.on.midnight(Zone::Wib), money.on.plus_days(1).midnight(Zone::Wib));
    // Of several requests of one customer over one amount, the newest that stands is the one that is paid.
    let mut asked: Vec<_> = requests.iter().filter(|r| r.fits(money.amount, from, until)).collect();
    asked.sort_by_key(|r| (r.paid, r.cancelled, Reverse(r.made_at)));
    let mut found: Vec<Candidate> = Vec::new();
    let mut add = |customer_id, clue, request, sure| match found.iter_mut().find(|c| c.customer_id == customer_id) {
        Some(known) if known.clue == Clue::Request && clue != Clue::Request => {
            known.also = known.also.or(Some(clue));
        }
        Some(_) => {}
        None => found.push(Candidate { customer_id, clue, request, also: None, sure }),
    };
    for request in asked {
        add(request.customer_id, Clue::Request, Some(*request), true);
    }
    for (customer_id, named) in coded(money, payers) {
        add(customer_id, Clue::Code, None, named == Named::Surely);
    }
    let said = words(money.text);
    let named = payers.with_name(&said);
    // "Budi Santoso" stands in "Budi Santoso Wijaya", too; the longer name is meant.
    let longest: Vec<&Payer> = named
        .iter()
        .filter(|p| !named.iter().any(|other| other.name.len() > p.name.len() && runs(&other.name, &p.name)))
        .copied()
        .collect();
    // A text that holds the whole name of a customer is not that of another one from whom its words were learnt.
    let (own, others): (Vec<&PayerAlias>, Vec<&PayerAlias>) = learnt(money.text, payers, aliases)
        .into_iter()
        .partition(|a| longest.is_empty() || longest.iter().any(|p| p.customer_id == a.customer_id));
    // One word names too many: it counts as a name.
    let (one, several): (Vec<&PayerAlias>, Vec<&PayerAlias>) = own.into_iter().partition(|a| !a.words.contains(' '));
    for alias in several {
        add(alias.customer_id, Clue::Alias, None, true);
    }
    for payer in payers.with_phone(&said).into_iter().filter(|p| names_phone(&said, p.phone.as_ref())) {
        add(payer.customer_id, Clue::Phone, None, true);
    }
    // The bank may have cut off a longer name that begins as this one.
    let cut_off = longest.iter().flat_map(|p| payers.beginning_as(&p.name)).filter(|p| match p.may_be_cut_in(&said) {
        Cut::Off => true,
        Cut::Perhaps => money.owed_by.contains(&p.customer_id),
        Cut::No => false,
    });
    let cut_off: Vec<CustomerId> = cut_off.map(|p| p.customer_id).collect();
    for customer_id in longest.iter().map(|p| p.customer_id).chain(cut_off).chain(one.iter().map(|a| a.customer_id)) {
        add(customer_id, Clue::Name, None, true);
    }
    for alias in others {
        add(alias.customer_id, Clue::Alias, None, true);
    }
    if found.first().is_some_and(|first| first.clue == Clue::Request) {
        for customer_id in money.owed_by {
            if !found.iter().any(|c| c.customer_id == *customer_id) {
                let (customer_id, clue) = (*customer_id, Clue::Owed);
                found.push(Candidate { customer_id, clue, request: None, also: None, sure: true });
            }
        }
    }
    found
}

/// The words of which a text consists that were learnt. Those that everybody's transfers have count no more, even where they were learnt:
/// what banks and apps write, and the letters of IDs. Neither does one word with a short number behind it, which may say what is numbered.
fn learnt<'a>(text: &str, payers: &Payers, aliases: &'a [PayerAlias]) -> Vec<&'a PayerAlias> {
    let own = |text: &str| payers.without_fronts(&payer_words(text));
    let names = |part: &&str, words: &String| !words.is_empty() && (words.contains(' ') || !is_numbered(part, words));
    let parts = text.split(Incoming::SEPARATOR).map(|part| (part, own(part)));
    let payer: BTreeSet<String> = parts.filter(|(part, words)| names(part, words)).map(|(_, words)| words).collect();
    match payer.is_empty() {
        true => Vec::new(),
        false => aliases.iter().filter(|alias| payer.contains(&own(&alias.words))).collect(),
    }
}

/// Whose IDs stand in the text of money. What is only perhaps an ID and lies within another's sure one is no ID: `LG0001` in `PLG0001`.
fn coded(money: &Incoming<'_>, payers: &Payers) -> Vec<(CustomerId, Named)> {
    let written = Written::new(money.text).told_on(money.on);
    let mut found: Vec<_> = payers
        .with_code(&written)
        .into_iter()
        .filter_map(|p| written.names(&p.code).map(|(n, from, to)| (p.customer_id, n, from, to)))
        .collect();
    let sure: Vec<_> = found.iter().filter(|one| one.1 == Named::Surely).map(|one| (one.2, one.3)).collect();
    found.retain(|one| one.1 == Named::Surely || !sure.iter().any(|(from, to)| *from <= one.2 && one.3 <= *to));
    found.sort_by_key(|one| Reverse(one.1));
    found.into_iter().map(|(customer_id, named, ..)| (customer_id, named)).collect()
}

/// What becomes of a sum of money without asking a person. `transfers` are the payments of the first candidate that no bank has
/// told of yet.
///
/// The surest kind of clue counts, when it names one customer and nothing contradicts it. The amount of a request is contradicted
/// by another customer's ID in the text, by any other name in it than the customer's own, by a payer whom the bank or a person
/// names, and by another customer who owes just as much: nobody's money is ever booked to somebody else. Money that was booked
/// before its bank told of it is not booked again. A name alone, or learnt words, are enough only with an amount that this customer
/// owes, because others bear the same name, or pay through the same firm.
#[must_use]
pub fn decide(candidates: &[Candidate], money: &Incoming<'_>, transfers: &[Transfer]) -> Verdict {
    let asks = |doubt| Verdict::Asks(doubt, None);
    let Some(first) = candidates.first().filter(|_| money.amount.is_positive()) else { return asks(Doubt::Nobody) };
    if says_storno(money.text) {
        return asks(Doubt::ComesBack);
    }
    if first.clue != Clue::Request && !first.sure {
        return asks(Doubt::Unclear);
    }
    if candidates.iter().filter(|c| c.clue == first.clue).nth(1).is_some() {
        return asks(Doubt::Several);
    }
    if money.said.is_some_and(|said| said != [first.customer_id]) {
        return asks(Doubt::NamesAnother);
    }
    let Some(request) = first.request else {
        let owes = money.owed_by.contains(&first.customer_id);
        let called = |clue| matches!(clue, Clue::Alias | Clue::Name);
        return match first.clue {
            Clue::Alias if candidates.iter().skip(1).any(|c| called(c.clue) || c.clue == Clue::Phone) => {
                asks(Doubt::Several)
            }
            clue if called(clue) && !owes => asks(Doubt::OtherAmount),
            _ => Verdict::Pays(*first),
        };
    };
    for other in candidates.iter().skip(1) {
        match other.clue {
            Clue::Request => {}
            Clue::Owed => return asks(Doubt::AnotherOwes),
            Clue::Code => return asks(Doubt::NamesAnother),
            // Two of one name, or of one number: the amount says which.
            clue if first.also.is_none_or(|own| own > clue) => return asks(Doubt::NamesAnother),
            _ => {}
        }
    }
    match request.booked_as(money.amount, money.on, transfers) {
        Some((payment, true)) => Verdict::Is(*first, payment),
        Some((payment, false)) => Verdict::Asks(Doubt::Booked, Some(payment)),
        None if request.paid => asks(Doubt::Paid),
        None => Verdict::Pays(*first),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use uuid::Uuid;

    use super::*;
    use crate::calendar::Date;
    use crate::customer::Phone;
    use crate::ids::{MutationId, PaymentRequestId};
    use crate::money::Money;
    use crate::payment::{PaymentRequest, RequestPolicy};
    use crate::text::{Code, Name};

    fn who(n: u128) -> CustomerId {
        CustomerId(Uuid::from_u128(n))
    }

    fn payer(n: u128, code: &str, name: &str, phone: &str) -> Payer {
        let (code, name) = (Code::parse("code", code).unwrap(), Name::parse("name", name).unwrap());
        Payer::new(who(n), &code, Some(&name), Phone::parse(phone).ok())
    }

    fn people() -> Payers {
        let all = [
            payer(1, "PLG-0001", "Budi Santoso", "081200000001"),
            payer(2, "PLG-0002", "Budi Santoso Wijaya", "081200000002"),
            payer(3, "P3", "Siti", ""),
            payer(4, "77", "Eko Prasetyo", "081200000002"),
            payer(5, "EKO", "Dewi Lestari", ""),
            payer(6, "PLG-0006", "Dewi Lestari", ""),
            payer(7, "150126", "Rudi", ""),
        ];
        all.into_iter().collect()
    }

    fn came(amount: i64, text: &str) -> Incoming<'_> {
        let on = Date::parse("2026-01-15").unwrap();
        Incoming { amount: Money::rupiah(amount), on, text, said: None, owed_by: &[] }
    }

    fn request(n: u128, debt: i64, at: DateTime<Utc>) -> PaymentRequest {
        let id = PaymentRequestId(Uuid::from_u128(n));
        PaymentRequest::try_new(id, who(n), None, Money::rupiah(debt), &[], RequestPolicy::default(), at).unwrap()
    }

    /// Who is found, and who is chosen when customer 1 owes Rp183.150 and everybody else Rp100.000.
    fn found(amount: i64, text: &str, requests: &[PaymentRequest]) -> (Vec<(u128, Clue)>, Option<u128>) {
        let asked: Vec<_> = requests.iter().map(PaymentRequest::asked).collect();
        let owed_by: Vec<_> = (1..=6).filter(|n| amount == if *n == 1 { 183_150 } else { 100_000 }).map(who).collect();
        let money = Incoming { owed_by: &owed_by, ..came(amount, text) };
        let all = candidates(&money, &asked, &people(), &[]);
        let chosen = match decide(&all, &money, &[]) {
            Verdict::Pays(one) => Some(one.customer_id.0.as_u128()),
            Verdict::Is(..) | Verdict::Asks(..) => None,
        };
        (all.iter().map(|c| (c.customer_id.0.as_u128(), c.clue)).collect(), chosen)
    }

    #[test]
    fn what_stands_in_the_text_names_its_customer() {
        for (amount, text, expected, chosen) in [
            (183_150, "TRSF E-BANKING CR PLG-0001 BUDI", vec![(1, Clue::Code)], Some(1)),
            (50_000, "trf plg0001 jan", vec![(1, Clue::Code)], Some(1)),
            (50_000, "PLG-00012 lain", vec![], None),
            // A word as any: it may be the ID, and a person says so.
            (50_000, "WIFI P3", vec![(3, Clue::Code)], None),
            (50_000, "no 77 eko", vec![], None),
            (50_000, "BAYAR 081200000001", vec![(1, Clue::Phone)], Some(1)),
            (50_000, "BAYAR +6281200000001", vec![(1, Clue::Phone)], Some(1)),
            (50_000, "0812-0000-0001 bayar", vec![(1, Clue::Phone)], Some(1)),
            // Two share a number.
            (50_000, "081200000002", vec![(2, Clue::Phone), (4, Clue::Phone)], None),
            // An ID that is the day of the money, and one of which the text says that it is an ID.
            (50_000, "TRSF CR 150126", vec![(7, Clue::Code)], None),
            (50_000, "ID 150126", vec![(7, Clue::Code)], Some(7)),
            // Two IDs.
            (50_000, "PLG-0001 PLG-0002", vec![(1, Clue::Code), (2, Clue::Code)], None),
            // A name with what its customer owes, and with another amount.
            (183_150, "TRSF BUDI SANTOSO", vec![(1, Clue::Name)], Some(1)),
            (183_000, "TRSF BUDI SANTOSO", vec![(1, Clue::Name)], None),
            (100_000, "TRSF BUDI SANTOSO WIJAYA", vec![(2, Clue::Name)], Some(2)),
            // Two bear one name, one word is no name.
            (100_000, "DEWI LESTARI", vec![(5, Clue::Name), (6, Clue::Name)], None),
            (100_000, "SITI", vec![], None),
            // What was sent to a customer comes back.
            (50_000, "RETUR LLG PLG-0001", vec![(1, Clue::Code)], None),
            (183_150, "KOREKSI BUDI SANTOSO", vec![(1, Clue::Name)], None),
            // Money out is nobody's payment.
            (-183_150, "BIAYA PLG-0001", vec![(1, Clue::Code)], None),
        ] {
            assert_eq!(found(amount, text, &[]), (expected, chosen), "{text}");
        }
    }

    #[test]
    fn the_exact_amount_of_a_request_names_its_customer_while_it_is_kept() {
        let day = Date::parse("2026-01-15").unwrap().midnight(Zone::Wib);
        let asked = |hours| vec![request(1, 183_150, day + TimeDelta::hours(hours))];
        assert_eq!(found(183_151, "QRIS", &asked(23)), (vec![(1, Clue::Request)], Some(1)));
        // Late, and much too late; before it was made.
        assert_eq!(found(183_151, "QRIS", &asked(-95)).1, Some(1));
        assert_eq!(found(183_151, "QRIS", &asked(-96)).1, None);
        assert_eq!(found(183_151, "QRIS", &asked(24)).1, None);
        // Never by a rounded amount.
        for amount in [183_150, 183_152, 183_000, 184_000] {
            assert_eq!(found(amount, "QRIS", &asked(23)).1, None, "{amount}");
        }
        // Another customer's ID in the text contradicts.
        let (all, chosen) = found(183_151, "QRIS PLG-0002", &asked(23));
        assert_eq!((all.len(), chosen), (2, None));
        assert_eq!(found(183_151, "QRIS PLG-0001", &asked(23)).1, Some(1));
    }

    #[test]
    fn words_that_a_person_matched_name_their_customer_unless_two_were_chosen() {
        let alias = |n, words: &str| PayerAlias {
            mutation_id: MutationId(Uuid::from_u128(n)),
            words: words.to_owned(),
            customer_id: who(n),
        };
        let with = |text: &str, owed: i64, aliases: &[PayerAlias]| {
            let owed_by = [who(3)];
            let owed_by = if owed == 100_000 { &owed_by[..] } else { &[] };
            let money = Incoming { owed_by, ..came(100_000, text) };
            match decide(&candidates(&money, &[], &people(), aliases), &money, &[]) {
                Verdict::Pays(one) => Some((one.customer_id, one.clue)),
                Verdict::Is(..) | Verdict::Asks(..) => None,
            }
        };
        let text = "TRSF E-BANKING CR 1501/FTSCY 100000.00 SUPARMAN JAYA";
        assert_eq!(with(text, 100_000, &[alias(3, "suparman jaya")]), Some((who(3), Clue::Alias)));
        assert_eq!(with(text, 100_000, &[alias(3, "suparman jaya"), alias(5, "suparman jaya")]), None);
        assert_eq!(with(text, 100_000, &[alias(3, "suparman")]), None);
        assert_eq!(with(text, 100_000, &[alias(3, "")]), None);
        // Who pays may pay for others, too, and through a firm that pays for everybody: the amount has to be owed.
        assert_eq!(with(text, 99_000, &[alias(3, "suparman jaya")]), None);
        // Words that stand in everybody's transfers, learnt by a program that did not know them.
        for everybody in
            ["MCM INHOUSETRF CS-CS DARI", "FLIPTECH LENTERA IP", "DANA MASUK DARI BANK LAIN", "IURAN WIFI RT"]
        {
            let learnt = words(everybody).into_iter().filter(|word| word.len() > 1).collect::<Vec<_>>().join(" ");
            assert_eq!(with(everybody, 100_000, &[alias(3, &learnt)]), None, "{everybody}");
        }
        // The letters of IDs, and what is numbered.
        for (numbered, learnt) in [
            ("TRF PLG-33", "plg"),
            ("RUMAH NO 12", "rumah"),
            ("TRANSFER BULANAN 2", "bulanan"),
            ("TRF PELANGGAN INTERNET", "pelanggan"),
            ("KIOS NO 3", "kios"),
            ("WARUNG-4 PINDAHBUKU", "warung"),
        ] {
            assert_eq!(with(numbered, 100_000, &[alias(3, learnt)]), None, "{numbered}");
        }
        assert_eq!(with("TRF SUPARMAN 081299990001", 100_000, &[alias(3, "suparman")]), Some((who(3), Clue::Name)));
        let text = "TRF SUPARMAN";
        assert_eq!(with(text, 100_000, &[alias(3, "suparman")]), Some((who(3), Clue::Name)));
        assert_eq!(with(text, 99_000, &[alias(3, "suparman")]), None);
    }

    /// A person matched a transfer of Eko Prasetyo to customer 3: what Eko pays later for himself is his own.
    #[test]
    fn learnt_words_do_not_take_the_money_of_a_customer_of_that_name() {
        let learnt = |customer| {
            let words = "eko prasetyo".to_owned();
            [PayerAlias { mutation_id: MutationId(Uuid::from_u128(1)), words, customer_id: who(customer) }]
        };
        let with = |owed_by: &[CustomerId], aliases: &[PayerAlias]| {
            let money = Incoming { owed_by, ..came(100_000, "TRSF EKO PRASETYO") };
            decide(&candidates(&money, &[], &people(), aliases), &money, &[])
        };
        let pays = |verdict| match verdict {
            Verdict::Pays(one) => Some((one.customer_id, one.clue)),
            Verdict::Is(..) | Verdict::Asks(..) => None,
        };
        assert_eq!(pays(with(&[who(3), who(4)], &learnt(3))), Some((who(4), Clue::Name)));
        assert_eq!(pays(with(&[who(3)], &learnt(3))), None, "he owes another amount, and it is not his name's");
        // Of two of one name neither is meant surely, whichever was meant before.
        let text = "TRSF DEWI LESTARI";
        let one = PayerAlias { words: "dewi lestari".to_owned(), ..learnt(5)[0].clone() };
        let owed_by = [who(5), who(6)];
        let money = Incoming { owed_by: &owed_by, ..came(100_000, text) };
        let verdict = decide(&candidates(&money, &[], &people(), &[one]), &money, &[]);
        assert_eq!(verdict, Verdict::Asks(Doubt::Several, None));
    }

    /// Banks cut names off: what is left may be the whole name of another customer.
    #[test]
    fn a_name_may_be_the_beginning_of_a_longer_one() {
        let with = |text: &'static str, owed_by: &[u128]| {
            let owed_by: Vec<CustomerId> = owed_by.iter().copied().map(who).collect();
            let money = Incoming { owed_by: &owed_by, ..came(100_000, text) };
            match decide(&candidates(&money, &[], &people(), &[]), &money, &[]) {
                Verdict::Pays(one) => Ok(one.customer_id.0.as_u128()),
                Verdict::Asks(doubt, _) => Err(doubt),
                Verdict::Is(..) => panic!("nothing is booked"),
            }
        };
        // 1 is Budi Santoso, 2 is Budi Santoso Wijaya.
        assert_eq!(with("TRSF BUDI SANTOSO WIJ", &[1]), Err(Doubt::Several), "the third word is begun");
        assert_eq!(with("TRSF BUDI SANTOSO", &[1, 2]), Err(Doubt::Several), "both owe it");
        assert_eq!(with("TRSF BUDI SANTOSO", &[1]), Ok(1), "only one owes it");
        assert_eq!(with("TRSF BUDI SANTOSO HADI", &[1, 2]), Ok(1), "it goes on in another way");
        assert_eq!(with("TRSF BUDI SANTOSO WIJAYA", &[1, 2]), Ok(2));
    }

    /// What becomes of money of Rp183.151 for which customer 1 was asked, when the text, others' debts or a payer say more.
    fn asked(text: &str, said: Option<&[CustomerId]>, owed_by: &[CustomerId], transfers: &[Transfer]) -> Verdict {
        let day = Date::parse("2026-01-15").unwrap().midnight(Zone::Wib);
        let money = Incoming { said, owed_by, ..came(183_151, text) };
        let all = candidates(&money, &[request(1, 183_150, day).asked()], &people(), &[]);
        decide(&all, &money, transfers)
    }

    #[test]
    fn an_amount_is_contradicted_by_whatever_names_somebody_else() {
        let doubts = |text| match asked(text, None, &[], &[]) {
            Verdict::Asks(doubt, None) => Some(doubt),
            Verdict::Asks(..) | Verdict::Pays(_) | Verdict::Is(..) => None,
        };
        for text in [
            "PLG 0002",
            "TRFPLG0002WIFI",
            "PLG00.02",
            "BUDIPLG-0002",
            "PLG2",
            "P3",
            "081200000002",
            "DEWI LESTARI",
            "BUDI SANTOSO WIJAYA",
            "PLG-0001 PLG-0002",
            // An ID says more than the own name.
            "BUDI SANTOSO PLG0006",
        ] {
            assert_eq!(doubts(text), Some(Doubt::NamesAnother), "{text}");
        }
        for text in ["QRIS", "BUDI SANTOSO", "PLG 0001", "TRFPLG0001WIFI maret", "PLG-00029"] {
            assert_eq!(doubts(text), None, "{text}");
        }
    }

    #[test]
    fn an_amount_is_contradicted_by_another_payer_and_by_another_debt() {
        let pays = |verdict| matches!(verdict, Verdict::Pays(Candidate { clue: Clue::Request, .. }));
        assert!(pays(asked("QRIS", Some(&[who(1)]), &[who(1)], &[])));
        for said in [&[][..], &[who(2)], &[who(1), who(2)]] {
            assert_eq!(asked("QRIS", Some(said), &[], &[]), Verdict::Asks(Doubt::NamesAnother, None));
        }
        assert_eq!(asked("QRIS", None, &[who(1), who(4)], &[]), Verdict::Asks(Doubt::AnotherOwes, None));
    }

    #[test]
    fn what_was_booked_before_the_bank_told_of_it_is_not_booked_again() {
        let (on, payment_id) = (Date::parse("2026-01-15").unwrap(), PaymentId(Uuid::from_u128(9)));
        let booked = |amount| {
            let amount = Money::rupiah(amount);
            [Transfer { payment_id, amount, on, booked_at: on.at(8, 0, Zone::Wib) }]
        };
        assert_eq!(asked("QRIS", None, &[], &booked(183_150)), Verdict::Asks(Doubt::Booked, Some(payment_id)));
        assert!(matches!(asked("QRIS", None, &[], &booked(183_151)), Verdict::Is(_, id) if id == payment_id));
    }

    #[test]
    fn a_request_that_was_paid_is_paid_once() {
        let day = Date::parse("2026-01-15").unwrap().midnight(Zone::Wib);
        let paid = AskedAmount { paid: true, ..request(1, 183_150, day).asked() };
        let (money, again) = (came(183_151, "QRIS"), AskedAmount { made_at: day, ..request(2, 183_150, day).asked() });
        let verdict =
            |requests: &[AskedAmount]| decide(&candidates(&money, requests, &Payers::default(), &[]), &money, &[]);
        assert_eq!(verdict(&[paid]), Verdict::Asks(Doubt::Paid, None));
        assert!(matches!(verdict(&[paid, AskedAmount { customer_id: who(1), ..again }]), Verdict::Pays(_)));
    }
}
