//! What stands on a printed receipt.

use std::collections::BTreeMap;

use crate::ids::InvoiceId;
use crate::money::Money;
use crate::payment::{Allocation, Payment};

/// A receipt on paper: a payment, what it paid, and what is left.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// The payment, as it was recorded.
    pub payment: Payment,
    /// What it paid: numbers of invoices, each with its part, in the order of the numbers.
    pub paid: Vec<(String, Money)>,
    /// What is left of it, as credit of the customer.
    pub credit: Money,
    /// What the customer still owes in all.
    pub still_open: Money,
}

impl Receipt {
    /// A payment with what was allocated of it. Parts that were taken back are not on it. `None` for a slip of tax, which is no
    /// money that came in.
    #[must_use]
    pub fn of(
        payment: Payment,
        allocations: &[Allocation],
        numbers: &BTreeMap<InvoiceId, String>,
        credit: Money,
        still_open: Money,
    ) -> Option<Self> {
        if !payment.channel.is_money() {
            return None;
        }
        let mut sums: BTreeMap<InvoiceId, Money> = BTreeMap::new();
        for part in allocations {
            *sums.entry(part.invoice_id).or_insert(Money::ZERO) += part.amount;
        }
        let shown = |id: &InvoiceId| numbers.get(id).cloned().unwrap_or_else(|| id.to_string());
        let mut paid: Vec<(String, Money)> =
            sums.iter().filter(|(_, sum)| !sum.is_zero()).map(|(id, sum)| (shown(id), *sum)).collect();
        paid.sort();
        Some(Self { payment, paid, credit, still_open })
    }

    /// What of it was paid out to the customer since: neither did it pay an invoice, nor is it credit.
    #[must_use]
    pub fn paid_out(&self) -> Money {
        self.payment.amount - self.credit - self.paid.iter().map(|(_, part)| *part).sum::<Money>()
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use uuid::Uuid;

    use super::*;
    use crate::ids::{CustomerId, PaymentId};
    use crate::payment::Channel;
    use crate::text::{Code, Reference};

    fn payment(provider: &str) -> Payment {
        let provider = Code::parse("provider", provider).unwrap();
        Payment {
            id: PaymentId(Uuid::nil()),
            customer_id: CustomerId(Uuid::nil()),
            channel: Channel::of_provider(&provider),
            provider,
            reference: Reference::parse("reference", "KW-1").unwrap(),
            collector: None,
            amount: Money::rupiah(300_000),
            paid_at: DateTime::<Utc>::UNIX_EPOCH,
            received_at: DateTime::<Utc>::UNIX_EPOCH,
        }
    }

    #[test]
    fn parts_are_summed_by_invoice_and_what_was_taken_back_is_gone() {
        let id = |n: u128| InvoiceId(Uuid::from_u128(n));
        let part = |n: u128, rupiah: i64| Allocation {
            payment_id: PaymentId(Uuid::nil()),
            invoice_id: id(n),
            amount: Money::rupiah(rupiah),
            at: DateTime::<Utc>::UNIX_EPOCH,
        };
        let parts = [part(2, 100_000), part(1, 150_000), part(3, 50_000), part(3, -50_000), part(2, 20_000)];
        let numbers = [(id(1), "INV-202601-000001".to_owned()), (id(2), "INV-202602-000002".to_owned())].into();
        let receipt =
            Receipt::of(payment("bank"), &parts, &numbers, Money::rupiah(30_000), Money::rupiah(5_000)).unwrap();
        let expected = [
            ("INV-202601-000001".to_owned(), Money::rupiah(150_000)),
            ("INV-202602-000002".to_owned(), Money::rupiah(120_000)),
        ];
        assert_eq!(receipt.paid, expected);
        assert_eq!((receipt.credit, receipt.still_open), (Money::rupiah(30_000), Money::rupiah(5_000)));
        let sum: Money = receipt.paid.iter().map(|(_, part)| *part).sum();
        assert_eq!((sum + receipt.credit, receipt.paid_out()), (receipt.payment.amount, Money::ZERO));
        // Rp10.000 of the credit were given back.
        let less = Receipt { credit: Money::rupiah(20_000), ..receipt };
        assert_eq!(less.paid_out(), Money::rupiah(10_000));
    }

    #[test]
    fn a_slip_of_tax_is_no_receipt() {
        assert_eq!(Receipt::of(payment("pph23"), &[], &BTreeMap::new(), Money::ZERO, Money::ZERO), None);
    }
}
