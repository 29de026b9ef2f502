//! The papers that a customer's page leads to, each as a page and as a PDF file.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use isp_core::engine::EngineError;
use isp_core::ids::{CustomerId, PaymentId};
use isp_core::ports::{PageQuery, PaymentRow};

use super::html;
use crate::app::App;
use crate::papers::{self, Paper, PdfError};

/// What the address of a bill begins with; its number follows.
pub(super) const BILL: &str = "bill-";
/// What the address of a receipt begins with; the id of its payment follows.
pub(super) const RECEIPT: &str = "receipt-";
/// What the address of a PDF file ends with.
pub(super) const PDF: &str = ".pdf";

/// Why a paper cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum PaperError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Pdf(#[from] PdfError),
}

impl PaperError {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Engine(error) => error.code(),
            Self::Pdf(error) => error.code(),
        }
    }
}

/// True for what may be the address of a paper.
pub(super) fn is_paper(what: &str) -> bool {
    what.starts_with(BILL) || what.starts_with(RECEIPT)
}

/// A bill or a receipt of this customer; `None` when there is none of the kind.
pub(super) async fn paper(app: &App, customer: CustomerId, what: &str) -> Result<Option<Response>, PaperError> {
    let (what, as_pdf) = what.strip_suffix(PDF).map_or((what, false), |what| (what, true));
    let Some(paper) = content(app, customer, what).await? else { return Ok(None) };
    let letterhead = &app.provider.letterhead;
    let (title, language) = (paper.number.clone(), paper.language);
    if !as_pdf {
        return Ok(Some(html::paper(papers::document(&title, &[paper], letterhead, language))));
    }
    let file = papers::pdf(&title, &[paper], letterhead, language)?;
    let mut response = html::guarded((StatusCode::OK, file).into_response(), "application/pdf");
    if let Ok(named) = HeaderValue::from_str(&format!("inline; filename=\"{}{PDF}\"", papers::file_name(&title))) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, named);
    }
    Ok(Some(response))
}

async fn content(app: &App, customer: CustomerId, what: &str) -> Result<Option<Paper>, EngineError> {
    let (engine, of) = (app.provider.engine(), app.provider.stationery());
    if let Some(number) = what.strip_prefix(BILL) {
        let found = engine.bill_paper(Some(customer), number).await?;
        return Ok(found.map(|paper| papers::bill(&paper, &of)));
    }
    let Some(id) = what.strip_prefix(RECEIPT).and_then(|id| id.parse().ok()).map(PaymentId) else { return Ok(None) };
    let payments = payments(app, customer).await?;
    let Some(row) = payments.iter().find(|row| row.payment.id == id) else { return Ok(None) };
    let found = engine.receipt_paper(row).await?;
    Ok(found.map(|paper| papers::receipt(&paper, &of)))
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
