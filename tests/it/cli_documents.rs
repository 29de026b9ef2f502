//! Papers go with messages where the settings say that templates have a document.

use isp_whatsapp::graph::GraphCode;
use isp_whatsapp::simulator::Fault;

use crate::cli::Stage;

/// A provider whose reminders and receipts have a document, on the 12th: the invoice of P002 falls due in three days.
fn stage() -> Stage {
    let mut stage = Stage::new();
    stage.isp.set("ISP_WHATSAPP__DOCUMENTS", r#"["due_soon", "overdue", "payment_received"]"#);
    stage.isp.set("ISP_PAPER__NPWP", "01.234.567.8-901.000");
    stage.isp.ok(&["--on", "2026-01-05", "run"]);
    stage
}

fn number(stage: &Stage, customer: &str) -> String {
    let invoices = stage.isp.json(&["invoice", "list", "--customer", customer]);
    invoices[0]["invoice"].as_str().unwrap().to_owned()
}

fn printed(stage: &Stage, arguments: &[&str]) -> Vec<u8> {
    stage.isp.ok(&[arguments, &["--pdf", "out.pdf"]].concat());
    std::fs::read(stage.isp.dir().join("out.pdf")).unwrap()
}

/// What can be read on the first sheet of a PDF file.
fn read(file: &[u8]) -> String {
    lopdf::Document::load_mem(file).unwrap().extract_text(&[1]).unwrap()
}

#[test]
fn a_reminder_goes_with_its_invoice_and_a_payment_with_its_receipt() {
    let stage = stage();
    let isp = &stage.isp;
    isp.ok(&["--on", "2026-01-12", "run"]);
    isp.ok(&["--on", "2026-01-12", "run"]);
    let [reminder] = stage.whatsapp.messages().try_into().unwrap();
    assert!(reminder.template.ends_with("_pdf"), "{}", reminder.template);
    let file = reminder.document.unwrap();
    let invoice = number(&stage, "P002");
    assert_eq!(file.name, format!("{invoice}.pdf"));
    assert!(file.content.starts_with(b"%PDF-"));

    isp.ok(&["--on", "2026-01-12", "payment", "add", "P002", "50000", "--reference", "KW-1"]);
    isp.ok(&["--on", "2026-01-12", "deliver"]);
    let receipt = stage.whatsapp.messages().pop().unwrap().document.unwrap();
    assert_eq!(receipt.name, "KW-1.pdf");
    let text = read(&receipt.content);
    assert!(text.contains("RECEIPT") && text.contains("Rp 50.000") && text.contains("NPWP 01.234"), "{text}");
    assert_eq!(text, read(&printed(&stage, &["receipt", "print", "cash", "KW-1"])), "what is printed");
    // Overdue, with what is left now: the file is made when the message leaves.
    isp.ok(&["--on", "2026-01-18", "run"]);
    let last = stage.whatsapp.messages().pop().unwrap();
    let file = last.document.unwrap();
    assert_eq!(
        file.name,
        format!("{}.pdf", number(&stage, if last.text.reveal().contains("Budi") { "P001" } else { "P002" }))
    );
    assert_eq!(stage.whatsapp.duplicates(), []);
}

#[test]
fn a_page_and_a_pdf_file_need_a_name_each() {
    let stage = stage();
    let invoice = number(&stage, "P001");
    let told = stage.isp.fails(2, &["invoice", "print", &invoice, "--html", "a.pdf", "--pdf", "a.pdf"], "cli.usage");
    assert!(told.contains("a.pdf") && told.contains("--html"), "{told}");
    assert!(!stage.isp.dir().join("a.pdf").exists());
}

/// A file that does not arrive is no message: it waits, and goes once when the channel is back.
#[test]
fn an_upload_that_fails_sends_nothing_and_is_tried_again() {
    let stage = stage();
    let isp = &stage.isp;
    stage.whatsapp.fail_uploads(1, Fault::ReplyLost);
    isp.exit(5, &["--on", "2026-01-12", "run"]);
    assert_eq!((stage.whatsapp.messages().len(), stage.whatsapp.requests()), (0, 0));
    let waiting = isp.json(&["outbox", "list", "--topic", "message"]);
    assert_eq!(waiting[0]["state"], "pending", "{waiting}");
    stage.whatsapp.fail_next(1, Fault::Graph(GraphCode(131_053)));
    isp.exit_any(&[0, 5], &["--on", "2026-01-12", "--at", "13:00", "deliver"]);
    assert_eq!((stage.whatsapp.messages().len(), stage.whatsapp.uploads()), (0, 2), "Meta did not find the file");
    isp.ok(&["--on", "2026-01-12", "--at", "13:30", "deliver"]);
    assert_eq!((stage.whatsapp.messages().len(), stage.whatsapp.uploads()), (1, 3), "uploaded anew");
    isp.ok(&["--on", "2026-01-12", "--at", "14:00", "deliver"]);
    assert_eq!(stage.whatsapp.messages().len(), 1);
    // The message itself without an answer: nobody knows, and nothing sends it again.
    stage.whatsapp.fail_next(1, Fault::ReplyLost);
    isp.exit(5, &["--on", "2026-01-18", "run"]);
    let sent = stage.whatsapp.messages().len();
    isp.exit_any(&[0, 5], &["--on", "2026-01-18", "--at", "15:00", "deliver"]);
    assert_eq!(stage.whatsapp.duplicates(), []);
    assert!(stage.whatsapp.messages().len() >= sent);
}

/// A logo that cannot be read any more holds a message back, and tells; nothing leaves without its paper.
#[test]
fn a_paper_that_cannot_be_made_holds_its_message_back() {
    let mut stage = stage();
    stage.isp.set("ISP_PAPER__LOGO", "logo.png");
    std::fs::write(stage.isp.dir().join("logo.png"), "no picture").unwrap();
    let (_, told) = stage.isp.exit(5, &["--on", "2026-01-12", "run"]);
    assert!(told.contains("isp_tagihan_pengingat_2_pdf") && told.contains("paper.logo"), "{told}");
    assert_eq!(stage.whatsapp.requests(), 0);
    let waiting = stage.isp.json(&["outbox", "list", "--topic", "message"]);
    assert!(waiting[0].to_string().contains("paper.logo"), "{waiting}");
    std::fs::remove_file(stage.isp.dir().join("logo.png")).unwrap();
    stage.isp.set("ISP_PAPER__LOGO", "");
    stage.isp.ok(&["--on", "2026-01-12", "--at", "14:00", "deliver"]);
    assert_eq!(stage.whatsapp.messages().len(), 1);
}

#[test]
fn the_settings_name_kinds_that_have_papers() {
    let mut stage = stage();
    stage.isp.set("ISP_WHATSAPP__DOCUMENTS", r#"["reopened"]"#);
    let told = stage.isp.fails(2, &["invoice", "list"], "cli.config");
    assert!(told.contains("WHATSAPP__DOCUMENTS") || told.contains("whatsapp.documents"), "{told}");
    assert!(told.contains("due_soon, overdue, isolated, dan payment_received"), "{told}");
}

#[test]
fn an_invoice_is_sent_once_with_all_that_is_owed_and_again_only_when_told() {
    let stage = stage();
    let isp = &stage.isp;
    let invoice = number(&stage, "P001");
    let said = isp.ok(&["--on", "2026-01-06", "invoice", "send", &invoice]);
    assert!(said.contains(&invoice) && said.contains("P001") && said.contains("2026-01-06 12:00"), "{said}");
    let told = isp.fails(2, &["--on", "2026-01-07", "invoice", "send", &invoice], "cli.usage");
    assert!(told.contains("--again"), "{told}");
    isp.ok(&["--on", "2026-01-07", "deliver"]);
    let [message] = stage.whatsapp.messages().try_into().unwrap();
    let file = message.document.unwrap();
    assert_eq!(file.name, format!("{invoice}.pdf"));
    assert!(file.content == printed(&stage, &["invoice", "print", &invoice]), "the paper that is printed");
    assert!(message.text.reveal().contains(&invoice));
    // It is sent, and still not sent twice; past its due date neither.
    for day in ["2026-01-08", "2026-01-19"] {
        isp.fails(2, &["--on", day, "invoice", "send", &invoice], "cli.usage");
    }
    let queued = isp.json(&["--on", "2026-01-08", "invoice", "send", &invoice, "--again"]);
    assert_eq!((queued[0]["what"].as_str(), queued[0]["number"].as_str()), (Some("due_soon"), Some(invoice.as_str())));
    isp.ok(&["--on", "2026-01-08", "deliver"]);
    assert_eq!((stage.whatsapp.messages().len(), stage.whatsapp.duplicates().len()), (2, 0));

    // What is paid is asked for no more; its receipt can be sent.
    let due = isp.json(&["invoice", "list", "--customer", "P001"])[0]["open"].as_i64().unwrap().to_string();
    isp.ok(&["--on", "2026-01-09", "payment", "add", "P001", &due, "--reference", "KW-7"]);
    let told = isp.fails(2, &["--on", "2026-01-09", "invoice", "send", &invoice, "--again"], "cli.usage");
    assert!(told.contains(&invoice), "{told}");
    let told = isp.fails(2, &["--on", "2026-01-09", "receipt", "send", "cash", "KW-7"], "cli.usage");
    assert!(told.contains("--again"), "the message of the payment counts: {told}");
    isp.ok(&["--on", "2026-01-09", "receipt", "send", "cash", "KW-7", "--again"]);
    isp.ok(&["--on", "2026-01-09", "deliver"]);
    let names: Vec<String> = stage.whatsapp.messages().into_iter().map(|m| m.document.unwrap().name).collect();
    assert_eq!(names[2..], ["KW-7.pdf", "KW-7.pdf"]);
    isp.fails(4, &["invoice", "send", "INV-202601-999999"], "cli.not_found");

    // Said with --again the first time it is the first time, and counts as sent.
    let other = number(&stage, "P002");
    isp.ok(&["--on", "2026-01-10", "invoice", "send", &other, "--again"]);
    isp.fails(2, &["--on", "2026-01-10", "invoice", "send", &other], "cli.usage");
}

/// An officer sends a bill on a day on which a reminder of it is due: the customer is asked once, whoever was first.
#[test]
fn a_bill_that_is_sent_and_the_reminder_of_the_day_are_one() {
    let stage = stage();
    let isp = &stage.isp;
    let invoice = number(&stage, "P002");
    isp.ok(&["--on", "2026-01-12", "--at", "06:00", "invoice", "send", &invoice]);
    isp.ok(&["--on", "2026-01-12", "run"]);
    assert_eq!(stage.whatsapp.messages().len(), 1);
    let told = isp.fails(2, &["--on", "2026-01-12", "invoice", "send", &invoice], "cli.usage");
    assert!(told.contains("2026-01-12 12:00") && told.contains("--again"), "{told}");
    // The reminder of the next level goes, and then it is the officer who is told.
    isp.ok(&["--on", "2026-01-18", "run"]);
    let sent = stage.whatsapp.messages().len();
    assert!(sent >= 2, "{sent}");
    isp.fails(2, &["--on", "2026-01-18", "--at", "15:00", "invoice", "send", &invoice], "cli.usage");
    let other = number(&stage, "P001");
    isp.fails(2, &["--on", "2026-01-18", "--at", "15:00", "invoice", "send", &other], "cli.usage");
    isp.ok(&["--on", "2026-01-18", "--at", "15:00", "invoice", "send", &other, "--again"]);
    isp.ok(&["--on", "2026-01-18", "--at", "15:00", "deliver"]);
    assert_eq!((stage.whatsapp.messages().len(), stage.whatsapp.duplicates().len()), (sent + 1, 0));
}

/// In the evening a bill waits for the morning, whose reminder it is then.
#[test]
fn a_bill_that_waits_for_the_morning_is_the_reminder_of_the_morning() {
    let stage = stage();
    let isp = &stage.isp;
    let invoice = number(&stage, "P002");
    isp.ok(&["--on", "2026-01-11", "--at", "21:00", "invoice", "send", &invoice]);
    isp.ok(&["--on", "2026-01-12", "--at", "08:05", "run"]);
    isp.ok(&["--on", "2026-01-12", "--at", "13:00", "run"]);
    assert_eq!((stage.whatsapp.messages().len(), stage.whatsapp.duplicates().len()), (1, 0));
}

/// The bill that was sent is paid before the message leaves: what else falls due is asked for all the same.
#[test]
fn a_reminder_that_a_bill_stands_for_is_not_lost_with_the_bill() {
    let stage = stage();
    let isp = &stage.isp;
    isp.ok(&[
        "--on",
        "2026-01-05",
        "subscription",
        "add",
        "P002",
        "--package",
        "HOME20",
        "--username",
        "siti-dua",
        "--password",
        "rahasia-2",
        "--start",
        "2026-01-05",
    ]);
    isp.ok(&["--on", "2026-01-05", "--at", "13:00", "run"]);
    let invoices = isp.json(&["invoice", "list", "--customer", "P002"]);
    let rows = invoices.as_array().unwrap();
    let due: Vec<_> = rows.iter().map(|row| row["due"].as_str().unwrap()).collect();
    assert_eq!((rows.len(), due[0]), (2, due[1]), "{invoices}");
    let (first, open) = (rows[0]["invoice"].as_str().unwrap(), rows[0]["open"].as_i64().unwrap().to_string());
    isp.ok(&["--on", "2026-01-12", "--at", "06:00", "invoice", "send", first]);
    isp.ok(&["--on", "2026-01-12", "--at", "06:10", "payment", "add", "P002", &open, "--reference", "KW-9"]);
    isp.ok(&["--on", "2026-01-12", "run"]);
    let asked = stage.whatsapp.messages().into_iter().filter(|message| message.template.contains("pengingat"));
    let asked: Vec<String> = asked.map(|message| message.text.reveal().to_owned()).collect();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(!asked[0].contains(first), "{asked:?}");
}

/// Each message with a bill asks for all that is owed: a document of several invoices, each of these, and another bill of the day
/// are one message.
#[test]
fn bills_of_one_customer_are_one_message_a_day() {
    let stage = stage();
    let isp = &stage.isp;
    isp.ok(&["--on", "2026-01-05", "customer", "invoicing", "P001", "per_customer"]);
    isp.ok(&[
        "--on",
        "2026-01-05",
        "subscription",
        "add",
        "P001",
        "--package",
        "HOME20",
        "--username",
        "budi-dua",
        "--password",
        "rahasia-2",
        "--start",
        "2026-02-01",
    ]);
    isp.ok(&["--on", "2026-02-01", "run"]);
    let invoices = isp.json(&["invoice", "list", "--customer", "P001", "--month", "2026-02"]);
    let numbers: Vec<&str> = invoices.as_array().unwrap().iter().map(|row| row["invoice"].as_str().unwrap()).collect();
    let before = stage.whatsapp.messages().len();
    for (at, number) in ["10:00", "10:10", "10:20"].iter().zip(&numbers) {
        isp.exit_any(&[0, 2], &["--on", "2026-02-02", "--at", at, "invoice", "send", number]);
        isp.ok(&["--on", "2026-02-02", "--at", at, "deliver"]);
    }
    assert!(numbers.len() > 1, "{invoices}");
    assert_eq!(stage.whatsapp.messages().len(), before + 1);
}

#[test]
fn without_a_template_that_has_a_document_nothing_is_queued() {
    let mut stage = stage();
    let invoice = number(&stage, "P001");
    stage.isp.set("ISP_WHATSAPP__DOCUMENTS", r#"["overdue"]"#);
    let told = stage.isp.fails(2, &["--on", "2026-01-06", "invoice", "send", &invoice], "cli.config");
    assert!(told.contains("whatsapp.documents") && told.contains("due_soon"), "{told}");
    stage.isp.ok(&["--on", "2026-01-06", "payment", "add", "P001", "1000", "--reference", "KW-8"]);
    let told = stage.isp.fails(2, &["--on", "2026-01-06", "receipt", "send", "cash", "KW-8"], "cli.config");
    assert!(told.contains("payment_received"), "{told}");
    let messages = stage.isp.json(&["outbox", "list", "--topic", "message"]);
    assert_eq!(messages.as_array().unwrap().len(), 1, "only what follows from the payment: {messages}");
}
