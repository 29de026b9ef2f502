//! Removes what was kept for long enough and is no part of the books.

use chrono::{DateTime, TimeDelta, Utc};

use crate::engine::{Engine, EngineError};
use crate::payment::PageLink;
use crate::ports::{Forgotten, InboxStore, PageQuery};
use crate::retention::Retention;

/// How many rows go in one transaction: each holds up others for a moment only.
const BATCH: u32 = 500;

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tidied {
    /// Webhooks that were read, with their bodies.
    pub webhooks: u64,
    /// Links of customers' pages that open nothing any more.
    pub links: u64,
    /// Files of proofs of transfer.
    pub proof_files: u64,
}

impl Engine<'_> {
    /// Removes webhooks, files of proofs and links of pages that were kept for long enough, in batches. Stopped in between, the next
    /// call goes on. The books, the journal and the log of changes stay as they are.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn tidy(
        &self,
        inbox: &dyn InboxStore,
        retention: &Retention,
        now: DateTime<Utc>,
    ) -> Result<Tidied, EngineError> {
        let mut tidied = Tidied::default();
        loop {
            let gone = inbox.forget_webhooks(self.tenant, retention.webhooks_before(now), BATCH).await?;
            tidied.webhooks += gone;
            if gone < u64::from(BATCH) {
                break;
            }
        }
        loop {
            let gone = self.store.forget_proof_files(self.tenant, retention.proof_files_before(now), BATCH).await?;
            tidied.proof_files += gone;
            if gone < u64::from(BATCH) {
                break;
            }
        }
        tidied.links = self.forget_links(inbox, now).await?;
        Ok(tidied)
    }

    async fn forget_links(&self, inbox: &dyn InboxStore, now: DateTime<Utc>) -> Result<u64, EngineError> {
        let (mut gone, mut page) = (0, PageQuery::first(1_000));
        loop {
            let links = inbox.links(self.tenant, page).await?;
            let mut over = Vec::new();
            for link in links.iter().filter(|link| now - link.made_at > TimeDelta::days(PageLink::DAYS)) {
                let owes = self.owed_by(link.customer_id).await?.is_positive();
                let paid = match owes {
                    true => None,
                    false => self.last_payment(link.customer_id).await?.map(|row| row.payment.received_at),
                };
                over.extend((!link.holds(owes, paid, now)).then_some(link.id));
            }
            if !over.is_empty() {
                gone += inbox.forget_links(self.tenant, Forgotten::These(over)).await?;
            }
            if !page.advance(&links, |last| last.id) {
                return Ok(gone);
            }
        }
    }
}
