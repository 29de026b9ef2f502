//! A bank that calls two `isp serve` on one PostgreSQL, one of which is killed.

use chrono::{TimeDelta, Utc};
use futures::future::join_all;
use isp::core::Money;
use isp::core::ids::{TenantId, WorkerId};
use isp::core::payment::virtual_account;
use isp::core::ports::{InboxStore as _, Lease, Webhook, WebhookOutcome, WebhookState};
use isp::core::text::Code;
use isp::payment::simulator::{BankAnswer, BankCall, SimulatedBank};
use isp::store::{SqlStore, Vault};

use crate::cli::served::Served;
use crate::cli::{Isp, SHEETS};
use crate::database;

const NAME: &str = "bank-va";

/// Settings of a bank beside those that `isp init` wrote, in the files that they name.
fn agree(isp: &Isp) {
    use secrecy::ExposeSecret as _;
    let agreed = SimulatedBank::settings(Code::parse("bank", NAME).unwrap());
    let write = |name: &str, text: &str| std::fs::write(isp.dir().join(name), text).unwrap();
    write("bank.pem", &agreed.public_key);
    write("bank.secret", agreed.client_secret.expose_secret());
    write("bank.token-key", agreed.token_key.expose_secret());
    let path = isp.dir().join("isp.toml");
    let settings = format!(
        "{}\n[snap.{NAME}]\nlabel = \"BANK\"\nservice_id = \"{}\"\nclient_key = \"{}\"\npartner_id = \"{}\"\npublic_key_file = \"bank.pem\"\n\
         client_secret_file = \"bank.secret\"\ntoken_key_file = \"bank.token-key\"\n\n[serve]\nrun_every_minutes = 0\ndeliver_every_seconds = 0\n",
        std::fs::read_to_string(&path).unwrap(),
        agreed.service_id,
        agreed.client_key,
        agreed.partner_id,
    );
    std::fs::write(&path, settings).unwrap();
}

fn bank(server: &Served) -> SimulatedBank {
    SimulatedBank::new(&format!("http://{}", server.address), NAME).unwrap()
}

#[test]
fn two_servers_on_postgresql_book_each_payment_once_whichever_of_them_is_killed() {
    const PAYMENTS: usize = 8;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let name = format!("isp_snap_{}", std::process::id());
    runtime.block_on(database::create(&name));
    let isp = Isp::new();
    isp.ok(&["init", "--database", &database::url_of(&name)]);
    agree(&isp);
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp.ok(&["--on", "2026-01-05", "bill"]);
    let shown = isp.ok(&["customer", "show", "P001"]);
    let digits = virtual_account::digits_of(&Code::parse("customer", "P001").unwrap()).unwrap();
    assert!(shown.contains(&format!("88899{digits}")), "{shown}");

    let (mut one, two) = (Served::start(isp.dir(), &[]), Served::start(isp.dir(), &[]));
    let (first, second) = (bank(&one), bank(&two));
    runtime.block_on(async {
        let now = Utc::now();
        // A token of one server is a token of the other.
        let token = first.token(now).await.unwrap();
        let asked = second.send(&second.inquiry(&token, &digits, "Q1", "q1", now)).await.unwrap();
        assert_eq!((asked.code(), asked.said("/totalAmount/value")), ("2002400", "165000.00"));
        let paid = |number: usize, external: &str| {
            let request = format!("P-{number}");
            first.payment(&token, &digits, (&request, Money::rupiah(50_000)), external, now)
        };
        for number in 0..PAYMENTS {
            if number == PAYMENTS / 2 {
                // SIGKILL, in the middle.
                one.child.kill().unwrap();
            }
            // To both at once: the same request, and the same payment by names of its own.
            let calls: Vec<BankCall> = ["same", "a", "b"].map(|name| paid(number, &format!("{name}{number}"))).to_vec();
            let both = calls.iter().flat_map(|call| [first.send(call), second.send(call)]);
            let answers: Vec<BankAnswer> = join_all(both).await.into_iter().flatten().collect();
            let of = |code: &str| answers.iter().filter(|answer| answer.code() == code).count();
            assert_eq!(of("2002500") + of("4092500"), answers.len(), "{answers:?}");
            assert!(of("2002500") >= 1 && of("2002500") <= 3, "{answers:?}");
        }
        let again = Served::start(isp.dir(), &[]);
        let third = bank(&again);
        // What was told is told again, by new names: the same answer, nothing new.
        for number in 0..PAYMENTS {
            let answer = third.send(&paid(number, &format!("again{number}"))).await.unwrap();
            assert_eq!(answer.code(), "2002500", "{answer:?}");
        }
        let other = second.payment(&token, &digits, ("P-0", Money::rupiah(60_000)), "other", now);
        assert_eq!(second.send(&other).await.unwrap().code(), "4042518");
    });
    let payments = isp.json(&["payment", "list"]);
    let amounts: Vec<i64> = payments.as_array().unwrap().iter().map(|row| row["amount"].as_i64().unwrap()).collect();
    assert_eq!(amounts, [50_000; PAYMENTS], "{payments}");
    drop(two);
    runtime.block_on(database::drop(&name));
}

/// What doctor and status say of banks and of what came in, and the words of a webhook's note.
#[test]
fn doctor_names_numbers_that_are_nobodys_and_what_could_not_be_read() {
    let isp = Isp::new();
    isp.init();
    agree(&isp);
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    let findings = |of: &str| {
        let doctor = isp.run(&["--format", "json", "--on", "2026-01-01", "doctor", "--offline"]);
        let rows: serde_json::Value = serde_json::from_slice(&doctor.stdout).unwrap();
        let rows = rows.as_array().unwrap().iter();
        rows.filter(|row| row["finding"].as_str().unwrap().starts_with(of))
            .map(|row| row["what"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!((findings("snap"), findings("webhook"), findings("cli")), (vec![], vec![], vec![]));
    let long = ["customer", "add", "jl-merdeka/17-belakang", "--name", "Wati", "--address", "Jl. 1"];
    isp.ok(&long);
    let said = findings("snap");
    assert!(said.len() == 1 && said[0].contains("jl-merdeka/17-belakang"), "{said:?}");

    // A bank that is half set up, beside the other: each is named.
    let path = isp.dir().join("isp.toml");
    let settings = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{settings}\n[snap.bank-b]\nservice_id = \"777\"\n[snap.bank-c]\n")).unwrap();
    let said = findings("cli.config").join("\n");
    assert!(said.contains("snap.bank-b") && said.contains("snap.bank-c"), "{said}");
    std::fs::write(&path, &settings).unwrap();

    // A call was kept, and the secret was changed before it was read.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let url = format!("sqlite:{}", isp.dir().join("isp.db").display());
        let store = SqlStore::open(&url, Vault::from_file(isp.dir().join("isp.key")).unwrap()).await.unwrap();
        let hook = Webhook::new(TenantId::DEFAULT, NAME, Vec::new(), b"{}".to_vec(), Utc::now());
        let lease = Lease { owner: WorkerId(hook.id.0), now: Utc::now(), until: Utc::now() + TimeDelta::seconds(30) };
        store.keep_webhooks(TenantId::DEFAULT, vec![hook.clone()]).await.unwrap();
        assert_eq!(store.claim_webhooks(TenantId::DEFAULT, lease, 9).await.unwrap().len(), 1);
        let note = "1 parts could not be read; it is not believed any more: the client secret has changed".to_owned();
        let read = WebhookOutcome { id: hook.id, state: WebhookState::Unread, next_try: Utc::now(), note };
        store.settle_webhooks(TenantId::DEFAULT, lease.owner, &[read]).await.unwrap();
        store.close().await;
    });
    assert_eq!(findings("webhook").len(), 1);
    let status = isp.json(&["--on", "2026-01-01", "status"]);
    let unread = status.as_array().unwrap().iter().find(|row| row["what"] == "unread_webhooks").unwrap();
    assert_eq!((unread["count"].as_i64(), unread["note"].as_str()), (Some(1), Some("isp webhook list")));
    let note = |language: &str| isp.ok(&["--lang", language, "--wide", "webhook", "list"]);
    assert!(
        note("en").contains("1 parts could not be read; it is not believed any more: the client"),
        "{}",
        note("en")
    );
    assert!(
        note("id").contains("1 bagian tidak terbaca; tidak dipercaya lagi: client secret sudah berubah"),
        "{}",
        note("id")
    );
}
