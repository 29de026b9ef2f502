//! A bill on paper.

use isp_core::billing::{BillState, Invoice, InvoiceKind, InvoiceLine, LineKind};
use isp_core::engine::BillPaper;
use isp_core::money::Money;

use super::{Stationery, Words, head, rupiah, sum, ways_to_pay, whose};
use crate::pages::html::{day, escape};

/// A bill in its customer's language; an `article` for [`super::document`].
#[must_use]
pub fn bill(paper: &BillPaper, of: &Stationery<'_>) -> String {
    let (bill, language) = (&paper.bill, paper.customer.language);
    let words = Words(language);
    let (paid, left) = (bill.paid, bill.left());
    let mark = match paper.state {
        BillState::PaidInPart => words.of("DIBAYAR SEBAGIAN", "PAID IN PART"),
        BillState::Unpaid => words.of("BELUM DIBAYAR", "UNPAID"),
        BillState::Paid => words.of("LUNAS", "PAID"),
        BillState::GivenBack => words.of("SELESAI", "SETTLED"),
        BillState::WrittenOff => words.of("PIUTANG DIHAPUS", "WRITTEN OFF"),
    };
    let mut out = format!("<article>{}<h1>{}</h1><div class=\"two\">", head(of), words.of("TAGIHAN", "INVOICE"));
    out += &whose(words.of("Kepada", "To"), &paper.customer, words);
    out += &format!(
        "<div><dl><dt>{}</dt><dd><b>{}</b></dd><dt>{}</dt><dd>{}</dd><dt>{}</dt><dd><b>{}</b></dd></dl>\
         <p style=\"text-align:right\"><span class=\"mark\">{mark}</span></p></div></div>",
        words.of("Nomor", "Number"),
        escape(&bill.number),
        words.of("Tanggal", "Date"),
        day(bill.issue_date, language),
        words.of("Jatuh tempo", "Due"),
        day(bill.due_date, language)
    );
    out += &format!(
        "<table><thead><tr><th>{}</th><th>{}</th></tr></thead><tbody>",
        words.of("Uraian", "Description"),
        words.of("Jumlah", "Amount")
    );
    let several = bill.invoices.len() > 1;
    for invoice in &bill.invoices {
        for line in invoice.lines.iter().filter(|line| !line.kind.is_ppn()) {
            out += &row(paper, invoice, line, several, words);
        }
    }
    out += "</tbody></table><table class=\"sums\">";
    if bill.has_ppn() {
        out += &sum("DPP", bill.dpp, false);
        out += &sum("PPN", bill.ppn, false);
    }
    out += &sum(words.of("Total", "Total"), bill.total, true);
    if !paid.is_zero() {
        let how = match paper.state {
            BillState::WrittenOff => words.of("Dibayar, dikurangkan, atau dihapus", "Paid, taken off or written off"),
            _ => words.of("Dibayar atau dikurangkan", "Paid or taken off"),
        };
        out += &sum(how, -paid, false);
        out += &sum(words.of("Sisa yang harus dibayar", "Left to pay"), left.max(Money::ZERO), true);
    }
    out += "</table>";
    if left.is_positive() {
        out += &ways_to_pay(of, &bill.number, left, words);
    }
    out + "</article>\n"
}

/// A line of an invoice: what it is, for which days, and of which line where there are several.
fn row(paper: &BillPaper, invoice: &Invoice, line: &InvoiceLine, several: bool, words: Words) -> String {
    let language = words.0;
    let package = paper.packages.get(&invoice.package_id).map(|name| escape(name.as_str())).unwrap_or_default();
    let what = match (line.kind, invoice.kind) {
        (LineKind::Subscription, InvoiceKind::Adjustment) => {
            format!("{} {package}", words.of("Selisih ganti paket", "Difference of a package change"))
        }
        (LineKind::Subscription, _) => format!("{} {package}", words.of("Internet, paket", "Internet, package")),
        (LineKind::Installation, _) => words.of("Biaya pemasangan", "Installation fee").to_owned(),
        (LineKind::LateFee, _) => words.of("Denda keterlambatan", "Late fee").to_owned(),
        (LineKind::Discount, _) => words.of("Potongan", "Discount").to_owned(),
        (LineKind::Credit, _) => words.of("Kredit hari yang tidak dipakai", "Credit for unused days").to_owned(),
        (LineKind::Rounding, _) => words.of("Pembulatan", "Rounding").to_owned(),
        (LineKind::Ppn | LineKind::InstallationPpn, _) => "PPN".to_owned(),
    };
    let mut more: Vec<String> = Vec::new();
    if line.kind == LineKind::Subscription && invoice.kind != InvoiceKind::LateFee {
        let (first, last) = (invoice.period.start, invoice.period.end.plus_days(-1));
        more.push(format!("{} – {}", day(first, language), day(last, language)));
    }
    if let Some((days, full)) = line.prorated {
        more.push(match words.of("id", "en") {
            "id" => format!("{days} dari {full} hari"),
            _ => format!("{days} of {full} days"),
        });
    }
    if several {
        more.push(invoice.display_number());
        more.extend(paper.lines.get(&invoice.subscription_id).map(|name| escape(name.as_str())));
    }
    let small =
        if more.is_empty() { String::new() } else { format!("<br><span class=\"s\">{}</span>", more.join(" · ")) };
    format!("<tr><td>{what}{small}</td><td>{}</td></tr>", rupiah(line.amount))
}
