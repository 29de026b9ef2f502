//! Three workers and the customers who pay, all through one wire, started again as often as they end.

use std::process::Stdio;
use std::time::{Duration, Instant};

use isp_core::calendar::Date;

use crate::cli::Isp;
use crate::workers::Worker;
use crate::workers_cut::Wire;

/// What each payment brings: one month.
pub(super) const AMOUNT: &str = "165000";

pub(super) struct Crew {
    /// The database through the wire.
    database: String,
    day: Date,
    workers: Vec<(Task, Worker)>,
    restarted: usize,
}

#[derive(Clone, Debug)]
enum Task {
    Run,
    Deliver,
    Pay { customer: String, reference: String },
}

impl Crew {
    pub(super) fn start(isp: &Isp, wire: &Wire, day: Date, payments: &[(String, String)]) -> Self {
        let database = format!("postgres://isp@{}/{}", wire.address, super::DATABASE);
        let mut crew = Self { database, day, workers: Vec::new(), restarted: 0 };
        let pay = |(customer, reference): &(String, String)| Task::Pay {
            customer: customer.clone(),
            reference: reference.clone(),
        };
        for task in [Task::Run, Task::Run, Task::Deliver].into_iter().chain(payments.iter().map(pay)) {
            let worker = crew.worker(isp, &task);
            crew.workers.push((task, worker));
        }
        crew
    }

    fn worker(&self, isp: &Isp, task: &Task) -> Worker {
        let day = self.day.to_string();
        let at = ["--on", &day, "--at", "13:00"];
        let mut command = match task {
            Task::Run => isp.command(&[&at[..], &["run", "--approve-all"]].concat()),
            Task::Deliver => isp.command(&[&at[..], &["deliver"]].concat()),
            Task::Pay { customer, reference } => {
                let pay = ["payment", "add", customer, AMOUNT, "--reference", reference];
                isp.command(&[&at[..], &pay[..]].concat())
            }
        };
        command.env("ISP_DATABASE", &self.database);
        Worker(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// One of the workers, whichever that is.
    pub(super) fn one(&self, chance: u64) -> &Worker {
        let at = usize::try_from(chance).unwrap() % self.workers.len();
        &self.workers[at].1
    }

    /// Lets them live for a while. Who has ended is started again.
    pub(super) fn live(&mut self, isp: &Isp, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            for at in 0..self.workers.len() {
                if self.workers[at].1.0.try_wait().unwrap().is_some() {
                    let task = self.workers[at].0.clone();
                    self.workers[at].1 = self.worker(isp, &task);
                    self.restarted += 1;
                }
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Waits until all have ended; how many were started again meanwhile.
    pub(super) fn end(self) -> usize {
        let begun = Instant::now();
        for (task, mut worker) in self.workers {
            while worker.0.try_wait().unwrap().is_none() {
                assert!(begun.elapsed() < Duration::from_secs(120), "{task:?} does not end");
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        self.restarted
    }
}
