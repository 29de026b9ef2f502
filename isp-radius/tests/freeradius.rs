//! The same with the real daemon: what a box at home is answered when it dials in. Needs Debian's `freeradius`,
//! `freeradius-postgresql` and `freeradius-utils`, so it has a feature of its own: `scripts/test_rust` sets it where they are.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{SECRET, Stage, done, target};
use isp_core::Secret;
use isp_core::isolation::{Access, AccessTarget};
use isp_core::package::Speed;
use tempfile::TempDir;

const RULES: &str = "/etc/freeradius/3.0/mods-config/sql/main";

/// A daemon that reads the tables of a stage.
struct Daemon {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Daemon {
    fn start(stage: &Stage) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = config(folder.path(), stage, port);
        std::fs::write(folder.path().join("radiusd.conf"), config).unwrap();
        // Where "localhost" is for a client of MySQL.
        let socket = format!("[client]\nsocket = {0}\n[freeradius]\nsocket = {0}\n", stage.server.display());
        std::fs::write(folder.path().join(".my.cnf"), socket).unwrap();
        let child = Command::new("freeradius")
            .args(["-f", "-l", "stdout", "-d"])
            .arg(folder.path())
            .env("HOME", folder.path())
            .stdout(std::fs::File::create(folder.path().join("log")).unwrap())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("freeradius is installed");
        let mut daemon = Self { child, port, _folder: folder };
        let patience = Instant::now();
        while daemon.dial("nobody", "x").is_none() {
            let log = std::fs::read_to_string(daemon._folder.path().join("log")).unwrap();
            let gone = daemon.child.try_wait().unwrap();
            assert!(gone.is_none(), "freeradius stopped:\n{log}");
            assert!(patience.elapsed() < Duration::from_secs(60), "freeradius does not answer:\n{log}");
        }
        daemon
    }

    /// Dials in, as a NAS does for a box: `None` without an answer, else whether it is let in and with what.
    fn dial(&self, username: &str, password: &str) -> Option<(bool, String)> {
        let mut child = Command::new("radclient")
            .args(["-x", "-r", "2", "-t", "2", &format!("127.0.0.1:{}", self.port), "auth", SECRET])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("radclient is installed");
        let ask = format!("User-Name={username}\nUser-Password={password}\n");
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), ask.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let answer = text.split("Received ").nth(1)?;
        Some((answer.starts_with("Access-Accept"), answer.to_owned()))
    }

    fn let_in(&self, username: &str) -> String {
        let (accepted, answer) = self.dial(username, &format!("pw-{username}")).expect("an answer");
        assert!(accepted, "{username}: {answer}");
        answer
    }

    fn shut_out(&self, username: &str, password: &str) {
        let (accepted, answer) = self.dial(username, password).expect("an answer");
        assert!(!accepted, "{username}: {answer}");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn config(folder: &Path, stage: &Stage, port: u16) -> String {
    let (folder, database) = (folder.display(), &stage.database);
    let (dialect, access) = match stage.is_mariadb() {
        true => ("mysql", format!("server = \"localhost\"\n  login = \"root\"\n  radius_db = \"{database}\"")),
        false => {
            let host = stage.server.parent().unwrap().display();
            ("postgresql", format!("radius_db = \"host={host} dbname={database} user=isp\""))
        }
    };
    format!(
        r#"
name = radiusd
logdir = {folder}
run_dir = {folder}
pidfile = {folder}/pid
libdir = /usr/lib/freeradius
security {{ allow_core_dumps = no
 status_server = no }}
thread pool {{ start_servers = 1
 max_servers = 2
 min_spare_servers = 1
 max_spare_servers = 2 }}
client localhost {{ ipaddr = 127.0.0.1
 secret = {SECRET} }}
modules {{
 pap {{
 }}
 expr {{
 }}
 always reject {{
  rcode = reject
 }}
 sql {{
  dialect = "{dialect}"
  driver = "rlm_sql_{dialect}"
  {access}
  acct_table1 = "radacct"
  acct_table2 = "radacct"
  postauth_table = "radpostauth"
  authcheck_table = "radcheck"
  groupcheck_table = "radgroupcheck"
  authreply_table = "radreply"
  groupreply_table = "radgroupreply"
  usergroup_table = "radusergroup"
  client_table = "nas"
  read_groups = yes
  pool {{ start = 1
   min = 1
   max = 2
   spare = 1
   uses = 0
   retry_delay = 1
   lifetime = 0
   idle_timeout = 0 }}
  group_attribute = "SQL-Group"
  $INCLUDE {RULES}/{dialect}/queries.conf
 }}
}}
server default {{
 listen {{ type = auth
  ipaddr = 127.0.0.1
  port = {port} }}
 authorize {{
  sql
  pap
 }}
 authenticate {{
  Auth-Type PAP {{
   pap
  }}
 }}
}}
"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_box_that_dials_in_is_answered_what_is_wanted() {
    let mut stage = Stage::new().await;
    stage.settings.isolation_rate = Some("256k/256k".to_owned());
    stage.settings.isolation_pool = Some("isolir".to_owned());
    stage.settings.pool = Some("pelanggan".to_owned());
    stage.access = isp_radius::RadiusAccess::new(stage.settings.clone()).unwrap();
    let daemon = Daemon::start(&stage);
    let mut line = target(1, "budi", Access::Open);
    daemon.shut_out("budi", "pw-budi");

    assert_eq!(done(&stage.apply(std::slice::from_ref(&line)).await[0]), Some((Access::Open, true)));
    let answer = daemon.let_in("budi");
    assert!(
        answer.contains("Mikrotik-Rate-Limit = \"5M/10M\"") && answer.contains("Framed-Pool = \"pelanggan\""),
        "{answer}"
    );
    assert!(!answer.contains("Address-List"), "{answer}");
    daemon.shut_out("budi", "salah");

    let isolated = AccessTarget { desired: Access::Isolated, ..line.clone() };
    stage.apply(std::slice::from_ref(&isolated)).await;
    let answer = daemon.let_in("budi");
    for wanted in ["Address-List = \"ISOLIR\"", "Rate-Limit = \"256k/256k\"", "Framed-Pool = \"isolir\""] {
        assert!(answer.contains(wanted), "{wanted}: {answer}");
    }
    // The rows of a group win over those of a user here, since both have `:=`.
    let hand = |attribute: &str, value: &str| {
        format!("INSERT INTO radreply (username, attribute, op, value) VALUES ('budi', '{attribute}', ':=', '{value}')")
    };
    stage.sql(&hand("Mikrotik-Rate-Limit", "100M/100M")).await;
    assert!(daemon.let_in("budi").contains("256k/256k"));

    line.group.speed = Speed::parse("20/10").unwrap();
    stage.apply(std::slice::from_ref(&line)).await;
    let answer = daemon.let_in("budi");
    assert!(answer.contains("\"10M/20M\"") && !answer.contains("Address-List"), "{answer}");
    // What the group does not say, a row of the user does: a payer would be led to the page. Applying takes it away.
    stage.sql(&hand("Mikrotik-Address-List", "ISOLIR")).await;
    assert!(daemon.let_in("budi").contains("ISOLIR"));
    assert_eq!(done(&stage.apply(std::slice::from_ref(&line)).await[0]), Some((Access::Open, true)));
    assert!(!daemon.let_in("budi").contains("ISOLIR"));

    stage.apply(&[AccessTarget { desired: Access::Closed, ..line.clone() }]).await;
    daemon.shut_out("budi", "pw-budi");
    stage.apply(std::slice::from_ref(&line)).await;
    daemon.let_in("budi");

    // Somebody else's user is served as before, and taken over only when a person says so.
    stage.sql("INSERT INTO radcheck (username, attribute, op, value) VALUES ('tetangga', 'Cleartext-Password', ':=', 'pw-tetangga')").await;
    let theirs = target(2, "tetangga", Access::Isolated);
    stage.apply(std::slice::from_ref(&theirs)).await;
    assert!(!daemon.let_in("tetangga").contains("Address-List"));
    stage.apply(&[AccessTarget { adopt: true, ..theirs }]).await;
    assert!(daemon.let_in("tetangga").contains("Address-List = \"ISOLIR\""));
}

/// What `radclient` sends is what we send: the simulated NAS ends a session for it.
#[tokio::test(flavor = "multi_thread")]
async fn the_simulated_nas_takes_the_requests_of_radclient() {
    let stage = Stage::new().await;
    let ask = |secret: &str| {
        let mut child = Command::new("radclient")
            .args(["-x", "-r", "1", "-t", "1", &stage.nas.address().to_string(), "disconnect", secret])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("radclient is installed");
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"User-Name=budi\n").unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    };
    stage.nas.dial("budi");
    assert!(!ask("other").contains("Received") && stage.nas.is_online("budi"));
    assert!(ask(SECRET).contains("Received Disconnect-ACK") && !stage.nas.is_online("budi"));
    let again = ask(SECRET);
    assert!(
        again.contains("Received Disconnect-NAK") && again.contains("Error-Cause = Session-Context-Not-Found"),
        "{again}"
    );
}

/// Names and passwords with blanks and signs reach the daemon's questions to the database as they are.
#[tokio::test(flavor = "multi_thread")]
async fn names_with_blanks_and_signs_dial_in() {
    let stage = Stage::new().await;
    let daemon = Daemon::start(&stage);
    let names = ["Pak Budi (RT 3) #2+", "a'b", "100%_x", "rt/3:x", "=20", "08123"];
    let mut wish: Vec<AccessTarget> = (1..).zip(names).map(|(n, name)| target(n, name, Access::Open)).collect();
    wish.iter_mut().for_each(|line| line.account.password = Secret::new("s#'n di;%"));
    for outcome in stage.apply(&wish).await {
        assert_eq!(done(&outcome), Some((Access::Open, true)));
    }
    let mut out = Vec::new();
    for name in names {
        let (accepted, answer) = daemon.dial(&format!("\"{name}\""), "\"s#'n di;%\"").expect("an answer");
        if !(accepted && answer.contains("\"5M/10M\"")) {
            out.push((name, answer));
        }
    }
    assert!(out.is_empty(), "{out:?}");
}
