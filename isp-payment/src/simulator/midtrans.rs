//! Midtrans Core API and Snap.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use isp_core::Money;
use isp_core::payment::{NoticeState, RefundState};
use isp_http::server::Request;
use serde_json::{Value, json};

use super::{GivenBack, MERCHANT, Reply, SignedWebhook, Transaction, amount, basic, json_header, key};
use crate::settings::GatewayKind;
use crate::sign;

type All = BTreeMap<String, Transaction>;

fn said(code: u16, message: &str) -> Reply {
    (code, json!({ "status_code": code.to_string(), "status_message": message }))
}

pub(super) fn answer(
    all: &mut All,
    balance: &mut Option<Money>,
    request: &Request,
    path: &[&str],
    body: &Value,
) -> Reply {
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
        ("POST", ["v2", order, "refund", "online", "direct"]) => refund(all.get_mut(*order), balance, body, true),
        ("POST", ["v2", order, "refund"]) => refund(all.get_mut(*order), balance, body, false),
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

/// Gives money back: at once by the bank or wallet itself, or later. Money that came to a virtual account or at a shop cannot go back.
fn refund(found: Option<&mut Transaction>, balance: &mut Option<Money>, body: &Value, at_once: bool) -> Reply {
    let Some(t) = found.filter(|t| !t.unchosen) else { return said(404, "Transaction doesn't exist.") };
    let word = |key: &str| body.get(key).and_then(Value::as_str).filter(|word| !word.is_empty());
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let key = word("refund_key").filter(|key| key.chars().all(fits));
    let (Some(key), Some(amount), Some(_)) = (key, amount(body, "amount"), word("reason")) else {
        return said(400, "One or more parameters in the payload is invalid.");
    };
    let direct = matches!(payment_type(t), "qris" | "gopay" | "shopeepay");
    let later = !at_once && matches!(payment_type(t), "dana" | "ovo");
    if !direct && !later {
        return said(412, "Refund is not supported for this payment method");
    }
    // The same key once more is the same refund.
    if !t.refunds.iter().any(|r| r.key == key) {
        if amount > t.refundable() {
            return said(412, "Refund amount exceeds what can be refunded");
        }
        if balance.is_some_and(|balance| balance < amount) {
            return said(412, "Insufficient balance to refund");
        }
        *balance = balance.map(|balance| balance - amount);
        let state = if at_once { RefundState::Done } else { RefundState::Pending };
        t.refunds.push(GivenBack { key: key.to_owned(), amount, state });
    }
    let number = t.refunds.iter().position(|r| r.key == key).unwrap_or_default();
    let mut told = notification(t);
    told["refund_chargeback_id"] = (number + 1).into();
    told["refund_key"] = key.into();
    told["status_message"] = "Success, refund request is approved".into();
    (200, told)
}

/// How it was paid, as notifications name it.
fn payment_type(t: &Transaction) -> &str {
    match t.method.as_str() {
        known @ ("qris" | "echannel" | "cstore" | "gopay" | "shopeepay" | "dana" | "ovo") => known,
        _ => "bank_transfer",
    }
}

fn notification(t: &Transaction) -> Value {
    let back = t.given_back();
    let (status, code) = match t.state {
        NoticeState::Paid if back.is_positive() && back < t.paid => ("partial_refund", "200"),
        NoticeState::Paid if back.is_positive() => ("refund", "200"),
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
        "payment_type": payment_type(t),
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
        "gopay" | "shopeepay" | "dana" | "ovo" => {}
        bank => told["va_numbers"] = json!([{ "bank": bank, "va_number": "333333333333333" }]),
    }
    if let Some(at) = t.paid_at {
        told["settlement_time"] = wib(at).into();
    }
    if t.state == NoticeState::Refunded {
        told["refund_amount"] = gross.into();
    }
    if back.is_positive() {
        told["refund_amount"] = format!("{}.00", back.as_i64()).into();
        let one = |(number, r): (usize, &GivenBack)| {
            let mut one = json!({
                "refund_chargeback_id": number + 1,
                "refund_amount": format!("{}.00", r.amount.as_i64()),
                "refund_key": r.key,
                "reason": "Pengembalian dana",
            });
            if r.state == RefundState::Done {
                one["bank_confirmed_at"] = wib(DateTime::UNIX_EPOCH).into();
            }
            one
        };
        let stands = t.refunds.iter().enumerate().filter(|(_, r)| r.state != RefundState::Refused);
        told["refunds"] = stands.map(one).collect();
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
