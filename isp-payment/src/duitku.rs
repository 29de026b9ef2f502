//! Duitku: API v2, which gives a number or a code, and POP, which gives a page at the means of payment that was asked for.
//!
//! The signature of a callback covers the merchant, the amount and our reference, and not whether it was paid: it is a hint, and
//! the status is asked.

use async_trait::async_trait;
use isp_core::Money;
use isp_core::payment::{Instructions, NoticeRefused, NoticeState, PayChannel, PaymentNotice};
use isp_core::ports::{Asked, CancelOutcome, Created, GatewayAsk, PaymentGateway, PortError};
use isp_core::text::Code;
use isp_http::percent_decoded;
use reqwest::{Method, RequestBuilder};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::answer::{Client, Effect, maybe_rupiah, not_told, owned, reference, refused, rupiah, text, unreadable};
use crate::settings::GatewayKind;
use crate::sign;

#[derive(Debug)]
pub(crate) struct Duitku(pub(crate) Client);

#[async_trait]
impl PaymentGateway for Duitku {
    fn name(&self) -> &Code {
        &self.0.settings.name
    }

    async fn create(&self, ask: &GatewayAsk) -> Result<Created, PortError> {
        let settings = &self.0.settings;
        let (merchant, amount) = (&settings.merchant, ask.amount.as_i64());
        let name: String = ask.payer.as_str().chars().take(20).collect();
        let body = json!({
            "merchantCode": merchant,
            "paymentAmount": amount,
            "paymentMethod": self.method(ask.channel)?,
            "merchantOrderId": ask.reference.as_str(),
            "productDetails": ask.description,
            "email": settings.email,
            "customerVaName": name,
            "callbackUrl": settings.callback_url,
            "returnUrl": settings.callback_url,
            "expiryPeriod": (ask.expires_at - ask.now).num_minutes().max(1),
        });
        let answer = self.0.call(self.asking(ask, body), Effect::Some).await?;
        match (answer.status, text(&answer.body, "statusCode")) {
            (200..300, Some("00")) => {}
            (409, _) => return Err(refused("gateway.reference_used", "it knows the reference already")),
            (400..500, _) => return Err(refused("gateway.refused", format!("it said no (HTTP {})", answer.status))),
            (200..300, Some(code)) => return Err(refused("gateway.refused", format!("it said no ({code})"))),
            _ => return Err(unreadable()),
        }
        let instructions = Instructions {
            number: owned(&answer.body, "vaNumber"),
            biller: None,
            qris: owned(&answer.body, "qrString"),
            url: owned(&answer.body, "paymentUrl"),
        };
        if instructions.is_empty() {
            return Err(unreadable());
        }
        Ok(Created { provider_id: owned(&answer.body, "reference"), instructions, expires_at: None, fee: None })
    }

    async fn status(&self, asked: &Asked<'_>) -> Result<Option<PaymentNotice>, PortError> {
        let merchant = &self.0.settings.merchant;
        let body = json!({
            "merchantCode": merchant,
            "merchantOrderId": asked.reference.as_str(),
            "signature": self.signature(&format!("{merchant}{}", asked.reference)),
        });
        let path: &[&str] = match self.is_pop() {
            true => &["api", "merchant", "transactionStatus"],
            false => &["webapi", "api", "merchant", "transactionStatus"],
        };
        let request = self.0.api(Method::POST, path).json(&body);
        let answer = self.0.call(request, Effect::None).await?;
        match answer.status {
            404 => return Ok(None),
            200..300 => {}
            status => return Err(PortError::NotSent { reason: format!("the status cannot be asked (HTTP {status})") }),
        }
        let notice = self.answered(&answer.body).map_err(not_told)?;
        Ok((notice.reference == *asked.reference).then_some(notice))
    }

    async fn cancel(&self, _: &Asked<'_>) -> Result<CancelOutcome, PortError> {
        // It has no call for this.
        Ok(CancelOutcome::Cannot)
    }

    fn read(&self, _: &[(String, String)], raw_body: &[u8]) -> Result<PaymentNotice, NoticeRefused> {
        if sign::is_blank(&self.0.settings.key) {
            return Err(NoticeRefused::NotSetUp);
        }
        let form = form(raw_body).ok_or(NoticeRefused::Malformed)?;
        let given = text(&form, "signature").ok_or(NoticeRefused::SignatureMissing)?;
        let part = |key| text(&form, key).ok_or(NoticeRefused::Malformed);
        let (merchant, amount, order) = (part("merchantCode")?, part("amount")?, part("merchantOrderId")?);
        // The amount as it came.
        if !sign::fits(given, &self.signature(&[merchant, amount, order].concat())) {
            return Err(NoticeRefused::SignatureMismatch);
        }
        if merchant != self.0.settings.merchant {
            return Err(NoticeRefused::OtherAccount);
        }
        // Its own kit calls 01 pending in one place and failed in another.
        let state = if part("resultCode")? == "00" { NoticeState::Paid } else { NoticeState::Pending };
        let notice = self.notice(&form, state, rupiah(form.get("amount"))?)?;
        Ok(PaymentNotice { channel: owned(&form, "paymentCode"), sure: false, ..notice })
    }

    fn kept(&self, _: &[(String, String)], _: &[u8]) -> Vec<(String, String)> {
        // Its signature is in the body.
        Vec::new()
    }

    fn acknowledgement(&self) -> &'static str {
        "SUCCESS"
    }
}

impl Duitku {
    fn is_pop(&self) -> bool {
        self.0.settings.kind == GatewayKind::DuitkuPop
    }

    /// The means of payment; none on a page on which the customer chooses, which only POP has.
    fn method(&self, channel: PayChannel) -> Result<&'static str, PortError> {
        if self.is_pop() && channel == PayChannel::Page { Ok("") } else { method(channel) }
    }

    /// The request to collect. API v2 signs its body, POP its moment in headers.
    fn asking(&self, ask: &GatewayAsk, mut body: Value) -> RequestBuilder {
        let (merchant, key) = (&self.0.settings.merchant, self.0.settings.key.expose_secret());
        if self.is_pop() {
            let millis = ask.now.timestamp_millis().to_string();
            let signature = sign::sha256(&format!("{merchant}{millis}{key}"));
            let request = self.0.api(Method::POST, &["api", "merchant", "createInvoice"]);
            let request = request.header("x-duitku-signature", signature).header("x-duitku-timestamp", millis);
            return request.header("x-duitku-merchantcode", merchant).json(&body);
        }
        let signed = format!("{merchant}{}{}", ask.reference, ask.amount.as_i64());
        body["signature"] = self.signature(&signed).into();
        self.0.api(Method::POST, &["webapi", "api", "merchant", "v2", "inquiry"]).json(&body)
    }

    fn signature(&self, text: &str) -> String {
        sign::md5(&format!("{text}{}", self.0.settings.key.expose_secret()))
    }

    fn answered(&self, body: &Value) -> Result<PaymentNotice, NoticeRefused> {
        let state = match text(body, "statusCode") {
            Some("00") => NoticeState::Paid,
            Some("01") => NoticeState::Pending,
            Some("02") => NoticeState::Expired,
            _ => return Err(NoticeRefused::Malformed),
        };
        let gross = rupiah(body.get("amount"))?;
        let fee = maybe_rupiah(body.get("fee"))?;
        if fee.is_some_and(|fee| fee > gross) {
            return Err(NoticeRefused::Amount);
        }
        Ok(PaymentNotice { fee, ..self.notice(body, state, gross)? })
    }

    fn notice(&self, body: &Value, state: NoticeState, gross: Money) -> Result<PaymentNotice, NoticeRefused> {
        Ok(PaymentNotice {
            gateway: self.name().clone(),
            reference: reference("merchantOrderId", text(body, "merchantOrderId"))?,
            provider_id: reference("reference", text(body, "reference"))?,
            state,
            gross,
            payer_fee: Money::ZERO,
            fee: None,
            // It does not tell when.
            paid_at: None,
            channel: None,
            instructions: Instructions::default(),
            sure: true,
        })
    }
}

/// The fields of a form, the first of a name; a second one of a name is refused.
fn form(raw: &[u8]) -> Option<Value> {
    let mut fields = serde_json::Map::new();
    for pair in std::str::from_utf8(raw).ok()?.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=')?;
        if fields.insert(percent_decoded(key)?, percent_decoded(value)?.into()).is_some() {
            return None;
        }
    }
    Some(Value::Object(fields))
}

fn method(channel: PayChannel) -> Result<&'static str, PortError> {
    Ok(match channel {
        PayChannel::Qris => "SP",
        PayChannel::VaBca => "BC",
        PayChannel::VaBni => "I1",
        PayChannel::VaBri => "BR",
        PayChannel::VaMandiri => "M2",
        PayChannel::VaPermata => "BT",
        PayChannel::VaCimb => "B1",
        PayChannel::VaBsi => "BV",
        PayChannel::Alfamart => "FT",
        PayChannel::Indomaret => "IR",
        PayChannel::Page => return Err(refused("gateway.channel", "this gateway does not have this channel")),
    })
}
