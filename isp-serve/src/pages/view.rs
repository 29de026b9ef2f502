//! What the pages say, in Indonesian and English.

use isp_core::billing::BillState;
use isp_core::calendar::Date;
use isp_core::engine::page::{PageFacts, Standing};
use isp_core::message::Sender;
use isp_core::money::Money;
use isp_core::payment::{Qris, qris};
use isp_core::protection::FileKind;
use isp_core::text::Language;
use isp_payment::snap::SnapBank;

use super::html::{Page, day, escape, masked, qr};
use super::paper::PDF;

/// Seconds after which a page looks whether the router has opened the line.
const AGAIN: u16 = 10;

/// What a person did a moment ago, as it stands in the address: a closed set of words.
pub(super) fn said(word: &str, language: Language) -> Option<&'static str> {
    Some(match (word, language) {
        ("promised", Language::Id) => "Janji bayar Anda dicatat.",
        ("promised", Language::En) => "Your promise is noted.",
        ("used", Language::Id) => "Janji bayar sudah dipakai dalam masa tagihan ini.",
        ("used", Language::En) => "A promise was made in this billing period already.",
        ("days", Language::Id) => "Jumlah hari itu tidak bisa.",
        ("days", Language::En) => "That number of days is not possible.",
        ("proof", Language::Id) => "Bukti transfer Anda diterima dan akan diperiksa.",
        ("proof", Language::En) => "Your proof of transfer has arrived and will be reviewed.",
        ("proof_known", Language::Id) => "Bukti transfer ini sudah pernah kami terima.",
        ("proof_known", Language::En) => "We have this proof of transfer already.",
        ("proof_kind", Language::Id) => "Berkas itu bukan gambar (JPEG, PNG, WEBP) dan bukan PDF.",
        ("proof_kind", Language::En) => "That file is no picture (JPEG, PNG, WEBP) and no PDF.",
        ("proof_large", Language::Id) => "Berkas itu lebih besar dari 5 MB. Tangkapan layar sudah cukup.",
        ("proof_large", Language::En) => "That file is larger than 5 MB. A screenshot is enough.",
        ("proof_many", Language::Id) => "Beberapa bukti transfer Anda masih menunggu diperiksa.",
        ("proof_many", Language::En) => "Several of your proofs still wait for review.",
        ("proof_none", Language::Id) => "Pilih dulu gambar atau PDF-nya.",
        ("proof_none", Language::En) => "Choose the picture or PDF first.",
        ("proof_slow", Language::Id) => "Berkas itu terlalu lama terkirim. Coba gambar yang lebih kecil.",
        ("proof_slow", Language::En) => "That file took too long. Try a smaller picture.",
        ("nothing", Language::Id) => "Tidak ada tagihan yang belum dibayar.",
        ("nothing", Language::En) => "Nothing is owed.",
        ("busy", Language::Id) => "Saat ini tidak bisa. Coba lagi sebentar lagi.",
        ("busy", Language::En) => "This is not possible now. Please try again in a moment.",
        _ => return None,
    })
}

/// Who asks and how to pay, as the settings say.
pub(super) struct Shop<'a> {
    pub(super) sender: Option<&'a Sender>,
    pub(super) qris: Option<&'a Qris>,
    pub(super) banks: Vec<&'a SnapBank>,
}

impl Shop<'_> {
    fn name(&self) -> &str {
        self.sender.map_or("Internet", |sender| sender.name.as_str())
    }
}

/// A customer's page. `base` is the path under which its forms are sent.
pub(super) fn customer(facts: &PageFacts, shop: &Shop<'_>, base: &str, said: Option<&str>, language: Language) -> Page {
    let id = language == Language::Id;
    let word = |indonesian: &'static str, english: &'static str| if id { indonesian } else { english };
    let mut body = format!("<p class=\"s\">{}</p>", escape(shop.name()));
    let (class, title, text) = standing(facts, language);
    body += &format!("<section class=\"c {class}\"><h1>{title}</h1><p>{text}</p></section>");
    if let Some(said) = said {
        body += &format!("<section class=\"c\"><strong>{}</strong></section>", escape(said));
    }
    body += "<section class=\"c\">";
    body += &format!(
        "<p class=\"s\">{} · {}</p>",
        escape(&masked(facts.customer.name.as_str())),
        escape(&facts.packages.join(", "))
    );
    if facts.demand.total.is_positive() {
        body += &format!(
            "<h2>{}</h2><p class=\"sum\">{}</p><table>",
            word("Yang belum dibayar", "Unpaid"),
            facts.demand.total
        );
        for owed in facts.demand.owed.iter().take(12) {
            let late = if owed.due_date < facts.today { word(" (lewat jatuh tempo)", " (overdue)") } else { "" };
            body += &format!(
                "<tr><td>{}<br><span class=\"s\">{} {}{late}</span></td><td>{}</td></tr>",
                escape(&owed.number),
                word("jatuh tempo", "due"),
                day(owed.due_date, language),
                owed.amount
            );
        }
        body += "</table>";
    } else {
        body += &format!(
            "<p>{}</p>",
            word("Tidak ada tagihan yang belum dibayar. Terima kasih.", "Nothing is owed. Thank you.")
        );
    }
    body += &format!(
        "<p><a href=\"{base}/bills{}\">{}</a></p></section>",
        lang(language),
        word("Tagihan dan kuitansi", "Bills and receipts")
    );
    if facts.demand.total.is_positive() {
        body += &pay(facts, shop, base, language);
        body += &proof(facts, base, language);
        body += &time(facts, base, language);
    }
    if let Some(contact) = shop.sender.and_then(|sender| sender.contact.as_deref()) {
        body += &format!("<p class=\"s\">{} {}</p>", word("Pertanyaan:", "Questions:"), escape(contact));
    }
    let other = if id { "<a href=\"?lang=en\">English</a>" } else { "<a href=\"?lang=id\">Bahasa Indonesia</a>" };
    body += &format!("<p class=\"s\">{other}</p>");
    let again = matches!(facts.standing, Standing::Opening | Standing::Arrears).then_some(match facts.standing {
        Standing::Opening => AGAIN,
        // A payment may come in at any moment; a form that is being read is not taken away too soon.
        _ => 60,
    });
    Page { language, title: shop.name().to_owned(), body, again }
}

fn lang(language: Language) -> &'static str {
    if language == Language::En { "?lang=en" } else { "" }
}

fn standing(facts: &PageFacts, language: Language) -> (&'static str, String, String) {
    let id = language == Language::Id;
    let both = |a: &str, b: &str| if id { a.to_owned() } else { b.to_owned() };
    let oldest = facts.demand.owed.first().map(|owed| day(owed.due_date, language)).unwrap_or_default();
    match facts.standing {
        Standing::Outage => (
            "wait",
            both("Ada gangguan, bukan isolir", "There is an outage, you are not suspended"),
            both(
                "Kami sedang memperbaikinya. Anda tidak perlu melakukan apa pun.",
                "We are working on it. There is nothing for you to do.",
            ),
        ),
        Standing::ByHand => (
            "bad",
            both("Layanan ditutup oleh petugas", "Your service was suspended by our staff"),
            both("Silakan hubungi kami.", "Please contact us."),
        ),
        Standing::Arrears => (
            "bad",
            both("Layanan internet Anda diisolir", "Your internet is suspended"),
            match id {
                true => format!(
                    "Karena {} yang jatuh tempo {oldest} belum dibayar. Layanan terbuka sendiri setelah pembayaran masuk.",
                    facts.demand.overdue
                ),
                false => format!(
                    "Because {}, due {oldest}, is unpaid. It opens by itself once the payment is in.",
                    facts.demand.overdue
                ),
            },
        ),
        Standing::Opening => (
            "wait",
            both("Layanan sedang dibuka", "Your service is being opened"),
            both(
                "Router sedang diberi tahu. Halaman ini melihat lagi sendiri.",
                "The router is being told. This page looks again by itself.",
            ),
        ),
        Standing::OpenAgain => (
            "good",
            both("Sudah terbuka", "It is open again"),
            both(
                "Router sudah membuka layanan Anda. Bila belum bisa, matikan dan nyalakan modem.",
                "The router has opened your service. If it does not work, switch your modem off and on.",
            ),
        ),
        Standing::Open => match (facts.demand.isolation_date, facts.promised_until) {
            (_, Some(until)) => (
                "wait",
                both("Layanan aktif dengan janji bayar", "Your service is active by your promise"),
                until_text(facts, until, language),
            ),
            (Some(from), None) => (
                "wait",
                both("Layanan aktif", "Your service is active"),
                match id {
                    true => format!("Bila tidak dibayar, layanan diisolir mulai {}.", day(from, language)),
                    false => format!("If it stays unpaid, the service is suspended from {}.", day(from, language)),
                },
            ),
            (None, None) => ("good", both("Layanan aktif", "Your service is active"), String::new()),
        },
        Standing::Closed => ("wait", both("Langganan sudah berakhir", "Your subscription has ended"), String::new()),
    }
}

/// By when a promise is to be kept, and what happens otherwise: nothing, where something else protects the line longer.
fn until_text(facts: &PageFacts, until: Date, language: Language) -> String {
    let until = day(until, language);
    match (language, facts.demand.isolation_date.map(|from| day(from, language))) {
        (Language::Id, Some(from)) => {
            format!("Bayar paling lambat {until}. Bila tidak, layanan diisolir mulai {from}.")
        }
        (Language::En, Some(from)) => format!("Pay by {until}. Otherwise the service is suspended from {from}."),
        (Language::Id, None) => format!("Bayar paling lambat {until}."),
        (Language::En, None) => format!("Pay by {until}."),
    }
}

/// The numbers at banks that the customer pays to.
fn accounts<'a>(facts: &PageFacts, shop: &Shop<'a>) -> Vec<(&'a str, String)> {
    let Some(digits) = &facts.va_digits else { return Vec::new() };
    let of = |bank: &&'a SnapBank| (bank.label(), bank.number_of(digits));
    shop.banks.iter().map(of).collect()
}

fn pay(facts: &PageFacts, shop: &Shop<'_>, base: &str, language: Language) -> String {
    let id = language == Language::Id;
    let word = |indonesian: &'static str, english: &'static str| if id { indonesian } else { english };
    let mut out = format!("<section class=\"c\"><h2>{}</h2>", word("Bayar", "Pay"));
    let accounts = accounts(facts, shop);
    if !accounts.is_empty() {
        out += &format!("<p>{}</p><ul>", word("Virtual account Anda:", "Your virtual account:"));
        for (bank, number) in &accounts {
            out += &format!("<li>{}: <code>{number}</code></li>", escape(bank));
        }
        out += &format!(
            "</ul><p class=\"s\">{}</p>",
            word(
                "Nomor ini tetap. Bank menunjukkan jumlah yang belum dibayar.",
                "This number stays the same. The bank shows what is unpaid."
            )
        );
    }
    // An amount is of no use to somebody who is not told where it goes.
    if shop.qris.is_none() && shop.sender.is_none_or(|sender| sender.pay_to.is_empty()) {
        if accounts.is_empty() {
            out += &format!("<p>{}</p>", word("Tanyakan kepada kami cara membayar.", "Ask us how to pay."));
        }
        return out + "</section>";
    }
    let Some(request) = &facts.request else {
        out += &format!(
            "<form method=\"post\" action=\"{base}/pay{}\"><button>{}</button></form></section>",
            lang(language),
            word("Bayar sekarang", "Pay now")
        );
        return out;
    };
    let extra = request.amount - request.debt;
    out += &format!("<p class=\"sum\">{}</p>", request.amount);
    out += &match id {
        true => format!(
            "<p>Bayar <strong>tepat</strong> jumlah ini: {extra} di akhirnya menunjukkan bahwa ini pembayaran Anda, dan menjadi titipan Anda.</p>"
        ),
        false => format!(
            "<p>Pay <strong>exactly</strong> this: the {extra} in it tells us that the payment is yours, and stays your credit.</p>"
        ),
    };
    let code = shop.qris.filter(|_| request.amount <= qris::MOST).and_then(|q| q.with_amount(request.amount).ok());
    if let Some(svg) = code.as_deref().and_then(qr) {
        out += &svg;
        out += &format!(
            "<p class=\"s\">{}</p>",
            word(
                "QRIS ini bisa disimpan sebagai gambar (tangkapan layar). Pakai data seluler untuk aplikasi bank.",
                "You can keep this QRIS as a picture (screenshot). Use mobile data for your bank's app."
            )
        );
    }
    let ways: &[String] = shop.sender.map_or(&[], |sender| sender.pay_to.as_slice());
    if !ways.is_empty() {
        out += &format!("<p>{}</p><ul>", word("Atau transfer jumlah yang sama ke:", "Or transfer the same amount to:"));
        ways.iter().for_each(|way| out += &format!("<li><code>{}</code></li>", escape(way)));
        out += "</ul>";
    }
    let expires = request.expires_at.with_timezone(&facts.zone.fixed());
    let until = day(facts.zone.date_of(request.expires_at), language);
    out += &format!(
        "<p class=\"s\">{} {until} {} {}</p></section>",
        word("Berlaku sampai", "Valid until"),
        expires.format("%H.%M"),
        facts.zone.name()
    );
    out
}

/// A form for a proof of transfer, and what became of those that wait.
fn proof(facts: &PageFacts, base: &str, language: Language) -> String {
    let id = language == Language::Id;
    let word = |indonesian: &'static str, english: &'static str| if id { indonesian } else { english };
    let mut out = format!("<section class=\"c\"><h2>{}</h2>", word("Bukti transfer", "Proof of transfer"));
    if facts.proofs_waiting > 0 {
        let waits = word("Bukti transfer Anda sedang menunggu diperiksa.", "Your proof of transfer waits for review.");
        out += &format!("<p>{waits}</p>");
    }
    if let Some(until) = facts.held_until {
        let (on, at) = (day(facts.zone.date_of(until), language), facts.zone.time_of(until));
        let open = word("Layanan tidak diisolir paling lama sampai", "Your service stays open until at most");
        out += &format!("<p>{open} {on} {at} {}.</p>", facts.zone.name());
    }
    if facts.may_prove {
        let accept = FileKind::ALL.map(FileKind::media_type).join(",");
        out += &format!(
            "<p>{}</p><form method=\"post\" enctype=\"multipart/form-data\" action=\"{base}/proof{}\"><input type=\"file\" \
             name=\"{}\" accept=\"{accept}\" required aria-label=\"{}\"><button>{}</button></form>",
            word(
                "Sudah transfer? Kirim gambar atau PDF buktinya, paling besar 5 MB.",
                "Have you transferred? Send a picture or PDF of it, 5 MB at most."
            ),
            lang(language),
            super::upload::FIELD,
            word("berkas bukti", "file"),
            word("Kirim bukti", "Send the proof")
        );
    }
    out + "</section>"
}

fn time(facts: &PageFacts, base: &str, language: Language) -> String {
    let id = language == Language::Id;
    let word = |indonesian: &'static str, english: &'static str| if id { indonesian } else { english };
    if let Some(until) = facts.promised_until {
        return format!(
            "<section class=\"c\"><h2>{}</h2><p>{}</p></section>",
            word("Janji bayar", "Promise to pay"),
            until_text(facts, until, language)
        );
    }
    let Some(most) = facts.may_promise else { return String::new() };
    let mut out = format!(
        "<section class=\"c two\"><h2>{}</h2><p>{}</p><form method=\"post\" action=\"{base}/time{}\"><select name=\"days\" aria-label=\"{}\">",
        word("Minta waktu", "Ask for time"),
        word(
            "Layanan dibuka sampai hari yang Anda janjikan, sekali dalam satu masa tagihan.",
            "Your service stays open until the day you promise, once in a billing period."
        ),
        lang(language),
        word("hari", "days"),
    );
    for days in 1..=most.min(31) {
        let until = day(facts.today.plus_days(days.into()), language);
        out += &format!("<option value=\"{days}\">{days} {} ({until})</option>", word("hari", "days"));
    }
    out += &format!("</select><button>{}</button></form></section>", word("Saya janji bayar", "I promise to pay"));
    out
}

/// A bill, and where it stands.
pub(super) struct BillLine {
    pub(super) line: Line,
    pub(super) state: BillState,
}

/// One bill or receipt.
pub(super) struct Line {
    pub(super) what: String,
    /// The last part of the address of its paper.
    pub(super) paper: String,
    pub(super) on: Date,
    pub(super) amount: Money,
    /// What is unpaid of it.
    pub(super) open: Money,
}

/// A link to a paper.
fn print(base: &str, paper: &str, language: Language) -> String {
    let word = if language == Language::Id { "cetak" } else { "print" };
    let paper = escape(paper);
    format!("<a href=\"{base}/{paper}\">{word}</a> · <a href=\"{base}/{paper}{PDF}\">PDF</a>")
}

/// Bills and receipts, to be read or printed.
pub(super) fn bills(shop: &Shop<'_>, base: &str, bills: &[BillLine], receipts: &[Line], language: Language) -> Page {
    let id = language == Language::Id;
    let word = |indonesian: &'static str, english: &'static str| if id { indonesian } else { english };
    let mut body = format!(
        "<p class=\"s\">{}</p><section class=\"c\"><h1>{}</h1><table>",
        escape(shop.name()),
        word("Tagihan", "Bills")
    );
    for BillLine { line: bill, state } in bills {
        let state = match state {
            BillState::Unpaid | BillState::PaidInPart => {
                format!("{} {}", word("belum dibayar", "unpaid"), bill.open)
            }
            BillState::Paid => word("lunas", "paid").to_owned(),
            BillState::GivenBack => word("selesai", "settled").to_owned(),
            BillState::WrittenOff => word("piutang dihapus", "written off").to_owned(),
        };
        body += &format!(
            "<tr><td>{}<br><span class=\"s\">{} · {state} · {}</span></td><td>{}</td></tr>",
            escape(&bill.what),
            day(bill.on, language),
            print(base, &bill.paper, language),
            bill.amount
        );
    }
    body += &format!("</table></section><section class=\"c\"><h2>{}</h2><table>", word("Kuitansi", "Receipts"));
    for receipt in receipts {
        body += &format!(
            "<tr><td>{}<br><span class=\"s\">{} · {}</span></td><td>{}</td></tr>",
            escape(&receipt.what),
            day(receipt.on, language),
            print(base, &receipt.paper, language),
            receipt.amount
        );
    }
    body += &format!("</table></section><p><a href=\"{base}{}\">{}</a></p>", lang(language), word("Kembali", "Back"));
    Page { language, title: word("Tagihan", "Bills").to_owned(), body, again: None }
}

/// What anybody sees whose link or address opens no page: always the same.
pub(super) fn unknown(shop: &Shop<'_>, by_address: bool, language: Language) -> Page {
    let id = language == Language::Id;
    let (title, text) = match (by_address, id) {
        (false, true) => {
            ("Tautan ini tidak berlaku", "Tautan sudah tidak berlaku atau salah ketik. Minta tautan baru kepada kami.")
        }
        (false, false) => ("This link does not work", "It is over or mistyped. Ask us for a new one."),
        (true, true) => (
            "Layanan internet dibatasi",
            "Saluran ini sedang diisolir, biasanya karena tagihan yang belum dibayar. Buka tautan dalam pesan kami lewat data seluler, atau hubungi kami.",
        ),
        (true, false) => (
            "Your internet is limited",
            "This line is suspended, mostly because a bill is unpaid. Open the link in our message with mobile data, or contact us.",
        ),
    };
    let mut body = format!(
        "<p class=\"s\">{}</p><section class=\"c wait\"><h1>{title}</h1><p>{text}</p></section>",
        escape(shop.name())
    );
    if let Some(sender) = shop.sender {
        body += "<ul>";
        sender.pay_to.iter().for_each(|way| body += &format!("<li><code>{}</code></li>", escape(way)));
        body += "</ul>";
        if let Some(contact) = &sender.contact {
            body += &format!("<p class=\"s\">{}</p>", escape(contact));
        }
    }
    Page { language, title: shop.name().to_owned(), body, again: None }
}
