//! Whose a mutation is: by the amount of a payment request, then by what the bank wrote, then by a person.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::{Incoming, PayerAlias};
use crate::billing::InvoiceBalance;
use crate::calendar::Zone;
use crate::customer::Phone;
use crate::error::Error;
use crate::ids::{CustomerId, PaymentRequestId};
use crate::money::Money;
use crate::payment::UnpaidRequest;
use crate::text::{Code, Name};

/// By what a customer is known, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clue {
    /// The amount is that of a payment request.
    Request,
    /// The customer's ID stands in the text.
    Code,
    /// The words, two or more, are those of a mutation that a person matched.
    Alias,
    /// The customer's phone number stands in the text.
    Phone,
    /// The customer's whole name stands in the text, or the one word of a mutation that a person matched.
    Name,
}

impl Clue {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Request, Self::Code, Self::Alias, Self::Phone, Self::Name];

    /// `request`, `code`, `alias`, `phone` or `name`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Code => "code",
            Self::Alias => "alias",
            Self::Phone => "phone",
            Self::Name => "name",
        }
    }

    /// Reads its code.
    ///
    /// # Errors
    /// [`Error::NotOneOf`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let unknown = Error::NotOneOf { field: "clue", expected: "request, code, alias, phone, name" };
        Self::ALL.into_iter().find(|c| c.code() == text).ok_or(unknown)
    }
}

/// A customer as far as mutations name one.
#[derive(Clone)]
pub struct Payer {
    customer_id: CustomerId,
    code: Vec<String>,
    name: Vec<String>,
    phone: Option<Phone>,
}

impl Payer {
    /// A customer.
    #[must_use]
    pub fn new(customer_id: CustomerId, code: &Code, name: &Name, phone: Option<Phone>) -> Self {
        Self { customer_id, code: words(code.as_str()), name: words(name.as_str()), phone }
    }

    /// A customer of whom only the ID counts.
    #[must_use]
    pub fn by_code(customer_id: CustomerId, code: &Code) -> Self {
        Self { customer_id, code: words(code.as_str()), name: Vec::new(), phone: None }
    }
}

impl std::fmt::Debug for Payer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Payer").field("customer_id", &self.customer_id).finish_non_exhaustive()
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
    pub request: Option<PaymentRequestId>,
}

/// Everybody whose a mutation may be, the surest clue first; each customer once.
#[must_use]
pub fn candidates(
    money: &Incoming<'_>,
    requests: &[UnpaidRequest],
    payers: &[Payer],
    aliases: &[PayerAlias],
) -> Vec<Candidate> {
    let zone = Zone::Wib;
    let (from, until) = (money.on.midnight(zone), money.on.plus_days(1).midnight(zone));
    // Of several requests of one customer over one amount, the newest that stands is the one that is paid.
    let mut asked: Vec<_> = requests.iter().filter(|r| r.is_paid_by(money.amount, from, until)).collect();
    asked.sort_by_key(|r| (r.cancelled, Reverse(r.made_at)));
    let mut found: Vec<Candidate> = Vec::new();
    for request in asked {
        if !found.iter().any(|c| c.customer_id == request.customer_id) {
            let (customer_id, clue) = (request.customer_id, Clue::Request);
            found.push(Candidate { customer_id, clue, request: Some(request.id) });
        }
    }
    let said = words(money.text);
    let mut add = |clue, ids: &mut dyn Iterator<Item = CustomerId>| {
        for customer_id in ids {
            if !found.iter().any(|c| c.customer_id == customer_id) {
                found.push(Candidate { customer_id, clue, request: None });
            }
        }
    };
    add(Clue::Code, &mut payers.iter().filter(|p| names_code(&said, &p.code)).map(|p| p.customer_id));
    let payer = payer_words(money.text);
    // One word names too many: it counts as a name, which wants the right amount, too.
    let (one, several): (Vec<&PayerAlias>, Vec<&PayerAlias>) =
        aliases.iter().filter(|a| !payer.is_empty() && a.words == payer).partition(|a| !a.words.contains(' '));
    add(Clue::Alias, &mut several.iter().map(|a| a.customer_id));
    add(Clue::Phone, &mut payers.iter().filter(|p| names_phone(&said, p.phone.as_ref())).map(|p| p.customer_id));
    let named: Vec<&Payer> = payers.iter().filter(|p| names_whole(&said, &p.name)).collect();
    // "Budi Santoso" stands in "Budi Santoso Wijaya", too; the longer name is meant.
    let longest = named
        .iter()
        .filter(|p| !named.iter().any(|other| other.name.len() > p.name.len() && runs(&other.name, &p.name)));
    add(Clue::Name, &mut longest.map(|p| p.customer_id).chain(one.iter().map(|a| a.customer_id)));
    found
}

/// The one whose it is without asking a person; `owed` are the sums that a customer might be paying.
///
/// The surest kind of clue counts, when it names one customer and no surer one contradicts: a request and the ID of another
/// customer in the text are a matter for a person. A name alone is enough only with an amount that this customer owes, because
/// others bear the same name.
#[must_use]
pub fn choose(candidates: &[Candidate], amount: Money, owed: impl Fn(CustomerId) -> Vec<Money>) -> Option<Candidate> {
    let first = candidates.first()?;
    let mut alike = candidates.iter().filter(|c| c.clue == first.clue);
    if !amount.is_positive() || alike.nth(1).is_some() {
        return None;
    }
    if first.clue == Clue::Request && candidates.iter().any(|c| c.clue == Clue::Code) {
        return None;
    }
    if first.clue == Clue::Name && !owed(first.customer_id).contains(&amount) {
        return None;
    }
    Some(*first)
}

/// The sums that somebody who owes these invoices, oldest first, may be paying: the oldest, the two oldest, and so on to all; or
/// any one.
#[must_use]
pub fn sums_owed(open: &[InvoiceBalance]) -> Vec<Money> {
    let mut sum = Money::ZERO;
    let rising = open.iter().map(|invoice| {
        sum += invoice.residual();
        sum
    });
    let rising: Vec<Money> = rising.collect();
    rising.into_iter().chain(open.iter().map(|i| i.residual())).collect()
}

/// The words that name the payer in what a bank wrote: letters only, without the words that banks and payers write each time.
///
/// ```
/// use isp_core::bank::payer_words;
/// let january = "TRSF E-BANKING CR 1501/FTSCY/WS95031 183150.00 bayar wifi januari BUDI SANTOSO";
/// let february = "TRSF E-BANKING CR 1502/FTSCY/WS95077 183150.00 bayar wifi februari BUDI SANTOSO";
/// assert_eq!(payer_words(january), "budi santoso");
/// assert_eq!(payer_words(january), payer_words(february));
/// assert_eq!(payer_words("SETORAN TUNAI 0815"), "");
/// ```
#[must_use]
pub fn payer_words(text: &str) -> String {
    const USUAL: &[&str] = &[
        "trsf",
        "transfer",
        "trf",
        "tf",
        "banking",
        "ebanking",
        "mbanking",
        "ib",
        "mb",
        "cr",
        "db",
        "kr",
        "otomatis",
        "bifast",
        "bi",
        "fast",
        "rtgs",
        "skn",
        "llg",
        "switching",
        "atm",
        "edc",
        "mobile",
        "internet",
        "inet",
        "dari",
        "ke",
        "from",
        "to",
        "via",
        "bank",
        "bca",
        "bri",
        "bni",
        "bsi",
        "mandiri",
        "permata",
        "cimb",
        "niaga",
        "danamon",
        "jago",
        "seabank",
        "dana",
        "ovo",
        "gopay",
        "shopeepay",
        "linkaja",
        "qris",
        "qr",
        "setoran",
        "tunai",
        "setor",
        "kas",
        "bayar",
        "pembayaran",
        "byr",
        "payment",
        "wifi",
        "tagihan",
        "langganan",
        "bulan",
        "bln",
        "ftscy",
        "ftfva",
        "ws",
        "rp",
        "idr",
        "an",
        "nama",
        "no",
        "rek",
        "rekening",
        "januari",
        "februari",
        "maret",
        "april",
        "mei",
        "juni",
        "juli",
        "agustus",
        "september",
        "oktober",
        "november",
        "desember",
        "jan",
        "feb",
        "mar",
        "apr",
        "jun",
        "jul",
        "agu",
        "agt",
        "sep",
        "okt",
        "nov",
        "des",
    ];
    let named =
        |word: &String| word.len() > 1 && word.chars().all(char::is_alphabetic) && !USUAL.contains(&word.as_str());
    words(text).into_iter().filter(named).collect::<Vec<_>>().join(" ")
}

/// The words of a text in small letters.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase).collect()
}

/// True when words follow one another in a text.
fn runs(said: &[String], wanted: &[String]) -> bool {
    !wanted.is_empty() && said.windows(wanted.len()).any(|window| window == wanted)
}

/// True when a text names a customer's ID, in one word or as it is written. An ID without a digit, or of a few digits alone,
/// stands in a text by chance.
fn names_code(said: &[String], code: &[String]) -> bool {
    let whole = code.concat();
    let digits = whole.bytes().filter(u8::is_ascii_digit).count();
    let telling = digits > 0 && (digits < whole.len() || digits >= 6) && whole.len() >= 3;
    telling && (said.contains(&whole) || runs(said, code))
}

/// True when a text names a phone number, with 0 or 62 in front.
fn names_phone(said: &[String], phone: Option<&Phone>) -> bool {
    let Some(phone) = phone else { return false };
    let (parts, abroad) = (words(&phone.national()), phone.digits());
    let home = parts.concat();
    said.iter().any(|word| *word == home || word == abroad) || runs(said, &parts)
}

/// True when a text names a whole name of two words or more.
fn names_whole(said: &[String], name: &[String]) -> bool {
    name.len() > 1 && runs(said, name)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use uuid::Uuid;

    use super::*;
    use crate::calendar::Date;
    use crate::ids::MutationId;
    use crate::payment::{PaymentRequest, RequestPolicy};

    fn who(n: u128) -> CustomerId {
        CustomerId(Uuid::from_u128(n))
    }

    fn payer(n: u128, code: &str, name: &str, phone: &str) -> Payer {
        let (code, name) = (Code::parse("code", code).unwrap(), Name::parse("name", name).unwrap());
        Payer::new(who(n), &code, &name, Phone::parse(phone).ok())
    }

    fn people() -> Vec<Payer> {
        vec![
            payer(1, "PLG-0001", "Budi Santoso", "081200000001"),
            payer(2, "PLG-0002", "Budi Santoso Wijaya", "081200000002"),
            payer(3, "P3", "Siti", ""),
            payer(4, "77", "Eko Prasetyo", "081200000002"),
            payer(5, "EKO", "Dewi Lestari", ""),
            payer(6, "PLG-0006", "Dewi Lestari", ""),
        ]
    }

    fn came(amount: i64, text: &str) -> Incoming<'_> {
        Incoming { amount: Money::rupiah(amount), on: Date::parse("2026-01-15").unwrap(), text }
    }

    fn request(n: u128, debt: i64, at: DateTime<Utc>) -> PaymentRequest {
        let id = PaymentRequestId(Uuid::from_u128(n));
        PaymentRequest::try_new(id, who(n), None, Money::rupiah(debt), &[], RequestPolicy::default(), at).unwrap()
    }

    /// Who is found, and who is chosen when customer 1 owes Rp183.150 and everybody else Rp100.000.
    fn found(amount: i64, text: &str, requests: &[PaymentRequest]) -> (Vec<(u128, Clue)>, Option<u128>) {
        let unpaid: Vec<_> = requests.iter().filter_map(PaymentRequest::unpaid).collect();
        let all = candidates(&came(amount, text), &unpaid, &people(), &[]);
        let owed = |id| vec![Money::rupiah(if id == who(1) { 183_150 } else { 100_000 })];
        let chosen = choose(&all, Money::rupiah(amount), owed).map(|c| c.customer_id.0.as_u128());
        (all.iter().map(|c| (c.customer_id.0.as_u128(), c.clue)).collect(), chosen)
    }

    #[test]
    fn what_stands_in_the_text_names_its_customer() {
        for (amount, text, expected, chosen) in [
            (183_150, "TRSF E-BANKING CR PLG-0001 BUDI", vec![(1, Clue::Code)], Some(1)),
            (50_000, "trf plg0001 jan", vec![(1, Clue::Code)], Some(1)),
            (50_000, "PLG-00012 lain", vec![], None),
            (50_000, "WIFI P3", vec![], None),
            (50_000, "no 77 eko", vec![], None),
            (50_000, "BAYAR 081200000001", vec![(1, Clue::Phone)], Some(1)),
            (50_000, "BAYAR +6281200000001", vec![(1, Clue::Phone)], Some(1)),
            (50_000, "0812-0000-0001 bayar", vec![(1, Clue::Phone)], Some(1)),
            // Two share a number.
            (50_000, "081200000002", vec![(2, Clue::Phone), (4, Clue::Phone)], None),
            // Two IDs.
            (50_000, "PLG-0001 PLG-0002", vec![(1, Clue::Code), (2, Clue::Code)], None),
            // A name with what its customer owes, and with another amount.
            (183_150, "TRSF BUDI SANTOSO", vec![(1, Clue::Name)], Some(1)),
            (183_000, "TRSF BUDI SANTOSO", vec![(1, Clue::Name)], None),
            (100_000, "TRSF BUDI SANTOSO WIJAYA", vec![(2, Clue::Name)], Some(2)),
            // Two bear one name, one word is no name.
            (100_000, "DEWI LESTARI", vec![(5, Clue::Name), (6, Clue::Name)], None),
            (100_000, "SITI", vec![], None),
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
        assert_eq!(found(183_151, "QRIS", &asked(-71)).1, Some(1));
        assert_eq!(found(183_151, "QRIS", &asked(-72)).1, None);
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
            let all = candidates(&came(100_000, text), &[], &people(), aliases);
            choose(&all, Money::rupiah(100_000), |_| vec![Money::rupiah(owed)]).map(|c| (c.customer_id, c.clue))
        };
        let text = "TRSF E-BANKING CR 1501/FTSCY 100000.00 SUPARMAN JAYA";
        assert_eq!(with(text, 0, &[alias(3, "suparman jaya")]), Some((who(3), Clue::Alias)));
        assert_eq!(with(text, 0, &[alias(3, "suparman jaya"), alias(5, "suparman jaya")]), None);
        assert_eq!(with(text, 0, &[alias(3, "suparman")]), None);
        assert_eq!(with(text, 0, &[alias(3, "")]), None);
        // One word may be anybody's, so the amount has to fit as well.
        let text = "TRF SUPARMAN";
        assert_eq!(with(text, 100_000, &[alias(3, "suparman")]), Some((who(3), Clue::Name)));
        assert_eq!(with(text, 99_000, &[alias(3, "suparman")]), None);
    }
}
