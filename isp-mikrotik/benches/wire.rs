//! How much the client costs, beside a raw socket loop in the same run: `cargo bench -p isp-mikrotik --bench wire`.
//!
//! A second process answers each command with `!done` at once. Figures of one machine mean little; the ratios between
//! lines of one run are what the README claims.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::float_arithmetic)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};

use isp_mikrotik::proto::word::put_word;
use isp_mikrotik::proto::{Command, Decoder, Sentence};
use isp_mikrotik::{Client, ConnectOptions};

const SEQUENTIAL: usize = 20_000;
const PIPELINED: usize = 200_000;
const ROUNDS: usize = 7;

fn main() {
    if std::env::args().any(|arg| arg == "--serve") {
        return serve();
    }
    // One measurement against a server that runs already, for benches/peers.
    let args: Vec<String> = std::env::args().collect();
    if let [_, flag, address, window, count] = args.as_slice()
        && flag == "--client"
    {
        let measured = client(address.parse().unwrap(), window.parse().unwrap(), count.parse().unwrap());
        return println!("{:.0}", measured.per_second);
    }
    let (mut child, address) = start_server();
    let pipelined = |window| move || client(address, window, PIPELINED);
    let table: [(&str, Run, Option<usize>); 6] = [
        ("raw socket, sequential", Box::new(move || raw_sequential(address)), None),
        ("isp-mikrotik, sequential", Box::new(move || client(address, 1, SEQUENTIAL)), Some(0)),
        ("raw socket, pipelined", Box::new(move || raw_pipelined(address)), None),
        ("isp-mikrotik, window 8", Box::new(pipelined(8)), Some(2)),
        ("isp-mikrotik, window 16", Box::new(pipelined(16)), Some(2)),
        ("isp-mikrotik, window 64", Box::new(pipelined(64)), Some(2)),
    ];
    // Everything in each round, so that what else the machine does meets both sides of a ratio.
    let rounds: Vec<Vec<Measured>> = (0..ROUNDS).map(|_| table.iter().map(|(_, run, _)| run()).collect()).collect();
    println!("{:<34}{:>14}{:>12}{:>14}   (medians of {ROUNDS} rounds)", "", "commands/s", "ratio", "CPU us/cmd");
    for (at, (name, _, beside)) in table.iter().enumerate() {
        let of = |value: &dyn Fn(&Vec<Measured>) -> f64| median(rounds.iter().map(value).collect());
        let ratio = beside.map(|raw| of(&|round| round[at].per_second / round[raw].per_second));
        let ratio = ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
        let (speed, cpu) = (of(&|round| round[at].per_second), of(&|round| round[at].cpu_micros));
        println!("{name:<34}{speed:>14.0}{ratio:>12}{cpu:>14.2}");
    }
    decode();
    child.kill().unwrap();
    child.wait().unwrap();
}

/// One of the things compared.
type Run = Box<dyn Fn() -> Measured>;

struct Measured {
    per_second: f64,
    cpu_micros: f64,
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn measure(count: usize, work: impl FnOnce()) -> Measured {
    let (cpu, started) = (cpu_time(), Instant::now());
    work();
    let (elapsed, cpu) = (started.elapsed(), cpu_time().saturating_sub(cpu));
    Measured { per_second: count as f64 / elapsed.as_secs_f64(), cpu_micros: cpu.as_secs_f64() * 1e6 / count as f64 }
}

/// User and system time of this process, from the ticks of /proc (10 ms each); zero where there is none.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 = [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
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

fn raw_sequential(address: SocketAddr) -> Measured {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let sentences: Vec<_> = (0..SEQUENTIAL).map(raw_sentence).collect();
    let mut buffer = [0_u8; 4096];
    measure(SEQUENTIAL, || {
        for sentence in &sentences {
            stream.write_all(sentence).unwrap();
            while buffer[stream.read(&mut buffer).unwrap() - 1] != 0 {}
        }
    })
}

fn raw_pipelined(address: SocketAddr) -> Measured {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut reader = stream.try_clone().unwrap();
    let bytes: Vec<u8> = (0..PIPELINED).flat_map(raw_sentence).collect();
    measure(PIPELINED, || {
        let writer =
            std::thread::spawn(move || bytes.chunks(64 << 10).for_each(|piece| stream.write_all(piece).unwrap()));
        let mut buffer = vec![0_u8; 64 << 10];
        let mut seen = 0;
        while seen < PIPELINED {
            let count = reader.read(&mut buffer).unwrap();
            seen += buffer[..count].iter().filter(|byte| **byte == 0).count();
        }
        writer.join().unwrap();
    })
}

fn client(address: SocketAddr, window: usize, count: usize) -> Measured {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = ConnectOptions::new(address.to_string(), "api", "x".to_owned().into()).window(window);
        let client = Client::connect(options).await.unwrap();
        let commands: Vec<_> = (0..count).map(add).collect();
        let (cpu, started) = (cpu_time(), Instant::now());
        if window == 1 {
            for command in &commands {
                client.call(command).await.unwrap();
            }
        } else {
            assert!(client.call_all(&commands).await.iter().all(Result::is_ok));
        }
        let elapsed = started.elapsed();
        let cpu = cpu_time().saturating_sub(cpu);
        Measured {
            per_second: count as f64 / elapsed.as_secs_f64(),
            cpu_micros: cpu.as_secs_f64() * 1e6 / count as f64,
        }
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
