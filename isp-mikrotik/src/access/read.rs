//! Reading a router: one filtered print per menu.

use crate::client::Client;
use crate::error::{Error, RefusalKind};
use crate::menu::ppp::{PppActive, PppProfile, PppSecret, active, profile, secret};
use crate::menu::{self, MAX_NAMES, Rows};
use crate::proto::{Command, Reply, Row};
use crate::reconcile::{Actual, Desired};

/// How often a table that came back short is asked for again.
const ATTEMPTS: usize = 3;

/// What is known about a router's habits; kept with the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Passwords {
    /// Not asked yet.
    #[default]
    Unknown,
    /// A plain print shows them, or nothing does.
    Plain,
    /// Only `show-sensitive` shows them.
    Sensitive,
}

/// Reads what the comparison needs: three commands, whatever the number of accounts.
///
/// An overloaded router has been seen to leave rows out without a word. An account that is missing would be made
/// again, so a missing one is believed only if the router's own count agrees.
pub(super) async fn actual(client: &Client, desired: &Desired, passwords: &mut Passwords) -> Result<Actual, Error> {
    let names = desired.account_names();
    let rows = rows_of(&names);
    let groups = desired.group_names();
    let secrets = secret_print(rows, *passwords);
    let commands = [profile::print(Rows::Named(&groups)), secrets.clone(), active::print(rows)];
    let [profiles, found, sessions] = match groups.is_empty() {
        false => three(client.call_all(&commands).await)?,
        true => three([vec![Ok(Reply::default())], client.call_all(&commands[1..]).await].concat())?,
    };
    let mut found = parse(found, PppSecret::from_row)?;
    if *passwords == Passwords::Unknown && found.iter().any(|secret| secret.password.is_none()) {
        found = with_passwords(client, rows, found, passwords).await?;
    }
    let there: std::collections::HashSet<_> = found.iter().map(|secret| secret.name.as_slice()).collect();
    if names.iter().any(|name| !there.contains(name.as_bytes())) {
        found =
            counted(client, secret::MENU, rows, || secret_print(rows, *passwords), found, PppSecret::from_row).await?;
    }
    let mut profiles = parse(profiles, PppProfile::from_row)?;
    if profiles.len() < groups.len() {
        let named = Rows::Named(&groups);
        let print = || profile::print(named);
        profiles = counted(client, profile::MENU, named, print, profiles, PppProfile::from_row).await?;
    }
    Ok(Actual { profiles, secrets: found, sessions: parse(sessions, PppActive::from_row)? })
}

/// The sessions of these accounts, counted: one that is overlooked would go on under its old terms.
pub(super) async fn sessions(client: &Client, names: &[&str]) -> Result<Vec<PppActive>, Error> {
    let rows = rows_of(names);
    let first = parse(client.call(&active::print(rows)).await?, PppActive::from_row)?;
    counted(client, active::MENU, rows, || active::print(rows), first, PppActive::from_row).await
}

/// Every account, counted, with the profiles and sessions.
pub(super) async fn everything(client: &Client, passwords: &mut Passwords) -> Result<Actual, Error> {
    let commands = [profile::print(Rows::All), secret_print(Rows::All, *passwords), active::print(Rows::All)];
    let [profiles, found, running] = three(client.call_all(&commands).await)?;
    let mut found = parse(found, PppSecret::from_row)?;
    if *passwords == Passwords::Unknown && found.iter().any(|secret| secret.password.is_none()) {
        found = with_passwords(client, Rows::All, found, passwords).await?;
    }
    let print = || secret_print(Rows::All, *passwords);
    found = counted(client, secret::MENU, Rows::All, print, found, PppSecret::from_row).await?;
    let profiles = parse(profiles, PppProfile::from_row)?;
    Ok(Actual { profiles, secrets: found, sessions: parse(running, PppActive::from_row)? })
}

fn rows_of<'a>(names: &'a [&'a str]) -> Rows<'a> {
    if names.len() > MAX_NAMES { Rows::All } else { Rows::Named(names) }
}

fn secret_print(rows: Rows<'_>, passwords: Passwords) -> Command {
    match passwords {
        Passwords::Sensitive => secret::print_sensitive(rows),
        _ => secret::print(rows),
    }
}

/// Asks again with `show-sensitive`, which exists from 7.21 on; an older router that shows none lacks the policy.
async fn with_passwords(
    client: &Client,
    rows: Rows<'_>,
    without: Vec<PppSecret>,
    passwords: &mut Passwords,
) -> Result<Vec<PppSecret>, Error> {
    match client.call(&secret::print_sensitive(rows)).await {
        Ok(reply) => {
            *passwords = Passwords::Sensitive;
            parse(reply, PppSecret::from_row)
        }
        Err(error) if matches!(error.refusal(), Some(RefusalKind::UnknownParameter | RefusalKind::NotPermitted)) => {
            *passwords = Passwords::Plain;
            Ok(without)
        }
        Err(error) => Err(error),
    }
}

/// Believes a table only if the router counts as many rows; reads it again if not.
async fn counted<T>(
    client: &Client,
    menu: &str,
    rows: Rows<'_>,
    print: impl Fn() -> Command,
    mut table: Vec<T>,
    from_row: impl Fn(&Row) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let count = match rows {
        Rows::Named(names) => menu::count(menu).where_any("name", names),
        _ => menu::count(menu),
    };
    let mut counted = menu::counted(menu, &client.call(&count).await?)?;
    for _ in 1..ATTEMPTS {
        if table.len() >= counted {
            return Ok(table);
        }
        table = parse(client.call(&print()).await?, &from_row)?;
        counted = menu::counted(menu, &client.call(&count).await?)?;
    }
    if table.len() >= counted {
        return Ok(table);
    }
    let detail = format!("{} rows where the router counts {counted}", table.len());
    Err(Error::Answer { command: format!("{menu}/print"), detail })
}

fn parse<T>(reply: Reply, from_row: impl Fn(&Row) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    reply.rows().iter().map(from_row).collect()
}

fn three(replies: Vec<Result<Reply, Error>>) -> Result<[Reply; 3], Error> {
    let replies = all(replies)?;
    <[Reply; 3]>::try_from(replies)
        .map_err(|_| Error::Answer { command: "print".to_owned(), detail: "not one reply for each command".to_owned() })
}

/// Every reply, or the error that decides.
fn all(replies: Vec<Result<Reply, Error>>) -> Result<Vec<Reply>, Error> {
    let mut good = Vec::with_capacity(replies.len());
    let mut broken = None;
    for reply in replies {
        match reply {
            Ok(reply) => good.push(reply),
            Err(error) => broken = Some(error.worse(broken)),
        }
    }
    broken.map_or(Ok(good), Err)
}
