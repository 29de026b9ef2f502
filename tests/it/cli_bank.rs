//! Files of banks on the command line: from a QRIS request at night to a line that is open on its router, and what a person does
//! with the rest.

use crate::cli::{Isp, SHEETS, Stage};
use serde_json::Value;

/// Mutations of BRI: day, text, money in or (below zero) out; the balance begins at nothing.
fn bri(rows: &[(&str, &str, i64)]) -> String {
    let mut text = "Tanggal Transaksi,Uraian Transaksi,Teller,Debet,Kredit,Saldo\n".to_owned();
    let mut balance = 0;
    for (day, told, amount) in rows {
        balance += amount;
        let (debit, credit) = (-amount.min(&0), amount.max(&0));
        text += &format!("{day},\"{told}\",8888,{debit}.00,{credit}.00,{balance}.00\n");
    }
    text
}

fn write(isp: &Isp, name: &str, text: &str) {
    std::fs::write(isp.dir().join(name), text).unwrap();
}

/// Imports a file; each mutation that is new or waited: what became of it and whose it is.
fn import(isp: &Isp, on: &str, name: &str) -> Vec<(String, String)> {
    let rows = isp.json(&["--on", on, "bank", "import", name, "--account", "BRI-1"]);
    let word = |row: &Value, key: &str| row[key].as_str().unwrap_or("-").to_owned();
    rows.as_array().unwrap().iter().map(|row| (word(row, "becomes"), word(row, "customer"))).collect()
}

fn told(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

fn amounts(isp: &Isp) -> Vec<i64> {
    let mut all: Vec<i64> = isp
        .json(&["payment", "list"])
        .as_array()
        .unwrap()
        .iter()
        .filter(|p| p["reversed"].is_null())
        .map(|p| p["amount"].as_i64().unwrap())
        .collect();
    all.sort_unstable();
    all
}

#[test]
fn a_qris_payment_of_the_night_opens_the_line_also_twice_out_of_order_and_with_the_router_dead() {
    let stage = Stage::new();
    let isp = &stage.isp;
    isp.ok(&["--on", "2026-01-05", "bill"]);
    isp.ok(&["--on", "2026-01-21", "--at", "11:00", "run"]);
    assert_eq!((stage.profile("budi@isp"), stage.profile("siti@isp")), ("isolir".into(), "isolir".into()));

    // At night both scan what they were sent; the router dies.
    let ask = |of: &str| {
        isp.json(&["--on", "2026-01-21", "--at", "23:10", "payment-request", "add", of])[0]["amount"].as_i64().unwrap()
    };
    let (budi, siti) = (ask("P001"), ask("P002"));
    assert_eq!(budi, 165_001);
    stage.router.down();

    // The file of the next morning, with Siti's money before Budi's, a fee and a stranger. A dry run writes nothing.
    let rows = [
        ("22/01/26", "QRIS NMID ID1020000000001", siti),
        ("22/01/26", "BIAYA ADM", -6_500),
        ("22/01/26", "QRIS NMID ID1020000000001", budi),
        ("22/01/26", "TRF DARI SUPARMAN", 250_000),
    ];
    write(isp, "mutasi.csv", &bri(&rows));
    let dry = isp.ok(&[
        "--lang",
        "en",
        "--on",
        "2026-01-22",
        "--at",
        "07:00",
        "bank",
        "import",
        "mutasi.csv",
        "--account",
        "BRI-1",
        "--dry-run",
    ]);
    assert!(
        dry.contains("Dry run") && dry.contains("2 would be matched, 1 would wait") && dry.contains("P001"),
        "{dry}"
    );
    assert_eq!((amounts(isp), isp.json(&["bank", "list", "--all"]).as_array().unwrap().len()), (vec![], 0));

    let mut became = import(isp, "2026-01-22", "mutasi.csv");
    became.sort();
    assert_eq!(became, told(&[("asks", "-"), ("booked", "P001"), ("booked", "P002")]));
    assert_eq!(amounts(isp), [siti, budi]);
    // The debt to the rupiah, and the suffix as credit.
    let payments = isp.json(&["payment", "list", "--customer", "P001"]);
    assert_eq!(
        (&payments[0]["left"], &payments[0]["channel"], &payments[0]["provider"]),
        (&1.into(), &"bank".into(), &"bri".into())
    );
    assert_eq!(
        isp.json(&["--on", "2026-01-22", "payment-request", "list", "--customer", "P001", "--all"])[0]["state"],
        "paid"
    );
    isp.exit(5, &["--on", "2026-01-22", "deliver"]);
    assert_eq!(stage.profile("budi@isp"), "isolir", "the router is dead");

    // The same file, then the evening's, which holds it, then the morning's again: nothing twice.
    assert_eq!(import(isp, "2026-01-22", "mutasi.csv"), told(&[("asks", "-")]));
    write(isp, "malam.csv", &bri(&[&rows[..], &[("22/01/26", "BUNGA", 12)]].concat()));
    assert_eq!(import(isp, "2026-01-22", "malam.csv").len(), 2);
    assert_eq!(import(isp, "2026-01-22", "mutasi.csv").len(), 2);
    assert_eq!(amounts(isp), [siti, budi]);

    stage.router_up();
    isp.ok(&["--on", "2026-01-22", "--at", "13:00", "deliver"]);
    assert_eq!((stage.profile("budi@isp"), stage.profile("siti@isp")), ("home20".into(), "home10".into()));
    let lines = isp.json(&["subscription", "list", "--access", "isolated"]);
    assert_eq!(lines.as_array().unwrap().len(), 0);
    let why = isp.ok(&["--on", "2026-01-22", "--at", "13:05", "explain", "P001"]);
    assert!(why.contains("Layanan terbuka"), "{why}");
    assert_eq!(stage.whatsapp.duplicates(), []);
}

fn provider() -> Isp {
    let isp = Isp::new();
    isp.init();
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp.ok(&["--on", "2026-01-01", "bill"]);
    isp
}

fn waiting(isp: &Isp) -> Vec<Value> {
    isp.json(&["--on", "2026-01-10", "bank", "list"]).as_array().unwrap().clone()
}

#[test]
fn a_person_matches_what_nobody_knows_and_it_is_known_from_then_on() {
    let isp = provider();
    write(
        &isp,
        "a.csv",
        &bri(&[("05/01/26", "TRF DARI SUPARMAN JAYA BAYAR WIFI", 165_000), ("05/01/26", "SALAH KIRIM", 77)]),
    );
    assert_eq!(import(&isp, "2026-01-06", "a.csv"), told(&[("asks", "-"), ("asks", "-")]));
    let id =
        |amount: i64| waiting(&isp).iter().find(|m| m["amount"] == amount).unwrap()["id"].as_str().unwrap().to_owned();
    let (rent, slip) = (id(165_000), id(77));
    let said = isp.ok(&["--lang", "en", "--on", "2026-01-06", "bank", "match", &rent, "P001"]);
    assert!(
        said.contains("Rp165.000 is booked as the payment of P001") && said.contains("Rp0 is still owed"),
        "{said}"
    );
    isp.fails(3, &["--on", "2026-01-06", "bank", "match", &rent, "P002"], "mutation.settled");
    isp.fails(3, &["--on", "2026-01-06", "bank", "ignore", &slip, "--reason", " "], "value.empty");
    isp.ok(&["--on", "2026-01-06", "bank", "ignore", &slip, "--reason", "salah kirim"]);
    assert_eq!(waiting(&isp).len(), 0);
    // The day counts that the bank tells.
    assert_eq!(isp.json(&["payment", "list"])[0]["paid_at"], "2026-01-05");
    // Next month the same words are the same customer's, where that customer owes the amount; another one is asked about.
    isp.ok(&["--on", "2026-02-01", "bill"]);
    write(&isp, "b.csv", &bri(&[("05/02/26", "TRF DARI SUPARMAN JAYA BAYAR WIFI", 165_000)]));
    assert_eq!(import(&isp, "2026-02-06", "b.csv"), told(&[("booked", "P001")]));
    write(&isp, "c.csv", &bri(&[("10/02/26", "TRF DARI SUPARMAN JAYA BAYAR WIFI", 170_000)]));
    assert_eq!(import(&isp, "2026-02-11", "c.csv"), told(&[("asks", "P001")]));
    assert_eq!(waiting(&isp)[0]["reason"], "other_amount");
    // A part of a thousand is booked, too, where the text says whose it is: the bank says the amount, nobody typed it.
    write(&isp, "d.csv", &bri(&[("12/02/26", "TRF P001 SUPARMAN JAYA", 500)]));
    assert_eq!(import(&isp, "2026-02-13", "d.csv"), told(&[("asks", "P001"), ("booked", "P001")]));
    isp.fails(4, &["bank", "match", "ffffffff", "P001"], "cli.not_found");
    isp.fails(4, &["bank", "match", "f", "P001"], "cli.not_found");
}

#[test]
fn several_mutations_are_ignored_at_once_or_none_when_one_is_not_there() {
    let isp = provider();
    write(&isp, "a.csv", &bri(&[("05/01/26", "BUNGA", 77), ("05/01/26", "SALAH KIRIM", 88), ("05/01/26", "UJI", 99)]));
    import(&isp, "2026-01-06", "a.csv");
    let ids: Vec<String> = waiting(&isp).iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    fn ignore<'a>(ids: &[&'a str]) -> Vec<&'a str> {
        [&["bank", "ignore"], ids, &["--reason", "bukan pembayaran"]].concat()
    }
    isp.fails(4, &ignore(&[&ids[0], "ffffffff"]), "cli.not_found");
    assert_eq!(waiting(&isp).len(), 3);
    isp.fails(2, &ignore(&[]), "cli.usage");
    let said = isp.ok(&ignore(&[&ids[0], &ids[1]]));
    assert_eq!(said.matches("bukan pembayaran pelanggan").count(), 2, "{said}");
    assert!(said.contains(&ids[0]) && said.contains(&ids[1]), "{said}");
    // One of them was ignored before: it is named, and the other one waits as before.
    let err = isp.fails(3, &ignore(&[&ids[2], &ids[0]]), "mutation.settled");
    assert!(err.contains(&ids[0]) && !err.contains(&ids[2]) && waiting(&isp).len() == 1, "{err}");
    let left: Vec<String> = waiting(&isp).iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(left, ids[2..]);
}

#[test]
fn a_wrong_match_is_taken_back_with_its_payment_and_what_was_learnt() {
    let isp = provider();
    write(&isp, "a.csv", &bri(&[("05/01/26", "TRF DARI SUPARMAN", 165_000), ("05/01/26", "BIAYA", -500)]));
    import(&isp, "2026-01-06", "a.csv");
    let rent = waiting(&isp)[0]["id"].as_str().unwrap().to_owned();
    isp.fails(3, &["--on", "2026-01-06", "bank", "unmatch", &rent, "--reason", "x"], "mutation.waits");
    isp.ok(&["--on", "2026-01-06", "bank", "match", &rent, "P002"]);
    assert_eq!(amounts(&isp), [165_000]);
    isp.ok(&["--on", "2026-01-07", "bank", "unmatch", &rent, "--reason", "salah orang", "--by", "Sari"]);
    assert!(amounts(&isp).is_empty());
    let all = isp.json(&["bank", "list", "--all"]);
    let row = all.as_array().unwrap().iter().find(|m| m["id"] == rent.as_str()).unwrap();
    assert_eq!(isp.json(&["bank", "show", &rent]), serde_json::json!([row]));
    assert_eq!(
        (&row["state"], &row["by"], &row["reason"]),
        (&"taken_back".into(), &"Sari".into(), &"salah orang".into())
    );
    // No machine matches it again: only a person.
    assert_eq!(import(&isp, "2026-01-07", "a.csv"), told(&[("asks", "-")]));
    isp.ok(&["--on", "2026-01-07", "bank", "match", &rent, "P001"]);
    assert_eq!(amounts(&isp), [165_000]);
    // Reversing the payment by its own name says the same.
    let payment = isp.json(&["payment", "list", "--customer", "P001"])[0].clone();
    let reference = payment["reference"].as_str().unwrap();
    isp.ok(&["--on", "2026-01-08", "payment", "reverse", "bri", reference, "--reason", "ditolak"]);
    assert_eq!(waiting(&isp)[0]["id"], rent.as_str());
    // Money out is kept, and nobody's payment.
    let fee = all.as_array().unwrap().iter().find(|m| m["amount"] == -500).unwrap();
    assert_eq!(fee["state"], "money_out");
    isp.fails(3, &["bank", "match", fee["id"].as_str().unwrap(), "P001"], "mutation.money_out");
}

#[test]
fn what_a_person_booked_before_the_file_came_is_not_booked_again() {
    let isp = provider();
    isp.ok(&["--on", "2026-01-05", "payment", "add", "P001", "165000", "--provider", "bri", "--reference", "TRX-1"]);
    write(&isp, "a.csv", &bri(&[("04/01/26", "TRF P001", 165_000), ("05/01/26", "TRF P001", 165_000)]));
    let mut became = import(&isp, "2026-01-06", "a.csv");
    became.sort();
    // The second transfer is another one: credit.
    assert_eq!(became, told(&[("booked", "P001"), ("linked", "P001")]));
    assert_eq!(amounts(&isp), [165_000, 165_000]);
    // Taking a link back leaves the payment that a person booked.
    let all = isp.json(&["bank", "list", "--all"]);
    assert_eq!(all[0]["date"], "2026-01-04");
    isp.ok(&["--on", "2026-01-06", "bank", "unmatch", all[0]["id"].as_str().unwrap(), "--reason", "bukan itu"]);
    assert_eq!(amounts(&isp), [165_000, 165_000]);
}

#[test]
fn a_file_that_cannot_be_trusted_writes_nothing() {
    let isp = provider();
    let import = |name: &str| {
        vec!["--on", "2026-01-06", "bank", "import", name].into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let fails = |exit, name: &str, code| {
        let words = import(name);
        isp.fails(exit, &words.iter().map(String::as_str).collect::<Vec<_>>(), code)
    };
    let good = bri(&[("05/01/26", "TRF P001", 165_000), ("05/01/26", "TRF P002", 111_000)]);
    write(&isp, "good.csv", &good);
    fails(3, "good.csv", "bank.no_account");
    write(&isp, "cut.csv", &good.replace("276000.00", "276001.00"));
    fails(3, "cut.csv", "bank.totals");
    write(&isp, "row.csv", &good.replace("05/01/26,\"TRF P002", "32/01/26,\"TRF P002"));
    assert!(fails(3, "row.csv", "bank.row").contains("row.csv: baris 3"));
    write(&isp, "list.csv", "nama;alamat\nBudi;Bandung\n");
    fails(3, "list.csv", "bank.unknown_file");
    fails(6, "nothing.csv", "cli.file");
    fails(6, "sheets", "cli.file");
    let bca = "No. rekening : 1234567890\nTanggal Transaksi,Keterangan,Cabang,Jumlah,Saldo\n05/01/2026,TRF P001,0998,\"165,000.00 CR\",\"165,000.00\"\n";
    write(&isp, "bca.csv", bca);
    isp.fails(3, &["bank", "import", "bca.csv", "--account", "999999999"], "bank.other_account");
    assert_eq!((amounts(&isp), isp.json(&["bank", "list", "--all"]).as_array().unwrap().len()), (vec![], 0));
    // One that is dated ahead is kept and named; the others are booked.
    write(&isp, "ahead.csv", &bri(&[("05/01/26", "TRF P001", 165_000), ("05/01/27", "TRF P002", 111_000)]));
    let (out, err) =
        isp.exit(5, &["--lang", "en", "--on", "2026-01-06", "bank", "import", "ahead.csv", "--account", "BRI-1"]);
    assert!(out.contains("P001") && err.contains("cannot be booked") && err.contains("2027-01-05"), "{out}{err}");
    assert!(err.contains("clock") && !err.contains("--sure"), "{err}");
    assert_eq!(amounts(&isp), [165_000]);
    let ahead = waiting(&isp)[0]["id"].as_str().unwrap().to_owned();
    let err = isp.fails(3, &["--on", "2026-01-06", "bank", "match", &ahead, "P002"], "mutation.ahead");
    assert!(!err.contains("--sure"), "{err}");
    isp.ok(&["--on", "2026-01-06", "bank", "ignore", &ahead, "--reason", "salah tanggal"]);
    // What is more than a year old is booked when a person says whose it is.
    write(&isp, "old.csv", &bri(&[("05/01/24", "TRF P001", 7_000)]));
    let (_, err) = isp.exit(5, &["--on", "2026-01-06", "bank", "import", "old.csv", "--account", "BRI-3"]);
    assert!(err.contains("2024-01-05") && err.contains("isp bank match") && !err.contains("--sure"), "{err}");
    let old = waiting(&isp)[0]["id"].as_str().unwrap().to_owned();
    isp.ok(&["--on", "2026-01-06", "bank", "match", &old, "P001"]);
    assert_eq!(amounts(&isp), [7_000, 165_000]);
    let payment = isp.json(&["payment", "list", "--customer", "P001"]);
    let reference = payment.as_array().unwrap().iter().find(|p| p["amount"] == 7_000).unwrap()["reference"].clone();
    isp.ok(&["--on", "2026-01-06", "payment", "reverse", "bri", reference.as_str().unwrap(), "--reason", "uji"]);
    isp.ok(&["--on", "2026-01-06", "bank", "ignore", &old, "--reason", "uji"]);
    // UTF-16 with tabs, as some banks export it.
    let tabs: String = bri(&[("06/01/26", "TRF P001", 5_000)]).replace(',', "\t");
    let bytes: Vec<u8> = [0xff, 0xfe].into_iter().chain(tabs.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    std::fs::write(isp.dir().join("tabs.csv"), bytes).unwrap();
    isp.exit_any(&[0, 5], &["--on", "2026-01-07", "bank", "import", "tabs.csv", "--account", "BRI-2"]);
    assert_eq!(amounts(&isp), [5_000, 165_000]);
}

/// The bank puts a fee before a transfer that is booked. The transfer waits, in both languages with what to do.
#[test]
fn a_row_that_the_bank_wrote_anew_waits_and_names_the_one_that_is_booked() {
    let isp = provider();
    let (fee, pays) = (("05/01/26", "BIAYA ADM", -2_500), ("05/01/26", "TRF P001", 165_000));
    write(&isp, "a.csv", &bri(&[("05/01/26", "SETORAN", 9_000), pays]));
    assert_eq!(import(&isp, "2026-01-06", "a.csv"), told(&[("asks", "-"), ("booked", "P001")]));
    let rows = isp.json(&["--on", "2026-01-06", "bank", "list", "--all"]);
    let first = rows.as_array().unwrap().iter().find(|row| row["amount"] == 165_000).unwrap()["id"].clone();
    write(&isp, "b.csv", &bri(&[("05/01/26", "SETORAN", 9_000), fee, pays]));
    let bank = |more: &[&str]| isp.exit(0, &[&["--on", "2026-01-06", "bank"], more].concat());
    let import_b = ["import", "b.csv", "--account", "BRI-1"];
    for (arguments, lang, says) in [
        (&[&import_b[..], &["--dry-run"]].concat(), "en", "If the payer paid twice, match it: isp bank match"),
        (&import_b.to_vec(), "id", "Bila bank hanya menulis ulang baris itu, abaikan: isp bank ignore"),
        (&vec!["list"], "en", "Look at both: isp bank show"),
    ] {
        let (out, err) = bank(&[&["--lang", lang], &arguments[..]].concat());
        let named = first.as_str().unwrap();
        assert!(
            out.contains(named) && err.contains(says) && err.contains(named) && err.contains("Rp165.000"),
            "{out}{err}"
        );
    }
    let anew = waiting(&isp).into_iter().find(|row| row["reason"] == "written_anew").unwrap();
    assert_eq!((&anew["may_be"], &anew["amount"], &anew["customer"]), (&first, &165_000.into(), &"P001".into()));
    assert_eq!(amounts(&isp), [165_000]);
    isp.ok(&["bank", "ignore", anew["id"].as_str().unwrap(), "--reason", "ditulis ulang"]);
    assert_eq!((waiting(&isp).len(), amounts(&isp)), (1, vec![165_000]));
}

/// The ID of somebody who was erased, or whose line ended long ago: a person says whose the money is. Who has just ended is known.
#[test]
fn money_that_names_a_customer_who_is_gone_waits() {
    let isp = provider();
    for (customer, amount) in [("P001", "165000"), ("P002", "111000")] {
        let paid = ["payment", "add", customer, amount, "--provider", "cash", "--reference", customer];
        isp.ok(&[&["--on", "2026-01-05"], &paid[..]].concat());
        isp.ok(&["--on", "2026-01-31", "subscription", "terminate", customer]);
    }
    // What was paid ahead pays the last invoice.
    isp.ok(&["--on", "2026-02-01", "bill"]);
    isp.ok(&["--on", "2026-02-02", "privacy", "erase", "P002", "--reason", "surat"]);
    let rows = [("20/02/26", "TRF P001", 50_000), ("20/02/26", "TRF P002", 50_000)];
    write(&isp, "a.csv", &bri(&rows));
    assert_eq!(import(&isp, "2026-02-21", "a.csv"), told(&[("booked", "P001"), ("asks", "P002")]));
    write(&isp, "b.csv", &bri(&[("20/05/26", "TRF P001", 60_000)]));
    assert_eq!(import(&isp, "2026-05-21", "b.csv"), told(&[("asks", "P002"), ("asks", "P001")]));
    let list = isp.json(&["--on", "2026-05-21", "bank", "list"]);
    let reasons: Vec<_> = list.as_array().unwrap().iter().map(|row| row["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["customer_gone"; 2]);
    // A person books it all the same.
    let id = list[1]["id"].as_str().unwrap();
    isp.ok(&["--on", "2026-05-21", "bank", "match", id, "P001"]);
    assert_eq!(amounts(&isp), [50_000, 60_000, 111_000, 165_000]);
}

/// Money that nobody is known by, and what the provider had sent and comes back: it waits, and whoever isolates its payer hears of it.
#[test]
fn money_that_waits_is_told_where_somebody_is_isolated() {
    let isp = provider();
    write(&isp, "a.csv", &bri(&[("05/01/26", "TRF DARI SUPARMAN", 165_000), ("06/01/26", "RETUR LLG P001", 50_000)]));
    assert_eq!(import(&isp, "2026-01-07", "a.csv"), told(&[("asks", "-"), ("asks", "P001")]));
    let reasons: Vec<Value> = waiting(&isp).iter().map(|row| row["reason"].clone()).collect();
    assert_eq!(reasons, ["nobody", "comes_back"]);
    let status = || {
        let rows = isp.json(&["--on", "2026-01-10", "status"]);
        rows.as_array().unwrap().iter().find(|row| row["what"] == "waiting_mutations").cloned()
    };
    let row = status().unwrap();
    assert_eq!((row["count"].as_i64(), row["amount"].as_i64()), (Some(2), Some(215_000)));
    let late = |words: &[&str]| isp.exit(0, &[&["--on", "2026-01-26", "--at", "13:00"], words].concat());
    let (_, err) = late(&["enforce"]);
    assert!(err.contains("2 transfer sebesar Rp215.000 menunggu petugas"), "{err}");
    let told = "transfer Rp50.000 tanggal 2026-01-06 mungkin miliknya";
    let (of_it, other) = (late(&["explain", "P001"]).0, late(&["explain", "P002"]).0);
    assert!(of_it.contains(told) && !of_it.contains("165.000 tanggal"), "{of_it}");
    assert!(!other.contains("mungkin miliknya"), "{other}");
    for row in waiting(&isp) {
        isp.ok(&["bank", "ignore", row["id"].as_str().unwrap(), "--reason", "bukan pembayaran"]);
    }
    assert_eq!(status(), None);
    assert!(!late(&["explain", "P001"]).0.contains("mungkin miliknya"));
}

/// Several import one file at one moment: each says of each row that it is booked, by whomever, and none that it cannot be.
#[test]
fn whoever_imports_at_the_same_moment_says_that_the_rows_are_booked() {
    let isp = provider();
    let rows: Vec<_> =
        (0..40).map(|n| ("05/01/26", if n % 2 == 0 { "TRF P001" } else { "TRF P002" }, 1_000 + n)).collect();
    write(&isp, "a.csv", &bri(&rows));
    let words =
        ["--lang", "en", "--on", "2026-01-06", "--format", "json", "bank", "import", "a.csv", "--account", "BRI-1"];
    let start = |_| {
        let mut command = isp.command(&words);
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
    };
    let several: Vec<_> = (0..3).map(start).collect();
    for one in several {
        let ended = one.wait_with_output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
        assert!(ended.status.success() && !err.contains("cannot be booked"), "{out}{err}");
        let told: Value = serde_json::from_str(&out).unwrap();
        let became = |row: &Value| row["becomes"] == "booked" || row["becomes"] == "linked";
        assert!(told.as_array().unwrap().iter().all(became), "{told}");
    }
    assert_eq!(amounts(&isp).len(), 40);
}

/// The bank takes a transfer back: its payment is named, in the import and in the list, until a person has answered.
#[test]
fn a_transfer_that_the_bank_took_back_names_the_payment_that_stands() {
    for storno in ["STORNO TRF P001", "KOREKSI", "RETUR TRF DARI BUDI"] {
        let isp = provider();
        let pays = [("05/01/26", "TRF P001", 165_000), ("05/01/26", "TRF P002", 111_000)];
        write(&isp, "a.csv", &bri(&pays));
        import(&isp, "2026-01-06", "a.csv");
        write(
            &isp,
            "b.csv",
            &bri(&[&pays[..], &[("07/01/26", "BIAYA", -111_000), ("07/01/26", storno, -165_000)]].concat()),
        );
        let run = |words: &[&str]| isp.exit(0, &[&["--on", "2026-01-08", "bank"], words].concat());
        let all = isp.json(&["bank", "list", "--all"]);
        let id = |amount: i64| {
            let all = isp.json(&["bank", "list", "--all"]);
            all.as_array().unwrap().iter().find(|row| row["amount"] == amount).unwrap()["id"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(all.as_array().unwrap().len(), 2);
        let payment = id(165_000);
        let (_, err) = run(&["import", "b.csv", "--account", "BRI-1"]);
        let out = id(-165_000);
        assert!(
            err.contains("menarik kembali Rp165.000") && err.contains(&payment) && err.contains("P001"),
            "{storno}: {err}"
        );
        assert!(err.contains(&out) && !err.contains("P002") && !err.contains("111.000"), "{storno}: {err}");
        assert_eq!(
            run(&["list"]).1,
            err.lines().filter(|line| line.contains("menarik")).collect::<Vec<_>>().join("\n") + "\n"
        );
        // The payment is taken back, or the money out is about something else: nothing is told any more.
        if storno == "KOREKSI" {
            run(&["ignore", &out, "--reason", "tentang hal lain"]);
            assert_eq!(amounts(&isp), [111_000, 165_000]);
        } else {
            run(&["unmatch", &payment, "--reason", "storno"]);
            assert_eq!(amounts(&isp), [111_000]);
        }
        assert_eq!(run(&["list"]).1, "", "{storno}");
    }
}

/// An attacker's file: one name and one amount twice. In one file or in two, the second waits for a person.
#[test]
fn the_second_transfer_of_one_name_and_amount_waits_in_one_file_as_in_two() {
    let rows = [("05/01/26", "TRF DARI BUDI SANTOSO", 165_000), ("05/01/26", "TRF DARI BUDI SANTOSO", 165_000)];
    let expected = told(&[("booked", "P001"), ("asks", "P001")]);
    let one = provider();
    write(&one, "a.csv", &bri(&rows));
    let dry = one.json(&["--on", "2026-01-06", "bank", "import", "a.csv", "--account", "BRI-1", "--dry-run"]);
    assert_eq!((&dry[0]["becomes"], &dry[1]["becomes"]), (&"sure".into(), &"asks".into()), "{dry}");
    assert_eq!(import(&one, "2026-01-06", "a.csv"), expected);
    let two = provider();
    write(&two, "a.csv", &bri(&rows[..1]));
    write(&two, "b.csv", &bri(&rows));
    assert_eq!(import(&two, "2026-01-06", "a.csv"), expected[..1]);
    assert_eq!(import(&two, "2026-01-06", "b.csv"), expected[1..]);
    for isp in [&one, &two] {
        assert_eq!(amounts(isp), [165_000]);
        let waits = waiting(isp);
        assert_eq!((waits.len(), &waits[0]["reason"]), (1, &"other_amount".into()), "{waits:?}");
    }
}
