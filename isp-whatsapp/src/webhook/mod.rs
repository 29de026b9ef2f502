//! What Meta tells us: verified, parsed, folded.
//!
//! Meta delivers at least once, in no order, several statuses in one request. So: [`Webhook::receive`] believes
//! nothing that is not signed, and [`Delivery::fold`] comes to the same state whatever the order and however often.

mod event;
mod fold;
mod half_signs;
mod payload;
mod verify;

pub use event::{Event, InboundKind, InboundMessage, Pricing, StatusUpdate, TemplateUpdate};
pub use fold::{Delivery, Status};
pub use verify::{Webhook, WebhookError, signature};
