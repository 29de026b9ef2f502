//! Is it there, who is it, and how much does it hold: a connection test.

use serde::Serialize;

use super::fleet::Line;
use super::settings::Settings;
use crate::error::Error;
use crate::menu::ppp::{active, secret};
use crate::menu::system::{self, Resource};
use crate::menu::{count, counted};
use crate::text::CodePage;
use isp_core::place::RouterEndpoint;

/// What a router says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RouterCheck {
    /// Its name.
    pub identity: String,
    /// E.g. `7.21.5 (stable)`.
    pub version: String,
    /// E.g. `CHR` or `hEX`.
    pub board: String,
    /// Time since its last start, as RouterOS writes it: `1w2d3h4m5s`.
    pub uptime: String,
    /// Load in percent, if it says so.
    pub cpu_load: Option<u8>,
    /// How many PPP accounts it has, ours or not.
    pub accounts: usize,
    /// How many sessions run now.
    pub sessions: usize,
}

/// Asks over the router's line; four commands, none of which changes anything.
pub(super) async fn check(
    line: &mut Line,
    router: &RouterEndpoint,
    settings: &Settings,
    page: CodePage,
) -> Result<RouterCheck, Error> {
    let (client, _) = line.client(router, settings).await?;
    let commands = [system::identity(), system::resource(), count(secret::MENU), count(active::MENU)];
    let mut replies = Vec::with_capacity(commands.len());
    for reply in client.call_all(&commands).await {
        replies.push(reply?);
    }
    let [identity, resource, accounts, sessions] = &replies[..] else {
        let detail = "not one reply for each command".to_owned();
        return Err(Error::Answer { command: "print".to_owned(), detail });
    };
    let resource = Resource::from_reply(resource);
    Ok(RouterCheck {
        identity: page.decode(&system::identity_name(identity)).into_owned(),
        version: resource.version,
        board: resource.board,
        uptime: resource.uptime,
        cpu_load: resource.cpu_load,
        accounts: counted(&commands[2], accounts)?,
        sessions: counted(&commands[3], sessions)?,
    })
}
