//! `isp_engine._isp_engine`: the pure decisions of isp-core and the network adapters for Python.
//!
//! Each call converts what it was given, releases the interpreter while it decides or waits, and converts the answer. It
//! contains no rule. The import looks up the classes it needs and builds nothing else: no thread, no runtime, no
//! connection. So a process may fork at any later moment, as Odoo does with its workers after the import.
//!
//! | to find | look in |
//! |---|---|
//! | what a value may be, and how it is refused | [`convert`], [`error`] |
//! | the pure calls | [`decide`] |
//! | the calls that use a network, and how they wait | [`routers`], [`whatsapp`], [`runtime`] |
//! | simulators | [`testing`] |
//! | the settings | [`policy`] |
//! | spreadsheets of an owner | [`spreadsheets`] |
//! | phones and NIK | [`people`] |
//! | the closed lists of words | [`words`] |
//! | dated cases | [`cases`] |

mod cases;
mod convert;
mod decide;
mod error;
mod gateways;
mod people;
mod policy;
mod routers;
mod runtime;
mod spreadsheets;
mod testing;
mod whatsapp;
mod words;

use isp_core::isolation::Reason;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// The native part of `isp_engine`; import it from there.
#[pymodule]
fn _isp_engine(module: &Bound<'_, PyModule>) -> PyResult<()> {
    convert::Types::fill(module.py())?;
    // Read at the first decision otherwise, which is made without the interpreter: a fork by another thread in that
    // moment would leave a child that waits for it for ever.
    let _ = isp_core::holiday::all();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("REASONS", PyTuple::new(module.py(), Reason::ALL.map(Reason::code))?)?;
    module.add("WORDS", words::all(module.py())?)?;
    module.add_class::<policy::BillingPolicy>()?;
    module.add_class::<policy::ClockPolicy>()?;
    module.add_class::<policy::DunningPolicy>()?;
    module.add_class::<policy::IsolationPolicy>()?;
    module.add_class::<policy::LateFeePolicy>()?;
    module.add_class::<policy::OutagePolicy>()?;
    module.add_class::<policy::PromisePolicy>()?;
    module.add_class::<policy::TaxPolicy>()?;
    module.add_class::<people::Phone>()?;
    module.add_class::<people::Nik>()?;
    module.add_function(wrap_pyfunction!(decide::plan_billing, module)?)?;
    module.add_function(wrap_pyfunction!(decide::late_fees, module)?)?;
    module.add_function(wrap_pyfunction!(decide::decide_terms, module)?)?;
    module.add_function(wrap_pyfunction!(decide::outage_credits, module)?)?;
    module.add_function(wrap_pyfunction!(decide::isolation_credits, module)?)?;
    module.add_function(wrap_pyfunction!(decide::ppn, module)?)?;
    module.add_function(wrap_pyfunction!(decide::public_holidays, module)?)?;
    module.add_function(wrap_pyfunction!(decide::due_reminders, module)?)?;
    module.add_function(wrap_pyfunction!(decide::prices_on, module)?)?;
    module.add_function(wrap_pyfunction!(decide::overdue, module)?)?;
    module.add_function(wrap_pyfunction!(decide::join_notices, module)?)?;
    module.add_function(wrap_pyfunction!(decide::refresh_messages, module)?)?;
    module.add_function(wrap_pyfunction!(decide::check_clock, module)?)?;
    module.add_function(wrap_pyfunction!(decide::end_records, module)?)?;
    module.add_function(wrap_pyfunction!(decide::decide_isolation, module)?)?;
    module.add_function(wrap_pyfunction!(decide::allocate, module)?)?;
    module.add_function(wrap_pyfunction!(decide::payment_identity, module)?)?;
    module.add_function(wrap_pyfunction!(decide::qris_asking, module)?)?;
    module.add_function(wrap_pyfunction!(decide::qris_shop, module)?)?;
    module.add_function(wrap_pyfunction!(decide::ask_payments, module)?)?;
    module.add_function(wrap_pyfunction!(decide::match_requests, module)?)?;
    module.add_function(wrap_pyfunction!(decide::sums_owed, module)?)?;
    module.add_function(wrap_pyfunction!(decide::receive_payments, module)?)?;
    module.add_function(wrap_pyfunction!(decide::write_offs, module)?)?;
    module.add_function(wrap_pyfunction!(decide::correct_invoices, module)?)?;
    module.add_function(wrap_pyfunction!(decide::late_fees_back, module)?)?;
    module.add_function(wrap_pyfunction!(decide::late_fees_again, module)?)?;
    module.add_function(wrap_pyfunction!(decide::unpaid_when_late, module)?)?;
    module.add_function(wrap_pyfunction!(decide::installation_fees, module)?)?;
    module.add_function(wrap_pyfunction!(decide::fee_paid, module)?)?;
    module.add_function(wrap_pyfunction!(decide::check_promises, module)?)?;
    module.add_function(wrap_pyfunction!(decide::check_exemptions, module)?)?;
    module.add_function(wrap_pyfunction!(decide::check_proofs, module)?)?;
    module.add_function(wrap_pyfunction!(decide::review_proofs, module)?)?;
    module.add_function(wrap_pyfunction!(decide::check_transfers, module)?)?;
    module.add_function(wrap_pyfunction!(decide::decide_by_hand, module)?)?;
    module.add_function(wrap_pyfunction!(decide::explain, module)?)?;
    module.add_function(wrap_pyfunction!(decide::profit_loss, module)?)?;
    module.add_function(wrap_pyfunction!(people::parse_phone, module)?)?;
    module.add_function(wrap_pyfunction!(people::parse_phones, module)?)?;
    module.add_function(wrap_pyfunction!(people::parse_nik, module)?)?;
    module.add_function(wrap_pyfunction!(people::parse_niks, module)?)?;
    module.add_function(wrap_pyfunction!(people::parse_mac, module)?)?;
    module.add_function(wrap_pyfunction!(people::parse_ip_address, module)?)?;
    module.add_function(wrap_pyfunction!(people::format_rupiah, module)?)?;
    module.add_function(wrap_pyfunction!(spreadsheets::read_spreadsheets, module)?)?;
    module.add_function(wrap_pyfunction!(cases::read_case, module)?)?;
    module.add_function(wrap_pyfunction!(cases::compare_case, module)?)?;
    module.add_function(wrap_pyfunction!(cases::case_lacks, module)?)?;
    add_network(module)
}

fn add_network(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("PARAMETERS", whatsapp::parameters_of(module.py(), false)?)?;
    module.add("SENDER_PARAMETERS", whatsapp::parameters_of(module.py(), true)?)?;
    module.add_class::<testing::SimulatedGateway>()?;
    module.add_class::<testing::SimulatedRouter>()?;
    module.add_class::<testing::SimulatedWhatsApp>()?;
    module.add_function(wrap_pyfunction!(routers::plan_routers, module)?)?;
    module.add_function(wrap_pyfunction!(routers::apply_routers, module)?)?;
    module.add_function(wrap_pyfunction!(routers::observe_routers, module)?)?;
    module.add_function(wrap_pyfunction!(routers::router_status, module)?)?;
    module.add_function(wrap_pyfunction!(routers::import_secrets, module)?)?;
    module.add_function(wrap_pyfunction!(gateways::ask_gateway, module)?)?;
    module.add_function(wrap_pyfunction!(gateways::gateway_status, module)?)?;
    module.add_function(wrap_pyfunction!(gateways::cancel_at_gateway, module)?)?;
    module.add_function(wrap_pyfunction!(gateways::refund_at_gateway, module)?)?;
    module.add_function(wrap_pyfunction!(gateways::gateway_refund_status, module)?)?;
    module.add_function(wrap_pyfunction!(gateways::receive_gateway_webhook, module)?)?;
    module.add_function(wrap_pyfunction!(gateways::gateway_acknowledgement, module)?)?;
    module.add_function(wrap_pyfunction!(whatsapp::send_messages, module)?)?;
    module.add_function(wrap_pyfunction!(whatsapp::preview_messages, module)?)?;
    module.add_function(wrap_pyfunction!(whatsapp::template_registrations, module)?)?;
    module.add_function(wrap_pyfunction!(whatsapp::verify_webhook, module)?)?;
    module.add_function(wrap_pyfunction!(whatsapp::receive_webhook, module)?)?;
    module.add_function(wrap_pyfunction!(whatsapp::answer_subscription, module)?)?;
    module.add_function(wrap_pyfunction!(whatsapp::fold_statuses, module)?)?;
    Ok(())
}
