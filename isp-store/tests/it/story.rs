//! One story, told by the engine to a store in memory and to each database: afterwards every read gives the same.

use std::fmt::Write as _;

use crate::common::*;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use isp_core::Policy;
use isp_core::calendar::{Date, Zone};
use isp_core::engine::manage::DeviceNote;
use isp_core::engine::{Approval, Engine, NewPayment, Told};
use isp_core::ids::{CpeId, ExemptionId, ExpenseId, OutageId, PromiseId};
use isp_core::isolation::AccessTarget;
use isp_core::isolation::access::ObservedAccess;
use isp_core::ledger::{Account, Expense};
use isp_core::message::notification::OutgoingMessage;
use isp_core::payment::Channel;
use isp_core::place::RouterEndpoint;
use isp_core::ports::{
    AccessControl, AccessQuery, ApplyOutcome, BillableQuery, BillingStore, Capabilities, DirectoryStore, DunningQuery,
    Effect, InvoiceQuery, Messenger, OutboxQuery, OutboxState, PageQuery, PortError, SendOutcome, StandingWatch, Store,
    Topic,
};
use isp_core::protection::{Exemption, Outage, Promise};
use isp_core::testing::sample::TERM;
use isp_core::testing::{MemoryStore, sample};

const CUSTOMERS: u32 = 30;

/// Routers that obey; the second does not answer on the days from 20 to 22.
struct Routers(Date, Date);

#[async_trait]
impl AccessControl for Routers {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    async fn apply(&self, router: &RouterEndpoint, targets: &[AccessTarget]) -> Result<Vec<ApplyOutcome>, PortError> {
        if router.tls && (20..=22).contains(&self.1.days_since(self.0)) {
            return Err(PortError::NotSent { reason: "no connection".into() });
        }
        let done = |t: &AccessTarget| ApplyOutcome::Done { access: t.desired, changed: true, answer: "ok".into() };
        Ok(targets.iter().map(done).collect())
    }

    async fn observe(
        &self,
        _: &RouterEndpoint,
        _: &[AccessTarget],
        _: DateTime<Utc>,
    ) -> Result<Vec<ObservedAccess>, PortError> {
        Err(PortError::NotSent { reason: "not asked for".into() })
    }
}

struct Phones;

#[async_trait]
impl Messenger for Phones {
    async fn send(&self, message: &OutgoingMessage) -> Result<SendOutcome, PortError> {
        match message.id.0.as_u128() % 9 {
            7 => Ok(SendOutcome::RecipientRejected { reason: "no WhatsApp".into() }),
            8 => Err(PortError::Unknown { reason: "time-out".into() }),
            _ => Ok(SendOutcome::Accepted { provider_id: format!("wamid.{}", message.id) }),
        }
    }
}

/// Two and a half months, day by day.
async fn story(store: &dyn Store, policy: &Policy) {
    let start = day("2026-01-05");
    let mut engine = Engine::new(store, TENANT, policy);
    let sender = sample::sender();
    (engine.page, engine.sender) = (7, Some(&sender));
    store.commit(TENANT, provider(CUSTOMERS, start)).await.unwrap();
    for passed in 0..75 {
        let today = start.plus_days(passed);
        let now = today.at(10, 30, Zone::Wib);
        let guard = store.begin_run(TENANT, TERM).await.unwrap();
        engine.bill(now).await.unwrap();
        engine.remind(now).await.unwrap();
        engine.enforce(now, &Approval::All).await.unwrap();
        engine.deliver(&sample::worker(&StandingWatch(now)), &Routers(start, today), &Phones, now).await.unwrap();
        guard.end().await.unwrap();
        pay_some(&engine, passed, now).await;
        events(&engine, passed, today, now).await;
    }
}

async fn pay_some(engine: &Engine<'_>, passed: i32, now: DateTime<Utc>) {
    for n in 0..CUSTOMERS {
        // Each pays every 29 days, some too little, some too much; every fourth never.
        if n % 4 != 3 && passed % 29 == i32::try_from(n % 29).unwrap() {
            let amount = [100_000, 250_000, 900_000][n as usize % 3];
            let new = NewPayment {
                customer_id: customer(n),
                provider: code("bank"),
                reference: code(&format!("{passed}-{n}")).into(),
                amount: rupiah(amount),
                paid_at: now,
                collector: None,
            };
            let first = engine.pay(&new, now).await.unwrap();
            let again = engine.pay(&new, now).await.unwrap();
            assert!(!first.known && again.known);
            if n % 12 == 0 {
                engine.reverse(first.payment_id, "kasir", "salah ketik", now).await.unwrap();
            }
        }
    }
}

async fn events(engine: &Engine<'_>, passed: i32, today: Date, now: DateTime<Utc>) {
    let note = DeviceNote {
        on: today,
        reason: name("rusak"),
        officer: name("Budi"),
        cost: rupiah(75_000),
        paid_from: Channel::Cash,
        told: Told::ByMachine,
    };
    match passed {
        10 => {
            let promise = Promise {
                id: PromiseId(id(20, 1)),
                customer_id: customer(3),
                made_on: today,
                until: today.plus_days(9),
                by: "Ani".into(),
                ending: None,
            };
            engine.promise(promise).await.unwrap();
            let exemption = Exemption {
                id: ExemptionId(id(21, 1)),
                customer_id: customer(7),
                from: today,
                until: today.plus_days(20),
                reason: "masjid".into(),
                by: "Ani".into(),
                ending: None,
            };
            engine.exempt(exemption).await.unwrap();
        }
        15 => {
            engine.isolate(customer(1), "Ani", "memindah kabel", now).await.unwrap();
            let outage = Outage {
                id: OutageId(id(22, 1)),
                site_id: site(2),
                from: now,
                until: Some(now + chrono::TimeDelta::days(2)),
                note: "listrik padam".into(),
                ending: None,
            };
            engine.outage(outage).await.unwrap();
        }
        18 => drop(engine.reopen(customer(1), "Ani", "selesai", now).await.unwrap()),
        25 => drop(engine.change_package(subscription(8), package(1), now).await.unwrap()),
        28 => drop(engine.pause(subscription(9), now).await.unwrap()),
        40 => engine.resume(subscription(9), now).await.unwrap(),
        45 => drop(engine.terminate(subscription(10), today, now).await.unwrap()),
        30 => {
            let old = engine.store.cpes(TENANT, Some(customer(4))).await.unwrap().remove(0);
            let new = isp_core::device::Cpe { id: CpeId(id(7, 900)), serial: code("SN900"), ..old.clone() };
            engine.replace_device(old, new, &note).await.unwrap();
            let expense = Expense {
                id: ExpenseId(id(23, 1)),
                on: today,
                category: Account::ExpenseBandwidth,
                amount: rupiah(5_000_000),
                paid_from: isp_core::payment::Channel::Bank,
                note: "upstream".into(),
                site_id: Some(site(0)),
            };
            engine.expense(expense, isp_core::payment::Told::ByPersonWhoInsists).await.unwrap();
        }
        _ => {}
    }
}

/// Every read of the port, as text. Passwords are left out by `Debug`; they are compared where they are read.
async fn everything(store: &dyn Store, policy: &Policy) -> String {
    let mut text = String::new();
    let mut add = |what: &str, value: String| writeln!(text, "{what}: {value}").unwrap();
    let (all, customers) = (PageQuery::first(10_000), PageQuery::first(10_000));
    add("position", format!("{:?}", store.billing_position(TENANT).await.unwrap()));
    add("sites", format!("{:#?}", store.sites(TENANT).await.unwrap()));
    add("routers", format!("{:#?}", store.routers(TENANT).await.unwrap()));
    add("packages", format!("{:#?}", store.packages(TENANT).await.unwrap()));
    add("kinds", format!("{:#?}", store.installation_kinds(TENANT).await.unwrap()));
    add("orders", format!("{:#?}", store.installation_orders(TENANT, None).await.unwrap()));
    add("orders of one", format!("{:#?}", store.installation_orders(TENANT, Some(customer(5))).await.unwrap()));
    add("cpes", format!("{:#?}", store.cpes(TENANT, None).await.unwrap()));
    add("history", format!("{:#?}", store.device_history(TENANT, None).await.unwrap()));
    add("instalments", format!("{:#?}", store.load_instalments(TENANT, day("2026-12-31")).await.unwrap()));
    add("per router", format!("{:?}", store.subscribers_per_router(TENANT).await.unwrap()));
    add("with credit", format!("{:?}", store.customers_with_credit(TENANT, customers).await.unwrap()));
    for days in [1 << 5, 1 << 28 | 1 << 3, u32::MAX] {
        let query = BillableQuery { days, ends_from: day("2026-02-01") };
        add("billable", format!("{:#?}", store.load_billable(TENANT, query, all).await.unwrap()));
    }
    for (from, until) in [("2026-01-01", "2026-12-31"), ("2026-03-10", "2026-03-20")] {
        let query = DunningQuery { due_from: day(from), due_until: day(until), last: None };
        add("dunning", format!("{:#?}", store.load_dunning(TENANT, query, customers).await.unwrap()));
    }
    for due_until in ["2026-02-01", "2026-03-20"] {
        let query = AccessQuery::Due { due_until: day(due_until), today: day("2026-03-20") };
        add("access", format!("{:#?}", store.load_access(TENANT, &query, all).await.unwrap()));
    }
    let query = AccessQuery::Customers((0..CUSTOMERS).map(customer).collect());
    add("access of all", format!("{:#?}", store.load_access(TENANT, &query, all).await.unwrap()));
    let query = AccessQuery::Subscriptions(vec![subscription(9), subscription(3)]);
    add("access of two", format!("{:#?}", store.load_access(TENANT, &query, all).await.unwrap()));
    let ids: Vec<_> = (0..CUSTOMERS).rev().map(subscription).collect();
    add("targets", format!("{:#?}", store.access_targets(TENANT, &ids).await.unwrap()));
    let page = PageQuery { after: Some(subscription(10)), limit: 9 };
    add("router targets", format!("{:#?}", store.router_targets(TENANT, router(0), page).await.unwrap()));
    for n in 0..CUSTOMERS {
        let id = customer(n);
        add("customer", format!("{:?}", store.customer(TENANT, id).await.unwrap()));
        add("open", format!("{:?}", store.open_invoices(TENANT, id).await.unwrap()));
        add("credit", format!("{:?}", store.credit(TENANT, id).await.unwrap()));
        add("events", format!("{:?}", store.access_events(TENANT, subscription(n)).await.unwrap()));
        for passed in [17, 33, 90] {
            let at = day("2026-01-05").plus_days(passed).at(12, 0, Zone::Wib);
            add("then", format!("{:?}", store.access_at(TENANT, &[id], at).await.unwrap()));
        }
    }
    let found = store.customer_by_code(TENANT, &code("C-00004")).await.unwrap().unwrap();
    assert_eq!(found.nik.unwrap().reveal(), nik_of(4));
    let small = store.customer_by_code(TENANT, &code("c-00004")).await.unwrap().unwrap();
    assert_eq!(small.id, customer(4), "codes are compared without case (rule P6)");
    pages(store, &mut add).await;
    let engine = Engine::new(store, TENANT, policy);
    let (first, last) = (day("2026-01-01").month(), day("2026-03-01").month());
    let now = day("2026-03-21").at(9, 0, Zone::Wib);
    add(
        "finance",
        format!("{:#?}", engine.report_finance(first, last, isp_core::report::GroupBy::Month, now).await.unwrap()),
    );
    text
}

/// The lists, each read in pages of odd sizes.
async fn pages(store: &dyn Store, add: &mut impl FnMut(&str, String)) {
    macro_rules! paged {
        ($what:literal, $limit:literal, $id:expr, |$page:ident| $call:expr) => {{
            let mut after = None;
            loop {
                let $page = PageQuery { after, limit: $limit };
                let rows = $call.await.unwrap();
                for row in &rows {
                    add($what, format!("{row:?}"));
                }
                if rows.len() < $limit {
                    break;
                }
                after = rows.last().map($id);
            }
        }};
    }
    paged!("customers", 13, |c| c.id, |page| store.customers(TENANT, page));
    paged!("subscriptions", 11, |(s, _)| s.id, |page| store.subscriptions(TENANT, None, page));
    paged!("subscriptions of one", 2, |(s, _)| s.id, |page| store.subscriptions(TENANT, Some(customer(2)), page));
    paged!("invoices", 17, |(i, _)| i.id, |page| store.invoices(TENANT, InvoiceQuery::default(), page));
    let query = InvoiceQuery {
        customer: Some(customer(11)),
        issued_from: Some(day("2026-01-20")),
        issued_before: Some(day("2026-03-01")),
        open: true,
        kind: Some(isp_core::billing::InvoiceKind::Subscription),
    };
    paged!("some invoices", 2, |(i, _)| i.id, |page| store.invoices(TENANT, query, page));
    paged!("payments", 7, |p| p.payment.id, |page| store.payments(TENANT, None, page));
    paged!("payments of one", 1, |p| p.payment.id, |page| store.payments(TENANT, Some(customer(0)), page));
    paged!("journal", 19, |e| e.id, |page| store.journal(TENANT, page));
    paged!("outbox", 23, |r| r.id, |page| store.outbox(TENANT, OutboxQuery::default(), page));
    let query =
        OutboxQuery { topic: Some(Topic::Message), state: Some(OutboxState::Done), customer: Some(customer(3)) };
    paged!("some outbox", 2, |r| r.id, |page| store.outbox(TENANT, query, page));
    let payments = store.payments(TENANT, None, PageQuery::first(1_000)).await.unwrap();
    for row in payments {
        add("payment", format!("{:?}", store.payment(TENANT, row.payment.id).await.unwrap()));
        add("allocations", format!("{:?}", store.allocations(TENANT, row.payment.id).await.unwrap()));
    }
    let rows = store.outbox(TENANT, OutboxQuery::default(), PageQuery::first(10_000)).await.unwrap();
    for row in rows {
        if let Effect::Message(message) = row.effect {
            add("message facts", format!("{:?}", store.message_facts(TENANT, &message).await.unwrap()));
        }
    }
    for (from, before) in [("2026-01-01", "2026-04-01"), ("2026-02-03", "2026-03-03")] {
        let totals = store.journal_totals(TENANT, day(from), day(before)).await.unwrap();
        add("totals", format!("{totals:#?}"));
    }
}

fn assert_same(memory: &str, database: &str, url: &str) {
    let engine = url.split(':').next().unwrap();
    for (number, (a, b)) in memory.lines().zip(database.lines()).enumerate() {
        assert_eq!(a, b, "{engine}, line {}", number + 1);
    }
    assert_eq!(memory.len(), database.len(), "{engine}");
}

async fn tell(database: Database) {
    let mut policy = Policy { tax: isp_core::tax::Tax::pkp(), ..Policy::default() };
    policy.isolation.isolate_after_days = 5;
    let memory = MemoryStore::new();
    story(&memory, &policy).await;
    let expected = everything(&memory, &policy).await;
    for word in ["Isolated", "Reopened", "Unknown", "Failed", "reversal: Some", "installation"] {
        assert!(expected.to_lowercase().contains(&word.to_lowercase()), "the story holds no {word}");
    }

    let store = database.open().await;
    story(&store, &policy).await;
    assert_same(&expected, &everything(&store, &policy).await, &database.url);
    let other = isp_core::ids::TenantId(id(99, 1));
    assert_eq!(store.customers(other, PageQuery::first(10)).await.unwrap(), []);
    assert_eq!(store.billing_position(other).await.unwrap(), None);

    // What was written is there for the next process.
    store.close().await;
    let reopened = database.open().await;
    assert_same(&expected, &everything(&reopened, &policy).await, &database.url);
    let found = reopened.customers_by_nik(TENANT, &isp_core::customer::Nik::parse(&nik_of(4)).unwrap()).await.unwrap();
    assert_eq!(found.iter().map(|c| c.id).collect::<Vec<_>>(), [customer(4)]);
    let (first, _) = reopened.subscriptions(TENANT, None, PageQuery::first(1)).await.unwrap().remove(0);
    assert_eq!(first.account.password.reveal(), password_of(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_tells_the_story_as_memory_does() {
    tell(Database::sqlite_migrated().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_tells_the_story_as_memory_does() {
    tell(Database::postgres_migrated().await).await;
}
