//! Carrying a plan out, in the safe order.

use std::collections::{HashMap, HashSet};

use isp_core::isolation::Access;
use isp_core::ports::ApplyOutcome;

use super::read::{self, Passwords};
use super::settings::Settings;
use crate::client::Client;
use crate::error::{Error, RefusalKind};
use crate::mark::Mark;
use crate::menu::ItemId;
use crate::menu::ppp::secret::{Changes, New};
use crate::menu::ppp::{active, profile, secret};
use crate::proto::Command;
use crate::reconcile::{
    AccountStep, Action, Actual, Conflict, Desired, DesiredAccount, GroupAction, Plan, RemoteAddress, plan,
};

/// Writing and reading back is done this often before an account is reported as not taking its state.
const ROUNDS: usize = 3;

/// One turn on one router.
pub(super) struct Turn<'a> {
    client: &'a Client,
    settings: &'a Settings,
    desired: &'a Desired,
    passwords: &'a mut Passwords,
    /// Whether a write was sent, so that nothing after it can be called "not sent".
    pub(super) wrote: bool,
    refused: HashMap<usize, Conflict>,
    changed: HashSet<usize>,
    kicked: HashSet<usize>,
}

impl<'a> Turn<'a> {
    pub(super) fn new(
        client: &'a Client,
        settings: &'a Settings,
        desired: &'a Desired,
        passwords: &'a mut Passwords,
    ) -> Turn<'a> {
        Turn {
            client,
            settings,
            desired,
            passwords,
            wrote: false,
            refused: HashMap::new(),
            changed: HashSet::new(),
            kicked: HashSet::new(),
        }
    }

    /// Reads, writes what differs, reads back, ends sessions, confirms.
    pub(super) async fn run(&mut self) -> Result<Vec<ApplyOutcome>, Error> {
        let mut round = 0;
        let (mut plan, mut actual) = self.look().await?;
        loop {
            let wrote = self.write_groups(&plan).await? | self.write_accounts(&plan, &actual).await?;
            if !wrote {
                break;
            }
            (plan, actual) = self.look().await?;
            round += 1;
            if round == ROUNDS {
                break;
            }
        }
        self.end_sessions(&plan, &actual).await?;
        self.settle_debts(&actual).await?;
        Ok(self.outcomes(&plan, &actual))
    }

    async fn look(&mut self) -> Result<(Plan, Actual), Error> {
        let actual = read::actual(self.client, self.desired, self.passwords).await?;
        Ok((plan(self.desired, &actual), actual))
    }

    async fn write_groups(&mut self, plan: &Plan) -> Result<bool, Error> {
        let mut wrote = false;
        for group in &plan.groups {
            let command = match &group.action {
                GroupAction::Create { terms } => profile::add(&group.name, terms),
                GroupAction::Change { id, terms, .. } => profile::set(id, terms),
                _ => continue,
            };
            let users = |account: &DesiredAccount| account.access != Access::Closed && account.profile == group.name;
            let users: Vec<_> = (0..).zip(&self.desired.accounts).filter(|(_, a)| users(a)).map(|(i, _)| i).collect();
            if users.iter().all(|user| self.refused.contains_key(user)) {
                continue;
            }
            self.wrote = true;
            match self.client.call(&command).await {
                Ok(_) => wrote = true,
                Err(error) if error.refusal() == Some(RefusalKind::AlreadyExists) => wrote = true,
                Err(Error::Refused { refusal, .. }) => {
                    let reason = format!("profile {}: {}", group.name, refusal.message);
                    for user in users {
                        self.refuse(user, refusal.kind.code(), reason.clone());
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(wrote)
    }

    async fn write_accounts(&mut self, plan: &Plan, actual: &Actual) -> Result<bool, Error> {
        let mut commands = Vec::new();
        let mut owners = Vec::new();
        for (index, (step, account)) in plan.accounts.iter().zip(&self.desired.accounts).enumerate() {
            if self.refused.contains_key(&index) {
                continue;
            }
            for command in commands_of(step, account) {
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
            known = actual.secrets.len(),
            "writing"
        );
        self.wrote = true;
        let mut broken = None;
        for (index, result) in owners.into_iter().zip(self.client.call_all(&commands).await) {
            match result {
                Ok(_) => {
                    self.changed.insert(index);
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

    /// Ends the sessions that run under old terms, in batches, and looks until they are gone.
    async fn end_sessions(&mut self, plan: &Plan, actual: &Actual) -> Result<(), Error> {
        let in_debt: HashSet<&[u8]> = actual
            .secrets
            .iter()
            .filter(|secret| Mark::split(&secret.comment).0.is_some_and(|mark| mark.kick))
            .map(|secret| secret.name.as_slice())
            .collect();
        let mut owing: HashMap<&str, usize> = HashMap::new();
        for (index, (step, account)) in plan.accounts.iter().zip(&self.desired.accounts).enumerate() {
            let settled = step.kick.is_empty() && !in_debt.contains(account.name.as_bytes());
            if !settled && !self.refused.contains_key(&index) && step.conflict().is_none() && !step.writes_terms() {
                owing.insert(&account.name, index);
            }
        }
        if owing.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = owing.keys().copied().collect();
        let mut waiting: Vec<(ItemId, usize)> = read::sessions(self.client, &names)
            .await?
            .into_iter()
            .filter_map(|session| Some((session.id, *owing.get(std::str::from_utf8(&session.name).ok()?)?)))
            .collect();
        waiting.sort_unstable();
        for (number, batch) in waiting.chunks(self.settings.kick_batch.max(1)).enumerate() {
            if number > 0 {
                tokio::time::sleep(self.settings.kick_pause).await;
            }
            self.end_batch(batch).await?;
        }
        Ok(())
    }

    async fn end_batch(&mut self, batch: &[(ItemId, usize)]) -> Result<(), Error> {
        let names: Vec<&str> =
            batch.iter().filter_map(|(_, index)| Some(self.desired.accounts.get(*index)?.name.as_str())).collect();
        let mut left = batch.to_vec();
        for _ in 0..ROUNDS {
            let ids: Vec<ItemId> = left.iter().map(|(session, _)| session.clone()).collect();
            let Some(command) = active::remove(&ids) else { break };
            self.wrote = true;
            match self.client.call(&command).await {
                // A session of the list ended by itself; the others may not have been reached.
                Err(error) if error.refusal() == Some(RefusalKind::NoSuchItem) => {}
                Err(Error::Refused { refusal, .. }) => {
                    for (_, index) in left {
                        self.refuse(index, refusal.kind.code(), format!("session: {}", refusal.message));
                    }
                    return Ok(());
                }
                other => drop(other?),
            }
            let running: HashSet<ItemId> =
                read::sessions(self.client, &names).await?.into_iter().map(|session| session.id).collect();
            left.retain(|(session, _)| running.contains(session));
        }
        self.kicked.extend(batch.iter().map(|(_, index)| *index));
        for (_, index) in left {
            self.refuse(index, "router.session_stays", "the session does not end".to_owned());
        }
        Ok(())
    }

    /// Takes `kick` out of the marks of accounts whose old session is certainly gone.
    async fn settle_debts(&mut self, actual: &Actual) -> Result<(), Error> {
        let secrets: HashMap<&[u8], _> = actual.secrets.iter().map(|secret| (secret.name.as_slice(), secret)).collect();
        let mut commands = Vec::new();
        for (index, account) in self.desired.accounts.iter().enumerate() {
            let Some(secret) = secrets.get(account.name.as_bytes()) else { continue };
            let (Some(mut mark), human) = Mark::split(&secret.comment) else { continue };
            if self.refused.contains_key(&index) || !mark.kick || mark.owner != account.owner {
                continue;
            }
            mark.kick = false;
            let changes = Changes { comment: Some(mark.comment(human)), ..Changes::default() };
            commands.push(secret::set(&secret.id, &changes));
        }
        if commands.is_empty() {
            return Ok(());
        }
        self.wrote = true;
        let mut broken = None;
        for result in self.client.call_all(&commands).await {
            match result {
                Ok(_) => {}
                // The state is right; what stays is a note that makes the next turn look again.
                Err(error @ Error::Refused { .. }) => tracing::warn!(%error, "mark not settled"),
                Err(error) => broken = Some(error.worse(broken)),
            }
        }
        broken.map_or(Ok(()), Err)
    }

    fn outcomes(&self, plan: &Plan, actual: &Actual) -> Vec<ApplyOutcome> {
        let online: HashSet<&[u8]> = actual.sessions.iter().map(|session| session.name.as_slice()).collect();
        let steps = plan.accounts.iter().zip(&self.desired.accounts).enumerate();
        steps
            .map(|(index, (step, account))| {
                if let Some(conflict) = self.refused.get(&index).or(step.conflict()) {
                    return ApplyOutcome::Refused { code: conflict.code, reason: conflict.reason.clone() };
                }
                if step.writes() {
                    let reason = "the router takes the change and does not keep it".to_owned();
                    return ApplyOutcome::Refused { code: "router.not_kept", reason };
                }
                let changed = self.changed.contains(&index) || self.kicked.contains(&index);
                let answer = match (&step.action, account.access) {
                    (Action::Absent, _) => "no account".to_owned(),
                    (_, Access::Closed) => "account disabled".to_owned(),
                    _ if self.kicked.contains(&index) => format!("profile {}, session ended", account.profile),
                    _ if online.contains(account.name.as_bytes()) => format!("profile {}, online", account.profile),
                    _ => format!("profile {}, offline", account.profile),
                };
                ApplyOutcome::Done { access: account.access, changed, answer }
            })
            .collect()
    }

    fn refuse(&mut self, index: usize, code: &'static str, reason: String) {
        self.refused.entry(index).or_insert(Conflict { code, reason });
    }
}

/// The commands of one step; at most two, the first of which carries everything but the unset.
fn commands_of(step: &AccountStep, account: &DesiredAccount) -> Vec<Command> {
    match &step.action {
        Action::Create { profile, comment } => {
            let new = New { name: &account.name, password: &account.password, profile, comment: comment.as_bytes() };
            vec![secret::add(&new)]
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
            let mut commands = Vec::new();
            if !changes.is_empty() {
                commands.push(secret::set(id, &changes));
            }
            if *remote_address == RemoteAddress::PutAside {
                commands.push(secret::unset_remote_address(id));
            }
            commands
        }
        _ => Vec::new(),
    }
}
