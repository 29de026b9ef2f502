//! "Confirmed" means what the customer feels: a session that still has old terms is never told as the new ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{SECRET, Stage, done, refused, target};
use isp_core::Secret;
use isp_core::ids::{RouterId, SubscriptionId};
use isp_core::isolation::{Access, AccessTarget};
use isp_core::package::Speed;
use isp_core::ports::{AccessControl as _, PortError};
use isp_core::subscription::{Account, Mac};
use isp_core::testing::sample::moment;
use isp_core::text::RouterName;
use isp_radius::{Nas, RadiusAccess};
use uuid::Uuid;

#[tokio::test]
async fn an_isolation_ends_the_session_and_a_reopening_too() {
    let stage = Stage::new().await;
    let open = target(1, "budi", Access::Open);
    assert_eq!(done(&stage.apply(std::slice::from_ref(&open)).await[0]), Some((Access::Open, true)));
    for wanted in [Access::Isolated, Access::Open, Access::Closed] {
        stage.nas.dial("budi");
        let wish = AccessTarget { desired: wanted, ..open.clone() };
        assert_eq!(done(&stage.apply(&[wish]).await[0]), Some((wanted, true)));
        assert!(!stage.nas.is_online("budi"), "{wanted:?}");
    }
    // Nobody else was touched, and nothing is ended twice.
    stage.nas.dial("citra");
    let (_, ended) = stage.nas.counts();
    assert_eq!(done(&stage.apply(&[target(1, "budi", Access::Closed)]).await[0]), Some((Access::Closed, false)));
    assert!(stage.nas.is_online("citra") && stage.nas.counts().1 == ended);
}

#[tokio::test]
async fn a_silent_nas_is_no_confirmation_and_the_next_try_goes_on() {
    let stage = Stage::new().await;
    let open = target(1, "budi", Access::Open);
    stage.apply(std::slice::from_ref(&open)).await;
    stage.nas.dial("budi");
    stage.nas.set_silent(true);
    let isolated = AccessTarget { desired: Access::Isolated, ..open };
    let error = stage.access.apply(&stage.endpoint(), std::slice::from_ref(&isolated)).await.unwrap_err();
    assert!(matches!(&error, PortError::Unknown { reason } if reason.contains("does not answer")), "{error:?}");
    // The rows say isolated already, and the session runs free: that is neither.
    assert_eq!(stage.observed(&isolated).await, None);
    let now = moment("2026-01-20T03:00:00Z");
    let survey = stage.access.survey(&stage.endpoint(), std::slice::from_ref(&isolated), now).await.unwrap();
    assert!(!survey.lines[0].as_wanted && survey.lines[0].cuts, "{survey:?}");
    // A program that starts anew finds the rows as they should be, and ends the session all the same.
    stage.nas.set_silent(false);
    let again = RadiusAccess::new(stage.settings.clone()).unwrap();
    let outcomes = again.apply(&stage.endpoint(), std::slice::from_ref(&isolated)).await.unwrap();
    assert_eq!(done(&outcomes[0]), Some((Access::Isolated, true)));
    assert!(!stage.nas.is_online("budi"));
    assert_eq!(stage.observed(&isolated).await, Some(Access::Isolated));
}

#[tokio::test]
async fn a_nas_that_refuses_or_has_another_secret_is_told() {
    let stage = Stage::new().await;
    let open = target(1, "budi", Access::Open);
    stage.apply(std::slice::from_ref(&open)).await;
    stage.nas.dial("budi");
    stage.nas.refuse_with(Some(506));
    let isolated = AccessTarget { desired: Access::Isolated, ..open };
    let outcomes = stage.apply(std::slice::from_ref(&isolated)).await;
    assert_eq!(refused(&outcomes[0]), Some("radius.session_kept"));
    assert_eq!(stage.observed(&isolated).await, None);
    stage.nas.refuse_with(None);

    let mut settings = stage.settings.clone();
    settings.nas.insert("127.0.0.1".into(), Nas { port: stage.nas.address().port(), secret: Secret::new("other") });
    let other = RadiusAccess::new(settings).unwrap();
    assert!(other.apply(&stage.endpoint(), std::slice::from_ref(&isolated)).await.is_err());
    assert!(!format!("{other:?}").contains(SECRET));
    assert_eq!(done(&stage.apply(&[isolated]).await[0]), Some((Access::Isolated, true)));
}

#[tokio::test]
async fn hands_in_the_database_are_seen_and_mended() {
    let stage = Stage::new().await;
    let isolated = target(1, "budi", Access::Isolated);
    let open = target(2, "citra", Access::Open);
    let both = [isolated.clone(), open.clone()];
    stage.apply(&both).await;
    for hand in [
        "DELETE FROM radgroupreply WHERE groupname = 'isp:isolir'",
        "INSERT INTO radreply (username, attribute, op, value) VALUES ('budi', 'Mikrotik-Address-List', ':=', 'BEBAS')",
        "UPDATE radusergroup SET groupname = 'isp:paket-10M' WHERE username = 'budi'",
        "INSERT INTO radusergroup (username, groupname, priority) VALUES ('budi', 'gratis', 0)",
        "INSERT INTO radgroupcheck (groupname, attribute, op, value) VALUES ('isp:isolir', 'NAS-Port', '==', '7')",
        "DELETE FROM radcheck WHERE username = 'budi'",
        "UPDATE radcheck SET value = 'lain' WHERE username = 'citra'",
        "INSERT INTO radcheck (username, attribute, op, value) VALUES ('citra', 'Auth-Type', ':=', 'Reject')",
        "INSERT INTO radcheck (username, attribute, op, value) VALUES ('citra', 'Expiration', ':=', '1 Jan 2020')",
        "UPDATE radgroupreply SET value = '1k/1k' WHERE groupname = 'isp:paket-10M'",
    ] {
        stage.sql(hand).await;
        let now = moment("2026-01-20T03:00:00Z");
        let survey = stage.access.survey(&stage.endpoint(), &both, now).await.unwrap();
        assert!(survey.lines.iter().any(|line| !line.as_wanted), "{hand}");
        let outcomes = stage.apply(&both).await;
        assert_eq!(
            outcomes.iter().map(|o| done(o).map(|d| d.0)).collect::<Vec<_>>(),
            [Some(Access::Isolated), Some(Access::Open)],
            "{hand}"
        );
        let survey = stage.access.survey(&stage.endpoint(), &both, now).await.unwrap();
        assert!(survey.lines.iter().all(|line| line.as_wanted) && survey.findings.is_empty(), "{hand}: {survey:?}");
    }
    // What is not about access stays as somebody wrote it.
    stage
        .sql("INSERT INTO radcheck (username, attribute, op, value) VALUES ('budi', 'Simultaneous-Use', ':=', '1')")
        .await;
    stage.apply(&[AccessTarget { desired: Access::Open, ..isolated }, open]).await;
    assert_eq!(stage.count("SELECT count(*) FROM radcheck WHERE attribute = 'Simultaneous-Use'").await, 1);
}

#[tokio::test]
async fn another_speed_of_a_package_reaches_who_is_online() {
    let stage = Stage::new().await;
    let mut lines = [target(1, "budi", Access::Open), target(2, "citra", Access::Open)];
    stage.apply(&lines).await;
    stage.nas.dial("budi");
    stage.nas.dial("citra");
    lines.iter_mut().for_each(|line| line.group.speed = Speed::parse("20/10").unwrap());
    // One line is told first: the other, of the same group, is not confirmed with its old session.
    assert_eq!(done(&stage.apply(&lines[..1]).await[0]), Some((Access::Open, true)));
    assert!(!stage.nas.is_online("budi") && stage.nas.is_online("citra"));
    assert_eq!(stage.observed(&lines[1]).await, None);
    assert_eq!(done(&stage.apply(&lines[1..]).await[0]), Some((Access::Open, true)));
    assert!(!stage.nas.is_online("citra"));
    // A password alone ends nobody's session.
    stage.nas.dial("budi");
    lines[0].account.password = Secret::new("lain");
    assert_eq!(done(&stage.apply(&lines[..1]).await[0]), Some((Access::Open, true)));
    assert!(stage.nas.is_online("budi"));
}

#[tokio::test]
async fn a_line_that_moved_to_another_router_keeps_its_user() {
    let stage = Stage::new().await;
    let here = target(1, "budi", Access::Open);
    stage.apply(std::slice::from_ref(&here)).await;
    let there = AccessTarget { router_id: RouterId(Uuid::from_u128(2)), ..here.clone() };
    assert_eq!(done(&stage.apply(std::slice::from_ref(&there)).await[0]), Some((Access::Open, true)));
    // What it left on the first router is closed there: its session ends, its user stays.
    stage.nas.dial("budi");
    let left = AccessTarget { desired: Access::Closed, left: true, ..here.clone() };
    assert_eq!(done(&stage.apply(std::slice::from_ref(&left)).await[0]).map(|d| d.0), Some(Access::Closed));
    assert!(!stage.nas.is_online("budi"));
    assert_eq!(stage.observed(&there).await, Some(Access::Open));

    // Another name on the same router: the old one is shut out.
    let renamed = AccessTarget { account: target(1, "budi2", Access::Open).account, ..there.clone() };
    stage.apply(std::slice::from_ref(&renamed)).await;
    let now = moment("2026-01-20T03:00:00Z");
    let survey = stage.access.survey(&stage.endpoint(), std::slice::from_ref(&renamed), now).await.unwrap();
    assert_eq!(survey.left.iter().map(|left| left.username.to_string()).collect::<Vec<_>>(), ["budi"]);
    let left = AccessTarget { desired: Access::Closed, left: true, ..there };
    assert_eq!(done(&stage.apply(&[left]).await[0]), Some((Access::Closed, true)));
    let survey = stage.access.survey(&stage.endpoint(), &[renamed], now).await.unwrap();
    assert!(survey.left.is_empty(), "{survey:?}");
}

#[tokio::test]
async fn one_name_is_one_line_and_a_customer_who_comes_back_has_it_again() {
    let stage = Stage::new().await;
    stage.apply(&[target(1, "budi", Access::Closed), target(3, "dewi", Access::Open)]).await;
    stage.apply(&[target(1, "budi", Access::Open)]).await;
    let other = target(2, "budi", Access::Open);
    let outcomes = stage.apply(&[other.clone(), target(3, "dewi", Access::Isolated)]).await;
    assert_eq!(refused(&outcomes[0]), Some("radius.account_of_another"));
    assert_eq!(done(&outcomes[1]), Some((Access::Isolated, true)), "its neighbour is served");
    let back = AccessTarget { succeeds: vec![SubscriptionId(Uuid::from_u128(0x2001))], ..other };
    assert_eq!(done(&stage.apply(&[back]).await[0]), Some((Access::Open, true)));
}

/// What RADIUS cannot end is not begun there: nothing is written of such a line, and its neighbour is served.
#[tokio::test]
async fn lines_that_are_not_pppoe_are_refused_for_themselves() {
    let stage = Stage::new().await;
    let box_at_home = Account::dhcp(Mac::parse("AA:BB:CC:00:11:22").unwrap(), None).unwrap();
    let fixed = Account::fixed("10.0.0.7".parse().unwrap()).unwrap();
    let voucher = Account::hotspot(RouterName::parse("username", "tamu").unwrap(), Secret::new("x"));
    for account in [box_at_home, fixed, voucher] {
        for desired in [Access::Open, Access::Isolated, Access::Closed] {
            let wish =
                [AccessTarget { account: account.clone(), ..target(4, "x", desired) }, target(5, "eka", desired)];
            let outcomes = stage.apply(&wish).await;
            let told = (desired != Access::Closed).then_some("radius.service");
            assert_eq!(refused(&outcomes[0]), told, "{account:?}");
            assert_eq!(done(&outcomes[1]).map(|done| done.0), Some(desired));
            let now = moment("2026-01-20T03:00:00Z");
            let survey = stage.access.survey(&stage.endpoint(), &wish, now).await.unwrap();
            assert_eq!((survey.lines[0].refused, survey.lines[0].as_wanted), (told, told.is_none()));
            assert!(survey.lines[1].as_wanted);
        }
    }
    assert_eq!(stage.count("SELECT count(*) FROM radcheck WHERE username <> 'eka'").await, 0);
    assert_eq!(stage.count("SELECT count(*) FROM isp_lines").await, 1);
}

/// Two programs wish the opposite again and again. Whoever is told "done" reads what is there, and the last wish stands.
#[tokio::test]
async fn two_programs_never_leave_rows_of_both() {
    let stage = Stage::new().await;
    let second = RadiusAccess::new(stage.settings.clone()).unwrap();
    let wish = |desired| (1..=20).map(|n| target(n, &format!("u{n}"), desired)).collect::<Vec<_>>();
    let (open, isolated) = (wish(Access::Open), wish(Access::Isolated));
    for _ in 0..5 {
        let endpoint = stage.endpoint();
        let (one, two) = tokio::join!(stage.access.apply(&endpoint, &open), second.apply(&endpoint, &isolated));
        for outcomes in [one, two].into_iter().flatten() {
            assert!(outcomes.iter().all(|outcome| done(outcome).is_some()), "{outcomes:?}");
        }
        assert_eq!(stage.count("SELECT count(*) FROM radcheck").await, 20);
        assert_eq!(stage.count("SELECT count(*) FROM radusergroup").await, 20);
    }
    let outcomes = stage.apply(&open).await;
    assert!(outcomes.iter().all(|outcome| done(outcome).map(|d| d.0) == Some(Access::Open)));
    assert_eq!(stage.count("SELECT count(*) FROM radusergroup WHERE groupname = 'isp:paket-10M'").await, 20);
    assert_eq!(stage.count("SELECT count(*) FROM isp_lines WHERE owed").await, 0);
}

#[tokio::test]
async fn what_a_person_has_to_set_right_is_named() {
    let stage = Stage::new().await;
    let code = async |settings: isp_radius::Settings| {
        let access = RadiusAccess::new(settings).unwrap();
        let error = access.apply(&stage.endpoint(), &[target(1, "budi", Access::Open)]).await.unwrap_err();
        let PortError::Refused { code, reason } = error else { panic!("{error:?}") };
        assert!(!reason.contains("pw-budi"), "{reason}");
        code
    };
    let mut other = stage.settings.clone();
    other.nas.clear();
    assert_eq!(code(other).await, "radius.unknown_nas");
    stage.sql("ALTER TABLE radcheck RENAME TO radcheck_away").await;
    assert_eq!(code(stage.settings.clone()).await, "radius.schema");
    let mut bad = stage.settings.clone();
    bad.database = Secret::new("mssql://isp:sandi@x/radius");
    let error = RadiusAccess::new(bad).unwrap_err();
    assert!(
        matches!(&error, PortError::Refused { code: "radius.database", reason } if !reason.contains("sandi")),
        "{error:?}"
    );
}

/// In MySQL `Budi` is `budi`, to FreeRADIUS as to us: somebody else's user is not overlooked for its capital letter. In
/// PostgreSQL they are two.
#[tokio::test]
async fn a_capital_letter_makes_another_user_where_the_database_says_so() {
    let stage = Stage::new().await;
    stage
        .sql("INSERT INTO radcheck (username, attribute, op, value) VALUES ('BUDI', 'Cleartext-Password', ':=', 'x')")
        .await;
    let outcomes = stage.apply(&[target(1, "budi", Access::Open), target(2, "citra", Access::Open)]).await;
    let wanted = stage.is_mariadb().then_some("radius.foreign_account");
    assert_eq!(refused(&outcomes[0]), wanted);
    assert_eq!(done(&outcomes[1]), Some((Access::Open, true)));
    assert_eq!(stage.count("SELECT count(*) FROM radcheck WHERE username = 'BUDI' AND value = 'x'").await, 1);
}

/// More names than MySQL takes values in one statement.
#[tokio::test]
async fn a_whole_town_is_looked_at_in_one_question() {
    let stage = Stage::new().await;
    stage.apply(&[target(1, "budi", Access::Isolated)]).await;
    let mut targets: Vec<AccessTarget> = (2..=70_000).map(|n| target(n, &format!("u{n}"), Access::Open)).collect();
    targets.push(target(1, "budi", Access::Isolated));
    let now = moment("2026-01-20T03:00:00Z");
    let seen = stage.access.observe(&stage.endpoint(), &targets, now).await.unwrap();
    assert_eq!(seen.len(), 70_000);
    assert_eq!(seen.last().and_then(|last| last.access), Some(Access::Isolated));
    assert!(seen[..69_999].iter().all(|line| line.access.is_none()));
}
