//! What is wrong with a row, and what is told of a file, in words for a person: English as the errors have it, and Indonesian.
//! The words name no option of a program.

use isp_core::Error;
use isp_core::text::Language;

use super::notice::Note;
use super::problem::{Noun, Problem};

impl Problem {
    /// Why a row cannot be taken, in a language. Nothing that is personal in a cell is in it.
    #[must_use]
    pub fn said(&self, language: Language) -> String {
        match language {
            Language::En => self.to_string(),
            Language::Id => indonesian(self).unwrap_or_else(|| self.to_string()),
        }
    }
}

impl Note {
    /// What is told, in a language.
    #[must_use]
    pub fn said(self, language: Language) -> &'static str {
        let (english, indonesian) = note(self);
        match language {
            Language::En => english,
            Language::Id => indonesian,
        }
    }
}

fn note(note: Note) -> (&'static str, &'static str) {
    match note {
        Note::UnknownFile => (
            "it is not read: neither its name nor its columns say what it is",
            "tidak dibaca: nama dan kolomnya tidak mengatakan isinya",
        ),
        Note::Titles => ("what stands above this line is taken as a title", "yang di atas baris ini dianggap judul"),
        Note::Utf16 => ("it is read as UTF-16", "dibaca sebagai UTF-16"),
        Note::Windows1252 => (
            "it is not UTF-8 and is read as Windows-1252 (Latin-1); look at names with accents",
            "bukan UTF-8 dan dibaca sebagai Windows-1252 (Latin-1); periksa nama yang beraksen",
        ),
        Note::HiddenUnknown => (
            "this old format does not say which rows and columns are hidden; if some are, save it as .xlsx",
            "format lama ini tidak menyebut baris dan kolom yang tersembunyi; bila ada, simpan sebagai .xlsx",
        ),
        Note::Totals => ("rows of totals are left out", "baris jumlah dilewati"),
        Note::NotImported => ("the column is not imported", "kolom ini tidak diimpor"),
        Note::UnknownColumn => {
            ("the column is not known and is not imported", "kolom ini tidak dikenal dan tidak diimpor")
        }
        Note::Landline => (
            "landlines cannot receive WhatsApp; these customers are taken without a number",
            "nomor telepon rumah tidak menerima WhatsApp; pelanggannya diambil tanpa nomor",
        ),
        Note::SeveralPhones => (
            "cells hold several numbers; the first mobile number is taken",
            "sel berisi beberapa nomor; nomor HP pertama yang dipakai",
        ),
        Note::SamePhone => (
            "rows have the phone number of another customer above; the messages of both go there",
            "baris memakai nomor telepon pelanggan lain di atasnya; pesan keduanya dikirim ke nomor itu",
        ),
        Note::MayBeRounded => (
            "NIK end in 0, as after rounding by a spreadsheet; compare with the card",
            "NIK berakhir 0, seperti sudah dibulatkan spreadsheet; cocokkan dengan KTP",
        ),
        Note::DayFirst => {
            ("days such as 1/2/2026 are read with the day first", "tanggal seperti 1/2/2026 dibaca tanggal dulu")
        }
        Note::MonthFirst => (
            "days are read with the month first, as the column shows",
            "bulan dibaca di depan, seperti terlihat di kolomnya",
        ),
        Note::ShortYear => ("years of two digits are read as 20..", "tahun dua angka dibaca sebagai 20.."),
        Note::DayNumber => (
            "days stand as a spreadsheet's number and are read as that",
            "tanggal tertulis sebagai angka spreadsheet dan dibaca demikian",
        ),
        Note::DecimalCode => (
            "codes stand as decimal numbers such as 12.0 and are read as 12",
            "kode tertulis sebagai angka desimal seperti 12.0 dan dibaca 12",
        ),
        Note::SameAgain => ("rows say the same as an earlier one", "baris sama dengan baris sebelumnya"),
        Note::OnlyRouter => (
            "lines without router and site are put on the only router",
            "saluran tanpa router dan lokasi dipasang di satu-satunya router",
        ),
        Note::PriceWithoutSpeed => (
            "rows have a price and no speed, so no package is made of them; fill in the column speed, or say the speed in the \
             package's name, such as Rumah 20 Mbps",
            "baris menyebut harga tanpa kecepatan, jadi paketnya tidak dibuat dari baris itu; isi kolom kecepatan, atau tulis \
             kecepatan di nama paket, seperti Rumah 20 Mbps",
        ),
        Note::NoCash => (
            "expenses are booked in cash, and the books hold none: cash is below zero",
            "biaya dicatat tunai, padahal kas di pembukuan kosong: kas di bawah nol",
        ),
    }
}

fn noun(noun: Noun) -> &'static str {
    match noun {
        Noun::Site => "lokasi",
        Noun::Router => "router",
        Noun::Package => "paket",
        Noun::Customer => "pelanggan",
        Noun::Username => "username di router ini",
        Noun::Serial => "nomor seri",
    }
}

/// `None` where only English has words.
fn indonesian(problem: &Problem) -> Option<String> {
    Some(match problem {
        Problem::Value(error) => return of_value(error),
        Problem::File(reason) => format!("berkas tidak dapat dibaca: {reason}"),
        Problem::Workbook => {
            "bukan buku kerja yang dapat dibaca; simpan sebagai .xlsx, atau sebagai CSV UTF-8 dengan akhiran .csv"
                .to_owned()
        }
        Problem::Erased => "data pelanggan ini sudah dihapus; lewatkan baris ini".to_owned(),
        Problem::TooLarge => {
            "terlalu besar untuk dibaca: hapus yang tertulis jauh di luar tabel, atau bagi menjadi beberapa berkas"
                .to_owned()
        }
        Problem::NoSuchSheet => {
            "tidak ada lembar dengan jenis itu di buku kerja ini; beri nama lembarnya demikian".to_owned()
        }
        Problem::TwoFiles { other } => format!("{other} sejenis; sisakan salah satu"),
        Problem::NoHeader { known } => {
            format!("tidak ada baris di atas yang berupa judul kolom yang dikenal; yang dikenal: {known}")
        }
        Problem::UnknownColumn { known } => format!("kolom ini tidak dikenal; yang dikenal: {known}"),
        Problem::ColumnOfEverything => {
            "kolom ini milik lembar berisi semuanya (pelanggan, paket, dan saluran), padahal berkas ini dibaca sebagai berkas lain"
                .to_owned()
        }
        Problem::UnknownPackage { name: Some(name) } => {
            format!("paket \"{name}\" tidak ada; tambahkan paketnya dulu, atau kolom harga dan kecepatan")
        }
        Problem::UnknownPackage { name: None } => {
            "paket baris ini tidak ada; tambahkan paketnya dulu, atau kolom harga dan kecepatan".to_owned()
        }
        Problem::WhichPackage { count } => format!("ada {count} paket dengan nama itu; tulis kodenya"),
        Problem::RepeatedColumn => "dua kolom berarti sama".to_owned(),
        Problem::MissingColumn => "kolom ini tidak ada".to_owned(),
        Problem::NoCustomerNumbers => "pelanggan di lembar ini belum bernomor".to_owned(),
        Problem::Cells { found, expected } => format!("baris berisi {found} sel, judul {expected}"),
        Problem::Utf8 => "teks bukan UTF-8; simpan berkas sebagai \"CSV UTF-8\"".to_owned(),
        Problem::Csv => "baris bukan CSV yang sah".to_owned(),
        Problem::SheetError => "spreadsheet menampilkan galat di sel ini".to_owned(),
        Problem::Rounded => {
            "mungkin ada angka yang dihilangkan spreadsheet; jadikan kolomnya teks dan ketik ulang".to_owned()
        }
        Problem::HiddenSheet => "lembar ini disembunyikan; tampilkan atau hapus".to_owned(),
        Problem::HiddenRows { count, lines } => {
            format!("{count} baris tersembunyi atau tersaring: {lines}. Tampilkan lalu hapus yang tidak perlu ikut")
        }
        Problem::HiddenColumn => "kolom ini disembunyikan; tampilkan dan periksa".to_owned(),
        Problem::DayOrder => "di sini tanggal atau bulan bisa di depan; sebutkan yang mana".to_owned(),
        Problem::RoundedNiks { count, of } => {
            format!("{count} dari {of} NIK berakhir 0, seperti sudah dibulatkan spreadsheet; cocokkan dengan KTP")
        }
        Problem::OtherTerms { first_line } => {
            format!("baris {first_line} memuat harga, kecepatan, pajak, atau grup lain untuk paket ini")
        }
        Problem::OtherPrice { package, here, books } => {
            format!("paket {package} di pembukuan berharga {books} per bulan, di sini {here}")
        }
        Problem::Unknown(of) => format!("{} ini tidak ada, baik di berkas maupun di basis data", noun(*of)),
        Problem::Repeated { noun: of, first_line } => format!("{} sudah ada di baris {first_line}", noun(*of)),
        Problem::Taken(of) => format!("{} sudah dipakai pihak lain di basis data", noun(*of)),
        Problem::Ip => "bukan alamat IP".to_owned(),
        Problem::Number { least, most } => format!("bukan bilangan bulat dari {least} sampai {most}"),
        Problem::NoSubscription => "pelanggan tidak punya langganan untuk pemasangan ini".to_owned(),
        Problem::LikelyDouble { row, known } => format!(
            "kemungkinan perbaikan dari yang sudah tercatat: {known}; baris ini berisi {row} dan akan dihitung di sampingnya"
        ),
        Problem::NoRouterYet => {
            "belum ada router; tambahkan dahulu, atau isi kolom site untuk saluran tanpa router".to_owned()
        }
        Problem::SameNik { row, other } => format!("{row} memakai NIK {other}, padahal NIK hanya milik satu orang"),
        Problem::WhichRouter { count } => format!("baris tidak menyebut router, padahal ada {count}; isi kolom router"),
        Problem::NoFee => "biaya tidak diisi dan jenis ini belum punya harga".to_owned(),
    })
}

fn of_value(error: &Error) -> Option<String> {
    let because = |what: &str, reason: &str| Some(format!("{what} tidak sah: {}", reason_of(reason)));
    let plain = match error {
        Error::Nik { reason } => return because("NIK", reason),
        Error::Phone { reason } => return because("nomor telepon", reason),
        Error::RouterAddress { reason } => return because("alamat router", reason),
        Error::IpAddress { reason } => return because("alamat IP", reason),
        Error::Mac { reason } => return because("alamat MAC", reason),
        Error::TooLong { max, .. } => return Some(format!("lebih panjang dari {max} huruf")),
        Error::NotOneOf { expected, .. } => return Some(format!("bukan salah satu dari: {expected}")),
        Error::Implausible { value, .. } => return Some(format!("{value} tampaknya salah ketik")),
        Error::NotForService { service, .. } => return Some(format!("saluran {service} tidak punya isian ini")),
        Error::DiscountAbovePrice { price } => return Some(format!("potongan melebihi harga, {price}")),
        Error::InstallationClash { on } => {
            return Some(format!(
                "pemasangan lain pada langganan ini ditagih pada {on}; catat kedua biaya sebagai satu"
            ));
        }
        Error::CashShort { holds, on } => return Some(format!("kas pada {on} hanya {holds}, kurang dari itu")),
        Error::Empty { .. } => "selnya kosong",
        Error::BadCode { .. } => "hanya boleh berisi huruf, angka, dan . _ - / @ :",
        Error::BadRouterName { .. } => "hanya boleh berisi huruf tanpa aksen, angka, spasi, dan tanda baca biasa",
        Error::MoneyFraction => "jumlah memuat pecahan rupiah",
        Error::MoneyFormat => "jumlah bukan angka rupiah, misalnya 150000, Rp 150.000,- atau 150rb",
        Error::MoneyRange => "jumlah di luar batas",
        Error::NotPositive { .. } => "harus lebih dari nol",
        Error::DateFormat => "bukan tanggal kalender, tulis YYYY-MM-DD atau DD/MM/YYYY",
        Error::BillingDay => "tanggal tagih bukan 1 sampai 31",
        Error::Cycle => "siklus bukan bulanan, triwulan, semesteran, atau tahunan",
        Error::Zone => "zona bukan WIB, WITA, atau WIT",
        Error::Speed => "kecepatan bukan angka seperti 20, 20M/10M, atau 512k",
        Error::FeeTerms => "biaya yang ikut tagihan pertama dibayar sekaligus, tidak dicicil",
        Error::FirstInvoiceIssued => {
            "tagihan pertama langganan ini sudah terbit; tanpa itu, biaya menjadi tagihan tersendiri"
        }
        _ => return None,
    };
    Some(plain.to_owned())
}

fn reason_of(reason: &str) -> &str {
    REASONS.iter().find(|(english, _)| *english == reason).map_or(reason, |(_, indonesian)| indonesian)
}

/// What isp-core says is wrong with a number or an address.
const REASONS: [(&str, &str); 22] = [
    ("it does not have 16 digits", "jumlah digit bukan 16"),
    ("no province has this number", "dua digit pertama bukan kode provinsi"),
    ("digits 7 to 12 are not a date of birth", "digit 7 sampai 12 bukan tanggal lahir"),
    ("the serial is 0000", "nomor urut 0000"),
    ("it is not an Indonesian number", "bukan nomor Indonesia"),
    ("it is empty", "kosong"),
    (
        "it is a landline or no Indonesian mobile number, which cannot receive WhatsApp",
        "nomor telepon rumah atau bukan nomor HP Indonesia, tidak dapat menerima WhatsApp",
    ),
    ("it is too short; digits are missing", "terlalu pendek; ada angka yang kurang"),
    ("it does not have 9 to 12 digits after the country code", "bukan 9 sampai 12 digit setelah kode negara"),
    (
        "a spreadsheet rounded it; format the column as text and type it again",
        "sudah dibulatkan oleh spreadsheet; jadikan kolomnya teks dan ketik ulang",
    ),
    (
        "it is written as a decimal number; format the column as text and type it again",
        "tertulis sebagai angka desimal; jadikan kolomnya teks dan ketik ulang",
    ),
    ("its digits stand in pieces that may not belong together", "angkanya terpotong-potong, belum tentu satu nomor"),
    ("only tls:// may stand in front of it", "hanya tls:// yang boleh di depannya"),
    ("it has a network's length or a path behind it", "ada panjang jaringan atau jalur di belakangnya"),
    ("it is no IPv6 address", "bukan alamat IPv6"),
    ("it is no IPv4 address", "bukan alamat IPv4"),
    ("an IPv4 address is wanted", "harus alamat IPv4"),
    ("a single address is wanted, not a network", "harus satu alamat, bukan jaringan"),
    ("it is not written as 10.20.0.7", "tidak tertulis seperti 10.20.0.7"),
    ("no customer's box can have it", "tidak mungkin milik perangkat pelanggan"),
    ("it is not six pairs of hexadecimal digits", "bukan enam pasang angka heksadesimal"),
    ("it is neither an IP address nor a host name", "bukan alamat IP dan bukan nama host"),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Words of one language are not those of the other, and say what the problem holds.
    #[test]
    fn both_languages_have_words() {
        let date = isp_core::Date::parse("2026-01-15").unwrap();
        for problem in [
            Problem::Value(Error::Nik { reason: "it does not have 16 digits" }),
            Problem::Value(Error::Phone { reason: "it is empty" }),
            Problem::Value(Error::Empty { field: "name" }),
            Problem::Value(Error::Implausible { field: "price", value: "Rp1".into() }),
            Problem::Value(Error::CashShort { holds: isp_core::Money::rupiah(5), on: date }),
            Problem::Value(Error::DateFormat),
            Problem::Repeated { noun: Noun::Customer, first_line: 7 },
            Problem::Number { least: 1, most: 12 },
            Problem::Cells { found: 3, expected: 4 },
            Problem::WhichRouter { count: 2 },
            Problem::NoFee,
        ] {
            let (english, indonesian) = (problem.said(Language::En), problem.said(Language::Id));
            assert_ne!(english, indonesian);
            let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
            assert_eq!(digits(&english), digits(&indonesian), "{english}: {indonesian}");
            assert!(!indonesian.contains(" is "), "{indonesian}");
        }
        for note in [Note::UnknownFile, Note::Totals, Note::OnlyRouter, Note::NoCash] {
            assert_ne!(note.said(Language::En), note.said(Language::Id));
        }
    }

    /// Each reason that isp-core gives for a number or an address is in the table, and no other.
    #[test]
    fn reasons_are_those_of_the_core() {
        let sources = [
            include_str!("../../isp-core/src/customer/number.rs"),
            include_str!("../../isp-core/src/typed/digits.rs"),
            include_str!("../../isp-core/src/place.rs"),
            include_str!("../../isp-core/src/subscription/account.rs"),
        ];
        for (english, _) in REASONS {
            let quoted = format!("\"{english}\"");
            assert!(sources.iter().any(|source| source.contains(&quoted)), "{english}");
        }
    }
}
