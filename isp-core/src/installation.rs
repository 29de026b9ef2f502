//! Installation orders (*pasang baru*, PSB) and their one-time fee (rule B9).

use serde::{Deserialize, Serialize};

use crate::calendar::Date;
use crate::customer::{Code, Name};
use crate::ids::{CustomerId, InstallationKindId, InstallationOrderId, InvoiceId, SubscriptionId};
use crate::money::Money;

/// A kind of installation (*jenis PSB*) with its price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallationKind {
    /// The row.
    pub id: InstallationKindId,
    /// Short code.
    pub code: Code,
    /// Name.
    pub name: Name,
    /// The fee, before PPN; zero for a free installation.
    pub price: Money,
}

/// One installation at a customer's place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallationOrder {
    /// The row.
    pub id: InstallationOrderId,
    /// Who pays.
    pub customer_id: CustomerId,
    /// What was installed.
    pub subscription_id: SubscriptionId,
    /// Which kind.
    pub kind_id: InstallationKindId,
    /// The fee agreed on, before PPN.
    pub fee: Money,
    /// The day of installation, on which the first instalment is invoiced.
    pub installed_on: Date,
    /// In how many monthly instalments the fee is paid, 1 to 12.
    pub instalments: u8,
}

impl InstallationOrder {
    /// The instalments: due month by month, equal but for the last, which takes the rest.
    ///
    /// ```
    /// # use isp_core::{installation::*, ids::*, money::Money, calendar::Date};
    /// # let id = uuid::Uuid::nil();
    /// # let order = InstallationOrder { id: InstallationOrderId(id), customer_id: CustomerId(id),
    /// #   subscription_id: SubscriptionId(id), kind_id: InstallationKindId(id), fee: Money::rupiah(500_000),
    /// #   installed_on: Date::parse("2026-01-31").unwrap(), instalments: 3 };
    /// let parts: Vec<_> = order.schedule().iter().map(|p| (p.on.to_string(), p.amount.as_i64())).collect();
    /// assert_eq!(parts, [("2026-01-31".into(), 166_667), ("2026-02-28".into(), 166_667), ("2026-03-31".into(), 166_666)]);
    /// ```
    #[must_use]
    pub fn schedule(&self) -> Vec<Instalment> {
        let count = i64::from(self.instalments.clamp(1, 12));
        let each = self.fee.ratio(1, count);
        let day = crate::calendar::BillingDay::of(self.installed_on);
        let mut rest = self.fee;
        (0..count)
            .map(|i| {
                let amount = if i == count - 1 { rest } else { each };
                rest -= amount;
                let on = self.installed_on.month().plus(i as i32).clamp(day);
                Instalment { number: i as u8 + 1, on, amount, invoice_id: self.invoice_id(i as u8 + 1) }
            })
            .filter(|part| part.amount.is_positive())
            .collect()
    }

    /// The id of the invoice for an instalment, which makes a repeated run name the same row.
    #[must_use]
    pub fn invoice_id(&self, number: u8) -> InvoiceId {
        InvoiceId(crate::ids::derive(self.id.0, &["instalment", &number.to_string()]))
    }
}

/// One part of an installation fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instalment {
    /// Counted from 1.
    pub number: u8,
    /// The day its invoice is issued.
    pub on: Date,
    /// The part of the fee, before PPN.
    pub amount: Money,
    /// The invoice it becomes.
    pub invoice_id: InvoiceId,
}

/// How far an installation fee is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeeStatus {
    /// Nothing.
    Unpaid,
    /// A part.
    PartlyPaid,
    /// All of it, or there is no fee.
    Paid,
}

impl FeeStatus {
    /// From the fee with its PPN and what was paid of it.
    #[must_use]
    pub fn of(total: Money, paid: Money) -> Self {
        if paid >= total {
            Self::Paid
        } else if paid.is_positive() {
            Self::PartlyPaid
        } else {
            Self::Unpaid
        }
    }
}
