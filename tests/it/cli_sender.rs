//! Every text that asks for money names who asks (rule N6), once the provider has set its name; until then that is told.

use crate::cli::served::Served;
use crate::cli::{Isp, Stage};

/// Reminders leave while nobody is named, since nobody should be isolated unasked; it is told of everywhere. Once the name is set
/// they say it, by templates of other names.
#[test]
fn a_demand_in_nobodys_name_is_told_and_the_next_one_has_it() {
    let mut stage = Stage::bare();
    stage.isp.set("ISP_PROVIDER__NAME", "");
    let mut stage = stage.provided();
    let isp = &stage.isp;
    let (_, told) = isp.exit(0, &["config", "show"]);
    assert!(told.contains("[provider]"), "{told}");
    let (out, _) = isp.exit(5, &["doctor"]);
    assert!(out.contains("sender.unset") && out.contains("isp init --name"), "{out}");
    let found = isp.exit(5, &["--format", "json", "--lang", "en", "doctor", "--offline"]).0;
    assert!(found.contains("do not say who asks"), "{found}");

    isp.exit(0, &["--on", "2026-01-05", "run"]);
    let (_, told) = isp.exit(0, &["--on", "2026-01-12", "run"]);
    assert!(told.contains("1 pesan menagih tanpa menyebut siapa penagihnya"), "{told}");
    assert_eq!(stage.messages(), ["isp_tagihan_pengingat"]);

    stage.isp.set("ISP_PROVIDER__NAME", "Warga Net RT 05");
    let isp = &stage.isp;
    let (_, told) = isp.exit(0, &["--on", "2026-01-14", "run"]);
    assert!(!told.contains("menagih"), "{told}");
    let last = stage.whatsapp.messages().pop().unwrap();
    assert!(last.template.ends_with("_2"), "{}", last.template);
    assert!(last.text.reveal().contains("Warga Net RT 05"));
    assert_eq!(isp.exit(0, &["config", "show"]).1, "");
    assert!(!isp.exit(5, &["doctor", "--offline"]).0.contains("sender.unset"));
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
