//! Changes of terms: loads a line with what it was charged, asks [`crate::terms`], commits.

use chrono::{DateTime, Utc};

use crate::billing::{Billable, Catalog, Charge, InvoiceBalance};
use crate::calendar::{BillingDay, Date, Period};
use crate::clock::ClockWord;
use crate::engine::retry::until_written;
use crate::engine::{Engine, EngineError};
use crate::ids::{PackageId, SubscriptionId};
use crate::isolation::AccessFacts;
use crate::ledger::entry_for_credit;
use crate::payment::Allocation;
use crate::ports::{AccessQuery, ChangeSet, PageQuery, StoreError};
use crate::terms::{Change, Command, FormerTerms, LineFacts, Settled, decide};
use uuid::Uuid;

/// Who wishes a change of terms, and why.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish<'a> {
    /// An officer's name; empty for the engine itself.
    pub by: &'a str,
    /// In words; may be empty.
    pub note: &'a str,
    /// The fingerprint of the change that was shown and is confirmed; `None` for one that was not shown.
    pub shown: Option<Uuid>,
    /// What a person said of the moment: a change bills what has come due (rule I9).
    pub clock: ClockWord,
}

/// What a change of a line is decided from.
struct Loaded {
    facts: AccessFacts,
    charges: Vec<Charge>,
    late_fees: Vec<Charge>,
    catalog: Catalog,
    position: Option<Date>,
}

impl Engine<'_> {
    /// What a wish would come to now; nothing is written.
    ///
    /// # Errors
    /// Those of [`crate::terms::decide`]; [`StoreError::NotFound`].
    pub async fn preview_terms(
        &self,
        subscription: SubscriptionId,
        command: Command,
        wish: Wish<'_>,
        now: DateTime<Utc>,
    ) -> Result<Change, EngineError> {
        Ok(self.decide_terms(&self.load_line(subscription).await?, command, wish, now)?)
    }

    /// Changes the terms of a line: what is invoiced, given back and booked, the new terms and what follows for access, in one
    /// commit. What is given back of an open invoice pays that invoice first, then others (rule P2).
    ///
    /// # Errors
    /// Those of [`crate::terms::decide`]; [`crate::Error::ChangedSince`] when the wish confirms what is no longer so;
    /// [`EngineError::Clock`] when the moment does not follow the last run; [`StoreError::NotFound`].
    pub async fn change_terms(
        &self,
        subscription: SubscriptionId,
        command: Command,
        wish: Wish<'_>,
        now: DateTime<Utc>,
    ) -> Result<Change, EngineError> {
        self.follows(now, wish.clock).await?;
        let (change, customer) = until_written(|| async {
            let line = self.load_line(subscription).await?;
            let change = self.decide_terms(&line, command, wish, now)?;
            self.store.commit(self.tenant, self.terms_change_set(&line.facts, change.clone(), now)).await?;
            Ok((change, line.facts.customer_id))
        })
        .await?;
        if !change.credit_notes.is_empty() {
            self.apply_credit_of(customer, now).await?;
        }
        Ok(change)
    }

    /// Changes the package from the next period on (rule B6). Returns the day from which it holds.
    ///
    /// # Errors
    /// As [`Engine::change_terms`].
    pub async fn change_package(
        &self,
        subscription: SubscriptionId,
        package: PackageId,
        now: DateTime<Utc>,
    ) -> Result<Date, EngineError> {
        Ok(self.change_terms(subscription, Command::NextPackage { package }, Wish::default(), now).await?.from)
    }

    /// Changes the package from today on (rule B6). The router hears of it with the next delivery.
    ///
    /// # Errors
    /// As [`Engine::change_terms`].
    pub async fn change_package_at_once(
        &self,
        subscription: SubscriptionId,
        package: PackageId,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<Settled, EngineError> {
        let from = self.today_at(subscription, now).await?;
        let wish = Wish { by, ..Wish::default() };
        Ok(self.change_terms(subscription, Command::PackageAtOnce { package, from }, wish, now).await?.settled())
    }

    /// Changes the billing day today (rule C4). Returns the first day of the first whole period.
    ///
    /// # Errors
    /// As [`Engine::change_terms`].
    pub async fn change_billing_day(
        &self,
        subscription: SubscriptionId,
        day: BillingDay,
        now: DateTime<Utc>,
    ) -> Result<Date, EngineError> {
        let from = self.today_at(subscription, now).await?;
        Ok(self.change_terms(subscription, Command::BillingDay { day, from }, Wish::default(), now).await?.from)
    }

    /// Pauses service and billing from today on (rule B7).
    ///
    /// # Errors
    /// As [`Engine::change_terms`].
    pub async fn pause(&self, subscription: SubscriptionId, now: DateTime<Utc>) -> Result<Settled, EngineError> {
        let from = self.today_at(subscription, now).await?;
        Ok(self.change_terms(subscription, Command::Pause { from }, Wish::default(), now).await?.settled())
    }

    /// Ends a pause today.
    ///
    /// # Errors
    /// As [`Engine::change_terms`].
    pub async fn resume(&self, subscription: SubscriptionId, now: DateTime<Utc>) -> Result<(), EngineError> {
        let from = self.today_at(subscription, now).await?;
        self.change_terms(subscription, Command::Resume { from }, Wish::default(), now).await.map(drop)
    }

    /// Ends a subscription: `end` is the day after the last day of service (rules B7, B12).
    ///
    /// # Errors
    /// As [`Engine::change_terms`].
    pub async fn terminate(
        &self,
        subscription: SubscriptionId,
        end: Date,
        now: DateTime<Utc>,
    ) -> Result<Settled, EngineError> {
        Ok(self.change_terms(subscription, Command::End { end }, Wish::default(), now).await?.settled())
    }

    /// The day at a line.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn today_at(&self, subscription: SubscriptionId, now: DateTime<Utc>) -> Result<Date, EngineError> {
        Ok(self.facts_of(subscription).await?.zone.date_of(now))
    }

    fn decide_terms(
        &self,
        line: &Loaded,
        command: Command,
        wish: Wish<'_>,
        now: DateTime<Utc>,
    ) -> Result<Change, crate::Error> {
        let facts = LineFacts {
            line: billable(&line.facts),
            access: line.facts.access.desired,
            charges: &line.charges,
            late_fees: &line.late_fees,
            catalog: &line.catalog,
            policy: &self.policy.billing,
            tax: &self.policy.tax,
            position: line.position,
            now,
            by: if wish.by.is_empty() { "engine" } else { wish.by },
            note: wish.note,
        };
        decide(&facts, command)?.confirm(wish.shown)
    }

    fn terms_change_set(&self, facts: &AccessFacts, change: Change, now: DateTime<Utc>) -> ChangeSet {
        let former = FormerTerms { subscription_id: facts.subscription_id, until: now, terms: facts.terms };
        let mut changes = ChangeSet {
            terms: vec![(facts.subscription_id, change.terms)],
            former_terms: vec![former],
            ..ChangeSet::default()
        };
        match change.follow(self.tenant, facts, &self.policy.dunning, now) {
            Some(followed) => {
                changes.messages.extend(followed.message);
                changes.access.push(followed.transition.access);
                changes.access_events.push(followed.transition.event);
                changes.effects.extend(followed.transition.effect);
            }
            // Written over the version that was read, so that no other change of terms comes in between.
            None if facts.access.version > 0 => changes.access.push(facts.access.clone()),
            None => changes.touched.push(facts.subscription_id),
        }
        let mut open: Vec<InvoiceBalance> = facts.open.clone();
        open.extend(change.invoices.iter().map(|i| i.balance(crate::Money::ZERO)));
        let mut own: Vec<Allocation> = Vec::new();
        for note in &change.credit_notes {
            let Some(invoice) = open.iter_mut().find(|i| i.invoice_id == note.invoice_id) else { continue };
            let amount = note.total.min(invoice.residual());
            if amount.is_positive() {
                invoice.paid += amount;
                own.push(Allocation { payment_id: note.payment_id(), invoice_id: invoice.invoice_id, amount, at: now });
            }
        }
        let today = facts.zone.date_of(now);
        changes.journal = change.entries;
        changes.journal.extend(entry_for_credit(self.tenant, facts.customer_id, &own, &open, today));
        changes.invoices = change.invoices;
        changes.credit_notes = change.credit_notes;
        changes.allocations = own;
        changes
    }

    async fn load_line(&self, subscription: SubscriptionId) -> Result<Loaded, EngineError> {
        let facts = self.facts_of(subscription).await?;
        // From the beginning, as an end may lie before today.
        let days = Period { start: Date::MIN, end: Date::MAX };
        let charges = self.store.charges(self.tenant, &[subscription], days).await?;
        let mut late_fees = self.late_fees_of(facts.customer_id).await?;
        late_fees.retain(|fee| fee.invoice.subscription_id == subscription);
        let catalog = Catalog::new(&self.store.packages(self.tenant).await?);
        let position = self.store.billing_position(self.tenant).await?;
        Ok(Loaded { facts, charges, late_fees, catalog, position })
    }

    async fn facts_of(&self, subscription: SubscriptionId) -> Result<AccessFacts, EngineError> {
        let query = AccessQuery::Subscriptions(vec![subscription]);
        let mut facts = self.store.load_access(self.tenant, &query, PageQuery::first(1)).await?;
        facts.pop().ok_or_else(|| StoreError::NotFound { what: "subscription" }.into())
    }
}

fn billable(facts: &AccessFacts) -> Billable {
    Billable {
        subscription_id: facts.subscription_id,
        customer_id: facts.customer_id,
        site_id: facts.site_id,
        zone: facts.zone,
        terms: facts.terms,
    }
}
