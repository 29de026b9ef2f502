//! What a change of terms comes to.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::billing::{CreditNote, Invoice};
use crate::calendar::Date;
use crate::error::Error;
use crate::ids::{Ids, Known, LineIds, PackageId, SubscriptionId, TenantId, derive};
use crate::isolation::transition::{Decider, Transition};
use crate::isolation::{AccessEventKind, AccessFacts};
use crate::ledger::JournalEntry;
use crate::message::notice::about_access;
use crate::message::{DunningPolicy, Notification};
use crate::money::Money;
use crate::subscription::BillingTerms;

use super::facts::LineFacts;

/// What a change of terms comes to, before it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<I: Ids = Known> {
    /// Of which line.
    pub subscription_id: SubscriptionId,
    /// The new terms.
    pub terms: BillingTerms,
    /// The first day on which they show: of the new package, of the first whole period of a new billing day, of the pause, of
    /// service after it, or the day after the last one.
    pub from: Date,
    /// A planned package whose first day moves, because it begins with a period and the grid has moved.
    pub package_moved: Option<PackageMoved>,
    /// What is invoiced now.
    pub invoices: Vec<Invoice<I>>,
    /// What is given back now.
    pub credit_notes: Vec<CreditNote<I>>,
    /// What moves in the books besides.
    pub entries: Vec<JournalEntry>,
    /// What happens to access now.
    pub access: Option<AccessStep>,
    /// The next invoice as things stand: its days, its amount, when it is issued and due. It is not written now.
    pub next: Option<Invoice<I>>,
    /// Names facts and result: another one means that they are not what was shown.
    pub fingerprint: Uuid,
}

/// A planned package that begins on another day than was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackageMoved {
    /// Which.
    pub package_id: PackageId,
    /// Its first day as it was said.
    pub was: Date,
    /// Its first day now.
    pub from: Date,
}

/// What happens to access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessStep {
    /// What.
    pub kind: AccessEventKind,
    /// Why: a [`crate::isolation::Reason`] code, or `package_changed`.
    pub reason: &'static str,
}

/// What a step of access writes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Followed {
    /// The new wanted state, its event and the wish to the router.
    pub transition: Transition,
    /// The message about it, where there is one.
    pub message: Option<Notification>,
}

/// What a change of terms came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Settled {
    /// What was invoiced, with PPN.
    pub charged: Money,
    /// What was given back, with PPN.
    pub given_back: Money,
}

impl<I: LineIds> Change<I> {
    pub(super) fn new(facts: &LineFacts<'_, I>) -> Self {
        Self {
            subscription_id: facts.line.subscription_id,
            terms: facts.line.terms,
            from: facts.today(),
            package_moved: None,
            invoices: Vec::new(),
            credit_notes: Vec::new(),
            entries: Vec::new(),
            access: None,
            next: None,
            fingerprint: Uuid::nil(),
        }
    }

    /// What is invoiced and given back now.
    #[must_use]
    pub fn settled(&self) -> Settled {
        Settled {
            charged: self.invoices.iter().map(|i| i.total).sum(),
            given_back: self.credit_notes.iter().map(|n| n.total).sum(),
        }
    }

    /// The change itself when it is the one that was shown.
    ///
    /// # Errors
    /// [`Error::ChangedSince`] when facts or result are others.
    pub fn confirm(self, shown: Option<Uuid>) -> Result<Self, Error> {
        match shown {
            Some(shown) if shown != self.fingerprint => Err(Error::ChangedSince),
            _ => Ok(self),
        }
    }
}

impl Change {
    /// What its step of access writes; `facts` are those of the line before the change.
    #[must_use]
    pub fn follow(
        &self,
        tenant: TenantId,
        facts: &AccessFacts,
        dunning: &DunningPolicy,
        now: DateTime<Utc>,
    ) -> Option<Followed> {
        let AccessStep { kind, reason } = self.access?;
        let facts = AccessFacts { terms: self.terms, ..facts.clone() };
        let transition = Transition::new(&facts, kind, Decider { by: "engine", reason }, now);
        let message = about_access(tenant, &facts, &transition, dunning, now);
        Some(Followed { transition, message })
    }
}

/// A name for what a change rests on and comes to. The moment is no part of it: what is shown may be confirmed a minute later.
pub(super) fn fingerprint<I: LineIds>(facts: &LineFacts<'_, I>, change: &Change<I>) -> Uuid {
    let mut words = format!("{:?} {:?} {:?} {:?}", facts.line.terms, facts.access, change.terms, change.access);
    for charge in facts.charges.iter().chain(facts.late_fees) {
        // Writing to a text cannot fail.
        let _ = write!(words, " {} {}", charge.invoice.id, charge.left().as_i64());
    }
    for invoice in change.invoices.iter().chain(&change.next) {
        let Invoice { id, period, issue_date, due_date, total, .. } = invoice;
        let _ = write!(words, " {id} {period} {issue_date} {due_date} {}", total.as_i64());
    }
    for note in &change.credit_notes {
        let _ = write!(words, " {} {}", note.id, note.total.as_i64());
    }
    derive(facts.line.subscription_id.0, &["terms", &words])
}
