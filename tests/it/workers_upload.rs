//! A process that is stopped or killed while the file of a message goes up to WhatsApp.

use std::time::Duration;

use crate::workers::{BEYOND_THE_LEASE, BOTH, ISOLATED, LINES, Workers};

/// While the file of a message goes up, nothing is said of the message itself: who is stopped then finds that another sent it, and
/// who is killed leaves nothing of which nobody knows.
#[test]
fn a_process_that_was_stopped_or_killed_during_an_upload_sends_nothing_again() {
    for kept in BOTH {
        for killed in [false, true] {
            let mut w = Workers::new(kept);
            w.stage.isp.set("ISP_WHATSAPP__DOCUMENTS", r#"["isolated"]"#);
            w.isolate();
            w.stage.isp.ok(&[ISOLATED, &["router", "apply", "--approve"]].concat());
            w.stage.whatsapp.answer_after(Duration::from_millis(800));
            let first = w.start(&["deliver"]);
            w.until("a file is under way", || w.stage.whatsapp.uploads() >= 1);
            first.signal(if killed { "-KILL" } else { "-STOP" });
            assert_eq!(w.told(), 0, "{kept:?}: no message is under way");
            std::thread::sleep(BEYOND_THE_LEASE);
            w.stage.whatsapp.answer_after(Duration::ZERO);
            w.stage.isp.ok(&[ISOLATED, &["deliver"]].concat());
            assert_eq!((w.told(), w.rows("unknown").len()), (LINES, 0), "{kept:?}");
            if !killed {
                first.go_on();
            }
            first.end();
            w.all_is_well(&format!("{kept:?}: in an upload, killed: {killed}"));
        }
    }
}
