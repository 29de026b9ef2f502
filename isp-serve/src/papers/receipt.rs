//! A receipt on paper.

use isp_core::engine::ReceiptPaper;
use isp_core::payment::Channel;

use super::content::{Fact, Paper, Row, Sign, Sum, letterhead, provider, whose};
use super::{Stationery, Words};
use crate::pages::html::day;

/// What stands on a receipt, in its customer's language.
#[must_use]
pub fn receipt(paper: &ReceiptPaper, of: &Stationery<'_>) -> Paper {
    let (receipt, language) = (&paper.receipt, paper.customer.language);
    let (payment, words) = (&receipt.payment, Words(language));
    let by = match payment.channel {
        Channel::Cash => words.of("tunai", "cash").to_owned(),
        Channel::Bank => words.of("transfer bank", "bank transfer").to_owned(),
        _ => payment.provider.as_str().to_owned(),
    };
    let on = day(paper.zone.date_of(payment.paid_at), language);
    let number = payment.reference.as_str().to_owned();
    let mut rows: Vec<Row> =
        receipt.paid.iter().map(|(number, part)| Row { what: number.clone(), more: vec![], amount: *part }).collect();
    if receipt.credit.is_positive() {
        let what = words.of("Titipan untuk tagihan berikutnya", "Credit for later invoices").to_owned();
        rows.push(Row { what, more: vec![], amount: receipt.credit });
    }
    if receipt.paid_out().is_positive() {
        let what = words.of("Dikembalikan kepada pelanggan", "Paid out to the customer").to_owned();
        rows.push(Row { what, more: vec![], amount: receipt.paid_out() });
    }
    let fact = |label, value, strong| Fact { label, value, strong };
    Paper {
        language,
        provider: provider(of),
        letterhead: letterhead(of),
        title: words.of("KUITANSI", "RECEIPT"),
        number: number.clone(),
        whose: whose(words.of("Diterima dari", "Received from"), &paper.customer, words),
        facts: vec![
            fact(words.of("Nomor", "Number"), number, true),
            fact(words.of("Tanggal", "Date"), on.clone(), false),
            fact(words.of("Dengan", "By"), by, false),
        ],
        mark: None,
        columns: [words.of("Untuk tagihan", "For invoice"), words.of("Jumlah", "Amount")],
        rows,
        sums: vec![
            Sum { label: words.of("Jumlah diterima", "Amount received"), amount: payment.amount, total: true },
            Sum { label: words.of("Sisa tagihan", "Still owed"), amount: receipt.still_open, total: false },
        ],
        ways: None,
        sign: Some(Sign { on, name: provider(of) }),
    }
}
