//! A payment in the middle of the night, while nobody of the provider is awake: a QRIS of a payment gateway, its webhook, and
//! the router.

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use isp_core::Money;
use isp_core::calendar::{Date, Zone};
use isp_core::engine::{GatewayWish, Taken};
use isp_core::ids::{PaymentRequestId, SubscriptionId, derive};
use isp_core::isolation::Access;
use isp_core::payment::PayChannel;
use isp_core::ports::PaymentGateway;
use isp_payment::simulator::Simulator;
use isp_payment::{GatewayKind, gateway};

use super::stage::Stage;
use super::timeline::Tone;
use super::world::{World, known_as};

/// What the gateway keeps of a payment.
const FEE: Money = Money::rupiah(750);

/// A payment gateway on a port of this machine, and how it is spoken to.
pub(super) struct Gateway {
    pub(super) simulator: Simulator,
    pub(super) port: Box<dyn PaymentGateway>,
}

impl Gateway {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let simulator = Simulator::start(GatewayKind::Tripay).await?;
        let port = gateway(simulator.settings()?)?;
        Ok(Self { simulator, port })
    }
}

impl World<'_, '_> {
    /// An isolated customer scans a QRIS at ten past two and pays; the gateway tells us twice.
    pub(super) async fn night(&mut self, customer: &str, today: Date) -> anyhow::Result<()> {
        let stage = self.stage()?;
        let customer = stage.people.with_code(customer)?.clone();
        let line = stage.people.line_of(customer.id)?;
        if observed(stage, line).await? != Some(Access::Isolated) {
            bail!("{} is not isolated in the night of {today}", customer.code);
        }
        let at = |minute| -> DateTime<Utc> { today.at(2, minute, Zone::Wib) };
        let Gateway { simulator, port } = &stage.gateway;
        let id = PaymentRequestId(derive(customer.id.0, &["night", &today.to_string()]));
        let wish = GatewayWish { id, customer: customer.id, invoice: None, channel: PayChannel::Qris };
        let (request, _) = stage.engine().request_at_gateway(port.as_ref(), wish, at(10)).await?;
        let reference = request.reference.as_str();
        simulator.pay(reference, request.amount, FEE, at(12));
        let webhook = simulator.webhook(reference).context("the gateway knows its request")?;
        let (mut booked, mut repeated, mut reopened) = (0, 0, 0);
        for _ in 0..2 {
            let notice = port.read(&webhook.headers, &webhook.body)?;
            match stage.engine().take_notice(port.as_ref(), &notice, at(13)).await? {
                Taken::Booked(report) => {
                    booked += 1;
                    reopened += report.reopened.len() as u64;
                }
                Taken::Known => repeated += 1,
                other => bail!("the gateway's webhook came to {other:?}"),
            }
        }
        self.tally.payments += booked;
        self.tally.paid += request.amount;
        self.tally.repeated += repeated;
        self.tally.reopened += reopened;
        self.deliver(at(14)).await?;
        if observed(self.stage()?, line).await? != Some(Access::Open) {
            bail!("{} paid in the night of {today} and is not open", customer.code);
        }
        let (who, amount) = (known_as(&customer), request.amount);
        self.timeline.note(
            Tone::Relief,
            format!("02.10 {who} memindai QRIS dari halaman isolirnya; 02.13 {amount} terbukukan sendiri, webhook kedua tidak dihitung; 02.14 router menjawab: terbuka"),
            format!("02:10 {who} scans the QRIS of the isolation page; 02:13 {amount} books itself, the second webhook counts for nothing; 02:14 the router answers: open"),
        );
        Ok(())
    }
}

/// What the router last said of a line.
async fn observed(stage: &Stage, line: SubscriptionId) -> anyhow::Result<Option<Access>> {
    let lines = stage.engine().all_subscriptions().await?;
    let found = lines.into_iter().find(|(subscription, _)| subscription.id == line);
    Ok(found.and_then(|(_, access)| access.observed).and_then(|observed| observed.access))
}
