//! Booking mutations as payments: one that a person names the customer of, and what is sure of a file, many in one commit.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::bank::{
    BankFormat, Candidate, Doubt, Mutation, MutationMark, MutationRow, MutationState, PayerAlias, payer_words,
};
use crate::calendar::Zone;
use crate::engine::bank_walk::Walk;
use crate::engine::retry::until_written;
use crate::engine::{Engine, EngineError, Looked, Matched, NewPayment, Told};
use crate::error::Error;
use crate::ids::{CustomerId, MutationId, PaymentId};
use crate::payment::{Closing, plausible};
use crate::ports::{ChangeSet, MutationQuery, PaymentRow, RequestQuery, StoreError};

/// The most mutations that are booked in one commit: it holds up others of the provider for a moment only.
const BATCH: usize = 100;

/// What is planned for mutations of different customers, and not written yet.
#[derive(Default)]
struct Batch {
    changes: ChangeSet,
    /// Whose they are: a second payment of one of them is planned when the first is written.
    customers: BTreeSet<CustomerId>,
    /// The places of the mutations.
    planned: Vec<usize>,
}

/// What becomes of a mutation, and what is to be written for it.
pub(super) enum Plan {
    Write(Box<ChangeSet>, Matched),
    Nothing(Matched),
}

impl Plan {
    /// What is to be written, if anything is, and what becomes of the mutation.
    pub(super) fn parts(self) -> (Option<ChangeSet>, Matched) {
        match self {
            Self::Write(changes, matched) => (Some(*changes), matched),
            Self::Nothing(matched) => (None, matched),
        }
    }
}

impl Engine<'_> {
    /// Matches what came in and waits, oldest first, and books what is sure, up to a hundred of different customers in one commit:
    /// a line that a payment earns open is reopened with it (rule P5). Mutations of one day are taken in the order in which they stand
    /// in `order` ([`Compared::order`](crate::bank::Compared::order)). Each is judged by what those before it left, as if they had come
    /// one by one, each in a file of its own. A mutation is booked whole or not at all. What one of them cannot be booked for stops no
    /// other: when a commit is refused, each of its mutations is judged once more and booked in a commit of its own.
    ///
    /// # Errors
    /// [`EngineError::Store`] when the store does not answer; what was booked before stays.
    pub async fn match_mutations(
        &self,
        order: &[MutationId],
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<Looked>, EngineError> {
        let mut walk = self.walk(self.waiting_mutations().await?, order).await?;
        let mut batch = Batch::default();
        loop {
            let Some(place) = walk.next_place() else {
                // What a refused batch leaves may make another one sure.
                if self.write_batch(std::mem::take(&mut batch), &mut walk, by, now).await? {
                    return Ok(walk.into_looked());
                }
                continue;
            };
            let Some(row) = walk.row(place).cloned() else { continue };
            let (candidates, chosen) = self.judged(&walk, &row).await?;
            let found = match chosen {
                Ok(found) => found,
                Err(doubt) => {
                    walk.keep(place, candidates, Matched::Asks(doubt));
                    continue;
                }
            };
            let full = batch.planned.len() == BATCH || batch.customers.contains(&found.customer_id);
            if full && !self.write_batch(std::mem::take(&mut batch), &mut walk, by, now).await? {
                // It was judged by what is not so.
                walk.put_back(place);
                continue;
            }
            let matched = match self.plan_mutation(row.mutation.id, found.customer_id, Some(found), by, now).await {
                Ok(plan) => {
                    let (changes, matched) = plan.parts();
                    if let Some(changes) = changes {
                        walk.settled(found.customer_id, &changes);
                        batch.changes.append(changes);
                        batch.customers.insert(found.customer_id);
                        batch.planned.push(place);
                    }
                    matched
                }
                // The store does not answer: nothing can be booked now.
                Err(error) if error.retryable() => return Err(error),
                Err(EngineError::Domain(Error::MutationSettled)) => self.meanwhile(row.mutation.id).await?,
                Err(error) => Matched::Failed(error),
            };
            walk.keep(place, candidates, matched);
        }
    }

    /// What somebody else has decided of a mutation since it was loaded.
    async fn meanwhile(&self, id: MutationId) -> Result<Matched, EngineError> {
        let mut settled = BTreeMap::new();
        self.settle(std::iter::once(&self.mutation(id).await?), &mut settled).await?;
        Ok(Matched::Meanwhile(settled.remove(&id).flatten()))
    }

    /// Writes what is planned; true when it was written as it was planned.
    async fn write_batch(
        &self,
        batch: Batch,
        walk: &mut Walk,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<bool, EngineError> {
        match self.store.commit(self.tenant, batch.changes).await {
            Ok(_) => return Ok(true),
            // Somebody else booked one of these customers' money meanwhile, or one of them is refused: each by itself tells which.
            Err(StoreError::Conflict) => {}
            Err(error) if error.retryable() => return Err(error.into()),
            Err(_) => {}
        }
        self.walk_anew(walk).await?;
        for place in batch.planned {
            let Some(row) = walk.row(place).cloned() else { continue };
            let (candidates, chosen) = self.judged(walk, &row).await?;
            let matched = match chosen {
                Err(doubt) => Matched::Asks(doubt),
                Ok(found) => match self.book(row.mutation.id, found.customer_id, Some(found), by, now).await {
                    Ok((matched, changes)) => {
                        walk.settled(found.customer_id, &changes);
                        matched
                    }
                    Err(error) if error.retryable() => return Err(error),
                    Err(EngineError::Domain(Error::MutationSettled)) => self.meanwhile(row.mutation.id).await?,
                    Err(error) => Matched::Failed(error),
                },
            };
            walk.keep(place, candidates, matched);
        }
        Ok(false)
    }

    /// Books a mutation as the payment of the customer whom a person names, and learns the words of its payer. One that is booked for
    /// this customer already counts as said by a person from then on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`Error::MutationSettled`] when it was matched with another customer or ignored before; [`Error::MoneyOut`];
    /// [`Error::MutationAhead`]; as [`Engine::pay`].
    pub async fn match_mutation(
        &self,
        id: MutationId,
        customer: CustomerId,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<Matched, EngineError> {
        Ok(self.book(id, customer, None, by, now).await?.0)
    }

    /// Books a mutation in a commit of its own: what became of it, and what was written.
    async fn book(
        &self,
        id: MutationId,
        customer_id: CustomerId,
        found: Option<Candidate>,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<(Matched, ChangeSet), EngineError> {
        until_written(|| async {
            match self.plan_mutation(id, customer_id, found, by, now).await? {
                Plan::Nothing(matched) => Ok((matched, ChangeSet::default())),
                Plan::Write(changes, matched) => match self.store.commit(self.tenant, (*changes).clone()).await {
                    Ok(_) => Ok((matched, *changes)),
                    Err(StoreError::Duplicate { what: "payment.reference" }) => Err(StoreError::Conflict.into()),
                    Err(other) => Err(other.into()),
                },
            }
        })
        .await
    }

    async fn plan_mutation(
        &self,
        id: MutationId,
        customer_id: CustomerId,
        found: Option<Candidate>,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<Plan, EngineError> {
        let row = self.mutation(id).await?;
        let planned = self.plan_row(&row, customer_id, found, by, now).await;
        if !matches!(planned, Err(EngineError::PaymentMismatch)) || self.mutation(id).await?.revision == row.revision {
            return planned;
        }
        // Its payment is there: somebody else has booked it since it was loaded. A person's word is looked at beside that.
        Err(if found.is_some() { Error::MutationSettled.into() } else { StoreError::Conflict.into() })
    }

    /// As [`Engine::plan_mutation`], of a mutation that may not be kept yet.
    pub(super) async fn plan_row(
        &self,
        row: &MutationRow,
        customer_id: CustomerId,
        found: Option<Candidate>,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<Plan, EngineError> {
        let (id, mutation) = (row.mutation.id, &row.mutation);
        if !row.state().waits() {
            return self.confirmed(row, customer_id, found.is_none(), by, now).await;
        }
        if !mutation.amount.is_positive() {
            return Err(Error::MoneyOut.into());
        }
        let requests = match found {
            Some(_) => Vec::new(),
            // A person names the customer; if the amount is that of the customer's request, it is its money.
            None => self.requests(RequestQuery { customer: Some(customer_id), ..RequestQuery::default() }).await?,
        };
        let (from, until) = (mutation.on.midnight(Zone::Wib), mutation.on.plus_days(1).midnight(Zone::Wib));
        let asked = requests.iter().filter(|r| r.is_paid_by(mutation.amount, from, until));
        let asked = asked.min_by_key(|r| (r.closing.is_some(), Reverse(r.made_at))).map(|r| r.id);
        let request = found.and_then(|c| c.request).map(|r| r.id).or(asked);
        if let Some(request) = found.and_then(|c| c.request) {
            // Somebody may have booked it since it was decided whose it is.
            let transfers = self.transfers_of(customer_id).await?;
            if let Some((_, false)) = request.booked_as(mutation.amount, mutation.on, &transfers) {
                return Ok(Plan::Nothing(Matched::Asks(Doubt::Booked)));
            }
        }
        let mut mark = MutationMark {
            state: MutationState::Matched,
            payment_id: None,
            booked: false,
            clue: found.map(|c| c.clue),
            at: now,
            by: by.to_owned(),
            reason: String::new(),
        };
        let by_hand = self.booked_by_hand(mutation, customer_id, &BTreeSet::new()).await?;
        if found.is_some() && matches!(by_hand, Some((_, false))) {
            return Ok(Plan::Nothing(Matched::Asks(Doubt::Booked)));
        }
        let (mut changes, report) = match by_hand {
            Some((payment, true)) => {
                mark.payment_id = Some(payment);
                (ChangeSet::default(), None)
            }
            // Who was asked about a payment under another bank's name, and matches it, says that there were two.
            Some((_, false)) | None => {
                let new = self.payment_of(mutation, customer_id, now)?;
                // The bank says amount and day: nobody typed them, and what a person says of an old one is no slip.
                match plausible(new.paid_at, now) {
                    Err(Error::PaidInFuture { on }) => return Err(Error::MutationAhead { on }.into()),
                    Err(Error::PaidLongAgo { on }) if found.is_some() => {
                        return Err(Error::MutationLongAgo { on }.into());
                    }
                    Err(Error::PaidLongAgo { .. }) | Ok(()) => {}
                    Err(other) => return Err(other.into()),
                }
                let (changes, report) = self.plan_told(&new, Told::ByPersonWhoInsists, now).await?;
                (mark.payment_id, mark.booked) = (Some(report.payment_id), true);
                (changes, Some(report))
            }
        };
        let payment_id = mark.payment_id;
        if let Some(request) = request {
            changes.request_closings.retain(|(id, _)| *id != request);
            changes.request_closings.push((request, Closing { at: now, payment_id }));
        }
        let words = payer_words(&mutation.text);
        // What an app shows is mostly its own words, which stand in each of its notifications.
        if found.is_none() && !words.is_empty() && mutation.format != BankFormat::Phone {
            changes.payer_aliases.push(PayerAlias { mutation_id: id, words, customer_id });
        }
        changes.mutation_marks.push((id, row.revision, mark));
        let matched = match (report, payment_id) {
            (Some(report), _) => Matched::Booked(customer_id, report),
            (None, Some(payment)) => Matched::Linked(customer_id, payment),
            (None, None) => Matched::Asks(Doubt::Nobody),
        };
        Ok(Plan::Write(Box::new(changes), matched))
    }

    /// A person says of what was booked for a customer that it is this one's: nothing is booked, and it counts as said by a person.
    async fn confirmed(
        &self,
        row: &MutationRow,
        customer_id: CustomerId,
        by_person: bool,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<Plan, EngineError> {
        let payment =
            row.mark.as_ref().filter(|mark| mark.state == MutationState::Matched).and_then(|mark| mark.payment_id);
        let (Some(mark), Some(payment), true) = (&row.mark, payment, by_person) else {
            return Err(Error::MutationSettled.into());
        };
        let booked = self.store.payment(self.tenant, payment).await?;
        if booked.is_none_or(|of| of.payment.customer_id != customer_id || of.reversal.is_some()) {
            return Err(Error::MutationSettled.into());
        }
        let linked = Matched::Linked(customer_id, payment);
        if mark.clue.is_none() {
            return Ok(Plan::Nothing(linked));
        }
        let mark = MutationMark { clue: None, at: now, by: by.to_owned(), ..mark.clone() };
        let changes = ChangeSet { mutation_marks: vec![(row.mutation.id, row.revision, mark)], ..ChangeSet::default() };
        Ok(Plan::Write(Box::new(changes), linked))
    }

    fn payment_of(
        &self,
        mutation: &Mutation,
        customer_id: CustomerId,
        now: DateTime<Utc>,
    ) -> Result<NewPayment, EngineError> {
        let provider = mutation.provider()?;
        // The hour is not told. Noon of the day, but not later than now.
        let noon = mutation.on.at(12, 0, Zone::Wib);
        let today = Zone::Wib.date_of(now);
        // About midnight another clock may be ahead.
        let paid_at = if today.plus_days(1) >= mutation.on && mutation.on >= today { noon.min(now) } else { noon };
        let reference = mutation.reference()?;
        Ok(NewPayment { customer_id, provider, reference, amount: mutation.amount, paid_at, collector: None })
    }

    /// The payment that a person booked for a mutation before the file came: through a bank, of this customer, of the same
    /// amount, about the same day, and no other mutation's. False beside it where it only looks like that one, as it was booked under
    /// another bank's name. `told` are those that another mutation will be.
    pub(super) async fn booked_by_hand(
        &self,
        mutation: &Mutation,
        customer: CustomerId,
        told: &BTreeSet<PaymentId>,
    ) -> Result<Option<(PaymentId, bool)>, EngineError> {
        let mut rows = self.payments_of(customer).await?;
        rows.retain(|row| row.reversal.is_none() && mutation.may_be(&row.payment) && !told.contains(&row.payment.id));
        rows.sort_by_key(|row| mutation.is_of_another_bank(&row.payment));
        for PaymentRow { payment, .. } in &rows {
            let query = MutationQuery { payment: Some(payment.id), ..MutationQuery::default() };
            if self.mutations(&query).await?.is_empty() {
                return Ok(Some((payment.id, !mutation.is_of_another_bank(payment))));
            }
        }
        Ok(None)
    }
}
