//! Whether the machine that answers for a router is the one that answered before.

use chrono::{DateTime, Utc};

use crate::engine::roll_call::Answer;
use crate::engine::{Engine, EngineError};
use crate::place::{KnownMachine, Machine, Met, OtherMachine, Router, meet};
use crate::ports::{AccessControl, ChangeSet, PortError};

/// The machine that a person confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Confirmed {
    /// Who answered before; `None` at first contact.
    pub before: Option<Machine>,
    /// Who answers now.
    pub now: Machine,
}

impl Engine<'_> {
    /// Asks a router who it is. The first machine that answers is remembered; another one is not to be read or written to
    /// for the lines of this router until a person confirms it ([`Engine::confirm_machine`]).
    ///
    /// # Errors
    /// [`EngineError::Store`]. Inside, what keeps the router from being used: it does not answer, or another machine does
    /// (`router.other_machine`).
    pub async fn meet(
        &self,
        control: &dyn AccessControl,
        router: &Router,
        now: DateTime<Utc>,
    ) -> Result<Result<(), PortError>, EngineError> {
        let answer = control.machine(&router.endpoint).await;
        self.met(router, answer, now).await
    }

    /// [`Engine::meet`] with what the router has answered.
    pub(crate) async fn met(
        &self,
        router: &Router,
        answer: Answer,
        now: DateTime<Utc>,
    ) -> Result<Result<(), PortError>, EngineError> {
        let machine = match answer {
            Ok(Some(machine)) => machine,
            Ok(None) => return Ok(Ok(())),
            Err(error) => return Ok(Err(error)),
        };
        match meet(router.id, &machine, &self.store.machines(self.tenant).await?) {
            Met::Same => Ok(Ok(())),
            Met::Remember => {
                self.remember(KnownMachine { router_id: router.id, machine, since: now, by: None }).await?;
                Ok(Ok(()))
            }
            Met::Another(other) => Ok(Err(self.refused(&other).await?)),
        }
    }

    /// Says that the machine which answers now is the right one for this router. Inside, `None` where routers do not say
    /// who they are, or what keeps this one from answering.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn confirm_machine(
        &self,
        control: &dyn AccessControl,
        router: &Router,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<Result<Option<Confirmed>, PortError>, EngineError> {
        let machine = match control.machine(&router.endpoint).await {
            Ok(Some(machine)) => machine,
            Ok(None) => return Ok(Ok(None)),
            Err(error) => return Ok(Err(error)),
        };
        let known = self.store.machines(self.tenant).await?;
        let before = known.iter().find(|known| known.router_id == router.id).map(|known| known.machine.clone());
        if meet(router.id, &machine, &known) != Met::Same {
            let by = Some(by.to_owned());
            self.remember(KnownMachine { router_id: router.id, machine: machine.clone(), since: now, by }).await?;
        }
        Ok(Ok(Some(Confirmed { before, now: machine })))
    }

    async fn remember(&self, machine: KnownMachine) -> Result<(), EngineError> {
        self.store.commit(self.tenant, ChangeSet { machines: vec![machine], ..ChangeSet::default() }).await?;
        Ok(())
    }

    async fn refused(&self, other: &OtherMachine) -> Result<PortError, EngineError> {
        let mut reason = other.to_string();
        if let Some(known_as) = other.known_as {
            let routers = self.store.routers(self.tenant).await?;
            let code = routers.iter().find(|router| router.id == known_as).map(|router| router.code.to_string());
            reason.push_str(&format!(": it is known as router: {}", code.unwrap_or_else(|| known_as.to_string())));
        }
        reason.push_str(
            ": nothing is read or changed until its address is corrected or `isp router confirm` says it is right",
        );
        Ok(PortError::Refused { code: other.code(), reason })
    }
}
