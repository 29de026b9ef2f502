//! Each way of isolating, and what happens when a package changes.

use std::time::{Duration, Instant};

use crate::common::{by_hand, done, endpoint, group, refused, target};
use isp_core::isolation::Access::{Closed, Isolated, Open};
use isp_core::isolation::AccessTarget;
use isp_core::ports::AccessControl;
use isp_mikrotik::access::Guarded;
use isp_mikrotik::menu::rate::Burst;
use isp_mikrotik::proto::Command;
use isp_mikrotik::reconcile::Strategy;
use isp_mikrotik::simulator::{Fault, FaultKind, SimulatedRouter, Simulation, Version};
use isp_mikrotik::{Client, MikrotikAccess, Settings};

async fn start(settings: Settings) -> (SimulatedRouter, MikrotikAccess) {
    let router = SimulatedRouter::start(Simulation::default()).await.unwrap();
    router.force("/ip/pool", &[("name", b"pelanggan"), ("ranges", b"10.20.0.2-10.20.3.250")]).unwrap();
    let settings = Settings {
        pool: Some("pelanggan".to_owned()),
        local_address: Some("10.20.0.1".to_owned()),
        kick_pause: Duration::from_millis(50),
        ..settings
    };
    (router, MikrotikAccess::new(settings))
}

async fn apply(
    access: &MikrotikAccess,
    router: &SimulatedRouter,
    targets: &[AccessTarget],
) -> Vec<isp_core::ports::ApplyOutcome> {
    access.apply(&endpoint(router), targets).await.unwrap()
}

async fn seen(
    access: &MikrotikAccess,
    router: &SimulatedRouter,
    target: &AccessTarget,
) -> Option<isp_core::isolation::Access> {
    let now = chrono::DateTime::from_timestamp(1_767_000_000, 0).unwrap();
    access.observe(&endpoint(router), std::slice::from_ref(target), now).await.unwrap()[0].access
}

fn entries(router: &SimulatedRouter) -> Vec<String> {
    let text =
        |value: Option<&Vec<u8>>| String::from_utf8_lossy(value.map(Vec::as_slice).unwrap_or_default()).into_owned();
    let items = router.items("/ip/firewall/address-list").into_iter();
    items
        .map(|item| format!("{} {} {}", text(item.get("list")), text(item.get("address")), text(item.get("comment"))))
        .collect()
}

#[tokio::test]
async fn a_fixed_address_is_listed_at_once_and_no_session_is_ended() {
    let (router, access) = start(Settings { isolation: Strategy::AddressList, ..Settings::default() }).await;
    router.force("/ppp/secret", &[("name", b"kantor"), ("password", b"rahasia"), ("remote-address", b"10.1.1.7")]);
    router.force("/ip/firewall/address-list", &[("list", b"ISOLIR"), ("address", b"10.9.9.9"), ("comment", b"tangan")]);
    let open = AccessTarget { adopt: true, ..target(1, "kantor", Open) };
    let isolated = AccessTarget { desired: Isolated, ..open.clone() };
    apply(&access, &router, std::slice::from_ref(&open)).await;
    let session = router.session("kantor").unwrap();

    let plan = access.plan(&endpoint(&router), std::slice::from_ref(&isolated)).await.unwrap();
    assert_eq!(
        plan.to_string(),
        "+ list entry 10.1.1.7 of kantor\n0 to create, 1 to change (1 isolated), 0 sessions to end, 0 conflicts\n"
    );
    let outcomes = apply(&access, &router, std::slice::from_ref(&isolated)).await;
    assert_eq!(done(&outcomes[0]), (Isolated, true, "in list ISOLIR"));
    assert_eq!(entries(&router), ["ISOLIR 10.9.9.9 tangan", "ISOLIR 10.1.1.7 isp:000000000001"]);
    assert_eq!((router.session("kantor"), seen(&access, &router, &isolated).await), (Some(session), Some(Isolated)));
    router.reset_counters();
    assert!(!done(&apply(&access, &router, std::slice::from_ref(&isolated)).await[0]).1);
    assert_eq!(router.counters().writes, 0);

    apply(&access, &router, std::slice::from_ref(&open)).await;
    assert_eq!(entries(&router), ["ISOLIR 10.9.9.9 tangan"]);
    assert_eq!(seen(&access, &router, &open).await, Some(Open));
}

#[tokio::test]
async fn an_address_that_cannot_be_listed_is_a_conflict() {
    let (router, access) = start(Settings { isolation: Strategy::AddressList, ..Settings::default() }).await;
    router.force("/ppp/secret", &[("name", b"a"), ("remote-address", b"10.1.1.7"), ("comment", b"isp:000000000001")]);
    router.force(
        "/ip/firewall/address-list",
        &[("list", b"ISOLIR"), ("address", b"10.1.1.7"), ("comment", b"isp:000000000009")],
    );
    apply(&access, &router, &[target(2, "b", Open)]).await;
    let outcomes =
        apply(&access, &router, &[target(1, "a", Isolated), target(2, "b", Isolated), target(3, "c", Isolated)]).await;
    let codes: Vec<_> = outcomes.iter().map(refused).collect();
    assert_eq!(codes, ["router.entry_not_ours", "router.no_fixed_address", "router.no_fixed_address"]);
    assert_eq!(entries(&router).len(), 1);
}

#[tokio::test]
async fn a_line_that_is_switched_off_by_hand_comes_back_as_it_was() {
    let (router, access) = start(Settings { isolation: Strategy::Disable, ..Settings::default() }).await;
    let open = target(1, "budi", Open);
    let isolated = AccessTarget { desired: Isolated, ..open.clone() };
    apply(&access, &router, std::slice::from_ref(&open)).await;
    let outcomes = apply(&access, &router, std::slice::from_ref(&isolated)).await;
    assert_eq!(done(&outcomes[0]), (Isolated, true, "account disabled"));
    let secret = router.secret("budi").unwrap();
    assert_eq!((secret.disabled, secret.profile.as_str(), router.session("budi")), (true, "10M", None));
    assert_eq!(seen(&access, &router, &isolated).await, Some(Isolated));
    assert!(router.profiles().iter().all(|profile| profile.name != "isolir"), "it is not needed");
    apply(&access, &router, std::slice::from_ref(&open)).await;
    assert_eq!(seen(&access, &router, &open).await, Some(Open));
    let made = apply(&access, &router, &[target(2, "baru", Isolated)]).await;
    assert_eq!(done(&made[0]).0, Isolated);
    assert!(router.secret("baru").unwrap().disabled, "a new one is not open for a moment");
}

#[tokio::test]
async fn a_hotspot_user_loses_its_cookie_before_its_session() {
    for version in Version::ALL {
        let router = SimulatedRouter::start(Simulation { version, ..Simulation::default() }).await.unwrap();
        let by_group = [("warnet".to_owned(), Strategy::Hotspot)].into();
        let access = MikrotikAccess::new(Settings { isolation_by_group: by_group, ..Settings::default() });
        let open = AccessTarget { group: group("warnet", 4), ..target(1, "0812", Open) };
        let isolated = AccessTarget { desired: Isolated, ..open.clone() };
        let pppoe = target(2, "budi", Isolated);
        let outcomes = apply(&access, &router, &[open.clone(), pppoe.clone()]).await;
        assert_eq!((done(&outcomes[0]).0, done(&outcomes[1]).0), (Open, Isolated));
        assert!(router.secret("0812").is_none() && router.secret("budi").is_some());
        for user in [&b"0812"[..], b"tamu"] {
            router.force("/ip/hotspot/active", &[("user", user), ("address", b"10.5.0.9")]).unwrap();
            router.force("/ip/hotspot/cookie", &[("user", user)]).unwrap();
        }
        assert_eq!(seen(&access, &router, &open).await, Some(Open));

        let outcomes = apply(&access, &router, &[pppoe.clone(), isolated.clone()]).await;
        assert_eq!(done(&outcomes[1]), (Isolated, true, "profile isolir, session ended"));
        for menu in ["/ip/hotspot/active", "/ip/hotspot/cookie"] {
            let left: Vec<_> = router.items(menu).into_iter().map(|item| item["user"].clone()).collect();
            assert_eq!(left, [b"tamu"], "{menu}");
        }
        let user = router.items("/ip/hotspot/user").remove(0);
        assert_eq!((&user["profile"][..], &user["comment"][..]), (&b"isolir"[..], &b"isp:000000000001"[..]));
        assert_eq!(seen(&access, &router, &isolated).await, Some(Isolated));
        router.reset_counters();
        apply(&access, &router, &[pppoe, isolated]).await;
        assert_eq!(router.counters().writes, 0);
    }
}

#[tokio::test]
async fn a_package_has_its_burst_and_a_new_speed_reaches_running_sessions_at_a_pace() {
    let burst = Burst { percent: 200, threshold_percent: 75, seconds: 8 };
    let settings = Settings { burst: Some(burst), kick_batch: 4, ..Settings::default() };
    let (router, access) = start(settings).await;
    router.force("/ppp/secret", &[("name", b"tetangga"), ("password", b"x")]);
    let mut accounts: Vec<_> = (0..10).map(|number| target(number, &format!("user-{number}"), Open)).collect();
    apply(&access, &router, &accounts).await;
    router.force("/ppp/secret", &[("name", b"titipan"), ("profile", b"10M"), ("comment", b"bukan kami")]);
    let limit = |name: &str| router.session(name).unwrap().rate_limit.unwrap();
    assert_eq!(limit("user-3"), "5M/10M 10M/20M 3750k/7500k 8/8");
    let (foreign, other) = (router.session("titipan"), router.session("tetangga"));

    // One account is applied; the profile is everybody's.
    accounts.iter_mut().for_each(|account| account.group = group("10M", 20));
    let started = Instant::now();
    apply(&access, &router, &accounts[..1]).await;
    assert!(started.elapsed() >= Duration::from_millis(100), "ten sessions in batches of four");
    for account in &accounts {
        assert_eq!(limit(account.account.username.as_str()), "10M/20M 20M/40M 7500k/15M 8/8");
    }
    assert_eq!((router.session("titipan"), router.session("tetangga")), (foreign, other), "not ours, not ended");
    let profile = router.profiles().into_iter().find(|profile| profile.name == "10M").unwrap();
    assert_eq!(profile.comment, "isp:group", "the debt is settled");
    router.reset_counters();
    apply(&access, &router, &accounts).await;
    assert_eq!((router.counters().writes, router.counters().commands), (0, 5));
}

#[tokio::test]
async fn a_crash_while_sessions_of_a_group_are_ended_is_made_good_and_nobody_is_ended_twice() {
    let (router, access) = start(Settings { kick_batch: 3, ..Settings::default() }).await;
    let mut accounts: Vec<_> = (0..9).map(|number| target(number, &format!("user-{number}"), Open)).collect();
    apply(&access, &router, &accounts).await;
    accounts.iter_mut().for_each(|account| account.group = group("10M", 20));
    router.inject(Fault::new(FaultKind::CutRequest).on("/ppp/active/remove").after(1).always());
    assert!(access.apply(&endpoint(&router), &accounts[..1]).await.is_err());
    router.clear_faults();
    let done_before: Vec<_> =
        router.sessions().into_iter().filter(|s| s.rate_limit.as_deref() == Some("10M/20M")).collect();
    assert_eq!(done_before.len(), 3);
    let restarted = MikrotikAccess::new(access.settings().clone());
    apply(&restarted, &router, &accounts[4..5]).await;
    assert!(router.sessions().iter().all(|session| session.rate_limit.as_deref() == Some("10M/20M")));
    for session in done_before {
        assert_eq!(router.session(&session.name), Some(session), "ended once");
    }
}

#[tokio::test]
async fn closed_lines_are_removed_once_nothing_runs_on_them_if_the_settings_say_so() {
    let (router, access) = start(Settings { remove_closed: true, ..Settings::default() }).await;
    router.force("/ppp/secret", &[("name", b"tetangga")]);
    let open: Vec<_> = (1..4).map(|number| target(number, &format!("user-{number}"), Open)).collect();
    apply(&access, &router, &open).await;
    let closed: Vec<_> = open.iter().map(|account| AccessTarget { desired: Closed, ..account.clone() }).collect();
    let outcomes = apply(&access, &router, &closed[..2]).await;
    assert_eq!((done(&outcomes[0]), done(&outcomes[1]).0), ((Closed, true, "no account"), Closed));
    let left: Vec<_> = router.secrets().into_iter().map(|secret| secret.name).collect();
    assert_eq!(left, ["tetangga", "user-3"]);
    assert_eq!(router.sessions().len(), 2);
    assert!(!done(&apply(&access, &router, &closed[..2]).await[0]).1);
}

#[tokio::test]
async fn a_plan_over_the_limit_is_held_and_nothing_is_written() {
    let (router, access) = start(Settings::default()).await;
    let open: Vec<_> = (0..6).map(|number| target(number, &format!("user-{number}"), Open)).collect();
    apply(&access, &router, &open).await;
    let isolated: Vec<_> = open.iter().map(|account| AccessTarget { desired: Isolated, ..account.clone() }).collect();
    let before = (router.secrets(), router.sessions(), router.counters().writes);
    let held = access.apply_within(&endpoint(&router), &isolated, 5).await.unwrap();
    assert!(matches!(&held, Guarded::Held(plan) if plan.summary().isolated == 6 && plan.is_over(5)), "{held:?}");
    assert_eq!((router.secrets(), router.sessions(), router.counters().writes), before);
    let applied = access.apply_within(&endpoint(&router), &isolated, 6).await.unwrap();
    assert!(matches!(&applied, Guarded::Applied(outcomes) if outcomes.len() == 6), "{applied:?}");
}

/// Two PPPoE lines and two hotspot users, all open.
async fn two_services() -> (SimulatedRouter, MikrotikAccess, Vec<AccessTarget>) {
    let by_group = [("VOUCHER".to_owned(), Strategy::Hotspot)].into();
    let (router, access) = start(Settings { isolation_by_group: by_group, ..Settings::default() }).await;
    let voucher = |number, name: &str| AccessTarget { group: group("VOUCHER", 5), ..target(number, name, Open) };
    let open = vec![target(1, "budi", Open), voucher(2, "kamar-2"), target(3, "siti", Open), voucher(4, "kamar-4")];
    assert!(apply(&access, &router, &open).await.iter().all(|outcome| done(outcome).0 == Open));
    (router, access, open)
}

fn hotspot_profile(router: &SimulatedRouter, name: &str) -> String {
    let users = router.items("/ip/hotspot/user");
    let user = users.iter().find(|user| user.get("name").is_some_and(|own| own == name.as_bytes())).unwrap();
    String::from_utf8(user["profile"].clone()).unwrap()
}

#[tokio::test]
async fn lines_of_two_services_count_together() {
    let (router, access, open) = two_services().await;
    let isolated: Vec<_> = open.iter().map(|line| AccessTarget { desired: Isolated, ..line.clone() }).collect();
    router.reset_counters();
    let held = access.apply_within(&endpoint(&router), &isolated, 3).await.unwrap();
    let Guarded::Held(plan) = held else { panic!("{held:?}") };
    let names: Vec<_> = plan.accounts.iter().map(|step| step.name.as_str()).collect();
    assert_eq!((plan.summary().isolated, names), (4, vec!["budi", "kamar-2", "siti", "kamar-4"]));
    assert_eq!(router.counters().writes, 0);
    let applied = access.apply_within(&endpoint(&router), &isolated, 4).await.unwrap();
    let Guarded::Applied(outcomes) = applied else { panic!("{applied:?}") };
    assert!(outcomes.iter().all(|outcome| done(outcome).0 == Isolated), "{outcomes:?}");
}

#[tokio::test]
async fn what_was_judged_is_what_is_applied_though_the_router_changes_meanwhile() {
    let (router, access, open) = two_services().await;
    let isolated: Vec<_> = open.iter().map(|line| AccessTarget { desired: Isolated, ..line.clone() }).collect();
    // One is isolated already, so that three remain, which is the limit.
    apply(&access, &router, &isolated[3..]).await;
    assert_eq!(hotspot_profile(&router, "kamar-4"), "isolir");
    router.inject(Fault::new(FaultKind::Latency(Duration::from_millis(300))).on("/ppp/secret/set"));
    let person = Client::connect(router.options()).await.unwrap();
    let by_hand = async {
        while router.secret("budi").unwrap().profile != "isolir" {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // After the reading, before the hotspot users are written.
        let find = Command::new("/ip/hotspot/user/print").where_any("name", &["kamar-4"]);
        let id = person.call(&find).await.unwrap().rows()[0].utf8(".id").unwrap().to_owned();
        let reopen = Command::new("/ip/hotspot/user/set").arg(".id", id).arg("profile", "VOUCHER");
        person.call(&reopen).await.unwrap();
    };
    let router_endpoint = endpoint(&router);
    let (applied, ()) = tokio::join!(access.apply_within(&router_endpoint, &isolated, 3), by_hand);
    let Guarded::Applied(outcomes) = applied.unwrap() else { panic!("held") };
    assert!(outcomes[..3].iter().all(|outcome| done(outcome).0 == Isolated), "{outcomes:?}");
    assert_eq!(refused(&outcomes[3]), "isolation.breaker");
    assert_eq!(hotspot_profile(&router, "kamar-4"), "VOUCHER", "a fourth line was not judged");
    let again = access.apply_within(&endpoint(&router), &isolated, 3).await.unwrap();
    assert!(matches!(again, Guarded::Applied(_)), "{again:?}");
    assert_eq!(hotspot_profile(&router, "kamar-4"), "isolir");
}

#[tokio::test]
async fn where_the_limit_is_passed_everything_but_the_isolations_can_be_done() {
    let (router, access, open) = two_services().await;
    let mut wanted: Vec<_> = open.iter().map(|line| AccessTarget { desired: Isolated, ..line.clone() }).collect();
    apply(&access, &router, &wanted[..1]).await;
    wanted[0].desired = Open;
    wanted.push(target(5, "baru", Open));
    let before = router.session("siti");
    let passed = access.apply_passing(&endpoint(&router), &wanted, 2).await.unwrap();
    let states: Vec<_> = passed.outcomes.iter().map(|outcome| outcome.as_ref().map(|done_| done(done_).0)).collect();
    assert_eq!((states, passed.held), (vec![Some(Open), None, None, None, Some(Open)], 3));
    assert_eq!((router.session("siti"), hotspot_profile(&router, "kamar-2")), (before, "VOUCHER".to_owned()));
    let passed = access.apply_passing(&endpoint(&router), &wanted, 3).await.unwrap();
    assert_eq!((passed.held, passed.outcomes.iter().flatten().count()), (0, 5));
    assert_eq!(router.secret("siti").unwrap().profile, "isolir");
}

#[tokio::test]
async fn drift_is_told_and_a_stray_is_not_touched() {
    let (router, access) = start(Settings::default()).await;
    let targets = [target(1, "budi", Open), target(2, "siti", Isolated)];
    apply(&access, &router, &targets).await;
    router.force("/ppp/secret", &[("name", b"lama"), ("comment", b"isp:0000000000ff Pak Lama")]);
    router.force_remove("/ppp/profile", "10M");
    let stray = router.secret("lama");
    let plan = access.plan_whole(&endpoint(&router), &targets).await.unwrap();
    let drift: Vec<_> = plan.drift.iter().map(|drift| (drift.name.as_str(), drift.code)).collect();
    assert_eq!(drift, [("budi", "router.profile_dangling"), ("lama", "router.stray_account")]);
    assert!(
        plan.to_string().contains("? account lama: carries our mark, and no line of this router has it\n"),
        "{plan}"
    );
    assert!(access.plan(&endpoint(&router), &targets).await.unwrap().drift.len() == 1, "a part does not know strays");
    apply(&access, &router, &targets).await;
    assert_eq!((router.secret("lama"), router.secret("budi").unwrap().profile.as_str()), (stray, "10M"));
}

/// Kinds of hands in Winbox and of settings that used to leave a payer shut in, or a debtor free.
#[tokio::test]
async fn an_open_line_leaves_no_trace_of_its_isolation_whatever_made_it() {
    let (router, access) = start(Settings { isolation: Strategy::AddressList, ..Settings::default() }).await;
    router.force("/ppp/secret", &[("name", b"kantor"), ("password", b"rahasia"), ("remote-address", b"10.1.1.7")]);
    let open = AccessTarget { adopt: true, ..target(1, "kantor", Open) };
    let isolated = AccessTarget { desired: Isolated, ..open.clone() };
    apply(&access, &router, std::slice::from_ref(&open)).await;
    apply(&access, &router, std::slice::from_ref(&isolated)).await;

    // Somebody clears the comment of our entry: it isolates all the same, is not doubled, and goes with the payment.
    by_hand(&router, "/ip/firewall/address-list", ("address", "10.1.1.7"), ("comment", "")).await;
    assert_eq!(done(&apply(&access, &router, std::slice::from_ref(&isolated)).await[0]).0, Isolated);
    assert_eq!(seen(&access, &router, &isolated).await, Some(Isolated));
    assert_eq!(seen(&access, &router, &open).await, Some(Isolated), "the list says so");
    assert_eq!(entries(&router).len(), 1);
    assert_eq!(done(&apply(&access, &router, std::slice::from_ref(&open)).await[0]).0, Open);
    assert_eq!(entries(&router), Vec::<String>::new());

    // The way of isolating is changed while the line is isolated, in both directions.
    let by_profile = MikrotikAccess::new(Settings { pool: Some("pelanggan".to_owned()), ..Settings::default() });
    for (before, after) in [(&access, &by_profile), (&by_profile, &access)] {
        apply(before, &router, std::slice::from_ref(&isolated)).await;
        apply(after, &router, std::slice::from_ref(&isolated)).await;
        assert_eq!(seen(after, &router, &isolated).await, Some(Isolated));
        assert_eq!(done(&apply(after, &router, std::slice::from_ref(&open)).await[0]).0, Open);
        assert_eq!(seen(after, &router, &open).await, Some(Open));
        let secret = router.secret("kantor").unwrap();
        assert_eq!((secret.profile.as_str(), secret.disabled), ("10M", false));
        assert_eq!((secret.remote_address.as_deref(), entries(&router)), (Some("10.1.1.7"), Vec::new()));
    }
}

#[tokio::test]
async fn a_payer_in_the_list_by_another_line_s_entry_is_never_called_open() {
    let (router, access) = start(Settings::default()).await;
    router.force("/ppp/secret", &[("name", b"kantor"), ("password", b"rahasia"), ("remote-address", b"10.1.1.7")]);
    let open = AccessTarget { adopt: true, ..target(1, "kantor", Open) };
    let entry: [(&str, &[u8]); 3] =
        [("list", b"ISOLIR"), ("address", b"10.1.1.7"), ("comment", b"isp:000000000009 Siti")];
    router.force("/ip/firewall/address-list", &entry);
    assert_eq!(refused(&apply(&access, &router, std::slice::from_ref(&open)).await[0]), "router.entry_not_ours");
    assert_eq!(entries(&router).len(), 1, "the mark of another line is not touched");
}

#[tokio::test]
async fn an_isolation_profile_that_lost_its_list_is_mended_and_its_sessions_end() {
    let (router, access) = start(Settings::default()).await;
    let isolated = target(1, "budi", Isolated);
    apply(&access, &router, std::slice::from_ref(&isolated)).await;
    by_hand(&router, "/ppp/profile", ("name", "isolir"), ("address-list", "")).await;
    let dial = |router: &SimulatedRouter| {
        router.unplug("budi");
        router.plug("budi", "rahasia");
    };
    dial(&router);
    assert_eq!(router.session("budi").unwrap().address_list, None, "it runs free");
    // The profile is mended by hand after the box dialled: nothing differs but what the session carries.
    by_hand(&router, "/ppp/profile", ("name", "isolir"), ("address-list", "ISOLIR")).await;
    assert_eq!(seen(&access, &router, &isolated).await, None, "the session is not in the list");
    assert_eq!(done(&apply(&access, &router, std::slice::from_ref(&isolated)).await[0]).0, Isolated);
    let session = wait_for(&router, "budi").await;
    assert_eq!(session.address_list.as_deref(), Some("ISOLIR"));
    assert_eq!(seen(&access, &router, &isolated).await, Some(Isolated));
}

#[tokio::test]
async fn a_session_that_joined_the_list_before_the_line_was_opened_by_hand_is_ended() {
    let (router, access) = start(Settings::default()).await;
    let (open, isolated) = (target(1, "budi", Open), target(1, "budi", Isolated));
    apply(&access, &router, std::slice::from_ref(&open)).await;
    apply(&access, &router, std::slice::from_ref(&isolated)).await;
    wait_for(&router, "budi").await;
    // A hand in Winbox gives the package back and does not end the session.
    by_hand(&router, "/ppp/secret", ("name", "budi"), ("profile", "10M")).await;
    assert_eq!(seen(&access, &router, &open).await, None, "in the list still");
    assert_eq!(done(&apply(&access, &router, std::slice::from_ref(&open)).await[0]).0, Open);
    assert_eq!(wait_for(&router, "budi").await.address_list, None);
}

async fn wait_for(router: &SimulatedRouter, name: &str) -> isp_mikrotik::simulator::SimSession {
    for _ in 0..200 {
        if let Some(session) = router.session(name) {
            return session;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{name} does not dial");
}
