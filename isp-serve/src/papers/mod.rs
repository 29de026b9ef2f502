//! Bills and receipts to be printed: one HTML page of its own, with nothing from elsewhere, for A4 or A5. A browser prints it or
//! saves it as PDF.

mod bill;
mod receipt;
#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use isp_core::customer::Customer;
use isp_core::message::Sender;
use isp_core::money::Money;
use isp_core::payment::Qris;
use isp_core::protection::FileKind;
use isp_core::text::Language;

use crate::pages::html::{escape, qr};

pub use bill::bill;
pub use receipt::receipt;

/// Whose papers these are, besides name, ways to pay and contact, which messages have, too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Letterhead {
    /// The address, a line each.
    pub address: Vec<String>,
    /// The tax number.
    pub npwp: Option<String>,
    /// A picture that stands in front of the name.
    pub logo: Option<Logo>,
    /// The size of a sheet.
    pub size: Sheet,
}

/// A logo, as it stands in the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo(String);

impl Logo {
    /// The largest file.
    pub const LARGEST: usize = 512 * 1024;

    /// Takes a picture by its first bytes: JPEG, PNG or WEBP of at most [`Logo::LARGEST`] bytes; `None` for anything else.
    #[must_use]
    pub fn of(content: &[u8]) -> Option<Self> {
        let kind = FileKind::of(content).filter(|kind| *kind != FileKind::Pdf)?;
        (content.len() <= Self::LARGEST)
            .then(|| Self(format!("data:{};base64,{}", kind.media_type(), STANDARD.encode(content))))
    }
}

/// The size of a sheet of paper.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sheet {
    /// 210 x 297 mm.
    #[default]
    A4,
    /// 148 x 210 mm.
    A5,
}

impl Sheet {
    /// Its name, as CSS has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::A4 => "A4",
            Self::A5 => "A5",
        }
    }

    /// Reads its name, in either case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::A4, Self::A5].into_iter().find(|sheet| sheet.name().eq_ignore_ascii_case(text.trim()))
    }
}

/// What papers of a provider have in common.
#[derive(Debug, Clone, Copy)]
pub struct Stationery<'a> {
    /// Name, ways to pay and contact.
    pub sender: Option<&'a Sender>,
    /// Address, tax number and logo.
    pub letterhead: &'a Letterhead,
    /// The provider's own QRIS code.
    pub qris: Option<&'a Qris>,
}

const STYLE: &str = "*{box-sizing:border-box}body{font:11pt/1.4 system-ui,'Noto Sans',Arial,sans-serif;margin:0;color:#111;\
background:#e8ebee}article{background:#fff;max-width:190mm;margin:8mm auto;padding:12mm;break-after:page}\
article:last-of-type{break-after:auto}header{display:flex;gap:6mm;align-items:flex-start;border-bottom:.6mm solid #111;\
padding-bottom:4mm}header img{max-width:38mm;max-height:22mm}header p{margin:0}.n{font-size:14pt;font-weight:700}\
h1{font-size:17pt;margin:6mm 0 3mm;letter-spacing:.03em}.two{display:flex;gap:8mm;justify-content:space-between}\
.two>div{flex:1}dl{display:grid;grid-template-columns:auto 1fr;gap:.5mm 4mm;margin:0}dt{color:#555}dd{margin:0;text-align:right}\
.to p{margin:0}.s{color:#555;font-size:9.5pt}table{width:100%;border-collapse:collapse;margin:5mm 0 0}\
th{font-size:9.5pt;color:#555;border-bottom:.3mm solid #111}td{border-bottom:.2mm solid #ccc}td,th{text-align:left;\
padding:1.6mm 0;vertical-align:top}td:last-child,th:last-child{text-align:right;white-space:nowrap;padding-left:4mm}\
.sums{margin:0 0 0 auto;width:60%;break-inside:avoid}.sums td{border:0;padding:.8mm 0}.sums .t td{font-weight:700;font-size:12.5pt;\
border-top:.4mm solid #111}.mark{display:inline-block;border:.5mm solid;border-radius:1.5mm;padding:.6mm 3mm;font-weight:700}\
.pay{display:flex;gap:6mm;margin-top:6mm;border:.2mm solid #999;padding:4mm;break-inside:avoid}.pay>div{flex:1}\
.pay p,.pay ul{margin:0 0 1.5mm}.pay ul{padding-left:5mm}.pay svg{width:36mm;height:36mm;flex:none}\
.sign{margin:8mm 0 0 auto;width:60mm;text-align:center;break-inside:avoid}.sign span{display:block;height:18mm}\
@media print{body{background:#fff}article{margin:0;padding:0;max-width:none}}";

/// A page that holds papers, one after the other on sheets of their own.
#[must_use]
pub fn document(title: &str, papers: &[String], letterhead: &Letterhead, language: Language) -> String {
    let size = letterhead.size;
    let (margin, font) = match size {
        Sheet::A4 => ("16mm", ""),
        Sheet::A5 => ("9mm", "body{font-size:8.6pt}.n{font-size:11pt}h1{font-size:13pt}.s,th{font-size:7.6pt}"),
    };
    format!(
        "<!DOCTYPE html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width,initial-scale=1\"><meta name=\"robots\" content=\"noindex\"><title>{}</title>\
         <style>@page{{size:{};margin:{margin}}}{STYLE}{font}</style></head><body>\n{}</body></html>\n",
        language.code(),
        escape(title),
        size.name(),
        papers.concat()
    )
}

/// Words in the language of a paper.
#[derive(Clone, Copy)]
struct Words(Language);

impl Words {
    fn of(self, indonesian: &'static str, english: &'static str) -> &'static str {
        if self.0 == Language::Id { indonesian } else { english }
    }
}

/// An amount with a blank behind the sign, as people write it.
fn rupiah(amount: Money) -> String {
    isp_whatsapp::text::rupiah(amount)
}

/// Name, address, tax number and logo.
fn head(of: &Stationery<'_>) -> String {
    let mut out = "<header>".to_owned();
    if let Some(Logo(data)) = &of.letterhead.logo {
        out += &format!("<img src=\"{data}\" alt=\"\">");
    }
    let name = of.sender.map_or("", |sender| sender.name.as_str());
    out += &format!("<div><p class=\"n\">{}</p>", escape(name));
    for line in &of.letterhead.address {
        out += &format!("<p>{}</p>", escape(line));
    }
    if let Some(npwp) = &of.letterhead.npwp {
        out += &format!("<p>NPWP {}</p>", escape(npwp));
    }
    if let Some(contact) = of.sender.and_then(|sender| sender.contact.as_deref()) {
        out += &format!("<p>{}</p>", escape(contact));
    }
    out + "</div></header>"
}

/// Whose the paper is: the name and the ID under `what` the customer is on it.
fn whose(what: &str, customer: &Customer, words: Words) -> String {
    format!(
        "<div class=\"to\"><p class=\"s\">{what}</p><p><b>{}</b></p><p>{} {}</p></div>",
        escape(customer.name.as_str()),
        words.of("ID pelanggan", "Customer ID"),
        escape(customer.code.as_str())
    )
}

/// A row of sums.
fn sum(label: &str, amount: Money, total: bool) -> String {
    let class = if total { " class=\"t\"" } else { "" };
    format!("<tr{class}><td>{label}</td><td>{}</td></tr>", rupiah(amount))
}

/// How to pay this much: accounts, and the own QRIS code with the amount in it.
fn ways_to_pay(of: &Stationery<'_>, number: &str, amount: Money, words: Words) -> String {
    let ways: &[String] = of.sender.map_or(&[], |sender| sender.pay_to.as_slice());
    let most = isp_core::payment::qris::MOST;
    let code = of.qris.filter(|_| amount <= most).and_then(|qris| qris.with_amount(amount).ok());
    let picture = code.as_deref().and_then(qr);
    if ways.is_empty() && picture.is_none() {
        return String::new();
    }
    let mut out = format!("<div class=\"pay\"><div><p><b>{}</b></p>", words.of("Cara bayar", "How to pay"));
    if !ways.is_empty() {
        out += "<ul>";
        ways.iter().for_each(|way| out += &format!("<li>{}</li>", escape(way)));
        out += "</ul>";
    }
    out += &format!("<p class=\"s\">{} {}</p></div>", words.of("Sebutkan nomor", "Name the number"), escape(number));
    if let Some(picture) = picture {
        out += &picture;
    }
    out + "</div>"
}
