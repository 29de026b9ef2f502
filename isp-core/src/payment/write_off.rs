//! Receivables that are given up (*penghapusan piutang*).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::ids::{CustomerId, InvoiceId, PaymentId, TenantId};
use crate::money::Money;
use crate::payment::{Channel, Payment};
use crate::text::Code;

/// The name under which write-offs stand among the payments.
pub const PROVIDER: &str = "write-off";

/// The rest of an invoice that nobody expects any more: it is settled to zero through [`Channel::WriteOff`].
///
/// Taking it back is the reversal of that payment (rule P4): the invoice is open again, and arrears follow from the facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteOff {
    /// The payment that settles the invoice.
    pub payment_id: PaymentId,
    /// Which invoice.
    pub invoice_id: InvoiceId,
    /// Whose.
    pub customer_id: CustomerId,
    /// How much was given up.
    pub amount: Money,
    /// Why.
    pub reason: String,
    /// Who decided it.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl WriteOff {
    /// The payment that settles the invoice: the `attempt`-th write-off of it, counted from 1, as one may be taken back and
    /// done again. Its reference is the invoice's number.
    ///
    /// # Errors
    /// [`Error::TooLong`] for a number that is no code.
    pub fn payment(&self, tenant: TenantId, invoice: &str, attempt: u32) -> Result<Payment, Error> {
        let provider = Code::parse("provider", PROVIDER)?;
        let reference = match attempt {
            1 => invoice.to_owned(),
            _ => format!("{invoice}.{attempt}"),
        };
        let reference = Code::parse("reference", &reference)?;
        Ok(Payment {
            id: Payment::id_of(tenant, &provider, &reference),
            customer_id: self.customer_id,
            provider,
            reference,
            channel: Channel::WriteOff,
            collector: None,
            amount: self.amount,
            paid_at: self.at,
            received_at: self.at,
        })
    }
}
