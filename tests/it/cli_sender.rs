//! Every text that asks for money names who asks (rule N6): without a name it waits, and that is told.

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
