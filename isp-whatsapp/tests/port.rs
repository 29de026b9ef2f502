//! The port: what each outcome means to the engine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::Duration;

use isp_core::ports::{Messenger, PortError, SendOutcome};
use isp_whatsapp::cloud::CloudClient;
use isp_whatsapp::graph::GraphCode;
use isp_whatsapp::simulator::{Fault, Simulator};
use support::{NUMBER, reopened};

async fn send(client: &dyn Messenger) -> Result<SendOutcome, PortError> {
    client.send(&reopened(1)).await
}

#[tokio::test]
async fn the_engine_sees_what_is_known_and_nothing_personal() {
    let mut simulator = Simulator::start().await.unwrap();
    let client = CloudClient::try_new(simulator.config().with_deadline(Duration::from_millis(300))).unwrap();
    let graph = |code| Fault::Graph(GraphCode(code));
    let mut shown = String::new();
    for (fault, expected) in [
        (graph(130_429), "RetryAfter 30 Number"),
        (graph(131_049), "RetryAfter 86400 Recipient"),
        (graph(131_026), "RecipientRejected"),
        (graph(132_001), "RetryAfter 0 Template"),
        (graph(100), "ConfigError"),
        (graph(131_016), "RetryAfter 60 Account"),
        (graph(131_056), "RetryAfter 6 Recipient"),
        (graph(190), "ChannelDown"),
        (graph(131_048), "ChannelDown"),
        (Fault::Held, "Held"),
        (Fault::Status(404), "NotSent"),
        (Fault::Hang, "Unknown"),
        (Fault::ReplyLost, "Unknown"),
        (Fault::Status(500), "Unknown"),
    ] {
        simulator.fail_next(1, fault);
        let result = send(&client).await;
        let word = match &result {
            Ok(SendOutcome::Accepted { .. }) => "Accepted".to_owned(),
            Ok(SendOutcome::Held { provider_id }) if provider_id.starts_with("wamid.") => "Held".to_owned(),
            Ok(SendOutcome::RetryAfter { seconds, scope, .. }) => format!("RetryAfter {seconds} {scope:?}"),
            Ok(SendOutcome::RecipientRejected { .. }) => "RecipientRejected".to_owned(),
            Ok(SendOutcome::ConfigError { .. }) => "ConfigError".to_owned(),
            Ok(SendOutcome::ChannelDown { .. }) => "ChannelDown".to_owned(),
            Err(PortError::NotSent { .. }) => "NotSent".to_owned(),
            Err(PortError::Unknown { .. }) => "Unknown".to_owned(),
            other => panic!("{other:?}"),
        };
        assert_eq!(word, expected, "{fault:?}");
        shown += &format!("{result:?}");
    }
    assert!(matches!(send(&client).await, Ok(SendOutcome::Accepted { .. })));
    simulator.down().await.unwrap();
    assert!(matches!(send(&client).await, Err(PortError::NotSent { .. })));
    assert!(!shown.contains(NUMBER) && !shown.contains("Budi"));
}
