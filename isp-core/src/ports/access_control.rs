//! The port to the routers.

use std::net::IpAddr;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::PortError;
use crate::isolation::AccessTarget;
use crate::isolation::access::ObservedAccess;
use crate::isolation::survey::{RouterFinding, Sighting, Survey};
use crate::place::{Machine, RouterEndpoint};
use crate::subscription::Service;

/// Brings accounts on a router to their desired state.
#[async_trait]
pub trait AccessControl: Send + Sync {
    /// What this kind of router can do, so that nobody promises more.
    fn capabilities(&self) -> Capabilities;

    /// Who answers at this address, without changing anything; `None` from an adapter whose routers do not say.
    async fn machine(&self, _router: &RouterEndpoint) -> Result<Option<Machine>, PortError> {
        Ok(None)
    }

    /// Brings these accounts of one router to what is wanted, reads them back, and ends sessions that still run
    /// under the old terms.
    ///
    /// `Ok` holds one outcome a target, in order: the router answered for each. `Err` concerns the whole router; an
    /// account may then be in either state, and the call is repeated later: applying twice changes nothing.
    /// Accounts that are not ours are never touched.
    async fn apply(&self, router: &RouterEndpoint, targets: &[AccessTarget]) -> Result<Vec<ApplyOutcome>, PortError>;

    /// What the router says of these accounts, without changing anything, in order. `ObservedAccess::revision` is 0.
    async fn observe(
        &self,
        router: &RouterEndpoint,
        targets: &[AccessTarget],
        now: DateTime<Utc>,
    ) -> Result<Vec<ObservedAccess>, PortError>;

    /// Who has an address on the router now, whosever lines they are, without changing anything; `None` from an adapter that
    /// does not know ([`Capabilities::online`]).
    async fn online(&self, _router: &RouterEndpoint) -> Result<Option<Vec<Online>>, PortError> {
        Ok(None)
    }

    /// The whole router beside these targets, which are all that it should have, without changing anything: each of
    /// them in order, the accounts that their lines have left, and what a person should know.
    ///
    /// An adapter that looks at accounts only need not say more than [`AccessControl::observe`] does.
    async fn survey(
        &self,
        router: &RouterEndpoint,
        targets: &[AccessTarget],
        now: DateTime<Utc>,
    ) -> Result<Survey, PortError> {
        let seen = self.observe(router, targets, now).await?;
        let lines = targets.iter().zip(seen).map(|(target, seen)| Sighting::of(target.desired, seen)).collect();
        Ok(Survey { lines, ..Survey::default() })
    }

    /// Brings what belongs to the router and to no line to what the adapter's settings want, such as the rules that lead
    /// isolated lines to the page for paying. Gives back what was put right and what a person should know. Whatever goes wrong
    /// is told the same way, and stops no line: so this has no error.
    async fn tend(&self, _router: &RouterEndpoint) -> Vec<RouterFinding> {
        Vec::new()
    }
}

/// Somebody who has an address on a router at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Online {
    /// How the address was given.
    pub service: Service,
    /// The user name of a session, the MAC address of a lease.
    pub name: String,
    /// IPv4 or IPv6, as the session or lease has it.
    pub address: IpAddr,
}

/// What a kind of router can do for lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Capabilities {
    /// It ends what runs under old terms, sessions or connections; without it a change waits for the next login.
    pub kick: bool,
    /// It gives each line the speed of its package.
    pub rate: bool,
    /// An isolated line still reaches the pages for paying.
    pub page: bool,
    /// It tells which lines are online: [`AccessControl::online`].
    pub online: bool,
    /// It counts what lines transfer. No adapter does by now.
    pub counters: bool,
    /// It serves lines that are known by their address.
    pub fixed: bool,
    /// It serves lines that are known by their MAC address.
    pub dhcp: bool,
    /// An isolated line is isolated on IPv6 too. Without it, a router that gives lines IPv6 has to be told otherwise.
    pub ipv6: bool,
}

/// What a router said to one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApplyOutcome {
    /// Read back after the change: this is so now. `changed` is false when it was so before.
    Done {
        /// What it allows now.
        access: crate::isolation::Access,
        /// Whether anything was written.
        changed: bool,
        /// Its words, short and without secrets.
        answer: String,
    },
    /// It refused this account: a name that belongs to somebody else, a missing profile.
    Refused {
        /// A stable code of the adapter.
        code: &'static str,
        /// What it said, without secrets.
        reason: String,
    },
}
