//! Receivables that are given up (*penghapusan piutang*).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::ids::{CustomerId, InvoiceId, PaymentId, TenantId};
use crate::money::Money;
use crate::payment::{Channel, Payment};
use crate::text::{Code, Reference, given};

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

/// What is given up of an invoice with so much open, and whether it is said who decides it, and why. `None` when nothing is
/// open: then there is nothing to give up.
///
/// # Errors
/// [`Error::Empty`].
pub fn given_up(open: Money, by: &str, reason: &str) -> Result<Option<Money>, Error> {
    check(by, reason)?;
    Ok(open.is_positive().then_some(open))
}

/// Whether it is said who decides it, and why.
///
/// # Errors
/// [`Error::Empty`].
pub fn check(by: &str, reason: &str) -> Result<(), Error> {
    given("reason", reason)?;
    given("by", by)
}

impl WriteOff {
    /// The payment that settles the invoice; its reference is the invoice's number. One may be taken back and done again:
    /// `before` is how many there were.
    ///
    /// # Errors
    /// [`Error::TooLong`] for a number that is no reference.
    pub fn payment(&self, tenant: TenantId, invoice: &str, before: usize) -> Result<Payment, Error> {
        let provider = Code::parse("provider", PROVIDER)?;
        let reference = Reference::parse("reference", invoice)?;
        Ok(Payment {
            id: Payment::id_of(tenant, self.customer_id, &provider, &reference, before),
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
