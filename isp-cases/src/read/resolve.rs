//! From what is written to a [`Case`]: names are looked up, what is left out gets its default, moments become known.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use isp_core::Money;
use isp_core::bank::Doubt;
use isp_core::billing::{CreditReason, InvoiceKind};
use isp_core::calendar::{BillingDay, Cycle, Date, Zone};
use isp_core::customer::Invoicing;
use isp_core::isolation::{Access, Reason};
use isp_core::ledger::Account;
use isp_core::message::NotificationKind;
use isp_core::package::{PriceList, PriceVersion};
use isp_core::subscription::{Discount, HeldPrice, Off};
use isp_core::text::Code;

use super::file;
use crate::case::{
    Action, BankWord, Case, CaseCustomer, CasePackage, CaseSite, CaseSubscription, Expected, ExpectedInvoice,
    ExpectedMessage, ExpectedNote, InvoiceRef, Step,
};
use crate::when::Day;

/// The table that is wrong, and what is wrong in it.
type Wrong = (String, String);

/// The time of a run that names none: after the hour of isolation.
const RUN: (u32, u32) = (11, 0);
/// The time of anything else that names none: after the run.
const DAY: (u32, u32) = (14, 0);
/// A case longer than this is a mistake in a year.
const LONGEST_DAYS: i32 = 4_000;

pub(super) fn case(name: &str, file: file::File, uses: BTreeSet<String>) -> Result<Case, Wrong> {
    let top = |problem: String| ("top of the file".to_owned(), problem);
    if file.title.trim().is_empty() {
        return Err(top("title: is empty".into()));
    }
    if file.rules.is_empty() {
        return Err(top("rules: names none; name what the case is about".into()));
    }
    let policy = file.policy.checked().map_err(|e| ("[policy]".to_owned(), e.to_string()))?;
    let mut case = Case {
        file: name.to_owned(),
        title: file.title,
        rules: file.rules,
        note: file.note,
        zone: file.zone,
        policy,
        sites: file.sites.into_iter().map(|(code, site)| CaseSite { code, zone: site.zone }).collect(),
        packages: Vec::new(),
        customers: Vec::new(),
        subscriptions: Vec::new(),
        steps: Vec::new(),
        uses,
    };
    if case.sites.is_empty() {
        case.sites.push(CaseSite { code: "HOME".into(), zone: Zone::Wib });
    }
    for (code, package) in file.packages {
        let table = format!("[packages.{code}]");
        case.packages.push(self::package(code, &package).map_err(|problem| (table, problem))?);
    }
    for (code, customer) in file.customers {
        case.customers.push(CaseCustomer { code, reachable: customer.reachable, invoicing: customer.invoicing });
    }
    for (name, subscription) in file.subscriptions {
        let table = format!("[subscriptions.{name}]");
        let made = self::subscription(&case, name, &subscription).map_err(|problem| (table, problem))?;
        if !case.customers.iter().any(|c| c.code == made.customer) {
            let (code, invoicing) = (made.customer.clone(), Invoicing::default());
            case.customers.push(CaseCustomer { code, reachable: true, invoicing });
        }
        case.subscriptions.push(made);
    }
    codes(&case)?;
    let mut reached = None;
    let (mut outages, mut proofs): (Vec<String>, Vec<String>) = Default::default();
    for (at, step) in file.step.into_iter().enumerate() {
        let number = at + 1;
        let made = Steps { case: &case, number, reached, outages: &mut outages, proofs: &mut proofs }.step(step);
        let step = made.map_err(|problem| (format!("[[step]] {number}"), problem))?;
        // A clock that was wrong does not move what comes after it.
        reached = step.moments.last().copied().max(reached);
        case.steps.push(step);
    }
    if !case.steps.iter().any(|s| s.expect.is_some() || s.refused.is_some()) {
        return Err(("[[step]]".into(), "expect: no step asks for anything".into()));
    }
    Ok(case)
}

/// What is typed as a name must be a code wherever a host keeps it.
fn codes(case: &Case) -> Result<(), Wrong> {
    let names = case.sites.iter().map(|s| ("sites", &s.code));
    let names = names.chain(case.packages.iter().map(|p| ("packages", &p.code)));
    let names = names.chain(case.customers.iter().map(|c| ("customers", &c.code)));
    for (table, name) in names.chain(case.subscriptions.iter().map(|s| ("subscriptions", &s.name))) {
        Code::parse("name", name).map_err(|e| (format!("[{table}.{name}]"), e.to_string()))?;
    }
    Ok(())
}

fn package(code: String, package: &file::Package) -> Result<CasePackage, String> {
    let dated = |p: &file::Price| PriceVersion { from: p.from.0, price: p.price };
    let prices: Vec<PriceVersion> = match (package.price, package.prices.is_empty()) {
        (Some(price), true) => vec![PriceVersion { from: Date::MIN, price }],
        (None, false) => package.prices.iter().map(dated).collect(),
        _ => return Err("give either `price` or `prices`".into()),
    };
    PriceList::try_new(prices.clone()).map_err(|e| format!("price: {e}"))?;
    Ok(CasePackage { code, prices, ppn: package.ppn })
}

fn subscription(case: &Case, name: String, of: &file::Subscription) -> Result<CaseSubscription, String> {
    let site = only(of.site.as_ref(), "site", case.sites.iter().map(|s| &s.code))?;
    let package = only(of.package.as_ref(), "package", case.packages.iter().map(|p| &p.code))?;
    let zone = case.sites.iter().find(|s| s.code == site).map_or(Zone::Wib, |s| s.zone);
    let start = of.start.0;
    let day = of.day.map_or(Ok(BillingDay::of(start)), BillingDay::try_new).map_err(|e| format!("day: {e}"))?;
    let cycle = Cycle::try_from(of.cycle.unwrap_or(1)).map_err(|e| format!("cycle: {e}"))?;
    let off = |d: &file::Off| match (d.percent, d.amount) {
        (Some(percent @ 1..=100), None) => Ok(Off::Percent(percent)),
        (None, Some(amount)) if amount.is_positive() => Ok(Off::Amount(amount)),
        _ => Err("discount: give either `percent`, 1 to 100, or `amount`".to_owned()),
    };
    let discount = of.discount.as_ref().map(|d| Ok::<_, String>(Discount { off: off(d)?, until: until(d.until) }));
    Ok(CaseSubscription {
        customer: of.customer.clone().unwrap_or_else(|| name.clone()),
        name,
        site,
        zone,
        package,
        start,
        day,
        cycle,
        timing: of.timing,
        held_price: of.held_price.as_ref().map(|h| HeldPrice { price: h.price, until: until(h.until) }),
        discount: discount.transpose()?,
        entered: of.entered.map_or_else(|| start.midnight(zone), |when| when.at((0, 0), case.zone)),
    })
}

fn until(day: Option<Day>) -> Option<Date> {
    day.map(|d| d.0)
}

/// What is named, if it is there; else the only one that there is.
fn only<'a>(named: Option<&String>, key: &str, mut all: impl Iterator<Item = &'a String>) -> Result<String, String> {
    match named {
        Some(name) => match all.any(|one| one == name) {
            true => Ok(name.clone()),
            false => Err(format!("{key}: there is no {key} `{name}`")),
        },
        None => match (all.next(), all.next()) {
            (Some(one), None) => Ok(one.clone()),
            (None, _) => Err(format!("{key}: there is none")),
            (Some(_), Some(_)) => Err(format!("{key}: there are several; name one")),
        },
    }
}

/// What the steps before this one came to.
pub(super) struct Steps<'a> {
    case: &'a Case,
    number: usize,
    reached: Option<DateTime<Utc>>,
    outages: &'a mut Vec<String>,
    proofs: &'a mut Vec<String>,
}

impl Steps<'_> {
    fn step(mut self, step: file::Step) -> Result<Step, String> {
        let zone = self.case.zone;
        let moments: Vec<DateTime<Utc>> = match (&step.run, step.on) {
            (Some(_), Some(_)) => return Err("on: a run says its days itself".into()),
            (None, None) => return Err("on: is missing".into()),
            (Some(runs), None) => {
                let (hour, minute) = runs.time.unwrap_or(RUN);
                let days = runs.last.days_since(runs.first);
                if days > LONGEST_DAYS {
                    return Err(format!("run: {days} days are too many"));
                }
                (0..=days).map(|i| runs.first.plus_days(i).at(hour, minute, zone)).collect()
            }
            // Without a time: after the run of the day, and after whatever came before.
            (None, Some(when)) => match (when.time, self.reached) {
                (None, Some(reached)) if zone.date_of(reached) == when.day => vec![when.at(DAY, zone).max(reached)],
                _ => vec![when.at(DAY, zone)],
            },
        };
        if moments.first().copied() < self.reached && !step.back {
            return Err("on: lies before the step above it; for a clock that went wrong, say `back = true`".into());
        }
        if (step.approve || step.confirm) && step.run.is_none() {
            return Err("approve, confirm: go with `run`".into());
        }
        let Some(now) = moments.last().copied() else { return Err("run: has no day".into()) };
        let (refused, asked) = (step.refused.clone(), step.expect.is_some());
        let runs = step.run.is_some().then_some(Action::Run { approve: step.approve, confirm: step.confirm });
        let today = zone.date_of(now);
        let expect = step.expect.as_ref().map(|e| self.expected(e)).transpose()?;
        let mut actions: Vec<Action> = self.actions(step, now, today)?;
        actions.extend(runs);
        let action = match actions.len() {
            0 if asked => Action::Look,
            0 => return Err("holds neither something that happens nor `expect`".into()),
            1 => actions.remove(0),
            _ => return Err("holds several things that happen; give each a step of its own".into()),
        };
        Ok(Step { number: self.number, moments, action, refused, expect })
    }

    fn actions(&mut self, step: file::Step, now: DateTime<Utc>, today: Date) -> Result<Vec<Action>, String> {
        let mut actions = self.money(&step, now)?;
        actions.extend(self.terms(&step)?);
        actions.extend(self.protection(&step, now, today)?);
        actions.extend(self.records(&step, today)?.into_iter().map(Action::Record));
        if let Some(install) = &step.install {
            actions.push(Action::Install {
                subscription: self.of("install.subscription", install.subscription.as_ref())?,
                fee: install.fee,
                on: until(install.on).unwrap_or(today),
                instalments: install.instalments.unwrap_or(1),
                with_first_invoice: install.with_first_invoice,
            });
        }
        if let Some(price) = &step.price {
            let packages = self.case.packages.iter().map(|p| &p.code);
            let package = only(price.package.as_ref(), "package", packages)?;
            actions.push(Action::Price { package, from: price.from.0, price: price.price });
        }
        if let Some(policy) = step.policy {
            let policy = policy.checked().map_err(|e| format!("policy: {e}"))?;
            actions.push(Action::Policy { policy: Box::new(policy) });
        }
        if let Some(router) = &step.router {
            actions.push(Action::Router { site: self.site(router.site.as_ref())?, down: router.down });
        }
        actions.extend(step.whatsapp.map(|w| Action::Whatsapp { down: w.down }));
        Ok(actions)
    }

    fn money(&self, step: &file::Step, now: DateTime<Utc>) -> Result<Vec<Action>, String> {
        let mut actions = Vec::new();
        let because = |reason: Option<&String>| reason.cloned().unwrap_or_else(|| "salah".into());
        let provider = |named: Option<&String>| named.cloned().unwrap_or_else(|| "bank".into());
        if let Some(pay) = &step.pay {
            actions.push(Action::Pay {
                customer: self.customer("pay.customer", pay.customer.as_ref())?,
                amount: pay.amount,
                provider: provider(pay.provider.as_ref()),
                reference: pay.reference.clone().unwrap_or_else(|| format!("T-{}", self.number)),
                paid_at: pay.paid.map_or(now, |when| when.at((12, 0), self.case.zone)),
                collector: pay.collector.clone(),
                sure: pay.sure,
                payer_fee: pay.payer_fee,
                fee: pay.fee,
            });
        }
        let gateway = |named: Option<&String>| named.cloned().unwrap_or_else(|| "tripay".into());
        if let Some(ask) = &step.ask {
            let customer = self.customer("ask.customer", ask.customer.as_ref())?;
            actions.push(Action::Ask { customer, provider: gateway(ask.provider.as_ref()) });
        }
        if let Some(notice) = &step.notice {
            actions.push(Action::Notice {
                provider: gateway(notice.provider.as_ref()),
                state: notice.state,
                amount: notice.amount,
                reference: notice.reference.clone().unwrap_or_else(|| "N-1".into()),
            });
        }
        if let Some(write) = &step.write {
            actions.push(Action::Write {
                customer: self.customer("write.customer", write.customer.as_ref())?,
                text: write.text.clone(),
                message: write.message.clone().unwrap_or_else(|| format!("M-{}", self.number)),
            });
        }
        if let Some(of) = &step.reverse {
            let (provider, reference) = (provider(of.provider.as_ref()), of.reference.clone());
            actions.push(Action::Reverse { provider, reference, reason: because(of.reason.as_ref()) });
        }
        if let Some(of) = &step.write_off {
            let invoice = self.invoice("write_off", of.subscription.as_ref(), of.kind.as_ref(), of.invoice.0)?;
            actions.push(Action::WriteOff { invoice, reason: because(of.reason.as_ref()) });
        }
        if let Some(of) = &step.take_back_write_off {
            let key = "take_back_write_off";
            let invoice = self.invoice(key, of.subscription.as_ref(), of.kind.as_ref(), of.invoice.0)?;
            actions.push(Action::TakeBackWriteOff { invoice, reason: because(of.reason.as_ref()) });
        }
        if let Some(of) = &step.correct {
            let invoice = self.invoice("correct", of.subscription.as_ref(), of.kind.as_ref(), of.invoice.0)?;
            actions.push(Action::Correct { invoice, amount: of.amount, reason: because(of.reason.as_ref()) });
        }
        if let Some(of) = &step.cancel {
            let invoice = self.invoice("cancel", of.subscription.as_ref(), None, of.invoice.0)?;
            actions.push(Action::Cancel { invoice, bill_again: of.bill_again });
        }
        Ok(actions)
    }

    fn terms(&self, step: &file::Step) -> Result<Vec<Action>, String> {
        let mut actions = Vec::new();
        if let Some(change) = &step.change_package {
            let subscription = self.of("change_package.subscription", change.subscription.as_ref())?;
            let to = only(Some(&change.to), "package", self.case.packages.iter().map(|p| &p.code))?;
            actions.push(Action::ChangePackage { subscription, to, at_once: change.at_once });
        }
        if let Some(change) = &step.change_day {
            let subscription = self.of("change_day.subscription", change.subscription.as_ref())?;
            let to = BillingDay::try_new(change.to).map_err(|e| format!("change_day.to: {e}"))?;
            actions.push(Action::ChangeDay { subscription, to });
        }
        if let Some(of) = &step.pause {
            actions.push(Action::Pause { subscription: self.of("pause.subscription", of.subscription.as_ref())? });
        }
        if let Some(of) = &step.resume {
            actions.push(Action::Resume { subscription: self.of("resume.subscription", of.subscription.as_ref())? });
        }
        if let Some(end) = &step.end {
            let subscription = self.of("end.subscription", end.subscription.as_ref())?;
            actions.push(Action::End { subscription, on: end.on.0 });
        }
        Ok(actions)
    }

    fn protection(&mut self, step: &file::Step, now: DateTime<Utc>, today: Date) -> Result<Vec<Action>, String> {
        let zone = self.case.zone;
        let mut actions = Vec::new();
        if let Some(promise) = &step.promise {
            actions.push(Action::Promise {
                customer: self.customer("promise.customer", promise.customer.as_ref())?,
                made_on: until(promise.made_on).unwrap_or(today),
                until: promise.until.0,
            });
        }
        if let Some(exempt) = &step.exempt {
            actions.push(Action::Exempt {
                customer: self.customer("exempt.customer", exempt.customer.as_ref())?,
                from: exempt.from.0,
                until: exempt.until.0,
                reason: exempt.reason.clone().unwrap_or_else(|| "sekolah".into()),
            });
        }
        if let Some(proof) = &step.proof {
            let start = until(proof.invoice);
            let invoice =
                start.map(|start| self.invoice("proof", proof.subscription.as_ref(), None, start)).transpose()?;
            let file = proof.file.clone().unwrap_or_else(|| format!("proof {}", self.proofs.len() + 1));
            self.proofs.push(file.clone());
            actions.push(Action::Proof {
                customer: self.customer("proof.customer", proof.customer.as_ref())?,
                invoices: invoice.into_iter().collect(),
                amount: proof.amount,
                file,
            });
        }
        if let Some(review) = &step.review {
            let last = || self.proofs.last().cloned().ok_or("review: there is no proof yet");
            let (provider, reference) = (review.provider.clone(), review.reference.clone());
            actions.push(Action::Review {
                customer: self.customer("review.customer", review.customer.as_ref())?,
                file: review.file.clone().map_or_else(last, Ok)?,
                say: review.say,
                amount: review.amount,
                provider: provider.unwrap_or_else(|| "bank".into()),
                reference: reference.unwrap_or_else(|| format!("T-{}", self.number)),
                reason: review.reason.clone().unwrap_or_else(|| "uangnya tidak masuk".into()),
                sure: review.sure,
            });
        }
        if let Some(bank) = &step.bank_file {
            let account = bank.account.clone().unwrap_or_else(|| "BANK-1".into());
            actions.push(Action::BankFile { account, text: bank.text.clone() });
        }
        if let Some(says) = &step.bank_says {
            let customer = match says.say {
                BankWord::Matched => self.customer("bank_says.customer", says.customer.as_ref())?,
                BankWord::Ignored | BankWord::TakenBack => String::new(),
            };
            let reason = says.reason.clone().unwrap_or_else(|| "salah".into());
            actions.push(Action::BankSays { say: says.say, words: says.words.clone(), customer, reason });
        }
        if let Some(outage) = &step.outage {
            let name = outage.name.clone().unwrap_or_else(|| format!("outage {}", self.outages.len() + 1));
            self.outages.push(name.clone());
            actions.push(Action::Outage {
                name,
                site: self.site(outage.site.as_ref())?,
                from: outage.from.map_or(now, |when| when.at((0, 0), zone)),
                until: outage.until.map(|when| when.at((0, 0), zone)),
            });
        }
        if let Some(end) = &step.end_outage {
            let until = end.until.map_or(now, |when| when.at((0, 0), zone));
            actions.push(Action::EndOutage { name: self.outage(end.name.as_ref())?, until });
        }
        let because = |reason: Option<&String>| reason.cloned().unwrap_or_else(|| "salah ketik".into());
        for (what, of) in [("promise", &step.end_promise), ("exemption", &step.end_exemption)] {
            let Some(of) = of else { continue };
            actions.push(Action::EndProtection {
                what: what.to_owned(),
                customer: self.customer(&format!("end_{what}.customer"), of.customer.as_ref())?,
                taken_back: of.taken_back,
                reason: because(of.reason.as_ref()),
            });
        }
        if let Some(of) = &step.take_back_outage {
            let name = self.outage(of.name.as_ref())?;
            actions.push(Action::TakeBackOutage { name, reason: because(of.reason.as_ref()) });
        }
        if let Some(of) = &step.credit_outage {
            actions.push(Action::CreditOutage { name: self.outage(of.name.as_ref())? });
        }
        let words = |of: &file::ByHand| {
            let (by, reason) = (of.by.clone(), of.reason.clone());
            (by.unwrap_or_else(|| "Rina".into()), reason.unwrap_or_else(|| "diminta".into()))
        };
        if let Some(of) = &step.isolate {
            let (by, reason) = words(of);
            let customer = self.customer("isolate.customer", of.customer.as_ref())?;
            actions.push(Action::Isolate { customer, by, reason });
        }
        if let Some(of) = &step.reopen {
            let (by, reason) = words(of);
            let customer = self.customer("reopen.customer", of.customer.as_ref())?;
            actions.push(Action::Reopen { customer, by, reason });
        }
        Ok(actions)
    }

    fn of(&self, key: &str, named: Option<&String>) -> Result<String, String> {
        let all = self.case.subscriptions.iter().map(|s| &s.name);
        only(named, "subscription", all).map_err(|problem| format!("{key}: {problem}"))
    }

    pub(super) fn customer(&self, key: &str, named: Option<&String>) -> Result<String, String> {
        let all = self.case.customers.iter().map(|c| &c.code);
        only(named, "customer", all).map_err(|problem| format!("{key}: {problem}"))
    }

    pub(super) fn site(&self, named: Option<&String>) -> Result<String, String> {
        only(named, "site", self.case.sites.iter().map(|s| &s.code))
    }

    fn outage(&self, named: Option<&String>) -> Result<String, String> {
        only(named, "outage", self.outages.iter())
    }

    pub(super) fn invoice(
        &self,
        key: &str,
        subscription: Option<&String>,
        kind: Option<&String>,
        start: Date,
    ) -> Result<InvoiceRef, String> {
        let subscription = self.of(&format!("{key}.subscription"), subscription)?;
        Ok(InvoiceRef { subscription, kind: invoice_kind(&format!("{key}.kind"), kind)?, start })
    }

    fn expected(&self, expect: &file::Expect) -> Result<Expected, String> {
        let of = self.of("expect.of", expect.of.as_ref())?;
        let access = |key: &str, word: Option<&String>| match word {
            Some(word) => Access::parse(word).map(|_| Some(word.clone())).map_err(|e| format!("expect.{key}: {e}")),
            None => Ok(None),
        };
        if let Some(reason) = expect.reason.as_ref().filter(|r| Reason::ALL.iter().all(|known| known.code() != **r)) {
            return Err(format!("expect.reason: there is no reason `{reason}`"));
        }
        for doubt in expect.waits.iter().flatten() {
            let known = Doubt::ALL.iter().any(|known| known.code() == doubt);
            known.then_some(()).ok_or_else(|| format!("expect.waits: `{doubt}` is no reason"))?;
        }
        for account in expect.books.iter().flat_map(BTreeMap::keys) {
            Account::parse(account).map_err(|e| format!("expect.books.{account}: {e}"))?;
        }
        let invoices = expect.invoices.as_ref().map(|all| all.iter().map(invoice).collect::<Result<Vec<_>, _>>());
        let notes = expect.credit_notes.as_ref().map(|all| all.iter().map(note).collect::<Result<Vec<_>, _>>());
        let messages = expect.messages.as_ref().map(|all| all.iter().map(message).collect::<Result<Vec<_>, _>>());
        Ok(Expected {
            of,
            invoices: invoices.transpose()?,
            credit_notes: notes.transpose()?,
            owed: expect.owed,
            credit: expect.credit,
            access: access("access", expect.access.as_ref())?,
            reason: expect.reason.clone(),
            router: access("router", expect.router.as_ref())?,
            answer: expect.answer.clone(),
            request: expect.request.clone(),
            messages: messages.transpose()?,
            problem: expect.problem.clone(),
            held: expect.held,
            waits: expect.waits.clone(),
            books: expect.books.clone(),
        })
    }
}

fn invoice_kind(key: &str, kind: Option<&String>) -> Result<String, String> {
    let kind = kind.map_or("subscription", String::as_str);
    InvoiceKind::parse(kind).map(|kind| kind.code().to_owned()).map_err(|e| format!("{key}: {e}"))
}

fn invoice(of: &file::Invoice) -> Result<ExpectedInvoice, String> {
    Ok(ExpectedInvoice {
        kind: invoice_kind("expect.invoices.kind", of.kind.as_ref())?,
        period: of.period.0,
        issued: until(of.issued),
        due: until(of.due),
        lines: of.lines.clone(),
        dpp: of.dpp,
        ppn: of.ppn,
        total: sum("expect.invoices", of.total, of.lines.as_ref())?,
        open: of.open,
    })
}

fn note(of: &file::Note) -> Result<ExpectedNote, String> {
    if let Some(reason) = &of.reason {
        CreditReason::parse(reason).map_err(|e| format!("expect.credit_notes.reason: {e}"))?;
    }
    Ok(ExpectedNote {
        period: of.period.0,
        reason: of.reason.clone(),
        issued: until(of.issued),
        lines: of.lines.clone(),
        dpp: of.dpp,
        ppn: of.ppn,
        total: sum("expect.credit_notes", of.total, of.lines.as_ref())?,
    })
}

/// A total that its own lines contradict is a slip of whoever wrote the case.
fn sum(
    key: &str,
    total: Option<Money>,
    lines: Option<&std::collections::BTreeMap<String, Money>>,
) -> Result<Option<Money>, String> {
    let added: Option<Money> = lines.map(|all| all.values().sum());
    match (total, added) {
        (Some(total), Some(added)) if total != added => {
            Err(format!("{key}.total: is {total}, but its lines add up to {added}"))
        }
        (total, added) => Ok(total.or(added)),
    }
}

fn message(of: &file::Message) -> Result<ExpectedMessage, String> {
    NotificationKind::parse(&of.kind).map_err(|_| format!("expect.messages.kind: there is no kind `{}`", of.kind))?;
    Ok(ExpectedMessage { kind: of.kind.clone(), on: of.on.0, at: of.at.clone(), amount: of.amount })
}
