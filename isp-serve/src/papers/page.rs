//! Papers as one HTML page, which a browser prints.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use isp_core::text::Language;

use super::content::{Paper, Row, Sum, Ways, rupiah};
use super::{Letterhead, Logo, Sheet};
use crate::pages::html::{escape, qr};

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
@media print{body{background:#fff}article{margin:0;padding:0;max-width:none}}\
@media screen and (max-width:34rem){article{margin:0;padding:6mm}.two,.pay{display:block}.two>div+div{margin-top:4mm}\
.pay svg{margin-top:3mm}}";

/// A page that holds papers, one after the other on sheets of their own.
#[must_use]
pub fn document(title: &str, papers: &[Paper], letterhead: &Letterhead, language: Language) -> String {
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
        papers.iter().map(|paper| article(paper, letterhead.logo.as_ref())).collect::<String>()
    )
}

/// A paper on a sheet of its own.
pub(super) fn article(paper: &Paper, logo: Option<&Logo>) -> String {
    let mut out = format!("<article>{}<h1>{}</h1><div class=\"two\">", head(paper, logo), paper.title);
    let whose = &paper.whose;
    out += &format!(
        "<div class=\"to\"><p class=\"s\">{}</p><p><b>{}</b></p><p>{}</p></div><div><dl>",
        whose.label,
        escape(&whose.name),
        escape(&whose.code)
    );
    for fact in &paper.facts {
        let (open, close) = if fact.strong { ("<b>", "</b>") } else { ("", "") };
        out += &format!("<dt>{}</dt><dd>{open}{}{close}</dd>", fact.label, escape(&fact.value));
    }
    out += "</dl>";
    if let Some(mark) = paper.mark {
        out += &format!("<p style=\"text-align:right\"><span class=\"mark\">{mark}</span></p>");
    }
    let [what, amount] = paper.columns;
    out += &format!("</div></div><table><thead><tr><th>{what}</th><th>{amount}</th></tr></thead><tbody>");
    paper.rows.iter().for_each(|one| out += &row(one));
    out += "</tbody></table><table class=\"sums\">";
    paper.sums.iter().for_each(|one| out += &sum(one));
    out += "</table>";
    if let Some(ways) = &paper.ways {
        out += &ways_to_pay(ways);
    }
    if let Some(sign) = &paper.sign {
        out += &format!("<div class=\"sign\">{}<span></span>{}</div>", sign.on, escape(&sign.name));
    }
    out + "</article>\n"
}

/// Logo, name, address, tax number and contact.
fn head(paper: &Paper, logo: Option<&Logo>) -> String {
    let mut out = "<header>".to_owned();
    if let Some(logo) = logo {
        let (kind, data) = (logo.kind.media_type(), STANDARD.encode(&logo.content));
        out += &format!("<img src=\"data:{kind};base64,{data}\" alt=\"\">");
    }
    out += &format!("<div><p class=\"n\">{}</p>", escape(&paper.provider));
    paper.letterhead.iter().for_each(|line| out += &format!("<p>{}</p>", escape(line)));
    out + "</div></header>"
}

fn row(row: &Row) -> String {
    let small = match row.more.is_empty() {
        true => String::new(),
        false => format!("<br><span class=\"s\">{}</span>", escape(&row.more.join(" · "))),
    };
    format!("<tr><td>{}{small}</td><td>{}</td></tr>", escape(&row.what), rupiah(row.amount))
}

fn sum(sum: &Sum) -> String {
    let class = if sum.total { " class=\"t\"" } else { "" };
    format!("<tr{class}><td>{}</td><td>{}</td></tr>", sum.label, rupiah(sum.amount))
}

/// Accounts, and the QRIS code as a picture.
fn ways_to_pay(ways: &Ways) -> String {
    let mut out = format!("<div class=\"pay\"><div><p><b>{}</b></p>", ways.title);
    if !ways.ways.is_empty() {
        out += "<ul>";
        ways.ways.iter().for_each(|way| out += &format!("<li>{}</li>", escape(way)));
        out += "</ul>";
    }
    out += &format!("<p class=\"s\">{}</p></div>", escape(&ways.name));
    out += &ways.qris.as_deref().and_then(qr).unwrap_or_default();
    out + "</div>"
}
