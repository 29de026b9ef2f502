//! Lines that owe something overdue, counted by what the isolation decision reads of them.

use crate::billing::{Arrears, Debt};
use crate::calendar::{Date, Zone};
use crate::ids::{InvoiceId, RouterId, SiteId, SubscriptionId};
use crate::isolation::{Access, AccessFacts, IsolationFacts};
use crate::money::Money;
use crate::protection::OutageTimes;
use crate::subscription::ServiceDates;

/// Lines that are wanted open and owe something overdue, of which a decision reads the same; or one line alone, of which it may read
/// more: its customer has credit, a promise, an exemption or a proof of transfer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct OverdueLines {
    /// On which router.
    pub router_id: Option<RouterId>,
    /// At which site.
    pub site_id: SiteId,
    /// When they serve. A day on which they began that is past may be told as a later one that is past, too.
    pub service: ServiceDates,
    /// What was overdue when the isolation began from which they were opened with something still overdue.
    pub isolated: Option<Money>,
    /// The earliest due day of what is overdue.
    pub oldest: Date,
    /// What is overdue of each.
    pub overdue: Money,
    /// The line, where it is alone and has to be looked at by itself before it is isolated.
    pub alone: Option<SubscriptionId>,
    /// How many they are.
    pub count: u64,
}

impl OverdueLines {
    /// A line as it owes on the day of its zone; `None` when it is not wanted open, or nothing of it is overdue.
    #[must_use]
    pub fn of(line: &AccessFacts, days: &[Date; Zone::ALL.len()]) -> Option<Self> {
        let today = days[line.zone as usize];
        let overdue = Arrears::of(&line.open, today).overdue;
        let late = line.open.iter().filter(|debt| debt.is_overdue(today));
        let oldest = late.map(|debt| debt.due_date).min()?;
        (line.access.desired == Access::Open).then_some(Self {
            router_id: line.router_id,
            site_id: line.site_id,
            service: line.terms.service(),
            isolated: line.access.isolated.map(|since| since.overdue),
            oldest,
            overdue,
            alone: Some(line.subscription_id),
            count: 1,
        })
    }

    /// So many lines.
    #[must_use]
    pub const fn new(
        (router_id, site_id): (Option<RouterId>, SiteId),
        service: ServiceDates,
        isolated: Option<Money>,
        (oldest, overdue): (Date, Money),
        alone: Option<SubscriptionId>,
        count: u64,
    ) -> Self {
        Self { router_id, site_id, service, isolated, oldest, overdue, alone, count }
    }

    /// What a decision about one of them reads, where nothing of its customer protects it. What is overdue is told as one debt.
    #[must_use]
    pub fn facts(&self, zone: Zone, outages: Vec<OutageTimes>) -> IsolationFacts {
        let debt = Debt {
            invoice_id: InvoiceId(uuid::Uuid::nil()),
            number: 0,
            issue_date: self.oldest,
            due_date: self.oldest,
            total: self.overdue,
            paid: Money::ZERO,
        };
        IsolationFacts {
            zone,
            service: self.service,
            desired: Access::Open,
            cause: None,
            isolated: self.isolated,
            open: vec![debt],
            promises: Vec::new(),
            exemptions: Vec::new(),
            outages,
            proofs: Vec::new(),
        }
    }
}
