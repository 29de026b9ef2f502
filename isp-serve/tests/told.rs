//! Moota and phones tell of money over real sockets: whoever is first opens the line, and it counts once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;

use common::*;
use isp_core::Money;
use isp_core::bank::{BankFile, account_code};
use isp_core::ids::PaymentRequestId;
use isp_core::isolation::Access;
use isp_core::ports::{MoneyStore as _, MutationQuery, PageQuery, WebhookState};
use isp_core::testing::sample::{code, id};
use isp_payment::told::moota::Moota;
use isp_payment::told::phone::Phone;
use isp_serve::hooks::Source;
use isp_serve::told::{MootaHook, PhoneHook};
use serde_json::{Value, json};

const ACCOUNT: &str = "BRI-1";

fn moota() -> Moota {
    Moota::try_new("rahasia-moota".into()).unwrap()
}

fn phone(name: &str) -> Phone {
    let secret = format!("rahasia-{name}-0123456789");
    Phone::try_new(code(name), &format!("kunci-{name}"), secret.into(), account_code(ACCOUNT).unwrap(), None).unwrap()
}

async fn start() -> Server {
    let sources: Vec<Arc<dyn Source>> = vec![
        Arc::new(MootaHook::try_new(moota()).unwrap()),
        Arc::new(PhoneHook::new(vec![phone("hp-toko"), phone("hp-pemilik")])),
    ];
    Server::start_all(2, |_| {}, sources).await
}

/// Isolates customer 0 for Rp150.000 and asks for it; the amount that was asked.
async fn asked(server: &Server) -> i64 {
    server.isolate(0).await;
    assert_eq!(server.access(0).await, Access::Isolated);
    let request = PaymentRequestId(id(60, 1));
    let engine = server.app.provider.engine();
    let (asked, _) = engine.request_payment(request, server.world.customers[0].id, None, server.now()).await.unwrap();
    asked.amount.as_i64()
}

fn notification(server: &Server, name: &str, amount: i64, nonce: &str) -> Value {
    let (amount, timestamp) = (amount.to_string(), server.now().timestamp().to_string());
    let signature = phone(name).signature(&amount, &timestamp, nonce);
    json!({
        "device_key": format!("kunci-{name}"), "amount": amount, "source_app": "id.dana.merchant", "nonce": nonce,
        "raw_text": format!("Rp{amount} diterima dari BUDI SANTOSO"), "timestamp": timestamp, "signature": signature,
    })
}

async fn tell(server: &Server, body: &Value) -> u16 {
    server.send("POST", "/hooks/phone", &[], body.to_string().as_bytes()).await.0
}

fn mutation(id: &str, amount: Value, text: &str) -> Value {
    json!({
        "account_number": ACCOUNT, "date": "2026-01-20 10:00:00", "description": text, "note": "", "amount": amount,
        "type": "CR", "balance": "5000000.00", "mutation_id": id, "token": "t0k3n-of-a-row", "bank_id": "B9",
        "taggings": [], "bank": { "bank_type": "bri", "atas_nama": "PT CONTOH", "meta": { "cookie": "s3ss10n" } },
    })
}

async fn hook(server: &Server, body: &Value) -> u16 {
    let bytes = body.to_string().into_bytes();
    let signature = moota().signature(&bytes);
    server.send("POST", "/hooks/moota", &[("Signature", signature.as_str())], &bytes).await.0
}

async fn import(server: &Server, rows: &[(&str, i64)]) -> usize {
    let mut text = "Tanggal Transaksi,Uraian Transaksi,Teller,Debet,Kredit,Saldo\n".to_owned();
    let mut balance = 0;
    for (told, amount) in rows {
        balance += amount;
        text += &format!("20/01/26,{told},8888,0,{amount}.00,{balance}.00\n");
    }
    let (file, account) = (BankFile::read(&text).unwrap(), account_code(ACCOUNT).unwrap());
    let engine = server.app.provider.engine();
    let report = engine.import_bank_file(&file, &account, &text, "kasir", server.now()).await.unwrap();
    engine.match_mutations(&report.compared.order, "kasir", server.now()).await.unwrap();
    report.compared.new.len()
}

async fn payments(server: &Server) -> Vec<i64> {
    let rows = server.store.payments(TENANT, None, PageQuery::first(99)).await.unwrap();
    rows.iter().map(|row| row.payment.amount.as_i64()).collect()
}

async fn mutations(server: &Server) -> usize {
    server.app.provider.engine().mutations(&MutationQuery::default()).await.unwrap().len()
}

#[tokio::test]
async fn a_phone_tells_and_the_line_opens_and_whatever_comes_after_counts_nothing() {
    let server = start().await;
    let amount = asked(&server).await;
    let good = notification(&server, "hp-toko", amount, "n-1");
    // One changed byte, wherever: not believed, and nothing is kept.
    for (key, value) in [
        ("amount", json!((amount + 1).to_string())),
        ("nonce", json!("n-2")),
        ("device_key", json!("kunci-hp-lain")),
        ("signature", json!(good["signature"].as_str().unwrap().replacen(['0', '1', '2', '3'], "f", 1))),
        ("signature", json!("")),
    ] {
        let mut body = good.clone();
        body[key] = value;
        assert_eq!(tell(&server, &body).await, 401, "{key}");
    }
    let bare = json!({ "device_key": "kunci-hp-toko", "amount": amount, "timestamp": server.now().timestamp() });
    assert_eq!(tell(&server, &bare).await, 401, "a device key alone proves nothing");
    assert_eq!(server.send("POST", "/hooks/phone", &[], b"not json").await.0, 400, "no JSON: nothing says who sent it");
    assert_eq!(server.send("GET", "/hooks/phone", &[], b"").await.0, 405);
    server.read().await;
    assert_eq!((server.kept().await.len(), payments(&server).await), (0, vec![]));

    assert_eq!(tell(&server, &good).await, 200);
    server.read().await;
    assert_eq!((payments(&server).await, server.access(0).await), (vec![amount], Access::Open));
    // Ten times, by two phones, moota and the file of the bank, in any order.
    for round in 0..10 {
        assert_eq!(tell(&server, &good).await, 200);
        // The same telling, signed anew a moment later.
        server.later(1);
        assert_eq!(tell(&server, &notification(&server, "hp-toko", amount, "n-1")).await, 200);
        assert_eq!(tell(&server, &notification(&server, "hp-pemilik", amount, "77")).await, 200);
        assert_eq!(hook(&server, &json!([mutation("M1", json!(amount), "KR OTOMATIS")])).await, 200);
        server.read().await;
        assert_eq!(import(&server, &[("KR OTOMATIS", amount)]).await, 0, "round {round}");
        assert_eq!(payments(&server).await, [amount], "round {round}");
    }
    assert_eq!((server.access(0).await, mutations(&server).await), (Access::Open, 1));
    assert_eq!(server.app.metrics.value("isp_payments_total", &[("channel", "phone")]), 1);
    assert_eq!(server.app.metrics.value("isp_payments_total", &[("channel", "moota")]), 0);
    let metric = |result| {
        let labels = [("provider", "phone"), ("result", result)];
        server.app.metrics.value("isp_webhook_requests_total", &labels)
    };
    assert_eq!((metric("401"), metric("400"), metric("200")), (6, 1, 31));
    assert!(server.kept().await.iter().all(|row| row.state == WebhookState::Read));
    let note = server.kept().await.iter().find(|row| row.note.contains("1 booked")).unwrap().note.clone();
    assert!(!note.contains("BUDI") && note.starts_with("hp-toko: "), "{note}");
}

#[tokio::test]
async fn a_notification_of_long_ago_or_with_another_amount_is_not_taken() {
    let server = start().await;
    let amount = asked(&server).await;
    let good = notification(&server, "hp-toko", amount, "n-1");
    server.later(301);
    assert_eq!(tell(&server, &good).await, 400);
    let rejected = server.app.metrics.value("isp_webhook_rejected_total", &[("reason", "stale")]);
    assert_eq!((rejected, server.kept().await.len()), (1, 0));
    // What was in time when it came is in time however late it is read.
    let good = notification(&server, "hp-toko", amount, "n-1");
    assert_eq!(tell(&server, &good).await, 200);
    server.later(3_600);
    server.read().await;
    assert_eq!(payments(&server).await, [amount]);
    // The same nonce with another amount, signed: it is listed for a person, and books nothing.
    assert_eq!(tell(&server, &notification(&server, "hp-toko", amount * 10, "n-1")).await, 200);
    server.read().await;
    let unread: Vec<_> = server.kept().await.into_iter().filter(|row| row.state == WebhookState::Unread).collect();
    assert_eq!((unread.len(), payments(&server).await, mutations(&server).await), (1, vec![amount], 1));
    assert!(unread[0].note.contains("another amount"), "{}", unread[0].note);
    // Half a rupiah, nothing, and less than nothing.
    for odd in ["150000.50", "0", "-5"] {
        let timestamp = server.now().timestamp().to_string();
        let signature = phone("hp-toko").signature(odd, &timestamp, "n-9");
        let body = json!({
            "device_key": "kunci-hp-toko", "amount": odd, "timestamp": timestamp, "nonce": "n-9", "signature": signature,
        });
        assert_eq!(tell(&server, &body).await, 400, "{odd}");
    }
}

#[tokio::test]
async fn moota_tells_many_at_once_and_no_token_of_it_is_kept() {
    let server = start().await;
    let amount = asked(&server).await;
    let body = json!([
        mutation("M1", json!(format!("{amount}.00")), "QRIS"),
        // Money, and no test call.
        mutation("M2", json!(10_000), "TRF TANPA NAMA"),
        mutation("M3", json!("12,000.00"), "RUSAK"),
        { "mutation_id": "M4", "amount": 5, "bank": { "meta": { "cookie": "s3ss10n" } } },
    ]);
    // Signed wrongly, not signed, one byte more.
    let bytes = body.to_string().into_bytes();
    let signature = moota().signature(&bytes);
    let send = |signature: String, bytes: Vec<u8>| {
        let server = &server;
        async move { server.send("POST", "/hooks/moota", &[("Signature", signature.as_str())], &bytes).await.0 }
    };
    assert_eq!(send(signature.clone(), [&bytes[..], b" "].concat()).await, 401);
    assert_eq!(send(signature.replacen(['0', '1', '2', '3', '4'], "f", 1), bytes.clone()).await, 401);
    assert_eq!(server.send("POST", "/hooks/moota", &[], &bytes).await.0, 401);
    assert_eq!((hook(&server, &json!([])).await, hook(&server, &json!({})).await), (200, 400));
    assert_eq!(server.kept().await.len(), 0);

    for _ in 0..3 {
        assert_eq!(send(signature.to_uppercase(), bytes.clone()).await, 200);
        server.read().await;
    }
    assert_eq!(
        (payments(&server).await, server.access(0).await, mutations(&server).await),
        (vec![amount], Access::Open, 2)
    );
    let kept = server.kept().await;
    assert_eq!((kept.len(), kept[0].state), (1, WebhookState::Unread), "two of its rows are for a person");
    assert!(kept[0].note.contains("row 3 could not be read: amount"), "{}", kept[0].note);
    let text = format!("{:?} {}", kept[0].webhook.headers, String::from_utf8_lossy(&kept[0].webhook.body));
    for secret in ["s3ss10n", "t0k3n", "PT CONTOH", "B9", signature.as_str()] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    // Other tokens, and the same mutations: one row of the inbox.
    let mut again = body.clone();
    again[0]["token"] = json!("t0k3n-of-another-day");
    assert_eq!(hook(&server, &again).await, 200);
    assert_eq!(server.kept().await.len(), 1);
    // A second transfer of the same amount on the same day is a second one. It is the phone's, too.
    assert_eq!(hook(&server, &json!([mutation("M5", json!(10_000), "TRF TANPA NAMA")])).await, 200);
    server.read().await;
    for nonce in ["a", "b"] {
        assert_eq!(tell(&server, &notification(&server, "hp-toko", 10_000, nonce)).await, 200);
    }
    server.read().await;
    assert_eq!(mutations(&server).await, 3);
    let booked = server.store.payments(TENANT, None, PageQuery::first(9)).await.unwrap();
    assert_eq!((booked.len(), booked[0].payment.provider.as_str()), (1, "bri"), "as the bank's file would say");
    assert_eq!(booked[0].payment.amount, Money::rupiah(amount));
}

#[tokio::test]
async fn what_is_too_long_is_refused_and_what_waits_is_read_with_the_secret_of_then() {
    let server = start().await;
    let long = vec![b'x'; 300 * 1_024];
    assert_eq!(server.send("POST", "/hooks/moota", &[], &long).await.0, 413);
    assert_eq!(hook(&server, &json!([mutation("M1", json!(10_000), "TRF")])).await, 200);
    let kept = server.kept().await.remove(0).webhook;
    // Another secret since: it is listed, and books nothing.
    let other = MootaHook::try_new(Moota::try_new("rahasia-lain".into()).unwrap()).unwrap();
    let acted = other.act(&server.app.provider, &kept, server.now()).await.unwrap();
    assert_eq!((acted.unread, mutations(&server).await), (1, 0));
    // Somebody changes what is kept.
    let mut changed = kept.clone();
    changed.body = String::from_utf8(changed.body).unwrap().replace("1000000", "9000000").into_bytes();
    let hook = MootaHook::try_new(moota()).unwrap();
    assert_eq!(hook.act(&server.app.provider, &changed, server.now()).await.unwrap().unread, 1);
    assert_eq!(hook.act(&server.app.provider, &kept, server.now()).await.unwrap().unread, 0);
    assert_eq!(mutations(&server).await, 1);
}
