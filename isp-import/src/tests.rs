use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use isp_core::calendar::{Date, Zone};
use isp_core::ids::{IdSource, TenantId};
use isp_core::text::{Language, Name};

use super::*;

fn now() -> DateTime<Utc> {
    Date::parse("2026-01-15").unwrap().at(12, 0, Zone::Wib)
}

fn options() -> Options {
    let officer = Name::parse("officer", "sari").unwrap();
    Options {
        tenant: TenantId::DEFAULT,
        now: now(),
        billed_from: None,
        update: false,
        officer,
        accept: Accept::default(),
    }
}

fn files(all: &[(&str, &str)]) -> Files {
    let mut files = Files::default();
    for (name, text) in all {
        files.add(None, (*name).to_owned(), Ok(text.as_bytes().to_vec()));
    }
    files
}

const GOOD: &[(&str, &str)] = &[
    ("sites.csv", "kode;nama;zona\nBDG;Bandung;WIB\nDPS;Denpasar;WITA\n"),
    (
        "routers.csv",
        "code,site,address,username,password\nR1,BDG,10.0.0.1,isp,rahasia-router\nR2,DPS,tls://10.0.0.2,isp,x\n",
    ),
    ("packages.csv", "kode;nama;harga;ppn;kecepatan;grup\nHOME20;Rumah 20;Rp 165.000;termasuk;20/10;home20\n"),
    (
        "customers.csv",
        "\u{feff}ID Pelanggan;Nama;NIK;Alamat;Telepon;Bahasa\nP001;Budi;3273011708450001;\"Jl. Merdeka 1, Bandung\";0812-3456-7890;id\nP002;Siti;;Jl. Asia 2;;\n",
    ),
    (
        "subscriptions.csv",
        "id_pelanggan,paket,router,username,password,mulai,tanggal_tagih,siklus,penagihan\nP001,HOME20,R1,budi@isp,pw1,31/12/2024,,bulanan,\nP002,HOME20,R2,siti@isp,pw2,2026-01-20,5,triwulan,pascabayar\n",
    ),
    (
        "cpes.csv",
        "serial,customer_id,outdoor_unit,router,ip,username,password,ownership,value\nSN-1,P001,LiteBeam M5,TL-WR840N,192.168.1.2,admin,pw,dipinjamkan,650.000\n",
    ),
    (
        "installations.csv",
        "id_pelanggan,jenis,biaya,tanggal,cicilan\nP002,FO baru,500000,2026-01-20,3\nP001,FO baru,,2024-12-31,\n",
    ),
    (
        "expenses.csv",
        "tanggal,kategori,jumlah,catatan,site\n2026-01-05,listrik,250000,PLN,BDG\n2026-01-05,listrik,250000,PLN,BDG\n",
    ),
];

#[test]
fn good_files_become_one_change_set() {
    let (batch, errors) = read(&files(GOOD), &Reading::default());
    assert_eq!(errors, []);
    let mut ids = IdSource::new(now(), 1);
    let plan = plan(&batch, &Existing::default(), &mut ids, &options()).unwrap();
    let changes = &plan.changes;
    assert_eq!((changes.sites.len(), changes.routers.len(), changes.packages.len()), (2, 2, 1));
    assert_eq!((changes.customers.len(), changes.cpes.len(), changes.device_history.len()), (2, 1, 1));
    assert_eq!((changes.expenses.len(), changes.journal.len()), (2, 2));
    assert_eq!(changes.access.len(), 2);
    // Old periods were billed elsewhere; a line that starts later is billed from its start.
    let from: Vec<_> = changes.subscriptions.iter().map(|s| s.terms.billed_from.unwrap().to_string()).collect();
    assert_eq!(from, ["2026-01-15", "2026-01-20"]);
    let days: Vec<_> = changes.subscriptions.iter().map(|s| s.terms.day.day()).collect();
    assert_eq!(days, [31, 5]);
    // The installation of 2024 was paid long ago; the one to come is invoiced.
    assert_eq!(changes.installation_orders.len(), 1);
    assert_eq!(plan.left_out, [("installations.csv".to_owned(), 3)]);
    let installations = plan.counts.iter().find(|(file, _)| *file == "installations").unwrap().1;
    assert_eq!(installations, Counts { new: 1, left_out: 1, ..Counts::default() });
}

/// Twenty kinds of bad rows, each in a line of its own among good ones.
#[test]
fn twenty_kinds_of_bad_rows_are_all_named() {
    let (batch, mut errors) = read(&files(&bad_files()), &Reading::default());
    let mut ids = IdSource::new(now(), 1);
    errors.extend(plan(&batch, &Existing::default(), &mut ids, &options()).unwrap_err());
    let mut named: Vec<String> =
        errors.iter().map(|e| format!("{}:{} {} {}", e.file, e.line, e.column, e.problem.code())).collect();
    named.sort();
    let mut expected: Vec<String> =
        BAD.iter().filter(|(_, _, e)| !e.is_empty()).map(|(_, _, expected)| (*expected).to_owned()).collect();
    expected.sort();
    assert_eq!(named, expected);
    let kinds: BTreeSet<&str> = errors.iter().map(|e| e.problem.code()).collect();
    assert!(kinds.len() >= 18 && errors.len() >= 26, "{} kinds, {} errors", kinds.len(), errors.len());
    // Nothing of the cells is shown.
    for error in &errors {
        let said = [Language::Id, Language::En].map(|language| error.problem.said(language)).join(" ");
        let text = format!("{error} {said}");
        for secret in ["3273", "0812", "812345", "rahasia", "hunter2", "021"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert!(text.contains(&error.file) && text.contains(&error.line.to_string()), "{text}");
    }
}

/// File, line, what is reported. The header is line 1; each file starts with one good row in line 2.
const BAD: &[(&str, &str, &str)] = &[
    ("sites.csv", "X Y,Spasi,WIB", "sites.csv:3 kode value.bad_code"),
    ("sites.csv", "MLG,Malang,GMT", "sites.csv:4 zona calendar.zone"),
    ("sites.csv", "BDG,Lagi,WIB", "sites.csv:5 kode import.repeated"),
    ("sites.csv", "SMG,Semarang,WIB,lebih", "sites.csv:6  import.cells"),
    ("routers.csv", "R2,BDG,10.0.0.1:99999,isp,rahasia", "routers.csv:3 alamat value.not_one_of"),
    ("routers.csv", "R3,KOSONG,10.0.0.1,isp,rahasia", "routers.csv:4 site import.unknown"),
    ("packages.csv", "P2,Dua,165.5,,20", "packages.csv:3 harga money.format"),
    ("packages.csv", "P3,Tiga,\"165.000,50\",,20", "packages.csv:4 harga money.fraction"),
    ("packages.csv", "P4,Empat,0,,20", "packages.csv:5 harga value.not_positive"),
    ("packages.csv", "P5,Lima,150000,mungkin,20", "packages.csv:6 ppn value.not_one_of"),
    ("packages.csv", "P6,Enam,150000,,kencang", "packages.csv:7 kecepatan package.speed"),
    ("packages.csv", "P7,Tujuh,99999999999999,,20", "packages.csv:8 harga money.range"),
    ("customers.csv", "C2,,3273011708450001,Jl. 1,08123456789", "customers.csv:3 nama value.empty"),
    ("customers.csv", "C3,Cici,327301170845,Jl. 1,08123456789", "customers.csv:4 nik customer.nik"),
    ("customers.csv", "C4,Dodi,,Jl. 1,0815-551234", "customers.csv:5 telepon customer.phone"),
    ("customers.csv", "C1,Budi lagi,,Jl. 1,", "customers.csv:6 id_pelanggan import.repeated"),
    (
        "subscriptions.csv",
        "C1,PAKET-X,R1,a@isp,hunter2,2026-01-01,1,bulanan",
        "subscriptions.csv:3 paket import.unknown_package",
    ),
    (
        "subscriptions.csv",
        "C9,P1,R1,b@isp,hunter2,2026-01-01,1,bulanan",
        "subscriptions.csv:4 id_pelanggan import.unknown",
    ),
    ("subscriptions.csv", "C1,P1,R1,c@isp,hunter2,2026-02-30,1,bulanan", "subscriptions.csv:5 mulai date.format"),
    (
        "subscriptions.csv",
        "C1,P1,R1,d@isp,hunter2,2026-01-01,32,bulanan",
        "subscriptions.csv:6 tanggal_tagih calendar.billing_day",
    ),
    ("subscriptions.csv", "C1,P1,R1,e@isp,hunter2,2026-01-01,1,mingguan", "subscriptions.csv:7 siklus calendar.cycle"),
    (
        "subscriptions.csv",
        "C1,P1,R1,budi@isp,hunter2,2026-01-01,1,bulanan",
        "subscriptions.csv:8 username import.repeated",
    ),
    // The row of C2 is wrong itself, so what refers to it is not wrong too.
    ("subscriptions.csv", "C2,P1,R1,f@isp,hunter2,2026-01-01,1,bulanan", ""),
    ("cpes.csv", "SN2,C1,192.168.1,lent,0", "cpes.csv:3 ip import.ip"),
    ("cpes.csv", "SN3,C1,,sewa,0", "cpes.csv:4 kepemilikan value.not_one_of"),
    ("cpes.csv", "SN1,C1,,lent,0", "cpes.csv:5 serial import.repeated"),
    ("installations.csv", "C1,FO,100000,2026-01-20,13", "installations.csv:3 cicilan import.number"),
    ("installations.csv", "C5,FO,100000,2026-01-20,1", "installations.csv:4 id_pelanggan import.no_subscription"),
    ("installations.csv", "C1,Wireless,,2026-01-20,1", "installations.csv:5 biaya import.no_fee"),
    ("expenses.csv", "2026-01-05,jajan,1000", "expenses.csv:3 kategori value.not_one_of"),
];

fn bad_files() -> Vec<(&'static str, &'static str)> {
    let good = [
        ("sites.csv", "kode,nama,zona\nBDG,Bandung,WIB\n"),
        ("routers.csv", "kode,site,alamat,username,password\nR1,BDG,10.0.0.1,isp,rahasia\n"),
        ("packages.csv", "kode,nama,harga,ppn,kecepatan\nP1,Satu,150000,,20\n"),
        ("customers.csv", "id_pelanggan,nama,nik,alamat,telepon\nC1,Budi,,Jl. 1,08123456789\n"),
        (
            "subscriptions.csv",
            "id_pelanggan,paket,router,username,password,mulai,tanggal_tagih,siklus\nC1,P1,R1,budi@isp,hunter2,2026-01-01,1,bulanan\n",
        ),
        ("cpes.csv", "serial,id_pelanggan,ip,kepemilikan,nilai\nSN1,C1,,lent,0\n"),
        ("installations.csv", "id_pelanggan,jenis,biaya,tanggal,cicilan\nC1,FO,100000,2026-01-20,1\n"),
        ("expenses.csv", "tanggal,kategori,jumlah\n2026-01-05,gaji,1000\n"),
    ];
    good.into_iter()
        .map(|(file, text)| {
            let bad = BAD.iter().filter(|(name, _, _)| *name == file).map(|(_, row, _)| *row);
            let extra = if file == "customers.csv" { "C5,Eko,,Jl. 5,\n" } else { "" };
            let all: Vec<&str> = text.lines().chain(bad).collect();
            let text: &'static str = Box::leak(format!("{}\n{extra}", all.join("\n")).into_boxed_str());
            (file, text)
        })
        .collect()
}
