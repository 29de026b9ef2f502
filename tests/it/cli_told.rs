//! `isp serve` beside moota and a phone: secrets in files, money that is booked, and who told of it.

use std::time::{Duration, Instant};

use isp::core::calendar::Zone;
use isp::core::text::Code;
use isp::payment::told::moota::Moota;
use isp::payment::told::phone::Phone;
use serde_json::{Value, json};

use crate::cli::served::Served;
use crate::cli::*;

const SECRET: &str = "rahasia-hp-toko-0123456789";

fn post(server: &Served, path: &str, more: &str, body: &[u8]) -> Option<u16> {
    server.ask(&format!("POST {path} HTTP/1.1\r\nhost: isp\r\nconnection: close\r\n{more}"), body)
}

fn rows(isp: &Isp, command: &[&str]) -> Vec<Value> {
    let said = isp.ok(&[&["--format", "json"], command].concat());
    serde_json::from_str::<Value>(&said).unwrap().as_array().unwrap().clone()
}

#[test]
fn a_phone_and_moota_tell_of_one_transfer_and_it_is_booked_once() {
    let isp = Isp::new();
    isp.init();
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp.ok(&["--on", "2026-01-05", "bill"]);
    let path = isp.dir().join("isp.toml");
    let settings = std::fs::read_to_string(&path).unwrap()
        + "\n[moota]\nsecret_file = \"moota.secret\"\n\n[phone.hp-toko]\naccount = \"BRI-1\"\nbank = \"bri\"\n\
           secret_file = \"hp-toko.secret\"\n\n[serve]\nrun_every_minutes = 0\ndeliver_every_seconds = 0\n";
    std::fs::write(&path, settings).unwrap();
    // The files are not there yet: both are named.
    let doctor = isp.run(&["--on", "2026-01-05", "doctor", "--offline"]);
    let said = String::from_utf8(doctor.stdout).unwrap();
    assert!(said.contains("moota.secret") && said.contains("hp-toko.secret"), "{said}");
    std::fs::write(isp.dir().join("moota.secret"), "rahasia-moota\n").unwrap();
    std::fs::write(isp.dir().join("hp-toko.secret"), format!("{SECRET}\n")).unwrap();
    let doctor = isp.run(&["--on", "2026-01-05", "doctor", "--offline"]);
    let said = String::from_utf8(doctor.stdout).unwrap();
    assert!(!said.contains("moota") && !said.contains("hp-toko"), "{said}");
    let shown = isp.ok(&["config", "show"]);
    assert!(shown.contains("phone.hp-toko.account") && !shown.contains("rahasia"), "{shown}");

    let server = Served::start(isp.dir(), &[]);
    let now = chrono::Utc::now();
    let account = Code::parse("account", "BRI-1").unwrap();
    let phone =
        Phone::try_new(Code::parse("phone", "hp-toko").unwrap(), "hp-toko", SECRET.into(), account, None).unwrap();
    let timestamp = now.timestamp().to_string();
    let notification = json!({
        "device_key": "hp-toko", "amount": "165000", "timestamp": timestamp, "nonce": "n-1", "source_app": "id.bri.brimo",
        "raw_text": "Transfer masuk Rp165.000 dari SUPARMAN ket P001",
        "signature": phone.signature("165000", &timestamp, "n-1"),
    });
    let body = notification.to_string();
    assert_eq!(post(&server, "/hooks/phone", "", body.replace("n-1", "n-2").as_bytes()), Some(401));
    assert_eq!(post(&server, "/hooks/phone", "", body.as_bytes()), Some(200));
    let until = Instant::now() + Duration::from_secs(20);
    while rows(&isp, &["payment", "list"]).is_empty() {
        assert!(Instant::now() < until, "{}", server.log());
        std::thread::sleep(Duration::from_millis(100));
    }
    let on = Zone::Wib.date_of(now);
    let told = json!([{
        "account_number": "BRI-1", "date": format!("{on} 08:00:00"), "description": "TRF P001", "note": "", "type": "CR",
        "amount": 165_000, "balance": 165_000, "mutation_id": "M1", "token": "t0k3n", "bank": {"bank_type": "bri"},
    }]);
    let body = told.to_string().into_bytes();
    let signature = Moota::try_new("rahasia-moota".into()).unwrap().signature(&body);
    assert_eq!(post(&server, "/hooks/moota", "", &body), Some(401));
    assert_eq!(post(&server, "/hooks/moota", &format!("Signature: {signature}\r\n"), &body), Some(200));
    let until = Instant::now() + Duration::from_secs(20);
    while rows(&isp, &["webhook", "list", "--all"]).iter().filter(|row| row["state"] == "read").count() < 2 {
        assert!(Instant::now() < until, "{:?}", rows(&isp, &["webhook", "list", "--all"]));
        std::thread::sleep(Duration::from_millis(100));
    }
    let payments = rows(&isp, &["payment", "list"]);
    assert_eq!(payments.len(), 1, "{payments:?}");
    let mutations = rows(&isp, &["bank", "list", "--all"]);
    assert_eq!((mutations.len(), &mutations[0]["told_by"]), (1, &json!("hp-toko, moota")));
    let shown = isp.ok(&["bank", "show", mutations[0]["id"].as_str().unwrap()]);
    assert!(shown.contains("hp-toko, moota"), "{shown}");
    let log = server.log();
    assert!(!log.contains("SUPARMAN") && !log.contains("t0k3n") && !log.contains("P001"), "{log}");
}
