//! Promises, exemptions and outages: recorded, ended early, taken back, corrected (rule I2).

use chrono::{DateTime, Utc};

use crate::billing::{Charge, CreditNote};
use crate::calendar::{Date, Period, Zone};
use crate::ending::{Ending, EndingKind, RecordId};
use crate::engine::retry::until_written;
use crate::engine::{EnforceReport, Engine, EngineError};
use crate::ids::{CustomerId, ExemptionId, OutageId, PromiseId, SubscriptionId};
use crate::ports::{ChangeSet, Expectation, PageQuery, StoreError};
use crate::protection::{Exemption, Outage, OutagePolicy, Promise};

impl Engine<'_> {
    /// Records a promise to pay. [`Engine::enforce_customer`] lets access follow.
    ///
    /// # Errors
    /// [`crate::Error::EmptyPeriod`] when it ends before it is made; [`crate::Error::PromiseTooLong`], [`crate::Error::TooManyPromises`] by the
    /// policy.
    pub async fn promise(&self, promise: Promise) -> Result<(), EngineError> {
        self.promise_in_place_of(None, promise).await
    }

    /// Takes a promise back and records another in its place, both in one commit, so that the customer is never without one.
    /// The one that is taken back does not count against the limit. [`Engine::enforce_customer`] lets access follow.
    ///
    /// # Errors
    /// [`crate::Error::AlreadyEnded`] when it was ended before, [`StoreError::NotFound`] when the customer has none with this id; as
    /// [`Engine::promise`].
    pub async fn correct_promise(&self, id: PromiseId, instead: Promise, ending: Ending) -> Result<(), EngineError> {
        let ending = Ending { kind: EndingKind::TakenBack, ..ending };
        self.promise_in_place_of(Some((id, ending)), instead).await
    }

    async fn promise_in_place_of(
        &self,
        former: Option<(PromiseId, Ending)>,
        promise: Promise,
    ) -> Result<(), EngineError> {
        until_written(|| async {
            let customer = promise.customer_id;
            let (known, _) = self.store.protections(self.tenant, Some(customer)).await?;
            let ending = match &former {
                Some((id, ending)) => {
                    let known = known.iter().find(|p| p.id == *id).ok_or(StoreError::NotFound { what: "promise" })?;
                    Some((RecordId::Promise(*id), ending.clone().after(known.ending.as_ref())?))
                }
                None => None,
            };
            let replaced = former.as_ref().map(|(id, _)| *id);
            let counts = |p: &&Promise| !Ending::is_taken_back(p.ending.as_ref()) && Some(p.id) != replaced;
            let made: Vec<Date> = known.iter().filter(counts).map(|p| p.made_on).collect();
            let facts = self.access_of(customer).await?;
            let lines = facts.iter().map(|f| f.terms.anchor());
            self.policy.promise.admit(promise.made_on, promise.until, lines, &made)?;
            let changes = ChangeSet {
                expected: vec![Expectation::Promises(customer, known.len() as u64)],
                promises: vec![promise.clone()],
                endings: ending.into_iter().collect(),
                touched: facts.iter().map(|f| f.subscription_id).collect(),
                ..ChangeSet::default()
            };
            self.store.commit(self.tenant, changes).await.map_err(super::ended_meanwhile)?;
            Ok(())
        })
        .await
    }

    /// Records an exemption from isolation. [`Engine::enforce_customer`] lets access follow.
    ///
    /// # Errors
    /// [`crate::Error::EmptyPeriod`] when it ends before it starts, [`crate::Error::Empty`] without a reason.
    pub async fn exempt(&self, exemption: Exemption) -> Result<(), EngineError> {
        let exemption = exemption.checked()?;
        let touched = self.subscriptions_of(exemption.customer_id).await?;
        let changes = ChangeSet { exemptions: vec![exemption], touched, ..ChangeSet::default() };
        self.store.commit(self.tenant, changes).await?;
        Ok(())
    }

    /// Takes an exemption back and records another in its place, both in one commit, so that the customer is never without one.
    /// [`Engine::enforce_customer`] lets access follow.
    ///
    /// # Errors
    /// [`crate::Error::AlreadyEnded`] when it was ended before, [`StoreError::NotFound`] when the customer has none with this id; as
    /// [`Engine::exempt`].
    pub async fn correct_exemption(
        &self,
        id: ExemptionId,
        instead: Exemption,
        ending: Ending,
    ) -> Result<(), EngineError> {
        let instead = instead.checked()?;
        let known = self.find_exemption(instead.customer_id, id).await?;
        let ending = Ending { kind: EndingKind::TakenBack, ..ending }.after(known.ending.as_ref())?;
        let touched = self.subscriptions_of(instead.customer_id).await?;
        let endings = vec![(RecordId::Exemption(id), ending)];
        let changes = ChangeSet { exemptions: vec![instead], endings, touched, ..ChangeSet::default() };
        self.store.commit(self.tenant, changes).await.map_err(super::ended_meanwhile)?;
        Ok(())
    }

    /// Writes that a promise or an exemption of a customer holds no longer, and lets access follow at once.
    ///
    /// # Errors
    /// [`crate::Error::AlreadyEnded`] when it was ended before; [`StoreError::NotFound`] when the customer has none with this id.
    pub async fn end_protection(
        &self,
        customer: CustomerId,
        of: RecordId,
        ending: Ending,
        now: DateTime<Utc>,
    ) -> Result<EnforceReport, EngineError> {
        let (promises, exemptions) = self.store.protections(self.tenant, Some(customer)).await?;
        let known = match of {
            RecordId::Promise(id) => promises.iter().find(|p| p.id == id).map(|p| &p.ending),
            RecordId::Exemption(id) => exemptions.iter().find(|e| e.id == id).map(|e| &e.ending),
            _ => None,
        };
        let ending = ending.after(known.ok_or(StoreError::NotFound { what: of.kind() })?.as_ref())?;
        let touched = self.subscriptions_of(customer).await?;
        let changes = ChangeSet { endings: vec![(of, ending)], touched, ..ChangeSet::default() };
        self.store.commit(self.tenant, changes).await.map_err(super::ended_meanwhile)?;
        self.enforce_customer(customer, now).await
    }

    /// The promise of a customer with an id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn find_promise(&self, customer: CustomerId, id: PromiseId) -> Result<Promise, EngineError> {
        let (promises, _) = self.store.protections(self.tenant, Some(customer)).await?;
        promises.into_iter().find(|p| p.id == id).ok_or_else(|| StoreError::NotFound { what: "promise" }.into())
    }

    /// The exemption of a customer with an id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn find_exemption(&self, customer: CustomerId, id: ExemptionId) -> Result<Exemption, EngineError> {
        let (_, exemptions) = self.store.protections(self.tenant, Some(customer)).await?;
        exemptions.into_iter().find(|e| e.id == id).ok_or_else(|| StoreError::NotFound { what: "exemption" }.into())
    }

    /// Records an outage of a site, or replaces one by what [`Outage::edited`] made of it. The next run lets access follow,
    /// under its breaker.
    ///
    /// # Errors
    /// [`crate::Error::EmptyPeriod`] when it ends before it starts, [`crate::Error::Empty`] without a note.
    pub async fn outage(&self, outage: Outage) -> Result<(), EngineError> {
        let outages = vec![outage.checked()?];
        self.store.commit(self.tenant, ChangeSet { outages, ..ChangeSet::default() }).await?;
        Ok(())
    }

    /// Writes that an outage was recorded by mistake. It protects no longer and gives nothing back; what it gave back
    /// before is returned, since credit notes stay. The next run lets access follow, under its breaker.
    ///
    /// # Errors
    /// [`crate::Error::AlreadyEnded`] when it was taken back before; [`StoreError::NotFound`].
    pub async fn take_outage_back(&self, id: OutageId, ending: Ending) -> Result<Vec<CreditNote>, EngineError> {
        let (outage, zone) = self.find_outage(id).await?;
        let ending = ending.after(outage.ending.as_ref())?;
        let given = self.given_for_outage(&outage, zone).await?;
        let changes = ChangeSet { endings: vec![(RecordId::Outage(id), ending)], ..ChangeSet::default() };
        self.store.commit(self.tenant, changes).await.map_err(super::ended_meanwhile)?;
        Ok(given)
    }

    /// The notes that were given back for an outage so far, whatever it is worth now.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn given_for_outage(&self, outage: &Outage, zone: Zone) -> Result<Vec<CreditNote>, EngineError> {
        let from = zone.date_of(outage.from);
        // What was given may be for days that a correction has taken out of the outage since.
        let days = Period { start: from.plus_days(-400), end: Date::MAX };
        let mut given = Vec::new();
        let mut page = PageQuery::first(self.page);
        loop {
            let rows = self.store.subscriptions(self.tenant, None, page).await?;
            let hit: Vec<SubscriptionId> =
                rows.iter().filter(|(s, _)| s.site_id == outage.site_id).map(|(s, _)| s.id).collect();
            let charges: Vec<Charge> = self.store.charges(self.tenant, &hit, days).await?;
            given.extend(charges.iter().flat_map(|charge| OutagePolicy::given_for(outage, charge)));
            if !page.advance(&rows, |(last, _)| last.id) {
                return Ok(given);
            }
        }
    }

    pub(crate) async fn subscriptions_of(&self, customer: CustomerId) -> Result<Vec<SubscriptionId>, EngineError> {
        Ok(self.access_of(customer).await?.into_iter().map(|f| f.subscription_id).collect())
    }
}
