//! One module a command: arguments in, engine called, result printed. No rule lives here.

pub(crate) mod args;
pub(crate) mod collect;
pub(crate) mod cpe;
pub(crate) mod credit_note;
pub(crate) mod customer;
pub(crate) mod day;
pub(crate) mod deliver;
pub(crate) mod demo;
pub(crate) mod explain;
pub(crate) mod find;
pub(crate) mod holidays;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod installation;
pub(crate) mod invoice;
pub(crate) mod isolate;
pub(crate) mod late_fee;
pub(crate) mod outbox;
pub(crate) mod package;
pub(crate) mod payment;
pub(crate) mod protect;
pub(crate) mod report;
pub(crate) mod router;
mod router_import;
pub(crate) mod simulate;
pub(crate) mod site;
pub(crate) mod subscription;
