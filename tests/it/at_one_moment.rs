//! Ten commands at one moment, each of which would be asked or refused if it came after another one: one passes, and the others are
//! told what they would have been told later. The same on a SQLite file and on PostgreSQL.

use std::process::Stdio;
use std::sync::Barrier;

use isp_core::billing::CreditNote;
use isp_core::engine::EngineError;
use isp_core::ids::{InstallationKindId, InstallationOrderId};
use isp_core::installation::{InstallationKind, InstallationOrder};
use isp_core::ports::{ChangeSet, DirectoryStore as _, Store as _};
use isp_core::text::Name;
use isp_core::{Error, Money};
use uuid::Uuid;

use crate::support::{self, TENANT, at, customer_id, date, run_days, subscription_id};
use crate::workers::{Kept, Worker, Workers};

const TEN: usize = 10;
const DAY: &[&str] = &["--on", "2026-01-12", "--at", "10:00"];

/// Starts ten at once, the `n`th with the words that `of` gives; the exit codes of those that did not pass must be `code` with the
/// error `error`. How many passed.
fn passed(w: &Workers, error: &str, of: impl Fn(usize) -> Vec<String>) -> usize {
    let start = |n: usize| {
        let words = of(n);
        let words: Vec<&str> = DAY.iter().copied().chain(words.iter().map(String::as_str)).collect();
        let mut command = w.stage.isp.command(&words);
        Worker(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
    };
    let workers: Vec<Worker> = (0..TEN).map(start).collect();
    let ended: Vec<(i32, String)> = workers.into_iter().map(Worker::end_saying).collect();
    for (code, said) in &ended {
        assert!(*code == 0 || *code == 3 && said.contains(error), "{error}: {code} {said}");
    }
    ended.iter().filter(|(code, _)| *code == 0).count()
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

fn one_passes(kept: Kept) {
    let w = Workers::new(kept);
    let isp = &w.stage.isp;
    let rows = |list: &[&str], of: &str| {
        let found = isp.json(list);
        found.as_array().unwrap().iter().filter(|row| row["customer"] == of).count()
    };
    let ok = |text: &str| isp.ok(&[DAY, &text.split(' ').collect::<Vec<_>>()].concat());

    let slip = |n| words(&format!("payment add P000 2973 --provider pph23 --paid-on 2026-01-10 --reference BP-{n}"));
    assert_eq!(passed(&w, "payment.slip_twice", slip), 1, "{kept:?}");
    assert_eq!(rows(&["payment", "list"], "P000"), 1);
    let used = |n| words(&format!("expense add other 2973 --paid-from pph23 --note {n}"));
    assert_eq!(passed(&w, "money.pph23_short", used), 1, "{kept:?}");

    ok("payment add P001 165000 --reference KW-1");
    let spent = |n| words(&format!("expense add other 100000 --note {n}"));
    assert_eq!(passed(&w, "money.cash_short", spent), 1, "{kept:?}");

    ok("payment add P002 165000 --reference KW-2 --collector ANTON");
    let handed_over = |n| words(&format!("collector deposit ANTON 165000 --to bank --note {n}"));
    assert_eq!(passed(&w, "collector.holds_less", handed_over), 1, "{kept:?}");

    let promised = |n| words(&format!("promise add P003 --until 2026-01-{}", 13 + n));
    assert_eq!(passed(&w, "promise.too_many", promised), 1, "{kept:?}");
    assert_eq!(rows(&["promise", "list"], "P003"), 1);

    for n in 0..TEN {
        isp.write(&[(&format!("struk-{n}.pdf"), &format!("%PDF-1.7 {n}"))]);
    }
    let shown = |n| words(&format!("proof add P004 sheets/struk-{n}.pdf"));
    assert_eq!(passed(&w, "proof.too_many", shown), 5, "{kept:?}");

    // The same transfer ten times is one payment, which nine know already.
    let paid = |_| words("payment add P005 165000 --provider bca --reference FT-77");
    assert_eq!(passed(&w, "", paid), TEN, "{kept:?}");
    assert_eq!(rows(&["payment", "list"], "P005"), 1);

    // Two reasons, each said five times: two notes.
    let invoices = isp.json(&["invoice", "list"]);
    let of_p006 = invoices.as_array().unwrap().iter().find(|row| row["customer"] == "P006").unwrap();
    let invoice = of_p006["invoice"].as_str().unwrap().to_owned();
    let back = |n| words(&format!("credit-note add {invoice} 20000 --reason salah-{}", n % 2));
    assert_eq!(passed(&w, "", back), TEN, "{kept:?}");
    assert_eq!(rows(&["credit-note", "list"], "P006"), 2, "{kept:?}");

    ok("installation kind FO --name Fiber --price 500000");
    let installed = |_| words("installation add P007 --kind FO");
    assert_eq!(passed(&w, "installation.clash", installed), 1, "{kept:?}");
    assert_eq!(rows(&["installation", "list"], "P007"), 1, "{kept:?}");

    let found = isp.run(&["--format", "json", "doctor", "--offline"]);
    let found = String::from_utf8(found.stdout).unwrap();
    assert!(!["ledger.", "invoice.", "payment."].iter().any(|kind| found.contains(kind)), "{kept:?}: {found}");
}

#[test]
fn of_ten_in_a_file_one_passes() {
    one_passes(Kept::Sqlite);
}

#[test]
fn of_ten_in_postgresql_one_passes() {
    one_passes(Kept::Postgres);
}

/// Runs two at one moment, each on a thread of its own.
fn two<T: Send>(of: impl Fn(u128) -> T + Sync) -> [T; 2] {
    let barrier = Barrier::new(2);
    let start = |n| {
        barrier.wait();
        of(n)
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| start(1));
        [start(0), other.join().unwrap()]
    })
}

fn done<T>(of: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(of)
}

#[test]
fn two_credit_notes_for_two_reasons_are_two() {
    for round in 0..60 {
        let world = done(async {
            let world = support::one().await;
            run_days(&world, "2026-01-01", "2026-01-02").await;
            world
        });
        let (invoice, _) = world.store.snapshot(TENANT).invoices.remove(0);
        let correct = |n: u128| {
            let reason = format!("salah tagih {n}");
            let (engine, now) = (world.engine(), at("2026-01-05", 9));
            let note = engine.correct(invoice.customer_id, invoice.id, Money::rupiah(20_000), "ANI", &reason, now);
            done(note).unwrap()
        };
        let [one, other]: [CreditNote; 2] = two(correct);
        assert_ne!((one.id, one.number), (other.id, other.number), "round {round}");
        assert_eq!((one.note.as_str(), other.note.as_str()), ("salah tagih 0", "salah tagih 1"), "round {round}");
        let notes = done(world.engine().credit_notes_of(invoice.customer_id)).unwrap();
        assert_eq!(notes.len(), 2, "round {round}");
        // The same again is the note that there is.
        assert_eq!([correct(0).number, correct(1).number], [one.number, other.number], "round {round}");
    }
}

#[test]
fn of_two_installations_of_a_line_on_one_day_one_is_refused() {
    let kind_id = InstallationKindId(Uuid::from_u128(0x7000));
    let order = |n: u128, customer: u32| InstallationOrder {
        id: InstallationOrderId(Uuid::from_u128(0x7100 + n)),
        customer_id: customer_id(customer),
        subscription_id: subscription_id(customer),
        kind_id,
        fee: Money::rupiah(500_000),
        installed_on: date("2026-01-05"),
        instalments: 1,
        with_first_invoice: false,
        step: Money::rupiah(100),
    };
    for round in 0..60 {
        let (world, customer) = done(async {
            let world = support::one().await;
            run_days(&world, "2026-01-01", "2026-01-02").await;
            let name = Name::parse("name", "Pasang FO").unwrap();
            let kind = InstallationKind { id: kind_id, code: support::code("FO"), name, price: Money::rupiah(500_000) };
            let kinds = ChangeSet { installation_kinds: vec![kind], ..ChangeSet::default() };
            world.store.commit(TENANT, kinds).await.unwrap();
            let known = world.store.snapshot(TENANT).invoices[0].0.customer_id;
            let customer = (0..9).find(|n| customer_id(*n) == known).unwrap();
            (world, customer)
        });
        let done_by = two(|n| done(world.engine().add_installation(order(n, customer))));
        assert_eq!(done_by.iter().filter(|made| made.is_ok()).count(), 1, "round {round}: {done_by:?}");
        let clash = EngineError::Domain(Error::InstallationClash { on: date("2026-01-05") });
        assert!(done_by.contains(&Err(clash)), "round {round}: {done_by:?}");
        assert_eq!(done(world.store.installation_orders(TENANT, None)).unwrap().len(), 1, "round {round}");
    }
}
