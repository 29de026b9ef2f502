//! Why a customer's lines are open or isolated, at any moment.

use chrono::{DateTime, Utc};

use crate::bank::{Mutation, Payer, PayerAlias, Payers, payees, text_of};
use crate::calendar::{Date, Zone};
use crate::engine::{Engine, EngineError};
use crate::ids::{CustomerId, SubscriptionId};
pub use crate::isolation::explain::Explanation;
use crate::isolation::explain::explain;
use crate::ports::TellingQuery;
use crate::text::Language;

impl Engine<'_> {
    /// One explanation for each subscription of a customer, as things were at `at`, with money that waits now and may be theirs.
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
        let waiting = self.waiting_money_of(customer, Zone::Wib.date_of(at)).await?;
        for facts in self.store.access_at(self.tenant, &[customer], at).await? {
            let events = self.store.access_events(self.tenant, facts.subscription_id).await?;
            let (observed, policy) = (facts.access.observed.as_ref(), &self.policy.isolation);
            let mut why = explain(&facts, observed, &events, policy, &dpps, at, language);
            why.add_waiting(&waiting, language);
            explained.push((facts.subscription_id, why));
        }
        Ok(explained)
    }

    /// The mutations up to a day that wait for an officer and that a customer may be known by.
    async fn waiting_money_of(&self, customer: CustomerId, until: Date) -> Result<Vec<Mutation>, EngineError> {
        let mut waiting = self.waiting_mutations().await?;
        waiting.retain(|row| row.mutation.on <= until);
        let (Some(days), Some(person)) = (
            waiting.iter().map(|row| row.mutation.on).min().zip(waiting.iter().map(|row| row.mutation.on).max()),
            self.store.customer(self.tenant, customer).await?,
        ) else {
            return Ok(Vec::new());
        };
        let payers: Payers =
            [Payer::new(person.id, &person.code, Some(&person.name), person.phone)].into_iter().collect();
        let mut learnt: Vec<PayerAlias> = self.store.payer_aliases(self.tenant).await?;
        learnt.retain(|alias| alias.customer_id == customer);
        let query = TellingQuery { days: Some(days), ..TellingQuery::default() };
        let tellings = self.store.tellings(self.tenant, &query).await?;
        let mutations = waiting.into_iter().map(|row| row.mutation);
        Ok(mutations.filter(|m| payees(&text_of(m, &tellings), &payers, &learnt).all().contains(&customer)).collect())
    }
}
