//! Webhooks: believed only when signed, the same whatever their order.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use isp_whatsapp::graph::GraphCode;
use isp_whatsapp::webhook::{Delivery, Event, InboundKind, Status, Webhook, WebhookError, signature};
use proptest::prelude::*;
use serde_json::Value;
use support::{NUMBER, fixture};

const FIXTURES: [&str; 10] = [
    "meta-webhook-batch-out-of-order-duplicate.json",
    "meta-webhook-inbound-button-optout.json",
    "meta-webhook-inbound-text-escapes.json",
    "meta-webhook-status-bsuid-no-phone.json",
    "meta-webhook-status-delivered.json",
    "meta-webhook-status-failed-131026.json",
    "meta-webhook-status-failed-131049.json",
    "meta-webhook-status-read.json",
    "meta-webhook-status-sent.json",
    "meta-webhook-template-status.json",
];

fn endpoint() -> Webhook {
    Webhook::new("test_app_secret_not_real".into(), "meatyhamhock".into())
}

fn events(name: &str) -> Vec<Event> {
    let fixture = fixture(name);
    let header = fixture["headers"]["X-Hub-Signature-256"].as_str();
    endpoint().receive(header, fixture["raw_body"].as_str().unwrap().as_bytes()).unwrap()
}

fn statuses(events: &[Event]) -> Vec<Status> {
    events
        .iter()
        .map(|event| match event {
            Event::Status(update) => update.status,
            other => panic!("not a status: {other:?}"),
        })
        .collect()
}

#[test]
fn the_signature_covers_the_exact_bytes() {
    let mut reserialised_failures = 0;
    for name in FIXTURES {
        let fixture = fixture(name);
        let raw = fixture["raw_body"].as_str().unwrap();
        let header = fixture["headers"]["X-Hub-Signature-256"].as_str().unwrap();
        endpoint().verify(Some(header), raw.as_bytes()).unwrap();
        assert_eq!(signature(&"test_app_secret_not_real".into(), raw.as_bytes()), header);

        let mut changed = raw.as_bytes().to_vec();
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(endpoint().verify(Some(header), &changed), Err(WebhookError::SignatureMismatch));

        if fixture["reserialised_body_must_fail"] == true {
            let again = serde_json::from_str::<Value>(raw).unwrap().to_string();
            assert_eq!(
                endpoint().verify(Some(header), again.as_bytes()),
                Err(WebhookError::SignatureMismatch),
                "{name}"
            );
            reserialised_failures += 1;
        }
    }
    assert_eq!(reserialised_failures, 2);
}

#[test]
fn what_is_not_signed_is_not_believed() {
    let raw = b"{}";
    let good = signature(&"test_app_secret_not_real".into(), raw);
    for header in [None, Some(""), Some("sha256="), Some("sha1=00"), Some("sha256=zz"), Some(&good[7..])] {
        assert_eq!(endpoint().receive(header, raw), Err(WebhookError::SignatureMissing), "{header:?}");
    }
    let other = signature(&"another secret".into(), raw);
    assert_eq!(endpoint().receive(Some(&other), raw), Err(WebhookError::SignatureMismatch));
    assert_eq!(endpoint().receive(Some(&good), raw), Err(WebhookError::Malformed));
    assert!(endpoint().verify(Some(&good.to_uppercase().replace("SHA256", "sha256")), raw).is_ok());
}

#[test]
fn an_error_shows_nothing_of_the_body() {
    let raw = format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"changes":[{{"field":"messages","value":{{"statuses":"{NUMBER}"}}}}]}}]}}"#
    );
    let header = signature(&"test_app_secret_not_real".into(), raw.as_bytes());
    let error = endpoint().receive(Some(&header), raw.as_bytes()).unwrap_err();
    assert_eq!(error, WebhookError::Malformed);
    assert!(!format!("{error} {error:?} {:?}", endpoint()).contains(NUMBER));
    assert!(!format!("{:?}", endpoint()).contains("secret_not_real"));
}

#[test]
fn subscribing_needs_the_verify_token() {
    let fixture = fixture("meta-webhook-verify.get.json");
    let query = fixture["request"]["query"].as_str().unwrap();
    assert_eq!(endpoint().subscribe(query).unwrap(), fixture["expect"]["body"].as_str().unwrap());
    for query in [
        "",
        "hub.mode=subscribe&hub.challenge=1&hub.verify_token=wrong",
        "hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=meatyhamhock",
        "hub.mode=subscribe&hub.verify_token=meatyhamhock",
        "hub.mode=subscribe&hub.challenge=1&hub.verify_token=meatyham%",
    ] {
        assert_eq!(endpoint().subscribe(query), Err(WebhookError::SubscriptionRefused), "{query}");
    }
    assert_eq!(
        endpoint().subscribe("hub.mode=subscribe&hub.challenge=a%2Bb+c&hub.verify_token=meatyhamhock").unwrap(),
        "a+b c"
    );
}

#[test]
fn a_status_carries_our_own_reference() {
    let events = events("meta-webhook-status-delivered.json");
    let [Event::Status(update)] = &events[..] else { panic!("{events:?}") };
    assert_eq!(update.status, Status::Delivered);
    assert_eq!(update.callback_data.as_deref(), Some("isp1:01JD0000000000000000000001"));
    assert_eq!(update.recipient.as_ref().unwrap().reveal(), NUMBER);
    assert_eq!(update.at.to_rfc3339(), "2026-11-22T02:00:03+00:00");
    let pricing = update.pricing.as_ref().unwrap();
    assert!(pricing.billable && pricing.category == "utility" && pricing.kind.as_deref() == Some("regular"));
    assert!(!format!("{events:?}").contains(NUMBER));
}

#[test]
fn a_customer_without_a_visible_number_is_understood() {
    let events = events("meta-webhook-status-bsuid-no-phone.json");
    let [Event::Status(update)] = &events[..] else { panic!("{events:?}") };
    assert!(update.recipient.is_none());
    assert_eq!(update.recipient_user_id.as_ref().unwrap().reveal(), "ID.1502576394655843");
    assert!(!format!("{events:?}").contains("1502576394655843"));
}

#[test]
fn failures_carry_metas_code() {
    for code in [131_026, 131_049] {
        let events = events(&format!("meta-webhook-status-failed-{code}.json"));
        let [Event::Status(update)] = &events[..] else { panic!("{events:?}") };
        assert_eq!(update.failure(), Some(GraphCode(code)));
    }
}

#[test]
fn a_batch_out_of_order_with_duplicates_ends_as_read() {
    let statuses = statuses(&events("meta-webhook-batch-out-of-order-duplicate.json"));
    assert_eq!(statuses, [Status::Read, Status::Sent, Status::Sent]);
    assert_eq!(statuses.into_iter().fold(Delivery::Queued, Delivery::fold), Delivery::Read);
}

#[test]
fn customers_write_and_press_buttons() {
    let events_text = events("meta-webhook-inbound-text-escapes.json");
    let [Event::Inbound(text)] = &events_text[..] else { panic!("{events_text:?}") };
    let InboundKind::Text(body) = &text.kind else { panic!("{text:?}") };
    assert_eq!(body.reveal(), "sudah bayar 100% ke a@b.id <cek> https://x.id/1 🙏");
    assert!(!format!("{text:?}").contains("sudah bayar"));

    let events_button = events("meta-webhook-inbound-button-optout.json");
    let [Event::Inbound(button)] = &events_button[..] else { panic!("{events_button:?}") };
    assert_eq!(button.kind, InboundKind::Button("OPTOUT".to_owned()));
    assert!(button.in_reply_to.as_deref().unwrap().starts_with("wamid."));
}

#[test]
fn a_paused_template_is_reported() {
    let events = events("meta-webhook-template-status.json");
    let [Event::Template(update)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((update.name.as_str(), update.event.as_str()), ("tagihan_pengingat", "PAUSED"));
    assert_eq!(update.reason, None);
}

#[test]
fn what_is_new_at_meta_is_passed_over_not_refused() {
    let raw = br#"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[
        {"field":"flows","value":{"x":1}},
        {"field":"messages","value":{"statuses":[{"id":"w","status":"warning","timestamp":"1"}]}}]}]}"#;
    let header = signature(&"test_app_secret_not_real".into(), raw);
    assert_eq!(
        endpoint().receive(Some(&header), raw).unwrap(),
        [Event::Ignored("flows".to_owned()), Event::Ignored("warning".to_owned())]
    );
}

#[test]
fn failed_only_counts_before_delivery() {
    let failed = Status::Failed(Some(GraphCode(131_026)));
    assert_eq!(Delivery::Sent.fold(failed), Delivery::Failed(Some(GraphCode(131_026))));
    assert_eq!(Delivery::Delivered.fold(failed), Delivery::Delivered);
    assert_eq!(Delivery::Read.fold(failed), Delivery::Read);
    assert_eq!(Delivery::Queued.fold(failed).fold(Status::Sent), Delivery::Failed(Some(GraphCode(131_026))));
    assert_eq!(Delivery::Queued.fold(failed).fold(Status::Delivered), Delivery::Delivered);
    assert!(!Delivery::Queued.settles_unknown() && Delivery::Queued.fold(failed).settles_unknown());
}

/// One odd event costs its neighbours nothing, wherever it stands.
#[test]
fn an_odd_event_takes_no_neighbour_with_it() {
    let good = |id: &str| format!(r#"{{"id":"wamid.{id}","status":"read","timestamp":"1768600000"}}"#);
    let odd = [
        r#"{"id":"wamid.x","status":"read","timestamp":"not a moment"}"#,
        r#"{"id":"wamid.x","status":"read","timestamp":"99999999999999999"}"#,
        r#"{"id":"wamid.x","status":"read","timestamp":"1768600000000"}"#,
        r#"{"id":"wamid.x","status":"read","timestamp":"1099511627776"}"#,
        r#"{"id":"wamid.x","status":"read","timestamp":"-1"}"#,
        r#"{"id":"wamid.x","status":"read","timestamp":1768600000}"#,
        r#"{"id":7,"status":"read","timestamp":"1768600000"}"#,
        r#"{"status":"read"}"#,
        "null",
        "[]",
        r#""text""#,
    ];
    let receive = |entries: &str| {
        let raw = format!(r#"{{"object":"whatsapp_business_account","entry":{entries}}}"#);
        let header = signature(&"test_app_secret_not_real".into(), raw.as_bytes());
        endpoint().receive(Some(&header), raw.as_bytes())
    };
    let change = |value: &str| format!(r#"[{{"changes":[{{"field":"messages","value":{value}}}]}}]"#);
    for odd in odd {
        let events =
            receive(&change(&format!(r#"{{"statuses":[{},{odd},{}],"messages":null}}"#, good("1"), good("2"))))
                .unwrap();
        assert_eq!(events.len(), 3, "{odd}");
        assert_eq!(events[1], Event::Unreadable("status"), "{odd}");
        for (at, id) in [(0, "wamid.1"), (2, "wamid.2")] {
            assert!(matches!(&events[at], Event::Status(update) if update.message_id == id), "{odd}: {events:?}");
        }
        // Odd messages, changes and entries as well.
        let events = receive(&change(&format!(r#"{{"statuses":[{}],"messages":[{odd}]}}"#, good("1")))).unwrap();
        assert_eq!((events.len(), &events[1]), (2, &Event::Unreadable("message")), "{odd}");
        let whole = format!(r#"{{"field":"messages","value":{{"statuses":[{}]}}}}"#, good("3"));
        let events = receive(&format!(r#"[{odd},{{"changes":[{odd},{whole}]}}]"#)).unwrap();
        assert_eq!(events[..2], [Event::Unreadable("entry"), Event::Unreadable("change")], "{odd}");
        assert!(matches!(&events[2], Event::Status(_)), "{odd}");
        // A list that is none, beside one that is good.
        if !matches!(odd, "null" | "[]") {
            let said = r#"{"id":"wamid.m","timestamp":"1768600000","type":"text","text":{"body":"x"}}"#;
            let events = receive(&change(&format!(r#"{{"statuses":{odd},"messages":[{said}]}}"#))).unwrap();
            assert!(matches!(&events[..], [Event::Unreadable("statuses"), Event::Inbound(_)]), "{odd}: {events:?}");
            let events = receive(&change(&format!(r#"{{"statuses":[{}],"messages":{odd}}}"#, good("4")))).unwrap();
            assert!(matches!(&events[..], [Event::Unreadable("messages"), Event::Status(_)]), "{odd}: {events:?}");
        }
        // Of a body with nothing else Meta is asked again.
        assert_eq!(receive(&change(&format!(r#"{{"statuses":[{odd}]}}"#))), Err(WebhookError::Malformed), "{odd}");
    }
}

/// A name or a text that a phone cut in the middle of an emoji is no text for a strict reader.
#[test]
fn half_a_sign_costs_nobody_else_an_event() {
    let status = r#"{"id":"wamid.1","status":"read","timestamp":"1768600000"}"#;
    let said = |body: &str| {
        let head = r#""id":"wamid.m","from":"6281234567890","timestamp":"1768600000","type":"text""#;
        format!(r#"{{{head},"text":{{"body":"{body}"}}}}"#)
    };
    let bodies = [r"JANJI \ud83d", r"\ude00 JANJI", r"JANJI \ud83d\ude00"].map(|body| said(body).into_bytes());
    let cut = said("JANJI").into_bytes();
    let cut: Vec<u8> = cut.split(|byte| *byte == b'I').collect::<Vec<_>>().join(&b"I\xf0\x9f"[..]);
    for message in bodies.into_iter().chain([cut]) {
        let head =
            br#"{"object":"whatsapp_business_account","entry":[{"changes":[{"field":"messages","value":{"statuses":["#;
        let raw = [&head[..], status.as_bytes(), br#"],"messages":["#, &message, b"]}}]}]}"].concat();
        let events = endpoint().receive(Some(&signature(&"test_app_secret_not_real".into(), &raw)), &raw).unwrap();
        assert!(matches!(&events[..], [Event::Status(_), Event::Inbound(_)]), "{events:?}");
    }
}

fn any_status() -> impl Strategy<Value = Status> {
    prop_oneof![
        Just(Status::Sent),
        Just(Status::Delivered),
        Just(Status::Read),
        prop_oneof![Just(None), (130_000_i64..132_000).prop_map(|code| Some(GraphCode(code)))].prop_map(Status::Failed),
    ]
}

proptest! {
    #[test]
    fn order_and_repetition_do_not_matter(
        (given, shuffled) in prop::collection::vec(any_status(), 0..8)
            .prop_flat_map(|given| (Just(given.clone()), Just(given).prop_shuffle())),
    ) {
        let once = given.iter().copied().fold(Delivery::Queued, Delivery::fold);
        let again = shuffled.iter().chain(&given).copied().fold(Delivery::Queued, Delivery::fold);
        prop_assert_eq!(once, again);
    }

    #[test]
    fn random_bytes_are_refused_not_followed(raw in prop::collection::vec(any::<u8>(), 0..200)) {
        let header = signature(&"test_app_secret_not_real".into(), &raw);
        prop_assert_eq!(endpoint().receive(Some(&header), &raw), Err(WebhookError::Malformed));
    }
}

#[test]
fn an_empty_secret_or_token_verifies_nothing() {
    let body = br#"{"object":"whatsapp_business_account","entry":[]}"#;
    for blank in ["", " ", "\n"] {
        let webhook = Webhook::new(blank.into(), blank.into());
        let header = signature(&blank.into(), body);
        assert_eq!(webhook.verify(Some(&header), body), Err(WebhookError::NotSetUp));
        assert_eq!(webhook.receive(Some(&header), body).unwrap_err().code(), "webhook.not_set_up");
        let query = format!("hub.mode=subscribe&hub.verify_token={}&hub.challenge=1", blank.replace(' ', "+"));
        assert_eq!(webhook.subscribe(&query), Err(WebhookError::NotSetUp));
    }
    // Each half needs only its own.
    let webhook = Webhook::new("secret".into(), "".into());
    webhook.verify(Some(&signature(&"secret".into(), body)), body).unwrap();
}
