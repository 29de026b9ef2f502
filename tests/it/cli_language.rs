//! Help, errors, warnings and explanations come in the language that was chosen, without words of the other and without
//! bare codes.

use crate::cli::{Isp, SHEETS};

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

/// What libraries say of a value is English; the language of the output has words of its own.
#[test]
fn no_library_speaks_english_to_an_indonesian() {
    let isp = Isp::new();
    isp.ok(&["init"]);
    for words in [
        &["simulate-router", "--port", "x"][..],
        &["outbox", "show", "not-an-id"],
        &["holidays", "--year", "abc"],
        &["subscription", "discount", "P001", "abc%"],
        &["bill", "--at", "25.99"],
    ] {
        let (_, err) = isp.exit(2, words);
        for english in ["invalid", "digit", "found", "expected", "error", "not a", "character"] {
            assert!(!err.contains(english), "{english}: {err}");
        }
    }
    let path = isp.dir().join("isp.toml");
    let good = std::fs::read_to_string(&path).unwrap();
    for (from, to) in [
        ("payment_terms_days = 10", "payment_terms_days = \"ten\""),
        ("on_weekends = false", "on_weekends = 3"),
        ("due_soon_days = [3]", "due_soon_days = 3"),
        ("pkp = true", "pkb = true"),
        ("pkp = true", "pkp = "),
    ] {
        std::fs::write(&path, good.replace(from, to)).unwrap();
        let line = isp.fails(2, &["site", "list"], "cli.config");
        for english in ["invalid", "expected", "unknown", "string", "type", "is not"] {
            assert!(!line.contains(english), "{english}: {line}");
        }
    }
}

#[test]
fn manual_pages_speak_the_language_too() {
    let isp = Isp::new();
    for (language, words) in [("id", "Daftar tagihan"), ("en", "List invoices")] {
        let dir = isp.dir().join(language);
        isp.ok(&["--lang", language, "man", dir.to_str().unwrap()]);
        let page = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
        assert!(page("isp-invoice-list.1").contains(words), "{}", page("isp-invoice-list.1"));
        assert!(page("isp.1").contains("isp\\-invoice"), "{}", page("isp.1"));
    }
    let (_, err) = isp.exit(6, &["man", "/dev/null/here"]);
    assert!(err.contains("/dev/null/here"), "{err}");
}

/// Each reason for which the database is said to refuse or not to answer has Indonesian words.
#[test]
fn reasons_of_the_database_are_indonesian() {
    let locale: toml::Table = include_str!("../../locales/id.toml").parse().unwrap();
    let known = locale["reason"].as_table().unwrap();
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/isp-store/src"))];
    let mut asked = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let said = |word: &'static str| text.split(word).skip(1).filter_map(|rest| rest.split('"').next());
            let mut reasons: Vec<&str> =
                ["unavailable(\"", "rejected(\"", "corrupt(\""].into_iter().flat_map(said).collect();
            if path.ends_with("isp-store/src/error.rs") {
                reasons.extend(said("\" => \"").filter(|reason| reason.contains(' ')));
            }
            for reason in reasons.into_iter().filter(|reason| !reason.contains('{')) {
                assert!(known.contains_key(reason), "{}: {reason}", path.display());
                asked += 1;
            }
        }
    }
    assert!(asked > 30, "{asked}");
}
