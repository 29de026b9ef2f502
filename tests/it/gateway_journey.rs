//! Two hundred isolated customers pay by night, and everything is on real sockets: the server, four gateways, two routers and
//! WhatsApp. Every notice comes ten times and out of order, some are lost, some have a byte changed, some are of another amount,
//! some come long after the end, and a router is dead for an hour. Each pays once and gets one receipt, each line that was paid is
//! proved open, and the books are the gateways' own totals.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::*;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use isp::mikrotik::MikrotikAccess;
use isp::mikrotik::access::Settings as RouterSettings;
use isp::mikrotik::simulator::{SimulatedRouter, Simulation};
use isp::payment::simulator::{SignedWebhook, Simulator};
use isp::payment::{GatewayKind, gateway};
use isp::serve::gateway::Gateway;
use isp::serve::papers::Letterhead;
use isp::serve::source::Source;
use isp::serve::work::{self, Names};
use isp::serve::{App, Provider, Settings, Wires, router, server};
use isp::whatsapp::cloud::CloudClient;
use isp_core::Money;
use isp_core::calendar::Cycle;
use isp_core::clock::ClockWord;
use isp_core::engine::{Approval, GatewayWish, Outside, Post, Said};
use isp_core::ids::{PaymentRequestId, WorkerId};
use isp_core::isolation::Access;
use isp_core::ledger::Account;
use isp_core::payment::{NoticeState, PayChannel};
use isp_core::place::{Router, RouterEndpoint};
use isp_core::ports::{
    AccessControl, AccessQuery, AccessStore, ChangeSet, DirectoryStore, InboxStore, MoneyStore, PageQuery,
    PaymentGateway, Store, Watch, WebhookState,
};
use isp_core::retention::Retention;
use isp_core::testing::sample::worker;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

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

/// A watch that the test sets.
struct SetWatch(Mutex<DateTime<Utc>>);

#[async_trait]
impl Watch for SetWatch {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }

    async fn pause(&self, _: TimeDelta) {
        std::future::pending().await
    }
}

/// What is outside, each at the end of a socket.
struct Sockets {
    routers: MikrotikAccess,
    whatsapp: CloudClient,
    gateways: Vec<Arc<dyn PaymentGateway>>,
}

impl Wires for Sockets {
    fn routers(&self) -> &dyn AccessControl {
        &self.routers
    }

    fn post(&self) -> Post<'_> {
        Post::Ready(&self.whatsapp)
    }

    fn gateways(&self) -> Vec<&dyn PaymentGateway> {
        self.gateways.iter().map(AsRef::as_ref).collect()
    }
}

/// `isp serve`, as far as a process is not needed for it.
struct Serving {
    address: SocketAddr,
    app: Arc<App>,
    stop: watch::Sender<bool>,
    works: tokio::task::JoinHandle<()>,
}

impl Serving {
    async fn start(world: &World, sockets: &Arc<Sockets>, watch: &Arc<SetWatch>) -> Self {
        let provider = Provider {
            store: Arc::new(world.store.clone()),
            inbox: Arc::new(world.store.clone()),
            tenant: TENANT,
            policy: world.policy.clone(),
            retention: Retention::default(),
            sender: world.sender.clone(),
            qris: None,
            letterhead: Letterhead::default(),
            page: 500,
        };
        let settings =
            Settings { per_minute: 60_000, deliver_every_seconds: 1, run_every_minutes: 0, ..Settings::default() };
        let source = |gateway: &Arc<dyn PaymentGateway>| Arc::new(Gateway::new(Arc::clone(gateway))) as Arc<dyn Source>;
        let sources = sockets.gateways.iter().map(source).collect();
        let (app, keeping) = App::new(provider, settings.clone(), sources, None, Arc::clone(watch) as Arc<dyn Watch>);
        tokio::spawn(keeping);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stops) = watch::channel(false);
        let routes = router(Arc::clone(&app));
        let serving = stops.clone();
        tokio::spawn(async move { server::serve(listener, routes, &settings, serving).await });
        let id = || WorkerId(uuid::Uuid::now_v7());
        let names = Names { reader: id(), deliverer: id(), runner: id() };
        let wires = Arc::clone(sockets) as Arc<dyn Wires>;
        let works = tokio::task::spawn_local(work::work(Arc::clone(&app), wires, names, TimeDelta::seconds(60), stops));
        Self { address, app, stop, works }
    }

    async fn stop(self) {
        self.app.stop();
        self.stop.send_replace(true);
        self.works.await.unwrap();
    }

    /// Sends a webhook, and gives the status of the answer.
    async fn post(&self, gateway: &str, webhook: &SignedWebhook) -> u16 {
        let mut request = format!(
            "POST /hooks/{gateway} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n",
            webhook.body.len()
        );
        webhook.headers.iter().for_each(|(name, value)| request += &format!("{name}: {value}\r\n"));
        let mut request = (request + "\r\n").into_bytes();
        request.extend(&webhook.body);
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(&request).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).split(' ').nth(1).unwrap().parse().unwrap()
    }
}

/// Waits until something is so. The limit is for a test that would never end; how long it takes is the benchmark's.
async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !so().await {
        assert!(began.elapsed() < Duration::from_secs(120), "not so after two minutes: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Whose lines are proved open, by the number of the customer: what we know the router said, and what is so on it.
async fn proved_open(world: &World, routers: &[SimulatedRouter]) -> Vec<u32> {
    let query = AccessQuery::Customers((1..=CUSTOMERS).map(customer_id).collect());
    let rows = world.store.load_access(TENANT, &query, PageQuery::first(999)).await.unwrap();
    let open = |n: &u32| {
        let row = rows.iter().find(|row| row.subscription_id == subscription_id(*n)).unwrap();
        let told = row.access.desired == Access::Open && row.access.agrees();
        let secret = routers[*n as usize % 2].secret(&format!("user{n}"));
        // An account of a router that was asked for nothing yet is not proved by what stands there.
        told && secret.is_some_and(|secret| secret.profile != RouterSettings::default().isolation_profile)
    };
    (1..=CUSTOMERS).filter(open).collect()
}

/// The messages that say that money arrived, and that a line is open again.
const RECEIPT: &str = "isp_pembayaran_diterima";
const REOPENED: &str = "isp_layanan_dibuka";

/// Who got messages of a template, by the end of the number, and how many.
fn sent(whatsapp: &isp::whatsapp::simulator::Simulator, template: &str) -> BTreeMap<u32, usize> {
    let mut sent = BTreeMap::new();
    for message in whatsapp.messages().iter().filter(|message| message.template == template) {
        *sent.entry(message.to.reveal()[9..].parse().unwrap()).or_default() += 1;
    }
    sent
}

fn those(of: impl Fn(u32) -> bool) -> Vec<u32> {
    (1..=CUSTOMERS).filter(|n| of(*n)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_customers_pay_by_night_and_each_line_is_proved_open() {
    // What the server does by itself stays on this thread, as in the program.
    tokio::task::LocalSet::new().run_until(a_night()).await;
}

async fn a_night() {
    let world = World::new().await;
    let whatsapp = isp::whatsapp::simulator::Simulator::start().await.unwrap();
    let (mut routers, mut rows) = (Vec::new(), Vec::new());
    for n in 0..2 {
        let simulation = Simulation { user: "isp".into(), password: "rahasia".into(), ..Simulation::default() };
        let router = SimulatedRouter::start(simulation).await.unwrap();
        let endpoint = RouterEndpoint::parse(&router.address().to_string(), "isp", isp_core::Secret::new("rahasia"));
        let kept = world.store.routers(TENANT).await.unwrap().into_iter().find(|r| r.id == router_id(n)).unwrap();
        rows.push(Router { endpoint: endpoint.unwrap(), ..kept });
        routers.push(router);
    }
    world.store.commit(TENANT, ChangeSet { routers: rows, ..ChangeSet::default() }).await.unwrap();
    let mut simulators = Vec::new();
    for kind in GatewayKind::ALL {
        simulators.push(Simulator::start(kind).await.unwrap());
    }
    let of_simulator = |s: &Simulator| Arc::from(gateway(s.settings().unwrap()).unwrap()) as Arc<dyn PaymentGateway>;
    let sockets = Arc::new(Sockets {
        routers: MikrotikAccess::new(RouterSettings::default()),
        whatsapp: CloudClient::try_new(whatsapp.config()).unwrap(),
        gateways: simulators.iter().map(of_simulator).collect(),
    });

    // January is billed, reminded and isolated, over the sockets.
    for n in 1..=CUSTOMERS {
        world.add(n, date("2026-01-01"), 1, Cycle::Monthly, at("2026-01-01", 7)).await;
    }
    for day in 1..=20 {
        let now = at(&format!("2026-01-{day:02}"), 11);
        let (watch, said) =
            (isp_core::ports::StandingWatch(now), Said { approval: Approval::All, clock: ClockWord::Right });
        let worker = worker(&watch);
        let outside = Outside { worker: &worker, routers: sockets.routers(), post: sockets.post() };
        world.engine().run_day(&outside, &said, now).await.unwrap();
    }
    books::check(&world.store.snapshot(TENANT));
    let isolated = RouterSettings::default().isolation_profile;
    for n in 1..=CUSTOMERS {
        let secret = routers[n as usize % 2].secret(&format!("user{n}"));
        assert_eq!(secret.map(|secret| secret.profile), Some(isolated.clone()), "customer {n}");
    }

    // 22:00. Each asks for a way to pay, and one router dies.
    let night = at("2026-01-20", 22);
    let watch = Arc::new(SetWatch(Mutex::new(night)));
    let serving = Serving::start(&world, &sockets, &watch).await;
    let mut asked = BTreeMap::new();
    for n in 1..=CUSTOMERS {
        let gateway = &sockets.gateways[n as usize % simulators.len()];
        let channels = match gateway.name().as_str() {
            // A number that stays is none of BCA's and of no shop.
            "tripay-open" => [PayChannel::Qris, PayChannel::VaBri, PayChannel::VaBsi],
            _ => [PayChannel::Qris, PayChannel::VaBca, PayChannel::Alfamart],
        };
        let id = PaymentRequestId(uuid::Uuid::from_u128(u128::from(n)));
        let channel = channels[n as usize / simulators.len() % 3];
        let wish = GatewayWish { id, customer: customer_id(n), invoice: None, channel };
        let (request, _) = world.engine().request_at_gateway(gateway.as_ref(), wish, night).await.unwrap();
        asked.insert(n, request);
    }
    routers[1].down();
    let mut expected: BTreeMap<u32, Money> = BTreeMap::new();
    let mut pay = async |serving: &Serving, n: u32, now: DateTime<Utc>| {
        let (simulator, gateway) =
            (&simulators[n as usize % simulators.len()], &sockets.gateways[n as usize % simulators.len()]);
        let (fate, reference, amount) = (fate(n), asked[&n].reference.as_str(), asked[&n].amount);
        let pending = simulator.webhook(reference).unwrap();
        let paid = match fate {
            Fate::Less => amount - rp(1_000),
            Fate::More => amount + rp(1_000),
            _ => amount,
        };
        // Midtrans does not tell its fee: it is booked with the payout.
        let fee = if gateway.name() == &code("midtrans") { Money::ZERO } else { rp(750) };
        assert!(simulator.pay(reference, paid, fee, now));
        expected.insert(n, paid);
        let told = simulator.webhook(reference).unwrap();
        if fate == Fate::Lost {
            return;
        }
        let name = gateway.name().as_str();
        if fate == Fate::Flipped {
            let mut broken = SignedWebhook { headers: told.headers.clone(), body: told.body.clone() };
            let place = broken.body.windows(4).position(|w| w == b"INV-").unwrap();
            broken.body[place + 10] ^= 1;
            // A token that covers nothing is taken as a hint: the gateway is asked about the payment, and tells the truth.
            let expected = gateway.read(&broken.headers, &broken.body).map_or_else(|e| e.http_status(), |_| 200);
            assert_eq!(serving.post(name, &broken).await, expected, "customer {n}");
            let hint = gateway.read(&broken.headers, &broken.body).map(|notice| notice.sure);
            assert!(!matches!(hint, Ok(true)), "customer {n}: what was changed is believed");
        }
        // Pending before, between and after; the money ten times, and all of that at once.
        let order = (0..10).flat_map(|time| if time % 3 == 0 { [&pending, &told] } else { [&told, &pending] });
        let answers = futures::future::join_all(order.map(|webhook| serving.post(name, webhook))).await;
        assert!(answers.iter().all(|status| *status == 200), "customer {n}: {answers:?}");
    };
    let waits = async || {
        let rows = world.store.webhooks(TENANT, Some(WebhookState::Waiting), PageQuery::first(1)).await.unwrap();
        !rows.is_empty()
    };
    for n in those(|n| fate(n) != Fate::Late) {
        pay(&serving, n, night).await;
    }
    until("all that was told is read", async || !waits().await).await;
    // Those on the living router are open. Those on the dead one are booked, and nothing is said of their lines.
    let heard = those(|n| !matches!(fate(n), Fate::Late | Fate::Lost));
    let here = |n: &u32| n.is_multiple_of(2);
    let reached: Vec<u32> = heard.iter().copied().filter(here).collect();
    until("the lines on the living router", async || proved_open(&world, &routers).await == reached).await;
    assert_eq!(world.store.snapshot(TENANT).payments.len(), heard.len(), "one payment each, and none of the lost ones");
    until("they hear of their money", async || sent(&whatsapp, RECEIPT).into_keys().eq(heard.clone())).await;
    assert!(
        sent(&whatsapp, REOPENED).keys().all(|n| reached.contains(n)),
        "who is told that a dead router opened the line"
    );

    // 23:00. The router is back, the server was started again, and asks the gateways of which nobody told.
    serving.stop().await;
    *watch.0.lock().unwrap() = night + TimeDelta::hours(1);
    routers[1].up().unwrap();
    let serving = Serving::start(&world, &sockets, &watch).await;
    let paid = those(|n| fate(n) != Fate::Late);
    until("all that were paid, an hour later", async || proved_open(&world, &routers).await == paid).await;

    // The late ones: told to be over the next day, paid three days after that.
    *watch.0.lock().unwrap() = night + TimeDelta::days(1);
    let late = those(|n| fate(n) == Fate::Late);
    for n in &late {
        let (simulator, name) =
            (&simulators[*n as usize % simulators.len()], sockets.gateways[*n as usize % simulators.len()].name());
        let reference = asked[n].reference.as_str();
        assert!(simulator.set(reference, NoticeState::Expired));
        assert_eq!(serving.post(name.as_str(), &simulator.webhook(reference).unwrap()).await, 200, "customer {n}");
    }
    until("what is over is read", async || !waits().await).await;
    *watch.0.lock().unwrap() = night + TimeDelta::days(4);
    for n in late {
        pay(&serving, n, night + TimeDelta::days(4)).await;
    }
    let all = those(|_| true);
    until("everybody", async || !waits().await && proved_open(&world, &routers).await == all).await;
    // A message that was looked at before the router had answered is looked at again a moment later, at most five minutes.
    *watch.0.lock().unwrap() += TimeDelta::minutes(10);
    let told = async || [RECEIPT, REOPENED].iter().all(|t| sent(&whatsapp, t).len() == CUSTOMERS as usize);
    until("everybody is told", told).await;
    serving.stop().await;
    // Asked once more, the gateways know of nothing that is not booked.
    let again = world.engine().poll_gateways(&sockets.gateways(), night + TimeDelta::days(7)).await.unwrap();
    assert_eq!((again.booked, again.failed.len()), (0, 0));

    let snapshot = world.store.snapshot(TENANT);
    assert_eq!(snapshot.payments.len(), CUSTOMERS as usize, "one payment each");
    for n in 1..=CUSTOMERS {
        let own = snapshot.payments.iter().filter(|p| p.payment.customer_id == customer_id(n));
        assert_eq!(own.map(|p| p.payment.amount).collect::<Vec<_>>(), [expected[&n]], "customer {n} {:?}", fate(n));
    }
    for template in [RECEIPT, REOPENED] {
        let got = sent(&whatsapp, template);
        assert_eq!(
            (got.len(), got.values().sum::<usize>()),
            (CUSTOMERS as usize, CUSTOMERS as usize),
            "one {template} each"
        );
    }
    assert_eq!(whatsapp.duplicates(), []);
    let books = books::check(&snapshot);
    assert_eq!(books.received, expected.values().copied().sum());
    let of_fate = |fate_of: Fate| rp(1_000 * those(|n| fate(n) == fate_of).len() as i64);
    assert_eq!((books.owed, books.credit), (of_fate(Fate::Less), of_fate(Fate::More)));
    // The books tie to what each gateway says it owes, and both to the clearing account.
    let balances = world.store.gateway_balances(TENANT).await.unwrap();
    assert_eq!(balances.len(), simulators.len());
    for balance in &balances {
        let place = sockets.gateways.iter().position(|g| *g.name() == balance.gateway).unwrap();
        assert_eq!(balance.holds(), simulators[place].holds(), "{}", balance.gateway);
    }
    let lines = snapshot.journal.iter().flat_map(|e| &e.lines).filter(|l| l.account == Account::Gateway);
    assert_eq!(lines.map(|l| l.amount).sum::<Money>(), balances.iter().map(|b| b.holds()).sum());
}
