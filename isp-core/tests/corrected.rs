//! A bank's file that comes again with a row written anew: each movement of money stays one, and files of parts of a day stay theirs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use isp_core::bank::{BankFile, BankFormat, BankRow, Mutation, Payees, Telling, Whose, compare, file_id, text_of};
use isp_core::calendar::Date;
use isp_core::ids::{CustomerId, MutationId, TenantId};
use isp_core::text::Code;
use proptest::prelude::*;

const T: TenantId = TenantId::DEFAULT;
const A: i64 = 16_650_000;
const FEE: i64 = -250_000;

/// Rows of the 15th in hundredths, each with the balance after it, from this balance on.
fn rows(opening: i64, amounts: &[i64]) -> Vec<BankRow> {
    let (mut balance, on) = (opening, Date::parse("2026-01-15").unwrap());
    let row = |(line, hundredths): (usize, &i64)| {
        balance += hundredths;
        BankRow { line, on, hundredths: *hundredths, text: String::from("KR OTOMATIS"), balance: Some(balance) }
    };
    amounts.iter().enumerate().map(row).collect()
}

/// The same with a text of each.
fn said(opening: i64, amounts: &[(i64, &str)]) -> Vec<BankRow> {
    let mut said = rows(opening, &amounts.iter().map(|(amount, _)| *amount).collect::<Vec<_>>());
    for (row, (_, text)) in said.iter_mut().zip(amounts) {
        row.text = (*text).to_owned();
    }
    said
}

/// The customers whom a text names: `PLG-1` and so on.
fn named(text: &str) -> Payees {
    let of = |n: u128| text.contains(&format!("PLG-{n}")).then(|| CustomerId(uuid::Uuid::from_u128(n)));
    Payees { by_id: (1..=4).filter_map(of).collect(), ..Payees::default() }
}

/// As a bank writes it that tells no balances.
fn plain(texts: &[&str]) -> Vec<BankRow> {
    let on = Date::parse("2026-01-15").unwrap();
    let row =
        |(line, text): (usize, &&str)| BankRow { line, on, hundredths: A, text: (*text).to_owned(), balance: None };
    texts.iter().enumerate().map(row).collect()
}

/// What is kept of one account.
#[derive(Default)]
struct Kept {
    mutations: Vec<Mutation>,
    tellings: Vec<Telling>,
    settled: BTreeMap<MutationId, Option<CustomerId>>,
    files: usize,
}

impl Kept {
    /// The new mutations of a file.
    fn import(&mut self, rows: Vec<BankRow>) -> Vec<Mutation> {
        self.import_as(BankFormat::Bri, rows)
    }

    fn import_as(&mut self, format: BankFormat, rows: Vec<BankRow>) -> Vec<Mutation> {
        self.files += 1;
        let account = Code::parse("account", "bri-1").unwrap();
        let (id, file) =
            (file_id(T, &account, &self.files.to_string()), BankFile { format, account: None, rows, pending: 0 });
        let whose = Whose::by(&named).settled(self.settled.clone());
        let compared = compare(T, &account, id, &file, &self.mutations, &self.tellings, &whose);
        self.mutations.extend(compared.new.clone());
        self.tellings.extend(compared.tellings);
        compared.new
    }

    /// Which of the new mutations of this amount of a file may be older ones, and which ones.
    fn doubts(&mut self, rows: Vec<BankRow>) -> Vec<Option<MutationId>> {
        self.import(rows).iter().filter(|m| m.amount.as_i64() == A / 100).map(|m| m.may_correct).collect()
    }

    fn pays(&mut self, mutation: MutationId) {
        self.settled.insert(mutation, Some(CustomerId(uuid::Uuid::from_u128(1))));
    }
}

/// A morning with one transfer, and what came before and after it.
fn morning() -> (Kept, MutationId) {
    let mut kept = Kept::default();
    let new = kept.import(rows(1_000, &[5_000, A, 7_000]));
    assert!(new.iter().all(|m| m.may_correct.is_none()));
    (kept, new[1].id)
}

#[test]
fn a_transfer_with_another_balance_may_be_the_one_that_is_missing() {
    let (mut kept, first) = morning();
    assert_eq!(kept.doubts(rows(1_000, &[5_000, FEE, A, 7_000])), [Some(first)]);
    // The corrected file again, and the first one again: nothing new.
    assert!(kept.import(rows(1_000, &[5_000, FEE, A, 7_000])).is_empty());
    assert!(kept.import(rows(1_000, &[5_000, A, 7_000])).is_empty());
    // One more transfer is new, whichever of the two files goes on.
    let mut other = Kept { mutations: kept.mutations.clone(), ..Kept::default() };
    assert_eq!(kept.doubts(rows(1_000, &[5_000, FEE, A, 7_000, A])), [None]);
    assert_eq!(other.doubts(rows(1_000, &[5_000, A, 7_000, A])), [None]);
}

#[test]
fn a_third_balance_may_be_the_first_one_which_is_a_payment() {
    let (mut kept, first) = morning();
    kept.pays(first);
    let again = kept.doubts(rows(1_000, &[5_000, FEE, A, 7_000]));
    assert_eq!(again, [Some(first)]);
    assert_eq!(kept.doubts(rows(1_000, &[FEE, 5_000, FEE, A, 7_000])), [Some(first)]);
    // And what comes after it then is new.
    assert_eq!(kept.doubts(rows(1_000, &[FEE, 5_000, FEE, A, 7_000, A])), [None]);
}

#[test]
fn each_of_two_that_may_be_one_waits() {
    let (mut kept, first) = morning();
    assert_eq!(kept.doubts(rows(1_000, &[FEE, A, 5_000, A])), [Some(first), Some(first)]);
    // The next file has one of them as it was, and the other one with another balance.
    let doubts = kept.doubts(rows(1_000, &[FEE, A, 5_000, 9, A]));
    assert!(matches!(doubts[..], [Some(_)]), "it may be the second of the two");
    // Two that were kept are each one of two.
    let mut kept = Kept::default();
    let ids: Vec<_> = kept.import(rows(0, &[A, A])).iter().map(|m| Some(m.id)).collect();
    let mut doubts = kept.doubts(rows(0, &[FEE, A, A]));
    doubts.sort();
    assert!(doubts.iter().all(|d| ids.contains(d)) && doubts[0] != doubts[1]);
}

#[test]
fn a_payment_that_a_person_booked_besides_is_other_money() {
    let (mut kept, first) = morning();
    let again = kept.import(rows(1_000, &[5_000, FEE, A, 7_000]))[1].clone();
    assert_eq!(again.may_correct, Some(first));
    kept.pays(first);
    kept.pays(again.id);
    // Two were paid, and the file has one of them: one more may be the other.
    assert_eq!(kept.doubts(rows(1_000, &[5_000, FEE, A, 7_000, A])), [Some(first)]);
}

#[test]
fn files_of_parts_of_a_day_follow_each_other() {
    let day = rows(1_000, &[5_000, A, 7_000, -3_000, A, 2, A, 9_000, A]);
    for (one, two) in [(0..4, 4..9), (0..5, 3..9), (4..9, 0..4), (5..9, 0..7), (1..2, 4..5)] {
        let mut kept = Kept::default();
        for part in [day[one.clone()].to_vec(), day[two.clone()].to_vec()].into_iter().chain([day.clone()]) {
            let told = kept.import(part).iter().filter(|m| m.may_correct.is_some()).count();
            // The balances of two rows with something between them tell nothing.
            let gap = one.end < two.start && kept.files == 2;
            assert_eq!(told, usize::from(gap), "{one:?} {two:?}, file {}", kept.files);
        }
        assert_eq!(kept.mutations.len(), 9);
    }
}

#[test]
fn hundredths_neither_break_a_chain_nor_make_one() {
    // Interest and its tax, with hundredths, between two files of a day.
    let day = rows(100_050, &[A, 57, -11, A, 33, A]);
    for cut in 1..6 {
        let mut kept = Kept::default();
        for part in [&day[..cut], &day[cut..]] {
            let doubted = kept.import(part.to_vec()).iter().filter(|m| m.may_correct.is_some()).count();
            assert_eq!(doubted, 0, "cut at {cut}");
        }
    }
    // A tax of some hundredths that stands before the transfer now.
    let mut kept = Kept::default();
    let first = kept.import(rows(100_050, &[A, 7_000]))[0].id;
    assert_eq!(kept.doubts(rows(100_050, &[-31, A, 7_000])), [Some(first)]);
}

#[test]
fn an_account_that_is_emptied_is_no_proof() {
    // After the first file the balance is again what it was before: the chain leads to the opening of the second one.
    let mut kept = Kept::default();
    let first = kept.import(rows(0, &[A, -A]))[0].id;
    assert_eq!(kept.doubts(rows(0, &[FEE, A, -A - FEE])), [Some(first)]);
    // Money out of the same amount stands before the transfer now: the file ends where the first one began.
    let mut kept = Kept::default();
    let first = kept.import(rows(1_000, &[A]))[0].id;
    assert_eq!(kept.doubts(rows(1_000, &[-A, A])), [Some(first)]);
}

#[test]
fn a_longer_text_may_be_the_same_row_where_no_balance_is_told() {
    let mut kept = Kept::default();
    let first = kept.import_as(BankFormat::Mandiri, plain(&["TRF DARI BUDI SANTOSO"]))[0].id;
    let again = kept.import_as(BankFormat::Mandiri, plain(&["TRF DARI BUDI SANTOSO WIFI JANUARI"]));
    assert_eq!(again[0].may_correct, Some(first));
    // Somebody else's transfer is somebody else's.
    let other = kept.import_as(BankFormat::Mandiri, plain(&["TRF DARI SITI AMINAH", "TRF DARI BUDI SANTOSO"]));
    assert_eq!(other.iter().map(|m| m.may_correct).collect::<Vec<_>>(), [None]);
    // With both in one file there are two.
    let mut kept = Kept::default();
    kept.import_as(BankFormat::Mandiri, plain(&["TRF DARI BUDI"]));
    let both = kept.import_as(BankFormat::Mandiri, plain(&["TRF DARI BUDI", "TRF DARI BUDI SANTOSO"]));
    assert_eq!(both.iter().map(|m| m.may_correct).collect::<Vec<_>>(), [None]);
}

#[test]
fn what_was_ignored_as_written_anew_takes_no_transfer_of_another_source() {
    let (mut kept, first) = morning();
    let again = kept.import(rows(1_000, &[5_000, FEE, A, 7_000]));
    let again = again.iter().find(|m| m.may_correct == Some(first)).unwrap().id;
    let mt940 = rows(0, &[A, A]);
    let mut open = Kept { mutations: kept.mutations.clone(), ..Kept::default() };
    assert_eq!(open.import_as(BankFormat::Mt940, mt940.clone()).len(), 0, "nobody has said that it is no money");
    kept.settled.insert(again, None);
    assert_eq!(kept.import_as(BankFormat::Mt940, mt940).len(), 1);
}

#[test]
fn another_format_corrects_nothing_and_money_out_is_told_too() {
    let (mut kept, _) = morning();
    let mut turned = rows(1_000, &[5_000, FEE, A, 7_000]);
    turned.retain(|row| row.hundredths == FEE);
    let new = kept.import_as(BankFormat::Mt940, turned);
    assert_eq!((new.len(), new[0].may_correct), (1, None));
    let mut kept = Kept::default();
    let first = kept.import(rows(0, &[A, FEE]))[1].id;
    let new = kept.import(rows(0, &[9, A, FEE]));
    assert_eq!(new.iter().find(|m| m.amount.as_i64() == FEE / 100).unwrap().may_correct, Some(first));
}

/// A day with equal amounts, and money out.
fn amounts() -> impl Strategy<Value = Vec<i64>> {
    prop::collection::vec(prop::sample::select(vec![A, A, 2 * A, 10_000_000, FEE, -5_000_000, 41]), 2..14)
}

proptest! {
    /// Parts of a day, one after the other, are all new; no balance comes twice, which would prove nothing.
    #[test]
    fn a_day_cut_anywhere_is_all_new(amounts in amounts(), cuts in prop::collection::vec(1_usize..14, 0..4), newest: bool) {
        let amounts: Vec<i64> = amounts.into_iter().filter(|amount| amount.abs() >= 100).collect();
        let day = rows(123_456_700, &amounts);
        let whole: std::collections::BTreeSet<i64> = day.iter().filter_map(|r| r.balance).map(|b| b / 100).collect();
        prop_assume!(whole.len() == day.len() && !whole.contains(&1_234_567));
        let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut < day.len()).chain([0, day.len()]).collect();
        cuts.sort_unstable();
        cuts.dedup();
        let mut parts: Vec<Vec<BankRow>> = cuts.windows(2).map(|two| day[two[0]..two[1]].to_vec()).collect();
        if newest {
            parts.reverse();
        }
        let mut kept = Kept::default();
        for part in parts {
            prop_assert!(kept.import(part).iter().all(|m| m.may_correct.is_none()));
        }
        prop_assert_eq!(kept.mutations.len(), day.len());
        prop_assert!(kept.import(day).is_empty());
    }

    /// A fee that stands anywhere in it afterwards: what counts by itself is what happened, and not a row more.
    #[test]
    fn a_day_that_comes_again_with_a_fee_counts_once(amounts in amounts(), at in 0_usize..14, cut in 1_usize..14) {
        let at = at % amounts.len();
        let fee = -333_300;
        let mut corrected = amounts.clone();
        corrected.insert(at, fee);
        let mut kept = Kept::default();
        let day = rows(500_000_000, &amounts);
        for part in [&day[..cut.min(day.len())], &day[cut.min(day.len())..]].into_iter().filter(|part| !part.is_empty()) {
            kept.import(part.to_vec());
        }
        for _ in 0..2 {
            kept.import(rows(500_000_000, &corrected));
            let mut counted: Vec<i64> =
                kept.mutations.iter().filter(|m| m.may_correct.is_none() && !m.amount.is_zero()).map(|m| m.amount.as_i64()).collect();
            let mut happened: Vec<i64> = corrected.iter().map(|a| a / 100).filter(|a| *a != 0).collect();
            counted.sort_unstable();
            happened.sort_unstable();
            let more = |amount: &&i64| counted.iter().filter(|a| a == amount).count() > happened.iter().filter(|a| a == amount).count();
            prop_assert_eq!(counted.iter().find(more), None);
            prop_assert!(happened.iter().all(|a| counted.contains(a)));
        }
    }
}

/// A cash withdrawal of the amount that a customer has just paid brings the balance back, and then the next one pays.
#[test]
fn a_balance_that_comes_back_hides_no_transfer_of_another_customer() {
    let mut kept = Kept::default();
    let first = kept.import(said(0, &[(A, "TRF PLG-1")]))[0].id;
    let afternoon = || said(A, &[(-A, "TARIK TUNAI"), (A, "TRF PLG-2")]);
    let new = kept.import(afternoon());
    assert_eq!(new.iter().map(|m| m.text.as_str()).collect::<Vec<_>>(), ["TARIK TUNAI", "TRF PLG-2"]);
    assert_eq!(new[1].may_correct, Some(first), "the balances do not tell, so a person is asked");
    assert!(kept.import(afternoon()).is_empty());
    assert!(kept.import(said(0, &[(A, "TRF PLG-1")])).is_empty());
    // The whole day holds both.
    let day = || said(0, &[(A, "TRF PLG-1"), (-A, "TARIK TUNAI"), (A, "TRF PLG-2")]);
    assert!(kept.import(day()).is_empty());
    // And the other way round.
    let mut kept = Kept::default();
    assert_eq!(kept.import(day()).len(), 3);
    assert!(kept.import(said(0, &[(A, "TRF PLG-1")])).is_empty());
    assert!(kept.import(afternoon()).is_empty());
}

/// The bank writes a transfer before one that is booked, which then stands with another balance.
#[test]
fn a_transfer_that_is_put_before_another_one_is_its_own_customers() {
    let mut kept = Kept::default();
    let first = kept.import(said(0, &[(A, "TRF PLG-1")]))[0].id;
    kept.settled.insert(first, Some(CustomerId(uuid::Uuid::from_u128(1))));
    let new = kept.import(said(0, &[(A, "TRF PLG-2"), (A, "TRF PLG-1")]));
    let told: Vec<_> = new.iter().map(|m| (m.text.as_str(), m.may_correct)).collect();
    assert_eq!(told, [("TRF PLG-2", None), ("TRF PLG-1", Some(first))]);
    assert!(kept.import(said(0, &[(A, "TRF PLG-2"), (A, "TRF PLG-1")])).is_empty());
}

/// The bank corrects whose a transfer is: a person decides which of the two was right.
#[test]
fn a_row_that_names_somebody_else_now_is_asked_about() {
    let mut kept = Kept::default();
    let first = kept.import(said(0, &[(A, "TRF PLG-2"), (5_000, "BUNGA")]))[0].id;
    let new = kept.import(said(0, &[(A, "TRF PLG-3"), (5_000, "BUNGA")]));
    let told: Vec<_> = new.iter().map(|m| (m.text.as_str(), m.may_correct)).collect();
    assert_eq!(told, [("TRF PLG-3", Some(first))]);
    assert_ne!(new[0].id, first);
    assert!(kept.import(said(0, &[(A, "TRF PLG-3"), (5_000, "BUNGA")])).is_empty());
    assert!(kept.import(said(0, &[(A, "TRF PLG-2"), (5_000, "BUNGA")])).is_empty());
}

/// A row comes again with another amount: it is not booked beside the one that it takes the place of.
#[test]
fn an_amount_that_the_bank_corrected_is_asked_about() {
    let less = A - 500_000;
    for text in ["TRF PLG-1", "SETORAN"] {
        let mut kept = Kept::default();
        let first = kept.import(said(0, &[(5_000, "BUNGA"), (A, text), (FEE, "BIAYA")]))[1].id;
        let corrected = || said(0, &[(5_000, "BUNGA"), (less, text), (FEE, "BIAYA")]);
        let new = kept.import(corrected());
        let of = new.iter().find(|m| m.amount.as_i64() == less / 100).unwrap();
        assert_eq!(of.may_correct, Some(first), "{text}");
        assert!(kept.import(corrected()).is_empty());
        // With a fee before it, only the customer whom it names tells.
        let mut kept = Kept::default();
        let first = kept.import(said(0, &[(A, text)]))[0].id;
        let new = kept.import(said(0, &[(FEE, "BIAYA"), (less, text)]));
        assert_eq!(new[1].may_correct, (text != "SETORAN").then_some(first), "{text}");
        // The evening's file goes on from the morning's, and the file of the day holds both.
        let mut kept = Kept::default();
        kept.import(said(0, &[(A, text)]));
        let evening = kept.import(said(A, &[(less, text)]));
        assert_eq!(evening.iter().map(|m| m.may_correct).collect::<Vec<_>>(), [None], "{text}");
        assert!(kept.import(said(0, &[(A, text), (less, text)])).is_empty());
    }
    // Somebody else's money in that place is somebody else's.
    let mut kept = Kept::default();
    kept.import(said(0, &[(A, "TRF PLG-1")]));
    assert_eq!(kept.import(said(0, &[(less, "TRF PLG-2")]))[0].may_correct, None);
    // Each missing one is one row's at most.
    let mut kept = Kept::default();
    let first = kept.import(said(0, &[(A, "TRF PLG-1")]))[0].id;
    let new = kept.import(said(0, &[(less, "TRF PLG-1"), (500_000, "TRF PLG-1")]));
    assert_eq!(new.iter().map(|m| m.may_correct).collect::<Vec<_>>(), [Some(first), None]);
}

/// Files of the morning and the evening without balances: an equal row may be a second transfer, and is not lost.
#[test]
fn an_equal_row_of_another_part_of_a_day_without_balances_is_asked_about() {
    let bank = BankFormat::Mandiri;
    let file = |rows: &[(i64, &str)]| -> Vec<BankRow> {
        said(0, rows).into_iter().map(|row| BankRow { balance: None, ..row }).collect()
    };
    let same = (A, "TRF PLG-1");
    let (early, late, last) = ((7_000, "TRF X"), (9_000, "TRF Y"), (11_000, "TRF Z"));
    let mut kept = Kept::default();
    let first = kept.import_as(bank, file(&[same, early]))[0].id;
    let told = |new: Vec<Mutation>| new.iter().map(|m| (m.amount.as_i64(), m.may_correct)).collect::<Vec<_>>();
    assert_eq!(told(kept.import_as(bank, file(&[same, late]))), [(90, None), (A / 100, Some(first))]);
    // The same files again, the evening's when it has grown, and the file of the whole day: nothing of it is new.
    assert!(kept.import_as(bank, file(&[same, early])).is_empty());
    assert!(kept.import_as(bank, file(&[same, late])).is_empty());
    assert_eq!(told(kept.import_as(bank, file(&[same, late, last]))), [(110, None)]);
    assert!(kept.import_as(bank, file(&[same, early, same, late, last])).is_empty());
    // A third one at night.
    assert_eq!(told(kept.import_as(bank, file(&[same, (13_000, "TRF N")]))).len(), 2);
    // A file that grows, and one of which a row was corrected, hold the same one.
    let mut kept = Kept::default();
    kept.import_as(bank, file(&[same, early]));
    assert_eq!(told(kept.import_as(bank, file(&[same, early, late]))), [(90, None)]);
    let corrected = told(kept.import_as(bank, file(&[same, (7_000, "TRF X WIFI"), late])));
    assert!(matches!(corrected[..], [(70, Some(_))]), "{corrected:?}");
    assert_eq!(told(kept.import_as(bank, file(&[same, (7_000, "TRF X WIFI"), late, last]))), [(110, None)]);
}

/// A row that named nobody comes again with an ID in its text, which is heard.
#[test]
fn a_row_that_names_a_customer_at_last_tells_whose_it_is() {
    let mut kept = Kept::default();
    let first = kept.import(said(0, &[(A, "TRF X")])).remove(0);
    assert!(kept.import(said(0, &[(A, "TRF X PLG-3")])).is_empty(), "it is the same one");
    assert!(text_of(&first, &kept.tellings).contains("PLG-3"));
    let tellings = kept.tellings.len();
    assert!(kept.import(said(0, &[(A, "TRF X PLG-3")])).is_empty());
    assert_eq!(kept.tellings.len(), tellings, "once");
}
