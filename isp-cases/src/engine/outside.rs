//! What gateways say and customers write, on the engine.

use chrono::{DateTime, Utc};
use isp_core::engine::{EngineError, GatewayWish};
use isp_core::ids::{CustomerId, PaymentRequestId};
use isp_core::message::inbound::{Answer, Wish};
use isp_core::payment::{GatewayRequest, PayChannel, PaymentNotice};
use isp_core::ports::{GatewayQuery, PageQuery, StoreError};
use isp_core::testing::FakeGateway;
use isp_core::text::Code;

use super::EngineHost;
use crate::case::Action;

impl EngineHost<'_> {
    pub(super) async fn outside(&mut self, action: &Action, at: DateTime<Utc>) -> Result<(), EngineError> {
        match action {
            Action::Ask { customer, provider } => {
                let name = Code::parse("provider", provider)?;
                let gateway = self.gateways.entry(provider.clone()).or_insert_with(|| FakeGateway::new(name)).clone();
                let id = PaymentRequestId(self.id("request", &format!("{provider} {at}")));
                let customer = CustomerId(self.id("customer", customer));
                let wish = GatewayWish { id, customer, invoice: None, channel: PayChannel::VaBca };
                let (row, _) = self.engine().request_at_gateway(&gateway, wish, at).await?;
                self.asked.insert(provider.clone(), row);
            }
            Action::Notice { provider, state, amount, reference } => {
                let gateway = self.gateways.get(provider).ok_or(StoreError::NotFound { what: "gateway" })?;
                let row = self.asked.get(provider).ok_or(StoreError::NotFound { what: "request" })?;
                let known = gateway.all().into_iter().find(|notice| notice.reference == row.reference);
                let known = known.ok_or(StoreError::NotFound { what: "request" })?;
                let notice = PaymentNotice {
                    state: *state,
                    gross: amount.unwrap_or(row.amount),
                    provider_id: reference.clone().try_into()?,
                    paid_at: Some(at),
                    ..known
                };
                self.engine().take_notice(gateway, &notice, at).await?;
            }
            Action::Write { customer, text, message } => {
                let id = CustomerId(self.id("customer", customer));
                let answer = self.engine().wrote(self.inbox, id, message, Wish::read(text), at, at).await?;
                self.answers.insert(customer.clone(), answer);
            }
            _ => {}
        }
        Ok(())
    }

    /// What the last message of a customer was answered; `None` when there was none.
    pub(super) fn answered(&self, customer: &str) -> Option<String> {
        let code = |answer: &Answer| {
            let told = serde_json::to_value(answer).ok()?;
            told.get("answer")?.as_str().map(str::to_owned)
        };
        self.answers.get(customer).map(|answer| answer.as_ref().and_then(code).unwrap_or_else(|| "none".to_owned()))
    }

    /// Where the last request of a customer stands.
    pub(super) async fn request_of(&self, customer: CustomerId) -> Result<Option<String>, EngineError> {
        let query = GatewayQuery { customer: Some(customer), ..GatewayQuery::default() };
        let rows = self.store.gateway_requests(self.tenant, &query, PageQuery::first(100)).await?;
        let last = rows.into_iter().max_by_key(|row: &GatewayRequest| row.made_at);
        Ok(last.map(|row| row.state.code().to_owned()))
    }
}
