//! The pages of customers over real sockets, with a store in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use isp_core::ids::PageLinkId;
use isp_core::isolation::Access;
use isp_core::ports::{Forgotten, InboxStore as _, MoneyStore as _, PageQuery, RequestQuery};
use isp_core::testing::sample::id;
use isp_serve::pages::Token;
use isp_serve::work;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

async fn link(server: &Server, customer: usize) -> String {
    let token = Token::draw().unwrap();
    let link = token.link(PageLinkId(id(50, customer as u64)), server.world.customers[customer].id, server.now());
    server.store.keep_link(TENANT, link).await.unwrap();
    token.url("")
}

async fn requests(server: &Server) -> usize {
    server.store.payment_requests(TENANT, RequestQuery::default(), PageQuery::first(99)).await.unwrap().len()
}

#[tokio::test]
async fn a_page_says_why_how_much_and_how_and_looking_changes_nothing() {
    let server = Server::start(2).await;
    server.isolate(0).await;
    let link = link(&server, 0).await;
    for method in ["GET", "HEAD", "GET"] {
        let (status, page) = server.send(method, &link, &[], b"").await;
        assert_eq!(status, 200);
        for header in [
            "cache-control: no-store",
            "referrer-policy: no-referrer",
            "x-robots-tag: noindex",
            "frame-ancestors 'none'",
        ] {
            assert!(page.contains(header), "{header}\n{page}");
        }
        if method == "GET" {
            for part in ["diisolir", "Rp150.000", "11 Januari 2026", "P••••••", "Bayar sekarang", "Minta waktu"]
            {
                assert!(page.contains(part), "{part}\n{page}");
            }
            // Neither a person, nor anything from elsewhere, nor a script.
            for never in ["Pelanggan 0", "0812000", "Jalan Contoh", "http://", "https://", "<script", "src="] {
                assert!(!page.replace("http://www.w3.org/2000/svg", "").contains(never), "{never}\n{page}");
            }
            assert!(page.len() < 30_000);
        }
    }
    assert_eq!(requests(&server).await, 0, "a preview of the link makes no request");
    assert_eq!(server.access(0).await, Access::Isolated);
}

#[tokio::test]
async fn who_is_not_told_where_to_pay_gets_no_amount_to_pay() {
    let no_ways = |provider: &mut isp_serve::Provider| (provider.qris, provider.sender) = (None, None);
    let server = Server::start_where(1, |_| {}, Vec::new(), no_ways).await;
    server.isolate(0).await;
    let link = link(&server, 0).await;
    let (status, page) = server.send("GET", &link, &[], b"").await;
    assert!(
        status == 200 && page.contains("Tanyakan kepada kami cara membayar.") && !page.contains("Bayar sekarang"),
        "{page}"
    );
}

#[tokio::test]
async fn paying_asks_once_and_shows_the_code_as_a_drawing() {
    let server = Server::start(1).await;
    server.isolate(0).await;
    let link = link(&server, 0).await;
    let pay = format!("{link}/pay");
    let pressed = futures::future::join_all((0..20).map(|_| server.send("POST", &pay, &[FORM], b""))).await;
    assert!(pressed.iter().all(|(status, _)| *status == 303));
    assert_eq!(requests(&server).await, 1, "however often it is pressed");
    let (_, page) = server.send("GET", &link, &[], b"").await;
    for part in ["Rp150.001", "<svg", "BCA 1234567890 a.n. PT Contoh &lt;b&gt;", "tepat"] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    assert!(page.len() < 30_000, "{}", page.len());
    let (_, english) = server.send("GET", &format!("{link}?lang=en"), &[], b"").await;
    assert!(english.contains("Your internet is suspended"), "{english}");
}

#[tokio::test]
async fn time_is_given_once_and_only_to_a_form_of_ours() {
    let server = Server::start(1).await;
    server.isolate(0).await;
    let link = link(&server, 0).await;
    let time = format!("{link}/time");
    let evil = [FORM, ("origin", "https://evil.example")];
    assert_eq!(server.send("POST", &time, &evil, b"days=3").await.0, 403);
    assert_eq!(server.access(0).await, Access::Isolated);
    for (days, said) in [("0", "days"), ("999", "days"), ("x", "days"), ("", "days")] {
        let (status, page) = server.send("POST", &time, &[FORM], format!("days={days}").as_bytes()).await;
        assert_eq!(status, 303);
        assert!(page.contains(&format!("said={said}")), "{page}");
    }
    let pressed = futures::future::join_all((0..20).map(|_| server.send("POST", &time, &[FORM], b"days=3"))).await;
    assert!(pressed.iter().all(|(_, page)| page.contains("said=promised")), "{pressed:?}");
    assert_eq!(server.access(0).await, Access::Open);
    let (_, page) = server.send("GET", &format!("{link}?said=promised"), &[], b"").await;
    assert!(page.contains("Janji bayar Anda dicatat") && page.contains("sedang dibuka"), "{page}");
    assert!(page.contains("Bayar paling lambat") && page.contains("Bila tidak, layanan diisolir mulai"), "{page}");
    let (_, page) = server.send("GET", &format!("{link}?said=%3Cscript%3E"), &[], b"").await;
    assert!(!page.contains("script"), "nothing of the address is repeated");
}

#[tokio::test]
async fn nobody_prints_the_papers_of_another() {
    let server = Server::start(2).await;
    server.isolate(0).await;
    server.isolate(1).await;
    let link = link(&server, 0).await;
    let (_, bills) = server.send("GET", &format!("{link}/bills"), &[], b"").await;
    let own = bills.split("bill-").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let other = if own.ends_with("000001") { "INV-202601-000002" } else { "INV-202601-000001" };
    assert!(bills.contains(&format!("{link}/bill-{own}.pdf")), "{bills}");
    for own in [format!("bill-{own}"), format!("bill-{own}.pdf")] {
        let (status, _) = server.send("GET", &format!("{link}/{own}"), &[], b"").await;
        assert_eq!(status, 200, "{own}");
    }
    for what in [
        format!("bill-{other}"),
        format!("bill-{other}.pdf"),
        "bill-".to_owned(),
        "bill-.pdf".to_owned(),
        format!("receipt-{}", uuid::Uuid::nil()),
        "receipt-x".to_owned(),
        "receipt-x.pdf".to_owned(),
    ] {
        let (status, page) = server.send("GET", &format!("{link}/{what}"), &[], b"").await;
        assert!(status == 404 && !page.contains("<article>") && !page.contains("%PDF"), "{what}: {page}");
        let (_, page) = server.send("GET", &format!("/isolir/{what}"), &[], b"").await;
        assert!(!page.contains("<article>") && !page.contains("%PDF"), "an address shows no history: {page}");
    }
}

#[tokio::test]
async fn after_paying_it_says_open_again_when_the_router_said_so() {
    let server = Server::start(1).await;
    server.isolate(0).await;
    let link = link(&server, 0).await;
    server.deliver().await;
    server.later(60);
    server.pay(0, 150_000).await;
    let (_, page) = server.send("GET", &link, &[], b"").await;
    assert!(page.contains("Layanan sedang dibuka") && !page.contains("Sudah terbuka"), "{page}");
    server.deliver().await;
    let (_, page) = server.send("GET", &link, &[], b"").await;
    assert!(page.contains("Sudah terbuka"), "{page}");
    let (_, bills) = server.send("GET", &format!("{link}/bills"), &[], b"").await;
    assert!(bills.contains("INV-202601-000001") && bills.contains("lunas") && bills.contains("RCPT-1"), "{bills}");
    // Both are printed from there, with the name in full.
    let address = |kind: &str| {
        let at = bills.find(&format!("{link}/{kind}")).unwrap();
        bills[at..].split('"').next().unwrap().to_owned()
    };
    let (status, paper) = server.send("GET", &address("bill-"), &[], b"").await;
    assert_eq!(status, 200);
    for said in ["<h1>TAGIHAN</h1>", "LUNAS", "INV-202601-000001", "Rp 150.000", "img-src data:", "@page{size:A4"] {
        assert!(paper.contains(said), "{said}: {paper}");
    }
    let (status, paper) = server.send("GET", &address("receipt-"), &[], b"").await;
    assert_eq!(status, 200);
    for said in ["<h1>KUITANSI</h1>", "RCPT-1", "INV-202601-000001", "Jumlah diterima"] {
        assert!(paper.contains(said), "{said}: {paper}");
    }
    for (kind, named) in [("bill-", "INV-202601-000001.pdf"), ("receipt-", "RCPT-1.pdf")] {
        let (status, file) = server.send("GET", &format!("{}.pdf", address(kind)), &[], b"").await;
        assert_eq!(status, 200, "{named}");
        for said in
            ["content-type: application/pdf", &format!("inline; filename=\"{named}\""), "no-store", "%PDF-", "%%EOF"]
        {
            assert!(file.contains(said), "{named}: {said}");
        }
    }
    // Seven days longer; then it is forgotten, and owing again brings no old link back.
    server.later(8 * 86_400);
    let (status, over) = server.send("GET", &link, &[], b"").await;
    assert_eq!(status, 404);
    let (_, unknown) = server.send("GET", &format!("/t/{}", "a".repeat(32)), &[], b"").await;
    assert_eq!(body_of(&over), body_of(&unknown), "nobody learns which links there were");
    work::tidy(&server.app, server.now()).await.unwrap();
    assert!(server.store.links(TENANT, PageQuery::first(9)).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_revoked_link_and_one_of_another_provider_open_nothing() {
    let server = Server::start(1).await;
    server.isolate(0).await;
    let link = link(&server, 0).await;
    assert_eq!(server.send("GET", &link, &[], b"").await.0, 200);
    server.store.forget_links(TENANT, Forgotten::Customer(server.world.customers[0].id)).await.unwrap();
    assert_eq!(server.send("GET", &link, &[], b"").await.0, 404);
    assert_eq!(server.send("POST", &format!("{link}/pay"), &[FORM], b"").await.0, 404);
    assert_eq!(requests(&server).await, 0);
}

#[tokio::test]
async fn probes_of_phones_are_sent_to_the_page_for_isolated_lines() {
    let server = Server::start_with(1, |settings| {
        settings.portal_url = Some("http://10.10.0.2:8480".to_owned());
        settings.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    })
    .await;
    server.isolate(0).await;
    let link = link(&server, 0).await;
    for (host, path) in [
        ("connectivitycheck.gstatic.com", "/generate_204"),
        ("captive.apple.com", "/hotspot-detect.html"),
        ("www.msftconnecttest.com", "/connecttest.txt"),
        ("evil.example", link.as_str()),
        ("evil.example", "/isolir"),
        ("<script>", "/"),
    ] {
        let (status, answer) = server.send("GET", path, &[("host", host)], b"").await;
        assert_eq!(status, 302, "{host}{path}");
        assert!(answer.contains("location: http://10.10.0.2:8480/isolir\r\n"), "{answer}");
        assert!(!answer.contains(host) && !answer.contains("Success"), "{answer}");
    }
    let portal = ("host", "10.10.0.2:8480");
    // The isolated line, as the trusted proxy says, sees its own; anybody else always the same.
    let (status, page) = server.send("GET", "/isolir", &[portal, ("x-forwarded-for", "127.0.0.9")], b"").await;
    assert_eq!(status, 200);
    assert!(page.contains("Rp150.000") && page.contains("P••••••"), "{page}");
    let (_, stranger) = server.send("GET", "/isolir", &[portal, ("x-forwarded-for", "192.0.2.1")], b"").await;
    let (_, bills) = server.send("GET", "/isolir/bills", &[portal, ("x-forwarded-for", "127.0.0.9")], b"").await;
    assert_eq!(body_of(&stranger), body_of(&bills), "an address shows no history");
    assert!(!stranger.contains("Rp"), "{stranger}");
}

#[tokio::test]
async fn pages_are_limited_by_address() {
    let server = Server::start_with(1, |settings| settings.per_minute = 3).await;
    let mut answers = Vec::new();
    for _ in 0..5 {
        answers.push(server.send("GET", "/t/x", &[], b"").await.0);
    }
    assert_eq!(answers, [404, 404, 404, 429, 429]);
}

/// A mobile network shows hundreds of phones under one address: who has a link of their own is not counted with the others, and a
/// link cannot be asked without end either. Who guessed too often gets no further, link or not.
#[tokio::test]
async fn links_that_open_a_page_are_limited_by_customer() {
    let server = Server::start_with(2, |settings| settings.per_minute = 4).await;
    server.isolate(0).await;
    server.isolate(1).await;
    let (one, two) = (link(&server, 0).await, link(&server, 1).await);
    let mut answers = Vec::new();
    for path in [&one, &one, &one, &two, &two, &two, &two, &two, &one] {
        answers.push(server.send("GET", path, &[], b"").await.0);
    }
    assert_eq!(answers, [200, 200, 200, 200, 200, 200, 200, 429, 200]);
    let guesses = async || server.send("GET", &format!("/t/{}", "a".repeat(32)), &[], b"").await.0;
    assert_eq!([guesses().await, guesses().await, guesses().await, guesses().await], [404; 4]);
    assert_eq!(guesses().await, 429);
    assert_eq!(server.send("GET", &one, &[], b"").await.0, 429);
}

/// Only what comes from the networks of lines is looked up, whatever a stranger writes into a header.
#[tokio::test]
async fn an_address_that_is_none_of_ours_opens_no_page() {
    for (networks, proxies, forwarded) in [
        (vec!["10.0.0.0/8"], vec!["127.0.0.1"], "127.0.0.9"),
        (vec!["127.0.0.9"], vec![], "127.0.0.9"),
        (vec!["127.0.0.9"], vec!["127.0.0.0/8"], "127.0.0.9"),
        (vec![], vec!["127.0.0.1"], "127.0.0.9"),
    ] {
        let nets = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let server = Server::start_with(1, |settings| {
            settings.line_networks = nets(&networks);
            settings.trusted_proxies = nets(&proxies);
        })
        .await;
        server.isolate(0).await;
        let (status, page) = server.send("GET", "/isolir", &[("x-forwarded-for", forwarded)], b"").await;
        assert!(status == 200 && !page.contains("Rp150.000"), "{networks:?} {proxies:?}");
        let asked = [FORM, ("x-forwarded-for", forwarded)];
        server.send("POST", "/isolir/time", &asked, b"days=3").await;
        assert_eq!(server.access(0).await, Access::Isolated);
    }
}

/// The figures tell how many customers there are and what they were billed.
#[tokio::test]
async fn figures_are_for_this_machine_unless_told_otherwise() {
    let server = Server::start_with(1, |settings| {
        settings.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        settings.metrics_from = vec!["10.9.0.0/16".parse().unwrap()];
    })
    .await;
    let from = async |address: &str| {
        let (status, text) = server.send("GET", "/metrics", &[("x-forwarded-for", address)], b"").await;
        (status, text.contains("isp_"))
    };
    assert_eq!([from("10.10.0.77").await, from("10.9.0.7").await], [(403, false), (200, true)]);
    let default = Server::start(1).await;
    assert_eq!(default.send("GET", "/metrics", &[], b"").await.0, 200);
}

fn body_of(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}
