//! Loads real customers for a what-if; see [`crate::simulation`]. Nothing is written.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::billing::{Arrears, Billable, Catalog, Charge, CreditNote, CreditReason, Invoice, InvoiceKind, Problem};
use crate::calendar::{Date, Zone};
use crate::customer::Customer;
use crate::engine::{Engine, EngineError};
use crate::ids::{CustomerId, InvoiceId, PaymentId, RouterId, SiteId, SubscriptionId};
use crate::installation::InstallationOrder;
use crate::isolation::{Access, AccessEvent, AccessEventKind, AccessFacts, Decision, IsolationMoment};
use crate::message::NotificationKind;
use crate::payment::{CreditSource, Payment, allocate};
use crate::policy::Policy;
use crate::ports::{AccessQuery, CreditNoteRow, CustomerBooks, DunningQuery, InstallationRow, PageQuery, PaymentRow};
use crate::protection::{Outage, OutageTimes};
use crate::simulation::{Days, Event, Line, Run, Subject, What, breakers, breakers_of, simulate};
use crate::subscription::BillingTerms;
use crate::terms::former::{FormerTerms, terms_at};

/// The most days that are lived through: each costs as much as a run of it.
const MAX_DAYS: i32 = 5 * 366;

/// Customers whose past is loaded at once: memory is bounded by it.
const AT_ONCE: usize = 500;

/// Reminders that are written: invoice, kind, level.
type Notified = Vec<(InvoiceId, NotificationKind, u16)>;

/// What one run finds beside a customer's own books.
struct OneRun {
    /// The reminders that are written.
    notified: BTreeMap<CustomerId, Notified>,
    /// The late fees that it charges.
    late_fees: BTreeMap<CustomerId, Vec<Invoice>>,
    /// Those that it cannot charge.
    problems: BTreeMap<SubscriptionId, Vec<Problem>>,
}

impl OneRun {
    /// Gives a customer what concerns it. A fee that cannot be charged is told at once.
    fn tell(&mut self, subject: &mut Subject, results: &mut [Simulated], now: DateTime<Utc>) {
        let customer_id = subject.customer_id;
        subject.notified = Some(self.notified.remove(&customer_id).unwrap_or_default());
        subject.late_fees = Some(self.late_fees.remove(&customer_id).unwrap_or_default());
        for line in &subject.lines {
            let (id, router_id) = (line.facts.subscription_id, line.facts.router_id);
            for problem in self.problems.remove(&id).unwrap_or_default() {
                let (on, what) = (subject.zone.date_of(now), What::NotBilled { code: problem.error.code() });
                let event = Event { on, customer_id, router_id, subscription_id: Some(id), what };
                results.iter_mut().for_each(|result| result.events.push(event.clone()));
            }
        }
    }
}

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
        self.live_through(policies, Days { first: from, last: to, run: None }, None, now).await
    }

    /// What one run at `now` would do, which comes late when days were missed: what came due on them is billed with its own dates,
    /// and everything is decided about things as they are at this moment, with what was paid, taken back or paused since. A run at
    /// night is told as one at the hour of isolation. Nothing is written.
    ///
    /// # Errors
    /// As [`Engine::simulate`].
    pub async fn foretell(&self, now: DateTime<Utc>) -> Result<Simulated, EngineError> {
        let (today, lead) = (Zone::Wib.date_of(now), i32::from(self.policy.billing.issue_lead_days));
        let position = self.store.billing_position(self.tenant).await?;
        let next = position.map_or(today, |position| position.plus_days(1 - lead));
        let days = Days { first: next.min(today), last: today, run: Some(Run { at: now, position }) };
        let (late_fees, problems) = self.foresee_late_fees(now).await?;
        let run = OneRun {
            notified: self.notified(now).await?,
            late_fees: grouped(late_fees, |fee| fee.customer_id),
            problems: grouped(problems, |problem| problem.subscription_id),
        };
        let lived = self.live_through(&[self.policy], days, Some(run), now).await?;
        Ok(lived.into_iter().next().unwrap_or_default())
    }

    async fn live_through(
        &self,
        policies: &[&Policy],
        Days { first: from, last: to, run }: Days,
        mut one: Option<OneRun>,
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
        let days = Days { first: from.min(next), last: to, run };
        if days.last.days_since(days.first) > MAX_DAYS {
            return Err(crate::Error::TooManyDays { most: MAX_DAYS }.into());
        }
        let mut results: Vec<Simulated> = policies.iter().map(|_| Simulated::default()).collect();
        let mut page = PageQuery::first(self.page);
        loop {
            let customers = self.store.customers(self.tenant, page).await?;
            for some in customers.chunks(AT_ONCE) {
                for mut subject in self.subjects(some, &zones, days, position.is_none(), now).await? {
                    if let Some(one) = &mut one {
                        one.tell(&mut subject, &mut results, now);
                    }
                    // One run is for the day that it is at each line: in Papua tomorrow begins while it is evening in Jakarta.
                    let last = run.map_or(days.last, |run| days.last.max(subject.zone.date_of(run.at)));
                    let days = Days { last, ..days };
                    for (policy, result) in policies.iter().zip(&mut results) {
                        let events = simulate(&subject, &catalog, policy, self.tenant, days);
                        result.events.extend(events.into_iter().filter(|event| event.on >= from));
                    }
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
        let moments = self.isolation_moments(now);
        let query = self.lines_to_decide(Zone::Wit.date_of(now));
        let mut foreseen = Simulated::default();
        let mut page = PageQuery::first(self.page);
        loop {
            let mut facts = self.store.load_access(self.tenant, &query, page).await?;
            let more = page.advance(&facts, |last| last.subscription_id);
            self.credit_foreseen(&mut facts, &moments, now).await?;
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

    /// In each zone the moment at which a run of that day isolates: `now`, or the hour of isolation when that is still to come.
    fn isolation_moments(&self, now: DateTime<Utc>) -> [IsolationMoment<'_>; Zone::ALL.len()] {
        let policy = &self.policy.isolation;
        let minutes = policy.isolate_at.minutes();
        Zone::ALL.map(|zone| {
            let hour = zone.date_of(now).at(minutes / 60, minutes % 60, zone);
            IsolationMoment::new(policy, now.max(hour))
        })
    }

    /// Lets credit pay what these lines would be isolated for, as a run would before it isolates. Nothing is written.
    async fn credit_foreseen(
        &self,
        facts: &mut [AccessFacts],
        moments: &[IsolationMoment<'_>; Zone::ALL.len()],
        now: DateTime<Utc>,
    ) -> Result<(), EngineError> {
        let isolates = |line: &&AccessFacts| matches!(moments[line.zone as usize].decide(*line), Decision::Isolate(_));
        for customer in self.with_credit(facts.iter().filter(isolates), now).await? {
            let open = self.store.open_invoices(self.tenant, customer).await?;
            let credit = self.store.credit(self.tenant, customer).await?;
            for paid in allocate(&open, &credit, now) {
                let lines = facts.iter_mut().filter(|line| line.customer_id == customer);
                let debts = lines.flat_map(|line| &mut line.open);
                debts.filter(|debt| debt.invoice_id == paid.invoice_id).for_each(|debt| debt.paid += paid.amount);
            }
        }
        Ok(())
    }

    /// Where a breaker would stop the isolations of the day of `now` (rule I6), as [`Engine::foresee_access`] says: day, router, how many,
    /// how many may be. The store counts the lines that are alike; only those of a customer who has credit or is protected are loaded.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn foresee_held(
        &self,
        now: DateTime<Utc>,
    ) -> Result<Vec<(Date, Option<RouterId>, u64, u64)>, EngineError> {
        let moments = self.isolation_moments(now);
        let zones: BTreeMap<SiteId, Zone> =
            self.store.sites(self.tenant).await?.into_iter().map(|site| (site.id, site.zone)).collect();
        let outages = grouped(self.store.outages(self.tenant).await?, |outage| outage.site_id);
        let times: BTreeMap<SiteId, Vec<OutageTimes>> =
            outages.iter().map(|(site, of)| (*site, of.iter().map(Outage::times).collect())).collect();
        let days = Zone::ALL.map(|zone| moments[zone as usize].today(zone));
        let mut isolations: BTreeMap<(Date, Option<RouterId>), u64> = BTreeMap::new();
        let mut alone: Vec<SubscriptionId> = Vec::new();
        for lines in self.store.overdue_lines(self.tenant, days).await? {
            let Some(zone) = zones.get(&lines.site_id).copied() else { continue };
            let moment = &moments[zone as usize];
            let facts = lines.facts(zone, times.get(&lines.site_id).cloned().unwrap_or_default());
            match (moment.decide(&facts), lines.alone) {
                (Decision::Isolate(_), None) => {
                    *isolations.entry((moment.today(zone), lines.router_id)).or_default() += lines.count;
                }
                // Credit and protection only ever keep a line from it.
                (Decision::Isolate(_), Some(line)) => alone.push(line),
                _ => {}
            }
        }
        alone.sort_unstable();
        for some in alone.chunks(self.page.max(1) as usize) {
            let query = AccessQuery::Subscriptions(some.to_vec());
            let mut facts = self.store.load_access(self.tenant, &query, PageQuery::first(u32::MAX)).await?;
            self.credit_foreseen(&mut facts, &moments, now).await?;
            for line in &facts {
                let moment = &moments[line.zone as usize];
                if let Decision::Isolate(_) = moment.decide(line) {
                    *isolations.entry((moment.today(line.zone), line.router_id)).or_default() += 1;
                }
            }
        }
        let subscribers = self.store.subscribers_per_router(self.tenant).await?;
        Ok(breakers_of(isolations, &subscribers, self.policy))
    }

    /// The reminders that are written for the open invoices of each customer who has one.
    async fn notified(&self, now: DateTime<Utc>) -> Result<BTreeMap<CustomerId, Notified>, EngineError> {
        // All that was written counts, also for the last time.
        let query = DunningQuery { last: None, ..self.reminded_by(now) };
        let mut notified = BTreeMap::new();
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

    /// Customers as the first day begins, or as things are now when it is still to come or when there is only one run of the days.
    /// Nothing was billed at all before the `first_run`.
    async fn subjects(
        &self,
        customers: &[Customer],
        zones: &BTreeMap<SiteId, Zone>,
        Days { first, run, .. }: Days,
        first_run: bool,
        now: DateTime<Utc>,
    ) -> Result<Vec<Subject>, EngineError> {
        let ids: Vec<CustomerId> = customers.iter().map(|customer| customer.id).collect();
        let known = self.store.books_of(self.tenant, &ids).await?;
        let lines: Vec<SubscriptionId> = known.subscriptions.iter().map(|(line, _)| line.id).collect();
        let mut past = Past {
            books: by_customer(known),
            // Protection may begin within the days, so all that is known of it counts.
            facts: grouped(self.access_of_all(&ids).await?, |facts| facts.customer_id),
            events: grouped(self.store.access_events_of(self.tenant, &lines).await?, |event| event.subscription_id),
            former: grouped(self.store.former_terms(self.tenant, &lines).await?, |former| former.subscription_id),
            ..Past::default()
        };
        let zone_of = |site: SiteId| zones.get(&site).copied().unwrap_or_default();
        // The first day begins in each zone at a moment of its own.
        let mut moments: BTreeMap<DateTime<Utc>, Vec<CustomerId>> = BTreeMap::new();
        let mut subjects = Vec::with_capacity(customers.len());
        for customer in customers {
            let lines = past.books.get(&customer.id).map_or(&[][..], |books| &books.subscriptions);
            let zone = lines.first().map_or(Zone::Wib, |(line, _)| zone_of(line.site_id));
            // A moment before the day, so that what happens at its midnight is lived through and not taken as known.
            let begins = || now.min(first.midnight(zone) - chrono::TimeDelta::microseconds(1));
            let begin = run.map_or_else(begins, |run| run.at);
            moments.entry(begin).or_default().push(customer.id);
            subjects.push((customer, zone, begin));
        }
        for (begin, ids) in moments {
            let access = self.store.access_at(self.tenant, &ids, begin).await?;
            past.access.extend(access.into_iter().map(|facts| (facts.subscription_id, facts)));
            for (customer, source) in self.store.credit_at(self.tenant, &ids, begin).await? {
                past.credit.entry(customer).or_default().push(source);
            }
        }
        let of = |(customer, zone, begin)| subject(&mut past, (customer, zone), (first, begin, first_run), zone_of);
        Ok(subjects.into_iter().map(of).collect())
    }
}

/// A customer as the first day begins, from what is on record.
fn subject(
    past: &mut Past,
    (customer, zone): (&Customer, Zone),
    (first, begin, first_run): (Date, DateTime<Utc>, bool),
    zone_of: impl Fn(SiteId) -> Zone,
) -> Subject {
    let known = past.books.remove(&customer.id).unwrap_or_default();
    let subscriptions = known.subscriptions;
    let facts = past.facts.remove(&customer.id).unwrap_or_default();
    let events = subscriptions.iter().flat_map(|(line, _)| past.events.remove(&line.id).unwrap_or_default()).collect();
    let documents = (known.invoices, known.credit_notes, known.installations);
    let books = books(documents, events, facts.first().map_or(Zone::Wib, |facts| facts.zone), begin);
    let mut facts: BTreeMap<_, _> = facts.into_iter().map(|facts| (facts.subscription_id, facts)).collect();
    for then in subscriptions.iter().filter_map(|(line, _)| past.access.remove(&line.id)) {
        if let Some(known) = facts.get_mut(&then.subscription_id) {
            (known.open, known.access) = (then.open, then.access);
            // One that was registered since was open from its beginning: that opens nothing.
            if books.registered.contains(&then.subscription_id) {
                known.access.desired = Access::Open;
            }
        }
    }
    let mut lines = Vec::new();
    for (line, _) in subscriptions {
        let Some(mut facts) = facts.remove(&line.id) else { continue };
        let former: Vec<FormerTerms> = past.former.remove(&line.id).unwrap_or_default();
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
        let charges: Vec<Charge> = books.charges.iter().filter(|c| of(c.invoice.subscription_id)).cloned().collect();
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
    let credit = past.credit.remove(&customer.id).unwrap_or_default();
    let mut payments = payments_since(&known.payments, begin);
    // Isolated days are given back by the policy that is lived through, not by the one that held.
    payments.retain(|(_, source)| !books.given_back.contains(&source.payment_id));
    let reachable = customer.phone.is_some();
    let (customer_id, known) = (customer.id, books.known);
    Subject { customer_id, zone, reachable, lines, known, credit, payments, notified: None, late_fees: None }
}

/// The documents of a customer as they were at a moment.
fn books(
    (invoices, notes, installations): (Vec<Invoice>, Vec<CreditNoteRow>, Vec<InstallationRow>),
    events: Vec<AccessEvent>,
    zone: Zone,
    begin: DateTime<Utc>,
) -> Books {
    let mut notes: Vec<CreditNote> =
        notes.into_iter().filter(|row| row.taken_back.is_none()).map(|row| row.note).collect();
    let mut books = Books::default();
    let for_isolation = notes.iter().filter(|n| n.reason == CreditReason::Isolation);
    books.given_back = for_isolation.map(CreditNote::payment_id).collect();
    notes.retain(|n| n.at <= begin);
    for invoice in invoices.into_iter().filter(|i| i.issue_date <= zone.date_of(begin)) {
        books.known.insert(invoice.id);
        if matches!(invoice.kind, InvoiceKind::Subscription | InvoiceKind::Adjustment) {
            let notes = notes.iter().filter(|n| n.invoice_id == invoice.id).cloned().collect();
            books.charges.push(Charge { invoice, notes });
        }
    }
    books.events = events;
    let since = books.events.iter().filter(|e| e.kind == AccessEventKind::Registered && e.at > begin);
    books.registered = since.map(|e| e.subscription_id).collect();
    books.events.retain(|e| e.at <= begin);
    // One that was taken back is charged no more.
    books.orders = installations.into_iter().filter(|row| row.ending.is_none()).map(|row| row.order).collect();
    books
}

/// The payments after a moment. One that was reversed since is left out.
fn payments_since(rows: &[PaymentRow], begin: DateTime<Utc>) -> Vec<(DateTime<Utc>, CreditSource)> {
    let later = rows.iter().filter(|row| row.reversal.is_none() && row.payment.received_at > begin);
    let mut payments: Vec<_> = later
        .map(|row| {
            let Payment { id: payment_id, received_at: since, amount: left, .. } = row.payment;
            (since, CreditSource { payment_id, since, left })
        })
        .collect();
    payments.sort_by_key(|(at, source)| (*at, source.payment_id));
    payments
}

/// What is on record of some customers, by customer and by line.
#[derive(Debug, Default)]
struct Past {
    books: BTreeMap<CustomerId, CustomerBooks>,
    facts: BTreeMap<CustomerId, Vec<AccessFacts>>,
    events: BTreeMap<SubscriptionId, Vec<AccessEvent>>,
    former: BTreeMap<SubscriptionId, Vec<FormerTerms>>,
    /// Of each line, as things were when the first day began.
    access: BTreeMap<SubscriptionId, AccessFacts>,
    /// At that moment.
    credit: BTreeMap<CustomerId, Vec<CreditSource>>,
}

/// Rows by what they belong to, each list in its order.
fn grouped<I: Ord, R>(rows: Vec<R>, of: impl Fn(&R) -> I) -> BTreeMap<I, Vec<R>> {
    let mut groups: BTreeMap<I, Vec<R>> = BTreeMap::new();
    for row in rows {
        groups.entry(of(&row)).or_default().push(row);
    }
    groups
}

/// The books of each customer apart.
fn by_customer(books: CustomerBooks) -> BTreeMap<CustomerId, CustomerBooks> {
    let mut apart: BTreeMap<CustomerId, CustomerBooks> = BTreeMap::new();
    for row in books.subscriptions {
        apart.entry(row.0.customer_id).or_default().subscriptions.push(row);
    }
    for invoice in books.invoices {
        apart.entry(invoice.customer_id).or_default().invoices.push(invoice);
    }
    for row in books.credit_notes {
        apart.entry(row.note.customer_id).or_default().credit_notes.push(row);
    }
    for row in books.payments {
        apart.entry(row.payment.customer_id).or_default().payments.push(row);
    }
    for row in books.installations {
        apart.entry(row.order.customer_id).or_default().installations.push(row);
    }
    apart
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
