//! What a customer's page says: where the line stands, what is owed, and what may be asked for.

use chrono::{DateTime, TimeDelta, Utc};

use crate::calendar::{Date, Zone};
use crate::customer::Customer;
use crate::engine::{Engine, EngineError};
use crate::ids::CustomerId;
use crate::isolation::{Access, AccessFacts, IsolationCause, held_by_proof};
use crate::message::Demand;
use crate::payment::{PaymentRequest, RequestState};
use crate::ports::StoreError;
use crate::protection::Proof;

/// How long a line that was opened is said to be open again.
const AGAIN_HOURS: i64 = 24;

/// Where the lines of a customer stand, as the customer should read it: the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The site has an outage: it is no isolation.
    Outage,
    /// A line was isolated by hand; only a person opens it.
    ByHand,
    /// A line is isolated for arrears.
    Arrears,
    /// A line is wanted open, and its router has not said so yet.
    Opening,
    /// The router said within the last day that it opened the line.
    OpenAgain,
    /// Nothing is wrong.
    Open,
    /// There is no line, or none that is served any more.
    Closed,
}

impl Standing {
    /// Where lines stand at a moment.
    #[must_use]
    pub fn of(lines: &[AccessFacts], now: DateTime<Utc>) -> Self {
        lines.iter().map(|line| Self::of_line(line, now)).min_by_key(|standing| *standing as u8).unwrap_or(Self::Closed)
    }

    fn of_line(line: &AccessFacts, now: DateTime<Utc>) -> Self {
        let confirmed = line.router_id.is_none() || line.access.agrees();
        match (line.access.desired, line.access.cause) {
            (Access::Closed, _) => Self::Closed,
            (Access::Isolated, Some(IsolationCause::Manual)) => Self::ByHand,
            (Access::Isolated, _) => Self::Arrears,
            (Access::Open, _) if line.protections.outages.iter().any(|outage| outage.holds(now)) => Self::Outage,
            // A line that was never anything but open has the revision of its registration.
            (Access::Open, _) if line.access.revision <= 1 => Self::Open,
            (Access::Open, _) if !confirmed => Self::Opening,
            (Access::Open, _) => match &line.access.observed {
                Some(said) if now - said.at <= TimeDelta::hours(AGAIN_HOURS) => Self::OpenAgain,
                _ => Self::Open,
            },
        }
    }
}

/// What a customer's page is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PageFacts {
    /// Whose page.
    pub customer: Customer,
    /// The digits that stand for the customer at each bank, see [`Engine::va_digits`].
    pub va_digits: Option<String>,
    /// The customer's zone.
    pub zone: Zone,
    /// The day there.
    pub today: Date,
    /// Where the lines stand.
    pub standing: Standing,
    /// The names of the packages, each once.
    pub packages: Vec<String>,
    /// What is owed.
    pub demand: Demand,
    /// The amount that is asked for, while it stands.
    pub request: Option<PaymentRequest>,
    /// Until when a promise protects, if one does.
    pub promised_until: Option<Date>,
    /// How many proofs of transfer wait for review.
    pub proofs_waiting: usize,
    /// Until when one of them holds isolation back from a line that is open.
    pub held_until: Option<DateTime<Utc>>,
    /// Whether another one may be sent.
    pub may_prove: bool,
    /// For how many days a promise may be made now; `None` when it may not.
    pub may_promise: Option<u16>,
}

impl Engine<'_> {
    /// What a customer's page says now. Reading it changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a customer who is not there; [`EngineError::Store`].
    pub async fn page_facts(&self, id: CustomerId, now: DateTime<Utc>) -> Result<PageFacts, EngineError> {
        let customer = self.store.customer(self.tenant, id).await?.ok_or(StoreError::NotFound { what: "customer" })?;
        let lines = self.access_of(id).await?;
        let zone = lines.first().map_or(Zone::Wib, |line| line.zone);
        let today = zone.date_of(now);
        let open = self.store.open_invoices(self.tenant, id).await?;
        let statements = self.store.statements(self.tenant, &[id]).await?;
        let demand = Demand::of(&open, &statements, &lines, &self.policy.isolation, zone, now);
        let proofs_waiting = self.store.proofs(self.tenant, Some(id)).await?.iter().filter(|p| p.waits()).count();
        let held = |line: &AccessFacts| {
            held_by_proof(&line.open, &line.protections.proofs, &self.policy.isolation, line.zone, now)
        };
        let open_lines = lines.iter().filter(|line| line.access.desired == Access::Open);
        let held_until = open_lines.filter_map(held).max();
        let request = self.standing_request(id).await?;
        let request = request.filter(|r| r.state(now) == RequestState::Open && r.debt == demand.total);
        let known = self.store.packages(self.tenant).await?;
        let mut packages: Vec<String> = Vec::new();
        for line in lines.iter().filter(|line| line.access.desired != Access::Closed) {
            let name = known.iter().find(|package| package.id == line.terms.package_id).map(|p| p.name.to_string());
            packages.extend(name.filter(|name| !packages.contains(name)));
        }
        let promised = lines.iter().filter_map(|line| line.promise_at(today, now)).map(|p| p.until).max();
        let made = lines.first().map_or(&[][..], |line| &line.protections.promises);
        let made: Vec<Date> = made.iter().filter(|p| p.counts()).map(|p| p.from).collect();
        let admitted =
            self.policy.promise.admit(today, today, lines.iter().map(|line| line.terms.anchor()), &made).is_ok();
        let standing = Standing::of(&lines, now);
        let helps = demand.total.is_positive() && promised.is_none() && standing != Standing::ByHand;
        let max_days = self.policy.promise.max_days;
        let demand_is_owed = demand.total.is_positive();
        Ok(PageFacts {
            va_digits: self.va_digits(&customer).await?,
            customer,
            zone,
            today,
            standing,
            packages,
            demand,
            request,
            promised_until: promised,
            proofs_waiting,
            held_until,
            may_prove: demand_is_owed && proofs_waiting < Proof::MOST_WAITING,
            may_promise: (admitted && helps && max_days > 0).then_some(max_days),
        })
    }
}
