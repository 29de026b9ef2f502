//! A whole router beside all that it should have: hands in Winbox, a factory reset, another service, missing pools.

use std::sync::Arc;
use std::time::Duration;

use crate::common::{by_hand, done, endpoint, group, refused, target};
use isp_core::isolation::Access::{Closed, Isolated, Open};
use isp_core::isolation::survey::Survey;
use isp_core::isolation::{Access, AccessTarget};
use isp_core::ports::AccessControl;
use isp_core::subscription::{Account, Mac};
use isp_mikrotik::access::Guarded;
use isp_mikrotik::reconcile::Strategy;
use isp_mikrotik::simulator::{Fault, FaultKind, SimulatedRouter, Simulation, Version};
use isp_mikrotik::{MikrotikAccess, Settings};

fn settings() -> Settings {
    let by_group = [("VOUCHER".to_owned(), Strategy::Hotspot)].into();
    Settings {
        pool: Some("pelanggan".to_owned()),
        local_address: Some("10.20.0.1".to_owned()),
        isolation_by_group: by_group,
        ..Settings::default()
    }
}

async fn start(version: Version) -> (SimulatedRouter, MikrotikAccess) {
    let router = SimulatedRouter::start(Simulation { version, ..Simulation::default() }).await.unwrap();
    router.force("/ip/pool", &[("name", b"pelanggan"), ("ranges", b"10.20.0.2-10.20.3.250")]).unwrap();
    (router, MikrotikAccess::new(settings()))
}

async fn survey(access: &MikrotikAccess, router: &SimulatedRouter, targets: &[AccessTarget]) -> Survey {
    let now = chrono::DateTime::from_timestamp(1_767_000_000, 0).unwrap();
    let before = router.counters().writes;
    let survey = access.survey(&endpoint(router), targets, now).await.unwrap();
    assert_eq!((survey.lines.len(), router.counters().writes), (targets.len(), before));
    survey
}

async fn apply(access: &MikrotikAccess, router: &SimulatedRouter, targets: &[AccessTarget]) {
    for outcome in access.apply(&endpoint(router), targets).await.unwrap() {
        done(&outcome);
    }
}

fn seen(survey: &Survey) -> Vec<(Option<Access>, bool, bool)> {
    survey.lines.iter().map(|line| (line.access, line.as_wanted, line.cuts)).collect()
}

fn codes(survey: &Survey) -> Vec<(&str, &str)> {
    survey.findings.iter().map(|finding| (finding.name.as_str(), finding.code)).collect()
}

#[tokio::test]
async fn a_router_that_was_reset_is_brought_back_and_that_is_no_mass_isolation() {
    for version in Version::ALL {
        let (router, access) = start(version).await;
        let mut lines: Vec<_> = (1..40).map(|n| target(n, &format!("user-{n}"), Open)).collect();
        lines.iter_mut().step_by(2).for_each(|line| line.desired = Isolated);
        apply(&access, &router, &lines).await;
        assert!(survey(&access, &router, &lines).await.lines.iter().all(|line| line.as_wanted));
        for line in &lines {
            router.force_remove("/ppp/secret", line.account.username.as_str());
        }
        router.force_remove("/ppp/profile", "isolir");
        let after = survey(&access, &router, &lines).await;
        assert!(after.lines.iter().all(|line| !line.as_wanted && line.access.is_none() && !line.cuts), "{after:?}");
        let guarded = access.apply_within(&endpoint(&router), &lines, 0).await.unwrap();
        assert!(matches!(guarded, Guarded::Applied(_)), "{guarded:?}");
        assert!(survey(&access, &router, &lines).await.lines.iter().all(|line| line.as_wanted));
    }
}

#[tokio::test]
async fn hands_in_winbox_are_seen_for_what_the_customer_feels() {
    let (router, access) = start(Version::V7_21_5).await;
    let lines =
        [target(1, "budi", Open), target(2, "siti", Isolated), target(3, "eko", Closed), target(4, "ani", Open)];
    apply(&access, &router, &[target(3, "eko", Open)]).await;
    apply(&access, &router, &lines).await;
    let right = [
        (Some(Open), true, false),
        (Some(Isolated), true, false),
        (Some(Closed), true, false),
        (Some(Open), true, false),
    ];
    assert_eq!(seen(&survey(&access, &router, &lines).await), right);

    by_hand(&router, "/ppp/secret", ("name", "budi"), ("disabled", "yes")).await;
    by_hand(&router, "/ppp/secret", ("name", "siti"), ("profile", "10M")).await;
    by_hand(&router, "/ppp/secret", ("name", "eko"), ("disabled", "no")).await;
    by_hand(&router, "/ppp/secret", ("name", "ani"), ("password", "lain")).await;
    let after = survey(&access, &router, &lines).await;
    let cuts: Vec<_> = after.lines.iter().map(|line| (line.as_wanted, line.cuts)).collect();
    assert_eq!(cuts, [(false, false), (false, true), (false, true), (false, false)]);
    assert_eq!(after.lines[3].access, Some(Open), "only the password differs");
    assert!(!after.lines[3].answer.contains("lain") && !after.lines[3].answer.contains("rahasia"), "{after:?}");
    apply(&access, &router, &lines).await;
    assert_eq!(seen(&survey(&access, &router, &lines).await), right);
}

#[tokio::test]
async fn a_new_speed_of_a_package_is_a_difference_of_all_its_open_lines() {
    let (router, access) = start(Version::V7_21_5).await;
    let mut lines = [target(1, "budi", Open), target(2, "siti", Isolated), target(3, "eko", Open)];
    apply(&access, &router, &lines).await;
    lines.iter_mut().for_each(|line| line.group = group("10M", 20));
    let after = survey(&access, &router, &lines).await;
    let differs: Vec<_> = after.lines.iter().map(|line| (line.as_wanted, line.access)).collect();
    assert_eq!(differs, [(false, Some(Open)), (true, Some(Isolated)), (false, Some(Open))]);
    assert!(after.lines[0].answer.contains("rate-limit 5M/10M -> 10M/20M"), "{}", after.lines[0].answer);
    apply(&access, &router, &lines).await;
    assert!(survey(&access, &router, &lines).await.lines.iter().all(|line| line.as_wanted));
}

#[tokio::test]
async fn a_line_that_moved_to_another_service_does_not_keep_its_first_account() {
    for version in Version::ALL {
        let (router, access) = start(version).await;
        let pppoe = target(1, "budi", Open);
        let hotspot = AccessTarget { group: group("VOUCHER", 5), ..pppoe.clone() };
        let disabled = |router: &SimulatedRouter| {
            let user = router.items("/ip/hotspot/user").pop().map(|user| user["disabled"] == b"true");
            (router.secret("budi").map(|secret| secret.disabled), user)
        };
        apply(&access, &router, std::slice::from_ref(&pppoe)).await;
        apply(&access, &router, std::slice::from_ref(&hotspot)).await;
        assert_eq!(disabled(&router), (Some(true), Some(false)));
        assert_eq!(router.session("budi"), None);
        apply(&access, &router, std::slice::from_ref(&pppoe)).await;
        assert_eq!(disabled(&router), (Some(false), Some(true)));
        assert_eq!(seen(&survey(&access, &router, std::slice::from_ref(&pppoe)).await), [(Some(Open), true, false)]);

        // Settings that know no hotspot any more: the first account is found by its mark, and closed with the line.
        apply(&access, &router, std::slice::from_ref(&hotspot)).await;
        by_hand(&router, "/ppp/secret", ("name", "budi"), ("disabled", "no")).await;
        let plain = MikrotikAccess::new(Settings { isolation_by_group: Default::default(), ..settings() });
        let isolated = AccessTarget { desired: Isolated, ..hotspot.clone() };
        assert_eq!(seen(&survey(&plain, &router, std::slice::from_ref(&isolated)).await), [(Some(Open), false, true)]);
        apply(&plain, &router, std::slice::from_ref(&isolated)).await;
        assert_eq!(disabled(&router), (Some(false), Some(true)));
        assert_eq!(
            seen(&survey(&plain, &router, std::slice::from_ref(&isolated)).await),
            [(Some(Isolated), true, false)]
        );
        // A termination reaches both, whatever this process has seen.
        by_hand(&router, "/ip/hotspot/user", ("name", "budi"), ("disabled", "no")).await;
        let fresh = MikrotikAccess::new(plain.settings().clone());
        apply(&fresh, &router, &[AccessTarget { desired: Closed, ..hotspot }]).await;
        assert_eq!(disabled(&router), (Some(true), Some(true)));
    }
}

#[tokio::test]
async fn an_account_of_somebody_else_in_the_other_service_is_no_concern_of_ours() {
    let (router, access) = start(Version::V7_21_5).await;
    router.force("/ip/hotspot/user", &[("name", b"budi"), ("password", b"x"), ("comment", b"tamu")]).unwrap();
    let lines = [target(1, "budi", Open), target(2, "siti", Closed)];
    apply(&access, &router, &lines).await;
    let user = router.items("/ip/hotspot/user").pop().unwrap();
    assert_eq!((&user["comment"][..], &user["disabled"][..]), (&b"tamu"[..], &b"false"[..]));
    assert!(survey(&access, &router, &lines).await.lines.iter().all(|line| line.as_wanted));
}

#[tokio::test]
async fn an_account_under_an_old_name_is_known_by_its_mark() {
    let (router, access) = start(Version::V7_21_5).await;
    apply(&access, &router, &[target(1, "lama", Open), target(9, "asing", Open)]).await;
    let lines = [target(1, "baru", Open)];
    apply(&access, &router, &lines).await;
    let found = survey(&access, &router, &lines).await;
    let left: Vec<_> = found.left.iter().map(|left| (left.subscription_id, left.username.as_str())).collect();
    assert_eq!(left, [(lines[0].subscription_id, "lama")]);
    assert_eq!(codes(&found), [("asing", "router.stray_account")], "a line that we do not know is only told");
    apply(&access, &router, &[target(1, "lama", Closed)]).await;
    assert_eq!(survey(&access, &router, &lines).await.left, []);
}

#[tokio::test]
async fn ipv6_that_isolation_does_not_reach_is_told_however_customers_get_it() {
    let open = |found: &Survey| codes(found).iter().any(|(_, code)| *code == "router.ipv6_open");
    let fixed = Account::fixed("10.1.1.7".parse().unwrap()).unwrap();
    let dhcp = Account::dhcp(Mac::parse("AA:BB:CC:00:11:22").unwrap(), Some("10.1.1.8".parse().unwrap())).unwrap();
    let pppoe = target(1, "budi", Isolated);
    let kinds = [
        pppoe.clone(),
        AccessTarget { group: group("VOUCHER", 10), ..pppoe.clone() },
        AccessTarget { account: fixed, ..pppoe.clone() },
        AccessTarget { account: dhcp, ..pppoe },
    ];
    type Values<'v> = &'v [(&'v str, &'v [u8])];
    let given: [(&str, Values<'_>); 3] = [
        ("/ppp/secret", &[("name", b"v6"), ("password", b"x"), ("remote-ipv6-prefix", b"2001:db8:1::/64")]),
        ("/ppp/profile", &[("name", b"v6"), ("remote-ipv6-prefix-pool", b"v6")]),
        ("/ipv6/dhcp-server", &[("name", b"v6"), ("interface", b"bridge"), ("disabled", b"false")]),
    ];
    for ((menu, values), line) in given.iter().flat_map(|given| kinds.iter().map(move |line| (given, line))) {
        let lines = std::slice::from_ref(line);
        let (router, access) = start(Version::V7_21_5).await;
        apply(&access, &router, lines).await;
        assert!(!open(&survey(&access, &router, lines).await), "{menu} {line:?}");
        assert_eq!(access.ipv6_open(&endpoint(&router)).await, Ok(None));
        router.force(menu, values).unwrap();
        assert!(open(&survey(&access, &router, lines).await), "{menu} {line:?}");
        let plan = access.plan_whole(&endpoint(&router), lines).await.unwrap();
        assert!(plan.drift.iter().any(|drift| drift.code == "router.ipv6_open"), "{menu} {line:?}");
        // For lines that are kept elsewhere, whose accounts do not matter here.
        let told = access.ipv6_open(&endpoint(&router)).await.unwrap();
        assert_eq!(told.map(|told| told.code), (*menu != "/ppp/secret").then_some("router.ipv6_open"));
    }
}

#[tokio::test]
async fn profiles_that_give_nobody_an_address_are_told_until_the_settings_name_a_pool() {
    let (router, _) = start(Version::V7_21_5).await;
    let poor = MikrotikAccess::new(Settings::default());
    let lines = [target(1, "budi", Open), target(2, "siti", Isolated)];
    let plan = poor.plan_whole(&endpoint(&router), &lines).await.unwrap();
    assert!(
        plan.drift.iter().any(|drift| drift.code == "router.profile_no_pool" && drift.what.contains("mikrotik.pool"))
    );
    apply(&poor, &router, &lines).await;
    let told = survey(&poor, &router, &lines).await;
    let expected =
        ["10M", "isolir"].map(|name| [(name, "router.profile_no_pool"), (name, "router.profile_no_local_address")]);
    assert_eq!(codes(&told), [expected.concat(), vec![("budi", "router.no_address")]].concat());
    assert_eq!(router.session("budi").unwrap().address, None);

    // The setting reaches profiles that are there, and the sessions without an address dial again.
    let rich = MikrotikAccess::new(settings());
    assert!(survey(&rich, &router, &lines).await.lines.iter().all(|line| !line.as_wanted));
    apply(&rich, &router, &lines).await;
    assert!(router.sessions().iter().all(|session| session.address.is_some()), "{:?}", router.sessions());
    let after = survey(&rich, &router, &lines).await;
    assert_eq!((codes(&after), after.lines.iter().all(|line| line.as_wanted)), (vec![], true));

    router.force_remove("/ip/pool", "pelanggan");
    let gone = MikrotikAccess::new(Settings { pool: None, ..settings() });
    assert_eq!(
        codes(&survey(&gone, &router, &lines).await)[..2],
        [("10M", "router.pool_gone"), ("isolir", "router.pool_gone")]
    );
    router.force("/ip/pool", &[("name", b"baru"), ("ranges", b"10.30.0.2-10.30.3.250")]).unwrap();
    let moved = MikrotikAccess::new(Settings { pool: Some("baru".to_owned()), ..settings() });
    apply(&moved, &router, &lines).await;
    assert_eq!(codes(&survey(&moved, &router, &lines).await), []);
}

#[tokio::test]
async fn what_keeps_a_box_from_logging_in_is_told() {
    let (router, access) = start(Version::V7_21_5).await;
    let lines = [target(1, "budi", Open), target(2, "siti", Open)];
    apply(&access, &router, &lines).await;
    by_hand(&router, "/ppp/secret", ("name", "budi"), ("service", "l2tp")).await;
    by_hand(&router, "/ppp/secret", ("name", "siti"), ("caller-id", "02:00:00:00:00:99")).await;
    router.use_radius(true);
    let found = survey(&access, &router, &lines).await;
    assert_eq!(codes(&found), [("budi", "router.other_service"), ("siti", "router.caller_id"), ("", "router.radius")]);
}

#[tokio::test]
async fn a_link_that_breaks_every_forty_writes_makes_progress_in_one_call() {
    let (router, _) = start(Version::V7_21_5).await;
    let access = MikrotikAccess::new(Settings { kick_pause: std::time::Duration::from_millis(1), ..settings() });
    let cuts = |count: usize| {
        for at in 1..=count {
            router.inject(Fault::new(FaultKind::CutRequest).on("/ppp/secret/").after(at * 40));
        }
    };
    let mut lines: Vec<_> = (1..=200).map(|n| target(n, &format!("user-{n}"), Open)).collect();
    cuts(6);
    apply(&access, &router, &lines).await;
    router.clear_faults();
    lines.iter_mut().for_each(|line| line.desired = Isolated);
    cuts(12);
    let guarded = access.apply_within(&endpoint(&router), &lines, 200).await.unwrap();
    let Guarded::Applied(outcomes) = guarded else { panic!("held") };
    assert!(outcomes.iter().all(|outcome| done(outcome).0 == Isolated && done(outcome).1), "{outcomes:?}");
    router.clear_faults();
    assert!(survey(&access, &router, &lines).await.lines.iter().all(|line| line.as_wanted));
    assert_eq!(router.secrets().len(), 200);
}

#[tokio::test]
async fn a_session_that_carries_another_rate_than_its_profile_is_ended_whatever_its_list() {
    let (router, access) = start(Version::V7_21_5).await;
    let lines = [target(1, "budi", Isolated), target(2, "siti", Open)];
    apply(&access, &router, &lines).await;
    for (profile, rate, was) in [("isolir", "1M/1M", "64k/64k"), ("10M", "1M/1M", "5M/10M")] {
        by_hand(&router, "/ppp/profile", ("name", profile), ("rate-limit", rate)).await;
        for name in ["budi", "siti"] {
            router.unplug(name);
            router.plug(name, "rahasia");
        }
        // Put back by the same hand: nothing differs but what the session carries.
        by_hand(&router, "/ppp/profile", ("name", profile), ("rate-limit", was)).await;
        let after = survey(&access, &router, &lines).await;
        assert_eq!(after.lines.iter().filter(|line| !line.as_wanted).count(), 1, "{after:?}");
        apply(&access, &router, &lines).await;
        assert!(survey(&access, &router, &lines).await.lines.iter().all(|line| line.as_wanted));
    }
    assert_eq!(router.session("siti").unwrap().rate_limit.as_deref(), Some("5M/10M"));
}

/// Boxes of others dial and leave between any two commands: two come after each reading of the sessions, and two others
/// leave after each count, so that no reading ever has as many as the router counts.
#[tokio::test(flavor = "multi_thread")]
async fn a_router_is_read_whole_while_boxes_come_and_go() {
    for version in Version::ALL {
        let (router, access) = start(version).await;
        let mut lines: Vec<_> = (1..=60).map(|n| target(n, &format!("user-{n}"), Open)).collect();
        lines.iter_mut().step_by(7).for_each(|line| line.desired = Isolated);
        for guest in 0..80 {
            let name = format!("guest-{guest}");
            router.force("/ppp/secret", &[("name", name.as_bytes()), ("password", b"x")]).unwrap();
        }
        apply(&access, &router, &lines).await;
        (40..80).for_each(|guest| router.unplug(&format!("guest-{guest}")));
        router.inject(Fault::new(FaultKind::Latency(Duration::from_millis(30))).on("/ppp/active/print").always());
        let router = Arc::new(router);
        for round in 0..7 {
            router.reset_counters();
            let busy = router.clone();
            let others = tokio::spawn(async move {
                let (mut seen, mut online) = (0, 40);
                loop {
                    let asked = busy.counters().by_command.get("/ppp/active/print").copied().unwrap_or_default();
                    if asked > seen && asked % 2 == 1 {
                        for guest in [online, online + 1] {
                            busy.plug(&format!("guest-{}", (guest + round * 4) % 80), "x");
                        }
                    } else if asked > seen {
                        for guest in [online, online + 1] {
                            busy.unplug(&format!("guest-{}", (guest + 40 + round * 4) % 80));
                        }
                        online += 2;
                    }
                    seen = asked;
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            });
            let found = survey(&access, &router, &lines).await;
            others.abort();
            assert!(found.lines.iter().all(|line| line.as_wanted), "{found:?}");
        }
    }
}

/// A line went from PPPoE to the hotspot, and a hand removed its account before its session was ended. The session is the line's,
/// unless a RADIUS server lets in others under that name.
#[tokio::test]
async fn a_session_without_an_account_is_the_lines_in_another_service() {
    for (radius, surveyed) in [(false, false), (false, true), (true, false), (true, true)] {
        let (router, access) = start(Version::V7_21_5).await;
        let before = target(1, "budi", Open);
        apply(&access, &router, std::slice::from_ref(&before)).await;
        router.force_remove("/ppp/secret", "budi");
        router.use_radius(radius);
        assert!(router.session("budi").is_some());
        let moved = AccessTarget { group: group("VOUCHER", 10), ..before };
        let isolated = AccessTarget { desired: Isolated, ..moved };
        if surveyed {
            let after = survey(&access, &router, std::slice::from_ref(&isolated)).await;
            assert_eq!(after.lines[0].answer.contains("another service"), !radius, "{after:?}");
            assert_eq!(after.lines[0].cuts, !radius, "{after:?}");
        }
        apply(&access, &router, std::slice::from_ref(&isolated)).await;
        assert_eq!(router.session("budi").is_some(), radius);
    }
}

/// The router gives up while sessions under a package's old speed are ended: whoever keeps the old speed is not called done.
#[tokio::test]
async fn a_session_that_keeps_the_old_speed_of_its_package_is_told() {
    let (router, access) = start(Version::V7_21_5).await;
    let mut lines = [target(1, "budi", Open), target(2, "citra", Open)];
    apply(&access, &router, &lines).await;
    lines.iter_mut().for_each(|line| line.group = group("10M", 20));
    let gives_up = Fault::new(FaultKind::Trap("action timed out - try again".to_owned())).on("/ppp/active/remove");
    router.inject(gives_up.clone().always());
    let outcomes = access.apply(&endpoint(&router), &lines).await.unwrap();
    assert!(outcomes.iter().all(|outcome| refused(outcome) == "router.session_stays"), "{outcomes:?}");
    assert!(survey(&access, &router, &lines).await.lines.iter().all(|line| !line.as_wanted));
    // Once is no trouble.
    router.clear_faults();
    router.inject(gives_up);
    apply(&access, &router, &lines).await;
    assert!(survey(&access, &router, &lines).await.lines.iter().all(|line| line.as_wanted));
}

/// What a router did not say this once is not taken for what it has not got.
#[tokio::test]
async fn a_menu_that_gives_up_is_asked_again_and_not_taken_for_an_empty_one() {
    let (router, access) = start(Version::V7_21_5).await;
    let lines = [target(1, "budi", Open)];
    apply(&access, &router, &lines).await;
    let now = chrono::DateTime::from_timestamp(1_767_000_000, 0).unwrap();
    let read =
        ["/queue/simple/print", "/ppp/aaa/print", "/ipv6/dhcp-server/print", "/ppp/active/print", "/ppp/secret/print"];
    for menu in read {
        router.inject(Fault::new(FaultKind::Trap("action timed out - try again".to_owned())).on(menu));
        let told = access.survey(&endpoint(&router), &lines, now).await;
        assert!(told.as_ref().is_err_and(isp_core::ports::PortError::retryable), "{menu}: {told:?}");
        assert!(survey(&access, &router, &lines).await.lines[0].as_wanted, "{menu}");
    }
}

/// A table of queues that came short, or a box that left while it was read, is no old speed.
#[tokio::test]
async fn sessions_whose_queues_were_not_shown_are_looked_at_twice() {
    let (router, access) = start(Version::V7_21_5).await;
    let lines: Vec<_> = (1..40).map(|n| target(n, &format!("user-{n}"), Open)).collect();
    apply(&access, &router, &lines).await;
    let sessions = router.sessions();
    for missing in [1, 20, 39] {
        router.inject(Fault::new(FaultKind::ShortTable(missing)).on("/queue/simple/print"));
        let after = survey(&access, &router, &lines).await;
        assert!(after.lines.iter().all(|line| line.as_wanted), "{missing}: {after:?}");
        apply(&access, &router, &lines).await;
    }
    assert_eq!(router.sessions(), sessions, "nobody was ended");
}
