//! A bill on paper.

use isp_core::billing::{BillState, Invoice, InvoiceKind, InvoiceLine, LineKind};
use isp_core::engine::BillPaper;
use isp_core::money::Money;

use super::content::{Fact, Paper, Row, Sum, letterhead, provider, ways_to_pay, whose};
use super::{Stationery, Words};
use crate::pages::html::day;

/// What stands on a bill, in its customer's language.
#[must_use]
pub fn bill(paper: &BillPaper, of: &Stationery<'_>) -> Paper {
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
    let several = bill.invoices.len() > 1;
    let rows = bill.invoices.iter().flat_map(|invoice| {
        let lines = invoice.lines.iter().filter(|line| !line.kind.is_ppn());
        lines.map(move |line| row(paper, invoice, line, several, words))
    });
    let sum = |label, amount, total| Sum { label, amount, total };
    let mut sums = Vec::new();
    if bill.has_ppn() {
        sums.push(sum("DPP", bill.dpp, false));
        sums.push(sum("PPN", bill.ppn, false));
    }
    sums.push(sum(words.of("Total", "Total"), bill.total, true));
    if !paid.is_zero() {
        let how = match paper.state {
            BillState::WrittenOff => words.of("Dibayar, dikurangkan, atau dihapus", "Paid, taken off or written off"),
            _ => words.of("Dibayar atau dikurangkan", "Paid or taken off"),
        };
        sums.push(sum(how, -paid, false));
        sums.push(sum(words.of("Sisa yang harus dibayar", "Left to pay"), left.max(Money::ZERO), true));
    }
    let fact = |label, value, strong| Fact { label, value, strong };
    Paper {
        language,
        provider: provider(of),
        letterhead: letterhead(of),
        title: words.of("TAGIHAN", "INVOICE"),
        number: bill.number.clone(),
        whose: whose(words.of("Kepada", "To"), &paper.customer, words),
        facts: vec![
            fact(words.of("Nomor", "Number"), bill.number.clone(), true),
            fact(words.of("Tanggal", "Date"), day(bill.issue_date, language), false),
            fact(words.of("Jatuh tempo", "Due"), day(bill.due_date, language), true),
        ],
        mark: Some(mark),
        columns: [words.of("Uraian", "Description"), words.of("Jumlah", "Amount")],
        rows: rows.collect(),
        sums,
        ways: left.is_positive().then(|| ways_to_pay(of, &bill.number, left, words)).flatten(),
        sign: None,
    }
}

/// A line of an invoice: what it is, for which days, and of which line where there are several.
fn row(paper: &BillPaper, invoice: &Invoice, line: &InvoiceLine, several: bool, words: Words) -> Row {
    let language = words.0;
    let package = paper.packages.get(&invoice.package_id).map(|name| name.as_str()).unwrap_or_default();
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
        more.extend(paper.lines.get(&invoice.subscription_id).map(|name| name.as_str().to_owned()));
    }
    Row { what, more, amount: line.amount }
}
