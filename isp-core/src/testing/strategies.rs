//! Random but valid facts, for property tests.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use chrono::{DateTime, TimeDelta, Utc};

use crate::billing::{Billable, Debt, InvoiceBalance, InvoiceKind};
use crate::calendar::{BillingDay, Cycle, Date, Period, Zone};
use crate::ids::{CustomerId, InvoiceId, PackageId, RouterId, SiteId, SubscriptionId};
use crate::isolation::access::IsolatedSince;
use crate::isolation::{Access, AccessFacts, IsolationCause, ServiceAccess};
use crate::message::{DunningFacts, NotificationKind};
use crate::money::Money;
use crate::protection::{OutageTimes, ProofTimes, ProtectedDays, ProtectionTimes, Protections};
use crate::subscription::{BillingTerms, Discount, HeldPrice, Off, PackageChange, Timing};
use crate::testing::sample::{self, id};

/// A day of 2024 to 2028, so that leap days are among them.
pub fn date() -> impl Strategy<Value = Date> {
    // 2024-01-01 and 2028-12-31.
    (19_723..=21_549).prop_map(Date::from_day_number)
}

/// A day at most so many days after or before one.
pub fn date_near(day: Date, days: i32) -> impl Strategy<Value = Date> {
    (-days..=days).prop_map(move |d| day.plus_days(d))
}

/// A moment of such a day in any zone, to the minute.
pub fn moment() -> impl Strategy<Value = DateTime<Utc>> {
    (date(), 0..24 * 60_i64).prop_map(|(day, minutes)| day.midnight(Zone::Wib) + TimeDelta::minutes(minutes))
}

/// A zone.
pub fn zone() -> impl Strategy<Value = Zone> {
    prop::sample::select(Zone::ALL.to_vec())
}

/// An amount from Rp1 to Rp2.000.000; often a round one.
pub fn money() -> impl Strategy<Value = Money> {
    prop_oneof![1..=2_000_000_i64, (1..=2_000_i64).prop_map(|n| n * 1_000)].prop_map(Money::rupiah)
}

/// Terms with any anchor, cycle, timing and extras, on the packages 0 and 1 of [`sample`], starting in 2024 to 2028 and
/// not billed before.
pub fn billing_terms() -> impl Strategy<Value = BillingTerms> {
    let cycle = prop::sample::select(vec![Cycle::Monthly, Cycle::Quarterly, Cycle::SemiAnnual, Cycle::Annual]);
    let timing = prop::sample::select(vec![Timing::Prepaid, Timing::Postpaid]);
    let off = prop_oneof![money().prop_map(Off::Amount), (1..=100_u8).prop_map(Off::Percent)];
    let extras = (
        option::of(0..900_i32),
        option::weighted(0.2, 0..600_i32),
        option::weighted(0.2, 0..600_i32),
        option::weighted(0.2, (money(), option::of(0..600_i32))),
        option::weighted(0.3, (off, option::of(0..600_i32))),
    );
    (date(), 1..=31_u8, cycle, timing, extras).prop_map(|(start, day, cycle, timing, extras)| {
        let (end, paused, change, held, discount) = extras;
        let after = |days: i32| start.plus_days(days);
        let day = BillingDay::try_new(day).unwrap_or(BillingDay::of(start));
        BillingTerms {
            timing,
            end: end.map(after),
            paused_from: paused.map(after),
            change: change.map(|days| PackageChange { package_id: sample::package(1).id, from: after(days) }),
            held_price: held.map(|(price, until)| HeldPrice { price, until: until.map(after) }),
            discount: discount.map(|(off, until)| Discount { off, until: until.map(after) }),
            ..BillingTerms::new(sample::package(0).id, start, day, cycle)
        }
    })
}

/// A subscription to bill.
pub fn billable() -> impl Strategy<Value = Billable> {
    (0..1_000_u64, zone(), billing_terms()).prop_map(|(number, zone, terms)| Billable {
        subscription_id: SubscriptionId(id(5, number)),
        customer_id: CustomerId(id(4, number)),
        site_id: SiteId(id(1, zone as u64)),
        zone,
        terms,
    })
}

/// An invoice of customer and subscription 0 due near a day, paid in part, in full or not at all.
pub fn invoice_balance(number: u64, near: Date) -> impl Strategy<Value = InvoiceBalance> {
    let kind = prop::sample::select(vec![
        InvoiceKind::Subscription,
        InvoiceKind::Installation,
        InvoiceKind::LateFee,
        InvoiceKind::Adjustment,
    ]);
    let paid = prop_oneof![4 => Just(0_i64), 1 => Just(100), 2 => 1..100_i64];
    (date_near(near, 60), 0..30_i32, money(), paid, kind).prop_map(move |(due_date, terms, total, percent, kind)| {
        let issue_date = due_date.plus_days(-terms);
        InvoiceBalance {
            debt: Debt {
                invoice_id: InvoiceId(id(30, number)),
                number,
                issue_date,
                due_date,
                total,
                paid: total.ratio(percent, 100),
            },
            customer_id: CustomerId(id(4, 0)),
            subscription_id: SubscriptionId(id(5, 0)),
            site_id: SiteId(id(1, 0)),
            package_id: PackageId(id(3, 0)),
            kind,
            period: Period { start: issue_date, end: issue_date.plus_days(30) },
        }
    })
}

/// Up to six such invoices with numbers from 1, in any order.
pub fn invoice_balances(near: Date) -> impl Strategy<Value = Vec<InvoiceBalance>> {
    (0..=6_u64)
        .prop_flat_map(move |count| (1..=count).map(|n| invoice_balance(n, near).boxed()).collect::<Vec<_>>())
        .prop_shuffle()
}

/// A customer to remind at a moment of a day near `near`, some reminders already written.
pub fn dunning_facts(near: Date) -> impl Strategy<Value = DunningFacts> {
    let kind = prop::sample::select(vec![NotificationKind::DueSoon, NotificationKind::Overdue]);
    let notified = vec((1..=6_u64, kind, prop::sample::select(vec![1_u16, 3, 7, 14])), 0..4);
    (zone(), prop::bool::weighted(0.9), invoice_balances(near), notified).prop_map(
        |(zone, reachable, open, notified)| DunningFacts {
            customer_id: CustomerId(id(4, 0)),
            zone,
            reachable,
            open,
            notified: notified.into_iter().map(|(n, kind, level)| (InvoiceId(id(30, n)), kind, level)).collect(),
            statements: Vec::new(),
        },
    )
}

/// When proofs of transfer arrived and were reviewed, of no invoice yet.
fn proof_times(near: Date) -> impl Strategy<Value = Vec<ProofTimes>> {
    let one = (date_near(near, 6), 0..24_u32, option::of(0..100_i64), any::<bool>());
    let one = one.prop_map(|(day, hour, reviewed, taken_back)| {
        let arrived_at = day.at(hour, 0, Zone::Wib);
        let reviewed_at = reviewed.map(|hours| arrived_at + chrono::TimeDelta::hours(hours));
        let taken_back = taken_back && reviewed_at.is_some();
        ProofTimes { invoice_id: InvoiceId(id(0, 0)), arrived_at, reviewed_at, taken_back }
    });
    option::weighted(0.3, vec(one, 1..3)).prop_map(Option::unwrap_or_default)
}

/// What a decision at a moment near `near` rests on: every state of access, with and without each protection.
pub fn access_facts(near: Date) -> impl Strategy<Value = AccessFacts> {
    let state = prop_oneof![
        3 => Just((Access::Open, None)),
        2 => Just((Access::Isolated, Some(IsolationCause::Arrears))),
        1 => Just((Access::Isolated, Some(IsolationCause::Manual))),
        1 => Just((Access::Closed, None)),
    ];
    let span = move |past: i32| (date_near(near, past), 0..past);
    let protections = (
        option::weighted(0.2, span(10)),
        option::weighted(0.2, span(10)),
        option::weighted(0.2, span(3)),
        proof_times(near),
    );
    let terms = billing_terms().prop_map(move |terms| {
        // Mostly in service on the day.
        let shift = near.days_since(terms.start) - 200;
        let moved = |day: Date| day.plus_days(shift);
        BillingTerms {
            start: moved(terms.start),
            end: terms.end.map(moved),
            paused_from: terms.paused_from.map(moved),
            ..terms
        }
    });
    let isolated = option::of((0..40_i32, money()));
    (zone(), terms, state, isolated, invoice_balances(near), protections).prop_map(
        move |(zone, terms, (desired, cause), isolated, open, (promise, exemption, outage, proof))| AccessFacts {
            subscription_id: SubscriptionId(id(5, 0)),
            customer_id: CustomerId(id(4, 0)),
            site_id: SiteId(id(1, 0)),
            router_id: Some(RouterId(id(2, 0))),
            zone,
            terms,
            access: ServiceAccess {
                cause,
                isolated: isolated
                    .map(|(days, overdue)| IsolatedSince { at: near.plus_days(-days).midnight(zone), overdue }),
                version: 1,
                ..ServiceAccess::new(SubscriptionId(id(5, 0)), desired)
            },
            protections: Protections::from(ProtectionTimes {
                // A proof is mostly for an invoice that is open.
                proofs: proof
                    .into_iter()
                    .flat_map(|of| open.iter().take(1).map(move |i| ProofTimes { invoice_id: i.invoice_id, ..of }))
                    .collect(),
                promises: promise
                    .into_iter()
                    .map(|(from, days)| ProtectedDays {
                        from,
                        until: from.plus_days(days),
                        reason: String::new(),
                        ending: None,
                    })
                    .collect(),
                exemptions: exemption
                    .into_iter()
                    .map(|(from, days)| ProtectedDays {
                        from,
                        until: from.plus_days(days),
                        reason: "Kantor desa".into(),
                        ending: None,
                    })
                    .collect(),
                outages: outage
                    .into_iter()
                    .map(|(from, days)| OutageTimes {
                        from: from.midnight(zone),
                        until: (days > 0).then(|| from.plus_days(days).midnight(zone)),
                        ending: None,
                    })
                    .collect(),
            }),
            open: open.into_iter().filter(|i| i.residual().is_positive()).collect(),
        },
    )
}
