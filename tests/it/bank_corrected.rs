//! A bank's file that comes again with a row written anew: nothing is booked twice, and what really came twice is.

use crate::support::dice::at_random;
use crate::support::*;
use chrono::{DateTime, Utc};
use isp_core::bank::{BankFile, BankFormat, Mutation, MutationState, Teller, ToldRow, account_code};
use isp_core::calendar::Cycle;
use isp_core::engine::{Looked, Matched};
use isp_core::ports::MutationQuery;
use proptest::prelude::*;

/// Customers 2 and 4, who owe January.
async fn two() -> World {
    let world = World::new().await;
    for n in [2, 4] {
        world.add(n, date("2026-01-01"), 1, Cycle::Monthly, at("2026-01-01", 7)).await;
    }
    run_days(&world, "2026-01-01", "2026-01-05").await;
    world
}

/// A file as BCA's: from an opening balance, each row with the balance after it, in hundredths.
fn bca(opening: i64, rows: &[(&str, i64)]) -> String {
    let mut text = "No. rekening : '1234567890\nPeriode : 06/01/2026 - 06/01/2026\n\
        Tanggal Transaksi,Keterangan,Cabang,Jumlah,,Saldo\n"
        .to_owned();
    let money = |hundredths: i64| format!("\"{}.{:02}\"", hundredths / 100, hundredths % 100);
    let mut balance = opening;
    for (told, amount) in rows {
        balance += amount;
        let sign = if *amount < 0 { "DB" } else { "CR" };
        text += &format!("'06/01,{told},'0000,{},{sign},{}\n", money(amount.abs()), money(balance));
    }
    text
}

/// A file as Bank Mandiri's, which tells no balance.
fn mandiri(rows: &[(&str, i64)]) -> String {
    let mut text =
        "Account No,Date,Val. Date,Transaction Code,Description,Description,Reference No.,Debit,Credit\n".to_owned();
    for (told, rupiah) in rows {
        text += &format!("1310001234567,06/01/26,06/01/26,1011,MCM InhouseTrf,{told},,.00,{rupiah}.00\n");
    }
    text
}

/// What imports, matches and foresees a file, as the command does.
async fn import(world: &World, text: &str, now: DateTime<Utc>) -> Vec<Looked> {
    let file = BankFile::read(text).unwrap();
    let account = file.account.clone().unwrap();
    let seen = world.engine().look_at_bank_file(&file, &account, text).await.unwrap();
    let foreseen = world.engine().foresee_mutations(&seen.compared, now).await.unwrap();
    let report = world.engine().import_bank_file(&file, &account, text, "kasir", now).await.unwrap();
    let looked = world.engine().match_mutations(&report.compared.order, "kasir", now).await.unwrap();
    assert_eq!(said(&foreseen), said(&looked), "a dry run");
    looked
}

fn said(looked: &[Looked]) -> Vec<(i64, &'static str, Option<String>)> {
    let of = |one: &Looked| match &one.matched {
        Matched::Booked(..) | Matched::Linked(..) | Matched::Would(_) => "paid",
        Matched::Asks(doubt) => doubt.code(),
        Matched::Meanwhile(_) => panic!("nobody else books anything"),
        Matched::Failed(error) => panic!("{error}"),
    };
    looked.iter().map(|one| (one.mutation.amount.as_i64(), of(one), one.other.map(|id| id.0.to_string()))).collect()
}

fn words(looked: &[Looked]) -> Vec<&'static str> {
    said(looked).into_iter().map(|one| one.1).collect()
}

fn received(world: &World) -> i64 {
    books::check(&world.store.snapshot(TENANT)).received.as_i64()
}

/// The mutation of this text.
async fn of(world: &World, text: &str) -> Vec<Mutation> {
    let rows = world.engine().mutations(&MutationQuery::default()).await.unwrap();
    rows.into_iter().map(|row| row.mutation).filter(|m| m.text.contains(text)).collect()
}

const OWED: i64 = 166_500;
const PAID: i64 = OWED * 100;

#[tokio::test]
async fn a_fee_before_a_transfer_books_the_transfer_once() {
    let (world, now) = (two().await, at("2026-01-06", 20));
    let first = bca(100_000_055, &[("SETORAN TUNAI", 10_000), ("TRSF C0002", PAID), ("TRSF C0004", PAID)]);
    assert_eq!(words(&import(&world, &first, now).await), ["nobody", "paid", "paid"]);
    let fee = ("BIAYA TXN", -250_033);
    let second = bca(100_000_055, &[("SETORAN TUNAI", 10_000), fee, ("TRSF C0002", PAID), ("TRSF C0004", PAID)]);
    let again = import(&world, &second, now).await;
    assert_eq!(words(&again), ["nobody", "written_anew", "written_anew"]);
    assert_eq!(received(&world), 2 * OWED);
    for text in ["TRSF C0002", "TRSF C0004"] {
        let rows = of(&world, text).await;
        let anew = rows.iter().find(|m| m.may_correct.is_some()).unwrap();
        let kept = rows.iter().find(|m| m.may_correct.is_none()).unwrap();
        assert_eq!((rows.len(), anew.may_correct), (2, Some(kept.id)), "{text}");
        assert_eq!(again.iter().find(|one| one.mutation.id == anew.id).unwrap().other, Some(kept.id));
    }
    // Each of the two files again, with more in it: that is new, and nothing else.
    let more = bca(
        100_000_055,
        &[("SETORAN TUNAI", 10_000), fee, ("TRSF C0002", PAID), ("TRSF C0004", PAID), ("TRSF C0002", PAID)],
    );
    let looked = import(&world, &more, now).await;
    assert_eq!(words(&looked).iter().filter(|word| **word == "paid").count(), 1, "{:?}", words(&looked));
    assert_eq!(received(&world), 3 * OWED);
    import(&world, &first, now).await;
    import(&world, &second, now).await;
    import(&world, &more, now).await;
    assert_eq!(received(&world), 3 * OWED);
    // A person ignores what the bank wrote anew.
    for row in world.engine().mutations(&MutationQuery { waiting: true, ..MutationQuery::default() }).await.unwrap() {
        if row.mutation.may_correct.is_some() {
            world.engine().ignore_mutations(&[row.mutation.id], "kasir", "ditulis ulang", now).await.unwrap();
        }
    }
    assert_eq!(words(&world.engine().match_mutations(&[], "kasir", now).await.unwrap()), ["nobody"]);
    assert_eq!(received(&world), 3 * OWED);
}

#[tokio::test]
async fn a_payer_who_paid_twice_is_booked_twice_by_a_person() {
    let (world, now) = (two().await, at("2026-01-06", 20));
    import(&world, &bca(5_000, &[("TRSF C0002", PAID)]), now).await;
    // The file of the evening begins after a row that no file had: nobody can tell by balances.
    let evening = bca(99_999_900, &[("TRSF C0002", PAID)]);
    assert_eq!(words(&import(&world, &evening, now).await), ["written_anew"]);
    let second = of(&world, "TRSF C0002").await.into_iter().find(|m| m.may_correct.is_some()).unwrap();
    world.engine().match_mutation(second.id, customer_id(2), "kasir", now).await.unwrap();
    assert_eq!(received(&world), 2 * OWED);
    // The whole day, in which both stand: nothing is new but what stood between.
    let between = 99_999_900 - 5_000 - PAID;
    let day = bca(5_000, &[("TRSF C0002", PAID), ("SETORAN", between), ("TRSF C0002", PAID)]);
    assert_eq!(words(&import(&world, &day, now).await), ["nobody"]);
    assert_eq!(received(&world), 2 * OWED);
}

#[tokio::test]
async fn a_longer_text_and_the_shorter_one_are_booked_once_whichever_a_person_takes() {
    let (short, long) = ("DARI BUDI", "DARI BUDI SANTOSO WIFI");
    for takes_the_longer in [true, false] {
        let (world, now) = (two().await, at("2026-01-06", 20));
        assert_eq!(words(&import(&world, &mandiri(&[(short, OWED)]), now).await), ["nobody"]);
        let looked = import(&world, &mandiri(&[(long, OWED)]), now).await;
        let mut told = words(&looked);
        told.sort_unstable();
        assert_eq!(told, ["nobody", "written_anew"]);
        let rows = of(&world, short).await;
        let (kept, anew): (Vec<_>, Vec<_>) = rows.into_iter().partition(|m| m.may_correct.is_none());
        let (kept, anew) = (kept[0].id, anew[0].id);
        let (taken, left) = if takes_the_longer { (anew, kept) } else { (kept, anew) };
        world.engine().match_mutation(taken, customer_id(2), "kasir", now).await.unwrap();
        // The words are learnt, and yet the other one is not booked by itself.
        let looked = world.engine().match_mutations(&[], "kasir", now).await.unwrap();
        assert_eq!(said(&looked), [(OWED, "written_anew", Some(taken.0.to_string()))]);
        assert_eq!((looked[0].mutation.id, received(&world)), (left, OWED));
        world.engine().ignore_mutations(&[left], "kasir", "ditulis ulang", now).await.unwrap();
        assert_eq!(words(&world.engine().match_mutations(&[], "kasir", now).await.unwrap()), Vec::<&str>::new());
        // Taken back, both are a person's.
        world.engine().unmatch_mutation(taken, "kasir", "salah", now).await.unwrap();
        world.engine().unmatch_mutation(left, "kasir", "salah", now).await.unwrap();
        let looked = world.engine().match_mutations(&[], "kasir", now).await.unwrap();
        assert_eq!((words(&looked), received(&world)), (vec!["written_anew"; 2], 0));
    }
}

#[tokio::test]
async fn what_a_person_ignored_does_not_come_back_as_money() {
    let (world, now) = (two().await, at("2026-01-06", 20));
    import(&world, &bca(5_000, &[("PINDAH DANA", PAID)]), now).await;
    let first = of(&world, "PINDAH").await.remove(0).id;
    world.engine().ignore_mutations(&[first], "kasir", "dana sendiri", now).await.unwrap();
    let looked = import(&world, &bca(5_000, &[("BIAYA", -5_000), ("PINDAH DANA", PAID)]), now).await;
    assert_eq!(said(&looked), [(OWED, "written_anew", Some(first.0.to_string()))]);
}

/// The bank corrects an amount: the new row waits beside the payment, and takes its place when a person says so.
#[tokio::test]
async fn a_corrected_amount_is_booked_in_place_of_the_first_one_and_not_beside_it() {
    let (world, now) = (two().await, at("2026-01-06", 20));
    import(&world, &bca(5_000, &[("TRSF C0002", PAID)]), now).await;
    let first = of(&world, "C0002").await.remove(0).id;
    let less = PAID - 500_000;
    let looked = import(&world, &bca(5_000, &[("TRSF C0002", less)]), now).await;
    assert_eq!(said(&looked), [(less / 100, "written_anew", Some(first.0.to_string()))]);
    assert_eq!(received(&world), OWED);
    world.engine().unmatch_mutation(first, "kasir", "jumlah diperbaiki", now).await.unwrap();
    world.engine().match_mutation(looked[0].mutation.id, customer_id(2), "kasir", now).await.unwrap();
    assert_eq!(received(&world), less / 100);
    // Where nobody knew whose it was, both wait: also the old one, whose words are learnt from the new one.
    let world = two().await;
    import(&world, &bca(5_000, &[("TRSF SUPARMAN JAYA", PAID)]), now).await;
    let looked = import(&world, &bca(5_000, &[("TRSF SUPARMAN JAYA", less)]), now).await;
    assert_eq!(words(&looked), ["written_anew"; 2]);
    let anew = looked.iter().find(|one| one.mutation.may_correct.is_some()).unwrap().mutation.id;
    world.engine().match_mutation(anew, customer_id(2), "kasir", now).await.unwrap();
    assert_eq!(words(&world.engine().match_mutations(&[], "kasir", now).await.unwrap()), ["written_anew"]);
    assert_eq!(received(&world), less / 100);
}

/// A phone told of the first transfer; the two files of the day tell of two.
#[tokio::test]
async fn equal_transfers_of_two_files_of_a_day_are_two_though_a_phone_told_of_one() {
    let (world, now) = (two().await, at("2026-01-06", 20));
    let row = ToldRow {
        id: "n1".to_owned(),
        account: account_code("1234567890").unwrap(),
        bank: None,
        on: date("2026-01-06"),
        hundredths: PAID,
        text: "Dana masuk C0002".to_owned(),
        balance: None,
    };
    let phone = Teller { name: code("hp-1"), format: BankFormat::Phone };
    world.engine().keep_told(&phone, &[row], now).await.unwrap();
    assert_eq!(words(&world.engine().match_mutations(&[], "hp-1", now).await.unwrap()), ["paid"]);
    assert_eq!(words(&import(&world, &bca(5_000, &[("TRSF C0002", PAID)]), now).await), Vec::<&str>::new());
    assert_eq!(words(&import(&world, &bca(5_000 + PAID, &[("TRSF C0002", PAID)]), now).await), ["paid"]);
    assert_eq!(received(&world), 2 * OWED);
    // The day comes again with a fee at its beginning.
    let day = bca(5_000, &[("BIAYA", -700), ("TRSF C0002", PAID), ("TRSF C0002", PAID)]);
    assert_eq!(words(&import(&world, &day, now).await), ["written_anew"; 2]);
    assert_eq!(received(&world), 2 * OWED);
}

/// Whose row, and how much.
fn rows() -> impl Strategy<Value = Vec<(&'static str, i64)>> {
    let who = prop::sample::select(vec!["TRSF C0002", "TRSF C0004"]);
    let amount = prop::sample::select(vec![PAID, PAID, 2 * PAID, 10_000_000]);
    prop::collection::vec((who, amount), 1..12)
}

proptest! {
    #![proptest_config(at_random(48))]

    /// However the files of a day are cut, all is booked; and the day written anew with a fee books nothing more.
    #[test]
    fn a_day_in_parts_books_all_and_written_anew_nothing(rows in rows(), cut in 0_usize..12, at_row in 0_usize..12) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (world, now) = (two().await, at("2026-01-06", 20));
            let (cut, at_row) = (cut % rows.len(), at_row % rows.len());
            let before: i64 = rows[..cut].iter().map(|row| row.1).sum();
            let all: i64 = rows.iter().map(|row| row.1).sum();
            for (opening, part) in [(5_000, &rows[..cut]), (5_000 + before, &rows[cut..])] {
                if !part.is_empty() {
                    import(&world, &bca(opening, part), now).await;
                }
            }
            prop_assert_eq!(received(&world), all / 100, "in parts");
            let mut anew = rows.clone();
            anew.insert(at_row, ("BIAYA TXN", -333_300));
            let looked = import(&world, &bca(50_000_000, &anew), now).await;
            prop_assert_eq!(received(&world), all / 100, "written anew");
            prop_assert!(looked.iter().all(|one| words(std::slice::from_ref(one)) == ["written_anew"]));
            import(&world, &bca(50_000_000, &anew), now).await;
            let waits = world.engine().mutations(&MutationQuery { waiting: true, ..MutationQuery::default() }).await.unwrap();
            prop_assert_eq!(waits.len(), rows.len());
            prop_assert!(waits.iter().all(|row| row.state() == MutationState::Unmatched));
            Ok(())
        })?;
    }
}
