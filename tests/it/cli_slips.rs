//! What is possible and looks like a slip is asked about, whichever command it is typed into.

use crate::cli::{Isp, SHEETS};

fn provider() -> Isp {
    let isp = Isp::new();
    isp.init();
    isp.write(&SHEETS[..6]);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp
}

#[test]
fn cash_below_zero_is_asked_wherever_it_is_spent() {
    let isp = provider();
    let pay = |amount: &str, reference: &str| {
        isp.ok(&["--on", "2026-01-02", "payment", "add", "P002", amount, "--reference", reference]);
    };
    let asked = |words: &[&str]| {
        let words = [&["--on", "2026-01-03", "--lang", "en"], words].concat();
        let line = isp.fails(3, &words, "money.cash_short");
        assert!(line.contains("in cash"), "{line}");
        isp.ok(&[words.as_slice(), &["--sure"]].concat());
    };
    pay("100000", "A");
    asked(&["device", "replace", "SN-1", "--with", "SN-2", "--cost", "150000", "--reason", "petir"]);
    asked(&[
        "cpe",
        "add",
        "SN-9",
        "--customer",
        "P003",
        "--ownership",
        "lent",
        "--cost",
        "200.000",
        "--reason",
        "baru",
    ]);
    asked(&["device", "return", "SN-9", "--cost", "25000", "--reason", "ongkos ambil"]);
    // From the bank nobody is asked; moved back to cash, one is.
    let bank = ["--on", "2026-01-03", "device", "correct", "SN-9", "--cost", "25000", "--reason", "transfer"];
    isp.ok(&[&bank[..], &["--paid-from", "bank"]].concat());
    asked(&["device", "correct", "SN-9", "--cost", "25000", "--paid-from", "cash", "--reason", "ternyata tunai"]);
    asked(&["device", "correct", "SN-2", "--cost", "160000", "--reason", "nota"]);
    asked(&["payment", "reverse", "cash", "A", "--reason", "salah orang"]);
    // Less, nothing and money of others are never asked about, however little cash there is.
    isp.ok(&["--on", "2026-01-03", "device", "correct", "SN-2", "--cost", "150000", "--reason", "nota lagi"]);
    isp.ok(&["--on", "2026-01-03", "device", "return", "SN-2", "--reason", "pindah"]);
    isp.ok(&["--on", "2026-01-03", "payment", "add", "P002", "50000", "--provider", "bca", "--reference", "B"]);
    isp.ok(&["--on", "2026-01-03", "payment", "reverse", "bca", "B", "--reason", "ditolak"]);
    let held = ["--on", "2026-01-03", "payment", "add", "P002", "50000", "--collector", "ANTON", "--reference", "C"];
    isp.ok(&held);
    isp.ok(&["--on", "2026-01-03", "payment", "reverse", "cash", "C", "--reason", "salah catat"]);
}

#[test]
fn an_import_that_takes_cash_below_zero_is_asked_once_there_is_cash() {
    let isp = provider();
    let head = "tanggal,kategori,jumlah,catatan,dari\n";
    let sheet = |text: &str| isp.write(&[("expenses.csv", &format!("{head}{text}"))]);
    // Whoever begins brings expenses of earlier months: told, not asked.
    sheet("2025-12-01,listrik,200000,PLN,tunai\n");
    let (_, told) = isp.exit(0, &["--on", "2026-01-01", "--lang", "en", "import", "--expenses", "sheets/expenses.csv"]);
    assert!(told.contains("cash is below zero"), "{told}");
    isp.ok(&["--on", "2026-01-02", "payment", "add", "P002", "500000", "--reference", "A"]);
    sheet("2026-01-02,gaji,250000,Eko,tunai\n2026-01-02,gaji,100000,Ani,tunai\n2026-01-02,bandwidth,900000,,bank\n");
    let import = ["--on", "2026-01-03", "--lang", "en", "import", "--expenses", "sheets/expenses.csv"];
    let (_, err) = isp.exit(3, &import);
    assert!(err.contains("expenses.csv line 3 column jumlah") && err.contains("money.cash_short"), "{err}");
    assert!(!err.contains("expenses.csv line 2 ") && err.contains("--accept expenses.csv:3"), "{err}");
    isp.ok(&[import.as_slice(), &["--accept", "expenses.csv:3"]].concat());
}

#[test]
fn an_amount_without_its_thousands_is_asked() {
    let isp = provider();
    let asked = |words: &[&str]| {
        let words = [&["--on", "2026-01-02"], words].concat();
        isp.fails(3, &words, "value.implausible");
        isp.ok(&[words.as_slice(), &["--sure"]].concat());
    };
    asked(&["payment", "add", "P002", "150", "--reference", "A"]);
    asked(&["expense", "add", "listrik", "250", "--paid-from", "bank"]);
    asked(&["device", "return", "SN-1", "--cost", "25", "--reason", "rusak"]);
    // RouterOS writes upload first: 5M/10M is a line of 10 Mbit/s.
    asked(&["package", "add", "X", "--name", "X", "--price", "150000", "--speed", "5M/10M"]);
    asked(&["package", "edit", "X", "--speed", "5M/20M"]);
    isp.write(&[("packages.csv", "kode,nama,harga,kecepatan\nR10,Rumah 10,150000,5M/10M\n")]);
    let import = ["--on", "2026-01-02", "import", "--packages", "sheets/packages.csv"];
    let (_, err) = isp.exit(3, &import);
    assert!(err.contains("packages.csv baris 2 kolom kecepatan") && err.contains("--accept packages.csv:2"), "{err}");
}

#[test]
fn a_day_with_the_wrong_year_is_asked_and_so_is_one_nik_twice() {
    let isp = provider();
    let on = ["--on", "2026-01-02"];
    isp.ok(&[&on[..], &["installation", "kind", "FO", "--name", "FO", "--price", "500000"]].concat());
    for words in [
        &["expense", "add", "listrik", "250000", "--paid-from", "bank", "--date", "2062-01-02"][..],
        &["installation", "add", "P001", "--kind", "FO", "--fee", "500000", "--date", "1999-01-02"],
        &["device", "return", "SN-1", "--date", "2126-01-02", "--reason", "pindah"],
    ] {
        isp.fails(3, &[&on[..], words].concat(), "value.implausible");
    }
    let line =
        ["subscription", "add", "P003", "--package", "HOME10", "--router", "R1", "--username", "x", "--password", "p"];
    isp.fails(3, &[&on[..], &line, &["--start", "2062-01-02"]].concat(), "value.implausible");
    // Two digits of a year, written first, are read last.
    let asked = |kind: &str, text: &str, column: &str, code: &str| {
        let name = format!("{kind}.csv");
        isp.write(&[(&name, text)]);
        let (file, option) = (format!("sheets/{name}"), format!("--{kind}"));
        let import = [&on[..], &["--lang", "en", "import", &option, &file]].concat();
        let (_, err) = isp.exit(3, &import);
        assert!(err.contains(&format!("column {column}")) && err.contains(code) && err.contains("--accept"), "{err}");
        isp.ok(&[import.as_slice(), &["--accept", &name]].concat());
    };
    let lines = "id_pelanggan,paket,username,password,mulai\nP003,HOME10,baru,p,25-12-31\n";
    asked("subscriptions", lines, "mulai", "value.implausible");
    let spent = "tanggal,kategori,jumlah,dari\n1999-01-02,gaji,500000,bank\n";
    asked("expenses", spent, "tanggal", "value.implausible");
    let people = "id_pelanggan,nama,alamat,nik\nP8,Ani,RT 1,3273014102900001\nP9,Ana,RT 1,3273014102900001\n";
    asked("customers", people, "nik", "import.same_nik");
}
