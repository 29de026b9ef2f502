//! Midtrans: Core API for a QRIS code, a virtual account or a shop; Snap for a page.
//!
//! What counts is `status_code` in the body. The signature of a notification covers the order, the code and the amount, and not
//! the status, so a notification is a hint and the status is asked.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use isp_core::Money;
use isp_core::payment::{Instructions, NoticeRefused, NoticeState, PayChannel, PaymentNotice, RefundState, qris};
use isp_core::ports::{Asked, CancelOutcome, Created, GatewayAsk, PaymentGateway, PortError, RefundAnswer, RefundAsk};
use isp_core::text::Code;
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::answer::{
    Answer, Client, Effect, id_of, in_rupiah, moment, not_told, owned, reference, refused, rupiah, text, unreadable,
    word,
};
use crate::sign;

#[derive(Debug)]
pub(crate) struct Midtrans(pub(crate) Client);

#[async_trait]
impl PaymentGateway for Midtrans {
    fn name(&self) -> &Code {
        &self.0.settings.name
    }

    async fn create(&self, ask: &GatewayAsk) -> Result<Created, PortError> {
        if ask.channel == PayChannel::Page { self.page(ask).await } else { self.charge(ask).await }
    }

    async fn status(&self, asked: &Asked<'_>) -> Result<Option<PaymentNotice>, PortError> {
        let request = self.signed(self.0.api(Method::GET, &["v2", asked.reference.as_str(), "status"]));
        let answer = self.0.call(request, Effect::None).await?;
        match code_of(&answer) {
            // A page is unknown to the API until its customer has chosen how to pay.
            404 if asked.channel == Some(PayChannel::Page) => {
                Ok(Some(PaymentNotice::waiting(self.name().clone(), asked.reference.clone())))
            }
            404 => Ok(None),
            // Expired ones are told with 407, refused ones with 202.
            200 | 201 | 202 | 407 => {
                let notice = self.notice(&answer.body, asked.channel).map_err(not_told)?;
                Ok((notice.reference == *asked.reference).then_some(PaymentNotice { sure: true, ..notice }))
            }
            401 => Err(refused("gateway.key", "it does not take the key")),
            code => Err(PortError::NotSent { reason: format!("the status cannot be asked ({code})") }),
        }
    }

    async fn cancel(&self, asked: &Asked<'_>) -> Result<CancelOutcome, PortError> {
        let request = self.signed(self.0.api(Method::POST, &["v2", asked.reference.as_str(), "cancel"]));
        let answer = self.0.call(request, Effect::Some).await?;
        match code_of(&answer) {
            200 => Ok(CancelOutcome::Cancelled),
            404 if asked.channel == Some(PayChannel::Page) => Ok(CancelOutcome::Cannot),
            404 => Ok(CancelOutcome::Cancelled),
            // Its state does not let it: it was paid, or has expired.
            407 | 412 => Ok(CancelOutcome::TooLate),
            401 => Err(refused("gateway.key", "it does not take the key")),
            code => Err(refused("gateway.refused", format!("it cannot be cancelled ({code})"))),
        }
    }

    fn refunds(&self) -> bool {
        true
    }

    async fn refund(&self, ask: &RefundAsk<'_>) -> Result<RefundAnswer, PortError> {
        let Some(before) = self.transaction(&ask.of).await? else {
            return Err(refused("gateway.refused", "it does not know the payment"));
        };
        if let Some(known) = refund_of(&before, ask.key) {
            return Ok(known);
        }
        // Some ways of paying are given back at once, by the bank or wallet itself; others by Midtrans, later.
        let order = ask.of.reference.as_str();
        let path: &[&str] =
            if at_once(&before) { &["v2", order, "refund", "online", "direct"] } else { &["v2", order, "refund"] };
        let body = json!({ "refund_key": ask.key, "amount": ask.amount.as_i64(), "reason": "Pengembalian dana" });
        let answer = self.0.call(self.signed(self.0.api(Method::POST, path)).json(&body), Effect::Some).await?;
        match code_of(&answer) {
            200..=202 => {
                let state = if at_once(&before) { RefundState::Done } else { RefundState::Pending };
                let provider_id = id_of(&answer.body, "refund_chargeback_id");
                Ok(RefundAnswer { state, provider_id, reason: String::new() })
            }
            401 => Err(refused("gateway.key", "it does not take the key")),
            // The same key is under way, or was taken before.
            406 | 409 => Err(PortError::Unknown { reason: "the gateway knows this refund already".to_owned() }),
            code @ 400..=499 => {
                let why = word(text(&answer.body, "status_message"));
                Err(refused("gateway.refused", format!("it does not give the money back: {code} {why}")))
            }
            _ => Err(unreadable()),
        }
    }

    async fn refund_status(&self, ask: &RefundAsk<'_>) -> Result<Option<RefundAnswer>, PortError> {
        Ok(self.transaction(&ask.of).await?.and_then(|told| refund_of(&told, ask.key)))
    }

    fn read(&self, _: &[(String, String)], raw_body: &[u8]) -> Result<PaymentNotice, NoticeRefused> {
        let key = &self.0.settings.key;
        if sign::is_blank(key) {
            return Err(NoticeRefused::NotSetUp);
        }
        let body: Value = serde_json::from_slice(raw_body).map_err(|_| NoticeRefused::Malformed)?;
        let given = text(&body, "signature_key").ok_or(NoticeRefused::SignatureMissing)?;
        let part = |key| text(&body, key).ok_or(NoticeRefused::Malformed);
        // The texts as they came: `165000.00` is signed with its zeros.
        let signed = [part("order_id")?, part("status_code")?, part("gross_amount")?, key.expose_secret()].concat();
        if !sign::fits(given, &sign::sha512(&signed)) {
            return Err(NoticeRefused::SignatureMismatch);
        }
        let merchant = self.0.settings.merchant.trim();
        if !merchant.is_empty() && text(&body, "merchant_id").is_some_and(|told| told != merchant) {
            return Err(NoticeRefused::OtherAccount);
        }
        self.notice(&body, None)
    }

    fn kept(&self, _: &[(String, String)], _: &[u8]) -> Vec<(String, String)> {
        // Its signature is in the body.
        Vec::new()
    }
}

impl Midtrans {
    fn signed(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        request.basic_auth(self.0.settings.key.expose_secret(), Some(""))
    }

    /// What it says of a request; `None` when it does not know it.
    async fn transaction(&self, asked: &Asked<'_>) -> Result<Option<Value>, PortError> {
        let request = self.signed(self.0.api(Method::GET, &["v2", asked.reference.as_str(), "status"]));
        let answer = self.0.call(request, Effect::None).await?;
        match code_of(&answer) {
            404 => Ok(None),
            200..=202 | 407 => Ok(Some(answer.body)),
            401 => Err(refused("gateway.key", "it does not take the key")),
            code => Err(PortError::NotSent { reason: format!("the status cannot be asked ({code})") }),
        }
    }

    async fn charge(&self, ask: &GatewayAsk) -> Result<Created, PortError> {
        let minutes = (ask.expires_at - ask.now).num_minutes().max(1);
        let mut body = json!({
            "transaction_details": { "order_id": ask.reference.as_str(), "gross_amount": ask.amount.as_i64() },
            "custom_expiry": { "expiry_duration": minutes, "unit": "minute" },
        });
        let (kind, details) = means(ask)?;
        body["payment_type"] = kind.into();
        body[kind] = details;
        let request = self.0.api(Method::POST, &["v2", "charge"]).header("idempotency-key", ask.reference.as_str());
        let answer = self.0.call(self.forwarded(self.signed(request)).json(&body), Effect::Some).await?;
        match code_of(&answer) {
            200 | 201 => {}
            401 => return Err(refused("gateway.key", "it does not take the key")),
            406 => return Err(refused("gateway.reference_used", "it knows the reference already")),
            // The same call is under way: what becomes of it is not known.
            409 => return Err(PortError::Unknown { reason: "the gateway still works on it".to_owned() }),
            code @ 400..=499 => return Err(refused("gateway.refused", format!("it said no ({code})"))),
            _ => return Err(unreadable()),
        }
        let instructions = instructions(&answer.body);
        if instructions.is_empty() {
            return Err(unreadable());
        }
        let expires_at = text(&answer.body, "expiry_time").and_then(wib);
        Ok(Created { provider_id: owned(&answer.body, "transaction_id"), instructions, expires_at, fee: None })
    }

    async fn page(&self, ask: &GatewayAsk) -> Result<Created, PortError> {
        let minutes = (ask.expires_at - ask.now).num_minutes().max(1);
        let body = json!({
            "transaction_details": { "order_id": ask.reference.as_str(), "gross_amount": ask.amount.as_i64() },
            "expiry": { "unit": "minutes", "duration": minutes },
        });
        let request = self.signed(self.0.pages(Method::POST, &["snap", "v1", "transactions"]));
        let answer = self.0.call(self.forwarded(request).json(&body), Effect::Some).await?;
        if (400..500).contains(&answer.status) {
            let used = answer.body.to_string().contains("order_id");
            let code = if used { "gateway.reference_used" } else { "gateway.refused" };
            return Err(refused(code, format!("it said no (HTTP {})", answer.status)));
        }
        let url = owned(&answer.body, "redirect_url").ok_or_else(unreadable)?;
        let instructions = Instructions { url: Some(url), ..Instructions::default() };
        Ok(Created { provider_id: None, instructions, expires_at: None, fee: None })
    }

    /// Where its notifications go, if not where the account says.
    fn forwarded(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match &self.0.settings.callback_url {
            Some(url) => request.header("x-override-notification", url),
            None => request,
        }
    }

    /// What a notification or the answer to a question says.
    fn notice(&self, body: &Value, channel: Option<PayChannel>) -> Result<PaymentNotice, NoticeRefused> {
        in_rupiah(body)?;
        let fraud = text(body, "fraud_status").unwrap_or("accept");
        let state = match text(body, "transaction_status").ok_or(NoticeRefused::NotAPayment)? {
            "settlement" => NoticeState::Paid,
            "capture" if fraud == "accept" => NoticeState::Paid,
            "capture" | "pending" | "authorize" => NoticeState::Pending,
            // On a page the customer may try again.
            "deny" | "failure" if channel == Some(PayChannel::Page) => NoticeState::Pending,
            "deny" | "failure" | "cancel" => NoticeState::Cancelled,
            "expire" => NoticeState::Expired,
            "refund" | "partial_refund" | "chargeback" | "partial_chargeback" => NoticeState::Refunded,
            _ => return Err(NoticeRefused::Malformed),
        };
        let paid = rupiah(body.get("gross_amount"))?;
        // What the payer paid on top for the gateway is no money of the customer's.
        let told = body.pointer("/metadata/extra_info/gross_amount_info/original_amount");
        let original = told.map(|told| rupiah(Some(told))).transpose()?.unwrap_or(paid);
        if original > paid {
            return Err(NoticeRefused::Amount);
        }
        // All that went back: the sum of the single refunds where they are told.
        let single = body.get("refunds").and_then(Value::as_array).filter(|all| !all.is_empty());
        let gross = match (state, single, body.get("refund_amount")) {
            (NoticeState::Refunded, Some(all), _) => {
                all.iter().map(|one| rupiah(one.get("refund_amount"))).sum::<Result<Money, _>>()?
            }
            (NoticeState::Refunded, None, told @ Some(_)) => rupiah(told)?,
            _ => original,
        };
        let at = text(body, "settlement_time").or_else(|| text(body, "transaction_time"));
        Ok(PaymentNotice {
            gateway: self.name().clone(),
            reference: reference("order_id", text(body, "order_id"))?,
            provider_id: reference("transaction_id", text(body, "transaction_id"))?,
            state,
            gross,
            payer_fee: paid - original,
            fee: None,
            paid_at: at.and_then(wib).filter(|_| state == NoticeState::Paid),
            channel: owned(body, "payment_type"),
            instructions: instructions(body),
            sure: false,
        })
    }
}

/// `status_code` of the body, or the HTTP status where there is none.
fn code_of(answer: &Answer) -> u16 {
    text(&answer.body, "status_code").and_then(|code| code.parse().ok()).unwrap_or(answer.status)
}

/// True for a way of paying whose money goes back at once, by `refund/online/direct`.
fn at_once(transaction: &Value) -> bool {
    let kind = text(transaction, "payment_type").unwrap_or_default();
    matches!(kind, "qris" | "gopay" | "shopeepay" | "credit_card" | "akulaku" | "kredivo")
}

/// What is told of the refund with a key of ours. One that Midtrans gives back itself is done when the bank has confirmed it.
fn refund_of(transaction: &Value, key: &str) -> Option<RefundAnswer> {
    let all = transaction.get("refunds").and_then(Value::as_array)?;
    let one = all.iter().find(|one| text(one, "refund_key") == Some(key))?;
    let done = at_once(transaction) || text(one, "bank_confirmed_at").is_some();
    let state = if done { RefundState::Done } else { RefundState::Pending };
    Some(RefundAnswer { state, provider_id: id_of(one, "refund_chargeback_id"), reason: String::new() })
}

/// The payment type with its details.
fn means(ask: &GatewayAsk) -> Result<(&'static str, Value), PortError> {
    let bank = |bank: &str| ("bank_transfer", json!({ "bank": bank }));
    let shop = |store: &str| ("cstore", json!({ "store": store, "message": ask.description }));
    Ok(match ask.channel {
        PayChannel::Qris if ask.amount > qris::MOST => return Err(refused("gateway.amount", "too much for QRIS")),
        PayChannel::Qris => ("qris", json!({ "acquirer": "gopay" })),
        PayChannel::VaBca => bank("bca"),
        PayChannel::VaBni => bank("bni"),
        PayChannel::VaBri => bank("bri"),
        PayChannel::VaPermata => bank("permata"),
        PayChannel::VaCimb => bank("cimb"),
        PayChannel::VaMandiri => ("echannel", json!({ "bill_info1": "Pembayaran:", "bill_info2": ask.description })),
        PayChannel::Alfamart => shop("alfamart"),
        PayChannel::Indomaret => shop("indomaret"),
        PayChannel::VaBsi | PayChannel::Page => {
            return Err(refused("gateway.channel", "this gateway does not have this channel"));
        }
    })
}

fn instructions(body: &Value) -> Instructions {
    let va = body.pointer("/va_numbers/0").and_then(|first| owned(first, "va_number"));
    let number = va
        .or_else(|| owned(body, "permata_va_number"))
        .or_else(|| owned(body, "bill_key"))
        .or_else(|| owned(body, "payment_code"));
    Instructions { number, biller: owned(body, "biller_code"), qris: owned(body, "qr_string"), url: None }
}

/// `2026-11-22 10:00:30`, in Jakarta.
fn wib(text: &str) -> Option<DateTime<Utc>> {
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok()?;
    // No signature covers it, so any year may stand there.
    moment(local.checked_sub_signed(TimeDelta::hours(7))?.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_nobody_lives_in_is_none() {
        assert_eq!(wib("2026-11-22 10:00:30").map(|at| at.to_rfc3339()).as_deref(), Some("2026-11-22T03:00:30+00:00"));
        for strange in
            ["-262143-01-01 00:00:00", "262142-12-31 23:59:59", "0000-01-01 00:00:00", "2026-13-01 00:00:00", ""]
        {
            assert_eq!(wib(strange), None, "{strange}");
        }
    }
}
