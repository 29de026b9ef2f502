//! Fuzz targets for each parser of what comes from outside: routers, WhatsApp, payment gateways, banks, spreadsheets, customers.
//!
//! A target takes any bytes and panics when the parser does, or when what it read is not what it says. Two programs run them:
//! `fuzz/libfuzzer` with coverage for as long as you like (`make fuzz`), and the test `smoke` over the corpus and a few thousand
//! changes of it, the same ones each time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a panic is what is looked for"
)]

mod bank;
mod gateway;
mod message;
mod router;
mod sheet;
mod snap;
mod told;

/// A target: its name, which is also the folder of its corpus, and what it does with bytes.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Panics when something is wrong.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 19] = [
    Target { name: "router-sentences", run: router::sentences },
    Target { name: "router-connection", run: router::connection },
    Target { name: "router-comment", run: router::comment },
    Target { name: "whatsapp", run: message::whatsapp },
    Target { name: "inbound", run: message::inbound },
    Target { name: "midtrans", run: gateway::midtrans },
    Target { name: "xendit", run: gateway::xendit },
    Target { name: "tripay", run: gateway::tripay },
    Target { name: "duitku", run: gateway::duitku },
    Target { name: "tripay-open", run: gateway::tripay_open },
    Target { name: "snap", run: snap::body },
    Target { name: "moota", run: told::moota },
    Target { name: "phone", run: told::phone },
    Target { name: "virtual-account", run: bank::virtual_account },
    Target { name: "qris", run: bank::qris },
    Target { name: "bank-csv", run: bank::csv },
    Target { name: "mt940", run: bank::mt940 },
    Target { name: "sheet-csv", run: sheet::csv },
    Target { name: "workbook", run: sheet::workbook },
];

/// The target of this name.
#[must_use]
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}
