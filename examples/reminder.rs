//! A reminder three days before an invoice is due, sent through the Cloud API, and what Meta says of it afterwards.
//!
//! `cargo run --example reminder`

#![allow(clippy::print_stdout, reason = "an example tells what it does")]

mod provider;

use isp::core::engine::{Outside, Post};
use isp::core::ids::WorkerId;
use isp::core::ports::{StandingWatch, Worker};
use isp::core::testing::MemoryStore;
use isp::core::testing::fakes::FakeRouter;
use isp::whatsapp::cloud::CloudClient;
use isp::whatsapp::simulator::Simulator;
use isp::whatsapp::webhook::{Delivery, Event, Status, Webhook};
use isp::{Engine, Policy};
use provider::{TENANT, at, move_in, no_router};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (store, policy, sender) = (MemoryStore::new(), Policy::default(), provider::sender()?);
    let engine = Engine { sender: Some(&sender), ..Engine::new(&store, TENANT, &policy) };
    move_in(&store, no_router()?).await?;
    engine.bill(at("2026-01-01", 9)?).await?;

    // Due on the 11th, so the reminder is due on the 8th. It is written first, and sent afterwards.
    let now = at("2026-01-08", 9)?;
    let reminded = engine.remind(now).await?;
    println!("8 January: {} reminders queued", reminded.queued);
    assert_eq!(engine.remind(now).await?.queued, 0, "and none twice");

    let whatsapp = Simulator::start().await?; // the Cloud API on loopback
    let client = CloudClient::try_new(whatsapp.config())?;
    let watch = StandingWatch(now);
    let worker = Worker::new(WorkerId(uuid::Uuid::from_u128(9)), &watch);
    let routers = FakeRouter::default();
    let outside = Outside { worker: &worker, routers: &routers, post: Post::Ready(&client) };
    engine.deliver_outside(&outside, now).await?;
    let sent = whatsapp.messages();
    println!("{} sent; the first: {}", sent.len(), sent[0].text.reveal());
    assert_eq!(sent.len(), 3);

    // Meta's statuses come late, twice and out of order. Folding them in any order comes to the same.
    let id = sent[0].message_id.as_str();
    let statuses = [(id, Status::Read), (id, Status::Sent), (id, Status::Delivered), (id, Status::Sent)];
    let webhook = whatsapp.status_webhook(&statuses, now)?;
    let receiver = Webhook::new(whatsapp.app_secret(), whatsapp.access_token());
    let mut delivery = Delivery::default();
    for event in receiver.receive(Some(&webhook.signature), &webhook.body)? {
        if let Event::Status(update) = event {
            delivery = delivery.fold(update.status);
        }
    }
    println!("the message is {delivery:?}");
    assert_eq!(delivery, Delivery::Read);

    // One flipped byte, and nothing of it is believed.
    let mut forged = webhook.body.clone();
    forged[20] ^= 1;
    assert!(receiver.receive(Some(&webhook.signature), &forged).is_err());
    Ok(())
}
