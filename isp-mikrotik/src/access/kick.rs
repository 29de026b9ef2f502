//! Ending sessions that run under terms that do not hold any more.

use std::collections::{HashMap, HashSet};

use super::apply::Turn;
use super::read;
use crate::client::Client;
use crate::error::{Error, RefusalKind};
use crate::hash;
use crate::mark::{GroupMark, Mark};
use crate::menu::ItemId;
use crate::menu::hotspot::cookie;
use crate::menu::ppp::profile;
use crate::menu::ppp::secret::Changes;
use crate::menu::queue::SessionQueue;
use crate::menu::rate::RateLimit;
use crate::proto::Command;
use crate::reconcile::{
    Actual, ActualAccount, ActualGroup, ActualSession, ByName, Conflict, Desired, DesiredGroup, Finding, Index, Plan,
    Service,
};

/// Ending and looking is done this often before a session is reported as staying.
const ROUNDS: usize = 3;

impl Turn<'_> {
    /// Ends the sessions that run under old terms, in batches, and looks until they are gone. The debt of each batch is
    /// settled before the next one, so that a link which breaks in between costs nobody a second session.
    pub(super) async fn end_sessions(&mut self, plan: &Plan, actual: &Actual) -> Result<(), Error> {
        let in_debt: HashSet<&[u8]> = actual
            .accounts
            .iter()
            .filter(|account| Mark::split(&account.comment).0.is_some_and(|mark| mark.kick))
            .map(|account| &*account.name)
            .collect();
        let mut owing: HashMap<&str, usize> = HashMap::new();
        for (index, (step, account)) in plan.accounts.iter().zip(&self.desired.accounts).enumerate() {
            // What this turn has ended already, before the connection broke, runs under the new terms.
            let settled = (step.kick.is_empty() && !in_debt.contains(account.name.as_bytes()))
                || self.so_far.kicked.contains(&index);
            if !settled && !self.refused.contains_key(&index) && step.conflict().is_none() && !step.writes_terms() {
                owing.insert(&account.name, index);
            }
        }
        if owing.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = owing.keys().copied().collect();
        if self.desired.service == Service::Hotspot {
            self.take_cookies(&names).await?;
        }
        let mut waiting: Vec<(ItemId, usize)> = read::sessions(self.client, self.desired.service, &names)
            .await?
            .into_iter()
            .filter_map(|session| Some((session.id, *owing.get(std::str::from_utf8(&session.name).ok()?)?)))
            .collect();
        waiting.sort_unstable();
        let mut rest = waiting.as_slice();
        while !rest.is_empty() {
            let (batch, later) = rest.split_at(self.allowed(rest.len()).await);
            self.end_batch(batch).await?;
            let still: HashSet<usize> = later.iter().map(|(_, index)| *index).collect();
            let ended: HashSet<usize> = batch.iter().map(|(_, index)| *index).filter(|i| !still.contains(i)).collect();
            self.settle(actual, |index| ended.contains(&index)).await?;
            rest = later;
        }
        Ok(())
    }

    async fn allowed(&mut self, wanted: usize) -> usize {
        self.pace.take(wanted, self.settings.kick_batch, self.settings.kick_pause).await.min(wanted)
    }

    async fn end_batch(&mut self, batch: &[(ItemId, usize)]) -> Result<(), Error> {
        let desired = self.desired;
        let names: Vec<&str> =
            batch.iter().filter_map(|(_, index)| Some(desired.accounts.get(*index)?.name.as_str())).collect();
        let ids = batch.iter().map(|(session, _)| session.clone()).collect();
        let ended = self.end_ids(ids, &names).await?;
        for (session, index) in batch {
            match ended.keeps(session) {
                Some(conflict) => drop(self.refused.entry(*index).or_insert(conflict)),
                None => drop(self.so_far.kicked.insert(*index)),
            }
        }
        Ok(())
    }

    /// Ends these sessions of these users and looks whether they are gone.
    async fn end_ids(&mut self, mut left: Vec<ItemId>, names: &[&str]) -> Result<Ended, Error> {
        for _ in 0..ROUNDS {
            let Some(command) = self.desired.service.remove_sessions(&left) else { break };
            self.wrote = true;
            match self.client.call(&command).await {
                // A session of the list ended by itself; the others may not have been reached.
                Err(error) if error.refusal() == Some(RefusalKind::NoSuchItem) => {}
                // It gave up this once, perhaps half way.
                Err(error) if error.refusal() == Some(RefusalKind::TimedOut) => {}
                Err(Error::Refused { refusal, .. }) => {
                    let reason = format!("session: {}", refusal.message);
                    return Ok(Ended::Refused { code: refusal.kind.code(), reason });
                }
                other => drop(other?),
            }
            let running = read::sessions(self.client, self.desired.service, names).await?;
            let running: HashSet<ItemId> = running.into_iter().map(|session| session.id).collect();
            left.retain(|session| running.contains(session));
        }
        Ok(Ended::Staying(left.into_iter().collect()))
    }

    /// Takes away what would let hotspot clients in again without a password.
    async fn take_cookies(&mut self, names: &[&str]) -> Result<(), Error> {
        for _ in 0..ROUNDS {
            let ids: Vec<ItemId> = read::cookies(self.client, names).await?.into_iter().map(|(id, _)| id).collect();
            let Some(command) = cookie::remove(&ids) else { return Ok(()) };
            self.wrote = true;
            match self.client.call(&command).await {
                Err(error) if error.refusal() == Some(RefusalKind::NoSuchItem) => {}
                other => drop(other?),
            }
        }
        Ok(())
    }

    /// Takes `kick` out of the marks of accounts whose old session is certainly gone.
    pub(super) async fn settle_debts(&mut self, actual: &Actual) -> Result<(), Error> {
        self.settle(actual, |_| true).await
    }

    async fn settle(&mut self, actual: &Actual, whose: impl Fn(usize) -> bool) -> Result<(), Error> {
        let known: HashMap<&[u8], _> = actual.accounts.iter().map(|found| (&*found.name, found)).collect();
        let mut commands = Vec::new();
        for (index, account) in self.desired.accounts.iter().enumerate() {
            let Some(found) = known.get(account.name.as_bytes()) else { continue };
            let (Some(mut mark), human) = Mark::split(&found.comment) else { continue };
            if self.refused.contains_key(&index) || !mark.kick || mark.owner != account.owner || !whose(index) {
                continue;
            }
            if !self.settled.insert(index) {
                continue;
            }
            mark.kick = false;
            let changes = Changes { comment: Some(mark.comment(human)), ..Changes::default() };
            commands.push(self.desired.service.set_account(&found.id, &changes));
        }
        if commands.is_empty() {
            return Ok(());
        }
        self.wrote = true;
        settle_marks(self.client, &commands).await
    }

    /// Ends the sessions of every account of ours that run under older terms of a profile that changed. What a session
    /// was given is read from its queue, so that nobody is ended twice, even after a crash in between.
    pub(super) async fn end_group_sessions(&mut self, plan: &Plan, actual: &Actual) -> Result<(), Error> {
        let owing: Vec<(&DesiredGroup, &ActualGroup)> = self
            .desired
            .groups
            .iter()
            .zip(&plan.groups)
            .filter(|(_, step)| step.kick && matches!(step.action, crate::reconcile::GroupAction::Keep))
            .filter_map(|(group, _)| Some((group, actual.groups.iter().find(|g| g.name == group.name.as_bytes())?)))
            .collect();
        for (group, found) in owing {
            let members: Vec<String> = read::accounts_of(self.client, &group.name)
                .await?
                .into_iter()
                .filter(|account| account.profile == group.name.as_bytes())
                .filter(|account| Mark::split(&account.comment).0.is_some())
                .filter_map(|account| String::from_utf8(account.name.to_vec()).ok())
                .collect();
            let names: Vec<&str> = members.iter().map(String::as_str).collect();
            let staying = match names.is_empty() {
                true => HashMap::new(),
                false => self.end_old_terms(group, &names).await?,
            };
            for (index, account) in self.desired.accounts.iter().enumerate() {
                if let Some(conflict) = staying.get(account.name.as_bytes()) {
                    self.refused.entry(index).or_insert_with(|| conflict.clone());
                }
            }
            let (Some(_), human) = GroupMark::split(found.comment.as_deref().unwrap_or_default()) else { continue };
            if staying.is_empty() {
                self.wrote = true;
                let comment = GroupMark::default().comment(human);
                match self.client.call(&profile::set_comment(&found.id, &comment)).await {
                    Err(error @ Error::Refused { .. }) => tracing::warn!(%error, "mark not settled"),
                    other => drop(other?),
                }
            }
        }
        Ok(())
    }

    /// Ends the sessions of these accounts that run under older terms, and says by name which of them go on.
    async fn end_old_terms(
        &mut self,
        group: &DesiredGroup,
        names: &[&str],
    ) -> Result<HashMap<Vec<u8>, Conflict>, Error> {
        let wanted = RateLimit::parse(group.rate_limit.as_bytes());
        let queues = read::session_queues(self.client).await?.unwrap_or_default();
        let given = by_user(&queues);
        let known: HashSet<&[u8]> = names.iter().map(|name| name.as_bytes()).collect();
        let mut old: Vec<(ItemId, Vec<u8>)> = read::sessions(self.client, Service::Ppp, names)
            .await?
            .into_iter()
            .filter(|session| known.contains(&*session.name))
            .filter(|session| {
                let homeless = session.address.is_none() && group.remote_address.is_some();
                let queue = given.get(&*session.name);
                homeless || !wanted.is_some_and(|wanted| queue.is_some_and(|queue| queue.gives(wanted)))
            })
            .map(|session| (session.id, session.name.to_vec()))
            .collect();
        old.sort_unstable();
        tracing::info!(router = self.client.address(), group = group.name, sessions = old.len(), "terms changed");
        let mut rest = old.as_slice();
        let mut staying = HashMap::new();
        while !rest.is_empty() {
            let (batch, later) = rest.split_at(self.allowed(rest.len()).await);
            let ids = batch.iter().map(|(id, _)| id.clone()).collect();
            let names: Vec<&str> = batch.iter().filter_map(|(_, name)| std::str::from_utf8(name).ok()).collect();
            let ended = self.end_ids(ids, &names).await?;
            staying.extend(batch.iter().filter_map(|(id, name)| Some((name.clone(), ended.keeps(id)?))));
            rest = later;
        }
        Ok(staying)
    }
}

/// What became of a list of sessions.
enum Ended {
    /// These are still there.
    Staying(HashSet<ItemId>),
    Refused {
        code: &'static str,
        reason: String,
    },
}

impl Ended {
    /// Why a session of the list goes on; `None` when it ended.
    fn keeps(&self, session: &ItemId) -> Option<Conflict> {
        match self {
            Ended::Refused { code, reason } => Some(Conflict { code, reason: reason.clone() }),
            Ended::Staying(left) => left.contains(session).then(|| Conflict {
                code: Finding::SessionStays.code(),
                reason: "the session does not end".to_owned(),
            }),
        }
    }
}

/// A session of an account of ours, and what its profile gives now.
pub(super) struct Running<'a> {
    pub(super) user: &'a str,
    pub(super) session: ItemId,
    given: Given,
}

/// What a profile gives its sessions.
#[derive(Clone, Copy)]
enum Given {
    Nothing,
    Rate(RateLimit),
}

/// The sessions of our accounts, but for those whose profile has a rate that cannot be read.
pub(super) fn running<'a>(desired: &'a Desired, actual: &Actual, by_name: &ByName<'_>) -> Vec<Running<'a>> {
    let given = |group: &ActualGroup| match &group.rate_limit {
        None => Some(Given::Nothing),
        Some(rate) => RateLimit::parse(rate).map(Given::Rate),
    };
    let rates: hash::HashMap<&[u8], Given> =
        actual.groups.iter().filter_map(|group| Some((group.name.as_slice(), given(group)?))).collect();
    let mut running = Vec::with_capacity(actual.sessions.len());
    for account in &desired.accounts {
        let name = account.name.as_bytes();
        let ours = |found: &&&ActualAccount| Mark::split(&found.comment).0.is_some();
        let found = by_name.accounts.of(name).iter().rev().find(ours);
        let Some(given) = found.and_then(|found| rates.get(&*found.profile).copied()) else { continue };
        let of = |session: &&ActualSession| Running { user: &account.name, session: session.id.clone(), given };
        running.extend(by_name.sessions.of(name).iter().map(of));
    }
    running
}

/// Those of these sessions that carry another rate than their profile gives now. A queue tells what a session was given; one
/// without a rate has none.
pub(super) fn stale(running: &[Running<'_>], queues: &[SessionQueue]) -> HashSet<ItemId> {
    let named = queues.iter().filter_map(|queue| Some((queue.user.as_deref()?, queue)));
    let queues = Index::of_named(queues.len(), named);
    let older = |running: &&Running<'_>| {
        let queue = queues.of(running.user.as_bytes()).last();
        match running.given {
            Given::Nothing => queue.is_some(),
            Given::Rate(rate) => !queue.is_some_and(|queue| queue.gives(rate)),
        }
    };
    running.iter().filter(older).map(|running| running.session.clone()).collect()
}

/// The queues of PPPoE sessions, by their user.
fn by_user(queues: &[SessionQueue]) -> hash::HashMap<&[u8], &SessionQueue> {
    queues.iter().filter_map(|queue| Some((queue.user.as_deref()?, queue))).collect()
}

/// Takes the debt out of marks whose sessions or connections have ended.
pub(super) async fn settle_marks(client: &Client, commands: &[Command]) -> Result<(), Error> {
    let mut broken = None;
    for result in client.call_all(commands).await {
        match result {
            Ok(_) => {}
            // The state is right; what stays is a note that makes the next turn look again.
            Err(error @ Error::Refused { .. }) => tracing::warn!(%error, "mark not settled"),
            Err(error) => broken = Some(error.worse(broken)),
        }
    }
    broken.map_or(Ok(()), Err)
}
