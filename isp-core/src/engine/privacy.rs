//! A customer is forgotten, and the books stay.

use chrono::{DateTime, Utc};

use crate::calendar::Zone;
use crate::engine::pages::all_pages;
use crate::engine::retry::until_written;
use crate::engine::{Engine, EngineError};
use crate::error::Error;
use crate::ids::CustomerId;
use crate::money::Money;
use crate::payment::GatewayState;
use crate::ports::{
    AccessQuery, ChangeSet, GatewayQuery, OutboxQuery, OutboxState, PageQuery, RequestQuery, StoreError,
};
use crate::privacy::{
    Erased, Erasure, ErasureFacts, ForgottenLine, Needed, Person, device_without_person, forget_line, needed,
    without_person,
};
use crate::protection::Proof;
use crate::subscription::Subscription;

impl Engine<'_> {
    /// For what the data of a customer is still needed; nothing when it may be erased.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn needed_of(&self, customer: CustomerId, now: DateTime<Utc>) -> Result<Vec<Needed>, EngineError> {
        let lines = self.lines_of(customer).await?;
        let open = self.store.open_invoices(self.tenant, customer).await?;
        let credit = self.store.credit(self.tenant, customer).await?;
        let devices = self.store.cpes(self.tenant, Some(customer)).await?;
        let orders = self.store.installation_orders(self.tenant, Some(customer)).await?;
        // A day on which it is over everywhere in the country.
        let today = Zone::Wib.date_of(now);
        let later = orders.iter().filter(|row| row.ending.is_none()).flat_map(|row| row.order.schedule());
        let not_invoiced = later.filter(|part| part.on > today).map(|part| part.amount).sum::<Money>();
        let query = RequestQuery { customer: Some(customer), standing: true, kept_after: Some(now), amounts: None };
        let own = all_pages(self.page, |page| self.store.payment_requests(self.tenant, query, page), |r| r.id).await?;
        let query = GatewayQuery { customer: Some(customer), ..GatewayQuery::default() };
        let asked = all_pages(self.page, |page| self.store.gateway_requests(self.tenant, &query, page), |r| r.id);
        let asked = asked.await?.into_iter().filter(|request| waits(request.state)).count();
        let going = self.open_refunds(Some(customer)).await?.len();
        let proofs = self.store.proofs(self.tenant, Some(customer)).await?;
        let query = OutboxQuery { topic: None, state: None, customer: Some(customer) };
        let messages = all_pages(self.page, |page| self.store.outbox(self.tenant, query, page), |row| row.id).await?;
        let facts = ErasureFacts {
            lines: &lines,
            owed: open.iter().map(|invoice| invoice.residual()).sum(),
            credit: credit.iter().map(|source| source.left).sum(),
            devices: &devices,
            not_invoiced,
            requests: (own.len() + asked) as u64,
            refunds: going as u64,
            proofs: proofs.iter().filter(|proof| Proof::waits(proof)).count() as u64,
            messages: messages.iter().filter(|row| is_open(row.state)).count() as u64,
        };
        Ok(needed(&facts, now))
    }

    /// Erases the personal data of a customer: name, NIK, address, phone number, coordinates, how devices are reached, the files of proofs, links to pages, webhooks that name the phone number, and the person in all texts that
    /// stay. Invoices, payments and the journal stay with the customer ID. Routers are to remove the accounts of the customer's lines;
    /// until one has done it, the store keeps what it is called there.
    ///
    /// # Errors
    /// [`Error::StillNeeded`] while anything is not over, see [`needed`]; [`StoreError::Erased`] when it was done before;
    /// [`StoreError::NotFound`] for a customer who is not known.
    pub async fn erase(&self, erased: Erased) -> Result<(), EngineError> {
        until_written(|| async {
            let id = erased.customer_id;
            let customer = self.store.customer(self.tenant, id).await?;
            let customer = customer.ok_or(StoreError::NotFound { what: "customer" })?;
            if !self.store.erased(self.tenant, Some(id)).await?.is_empty() {
                return Err(StoreError::Erased.into());
            }
            let still = self.needed_of(id, erased.at).await?;
            if !still.is_empty() {
                let what = still.iter().map(|needed| needed.code()).collect::<Vec<_>>().join(", ");
                return Err(Error::StillNeeded { what }.into());
            }
            let lines = self.lines_of(id).await?;
            let aliases = self.store.payer_aliases(self.tenant).await?;
            let devices = self.store.cpes(self.tenant, Some(id)).await?;
            let mut changes = ChangeSet {
                customers: vec![without_person(&customer)?],
                cpes: devices.iter().map(device_without_person).collect(),
                forgotten_aliases: aliases.iter().filter(|a| a.customer_id == id).map(|a| a.mutation_id).collect(),
                erasures: vec![Erasure { erased: erased.clone(), person: Person::of(&customer) }],
                ..ChangeSet::default()
            };
            for line in self.forgotten(id, &lines, &erased).await? {
                changes.subscriptions.push(line.subscription);
                changes.former_accounts.extend(line.accounts);
                changes.effects.extend(line.effects);
                if let Some((access, event)) = line.step {
                    changes.access.push(access);
                    changes.access_events.push(event);
                }
            }
            self.store.commit(self.tenant, changes).await?;
            Ok(())
        })
        .await
    }

    /// The lines without what they were known by, and what routers have to do about it.
    async fn forgotten(
        &self,
        customer: CustomerId,
        lines: &[(Subscription, Zone)],
        erased: &Erased,
    ) -> Result<Vec<ForgottenLine>, EngineError> {
        let routers = self.store.routers(self.tenant).await?;
        let called = |id| routers.iter().any(|router| router.id == id && !router.archived);
        let left = self.store.former_accounts(self.tenant, customer).await?;
        let query = AccessQuery::Subscriptions(lines.iter().map(|(line, _)| line.id).collect());
        let facts = self.store.load_access(self.tenant, &query, PageQuery::first(u32::MAX)).await?;
        let mut forgotten = Vec::with_capacity(lines.len());
        for (line, _) in lines {
            let facts = facts.iter().find(|facts| facts.subscription_id == line.id);
            let facts = facts.ok_or(StoreError::NotFound { what: "subscription" })?;
            let left: Vec<_> = left.iter().filter(|account| account.subscription_id == line.id).cloned().collect();
            forgotten.push(forget_line(facts, line, &left, called, &erased.by, erased.at)?);
        }
        Ok(forgotten)
    }

    /// The lines of a customer with their zones.
    async fn lines_of(&self, customer: CustomerId) -> Result<Vec<(Subscription, Zone)>, EngineError> {
        let sites = self.store.sites(self.tenant).await?;
        let zone = |line: &Subscription| sites.iter().find(|s| s.id == line.site_id).map_or(Zone::Wib, |s| s.zone);
        let load = |page| self.store.subscriptions(self.tenant, Some(customer), page);
        let rows = all_pages(self.page, load, |(line, _)| line.id).await?;
        Ok(rows.into_iter().map(|(line, _)| (zone(&line), line)).map(|(zone, line)| (line, zone)).collect())
    }
}

/// True while a gateway may still take money for a request, or is to be told that it must not.
const fn waits(state: GatewayState) -> bool {
    match state {
        GatewayState::Attempting | GatewayState::Unknown | GatewayState::Open | GatewayState::Cancelling => true,
        GatewayState::Expired | GatewayState::Cancelled | GatewayState::Paid => false,
    }
}

/// True while a worker has a message to send it.
const fn is_open(state: OutboxState) -> bool {
    matches!(state, OutboxState::Claimed | OutboxState::Attempting)
}
