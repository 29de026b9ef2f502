//! Names, comments and values as people and firmware really leave them.

use crate::common::{done, endpoint, group, refused, target};
use isp_core::isolation::Access::{Isolated, Open};
use isp_core::isolation::AccessTarget;
use isp_core::ports::AccessControl;
use isp_core::secret::Secret;
use isp_core::subscription::Account;
use isp_mikrotik::menu::ppp::{PppSecret, secret};
use isp_mikrotik::menu::{ItemId, Rows};
use isp_mikrotik::proto::{Command, Sentence};
use isp_mikrotik::simulator::{SimulatedRouter, Simulation, Version};
use isp_mikrotik::text::CodePage;
use isp_mikrotik::{Client, ConnectOptions, MikrotikAccess, Settings, Tls};

async fn each_version() -> Vec<(SimulatedRouter, MikrotikAccess)> {
    let mut started = Vec::new();
    for version in Version::ALL {
        let router = SimulatedRouter::start(Simulation { version, ..Simulation::default() }).await.unwrap();
        started.push((router, MikrotikAccess::new(Settings::default())));
    }
    started
}

#[tokio::test]
async fn a_numeric_name_and_a_name_that_is_a_prefix_hit_nobody_else() {
    for (router, access) in each_version().await {
        for name in ["0812", "081234567890123", "budi-2", "1"] {
            router.force("/ppp/secret", &[("name", name.as_bytes()), ("password", b"x")]).unwrap();
        }
        let neighbours = router.secrets();
        let targets = [target(1, "081234567890", Isolated), target(2, "budi", Isolated), target(3, "0", Isolated)];
        for outcome in access.apply(&endpoint(&router), &targets).await.unwrap() {
            assert!(matches!(done(&outcome), (Isolated, true, _)));
        }
        let open: Vec<_> = targets.iter().map(|t| AccessTarget { desired: Open, ..t.clone() }).collect();
        access.apply(&endpoint(&router), &open).await.unwrap();
        assert_eq!(router.secrets()[..4], neighbours[..]);
        for name in ["081234567890", "budi", "0"] {
            assert_eq!(router.session(name).unwrap().profile, "10M");
        }
    }
}

/// Names that are usual on routers which people filled by hand: nothing is addressed by name, so all of them are taken.
#[tokio::test]
async fn names_with_blanks_and_signs_live_as_any_other() {
    let names = ["Pak Budi  (RT 3) #2+:", "#12", "=a b=", "AA:BB:CC:DD:EE:FF", "*5", "a,b;c", "?name=x"];
    for (router, access) in each_version().await {
        let of = |desired| -> Vec<AccessTarget> {
            let one = |(number, name): (usize, &&str)| AccessTarget {
                account: Account { password: Secret::new(" dua  kata "), ..target(1, name, desired).account },
                group: group("Rumah 10M (#1)", 10),
                ..target(number as u128 + 1, name, desired)
            };
            names.iter().enumerate().map(one).collect()
        };
        for desired in [Open, Isolated, Open] {
            for outcome in access.apply(&endpoint(&router), &of(desired)).await.unwrap() {
                assert_eq!(done(&outcome).0, desired);
            }
            let profile = if desired == Open { "Rumah 10M (#1)" } else { "isolir" };
            for name in names {
                let secret = router.secret(name).unwrap();
                assert!(secret.profile == profile && secret.password_is(" dua  kata "), "{name}: {secret:?}");
                assert_eq!(router.session(name).unwrap().profile, profile, "{name}");
            }
            let survey = access.survey(&endpoint(&router), &of(desired), chrono::DateTime::UNIX_EPOCH).await.unwrap();
            assert!(survey.lines.iter().all(|line| line.as_wanted), "{survey:?}");
            let again = access.plan_whole(&endpoint(&router), &of(desired)).await.unwrap().summary();
            assert_eq!((again.created, again.changed), (0, 0));
        }
        let found = access.read_accounts(&endpoint(&router), CodePage::Cp1252).await.unwrap();
        assert_eq!(found.iter().map(|account| account.name.as_str()).collect::<Vec<_>>(), names);
    }
}

#[tokio::test]
async fn a_comment_in_a_windows_code_page_is_shown_right_and_kept_to_the_byte() {
    for (router, access) in each_version().await {
        let written = b"Pak Jos\xe9 \x96 \x93gang\x94 \x81";
        router.force("/ppp/secret", &[("name", b"jose"), ("password", b"rahasia"), ("comment", written)]).unwrap();
        let found = access.read_accounts(&endpoint(&router), CodePage::Cp1252).await.unwrap();
        assert_eq!(found[0].comment, "Pak José – “gang” \\x81");
        let adopted = AccessTarget { adopt: true, ..target(1, "jose", Isolated) };
        access.apply(&endpoint(&router), std::slice::from_ref(&adopted)).await.unwrap();
        access.apply(&endpoint(&router), &[AccessTarget { desired: Open, ..adopted }]).await.unwrap();
        assert_eq!(router.secret("jose").unwrap().comment, [b"isp:000000000001 ", &written[..]].concat());
    }
}

#[tokio::test]
async fn an_empty_value_is_a_value_and_a_missing_one_is_not() {
    let row = Sentence::from_words(["!re", "=.id=*1", "=name=", "=password=", "=remote-address=", "=comment="]);
    let read = PppSecret::from_row(&row).unwrap();
    assert_eq!((&*read.name, read.password, read.remote_address), (&b""[..], Some(Secret::new("")), None));
    let missing = PppSecret::from_row(&Sentence::from_words(["!re", "=.id=*1", "=name=x"])).unwrap();
    assert_eq!(missing.password, None, "unknown is not empty");
    assert!(PppSecret::from_row(&Sentence::from_words(["!re", "=.id=*1"])).is_err(), "no name at all");

    for (router, access) in each_version().await {
        router.force("/ppp/secret", &[("name", b"kosong"), ("password", b""), ("comment", b"")]).unwrap();
        let adopted = AccessTarget { adopt: true, ..target(1, "kosong", Open) };
        access.apply(&endpoint(&router), std::slice::from_ref(&adopted)).await.unwrap();
        let secret = router.secret("kosong").unwrap();
        assert!(secret.password_is("rahasia"), "an empty password is another one, not an unknown one");
        assert_eq!(secret.comment, b"isp:000000000001");
    }
}

#[tokio::test]
async fn a_deleted_profile_is_told_and_linked_again() {
    for (router, access) in each_version().await {
        let open = target(1, "budi", Open);
        access.apply(&endpoint(&router), std::slice::from_ref(&open)).await.unwrap();
        router.force_remove("/ppp/profile", "10M");
        assert!(ItemId::parse(router.secret("budi").unwrap().profile.as_bytes()).is_some());
        let plan = access.plan(&endpoint(&router), std::slice::from_ref(&open)).await.unwrap();
        assert_eq!(plan.drift[0].code, "router.profile_dangling");
        let outcomes = access.apply(&endpoint(&router), std::slice::from_ref(&open)).await.unwrap();
        assert!(matches!(done(&outcomes[0]), (Open, true, _)));
        assert_eq!(router.secret("budi").unwrap().profile, "10M");
    }
}

#[tokio::test]
async fn duplicates_are_reported_and_neither_is_touched() {
    for (router, access) in each_version().await {
        router.force("/ppp/secret", &[("name", b"kembar"), ("comment", b"isp:000000000001")]).unwrap();
        router.force("/ppp/secret", &[("name", b"kembar"), ("comment", b"isp:000000000001")]).unwrap();
        let before = router.secrets();
        let outcomes = access.apply(&endpoint(&router), &[target(1, "kembar", Isolated)]).await.unwrap();
        assert_eq!((refused(&outcomes[0]), router.secrets()), ("router.account_twins", before));
    }
}

#[tokio::test]
async fn hidden_passwords_are_asked_for_where_that_is_possible_and_never_taken_for_different() {
    let (router, access) = each_version().await.pop().unwrap();
    let open = target(1, "budi", Open);
    access.apply(&endpoint(&router), std::slice::from_ref(&open)).await.unwrap();
    let client = Client::connect(router.options()).await.unwrap();
    let shown = |reply: isp_mikrotik::proto::Reply| reply.rows()[0].value("password").is_some();
    assert!(!shown(client.call(&secret::print(Rows::All)).await.unwrap()), "7.21 hides them");
    assert!(shown(client.call(&secret::print_sensitive(Rows::All)).await.unwrap()));
    router.reset_counters();
    access.apply(&endpoint(&router), std::slice::from_ref(&open)).await.unwrap();
    assert_eq!(router.counters().writes, 0);
    let mut changed = open;
    changed.account.password = Secret::new("baru");
    access.apply(&endpoint(&router), &[changed]).await.unwrap();
    assert!(router.secret("budi").unwrap().password_is("baru"));
}

#[tokio::test]
async fn an_api_ssl_service_without_certificate_is_explained() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = [0_u8; 512];
        assert!(stream.read(&mut hello).await.unwrap() > 0);
        // A fatal handshake_failure: anonymous Diffie-Hellman is all that it has.
        stream.write_all(&[0x15, 3, 3, 0, 2, 2, 40]).await.unwrap();
    });
    let mut options = ConnectOptions::new(address, "api", "x".to_owned().into());
    options.tls = Tls::Pinned(isp_mikrotik::Fingerprint::of(b"whatever"));
    let error = Client::connect(options).await.unwrap_err();
    assert_eq!((error.code(), error.retryable()), ("router.tls", false));
    assert!(
        error.to_string().contains("anonymous Diffie-Hellman") && error.to_string().contains("certificate="),
        "{error}"
    );
    server.await.unwrap();
}

#[tokio::test]
async fn what_has_no_typed_form_is_sent_raw() {
    let router = SimulatedRouter::start(Simulation::default()).await.unwrap();
    let client = Client::connect(router.options()).await.unwrap();
    let raw = Command::new("/system/identity/set").arg("name", "menara");
    client.call(&raw).await.unwrap();
    let reply = client.call(&Command::new("/system/identity/print")).await.unwrap();
    assert_eq!(reply.rows()[0].utf8("name"), Some("menara"));
}
