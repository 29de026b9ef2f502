//! What a customer writes to us, and what we answer: rules and words, in both languages.
//!
//! Only what is plainly meant is acted upon. Anything else is left to a person, and nothing is answered.

use serde::{Deserialize, Serialize};

use crate::calendar::Date;
use crate::message::Sender;
use crate::money::Money;
use crate::text::Language;

/// What a customer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// No messages any more.
    OptOut,
    /// Messages again.
    OptIn,
    /// To be believed that it is paid.
    SaysPaid,
    /// So many days until payment.
    Promise(u16),
    /// A promise, without a number of days that can be read.
    PromiseUnclear,
    /// Something that a person reads.
    Other,
}

/// The longest message that is read for a wish; a longer one is a letter to a person.
const LONGEST: usize = 120;

impl Wish {
    /// Reads what a customer typed. Words that end messages count only when they are all that was typed.
    ///
    /// ```
    /// use isp_core::message::inbound::Wish;
    /// assert_eq!(Wish::read("Stop."), Wish::OptOut);
    /// assert_eq!(Wish::read("tolong jangan berhenti internetnya"), Wish::Other);
    /// assert_eq!(Wish::read("Kak, sudah bayar ya 🙏"), Wish::SaysPaid);
    /// assert_eq!(Wish::read("belum sudah bayar"), Wish::Other);
    /// assert_eq!(Wish::read("janji bayar 3 hari"), Wish::Promise(3));
    /// assert_eq!(Wish::read("JANJI tgl 5"), Wish::PromiseUnclear);
    /// ```
    #[must_use]
    pub fn read(text: &str) -> Self {
        if text.chars().count() > LONGEST {
            return Self::Other;
        }
        let folded = text.to_lowercase();
        let words: Vec<&str> = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            ["stop" | "berhenti" | "unsubscribe" | "optout"]
            | ["stop" | "berhenti", "pesan" | "langganan" | "kirim"]
            | ["opt", "out"] => return Self::OptOut,
            ["mulai" | "start" | "optin"] | ["mulai", "lagi"] | ["opt", "in"] => return Self::OptIn,
            ["janji", rest @ ..] | ["minta", "waktu", rest @ ..] => return Self::promise(rest),
            _ => {}
        }
        let doubt = words.iter().any(|word| ["belum", "blm", "blum", "not", "kapan", "apakah"].contains(word));
        let paid = words.windows(2).any(|two| {
            let done = ["sudah", "sdh", "udah", "udh", "telah", "already", "dah"].contains(&two[0]);
            done && ["bayar", "dibayar", "transfer", "tf", "lunas", "paid", "byr"].contains(&two[1])
        });
        if paid && !doubt { Self::SaysPaid } else { Self::Other }
    }

    /// What the button of a template means, by its payload.
    #[must_use]
    pub fn of_button(payload: &str) -> Self {
        match payload.trim().to_ascii_uppercase().as_str() {
            "OPTOUT" | "OPT_OUT" | "STOP" => Self::OptOut,
            "OPTIN" | "OPT_IN" => Self::OptIn,
            _ => Self::Other,
        }
    }

    fn promise(rest: &[&str]) -> Self {
        let rest = rest.strip_prefix(&["bayar"]).unwrap_or(rest);
        let number = match rest {
            [number] | [number, "hari" | "hr" | "day" | "days"] => *number,
            _ => return Self::PromiseUnclear,
        };
        match number.parse::<u16>() {
            Ok(days) if days > 0 => Self::Promise(days),
            _ => Self::PromiseUnclear,
        }
    }
}

/// What is answered to a customer, as facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// The promise is recorded.
    Promised {
        /// The last day on which it protects.
        until: Date,
        /// What is owed.
        owed: Money,
        /// Its number, by which people talk about it.
        number: String,
        /// True when it reopened a line.
        reopened: bool,
    },
    /// It is longer than a promise may be.
    PromiseTooLong {
        /// The longest.
        max_days: u16,
    },
    /// There were as many promises in this period as there may be.
    PromiseUsed {
        /// How many that is.
        limit: u32,
    },
    /// How to write a promise.
    PromiseHow {
        /// The longest.
        max_days: u16,
    },
    /// Nothing is owed.
    NothingOwed,
    /// The payment is known, and nothing is overdue.
    PaymentKnown {
        /// How much came last.
        amount: Money,
        /// On which day.
        on: Date,
    },
    /// What was said to be paid is not seen.
    PaymentNotSeen {
        /// What is owed.
        owed: Money,
    },
    /// No messages any more.
    OptedOut,
    /// Messages again.
    OptedIn,
}

impl Answer {
    /// The answer in words.
    #[must_use]
    pub fn text(&self, language: Language, sender: Option<&Sender>) -> String {
        let date = |day: Date| long_date(day, language);
        let contact = sender.and_then(|s| s.contact.as_deref());
        let body = match (self, language) {
            (Self::Promised { until, owed, number, reopened }, Language::Id) => {
                let opened = if *reopened { " Layanan dibuka kembali sampai hari itu." } else { "" };
                format!("Janji bayar nomor {number} dicatat: {owed} paling lambat {}.{opened} Bila lewat, layanan diisolir.", date(*until))
            }
            (Self::Promised { until, owed, number, reopened }, Language::En) => {
                let opened = if *reopened { " Your service is open again until that day." } else { "" };
                format!("Promise number {number} is noted: {owed} by {}.{opened} After that day the service is suspended.", date(*until))
            }
            (Self::PromiseTooLong { max_days }, Language::Id) => {
                format!("Janji bayar paling lama {max_days} hari. Tulis misalnya: JANJI {max_days}")
            }
            (Self::PromiseTooLong { max_days }, Language::En) => {
                format!("A promise may run for at most {max_days} days. Write for example: JANJI {max_days}")
            }
            (Self::PromiseUsed { limit }, Language::Id) => {
                format!("Janji bayar hanya {limit} kali dalam satu masa tagihan, dan sudah dipakai.")
            }
            (Self::PromiseUsed { limit }, Language::En) => {
                format!("A promise can be made {limit} time(s) in a billing period, and has been made.")
            }
            (Self::PromiseHow { max_days }, Language::Id) => {
                format!("Tulis berapa hari lagi Anda membayar, paling lama {max_days}. Misalnya: JANJI 3")
            }
            (Self::PromiseHow { max_days }, Language::En) => {
                format!("Write in how many days you will pay, at most {max_days}. For example: JANJI 3")
            }
            (Self::NothingOwed, Language::Id) => "Tidak ada tagihan yang belum dibayar. Terima kasih.".to_owned(),
            (Self::NothingOwed, Language::En) => "Nothing is owed. Thank you.".to_owned(),
            (Self::PaymentKnown { amount, on }, Language::Id) => {
                format!("Pembayaran {amount} tanggal {} sudah kami terima. Terima kasih.", date(*on))
            }
            (Self::PaymentKnown { amount, on }, Language::En) => {
                format!("We have received your payment of {amount} on {}. Thank you.", date(*on))
            }
            (Self::PaymentNotSeen { owed }, Language::Id) => format!(
                "Pembayaran Anda belum terlihat oleh kami; yang belum dibayar {owed}. Pembayaran bank dapat terlambat. Bila sudah dibayar, kirim bukti transfer kepada petugas kami."
            ),
            (Self::PaymentNotSeen { owed }, Language::En) => format!(
                "We do not see your payment yet; {owed} is unpaid. Banks may be late. If you have paid, send the proof to our staff."
            ),
            (Self::OptedOut, Language::Id) => {
                "Anda tidak akan menerima pesan dari kami lagi, juga sebelum layanan diisolir. Tulis MULAI untuk menerimanya kembali.".to_owned()
            }
            (Self::OptedOut, Language::En) => {
                "You will get no more messages from us, also not before the service is suspended. Write MULAI to get them again.".to_owned()
            }
            (Self::OptedIn, Language::Id) => "Anda akan menerima pesan dari kami kembali.".to_owned(),
            (Self::OptedIn, Language::En) => "You will get messages from us again.".to_owned(),
        };
        let ask = match (self, contact, language) {
            (Self::PaymentNotSeen { .. } | Self::PromiseUsed { .. }, Some(contact), Language::Id) => {
                format!(" Hubungi {contact}.")
            }
            (Self::PaymentNotSeen { .. } | Self::PromiseUsed { .. }, Some(contact), Language::En) => {
                format!(" Contact {contact}.")
            }
            _ => String::new(),
        };
        let who = sender.map(|s| format!("{}: ", s.name)).unwrap_or_default();
        format!("{who}{body}{ask}")
    }
}

/// A day in words, as `5 Agustus 2026`.
fn long_date(day: Date, language: Language) -> String {
    let (year, _) = day.month().year_month();
    let of_month = day.days_since(day.month().first()) + 1;
    format!("{of_month} {} {year}", language.month(day.month()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What people really type.
    #[test]
    fn wishes_are_read_from_what_people_type() {
        for (text, wish) in [
            ("STOP", Wish::OptOut),
            ("berhenti!", Wish::OptOut),
            ("stop pesan", Wish::OptOut),
            ("Stop dulu ya nanti saya bayar", Wish::Other),
            ("mulai", Wish::OptIn),
            ("SUDAH BAYAR", Wish::SaysPaid),
            ("sdh transfer kemarin kak", Wish::SaysPaid),
            ("Sudah lunas", Wish::SaysPaid),
            ("kapan sudah bayar tercatat?", Wish::Other),
            ("belum bayar", Wish::Other),
            ("JANJI 3", Wish::Promise(3)),
            (" janji  7 hari ", Wish::Promise(7)),
            ("Janji bayar 14", Wish::Promise(14)),
            ("minta waktu 2 hari", Wish::Promise(2)),
            ("janji", Wish::PromiseUnclear),
            ("janji 0", Wish::PromiseUnclear),
            ("janji -3 hari lagi", Wish::PromiseUnclear),
            ("janji 99999999999", Wish::PromiseUnclear),
            ("janji tanggal 5", Wish::PromiseUnclear),
            ("", Wish::Other),
            ("🙏", Wish::Other),
        ] {
            assert_eq!(Wish::read(text), wish, "{text}");
        }
        assert_eq!(Wish::read(&"sudah bayar ".repeat(40)), Wish::Other, "a letter is for a person");
        assert_eq!((Wish::of_button("optout"), Wish::of_button("LUNAS")), (Wish::OptOut, Wish::Other));
    }

    #[test]
    fn answers_say_amount_day_and_number_in_both_languages() {
        let promised = Answer::Promised {
            until: Date::parse("2026-08-05").unwrap(),
            owed: Money::rupiah(183_150),
            number: "JB-1A2B".to_owned(),
            reopened: true,
        };
        for (language, month) in [(Language::Id, "5 Agustus 2026"), (Language::En, "5 August 2026")] {
            let text = promised.text(language, None);
            for part in ["JB-1A2B", "Rp183.150", month] {
                assert!(text.contains(part), "{text}");
            }
        }
    }
}
