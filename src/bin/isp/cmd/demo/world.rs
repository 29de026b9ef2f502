//! Living a day: payments in the morning, officers' deeds, the run, isolation, payments in the evening.

use std::collections::BTreeSet;

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use isp_core::calendar::{Date, Zone};
use isp_core::customer::Customer;
use isp_core::engine::{
    Approval, BillReport, DayStep, DeliverReport, EnforceReport, NewPayment, Outside, PayReport, RemindReport, Said,
    Told,
};
use isp_core::ids::{CustomerId, TenantId};
use isp_core::isolation::AccessEventKind;
use isp_core::ports::{OutboxQuery, OutboxState, PageQuery, StandingWatch, Topic};
use isp_core::text::Reference;

use super::behaviour::{self, Intended, Slot};
use super::stage::{Dying, Stage, code};
use super::stories::{self, Event};
use super::timeline::{Tally, Timeline, Tone};

/// Messages that leave before the process dies on the day of the crash.
const LAST_WORDS: usize = 3;

/// The stage with the state of the story.
pub(super) struct World<'a, 't> {
    /// Taken and put back when the process dies and is started again.
    stage: Option<Stage>,
    pub(super) timeline: &'a mut Timeline<'t>,
    pub(super) tally: Tally,
    templates_shown: BTreeSet<String>,
    messages_seen: usize,
    dead_routers: BTreeSet<String>,
}

impl<'a, 't> World<'a, 't> {
    pub(super) fn new(stage: Stage, timeline: &'a mut Timeline<'t>) -> Self {
        Self {
            stage: Some(stage),
            timeline,
            tally: Tally::default(),
            templates_shown: BTreeSet::new(),
            messages_seen: 0,
            dead_routers: BTreeSet::new(),
        }
    }

    pub(super) fn stage(&self) -> anyhow::Result<&Stage> {
        self.stage.as_ref().context("the stage is being rebuilt")
    }

    /// Gives the stage back.
    pub(super) fn into_stage(self) -> anyhow::Result<Stage> {
        self.stage.context("the stage is being rebuilt")
    }

    /// Lives one day and prints it.
    pub(super) async fn live(&mut self, today: Date) -> anyhow::Result<()> {
        self.tally = Tally::default();
        let events = stories::events(today);
        for event in &events {
            if let Event::PaysAtNight { customer } = event {
                self.night(customer, today).await?;
            }
        }
        self.payments(today, Slot::Morning).await?;
        for event in &events {
            self.happen(*event, today).await?;
        }
        let crashes = events.contains(&Event::Crash);
        if crashes {
            self.crash(today.at(9, 0, Zone::Wib)).await?;
        }
        self.run(today.at(9, if crashes { 20 } else { 0 }, Zone::Wib), crashes).await?;
        let later = today.at(10, 30, Zone::Wib);
        self.enforce(later).await?;
        self.deliver(later).await?;
        self.payments(today, Slot::Evening).await?;
        self.timeline.day(today, &self.tally)?;
        Ok(())
    }

    /// All of a day's run, in the order of `isp run`.
    async fn run(&mut self, now: DateTime<Utc>, after_crash: bool) -> anyhow::Result<()> {
        let stage = self.stage()?;
        let watch = StandingWatch(now);
        let worker = stage.worker(&watch);
        let outside = Outside::new(&worker, &stage.access, &stage.messenger);
        let day = stage.engine().run_day(&outside, &Said::default(), now).await?;
        if let Some(problem) = day.billed.problems.first() {
            bail!("{} subscriptions could not be billed; the first: {}", day.billed.problems.len(), problem.error);
        }
        if after_crash {
            self.tell_of_recovery(day.billed.invoices, day.reminded.queued).await?;
        }
        self.count(&day.billed, day.reminded);
        self.tell_of_enforced(&day.enforced).await?;
        self.tell_of_delivered(&day.delivered)
    }

    fn count(&mut self, billed: &BillReport, reminded: RemindReport) {
        self.tally.invoices += billed.invoices;
        self.tally.invoiced += billed.amount;
        self.tally.credited += billed.credited;
        self.tally.reminders += reminded.queued;
    }

    /// Starts a run whose process dies while messages are leaving; then a new process opens the database.
    async fn crash(&mut self, now: DateTime<Utc>) -> anyhow::Result<()> {
        let stage = self.stage.take().context("the stage is being rebuilt")?;
        let (mut billed, mut reminded) = (None, None);
        let died = {
            let dying = Dying::after(&stage.messenger, LAST_WORDS);
            let watch = StandingWatch(now);
            let (engine, worker, said) = (stage.engine(), stage.worker(&watch), Said::default());
            let outside = Outside::new(&worker, &stage.access, &dying);
            let mut tell = |step: DayStep<'_>| match step {
                DayStep::Billed(report) => billed = Some(report.clone()),
                DayStep::Reminded(report) => reminded = Some(report),
                _ => {}
            };
            let run = engine.run_day_watched(&outside, &said, now, &mut tell);
            tokio::select! {
                ended = run => { ended?; false }
                () = dying.died.notified() => true,
            }
        };
        if !died {
            bail!("the run was over before it could crash: fewer than {LAST_WORDS} messages were due");
        }
        if let (Some(billed), Some(reminded)) = (billed, reminded) {
            self.count(&billed, reminded);
        }
        self.timeline.note(
            Tone::Trouble,
            format!("09.00 listrik kantor padam di tengah proses: {LAST_WORDS} pesan baru terkirim, sisanya belum tercatat"),
            format!("09:00 the office loses power in mid-run: {LAST_WORDS} messages have left, nothing of it is written down"),
        );
        self.stage = Some(stage.reborn().await?);
        Ok(())
    }

    async fn tell_of_recovery(&mut self, invoices: u64, reminders: u64) -> anyhow::Result<()> {
        let stage = self.stage()?;
        let query = OutboxQuery { topic: Some(Topic::Message), state: Some(OutboxState::Unknown), customer: None };
        let unknown = stage.store.outbox(TenantId::DEFAULT, query, PageQuery::first(1_000)).await?.len();
        self.timeline.note(
            Tone::Relief,
            format!("09.20 proses dijalankan lagi dari berkas yang sama: {invoices} tagihan baru, {reminders} pengingat baru; {unknown} pesan yang nasibnya tak diketahui tidak dikirim ulang"),
            format!("09:20 the run is started again from the same file: {invoices} new invoices, {reminders} new reminders; {unknown} messages of unknown fate are not sent again"),
        );
        Ok(())
    }

    async fn enforce(&mut self, now: DateTime<Utc>) -> anyhow::Result<()> {
        let stage = self.stage()?;
        let report = stage.engine().enforce(now, &Approval::None).await?;
        self.tell_of_enforced(&report).await
    }

    async fn tell_of_enforced(&mut self, report: &EnforceReport) -> anyhow::Result<()> {
        if let Some(held) = report.held.first() {
            bail!("the breaker of a router stopped {} isolations, more than {}", held.would_isolate, held.limit);
        }
        self.tell_of_access(report).await
    }

    async fn tell_of_access(&mut self, report: &EnforceReport) -> anyhow::Result<()> {
        let stage = self.stage.as_ref().context("the stage is being rebuilt")?;
        self.tally.isolated += report.isolated.len() as u64;
        for line in &report.isolated {
            let customer = stage.people.of_line(*line)?;
            if stories::is_cast(customer.code.as_str()) {
                let events = stage.store.access_events(TenantId::DEFAULT, *line).await?;
                let overdue = events.last().map(|e| e.overdue).unwrap_or_default();
                self.timeline.note(
                    Tone::Story,
                    format!("{} diisolir: tunggakan {overdue}", known_as(customer)),
                    format!("{} is isolated: {overdue} overdue", known_as(customer)),
                );
            }
        }
        for line in &report.reopened {
            let events = stage.store.access_events(TenantId::DEFAULT, *line).await?;
            let was_isolated =
                events.iter().rev().nth(1).is_some_and(|e| {
                    matches!(e.kind, AccessEventKind::IsolatedArrears | AccessEventKind::IsolatedManual)
                });
            if was_isolated { self.tally.reopened += 1 } else { self.tally.started += 1 }
        }
        for line in &report.regrouped {
            let customer = stage.people.of_line(*line)?;
            self.timeline.note(
                Tone::Story,
                format!("{} pindah paket: profil di router diganti hari ini", known_as(customer)),
                format!("{} has the new package: the profile on the router changes today", known_as(customer)),
            );
        }
        Ok(())
    }

    /// Brings routers and customers what was decided.
    pub(super) async fn deliver(&mut self, now: DateTime<Utc>) -> anyhow::Result<DeliverReport> {
        let stage = self.stage.as_ref().context("the stage is being rebuilt")?;
        let report = {
            let watch = StandingWatch(now);
            stage.engine().deliver(&stage.worker(&watch), &stage.access, &stage.messenger, now).await?
        };
        self.tell_of_delivered(&report)?;
        Ok(report)
    }

    /// Counts what was delivered, and shows the first message of each kind.
    fn tell_of_delivered(&mut self, report: &DeliverReport) -> anyhow::Result<()> {
        let stage = self.stage.as_ref().context("the stage is being rebuilt")?;
        self.tally.sent += report.sent;
        self.tally.dropped += report.dropped;
        self.tally.waiting = report.routers_down.values().map(|down| down.waiting).sum();
        if report.refused + report.failed > 0 || report.channel_down.is_some() {
            bail!("a delivery went wrong that should not: {report:?}");
        }
        if self.templates_shown.len() < 5 {
            let messages = stage.whatsapp.messages();
            let mut new: Vec<_> = messages.iter().skip(self.messages_seen).collect();
            // Messages leave several at a time, in any order.
            new.sort_by(|a, b| a.text.reveal().cmp(b.text.reveal()));
            for message in new {
                if self.templates_shown.insert(message.template.clone()) {
                    let text = message.text.reveal().replace('\n', " ");
                    self.timeline.note(Tone::Message, text.clone(), text);
                }
            }
            self.messages_seen = messages.len();
        }
        Ok(())
    }

    /// Whoever pays now, pays; the provider tells us once or more often.
    async fn payments(&mut self, today: Date, slot: Slot) -> anyhow::Result<()> {
        let now = slot.on(today);
        let stage = self.stage()?;
        let mut open = stage.engine().all_open().await?;
        open.sort_by_key(|invoice| invoice.number);
        for invoice in &open {
            let stage = self.stage.as_ref().context("the stage is being rebuilt")?;
            let customer = stage.people.customer(invoice.customer_id)?;
            let Some(intended) = behaviour::pays(&customer.code, invoice, today, slot) else { continue };
            let payment = NewPayment {
                customer_id: customer.id,
                provider: code(intended.provider)?,
                reference: Reference::parse("reference", &intended.reference)?,
                amount: intended.amount,
                paid_at: now,
                collector: None,
            };
            for _ in 0..intended.webhooks {
                let report = stage.engine().pay_as(&payment, Told::ByMachine, now).await?;
                if report.known {
                    self.tally.repeated += 1;
                } else {
                    self.tally.payments += 1;
                    self.tally.paid += intended.amount;
                    self.tally.reopened += report.reopened.len() as u64;
                    let router = stage.router_of(customer.id);
                    let dead = router.filter(|router| self.dead_routers.contains(*router));
                    tell_of_payment(self.timeline, customer, &intended, &report, dead);
                }
            }
        }
        self.deliver(now).await?;
        Ok(())
    }

    /// An event of the story, at half past eight.
    async fn happen(&mut self, event: Event, today: Date) -> anyhow::Result<()> {
        match event {
            Event::RouterDies { router } => {
                self.stage()?.router(router)?.down();
                self.dead_routers.insert(router.to_owned());
                self.timeline.note(
                    Tone::Trouble,
                    format!("{router} mati: API tidak menjawab"),
                    format!("{router} is dead: its API does not answer"),
                );
            }
            Event::RouterReturns { router } => {
                self.stage()?.router(router)?.up()?;
                self.dead_routers.remove(router);
                let waiting = self.stage()?.waiting_for_routers().await?;
                let report = self.deliver(today.at(8, 45, Zone::Wib)).await?;
                let (applied, who) = (report.applied, waiting.join(", "));
                self.timeline.note(
                    Tone::Relief,
                    format!("{router} hidup lagi; yang menunggu diterapkan dan dibaca balik ({applied}): {who}"),
                    format!("{router} is back; what waited is applied and read back ({applied}): {who}"),
                );
            }
            Event::Crash | Event::PaysAtNight { .. } => {}
            other => {
                let stage = self.stage.as_ref().context("the stage is being rebuilt")?;
                super::officer::act(stage, self.timeline, other, today).await?;
                if matches!(other, Event::Isolate { .. }) {
                    self.tally.isolated += 1;
                } else if matches!(other, Event::Reopen { .. }) {
                    self.tally.reopened += 1;
                }
            }
        }
        Ok(())
    }

    /// The customer's own words for why the service is as it is, at the end of a day.
    pub(super) async fn explain(&self, customer: &str, on: Date) -> anyhow::Result<Vec<String>> {
        let stage = self.stage()?;
        let customer: CustomerId = stage.people.with_code(customer)?.id;
        let at = on.at(20, 0, Zone::Wib);
        let explained = stage.engine().explain(customer, at, self.timeline.language).await?;
        Ok(explained.into_iter().map(|(_, explanation)| explanation.sentence).collect())
    }
}

fn tell_of_payment(
    timeline: &mut Timeline<'_>,
    customer: &Customer,
    intended: &Intended,
    report: &PayReport,
    dead_router: Option<&str>,
) {
    if !stories::is_cast(customer.code.as_str()) {
        return;
    }
    let (who, amount) = (known_as(customer), intended.amount);
    if let Some(router) = dead_router.filter(|_| !report.reopened.is_empty()) {
        timeline.note(
            Tone::Story,
            format!(
                "{who} membayar {amount} saat {router} mati: keinginan membuka layanan tercatat bersama pembayaran"
            ),
            format!("{who} pays {amount} while {router} is dead: the wish to reopen is written with the payment"),
        );
    } else if !report.reopened.is_empty() {
        timeline.note(
            Tone::Relief,
            format!("{who} membayar {amount}: layanan dibuka"),
            format!("{who} pays {amount}: the line is reopened"),
        );
    } else if report.credit.is_positive() {
        let credit = report.credit;
        timeline.note(
            Tone::Story,
            format!("{who} membayar {amount}: {credit} menjadi titipan"),
            format!("{who} pays {amount}: {credit} is kept as credit"),
        );
    } else if intended.webhooks > 1 {
        let times = intended.webhooks;
        timeline.note(
            Tone::Story,
            format!("{who} membayar {amount}; webhook datang {times} kali, tercatat sekali"),
            format!("{who} pays {amount}; the webhook comes {times} times and counts once"),
        );
    } else {
        timeline.note(Tone::Story, format!("{who} membayar {amount}"), format!("{who} pays {amount}"));
    }
}

/// `Bambang Santoso (PLG-0001)`.
pub(super) fn known_as(customer: &Customer) -> String {
    format!("{} ({})", customer.name, customer.code)
}
