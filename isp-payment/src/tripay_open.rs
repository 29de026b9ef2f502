//! Tripay, open payments: a number or a code that stays, on which any amount is paid as often as somebody likes.
//!
//! The request of an amount has its own number. Each payment on it has a reference of Tripay's own, by webhook and by question, so
//! that a second one on the same number is a second payment. Only the merchant can be made to pay the fee. There is no sandbox, and
//! no BCA, Mandiri or Permata (tripay.co.id/developer, list of channels).

use async_trait::async_trait;
use isp_core::payment::{NoticeRefused, PayChannel, PaymentNotice};
use isp_core::ports::{Asked, CancelOutcome, Created, GatewayAsk, PaymentGateway, PortError};
use isp_core::text::{Code, Reference};
use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::{Effect, not_told, owned, refused, text, unreadable};
use crate::sign;
use crate::tripay::{Tripay, instructions};

#[derive(Debug)]
pub(crate) struct TripayOpen(pub(crate) Tripay);

#[async_trait]
impl PaymentGateway for TripayOpen {
    fn name(&self) -> &Code {
        self.0.name()
    }

    async fn create(&self, ask: &GatewayAsk) -> Result<Created, PortError> {
        let client = &self.0.0;
        let method = method(ask.channel)?;
        let signed = format!("{}{method}{}", client.settings.merchant, ask.reference);
        let name: String = ask.payer.as_str().chars().take(50).collect();
        let body = json!({
            "method": method,
            "merchant_ref": ask.reference.as_str(),
            "customer_name": name,
            "signature": sign::hmac_sha256(&client.settings.webhook_key, signed.as_bytes()),
        });
        let request = self.0.signed(client.api(Method::POST, &["open-payment", "create"])).json(&body);
        let answer = client.call(request, Effect::Some).await?;
        let data = match (answer.status, answer.body.get("success").and_then(Value::as_bool), answer.body.get("data")) {
            (200..300, Some(true), Some(data)) => data,
            (_, Some(false), _) | (400..500, ..) => {
                return Err(refused("gateway.refused", format!("it said no (HTTP {})", answer.status)));
            }
            _ => return Err(unreadable()),
        };
        let (instructions, provider_id) = (instructions(data), owned(data, "uuid"));
        if instructions.is_empty() || provider_id.is_none() {
            return Err(unreadable());
        }
        Ok(Created { provider_id, instructions, expires_at: None, fee: None })
    }

    /// The first payment on the number. Those after it are told by webhooks.
    async fn status(&self, asked: &Asked<'_>) -> Result<Option<PaymentNotice>, PortError> {
        // Its answer was lost, and it can only be asked by its own number: it may be there.
        let Some(id) = asked.provider_id else { return Ok(Some(self.pending(asked.reference.clone()))) };
        let client = &self.0.0;
        let request = client.question(&["open-payment", id, "transactions"], "merchant_ref", asked.reference.as_str());
        let answer = client.call(self.0.signed(request), Effect::None).await?;
        let all = match (answer.status, answer.body.get("data").and_then(Value::as_array)) {
            (404, _) => return Ok(None),
            (200..300, Some(all)) => all,
            (status, _) => {
                return Err(PortError::NotSent { reason: format!("the status cannot be asked (HTTP {status})") });
            }
        };
        let ours = all.iter().filter(|one| text(one, "merchant_ref") == Some(asked.reference.as_str()));
        let paid = ours.filter(|one| text(one, "status") == Some("PAID"));
        let first = paid.min_by_key(|one| one.get("paid_at").and_then(Value::as_i64).unwrap_or(i64::MAX));
        match first {
            Some(one) => self.0.notice(one, "amount").map(Some).map_err(not_told),
            None => {
                let number = Reference::parse("uuid", id).map_err(|_| unreadable())?;
                Ok(Some(PaymentNotice { provider_id: number, ..self.pending(asked.reference.clone()) }))
            }
        }
    }

    async fn cancel(&self, _: &Asked<'_>) -> Result<CancelOutcome, PortError> {
        // The number stays.
        Ok(CancelOutcome::Cannot)
    }

    fn read(&self, headers: &[(String, String)], raw_body: &[u8]) -> Result<PaymentNotice, NoticeRefused> {
        let body = self.0.told(headers, raw_body)?;
        if body.get("is_closed_payment").and_then(Value::as_i64) != Some(0) {
            return Err(NoticeRefused::NotAPayment);
        }
        self.0.notice(&body, "total_amount")
    }

    fn kept(&self, headers: &[(String, String)], raw_body: &[u8]) -> Vec<(String, String)> {
        self.0.kept(headers, raw_body)
    }

    fn acknowledgement(&self) -> &'static str {
        self.0.acknowledgement()
    }
}

impl TripayOpen {
    fn pending(&self, reference: Reference) -> PaymentNotice {
        PaymentNotice::waiting(self.name().clone(), reference)
    }
}

fn method(channel: PayChannel) -> Result<&'static str, PortError> {
    Ok(match channel {
        PayChannel::Qris => "QRISOP",
        PayChannel::VaBni => "BNIVAOP",
        PayChannel::VaBri => "BRIVAOP",
        PayChannel::VaCimb => "CIMBVAOP",
        PayChannel::VaBsi => "BSIVAOP",
        _ => return Err(refused("gateway.channel", "this gateway does not have this channel")),
    })
}
