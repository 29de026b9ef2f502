//! Access, its events, and the facts it is decided from.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::billing::{Debt, InvoiceBalance, InvoiceKind};
use crate::calendar::Date;
use crate::ending::RecordId;
use crate::ids::{CustomerId, ExemptionId, PromiseId, ProofId, RouterId, SiteId, SubscriptionId};
use crate::isolation::access::{IsolatedSince, ObservedAccess};
use crate::isolation::{Access, AccessEvent, AccessEventKind, AccessFacts, AccessTarget, ServiceAccess};
use crate::money::Money;
use crate::ports::{AccessQuery, ChangeSet, PageQuery, StoreError};
use crate::protection::{Exemption, Outage, Promise, Proof};
use crate::protection::{ProtectionTimes, Protections};
use crate::subscription::{Account, Subscription};
use crate::terms::account::FormerAccount;

use super::ledger::sort_by_due;
use super::state::State;
use super::store::after;

impl State {
    pub(super) fn write_access(&mut self, changes: &mut ChangeSet) -> Result<(), StoreError> {
        for new in changes.access.drain(..) {
            let id = new.subscription_id;
            self.must_have_subscription(id)?;
            let old = self.access.get(&id);
            if new.version != old.map_or(0, |o| o.version) {
                return Err(StoreError::Conflict);
            }
            let observed = old.and_then(|o| o.observed.clone());
            self.access.put(id, ServiceAccess { version: new.version + 1, observed, ..new });
        }
        for id in changes.touched.drain(..) {
            if let Some(old) = self.access.get(&id).cloned() {
                self.access.put(id, ServiceAccess { version: old.version + 1, ..old });
            }
        }
        for event in changes.access_events.drain(..) {
            self.must_have_subscription(event.subscription_id)?;
            self.own("access_event.id", None, Some(event.id.to_string()), event.id.0)?;
            self.access_events.put((event.subscription_id, event.revision), event);
        }
        Ok(())
    }

    pub(super) fn observe(&mut self, id: SubscriptionId, new: &ObservedAccess) {
        // Revision 0 says that nothing was read, so there is no moment to keep.
        if new.revision == 0 {
            return;
        }
        let Some(row) = self.access.get(&id) else { return };
        if row.observed.as_ref().is_none_or(|old| (old.revision, old.at) <= (new.revision, new.at)) {
            let row = ServiceAccess { observed: Some(new.clone()), ..row.clone() };
            self.access.put(id, row);
        }
    }

    pub(super) fn load_access(&self, query: &AccessQuery, page: PageQuery<SubscriptionId>) -> Vec<AccessFacts> {
        let limit = page.limit as usize;
        let some = |ids: BTreeSet<SubscriptionId>| {
            ids.range(after(page.after)).filter_map(|id| self.subscriptions.get(id)).map(|s| self.facts(s)).collect()
        };
        let facts: Vec<AccessFacts> = match query {
            AccessQuery::Due { due_until, today } => self
                .subscriptions
                .range(after(page.after))
                .filter(|(_, s)| self.needs_a_look(s, *due_until, *today))
                .take(limit)
                .map(|(_, s)| self.facts(s))
                .collect(),
            AccessQuery::Customers(customers) => {
                some(customers.iter().flat_map(|c| self.subscriptions_of_customer(*c)).map(|s| s.id).collect())
            }
            AccessQuery::Subscriptions(ids) => some(ids.iter().copied().collect()),
        };
        facts.into_iter().take(limit).collect()
    }

    fn needs_a_look(&self, subscription: &Subscription, due_until: Date, today: Date) -> bool {
        let (id, terms) = (subscription.id, &subscription.terms);
        let desired = self.access.get(&id).map_or(Access::Closed, |a| a.desired);
        let ended = terms.end.is_some_and(|end| end <= today);
        if ended && desired == Access::Closed {
            return false;
        }
        desired != Access::Open
            || ended
            || terms.start > today
            || terms.paused_from.is_some_and(|from| from <= today)
            || terms.change.is_some_and(|change| change.from <= today)
            || self.open_of_subscription(id).iter().any(|i| i.due_date <= due_until)
    }

    fn facts(&self, s: &Subscription) -> AccessFacts {
        AccessFacts {
            subscription_id: s.id,
            customer_id: s.customer_id,
            site_id: s.site_id,
            router_id: s.router_id,
            zone: self.zone_of(s),
            terms: s.terms,
            access: self.access_of(s.id),
            open: self.open_of_subscription(s.id),
            protections: Protections::from(ProtectionTimes {
                promises: self.promises_of(s.customer_id).map(|p| p.days()).collect(),
                exemptions: self.exemptions_of(s.customer_id).map(|e| e.days()).collect(),
                outages: self.outages_at(s.site_id).map(|o| o.times()).collect(),
                proofs: self.proofs_of(s.customer_id).flat_map(|p| p.times()).collect(),
            }),
        }
    }

    pub(super) fn access_at(&self, customers: &[CustomerId], at: DateTime<Utc>) -> Vec<AccessFacts> {
        let lines: BTreeSet<SubscriptionId> =
            customers.iter().flat_map(|customer| self.subscriptions_of_customer(*customer)).map(|s| s.id).collect();
        lines
            .iter()
            .filter_map(|id| self.subscriptions.get(id))
            .map(|s| {
                let (customer, today) = (s.customer_id, self.zone_of(s).date_of(at));
                AccessFacts {
                    access: self.rebuilt(s.id, at),
                    open: self.open_then(s.id, today, at),
                    protections: Protections::from(ProtectionTimes {
                        promises: self.promises_of(customer).filter(|p| p.made_on <= today).map(|p| p.days()).collect(),
                        exemptions: self
                            .exemptions_of(customer)
                            .filter(|e| e.from <= today)
                            .map(|e| e.days())
                            .collect(),
                        outages: self.outages_at(s.site_id).filter(|o| o.from <= at).map(|o| o.times()).collect(),
                        proofs: self
                            .proofs_of(customer)
                            .filter(|p| p.arrived_at <= at)
                            .flat_map(|p| p.times())
                            .collect(),
                    }),
                    ..self.facts(s)
                }
            })
            .collect()
    }

    fn open_then(&self, subscription: SubscriptionId, today: Date, at: DateTime<Utc>) -> Vec<InvoiceBalance> {
        let keys =
            (subscription, InvoiceKind::Subscription, Date::MIN)..=(subscription, InvoiceKind::Adjustment, Date::MAX);
        let mut open: Vec<InvoiceBalance> = self
            .invoice_of
            .range(keys)
            .filter_map(|(_, id)| self.invoices.get(id))
            .filter(|kept| kept.invoice.issue_date <= today)
            .map(|kept| {
                let id = kept.invoice.id;
                let made = self.allocations_of_invoice.range((id, 0)..=(id, u64::MAX)).map(|(_, a)| a);
                let paid: Money = made.filter(|a| a.at <= at).map(|a| a.amount).sum();
                let balance = kept.balance();
                InvoiceBalance { debt: Debt { paid, ..balance.debt }, ..balance }
            })
            .filter(|balance| balance.residual().is_positive())
            .collect();
        sort_by_due(&mut open);
        open
    }

    fn rebuilt(&self, id: SubscriptionId, at: DateTime<Utc>) -> ServiceAccess {
        let start = ServiceAccess { revision: 0, ..ServiceAccess::new(id, Access::Closed) };
        let access = self.access_events(id).filter(|e| e.at <= at).fold(start, follow);
        ServiceAccess { version: self.access_of(id).version, ..access }
    }

    pub(super) fn access_events(&self, id: SubscriptionId) -> impl Iterator<Item = &AccessEvent> {
        self.access_events.range((id, 0)..=(id, u64::MAX)).map(|(_, event)| event)
    }

    pub(super) fn promises_of(&self, customer: CustomerId) -> impl Iterator<Item = Promise> {
        let (first, last) = (PromiseId(uuid::Uuid::nil()), PromiseId(uuid::Uuid::max()));
        self.promises.range((customer, first)..=(customer, last)).map(|(_, p)| self.told_promise(p))
    }

    pub(super) fn told_promise(&self, promise: &Promise) -> Promise {
        Promise { ending: self.endings.get(&RecordId::Promise(promise.id)).cloned(), ..promise.clone() }
    }

    pub(super) fn exemptions_of(&self, customer: CustomerId) -> impl Iterator<Item = Exemption> {
        let (first, last) = (ExemptionId(uuid::Uuid::nil()), ExemptionId(uuid::Uuid::max()));
        self.exemptions.range((customer, first)..=(customer, last)).map(|(_, e)| self.told_exemption(e))
    }

    pub(super) fn told_exemption(&self, exemption: &Exemption) -> Exemption {
        Exemption { ending: self.endings.get(&RecordId::Exemption(exemption.id)).cloned(), ..exemption.clone() }
    }

    pub(super) fn proofs_of(&self, customer: CustomerId) -> impl Iterator<Item = Proof> {
        let (first, last) = (ProofId(uuid::Uuid::nil()), ProofId(uuid::Uuid::max()));
        self.proofs.range((customer, first)..=(customer, last)).map(|(_, p)| self.told_proof(p))
    }

    pub(super) fn told_proof(&self, proof: &Proof) -> Proof {
        Proof { review: self.proof_reviews.get(&proof.id).cloned(), ..proof.clone() }
    }

    pub(super) fn forget_proof_files(&mut self, reviewed_before: DateTime<Utc>, limit: u32) -> u64 {
        let old = self.proof_reviews.range(..).filter(|(_, review)| review.at < reviewed_before).map(|(id, _)| *id);
        let there: Vec<ProofId> = old.filter(|id| self.proof_contents.has(id)).take(limit as usize).collect();
        there.iter().for_each(|id| self.proof_contents.remove(id));
        there.len() as u64
    }

    pub(super) fn told_outage(&self, outage: &Outage) -> Outage {
        Outage { ending: self.endings.get(&RecordId::Outage(outage.id)).cloned(), ..outage.clone() }
    }

    fn outages_at(&self, site: SiteId) -> impl Iterator<Item = Outage> {
        self.outages.values().filter(move |o| o.site_id == site).map(|o| self.told_outage(o))
    }

    pub(super) fn subscribers_per_router(&self) -> BTreeMap<RouterId, u64> {
        let mut counts = BTreeMap::new();
        for (router, subscription) in self.subscriptions_on.keys() {
            if self.access.get(subscription).is_some_and(|a| a.desired != Access::Closed) {
                *counts.entry(*router).or_default() += 1;
            }
        }
        counts
    }

    pub(super) fn target(&self, id: SubscriptionId) -> Option<AccessTarget> {
        let s = self.subscriptions.get(&id)?;
        let package = self.packages.get(&s.terms.package_id)?;
        let access = self.access_of(id);
        let rank = |s: &Subscription| (self.access_of(s.id).desired != Access::Closed, s.terms.start, s.id);
        if self.namesakes(s).any(|other| rank(other) > rank(s)) {
            return None;
        }
        Some(AccessTarget {
            subscription_id: id,
            router_id: s.router_id?,
            account: s.account.clone(),
            group: package.group.clone(),
            desired: access.desired,
            revision: access.revision,
            adopt: false,
            succeeds: self.predecessors(s),
            left: false,
            forget: false,
        })
    }

    /// Who had the user name of a line on its router before, in id order.
    fn predecessors(&self, line: &Subscription) -> Vec<SubscriptionId> {
        let here = |f: &&FormerAccount| Some(f.router_id) == line.router_id && f.subscription_id != line.id;
        let known = |f: &&FormerAccount| {
            let address = f.address.is_some() && f.address == line.account.address;
            f.username == line.account.username || address
        };
        let left = self.former_accounts.values().map(|(f, _)| f).filter(here).filter(known);
        let found: BTreeSet<SubscriptionId> =
            self.namesakes(line).map(|other| other.id).chain(left.map(|f| f.subscription_id)).collect();
        found.into_iter().collect()
    }

    pub(super) fn former_targets(&self, router: RouterId, lines: &[SubscriptionId]) -> Vec<AccessTarget> {
        let held = |f: &FormerAccount| {
            let mut there = self.subscriptions.values().filter(|s| s.router_id == Some(router));
            let same = |a: &Account| a.service == f.service && a.username == f.username;
            there.any(|s| same(&s.account) && s.terms.end.is_none())
        };
        let open = self.former_accounts.values().filter(|(_, closed)| !closed).map(|(f, _)| f);
        let left = open.filter(|f| f.router_id == router && lines.contains(&f.subscription_id));
        left.filter(|f| !held(f))
            .filter_map(|f| {
                let line = self.subscriptions.get(&f.subscription_id)?;
                let package = self.packages.get(&line.terms.package_id)?;
                Some(AccessTarget {
                    subscription_id: line.id,
                    router_id: router,
                    account: Account {
                        username: f.username.clone(),
                        password: line.account.password.clone(),
                        service: f.service,
                        address: f.address,
                    },
                    group: package.group.clone(),
                    desired: Access::Closed,
                    revision: self.access_of(line.id).revision,
                    adopt: false,
                    succeeds: Vec::new(),
                    left: true,
                    forget: self.erased.has(&line.customer_id),
                })
            })
            .collect()
    }

    pub(super) fn former_accounts_of(&self, customer: CustomerId) -> Vec<FormerAccount> {
        let his = |f: &&FormerAccount| {
            self.subscriptions.get(&f.subscription_id).is_some_and(|line| line.customer_id == customer)
        };
        let mut found: Vec<FormerAccount> =
            self.former_accounts.values().map(|(f, _)| f).filter(his).cloned().collect();
        found.sort_by(|a, b| {
            let key = |f: &FormerAccount| (f.subscription_id, f.router_id, f.username.clone(), f.service.code());
            key(a).cmp(&key(b))
        });
        found
    }

    pub(super) fn router_targets(&self, router: RouterId, page: PageQuery<SubscriptionId>) -> Vec<AccessTarget> {
        let ids = self.subscriptions_on.range((router, SubscriptionId(uuid::Uuid::nil()))..);
        ids.take_while(|((of, _), ())| *of == router)
            .map(|((_, id), ())| *id)
            .filter(|id| page.after.is_none_or(|after| after < *id))
            .filter_map(|id| self.target(id))
            .take(page.limit as usize)
            .collect()
    }
}

/// What an event makes of the access before it.
fn follow(before: ServiceAccess, event: &AccessEvent) -> ServiceAccess {
    let (desired, cause) = event.kind.leads_to().unwrap_or((before.desired, before.cause));
    let isolated = match event.kind {
        AccessEventKind::IsolatedArrears => Some(IsolatedSince { at: event.at, overdue: event.overdue }),
        AccessEventKind::IsolatedManual => Some(IsolatedSince { at: event.at, overdue: Money::ZERO }),
        AccessEventKind::GroupChanged => before.isolated,
        // Kept after a reopening for a part, as the engine keeps it.
        AccessEventKind::Reopened
            if !event.overdue.is_zero() && before.cause == Some(crate::isolation::IsolationCause::Arrears) =>
        {
            before.isolated
        }
        AccessEventKind::Reopened | AccessEventKind::Closed | AccessEventKind::Registered => None,
    };
    ServiceAccess { desired, cause, isolated, revision: event.revision, ..before }
}
