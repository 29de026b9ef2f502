//! A bank's file at once is the same as its rows one by one: each is judged by what those before it left.

use crate::support::dice::at_random;
use crate::support::{TENANT, World, at, books, code, customer_id, date, rp, run_days};
use chrono::{DateTime, Utc};
use isp_core::bank::{BankFile, Compared, account_code};
use isp_core::calendar::Cycle;
use isp_core::engine::{Looked, Matched, NewPayment};
use isp_core::ids::{CustomerId, MutationId, PaymentRequestId};
use isp_core::ports::MutationQuery;
use proptest::prelude::*;

/// Four customers who owe January and February, Rp166.500 each; customer 8 pays 2 by hand at the bank before any file comes.
async fn provider(asked: bool, by_hand: bool) -> World {
    let world = World::new().await;
    for n in [2, 4, 6, 8] {
        world.add(n, date("2026-01-01"), 1, Cycle::Monthly, at("2026-01-01", 7)).await;
    }
    run_days(&world, "2026-01-01", "2026-02-02").await;
    let now = at("2026-02-02", 20);
    if asked {
        for n in [2, 4] {
            let id = PaymentRequestId(uuid::Uuid::from_u128(u128::from(n)));
            world.engine().request_payment(id, customer_id(n), None, now).await.unwrap();
        }
    }
    if by_hand {
        let (provider, reference) = (code("bri"), code("BUKTI-1").into());
        let (customer_id, paid_at) = (customer_id(8), now);
        let new = NewPayment { customer_id, provider, reference, amount: rp(166_500), paid_at, collector: None };
        world.engine().pay(&new, now).await.unwrap();
    }
    world
}

const HEAD: &str = "Tanggal Transaksi,Uraian Transaksi,Teller,Debet,Kredit,Saldo\n";

/// Rows of a file, each with the balance after it.
fn lines(rows: &[(u8, String, i64)]) -> Vec<String> {
    let mut balance = 0;
    let line = |(day, told, amount): &(u8, String, i64)| {
        balance += amount;
        format!("{day:02}/02/26,{told},8888,0,{amount}.00,{balance}.00\n")
    };
    rows.iter().map(line).collect()
}

/// Imports a file as the command does; `before` are the mutations of earlier files in the order in which they came.
async fn import(world: &World, text: &str, before: &mut Vec<MutationId>, now: DateTime<Utc>) -> Vec<Looked> {
    let (file, account) = (BankFile::read(text).unwrap(), account_code("BRI-1").unwrap());
    let report = world.engine().import_bank_file(&file, &account, text, "kasir", now).await.unwrap();
    before.extend(&report.compared.order);
    world.engine().match_mutations(before, "kasir", now).await.unwrap()
}

type Became = Vec<(MutationId, &'static str, Option<CustomerId>)>;

/// Whose each mutation is, and why those that wait do.
async fn became(world: &World, now: DateTime<Utc>) -> Became {
    let snapshot = world.store.snapshot(TENANT);
    books::check(&snapshot);
    let mut all = Vec::new();
    for row in world.engine().mutations(&MutationQuery::default()).await.unwrap() {
        let payment = row.mark.as_ref().and_then(|mark| mark.payment_id);
        let payer = snapshot.payments.iter().find(|row| Some(row.payment.id) == payment);
        if let Some(payer) = payer {
            all.push((row.mutation.id, "paid", Some(payer.payment.customer_id)));
        }
    }
    all.extend(said(&world.engine().foresee_mutations(&Compared::default(), now).await.unwrap()));
    all.sort();
    all
}

fn said(looked: &[Looked]) -> Became {
    let of = |one: &Looked| match &one.matched {
        Matched::Booked(id, _) | Matched::Linked(id, _) | Matched::Would(id) => (one.mutation.id, "paid", Some(*id)),
        Matched::Asks(doubt) => (one.mutation.id, doubt.code(), None),
        Matched::Meanwhile(_) => panic!("nobody else books anything"),
        Matched::Failed(error) => panic!("{error}"),
    };
    let mut all: Vec<_> = looked.iter().map(of).collect();
    all.sort();
    all
}

/// By a name, an ID, a number, or nothing, of one of four customers.
fn told() -> impl Strategy<Value = String> {
    let n = prop::sample::select(vec![2, 4, 6, 8]);
    (n, 0_u8..6).prop_map(|(n, how)| match how {
        0 => format!("TRF C{n:04}"),
        1 => format!("TRF 08120000{n:04}"),
        2 => "QRIS".to_owned(),
        _ => format!("TRF PELANGGAN {n}"),
    })
}

/// A few amounts that come again and again: one invoice, both, their requests', and what belongs to none.
fn amount() -> impl Strategy<Value = i64> {
    prop::sample::select(vec![166_500, 166_500, 333_000, 333_001, 333_002, 100_000, 66_500, 233_000, 266_500])
}

fn rows() -> impl Strategy<Value = Vec<(u8, String, i64)>> {
    prop::collection::vec((3_u8..6, told(), amount()), 1..24).prop_map(|mut rows| {
        rows.sort_by_key(|row| row.0);
        rows
    })
}

proptest! {
    #![proptest_config(at_random(96))]

    /// At once, one by one, from the newest to the oldest, and as a dry run foresees it: the same.
    #[test]
    fn a_file_at_once_is_its_rows_one_by_one(rows in rows(), asked: bool, by_hand: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let now = at("2026-02-07", 7);
            let lines = lines(&rows);
            let at_once = provider(asked, by_hand).await;
            let text = HEAD.to_owned() + &lines.concat();
            let (file, account) = (BankFile::read(&text).unwrap(), account_code("BRI-1").unwrap());
            let report = at_once.engine().look_at_bank_file(&file, &account, &text).await.unwrap();
            let foreseen = at_once.engine().foresee_mutations(&report.compared, now).await.unwrap();
            let looked = import(&at_once, &text, &mut Vec::new(), now).await;
            prop_assert_eq!(said(&foreseen), said(&looked), "a dry run");
            let whole = became(&at_once, now).await;
            prop_assert_eq!(&said(&looked), &whole, "what is told is what is so");

            let one_by_one = provider(asked, by_hand).await;
            let mut before = Vec::new();
            for line in &lines {
                import(&one_by_one, &(HEAD.to_owned() + line), &mut before, now).await;
            }
            prop_assert_eq!(&became(&one_by_one, now).await, &whole, "one by one");

            let turned = provider(asked, by_hand).await;
            let text = HEAD.to_owned() + &lines.iter().rev().map(String::as_str).collect::<String>();
            if rows.first().map(|row| row.0) != rows.last().map(|row| row.0) {
                import(&turned, &text, &mut Vec::new(), now).await;
                prop_assert_eq!(&became(&turned, now).await, &whole, "turned round");
            }
            Ok(())
        })?;
    }
}

/// An attacker's file: the second transfer of one name and one amount is not known by the name any more, whatever the batch.
#[tokio::test]
async fn a_second_transfer_of_one_name_and_amount_waits() {
    let now = at("2026-02-07", 7);
    let world = provider(false, false).await;
    let twice = [(3, "TRF PELANGGAN 2".to_owned(), 333_000), (3, "TRF PELANGGAN 2".to_owned(), 333_000)];
    let looked = import(&world, &(HEAD.to_owned() + &lines(&twice).concat()), &mut Vec::new(), now).await;
    let told: Vec<_> = looked.iter().map(|one| said(std::slice::from_ref(one))[0].1).collect();
    assert_eq!(told, ["paid", "other_amount"], "the first of the file is booked, the second waits");
    assert_eq!(books::check(&world.store.snapshot(TENANT)).received, rp(333_000));
}

/// What one payment leaves owed may be just what an earlier row is that waited: it is judged again.
#[tokio::test]
async fn an_earlier_row_that_a_later_one_makes_sure_is_booked() {
    let now = at("2026-02-07", 7);
    let world = provider(false, false).await;
    let rows = [(3, "TRF PELANGGAN 2".to_owned(), 233_000), (4, "TRF C0002".to_owned(), 100_000)];
    let looked = import(&world, &(HEAD.to_owned() + &lines(&rows).concat()), &mut Vec::new(), now).await;
    assert!(looked.iter().all(|one| matches!(one.matched, Matched::Booked(id, _) if id == customer_id(2))));
    assert_eq!(books::check(&world.store.snapshot(TENANT)).owed, rp(3 * 333_000));
}
