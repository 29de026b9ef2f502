//! The RouterOS API protocol without any I/O: bytes in, replies out.
//!
//! Nothing in here knows a socket, a runtime or a clock, so it can be driven by a test, a fuzzer or another
//! runtime. A sentence is a list of words and a zero length; see [`word`] for the length forms, [`command`] for what is
//! sent, [`sentence`] and [`decoder`] for what is received, [`login`] for the handshake and [`connection`] for tags and
//! commands in flight.

pub mod command;
pub mod connection;
pub mod decoder;
pub mod login;
pub(crate) mod numbered;
pub mod sentence;
pub mod word;

pub use command::Command;
pub use connection::{Connection, Event, Reply, RowSink, Tag, Trap};
pub use decoder::Decoder;
pub use sentence::{ReplyKind, Row, Sentence};
pub use word::{MAX_SENTENCE, MAX_WORD, ProtoError};
