//! The clock of a machine is set, ahead and back, while `isp serve`, `isp run` and `isp deliver` live on it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use isp_core::calendar::{Date, Zone};

use crate::cli::PHONE_NUMBER_ID;
use crate::cli::served::Served;
use crate::workers::{ISOLATED, Kept, LINES, Worker, Workers, wrong_clock};

/// A clock that is wrong by as much as is said, for who is started with it.
pub(crate) struct WallClock {
    shim: PathBuf,
    by: PathBuf,
}

impl WallClock {
    pub(crate) fn right(folder: &Path) -> Self {
        let clock = Self { shim: wrong_clock(folder), by: folder.join("wrong-by") };
        clock.set(0);
        clock
    }

    /// Sets it in one move: who reads it meanwhile reads the old or the new time.
    fn set(&self, seconds: i64) {
        let new = self.by.with_extension("new");
        std::fs::write(&new, seconds.to_string()).unwrap();
        std::fs::rename(new, &self.by).unwrap();
    }

    /// Sets it to a time of a day in Jakarta.
    pub(crate) fn show(&self, day: Date, hour: u32, minute: u32) {
        self.set((day.at(hour, minute, Zone::Wib) - chrono::Utc::now()).num_seconds());
    }

    pub(crate) fn environment(&self) -> [(&'static str, &str); 2] {
        [("LD_PRELOAD", self.shim.to_str().unwrap()), ("CLOCK_IS_WRONG_BY", self.by.to_str().unwrap())]
    }

    fn start(&self, w: &Workers, words: &[&str]) -> Worker {
        let mut command = w.stage.isp.command(&[ISOLATED, words].concat());
        command.envs(self.environment()).stdout(Stdio::null()).stderr(Stdio::null());
        Worker(command.spawn().unwrap())
    }
}

/// The clock is set by an hour while a process sends, and two others come, one by the new time and one by the old: what the first has
/// in hand may be taken from it, and still no message goes out twice.
#[test]
fn a_clock_that_is_set_while_messages_are_under_way_sends_none_twice() {
    for kept in [Kept::Sqlite, Kept::Postgres] {
        for (first, by) in [("deliver", 3_600), ("run", -3_600)] {
            let w = Workers::new(kept);
            w.isolate();
            w.stage.isp.ok(&[ISOLATED, &["router", "apply", "--approve"]].concat());
            let (already, clock) = (w.told(), WallClock::right(w.stage.isp.dir()));
            w.stage.whatsapp.answer_after(Duration::from_millis(400));
            let first = clock.start(&w, &[first]);
            w.until("messages are under way", || w.told() > already);
            clock.set(by);
            let others = [clock.start(&w, &["deliver"]), w.start(&["deliver"])];
            for worker in others.into_iter().chain([first]) {
                let code = worker.end();
                assert!(matches!(code, 0 | 5 | 8), "{kept:?} {by}: {code}");
            }
            w.all_is_well(&format!("{kept:?}: the clock was set by {by} s"));
        }
    }
}

/// `isp serve` lives through a clock of two years ahead and one of six years ago: nobody is billed, isolated or closed by it, and the
/// log says why. When the clock is right again, the day's work goes on by itself.
#[test]
fn a_server_does_nothing_by_a_wrong_clock_and_goes_on_by_the_right_one() {
    let w = Workers::new(Kept::Sqlite);
    let home = w.stage.isp.dir();
    let clock = WallClock::right(home);
    clock.show(Date::parse("2026-01-11").unwrap(), 12, 0);
    let (base, [shim, by]) = (w.stage.whatsapp.base_url(), clock.environment());
    let settings = [
        shim,
        by,
        ("ISP_SERVE__DELIVER_EVERY_SECONDS", "1"),
        ("ISP_SERVE__RUN_EVERY_MINUTES", "1"),
        ("ISP_POLICY__ISOLATION__BREAKER_COUNT", "100"),
        ("ISP_WHATSAPP__BASE_URL", &base),
        ("ISP_WHATSAPP__PHONE_NUMBER_ID", PHONE_NUMBER_ID),
        ("ISP_WHATSAPP__ACCESS_TOKEN", "simulated-access-token"),
        ("ISP_PROVIDER__NAME", "Contoh Net"),
    ];
    let server = Served::start(home, &settings);
    let until = |what: &str, so: &dyn Fn() -> bool| {
        let begun = Instant::now();
        while !so() {
            assert!(begun.elapsed() < Duration::from_secs(180), "it never came to this: {what}\n{}", server.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    until("the first run", &|| server.log().contains("run of the day"));
    let untouched = || assert_eq!((w.invoices(), w.isolated()), (LINES, 0), "{}", server.log());
    untouched();
    clock.show(Date::parse("2028-02-01").unwrap(), 12, 0);
    until("the clock is ahead", &|| server.log().contains("clock.ahead"));
    untouched();
    clock.show(Date::parse("2020-02-01").unwrap(), 12, 0);
    until("the clock is behind", &|| server.log().contains("clock.behind"));
    untouched();
    // The 20th, a Tuesday: all are isolated, told once, and nothing else has happened.
    clock.show(Date::parse("2026-01-20").unwrap(), 12, 0);
    until("all are isolated", &|| w.isolated() == LINES);
    until("all are told", &|| w.told() == LINES);
    assert_eq!(w.invoices(), LINES);
    assert!(w.stage.whatsapp.duplicates().is_empty());
    let ready = "GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";
    assert_eq!(server.ask(ready, b""), Some(200));
}
