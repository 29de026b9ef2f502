//! The facts that a message is checked against before it leaves (rule N3).

use crate::billing::{InvoiceBalance, Statement};
use crate::customer::Customer;
use crate::ids::AccessEventId;
use crate::isolation::ServiceAccess;
use crate::payment::Payment;
use crate::text::Name;

/// What a message needs at the moment of sending (rule N3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageFacts {
    /// To whom.
    pub customer: Customer,
    /// Name of the package of the customer's subscription that it is about (or of the first).
    pub package: Option<Name>,
    /// The invoices that it names, as they are now.
    pub invoices: Vec<InvoiceBalance>,
    /// All open invoices of the customer.
    pub open: Vec<InvoiceBalance>,
    /// The payment that it names, and whether it was reversed.
    pub payment: Option<(Payment, bool)>,
    /// The access of the subscription that it names.
    pub access: Option<ServiceAccess>,
    /// The event that last isolated or reopened that subscription: a message about an earlier one is over.
    pub last_event: Option<AccessEventId>,
    /// True when that subscription is served by a router, whose answer a message about it waits for.
    pub routed: bool,
    /// The other subscriptions that it is about, in the order it names them.
    pub others: Vec<MessageLine>,
    /// True when the customer wants no messages.
    pub opted_out: bool,
    /// The statements that the open invoices and those it names stand on, in the order of their numbers.
    pub statements: Vec<Statement>,
}

/// One of several subscriptions that a message is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageLine {
    /// Name of its package.
    pub package: Name,
    /// What is wanted for the line, and what its router last said.
    pub access: ServiceAccess,
    /// The event that last isolated or reopened it.
    pub last_event: Option<AccessEventId>,
    /// True when it is served by a router.
    pub routed: bool,
}
