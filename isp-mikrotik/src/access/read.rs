//! Reading a router: one filtered print per menu.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::client::Client;
use crate::error::{Error, RefusalKind};
use crate::hash;
use crate::menu::address_list::{self, ListEntry};
use crate::menu::connection::Connection;
use crate::menu::firewall::Rule;
use crate::menu::hotspot::cookie;
use crate::menu::lease::Lease;
use crate::menu::queue::{self, SessionQueue, SimpleQueue};
use crate::menu::{self, ItemId, MAX_NAMES, Rows, ppp};
use crate::proto::{Command, Reply, Row, RowSink};
use crate::reconcile::{Actual, ActualAccount, ActualGroup, ActualSession, Desired, Service};

/// How often a table that came back short is asked for again.
const ATTEMPTS: usize = 5;

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

/// The same for each service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct PasswordsOf {
    ppp: Passwords,
    hotspot: Passwords,
}

impl PasswordsOf {
    pub(super) fn service(&mut self, service: Service) -> &mut Passwords {
        match service {
            Service::Ppp => &mut self.ppp,
            Service::Hotspot => &mut self.hotspot,
        }
    }
}

/// Reads what the comparison needs: five commands or six, whatever the number of accounts. The isolation list is always among
/// them, and read after the sessions: it shows whom it holds, whatever way of isolating put them there.
///
/// An overloaded router has been seen to leave rows out without a word. An account that is missing would be made
/// again, so a missing one is believed only if the router's own count agrees.
pub(super) async fn actual(client: &Client, desired: &Desired, passwords: &mut Passwords) -> Result<Actual, Error> {
    let tables = tables(client, desired, passwords).await?;
    let counts = Counts::ask(client, desired, &tables).await?;
    whole(client, desired, *passwords, tables, counts).await
}

/// The tables as they came, not counted yet.
pub(super) async fn tables(client: &Client, desired: &Desired, passwords: &mut Passwords) -> Result<Actual, Error> {
    let service = desired.service;
    let names = desired.account_names();
    let rows = if desired.complete { Rows::All } else { rows_of(&names) };
    let groups = desired.group_names();
    if desired.complete && *passwords == Passwords::Unknown {
        // Asked with a count, so that a large table is not read twice to find out.
        let asked = menu::count(service.accounts_menu()).flag("show-sensitive");
        *passwords = match client.call(&asked).await {
            Ok(_) => Passwords::Sensitive,
            Err(error) if error.is_lack() => Passwords::Plain,
            Err(error) => return Err(error),
        };
    }
    let grouped = !groups.is_empty();
    let listed = is_listed(desired);
    let mut reading = Reading::default();
    let accounts = service.print_accounts(rows, *passwords == Passwords::Sensitive);
    let found = reading.ask(accounts, move |row| service.account(row));
    let running = reading.ask(service.print_sessions(rows), move |row| service.session(row));
    let profiles =
        grouped.then(|| reading.ask(service.print_groups(Rows::Named(&groups)), move |row| service.group(row)));
    let entries = listed.then(|| reading.ask(address_list::print_list(&desired.isolation_list), ListEntry::from_row));
    reading.finish(client).await?;
    let (found, sessions) = (found.rows()?, running.rows()?);
    let groups = profiles.map_or(Ok(Vec::new()), Asked::rows)?;
    let entries = entries.map_or(Ok(Vec::new()), Asked::rows)?;
    let accounts = with_passwords(client, service, rows, found, passwords).await?;
    Ok(Actual { groups, accounts, sessions, entries })
}

fn is_listed(desired: &Desired) -> bool {
    !desired.accounts.is_empty() && !desired.former
}

/// How many rows the router has in each table that must be whole; `None` where nothing depends on it.
pub(super) struct Counts {
    accounts: Option<usize>,
    groups: Option<usize>,
    entries: Option<usize>,
    sessions: Option<usize>,
}

impl Counts {
    /// Asks for all of them together.
    pub(super) async fn ask(client: &Client, desired: &Desired, found: &Actual) -> Result<Counts, Error> {
        let service = desired.service;
        let names = desired.account_names();
        let rows = if desired.complete { Rows::All } else { rows_of(&names) };
        let lacks = || {
            let there: hash::HashSet<&[u8]> = found.accounts.iter().map(|account| &*account.name).collect();
            names.iter().any(|name| !there.contains(name.as_bytes()))
        };
        let groups = desired.group_names();
        let mut commands = Vec::new();
        let mut ask = |wanted: bool, count: &dyn Fn() -> Command| {
            wanted.then(|| commands.push(count()));
            wanted
        };
        let asked = [
            ask(desired.complete || lacks(), &|| counting(service.accounts_menu(), "name", rows)),
            ask(found.groups.len() < groups.len(), &|| counting(service.groups_menu(), "name", Rows::Named(&groups))),
            // One that is overlooked would keep a customer in the list who has paid.
            ask(is_listed(desired) && (desired.complete || desired.uses_entries()), &|| {
                address_list::count_list(&desired.isolation_list)
            }),
            // One that is overlooked would go on under old terms, and its line be called confirmed.
            ask(!desired.accounts.is_empty() || desired.complete, &|| {
                counting(service.sessions_menu(), service.session_key(), rows)
            }),
        ];
        let replies = all(client.call_all(&commands).await)?;
        let numbers: Result<Vec<usize>, Error> =
            commands.iter().zip(&replies).map(|(count, reply)| menu::counted(count, reply)).collect();
        let mut numbers = numbers?.into_iter();
        let [accounts, groups, entries, sessions] = asked.map(|asked| if asked { numbers.next() } else { None });
        Ok(Counts { accounts, groups, entries, sessions })
    }

    /// Whether none of these tables is short.
    pub(super) fn fit(&self, found: &Actual) -> bool {
        let fits = |count: Option<usize>, rows: usize| count.is_none_or(|count| rows >= count);
        fits(self.accounts, found.accounts.len())
            && fits(self.groups, found.groups.len())
            && fits(self.entries, found.entries.len())
            && fits(self.sessions, found.sessions.len())
    }
}

/// The tables whole: those that came short are asked for again.
pub(super) async fn whole(
    client: &Client,
    desired: &Desired,
    passwords: Passwords,
    found: Actual,
    counts: Counts,
) -> Result<Actual, Error> {
    if counts.fit(&found) {
        return Ok(found);
    }
    let service = desired.service;
    let names = desired.account_names();
    let rows = if desired.complete { Rows::All } else { rows_of(&names) };
    let Actual { mut groups, mut accounts, mut sessions, mut entries } = found;
    if let Some(counted) = counts.accounts {
        let print = || service.print_accounts(rows, passwords == Passwords::Sensitive);
        let count = counting(service.accounts_menu(), "name", rows);
        accounts = counted_from(client, (&count, counted), print, accounts, |row| service.account(row)).await?;
    }
    if let Some(counted) = counts.groups {
        let wanted = desired.group_names();
        let named = Rows::Named(&wanted);
        let count = counting(service.groups_menu(), "name", named);
        let print = || service.print_groups(named);
        groups = counted_from(client, (&count, counted), print, groups, |row| service.group(row)).await?;
    }
    if let Some(counted) = counts.entries {
        let list = &desired.isolation_list;
        let count = address_list::count_list(list);
        let print = || address_list::print_list(list);
        entries = counted_from(client, (&count, counted), print, entries, ListEntry::from_row).await?;
    }
    if let Some(counted) = counts.sessions {
        let count = counting(service.sessions_menu(), service.session_key(), rows);
        let print = || service.print_sessions(rows);
        sessions = counted_from(client, (&count, counted), print, sessions, |row| service.session(row)).await?;
    }
    Ok(Actual { groups, accounts, sessions, entries })
}

/// The sessions of these accounts, counted: one that is overlooked would go on under its old terms.
pub(super) async fn sessions(client: &Client, service: Service, names: &[&str]) -> Result<Vec<ActualSession>, Error> {
    let rows = rows_of(names);
    let print = || service.print_sessions(rows);
    let first = parse(client.call(&print()).await?, |row| service.session(row))?;
    let count = counting(service.sessions_menu(), service.session_key(), rows);
    counted(client, &count, print, first, |row| service.session(row)).await
}

/// The cookies of these hotspot users, counted.
pub(super) async fn cookies(client: &Client, names: &[&str]) -> Result<Vec<(ItemId, Vec<u8>)>, Error> {
    let asked = if names.len() > MAX_NAMES { &[] } else { names };
    let print = || cookie::print_of(asked);
    let first = parse(client.call(&print()).await?, cookie::of_user)?;
    let count = menu::count(cookie::MENU).where_any("user", asked);
    let mut found = counted(client, &count, print, first, cookie::of_user).await?;
    found.retain(|(_, user)| names.iter().any(|name| name.as_bytes() == user.as_slice()));
    Ok(found)
}

/// The PPP accounts of one profile, counted.
pub(super) async fn accounts_of(client: &Client, profile: &str) -> Result<Vec<ActualAccount>, Error> {
    let print = || ppp::secret::print_of_profile(profile);
    let first = parse(client.call(&print()).await?, |row| Service::Ppp.account(row))?;
    let count = menu::count(ppp::secret::MENU).where_any("profile", &[profile]);
    counted(client, &count, print, first, |row| Service::Ppp.account(row)).await
}

/// The queues that the router made for sessions; `None` if the user may not see them.
pub(super) async fn session_queues(client: &Client) -> Result<Option<Vec<SessionQueue>>, Error> {
    let mut reading = Reading::default();
    let queues = reading.ask(queue::print_dynamic(), SessionQueue::from_row);
    match reading.finish(client).await {
        Ok(()) => queues.rows().map(Some),
        Err(error) if error.is_lack() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a RADIUS server is asked, too.
pub(super) async fn uses_radius(client: &Client) -> Result<bool, Error> {
    match client.call(&ppp::aaa::print()).await {
        Ok(reply) => Ok(ppp::aaa::uses_radius(&reply)),
        Err(error) if error.is_lack() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Every account of a service, counted, with the profiles and sessions.
pub(super) async fn everything(client: &Client, service: Service, passwords: &mut Passwords) -> Result<Actual, Error> {
    let commands = [
        service.print_accounts(Rows::All, *passwords == Passwords::Sensitive),
        service.print_sessions(Rows::All),
        service.print_groups(Rows::All),
    ];
    let mut replies = all(client.call_all(&commands).await)?.into_iter();
    let mut next = || replies.next().unwrap_or_default();
    let (found, sessions, groups) = (next(), next(), next());
    let found = parse(found, |row| service.account(row))?;
    let found = with_passwords(client, service, Rows::All, found, passwords).await?;
    let print = || service.print_accounts(Rows::All, *passwords == Passwords::Sensitive);
    let count = menu::count(service.accounts_menu());
    let accounts = counted(client, &count, print, found, |row| service.account(row)).await?;
    let groups = parse(groups, |row| service.group(row))?;
    Ok(Actual { groups, accounts, sessions: parse(sessions, |row| service.session(row))?, entries: Vec::new() })
}

/// Tables that are asked for together, each read row by row as it comes.
#[derive(Default)]
struct Reading {
    commands: Vec<Command>,
    sinks: Vec<Option<RowSink>>,
}

/// What becomes of the rows of one of them.
struct Asked<T>(Arc<Mutex<Result<Vec<T>, Error>>>);

impl Reading {
    fn ask<T: Send + 'static>(
        &mut self,
        print: Command,
        from_row: impl Fn(&Row) -> Result<T, Error> + Send + 'static,
    ) -> Asked<T> {
        let rows = Arc::new(Mutex::new(Ok(Vec::new())));
        let sink = {
            let rows = Arc::clone(&rows);
            RowSink::new(move |row| {
                let mut rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
                if let Ok(read) = rows.as_mut() {
                    match from_row(row) {
                        Ok(item) => read.push(item),
                        Err(error) => *rows = Err(error),
                    }
                }
            })
        };
        self.commands.push(print);
        self.sinks.push(Some(sink));
        Asked(rows)
    }

    /// Asks, and waits until all have come; else the error that decides.
    async fn finish(self, client: &Client) -> Result<(), Error> {
        let mut broken = None;
        let take = |_, end: Result<Reply, Error>| {
            if let Err(error) = end {
                broken = Some(error.worse(broken.take()));
            }
        };
        client.read_each(&self.commands, self.sinks, take).await;
        broken.map_or(Ok(()), Err)
    }
}

impl<T> Asked<T> {
    fn rows(self) -> Result<Vec<T>, Error> {
        std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), Ok(Vec::new()))
    }
}

fn rows_of<'a>(names: &'a [&'a str]) -> Rows<'a> {
    if names.len() > MAX_NAMES { Rows::All } else { Rows::Named(names) }
}

/// Asks again with `show-sensitive`, which exists from 7.21 on, if passwords are missing and nobody knows yet why; an
/// older router that shows none lacks the policy.
async fn with_passwords(
    client: &Client,
    service: Service,
    rows: Rows<'_>,
    found: Vec<ActualAccount>,
    passwords: &mut Passwords,
) -> Result<Vec<ActualAccount>, Error> {
    if *passwords != Passwords::Unknown || found.iter().all(|account| account.password.is_some()) {
        return Ok(found);
    }
    match client.call(&service.print_accounts(rows, true)).await {
        Ok(reply) => {
            *passwords = Passwords::Sensitive;
            parse(reply, |row| service.account(row))
        }
        Err(error) if matches!(error.refusal(), Some(RefusalKind::UnknownParameter | RefusalKind::NotPermitted)) => {
            *passwords = Passwords::Plain;
            Ok(found)
        }
        Err(error) => Err(error),
    }
}

fn counting(menu: &str, key: &str, rows: Rows<'_>) -> Command {
    match rows {
        Rows::Named(names) => menu::count(menu).where_any(key, names),
        _ => menu::count(menu),
    }
}

/// A whole table, counted.
pub(super) async fn table<T: Identified>(
    client: &Client,
    count: &Command,
    print: impl Fn() -> Command,
    from_row: impl Fn(&Row) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let first = parse(client.call(&print()).await?, &from_row)?;
    counted(client, count, print, first, from_row).await
}

/// Believes a table only if the router counts as many rows; reads it again if not.
///
/// Rows come and go meanwhile: on a busy router some boxes dial and others leave between any two commands. So what was
/// counted between two readings may stand in either of them. A row that only the first one shows has left, or the second
/// one is short; it is asked for by its id.
async fn counted<T: Identified>(
    client: &Client,
    count: &Command,
    print: impl Fn() -> Command,
    table: Vec<T>,
    from_row: impl Fn(&Row) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let counted = menu::counted(count, &client.call(count).await?)?;
    counted_from(client, (count, counted), print, table, from_row).await
}

/// [`counted`], where the first count is known already.
async fn counted_from<T: Identified>(
    client: &Client,
    (count, mut counted): (&Command, usize),
    print: impl Fn() -> Command,
    mut table: Vec<T>,
    from_row: impl Fn(&Row) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    if table.len() >= counted {
        return Ok(table);
    }
    for _ in 1..ATTEMPTS {
        let before = std::mem::replace(&mut table, parse(client.call(&print()).await?, &from_row)?);
        let between = counted;
        counted = menu::counted(count, &client.call(count).await?)?;
        if table.len() >= counted.min(between) {
            return Ok(table);
        }
        let here: HashSet<&ItemId> = table.iter().map(Identified::id).collect();
        let missing: Vec<&str> =
            before.iter().map(Identified::id).filter(|id| !here.contains(id)).map(ItemId::as_str).collect();
        if table.len() + missing.len() >= between {
            for ids in missing.chunks(MAX_NAMES) {
                table.extend(parse(client.call(&print().where_any(".id", ids)).await?, &from_row)?);
            }
            return Ok(table);
        }
    }
    let detail = format!("{} rows where the router counts {counted}", table.len());
    Err(Error::Answer { command: count.path().to_owned(), detail })
}

/// A row that carries its id.
pub(super) trait Identified {
    fn id(&self) -> &ItemId;
}

macro_rules! identified {
    ($($row:ty),*) => {
        $(impl Identified for $row {
            fn id(&self) -> &ItemId {
                &self.id
            }
        })*
    };
}

identified!(ActualAccount, ActualGroup, ActualSession, ListEntry, SimpleQueue, SessionQueue, Lease, Connection, Rule);

impl Identified for (ItemId, Vec<u8>) {
    fn id(&self) -> &ItemId {
        &self.0
    }
}

/// Reads the rows one by one and lets each go, so that a large table is not held twice.
pub(super) fn parse<T>(reply: Reply, from_row: impl Fn(&Row) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    reply.into_rows().into_iter().map(|row| from_row(&row)).collect()
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
