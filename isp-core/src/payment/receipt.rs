//! A payment as it arrived.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{CustomerId, PaymentId, TenantId, derive};
use crate::ledger::Account;
use crate::money::Money;
use crate::payment::Channel;
use crate::text::Code;

/// Money that came in from a customer, or what stands for it (see [`Channel`]). Append-only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The row; follows from provider and reference.
    pub id: PaymentId,
    /// Who paid.
    pub customer_id: CustomerId,
    /// Through whom: `cash`, `bank`, `midtrans` and so on.
    pub provider: Code,
    /// The provider's reference; unique with the provider (rule P1).
    pub reference: Code,
    /// How it came, which decides the account.
    pub channel: Channel,
    /// The collector who took the cash and holds it until a deposit.
    pub collector: Option<Code>,
    /// How much.
    pub amount: Money,
    /// When the customer paid.
    pub paid_at: DateTime<Utc>,
    /// When we heard of it.
    pub received_at: DateTime<Utc>,
}

impl Payment {
    /// The id of the payment that a provider calls `reference`.
    #[must_use]
    pub fn id_of(tenant: TenantId, provider: &Code, reference: &Code) -> PaymentId {
        PaymentId(derive(tenant.0, &["payment", provider.as_str(), reference.as_str()]))
    }

    /// The account that it is debited to.
    #[must_use]
    pub fn account(&self) -> Account {
        match (self.channel, &self.collector) {
            (Channel::Cash, Some(_)) => Account::Collector,
            (channel, _) => channel.account(),
        }
    }
}

/// The taking back of a payment (rule P4): a bounced transfer, a chargeback, a typing error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentReversal {
    /// Which payment; it is reversed whole, once.
    pub payment_id: PaymentId,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: String,
    /// Who said so.
    pub by: String,
}
