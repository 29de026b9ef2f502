//! A simulator that belongs to the process that started it.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyList;
use tokio::runtime::EnterGuard;

use crate::convert::Writer;
use crate::error::simulator;
use crate::runtime;

/// A running simulator, until it is closed.
pub(super) struct Held<S> {
    process: u32,
    inner: Mutex<Option<S>>,
}

impl<S> Held<S> {
    /// Starts it, and holds it for this process.
    pub(super) fn start<F>(py: Python<'_>, start: F) -> PyResult<Self>
    where
        F: Future<Output = io::Result<S>> + Send + 'static,
        S: Send + 'static,
    {
        let simulator = runtime::wait(py, start)?.map_err(no_port)?;
        Ok(Self { process: std::process::id(), inner: Mutex::new(Some(simulator)) })
    }

    /// Uses it, within the runtime that it runs on.
    pub(super) fn with<T>(&self, py: Python<'_>, use_it: impl FnOnce(&mut S) -> PyResult<T>) -> PyResult<T> {
        let (mut held, _entered) = self.enter(py)?;
        use_it(held.as_mut().ok_or_else(closed)?)
    }

    /// A list of what it has, one record each.
    pub(super) fn list<'py, T>(
        &self,
        py: Python<'py>,
        look: impl FnOnce(&S) -> Vec<T>,
        write: impl Fn(&T, &Writer<'py>) -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let items = self.with(py, |simulator| Ok(look(simulator)))?;
        let writer = Writer::new(py)?;
        let rows: Vec<_> = items.iter().map(|item| write(item, &writer)).collect::<PyResult<_>>()?;
        PyList::new(py, rows)
    }

    /// Takes it out, for work that has to wait; put it back with [`Held::put`].
    pub(super) fn take(&self, py: Python<'_>) -> PyResult<S> {
        self.enter(py)?.0.take().ok_or_else(closed)
    }

    /// Puts it back.
    pub(super) fn put(&self, simulator: S) {
        *self.inner.lock().unwrap_or_else(PoisonError::into_inner) = Some(simulator);
    }

    /// Stops it. Doing so twice does no harm.
    pub(super) fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.enter(py)?.0.take();
        Ok(())
    }

    fn enter(&self, py: Python<'_>) -> PyResult<(MutexGuard<'_, Option<S>>, EnterGuard<'static>)> {
        if self.process != std::process::id() {
            return Err(simulator("simulator.other_process", "the simulator runs in the process that was forked"));
        }
        let entered = runtime::runtime(py)?.enter();
        Ok((self.inner.lock().unwrap_or_else(PoisonError::into_inner), entered))
    }
}

impl<S> Drop for Held<S> {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            // Its tasks are not in this process; to stop them here could wait for a lock that nobody holds any more.
            std::mem::forget(self.inner.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}

/// The port could not be opened.
pub(super) fn no_port(reason: io::Error) -> PyErr {
    simulator("simulator.port", reason)
}

/// There is no fault of this name.
pub(super) fn no_fault() -> PyErr {
    simulator("simulator.fault", "the simulator has no such fault")
}

fn closed() -> PyErr {
    simulator("simulator.closed", "the simulator is closed")
}
