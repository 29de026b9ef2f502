//! One sheet with everything, as owners have it: recognised by its columns, and all that is wrong with it told at once.

use crate::cli::Isp;

const HEAD: &str = "No;Nama;No HP;Alamat;Paket;Username PPPoE;Password PPPoE;Tgl Pasang;Tgl Jatuh Tempo;ID Pelanggan\n";

fn row(n: usize, phone: &str, package: &str) -> String {
    format!("{n};Warga {n};{phone};Jl. Melati {n};{package};warga{n};pw-warga-{n};01/06/2025;tgl 20;P{n:03}\n")
}

fn provider() -> Isp {
    let isp = Isp::new();
    isp.init();
    isp.ok(&["site", "add", "A", "--name", "A"]);
    isp.ok(&["router", "add", "R1", "--site", "A", "--address", "10.0.0.1", "--username", "isp", "--password", "x"]);
    isp
}

fn package(isp: &Isp, code: &str, name: &str) {
    isp.ok(&["--on", "2026-01-01", "package", "add", code, "--name", name, "--price", "150000", "--speed", "10M/5M"]);
}

fn import(isp: &Isp, code: i32, name: &str, text: &str, more: &[&str]) -> (String, String) {
    std::fs::write(isp.dir().join(name), text).unwrap();
    isp.exit(code, &[&["--on", "2026-01-15", "import", name][..], more].concat())
}

#[test]
fn a_sheet_is_known_by_its_columns_whatever_it_is_called() {
    let isp = provider();
    package(&isp, "P10", "10 Mbps");
    let sheet = [HEAD.to_owned(), row(1, "081234500001", "10 mbps"), row(2, "021-5551234", " 10  MBPS")].concat();
    for name in ["pelanggan.csv", "data 2026.csv"] {
        let (out, err) = import(&isp, 0, name, &sheet, &["--dry-run"]);
        assert!(err.contains(&format!("{name} dibaca sebagai lembar berisi semuanya")), "{err}");
        assert!(err.contains("kolom Tgl Jatuh Tempo tidak dikenal dan tidak diimpor"), "{err}");
        assert!(err.contains("kolom No HP: 1 nomor telepon rumah") && err.contains("baris 3"), "{err}");
        assert!(out.contains("Percobaan saja"), "{out}");
    }
    import(&isp, 0, "pelanggan.csv", &sheet, &[]);
    let lines = isp.json(&["subscription", "list"]);
    let packages: Vec<_> = lines.as_array().unwrap().iter().map(|line| line["package"].as_str().unwrap()).collect();
    assert_eq!(packages, ["P10", "P10"], "a package is found by its name");
    assert_eq!(isp.json(&["customer", "show", "P002"])[0]["phone"], serde_json::Value::Null);
    assert_eq!(isp.json(&["customer", "show", "P001"])[0]["phone"], "+62***001");
}

#[test]
fn a_missing_package_is_named_once_with_its_rows() {
    let isp = provider();
    let rows: String =
        (1..=20).map(|n| row(n, "", "10 Mbps")).chain([row(21, "", "20 Mbps"), row(22, "", "x1y2")]).collect();
    let (_, err) = import(&isp, 3, "pelanggan.csv", &[HEAD, &rows].concat(), &[]);
    assert!(err.contains("baris 2-21 (20 baris) kolom Paket: paket \"10 Mbps\" tidak ada"), "{err}");
    assert!(
        err.contains("baris 22 kolom Paket: paket \"20 Mbps\" tidak ada") && err.contains("isp package add"),
        "{err}"
    );
    // What may be a password in a shifted column is not repeated.
    assert!(err.contains("paket \"baris ini\" tidak ada") && !err.contains("x1y2"), "{err}");
    assert!(err.contains("22 kesalahan di 22 baris; tidak ada yang ditulis [cli.bad_rows]"), "{err}");
    package(&isp, "A10", "10 Mbps");
    package(&isp, "B10", "10 MBPS");
    let (_, err) = import(&isp, 3, "pelanggan.csv", &[HEAD, &row(1, "", "10 Mbps")].concat(), &[]);
    assert!(err.contains("ada 2 paket dengan nama itu") && err.contains("[import.which_package]"), "{err}");
}

/// The first import of a firm that has no router yet: what all rows share does not hide what is wrong with some.
#[test]
fn what_many_rows_share_is_said_once_and_the_rest_each() {
    let isp = Isp::new();
    isp.init();
    let all = |n: usize| match n {
        7 => row(n, "08123", "10 Mbps"),
        9 => row(n, "", "10 Mbps").replace("warga9", "warga8"),
        n if n.is_multiple_of(2) => row(n, "", "20 Mbps"),
        n => row(n, "", "10 Mbps"),
    };
    let sheet = [HEAD.to_owned(), (1..=60).map(all).collect()].concat();
    package(&isp, "P10", "10 Mbps");
    let (_, err) = import(&isp, 3, "pelanggan.csv", &sheet, &["--dry-run"]);
    // No router, and a package that is not there: both in the first round.
    let said: Vec<&str> = err.lines().filter(|line| line.starts_with("pelanggan.csv baris ")).collect();
    assert_eq!(said.len(), 4, "{err}");
    assert!(said[0].starts_with("pelanggan.csv baris 2-61 (60 baris) kolom router: belum ada router"), "{err}");
    let odd = "baris 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, ... (30 baris) kolom Paket: paket \"20 Mbps\" tidak ada";
    assert!(said[1].contains(odd), "{err}");
    assert!(said[2].contains("baris 8 kolom No HP: ") && said[2].ends_with("[customer.phone]"), "{err}");
    assert!(said[3].contains("baris 10 kolom Username PPPoE: ") && said[3].ends_with("[import.repeated]"), "{err}");
    assert!(err.contains("92 kesalahan di 60 baris; tidak ada yang ditulis"), "{err}");
    let english = isp.exit(3, &["--lang", "en", "import", "pelanggan.csv", "--dry-run"]).1;
    assert!(english.contains("pelanggan.csv lines 2-61 (60 rows) column router: there is no router yet"), "{english}");
    // A program gets the fault of each row, and so does the copy.
    let (out, _) = isp.exit(3, &["--format", "json", "import", "pelanggan.csv", "--fix", "periksa.csv"]);
    let faults: serde_json::Value = serde_json::from_str(&out).unwrap();
    let of = |code: &str| faults.as_array().unwrap().iter().filter(|row| row["code"] == code).count();
    assert_eq!((of("import.no_router_yet"), of("import.unknown_package"), of("customer.phone")), (60, 30, 1));
    assert!(faults.as_array().unwrap().iter().all(|row| row["file_line"].is_u64()), "{out}");
    let copy = std::fs::read_to_string(isp.dir().join("periksa.csv")).unwrap();
    assert_eq!(copy.lines().filter(|line| line.contains("paket \"\"20 Mbps\"\" tidak ada")).count(), 30, "{copy}");
    // With several routers the rows say no more about it.
    isp.ok(&["site", "add", "A", "--name", "A"]);
    for router in ["R1", "R2"] {
        let add = ["--site", "A", "--address", "10.0.0.1", "--username", "isp", "--password", "x"];
        isp.ok(&[&["router", "add", router][..], &add[..]].concat());
    }
    let (_, err) = isp.exit(3, &["import", "pelanggan.csv", "--dry-run"]);
    assert!(err.contains("baris 2-61 (60 baris) kolom router: baris tidak menyebut router, padahal ada 2"), "{err}");
}

#[test]
fn without_numbers_everything_else_is_told_in_the_first_run() {
    let isp = provider();
    let head = HEAD.replace(";ID Pelanggan", "");
    let cut = |row: String| row.rsplit_once(';').unwrap().0.to_owned() + "\n";
    let sheet = [head, cut(row(1, "08123", "10 Mbps")), cut(row(2, "", "10 Mbps"))].concat();
    let (_, err) = import(&isp, 3, "pelanggan.csv", &sheet, &["--fix", "bernomor.csv"]);
    for told in [
        "[import.no_customer_numbers]",
        "[customer.phone]",
        "baris 2-3 (2 baris) kolom Paket: paket \"10 Mbps\"",
        "4 kesalahan di 3 baris",
    ] {
        assert!(err.contains(told), "{told}: {err}");
    }
    assert!(!err.contains("BELUM-BERNOMOR"), "{err}");
    // The copy is read without a word about its own column.
    let copy = std::fs::read_to_string(isp.dir().join("bernomor.csv")).unwrap();
    package(&isp, "P10", "10 Mbps");
    let (_, err) = import(&isp, 0, "bernomor.csv", &copy.replace("08123;", ";"), &[]);
    assert!(err.contains("kolom masalah tidak diimpor") && !err.contains("belum bernomor"), "{err}");
    assert_eq!(isp.json(&["customer", "list"])[0]["code"], "PLG-0001");
}

/// A number that two customers have is told and no error; a row of a sheet without numbers is named by its line.
#[test]
fn what_two_rows_share_is_told() {
    let isp = provider();
    package(&isp, "P10", "10 Mbps");
    let shared = "081234500001";
    let rows: String = (1..=3).map(|n| row(n, shared, "10 Mbps")).collect();
    let (_, err) = import(&isp, 0, "pelanggan.csv", &[HEAD, &rows].concat(), &["--dry-run"]);
    assert!(
        err.contains("kolom No HP: 2 baris memakai nomor telepon pelanggan lain") && err.contains("baris 3"),
        "{err}"
    );
    assert!(!err.contains(shared) && !err.contains("81234500001"), "{err}");
    let head = HEAD.replace(";ID Pelanggan", ";NIK");
    let card = |n: usize| row(n, "", "10 Mbps").replace(&format!(";P{n:03}"), ";3273011708450001");
    let (_, err) = import(&isp, 3, "pelanggan.csv", &[head, card(1), card(2)].concat(), &[]);
    assert!(err.contains("pelanggan.csv:3 Warga 2 memakai NIK pelanggan.csv:2 Warga 1"), "{err}");
    assert!(!err.contains("BELUM-BERNOMOR"), "{err}");
}

#[test]
fn an_unsure_sheet_is_asked_about_and_a_slip_of_the_hand_too() {
    let isp = provider();
    let (_, err) = import(&isp, 3, "pelanggan.csv", "id_pelanggan;nama;alamat;paket\nP1;A;Jl. 1;X\n", &[]);
    assert!(err.contains("kolom paket: kolom ini milik lembar") && err.contains("--everything"), "{err}");
    let (_, err) = import(&isp, 3, "pelanggan.csv", "id_pelanggan;nama;alamat;telpon_\nP1;A;Jl. 1;X\n", &[]);
    assert!(err.contains("kolom ini tidak dikenal; yang dikenal") && err.contains("[import.unknown_column]"), "{err}");
}

/// An attacker's sheet: a package of the books called by its name, with its price beside it. It stays one package.
#[test]
fn a_package_that_is_called_by_its_name_is_not_made_again() {
    let isp = provider();
    package(&isp, "P10", "Rumah 10 Mbps");
    let head = HEAD.replace(";Username", ";Harga;Username");
    let sold = |n: usize, name: &str, price: &str| row(n, "", name).replace(";warga", &format!(";{price};warga"));
    let sheet = [head.clone(), sold(1, "Rumah 10 Mbps", "150.000"), sold(2, " rumah 10  MBPS", "Rp 150.000")].concat();
    import(&isp, 0, "pelanggan.csv", &sheet, &[]);
    let packages = isp.json(&["package", "list"]);
    let known: Vec<_> = packages.as_array().unwrap().iter().map(|p| p["code"].as_str().unwrap()).collect();
    assert_eq!(known, ["P10"], "{packages}");
    assert_eq!((&packages[0]["name"], &packages[0]["group"]), (&"Rumah 10 Mbps".into(), &"P10".into()), "{packages}");
    let lines = isp.json(&["subscription", "list"]);
    assert!(lines.as_array().unwrap().iter().all(|line| line["package"] == "P10"), "{lines}");
    // The same sheet once more changes nothing, and neither does --update.
    for more in [&[][..], &["--update"]] {
        import(&isp, 0, "pelanggan.csv", &sheet, more);
        assert_eq!(isp.json(&["package", "list"]), packages);
    }
    // By its code it keeps its name, too.
    let with_speed = head.replace(";Harga;", ";Harga;Kecepatan;");
    let by_code = [with_speed, sold(3, "P10", "150000").replace(";150000;", ";150000;10M/5M;")].concat();
    import(&isp, 0, "pelanggan.csv", &by_code, &["--update"]);
    assert_eq!(isp.json(&["package", "list"]), packages);

    // Another price is an error that names the row, with or without a speed that the sheet tells.
    for name in ["Rumah 10 Mbps", "P10"] {
        let other = [head.clone(), sold(4, name, "150000"), sold(5, name, "150000")].concat();
        let other = other.replace("150000", "120000");
        let (_, err) = import(&isp, 3, "pelanggan.csv", &other, &[]);
        assert!(
            err.contains("baris 2-3 (2 baris) kolom Harga: paket P10") && err.contains("[import.other_price]"),
            "{err}"
        );
        assert!(err.contains("Rp150.000") && err.contains("Rp120.000"), "{err}");
    }
    assert_eq!(isp.json(&["package", "list"]), packages);
    // Two packages of one name: the code says which.
    package(&isp, "Q10", "RUMAH 10 mbps");
    let (_, err) = import(&isp, 3, "pelanggan.csv", &[head, sold(6, "Rumah 10 Mbps", "150000")].concat(), &[]);
    assert!(err.contains("[import.which_package]"), "{err}");
}

#[test]
fn what_the_next_run_bills_is_said_before_it_is_written() {
    let isp = provider();
    package(&isp, "P10", "10 Mbps");
    let rows: String = (1..=3).map(|n| row(n, "", "10 Mbps")).collect();
    let sheet = [HEAD, &rows].concat();
    let (out, _) = import(&isp, 0, "pelanggan.csv", &sheet, &["--dry-run"]);
    assert!(!out.contains("penagihan berikutnya"), "lines are billed from today on: {out}");
    let back = ["--billed-from", "2026-01-01"];
    let (out, _) = import(&isp, 0, "pelanggan.csv", &sheet, &[&back[..], &["--dry-run"]].concat());
    assert!(out.contains("3 tagihan senilai Rp"), "{out}");
    let said = out.lines().find(|line| line.contains("penagihan berikutnya")).unwrap().to_owned();
    import(&isp, 0, "pelanggan.csv", &sheet, &back);
    let billed = &isp.json(&["--on", "2026-01-15", "bill"])[0];
    let amount = isp_core::Money::rupiah(billed["amount"].as_i64().unwrap()).to_string();
    assert_eq!(billed["invoices"], 3);
    assert!(said.contains(&amount), "{said}: {amount}");
}

#[test]
fn the_next_run_writes_the_fees_that_were_foreseen() {
    let isp = provider();
    package(&isp, "P10", "10 Mbps");
    isp.ok(&["installation", "kind", "FO", "--name", "Fiber", "--price", "500000"]);
    let rows: String = (1..=3).map(|n| row(n, "", "10 Mbps")).collect();
    isp.write(&[
        ("pelanggan.csv", &[HEAD, &rows].concat()),
        (
            "installations.csv",
            "id_pelanggan,jenis,biaya,tanggal,cicilan,bersama_tagihan_pertama\nP001,FO,500000,2026-01-10,1,\n\
             P002,FO,300000,2026-01-02,3,\nP003,FO,200000,2026-01-05,1,ya\n",
        ),
    ]);
    let import = ["--lang", "en", "--on", "2026-02-15", "import", "sheets", "--billed-from", "2026-01-01"];
    let out = isp.ok(&import);
    let said = out.lines().find(|line| line.contains("the next billing run")).unwrap();
    let billed = &isp.json(&["--on", "2026-02-15", "bill"])[0];
    let (count, amount) = (billed["invoices"].as_u64().unwrap(), billed["amount"].as_i64().unwrap());
    let wanted = format!("{count} invoices of {}", isp_core::Money::rupiah(amount));
    assert!(said.starts_with(&wanted), "{said}: {wanted}");
    // One fee at once, two of three instalments, and one on the first invoice of the line.
    let fees = isp.json(&["invoice", "list"]);
    let fees = fees.as_array().unwrap().iter().filter(|row| row["kind"] == "installation").count();
    assert_eq!(fees, 3, "{wanted}");
}

#[test]
fn prices_of_a_line_stand_on_one_sheet_too() {
    let isp = provider();
    package(&isp, "P10", "10 Mbps");
    let head = HEAD.trim_end().to_owned() + ";Harga Khusus;Harga Khusus Sampai;Potongan;Diskon Sampai\n";
    let with = |n: usize, prices: &str| format!("{};{prices}\n", row(n, "", "10 Mbps").trim_end());
    let rows = [with(1, "100000;31/12/2026;;"), with(2, ";;10%;31/12/2026"), with(3, ";;;")].concat();
    let (_, err) = import(&isp, 0, "semua.csv", &[head, rows].concat(), &["--billed-from", "2026-01-01"]);
    assert!(!err.contains("Harga Khusus") && !err.contains("Potongan"), "{err}");
    isp.ok(&["--on", "2026-01-20", "bill"]);
    let invoices = isp.json(&["invoice", "list"]);
    let last = |code: &str| {
        let own = invoices.as_array().unwrap().iter().filter(|row| row["customer"] == code);
        own.filter_map(|row| row["total"].as_i64()).max().unwrap()
    };
    let full = last("P003");
    assert!((last("P001") - full * 2 / 3).abs() <= 2, "{} of {full}", last("P001"));
    assert!((last("P002") - full * 9 / 10).abs() <= 2, "{} of {full}", last("P002"));
}

#[test]
fn an_import_says_written_of_what_it_wrote() {
    let isp = provider();
    package(&isp, "P10", "10 Mbps");
    let sheet = [HEAD, &row(1, "", "10 Mbps")].concat();
    let (out, _) = import(&isp, 0, "pelanggan.csv", &sheet, &[]);
    assert!(out.contains("Selesai ditulis."), "{out}");
    let (out, _) = import(&isp, 0, "pelanggan.csv", &sheet, &[]);
    assert!(out.contains("Tidak ada yang ditulis"), "{out}");
    // What the clock refuses is not said to be written.
    isp.ok(&["--on", "2026-01-15", "bill"]);
    std::fs::write(isp.dir().join("baru.csv"), [HEAD, &row(2, "", "10 Mbps")].concat()).unwrap();
    let (out, err) = isp.exit(7, &["--on", "2026-01-02", "import", "baru.csv"]);
    assert!(out.is_empty(), "{out}");
    assert!(err.contains("[clock."), "{err}");
    assert_eq!(isp.json(&["customer", "list"]).as_array().unwrap().len(), 1);
}
