//! What stands on a paper, in its customer's language: words and figures in no form yet. The page and the PDF show the same.

use std::fmt;

use isp_core::customer::Customer;
use isp_core::money::Money;
use isp_core::text::Language;

use super::{Stationery, Words};

/// A bill or a receipt, ready to be shown. Personal.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Paper {
    /// The language of its words.
    pub language: Language,
    /// The provider's name.
    pub provider: String,
    /// Address, tax number and contact of the provider, a line each.
    pub letterhead: Vec<String>,
    /// What it is.
    pub title: &'static str,
    /// Its number, as customers know it.
    pub number: String,
    /// The customer, and what the customer is on it.
    pub whose: Whose,
    /// What is known of it, in order.
    pub facts: Vec<Fact>,
    /// A word on what became of it, on which the eye falls first.
    pub mark: Option<&'static str>,
    /// What the two columns of its table hold.
    pub columns: [&'static str; 2],
    /// The rows of its table.
    pub rows: Vec<Row>,
    /// What the rows come to.
    pub sums: Vec<Sum>,
    /// How to pay what is left.
    pub ways: Option<Ways>,
    /// Who signs, and on which day.
    pub sign: Option<Sign>,
}

/// A customer, and under what the customer is on a paper.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Whose {
    /// What the customer is: to whom it goes, or from whom something came.
    pub label: &'static str,
    /// The customer's name.
    pub name: String,
    /// The customer's ID, with the words in front of it.
    pub code: String,
}

/// A word and what it is on this paper.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fact {
    /// The word.
    pub label: &'static str,
    /// What it is.
    pub value: String,
    /// True for what matters most.
    pub strong: bool,
}

/// A row of the table.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// In a few words, such as the package.
    pub what: String,
    /// More of it, in small letters.
    pub more: Vec<String>,
    /// What it comes to.
    pub amount: Money,
}

/// A sum below the table.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sum {
    /// What it is.
    pub label: &'static str,
    /// How much.
    pub amount: Money,
    /// True for what everything comes to.
    pub total: bool,
}

/// How to pay.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ways {
    /// The words above.
    pub title: &'static str,
    /// Accounts and places, one each.
    pub ways: Vec<String>,
    /// What to name.
    pub name: String,
    /// The text of a QRIS code with the amount in it.
    pub qris: Option<String>,
}

/// Room for a signature.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sign {
    /// The day, in words.
    pub on: String,
    /// The provider's name.
    pub name: String,
}

impl fmt::Debug for Paper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paper").field("title", &self.title).field("rows", &self.rows.len()).finish_non_exhaustive()
    }
}

/// An amount with a blank behind the sign, as people write it.
pub(super) fn rupiah(amount: Money) -> String {
    isp_whatsapp::text::rupiah(amount)
}

/// The provider's name.
pub(super) fn provider(of: &Stationery<'_>) -> String {
    of.sender.map_or_else(String::new, |sender| sender.name.as_str().to_owned())
}

/// Address, tax number and contact.
pub(super) fn letterhead(of: &Stationery<'_>) -> Vec<String> {
    let mut lines = of.letterhead.address.clone();
    lines.extend(of.letterhead.npwp.as_ref().map(|npwp| format!("NPWP {npwp}")));
    lines.extend(of.sender.and_then(|sender| sender.contact.clone()));
    lines
}

/// The name and the ID of a customer.
pub(super) fn whose(label: &'static str, customer: &Customer, words: Words) -> Whose {
    let code = format!("{} {}", words.of("ID pelanggan", "Customer ID"), customer.code);
    Whose { label, name: customer.name.as_str().to_owned(), code }
}

/// How to pay this much: accounts, and the own QRIS code with the amount in it. `None` when there is neither.
pub(super) fn ways_to_pay(of: &Stationery<'_>, number: &str, amount: Money, words: Words) -> Option<Ways> {
    let ways = of.sender.map_or_else(Vec::new, |sender| sender.pay_to.clone());
    let most = isp_core::payment::qris::MOST;
    let qris = of.qris.filter(|_| amount <= most).and_then(|qris| qris.with_amount(amount).ok());
    (!ways.is_empty() || qris.is_some()).then(|| Ways {
        title: words.of("Cara bayar", "How to pay"),
        ways,
        name: format!("{} {number}", words.of("Sebutkan nomor", "Name the number")),
        qris,
    })
}
