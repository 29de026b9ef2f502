//! Payment gateways on the command line, before simulated ones on loopback ports.

use crate::cli::{Isp, SHEETS};
use chrono::{DateTime, Utc};
use isp::core::Money;
use isp::payment::GatewayKind;
use isp::payment::simulator::{Fault, Simulator};
use tokio::runtime::Runtime;

struct Stage {
    isp: Isp,
    midtrans: Simulator,
    tripay: Simulator,
    _runtime: Runtime,
}

fn stage() -> Stage {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let [midtrans, tripay] =
        [GatewayKind::Midtrans, GatewayKind::Tripay].map(|kind| runtime.block_on(Simulator::start(kind)).unwrap());
    let isp = Isp::new();
    isp.init();
    let path = isp.dir().join("isp.toml");
    let settings = format!(
        "{}\n[gateway.midtrans]\nsandbox = true\nkey = \"SB-Mid-server-simulated\"\nbase_url = \"{}\"\n\n\
         [gateway.tripay]\nsandbox = true\nmerchant = \"S0001\"\nkey_file = \"tripay.key\"\nwebhook_key = \"simulated-webhook-key\"\n\
         email = \"tagihan@example.id\"\nbase_url = \"{}\"\n",
        std::fs::read_to_string(&path).unwrap(),
        midtrans.base_url(),
        tripay.base_url()
    );
    std::fs::write(&path, settings).unwrap();
    std::fs::write(isp.dir().join("tripay.key"), "DEV-simulated\n").unwrap();
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp.ok(&["--on", "2026-01-05", "bill"]);
    Stage { isp, midtrans, tripay, _runtime: runtime }
}

fn noon() -> DateTime<Utc> {
    "2026-01-05T05:00:00Z".parse().unwrap()
}

const ADD: [&str; 5] = ["--on", "2026-01-05", "payment-request", "add", "P001"];

#[test]
fn a_customer_pays_at_a_gateway_and_its_money_reaches_the_bank() {
    let stage = stage();
    let isp = &stage.isp;
    let add = |more: &[&'static str]| [&ADD[..], more].concat();
    let asked = isp.json(&add(&["--gateway", "tripay", "--channel", "va-bca"]))[0].clone();
    assert_eq!((&asked["amount"], &asked["known"]), (&165_000.into(), &"no".into()), "{asked}");
    let reference = asked["reference"].as_str().unwrap().to_owned();
    assert!(reference.starts_with("INV-") && asked["number"].is_string(), "{asked}");
    // The same again is the same, in both languages.
    for (language, words) in
        [("id", "masih diminta membayar Rp165.000 lewat tripay"), ("en", "is still asked for Rp165.000 at tripay")]
    {
        let shown =
            isp.ok(&[&["--lang", language], &add(&["--gateway", "tripay", "--channel", "va-bca"])[..]].concat());
        assert!(shown.contains(words) && shown.contains("3333333333"), "{shown}");
    }
    // A QRIS code of Midtrans beside it, as a picture.
    let shown = isp.ok(&add(&["--gateway", "midtrans"]));
    assert!(shown.contains('\u{2580}') && shown.contains("00020101021226SIM"), "{shown}");
    let list = isp.json(&["--on", "2026-01-05", "payment-request", "list"]);
    assert_eq!([&list[0]["state"], &list[1]["state"]], ["open", "open"], "{list}");

    assert!(stage.tripay.pay(&reference, Money::rupiah(165_000), Money::rupiah(4_250), noon()));
    // The router of the sheets is not there; the money does not wait for it.
    let (said, _) = isp.exit(5, &["--on", "2026-01-05", "--at", "12:05", "--lang", "en", "deliver"]);
    assert!(said.contains("1 paid"), "{said}");
    let all = isp.json(&["--on", "2026-01-05", "payment-request", "list", "--all"]);
    let states: Vec<&str> = all.as_array().unwrap().iter().map(|r| r["state"].as_str().unwrap()).collect();
    // What was asked for elsewhere is taken back there.
    assert!(states.contains(&"paid") && states.contains(&"cancelled"), "{all}");
    assert_eq!(stage.midtrans.transactions()[0].state.code(), "cancelled");
    assert_eq!(isp.json(&["invoice", "list", "--customer", "P001", "--open"]).as_array().unwrap().len(), 0);

    let balance = isp.json(&["gateway", "list"])[0].clone();
    assert_eq!(
        (&balance["received"], &balance["fees"], &balance["holds"]),
        (&165_000.into(), &4_250.into(), &160_750.into())
    );
    let (_, refused) = isp.exit(3, &["gateway", "payout", "tripay", "160751"]);
    assert!(refused.contains("160.750"), "{refused}");
    let booked = isp.ok(&["--lang", "en", "--on", "2026-01-07", "gateway", "payout", "Tripay", "160.750"]);
    assert!(booked.contains("Rp160.750 to the bank"), "{booked}");
    assert_eq!(isp.json(&["gateway", "list"])[0]["holds"], 0);
    assert_eq!(isp.json(&["gateway", "payouts"])[0]["amount"], 160_750);
    let cash = isp.json(&["report", "cash", "--from", "2026-01", "--to", "2026-01"]);
    let bank = cash.as_array().unwrap().iter().find(|row| row["account"] == "bank").unwrap();
    assert_eq!(bank["closing"], 160_750, "{cash}");
}

#[test]
fn what_a_gateway_refuses_or_nobody_knows_is_told_and_settled_by_the_same_command() {
    let stage = stage();
    let isp = &stage.isp;
    let add = |name: &str, channel: &str| -> Vec<String> {
        ADD.iter().chain(&["--gateway", name, "--channel", channel]).map(|w| (*w).to_owned()).collect()
    };
    let run = |code: i32, words: &[String]| isp.exit(code, &words.iter().map(String::as_str).collect::<Vec<_>>());
    let (_, err) = run(2, &add("duitku", "qris"));
    assert!(err.contains("gateway.duitku"), "{err}");
    let (_, err) = run(6, &add("tripay", "page"));
    assert!(err.contains("gateway ini tidak punya cara bayar itu"), "{err}");
    // The answer is lost; the question finds it there, and the customer gets the number.
    stage.tripay.fail_next(1, Fault::ReplyLost);
    let (out, _) = run(0, &add("tripay", "va-bni"));
    assert!(out.contains("3333333333"), "{out}");
    assert_eq!(stage.tripay.transactions().len(), 1);
    // The page of a proxy, and no answer to the question either: nobody knows, and no second request is made.
    stage.midtrans.fail_next(2, Fault::HtmlAfter(502));
    let (_, err) = run(6, &add("midtrans", "va-bca"));
    assert!(err.contains("tidak diketahui") || err.contains("outcome unknown"), "{err}");
    let (out, _) = run(0, &add("midtrans", "va-bca"));
    assert!(out.contains("333333333333333"), "{out}");
    assert_eq!(stage.midtrans.transactions().len(), 1);
    // Tripay cannot cancel; the request is shown no more.
    let said =
        isp.ok(&["--lang", "en", "--on", "2026-01-05", "payment-request", "cancel", "P001", "--gateway", "tripay"]);
    assert!(said.contains("cannot cancel it before 2026-01-06 12:00 WIB"), "{said}");
    let list = isp.json(&["--on", "2026-01-05", "payment-request", "list"]);
    assert_eq!(list.as_array().unwrap().len(), 1, "{list}");
    for key in ["SB-Mid-server-simulated", "DEV-simulated", "simulated-webhook-key"] {
        assert!(!isp.ok(&["config", "show"]).contains(key), "{key}");
    }
}

#[test]
fn a_simulated_gateway_says_what_it_cannot_do_before_anybody_pays() {
    let isp = Isp::new();
    let (_, err) = isp.exit(2, &["simulate-gateway", "tripay", "--port", "0", "--webhook", "http://203.0.113.7/hooks"]);
    assert!(err.contains("http://203.0.113.7/hooks"), "{err}");
    let (_, err) = isp.exit(2, &["simulate-gateway", "paypal", "--port", "0"]);
    assert!(err.contains("midtrans") && err.contains("duitku"), "{err}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    isp.fails(6, &["simulate-gateway", "tripay", "--port", &port], "cli.gateway");
}

/// An attacker's refund: its answer is lost, and then the gateway leaves the settings, so it never ends by itself. It is named where
/// somebody looks, and a person who saw it at the gateway ends it.
#[test]
fn a_refund_without_an_end_is_named_and_a_person_ends_it() {
    let stage = stage();
    let isp = &stage.isp;
    let asked = isp.json(&[&ADD[..], &["--gateway", "midtrans", "--channel", "qris"]].concat())[0].clone();
    let reference = asked["reference"].as_str().unwrap().to_owned();
    isp.ok(&[&ADD[..2], &["payment", "add", "P001", "165000", "--provider", "cash", "--reference", "KW-1"]].concat());
    assert!(stage.midtrans.pay(&reference, Money::rupiah(165_000), Money::ZERO, noon()));
    isp.exit(5, &["--on", "2026-01-05", "--at", "12:05", "deliver"]);
    stage.midtrans.fail_next_refund(Fault::Reset);
    let paid = format!("mid-{reference}");
    isp.exit(6, &["--on", "2026-01-05", "--at", "13:00", "refund", "ask", "midtrans", &paid, "100000"]);
    let row = isp.json(&["refund", "list"])[0].clone();
    let id = row["id"].as_str().unwrap().to_owned();
    assert_eq!(row["state"], "unknown", "{row}");
    let path = isp.dir().join("isp.toml");
    let settings = std::fs::read_to_string(&path).unwrap();
    let [gone, stays] = ["[gateway.midtrans]", "[gateway.tripay]"].map(|table| settings.rfind(table).unwrap());
    std::fs::write(&path, format!("{}{}", &settings[..gone], &settings[stays..])).unwrap();
    isp.exit_any(&[0, 5], &["--on", "2026-01-08", "deliver"]);
    assert_eq!(isp.json(&["refund", "list"])[0]["state"], "unknown");

    // It stands between the customer and being forgotten, in its own words.
    let end = &id[id.len() - 8..];
    let (_, err) =
        isp.exit(3, &["--lang", "en", "--on", "2026-01-08", "privacy", "erase", "P001", "--reason", "surat"]);
    assert!(
        err.contains("a refund to P001 is under way") && err.contains(end) && err.contains("refund settle"),
        "{err}"
    );
    assert!(!err.contains("payment requests of P001"), "{err}");
    // The day after it is nothing unusual; two days later it is named.
    let about = |on: &str| {
        let status = isp.json(&["--on", on, "status"]);
        // There is always a finding: no provider is named.
        let (doctor, _) = isp.exit(5, &["--on", on, "--format", "json", "doctor", "--offline"]);
        let row = status.as_array().unwrap().iter().find(|row| row["what"] == "unresolved_refunds").cloned();
        (row, doctor.contains("refund.unresolved") && doctor.contains(end))
    };
    assert_eq!(about("2026-01-06"), (None, false));
    let (row, doctor) = about("2026-01-08");
    let row = row.unwrap();
    assert!(doctor && row["amount"] == 100_000 && row["note"].as_str().unwrap().contains(end), "{row}");

    let settle = |on: &str, at: &str, more: &[&str]| {
        [&["--on", on, "--at", at, "--by", "Sari", "refund", "settle", &id][..], more]
            .concat()
            .iter()
            .map(|w| (*w).to_owned())
            .collect::<Vec<_>>()
    };
    let fails =
        |code, words: Vec<String>, error| isp.fails(code, &words.iter().map(String::as_str).collect::<Vec<_>>(), error);
    fails(3, settle("2026-01-05", "13:30", &["--refused", "--reason", "x"]), "refund.on_its_way");
    fails(3, settle("2026-01-08", "09:00", &["--refused", "--reason", " "]), "value.empty");
    let words = settle("2026-01-08", "09:00", &["--refused", "--reason", "dasbor: tidak ada"]);
    let said = isp.ok(&words.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(said.contains("tidak mengembalikan Rp100.000"), "{said}");
    let row = isp.json(&["refund", "list"])[0].clone();
    assert_eq!(row["state"], "refused");
    assert!(row["ended"].as_str().unwrap().contains("Sari: dasbor: tidak ada"), "{row}");
    assert_eq!(isp.json(&["gateway", "list"])[0]["holds"], 165_000, "the customer has the credit again");
    let newest = isp.json(&["audit", "show", "--last", "1"])[0].clone();
    assert_eq!((&newest["command"], &newest["by"]), (&"refund settle".into(), &"Sari".into()), "{newest}");
    fails(3, settle("2026-01-08", "10:00", &["--given", "--reason", "x"]), "record.ended");
    assert_eq!(about("2026-01-08"), (None, false));
}

/// An attacker's wish: what is to go back was used, and the credit is of a credit note.
#[test]
fn credit_of_notes_does_not_go_back_through_a_gateway_and_it_is_said_so() {
    let stage = stage();
    let isp = &stage.isp;
    let asked = isp.json(&[&ADD[..], &["--gateway", "midtrans", "--channel", "qris"]].concat())[0].clone();
    let reference = asked["reference"].as_str().unwrap().to_owned();
    assert!(stage.midtrans.pay(&reference, Money::rupiah(165_000), Money::ZERO, noon()));
    isp.exit(5, &["--on", "2026-01-05", "--at", "12:05", "deliver"]);
    let invoice = isp.json(&["invoice", "list", "--customer", "P001"])[0]["invoice"].as_str().unwrap().to_owned();
    isp.ok(&["--on", "2026-01-06", "credit-note", "add", &invoice, "40000", "--reason", "gangguan"]);
    let paid = format!("mid-{reference}");
    let ask = ["--lang", "en", "--on", "2026-01-06", "refund", "ask", "midtrans", &paid];
    for more in [&[][..], &["40000"]] {
        let said = isp.fails(3, &[&ask[..], more].concat(), "credit.elsewhere");
        assert!(said.contains("Rp0 is left") && said.contains("Rp40.000 of credit notes"), "{said}");
        assert!(said.contains("isp refund add") && !said.contains("other payments"), "{said}");
    }
    isp.ok(&["--on", "2026-01-06", "refund", "add", "P001", "--from", "bank"]);
}

/// What was paid twice goes back through the gateway, out of the credit; a virtual account cannot go back.
#[test]
fn what_came_through_a_gateway_goes_back_through_it() {
    let stage = stage();
    let isp = &stage.isp;
    let at = |time: &'static str| ["--on", "2026-01-05", "--at", time, "--lang", "en"];
    let asked = isp.json(&[&ADD[..], &["--gateway", "midtrans", "--channel", "qris"]].concat())[0].clone();
    let reference = asked["reference"].as_str().unwrap().to_owned();
    isp.ok(&[&ADD[..2], &["payment", "add", "P001", "165000", "--provider", "cash", "--reference", "KW-1"]].concat());
    assert!(stage.midtrans.pay(&reference, Money::rupiah(165_000), Money::ZERO, noon()));
    isp.exit(5, &[&at("12:05")[..], &["deliver"]].concat());
    let paid = format!("mid-{reference}");
    let ask = |more: &[&'static str]| [&at("13:00")[..], &["refund", "ask", "midtrans", &paid], more].concat();
    isp.fails(3, &ask(&["165001"]), "credit.less");
    let said = isp.ok(&ask(&["65.000", "--note", "bayar dua kali"]));
    assert!(said.contains("gave Rp65.000 back to P001"), "{said}");
    let rows = isp.json(&["refund", "list", "--customer", "P001"]);
    assert_eq!([&rows[0]["state"], &rows[0]["channel"]], ["done", "midtrans"], "{rows}");
    assert_eq!(isp.json(&["gateway", "list"])[0]["holds"], 100_000);
    isp.fails(3, &["refund", "remove", rows[0]["id"].as_str().unwrap(), "--reason", "salah"], "refund.at_gateway");
    // The gateway has not so much: the customer keeps the credit, and is told why in both languages.
    stage.midtrans.set_balance(Money::rupiah(1_000));
    let (_, refused) = isp.exit(6, &ask(&[]));
    assert!(refused.contains("it does not give the money back: 412 Insufficient balance"), "{refused}");
    let (_, refused) =
        isp.exit(6, &["--lang", "id", "--on", "2026-01-05", "--at", "13:00", "refund", "ask", "midtrans", &paid]);
    assert!(refused.contains("dananya tidak dikembalikan: 412"), "{refused}");
    assert_eq!(isp.json(&["gateway", "list"])[0]["holds"], 100_000);
    // The answer is lost, and the question as well: the next delivery settles it.
    stage.midtrans.set_balance(Money::rupiah(900_000));
    stage.midtrans.fail_next_refund(Fault::Reset);
    let (_, unknown) = isp.exit(6, &ask(&["100000"]));
    assert!(unknown.contains("outcome unknown"), "{unknown}");
    assert_eq!(isp.json(&["gateway", "list"])[0]["holds"], 0);
    isp.exit(5, &[&at("14:30")[..], &["deliver"]].concat());
    let states = isp.json(&["refund", "list"]);
    let states: Vec<&str> = states.as_array().unwrap().iter().map(|row| row["state"].as_str().unwrap()).collect();
    assert_eq!((states.len(), states.iter().filter(|s| **s == "refused").count()), (4, 3), "{states:?}");
    assert_eq!(isp.json(&["gateway", "list"])[0]["holds"], 100_000);
    // Tripay gives nothing back.
    let asked = isp.json(&[
        "--on",
        "2026-01-05",
        "payment-request",
        "add",
        "P002",
        "--gateway",
        "tripay",
        "--channel",
        "va-bca",
    ]);
    let reference = asked[0]["reference"].as_str().unwrap().to_owned();
    assert!(stage.tripay.pay(&reference, Money::rupiah(500_000), Money::ZERO, noon()));
    isp.exit(5, &[&at("15:45")[..], &["deliver"]].concat());
    let payments = isp.json(&["payment", "list", "--customer", "P002"]);
    let paid = payments[0]["reference"].as_str().unwrap().to_owned();
    let (_, refused) = isp.exit(6, &[&at("16:00")[..], &["refund", "ask", "tripay", &paid]].concat());
    assert!(refused.contains("no refund by API: pay the customer yourself"), "{refused}");
}
