//! The settings file that `isp init` writes, with its comments in the language of the output.

use isp_core::text::{Language, Name};

/// What `isp init` writes: every setting that most providers touch, with what it means.
pub(crate) fn starter(database: &str, key_file: &str, language: Language, name: Option<&Name>) -> String {
    let code = language.code();
    // A table that is named is one that holds; without a name its lines are only shown.
    let (on, name) = match name {
        Some(name) => ("", toml::Value::from(name.as_str()).to_string()),
        None => ("# ", r#""...""#.to_owned()),
    };
    let english = format!(
        r#"# Settings of isp. Order: flags, then ISP_... variables, then this file, then defaults. See docs/cli.md.

database = "{database}"         # or postgres://user@host/name; a relative path starts at this folder
key_file = "{key_file}"         # seals NIK and passwords; keep a copy apart from the database
language = "{code}"

[policy.billing]
issue_lead_days = 0             # days before a period starts on which its invoice is issued
payment_terms_days = 10         # days from issue to due date
catch_up_periods = 12           # a run never bills more periods of one line than this

[policy.dunning]
due_soon_days = [3]             # reminders so many days before the due date
overdue_days = [3]              # and after it
quiet_until = "08:00"           # no reminder before this local time
quiet_from = "20:00"            # and none from this time on

[policy.isolation]
isolate_after_days = 5          # days past the due date
isolate_from = 10000            # nobody is isolated for less than this overdue (rupiah); 0: for any debt
isolate_at = "10:00"            # not before this local time
on_weekends = false
public_holidays = "all"         # national holidays and joint leave; "national", or "none"; see isp holidays
holidays = []                   # your own days, such as ["2026-07-18"]
breaker_count = 20              # a run that would isolate more lines of a router than this
breaker_percent = 10            # and more than this share of its lines asks for approval

[policy.tax]
pkp = true                      # false: no PPN is charged

# [retention]                   # how long is kept what is no part of the books; see docs/privacy.md
# webhooks_days = 30            # 7 at least
# proof_files_days = 365        # files of proofs of transfer, from their review; 30 at least

# [mikrotik]
# isolation_profile = "isolir"  # the PPP profile of isolated lines; made when it is not there
# pool = "..."                  # pool of the profiles that isp makes; it must exist on the router

# [mikrotik.redirect]           # rules that lead isolated lines to the page for paying; see docs/routers.md
# portal = "..."                # the address of the page, as routers reach it
# payment_hosts = ["app.midtrans.com"]   # what isolated lines may reach besides

{on}[provider]                    # who asks in messages, and how to pay; see docs/templates.md
{on}name = {name}                  # your name, as customers know it; without it messages do not say who asks
# pay_to = ["BCA 1234567890 a.n. ...", "kantor, jam 8-16"]
# contact = "0812..."

# [paper]                       # what stands on invoices and receipts besides: isp invoice print, isp receipt print
# address = ["Jl. ... No. ..", "Kota ..."]
# npwp = "..."
# logo = "logo.png"             # PNG, JPEG or WEBP, 512 KB at most
# size = "A4"                   # or "A5"

# [payment]                     # for isp payment-request
# qris = "00020101021126..."    # the text of your own static QRIS code, as a scanner of codes shows it

# [gateway.tripay]              # midtrans, xendit, tripay or duitku; see docs/cli.md
# sandbox = true
# merchant = "T0001"
# key_file = "tripay.key"       # or ISP_GATEWAY__TRIPAY__KEY
# webhook_key_file = "tripay.private"
# email = "tagihan@..."         # yours, for each payer

# [snap.bca-va]                 # a bank that asks what is owed (SNAP BI); see docs/serve.md
# service_id = "88899"          # your number at the bank
# client_key = "..."            # as the bank calls itself when it wants a token
# partner_id = "..."            # as it calls itself in each call
# public_key_file = "bca.pem"
# client_secret_file = "bca.secret"
# token_key_file = "bca.token-key"       # 32 signs or more that nobody else knows

# [moota]                       # tells of transfers by itself; it wants internet banking's password: see docs/serve.md
# secret_file = "moota.secret"

# [phone.hp-toko]               # a phone that passes on notifications of money; see docs/serve.md
# account = "QRIS-TOKO"         # the account on which the money is, or a name for it
# secret_file = "hp-toko.secret"         # 16 signs or more, the same in the phone's app

# [whatsapp]
# phone_number_id = "..."       # Meta's id of the sending number
# access_token_file = "whatsapp.token"   # or ISP_WHATSAPP__ACCESS_TOKEN
# documents = ["due_soon", "overdue"]    # messages that go with their paper; see docs/templates.md
"#
    );
    match language {
        Language::En => english,
        Language::Id => INDONESIAN.iter().fold(english, |text, (said, instead)| text.replace(said, instead)),
    }
}

/// Each comment of the file, in English and Indonesian. None is a part of another one that stands behind it.
const INDONESIAN: [(&str, &str); 48] = [
    (
        "# how long is kept what is no part of the books; see docs/privacy.md",
        "# berapa lama disimpan apa yang bukan bagian pembukuan; lihat docs/privacy.md",
    ),
    ("# 7 at least", "# paling sedikit 7"),
    (
        "# files of proofs of transfer, from their review; 30 at least",
        "# berkas bukti transfer, sejak diperiksa; paling sedikit 30",
    ),
    (
        "# messages that go with their paper; see docs/templates.md",
        "# pesan yang disertai lembarnya; lihat docs/templates.md",
    ),
    ("# PNG, JPEG or WEBP, 512 KB at most", "# PNG, JPEG atau WEBP, paling besar 512 KB"),
    ("# or \"A5\"", "# atau \"A5\""),
    (
        "# what stands on invoices and receipts besides: isp invoice print, isp receipt print",
        "# yang juga tertera di tagihan dan kuitansi: isp invoice print, isp receipt print",
    ),
    (
        "# Settings of isp. Order: flags, then ISP_... variables, then this file, then defaults. See docs/cli.md.",
        "# Pengaturan isp. Urutannya: opsi, lalu variabel ISP_..., lalu berkas ini, lalu nilai bawaan. Lihat docs/cli.md.",
    ),
    (
        "# or postgres://user@host/name; a relative path starts at this folder",
        "# atau postgres://pengguna@host/nama; jalur relatif dimulai di folder ini",
    ),
    (
        "# seals NIK and passwords; keep a copy apart from the database",
        "# menyegel NIK dan sandi; simpan salinannya terpisah dari basis data",
    ),
    (
        "# days before a period starts on which its invoice is issued",
        "# sekian hari sebelum periode mulai, tagihannya terbit",
    ),
    ("# days from issue to due date", "# hari dari terbit sampai jatuh tempo"),
    (
        "# a run never bills more periods of one line than this",
        "# paling banyak sekian periode satu langganan ditagih dalam satu proses",
    ),
    ("# reminders so many days before the due date", "# pengingat sekian hari sebelum jatuh tempo"),
    ("# and after it", "# dan sesudahnya"),
    ("# no reminder before this local time", "# tidak ada pengingat sebelum jam ini"),
    ("# and none from this time on", "# dan tidak ada sejak jam ini"),
    ("# days past the due date", "# sekian hari lewat jatuh tempo"),
    (
        "# nobody is isolated for less than this overdue (rupiah); 0: for any debt",
        "# tidak diisolir bila tunggakan kurang dari ini (rupiah); 0: berapa pun tunggakannya",
    ),
    ("# not before this local time", "# tidak sebelum jam ini"),
    (
        r#"# national holidays and joint leave; "national", or "none"; see isp holidays"#,
        r#"# libur nasional dan cuti bersama; "national", atau "none"; lihat isp holidays"#,
    ),
    (r#"# your own days, such as ["2026-07-18"]"#, r#"# hari Anda sendiri, misalnya ["2026-07-18"]"#),
    (
        "# a run that would isolate more lines of a router than this",
        "# proses yang akan mengisolir lebih banyak langganan satu router daripada ini",
    ),
    (
        "# and more than this share of its lines asks for approval",
        "# dan lebih dari sekian persen langganannya, meminta persetujuan dulu",
    ),
    ("# false: no PPN is charged", "# false: tanpa PPN"),
    (
        "# the PPP profile of isolated lines; made when it is not there",
        "# profil PPP langganan yang diisolir; dibuat bila belum ada",
    ),
    (
        "# pool of the profiles that isp makes; it must exist on the router",
        "# pool profil yang dibuat isp; harus sudah ada di router",
    ),
    (
        "# rules that lead isolated lines to the page for paying; see docs/routers.md",
        "# aturan yang mengantar pelanggan yang diisolir ke halaman pembayaran; lihat docs/routers.md",
    ),
    ("# the address of the page, as routers reach it", "# alamat halaman itu, seperti yang dijangkau router"),
    ("# what isolated lines may reach besides", "# yang juga boleh dituju pelanggan yang diisolir"),
    (
        "# who asks in messages, and how to pay; see docs/templates.md",
        "# siapa yang menagih di pesan, dan cara membayar; lihat docs/templates.md",
    ),
    (
        "# your name, as customers know it; without it messages do not say who asks",
        "# nama Anda yang dikenal pelanggan; tanpa ini pesan tidak menyebut siapa yang menagih",
    ),
    ("# for isp payment-request", "# untuk isp payment-request"),
    (
        "# the text of your own static QRIS code, as a scanner of codes shows it",
        "# isi kode QRIS statis Anda, seperti yang ditampilkan pemindai",
    ),
    (
        "# midtrans, xendit, tripay or duitku; see docs/cli.md",
        "# midtrans, xendit, tripay, atau duitku; lihat docs/cli.md",
    ),
    ("# or ISP_GATEWAY__TRIPAY__KEY", "# atau ISP_GATEWAY__TRIPAY__KEY"),
    ("# yours, for each payer", "# milik Anda, untuk tiap pembayar"),
    (
        "# a bank that asks what is owed (SNAP BI); see docs/serve.md",
        "# bank yang menanyakan tagihan (SNAP BI); lihat docs/serve.md",
    ),
    ("# your number at the bank", "# nomor Anda di bank"),
    ("# as the bank calls itself when it wants a token", "# nama bank ketika meminta token"),
    ("# as it calls itself in each call", "# namanya dalam tiap panggilan"),
    ("# 32 signs or more that nobody else knows", "# 32 huruf atau lebih yang tidak diketahui orang lain"),
    (
        "# tells of transfers by itself; it wants internet banking's password: see docs/serve.md",
        "# memberi tahu transfer sendiri; ia meminta sandi internet banking: lihat docs/serve.md",
    ),
    (
        "# a phone that passes on notifications of money; see docs/serve.md",
        "# HP yang meneruskan notifikasi uang masuk; lihat docs/serve.md",
    ),
    ("# the account on which the money is, or a name for it", "# rekening tempat uangnya, atau namanya"),
    ("# 16 signs or more, the same in the phone's app", "# 16 huruf atau lebih, sama dengan di aplikasi HP"),
    ("# Meta's id of the sending number", "# id nomor pengirim di Meta"),
    ("# or ISP_WHATSAPP__ACCESS_TOKEN", "# atau ISP_WHATSAPP__ACCESS_TOKEN"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_the_same_in_both_languages_but_for_its_comments() {
        let of = |language| starter("sqlite:isp.db", "isp.key", language, None);
        let (id, en) = (of(Language::Id), of(Language::En));
        assert_eq!(id.lines().count(), en.lines().count());
        for (id, en) in id.lines().zip(en.lines()).filter(|(_, en)| !en.starts_with("language")) {
            let said = |line: &str| line.rfind("# ").map_or_else(|| line.to_owned(), |at| line[..at].to_owned());
            assert_eq!(said(id), said(en));
            // What is only shown (`# pool = ...`) is no sentence; what stands behind it is one.
            let sentence =
                en.rfind("# ").map(|at| &en[at + 2..]).filter(|text| !text.contains(" = ") && !text.starts_with('['));
            if let Some(sentence) = sentence {
                assert!(!id.contains(sentence), "English in the Indonesian file: {sentence}");
            }
        }
        for (english, _) in INDONESIAN {
            assert!(en.contains(english), "{english}");
        }
    }
}
