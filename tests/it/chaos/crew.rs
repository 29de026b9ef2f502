//! Three workers, two servers and the customers who pay, all through one wire, started again as often as they end.

use std::io::{BufRead as _, BufReader};
use std::process::{ChildStdout, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::gateway::Told;
use crate::cli::Isp;
use crate::support::dice::Dice;
use crate::workers::Worker;
use crate::workers_cut::Wire;

/// What each payment at the counter brings: one month.
pub(super) const AMOUNT: i64 = 165_000;
/// How many `isp serve` there are.
pub(super) const SERVERS: usize = 2;

pub(super) struct Crew {
    /// The database through the wire.
    database: String,
    workers: Vec<(Task, Worker)>,
    servers: Servers,
    /// Webhooks on their way.
    sending: Vec<JoinHandle<bool>>,
    restarted: usize,
}

#[derive(Clone, Debug)]
enum Task {
    Run,
    Deliver,
    Serve(usize),
    Pay { customer: String, reference: String },
}

/// Where each server listens, and what it has logged.
#[derive(Clone, Default)]
pub(super) struct Servers(Arc<[Mutex<Listening>; SERVERS]>);

#[derive(Default)]
struct Listening {
    /// The process that is the server now.
    process: u32,
    address: Option<String>,
    did: Did,
    log: String,
}

/// What servers did by themselves.
#[derive(Clone, Copy, Default)]
pub(super) struct Did {
    /// Runs of the day to their end.
    pub(super) runs: usize,
    /// Deliveries that found something.
    pub(super) deliveries: usize,
}

/// What a crew came to.
pub(super) struct Ended {
    /// Who was started again.
    pub(super) restarted: usize,
    pub(super) did: Did,
}

impl Servers {
    /// Where it listens, once it does.
    pub(super) fn address(&self, server: usize) -> Option<String> {
        self.0[server].lock().unwrap().address.clone()
    }

    /// What all have logged that is not as it should be.
    pub(super) fn log(&self) -> String {
        let logs = self.0.iter().enumerate().map(|(at, server)| format!("server {at}\n{}", server.lock().unwrap().log));
        logs.collect()
    }

    /// From now on this process is the server.
    fn hear(&self, server: usize, process: u32, said: ChildStdout) {
        let servers = self.clone();
        {
            let mut now = servers.0[server].lock().unwrap();
            (now.process, now.address) = (process, None);
        }
        std::thread::spawn(move || {
            for line in BufReader::new(said).lines().map_while(Result::ok) {
                let mut server = servers.0[server].lock().unwrap();
                // What one that was killed has said may be read when the next one lives.
                if server.process == process
                    && let Some(address) = line.strip_prefix("Serving on ").and_then(|said| said.split(' ').next())
                {
                    server.address = Some(address.to_owned());
                }
                server.did.runs += usize::from(line.contains(" run of the day "));
                server.did.deliveries += usize::from(line.contains(" delivered "));
                if !line.contains(" INFO ") {
                    server.log += &(line + "\n");
                }
            }
        });
    }
}

impl Crew {
    /// The servers, and the others so much later.
    pub(super) fn start(isp: &Isp, wire: &Wire, payments: &[(String, String)], later: Duration) -> Self {
        let database = format!("postgres://isp@{}/{}", wire.address, super::DATABASE);
        let (servers, sending) = (Servers::default(), Vec::new());
        let mut crew = Self { database, workers: Vec::new(), servers, sending, restarted: 0 };
        crew.join(isp, (0..SERVERS).map(Task::Serve));
        crew.live(isp, later);
        crew.join(isp, [Task::Run, Task::Run, Task::Deliver].into_iter());
        let pay = |(customer, reference): &(String, String)| Task::Pay {
            customer: customer.clone(),
            reference: reference.clone(),
        };
        crew.join(isp, payments.iter().map(pay));
        crew
    }

    fn join(&mut self, isp: &Isp, tasks: impl Iterator<Item = Task>) {
        for task in tasks {
            let worker = self.worker(isp, &task);
            self.workers.push((task, worker));
        }
    }

    fn worker(&self, isp: &Isp, task: &Task) -> Worker {
        let mut command = match task {
            Task::Run => isp.command(&["run", "--approve-all"]),
            Task::Deliver => isp.command(&["deliver"]),
            Task::Serve(_) => isp.command(&["serve"]),
            Task::Pay { customer, reference } => {
                isp.command(&["payment", "add", customer, &AMOUNT.to_string(), "--reference", reference])
            }
        };
        command.env("ISP_DATABASE", &self.database).env_remove("NOTIFY_SOCKET");
        let Task::Serve(server) = task else {
            return Worker(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        };
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        self.servers.hear(*server, process.id(), process.stdout.take().unwrap());
        Worker(process)
    }

    /// One of the workers, whichever that is.
    pub(super) fn one(&self, chance: u64) -> &Worker {
        let at = usize::try_from(chance).unwrap() % self.workers.len();
        &self.workers[at].1
    }

    /// The gateway tells of a payment.
    pub(super) fn tell(&mut self, told: Told, dice: Dice) {
        self.sending.push(told.send(self.servers.clone(), dice));
    }

    /// Tells of a payment until a server has answered with 200, and kills that server at once.
    pub(super) fn kill_who_answers(&mut self, isp: &Isp, told: &Told) {
        let begun = Instant::now();
        loop {
            for at in 0..self.workers.len() {
                let Task::Serve(server) = self.workers[at].0 else { continue };
                if self.servers.address(server).is_some_and(|address| told.post(&address)) {
                    return self.workers[at].1.0.kill().unwrap();
                }
            }
            assert!(begun.elapsed() < Duration::from_secs(120), "no server answers\n{}", self.servers.log());
            self.live(isp, Duration::from_millis(30));
        }
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

    /// Lets them live until it is so.
    pub(super) fn live_until(&mut self, isp: &Isp, what: &str, mut so: impl FnMut(&Self) -> bool) {
        let begun = Instant::now();
        while !so(self) {
            assert!(
                begun.elapsed() < Duration::from_secs(200),
                "it never came to this: {what}\n{}",
                self.servers.log()
            );
            self.live(isp, Duration::from_millis(60));
        }
    }

    /// True when each webhook was answered as often as the gateway sends it.
    pub(super) fn has_told_all(&self) -> bool {
        self.sending.iter().all(JoinHandle::is_finished)
    }

    /// Waits until all have ended, the servers because they are told to.
    pub(super) fn end(self) -> Ended {
        for sent in self.sending {
            assert!(sent.join().unwrap(), "a webhook was never answered\n{}", self.servers.log());
        }
        for (task, worker) in &self.workers {
            if matches!(task, Task::Serve(_)) {
                worker.signal("-TERM");
            }
        }
        let begun = Instant::now();
        for (task, mut worker) in self.workers {
            let code = loop {
                if let Some(status) = worker.0.try_wait().unwrap() {
                    break status.code();
                }
                assert!(begun.elapsed() < Duration::from_secs(120), "{task:?} does not end\n{}", self.servers.log());
                std::thread::sleep(Duration::from_millis(10));
            };
            // One that has not come so far that it listens is ended by the signal itself.
            if let Task::Serve(server) = task
                && self.servers.address(server).is_some()
            {
                assert_eq!(code, Some(0), "server {server} did not end in peace\n{}", self.servers.log());
            }
        }
        let mut did = Did::default();
        for server in self.servers.0.iter().map(|server| server.lock().unwrap().did) {
            did = Did { runs: did.runs + server.runs, deliveries: did.deliveries + server.deliveries };
        }
        Ended { restarted: self.restarted, did }
    }
}
