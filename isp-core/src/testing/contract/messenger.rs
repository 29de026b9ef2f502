//! The contract of [`Messenger`], for the fake and for real adapters before a simulator.
#![allow(clippy::expect_used, reason = "a suite of assertions")]

use async_trait::async_trait;

use crate::customer::Phone;
use crate::ids::{OutboxId, TenantId};
use crate::message::notification::{MessageContent, OutgoingMessage};
use crate::money::Money;
use crate::ports::{Messenger, PortError, SendOutcome};
use crate::testing::fakes::MessengerFault;
use crate::testing::sample::{day, id, name};
use crate::text::Language;

/// A channel under test, with the hands that break it.
#[async_trait]
pub trait Harness: Send + Sync {
    /// The adapter.
    fn messenger(&self) -> &dyn Messenger;
    /// Makes the next message fail in this way. False when the harness cannot.
    async fn fail_next(&self, fault: MessengerFault) -> bool;
    /// How often the channel took a message.
    async fn times_sent(&self, message: &OutgoingMessage) -> usize;
}

/// Runs all cases, one after another, on one harness.
///
/// # Panics
/// When the adapter breaks the contract.
pub async fn run_all(harness: &dyn Harness) {
    every_content_is_taken(harness).await;
    for (number, fault) in (100..).zip(MessengerFault::ALL) {
        a_fault_is_told_for_what_it_is(harness, number, fault).await;
    }
}

/// A message of each kind.
#[must_use]
pub fn contents() -> Vec<MessageContent> {
    let (package, amount) = (name("Paket Rumah 0"), Money::rupiah(166_500));
    let (invoices, due_date) = (vec!["INV-202601-000001".to_owned()], day("2026-01-11"));
    vec![
        MessageContent::DueSoon { package: package.clone(), invoices: invoices.clone(), amount, due_date },
        MessageContent::Overdue {
            package: package.clone(),
            invoices,
            amount,
            due_date,
            days_late: 3,
            isolation_date: day("2026-01-16"),
        },
        MessageContent::Isolated { package: package.clone(), amount, since: day("2026-01-16") },
        MessageContent::PaymentReceived {
            amount,
            reference: "RCPT-1".into(),
            paid_on: day("2026-01-17"),
            still_open: Money::ZERO,
        },
        MessageContent::Reopened { package, since: day("2026-01-17") },
    ]
}

fn message(number: u64, language: Language, content: MessageContent) -> OutgoingMessage {
    OutgoingMessage {
        id: OutboxId(id(31, number)),
        tenant: TenantId::DEFAULT,
        to: Phone::parse(&format!("0812{:08}", 10_000_000 + number)).expect("a phone number"),
        language,
        name: name("Pelanggan Contoh"),
        content,
        demand: None,
        sender: None,
    }
}

async fn every_content_is_taken(harness: &dyn Harness) {
    let mut ids = Vec::new();
    let languages = [Language::Id, Language::En];
    let all = contents().into_iter().flat_map(|content| languages.map(|language| (language, content.clone())));
    for (number, (language, content)) in (1..).zip(all) {
        let message = message(number, language, content);
        match harness.messenger().send(&message).await {
            Ok(SendOutcome::Accepted { provider_id }) => ids.push(provider_id),
            other => assert!(matches!(other, Ok(SendOutcome::Accepted { .. })), "{other:?}"),
        }
        assert_eq!(harness.times_sent(&message).await, 1);
    }
    assert!(ids.iter().all(|id| !id.is_empty()), "the channel's ids: {ids:?}");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), contents().len() * 2, "each message has an id of its own");
}

async fn a_fault_is_told_for_what_it_is(harness: &dyn Harness, number: u64, fault: MessengerFault) {
    let Some(content) = contents().into_iter().next() else { return };
    if !harness.fail_next(fault).await {
        return;
    }
    let message = message(number, Language::Id, content);
    let outcome = harness.messenger().send(&message).await;
    let told = match fault {
        MessengerFault::NoConnection => matches!(outcome, Err(PortError::NotSent { .. })),
        MessengerFault::LostReply => matches!(outcome, Err(PortError::Unknown { .. })),
        MessengerFault::Held => matches!(&outcome, Ok(SendOutcome::Held { provider_id }) if !provider_id.is_empty()),
        MessengerFault::RecipientRejected => matches!(outcome, Ok(SendOutcome::RecipientRejected { .. })),
        MessengerFault::RetryAfter => matches!(outcome, Ok(SendOutcome::RetryAfter { .. })),
        MessengerFault::ConfigError => matches!(outcome, Ok(SendOutcome::ConfigError { .. })),
        MessengerFault::ChannelDown => matches!(outcome, Ok(SendOutcome::ChannelDown { .. })),
    };
    assert!(told, "{fault:?}: {outcome:?}");
    // The adapter sends once; sending again is the engine's decision.
    assert_eq!(harness.times_sent(&message).await, usize::from(fault.sends()), "{fault:?}");
    let text = format!("{outcome:?}");
    assert!(!text.contains(message.to.digits()), "{fault:?} shows the number");
    if !fault.sends() {
        let again = harness.messenger().send(&message).await;
        assert!(matches!(again, Ok(SendOutcome::Accepted { .. })), "after {fault:?}: {again:?}");
    }
}
