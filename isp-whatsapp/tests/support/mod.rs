#![allow(dead_code, reason = "each test file uses a part")]

use isp_core::calendar::Date;
use isp_core::customer::Phone;
use isp_core::ids::{OutboxId, TenantId};
use isp_core::message::notification::{MessageContent, OutgoingMessage};
use isp_core::money::Money;
use isp_core::text::{Language, Name};
use serde_json::Value;

pub(crate) const NUMBER: &str = "6281234567890";

pub(crate) fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub(crate) fn name(text: &str) -> Name {
    Name::parse("name", text).unwrap()
}

pub(crate) fn day(month: u32, day: u32) -> Date {
    Date::from_ymd(2026, month, day).unwrap()
}

pub(crate) fn message(row: u8, language: Language, content: MessageContent) -> OutgoingMessage {
    OutgoingMessage {
        id: OutboxId(format!("0193a0c0-0000-7000-8000-0000000000{row:02x}").parse().unwrap()),
        tenant: TenantId("0193a0c0-0000-7000-8000-00000000ffff".parse().unwrap()),
        to: Phone::parse(NUMBER).unwrap(),
        language,
        name: name("Budi Santoso"),
        content,
        demand: None,
        sender: None,
    }
}

pub(crate) fn reopened(row: u8) -> OutgoingMessage {
    message(row, Language::Id, MessageContent::Reopened { package: name("Rumah 20"), since: day(11, 25) })
}

pub(crate) fn due_soon() -> MessageContent {
    MessageContent::DueSoon {
        package: name("Rumah 20"),
        invoices: vec!["INV-2026-11-0042".to_owned()],
        amount: Money::rupiah(165_000),
        due_date: day(11, 25),
    }
}

pub(crate) fn overdue() -> MessageContent {
    MessageContent::Overdue {
        package: name("Rumah 20"),
        invoices: (1..=5).map(|n| format!("INV-{n}")).collect(),
        amount: Money::rupiah(1_330_000),
        due_date: day(11, 25),
        days_late: 3,
        isolation_date: day(11, 30),
    }
}

pub(crate) fn isolated(amount: i64) -> MessageContent {
    MessageContent::Isolated { package: name("Rumah 20"), amount: Money::rupiah(amount), since: day(11, 30) }
}

pub(crate) fn payment() -> MessageContent {
    MessageContent::PaymentReceived {
        amount: Money::rupiah(165_000),
        reference: "VA_88*1".to_owned(),
        paid_on: day(12, 1),
        still_open: Money::ZERO,
    }
}

pub(crate) fn every_content() -> Vec<MessageContent> {
    vec![due_soon(), overdue(), isolated(165_000), isolated(0), payment(), reopened(1).content]
}
