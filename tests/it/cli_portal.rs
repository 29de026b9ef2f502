//! The page for isolated lines, by source address: a living server, routers on loopback sockets.

use std::time::{Duration, Instant};

use crate::cli::Stage;
use crate::cli::served::Served;

/// Budi and Siti are isolated and online, Eko has a fixed address.
fn stage() -> Stage {
    let stage = Stage::new();
    let isp = &stage.isp;
    let path = isp.dir().join("isp.toml");
    let settings = std::fs::read_to_string(&path).unwrap()
        + "\n[serve]\nportal_url = \"http://10.10.0.2:8480\"\ntrusted_proxies = [\"127.0.0.1\"]\nrun_every_minutes = 0\n\
           deliver_every_seconds = 0\n\n[mikrotik]\npool = \"pelanggan\"\nisolation_pool = \"isolir\"\nlocal_address = \"10.20.0.1\"\n\n\
           [provider]\nname = \"Contoh Net\"\npay_to = [\"BCA 1234567890\"]\n";
    std::fs::write(&path, settings).unwrap();
    for (pool, ranges) in [("pelanggan", "10.20.0.2-10.20.3.250"), ("isolir", "10.21.0.2-10.21.3.250")] {
        stage.router.force("/ip/pool", &[("name", pool.as_bytes()), ("ranges", ranges.as_bytes())]).unwrap();
    }
    isp.ok(&["--on", "2026-01-05", "run"]);
    isp.exit_any(&[0, 5], &["--on", "2026-01-21", "run"]);
    let fixed = ["--service", "static", "--ip-address", "10.77.0.5"];
    let base = ["--on", "2026-01-21", "subscription", "add", "P003", "--package", "HOME10", "--router", "R1"];
    isp.ok(&[&base[..], &fixed].concat());
    stage
}

/// What somebody at an address sees.
fn page(server: &Served, from: &str) -> String {
    let head =
        format!("GET /isolir HTTP/1.1\r\nhost: 10.10.0.2:8480\r\nconnection: close\r\nx-forwarded-for: {from}\r\n");
    server.answer(&head, b"").unwrap()
}

const BUDI: &str = "B••• S••••••";

#[test]
fn an_isolated_line_sees_its_own_page_and_nobody_elses() {
    let stage = stage();
    let router = &stage.router;
    router.plug("budi@isp", "pw-budi-1");
    router.plug("siti@isp", "pw-siti-2");
    let address = |name: &str| {
        let began = Instant::now();
        loop {
            match router.session(name).and_then(|session| session.address) {
                Some(address) => return address,
                None => assert!(began.elapsed() < Duration::from_secs(20), "{name} has no address"),
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    let (budi, siti) = (address("budi@isp"), address("siti@isp"));
    let server = Served::start(stage.isp.dir(), &[]);
    let (of_budi, of_siti) = (page(&server, &budi), page(&server, &siti));
    assert!(of_budi.contains(BUDI) && of_budi.contains("Rp165.000") && of_budi.contains("diisolir"), "{of_budi}");
    assert!(!of_siti.contains(BUDI) && of_siti.contains("suspended"), "Siti reads English: {of_siti}");
    // The one with an address of its own is known without any router.
    let fixed = page(&server, "10.77.0.5");
    assert!(fixed.contains(">E••<") || fixed.contains("E•• ·"), "{fixed}");
    // Anybody else: always the same, without a name or an amount.
    let general = page(&server, "10.99.99.99");
    assert!(general.contains("Layanan internet dibatasi") && !general.contains("Rp"), "{general}");
    assert_eq!(body(&general), body(&page(&server, "203.0.113.9")));
    // A hundred more who ask: the router is read once in a while, whatever they ask for.
    router.reset_counters();
    let began = Instant::now();
    for n in 0..50 {
        page(&server, &format!("10.99.1.{n}"));
    }
    let most = 3 * (1 + began.elapsed().as_secs() / 15);
    let prints = router.counters().commands;
    assert!(prints <= most + 3, "{prints} commands");
    router.down();
    std::thread::sleep(Duration::from_secs(16));
    let dead = page(&server, &budi);
    assert_eq!(body(&dead), body(&general), "a router that does not answer says nothing of who is where");
    let fixed = page(&server, "10.77.0.5");
    assert!(!fixed.contains("Layanan internet dibatasi"), "{fixed}");
    let log = server.log();
    assert!(log.contains("router does not say who has which address"), "{log}");
    assert!(!log.contains(&budi) && !log.contains("Budi") && !log.contains("budi"), "{log}");
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}
