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
        let mut explained = Vec::new();
        for facts in self.store.access_at(self.tenant, customer, at).await? {
            let events = self.store.access_events(self.tenant, facts.subscription_id).await?;
            explained.push((
                facts.subscription_id,
                explain(&facts, facts.access.observed.as_ref(), &events, &self.policy.isolation, at, language),
            ));
        }
        Ok(explained)
    }
}
