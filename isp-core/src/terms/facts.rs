//! What a change of terms rests on.

use chrono::{DateTime, Utc};

use crate::billing::plan::BillingContext;
use crate::billing::{Billable, BillingPolicy, Catalog, Charge, Written};
use crate::calendar::Date;
use crate::ids::{Ids, Known};
use crate::isolation::Access;
use crate::tax::Tax;

/// A line, what it was charged, and the rules of the provider, at a moment.
#[derive(Debug, Clone, Copy)]
pub struct LineFacts<'a, I: Ids = Known> {
    /// The line with its terms.
    pub line: Billable<I>,
    /// The access that is wanted so far.
    pub access: Access,
    /// All that it was charged for days of service, with what was given back of it, in any order.
    pub charges: &'a [Charge<I>],
    /// The late fees on those invoices, with what was given back of them.
    pub late_fees: &'a [Charge<I>],
    /// The packages.
    pub catalog: &'a Catalog,
    /// Settings of billing.
    pub policy: &'a BillingPolicy,
    /// PPN.
    pub tax: &'a Tax,
    /// The position of the billing run; `None` before the first.
    pub position: Option<Date>,
    /// The moment of the wish.
    pub now: DateTime<Utc>,
    /// Who wishes it: `engine`, or an officer's name.
    pub by: &'a str,
    /// Why, in words; may be empty.
    pub note: &'a str,
}

impl<'a, I: Ids> LineFacts<'a, I> {
    /// The day of the wish at the line.
    #[must_use]
    pub fn today(&self) -> Date {
        self.line.zone.date_of(self.now)
    }

    pub(super) fn written(&self) -> Written<'a> {
        Written { on: self.today(), at: self.now, by: self.by, note: self.note }
    }

    pub(super) fn context(&self) -> BillingContext<'a> {
        let Self { catalog, policy, tax, position, now, .. } = *self;
        BillingContext { catalog, policy, tax, position, now }
    }
}
