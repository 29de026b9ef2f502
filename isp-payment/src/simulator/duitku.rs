//! Duitku, API v2 and POP.

use std::collections::BTreeMap;

use isp_core::payment::NoticeState;
use isp_http::server::Request;
use serde_json::{Value, json};

use super::{MERCHANT, Reply, SignedWebhook, Transaction, amount, key};
use crate::settings::GatewayKind;
use crate::sign;

type All = BTreeMap<String, Transaction>;

fn said(status: u16, message: &str) -> Reply {
    (status, json!({ "Message": message }))
}

fn signature(text: &str) -> String {
    sign::md5(&format!("{text}{}", key(GatewayKind::Duitku)))
}

pub(super) fn answer(all: &mut All, path: &[&str], body: &Value) -> Reply {
    let word = |key: &str| body.get(key).and_then(Value::as_str).filter(|word| !word.is_empty());
    if word("merchantCode") != Some(MERCHANT) {
        return said(404, "Merchant not found");
    }
    let Some(order) = word("merchantOrderId") else { return said(400, "merchantOrderId is required") };
    match path {
        ["webapi", "api", "merchant", "v2", "inquiry"] => {
            let Some(asked) = amount(body, "paymentAmount") else { return said(400, "Minimum Payment 10000 IDR") };
            if word("signature") != Some(signature(&format!("{MERCHANT}{order}{}", asked.as_i64())).as_str()) {
                return said(400, "Wrong signature");
            }
            let needed = ["paymentMethod", "productDetails", "email", "callbackUrl", "returnUrl"];
            if needed.into_iter().any(|key| word(key).is_none())
                || word("customerVaName").is_some_and(|name| name.chars().count() > 20)
            {
                return said(400, "Invalid parameter");
            }
            if all.contains_key(order) {
                return said(409, "Duplicate merchantOrderId");
            }
            let method = word("paymentMethod").unwrap_or_default();
            let transaction = Transaction::new(order, format!("{MERCHANT}{order}"), asked, method);
            let mut told = json!({
                "merchantCode": MERCHANT, "reference": transaction.id, "amount": asked.as_i64().to_string(),
                "statusCode": "00", "statusMessage": "SUCCESS",
                "paymentUrl": format!("https://sandbox.duitku.com/topup/{order}"),
            });
            if method == "SP" {
                told["qrString"] = format!("00020101021226SIM{order}").into();
            } else {
                told["vaNumber"] = "7007014001444348".into();
            }
            all.insert(order.to_owned(), transaction);
            (200, told)
        }
        ["webapi", "api", "merchant", "transactionStatus"] => status(all, order, word("signature")),
        _ => said(404, "Not found"),
    }
}

/// What POP answers: its create call is signed in headers, and gives a page.
pub(super) fn answer_pop(all: &mut All, request: &Request, path: &[&str], body: &Value) -> Reply {
    let word = |key: &str| body.get(key).and_then(Value::as_str).filter(|word| !word.is_empty());
    let Some(order) = word("merchantOrderId") else { return said(400, "merchantOrderId is required") };
    match path {
        ["api", "merchant", "createInvoice"] => {
            let header = |name: &str| request.header(name).unwrap_or_default();
            let millis = header("x-duitku-timestamp");
            let signed = sign::sha256(&format!("{MERCHANT}{millis}{}", key(GatewayKind::DuitkuPop)));
            if header("x-duitku-merchantcode") != MERCHANT || header("x-duitku-signature") != signed {
                return said(401, "Unauthorized");
            }
            let Some(asked) = amount(body, "paymentAmount") else { return said(400, "Minimum Payment 10000 IDR") };
            let needed = ["productDetails", "email", "callbackUrl", "returnUrl"];
            if needed.into_iter().any(|key| word(key).is_none()) || millis.len() != 13 {
                return said(400, "Invalid parameter");
            }
            if all.contains_key(order) {
                return said(409, "Duplicate merchantOrderId");
            }
            let method = word("paymentMethod").unwrap_or_default();
            let transaction = Transaction::new(order, format!("{MERCHANT}{order}"), asked, method);
            let told = json!({
                "merchantCode": MERCHANT, "reference": transaction.id, "statusCode": "00", "statusMessage": "SUCCESS",
                "paymentUrl": format!("https://app-sandbox.duitku.com/redirect_checkout?reference={order}"),
            });
            all.insert(order.to_owned(), transaction);
            (200, told)
        }
        ["api", "merchant", "transactionStatus"] => status(all, order, word("signature")),
        _ => said(404, "Not found"),
    }
}

fn status(all: &All, order: &str, given: Option<&str>) -> Reply {
    if given != Some(signature(&format!("{MERCHANT}{order}")).as_str()) {
        return said(400, "Wrong signature");
    }
    let Some(t) = all.get(order) else { return said(404, "Transaction not found") };
    let code = match t.state {
        NoticeState::Paid => "00",
        NoticeState::Pending => "01",
        NoticeState::Expired | NoticeState::Cancelled | NoticeState::Refunded => "02",
    };
    let told = json!({
        "merchantOrderId": order, "reference": t.id, "amount": t.paid.as_i64().to_string(),
        "fee": format!("{}.00", t.fee.as_i64()), "statusCode": code, "statusMessage": "SIMULATED",
    });
    (200, told)
}

pub(super) fn webhook(t: &Transaction) -> SignedWebhook {
    let amount = t.paid.as_i64();
    let code = if t.state == NoticeState::Paid { "00" } else { "01" };
    let signed = signature(&format!("{MERCHANT}{amount}{}", t.reference));
    let body = format!(
        "merchantCode={MERCHANT}&amount={amount}&merchantOrderId={}&productDetail=Internet+November&additionalParam=\
         &paymentCode={}&resultCode={code}&merchantUserId=&reference={}&signature={signed}",
        t.reference, t.method, t.id
    );
    let kind = ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned());
    SignedWebhook { headers: vec![kind], body: body.into_bytes() }
}
