//! Another account for a line, and the accounts that lines have left.

use chrono::{DateTime, Utc};

use crate::device::Cpe;
use crate::engine::device::DeviceNote;
use crate::engine::retry::until_written;
use crate::engine::{Engine, EngineError};
use crate::error::Error;
use crate::ids::SubscriptionId;
use crate::isolation::{AccessFacts, AccessTarget};
use crate::place::Router;
use crate::ports::{AccessControl, AccessQuery, ApplyOutcome, ChangeSet, PageQuery, PortError, StoreError};
use crate::subscription::{Account, Mac, Service, Subscription};
use crate::terms::account::{AccountChange, AccountMove, change_account};

impl Engine<'_> {
    /// Gives a line another user name, password, router or site, and writes the wishes to the routers: the account that it
    /// leaves is closed, the new one is made. Billing stays as it is.
    ///
    /// # Errors
    /// [`crate::Error::NotServing`] for a line that has ended; [`crate::Error::Archived`] for a site or router that takes no lines;
    /// [`StoreError::Duplicate`] for a user name that another line of
    /// the router has; [`StoreError::NotFound`].
    pub async fn change_account(
        &self,
        id: SubscriptionId,
        change: &AccountChange,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<Subscription, EngineError> {
        until_written(|| async {
            let (facts, line) = self.line(id).await?;
            let Some(step) = change_account(&facts, &line, change, by, now)? else { return Ok(line) };
            let subscription = step.subscription.clone();
            if (subscription.site_id, subscription.router_id) != (line.site_id, line.router_id) {
                self.must_take(std::iter::once(&subscription)).await?;
            }
            let mut changes = ChangeSet::default();
            add_move(&mut changes, step);
            self.store.commit(self.tenant, changes).await?;
            Ok(subscription)
        })
        .await
    }

    /// Exchanges a device, as [`replace_device`](Self::replace_device), and in the same commit gives a DHCP line the MAC
    /// address of the new one, so that its lease goes along.
    ///
    /// # Errors
    /// As for both; [`Error::NotForService`] for a line whose box has no lease.
    pub async fn replace_device_and_box(
        &self,
        old: Cpe,
        new: Cpe,
        note: &DeviceNote,
        line: Option<(SubscriptionId, Mac)>,
        now: DateTime<Utc>,
    ) -> Result<(), EngineError> {
        until_written(|| async {
            let mut changes = self.exchange(old.clone(), new.clone(), note).await?;
            if let Some((id, mac)) = line {
                let (facts, line) = self.line(id).await?;
                let account = match line.account.service {
                    Service::Dhcp => Account::dhcp(mac, line.account.address)?,
                    other => return Err(Error::NotForService { field: "mac", service: other.code() }.into()),
                };
                let change = AccountChange { account: Some(account), ..AccountChange::default() };
                if let Some(step) = change_account(&facts, &line, &change, note.officer.as_str(), now)? {
                    add_move(&mut changes, step);
                }
            }
            self.store.commit(self.tenant, changes).await?;
            Ok(())
        })
        .await
    }

    async fn line(&self, id: SubscriptionId) -> Result<(AccessFacts, Subscription), EngineError> {
        let missing = StoreError::NotFound { what: "subscription" };
        let query = AccessQuery::Subscriptions(vec![id]);
        let facts = self.store.load_access(self.tenant, &query, PageQuery::first(1)).await?.pop();
        let facts = facts.ok_or_else(|| missing.clone())?;
        let lines = self.store.subscriptions(self.tenant, Some(facts.customer_id), PageQuery::first(u32::MAX)).await?;
        let line = lines.into_iter().map(|(line, _)| line).find(|line| line.id == id).ok_or(missing)?;
        Ok((facts, line))
    }

    /// Closes the accounts that these lines have left on a router, and keeps which it confirmed. A line of which one could
    /// not be closed is not confirmed, whatever its own account says.
    ///
    /// # Errors
    /// [`EngineError::Store`]. Inside, what keeps the router from answering.
    pub async fn close_left(
        &self,
        control: &dyn AccessControl,
        router: &Router,
        lines: &[SubscriptionId],
        now: DateTime<Utc>,
    ) -> Result<Result<Vec<(AccessTarget, ApplyOutcome)>, PortError>, EngineError> {
        let targets = self.store.former_targets(self.tenant, router.id, lines).await?;
        if targets.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        let outcomes = match control.apply(&router.endpoint, &targets).await {
            Ok(outcomes) => outcomes,
            Err(error) => return Ok(Err(error)),
        };
        for (target, outcome) in targets.iter().zip(&outcomes) {
            if matches!(outcome, ApplyOutcome::Done { .. }) {
                let line = target.subscription_id;
                self.store.account_closed(self.tenant, router.id, line, &target.account, now).await?;
            }
        }
        Ok(Ok(targets.into_iter().zip(outcomes).collect()))
    }
}

fn add_move(changes: &mut ChangeSet, step: AccountMove) {
    let AccountMove { subscription, former, access, event, effects } = step;
    changes.subscriptions.push(subscription);
    changes.former_accounts.extend(former);
    changes.access.push(access);
    changes.access_events.push(event);
    changes.effects.extend(effects);
}
