//! Deciding isolation for a page of subscriptions on one core, beside a loop that somebody would write by hand who only
//! wants speed, in the same run. Prints decisions/s and the ratio. Run with `cargo bench --bench isolation`.
//!
//! The loop does the same job: every rule of the decision with the same reason, on the same facts (zones, open invoices,
//! promises, exemptions and outages with their limits, a share that is enough to reopen), packed into bare integers. Both
//! look up the day, the holidays and the hour of each zone once a page. Each answer is compared before anything is
//! measured.

#![allow(clippy::print_stdout, clippy::float_arithmetic, clippy::unwrap_used, missing_docs)]

use std::hint::black_box;
use std::time::Instant;

use chrono::{DateTime, Utc};
use isp_core::billing::{Debt, InvoiceBalance, InvoiceKind};
use isp_core::calendar::{BillingDay, Cycle, Date, Period, Zone};
use isp_core::ids::{CustomerId, InvoiceId, PackageId, SiteId, SubscriptionId};
use isp_core::isolation::access::IsolatedSince;
use isp_core::isolation::{
    Access, AccessFacts, Decision, IsolationCause, IsolationMoment, IsolationPolicy, Reason, ServiceAccess,
};
use isp_core::money::Money;
use isp_core::protection::{OutageTimes, ProtectedDays, Protections};
use isp_core::subscription::BillingTerms;
use uuid::Uuid;

/// A page, as the engine has it in hand; decided again and again.
const PAGE: usize = 5_000;
const REPEATS: usize = 50;
const ROUNDS: usize = 15;

fn main() {
    let today = Date::from_ymd(2026, 6, 17).unwrap();
    let now = today.at(11, 0, Zone::Wib);
    let policy = IsolationPolicy { reopen_when_paid_percent: Some(80), ..IsolationPolicy::default() };
    // A Wednesday of a provider where most have paid.
    let mixed: Vec<_> = (0..PAGE)
        .map(|i| match i % 20 {
            0 => Line::overdue(i, today, 8),
            1 => Line::overdue(i, today, 2),
            2 => Line::overdue(i, today, 30).isolated(today),
            3 => Line::paid(i, today).isolated(today),
            4 => Line::overdue(i, today, 8).promised(today),
            5 => Line::overdue(i, today, 8).exempt(today).outage(now),
            6..=8 => Line::overdue(i, today, -5),
            _ => Line::paid(i, today),
        })
        .collect();
    let all_overdue: Vec<_> = (0..PAGE).map(|i| Line::overdue(i, today, 8)).collect();
    println!("deciding isolation of a page of {PAGE} subscriptions, one core, best of {ROUNDS} rounds in turns");
    println!("a subscription's facts are {} bytes, packed by hand {}", size_of::<AccessFacts>(), size_of::<Bare>());
    for (name, lines) in [("a usual day", mixed), ("all overdue", all_overdue)] {
        let facts: Vec<AccessFacts> = lines.into_iter().map(|line| line.0).collect();
        let bare: Vec<Bare> = facts.iter().map(Bare::of).collect();
        let by_engine = || -> Vec<u8> {
            let moment = IsolationMoment::new(&policy, now);
            facts.iter().map(|facts| code(moment.decide(facts))).collect()
        };
        let by_hand = || -> Vec<u8> {
            let page = BarePage::of(&policy, now);
            bare.iter().map(|row| row.decide(&page)).collect()
        };
        assert_eq!(by_engine(), by_hand());
        let (mut engine, mut hand) = (f64::INFINITY, f64::INFINITY);
        for _ in 0..ROUNDS {
            engine = engine.min(seconds(by_engine));
            hand = hand.min(seconds(by_hand));
        }
        let rate = |seconds: f64| (PAGE * REPEATS) as f64 / seconds / 1e6;
        println!(
            "{name}: engine {:>6.1} million/s, by hand {:>6.1} million/s, ratio {:.2}",
            rate(engine),
            rate(hand),
            hand / engine
        );
    }
}

/// A decision with its reason in a byte.
fn code(decision: Decision) -> u8 {
    let what = match decision {
        Decision::Keep(_) => 0,
        Decision::Isolate(_) => 1,
        Decision::Reopen(_) => 2,
        Decision::Close(_) => 3,
    };
    what << 4 | decision.reason() as u8
}

fn seconds(round: impl Fn() -> Vec<u8>) -> f64 {
    let start = Instant::now();
    for _ in 0..REPEATS {
        black_box(round());
    }
    start.elapsed().as_secs_f64()
}

struct Line(AccessFacts);

impl Line {
    fn paid(i: usize, today: Date) -> Self {
        let (customer_id, subscription_id) =
            (CustomerId(Uuid::from_u128(i as u128)), SubscriptionId(Uuid::from_u128(i as u128)));
        let start = today.plus_days(-400);
        Self(AccessFacts {
            subscription_id,
            customer_id,
            site_id: SiteId(Uuid::nil()),
            router_id: None,
            zone: Zone::ALL[i % 3],
            terms: BillingTerms::new(PackageId(Uuid::nil()), start, BillingDay::of(start), Cycle::Monthly),
            access: ServiceAccess::new(subscription_id, Access::Open),
            open: Vec::new(),
            protections: Protections::default(),
        })
    }

    fn overdue(i: usize, today: Date, days: i32) -> Self {
        let mut line = Self::paid(i, today);
        let due_date = today.plus_days(-days);
        let issue_date = due_date.plus_days(-10);
        line.0.open.push(InvoiceBalance {
            debt: Debt {
                invoice_id: InvoiceId::of_period(line.0.subscription_id, issue_date),
                number: i as u64,
                issue_date,
                due_date,
                total: Money::rupiah(166_500),
                paid: Money::rupiah(50_000),
            },
            customer_id: line.0.customer_id,
            subscription_id: line.0.subscription_id,
            site_id: line.0.site_id,
            package_id: line.0.terms.package_id,
            kind: InvoiceKind::Subscription,
            period: Period { start: issue_date, end: issue_date.plus_days(30) },
        });
        line
    }

    fn isolated(mut self, today: Date) -> Self {
        self.0.access.desired = Access::Isolated;
        self.0.access.cause = Some(IsolationCause::Arrears);
        let at = today.plus_days(-2).at(10, 0, Zone::Wib);
        self.0.access.isolated = Some(IsolatedSince { at, overdue: Money::rupiah(166_500) });
        self
    }

    fn exempt(mut self, today: Date) -> Self {
        self.0.protections.exemptions.push(ProtectedDays {
            from: today.plus_days(-20),
            until: today.plus_days(-1),
            reason: "pengurus RT".to_owned(),
            ending: None,
        });
        self
    }

    fn outage(mut self, now: DateTime<Utc>) -> Self {
        let from = now - chrono::TimeDelta::hours(3);
        self.0.protections.outages.push(OutageTimes { from, until: None, ending: None });
        self
    }

    fn promised(mut self, today: Date) -> Self {
        let (from, until) = (today.plus_days(-1), today.plus_days(2));
        self.0.protections.promises.push(ProtectedDays { from, until, reason: String::new(), ending: None });
        self
    }
}

/// The same facts as somebody would pack them who only wants speed: days since 1970, rupiah, seconds.
struct Bare {
    zone: u8,
    desired: u8,
    manual: bool,
    start: i32,
    end: i32,
    paused: i32,
    isolated_overdue: i64,
    /// Due day, total, paid.
    open: Vec<(i32, i64, i64)>,
    promises: Vec<(i32, i32)>,
    exemptions: Vec<(i32, i32)>,
    outages: Vec<(i64, i64)>,
}

/// What is the same for all rows of a page: day, allowed day and minute of each zone, and the policy's numbers.
struct BarePage {
    zones: [(i32, bool, u32); 3],
    now: i64,
    after: i32,
    from: i64,
    from_minute: u32,
    percent: i64,
}

impl BarePage {
    fn of(policy: &IsolationPolicy, now: DateTime<Utc>) -> Self {
        let zone = |zone: Zone| {
            let today = zone.date_of(now);
            (today.day_number(), policy.allows_day(today), zone.time_of(now).minutes())
        };
        Self {
            zones: Zone::ALL.map(zone),
            now: now.timestamp(),
            after: i32::from(policy.isolate_after_days),
            from: policy.isolate_from.as_i64(),
            from_minute: policy.isolate_at.minutes(),
            percent: policy.reopen_when_paid_percent.map_or(-1, i64::from),
        }
    }
}

impl Bare {
    fn of(facts: &AccessFacts) -> Self {
        let day = |day: Option<Date>| day.map_or(i32::MAX, Date::day_number);
        Self {
            zone: facts.zone as u8,
            desired: facts.access.desired as u8,
            manual: facts.access.cause == Some(IsolationCause::Manual),
            start: facts.terms.start.day_number(),
            end: day(facts.terms.end),
            paused: day(facts.terms.paused_from),
            isolated_overdue: facts.access.isolated.map_or(-1, |since| since.overdue.as_i64()),
            open: facts.open.iter().map(|i| (i.due_date.day_number(), i.total.as_i64(), i.paid.as_i64())).collect(),
            promises: facts.protections.promises.iter().map(|p| (p.from.day_number(), p.until.day_number())).collect(),
            exemptions: facts
                .protections
                .exemptions
                .iter()
                .map(|e| (e.from.day_number(), e.until.day_number()))
                .collect(),
            outages: facts
                .protections
                .outages
                .iter()
                .map(|o| (o.from.timestamp(), o.until.map_or(i64::MAX, |until| until.timestamp())))
                .collect(),
        }
    }

    fn decide(&self, page: &BarePage) -> u8 {
        const KEEP: u8 = 0;
        const ISOLATE: u8 = 1 << 4;
        const REOPEN: u8 = 2 << 4;
        const CLOSE: u8 = 3 << 4;
        const OPEN: u8 = Access::Open as u8;
        const ISOLATED: u8 = Access::Isolated as u8;
        const CLOSED: u8 = Access::Closed as u8;
        let (today, allowed, minute) = page.zones[self.zone as usize];
        let close = if self.desired == CLOSED { KEEP } else { CLOSE };
        if self.end <= today {
            return close | Reason::Terminated as u8;
        }
        if today < self.start {
            return close | Reason::Pending as u8;
        }
        if self.paused <= today {
            return close | Reason::Paused as u8;
        }
        if self.desired == CLOSED {
            return REOPEN | Reason::InService as u8;
        }
        if self.desired == ISOLATED && self.manual {
            return KEEP | Reason::IsolatedByHand as u8;
        }
        let (mut overdue, mut late) = (0, 0);
        for (due, total, paid) in &self.open {
            if total > paid && *due < today {
                overdue += total - paid;
                late = late.max(today - due);
            }
        }
        if overdue == 0 {
            return if self.desired == OPEN { Reason::NothingOverdue as u8 } else { REOPEN | Reason::Paid as u8 };
        }
        if self.desired == OPEN && late < page.after {
            return KEEP | Reason::WithinGrace as u8;
        }
        if overdue < page.from {
            return if self.desired == OPEN { KEEP } else { REOPEN } | Reason::SmallDebt as u8;
        }
        let known = self.isolated_overdue >= 0 && (self.desired == OPEN || self.isolated_overdue > 0);
        if page.percent >= 0 && known {
            let share = self.isolated_overdue * (100 - page.percent.min(100));
            if overdue <= (share + 50) / 100 {
                return if self.desired == OPEN { KEEP } else { REOPEN } | Reason::PaidEnough as u8;
            }
        }
        let holds = |days: &[(i32, i32)]| days.iter().any(|(from, until)| *from <= today && today <= *until);
        let protection = if holds(&self.promises) {
            Some(Reason::Promised)
        } else if holds(&self.exemptions) {
            Some(Reason::Exempt)
        } else if self.outages.iter().any(|(from, until)| *from <= page.now && page.now < *until) {
            Some(Reason::SiteOutage)
        } else {
            None
        };
        match (self.desired == OPEN, protection) {
            (false, Some(reason @ (Reason::Promised | Reason::Exempt))) => REOPEN | reason as u8,
            (false, _) => KEEP | Reason::StillOverdue as u8,
            (true, Some(reason)) => KEEP | reason as u8,
            (true, None) if !allowed => KEEP | Reason::DayNotAllowed as u8,
            (true, None) if minute < page.from_minute => KEEP | Reason::BeforeHour as u8,
            (true, None) => ISOLATE | Reason::OverdueTooLong as u8,
        }
    }
}
