//! The file as it is written, key by key.

use std::collections::BTreeMap;

use isp_core::calendar::Zone;
use isp_core::customer::Invoicing;
use isp_core::payment::NoticeState;
use isp_core::subscription::Timing;
use isp_core::tax::TaxMode;
use isp_core::{Money, Policy};
use serde::Deserialize;

use super::records;
use crate::case::{BankWord, ReviewWord};
use crate::when::{Day, Runs, Span, When};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) title: String,
    pub(super) rules: Vec<String>,
    #[serde(default)]
    pub(super) note: String,
    #[serde(default)]
    pub(super) zone: Zone,
    #[serde(default)]
    pub(super) policy: Policy,
    #[serde(default)]
    pub(super) sites: BTreeMap<String, Site>,
    #[serde(default)]
    pub(super) packages: BTreeMap<String, Package>,
    #[serde(default)]
    pub(super) customers: BTreeMap<String, Customer>,
    #[serde(default)]
    pub(super) subscriptions: BTreeMap<String, Subscription>,
    #[serde(default)]
    pub(super) step: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Site {
    #[serde(default)]
    pub(super) zone: Zone,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Package {
    pub(super) price: Option<Money>,
    #[serde(default)]
    pub(super) prices: Vec<Price>,
    #[serde(default)]
    pub(super) ppn: TaxMode,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Price {
    pub(super) from: Day,
    pub(super) price: Money,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Customer {
    #[serde(default = "yes")]
    pub(super) reachable: bool,
    #[serde(default)]
    pub(super) invoicing: Invoicing,
}

pub(super) const fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Subscription {
    pub(super) customer: Option<String>,
    pub(super) site: Option<String>,
    pub(super) package: Option<String>,
    pub(super) start: Day,
    pub(super) day: Option<u8>,
    pub(super) cycle: Option<u8>,
    #[serde(default)]
    pub(super) timing: Timing,
    pub(super) held_price: Option<Held>,
    pub(super) discount: Option<Off>,
    pub(super) entered: Option<When>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Held {
    pub(super) price: Money,
    pub(super) until: Option<Day>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Off {
    pub(super) percent: Option<u8>,
    pub(super) amount: Option<Money>,
    pub(super) until: Option<Day>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) on: Option<When>,
    pub(super) run: Option<Runs>,
    #[serde(default)]
    pub(super) approve: bool,
    #[serde(default)]
    pub(super) confirm: bool,
    #[serde(default)]
    pub(super) back: bool,
    pub(super) refused: Option<String>,
    pub(super) expect: Option<Expect>,
    pub(super) pay: Option<Pay>,
    pub(super) ask: Option<Ask>,
    pub(super) notice: Option<Notice>,
    pub(super) write: Option<Write>,
    pub(super) reverse: Option<Reverse>,
    pub(super) change_package: Option<ChangePackage>,
    pub(super) change_day: Option<ChangeDay>,
    pub(super) pause: Option<OfSubscription>,
    pub(super) resume: Option<OfSubscription>,
    pub(super) end: Option<End>,
    pub(super) promise: Option<Promise>,
    pub(super) exempt: Option<Exempt>,
    pub(super) end_promise: Option<EndProtection>,
    pub(super) end_exemption: Option<EndProtection>,
    pub(super) proof: Option<Proof>,
    pub(super) review: Option<Review>,
    pub(super) bank_file: Option<BankFile>,
    pub(super) bank_says: Option<BankSays>,
    pub(super) take_back_outage: Option<OfOutage>,
    pub(super) outage: Option<Outage>,
    pub(super) end_outage: Option<EndOutage>,
    pub(super) credit_outage: Option<OfOutage>,
    pub(super) isolate: Option<ByHand>,
    pub(super) reopen: Option<ByHand>,
    pub(super) write_off: Option<OfInvoice>,
    pub(super) take_back_write_off: Option<OfInvoice>,
    pub(super) correct: Option<Correct>,
    pub(super) take_back_note: Option<OfInvoice>,
    pub(super) refund: Option<records::Refund>,
    pub(super) deposit: Option<records::Deposit>,
    pub(super) correct_deposit: Option<records::Deposit>,
    pub(super) payout: Option<records::Payout>,
    pub(super) correct_payout: Option<records::Payout>,
    pub(super) take_back: Option<records::TakeBack>,
    pub(super) archive: Option<records::Archive>,
    pub(super) bring_back: Option<records::Archive>,
    pub(super) erase: Option<records::Erase>,
    pub(super) cancel: Option<Cancel>,
    pub(super) install: Option<Install>,
    pub(super) price: Option<NewPrice>,
    pub(super) policy: Option<Policy>,
    pub(super) router: Option<Router>,
    pub(super) whatsapp: Option<Whatsapp>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pay {
    pub(super) customer: Option<String>,
    pub(super) amount: Money,
    pub(super) provider: Option<String>,
    pub(super) reference: Option<String>,
    pub(super) paid: Option<When>,
    pub(super) collector: Option<String>,
    #[serde(default)]
    pub(super) sure: bool,
    #[serde(default)]
    pub(super) payer_fee: Money,
    #[serde(default)]
    pub(super) fee: Money,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ask {
    pub(super) customer: Option<String>,
    pub(super) provider: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Notice {
    pub(super) provider: Option<String>,
    pub(super) state: NoticeState,
    pub(super) amount: Option<Money>,
    pub(super) reference: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Write {
    pub(super) customer: Option<String>,
    pub(super) text: String,
    pub(super) message: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reverse {
    pub(super) provider: Option<String>,
    pub(super) reference: String,
    pub(super) reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangePackage {
    pub(super) subscription: Option<String>,
    pub(super) to: String,
    #[serde(default)]
    pub(super) at_once: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeDay {
    pub(super) subscription: Option<String>,
    pub(super) to: u8,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfSubscription {
    pub(super) subscription: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    pub(super) subscription: Option<String>,
    pub(super) on: Day,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Promise {
    pub(super) customer: Option<String>,
    pub(super) made_on: Option<Day>,
    pub(super) until: Day,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exempt {
    pub(super) customer: Option<String>,
    pub(super) from: Day,
    pub(super) until: Day,
    pub(super) reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Proof {
    pub(super) customer: Option<String>,
    pub(super) subscription: Option<String>,
    pub(super) invoice: Option<Day>,
    pub(super) amount: Option<Money>,
    pub(super) file: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Review {
    pub(super) customer: Option<String>,
    pub(super) file: Option<String>,
    pub(super) say: ReviewWord,
    pub(super) amount: Option<Money>,
    pub(super) provider: Option<String>,
    pub(super) reference: Option<String>,
    pub(super) reason: Option<String>,
    #[serde(default)]
    pub(super) sure: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BankFile {
    pub(super) account: Option<String>,
    pub(super) text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BankSays {
    pub(super) say: BankWord,
    pub(super) words: String,
    pub(super) customer: Option<String>,
    pub(super) reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Outage {
    pub(super) name: Option<String>,
    pub(super) site: Option<String>,
    pub(super) from: Option<When>,
    pub(super) until: Option<When>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndOutage {
    pub(super) name: Option<String>,
    pub(super) until: Option<When>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfOutage {
    pub(super) name: Option<String>,
    pub(super) reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndProtection {
    pub(super) customer: Option<String>,
    #[serde(default)]
    pub(super) taken_back: bool,
    pub(super) reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ByHand {
    pub(super) customer: Option<String>,
    pub(super) by: Option<String>,
    pub(super) reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfInvoice {
    pub(super) subscription: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) invoice: Day,
    pub(super) reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Correct {
    pub(super) subscription: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) invoice: Day,
    pub(super) amount: Money,
    pub(super) reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cancel {
    pub(super) subscription: Option<String>,
    pub(super) invoice: Day,
    #[serde(default)]
    pub(super) bill_again: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Install {
    pub(super) subscription: Option<String>,
    pub(super) fee: Money,
    pub(super) on: Option<Day>,
    pub(super) instalments: Option<u8>,
    #[serde(default)]
    pub(super) with_first_invoice: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPrice {
    pub(super) package: Option<String>,
    pub(super) from: Day,
    pub(super) price: Money,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Router {
    pub(super) site: Option<String>,
    pub(super) down: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Whatsapp {
    pub(super) down: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    pub(super) of: Option<String>,
    pub(super) invoices: Option<Vec<Invoice>>,
    pub(super) credit_notes: Option<Vec<Note>>,
    pub(super) owed: Option<Money>,
    pub(super) credit: Option<Money>,
    pub(super) access: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) router: Option<String>,
    pub(super) answer: Option<String>,
    pub(super) request: Option<String>,
    pub(super) messages: Option<Vec<Message>>,
    pub(super) problem: Option<String>,
    pub(super) held: Option<u64>,
    pub(super) waits: Option<Vec<String>>,
    pub(super) books: Option<BTreeMap<String, Money>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Invoice {
    pub(super) kind: Option<String>,
    pub(super) period: Span,
    pub(super) issued: Option<Day>,
    pub(super) due: Option<Day>,
    pub(super) lines: Option<BTreeMap<String, Money>>,
    pub(super) dpp: Option<Money>,
    pub(super) ppn: Option<Money>,
    pub(super) total: Option<Money>,
    pub(super) open: Option<Money>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Note {
    pub(super) period: Span,
    pub(super) reason: Option<String>,
    pub(super) issued: Option<Day>,
    pub(super) lines: Option<BTreeMap<String, Money>>,
    pub(super) dpp: Option<Money>,
    pub(super) ppn: Option<Money>,
    pub(super) total: Option<Money>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Message {
    pub(super) kind: String,
    pub(super) on: Day,
    pub(super) at: Option<String>,
    pub(super) amount: Option<Money>,
}
