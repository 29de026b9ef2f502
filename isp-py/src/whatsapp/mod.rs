//! WhatsApp: messages out, webhooks in.

mod message;
mod send;
mod webhook;

pub(crate) use message::{
    TEMPLATE_KINDS, catalog_or_standard as templates, parameters_of, preview_messages, template_registrations,
};
pub(crate) use send::send_messages;
pub(crate) use webhook::STATES;
pub(crate) use webhook::{
    STATUSES, answer_subscription, fold_statuses, read_code, receive_webhook, verify_webhook, with_code,
};
