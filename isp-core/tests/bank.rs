//! Files of banks as they come: whole, overlapping, damaged, of another kind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use isp_core::bank::{BankFile, BankFormat, Mutation, Whose, account_code, compare, file_id, known_elsewhere};
use isp_core::ids::TenantId;
use isp_core::money::Money;

proptest::proptest! {
    /// Whatever stands in a file, it is read or refused.
    #[test]
    fn no_file_makes_the_reader_stumble(text in "\\PC{0,60}", cells in "[-0-9.,;:/'\"CRDBK =\t\n]{0,200}") {
        let heads = [
            "", "Tanggal Transaksi,Uraian Transaksi,Teller,Debet,Kredit,Saldo\n", ":20:X\n:25:1\n:60F:C260101IDR1,\n:61:",
            "Periode : 01/01/2026 - 31/01/2026\nTanggal Transaksi,Keterangan,Cabang,Jumlah,,Saldo\n'01/01,",
        ];
        for head in heads {
            for body in [&text, &cells] {
                let code = BankFile::read(&format!("{head}{body}")).map_or_else(|error| error.code(), |_| "bank.");
                proptest::prop_assert!(code.starts_with("bank.") || code == "value.empty", "{}", code);
            }
        }
        for text in [text, format!("000201{cells}")] {
            let code = isp_core::payment::Qris::parse(&text).map_or_else(|error| error.code(), |_| "read");
            proptest::prop_assert_eq!(code, "qris.damaged");
        }
    }
}

const BCA: &str = "\u{feff}Informasi Rekening - Mutasi Rekening\r
No. rekening : '1234567890\r
Nama : CONTOH NET\r
Periode : 30/12/2025 - 02/01/2026\r
Kode Mata Uang : IDR\r
\r
Tanggal Transaksi,Keterangan,Cabang,Jumlah,,Saldo\r
'31/12,\"TRSF E-BANKING CR 3112/FTSCY/WS95031 BUDI, SANTOSO\",'0000,\"50,000.00\",CR,\"1,050,000.00\"\r
'01/01,BIAYA ADM,'0000,\"15,000.00\",DB,\"1,035,000.00\"\r
'02/01,BUNGA,'0000,123.45,CR,\"1,035,123.45\"\r
PEND,TRSF E-BANKING CR,'0000,\"75,000.00\",CR,\"1,110,123.45\"\r
Saldo Awal,=,\"1,000,000.00\"\r
Mutasi Kredit,=,\"50,123.45\"\r
Mutasi Debet,=,\"15,000.00\"\r
Saldo Akhir,=,\"1,035,123.45\"\r
";

fn told(text: &str) -> Vec<(String, i64, String, Option<i64>)> {
    let rows = BankFile::read(text).unwrap().rows;
    rows.into_iter().map(|r| (r.on.to_string(), r.hundredths, r.text, r.balance)).collect()
}

fn code(text: &str) -> &'static str {
    BankFile::read(text).unwrap_err().code()
}

#[test]
fn a_file_of_which_the_bank_has_booked_nothing_yet_is_said_to_be_that() {
    let booked =
        |line: &&str| !["'31/12", "'01/01", "'02/01", "Saldo", "Mutasi"].iter().any(|start| line.starts_with(start));
    let pending: String = BCA.split_inclusive('\n').filter(booked).collect();
    assert!(pending.contains("PEND"), "{pending}");
    assert_eq!(code(&pending), "bank.nothing_booked");
    let none: String = pending.split_inclusive('\n').filter(|line| !line.starts_with("PEND")).collect();
    assert_eq!(code(&none), "value.empty");
}

#[test]
fn the_file_of_bca_with_days_across_new_year() {
    let file = BankFile::read(BCA).unwrap();
    assert_eq!((file.format, file.pending), (BankFormat::Bca, 1));
    assert_eq!(file.account.as_ref().unwrap().as_str(), "1234567890");
    let first = (
        "2025-12-31".into(),
        5_000_000,
        "TRSF E-BANKING CR 3112/FTSCY/WS95031 BUDI, SANTOSO".into(),
        Some(105_000_000),
    );
    assert_eq!(told(BCA)[0], first);
    assert_eq!(
        told(BCA)[1..].iter().map(|r| (r.0.as_str(), r.1)).collect::<Vec<_>>(),
        [("2026-01-01", -1_500_000), ("2026-01-02", 12_345)]
    );
    // A row that is missing, an amount that is wrong, a total that is.
    for (from, to) in [
        ("'01/01,BIAYA ADM,'0000,\"15,000.00\",DB,\"1,035,000.00\"\r\n", ""),
        ("\"50,000.00\"", "\"51,000.00\""),
        ("Saldo Akhir,=,\"1,035", "Saldo Akhir,=,\"1,036"),
    ] {
        assert!(BCA.contains(from));
        assert_eq!(code(&BCA.replace(from, to)), "bank.totals", "{from}");
    }
}

#[test]
fn the_files_of_the_others_are_known_by_their_heading() {
    let business = "No. Rekening,0123456789\nTanggal Transaksi,Keterangan,Cabang,Jumlah,Saldo\n15/01/2026,KR OTOMATIS,0998,\"183,151.00 CR\",\"283,151.00\"\n16/01/2026,BIAYA,0998,\"3,151.00 DB\",\"280,000.00\"\n";
    let mandiri = "Account No,Date,Val. Date,Transaction Code,Description,Description,Reference No.,Debit,Credit\n1310001234567,15/01/26,15/01/26,1011,MCM InhouseTrf,DARI BUDI SANTOSO,99,.00,\"183,151.00\"\n1310001234567,16/01/26,16/01/26,1012,BIAYA,,100,\"2,500.00\",.00\n";
    let other_mandiri = "AccountNo;Ccy;PostDate;Remarks;AdditionalDesc;Credit Amount;Debit Amount;Close Balance\n1310001234567;IDR;2026-01-15 08:15:00;TRF;BUDI;183151.00;0.00;1183151.00\n";
    let bni = "Mutasi Rekening\nPost Date,Value Date,Branch,Journal No.,Description,Debit,Credit,Balance\n16/01/26 09.00,16/01/26,0259,000002,BIAYA,\"2,500.00\",,\"180,651.00\"\n15/01/26 08.15,15/01/26,0259,000001,TRANSFER DARI BUDI,,\"183,151.00\",\"183,151.00\"\n";
    let other_bni = "Tanggal Transaksi,Uraian Transaksi,Tipe,Nominal,Saldo\n15/01/2026,TRANSFER DARI BUDI,Kredit,183151,183151\n16/01/2026,BIAYA,Debit,2500,180651\n";
    let bri = "Mutasi Rekening\nTanggal Transaksi,Uraian Transaksi,Teller,Debet,Kredit,Saldo\n15/01/26,\"TRF\n BUDI\",8888,0.00,183151.00,183151.00\n";
    let tabs = "Tanggal Transaksi\tUraian Transaksi\tTeller\tDebet\tKredit\tSaldo\n15/01/26\tTRF BUDI\t8888\t0.00\t183151.00\t183151.00\n";
    for (text, format, account, rows) in [
        (business, BankFormat::Bca, Some("123456789"), 2),
        (mandiri, BankFormat::Mandiri, Some("1310001234567"), 2),
        (other_mandiri, BankFormat::Mandiri, Some("1310001234567"), 1),
        (bni, BankFormat::Bni, None, 2),
        (other_bni, BankFormat::Bni, None, 2),
        (bri, BankFormat::Bri, None, 1),
        (tabs, BankFormat::Bri, None, 1),
    ] {
        let file = BankFile::read(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!((file.format, file.account.as_ref().map(|a| a.as_str()), file.rows.len()), (format, account, rows));
        // Oldest first, whatever the order in the file.
        assert_eq!((file.rows[0].on.to_string(), file.rows[0].hundredths), ("2026-01-15".into(), 18_315_100), "{text}");
        assert!(file.rows.iter().skip(1).all(|row| row.hundredths < 0), "{text}");
    }
    assert_eq!(told(mandiri)[0].2, "MCM InhouseTrf DARI BUDI SANTOSO 99");
    assert_eq!(told(bri)[0].2, "TRF BUDI");
}

const MT940: &str = "{1:F01BMRIIDJAXXXX}{4:\n:20:STMT\n:25:BMRIIDJA/1310001234567\n:28C:00001/001\n:60F:C260114IDR1000000,00\n:61:2601150115C183151,00NTRFNONREF//99\n:86:?20TRF DARI?21BUDI\nSANTOSO\n:61:2601160116D2500,00NCHG100\n:61:2601160116RC1000,NTRFNONREF\n:62F:C260116IDR1179651,00\n:86:Saldo\n-}\n";

#[test]
fn mt940_is_read_with_its_balances() {
    let file = BankFile::read(MT940).unwrap();
    assert_eq!((file.format, file.account.as_ref().unwrap().as_str()), (BankFormat::Mt940, "1310001234567"));
    assert_eq!(
        told(MT940),
        [
            ("2026-01-15".into(), 18_315_100, "TRF DARI BUDI SANTOSO 99".into(), Some(118_315_100)),
            ("2026-01-16".into(), -250_000, "100".into(), Some(118_065_100)),
            ("2026-01-16".into(), -100_000, "REVERSAL".into(), Some(117_965_100)),
        ]
    );
    for (from, to, expected) in [
        ("1179651,00", "1179652,00", "bank.totals"),
        ("C183151,00N", "C183152,00N", "bank.totals"),
        (":60F:C260114IDR1000000,00\n", ":60F:X\n", "bank.row"),
        ("2601150115C", "2602300115C", "bank.row"),
        ("C183151,00N", "X183151,00N", "bank.row"),
        ("D2500,00", "D0,00", "bank.row"),
    ] {
        assert_eq!(code(&MT940.replace(from, to)), expected, "{to}");
    }
    let second = MT940.replace("1310001234567", "1310009999999");
    assert_eq!(code(&format!("{MT940}{second}")), "bank.row");
}

#[test]
fn what_is_no_file_of_a_bank_or_is_damaged_is_refused_with_its_line() {
    for text in ["", "Mutasi Rekening\n", "nama;alamat\nBudi;Bandung\n", "\u{0}\u{1}", "Tanggal Transaksi,Keterangan\n"]
    {
        assert_eq!(code(text), "bank.unknown_file", "{text}");
    }
    let bri = "Tanggal Transaksi,Uraian Transaksi,Teller,Debet,Kredit,Saldo\n";
    assert_eq!(code(bri), "value.empty");
    for row in [
        "31/02/26,TRF,8888,0.00,183151.00,183151.00",
        "15/01/26,TRF,8888,0.00,x,183151.00",
        "15/01/26,TRF,8888,5.00,5.00,183151.00",
        "15/01/26,TRF,8888,0.00,0.00,183151.00",
        "15/01/26,TRF,8888,0.00,183,151.00,183151.00",
        "15/01/26,TRF,8888,0.00,183151.00,x",
        ",lanjutan,,,,",
    ] {
        let error = BankFile::read(&format!("{bri}{row}\n")).unwrap_err();
        assert!(error.code() == "bank.row" && error.to_string().contains("line 2"), "{row}: {error}");
    }
    let days = "Tanggal Transaksi,Keterangan,Cabang,Jumlah,,Saldo\n'15/01,TRF,'0000,\"5.00\",CR,\"5.00\"\n";
    assert_eq!(code(days), "bank.row");
}

/// An account in another currency is refused: its amounts would be read as rupiah.
#[test]
fn another_currency_than_rupiah_is_refused_and_named() {
    let bri = "Tanggal Transaksi,Uraian Transaksi,Teller,Mata Uang,Debet,Kredit,Saldo\n15/01/26,TRF,8888,USD,0.00,100.00,100.00\n";
    for (text, says) in [
        (MT940.replace("IDR", "USD"), "line 5: :60F: is in USD"),
        (MT940.replace(":62F:C260116IDR", ":62F:C260116SGD"), "line 11: :62F: is in SGD"),
        (bri.to_owned(), "line 2: Mata Uang is in USD"),
        (BCA.replace("Kode Mata Uang : IDR", "Kode Mata Uang : USD"), "line 5: mata uang is in USD"),
    ] {
        let error = BankFile::read(&text).unwrap_err();
        assert!(error.code() == "bank.currency" && error.to_string().starts_with(says), "{error}");
    }
    for text in [
        bri.replace("USD", "IDR"),
        bri.replace("USD", ""),
        BCA.replace("Kode Mata Uang : IDR", "Mata Uang,KCP,Nama"),
        BCA.replace("Kode Mata Uang : IDR", "Mata Uang: Rupiah"),
    ] {
        assert!(BankFile::read(&text).is_ok(), "{text}");
    }
}

/// A transfer that the bank took back stands among the money in with a minus, and a minus before what went out says nothing more.
#[test]
fn an_amount_with_a_minus_is_no_money_in() {
    let mandiri = "Account No,Date,Val. Date,Transaction Code,Description,Description,Reference No.,Debit,Credit\n";
    let bri = "Tanggal Transaksi,Uraian Transaksi,Teller,Debet,Kredit,Saldo\n";
    let business = "No. Rekening,0123456789\nTanggal Transaksi,Keterangan,Cabang,Jumlah,Saldo\n";
    let bni = "Tanggal Transaksi,Uraian Transaksi,Tipe,Nominal,Saldo\n";
    for (heading, row) in [
        (mandiri, "1310001234567,15/01/26,15/01/26,1011,STORNO TRF,,,0.00,\"-165,000.00\""),
        (bri, "15/01/26,KOREKSI,8888,0.00,-165000.00,835000.00"),
        (bri, "15/01/26,KOREKSI,8888,-165000.00,0.00,835000.00"),
        (business, "15/01/2026,KOREKSI,0998,\"-165,000.00 DB\",\"835,000.00\""),
        (business, "15/01/2026,KOREKSI,0998,\"-165,000.00 CR\",\"835,000.00\""),
        (bni, "15/01/2026,KOREKSI,Kredit,-165000,835000"),
        (bni, "15/01/2026,KOREKSI,Debit,-165000,835000"),
    ] {
        let file = BankFile::read(&format!("{heading}{row}\n")).unwrap_or_else(|error| panic!("{error}: {row}"));
        assert_eq!(file.rows.iter().map(|row| row.hundredths).collect::<Vec<_>>(), [-16_500_000], "{row}");
    }
}

#[test]
fn a_row_below_the_totals_is_not_left_out() {
    let bri = "Tanggal Transaksi,Uraian Transaksi,Teller,Debet,Kredit,Saldo\n07/01/26,TRF A,8888,0.00,90000.00,\n";
    let below = format!("{bri}TOTAL,,,0.00,90000.00,\nMutasi Kredit,1\n");
    assert_eq!(BankFile::read(&below).unwrap().rows.len(), 1);
    let error = BankFile::read(&format!("{below}07/01/26,TRF B,8888,0.00,165000.00,\n")).unwrap_err();
    assert!(error.code() == "bank.row" && error.to_string().contains("line 5"), "{error}");
}

fn kept(text: &str, before: &[Mutation]) -> (Vec<Mutation>, usize, usize) {
    let (file, account) = (BankFile::read(text).unwrap(), account_code("1310001234567").unwrap());
    let id = file_id(TenantId::DEFAULT, &account, text);
    let compared = compare(TenantId::DEFAULT, &account, id, &file, before, &[], &Whose::nobody());
    (compared.new, compared.known, compared.missing.len())
}

#[test]
fn no_row_counts_twice_and_two_that_are_alike_count_twice() {
    let head = "Tanggal Transaksi,Uraian Transaksi,Teller,Debet,Kredit,Saldo\n";
    let a = "15/01/26,TRF,8888,0.00,150000.00,150000.00\n";
    // The same amount again, taken back, and once more: the balance after the first and the third is the same.
    let b = "15/01/26,BATAL,8888,150000.00,0.00,0.00\n";
    let c = "15/01/26,TRF,8888,0.00,150000.00,150000.00\n";
    let d = "16/01/26,TRF,8888,0.00,150000.00,300000.00\n";
    let (morning, _, _) = kept(&format!("{head}{a}"), &[]);
    let (evening, known, missing) = kept(&format!("{head}{a}{b}{c}"), &morning);
    assert_eq!((morning.len(), evening.len(), known, missing), (1, 2, 1, 0));
    let all = [morning, evening].concat();
    let (next, known, missing) = kept(&format!("{head}{a}{b}{c}{d}"), &all);
    assert_eq!((next.len(), known, missing), (1, 3, 0));
    let all = [all, next].concat();
    let (again, known, missing) = kept(&format!("{head}{a}{b}{c}{d}"), &all);
    assert_eq!((again.len(), known, missing), (0, 4, 0));
    // Newest first is the same file.
    let (turned, known, _) = kept(&format!("{head}{d}{c}{b}{a}"), &all);
    assert_eq!((turned.len(), known), (0, 4));
    // The bank corrects the text of a row, which is the same row, and an amount, which is another one.
    let (text, known, missing) = kept(&format!("{head}{a}{b}{}{d}", c.replace("TRF", "TRF BUDI")), &all);
    assert_eq!((text.len(), known, missing), (0, 4, 0));
    let corrected = format!("{head}{a}{b}{c}16/01/26,TRF,8888,0.00,160000.00,310000.00\n");
    let (amount, known, missing) = kept(&corrected, &all);
    assert_eq!((amount.len(), amount[0].amount, known, missing), (1, Money::rupiah(160_000), 3, 1));
    // The same days as MT940, with other texts: nothing new. One more transfer in it is.
    let other = |more: &str, closing: &str| {
        format!(
            ":20:X\n:25:1310001234567\n:60F:C260115IDR0,\n:61:260115C150000,NTRFA\n:61:260115D150000,NTRFB\n:61:260115C150000,NTRFC\n:61:260116C150000,NTRFD\n{more}:62F:C260116IDR{closing},\n"
        )
    };
    let (new, known, missing) = kept(&other("", "300000"), &all);
    assert_eq!((new.len(), known, missing), (0, 4, 0));
    let (new, known, _) = kept(&other(":61:260116C150000,NTRFE\n", "450000"), &all);
    assert_eq!((new.len(), known), (1, 4));
}

/// The same account under two names, and two accounts in which something is alike.
#[test]
fn rows_that_another_account_has_are_known_there() {
    let head = "Tanggal Transaksi,Uraian Transaksi,Teller,Debet,Kredit,Saldo\n";
    let rows =
        ["TRF A,8888,0.00,150000.00,150000.00", "BIAYA,8888,2500.00,0.00,147500.00", "QRIS,8888,0.00,9.00,147509.00"];
    let file = |days: std::ops::Range<usize>, rows: &[&str]| {
        let line = |(n, row): (usize, &&str)| format!("{:02}/01/26,{row}\n", 15 + n);
        head.to_owned() + &rows.iter().enumerate().skip(days.start).take(days.len()).map(line).collect::<String>()
    };
    let read = |text: &str| BankFile::read(text).unwrap();
    let (all, _, _) = kept(&file(0..3, &rows), &[]);
    let account = Some("1310001234567".to_owned());
    let known = |file: &BankFile, others: &[Mutation]| known_elsewhere(file, others).map(|code| code.to_string());
    assert_eq!(known(&read(&file(0..3, &rows)), &all), account);
    // One row is enough where it tells its balance; so are parts of the days.
    assert_eq!(known(&read(&file(1..2, &rows)), &all), account);
    assert_eq!(known(&read(&file(0..3, &rows)), &all[2..]), account);
    // In another format, with other texts, two rows with their balances tell.
    let mt940 =
        ":20:X\n:25:1\n:60F:C260115IDR0,\n:61:260115C150000,NTRFA\n:61:260116D2500,NTRFB\n:62F:C260116IDR147500,\n";
    assert_eq!(known(&read(mt940), &all), account);
    assert_eq!(known(&read(mt940), &all[..1]), None, "one row of another format");
    // Two accounts: other balances, other texts, or nothing on these days.
    assert_eq!(known(&read(&file(0..3, &rows)), &[]), None);
    let other = ["TRF A,8888,0.00,150000.00,350000.00", "BIAYA,8888,2500.00,0.00,347500.00"];
    assert_eq!(known(&read(&file(0..2, &other)), &all), None);
    assert_eq!(known(&read(&file(0..1, &["TRF B,8888,0.00,150000.00,150000.00"])), &all), None);
    let plain = |text: &str| format!("{head}15/01/26,{text},8888,0.00,150000.00,\n");
    let (one, _, _) = kept(&plain("SETORAN"), &[]);
    assert_eq!(known(&read(&plain("SETORAN")), &one), None, "one row without a balance is too little");
    // A file that begins with the last row of the other one, and goes on for the rest of that day.
    let grown: String =
        ["TRF B", "TRF C", "TRF D"].iter().map(|text| format!("17/01/26,{text},8888,0.00,9.00,\n")).collect();
    assert_eq!(known(&read(&(file(2..3, &rows) + &grown)), &all), account);
    // Two accounts pay the same fees, and begin with the same sum.
    let fees = |more: &str| {
        format!("{head}15/01/26,BIAYA ADM,8888,12500.00,0.00,\n15/01/26,BIAYA KARTU,8888,5500.00,0.00,\n{more}")
    };
    let (of_fees, _, _) = kept(&fees(""), &[]);
    assert_eq!(known(&read(&fees("15/01/26,TRF A,8888,0.00,165000.00,\n")), &of_fees), None);
    let begun = |text: &str| format!("{head}15/01/26,{text},8888,0.00,500000.00,500000.00\n");
    let (of_one, _, _) = kept(&begun("SETORAN AWAL"), &[]);
    assert_eq!(known(&read(&begun("SETORAN AWAL")), &of_one), None);
}

#[test]
fn what_a_bank_wrote_is_not_shown() {
    let (new, _, _) = kept(MT940, &[]);
    let shown = format!("{:?} {new:?}", BankFile::read(MT940).unwrap());
    assert!(!shown.contains("BUDI") && !shown.contains("SANTOSO"), "{shown}");
}

#[test]
fn the_number_of_an_account_is_compared_by_its_digits() {
    let code = |text| account_code(text).unwrap();
    assert_eq!(code("131-00-0123456-7"), code("'1310001234567"));
    assert_eq!(code("0012 3456 78"), code("12345678"));
    assert_eq!(code("BRI-1").as_str(), "BRI-1");
    assert!(account_code("").is_err());
}
