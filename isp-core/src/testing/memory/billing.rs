//! What billing and reminders load.

use std::ops::Bound;

use crate::billing::{Billable, InvoiceBalance, Statement};
use crate::calendar::Date;
use crate::ending::RecordId;
use crate::ids::{CustomerId, InvoiceId, SubscriptionId};
use crate::installation::InstallationOrder;
use crate::message::{DunningFacts, NotificationKey, NotificationKind};
use crate::money::Money;
use crate::ports::{BillableQuery, DunningQuery, InstallationRow, InstalmentRow, PageQuery};
use crate::subscription::Subscription;

use super::state::State;
use super::store::after;

impl State {
    pub(super) fn billable(&self, query: BillableQuery, page: PageQuery<SubscriptionId>) -> Vec<Billable> {
        let wanted = |s: &Subscription| {
            let terms = &s.terms;
            terms.billed_from.is_some()
                || query.days & (1 << terms.day.day()) != 0
                || terms.end.is_some_and(|end| end >= query.ends_from)
        };
        self.subscriptions
            .range(after(page.after))
            .map(|(_, s)| s)
            .filter(|s| wanted(s))
            .take(page.limit as usize)
            .map(|s| self.billable_of(s))
            .collect()
    }

    /// What billing needs to know of a line.
    pub(super) fn billable_of(&self, s: &Subscription) -> Billable {
        Billable {
            subscription_id: s.id,
            customer_id: s.customer_id,
            site_id: s.site_id,
            zone: self.zone_of(s),
            terms: s.terms,
        }
    }

    pub(super) fn instalments(&self, due_until: Date) -> Vec<InstalmentRow> {
        let due = |order: &InstallationOrder| {
            order.installed_on <= due_until
                && order.schedule().iter().any(|p| p.on <= due_until && !self.invoices.has(&p.invoice_id))
        };
        self.installation_orders
            .values()
            .filter(|order| due(order) && !self.is_taken_back(order))
            .filter_map(|order| self.instalment_row(order))
            .collect()
    }

    pub(super) fn waiting_fees(&self) -> Vec<InstalmentRow> {
        let waits =
            |o: &&InstallationOrder| o.with_first_invoice && o.fee.is_positive() && !self.invoiced_fees.has(&o.id);
        let stands = |o: &&InstallationOrder| !self.is_taken_back(o);
        self.installation_orders
            .values()
            .filter(waits)
            .filter(stands)
            .filter_map(|order| self.instalment_row(order))
            .collect()
    }

    fn is_taken_back(&self, order: &InstallationOrder) -> bool {
        self.endings.has(&RecordId::Installation(order.id))
    }

    fn instalment_row(&self, order: &InstallationOrder) -> Option<InstalmentRow> {
        let subscription = self.subscriptions.get(&order.subscription_id)?;
        Some(InstalmentRow {
            order: order.clone(),
            site_id: subscription.site_id,
            zone: self.zone_of(subscription),
            package_id: subscription.terms.package_id,
            ends_on: subscription.terms.end,
        })
    }

    pub(super) fn installation_rows(&self, customer: Option<CustomerId>) -> Vec<InstallationRow> {
        self.installation_orders
            .values()
            .filter(|order| customer.is_none_or(|c| c == order.customer_id))
            .map(|order| {
                let parts = order.schedule();
                let invoices = parts.iter().filter_map(|p| self.invoices.get(&p.invoice_id));
                let (mut invoiced, mut paid) = invoices.fold((Money::ZERO, Money::ZERO), |(total, paid), kept| {
                    (total + kept.invoice.total, paid + kept.paid)
                });
                if let Some(fee) = self.invoiced_fees.get(&order.id)
                    && let Some(kept) = self.invoices.get(&fee.invoice_id)
                {
                    invoiced += fee.amount;
                    paid += fee.paid(kept.invoice.total, kept.paid);
                }
                InstallationRow {
                    order: order.clone(),
                    invoiced,
                    paid,
                    fee: self.invoiced_fees.get(&order.id).copied(),
                    ending: self.endings.get(&RecordId::Installation(order.id)).cloned(),
                }
            })
            .collect()
    }

    pub(super) fn customers_with_credit(&self, page: PageQuery<CustomerId>) -> Vec<CustomerId> {
        self.customers
            .range(after(page.after))
            .map(|(id, _)| *id)
            .filter(|id| !self.credit(*id).is_empty() && !self.open_of_customer(*id).is_empty())
            .take(page.limit as usize)
            .collect()
    }

    pub(super) fn dunning(&self, query: DunningQuery, page: PageQuery<CustomerId>) -> Vec<DunningFacts> {
        let start = page.after.map_or(Bound::Unbounded, |id| Bound::Excluded((id, InvoiceId(uuid::Uuid::max()))));
        let mut found = Vec::new();
        let mut last = None;
        for ((customer, _), ()) in self.open_of_customer.range((start, Bound::Unbounded)) {
            if found.len() == page.limit as usize {
                break;
            }
            if last.replace(*customer) == Some(*customer) {
                continue;
            }
            let open = self.open_of_customer(*customer);
            let asked = |i: &InvoiceBalance| query.due_from <= i.due_date && i.due_date <= query.due_until;
            let over = |i: &InvoiceBalance| {
                let reminders = [NotificationKind::DueSoon, NotificationKind::Overdue];
                let mut written = reminders.into_iter().flat_map(|kind| self.levels(i.invoice_id.0, kind));
                query.last.is_some_and(|last| {
                    last.waits(i.due_date) || written.any(|key| last.written(i.due_date, key.kind, key.level))
                })
            };
            if open.iter().any(|i| asked(i) && !over(i)) {
                found.push(self.dunning_facts(*customer, open));
            }
        }
        found
    }

    /// The messages of a kind that were written about something.
    fn levels(&self, subject: uuid::Uuid, kind: NotificationKind) -> impl Iterator<Item = &NotificationKey> {
        let key = |level| NotificationKey { kind, level, subject };
        self.messages.range(key(0)..=key(u16::MAX)).map(|(key, _)| key).filter(move |key| key.subject == subject)
    }

    fn dunning_facts(&self, customer_id: CustomerId, open: Vec<InvoiceBalance>) -> DunningFacts {
        let first = self.first_subscription(customer_id);
        let reminders = [NotificationKind::DueSoon, NotificationKind::Overdue];
        let statements = self.statements_holding(customer_id, &open);
        let mut notified = Vec::new();
        for invoice in &open {
            let statement = Statement::of(&statements, invoice).map(|s| s.id().0);
            for (subject, kind) in [Some(invoice.invoice_id.0), statement]
                .into_iter()
                .flatten()
                .flat_map(|subject| reminders.into_iter().map(move |kind| (subject, kind)))
            {
                notified.extend(self.levels(subject, kind).map(|key| (invoice.invoice_id, key.kind, key.level)));
            }
        }
        DunningFacts {
            customer_id,
            zone: first.map_or(crate::Zone::Wib, |s| self.zone_of(s)),
            reachable: self.customers.get(&customer_id).is_some_and(|c| c.phone.is_some()),
            open,
            notified,
            statements,
        }
    }

    pub(super) fn first_subscription(&self, customer: CustomerId) -> Option<&Subscription> {
        self.subscriptions_of_customer(customer).next()
    }

    pub(super) fn subscriptions_of_customer(&self, customer: CustomerId) -> impl Iterator<Item = &Subscription> {
        let (first, last) = (SubscriptionId(uuid::Uuid::nil()), SubscriptionId(uuid::Uuid::max()));
        self.subscriptions_of
            .range((customer, first)..=(customer, last))
            .filter_map(|((_, id), ())| self.subscriptions.get(id))
    }
}
