//! Money is handed over and paid out on a day on which it was there, and what nobody changed is not booked anew.

use crate::cli::{Isp, SHEETS};

/// The provider of the spreadsheets, with Rp165.000 that ANTON took on the 5th and Rp165.000 that midtrans took on the 12th.
fn provider() -> Isp {
    let isp = Isp::new();
    isp.init();
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp.ok(&["--on", "2026-01-01", "bill"]);
    let paid = ["payment", "add", "P001", "165000"];
    let cash = ["--reference", "KW-1", "--collector", "ANTON"];
    isp.ok(&[&["--on", "2026-01-05"], paid.as_slice(), &cash].concat());
    let online = ["--provider", "midtrans", "--reference", "VA-1"];
    isp.ok(&[&["--on", "2026-01-12"], paid.as_slice(), &online].concat());
    isp
}

/// How many rows of a list there are.
fn count(isp: &Isp, words: &[&str]) -> usize {
    isp.json(words).as_array().unwrap().len()
}

#[test]
fn money_that_came_later_is_neither_handed_over_nor_paid_out() {
    let isp = provider();
    let early = ["collector", "deposit", "ANTON", "165000", "--date", "2026-01-04"];
    let said =
        isp.fails(3, &[&["--lang", "en", "--on", "2026-01-20"], early.as_slice()].concat(), "collector.holds_less");
    assert!(said.contains("2026-01-04") && said.contains("Rp0"), "{said}");
    isp.ok(&["--on", "2026-01-20", "collector", "deposit", "ANTON", "100000", "--date", "2026-01-10"]);
    // Of the 7th only what the deposit of the 10th left can be handed over.
    let between = ["collector", "deposit", "ANTON", "65001", "--date", "2026-01-07"];
    let said = isp.fails(3, &[&["--lang", "en"], between.as_slice()].concat(), "collector.holds_less");
    assert!(said.contains("2026-01-07") && said.contains("Rp65.000"), "{said}");
    let id = isp.json(&["collector", "deposits"])[0]["id"].as_str().unwrap().to_owned();
    let edit = ["collector", "edit-deposit", &id, "--reason", "salah tanggal", "--date"];
    isp.fails(3, &[edit.as_slice(), &["2026-01-04"]].concat(), "collector.holds_less");
    isp.ok(&[edit.as_slice(), &["2026-01-05"]].concat());

    let payout = ["gateway", "payout", "midtrans", "160000", "--fee", "5000", "--date"];
    let said = isp.fails(3, &[&["--lang", "en"], payout.as_slice(), &["2026-01-11"]].concat(), "gateway.holds_less");
    assert!(said.contains("2026-01-11") && said.contains("Rp0"), "{said}");
    isp.ok(&[payout.as_slice(), &["2026-01-13"]].concat());
    let id = isp.json(&["gateway", "payouts"])[0]["id"].as_str().unwrap().to_owned();
    let edit = ["gateway", "edit-payout", &id, "--reason", "salah tanggal", "--date"];
    isp.fails(3, &[edit.as_slice(), &["2026-01-11"]].concat(), "gateway.holds_less");
    isp.ok(&[edit.as_slice(), &["2026-01-12"]].concat());
    assert_eq!((count(&isp, &["collector", "deposits"]), count(&isp, &["gateway", "payouts"])), (2, 2));
}

#[test]
fn what_nobody_changed_is_not_booked_anew() {
    let isp = provider();
    isp.ok(&["--on", "2026-01-13", "collector", "deposit", "ANTON", "165000"]);
    isp.ok(&["--on", "2026-01-13", "gateway", "payout", "midtrans", "165000"]);
    let paper = ["expense", "add", "other", "50000", "--note", "kertas", "--paid-from", "bank"];
    isp.ok(&[&["--on", "2026-01-13"], paper.as_slice()].concat());
    let lists: [&[&str]; 3] = [&["collector", "deposits"], &["gateway", "payouts"], &["expense", "list"]];
    let edits = [["collector", "edit-deposit"], ["gateway", "edit-payout"], ["expense", "edit"]];
    // Said again as it is, it is the same.
    let same: [&[&str]; 3] = [&["--amount", "165000"], &["--net", "165000"], &["--note", "kertas"]];
    for ((list, edit), same) in lists.into_iter().zip(edits).zip(same) {
        let rows = isp.json(list);
        let all = rows.as_array().unwrap();
        let own = all.iter().find(|row| row["note"] == "kertas").unwrap_or(&all[0]);
        let id = own["id"].as_str().unwrap_or_else(|| panic!("{rows}"));
        let edit = [&["--lang", "en"], edit.as_slice(), &[id, "--reason", "salah"]].concat();
        let before = isp.json(list);
        for words in [edit.clone(), [edit.as_slice(), same].concat()] {
            let said = isp.fails(2, &words, "cli.usage");
            assert!(said.contains("nothing to change"), "{said}");
        }
        assert_eq!(isp.json(list), before);
    }
}

#[test]
fn a_refund_without_cash_is_told_its_own_option() {
    let isp = provider();
    isp.ok(&["--on", "2026-01-14", "payment", "add", "P001", "50000", "--provider", "bca", "--reference", "FT1"]);
    let (_, said) = isp.exit(3, &["--lang", "en", "--on", "2026-01-14", "refund", "add", "P001"]);
    assert!(said.contains("a refund --from bank"), "{said}");
    isp.ok(&["--on", "2026-01-14", "refund", "add", "P001", "--from", "bank"]);
}

#[test]
fn a_deposit_and_a_payout_of_a_far_day_are_asked_about() {
    let isp = provider();
    for add in [["collector", "deposit", "ANTON"], ["gateway", "payout", "midtrans"]] {
        let words = [&["--on", "2026-01-14"], &add[..], &["1000", "--date", "2099-01-01"]].concat();
        isp.fails(3, &words, "value.implausible");
    }
}
