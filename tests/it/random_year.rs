//! A random year of fifty customers with faults, checked every day.
//!
//! Payments come early, late, in parts, twice and too high; promises, exemptions, outages and hands interfere; routers die
//! and lose replies, messages get lost, the process is killed between any two calls of the store, runs are missed and
//! done twice. The invariants are those of a provider whom customers can trust.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::dice::{Dice, at_random, seeds};
use crate::support::{TENANT, World, books, customer_id, date, package_id, router_id, site_id, subscription_id};
use isp_core::billing::{Charge, CreditNote, CreditReason, InvoiceKind, LateFeeAmount, LateFeePolicy, WhileIsolated};
use isp_core::calendar::{BillingDay, Cycle, Date, Period, Zone};
use isp_core::engine::{EngineError, NewPayment};
use isp_core::ids::{DepositId, ExemptionId, OutageId, PromiseId, SubscriptionId};
use isp_core::isolation::{Access, AccessEventKind};
use isp_core::payment::{Channel, Deposit};
use isp_core::ports::{AccessStore, BillingStore, MoneyStore, OutboxState, StoreError};
use isp_core::protection::{Exemption, Outage, OutageCredit, OutagePolicy, Promise};
use isp_core::report::{Finance, GroupBy};
use isp_core::subscription::{BillingTerms, Discount, HeldPrice, Off, Timing};
use isp_core::testing::{Moment, Snapshot};
use isp_core::{Error, Money};
use proptest::prelude::*;
use uuid::Uuid;

const CUSTOMERS: u32 = 50;
const DAYS: i32 = 365;

/// What protects a customer from isolation, by day.
#[derive(Default)]
struct Protected(BTreeSet<(u32, Date)>);

impl Protected {
    fn add(&mut self, customer: u32, from: Date, until: Date) {
        (0..=until.days_since(from)).for_each(|d| {
            self.0.insert((customer, from.plus_days(d)));
        });
    }
}

/// Runs a journey until it gets through, as a service manager would: after a kill, the process starts again.
macro_rules! until_done {
    ($world:expr, $call:expr) => {
        loop {
            let outcome = $call.await;
            if $world.store.fuse().is_blown() {
                $world.store.restart();
                continue;
            }
            break outcome;
        }
    };
}

/// The first roll says when the year begins.
fn first_day(dice: &mut Dice) -> Date {
    date("2026-01-01").plus_days(dice.roll(365) as i32)
}

/// `all`: some customers pay afterwards, some have a discount or hold a price.
async fn found(start: Date, dice: &mut Dice, all: bool) -> World {
    let world = World::new().await;
    for n in 0..CUSTOMERS {
        let cycle = if dice.one_in(5) { Cycle::Quarterly } else { Cycle::Monthly };
        let begin = start.plus_days(dice.roll(40) as i32);
        let day = if dice.one_in(2) { begin.ymd().2 as u8 } else { 1 + dice.roll(31) as u8 };
        let mut terms = BillingTerms::new(package_id(1), begin, BillingDay::try_new(day).unwrap(), cycle);
        if all && dice.one_in(5) {
            terms.timing = Timing::Postpaid;
        }
        if all && dice.one_in(6) {
            let off = if dice.one_in(2) { Off::Percent(15) } else { Off::Amount(Money::rupiah(20_000)) };
            terms.discount = Some(Discount { off, until: Some(begin.plus_days(30 + dice.roll(300) as i32)) });
        }
        if all && dice.one_in(6) {
            terms.held_price = Some(HeldPrice { price: Money::rupiah(135_000), until: None });
        }
        world.add_with(n, terms, start.at(1, 0, Zone::Wib)).await;
    }
    world
}

/// What goes wrong in a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    None,
    /// Kills, double runs, dead routers and channels, lost replies; but every day has its runs.
    Faults,
    /// And days without a run.
    MissedDays,
}

/// A year, and the finance report of each month, asked for on its last evening.
async fn live_a_year(seed: u64, trouble: Trouble, all: bool) -> (World, Protected, Vec<Finance>) {
    let faults = trouble != Trouble::None;
    let mut months = Vec::new();
    let mut dice = Dice(seed);
    let start = first_day(&mut dice);
    let mut world = found(start, &mut dice, all).await;
    // What officers do beside has dice of its own too.
    let mut officers = Dice(seed ^ 0x0ff1_ce00);
    if all {
        every_rule_on(&mut world);
    }
    let mut protected = Protected::default();
    // Faults have dice of their own, so that the same year can be lived without them.
    let mut bad_luck = Dice(seed ^ 0xdead_beef);
    for d in 0..DAYS {
        let today = start.plus_days(d);
        happenings(&world, &mut dice, &mut protected, today).await;
        if all {
            officers_days(&world, &mut officers, &mut protected, today).await;
        }
        if faults {
            for host in ["r0", "r1"] {
                world.routers.set_down(host, bad_luck.one_in(12));
                if bad_luck.one_in(10) {
                    world.routers.lose_next_reply(host);
                }
            }
            world.messenger.set_down(bad_luck.one_in(15));
            world.messenger.lose_reply_every(if bad_luck.one_in(10) { 3 } else { 0 });
            if bad_luck.one_in(4) {
                let moment = if bad_luck.one_in(2) { Moment::Before } else { Moment::After };
                world.store.fuse().blow_at(1 + bad_luck.roll(60), moment);
            }
        }
        // A missed day changes no debt: the next run catches up.
        let missed = faults && bad_luck.one_in(9) && trouble == Trouble::MissedDays;
        if !missed {
            for hour in [9, 11] {
                let now = today.at(hour, 0, Zone::Wib);
                until_done!(world, world.run(now)).unwrap();
                if faults && bad_luck.one_in(3) {
                    until_done!(world, world.run(now)).unwrap();
                }
            }
        }
        world.store.restart();
        let snapshot = world.store.snapshot(TENANT);
        check(&snapshot, &protected, today);
        if !all {
            invoices_join(&snapshot);
        }
        if today.plus_days(1).month() != today.month() {
            let evening = today.at(20, 0, Zone::Wib);
            for by in [GroupBy::Month, GroupBy::Package, GroupBy::Site] {
                let month = today.month();
                months.push(world.engine().report_finance(month, month, by, evening).await.unwrap());
            }
        }
    }
    world.routers.all_up();
    world.messenger.set_down(false);
    world.messenger.lose_reply_every(0);
    for hour in [9, 11, 12] {
        world.run(start.plus_days(DAYS).at(hour, 0, Zone::Wib)).await.unwrap();
    }
    (world, protected, months)
}

/// What customers and officers do on a day.
async fn happenings(world: &World, dice: &mut Dice, protected: &mut Protected, today: Date) {
    let now = today.at(7 + dice.roll(2) as u32, 30, Zone::Wib);
    for n in 0..CUSTOMERS {
        if dice.one_in(25) {
            let owed: Money =
                world.store.open_invoices(TENANT, customer_id(n)).await.unwrap().iter().map(|i| i.residual()).sum();
            let rupiah = match dice.roll(6) {
                0 if owed >= Money::rupiah(2_000) => owed.as_i64() / 2,
                1 => owed.as_i64() + 50_000,
                _ => owed.as_i64(),
            };
            if rupiah > 0 {
                let reference = format!("{today}-{n}");
                for _ in 0..=dice.roll(2) {
                    until_done!(world, world.pay(n, &reference, rupiah, now)).unwrap();
                }
                if dice.one_in(20) {
                    let (bank, reference) = (crate::support::code("bank"), crate::support::code(&reference).into());
                    let payment = isp_core::payment::Payment::id_of(TENANT, customer_id(n), &bank, &reference, 0);
                    until_done!(world, world.engine().reverse(payment, "kasir", "salah", now)).unwrap();
                }
            }
        }
        if dice.one_in(300) {
            let until = today.plus_days(1 + dice.roll(14) as i32);
            let (id, customer_id) = (PromiseId(Uuid::from_u128(u128::from(dice.0))), customer_id(n));
            let promise = Promise { id, customer_id, made_on: today, until, by: "kasir".into(), ending: None };
            // One promise a period; the policy says no to more.
            if world.engine().promise(promise).await.is_ok() {
                protected.add(n, today, until);
            }
        }
        if dice.one_in(600) {
            let until = today.plus_days(1 + dice.roll(30) as i32);
            let (id, customer_id) = (ExemptionId(Uuid::from_u128(u128::from(dice.0))), customer_id(n));
            let (reason, by) = ("panti asuhan".into(), "manajer".into());
            let exemption = Exemption { id, customer_id, from: today, until, reason, by, ending: None };
            world.engine().exempt(exemption).await.unwrap();
            protected.add(n, today, until);
        }
        if dice.one_in(900) {
            let by_hand = world.engine().isolate(customer_id(n), "Rina", "penyalahgunaan", now).await;
            assert!(matches!(by_hand, Ok(_) | Err(EngineError::NothingToDo)), "{by_hand:?}");
        }
        if dice.one_in(200) {
            let by_hand = world.engine().reopen(customer_id(n), "Rina", "sudah beres", now).await;
            assert!(matches!(by_hand, Ok(_) | Err(EngineError::NothingToDo)), "{by_hand:?}");
        }
        if dice.one_in(700) {
            let package = package_id(1 + dice.roll(3) as u32);
            let changed = until_done!(world, world.engine().change_package(subscription_id(n), package, now));
            assert!(matches!(changed, Ok(_) | Err(EngineError::Domain(Error::NotServing))), "{changed:?}");
        }
    }
}

/// Every policy that changes what is owed is on.
fn every_rule_on(world: &mut World) {
    let policy = &mut world.policy;
    policy.billing.credit_on_pause = true;
    policy.billing.credit_on_termination = true;
    policy.billing.while_isolated = WhileIsolated::Prorate;
    let amount = LateFeeAmount::Percent { percent: 2, minimum: Money::rupiah(3_000) };
    policy.late_fee = Some(LateFeePolicy { after_days: 4, amount, with_ppn: false });
    policy.outage = OutagePolicy { min_hours: 12, by: OutageCredit::Hour };
}

/// What officers do on a day besides: packages at once, other billing days, pauses, ends, corrections, write-offs, collectors, outages. A
/// process that is killed is started again; what it had done already is refused then, and nothing is done twice.
async fn officers_days(world: &World, dice: &mut Dice, protected: &mut Protected, today: Date) {
    let now = today.at(8, 15, Zone::Wib);
    let fine = |outcome: Result<(), EngineError>| match outcome {
        Ok(()) | Err(EngineError::Domain(_) | EngineError::NothingToDo) => {}
        Err(EngineError::Store(StoreError::NotFound { .. } | StoreError::Duplicate { .. })) => {}
        Err(other) => panic!("{other:?}"),
    };
    for n in 0..CUSTOMERS {
        let (line, customer) = (subscription_id(n), customer_id(n));
        if dice.one_in(90) {
            let package = package_id(1 + dice.roll(3) as u32);
            fine(until_done!(world, world.engine().change_package_at_once(line, package, "Sari", now)).map(drop));
        }
        if dice.one_in(150) {
            fine(until_done!(world, world.engine().pause(line, now)).map(drop));
        }
        if dice.one_in(12) {
            fine(until_done!(world, world.engine().resume(line, now)));
        }
        if dice.one_in(250) {
            let day = BillingDay::try_new(1 + dice.roll(31) as u8).unwrap();
            fine(until_done!(world, world.engine().change_billing_day(line, day, now)).map(drop));
        }
        if dice.one_in(3_000) {
            let end = today.plus_days(dice.roll(20) as i32 - 5);
            fine(until_done!(world, world.engine().terminate(line, end, now)).map(drop));
        }
        let open = world.store.open_invoices(TENANT, customer).await.unwrap();
        let Some(oldest) = open.first() else { continue };
        if dice.one_in(120) {
            let amount = Money::rupiah(1 + dice.roll(80_000) as i64);
            let engine = world.engine();
            fine(engine.correct(customer, oldest.invoice_id, amount, "Sari", "salah tagih", now).await.map(drop));
        }
        if dice.one_in(150)
            && let Some(note) = world.engine().credit_notes_of(customer).await.unwrap().pop()
        {
            let engine = world.engine();
            fine(engine.take_note_back(customer, note.id, "Sari", "salah catat", now).await.map(drop));
        }
        if oldest.days_late(today) > 12 && dice.one_in(60) {
            let engine = world.engine();
            fine(engine.write_off(customer, oldest.invoice_id, "Sari", "pindah", now).await.map(drop));
        } else if dice.one_in(60)
            && let Some(last) = world.store.write_offs(TENANT, Some(customer)).await.unwrap().pop()
        {
            fine(world.engine().reverse(last.payment_id, "Sari", "datang membayar", now).await.map(drop));
        }
        if dice.one_in(50) {
            let payment = NewPayment {
                customer_id: customer,
                provider: crate::support::code("tunai"),
                reference: crate::support::code(&format!("KW-{today}-{n}")).into(),
                amount: oldest.residual(),
                paid_at: now,
                collector: Some(crate::support::code(["ANTON", "BUDI"][(n % 2) as usize])),
            };
            until_done!(world, world.engine().pay(&payment, now)).unwrap();
        }
    }
    if dice.one_in(5) {
        for held in world.store.collectors(TENANT).await.unwrap() {
            let deposit = Deposit {
                id: DepositId(Uuid::from_u128(u128::from(dice.0))),
                collector: held.collector.clone(),
                amount: held.holds(),
                to: Channel::Bank,
                on: today,
                by: "Sari".into(),
                note: String::new(),
            };
            dice.roll(2);
            fine(world.engine().deposit(deposit).await);
        }
    }
    if dice.one_in(40) {
        let (site, days) = (dice.roll(2) as u32, 1 + dice.roll(3) as i32);
        let outage = Outage {
            id: OutageId(Uuid::from_u128(u128::from(dice.0))),
            site_id: site_id(site),
            from: today.at(8, 0, Zone::Wib),
            until: Some(today.plus_days(days).at(8, 0, Zone::Wib)),
            note: "kabel putus".into(),
            ending: None,
        };
        world.engine().outage(outage).await.unwrap();
        for n in (0..CUSTOMERS).filter(|n| n % 2 == site) {
            protected.add(n, today, today.plus_days(days - 1));
        }
    }
    for outage in world.store.outages(TENANT).await.unwrap() {
        if outage.until.is_some_and(|until| until <= now) && dice.one_in(6) {
            let zone = if outage.site_id == site_id(0) { Zone::Wib } else { Zone::Wit };
            until_done!(world, world.engine().credit_outage(&outage, zone, true, "Sari", now)).unwrap();
        }
    }
}

/// However much was changed, paused, given back and charged again: no day of a line costs more than the dearest package,
/// or less than nothing.
fn no_day_is_charged_twice(snapshot: &Snapshot) {
    for (line, charges) in &charges_of(snapshot) {
        let first = charges.iter().map(|c| c.invoice.period.start).min().unwrap();
        let last = charges.iter().map(|c| c.invoice.period.end).max().unwrap();
        // A correction is of no day: it is spread over all of its invoice, also over days that were given back.
        let mut uncorrected = charges.clone();
        uncorrected.iter_mut().for_each(|c| c.notes.retain(|n| n.reason != CreditReason::Correction));
        for day in (0..last.days_since(first)).map(|i| first.plus_days(i)) {
            let day = Period { start: day, end: day.plus_days(1) };
            let cost = |of: &[Charge]| -> i64 {
                of.iter().flat_map(|c| c.charged_for(day).into_values()).sum::<Money>().as_i64()
            };
            let (most, least) = (cost(charges), cost(&uncorrected));
            assert!(
                most <= 222_000 / 28 + 8 && least >= -8,
                "{line} {day} costs {least}..{most}: {:#?}",
                told(charges)
            );
        }
    }
}

/// However often a line was paused, moved to another billing day, cut or ended: each day on which it was served is in a
/// period that was billed, once that period has come due.
fn no_served_day_is_forgotten(snapshot: &Snapshot, today: Date) {
    let charges = charges_of(snapshot);
    let events = events_of(snapshot);
    for line in &snapshot.subscriptions {
        let terms = &line.terms;
        let (first, events) = events.iter().find(|(n, _)| subscription_id(**n) == line.id).unwrap();
        let zone = if first % 2 == 0 { Zone::Wib } else { Zone::Wit };
        let charges = charges.get(&line.id).map(Vec::as_slice).unwrap_or_default();
        let Some(begin) = charges.iter().map(|c| c.invoice.period.start).min() else {
            assert!(terms.end.is_some() || terms.timing == Timing::Postpaid, "{} was never billed", line.id);
            continue;
        };
        let due = match terms.timing {
            Timing::Prepaid => today.plus_days(1),
            Timing::Postpaid => terms.anchor().period(terms.anchor().index_of(today.max(terms.start))).start,
        };
        let until = terms.end.map_or(due, |end| due.min(end));
        for day in (0..until.days_since(begin)).map(|i| begin.plus_days(i)) {
            let last = events.iter().rfind(|e| {
                zone.date_of(e.at) <= day && matches!(e.kind, AccessEventKind::Closed | AccessEventKind::Reopened)
            });
            let paused = last.is_some_and(|e| e.kind == AccessEventKind::Closed);
            let billed =
                charges.iter().any(|c| c.is_for_service() && c.invoice.period.contains(day) && !c.is_unserved(day));
            assert!(paused || billed, "{} {day} is not billed: {terms:?} {:#?}", line.id, told(charges));
        }
    }
}

/// What each line was charged for its days.
fn charges_of(snapshot: &Snapshot) -> BTreeMap<SubscriptionId, Vec<Charge>> {
    let mut lines: BTreeMap<SubscriptionId, Vec<Charge>> = BTreeMap::new();
    for (invoice, _) in &snapshot.invoices {
        if matches!(invoice.kind, InvoiceKind::Subscription | InvoiceKind::Adjustment) {
            let stands = |id| snapshot.payments.iter().any(|p| p.payment.id == id && p.reversal.is_none());
            let of = |n: &&CreditNote| n.invoice_id == invoice.id && stands(n.payment_id());
            let notes = snapshot.credit_notes.iter().filter(of).cloned().collect();
            lines.entry(invoice.subscription_id).or_default().push(Charge { invoice: invoice.clone(), notes });
        }
    }
    lines
}

/// The documents of a line, a line each.
fn told(charges: &[Charge]) -> Vec<String> {
    charges
        .iter()
        .map(|c| {
            let i = &c.invoice;
            let notes = c.notes.iter().map(|n| format!("{:?} {} {} on {}", n.reason, n.period, n.total, n.issue_date));
            format!("{} {:?} {} {} {:?}", i.issue_date, i.kind, i.period, i.total, notes.collect::<Vec<_>>())
        })
        .collect()
}

/// What must hold at the end of every day.
fn check(snapshot: &Snapshot, protected: &Protected, today: Date) {
    books::check(snapshot);
    numbers_have_no_gaps(snapshot);
    for (n, events) in events_of(snapshot) {
        for event in events.iter().filter(|e| e.kind == AccessEventKind::IsolatedArrears) {
            assert!(event.overdue.is_positive(), "customer {n} was isolated on {today} without arrears");
            let zone = if n % 2 == 0 { Zone::Wib } else { Zone::Wit };
            let day = zone.date_of(event.at);
            assert!(!day.is_weekend(), "customer {n} was isolated on a weekend");
            assert!(!protected.0.contains(&(n, day)), "customer {n} was isolated on {day} although protected");
        }
    }
}

/// The periods of a line follow each other, where nobody pauses or changes anything at once.
fn invoices_join(snapshot: &Snapshot) {
    let mut periods: BTreeMap<SubscriptionId, Vec<(Date, Date)>> = BTreeMap::new();
    for (invoice, _) in &snapshot.invoices {
        periods.entry(invoice.subscription_id).or_default().push((invoice.period.start, invoice.period.end));
    }
    for list in periods.values_mut() {
        list.sort();
        assert!(list.windows(2).all(|w| w[0].1 == w[1].0), "periods overlap or leave days out: {list:?}");
    }
}

fn numbers_have_no_gaps(snapshot: &Snapshot) {
    let numbers: BTreeSet<u64> = snapshot.invoices.iter().map(|(i, _)| i.number).collect();
    assert_eq!(numbers.len(), snapshot.invoices.len(), "an invoice number was given twice");
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "invoice numbers have gaps");
    let notes: BTreeSet<u64> = snapshot.credit_notes.iter().map(|n| n.number).collect();
    assert!(notes.iter().copied().eq(1..=snapshot.credit_notes.len() as u64), "credit note numbers have gaps");
}

fn events_of(snapshot: &Snapshot) -> BTreeMap<u32, Vec<isp_core::isolation::AccessEvent>> {
    let mut events: BTreeMap<u32, Vec<_>> = BTreeMap::new();
    for event in &snapshot.access_events {
        let n = (0..CUSTOMERS).find(|n| subscription_id(*n) == event.subscription_id).unwrap();
        events.entry(n).or_default().push(event.clone());
    }
    events
}

/// What must hold once every router and channel is back.
async fn check_settled(world: &World) {
    let proof = world.engine().prove().await.unwrap();
    assert!(proof.settled && proof.ties.untied.is_empty(), "{proof:?}");
    assert_eq!(proof.documents.named, [], "each document is booked as it stands");
    let snapshot = world.store.snapshot(TENANT);
    for access in &snapshot.access {
        assert!(access.agrees(), "the router does not agree: {access:?}");
        let n = (0..CUSTOMERS).find(|n| subscription_id(*n) == access.subscription_id).unwrap();
        let host = format!("r{}", n % 2);
        assert_eq!(world.routers.access(&host, &format!("user{n}")), Some(access.desired));
        if access.desired == Access::Isolated {
            assert!(access.cause.is_some());
        }
    }
    assert!(world.messenger.counts().values().all(|count| *count == 1), "a message went out twice");
    let accepted = world.messenger.counts();
    for row in &snapshot.outbox {
        let message = matches!(row.effect, isp_core::ports::Effect::Message(_));
        if message && row.state == OutboxState::Done {
            assert!(accepted.contains_key(&row.id), "a message is called sent that never was");
        }
        assert!(message || row.state == OutboxState::Done, "a wish to a router is left: {row:?}");
    }
    assert_eq!(snapshot.subscriptions.iter().filter(|s| s.router_id == Some(router_id(0))).count(), 25);
}

/// What a customer owes, invoice by invoice: it must not depend on faults.
fn debts(world: &World) -> Vec<(SubscriptionId, Date, Date, Date, Money)> {
    let mut debts: Vec<_> = world
        .store
        .snapshot(TENANT)
        .invoices
        .into_iter()
        .map(|(i, _)| (i.subscription_id, i.period.start, i.issue_date, i.due_date, i.total))
        .collect();
    debts.sort();
    debts
}

proptest! {
    #![proptest_config(at_random(2))]

    #[test]
    fn a_year_with_every_rule_ties_on_every_day(seed in seeds()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (world, _, _) = live_a_year(seed, Trouble::MissedDays, true).await;
            check_settled(&world).await;
            let snapshot = world.store.snapshot(TENANT);
            no_day_is_charged_twice(&snapshot);
            no_served_day_is_forgotten(&snapshot, first_day(&mut Dice(seed)).plus_days(DAYS));
            // The year had all of it.
            let books = books::check(&snapshot);
            assert!(books.given_back.is_positive() && !snapshot.write_offs.is_empty(), "{books:?}");
            for reason in [CreditReason::PackageChange, CreditReason::Pause, CreditReason::Outage, CreditReason::Correction] {
                assert!(snapshot.credit_notes.iter().any(|n| n.reason == reason), "{reason:?}");
            }
            for kind in [InvoiceKind::Adjustment, InvoiceKind::LateFee] {
                assert!(snapshot.invoices.iter().any(|(i, _)| i.kind == kind), "{kind:?}");
            }
            assert!(!snapshot.deposits.is_empty());
        });
    }

}

proptest! {
    #![proptest_config(at_random(4))]

    #[test]
    fn a_year_of_faults_ends_in_order(seed in seeds()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (troubled, _, _) = live_a_year(seed, Trouble::MissedDays, false).await;
            check_settled(&troubled).await;
            let mut dice = Dice(seed);
            let start = first_day(&mut dice);
            let quiet = found(start, &mut dice, false).await;
            assert!(!debts(&troubled).is_empty());
            // The same customers billed once, at the end, with no packages changed on the way, owe for the same periods; what is
            // written then is due then.
            quiet.engine().bill(start.plus_days(DAYS).at(12, 0, Zone::Wib)).await.unwrap();
            let periods = |world: &World| debts(world).into_iter().map(|d| (d.0, d.1, d.2)).collect::<Vec<_>>();
            let mut once = quiet;
            once.policy.billing.catch_up_periods = 120;
            once.engine().bill(start.plus_days(DAYS).at(12, 1, Zone::Wib)).await.unwrap();
            assert_eq!(periods(&troubled), periods(&once));
        });
    }
}

/// What was booked on each day, by kind, account, package and site. Entries themselves may differ: the invoices of a run
/// that was cut are booked in two.
fn booked(snapshot: &Snapshot) -> BTreeMap<String, Money> {
    let mut sums = BTreeMap::new();
    for entry in &snapshot.journal {
        for line in &entry.lines {
            let of = (entry.date, entry.kind, line.account, line.package_id, line.site_id);
            *sums.entry(format!("{of:?}")).or_default() += line.amount;
        }
    }
    sums
}

proptest! {
    #![proptest_config(at_random(1))]

    /// Kills between any two calls, double runs, dead routers and channels leave no trace in the books: every document, sum
    /// and event is that of the same year without them, and so is the report of each month on its last evening.
    #[test]
    fn the_same_year_without_faults_has_the_same_books(seed in seeds()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (troubled, _, told) = live_a_year(seed, Trouble::Faults, true).await;
            let (quiet, _, expected) = live_a_year(seed, Trouble::None, true).await;
            check_settled(&troubled).await;
            assert!(told.len() >= 33 && told == expected, "a month's report differs");
            let (troubled, quiet) = (troubled.store.snapshot(TENANT), quiet.store.snapshot(TENANT));
            assert!(!quiet.credit_notes.is_empty() && !quiet.write_offs.is_empty());
            assert_eq!(troubled.invoices, quiet.invoices);
            assert_eq!(troubled.credit_notes, quiet.credit_notes);
            assert_eq!(troubled.write_offs, quiet.write_offs);
            assert_eq!(troubled.deposits, quiet.deposits);
            assert_eq!(troubled.payments, quiet.payments);
            assert_eq!(troubled.allocations, quiet.allocations);
            assert_eq!(booked(&troubled), booked(&quiet));
            assert_eq!(troubled.access_events, quiet.access_events);
        });
    }
}
