//! The rules of one menu: which are there, what they say, and where they stand.

use super::desired::{DesiredRule, Family, Role, same};
use super::step::{RedirectAction, RedirectStep, Why};
use crate::mark::RedirectMark;
use crate::menu::ItemId;
use crate::menu::firewall::Rule;
use crate::reconcile::FieldChange;

/// The steps that put the rules of a menu right, and those that remove what is ours and not wanted.
pub(super) struct Arranged {
    /// Rules that are made, changed or moved, in the order in which they match: what opens comes before what shuts.
    pub(super) steps: Vec<RedirectStep>,
    /// Rules that are removed, the last one first: what shuts goes before what opens.
    pub(super) removals: Vec<RedirectStep>,
}

/// Compares the rules of a menu with what is wanted there.
pub(super) fn arrange(menu: &'static str, family: Family, rows: &[Rule], wanted: &[DesiredRule]) -> Arranged {
    let step = |name: &str, role, action| RedirectStep { menu, name: name.to_owned(), family, role, action };
    let mut found: Vec<Option<usize>> = vec![None; wanted.len()];
    let mut removals = Vec::new();
    for (at, row) in rows.iter().enumerate().filter(|(_, row)| !row.dynamic) {
        let Some(mark) = RedirectMark::split(&row.comment).0 else { continue };
        let place = wanted.iter().position(|rule| rule.slot == mark.slot);
        match place.and_then(|place| found.get_mut(place)) {
            Some(empty @ None) => *empty = Some(at),
            taken => {
                let why = if taken.is_some() { Why::Twice } else { Why::Unwanted };
                removals.push(step(mark.slot, Role::Opens, RedirectAction::Remove { id: row.id.clone(), why }));
            }
        }
    }
    removals.reverse();
    let mut order = Order::new(rows, wanted, &found);
    let mut steps = Vec::new();
    let mut before_in_chain: Vec<(&str, usize)> = Vec::new();
    for (place, rule) in wanted.iter().enumerate() {
        let after = before_in_chain.iter().rev().find(|(chain, _)| *chain == rule.chain).map(|(_, place)| *place);
        let row = found.get(place).copied().flatten().and_then(|at| rows.get(at));
        if let Some(change) = row.and_then(|row| difference(row, rule)) {
            steps.push(step(&rule.slot, rule.role, change));
        }
        if let Some((before, why)) = order.put(place, after) {
            let action = match row {
                Some(row) => RedirectAction::Move { id: row.id.clone(), before, why },
                None => RedirectAction::Add {
                    fields: rule.fields.clone(),
                    comment: RedirectMark { slot: &rule.slot }.comment(),
                    before,
                },
            };
            steps.push(step(&rule.slot, rule.role, action));
        }
        before_in_chain.push((rule.chain, place));
    }
    Arranged { steps, removals }
}

/// What a rule says beside what it should say.
fn difference(row: &Rule, rule: &DesiredRule) -> Option<RedirectAction> {
    let (mut fields, mut set, mut unset) = (Vec::new(), Vec::new(), Vec::new());
    for (name, value) in &rule.fields {
        if !same(name, value, row.value(name)) {
            fields.push(FieldChange::of(name, row.value(name), value.as_bytes()));
            set.push((*name, value.clone()));
        }
    }
    for (name, value) in &row.values {
        if rule.value(name).is_empty() {
            fields.push(FieldChange::of(name, value, b""));
            unset.push(*name);
        }
    }
    if row.disabled {
        fields.push(FieldChange::of("disabled", b"yes", b"no"));
        set.push(("disabled", "no".to_owned()));
    }
    (!fields.is_empty()).then(|| RedirectAction::Change { id: row.id.clone(), fields, set, unset })
}

/// One place in a menu: a rule that is there, or one that is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Elem {
    Row(usize),
    New(usize),
}

/// The order of a menu, as it becomes step by step. Rules of the router's own have no place in it: nothing is put before them.
struct Order<'a> {
    rows: &'a [Rule],
    wanted: &'a [DesiredRule],
    found: &'a [Option<usize>],
    sequence: Vec<Elem>,
    /// The wanted rules that stay where they are.
    kept: Vec<usize>,
    /// The first rule of others in each chain that ours must come before, and why.
    barriers: Vec<(&'static str, usize, Why)>,
}

impl<'a> Order<'a> {
    fn new(rows: &'a [Rule], wanted: &'a [DesiredRule], found: &'a [Option<usize>]) -> Order<'a> {
        let fixed: Vec<Elem> =
            rows.iter().enumerate().filter(|(_, row)| !row.dynamic).map(|(at, _)| Elem::Row(at)).collect();
        let mut order = Order { rows, wanted, found, sequence: fixed, kept: Vec::new(), barriers: Vec::new() };
        let mut chains: Vec<&'static str> = Vec::new();
        for rule in wanted.iter().filter(|rule| !rule.slot.is_empty()) {
            if !chains.contains(&rule.chain) {
                chains.push(rule.chain);
            }
        }
        for chain in chains {
            order.barriers.extend(order.barrier(chain).map(|(at, why)| (chain, at, why)));
            let kept = order.in_order(chain);
            order.kept.extend(kept);
        }
        order
    }

    /// The first rule of others that ours must come before.
    fn barrier(&self, chain: &str) -> Option<(usize, Why)> {
        let rows = self.rows.iter().enumerate().filter(|(_, row)| !row.dynamic && !row.disabled);
        let mut foreign = rows
            .filter(|(_, row)| row.value("chain") == chain.as_bytes() && RedirectMark::split(&row.comment).0.is_none());
        foreign.find_map(|(at, row)| match (chain, row.value("action")) {
            ("forward", b"fasttrack-connection") => Some((at, Why::BelowFasttrack)),
            ("srcnat", b"masquerade" | b"src-nat") => Some((at, Why::BelowMasquerade)),
            _ => None,
        })
    }

    /// The most rules of a chain that are in order as they stand, above the barrier.
    fn in_order(&self, chain: &str) -> Vec<usize> {
        let barrier = self.barriers.iter().find(|(of, ..)| *of == chain).map_or(usize::MAX, |(_, at, _)| *at);
        let of_chain = self.wanted.iter().enumerate().filter(|(_, rule)| rule.chain == chain);
        let standing: Vec<(usize, usize)> = of_chain
            .filter_map(|(place, _)| Some((place, self.found.get(place).copied().flatten()?)))
            .filter(|(_, at)| *at < barrier)
            .collect();
        // The longest run that ends with each of them.
        let mut runs: Vec<Vec<usize>> = Vec::with_capacity(standing.len());
        for (number, (place, at)) in standing.iter().enumerate() {
            let earlier = standing.iter().zip(&runs).take(number).filter(|((_, other), _)| other < at);
            let mut run = earlier.map(|(_, run)| run).max_by_key(|run| run.len()).cloned().unwrap_or_default();
            run.push(*place);
            runs.push(run);
        }
        runs.into_iter().max_by_key(Vec::len).unwrap_or_default()
    }

    /// Puts a wanted rule behind the one before it. `None` when it stands right already; otherwise before which rule it comes,
    /// and what was wrong.
    fn put(&mut self, place: usize, after: Option<usize>) -> Option<(Option<ItemId>, Why)> {
        if self.kept.contains(&place) {
            return None;
        }
        let own = self.elem(place);
        let chain = self.wanted.get(place)?.chain;
        let stood = self.sequence.iter().position(|elem| *elem == own);
        let barrier = self.barriers.iter().find(|(of, ..)| *of == chain);
        let why = match (barrier, self.found.get(place).copied().flatten()) {
            (Some((_, barrier, why)), Some(at)) if at > *barrier => *why,
            _ => Why::WrongOrder,
        };
        if let Some(stood) = stood {
            self.sequence.remove(stood);
        }
        let position = |elem: Elem| self.sequence.iter().position(|other| *other == elem);
        let at = match after {
            Some(after) => position(self.elem(after)).map(|at| at + 1),
            None => self.first_of(chain),
        };
        let at = at.unwrap_or(self.sequence.len()).min(self.sequence.len());
        self.sequence.insert(at, own);
        let following = self.sequence.iter().skip(at + 1).find_map(|elem| match elem {
            Elem::Row(row) => self.rows.get(*row),
            Elem::New(_) => None,
        });
        Some((following.map(|row| row.id.clone()), why))
    }

    fn elem(&self, place: usize) -> Elem {
        self.found.get(place).copied().flatten().map_or(Elem::New(place), Elem::Row)
    }

    /// Where the first rule of a chain belongs: before those of ours that stay, else before anybody's.
    fn first_of(&self, chain: &str) -> Option<usize> {
        let kept = self.kept.iter().find(|place| self.wanted.get(**place).is_some_and(|rule| rule.chain == chain));
        if let Some(kept) = kept {
            return self.sequence.iter().position(|elem| *elem == self.elem(*kept));
        }
        self.sequence.iter().position(|elem| match elem {
            Elem::Row(row) => self.rows.get(*row).is_some_and(|row| row.value("chain") == chain.as_bytes()),
            Elem::New(_) => false,
        })
    }
}
