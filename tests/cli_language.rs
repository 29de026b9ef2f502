//! Help, errors, warnings and explanations come in the language that was chosen, without words of the other and without
//! bare codes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cli;

use cli::{Isp, SHEETS};

#[test]
fn help_and_errors_of_the_command_line_are_indonesian() {
    let isp = Isp::new();
    for arguments in [&["--help"][..], &["subscription", "--help"], &["bill", "-h"]] {
        let (out, _) = isp.exit(0, &[&["--lang", "id"], arguments].concat());
        assert!(out.contains("Pemakaian: isp") && out.contains("Tampilkan bantuan"), "{out}");
        for english in ["Usage", "Commands:", "Options:", "Print help"] {
            assert!(!out.contains(english), "{english}: {out}");
        }
        let (out, _) = isp.exit(0, &[&["--lang", "en"], arguments].concat());
        assert!(out.contains("Usage: isp") && !out.contains("Pemakaian"), "{out}");
    }
    for (arguments, words) in [
        (&["payment", "add", "C", "abc", "--reference", "q"][..], "'abc'"),
        (&["bill", "--frobnicate"], "--frobnicate"),
        (&["bil"], "mungkin 'bill'"),
        (&["payment", "add"], "wajib"),
        (&["outbox", "list", "--topic", "x"], "access, message"),
    ] {
        let (out, err) = isp.exit(2, arguments);
        assert!(out.is_empty() && err.contains(words) && err.contains("[cli.usage]"), "{err}");
        for english in ["Usage", "invalid", "error:", "required", "unexpected"] {
            assert!(!err.contains(english), "{english}: {err}");
        }
        let (_, err) = isp.exit(2, &[&["--lang", "en"], arguments].concat());
        assert!(err.contains("error:"), "{err}");
    }
    // The language of the settings counts where no flag and no variable says otherwise.
    isp.ok(&["--lang", "en", "init"]);
    assert!(isp.exit(2, &["bil"]).1.contains("error:"));
}

#[test]
fn a_day_and_its_explanation_hold_no_codes() {
    let isp = Isp::new();
    isp.ok(&["init"]);
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp.exit(5, &["--on", "2026-01-05", "run"]);
    let (_, err) = isp.exit(5, &["--on", "2026-01-21", "run"]);
    assert!(err.contains("sambungan ditolak") && !err.contains("not sent") && !err.contains("refused"), "{err}");
    let told = isp.ok(&["--on", "2026-01-21", "--at", "13:00", "explain", "P002"]);
    assert!(told.contains("diisolir karena tunggakan") && told.contains("menunggak terlalu lama"), "{told}");
    for code in ["isolated_arrears", "overdue_too_long", "registered", "in_service", "engine"] {
        assert!(!told.contains(code), "{told}");
    }
    let told = isp.ok(&["--lang", "en", "--on", "2026-01-21", "--at", "13:00", "explain", "P002"]);
    assert!(told.contains("isolated for arrears on") && told.contains("overdue for too long"), "{told}");
}
