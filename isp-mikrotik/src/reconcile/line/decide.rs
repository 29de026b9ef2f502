//! The comparison.

use std::collections::HashSet;

use isp_core::isolation::Access;
use isp_core::subscription::Service;

use super::super::finding::Finding;
use super::super::plan::{Drift, Object};
use super::actual::{ActualLines, marked};
use super::desired::{DesiredLine, DesiredLines};
use super::find::Seen;
use super::listed::Listed;
use super::step::LineStep;
use super::{dhcp, fixed};
use crate::mark::Owner;
use crate::text::shown;

/// Compares. One step for each line, in order, and what was found that nobody asked for.
pub fn plan(desired: &DesiredLines, actual: &ActualLines) -> (Vec<LineStep>, Vec<Drift>) {
    let seen = Seen { desired, actual, listed: Listed::of(actual) };
    let steps = desired
        .lines
        .iter()
        .map(|line| match line.service {
            Service::Dhcp => dhcp::step(line, &seen),
            _ => fixed::step(line, &seen),
        })
        .collect();
    (steps, drift(&seen))
}

fn drift(seen: &Seen<'_>) -> Vec<Drift> {
    let mut drift: Vec<Drift> = seen.desired.lines.iter().filter_map(|line| shut_out(line, seen)).collect();
    if seen.desired.complete {
        let lines = &seen.desired.lines;
        let known: HashSet<Owner> =
            lines.iter().flat_map(|line| std::iter::once(&line.owner).chain(&line.succeeds)).copied().collect();
        let ours = |comment: &[u8]| marked(comment).is_some_and(|(owner, _)| !known.contains(&owner));
        let queues = seen.actual.queues.iter().filter(|queue| ours(&queue.comment)).map(|queue| &queue.name);
        let leases = seen.actual.leases.iter().filter(|lease| ours(&lease.comment)).map(|lease| &lease.mac);
        drift.extend(queues.chain(leases).map(|name| Drift {
            object: Object::Account,
            name: shown(name),
            code: Finding::StrayAccount.code(),
            what: "carries our mark, and no line of this router has it".to_owned(),
        }));
    }
    drift
}

/// A line that taking it over would open, although somebody shut it in or out on the router.
fn shut_out(line: &DesiredLine, seen: &Seen<'_>) -> Option<Drift> {
    if !line.adopt || line.access != Access::Open || line.left {
        return None;
    }
    let how = match line.service {
        Service::Dhcp => dhcp::shut_out(line, seen),
        _ => fixed::shut_out(line, seen),
    }?;
    let what = format!("{how} by hand, and would be opened");
    Some(Drift { object: Object::Account, name: line.name.clone(), code: Finding::ShutOutByHand.code(), what })
}
