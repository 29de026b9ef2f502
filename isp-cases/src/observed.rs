//! What a host tells: the state of one subscription and its customer at a moment.

use std::collections::BTreeMap;

use isp_core::Money;
use isp_core::calendar::{Date, Period};
use serde::{Deserialize, Serialize};

/// What a host sees of one subscription and its customer. What it cannot see is `None`, or empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Observed {
    /// All invoices of the subscription.
    pub invoices: Vec<ObservedInvoice>,
    /// All credit notes of the subscription.
    pub credit_notes: Vec<ObservedNote>,
    /// What the customer owes in all.
    pub owed: Option<Money>,
    /// What the customer has as credit.
    pub credit: Option<Money>,
    /// What is wanted of the line.
    pub access: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// What the router says.
    pub router: Option<String>,
    /// What the last message of the customer was answered.
    pub answer: Option<String>,
    /// Where the last request of the customer at a gateway stands.
    pub request: Option<String>,
    /// All messages that reached the customer, in order.
    pub messages: Vec<ObservedMessage>,
    /// Why the last run could not bill it.
    pub problem: Option<String>,
    /// Lines of its router that the breaker held back in the last run.
    pub held: u64,
    /// Why money of the bank waits for a person, in the order of the words.
    pub waits: Option<Vec<String>>,
    /// The balances of all accounts of the provider that hold something, debit positive.
    pub books: BTreeMap<String, Money>,
}

/// An invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObservedInvoice {
    /// A code such as `subscription` or `late_fee`.
    pub kind: String,
    /// Its days.
    pub period: Period,
    /// Day of issue.
    pub issued: Date,
    /// Due date.
    pub due: Date,
    /// Kind and amount of each line.
    pub lines: Vec<(String, Money)>,
    /// The price without PPN.
    pub dpp: Money,
    /// The tax in the total.
    pub ppn: Money,
    /// What is to be paid.
    pub total: Money,
    /// What is still owed of it.
    pub open: Money,
}

/// A credit note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObservedNote {
    /// Its days.
    pub period: Period,
    /// Why.
    pub reason: String,
    /// Day of issue.
    pub issued: Date,
    /// Kind and amount of each line.
    pub lines: Vec<(String, Money)>,
    /// Without PPN.
    pub dpp: Money,
    /// The tax in what is given back.
    pub ppn: Money,
    /// What is given back.
    pub total: Money,
}

/// A message that reached a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObservedMessage {
    /// A code such as `due_soon` or `isolated`.
    pub kind: String,
    /// On which day of the customer's calendar.
    pub on: Date,
    /// At which time, `HH:MM`.
    pub at: String,
    /// The amount that it names.
    #[serde(default)]
    pub amount: Option<Money>,
}
