//! What came in from outside, and the links of pages.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::customer::Phone;
use crate::ids::{CustomerId, PageLinkId, TenantId, WebhookId, WorkerId};
use crate::payment::PageLink;
use crate::ports::{
    DeliveryWord, Forgotten, InboxStore, Lease, PageQuery, Pulse, StoreError, Webhook, WebhookOutcome, WebhookRow,
    WebhookState,
};

use super::super::state::must_exist;
use super::{MemoryStore, after};

#[async_trait]
impl InboxStore for MemoryStore {
    async fn keep_webhooks(&self, tenant: TenantId, webhooks: Vec<Webhook>) -> Result<u64, StoreError> {
        self.write(tenant, |s| Ok(s.at_once(|s| s.keep_webhooks(webhooks))))
    }

    async fn claim_webhooks(&self, tenant: TenantId, lease: Lease, limit: u32) -> Result<Vec<WebhookRow>, StoreError> {
        self.write(tenant, |s| Ok(s.at_once(|s| s.claim_webhooks(lease, limit))))
    }

    async fn settle_webhooks(
        &self,
        tenant: TenantId,
        owner: WorkerId,
        outcomes: &[WebhookOutcome],
    ) -> Result<(), StoreError> {
        self.write(tenant, |s| {
            s.at_once(|s| s.settle_webhooks(owner, outcomes));
            Ok(())
        })
    }

    async fn webhooks(
        &self,
        tenant: TenantId,
        state: Option<WebhookState>,
        page: PageQuery<WebhookId>,
    ) -> Result<Vec<WebhookRow>, StoreError> {
        self.read(tenant, |s| {
            let rows = s.webhooks.range(after(page.after)).map(|(_, kept)| &kept.row);
            rows.filter(|row| state.is_none_or(|of| of == row.state)).take(page.limit as usize).cloned().collect()
        })
    }

    async fn finish_webhook(&self, tenant: TenantId, id: WebhookId) -> Result<bool, StoreError> {
        self.write(tenant, |s| Ok(s.at_once(|s| s.finish_webhook(id))))
    }

    async fn retry_webhooks(
        &self,
        tenant: TenantId,
        only: Option<WebhookId>,
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        self.write(tenant, |s| Ok(s.at_once(|s| s.retry_webhooks(only, now))))
    }

    async fn forget_webhooks(&self, tenant: TenantId, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError> {
        self.write(tenant, |s| Ok(s.at_once(|s| s.forget_webhooks(before, limit))))
    }

    async fn hear(&self, tenant: TenantId, words: &[DeliveryWord]) -> Result<u64, StoreError> {
        self.write(tenant, |s| Ok(s.at_once(|s| s.hear(words))))
    }

    async fn customers_by_phone(&self, tenant: TenantId, phone: &Phone) -> Result<Vec<CustomerId>, StoreError> {
        self.read(tenant, |s| s.customers.values().filter(|c| c.phone.as_ref() == Some(phone)).map(|c| c.id).collect())
    }

    async fn opt_out(
        &self,
        tenant: TenantId,
        customer: CustomerId,
        out: bool,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.write(tenant, |s| {
            must_exist(s.customers.has(&customer), "customer")?;
            let newer = s.opt_outs.get(&customer).is_none_or(|(since, _)| *since <= at);
            s.at_once(|s| {
                if newer {
                    s.opt_outs.put(customer, (at, out))
                }
            });
            Ok(())
        })
    }

    async fn pulse(&self, tenant: TenantId) -> Result<Pulse, StoreError> {
        self.read(tenant, |s| s.pulse())
    }

    async fn keep_link(&self, tenant: TenantId, link: PageLink) -> Result<(), StoreError> {
        self.write(tenant, |s| {
            must_exist(s.customers.has(&link.customer_id), "customer")?;
            if s.page_links.has(&link.id) || s.page_links.values().any(|known| known.hash == link.hash) {
                return Err(StoreError::Duplicate { what: "page_link" });
            }
            s.at_once(|s| s.page_links.put(link.id, link));
            Ok(())
        })
    }

    async fn link(&self, tenant: TenantId, hash: [u8; 32]) -> Result<Option<PageLink>, StoreError> {
        self.read(tenant, |s| s.page_links.values().find(|link| link.hash == hash).cloned())
    }

    async fn links(&self, tenant: TenantId, page: PageQuery<PageLinkId>) -> Result<Vec<PageLink>, StoreError> {
        self.read(tenant, |s| {
            s.page_links.range(after(page.after)).map(|(_, link)| link.clone()).take(page.limit as usize).collect()
        })
    }

    async fn forget_links(&self, tenant: TenantId, which: Forgotten) -> Result<u64, StoreError> {
        self.write(tenant, |s| {
            let goes = |link: &&PageLink| match &which {
                Forgotten::Customer(id) => link.customer_id == *id,
                Forgotten::These(ids) => ids.contains(&link.id),
            };
            let ids: Vec<PageLinkId> = s.page_links.values().filter(goes).map(|link| link.id).collect();
            s.at_once(|s| ids.iter().for_each(|id| s.page_links.remove(id)));
            Ok(ids.len() as u64)
        })
    }
}
