//! What a demo and a sandbox are made of: a simulated router for each of a database.

use std::collections::BTreeMap;

use isp_core::ids::{RouterId, TenantId};
use isp_core::place::Router;
use isp_core::ports::{ChangeSet, Store};
use isp_mikrotik::simulator::{SimulatedRouter, Simulation};

/// The simulated routers, each with the row that names it.
pub(crate) type Routers = BTreeMap<RouterId, (Router, SimulatedRouter)>;

/// Starts a simulated router for each of the store, with its API user, on a port of this machine, and writes that address into
/// the store. One whose machine is known says that it is that machine.
pub(crate) async fn start_routers(store: &dyn Store, tenant: TenantId) -> anyhow::Result<Routers> {
    let known = store.machines(tenant).await?;
    let mut started = BTreeMap::new();
    for mut router in store.routers(tenant).await? {
        let machine = known.iter().find(|known| known.router_id == router.id).map(|known| &known.machine);
        let simulated = SimulatedRouter::start(Simulation {
            identity: machine.map_or_else(|| router.code.to_string(), |machine| machine.identity.clone()),
            serial: machine.and_then(|machine| machine.serial.clone()),
            user: router.endpoint.username.clone(),
            password: router.endpoint.password.reveal().to_owned(),
            ..Simulation::default()
        })
        .await?;
        router.endpoint.host = simulated.address().ip().to_string();
        router.endpoint.port = simulated.address().port();
        router.endpoint.tls = false;
        started.insert(router.id, (router, simulated));
    }
    let routers = started.values().map(|(router, _)| router.clone()).collect();
    store.commit(tenant, ChangeSet { routers, ..ChangeSet::default() }).await?;
    Ok(started)
}
