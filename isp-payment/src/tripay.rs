//! Tripay, closed payments: the amount is fixed and its code is used once.
//!
//! The signature of a callback covers all of its body. `total_amount` holds the fee that the payer pays on top.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use isp_core::money::Money;
use isp_core::payment::notice::{header, only};
use isp_core::payment::{Instructions, NoticeRefused, NoticeState, PayChannel, PaymentNotice};
use isp_core::ports::{Asked, CancelOutcome, Created, GatewayAsk, PaymentGateway, PortError};
use isp_core::text::Code;
use reqwest::{Method, RequestBuilder};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::answer::{
    Client, Effect, maybe_rupiah, moment, not_told, owned, reference, refused, rupiah, text, unreadable,
};
use crate::sign;

const SIGNATURE: &str = "x-callback-signature";
const EVENT: &str = "x-callback-event";

#[derive(Debug)]
pub(crate) struct Tripay(pub(crate) Client);

#[async_trait]
impl PaymentGateway for Tripay {
    fn name(&self) -> &Code {
        &self.0.settings.name
    }

    async fn create(&self, ask: &GatewayAsk) -> Result<Created, PortError> {
        let settings = &self.0.settings;
        let amount = ask.amount.as_i64();
        let signed = format!("{}{}{amount}", settings.merchant, ask.reference);
        // A longer name gives "Internal service error".
        let name: String = ask.payer.as_str().chars().take(50).collect();
        let mut body = json!({
            "method": method(ask.channel)?,
            "merchant_ref": ask.reference.as_str(),
            "amount": amount,
            "customer_name": name,
            "customer_email": settings.email,
            "order_items": [{ "name": ask.description, "price": amount, "quantity": 1 }],
            "expired_time": ask.expires_at.timestamp(),
            "signature": sign::hmac_sha256(&settings.webhook_key, signed.as_bytes()),
        });
        if let Some(url) = &settings.callback_url {
            body["callback_url"] = url.as_str().into();
        }
        let request = self.signed(self.0.api(Method::POST, &["transaction", "create"])).json(&body);
        let answer = self.0.call(request, Effect::Some).await?;
        let data = match (answer.status, answer.body.get("success").and_then(Value::as_bool), answer.body.get("data")) {
            (200..300, Some(true), Some(data)) => data,
            (_, Some(false), _) | (400..500, ..) => {
                return Err(refused("gateway.refused", format!("it said no (HTTP {})", answer.status)));
            }
            _ => return Err(unreadable()),
        };
        let instructions = instructions(data);
        let provider_id = owned(data, "reference");
        if instructions.is_empty() || provider_id.is_none() {
            return Err(unreadable());
        }
        let fee = maybe_rupiah(data.get("fee_merchant")).map_err(|_| unreadable())?;
        let expires_at = data.get("expired_time").and_then(Value::as_i64).and_then(seconds);
        Ok(Created { provider_id, instructions, expires_at, fee })
    }

    async fn status(&self, asked: &Asked<'_>) -> Result<Option<PaymentNotice>, PortError> {
        let request = match asked.provider_id {
            Some(id) => self.0.question(&["transaction", "detail"], "reference", id),
            // Its answer was lost: it is looked for by our reference.
            None => self.0.question(&["merchant", "transactions"], "merchant_ref", asked.reference.as_str()),
        };
        let answer = self.0.call(self.signed(request), Effect::None).await?;
        let found = match (answer.status, answer.body.get("data")) {
            (404, _) => None,
            (200..300, Some(Value::Array(all))) => {
                all.iter().find(|one| text(one, "merchant_ref") == Some(asked.reference.as_str()))
            }
            (200..300, Some(data @ Value::Object(_))) => Some(data),
            (200..300, _) => None,
            (status, _) => {
                return Err(PortError::NotSent { reason: format!("the status cannot be asked (HTTP {status})") });
            }
        };
        let notice = found.map(|data| self.notice(data, "amount")).transpose().map_err(not_told)?;
        Ok(notice.filter(|notice| notice.reference == *asked.reference))
    }

    async fn cancel(&self, _: &Asked<'_>) -> Result<CancelOutcome, PortError> {
        // It has no call for this.
        Ok(CancelOutcome::Cannot)
    }

    fn read(&self, headers: &[(String, String)], raw_body: &[u8]) -> Result<PaymentNotice, NoticeRefused> {
        let body = self.told(headers, raw_body)?;
        if body.get("is_closed_payment").and_then(Value::as_i64).is_some_and(|closed| closed != 1) {
            return Err(NoticeRefused::NotAPayment);
        }
        self.notice(&body, "total_amount")
    }

    fn kept(&self, headers: &[(String, String)], _: &[u8]) -> Vec<(String, String)> {
        only(headers, &[SIGNATURE, EVENT])
    }

    fn acknowledgement(&self) -> &'static str {
        r#"{"success":true}"#
    }
}

impl Tripay {
    /// The body of a callback that is signed and about a payment.
    pub(crate) fn told(&self, headers: &[(String, String)], raw_body: &[u8]) -> Result<Value, NoticeRefused> {
        let key = &self.0.settings.webhook_key;
        if sign::is_blank(key) {
            return Err(NoticeRefused::NotSetUp);
        }
        let given = header(headers, SIGNATURE).ok_or(NoticeRefused::SignatureMissing)?;
        if !sign::fits(given, &sign::hmac_sha256(key, raw_body)) {
            return Err(NoticeRefused::SignatureMismatch);
        }
        if header(headers, EVENT) != Some("payment_status") {
            return Err(NoticeRefused::NotAPayment);
        }
        serde_json::from_slice(raw_body).map_err(|_| NoticeRefused::Malformed)
    }

    pub(crate) fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(self.0.settings.key.expose_secret())
    }

    /// What a callback or a transaction says; the amount has another name in each.
    pub(crate) fn notice(&self, body: &Value, total: &str) -> Result<PaymentNotice, NoticeRefused> {
        let state = match text(body, "status").ok_or(NoticeRefused::Malformed)? {
            "PAID" => NoticeState::Paid,
            "UNPAID" => NoticeState::Pending,
            "EXPIRED" => NoticeState::Expired,
            "FAILED" => NoticeState::Cancelled,
            "REFUND" => NoticeState::Refunded,
            _ => return Err(NoticeRefused::Malformed),
        };
        let (gross, payer_fee, fee) = amounts(body, total)?;
        Ok(PaymentNotice {
            gateway: self.name().clone(),
            reference: reference("merchant_ref", text(body, "merchant_ref"))?,
            provider_id: reference("reference", text(body, "reference"))?,
            state,
            gross,
            payer_fee,
            fee,
            paid_at: body.get("paid_at").and_then(Value::as_i64).and_then(seconds),
            channel: owned(body, "payment_method_code").or_else(|| owned(body, "payment_method")),
            instructions: instructions(body),
            sure: true,
        })
    }
}

/// What counts for the customer, what the payer paid on top, and what Tripay keeps, as far as it tells.
fn amounts(body: &Value, total: &str) -> Result<(Money, Money, Option<Money>), NoticeRefused> {
    let paid = rupiah(body.get(total))?;
    let payer_fee = maybe_rupiah(body.get("fee_customer"))?.unwrap_or_default();
    let gross = paid - payer_fee;
    let received = maybe_rupiah(body.get("amount_received"))?;
    // A fee that is not told is not known, and is not zero.
    let fee = maybe_rupiah(body.get("fee_merchant"))?.or_else(|| received.map(|received| gross - received));
    // What it says that it owes us must be what follows from its fees.
    let odd = |fee: Money| fee < Money::ZERO || fee > gross || received.is_some_and(|received| received != gross - fee);
    if payer_fee > paid || fee.is_some_and(odd) {
        return Err(NoticeRefused::Amount);
    }
    Ok((gross, payer_fee, fee))
}

fn seconds(seconds: i64) -> Option<DateTime<Utc>> {
    moment(DateTime::from_timestamp(seconds, 0)?)
}

pub(crate) fn instructions(data: &Value) -> Instructions {
    Instructions {
        number: owned(data, "pay_code"),
        biller: None,
        qris: owned(data, "qr_string"),
        url: owned(data, "checkout_url"),
    }
}

fn method(channel: PayChannel) -> Result<&'static str, PortError> {
    Ok(match channel {
        PayChannel::Qris => "QRIS",
        PayChannel::VaBca => "BCAVA",
        PayChannel::VaBni => "BNIVA",
        PayChannel::VaBri => "BRIVA",
        PayChannel::VaMandiri => "MANDIRIVA",
        PayChannel::VaPermata => "PERMATAVA",
        PayChannel::VaCimb => "CIMBVA",
        PayChannel::VaBsi => "BSIVA",
        PayChannel::Alfamart => "ALFAMART",
        PayChannel::Indomaret => "INDOMARET",
        PayChannel::Page => return Err(refused("gateway.channel", "this gateway does not have this channel")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fee_that_is_not_told_is_not_zero() {
        let told = |fees: &str| {
            let body = format!(r#"{{ "total_amount": 169250, "fee_customer": 4250 {fees} }}"#);
            let body: Value = serde_json::from_str(&body).expect("JSON");
            amounts(&body, "total_amount").map(|(_, _, fee)| fee.map(Money::as_i64))
        };
        assert_eq!(told(""), Ok(None));
        assert_eq!(told(r#", "fee_merchant": 0"#), Ok(Some(0)));
        assert_eq!(told(r#", "fee_merchant": 2000, "amount_received": 163000"#), Ok(Some(2_000)));
        // What it pays out tells it, too.
        assert_eq!(told(r#", "amount_received": 163000"#), Ok(Some(2_000)));
        for odd in [
            r#", "fee_merchant": 165001"#,
            r#", "amount_received": 165001"#,
            r#", "fee_merchant": 2000, "amount_received": 165000"#,
        ] {
            assert_eq!(told(odd), Err(NoticeRefused::Amount), "{odd}");
        }
    }
}
