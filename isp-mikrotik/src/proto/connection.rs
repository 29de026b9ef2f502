//! One connection: tags, commands in flight, and which reply belongs to which.
//!
//! The state machine does no I/O. The owner writes [`Connection::output`] to the socket and says how much with
//! [`Connection::wrote`], gives received bytes to [`Connection::receive`] and takes [`Event`]s from
//! [`Connection::poll`]. Each command carries a value of the owner's type `T` (a channel, say), which comes back with
//! its reply; it is registered before a byte leaves, so that a fast reply finds it.

use std::fmt;

use super::command::Command;
use super::decoder::Decoder;
use super::numbered::Numbered;
use super::sentence::{Frame, ReplyKind, Row, Sentence};
use super::word::ProtoError;

/// Most bytes of rows that one reply may gather. 10,000 secrets are about 2 MB.
pub const MAX_REPLY: usize = 512 << 20;

/// The number under which a command runs on its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(pub(crate) u32);

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A `!trap`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trap(Sentence);

impl Trap {
    /// The router's own words.
    pub fn message(&self) -> &[u8] {
        self.0.value("message").unwrap_or_default()
    }

    /// The category. Only a hint: the same failure comes with one on some firmware and without on another.
    pub fn category(&self) -> Option<u8> {
        self.0.utf8("category")?.parse().ok()
    }
}

/// Everything that the router answered to one command.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Reply {
    rows: Vec<Row>,
    bytes: usize,
    /// What most replies do not have, apart, so that they stay small.
    rest: Option<Box<Rest>>,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Rest {
    traps: Vec<Trap>,
    done: Option<Sentence>,
    unknown: usize,
}

impl Reply {
    /// The rows, in the router's order.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Takes the rows out.
    pub fn into_rows(self) -> Vec<Row> {
        self.rows
    }

    /// Every error; there can be two for one command.
    pub fn traps(&self) -> &[Trap] {
        self.rest.as_ref().map(|rest| rest.traps.as_slice()).unwrap_or_default()
    }

    /// `=ret=` of the final `!done`: the new `.id` of an add, or a count.
    pub fn ret(&self) -> Option<&[u8]> {
        self.rest.as_ref()?.done.as_ref()?.value("ret")
    }

    /// How many sentences with an unknown reply word were skipped.
    pub fn skipped(&self) -> usize {
        self.rest.as_ref().map_or(0, |rest| rest.unknown)
    }

    fn rest_mut(&mut self) -> &mut Rest {
        self.rest.get_or_insert_default()
    }

    fn grow(&mut self, frame: Frame<'_>) -> Result<(), ProtoError> {
        self.bytes += frame.wire_len();
        if self.bytes > MAX_REPLY { Err(ProtoError::ReplyTooLong(MAX_REPLY)) } else { Ok(()) }
    }
}

/// What [`Connection::poll`] found.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<T> {
    /// A command ended; its value and its whole reply.
    Finished {
        /// Which command.
        tag: Tag,
        /// The owner's value, back.
        value: T,
        /// The reply.
        reply: Reply,
    },
    /// A row of a command that was submitted with [`Connection::submit_stream`].
    Row {
        /// Which command.
        tag: Tag,
        /// The row.
        row: Row,
    },
    /// The router closes the connection, and says why.
    Fatal {
        /// Its own words.
        message: String,
    },
}

/// Takes the rows of one command as they come. The row that it is lent is written over by the next one, so a large table
/// costs no allocation a row.
pub struct RowSink(Box<dyn FnMut(&Row) + Send>);

impl RowSink {
    /// A sink that does this with each row.
    pub fn new(take: impl FnMut(&Row) + Send + 'static) -> RowSink {
        RowSink(Box::new(take))
    }
}

impl fmt::Debug for RowSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RowSink")
    }
}

/// Where the rows of a command go.
#[derive(Debug)]
pub(crate) enum RowsGo {
    /// Into its reply.
    Reply,
    /// One by one into [`Event::Row`].
    Events,
    /// Into a sink, and not into its reply.
    Sink(RowSink),
}

/// See the [module](self).
#[derive(Debug)]
pub struct Connection<T> {
    decoder: Decoder,
    flights: Numbered<Flight<T>>,
    /// The row that a sink is lent.
    lent: Row,
    out: Vec<u8>,
    out_at: usize,
    queued: u64,
    written: u64,
}

#[derive(Debug)]
struct Flight<T> {
    end: u64,
    rows: RowsGo,
    reply: Reply,
    value: T,
}

impl<T> Default for Connection<T> {
    fn default() -> Self {
        Connection {
            decoder: Decoder::default(),
            flights: Numbered::default(),
            lent: Row::default(),
            out: Vec::new(),
            out_at: 0,
            queued: 0,
            written: 0,
        }
    }
}

impl<T> Connection<T> {
    /// Queues a command and registers its value.
    ///
    /// # Errors
    ///
    /// [`ProtoError::WordTooLong`] and [`ProtoError::SentenceTooLong`]: nothing was queued, and the value comes back.
    pub fn submit(&mut self, command: &Command, value: T) -> Result<Tag, (ProtoError, T)> {
        self.submit_rows(command, value, RowsGo::Reply)
    }

    /// Like [`submit`](Self::submit), but its rows come one by one as [`Event::Row`].
    ///
    /// # Errors
    ///
    /// As [`submit`](Self::submit).
    pub fn submit_stream(&mut self, command: &Command, value: T) -> Result<Tag, (ProtoError, T)> {
        self.submit_rows(command, value, RowsGo::Events)
    }

    /// Queues `/cancel` for a command. The router first ends the cancelled command's rows with a trap, then the
    /// cancel, then the command itself; each comes as its own event.
    ///
    /// # Errors
    ///
    /// As [`submit`](Self::submit), which cannot happen for so short a sentence.
    pub fn cancel(&mut self, tag: Tag, value: T) -> Result<Tag, (ProtoError, T)> {
        self.submit(&Command::new("/cancel").arg("tag", tag.to_string()), value)
    }

    /// Bytes that wait to be written.
    pub fn output(&self) -> &[u8] {
        self.out.get(self.out_at..).unwrap_or_default()
    }

    /// Says that `count` bytes of [`output`](Self::output) were written.
    pub fn wrote(&mut self, count: usize) {
        self.out_at = (self.out_at + count).min(self.out.len());
        self.written += count as u64;
        if self.out_at == self.out.len() {
            self.out.clear();
            self.out_at = 0;
        }
    }

    /// Takes all waiting output at once, as written from the connection's point of view only when
    /// [`wrote_taken`](Self::wrote_taken) says so.
    pub fn take_output(&mut self, into: &mut Vec<u8>) {
        into.clear();
        if self.out_at == 0 {
            std::mem::swap(into, &mut self.out);
        } else {
            into.extend_from_slice(self.out.get(self.out_at..).unwrap_or_default());
            self.out.clear();
            self.out_at = 0;
        }
    }

    /// Says that `count` bytes of what [`take_output`](Self::take_output) gave were written.
    pub fn wrote_taken(&mut self, count: usize) {
        self.written += count as u64;
    }

    /// Takes received bytes.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.decoder.feed(bytes);
    }

    /// The next event; `Ok(None)` when more bytes are needed.
    ///
    /// # Errors
    ///
    /// The stream became unreadable; the connection cannot be used any more.
    pub fn poll(&mut self) -> Result<Option<Event<T>>, ProtoError> {
        while let Some(frame) = self.decoder.next_frame()? {
            if let Some(event) = dispatch(frame, &mut self.flights, &mut self.lent)? {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// How many commands have no final reply yet.
    pub fn in_flight(&self) -> usize {
        self.flights.len()
    }

    /// Whether this command still runs.
    pub fn is_in_flight(&self, tag: Tag) -> bool {
        self.flights.contains(tag.0)
    }

    /// The value of a command in flight.
    pub fn value_mut(&mut self, tag: Tag) -> Option<&mut T> {
        self.flights.get_mut(tag.0).map(|flight| &mut flight.value)
    }

    /// Ends everything that is in flight, when the connection is gone. The flag tells whether the whole sentence had
    /// been handed over: if not, the router cannot have seen the command.
    pub fn drain(&mut self) -> Vec<(T, bool)> {
        let written = self.written;
        self.flights.drain().into_iter().map(|flight| (flight.value, flight.end <= written)).collect()
    }

    /// Queues a command whose rows go there.
    pub(crate) fn submit_rows(&mut self, command: &Command, value: T, rows: RowsGo) -> Result<Tag, (ProtoError, T)> {
        let tag = self.flights.next_number();
        let before = self.out.len();
        if let Err(error) = command.encode(tag, &mut self.out) {
            return Err((error, value));
        }
        self.queued += (self.out.len() - before) as u64;
        self.flights.insert(tag, Flight { end: self.queued, rows, reply: Reply::default(), value });
        Ok(Tag(tag))
    }
}

fn dispatch<T>(
    frame: Frame<'_>,
    flights: &mut Numbered<Flight<T>>,
    lent: &mut Row,
) -> Result<Option<Event<T>>, ProtoError> {
    let head = frame.head();
    if head.kind == ReplyKind::Fatal {
        let sentence = frame.to_sentence();
        let word = sentence.words().skip(1).find(|word| !word.starts_with(b".tag=")).unwrap_or_default();
        let word = word.strip_prefix(b"=message=").unwrap_or(word);
        return Ok(Some(Event::Fatal { message: String::from_utf8_lossy(word).into_owned() }));
    }
    // An untagged reply can only belong to the one command that runs, if one runs.
    let tag = match head.tag {
        Some(tag) if !tag.is_empty() => number(tag),
        _ => flights.only(),
    };
    let Some(tag) = tag else { return Ok(None) };
    if head.kind == ReplyKind::Done {
        let Some(mut flight) = flights.remove(tag) else { return Ok(None) };
        if head.says_more {
            flight.reply.rest_mut().done = Some(frame.to_sentence());
        }
        return Ok(Some(Event::Finished { tag: Tag(tag), value: flight.value, reply: flight.reply }));
    }
    let Some(flight) = flights.get_mut(tag) else { return Ok(None) };
    match head.kind {
        ReplyKind::Row => match &mut flight.rows {
            RowsGo::Events => return Ok(Some(Event::Row { tag: Tag(tag), row: frame.to_sentence() })),
            RowsGo::Sink(sink) => {
                frame.copy_to(lent);
                (sink.0)(lent);
            }
            RowsGo::Reply => {
                flight.reply.grow(frame)?;
                flight.reply.rows.push(frame.to_sentence());
            }
        },
        ReplyKind::Trap => {
            flight.reply.grow(frame)?;
            flight.reply.rest_mut().traps.push(Trap(frame.to_sentence()));
        }
        ReplyKind::Unknown => flight.reply.rest_mut().unknown += 1,
        ReplyKind::Done | ReplyKind::Empty | ReplyKind::Fatal => {}
    }
    Ok(None)
}

/// A tag as we write it.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |number, &digit| match digit {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u32::from(digit - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::proto::login::{self, LoginError};
    use crate::proto::word::put_word;

    fn feed(connection: &mut Connection<&'static str>, words: &[&str]) {
        let mut bytes = Vec::new();
        for word in words {
            put_word(&mut bytes, word.as_bytes());
        }
        bytes.push(0);
        for byte in bytes {
            connection.receive(&[byte]);
        }
    }

    fn finished(connection: &mut Connection<&'static str>) -> (&'static str, Reply) {
        match connection.poll().unwrap() {
            Some(Event::Finished { value, reply, .. }) => (value, reply),
            other => panic!("expected a finished command, got {other:?}"),
        }
    }

    #[test]
    fn interleaved_replies_find_their_commands() {
        let mut connection = Connection::default();
        connection.submit(&Command::new("/a/print"), "a").unwrap();
        connection.submit(&Command::new("/b/print"), "b").unwrap();
        feed(&mut connection, &["!re", ".tag=2", "=name=b1"]);
        feed(&mut connection, &["!re", "=name=a1", ".tag=1"]);
        feed(&mut connection, &["!done", ".tag=2"]);
        feed(&mut connection, &["!re", ".tag=1", "=name=a2"]);
        feed(&mut connection, &["!done", ".tag=1"]);
        let (value, reply) = finished(&mut connection);
        assert_eq!((value, reply.rows().len()), ("b", 1));
        let (value, reply) = finished(&mut connection);
        assert_eq!((value, reply.rows().len()), ("a", 2));
        assert!(connection.poll().unwrap().is_none());
    }

    #[test]
    fn two_traps_come_before_one_done() {
        let mut connection = Connection::default();
        connection.submit(&Command::new("/ip/adress/print"), "x").unwrap();
        feed(&mut connection, &["!trap", "=category=0", "=message=no such command or directory (adress)", ".tag=1"]);
        assert!(connection.poll().unwrap().is_none());
        feed(&mut connection, &["!trap", "=message=no such command prefix", ".tag=1"]);
        feed(&mut connection, &["!done", ".tag=1"]);
        let (_, reply) = finished(&mut connection);
        assert_eq!(reply.traps().len(), 2);
        assert_eq!(reply.traps()[0].category(), Some(0));
        assert_eq!(reply.traps()[1].category(), None);
    }

    #[test]
    fn empty_and_unknown_reply_words_end_nothing() {
        let mut connection = Connection::default();
        connection.submit(&Command::new("/ppp/secret/print"), "x").unwrap();
        feed(&mut connection, &["!empty", ".tag=1"]);
        feed(&mut connection, &["!surprise", ".tag=1", "=x=y"]);
        assert!(connection.poll().unwrap().is_none());
        feed(&mut connection, &["!done", ".tag=1"]);
        let (_, reply) = finished(&mut connection);
        assert_eq!((reply.rows().len(), reply.skipped()), (0, 1));
    }

    #[test]
    fn fatal_has_a_bare_word() {
        let mut connection: Connection<&'static str> = Connection::default();
        feed(&mut connection, &["!fatal", "session terminated on request"]);
        match connection.poll().unwrap() {
            Some(Event::Fatal { message }) => assert_eq!(message, "session terminated on request"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn cancel_comes_back_in_the_routers_order() {
        let mut connection = Connection::default();
        let tag = connection.submit(&Command::new("/log/listen"), "listen").unwrap();
        connection.cancel(tag, "cancel").unwrap();
        feed(&mut connection, &["!trap", ".tag=1", "=category=2", "=message=interrupted"]);
        feed(&mut connection, &["!done", ".tag=2"]);
        feed(&mut connection, &["!done", ".tag=1"]);
        assert_eq!(finished(&mut connection).0, "cancel");
        let (value, reply) = finished(&mut connection);
        assert_eq!((value, reply.traps()[0].category()), ("listen", Some(2)));
        assert_eq!(connection.in_flight(), 0);
    }

    #[test]
    fn what_was_not_handed_over_whole_was_not_sent() {
        let mut connection = Connection::default();
        connection.submit(&Command::new("/a"), "a").unwrap();
        let first = connection.output().len();
        connection.submit(&Command::new("/b"), "b").unwrap();
        connection.wrote(first + 3);
        let mut ends = connection.drain();
        ends.sort_unstable();
        assert_eq!(ends, [("a", true), ("b", false)]);
    }

    #[test]
    fn a_challenge_means_a_router_that_is_too_old() {
        let mut connection = Connection::default();
        connection.submit(&login::command("admin", "x"), "login").unwrap();
        feed(&mut connection, &["!done", "=ret=0123456789abcdef0123456789abcdef"]);
        assert_eq!(login::outcome(&finished(&mut connection).1), Err(LoginError::TooOld));
        connection.submit(&login::command("admin", "x"), "login").unwrap();
        feed(&mut connection, &["!trap", "=message=invalid user name or password (6)"]);
        feed(&mut connection, &["!done"]);
        assert_eq!(login::outcome(&finished(&mut connection).1), Err(LoginError::BadCredentials));
    }
}
