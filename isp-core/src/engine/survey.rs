//! Looking at every router whole: what is confirmed is what was read last, and what differs is wished again (rule I5).
//!
//! A hand in Winbox, a router that was reset, a settings file that changed: none of them says a word. So each run reads
//! all lines of each router and compares. It writes to no line; it only makes the wishes of the lines that differ due,
//! and [`Engine::deliver`] carries them out. What belongs to the router and to no line is put right at once
//! ([`AccessControl::tend`](crate::ports::AccessControl::tend)).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::engine::enforce::Held;
use crate::engine::pages::all_pages;
use crate::engine::roll_call::{Answer, RollCall};
use crate::engine::{Approval, DeliverReport, Engine, EngineError};
use crate::ids::{RouterId, SubscriptionId};
use crate::isolation::survey::{Compared, Difference, RouterFinding, Survey, compare};
use crate::isolation::{Access, AccessEffect, AccessTarget};
use crate::place::Router;
use crate::ports::{ChangeSet, Observed, PortError, RouterHold, Worker};
use crate::terms::account::FormerAccount;

/// Lines a record.
const RECORDED_AT_ONCE: usize = 1_000;

/// What a look at all routers found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SurveyReport {
    /// Lines that were read.
    pub lines: u64,
    /// Lines that were as wanted before, or were thought to be, and are not; each is wished again.
    pub drifted: Vec<Drifted>,
    /// Lines that cannot be brought to what is wanted; a person has to look.
    pub refused: Vec<Drifted>,
    /// Accounts that lines have left and that still let somebody in; each is to be closed.
    pub left: Vec<(RouterId, String)>,
    /// What a person should know of routers.
    pub findings: Vec<(RouterId, RouterFinding)>,
    /// Routers on which lines are let through that should be shut out, too many to be shut out again without a person's
    /// word (rule I6). Everything else that differs there is brought back.
    pub held: Vec<Held>,
    /// Routers that could not be read, and why; what was known of their lines stays.
    pub unread: BTreeMap<RouterId, String>,
    /// True when a wish became due, so that there is something to deliver.
    pub due: bool,
}

/// A line of a router that is not as it is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Drifted {
    /// Which router.
    pub router_id: RouterId,
    /// What differs.
    #[serde(flatten)]
    pub difference: Difference,
    /// True once its router has confirmed what is wanted.
    pub brought_back: bool,
}

/// What was found on one router.
#[derive(Default)]
struct Surveyed {
    compared: Compared,
    anew: BTreeSet<SubscriptionId>,
    left: Vec<String>,
    findings: Vec<RouterFinding>,
    held: Option<Held>,
    unread: Option<String>,
    due: bool,
}

impl Engine<'_> {
    /// The routers' part of a day: delivers what was decided, reads every router whole, and delivers what differs there.
    /// Messages come after it, so that they say what the routers have. Claims are the caller's to give back after an error.
    ///
    /// # Errors
    /// As [`Engine::deliver_access`] and [`Engine::survey`].
    pub(crate) async fn settle_routers(
        &self,
        roll: &RollCall<'_>,
        approval: &Approval,
        now: DateTime<Utc>,
        delivered: &mut DeliverReport,
    ) -> Result<SurveyReport, EngineError> {
        self.access_loop(roll, now, delivered).await?;
        let down = delivered.routers_down.keys().copied().collect();
        let mut report = self.survey(roll, approval, &down, now).await?;
        if report.due {
            self.access_loop(roll, now, delivered).await?;
            let refused: BTreeSet<SubscriptionId> =
                delivered.refused_accounts.iter().map(|account| account.subscription_id).collect();
            let held: BTreeSet<Option<RouterId>> = report.held.iter().map(|held| held.router_id).collect();
            for drifted in &mut report.drifted {
                let difference = &drifted.difference;
                let stays = refused.contains(&difference.subscription_id)
                    || delivered.routers_down.contains_key(&drifted.router_id)
                    || (difference.cuts && held.contains(&Some(drifted.router_id)));
                drifted.brought_back = !stays;
            }
        }
        Ok(report)
    }

    /// Reads every router whole, keeps what was read, and makes due again what differs. Routers of `down` are not asked:
    /// they did not answer a moment ago.
    ///
    /// Lines that somebody opened by hand are counted by their router's breaker before they are shut out again; lines
    /// whose account is gone are not, since making it again cuts nobody off. Openings are never held.
    ///
    /// # Errors
    /// [`EngineError::Store`]. A router that cannot be read is no error: it is in the report.
    async fn survey(
        &self,
        roll: &RollCall<'_>,
        approval: &Approval,
        down: &BTreeSet<RouterId>,
        now: DateTime<Utc>,
    ) -> Result<SurveyReport, EngineError> {
        let routers = self.routers_in_use().await?;
        let served = self.store.subscribers_per_router(self.tenant).await?;
        let work = routers.iter().filter(|router| !down.contains(&router.id)).map(|router| {
            let limit = match approval.covers(Some(router.id)) {
                true => u64::MAX,
                false => self.policy.isolation.breaker_limit(served.get(&router.id).copied().unwrap_or(0)),
            };
            (router, limit)
        });
        let rests = self.store.router_rests(self.tenant).await?;
        let behind = rests.iter().filter(|rest| rest.lasts(now)).map(|rest| rest.router).collect();
        let rested: BTreeSet<RouterId> = rests.iter().map(|rest| rest.router).collect();
        let rested = &rested;
        let visited = roll.visit(work.collect(), &behind, |router, limit, answer| async move {
            (router.id, self.survey_router(roll, router, rested.contains(&router.id), answer, limit, now).await)
        });
        let mut found: Vec<(RouterId, Result<Surveyed, EngineError>)> = self.renewing(roll.worker, visited).await;
        found.sort_by_key(|(id, _)| *id);
        let mut report = SurveyReport::default();
        for (router_id, surveyed) in found {
            report.add(router_id, surveyed?);
        }
        Ok(report)
    }

    async fn survey_router(
        &self,
        roll: &RollCall<'_>,
        router: &Router,
        rested: bool,
        answer: Answer,
        limit: u64,
        now: DateTime<Utc>,
    ) -> Result<Surveyed, EngineError> {
        let RollCall { worker, control, .. } = *roll;
        if let Err(error) = self.met(router, answer, now).await? {
            return Ok(Surveyed::unread(&error));
        }
        if rested {
            // It is back, and what waited for it waits no more.
            self.store.end_rest(self.tenant, router.id).await?;
        }
        let Some(hold) = self.turn_at(worker, router.id).await? else {
            return Ok(Surveyed::unread(&PortError::NotSent { reason: "another worker is busy with it".into() }));
        };
        // Only now: whoever wrote to the router before us has finished, and what is wanted is what was decided by now.
        let load = |page| self.store.router_targets(self.tenant, router.id, page);
        let targets: Vec<AccessTarget> = all_pages(self.page, load, |target| target.subscription_id).await?;
        let surveyed = match control.survey(&router.endpoint, &targets, now).await {
            Ok(mut survey) => {
                survey.findings.extend(control.tend(&router.endpoint).await);
                self.keep(worker, router.id, hold, &targets, survey, limit, now).await?
            }
            Err(error) => Surveyed::unread(&error),
        };
        self.store.free_router(self.tenant, hold).await?;
        Ok(Surveyed { due: surveyed.due || rested, ..surveyed })
    }

    /// Keeps what was read, and makes due what differs.
    #[allow(clippy::too_many_arguments, reason = "one step of one journey")]
    async fn keep(
        &self,
        worker: &Worker<'_>,
        router_id: RouterId,
        hold: RouterHold,
        targets: &[AccessTarget],
        survey: Survey,
        limit: u64,
        now: DateTime<Utc>,
    ) -> Result<Surveyed, EngineError> {
        let Survey { lines, left, findings } = survey;
        let mut compared = compare(targets, &lines, now);
        // A line is as it is wanted only when nothing that it has left lets it in as well.
        let let_in: BTreeSet<SubscriptionId> = left.iter().map(|left| left.subscription_id).collect();
        for (_, observed) in compared.observed.iter_mut().filter(|(line, _)| let_in.contains(line)) {
            observed.access = None;
            observed.answer.push_str(", and an account that the line has left lets it in");
        }
        for lines in compared.observed.chunks(RECORDED_AT_ONCE) {
            let observed = Observed { lines, under: Some(hold) };
            if self.store.record(self.tenant, worker.id, &[], observed).await?.doubted {
                // Another worker wrote to it meanwhile: nothing of the reading counts, and its wishes are due again.
                return Ok(Surveyed::unread(&PortError::NotSent { reason: "another worker wrote to it".into() }));
            }
        }
        let held = held(router_id, &compared.differing, limit);
        let wish = |subscription_id, revision| AccessEffect { subscription_id, router_id, revision, not_before: now };
        let former = left.iter().map(|left| FormerAccount {
            subscription_id: left.subscription_id,
            router_id,
            username: left.username.clone(),
            service: left.service,
            address: None,
            left_at: now,
        });
        let former: Vec<FormerAccount> = former.collect();
        if !former.is_empty() {
            self.store
                .commit(self.tenant, ChangeSet { former_accounts: former.clone(), ..ChangeSet::default() })
                .await?;
        }
        let leaving: BTreeSet<SubscriptionId> = former.iter().map(|account| account.subscription_id).collect();
        let brought_back =
            |difference: &&Difference| difference.can_be_brought_back() && !(held.is_some() && difference.cuts);
        let mut wishes: Vec<AccessEffect> = compared
            .differing
            .iter()
            .filter(brought_back)
            .map(|difference| wish(difference.subscription_id, difference.revision))
            .collect();
        let wished: BTreeSet<SubscriptionId> = wishes.iter().map(|wish| wish.subscription_id).collect();
        let others = targets.iter().filter(|target| leaving.contains(&target.subscription_id));
        let others = others.filter(|target| !wished.contains(&target.subscription_id));
        wishes.extend(others.map(|target| wish(target.subscription_id, target.revision)));
        let anew = match wishes.is_empty() {
            true => Vec::new(),
            false => self.store.wish_again(self.tenant, &wishes, now).await?,
        };
        let left = former.into_iter().map(|account| account.username.to_string()).collect();
        let (due, anew) = (!wishes.is_empty(), anew.into_iter().collect());
        Ok(Surveyed { compared, anew, left, findings, held, unread: None, due })
    }
}

/// Why what is let through on a router is not shut out again: it is too much.
fn held(router_id: RouterId, differing: &[Difference], limit: u64) -> Option<Held> {
    let cut = |desired| differing.iter().filter(|d| d.cuts && d.desired == desired).count() as u64;
    let (would_isolate, would_close) = (cut(Access::Isolated), cut(Access::Closed));
    (would_isolate + would_close > limit).then_some(Held {
        router_id: Some(router_id),
        would_isolate,
        would_close,
        limit,
    })
}

impl Surveyed {
    fn unread(error: &PortError) -> Self {
        Self { unread: Some(error.to_string()), ..Self::default() }
    }
}

impl SurveyReport {
    /// How many lines differ, whatever becomes of them.
    #[must_use]
    pub fn differing(&self) -> usize {
        self.drifted.len() + self.refused.len()
    }

    fn add(&mut self, router_id: RouterId, surveyed: Surveyed) {
        let Surveyed { compared, anew, left, findings, held, unread, due } = surveyed;
        self.lines += compared.observed.len() as u64;
        for difference in compared.differing {
            let of = |difference| Drifted { router_id, difference, brought_back: false };
            if !difference.can_be_brought_back() {
                self.refused.push(of(difference));
            } else if anew.contains(&difference.subscription_id) || (held.is_some() && difference.cuts) {
                self.drifted.push(of(difference));
            }
        }
        self.left.extend(left.into_iter().map(|name| (router_id, name)));
        self.findings.extend(findings.into_iter().map(|finding| (router_id, finding)));
        self.held.extend(held);
        self.unread.extend(unread.map(|why| (router_id, why)));
        self.due |= due;
    }
}
