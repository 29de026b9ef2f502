//! Mutations one after another: each is judged by the debts, requests and transfers that those before it left.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::bank::{
    BankFormat, Candidate, Compared, Doubt, Incoming, MutationRow, MutationState, Payer, PayerAlias, Payers, Verdict,
    Whose, candidates, decide, is_gone, payees,
};
use crate::billing::Debt;
use crate::calendar::{Date, Zone};
use crate::engine::bank_near::{Books, Near};
use crate::engine::pages::all_pages;
use crate::engine::{Engine, EngineError, Looked, Matched};
use crate::ids::{CustomerId, MutationId, PaymentId};
use crate::money::Money;
use crate::payment::{Allocation, AskedAmount, CreditSource, PaymentRequest, allocate, sums_owed};
use crate::ports::{ChangeSet, RequestQuery};

/// What a match rests on: loaded once for many mutations, and changed by each of them that is booked.
#[derive(Default)]
struct Book {
    requests: Vec<AskedAmount>,
    payers: Payers,
    aliases: Vec<PayerAlias>,
    debts: BTreeMap<CustomerId, Vec<Debt>>,
    /// Who owes just such a sum.
    owed: BTreeMap<Money, BTreeSet<CustomerId>>,
    /// Payments that a mutation turned out to be, since this was loaded.
    told: BTreeSet<PaymentId>,
}

impl Book {
    /// The customers who owe just this amount.
    fn owed_by(&self, amount: Money) -> Vec<CustomerId> {
        self.owed.get(&amount).into_iter().flatten().copied().collect()
    }

    fn sums_of(&self, customer: CustomerId) -> BTreeSet<Money> {
        let debts = self.debts.get(&customer).into_iter().flatten();
        sums_owed(debts.map(|debt| (customer, debt))).into_keys().collect()
    }

    /// A customer's debts as allocations leave them. The sums that the customer owed before or owes now are given back.
    fn allocated(&mut self, customer: CustomerId, allocations: &[Allocation]) -> BTreeSet<Money> {
        let before = self.sums_of(customer);
        for debt in self.debts.get_mut(&customer).into_iter().flatten() {
            debt.paid += allocations.iter().filter(|a| a.invoice_id == debt.invoice_id).map(|a| a.amount).sum();
        }
        let after = self.sums_of(customer);
        for sum in before.difference(&after) {
            if let Some(of) = self.owed.get_mut(sum) {
                of.remove(&customer);
            }
        }
        for sum in &after {
            self.owed.entry(*sum).or_default().insert(customer);
        }
        before.union(&after).copied().collect()
    }

    /// What a booked mutation of a customer writes holds for those after it.
    fn settled(&mut self, customer: CustomerId, changes: &ChangeSet) -> BTreeSet<Money> {
        for (id, closing) in &changes.request_closings {
            for request in self.requests.iter_mut().filter(|request| request.id == *id) {
                request.paid |= closing.payment_id.is_some();
                request.cancelled = !request.paid;
            }
        }
        self.told.extend(changes.mutation_marks.iter().filter_map(|(_, _, mark)| mark.payment_id));
        self.allocated(customer, &changes.allocations)
    }
}

/// Mutations of money that came in, oldest first, on their way to be looked at.
pub(super) struct Walk {
    rows: Vec<MutationRow>,
    looked: BTreeMap<usize, Looked>,
    /// Those of them that are, or would be, a payment.
    books: Books,
    book: Book,
    near: Near,
    /// The places of those that are still to be judged.
    todo: BTreeSet<usize>,
    /// Those that wait, by whom they may be of, and by the amount where it is a request's.
    by_customer: BTreeMap<CustomerId, BTreeSet<usize>>,
    by_amount: BTreeMap<Money, BTreeSet<usize>>,
}

impl Walk {
    /// The place of the next one to be judged.
    pub(super) fn next_place(&mut self) -> Option<usize> {
        self.todo.pop_first()
    }

    /// The one at this place is to be judged after all.
    pub(super) fn put_back(&mut self, place: usize) {
        self.todo.insert(place);
    }

    /// The row at a place.
    pub(super) fn row(&self, place: usize) -> Option<&MutationRow> {
        self.rows.get(place)
    }

    /// Keeps what became of the one at a place.
    pub(super) fn keep(&mut self, place: usize, candidates: Vec<Candidate>, matched: Matched) {
        let Some(row) = self.rows.get(place) else { return };
        let mutation = row.mutation.clone();
        match matched {
            Matched::Booked(customer, _)
            | Matched::Linked(customer, _)
            | Matched::Would(customer)
            | Matched::Meanwhile(Some(customer)) => {
                self.books.insert(mutation.id, customer);
            }
            Matched::Asks(_) | Matched::Failed(_) | Matched::Meanwhile(None) => {
                self.books.remove(mutation.id);
            }
        }
        if matches!(matched, Matched::Asks(_)) {
            for candidate in &candidates {
                self.by_customer.entry(candidate.customer_id).or_default().insert(place);
            }
            if candidates.first().is_some_and(|first| first.request.is_some()) {
                self.by_amount.entry(mutation.amount).or_default().insert(place);
            }
        }
        let other = match matched {
            Matched::Asks(Doubt::Corrected) => self.near.corrected(&mutation),
            _ => None,
        };
        self.looked.insert(place, Looked { mutation, candidates, matched, other });
    }

    /// One of a customer is booked: it holds for those after it. Those before it that wait, and for which it makes a difference,
    /// are judged again.
    pub(super) fn settled(&mut self, customer: CustomerId, changes: &ChangeSet) {
        let sums = self.book.settled(customer, changes);
        self.again(customer, &sums);
    }

    /// One of a customer would be booked, as `amount` of money that pays the oldest debt first.
    fn paid(&mut self, customer: CustomerId, payment_id: PaymentId, amount: Money, now: DateTime<Utc>) {
        let source = CreditSource { payment_id, since: now, left: amount };
        let debts = self.book.debts.get(&customer).map(Vec::as_slice).unwrap_or_default();
        let allocations = allocate(debts, &[source], now);
        let sums = self.book.allocated(customer, &allocations);
        self.again(customer, &sums);
    }

    fn again(&mut self, customer: CustomerId, sums: &BTreeSet<Money>) {
        let mut places = self.by_customer.remove(&customer).unwrap_or_default();
        places.extend(sums.iter().filter_map(|sum| self.by_amount.remove(sum)).flatten());
        let waits = |place: &usize| self.looked.get(place).is_some_and(|l| matches!(l.matched, Matched::Asks(_)));
        self.todo.extend(places.into_iter().filter(waits));
    }

    /// What became of each, oldest first.
    pub(super) fn into_looked(self) -> Vec<Looked> {
        self.looked.into_values().collect()
    }
}

impl Engine<'_> {
    /// A walk through mutations, oldest first; those of one day in the order in which they stand in `order`, after those that do not.
    /// Money out is left out.
    pub(super) async fn walk(&self, mut rows: Vec<MutationRow>, order: &[MutationId]) -> Result<Walk, EngineError> {
        let places: BTreeMap<MutationId, usize> = order.iter().enumerate().map(|(place, id)| (*id, place)).collect();
        rows.retain(|row| row.mutation.amount.is_positive());
        rows.sort_by_key(|row| (row.mutation.on, places.get(&row.mutation.id).copied(), row.mutation.id));
        let book = match rows.first() {
            Some(first) => self.book_of(first.mutation.on).await?,
            None => Book::default(),
        };
        let near = self.near(&rows).await?;
        let todo = (0..rows.len()).collect();
        let (by_customer, by_amount) = (BTreeMap::new(), BTreeMap::new());
        Ok(Walk { rows, looked: BTreeMap::new(), books: Books::default(), book, near, todo, by_customer, by_amount })
    }

    /// Loads anew what a walk rests on, because something else was written than it supposed. All that wait are judged again.
    pub(super) async fn walk_anew(&self, walk: &mut Walk) -> Result<(), EngineError> {
        let Some(first) = walk.rows.first() else { return Ok(()) };
        walk.book = self.book_of(first.mutation.on).await?;
        walk.near = self.near(&walk.rows).await?;
        (walk.by_customer, walk.by_amount) = Default::default();
        let waits = walk.looked.iter().filter(|(_, one)| matches!(one.matched, Matched::Asks(_)));
        walk.todo.extend(waits.map(|(place, _)| *place));
        Ok(())
    }

    /// Whose a mutation may be, and whose it is without asking, as those before it leave things.
    pub(super) async fn judged(
        &self,
        walk: &Walk,
        row: &MutationRow,
    ) -> Result<(Vec<Candidate>, Result<Candidate, Doubt>), EngineError> {
        let book = &walk.book;
        let owed_by = book.owed_by(row.mutation.amount);
        let text = walk.near.text(&row.mutation);
        let money = Incoming { text: &text, ..row.mutation.incoming(&owed_by) };
        let found = candidates(&money, &book.requests, &book.payers, &book.aliases);
        let mut transfers = match found.first() {
            Some(Candidate { request: Some(_), customer_id, .. }) => self.transfers_of(*customer_id).await?,
            _ => Vec::new(),
        };
        transfers.retain(|transfer| !book.told.contains(&transfer.payment_id));
        let of_text = |text: &str| payees(text, &book.payers, &book.aliases);
        let whose = Whose::by(&of_text);
        let decided = walk.near.decided(&row.mutation, &whose, &walk.books);
        let chosen = match (decide(&found, &money, &transfers), decided) {
            _ if walk.near.corrected(&row.mutation).is_some() => Err(Doubt::Corrected),
            (_, Some(doubt)) => Err(doubt),
            // What a person took back, only a person matches; so too what a gateway took for somebody unknown.
            _ if row.state() != MutationState::Unmatched || row.mutation.format == BankFormat::Gateway => {
                Err(if found.is_empty() { Doubt::Nobody } else { Doubt::Unclear })
            }
            (Verdict::Pays(found) | Verdict::Is(found, _), None)
                if walk.near.is_too_often(&row.mutation, found.customer_id, &whose, &walk.books) =>
            {
                Err(Doubt::Booked)
            }
            (Verdict::Pays(found) | Verdict::Is(found, _), None) => Ok(found),
            (Verdict::Asks(doubt, _), None) => Err(doubt),
        };
        let gone = match chosen {
            Ok(Candidate { customer_id, .. }) => self.is_gone(book, customer_id, row.mutation.on).await?,
            Err(_) => false,
        };
        Ok((found, if gone { Err(Doubt::Gone) } else { chosen }))
    }

    /// As [`is_gone`].
    async fn is_gone(&self, book: &Book, customer: CustomerId, on: Date) -> Result<bool, EngineError> {
        let owes =
            book.debts.get(&customer).is_some_and(|debts| debts.iter().any(|debt| debt.residual().is_positive()));
        if owes {
            return Ok(false);
        }
        let load = |page| self.store.subscriptions(self.tenant, Some(customer), page);
        let lines = all_pages(self.page, load, |(line, _)| line.id).await?;
        let ends: Vec<Option<Date>> = lines.iter().map(|(line, _)| line.terms.end).collect();
        // Nobody is erased who has a line.
        let erased =
            ends.iter().all(Option::is_some) && !self.store.erased(self.tenant, Some(customer)).await?.is_empty();
        Ok(is_gone(erased, &ends, owes, on))
    }

    /// What [`Engine::match_mutations`] would do with what waits once a file is kept that came to this, or with what waits alone. Writes
    /// nothing. Late fees that a customer's second payment of several would give back are not counted.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn foresee_mutations(&self, file: &Compared, now: DateTime<Utc>) -> Result<Vec<Looked>, EngineError> {
        let mut rows = self.waiting_mutations().await?;
        rows.extend(file.new.iter().map(|m| MutationRow { mutation: m.clone(), mark: None, revision: 0 }));
        let mut walk = self.walk(rows, &file.order).await?;
        walk.near.foresee(&file.new, &file.tellings);
        let mut paid = BTreeSet::new();
        while let Some(place) = walk.next_place() {
            let Some(row) = walk.row(place).cloned() else { continue };
            let (candidates, chosen) = self.judged(&walk, &row).await?;
            let matched = match chosen {
                Err(doubt) => Matched::Asks(doubt),
                Ok(found) => self.foreseen(&mut walk, &row, found, &mut paid, now).await?,
            };
            walk.keep(place, candidates, matched);
        }
        Ok(walk.into_looked())
    }

    /// What would become of a mutation whose customer is sure. `paid` are those of whom one would be booked already: what the store
    /// knows of them is not what it would know then.
    async fn foreseen(
        &self,
        walk: &mut Walk,
        row: &MutationRow,
        found: Candidate,
        paid: &mut BTreeSet<CustomerId>,
        now: DateTime<Utc>,
    ) -> Result<Matched, EngineError> {
        let customer = found.customer_id;
        if !paid.contains(&customer) {
            let (changes, matched) = match self.plan_row(row, customer, Some(found), "", now).await {
                Ok(plan) => plan.parts(),
                Err(error) if error.retryable() => return Err(error),
                Err(error) => return Ok(Matched::Failed(error)),
            };
            let Some(changes) = changes else { return Ok(matched) };
            walk.settled(customer, &changes);
            paid.insert(customer);
            return Ok(Matched::Would(customer));
        }
        if let Some(request) = found.request {
            walk.book.requests.iter_mut().filter(|r| r.id == request.id).for_each(|r| r.paid = true);
        }
        match self.booked_by_hand(&row.mutation, customer, &walk.book.told).await? {
            Some((_, false)) => return Ok(Matched::Asks(Doubt::Booked)),
            Some((payment, true)) => {
                walk.book.told.insert(payment);
                walk.again(customer, &BTreeSet::new());
            }
            None => walk.paid(customer, PaymentId(row.mutation.id.0), row.mutation.amount, now),
        }
        Ok(Matched::Would(customer))
    }

    async fn book_of(&self, from: Date) -> Result<Book, EngineError> {
        let query = RequestQuery { kept_after: Some(from.midnight(Zone::Wib)), ..RequestQuery::default() };
        let requests = self.requests(query).await?.iter().map(PaymentRequest::asked).collect();
        let (payers, aliases) = self.payers().await?;
        let mut debts: BTreeMap<CustomerId, Vec<Debt>> = BTreeMap::new();
        for open in self.store.all_open_invoices(self.tenant).await? {
            debts.entry(open.customer_id).or_default().push(open.debt);
        }
        let owed = sums_owed(debts.iter().flat_map(|(customer, of)| of.iter().map(|debt| (*customer, debt))));
        Ok(Book { requests, payers, aliases, debts, owed, told: BTreeSet::new() })
    }

    /// Everybody whom a text may name, and the words that were learnt.
    pub(super) async fn payers(&self) -> Result<(Payers, Vec<PayerAlias>), EngineError> {
        let people = all_pages(self.page, |page| self.store.customers(self.tenant, page), |c| c.id).await?;
        let payers = people.iter().map(|c| Payer::new(c.id, &c.code, Some(&c.name), c.phone.clone())).collect();
        Ok((payers, self.store.payer_aliases(self.tenant).await?))
    }
}

impl Engine<'_> {
    /// Adds whose mutations are that are not among `settled` yet: a customer's, or nobody's as a person said.
    pub(super) async fn settle<'m>(
        &self,
        rows: impl Iterator<Item = &'m MutationRow> + Send,
        settled: &mut BTreeMap<MutationId, Option<CustomerId>>,
    ) -> Result<(), EngineError> {
        for row in rows {
            match (row.state(), row.mark.as_ref().and_then(|mark| mark.payment_id)) {
                _ if settled.contains_key(&row.mutation.id) => {}
                (MutationState::Ignored, _) => _ = settled.insert(row.mutation.id, None),
                (MutationState::Matched, Some(payment)) => {
                    let payment = self.store.payment(self.tenant, payment).await?;
                    settled.extend(payment.map(|found| (row.mutation.id, Some(found.payment.customer_id))));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
