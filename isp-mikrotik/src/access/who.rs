//! Who a router is.

use isp_core::place::Machine;

use crate::client::Client;
use crate::error::Error;
use crate::menu::system;
use crate::proto::Reply;
use crate::text::shown;

/// Asks; one round trip. What a router does not have, or does not show to our user, counts as not told.
pub(super) async fn ask(client: &Client) -> Result<Machine, Error> {
    let commands = [system::identity(), system::routerboard(), system::license()];
    let mut replies = client.call_all(&commands).await.into_iter();
    let mut next = || replies.next().unwrap_or_else(|| Ok(Reply::default()));
    let (identity, routerboard, license) = (next()?, told(next())?, told(next())?);
    let identity = shown(&system::identity_name(&identity));
    Ok(Machine { identity, serial: system::serial(&routerboard, &license) })
}

fn told(reply: Result<Reply, Error>) -> Result<Reply, Error> {
    match reply {
        Err(error) if error.is_lack() => Ok(Reply::default()),
        other => other,
    }
}
