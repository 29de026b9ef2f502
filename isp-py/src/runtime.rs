//! The tokio runtime of this process, and waiting for its work without keeping the interpreter.
//!
//! Odoo forks its workers after the import, and a runtime does not survive a fork: its threads are not in the child.
//! So one is made at the first call in the process that uses it. The cell is locked by threads that are attached to
//! the interpreter only; `os.fork` is called by such a thread too, hence never while another one holds the lock.

use std::future::Future;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};

/// How long a Ctrl-C may wait to be noticed.
const TICK: Duration = Duration::from_millis(50);

/// A thread's stack is virtual memory, which Odoo limits for its workers.
const STACK: usize = 1 << 20;

static OF_PROCESS: Mutex<Option<(u32, &'static Runtime)>> = Mutex::new(None);

/// The runtime of this process, made when it is first needed.
pub(crate) fn runtime(_attached: Python<'_>) -> PyResult<&'static Runtime> {
    let mut held = OF_PROCESS.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    if let Some((owner, runtime)) = *held
        && owner == process
    {
        return Ok(runtime);
    }
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(4)
        .thread_stack_size(STACK)
        .thread_name("isp-engine")
        .enable_all()
        .build()
        .map_err(|error| PyRuntimeError::new_err(format!("no runtime: {error}")))?;
    // It lives as long as its process. One inherited by a fork is left alone: to drop it would join threads that are
    // not there.
    let runtime: &'static Runtime = Box::leak(Box::new(runtime));
    *held = Some((process, runtime));
    Ok(runtime)
}

/// Runs this on the runtime and waits for it, detached from the interpreter. A signal whose handler raises, such as
/// Ctrl-C, ends the work and is raised.
pub(crate) fn wait<T: Send + 'static>(py: Python<'_>, work: impl Future<Output = T> + Send + 'static) -> PyResult<T> {
    let (sender, mut receiver) = mpsc::sync_channel(1);
    let task = runtime(py)?.spawn(async move {
        // The receiver is gone only when a signal was raised, which nobody waits out.
        let _ = sender.send(work.await);
    });
    loop {
        let got;
        (receiver, got) = py.detach(move || {
            let got = receiver.recv_timeout(TICK);
            (receiver, got)
        });
        match got {
            Ok(answer) => return Ok(answer),
            Err(RecvTimeoutError::Timeout) => py.check_signals().inspect_err(|_| task.abort())?,
            Err(RecvTimeoutError::Disconnected) => return Err(PyRuntimeError::new_err("the work broke off")),
        }
    }
}
