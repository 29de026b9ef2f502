//! The tests of the whole: the engine with doubles for its surroundings, and the program `isp` as its users start it. They are one
//! program, so that they are linked once. `support`, `cli` and `ready` are what they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cli;
#[path = "../../isp-radius/tests/common/mod.rs"]
mod radius;
#[path = "../../isp-store/tests/it/common/ready.rs"]
mod ready;
mod support;

mod architecture;
mod asked;
#[cfg(unix)]
mod at_one_moment;
mod bank;
mod bank_corrected;
mod bank_decided;
mod bank_rows;
mod bank_told;
mod billing_day;
mod cases;
mod channel;
#[cfg(unix)]
mod chaos;
mod charged_once;
mod cli_advice;
mod cli_backup;
mod cli_bank;
mod cli_cases;
mod cli_clock;
mod cli_coordinates;
mod cli_corrections;
mod cli_dated_money;
mod cli_deliver;
mod cli_doctor;
mod cli_documents;
mod cli_found;
mod cli_gateway;
mod cli_import;
mod cli_language;
mod cli_lines;
mod cli_manners;
mod cli_month;
mod cli_one_sheet;
mod cli_paper;
mod cli_payment_request;
#[cfg(unix)]
mod cli_portal;
mod cli_pph23;
mod cli_prices;
mod cli_privacy;
mod cli_proofs;
mod cli_radius;
#[cfg(unix)]
mod cli_redirect;
mod cli_report_files;
mod cli_reports;
mod cli_rules;
mod cli_sandbox;
mod cli_screen;
mod cli_sender;
mod cli_serve;
mod cli_sheets;
mod cli_slips;
mod cli_snap;
mod cli_survey;
mod cli_taken_back;
mod cli_tenant;
mod cli_terms;
mod cli_told;
mod cli_trouble;
mod database;
mod debtors;
mod demo;
mod documents;
mod first_fee;
mod foretold;
mod gateway_journey;
mod gateway_refunds;
mod gateways;
mod guide;
mod kill;
mod message_age;
mod missed_runs;
mod past;
mod payments;
mod plain_structs;
mod proofs;
mod random_year;
mod router_truth;
mod rules;
mod service_days;
mod silent_router;
mod simulation;
mod statements;
mod stories;
mod terms_grid;
#[cfg(unix)]
mod workers;
mod workers_clock;
mod workers_cut;
#[cfg(unix)]
mod workers_dead;
#[cfg(unix)]
mod workers_upload;
