//! How much the client costs, beside a raw socket loop in the same run: `cargo bench -p isp-mikrotik --bench wire`.
//!
//! A second process answers each command with `!done` at once. Figures of one machine mean little; the ratios between
//! lines of one run are what the README claims.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::float_arithmetic)]

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};

use isp_mikrotik::proto::word::put_word;
use isp_mikrotik::proto::{Command, Decoder, Sentence};
use isp_mikrotik::{Client, ConnectOptions};

const SEQUENTIAL: usize = 5_000;
const PIPELINED: usize = 100_000;
const ROUNDS: usize = 7;

fn main() {
    if std::env::args().any(|arg| arg == "--serve") {
        return serve();
    }
    // One measurement against a server that runs already, for benches/peers.
    let args: Vec<String> = std::env::args().collect();
    if let [_, flag, address, window, count, tasks] = args.as_slice()
        && flag == "--client"
    {
        let (window, count) = (window.parse().unwrap(), count.parse().unwrap());
        return println!("{:.0}", client(address.parse().unwrap(), window, count, Tasks::named(tasks)).per_second);
    }
    let (mut child, address) = start_server();
    // What is measured. Before ours stand two raw loops with as many commands in flight: one sleeps until the socket has
    // something, the other looks until it has.
    let mut table: Vec<(String, Run, Option<usize>)> = Vec::new();
    for (window, count) in [(1, SEQUENTIAL), (8, PIPELINED), (16, PIPELINED), (64, PIPELINED)] {
        let raw = table.len();
        for (name, awake) in [("raw socket", false), ("raw socket, awake", true)] {
            let name = format!("window {window}: {name}");
            table.push((name, Box::new(move || raw_window(address, window, count, awake)), None));
        }
        let callers = if window == 64 { &Tasks::ALL[..] } else { &Tasks::ALL[..3] };
        for tasks in callers {
            let name = format!("  isp-mikrotik{}", tasks.name());
            table.push((name, Box::new(move || client(address, window, count, *tasks)), Some(raw)));
        }
    }
    table.push(("no window: raw socket".to_owned(), Box::new(move || raw_stream(address)), None));
    let before = Busy::now(child.id());
    // Everything in each round, so that what else the machine does meets both sides of a ratio.
    let rounds: Vec<Vec<Measured>> = (0..ROUNDS).map(|_| table.iter().map(|(_, run, _)| run()).collect()).collect();
    let others = Busy::now(child.id()).others_since(&before);
    println!("{:<38}{:>12}{:>9}{:>11}{:>12}{:>12}", "", "commands/s", "of raw", "of awake", "of stream", "CPU us/cmd");
    for (at, (name, _, raw)) in table.iter().enumerate() {
        let of = |value: &dyn Fn(&Vec<Measured>) -> f64| median(rounds.iter().map(value).collect());
        let ratio = |to: usize| format!("{:.2}", of(&|round| round[at].per_second / round[to].per_second));
        let [beside, awake, stream] =
            raw.map_or_else(Default::default, |raw| [ratio(raw), ratio(raw + 1), ratio(table.len() - 1)]);
        let (speed, cpu) = (of(&|round| round[at].per_second), of(&|round| round[at].cpu_micros));
        println!("{name:<38}{speed:>12.0}{beside:>9}{awake:>11}{stream:>12}{cpu:>12.2}");
    }
    println!("medians of {ROUNDS} rounds; meanwhile other programs used {:.1} of the processors", others);
    decode();
    child.kill().unwrap();
    child.wait().unwrap();
}

/// One of the things compared.
type Run = Box<dyn Fn() -> Measured>;

/// Who calls, and on which runtime.
#[derive(Clone, Copy, PartialEq)]
enum Tasks {
    /// One task on a runtime of one thread.
    One,
    /// One task, spawned on a runtime of many threads, as a service does it.
    Threads,
    /// The main function of a runtime of many threads, which is on none of them: each reply has to cross over.
    Main,
    /// As many tasks as there are places in the window, one command at a time each, on one thread.
    Callers,
    /// The same on many threads.
    CallersThreads,
}

impl Tasks {
    const ALL: [Tasks; 5] = [Tasks::One, Tasks::Threads, Tasks::Main, Tasks::Callers, Tasks::CallersThreads];

    fn name(self) -> &'static str {
        match self {
            Tasks::One => "",
            Tasks::Threads => ", threads",
            Tasks::Main => ", threads, main",
            Tasks::Callers => ", 64 callers",
            Tasks::CallersThreads => ", 64 callers, threads",
        }
    }

    fn named(name: &str) -> Tasks {
        match name {
            "single" => Tasks::One,
            "threads" => Tasks::Threads,
            "main" => Tasks::Main,
            other => panic!("single, threads or main, not {other}"),
        }
    }
}

struct Measured {
    per_second: f64,
    cpu_micros: f64,
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn measure(count: usize, work: impl FnOnce()) -> Measured {
    let (cpu, started) = (ticks("self"), Instant::now());
    work();
    let (elapsed, cpu) = (started.elapsed(), ticks("self").saturating_sub(cpu));
    Measured { per_second: count as f64 / elapsed.as_secs_f64(), cpu_micros: cpu as f64 * 1e4 / count as f64 }
}

/// User and system time of a process, in the ticks of /proc (10 ms each); zero where there is none.
fn ticks(process: &str) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<u64>().ok()).sum()
}

/// What all processors did, and what of it was ours.
struct Busy {
    all: u64,
    ours: u64,
    server: u32,
    at: Instant,
}

impl Busy {
    fn now(server: u32) -> Busy {
        let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
        // user, nice, system, and after idle and iowait: irq, softirq, steal.
        let columns = stat.lines().next().unwrap_or_default().split_whitespace().skip(1).enumerate();
        let all = columns.filter(|(at, _)| [0, 1, 2, 5, 6, 7].contains(at)).filter_map(|(_, n)| n.parse::<u64>().ok());
        Busy { all: all.sum(), ours: ticks("self") + ticks(&server.to_string()), server, at: Instant::now() }
    }

    /// How many processors others kept busy.
    fn others_since(&self, before: &Busy) -> f64 {
        debug_assert_eq!(self.server, before.server);
        let others = (self.all - before.all).saturating_sub(self.ours - before.ours);
        others as f64 / 100.0 / self.at.duration_since(before.at).as_secs_f64()
    }
}

fn add(number: usize) -> Command {
    Command::new("/ppp/secret/add")
        .arg("name", format!("081234{number:06}"))
        .arg("password", "rahasia123")
        .arg("service", "pppoe")
        .arg("profile", "10M")
        .arg("comment", "isp:4f1a09c2be77")
}

fn raw_sentence(number: usize) -> Vec<u8> {
    let mut out = Vec::new();
    add(number).words().for_each(|word| put_word(&mut out, word));
    put_word(&mut out, format!(".tag={number}").as_bytes());
    out.push(0);
    out
}

/// As many commands in flight as the client has, and sent as the client sends them: when as many are free as are on
/// their way.
fn raw_window(address: SocketAddr, window: usize, count: usize, awake: bool) -> Measured {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_nonblocking(awake).unwrap();
    let sentences: Vec<_> = (0..count).map(raw_sentence).collect();
    let (mut buffer, mut out, mut replies) = (vec![0_u8; 64 << 10], Vec::new(), Replies::default());
    measure(count, || {
        let mut sent = 0;
        while replies.done < count {
            let open = sent - replies.done;
            if sent < count && window - open >= open {
                out.clear();
                let until = count.min(sent + window - open);
                sentences[sent..until].iter().for_each(|sentence| out.extend_from_slice(sentence));
                stream.write_all(&out).unwrap();
                sent = until;
            }
            let read = loop {
                match stream.read(&mut buffer) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => std::hint::spin_loop(),
                    read => break read.unwrap(),
                }
            };
            replies.take(&buffer[..read]);
        }
    })
}

/// No window at all: one thread writes as fast as the socket takes it, the other reads.
fn raw_stream(address: SocketAddr) -> Measured {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut reader = stream.try_clone().unwrap();
    let bytes: Vec<u8> = (0..PIPELINED).flat_map(raw_sentence).collect();
    let (mut buffer, mut replies) = (vec![0_u8; 64 << 10], Replies::default());
    measure(PIPELINED, || {
        let writer =
            std::thread::spawn(move || bytes.chunks(64 << 10).for_each(|piece| stream.write_all(piece).unwrap()));
        while replies.done < PIPELINED {
            let read = reader.read(&mut buffer).unwrap();
            replies.take(&buffer[..read]);
        }
        writer.join().unwrap();
    })
}

/// Finds each `!done` in what the server says, where all words are short.
#[derive(Default)]
struct Replies {
    done: usize,
    begun: Vec<u8>,
}

impl Replies {
    fn take(&mut self, bytes: &[u8]) {
        self.begun.extend_from_slice(bytes);
        let (mut start, mut at) = (0, 0);
        while let Some(&len) = self.begun.get(at) {
            at += 1 + usize::from(len);
            if len == 0 {
                assert!(self.begun[start..].starts_with(b"\x05!done"));
                self.done += 1;
                start = at;
            }
        }
        self.begun.drain(..start);
    }
}

fn client(address: SocketAddr, window: usize, count: usize, tasks: Tasks) -> Measured {
    let runtime = match tasks {
        Tasks::One | Tasks::Callers => tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
        _ => tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap(),
    };
    let options = ConnectOptions::new(address.to_string(), "api", "x".to_owned().into()).window(window);
    let client = runtime.block_on(Client::connect(options)).unwrap();
    let commands: Vec<_> = (0..count).map(add).collect();
    let work = async move {
        match (tasks, window) {
            (Tasks::Callers | Tasks::CallersThreads, _) => {
                let mut callers = Vec::new();
                for commands in commands.chunks(count.div_ceil(window)).map(<[Command]>::to_vec) {
                    let client = client.clone();
                    callers.push(tokio::spawn(async move {
                        for command in &commands {
                            client.call(command).await.unwrap();
                        }
                    }));
                }
                for caller in callers {
                    caller.await.unwrap();
                }
            }
            (_, 1) => {
                for command in &commands {
                    client.call(command).await.unwrap();
                }
            }
            _ => assert!(client.call_all(&commands).await.iter().all(Result::is_ok)),
        }
    };
    measure(count, || match tasks {
        Tasks::Threads => runtime.block_on(async { tokio::spawn(work).await.unwrap() }),
        _ => runtime.block_on(work),
    })
}

/// Cuts a print of 10,000 accounts into rows and reads three values of each.
fn decode() {
    let mut bytes = Vec::new();
    for number in 0..10_000 {
        for word in [
            "!re".to_owned(),
            ".tag=7".to_owned(),
            format!("=.id=*{number:X}"),
            format!("=name=081234{number:06}"),
            "=password=rahasia123".to_owned(),
            "=service=pppoe".to_owned(),
            "=profile=10M".to_owned(),
            "=disabled=false".to_owned(),
            "=comment=isp:4f1a09c2be77 Pak Budi, rumah cat hijau, dekat masjid".to_owned(),
        ] {
            put_word(&mut bytes, word.as_bytes());
        }
        bytes.push(0);
    }
    let mut fastest = Duration::MAX;
    for _ in 0..20 {
        let started = Instant::now();
        let mut decoder = Decoder::default();
        let mut rows: Vec<Sentence> = Vec::new();
        for piece in bytes.chunks(64 << 10) {
            decoder.feed(piece);
            while let Some(row) = decoder.next_sentence().unwrap() {
                rows.push(row);
            }
        }
        let values = rows.iter().filter(|row| row.value("name").is_some() && row.value("comment").is_some()).count();
        assert_eq!(values, 10_000);
        fastest = fastest.min(started.elapsed());
    }
    let rate = bytes.len() as f64 / 1e6 / fastest.as_secs_f64();
    println!("decoding 10,000 rows ({} kB): {rate:.0} MB/s", bytes.len() / 1000);
}

fn start_server() -> (Child, SocketAddr) {
    let mut child =
        Process::new(std::env::current_exe().unwrap()).arg("--serve").stdout(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    (child, first.trim().parse().unwrap())
}

/// Answers every sentence with `!done` and its tag.
fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap());
    std::io::stdout().flush().unwrap();
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        std::thread::spawn(move || {
            stream.set_nodelay(true).unwrap();
            let mut buffer = vec![0_u8; 64 << 10];
            let mut decoder = Decoder::default();
            let mut out = Vec::new();
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                decoder.feed(&buffer[..count]);
                out.clear();
                while let Ok(Some(sentence)) = decoder.next_sentence() {
                    put_word(&mut out, b"!done");
                    if let Some(word) = sentence.words().find(|word| word.starts_with(b".tag=")) {
                        put_word(&mut out, word);
                    }
                    out.push(0);
                }
                if stream.write_all(&out).is_err() {
                    return;
                }
            }
        });
    }
}
