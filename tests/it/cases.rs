//! Every case of `cases/` on three hosts: a store in memory, SQLite, PostgreSQL, which is a cluster below `scripts/with_citus`. Prints the table of all and fails on any red.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use futures::StreamExt as _;
use isp::cases::{Case, Colour, EngineHost, Suite, Tally, compare, live};
use isp_core::ports::{InboxStore, Store};
use isp_core::testing::MemoryStore;
use isp_store::{SqlStore, Vault};

use crate::database;

const HOSTS: [&str; 3] = ["memory", "sqlite", "postgresql"];

/// Cases under way at once on one store.
const AT_ONCE: usize = 8;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

fn suite() -> Suite {
    Suite::read(&folder()).unwrap_or_else(|bad| panic!("{bad}"))
}

/// What is red of one case on one store.
async fn red<S: Store + InboxStore>(store: &S, case: &Case) -> Vec<String> {
    let mut host = EngineHost::new(store, case);
    let report = live(&mut host, case).await;
    compare(case, &report).iter().map(ToString::to_string).collect()
}

async fn on<S: Store + InboxStore>(
    host: &'static str,
    store: &S,
    suite: &Suite,
) -> Vec<(&'static str, usize, Colour, Vec<String>)> {
    let cases = suite.cases.iter().enumerate().map(|(at, case)| async move {
        if suite.lacks.why(host, case).is_some() {
            return (host, at, Colour::Lacking, Vec::new());
        }
        let red = red(store, case).await;
        (host, at, if red.is_empty() { Colour::Green } else { Colour::Red }, red)
    });
    futures::stream::iter(cases).buffer_unordered(AT_ONCE).collect().await
}

fn alone<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn vault() -> Vault {
    Vault::from_text(&"7e".repeat(32)).unwrap()
}

async fn on_sqlite(suite: &Suite) -> Vec<(&'static str, usize, Colour, Vec<String>)> {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("isp.db").display());
    isp_store::migrate(&url).await.unwrap();
    on("sqlite", &SqlStore::open(&url, vault()).await.unwrap(), suite).await
}

async fn on_postgres(suite: &Suite) -> Vec<(&'static str, usize, Colour, Vec<String>)> {
    let name = format!("isp_cases_{}", std::process::id());
    database::create(&name).await;
    database::migrate(&database::url_of(&name)).await;
    let store = SqlStore::open(&database::url_of(&name), vault()).await.unwrap();
    let told = on("postgresql", &store, suite).await;
    store.close().await;
    database::drop(&name).await;
    told
}

#[test]
fn every_case_is_green_on_every_host() {
    let suite = suite();
    let told: Vec<_> = std::thread::scope(|scope| {
        let databases = [scope.spawn(|| alone(on_sqlite(&suite))), scope.spawn(|| alone(on_postgres(&suite)))];
        let memory = alone(on("memory", &MemoryStore::new(), &suite));
        memory.into_iter().chain(databases.into_iter().flat_map(|thread| thread.join().unwrap())).collect()
    });
    let mut tally = Tally::new(&HOSTS);
    let mut reds = Vec::new();
    for (host, at, colour, red) in told {
        let case = &suite.cases[at];
        tally.count(host, case, colour);
        if !red.is_empty() {
            reds.push(format!("{} on {host}: {}\n{}", case.file, case.title, red.join("\n")));
        }
    }
    // Past the capture of a green test's output: the table is what one wants to see of it.
    writeln!(std::io::stderr(), "\n{tally}\n").unwrap();
    reds.sort();
    assert!(reds.is_empty(), "{} red:\n\n{}", reds.len(), reds.join("\n\n"));
}

/// Every rule of the domain has a case, and there are enough of them.
#[test]
fn every_rule_has_a_case() {
    let suite = suite();
    let named: BTreeSet<&str> = suite.cases.iter().flat_map(|c| &c.rules).map(String::as_str).collect();
    let all = [("C", 6), ("B", 13), ("P", 9), ("A", 2), ("N", 8), ("I", 9)];
    let rules = all.iter().flat_map(|(letter, last)| (1..=*last).map(move |n| format!("{letter}{n}")));
    let missing: Vec<String> = rules.filter(|rule| !named.contains(rule.as_str())).collect();
    assert!(missing.is_empty(), "no case is about {missing:?}");
    assert!(suite.cases.len() >= 150, "{} cases", suite.cases.len());
    let titles: BTreeSet<&str> = suite.cases.iter().map(|c| c.title.as_str()).collect();
    assert_eq!(titles.len(), suite.cases.len(), "two cases have one title");
}
