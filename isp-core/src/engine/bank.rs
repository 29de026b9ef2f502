//! Bank files: each mutation kept once, matched with a customer, and booked as a payment.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::bank::{
    BankFile, Candidate, Compared, Doubt, ImportedFile, Mutation, MutationMark, MutationRow, MutationState, Whose,
    compare, file_id, known_elsewhere, payees,
};
use crate::calendar::{Date, Zone};
use crate::engine::pages::all_pages;
use crate::engine::retry::until_written;
use crate::engine::{Engine, EngineError, PayReport};
use crate::error::Error;
use crate::ids::{CustomerId, MutationId, PaymentId};
use crate::money::Money;
use crate::payment::{Channel, Payment, Transfer};
use crate::ports::{ChangeSet, Expectation, MutationQuery, StoreError, TellingQuery};
use crate::text::{Code, given};

/// What importing a file came to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportReport {
    /// True when exactly this file was imported before.
    pub known: bool,
    /// What is new in it and what is missing.
    pub compared: Compared,
    /// Its first and its last day.
    pub days: (Date, Date),
}

/// What becomes of a mutation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matched {
    /// It is booked as this customer's payment.
    Booked(CustomerId, PayReport),
    /// A payment of this customer that a person booked before is this mutation; nothing is booked again.
    Linked(CustomerId, PaymentId),
    /// Somebody else decided it since it was looked at: it is this customer's payment, or nobody's.
    Meanwhile(Option<CustomerId>),
    /// In a dry run: it would be booked for this customer, or joined to a payment.
    Would(CustomerId),
    /// A person has to say whose it is, and why.
    Asks(Doubt),
    /// It could not be booked.
    Failed(EngineError),
}

/// A mutation with who may have paid it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Looked {
    /// What came in.
    pub mutation: Mutation,
    /// Whose it may be, the surest first.
    pub candidates: Vec<Candidate>,
    /// What became of it.
    pub matched: Matched,
    /// With [`Doubt::Corrected`], the mutation that may be the same row, of the same account, day and amount.
    pub other: Option<MutationId>,
}

impl Engine<'_> {
    /// Compares a file with what is kept of its account. Writes nothing.
    ///
    /// # Errors
    /// [`Error::BankKnownAccount`] when its rows are known under another account ([`known_elsewhere`]); [`EngineError::Store`].
    pub async fn look_at_bank_file(
        &self,
        file: &BankFile,
        account: &Code,
        text: &str,
    ) -> Result<ImportReport, EngineError> {
        Ok(self.compared(file, account, text).await?.0)
    }

    /// What a file comes to, and how many mutations of its days were kept when that was found.
    async fn compared(&self, file: &BankFile, account: &Code, text: &str) -> Result<(ImportReport, u64), EngineError> {
        let id = file_id(self.tenant, account, text);
        let days = |it: &mut dyn Iterator<Item = Date>| {
            it.fold(None, |m: Option<(Date, Date)>, d| {
                Some(m.map_or((d, d), |(from, until)| (from.min(d), until.max(d))))
            })
        };
        let days = days(&mut file.rows.iter().map(|r| r.on)).ok_or(Error::Empty { field: "rows" })?;
        let known = self.store.bank_file(self.tenant, id).await?.is_some();
        let query = MutationQuery { days: Some(days), ..MutationQuery::default() };
        let (rows, others): (Vec<MutationRow>, Vec<MutationRow>) = self
            .mutations(&query)
            .await?
            .into_iter()
            .partition(|row| row.mutation.account.folded() == account.folded());
        let others: Vec<Mutation> = others.into_iter().map(|row| row.mutation).collect();
        if let Some(other) = known_elsewhere(file, &others).filter(|_| !known) {
            return Err(Error::BankKnownAccount { account: other.to_string() }.into());
        }
        let wanted: BTreeSet<(Date, Money)> = file.rows.iter().map(|row| (row.on, row.amount())).collect();
        let of_rows = rows.iter().filter(|row| wanted.contains(&(row.mutation.on, row.mutation.amount)));
        let mut settled = BTreeMap::new();
        self.settle(of_rows, &mut settled).await?;
        let kept: Vec<Mutation> = rows.into_iter().map(|row| row.mutation).collect();
        let query = TellingQuery { account: Some(account.clone()), days: Some(days), ..TellingQuery::default() };
        let tellings = self.store.tellings(self.tenant, &query).await?;
        // Whom texts name matters only beside something that is kept.
        let (payers, aliases) = if kept.is_empty() { Default::default() } else { self.payers().await? };
        let of = |text: &str| payees(text, &payers, &aliases);
        let compared = compare(self.tenant, account, id, file, &kept, &tellings, &Whose::by(&of).settled(settled));
        Ok((ImportReport { known, compared, days }, kept.len() as u64))
    }

    /// Keeps a file and its new mutations, all in one commit. It books nothing: [`Engine::match_mutations`] does.
    ///
    /// # Errors
    /// As [`Engine::look_at_bank_file`].
    pub async fn import_bank_file(
        &self,
        file: &BankFile,
        account: &Code,
        text: &str,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<ImportReport, EngineError> {
        until_written(|| async {
            let (report, before) = self.compared(file, account, text).await?;
            if report.known {
                return Ok(report);
            }
            let (from, until) = report.days;
            let imported = ImportedFile {
                id: file_id(self.tenant, account, text),
                format: file.format,
                account: account.clone(),
                from,
                until,
                at: now,
                by: by.to_owned(),
            };
            let changes = ChangeSet {
                // Moota or a phone may tell of the same money meanwhile.
                expected: vec![Expectation::Mutations(account.clone(), report.days, before)],
                bank_files: vec![imported],
                mutations: report.compared.new.clone(),
                tellings: report.compared.tellings.clone(),
                ..ChangeSet::default()
            };
            match self.store.commit(self.tenant, changes).await {
                Ok(_) => Ok(report),
                // Somebody else imports the same rows: look again.
                Err(StoreError::Duplicate { what: "mutation" | "bank_file" | "mutation_telling" }) => {
                    Err(StoreError::Conflict.into())
                }
                Err(other) => Err(other.into()),
            }
        })
        .await
    }

    /// What came in and waits for a person, or for a run that matches it.
    pub(super) async fn waiting_mutations(&self) -> Result<Vec<MutationRow>, EngineError> {
        self.mutations(&MutationQuery { waiting: true, ..MutationQuery::default() }).await
    }

    /// The payments of a customer that a person booked as transfers, and that no bank has told of.
    pub(super) async fn transfers_of(&self, customer: CustomerId) -> Result<Vec<Transfer>, EngineError> {
        let mut transfers = Vec::new();
        for row in self.payments_of(customer).await? {
            let Payment { id, amount, paid_at, received_at, channel, .. } = row.payment;
            let query = MutationQuery { payment: Some(id), ..MutationQuery::default() };
            let told = channel != Channel::Bank || row.reversal.is_some() || !self.mutations(&query).await?.is_empty();
            if !told {
                let on = Zone::Wib.date_of(paid_at);
                transfers.push(Transfer { payment_id: id, amount, on, booked_at: received_at });
            }
        }
        Ok(transfers)
    }

    /// Says that mutations are no customer's payment: of all of them, or of none.
    ///
    /// # Errors
    /// [`Error::Empty`] without a reason; [`StoreError::NotFound`]; [`Error::MutationSettled`] when one of them was matched or ignored
    /// before.
    pub async fn ignore_mutations(
        &self,
        ids: &[MutationId],
        by: &str,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<Mutation>, EngineError> {
        given("reason", reason)?;
        let mut seen = BTreeSet::new();
        let once: Vec<MutationId> = ids.iter().copied().filter(|id| seen.insert(*id)).collect();
        until_written(|| async {
            let (mut changes, mut ignored) = (ChangeSet::default(), Vec::new());
            for id in &once {
                let row = self.mutation(*id).await?;
                if !row.state().waits() {
                    return Err(Error::MutationSettled.into());
                }
                changes.mutation_marks.push((*id, row.revision, marked(MutationState::Ignored, by, reason, now)));
                ignored.push(row.mutation);
            }
            self.store.commit(self.tenant, changes).await?;
            Ok(ignored)
        })
        .await
    }

    /// Takes back what was said of a mutation: the payment that it became is reversed, and it waits for a person again. What was
    /// learnt from it is forgotten. The amount of the payment that was reversed is given back.
    ///
    /// # Errors
    /// [`Error::Empty`] without a reason; [`StoreError::NotFound`]; [`Error::MutationWaits`] when nothing was said of it;
    /// as [`Engine::reverse`].
    pub async fn unmatch_mutation(
        &self,
        id: MutationId,
        by: &str,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<Money, EngineError> {
        given("reason", reason)?;
        until_written(|| async {
            let row = self.mutation(id).await?;
            let Some(mark) = row.mark.as_ref().filter(|_| !row.state().waits()) else {
                return Err(Error::MutationWaits.into());
            };
            if let Some(payment) = mark.payment_id.filter(|_| mark.booked) {
                return Ok(self.reverse(payment, by, reason, now).await?.amount);
            }
            let mut changes = ChangeSet::default();
            self.take_back(&mut changes, &row, by, reason, now);
            self.store.commit(self.tenant, changes).await?;
            Ok(Money::ZERO)
        })
        .await
    }

    /// Adds to the reversal of a payment that the mutation of it waits for a person again.
    pub(crate) async fn unmatch_payment(
        &self,
        changes: &mut ChangeSet,
        payment: PaymentId,
        by: &str,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<(), EngineError> {
        let query = MutationQuery { payment: Some(payment), ..MutationQuery::default() };
        for row in self.mutations(&query).await? {
            self.take_back(changes, &row, by, reason, now);
        }
        Ok(())
    }

    fn take_back(&self, changes: &mut ChangeSet, row: &MutationRow, by: &str, reason: &str, now: DateTime<Utc>) {
        let id = row.mutation.id;
        changes.mutation_marks.push((id, row.revision, marked(MutationState::TakenBack, by, reason, now)));
        changes.forgotten_aliases.push(id);
    }

    /// A mutation with what became of it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn mutation(&self, id: MutationId) -> Result<MutationRow, EngineError> {
        let query = MutationQuery { id: Some(id), ..MutationQuery::default() };
        let found = self.mutations(&query).await?.pop();
        Ok(found.ok_or(StoreError::NotFound { what: "mutation" })?)
    }

    /// All mutations of a query, in id order.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn mutations(&self, query: &MutationQuery) -> Result<Vec<MutationRow>, EngineError> {
        all_pages(self.page, |page| self.store.mutations(self.tenant, query, page), |row| row.mutation.id).await
    }
}

fn marked(state: MutationState, by: &str, reason: &str, now: DateTime<Utc>) -> MutationMark {
    let (by, reason) = (by.to_owned(), reason.to_owned());
    MutationMark { state, payment_id: None, booked: false, clue: None, at: now, by, reason }
}
