//! The contract of [`PaymentGateway`], for the fake and for real adapters before a simulator.
#![allow(clippy::expect_used, clippy::panic, reason = "a suite of assertions")]

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use crate::money::Money;
use crate::payment::{NoticeState, PayChannel, PaymentNotice};
use crate::ports::{Asked, CancelOutcome, Created, GatewayAsk, PaymentGateway, PortError};
use crate::testing::fakes::GatewayFault;
use crate::testing::sample::{moment, name};
use crate::text::Reference;

/// A webhook as it goes over the wire: headers and body.
pub type Wire = (Vec<(String, String)>, Vec<u8>);

/// A gateway under test, with the hands of its customers and those that break it.
#[async_trait]
pub trait Harness: Send + Sync {
    /// The adapter.
    fn gateway(&self) -> &dyn PaymentGateway;
    /// Makes the next call fail in this way. False when the harness cannot.
    async fn fail_next(&self, fault: GatewayFault) -> bool;
    /// A customer pays a request.
    async fn pay(&self, reference: &Reference, amount: Money, fee: Money, at: DateTime<Utc>);
    /// What the gateway says of a request now.
    async fn webhook(&self, reference: &Reference) -> Wire;
    /// How many requests there are at the gateway.
    async fn requests(&self) -> usize;
    /// A channel that it has.
    fn channel(&self) -> PayChannel {
        PayChannel::VaBca
    }
    /// False for a gateway that can only be asked by its own number: what it does not know is then a guess.
    fn finds_by_reference(&self) -> bool {
        true
    }
}

/// Runs all cases, one after another, on one harness.
///
/// # Panics
/// When the adapter breaks the contract.
pub async fn run_all(harness: &dyn Harness) {
    paid_is_told_alike_by_webhook_and_question(harness).await;
    what_is_kept_of_a_webhook_is_believed_again(harness).await;
    another_amount_is_told_as_it_was_paid(harness).await;
    a_reference_collects_once(harness).await;
    nothing_is_known_of_a_reference_that_nobody_made(harness).await;
    an_end_is_told_by_its_state(harness).await;
    for (number, fault) in (90..).zip([GatewayFault::NoConnection, GatewayFault::Refused]) {
        what_certainly_did_not_happen_is_told_so(harness, number, fault).await;
    }
    for (number, fault) in (95..).zip([GatewayFault::LostReply, GatewayFault::LostRequest]) {
        a_lost_answer_is_unknown_and_settled_by_the_question(harness, number, fault).await;
    }
}

fn now() -> DateTime<Utc> {
    moment("2026-11-22T03:00:00Z")
}

fn ask(harness: &dyn Harness, number: u32) -> GatewayAsk {
    GatewayAsk {
        reference: Reference::parse("reference", &format!("INV-{number}-AB12")).expect("a reference"),
        amount: Money::rupiah(166_500),
        channel: harness.channel(),
        description: "Internet INV-202601-000042".to_owned(),
        payer: name("Pelanggan Contoh"),
        now: now(),
        expires_at: now() + TimeDelta::hours(24),
    }
}

fn asked<'a>(ask: &'a GatewayAsk, created: Option<&'a Created>) -> Asked<'a> {
    Asked {
        reference: &ask.reference,
        provider_id: created.and_then(|c| c.provider_id.as_deref()),
        channel: Some(ask.channel),
    }
}

async fn made(harness: &dyn Harness, ask: &GatewayAsk) -> Created {
    harness.gateway().create(ask).await.expect("the gateway answers")
}

async fn stands(harness: &dyn Harness, ask: &GatewayAsk, created: &Created) -> PaymentNotice {
    let found = harness.gateway().status(&asked(ask, Some(created))).await.expect("the gateway answers");
    found.expect("the gateway has it")
}

async fn paid_is_told_alike_by_webhook_and_question(harness: &dyn Harness) {
    let ask = ask(harness, 1);
    let created = made(harness, &ask).await;
    assert!(!created.instructions.is_empty(), "there is nothing to pay with");
    let before = stands(harness, &ask, &created).await;
    assert_eq!((before.state, before.sure), (NoticeState::Pending, true));
    harness.pay(&ask.reference, ask.amount, Money::rupiah(4_000), now()).await;
    let (headers, body) = harness.webhook(&ask.reference).await;
    let told = harness.gateway().read(&headers, &body).expect("its webhook is read");
    let found = stands(harness, &ask, &created).await;
    assert_eq!((told.state, found.state, found.sure), (NoticeState::Paid, NoticeState::Paid, true));
    assert_eq!(told.provider_id, found.provider_id, "one payment has one name");
    assert_eq!((&told.reference, told.gross), (&ask.reference, ask.amount));
    assert_eq!((&found.reference, found.gross), (&ask.reference, ask.amount));
    assert_eq!((&told.gateway, &found.gateway), (harness.gateway().name(), harness.gateway().name()));
    let late = harness.gateway().cancel(&asked(&ask, Some(&created))).await.expect("the gateway answers");
    assert!(matches!(late, CancelOutcome::TooLate | CancelOutcome::Cannot), "money that came is not cancelled");
}

async fn what_is_kept_of_a_webhook_is_believed_again(harness: &dyn Harness) {
    let ask = ask(harness, 2);
    made(harness, &ask).await;
    harness.pay(&ask.reference, ask.amount, Money::ZERO, now()).await;
    let (mut headers, body) = harness.webhook(&ask.reference).await;
    headers.push(("authorization".to_owned(), "Basic c2VjcmV0".to_owned()));
    headers.push(("cookie".to_owned(), "a=b".to_owned()));
    let told = harness.gateway().read(&headers, &body).expect("its webhook is read");
    let kept = harness.gateway().kept(&headers, &body);
    assert!(kept.iter().all(|(key, _)| key != "cookie" && key != "authorization"), "{kept:?}");
    assert_eq!(harness.gateway().read(&kept, &body), Ok(told));
    assert!(harness.gateway().read(&headers, b"nonsense").is_err());
}

async fn another_amount_is_told_as_it_was_paid(harness: &dyn Harness) {
    let ask = ask(harness, 3);
    let created = made(harness, &ask).await;
    harness.pay(&ask.reference, Money::rupiah(150_000), Money::ZERO, now()).await;
    assert_eq!(stands(harness, &ask, &created).await.gross, Money::rupiah(150_000));
}

async fn a_reference_collects_once(harness: &dyn Harness) {
    let ask = ask(harness, 4);
    let created = made(harness, &ask).await;
    let before = harness.requests().await;
    let again = harness.gateway().create(&ask).await;
    assert_eq!(harness.requests().await, before, "{again:?}");
    match again {
        Err(PortError::Refused { .. }) => {}
        Ok(same) => assert_eq!(same.provider_id, created.provider_id, "the same request"),
        Err(error) => panic!("{error}"),
    }
}

async fn nothing_is_known_of_a_reference_that_nobody_made(harness: &dyn Harness) {
    let ask = ask(harness, 5);
    let found = harness.gateway().status(&asked(&ask, None)).await.expect("the gateway answers");
    assert!(found.is_none_or(|_| !harness.finds_by_reference()));
}

async fn an_end_is_told_by_its_state(harness: &dyn Harness) {
    let ask = ask(harness, 6);
    let created = made(harness, &ask).await;
    match harness.gateway().cancel(&asked(&ask, Some(&created))).await.expect("the gateway answers") {
        CancelOutcome::Cancelled => assert_eq!(stands(harness, &ask, &created).await.state, NoticeState::Cancelled),
        CancelOutcome::Cannot => assert_eq!(stands(harness, &ask, &created).await.state, NoticeState::Pending),
        CancelOutcome::TooLate => panic!("nobody paid it"),
    }
}

async fn what_certainly_did_not_happen_is_told_so(harness: &dyn Harness, number: u32, fault: GatewayFault) {
    let (ask, before) = (ask(harness, number), harness.requests().await);
    if !harness.fail_next(fault).await {
        return;
    }
    let answer = harness.gateway().create(&ask).await;
    assert!(matches!(answer, Err(PortError::NotSent { .. } | PortError::Refused { .. })), "{fault:?}: {answer:?}");
    assert_eq!(harness.requests().await, before, "{fault:?}");
    made(harness, &ask).await;
}

async fn a_lost_answer_is_unknown_and_settled_by_the_question(harness: &dyn Harness, number: u32, fault: GatewayFault) {
    let (ask, before) = (ask(harness, number), harness.requests().await);
    if !harness.fail_next(fault).await {
        return;
    }
    let answer = harness.gateway().create(&ask).await;
    assert!(matches!(answer, Err(PortError::Unknown { .. })), "{fault:?}: {answer:?}");
    let done = usize::from(fault == GatewayFault::LostReply);
    assert_eq!(harness.requests().await, before + done, "{fault:?}: it was repeated");
    if harness.finds_by_reference() {
        let found = harness.gateway().status(&asked(&ask, None)).await.expect("the gateway answers");
        assert_eq!(found.is_some(), done == 1, "{fault:?}");
    }
}
