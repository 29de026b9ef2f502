//! `isp cases run`: what it says of a green case, a red one and a file that is none.

use std::process::Command;

/// What the manual shows: the first two blocks of TOML in docs/cases.md.
fn examples() -> Vec<String> {
    let text = include_str!("../../docs/cases.md");
    text.split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```"))
        .map(|(block, _)| block.to_owned())
        .collect()
}

fn run(files: &[(&str, &str)], more: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let mut isp = Command::new(env!("CARGO_BIN_EXE_isp"));
    isp.current_dir(folder.path()).env_clear().args(["--lang", "en", "cases", "run", "."]).args(more);
    let out = isp.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (out.status.code().unwrap(), text(&out.stdout), text(&out.stderr))
}

#[test]
fn the_examples_of_the_manual_are_green() {
    let examples = examples();
    assert_eq!(examples.len(), 2);
    let (code, out, err) = run(&[("mine/late.toml", &examples[0]), ("mine/change.toml", &examples[1])], &[]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.lines().any(|line| line.split_whitespace().eq(["mine", "2"])), "{out}");
}

#[test]
fn a_red_case_shows_expected_and_actual() {
    let red = examples()[0].replacen("owed = 166_500", "owed = 100_000", 1);
    let (code, out, _) = run(&[("late.toml", &red)], &[]);
    assert_eq!(code, 5);
    let said = "late.toml: January is paid late, and the line reopens at once\n  step 1, 2026-01-19 11:00, budi: owed\n    expected Rp100.000\n    actual   Rp166.500\n";
    assert!(out.contains(said), "{out}");
    let (code, out, _) = run(&[("late.toml", &red)], &["--format", "json"]);
    let rows: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &rows[0]["state"], &rows[0]["actual"]), (5, &"red".into(), &"Rp166.500".into()));
}

#[test]
fn a_file_that_is_no_case_is_named_with_its_table_and_key() {
    let bad = examples()[0].replacen("owed = 166_500", "owd = 166_500", 1);
    let (code, _, err) = run(&[("late.toml", &bad)], &[]);
    assert_eq!(code, 3);
    assert!(err.contains("late.toml:14: [step.expect] 1: unknown field `owd`"), "{err}");
    let (code, _, err) = run(&[], &[]);
    assert!(code == 2 && err.contains("no case in ."), "{code} {err}");
    let (code, _, _) = run(&[("late.toml", &examples()[0])], &["--only", "nothing of the kind"]);
    assert_eq!(code, 2);
}
