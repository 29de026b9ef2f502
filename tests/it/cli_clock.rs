//! A run whose moment does not follow the last one writes nothing until a person says that the clock is right (rule I9).

use crate::cli::Isp;
use isp_core::calendar::Zone;

/// A provider with this many lines of Rp 100.000, in service from 1 May 2026 on.
fn provider(lines: u32) -> Isp {
    let isp = Isp::new();
    isp.init();
    isp.ok(&["site", "add", "A", "--name", "A"]);
    isp.ok(&["--on", "2026-05-01", "package", "add", "P", "--name", "P", "--price", "100000", "--speed", "10M"]);
    let mut customers = String::from("id_pelanggan,nama,alamat\n");
    let mut subscriptions = String::from("id_pelanggan,paket,site,username,password,mulai\n");
    for n in 0..lines {
        customers.push_str(&format!("C{n},Nama,Jalan\n"));
        subscriptions.push_str(&format!("C{n},P,A,u{n},pw-{n},2026-05-01\n"));
    }
    isp.write(&[("customers.csv", &customers), ("subscriptions.csv", &subscriptions)]);
    isp.ok(&["--on", "2026-05-01", "import", "sheets"]);
    isp
}

fn count(isp: &Isp, arguments: &[&str]) -> usize {
    isp.json(arguments).as_array().unwrap().len()
}

#[test]
fn a_run_in_the_past_closes_nobody() {
    let isp = provider(30);
    isp.ok(&["--on", "2026-05-01", "run"]);
    assert_eq!(count(&isp, &["subscription", "list", "--access", "open"]), 30);
    for command in ["run", "bill", "remind", "enforce", "deliver"] {
        isp.fails(7, &["--on", "2020-01-01", command], "clock.behind");
    }
    let english = isp.fails(7, &["--lang", "en", "--on", "2020-01-01", "run"], "clock.behind");
    assert!(english.contains("2026-05-01 12:00 WIB"), "{english}");
    assert_eq!(count(&isp, &["subscription", "list", "--access", "open"]), 30);
    // A clock that was set back by a few minutes is not doubted, and the same moment may be run again.
    isp.ok(&["--on", "2026-05-01", "--at", "11:30", "run"]);
    isp.ok(&["--on", "2026-05-01", "run"]);
    // Reports and explanations of the past stay free.
    isp.ok(&["--on", "2026-05-01", "--at", "09:00", "report", "customers"]);
    isp.ok(&["--on", "2026-05-01", "--at", "12:30", "explain", "C1"]);

    // Somebody confirms, and the breaker asks once more before all lines are closed.
    let (_, err) = isp.exit(7, &["--lang", "en", "--on", "2020-01-01", "enforce", "--confirm-clock"]);
    assert!(err.contains("30 closed"), "{err}");
    assert_eq!(count(&isp, &["subscription", "list", "--access", "open"]), 30);
}

#[test]
fn a_run_ten_years_ahead_bills_nobody() {
    let isp = provider(3);
    isp.ok(&["--on", "2026-05-01", "bill"]);
    isp.fails(7, &["--on", "2036-05-02", "bill"], "clock.ahead");
    assert_eq!(count(&isp, &["invoice", "list"]), 3);
    // The clock alone, weeks after the last run; then the day that a person reads from a calendar.
    let today = Zone::Wib.date_of(chrono::Utc::now());
    isp.fails(7, &["bill"], "clock.ahead");
    isp.fails(7, &["--at", "12:00", "bill"], "clock.ahead");
    isp.fails(7, &["--on", &today.plus_days(47).to_string(), "run"], "clock.ahead");
    assert_eq!(count(&isp, &["invoice", "list"]), 3);
    isp.ok(&["--on", "2026-06-15", "bill"]);
    assert_eq!(count(&isp, &["invoice", "list"]), 6);
    // The limit is a setting, and a person's word counts; the next run asks no more.
    isp.ok(&["--on", "2026-09-01", "bill"]);
    assert_eq!(count(&isp, &["invoice", "list"]), 15);
    let soon = today.plus_days(60).to_string();
    isp.fails(7, &["--on", &soon, "remind"], "clock.ahead");
    let mut patient = isp;
    patient.set("ISP_POLICY__CLOCK__MAX_DAYS_BETWEEN_RUNS", "100");
    patient.ok(&["--on", &soon, "remind"]);
}

#[test]
fn a_clock_that_was_ahead_is_set_right_by_one_word() {
    let isp = provider(1);
    isp.ok(&["--on", "2026-05-01", "bill"]);
    isp.ok(&["--on", "2036-09-01", "remind", "--confirm-clock"]);
    isp.fails(7, &["--on", "2026-05-02", "remind"], "clock.behind");
    isp.ok(&["--on", "2026-05-02", "remind", "--confirm-clock"]);
    isp.ok(&["--on", "2026-05-03", "remind"]);
}

#[test]
fn a_run_before_the_hour_of_isolation_says_who_waits_for_it() {
    let isp = provider(3);
    isp.ok(&["--on", "2026-05-01", "run"]);
    // Due on the 11th; five days later is Saturday the 16th. Monday the 18th is the first day that is allowed.
    for (day, hour, waiting) in
        [("2026-05-15", "02:00", false), ("2026-05-16", "12:00", true), ("2026-05-18", "02:00", true)]
    {
        let told = isp.ok(&["--lang", "en", "--on", day, "--at", hour, "run"]);
        assert_eq!(told.contains("Isolation: 3 due lines wait for 10:00"), waiting, "{day} {hour}: {told}");
    }
    let told = isp.ok(&["--lang", "en", "--on", "2026-05-18", "--at", "10:00", "run"]);
    assert!(told.contains("3 isolated") && !told.contains("wait for"), "{told}");
}

#[test]
fn a_time_behind_the_day_is_refused_and_not_ignored() {
    let isp = provider(1);
    isp.fails(2, &["--on", "2026-05-02 02:00", "run"], "cli.usage");
    isp.ok(&["--on", "2026-05-02", "--at", "02:00", "run"]);
}
