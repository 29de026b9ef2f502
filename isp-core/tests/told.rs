//! Money that several tell of: moota, phones and the bank's files. However they tell of it, it counts once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use isp_core::bank::{
    BankFile, BankFormat, BankRow, Incoming, Mutation, Payees, Teller, Telling, ToldRow, Whose, compare, file_id,
    may_be_same, recognise, text_of, told_by,
};
use isp_core::calendar::Date;
use isp_core::ids::TenantId;
use isp_core::text::Code;
use proptest::prelude::*;

const T: TenantId = TenantId::DEFAULT;

fn code(text: &str) -> Code {
    Code::parse("code", text).unwrap()
}

/// The first of January and the days after it.
fn day(n: i32) -> Date {
    Date::parse("2026-01-01").unwrap().plus_days(n)
}

/// What is kept of one account.
#[derive(Default)]
struct Kept {
    mutations: Vec<Mutation>,
    tellings: Vec<Telling>,
}

impl Kept {
    fn write(&mut self, new: Vec<Mutation>, tellings: Vec<Telling>) {
        self.mutations.extend(new);
        self.tellings.extend(tellings);
        let ids: std::collections::BTreeSet<_> = self.mutations.iter().map(|m| m.id).collect();
        assert_eq!(ids.len(), self.mutations.len(), "an id is one mutation");
        let once: std::collections::BTreeSet<_> =
            self.tellings.iter().map(|t| (t.mutation_id, t.source.folded())).collect();
        let named: std::collections::BTreeSet<_> = self.tellings.iter().map(|t| t.id).collect();
        assert_eq!((once.len(), named.len()), (self.tellings.len(), self.tellings.len()), "a source tells once");
        assert!(self.tellings.iter().all(|t| ids.contains(&t.mutation_id)));
    }

    fn tell(&mut self, name: &str, format: BankFormat, rows: &[ToldRow]) -> (usize, usize, usize) {
        let teller = Teller { name: code(name), format };
        let found = recognise(T, &teller, rows, &self.mutations, &self.tellings, &Whose::nobody());
        let all = (found.new.len(), found.known, found.differing);
        self.write(found.new, found.tellings);
        all
    }

    fn import(&mut self, format: BankFormat, rows: Vec<BankRow>) -> usize {
        let (account, text) = (code("1234567890"), format!("{format:?} {rows:?} {}", rows.len()));
        let (Some(first), Some(last)) = (rows.iter().map(|r| r.on).min(), rows.iter().map(|r| r.on).max()) else {
            return 0;
        };
        let file = BankFile { format, account: None, rows, pending: 0 };
        let kept: Vec<_> = self.mutations.iter().filter(|m| first <= m.on && m.on <= last).cloned().collect();
        let found = compare(T, &account, file_id(T, &account, &text), &file, &kept, &self.tellings, &Whose::nobody());
        let new = found.new.len();
        self.write(found.new, found.tellings);
        new
    }

    /// How many are kept of each day and amount.
    fn counts(&self) -> BTreeMap<(Date, i64), usize> {
        let mut counts = BTreeMap::new();
        for mutation in &self.mutations {
            *counts.entry((mutation.on, mutation.amount.as_i64())).or_default() += 1;
        }
        counts
    }
}

fn told(id: usize, on: Date, rupiah: i64) -> ToldRow {
    let (account, text) = (code("1234567890"), format!("dari pembayar {id}"));
    ToldRow { id: format!("m{id}"), account, bank: None, on, hundredths: rupiah * 100, text, balance: None }
}

/// The rows of a bank's file: the first movements, or those of all days but the last.
fn rows(movements: &[(Date, i64)], format: BankFormat) -> Vec<BankRow> {
    let mut balance = 0;
    let row = |(line, (on, rupiah)): (usize, &(Date, i64))| {
        balance += rupiah * 100;
        // Texts and balances are each bank's own.
        let (text, balance) = match format {
            BankFormat::Bca | BankFormat::Bri => (format!("TRSF {rupiah}"), Some(balance)),
            _ => ("KR OTOMATIS".to_owned(), None),
        };
        BankRow { line, on: *on, hundredths: rupiah * 100, text, balance }
    };
    movements.iter().enumerate().map(row).collect()
}

/// Files with balances of their own, with the same ones, and without any.
const FILES: [BankFormat; 3] = [BankFormat::Bca, BankFormat::Bri, BankFormat::Mt940];

/// Somebody tells something.
#[derive(Debug, Clone)]
enum Say {
    /// Moota (0) or a phone tells of a movement.
    One(usize, usize),
    /// Moota tells of several in one webhook.
    Several(Vec<usize>),
    /// A file with the first so many movements.
    File(usize, usize),
}

fn movements() -> impl Strategy<Value = Vec<(Date, i64)>> {
    prop::collection::vec((0..3_i32, prop::sample::select(vec![150_000_i64, 150_000, 200_000, -2_500])), 1..9).prop_map(
        |mut all| {
            all.sort_by_key(|one| one.0);
            all.into_iter().map(|(on, rupiah)| (day(on), rupiah)).collect()
        },
    )
}

fn says(count: usize) -> impl Strategy<Value = Vec<Say>> {
    let say = prop_oneof![
        5 => (0..3_usize, 0..count).prop_map(|(who, which)| Say::One(who, which)),
        1 => prop::collection::vec(0..count, 0..5).prop_map(Say::Several),
        2 => (0..FILES.len(), 1..=count).prop_map(|(which, first)| Say::File(which, first)),
    ];
    prop::collection::vec(say, 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// After each thing that is said, as many mutations are kept of a day and an amount as the source told of that told of most:
    /// never more than there were, and all as soon as one source has told of them all.
    #[test]
    fn each_movement_counts_once_whoever_tells_of_it(
        (movements, says) in movements().prop_flat_map(|m| { let n = m.len(); (Just(m), says(n)) })
    ) {
        let mut kept = Kept::default();
        // Of each source, the movements that it told of.
        let mut heard: Vec<Vec<bool>> = vec![vec![false; movements.len()]; 3 + FILES.len()];
        let mut truth: BTreeMap<(Date, i64), usize> = BTreeMap::new();
        movements.iter().for_each(|one| *truth.entry(*one).or_default() += 1);
        let row = |which: usize| told(which, movements[which].0, movements[which].1);
        for say in &says {
            match say {
                Say::One(who, which) => {
                    let (name, format) =
                        [("moota", BankFormat::Moota), ("hp-1", BankFormat::Phone), ("hp-2", BankFormat::Phone)][*who];
                    kept.tell(name, format, &[row(*which)]);
                    heard[*who][*which] = true;
                }
                Say::Several(all) => {
                    let rows: Vec<_> = all.iter().map(|which| row(*which)).collect();
                    kept.tell("moota", BankFormat::Moota, &rows);
                    all.iter().for_each(|which| heard[0][*which] = true);
                }
                Say::File(file, first) => {
                    kept.import(FILES[*file], rows(&movements[..*first], FILES[*file]));
                    (0..*first).for_each(|which| heard[3 + *file][which] = true);
                }
            }
            let mut most: BTreeMap<(Date, i64), usize> = BTreeMap::new();
            for of_one in &heard {
                let mut counts: BTreeMap<(Date, i64), usize> = BTreeMap::new();
                let its = movements.iter().zip(of_one).filter(|(_, told)| **told).map(|(one, _)| one);
                its.for_each(|one| *counts.entry(*one).or_default() += 1);
                for (what, count) in counts {
                    let known = most.entry(what).or_default();
                    *known = count.max(*known);
                }
            }
            prop_assert_eq!(&kept.counts(), &most);
            prop_assert!(kept.counts().iter().all(|(what, count)| truth.get(what).is_some_and(|there| count <= there)));
        }
        // The file of all days at last.
        kept.import(BankFormat::Bca, rows(&movements, BankFormat::Bca));
        prop_assert_eq!(&kept.counts(), &truth);
        // Whatever is told of them after that is known.
        for which in 0..movements.len() {
            for name in ["moota", "hp-1", "hp-3"] {
                let format = if name == "moota" { BankFormat::Moota } else { BankFormat::Phone };
                prop_assert_eq!(kept.tell(name, format, &[row(which)]), (0, 1, 0));
            }
        }
        // Days that all agree upon leave nothing to ask about.
        let pairs = kept.mutations.iter().flat_map(|one| kept.mutations.iter().map(move |other| (one, other)));
        prop_assert!(pairs.into_iter().all(|(one, other)| !may_be_same(one, other, &kept.tellings)));
    }
}

#[test]
fn a_third_one_is_new_after_two_that_the_file_had() {
    let mut kept = Kept::default();
    let two = [(day(0), 150_000), (day(0), 150_000)];
    assert_eq!(kept.import(BankFormat::Bca, rows(&two, BankFormat::Bca)), 2);
    for (which, new) in [(1, 0), (2, 0), (1, 0), (3, 1), (3, 0)] {
        let (found, known, differing) = kept.tell("moota", BankFormat::Moota, &[told(which, day(0), 150_000)]);
        assert_eq!((found, known, differing), (new, 1 - new, 0), "m{which}");
    }
    // The file grows by the third, which is known; a fourth one is new, and then moota's fourth is that.
    let more = |count| vec![(day(0), 150_000); count];
    assert_eq!(kept.import(BankFormat::Bca, rows(&more(3), BankFormat::Bca)), 0);
    assert_eq!(kept.import(BankFormat::Bca, rows(&more(4), BankFormat::Bca)), 1);
    assert_eq!(kept.tell("moota", BankFormat::Moota, &[told(4, day(0), 150_000)]), (0, 1, 0));
    assert_eq!(kept.mutations.len(), 4);
}

#[test]
fn a_name_that_is_told_with_another_amount_or_account_is_not_believed() {
    let mut kept = Kept::default();
    assert_eq!(kept.tell("hp-1", BankFormat::Phone, &[told(1, day(0), 150_000)]), (1, 0, 0));
    assert_eq!(kept.tell("hp-1", BankFormat::Phone, &[told(1, day(0), 150_001)]), (0, 0, 1));
    let other = ToldRow { account: code("99"), ..told(1, day(0), 150_000) };
    assert_eq!(kept.tell("hp-1", BankFormat::Phone, &[other]), (0, 0, 1));
    // The day may be corrected: it is the same mutation.
    assert_eq!(kept.tell("hp-1", BankFormat::Phone, &[told(1, day(1), 150_000)]), (0, 1, 0));
    // Another phone may use the same number.
    assert_eq!(kept.tell("hp-2", BankFormat::Phone, &[told(1, day(0), 150_000), told(1, day(0), 9)]), (0, 1, 1));
    assert_eq!(kept.mutations.len(), 1);
}

#[test]
fn another_day_of_another_source_is_kept_and_asked_about() {
    let mut kept = Kept::default();
    kept.tell("hp-1", BankFormat::Phone, &[told(1, day(0), 150_000)]);
    assert_eq!(kept.import(BankFormat::Bca, rows(&[(day(3), 150_000)], BankFormat::Bca)), 1);
    let same = |kept: &Kept| may_be_same(&kept.mutations[0], &kept.mutations[1], &kept.tellings);
    assert!(same(&kept));
    assert!(may_be_same(&kept.mutations[1], &kept.mutations[0], &kept.tellings));
    // Once one source has told of both, they are two.
    kept.tell("hp-1", BankFormat::Phone, &[told(2, day(3), 150_000)]);
    assert!(!same(&kept));
    assert_eq!(told_by(&kept.mutations[1], &kept.tellings).into_iter().collect::<Vec<_>>(), ["bca", "hp-1"]);
    // Four days are too many.
    let mut kept = Kept::default();
    kept.tell("hp-1", BankFormat::Phone, &[told(1, day(0), 150_000)]);
    kept.import(BankFormat::Bca, rows(&[(day(4), 150_000)], BankFormat::Bca));
    assert!(!same(&kept));
}

#[test]
fn what_is_told_becomes_the_payment_that_the_banks_file_would() {
    let teller = Teller { name: code("moota"), format: BankFormat::Moota };
    for (bank, provider) in [(Some("bca"), "bca"), (None, "bank")] {
        let row = ToldRow { bank: bank.map(code), ..told(1, day(0), 150_000) };
        let found = recognise(T, &teller, &[row], &[], &[], &Whose::nobody());
        assert_eq!(found.new[0].provider().unwrap(), code(provider));
    }
    // Interest has hundredths; they are left off, as in a file.
    let row = ToldRow { hundredths: 12_345, balance: Some(100_050), ..told(1, day(0), 0) };
    let found = recognise(T, &teller, &[row], &[], &[], &Whose::nobody());
    assert_eq!((found.new[0].amount.as_i64(), found.new[0].balance.unwrap().as_i64()), (123, 1_000));
    let shown = format!("{:?} {:?} {found:?}", told(1, day(0), 1), kept_telling());
    assert!(!shown.contains("pembayar"), "{shown}");
}

fn kept_telling() -> Vec<Telling> {
    let mut kept = Kept::default();
    kept.tell("hp-1", BankFormat::Phone, &[told(1, day(0), 150_000)]);
    kept.tell("moota", BankFormat::Moota, &[told(1, day(0), 150_000)]);
    assert!(kept.tellings.iter().any(|t| t.text.contains("pembayar")));
    kept.tellings
}

/// `P001` to `P009` are customers.
fn of_text(text: &str) -> Payees {
    let of = |n: u128| text.contains(&format!("P00{n}")).then(|| isp_core::ids::CustomerId(uuid::Uuid::from_u128(n)));
    Payees { by_id: (1..=9).filter_map(of).collect(), ..Payees::default() }
}

fn said(id: usize, on: Date, text: &str) -> ToldRow {
    ToldRow { text: text.to_owned(), ..told(id, on, 330_000) }
}

impl Kept {
    /// As [`Kept::tell`], where somebody knows whom a text names.
    fn tell_known(&mut self, name: &str, format: BankFormat, rows: &[ToldRow]) -> usize {
        let teller = Teller { name: code(name), format };
        let found = recognise(T, &teller, rows, &self.mutations, &self.tellings, &Whose::by(&of_text));
        let new = found.new.len();
        self.write(found.new, found.tellings);
        new
    }

    fn import_known(&mut self, format: BankFormat, rows: Vec<BankRow>) -> usize {
        let (account, text) = (code("1234567890"), format!("{format:?} {} {}", rows.len(), rows[0].text));
        let file = BankFile { format, account: None, rows, pending: 0 };
        let id = file_id(T, &account, &text);
        let found = compare(T, &account, id, &file, &self.mutations, &self.tellings, &Whose::by(&of_text));
        let new = found.new.len();
        self.write(found.new, found.tellings);
        new
    }

    /// All texts of each mutation, in order.
    fn texts(&self) -> Vec<String> {
        let mut texts: Vec<String> =
            self.mutations.iter().map(|m| text_of(m, &self.tellings).replace(Incoming::SEPARATOR, "|")).collect();
        texts.sort();
        texts
    }
}

fn file_row(line: usize, on: Date, text: &str, balance: Option<i64>) -> BankRow {
    BankRow { line, on, hundredths: 33_000_000, text: text.to_owned(), balance }
}

/// Packages cost the same, so several pay the same amount on a day: each row is the transfer of whom it names.
#[test]
fn two_payers_of_one_amount_and_day_are_two_whoever_is_told_first() {
    let (phone, moota) = (BankFormat::Phone, BankFormat::Moota);
    // One names P001, another one first P002.
    let mut kept = Kept::default();
    assert_eq!(kept.tell_known("hp-1", phone, &[said(1, day(0), "TRF P001")]), 1);
    assert_eq!(kept.tell_known("moota", moota, &[said(1, day(0), "TRF P002"), said(2, day(0), "TRF P001")]), 1);
    assert_eq!(kept.tell_known("hp-1", phone, &[said(2, day(0), "TRF P002")]), 0);
    assert_eq!(kept.texts(), ["TRF P001|TRF P001", "TRF P002|TRF P002"]);
    // A phone that missed one, and a file with both.
    let mut kept = Kept::default();
    kept.tell_known("hp-1", phone, &[said(1, day(0), "TRF P001")]);
    let rows = vec![file_row(1, day(0), "CR P002", Some(1)), file_row(2, day(0), "CR P001", Some(2))];
    assert_eq!(kept.import_known(BankFormat::Bca, rows), 1);
    assert_eq!(kept.texts(), ["CR P002", "TRF P001|CR P001"]);
    // By names that no customer has: they are kept apart, and asked about until one tells of both.
    let mut kept = Kept::default();
    kept.tell_known("hp-1", phone, &[said(1, day(0), "dari BUDI SANTOSO")]);
    assert_eq!(kept.tell_known("moota", moota, &[said(1, day(0), "TRF SITI AMINAH")]), 1);
    assert!(may_be_same(&kept.mutations[0], &kept.mutations[1], &kept.tellings));
    assert_eq!(kept.tell_known("moota", moota, &[said(2, day(0), "TRF BUDI SANTOSO WS95051")]), 0);
    assert!(!may_be_same(&kept.mutations[0], &kept.mutations[1], &kept.tellings));
    // One account number at two banks.
    let mut kept = Kept::default();
    let of = |bank: &str, id| ToldRow { bank: Some(code(bank)), ..said(id, day(0), "") };
    kept.tell_known("moota", moota, &[of("bca", 1)]);
    assert_eq!(kept.tell_known("hp-1", phone, &[of("bri", 1)]), 1);
    assert_eq!(kept.tell_known("hp-1", phone, &[of("bca", 2)]), 0);
}

/// The bank booked a transfer of Saturday on Monday, which waits. Another one of Monday that names nobody is not taken for it.
#[test]
fn a_transfer_that_may_be_that_of_another_day_is_nobody_elses() {
    let mut kept = Kept::default();
    kept.tell_known("moota", BankFormat::Moota, &[said(1, day(0), "TRF P001")]);
    assert_eq!(kept.import_known(BankFormat::Bca, vec![file_row(1, day(2), "CR P001", Some(1))]), 1);
    assert!(may_be_same(&kept.mutations[0], &kept.mutations[1], &kept.tellings));
    assert_eq!(kept.tell_known("moota", BankFormat::Moota, &[said(2, day(2), "SETORAN")]), 1);
    assert!(may_be_same(&kept.mutations[0], &kept.mutations[1], &kept.tellings), "it waits as before");
    // Told again by moota with Monday's date, they are two.
    assert_eq!(kept.tell_known("moota", BankFormat::Moota, &[said(3, day(2), "TRF P001")]), 0);
    assert!(!may_be_same(&kept.mutations[0], &kept.mutations[1], &kept.tellings));
}

/// Words booked a payment, and then a person said that whoever writes them pays for another customer.
#[test]
fn a_payment_whose_words_are_another_customers_by_now_is_told() {
    use isp_core::bank::{Clue, MutationMark, MutationRow, MutationState, named_instead};
    let customer = |n: u128| isp_core::ids::CustomerId(uuid::Uuid::from_u128(n));
    let mut kept = Kept::default();
    kept.import_known(BankFormat::Bca, vec![file_row(1, day(0), "TRF TOKO MAJU", Some(1))]);
    let mark = |clue| MutationMark {
        state: MutationState::Matched,
        payment_id: None,
        booked: true,
        clue,
        at: day(1).midnight(isp_core::calendar::Zone::Wib),
        by: "Sari".to_owned(),
        reason: String::new(),
    };
    let row = |clue| MutationRow { mutation: kept.mutations[0].clone(), mark: Some(mark(clue)), revision: 1 };
    let of = |learnt: Option<u128>, name: Option<u128>| {
        move |_: &str| Payees {
            by_words: learnt.map(customer).into_iter().collect(),
            by_name: name.map(customer).into_iter().collect(),
            ..Payees::default()
        }
    };
    for (clue, learnt, name, told) in [
        (Some(Clue::Alias), Some(2), None, true),
        (Some(Clue::Name), Some(2), None, true),
        (Some(Clue::Alias), Some(1), None, false),
        (Some(Clue::Alias), None, None, false),
        // It is the customer's own name.
        (Some(Clue::Name), Some(2), Some(1), false),
        (Some(Clue::Code), Some(2), None, false),
        // A person said so.
        (None, Some(2), None, false),
    ] {
        let of = of(learnt, name);
        let found = named_instead(&row(clue), customer(1), &kept.tellings, &Whose::by(&of));
        assert_eq!(found.into_iter().collect::<Vec<_>>(), if told { vec![customer(2)] } else { vec![] }, "{clue:?}");
    }
}
