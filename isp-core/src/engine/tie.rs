//! Whether the reports tie to the ledger: sums of documents against sums of the journal. In books that nobody altered by hand they
//! are the same to the rupiah. [`prove`](super::prove) reads every document for it; here the sums that are kept are compared.

use std::collections::BTreeSet;

use crate::calendar::Month;
use crate::engine::{Engine, EngineError};
use crate::ledger::kept::{Documents, Sums};
use crate::ledger::{Account, EntryKind};
use crate::money::Money;

/// An account on which documents and journal differ.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Untied {
    /// Which account.
    pub account: Account,
    /// The month, where the difference is of one.
    pub month: Option<Month>,
    /// What the documents come to.
    pub documents: Money,
    /// What the journal comes to.
    pub journal: Money,
}

/// Where the books do not tie.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ties {
    /// The accounts that differ.
    pub untied: Vec<Untied>,
    /// The documents that differ from the journal or from themselves: numbers of invoices and credit notes, providers and references of
    /// payments, days of expenses.
    pub found: Vec<String>,
}

impl Engine<'_> {
    /// Compares the sums that are kept: what invoices of the months demand, and what is open, credit, received and spent in all, with the
    /// journal. Only when something differs, every document is looked at. What was altered by hand in a row beside its sums is found by
    /// [`Engine::prove`].
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn ties(&self, first: Month, last: Month) -> Result<Ties, EngineError> {
        let untied = untied(&self.store.kept_sums(self.tenant).await?, first, last);
        if untied.is_empty() {
            return Ok(Ties::default());
        }
        Ok(Ties { untied, found: self.altered().await? })
    }
}

/// Where the sums of documents and those of the journal differ, months of invoices from `first` to `last` only.
pub(super) fn untied(sums: &Sums, first: Month, last: Month) -> Vec<Untied> {
    let mut untied = Vec::new();
    let mut differs = |account, month, documents: Money, journal: Money| {
        if documents != journal {
            untied.push(Untied { account, month, documents, journal });
        }
    };
    let totals = sums.totals();
    let documents =
        |of: Documents, month, account| sums.documents.get(&(of, month, account)).copied().unwrap_or_default();
    let journal = |account: Account, kinds: &[EntryKind]| -> Money {
        let of = totals.iter().filter(|t| t.account == account && (kinds.is_empty() || kinds.contains(&t.kind)));
        of.map(|t| t.amount).sum()
    };
    let invoices = || totals.iter().filter(|t| t.kind == EntryKind::Invoices);
    let of_documents = sums.documents.keys().filter(|(of, ..)| *of == Documents::Invoices).filter_map(|key| key.1);
    let months: BTreeSet<Month> = of_documents.chain(invoices().map(|t| t.month())).collect();
    for month in months.into_iter().filter(|month| (first..=last).contains(month)) {
        for account in [Account::Receivable, Account::PpnPayable] {
            let booked = invoices().filter(|t| t.month() == month && t.account == account).map(|t| t.amount).sum();
            differs(account, Some(month), documents(Documents::Invoices, Some(month), account), booked);
        }
    }
    differs(Account::Receivable, None, sums.open.values().sum(), journal(Account::Receivable, &[]));
    let credit = Account::CustomerCredit;
    differs(credit, None, documents(Documents::Credit, None, credit), journal(credit, &[]));
    differs(credit, None, documents(Documents::CreditNotes, None, credit), journal(credit, &[EntryKind::CreditNote]));
    let receiving = [EntryKind::Payment, EntryKind::WriteOff, EntryKind::Reversal];
    let money = Account::ALL.into_iter().filter(|account| account.is_money());
    for account in money.chain([Account::Pph23Prepaid, Account::WriteOff]) {
        differs(account, None, documents(Documents::Payments, None, account), journal(account, &receiving));
    }
    for account in Account::ALL.into_iter().filter(|account| account.is_result()) {
        differs(account, None, documents(Documents::Expenses, None, account), journal(account, &[EntryKind::Expense]));
    }
    let cost = Account::DeviceCost;
    differs(cost, None, documents(Documents::Devices, None, cost), journal(cost, &[EntryKind::DeviceCost]));
    untied
}
