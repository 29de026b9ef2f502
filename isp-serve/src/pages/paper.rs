//! The papers that a customer's page leads to.

use isp_core::engine::EngineError;
use isp_core::ids::{CustomerId, PaymentId};
use isp_core::ports::{PageQuery, PaymentRow};

use crate::app::App;
use crate::papers;

/// What the address of a bill begins with; its number follows.
pub(super) const BILL: &str = "bill-";
/// What the address of a receipt begins with; the id of its payment follows.
pub(super) const RECEIPT: &str = "receipt-";

/// True for what may be the address of a paper.
pub(super) fn is_paper(what: &str) -> bool {
    what.starts_with(BILL) || what.starts_with(RECEIPT)
}

/// A bill or a receipt of this customer; `None` when there is none of the kind.
pub(super) async fn paper(app: &App, customer: CustomerId, what: &str) -> Result<Option<String>, EngineError> {
    let (engine, of) = (app.provider.engine(), app.provider.stationery());
    let page = |title: &str, paper: String, language| papers::document(title, &[paper], of.letterhead, language);
    if let Some(number) = what.strip_prefix(BILL) {
        let found = engine.bill_paper(Some(customer), number).await?;
        return Ok(found.map(|paper| page(&paper.bill.number, papers::bill(&paper, &of), paper.customer.language)));
    }
    let Some(id) = what.strip_prefix(RECEIPT).and_then(|id| id.parse().ok()).map(PaymentId) else { return Ok(None) };
    let payments = payments(app, customer).await?;
    let Some(row) = payments.iter().find(|row| row.payment.id == id) else { return Ok(None) };
    let found = engine.receipt_paper(row).await?;
    let title = row.payment.reference.as_str();
    Ok(found.map(|paper| page(title, papers::receipt(&paper, &of), paper.customer.language)))
}

/// All payments of a customer.
pub(super) async fn payments(app: &App, customer: CustomerId) -> Result<Vec<PaymentRow>, EngineError> {
    let (mut payments, mut page) = (Vec::new(), PageQuery::first(500));
    loop {
        let rows = app.provider.store.payments(app.provider.tenant, Some(customer), page).await?;
        let more = page.advance(&rows, |row: &PaymentRow| row.payment.id);
        payments.extend(rows);
        if !more {
            return Ok(payments);
        }
    }
}
