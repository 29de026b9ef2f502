//! What the tests of the adapter share.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use isp_core::ids::{RouterId, SubscriptionId};
use isp_core::isolation::{Access, AccessTarget};
use isp_core::package::{Speed, UserGroup};
use isp_core::place::RouterEndpoint;
use isp_core::ports::ApplyOutcome;
use isp_core::secret::Secret;
use isp_core::subscription::Account;
use isp_core::text::RouterName;
use isp_mikrotik::proto::Command;
use isp_mikrotik::simulator::{SimulatedRouter, Simulation};
use isp_mikrotik::{Client, Error};
use secrecy::ExposeSecret;
use uuid::Uuid;

pub fn endpoint(router: &SimulatedRouter) -> RouterEndpoint {
    let (user, password) = router.credentials();
    RouterEndpoint {
        host: router.address().ip().to_string(),
        port: router.address().port(),
        tls: false,
        username: user.to_owned(),
        password: Secret::new(password.expose_secret()),
    }
}

pub fn target(number: u128, name: &str, desired: Access) -> AccessTarget {
    AccessTarget {
        subscription_id: SubscriptionId(Uuid::from_u128(number)),
        router_id: RouterId(Uuid::from_u128(1)),
        account: Account::pppoe(RouterName::parse("username", name).unwrap(), Secret::new("rahasia")),
        group: group("10M", 10),
        desired,
        revision: 1,
        adopt: false,
        succeeds: Vec::new(),
        left: false,
        forget: false,
    }
}

pub fn group(name: &str, mbps: u32) -> UserGroup {
    let speed = Speed { down_kbps: mbps * 1000, up_kbps: mbps * 500 };
    UserGroup { name: RouterName::parse("group", name).unwrap(), speed }
}

pub fn done(outcome: &ApplyOutcome) -> (Access, bool, &str) {
    match outcome {
        ApplyOutcome::Done { access, changed, answer } => (*access, *changed, answer),
        ApplyOutcome::Refused { code, reason } => panic!("refused: {code}: {reason}"),
    }
}

pub fn refused(outcome: &ApplyOutcome) -> &'static str {
    match outcome {
        ApplyOutcome::Refused { code, .. } => code,
        ApplyOutcome::Done { answer, .. } => panic!("done: {answer}"),
    }
}

/// Changes a property of an object as somebody in Winbox does.
pub async fn by_hand(router: &SimulatedRouter, menu: &str, of: (&str, &str), change: (&str, &str)) {
    let hand = Client::connect(router.options()).await.unwrap();
    let print = Command::new(&format!("{menu}/print")).proplist(&[".id"]).where_any(of.0, &[of.1]);
    let rows = hand.call(&print).await.unwrap().into_rows();
    let id = String::from_utf8(rows[0].value(".id").unwrap().to_vec()).unwrap();
    let set = Command::new(&format!("{menu}/set")).arg(".id", &id).arg(change.0, change.1);
    hand.call(&set).await.unwrap();
}

/// A simulated router, and a client that is logged in.
pub async fn started(simulation: Simulation) -> (SimulatedRouter, Client) {
    let router = SimulatedRouter::start(simulation).await.unwrap();
    let client = Client::connect(router.options()).await.unwrap();
    (router, client)
}

/// A command of words with a blank between; `_` in a value stands for a blank.
pub fn command(words: &str) -> Command {
    let mut words = words.split(' ');
    let start = Command::new(words.next().unwrap());
    words.fold(start, |command, word| match word.split_once('=') {
        Some((name, value)) => command.arg(name, value.replace('_', " ")),
        None => command.flag(word),
    })
}

/// What a router says when it refuses a command.
pub async fn refusal(client: &Client, words: &str) -> String {
    match client.call(&command(words)).await {
        Err(Error::Refused { refusal, .. }) => refusal.message,
        other => panic!("{words}: {other:?}"),
    }
}
