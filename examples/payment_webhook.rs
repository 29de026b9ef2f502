//! A gateway says ten times that a customer has paid. It is one payment, and the line opens.
//!
//! `cargo run --example payment_webhook`

#![allow(clippy::print_stdout, reason = "an example tells what it does")]

mod provider;

use isp::core::engine::Approval;
use isp::core::engine::gateway::GatewayWish;
use isp::core::engine::notice::Taken;
use isp::core::ids::PaymentRequestId;
use isp::core::payment::PayChannel;
use isp::core::ports::{MoneyStore, PageQuery};
use isp::core::testing::MemoryStore;
use isp::payment::simulator::Simulator;
use isp::payment::{GatewayKind, gateway};
use isp::{Engine, Money, Policy};
use provider::{TENANT, at, customer_id, move_in, no_router};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (store, policy) = (MemoryStore::new(), Policy::default());
    let engine = Engine::new(&store, TENANT, &policy);
    move_in(&store, no_router()?).await?;
    engine.bill(at("2026-01-01", 9)?).await?;

    // Nobody pays. On the day that the policy says, all three are isolated; a person approves that it is so many at once.
    let isolated = engine.enforce(at("2026-01-20", 11)?, &Approval::All).await?.isolated;
    println!("20 January: {} lines isolated", isolated.len());
    assert_eq!(isolated.len(), 3);

    // Customer 2 asks for a QRIS code. The request stands in the store before the gateway is called.
    let simulator = Simulator::start(GatewayKind::Midtrans).await?;
    let midtrans = gateway(simulator.settings()?)?;
    let wish = GatewayWish {
        id: PaymentRequestId("01980000-0000-7000-8000-000000000077".parse()?),
        customer: customer_id(2),
        invoice: None,
        channel: PayChannel::Qris,
    };
    let (request, _) = engine.request_at_gateway(&*midtrans, wish, at("2026-01-20", 20)?).await?;
    let (reference, owed) = (request.reference.as_str(), Money::rupiah(166_500));

    // He pays at night. What the gateway posts is read only when its signature belongs to it.
    assert!(simulator.pay(reference, owed, Money::ZERO, at("2026-01-20", 21)?));
    let posted = simulator.webhook(reference).ok_or("the gateway posts nothing")?;
    let forged = String::from_utf8(posted.body.clone())?.replace("166500", "999000");
    assert!(midtrans.read(&posted.headers, forged.as_bytes()).is_err());
    let mut reopened = Vec::new();
    for delivery in 1..=10 {
        let notice = midtrans.read(&posted.headers, &posted.body)?;
        // Where a webhook is no proof, this asks the gateway first. It books once, whoever tells it how often.
        match engine.take_notice(&*midtrans, &notice, at("2026-01-20", 22)?).await? {
            Taken::Booked(report) => {
                println!("delivery {delivery}: booked, {} line reopened", report.reopened.len());
                reopened.extend(report.reopened);
            }
            Taken::Known => println!("delivery {delivery}: known already"),
            other => return Err(format!("delivery {delivery}: {other:?}").into()),
        }
    }
    let payments = store.payments(TENANT, Some(customer_id(2)), PageQuery::first(10)).await?;
    assert_eq!(payments.len(), 1);
    assert_eq!(reopened.len(), 1, "the wish to open the line stands in the same commit as the payment");
    Ok(())
}
