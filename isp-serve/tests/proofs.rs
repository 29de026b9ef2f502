//! Proofs of transfer that customers send from their page (rule P8), over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use isp_core::ids::PageLinkId;
use isp_core::isolation::Access;
use isp_core::ports::{AccessStore as _, InboxStore as _};
use isp_core::protection::{Proof, ProofFile};
use isp_core::testing::sample::id;
use isp_serve::pages::Token;

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
    assert!(sent.iter().all(|word| ["proof", "proof_known"].contains(&word.as_str())), "{sent:?}");
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
