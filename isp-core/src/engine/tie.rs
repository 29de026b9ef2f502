//! Whether the reports tie to the ledger: sums of documents against sums of the journal. In books that nobody altered by hand they
//! are the same to the rupiah.

use std::collections::BTreeMap;

use crate::billing::{CreditNote, Invoice};
use crate::calendar::{Date, Month, Zone};
use crate::device::DeviceHistory;
use crate::engine::pages::all_pages;
use crate::engine::{Engine, EngineError};
use crate::ids::{InvoiceId, JournalEntryId};
use crate::ledger::{
    Account, EntryKind, JournalEntry, entries_for_invoices, entry_for_credit_note, entry_for_credit_note_back,
    entry_for_payment, entry_for_reversal,
};
use crate::money::Money;
use crate::payment::Channel;
use crate::ports::{CreditNoteRow, ExpenseRow, InvoiceQuery, PaymentRow};

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

/// Debit positive, by month, kind of entry and account.
type Sums = BTreeMap<(Month, EntryKind, Account), Money>;

/// All documents.
struct Documents {
    invoices: Vec<(Invoice, Money)>,
    notes: Vec<(CreditNote, Vec<JournalEntry>)>,
    payments: Vec<PaymentRow>,
    expenses: Vec<ExpenseRow>,
    devices: Vec<DeviceHistory>,
}

impl Engine<'_> {
    /// Compares what invoices and credit notes of the months come to, and what is open, credit, received and spent in all, with the
    /// journal. Only when something differs, every document is looked at.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn ties(&self, first: Month, last: Month) -> Result<Ties, EngineError> {
        let totals = self.store.journal_totals(self.tenant, Date::MIN, Date::MAX).await?;
        let of_months = InvoiceQuery {
            issued_from: Some(first.first()),
            issued_before: Some(last.plus(1).first()),
            ..InvoiceQuery::default()
        };
        let invoices = self.invoices_of(of_months).await?;
        let notes = self.note_entries().await?;
        let payments =
            all_pages(self.page, |page| self.store.payments(self.tenant, None, page), |row| row.payment.id).await?;
        let expenses = self.store.expenses(self.tenant).await?;
        let devices = self.store.device_history(self.tenant, None).await?;
        let mut untied = Vec::new();
        let mut differs = |account, month, documents: Money, journal: Money| {
            if documents != journal {
                untied.push(Untied { account, month, documents, journal });
            }
        };

        let issued: Vec<Invoice> = invoices.iter().map(|(invoice, _)| invoice.clone()).collect();
        let of_notes = notes.iter().flat_map(|(_, entries)| entries.iter().cloned());
        let of_notes = of_notes.filter(|entry| (first..=last).contains(&entry.date.month()));
        let expected = sums(entries_for_invoices(&issued).into_iter().chain(of_notes));
        let mut booked = Sums::new();
        let of_documents = [EntryKind::Invoices, EntryKind::CreditNote];
        for t in totals.iter().filter(|t| of_documents.contains(&t.kind) && (first..=last).contains(&t.month())) {
            *booked.entry((t.month(), t.kind, t.account)).or_default() += t.amount;
        }
        let keys: std::collections::BTreeSet<_> = expected.keys().chain(booked.keys()).copied().collect();
        for key @ (month, _, account) in keys {
            let of = |sums: &Sums| sums.get(&key).copied().unwrap_or_default();
            differs(account, Some(month), of(&expected), of(&booked));
        }

        let journal = |account: Account, kinds: &[EntryKind]| -> Money {
            let of = totals.iter().filter(|t| t.account == account && (kinds.is_empty() || kinds.contains(&t.kind)));
            of.map(|t| t.amount).sum()
        };
        let open: Money = self.all_open().await?.iter().map(|i| i.residual()).sum();
        differs(Account::Receivable, None, open, journal(Account::Receivable, &[]));
        let standing = || payments.iter().filter(|row| row.reversal.is_none());
        let credit: Money = standing().map(|row| row.left).sum();
        differs(Account::CustomerCredit, None, -credit, journal(Account::CustomerCredit, &[]));
        let receiving = [EntryKind::Payment, EntryKind::WriteOff, EntryKind::Reversal];
        let money = Account::ALL.into_iter().filter(|account| account.is_money());
        let channels = money.chain([Account::Pph23Prepaid, Account::WriteOff]);
        for account in channels {
            let money = standing().filter(|row| row.payment.channel != Channel::CreditNote);
            let came = money.filter(|row| row.payment.account() == account).map(|row| row.payment.amount).sum();
            differs(account, None, came, journal(account, &receiving));
        }
        for account in Account::ALL.into_iter().filter(|account| account.is_result()) {
            let spent = expenses.iter().filter(|row| row.ending.is_none() && row.expense.category == account);
            differs(account, None, spent.map(|row| row.expense.amount).sum(), journal(account, &[EntryKind::Expense]));
        }
        let cost = devices.iter().map(|step| step.cost).sum();
        differs(Account::DeviceCost, None, cost, journal(Account::DeviceCost, &[EntryKind::DeviceCost]));
        let unbalanced: Money = totals.iter().map(|t| t.amount).sum();
        if untied.is_empty() && unbalanced.is_zero() {
            return Ok(Ties::default());
        }
        let invoices = self.invoices_of(InvoiceQuery::default()).await?;
        let found = self.altered(&Documents { invoices, notes, payments, expenses, devices }).await?;
        Ok(Ties { untied, found })
    }

    /// All credit notes with their entries: of one that was taken back also the second, on its day.
    async fn note_entries(&self) -> Result<Vec<(CreditNote, Vec<JournalEntry>)>, EngineError> {
        let sites = self.store.sites(self.tenant).await?;
        let zone = |id| sites.iter().find(|site| site.id == id).map_or(Zone::Wib, |site| site.zone);
        let entries = |CreditNoteRow { note, taken_back }| {
            let back = taken_back.map(|back| entry_for_credit_note_back(&note, back.at, zone(note.site_id)));
            let entries = std::iter::once(entry_for_credit_note(&note)).chain(back).collect();
            (note, entries)
        };
        Ok(self.note_rows(None).await?.into_iter().map(entries).collect())
    }

    pub(crate) async fn invoices_of(&self, query: InvoiceQuery) -> Result<Vec<(Invoice, Money)>, EngineError> {
        let load = |page| self.store.invoices(self.tenant, query, page);
        all_pages(self.page, load, |(invoice, _)| invoice.id).await
    }

    /// Which documents differ from their entries, or from themselves.
    async fn altered(&self, documents: &Documents) -> Result<Vec<String>, EngineError> {
        let load = |page| self.store.journal(self.tenant, page);
        let entries = all_pages(self.page, load, |entry| entry.id).await?;
        let mut found: Vec<String> = Vec::new();
        for entry in entries.iter().filter(|entry| !entry.balances()) {
            found.push(format!("{} {} {}", entry.kind.code(), entry.date, entry.id));
        }
        let mut paid: BTreeMap<InvoiceId, Money> = BTreeMap::new();
        for row in &documents.payments {
            for a in self.store.allocations(self.tenant, row.payment.id).await? {
                *paid.entry(a.invoice_id).or_default() += a.amount;
            }
        }
        for (invoice, said) in &documents.invoices {
            if !invoice.adds_up() || paid.get(&invoice.id).copied().unwrap_or_default() != *said {
                found.push(invoice.display_number());
            }
        }
        let issued: Vec<Invoice> = documents.invoices.iter().map(|(invoice, _)| invoice.clone()).collect();
        let by_day = |entries: &mut dyn Iterator<Item = &JournalEntry>| {
            let mut days: BTreeMap<Date, Money> = BTreeMap::new();
            for entry in entries.filter(|entry| entry.kind == EntryKind::Invoices) {
                *days.entry(entry.date).or_default() += on(entry, Account::Receivable);
            }
            days
        };
        let (written, booked) = (entries_for_invoices(&issued), by_day(&mut entries.iter()));
        let written = by_day(&mut written.iter());
        let days: std::collections::BTreeSet<Date> = written.keys().chain(booked.keys()).copied().collect();
        let differing = days.into_iter().filter(|day| written.get(day) != booked.get(day));
        found.extend(differing.map(|day| format!("{} {day}", EntryKind::Invoices.code())));

        let by_id: BTreeMap<JournalEntryId, &JournalEntry> = entries.iter().map(|entry| (entry.id, entry)).collect();
        let same = |expected: &JournalEntry, account: Account| {
            by_id.get(&expected.id).is_some_and(|entry| on(entry, account) == on(expected, account))
        };
        for (note, entries) in &documents.notes {
            let booked = |entry: &JournalEntry| entry.lines.iter().all(|line| same(entry, line.account));
            if !note.adds_up() || !entries.iter().all(booked) {
                found.push(note.display_number());
            }
        }
        for PaymentRow { payment, reversal, .. } in
            documents.payments.iter().filter(|row| row.payment.channel != Channel::CreditNote)
        {
            let (came, day) = (entry_for_payment(payment, &[], &[], Date::MIN), Date::MIN);
            let back = reversal.as_ref().map(|_| entry_for_reversal(payment, &[], &[], day));
            if !same(&came, payment.account()) || back.is_some_and(|back| !same(&back, payment.account())) {
                found.push(format!("{} {}", payment.provider, payment.reference));
            }
        }
        for ExpenseRow { expense, ending } in &documents.expenses {
            let back = ending.as_ref().map(|_| expense.reversal());
            if !same(&expense.entry(), expense.category) || back.is_some_and(|back| !same(&back, expense.category)) {
                found.push(format!("{} {} {}", EntryKind::Expense.code(), expense.on, expense.amount));
            }
        }
        for step in &documents.devices {
            if step.entry().is_some_and(|entry| !same(&entry, Account::DeviceCost)) {
                found.push(format!("{} {} {}", EntryKind::DeviceCost.code(), step.on, step.cost));
            }
        }
        Ok(found)
    }
}

fn on(entry: &JournalEntry, account: Account) -> Money {
    entry.lines.iter().filter(|line| line.account == account).map(|line| line.amount).sum()
}

fn sums(entries: impl Iterator<Item = JournalEntry>) -> Sums {
    let mut sums = Sums::new();
    for entry in entries {
        for line in &entry.lines {
            *sums.entry((entry.date.month(), entry.kind, line.account)).or_default() += line.amount;
        }
    }
    sums.retain(|_, amount: &mut Money| !amount.is_zero());
    sums
}
