//! Bad spreadsheets: every bad row is named, nothing is written. Changed spreadsheets: said, and changed only on request.

use crate::cli::{Isp, SHEETS};

/// Twenty kinds of bad rows in one import: file, the row, and the error's code.
const BAD: &[(&str, &str, &str)] = &[
    ("sites.csv", "X Y;Spasi;WIB", "value.bad_code"),
    ("sites.csv", "MLG;Malang;GMT", "calendar.zone"),
    ("sites.csv", "SMG;Semarang;WIB;lebih", "import.cells"),
    ("packages.csv", "P2;Dua;165.5;;20;", "money.format"),
    ("packages.csv", "P3;Tiga;165.000,50;;20;", "money.fraction"),
    ("packages.csv", "P4;Empat;0;;20;", "value.not_positive"),
    ("packages.csv", "P5;Lima;150000;mungkin;20;", "value.not_one_of"),
    ("packages.csv", "P6;Enam;150000;;kencang;", "package.speed"),
    ("packages.csv", "P7;Tujuh;99999999999999;;20;", "money.range"),
    ("customers.csv", "C2;;;Jl. 1;;", "value.empty"),
    ("customers.csv", "C3;Cici;327301170845;Jl. 1;;", "customer.nik"),
    ("customers.csv", "C4;Dodi;;Jl. 1;0815-551234;", "customer.phone"),
    ("customers.csv", "P001;Budi lagi;;Jl. 1;;", "import.repeated"),
    ("subscriptions.csv", "P001,PAKET-X,R1,a@isp,rahasia,2026-01-01,1,bulanan,", "import.unknown_package"),
    ("subscriptions.csv", "P001,HOME20,R1,c@isp,rahasia,2026-02-30,1,bulanan,", "date.format"),
    ("subscriptions.csv", "P001,HOME20,R1,d@isp,rahasia,2026-01-01,32,bulanan,", "calendar.billing_day"),
    ("subscriptions.csv", "P001,HOME20,R1,e@isp,rahasia,2026-01-01,1,mingguan,", "calendar.cycle"),
    ("cpes.csv", "SN2,P001,,,192.168.1,,,lent,0", "import.ip"),
    ("installations.csv", "P001,FO baru,100000,2026-01-20,13", "import.number"),
    ("installations.csv", "P001,Wireless,,2026-01-20,1", "import.no_fee"),
];

#[test]
fn twenty_kinds_of_bad_rows_are_named_and_none_is_written() {
    let isp = Isp::new();
    isp.init();
    let files: Vec<(&str, String)> = SHEETS
        .iter()
        .map(|(file, good)| {
            let bad: String =
                BAD.iter().filter(|(name, _, _)| name == file).map(|(_, row, _)| format!("{row}\n")).collect();
            (*file, format!("{good}{bad}"))
        })
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    isp.write(&files);
    let (out, err) = isp.exit(3, &["--on", "2026-01-01", "import", "sheets"]);
    assert_eq!(out, "");
    for (file, row, code) in BAD {
        let text = files.iter().find(|(name, _)| name == file).unwrap().1;
        let line = text.lines().position(|l| l == *row).unwrap() + 1;
        let named =
            err.lines().any(|l| l.starts_with(&format!("{file} baris {line}")) && l.ends_with(&format!("[{code}]")));
        assert!(named, "{file}:{line} {code} is not named in:\n{err}");
    }
    let rows = err.lines().filter(|l| l.contains(".csv baris ")).count();
    assert_eq!(rows, BAD.len(), "{err}");
    assert!(err.contains("20 kesalahan di 20 baris; tidak ada yang ditulis [cli.bad_rows]"), "{err}");
    for (command, verb) in [("site", "list"), ("package", "list"), ("customer", "list"), ("subscription", "list")] {
        assert_eq!(isp.json(&[command, verb]).as_array().unwrap().len(), 0, "{command}");
    }
    let english = isp.exit(3, &["--lang", "en", "--on", "2026-01-01", "import", "sheets"]).1;
    assert!(english.contains("20 errors in 20 rows; nothing was written"), "{english}");
}

#[test]
fn what_differs_is_said_and_changed_only_on_request() {
    let isp = Isp::new();
    isp.init();
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp.write(&[
        (
            "customers.csv",
            "id_pelanggan;nama;alamat;telepon\nP001;Budi Santosa;Jl. Merdeka 1, Bandung;\nP004;Baru;Jl. 4;\n",
        ),
        ("packages.csv", "kode;nama;harga;ppn;kecepatan;grup\nHOME20;Rumah 20;175000;termasuk;20/10;home20\n"),
    ]);
    let (_, err) = isp.exit(0, &["--on", "2026-02-01", "import", "sheets"]);
    assert!(
        err.contains("customers.csv baris 2: name berbeda") && err.contains("packages.csv baris 2: price"),
        "{err}"
    );
    assert_eq!(isp.json(&["customer", "show", "P001"])[0]["name"], "Budi Santoso");
    assert_eq!(isp.json(&["customer", "show", "P004"])[0]["name"], "Baru");
    isp.ok(&["--on", "2026-02-01", "import", "sheets", "--update"]);
    let shown = isp.json(&["customer", "show", "P001"]);
    assert_eq!(shown[0]["name"], "Budi Santosa");
    // An empty cell says nothing: the number stays.
    assert_eq!(shown[0]["phone"], "+62***890");
    // The new price holds from the day of the import; the old one for periods before it.
    assert_eq!(isp.json(&["--on", "2026-01-31", "package", "list"])[0]["price"], 165_000);
    assert_eq!(isp.json(&["--on", "2026-02-01", "package", "list"])[0]["price"], 175_000);
}

#[test]
fn one_file_alone_and_nothing_at_all() {
    let isp = Isp::new();
    isp.init();
    isp.write(SHEETS);
    isp.ok(&["import", "--customers", "sheets/customers.csv"]);
    assert_eq!(isp.json(&["customer", "list"]).as_array().unwrap().len(), 3);
    let said = isp.fails(2, &["import", "nowhere"], "cli.usage");
    assert!(said.contains("tidak ada folder atau berkas nowhere"), "{said}");
    let said = isp.fails(2, &["--lang", "en", "import", "."], "cli.usage");
    assert!(said.contains("looked for ./{sites.csv,routers.csv"), "{said}");
    let said = isp.fails(2, &["--lang", "en", "import"], "cli.usage");
    assert!(said.contains("any of sites.csv, routers.csv"), "{said}");
    let (_, err) = isp.exit(3, &["import", "--subscriptions", "sheets/subscriptions.csv"]);
    assert!(err.contains("import.unknown"), "{err}");
}

#[test]
fn two_fees_of_one_line_on_one_day_are_refused() {
    let isp = Isp::new();
    isp.init();
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    // In the file that was imported, P003 pays an installation on 10 January, February and March.
    isp.write(&[("installations.csv", "id_pelanggan,jenis,biaya,tanggal,cicilan\nP003,Pindah,150000,2026-02-10,1\n")]);
    let (_, err) = isp.exit(3, &["--on", "2026-01-01", "import", "--installations", "sheets/installations.csv"]);
    assert!(err.contains("baris 2") && err.contains("2026-02-10") && err.contains("[installation.clash]"), "{err}");
    assert_eq!(isp.json(&["installation", "list"]).as_array().unwrap().len(), 1);
}

/// A row that was corrected and is imported again is never written beside the one that is there.
#[test]
fn a_corrected_row_is_asked_about_and_counts_once() {
    let isp = Isp::new();
    isp.init();
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    let counts = || {
        let rows = |command: &[&str]| isp.json(command).as_array().unwrap().len();
        let profit = isp.json(&["report", "profit-loss", "--from", "2026-01", "--to", "2026-01"]).to_string();
        (
            rows(&["customer", "list"]),
            rows(&["subscription", "list"]),
            rows(&["cpe", "list"]),
            rows(&["installation", "list"]),
            profit,
        )
    };
    let before = counts();
    for (file, text) in [
        ("installations", "id_pelanggan,jenis,biaya,tanggal\nP003,Pasang Baru,999000,2026-01-12\n"),
        (
            "subscriptions",
            "id_pelanggan,paket,router,username,password,mulai\np001,HOME20,R1,budi.baru@isp,rahasia,2026-01-01\n",
        ),
        (
            "cpes",
            "serial,id_pelanggan,unit_luar,router,kepemilikan,nilai\nSN-1X,P001,LiteBeam M5,TL-WR840N,lent,650000\n",
        ),
        ("expenses", "tanggal,kategori,jumlah,catatan,site\n2026-01-05,listrik,260000,PLN Januari,BDG\n"),
        ("customers", "id_pelanggan,nama,nik,alamat\nP01,Budi Santoso,,\"Jl. Merdeka 1, Bandung\"\n"),
    ] {
        let path = format!("sheets/{file}.csv");
        isp.write(&[(&format!("{file}.csv"), text)]);
        let option = format!("--{file}");
        let (_, err) = isp.exit(3, &["--on", "2026-01-02", "import", &option, &path]);
        assert!(err.contains("[import.likely_double]") && err.contains("baris 2"), "{file}: {err}");
        assert_eq!(counts(), before, "{file}");
    }
    // Who says that it is another one is believed.
    isp.write(&[("expenses.csv", "tanggal,kategori,jumlah,catatan,site\n2026-01-05,listrik,260000,PLN Januari,BDG\n")]);
    isp.ok(&["--on", "2026-01-02", "import", "--expenses", "sheets/expenses.csv", "--accept", "expenses.csv:2"]);
    assert_ne!(counts().4, before.4);
    // Capitals make no other row of one.
    isp.write(&[("customers.csv", "id_pelanggan,nama,alamat\np001,Budi Santoso,\"Jl. Merdeka 1, Bandung\"\n")]);
    let out = isp.ok(&["--on", "2026-01-02", "import", "--customers", "sheets/customers.csv"]);
    assert_eq!(counts().0, before.0, "{out}");
}

/// An owner's own sheets: other names, titles, dashes, two numbers, one sheet with everything.
#[test]
fn sheets_as_owners_keep_them_are_read_and_what_was_guessed_is_told() {
    let isp = Isp::new();
    isp.init();
    isp.write(&[
        ("Data Lokasi.csv", "kode;nama;zona\nBDG;Bandung;WIB\n"),
        ("mikrotik.csv", "kode;site;alamat;username;password\nR1;bdg;127.0.0.1:1;isp;rahasia-router\n"),
        (
            "pelanggan.csv",
            "sep=;\nDAFTAR PELANGGAN 2026;;;;;;;;;\n;;;;;;;;;\nNo;ID Pelanggan;Nama / Name;No. KTP;Alamat;No. HP;Paket;Harga;Username PPPoE;Password;Tanggal Pasang;Ket\n1;12.0;Budi;’3273011708450001;RT 02;081210000001 / 081310000002;Rumah 20 Mbps;Rp 150.000,-;budi;pw1;2 Januari 2026;hijau\n2;13.0;Siti;-;RT 03;-;Rumah 20 Mbps;150rb;siti;pw2;46030;\n2;13.0;Siti;-;RT 03;-;Rumah 20 Mbps;150000.00;siti2;pw3;2026-01-09 00:00:00;\n",
        ),
        ("catatan rapat.csv", "hal,isi\nrapat,kopi\n"),
        ("foto.jpg", "x"),
    ]);
    let (out, err) = isp.exit(0, &["--lang", "en", "--on", "2026-01-10", "import", "sheets"]);
    for told in [
        "pelanggan.csv is read as a sheet with everything",
        "catatan rapat.csv is not read",
        "foto.jpg is not read",
        "column No. HP: 1 cells hold several numbers",
        "column Tanggal Pasang: 1 days stand as a spreadsheet's number",
        "column ID Pelanggan: 3 codes stand as decimal numbers",
        "the column Ket is not imported",
        "the only router",
        "1 rows say the same",
        "what stands above line 4 is taken as a title",
    ] {
        assert!(err.contains(told), "{told} is missing in:\n{err}{out}");
    }
    assert!(!err.contains("3273") && !err.contains("0812"), "{err}");
    let packages = isp.json(&["package", "list"]);
    assert_eq!((packages.as_array().unwrap().len(), packages[0]["price"].as_i64()), (1, Some(150_000)));
    assert_eq!(isp.json(&["customer", "list"]).as_array().unwrap().len(), 2);
    let lines = isp.json(&["subscription", "list"]);
    assert_eq!(lines.as_array().unwrap().len(), 3);
    assert_eq!(isp.json(&["customer", "show", "12"])[0]["phone"], "+62***001");
    // Once more is the same.
    isp.ok(&["--on", "2026-01-11", "import", "sheets"]);
    assert_eq!(isp.json(&["subscription", "list"]).as_array().unwrap().len(), 3);
}

#[test]
fn slips_are_asked_about_and_taken_when_they_are_right() {
    let isp = Isp::new();
    isp.init();
    isp.write(&[("packages.csv", "kode;nama;harga;kecepatan\nA;A;165;20M\nB;B;150000;20480\n")]);
    let (_, err) = isp.exit(3, &["--lang", "en", "import", "--packages", "sheets/packages.csv"]);
    assert_eq!(err.matches("[value.implausible]").count(), 2, "{err}");
    assert!(err.contains("--accept packages.csv:2 --accept packages.csv:3"), "{err}");
    isp.exit(3, &["import", "--packages", "sheets/packages.csv", "--accept", "packages.csv:2"]);
    isp.ok(&["import", "--packages", "sheets/packages.csv", "--accept", "packages.csv"]);
    assert_eq!(isp.json(&["package", "list"]).as_array().unwrap().len(), 2);
}

/// What `isp` exports, it reads again without a difference.
#[test]
fn an_export_is_imported_again_without_loss() {
    let isp = Isp::new();
    isp.init();
    isp.write(SHEETS);
    isp.write(&[(
        "customers.csv",
        "id_pelanggan;nama;alamat;telepon\nP001;'=HYPERLINK(\"x\");Jl. 1;0812-3456-7890\nP002;'Aisyah;'-2+3;\nP003;@Eko;00123;\n00017;Joko;1E5;\n",
    )]);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    for (report, option) in
        [(&["report", "customers", "--contacts"][..], "--customers"), (&["report", "cpe"], "--cpes")]
    {
        for language in ["id", "en"] {
            let arguments: Vec<&str> = [&["--lang", language, "--format", "csv"], report].concat();
            let csv = isp.ok(&arguments);
            let kind = option.trim_start_matches('-');
            isp.write(&[(&format!("{kind}.csv"), &csv)]);
            let path = format!("sheets/{kind}.csv");
            let out = isp.exit(0, &["--format", "json", "--on", "2026-01-02", "import", option, &path]);
            let counts: serde_json::Value = serde_json::from_str(&out.0).unwrap();
            assert_eq!((&counts[0]["new"], &counts[0]["differ"]), (&0.into(), &0.into()), "{csv}\n{}", out.1);
            assert!(counts[0]["same"].as_i64().unwrap() > 0, "{csv}");
        }
    }
}

/// What is about to be written is shown row by row, with nothing personal in it.
#[test]
fn rows_are_shown_before_they_are_written() {
    let isp = Isp::new();
    isp.init();
    isp.write(SHEETS);
    let shown = isp.ok(&["--on", "2026-01-01", "import", "sheets", "--dry-run"]);
    for part in ["Budi Santoso", "+62***890", "Rp165.000", "20M/10M", "SN-1", "Rp500.000", "2026-01-05"] {
        assert!(shown.contains(part), "{part} is missing in:\n{shown}");
    }
    for secret in ["3273011708450001", "81234567890", "Merdeka", "pw-budi-1", "rahasia-router"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert_eq!(isp.json(&["customer", "list"]).as_array().unwrap().len(), 0);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    let again = isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    assert!(!again.contains("Budi Santoso"), "{again}");
}

/// A copy says in its last column what is wrong; mended there, it is imported as it is.
#[test]
fn a_copy_says_what_is_wrong_and_is_imported_when_mended() {
    let isp = Isp::new();
    isp.init();
    isp.write(&[(
        "customers.csv",
        "DATA\nid_pelanggan;nama;alamat;telepon\nC1;Budi;Jl. 1;0815-551234\nC2;Siti;Jl. 2;0812-3456-7890\nC3;;Jl. 3;8.12E+10\n",
    )]);
    let (_, err) = isp.exit(3, &["import", "--customers", "sheets/customers.csv", "--fix", "mend/customers.csv"]);
    assert!(err.contains("mend/customers.csv"), "{err}");
    let path = isp.dir().join("mend/customers.csv");
    let copy = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = copy.lines().collect();
    assert!(lines[1].ends_with(";masalah") && lines[3] == "C2;Siti;Jl. 2;0812-3456-7890;", "{copy}");
    assert!(
        lines[2].contains("telepon: nomor telepon") && lines[4].contains("nama: ") && lines[4].contains("; telepon"),
        "{copy}"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // It is never written over, and a mended one is imported with the column still in it.
    let (_, err) = isp.exit(6, &["import", "--customers", "sheets/customers.csv", "--fix", "mend/customers.csv"]);
    assert!(err.contains("[cli.file]"), "{err}");
    std::fs::write(&path, copy.replace("0815-551234", "-").replace("C3;;", "C3;Eko;").replace("8.12E+10", "")).unwrap();
    isp.ok(&["import", "--customers", "mend/customers.csv"]);
    assert_eq!(isp.json(&["customer", "list"]).as_array().unwrap().len(), 3);
}

#[test]
fn a_slip_on_the_command_line_is_asked_about_too() {
    let isp = Isp::new();
    isp.init();
    let add = ["package", "add", "P", "--name", "P", "--speed", "20M", "--price", "165"];
    let (_, err) = isp.exit(3, &add);
    assert!(err.contains("[value.implausible]") && err.contains("Rp165") && err.contains("--sure"), "{err}");
    isp.ok(&[&add[..], &["--sure"]].concat());
    isp.exit(3, &["expense", "add", "other", "1000 miliar"]);
    isp.ok(&["expense", "add", "other", "12,5jt", "--paid-from", "bank"]);
}

/// A workbook as an owner keeps it: a sheet of customers and one of notes, numbers and days as cells of a spreadsheet.
#[test]
fn a_workbook_is_read_directly() {
    let isp = Isp::new();
    isp.init();
    isp.write(&[("packages.csv", "kode;nama;harga;kecepatan\nHOME20;Rumah 20;165000;20M\n")]);
    isp.write(&[("sites.csv", "kode;nama\nBDG;Bandung\n")]);
    isp.write(&[("routers.csv", "kode;site;alamat;username;password\nR1;BDG;127.0.0.1:1;isp;x\n")]);
    let book = include_bytes!("sheets/provider.xlsx");
    std::fs::write(isp.dir().join("sheets/provider.xlsx"), book).unwrap();
    let (out, err) = isp.exit(0, &["--lang", "en", "--on", "2026-02-01", "import", "sheets"]);
    assert!(err.contains("provider.xlsx[Pelanggan] is read as customers"), "{err}{out}");
    assert!(err.contains("provider.xlsx[Sheet3] is not read"), "{err}{out}");
    let customers = isp.json(&["customer", "list"]);
    assert_eq!((customers.as_array().unwrap().len(), customers[0]["code"].as_str()), (2, Some("101")));
    assert_eq!(isp.json(&["customer", "show", "101"])[0]["phone"], "+62***001");
    let line = isp.json(&["subscription", "show", "101"]);
    assert_eq!((line[0]["start"].as_str(), line[0]["username"].as_str()), (Some("2026-01-31"), Some("budi")));
    // A NIK that is kept as a number has lost its last digit.
    isp.write(&[("note.txt", "x")]);
    let bad = include_bytes!("sheets/rounded.xlsx");
    std::fs::write(isp.dir().join("sheets/rounded.xlsx"), bad).unwrap();
    let (_, err) = isp.exit(3, &["--lang", "en", "import", "--customers", "sheets/rounded.xlsx"]);
    assert!(err.contains("rounded.xlsx line 2 column NIK") && err.contains("[customer.nik]"), "{err}");
    assert!(!err.contains("3273"), "{err}");
}

/// What was corrected in the books stays corrected: neither the old file nor the mended one counts it again.
#[test]
fn what_was_corrected_in_the_books_is_the_same_row_in_a_mended_file() {
    let isp = Isp::new();
    isp.init();
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    let expense = isp.json(&["expense", "list"])[0]["id"].as_str().unwrap().to_owned();
    isp.ok(&[
        "--on",
        "2026-01-06",
        "expense",
        "edit",
        &expense,
        "--amount",
        "260000",
        "--reason",
        "salah ketik",
        "--sure",
    ]);
    isp.ok(&["--on", "2026-01-06", "installation", "edit", "P003", "--fee", "450000", "--reason", "salah harga"]);
    let profit = || isp.json(&["report", "profit-loss", "--from", "2026-01", "--to", "2026-01"]).to_string();
    let before = profit();
    for (amount, fee) in [("250000", "500000"), ("260000", "450000")] {
        isp.write(&[
            ("expenses.csv", &format!("tanggal,kategori,jumlah,catatan,site\n2026-01-05,listrik,{amount},PLN,BDG\n")),
            (
                "installations.csv",
                &format!("id_pelanggan,jenis,biaya,tanggal,cicilan\nP003,FO baru,{fee},2026-01-10,3\n"),
            ),
        ]);
        isp.ok(&["--on", "2026-01-07", "import", "sheets"]);
        assert_eq!(profit(), before, "{amount}");
        let open = isp.json(&["installation", "list"]);
        let charged: Vec<i64> = open.as_array().unwrap().iter().filter_map(|row| row["fee"].as_i64()).collect();
        assert!(charged.contains(&450_000) && charged.len() <= 2, "{open}");
    }
}

#[test]
fn a_sheet_with_everything_says_what_its_packages_and_lines_lack() {
    let isp = Isp::new();
    isp.init();
    let head = "id_pelanggan,nama,alamat,paket,harga,username,password,mulai\n";
    let sheet = |package: &str| format!("{head}C1,Budi,Jalan 1,{package},150000,budi,rahasia,2026-01-01\n");
    let import = |isp: &Isp, text: &str| {
        std::fs::write(isp.dir().join("semua.csv"), text).unwrap();
        isp.exit(3, &["--lang", "en", "--on", "2026-01-01", "import", "--everything", "semua.csv"]).1
    };
    let told = import(&isp, &sheet("HOME-10"));
    assert!(told.contains("have a price and no speed") && told.contains("[import.unknown_package]"), "{told}");
    assert!(told.contains("[import.no_router_yet]"), "{told}");
    let told = import(&isp, &sheet("Rumah 10 Mbps"));
    assert!(told.contains("there is no router yet") && told.contains("[import.no_router_yet]"), "{told}");
    isp.ok(&["site", "add", "A", "--name", "A"]);
    for router in ["R1", "R2"] {
        let add = ["--site", "A", "--address", "127.0.0.1:1", "--username", "isp", "--password", "rahasia"];
        isp.ok(&[&["router", "add", router][..], &add[..]].concat());
    }
    let told = import(&isp, &sheet("Rumah 10 Mbps"));
    assert!(told.contains("there are 2") && told.contains("[import.which_router]"), "{told}");
}

/// Most sheets have no numbers of customers. A copy has them, so that the next import knows everybody again.
#[test]
fn a_copy_gives_numbers_to_customers_who_have_none() {
    let isp = Isp::new();
    isp.init();
    isp.ok(&["customer", "add", "PLG-0002", "--name", "Lama", "--address", "Jl. 0"]);
    let head = "nama,alamat,telepon,paket,harga,site,username,password,mulai\n";
    let row = |name: &str, user: &str| format!("{name},Jl. 1,,Rumah 10 Mbps,150000,A,{user},rahasia,2026-01-01\n");
    // Budi has two lines.
    let sheet = [head.to_owned(), row("Budi", "b1"), row("Citra", "c1"), row("Budi", "b2")].concat();
    std::fs::write(isp.dir().join("semua.csv"), &sheet).unwrap();
    isp.ok(&["site", "add", "A", "--name", "A"]);
    let import = ["--lang", "en", "--on", "2026-01-01", "import", "--everything", "semua.csv"];
    let (_, err) = isp.exit(3, &import);
    assert!(err.contains("--fix") && err.contains("[import.no_customer_numbers]"), "{err}");
    isp.exit(3, &[&import[..], &["--fix", "bernomor.csv"]].concat());
    let copy = std::fs::read_to_string(isp.dir().join("bernomor.csv")).unwrap();
    let numbers: Vec<&str> = copy.lines().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(numbers, ["id_pelanggan", "PLG-0001", "PLG-0003", "PLG-0001"], "{copy}");
    let import = ["--lang", "en", "--on", "2026-01-01", "import", "--everything", "bernomor.csv"];
    isp.ok(&import);
    assert_eq!(isp.json(&["customer", "list"]).as_array().unwrap().len(), 3);
    assert_eq!(isp.json(&["subscription", "list"]).as_array().unwrap().len(), 3);
    // Somebody new in the sheet, with an empty number.
    let more = copy.clone() + &format!(",{}", row("Dewi", "d1"));
    std::fs::write(isp.dir().join("baru.csv"), more).unwrap();
    isp.exit(3, &["--lang", "en", "import", "--everything", "baru.csv", "--fix", "baru2.csv"]);
    let copy = std::fs::read_to_string(isp.dir().join("baru2.csv")).unwrap();
    assert!(copy.lines().last().unwrap().starts_with("PLG-0004,Dewi"), "{copy}");
}
