//! The port [`AccessControl`] on FreeRADIUS: rows first, then the sessions that still have the old ones.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::{StreamExt as _, stream};
use isp_core::isolation::access::ObservedAccess;
use isp_core::isolation::survey::{LeftAccount, RouterFinding, Sighting, Survey};
use isp_core::isolation::{Access, AccessTarget};
use isp_core::place::RouterEndpoint;
use isp_core::ports::{AccessControl, ApplyOutcome, Capabilities, PortError};
use isp_core::subscription::Service;
use isp_core::text::RouterName;

use crate::names;
use crate::nas::{Outcome, disconnect};
use crate::problem::Problem;
use crate::reconcile::{self, Found, Pair, Step};
use crate::settings::{Nas, Settings};
use crate::tables::Tables;

/// So many sessions are ended on one NAS at a time.
const AT_ONCE: usize = 16;

/// Lines in FreeRADIUS. One serves all routers that ask the same RADIUS.
pub struct RadiusAccess {
    settings: Settings,
    tables: Tables,
}

impl std::fmt::Debug for RadiusAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RadiusAccess").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// What the tables say of some lines, and of the groups that they need.
struct Seen {
    found: Vec<Found>,
    /// Groups whose rows are not as they should be, with the rows.
    groups: BTreeMap<String, Vec<Pair>>,
    /// True when the group of isolated lines has its rows.
    isolates: bool,
    /// Groups to which packages give other terms.
    ambiguous: BTreeSet<String>,
}

impl RadiusAccess {
    /// An adapter. The database is called with the first line.
    ///
    /// # Errors
    /// [`PortError::Refused`] with `radius.database` for an address that cannot be read.
    pub fn new(settings: Settings) -> Result<Self, PortError> {
        let tables = Tables::at(&settings.database)?;
        Ok(Self { settings, tables })
    }

    fn nas(&self, router: &RouterEndpoint) -> Result<&Nas, PortError> {
        self.settings.nas.get(&router.host).ok_or_else(|| Problem::UnknownNas.into())
    }

    /// The user of a line, as FreeRADIUS asks for it.
    fn user(&self, target: &AccessTarget) -> String {
        names::asked(target.account.username.as_str(), &self.settings.safe_characters)
    }

    fn users(&self, targets: &[AccessTarget]) -> Vec<String> {
        targets.iter().map(|target| self.user(target)).collect()
    }

    /// What differs from the rows that these lines and the isolation need.
    fn seen(&self, targets: &[AccessTarget], found: Vec<Found>, rows: &BTreeMap<String, Vec<Pair>>) -> Seen {
        let (isolation, pairs) = reconcile::isolation_group(&self.settings);
        let isolates = rows.get(&isolation) == Some(&pairs);
        let mut groups = reconcile::groups(targets, &self.settings);
        let ambiguous = reconcile::ambiguous(targets, &self.settings, |name| self.tables.folded(name));
        groups.retain(|group, pairs| match rows.get(group) {
            Some(found) => found != pairs && !ambiguous.contains(group),
            None => true,
        });
        Seen { found, groups, isolates, ambiguous }
    }

    /// The groups of these lines, and that of isolated ones.
    fn group_names(&self, targets: &[AccessTarget]) -> Vec<String> {
        let mut names: Vec<String> = reconcile::groups(targets, &self.settings).into_keys().collect();
        names.push(self.settings.isolated());
        names.sort();
        names.dedup();
        names
    }

    async fn look(&self, targets: &[AccessTarget]) -> Result<Seen, PortError> {
        let (found, rows) = self.tables.read(&self.users(targets), &self.group_names(targets)).await?;
        Ok(self.seen(targets, found, &rows))
    }

    /// Writes the rows of all these lines, and says what became of each. Where the tables do not take what one line has, it is
    /// looked for by halves, so that it alone is refused.
    async fn write(&self, targets: &[AccessTarget]) -> Result<Vec<Step>, PortError> {
        let mut steps = Vec::with_capacity(targets.len());
        let mut parts = vec![targets];
        while let Some(part) = parts.pop() {
            match self.write_together(part).await {
                Ok(done) => steps.extend(done),
                Err(error) => match (Problem::of_a_line(&error), part) {
                    (None, _) => return Err(error),
                    (Some(problem), [_]) => steps.push(Step::Refuse(problem)),
                    (Some(_), _) => {
                        let (first, second) = part.split_at(part.len() / 2);
                        parts.extend([second, first]);
                    }
                },
            }
        }
        Ok(steps)
    }

    /// Writes the rows of all these lines in one transaction.
    async fn write_together(&self, targets: &[AccessTarget]) -> Result<Vec<Step>, PortError> {
        let mut writing = self.tables.begin().await?;
        let (found, rows) = writing.read(&self.users(targets), &self.group_names(targets)).await?;
        let seen = self.seen(targets, found, &rows);
        for (group, pairs) in &seen.groups {
            writing.group(group, pairs).await?;
        }
        let mut steps = Vec::with_capacity(targets.len());
        for (target, found) in targets.iter().zip(&seen.found) {
            let step = reconcile::step(target, found, &self.settings);
            if step == Step::Write {
                let wanted = reconcile::wanted(target, &self.settings);
                let owes = !reconcile::only_password(target, found, &self.settings);
                let username = self.user(target);
                let of = (target.subscription_id.0, target.router_id.0);
                writing.user(&username, of, &wanted, owes).await?;
            }
            steps.push(step);
        }
        writing.commit().await?;
        Ok(steps)
    }

    /// Ends what runs under old terms. The first silence of a NAS is that of all its lines: the rows stand, and the next try
    /// goes on from there.
    async fn end_sessions(
        &self,
        router: &RouterEndpoint,
        targets: &[AccessTarget],
        found: &[Found],
    ) -> Result<Vec<Option<u32>>, PortError> {
        let nas = self.nas(router)?;
        let mut refused = vec![None; targets.len()];
        let owing: Vec<(usize, &AccessTarget, i64)> = targets
            .iter()
            .zip(found)
            .enumerate()
            .filter_map(|(at, (target, found))| {
                let owner = found.owner.filter(|owner| owner.owed || reconcile::moved_away(*owner, target))?;
                Some((at, target, owner.stamp))
            })
            .collect();
        let elsewhere = |at: usize| {
            let pair = targets.get(at).zip(found.get(at).and_then(|found| found.owner));
            pair.is_some_and(|(target, owner)| reconcile::moved_away(owner, target))
        };
        // One alone first: a NAS that is gone costs the time of one line.
        let (first, rest) = owing.split_at(owing.len().min(1));
        for group in [first, rest] {
            let requests = group.iter().map(|(at, target, stamp)| async {
                let username = target.account.username.as_str();
                let ended = disconnect(&router.host, nas, username, &self.settings.patience).await;
                (*at, *target, *stamp, ended)
            });
            let requests: Vec<_> = requests.collect();
            let mut ending = stream::iter(requests).buffer_unordered(AT_ONCE);
            while let Some((at, target, stamp, ended)) = ending.next().await {
                match ended {
                    // What moved away is settled on the router where it serves.
                    Ok(Outcome::Ended | Outcome::NotOnline) if !elsewhere(at) => {
                        self.tables.settled(&self.user(target), stamp).await?
                    }
                    Ok(Outcome::Ended | Outcome::NotOnline) => {}
                    Ok(Outcome::Refused(cause)) => {
                        if let Some(place) = refused.get_mut(at) {
                            *place = Some(cause.unwrap_or_default());
                        }
                    }
                    Err(silence) => return Err(PortError::Unknown { reason: format!("the NAS {silence}") }),
                }
            }
        }
        Ok(refused)
    }

    /// Removes the users whose customers are to be forgotten. One with a session that did not end stays.
    async fn forget(&self, targets: &[AccessTarget], found: &[Found]) -> Result<(), PortError> {
        let goes = |(target, found): &(&AccessTarget, &Found)| {
            let here = found.owner.is_some_and(|owner| !reconcile::moved_away(owner, target));
            target.forget && target.desired == Access::Closed && here
        };
        let going: Vec<&AccessTarget> = targets.iter().zip(found).filter(goes).map(|(target, _)| target).collect();
        if going.is_empty() {
            return Ok(());
        }
        let mut writing = self.tables.begin().await?;
        for target in going {
            writing.forget(&self.user(target), target.subscription_id.0).await?;
        }
        writing.commit().await
    }

    /// How a line looks beside what is wanted of it.
    fn sighting(&self, target: &AccessTarget, found: &Found, seen: &Seen) -> Sighting {
        let access = reconcile::access(target, found, seen.isolates, &self.settings);
        let step = reconcile::step(target, found, &self.settings);
        let refused = match step {
            Step::Refuse(problem) => Some(problem.code()),
            _ => None,
        };
        let groups = reconcile::groups(std::slice::from_ref(target), &self.settings);
        let grouped = groups.keys().all(|group| !seen.groups.contains_key(group));
        let none =
            step == Step::MovedAway || (target.desired == Access::Closed && !found.there && found.owner.is_none());
        let as_wanted = none || (step == Step::Keep && access == Some(target.desired) && grouped);
        let open = access == Some(Access::Open) || found.owner.is_some_and(|owner| owner.owed);
        Sighting {
            access: if none { Some(Access::Closed) } else { access },
            as_wanted,
            cuts: target.desired != Access::Open && open && !as_wanted,
            refused,
            answer: answer(found, access),
        }
    }
}

/// What the tables say, in short words without secrets.
fn answer(found: &Found, access: Option<Access>) -> String {
    match (access, found.owner) {
        (_, Some(owner)) if owner.owed => "rows written, session not ended yet".to_owned(),
        (Some(Access::Closed), _) => "rejected".to_owned(),
        (Some(_), _) => format!("group {}", found.groups.join(", ")),
        (None, None) if !found.there => "no such user".to_owned(),
        (None, None) => "a user that is not ours".to_owned(),
        (None, Some(_)) => "rows were changed by hand".to_owned(),
    }
}

#[async_trait]
impl AccessControl for RadiusAccess {
    fn capabilities(&self) -> Capabilities {
        // Who is online is asked of routers: accounting loses packets, and a session that ended unheard looks online for ever.
        Capabilities { kick: true, rate: true, page: true, ..Capabilities::default() }
    }

    async fn apply(&self, router: &RouterEndpoint, targets: &[AccessTarget]) -> Result<Vec<ApplyOutcome>, PortError> {
        self.nas(router)?;
        if targets.is_empty() {
            return Ok(Vec::new());
        }
        let steps = self.write(targets).await?;
        let before = self.look(targets).await?;
        let refused = self.end_sessions(router, targets, &before.found).await?;
        self.forget(targets, &before.found).await?;
        // What is told is what is read after all that was done.
        let after = self.look(targets).await?;
        let lines = targets.iter().zip(steps).zip(before.found.iter().zip(&after.found)).zip(refused);
        lines
            .map(|(((target, step), (before, found)), refused)| {
                if let Step::Refuse(problem) = step {
                    return Ok(problem.into());
                }
                if let Some(cause) = refused {
                    return Ok(Problem::SessionKept { cause }.into());
                }
                let seen = self.sighting(target, found, &after);
                if !seen.as_wanted {
                    let reason = "somebody else wrote the rows of this user at the same time".to_owned();
                    return Err(PortError::Unknown { reason });
                }
                let changed = step == Step::Write || before.owner.is_some_and(|owner| owner.owed);
                Ok(ApplyOutcome::Done { access: target.desired, changed, answer: seen.answer })
            })
            .collect()
    }

    async fn observe(
        &self,
        router: &RouterEndpoint,
        targets: &[AccessTarget],
        now: DateTime<Utc>,
    ) -> Result<Vec<ObservedAccess>, PortError> {
        self.nas(router)?;
        let seen = self.look(targets).await?;
        let lines = targets.iter().zip(&seen.found);
        Ok(lines
            .map(|(target, found)| {
                let access = reconcile::access(target, found, seen.isolates, &self.settings);
                ObservedAccess { access, revision: 0, at: now, answer: answer(found, access) }
            })
            .collect())
    }

    async fn survey(
        &self,
        router: &RouterEndpoint,
        targets: &[AccessTarget],
        _: DateTime<Utc>,
    ) -> Result<Survey, PortError> {
        self.nas(router)?;
        let seen = self.look(targets).await?;
        let lines =
            targets.iter().zip(&seen.found).map(|(target, found)| self.sighting(target, found, &seen)).collect();
        let users: BTreeSet<String> = self.users(targets).iter().map(|user| self.tables.folded(user)).collect();
        let mut survey = Survey { lines, ..Survey::default() };
        for (username, subscription) in self.tables.ours().await? {
            if users.contains(&self.tables.folded(&username)) {
                continue;
            }
            // What a line left under another name. Lines of other routers are in the same tables and are none of ours here.
            let left = targets.iter().find(|target| target.subscription_id.0 == subscription);
            let (Some(target), Ok(name)) = (left, RouterName::parse("username", &names::meant(&username))) else {
                continue;
            };
            let (found, _) = self.tables.read(std::slice::from_ref(&username), &[]).await?;
            let closed = found.iter().all(|found| !found.there || answer(found, closed_by(found)) == "rejected");
            if !closed {
                survey.left.push(LeftAccount {
                    subscription_id: target.subscription_id,
                    username: name,
                    service: Service::Pppoe,
                });
            }
        }
        let differing = seen.groups.keys().map(|group| (group, Problem::GroupDiffers));
        let ambiguous = seen.ambiguous.iter().map(|group| (group, Problem::GroupAmbiguous));
        survey.findings.extend(differing.chain(ambiguous).map(|(group, problem)| RouterFinding {
            name: group.clone(),
            code: problem.code(),
            what: problem.to_string(),
        }));
        Ok(survey)
    }
}

/// Whether a user that nobody asks about is shut out.
fn closed_by(found: &Found) -> Option<Access> {
    let rejects = |pair: &Pair| pair.attribute == "Auth-Type" && pair.value == "Reject";
    (found.checks.iter().any(rejects) && found.owner.is_none_or(|owner| !owner.owed)).then_some(Access::Closed)
}
