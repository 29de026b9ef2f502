//! Writing a change set, all or nothing.

use chrono::{DateTime, Utc};
use isp_core::audit::{Change, Head, changes as told_of};
use isp_core::calendar::Date;
use isp_core::ending::RecordId;
use isp_core::ids::TenantId;
use isp_core::ledger::entries_for_invoices;
use isp_core::ledger::kept::Sums;
use isp_core::money::Money;
use isp_core::ports::{ChangeSet, CommitReport, Expectation, StoreError};

use crate::audit::Actor;
use crate::seen::Seen;
use crate::session::{Session, first};
use crate::value::args;
use crate::vault::Vault;
use crate::{
    access, audit, bank, credit, customer, device, ending, erasure, expectation, former, gateway, gateway_refund,
    installation, invoice, ledger, master, outbox, payment, proof, refund, removal, request, reseal, router_rest, rows,
    statement, subscription, sums, table,
};

/// The tenant's row, which the transaction holds.
struct Tenant {
    next_invoice: u64,
    next_credit_note: u64,
    next_statement: u64,
    billing_position: Option<Date>,
    audit: Head,
}

/// Writes a change set in an open transaction. Also gives back the number of its entry in the log, when it leaves all lines, customers,
/// packages and sites as they are.
///
/// The tenant's row is locked first: commits of one tenant follow one another, those of several run at once. So what is
/// written once can be looked for and written in one step, and no two commits of a tenant can lock each other out.
pub(crate) async fn write(
    s: &mut dyn Session,
    vault: &Vault,
    tenant: TenantId,
    actor: &Actor,
    seen: &Seen,
    mut changes: ChangeSet,
) -> Result<(CommitReport, Option<u64>), StoreError> {
    let mut told = told_of(&changes);
    let persons: Vec<_> = changes.persons().collect();
    let bank = bank::Changes::of(&mut changes);
    let ChangeSet {
        expected,
        sites,
        routers,
        machines,
        packages,
        customers,
        removed,
        erasures,
        subscriptions,
        former_accounts,
        installation_kinds,
        installation_orders,
        cpes,
        device_history,
        expenses,
        promises,
        exemptions,
        outages,
        proofs,
        proof_reviews,
        endings,
        invoices,
        invoiced_fees,
        credit_notes,
        write_offs,
        deposits,
        terms,
        former_terms,
        billed_from,
        not_billed,
        billing_position,
        last_run,
        payments,
        allocations,
        reversals,
        payment_requests,
        request_closings,
        gateway_requests,
        gateway_refunds,
        refunds,
        payouts,
        bank_files: _,
        mutations: _,
        tellings: _,
        mutation_marks: _,
        forgotten_aliases: _,
        payer_aliases: _,
        touched,
        access,
        access_events,
        effects,
        messages,
        journal,
    } = changes;
    let harmless = customers.is_empty()
        && subscriptions.is_empty()
        && removed.is_empty()
        && erasures.is_empty()
        && terms.is_empty()
        && packages.is_empty()
        && sites.is_empty();
    let held = lock(s, tenant).await?;
    if !invoices.is_empty() || expected.iter().any(|expected| matches!(expected, Expectation::Lines(_))) {
        seen.look(s, tenant, held.audit.sequence).await?;
    }
    expectation::check(s, tenant, &expected, &journal, (seen, held.audit.sequence)).await?;
    erasure::must_not_be_erased(s, tenant, persons.into_iter()).await?;
    let seals_accounts = !(routers.is_empty() && subscriptions.is_empty() && cpes.is_empty());
    if seals_accounts || !customers.is_empty() || !proofs.is_empty() {
        reseal::may_seal(s, vault).await?;
    }
    let mut report = CommitReport::default();
    // What this commit moves the sums of the books by: written once, at its end.
    let mut moved = Sums::default();

    let (of_sites, of_routers) = (sites.iter().map(|s| s.id.0).collect(), routers.iter().map(|r| r.id.0).collect());
    // Another address, password or machine may be the right one.
    let corrected = routers.iter().map(|r| r.id).chain(machines.iter().map(|m| m.router_id)).collect();
    router_rest::end(s, tenant, corrected).await?;
    master::write_sites(s, tenant, sites).await?;
    master::write_routers(s, vault, tenant, routers).await?;
    master::write_machines(s, tenant, machines).await?;
    master::write_packages(s, tenant, packages).await?;
    customer::write(s, vault, tenant, customers).await?;
    removal::write(s, tenant, removed).await?;
    let named: Vec<uuid::Uuid> = subscriptions.iter().map(|s| s.id.0).chain(terms.iter().map(|(id, _)| id.0)).collect();
    subscription::write(s, vault, tenant, subscriptions).await?;
    former::write(s, tenant, former_accounts).await?;
    master::write_kinds(s, tenant, installation_kinds).await?;
    installation::write(s, tenant, installation_orders).await?;
    device::write(s, vault, tenant, cpes).await?;
    device::write_history(s, tenant, device_history, &mut moved).await?;
    ledger::write_expenses(s, tenant, expenses, &mut moved).await?;
    let rows = promises.into_iter().map(|p| args![tenant, p.id, p.customer_id, p.made_on, p.until, p.by]).collect();
    rows::append(s, &table::PROMISES, rows).await?;
    let rows =
        exemptions.into_iter().map(|e| args![tenant, e.id, e.customer_id, e.from, e.until, e.reason, e.by]).collect();
    rows::append(s, &table::EXEMPTIONS, rows).await?;
    let rows = outages.into_iter().map(|o| args![tenant, o.id, o.site_id, o.from, o.until, o.note]).collect();
    rows::upsert(s, &table::OUTAGES, rows).await?;
    let refunds_back = refund::taken_back(&endings);
    let expenses_back = endings.iter().filter(|(id, _)| matches!(id, RecordId::Expense(_))).map(|(id, _)| id.uuid());
    let expenses_back = expenses_back.collect();
    ending::write(s, tenant, endings).await?;
    ledger::expenses_back(s, tenant, expenses_back, &mut moved).await?;

    if !invoices.is_empty() {
        let given = invoices.len() as u64;
        let known = if harmless { seen.still(tenant, held.audit.sequence) } else { Vec::new() };
        let written = invoice::write(s, tenant, invoices, held.next_invoice, &known).await?;
        report.invoices = written.len() as u64;
        report.invoices_known = given - report.invoices;
        report.invoiced = written.iter().map(|i| i.total).sum::<Money>();
        if !written.is_empty() {
            written.iter().for_each(|invoice| moved.invoice(invoice));
            ledger::write(s, tenant, &entries_for_invoices(&written), &mut moved).await?;
            let statements = statement::write(s, tenant, &written, held.next_statement).await?;
            let sql = "UPDATE tenants SET next_invoice = $2, next_statement = $3 WHERE tenant_id = $1";
            let next = args![tenant, held.next_invoice + report.invoices, held.next_statement + statements];
            s.execute(sql, next).await?;
            installation::write_fees(s, tenant, invoiced_fees, &written).await?;
        }
    }
    if !credit_notes.is_empty() {
        let written = credit::write(s, tenant, credit_notes, held.next_credit_note, &mut moved).await?;
        report.credit_notes = written.len() as u64;
        report.credited = written.iter().map(|n| n.total).sum::<Money>();
        let sql = "UPDATE tenants SET next_credit_note = $2 WHERE tenant_id = $1";
        s.execute(sql, args![tenant, held.next_credit_note + report.credit_notes]).await?;
    }
    subscription::write_former_terms(s, tenant, &former_terms).await?;
    subscription::write_terms(s, tenant, &terms).await?;
    master::check_archived(s, tenant, named.clone(), of_sites, of_routers).await?;
    subscription::check_usernames(s, tenant, named).await?;
    subscription::write_billed_from(s, tenant, &billed_from).await?;
    subscription::write_not_billed(s, tenant, &not_billed).await?;
    if let Some(position) = billing_position
        && held.billing_position.is_none_or(|before| before < position)
    {
        s.execute("UPDATE tenants SET billing_position = $2 WHERE tenant_id = $1", args![tenant, position]).await?;
    }
    if let Some(last_run) = last_run {
        s.execute("UPDATE tenants SET last_run_at = $2 WHERE tenant_id = $1", args![tenant, last_run]).await?;
    }

    payment::write(s, tenant, payments, &mut moved).await?;
    credit::write_write_offs(s, tenant, write_offs).await?;
    credit::write_deposits(s, tenant, deposits).await?;
    payment::settle(s, tenant, reversals, allocations, &mut moved).await?;
    refund::give_back(s, tenant, &refunds_back, &mut moved).await?;
    refund::write(s, tenant, refunds, &mut moved).await?;
    request::write(s, tenant, request_closings, payment_requests).await?;
    gateway::write(s, tenant, gateway_requests, payouts).await?;
    gateway_refund::write(s, tenant, gateway_refunds).await?;
    bank::write(s, tenant, bank).await?;

    proof::write(s, vault, tenant, proofs, proof_reviews).await?;
    access::write(s, tenant, access).await?;
    access::touch(s, tenant, touched).await?;
    access::write_events(s, tenant, access_events).await?;
    report.effects = outbox::write_effects(s, tenant, effects).await?;
    let given = messages.len() as u64;
    report.messages = outbox::write_messages(s, tenant, messages).await?;
    report.messages_known = given - report.messages;
    ledger::write(s, tenant, &journal, &mut moved).await?;
    sums::write(s, tenant, moved).await?;
    erasure::write(s, tenant, erasures).await?;
    let known = [("invoice.known", report.invoices_known), ("message.known", report.messages_known)];
    let known = known.into_iter().filter(|(_, count)| *count > 0);
    told.extend(known.map(|(what, count)| Change::count(what, count)));
    let entry = held.audit.sequence + 1;
    audit::append(s, tenant, held.audit, actor, &told).await?;
    Ok((report, (harmless && !told.is_empty()).then_some(entry)))
}

async fn lock(s: &mut dyn Session, tenant: TenantId) -> Result<Tenant, StoreError> {
    let sql = "SELECT next_invoice, next_credit_note, next_statement, billing_position, audit_sequence, audit_hash
        FROM tenants WHERE tenant_id = $1 FOR UPDATE";
    for _ in 0..2 {
        let row = first(s, "tenant", sql, args![tenant], |r| {
            Ok(Tenant {
                next_invoice: r.get()?,
                next_credit_note: r.get()?,
                next_statement: r.get()?,
                billing_position: r.get()?,
                audit: audit::read_head(r)?,
            })
        })
        .await?;
        if let Some(row) = row {
            return Ok(row);
        }
        let insert = "INSERT INTO tenants (tenant_id) VALUES ($1) ON CONFLICT (tenant_id) DO NOTHING";
        s.execute(insert, args![tenant]).await?;
    }
    Err(StoreError::Conflict)
}

/// The day up to which triggers were billed.
pub(crate) async fn billing_position(s: &mut dyn Session, tenant: TenantId) -> Result<Option<Date>, StoreError> {
    let sql = "SELECT billing_position FROM tenants WHERE tenant_id = $1";
    Ok(first(s, "tenant", sql, args![tenant], |r| r.get()).await?.flatten())
}

/// The number of the newest entry of the log of changes.
pub(crate) async fn newest_entry(s: &mut dyn Session, tenant: TenantId) -> Result<u64, StoreError> {
    let sql = "SELECT audit_sequence FROM tenants WHERE tenant_id = $1";
    Ok(first(s, "tenant", sql, args![tenant], |r| r.get()).await?.unwrap_or(0))
}

/// The moment of the last run.
pub(crate) async fn last_run(s: &mut dyn Session, tenant: TenantId) -> Result<Option<DateTime<Utc>>, StoreError> {
    let sql = "SELECT last_run_at FROM tenants WHERE tenant_id = $1";
    Ok(first(s, "tenant", sql, args![tenant], |r| r.get()).await?.flatten())
}
