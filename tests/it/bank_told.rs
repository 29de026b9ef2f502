//! Money that moota, phones and the bank's files tell of: booked by who tells first, and once.

use crate::support::*;
use chrono::{DateTime, Utc};
use isp_core::Money;
use isp_core::bank::{BankFile, BankFormat, Recognised, Teller, ToldRow, account_code};
use isp_core::calendar::Date;
use isp_core::engine::{EngineError, Looked, Matched};
use isp_core::ids::{CustomerId, PaymentRequestId};
use isp_core::isolation::Access;
use isp_core::ports::{MoneyStore, PageQuery, TellingQuery};
use isp_core::testing::Moment;

const ACCOUNT: &str = "BRI-1";

pub(crate) fn phone() -> Teller {
    Teller { name: code("hp-toko"), format: BankFormat::Phone }
}

pub(crate) fn moota() -> Teller {
    Teller { name: code("moota"), format: BankFormat::Moota }
}

pub(crate) fn row(id: &str, on: &str, rupiah: i64, text: &str) -> ToldRow {
    let (account, on) = (account_code(ACCOUNT).unwrap(), date(on));
    ToldRow {
        id: id.to_owned(),
        account,
        bank: None,
        on,
        hundredths: rupiah * 100,
        text: text.to_owned(),
        balance: None,
    }
}

/// Customer 2, isolated for Rp166.500, and asked for Rp166.501.
async fn asked() -> World {
    let world = one().await;
    run_days(&world, "2026-01-01", "2026-01-20").await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Isolated));
    let id = PaymentRequestId(uuid::Uuid::from_u128(1));
    let (request, _) = world.engine().request_payment(id, customer_id(2), None, at("2026-01-20", 20)).await.unwrap();
    assert_eq!(request.amount, rp(166_501));
    world
}

pub(crate) async fn tell(
    world: &World,
    who: &Teller,
    rows: &[ToldRow],
    now: DateTime<Utc>,
) -> Result<Vec<Looked>, EngineError> {
    let found: Recognised = world.engine().keep_told(who, rows, now).await?;
    let order: Vec<_> = found.tellings.iter().map(|t| t.mutation_id).collect();
    world.engine().match_mutations(&order, who.name.as_str(), now).await
}

fn bri(rows: &[(&str, &str, i64)]) -> String {
    let mut text = "Tanggal Transaksi,Uraian Transaksi,Teller,Debet,Kredit,Saldo\n".to_owned();
    let mut balance = 0;
    for (day, told, amount) in rows {
        balance += amount;
        text += &format!("{day},{told},8888,0,{amount}.00,{balance}.00\n");
    }
    text
}

pub(crate) async fn import(
    world: &World,
    rows: &[(&str, &str, i64)],
    now: DateTime<Utc>,
) -> Result<Vec<Looked>, EngineError> {
    let text = bri(rows);
    let (file, account) = (BankFile::read(&text).unwrap(), account_code(ACCOUNT).unwrap());
    let report = world.engine().import_bank_file(&file, &account, &text, "kasir", now).await?;
    world.engine().match_mutations(&report.compared.order, "kasir", now).await
}

pub(crate) fn booked(looked: &[Looked]) -> Vec<CustomerId> {
    let of = |one: &Looked| match &one.matched {
        Matched::Booked(id, _) => Some(*id),
        _ => None,
    };
    looked.iter().filter_map(of).collect()
}

pub(crate) fn doubts(looked: &[Looked]) -> Vec<&'static str> {
    let of = |one: &Looked| match one.matched {
        Matched::Asks(doubt) => Some(doubt.code()),
        _ => None,
    };
    looked.iter().filter_map(of).collect()
}

pub(crate) fn received(world: &World) -> Money {
    books::check(&world.store.snapshot(TENANT)).received
}

#[tokio::test]
async fn a_phone_opens_the_line_and_what_others_tell_later_counts_nothing() {
    let (night, morning) = (at("2026-01-20", 21), at("2026-01-21", 8));
    let world = asked().await;
    let told = [row("n1", "2026-01-20", 166_501, "Pembayaran QRIS Rp166.501")];
    let looked = tell(&world, &phone(), &told, night).await.unwrap();
    assert_eq!(booked(&looked), [customer_id(2)]);
    world.deliver(night).await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Open));
    for _ in 0..2 {
        assert_eq!(booked(&tell(&world, &phone(), &told, night).await.unwrap()), []);
        let same = [row("4711", "2026-01-20", 166_501, "KR OTOMATIS"), row("4712", "2026-01-20", -2_500, "BIAYA")];
        assert_eq!(booked(&tell(&world, &moota(), &same, night).await.unwrap()), []);
        assert_eq!(booked(&import(&world, &[("20/01/26", "KR OTOMATIS", 166_501)], morning).await.unwrap()), []);
    }
    assert_eq!(received(&world), rp(166_501));
    let rows = world.engine().mutations(&Default::default()).await.unwrap();
    assert_eq!(rows.len(), 2, "what came in, and what went out");
    let tellings = world.store.tellings(TENANT, &TellingQuery::default()).await.unwrap();
    let mut sources: Vec<_> = tellings.iter().map(|t| t.source.to_string()).collect();
    sources.sort();
    assert_eq!(sources, ["bri", "hp-toko", "moota", "moota"]);
    // A second payment of the same amount is a second one, though nobody is asked for it any more.
    let looked = tell(&world, &phone(), &[row("n2", "2026-01-20", 166_501, "")], night).await.unwrap();
    assert_eq!((booked(&looked), doubts(&looked)), (vec![], vec!["request_paid"]));
}

/// A phone knows the payer's name at most; the file that comes later says whose it is.
#[tokio::test]
async fn what_one_could_not_tell_another_one_does() {
    let world = asked().await;
    let now = at("2026-01-21", 8);
    let looked = tell(&world, &phone(), &[row("n1", "2026-01-20", 150_000, "Dana masuk")], now).await.unwrap();
    assert_eq!(doubts(&looked), ["nobody"]);
    let rows = [("20/01/26", "TRF C0002", 150_000)];
    let (text, account) = (bri(&rows), account_code(ACCOUNT).unwrap());
    let seen = world.engine().look_at_bank_file(&BankFile::read(&text).unwrap(), &account, &text).await.unwrap();
    let foreseen = world.engine().foresee_mutations(&seen.compared, now).await.unwrap();
    assert!(matches!(foreseen[..], [Looked { matched: Matched::Would(id), .. }] if id == customer_id(2)), "a dry run");
    let looked = import(&world, &rows, now).await.unwrap();
    assert_eq!((booked(&looked), received(&world)), (vec![customer_id(2)], rp(150_000)));
}

/// Friday evening by the phone, Monday by the bank: one payment, and a person is asked whether there was a second one.
#[tokio::test]
async fn another_day_of_another_source_is_asked_about_and_never_booked_twice() {
    let (friday, monday) = ("2026-01-23", "2026-01-26");
    let text = "TRF C0002";
    for phone_first in [true, false] {
        let world = asked().await;
        let now = at(monday, 9);
        if phone_first {
            let looked = tell(&world, &phone(), &[row("n1", friday, 150_000, text)], at(friday, 22)).await.unwrap();
            assert_eq!(booked(&looked), [customer_id(2)]);
            let looked = import(&world, &[("26/01/26", text, 150_000)], now).await.unwrap();
            assert_eq!((booked(&looked), doubts(&looked)), (vec![], vec!["looks_booked"]));
        } else {
            // Both come before anybody looks.
            world.engine().keep_told(&phone(), &[row("n1", friday, 150_000, text)], now).await.unwrap();
            let looked = import(&world, &[("26/01/26", text, 150_000)], now).await.unwrap();
            assert_eq!((booked(&looked), doubts(&looked)), (vec![customer_id(2)], vec!["looks_booked"]));
        }
        assert_eq!(received(&world), rp(150_000));
        // The phone tells of Monday's, too: they are two.
        let looked = tell(&world, &phone(), &[row("n2", monday, 150_000, text)], now).await.unwrap();
        assert_eq!((booked(&looked), received(&world)), (vec![customer_id(2)], rp(300_000)), "{phone_first}");
    }
}

/// The process dies before and after every call to the store, again and again, and moota comes again: it is there once.
#[tokio::test]
async fn a_process_that_dies_anywhere_keeps_and_books_what_was_told_once() {
    let now = at("2026-01-21", 8);
    let rows = [row("1", "2026-01-21", 166_501, "QRIS"), row("2", "2026-01-21", 9, "LAIN")];
    for moment in [Moment::Before, Moment::After] {
        let mut finished = false;
        for call in 1..200 {
            let world = asked().await;
            import(&world, &[("21/01/26", "LAIN", 9)], now).await.unwrap();
            world.store.fuse().blow_at(call, moment);
            let answer = tell(&world, &moota(), &rows, now).await;
            let died = world.store.fuse().is_blown();
            assert_eq!(answer.is_err(), died, "call {call}");
            world.store.restart();
            tell(&world, &moota(), &rows, now).await.unwrap();
            assert_eq!(received(&world), rp(166_501), "call {call}");
            let kept = world.engine().mutations(&Default::default()).await.unwrap();
            assert_eq!(kept.len(), 2, "call {call}");
            let payments = world.store.payments(TENANT, None, PageQuery::first(9)).await.unwrap();
            assert_eq!(payments.len(), 1, "call {call}");
            finished = !died;
            if finished {
                break;
            }
        }
        assert!(finished, "it never came to its end");
    }
}

/// A file and a webhook at one moment: whoever writes second looks again.
#[tokio::test]
async fn a_file_and_a_webhook_at_one_moment_keep_one_mutation() {
    let world = asked().await;
    let now = at("2026-01-21", 8);
    let told = [row("1", "2026-01-21", 150_000, "TRF")];
    let file = [("21/01/26", "TRF", 150_000)];
    let (who, hp) = (moota(), phone());
    let (a, b, c) =
        tokio::join!(import(&world, &file, now), tell(&world, &who, &told, now), tell(&world, &hp, &told, now));
    assert!(a.is_ok() && b.is_ok() && c.is_ok(), "{a:?} {b:?} {c:?}");
    assert_eq!(world.engine().mutations(&Default::default()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_told_with_another_amount_before_is_counted_and_not_kept() {
    let world = asked().await;
    let now = at("2026-01-21", 8);
    tell(&world, &phone(), &[row("n1", "2026-01-21", 150_000, "")], now).await.unwrap();
    // Also when its day is far from the first one.
    for on in ["2026-01-21", "2026-03-01"] {
        let on: Date = date(on);
        let again = ToldRow { on, ..row("n1", "2026-01-21", 15_000, "") };
        let found = world.engine().keep_told(&phone(), &[again], now).await.unwrap();
        assert_eq!((found.differing, found.new.len(), found.tellings.len()), (1, 0, 0));
    }
}

/// Who tells in a story of two transfers of one amount and day.
#[derive(Clone, Copy)]
enum Who {
    Phone,
    Moota,
    File,
}

/// One transfer is C0002's, the other one of a payer whom nobody knows, or who wrote nothing. However they are told, C0002 is booked
/// once, and something waits for a person.
#[tokio::test]
async fn beside_a_transfer_of_somebody_unknown_a_customer_is_booked_once() {
    use Who::{File, Moota, Phone};
    let ours = "TRF C0002";
    let stories: [&[(Who, &[&str])]; 9] = [
        &[(Phone, &[ours]), (File, &["TRF KARTIKA WIBOWO", ours])],
        &[(Phone, &[ours]), (Moota, &["TRF KARTIKA WIBOWO", ours])],
        &[(Phone, &[ours]), (File, &["SETORAN TUNAI", ours])],
        &[(Phone, &[ours]), (Moota, &["SETORAN TUNAI"]), (Moota, &[ours])],
        &[(Moota, &["TRF JOKO SUSILO"]), (Phone, &[ours]), (Moota, &[ours])],
        &[(File, &[ours]), (Phone, &[""]), (Phone, &[ours])],
        &[(Phone, &["Dana masuk"]), (Moota, &[ours]), (Phone, &[ours])],
        &[(File, &[ours]), (Moota, &["", ours])],
        &[(File, &[ours]), (Moota, &[ours, ""])],
    ];
    for (nth, story) in stories.iter().enumerate() {
        let world = asked().await;
        let mut names = 0;
        for (who, texts) in *story {
            let now = at("2026-01-21", 8);
            let mut rows = Vec::new();
            for text in *texts {
                names += 1;
                rows.push(row(&format!("n{names}"), "2026-01-21", 150_000, text));
            }
            match who {
                Phone => drop(tell(&world, &phone(), &rows, now).await.unwrap()),
                Moota => drop(tell(&world, &moota(), &rows, now).await.unwrap()),
                File => {
                    let rows: Vec<_> = texts.iter().map(|text| ("21/01/26", *text, 150_000)).collect();
                    import(&world, &rows, now).await.unwrap();
                }
            }
        }
        assert_eq!(received(&world), rp(150_000), "story {nth}: once");
        let kept = world.engine().mutations(&Default::default()).await.unwrap();
        let waits = kept.iter().filter(|row| row.state().waits()).count();
        assert!(kept.len() < 2 || waits > 0, "story {nth}: {} kept, {waits} wait", kept.len());
    }
}

/// What a person matched or ignored takes no transfer that names somebody else.
#[tokio::test]
async fn what_a_person_decided_takes_no_transfer_of_another() {
    for ignored in [false, true] {
        let world = one().await;
        world.add(4, date("2026-01-01"), 1, isp_core::calendar::Cycle::Monthly, at("2026-01-01", 7)).await;
        run_days(&world, "2026-01-01", "2026-01-10").await;
        let now = at("2026-01-11", 8);
        tell(&world, &phone(), &[row("n1", "2026-01-11", 150_000, "Dana masuk")], now).await.unwrap();
        let id = world.engine().mutations(&Default::default()).await.unwrap()[0].mutation.id;
        match ignored {
            true => drop(world.engine().ignore_mutations(&[id], "Sari", "uang sendiri", now).await.unwrap()),
            false => drop(world.engine().match_mutation(id, customer_id(2), "Sari", now).await.unwrap()),
        }
        let looked = tell(&world, &moota(), &[row("m1", "2026-01-11", 150_000, "TRF C0004")], now).await.unwrap();
        // Beside what is booked it waits, until moota has told of both.
        let expected = if ignored { (vec![customer_id(4)], vec![]) } else { (vec![], vec!["looks_booked"]) };
        assert_eq!((booked(&looked), doubts(&looked)), expected, "ignored: {ignored}");
        let looked = tell(&world, &moota(), &[row("m2", "2026-01-11", 150_000, "TRF C0002")], now).await.unwrap();
        let expected = if ignored { customer_id(2) } else { customer_id(4) };
        assert_eq!((booked(&looked), doubts(&looked)), (vec![expected], vec![]), "ignored: {ignored}");
    }
}
