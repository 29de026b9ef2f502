//! The file that goes with a message: the bills that a reminder asks for, or the receipt of the payment that it confirms.

use crate::engine::{BillPaper, Engine, EngineError, ReceiptPaper};
use crate::ids::{CustomerId, PaymentId};
use crate::message::notification::{MessageContent, OutgoingMessage};
use crate::message::{Document, Notification};
use crate::ports::{PageQuery, PaymentRow, PortError};

/// The most bills in one file; a customer who owes more gets the oldest ones.
const BILLS: usize = 12;

/// Makes files of papers, in the form that the provider has chosen.
pub trait Papers: Send + Sync {
    /// A PDF file with these bills, in their order.
    ///
    /// # Errors
    /// [`PortError::Refused`] when none can be made of them, such as with a logo that cannot be read.
    fn bills(&self, bills: &[BillPaper]) -> Result<Vec<u8>, PortError>;

    /// A PDF file with this receipt.
    ///
    /// # Errors
    /// As [`Papers::bills`].
    fn receipt(&self, receipt: &ReceiptPaper) -> Result<Vec<u8>, PortError>;
}

impl Engine<'_> {
    /// The file for a message, made of the facts as they are: every bill that the message asks for, the oldest first and at most
    /// twelve, or the receipt of the payment that it confirms. `None` for a message about neither, and while nobody makes papers
    /// ([`Engine::papers`]).
    ///
    /// # Errors
    /// [`EngineError::Store`]; [`EngineError::Port`] when the file cannot be made.
    pub async fn document_of(
        &self,
        message: &Notification,
        outgoing: &OutgoingMessage,
    ) -> Result<Option<Document>, EngineError> {
        let Some(papers) = self.papers else { return Ok(None) };
        match (&outgoing.content, message.payment_id) {
            (MessageContent::PaymentReceived { .. }, Some(id)) => {
                let Some(row) = self.confirmed_payment(message.customer_id, id).await? else { return Ok(None) };
                let Some(receipt) = self.receipt_paper(&row).await? else { return Ok(None) };
                let name = Document::name_of(row.payment.reference.as_str(), 0);
                Ok(Some(Document { name, content: papers.receipt(&receipt)? }))
            }
            (content, _) if content.asks_for_money() => {
                let owed = outgoing.demand.iter().flat_map(|demand| &demand.owed).take(BILLS);
                let mut bills = Vec::new();
                for one in owed {
                    bills.extend(self.bill_paper(Some(message.customer_id), &one.number).await?);
                }
                let Some((first, more)) = bills.split_first() else { return Ok(None) };
                let name = Document::name_of(&first.bill.number, more.len());
                Ok(Some(Document { name, content: papers.bills(&bills)? }))
            }
            _ => Ok(None),
        }
    }

    async fn confirmed_payment(&self, customer: CustomerId, id: PaymentId) -> Result<Option<PaymentRow>, EngineError> {
        let mut page = PageQuery::first(self.page);
        loop {
            let rows = self.store.payments(self.tenant, Some(customer), page).await?;
            let more = page.advance(&rows, |row: &PaymentRow| row.payment.id);
            let found = rows.into_iter().find(|row| row.payment.id == id);
            if found.is_some() || !more {
                return Ok(found);
            }
        }
    }
}
