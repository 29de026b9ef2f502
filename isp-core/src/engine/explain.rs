//! Why a customer's lines are open or isolated, at any moment.

use chrono::{DateTime, Utc};

use crate::engine::{Engine, EngineError};
use crate::ids::{CustomerId, SubscriptionId};
pub use crate::isolation::explain::Explanation;
use crate::isolation::explain::explain;
use crate::text::Language;

impl Engine<'_> {
    /// One explanation for each subscription of a customer, as things were at `at`.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn explain(
        &self,
        customer: CustomerId,
        at: DateTime<Utc>,
        language: Language,
    ) -> Result<Vec<(SubscriptionId, Explanation)>, EngineError> {
        let (mut explained, dpps) = (Vec::new(), self.dpps_of(customer).await?);
        for facts in self.store.access_at(self.tenant, &[customer], at).await? {
            let events = self.store.access_events(self.tenant, facts.subscription_id).await?;
            let (observed, policy) = (facts.access.observed.as_ref(), &self.policy.isolation);
            let why = explain(&facts, observed, &events, policy, &dpps, at, language);
            explained.push((facts.subscription_id, why));
        }
        Ok(explained)
    }
}
