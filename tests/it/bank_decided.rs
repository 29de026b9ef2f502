//! Money beside a transfer of which is decided what it is: nobody is booked twice for one transfer, and nobody for another's.

use crate::bank_told::*;
use crate::support::*;
use chrono::{DateTime, Utc};
use isp_core::calendar::Cycle;
use isp_core::ids::MutationId;
use isp_core::ports::{ChangeSet, DirectoryStore, Store};
use isp_core::text::Name;

/// Customers 2 and 4, who owe Rp166.500 each, under these names.
async fn two(names: [&str; 2]) -> World {
    let world = World::new().await;
    for (n, name) in [2, 4].into_iter().zip(names) {
        world.add(n, date("2026-01-01"), 1, Cycle::Monthly, at("2026-01-01", 7)).await;
        let mut customer = world.store.customer(TENANT, customer_id(n)).await.unwrap().unwrap();
        customer.name = Name::parse("name", name).unwrap();
        world.store.commit(TENANT, ChangeSet { customers: vec![customer], ..ChangeSet::default() }).await.unwrap();
    }
    run_days(&world, "2026-01-01", "2026-01-10").await;
    world
}

/// Who tells, and the rows: what each writes, its day of January, and the rupiah.
#[derive(Debug, Clone, Copy)]
enum Step {
    Phone(&'static [(&'static str, u8, i64)]),
    Moota(&'static [(&'static str, u8, i64)]),
    File(&'static [(&'static str, u8, i64)]),
    /// A person booked a transfer that a customer showed.
    ByHand(u32, i64),
    /// A person says whose the waiting one with these words is.
    Match(&'static str, u32),
    /// A person takes back what became of the one with these words.
    TakeBack(&'static str),
    /// A person says that the one with these words is no payment.
    Ignore(&'static str),
}

async fn with(world: &World, words: &str) -> MutationId {
    let rows = world.engine().mutations(&Default::default()).await.unwrap();
    rows.iter().find(|row| row.mutation.text.contains(words)).unwrap().mutation.id
}

async fn live(world: &World, story: &[Step], now: DateTime<Utc>) {
    for (nth, step) in story.iter().enumerate() {
        let told = |rows: &[(&str, u8, i64)]| -> Vec<_> {
            let each = rows.iter().enumerate();
            each.map(|(n, (text, day, rupiah))| row(&format!("{nth}.{n}"), &format!("2026-01-{day:02}"), *rupiah, text))
                .collect()
        };
        match step {
            Step::Phone(rows) => drop(tell(world, &phone(), &told(rows), now).await.unwrap()),
            Step::Moota(rows) => drop(tell(world, &moota(), &told(rows), now).await.unwrap()),
            Step::File(rows) => {
                let days: Vec<_> = rows.iter().map(|(_, day, _)| format!("{day:02}/01/26")).collect();
                let rows: Vec<_> =
                    rows.iter().zip(&days).map(|((text, _, rp), day)| (day.as_str(), *text, *rp)).collect();
                import(world, &rows, now).await.unwrap();
            }
            Step::ByHand(n, rupiah) => drop(world.pay(*n, "BUKTI-1", *rupiah, now).await.unwrap()),
            Step::Match(words, n) => {
                world.engine().match_mutation(with(world, words).await, customer_id(*n), "Sari", now).await.unwrap();
            }
            Step::TakeBack(words) => {
                let id = with(world, words).await;
                world.engine().unmatch_mutation(id, "Sari", "salah orang", now).await.unwrap();
            }
            Step::Ignore(words) => {
                let id = with(world, words).await;
                world.engine().ignore_mutations(&[id], "Sari", "sama saja", now).await.unwrap();
            }
        }
    }
}

/// What each of the two paid, as it is booked.
fn paid(world: &World) -> [i64; 2] {
    let snapshot = world.store.snapshot(TENANT);
    books::check(&snapshot);
    let stands = |id| snapshot.payments.iter().filter(move |p| p.reversal.is_none() && p.payment.customer_id == id);
    [2, 4].map(|n| stands(customer_id(n)).map(|p| p.payment.amount.as_i64()).sum())
}

async fn waits(world: &World) -> usize {
    let rows = world.engine().mutations(&Default::default()).await.unwrap();
    rows.iter().filter(|row| row.state().waits()).count()
}

/// A transfer of C0002 that sources tell with two days, and one of somebody who wrote nothing: C0002 is booked once, and a person is
/// asked about the other one.
#[tokio::test]
async fn a_transfer_without_a_name_is_no_proof_of_a_second_one_of_another_day() {
    use Step::{ByHand, File, Match, Moota, Phone};
    let ours: &[_] = &[("dari C0002", 20, 150_000)];
    let both: &[_] = &[("TRSF", 20, 150_000), ("TRF C0002", 21, 150_000)];
    let stories: [&[Step]; 7] = [
        &[Phone(ours), File(both)],
        &[File(both), Phone(ours)],
        &[Moota(both), Phone(ours)],
        &[Phone(ours), File(&[("TRSF", 20, 150_000)]), File(both)],
        &[ByHand(2, 150_000), File(both), Phone(ours)],
        &[Phone(&[("Dana masuk", 20, 150_000)]), Match("Dana", 2), File(both)],
        &[Phone(ours), File(both), Moota(&[("TRF C0002", 22, 150_000)])],
    ];
    for story in stories {
        let world = two(["Siti Aminah", "Joko Susilo"]).await;
        live(&world, story, at("2026-01-22", 12)).await;
        assert_eq!(paid(&world), [150_000, 0], "{story:?}");
        assert!(waits(&world).await > 0, "{story:?}: nobody is asked");
    }
}

/// Who pays for somebody else, as a person said: another source that writes the name in another way brings no second payment.
#[tokio::test]
async fn what_was_matched_to_another_is_not_booked_again_for_who_paid_it() {
    use Step::{File, Match, Moota, Phone};
    for text in ["TRSF BUDI SANTOS", "TRSF B SANTOSO", "SWITCHING CR TRANSFER DR 009 TANGGAL :20/01"] {
        for by_file in [false, true] {
            let world = two(["Budi Santoso", "Joko Susilo"]).await;
            let first: &'static [_] = Box::leak(Box::new([(text, 20, 166_500)]));
            let story = [
                if by_file { File(first) } else { Moota(first) },
                Match(text, 4),
                Phone(&[("dari BUDI SANTOSO", 20, 166_500)]),
            ];
            live(&world, &story, at("2026-01-20", 12)).await;
            assert_eq!(paid(&world), [0, 166_500], "{story:?}");
        }
    }
}

/// Moota cuts names off, and what is left is another customer's whole name.
#[tokio::test]
async fn a_name_that_was_cut_off_takes_no_second_customer() {
    use Step::{File, Moota, Phone};
    let whole: &[_] = &[("dari SITI AMINAH PUTRI", 20, 166_500)];
    for cut in ["TRSF SITI AMINAH", "TRSF SITI AMINAH PUT"] {
        let cut: &'static [_] = Box::leak(Box::new([(cut, 20, 166_500)]));
        for story in [[Moota(cut), Phone(whole), File(whole)], [Phone(whole), Moota(cut), File(whole)]] {
            let world = two(["Siti Aminah", "Siti Aminah Putri"]).await;
            live(&world, &story, at("2026-01-20", 12)).await;
            assert_eq!(paid(&world), [0, 166_500], "{story:?}");
        }
    }
    // Two transfers of two customers that one source tells are two.
    let world = two(["Siti Aminah", "Siti Aminah Putri"]).await;
    let both: &[_] = &[("TRSF SITI AMINAH PUTRI", 20, 166_500), ("TRSF C0002 SITI AMINAH", 20, 166_500)];
    live(&world, &[Moota(both), File(both)], at("2026-01-20", 12)).await;
    assert_eq!(paid(&world), [166_500, 166_500]);
}

/// What a person matched teaches words, and words take nobody's money.
#[tokio::test]
async fn learnt_words_book_what_is_owed_and_nothing_of_another() {
    use Step::{File, Match};
    let learn = |text: &'static str| -> [Step; 2] { [File(Box::leak(Box::new([(text, 12, 50_000)]))), Match(text, 4)] };
    let then = |text: &'static str, rupiah| File(Box::leak(Box::new([(text, 18, rupiah)])));
    for (text, rupiah, booked) in [
        // Budi Santoso paid a part for customer 4 once. Then he pays what he owes himself.
        ("TRSF BUDI SANTOSO", 166_500, [166_500, 50_000]),
        // Another payer, whose words are known: what customer 4 owes, and another sum.
        ("TRSF SUPARMAN JAYA", 116_500, [0, 166_500]),
        ("TRSF SUPARMAN JAYA", 166_500, [0, 50_000]),
        // Words that everybody's transfers have.
        ("MCM INHOUSETRF CS-CS DARI", 116_500, [0, 50_000]),
        ("BI-FAST CR BIF TRANSFER DR 014 FLIPTECH LENTERA IP", 116_500, [0, 50_000]),
    ] {
        let world = two(["Budi Santoso", "Joko Susilo"]).await;
        let [file, matched] = learn(text);
        live(&world, &[file, matched, then(text, rupiah)], at("2026-01-20", 12)).await;
        assert_eq!(paid(&world), booked, "{text}, {rupiah}");
    }
}

/// What a person took back or ignored is not booked by another source that tells it with another day.
#[tokio::test]
async fn what_a_person_took_back_or_ignored_is_not_booked_by_another_day() {
    use Step::{File, Ignore, Moota, Phone, TakeBack};
    let phone: &[_] = &[("dari C0002", 20, 150_000)];
    let file: &[_] = &[("TRF C0002", 21, 150_000)];
    let stories: [(&[Step], [i64; 2], usize); 3] = [
        (&[Phone(phone), TakeBack("C0002"), File(file)], [0, 0], 2),
        (&[Phone(phone), TakeBack("C0002"), Ignore("C0002"), File(file)], [0, 0], 1),
        (
            &[
                Moota(&[("dari C0002", 17, 150_000)]),
                File(&[("TRF C0002", 20, 150_000)]),
                Ignore("TRF C0002"),
                Phone(&[("C0002", 21, 150_000)]),
            ],
            [150_000, 0],
            1,
        ),
    ];
    for (story, booked, waiting) in stories {
        let world = two(["Siti Aminah", "Joko Susilo"]).await;
        live(&world, story, at("2026-01-22", 12)).await;
        assert_eq!((paid(&world), waits(&world).await), (booked, waiting), "{story:?}");
    }
}

/// The same customer, the same amount, two days: whoever tells of both by name proves that they are two.
#[tokio::test]
async fn two_payments_that_one_source_names_are_two() {
    use Step::{File, Moota, Phone};
    let world = two(["Siti Aminah", "Joko Susilo"]).await;
    let both: &[_] = &[("TRF C0002", 20, 150_000), ("TRF C0002", 21, 150_000)];
    let story = [Phone(&[("dari C0002", 20, 150_000)]), File(both), Moota(both)];
    live(&world, &story, at("2026-01-22", 12)).await;
    assert_eq!((paid(&world), waits(&world).await), ([300_000, 0], 0));
}

/// Two equal transfers in one bank's file, of which a person matched the one without a name: the other one names its customer, and is
/// booked without a question. Once a phone has told of one of them, nobody knows which one it meant.
#[tokio::test]
async fn the_second_row_of_one_file_is_no_doubt_because_a_person_matched_the_first() {
    use Step::{File, Match, Phone};
    let first: &[_] = &[("SETORAN TUNAI", 20, 166_500)];
    let both: &[_] = &[("SETORAN TUNAI", 20, 166_500), ("TRF C0002", 20, 166_500)];
    let next: &[_] = &[("SETORAN TUNAI", 20, 166_500), ("TRF C0002", 21, 166_500)];
    let phone: &[_] = &[("dari C0002", 20, 166_500)];
    for (story, booked, waiting) in [
        (&[File(first), Match("SETORAN", 2), File(both)][..], [333_000, 0], 0),
        (&[File(first), Match("SETORAN", 2), File(next)], [333_000, 0], 0),
        (&[File(first), Match("SETORAN", 2), Phone(phone), File(next)], [166_500, 0], 1),
    ] {
        let world = two(["Siti Aminah", "Joko Susilo"]).await;
        live(&world, story, at("2026-01-22", 12)).await;
        assert_eq!((paid(&world), waits(&world).await), (booked, waiting), "{story:?}");
    }
}

/// A phone shows who paid, and the bank's file for whom: the payment is booked for who paid, and a person is told that it may be the
/// other one's. Nobody is told of what a person said, and of what names its own customer.
#[tokio::test]
async fn a_payment_that_another_source_names_somebody_else_for_is_told() {
    use Step::{File, Match, Moota, Phone};
    let phone: &[_] = &[("dari SITI AMINAH", 20, 166_500)];
    let file: &[_] = &[("TRF SITI AMINAH C0004", 20, 166_500)];
    let days = (date("2026-01-01"), date("2026-01-31"));
    let now = at("2026-01-21", 12);
    for other in [File(file), Moota(file)] {
        let world = two(["Siti Aminah", "Joko Susilo"]).await;
        live(&world, &[Phone(phone), other], now).await;
        assert_eq!(paid(&world), [166_500, 0]);
        let engine = world.engine();
        let found = engine.named_instead(days).await.unwrap();
        let told: Vec<_> =
            found.iter().map(|one| (one.booked, one.named.iter().copied().collect::<Vec<_>>())).collect();
        assert_eq!(told, [(customer_id(2), vec![customer_id(4)])]);
        let mutation = found[0].mutation;
        // It is as it was booked, a person says; of another customer that cannot be said before it is taken back.
        let refused = engine.match_mutation(mutation, customer_id(4), "Sari", now).await.unwrap_err();
        assert_eq!(refused.code(), "mutation.settled");
        for _ in 0..2 {
            let said = engine.match_mutation(mutation, customer_id(2), "Sari", now).await.unwrap();
            assert!(matches!(said, isp_core::engine::Matched::Linked(customer, _) if customer == customer_id(2)));
            assert_eq!(engine.named_instead(days).await.unwrap(), []);
        }
        let mark = engine.mutation(mutation).await.unwrap().mark.unwrap();
        assert_eq!((mark.clue, mark.by.as_str(), mark.booked), (None, "Sari", true));
        assert_eq!(paid(&world), [166_500, 0]);
        // Or it is the other one's, and the first one owes again.
        engine.unmatch_mutation(mutation, "Sari", "untuk C0004", now).await.unwrap();
        engine.match_mutation(mutation, customer_id(4), "Sari", now).await.unwrap();
        assert_eq!(paid(&world), [0, 166_500]);
        assert_eq!(engine.named_instead(days).await.unwrap(), []);
    }
    let own: &[_] = &[("TRF SITI AMINAH C0002", 20, 166_500)];
    let nobody: &[_] = &[("TRSF E-BANKING", 20, 166_500)];
    for story in
        [&[Phone(phone), File(own)][..], &[Phone(phone), File(nobody)], &[Moota(nobody), Match("TRSF", 2), Phone(file)]]
    {
        let world = two(["Siti Aminah", "Joko Susilo"]).await;
        live(&world, story, now).await;
        assert_eq!(world.engine().named_instead(days).await.unwrap(), [], "{story:?}");
    }
}
