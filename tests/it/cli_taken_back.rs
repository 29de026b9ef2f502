//! What was added by mistake goes, what is used stays; prices, promises and exemptions are taken back or corrected.

use serde_json::Value;

use crate::cli::{Isp, SHEETS};

/// The provider of the spreadsheets, P001 with an invoice of 1 January.
fn provider() -> Isp {
    let isp = Isp::new();
    isp.init();
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp.ok(&["--on", "2026-01-01", "bill"]);
    isp
}

fn access(isp: &Isp, customer: &str) -> String {
    isp.json(&["subscription", "show", customer])[0]["access"].as_str().unwrap().to_owned()
}

#[test]
fn what_was_added_by_mistake_is_removed_and_what_is_used_stays() {
    let isp = provider();
    for used in [["site", "remove", "BDG"], ["router", "remove", "R1"], ["package", "remove", "HOME20"]] {
        isp.fails(3, &used, "record.still_named");
    }
    let (_, err) = isp.exit(3, &["--lang", "en", "package", "remove", "HOME20"]);
    assert!(err.contains("name this package"), "{err}");
    isp.ok(&["site", "add", "XX", "--name", "Salah", "--coordinates", "-6.9,107.6"]);
    isp.ok(&["site", "edit", "XX", "--no-coordinates"]);
    assert_eq!(isp.json(&["site", "show", "XX"])[0]["coordinates"], Value::Null);
    isp.ok(&["router", "add", "RX", "--site", "XX", "--address", "10.8.8.8", "--username", "isp", "--password", "x"]);
    isp.ok(&["package", "add", "SALAH", "--name", "Salah", "--price", "1jt", "--speed", "10"]);
    isp.ok(&["installation", "kind", "SALAH", "--name", "Salah", "--price", "100000"]);
    assert_eq!(isp.json(&["installation", "kinds"]).as_array().unwrap().last().unwrap()["price"], 100_000);
    isp.fails(3, &["site", "remove", "XX"], "record.still_named");
    for gone in [
        ["router", "remove", "RX"],
        ["site", "remove", "XX"],
        ["package", "remove", "SALAH"],
        ["installation", "remove-kind", "SALAH"],
    ] {
        isp.ok(&gone);
        isp.fails(4, &gone, "cli.not_found");
    }
    assert_eq!(isp.json(&["router", "list"]).as_array().unwrap().len(), 1);
    // The kind of P003's installation stays.
    let code = isp.json(&["installation", "kinds"])[0]["code"].as_str().unwrap().to_owned();
    isp.fails(3, &["installation", "remove-kind", &code], "record.still_named");
    // What the past of a line names stays too.
    isp.ok(&["package", "add", "HOME50", "--name", "Rumah 50", "--price", "250000", "--speed", "50"]);
    isp.ok(&["--on", "2026-01-02", "subscription", "change-package", "P002", "HOME50"]);
    isp.ok(&["--on", "2026-01-03", "subscription", "change-package", "P002", "HOME10"]);
    isp.fails(3, &["package", "remove", "HOME50"], "record.still_named");
}

#[test]
fn what_has_a_history_is_archived_takes_no_lines_and_is_brought_back() {
    let isp = provider();
    isp.fails(3, &["router", "archive", "R1"], "record.still_serves");
    isp.fails(3, &["site", "archive", "BDG"], "record.still_serves");
    isp.ok(&["site", "add", "XX", "--name", "Baru"]);
    isp.ok(&[
        "router",
        "add",
        "RX",
        "--site",
        "XX",
        "--address",
        "127.0.0.1:1",
        "--username",
        "isp",
        "--password",
        "x",
    ]);
    let lines = isp.json(&["subscription", "list"]);
    let lines: Vec<String> =
        lines.as_array().unwrap().iter().map(|row| row["username"].as_str().unwrap().to_owned()).collect();
    // All but one leave for the new router; the last one ends, and is served until then.
    let customers = ["P001", "P002", "P003"];
    assert_eq!(lines.len(), customers.len(), "{lines:?}");
    for customer in &customers[..2] {
        isp.ok(&["--on", "2026-01-05", "subscription", "move", customer, "--router", "RX"]);
    }
    isp.ok(&["--on", "2026-01-05", "subscription", "terminate", "P003", "--end", "2026-02-01"]);
    let archive = ["router", "archive", "R1"];
    let early =
        isp.fails(3, &[&["--lang", "en", "--on", "2026-01-31"], archive.as_slice()].concat(), "record.still_serves");
    assert!(early.contains("1 lines"), "{early}");
    isp.fails(3, &["--on", "2026-02-01", "site", "archive", "BDG"], "site.has_routers");
    // The router never answered: what it should have closed is asked about.
    isp.fails(3, &[&["--on", "2026-02-01"], archive.as_slice()].concat(), "router.awaited");
    isp.ok(&[&["--on", "2026-02-01"], archive.as_slice(), &["--sure"]].concat());
    isp.ok(&["--on", "2026-02-01", "site", "archive", "BDG"]);

    let codes = |words: &[&str]| {
        let rows = isp.json(words);
        let code =
            |row: &Value| (row["code"].as_str().unwrap().to_owned(), row["archived"].as_str().map(str::to_owned));
        rows.as_array().unwrap().iter().map(code).collect::<Vec<_>>()
    };
    let no = Some("no".to_owned());
    assert_eq!(codes(&["router", "list"]), [("RX".to_owned(), None)]);
    assert_eq!(codes(&["site", "list"]), [("XX".to_owned(), None)]);
    assert_eq!(codes(&["router", "list", "--all"]), [("R1".into(), Some("yes".into())), ("RX".into(), no.clone())]);
    assert_eq!(codes(&["site", "list", "--all"]), [("BDG".into(), Some("yes".into())), ("XX".into(), no)]);
    assert_eq!(isp.json(&["site", "show", "BDG"])[0]["archived"], "yes");

    // New lines go elsewhere, by hand and by import; the router is called by nobody.
    isp.fails(3, &["subscription", "move", "P001", "--router", "R1"], "record.archived");
    isp.fails(3, &["subscription", "move", "P001", "--site", "BDG"], "record.archived");
    isp.fails(3, &["router", "edit", "RX", "--site", "BDG"], "record.archived");
    for called in ["plan", "check", "confirm", "reclaim"] {
        isp.fails(3, &["router", called, "R1"], "record.archived");
    }
    for read in ["import-secrets", "import-lines"] {
        isp.fails(3, &["router", read, "R1", "--out", "baru.csv"], "record.archived");
    }
    let line = "id_pelanggan,paket,router,username,password,mulai\nP001,HOME10,R1,lagi@isp,pw-lagi-4,2026-02-05\n";
    isp.write(&[("baru.csv", line)]);
    let import = ["--on", "2026-02-01", "--lang", "en", "import", "--subscriptions", "sheets/baru.csv"];
    let (_, told) = isp.exit(3, &import);
    assert!(told.contains("baru.csv line 2 column router: this router is archived"), "{told}");
    isp.write(&[("r.csv", "kode;site;alamat;username;password\nR7;BDG;10.7.7.7;isp;x\n")]);
    let (_, told) = isp.exit(3, &["--lang", "en", "import", "--routers", "sheets/r.csv", "--dry-run"]);
    assert!(told.contains("r.csv line 2 column site: this site is archived"), "{told}");
    let (said, told) = isp.exit(5, &["--on", "2026-02-01", "deliver"]);
    assert!(told.contains("RX") && !told.contains("R1") && !said.contains("R1"), "{said}{told}");
    let dropped = isp.json(&["outbox", "list", "--state", "dropped"]);
    assert!(!dropped.as_array().unwrap().is_empty(), "{dropped}");

    // It is removed no more than before, its history is told, and it comes back, its site first.
    isp.fails(3, &["router", "remove", "R1"], "record.still_named");
    isp.fails(3, &["router", "bring-back", "R1"], "record.archived");
    isp.ok(&["site", "bring-back", "BDG"]);
    isp.ok(&["router", "bring-back", "R1"]);
    isp.ok(&["--on", "2026-02-02", "subscription", "move", "P001", "--router", "R1"]);
    assert_eq!(codes(&["router", "list"]).len(), 2);
}

#[test]
fn a_price_is_taken_back_before_it_begins() {
    let isp = provider();
    isp.ok(&["--on", "2026-01-02", "package", "price", "HOME20", "175000", "--from", "2026-02-01"]);
    isp.fails(
        3,
        &["--on", "2026-01-02", "package", "price", "HOME20", "-", "--from", "2026-03-01"],
        "package.no_price",
    );
    isp.fails(
        3,
        &["--on", "2026-02-01", "package", "price", "HOME20", "-", "--from", "2026-02-01"],
        "package.price_began",
    );
    isp.ok(&["--on", "2026-01-31", "package", "price", "HOME20", "-", "--from", "2026-02-01"]);
    let prices = isp.json(&["package", "show", "HOME20"]);
    assert_eq!(prices.as_array().unwrap().len(), 1, "{prices}");
    assert_eq!(prices[0]["price"], 165_000);
}

#[test]
fn a_promise_and_an_exemption_are_corrected_and_count_once() {
    let isp = provider();
    isp.ok(&["--on", "2026-01-12", "promise", "add", "P001", "--until", "2026-01-19"]);
    let edit = |until: &'static str| {
        ["--on", "2026-01-12", "promise", "edit", "P001", "--until", until, "--reason", "salah ketik"]
    };
    isp.fails(3, &edit("2026-02-19"), "promise.too_long");
    isp.fails(2, &edit("2026-01-19"), "cli.usage");
    isp.ok(&edit("2026-01-22"));
    let told = isp.json(&["--on", "2026-01-12", "promise", "show", "P001"]);
    assert_eq!((&told[0]["until"], &told[0]["state"]), (&"2026-01-22".into(), &Value::Null));
    assert_eq!((&told[1]["until"], &told[1]["state"]), (&"2026-01-19".into(), &"taken_back".into()));
    isp.ok(&["--on", "2026-01-22", "enforce"]);
    assert_eq!(access(&isp, "P001"), "open");
    // One promise was made, and one is the limit.
    isp.fails(3, &["--on", "2026-01-22", "promise", "add", "P001", "--until", "2026-01-25"], "promise.too_many");
    // Shortened to a day that is over: the line is decided on at once.
    let shorter = ["promise", "edit", "P001", "--until", "2026-01-13", "--reason", "batal"];
    isp.ok(&[&["--on", "2026-01-22", "--at", "13:00"], shorter.as_slice()].concat());
    assert_eq!(access(&isp, "P001"), "isolated");

    isp.ok(&["exemption", "add", "P002", "--from", "2026-01-02", "--until", "2026-12-31", "--reason", "kantor desa"]);
    let edit =
        ["exemption", "edit", "P002", "--until", "2026-06-30", "--new-reason", "posyandu", "--reason", "salah ketik"];
    isp.ok(&[&["--on", "2026-01-03"], edit.as_slice()].concat());
    isp.fails(2, &[&["--on", "2026-01-03"], edit.as_slice()].concat(), "cli.usage");
    let told = isp.json(&["--on", "2026-01-03", "exemption", "list", "--running"]);
    assert_eq!(told.as_array().unwrap().len(), 1);
    assert_eq!((&told[0]["until"], &told[0]["reason"]), (&"2026-06-30".into(), &"posyandu".into()));
}

/// The closing balance of an account in the report of cash of a month.
fn closing(isp: &Isp, month: &str, account: &str) -> i64 {
    let cash = isp.json(&["report", "cash", "--month", month]);
    let row = cash.as_array().unwrap().iter().find(|row| row["account"] == account).cloned();
    row.map_or(0, |row| row["closing"].as_i64().unwrap())
}

#[test]
fn a_deposit_is_corrected_and_booked_back_on_its_day() {
    let isp = provider();
    let paid = ["payment", "add", "P001", "165000", "--reference", "KW-1", "--collector", "ANTON"];
    isp.ok(&[&["--on", "2026-01-05"], paid.as_slice()].concat());
    isp.ok(&["--on", "2026-01-31", "collector", "deposit", "ANTON", "100000", "--to", "bank"]);
    let id = isp.json(&["collector", "deposits"])[0]["id"].as_str().unwrap().to_owned();
    let holds = || isp.json(&["collector", "list"])[0]["holds"].as_i64().unwrap();
    let edit = ["--on", "2026-02-03", "collector", "edit-deposit", &id, "--reason", "salah ketik"];
    // The whole that was collected can be handed over, and not a rupiah more.
    let more = isp.fails(3, &[edit.as_slice(), &["--amount", "165001"]].concat(), "collector.holds_less");
    assert!(more.contains("165.000"), "{more}");
    isp.ok(&[edit.as_slice(), &["--amount", "165000", "--note", "lengkap"]].concat());
    assert_eq!(holds(), 0);
    let told = isp.json(&["collector", "deposits"]);
    let rows = told.as_array().unwrap();
    assert_eq!(rows.len(), 2, "{told}");
    let of = |state: Value| rows.iter().find(|row| row["state"] == state).unwrap_or_else(|| panic!("{told}"));
    assert_eq!(of("taken_back".into())["amount"], 100_000);
    let now = of(Value::Null);
    assert_eq!(
        (&now["amount"], &now["date"], &now["note"]),
        (&165_000.into(), &"2026-01-31".into(), &"lengkap".into())
    );
    // It was said in February and counts in January, where the deposit was.
    assert_eq!([closing(&isp, "2026-01", "cash"), closing(&isp, "2026-01", "bank")], [-250_000, 165_000]);
    assert_eq!(closing(&isp, "2026-01", "collector"), 0);
    isp.fails(3, &edit, "record.ended");

    let new = of(Value::Null)["id"].as_str().unwrap();
    assert_eq!(isp.json(&["collector", "show-deposit", new])[0]["account"], "bank");
    let remove = ["--on", "2026-02-04", "collector", "remove-deposit", new, "--reason", "dobel"];
    let said = isp.ok(&[&["--lang", "en"], remove.as_slice()].concat());
    assert!(said.contains("Rp165.000") && said.contains("holds it again"), "{said}");
    assert_eq!(
        (holds(), closing(&isp, "2026-01", "bank"), closing(&isp, "2026-02", "collector")),
        (165_000, 0, 165_000)
    );
    isp.fails(3, &remove, "record.ended");
    isp.fails(4, &["collector", "show-deposit", "00000000"], "cli.not_found");
}

#[test]
fn cash_that_the_office_has_spent_is_asked_about_before_its_deposit_is_booked_back() {
    let isp = provider();
    isp.ok(&["--on", "2026-01-05", "payment", "add", "P002", "1000000", "--reference", "KW-1", "--collector", "ANTON"]);
    isp.ok(&["--on", "2026-02-01", "collector", "deposit", "ANTON", "900000"]);
    isp.ok(&["--on", "2026-02-02", "expense", "add", "other", "600000"]);
    let id = isp.json(&["collector", "deposits"])[0]["id"].as_str().unwrap().to_owned();
    let remove = ["--on", "2026-02-03", "collector", "remove-deposit", &id, "--reason", "salah"];
    isp.fails(3, &remove, "money.cash_short");
    assert_eq!(isp.json(&["collector", "list"])[0]["holds"], 100_000);
    isp.ok(&[remove.as_slice(), &["--sure"]].concat());
    assert_eq!(isp.json(&["collector", "list"])[0]["holds"], 1_000_000);
}

#[test]
fn a_payout_is_corrected_and_booked_back_on_its_day_with_its_fee() {
    let isp = provider();
    isp.ok(&[
        "--on",
        "2026-01-05",
        "payment",
        "add",
        "P001",
        "165000",
        "--provider",
        "midtrans",
        "--reference",
        "VA-1",
    ]);
    isp.ok(&["--on", "2026-01-31", "gateway", "payout", "midtrans", "150000", "--fee", "5000"]);
    let id = isp.json(&["gateway", "payouts"])[0]["id"].as_str().unwrap().to_owned();
    let gateway = || {
        let row = isp.json(&["gateway", "list"])[0].clone();
        ["fees", "paid_out", "holds"].map(|key| row[key].as_i64().unwrap())
    };
    assert_eq!(gateway(), [5_000, 150_000, 10_000]);
    let fees = || {
        let rows = isp.json(&["report", "cash", "--month", "2026-01"]);
        let gateway = rows.as_array().unwrap().iter().find(|row| row["account"] == "gateway").cloned().unwrap();
        gateway["spent"].as_i64().unwrap()
    };
    assert_eq!(fees(), 5_000);
    let edit = ["--on", "2026-02-03", "gateway", "edit-payout", &id, "--reason", "salah ketik"];
    let more = isp.fails(3, &[edit.as_slice(), &["--net", "160001"]].concat(), "gateway.holds_less");
    assert!(more.contains("165.000"), "{more}");
    isp.ok(&[edit.as_slice(), &["--net", "158000", "--fee", "7000"]].concat());
    assert_eq!(gateway(), [7_000, 158_000, 0]);
    assert_eq!([fees(), closing(&isp, "2026-01", "bank"), closing(&isp, "2026-01", "gateway")], [7_000, 158_000, 0]);
    isp.fails(3, &edit, "record.ended");

    let told = isp.json(&["gateway", "payouts"]);
    let new = told.as_array().unwrap().iter().find(|row| row["state"].is_null()).unwrap()["id"].as_str().unwrap();
    assert_eq!(isp.json(&["gateway", "show-payout", new])[0]["fees"], 7_000);
    let remove = ["--on", "2026-02-04", "gateway", "remove-payout", new, "--reason", "dobel"];
    let said = isp.ok(&[&["--lang", "en"], remove.as_slice()].concat());
    assert!(said.contains("Rp158.000") && said.contains("holds it again"), "{said}");
    assert_eq!(gateway(), [0, 0, 165_000]);
    assert_eq!([fees(), closing(&isp, "2026-01", "bank"), closing(&isp, "2026-02", "gateway")], [0, 0, 165_000]);
    isp.fails(3, &remove, "record.ended");
}

#[test]
fn an_end_that_lies_ahead_is_taken_back_and_nothing_is_left_of_it() {
    let (isp, twin) = (provider(), provider());
    let on = |isp: &Isp, day: &str, words: &[&str]| isp.ok(&[&["--on", day], words].concat());
    on(&isp, "2026-01-10", &["subscription", "terminate", "P001", "--end", "2026-01-20"]);
    on(&isp, "2026-01-12", &["subscription", "terminate", "P001", "--end", "-"]);
    isp.fails(
        3,
        &["--on", "2026-01-12", "subscription", "terminate", "P001", "--end", "-"],
        "subscription.not_serving",
    );
    let invoices = |isp: &Isp| {
        on(isp, "2026-02-01", &["bill"]);
        isp.json(&["invoice", "list", "--customer", "P001"])
    };
    assert_eq!(invoices(&isp), invoices(&twin));
    assert_eq!(isp.json(&["subscription", "show", "P001"]), twin.json(&["subscription", "show", "P001"]));
    // Days that were billed only up to the end are not charged a second time in another way.
    on(&isp, "2026-02-10", &["subscription", "terminate", "P001", "--end", "2026-03-11"]);
    on(&isp, "2026-03-01", &["bill"]);
    let late = ["--on", "2026-03-05", "subscription", "terminate", "P001", "--end", "-"];
    isp.fails(3, &late, "subscription.end_settled");
}

#[test]
fn lists_of_money_have_names_an_order_and_sums() {
    let isp = provider();
    isp.ok(&["--on", "2026-01-03", "payment", "add", "P001", "100000", "--reference", "KW-1"]);
    isp.ok(&["--on", "2026-01-10", "bill"]);
    let numbers = |order: &str| {
        let rows = isp.json(&["invoice", "list", "--order", order]);
        rows.as_array().unwrap().iter().map(|row| row["invoice"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let by_number = numbers("number");
    assert!(by_number.len() > 1 && by_number.is_sorted(), "{by_number:?}");
    let rows = isp.json(&["invoice", "list", "--order", "open"]);
    let open: Vec<i64> = rows.as_array().unwrap().iter().map(|row| row["open"].as_i64().unwrap()).collect();
    assert!(open.is_sorted_by(|a, b| a >= b), "{open:?}");
    assert_ne!(numbers("customer"), Vec::<String>::new());
    let list = isp.ok(&["--lang", "en", "invoice", "list", "--customer", "P001"]);
    assert!(
        list.contains("Budi Santoso")
            && list.contains(
                "1 invoices: Rp165.000, Rp100.000 settled (payments, credit and credit notes), Rp65.000 open."
            ),
        "{list}"
    );
    let list = isp.ok(&["--lang", "en", "payment", "list"]);
    assert!(list.contains("Budi Santoso") && list.contains("Money in: 1 payments, Rp100.000."), "{list}");
    // The person is found by what is known of him.
    let explained = |known: &str| isp.ok(&["--on", "2026-01-12", "explain", known]);
    for known in ["budi@isp", "0812-3456-7890", "Budi", "INV-202601-000001"] {
        assert_eq!(explained(known), explained("P001"), "{known}");
        assert_eq!(isp.json(&["subscription", "show", known])[0]["customer"], "P001", "{known}");
    }
}

#[test]
fn a_wrong_setting_is_named_with_where_it_was_said() {
    let mut isp = Isp::new();
    isp.ok(&["--lang", "en", "init"]);
    let file = isp.dir().join("isp.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let fails = |isp: &Isp, text: &str, words: &str| {
        std::fs::write(&file, text).unwrap();
        let said = isp.fails(2, &["status"], "cli.config");
        assert!(said.contains(words), "{said}");
    };
    fails(&isp, &text.replace("due_soon_days", "due_soon_day"), "policy.dunning (isp.toml): ");
    fails(&isp, &text.replace("overdue_days = [3]", "overdue_days = 3"), "policy.dunning.overdue_days (isp.toml)");
    fails(&isp, &format!("{text}\n[worker]\npage = 0\n"), "worker.page (isp.toml)");
    isp.set("ISP_POLICY__BILLING__PAYMENT_TERMS_DAYS", "ten");
    fails(&isp, &text, "policy.billing.payment_terms_days (ISP_POLICY__BILLING__PAYMENT_TERMS_DAYS)");
}

#[test]
fn credit_is_paid_out_once_and_taken_back() {
    let isp = provider();
    isp.ok(&["--on", "2026-01-05", "payment", "add", "P001", "265000", "--provider", "bca", "--reference", "FT1"]);
    let credit = |isp: &Isp| isp.json(&["customer", "show", "P001"])[0]["credit"].as_i64().unwrap();
    assert_eq!(credit(&isp), 100_000);
    isp.fails(3, &["--on", "2026-02-01", "refund", "add", "P001", "100001", "--from", "bank"], "credit.less");
    // There is no cash, which a person may know better.
    isp.fails(3, &["--on", "2026-02-01", "refund", "add", "P001"], "money.cash_short");
    isp.ok(&["--on", "2026-02-01", "refund", "add", "P001", "60000", "--from", "bank", "--note", "pindah"]);
    assert_eq!(credit(&isp), 40_000);
    isp.ok(&["--on", "2026-02-01", "refund", "add", "P001", "--from", "bank"]);
    assert_eq!(credit(&isp), 0);
    isp.fails(3, &["--on", "2026-02-01", "refund", "add", "P001", "--from", "bank"], "value.not_positive");
    isp.fails(3, &["payment", "reverse", "bca", "FT1", "--reason", "salah"], "payment.paid_out");
    let rows = isp.json(&["refund", "list", "--customer", "P001"]);
    let amounts: Vec<i64> = rows.as_array().unwrap().iter().map(|row| row["amount"].as_i64().unwrap()).collect();
    assert_eq!(amounts.iter().sum::<i64>(), 100_000);
    let finance = isp.json(&["report", "finance", "--from", "2026-01", "--to", "2026-02"]);
    assert_eq!(finance["months"][1]["collected"], -100_000, "{finance}");
    assert_eq!(finance["months"][1]["credit"], 0);
    let (doctor, _) = isp.exit(5, &["--format", "json", "--on", "2026-02-01", "doctor"]);
    assert!(!doctor.contains("payment.left") && !doctor.contains("ledger."), "{doctor}");

    let id = rows[0]["id"].as_str().unwrap();
    isp.ok(&["refund", "remove", id, "--reason", "tercatat dua kali"]);
    assert_eq!(credit(&isp), rows[0]["amount"].as_i64().unwrap());
    isp.fails(3, &["refund", "remove", id, "--reason", "lagi"], "record.ended");
    let (doctor, _) = isp.exit(5, &["--format", "json", "--on", "2026-02-01", "doctor"]);
    assert!(!doctor.contains("payment.left") && !doctor.contains("ledger."), "{doctor}");
    isp.ok(&["refund", "show", id]);
}

#[test]
fn a_credit_note_is_taken_back_and_its_amount_is_owed_again() {
    let isp = provider();
    let invoice = isp.json(&["invoice", "list", "--customer", "P001"])[0]["invoice"].as_str().unwrap().to_owned();
    let add = ["credit-note", "add", &invoice, "65000", "--reason", "salah tagih"];
    let on = |day: &'static str, words: &[&str]| isp.ok(&[&["--on", day, "--lang", "en"], words].concat());
    let open = || isp.json(&["invoice", "list", "--customer", "P001"])[0]["open"].as_i64().unwrap();
    let healthy = |day: &str| {
        let (doctor, _) = isp.exit(5, &["--format", "json", "--on", day, "doctor"]);
        assert!(!doctor.contains("ledger.") && !doctor.contains("payment.left"), "{doctor}");
    };
    on("2026-01-20", &add);
    assert_eq!(open(), 100_000);
    let remove = ["credit-note", "remove", "NK-202601-000001", "--reason", "salah pelanggan"];
    isp.fails(3, &[&["--on", "2026-01-19"], remove.as_slice()].concat(), "credit_note.later");
    let said = on("2026-02-02", &remove);
    assert_eq!(said.trim(), "Credit note NK-202601-000001 of Rp65.000 taken back; the amount is owed again.");
    assert_eq!(open(), 165_000);
    isp.fails(3, &[&["--on", "2026-02-02"], remove.as_slice()].concat(), "record.ended");
    // It stays to be seen, and each month has its part of it.
    let told = isp.json(&["credit-note", "list", "--customer", "P001"]);
    assert_eq!((&told[0]["total"], &told[0]["state"]), (&65_000.into(), &"taken_back".into()));
    assert!(told[0]["ended"].as_str().unwrap().ends_with("salah pelanggan"), "{told}");
    assert_eq!(isp.json(&["credit-note", "show", "NK-202601-000001"])[0]["state"], "taken_back");
    let months = isp.json(&["report", "finance", "--from", "2026-01", "--to", "2026-02"]);
    let credited = [0, 1].map(|at| months["months"][at]["given_back"].as_i64().unwrap());
    assert_eq!(credited, [65_000, -65_000], "{months}");
    healthy("2026-02-02");

    // The same amount can be given again, also on the same day, once each time.
    for number in ["NK-202602-000002", "NK-202602-000003"] {
        assert_eq!(on("2026-02-02", &add), on("2026-02-02", &add));
        assert_eq!(open(), 100_000);
        on("2026-02-02", &["credit-note", "remove", number, "--reason", "salah lagi"]);
        assert_eq!(open(), 165_000);
    }

    // What money paid comes first again, and what was paid out stays paid out.
    isp.ok(&["--on", "2026-02-03", "payment", "add", "P001", "165000", "--provider", "bca", "--reference", "FT1"]);
    on("2026-02-03", &add);
    let credit = || isp.json(&["customer", "show", "P001"])[0]["credit"].as_i64().unwrap();
    assert_eq!((open(), credit()), (0, 65_000));
    isp.ok(&["--on", "2026-02-03", "refund", "add", "P001", "5000", "--from", "bank"]);
    let last = ["--on", "2026-02-04", "credit-note", "remove", "NK-202602-000004", "--reason", "salah"];
    isp.fails(3, &last, "payment.paid_out");
    let id = isp.json(&["refund", "list"])[0]["id"].as_str().unwrap().to_owned();
    isp.ok(&["--on", "2026-02-04", "refund", "remove", &id, "--reason", "batal"]);
    isp.ok(&last);
    assert_eq!((open(), credit()), (0, 0));
    healthy("2026-02-04");
}

#[test]
fn a_note_of_an_outage_is_not_given_again_and_one_of_a_pause_stays() {
    let mut isp = provider();
    isp.set("ISP_POLICY__BILLING__CREDIT_ON_PAUSE", "true");
    let add = ["outage", "add", "BDG", "--from", "2026-01-05", "--until", "2026-01-08", "--note", "kabel putus"];
    isp.ok(&[&["--on", "2026-01-09"], add.as_slice()].concat());
    let credit = ["--on", "2026-01-10", "outage", "credit", "BDG"];
    isp.ok(&credit);
    let notes = isp.json(&["credit-note", "list"]);
    let given = notes.as_array().unwrap().len();
    assert!(given > 0, "{notes}");
    let number = notes[0]["credit_note"].as_str().unwrap().to_owned();
    isp.ok(&["--on", "2026-01-11", "credit-note", "remove", &number, "--reason", "tidak terdampak"]);
    isp.ok(&credit);
    let after = isp.json(&["credit-note", "list"]);
    assert_eq!(after.as_array().unwrap().len(), given, "{after}");
    let shown = isp.json(&["--on", "2026-01-11", "outage", "show", "BDG"]);
    assert_eq!(shown[0]["credit_notes"].as_u64().unwrap() as usize, given - 1, "{shown}");

    isp.ok(&["--on", "2026-01-12", "subscription", "pause", "P001"]);
    let notes = isp.json(&["credit-note", "list", "--customer", "P001"]);
    let of_pause = notes.as_array().unwrap().iter().find(|row| row["reason"] == "pause").cloned();
    let number = of_pause.unwrap_or_else(|| panic!("{notes}"))["credit_note"].as_str().unwrap().to_owned();
    let remove = ["--lang", "en", "--on", "2026-01-13", "credit-note", "remove", &number, "--reason", "x"];
    let said = isp.fails(3, &remove, "credit_note.follows");
    assert!(said.contains("follows from pause"), "{said}");
}

/// P001's January was paid when it was credited in full, so the note paid February. When that payment bounces, the note goes back to
/// its own invoice: nobody is isolated for a month that was given back.
#[test]
fn a_credit_note_pays_its_own_invoice_when_the_payment_of_it_bounces() {
    let isp = provider();
    let january = isp.json(&["invoice", "list", "--customer", "P001"])[0].clone();
    let (number, total) = (january["invoice"].as_str().unwrap(), january["total"].as_i64().unwrap().to_string());
    let pay = ["payment", "add", "P001", &total, "--provider", "bank", "--reference", "T1"];
    isp.ok(&[&["--on", "2026-01-05"], &pay[..]].concat());
    isp.ok(&["--on", "2026-01-06", "credit-note", "add", number, &total, "--reason", "salah tagih"]);
    isp.ok(&["--on", "2026-02-01", "bill"]);
    // What is open of January, and of all.
    let open = || {
        let all = isp.json(&["invoice", "list", "--customer", "P001"]);
        let of = |row: &Value| row["open"].as_i64().unwrap();
        let first = all.as_array().unwrap().iter().find(|row| row["invoice"] == number).map(of);
        (first.unwrap(), all.as_array().unwrap().iter().map(of).sum::<i64>())
    };
    assert_eq!(open(), (0, 0), "the note paid February");
    isp.ok(&["--on", "2026-02-02", "payment", "reverse", "bank", "T1", "--reason", "transfer ditolak bank"]);
    assert_eq!(open(), (0, total.parse().unwrap()), "January is what was given back");
    isp.exit_any(&[0, 5], &["--on", "2026-02-02", "--at", "13:00", "enforce", "--approve-all"]);
    assert_eq!(access(&isp, "P001"), "open");
    isp.ok(&["audit", "verify"]);
    // It ends with another code when the journal does not tie with the documents.
    isp.ok(&["report", "finance", "--from", "2026-01", "--to", "2026-02"]);
}

/// What a person types twice is one note; for another reason it is another.
#[test]
fn a_second_credit_note_of_a_day_is_told_apart_by_its_reason() {
    let isp = provider();
    let january = isp.json(&["invoice", "list", "--customer", "P001"])[0]["invoice"].as_str().unwrap().to_owned();
    for reason in ["gangguan 3 Januari", "gangguan 10 Januari", "gangguan 10 Januari"] {
        isp.ok(&["--on", "2026-01-12", "credit-note", "add", &january, "5000", "--reason", reason]);
    }
    assert_eq!(isp.json(&["credit-note", "list", "--customer", "P001"]).as_array().unwrap().len(), 2);
}
