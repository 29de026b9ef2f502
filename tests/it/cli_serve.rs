//! `isp serve` as a program: killed, stopped, two of them on one database, and told of a payment by a gateway.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::cli::served::Served;
use crate::cli::{Isp, SHEETS};
use isp::core::Money;
use isp::payment::GatewayKind;
use isp::payment::simulator::Simulator;
use isp_whatsapp::webhook::signature;

const SECRET: &str = "test_app_secret_not_real";

fn isp(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isp"));
    let settings = [("ISP_WHATSAPP__APP_SECRET", SECRET), ("ISP_SERVE__LISTEN", "127.0.0.1:0"), ("ISP_LANGUAGE", "en")];
    command.current_dir(home).envs(settings).env_remove("NOTIFY_SOCKET").stderr(Stdio::null());
    command
}

fn start(home: &Path) -> Served {
    Served::start(home, &[("ISP_WHATSAPP__APP_SECRET", SECRET)])
}

/// WhatsApp tells something; true when it was kept.
fn hook(server: &Served, number: u32) -> bool {
    let body = format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"changes":[{{"field":"n{number}","value":{{}}}}]}}]}}"#
    );
    let signature = signature(&SECRET.into(), body.as_bytes());
    let head = format!(
        "POST /hooks/whatsapp HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-hub-signature-256: {signature}\r\n"
    );
    server.ask(&head, body.as_bytes()) == Some(200)
}

#[test]
fn what_was_answered_is_kept_whatever_is_killed_and_two_serve_one_database() {
    let home = tempfile::tempdir().unwrap();
    assert!(isp(home.path()).args(["init", "."]).stdout(Stdio::null()).status().unwrap().success());
    let (mut one, two) = (start(home.path()), start(home.path()));
    let mut answered = 0;
    for number in 0..40 {
        if number == 20 {
            // SIGKILL, in the middle.
            one.child.kill().unwrap();
        }
        let server = if number % 2 == 0 { &one } else { &two };
        answered += u32::from(hook(server, number));
    }
    assert_eq!(answered, 30, "the one that lives answers on");
    let again = start(home.path());
    assert!(hook(&again, 1_000) && hook(&again, 1) && hook(&two, 1), "said twice it is one");
    let ready = "GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";
    assert_eq!(again.ask(ready, b""), Some(200));
    let healthy = |server: &Served| {
        let asked = isp(home.path()).env("ISP_SERVE__LISTEN", &server.address).arg("health").output().unwrap();
        (asked.status.code(), String::from_utf8(asked.stdout).unwrap())
    };
    let (code, said) = healthy(&again);
    assert!(code == Some(0) && said.contains("[ok] database") && said.ends_with("ready\n"), "{said}");
    assert_eq!(healthy(&one).0, Some(6), "the one that was killed");
    let list = isp(home.path()).args(["webhook", "list", "--all", "--format", "csv"]).output().unwrap();
    let rows = String::from_utf8(list.stdout).unwrap().lines().count() - 1;
    assert_eq!(rows, 31, "each that was answered, once");
    // SIGTERM ends it in peace.
    let mut ends = again;
    let id = ends.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(ends.child.wait().unwrap().success());
}

#[test]
fn a_payment_that_a_gateway_tells_of_is_booked_once_and_by_itself() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let tripay = runtime.block_on(Simulator::start(GatewayKind::Tripay)).unwrap();
    let mut isp = Isp::new();
    isp.init();
    let path = isp.dir().join("isp.toml");
    let settings = format!(
        "{}\n[gateway.tripay]\nsandbox = true\nmerchant = \"S0001\"\nkey = \"DEV-simulated\"\nwebhook_key = \"simulated-webhook-key\"\n\
         email = \"tagihan@example.id\"\nbase_url = \"{}\"\n\n[serve]\nrun_every_minutes = 0\ndeliver_every_seconds = 0\n",
        std::fs::read_to_string(&path).unwrap(),
        tripay.base_url()
    );
    std::fs::write(&path, settings).unwrap();
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp.ok(&["--on", "2026-01-05", "bill"]);
    let asked =
        isp.json(&["--on", "2026-01-05", "payment-request", "add", "P001", "--gateway", "tripay", "--channel", "qris"]);
    let reference = asked[0]["reference"].as_str().unwrap();
    assert!(tripay.pay(
        reference,
        Money::rupiah(165_000),
        Money::rupiah(1_900),
        "2026-01-05T05:00:00Z".parse().unwrap()
    ));
    let told = tripay.webhook(reference).unwrap();

    let server = start(isp.dir());
    let headers: String = told.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let post = |body: &[u8]| {
        let head = format!("POST /hooks/tripay HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}");
        server.ask(&head, body)
    };
    let mut forged = told.body.clone();
    *forged.last_mut().unwrap() = b' ';
    assert_eq!(post(&forged), Some(401), "a byte of it was changed");
    assert_eq!([post(&told.body), post(&told.body)], [Some(200), Some(200)]);
    let open = || isp.json(&["invoice", "list", "--customer", "P001", "--open"]).as_array().unwrap().len();
    let began = Instant::now();
    while open() > 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "{}", isp.ok(&["webhook", "list", "--all"]));
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(post(&told.body), Some(200), "told again when it is booked already");
    let payments = isp.json(&["payment", "list"]);
    assert_eq!((payments.as_array().unwrap().len(), &payments[0]["amount"]), (1, &165_000.into()), "{payments}");

    // What the doctor says of the gateway: its webhooks came; with another key it would answer nothing.
    let gateway = |isp: &Isp, day: &str| {
        let (out, _) = isp.exit(5, &["--format", "json", "--on", day, "doctor"]);
        let found: serde_json::Value = serde_json::from_str(&out).unwrap();
        let kinds = found.as_array().unwrap().iter().map(|row| row["finding"].as_str().unwrap().to_owned());
        kinds.filter(|kind| kind.starts_with("gateway")).collect::<Vec<_>>()
    };
    assert_eq!(gateway(&isp, "2026-01-06"), Vec::<String>::new());
    isp.set("ISP_GATEWAY__TRIPAY__KEY", "DEV-another");
    assert_eq!(gateway(&isp, "2026-01-06"), ["gateway.unreachable"]);
}

#[test]
fn the_doctor_names_each_gateway_that_does_not_answer() {
    let isp = Isp::new();
    isp.init();
    let path = isp.dir().join("isp.toml");
    let settings: String = ["midtrans", "xendit", "tripay", "duitku"]
        .map(|kind| {
            format!(
                "\n[gateway.{kind}]\nsandbox = true\nmerchant = \"S0001\"\nkey = \"DEV-simulated\"\nwebhook_key = \"simulated\"\n\
                 email = \"tagihan@example.id\"\ncallback_url = \"https://example.id/hooks/{kind}\"\nbase_url = \"http://127.0.0.1:1\"\n"
            )
        })
        .concat();
    std::fs::write(&path, std::fs::read_to_string(&path).unwrap() + &settings).unwrap();
    let (out, err) = isp.exit(5, &["--format", "json", "--on", "2026-01-06", "doctor"]);
    let found: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
    let silent = found.as_array().unwrap().iter().filter(|row| row["finding"] == "gateway.unreachable");
    let mut named: Vec<&str> =
        silent.map(|row| row["what"].as_str().unwrap().split(&[' ', ':']).nth(2).unwrap()).collect();
    named.sort_unstable();
    assert_eq!(named, ["duitku", "midtrans", "tripay", "xendit"]);
}
