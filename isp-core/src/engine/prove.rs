//! The complete proof of the books: every document and the whole journal are read, a page at a time, and compared with each other and
//! with the sums that are kept. `isp doctor` asks for it; a report compares the sums only.

use std::collections::{BTreeMap, BTreeSet};

use crate::billing::{CreditNote, Invoice};
use crate::calendar::{Date, Month, Zone};
use crate::engine::pages::all_pages;
use crate::engine::tie::{Ties, Untied, untied};
use crate::engine::{Engine, EngineError};
use crate::ids::{InvoiceId, JournalEntryId};
use crate::ledger::kept::Sums;
use crate::ledger::{
    Account, EntryKind, JournalEntry, entries_for_invoices, entry_for_credit_note, entry_for_credit_note_back,
    entry_for_payment, entry_for_reversal,
};
use crate::money::Money;
use crate::payment::Channel;
use crate::ports::{CreditNoteRow, ExpenseRow, InvoiceQuery, PageQuery, PaymentRow};

/// How often the rows are read again when somebody wrote meanwhile.
const TRIES: usize = 3;

/// What came of a proof of the books.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proof {
    /// Where documents and journal differ, by their rows.
    pub ties: Ties,
    /// Sums that are kept and are not those of the rows: which, what is kept, and what the rows come to.
    pub sums: Vec<String>,
    /// False when somebody wrote each time while the rows were read, so that nothing can be said.
    pub settled: bool,
}

/// Debit positive, by month, kind of entry and account.
type Issued = BTreeMap<(Month, EntryKind, Account), Money>;

/// What all rows come to.
#[derive(Default)]
struct Rows {
    sums: Sums,
    /// What invoices and credit notes would be booked as, line by line.
    issued: Issued,
}

impl Rows {
    fn book(&mut self, entries: impl IntoIterator<Item = JournalEntry>) {
        for entry in entries {
            for line in &entry.lines {
                *self.issued.entry((entry.date.month(), entry.kind, line.account)).or_default() += line.amount;
            }
        }
    }
}

impl Engine<'_> {
    /// Proves the books: reads every document and the journal, and compares them with each other and with the sums that are kept. It takes
    /// as long as there are documents, and little memory as long as nothing differs.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn prove(&self) -> Result<Proof, EngineError> {
        for _ in 0..TRIES {
            let before = self.store.kept_sums(self.tenant).await?;
            let rows = self.rows().await?;
            let kept = self.store.kept_sums(self.tenant).await?;
            // Rows are read page by page, so of several moments. Each commit moves a sum, or nothing that is looked at here.
            if before == kept {
                return self.against(kept, rows).await;
            }
        }
        Ok(Proof::default())
    }

    /// What the documents and the journal come to, row by row.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn sums_of_rows(&self) -> Result<Sums, EngineError> {
        Ok(self.rows().await?.sums)
    }

    async fn against(&self, kept: Sums, rows: Rows) -> Result<Proof, EngineError> {
        let Rows { sums, issued } = rows;
        let (first, last) = (Date::MIN.month(), Date::MAX.month());
        let mut apart = untied(&sums, first, last);
        let mut booked = Issued::new();
        for total in sums.totals().iter().filter(|t| matches!(t.kind, EntryKind::Invoices | EntryKind::CreditNote)) {
            *booked.entry((total.month(), total.kind, total.account)).or_default() += total.amount;
        }
        let keys: BTreeSet<_> = issued.keys().chain(booked.keys()).copied().collect();
        for key @ (month, _, account) in keys {
            let of = |sums: &Issued| sums.get(&key).copied().unwrap_or_default();
            let difference = Untied { account, month: Some(month), documents: of(&issued), journal: of(&booked) };
            if difference.documents != difference.journal && !apart.contains(&difference) {
                apart.push(difference);
            }
        }
        let unbalanced: Money = sums.journal.values().sum();
        let found = if apart.is_empty() && unbalanced.is_zero() { Vec::new() } else { self.altered().await? };
        Ok(Proof { ties: Ties { untied: apart, found }, sums: differing(&kept, &sums), settled: true })
    }

    async fn rows(&self) -> Result<Rows, EngineError> {
        let mut rows = Rows::default();
        for total in self.store.journal_totals(self.tenant, Date::MIN, Date::MAX.plus_days(1)).await? {
            let key = (total.month, total.account, total.kind, total.package_id, total.site_id);
            rows.sums.journal.insert(key, total.amount);
        }
        let mut page = PageQuery::first(self.page);
        loop {
            let found = self.store.invoices(self.tenant, InvoiceQuery::default(), page).await?;
            let more = page.advance(&found, |(last, _)| last.id);
            for (invoice, paid) in &found {
                rows.sums.invoice(invoice);
                rows.sums.open((invoice.due_date, invoice.package_id, invoice.site_id), -*paid);
            }
            let issued: Vec<Invoice> = found.into_iter().map(|(invoice, _)| invoice).collect();
            rows.book(entries_for_invoices(&issued));
            if !more {
                break;
            }
        }
        for (_, entries) in self.note_entries().await? {
            rows.book(entries);
        }
        let mut page = PageQuery::first(self.page);
        loop {
            let found = self.store.payments(self.tenant, None, page).await?;
            for PaymentRow { payment, left, reversal } in &found {
                rows.sums.payment(payment);
                match reversal {
                    Some(_) => {
                        rows.sums.reversed(payment);
                        rows.sums.used(-*left);
                    }
                    None => rows.sums.used(payment.amount - *left),
                }
            }
            if !page.advance(&found, |last| last.payment.id) {
                break;
            }
        }
        for ExpenseRow { expense, ending } in self.store.expenses(self.tenant).await? {
            rows.sums.expense(&expense);
            if ending.is_some() {
                rows.sums.expense_back(&expense);
            }
        }
        for step in self.store.device_history(self.tenant, None).await? {
            rows.sums.device(step.cost);
        }
        Ok(rows)
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

    /// Which documents differ from their entries, or from themselves. All of them are held meanwhile: something is wrong then.
    pub(super) async fn altered(&self) -> Result<Vec<String>, EngineError> {
        let invoices = self.invoices_of(InvoiceQuery::default()).await?;
        let notes = self.note_entries().await?;
        let payments =
            all_pages(self.page, |page| self.store.payments(self.tenant, None, page), |row| row.payment.id).await?;
        let expenses = self.store.expenses(self.tenant).await?;
        let devices = self.store.device_history(self.tenant, None).await?;
        let load = |page| self.store.journal(self.tenant, page);
        let entries = all_pages(self.page, load, |entry| entry.id).await?;
        let mut found: Vec<String> = Vec::new();
        for entry in entries.iter().filter(|entry| !entry.balances()) {
            found.push(format!("{} {} {}", entry.kind.code(), entry.date, entry.id));
        }
        let mut paid: BTreeMap<InvoiceId, Money> = BTreeMap::new();
        for row in &payments {
            for a in self.store.allocations(self.tenant, row.payment.id).await? {
                *paid.entry(a.invoice_id).or_default() += a.amount;
            }
        }
        for (invoice, said) in &invoices {
            if !invoice.adds_up() || paid.get(&invoice.id).copied().unwrap_or_default() != *said {
                found.push(invoice.display_number());
            }
        }
        let issued: Vec<Invoice> = invoices.iter().map(|(invoice, _)| invoice.clone()).collect();
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
        for (note, entries) in &notes {
            let booked = |entry: &JournalEntry| entry.lines.iter().all(|line| same(entry, line.account));
            if !note.adds_up() || !entries.iter().all(booked) {
                found.push(note.display_number());
            }
        }
        for PaymentRow { payment, reversal, .. } in
            payments.iter().filter(|row| row.payment.channel != Channel::CreditNote)
        {
            let (came, day) = (entry_for_payment(payment, &[], &[], Date::MIN), Date::MIN);
            let back = reversal.as_ref().map(|_| entry_for_reversal(payment, &[], &[], day));
            if !same(&came, payment.account()) || back.is_some_and(|back| !same(&back, payment.account())) {
                found.push(format!("{} {}", payment.provider, payment.reference));
            }
        }
        for ExpenseRow { expense, ending } in &expenses {
            let back = ending.as_ref().map(|_| expense.reversal());
            if !same(&expense.entry(), expense.category) || back.is_some_and(|back| !same(&back, expense.category)) {
                found.push(format!("{} {} {}", EntryKind::Expense.code(), expense.on, expense.amount));
            }
        }
        for step in &devices {
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

/// Which sums are kept otherwise than the rows come to.
fn differing(kept: &Sums, rows: &Sums) -> Vec<String> {
    let mut found = Vec::new();
    let mut differs = |name: String, kept: Option<&Money>, rows: Option<&Money>| {
        let (kept, rows) = (kept.copied().unwrap_or_default(), rows.copied().unwrap_or_default());
        if kept != rows {
            found.push(format!("{name}: {kept} / {rows}"));
        }
    };
    let keys: BTreeSet<_> = kept.journal.keys().chain(rows.journal.keys()).collect();
    for key @ (month, account, kind, ..) in keys {
        let name = format!("journal {} {} {}", month.month(), kind.code(), account.code());
        differs(name, kept.journal.get(key), rows.journal.get(key));
    }
    let keys: BTreeSet<_> = kept.documents.keys().chain(rows.documents.keys()).collect();
    for key @ (of, month, account) in keys {
        let month = month.map_or_else(String::new, |month| format!(" {month}"));
        let name = format!("{}{month} {}", of.code(), account.code());
        differs(name, kept.documents.get(key), rows.documents.get(key));
    }
    let keys: BTreeSet<_> = kept.open.keys().chain(rows.open.keys()).collect();
    for key in keys {
        differs(format!("open {}", key.0), kept.open.get(key), rows.open.get(key));
    }
    found
}
