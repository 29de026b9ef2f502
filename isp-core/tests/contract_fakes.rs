//! The fakes keep the contracts of their ports.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chrono::{DateTime, Utc};
use isp_core::message::notification::OutgoingMessage;
use isp_core::money::Money;
use isp_core::place::RouterEndpoint;
use isp_core::ports::{AccessControl, Messenger, PaymentGateway};
use isp_core::subscription::Account;
use isp_core::testing::contract::{access, messenger, payment_gateway};
use isp_core::testing::{FakeGateway, FakeMessenger, FakeRouter, GatewayFault, MessengerFault, sample};
use isp_core::text::Reference;

struct Router(FakeRouter);

#[async_trait::async_trait]
impl access::Harness for Router {
    fn control(&self) -> &dyn AccessControl {
        &self.0
    }

    fn endpoint(&self) -> RouterEndpoint {
        sample::router(0, sample::site(0).id).endpoint
    }

    async fn plant(&self, account: &Account) {
        self.0.plant(&self.endpoint(), account.clone());
    }

    async fn is_untouched(&self, account: &Account) -> bool {
        self.0.holds_foreign(&self.endpoint(), account)
    }

    async fn set_down(&self, down: bool) {
        self.0.set_down(&self.endpoint(), down);
    }

    async fn lose_reply(&self) -> bool {
        self.0.lose_replies(&self.endpoint(), 1);
        true
    }
}

struct Channel(FakeMessenger);

#[async_trait::async_trait]
impl messenger::Harness for Channel {
    fn messenger(&self) -> &dyn Messenger {
        &self.0
    }

    async fn fail_next(&self, fault: MessengerFault) -> bool {
        self.0.fail_next(fault);
        true
    }

    async fn times_sent(&self, message: &OutgoingMessage) -> usize {
        self.0.times_sent(message.id)
    }
}

#[tokio::test]
async fn the_fake_router_keeps_the_contract() {
    access::run_all(&Router(FakeRouter::new())).await;
}

struct Shop(FakeGateway);

#[async_trait::async_trait]
impl payment_gateway::Harness for Shop {
    fn gateway(&self) -> &dyn PaymentGateway {
        &self.0
    }

    async fn fail_next(&self, fault: GatewayFault) -> bool {
        self.0.fail_next(fault);
        true
    }

    async fn pay(&self, reference: &Reference, amount: Money, fee: Money, at: DateTime<Utc>) {
        self.0.pay(reference, amount, fee, at).unwrap();
    }

    async fn webhook(&self, reference: &Reference) -> payment_gateway::Wire {
        let told = self.0.all().into_iter().find(|notice| notice.reference == *reference).unwrap();
        FakeGateway::webhook(&told)
    }

    async fn given_back(&self, reference: &Reference) -> Money {
        self.0.given_back(reference)
    }

    async fn requests(&self) -> usize {
        self.0.all().len()
    }
}

#[tokio::test]
async fn the_fake_gateway_keeps_the_contract() {
    payment_gateway::run_all(&Shop(FakeGateway::new(sample::code("fake")))).await;
    payment_gateway::run_all(&Shop(FakeGateway::new(sample::code("fake")).without_cancel())).await;
    payment_gateway::run_all(&Shop(FakeGateway::new(sample::code("fake")).without_refunds())).await;
}

#[tokio::test]
async fn the_fake_messenger_keeps_the_contract() {
    messenger::run_all(&Channel(FakeMessenger::new())).await;
}
