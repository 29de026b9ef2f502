//! Planning one billing day for a million subscriptions on one core, beside a hand-written loop over bare integers in
//! the same run. Prints subscriptions/s and the ratio. Run with `cargo bench --bench planning`.

#![allow(clippy::print_stdout, clippy::float_arithmetic, clippy::unwrap_used, missing_docs)]

use std::hint::black_box;
use std::time::Instant;

use isp_core::billing::plan::BillingContext;
use isp_core::billing::{Billable, BillingPolicy, Catalog, plan_billing};
use isp_core::calendar::{BillingDay, Cycle, Date, Zone};
use isp_core::ids::{CustomerId, IdSource, PackageId, SiteId, SubscriptionId};
use isp_core::money::Money;
use isp_core::package::{Package, PriceList, Speed, UserGroup};
use isp_core::subscription::BillingTerms;
use isp_core::tax::{Tax, TaxMode};
use isp_core::text::{Code, Name, RouterName};

const SUBSCRIPTIONS: usize = 1_000_000;
const PAGE: usize = 5_000;
const ROUNDS: usize = 7;

fn main() {
    let mut ids = IdSource::new(chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_000), 1);
    let package = PackageId(ids.next_uuid());
    let catalog = Catalog::new(&[Package {
        id: package,
        code: Code::parse("code", "P20").unwrap(),
        name: Name::parse("name", "Paket 20").unwrap(),
        prices: PriceList::single(Money::rupiah(250_000)).unwrap(),
        tax_mode: TaxMode::Exclusive,
        group: UserGroup { name: RouterName::parse("group", "P20").unwrap(), speed: Speed::parse("20").unwrap() },
        sold: true,
    }]);
    let mut rows = |days: std::ops::RangeInclusive<u8>| -> Vec<Billable> {
        days.cycle()
            .take(SUBSCRIPTIONS)
            .map(|day| {
                let start = Date::from_ymd(2025, 1, u32::from(day)).unwrap();
                let day = BillingDay::try_new(day).unwrap();
                Billable {
                    subscription_id: SubscriptionId(ids.next_uuid()),
                    customer_id: CustomerId(ids.next_uuid()),
                    site_id: SiteId(uuid::Uuid::nil()),
                    zone: Zone::Wib,
                    terms: BillingTerms { billed_from: None, ..BillingTerms::new(package, start, day, Cycle::Monthly) },
                }
            })
            .collect()
    };
    let (due, undue, spread) = (rows(15..=15), rows(20..=20), rows(1..=28));
    let (policy, tax) = (BillingPolicy::default(), Tax::pkp());
    let today = Date::from_ymd(2026, 6, 15).unwrap();
    let context = BillingContext {
        catalog: &catalog,
        policy: &policy,
        tax: &tax,
        position: Some(today.plus_days(-1)),
        now: today.at(9, 0, Zone::Wib),
    };
    println!("planning {SUBSCRIPTIONS} subscriptions, pages of {PAGE}, one core, best of {ROUNDS}");
    for (name, rows, invoices) in [
        ("none due", &undue, 0),
        ("1 in 28 due", &spread, (SUBSCRIPTIONS - 14).div_ceil(28)),
        ("all due", &due, SUBSCRIPTIONS),
    ] {
        let engine = best(|| {
            let made: usize =
                rows.chunks(PAGE).map(|page| black_box(plan_billing(page, &context)).invoices.len()).sum();
            assert_eq!(made, invoices);
        });
        let bare = bare_rows(rows);
        let by_hand = best(|| {
            let made: usize = bare.chunks(PAGE).map(|page| black_box(by_hand(page, today.day_number())).len()).sum();
            assert_eq!(made, invoices);
        });
        println!(
            "{name:>11}: engine {:>6.1} million/s, by hand {:>6.1} million/s, ratio {:.2}",
            engine / 1e6,
            by_hand / 1e6,
            engine / by_hand
        );
    }
}

/// Subscriptions per second of the fastest round.
fn best(mut round: impl FnMut()) -> f64 {
    let seconds = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            round();
            start.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min);
    SUBSCRIPTIONS as f64 / seconds
}

/// A subscription as somebody would pack it who only wants speed: same facts, bare integers.
#[derive(Clone, Copy)]
struct Bare {
    id: u128,
    customer: u128,
    package: u128,
    month0: i32,
    day: i32,
    step: i32,
    price: i64,
}

/// What a hand-written loop writes: the header and the two lines of the same invoice.
#[allow(dead_code, reason = "written to memory, as an invoice is")]
struct BareInvoice {
    id: u128,
    subscription: u128,
    customer: u128,
    package: u128,
    start: i32,
    end: i32,
    issue: i32,
    due: i32,
    dpp: i64,
    ppn: i64,
    total: i64,
    lines: [(u8, i64); 2],
}

fn bare_rows(rows: &[Billable]) -> Vec<Bare> {
    rows.iter()
        .map(|row| {
            let (year, month, _) = row.terms.start.ymd();
            Bare {
                id: row.subscription_id.0.as_u128(),
                customer: row.customer_id.0.as_u128(),
                package: row.terms.package_id.0.as_u128(),
                month0: year * 12 + month as i32 - 1,
                day: i32::from(row.terms.day.day()),
                step: i32::from(row.terms.cycle.months()),
                price: 250_000,
            }
        })
        .collect()
}

fn by_hand(rows: &[Bare], today: i32) -> Vec<BareInvoice> {
    let (year, month, _) = Date::from_day_number(today).ymd();
    let month_now = year * 12 + month as i32 - 1;
    let mut made = Vec::new();
    for row in rows {
        let behind = (month_now - row.month0).rem_euclid(row.step);
        if behind != 0 {
            continue;
        }
        let start = clamped(month_now, row.day);
        if start != today {
            continue;
        }
        let dpp = row.price * i64::from(row.step);
        let base = (dpp * 11 * 2 + 12) / 24;
        let ppn = (base * 12 * 2 + 100) / 200;
        made.push(BareInvoice {
            id: row.id ^ start as u128,
            subscription: row.id,
            customer: row.customer,
            package: row.package,
            start,
            end: clamped(month_now + row.step, row.day),
            issue: today,
            due: today + 10,
            dpp,
            ppn,
            total: dpp + ppn,
            lines: [(0, dpp), (5, ppn)],
        });
    }
    made
}

fn clamped(month: i32, day: i32) -> i32 {
    let (y, m) = (month.div_euclid(12), month.rem_euclid(12) + 1);
    let last = match m {
        2 if y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let yy = if m <= 2 { y - 1 } else { y };
    let mp = (m + 9) % 12;
    yy * 365 + yy.div_euclid(4) - yy.div_euclid(100) + yy.div_euclid(400) + (153 * mp + 2) / 5 + day.min(last)
        - 1
        - 719_468
}
