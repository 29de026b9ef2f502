//! The simulated Cloud API: as strict as Meta, remembers everything, fails on demand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use chrono::DateTime;
use isp_core::text::Language;
use isp_whatsapp::catalog::TemplateCatalog;
use isp_whatsapp::cloud::CloudClient;
use isp_whatsapp::notification::TemplateKind;
use isp_whatsapp::outcome::Outcome;
use isp_whatsapp::simulator::{Fault, Simulator};
use isp_whatsapp::template::{ParameterFormat, Template};
use isp_whatsapp::webhook::{Delivery, Event, Status, Webhook};
use serde_json::{Value, json};
use support::{NUMBER, due_soon, every_content, fixture, message, reopened};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const PATH: &str = "/v25.0/106540352242922/messages";
const TOKEN: &str = "simulated-access-token";

#[tokio::test]
async fn every_kind_in_both_languages_is_taken() {
    let simulator = Simulator::start().await.unwrap();
    let client = CloudClient::try_new(simulator.config()).unwrap();
    let mut row = 0;
    for content in every_content() {
        for language in [Language::Id, Language::En] {
            row += 1;
            let outcome = client.send_message(&message(row, language, content.clone())).await;
            assert!(matches!(outcome, Outcome::Accepted { .. }), "{language:?} {content:?}: {outcome:?}");
        }
    }
    let messages = simulator.messages();
    assert_eq!((messages.len(), simulator.requests()), (12, 12));
    assert!(simulator.duplicates().is_empty());
    let first = &messages[0];
    assert_eq!(
        first.callback_data.as_deref(),
        Some("0193a0c0-0000-7000-8000-00000000ffff:0193a0c0-0000-7000-8000-000000000001")
    );
    assert_eq!((first.template.as_str(), first.language.as_str()), ("isp_tagihan_pengingat", "id"));
    assert_eq!(first.to.reveal(), NUMBER);
    assert!(
        first
            .parameters
            .iter()
            .any(|(name, text)| { name.as_deref() == Some("jumlah") && text.reveal() == "Rp 165.000" })
    );
    let shown = format!("{messages:?}");
    assert!(!shown.contains(NUMBER) && !shown.contains("Budi"));
}

#[tokio::test]
async fn positional_templates_work_too() {
    let template =
        Template::try_new("bayar", "id", ParameterFormat::Positional, "Halo {{nama}}, bayar {{jumlah}} ya.").unwrap();
    let catalog = TemplateCatalog::standard().with(TemplateKind::DueSoon, Language::Id, template).unwrap();
    let simulator = Simulator::start_with(catalog).await.unwrap();
    let client = CloudClient::try_new(simulator.config()).unwrap();
    let outcome = client.send_message(&message(1, Language::Id, due_soon())).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    assert_eq!(simulator.messages()[0].text.reveal(), "Halo Budi Santoso, bayar Rp 165.000 ya.");
    assert!(simulator.messages()[0].parameters.iter().all(|(name, _)| name.is_none()));
}

#[tokio::test]
async fn a_template_that_differs_from_metas_is_a_configuration_error() {
    let simulator = Simulator::start().await.unwrap();
    let changed =
        Template::try_new("isp_layanan_dibuka", "id", ParameterFormat::Named, "Halo {{nama}}, sudah dibuka.").unwrap();
    let catalog = TemplateCatalog::standard().with(TemplateKind::Reopened, Language::Id, changed).unwrap();
    let client = CloudClient::try_new(simulator.config().with_templates(catalog)).unwrap();
    let outcome = client.send_message(&reopened(1)).await;
    assert_eq!(format!("{outcome:?}"), "ConfigError(Graph(GraphCode(132000)))");
    assert!(!outcome.retryable());
}

async fn raw(simulator: &Simulator, path: &str, token: &str, body: &str) -> (u16, Value) {
    let address = simulator.base_url().replace("http://", "");
    let mut stream = TcpStream::connect(address).await.unwrap();
    exchange(&mut stream, path, token, body).await
}

async fn exchange(stream: &mut TcpStream, path: &str, token: &str, body: &str) -> (u16, Value) {
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    loop {
        assert!(stream.read_buf(&mut answer).await.unwrap() > 0);
        let text = String::from_utf8(answer.clone()).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length: usize =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
        if body.len() == length {
            return (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap());
        }
    }
}

fn good() -> Value {
    json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": NUMBER, "type": "template",
        "biz_opaque_callback_data": "t:1",
        "template": {
            "name": "isp_layanan_dibuka", "language": { "policy": "deterministic", "code": "id" },
            "components": [{ "type": "body", "parameters": [
                { "type": "text", "parameter_name": "nama", "text": "Budi" },
                { "type": "text", "parameter_name": "sejak", "text": "25 November 2026" },
                { "type": "text", "parameter_name": "paket", "text": "Rumah 20" },
            ]}],
        },
    })
}

#[tokio::test]
async fn each_mistake_in_a_request_gets_metas_code() {
    let simulator = Simulator::start().await.unwrap();
    assert_eq!(raw(&simulator, PATH, TOKEN, &good().to_string()).await.0, 200);
    let cases: [(&str, Value, i64); 13] = [
        ("/to", json!("+6281234567890"), 131_009),
        ("/to", json!("0812"), 131_009),
        ("/type", json!("text"), 100),
        ("/messaging_product", json!("sms"), 100),
        ("/biz_opaque_callback_data", json!("x".repeat(513)), 131_009),
        ("/template/name", json!("isp_tidak_ada"), 132_001),
        ("/template/language/code", json!("id_ID"), 132_001),
        ("/template/components/0/parameters", json!([]), 132_000),
        ("/template/components/0/parameters/0/parameter_name", json!("name"), 132_012),
        ("/template/components/0/parameters/0/text", json!("Budi\nSantoso"), 132_018),
        ("/template/components/0/parameters/0/text", json!("Budi     Santoso"), 132_018),
        ("/template/components/0/parameters/0/text", json!(""), 131_008),
        ("/template/components/0/parameters/0/text", json!("x".repeat(1000)), 132_005),
    ];
    for (pointer, value, code) in cases {
        let mut body = good();
        *body.pointer_mut(pointer).unwrap() = value;
        let (status, answer) = raw(&simulator, PATH, TOKEN, &body.to_string()).await;
        assert_eq!(answer["error"]["code"], code, "{pointer}");
        assert!(status >= 400 && !answer.to_string().contains("Budi"));
    }
    let mut unknown_field = good();
    unknown_field["tempalte"] = json!(1);
    for (path, token, body, code) in [
        (PATH, "wrong", good().to_string(), 190),
        ("/v25.0/1/messages", TOKEN, good().to_string(), 100),
        (PATH, TOKEN, "{".to_owned(), 100),
        (PATH, TOKEN, unknown_field.to_string(), 100),
    ] {
        assert_eq!(raw(&simulator, path, token, &body).await.1["error"]["code"], code);
    }
    assert_eq!(simulator.messages().len(), 1);
}

#[tokio::test]
async fn requests_of_metas_documentation_have_the_shape_that_is_checked() {
    let named = fixture("meta-send-template-named.request.json");
    let mut body = named["body"].clone();
    // The standard texts have no document header and no button.
    let components = body["template"]["components"].as_array_mut().unwrap();
    components.retain(|component| component["type"] == "body");
    let texts = "Halo {{nama}}, {{nomor_invoice}} sebesar {{jumlah}}, {{jatuh_tempo}}.";
    let (status, answer) = {
        // `nomor_invoice` is not a parameter of ours, so the catalog would refuse it; name it as we do.
        let body = body.to_string().replace("nomor_invoice", "nomor_tagihan");
        let template = Template::try_new(
            "tagihan_pengingat",
            "id",
            ParameterFormat::Named,
            texts.replace("nomor_invoice", "nomor_tagihan"),
        )
        .unwrap();
        let catalog = TemplateCatalog::standard().with(TemplateKind::DueSoon, Language::Id, template).unwrap();
        let simulator = Simulator::start_with(catalog).await.unwrap();
        raw(&simulator, PATH, TOKEN, &body).await
    };
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["messages"][0]["message_status"], "accepted");
}

#[tokio::test]
async fn one_connection_serves_many_requests_and_bad_http_is_cut() {
    let simulator = Simulator::start().await.unwrap();
    let address = simulator.base_url().replace("http://", "");
    let mut stream = TcpStream::connect(&address).await.unwrap();
    for _ in 0..3 {
        assert_eq!(exchange(&mut stream, PATH, TOKEN, &good().to_string()).await.0, 200);
    }
    assert_eq!(simulator.duplicates()[0].count, 3);
    for bad in ["hello\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n"] {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(bad.as_bytes()).await.unwrap();
        assert_eq!(stream.read(&mut [0; 16]).await.unwrap_or(0), 0);
    }
}

#[tokio::test]
async fn down_cuts_and_up_comes_back_on_the_same_port_with_its_memory() {
    let mut simulator = Simulator::start().await.unwrap();
    let client = CloudClient::try_new(simulator.config()).unwrap();
    let address = simulator.base_url();
    assert!(matches!(client.send_message(&reopened(1)).await, Outcome::Accepted { .. }));
    for round in 0..3 {
        simulator.down().await.unwrap();
        simulator.down().await.unwrap();
        assert!(TcpStream::connect(address.replace("http://", "")).await.is_err());
        simulator.up().unwrap();
        simulator.up().unwrap();
        assert_eq!(simulator.base_url(), address);
        assert!(matches!(client.send_message(&reopened(2 + round)).await, Outcome::Accepted { .. }));
    }
    assert_eq!(simulator.messages().len(), 4);
}

#[tokio::test]
async fn many_clients_at_once() {
    let simulator = Simulator::start().await.unwrap();
    let client = CloudClient::try_new(simulator.config()).unwrap();
    let tasks: Vec<_> = (0..50)
        .map(|row| {
            let client = client.clone();
            tokio::spawn(async move { client.send_message(&reopened(row)).await })
        })
        .collect();
    for task in tasks {
        assert!(matches!(task.await.unwrap(), Outcome::Accepted { .. }));
    }
    assert_eq!(simulator.messages().len(), 50);
    assert!(simulator.duplicates().is_empty());
}

#[tokio::test]
async fn a_lost_reply_is_settled_by_the_status_webhook() {
    let simulator = Simulator::start().await.unwrap();
    let client = CloudClient::try_new(simulator.config()).unwrap();
    simulator.fail_next(1, Fault::ReplyLost);
    assert!(matches!(client.send_message(&reopened(7)).await, Outcome::Unknown(_)));

    let id = simulator.messages()[0].message_id.clone();
    let at = DateTime::from_timestamp(1_795_312_800, 0).unwrap();
    let webhook = simulator.status_webhook(&[(&id, Status::Delivered), (&id, Status::Sent)], at).unwrap();
    let endpoint = Webhook::new(simulator.app_secret(), "x".into());
    let events = endpoint.receive(Some(&webhook.signature), &webhook.body).unwrap();
    let mut delivery = Delivery::Queued;
    for event in &events {
        let Event::Status(update) = event else { panic!("{event:?}") };
        assert!(update.callback_data.as_deref().unwrap().ends_with("000000000007"));
        delivery = delivery.fold(update.status);
    }
    assert_eq!((events.len(), delivery), (2, Delivery::Delivered));
    assert!(delivery.settles_unknown());
    assert!(simulator.status_webhook(&[("wamid.never", Status::Sent)], at).is_err());
}

#[tokio::test]
async fn webhooks_are_posted_as_signed() {
    let simulator = Simulator::start().await.unwrap();
    let client = CloudClient::try_new(simulator.config()).unwrap();
    assert!(matches!(client.send_message(&reopened(1)).await, Outcome::Accepted { .. }));
    let id = simulator.messages()[0].message_id.clone();
    let at = DateTime::from_timestamp(1_795_312_800, 0).unwrap();
    let webhook =
        simulator.status_webhook(&[(&id, Status::Failed(Some(isp_whatsapp::graph::GraphCode(131_026))))], at).unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhook", listener.local_addr().unwrap());
    let receiver = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut received = Vec::new();
        while !received.ends_with(b"_account\"}") {
            assert!(stream.read_buf(&mut received).await.unwrap() > 0);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        String::from_utf8(received).unwrap()
    });
    assert_eq!(simulator.post_webhook(&url, &webhook).await.unwrap(), 200);
    let received = receiver.await.unwrap();
    let (head, body) = received.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("x-hub-signature-256: {}", webhook.signature)));
    let events =
        Webhook::new(simulator.app_secret(), "x".into()).receive(Some(&webhook.signature), body.as_bytes()).unwrap();
    assert!(matches!(&events[..], [Event::Status(update)] if update.failure().is_some()));
    assert!(simulator.post_webhook("http://192.0.2.1/", &webhook).await.is_err(), "loopback only");
}
