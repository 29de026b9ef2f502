//! Accounts, isolation and reopening against the simulator.

use std::time::Duration;

use crate::common::{done, endpoint, group, refused, target};
use chrono::{TimeZone, Utc};
use isp_core::isolation::Access::{Closed, Isolated, Open};
use isp_core::isolation::AccessTarget;
use isp_core::ports::{AccessControl, ApplyOutcome, PortError};
use isp_core::secret::Secret;
use isp_mikrotik::simulator::{Fault, FaultKind, SimulatedRouter, Simulation, Version};
use isp_mikrotik::text::CodePage;
use isp_mikrotik::{MikrotikAccess, Settings};

async fn start() -> (SimulatedRouter, MikrotikAccess) {
    start_with(Simulation::default()).await
}

async fn start_with(simulation: Simulation) -> (SimulatedRouter, MikrotikAccess) {
    let router = SimulatedRouter::start(simulation).await.unwrap();
    router.force("/ip/pool", &[("name", b"pelanggan"), ("ranges", b"10.20.0.2-10.20.3.250")]).unwrap();
    let settings = Settings {
        pool: Some("pelanggan".to_owned()),
        local_address: Some("10.20.0.1".to_owned()),
        deadline: Duration::from_millis(300),
        ..Settings::default()
    };
    (router, MikrotikAccess::new(settings))
}

async fn seen(
    access: &MikrotikAccess,
    router: &SimulatedRouter,
    target: &AccessTarget,
) -> Option<isp_core::isolation::Access> {
    let now = Utc.with_ymd_and_hms(2026, 1, 5, 3, 0, 0).unwrap();
    let observed = access.observe(&endpoint(router), std::slice::from_ref(target), now).await.unwrap();
    assert_eq!((observed.len(), observed[0].revision, observed[0].at), (1, 0, now));
    observed[0].access
}

#[tokio::test]
async fn accounts_are_made_once_and_the_second_time_nothing_is_written() {
    for version in Version::ALL {
        let (router, access) = start_with(Simulation { version, ..Simulation::default() }).await;
        let targets: Vec<_> = (0..40).map(|number| target(number, &format!("user-{number}"), Open)).collect();
        for outcome in access.apply(&endpoint(&router), &targets).await.unwrap() {
            assert!(matches!(done(&outcome), (Open, true, _)));
        }
        let profile = router.profiles().into_iter().find(|profile| profile.name == "10M").unwrap();
        assert_eq!(profile.rate_limit.as_deref(), Some("5M/10M"), "upload comes first");
        assert!(router.secret("user-7").unwrap().password_is("rahasia"));
        assert_eq!(router.sessions().len(), 40);
        router.reset_counters();
        for outcome in access.apply(&endpoint(&router), &targets).await.unwrap() {
            assert_eq!(done(&outcome), (Open, false, "profile 10M, online"));
        }
        let counters = router.counters();
        assert_eq!((counters.writes, counters.commands), (0, 5), "{counters:?}");
    }
}

#[tokio::test]
async fn isolation_swaps_the_profile_ends_the_session_and_reopening_undoes_it() {
    let (router, access) = start().await;
    let open = target(1, "budi", Open);
    let isolated = AccessTarget { desired: Isolated, ..open.clone() };
    access.apply(&endpoint(&router), std::slice::from_ref(&open)).await.unwrap();
    let before = router.session("budi").unwrap();
    assert_eq!(before.profile, "10M");

    let outcomes = access.apply(&endpoint(&router), std::slice::from_ref(&isolated)).await.unwrap();
    assert_eq!(done(&outcomes[0]), (Isolated, true, "profile isolir, session ended"));
    let during = router.session("budi").unwrap();
    assert_eq!((during.profile.as_str(), during.address_list.as_deref()), ("isolir", Some("ISOLIR")));
    assert_eq!(during.rate_limit.as_deref(), Some("64k/64k"));
    assert_eq!(seen(&access, &router, &isolated).await, Some(Isolated));

    router.reset_counters();
    let outcomes = access.apply(&endpoint(&router), std::slice::from_ref(&isolated)).await.unwrap();
    assert_eq!(done(&outcomes[0]), (Isolated, false, "profile isolir, online"));
    assert_eq!(router.counters().writes, 0);
    assert_eq!(router.session("budi").unwrap(), during, "nobody is kicked twice");

    access.apply(&endpoint(&router), std::slice::from_ref(&open)).await.unwrap();
    let after = router.session("budi").unwrap();
    assert_eq!((after.profile.as_str(), after.address_list), ("10M", None));
    assert_eq!(seen(&access, &router, &open).await, Some(Open));
    assert!(!router.secret("budi").unwrap().comment.ends_with(b";kick"));
}

#[tokio::test]
async fn a_fixed_address_is_put_aside_while_isolated_and_comes_back() {
    let (router, access) = start().await;
    let mut open = target(1, "budi", Open);
    open.adopt = true;
    let isolated = AccessTarget { desired: Isolated, ..open.clone() };
    router.force(
        "/ppp/secret",
        &[
            ("name", b"budi"),
            ("password", b"rahasia"),
            ("remote-address", b"10.1.1.7"),
            ("comment", b"Pak Budi \x96 gang 2"),
        ],
    );
    access.apply(&endpoint(&router), std::slice::from_ref(&open)).await.unwrap();
    assert_eq!(router.session("budi").unwrap().address.as_deref(), Some("10.1.1.7"));

    access.apply(&endpoint(&router), std::slice::from_ref(&isolated)).await.unwrap();
    assert_eq!(router.secret("budi").unwrap().remote_address, None);
    let session = router.session("budi").unwrap();
    assert!(session.address.unwrap().starts_with("10.20."), "the pool is used now");
    assert_eq!(session.address_list.as_deref(), Some("ISOLIR"));

    access.apply(&endpoint(&router), std::slice::from_ref(&open)).await.unwrap();
    let secret = router.secret("budi").unwrap();
    assert_eq!(secret.remote_address.as_deref(), Some("10.1.1.7"));
    assert_eq!(secret.comment, b"isp:000000000001 Pak Budi \x96 gang 2", "what people wrote is kept to the byte");
    assert_eq!(router.session("budi").unwrap().address.as_deref(), Some("10.1.1.7"));
}

#[tokio::test]
async fn a_number_as_user_name_is_no_position_and_a_prefix_no_name() {
    let (router, access) = start().await;
    for name in ["aaa", "bbb", "budi2", "0812345678901"] {
        router.force("/ppp/secret", &[("name", name.as_bytes()), ("password", b"x")]);
    }
    let before: Vec<_> = router.secrets();
    let targets = [target(1, "081234567890", Open), target(2, "1", Open), target(3, "budi", Open)];
    access.apply(&endpoint(&router), &targets).await.unwrap();
    let isolated: Vec<_> = targets.iter().map(|target| AccessTarget { desired: Isolated, ..target.clone() }).collect();
    for outcome in access.apply(&endpoint(&router), &isolated).await.unwrap() {
        assert!(matches!(done(&outcome), (Isolated, true, _)));
    }
    assert_eq!(router.secrets()[..4], before[..], "the neighbours are untouched");
    for name in ["081234567890", "1", "budi"] {
        assert_eq!(router.secret(name).unwrap().profile, "isolir");
    }
}

#[tokio::test]
async fn the_profile_is_the_exact_one_even_where_a_prefix_would_match() {
    let (router, access) = start().await;
    router.force("/ppp/profile", &[("name", b"isolir-lama")]);
    router.force("/ppp/profile", &[("name", b"10M-malam"), ("rate-limit", b"5M/10M")]);
    let isolated = target(1, "budi", Isolated);
    access.apply(&endpoint(&router), &[isolated, target(2, "siti", Open)]).await.unwrap();
    assert_eq!(router.secret("budi").unwrap().profile, "isolir");
    assert_eq!(router.secret("siti").unwrap().profile, "10M");
}

#[tokio::test]
async fn accounts_that_are_not_ours_are_never_touched() {
    let (router, access) = start().await;
    router.force("/ppp/secret", &[("name", b"budi"), ("password", b"lain"), ("comment", b"tetangga")]);
    router.force("/ppp/secret", &[("name", b"siti"), ("comment", b"isp:aaaaaaaaaaaa")]);
    router.force("/ppp/secret", &[("name", b"kembar")]);
    router.force("/ppp/secret", &[("name", b"kembar")]);
    let before = router.secrets();
    let sessions = router.sessions();
    let mut twin = target(3, "kembar", Isolated);
    twin.adopt = true;
    let targets = [target(1, "budi", Isolated), target(2, "siti", Closed), twin];
    let outcomes = access.apply(&endpoint(&router), &targets).await.unwrap();
    let codes: Vec<_> = outcomes.iter().map(refused).collect();
    assert_eq!(codes, ["router.account_not_ours", "router.account_of_another", "router.account_twins"]);
    assert_eq!((router.secrets(), router.sessions()), (before, sessions));
    assert_eq!(seen(&access, &router, &targets[0]).await, None);
}

#[tokio::test]
async fn a_confirmed_import_adopts_and_keeps_the_comment() {
    let (router, access) = start().await;
    router.force("/ppp/secret", &[("name", b"budi"), ("password", b"rahasia"), ("comment", b"rumah cat hijau")]);
    let mut adopted = target(1, "budi", Open);
    adopted.adopt = true;
    let outcomes = access.apply(&endpoint(&router), std::slice::from_ref(&adopted)).await.unwrap();
    assert!(matches!(done(&outcomes[0]), (Open, true, _)));
    let secret = router.secret("budi").unwrap();
    assert_eq!((secret.profile.as_str(), &secret.comment[..]), ("10M", &b"isp:000000000001 rumah cat hijau"[..]));
    assert_eq!(router.session("budi").unwrap().profile, "10M");
}

#[tokio::test]
async fn a_deleted_profile_is_made_again_and_linked_again() {
    let (router, access) = start().await;
    let open = target(1, "budi", Open);
    access.apply(&endpoint(&router), std::slice::from_ref(&open)).await.unwrap();
    router.force_remove("/ppp/profile", "10M");
    assert!(router.secret("budi").unwrap().profile.starts_with('*'), "it dangles");
    assert_eq!(seen(&access, &router, &open).await, None);
    access.apply(&endpoint(&router), std::slice::from_ref(&open)).await.unwrap();
    assert_eq!(router.secret("budi").unwrap().profile, "10M");
}

#[tokio::test]
async fn a_profile_that_is_not_ours_is_used_if_it_fits_and_never_changed() {
    let (router, access) = start().await;
    router.force("/ppp/profile", &[("name", b"10M"), ("rate-limit", b"5000k/10000k")]);
    router.force("/ppp/profile", &[("name", b"isolir"), ("only-one", b"default")]);
    let before = router.profiles();
    let outcomes = access.apply(&endpoint(&router), &[target(1, "a", Open), target(2, "b", Isolated)]).await.unwrap();
    assert!(matches!(done(&outcomes[0]), (Open, true, _)));
    // Without list, rate and pool it would isolate nobody.
    assert_eq!(refused(&outcomes[1]), "router.profile_not_ours");
    assert_eq!(router.profiles(), before);
    assert!(router.secret("b").is_none());
}

#[tokio::test]
async fn an_owner_s_isolation_profile_is_used_as_it_is() {
    for terms in [("rate-limit", &b"1M/1M"[..]), ("address-list", b"TUNGGAKAN")] {
        let (router, access) = start().await;
        router.force("/ppp/profile", &[("name", b"isolir"), terms]).unwrap();
        let before = router.profiles();
        let isolated = target(1, "budi", Isolated);
        let outcomes = access.apply(&endpoint(&router), std::slice::from_ref(&isolated)).await.unwrap();
        assert!(matches!(done(&outcomes[0]), (Isolated, true, _)));
        assert_eq!(router.secret("budi").unwrap().profile, "isolir");
        assert_eq!(seen(&access, &router, &isolated).await, Some(Isolated));
        assert_eq!(router.profiles()[..before.len()], before, "it is not changed");
    }
}

#[tokio::test]
async fn a_package_profile_with_other_terms_opens_who_has_paid_and_is_told() {
    let (router, access) = start().await;
    let isolated = target(1, "budi", Isolated);
    access.apply(&endpoint(&router), std::slice::from_ref(&isolated)).await.unwrap();
    router.force("/ppp/profile", &[("name", b"10M"), ("rate-limit", b"1M/2M")]).unwrap();
    let open = target(1, "budi", Open);
    let plan = access.plan(&endpoint(&router), std::slice::from_ref(&open)).await.unwrap();
    assert_eq!(plan.summary().conflicts, 1, "{plan}");
    let outcomes = access.apply(&endpoint(&router), std::slice::from_ref(&open)).await.unwrap();
    let (access_now, changed, answer) = done(&outcomes[0]);
    assert_eq!((access_now, changed), (Open, true));
    assert!(answer.contains("rate-limit is 1M/2M"), "{answer}");
    assert_eq!(router.secret("budi").unwrap().profile, "10M");
}

#[tokio::test]
async fn our_own_profile_follows_the_package() {
    let (router, access) = start().await;
    let mut account = target(1, "budi", Open);
    access.apply(&endpoint(&router), std::slice::from_ref(&account)).await.unwrap();
    account.group = group("10M", 20);
    access.apply(&endpoint(&router), std::slice::from_ref(&account)).await.unwrap();
    let profile = router.profiles().into_iter().find(|profile| profile.name == "10M").unwrap();
    assert_eq!(profile.rate_limit.as_deref(), Some("10M/20M"));
    account.group = group("50M", 50);
    access.apply(&endpoint(&router), std::slice::from_ref(&account)).await.unwrap();
    assert_eq!(router.session("budi").unwrap().rate_limit.as_deref(), Some("25M/50M"));
}

#[tokio::test]
async fn closing_disables_and_ends_the_session_and_an_absent_account_is_closed() {
    let (router, access) = start().await;
    let open = target(1, "budi", Open);
    let closed = AccessTarget { desired: Closed, ..open.clone() };
    let absent = target(2, "siti", Closed);
    access.apply(&endpoint(&router), std::slice::from_ref(&open)).await.unwrap();
    let outcomes = access.apply(&endpoint(&router), &[closed.clone(), absent.clone()]).await.unwrap();
    assert_eq!(done(&outcomes[0]), (Closed, true, "account disabled"));
    assert_eq!(done(&outcomes[1]), (Closed, false, "no account"));
    assert!(router.secret("budi").unwrap().disabled && router.session("budi").is_none());
    assert_eq!(seen(&access, &router, &closed).await, Some(Closed));
    access.apply(&endpoint(&router), std::slice::from_ref(&open)).await.unwrap();
    assert_eq!(seen(&access, &router, &open).await, Some(Open));
}

#[tokio::test]
async fn a_lost_reply_is_found_out_by_reading_and_nothing_is_added_twice() {
    let (router, access) = start().await;
    let open = target(1, "budi", Open);
    // The connection is gone with the reply: the same call reads over a new one.
    router.inject(Fault::new(FaultKind::ReplyLost).on("/ppp/secret/add"));
    let outcomes = access.apply(&endpoint(&router), std::slice::from_ref(&open)).await.unwrap();
    assert_eq!(done(&outcomes[0]).0, Open);
    // One that hangs is left to the next call.
    let other = target(2, "siti", Open);
    router.inject(Fault::new(FaultKind::HangAfterEffect).on("/ppp/secret/add"));
    let error = access.apply(&endpoint(&router), std::slice::from_ref(&other)).await.unwrap_err();
    assert!(matches!(error, PortError::Unknown { .. }), "{error}");
    assert!(router.secret("siti").is_some());
    let outcomes = access.apply(&endpoint(&router), std::slice::from_ref(&other)).await.unwrap();
    assert_eq!(done(&outcomes[0]).0, Open);
    let outcomes = access.apply(&endpoint(&router), std::slice::from_ref(&open)).await.unwrap();
    assert_eq!(done(&outcomes[0]).0, Open);
    assert_eq!(router.counters().by_command["/ppp/secret/add"], 2);
}

#[tokio::test]
async fn a_crash_between_change_and_kick_is_made_good() {
    let (router, access) = start().await;
    let open = target(1, "budi", Open);
    let isolated = AccessTarget { desired: Isolated, ..open.clone() };
    access.apply(&endpoint(&router), std::slice::from_ref(&open)).await.unwrap();
    router.inject(Fault::new(FaultKind::Hang).on("/ppp/active/remove"));
    let error = access.apply(&endpoint(&router), std::slice::from_ref(&isolated)).await.unwrap_err();
    assert!(matches!(error, PortError::Unknown { .. }), "{error}");
    assert_eq!(router.secret("budi").unwrap().profile, "isolir");
    assert_eq!(router.session("budi").unwrap().profile, "10M", "still served");
    assert_eq!(seen(&access, &router, &isolated).await, None, "and not reported as isolated");
    let restarted = MikrotikAccess::new(access.settings().clone());
    let outcomes = restarted.apply(&endpoint(&router), std::slice::from_ref(&isolated)).await.unwrap();
    assert_eq!(done(&outcomes[0]), (Isolated, true, "profile isolir, session ended"));
    assert_eq!(router.session("budi").unwrap().profile, "isolir");
}

#[tokio::test]
async fn a_short_answer_makes_nobody_twice_and_overlooks_no_session() {
    let (router, access) = start().await;
    let targets: Vec<_> = (0..40).map(|number| target(number, &format!("user-{number}"), Open)).collect();
    access.apply(&endpoint(&router), &targets).await.unwrap();
    router.reset_counters();
    router.inject(Fault::new(FaultKind::ShortTable(7)).on("/ppp/secret/print"));
    for outcome in access.apply(&endpoint(&router), &targets).await.unwrap() {
        assert_eq!(done(&outcome), (Open, false, "profile 10M, online"));
    }
    assert_eq!(router.counters().writes, 0);
    router.inject(Fault::new(FaultKind::ShortTable(40)).on("/ppp/secret/print").always());
    let error = access.apply(&endpoint(&router), &targets).await.unwrap_err();
    assert!(matches!(error, PortError::NotSent { .. }), "{error}");
    assert_eq!(router.counters().writes, 0);
    router.clear_faults();

    let isolated: Vec<_> = targets.iter().map(|target| AccessTarget { desired: Isolated, ..target.clone() }).collect();
    router.inject(Fault::new(FaultKind::ShortTable(20)).on("/ppp/active/print").times(3));
    access.apply(&endpoint(&router), &isolated).await.unwrap();
    assert!(router.sessions().iter().all(|session| session.profile == "isolir"));
}

#[tokio::test]
async fn a_hidden_password_is_unknown_and_a_wrong_one_is_put_right() {
    for version in Version::ALL {
        let (router, access) = start_with(Simulation { version, ..Simulation::default() }).await;
        let mut account = target(1, "budi", Open);
        access.apply(&endpoint(&router), std::slice::from_ref(&account)).await.unwrap();
        account.account.password = Secret::new("baru");
        let outcomes = access.apply(&endpoint(&router), std::slice::from_ref(&account)).await.unwrap();
        assert!(done(&outcomes[0]).1, "{version:?}");
        assert!(router.secret("budi").unwrap().password_is("baru"));
    }
    let simulation = Simulation { version: Version::V7_9, hide_passwords: Some(true), ..Simulation::default() };
    let (router, access) = start_with(simulation).await;
    let mut account = target(1, "budi", Open);
    access.apply(&endpoint(&router), std::slice::from_ref(&account)).await.unwrap();
    account.account.password = Secret::new("baru");
    router.reset_counters();
    let outcomes = access.apply(&endpoint(&router), std::slice::from_ref(&account)).await.unwrap();
    assert_eq!(done(&outcomes[0]), (Open, false, "profile 10M, online"));
    assert_eq!(router.counters().writes, 0, "unknown is not different");
}

#[tokio::test]
async fn a_router_that_is_down_is_not_sent_and_served_when_it_is_back() {
    let (router, access) = start().await;
    let open = target(1, "budi", Open);
    access.apply(&endpoint(&router), std::slice::from_ref(&open)).await.unwrap();
    router.down();
    tokio::task::yield_now().await;
    let isolated = AccessTarget { desired: Isolated, ..open };
    let error = access.apply(&endpoint(&router), std::slice::from_ref(&isolated)).await.unwrap_err();
    assert!(matches!(error, PortError::NotSent { .. }) && error.retryable(), "{error}");
    assert_eq!(router.session("budi").unwrap().profile, "10M");
    router.up().unwrap();
    access.apply(&endpoint(&router), std::slice::from_ref(&isolated)).await.unwrap();
    assert_eq!(router.session("budi").unwrap().profile, "isolir");
    router.reboot(Duration::ZERO);
    tokio::time::sleep(Duration::from_millis(40)).await;
    let outcomes = access.apply(&endpoint(&router), std::slice::from_ref(&isolated)).await.unwrap();
    assert!(!done(&outcomes[0]).1, "a dead connection is replaced without a fuss");
}

#[tokio::test]
async fn a_wrong_password_is_for_a_person_to_mend() {
    let (router, access) = start().await;
    let mut wrong = endpoint(&router);
    wrong.password = Secret::new("hunter2");
    let error = access.apply(&wrong, &[target(1, "budi", Open)]).await.unwrap_err();
    assert!(matches!(&error, PortError::Refused { code: "router.bad_credentials", .. }), "{error:?}");
    assert!(!format!("{error:?} {access:?}").contains("hunter2"));
    let mut readonly = endpoint(&router);
    readonly.username = "readonly".to_owned();
    let outcomes = access.apply(&readonly, &[target(1, "budi", Open)]).await.unwrap();
    assert_eq!(refused(&outcomes[0]), "router.not_permitted");
    assert_eq!(router.counters().writes, 0);
}

#[tokio::test]
async fn two_runs_at_once_on_one_router_agree() {
    let (router, access) = start().await;
    let access = std::sync::Arc::new(access);
    let targets: Vec<_> = (0..20).map(|number| target(number, &format!("user-{number}"), Open)).collect();
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let (access, endpoint, targets) = (access.clone(), endpoint(&router), targets.clone());
            tokio::spawn(async move { access.apply(&endpoint, &targets).await.unwrap() })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().iter().for_each(|outcome| assert_eq!(done(outcome).0, Open));
    }
    assert_eq!(router.counters().by_command["/ppp/secret/add"], 20);
    assert_eq!(router.secrets().len(), 20);
}

#[tokio::test]
async fn a_plan_reads_like_a_diff_and_shows_no_password() {
    let (router, access) = start().await;
    access.apply(&endpoint(&router), &[target(1, "budi", Open)]).await.unwrap();
    router.force("/ppp/secret", &[("name", b"tamu")]);
    let mut changed = target(1, "budi", Isolated);
    changed.account.password = Secret::new("hunter2");
    let targets = [changed, target(2, "siti", Open), target(3, "tamu", Open)];
    let before = router.counters().writes;
    let plan = access.plan(&endpoint(&router), &targets).await.unwrap();
    assert_eq!(
        plan.to_string(),
        "+ profile isolir rate-limit=64k/64k address-list=ISOLIR\n\
         ~ account budi: profile 10M -> isolir, password *** -> ***\n\
         x session of budi\n\
         + account siti profile=10M\n\
         ! account tamu: account tamu is there and does not carry our mark\n\
         2 to create, 1 to change (1 isolated), 1 sessions to end, 1 conflicts\n"
    );
    let json = serde_json::to_string(&plan).unwrap();
    assert!(
        json.contains("router.account_not_ours") && !json.contains("hunter2") && !json.contains("rahasia"),
        "{json}"
    );
    assert_eq!(router.counters().writes, before);
    access.apply(&endpoint(&router), &targets).await.unwrap();
    assert_eq!(access.plan(&endpoint(&router), &targets[..2]).await.unwrap().to_string(), "nothing to do\n");
}

#[tokio::test]
async fn an_import_reads_every_account_with_its_group_and_what_people_wrote() {
    let (router, access) = start().await;
    access.apply(&endpoint(&router), &[target(1, "budi", Open)]).await.unwrap();
    router
        .force("/ppp/secret", &[("name", b"0812"), ("password", b"x"), ("comment", b"caf\xe9"), ("disabled", b"yes")]);
    let found = access.read_accounts(&endpoint(&router), CodePage::Cp1252).await.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(
        (found[0].name.as_str(), found[0].rate_limit.as_deref(), found[0].online),
        ("budi", Some("5M/10M"), true)
    );
    assert_eq!(found[0].owner.as_deref(), Some("000000000001"));
    assert_eq!((found[1].name.as_str(), found[1].comment.as_str(), found[1].disabled), ("0812", "café", true));
    assert_eq!(found[1].owner, None);
    assert_eq!(found[1].password.as_ref().map(Secret::reveal), Some("x"));
    assert!(!serde_json::to_string(&found).unwrap().contains("rahasia"));
}

#[tokio::test]
async fn ten_thousand_unchanged_accounts_cost_five_commands_and_no_write() {
    let (router, access) = start_with(Simulation { auto_dial: false, ..Simulation::default() }).await;
    let access = MikrotikAccess::new(Settings { deadline: Duration::from_secs(60), ..access.settings().clone() });
    router.force("/ppp/profile", &[("name", b"10M"), ("rate-limit", b"5M/10M"), ("comment", b"isp:group")]).unwrap();
    let targets: Vec<_> = (0..10_000).map(|number| target(number, &format!("user-{number}"), Open)).collect();
    for (number, target) in targets.iter().enumerate() {
        let name = target.account.username.as_str().as_bytes();
        let comment = format!("isp:{number:012x}");
        let values: [(&str, &[u8]); 4] =
            [("name", name), ("password", b"rahasia"), ("profile", b"10M"), ("comment", comment.as_bytes())];
        router.force("/ppp/secret", &values).unwrap();
    }
    access.apply(&endpoint(&router), &targets).await.unwrap();
    router.reset_counters();
    for outcome in access.apply(&endpoint(&router), &targets).await.unwrap() {
        assert_eq!(done(&outcome), (Open, false, "profile 10M, offline"));
    }
    let counters = router.counters();
    assert_eq!((counters.commands, counters.writes), (5, 0), "{counters:?}");
}

#[tokio::test]
async fn taking_over_tells_whom_somebody_shut_out_by_hand() {
    let (router, access) = start().await;
    router.force("/ppp/profile", &[("name", b"isolir"), ("rate-limit", b"64k/64k")]).unwrap();
    router.force("/ppp/secret", &[("name", b"a"), ("password", b"rahasia"), ("disabled", b"true")]);
    router.force("/ppp/secret", &[("name", b"b"), ("password", b"rahasia"), ("profile", b"isolir")]);
    router.force("/ppp/secret", &[("name", b"c"), ("password", b"rahasia"), ("remote-address", b"10.1.1.7")]);
    router.force("/ip/firewall/address-list", &[("list", b"ISOLIR"), ("address", b"10.1.1.7"), ("comment", b"tangan")]);
    router.force("/ppp/secret", &[("name", b"d"), ("password", b"rahasia")]);
    let adopted = |number, name, access| AccessTarget { adopt: true, ..target(number, name, access) };
    let mut targets = vec![adopted(1, "a", Open), adopted(2, "b", Open), adopted(3, "c", Open), adopted(4, "d", Open)];
    let plan = access.plan_whole(&endpoint(&router), &targets).await.unwrap();
    let shut: Vec<_> = plan.shut_out_by_hand().map(|drift| drift.name.as_str()).collect();
    assert_eq!(shut, ["a", "b", "c"]);
    // Who stays isolated by hand is not opened, and neither is told again.
    targets.iter_mut().take(3).for_each(|target| target.desired = Isolated);
    let plan = access.plan_whole(&endpoint(&router), &targets).await.unwrap();
    assert_eq!(plan.shut_out_by_hand().count(), 0);
    access.apply(&endpoint(&router), &targets).await.unwrap();
    assert_eq!(router.secrets().iter().filter(|secret| secret.profile == "isolir").count(), 3);
}

#[tokio::test]
async fn a_pool_that_the_router_lacks_is_named_with_its_profile_and_what_to_do() {
    for (settings, pool, setting) in [
        (Settings { pool: Some("kolam".to_owned()), ..Settings::default() }, "kolam", "mikrotik.pool"),
        (
            Settings { local_address: Some("gerbang".to_owned()), ..Settings::default() },
            "gerbang",
            "mikrotik.local_address",
        ),
    ] {
        let (router, _) = start().await;
        let access = MikrotikAccess::new(settings);
        let open = target(1, "budi", Open);
        let outcomes = access.apply(&endpoint(&router), std::slice::from_ref(&open)).await.unwrap();
        let ApplyOutcome::Refused { code, reason } = &outcomes[0] else { panic!("{outcomes:?}") };
        assert_eq!(*code, "router.pool_missing");
        let named = [format!("profile \"{}\"", open.group.name), format!("no pool \"{pool}\""), setting.to_owned()];
        assert!(named.iter().all(|name| reason.contains(name.as_str())), "{reason}");
        router.force("/ip/pool", &[("name", pool.as_bytes()), ("ranges", b"10.30.0.2-10.30.0.9")]).unwrap();
        let outcomes = access.apply(&endpoint(&router), &[open]).await.unwrap();
        assert!(done(&outcomes[0]).1);
    }
}
