//! Lines that nobody logs in for: reading, writing in the safe order, reading back, and ending what ran before.
//!
//! Within one line: what puts it into the isolation list comes first, then its queue or lease, and last what lets it out.
//! So nobody is cut between two writes, and nobody who is isolated runs free between them. Established connections are
//! ended when all of it was read back; until then the mark says that it is owed.

use std::collections::{HashMap, HashSet};

use isp_core::isolation::Access;
use isp_core::isolation::survey::Sighting;
use isp_core::ports::ApplyOutcome;

use super::breaker::Budget;
use super::kick::settle_marks;
use super::read;
use crate::client::Client;
use crate::error::{Error, RefusalKind};
use crate::mark::Mark;
use crate::menu::address_list::{self, ListEntry};
use crate::menu::connection::{self, Connection};
use crate::menu::ipv6;
use crate::menu::lease::{self, Lease};
use crate::menu::queue::{self, SimpleQueue};
use crate::menu::{self, ItemId};
use crate::proto::Command;
use crate::reconcile::line::{
    ActualLines, Carrier, DesiredLine, DesiredLines, LineAction, LineStep, Written, judge, plan,
};
use crate::reconcile::{Conflict, Drift, Finding, Object, Plan};

/// Writing and reading back is done this often before a line is reported as not taking its state.
const ROUNDS: usize = 3;

/// So many connections are ended by one command.
const CUT_AT_ONCE: usize = 100;

/// A reading of a router, and what follows from it.
pub(super) struct LineLook {
    pub(super) steps: Vec<LineStep>,
    pub(super) drift: Vec<Drift>,
    actual: ActualLines,
}

impl LineLook {
    pub(super) fn new(desired: &DesiredLines, actual: ActualLines) -> LineLook {
        let (steps, drift) = plan(desired, &actual);
        LineLook { steps, drift, actual }
    }

    /// What is seen of each line beside what is wanted.
    pub(super) fn sightings(&self, desired: &DesiredLines) -> Vec<Sighting> {
        let seen = judge(desired, &self.actual);
        let rows = self.steps.iter().zip(&desired.lines).zip(seen);
        rows.map(|((step, line), (access, words))| sighting(step, line, access, words)).collect()
    }

    /// How many lines would become isolated.
    pub(super) fn isolated(&self) -> usize {
        self.steps.iter().filter(|step| step.isolates).count()
    }
}

impl Plan {
    pub(super) fn add_lines(&mut self, look: LineLook) {
        self.lines.extend(look.steps);
        self.drift.extend(look.drift);
    }
}

fn sighting(step: &LineStep, line: &DesiredLine, access: Option<Access>, words: String) -> Sighting {
    if let Some(conflict) = step.conflict() {
        let answer = format!("{}: {}", conflict.code, conflict.reason);
        return Sighting { access, as_wanted: false, cuts: false, refused: Some(conflict.code), answer };
    }
    let differs = match &step.action {
        LineAction::Change { fields, .. } => {
            let words: Vec<String> = fields.iter().map(|f| format!("{} {} -> {}", f.field, f.old, f.new)).collect();
            Some(words.join(", "))
        }
        LineAction::Create(_) => Some("it is not there".to_owned()),
        LineAction::Remove { .. } => Some("it is there still".to_owned()),
        _ if !step.entries.is_empty() => Some("the isolation list".to_owned()),
        _ if !step.spare.is_empty() => Some("it is there twice".to_owned()),
        _ if !step.cut.is_empty() => Some("old connections".to_owned()),
        _ => None,
    };
    let closes = line.access == Access::Closed && access == Some(Access::Open);
    let as_wanted = differs.is_none();
    let answer = differs.map_or(words.clone(), |what| format!("{words}; differs: {what}"));
    Sighting { access, as_wanted, cuts: step.isolates || closes, refused: None, answer }
}

/// Whether the router gives IPv6 to customers: by a DHCPv6 server or by a profile's pool.
pub(super) async fn gives_ipv6(client: &Client) -> Result<bool, Error> {
    let count = ipv6::count_servers();
    match client.call(&count).await {
        Ok(reply) if menu::counted(&count, &reply)? > 0 => return Ok(true),
        // Without IPv6 there is no such menu; without the right to see it nothing can be said.
        Ok(_) => {}
        Err(error) if error.is_lack() => {}
        Err(error) => return Err(error),
    }
    match client.call(&ipv6::print_prefixes()).await {
        Ok(reply) => Ok(ipv6::gives_prefixes(&reply)),
        Err(error) if error.is_lack() => Ok(false),
        Err(error) => Err(error),
    }
}

/// That isolation does not reach IPv6.
pub(super) fn ipv6_drift() -> Drift {
    let what =
        "it gives customers IPv6, and the isolation list holds IPv4 addresses only: an isolated line goes on over \
        IPv6; switch it off for customers, or isolate it by rules of your own"
            .to_owned();
    Drift { object: Object::Router, name: String::new(), code: Finding::Ipv6Open.code(), what }
}

/// What the router allows each line.
pub(super) fn observed(desired: &DesiredLines, actual: &ActualLines) -> Vec<(Option<Access>, String)> {
    judge(desired, actual)
}

/// Reads queues, leases and the isolation list, each counted: a queue that is overlooked would be made again, and an
/// entry that is overlooked would keep a customer in the list who has paid.
pub(super) async fn read(client: &Client, desired: &DesiredLines) -> Result<ActualLines, Error> {
    let list = &desired.isolation_list;
    let queues = read::table(client, &queue::count_static(), queue::print_static, SimpleQueue::from_row).await?;
    let leases = read::table(client, &menu::count(lease::MENU), lease::print, Lease::from_row).await?;
    let print = || address_list::print_list(list);
    let entries = read::table(client, &address_list::count_list(list), print, ListEntry::from_row).await?;
    // The query asks for these only; a queue of a session is the router's, whatever it answers.
    let queues = queues.into_iter().filter(|queue| !queue.dynamic).collect();
    Ok(ActualLines { queues, leases, entries })
}

/// One turn on one router, for its lines.
pub(super) struct LineTurn<'a> {
    client: &'a Client,
    desired: &'a DesiredLines,
    /// Whether a write was sent, so that nothing after it can be called "not sent".
    pub(super) wrote: bool,
    refused: HashMap<usize, Conflict>,
    changed: HashSet<usize>,
    isolating: HashSet<usize>,
}

impl<'a> LineTurn<'a> {
    pub(super) fn new(client: &'a Client, desired: &'a DesiredLines) -> LineTurn<'a> {
        let (refused, changed, isolating) = Default::default();
        LineTurn { client, desired, wrote: false, refused, changed, isolating }
    }

    /// Writes what differs by this look, reads back, ends connections, confirms. What a later look would isolate beside
    /// that is taken from the budget, and refused when nothing is left of it.
    pub(super) async fn run(&mut self, look: LineLook, budget: &mut Budget) -> Result<Vec<ApplyOutcome>, Error> {
        let mut look = look;
        for round in 0.. {
            self.spend(&look.steps, budget);
            if round == ROUNDS || !self.write(&look).await? {
                break;
            }
            look = self.look().await?;
        }
        if self.cut(&look).await? && self.settle(&look).await? {
            look = self.look().await?;
            // Nothing may have come in meanwhile that is not in the budget.
            self.spend(&look.steps, budget);
        }
        Ok(self.outcomes(&look))
    }

    async fn look(&self) -> Result<LineLook, Error> {
        Ok(LineLook::new(self.desired, read(self.client, self.desired).await?))
    }

    fn spend(&mut self, steps: &[LineStep], budget: &mut Budget) {
        for (index, step) in steps.iter().enumerate() {
            if step.isolates && !self.isolating.contains(&index) {
                match budget.take() {
                    true => drop(self.isolating.insert(index)),
                    false => self.refuse(index, Finding::Breaker.code(), super::apply::HELD_BACK.to_owned()),
                }
            }
        }
    }

    async fn write(&mut self, look: &LineLook) -> Result<bool, Error> {
        let (mut commands, mut owners) = (Vec::new(), Vec::new());
        for (index, (step, line)) in look.steps.iter().zip(&self.desired.lines).enumerate() {
            if !self.refused.contains_key(&index) {
                for command in commands_of(step, line, &self.desired.isolation_list) {
                    commands.push(command);
                    owners.push(index);
                }
            }
        }
        if commands.is_empty() {
            return Ok(false);
        }
        tracing::debug!(router = self.client.address(), commands = commands.len(), "writing lines");
        self.wrote = true;
        let mut broken = None;
        for (index, result) in owners.into_iter().zip(self.client.call_all(&commands).await) {
            match result {
                Ok(_) => drop(self.changed.insert(index)),
                // It is there after all, or gone already: the next reading finds out.
                Err(error) if matches!(error.refusal(), Some(RefusalKind::AlreadyExists | RefusalKind::NoSuchItem)) => {
                }
                Err(Error::Refused { refusal, .. }) => self.refuse(index, refusal.kind.code(), refusal.message),
                Err(error) => broken = Some(error.worse(broken)),
            }
        }
        broken.map_or(Ok(true), Err)
    }

    /// Ends the connections of the addresses that are owed; false when none are.
    async fn cut(&mut self, look: &LineLook) -> Result<bool, Error> {
        let mut owing: HashMap<&[u8], Vec<usize>> = HashMap::new();
        for (index, step) in look.steps.iter().enumerate() {
            if self.ready(index, step) {
                for address in &step.cut {
                    owing.entry(address.as_bytes()).or_default().push(index);
                }
            }
        }
        if owing.is_empty() {
            return Ok(false);
        }
        let of = |connection: &Connection| {
            [&connection.source, &connection.destination].into_iter().find_map(|address| owing.get(address.as_slice()))
        };
        // Only what ran before: what begins from now on begins under the new terms.
        let old: Vec<Connection> = self.connections().await?.into_iter().filter(|found| of(found).is_some()).collect();
        let mut left: HashSet<ItemId> = old.iter().map(|connection| connection.id.clone()).collect();
        for _ in 0..ROUNDS {
            if left.is_empty() {
                break;
            }
            self.wrote = true;
            let ids: Vec<ItemId> = left.iter().cloned().collect();
            for chunk in ids.chunks(CUT_AT_ONCE) {
                let Some(command) = connection::remove(chunk) else { continue };
                match self.client.call(&command).await {
                    // One of the list ended by itself; the others may not have been reached.
                    Err(error) if error.refusal() == Some(RefusalKind::NoSuchItem) => {}
                    Err(Error::Refused { refusal, .. }) => {
                        let reason = format!("connections: {}", refusal.message);
                        let shut = owing.values().flatten().copied().filter(|index| self.shut(*index));
                        for index in shut.collect::<Vec<usize>>() {
                            self.refuse(index, refusal.kind.code(), reason.clone());
                        }
                        return Ok(true);
                    }
                    other => drop(other?),
                }
            }
            let running: HashSet<ItemId> = self.connections().await?.into_iter().map(|found| found.id).collect();
            left.retain(|id| running.contains(id));
        }
        for connection in old.iter().filter(|connection| left.contains(&connection.id)) {
            for index in
                of(connection).into_iter().flatten().copied().filter(|index| self.shut(*index)).collect::<Vec<_>>()
            {
                self.refuse(index, Finding::SessionStays.code(), "a connection does not end".to_owned());
            }
        }
        Ok(true)
    }

    async fn connections(&self) -> Result<Vec<Connection>, Error> {
        read::parse(self.client.call(&connection::print()).await?, Connection::from_row)
    }

    /// Takes `kick` out of the marks of lines whose connections have ended.
    async fn settle(&mut self, look: &LineLook) -> Result<bool, Error> {
        let mut commands = Vec::new();
        for (index, (step, line)) in look.steps.iter().zip(&self.desired.lines).enumerate() {
            if step.cut.is_empty() || !self.ready(index, step) {
                continue;
            }
            let settled = |comment: &[u8]| match Mark::split(comment) {
                (Some(mark), human) if mark.kick && mark.owner == line.owner => {
                    Some(Mark { kick: false, ..mark }.comment(human))
                }
                _ => None,
            };
            for queue in &look.actual.queues {
                let changes =
                    settled(&queue.comment).map(|c| queue::Changes { comment: Some(c), ..Default::default() });
                commands.extend(changes.map(|changes| queue::change(&queue.id, &changes)));
            }
            for lease in &look.actual.leases {
                let changes =
                    settled(&lease.comment).map(|c| lease::Changes { comment: Some(c), ..Default::default() });
                commands.extend(changes.map(|changes| lease::set(&lease.id, &changes)));
            }
            for entry in look.actual.entries.iter().filter(|entry| !entry.dynamic) {
                commands.extend(settled(&entry.comment).map(|comment| address_list::set_comment(&entry.id, &comment)));
            }
        }
        if commands.is_empty() {
            return Ok(false);
        }
        self.wrote = true;
        settle_marks(self.client, &commands).await.map(|()| true)
    }

    /// Whether nothing but ending connections is left to do for a line.
    fn ready(&self, index: usize, step: &LineStep) -> bool {
        !self.refused.contains_key(&index) && step.conflict().is_none() && !step.writes()
    }

    fn shut(&self, index: usize) -> bool {
        self.desired.lines.get(index).is_some_and(|line| line.access != Access::Open)
    }

    fn outcomes(&self, look: &LineLook) -> Vec<ApplyOutcome> {
        let verdicts = judge(self.desired, &look.actual);
        let steps = look.steps.iter().zip(&self.desired.lines).zip(verdicts).enumerate();
        let of = |(index, ((step, line), (access, answer))): (usize, ((&LineStep, &DesiredLine), (_, String)))| {
            if let Some(Conflict { code, reason }) = self.refused.get(&index).or(step.conflict()) {
                return ApplyOutcome::Refused { code, reason: reason.clone() };
            }
            let changed = self.changed.contains(&index);
            if step.writes() {
                let reason = "the router takes the change and does not keep it".to_owned();
                return ApplyOutcome::Refused { code: Finding::NotKept.code(), reason };
            }
            if line.left {
                return ApplyOutcome::Done { access: line.access, changed, answer: "nothing is left".to_owned() };
            }
            match access {
                Some(access) if access == line.access => ApplyOutcome::Done { access, changed, answer },
                // Opening does not wait for connections that began before.
                None if line.access == Access::Open && !step.cut.is_empty() => {
                    ApplyOutcome::Done { access: Access::Open, changed, answer }
                }
                _ => ApplyOutcome::Refused { code: Finding::NotKept.code(), reason: answer },
            }
        };
        steps.map(of).collect()
    }

    fn refuse(&mut self, index: usize, code: &'static str, reason: String) {
        self.refused.entry(index).or_insert(Conflict { code, reason });
    }
}

/// The commands of one step, in the safe order.
fn commands_of(step: &LineStep, line: &DesiredLine, list: &str) -> Vec<Command> {
    if step.conflict().is_some() {
        return Vec::new();
    }
    let mut commands = Vec::new();
    if let Some(address) = &step.entries.add {
        let mark = Mark { kick: true, ..Mark::new(line.owner) }.comment(b"");
        commands.push(address_list::add(list, address, &mark));
    }
    for carrier in [Carrier::Queue, Carrier::Lease] {
        let spare = step.spare.iter().filter(|(of, _)| *of == carrier).map(|(_, id)| id.clone());
        commands.extend(removal(carrier, &spare.collect::<Vec<ItemId>>()));
    }
    let carrier = step.carrier();
    match &step.action {
        LineAction::Create(written) => commands.push(match carrier {
            Carrier::Queue => queue::make(&to_queue(written)),
            Carrier::Lease => lease::add(&to_lease(written)),
        }),
        LineAction::Change { id, make_static, written, .. } => {
            if *make_static {
                commands.push(lease::make_static(id));
            }
            commands.push(match carrier {
                Carrier::Queue => queue::change(id, &to_queue(written)),
                Carrier::Lease => lease::set(id, &to_lease(written)),
            });
        }
        LineAction::Remove { ids } => commands.extend(removal(carrier, ids)),
        LineAction::Keep { .. } | LineAction::Absent | LineAction::Conflict(_) => {}
    }
    commands.extend(address_list::remove(&step.entries.remove));
    commands
}

fn removal(carrier: Carrier, ids: &[ItemId]) -> Option<Command> {
    match carrier {
        Carrier::Queue => queue::remove(ids),
        Carrier::Lease => lease::remove(ids),
    }
}

fn to_queue(written: &Written) -> queue::Changes {
    let Written { name, address, rate, disabled, comment, .. } = written.clone();
    queue::Changes { name, target: address, limit: rate, disabled, comment }
}

fn to_lease(written: &Written) -> lease::Changes {
    let Written { mac, address, rate, lists, blocked, disabled, comment, .. } = written.clone();
    let rate_limit = rate.map(|rate| rate.to_string());
    lease::Changes { mac, address, rate_limit, address_lists: lists, blocked, disabled, comment }
}
