//! One connection: login, tags, cancel, and the faults.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::AbortHandle;

use super::execute::{self, Answer, Request};
use super::fault::{self, FaultKind};
use super::shared::Shared;
use super::state::Refusal;
use crate::proto::decoder::Decoder;
use crate::proto::word::put_word;

/// Answers wait for those of the commands that came with them up to so many bytes; a table leaves before the next command is run.
const HELD_BACK: usize = 64 << 10;

/// Failed logins after which a connection ends: the fifth is fatal.
const LOGIN_ATTEMPTS: u32 = 5;

/// Serves a connection until either side ends it, or the generation changes.
pub(super) async fn serve(shared: Arc<Shared>, stream: TcpStream, mut generation: watch::Receiver<u64>) {
    let session = async {
        let Some((mut read, write)) = open(&shared, stream).await else { return };
        let mut session = Session {
            shared: shared.clone(),
            write: Arc::new(Mutex::new(write)),
            user: None,
            failed_logins: 0,
            running: HashMap::new(),
            out: Vec::new(),
            segments: None,
            frozen: false,
        };
        let _ = session.run(&mut read).await;
        session.running.values().for_each(|running| running.task.abort());
    };
    tokio::select! {
        () = session => {}
        _ = generation.changed() => {}
    }
    shared.connection_ended();
}

struct Session {
    shared: Arc<Shared>,
    write: Arc<Mutex<Outlet>>,
    /// Whether the user may write, once somebody is logged in.
    user: Option<bool>,
    failed_logins: u32,
    running: HashMap<Vec<u8>, Running>,
    out: Vec<u8>,
    segments: Option<usize>,
    frozen: bool,
}

type Inlet = Box<dyn AsyncRead + Send + Unpin>;
type Outlet = Box<dyn AsyncWrite + Send + Unpin>;

async fn open(shared: &Shared, stream: TcpStream) -> Option<(Inlet, Outlet)> {
    stream.set_nodelay(true).ok()?;
    match shared.acceptor() {
        None => {
            let (read, write) = stream.into_split();
            Some((Box::new(read), Box::new(write)))
        }
        Some(acceptor) => {
            let (read, write) = tokio::io::split(acceptor.accept(stream).await.ok()?);
            Some((Box::new(read), Box::new(write)))
        }
    }
}

/// The connection ends after what is in the output has left.
struct End;

impl Session {
    async fn run(&mut self, read: &mut (impl AsyncReadExt + Unpin)) -> io::Result<()> {
        let mut decoder = Decoder::default();
        let mut buffer = vec![0_u8; 16 << 10];
        loop {
            let count = read.read(&mut buffer).await?;
            if count == 0 {
                return Ok(());
            }
            decoder.feed(buffer.get(..count).unwrap_or_default());
            loop {
                let sentence = match decoder.next_sentence() {
                    Ok(Some(sentence)) => sentence,
                    Ok(None) => break,
                    Err(_) => return Ok(()),
                };
                if self.frozen {
                    continue;
                }
                let request = Request::parse(sentence.words());
                let end = self.handle(request).is_err();
                if end || self.segments.is_some() || self.out.len() >= HELD_BACK {
                    self.flush().await?;
                }
                if end {
                    return Ok(());
                }
            }
            self.flush().await?;
        }
    }

    async fn flush(&mut self) -> io::Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        let mut write = self.write.lock().await;
        match self.segments.take() {
            None => write.write_all(&self.out).await?,
            Some(size) => {
                for piece in self.out.chunks(size.max(1)) {
                    write.write_all(piece).await?;
                    write.flush().await?;
                    tokio::task::yield_now().await;
                }
            }
        }
        self.out.clear();
        write.flush().await
    }

    fn handle(&mut self, request: Request) -> Result<(), End> {
        match request.path.as_str() {
            "/login" => return self.log_in(&request),
            "/quit" => return self.fatal("session terminated on request"),
            _ => {}
        }
        let Some(may_write) = self.user else { return self.fatal("not logged in") };
        if request.path == "/cancel" {
            self.cancel(&request);
            return Ok(());
        }
        let fault = self.shared.strike(&request.path);
        if request.path.ends_with("/listen") && fault.as_ref().is_none_or(FaultKind::delays_or_shortens) {
            self.listen(request);
            return Ok(());
        }
        let answer = self.answer_under(fault.as_ref(), may_write, &request)?;
        let Some(answer) = answer else { return Ok(()) };
        let before = self.out.len();
        encode(&answer, request.tag.as_deref(), &mut self.out);
        match fault {
            Some(FaultKind::CutReply(count)) => {
                self.out.truncate(before + count.min(self.out.len() - before));
                Err(End)
            }
            Some(FaultKind::Latency(delay)) => {
                let late = self.out.split_off(before);
                self.later(request.tag, vec![late], delay);
                Ok(())
            }
            Some(FaultKind::SlowTable(delay)) => {
                self.out.truncate(before);
                self.later(request.tag.clone(), pieces(&answer, request.tag.as_deref()), delay);
                Ok(())
            }
            Some(FaultKind::Segments(size)) => {
                self.segments = Some(size);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Runs the command as far as the fault lets it; `None` when no answer follows now.
    fn answer_under(
        &mut self,
        fault: Option<&FaultKind>,
        may_write: bool,
        request: &Request,
    ) -> Result<Option<Answer>, End> {
        match fault {
            Some(FaultKind::CutRequest) => Err(End),
            Some(FaultKind::ReplyLost) => {
                self.shared.execute(may_write, request);
                Err(End)
            }
            Some(FaultKind::Hang) => {
                self.hang(request);
                Ok(None)
            }
            Some(FaultKind::HangAfterEffect) => {
                self.shared.execute(may_write, request);
                self.hang(request);
                Ok(None)
            }
            Some(FaultKind::Freeze) => {
                self.frozen = true;
                Ok(None)
            }
            Some(FaultKind::Trap(message)) => {
                Ok(Some(Answer { traps: vec![Refusal::plain(message)], ..Answer::default() }))
            }
            Some(FaultKind::Ignored) => Ok(Some(Answer::default())),
            Some(FaultKind::Fatal(message)) => self.fatal(message).map(|()| None),
            Some(FaultKind::Reboot(down)) => {
                self.shared.reboot(*down);
                Err(End)
            }
            Some(FaultKind::SessionLimit(time)) => {
                self.shared.fill_up(*time);
                Err(End)
            }
            Some(FaultKind::Garbage) => {
                self.out.extend_from_slice(&[0xFF, 0x00]);
                Ok(None)
            }
            Some(FaultKind::ShortTable(missing)) => {
                let mut answer = self.shared.execute(may_write, request);
                answer.rows.truncate(answer.rows.len().saturating_sub(*missing));
                Ok(Some(answer))
            }
            _ => Ok(Some(self.shared.execute(may_write, request))),
        }
    }

    fn log_in(&mut self, request: &Request) -> Result<(), End> {
        let outcome = self.shared.log_in(request);
        let mut answer = Answer::default();
        match outcome {
            Some(may_write) => self.user = Some(may_write),
            None => {
                self.failed_logins += 1;
                if self.failed_logins >= LOGIN_ATTEMPTS {
                    return self.fatal("too many commands before login");
                }
                answer.traps.push(Refusal::plain("invalid user name or password (6)"));
            }
        }
        if self.user.is_some() && self.shared.answers_challenge() {
            answer.ret = Some(b"ebddd18303a54111e2dea05a92ab46b4".to_vec());
        }
        encode(&answer, request.tag.as_deref(), &mut self.out);
        Ok(())
    }

    fn fatal(&mut self, message: &str) -> Result<(), End> {
        put_word(&mut self.out, b"!fatal");
        put_word(&mut self.out, message.as_bytes());
        self.out.push(0);
        Err(End)
    }

    fn cancel(&mut self, request: &Request) {
        let tags: Vec<Vec<u8>> = match request.arg("tag") {
            Some(tag) => vec![tag.to_vec()],
            None => self.running.keys().cloned().collect(),
        };
        let mut ended = Vec::new();
        for tag in tags {
            if let Some(running) = self.running.remove(&tag).filter(|running| !running.task.is_finished()) {
                running.stop();
                sentence(&mut self.out, "!trap", Some(&tag), &[b"=category=2", b"=message=interrupted"]);
                ended.push(tag);
            }
        }
        sentence(&mut self.out, "!done", request.tag.as_deref(), &[]);
        for tag in ended {
            sentence(&mut self.out, "!done", Some(&tag), &[]);
        }
    }

    fn listen(&mut self, request: Request) {
        let mut rows = match self.shared.hear(&request) {
            Ok(rows) => rows,
            Err(traps) => {
                let answer = Answer { traps, ..Answer::default() };
                return encode(&answer, request.tag.as_deref(), &mut self.out);
            }
        };
        let (voice, tag) = (self.voice(), request.tag.clone());
        let said = voice.clone();
        let task = tokio::spawn(async move {
            while let Some(row) = rows.recv().await {
                if !said.say(&row_sentence(&row, tag.as_deref())).await {
                    return;
                }
            }
        });
        self.keep(request.tag, voice, task.abort_handle());
    }

    fn hang(&mut self, request: &Request) {
        let task = tokio::spawn(std::future::pending::<()>());
        let voice = self.voice();
        self.keep(request.tag.clone(), voice, task.abort_handle());
    }

    fn later(&mut self, tag: Option<Vec<u8>>, pieces: Vec<Vec<u8>>, delay: Duration) {
        let voice = self.voice();
        let said = voice.clone();
        let task = tokio::spawn(async move {
            for piece in pieces {
                tokio::time::sleep(delay).await;
                if !said.say(&piece).await {
                    return;
                }
            }
        });
        self.keep(tag, voice, task.abort_handle());
    }

    fn voice(&self) -> Voice {
        Voice { write: self.write.clone(), silenced: Arc::default() }
    }

    fn keep(&mut self, tag: Option<Vec<u8>>, voice: Voice, task: AbortHandle) {
        self.running.retain(|_, running| !running.task.is_finished());
        self.running.insert(tag.unwrap_or_default(), Running { voice, task });
    }
}

/// A command that goes on in a task of its own.
struct Running {
    voice: Voice,
    task: AbortHandle,
}

impl Running {
    /// Nothing of it leaves any more, but a sentence that has begun is finished.
    fn stop(&self) {
        self.voice.silenced.store(true, Ordering::Release);
        if let Ok(_nobody_writes) = self.voice.write.try_lock() {
            self.task.abort();
        }
    }
}

/// How such a task answers.
#[derive(Clone)]
struct Voice {
    write: Arc<Mutex<Outlet>>,
    silenced: Arc<AtomicBool>,
}

impl Voice {
    /// Whether it may go on.
    async fn say(&self, bytes: &[u8]) -> bool {
        let mut write = self.write.lock().await;
        if self.silenced.load(Ordering::Acquire) {
            return false;
        }
        write.write_all(bytes).await.is_ok() && write.flush().await.is_ok()
    }
}

impl Shared {
    fn strike(&self, path: &str) -> Option<FaultKind> {
        fault::strike(&mut self.lock().faults, path)
    }

    fn execute(&self, may_write: bool, request: &Request) -> Answer {
        let mut state = self.lock();
        state.advance();
        state.counters.commands += 1;
        *state.counters.by_command.entry(request.path.clone()).or_default() += 1;
        let mut answer = execute::execute(&mut state, may_write, request);
        answer.empty &= state.version.says_empty();
        state.advance();
        answer
    }

    fn hear(&self, request: &Request) -> Result<mpsc::UnboundedReceiver<Vec<u8>>, Vec<Refusal>> {
        let mut state = self.lock();
        state.advance();
        state.counters.commands += 1;
        *state.counters.by_command.entry(request.path.clone()).or_default() += 1;
        state.listen(request)
    }

    fn log_in(&self, request: &Request) -> Option<bool> {
        let mut state = self.lock();
        let (name, password) = (request.arg("name").unwrap_or_default(), request.arg("password").unwrap_or_default());
        let user = state
            .users
            .iter()
            .find(|user| user.name.as_bytes() == name && user.password.as_bytes() == password)
            .map(|user| user.may_write);
        match user {
            Some(_) => state.counters.logins += 1,
            None => state.counters.failed_logins += 1,
        }
        user
    }
}

fn encode(answer: &Answer, tag: Option<&[u8]>, out: &mut Vec<u8>) {
    for piece in pieces(answer, tag) {
        out.extend_from_slice(&piece);
    }
}

/// The sentences of an answer, one by one.
fn pieces(answer: &Answer, tag: Option<&[u8]>) -> Vec<Vec<u8>> {
    let mut pieces = Vec::with_capacity(answer.rows.len() + 1);
    pieces.extend(answer.rows.iter().map(|row| row_sentence(row, tag)));
    for trap in &answer.traps {
        let mut out = Vec::new();
        let category = trap.category.map(|category| format!("=category={category}"));
        let message = format!("=message={}", trap.message);
        let words: Vec<&[u8]> = category.iter().map(String::as_bytes).chain([message.as_bytes()]).collect();
        sentence(&mut out, "!trap", tag, &words);
        pieces.push(out);
    }
    let mut last = Vec::new();
    if answer.empty {
        sentence(&mut last, "!empty", tag, &[]);
    }
    let ret = answer.ret.as_ref().map(|ret| [b"=ret=", ret.as_slice()].concat());
    let words: Vec<&[u8]> = ret.iter().map(Vec::as_slice).collect();
    sentence(&mut last, "!done", tag, &words);
    pieces.push(last);
    pieces
}

fn row_sentence(row: &[u8], tag: Option<&[u8]>) -> Vec<u8> {
    let mut out = Vec::with_capacity(row.len() + 24);
    put_word(&mut out, b"!re");
    put_tag(&mut out, tag);
    out.extend_from_slice(row);
    out.push(0);
    out
}

fn sentence(out: &mut Vec<u8>, reply: &str, tag: Option<&[u8]>, words: &[&[u8]]) {
    put_word(out, reply.as_bytes());
    put_tag(out, tag);
    for word in words {
        put_word(out, word);
    }
    out.push(0);
}

fn put_tag(out: &mut Vec<u8>, tag: Option<&[u8]>) {
    if let Some(tag) = tag {
        put_word(out, &[b".tag=", tag].concat());
    }
}
