//! Xendit: payment requests (v3), and invoices for a page.
//!
//! A webhook carries the account's token, which is the same each time and covers nothing: it is a hint, and the status is asked.
//! Payment requests are asked about by Xendit's own id, as it cannot be asked by ours; invoices by either.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use isp_core::Money;
use isp_core::payment::{
    Instructions, NoticeRefused, NoticeState, PayChannel, PaymentNotice, RefundState, notice::header, qris,
};
use isp_core::ports::{Asked, CancelOutcome, Created, GatewayAsk, PaymentGateway, PortError, RefundAnswer, RefundAsk};
use isp_core::text::Code;
use reqwest::{Method, RequestBuilder};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::answer::{
    Answer, Client, Effect, in_rupiah, maybe_rupiah, not_told, owned, reference, refused, rupiah, text, unreadable,
    word,
};
use crate::sign;

const VERSION: &str = "2024-11-11";
/// Ids of payment requests begin so; those of invoices do not.
const REQUEST: &str = "pr-";
/// The account's token, which is the secret itself.
const TOKEN: &str = "x-callback-token";
/// What is kept in its place: a digest of the body under the token. Who can write it has the token.
const KEPT: &str = "x-kept-digest";

#[derive(Debug)]
pub(crate) struct Xendit(pub(crate) Client);

#[async_trait]
impl PaymentGateway for Xendit {
    fn name(&self) -> &Code {
        &self.0.settings.name
    }

    async fn create(&self, ask: &GatewayAsk) -> Result<Created, PortError> {
        if ask.channel == PayChannel::Page { self.invoice(ask).await } else { self.request(ask).await }
    }

    async fn status(&self, asked: &Asked<'_>) -> Result<Option<PaymentNotice>, PortError> {
        let request = match asked.provider_id {
            Some(id) if id.starts_with(REQUEST) => self.0.api(Method::GET, &["v3", "payment_requests", id]),
            Some(id) => self.0.api(Method::GET, &["v2", "invoices", id]),
            None if asked.channel == Some(PayChannel::Page) => {
                self.0.question(&["v2", "invoices"], "external_id", asked.reference.as_str())
            }
            // Its answer was lost, so nobody was given anything to pay it with.
            None => return Ok(Some(self.pending(asked))),
        };
        let answer = self.0.call(self.signed(request), Effect::None).await?;
        let found = match (answer.status, &answer.body) {
            (404, _) => None,
            (200..300, Value::Array(all)) => all.first(),
            (200..300, body) => Some(body),
            (status, _) => {
                return Err(PortError::NotSent { reason: format!("the status cannot be asked (HTTP {status})") });
            }
        };
        let notice = found.map(|body| self.told(body)).transpose().map_err(not_told)?;
        Ok(notice.map(|notice| PaymentNotice { sure: true, ..notice }))
    }

    async fn cancel(&self, asked: &Asked<'_>) -> Result<CancelOutcome, PortError> {
        let request = match asked.provider_id {
            Some(id) if id.starts_with(REQUEST) => self.0.api(Method::POST, &["v3", "payment_requests", id, "cancel"]),
            Some(id) => self.0.api(Method::POST, &["invoices", id, "expire!"]),
            None => return Ok(CancelOutcome::Cannot),
        };
        let answer = self.0.call(self.signed(request), Effect::Some).await?;
        match answer.status {
            200..300 => Ok(CancelOutcome::Cancelled),
            404 => Ok(CancelOutcome::Cancelled),
            400 | 409 => Ok(CancelOutcome::TooLate),
            status => Err(refused("gateway.refused", format!("it cannot be cancelled (HTTP {status})"))),
        }
    }

    fn refunds(&self) -> bool {
        true
    }

    async fn refund(&self, ask: &RefundAsk<'_>) -> Result<RefundAnswer, PortError> {
        let Some(of) = ask.of.provider_id else {
            return Err(refused("gateway.refused", "its id of the payment is not known"));
        };
        let mut body = json!({
            "reference_id": ask.key,
            "currency": "IDR",
            "amount": ask.amount.as_i64(),
            "reason": "REQUESTED_BY_CUSTOMER",
        });
        body[paid_by(of)] = of.into();
        let request = self.signed(self.0.api(Method::POST, &["refunds"])).header("idempotency-key", ask.key);
        let answer = self.0.call(request.json(&body), Effect::Some).await?;
        match answer.status {
            200..300 => refund_of(&answer.body).ok_or_else(unreadable),
            // The same key is under way, or was taken before.
            409 => Err(PortError::Unknown { reason: "the gateway knows this refund already".to_owned() }),
            400..500 => {
                let why = word(text(&answer.body, "error_code"));
                Err(refused("gateway.refused", format!("it does not give the money back: {why}")))
            }
            _ => Err(unreadable()),
        }
    }

    async fn refund_status(&self, ask: &RefundAsk<'_>) -> Result<Option<RefundAnswer>, PortError> {
        let Some(of) = ask.of.provider_id else { return Ok(None) };
        // Their id may have been lost with the answer, so all refunds of the payment are looked at.
        let request = self.0.question(&["refunds"], paid_by(of), of);
        let answer = self.0.call(self.signed(request), Effect::None).await?;
        let untold = || PortError::NotSent { reason: "the answer of the gateway cannot be read".to_owned() };
        match answer.status {
            404 => Ok(None),
            200..300 => {
                let all = answer.body.get("data").and_then(Value::as_array).ok_or_else(untold)?;
                let ours = all.iter().find(|one| text(one, "reference_id") == Some(ask.key));
                // What is not on this page may be on the next one.
                if ours.is_none() && answer.body.get("has_more").and_then(Value::as_bool) == Some(true) {
                    return Err(PortError::NotSent {
                        reason: "the gateway tells only of a part of the refunds".to_owned(),
                    });
                }
                ours.map(|one| refund_of(one).ok_or_else(untold)).transpose()
            }
            status => Err(PortError::NotSent { reason: format!("the refund cannot be asked about (HTTP {status})") }),
        }
    }

    fn read(&self, headers: &[(String, String)], raw_body: &[u8]) -> Result<PaymentNotice, NoticeRefused> {
        if sign::is_blank(&self.0.settings.webhook_key) {
            return Err(NoticeRefused::NotSetUp);
        }
        let key = &self.0.settings.webhook_key;
        let believed = match (header(headers, TOKEN), header(headers, KEPT)) {
            (Some(token), _) => sign::is_secret(token, key),
            (None, Some(digest)) => sign::fits(digest, &sign::hmac_sha256(key, raw_body)),
            (None, None) => return Err(NoticeRefused::SignatureMissing),
        };
        if !believed {
            return Err(NoticeRefused::SignatureMismatch);
        }
        let body: Value = serde_json::from_slice(raw_body).map_err(|_| NoticeRefused::Malformed)?;
        match (text(&body, "event"), body.get("data")) {
            (Some(event), Some(data)) if event.starts_with("payment") => self.event(event, data),
            (Some(_), _) => Err(NoticeRefused::NotAPayment),
            (None, _) => self.told(&body),
        }
    }

    fn kept(&self, _: &[(String, String)], raw_body: &[u8]) -> Vec<(String, String)> {
        vec![(KEPT.to_owned(), sign::hmac_sha256(&self.0.settings.webhook_key, raw_body))]
    }
}

impl Xendit {
    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        request.basic_auth(self.0.settings.key.expose_secret(), Some("")).header("api-version", VERSION)
    }

    async fn request(&self, ask: &GatewayAsk) -> Result<Created, PortError> {
        let channel = channel_code(ask)?;
        let mut properties = json!({ "expires_at": ask.expires_at.format("%Y-%m-%dT%H:%M:%SZ").to_string() });
        if ask.channel == PayChannel::Qris {
            // Its life is fixed there.
            properties = json!({});
        } else {
            properties["display_name"] = ask.payer.as_str().into();
        }
        let body = json!({
            "reference_id": ask.reference.as_str(),
            "type": "PAY",
            "country": "ID",
            "currency": "IDR",
            "request_amount": ask.amount.as_i64(),
            "capture_method": "AUTOMATIC",
            "channel_code": channel,
            "channel_properties": properties,
            "description": ask.description,
        });
        let request = self.0.api(Method::POST, &["v3", "payment_requests"]);
        let request = self.signed(request).header("idempotency-key", ask.reference.as_str()).json(&body);
        let answer = self.0.call(request, Effect::Some).await?;
        taken(&answer)?;
        let instructions = instructions(&answer.body);
        let provider_id = owned(&answer.body, "payment_request_id");
        if instructions.is_empty() || provider_id.is_none() {
            return Err(unreadable());
        }
        Ok(Created { provider_id, instructions, expires_at: None, fee: None })
    }

    async fn invoice(&self, ask: &GatewayAsk) -> Result<Created, PortError> {
        let body = json!({
            "external_id": ask.reference.as_str(),
            "amount": ask.amount.as_i64(),
            "currency": "IDR",
            "invoice_duration": (ask.expires_at - ask.now).num_seconds(),
            "description": ask.description,
        });
        let answer =
            self.0.call(self.signed(self.0.api(Method::POST, &["v2", "invoices"])).json(&body), Effect::Some).await?;
        taken(&answer)?;
        let (provider_id, url) = (owned(&answer.body, "id"), owned(&answer.body, "invoice_url"));
        if provider_id.is_none() || url.is_none() {
            return Err(unreadable());
        }
        let instructions = Instructions { url, ..Instructions::default() };
        Ok(Created { provider_id, instructions, expires_at: None, fee: None })
    }

    /// What a payment request or an invoice says of itself.
    fn told(&self, body: &Value) -> Result<PaymentNotice, NoticeRefused> {
        in_rupiah(body)?;
        let state = match text(body, "status").ok_or(NoticeRefused::NotAPayment)? {
            "SUCCEEDED" | "PAID" | "SETTLED" => NoticeState::Paid,
            "REQUIRES_ACTION" | "ACCEPTING_PAYMENTS" | "AUTHORIZED" | "PENDING" => NoticeState::Pending,
            "EXPIRED" => NoticeState::Expired,
            "FAILED" | "CANCELED" => NoticeState::Cancelled,
            _ => return Err(NoticeRefused::Malformed),
        };
        let request = text(body, "payment_request_id");
        let ours = if request.is_some() { "reference_id" } else { "external_id" };
        let asked = if request.is_some() { "request_amount" } else { "amount" };
        let paid = maybe_rupiah(body.get("paid_amount"))?.or(captured(body)?);
        let gross = match paid.filter(|_| state == NoticeState::Paid) {
            Some(paid) => paid,
            None => rupiah(body.get(asked))?,
        };
        let received = maybe_rupiah(body.get("adjusted_received_amount"))?;
        if received.is_some_and(|received| received > gross) {
            return Err(NoticeRefused::Amount);
        }
        let at = ["paid_at", "updated"].iter().find_map(|key| text(body, key)).and_then(moment);
        Ok(PaymentNotice {
            gateway: self.name().clone(),
            reference: reference("reference", text(body, ours))?,
            provider_id: reference("id", request.or_else(|| text(body, "id")))?,
            state,
            gross,
            payer_fee: Money::ZERO,
            fee: received.map(|received| gross - received),
            paid_at: at.filter(|_| state == NoticeState::Paid),
            channel: owned(body, "channel_code").or_else(|| owned(body, "payment_channel")),
            instructions: instructions(body),
            sure: false,
        })
    }

    /// An event of a payment. Its `reference_id` may be that of the payment method (an old event has it so); Xendit's id of the
    /// request is what it is asked by.
    fn event(&self, event: &str, data: &Value) -> Result<PaymentNotice, NoticeRefused> {
        in_rupiah(data)?;
        let state = match event {
            "payment.capture" | "payment.succeeded" => NoticeState::Paid,
            "payment_request.expiry" => NoticeState::Expired,
            "payment.failure" | "payment.authorization" => NoticeState::Pending,
            _ => return Err(NoticeRefused::NotAPayment),
        };
        let amount = captured(data)?;
        let told = ["request_amount", "amount"].iter().find_map(|key| data.get(*key));
        Ok(PaymentNotice {
            gateway: self.name().clone(),
            reference: reference("reference_id", text(data, "reference_id"))?,
            provider_id: reference("payment_request_id", text(data, "payment_request_id"))?,
            state,
            gross: amount.map_or_else(|| rupiah(told), Ok)?,
            payer_fee: Money::ZERO,
            fee: None,
            paid_at: None,
            channel: owned(data, "channel_code"),
            instructions: Instructions::default(),
            sure: false,
        })
    }

    fn pending(&self, asked: &Asked<'_>) -> PaymentNotice {
        PaymentNotice::waiting(self.name().clone(), asked.reference.clone())
    }
}

/// What names a payment in a refund: a payment request, or an invoice for one that was paid on a page.
fn paid_by(id: &str) -> &'static str {
    if id.starts_with(REQUEST) { "payment_request_id" } else { "invoice_id" }
}

fn refund_of(body: &Value) -> Option<RefundAnswer> {
    let state = match text(body, "status")? {
        "SUCCEEDED" => RefundState::Done,
        "FAILED" | "CANCELLED" | "CANCELED" => RefundState::Refused,
        _ => RefundState::Pending,
    };
    Some(RefundAnswer { state, provider_id: owned(body, "id"), reason: word(text(body, "failure_code")) })
}

/// Whether it took the request.
fn taken(answer: &Answer) -> Result<(), PortError> {
    match (answer.status, text(&answer.body, "error_code")) {
        (200..300, _) => Ok(()),
        (_, Some(code)) if code.contains("DUPLICATE") => {
            Err(refused("gateway.reference_used", "it knows the reference already"))
        }
        (409, _) => Err(refused("gateway.reference_used", "it knows the reference already")),
        (400..500, _) => Err(refused("gateway.refused", format!("it said no (HTTP {})", answer.status))),
        _ => Err(unreadable()),
    }
}

fn channel_code(ask: &GatewayAsk) -> Result<&'static str, PortError> {
    let amount = ask.amount;
    let within = |code, least: i64, most: i64| match (Money::rupiah(least)..=Money::rupiah(most)).contains(&amount) {
        true => Ok(code),
        false => Err(refused("gateway.amount", format!("{code} takes Rp{least} to Rp{most}"))),
    };
    match ask.channel {
        PayChannel::Qris => within("QRIS", 1, qris::MOST.as_i64()),
        PayChannel::VaBca => within("BCA_VIRTUAL_ACCOUNT", 10_000, 50_000_000),
        PayChannel::VaBni => Ok("BNI_VIRTUAL_ACCOUNT"),
        PayChannel::VaBri => Ok("BRI_VIRTUAL_ACCOUNT"),
        PayChannel::VaMandiri => Ok("MANDIRI_VIRTUAL_ACCOUNT"),
        PayChannel::VaPermata => Ok("PERMATA_VIRTUAL_ACCOUNT"),
        PayChannel::VaCimb => Ok("CIMB_VIRTUAL_ACCOUNT"),
        PayChannel::VaBsi => Ok("BSI_VIRTUAL_ACCOUNT"),
        PayChannel::Alfamart => within("ALFAMART", 10_000, 5_000_000),
        PayChannel::Indomaret => within("INDOMARET", 10_000, 5_000_000),
        PayChannel::Page => Err(refused("gateway.channel", "this gateway does not have this channel")),
    }
}

fn instructions(body: &Value) -> Instructions {
    let mut found = Instructions { url: owned(body, "invoice_url"), ..Instructions::default() };
    for action in body.get("actions").and_then(Value::as_array).into_iter().flatten() {
        match (text(action, "descriptor"), owned(action, "value")) {
            (Some("QR_STRING"), value) => found.qris = value,
            (Some("VIRTUAL_ACCOUNT_NUMBER" | "PAYMENT_CODE"), value) => found.number = value,
            _ => {}
        }
    }
    found
}

/// What was captured, where that is told.
fn captured(body: &Value) -> Result<Option<Money>, NoticeRefused> {
    let all = body.get("captures").and_then(Value::as_array).filter(|all| !all.is_empty());
    all.map(|all| all.iter().map(|one| rupiah(one.get("capture_amount"))).sum()).transpose()
}

fn moment(text: &str) -> Option<DateTime<Utc>> {
    crate::answer::moment(DateTime::parse_from_rfc3339(text).ok()?.into())
}
