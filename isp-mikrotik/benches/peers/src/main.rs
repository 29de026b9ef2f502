//! `peer-mikrotik-rs ADDRESS WINDOW COUNT single|threads|main`: prints commands a second.

use std::collections::VecDeque;
use std::time::Instant;

use mikrotik_rs::{Command, CommandBuilder, Event, MikrotikDevice};
use tokio::sync::mpsc::UnboundedReceiver;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let [_, address, window, count, runtime] = args.as_slice() else { panic!("four arguments") };
    let (address, window, count) = (address.clone(), window.parse().unwrap(), count.parse().unwrap());
    let threads = || tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let work = measure(address, window, count);
    let speed = match runtime.as_str() {
        "single" => tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work),
        "threads" => threads().block_on(async { tokio::spawn(work).await.unwrap() }),
        "main" => threads().block_on(work),
        other => panic!("single, threads or main, not {other}"),
    };
    println!("{speed:.0}");
}

async fn measure(address: String, window: usize, count: usize) -> f64 {
    let device = MikrotikDevice::connect(&address, "api", Some("x")).await.unwrap();
    let commands: Vec<Command> = (0..count).map(add).collect();
    let started = Instant::now();
    let mut flying: VecDeque<UnboundedReceiver<Event>> = VecDeque::with_capacity(window);
    for command in commands {
        if flying.len() == window {
            end(flying.pop_front().unwrap()).await;
        }
        flying.push_back(device.send_command(command).await.unwrap());
    }
    for receiver in flying {
        end(receiver).await;
    }
    count as f64 / started.elapsed().as_secs_f64()
}

async fn end(mut receiver: UnboundedReceiver<Event>) {
    while let Some(event) = receiver.recv().await {
        if let Event::Done { .. } = event {
            return;
        }
    }
    panic!("no done");
}

fn add(number: usize) -> Command {
    CommandBuilder::new()
        .command("/ppp/secret/add")
        .attribute("name", Some(format!("081234{number:06}").as_str()))
        .attribute("password", Some("rahasia123"))
        .attribute("service", Some("pppoe"))
        .attribute("profile", Some("10M"))
        .attribute("comment", Some("isp:4f1a09c2be77"))
        .build()
}
