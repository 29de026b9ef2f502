//! Several living processes on one provider: stopped and continued, cut off, slow, in every mix of `isp run`,
//! `isp deliver` and `isp router apply`. No message may go out twice, each must be accounted for, and each router ends
//! as it is wanted. The same on a SQLite file and on PostgreSQL.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::cli::{Isp, Stage};
use crate::database::{self, server, url_of};
use isp::mikrotik::simulator::{Fault, FaultKind};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};

/// Lines of the provider; each gets a message when it is isolated.
pub(crate) const LINES: usize = 24;
/// The days of the tests: nothing is owed, then everybody is isolated.
const BEFORE: &[&str] = &["--on", "2026-01-01"];
pub(crate) const ISOLATED: &[&str] = &["--on", "2026-01-20", "--at", "13:00"];
/// When everybody has ended, and messages that waited for a router are looked at again.
const LATER: &[&str] = &["--on", "2026-01-20", "--at", "14:00"];
/// When the next month is billed.
pub(crate) const FEBRUARY: &[&str] = &["--on", "2026-02-01", "--at", "07:00"];
/// How long a stopped process is left alone: longer than its lease of a second.
pub(crate) const BEYOND_THE_LEASE: Duration = Duration::from_millis(1_800);

/// Where the provider is kept.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Kept {
    Sqlite,
    Postgres,
}

pub(crate) const BOTH: [Kept; 2] = [Kept::Sqlite, Kept::Postgres];

/// A provider with many lines that all are to be isolated.
pub(crate) struct Workers {
    pub(crate) stage: Stage,
    pub(crate) database: Option<String>,
}

impl Workers {
    pub(crate) fn new(kept: Kept) -> Self {
        let mut stage = Stage::bare();
        let database = (kept == Kept::Postgres).then(|| stage.runtime.block_on(create_database()));
        if let Some(name) = &database {
            stage.isp.set("ISP_DATABASE", url_of(name));
        }
        stage.isp.set("ISP_WORKER__LEASE_SECONDS", "1");
        stage.isp.init();
        if kept == Kept::Postgres && database::on_cluster() {
            stage.isp.ok(&["migrate", "--citus"]);
        }
        // The tables are made by the server itself; from here on the program knows only the pooler.
        if let Some(url) = database.as_deref().and_then(database::pooled) {
            stage.isp.set("ISP_DATABASE", url);
        }
        let rows = |head: &str, row: &dyn Fn(usize) -> String| {
            std::iter::once(head.to_owned()).chain((0..LINES).map(row)).collect::<Vec<_>>().join("\n")
        };
        let customers =
            rows("id_pelanggan,nama,alamat,telepon", &|n| format!("P{n:03},Warga {n},Jl. {n},0812345600{n:02}"));
        let lines = rows("id_pelanggan,paket,router,username,password,mulai,siklus", &|n| {
            format!("P{n:03},H20,R1,warga{n},pw{n},2026-01-01,bulanan")
        });
        let router = stage.router.address();
        stage.isp.write(&[
            ("sites.csv", "kode,nama,zona\nBDG,Bandung,WIB\n"),
            ("routers.csv", &format!("kode,site,alamat,username,password\nR1,BDG,{router},isp,rahasia-router\n")),
            ("packages.csv", "kode,nama,harga,ppn,kecepatan,grup\nH20,Rumah 20,165000,termasuk,20,h20\n"),
            ("customers.csv", &customers),
            ("subscriptions.csv", &lines),
        ]);
        stage.isp.ok(&[BEFORE, &["import", "sheets"]].concat());
        // The reminders of the month went out; what is left are the isolations.
        stage.isp.ok(&[BEFORE, &["run"]].concat());
        stage.isp.ok(&[&["--on", "2026-01-10", "--at", "13:00"][..], &["run"]].concat());
        Self { stage, database }
    }

    /// Decides the isolations, without telling anybody.
    pub(crate) fn isolate(&self) {
        self.stage.isp.ok(&[ISOLATED, &["enforce", "--approve-all"]].concat());
    }

    pub(crate) fn isolated(&self) -> usize {
        self.stage.router.secrets().iter().filter(|secret| secret.profile == "isolir").count()
    }

    pub(crate) fn told(&self) -> usize {
        self.stage.messages().iter().filter(|template| template.starts_with("isp_layanan_diisolir_2")).count()
    }

    pub(crate) fn start(&self, words: &[&str]) -> Worker {
        let mut command = self.stage.isp.command(&[ISOLATED, words].concat());
        Worker(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// A run that bills the next month, a line a commit.
    pub(crate) fn start_billing(&self) -> Worker {
        let mut command = self.stage.isp.command(&[FEBRUARY, &["run"]].concat());
        command.env("ISP_WORKER__PAGE", "1").stdout(Stdio::null()).stderr(Stdio::piped());
        Worker(command.spawn().unwrap())
    }

    /// Each invoice takes PostgreSQL a while from now on, so that a run can be met in its middle however busy the machine is. A file
    /// is slow enough as it is.
    pub(crate) fn bill_slowly(&self) {
        if self.database.is_none() {
            return;
        }
        // One by one, as a cluster passes them on.
        let slow = [
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.05); RETURN NEW; END'",
            "CREATE TRIGGER slow BEFORE INSERT ON invoices FOR EACH ROW EXECUTE FUNCTION slow()",
        ];
        self.stage.runtime.block_on(async {
            let mut connection = PgConnection::connect(&self.url()).await.unwrap();
            for statement in slow {
                connection.execute(statement).await.unwrap();
            }
        });
    }

    fn url(&self) -> String {
        match &self.database {
            Some(name) => url_of(name),
            None => format!("sqlite:{}", self.stage.isp.dir().join("isp.db").display()),
        }
    }

    pub(crate) fn invoices(&self) -> usize {
        let sql = "SELECT COUNT(*) FROM invoices";
        let count: i64 = self.stage.runtime.block_on(async {
            match self.database {
                Some(_) => {
                    sqlx::query_scalar(sql).fetch_one(&mut PgConnection::connect(&self.url()).await.unwrap()).await
                }
                None => {
                    let mut connection = sqlx::SqliteConnection::connect(&self.url()).await.unwrap();
                    sqlx::query_scalar(sql).fetch_one(&mut connection).await
                }
            }
            .unwrap()
        });
        usize::try_from(count).unwrap()
    }

    /// True while somebody is in the middle of a write.
    fn writes_now(&self) -> bool {
        self.stage.runtime.block_on(async {
            match &self.database {
                Some(name) => {
                    let sql = format!(
                        "SELECT COUNT(*) FROM pg_stat_activity
                        WHERE datname = '{name}' AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
                    );
                    let mut connection = PgConnection::connect(&server()).await.unwrap();
                    sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap() > 0
                }
                None => {
                    let options = sqlx::sqlite::SqliteConnectOptions::new()
                        .filename(self.stage.isp.dir().join("isp.db"))
                        .busy_timeout(Duration::ZERO);
                    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
                    let tried = connection.execute("BEGIN IMMEDIATE").await;
                    if tried.is_ok() {
                        connection.execute("ROLLBACK").await.unwrap();
                    }
                    tried.is_err()
                }
            }
        })
    }

    /// Waits until it is so, for as long as anything may take on a busy machine.
    pub(crate) fn until(&self, what: &str, so: impl Fn() -> bool) {
        let begun = Instant::now();
        while !so() {
            assert!(begun.elapsed() < Duration::from_secs(60), "it never came to this: {what}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub(crate) fn rows(&self, state: &str) -> Vec<Value> {
        let found = self.stage.isp.json(&["outbox", "list", "--topic", "message", "--state", state]);
        found.as_array().unwrap().clone()
    }

    /// After everybody has ended and one calm run: each isolation was told once, or nobody knows and it is shown as
    /// such; the router is as it is wanted, and confirmed.
    pub(crate) fn all_is_well(&self, how: &str) {
        self.stage.whatsapp.answer_after(Duration::ZERO);
        self.stage.whatsapp.recover();
        self.stage.router.clear_faults();
        std::thread::sleep(BEYOND_THE_LEASE);
        let calm = self.stage.isp.run(&[LATER, &["run", "--approve-all"]].concat());
        let said = String::from_utf8_lossy(&calm.stdout).into_owned() + &String::from_utf8_lossy(&calm.stderr);
        assert!(matches!(calm.status.code(), Some(0 | 5)), "{how}: {said}");
        let twice = self.stage.whatsapp.duplicates();
        assert!(twice.is_empty(), "{how}: messages went out twice: {twice:?}");
        let taken: BTreeSet<String> =
            self.stage.whatsapp.messages().iter().map(|m| id_of(m.callback_data.as_deref())).collect();
        for state in ["pending", "claimed", "attempting", "failed"] {
            assert!(self.rows(state).is_empty(), "{how}: {state}: {:?}\n{said}", self.rows(state));
        }
        let unknown: BTreeSet<String> =
            self.rows("unknown").iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect();
        for done in self.rows("done") {
            assert!(taken.contains(done["id"].as_str().unwrap()), "{how}: {done} is done and nobody has it");
        }
        let told = self.told();
        let lost = unknown.iter().filter(|id| !taken.contains(*id)).count();
        assert_eq!(told + lost, LINES, "{how}: {} unknown\n{said}", unknown.len());
        assert_eq!(self.isolated(), LINES, "{how}");
        let open = self.stage.isp.json(&["outbox", "list", "--topic", "access", "--state", "pending"]);
        assert!(open.as_array().unwrap().is_empty(), "{how}: {open}");
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        if let Some(name) = &self.database {
            self.stage.runtime.block_on(database::drop(name));
        }
    }
}

/// A living `isp`.
pub(crate) struct Worker(pub(crate) Child);

impl Worker {
    pub(crate) fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.0.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    fn stop(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn go_on(&self) {
        self.signal("-CONT");
    }

    /// Its exit code, and what it said.
    pub(crate) fn end_saying(self) -> (i32, String) {
        let output = self.0.wait_with_output().unwrap();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Its exit code.
    pub(crate) fn end(mut self) -> i32 {
        self.0.wait().unwrap().code().unwrap_or(-1)
    }
}

fn id_of(callback: Option<&str>) -> String {
    callback.unwrap().rsplit(':').next().unwrap().to_owned()
}

async fn create_database() -> String {
    let name = format!("isp_workers_{}", uuid::Uuid::now_v7().simple());
    database::create_ready(&name).await;
    name
}

/// Cuts all connections of this database; how many.
pub(crate) async fn cut(database: &str) -> usize {
    let mut connection = PgConnection::connect(&server()).await.unwrap();
    let sql = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'");
    connection.fetch_all(AssertSqlSafe(sql)).await.unwrap().iter().filter(|row| row.get::<bool, _>(0)).count()
}

/// A server that lets nobody in is told in the user's language, with what to do.
#[test]
fn a_server_that_lets_nobody_in_is_told_in_words() {
    let isp = Isp::new();
    isp.init();
    let stranger = format!("postgres://nobody-here@{}", url_of("postgres").rsplit('@').next().unwrap());
    for (url, id, en) in [
        (url_of("no_such_database"), "tidak ada basis data bernama itu|di servernya", "has no database of that name"),
        (stranger, "tidak menerima pengguna ini|kata sandi atau pengguna", "does not let this user in"),
        ("postgres://u:p@no-such-host.invalid/x".to_owned(), "nama servernya tidak punya alamat", "has no address"),
    ] {
        let said = isp.fails(6, &["--lang", "id", "--database", &url, "customer", "list"], "store.unavailable");
        assert!(id.split('|').any(|words| said.contains(words)), "{said}");
        for english in ["does not exist", "role", "database \"", "failed"] {
            assert!(!said.contains(english), "{said}");
        }
        let said = isp.fails(6, &["--lang", "en", "--database", &url, "customer", "list"], "store.unavailable");
        assert!(said.contains(en) || said.contains("password or the user"), "{said}");
    }
}

/// Two and three processes at once, none of them disturbed, while WhatsApp takes its time.
#[test]
fn in_every_mix_nothing_goes_out_twice() {
    let mixes: [&[&[&str]]; 5] = [
        &[&["run", "--approve-all"], &["deliver"]],
        &[&["deliver"], &["deliver"]],
        &[&["run", "--approve-all"], &["run", "--approve-all"]],
        &[&["router", "apply", "--approve"], &["deliver"]],
        &[&["deliver"], &["run", "--approve-all"], &["router", "apply", "--approve"]],
    ];
    for kept in BOTH {
        for mix in mixes {
            let w = Workers::new(kept);
            w.isolate();
            w.stage.whatsapp.answer_after(Duration::from_millis(120));
            let workers: Vec<Worker> = mix.iter().map(|words| w.start(words)).collect();
            for worker in workers {
                let code = worker.end();
                assert!(matches!(code, 0 | 5 | 8), "{kept:?} {mix:?}: {code}");
            }
            w.all_is_well(&format!("{kept:?} {mix:?}"));
        }
    }
}

/// A process is stopped while its messages are under way, another one comes, and the first goes on after its lease.
#[test]
fn a_process_that_was_stopped_sends_nothing_again() {
    for kept in BOTH {
        for second in [&["run", "--approve-all"][..], &["deliver"][..]] {
            let w = Workers::new(kept);
            w.isolate();
            w.stage.isp.ok(&[ISOLATED, &["router", "apply", "--approve"]].concat());
            let already = w.told();
            // Each answer comes late, so that the process is stopped with messages taken and not yet recorded.
            w.stage.whatsapp.answer_after(Duration::from_millis(300));
            let first = w.start(&["deliver"]);
            w.until("several messages are under way", || w.told() >= already + 3);
            first.stop();
            std::thread::sleep(BEYOND_THE_LEASE);
            w.stage.whatsapp.answer_after(Duration::ZERO);
            let code = w.start(second).end();
            assert!(matches!(code, 0 | 5), "{kept:?} {second:?}: {code}");
            first.go_on();
            first.end();
            w.all_is_well(&format!("{kept:?}: stopped, then {second:?}"));
        }
    }
}

/// A process is stopped with rows in hand that it has not called for yet: they are another's when it goes on.
#[test]
fn a_process_that_was_stopped_before_it_sent_finds_its_rows_gone() {
    for kept in BOTH {
        let w = Workers::new(kept);
        w.isolate();
        w.stage.isp.ok(&[ISOLATED, &["router", "apply", "--approve"]].concat());
        w.stage.whatsapp.answer_after(Duration::from_millis(400));
        let (first, second) = (w.start(&["deliver"]), w.start(&["deliver"]));
        // While the first message of each is under way, the rest of their claims is untouched.
        w.until("the first messages are under way", || w.told() >= 1);
        first.stop();
        std::thread::sleep(BEYOND_THE_LEASE);
        let third = w.start(&["run", "--approve-all"]);
        std::thread::sleep(Duration::from_millis(300));
        first.go_on();
        for worker in [first, second, third] {
            let code = worker.end();
            assert!(matches!(code, 0 | 5 | 8), "{kept:?}: {code}");
        }
        w.all_is_well(&format!("{kept:?}: stopped before it sent"));
    }
}

/// On PostgreSQL all connections of a run are cut, and a second one comes: nothing goes out twice.
#[test]
fn a_run_whose_connections_were_cut_does_nothing_twice() {
    let w = Workers::new(Kept::Postgres);
    let database = w.database.clone().unwrap();
    w.isolate();
    w.stage.isp.ok(&[ISOLATED, &["router", "apply", "--approve"]].concat());
    w.stage.whatsapp.answer_after(Duration::from_millis(300));
    let first = w.start(&["run", "--approve-all"]);
    w.until("messages are under way", || w.told() >= 2);
    assert!(w.stage.runtime.block_on(cut(&database)) > 0);
    let second = w.start(&["run", "--approve-all"]);
    // The first goes on with new connections, or ends as one whose database went away.
    first.end();
    assert!(matches!(second.end(), 0 | 5 | 8));
    w.all_is_well("cut off");
}

/// A run is stopped in the middle of billing for longer than its lease, and two others come. When it goes on, its right is gone:
/// it writes nothing more, and says so.
#[test]
fn a_run_that_was_stopped_writes_nothing_after_another_has_begun() {
    for kept in BOTH {
        let (w, first) = stopped_between_two_writes(kept);
        std::thread::sleep(BEYOND_THE_LEASE);
        let others = [w.start_billing(), w.start_billing()];
        for other in others {
            let (code, said) = other.end_saying();
            assert!(matches!(code, 0 | 5 | 8), "{kept:?}: {code} {said}");
        }
        assert_eq!(w.invoices(), 2 * LINES, "{kept:?}");
        first.go_on();
        let (code, said) = first.end_saying();
        assert!(code == 8 && said.contains("store.run_lost"), "{kept:?}: {code} {said}");
        assert_eq!(w.invoices(), 2 * LINES, "{kept:?}");
        // The right is free, and the next run finds nothing left to do.
        w.stage.isp.exit_any(&[0, 5], &[FEBRUARY, &["run"]].concat());
        assert_eq!(w.invoices(), 2 * LINES, "{kept:?}");
    }
}

/// A provider, and a run that was stopped after some of its lines were billed, with no write of it under way. The moment between two
/// writes is short, and on a fast or busy machine a run may come to its end before it was met there. Then another provider's is met.
fn stopped_between_two_writes(kept: Kept) -> (Workers, Worker) {
    for _ in 0..10 {
        let w = Workers::new(kept);
        w.bill_slowly();
        let first = w.start_billing();
        w.until("some are billed", || w.invoices() > LINES + 1);
        while w.invoices() < 2 * LINES {
            while w.writes_now() {}
            first.stop();
            if !w.writes_now() && w.invoices() < 2 * LINES {
                return (w, first);
            }
            first.go_on();
        }
        assert!(matches!(first.end(), 0 | 5), "{kept:?}");
    }
    panic!("{kept:?}: ten runs were too fast to be stopped in the middle");
}

/// The right of a killed run is free at once on a file, and after its lease elsewhere.
#[test]
fn the_right_of_a_killed_run_is_soon_free() {
    for kept in BOTH {
        let w = Workers::new(kept);
        w.bill_slowly();
        let first = w.start_billing();
        w.until("some are billed", || w.invoices() > LINES + 1);
        first.signal("-KILL");
        first.end();
        if kept == Kept::Postgres {
            std::thread::sleep(BEYOND_THE_LEASE);
        }
        w.stage.isp.exit_any(&[0, 5], &[FEBRUARY, &["run"]].concat());
        assert_eq!(w.invoices(), 2 * LINES, "{kept:?}");
    }
}

/// Three workers on PostgreSQL, the clock of one an hour ahead and that of another an hour behind: none takes what another
/// is doing, because the database's clock counts.
#[test]
fn a_worker_whose_clock_is_wrong_takes_nothing_from_the_others() {
    let w = Workers::new(Kept::Postgres);
    w.isolate();
    w.stage.isp.ok(&[ISOLATED, &["router", "apply", "--approve"]].concat());
    w.stage.whatsapp.answer_after(Duration::from_millis(400));
    let shim = wrong_clock(w.stage.isp.dir());
    let seconds = |text: Vec<u8>| String::from_utf8(text).unwrap().trim().parse::<i64>().unwrap();
    let date =
        |by: &str| Command::new("date").arg("+%s").env("LD_PRELOAD", &shim).env("CLOCK_IS_WRONG_BY", by).output();
    let [ahead, right] = ["3600", "0"].map(|by| seconds(date(by).unwrap().stdout));
    assert!((3_500..3_700).contains(&(ahead - right)), "the clock is not wrong");
    let wrong = |by: &str| {
        let mut command = w.stage.isp.command(&[ISOLATED, &["deliver"]].concat());
        command.env("LD_PRELOAD", &shim).env("CLOCK_IS_WRONG_BY", by);
        Worker(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    };
    let behind = wrong("-3600");
    let right = w.start(&["deliver"]);
    w.until("the first messages are under way", || w.told() >= 1);
    let workers = [behind, right, wrong("3600")];
    for worker in workers {
        let code = worker.end();
        assert!(matches!(code, 0 | 5), "{code}");
    }
    assert!(w.rows("unknown").is_empty(), "a message was taken from who was sending it: {:?}", w.rows("unknown"));
    w.all_is_well("wrong clocks");
}

/// A library that makes the clock on the wall wrong for the program that it is loaded into: by so many seconds, or by as many as stand
/// in the file whose path is given, which may change while the program lives.
pub(crate) fn wrong_clock(folder: &std::path::Path) -> std::path::PathBuf {
    let (source, library) = (folder.join("clock.c"), folder.join("clock.so"));
    let code = "#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static long wrong_by(void) {
    const char *by = getenv(\"CLOCK_IS_WRONG_BY\");
    char text[32] = {0};
    if (!by) return 0;
    if (by[0] != '/') return atol(by);
    int file = open(by, O_RDONLY);
    if (file < 0) return 0;
    if (read(file, text, sizeof text - 1) < 0) text[0] = 0;
    close(file);
    return atol(text);
}
int clock_gettime(clockid_t id, struct timespec *t) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, \"clock_gettime\");
    int done = real(id, t);
    if (done == 0 && id == CLOCK_REALTIME) t->tv_sec += wrong_by();
    return done;
}
int gettimeofday(struct timeval *restrict t, void *restrict zone) {
    static int (*real)(struct timeval *, void *);
    if (!real) real = dlsym(RTLD_NEXT, \"gettimeofday\");
    int done = real(t, zone);
    if (done == 0 && t) t->tv_sec += wrong_by();
    return done;
}
time_t time(time_t *at) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (at) *at = t.tv_sec;
    return t.tv_sec;
}
";
    std::fs::write(&source, code).unwrap();
    let made =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).arg("-ldl").status().unwrap();
    assert!(made.success());
    library
}

/// Stopped between reading what is wanted and writing it to the router; meanwhile everybody pays and is reopened. When it
/// goes on, what it writes is old: the router must not stay so, and nobody must say "confirmed" of it.
#[test]
fn an_isolation_that_wakes_up_late_shuts_no_payer_out() {
    for kept in BOTH {
        for words in [&["deliver"][..], &["router", "apply", "--approve"][..]] {
            let w = Workers::new(kept);
            w.isolate();
            // The answer to its writes is late, so that it is stopped in the middle of them.
            w.stage.router.inject(Fault::new(FaultKind::Latency(Duration::from_millis(60))).on("/ppp/secret").always());
            let first = w.start(words);
            w.until("the first lines are isolated", || w.isolated() >= 1);
            first.stop();
            w.stage.router.clear_faults();
            std::thread::sleep(BEYOND_THE_LEASE);
            for n in 0..LINES {
                let code = format!("P{n:03}");
                let pay = ["payment", "add", &code, "165000", "--reference", &format!("T-{n}")];
                w.stage.isp.ok(&[ISOLATED, &pay[..]].concat());
            }
            w.stage.isp.exit_any(&[0, 5], &[ISOLATED, &["deliver"]].concat());
            first.go_on();
            let code = first.end();
            assert!(matches!(code, 0 | 5 | 6), "{kept:?} {words:?}: {code}");
            std::thread::sleep(BEYOND_THE_LEASE);
            w.stage.isp.exit_any(&[0, 5], &[ISOLATED, &["run", "--approve-all"]].concat());
            assert_eq!(w.isolated(), 0, "{kept:?} {words:?}: payers are shut out");
            let twice = w.stage.whatsapp.duplicates();
            assert!(twice.is_empty(), "{kept:?} {words:?}: {twice:?}");
        }
    }
}

/// After `kill -9` the rows of the dead process are free at once on a file, and after its lease elsewhere.
#[test]
fn what_a_killed_process_had_is_soon_free() {
    for kept in BOTH {
        let w = Workers::new(kept);
        w.isolate();
        w.stage.isp.ok(&[ISOLATED, &["router", "apply", "--approve"]].concat());
        w.stage.whatsapp.answer_after(Duration::from_millis(500));
        let first = w.start(&["deliver"]);
        w.until("a message is under way", || w.told() >= 1);
        first.signal("-KILL");
        first.end();
        w.stage.whatsapp.answer_after(Duration::ZERO);
        if kept == Kept::Postgres {
            std::thread::sleep(BEYOND_THE_LEASE);
        }
        w.stage.isp.exit_any(&[0, 5], &[ISOLATED, &["deliver"]].concat());
        assert_eq!(w.told(), LINES, "{kept:?}");
        w.all_is_well(&format!("{kept:?}: killed"));
    }
}
