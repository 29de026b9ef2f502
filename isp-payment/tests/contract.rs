//! Each gateway keeps the contract of the port, over real HTTP before its simulator.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use chrono::{DateTime, Utc};
use isp_core::Money;
use isp_core::payment::PayChannel;
use isp_core::ports::PaymentGateway;
use isp_core::testing::GatewayFault;
use isp_core::testing::contract::payment_gateway::{Harness, Wire, run_all};
use isp_core::text::Reference;
use isp_payment::simulator::{Fault, Simulator};
use isp_payment::{GatewayKind, gateway};

struct Simulated {
    kind: GatewayKind,
    simulator: Simulator,
    gateway: Box<dyn PaymentGateway>,
}

#[async_trait::async_trait]
impl Harness for Simulated {
    fn gateway(&self) -> &dyn PaymentGateway {
        self.gateway.as_ref()
    }

    async fn fail_next(&self, fault: GatewayFault) -> bool {
        self.simulator.fail_next(
            1,
            match fault {
                GatewayFault::LostReply => Fault::ReplyLost,
                GatewayFault::LostRequest => Fault::Hang,
                GatewayFault::Refused => Fault::Html(403),
                // A simulator that is not there cannot come back.
                GatewayFault::NoConnection => return false,
            },
        );
        true
    }

    async fn pay(&self, reference: &Reference, amount: Money, fee: Money, at: DateTime<Utc>) {
        assert!(self.simulator.pay(reference.as_str(), amount, fee, at));
    }

    async fn webhook(&self, reference: &Reference) -> Wire {
        let told = self.simulator.webhook(reference.as_str()).unwrap();
        (told.headers, told.body)
    }

    async fn given_back(&self, reference: &Reference) -> Money {
        let all = self.simulator.transactions();
        all.iter().find(|t| t.reference == reference.as_str()).map_or(Money::ZERO, |t| t.given_back())
    }

    async fn fail_next_refund(&self, fault: GatewayFault) -> bool {
        self.simulator.fail_next_refund(if fault == GatewayFault::LostReply { Fault::ReplyLost } else { Fault::Hang });
        true
    }

    fn not_refundable(&self) -> Option<PayChannel> {
        Some(PayChannel::VaBca)
    }

    async fn requests(&self) -> usize {
        self.simulator.transactions().len()
    }

    fn finds_by_reference(&self) -> bool {
        !matches!(self.kind, GatewayKind::Xendit | GatewayKind::TripayOpen)
    }

    fn channel(&self) -> PayChannel {
        if self.kind == GatewayKind::TripayOpen { PayChannel::VaBri } else { PayChannel::VaBca }
    }
}

#[tokio::test]
async fn each_gateway_keeps_the_contract() {
    for kind in GatewayKind::ALL {
        let simulator = Simulator::start(kind).await.unwrap();
        let mut settings = simulator.settings().unwrap();
        settings.deadline = Duration::from_millis(700);
        println!("{kind:?}");
        run_all(&Simulated { kind, simulator, gateway: gateway(settings).unwrap() }).await;
    }
}
