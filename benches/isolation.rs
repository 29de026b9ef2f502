//! Deciding isolation for a page of subscriptions on one core, beside a hand-written loop over bare integers
//! in the same run. Prints decisions/s and the ratio. Run with `cargo bench --bench isolation`.

#![allow(clippy::print_stdout, clippy::float_arithmetic, clippy::unwrap_used, missing_docs)]

use std::hint::black_box;
use std::time::Instant;

use isp_core::billing::{InvoiceBalance, InvoiceKind};
use isp_core::calendar::{BillingDay, Cycle, Date, Period, Zone};
use isp_core::ids::{CustomerId, InvoiceId, PackageId, PromiseId, SiteId, SubscriptionId};
use isp_core::isolation::{
    Access, AccessFacts, Decision, IsolationCause, IsolationPolicy, Promise, ServiceAccess, access::IsolatedSince,
    decide_isolation,
};
use isp_core::money::Money;
use isp_core::subscription::BillingTerms;
use uuid::Uuid;

/// A page, as the engine has it in hand; decided again and again.
const PAGE: usize = 5_000;
const REPEATS: usize = 50;
const ROUNDS: usize = 15;

fn main() {
    let today = Date::from_ymd(2026, 6, 17).unwrap();
    let now = today.at(11, 0, Zone::Wib);
    let policy = IsolationPolicy::default();
    // A Wednesday of a provider where most have paid.
    let mixed: Vec<_> = (0..PAGE)
        .map(|i| match i % 20 {
            0 => Line::overdue(i, today, 8),
            1 => Line::overdue(i, today, 2),
            2 => Line::overdue(i, today, 30).isolated(today),
            3 => Line::paid(i, today).isolated(today),
            4 => Line::overdue(i, today, 8).promised(today),
            5..=8 => Line::overdue(i, today, -5),
            _ => Line::paid(i, today),
        })
        .collect();
    let all_overdue: Vec<_> = (0..PAGE).map(|i| Line::overdue(i, today, 8)).collect();
    println!("deciding isolation of a page of {PAGE} subscriptions, one core, best of {ROUNDS}");
    println!("a subscription's facts are {} bytes, packed by hand {}", size_of::<AccessFacts>(), size_of::<Bare>());
    for (name, lines) in [("a usual day", mixed), ("all overdue", all_overdue)] {
        let bare: Vec<Bare> = lines.iter().map(|line| Bare::of(&line.0)).collect();
        let count = |decided: Vec<u8>| [1, 2].map(|what| decided.iter().filter(|d| **d == what).count());
        let by_engine = || -> Vec<u8> {
            lines
                .iter()
                .map(|line| match decide_isolation(&line.0, &policy, now) {
                    Decision::Keep(_) => 0,
                    Decision::Isolate(_) => 1,
                    Decision::Reopen(_) => 2,
                    Decision::Close(_) => 3,
                })
                .collect()
        };
        let by_hand = || -> Vec<u8> { bare.iter().map(|row| row.decide(today.day_number(), 5, 660)).collect() };
        assert_eq!(count(by_engine()), count(by_hand()));
        let (engine, hand) = (best(by_engine), best(by_hand));
        println!(
            "{name}: engine {:>6.1} million/s, by hand {:>6.1} million/s, ratio {:.2}",
            engine / 1e6,
            hand / 1e6,
            engine / hand
        );
    }
}

/// Decisions per second of the fastest round.
fn best(round: impl Fn() -> Vec<u8>) -> f64 {
    let seconds = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..REPEATS {
                black_box(round());
            }
            start.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min);
    (PAGE * REPEATS) as f64 / seconds
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
            zone: Zone::Wib,
            terms: BillingTerms::new(PackageId(Uuid::nil()), start, BillingDay::of(start), Cycle::Monthly),
            access: ServiceAccess::new(subscription_id, Access::Open),
            open: Vec::new(),
            promises: Vec::new(),
            exemptions: Vec::new(),
            outages: Vec::new(),
        })
    }

    fn overdue(i: usize, today: Date, days: i32) -> Self {
        let mut line = Self::paid(i, today);
        let due_date = today.plus_days(-days);
        let issue_date = due_date.plus_days(-10);
        line.0.open.push(InvoiceBalance {
            invoice_id: InvoiceId::of_period(line.0.subscription_id, issue_date),
            number: i as u64,
            customer_id: line.0.customer_id,
            subscription_id: line.0.subscription_id,
            site_id: line.0.site_id,
            package_id: line.0.terms.package_id,
            kind: InvoiceKind::Subscription,
            period: Period { start: issue_date, end: issue_date.plus_days(30) },
            issue_date,
            due_date,
            total: Money::rupiah(166_500),
            paid: Money::rupiah(50_000),
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

    fn promised(mut self, today: Date) -> Self {
        self.0.promises.push(Promise {
            id: PromiseId(Uuid::nil()),
            customer_id: self.0.customer_id,
            made_on: today.plus_days(-1),
            until: today.plus_days(2),
            by: "kasir".to_owned(),
        });
        self
    }
}

/// The same facts as somebody would pack them who only wants speed.
struct Bare {
    start: i32,
    end: i32,
    paused: i32,
    isolated: bool,
    manual: bool,
    promised_until: i32,
    exempt_until: i32,
    outage: bool,
    open: Vec<(i32, i64)>,
}

impl Bare {
    fn of(facts: &AccessFacts) -> Self {
        Self {
            start: facts.terms.start.day_number(),
            end: i32::MAX,
            paused: i32::MAX,
            isolated: facts.access.desired == Access::Isolated,
            manual: facts.access.cause == Some(IsolationCause::Manual),
            promised_until: facts.promises.first().map_or(i32::MIN, |p| p.until.day_number()),
            exempt_until: i32::MIN,
            outage: false,
            open: facts.open.iter().map(|i| (i.due_date.day_number(), i.residual().as_i64())).collect(),
        }
    }

    fn decide(&self, today: i32, after: i32, minute: i32) -> u8 {
        if self.end <= today || self.paused <= today || self.start > today {
            return 3;
        }
        let (mut overdue, mut late) = (0, 0);
        for (due, residual) in &self.open {
            if *due < today {
                overdue += residual;
                late = late.max(today - due);
            }
        }
        let protected = self.promised_until >= today || self.exempt_until >= today || self.outage;
        if self.isolated {
            return if !self.manual && (overdue == 0 || protected) { 2 } else { 0 };
        }
        let weekend = matches!((today + 3).rem_euclid(7), 5 | 6);
        u8::from(overdue > 0 && late >= after && !protected && !weekend && minute >= 600)
    }
}
