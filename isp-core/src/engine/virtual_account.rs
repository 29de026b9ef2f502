//! Static virtual accounts: a bank asks what is owed on a number, and tells that it was paid.

use chrono::{DateTime, Utc};

use crate::customer::Customer;
use crate::engine::{Engine, EngineError, NewPayment, PayReport, Told};
use crate::money::Money;
use crate::payment::plausible;
use crate::payment::virtual_account::{code_of, digits_of, holder};
use crate::text::{Code, Name, Reference};

/// Who has a number at a bank, and what is owed there at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VaHolder {
    /// Who.
    pub customer: Customer,
    /// What is owed; nothing when all is paid.
    pub owed: Money,
}

/// Money that came in on a number, as the bank tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaPayment {
    /// Which bank, by the name it has in the settings; the provider of the payment.
    pub bank: Code,
    /// The digits for the customer.
    pub digits: String,
    /// What the bank calls the payment; with the bank it makes the payment one.
    pub reference: Reference,
    /// How much.
    pub amount: Money,
    /// When, by the bank's clock.
    pub paid_at: Option<DateTime<Utc>>,
    /// When the call that tells it was kept; stands for a day that is missing or that nobody would type.
    pub told_at: DateTime<Utc>,
}

impl VaPayment {
    /// When it was paid, the same however late it is read. Its clock may be ahead of ours, and a day that nobody would type says
    /// nothing of money that is there.
    fn moment(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let told = self.told_at.min(now);
        self.paid_at.map(|at| at.min(told)).filter(|at| plausible(*at, told).is_ok()).unwrap_or(told)
    }
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VaTaken {
    /// It is booked for a customer of this name: now, or when it was told before. What is too much or too little is credit or stays owed.
    Booked(Name, PayReport),
    /// No customer has the number; nothing is booked.
    Unknown,
    /// The bank has told of a payment with this reference before, of another amount or another customer. Nothing is booked.
    Differs,
}

impl Engine<'_> {
    /// The digits that stand for a customer at each bank; `None` for an ID that is too long for it, and for one that another customer has
    /// in other letters.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn va_digits(&self, customer: &Customer) -> Result<Option<String>, EngineError> {
        let alike = self.store.customers_alike(self.tenant, &customer.code).await?;
        Ok(holder(alike).and_then(|customer| digits_of(&customer.code)))
    }

    /// Who has these digits at a bank; `None` for nobody.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn va_holder(&self, digits: &str) -> Result<Option<VaHolder>, EngineError> {
        let Some(customer) = self.va_customer(digits).await? else { return Ok(None) };
        let owed = self.owed_by(customer.id).await?;
        Ok(Some(VaHolder { customer, owed }))
    }

    /// Books money that came in on a number, exactly once however often it is told, and though a person took it back meanwhile:
    /// oldest invoice first, and what is left of it is the customer's credit.
    ///
    /// # Errors
    /// [`Error::NotPositive`](crate::Error::NotPositive); [`EngineError::Store`].
    pub async fn va_paid(&self, paid: &VaPayment, now: DateTime<Utc>) -> Result<VaTaken, EngineError> {
        let Some(customer) = self.va_customer(&paid.digits).await? else {
            // The customer may have another ID since, and so another number.
            let known = self.store.payments_known_as(self.tenant, &paid.bank, &paid.reference).await?;
            return Ok(if known.is_empty() { VaTaken::Unknown } else { VaTaken::Differs });
        };
        let new = NewPayment {
            customer_id: customer.id,
            provider: paid.bank.clone(),
            reference: paid.reference.clone(),
            amount: paid.amount,
            paid_at: paid.moment(now),
            collector: None,
        };
        match self.pay_as(&new, Told::ByBank, now).await {
            Ok(report) => Ok(VaTaken::Booked(customer.name, report)),
            Err(EngineError::PaymentMismatch) => Ok(VaTaken::Differs),
            Err(other) => Err(other),
        }
    }

    async fn va_customer(&self, digits: &str) -> Result<Option<Customer>, EngineError> {
        let Some(code) = code_of(digits) else { return Ok(None) };
        Ok(holder(self.store.customers_alike(self.tenant, &code).await?))
    }
}
