//! Faults between any two calls: a fuse that all doubles of a test may share.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts the calls through all ports that share it, and makes one of them fail.
///
/// A blown fuse stands for a killed process: every later call fails until [`Fuse::mend`] starts it again.
#[derive(Debug, Clone, Default)]
pub struct Fuse(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    calls: u64,
    blows: Option<(u64, Moment)>,
    blown: bool,
    failing: u32,
    meanwhile: Option<(u64, Other)>,
}

/// What another process does.
struct Other(Box<dyn FnOnce() + Send>);

impl fmt::Debug for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Other")
    }
}

/// When a call dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Moment {
    /// Before it did anything.
    Before,
    /// After its effect, before its answer arrived.
    After,
}

/// A call failed by its fuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Blown;

impl Fuse {
    /// A fuse that holds.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Blows at the `call`-th call from now, counted from 1; all calls after it fail too.
    pub fn blow_at(&self, call: u64, moment: Moment) {
        self.with(|inner| inner.blows = Some((inner.calls + call, moment)));
    }

    /// Makes the next `count` calls fail without effect; those after them go through.
    pub fn fail_next(&self, count: u32) {
        self.with(|inner| inner.failing = count);
    }

    /// Just before the `call`-th call from now, counted from 1, this happens, as if another process did it. Its own calls count.
    pub fn meanwhile(&self, call: u64, other: impl FnOnce() + Send + 'static) {
        self.with(|inner| inner.meanwhile = Some((inner.calls + call, Other(Box::new(other)))));
    }

    /// Starts again after it blew.
    pub fn mend(&self) {
        self.with(|inner| {
            inner.blown = false;
            inner.blows = None;
            inner.failing = 0;
        });
    }

    /// True when it blew and was not mended.
    #[must_use]
    pub fn is_blown(&self) -> bool {
        self.with(|inner| inner.blown)
    }

    /// How many calls were made so far, failed ones included.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.with(|inner| inner.calls)
    }

    /// Runs one call: `Err` when it failed before or after its effect.
    pub(crate) fn run<T>(&self, call: impl FnOnce() -> T) -> Result<T, Blown> {
        let other = self.with(|inner| {
            let next = inner.calls + 1;
            inner.meanwhile.take_if(|(at, _)| *at == next)
        });
        if let Some((_, Other(happens))) = other {
            happens();
        }
        let after = self.with(|inner| {
            inner.calls += 1;
            if inner.blown {
                return Err(Blown);
            }
            if inner.failing > 0 {
                inner.failing -= 1;
                return Err(Blown);
            }
            match inner.blows {
                Some((call, moment)) if call == inner.calls => {
                    inner.blown = true;
                    if moment == Moment::Before { Err(Blown) } else { Ok(true) }
                }
                _ => Ok(false),
            }
        })?;
        let answer = call();
        if after { Err(Blown) } else { Ok(answer) }
    }

    fn with<T>(&self, f: impl FnOnce(&mut Inner) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_blows_once_before_or_after_the_effect() {
        for (moment, done) in [(Moment::Before, 1), (Moment::After, 2)] {
            let fuse = Fuse::new();
            fuse.blow_at(2, moment);
            let mut effects = 0;
            let answers: Vec<bool> = (0..3).map(|_| fuse.run(|| effects += 1).is_ok()).collect();
            assert_eq!((answers.as_slice(), effects), ([true, false, false].as_slice(), done));
            fuse.mend();
            assert!(fuse.run(|| ()).is_ok());
            assert_eq!(fuse.calls(), 4);
        }
    }

    #[test]
    fn another_process_comes_in_between_once() {
        let fuse = Fuse::new();
        let (of_other, done) = (fuse.clone(), Arc::new(Mutex::new(Vec::new())));
        let others = Arc::clone(&done);
        fuse.meanwhile(2, move || of_other.run(|| others.lock().unwrap().push("other")).unwrap());
        for call in ["first", "second", "third"] {
            fuse.run(|| done.lock().unwrap().push(call)).unwrap();
        }
        assert_eq!(*done.lock().unwrap(), ["first", "other", "second", "third"]);
        assert_eq!(fuse.calls(), 4);
    }

    #[test]
    fn it_fails_for_a_while() {
        let fuse = Fuse::new();
        fuse.fail_next(2);
        let answers: Vec<bool> = (0..4).map(|_| fuse.run(|| ()).is_ok()).collect();
        assert_eq!(answers, [false, false, true, true]);
    }
}
