//! A bank that asks what is owed and tells that it was paid, over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use common::*;
use isp_core::Money;
use isp_core::customer::Customer;
use isp_core::engine::NewPayment;
use isp_core::ids::{PageLinkId, WorkerId};
use isp_core::isolation::Access;
use isp_core::payment::virtual_account;
use isp_core::ports::{
    ChangeSet, InboxStore as _, MoneyStore as _, PageQuery, PaymentRow, Store as _, WebhookState, Worker,
};
use isp_core::privacy::{ERASED, Erased, Erasure, Person, without_person};
use isp_core::testing::Moment;
use isp_core::testing::sample::{code, day, id};
use isp_payment::simulator::{BankAnswer, BankCall, SimulatedBank};
use isp_payment::snap::{SnapBank, SnapService};
use isp_serve::hooks::Source;
use isp_serve::pages::Token;
use isp_serve::snap::Bank;
use isp_serve::work;
use serde_json::{Value, json};

const NAME: &str = "bca-va";

fn source() -> Arc<dyn Source> {
    Arc::new(Bank::new(SnapBank::try_new(SimulatedBank::settings(code(NAME))).unwrap()))
}

async fn start() -> (Server, SimulatedBank) {
    let server = Server::start_all(2, |_| {}, vec![source()]).await;
    let bank = SimulatedBank::new(&format!("http://{}", server.address), NAME).unwrap();
    (server, bank)
}

fn digits(server: &Server, customer: usize) -> String {
    virtual_account::digits_of(&server.world.customers[customer].code).unwrap()
}

async fn told(bank: &SimulatedBank, call: &BankCall) -> BankAnswer {
    bank.send(call).await.expect("it is answered")
}

/// A payment whose body is changed before it is signed.
fn changed(
    bank: &SimulatedBank,
    (token, call, external, now): (&str, &BankCall, &str, DateTime<Utc>),
    change: impl FnOnce(&mut Value),
) -> BankCall {
    let mut body = serde_json::from_slice(&call.body).unwrap();
    change(&mut body);
    bank.signed(SnapService::Payment, token, &body, external, now)
}

async fn payments(server: &Server) -> Vec<PaymentRow> {
    server.store.payments(TENANT, None, PageQuery::first(99)).await.unwrap()
}

fn amounts(rows: &[PaymentRow]) -> Vec<i64> {
    rows.iter().map(|row| row.payment.amount.as_i64()).collect()
}

#[tokio::test]
async fn a_bank_asks_what_is_owed_and_a_payment_opens_the_line_once() {
    let (server, bank) = start().await;
    server.isolate(0).await;
    assert_eq!(server.access(0).await, Access::Isolated);
    let (of, now) = (digits(&server, 0), server.now());
    let token = bank.token(now).await.unwrap();
    let asked = told(&bank, &bank.inquiry(&token, &of, "Q1", "1", now)).await;
    assert_eq!((asked.status, asked.code(), asked.said("/totalAmount/value")), (200, "2002400", "150000.00"));
    assert_eq!(asked.said("/virtualAccountName"), server.world.customers[0].name.as_str());
    let paid = |external: &str| bank.payment(&token, &of, ("P1", Money::rupiah(150_000)), external, now);
    let first = told(&bank, &paid("2")).await;
    assert_eq!((first.status, first.code(), first.said("/paymentFlagStatus")), (200, "2002500", "00"));
    assert_eq!(server.access(0).await, Access::Open, "before it is answered");
    // The same payment by another name of the request: the same answer, and nothing is booked.
    assert_eq!(told(&bank, &paid("3")).await, first);
    // The same request again on the same day.
    let repeated = told(&bank, &paid("2")).await;
    assert_eq!((repeated.status, repeated.code()), (409, "4092500"));
    // The same payment, of another amount.
    let other = told(&bank, &bank.payment(&token, &of, ("P1", Money::rupiah(1_000)), "4", now)).await;
    assert_eq!((other.status, other.code()), (404, "4042518"));
    // Nothing is owed any more.
    let asked = told(&bank, &bank.inquiry(&token, &of, "Q2", "5", now)).await;
    assert_eq!((asked.status, asked.code(), asked.said("/inquiryStatus")), (404, "4042414", "01"));
    for _ in 0..3 {
        server.read().await;
    }
    assert_eq!(amounts(&payments(&server).await), [150_000]);
    let states: Vec<WebhookState> = server.kept().await.iter().map(|row| row.state).collect();
    assert_eq!(states.len(), 5);
    assert_eq!(
        states.iter().filter(|state| **state == WebhookState::Unread).count(),
        1,
        "the other amount is for a person"
    );
    assert_eq!(server.app.metrics.value("isp_payments_total", &[("channel", NAME)]), 1);
    // What is kept holds neither token nor signature.
    let kept = server.kept().await;
    assert!(kept.iter().all(|row| row.webhook.headers.iter().all(|(_, value)| !value.contains(&token))));
}

#[tokio::test]
async fn less_and_more_than_is_owed_is_booked_as_it_was_paid() {
    let (server, bank) = start().await;
    server.isolate(0).await;
    let (of, now) = (digits(&server, 0), server.now());
    let token = bank.token(now).await.unwrap();
    let pay = |request: &'static str, amount: i64, external: &'static str| {
        bank.payment(&token, &of, (request, Money::rupiah(amount)), external, now)
    };
    assert_eq!(told(&bank, &pay("P1", 100_000, "1")).await.code(), "2002500");
    assert_eq!(server.access(0).await, Access::Isolated, "it is not all that is owed");
    let asked = told(&bank, &bank.inquiry(&token, &of, "Q1", "2", now)).await;
    assert_eq!(asked.said("/totalAmount/value"), "50000.00");
    assert_eq!(told(&bank, &pay("P2", 70_000, "3")).await.code(), "2002500");
    assert_eq!(server.access(0).await, Access::Open);
    // A payment when nothing is owed is credit too: the bank has the money.
    assert_eq!(told(&bank, &pay("P3", 5_000, "4")).await.code(), "2002500");
    let rows = payments(&server).await;
    assert_eq!(rows.iter().map(|row| row.left.as_i64()).sum::<i64>(), 25_000);
    assert_eq!(amounts(&rows).iter().sum::<i64>(), 175_000);
}

#[tokio::test]
async fn a_number_that_nobody_has_is_answered_as_the_standard_says_and_kept() {
    let (server, bank) = start().await;
    let now = server.now();
    let token = bank.token(now).await.unwrap();
    let nobody = virtual_account::digits_of(&code("NIEMAND1")).unwrap();
    let mut wrong = digits(&server, 0);
    wrong.replace_range(1..2, if &wrong[1..2] == "9" { "8" } else { "9" });
    for (number, of) in [nobody, wrong, "1".to_owned()].iter().enumerate() {
        let asked = told(&bank, &bank.inquiry(&token, of, "Q", &format!("q{number}"), now)).await;
        assert_eq!((asked.status, asked.code()), (404, "4042412"), "{of}");
        let paid = bank.payment(&token, of, ("P", Money::rupiah(9)), &format!("p{number}"), now);
        let paid = told(&bank, &paid).await;
        assert_eq!((paid.status, paid.code(), paid.said("/paymentFlagStatus")), (404, "4042512", "01"), "{of}");
    }
    // A number of another company at the same bank.
    let body = serde_json::json!({
        "partnerServiceId": "   12345", "customerNo": digits(&server, 0), "inquiryRequestId": "Q",
        "virtualAccountNo": format!("   12345{}", digits(&server, 0)),
    });
    let other = bank.signed(SnapService::Inquiry, &token, &body, "other", now);
    assert_eq!(told(&bank, &other).await.code(), "4042412");
    server.read().await;
    let kept = server.kept().await;
    let of = |state: WebhookState| kept.iter().filter(|row| row.state == state).count();
    assert_eq!((of(WebhookState::Read), of(WebhookState::Unread)), (7, 0), "the bank gave the money back");
    assert!(kept.iter().any(|row| row.note == "money for a virtual account that no customer has was refused"));
    // Somebody gets the number, and everything is read again: money that never came is not booked.
    let gone = Customer { code: code("NIEMAND1"), ..server.world.customers[0].clone() };
    server.store.commit(TENANT, ChangeSet { customers: vec![gone], ..ChangeSet::default() }).await.unwrap();
    assert_eq!(server.store.retry_webhooks(TENANT, None, now).await, Ok(0));
    server.read().await;
    assert!(payments(&server).await.is_empty());
}

#[tokio::test]
async fn what_is_not_signed_today_by_this_bank_is_neither_kept_nor_booked() {
    let (server, bank) = start().await;
    let (of, now) = (digits(&server, 0), server.now());
    let token = bank.token(now).await.unwrap();
    let good = bank.payment(&token, &of, ("P1", Money::rupiah(1_000)), "1", now);
    for at in (0..good.body.len()).step_by(9) {
        let mut flipped = good.clone();
        flipped.body[at] ^= 1;
        assert_eq!(told(&bank, &flipped).await.code(), "4012500", "byte {at}");
    }
    let wrong = bank.payment("wrong-token", &of, ("P1", Money::rupiah(1_000)), "1", now);
    assert_eq!(told(&bank, &wrong).await.code(), "4012501");
    server.later(360);
    assert_eq!(told(&bank, &good).await.code(), "4012500", "a stale timestamp");
    assert_eq!(bank.token(now).await, None, "nor a token");
    assert_eq!(told(&bank, &bank.token_call(now)).await.code(), "4017300");
    // Other ways in.
    assert_eq!(server.send("POST", &format!("/hooks/{NAME}"), &[], &good.body).await.0, 404);
    assert_eq!(server.send("GET", &good.path, &[], b"").await.0, 405);
    assert_eq!(server.send("POST", "/snap/nobody/v1.0/transfer-va/payment", &[], &good.body).await.0, 404);
    assert_eq!(server.send("POST", &format!("/snap/{NAME}/v1.0/transfer-va/status"), &[], b"{}").await.0, 404);
    let long = vec![b' '; 300 * 1_024];
    let (status, text) = server.send("POST", &good.path, &[], &long).await;
    assert_eq!(status, 413);
    assert!(text.contains("4132500"), "{text}");
    assert!(server.kept().await.is_empty() && payments(&server).await.is_empty());
}

#[tokio::test]
async fn who_signs_wrongly_too_often_is_told_so_and_the_bank_is_not_kept_out() {
    let server = Server::start_all(1, |settings| settings.per_minute = 5, vec![source()]).await;
    let bank = SimulatedBank::new(&format!("http://{}", server.address), NAME).unwrap();
    let (of, now) = (digits(&server, 0), server.now());
    let token = bank.token(now).await.unwrap();
    let mut codes = Vec::new();
    for _ in 0..7 {
        let wrong = bank.inquiry("wrong", &of, "Q", "1", now);
        codes.push(told(&bank, &wrong).await.code().to_owned());
    }
    assert_eq!(codes[..5], ["4012401"; 5]);
    assert_eq!(codes[5..], ["4292400"; 2]);
    let good = told(&bank, &bank.payment(&token, &of, ("P1", Money::rupiah(1_000)), "1", now)).await;
    assert_eq!(good.code(), "2002500", "what is signed is never refused for it");
    // What was signed too long ago is told apart, in the answer and in the log.
    server.later(360);
    let late = told(&bank, &bank.payment(&token, &of, ("P2", Money::rupiah(1_000)), "2", now)).await;
    assert_eq!(late.code(), "4012500");
    let rejected = |why: &'static str| server.app.metrics.value("isp_webhook_rejected_total", &[("reason", why)]);
    assert_eq!((rejected("token"), rejected("rate"), rejected("stale"), rejected("signature")), (5, 2, 1, 0));
}

/// Ten at once by ten names of the request, and the same one ten times: one payment, and each request once.
#[tokio::test]
async fn many_at_once_book_one_payment() {
    let (server, bank) = start().await;
    server.isolate(0).await;
    let (of, now) = (digits(&server, 0), server.now());
    let token = bank.token(now).await.unwrap();
    let calls: Vec<BankCall> = (0..10)
        .flat_map(|number| {
            let call = |external: &str| bank.payment(&token, &of, ("P1", Money::rupiah(150_000)), external, now);
            [call(&number.to_string()), call("same")]
        })
        .collect();
    let answers = futures::future::join_all(calls.iter().map(|call| told(&bank, call))).await;
    let of_code = |code: &str| answers.iter().filter(|answer| answer.code() == code).count();
    assert_eq!((of_code("2002500"), of_code("4092500")), (11, 9), "{answers:?}");
    server.read().await;
    assert_eq!(amounts(&payments(&server).await), [150_000]);
}

/// The process dies after the call is kept and before it is booked: whoever reads it books it, and the bank, which heard nothing and
/// tells it again by another name, is answered as if nothing had happened.
#[tokio::test]
async fn a_payment_that_was_kept_is_booked_after_a_death() {
    let (server, bank) = start().await;
    server.isolate(0).await;
    let (of, now) = (digits(&server, 0), server.now());
    let token = bank.token(now).await.unwrap();
    let call = |external: &str| bank.payment(&token, &of, ("P1", Money::rupiah(150_000)), external, now);
    // The store takes the call and then nothing more.
    server.store.fuse().blow_at(2, Moment::Before);
    let first = told(&bank, &call("1")).await;
    assert_eq!((first.status, first.code(), first.said("/paymentFlagStatus")), (202, "2022500", "02"));
    server.store.fuse().mend();
    assert!(payments(&server).await.is_empty());
    assert_eq!(server.kept().await.len(), 1);
    let other = Worker::new(WorkerId(id(40, 2)), server.watch.as_ref());
    work::read_some(&server.app, other).await.unwrap();
    assert_eq!(amounts(&payments(&server).await), [150_000]);
    assert_eq!(server.access(0).await, Access::Open);
    let again = told(&bank, &call("2")).await;
    assert_eq!((again.status, again.code()), (200, "2002500"));
    assert_eq!(amounts(&payments(&server).await), [150_000]);
}

/// Whether the call was kept is not known, and it was: the bank hears nothing by which it would give the money back, neither then nor
/// when it sends the same request again.
#[tokio::test]
async fn money_that_may_be_booked_is_never_said_to_be_rejected() {
    let (server, bank) = start().await;
    server.isolate(0).await;
    let (of, now) = (digits(&server, 0), server.now());
    let token = bank.token(now).await.unwrap();
    let call = |external: &str| bank.payment(&token, &of, ("P1", Money::rupiah(150_000)), external, now);
    server.store.fuse().blow_at(1, Moment::After);
    let first = told(&bank, &call("1")).await;
    assert_eq!((first.code(), first.said("/paymentFlagStatus")), ("5002500", "02"));
    server.store.fuse().mend();
    let repeated = told(&bank, &call("1")).await;
    assert_eq!((repeated.code(), repeated.said("/paymentFlagStatus")), ("4092500", "02"));
    server.read().await;
    assert_eq!(amounts(&payments(&server).await), [150_000]);
    let other = bank.payment(&token, &of, ("P1", Money::rupiah(1_000)), "2", now);
    let other = told(&bank, &other).await;
    assert_eq!((other.code(), other.said("/paymentFlagStatus")), ("4042518", "02"), "P1 is booked");
    assert_eq!(told(&bank, &call("3")).await.code(), "2002500");
    // The customer has another ID now, and so another number.
    let recoded = Customer { code: code("NEW-1"), ..server.world.customers[0].clone() };
    server.store.commit(TENANT, ChangeSet { customers: vec![recoded], ..ChangeSet::default() }).await.unwrap();
    let late = told(&bank, &call("4")).await;
    assert_eq!((late.code(), late.said("/paymentFlagStatus")), ("4042518", "02"), "it is booked");
    assert_eq!(amounts(&payments(&server).await), [150_000]);
}

/// Of a customer who was forgotten the calls of a bank go with the rest, and what it tells afterwards says nothing of the person. Money
/// that comes all the same is booked by the ID, which stays; the bank's name for what was taken back before is known.
#[tokio::test]
async fn what_a_bank_tells_of_a_customer_who_was_forgotten_says_nothing_of_the_person() {
    let (server, bank) = start().await;
    let (of, now) = (digits(&server, 0), server.now());
    let token = bank.token(now).await.unwrap();
    let pay = |request: &'static str, external: &'static str| {
        bank.payment(&token, &of, (request, Money::rupiah(1_000)), external, now)
    };
    let first = told(&bank, &pay("P1", "1")).await;
    assert_eq!(first.code(), "2002500");
    let engine = server.app.provider.engine();
    engine.reverse(payments(&server).await[0].payment.id, "Sari", "ditarik", server.now()).await.unwrap();
    server.read().await;
    let customer = &server.world.customers[0];
    let mut line = server.world.subscriptions[0].clone();
    line.terms.end = Some(day("2026-01-02"));
    let erased = Erased::try_new(customer.id, now, "Sari", "surat").unwrap();
    let forget = ChangeSet {
        customers: vec![without_person(customer).unwrap()],
        subscriptions: vec![line],
        erasures: vec![Erasure { erased, person: Person::of(customer) }],
        ..ChangeSet::default()
    };
    server.store.commit(TENANT, forget).await.unwrap();
    assert!(server.kept().await.is_empty(), "the calls about the number are gone");
    let paid = told(&bank, &pay("P2", "2")).await;
    assert_eq!((paid.code(), paid.said("/virtualAccountName")), ("2002500", ERASED));
    assert_eq!(told(&bank, &pay("P1", "3")).await.code(), "2002500");
    server.read().await;
    assert_eq!(payments(&server).await.len(), 2);
    let kept = server.kept().await;
    assert_eq!(kept.len(), 2);
    for row in kept {
        let body = String::from_utf8(row.webhook.body).unwrap();
        assert!(!body.contains("PELANGGAN") && body.contains(&of), "{body}");
    }
}

/// What a person took back is not booked again by whoever tells it again, whatever day the bank says it was paid on; a person may
/// book it again, and that changes nothing for the bank.
#[tokio::test]
async fn a_payment_that_was_taken_back_is_not_booked_again_whatever_day_is_told() {
    let (server, bank) = start().await;
    server.isolate(0).await;
    let (of, now) = (digits(&server, 0), server.now());
    let token = bank.token(now).await.unwrap();
    let days = [None, Some(now + TimeDelta::hours(3)), Some(now - TimeDelta::days(900)), Some(now)];
    for (number, day) in days.into_iter().enumerate() {
        let request = format!("P{number}");
        let told_on = |external: &str, now| {
            let call = bank.payment(&token, &of, (&request, Money::rupiah(10_000)), external, now);
            changed(&bank, (&token, &call, external, now), |body| match day {
                Some(day) => body["trxDateTime"] = json!(day.to_rfc3339()),
                None => body["trxDateTime"] = Value::Null,
            })
        };
        let kept_at = server.now();
        let first = told(&bank, &told_on(&format!("a{number}"), kept_at)).await;
        assert_eq!(first.code(), "2002500", "{day:?}");
        let row = payments(&server).await.into_iter().find(|row| row.payment.reference.as_str() == request).unwrap();
        let expected = if number == 3 { now } else { kept_at };
        assert_eq!(row.payment.paid_at.timestamp(), expected.timestamp(), "{day:?}");
        server.later(2);
        let engine = server.app.provider.engine();
        engine.reverse(row.payment.id, "Sari", "ditarik bank", server.now()).await.unwrap();
        server.later(2);
        // The row of the first call is read only now, as after a death; and the bank tells it again.
        server.read().await;
        let again = told(&bank, &told_on(&format!("b{number}"), server.now())).await;
        assert_eq!(again, first, "{day:?}");
        server.read().await;
        assert_eq!(payments(&server).await.len(), number + 1, "{day:?}");
    }
    // By hand it is a new payment, for another payer and of another amount too.
    let rows = payments(&server).await;
    let before = &rows.iter().find(|row| row.payment.reference.as_str() == "P0").unwrap().payment;
    let by_hand = NewPayment {
        customer_id: server.world.customers[1].id,
        provider: before.provider.clone(),
        reference: before.reference.clone(),
        amount: Money::rupiah(20_000),
        paid_at: server.now(),
        collector: None,
    };
    let report = server.app.provider.engine().pay(&by_hand, server.now()).await.unwrap();
    assert!(!report.known);
    let call = bank.payment(&token, &of, ("P0", Money::rupiah(10_000)), "c", server.now());
    assert_eq!(told(&bank, &call).await.code(), "2002500");
    server.read().await;
    assert_eq!(payments(&server).await.len(), 5);
}

/// By a link the customer sees the number; from a line's address nobody does, for a bank says the name to whoever types it.
#[tokio::test]
async fn the_customers_page_shows_the_number_by_a_link_only() {
    let (server, _) = start().await;
    server.isolate(0).await;
    let number = format!("88899{}", digits(&server, 0));
    let token = Token::draw().unwrap();
    let link = token.link(PageLinkId(id(50, 1)), server.world.customers[0].id, server.now());
    server.store.keep_link(TENANT, link).await.unwrap();
    let (status, page) = server.send("GET", &token.url(""), &[], b"").await;
    assert!(status == 200 && page.contains(&format!("{NAME}: <code>{number}</code>")), "{page}");
    let (status, page) = server.send("GET", "/isolir", &[], b"").await;
    assert!(status == 200 && !page.contains(&number), "{page}");
}
