//! Carrying a plan out, in the safe order.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use isp_core::isolation::Access;
use isp_core::ports::ApplyOutcome;

use super::breaker::Budget;
use super::pace::Pace;
use super::read::{self, Passwords};
use super::settings::Settings;
use crate::client::Client;
use crate::error::{Error, RefusalKind};
use crate::mark::Mark;
use crate::menu::pool::{self, Pool};
use crate::menu::ppp::secret::{Changes, New};
use crate::menu::ppp::{profile, secret};
use crate::menu::{ItemId, Rows, address_list};
use crate::proto::Command;
use crate::reconcile::{
    AccountStep, Action, Actual, Conflict, Desired, DesiredAccount, Finding, GroupAction, GroupStep, Plan,
    RemoteAddress, plan,
};

/// Writing and reading back is done this often before an account is reported as not taking its state.
const ROUNDS: usize = 3;

/// What is said of a line that the breaker holds.
pub(super) const HELD_BACK: &str = "held back until a person approves";

/// One turn on one router, for the accounts of one service.
pub(super) struct Turn<'a> {
    pub(super) client: &'a Client,
    pub(super) settings: &'a Settings,
    pub(super) desired: &'a Desired,
    pub(super) pace: &'a mut Pace,
    passwords: &'a mut Passwords,
    /// Whether a write was sent, so that nothing after it can be called "not sent".
    pub(super) wrote: bool,
    pub(super) refused: HashMap<usize, Conflict>,
    /// The accounts whose mark owes nothing any more.
    pub(super) settled: HashSet<usize>,
    pub(super) so_far: SoFar,
}

/// What was done for the accounts of one service; it outlives a broken connection.
#[derive(Default)]
pub(super) struct SoFar {
    changed: HashSet<usize>,
    /// The profiles that were made or changed.
    regrouped: HashSet<String>,
    pub(super) kicked: HashSet<usize>,
    /// The accounts that are isolated, for which the budget was asked.
    isolating: HashSet<usize>,
}

/// A reading of a router, and what follows from it.
pub(super) struct Look {
    pub(super) plan: Plan,
    pub(super) actual: Actual,
}

impl Look {
    pub(super) fn new(desired: &Desired, actual: Actual) -> Look {
        Look { plan: plan(desired, &actual), actual }
    }

    /// How much is left to be written, ended and settled, so that a turn whose connection broke knows whether it came
    /// forward: terms, then the session that runs under old ones, then the note of it.
    pub(super) fn left(&self) -> usize {
        let debts: HashSet<&[u8]> = self
            .actual
            .accounts
            .iter()
            .filter(|found| Mark::split(&found.comment).0.is_some_and(|mark| mark.kick))
            .map(|found| &*found.name)
            .collect();
        let of_account = |step: &AccountStep| match &step.action {
            _ if step.writes_terms() => 3,
            _ if !step.kick.is_empty() => 2,
            Action::Remove { .. } => 1,
            _ => usize::from(step.writes() || debts.contains(step.name.as_bytes())),
        };
        let of_group = |step: &GroupStep| match &step.action {
            GroupAction::Create { .. } | GroupAction::Change { .. } => 2,
            _ => usize::from(step.kick),
        };
        let accounts: usize = self.plan.accounts.iter().map(of_account).sum();
        accounts + self.plan.groups.iter().map(of_group).sum::<usize>()
    }
}

impl<'a> Turn<'a> {
    pub(super) fn new(
        client: &'a Client,
        settings: &'a Settings,
        desired: &'a Desired,
        pace: &'a mut Pace,
        passwords: &'a mut Passwords,
        so_far: SoFar,
    ) -> Turn<'a> {
        let (refused, settled) = Default::default();
        Turn { client, settings, desired, pace, passwords, wrote: false, refused, settled, so_far }
    }

    /// Writes what differs by this look, reads back, ends sessions, confirms. What a later look would isolate beside
    /// that (somebody changes the router meanwhile) is taken from the budget, and refused when nothing is left of it.
    pub(super) async fn run(&mut self, look: Look, budget: &mut Budget) -> Result<Vec<ApplyOutcome>, Error> {
        let mut round = 0;
        let Look { mut plan, mut actual } = look;
        self.spend(&plan, budget);
        loop {
            let wrote = self.write_groups(&plan).await? | self.write_accounts(&plan, &actual).await?;
            if !wrote {
                break;
            }
            Look { plan, actual } = self.look().await?;
            self.spend(&plan, budget);
            round += 1;
            if round == ROUNDS {
                break;
            }
        }
        self.end_sessions(&plan, &actual).await?;
        self.settle_debts(&actual).await?;
        self.end_group_sessions(&plan, &actual).await?;
        let goes = |account: &DesiredAccount| {
            account.access == Access::Closed && (self.desired.remove_closed || account.forget)
        };
        if self.desired.accounts.iter().any(goes) {
            Look { plan, actual } = self.remove_closed().await?;
        }
        Ok(self.outcomes(&plan, &actual))
    }

    async fn look(&mut self) -> Result<Look, Error> {
        Ok(Look::new(self.desired, read::actual(self.client, self.desired, self.passwords).await?))
    }

    fn spend(&mut self, plan: &Plan, budget: &mut Budget) {
        for (index, step) in plan.accounts.iter().enumerate() {
            if step.isolates && !self.so_far.isolating.contains(&index) {
                match budget.take() {
                    true => drop(self.so_far.isolating.insert(index)),
                    false => self.refuse(index, Finding::Breaker.code(), HELD_BACK.to_owned()),
                }
            }
        }
    }

    /// Removes the accounts of closed lines on which nothing runs any more, and reads back.
    async fn remove_closed(&mut self) -> Result<Look, Error> {
        let Look { mut plan, mut actual } = self.look().await?;
        for _ in 0..ROUNDS {
            let mut ids: Vec<ItemId> = Vec::new();
            for (index, step) in plan.accounts.iter().enumerate() {
                if let (Action::Remove { id }, false) = (&step.action, self.refused.contains_key(&index)) {
                    ids.push(id.clone());
                    self.so_far.changed.insert(index);
                }
            }
            let Some(command) = self.desired.service.remove_accounts(&ids) else { break };
            self.wrote = true;
            match self.client.call(&command).await {
                Err(error) if error.refusal() == Some(RefusalKind::NoSuchItem) => {}
                other => drop(other?),
            }
            Look { plan, actual } = self.look().await?;
        }
        Ok(Look { plan, actual })
    }

    async fn write_groups(&mut self, plan: &Plan) -> Result<bool, Error> {
        let mut wrote = false;
        for group in &plan.groups {
            let command = match &group.action {
                GroupAction::Create { terms } => self.desired.service.add_group(&group.name, terms),
                GroupAction::Change { id, terms, comment, .. } => profile::change(id, terms, comment),
                _ => continue,
            };
            let users = |account: &DesiredAccount| account.access != Access::Closed && account.profile == group.name;
            let users: Vec<_> = (0..).zip(&self.desired.accounts).filter(|(_, a)| users(a)).map(|(i, _)| i).collect();
            if users.iter().all(|user| self.refused.contains_key(user)) {
                continue;
            }
            self.wrote = true;
            match self.client.call(&command).await {
                Ok(_) => {
                    wrote = true;
                    self.so_far.regrouped.insert(group.name.clone());
                }
                Err(error) if error.refusal() == Some(RefusalKind::AlreadyExists) => wrote = true,
                Err(Error::Refused { refusal, .. }) => {
                    let (code, reason) = match self.missing_pool(&group.action).await? {
                        Some((pool, setting)) => (
                            Finding::PoolMissing.code(),
                            format!(
                                "profile \"{}\": the router has no pool \"{pool}\"; make it there, or name another in \"{setting}\"",
                                group.name
                            ),
                        ),
                        None => (refusal.kind.code(), format!("profile {}: {}", group.name, refusal.message)),
                    };
                    for user in users {
                        self.refuse(user, code, reason.clone());
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(wrote)
    }

    /// The pool that a refused profile was to have and the router lacks, and the setting that names it. RouterOS itself says
    /// only that a value is not an address.
    async fn missing_pool(&self, action: &GroupAction) -> Result<Option<(String, &'static str)>, Error> {
        let (GroupAction::Create { terms } | GroupAction::Change { terms, .. }) = action else { return Ok(None) };
        let named = |value: &Option<String>| value.clone().filter(|value| value.parse::<IpAddr>().is_err());
        let wanted = [
            (named(&terms.remote_address), "mikrotik.pool, mikrotik.isolation_pool"),
            (named(&terms.local_address), "mikrotik.local_address"),
        ];
        if wanted.iter().all(|(pool, _)| pool.is_none()) {
            return Ok(None);
        }
        let rows = self.client.call(&pool::print(Rows::All)).await?.into_rows();
        let pools = rows.iter().map(Pool::from_row).collect::<Result<Vec<_>, _>>()?;
        let missing = |(pool, setting): (Option<String>, &'static str)| {
            let pool = pool?;
            pools.iter().all(|known| known.name != pool.as_bytes()).then_some((pool, setting))
        };
        Ok(wanted.into_iter().find_map(missing))
    }

    async fn write_accounts(&mut self, plan: &Plan, actual: &Actual) -> Result<bool, Error> {
        let mut commands = Vec::new();
        let mut owners = Vec::new();
        for (index, (step, account)) in plan.accounts.iter().zip(&self.desired.accounts).enumerate() {
            if self.refused.contains_key(&index) {
                continue;
            }
            for command in commands_of(step, account, self.desired) {
                commands.push(command);
                owners.push(index);
            }
        }
        if commands.is_empty() {
            return Ok(false);
        }
        tracing::debug!(
            router = self.client.address(),
            commands = commands.len(),
            known = actual.accounts.len(),
            "writing"
        );
        self.wrote = true;
        let mut broken = None;
        for (index, result) in owners.into_iter().zip(self.client.call_all(&commands).await) {
            match result {
                Ok(_) => {
                    self.so_far.changed.insert(index);
                }
                // It is there after all: the next reading finds out whose it is.
                Err(error) if error.refusal() == Some(RefusalKind::AlreadyExists) => {}
                // Somebody removed it between the reading and the write: the next reading makes it again.
                Err(error) if error.refusal() == Some(RefusalKind::NoSuchItem) => {}
                Err(Error::Refused { refusal, .. }) => self.refuse(index, refusal.kind.code(), refusal.message),
                Err(error) => broken = Some(error.worse(broken)),
            }
        }
        broken.map_or(Ok(true), Err)
    }

    fn outcomes(&self, plan: &Plan, actual: &Actual) -> Vec<ApplyOutcome> {
        let online: HashSet<&[u8]> = actual.sessions.iter().map(|session| &*session.name).collect();
        // Profiles that are not as their package says, and are used all the same.
        let foreign: HashMap<&str, &str> = plan
            .groups
            .iter()
            .filter_map(|step| match &step.action {
                GroupAction::Conflict(conflict) => Some((step.name.as_str(), conflict.reason.as_str())),
                _ => None,
            })
            .collect();
        let steps = plan.accounts.iter().zip(&self.desired.accounts).enumerate();
        steps
            .map(|(index, (step, account))| {
                if let Some(conflict) = self.refused.get(&index).or(step.conflict()) {
                    return ApplyOutcome::Refused { code: conflict.code, reason: conflict.reason.clone() };
                }
                if step.writes() || matches!(step.action, Action::Remove { .. }) {
                    let reason = "the router takes the change and does not keep it".to_owned();
                    return ApplyOutcome::Refused { code: Finding::NotKept.code(), reason };
                }
                let regrouped = !account.disabled() && self.so_far.regrouped.contains(&account.profile);
                let changed = regrouped || self.so_far.changed.contains(&index) || self.so_far.kicked.contains(&index);
                let other_terms = foreign.get(account.profile.as_str()).filter(|_| account.access == Access::Open);
                let answer = match (&step.action, other_terms) {
                    (Action::Absent, _) => "no account".to_owned(),
                    _ if account.disabled() => "account disabled".to_owned(),
                    _ if account.listed() => format!("in list {}", self.desired.isolation_list),
                    (_, Some(reason)) => (*reason).to_owned(),
                    _ if self.so_far.kicked.contains(&index) => format!("profile {}, session ended", account.profile),
                    _ if online.contains(account.name.as_bytes()) => format!("profile {}, online", account.profile),
                    _ => format!("profile {}, offline", account.profile),
                };
                ApplyOutcome::Done { access: account.access, changed, answer }
            })
            .collect()
    }

    pub(super) fn refuse(&mut self, index: usize, code: &'static str, reason: String) {
        self.refused.entry(index).or_insert(Conflict { code, reason });
    }
}

/// The commands of one step. Of those for the account, at most two, the first carries everything but the unset. What
/// lets somebody out of the isolation list comes last, as what puts somebody in comes after the account is right.
fn commands_of(step: &AccountStep, account: &DesiredAccount, desired: &Desired) -> Vec<Command> {
    let mut commands = Vec::new();
    match &step.action {
        Action::Create { profile, disabled, comment } => {
            let (name, password, comment) = (&account.name, &account.password, comment.as_bytes());
            commands.push(desired.service.add_account(&New { name, password, profile, disabled: *disabled, comment }));
        }
        Action::Change { id, profile, disabled, password, remote_address, comment, .. } => {
            let changes = Changes {
                password: password.then(|| account.password.clone()),
                profile: profile.clone(),
                remote_address: match remote_address {
                    RemoteAddress::Restore(address) => Some(address.clone().into_bytes()),
                    _ => None,
                },
                disabled: *disabled,
                comment: comment.clone(),
            };
            if !changes.is_empty() {
                commands.push(desired.service.set_account(id, &changes));
            }
            if *remote_address == RemoteAddress::PutAside {
                commands.push(secret::unset_remote_address(id));
            }
        }
        _ => {}
    }
    if let Some(address) = &step.entries.add {
        let mark = Mark::new(account.owner).comment(b"");
        commands.push(address_list::add(&desired.isolation_list, address, &mark));
    }
    commands.extend(address_list::remove(&step.entries.remove));
    commands
}

/// The plans of all services as one, its accounts in the order of the targets.
pub(super) fn in_order(parts: &[(Desired, Vec<usize>)], looks: &[Look]) -> Plan {
    let mut whole = Plan::default();
    let mut placed = Vec::new();
    for ((desired, places), Look { plan, .. }) in parts.iter().zip(looks) {
        whole.groups.extend(plan.groups.iter().cloned());
        whole.drift.extend(plan.drift.iter().cloned());
        placed.extend(places.iter().zip(&plan.accounts).filter(|(_, step)| !desired.former || step.writes()));
    }
    placed.sort_by_key(|(place, _)| **place);
    whole.accounts = placed.into_iter().map(|(_, step)| step.clone()).collect();
    whole
}
