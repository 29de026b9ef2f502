//! Taking one's own marks back. When a database was lost and its lines were imported again, the marks on the routers name
//! lines that nobody knows any more, and each account looks like somebody else's.
//!
//! Nobody can tell from a router whether a mark is an old one of ours or that of another living provider. So a person is
//! shown what would be taken, and why it seems to be ours; only marks change hands, and nothing else.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use isp_core::ids::SubscriptionId;
use isp_core::isolation::AccessTarget;
use isp_core::place::RouterEndpoint;
use isp_core::ports::PortError;
use isp_core::subscription::Service as LineService;
use serde::Serialize;

use super::adapter::MikrotikAccess;
use super::fleet::Line;
use super::looking::Whole;
use crate::error::Error;
use crate::mark::{Mark, Owner};
use crate::menu::{self, ItemId, address_list, lease, queue};
use crate::reconcile::line::{ActualLines, DesiredLines};
use crate::text::shown;

/// An object whose mark names a line that nobody here knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StrangeMark {
    /// The user name, or the address or MAC address where nobody logs in.
    pub name: String,
    /// The line that the mark names, in the short form of marks.
    pub owner: Owner,
    /// The line of ours that has this name now.
    pub line: Option<SubscriptionId>,
    /// Whether the password on the router is the line's; `None` where it is not shown, or nobody logs in.
    pub same_password: Option<bool>,
}

/// Where such a mark stands.
struct Place {
    menu: &'static str,
    id: ItemId,
    comment: Vec<u8>,
}

impl MikrotikAccess {
    /// Every account, queue and lease of a router whose mark names none of the lines that are `known` here (in the short
    /// form of marks). Nothing is changed.
    ///
    /// # Errors
    ///
    /// As for the port.
    pub async fn strange_marks(
        &self,
        router: &RouterEndpoint,
        targets: &[AccessTarget],
        known: &BTreeSet<Owner>,
    ) -> Result<Vec<StrangeMark>, PortError> {
        let mut line = self.fleet.turn(router).await;
        let (found, _) = self.find_strange(&mut line, router, targets, known).await?;
        Ok(found.into_iter().map(|(mark, _)| mark).collect())
    }

    /// Gives these strange marks, and those of the same line in the isolation list, to the lines that have their names
    /// now, and reads back. Returns how many objects carry a mark of ours then. Terms, access and what people wrote stay.
    ///
    /// # Errors
    ///
    /// As for the port. What was given already stays, and the rest is found again.
    pub async fn reclaim(
        &self,
        router: &RouterEndpoint,
        targets: &[AccessTarget],
        known: &BTreeSet<Owner>,
        take: impl Fn(&StrangeMark) -> bool + Send,
    ) -> Result<usize, PortError> {
        let mut line = self.fleet.turn(router).await;
        let (found, entries) = self.find_strange(&mut line, router, targets, known).await?;
        let mut owners: BTreeMap<Owner, SubscriptionId> = BTreeMap::new();
        let mut places = Vec::new();
        for (mark, place) in found.into_iter().filter(|(mark, _)| take(mark)) {
            let Some(new) = mark.line else { continue };
            owners.insert(mark.owner, new);
            places.push((place, new));
        }
        for (owner, place) in entries {
            places.extend(owners.get(&owner).map(|new| (place, *new)));
        }
        let commands: Vec<_> = places
            .iter()
            .filter_map(|(place, new)| {
                let (mark, human) = Mark::split(&place.comment);
                let comment = Mark { owner: Owner::of(*new), ..mark? }.comment(human);
                Some(menu::set_comment(place.menu, &place.id, &comment))
            })
            .collect();
        let (client, _) = line.client(router, &self.settings).await.map_err(|error| error.for_port(false))?;
        let mut broken: Option<Error> = None;
        for result in client.call_all(&commands).await {
            match result {
                // What somebody removed meanwhile carries no mark.
                Ok(_) | Err(Error::Refused { .. }) => {}
                Err(error) => broken = Some(error.worse(broken)),
            }
        }
        line.learn(broken.as_ref());
        if let Some(error) = broken {
            return Err(error.for_port(true));
        }
        let (left, _) = self.find_strange(&mut line, router, targets, known).await?;
        let left = left.into_iter().filter(|(mark, _)| owners.contains_key(&mark.owner) && take(mark)).count();
        Ok(commands.len().saturating_sub(left))
    }

    /// The marks, and those of entries in the isolation list.
    #[allow(clippy::type_complexity, reason = "two lists of the same kind")]
    async fn find_strange(
        &self,
        line: &mut Line,
        router: &RouterEndpoint,
        targets: &[AccessTarget],
        known: &BTreeSet<Owner>,
    ) -> Result<(Vec<(StrangeMark, Place)>, Vec<(Owner, Place)>), PortError> {
        let (whole, ()) = self.read_whole(line, router, targets, |_, _| ()).await?;
        let list = self.settings.isolation_list.clone();
        let desired = DesiredLines { isolation_list: list, ..DesiredLines::default() };
        let lines = self.read_lines(line, router, &desired).await.map_err(|error| error.for_port(false))?;
        let strange = |comment: &[u8]| Mark::split(comment).0.filter(|mark| !known.contains(&mark.owner));
        let mut found = accounts(&whole, targets, strange);
        found.extend(without_login(&lines, targets, strange));
        let of_entry = |entry: &address_list::ListEntry| {
            let owner = strange(&entry.comment)?.owner;
            Some((owner, Place { menu: address_list::MENU, id: entry.id.clone(), comment: entry.comment.to_vec() }))
        };
        Ok((found, lines.entries.iter().filter_map(of_entry).collect()))
    }
}

fn accounts(
    whole: &Whole,
    targets: &[AccessTarget],
    strange: impl Fn(&[u8]) -> Option<Mark>,
) -> Vec<(StrangeMark, Place)> {
    let logs_in = targets.iter().filter(|target| target.account.service.logs_in());
    let by_name: HashMap<&[u8], &AccessTarget> =
        logs_in.map(|target| (target.account.username.as_str().as_bytes(), target)).collect();
    let mut found = Vec::new();
    for ((desired, _), (actual, _)) in &whole.parts {
        for account in &actual.accounts {
            let Some(mark) = strange(&account.comment) else { continue };
            let target = by_name.get(&*account.name);
            let same = |target: &&AccessTarget| account.password.as_ref().map(|on| *on == target.account.password);
            let mark = StrangeMark {
                name: shown(&account.name),
                owner: mark.owner,
                line: target.map(|target| target.subscription_id),
                same_password: target.and_then(same),
            };
            let menu = desired.service.accounts_menu();
            found.push((mark, Place { menu, id: account.id.clone(), comment: account.comment.to_vec() }));
        }
    }
    found
}

fn without_login(
    lines: &ActualLines,
    targets: &[AccessTarget],
    strange: impl Fn(&[u8]) -> Option<Mark>,
) -> Vec<(StrangeMark, Place)> {
    let of = |service, name: &str| {
        let mut of_service = targets.iter().filter(|target| target.account.service == service);
        of_service.find(|target| target.account.username.as_str() == name).map(|target| target.subscription_id)
    };
    let bare = |target: &[u8]| shown(address_list::bare(target));
    let told = |name: String, owner, service| {
        let line = of(service, &name);
        StrangeMark { name, owner, line, same_password: None }
    };
    let queues = lines.queues.iter().filter_map(|queue| {
        let mark = told(bare(&queue.target), strange(&queue.comment)?.owner, LineService::Static);
        Some((mark, Place { menu: queue::MENU, id: queue.id.clone(), comment: queue.comment.clone() }))
    });
    let leases = lines.leases.iter().filter_map(|lease| {
        let mark = told(shown(&lease.mac), strange(&lease.comment)?.owner, LineService::Dhcp);
        Some((mark, Place { menu: lease::MENU, id: lease.id.clone(), comment: lease.comment.clone() }))
    });
    queues.chain(leases).collect()
}
