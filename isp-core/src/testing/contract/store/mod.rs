//! The contract of [`Store`], case by case.
//!
//! Every case works in a tenant of its own and needs nothing set up for it, so all may share one database.
//!
//! ```
//! use isp_core::testing::{MemoryStore, contract::store};
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! store::run_all(&MemoryStore::new()).await;
//! # });
//! ```
//!
//! With [`store_contract!`](crate::store_contract) each case is a test of its own.
//!
//! The names of unique keys in [`StoreError::Duplicate`]: `site.code`,
//! `router.code`, `package.code`, `customer.code`, `subscription.username` (on one router; user name, address or MAC address), `installation_kind.code`,
//! `cpe.serial`, `payment.reference`, `payment.reversal`, `journal.id`, and for rows that are only appended
//! `device_history.id`, `expense.id`, `promise.id`, `exemption.id`, `proof.id`, `proof.review`, `record.ending`, `deposit.id`, `access_event.id`; `payment_request`,
//! `bank_file`, `mutation`, `mutation_telling`, `payer_alias`.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a suite of assertions")]

mod access;
mod bank;
mod billing;
mod credit;
mod erasure;
mod expectations;
mod facts;
mod gateways;
mod glance;
mod lines;
mod lists;
mod master;
mod money;
mod once;
mod outbox;
mod proofs;
mod removal;
mod requests;
mod router_hold;
mod router_rest;
mod statements;

use crate::billing::Invoice;
use crate::engine::Engine;
use crate::ids::TenantId;
use crate::policy::Policy;
use crate::ports::{ChangeSet, CommitReport, Store, StoreError};
use crate::testing::sample::{self, World};

/// Whatever holds a store for the time of one test: a store itself, or one with its database.
pub trait Fixture {
    /// The store.
    fn store(&self) -> &dyn Store;
}

impl<S: Store> Fixture for S {
    fn store(&self) -> &dyn Store {
        self
    }
}

macro_rules! suite {
    ($d:tt $($module:ident { $($name:ident)* })*) => {
        /// The names of all cases.
        pub const CASES: &[&str] = &[$($(stringify!($name),)*)*];

        /// Runs the case of that name in `tenant`, which nothing else uses.
        ///
        /// # Panics
        /// When the store breaks the contract, or there is no such case.
        pub async fn run(name: &str, store: &dyn Store, tenant: TenantId) {
            match name {
                $($(stringify!($name) => $module::$name(store, tenant).await,)*)*
                _ => panic!("no case {name}"),
            }
            keeps_the_sums_of_its_rows(name, store, tenant).await;
        }

        /// Makes one `tokio::test` of each case of the store contract. The argument is an async function without
        /// arguments that returns a fresh [`Fixture`]($crate::testing::contract::store::Fixture).
        #[macro_export]
        macro_rules! store_contract {
            ($d make:path) => {
                $($(
                    #[::tokio::test]
                    async fn $name() {
                        use $d crate::testing::contract::store::Fixture as _;
                        let fixture = $d make().await;
                        let tenant = $d crate::testing::sample::tenant(1);
                        $d crate::testing::contract::store::run(stringify!($name), fixture.store(), tenant).await;
                    }
                )*)*
            };
        }
    };
}

suite! { $
    master {
        a_bad_row_leaves_nothing
        unique_keys_are_unique
        codes_are_compared_without_case
        appended_rows_are_appended_once
        names_of_rows_that_are_not_there_are_refused
        rows_come_back_as_they_were
        rows_are_replaced_by_id
        lists_come_in_pages
        tenants_do_not_see_each_other
        terms_are_replaced_by_themselves
        former_terms_are_kept_in_order
        records_are_taken_back
    }
    removal {
        only_customers_without_a_history_are_removed
        what_nothing_names_is_removed
        what_the_past_names_stays
        archived_places_are_used_by_nothing
    }
    erasure {
        nothing_of_the_person_is_left_and_the_books_stay
        what_is_not_over_is_not_forgotten
        who_was_forgotten_is_not_written_again
        accounts_of_the_forgotten_are_kept_until_their_router_removed_them
    }
    once {
        invoices_are_written_once
        invoices_are_numbered_without_gaps
        a_page_of_invoices_names_what_is_there
        invoices_must_add_up
        messages_are_written_once_by_any_key
        payments_are_written_once
        references_are_compared_without_case_and_free_once_reversed
        slips_are_numbered_by_customers
        effects_are_written_once
        the_journal_balances
    }
    money {
        allocations_stay_within_invoice_and_payment
        a_reversal_takes_everything_back_once
        open_invoices_come_oldest_due_first
        credit_comes_oldest_first
        credit_of_a_past_moment
        credit_is_paid_out_and_given_back
        customers_with_credit_and_debt
        journal_totals_add_up_by_month
        sums_are_kept_by_each_commit
        the_journal_is_read_by_id_kind_and_day
        lists_of_invoices_are_filtered
    }
    lists {
        lists_come_in_the_order_of_bytes
        lines_that_are_alike_are_counted
        what_is_open_comes_in_pages
    }
    glance {
        lines_are_counted_by_what_routers_said
        what_is_owed_and_received_is_counted
        overdue_lines_are_counted_by_what_a_decision_reads
    }
    requests {
        an_amount_is_asked_of_one_customer
        an_amount_that_nothing_paid_is_free_for_its_own_customer
        a_request_is_closed_forward_only
    }
    gateways {
        a_document_is_asked_for_once_at_a_gateway
        a_gateway_holds_what_it_took_less_fees_and_payouts
        a_refund_at_a_gateway_is_kept_once_and_moves_on
    }
    bank {
        mutations_are_kept_once
        mutations_are_marked_by_revision
        payers_are_learnt_and_forgotten
        a_source_tells_of_a_mutation_once
    }
    lines {
        every_way_onto_the_network_comes_back
        an_address_serves_one_line_at_a_time
        what_a_line_has_left_is_told_by_its_service
    }
    credit {
        credit_notes_are_written_once_with_their_credit
        credit_notes_stay_within_the_invoice
        credit_notes_are_taken_back_by_their_payment
        charges_are_told_with_their_notes
        what_was_unpaid_at_a_moment
        write_offs_settle_like_payments
        collectors_hold_what_they_did_not_hand_over
    }
    expectations {
        an_account_is_covered_on_every_day
        what_a_collector_and_a_gateway_hold_is_looked_at_once_more
        counts_are_looked_at_once_more
        notes_and_installations_are_counted_once_more
        of_many_at_one_moment_one_finds_what_it_expects
        lines_and_packages_are_as_they_were_read
    }
    billing {
        the_position_moves_forward_only
        the_last_run_is_what_was_written_last
        billable_by_day_mark_and_end
        what_was_not_billed_keeps_its_earliest_mark
        instalments_without_an_invoice
        installation_orders_tell_how_far_they_are_paid
        fees_wait_for_the_first_invoice
        dunning_facts
    }
    access {
        access_is_replaced_by_version
        observations_do_not_go_back
        events_come_oldest_first
        subscribers_of_routers
        targets_for_routers
        a_user_name_passes_from_line_to_line
        former_accounts_are_told_until_closed
    }
    statements {
        invoices_of_a_day_stand_on_one_statement
        reminders_of_a_statement_count_for_its_invoices
        messages_tell_of_all_their_lines
    }
    facts {
        due_lines_are_loaded
        lines_of_customers_and_by_id
        every_protection_is_told
        protections_end_once
        facts_of_a_past_moment
        facts_of_many_at_a_past_moment
        facts_of_a_message
        messages_name_the_day_on_which_a_line_is_isolated
    }
    proofs {
        proofs_are_kept_once_with_their_files
        proofs_are_reviewed_once
        waiting_proofs_are_counted
        a_proof_is_a_history
    }
    router_hold {
        a_router_is_held_by_one_worker
        the_machine_of_a_router_is_remembered
        a_lost_hold_makes_its_lines_doubtful
    }
    router_rest {
        a_router_that_rests_is_told_of_in_its_wishes
        a_rest_covers_what_was_due_when_it_began
        what_is_wished_ends_a_rest
        a_rest_of_a_later_clock_keeps_nobody_waiting
        a_router_that_a_person_corrects_rests_no_more
        a_rest_frees_what_the_dead_had_claimed
        wishes_are_claimed_of_one_router
    }
    outbox {
        claims_take_what_is_due_in_order
        claims_run_out
        attempts_need_the_claim
        outcomes_are_recorded
        the_channels_id_stays
        outcomes_of_a_lost_claim_are_refused
        a_late_owner_tells_what_became_of_it
        renewed_claims_hold
        messages_are_settled_by_a_person
        messages_of_a_template_go_again
        released_claims_are_free
        wishes_are_made_due_again
        one_run_at_a_time
        a_run_touches_no_claim
        lists_of_the_outbox_are_filtered
    }
}

/// Runs all cases on one store, each in its own tenant.
///
/// # Panics
/// When the store breaks the contract.
pub async fn run_all(store: &dyn Store) {
    for (number, name) in (1_000..).zip(CASES) {
        run(name, store, sample::tenant(number)).await;
    }
}

/// Whatever a case did, the sums that are kept are those of all rows.
async fn keeps_the_sums_of_its_rows(case: &str, store: &dyn Store, tenant: TenantId) {
    let policy = Policy::default();
    let rows = Engine::new(store, tenant, &policy).sums_of_rows().await.expect("the rows").without_zeros();
    let kept = store.kept_sums(tenant).await.expect("the sums").without_zeros();
    assert_eq!(kept, rows, "{case}: what is kept, and what the rows come to");
}

async fn write(store: &dyn Store, tenant: TenantId, changes: ChangeSet) -> CommitReport {
    store.commit(tenant, changes).await.expect("a change set that is in order")
}

async fn refused(store: &dyn Store, tenant: TenantId, changes: ChangeSet) -> StoreError {
    store.commit(tenant, changes).await.expect_err("a change set that must be refused")
}

/// A world of so many customers with open lines, already written.
/// What moved in a purse, one sum a day.
async fn purse_days(
    store: &dyn Store,
    tenant: TenantId,
    purse: crate::payment::Purse,
) -> Vec<(crate::calendar::Date, crate::money::Money)> {
    let mut days = std::collections::BTreeMap::new();
    for (day, moved) in store.purse_days(tenant, &purse).await.expect("the days of a purse") {
        *days.entry(day).or_insert(crate::money::Money::ZERO) += moved;
    }
    days.into_iter().collect()
}

async fn world(store: &dyn Store, tenant: TenantId, customers: u64) -> World {
    let world = World::new(customers);
    write(store, tenant, world.changes()).await;
    world
}

async fn write_invoices(store: &dyn Store, tenant: TenantId, invoices: &[&Invoice]) -> CommitReport {
    let invoices = invoices.iter().map(|i| (*i).clone()).collect();
    write(store, tenant, ChangeSet { invoices, ..ChangeSet::default() }).await
}
