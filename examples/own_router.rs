//! A router of your own: the `AccessControl` port, and the suite that proves it true to its contract.
//!
//! `cargo run --example own_router`

#![allow(clippy::print_stdout, reason = "an example tells what it does")]

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use isp::core::Secret;
use isp::core::ids::SubscriptionId;
use isp::core::isolation::{Access, AccessTarget, ObservedAccess};
use isp::core::package::UserGroup;
use isp::core::place::RouterEndpoint;
use isp::core::ports::{AccessControl, ApplyOutcome, Capabilities, PortError};
use isp::core::subscription::Account;
use isp::core::testing::contract::access::{Harness, run_all};

/// A router whose accounts are rows in memory. Yours talks to a machine instead.
struct OwnRouter {
    endpoint: RouterEndpoint,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    accounts: BTreeMap<String, Row>,
    down: bool,
    lose_reply: bool,
}

#[derive(Clone, PartialEq)]
struct Row {
    /// Whose account it is; `None` for one that somebody else made.
    owner: Option<SubscriptionId>,
    password: Secret,
    group: Option<UserGroup>,
    access: Access,
}

impl OwnRouter {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A router that cannot be reached has done nothing, and says so.
    fn reach(&self) -> Result<MutexGuard<'_, State>, PortError> {
        let state = self.state();
        if state.down { Err(PortError::NotSent { reason: "it is switched off".into() }) } else { Ok(state) }
    }

    /// An account that carries no mark of ours.
    fn foreign(account: &Account) -> Row {
        Row { owner: None, password: account.password.clone(), group: None, access: Access::Open }
    }
}

#[async_trait]
impl AccessControl for OwnRouter {
    fn capabilities(&self) -> Capabilities {
        Capabilities { rate: true, page: true, ..Capabilities::default() }
    }

    async fn apply(&self, _: &RouterEndpoint, targets: &[AccessTarget]) -> Result<Vec<ApplyOutcome>, PortError> {
        let mut state = self.reach()?;
        let mut outcomes = Vec::with_capacity(targets.len());
        for target in targets {
            if !target.account.service.logs_in() {
                let reason = "this router knows lines that log in".into();
                outcomes.push(ApplyOutcome::Refused { code: "own.service", reason });
                continue;
            }
            let name = target.account.username.as_str().to_owned();
            let before = state.accounts.get(&name).cloned();
            let owner = before.as_ref().map(|row| row.owner);
            let ours = owner.is_none_or(|owner| match owner {
                Some(line) => line == target.subscription_id || target.succeeds.contains(&line),
                None => target.adopt,
            });
            if !ours {
                let reason = "the account is somebody else's".into();
                outcomes.push(ApplyOutcome::Refused { code: "own.foreign", reason });
                continue;
            }
            let after = (!target.forget).then(|| Row {
                owner: Some(target.subscription_id),
                password: target.account.password.clone(),
                group: Some(target.group.clone()),
                access: target.desired,
            });
            let changed = before != after;
            match after {
                Some(row) => drop(state.accounts.insert(name, row)),
                None => drop(state.accounts.remove(&name)),
            }
            outcomes.push(ApplyOutcome::Done { access: target.desired, changed, answer: "written".into() });
        }
        // The work is done and nobody knows: the engine reads back, and applying it again changes nothing.
        if std::mem::take(&mut state.lose_reply) {
            return Err(PortError::Unknown { reason: "the answer was lost".into() });
        }
        Ok(outcomes)
    }

    async fn observe(
        &self,
        _: &RouterEndpoint,
        targets: &[AccessTarget],
        now: DateTime<Utc>,
    ) -> Result<Vec<ObservedAccess>, PortError> {
        let state = self.reach()?;
        let seen = |target: &AccessTarget| {
            let row = state.accounts.get(target.account.username.as_str());
            let access = row.filter(|row| row.owner == Some(target.subscription_id)).map(|row| row.access);
            ObservedAccess { access, revision: 0, at: now, answer: "read".into() }
        };
        Ok(targets.iter().map(seen).collect())
    }
}

/// The hands that break the router under test.
#[async_trait]
impl Harness for OwnRouter {
    fn control(&self) -> &dyn AccessControl {
        self
    }

    fn endpoint(&self) -> RouterEndpoint {
        self.endpoint.clone()
    }

    async fn plant(&self, account: &Account) {
        self.state().accounts.insert(account.username.as_str().to_owned(), Self::foreign(account));
    }

    async fn is_untouched(&self, account: &Account) -> bool {
        self.state().accounts.get(account.username.as_str()) == Some(&Self::foreign(account))
    }

    async fn set_down(&self, down: bool) {
        self.state().down = down;
    }

    async fn lose_reply(&self) -> bool {
        self.state().lose_reply = true;
        true
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let endpoint = RouterEndpoint::parse("192.0.2.1", "api", Secret::new("not used"))?;
    // Panics where the contract is broken. In a crate of yours this is the body of a test.
    run_all(&OwnRouter { endpoint, state: Mutex::default() }).await;
    println!("the router keeps the contract");
    Ok(())
}
