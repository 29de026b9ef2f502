//! Who has which address on a router now.

use isp_core::place::RouterEndpoint;
use isp_core::ports::{Online, PortError};
use isp_core::subscription::Service;

use super::adapter::MikrotikAccess;
use super::read::parse;
use crate::client::Client;
use crate::error::{Error, RefusalKind};
use crate::menu::Rows;
use crate::menu::hotspot::active::{self, HotspotActive};
use crate::menu::lease::{self, Lease};
use crate::menu::ppp::active::{self as ppp, PppActive};

impl MikrotikAccess {
    /// All sessions and leases of a router.
    pub(super) async fn who_is_online(&self, router: &RouterEndpoint) -> Result<Vec<Online>, PortError> {
        let mut line = self.fleet.turn(router).await;
        loop {
            let connected = line.client(router, &self.settings).await;
            let (client, fresh) = connected.map_err(|error| error.for_port(false))?;
            let answered = ask(&client).await;
            line.learn(answered.as_ref().err());
            match answered {
                Err(error) if fresh || error.connection_survives() => return Err(error.for_port(false)),
                // The kept connection was dead; asking twice does no harm.
                Err(_) => {}
                Ok(online) => return Ok(online),
            }
        }
    }
}

async fn ask(client: &Client) -> Result<Vec<Online>, Error> {
    let mut all = Vec::new();
    let mut add = |service, name: &[u8], address: Option<&[u8]>| {
        let address = address.and_then(|bytes| std::str::from_utf8(bytes).ok()?.parse().ok());
        let name = String::from_utf8_lossy(name).into_owned();
        all.extend(address.map(|address| Online { service, name, address }));
    };
    for session in parse(client.call(&ppp::print(Rows::All)).await?, PppActive::from_row)? {
        add(Service::Pppoe, &session.name, session.address.as_deref());
    }
    match client.call(&active::print_of::<&str>(&[])).await {
        Ok(reply) => {
            for session in parse(reply, HotspotActive::from_row)? {
                add(Service::Hotspot, &session.user, session.address.as_deref());
            }
        }
        // A router without the hotspot package has no such menu.
        Err(error) if error.refusal() == Some(RefusalKind::NoSuchCommand) => {}
        Err(error) => return Err(error),
    }
    for lease in parse(client.call(&lease::print()).await?, Lease::from_row)? {
        add(Service::Dhcp, &lease.mac, lease.active_address.as_deref().filter(|_| lease.bound));
    }
    Ok(all)
}
