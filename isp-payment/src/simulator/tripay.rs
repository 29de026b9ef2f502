//! Tripay, closed payments.

use std::collections::BTreeMap;

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
    let mut told = fees(t);
    told["total_amount"] = (t.paid + t.payer_fee).as_i64().into();
    let body = told.to_string().into_bytes();
    let signature = sign::hmac_sha256(&WEBHOOK_KEY.into(), &body);
    let event = ("x-callback-event".to_owned(), "payment_status".to_owned());
    SignedWebhook { headers: vec![json_header(), event, ("x-callback-signature".to_owned(), signature)], body }
}
