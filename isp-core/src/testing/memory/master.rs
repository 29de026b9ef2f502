//! Customers, packages, routers, subscriptions, devices.

use std::collections::BTreeSet;

use crate::ending::RecordId;
use crate::ids::{CustomerId, MasterId, PackageId, RouterId, SiteId, SubscriptionId};
use crate::ports::{ChangeSet, StoreError};
use crate::subscription::{Account, BillingTerms, Subscription};

use super::state::{State, must_exist};

impl State {
    pub(super) fn write_master(&mut self, changes: &mut ChangeSet) -> Result<(), StoreError> {
        self.write_places(changes)?;
        self.write_customers(changes)?;
        self.write_terms(changes)?;
        self.check_usernames()?;
        self.check_archived()?;
        self.write_installations(changes)?;
        self.write_devices(changes)?;
        self.write_protections(changes)
    }

    fn write_places(&mut self, changes: &mut ChangeSet) -> Result<(), StoreError> {
        for site in changes.sites.drain(..) {
            let old = self.sites.get(&site.id).map(|s| s.code.folded());
            self.own("site.code", old, Some(site.code.folded()), site.id.0)?;
            self.sites.put(site.id, site);
        }
        for router in changes.routers.drain(..) {
            self.must_have_site(router.site_id)?;
            let old = self.routers.get(&router.id).map(|r| r.code.folded());
            self.own("router.code", old, Some(router.code.folded()), router.id.0)?;
            self.rests.remove(&router.id);
            self.routers.put(router.id, router);
        }
        for machine in changes.machines.drain(..) {
            self.must_have_router(machine.router_id)?;
            self.rests.remove(&machine.router_id);
            self.machines.put(machine.router_id, machine);
        }
        for package in changes.packages.drain(..) {
            let old = self.packages.get(&package.id).map(|p| p.code.folded());
            self.own("package.code", old, Some(package.code.folded()), package.id.0)?;
            self.packages.put(package.id, package);
        }
        Ok(())
    }

    fn write_customers(&mut self, changes: &mut ChangeSet) -> Result<(), StoreError> {
        for customer in changes.customers.drain(..) {
            let old = self.customers.get(&customer.id).map(|c| c.code.folded());
            self.own("customer.code", old, Some(customer.code.folded()), customer.id.0)?;
            self.customers.put(customer.id, customer);
        }
        for row in std::mem::take(&mut changes.removed) {
            self.remove(row)?;
        }
        for subscription in changes.subscriptions.drain(..) {
            self.put_subscription(subscription)?;
        }
        for former in changes.former_accounts.drain(..) {
            self.must_have_subscription(former.subscription_id)?;
            self.must_have_router(former.router_id)?;
            let key = (former.router_id, former.subscription_id, former.service, former.username.clone());
            self.former_accounts.put(key, (former, false));
        }
        Ok(())
    }

    fn remove(&mut self, row: MasterId) -> Result<(), StoreError> {
        must_exist(!self.is_named(row), "row that nothing names")?;
        match row {
            MasterId::Site(id) => {
                let old = self.sites.get(&id).map(|s| s.code.folded());
                self.own("site.code", old, None, id.0)?;
                self.sites.remove(&id);
            }
            MasterId::Router(id) => {
                let old = self.routers.get(&id).map(|r| r.code.folded());
                self.own("router.code", old, None, id.0)?;
                self.machines.remove(&id);
                self.holds.remove(&id);
                self.rests.remove(&id);
                self.routers.remove(&id);
            }
            MasterId::Package(id) => {
                let old = self.packages.get(&id).map(|p| p.code.folded());
                self.own("package.code", old, None, id.0)?;
                self.packages.remove(&id);
            }
            MasterId::Customer(id) => {
                let old = self.customers.get(&id).map(|c| c.code.folded());
                self.own("customer.code", old, None, id.0)?;
                self.customers.remove(&id);
            }
            MasterId::InstallationKind(id) => {
                let old = self.installation_kinds.get(&id).map(|k| k.code.folded());
                self.own("installation_kind.code", old, None, id.0)?;
                self.installation_kinds.remove(&id);
            }
        }
        Ok(())
    }

    /// True when anything names a row of the master data.
    fn is_named(&self, row: MasterId) -> bool {
        match row {
            MasterId::Site(id) => {
                self.routers.values().any(|r| r.site_id == id)
                    || self.subscriptions.values().any(|s| s.site_id == id)
                    || self.expenses.values().any(|e| e.site_id == Some(id))
                    || self.outages.values().any(|o| o.site_id == id)
                    || self.invoices.values().any(|i| i.invoice.site_id == id)
            }
            MasterId::Router(id) => {
                self.subscriptions.values().any(|s| s.router_id == Some(id))
                    || self.former_accounts.keys().any(|(router, ..)| *router == id)
            }
            MasterId::Package(id) => {
                let has = |terms: &BillingTerms| {
                    terms.package_id == id || terms.change.is_some_and(|change| change.package_id == id)
                };
                self.subscriptions.values().any(|s| has(&s.terms))
                    || self.former_terms.values().any(|former| has(&former.terms))
                    || self.invoices.values().any(|i| i.invoice.package_id == id)
            }
            MasterId::Customer(id) => self.has_history(id),
            MasterId::InstallationKind(id) => self.installation_orders.values().any(|o| o.kind_id == id),
        }
    }

    fn has_history(&self, id: CustomerId) -> bool {
        self.subscriptions_of_customer(id).next().is_some()
            || self.cpes.values().any(|c| c.customer_id == id)
            || self.device_history.values().any(|h| h.customer_id == id)
            || self.payments.values().any(|p| p.payment.customer_id == id)
            || self.page_links.values().any(|l| l.customer_id == id)
            || self.opt_outs.has(&id)
            || self.payment_requests.values().any(|r| r.customer_id == id)
            || self.gateway_requests.values().any(|r| r.customer_id == id)
            || self.payer_aliases.values().any(|a| a.customer_id == id)
            || self.promises_of(id).next().is_some()
            || self.exemptions_of(id).next().is_some()
            || self.proofs_of(id).next().is_some()
    }

    fn put_subscription(&mut self, new: Subscription) -> Result<(), StoreError> {
        self.must_have_customer(new.customer_id)?;
        self.must_have_site(new.site_id)?;
        must_exist(new.router_id.is_none_or(|id| self.routers.has(&id)), "router")?;
        self.must_have_packages(&new.terms)?;
        let old = self.subscriptions.get(&new.id).cloned();
        self.must_differ_in_letters(old.as_ref(), &new)?;
        if let Some(old) = old {
            self.subscriptions_of.remove(&(old.customer_id, old.id));
            if let Some(router) = old.router_id {
                self.subscriptions_on.remove(&(router, old.id));
                for name in names(&old.account) {
                    self.usernames.remove(&(router, name, old.id));
                }
            }
        }
        self.subscriptions_of.put((new.customer_id, new.id), ());
        if let Some(router) = new.router_id {
            self.subscriptions_on.put((router, new.id), ());
            for name in names(&new.account) {
                self.usernames.put((router, name, new.id), ());
            }
        }
        let id = new.id;
        self.subscriptions.put(id, new);
        self.written_names.push(id);
        Ok(())
    }

    /// Refuses a user name that another line of the router has but for the case of its letters: RouterOS would take both, and
    /// people would mean one.
    fn must_differ_in_letters(&self, old: Option<&Subscription>, new: &Subscription) -> Result<(), StoreError> {
        let name = |s: &Subscription| (s.router_id, s.account.username.as_str().to_owned());
        let (Some(router), false) = (new.router_id, old.is_some_and(|old| name(old) == name(new))) else {
            return Ok(());
        };
        let lines = self.subscriptions_on.range((router, SubscriptionId(uuid::Uuid::nil()))..);
        let mut lines =
            lines.take_while(|((on, _), ())| *on == router).filter_map(|((_, id), ())| self.subscriptions.get(id));
        // One with the same letters is looked at when all is written.
        let twin = |s: &Subscription| {
            let (is, other) = (&new.account.username, &s.account.username);
            s.id != new.id && is == other && is.as_str() != other.as_str() && s.terms.end.is_none()
        };
        match lines.any(twin) {
            true => Err(StoreError::Duplicate { what: "subscription.username" }),
            false => Ok(()),
        }
    }

    /// Lines that have one user name or address on a router have no day of service in common.
    fn check_usernames(&mut self) -> Result<(), StoreError> {
        for id in std::mem::take(&mut self.written_names) {
            let Some(line) = self.subscriptions.get(&id) else { continue };
            if self.namesakes(line).any(|other| line.terms.serves_with(&other.terms)) {
                return Err(StoreError::Duplicate { what: "subscription.username" });
            }
        }
        Ok(())
    }

    /// Nothing that is used is at an archived site or on an archived router.
    fn check_archived(&self) -> Result<(), StoreError> {
        let site = |id: &SiteId| self.sites.get(id).is_some_and(|s| s.archived);
        let router = |id: &RouterId| self.routers.get(id).is_some_and(|r| r.archived);
        let line =
            |s: &Subscription| s.terms.end.is_none() && (site(&s.site_id) || s.router_id.is_some_and(|id| router(&id)));
        let archived = self.sites.values().any(|s| s.archived) || self.routers.values().any(|r| r.archived);
        let used =
            || self.routers.values().any(|r| !r.archived && site(&r.site_id)) || self.subscriptions.values().any(line);
        must_exist(!(archived && used()), "site or router in use")
    }

    /// The other lines with the user name or the address of one on its router.
    pub(super) fn namesakes(&self, line: &Subscription) -> impl Iterator<Item = &Subscription> {
        let names = line.router_id.into_iter().flat_map(|router| names(&line.account).map(move |name| (router, name)));
        let named = names.flat_map(move |(router, name)| {
            let end = |id: uuid::Uuid| (router, name.clone(), SubscriptionId(id));
            self.usernames.range(end(uuid::Uuid::nil())..=end(uuid::Uuid::max()))
        });
        let ids: BTreeSet<SubscriptionId> = named.map(|((_, _, id), ())| *id).filter(|id| *id != line.id).collect();
        ids.into_iter().filter_map(|id| self.subscriptions.get(&id))
    }

    fn write_terms(&mut self, changes: &mut ChangeSet) -> Result<(), StoreError> {
        for former in changes.former_terms.drain(..) {
            let id = former.subscription_id;
            self.must_have_subscription(id)?;
            let before = self.former_terms.range((id, 0)..=(id, u64::MAX)).count() as u64;
            self.former_terms.put((id, before), former);
        }
        for (id, terms) in changes.terms.drain(..) {
            self.must_have_packages(&terms)?;
            self.change_terms(id, |old| *old = terms)?;
            self.written_names.push(id);
        }
        for (id, billed_from) in changes.billed_from.drain(..) {
            self.change_terms(id, |terms| terms.billed_from = billed_from)?;
        }
        for (id, day) in changes.not_billed.drain(..) {
            self.change_terms(id, |terms| {
                terms.billed_from = Some(terms.billed_from.map_or(day, |before| before.min(day)));
            })?;
        }
        Ok(())
    }

    fn change_terms(&mut self, id: SubscriptionId, change: impl FnOnce(&mut BillingTerms)) -> Result<(), StoreError> {
        let mut row = self.must_have_subscription(id)?.clone();
        change(&mut row.terms);
        self.subscriptions.put(id, row);
        Ok(())
    }

    fn write_installations(&mut self, changes: &mut ChangeSet) -> Result<(), StoreError> {
        for kind in changes.installation_kinds.drain(..) {
            let old = self.installation_kinds.get(&kind.id).map(|k| k.code.folded());
            self.own("installation_kind.code", old, Some(kind.code.folded()), kind.id.0)?;
            self.installation_kinds.put(kind.id, kind);
        }
        for order in changes.installation_orders.drain(..) {
            self.must_have_customer(order.customer_id)?;
            self.must_have_subscription(order.subscription_id)?;
            must_exist(self.installation_kinds.has(&order.kind_id), "installation kind")?;
            self.installation_orders.put(order.id, order);
        }
        Ok(())
    }

    fn write_devices(&mut self, changes: &mut ChangeSet) -> Result<(), StoreError> {
        for cpe in changes.cpes.drain(..) {
            self.must_have_customer(cpe.customer_id)?;
            let old = self.cpes.get(&cpe.id).map(|c| c.serial.folded());
            self.own("cpe.serial", old, Some(cpe.serial.folded()), cpe.id.0)?;
            self.cpes.put(cpe.id, cpe);
        }
        for entry in changes.device_history.drain(..) {
            self.must_have_customer(entry.customer_id)?;
            must_exist(self.cpes.has(&entry.cpe_id), "device")?;
            if self.device_history.has(&entry.id) {
                return Err(StoreError::Duplicate { what: "device_history.id" });
            }
            self.device_history.put(entry.id, entry);
        }
        for expense in changes.expenses.drain(..) {
            if self.expenses.has(&expense.id) {
                return Err(StoreError::Duplicate { what: "expense.id" });
            }
            self.expenses.put(expense.id, expense);
        }
        Ok(())
    }

    fn write_protections(&mut self, changes: &mut ChangeSet) -> Result<(), StoreError> {
        for promise in changes.promises.drain(..) {
            self.must_have_customer(promise.customer_id)?;
            self.own("promise.id", None, Some(promise.id.to_string()), promise.id.0)?;
            self.promises.put((promise.customer_id, promise.id), promise);
        }
        for exemption in changes.exemptions.drain(..) {
            self.must_have_customer(exemption.customer_id)?;
            self.own("exemption.id", None, Some(exemption.id.to_string()), exemption.id.0)?;
            self.exemptions.put((exemption.customer_id, exemption.id), exemption);
        }
        for (proof, content) in changes.proofs.drain(..) {
            self.must_have_customer(proof.customer_id)?;
            for invoice in &proof.invoices {
                must_exist(self.invoices.has(invoice), "invoice")?;
            }
            self.own("proof.id", None, Some(proof.id.to_string()), proof.id.0)?;
            self.proof_contents.put(proof.id, content);
            self.proofs.put((proof.customer_id, proof.id), proof);
        }
        for (id, review) in changes.proof_reviews.drain(..) {
            must_exist(self.proof_contents.has(&id), "proof")?;
            if self.proof_reviews.has(&id) {
                return Err(StoreError::Duplicate { what: "proof.review" });
            }
            self.proof_reviews.put(id, review);
        }
        for outage in changes.outages.drain(..) {
            self.must_have_site(outage.site_id)?;
            self.outages.put(outage.id, outage);
        }
        for (of, ending) in changes.endings.drain(..) {
            let there = match of {
                RecordId::Promise(id) => self.promises.keys().any(|(_, known)| *known == id),
                RecordId::Exemption(id) => self.exemptions.keys().any(|(_, known)| *known == id),
                RecordId::Outage(id) => self.outages.has(&id),
                RecordId::Expense(id) => self.expenses.has(&id),
                RecordId::Installation(id) => self.installation_orders.has(&id),
                RecordId::Deposit(id) => self.deposits.has(&id),
                RecordId::Refund(id) => self.refunds.has(&id),
                RecordId::Payout(id) => self.payouts.has(&id),
            };
            must_exist(there, of.kind())?;
            if self.endings.has(&of) {
                return Err(StoreError::Duplicate { what: "record.ending" });
            }
            if let RecordId::Refund(id) = of {
                let parts = self.refunds.get(&id).map(|refund| refund.parts.clone()).unwrap_or_default();
                self.take_of_payments(parts.into_iter().map(|(payment, amount)| (payment, -amount)))?;
            }
            self.endings.put(of, ending);
        }
        Ok(())
    }

    pub(super) fn must_have_customer(&self, id: CustomerId) -> Result<(), StoreError> {
        must_exist(self.customers.has(&id), "customer")
    }

    pub(super) fn must_have_subscription(&self, id: SubscriptionId) -> Result<&Subscription, StoreError> {
        self.subscriptions.get(&id).ok_or_else(|| StoreError::Rejected { reason: "no such subscription".into() })
    }

    pub(super) fn must_have_router(&self, id: RouterId) -> Result<(), StoreError> {
        must_exist(self.routers.has(&id), "router")
    }

    fn must_have_site(&self, id: SiteId) -> Result<(), StoreError> {
        must_exist(self.sites.has(&id), "site")
    }

    fn must_have_packages(&self, terms: &BillingTerms) -> Result<(), StoreError> {
        let has = |id: PackageId| self.packages.has(&id);
        must_exist(has(terms.package_id) && terms.change.is_none_or(|c| has(c.package_id)), "package")
    }
}

/// What a line is found by on its router: its name, and its address where that is another.
fn names(account: &Account) -> impl Iterator<Item = String> + use<> {
    let name = account.username.to_string();
    let address = account.address.map(|address| address.to_string()).filter(|address| *address != name);
    std::iter::once(name).chain(address)
}
