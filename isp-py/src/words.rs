//! The closed lists of words, by the name of their alias in `isp_engine.records`: each is the table that reads it.
//! `tests/test_words.py` holds the aliases against them.

use isp_core::bank::Doubt;
use isp_core::calendar::Zone;
use isp_core::holiday::HolidayKind;
use isp_core::isolation::Reason;
use isp_core::ledger::{Account, EntryKind};
use isp_core::message::NotificationKind;
use isp_core::payment::NoticeState;
use isp_core::protection::FileKind;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::decide::words as decide;
use crate::{gateways, routers, spreadsheets, whatsapp};

/// All of them.
pub(crate) fn all(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let words = PyDict::new(py);
    for (alias, list) in [
        ("Zone", Zone::ALL.map(Zone::name).to_vec()),
        ("Reason", Reason::ALL.map(Reason::code).to_vec()),
        ("LedgerAccount", Account::ALL.map(Account::code).to_vec()),
        ("EntryKind", EntryKind::ALL.map(EntryKind::code).to_vec()),
        ("Cycle", of(&decide::CYCLES)),
        ("Timing", of(&decide::TIMINGS)),
        ("TaxMode", of(&decide::TAX_MODES)),
        ("LineKind", of(&decide::LINE_KINDS)),
        ("ChargeKind", of(&decide::CHARGE_KINDS)),
        ("CreditReason", of(&decide::CREDIT_REASONS)),
        ("Access", of(&decide::ACCESSES)),
        ("Cause", of(&decide::CAUSES)),
        ("ReminderKind", of(&decide::REMINDER_KINDS)),
        ("NotificationKind", NotificationKind::ALL.map(|kind| kind.code()).to_vec()),
        ("NoticeKind", of(&decide::NOTICE_KINDS)),
        ("EndingKind", of(&decide::ENDING_KINDS)),
        ("AccessEventKind", decide::EVENTS.map(|kind| kind.code()).to_vec()),
        ("Grouping", of(&decide::GROUPINGS)),
        ("Language", of(&decide::LANGUAGES)),
        ("Told", of(&decide::TOLD)),
        ("Hand", of(&decide::HANDS)),
        ("ProofVerdict", of(&decide::VERDICTS)),
        ("MoneyDoubt", Doubt::ALL.map(Doubt::code).to_vec()),
        ("HolidayKind", decide::HOLIDAY_KINDS.map(HolidayKind::code).to_vec()),
        ("FileKind", FileKind::ALL.map(FileKind::code).to_vec()),
        ("SheetKind", of(&spreadsheets::KINDS)),
        ("DayOrder", of(&spreadsheets::ORDERS)),
        ("Invoicing", of(&spreadsheets::INVOICINGS)),
        ("Ownership", of(&spreadsheets::OWNERSHIPS)),
        ("ExpenseCategory", of(&spreadsheets::CATEGORIES)),
        ("PaidFrom", of(&spreadsheets::PAID_FROM)),
        ("IsolationStrategy", of(&routers::STRATEGIES)),
        ("LineService", of(&routers::SERVICES)),
        ("TemplateKind", of(&whatsapp::TEMPLATE_KINDS)),
        ("StatusWord", of(&whatsapp::STATUSES)),
        ("DeliveryState", of(&whatsapp::STATES)),
        ("GatewayKind", of(&gateways::KINDS)),
        ("PayChannel", of(&gateways::CHANNELS)),
        ("NoticeState", gateways::STATES.map(NoticeState::code).to_vec()),
        ("CancelOutcome", of(&gateways::CANCELLED)),
        ("RefundState", of(&gateways::REFUNDS)),
    ] {
        words.set_item(alias, PyTuple::new(py, list)?)?;
    }
    Ok(words)
}

fn of<T>(table: &[(&'static str, T)]) -> Vec<&'static str> {
    table.iter().map(|(word, _)| *word).collect()
}
