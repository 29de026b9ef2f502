//! Names, passwords and tables as they are found in the field, in whatever way the database compares them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Stage, done, refused, target};
use isp_core::Secret;
use isp_core::isolation::{Access, AccessTarget};
use isp_core::package::{Speed, UserGroup};
use isp_core::ports::AccessControl as _;
use isp_core::testing::sample::moment;
use isp_core::text::RouterName;

async fn as_wanted(stage: &Stage, targets: &[AccessTarget]) -> Vec<bool> {
    let now = moment("2026-01-20T03:00:00Z");
    let survey = stage.access.survey(&stage.endpoint(), targets, now).await.unwrap();
    survey.lines.iter().map(|line| line.as_wanted).collect()
}

/// Whatever other name the database takes for a line's is somebody else's user there: it is not overlooked, and no row of it is
/// changed.
#[tokio::test]
async fn a_user_that_the_database_takes_for_the_same_is_not_overlooked() {
    for theirs in ["BUDI", "budi ", "budi  ", "b\u{fc}di", " budi", "budi\t", "bu di"] {
        let stage = Stage::new().await;
        stage.unicode().await;
        stage
            .sql(&format!(
                "INSERT INTO radcheck (username, attribute, op, value) VALUES ('{theirs}', 'Cleartext-Password', ':=', 'x');
                 INSERT INTO radusergroup (username, groupname, priority) VALUES ('{theirs}', 'gratis', 1)"
            ))
            .await;
        let same = stage.count("SELECT count(*) FROM radcheck WHERE username = 'budi'").await == 1;
        let wish = [target(1, "budi", Access::Open), target(2, "citra", Access::Open)];
        let outcomes = stage.apply(&wish).await;
        assert_eq!(refused(&outcomes[0]), same.then_some("radius.foreign_account"), "{theirs:?}");
        assert_eq!(done(&outcomes[1]), Some((Access::Open, true)), "{theirs:?}");
        assert_eq!(stage.count("SELECT count(*) FROM radcheck WHERE value = 'x'").await, 1, "{theirs:?}");
        assert_eq!(stage.count("SELECT count(*) FROM radusergroup WHERE groupname = 'gratis'").await, 1, "{theirs:?}");
        // Taken over when a person says so, and then one user with one password.
        let adopted = AccessTarget { adopt: true, ..target(1, "budi", Access::Open) };
        let outcomes = stage.apply(std::slice::from_ref(&adopted)).await;
        assert_eq!(done(&outcomes[0]).map(|done| done.0), Some(Access::Open), "{theirs:?}: {outcomes:?}");
        assert_eq!(stage.count("SELECT count(*) FROM radcheck WHERE username = 'budi'").await, 1, "{theirs:?}");
        assert_eq!(stage.count("SELECT count(*) FROM radusergroup WHERE username = 'budi'").await, 1, "{theirs:?}");
    }
}

/// A hand adds rows in another spelling to a user of ours: they count for FreeRADIUS where the database takes the names for the
/// same, so they are seen and taken away.
#[tokio::test]
async fn rows_in_another_spelling_of_our_user_are_seen() {
    for spelled in ["BUDI", "budi ", "b\u{fc}di"] {
        for hand in [
            "INSERT INTO radcheck (username, attribute, op, value) VALUES ('NAME', 'Auth-Type', ':=', 'Reject')",
            "INSERT INTO radreply (username, attribute, op, value) VALUES ('NAME', 'Mikrotik-Address-List', ':=', 'ISOLIR')",
            "INSERT INTO radusergroup (username, groupname, priority) VALUES ('NAME', 'isp:isolir', 0)",
        ] {
            let stage = Stage::new().await;
            let wish = [target(1, "budi", Access::Open)];
            stage.apply(&wish).await;
            stage.unicode().await;
            stage.sql(&hand.replace("NAME", spelled)).await;
            let same = format!("SELECT count(*) FROM radcheck WHERE username = '{spelled}' AND value = 'pw-budi'");
            let same = stage.count(&same).await > 0;
            assert_eq!(as_wanted(&stage, &wish).await, [!same], "{hand} {spelled:?}");
            let outcomes = stage.apply(&wish).await;
            assert_eq!(done(&outcomes[0]), Some((Access::Open, same)), "{hand} {spelled:?}");
            assert_eq!(as_wanted(&stage, &wish).await, [true], "{hand} {spelled:?}");
        }
    }
}

/// FreeRADIUS reads the names of attributes and groups without looking at capital letters, the latter where its database does.
#[tokio::test]
async fn attributes_and_groups_in_another_spelling_are_seen() {
    for hand in [
        "INSERT INTO radcheck (username, attribute, op, value) VALUES ('budi', 'auth-type', ':=', 'Reject')",
        "INSERT INTO radcheck (username, attribute, op, value) VALUES ('budi', 'CLEARTEXT-PASSWORD', ':=', 'lain')",
        "INSERT INTO radreply (username, attribute, op, value) VALUES ('budi', 'mikrotik-address-list', ':=', 'ISOLIR')",
        "INSERT INTO radcheck (username, attribute, op, value) SELECT username, attribute, op, value FROM radcheck",
        "INSERT INTO radusergroup (username, groupname, priority) SELECT username, groupname, priority FROM radusergroup",
        "INSERT INTO radgroupreply (groupname, attribute, op, value) SELECT groupname, attribute, op, value FROM radgroupreply",
        "INSERT INTO radgroupreply (groupname, attribute, op, value)
             VALUES ('isp:paket-10M', 'mikrotik-address-list', ':=', 'ISOLIR')",
    ] {
        let stage = Stage::new().await;
        let wish = [target(1, "budi", Access::Open)];
        stage.apply(&wish).await;
        stage.sql(hand).await;
        assert_eq!(as_wanted(&stage, &wish).await, [false], "{hand}");
        assert_eq!(done(&stage.apply(&wish).await[0]), Some((Access::Open, true)), "{hand}");
        assert_eq!(as_wanted(&stage, &wish).await, [true], "{hand}");
        let left = "SELECT count(*) FROM radcheck WHERE lower(attribute) IN ('auth-type', 'cleartext-password')";
        assert_eq!(stage.count(left).await, 1, "{hand}");
    }
    for group in ["ISP:PAKET-10m", "isp:paket-10M "] {
        let stage = Stage::new().await;
        let wish = [target(1, "budi", Access::Open)];
        stage.apply(&wish).await;
        stage
            .sql(&format!(
                "INSERT INTO radgroupreply (groupname, attribute, op, value) VALUES ('{group}', 'Mikrotik-Address-List', ':=', 'ISOLIR')"
            ))
            .await;
        let same = stage.count("SELECT count(*) FROM radgroupreply WHERE groupname = 'isp:paket-10M'").await > 1;
        assert_eq!(as_wanted(&stage, &wish).await, [!same], "{group:?}");
        assert_eq!(done(&stage.apply(&wish).await[0]), Some((Access::Open, same)), "{group:?}");
        assert_eq!(as_wanted(&stage, &wish).await, [true], "{group:?}");
    }
}

/// Names with blanks and signs, and passwords with everything: kept byte for byte, found again, written once.
#[tokio::test]
async fn names_and_passwords_with_signs_are_kept_as_they_are() {
    let stage = Stage::new().await;
    stage.unicode().await;
    let names = [
        "Pak Budi (RT 3) #2+",
        "a'b\"c",
        "a\\b",
        "100%_x",
        "x;DROP TABLE radcheck",
        "=20",
        "$(id)",
        "08123",
        "isp:isolir",
    ];
    let passwords =
        ["#;'\"\\", " blank ", "sandi\u{fc}\u{e9}", "rahasia %{User-Name}", "\u{1f511}", "`x`", "a  b", "--", "'"];
    let wish: Vec<AccessTarget> = (1..)
        .zip(names.iter().zip(passwords))
        .map(|(n, (name, password))| {
            let mut target = target(n, name, Access::Open);
            target.account.password = Secret::new(password);
            target
        })
        .collect();
    for again in [true, false] {
        for outcome in stage.apply(&wish).await {
            assert_eq!(done(&outcome), Some((Access::Open, again)), "{outcome:?}");
        }
    }
    assert!(as_wanted(&stage, &wish).await.into_iter().all(|is| is));
    assert_eq!(stage.count("SELECT count(*) FROM radcheck").await, names.len() as i64);
    // A blank more at the end of a password is another password.
    let mut blank = wish[1].clone();
    blank.account.password = Secret::new(" blank  ");
    assert_eq!(done(&stage.apply(&[blank]).await[0]), Some((Access::Open, true)));
}

/// Two packages whose group the database takes for one would write its rows in turns, and end everybody's session each time.
#[tokio::test]
async fn packages_that_share_a_group_with_other_speeds_are_told_and_end_nobody() {
    let of = |n, name: &str, group: &str, speed: &str| AccessTarget {
        group: UserGroup { name: RouterName::parse("group", group).unwrap(), speed: Speed::parse(speed).unwrap() },
        ..target(n, name, Access::Open)
    };
    for second in ["paket", "PAKET"] {
        let stage = Stage::new().await;
        let same = second == "paket" || stage.is_mariadb();
        let wish = [of(1, "budi", "paket", "10/5"), of(2, "citra", second, "20/10"), of(3, "dewi", "lain", "5/5")];
        for changed in [true, false, false] {
            let outcomes = stage.apply(&wish).await;
            let told: Vec<_> = outcomes.iter().map(done).collect();
            assert_eq!(told, [Some((Access::Open, changed)); 3], "{second}: {outcomes:?}");
        }
        let now = moment("2026-01-20T03:00:00Z");
        let survey = stage.access.survey(&stage.endpoint(), &wish, now).await.unwrap();
        let told: Vec<&str> = survey.findings.iter().map(|finding| finding.code).collect();
        assert_eq!(told.contains(&"radius.group_ambiguous"), same, "{second}: {told:?}");
    }
    // Whoever pays is not led to the page by a package's name.
    let stage = Stage::new().await;
    let outcomes = stage.apply(&[of(1, "budi", "Isolir", "10/5"), of(2, "citra", "paket", "10/5")]).await;
    assert_eq!(refused(&outcomes[0]), Some("radius.group_of_isolation"));
    assert_eq!(done(&outcomes[1]), Some((Access::Open, true)));
}

/// What the tables do not take of one line is its own trouble.
#[tokio::test]
async fn a_name_or_password_that_does_not_fit_is_refused_alone() {
    let stage = Stage::new().await;
    match stage.is_mariadb() {
        true => stage.sql("ALTER TABLE radcheck CONVERT TO CHARACTER SET latin1").await,
        false => stage.sql("ALTER TABLE radcheck ALTER COLUMN value TYPE varchar(253)").await,
    }
    let mut wish: Vec<AccessTarget> = (1..=9).map(|n| target(n, &format!("u{n}"), Access::Open)).collect();
    wish[3].account.password = Secret::new("x".repeat(300));
    let key = stage.is_mariadb().then_some("radius.signs");
    if stage.is_mariadb() {
        wish[6].account.password = Secret::new("sandi \u{1f511}");
    }
    let told: Vec<_> = stage.apply(&wish).await.iter().map(refused).collect();
    assert_eq!(told, [None, None, None, Some("radius.too_long"), None, None, key, None, None]);
    assert_eq!(stage.count("SELECT count(*) FROM radusergroup").await, if key.is_some() { 7 } else { 8 });
}

/// Tables whose owner wanted capital letters told apart, and an old one beside a new one.
#[tokio::test]
async fn columns_of_other_kinds_are_read() {
    for change in [
        "ALTER TABLE radcheck CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        "ALTER TABLE radcheck MODIFY username varbinary(64) NOT NULL",
        "ALTER TABLE radgroupcheck CONVERT TO CHARACTER SET latin1",
        "ALTER TABLE radusergroup CONVERT TO CHARACTER SET utf8mb3; ALTER TABLE radreply CONVERT TO CHARACTER SET latin1",
        "ALTER TABLE radgroupreply CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
    ] {
        let stage = Stage::new().await;
        if !stage.is_mariadb() {
            return;
        }
        stage.sql(change).await;
        let wish = [target(1, "Budi", Access::Open), target(2, "citra", Access::Isolated)];
        for changed in [true, false] {
            let told: Vec<_> = stage.apply(&wish).await.iter().map(done).collect();
            assert_eq!(told, [Some((Access::Open, changed)), Some((Access::Isolated, changed))], "{change}");
        }
        assert_eq!(as_wanted(&stage, &wish).await, [true, true], "{change}");
    }
}

/// Where `Budi` is `budi`, the new name of a line has not left the old one.
#[tokio::test]
async fn a_line_that_is_renamed_by_a_capital_letter_goes_on() {
    let stage = Stage::new().await;
    stage.apply(&[target(1, "Budi", Access::Open)]).await;
    let wish = [target(1, "budi", Access::Open)];
    stage.apply(&wish).await;
    let now = moment("2026-01-20T03:00:00Z");
    let survey = stage.access.survey(&stage.endpoint(), &wish, now).await.unwrap();
    assert_eq!(survey.left.len(), usize::from(!stage.is_mariadb()), "{survey:?}");
    let left = survey.left.into_iter().map(|_| AccessTarget {
        desired: Access::Closed,
        left: true,
        ..target(1, "Budi", Access::Closed)
    });
    stage.apply(&left.collect::<Vec<_>>()).await;
    assert_eq!(stage.observed(&wish[0]).await, Some(Access::Open));
}
