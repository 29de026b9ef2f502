//! Two hundred customers pay at four gateways over real sockets: every notice ten times and out of order, some lost, some with a
//! byte changed, some of another amount, some long after the end. Each pays once, and the books are the gateways' own totals.

use std::collections::BTreeMap;

use crate::support::*;
use chrono::TimeDelta;
use isp::payment::simulator::Simulator;
use isp::payment::{GatewayKind, gateway};
use isp_core::Money;
use isp_core::calendar::Cycle;
use isp_core::engine::{GatewayWish, Taken};
use isp_core::ids::PaymentRequestId;
use isp_core::isolation::Access;
use isp_core::ledger::Account;
use isp_core::payment::{NoticeState, PayChannel};
use isp_core::ports::{MoneyStore, PaymentGateway};

const CUSTOMERS: u32 = 200;

/// Customer `n` and what goes wrong with the payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Plain,
    /// No webhook arrives.
    Lost,
    /// The first webhook has a byte changed.
    Flipped,
    /// Rp1.000 less is paid.
    Less,
    /// Rp1.000 more is paid.
    More,
    /// It is paid three days after the end, and told so first.
    Late,
}

fn fate(n: u32) -> Fate {
    // Each gateway meets each fate: 6 and 7 have no factor in common.
    [Fate::Plain, Fate::Lost, Fate::Flipped, Fate::Less, Fate::More, Fate::Late, Fate::Plain][n as usize % 7]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_customers_pay_once_each_and_the_books_are_the_gateways_totals() {
    let world = World::new().await;
    for n in 1..=CUSTOMERS {
        world.add(n, date("2026-01-01"), 1, Cycle::Monthly, at("2026-01-01", 7)).await;
    }
    run_days(&world, "2026-01-01", "2026-01-20").await;
    let mut gateways: Vec<(Simulator, Box<dyn PaymentGateway>)> = Vec::new();
    for kind in GatewayKind::ALL {
        let simulator = Simulator::start(kind).await.unwrap();
        let gateway = gateway(simulator.settings().unwrap()).unwrap();
        gateways.push((simulator, gateway));
    }
    let (night, engine) = (at("2026-01-20", 22), world.engine());
    let mut expected: BTreeMap<u32, Money> = BTreeMap::new();
    for n in 1..=CUSTOMERS {
        let (simulator, gateway) = &gateways[n as usize % gateways.len()];
        let gateway = gateway.as_ref();
        let channels = match gateway.name().as_str() {
            // A number that stays is none of BCA's and of no shop.
            "tripay-open" => [PayChannel::Qris, PayChannel::VaBri, PayChannel::VaBsi],
            _ => [PayChannel::Qris, PayChannel::VaBca, PayChannel::Alfamart],
        };
        let id = PaymentRequestId(uuid::Uuid::from_u128(u128::from(n)));
        let (customer, channel) = (customer_id(n), channels[n as usize / gateways.len() % 3]);
        let wish = GatewayWish { id, customer, invoice: None, channel };
        let (asked, _) = engine.request_at_gateway(gateway, wish, night).await.unwrap();
        let reference = asked.reference.as_str();
        let take = async |webhook: &isp::payment::simulator::SignedWebhook, now| {
            let notice = gateway.read(&webhook.headers, &webhook.body).unwrap();
            engine.take_notice(gateway, &notice, now).await.unwrap()
        };
        let pending = simulator.webhook(reference).unwrap();
        let fate = fate(n);
        let now = if fate == Fate::Late { night + TimeDelta::days(4) } else { night };
        if fate == Fate::Late {
            simulator.set(reference, NoticeState::Expired);
            take(&simulator.webhook(reference).unwrap(), night + TimeDelta::days(1)).await;
        }
        let paid = match fate {
            Fate::Less => asked.amount - rp(1_000),
            Fate::More => asked.amount + rp(1_000),
            _ => asked.amount,
        };
        // Midtrans does not tell its fee: it is booked with the payout.
        let fee = if gateway.name() == &code("midtrans") { Money::ZERO } else { rp(750) };
        assert!(simulator.pay(reference, paid, fee, now));
        expected.insert(n, paid);
        let told = simulator.webhook(reference).unwrap();
        if fate == Fate::Lost {
            continue;
        }
        if fate == Fate::Flipped {
            let mut broken = told.clone();
            let at = broken.body.windows(4).position(|w| w == b"INV-").unwrap();
            broken.body[at + 10] ^= 1;
            match gateway.read(&broken.headers, &broken.body) {
                // A token that covers nothing: the gateway is asked about the payment by its own id, and tells the truth.
                Ok(hint) => assert!(!hint.sure, "customer {n}"),
                Err(refused) => assert_eq!(refused.http_status(), 401, "customer {n}"),
            }
        }
        // Pending before, between and after; the money ten times. A hint of "pending" makes us ask, and may book it.
        let mut booked = 0;
        for time in 0..10 {
            for webhook in if time % 3 == 0 { [&pending, &told] } else { [&told, &pending] } {
                let taken = take(webhook, now + TimeDelta::minutes(time)).await;
                booked += u32::from(matches!(taken, Taken::Booked(_)));
            }
        }
        assert_eq!(booked, 1, "customer {n} {fate:?}");
    }
    // Nobody told of the lost ones; the gateways are asked.
    let all: Vec<&dyn PaymentGateway> = gateways.iter().map(|(_, gateway)| gateway.as_ref()).collect();
    let polled = engine.poll_gateways(&all, night + TimeDelta::hours(1)).await.unwrap();
    let lost = (1..=CUSTOMERS).filter(|n| fate(*n) == Fate::Lost).count() as u64;
    assert_eq!((polled.booked, polled.failed), (lost, vec![]));
    let again = engine.poll_gateways(&all, night + TimeDelta::days(7)).await.unwrap();
    assert_eq!(again.booked, 0);

    let snapshot = world.store.snapshot(TENANT);
    assert_eq!(snapshot.payments.len(), CUSTOMERS as usize, "one payment each");
    for n in 1..=CUSTOMERS {
        let own: Vec<Money> = snapshot
            .payments
            .iter()
            .filter(|p| p.payment.customer_id == customer_id(n))
            .map(|p| p.payment.amount)
            .collect();
        assert_eq!(own, [expected[&n]], "customer {n}");
    }
    let books = books::check(&snapshot);
    assert_eq!(books.received, expected.values().copied().sum());
    let of_fate = |fates: Fate| rp(1_000 * (1..=CUSTOMERS).filter(|n| fate(*n) == fates).count() as i64);
    assert_eq!((books.owed, books.credit), (of_fate(Fate::Less), of_fate(Fate::More)));
    // The books tie to what each gateway says it owes, and both to the clearing account.
    let balances = world.store.gateway_balances(TENANT).await.unwrap();
    assert_eq!(balances.len(), gateways.len());
    for balance in &balances {
        let (simulator, _) = gateways.iter().find(|(_, g)| *g.name() == balance.gateway).unwrap();
        assert_eq!(balance.holds(), simulator.holds(), "{}", balance.gateway);
    }
    let lines = snapshot.journal.iter().flat_map(|e| &e.lines).filter(|l| l.account == Account::Gateway);
    assert_eq!(lines.map(|l| l.amount).sum::<Money>(), balances.iter().map(|b| b.holds()).sum());
    // Everybody is open again but for a debt that is worth it; Rp1.000 is not.
    world.deliver(night + TimeDelta::days(4)).await;
    for n in 1..=CUSTOMERS {
        let access = world.routers.access(["r0", "r1"][n as usize % 2], &format!("user{n}"));
        assert_eq!(access, Some(Access::Open), "customer {n} {:?}", fate(n));
    }
}
