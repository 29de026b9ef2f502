//! Every error class, by Meta's code; and what is known when there is no answer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::Duration;

use isp_whatsapp::cloud::{CloudClient, CloudConfig};
use isp_whatsapp::graph::{GraphClass, GraphCode};
use isp_whatsapp::outcome::{ConfigFault, DownCause, Outcome, RetryScope, UnknownCause, Unreachable};
use isp_whatsapp::simulator::{Fault, Simulator};
use support::{NUMBER, fixture, reopened};

#[test]
fn the_whole_table_of_codes() {
    use GraphClass::{
        ChannelDown, Configuration, Media, NeedsTemplate, NotNow, Quality, Recipient, SlowNumber, SlowPair, Template,
        Transient, Unavailable,
    };
    let table: [(GraphClass, &[i64]); 12] = [
        (SlowNumber, &[130_429, 4, 80_007]),
        (SlowPair, &[131_056]),
        (Unavailable, &[2, 131_016, 131_057, 133_004]),
        (Transient, &[131_000, 999_999]),
        (
            ChannelDown,
            &[
                190, 0, 3, 10, 33, 200, 250, 299, 368, 131_005, 131_031, 131_042, 131_045, 130_497, 131_037, 131_051,
                133_010,
            ],
        ),
        (Quality, &[131_048, 131_064]),
        (Template, &[131_008, 132_000, 132_001, 132_007, 132_012, 132_015, 132_016]),
        (Configuration, &[100, 131_009, 132_005, 132_018]),
        (Recipient, &[131_026, 131_021, 131_030, 130_472, 131_050]),
        (NotNow, &[131_049]),
        (NeedsTemplate, &[131_047]),
        (Media, &[131_052, 131_053]),
    ];
    for (class, codes) in table {
        for code in codes {
            assert_eq!(GraphCode(*code).class(), class, "{code}");
        }
    }
}

#[test]
fn recorded_answers_are_read_by_code_whatever_the_http_status() {
    let code = |n| GraphCode(n);
    let retry =
        |n, seconds, scope| Outcome::RetryAfter { at_least: Duration::from_secs(seconds), scope, code: code(n) };
    let expected = [
        (130_429, retry(130_429, 30, RetryScope::Number)),
        (131_056, retry(131_056, 6, RetryScope::Recipient)),
        (131_000, retry(131_000, 60, RetryScope::Message)),
        (131_016, retry(131_016, 60, RetryScope::Account)),
        (131_047, Outcome::ConfigError(ConfigFault::Graph(code(131_047)))),
        (132_000, Outcome::ConfigError(ConfigFault::Graph(code(132_000)))),
        (132_001, Outcome::ConfigError(ConfigFault::Graph(code(132_001)))),
        (190, Outcome::ChannelDown(DownCause::Account(code(190)))),
    ];
    for (number, outcome) in expected {
        let answer = fixture(&format!("meta-error-{number}.response.json"));
        let body = answer["body"].to_string();
        for status in [u16::try_from(answer["status"].as_u64().unwrap()).unwrap(), 200, 400, 500, 503] {
            assert_eq!(Outcome::from_answer(status, body.as_bytes()), outcome, "{number} with {status}");
        }
    }
    assert_eq!(Outcome::from_code(code(131_026)), Outcome::RecipientRejected { code: code(131_026) });
    assert_eq!(Outcome::from_code(code(131_049)), retry(131_049, 86_400, RetryScope::Recipient));
    assert_eq!(Outcome::from_code(code(131_048)), Outcome::ChannelDown(DownCause::Quality(code(131_048))));
}

#[test]
fn a_200_is_not_always_a_send() {
    let id = |name: &str| {
        let answer = fixture(name);
        Outcome::from_answer(200, answer["body"].to_string().as_bytes())
    };
    assert_eq!(
        id("meta-send.ok.response.json"),
        Outcome::Accepted { message_id: "wamid.HBgNNjI4MTIzNDU2Nzg5MBUCABEYEjAxAA==".to_owned() }
    );
    assert_eq!(
        id("meta-send.held.response.json"),
        Outcome::Held { message_id: "wamid.HBgNNjI4MTIzNDU2Nzg5MBUCABEYEjAyAA==".to_owned() }
    );
}

#[test]
fn an_answer_that_is_not_from_graph() {
    for (status, body) in [(502, "<html>"), (500, ""), (503, "{}"), (200, "ok"), (200, r#"{"messages":[]}"#), (408, "")]
    {
        let outcome = Outcome::from_answer(status, body.as_bytes());
        assert_eq!(outcome, Outcome::Unknown(UnknownCause::Unreadable(status)));
        assert!(!outcome.retryable());
    }
    // A captive portal answers 200, a proxy without a way on 503: neither has taken anything.
    for status in [200, 302, 403, 404, 413, 429, 503] {
        let outcome = Outcome::from_answer(status, b"\n<html>portal</html>");
        assert_eq!(outcome, Outcome::ChannelDown(DownCause::NotGraph(status)));
        assert!(outcome.retryable());
    }
    for body in ["", "Service Unavailable"] {
        assert_eq!(Outcome::from_answer(503, body.as_bytes()), Outcome::ChannelDown(DownCause::NotGraph(503)));
    }
}

#[tokio::test]
async fn refused_connections_are_certainly_not_sent() {
    let mut simulator = Simulator::start().await.unwrap();
    let client = CloudClient::try_new(simulator.config()).unwrap();
    simulator.down().await.unwrap();
    let outcome = client.send_message(&reopened(1)).await;
    assert_eq!(outcome, Outcome::ChannelDown(DownCause::Unreachable(Unreachable::ConnectFailed)));
    assert!(outcome.retryable());
    simulator.up().unwrap();
    assert!(matches!(client.send_message(&reopened(1)).await, Outcome::Accepted { .. }));
    assert!(simulator.duplicates().is_empty());
}

/// What answers there speaks no TLS, such as a box in between.
#[tokio::test]
async fn no_tls_is_told_as_such_and_is_certainly_not_sent() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let page = b"HTTP/1.1 400 Bad Request\r\n\r\n<html>";
            tokio::io::AsyncWriteExt::write_all(&mut stream, page).await.unwrap();
        }
    });
    let simulator = Simulator::start().await.unwrap();
    let client = CloudClient::try_new(simulator.config().with_base_url(&url)).unwrap();
    let outcome = client.send_message(&reopened(1)).await;
    assert_eq!(outcome, Outcome::ChannelDown(DownCause::Unreachable(Unreachable::NoTls)));
    assert!(outcome.retryable() && outcome.to_string().contains("TLS"), "{outcome}");
}

#[tokio::test]
async fn what_is_not_known_says_so_and_is_not_repeated() {
    let simulator = Simulator::start().await.unwrap();
    let client = CloudClient::try_new(simulator.config().with_deadline(Duration::from_millis(300))).unwrap();
    for (fault, cause, arrived) in [
        (Fault::Hang, UnknownCause::Timeout, 0),
        (Fault::Reset, UnknownCause::ConnectionLost, 0),
        (Fault::Status(502), UnknownCause::Unreadable(502), 0),
        (Fault::ReplyLost, UnknownCause::ConnectionLost, 1),
        (Fault::StatusAfterAccept(500), UnknownCause::Unreadable(500), 1),
        (Fault::Garbled, UnknownCause::Unreadable(200), 1),
    ] {
        let (requests, accepted) = (simulator.requests(), simulator.messages().len());
        simulator.fail_next(1, fault);
        let outcome = client.send_message(&reopened(1)).await;
        assert_eq!(outcome, Outcome::Unknown(cause), "{fault:?}");
        assert!(!outcome.retryable());
        assert_eq!(simulator.requests() - requests, 1, "{fault:?} was repeated");
        assert_eq!(simulator.messages().len() - accepted, arrived, "{fault:?}");
    }
}

/// What Meta says of a number that was deleted, mistyped or is not the token's. As the answer to a message it meets all; to a look it
/// may be said to a token that may send and not look.
#[test]
fn a_number_that_does_not_exist_is_the_channel_s_fault() {
    let body = |subcode: &str| {
        format!(
            r#"{{"error":{{"message":"Unsupported post request. Object with ID '1' does not exist","type":"GraphMethodException","code":100{subcode},"fbtrace_id":"A"}}}}"#
        )
    };
    let said = Outcome::from_answer(400, body(r#","error_subcode":33"#).as_bytes());
    assert_eq!(said, Outcome::ChannelDown(DownCause::Account(GraphCode(33))));
    for other in ["", r#","error_subcode":2494010"#, r#","error_subcode":null"#, r#","error_subcode":"x""#] {
        let said = Outcome::from_answer(400, body(other).as_bytes());
        assert_eq!(said, Outcome::ConfigError(ConfigFault::Graph(GraphCode(100))), "{other}");
    }
}

/// A look at the number costs no message and tells what would meet every message.
#[tokio::test]
async fn the_channel_is_asked_before_a_message_is_risked() {
    use isp_core::ports::{Messenger as _, PortError, SendOutcome};
    let mut simulator = Simulator::start().await.unwrap();
    let client = CloudClient::try_new(simulator.config().with_deadline(Duration::from_millis(300))).unwrap();
    assert_eq!(client.probe().await, Ok(None));
    // What concerns one message, or loses the answer to one, does not show.
    for fault in [Fault::Graph(GraphCode(131_026)), Fault::Graph(GraphCode(132_001)), Fault::ReplyLost, Fault::Held] {
        simulator.fail_always(fault);
        assert_eq!(client.probe().await, Ok(None), "{fault:?}");
    }
    for fault in [Fault::Hang, Fault::Reset, Fault::Status(500), Fault::Status(503), Fault::Status(200)] {
        simulator.fail_always(fault);
        assert!(matches!(client.probe().await, Err(PortError::NotSent { .. })), "{fault:?}");
    }
    for code in [0, 33, 190] {
        simulator.fail_always(Fault::Graph(GraphCode(code)));
        assert!(matches!(client.probe().await, Ok(Some(SendOutcome::ChannelDown { .. }))), "{code}");
    }
    for code in [4, 130_429, 131_016] {
        simulator.fail_always(Fault::Graph(GraphCode(code)));
        assert!(matches!(client.probe().await, Ok(Some(SendOutcome::RetryAfter { .. }))), "{code}");
    }
    simulator.recover();
    simulator.down().await.unwrap();
    assert!(matches!(client.probe().await, Err(PortError::NotSent { .. })));
    assert_eq!((simulator.requests(), simulator.messages().len()), (0, 0));
}

#[tokio::test]
async fn graph_errors_for_one_recipient_and_for_the_number() {
    let simulator = Simulator::start().await.unwrap();
    let client = CloudClient::try_new(simulator.config()).unwrap();
    simulator.fail_recipient(NUMBER, GraphCode(131_026));
    assert_eq!(client.send_message(&reopened(1)).await, Outcome::RecipientRejected { code: GraphCode(131_026) });
    simulator.recover();
    simulator.fail_always(Fault::Graph(GraphCode(130_429)));
    for _ in 0..2 {
        assert!(matches!(
            client.send_message(&reopened(1)).await,
            Outcome::RetryAfter { scope: RetryScope::Number, .. }
        ));
    }
    simulator.recover();
    simulator.fail_next(1, Fault::Held);
    assert!(matches!(client.send_message(&reopened(1)).await, Outcome::Held { .. }));
    assert!(matches!(client.send_message(&reopened(2)).await, Outcome::Accepted { .. }));
    assert_eq!(simulator.messages().len(), 2);
}

#[tokio::test]
async fn a_wrong_token_takes_the_channel_down_and_is_never_shown() {
    let simulator = Simulator::start().await.unwrap();
    let config = CloudConfig::new("106540352242922", "not-the-token".into()).with_base_url(simulator.base_url());
    assert!(!format!("{config:?}").contains("not-the-token"));
    let client = CloudClient::try_new(config).unwrap();
    assert!(!format!("{client:?}").contains("not-the-token"));
    assert_eq!(client.send_message(&reopened(1)).await, Outcome::ChannelDown(DownCause::Account(GraphCode(190))));
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let with = |base: &str| CloudClient::try_new(CloudConfig::new("1065", "t".into()).with_base_url(base));
    assert_eq!(with("not an address").unwrap_err().code(), "whatsapp.bad_base_url");
    assert_eq!(with("ftp://graph.facebook.com").unwrap_err().code(), "whatsapp.bad_base_url");
    assert_eq!(with("http://graph.facebook.com").unwrap_err().code(), "whatsapp.insecure_base_url");
    assert!(with("https://graph.facebook.com").is_ok());
    assert!(with("http://[::1]:8080").is_ok());
    for (number, version) in [("1065/x", "v25.0"), ("", "v25.0"), ("1065", ".."), ("1065", "v25.0?x")] {
        let config = CloudConfig::new(number, "t".into()).with_graph_version(version);
        assert_eq!(CloudClient::try_new(config).unwrap_err().code(), "whatsapp.bad_setting");
    }
    // The second line of a token file would make every request one that cannot be sent.
    for token in ["", "EAAG first\n", "EAAG\nEAAH", "EAAG\u{a0}"] {
        let config = CloudConfig::new("1065", token.into());
        assert_eq!(CloudClient::try_new(config).unwrap_err().code(), "whatsapp.bad_token");
    }
}
