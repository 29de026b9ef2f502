//! The engine over any store as a host, with routers and phones in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use isp_core::calendar::Zone;
use isp_core::clock::ClockWord;
use isp_core::ending::{Ending, EndingKind, RecordId};
use isp_core::engine::{
    Approval, BillReport, EnforceReport, Engine, EngineError, GatewayWish, NewPayment, Outside, Said, Told,
};
use isp_core::ids::{
    CustomerId, ExemptionId, InstallationKindId, InstallationOrderId, InvoiceId, OutageId, PackageId, PaymentRequestId,
    PromiseId, SiteId, SubscriptionId, TenantId, derive,
};
use isp_core::installation::{InstallationOrder, part_step};
use isp_core::message::Sender;
use isp_core::message::inbound::Answer;
use isp_core::message::notification::OutgoingMessage;
use isp_core::payment::{GatewayRequest, PayChannel, PaymentNotice};
use isp_core::ports::StandingWatch;
use isp_core::ports::{InboxStore, InvoiceQuery, PageQuery, Store, StoreError};
use isp_core::protection::{Exemption, Outage, Promise};
use isp_core::testing::sample::{self, worker};
use isp_core::testing::{FakeGateway, FakeMessenger, FakeRouter, MessengerFault};
use isp_core::text::Code;
use isp_core::{Money, Policy};
use uuid::Uuid;

use crate::case::{Action, Case, CasePackage, CaseSubscription, InvoiceRef};
use crate::host::{Host, Refusal};
use crate::observed::Observed;
use crate::record::Recorded;

mod bank;
mod look;
mod outside;
mod places;
mod proof;
mod records;

/// Rows a page: few, so that a case with several subscriptions is paged.
const PAGE: u32 = 2;

/// A store with the engine over it. Each case lives in a tenant of its own, so one database serves all.
pub struct EngineHost<'s> {
    store: &'s dyn Store,
    inbox: &'s dyn InboxStore,
    tenant: TenantId,
    policy: Policy,
    sender: Sender,
    routers: FakeRouter,
    phones: FakeMessenger,
    packages: Vec<CasePackage>,
    zones: BTreeMap<String, Zone>,
    outages: BTreeMap<String, Outage>,
    sent: Vec<(DateTime<Utc>, OutgoingMessage)>,
    gateways: BTreeMap<String, FakeGateway>,
    asked: BTreeMap<String, GatewayRequest>,
    answers: BTreeMap<String, Option<Answer>>,
    last: (BillReport, EnforceReport),
    /// Refunds, deposits and payouts, in the order in which they were recorded.
    recorded: Vec<(Recorded, RecordId)>,
}

impl<'s> EngineHost<'s> {
    /// A host for one case, with nothing in it yet.
    #[must_use]
    pub fn new<S: Store + InboxStore>(store: &'s S, case: &Case) -> Self {
        Self {
            store,
            inbox: store,
            tenant: TenantId(derive(Uuid::nil(), &["case", &case.file])),
            policy: case.policy.clone(),
            sender: sample::sender(),
            routers: FakeRouter::new(),
            phones: FakeMessenger::new(),
            packages: Vec::new(),
            zones: BTreeMap::new(),
            outages: BTreeMap::new(),
            sent: Vec::new(),
            gateways: BTreeMap::new(),
            asked: BTreeMap::new(),
            answers: BTreeMap::new(),
            last: Default::default(),
            recorded: Vec::new(),
        }
    }

    fn engine(&self) -> Engine<'_> {
        Engine { page: PAGE, sender: Some(&self.sender), ..Engine::new(self.store, self.tenant, &self.policy) }
    }

    /// The id of something that the case gives a name.
    fn id(&self, kind: &str, name: &str) -> Uuid {
        derive(self.tenant.0, &[kind, name])
    }

    async fn run(&mut self, approve: bool, confirm: bool, at: DateTime<Utc>) -> Result<(), EngineError> {
        let approval = if approve { Approval::All } else { Approval::None };
        let (watch, said) =
            (StandingWatch(at), Said { approval, clock: if confirm { ClockWord::Right } else { ClockWord::Nothing } });
        let worker = worker(&watch);
        let outside = Outside::new(&worker, &self.routers, &self.phones);
        let day = self.engine().run_day(&outside, &said, at).await;
        self.note_sent(at);
        let day = day?;
        self.last = (day.billed, day.enforced);
        Ok(())
    }

    /// Brings routers and messages up to date, and writes down what left.
    async fn deliver(&mut self, at: DateTime<Utc>) -> Result<(), EngineError> {
        let done = self.engine().deliver(&worker(&StandingWatch(at)), &self.routers, &self.phones, at).await;
        self.note_sent(at);
        done.map(|_| ())
    }

    /// Writes down what has left since the last look.
    fn note_sent(&mut self, at: DateTime<Utc>) {
        let accepted = self.phones.accepted();
        self.sent.extend(accepted.into_iter().skip(self.sent.len()).map(|message| (at, message)));
    }

    async fn pay(&self, pay: &Action, at: DateTime<Utc>) -> Result<(), EngineError> {
        let Action::Pay { customer, amount, provider, reference, paid_at, collector, sure, payer_fee, fee } = pay
        else {
            return Ok(());
        };
        if !(payer_fee.is_zero() && fee.is_zero()) {
            return self.pay_at_gateway(pay, at).await;
        }
        let payment = NewPayment {
            customer_id: CustomerId(self.id("customer", customer)),
            provider: Code::parse("provider", provider)?,
            reference: reference.clone().try_into()?,
            amount: *amount,
            paid_at: *paid_at,
            collector: collector.as_deref().map(|c| Code::parse("collector", c)).transpose()?,
        };
        let told = if *sure { Told::ByPersonWhoInsists } else { Told::ByPerson };
        self.engine().pay_as(&payment, told, at).await?;
        Ok(())
    }

    /// A customer pays what a gateway was asked to collect, and the gateway says so.
    async fn pay_at_gateway(&self, pay: &Action, at: DateTime<Utc>) -> Result<(), EngineError> {
        let Action::Pay { customer, amount, provider, reference, paid_at, payer_fee, fee, .. } = pay else {
            return Ok(());
        };
        let gateway = FakeGateway::new(Code::parse("provider", provider)?);
        let customer = CustomerId(self.id("customer", customer));
        let id = PaymentRequestId(self.id("request", reference));
        let wish = GatewayWish { id, customer, invoice: None, channel: PayChannel::Qris };
        let (row, _) = self.engine().request_at_gateway(&gateway, wish, at).await?;
        let Some(told) = gateway.pay(&row.reference, *amount - *payer_fee, *fee, *paid_at) else { return Ok(()) };
        let notice = PaymentNotice { payer_fee: *payer_fee, provider_id: reference.clone().try_into()?, ..told };
        self.engine().take_notice(&gateway, &notice, at).await?;
        Ok(())
    }

    /// The payment of that reference which is not reversed, as people compare: without case.
    async fn reverse(&self, action: &Action, at: DateTime<Utc>) -> Result<(), EngineError> {
        let Action::Reverse { provider, reference, reason } = action else { return Ok(()) };
        let mut page = PageQuery::first(PAGE);
        let mut found = Vec::new();
        loop {
            let rows = self.store.payments(self.tenant, None, page).await?;
            let more = page.advance(&rows, |last| last.payment.id);
            let same = |a: String, b: &str| a.eq_ignore_ascii_case(b.trim());
            found.extend(rows.into_iter().filter(|r| {
                same(r.payment.provider.to_string(), provider) && same(r.payment.reference.to_string(), reference)
            }));
            if !more {
                break;
            }
        }
        let open = found.iter().find(|r| r.reversal.is_none()).or(found.first());
        let payment = open.ok_or(StoreError::NotFound { what: "payment" })?.payment.id;
        self.engine().reverse(payment, "Rina", reason, at).await?;
        Ok(())
    }

    async fn terms(&self, action: &Action, at: DateTime<Utc>) -> Result<(), EngineError> {
        let engine = self.engine();
        let line = |name: &str| SubscriptionId(self.id("subscription", name));
        match action {
            Action::ChangePackage { subscription, to, at_once: true } => {
                let package = PackageId(self.id("package", to));
                engine.change_package_at_once(line(subscription), package, "Rina", at).await?;
            }
            Action::ChangePackage { subscription, to, at_once: false } => {
                engine.change_package(line(subscription), PackageId(self.id("package", to)), at).await?;
            }
            Action::ChangeDay { subscription, to } => {
                engine.change_billing_day(line(subscription), *to, at).await?;
            }
            Action::Pause { subscription } => {
                engine.pause(line(subscription), at).await?;
            }
            Action::Resume { subscription } => engine.resume(line(subscription), at).await?,
            Action::End { subscription, on } => {
                engine.terminate(line(subscription), *on, at).await?;
            }
            _ => {}
        }
        Ok(())
    }

    async fn protect(&mut self, action: &Action, at: DateTime<Utc>) -> Result<(), EngineError> {
        let number = self.sent.len().to_string() + &at.to_string();
        match action {
            Action::Promise { customer, made_on, until } => {
                let id = PromiseId(self.id("promise", &number));
                let customer_id = CustomerId(self.id("customer", customer));
                let promise =
                    Promise { id, customer_id, made_on: *made_on, until: *until, by: "Rina".into(), ending: None };
                self.engine().promise(promise).await?;
            }
            Action::Exempt { customer, from, until, reason } => {
                let exemption = Exemption {
                    id: ExemptionId(self.id("exemption", &number)),
                    customer_id: CustomerId(self.id("customer", customer)),
                    from: *from,
                    until: *until,
                    reason: reason.clone(),
                    by: "Rina".into(),
                    ending: None,
                };
                self.engine().exempt(exemption).await?;
            }
            Action::Outage { name, site, from, until } => {
                let outage = Outage {
                    id: OutageId(self.id("outage", name)),
                    site_id: SiteId(self.id("site", site)),
                    from: *from,
                    until: *until,
                    note: "kabel putus".into(),
                    ending: None,
                };
                self.engine().outage(outage.clone()).await?;
                self.outages.insert(name.clone(), outage);
            }
            Action::EndOutage { name, until } => {
                let Some(outage) = self.outages.get(name) else { return Ok(()) };
                let ended = Outage { until: Some(*until), ..outage.clone() };
                self.engine().outage(ended.clone()).await?;
                self.outages.insert(name.clone(), ended);
            }
            Action::EndProtection { what, customer, taken_back, reason } => {
                let kind = if *taken_back { EndingKind::TakenBack } else { EndingKind::Ended };
                let ending = Ending::try_new(kind, at, "Rina", reason)?;
                let customer = CustomerId(self.id("customer", customer));
                let last = self.last_protection(what, customer).await?;
                self.engine().end_protection(customer, last, ending, at).await?;
            }
            Action::TakeBackOutage { name, reason } => {
                let ending = Ending::try_new(EndingKind::TakenBack, at, "Rina", reason)?;
                self.engine().take_outage_back(OutageId(self.id("outage", name)), ending).await?;
            }
            Action::CreditOutage { name } => {
                let (outage, zone) = self.engine().find_outage(OutageId(self.id("outage", name))).await?;
                self.engine().credit_outage(&outage, zone, true, "Rina", at).await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The promise or exemption of a customer that was recorded last.
    async fn last_protection(&self, what: &str, customer: CustomerId) -> Result<RecordId, EngineError> {
        let (promises, exemptions) = self.store.protections(self.tenant, Some(customer)).await?;
        let last = match what {
            "promise" => promises.iter().max_by_key(|p| p.made_on).map(|p| RecordId::Promise(p.id)),
            _ => exemptions.iter().max_by_key(|e| e.from).map(|e| RecordId::Exemption(e.id)),
        };
        Ok(last.ok_or(StoreError::NotFound { what: "protection" })?)
    }

    async fn by_hand(&self, action: &Action, at: DateTime<Utc>) -> Result<(), EngineError> {
        let engine = self.engine();
        match action {
            Action::Isolate { customer, by, reason } => {
                engine.isolate(CustomerId(self.id("customer", customer)), by, reason, at).await?;
            }
            Action::Reopen { customer, by, reason } => {
                engine.reopen(CustomerId(self.id("customer", customer)), by, reason, at).await?;
            }
            _ => {}
        }
        Ok(())
    }

    async fn give_up(&self, action: &Action, at: DateTime<Utc>) -> Result<(), EngineError> {
        let engine = self.engine();
        match action {
            Action::WriteOff { invoice, reason } => {
                let (customer, invoice) = self.invoice(invoice).await?;
                engine.write_off(customer, invoice, "Rina", reason, at).await?;
            }
            Action::TakeBackWriteOff { invoice, reason } => {
                let (customer, invoice) = self.invoice(invoice).await?;
                let last = engine.last_write_off(customer, invoice).await?;
                let last = last.ok_or(StoreError::NotFound { what: "write-off" })?;
                engine.reverse(last.payment_id, "Rina", reason, at).await?;
            }
            Action::Correct { invoice, amount, reason } => {
                let (customer, invoice) = self.invoice(invoice).await?;
                engine.correct(customer, invoice, *amount, "Rina", reason, at).await?;
            }
            _ => {}
        }
        Ok(())
    }

    async fn invoice(&self, of: &InvoiceRef) -> Result<(CustomerId, InvoiceId), EngineError> {
        let line = SubscriptionId(self.id("subscription", &of.subscription));
        let all = self.invoices(None).await?;
        let found = all
            .iter()
            .map(|(i, _)| i)
            .find(|i| i.subscription_id == line && i.kind.code() == of.kind && i.period.start == of.start);
        Ok(found.map(|i| (i.customer_id, i.id)).ok_or(StoreError::NotFound { what: "invoice" })?)
    }

    async fn invoices(
        &self,
        customer: Option<CustomerId>,
    ) -> Result<Vec<(isp_core::billing::Invoice, Money)>, EngineError> {
        let query = InvoiceQuery { customer, ..InvoiceQuery::default() };
        let (mut page, mut all) = (PageQuery::first(100), Vec::new());
        loop {
            let rows = self.store.invoices(self.tenant, query, page).await?;
            let more = page.advance(&rows, |(last, _)| last.id);
            all.extend(rows);
            if !more {
                return Ok(all);
            }
        }
    }

    async fn install(&self, action: &Action) -> Result<(), EngineError> {
        let Action::Install { subscription, fee, on, instalments, with_first_invoice } = action else { return Ok(()) };
        let subscription_id = SubscriptionId(self.id("subscription", subscription));
        let lines = self.store.subscriptions(self.tenant, None, PageQuery::first(100)).await?;
        let line = lines.iter().map(|(s, _)| s).find(|s| s.id == subscription_id);
        let order = InstallationOrder {
            id: InstallationOrderId(self.id("installation", &format!("{subscription} {on}"))),
            customer_id: line.ok_or(StoreError::NotFound { what: "subscription" })?.customer_id,
            subscription_id,
            kind_id: InstallationKindId(self.id("kind", "FO")),
            fee: *fee,
            installed_on: *on,
            instalments: *instalments,
            with_first_invoice: *with_first_invoice,
            step: part_step(*fee),
        };
        self.engine().add_installation(order).await
    }
}

impl std::fmt::Debug for EngineHost<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineHost").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

#[async_trait(?Send)]
impl Host for EngineHost<'_> {
    async fn begin(&mut self, case: &Case) -> Result<(), Refusal> {
        self.make(case).await.map_err(refusal)
    }

    async fn enter(&mut self, subscription: &CaseSubscription) -> Result<(), Refusal> {
        self.add(subscription).await.map_err(refusal)
    }

    async fn act(&mut self, action: &Action, at: DateTime<Utc>) -> Result<(), Refusal> {
        let done = match action {
            Action::Look => return Ok(()),
            Action::Run { approve, confirm } => return self.run(*approve, *confirm, at).await.map_err(refusal),
            Action::Pay { .. } => self.pay(action, at).await,
            Action::Ask { .. } | Action::Notice { .. } | Action::Write { .. } => self.outside(action, at).await,
            Action::Reverse { .. } => self.reverse(action, at).await,
            Action::ChangePackage { .. }
            | Action::ChangeDay { .. }
            | Action::Pause { .. }
            | Action::Resume { .. }
            | Action::End { .. } => self.terms(action, at).await,
            Action::Promise { .. }
            | Action::Exempt { .. }
            | Action::Outage { .. }
            | Action::EndOutage { .. }
            | Action::EndProtection { .. }
            | Action::TakeBackOutage { .. }
            | Action::CreditOutage { .. } => self.protect(action, at).await,
            Action::Proof { .. } | Action::Review { .. } => self.proof(action, at).await,
            Action::BankFile { .. } | Action::BankSays { .. } => self.bank(action, at).await,
            Action::Isolate { .. } | Action::Reopen { .. } => self.by_hand(action, at).await,
            Action::WriteOff { .. } | Action::TakeBackWriteOff { .. } | Action::Correct { .. } => {
                self.give_up(action, at).await
            }
            Action::Cancel { .. } => {
                let message = "an invoice never changes here: what was wrong is given back by a note".to_owned();
                return Err(Refusal { code: "case.not_here".to_owned(), message });
            }
            Action::Record(record) => self.record(record, at).await,
            Action::Install { .. } => self.install(action).await,
            Action::Price { .. } => self.price(action).await,
            Action::Policy { policy } => {
                self.policy = (**policy).clone();
                Ok(())
            }
            Action::Router { site, down } => {
                Self::endpoint(site).map(|e| self.routers.set_down(&e, *down)).map_err(Into::into)
            }
            Action::Whatsapp { down } => {
                self.phones.fail_always(down.then_some(MessengerFault::NoConnection));
                Ok(())
            }
        };
        match done {
            // What was decided leaves at once, as a worker beside the program would see to.
            Ok(()) => self.deliver(at).await.map_err(refusal),
            Err(error) => Err(refusal(error)),
        }
    }

    async fn observe(&mut self, subscription: &CaseSubscription, at: DateTime<Utc>) -> Result<Observed, Refusal> {
        self.look(subscription, at).await.map_err(refusal)
    }
}

fn refusal(error: EngineError) -> Refusal {
    Refusal { code: error.code().to_owned(), message: error.to_string() }
}
