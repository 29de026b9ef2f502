//! Xendit payment requests v3 and invoices v2.

use std::collections::BTreeMap;

use isp_core::payment::{NoticeState, RefundState};
use isp_http::server::Request;
use serde_json::{Value, json};

use super::{
    GivenBack, Reply, SignedWebhook, Transaction, WEBHOOK_KEY, amount, basic, by_id, json_header, key, query_value,
};
use crate::settings::GatewayKind;

type All = BTreeMap<String, Transaction>;

fn said(status: u16, code: &str) -> Reply {
    (status, json!({ "error_code": code, "message": "simulated" }))
}

pub(super) fn answer(all: &mut All, request: &Request, path: &[&str], query: &str, body: &Value) -> Reply {
    if !basic(request, key(GatewayKind::Xendit)) {
        return said(401, "INVALID_API_KEY");
    }
    if path.first() == Some(&"v3") && request.header("api-version").is_none() {
        return said(400, "API_VALIDATION_ERROR");
    }
    let shown = |found: Option<&mut Transaction>| found.map_or_else(|| said(404, "DATA_NOT_FOUND"), |t| (200, told(t)));
    match (request.method.as_str(), path) {
        ("POST", ["v3", "payment_requests"]) => create(all, request, body),
        ("POST", ["v2", "invoices"]) => invoice(all, body),
        ("GET", ["v3", "payment_requests", id] | ["v2", "invoices", id]) => shown(by_id(all, id)),
        ("GET", ["v2", "invoices"]) => {
            let found = query_value(query, "external_id").and_then(|reference| all.get(reference));
            (200, found.map_or_else(|| json!([]), |t| json!([told(t)])))
        }
        ("POST", ["v3", "payment_requests", id, "cancel"]) => end(all, id, NoticeState::Cancelled),
        ("POST", ["invoices", id, "expire!"]) => end(all, id, NoticeState::Expired),
        ("POST", ["refunds"]) => refund(all, request, body),
        ("GET", ["refunds"]) => {
            let of = ["payment_request_id", "invoice_id"].iter().find_map(|key| query_value(query, key));
            let found = of.and_then(|id| by_id(all, id));
            let data: Vec<Value> = found.iter().flat_map(|t| t.refunds.iter().map(|r| refund_told(t, r))).collect();
            (200, json!({ "data": data, "has_more": false }))
        }
        _ => said(404, "NOT_FOUND"),
    }
}

fn end(all: &mut All, id: &str, state: NoticeState) -> Reply {
    match by_id(all, id) {
        None => said(404, "DATA_NOT_FOUND"),
        Some(t) if t.state == NoticeState::Pending => {
            t.state = state;
            (200, told(t))
        }
        Some(_) => said(400, "PAYMENT_REQUEST_ALREADY_COMPLETED"),
    }
}

fn create(all: &mut All, request: &Request, body: &Value) -> Reply {
    let word = |key: &str| body.get(key).and_then(Value::as_str);
    let (Some(reference), Some(asked), Some(channel)) =
        (word("reference_id"), amount(body, "request_amount"), word("channel_code"))
    else {
        return said(400, "API_VALIDATION_ERROR");
    };
    let fits = word("type") == Some("PAY") && word("country") == Some("ID") && word("currency") == Some("IDR");
    // A virtual account without an end would live 31 years.
    let ends = channel == "QRIS" || body.pointer("/channel_properties/expires_at").is_some();
    if !fits || !ends || request.header("idempotency-key").is_none() {
        return said(400, "API_VALIDATION_ERROR");
    }
    // The same key again gives the same request.
    let new = || Transaction::new(reference, format!("pr-{reference}"), asked, channel);
    let transaction = all.entry(reference.to_owned()).or_insert_with(new);
    if transaction.asked != asked {
        return said(409, "IDEMPOTENCY_ERROR");
    }
    (201, told(transaction))
}

/// Takes a refund, which is paid later, from what there is. Money that came to a virtual account or at a shop cannot go back.
fn refund(all: &mut All, request: &Request, body: &Value) -> Reply {
    let word = |key: &str| body.get(key).and_then(Value::as_str);
    let of = word("payment_request_id").or(word("invoice_id"));
    let (Some(of), Some(amount), Some(key)) = (of, amount(body, "amount"), word("reference_id")) else {
        return said(400, "API_VALIDATION_ERROR");
    };
    let reasons = ["FRAUDULENT", "DUPLICATE", "REQUESTED_BY_CUSTOMER", "CANCELLATION", "OTHERS"];
    let fits = word("currency") == Some("IDR") && word("reason").is_some_and(|reason| reasons.contains(&reason));
    if !fits || request.header("idempotency-key") != Some(key) {
        return said(400, "API_VALIDATION_ERROR");
    }
    let Some(t) = by_id(all, of) else { return said(404, "DATA_NOT_FOUND") };
    let known = t.refunds.iter().position(|r| r.key == key);
    if let Some(known) = known {
        let r = &t.refunds[known];
        return if r.amount == amount { (200, refund_told(t, r)) } else { said(409, "IDEMPOTENCY_ERROR") };
    }
    if t.method != "QRIS" && t.method != "PAGE" {
        return said(400, "REFUND_NOT_SUPPORTED");
    }
    if t.state != NoticeState::Paid {
        return said(400, "INELIGIBLE_TRANSACTION");
    }
    if amount > t.refundable() {
        return said(400, "MAXIMUM_REFUND_AMOUNT_REACHED");
    }
    let refund = GivenBack { key: key.to_owned(), amount, state: RefundState::Pending };
    let answer = refund_told(t, &refund);
    t.refunds.push(refund);
    (200, answer)
}

fn refund_told(t: &Transaction, r: &GivenBack) -> Value {
    let (status, failure) = match r.state {
        RefundState::Done => ("SUCCEEDED", None),
        RefundState::Refused => ("FAILED", Some("INSUFFICIENT_BALANCE")),
        _ => ("PENDING", None),
    };
    let of = if t.method == "PAGE" { "invoice_id" } else { "payment_request_id" };
    let mut told = json!({
        "id": format!("rfd-{}", r.key), "reference_id": r.key, "currency": "IDR", "amount": r.amount.as_i64(),
        "status": status, "failure_code": failure,
    });
    told[of] = t.id.as_str().into();
    told
}

fn invoice(all: &mut All, body: &Value) -> Reply {
    let (Some(reference), Some(asked)) = (body.get("external_id").and_then(Value::as_str), amount(body, "amount"))
    else {
        return said(400, "API_VALIDATION_ERROR");
    };
    if all.contains_key(reference) {
        return said(409, "DUPLICATE_ERROR");
    }
    let transaction = Transaction::new(reference, format!("inv{reference}"), asked, "PAGE");
    let answer = told(&transaction);
    all.insert(reference.to_owned(), transaction);
    (200, answer)
}

fn told(t: &Transaction) -> Value {
    let page = t.method == "PAGE";
    let status = match (t.state, page) {
        (NoticeState::Pending, true) => "PENDING",
        (NoticeState::Pending, false) => "REQUIRES_ACTION",
        (NoticeState::Paid | NoticeState::Refunded, true) => "PAID",
        (NoticeState::Paid | NoticeState::Refunded, false) => "SUCCEEDED",
        (NoticeState::Expired, _) => "EXPIRED",
        (NoticeState::Cancelled, _) => "CANCELED",
    };
    let at = t.paid_at.map(|at| at.to_rfc3339());
    if page {
        let mut told = json!({
            "id": t.id, "external_id": t.reference, "status": status, "amount": t.asked.as_i64(), "currency": "IDR",
            "invoice_url": format!("https://checkout-staging.xendit.co/web/{}", t.id), "updated": "2026-01-01T00:00:00Z",
        });
        if t.state == NoticeState::Paid {
            told["paid_amount"] = t.paid.as_i64().into();
            told["paid_at"] = at.into();
            told["adjusted_received_amount"] = (t.paid - t.fee).as_i64().into();
        }
        return told;
    }
    let descriptor = match t.method.as_str() {
        "QRIS" => "QR_STRING",
        "ALFAMART" | "INDOMARET" => "PAYMENT_CODE",
        _ => "VIRTUAL_ACCOUNT_NUMBER",
    };
    let mut told = json!({
        "payment_request_id": t.id, "reference_id": t.reference, "type": "PAY", "country": "ID", "currency": "IDR",
        "request_amount": t.asked.as_i64(), "channel_code": t.method, "status": status, "updated": "2026-01-01T00:00:00Z",
        "actions": [{ "type": "PRESENT_TO_CUSTOMER", "descriptor": descriptor, "value": format!("SIM{}", t.reference) }],
    });
    if t.state == NoticeState::Paid {
        told["updated"] = at.into();
        told["captures"] = json!([{ "capture_amount": t.paid.as_i64() }]);
        told["adjusted_received_amount"] = (t.paid - t.fee).as_i64().into();
    }
    told
}

pub(super) fn webhook(t: &Transaction) -> SignedWebhook {
    let event = match t.state {
        NoticeState::Paid | NoticeState::Refunded => "payment.capture",
        NoticeState::Expired => "payment_request.expiry",
        NoticeState::Pending | NoticeState::Cancelled => "payment.failure",
    };
    let body =
        if t.method == "PAGE" { told(t) } else { json!({ "event": event, "business_id": "sim", "data": told(t) }) };
    let token = ("x-callback-token".to_owned(), WEBHOOK_KEY.to_owned());
    SignedWebhook { headers: vec![json_header(), token], body: body.to_string().into_bytes() }
}
