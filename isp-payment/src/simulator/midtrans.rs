//! Midtrans Core API and Snap.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use isp_core::Money;
use isp_core::payment::NoticeState;
use isp_http::server::Request;
use serde_json::{Value, json};

use super::{MERCHANT, Reply, SignedWebhook, Transaction, amount, basic, json_header, key};
use crate::settings::GatewayKind;
use crate::sign;

type All = BTreeMap<String, Transaction>;

fn said(code: u16, message: &str) -> Reply {
    (code, json!({ "status_code": code.to_string(), "status_message": message }))
}

pub(super) fn answer(all: &mut All, request: &Request, path: &[&str], body: &Value) -> Reply {
    if !basic(request, key(GatewayKind::Midtrans)) {
        return match path {
            ["snap", ..] => (401, json!({ "error_messages": ["Access denied, please check client or server key"] })),
            _ => said(401, "Transaction cannot be authorized with the current client/server key."),
        };
    }
    match (request.method.as_str(), path) {
        ("POST", ["v2", "charge"]) => charge(all, body),
        ("POST", ["snap", "v1", "transactions"]) => page(all, body),
        ("GET", ["v2", order, "status"]) => match all.get(*order).filter(|t| !t.unchosen) {
            Some(transaction) => (200, notification(transaction)),
            None => said(404, "Transaction doesn't exist."),
        },
        ("POST", ["v2", order, "cancel"]) => match all.get_mut(*order).filter(|t| !t.unchosen) {
            None => said(404, "Transaction doesn't exist."),
            Some(transaction) if transaction.state == NoticeState::Pending => {
                transaction.state = NoticeState::Cancelled;
                (200, notification(transaction))
            }
            Some(_) => said(412, "Transaction status cannot be updated."),
        },
        _ => said(404, "The requested resource is not found"),
    }
}

fn wanted(body: &Value) -> Option<(String, Money)> {
    let details = body.get("transaction_details")?;
    let order = details.get("order_id")?.as_str()?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '~' | '.');
    let good = !order.is_empty() && order.len() <= 50 && order.chars().all(fits);
    Some((order.to_owned(), amount(details, "gross_amount")?)).filter(|_| good)
}

/// An order that is paid or active may not be used again; one that has expired may.
fn is_used(all: &All, order: &str) -> bool {
    all.get(order).is_some_and(|t| matches!(t.state, NoticeState::Pending | NoticeState::Paid))
}

fn charge(all: &mut All, body: &Value) -> Reply {
    let Some((order, asked)) = wanted(body) else {
        return said(400, "One or more parameters in the payload is invalid.");
    };
    let Some(kind) = body.get("payment_type").and_then(Value::as_str) else {
        return said(400, "payment_type is required");
    };
    let details = body.get(kind);
    let good = match kind {
        "qris" => true,
        "bank_transfer" => {
            let bank = details.and_then(|d| d.get("bank")).and_then(Value::as_str);
            bank.is_some_and(|bank| ["bca", "bni", "bri", "permata", "cimb"].contains(&bank))
        }
        "echannel" => details.is_some_and(|d| d.get("bill_info1").is_some() && d.get("bill_info2").is_some()),
        "cstore" => {
            let store = details.and_then(|d| d.get("store")).and_then(Value::as_str);
            store.is_some_and(|store| ["alfamart", "indomaret"].contains(&store))
        }
        _ => false,
    };
    if !good {
        return said(400, "One or more parameters in the payload is invalid.");
    }
    if is_used(all, &order) {
        return said(
            406,
            "The request could not be completed due to a conflict with the current state of the target resource",
        );
    }
    let method = details.and_then(|d| d.get("bank")).and_then(Value::as_str).unwrap_or(kind);
    let transaction = Transaction::new(&order, format!("mid-{order}"), asked, method);
    let mut told = notification(&transaction);
    told["status_code"] = "201".into();
    all.insert(order, transaction);
    (200, told)
}

fn page(all: &mut All, body: &Value) -> Reply {
    let Some((order, asked)) = wanted(body) else {
        return (400, json!({ "error_messages": ["transaction_details.order_id is required"] }));
    };
    if all.contains_key(&order) {
        return (400, json!({ "error_messages": ["transaction_details.order_id has already been taken"] }));
    }
    let mut transaction = Transaction::new(&order, format!("mid-{order}"), asked, "qris");
    transaction.unchosen = true;
    let url = format!("https://app.sandbox.midtrans.com/snap/v4/redirection/{order}");
    all.insert(order, transaction);
    (201, json!({ "token": "simulated", "redirect_url": url }))
}

fn notification(t: &Transaction) -> Value {
    let (status, code) = match t.state {
        NoticeState::Pending => ("pending", "201"),
        NoticeState::Paid => ("settlement", "200"),
        NoticeState::Expired => ("expire", "407"),
        NoticeState::Cancelled => ("cancel", "200"),
        NoticeState::Refunded => ("refund", "200"),
    };
    let gross = format!("{}.00", (t.paid + t.payer_fee).as_i64());
    let mut told = json!({
        "transaction_time": wib(DateTime::UNIX_EPOCH),
        "transaction_status": status,
        "transaction_id": t.id,
        "status_code": code,
        "payment_type": "bank_transfer",
        "order_id": t.reference,
        "merchant_id": MERCHANT,
        "gross_amount": gross,
        "fraud_status": "accept",
        "currency": "IDR",
    });
    match t.method.as_str() {
        "qris" => told["qr_string"] = format!("00020101021226SIM{}", t.reference).into(),
        "permata" => told["permata_va_number"] = "8562000087926752".into(),
        "echannel" => {
            told["bill_key"] = "990000000260".into();
            told["biller_code"] = "70012".into();
        }
        "cstore" => told["payment_code"] = "010811223344".into(),
        bank => told["va_numbers"] = json!([{ "bank": bank, "va_number": "333333333333333" }]),
    }
    if let Some(at) = t.paid_at {
        told["settlement_time"] = wib(at).into();
    }
    if t.state == NoticeState::Refunded {
        told["refund_amount"] = gross.into();
    }
    if t.payer_fee.is_positive() {
        let info = json!({ "original_amount": t.paid.as_i64().to_string() });
        told["metadata"] = json!({ "extra_info": { "gross_amount_info": info } });
    }
    told
}

pub(super) fn webhook(t: &Transaction) -> SignedWebhook {
    let mut told = notification(t);
    let part = |key: &str| told.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let signed = [part("order_id"), part("status_code"), part("gross_amount")].concat();
    told["signature_key"] = sign::sha512(&(signed + key(GatewayKind::Midtrans))).into();
    SignedWebhook { headers: vec![json_header()], body: told.to_string().into_bytes() }
}

fn wib(at: DateTime<Utc>) -> String {
    (at + TimeDelta::hours(7)).format("%Y-%m-%d %H:%M:%S").to_string()
}
