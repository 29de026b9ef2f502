//! The simulator is as strict as a router: texts and behaviour seen on real ones.

use std::time::Duration;

use isp_mikrotik::proto::word::put_word;
use isp_mikrotik::proto::{Command, Decoder};
use isp_mikrotik::simulator::{Fault, FaultKind, SimulatedRouter, Simulation, Version};
use isp_mikrotik::{Client, Error};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{command, refusal, started};

async fn done(client: &Client, words: &str) -> Option<String> {
    let reply = client.call(&command(words)).await.unwrap_or_else(|error| panic!("{words}: {error}"));
    reply.ret().map(|ret| String::from_utf8_lossy(ret).into_owned())
}

#[tokio::test]
async fn errors_have_the_texts_of_real_routers() {
    let (_router, client) = started(Simulation::default()).await;
    done(&client, "/ppp/secret/add name=budi").await;
    done(&client, "/ppp/profile/add name=10M rate-limit=10M/10M").await;
    done(&client, "/ppp/profile/add name=10M-malam rate-limit=20M/20M").await;
    done(&client, "/ppp/profile/add name=20M rate-limit=20M/20M").await;
    done(&client, "/ip/pool/add name=pool-isolir ranges=10.9.0.2-10.9.0.9").await;
    for (words, text) in [
        ("/ppp/secret/add name=budi", "failure: secret with the same name already exists"),
        ("/ppp/secret/add name=x profile=nope", "input does not match any value of profile"),
        ("/ppp/secret/add name=x profile=1", "ambiguous value of profile, more than one possible value matches input"),
        ("/ppp/secret/add name=x remote-address=bad", "invalid value for argument remote-address"),
        ("/ppp/secret/set .id=*1 remote-address=", "invalid value for argument remote-address"),
        ("/ppp/secret/set profile=default", "missing =.id="),
        ("/ppp/secret/set .id=*99 profile=default", "no such item"),
        ("/ppp/secret/set .id=*1 password=x speed=1", "unknown parameter speed"),
        ("/ppp/secret/print stats", "unknown parameter stats"),
        ("/ppp/active/print/count-only", "no such command prefix"),
        ("/ppp/secret/frobnicate", "no such command"),
        ("/ip/adress/print", "no such command or directory (adress); no such command prefix"),
        ("/ppp/profile/add name=p local-address=nopool", "invalid value for argument address"),
        ("/ip/pool/add name=pool-isolir ranges=10.0.0.1", "failure: pool with such name exists"),
        ("/ip/pool/add name=p ranges=10.0.0.1-x", "value of range must have ip address after '-'"),
        ("/ip/pool/add name=p ranges=zzz", "value of range must have ip address before '-'"),
        ("/queue/simple/add name=q max-limit=1M/1M limit-at=2M/2M", "failure: upload-max-limit less than upload-limit"),
    ] {
        assert_eq!(refusal(&client, words).await, text, "{words}");
    }
    done(&client, "/ip/firewall/address-list/add list=L address=10.10.10.10").await;
    let twin = "/ip/firewall/address-list/add list=L address=10.10.10.10/32";
    assert_eq!(refusal(&client, twin).await, "failure: already have such entry");
    done(&client, &format!("{twin} disabled=yes")).await;
}

#[tokio::test]
async fn references_match_by_prefix_and_are_stored_by_id() {
    let (router, client) = started(Simulation::default()).await;
    done(&client, "/ppp/profile/add name=isolir").await;
    done(&client, "/ppp/profile/add name=isolir-lama").await;
    done(&client, "/ppp/secret/add name=a profile=isolir-").await;
    assert_eq!(router.secret("a").unwrap().profile, "isolir-lama");
    done(&client, "/ppp/secret/add name=b profile=isolir").await;
    assert_eq!(router.secret("b").unwrap().profile, "isolir");
    done(&client, "/ppp/profile/remove .id=*1").await;
    assert_eq!(router.secret("b").unwrap().profile, "*1", "it dangles");
    done(&client, "/ppp/profile/add name=isolir").await;
    assert_eq!(router.secret("b").unwrap().profile, "*1", "a new one of the same name is another object");
}

#[tokio::test]
async fn a_bare_number_is_a_position() {
    let (router, client) = started(Simulation::default()).await;
    done(&client, "/ppp/secret/add name=0812").await;
    done(&client, "/ppp/secret/add name=1").await;
    done(&client, "/ppp/secret/remove numbers=0").await;
    assert_eq!(router.secrets().iter().map(|secret| secret.name.as_str()).collect::<Vec<_>>(), ["1"]);
}

#[tokio::test]
async fn a_session_keeps_its_terms_until_it_is_removed_and_the_box_dials_again() {
    let (router, client) = started(Simulation::default()).await;
    done(&client, "/ip/pool/add name=kolam ranges=10.9.0.2-10.9.0.3").await;
    done(&client, "/ppp/profile/add name=10M rate-limit=10M/10M remote-address=kolam").await;
    done(&client, "/ppp/profile/add name=isolir rate-limit=64k/64k address-list=ISOLIR remote-address=kolam").await;
    done(&client, "/ppp/secret/add name=budi profile=10M").await;
    let before = router.session("budi").unwrap();
    assert_eq!((before.profile.as_str(), before.address.as_deref()), ("10M", Some("10.9.0.2")));
    done(&client, "/ppp/secret/set .id=*1 profile=isolir").await;
    assert_eq!(router.session("budi").unwrap(), before);
    done(&client, &format!("/ppp/active/remove .id={}", before.id)).await;
    let after = router.session("budi").unwrap();
    assert_eq!((after.profile.as_str(), after.address_list.as_deref()), ("isolir", Some("ISOLIR")));
    assert_ne!(after.id, before.id);
    assert_eq!(done(&client, "/ip/firewall/address-list/print count-only").await.as_deref(), Some("1"));
    done(&client, "/ppp/secret/disable .id=*1").await;
    assert!(router.session("budi").is_some(), "disabling ends no session");
    done(&client, &format!("/ppp/active/remove .id={}", after.id)).await;
    assert!(router.session("budi").is_none());
    assert_eq!(done(&client, "/ip/firewall/address-list/print count-only").await.as_deref(), Some("0"));
}

#[tokio::test]
async fn a_fixed_address_beats_the_pool() {
    let (router, client) = started(Simulation::default()).await;
    done(&client, "/ip/pool/add name=kolam ranges=10.9.0.2-10.9.0.3").await;
    done(&client, "/ppp/profile/set .id=*0 remote-address=kolam").await;
    done(&client, "/ppp/secret/add name=budi remote-address=10.1.1.1").await;
    assert_eq!(router.session("budi").unwrap().address.as_deref(), Some("10.1.1.1"));
    done(&client, "/ppp/secret/unset .id=*1 value-name=remote-address").await;
    done(&client, &format!("/ppp/active/remove .id={}", router.session("budi").unwrap().id)).await;
    assert_eq!(router.session("budi").unwrap().address.as_deref(), Some("10.9.0.2"));
}

#[tokio::test]
async fn a_box_with_another_password_gets_no_session() {
    let simulation = Simulation { auto_dial: false, ..Simulation::default() };
    let router = SimulatedRouter::start(simulation).await.unwrap();
    let client = Client::connect(router.options()).await.unwrap();
    done(&client, "/ppp/secret/add name=budi password=benar").await;
    router.plug("budi", "salah");
    assert!(router.session("budi").is_none());
    router.plug("budi", "benar");
    assert!(router.session("budi").is_some());
    router.unplug("budi");
    assert!(router.session("budi").is_none());
}

#[tokio::test]
async fn passwords_are_hidden_from_7_21_on() {
    for (version, shown) in [(Version::V7_9, true), (Version::V7_21_5, false)] {
        let router = SimulatedRouter::start(Simulation { version, ..Simulation::default() }).await.unwrap();
        let client = Client::connect(router.options()).await.unwrap();
        done(&client, "/ppp/secret/add name=budi password=x").await;
        let print = command("/ppp/secret/print .proplist=name,password");
        let reply = client.call(&print).await.unwrap();
        assert_eq!(reply.rows()[0].value("password").is_some(), shown);
        let sensitive = client.call(&print.flag("show-sensitive")).await;
        match version {
            Version::V7_9 => assert!(matches!(sensitive, Err(Error::Refused { .. }))),
            _ => assert_eq!(sensitive.unwrap().rows()[0].value("password"), Some(&b"x"[..])),
        }
    }
}

#[tokio::test]
async fn a_user_without_the_write_policy_may_only_read() {
    let (router, _) = started(Simulation::default()).await;
    let mut options = router.options();
    options.user = "readonly".to_owned();
    let client = Client::connect(options).await.unwrap();
    done(&client, "/ppp/secret/print").await;
    assert_eq!(refusal(&client, "/ppp/secret/add name=x").await, "not enough permissions (9)");
    assert_eq!(router.counters().writes, 0);
}

#[tokio::test]
async fn several_clients_share_it_and_a_restart_ends_all_sessions() {
    let (router, first) = started(Simulation::default()).await;
    let second = Client::connect(router.options()).await.unwrap();
    done(&first, "/ppp/secret/add name=budi").await;
    assert_eq!(done(&second, "/ppp/secret/print count-only").await.as_deref(), Some("1"));
    let before = router.session("budi").unwrap();
    router.reboot(Duration::from_millis(20));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(first.closed().is_some() && second.closed().is_some());
    let again = Client::connect(router.options()).await.unwrap();
    assert_eq!(done(&again, "/ppp/secret/print count-only").await.as_deref(), Some("1"));
    assert_ne!(router.session("budi").unwrap().id, before.id);
}

#[tokio::test]
async fn connections_over_the_limit_are_closed() {
    let simulation = Simulation { max_connections: Some(1), ..Simulation::default() };
    let router = SimulatedRouter::start(simulation).await.unwrap();
    let first = Client::connect(router.options()).await.unwrap();
    assert!(matches!(Client::connect(router.options()).await, Err(Error::NotSent { .. })));
    drop(first);
    tokio::time::sleep(Duration::from_millis(50)).await;
    Client::connect(router.options()).await.unwrap();
}

#[tokio::test]
async fn a_listener_hears_what_changes_until_it_is_dropped() {
    let (router, client) = started(Simulation::default()).await;
    let listen = Command::new("/ppp/active/listen").proplist(&[".id", "name"]);
    let mut active = client.listen(&listen).await.unwrap();
    done(&client, "/ppp/secret/add name=budi").await;
    let row = active.next().await.unwrap().unwrap();
    let id = row.utf8(".id").unwrap().to_owned();
    assert_eq!((row.utf8("name"), row.value("service")), (Some("budi"), None));
    done(&client, &format!("/ppp/active/remove .id={id}")).await;
    let row = active.next().await.unwrap().unwrap();
    assert_eq!((row.utf8(".id"), row.utf8(".dead")), (Some(id.as_str()), Some("true")));
    assert_eq!(active.next().await.unwrap().unwrap().utf8("name"), Some("budi"), "the box dialled again");
    router.unplug("budi");
    assert_eq!(active.next().await.unwrap().unwrap().utf8(".dead"), Some("true"));
    drop(active);
    assert_eq!(done(&client, "/ppp/active/print count-only").await.as_deref(), Some("0"));
    for (words, text) in [
        ("/ppp/secrets/listen", "no such command or directory (secrets); no such command prefix"),
        ("/ppp/active/listen stats", "unknown parameter stats"),
        ("/system/identity/listen", "no such command"),
    ] {
        let mut wrong = client.listen(&command(words)).await.unwrap();
        let Err(Error::Refused { refusal, .. }) = wrong.next().await else { panic!("{words}") };
        assert_eq!(refusal.message, text, "{words}");
    }
    router.inject(Fault::new(FaultKind::Trap("action timed out - try again".to_owned())).on("/ppp/active/listen"));
    let mut struck = client.listen(&listen).await.unwrap();
    assert!(matches!(struck.next().await, Err(Error::Refused { .. })));
}

#[tokio::test]
async fn cancel_without_a_tag_ends_all_but_itself_in_the_order_of_a_router() {
    let (router, _) = started(Simulation::default()).await;
    let mut stream = tokio::net::TcpStream::connect(router.address()).await.unwrap();
    let mut out = Vec::new();
    for sentence in [
        &["/login", "=name=api", "=password=simulated"][..],
        &["/ppp/active/listen", ".tag=a"],
        &["/cancel", "=tag=nobody", ".tag=b"],
        &["/cancel", ".tag=c"],
        &["/quit"],
    ] {
        sentence.iter().for_each(|word| put_word(&mut out, word.as_bytes()));
        out.push(0);
    }
    stream.write_all(&out).await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    let mut decoder = Decoder::default();
    decoder.feed(&answer);
    let mut seen = Vec::new();
    while let Some(sentence) = decoder.next_sentence().unwrap() {
        let words: Vec<_> = sentence.words().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        seen.push(words.join(" "));
    }
    assert_eq!(
        seen,
        [
            "!done",
            "!done .tag=b",
            "!trap .tag=a =category=2 =message=interrupted",
            "!done .tag=c",
            "!done .tag=a",
            "!fatal session terminated on request",
        ]
    );
}

#[tokio::test]
async fn one_property_is_got_and_a_comment_names_an_entry_of_the_firewall() {
    let (_router, client) = started(Simulation::default()).await;
    done(&client, "/ppp/secret/add name=budi profile=default").await;
    assert_eq!(done(&client, "/ppp/secret/get .id=*1 value-name=profile").await.as_deref(), Some("default"));
    assert_eq!(done(&client, "/ppp/secret/get number=budi value-name=name").await.as_deref(), Some("budi"));
    assert_eq!(done(&client, "/system/identity/get value-name=name").await.as_deref(), Some("simulated"));
    assert_eq!(refusal(&client, "/ppp/secret/get .id=*9 value-name=name").await, "no such item");
    done(&client, "/ip/firewall/address-list/add list=L address=10.1.1.1 comment=catatan").await;
    done(&client, "/ip/firewall/address-list/remove numbers=catatan").await;
    assert_eq!(done(&client, "/ip/firewall/address-list/print count-only").await.as_deref(), Some("0"));
}

#[tokio::test]
async fn when_all_sessions_are_taken_new_connections_are_closed_for_a_while() {
    let (router, client) = started(Simulation::default()).await;
    router.inject(Fault::new(FaultKind::SessionLimit(Duration::from_millis(80))));
    assert!(client.call(&command("/ppp/secret/print")).await.is_err());
    assert!(matches!(Client::connect(router.options()).await, Err(Error::NotSent { .. })));
    tokio::time::sleep(Duration::from_millis(90)).await;
    Client::connect(router.options()).await.unwrap();
}

#[tokio::test]
async fn a_hotspot_client_with_a_cookie_is_back_at_once() {
    let (router, client) = started(Simulation::default()).await;
    done(&client, "/ip/hotspot/user/add name=warung password=x").await;
    router.force("/ip/hotspot/active", &[("user", b"warung")]).unwrap();
    router.force("/ip/hotspot/cookie", &[("user", b"warung")]).unwrap();
    done(&client, "/ip/hotspot/active/remove .id=*1").await;
    assert_eq!(router.items("/ip/hotspot/active").len(), 1);
    done(&client, "/ip/hotspot/cookie/remove .id=*1").await;
    done(&client, "/ip/hotspot/active/remove .id=*2").await;
    assert!(router.items("/ip/hotspot/active").is_empty());
}
