//! The way of isolated lines to the page for paying: read, written in the safe order, read back.
//!
//! It belongs to a router and to no line. Whatever goes wrong here is told and stops no line of the router.

use std::collections::{HashMap, HashSet};

use isp_core::place::RouterEndpoint;

use super::adapter::MikrotikAccess;
use super::apply::Look;
use super::fleet::Line;
use super::read;
use crate::client::Client;
use crate::error::{Cause, Error, RefusalKind, Stage};
use crate::menu::address_list::ListEntry;
use crate::menu::firewall::{self, Rule};
use crate::menu::pool::{self, Pool};
use crate::menu::ppp::profile::{self, ProfileDns};
use crate::menu::{self, Rows};
use crate::proto::{Command, Row};
use crate::reconcile::redirect::{
    ActualFamily, ActualRedirect, DesiredRedirect, Family, RedirectPlan, RedirectStep, Role, redirect_plan,
};
use crate::reconcile::{Drift, Finding, GroupAction, Object, Plan};

/// Writing and reading back is done this often before a rule is reported as not kept.
const ROUNDS: usize = 3;

/// What became of the way to the page for paying on one router.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RedirectReport {
    /// What was written, in its order.
    pub written: Vec<RedirectStep>,
    /// What a person should know.
    pub findings: Vec<Drift>,
    /// Whether some of it is not as wanted.
    pub failed: bool,
}

impl RedirectReport {
    fn fail(&mut self, finding: Finding, what: String) {
        self.failed = true;
        self.findings.push(told(finding, what));
    }

    /// What was written, each as something that was mended.
    pub fn mended(&self) -> impl Iterator<Item = Drift> + '_ {
        self.written.iter().map(|step| told(Finding::RedirectMended, format!("{step}, and is as wanted again")))
    }
}

fn told(finding: Finding, what: String) -> Drift {
    Drift { object: Object::Router, name: String::new(), code: finding.code(), what }
}

pub(super) fn unread(error: &Error) -> Drift {
    told(Finding::RedirectUnread, format!("the firewall could not be read or written: \"{error}\""))
}

impl MikrotikAccess {
    /// Brings the pool, lists and rules that lead isolated lines to the page for paying to what the settings want, and reads
    /// back; `None` where the settings say nothing of it. Lines are not touched.
    pub async fn keep_redirect(&self, router: &RouterEndpoint) -> Option<RedirectReport> {
        let desired = DesiredRedirect::of(&self.settings, router)?;
        let mut line = self.fleet.turn(router).await;
        let mut report = RedirectReport::default();
        if let Err(error) = self.carry_redirect(&mut line, router, &desired, &mut report).await {
            tracing::info!(router = router.host, %error, "the redirect is not kept");
            report.failed = true;
            report.findings.push(unread(&error));
        }
        Some(report)
    }

    /// What [`keep_redirect`](Self::keep_redirect) would do.
    pub(super) async fn plan_redirect(&self, line: &mut Line, router: &RouterEndpoint) -> RedirectPlan {
        let Some(desired) = DesiredRedirect::of(&self.settings, router) else { return RedirectPlan::default() };
        let read = async {
            let (client, _) = line.client(router, &self.settings).await?;
            let actual = actual(&client, &desired).await;
            line.learn(actual.as_ref().err());
            actual
        };
        match read.await {
            Ok(actual) => redirect_plan(&desired, &actual),
            Err(error) => {
                let mut plan = RedirectPlan::default();
                plan.findings.push(unread(&error));
                plan
            }
        }
    }

    /// When the connection breaks in between, the router is read again over a new one and the rest is done, as long as each
    /// connection brings the work forward.
    async fn carry_redirect(
        &self,
        line: &mut Line,
        router: &RouterEndpoint,
        desired: &DesiredRedirect,
        report: &mut RedirectReport,
    ) -> Result<(), Error> {
        loop {
            let before = report.written.len();
            let (client, _) = line.client(router, &self.settings).await?;
            let done = RedirectTurn::new(&client, desired, report).run().await;
            line.learn(done.as_ref().err());
            match done {
                Err(Error::Unknown { cause: Cause::Lost(_), .. } | Error::NotSent { stage: Stage::Closed, .. })
                    if report.written.len() > before => {}
                other => return other,
            }
        }
    }

    /// Makes the pool of isolated lines before a profile is given it, where that is ours to make. What goes wrong is told by
    /// the profile.
    pub(super) async fn prepare_pool(&self, line: &mut Line, router: &RouterEndpoint, looks: &[Look]) {
        let wanted = DesiredRedirect::of(&self.settings, router).and_then(|desired| desired.pool);
        let Some(wanted) = wanted else { return };
        let names = |action: &GroupAction| match action {
            GroupAction::Create { terms } | GroupAction::Change { terms, .. } => {
                terms.remote_address.as_ref() == Some(&wanted.name)
            }
            GroupAction::Keep | GroupAction::Conflict(_) => false,
        };
        if !looks.iter().flat_map(|look| &look.plan.groups).any(|group| names(&group.action)) {
            return;
        }
        let only = DesiredRedirect { pool: Some(wanted), ..DesiredRedirect::default() };
        let made = async {
            let (client, _) = line.client(router, &self.settings).await?;
            let made = async {
                let actual = ActualRedirect { pools: pools(&client, &only).await?, ..ActualRedirect::default() };
                for step in redirect_plan(&only, &actual).steps {
                    write(&client, &step).await?;
                }
                Ok(())
            };
            let made: Result<(), Error> = made.await;
            line.learn(made.as_ref().err());
            made
        };
        if let Err(error) = made.await {
            tracing::info!(router = router.host, %error, "the pool of isolated lines was not made");
        }
    }
}

impl Plan {
    pub(super) fn add_redirect(&mut self, redirect: RedirectPlan) {
        self.redirect = redirect.steps;
        self.drift.extend(redirect.findings);
    }
}

/// What a step is known by while its router is kept, whatever is to be done.
type Known = (&'static str, String);

/// One turn on one router.
struct RedirectTurn<'a> {
    client: &'a Client,
    /// What is wanted in this turn. A family whose page cannot be reached, since the router does not take something that it
    /// needs, has nothing that shuts.
    desired: DesiredRedirect,
    report: &'a mut RedirectReport,
    /// What is not tried again in this turn.
    settled: HashSet<Known>,
    /// In how many rounds something was written.
    tried: HashMap<Known, usize>,
}

impl<'a> RedirectTurn<'a> {
    fn new(client: &'a Client, desired: &'a DesiredRedirect, report: &'a mut RedirectReport) -> RedirectTurn<'a> {
        report.failed = false;
        report.findings.clear();
        RedirectTurn { client, desired: desired.clone(), report, settled: HashSet::new(), tried: HashMap::new() }
    }

    async fn run(&mut self) -> Result<(), Error> {
        loop {
            let RedirectPlan { mut steps, findings, .. } =
                redirect_plan(&self.desired, &actual(self.client, &self.desired).await?);
            steps.retain(|step| !self.settled.contains(&known(step)));
            if steps.is_empty() {
                self.report.findings.extend(findings);
                return Ok(());
            }
            // What shuts waits until all that the page needs was read back.
            let needing: Vec<Family> =
                steps.iter().filter(|step| step.role == Role::Needed).map(|step| step.family).collect();
            steps.retain(|step| step.role != Role::Shuts || !needing.contains(&step.family));
            for known in steps.iter().map(known).collect::<HashSet<_>>() {
                *self.tried.entry(known).or_default() += 1;
            }
            for step in steps {
                if self.tried.get(&known(&step)).is_some_and(|&rounds| rounds > ROUNDS) {
                    let what =
                        format!("the router takes a change and does not keep it: \"{}\" \"{}\"", step.menu, step.name);
                    self.give_up(&step, Finding::RedirectNotKept, what);
                } else {
                    self.carry_out(step).await?;
                }
            }
        }
    }

    /// A step that the router does not take is told once, and not tried again in this turn.
    fn give_up(&mut self, step: &RedirectStep, finding: Finding, what: String) {
        if self.settled.insert(known(step)) {
            self.report.fail(finding, what);
        }
        if step.role == Role::Needed {
            self.hold(step.family);
        }
    }

    /// Nothing shuts isolated lines out of a page that they cannot reach: what would is not written, and what does is taken
    /// away until the router takes what the page needs.
    fn hold(&mut self, family: Family) {
        if self.desired.family_mut(family).open() {
            let what = format!(
                "the rules of \"{}\" that shut isolated lines out are not written, and those that are there are taken away, since \
                 the router does not take something that the page for paying needs",
                family.menus()[2]
            );
            self.report.fail(Finding::RedirectHeld, what);
        }
    }

    /// One step. A broken connection ends the turn; a refusal ends the step.
    async fn carry_out(&mut self, step: RedirectStep) -> Result<(), Error> {
        match write(self.client, &step).await {
            Ok(()) => self.report.written.push(step),
            // Somebody took it away between the reading and the write: the next reading makes it again.
            Err(error) if error.refusal() == Some(RefusalKind::NoSuchItem) => {}
            // The address is in the list already, for a while at least.
            Err(error) if error.refusal() == Some(RefusalKind::AlreadyExists) => {
                self.settled.insert(known(&step));
            }
            Err(Error::Refused { refusal, .. }) => {
                let what = format!("\"{}\" refuses \"{}\": \"{}\"", step.menu, step.name, refusal.message);
                self.give_up(&step, Finding::RedirectRefused, what);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

fn known(step: &RedirectStep) -> Known {
    (step.menu, step.name.clone())
}

async fn write(client: &Client, step: &RedirectStep) -> Result<(), Error> {
    for command in step.commands() {
        match (client.call(&command).await, step.without_comment()) {
            (Err(error), Some(plain)) if error.refusal() == Some(RefusalKind::UnknownParameter) => {
                client.call(&plain).await?;
            }
            (answer, _) => drop(answer?),
        }
    }
    Ok(())
}

/// Reads pools, lists and rules, each menu counted.
async fn actual(client: &Client, desired: &DesiredRedirect) -> Result<ActualRedirect, Error> {
    let (pools, profiles, v4, v6) = tokio::join!(
        pools(client, desired),
        profiles(client, desired),
        family(client, desired, Family::V4),
        family(client, desired, Family::V6)
    );
    Ok(ActualRedirect { pools: pools?, profiles: profiles?, v4: v4?, v6: v6? })
}

async fn pools(client: &Client, desired: &DesiredRedirect) -> Result<Vec<Pool>, Error> {
    let Some(wanted) = &desired.pool else { return Ok(Vec::new()) };
    read::parse(client.call(&pool::print(Rows::Named(&[&wanted.name]))).await?, Pool::from_row)
}

async fn profiles(client: &Client, desired: &DesiredRedirect) -> Result<Vec<ProfileDns>, Error> {
    let Some(wanted) = &desired.dns else { return Ok(Vec::new()) };
    read::parse(client.call(&profile::print_dns(&wanted.profile)).await?, ProfileDns::from_row)
}

async fn family(client: &Client, desired: &DesiredRedirect, family: Family) -> Result<ActualFamily, Error> {
    let [lists, nat, filter] = family.menus();
    let list = &desired.portal_list;
    let entries =
        if_there(client, firewall::count_list(lists, list), || firewall::print_list(lists, list), ListEntry::from_row);
    let rules = |menu| if_there(client, menu::count(menu), move || firewall::print(menu), Rule::from_row);
    let (entries, nat, filter) = tokio::join!(entries, rules(nat), rules(filter));
    Ok(ActualFamily { entries: entries?, nat: nat?, filter: filter? })
}

/// A table, or none where the router has no such menu.
async fn if_there<T: read::Identified>(
    client: &Client,
    count: Command,
    print: impl Fn() -> Command,
    from_row: impl Fn(&Row) -> Result<T, Error>,
) -> Result<Option<Vec<T>>, Error> {
    match read::table(client, &count, print, from_row).await {
        Ok(rows) => Ok(Some(rows)),
        Err(error) if error.refusal() == Some(RefusalKind::NoSuchCommand) => Ok(None),
        Err(error) => Err(error),
    }
}
