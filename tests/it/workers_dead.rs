//! A router that is dead, on real sockets: what waits for it is left as it is, whoever was killed or stopped meanwhile.

use std::time::Duration;

use crate::workers::{BEYOND_THE_LEASE, BOTH, ISOLATED, Kept, LINES, Workers};
use isp::mikrotik::simulator::{Fault, FaultKind};
use serde_json::Value;

/// A moment at which a rest that began with the day of the isolations is over.
const A_MINUTE_LATER: &[&str] = &["--on", "2026-01-20", "--at", "13:01"];

/// The wishes in a state.
fn wishes(w: &Workers, state: &str) -> Vec<Value> {
    let found = w.stage.isp.json(&["outbox", "list", "--topic", "access", "--state", state]);
    found.as_array().unwrap().clone()
}

/// Every line has a wish that nobody has, and each tells why it waits.
fn all_wait(w: &Workers, why: &str) {
    let pending = wishes(w, "pending");
    assert_eq!(pending.len(), LINES, "{why}");
    for row in &pending {
        assert!(row["note"].as_str().is_some_and(|note| note.contains("not sent")), "{why}: {row}");
        assert!(row["next_attempt"].as_str().is_some_and(|at| at.contains("13:00")), "{why}: {row}");
    }
    for state in ["claimed", "attempting"] {
        assert_eq!(wishes(w, state), Vec::<Value>::new(), "{why}");
    }
}

#[test]
fn what_waits_for_a_dead_router_is_brought_when_it_is_back() {
    for kept in BOTH {
        let w = Workers::new(kept);
        w.isolate();
        w.stage.router.down();
        let (out, err) = w.stage.isp.exit(5, &[ISOLATED, &["deliver"]].concat());
        assert!(err.contains("R1") && err.contains(&LINES.to_string()), "{kept:?}: {out}{err}");
        all_wait(&w, &format!("{kept:?}: dead"));
        assert!(wishes(&w, "pending").iter().all(|row| row["attempts"] == 0), "{kept:?}: nobody called for them");
        // Who types the command wants it to be tried, and is told again.
        let (out, err) = w.stage.isp.exit(5, &[ISOLATED, &["deliver"]].concat());
        assert!(err.contains("R1") && err.contains(&LINES.to_string()), "{kept:?}: {out}{err}");
        all_wait(&w, &format!("{kept:?}: still dead"));
        // A payment while it is away is one of the wishes.
        w.stage.isp.ok(&[ISOLATED, &["payment", "add", "P000", "165000", "--reference", "T-0"]].concat());
        w.stage.router_up();
        w.stage.isp.ok(&[ISOLATED, &["deliver"]].concat());
        assert_eq!(w.isolated(), LINES - 1, "{kept:?}");
        assert_eq!((wishes(&w, "pending").len(), wishes(&w, "claimed").len()), (0, 0), "{kept:?}");
    }
}

/// A process dies, or stands still, with lines in hand; then their router dies as well, and is looked at by another process.
#[test]
fn whoever_died_or_stood_still_before_the_router_died_keeps_no_line() {
    for kept in BOTH {
        for killed in [true, false] {
            let how = format!("{kept:?}, killed: {killed}");
            let w = Workers::new(kept);
            w.isolate();
            w.stage.router.inject(Fault::new(FaultKind::Latency(Duration::from_millis(60))).on("/ppp/secret").always());
            let first = w.start(&["deliver"]);
            w.until("the first lines are isolated", || w.isolated() >= 1);
            first.signal(if killed { "-KILL" } else { "-STOP" });
            w.stage.router.clear_faults();
            w.stage.router.down();
            // What a killed process had on a file is free at once; elsewhere, and of one that stands still, after its lease.
            if kept == Kept::Postgres || !killed {
                std::thread::sleep(BEYOND_THE_LEASE);
            }
            let (out, err) = w.stage.isp.exit(5, &[ISOLATED, &["deliver"]].concat());
            assert!(err.contains(&LINES.to_string()), "{how}: {out}{err}");
            all_wait(&w, &how);
            if !killed {
                // It comes back, and its word about lines that it lost does not count.
                first.go_on();
            }
            let code = first.end();
            assert!(killed || matches!(code, 0 | 5 | 6), "{how}: {code}");
            w.stage.router_up();
            w.stage.isp.exit_any(&[0, 5], &[A_MINUTE_LATER, &["deliver"]].concat());
            w.all_is_well(&how);
        }
    }
}
