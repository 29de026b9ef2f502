//! Whose webhooks and pages these are.

use std::sync::Arc;

use isp_core::engine::{BillPaper, Engine, Papers, Post, ReceiptPaper};
use isp_core::ids::TenantId;
use isp_core::message::Sender;
use isp_core::payment::Qris;
use isp_core::policy::Policy;
use isp_core::ports::{AccessControl, InboxStore, PaymentGateway, PortError, Store};
use isp_core::retention::Retention;

use crate::papers::{Letterhead, Stationery};

/// One provider: where everything is kept, and what was decided on.
#[derive(Clone)]
pub struct Provider {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// The same store, as far as it keeps what comes in.
    pub inbox: Arc<dyn InboxStore>,
    /// Whose.
    pub tenant: TenantId,
    /// What the provider decided on.
    pub policy: Policy,
    /// How long is kept what is no part of the books.
    pub retention: Retention,
    /// Who asks, and how to pay.
    pub sender: Option<Sender>,
    /// The provider's own QRIS code.
    pub qris: Option<Qris>,
    /// What stands on papers besides.
    pub letterhead: Letterhead,
    /// Rows a page.
    pub page: u32,
}

impl Provider {
    /// The engine over it.
    #[must_use]
    pub fn engine(&self) -> Engine<'_> {
        Engine {
            page: self.page,
            sender: self.sender.as_ref(),
            papers: Some(self),
            ..Engine::new(self.store.as_ref(), self.tenant, &self.policy)
        }
    }
}

impl Provider {
    /// What its papers have in common.
    #[must_use]
    pub fn stationery(&self) -> Stationery<'_> {
        Stationery { sender: self.sender.as_ref(), letterhead: &self.letterhead, qris: self.qris.as_ref() }
    }
}

impl Papers for Provider {
    fn bills(&self, bills: &[BillPaper]) -> Result<Vec<u8>, PortError> {
        self.stationery().bills(bills)
    }

    fn receipt(&self, receipt: &ReceiptPaper) -> Result<Vec<u8>, PortError> {
        self.stationery().receipt(receipt)
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

/// The routers and the messenger, as the program that serves has them.
pub trait Wires: Send + Sync {
    /// The routers.
    fn routers(&self) -> &dyn AccessControl;
    /// The messenger, as far as there is one.
    fn post(&self) -> Post<'_>;
    /// The payment gateways, which are asked about requests whose webhook did not come.
    fn gateways(&self) -> Vec<&dyn PaymentGateway> {
        Vec::new()
    }
}
