//! What came in from outside, and the links of pages.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use isp_core::customer::Phone;
use isp_core::ids::{CustomerId, PageLinkId, TenantId, WebhookId, WorkerId};
use isp_core::payment::PageLink;
use isp_core::ports::{
    DeliveryWord, Forgotten, InboxStore, Lease, PageQuery, Pulse, StoreError, Webhook, WebhookOutcome, WebhookRow,
    WebhookState,
};

use crate::inbox;

use super::SqlStore;

#[async_trait]
impl InboxStore for SqlStore {
    async fn keep_webhooks(&self, tenant: TenantId, webhooks: Vec<Webhook>) -> Result<u64, StoreError> {
        let mut session = self.writer(tenant).await?;
        let done = inbox::keep(session.as_mut(), tenant, webhooks).await?;
        session.commit().await?;
        Ok(done)
    }

    async fn claim_webhooks(&self, tenant: TenantId, lease: Lease, limit: u32) -> Result<Vec<WebhookRow>, StoreError> {
        let mut session = self.writer(tenant).await?;
        let done = inbox::claim(session.as_mut(), tenant, lease, limit).await?;
        session.commit().await?;
        Ok(done)
    }

    async fn settle_webhooks(
        &self,
        tenant: TenantId,
        owner: WorkerId,
        outcomes: &[WebhookOutcome],
    ) -> Result<(), StoreError> {
        let mut session = self.writer(tenant).await?;
        inbox::settle(session.as_mut(), tenant, owner, outcomes).await?;
        session.commit().await
    }

    async fn webhooks(
        &self,
        tenant: TenantId,
        state: Option<WebhookState>,
        page: PageQuery<WebhookId>,
    ) -> Result<Vec<WebhookRow>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        inbox::page(session.as_mut(), tenant, state, page).await
    }

    async fn finish_webhook(&self, tenant: TenantId, id: WebhookId) -> Result<bool, StoreError> {
        let mut session = self.writer(tenant).await?;
        let done = inbox::finish(session.as_mut(), tenant, id).await?;
        session.commit().await?;
        Ok(done)
    }

    async fn retry_webhooks(
        &self,
        tenant: TenantId,
        only: Option<WebhookId>,
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let mut session = self.writer(tenant).await?;
        let done = inbox::retry(session.as_mut(), tenant, only, now).await?;
        session.commit().await?;
        Ok(done)
    }

    async fn forget_webhooks(&self, tenant: TenantId, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError> {
        let mut session = self.writer(tenant).await?;
        let done = inbox::forget(session.as_mut(), tenant, before, limit).await?;
        session.commit().await?;
        Ok(done)
    }

    async fn hear(&self, tenant: TenantId, words: &[DeliveryWord]) -> Result<u64, StoreError> {
        let mut session = self.writer(tenant).await?;
        let done = inbox::hear(session.as_mut(), tenant, words).await?;
        session.commit().await?;
        Ok(done)
    }

    async fn customers_by_phone(&self, tenant: TenantId, phone: &Phone) -> Result<Vec<CustomerId>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        inbox::customers_by_phone(session.as_mut(), tenant, phone).await
    }

    async fn opt_out(
        &self,
        tenant: TenantId,
        customer: CustomerId,
        out: bool,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut session = self.writer(tenant).await?;
        inbox::opt_out(session.as_mut(), tenant, customer, out, at).await?;
        session.commit().await
    }

    async fn pulse(&self, tenant: TenantId) -> Result<Pulse, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        let pulse = inbox::pulse(session.as_mut(), tenant).await?;
        Ok(Pulse { connections: self.engine.connections(), ..pulse })
    }

    async fn keep_link(&self, tenant: TenantId, link: PageLink) -> Result<(), StoreError> {
        let mut session = self.writer(tenant).await?;
        inbox::keep_link(session.as_mut(), tenant, link).await?;
        session.commit().await
    }

    async fn link(&self, tenant: TenantId, hash: [u8; 32]) -> Result<Option<PageLink>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        inbox::link(session.as_mut(), tenant, hash).await
    }

    async fn links(&self, tenant: TenantId, page: PageQuery<PageLinkId>) -> Result<Vec<PageLink>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        inbox::links(session.as_mut(), tenant, page).await
    }

    async fn forget_links(&self, tenant: TenantId, which: Forgotten) -> Result<u64, StoreError> {
        let mut session = self.writer(tenant).await?;
        let done = inbox::forget_links(session.as_mut(), tenant, which).await?;
        session.commit().await?;
        Ok(done)
    }
}
