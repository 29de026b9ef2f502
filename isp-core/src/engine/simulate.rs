//! Loads real customers for a what-if; see [`crate::simulation`]. Nothing is written.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::billing::{Arrears, Billable, Catalog, Charge, CreditNote, CreditReason, InvoiceKind};
use crate::calendar::{Date, Zone};
use crate::customer::Customer;
use crate::engine::{Engine, EngineError};
use crate::ids::{CustomerId, InvoiceId, PaymentId, RouterId, SiteId, SubscriptionId};
use crate::installation::InstallationOrder;
use crate::isolation::{Access, AccessEvent, AccessEventKind, IsolationMoment, ServiceAccess};
use crate::message::NotificationKind;
use crate::payment::{CreditSource, Payment};
use crate::policy::Policy;
use crate::ports::{InvoiceQuery, PageQuery};
use crate::simulation::{Days, Event, Line, Subject, What, breakers, simulate};
use crate::subscription::{BillingTerms, Subscription};
use crate::terms::former::{FormerTerms, terms_at};

/// The most days that are lived through: each costs as much as a run of it.
const MAX_DAYS: i32 = 5 * 366;

/// Reminders that are written: invoice, kind, level.
type Notified = Vec<(InvoiceId, NotificationKind, u16)>;

/// What one policy comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Simulated {
    /// What would happen, by customer, then by day.
    pub events: Vec<Event>,
    /// Where a breaker would stop a day's isolations (rule I6): day, router, how many, how many may be.
    pub held: Vec<(Date, Option<RouterId>, u64, u64)>,
}

impl Engine<'_> {
    /// Lives through the days from `from` to `to` with each of these policies over the real data, and says what would
    /// happen on them.
    ///
    /// From a day on that is billed already, the books are taken as they were when it began, and the payments that
    /// came in since count at their moments. Before a day to come, the days until then are lived through first.
    /// Memory is bounded by what happens, not by the number of customers.
    ///
    /// # Errors
    /// [`crate::Error::EmptyPeriod`] when `to` is before `from`; [`crate::Error::TooManyDays`] when more than five years are to
    /// be lived through; [`EngineError::Store`].
    pub async fn simulate(
        &self,
        policies: &[&Policy],
        from: Date,
        to: Date,
        now: DateTime<Utc>,
    ) -> Result<Vec<Simulated>, EngineError> {
        self.live_through(policies, Days { first: from, last: to, missed: false }, None, now).await
    }

    /// What one run of the day of `now` would do, which comes late when days were missed: what came due on them is billed with its
    /// own dates, and reminders and access are decided as things are in the end. With no day missed, access is decided about
    /// things as they are at this very moment.
    ///
    /// # Errors
    /// As [`Engine::simulate`].
    pub async fn foretell(&self, now: DateTime<Utc>) -> Result<Simulated, EngineError> {
        let (today, lead) = (Zone::Wib.date_of(now), i32::from(self.policy.billing.issue_lead_days));
        let next = self.store.billing_position(self.tenant).await?.map(|position| position.plus_days(1 - lead));
        let days = Days { first: next.unwrap_or(today).min(today), last: today, missed: true };
        let notified = self.notified(now).await?;
        let lived = self.live_through(&[self.policy], days, Some(&notified), now).await?;
        let mut foretold = lived.into_iter().next().unwrap_or_default();
        if next.is_some_and(|next| next >= today) {
            let seen = self.foresee_access(now).await?;
            let access =
                |what: &What| matches!(what, What::Isolated { .. } | What::Reopened { .. } | What::Closed { .. });
            foretold.events.retain(|event| !access(&event.what));
            foretold.events.extend(seen.events);
            foretold.held = seen.held;
        }
        Ok(foretold)
    }

    async fn live_through(
        &self,
        policies: &[&Policy],
        Days { first: from, last: to, missed }: Days,
        notified: Option<&BTreeMap<CustomerId, Notified>>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Simulated>, EngineError> {
        if to < from {
            return Err(crate::Error::EmptyPeriod.into());
        }
        let catalog = Catalog::new(&self.store.packages(self.tenant).await?);
        let zones: BTreeMap<SiteId, Zone> =
            self.store.sites(self.tenant).await?.into_iter().map(|site| (site.id, site.zone)).collect();
        let lead = i32::from(self.policy.billing.issue_lead_days);
        let position = self.store.billing_position(self.tenant).await?;
        let next = position.map_or(from, |position| position.plus_days(1 - lead));
        let days = Days { first: from.min(next), last: to, missed };
        if days.last.days_since(days.first) > MAX_DAYS {
            return Err(crate::Error::TooManyDays { most: MAX_DAYS }.into());
        }
        let mut results: Vec<Simulated> = policies.iter().map(|_| Simulated::default()).collect();
        let mut page = PageQuery::first(self.page);
        loop {
            let customers = self.store.customers(self.tenant, page).await?;
            for customer in &customers {
                let mut subject = self.subject(customer, &zones, days.first, position.is_none(), now).await?;
                subject.notified = notified.map(|all| all.get(&customer.id).cloned().unwrap_or_default());
                for (policy, result) in policies.iter().zip(&mut results) {
                    let events = simulate(&subject, &catalog, policy, self.tenant, days);
                    result.events.extend(events.into_iter().filter(|event| event.on >= from));
                }
            }
            if !page.advance(&customers, |last| last.id) {
                break;
            }
        }
        let subscribers = self.store.subscribers_per_router(self.tenant).await?;
        for (policy, result) in policies.iter().zip(&mut results) {
            result.held = breakers(&result.events, &subscribers, policy);
        }
        Ok(results)
    }

    /// What [`Engine::enforce`] would do about access on the day of `now`, at `now` or at the hour of isolation when that is
    /// still to come: its own decisions about things as they are. Nothing is written.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn foresee_access(&self, now: DateTime<Utc>) -> Result<Simulated, EngineError> {
        let policy = &self.policy.isolation;
        let minutes = policy.isolate_at.minutes();
        let moments = Zone::ALL.map(|zone| {
            let hour = zone.date_of(now).at(minutes / 60, minutes % 60, zone);
            IsolationMoment::new(policy, now.max(hour))
        });
        let query = self.lines_to_decide(Zone::Wit.date_of(now));
        let mut foreseen = Simulated::default();
        let mut page = PageQuery::first(self.page);
        loop {
            let facts = self.store.load_access(self.tenant, &query, page).await?;
            let more = page.advance(&facts, |last| last.subscription_id);
            foreseen.events.extend(facts.iter().filter_map(|line| {
                let moment = &moments[line.zone as usize];
                let on = moment.today(line.zone);
                let what = What::decided(moment.decide(line), Arrears::of(&line.open, on).overdue)?;
                let (customer_id, router_id) = (line.customer_id, line.router_id);
                Some(Event { on, customer_id, router_id, subscription_id: Some(line.subscription_id), what })
            }));
            if !more {
                break;
            }
        }
        foreseen.events.sort_by_key(|event| (event.customer_id, event.subscription_id));
        foreseen.held = breakers(&foreseen.events, &self.store.subscribers_per_router(self.tenant).await?, self.policy);
        Ok(foreseen)
    }

    /// The reminders that are written for the open invoices of each customer who has one.
    async fn notified(&self, now: DateTime<Utc>) -> Result<BTreeMap<CustomerId, Notified>, EngineError> {
        let (query, mut notified) = (self.reminded_by(now), BTreeMap::new());
        let mut page = PageQuery::first(self.page);
        loop {
            let customers = self.store.load_dunning(self.tenant, query, page).await?;
            let more = page.advance(&customers, |last| last.customer_id);
            notified.extend(customers.into_iter().map(|facts| (facts.customer_id, facts.notified)));
            if !more {
                return Ok(notified);
            }
        }
    }

    /// A customer as the first day begins, or as things are now when it is still to come. Nothing was billed at all before
    /// the `first_run`.
    async fn subject(
        &self,
        customer: &Customer,
        zones: &BTreeMap<SiteId, Zone>,
        first: Date,
        first_run: bool,
        now: DateTime<Utc>,
    ) -> Result<Subject, EngineError> {
        let subscriptions = self.store.subscriptions(self.tenant, Some(customer.id), PageQuery::first(1_000)).await?;
        let zone_of = |site: SiteId| zones.get(&site).copied().unwrap_or_default();
        let zone = subscriptions.first().map_or(Zone::Wib, |(line, _)| zone_of(line.site_id));
        // A moment before the day, so that what happens at its midnight is lived through and not taken as known.
        let begin = now.min(first.midnight(zone) - chrono::TimeDelta::microseconds(1));
        let books = self.books(customer, &subscriptions, begin).await?;
        let mut facts: BTreeMap<_, _> = BTreeMap::new();
        // Protection may begin within the days, so all that is known of it counts.
        for known in self.access_of(customer.id).await? {
            facts.insert(known.subscription_id, known);
        }
        for past in self.store.access_at(self.tenant, &[customer.id], begin).await? {
            if let Some(known) = facts.get_mut(&past.subscription_id) {
                (known.open, known.access) = (past.open, past.access);
                // One that was registered since was open from its beginning: that opens nothing.
                if books.registered.contains(&past.subscription_id) {
                    known.access.desired = Access::Open;
                }
            }
        }
        let ids: Vec<SubscriptionId> = subscriptions.iter().map(|(line, _)| line.id).collect();
        let former = self.store.former_terms(self.tenant, &ids).await?;
        let mut lines = Vec::new();
        for (line, _) in subscriptions {
            let Some(mut facts) = facts.remove(&line.id) else { continue };
            let former: Vec<FormerTerms> = former.iter().filter(|f| f.subscription_id == line.id).copied().collect();
            let terms = terms_at(&line.terms, &former, begin);
            facts.terms = terms;
            // What replaced each of those that were replaced since.
            let since = former.iter().filter(|f| f.until > begin).map(|f| f.until);
            let then = former.iter().filter(|f| f.until > begin).skip(1).map(|f| f.terms).chain([line.terms]);
            // A first, short period does not start on a billing day: a new line is billed from its mark. Before the first day
            // it is billed, unless its terms are those of now and say otherwise.
            let waits = terms == line.terms && (terms.billed_from.is_some() || first_run);
            let mark = terms.billed_from.or(Some(terms.start)).filter(|mark| waits || *mark >= first);
            let billable = Billable {
                subscription_id: line.id,
                customer_id: line.customer_id,
                site_id: line.site_id,
                zone: zone_of(line.site_id),
                terms: BillingTerms { billed_from: mark, ..terms },
            };
            let of = |id| id == line.id;
            let charges: Vec<Charge> =
                books.charges.iter().filter(|c| of(c.invoice.subscription_id)).cloned().collect();
            // A fee that stands on one of them waits no more.
            let standing = charges.iter().any(|c| c.invoice.lines.iter().any(|l| l.kind.is_installation()));
            let waits = |o: &&InstallationOrder| of(o.subscription_id) && !(o.with_first_invoice && standing);
            lines.push(Line {
                orders: books.orders.iter().filter(waits).cloned().collect(),
                changes: since.zip(then).collect(),
                events: books.events.iter().filter(|e| of(e.subscription_id)).map(AccessEvent::happened).collect(),
                billable,
                facts,
                charges,
            });
        }
        let (credit, mut payments) = self.money(customer, begin).await?;
        // Isolated days are given back by the policy that is lived through, not by the one that held.
        payments.retain(|(_, source)| !books.given_back.contains(&source.payment_id));
        let known = books.known;
        let reachable = customer.phone.is_some();
        Ok(Subject { customer_id: customer.id, zone, reachable, lines, known, credit, payments, notified: None })
    }

    /// The documents of a customer as they were at a moment.
    async fn books(
        &self,
        customer: &Customer,
        lines: &[(Subscription, ServiceAccess)],
        begin: DateTime<Utc>,
    ) -> Result<Books, EngineError> {
        let query = InvoiceQuery { customer: Some(customer.id), ..InvoiceQuery::default() };
        let invoices = self.store.invoices(self.tenant, query, PageQuery::first(100_000)).await?;
        let ids: Vec<SubscriptionId> = lines.iter().map(|(line, _)| line.id).collect();
        let zone = self.zone_of(customer.id).await?;
        let mut notes = self.credit_notes_of(customer.id).await?;
        let mut books = Books::default();
        let for_isolation = notes.iter().filter(|n| n.reason == CreditReason::Isolation);
        books.given_back = for_isolation.map(CreditNote::payment_id).collect();
        notes.retain(|n| n.at <= begin);
        for (invoice, _) in invoices.into_iter().filter(|(i, _)| i.issue_date <= zone.date_of(begin)) {
            books.known.insert(invoice.id);
            if matches!(invoice.kind, InvoiceKind::Subscription | InvoiceKind::Adjustment) {
                let notes = notes.iter().filter(|n| n.invoice_id == invoice.id).cloned().collect();
                books.charges.push(Charge { invoice, notes });
            }
        }
        books.events = self.store.access_events_of(self.tenant, &ids).await?;
        let since = books.events.iter().filter(|e| e.kind == AccessEventKind::Registered && e.at > begin);
        books.registered = since.map(|e| e.subscription_id).collect();
        books.events.retain(|e| e.at <= begin);
        let orders = self.store.installation_orders(self.tenant, Some(customer.id)).await?;
        books.orders = orders.into_iter().map(|row| row.order).collect();
        Ok(books)
    }

    /// The credit of a customer at a moment, and the payments after it. A payment that was reversed since is left out.
    #[allow(clippy::type_complexity, reason = "two lists for one struct, used once")]
    async fn money(
        &self,
        customer: &Customer,
        begin: DateTime<Utc>,
    ) -> Result<(Vec<CreditSource>, Vec<(DateTime<Utc>, CreditSource)>), EngineError> {
        let credit = self.store.credit_at(self.tenant, &[customer.id], begin).await?;
        let credit = credit.into_iter().map(|(_, source)| source).collect();
        let rows = self.store.payments(self.tenant, Some(customer.id), PageQuery::first(100_000)).await?;
        let later = rows.iter().filter(|row| row.reversal.is_none() && row.payment.received_at > begin);
        let mut payments: Vec<_> = later
            .map(|row| {
                let Payment { id: payment_id, received_at: since, amount: left, .. } = row.payment;
                (since, CreditSource { payment_id, since, left })
            })
            .collect();
        payments.sort_by_key(|(at, source)| (*at, source.payment_id));
        Ok((credit, payments))
    }
}

/// What a customer's past consists of.
#[derive(Debug, Default)]
struct Books {
    known: BTreeSet<InvoiceId>,
    charges: Vec<Charge>,
    events: Vec<AccessEvent>,
    orders: Vec<InstallationOrder>,
    /// The lines that were registered later, and open.
    registered: BTreeSet<SubscriptionId>,
    /// The payments that are credit notes for isolated days.
    given_back: BTreeSet<PaymentId>,
}
