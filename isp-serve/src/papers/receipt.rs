//! A receipt on paper.

use isp_core::engine::ReceiptPaper;
use isp_core::payment::Channel;

use super::{Stationery, Words, head, rupiah, sum, whose};
use crate::pages::html::{day, escape};

/// A receipt in its customer's language; an `article` for [`super::document`].
#[must_use]
pub fn receipt(paper: &ReceiptPaper, of: &Stationery<'_>) -> String {
    let (receipt, language) = (&paper.receipt, paper.customer.language);
    let (payment, words) = (&receipt.payment, Words(language));
    let by = match payment.channel {
        Channel::Cash => words.of("tunai", "cash").to_owned(),
        Channel::Bank => words.of("transfer bank", "bank transfer").to_owned(),
        _ => escape(payment.provider.as_str()),
    };
    let on = day(paper.zone.date_of(payment.paid_at), language);
    let mut out = format!("<article>{}<h1>{}</h1><div class=\"two\">", head(of), words.of("KUITANSI", "RECEIPT"));
    out += &whose(words.of("Diterima dari", "Received from"), &paper.customer, words);
    out += &format!(
        "<div><dl><dt>{}</dt><dd><b>{}</b></dd><dt>{}</dt><dd>{on}</dd><dt>{}</dt><dd>{by}</dd></dl></div></div>",
        words.of("Nomor", "Number"),
        escape(payment.reference.as_str()),
        words.of("Tanggal", "Date"),
        words.of("Dengan", "By"),
    );
    out += &format!(
        "<table><thead><tr><th>{}</th><th>{}</th></tr></thead><tbody>",
        words.of("Untuk tagihan", "For invoice"),
        words.of("Jumlah", "Amount")
    );
    for (number, part) in &receipt.paid {
        out += &format!("<tr><td>{}</td><td>{}</td></tr>", escape(number), rupiah(*part));
    }
    if receipt.credit.is_positive() {
        let credit = words.of("Titipan untuk tagihan berikutnya", "Credit for later invoices");
        out += &format!("<tr><td>{credit}</td><td>{}</td></tr>", rupiah(receipt.credit));
    }
    out += "</tbody></table><table class=\"sums\">";
    out += &sum(words.of("Jumlah diterima", "Amount received"), payment.amount, true);
    out += &sum(words.of("Sisa tagihan", "Still owed"), receipt.still_open, false);
    out += "</table>";
    let name = of.sender.map_or("", |sender| sender.name.as_str());
    out += &format!("<div class=\"sign\">{on}<span></span>{}</div>", escape(name));
    out + "</article>\n"
}
