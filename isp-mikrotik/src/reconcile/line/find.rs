//! Which queue or lease is a line's.

use super::super::finding::Finding;
use super::actual::{ActualLines, marked};
use super::desired::{DesiredLine, DesiredLines};
use super::listed::Listed;
use crate::mark::Mark;
use crate::menu::lease::Lease;
use crate::menu::queue::SimpleQueue;
use crate::text::shown;

/// What a router has, and what is wanted of it.
pub(super) struct Seen<'a> {
    pub(super) desired: &'a DesiredLines,
    pub(super) actual: &'a ActualLines,
    pub(super) listed: Listed<'a>,
}

/// A queue or lease that may be a line's.
pub(super) enum Found<'a, T> {
    /// These carry the mark of the line, or of who had its address or box before.
    Ours(Vec<&'a T>),
    /// This one carries none, and may be taken over.
    Unmarked(&'a T),
    /// It cannot be used.
    InTheWay(Finding, String),
    /// There is none.
    None,
}

/// Who of those with the line's own address or box it is. `what` names one for people.
pub(super) fn find<'a, T>(
    line: &DesiredLine,
    all: &'a [T],
    comment: impl Fn(&T) -> &[u8],
    here: impl Fn(&T) -> bool,
    what: impl Fn(&T) -> String,
) -> Found<'a, T> {
    // The line's own wherever it stands; of who had its address or box before, only what is there still.
    let own = |one: &T| {
        let owner = marked(comment(one)).map(|(owner, _)| owner);
        owner.is_some_and(|owner| owner == line.owner || (line.owns(owner) && here(one)))
    };
    let mut ours: Vec<&T> = all.iter().filter(|one| own(one)).collect();
    if !ours.is_empty() {
        // What is right already stays; else what the line had before is changed.
        ours.sort_by_key(|one| !here(one));
        return Found::Ours(ours);
    }
    let others: Vec<&T> = all.iter().filter(|one| here(one)).collect();
    match others.as_slice() {
        [] => Found::None,
        [other, ..] if marked(comment(other)).is_some() => {
            Found::InTheWay(Finding::AccountOfAnother, format!("{} belongs to another subscription", what(other)))
        }
        [only] if line.adopt => Found::Unmarked(only),
        [_, _, ..] if line.adopt => {
            let reason = format!("{} of {} are there", others.len(), line.name);
            Found::InTheWay(Finding::AccountTwins, reason)
        }
        [other, ..] => {
            let reason = format!("{} is there and does not carry our mark", what(other));
            Found::InTheWay(Finding::AccountNotOurs, reason)
        }
    }
}

/// The mark of a line on what is there, and what people wrote behind it.
pub(super) fn mark_on<'c>(line: &DesiredLine, comment: &'c [u8]) -> (Mark, &'c [u8]) {
    let (mark, human) = Mark::split(comment);
    (mark.map_or_else(|| Mark::new(line.owner), |mark| Mark { owner: line.owner, ..mark }), human)
}

pub(super) fn queue_name(queue: &SimpleQueue) -> String {
    format!("queue {}", shown(&queue.name))
}

pub(super) fn lease_name(lease: &Lease) -> String {
    format!("lease of {}", shown(&lease.mac))
}
