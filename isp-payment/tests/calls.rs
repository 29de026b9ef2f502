//! Each gateway asked over real HTTP, before its simulator: what it gives, what it refuses, and what is known when the line fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use isp_core::Money;
use isp_core::payment::{NoticeState, PayChannel};
use isp_core::ports::{Asked, CancelOutcome, Created, GatewayAsk, PaymentGateway, PortError};
use isp_core::text::{Name, Reference};
use isp_payment::simulator::{Fault, Simulator};
use isp_payment::{GatewayKind, gateway};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_316_400, 0).unwrap()
}

async fn start(kind: GatewayKind) -> (Simulator, Box<dyn PaymentGateway>) {
    let simulator = Simulator::start(kind).await.unwrap();
    let mut settings = simulator.settings().unwrap();
    settings.deadline = Duration::from_millis(700);
    (simulator, gateway(settings).unwrap())
}

fn ask(reference: &str, channel: PayChannel) -> GatewayAsk {
    GatewayAsk {
        reference: Reference::parse("reference", reference).unwrap(),
        amount: Money::rupiah(166_500),
        channel,
        description: "Internet INV-202601-000042".to_owned(),
        payer: Name::parse("name", "Budi Santoso dengan nama yang panjang sekali untuk layar sebuah bank").unwrap(),
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

fn has(kind: GatewayKind, channel: PayChannel) -> bool {
    use PayChannel::{Qris, VaBni, VaBri, VaBsi, VaCimb};
    let page = matches!(kind, GatewayKind::Tripay | GatewayKind::Duitku) && channel == PayChannel::Page;
    let bsi = kind == GatewayKind::Midtrans && channel == PayChannel::VaBsi;
    let open = kind != GatewayKind::TripayOpen || matches!(channel, Qris | VaBni | VaBri | VaCimb | VaBsi);
    !page && !bsi && open
}

/// A bank that the gateway has.
fn bank(kind: GatewayKind) -> PayChannel {
    if kind == GatewayKind::TripayOpen { PayChannel::VaBri } else { PayChannel::VaBca }
}

/// True where it can only be asked by its own number, so that what it does not know is a guess.
fn guesses(kind: GatewayKind) -> bool {
    matches!(kind, GatewayKind::Xendit | GatewayKind::TripayOpen)
}

#[tokio::test]
async fn every_channel_gives_something_to_pay_with_and_is_told_paid_alike_by_both_ways() {
    for kind in GatewayKind::ALL {
        let (simulator, gateway) = start(kind).await;
        for (number, channel) in PayChannel::ALL.into_iter().enumerate() {
            let ask = ask(&format!("INV-{number}-AB12"), channel);
            let answer = gateway.create(&ask).await;
            if !has(kind, channel) {
                assert!(
                    matches!(answer, Err(PortError::Refused { code: "gateway.channel", .. })),
                    "{kind:?} {channel:?}"
                );
                continue;
            }
            let created = answer.unwrap_or_else(|error| panic!("{kind:?} {channel:?}: {error}"));
            assert!(!created.instructions.is_empty(), "{kind:?} {channel:?}");
            let has_code = created.instructions.qris.is_some() || created.instructions.number.is_some();
            let page = channel == PayChannel::Page || kind == GatewayKind::DuitkuPop;
            assert_eq!(has_code, !page, "{kind:?} {channel:?}");
            let before = gateway.status(&asked(&ask, Some(&created))).await.unwrap().unwrap();
            assert_eq!((before.state, before.sure), (NoticeState::Pending, true), "{kind:?} {channel:?}");
            simulator.pay(ask.reference.as_str(), Money::rupiah(166_500), Money::rupiah(4_000), now());
            let webhook = simulator.webhook(ask.reference.as_str()).unwrap();
            let told = gateway.read(&webhook.headers, &webhook.body).unwrap();
            let found = gateway.status(&asked(&ask, Some(&created))).await.unwrap().unwrap();
            assert_eq!((told.state, found.state), (NoticeState::Paid, NoticeState::Paid), "{kind:?} {channel:?}");
            assert_eq!(told.provider_id.as_str(), found.provider_id.as_str(), "{kind:?} {channel:?}: one payment");
            assert_eq!((told.reference, told.gross), (found.reference.clone(), found.gross), "{kind:?} {channel:?}");
            assert!(found.sure && found.reference == ask.reference && found.gross == ask.amount);
            let late = gateway.cancel(&asked(&ask, Some(&created))).await.unwrap();
            let can = matches!(kind, GatewayKind::Midtrans | GatewayKind::Xendit);
            assert_eq!(late, if can { CancelOutcome::TooLate } else { CancelOutcome::Cannot }, "{kind:?} {channel:?}");
        }
    }
}

#[tokio::test]
async fn a_request_is_cancelled_where_that_can_be() {
    for kind in GatewayKind::ALL {
        let (simulator, gateway) = start(kind).await;
        let ask = ask("INV-1-AB12", bank(kind));
        let created = gateway.create(&ask).await.unwrap();
        let cancelled = gateway.cancel(&asked(&ask, Some(&created))).await.unwrap();
        let can = matches!(kind, GatewayKind::Midtrans | GatewayKind::Xendit);
        assert_eq!(cancelled, if can { CancelOutcome::Cancelled } else { CancelOutcome::Cannot }, "{kind:?}");
        simulator.set("INV-1-AB12", NoticeState::Expired);
        let state = gateway.status(&asked(&ask, Some(&created))).await.unwrap().unwrap().state;
        // A number that stays has no end.
        let end = if kind == GatewayKind::TripayOpen { NoticeState::Pending } else { NoticeState::Expired };
        assert_eq!(state, end, "{kind:?}");
    }
}

/// Whatever happens to the answer of a create, a question by our own reference settles it; and the reference collects once.
#[tokio::test]
async fn a_lost_answer_is_unknown_and_is_settled_by_the_question() {
    let done = [Fault::ReplyLost, Fault::HtmlAfter(502), Fault::HtmlAfter(200)];
    let not_done = [Fault::Reset, Fault::Hang, Fault::Html(502), Fault::Html(200)];
    for kind in GatewayKind::ALL {
        for (number, fault) in done.into_iter().chain(not_done).enumerate() {
            let (simulator, gateway) = start(kind).await;
            let ask = ask(&format!("INV-{number}-AB12"), bank(kind));
            simulator.fail_next(1, fault);
            let answer = gateway.create(&ask).await;
            assert!(matches!(answer, Err(PortError::Unknown { .. })), "{kind:?} {fault:?}: {answer:?}");
            assert_eq!(simulator.requests(), 1, "{kind:?} {fault:?}: it was repeated");
            let there = done.contains(&fault);
            assert_eq!(simulator.transactions().len(), usize::from(there), "{kind:?} {fault:?}");
            let found = gateway.status(&asked(&ask, None)).await.unwrap();
            // Xendit cannot be asked by our reference: it may be there, and nobody has its number.
            let guess = guesses(kind);
            assert_eq!(found.is_some(), there || guess, "{kind:?} {fault:?}");
            // The same reference once more collects nothing a second time.
            let again = gateway.create(&ask).await;
            assert_eq!(simulator.transactions().len(), 1, "{kind:?} {fault:?}");
            // Xendit knows the same request again.
            assert_eq!(again.is_err(), there && kind != GatewayKind::Xendit, "{kind:?} {fault:?}: {again:?}");
        }
    }
}

#[tokio::test]
async fn what_is_certainly_not_done_is_told_so() {
    for kind in GatewayKind::ALL {
        let (simulator, gateway) = start(kind).await;
        let first = ask("INV-1-AB12", bank(kind));
        for status in [403, 404, 429] {
            simulator.fail_next(1, Fault::Html(status));
            let answer = gateway.create(&first).await;
            assert!(matches!(answer, Err(PortError::NotSent { .. })), "{kind:?} {status}: {answer:?}");
        }
        // A question that goes wrong changed nothing, whatever went wrong.
        for fault in [Fault::Reset, Fault::Hang, Fault::Html(502), Fault::Html(200)] {
            gateway.create(&ask("INV-2-AB12", bank(kind))).await.ok();
            simulator.fail_next(1, fault);
            let created = Created {
                provider_id: Some("pr-INV-2-AB12".to_owned()),
                instructions: Default::default(),
                expires_at: None,
                fee: None,
            };
            let answer = gateway.status(&asked(&first, Some(&created))).await;
            assert!(matches!(answer, Err(PortError::NotSent { .. })), "{kind:?} {fault:?}: {answer:?}");
        }
        // A wrong key is a matter for a person.
        let mut settings = simulator.settings().unwrap();
        settings.key = format!("{}x", secrecy::ExposeSecret::expose_secret(&settings.key)).into();
        let wrong = isp_payment::gateway(settings).unwrap().create(&first).await;
        assert!(matches!(wrong, Err(PortError::Refused { .. })), "{kind:?}: {wrong:?}");
        let address = simulator.base_url();
        drop(simulator);
        tokio::time::sleep(Duration::from_millis(50)).await;
        let answer = gateway.create(&first).await;
        assert!(
            matches!(answer, Err(PortError::NotSent { .. } | PortError::Unknown { .. })),
            "{kind:?} {address}: {answer:?}"
        );
    }
}

/// Nothing that a log or an error shows holds a key, a name or a number.
#[tokio::test]
async fn debug_and_errors_hold_no_secret() {
    for kind in GatewayKind::ALL {
        let (simulator, gateway) = start(kind).await;
        simulator.fail_next(1, Fault::Html(502));
        let error = gateway.create(&ask("INV-1-AB12", bank(kind))).await.unwrap_err();
        let settings = simulator.settings().unwrap();
        for shown in [format!("{error:?} {error}"), format!("{settings:?}"), format!("{simulator:?}")] {
            let key = secrecy::ExposeSecret::expose_secret(&settings.key);
            assert!(!shown.contains(key) && !shown.contains("Budi"), "{kind:?}: {shown}");
        }
    }
}

/// The capital trap of Xendit: an old event names the payment method as `reference_id`; its request is asked about by id.
#[tokio::test]
async fn an_event_with_another_reference_leads_to_the_right_request() {
    let (simulator, gateway) = start(GatewayKind::Xendit).await;
    let ask = ask("INV-1-AB12", PayChannel::VaBca);
    gateway.create(&ask).await.unwrap();
    simulator.pay("INV-1-AB12", ask.amount, Money::ZERO, now());
    let webhook = simulator.webhook("INV-1-AB12").unwrap();
    let old = String::from_utf8(webhook.body).unwrap();
    let old = old.replace("payment.capture", "payment.succeeded");
    let old = old.replace(r#""reference_id":"INV-1-AB12""#, r#""reference_id":"metode-77""#);
    let hint = gateway.read(&webhook.headers, old.as_bytes()).unwrap();
    assert_eq!((hint.reference.as_str(), hint.sure), ("metode-77", false));
    let asked = Asked { reference: &hint.reference, provider_id: Some(hint.provider_id.as_str()), channel: None };
    let told = gateway.status(&asked).await.unwrap().unwrap();
    assert_eq!((told.reference, told.state), (ask.reference, NoticeState::Paid));
}

/// The number of an open payment stays: who pays on it twice has paid twice, and each is told under a name of its own.
#[tokio::test]
async fn an_open_payment_is_told_with_the_amount_that_was_paid() {
    let (simulator, gateway) = start(GatewayKind::TripayOpen).await;
    let ask = ask("INV-1-AB12", PayChannel::VaBri);
    let created = gateway.create(&ask).await.unwrap();
    assert_eq!(created.instructions.number.as_deref(), Some("8888888888"));
    simulator.pay("INV-1-AB12", Money::rupiah(100_000), Money::rupiah(4_250), now());
    let webhook = simulator.webhook("INV-1-AB12").unwrap();
    let told = gateway.read(&webhook.headers, &webhook.body).unwrap();
    assert_eq!((told.gross.as_i64(), told.fee.map(Money::as_i64), told.sure), (100_000, Some(4_250), true));
    assert_ne!(Some(told.provider_id.as_str()), created.provider_id.as_deref(), "a payment, not the number");
    // The two kinds do not take each other's money.
    let closed = start(GatewayKind::Tripay).await.1;
    let refused = isp_core::payment::NoticeRefused::NotAPayment;
    assert_eq!(closed.read(&webhook.headers, &webhook.body), Err(refused));
    let mut settings = simulator.settings().unwrap();
    settings.sandbox = true;
    assert!(isp_payment::gateway(settings).is_err(), "it has no sandbox");
}
