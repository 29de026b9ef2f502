//! Tripay, closed and open payments.

use std::collections::BTreeMap;

use isp_core::Money;
use isp_core::payment::NoticeState;
use isp_http::server::Request;
use serde_json::{Value, json};

use super::{MERCHANT, Reply, SignedWebhook, Transaction, WEBHOOK_KEY, amount, json_header, key, query_value};
use crate::settings::GatewayKind;
use crate::sign;

type All = BTreeMap<String, Transaction>;

fn said(status: u16, message: &str) -> Reply {
    (status, json!({ "success": false, "message": message }))
}

/// What the interface of open payments answers: it has a sandbox nowhere, and numbers that stay.
pub(super) fn answer_open(all: &mut All, request: &Request, path: &[&str], query: &str, body: &Value) -> Reply {
    let bearer = format!("Bearer {}", key(GatewayKind::TripayOpen));
    if request.header("authorization") != Some(bearer.as_str()) {
        return said(401, "Invalid API Key");
    }
    let word = |key: &str| body.get(key).and_then(Value::as_str).filter(|word| !word.is_empty());
    match (request.method.as_str(), path) {
        ("POST", ["open-payment", "create"]) => {
            let (Some(reference), Some(method)) = (word("merchant_ref"), word("method")) else {
                return said(400, "Invalid parameter");
            };
            if !method.ends_with("OP") {
                return said(400, "Invalid payment channel");
            }
            let signed = format!("{MERCHANT}{method}{reference}");
            if word("signature") != Some(sign::hmac_sha256(&WEBHOOK_KEY.into(), signed.as_bytes()).as_str()) {
                return said(403, "Invalid signature");
            }
            if all.contains_key(reference) {
                return said(400, "Merchant ref already used");
            }
            let transaction = Transaction::new(reference, format!("T0001OP{reference}"), Money::ZERO, method);
            let (number, code) = match method {
                "QRISOP" => (Value::Null, format!("00020101021126SIM{reference}").into()),
                _ => ("8888888888".into(), Value::Null),
            };
            let data = json!({
                "uuid": transaction.id, "merchant_ref": reference, "customer_name": word("customer_name"),
                "payment_name": method, "payment_method": method, "pay_code": number, "qr_string": code, "qr_url": null,
            });
            all.insert(reference.to_owned(), transaction);
            (200, json!({ "success": true, "message": "", "data": data }))
        }
        ("GET", ["open-payment", uuid, "transactions"]) => {
            let Some(t) = all.values().find(|t| t.id == *uuid) else { return said(404, "Open payment not found") };
            let wanted = query_value(query, "merchant_ref").is_none_or(|reference| reference == t.reference);
            let there = wanted && t.state != NoticeState::Pending;
            let data: Vec<Value> = there.then(|| open_detail(t)).into_iter().collect();
            (200, json!({ "success": true, "message": "", "data": data }))
        }
        _ => said(404, "Not found"),
    }
}

/// A payment on an open number: it has a reference of its own.
fn open_fees(t: &Transaction) -> Value {
    let mut told = fees(t);
    told["reference"] = format!("T0001{}", t.reference).into();
    told["is_closed_payment"] = 0.into();
    told
}

fn open_detail(t: &Transaction) -> Value {
    let mut told = open_fees(t);
    told["amount"] = (t.paid + t.payer_fee).as_i64().into();
    told
}

pub(super) fn webhook_open(t: &Transaction) -> SignedWebhook {
    signed(t, open_fees(t))
}

pub(super) fn answer(all: &mut All, request: &Request, path: &[&str], query: &str, body: &Value) -> Reply {
    let bearer = format!("Bearer {}", key(GatewayKind::Tripay));
    if request.header("authorization") != Some(bearer.as_str()) {
        return said(401, "Invalid API Key");
    }
    match (request.method.as_str(), path) {
        ("POST", ["transaction", "create"]) => create(all, body),
        ("GET", ["transaction", "detail"]) => {
            let id = query_value(query, "reference").unwrap_or_default();
            match all.values().find(|t| t.id == id) {
                Some(t) => (200, json!({ "success": true, "data": detail(t) })),
                None => said(404, "Transaction not found"),
            }
        }
        ("GET", ["merchant", "transactions"]) => {
            let found = query_value(query, "merchant_ref").and_then(|reference| all.get(reference));
            let data: Vec<Value> = found.into_iter().map(detail).collect();
            (200, json!({ "success": true, "data": data }))
        }
        _ => said(404, "Not found"),
    }
}

fn create(all: &mut All, body: &Value) -> Reply {
    let word = |key: &str| body.get(key).and_then(Value::as_str).filter(|word| !word.is_empty());
    let (Some(reference), Some(asked), Some(method)) = (word("merchant_ref"), amount(body, "amount"), word("method"))
    else {
        return said(400, "Invalid parameter");
    };
    let signed = format!("{MERCHANT}{reference}{}", asked.as_i64());
    if word("signature") != Some(sign::hmac_sha256(&WEBHOOK_KEY.into(), signed.as_bytes()).as_str()) {
        return said(403, "Invalid signature");
    }
    let name_fits = word("customer_name").is_some_and(|name| name.chars().count() <= 50);
    let items = body.get("order_items").and_then(Value::as_array).into_iter().flatten();
    let sum: i64 = items.filter_map(|i| Some(i.get("price")?.as_i64()? * i.get("quantity")?.as_i64()?)).sum();
    if !name_fits || word("customer_email").is_none() || sum != asked.as_i64() {
        return said(400, "Internal service error");
    }
    if all.contains_key(reference) {
        return said(400, "Merchant ref already used");
    }
    let transaction = Transaction::new(reference, format!("DEV-T{reference}"), asked, method);
    let data = detail(&transaction);
    all.insert(reference.to_owned(), transaction);
    (200, json!({ "success": true, "message": "", "data": data }))
}

fn status(state: NoticeState) -> &'static str {
    match state {
        NoticeState::Pending => "UNPAID",
        NoticeState::Paid => "PAID",
        NoticeState::Expired => "EXPIRED",
        NoticeState::Cancelled => "FAILED",
        NoticeState::Refunded => "REFUND",
    }
}

fn fees(t: &Transaction) -> Value {
    json!({
        "reference": t.id,
        "merchant_ref": t.reference,
        "payment_method_code": t.method,
        "fee_merchant": t.fee.as_i64(),
        "fee_customer": t.payer_fee.as_i64(),
        "total_fee": (t.fee + t.payer_fee).as_i64(),
        "amount_received": (t.paid - t.fee).as_i64(),
        "is_closed_payment": 1,
        "status": status(t.state),
        "paid_at": t.paid_at.map(|at| at.timestamp()),
    })
}

fn detail(t: &Transaction) -> Value {
    let mut told = fees(t);
    told["amount"] = (t.paid + t.payer_fee).as_i64().into();
    if t.method == "QRIS" {
        told["qr_string"] = format!("00020101021226SIM{}", t.reference).into();
    } else {
        told["pay_code"] = "3333333333".into();
    }
    told["checkout_url"] = format!("https://tripay.co.id/checkout/{}", t.id).into();
    told
}

pub(super) fn webhook(t: &Transaction) -> SignedWebhook {
    signed(t, fees(t))
}

fn signed(t: &Transaction, mut told: Value) -> SignedWebhook {
    told["total_amount"] = (t.paid + t.payer_fee).as_i64().into();
    let body = told.to_string().into_bytes();
    let signature = sign::hmac_sha256(&WEBHOOK_KEY.into(), &body);
    let event = ("x-callback-event".to_owned(), "payment_status".to_owned());
    SignedWebhook { headers: vec![json_header(), event, ("x-callback-signature".to_owned(), signature)], body }
}
