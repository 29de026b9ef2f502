//! Every text that asks for money names who asks (rule N6): without a name it waits, and that is told.

use crate::cli::served::Served;
use crate::cli::{Isp, Stage};

/// Reminders wait while nobody is named, are told of everywhere, and go out once the name is set; a receipt asks for nothing and leaves.
#[test]
fn a_demand_in_nobodys_name_waits_and_is_told() {
    let mut stage = Stage::bare();
    stage.isp.set("ISP_PROVIDER__NAME", "");
    let mut stage = stage.provided();
    let isp = &stage.isp;
    let (_, told) = isp.exit(0, &["config", "show"]);
    assert!(told.contains("[provider]"), "{told}");
    let (out, _) = isp.exit(5, &["doctor"]);
    assert!(out.contains("sender.unset") && out.contains("isp init --name"), "{out}");
    let found = isp.exit(5, &["--format", "json", "--lang", "en", "doctor", "--offline"]).0;
    assert!(found.contains("nobody is named who asks"), "{found}");

    isp.exit(0, &["--on", "2026-01-05", "run"]);
    let (_, told) = isp.exit(5, &["--on", "2026-01-12", "run"]);
    assert!(told.contains("1 pesan yang menagih menunggu"), "{told}");
    assert_eq!(stage.messages(), [""; 0]);
    let waits = isp.json(&["outbox", "list", "--topic", "message"]);
    assert_eq!((waits.as_array().unwrap().len(), waits[0]["state"].as_str()), (1, Some("pending")), "{waits}");
    assert_eq!(waits[0]["note"], "no_sender", "{waits}");

    isp.ok(&["--on", "2026-01-12", "payment", "add", "P001", "165000", "--reference", "KW-1"]);
    isp.exit(5, &["--on", "2026-01-12", "--at", "12:30", "deliver"]);
    assert_eq!(stage.messages(), ["isp_pembayaran_diterima"], "a receipt asks for nothing");

    stage.isp.set("ISP_PROVIDER__NAME", "Warga Net RT 05");
    let isp = &stage.isp;
    isp.ok(&["--on", "2026-01-12", "--at", "12:40", "run"]);
    assert_eq!(stage.messages().len(), 2, "{:?}", stage.messages());
    let last = stage.whatsapp.messages().pop().unwrap();
    assert_eq!(last.template, "isp_tagihan_pengingat_2");
    assert!(last.text.reveal().contains("Warga Net RT 05"));
    assert_eq!(isp.exit(0, &["config", "show"]).1, "");
    assert!(!isp.exit(5, &["doctor", "--offline"]).0.contains("sender.unset"));
}

/// Who never sets the name is told, when reminders are given up, that it was for that; also when a night lay in between.
#[test]
fn a_demand_that_grew_old_in_nobodys_name_says_so() {
    let mut stage = Stage::bare();
    stage.isp.set("ISP_PROVIDER__NAME", "");
    let stage = stage.provided();
    let isp = &stage.isp;
    isp.exit_any(&[0, 5], &["--on", "2026-01-05", "run"]);
    isp.exit_any(&[0, 5], &["--on", "2026-01-14", "--at", "09:00", "run", "--approve-all"]);
    isp.exit_any(&[0, 5], &["--on", "2026-01-16", "--at", "07:00", "deliver"]);
    let (out, told) = isp.exit(5, &["--lang", "en", "--on", "2026-01-17", "--at", "09:00", "deliver"]);
    assert!(told.contains("grew too old and were dropped: nobody was named who asks"), "{out} {told}");
    let gone = isp.json(&["outbox", "list", "--topic", "message", "--state", "dropped"]);
    let mut notes: Vec<&str> = gone.as_array().unwrap().iter().map(|row| row["note"].as_str().unwrap()).collect();
    notes.sort_unstable();
    assert_eq!(notes, ["past_due: no_sender", "too_old: no_sender"], "{gone}");
    assert_eq!(stage.messages(), [""; 0]);
}

/// Without a sending number nothing is sent, so nothing is said of it where only that would be the news.
#[test]
fn the_name_is_set_when_a_provider_is_founded() {
    let isp = Isp::new();
    let (_, told) = isp.exit(0, &["init", "bare"]);
    assert!(told.contains("[provider]"), "{told}");
    let (_, told) = isp.exit(0, &["init", "named", "--name", "Warga \"Net\" RT 05"]);
    assert_eq!(told, "");
    let shown = isp.json(&["--config", "named/isp.toml", "config", "show"]);
    let name = shown.as_array().unwrap().iter().find(|row| row["setting"] == "provider.name").unwrap();
    assert_eq!(name["value"], "Warga \"Net\" RT 05");
    isp.ok(&["init", "named", "--name", "Warga \"Net\" RT 05"]);
    isp.fails(2, &["init", "named", "--name", "Lain"], "cli.usage");
    isp.fails(3, &["init", "third", "--name", " "], "value.empty");
    isp.fails(3, &["init", "third", "--name", &"x".repeat(61)], "value.too_long");
    assert!(!isp.dir().join("third").exists(), "a bad name leaves nothing behind");
}

/// Where customers' pages have an address, who is asked for money is given a link to the own page, another one each time; a
/// receipt asks for nothing and has none.
#[test]
fn a_demand_carries_a_link_to_the_page_of_who_is_asked() {
    const PAGES: &str = "https://bayar.example.id/t/";
    let mut stage = Stage::new();
    stage.isp.ok(&["--on", "2026-01-05", "run"]);
    stage.isp.ok(&["--on", "2026-01-08", "run"]);
    let before = stage.whatsapp.messages();
    assert!(!before.is_empty() && before.iter().all(|message| !message.text.reveal().contains("https://")));

    stage.isp.set("ISP_SERVE__PUBLIC_URL", "https://bayar.example.id");
    stage.isp.ok(&["--on", "2026-01-14", "run"]);
    let reminders = stage.whatsapp.messages().split_off(before.len());
    let tokens: Vec<String> = reminders
        .iter()
        .map(|message| {
            let text = message.text.reveal();
            assert_eq!(text.matches(PAGES).count(), 1, "{}", message.template);
            text.split(PAGES).nth(1).unwrap().chars().take(32).collect()
        })
        .collect();
    assert!(tokens.len() > 1, "Budi and Siti have not paid");
    assert_ne!(tokens[0], tokens[1]);

    stage.isp.ok(&["--on", "2026-01-15", "payment", "add", "P001", "165000", "--reference", "KW-1"]);
    stage.isp.ok(&["--on", "2026-01-15", "deliver"]);
    let last = stage.whatsapp.messages().pop().unwrap();
    assert!(last.template.starts_with("isp_pembayaran_diterima"), "{}", last.template);
    assert!(!last.text.reveal().contains(PAGES));

    let idle = [("ISP_SERVE__RUN_EVERY_MINUTES", "0"), ("ISP_SERVE__DELIVER_EVERY_SECONDS", "0")];
    let server = Served::start(stage.isp.dir(), &idle);
    let page = |token: &str| {
        server
            .answer(&format!("GET /t/{token} HTTP/1.1\r\nhost: bayar.example.id\r\nconnection: close\r\n"), b"")
            .unwrap()
    };
    // The one who paid in January has nothing to see any more, the one who did not sees what is owed.
    let (open, over): (Vec<_>, Vec<_>) =
        tokens.iter().map(|token| page(token)).partition(|page| page.starts_with("HTTP/1.1 200"));
    assert!(open.len() == 1 && open[0].contains("Rp111.000"), "{open:?}");
    assert!(over.len() == 1 && over[0].starts_with("HTTP/1.1 404"), "{over:?}");
    assert!(page(&"a".repeat(32)).starts_with("HTTP/1.1 404"));
}
