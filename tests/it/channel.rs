//! A channel's fault is not a message's (rule N8), and a message has an age (rule N7): told with the real program before
//! the simulated Cloud API.

use crate::cli::Stage;
use isp::whatsapp::graph::GraphCode;
use isp::whatsapp::simulator::Fault;

const LINES: usize = 40;

/// A provider with many customers whose reminders are due at this moment.
const REMINDED: &[&str] = &["--on", "2026-01-08", "--at", "09:00"];

fn provider() -> Stage {
    let mut stage = Stage::bare();
    stage.isp.set("ISP_WHATSAPP__DEADLINE_SECONDS", "1");
    stage.isp.init();
    let rows = |head: &str, row: &dyn Fn(usize) -> String| {
        std::iter::once(head.to_owned()).chain((0..LINES).map(row)).collect::<Vec<_>>().join("\n")
    };
    let customers = rows("id_pelanggan,nama,alamat,telepon,bahasa", &|n| {
        let language = if n % 2 == 0 { "id" } else { "en" };
        format!("P{n:03},Warga {n},Jl. {n},0812345600{n:02},{language}")
    });
    let lines = rows("id_pelanggan,paket,router,username,password,mulai,siklus", &|n| {
        format!("P{n:03},H20,R1,warga{n},pw{n},2026-01-01,bulanan")
    });
    let router = stage.router.address();
    stage.isp.write(&[
        ("sites.csv", "kode,nama,zona\nBDG,Bandung,WIB\n"),
        ("routers.csv", &format!("kode,site,alamat,username,password\nR1,BDG,{router},isp,rahasia-router\n")),
        ("packages.csv", "kode,nama,harga,ppn,kecepatan,grup\nH20,Rumah 20,165000,termasuk,20,h20\n"),
        ("customers.csv", &customers),
        ("subscriptions.csv", &lines),
    ]);
    stage.isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    stage.isp.ok(&["--on", "2026-01-01", "bill"]);
    stage.isp.ok(&["--on", "2026-01-01", "router", "apply", "--approve"]);
    stage.isp.ok(&["--on", "2026-01-01", "deliver"]);
    stage.isp.ok(&[REMINDED, &["remind"]].concat());
    stage
}

fn count(stage: &Stage, state: &str) -> usize {
    let rows = stage.isp.json(&["outbox", "list", "--topic", "message", "--state", state]);
    rows.as_array().unwrap().len()
}

/// Delivers in vain, the given number of times: messages wait without being counted, the operator is told each time, one
/// message a delivery is risked at most, and when it is over everybody gets theirs once.
fn waits(stage: &Stage, times: u64, what: &str) {
    for time in 0..times {
        let at = format!("09:{:02}", time * 4);
        let (_, err) = stage.isp.exit(5, &["--on", "2026-01-08", "--at", &at, "--lang", "en", "deliver"]);
        assert!(err.contains("message channel is stopped"), "{what}: {err}");
        assert!(stage.whatsapp.requests() <= time + 1, "{what}: {} requests", stage.whatsapp.requests());
    }
    assert_eq!(count(stage, "pending"), LINES, "{what}");
    stage.whatsapp.recover();
    stage.isp.ok(&["--on", "2026-01-08", "--at", "12:00", "deliver"]);
    assert_eq!(stage.messages().len(), LINES, "{what}");
    assert!(stage.whatsapp.duplicates().is_empty(), "{what}");
}

#[test]
fn a_channel_that_does_not_answer_costs_no_message() {
    for fault in [Fault::Status(503), Fault::Status(500), Fault::Status(200), Fault::Status(429), Fault::Hang] {
        let stage = provider();
        stage.whatsapp.fail_always(fault);
        waits(&stage, 1, &format!("{fault:?}"));
    }
}

/// The look at the number is answered, and each message refused.
#[test]
fn a_refusal_that_concerns_the_number_or_the_account_costs_no_message() {
    for (code, times) in [(130_429, 14), (33, 1), (190, 1), (131_005, 1), (131_016, 1), (131_051, 1), (133_010, 1)] {
        let stage = provider();
        for n in 0..LINES {
            stage.whatsapp.fail_recipient(format!("62812345600{n:02}"), GraphCode(code));
        }
        waits(&stage, times, &code.to_string());
    }
}

/// Three hours in which Meta refuses every message with a code that says nothing of the number: it answers 131000 when its services
/// are down, there will be codes that nobody knows, and 100 says that the request is wrong.
#[test]
fn what_is_said_to_every_message_is_no_message_s_fault() {
    let channel = "message channel is stopped";
    for (code, told) in [(131_000, channel), (100, "rests")] {
        let stage = provider();
        for n in 0..LINES {
            stage.whatsapp.fail_recipient(format!("62812345600{n:02}"), GraphCode(code));
        }
        for minutes in (0..180).step_by(12) {
            let at = format!("{:02}:{:02}", 9 + minutes / 60, minutes % 60);
            let (_, err) = stage.isp.exit(5, &["--on", "2026-01-08", "--at", &at, "--lang", "en", "deliver"]);
            assert!(err.contains(told), "{code}: {err}");
        }
        assert_eq!(count(&stage, "pending"), LINES, "{code}: {} requests", stage.whatsapp.requests());
        stage.whatsapp.recover();
        stage.isp.ok(&["--on", "2026-01-08", "--at", "12:20", "deliver"]);
        assert_eq!(stage.messages().len(), LINES, "{code}");
        assert!(stage.whatsapp.duplicates().is_empty(), "{code}");
    }
}

/// What was lost after it was taken may be on the phone: that one is unknown for good, and only that one.
#[test]
fn an_answer_that_is_lost_costs_one_message_and_not_a_hundred() {
    for fault in [Fault::ReplyLost, Fault::StatusAfterAccept(502), Fault::Garbled] {
        let stage = provider();
        stage.whatsapp.fail_always(fault);
        let (_, err) = stage.isp.exit(5, &[REMINDED, &["--lang", "en", "deliver"]].concat());
        assert!(err.contains("message channel is stopped") && err.contains("isp outbox list --state unknown"), "{err}");
        assert_eq!((count(&stage, "unknown"), count(&stage, "pending")), (1, LINES - 1), "{fault:?}");
        stage.whatsapp.recover();
        stage.isp.ok(&["--on", "2026-01-08", "--at", "09:10", "deliver"]);
        assert_eq!(stage.messages().len(), LINES, "{fault:?}");
        assert_eq!(count(&stage, "unknown"), 1, "it is not sent again by itself");
        assert!(stage.whatsapp.duplicates().is_empty());
    }
}

/// A token file with a second line stops the channel, and nothing else.
#[test]
fn a_token_with_a_second_line_keeps_the_messages() {
    let mut stage = provider();
    stage.isp.set("ISP_WHATSAPP__ACCESS_TOKEN", "simulated-access-token\nsecond");
    let (_, err) = stage.isp.exit(5, &[REMINDED, &["--lang", "en", "deliver"]].concat());
    assert!(err.contains("second line") && !err.contains("simulated-access-token"), "{err}");
    assert_eq!((count(&stage, "pending"), stage.whatsapp.requests()), (LINES, 0));
    stage.isp.set("ISP_WHATSAPP__ACCESS_TOKEN", "simulated-access-token");
    stage.isp.ok(&[REMINDED, &["deliver"]].concat());
    assert_eq!(stage.messages().len(), LINES);
}

/// A paused template stops its own messages only, and one command sends them all again.
#[test]
fn a_paused_template_stops_only_its_own_messages() {
    let stage = provider();
    for n in (0..LINES).filter(|n| n % 2 == 1) {
        stage.whatsapp.fail_recipient(format!("62812345600{n:02}"), GraphCode(132_015));
    }
    let (_, err) = stage.isp.exit(5, &[REMINDED, &["--lang", "en", "deliver"]].concat());
    assert!(err.contains("isp_tagihan_pengingat_2/en"), "{err}");
    assert_eq!((stage.messages().len(), count(&stage, "pending")), (LINES / 2, LINES / 2));
    stage.whatsapp.recover();
    // Not before a while by itself; at once when somebody says so.
    stage.isp.ok(&["--on", "2026-01-08", "--at", "09:05", "deliver"]);
    assert_eq!(stage.messages().len(), LINES / 2);
    stage.isp.fails(4, &[REMINDED, &["outbox", "retry", "--template", "isp_lain"]].concat(), "cli.not_found");
    // The log of changes tells how many there were, and nothing where nothing was changed.
    let newest = || {
        let entries = stage.isp.json(&["audit", "show", "--last", "1"]);
        (entries[0]["command"].as_str().unwrap().to_owned(), entries[0]["changes"].as_str().unwrap().to_owned())
    };
    assert_ne!(newest().0, "outbox retry");
    let again = stage.isp.json(&[REMINDED, &["outbox", "retry"]].concat());
    assert_eq!(again[0]["again"], LINES / 2);
    assert_eq!(newest().0, "outbox retry");
    assert!(newest().1.contains(&format!("\"count\":{}", LINES / 2)), "{}", newest().1);
    stage.isp.ok(&["--on", "2026-01-08", "--at", "09:06", "deliver"]);
    assert_eq!(stage.messages().len(), LINES);
    assert!(stage.whatsapp.duplicates().is_empty());
}

/// One row, whole.
#[test]
fn a_row_of_the_outbox_can_be_shown() {
    let stage = provider();
    let rows = stage.isp.json(&["outbox", "list", "--topic", "message"]);
    let id = rows[0]["id"].as_str().unwrap();
    let row = stage.isp.json(&["outbox", "show", id]);
    assert_eq!((&row[0]["id"], &row[0]["customer"]), (&rows[0]["id"], &rows[0]["customer"]));
    stage.isp.fails(4, &["outbox", "show", "01900000-0000-7000-8000-000000000000"], "cli.not_found");
}

/// A message is read before it leaves: the words are those that the channel gets, and the number is masked.
#[test]
fn the_text_of_a_message_is_known_before_it_leaves() {
    let mut stage = provider();
    stage.isp.set("ISP_PROVIDER__PAY_TO", r#"["BCA 123 a.n. Sari"]"#);
    let rows = stage.isp.json(&["outbox", "list", "--topic", "message", "--customer", "P002"]);
    let id = rows[0]["id"].as_str().unwrap();
    let shown = &stage.isp.json(&[REMINDED, &["outbox", "show", id]].concat())[0];
    let text = shown["text"].as_str().unwrap().to_owned();
    assert!(text.contains("Warga 2") && text.contains("Contoh Net") && text.contains("BCA 123 a.n. Sari"), "{text}");
    assert_eq!((shown["phone"].as_str(), &shown["not_sent"]), (Some("+62***002"), &serde_json::Value::Null));
    let said = stage.isp.ok(&[REMINDED, &["outbox", "show", id]].concat());
    assert!(said.contains(&text) && said.contains("Kepada +62***002"), "{said}");
    assert!(!said.contains("81234560002"), "{said}");
    stage.isp.ok(&[REMINDED, &["deliver"]].concat());
    let sent: Vec<String> = stage.whatsapp.messages().iter().map(|m| m.text.reveal().to_owned()).collect();
    assert!(sent.contains(&text), "{text}");
    let shown = &stage.isp.json(&[REMINDED, &["outbox", "show", id]].concat())[0];
    assert_eq!((shown["state"].as_str(), &shown["text"]), (Some("done"), &serde_json::Value::Null));
}

/// What `remind` would queue, with its words; nothing is written, and what is queued already is not told again.
#[test]
fn reminders_are_read_before_they_are_queued() {
    let stage = provider();
    assert_eq!(stage.isp.json(&[REMINDED, &["remind", "--dry-run"]].concat()), serde_json::json!([]));
    let late = ["--on", "2026-01-20", "--at", "22:00"];
    let before = count(&stage, "pending");
    let rows = stage.isp.json(&[&late[..], &["remind", "--dry-run"]].concat());
    let rows = rows.as_array().unwrap();
    assert_eq!((rows.len(), count(&stage, "pending")), (LINES, before));
    let first = &rows[0];
    assert_eq!(first["leaves"].as_str(), Some("2026-01-21 08:00 WIB"), "after the quiet hours");
    assert!(first["text"].as_str().unwrap().contains("lewat jatuh tempo"), "{first}");
    let said = stage.isp.ok(&[&late[..], &["remind", "--dry-run"]].concat());
    assert!(said.contains("40 pengingat akan diantrekan") && said.contains("Warga 4 (P004)"), "{said}");
    let queued = &stage.isp.json(&[&late[..], &["remind"]].concat())[0]["queued"];
    assert_eq!(queued.as_u64(), Some(LINES as u64));
}

/// Without Meta: the words with a link for each, and what was sent by hand stays sent.
#[test]
fn a_message_is_sent_by_hand_once() {
    let stage = provider();
    let waiting = |more: &[&str]| stage.isp.json(&[REMINDED, &["outbox", "text"], more].concat());
    let rows = waiting(&["--customer", "P003"]);
    let [row] = rows.as_array().unwrap().as_slice() else { panic!("{rows}") };
    let link = row["link"].as_str().unwrap();
    assert!(link.starts_with("https://wa.me/6281234560003?text=Hello%20Warga%203%2C"), "{link}");
    assert!(!link.contains(' ') && !link.contains('\n'), "{link}");
    assert_eq!(waiting(&["--kind", "overdue"]), serde_json::json!([]));
    assert_eq!(waiting(&[]).as_array().unwrap().len(), LINES);

    let id = row["id"].as_str().unwrap();
    let done = [REMINDED, &["outbox", "done", &id[28..], "--by", "Sari"]].concat();
    let said = stage.isp.ok(&done);
    assert!(said.contains("1 pesan tercatat dikirim dengan tangan oleh Sari"), "{said}");
    let shown = &stage.isp.json(&["outbox", "show", id])[0];
    assert_eq!((shown["state"].as_str(), shown["note"].as_str()), (Some("done"), Some("sent by hand, says Sari")));
    assert_eq!(shown["finished"].as_str(), Some("2026-01-08 09:00 WIB"));
    let newest = &stage.isp.json(&["audit", "show", "--last", "1"])[0];
    assert_eq!((newest["command"].as_str(), newest["by"].as_str()), (Some("outbox done"), Some("Sari")));
    assert!(
        stage.isp.fails(4, &done, "outbox.not_to_settle").contains(&format!("pesan {id} tidak bisa")),
        "it is named"
    );
    // An attacker's list: of several ids, one that is wrong is named, and nothing is noted.
    let other = waiting(&["--customer", "P004"])[0]["id"].as_str().unwrap().to_owned();
    let both =
        |wrong: &str| [REMINDED, &["outbox", "done", &other, wrong]].concat().iter().map(|w| (*w).to_owned()).collect();
    let fails = |words: Vec<String>, code: &str| {
        stage.isp.fails(4, &words.iter().map(String::as_str).collect::<Vec<_>>(), code)
    };
    let gone = fails(both(id), "outbox.not_to_settle");
    assert!(gone.contains(id) && !gone.contains(&other), "{gone}");
    let unknown = fails(both("0000ffff"), "cli.not_found");
    assert!(unknown.contains("0000ffff") && !unknown.contains(&other), "{unknown}");
    assert_eq!(stage.isp.json(&["outbox", "show", &other])[0]["state"], "pending");
    assert_eq!(waiting(&["--customer", "P003"]), serde_json::json!([]));

    let by_customer = ["outbox", "done", "--customer", "P005", "--customer", "P006"];
    assert_eq!(stage.isp.json(&[REMINDED, &by_customer].concat()).as_array().unwrap().len(), 2);
    stage.isp.fails(4, &[REMINDED, &by_customer].concat(), "cli.not_found");
    stage.isp.ok(&[REMINDED, &["deliver"]].concat());
    assert_eq!(stage.messages().len(), LINES - 3, "what went by hand does not go again");
    stage.isp.fails(4, &[REMINDED, &["outbox", "done", &id[28..]]].concat(), "outbox.not_to_settle");
}
