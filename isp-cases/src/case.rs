//! What a case is, once read: every name resolved, every moment known.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use isp_core::calendar::{BillingDay, Cycle, Date, Period, Zone};
use isp_core::customer::Invoicing;
use isp_core::package::PriceVersion;
use isp_core::payment::NoticeState;
use isp_core::subscription::{Discount, HeldPrice, Timing};
use isp_core::tax::TaxMode;
use isp_core::{Money, Policy};
use serde::{Deserialize, Serialize};

use crate::record::Record;

/// A provider, what happens to it, and what must be true.
#[derive(Debug, Clone, Serialize)]
pub struct Case {
    /// The file, as the caller named it.
    pub file: String,
    /// What it is about, in a sentence.
    pub title: String,
    /// The rules that it is about, such as `B3`.
    pub rules: Vec<String>,
    /// How the values were worked out.
    pub note: String,
    /// The zone that times in the file are written in.
    pub zone: Zone,
    /// What the provider decided on, when the case begins.
    pub policy: Policy,
    /// Its sites; each has one router.
    pub sites: Vec<CaseSite>,
    /// What is sold in the case.
    pub packages: Vec<CasePackage>,
    /// Who pays in the case.
    pub customers: Vec<CaseCustomer>,
    /// The lines of those customers.
    pub subscriptions: Vec<CaseSubscription>,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// What the case makes use of, such as `step.pause` or `policy.billing.issue_lead_days`; see [`crate::lacks`].
    pub uses: BTreeSet<String>,
}

/// A site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseSite {
    /// What the case calls the site.
    pub code: String,
    /// Whose midnight its days begin at.
    pub zone: Zone,
}

/// A package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CasePackage {
    /// What the case calls the package.
    pub code: String,
    /// Rupiah per month, each from a day on.
    pub prices: Vec<PriceVersion>,
    /// Whether they contain PPN.
    pub ppn: TaxMode,
}

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseCustomer {
    /// The code, which is the name too.
    pub code: String,
    /// Whether there is a number to write to.
    pub reachable: bool,
    /// Whether invoices of several subscriptions stand on one document.
    pub invoicing: Invoicing,
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseSubscription {
    /// Its name in the case, which is its PPPoE user name too.
    pub name: String,
    /// Whose.
    pub customer: String,
    /// Where.
    pub site: String,
    /// In which zone, by its site.
    pub zone: Zone,
    /// Which package it begins with.
    pub package: String,
    /// First day of service.
    pub start: Date,
    /// Billing day.
    pub day: BillingDay,
    /// Months a period.
    pub cycle: Cycle,
    /// Before or after the period.
    pub timing: Timing,
    /// A price that the customer holds.
    pub held_price: Option<HeldPrice>,
    /// What is taken off the price, and until when.
    pub discount: Option<Discount>,
    /// When somebody typed it in.
    pub entered: DateTime<Utc>,
}

/// Something that happens at one moment, or a run at each of several, and what must be true afterwards.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// Counted from 1, as the tables `[[step]]` stand in the file.
    pub number: usize,
    /// When; at least one moment, in order.
    pub moments: Vec<DateTime<Utc>>,
    /// What happens.
    pub action: Action,
    /// The code with which a host must refuse it.
    pub refused: Option<String>,
    /// What must be true afterwards.
    pub expect: Option<Expected>,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// Nothing: the step only looks.
    Look,
    /// A whole daily run: bill, remind, isolate and reopen, deliver.
    Run {
        /// True when a person lets it pass the breaker (rule I6).
        approve: bool,
        /// True when a person says that the clock is right (rule I9).
        confirm: bool,
    },
    /// Money comes in.
    Pay {
        /// Who pays.
        customer: String,
        /// How much.
        amount: Money,
        /// Through whom.
        provider: String,
        /// The provider's reference.
        reference: String,
        /// When the customer paid.
        paid_at: DateTime<Utc>,
        /// Who took it at the door.
        collector: Option<String>,
        /// True for a person who was asked, and means it.
        sure: bool,
        /// The part of the amount that the payer paid a gateway on top.
        payer_fee: Money,
        /// What the gateway keeps of the rest.
        fee: Money,
    },
    /// A gateway is asked to collect what a customer owes.
    Ask {
        /// Whose.
        customer: String,
        /// Which gateway.
        provider: String,
    },
    /// A gateway says something of the last request that it was asked for.
    Notice {
        /// Which gateway.
        provider: String,
        /// What happened to the request.
        state: NoticeState,
        /// How much was paid; nothing for what was asked.
        amount: Option<Money>,
        /// What the gateway calls the payment.
        reference: String,
    },
    /// A customer writes to us.
    Write {
        /// Who.
        customer: String,
        /// What was typed.
        text: String,
        /// What the other side calls the message: the same is the same message.
        message: String,
    },
    /// A payment is taken back.
    Reverse {
        /// Through whom it came.
        provider: String,
        /// Its reference.
        reference: String,
        /// Why.
        reason: String,
    },
    /// Another package.
    ChangePackage {
        /// Of which subscription.
        subscription: String,
        /// Which one.
        to: String,
        /// From today on, or from the next period on.
        at_once: bool,
    },
    /// Another billing day.
    ChangeDay {
        /// Of which subscription.
        subscription: String,
        /// Which day.
        to: BillingDay,
    },
    /// A pause begins today.
    Pause {
        /// Of which subscription.
        subscription: String,
    },
    /// A pause ends today.
    Resume {
        /// Of which subscription.
        subscription: String,
    },
    /// The subscription ends.
    End {
        /// Which subscription.
        subscription: String,
        /// The day after the last day of service.
        on: Date,
    },
    /// A promise to pay.
    Promise {
        /// Whose.
        customer: String,
        /// Made on.
        made_on: Date,
        /// Its last day.
        until: Date,
    },
    /// An exemption from isolation.
    Exempt {
        /// Whose.
        customer: String,
        /// First day.
        from: Date,
        /// Last day.
        until: Date,
        /// Why.
        reason: String,
    },
    /// The last promise or exemption of a customer holds no longer.
    EndProtection {
        /// `promise` or `exemption`.
        what: String,
        /// Whose.
        customer: String,
        /// True when it was recorded by mistake.
        taken_back: bool,
        /// Why.
        reason: String,
    },
    /// A proof of transfer arrives.
    Proof {
        /// Whose.
        customer: String,
        /// For which invoices; none for all that is open.
        invoices: Vec<InvoiceRef>,
        /// How much it says; nothing for what is open of them.
        amount: Option<Money>,
        /// Its file's name in the case: the same name is the same file.
        file: String,
    },
    /// A person says what a proof of transfer came to.
    Review {
        /// Whose.
        customer: String,
        /// Its file's name in the case.
        file: String,
        /// What.
        say: ReviewWord,
        /// How much came, for one that is accepted; nothing for what the proof says.
        amount: Option<Money>,
        /// Through whom the money came.
        provider: String,
        /// The provider's reference.
        reference: String,
        /// Why, for one that is not accepted.
        reason: String,
        /// Whether the person insists, where it is asked about.
        sure: bool,
    },
    /// A bank's file is imported, and what is sure of it is booked.
    BankFile {
        /// The number or a name of the account.
        account: String,
        /// The file as the bank wrote it.
        text: String,
    },
    /// A person says what money of the bank is.
    BankSays {
        /// What.
        say: BankWord,
        /// Words of its text; of several that have them it is the last.
        words: String,
        /// Whose it is, for what is matched.
        customer: String,
        /// Why, for what is not.
        reason: String,
    },
    /// An outage was recorded by mistake.
    TakeBackOutage {
        /// Its name in the case.
        name: String,
        /// Why.
        reason: String,
    },
    /// An outage of a site is recorded.
    Outage {
        /// Its name in the case.
        name: String,
        /// Where.
        site: String,
        /// From when.
        from: DateTime<Utc>,
        /// Until when, if it is over.
        until: Option<DateTime<Utc>>,
    },
    /// An outage that was recorded without an end is over.
    EndOutage {
        /// Its name in the case.
        name: String,
        /// Since when.
        until: DateTime<Utc>,
    },
    /// What an outage gives back is written.
    CreditOutage {
        /// Its name in the case.
        name: String,
    },
    /// All lines of a customer are isolated by hand.
    Isolate {
        /// Whose.
        customer: String,
        /// By whom.
        by: String,
        /// Why.
        reason: String,
    },
    /// All lines of a customer are reopened by hand.
    Reopen {
        /// Whose.
        customer: String,
        /// By whom.
        by: String,
        /// Why.
        reason: String,
    },
    /// The rest of an invoice is given up.
    WriteOff {
        /// Of which invoice.
        invoice: InvoiceRef,
        /// Why.
        reason: String,
    },
    /// A write-off is taken back.
    TakeBackWriteOff {
        /// Of which invoice.
        invoice: InvoiceRef,
        /// Why.
        reason: String,
    },
    /// A part of an invoice was wrong and is given back.
    Correct {
        /// Of which invoice.
        invoice: InvoiceRef,
        /// How much, with PPN.
        amount: Money,
        /// Why.
        reason: String,
    },
    /// An invoice is taken away. Only a system whose people may do that has it: the engine's invoices never change.
    Cancel {
        /// Which.
        invoice: InvoiceRef,
        /// Whether the next run may bill its period again.
        bill_again: bool,
    },
    /// An installation with its fee.
    Install {
        /// Of which subscription.
        subscription: String,
        /// The fee before PPN.
        fee: Money,
        /// On which day.
        on: Date,
        /// In how many parts.
        instalments: u8,
        /// With the first periodic invoice, rather than by itself.
        with_first_invoice: bool,
    },
    /// A package gets a price from a day on.
    Price {
        /// Which package.
        package: String,
        /// From when.
        from: Date,
        /// How much a month.
        price: Money,
    },
    /// The provider decides anew: this policy holds from now on.
    Policy {
        /// All of it.
        policy: Box<Policy>,
    },
    /// Something is recorded, corrected or taken back.
    Record(Record),
    /// The router of a site stops answering, or answers again.
    Router {
        /// Where.
        site: String,
        /// Whether it is down.
        down: bool,
    },
    /// WhatsApp stops answering, or answers again.
    Whatsapp {
        /// Whether it is down.
        down: bool,
    },
}

/// What a person says about a proof of transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewWord {
    /// The money is there.
    Accepted,
    /// It is not.
    Rejected,
    /// The proof was recorded by mistake.
    TakenBack,
}

/// What a person says about money of the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BankWord {
    /// It is a customer's payment.
    Matched,
    /// It is nobody's.
    Ignored,
    /// What was said of it was wrong.
    TakenBack,
}

/// Names an invoice without its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InvoiceRef {
    /// Of which subscription.
    pub subscription: String,
    /// Its kind, such as `subscription`.
    pub kind: String,
    /// The first day of its period.
    pub start: Date,
}

/// What must be true of one subscription and its customer. What is `None` is not asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// Which subscription.
    pub of: String,
    /// All invoices of the subscription so far.
    pub invoices: Option<Vec<ExpectedInvoice>>,
    /// All credit notes of the subscription so far.
    pub credit_notes: Option<Vec<ExpectedNote>>,
    /// What the customer owes in all.
    pub owed: Option<Money>,
    /// What the customer has as credit.
    pub credit: Option<Money>,
    /// What is wanted of the line: `open`, `isolated`, `closed`.
    pub access: Option<String>,
    /// Why, as [`isp_core::isolation::Reason`] has it.
    pub reason: Option<String>,
    /// What the router says.
    pub router: Option<String>,
    /// What the last message of the customer was answered, as [`isp_core::message::inbound::Answer`] has it; `none` for no answer.
    pub answer: Option<String>,
    /// Where the last request of the customer at a gateway stands.
    pub request: Option<String>,
    /// All messages to the customer so far.
    pub messages: Option<Vec<ExpectedMessage>>,
    /// The code with which the last run reported that it could not bill the subscription; `none` for none.
    pub problem: Option<String>,
    /// How many lines of its router the breaker held back in the last run.
    pub held: Option<u64>,
    /// Why money of the bank waits for a person, by [`isp_core::bank::Doubt`], in the order of the words.
    pub waits: Option<Vec<String>>,
    /// The balances of accounts, debit positive, by [`isp_core::ledger::Account`].
    pub books: Option<BTreeMap<String, Money>>,
}

/// An invoice that must be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExpectedInvoice {
    /// A code such as `subscription` or `late_fee`.
    pub kind: String,
    /// Its days.
    pub period: Period,
    /// Day of issue.
    pub issued: Option<Date>,
    /// Due date.
    pub due: Option<Date>,
    /// Amounts by kind of line.
    pub lines: Option<BTreeMap<String, Money>>,
    /// The price without PPN.
    pub dpp: Option<Money>,
    /// The tax in the total; not looked at when it is not said.
    pub ppn: Option<Money>,
    /// What is to be paid.
    pub total: Option<Money>,
    /// What is still owed of it.
    pub open: Option<Money>,
}

/// A credit note that must be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExpectedNote {
    /// Its days.
    pub period: Period,
    /// Why, as [`isp_core::billing::CreditReason`] has it.
    pub reason: Option<String>,
    /// Day of issue.
    pub issued: Option<Date>,
    /// Amounts by kind of line.
    pub lines: Option<BTreeMap<String, Money>>,
    /// Without PPN.
    pub dpp: Option<Money>,
    /// The tax in what is given back; not looked at when it is not said.
    pub ppn: Option<Money>,
    /// What is given back.
    pub total: Option<Money>,
}

/// A message that must have left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExpectedMessage {
    /// Its kind, such as `due_soon`.
    pub kind: String,
    /// On which day of the customer's calendar.
    pub on: Date,
    /// At which time of it, `HH:MM`.
    pub at: Option<String>,
    /// The amount that it names.
    pub amount: Option<Money>,
}

impl Case {
    /// The subscription of that name.
    #[must_use]
    pub fn subscription(&self, name: &str) -> Option<&CaseSubscription> {
        self.subscriptions.iter().find(|s| s.name == name)
    }
}
