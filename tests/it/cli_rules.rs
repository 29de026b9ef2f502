//! What officers do about money, by the binary: credit notes, write-offs, collectors, late fees, outages, installations,
//! documents, reports; in both languages, and what is said when something is wrong.

use crate::cli::{Isp, SHEETS};
use serde_json::Value;

/// The small provider in January 2026, billed as far as the 31st.
fn january() -> Isp {
    let isp = Isp::new();
    isp.init();
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    for day in ["2026-01-10", "2026-01-31"] {
        isp.ok(&["--on", day, "bill"]);
    }
    isp
}

/// The number of a customer's first invoice.
fn invoice_of(isp: &Isp, customer: &str) -> String {
    isp.json(&["invoice", "list", "--customer", customer])[0]["invoice"].as_str().unwrap().to_owned()
}

fn sum(rows: &Value, column: &str) -> i64 {
    rows.as_array().unwrap().iter().map(|row| row[column].as_i64().unwrap()).sum()
}

#[test]
fn a_credit_note_is_written_once_listed_and_shown() {
    let isp = january();
    let invoice = invoice_of(&isp, "P001");
    let add = ["--on", "2026-02-01", "credit-note", "add", &invoice, "Rp 50.000", "--reason", "salah tagih"];
    let said = isp.ok(&add);
    assert_eq!(said.trim(), format!("Nota kredit NK-202602-000001 sebesar Rp50.000 untuk {invoice}."));
    let again = isp.ok(&[&["--lang", "en"], &add[..]].concat());
    assert_eq!(again.trim(), format!("Credit note NK-202602-000001 of Rp50.000 for {invoice}."), "once");
    let listed = isp.json(&["credit-note", "list", "--customer", "P001"]);
    assert_eq!((listed.as_array().unwrap().len(), sum(&listed, "total")), (1, 50_000));
    assert_eq!(sum(&isp.json(&["credit-note", "show", "NK-202602-000001"]), "amount"), 50_000);
    assert_eq!(isp.json(&["invoice", "list", "--open", "--customer", "P001"])[0]["open"], 115_000, "it pays at once");

    let zero = isp.fails(3, &["credit-note", "add", &invoice, "0", "--reason", "x"], "value.not_positive");
    assert!(zero.contains("jumlah"), "{zero}");
    let much = isp.fails(3, &["credit-note", "add", &invoice, "115001", "--reason", "x"], "invoice.more_than_left");
    assert!(much.contains("Rp115.000"), "{much}");
    let unsaid = isp.fails(3, &["credit-note", "add", &invoice, "1000", "--reason", " "], "value.empty");
    assert!(unsaid.contains("alasan"), "{unsaid}");
    let english = ["--lang", "en", "credit-note", "add", "INV-202601-999999", "1000", "--reason", "x"];
    let unknown = isp.fails(4, &english, "cli.not_found");
    assert!(unknown.contains("invoice INV-202601-999999"), "{unknown}");
    isp.fails(4, &["credit-note", "show", "NK-209901-000001"], "cli.not_found");
}

#[test]
fn a_write_off_gives_up_and_takes_back() {
    let isp = january();
    let invoice = invoice_of(&isp, "P002");
    let add = ["--on", "2026-02-01", "write-off", "add", &invoice, "--reason", "pindah", "--by", "Sari"];
    assert_eq!(isp.ok(&add).trim(), format!("Rp111.000 dari {invoice} dihapuskan."));
    assert_eq!(isp.json(&["invoice", "list", "--open", "--customer", "P002"]).as_array().unwrap().len(), 0);
    let listed = isp.json(&["write-off", "list"]);
    assert_eq!((listed[0]["amount"].as_i64(), listed[0]["officer"].as_str()), (Some(111_000), Some("Sari")));
    let finance = isp.json(&["--on", "2026-02-02", "report", "finance", "--from", "2026-01", "--to", "2026-02"]);
    assert_eq!(finance["months"][1]["written_off"], 111_000);
    // Nothing is left of it; without a reason nothing is given up.
    isp.fails(4, &add, "store.not_found");
    let other = invoice_of(&isp, "P001");
    let unsaid = isp.fails(3, &["write-off", "add", &other, "--reason", ""], "value.empty");
    assert!(unsaid.contains("alasan"), "{unsaid}");
    let back = ["--on", "2026-02-03", "--lang", "en", "write-off", "reverse", &invoice, "--reason", "datang membayar"];
    let back = isp.ok(&back);
    assert!(back.contains("Rp111.000"), "{back}");
    assert_eq!(isp.json(&["write-off", "show", &invoice])[0]["reversed"], "datang membayar");
    assert_eq!(isp.json(&["write-off", "show", &other]), serde_json::json!([]));
    assert_eq!(isp.json(&["invoice", "list", "--open", "--customer", "P002"])[0]["open"], 111_000);
    isp.fails(4, &["write-off", "add", "INV-202601-999999", "--reason", "x"], "cli.not_found");
}

#[test]
fn a_collector_holds_what_was_not_handed_in() {
    let isp = january();
    let on = |arguments: &[&str]| isp.ok(&[&["--on", "2026-02-01"], arguments].concat());
    on(&["payment", "add", "P001", "165000", "--reference", "KW-1", "--collector", "ANTON"]);
    on(&["payment", "add", "P002", "111000", "--reference", "KW-2", "--collector", "ANTON"]);
    assert_eq!(isp.json(&["collector", "list"])[0]["holds"], 276_000);
    let said = on(&["collector", "deposit", "ANTON", "Rp 100.000", "--to", "bank"]);
    assert_eq!(said.trim(), "Setoran Rp100.000 dari ANTON dicatat.");
    let said = on(&["--lang", "en", "collector", "deposit", "ANTON", "76000"]);
    assert_eq!(said.trim(), "Deposit of Rp76.000 by ANTON booked.");
    let row = isp.json(&["collector", "list"]);
    assert_eq!((sum(&row, "collected"), sum(&row, "deposited"), sum(&row, "holds")), (276_000, 176_000, 100_000));
    assert_eq!(sum(&isp.json(&["collector", "deposits"]), "amount"), 176_000);
    let more = isp.fails(3, &["--on", "2026-02-01", "collector", "deposit", "ANTON", "100001"], "collector.holds_less");
    assert!(more.contains("Rp100.000"), "{more}");
    let zero = isp.fails(3, &["collector", "deposit", "ANTON", "0"], "value.not_positive");
    assert!(zero.contains("jumlah"), "{zero}");
    let (_, wrong) = isp.exit(2, &["collector", "deposit", "ANTON", "1000", "--to", "gudang"]);
    assert!(wrong.contains("--to"), "{wrong}");

    // Where the money is: in the office, in the bank, with the collector.
    let cash = isp.json(&["report", "cash", "--from", "2026-02", "--to", "2026-02"]);
    let closing = |account: &str| {
        let rows = cash.as_array().unwrap();
        rows.iter().find(|row| row["account"] == account).map(|row| row["closing"].as_i64().unwrap())
    };
    assert_eq!((closing("bank"), closing("collector")), (Some(100_000), Some(100_000)));
    // January's electricity was paid in cash.
    assert_eq!(closing("cash"), Some(76_000 - 250_000));
    assert!(isp.ok(&["report", "cash", "--month", "2026-02"]).contains("100.000"));
    assert!(isp.ok(&["--lang", "en", "report", "cash", "--month", "2026-02"]).contains("closing"));
}

#[test]
fn a_late_fee_is_listed_before_it_is_charged() {
    let isp = january();
    assert_eq!(
        isp.json(&["--on", "2026-01-31", "late-fee", "list"]).as_array().unwrap().len(),
        0,
        "no policy, no fees"
    );
    let config = isp.dir().join("isp.toml");
    let mut text = std::fs::read_to_string(&config).unwrap();
    text.push_str("\n[policy.late_fee]\nafter_days = 19\namount = { fixed = 10000 }\n");
    std::fs::write(&config, &text).unwrap();
    // P001 is due on 11 January, P002 on the 15th.
    let coming = isp.json(&["--on", "2026-01-31", "late-fee", "list"]);
    let days: Vec<_> = coming.as_array().unwrap().iter().map(|f| (f["customer"].clone(), f["date"].clone())).collect();
    assert_eq!(days.len(), 1, "that of the 30th was passed by before there was a policy: {coming}");
    assert_eq!((coming[0]["customer"].as_str(), coming[0]["date"].as_str()), (Some("P002"), Some("2026-02-03")));
    assert_eq!(coming[0]["late_fee"], 10_000);
    assert!(isp.ok(&["--on", "2026-01-31", "late-fee", "list"]).contains("denda"));
    assert!(isp.ok(&["--on", "2026-01-31", "--lang", "en", "late-fee", "list"]).contains("late fee"));
    isp.ok(&["--on", "2026-02-03", "bill"]);
    isp.ok(&["--on", "2026-02-04", "bill"]);
    let all = isp.json(&["invoice", "list", "--customer", "P002"]);
    let fees: Vec<_> = all.as_array().unwrap().iter().filter(|i| i["kind"] == "late_fee").collect();
    assert_eq!(
        (fees.len(), fees[0]["total"].as_i64(), fees[0]["issued"].as_str()),
        (1, Some(10_000), Some("2026-02-03"))
    );

    let wrong = text.replace("after_days = 19", "after_days = 0");
    std::fs::write(&config, wrong).unwrap();
    let (_, refused) = isp.exit(2, &["late-fee", "list"]);
    assert!(refused.contains("late_fee.after_days"), "{refused}");
}

#[test]
fn an_outage_is_shown_then_credited_once() {
    let isp = january();
    let add = ["outage", "add", "BDG", "--from", "2026-01-20", "--until", "2026-01-22", "--note", "kabel putus"];
    isp.ok(&[&["--on", "2026-01-23"], &add[..]].concat());
    let dry = isp.ok(&["--on", "2026-01-31", "outage", "credit", "BDG", "--dry-run"]);
    // Three of 31 days each: Rp15.968 of Rp165.000, Rp10.742 of Rp111.000.
    assert!(dry.contains("2 nota kredit sebesar Rp26.710 untuk gangguan di BDG; belum ada yang dicatat"), "{dry}");
    assert_eq!(isp.json(&["credit-note", "list"]).as_array().unwrap().len(), 0);
    let done = isp.ok(&["--on", "2026-01-31", "outage", "credit", "BDG"]);
    assert!(done.contains("2 nota kredit sebesar Rp26.710"), "{done}");
    let again = isp.ok(&["--on", "2026-01-31", "--lang", "en", "outage", "credit", "BDG"]);
    assert!(again.contains("0 credit notes of Rp0"), "{again}");
    assert_eq!(sum(&isp.json(&["credit-note", "list"]), "total"), 26_710);
    let unknown = isp.fails(4, &["outage", "credit", "JKT"], "cli.not_found");
    assert!(unknown.contains("JKT"), "{unknown}");
    let (_, wrong) = isp.exit(2, &["outage", "credit", "BDG", "--since", "31-31-2026"]);
    assert!(wrong.contains("--since"), "{wrong}");
}

#[test]
fn finance_is_split_by_site_and_package_and_ties() {
    let isp = january();
    let whole = isp.json(&["--on", "2026-01-31", "report", "finance", "--month", "2026-01"]);
    for split in ["site", "package"] {
        let parts = isp.json(&["--on", "2026-01-31", "report", "finance", "--month", "2026-01", "--split", split]);
        for column in ["billed", "ppn", "outstanding"] {
            assert_eq!(sum(&parts["months"], column), whole["months"][0][column].as_i64().unwrap(), "{split} {column}");
        }
        assert_eq!(parts["aging"]["total"], whole["aging"]["total"]);
    }
    let table = isp.ok(&["--on", "2026-01-31", "report", "finance", "--month", "2026-01", "--split", "package"]);
    assert!(table.contains("HOME20") && table.contains("ditagih"), "{table}");
    let english = isp.ok(&["--on", "2026-01-31", "--lang", "en", "report", "finance", "--month", "2026-01"]);
    assert!(english.contains("billed") && english.contains("outstanding"), "{english}");
    let (_, wrong) = isp.exit(2, &["report", "finance", "--split", "kota"]);
    assert!(wrong.contains("--split") && wrong.contains("package"), "{wrong}");
    let (_, wrong) = isp.exit(2, &["report", "cash", "--from", "2026-13"]);
    assert!(wrong.contains("--from"), "{wrong}");
}

/// A new line whose installation stands on its first invoice, and a customer with one document for two lines.
#[test]
fn an_installation_on_the_first_invoice_and_one_document_for_two_lines() {
    let isp = january();
    isp.ok(&["package", "add", "H50", "--name", "Rumah 50", "--price", "200000", "--speed", "50"]);
    let add = [
        "subscription",
        "add",
        "P001",
        "--package",
        "H50",
        "--router",
        "R1",
        "--username",
        "toko@isp",
        "--password",
        "x",
    ];
    isp.ok(&[&["--on", "2026-01-31"], &add[..], &["--start", "2026-02-01"]].concat());
    let said = isp.ok(&["customer", "invoicing", "P001", "per_customer"]);
    assert_eq!(said.trim(), "Tagihan P001 Budi Santoso: gabungan.");
    let fee = ["installation", "add", "P001", "--kind", "FO-BARU", "--fee", "500000", "--with-first-invoice"];
    let kinds = isp.json(&["installation", "list"]);
    let kind = kinds[0]["kind"].as_str().unwrap().to_owned();
    let fee: Vec<&str> = fee.iter().map(|word| if *word == "FO-BARU" { kind.as_str() } else { word }).collect();
    // Which line has to be said; the old one has had its first invoice.
    isp.fails(2, &fee, "cli.ambiguous");
    let late = [&fee[..], &["--username", "budi@isp"]].concat();
    let late = isp.fails(3, &late, "installation.first_invoice_issued");
    assert!(late.contains("tagihan pertama"), "{late}");
    isp.ok(&[&fee[..], &["--username", "toko@isp"]].concat());
    let (_, both) = isp.exit(2, &[&fee[..], &["--instalments", "3"]].concat());
    assert!(both.contains("--instalments"), "{both}");
    let waiting = isp.json(&["installation", "list", "--customer", "P001"]);
    assert_eq!(
        (waiting[0]["invoicing"].as_str(), waiting[0]["invoiced"].as_i64()),
        (Some("with_first_invoice"), Some(0))
    );

    isp.ok(&["--on", "2026-02-01", "bill"]);
    let invoices = isp.json(&["invoice", "list", "--customer", "P001", "--month", "2026-02"]);
    let number = invoices[0]["statement"].as_str().unwrap();
    assert!(number.starts_with("TG-202602-"), "{number}");
    assert!(invoices.as_array().unwrap().iter().all(|i| i["statement"] == number));
    assert_eq!((invoices.as_array().unwrap().len(), sum(&invoices, "total")), (2, 165_000 + 222_000 + 555_000));
    // One document: its totals are those of its invoices, PPN too.
    let shown = isp.json(&["invoice", "show", number]);
    let rows = shown.as_array().unwrap();
    let total =
        |word: &str| rows.iter().find(|r| r["line"] == word && r["invoice"].is_null()).unwrap()["amount"].as_i64();
    let lines = |of: &dyn Fn(&str) -> bool| -> i64 {
        let lines = rows.iter().filter(|r| r["invoice"].is_string() && of(r["line"].as_str().unwrap()));
        lines.map(|r| r["amount"].as_i64().unwrap()).sum()
    };
    assert_eq!((total("total"), lines(&|_| true)), (Some(942_000), 942_000));
    let ppn = |kind: &str| matches!(kind, "ppn" | "installation_ppn");
    assert_eq!(total("ppn"), Some(lines(&ppn)));
    assert_eq!(total("dpp"), Some(lines(&|kind| !ppn(kind) && kind != "rounding")));
    let table = isp.ok(&["invoice", "show", number]);
    assert!(table.contains("ppn pasang baru") && table.contains("toko@isp"), "{table}");
    assert!(isp.ok(&["--lang", "en", "invoice", "show", number]).contains("to be paid"));

    // January is older and was never paid: a payment by the document's number pays it first, then the document.
    let pay =
        ["--on", "2026-02-02", "payment", "add", number, "1107000", "--provider", "midtrans", "--reference", "VA-1"];
    let paid = isp.json(&pay);
    assert_eq!((paid[0]["customer"].as_str(), paid[0]["invoices"].as_i64()), (Some("P001"), Some(3)));
    assert_eq!(isp.json(&["installation", "list", "--customer", "P001"])[0]["status"], "paid");
    isp.fails(4, &["payment", "add", "TG-202602-999999", "1000", "--reference", "VA-2"], "cli.not_found");
    let missing = isp.fails(4, &["invoice", "show", "TG-202602-999999"], "cli.not_found");
    assert!(missing.contains("tagihan gabungan TG-202602-999999"), "{missing}");
    let (_, wrong) = isp.exit(2, &["customer", "invoicing", "P001", "per_rumah"]);
    assert!(wrong.contains("per_customer"), "{wrong}");
}
