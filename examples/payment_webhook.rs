//! A gateway says ten times, and from two sides at once, that a customer has paid. It is one payment, and the line opens.
//!
//! `cargo run --example payment_webhook`

#![allow(clippy::print_stdout, reason = "an example tells what it does")]

mod provider;

use chrono::{DateTime, Utc};
use isp::core::engine::{Approval, NewPayment, Told};
use isp::core::testing::MemoryStore;
use isp::core::text::{Code, Reference};
use isp::{Engine, Money, Policy};
use provider::{TENANT, at, customer_id, move_in, no_router};
use serde::Deserialize;

/// What our gateway posts. Its signature is checked over the raw bytes before anything of it is read.
#[derive(Deserialize)]
struct Paid {
    transaction: String,
    customer: u32,
    amount: i64,
    paid_at: DateTime<Utc>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (store, policy) = (MemoryStore::new(), Policy::default());
    let engine = Engine::new(&store, TENANT, &policy);
    move_in(&store, no_router()?).await?;
    engine.bill(at("2026-01-01", 9)?).await?;

    // Nobody pays. On the day that the policy says, all three are isolated; a person approves that it is so many at once.
    let isolated_at = at("2026-01-20", 11)?;
    let isolated = engine.enforce(isolated_at, &Approval::All).await?.isolated;
    println!("20 January: {} lines isolated", isolated.len());
    assert_eq!(isolated.len(), 3);

    let body = r#"{ "transaction": "QR-77", "customer": 2, "amount": 166500, "paid_at": "2026-01-20T14:00:00Z" }"#;
    let mut reopened = Vec::new();
    for delivery in 1..=10 {
        let paid: Paid = serde_json::from_str(body)?;
        let payment = NewPayment {
            customer_id: customer_id(paid.customer.into()),
            provider: Code::parse("provider", "gateway")?,
            reference: Reference::parse("reference", &paid.transaction)?,
            amount: Money::rupiah(paid.amount),
            paid_at: paid.paid_at,
            collector: None,
        };
        // A machine says it: should a person have taken this payment back, saying it again does not bring it back.
        let report = engine.pay_as(&payment, Told::ByMachine, at("2026-01-20", 22)?).await?;
        println!("delivery {delivery}: {}", if report.known { "known already" } else { "booked" });
        assert_eq!(report.known, delivery > 1);
        reopened.extend(report.reopened);
    }
    assert_eq!(reopened.len(), 1, "the wish to open the line stands in the same commit as the payment");
    println!("reopened: {}", reopened.len());
    Ok(())
}
