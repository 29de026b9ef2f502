//! The connection to PostgreSQL is cut or stands still while `isp` lives, at several moments of a run, a delivery and a payment:
//! nothing happens twice, it is told in words with the exit code of a database that is away, and the next run mends it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;

use crate::database::server;
use crate::workers::{BEYOND_THE_LEASE, FEBRUARY, ISOLATED, Kept, LINES, Worker, Workers, cut};

/// Nothing is cut.
const NEVER: usize = usize::MAX;

/// What lies between a program and its PostgreSQL.
#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    /// After so many packets from the program the wire is cut, and nothing gets through any more.
    left: AtomicUsize,
    /// Held while nothing moves, and nobody is told.
    moves: Mutex<()>,
    open: Mutex<Vec<(TcpStream, UnixStream)>>,
    /// Connections that were made before so many of them were forgotten: nothing of theirs gets through, and no end is told.
    forgotten: AtomicUsize,
    made: AtomicUsize,
}

impl Wire {
    /// A wire to the tests' server.
    fn new() -> Self {
        Self::to(&server())
    }

    /// A wire to the server of this address.
    pub(crate) fn to(server: &str) -> Self {
        let options: PgConnectOptions = server.parse().unwrap();
        let folder = options.get_socket().map_or_else(|| options.get_host().into(), Clone::clone);
        let socket = folder.join(format!(".s.PGSQL.{}", options.get_port()));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (forgotten, made) = (AtomicUsize::default(), AtomicUsize::default());
        let state =
            State { left: AtomicUsize::new(NEVER), moves: Mutex::default(), open: Mutex::default(), forgotten, made };
        let state = Arc::new(state);
        let of_wire = Arc::clone(&state);
        std::thread::spawn(move || {
            for program in listener.incoming().map_while(Result::ok) {
                if of_wire.left.load(Ordering::SeqCst) == 0 {
                    continue;
                }
                let Ok(database) = UnixStream::connect(&socket) else { continue };
                let (from_program, from_database) = (program.try_clone().unwrap(), database.try_clone().unwrap());
                of_wire.open.lock().unwrap().push((program.try_clone().unwrap(), database.try_clone().unwrap()));
                let (ahead, back) = (Arc::clone(&of_wire), Arc::clone(&of_wire));
                let number = of_wire.made.fetch_add(1, Ordering::SeqCst);
                let ends = || Ends(program.try_clone().unwrap(), database.try_clone().unwrap());
                let (of_ahead, of_back) = (ends(), ends());
                std::thread::spawn(move || {
                    of_ahead.after(&ahead, number, || ahead.carry(from_program, database, number, true))
                });
                std::thread::spawn(move || {
                    of_back.after(&back, number, || back.carry(from_database, program, number, false))
                });
            }
        });
        Self { address, state }
    }

    /// The database of a provider through this wire.
    fn url(&self, w: &Workers) -> String {
        let options: PgConnectOptions = server().parse().unwrap();
        format!("postgres://{}@{}/{}", options.get_username(), self.address, w.database.as_deref().unwrap())
    }

    /// Cuts it, at once or after so many packets of the program.
    pub(crate) fn cut_after(&self, packets: usize) {
        self.state.left.store(packets, Ordering::SeqCst);
        if packets == 0 {
            self.state.cut();
        }
    }

    pub(crate) fn mend(&self) {
        self.state.left.store(NEVER, Ordering::SeqCst);
    }

    /// Nothing of the connections that are open gets through any more, and their end is told to nobody. New ones are made as ever.
    fn forget(&self) {
        self.state.forgotten.store(self.state.made.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    /// Nothing moves while this is held, and nobody is told.
    pub(crate) fn hold(&self) -> MutexGuard<'_, ()> {
        self.state.moves.lock().unwrap()
    }

    /// `isp` through this wire.
    fn start(&self, w: &Workers, words: &[&str]) -> Worker {
        let mut command = w.stage.isp.command(words);
        command.env("ISP_DATABASE", self.url(w)).env("ISP_WORKER__PAGE", "1").env("ISP_LANGUAGE", "en");
        Worker(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
    }
}

/// Both ends of one connection. Where one is closed, the other is told.
struct Ends(TcpStream, UnixStream);

impl Ends {
    fn after(self, state: &State, number: usize, carry: impl FnOnce()) {
        carry();
        if state.forgets(number) {
            return;
        }
        let _ = self.0.shutdown(Shutdown::Both);
        let _ = self.1.shutdown(Shutdown::Both);
    }
}

impl State {
    fn carry(&self, mut from: impl Read, mut to: impl Write, number: usize, counted: bool) {
        let mut packet = vec![0; 64 * 1_024];
        while let Ok(read @ 1..) = from.read(&mut packet) {
            drop(self.moves.lock().unwrap());
            if self.forgets(number) {
                continue;
            }
            if counted {
                let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| match left {
                    NEVER => None,
                    left => Some(left.saturating_sub(1)),
                });
                if left.is_ok_and(|left| left <= 1) {
                    self.cut();
                    break;
                }
            }
            if to.write_all(&packet[..read]).is_err() {
                break;
            }
        }
    }

    fn forgets(&self, number: usize) -> bool {
        number < self.forgotten.load(Ordering::SeqCst)
    }

    fn cut(&self) {
        for (program, database) in self.open.lock().unwrap().drain(..) {
            let _ = program.shutdown(Shutdown::Both);
            let _ = database.shutdown(Shutdown::Both);
        }
    }
}

/// Cut in the middle of billing: the run says so, and the next one bills the rest, each line once.
#[test]
fn a_run_that_is_cut_off_while_it_bills_is_told_and_the_next_one_mends_it() {
    let (w, wire) = (Workers::new(Kept::Postgres), Wire::new());
    w.bill_slowly();
    let first = wire.start(&w, &[FEBRUARY, &["run"]].concat());
    w.until("some are billed", || w.invoices() > LINES + 1);
    wire.cut_after(0);
    let (code, said) = first.end_saying();
    assert!(code == 6 && said.contains("store.unavailable"), "{code} {said}");
    let billed = w.invoices();
    assert!(billed < 2 * LINES, "it was too fast to be cut in the middle");
    // While it is cut, nobody comes through, and that is told, too.
    let (code, said) = wire.start(&w, &[FEBRUARY, &["run"]].concat()).end_saying();
    assert!(code == 6 && said.contains("store.unavailable"), "{code} {said}");
    wire.mend();
    std::thread::sleep(BEYOND_THE_LEASE);
    let (code, said) = wire.start(&w, &[FEBRUARY, &["run"]].concat()).end_saying();
    assert!(matches!(code, 0 | 5), "{code} {said}");
    assert_eq!(w.invoices(), 2 * LINES);
}

/// The wire stands still for longer than the lease, without a word. Another run does the work meanwhile, or is told that a transaction
/// holds it up; when the wire moves again, nothing is billed twice, whoever has the right to go on.
#[test]
fn a_run_whose_wire_stands_still_bills_nothing_twice() {
    let (w, wire) = (Workers::new(Kept::Postgres), Wire::new());
    w.bill_slowly();
    let first = wire.start(&w, &[FEBRUARY, &["run"]].concat());
    w.until("some are billed", || w.invoices() > LINES + 1);
    let held = wire.hold();
    std::thread::sleep(BEYOND_THE_LEASE);
    let (code, said) = w.start_billing().end_saying();
    drop(held);
    assert!(matches!(code, 0 | 5) || code == 6 && said.contains("store.held"), "{code} {said}");
    let whole = w.invoices() == 2 * LINES;
    assert_eq!(whole, code != 6, "{said}");
    let (code, said) = first.end_saying();
    assert!(matches!(code, 0 | 5) || matches!(code, 6 | 8) && said.contains("[store."), "{code} {said}");
    w.stage.isp.exit_any(&[0, 5], &[FEBRUARY, &["run"]].concat());
    assert_eq!(w.invoices(), 2 * LINES);
}

/// Cut with messages under way: what became of them is unknown or recorded, and none goes out twice.
#[test]
fn a_delivery_that_is_cut_off_sends_nothing_again() {
    for messages in [1, 4] {
        let (w, wire) = (Workers::new(Kept::Postgres), Wire::new());
        w.isolate();
        w.stage.isp.ok(&[ISOLATED, &["router", "apply", "--approve"]].concat());
        let already = w.told();
        w.stage.whatsapp.answer_after(Duration::from_millis(300));
        let first = wire.start(&w, &[ISOLATED, &["deliver"]].concat());
        w.until("messages are under way", || w.told() >= already + messages);
        wire.cut_after(0);
        let (code, said) = first.end_saying();
        assert!(code == 6 && said.contains("store.unavailable"), "{code} {said}");
        w.all_is_well(&format!("cut off with {messages} under way"));
    }
}

/// A payment is cut off after each few packets. Said again, it is booked once, whether the first was or not.
#[test]
fn a_payment_that_is_cut_off_anywhere_is_booked_once() {
    let (w, wire) = (Workers::new(Kept::Postgres), Wire::new());
    let (mut ended, mut refused) = (0, 0);
    for packets in (1..400).step_by(7) {
        let reference = format!("T-{packets}");
        let pay = [ISOLATED, &["payment", "add", "P001", "50000", "--reference", &reference]].concat();
        wire.cut_after(packets);
        let (code, said) = wire.start(&w, &pay).end_saying();
        assert!(code == 0 || code == 6 && said.contains("store.unavailable"), "{packets}: {code} {said}");
        wire.mend();
        w.stage.isp.ok(&pay);
        let list = w.stage.isp.json(&["payment", "list"]);
        let booked = list.as_array().unwrap().iter().filter(|row| row["reference"] == reference.as_str()).count();
        assert_eq!(booked, 1, "{packets}");
        (ended, refused) = (ended + usize::from(code == 0), refused + usize::from(code == 6));
        if ended == 3 {
            break;
        }
    }
    assert!(ended == 3 && refused > 3, "cut {refused} times, {ended} came through");
    let sound = w.stage.isp.run(&["--format", "json", "doctor", "--offline"]);
    let found = String::from_utf8(sound.stdout).unwrap();
    assert!(!["ledger.", "invoice.", "payment."].iter().any(|kind| found.contains(kind)), "{found}");
}

/// The server was killed and is there again, or what lies between has forgotten one connection of many: new ones are made, and the old
/// ones are never answered. A run in its middle ends in words, long before the longest statement would.
#[test]
fn a_connection_that_alone_is_dead_is_told_in_bounded_time() {
    let (w, wire) = (Workers::new(Kept::Postgres), Wire::new());
    w.bill_slowly();
    let run = wire.start(&w, &[FEBRUARY, &["run"]].concat());
    w.until("some are billed", || w.invoices() > LINES + 1);
    wire.forget();
    w.stage.runtime.block_on(cut(w.database.as_deref().unwrap()));
    let begun = std::time::Instant::now();
    let (code, said) = run.end_saying();
    assert!(code == 6 && said.contains("store.unavailable"), "{code} {said}");
    assert!(begun.elapsed() < Duration::from_secs(90), "{:?}", begun.elapsed());
    std::thread::sleep(BEYOND_THE_LEASE);
    w.stage.isp.exit_any(&[0, 5], &[FEBRUARY, &["run"]].concat());
    assert_eq!(w.invoices(), 2 * LINES);
}

/// The wire stands still for ever, and nobody is told: a run in its middle, a payment that begins and one that is under way end in
/// words all the same.
#[test]
fn a_wire_that_never_moves_again_is_told_in_bounded_time() {
    let (w, wire) = (Workers::new(Kept::Postgres), Wire::new());
    w.bill_slowly();
    let pay = [ISOLATED, &["payment", "add", "P001", "50000", "--reference", "T-1"]].concat();
    let run = wire.start(&w, &[FEBRUARY, &["run"]].concat());
    w.until("some are billed", || w.invoices() > LINES + 1);
    let under_way = wire.start(&w, &pay);
    std::thread::sleep(Duration::from_millis(30));
    let held = wire.hold();
    let begun = std::time::Instant::now();
    let begins = wire.start(&w, &pay);
    for (what, worker) in [("run", run), ("payment under way", under_way), ("payment", begins)] {
        let (code, said) = worker.end_saying();
        assert!(begun.elapsed() < Duration::from_secs(150), "{what}: {:?}", begun.elapsed());
        let was_over = what == "payment under way" && code == 0;
        assert!(was_over || code == 6 && said.contains("store.unavailable"), "{what}: {code} {said}");
    }
    drop(held);
    wire.state.cut();
    std::thread::sleep(BEYOND_THE_LEASE);
    w.stage.isp.exit_any(&[0, 5], &[FEBRUARY, &["run"]].concat());
    assert_eq!(w.invoices(), 2 * LINES);
}
