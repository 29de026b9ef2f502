//! Routers in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::isolation::access::ObservedAccess;
use crate::isolation::survey::{Sighting, Survey};
use crate::isolation::{Access, AccessTarget};
use crate::package::UserGroup;
use crate::place::RouterEndpoint;
use crate::ports::{AccessControl, ApplyOutcome, Capabilities, PortError};
use crate::subscription::{Account, Service};
use crate::testing::fuse::Fuse;

/// All routers of a test, told apart by host and port. Clones are the same routers.
#[derive(Debug, Clone, Default)]
pub struct FakeRouter {
    routers: Arc<Mutex<BTreeMap<(String, u16), Router>>>,
    fuse: Fuse,
}

#[derive(Debug, Default)]
struct Router {
    accounts: BTreeMap<(String, Service), Kept>,
    down: bool,
    lost_replies: u32,
    refused: BTreeSet<String>,
    applies: u64,
    changes: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    ours: bool,
    account: Account,
    group: Option<UserGroup>,
    access: Access,
}

impl FakeRouter {
    /// Routers without accounts, all up.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Routers that share a fuse with other doubles.
    #[must_use]
    pub fn with_fuse(fuse: Fuse) -> Self {
        Self { fuse, ..Self::default() }
    }

    /// Switches a router off or on. While it is off a call fails with [`PortError::NotSent`].
    pub fn set_down(&self, router: &RouterEndpoint, down: bool) {
        self.with(router, |r| r.down = down);
    }

    /// Makes the next `count` answers get lost: the accounts are changed, the caller hears [`PortError::Unknown`].
    pub fn lose_replies(&self, router: &RouterEndpoint, count: u32) {
        self.with(router, |r| r.lost_replies = count);
    }

    /// Makes a router refuse one account from now on.
    pub fn refuse(&self, router: &RouterEndpoint, username: &str) {
        self.with(router, |r| r.refused.insert(username.to_owned()));
    }

    /// Puts in an account that is not ours.
    pub fn plant(&self, router: &RouterEndpoint, account: Account) {
        let kept = Kept { ours: false, group: None, access: Access::Open, account };
        self.with(router, |r| r.accounts.insert(key(&kept.account), kept));
    }

    /// What a router allows an account, of whichever service; `None` when there is none of ours.
    #[must_use]
    pub fn access(&self, router: &RouterEndpoint, username: &str) -> Option<Access> {
        self.with(router, |r| r.named(username).map(|a| a.access))
    }

    /// The group of an account of ours.
    #[must_use]
    pub fn group(&self, router: &RouterEndpoint, username: &str) -> Option<UserGroup> {
        self.with(router, |r| r.named(username).and_then(|a| a.group.clone()))
    }

    /// True when an account that is not ours is there with this name and password.
    #[must_use]
    pub fn holds_foreign(&self, router: &RouterEndpoint, account: &Account) -> bool {
        self.with(router, |r| r.accounts.get(&key(account)).is_some_and(|a| !a.ours && a.account == *account))
    }

    /// How often accounts were applied on a router, failed calls not counted.
    #[must_use]
    pub fn applies(&self, router: &RouterEndpoint) -> u64 {
        self.with(router, |r| r.applies)
    }

    /// How many accounts were really changed on a router.
    #[must_use]
    pub fn changes(&self, router: &RouterEndpoint) -> u64 {
        self.with(router, |r| r.changes)
    }

    fn with<T>(&self, at: &RouterEndpoint, f: impl FnOnce(&mut Router) -> T) -> T {
        let mut routers = self.routers.lock().unwrap_or_else(PoisonError::into_inner);
        f(routers.entry((at.host.clone(), at.port)).or_default())
    }

    fn call<T>(&self, at: &RouterEndpoint, f: impl FnOnce(&mut Router) -> T) -> Result<T, PortError> {
        let lost = || PortError::Unknown { reason: "reply lost".into() };
        let answer = self.fuse.run(|| {
            self.with(at, |router| {
                if router.down {
                    return Err(PortError::NotSent { reason: "no connection".into() });
                }
                let answer = f(router);
                if router.lost_replies > 0 {
                    router.lost_replies -= 1;
                    return Err(lost());
                }
                Ok(answer)
            })
        });
        answer.unwrap_or_else(|_| Err(lost()))
    }
}

/// Services have accounts of their own, which may share a name.
fn key(account: &Account) -> (String, Service) {
    (account.username.to_string(), account.service)
}

impl Router {
    /// The account of ours with this name; one that is closed only when no other is there.
    fn named(&self, name: &str) -> Option<&Kept> {
        let (first, last) = ((name.to_owned(), Service::Pppoe), (name.to_owned(), Service::Dhcp));
        let ours = self.accounts.range(first..=last).map(|(_, kept)| kept).filter(|kept| kept.ours);
        ours.min_by_key(|kept| kept.access == Access::Closed)
    }

    fn apply(&mut self, target: &AccessTarget) -> ApplyOutcome {
        let name = target.account.username.as_str();
        let refused = |code, reason: &str| ApplyOutcome::Refused { code, reason: reason.into() };
        if self.refused.contains(name) {
            return refused("fake.refused", "the test says so");
        }
        let old = self.accounts.get(&key(&target.account));
        if old.is_some_and(|old| !old.ours && !target.adopt) {
            return refused("fake.not_ours", "an account of that name carries no mark of ours");
        }
        if target.forget || (target.left && !target.account.service.logs_in()) {
            let changed = self.accounts.remove(&key(&target.account)).is_some();
            self.changes += u64::from(changed);
            return ApplyOutcome::Done { access: target.desired, changed, answer: "nothing is left".into() };
        }
        let new = Kept {
            ours: true,
            account: target.account.clone(),
            group: Some(target.group.clone()),
            access: target.desired,
        };
        let changed = old != Some(&new);
        if changed {
            self.accounts.insert(key(&target.account), new);
            self.changes += 1;
        }
        ApplyOutcome::Done { access: target.desired, changed, answer: target.desired.code().into() }
    }

    fn sighting(&self, target: &AccessTarget, at: DateTime<Utc>) -> Sighting {
        let name = target.account.username.as_str();
        let kept = self.accounts.get(&key(&target.account));
        let refused = match kept {
            _ if self.refused.contains(name) => Some("fake.refused"),
            Some(kept) if !kept.ours && !target.adopt => Some("fake.not_ours"),
            _ => None,
        };
        let mut line = Sighting { refused, ..Sighting::of(target.desired, self.observe(target, at)) };
        let same = |kept: &Kept| kept.account == target.account && kept.group.as_ref() == Some(&target.group);
        line.as_wanted &= kept.is_none_or(|kept| target.desired == Access::Closed || same(kept));
        line
    }

    fn observe(&self, target: &AccessTarget, at: DateTime<Utc>) -> ObservedAccess {
        let access = self.accounts.get(&key(&target.account)).filter(|a| a.ours).map(|a| a.access);
        let answer = access.map_or("no account of ours", Access::code).to_owned();
        ObservedAccess { access, revision: 0, at, answer }
    }
}

#[async_trait]
impl AccessControl for FakeRouter {
    fn capabilities(&self) -> Capabilities {
        Capabilities { kick: true, rate: true, page: true, fixed: true, dhcp: true, ..Capabilities::default() }
    }

    async fn apply(&self, router: &RouterEndpoint, targets: &[AccessTarget]) -> Result<Vec<ApplyOutcome>, PortError> {
        self.call(router, |r| {
            r.applies += 1;
            targets.iter().map(|target| r.apply(target)).collect()
        })
    }

    async fn observe(
        &self,
        router: &RouterEndpoint,
        targets: &[AccessTarget],
        now: DateTime<Utc>,
    ) -> Result<Vec<ObservedAccess>, PortError> {
        self.call(router, |r| targets.iter().map(|target| r.observe(target, now)).collect())
    }

    async fn survey(
        &self,
        router: &RouterEndpoint,
        targets: &[AccessTarget],
        now: DateTime<Utc>,
    ) -> Result<Survey, PortError> {
        self.call(router, |r| Survey {
            lines: targets.iter().map(|target| r.sighting(target, now)).collect(),
            ..Survey::default()
        })
    }
}
