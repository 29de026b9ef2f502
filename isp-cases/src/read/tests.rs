use super::*;

const GOOD: &str = r#"
title = "t"
rules = ["B1"]
[packages.HOME]
price = 150_000
[subscriptions.budi]
start = 2026-01-01
[[step]]
run = "2026-01-01..2026-01-03"
[[step]]
on = 2026-01-03 20:30
pay = { amount = 1 }
[[step]]
on = "2026-01-03"
expect = { owed = 5 }
"#;

fn said(text: &str) -> String {
    Case::parse("f.toml", text).unwrap_err().to_string()
}

#[test]
fn a_case_is_read_with_its_defaults() {
    let case = Case::parse("f.toml", GOOD).unwrap();
    let times: Vec<usize> = case.steps.iter().map(|s| s.moments.len()).collect();
    assert_eq!(times, [3, 1, 1]);
    assert_eq!(case.steps[2].moments, case.steps[1].moments, "a day without a time comes after what was before");
    assert_eq!(case.steps[0].moments[0].to_rfc3339(), "2026-01-01T04:00:00+00:00");
    assert!(case.uses.contains("step.expect.owed") && case.uses.contains("subscriptions.start"));
}

#[test]
fn what_is_wrong_is_named_with_file_table_and_key() {
    for (old, new, words) in [
        ("price = 150_000", "prise = 1", "f.toml:5: [packages.HOME]: unknown field `prise`"),
        ("amount = 1", "amuont = 1", "f.toml:12: [[step]] 2: unknown field `amuont`"),
        ("owed = 5", "owd = 5", "f.toml:15: [[step]] 3: unknown field `owd`"),
        ("start = 2026-01-01", "start = 2026-02-30", "f.toml:7: [subscriptions.budi]: "),
        ("start = 2026-01-01", "start = \"1 Jan\"", "`1 Jan` is no day such as 2026-01-31"),
        (
            "pay = { amount = 1 }",
            "pay = { amount = 1, customer = \"ani\" }",
            "[[step]] 2: pay.customer: customer: there is no customer `ani`",
        ),
        ("on = \"2026-01-03\"", "on = \"2026-01-02\"", "[[step]] 3: on: lies before the step above it"),
        ("expect = { owed = 5 }", "", "[[step]] 3: holds neither something that happens nor `expect`"),
        ("pay = {", "pause = {}\npay = {", "[[step]] 2: holds several things that happen"),
        ("rules = [\"B1\"]", "rules = []", "top of the file: rules: names none"),
    ] {
        let said = said(&GOOD.replace(old, new));
        assert!(said.contains(words), "{said}\n  should say {words}");
    }
}

#[test]
fn a_total_that_its_lines_contradict_is_refused() {
    let row = "invoices = [{ period = \"2026-01-01..2026-02-01\", total = 2, lines = { subscription = 1 } }]";
    let said = said(&GOOD.replace("owed = 5", row));
    assert!(said.contains("total: is Rp2, but its lines add up to Rp1"), "{said}");
}
