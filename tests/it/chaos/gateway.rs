//! Customers who pay at a payment gateway, and its webhooks: each is sent until it was answered with 200, to whichever server answers,
//! and now and then once more afterwards, as real gateways do.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use isp::payment::GatewayKind;
use isp::payment::simulator::{SignedWebhook, Simulator};
use isp_core::Money;
use isp_core::calendar::{Date, Zone};

use super::crew::Servers;
use crate::cli::{Isp, Stage};
use crate::support::dice::Dice;

/// What the gateway keeps of each payment.
const FEE: i64 = 1_900;
/// How long it waits for an answer before it sends the webhook again.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a webhook is sent at most.
const AT_MOST: Duration = Duration::from_secs(180);

pub(super) struct Gateway {
    pub(super) simulator: Simulator,
    /// How often a webhook was answered with 200.
    answered: Arc<AtomicUsize>,
}

/// A payment at the gateway, with the webhook that tells of it.
#[derive(Clone)]
pub(super) struct Told {
    pub(super) customer: String,
    /// The gateway's own id of it, under which it is booked.
    pub(super) payment: String,
    pub(super) amount: i64,
    webhook: SignedWebhook,
    answered: Arc<AtomicUsize>,
}

impl Gateway {
    /// Starts one, and names it to `isp`.
    pub(super) fn start(stage: &mut Stage) -> Self {
        let simulator = stage.runtime.block_on(Simulator::start(GatewayKind::Tripay)).unwrap();
        for (name, value) in [
            ("ISP_GATEWAY__TRIPAY__SANDBOX", "true"),
            ("ISP_GATEWAY__TRIPAY__MERCHANT", "S0001"),
            ("ISP_GATEWAY__TRIPAY__KEY", "DEV-simulated"),
            ("ISP_GATEWAY__TRIPAY__WEBHOOK_KEY", "simulated-webhook-key"),
            ("ISP_GATEWAY__TRIPAY__EMAIL", "tagihan@example.id"),
        ] {
            stage.isp.set(name, value);
        }
        stage.isp.set("ISP_GATEWAY__TRIPAY__BASE_URL", simulator.base_url());
        Self { simulator, answered: Arc::default() }
    }

    /// A customer asks for a QRIS code over everything that is owed, and pays it.
    pub(super) fn pay(&self, isp: &Isp, customer: &str, day: Date) -> Told {
        let asked = isp.json(&["payment-request", "add", customer, "--gateway", "tripay", "--channel", "qris"]);
        let (reference, amount) = (asked[0]["reference"].as_str().unwrap(), asked[0]["amount"].as_i64().unwrap());
        assert!(self.simulator.pay(reference, Money::rupiah(amount), Money::rupiah(FEE), day.at(13, 0, Zone::Wib)));
        let webhook = self.simulator.webhook(reference).unwrap();
        let paid = self.simulator.transactions().into_iter().find(|t| t.reference == reference).unwrap();
        Told { customer: customer.to_owned(), payment: paid.id, amount, webhook, answered: Arc::clone(&self.answered) }
    }

    /// How often a webhook was answered with 200.
    pub(super) fn answered(&self) -> usize {
        self.answered.load(Ordering::SeqCst)
    }
}

impl Told {
    /// What is signed.
    pub(super) fn body(&self) -> String {
        String::from_utf8(self.webhook.body.clone()).unwrap()
    }

    /// Sends it once; true when it was answered with 200.
    pub(super) fn post(&self, address: &str) -> bool {
        let taken = self.status(address).is_some_and(|line| line.starts_with("HTTP/1.1 200 "));
        self.answered.fetch_add(usize::from(taken), Ordering::SeqCst);
        taken
    }

    /// The first bytes of the answer; `None` when there is none in time.
    fn status(&self, address: &str) -> Option<String> {
        let mut stream = TcpStream::connect_timeout(&address.parse().ok()?, PATIENCE).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        stream.set_write_timeout(Some(PATIENCE)).ok()?;
        let SignedWebhook { headers, body } = &self.webhook;
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!(
            "POST /hooks/tripay HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body].concat()).ok()?;
        let mut answer = [0; 16];
        stream.read_exact(&mut answer).ok()?;
        Some(String::from_utf8_lossy(&answer).into_owned())
    }

    /// Sends it, again and again, until it was answered with 200, and perhaps some more times. False when that never came.
    pub(super) fn send(self, servers: Servers, mut dice: Dice) -> JoinHandle<bool> {
        std::thread::spawn(move || {
            let begun = Instant::now();
            let mut times = 1 + dice.roll(3);
            std::thread::sleep(Duration::from_millis(dice.roll(1_500)));
            while times > 0 && begun.elapsed() < AT_MOST {
                let server = usize::try_from(dice.roll(2)).unwrap();
                if servers.address(server).is_some_and(|address| self.post(&address)) {
                    times -= 1;
                }
                std::thread::sleep(Duration::from_millis(20 + dice.roll(100)));
            }
            times == 0
        })
    }
}
