//! The contract of [`PaymentGateway`], for the fake and for real adapters before a simulator.
#![allow(clippy::expect_used, clippy::panic, reason = "a suite of assertions")]

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use crate::money::Money;
use crate::payment::{NoticeState, PayChannel, PaymentNotice, RefundState};
use crate::ports::{Asked, CancelOutcome, Created, GatewayAsk, PaymentGateway, PortError, RefundAsk};
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
    /// Makes the next call that asks for a refund fail in this way, though a question may go before it. False when the harness cannot.
    async fn fail_next_refund(&self, fault: GatewayFault) -> bool {
        self.fail_next(fault).await
    }
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
    /// What it gave back of a request, or is about to.
    async fn given_back(&self, reference: &Reference) -> Money;
    /// A channel whose payments it gives back, where it gives any back.
    fn refundable(&self) -> PayChannel {
        PayChannel::Qris
    }
    /// A channel whose payments it cannot give back, though it gives others back.
    fn not_refundable(&self) -> Option<PayChannel> {
        None
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
    if harness.gateway().refunds() {
        a_refund_goes_back_once_for_a_key(harness).await;
        no_more_goes_back_than_was_paid(harness).await;
        what_cannot_go_back_is_refused(harness).await;
        for (number, fault) in (80..).zip([GatewayFault::LostReply, GatewayFault::LostRequest]) {
            a_lost_refund_is_settled_by_the_question(harness, number, fault).await;
        }
    } else {
        a_gateway_without_refunds_says_so(harness).await;
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

fn key(number: u32) -> String {
    format!("{number:032x}")
}

fn back<'a>(ask: &'a GatewayAsk, created: &'a Created, key: &'a str, amount: i64) -> RefundAsk<'a> {
    RefundAsk { of: asked(ask, Some(created)), key, amount: Money::rupiah(amount), provider_id: None }
}

async fn paid(harness: &dyn Harness, number: u32, channel: PayChannel) -> (GatewayAsk, Created) {
    let ask = GatewayAsk { channel, ..ask(harness, number) };
    let created = made(harness, &ask).await;
    harness.pay(&ask.reference, ask.amount, Money::ZERO, now()).await;
    (ask, created)
}

async fn a_refund_goes_back_once_for_a_key(harness: &dyn Harness) {
    let (ask, created) = paid(harness, 70, harness.refundable()).await;
    let (key, other) = (key(70), key(71));
    let part = back(&ask, &created, &key, 66_500);
    assert_eq!(harness.gateway().refund_status(&part).await.expect("the gateway answers"), None);
    let first = harness.gateway().refund(&part).await.expect("it gives a part back");
    assert!(matches!(first.state, RefundState::Pending | RefundState::Done), "{first:?}");
    let again = harness.gateway().refund(&part).await;
    assert!(matches!(again, Ok(_) | Err(PortError::Refused { .. } | PortError::Unknown { .. })), "{again:?}");
    assert_eq!(harness.given_back(&ask.reference).await, Money::rupiah(66_500), "the same key once more");
    let told = harness.gateway().refund_status(&part).await.expect("the gateway answers").expect("it has it");
    assert_eq!((told.state, told.provider_id), (first.state, first.provider_id));
    let rest = back(&ask, &created, &other, 100_000);
    harness.gateway().refund(&rest).await.expect("it gives the rest back");
    assert_eq!(harness.given_back(&ask.reference).await, ask.amount);
    // Where its notices tell of refunds, they tell the whole of it.
    let found = stands(harness, &ask, &created).await;
    if found.state == NoticeState::Refunded {
        let (headers, body) = harness.webhook(&ask.reference).await;
        let told = harness.gateway().read(&headers, &body).expect("its webhook is read");
        assert_eq!((found.gross, told.gross), (ask.amount, ask.amount));
        assert_eq!(told.provider_id, found.provider_id);
    }
}

async fn no_more_goes_back_than_was_paid(harness: &dyn Harness) {
    let (ask, created) = paid(harness, 72, harness.refundable()).await;
    let (first, second, third) = (key(72), key(73), key(74));
    let too_much = harness.gateway().refund(&back(&ask, &created, &first, 166_501)).await;
    assert!(matches!(too_much, Err(PortError::Refused { .. })), "{too_much:?}");
    harness.gateway().refund(&back(&ask, &created, &second, 100_000)).await.expect("it gives a part back");
    let too_much = harness.gateway().refund(&back(&ask, &created, &third, 66_501)).await;
    assert!(matches!(too_much, Err(PortError::Refused { .. })), "{too_much:?}");
    assert_eq!(harness.given_back(&ask.reference).await, Money::rupiah(100_000));
}

async fn what_cannot_go_back_is_refused(harness: &dyn Harness) {
    let waiting = GatewayAsk { channel: harness.refundable(), ..ask(harness, 75) };
    let created = made(harness, &waiting).await;
    let first = key(75);
    let unpaid = harness.gateway().refund(&back(&waiting, &created, &first, 1_000)).await;
    assert!(matches!(unpaid, Err(PortError::Refused { .. })), "nobody paid it: {unpaid:?}");
    let Some(channel) = harness.not_refundable() else { return };
    let (ask, created) = paid(harness, 76, channel).await;
    let second = key(76);
    let refused = harness.gateway().refund(&back(&ask, &created, &second, 1_000)).await;
    assert!(matches!(refused, Err(PortError::Refused { .. })), "{channel:?}: {refused:?}");
    assert_eq!(harness.given_back(&ask.reference).await, Money::ZERO);
}

async fn a_lost_refund_is_settled_by_the_question(harness: &dyn Harness, number: u32, fault: GatewayFault) {
    let (ask, created) = paid(harness, number, harness.refundable()).await;
    let key = key(number);
    let wish = back(&ask, &created, &key, 50_000);
    if !harness.fail_next_refund(fault).await {
        return;
    }
    let answer = harness.gateway().refund(&wish).await;
    assert!(matches!(answer, Err(PortError::Unknown { .. })), "{fault:?}: {answer:?}");
    let done = fault == GatewayFault::LostReply;
    let given = Money::rupiah(if done { 50_000 } else { 0 });
    assert_eq!(harness.given_back(&ask.reference).await, given, "{fault:?}: it was repeated");
    let found = harness.gateway().refund_status(&wish).await.expect("the gateway answers");
    assert_eq!(found.is_some(), done, "{fault:?}");
    assert_eq!(harness.given_back(&ask.reference).await, given, "a question gives nothing back");
}

async fn a_gateway_without_refunds_says_so(harness: &dyn Harness) {
    let (ask, created) = paid(harness, 70, harness.channel()).await;
    let key = key(70);
    let wish = back(&ask, &created, &key, 1_000);
    for answer in
        [harness.gateway().refund(&wish).await.map(drop), harness.gateway().refund_status(&wish).await.map(drop)]
    {
        assert!(matches!(answer, Err(PortError::Refused { code: "gateway.no_refund", .. })), "{answer:?}");
    }
}
