//! Proofs of transfer that customers send from their page (rule P8), over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use isp_core::engine::NewProof;
use isp_core::ids::PageLinkId;
use isp_core::isolation::Access;
use isp_core::ports::{AccessStore as _, Forgotten, InboxStore as _};
use isp_core::protection::{Proof, ProofContent, ProofFile};
use isp_core::testing::sample::id;
use isp_serve::pages::Token;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and a picture of a transfer";
const KIND: (&str, &str) = ("content-type", "multipart/form-data; boundary=XyZ");

async fn link(server: &Server, customer: usize) -> String {
    let token = Token::draw().unwrap();
    let link = token.link(PageLinkId(id(50, customer as u64)), server.world.customers[customer].id, server.now());
    server.store.keep_link(TENANT, link).await.unwrap();
    token.url("")
}

/// A form with one file, as a phone sends it.
fn form(name: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("--XyZ\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n");
    [head.as_bytes(), b"Content-Type: image/png\r\n\r\n", content, b"\r\n--XyZ--\r\n"].concat()
}

async fn proofs(server: &Server) -> Vec<Proof> {
    server.store.proofs(TENANT, None).await.unwrap()
}

async fn send(server: &Server, link: &str, body: &[u8]) -> String {
    let (status, answer) = server.send("POST", &format!("{link}/proof"), &[KIND], body).await;
    assert_eq!(status, 303, "{answer}");
    let place = answer.lines().find_map(|line| line.strip_prefix("location: ")).unwrap().trim();
    place.split_once("said=").map(|(_, word)| word.to_owned()).unwrap_or_default()
}

#[tokio::test]
async fn a_proof_is_kept_once_and_the_page_says_so() {
    let server = Server::start(2).await;
    server.isolate(0).await;
    let link = link(&server, 0).await;
    let (_, page) = server.send("GET", &link, &[], b"").await;
    assert!(page.contains("type=\"file\"") && page.contains("multipart/form-data"), "{page}");
    assert_eq!(send(&server, &link, &form("C:\\foto\\struk.png", PNG)).await, "proof");
    assert_eq!(send(&server, &link, &form("other name.png", PNG)).await, "proof_known");
    let kept = proofs(&server).await;
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].by.as_str(), kept[0].file.name.as_str(), kept[0].waits()), ("page", "struk.png", true));
    assert_eq!(server.store.proof_content(TENANT, kept[0].id).await.unwrap().unwrap().reveal(), PNG);
    let (_, page) = server.send("GET", &format!("{link}?said=proof"), &[], b"").await;
    assert!(page.contains("akan diperiksa") && page.contains("sedang menunggu diperiksa"), "{page}");
    assert!(!page.contains("struk.png"), "the page names no file");
    server.enforce().await;
    assert_eq!(server.access(0).await, Access::Isolated, "an upload opens nothing");
}

#[tokio::test]
async fn two_uploads_at_one_moment_and_no_more_than_may_wait() {
    let server = Server::start(1).await;
    server.isolate(0).await;
    let link = link(&server, 0).await;
    let body = form("struk.png", PNG);
    let sent = futures::future::join_all((0..6).map(|_| send(&server, &link, &body))).await;
    assert_eq!(sent.iter().filter(|word| *word == "proof").count(), 1, "{sent:?}");
    // Two of a customer are read at once; the others are asked to come again.
    assert!(sent.iter().all(|word| ["proof", "proof_known", "busy"].contains(&word.as_str())), "{sent:?}");
    for number in 1..Proof::MOST_WAITING {
        assert_eq!(send(&server, &link, &form("x.png", &[PNG, &[number as u8]].concat())).await, "proof");
    }
    assert_eq!(send(&server, &link, &form("x.png", &[PNG, b"more"].concat())).await, "proof_many");
    assert_eq!(proofs(&server).await.len(), Proof::MOST_WAITING);
    let (_, page) = server.send("GET", &link, &[], b"").await;
    assert!(!page.contains("type=\"file\""), "{page}");
}

#[tokio::test]
async fn what_is_no_proof_is_not_kept() {
    let server = Server::start(2).await;
    server.isolate(0).await;
    let link = link(&server, 0).await;
    assert_eq!(send(&server, &link, &form("struk.png", b"<html><script>")).await, "proof_kind");
    assert_eq!(send(&server, &link, &form("struk.png", b"")).await, "proof_none");
    assert_eq!(send(&server, &link, b"--XyZ--\r\n").await, "proof_none");
    assert_eq!(send(&server, &link, b"garbage").await, "proof_none");
    // Cut in the middle.
    let whole = form("struk.png", PNG);
    assert_eq!(send(&server, &link, &whole[..whole.len() - 20]).await, "proof_none");
    let large = [PNG, &vec![0; ProofFile::MOST_BYTES]].concat();
    assert_eq!(send(&server, &link, &form("struk.png", &large)).await, "proof_large");
    let (status, _) = server.send("POST", &format!("{link}/proof"), &[], &whole).await;
    assert_eq!(status, 303, "without a kind of body");
    let foreign = [KIND, ("origin", "https://elsewhere.example")];
    assert_eq!(server.send("POST", &format!("{link}/proof"), &foreign, &whole).await.0, 403);
    let stranger = Token::draw().unwrap().url("");
    assert_eq!(server.send("POST", &format!("{stranger}/proof"), &[KIND], &whole).await.0, 404);
    assert!(proofs(&server).await.is_empty());
    // The largest that may be.
    let most = [PNG, &vec![0; ProofFile::MOST_BYTES - PNG.len()]].concat();
    assert_eq!(send(&server, &link, &form("struk.png", &most)).await, "proof");
}

/// The start of an upload that is sent no further.
async fn begun(server: &Server, link: &str) -> TcpStream {
    let body = form("struk.png", PNG);
    let mut stream = server.connect().await;
    let head = format!(
        "POST {link}/proof HTTP/1.1\r\nhost: {}\r\n{}: {}\r\ncontent-length: {}\r\n\r\n",
        server.address,
        KIND.0,
        KIND.1,
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body[..20]).await.unwrap();
    stream
}

/// Slow uploads by one link keep two places, and no other customer waits for them.
#[tokio::test]
async fn slow_uploads_of_one_link_leave_places_for_others() {
    let server = Server::start(2).await;
    server.isolate(0).await;
    server.isolate(1).await;
    let (slow, other) = (link(&server, 0).await, link(&server, 1).await);
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(begun(&server, &slow).await);
    }
    // Until the server has seen them, a place may still be free.
    let mut said = String::new();
    for _ in 0..100 {
        said = send(&server, &slow, &form("x.png", b"no picture")).await;
        if said == "busy" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(said, "busy", "the link has its places");
    assert_eq!(send(&server, &other, &form("struk.png", PNG)).await, "proof");
    drop(held);
    for _ in 0..100 {
        said = send(&server, &slow, &form("struk.png", PNG)).await;
        if said != "busy" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(said, "proof", "a place is free again when its connection is gone");
}

/// A link that is taken back while the file is on its way keeps nothing.
#[tokio::test]
async fn a_link_that_is_taken_back_in_the_middle_keeps_no_proof() {
    let server = Server::start(1).await;
    server.isolate(0).await;
    let link = link(&server, 0).await;
    let mut stream = begun(&server, &link).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.store.forget_links(TENANT, Forgotten::These(vec![PageLinkId(id(50, 0))])).await.unwrap();
    stream.write_all(&form("struk.png", PNG)[20..]).await.unwrap();
    let mut answer = vec![0; 4_096];
    let read = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]);
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    assert!(!answer.contains("said=proof"), "{answer}");
    assert!(proofs(&server).await.is_empty());
}

/// The server stops while files are on their way: one that ends soon is kept, and who is too slow is told before the connection is cut.
#[tokio::test]
async fn who_sends_while_the_server_stops_is_answered() {
    let server = Server::start(1).await;
    server.isolate(0).await;
    let link = link(&server, 0).await;
    let (mut soon, mut never) = (begun(&server, &link).await, begun(&server, &link).await);
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.stop();
    tokio::time::sleep(Duration::from_millis(200)).await;
    soon.write_all(&form("struk.png", PNG)[20..]).await.unwrap();
    let answers = async { (status_of(&mut soon).await, status_of(&mut never).await) };
    let answers = tokio::time::timeout(Duration::from_secs(20), answers).await.unwrap();
    assert_eq!(answers, (303, 503));
    assert_eq!(proofs(&server).await.len(), 1);
}

/// Nine different files at one moment: five wait, however they met.
#[tokio::test]
async fn no_race_gets_past_the_number_that_may_wait() {
    let server = Server::start(1).await;
    server.isolate(0).await;
    let engine = server.app.provider.engine();
    let customer = server.world.customers[0].id;
    let made = |n: u8| NewProof {
        customer_id: customer,
        invoices: Vec::new(),
        amount: None,
        arrived_at: server.now(),
        by: "page".into(),
        name: "struk.png".into(),
        content: ProofContent::new([PNG, &[n]].concat()),
        sure: false,
    };
    let new: Vec<NewProof> = (0..9).map(made).collect();
    let sent = futures::future::join_all(new.iter().map(|new| engine.record_proof(new))).await;
    assert_eq!(sent.iter().filter(|done| done.is_ok()).count(), Proof::MOST_WAITING);
    assert!(sent.iter().flat_map(|done| done.as_ref().err()).all(|error| error.code() == "proof.too_many"), "{sent:?}");
    assert_eq!(proofs(&server).await.len(), Proof::MOST_WAITING);
}
