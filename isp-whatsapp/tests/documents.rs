//! Messages with a document above the text: the file is uploaded, and the message names it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use isp_core::message::Document;
use isp_core::message::notification::OutgoingMessage;
use isp_core::ports::{Attachment, Messenger, PortError, RetryScope, SendOutcome, Upload};
use isp_core::text::Language;
use isp_whatsapp::catalog::TemplateCatalog;
use isp_whatsapp::cloud::CloudClient;
use isp_whatsapp::graph::GraphCode;
use isp_whatsapp::notification::TemplateKind;
use isp_whatsapp::outcome::{ConfigFault, DownCause, Outcome, Unreachable};
use isp_whatsapp::simulator::{Fault, Simulator};
use serde_json::json;
use support::{due_soon, every_content, fixture, isolated, message, payment, reopened};

fn document() -> Document {
    Document { name: "INV-2026-11-0042.pdf".to_owned(), content: b"%PDF-1.7 sample".to_vec() }
}

fn kept_file() -> Attachment {
    Attachment { id: "4711".to_owned(), name: document().name }
}

/// The file goes up, and then its message goes.
async fn outcome_of(client: &CloudClient, message: &OutgoingMessage) -> Outcome {
    match client.upload(&document()).await {
        Ok(file) => client.send_message_with(message, &file).await,
        Err(outcome) => outcome,
    }
}

/// The same by the port.
async fn sent(client: &CloudClient, message: &OutgoingMessage) -> Result<SendOutcome, PortError> {
    let channel: &dyn Messenger = client;
    match channel.upload(&document()).await? {
        Upload::Kept(file) => channel.send_with(message, &file).await,
        Upload::Refused(said) => Ok(said),
    }
}

async fn start() -> (Simulator, CloudClient) {
    let simulator = Simulator::start().await.unwrap();
    let templates = TemplateCatalog::standard().with_documents(&TemplateKind::WITH_DOCUMENT).unwrap();
    let config = simulator.config().with_templates(templates).with_deadline(std::time::Duration::from_secs(2));
    let client = CloudClient::try_new(config).unwrap();
    (simulator, client)
}

#[tokio::test]
async fn the_file_goes_up_and_the_message_names_it() {
    let (simulator, client) = start().await;
    let asks = message(1, Language::Id, due_soon());
    assert!(client.wants_document(&asks) && !client.wants_document(&reopened(2)));
    let outcome = sent(&client, &asks).await.unwrap();
    assert!(matches!(outcome, SendOutcome::Accepted { .. }), "{outcome:?}");
    let [taken] = simulator.messages().try_into().unwrap();
    assert_eq!(taken.template, "isp_tagihan_pengingat_pdf");
    let file = taken.document.unwrap();
    assert_eq!((file.name.as_str(), file.kind.as_str()), ("INV-2026-11-0042.pdf", "application/pdf"));
    assert_eq!(file.content, document().content);
    // A kind without a document goes as ever, whatever is given.
    let outcome = client.send_with(&reopened(2), &kept_file()).await.unwrap();
    assert!(matches!(outcome, SendOutcome::Accepted { .. }), "{outcome:?}");
    assert_eq!((simulator.uploads(), simulator.requests()), (1, 2));
    assert!(simulator.messages()[1].document.is_none() && simulator.duplicates().is_empty());
    assert!(!format!("{:?} {:?}", simulator.messages(), document()).contains("sample"));
}

#[tokio::test]
async fn every_kind_that_may_have_one_does_in_both_languages() {
    let (simulator, client) = start().await;
    for (row, content) in (1..).zip([due_soon(), support::overdue(), isolated(165_000), payment()]) {
        for language in [Language::Id, Language::En] {
            let asks = message(row * 2 + u8::from(language == Language::En), language, content.clone());
            assert!(matches!(outcome_of(&client, &asks).await, Outcome::Accepted { .. }), "{content:?}");
        }
    }
    assert!(simulator.messages().iter().all(|taken| taken.template.ends_with("_pdf") && taken.document.is_some()));
    assert!(TemplateCatalog::standard().with_documents(&[TemplateKind::Reopened]).is_err());
}

/// As Meta's own description of its API has them.
#[tokio::test]
async fn upload_and_message_have_the_shape_of_meta() {
    let upload = fixture("meta-media-upload.request.json");
    assert_eq!(upload["multipart"]["messaging_product"], "whatsapp");
    let header = &fixture("meta-send-template-named.request.json")["body"]["template"]["components"][0];
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (base, seen) = (format!("http://{}", listener.local_addr().unwrap()), tokio::spawn(answer_twice(listener)));
    let templates = TemplateCatalog::standard().with_documents(&[TemplateKind::DueSoon]).unwrap();
    let config = isp_whatsapp::cloud::CloudConfig::new("106540352242922", "token".into());
    let client = CloudClient::try_new(config.with_base_url(base).with_templates(templates)).unwrap();
    let outcome = outcome_of(&client, &message(1, Language::Id, due_soon())).await;
    assert_eq!(outcome, Outcome::Accepted { message_id: "wamid.1".to_owned() });
    let [first, second] = seen.await.unwrap();
    assert!(first.starts_with("POST /v25.0/106540352242922/media HTTP/1.1\r\n"), "{first}");
    for part in [
        "name=\"messaging_product\"\r\n\r\nwhatsapp\r\n",
        "name=\"type\"\r\n\r\napplication/pdf\r\n",
        "name=\"file\"; filename=\"INV-2026-11-0042.pdf\"\r\nContent-Type: application/pdf\r\n\r\n%PDF-1.7 sample\r\n",
    ] {
        assert!(first.contains(part), "{part}: {first}");
    }
    assert!(second.starts_with("POST /v25.0/106540352242922/messages HTTP/1.1\r\n"), "{second}");
    let body: serde_json::Value = serde_json::from_str(second.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(&body["template"]["components"][0], header);
    assert_eq!(body["template"]["components"][1]["type"], "body");
}

async fn answer_twice(listener: tokio::net::TcpListener) -> [String; 2] {
    let (stream, _) = listener.accept().await.unwrap();
    let mut connection = isp_http::server::Connection::new(stream);
    let mut seen = Vec::new();
    for body in [json!({ "id": "1013859600285441" }), json!({ "messages": [{ "id": "wamid.1" }] })] {
        let request = connection.request().await.unwrap().unwrap();
        connection.respond(200, "application/json", body.to_string().as_bytes()).await.unwrap();
        let head = format!("{} {} HTTP/1.1\r\n", request.method, request.path);
        seen.push(format!("{head}\r\n\r\n{}", String::from_utf8_lossy(&request.body)).replacen(
            "\r\n\r\n\r\n",
            "\r\n\r\n",
            1,
        ));
    }
    seen.try_into().unwrap()
}

/// What fails before the message is given to Meta is certainly not sent, however it fails; so it may be tried again.
#[tokio::test]
async fn a_failed_upload_is_no_message_and_is_told_by_the_same_table() {
    let (simulator, client) = start().await;
    let down = |cause| Outcome::ChannelDown(cause);
    let unanswered = down(DownCause::Unreachable(Unreachable::NoAnswer));
    for (fault, told) in [
        (Fault::Status(500), down(DownCause::NotGraph(500))),
        (Fault::StatusAfterAccept(502), down(DownCause::NotGraph(502))),
        (Fault::Garbled, down(DownCause::NotGraph(200))),
        (Fault::Reset, unanswered.clone()),
        (Fault::ReplyLost, unanswered.clone()),
        (Fault::Hang, unanswered),
        (Fault::Graph(GraphCode(190)), Outcome::from_code(GraphCode(190))),
        (Fault::Graph(GraphCode(130_429)), Outcome::from_code(GraphCode(130_429))),
        (Fault::Graph(GraphCode(100)), Outcome::ConfigError(ConfigFault::Graph(GraphCode(100)))),
    ] {
        simulator.fail_uploads(1, fault);
        let outcome = outcome_of(&client, &message(1, Language::Id, due_soon())).await;
        assert_eq!(outcome, told, "{fault:?}");
        assert!(!matches!(outcome.into_port(), Err(PortError::Unknown { .. })), "{fault:?}");
        assert_eq!(simulator.requests(), 0, "{fault:?}: no message was tried");
    }
    assert!(matches!(outcome_of(&client, &message(1, Language::Id, due_soon())).await, Outcome::Accepted { .. }));
}

/// Once the message itself is under way, nobody knows, as ever.
#[tokio::test]
async fn a_lost_answer_to_the_message_is_unknown_and_is_not_tried_again() {
    let (simulator, client) = start().await;
    simulator.fail_next(1, Fault::ReplyLost);
    let outcome = sent(&client, &message(1, Language::Id, due_soon())).await;
    assert!(matches!(outcome, Err(PortError::Unknown { .. })), "{outcome:?}");
    assert_eq!((simulator.uploads(), simulator.messages().len()), (1, 1));
}

/// The message waits as one that met trouble, and goes up anew with the next try; after a dozen it is given to a person.
#[tokio::test]
async fn a_file_that_meta_does_not_find_is_uploaded_anew() {
    let (simulator, client) = start().await;
    let asks = message(1, Language::Id, due_soon());
    for (code, reason) in [
        (131_053, "whatsapp error 131053: the document was not taken"),
        (131_052, "whatsapp error 131052: the document was not taken"),
    ] {
        simulator.fail_next(1, Fault::Graph(GraphCode(code)));
        let outcome = sent(&client, &asks).await.unwrap();
        let SendOutcome::RetryAfter { scope: RetryScope::Message, reason: said, .. } = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(said, reason);
    }
    assert!(matches!(outcome_of(&client, &asks).await, Outcome::Accepted { .. }));
    assert_eq!((simulator.uploads(), simulator.requests(), simulator.messages().len()), (3, 3, 1));
    assert!(simulator.duplicates().is_empty());
}

#[tokio::test]
async fn the_simulator_refuses_files_as_meta_does() {
    let (simulator, client) = start().await;
    let refused = |outcome: Result<Attachment, Outcome>| outcome.unwrap_err();
    let wrong = |code| Outcome::ConfigError(ConfigFault::Graph(GraphCode(code)));
    assert_eq!(refused(client.upload(&Document { content: Vec::new(), ..document() }).await), wrong(100));
    simulator.limit_media(10);
    assert_eq!(refused(client.upload(&document()).await), wrong(100));
    simulator.limit_media(100);
    let id = client.upload(&document()).await.unwrap().id;
    assert_eq!(simulator.media()[0].id, id);
    // Another kind of file, by hand.
    let form = reqwest::multipart::Form::new().text("messaging_product", "whatsapp").part(
        "file",
        reqwest::multipart::Part::bytes(b"MZ".to_vec())
            .file_name("a.exe")
            .mime_str("application/x-msdownload")
            .unwrap(),
    );
    let http = isp_http::client(std::time::Duration::from_secs(5)).unwrap();
    let address = format!("{}/v25.0/{}/media", simulator.base_url(), simulator.phone_number_id());
    let post = |token: &'static str| http.post(&address).bearer_auth(token);
    let answer = post("simulated-access-token").multipart(form).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    assert!(answer.text().await.unwrap().contains("one of the following types"));
    assert_eq!(post("another").body("x").send().await.unwrap().status(), 401);
    assert_eq!(simulator.media().len(), 1);
}

#[tokio::test]
async fn the_header_has_to_fit_the_template_and_the_file_has_to_be_there() {
    let (simulator, client) = start().await;
    let id = client.upload(&document()).await.unwrap().id;
    let http = isp_http::client(std::time::Duration::from_secs(5)).unwrap();
    let address = format!("{}/v25.0/{}/messages", simulator.base_url(), simulator.phone_number_id());
    let ask = async |template: &str, header: serde_json::Value| {
        let names = ["nama", "paket", "nomor_tagihan", "jumlah", "jatuh_tempo"];
        let texts: Vec<_> =
            names.iter().map(|name| json!({ "type": "text", "parameter_name": name, "text": "x" })).collect();
        let body = json!({ "type": "body", "parameters": texts });
        let components = if header.is_null() { json!([body]) } else { json!([header, body]) };
        let message = json!({
            "messaging_product": "whatsapp", "to": "6281234567890", "type": "template",
            "template": { "name": template, "language": { "code": "id" }, "components": components },
        });
        let answer = http.post(&address).bearer_auth("simulated-access-token").json(&message).send().await.unwrap();
        let told: serde_json::Value = answer.json().await.unwrap();
        told["error"]["code"].as_i64().unwrap_or(0)
    };
    let header = |id: &str| json!({ "type": "header", "parameters": [{ "type": "document", "document": { "id": id, "filename": "a.pdf" } }] });
    assert_eq!(ask("isp_tagihan_pengingat_pdf", header(&id)).await, 0);
    assert_eq!(ask("isp_tagihan_pengingat", header(&id)).await, 132_012, "a header that the template has not");
    assert_eq!(ask("isp_tagihan_pengingat_pdf", json!(null)).await, 132_012, "no header");
    assert_eq!(ask("isp_tagihan_pengingat_pdf", header("4711")).await, 131_053, "never uploaded");
    simulator.expire_media();
    assert_eq!(ask("isp_tagihan_pengingat_pdf", header(&id)).await, 131_053, "kept no longer");
    assert_eq!(simulator.messages().len(), 1);
}

#[tokio::test]
async fn without_a_file_such_a_template_is_not_sent() {
    let (simulator, client) = start().await;
    let outcome = client.send_message(&message(1, Language::Id, due_soon())).await;
    assert_eq!(outcome, Outcome::ConfigError(ConfigFault::NoDocument));
    let large = Document { content: vec![b'x'; 100 * 1024 * 1024 + 1], ..document() };
    let outcome = client.upload(&large).await;
    assert_eq!(outcome, Err(Outcome::ConfigError(ConfigFault::LargeDocument)));
    assert_eq!((simulator.requests(), simulator.uploads()), (0, 0));
}

#[test]
fn a_template_with_a_document_is_registered_with_its_header() {
    let all = TemplateCatalog::with_sender().with_documents(&TemplateKind::WITH_DOCUMENT).unwrap();
    let again = all.clone().with_documents(&[TemplateKind::DueSoon]).unwrap();
    assert_eq!(all, again, "once");
    for content in every_content() {
        let kind = TemplateKind::of(&content).unwrap();
        let template = all.template(kind, Language::Id).unwrap();
        let (with, body) = (template.has_document(), template.registration());
        assert_eq!(with, TemplateKind::WITH_DOCUMENT.contains(&kind), "{kind:?}");
        assert_eq!(with, template.name().ends_with("_2_pdf"), "{kind:?}");
        let sample = fixture("meta-template-create.request.json");
        let (shape, ours) = (&sample["body"]["components"][0], &body["components"][0]);
        if with {
            assert_eq!((&ours["type"], &ours["format"]), (&shape["type"], &shape["format"]), "{kind:?}");
            assert!(ours["example"]["header_handle"][0].is_string(), "{kind:?}");
        }
        assert_eq!(body["components"][usize::from(with)]["type"], "BODY", "{kind:?}");
    }
}
