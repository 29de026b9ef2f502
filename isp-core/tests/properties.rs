//! What holds for every input: the pure decisions against invariants and against oracles written another way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use isp_core::billing::plan::BillingContext;
use isp_core::billing::proration::{clip, prorate, split};
use isp_core::billing::{Arrears, Billable, BillingPolicy, Catalog, Invoice, LineKind, plan_billing};
use isp_core::calendar::{BillingDay, Cycle, Date, Period, TimeOfDay, Zone};
use isp_core::ending::{Ending, EndingKind};
use isp_core::ids::{InvoiceId, PaymentId, SubscriptionId, TenantId};
use isp_core::isolation::transition::Transition;
use isp_core::isolation::{
    Access, AccessFacts, Decision, FORESEEN_DAYS, IsolationCause, IsolationMoment, IsolationPolicy, Reason,
    decide_isolation, first_isolation,
};
use isp_core::message::{DunningFacts, DunningPolicy, NotificationKey, due_reminders};
use isp_core::money::Money;
use isp_core::payment::{CreditSource, allocate};
use isp_core::protection::ProtectedDays;
use isp_core::subscription::{BillingTerms, SubscriptionStatus, Timing};
use isp_core::tax::{Tax, TaxMode};
use isp_core::testing::{sample, strategies};
use proptest::prelude::*;
use rust_decimal::{Decimal, RoundingStrategy};

// ---- billing ----

fn catalog() -> Catalog {
    let mut packages = [sample::package(0), sample::package(1)];
    packages[1].tax_mode = TaxMode::Inclusive;
    Catalog::new(&packages)
}

/// As many as a run may bill at most, so that a year in one go is not cut.
fn policy(issue_lead_days: u16) -> BillingPolicy {
    BillingPolicy { issue_lead_days, catch_up_periods: 120, ..BillingPolicy::default() }
}

/// What a store does with billing, in a few lines.
struct Books {
    rows: Vec<Billable>,
    position: Option<Date>,
    invoices: BTreeMap<InvoiceId, Invoice>,
}

impl Books {
    fn new(rows: &[Billable]) -> Self {
        let mut rows: Vec<Billable> = rows.to_vec();
        rows.sort_by_key(|r| r.subscription_id);
        rows.dedup_by_key(|r| r.subscription_id);
        Self { rows, position: None, invoices: BTreeMap::new() }
    }

    fn run(&mut self, policy: &BillingPolicy, tax: &Tax, now: DateTime<Utc>) {
        self.position = self.position.max(Some(self.run_and_die(policy, tax, now)));
    }

    /// A run that dies when all pages are written, before it moves the position to what it returns.
    fn run_and_die(&mut self, policy: &BillingPolicy, tax: &Tax, now: DateTime<Utc>) -> Date {
        let catalog = catalog();
        let context = BillingContext { catalog: &catalog, policy, tax, position: self.position, now };
        let days = context.days();
        let ends_from = self.position.map_or(Date::MIN, |position| position.plus_days(1));
        let page: Vec<Billable> = self
            .rows
            .iter()
            .filter(|r| {
                r.terms.billed_from.is_some()
                    || days >> r.terms.day.day() & 1 == 1
                    || r.terms.end.is_some_and(|end| end >= ends_from)
            })
            .copied()
            .collect();
        let plan = plan_billing(&page, &context);
        assert_eq!(plan, plan_billing(&page, &context), "a repeated plan is the same");
        assert_eq!(plan.problems, []);
        for mut invoice in plan.invoices {
            let row = self.rows.iter().find(|r| r.subscription_id == invoice.subscription_id).unwrap();
            let in_time = invoice.issue_date.plus_days(i32::from(policy.payment_terms_days));
            assert_eq!(
                invoice.due_date,
                in_time.max(row.zone.date_of(now)),
                "nobody is late before the invoice is written"
            );
            // All else is the same whenever it is written.
            invoice.due_date = in_time;
            let known = self.invoices.insert(invoice.id, invoice.clone());
            assert!(known.is_none_or(|known| known == invoice), "one id, two invoices");
        }
        for (id, billed_from) in plan.billed_from {
            let row = self.rows.iter_mut().find(|r| r.subscription_id == id).unwrap();
            row.terms.billed_from = billed_from;
        }
        context.next_position()
    }
}

/// A customer of long ago, imported in 2026: the first run writes the invoices and dies before it moves the position.
#[test]
fn a_first_run_that_dies_does_not_bill_the_years_before_the_import() {
    let day = |text| Date::parse(text).unwrap();
    let start = day("2023-05-10");
    let package = sample::package(0).id;
    let terms = BillingTerms {
        billed_from: Some(day("2026-01-01")),
        ..BillingTerms::new(package, start, BillingDay::of(start), Cycle::Monthly)
    };
    let router = sample::router(0, sample::site(0).id);
    let line = sample::subscription(0, sample::customer(0).id, &router, package);
    let row = Billable { terms, ..sample::billable(&line, Zone::Wib) };
    let mut books = Books::new(&[row]);
    books.run_and_die(&policy(0), &Tax::pkp(), day("2026-01-12").at(9, 0, Zone::Wib));
    for on in ["2026-01-12", "2026-01-13", "2026-02-12"] {
        books.run(&policy(0), &Tax::pkp(), day(on).at(10, 0, Zone::Wib));
    }
    let starts: Vec<String> = books.invoices.values().map(|i| i.period.start.to_string()).collect();
    assert_eq!(starts, ["2026-01-10", "2026-02-10"]);
    assert_eq!(books.rows[0].terms.billed_from, None);
}

/// Runs at some hours of a stretch of days, the last one after all others.
fn runs() -> impl Strategy<Value = (Vec<i64>, i64)> {
    (proptest::collection::vec(0..400 * 24_i64, 0..40), 300 * 24..450 * 24_i64).prop_map(|(mut hours, last)| {
        hours.retain(|hour| *hour < last);
        hours.sort_unstable();
        (hours, last)
    })
}

proptest! {
    #[test]
    fn any_split_of_a_year_into_runs_bills_the_same(
        rows in proptest::collection::vec(strategies::billable(), 1..12),
        (hours, last) in runs(),
        lead in 0..6_u16,
        start in strategies::moment(),
    ) {
        let at = |hour: i64| start + TimeDelta::hours(hour);
        let (policy, tax) = (policy(lead), Tax::pkp());
        let mut at_once = Books::new(&rows);
        at_once.run(&policy, &tax, at(last));
        let mut step_by_step = Books::new(&rows);
        for (i, hour) in hours.into_iter().enumerate() {
            step_by_step.run_and_die(&policy, &tax, at(hour));
            if i % 3 == 0 {
                // The next run comes hours or weeks later.
                continue;
            }
            step_by_step.run(&policy, &tax, at(hour));
            // One run twice.
            let position = step_by_step.position;
            step_by_step.run(&policy, &tax, at(hour));
            prop_assert_eq!(step_by_step.position, position);
        }
        step_by_step.run(&policy, &tax, at(last));
        prop_assert_eq!(&step_by_step.invoices, &at_once.invoices);
        let before = step_by_step.invoices.len();
        step_by_step.run(&policy, &tax, at(last));
        prop_assert_eq!(step_by_step.invoices.len(), before);
    }

    #[test]
    fn a_small_catch_up_limit_only_delays(
        row in strategies::billable(),
        limit in 1..4_u32,
        days in 0..700_i64,
        start in strategies::moment(),
    ) {
        let now = start + TimeDelta::days(days);
        let all = {
            let mut books = Books::new(&[row]);
            books.run(&policy(0), &Tax::pkp(), now);
            books.invoices
        };
        let (catalog, tax) = (catalog(), Tax::pkp());
        let small = BillingPolicy { catch_up_periods: limit, ..policy(0) };
        let (mut row, mut position, mut found) = (row, None, BTreeMap::new());
        for _ in 0..=all.len() {
            let context = BillingContext { catalog: &catalog, policy: &small, tax: &tax, position, now };
            let plan = plan_billing(&[row], &context);
            prop_assert!(plan.invoices.len() <= limit as usize);
            prop_assert!(plan.problems.iter().all(|p| p.error.code() == "billing.catch_up_limit"));
            for (_, billed_from) in plan.billed_from {
                row.terms.billed_from = billed_from;
            }
            let in_time = |i: Invoice| Invoice { due_date: i.issue_date.plus_days(i32::from(small.payment_terms_days)), ..i };
            found.extend(plan.invoices.into_iter().map(in_time).map(|i| (i.id, i)));
            position = Some(context.next_position());
        }
        prop_assert_eq!(found, all);
    }

    #[test]
    fn every_invoice_adds_up_and_has_a_period_of_its_own(
        rows in proptest::collection::vec(strategies::billable(), 1..12),
        days in 0..800_i64,
        start in strategies::moment(),
        pkp in any::<bool>(),
    ) {
        let tax = if pkp { Tax::pkp() } else { Tax::none() };
        let mut books = Books::new(&rows);
        books.run(&policy(2), &tax, start + TimeDelta::days(days));
        let mut periods: BTreeMap<SubscriptionId, Vec<Period>> = BTreeMap::new();
        for invoice in books.invoices.values() {
            let terms = &books.rows.iter().find(|r| r.subscription_id == invoice.subscription_id).unwrap().terms;
            prop_assert!(invoice.adds_up(), "{:?}", invoice);
            prop_assert!(invoice.total >= Money::ZERO && invoice.dpp >= Money::ZERO && invoice.ppn >= Money::ZERO);
            prop_assert!(pkp || invoice.ppn.is_zero());
            prop_assert!(invoice.lines.iter().all(|l| (l.amount < Money::ZERO) == (l.kind == LineKind::Discount)
                || l.amount.is_zero() || l.kind == LineKind::Rounding));
            prop_assert!(terms.start <= invoice.period.start && invoice.period.start < invoice.period.end);
            prop_assert!(terms.end.is_none_or(|end| invoice.period.end <= end));
            prop_assert!(terms.paused_from.is_none_or(|paused| invoice.period.start < paused));
            prop_assert_eq!(invoice.due_date, invoice.issue_date.plus_days(10));
            prop_assert_eq!(invoice.id, InvoiceId::of_period(invoice.subscription_id, invoice.period.start));
            prop_assert_eq!(invoice.package_id, terms.package_on(invoice.period.start));
            periods.entry(invoice.subscription_id).or_default().push(invoice.period);
        }
        for periods in periods.values_mut() {
            periods.sort_unstable();
            prop_assert!(periods.windows(2).all(|two| two[0].end <= two[1].start), "{:?}", periods);
        }
    }

    #[test]
    fn the_plan_agrees_with_a_walk_day_by_day(mut row in strategies::billable(), days in 0..900, lead in 0..6_u16) {
        row.terms.discount = None;
        let horizon = row.terms.start.plus_days(days);
        let now = horizon.plus_days(-i32::from(lead)).at(12, 0, row.zone);
        let policy = policy(lead);
        let catalog = catalog();
        let tax = Tax::none();
        let context = BillingContext { catalog: &catalog, policy: &policy, tax: &tax, position: None, now };
        let plan = plan_billing(&[row], &context);
        let found: Vec<_> =
            plan.invoices.iter().map(|i| (i.period, i.issue_date.plus_days(i32::from(lead)), i.total)).collect();
        prop_assert_eq!(found, walk(&row, horizon));
    }

    #[test]
    fn parts_of_a_split_period_add_up(
        price in strategies::money(),
        start in strategies::date(),
        length in 1..400,
        at in 0..500,
    ) {
        let full = Period { start, end: start.plus_days(length) };
        let (before, after) = split(price, full, start.plus_days(at));
        prop_assert_eq!(before + after, price);
        prop_assert!(before >= Money::ZERO && after >= Money::ZERO);
        if let Some(used) = clip(full, full.start, Some(start.plus_days(at))) {
            prop_assert_eq!(before, prorate(price, used, full));
        }
    }
}

/// The invoices of one subscription without discount and tax, found by looking at each day once.
fn walk(row: &Billable, horizon: Date) -> Vec<(Period, Date, Money)> {
    let terms = &row.terms;
    let wanted_day = u32::from(terms.day.day());
    let last_day_of_month = |day: NaiveDate| (day + TimeDelta::days(1)).month() != day.month();
    let is_billing_day = |day: NaiveDate| day.day() == wanted_day || (day.day() < wanted_day && last_day_of_month(day));
    let months = |day: NaiveDate| day.year() * 12 + day.month0() as i32;
    let first = (0..62).map(|d| terms.start.plus_days(d).to_naive()).find(|d| is_billing_day(*d)).unwrap();
    let step = i32::from(terms.cycle.months());
    let starts_period =
        |day: Date| is_billing_day(day.to_naive()) && (months(day.to_naive()) - months(first)).rem_euclid(step) == 0;
    let mut invoices = Vec::new();
    let mut day = terms.start;
    while day <= horizon && terms.end.is_none_or(|end| day < end) {
        if day != terms.start && !starts_period(day) {
            day = day.plus_days(1);
            continue;
        }
        let period_end = (1..).map(|d| day.plus_days(d)).find(|d| starts_period(*d)).unwrap();
        let period_start = (0..).map(|d| day.plus_days(-d)).find(|d| starts_period(*d)).unwrap();
        let end = terms.end.map_or(period_end, |end| end.min(period_end));
        let trigger = if terms.timing == Timing::Prepaid { day } else { end };
        if trigger <= horizon && terms.paused_from.is_none_or(|paused| paused > day) {
            let held = terms.held_price.filter(|h| h.until.is_none_or(|until| day < until)).map(|h| h.price);
            let listed = if terms.change.is_some_and(|c| c.from <= day) { 200_000 } else { 150_000 };
            let price = held.map_or(Decimal::from(listed), Money::to_decimal) * Decimal::from(step);
            let used = Decimal::from(end.days_since(day));
            let amount = (price * used / Decimal::from(period_end.days_since(period_start)))
                .round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
            let amount = Money::from_decimal(amount).unwrap();
            invoices.push((Period { start: day, end }, trigger, amount));
        }
        day = day.plus_days(1);
    }
    invoices
}

// ---- payments ----

fn credit() -> impl Strategy<Value = Vec<CreditSource>> {
    let amount = prop_oneof![1 => Just(Money::ZERO), 6 => strategies::money()];
    proptest::collection::vec(amount, 0..5).prop_map(|amounts| {
        let source = |(n, left)| CreditSource {
            payment_id: PaymentId(sample::id(32, n)),
            since: sample::moment("2026-06-01T03:00:00Z"),
            left,
        };
        (1..).zip(amounts).map(source).collect()
    })
}

proptest! {
    #[test]
    fn allocation_pays_the_oldest_first_and_never_too_much(
        open in strategies::invoice_balances(sample::day("2026-06-15")),
        credit in credit(),
    ) {
        let at = sample::moment("2026-06-15T03:00:00Z");
        let made = allocate(&open, &credit, at);
        let sum = |amounts: &mut dyn Iterator<Item = Money>| amounts.sum::<Money>();
        prop_assert!(made.iter().all(|a| a.amount.is_positive() && a.at == at));
        for source in &credit {
            let used = sum(&mut made.iter().filter(|a| a.payment_id == source.payment_id).map(|a| a.amount));
            prop_assert!(used <= source.left);
        }
        let mut order: Vec<_> = open.iter().collect();
        order.sort_by_key(|i| (i.due_date, i.issue_date, i.number));
        let mut rest_is_unpaid = false;
        for invoice in order {
            let paid = sum(&mut made.iter().filter(|a| a.invoice_id == invoice.invoice_id).map(|a| a.amount));
            prop_assert!(paid <= invoice.residual());
            prop_assert!(!rest_is_unpaid || paid.is_zero(), "a younger invoice was paid before an older one");
            rest_is_unpaid |= paid < invoice.residual();
        }
        let owed = sum(&mut open.iter().map(|i| i.residual()));
        let there = sum(&mut credit.iter().map(|c| c.left));
        prop_assert_eq!(sum(&mut made.iter().map(|a| a.amount)), owed.min(there));
        // The earlier source is used up before the next is touched.
        let used: Vec<_> = made.iter().map(|a| a.payment_id).collect();
        prop_assert!(used.is_sorted());
    }
}

// ---- isolation ----

fn isolation_policy() -> impl Strategy<Value = IsolationPolicy> {
    let near = sample::day("2026-06-15");
    let holidays = proptest::collection::btree_set(strategies::date_near(near, 5), 0..4);
    let percent = proptest::option::weighted(0.3, 1..=100_u8);
    (0..15_u16, 0..24_u16, any::<bool>(), holidays, percent).prop_map(|(after, hour, weekends, holidays, percent)| {
        IsolationPolicy {
            isolate_after_days: after,
            isolate_from: isolate_from(hour),
            isolate_at: TimeOfDay::hour(hour),
            on_weekends: weekends,
            holidays,
            reopen_when_paid_percent: percent,
            ..IsolationPolicy::default()
        }
    })
}

/// None, the default, or so much that it is often more than what is overdue.
fn isolate_from(n: u16) -> Money {
    [Money::ZERO, IsolationPolicy::default().isolate_from, Money::rupiah(150_000)][usize::from(n % 3)]
}

fn around() -> impl Strategy<Value = DateTime<Utc>> {
    (-4..4_i64, 0..1440_i64)
        .prop_map(|(days, minutes)| sample::moment("2026-06-15T00:00:00Z") + TimeDelta::minutes(days * 1440 + minutes))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn isolation_needs_every_condition(
        facts in strategies::access_facts(sample::day("2026-06-15")),
        policy in isolation_policy(),
        now in around(),
    ) {
        let decision = decide_isolation(&facts, &policy, now);
        prop_assert_eq!(decision, decide_isolation(&facts, &policy, now), "one answer for one question");
        prop_assert_eq!(decision, IsolationMoment::new(&policy, now).decide(&facts), "looked up before or meanwhile");
        let today = facts.zone.date_of(now);
        let serving = facts.terms.status_on(today) == SubscriptionStatus::Active;
        let arrears = Arrears::of(&facts.open, today);
        let promised = facts.protections.promises.iter().any(|p| p.from <= today && today <= p.until);
        let exempt = facts.protections.exemptions.iter().any(|e| e.from <= today && today <= e.until);
        let outage = facts.protections.outages.iter().any(|o| o.from <= now && o.until.is_none_or(|until| until > now));
        let first = facts.protections.proofs.iter().filter(|p| p.arrived_at <= now && !(p.taken_back && p.reviewed_at <= Some(now)));
        let first = first.min_by_key(|p| p.arrived_at);
        let oldest = facts.open.iter().map(|i| i.due_date).min();
        let proved = first.is_some_and(|p| {
            facts.open.iter().any(|i| i.invoice_id == p.invoice_id)
                && p.reviewed_at.is_none_or(|at| at > now)
                && oldest.is_some_and(|due| now < policy.proof_until(p.arrived_at, due, facts.zone))
        });
        let manual = facts.access.cause == Some(IsolationCause::Manual);
        match decision {
            Decision::Isolate(reason) => {
                prop_assert_eq!(reason, Reason::OverdueTooLong);
                prop_assert!(serving && facts.access.desired == Access::Open);
                prop_assert!(arrears.overdue.is_positive() && arrears.overdue >= policy.isolate_from, "A2");
                prop_assert!(arrears.days_late >= i32::from(policy.isolate_after_days));
                prop_assert!(!promised && !exempt && !outage && !proved);
                prop_assert!(policy.on_weekends || !today.is_weekend());
                prop_assert!(!policy.holidays.contains(&today));
                prop_assert!(facts.zone.time_of(now) >= policy.isolate_at);
            }
            Decision::Reopen(_) => {
                prop_assert!(serving && facts.access.desired != Access::Open);
                prop_assert!(!(facts.access.desired == Access::Isolated && manual), "only a hand reopens (I3)");
                let paid_enough = policy.reopen_when_paid_percent.is_some();
                let closed = facts.access.desired == Access::Closed;
                let small = arrears.overdue < policy.isolate_from;
                prop_assert!(arrears.overdue.is_zero() || small || paid_enough || promised || exempt || closed);
            }
            Decision::Close(_) => prop_assert!(!serving && facts.access.desired != Access::Closed),
            Decision::Keep(_) => {
                // What was paid is reopened at any hour (I4).
                let small = arrears.overdue.is_zero() || arrears.overdue < policy.isolate_from;
                let must_reopen = serving && !manual && small;
                prop_assert!(!(must_reopen && facts.access.desired != Access::Open), "{:?}", facts);
                prop_assert!(serving || facts.access.desired == Access::Closed);
                // With every condition met, there is one more reason only: enough of the last isolation was paid.
                let allowed = policy.allows_day(today) && facts.zone.time_of(now) >= policy.isolate_at;
                let long = !small && arrears.days_late >= i32::from(policy.isolate_after_days);
                let open = serving && facts.access.desired == Access::Open;
                if open && long && allowed && !promised && !exempt && !outage && !proved {
                    prop_assert_eq!(decision.reason(), Reason::PaidEnough);
                }
            }
        }
    }

    #[test]
    fn a_decision_is_settled_by_what_it_wants(
        facts in strategies::access_facts(sample::day("2026-06-15")),
        policy in isolation_policy(),
        now in around(),
    ) {
        // Applied, the same question asks for no more than one step after it: nothing flaps.
        let mut facts = facts;
        let mut steps = 0;
        loop {
            let (desired, cause) = match decide_isolation(&facts, &policy, now) {
                Decision::Keep(_) => break,
                Decision::Isolate(_) => {
                    let overdue = Arrears::of(&facts.open, facts.zone.date_of(now)).overdue;
                    facts.access.isolated =
                        Some(isp_core::isolation::access::IsolatedSince { at: now, overdue });
                    (Access::Isolated, Some(IsolationCause::Arrears))
                }
                Decision::Reopen(_) => (Access::Open, None),
                Decision::Close(_) => (Access::Closed, None),
            };
            facts.access.desired = desired;
            facts.access.cause = cause;
            steps += 1;
            prop_assert!(steps <= 2, "it flaps");
        }
    }
}

/// The day of the first moment at which a run isolates a line, where a run comes at `now` and at every full hour after it.
fn isolated_by_runs(mut facts: AccessFacts, policy: &IsolationPolicy, now: DateTime<Utc>, days: i32) -> Option<Date> {
    let last = facts.zone.date_of(now).plus_days(days);
    let full = |n: i64| DateTime::from_timestamp((now.timestamp() / 3600 + n) * 3600, 0).unwrap();
    for at in std::iter::once(now).chain((1..).map(full)) {
        let today = facts.zone.date_of(at);
        if today > last {
            return None;
        }
        // What is opened may be isolated by the next run of the day.
        for _ in 0..2 {
            let decision = decide_isolation(&facts, policy, at);
            if matches!(decision, Decision::Isolate(_)) {
                return Some(today);
            }
            if let Some(step) = Transition::decided(&facts, decision, at) {
                facts.access = step.access;
            }
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn the_day_that_is_named_is_the_first_on_which_a_run_isolates(
        facts in strategies::access_facts(sample::day("2026-06-15")),
        policy in isolation_policy(),
        now in around(),
        ended in proptest::option::of(0..480_i64),
        lasts in proptest::option::weighted(0.2, 0..30_i32),
    ) {
        let mut facts = facts;
        let hour = |n: i64| sample::moment("2026-06-05T00:00:00Z") + TimeDelta::hours(n);
        if let (Some(hours), Some(promise)) = (ended, facts.protections.promises.first()) {
            let ending = Ending::try_new(EndingKind::Ended, hour(hours), "Rina", "batal").unwrap();
            facts.protections.promises[0] = ProtectedDays { ending: Some(ending), ..promise.clone() };
        }
        // One that begins later: what was isolated meanwhile is opened by it.
        if let Some(from) = lasts {
            let from = sample::day("2026-06-18").plus_days(from);
            let days = ProtectedDays { from, until: from.plus_days(9), reason: "Kantor desa".into(), ending: None };
            facts.protections.exemptions.push(days);
        }
        let days = 45;
        let today = facts.zone.date_of(now);
        let named = first_isolation(&facts, &policy, now);
        let near = named.filter(|day| day.days_since(today) <= days);
        prop_assert_eq!(near, isolated_by_runs(facts.clone(), &policy, now, days));
        prop_assert!(named.is_none_or(|day| today <= day && day.days_since(today) <= FORESEEN_DAYS));
        // What is not far off but for one protection without end is never.
        let forever = ProtectedDays { from: Date::MIN, until: Date::MAX, reason: "Kantor desa".into(), ending: None };
        facts.protections.exemptions.push(forever);
        prop_assert_eq!(first_isolation(&facts, &policy, now), None);
    }
}

// ---- reminders ----

fn dunning_policy() -> impl Strategy<Value = DunningPolicy> {
    let days = || proptest::sample::subsequence(vec![1_u16, 3, 7, 14], 0..=3);
    (days(), days(), 0..12_u16, 13..24_u16).prop_map(|(due_soon_days, overdue_days, until, from)| DunningPolicy {
        due_soon_days,
        overdue_days,
        quiet_until: TimeOfDay::hour(until),
        quiet_from: TimeOfDay::hour(from),
    })
}

fn remember(facts: &mut DunningFacts, keys: impl Iterator<Item = NotificationKey>) {
    facts.notified.extend(keys.map(|key| (InvoiceId(key.subject), key.kind, key.level)));
}

proptest! {
    #[test]
    fn reminders_are_sent_once_and_in_daylight(
        mut facts in strategies::dunning_facts(sample::day("2026-06-15")),
        policy in dunning_policy(),
        mut hours in proptest::collection::vec(0..120 * 24_i64, 1..30),
    ) {
        hours.sort_unstable();
        let start = sample::moment("2026-04-15T00:00:00Z");
        let known: BTreeSet<_> = facts.notified.iter().copied().collect();
        let mut sent: BTreeSet<NotificationKey> = BTreeSet::new();
        for hour in hours {
            let now = start + TimeDelta::hours(hour);
            let messages = due_reminders(TenantId::DEFAULT, std::slice::from_ref(&facts), &policy, now);
            prop_assert!(facts.reachable || messages.is_empty());
            let today = facts.zone.date_of(now);
            let mut groups = BTreeSet::new();
            for message in &messages {
                prop_assert!(!message.keys.is_empty());
                prop_assert!(groups.insert((message.kind, message.level)), "one message a kind and level (N5)");
                for key in &message.keys {
                    prop_assert!(sent.insert(*key), "sent twice: {:?}", key);
                    prop_assert!(!known.contains(&(InvoiceId(key.subject), key.kind, key.level)));
                }
                prop_assert!(message.not_before >= now);
                let (time, day) = (facts.zone.time_of(message.not_before), facts.zone.date_of(message.not_before));
                prop_assert!(policy.quiet_until <= time && time < policy.quiet_from, "quiet hours (N4)");
                prop_assert!(day.days_since(today) <= 1);
                prop_assert_eq!(message.invoices.len(), message.keys.len());
                for id in &message.invoices {
                    let invoice = facts.open.iter().find(|i| i.invoice_id == *id).unwrap();
                    prop_assert!(invoice.residual().is_positive());
                    let late = invoice.days_late(today);
                    let level = i32::from(message.level);
                    match message.kind {
                        isp_core::message::NotificationKind::DueSoon => prop_assert!(-level <= late && late <= 0),
                        _ => prop_assert!(late >= level && late > 0),
                    }
                }
            }
            remember(&mut facts, messages.iter().flat_map(|m| m.keys.iter().copied()));
            let again = due_reminders(TenantId::DEFAULT, std::slice::from_ref(&facts), &policy, now);
            prop_assert_eq!(again, vec![]);
        }
    }

    #[test]
    fn the_civil_day_follows_the_zone(now in strategies::moment(), zone in strategies::zone()) {
        let day = zone.date_of(now);
        prop_assert!(day.midnight(zone) <= now && now < day.plus_days(1).midnight(zone));
        let minutes = zone.time_of(now).minutes();
        prop_assert_eq!(day.at(minutes / 60, minutes % 60, zone), now);
        prop_assert!(Zone::Wib.date_of(now) <= day && day <= Zone::Wit.date_of(now));
    }
}
