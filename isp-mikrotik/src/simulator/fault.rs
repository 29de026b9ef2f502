//! What can be made to go wrong.

use std::time::Duration;

/// A fault and when it strikes.
#[derive(Debug, Clone)]
pub struct Fault {
    pub(super) kind: FaultKind,
    pub(super) path: Option<String>,
    pub(super) skip: usize,
    pub(super) times: usize,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// The reply comes this much later; other commands go on.
    Latency(Duration),
    /// The reply leaves in pieces of this many bytes.
    Segments(usize),
    /// The rows of the reply leave one by one, this far apart.
    SlowTable(Duration),
    /// The command takes effect, but only this many bytes of the reply leave before the connection closes.
    CutReply(usize),
    /// The connection closes before the command takes effect.
    CutRequest,
    /// The command takes effect and the connection closes without a reply.
    ReplyLost,
    /// The command has no effect and is never answered; `/cancel` works.
    Hang,
    /// The command takes effect and is never answered; `/cancel` works.
    HangAfterEffect,
    /// From here on the connection is never answered at all.
    Freeze,
    /// The command has no effect and is answered with this error.
    Trap(String),
    /// The command has no effect and is answered as if it had, as where a script changes it back at once.
    Ignored,
    /// The connection ends with `!fatal` and this text.
    Fatal(String),
    /// The router restarts: every connection and every session ends, and for this long it refuses connections.
    Reboot(Duration),
    /// The connection ends, and for this long every new one is closed at once, as when all of the service's sessions
    /// are taken.
    SessionLimit(Duration),
    /// A print leaves out this many of its last rows and says nothing about it, as seen on overloaded routers.
    ShortTable(usize),
    /// The reply is a reserved control byte.
    Garbage,
}

impl FaultKind {
    /// Whether it concerns a reply that has an end, which that of `listen` has not.
    pub(super) fn delays_or_shortens(&self) -> bool {
        use FaultKind::{Latency, Segments, ShortTable, SlowTable};
        matches!(self, Latency(_) | Segments(_) | SlowTable(_) | ShortTable(_))
    }
}

impl Fault {
    /// Strikes the next command, once.
    pub fn new(kind: FaultKind) -> Fault {
        Fault { kind, path: None, skip: 0, times: 1 }
    }

    /// Strikes only commands whose path begins with this.
    #[must_use]
    pub fn on(mut self, path: &str) -> Fault {
        self.path = Some(path.to_owned());
        self
    }

    /// Lets this many matching commands pass first.
    #[must_use]
    pub fn after(mut self, count: usize) -> Fault {
        self.skip = count;
        self
    }

    /// Strikes this many times.
    #[must_use]
    pub fn times(mut self, count: usize) -> Fault {
        self.times = count;
        self
    }

    /// Strikes until the faults are cleared.
    #[must_use]
    pub fn always(self) -> Fault {
        self.times(usize::MAX)
    }
}

/// Finds the fault that strikes this command, and uses it up.
pub(super) fn strike(faults: &mut Vec<Fault>, path: &str) -> Option<FaultKind> {
    for at in 0..faults.len() {
        let Some(fault) = faults.get_mut(at) else { continue };
        if fault.path.as_ref().is_some_and(|wanted| !path.starts_with(wanted.as_str())) {
            continue;
        }
        if fault.skip > 0 {
            fault.skip -= 1;
            continue;
        }
        let kind = fault.kind.clone();
        if fault.times != usize::MAX {
            fault.times = fault.times.saturating_sub(1);
        }
        if fault.times == 0 {
            faults.remove(at);
        }
        return Some(kind);
    }
    None
}
