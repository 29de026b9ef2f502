//! All tables of a router at once, compared while it still works on the last of them.

use std::collections::HashSet;

use super::read::{self, Counts, Passwords, PasswordsOf};
use super::survey::Part;
use super::{kick, lines};
use crate::client::Client;
use crate::error::{Error, RefusalKind};
use crate::menu::ItemId;
use crate::menu::queue::{self, SessionQueue};
use crate::reconcile::{Actual, ByName, Desired, Plan, Service, plan_by};

/// What is wanted of one of the two services, with the places of its accounts among the targets.
pub(super) type Wanted = (Desired, Vec<usize>);

/// What was read, part by part as wanted.
pub(super) struct Read<T> {
    pub(super) actual: Vec<Actual>,
    pub(super) plans: Vec<Plan>,
    /// Whether a RADIUS server is asked, too.
    pub(super) radius: bool,
    /// Whether isolated lines may go on over IPv6.
    pub(super) ipv6: bool,
    /// The sessions that run under older terms.
    pub(super) stale: HashSet<ItemId>,
    /// What was made of it.
    pub(super) then: T,
}

/// The router works on one table while another is read. What has come is compared, and made something of, while the router
/// counts the rows and prints the queues of its sessions; should they tell something else, that is done once more.
pub(super) async fn read<T>(
    client: &Client,
    wanted: &[Wanted],
    passwords: &mut PasswordsOf,
    then: &impl Fn(&[Part<'_>], bool) -> T,
) -> Result<Read<T>, Error> {
    let (tables, ipv6, queues) =
        tokio::join!(tables(client, wanted, passwords, then), lines::gives_ipv6(client), read::session_queues(client),);
    let Tables { actual, radius, mut compared } = tables?;
    let ipv6 = ipv6? || actual.iter().flat_map(|part| &part.accounts).any(|account| account.own_ipv6);
    // What a RADIUS server gives is no profile's.
    let stale = match queues? {
        Some(queues) if !radius => {
            stale_again(client, &compared.running, kick::stale(&compared.running, &queues)).await?
        }
        _ => HashSet::new(),
    };
    if !stale.is_empty() {
        compared = compare(wanted, &actual, radius, &stale, then);
    }
    let Compared { plans, then, .. } = compared;
    Ok(Read { actual, plans, radius, ipv6, stale, then })
}

/// The tables that are compared.
struct Tables<'a, T> {
    actual: Vec<Actual>,
    radius: bool,
    compared: Compared<'a, T>,
}

async fn tables<'a, T>(
    client: &Client,
    wanted: &'a [Wanted],
    passwords: &mut PasswordsOf,
    then: &impl Fn(&[Part<'_>], bool) -> T,
) -> Result<Tables<'a, T>, Error> {
    let (mut ppp, mut hotspot) = (*passwords.service(Service::Ppp), *passwords.service(Service::Hotspot));
    let (of_ppp, of_hotspot, radius) = tokio::join!(
        of_service(client, wanted, Service::Ppp, &mut ppp),
        of_service(client, wanted, Service::Hotspot, &mut hotspot),
        read::uses_radius(client),
    );
    (*passwords.service(Service::Ppp), *passwords.service(Service::Hotspot)) = (ppp, hotspot);
    let (mut of_ppp, mut of_hotspot, radius) = (of_ppp?, of_hotspot?, radius?);
    let mut actual: Vec<Actual> = Vec::with_capacity(wanted.len());
    let mut there = Vec::with_capacity(wanted.len());
    for (desired, _) in wanted {
        let found = match desired.service {
            Service::Ppp => of_ppp.take(),
            Service::Hotspot => of_hotspot.take(),
        };
        there.push(found.is_some());
        actual.push(found.unwrap_or_default());
    }
    let none = HashSet::new();
    let (counts, mut compared) =
        tokio::join!(counts(client, wanted, &actual, &there), async { compare(wanted, &actual, radius, &none, then) });
    let mut short = false;
    for ((desired, _), (place, counts)) in wanted.iter().zip(actual.iter_mut().zip(counts?)) {
        let Some(counts) = counts.filter(|counts| !counts.fit(place)) else { continue };
        let known = *passwords.service(desired.service);
        *place = read::whole(client, desired, known, std::mem::take(place), counts).await?;
        short = true;
    }
    if short {
        compared = compare(wanted, &actual, radius, &none, then);
    }
    Ok(Tables { actual, radius, compared })
}

/// The tables of one service as they came; `None` where the router has no such menu, and nothing is wanted there.
async fn of_service(
    client: &Client,
    wanted: &[Wanted],
    service: Service,
    passwords: &mut Passwords,
) -> Result<Option<Actual>, Error> {
    let Some((desired, places)) = wanted.iter().find(|(desired, _)| desired.service == service) else {
        return Ok(None);
    };
    match read::tables(client, desired, passwords).await {
        Err(error) if error.refusal() == Some(RefusalKind::NoSuchCommand) && places.is_empty() => Ok(None),
        other => other.map(Some),
    }
}

/// How many rows each table has that is there.
async fn counts(
    client: &Client,
    wanted: &[Wanted],
    actual: &[Actual],
    there: &[bool],
) -> Result<Vec<Option<Counts>>, Error> {
    let of = async |at: usize| match (wanted.get(at), actual.get(at), there.get(at)) {
        (Some((desired, _)), Some(actual), Some(true)) => Counts::ask(client, desired, actual).await.map(Some),
        _ => Ok(None),
    };
    let (first, second) = tokio::join!(of(0), of(1));
    Ok(vec![first?, second?])
}

/// What is beside what is wanted.
struct Compared<'a, T> {
    plans: Vec<Plan>,
    running: Vec<kick::Running<'a>>,
    then: T,
}

fn compare<'a, T>(
    wanted: &'a [Wanted],
    actual: &[Actual],
    radius: bool,
    stale: &HashSet<ItemId>,
    then: &impl Fn(&[Part<'_>], bool) -> T,
) -> Compared<'a, T> {
    let by_name: Vec<ByName<'_>> =
        wanted.iter().zip(actual).map(|((desired, _), actual)| ByName::of(desired, actual)).collect();
    let none = HashSet::new();
    let (mut plans, mut running) = (Vec::with_capacity(wanted.len()), Vec::new());
    for ((desired, _), (actual, by_name)) in wanted.iter().zip(actual.iter().zip(&by_name)) {
        let stale = match desired.service {
            Service::Ppp => {
                running = kick::running(desired, actual, by_name);
                stale
            }
            Service::Hotspot => &none,
        };
        plans.push(plan_by(desired, actual, by_name, stale));
    }
    let parts: Vec<Part<'_>> = wanted
        .iter()
        .zip(actual.iter().zip(&by_name))
        .zip(&plans)
        .map(|(((desired, places), (actual, by_name)), plan)| Part { desired, places, actual, by_name, plan })
        .collect();
    let then = then(&parts, radius);
    drop(parts);
    Compared { plans, running, then }
}

/// Of these sessions, which seemed to run under older terms, those that still do at a second look, for which the queues are
/// counted. A box that left between the sessions and the queues has none, and a table that came short lacks some.
async fn stale_again(
    client: &Client,
    running: &[kick::Running<'_>],
    seemed: HashSet<ItemId>,
) -> Result<HashSet<ItemId>, Error> {
    if seemed.is_empty() {
        return Ok(seemed);
    }
    let doubtful = running.iter().filter(|running| seemed.contains(&running.session));
    let names: Vec<&str> = doubtful.map(|running| running.user).collect();
    let queues = read::table(client, &queue::count_dynamic(), queue::print_dynamic, SessionQueue::from_row).await?;
    let online = read::sessions(client, Service::Ppp, &names).await?;
    let mut stale = kick::stale(running, &queues);
    let online: HashSet<ItemId> = online.into_iter().map(|session| session.id).collect();
    stale.retain(|id| seemed.contains(id) && online.contains(id));
    Ok(stale)
}
