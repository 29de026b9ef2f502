//! Rows that join more than one thing, as the store reads them.

use crate::billing::{InvoiceBalance, Statement};
use crate::calendar::{Date, Zone};
use crate::customer::Customer;
use crate::ids::PackageId;
use crate::installation::InstallationOrder;
use crate::isolation::ServiceAccess;
use crate::payment::{Payment, PaymentReversal};

/// What a message needs at the moment of sending (rule N3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageFacts {
    /// To whom.
    pub customer: Customer,
    /// Name of the package of the customer's subscription that it is about (or of the first).
    pub package: Option<crate::customer::Name>,
    /// The invoices that it names, as they are now.
    pub invoices: Vec<InvoiceBalance>,
    /// All open invoices of the customer.
    pub open: Vec<InvoiceBalance>,
    /// The payment that it names, and whether it was reversed.
    pub payment: Option<(Payment, bool)>,
    /// The access of the subscription that it names.
    pub access: Option<ServiceAccess>,
    /// True when that subscription is served by a router, whose answer a message about it waits for.
    pub routed: bool,
    /// The other subscriptions that it is about, in the order it names them.
    pub others: Vec<MessageLine>,
    /// The statements that the named invoices stand on, in the order of their numbers.
    pub statements: Vec<Statement>,
}

/// One of several subscriptions that a message is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageLine {
    /// Name of its package.
    pub package: crate::customer::Name,
    /// Its access.
    pub access: ServiceAccess,
    /// True when it is served by a router.
    pub routed: bool,
}

/// A payment with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRow {
    /// As it arrived.
    pub payment: Payment,
    /// What is left of it as credit.
    pub left: crate::money::Money,
    /// Its reversal.
    pub reversal: Option<PaymentReversal>,
}

/// An installation order with what its invoices need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalmentRow {
    /// The order.
    pub order: InstallationOrder,
    /// The site of its subscription.
    pub site_id: crate::ids::SiteId,
    /// The zone of that site.
    pub zone: Zone,
    /// The package of its subscription.
    pub package_id: PackageId,
    /// The day after the last day of service of its subscription, once terminated.
    pub ends_on: Option<Date>,
}

/// An installation order with how far it is paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationRow {
    /// The order.
    pub order: InstallationOrder,
    /// Sum of its invoices so far, with PPN; of an invoice that holds other things too, the fee with its PPN.
    pub invoiced: crate::money::Money,
    /// What was paid of them; of an invoice that holds other things too, by [`crate::installation::InvoicedFee::paid`].
    pub paid: crate::money::Money,
}
