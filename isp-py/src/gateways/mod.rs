//! Payment gateways: ask one to collect, ask it how that stands, stop it, let it give money back, and believe its webhooks.

mod call;
mod settings;
mod webhook;

pub(crate) use call::{
    CANCELLED, CHANNELS, REFUNDS, ask_gateway, cancel_at_gateway, gateway_refund_status, gateway_status,
    refund_at_gateway,
};
pub(crate) use settings::{KINDS, read_settings, write_settings};
pub(crate) use webhook::{STATES, gateway_acknowledgement, receive_gateway_webhook};
