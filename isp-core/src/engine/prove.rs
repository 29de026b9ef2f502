//! The complete proof of the books: every document and the whole journal are read, a page at a time, and compared with each other and
//! with the sums that are kept. `isp doctor` asks for it; a report compares the sums only.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::billing::{CreditNote, Invoice};
use crate::calendar::{Date, Month, Zone};
use crate::engine::pages::all_pages;
use crate::engine::tie::{Ties, untied};
use crate::engine::{Engine, EngineError};
use crate::ids::{CreditNoteId, DeviceHistoryId, InvoiceId, JournalEntryId, PackageId, PaymentId, SiteId};
use crate::ledger::compare::{Difference, Expected, has_document};
use crate::ledger::kept::Sums;
use crate::ledger::{
    Account, EntryKind, JournalEntry, entries_for_invoices, entry_for_credit_note, entry_for_credit_note_back,
    entry_for_payment, entry_for_reversal,
};
use crate::money::Money;
use crate::payment::Channel;
use crate::place::Site;
use crate::ports::{CreditNoteRow, DepositRow, ExpenseRow, InvoiceQuery, PageQuery, PaymentRow, PayoutRow, RefundRow};

/// How often the rows are read again when somebody wrote meanwhile.
const TRIES: usize = 3;

/// How many documents that are booked otherwise are named; the others are counted.
const NAMED: usize = 100;

/// What came of a proof of the books.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proof {
    /// Where documents and journal differ, by their rows.
    pub ties: Ties,
    /// The documents that are not booked as they stand.
    pub documents: Documents,
    /// Sums that are kept and are not those of the rows: which, what is kept, and what the rows come to.
    pub sums: Vec<String>,
    /// False when somebody wrote each time while the rows were read, so that nothing can be said.
    pub settled: bool,
}

/// Documents that are not booked as they stand, and entries that are of no document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Documents {
    /// How many.
    pub count: u64,
    /// The first of them: what each is called, and how it differs from its entry.
    pub named: Vec<(String, Difference)>,
}

impl Documents {
    fn add(&mut self, name: impl FnOnce() -> String, difference: Difference) {
        self.count += 1;
        if self.named.len() < NAMED {
            self.named.push((name(), difference));
        }
    }
}

/// What invoices of a month are booked as, by account, package and site; debit positive.
type Issued = BTreeMap<(Month, Account, Option<PackageId>, Option<SiteId>), Money>;
/// What invoices of a day are booked as; debit positive.
type Days = BTreeMap<(Date, Account), Money>;

/// What all rows come to. It grows with months, packages and sites, and not with the number of documents.
#[derive(Default)]
struct Rows {
    sums: Sums,
    issued: Issued,
    days: Days,
    /// How many entries of each kind are those of documents.
    entries: BTreeMap<EntryKind, u64>,
    documents: Documents,
}

impl Rows {
    fn invoices(&mut self, invoices: &[Invoice]) {
        for entry in entries_for_invoices(invoices) {
            for line in &entry.lines {
                let place = (entry.date.month(), line.account, line.package_id, line.site_id);
                *self.issued.entry(place).or_default() += line.amount;
                *self.days.entry((entry.date, line.account)).or_default() += line.amount;
            }
        }
    }
}

/// A document: what it is called, and how its entry must look.
type Booked = (String, Expected);

/// Reads all documents but invoices, some at a time, and adds up what they come to.
struct Walk<'e> {
    engine: Engine<'e>,
    sites: Vec<Site>,
    sums: Sums,
    /// Documents whose lines are not their sum.
    odd: Vec<String>,
    next: Option<Next>,
}

/// What is read next.
enum Next {
    Notes(PageQuery<CreditNoteId>),
    Payments(PageQuery<PaymentId>),
    Devices(PageQuery<DeviceHistoryId>),
    Lists,
}

impl Walk<'_> {
    /// The next documents; `None` when all were read.
    async fn next(&mut self) -> Result<Option<Vec<Booked>>, EngineError> {
        let Engine { store, tenant, page: size, .. } = self.engine;
        let mut booked: Vec<Booked> = Vec::new();
        self.next = match self.next.take() {
            None => return Ok(None),
            Some(Next::Notes(mut page)) => {
                let found = store.credit_notes(tenant, None, page).await?;
                let more = page.advance(&found, |last| last.note.id);
                for row in found {
                    let back = row.taken_back.as_ref().map(|back| back.at);
                    let (note, entries) = note_entries(&self.sites, row);
                    self.odd.extend((!note.adds_up()).then(|| note.display_number()));
                    // The second entry is of the moment at which the note was taken back.
                    booked.extend(entries.into_iter().zip([None, back]).map(|(entry, at)| {
                        let expected = match at {
                            None => Expected::whole(entry),
                            Some(at) => Expected::at(entry, at),
                        };
                        (note.display_number(), expected)
                    }));
                }
                Some(if more { Next::Notes(page) } else { Next::Payments(PageQuery::first(size)) })
            }
            Some(Next::Payments(mut page)) => {
                let found = store.payments(tenant, None, page).await?;
                let more = page.advance(&found, |last| last.payment.id);
                for PaymentRow { payment, left, reversal } in &found {
                    self.sums.payment(payment);
                    match reversal {
                        Some(_) => {
                            self.sums.reversed(payment);
                            self.sums.used(-*left);
                        }
                        None => self.sums.used(payment.amount - *left),
                    }
                    // What a credit note gave is booked with the note.
                    if payment.channel != Channel::CreditNote {
                        let name = || format!("{} {}", payment.provider, payment.reference);
                        booked.push((name(), Expected::payment(payment)));
                        booked.extend(reversal.as_ref().map(|back| (name(), Expected::reversal(payment, back))));
                    }
                }
                Some(if more { Next::Payments(page) } else { Next::Devices(PageQuery::first(size)) })
            }
            Some(Next::Devices(mut page)) => {
                let found = store.device_steps(tenant, page).await?;
                let more = page.advance(&found, |last| last.id);
                for step in &found {
                    self.sums.device(step.cost);
                    let name = || format!("{} {} {}", EntryKind::DeviceCost.code(), step.on, step.cost);
                    booked.extend(step.entry().map(|entry| (name(), Expected::whole(entry))));
                }
                Some(if more { Next::Devices(page) } else { Next::Lists })
            }
            Some(Next::Lists) => {
                self.lists(&mut booked).await?;
                None
            }
        };
        Ok(Some(booked))
    }

    /// What people book by hand, one by one: expenses, deposits, payouts and refunds.
    async fn lists(&mut self, booked: &mut Vec<Booked>) -> Result<(), EngineError> {
        let Engine { store, tenant, .. } = self.engine;
        let mut add = |name: String, entries: Vec<JournalEntry>, back: Option<Vec<JournalEntry>>| {
            let entries = entries.into_iter().chain(back.into_iter().flatten());
            booked.extend(entries.map(|entry| (name.clone(), Expected::whole(entry))));
        };
        for ExpenseRow { expense, ending } in store.expenses(tenant).await? {
            self.sums.expense(&expense);
            if ending.is_some() {
                self.sums.expense_back(&expense);
            }
            let name = format!("{} {} {}", EntryKind::Expense.code(), expense.on, expense.amount);
            add(name, vec![expense.entry()], ending.map(|_| vec![expense.reversal()]));
        }
        for DepositRow { deposit, ending } in store.deposits(tenant).await? {
            let name = format!("{} {} {} {}", EntryKind::Deposit.code(), deposit.on, deposit.collector, deposit.amount);
            add(name, vec![deposit.entry()], ending.map(|_| vec![deposit.reversal()]));
        }
        for PayoutRow { payout, ending } in store.payouts(tenant).await? {
            let name = format!("{} {} {} {}", EntryKind::Payout.code(), payout.on, payout.gateway, payout.net);
            add(name, payout.entries(), ending.map(|_| payout.reversals()));
        }
        for RefundRow { refund, ending } in store.refunds(tenant, None).await? {
            let name = format!("{} {} {}", EntryKind::Refund.code(), refund.on, refund.amount);
            add(name, vec![refund.entry()], ending.map(|_| vec![refund.reversal()]));
        }
        Ok(())
    }
}

/// A credit note with its entries: of one that was taken back also the second, on its day.
fn note_entries(sites: &[Site], row: CreditNoteRow) -> (CreditNote, Vec<JournalEntry>) {
    let CreditNoteRow { note, taken_back } = row;
    let zone = sites.iter().find(|site| site.id == note.site_id).map_or(Zone::Wib, |site| site.zone);
    let back = taken_back.map(|back| entry_for_credit_note_back(&note, back.at, zone));
    let entries = std::iter::once(entry_for_credit_note(&note)).chain(back).collect();
    (note, entries)
}

impl Engine<'_> {
    /// Proves the books: reads every document and the journal, and compares them with each other and with the sums that are kept. It takes
    /// as long as there are documents, and little memory as long as nothing differs.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn prove(&self) -> Result<Proof, EngineError> {
        for _ in 0..TRIES {
            let before = self.books().await?;
            let proof = self.against(&before, self.rows().await?).await?;
            // Rows are read page by page, so of several moments. Each commit moves a sum or books an entry, or does nothing to what is
            // looked at here: what is corrected within a month leaves all sums as they were.
            if before == self.books().await? {
                return Ok(proof);
            }
        }
        Ok(Proof::default())
    }

    /// The sums that are kept, and how many entries of each kind there are.
    async fn books(&self) -> Result<(Sums, BTreeMap<EntryKind, u64>), EngineError> {
        let kept = self.store.kept_sums(self.tenant).await?;
        Ok((kept, self.store.entries_counted(self.tenant).await?.into_iter().collect()))
    }

    /// What the documents and the journal come to, row by row.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn sums_of_rows(&self) -> Result<Sums, EngineError> {
        Ok(self.rows().await?.sums)
    }

    async fn against(
        &self,
        (kept, counted): &(Sums, BTreeMap<EntryKind, u64>),
        rows: Rows,
    ) -> Result<Proof, EngineError> {
        let Rows { sums, issued, days, entries, mut documents } = rows;
        let apart = untied(&sums, Date::MIN.month(), Date::MAX.month());
        self.invoices_booked(&sums, &issued, &days, &mut documents).await?;
        for entry in self.store.torn_entries(self.tenant, NAMED as u32).await? {
            documents.add(|| named(&entry), Difference::Head);
        }
        if counted.iter().any(|(kind, count)| has_document(*kind) && entries.get(kind) != Some(count)) {
            self.strays(&mut documents).await?;
        }
        let found = documents.named.iter().map(|(name, _)| name.clone()).collect();
        Ok(Proof { ties: Ties { untied: apart, found }, documents, sums: kept.differing(&sums), settled: true })
    }

    /// Compares what invoices come to with the journal: each day by account, and each month by account, package and site.
    async fn invoices_booked(
        &self,
        sums: &Sums,
        issued: &Issued,
        days: &Days,
        documents: &mut Documents,
    ) -> Result<(), EngineError> {
        let mut booked = Days::new();
        for (day, account, amount) in self.store.booked_days(self.tenant, EntryKind::Invoices).await? {
            *booked.entry((day, account)).or_default() += amount;
        }
        let keys: BTreeSet<_> = days.keys().chain(booked.keys()).copied().collect();
        let differs = |key: &(Date, Account)| {
            days.get(key).copied().unwrap_or_default() != booked.get(key).copied().unwrap_or_default()
        };
        let (mut months, mut of_day) = (BTreeSet::new(), None);
        for key @ (day, account) in keys.into_iter().filter(differs) {
            months.insert(day.month());
            // One name a day: an invoice that is booked otherwise moves at least two accounts.
            if of_day.replace(day) != Some(day) {
                let name = || format!("{} {} {}", EntryKind::Invoices.code(), day, account.code());
                documents.add(name, if booked.contains_key(&key) { Difference::Amount } else { Difference::Missing });
            }
        }
        let mut places = Issued::new();
        for total in sums.totals().iter().filter(|total| total.kind == EntryKind::Invoices) {
            let place = (total.month(), total.account, total.package_id, total.site_id);
            *places.entry(place).or_default() += total.amount;
        }
        let keys: BTreeSet<_> = issued.keys().chain(places.keys()).copied().collect();
        let of = |sums: &Issued, key| sums.get(key).copied().unwrap_or_default();
        let differing = keys.iter().filter(|key| !months.contains(&key.0) && of(issued, *key) != of(&places, *key));
        for month in differing.map(|key| key.0).collect::<BTreeSet<_>>() {
            documents.add(|| format!("{} {month}", EntryKind::Invoices.code()), Difference::Place);
        }
        Ok(())
    }

    /// Names the entries that are of no document. The ids of all are held meanwhile: something is wrong then.
    async fn strays(&self, documents: &mut Documents) -> Result<(), EngineError> {
        let mut known: HashSet<JournalEntryId> = HashSet::new();
        let mut walk = self.documents().await?;
        while let Some(booked) = walk.next().await? {
            known.extend(booked.iter().map(|(_, expected)| expected.id()));
        }
        let mut page = PageQuery::first(self.page);
        loop {
            let entries = self.store.journal(self.tenant, page).await?;
            for entry in entries.iter().filter(|entry| has_document(entry.kind) && !known.contains(&entry.id)) {
                documents.add(|| named(entry), Difference::Stray);
            }
            if !page.advance(&entries, |last| last.id) {
                return Ok(());
            }
        }
    }

    /// All documents but invoices, some at a time.
    async fn documents(&self) -> Result<Walk<'_>, EngineError> {
        let sites = self.store.sites(self.tenant).await?;
        let next = Some(Next::Notes(PageQuery::first(self.page)));
        Ok(Walk { engine: *self, sites, sums: Sums::default(), odd: Vec::new(), next })
    }

    async fn rows(&self) -> Result<Rows, EngineError> {
        let mut rows = Rows::default();
        let mut page = PageQuery::first(self.page);
        loop {
            let found = self.store.invoices(self.tenant, InvoiceQuery::default(), page).await?;
            let more = page.advance(&found, |(last, _)| last.id);
            for (invoice, paid) in &found {
                rows.sums.invoice(invoice);
                rows.sums.open((invoice.due_date, invoice.package_id, invoice.site_id), -*paid);
                if !invoice.adds_up() {
                    rows.documents.add(|| invoice.display_number(), Difference::Sum);
                }
            }
            let issued: Vec<Invoice> = found.into_iter().map(|(invoice, _)| invoice).collect();
            rows.invoices(&issued);
            if !more {
                break;
            }
        }
        let mut walk = self.documents().await?;
        walk.sums = std::mem::take(&mut rows.sums);
        while let Some(booked) = walk.next().await? {
            for name in walk.odd.drain(..) {
                rows.documents.add(|| name, Difference::Sum);
            }
            for some in booked.chunks(self.page.max(1) as usize) {
                let ids: Vec<JournalEntryId> = some.iter().map(|(_, expected)| expected.id()).collect();
                let entries = self.store.entries_of(self.tenant, &ids).await?;
                let entries: BTreeMap<JournalEntryId, &JournalEntry> =
                    entries.iter().map(|entry| (entry.id, entry)).collect();
                for (name, expected) in some {
                    let booked = entries.get(&expected.id()).copied();
                    if let Some(booked) = booked {
                        *rows.entries.entry(booked.kind).or_default() += 1;
                    }
                    if let Some(difference) = expected.differs(booked) {
                        rows.documents.add(|| name.clone(), difference);
                    }
                }
            }
        }
        rows.sums = walk.sums;
        // Last, so that what was booked meanwhile shows as a sum that moved.
        for total in self.store.journal_totals(self.tenant, Date::MIN, Date::MAX.plus_days(1)).await? {
            let key = (total.month, total.account, total.kind, total.package_id, total.site_id);
            rows.sums.journal.insert(key, total.amount);
        }
        Ok(rows)
    }

    pub(crate) async fn invoices_of(&self, query: InvoiceQuery) -> Result<Vec<(Invoice, Money)>, EngineError> {
        let load = |page| self.store.invoices(self.tenant, query, page);
        all_pages(self.page, load, |(invoice, _)| invoice.id).await
    }

    /// Which documents differ from their entries, or from themselves. All of them are held meanwhile: something is wrong then.
    pub(super) async fn altered(&self) -> Result<Vec<String>, EngineError> {
        let invoices = self.invoices_of(InvoiceQuery::default()).await?;
        let sites = self.store.sites(self.tenant).await?;
        let notes = self.note_rows(None).await?.into_iter().map(|row| note_entries(&sites, row));
        let notes: Vec<(CreditNote, Vec<JournalEntry>)> = notes.collect();
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

/// An entry that has no document, by what it says of itself.
fn named(entry: &JournalEntry) -> String {
    format!("{} {} {}", entry.kind.code(), entry.date, entry.id)
}

fn on(entry: &JournalEntry, account: Account) -> Money {
    entry.lines.iter().filter(|line| line.account == account).map(|line| line.amount).sum()
}
