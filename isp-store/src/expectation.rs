//! Whether what a commit was decided from still holds.

use std::collections::HashMap;
use std::sync::Arc;

use isp_core::billing::Billable;
use isp_core::ids::{CustomerId, SubscriptionId, TenantId};
use isp_core::ledger::{JournalEntry, cover};
use isp_core::money::Money;
use isp_core::ports::{Expectation, StoreError};

use crate::seen::Seen;
use crate::session::{Session, first};
use crate::value::args;
use crate::{credit, gateway, ledger, master, proof, subscription};

/// Fails with [`StoreError::Conflict`] when anything no longer holds. The tenant's row is locked, so nobody changes it any more.
pub(crate) async fn check(
    s: &mut dyn Session,
    tenant: TenantId,
    expected: &[Expectation],
    journal: &[JournalEntry],
    (seen, entry): (&Seen, u64),
) -> Result<(), StoreError> {
    for expected in expected {
        if !holds(s, tenant, expected, journal, (seen, entry)).await? {
            return Err(StoreError::Conflict);
        }
    }
    Ok(())
}

async fn holds(
    s: &mut dyn Session,
    tenant: TenantId,
    expected: &Expectation,
    journal: &[JournalEntry],
    (seen, entry): (&Seen, u64),
) -> Result<bool, StoreError> {
    Ok(match expected {
        Expectation::Covered(account) => match cover::taken_from(*account, journal) {
            None => true,
            Some(from) => {
                let days = ledger::account_days(s, tenant, *account, from).await?;
                cover::short(*account, &days, journal).is_none()
            }
        },
        Expectation::CollectorHolds(collector, least) => {
            let all = credit::collectors(s, tenant).await?;
            all.iter().find(|of| of.collector == *collector).map_or(Money::ZERO, |of| of.holds()) >= *least
        }
        Expectation::GatewayHolds(gateway, least) => {
            let all = gateway::balances(s, tenant).await?;
            all.iter().find(|of| of.gateway == *gateway).map_or(Money::ZERO, |of| of.holds()) >= *least
        }
        Expectation::Payments(customer, most) => rows_of(s, tenant, "payments", *customer).await? <= *most,
        Expectation::Promises(customer, most) => rows_of(s, tenant, "promises", *customer).await? <= *most,
        Expectation::CreditNotes(customer, most) => rows_of(s, tenant, "credit_notes", *customer).await? <= *most,
        Expectation::Installations(customer, most) => {
            rows_of(s, tenant, "installation_orders", *customer).await? <= *most
        }
        Expectation::Mutations(account, (from, until), most) => {
            let sql = "SELECT COUNT(*) FROM mutations
                WHERE tenant_id = $1 AND account = $2 AND happened_on BETWEEN $3 AND $4";
            let values = args![tenant, account.folded(), *from, *until];
            first(s, "mutation", sql, values, |r| r.get()).await?.unwrap_or(0_u64) <= *most
        }
        Expectation::ProofsWaiting(customer, most) => proof::waiting(s, tenant, Some(*customer)).await?.0 <= *most,
        Expectation::Lines(lines) => {
            seen.still(tenant, entry).iter().any(|page| Arc::ptr_eq(page, lines)) || are(s, tenant, lines).await?
        }
        Expectation::Packages(packages) => {
            let held = seen.still_packages(tenant, entry, packages) || master::packages(s, tenant).await? == **packages;
            if held {
                seen.packages(tenant, entry, packages);
            }
            held
        }
    })
}

/// Whether lines are as they were read.
async fn are(s: &mut dyn Session, tenant: TenantId, lines: &[Billable]) -> Result<bool, StoreError> {
    let now = subscription::billable_of(s, tenant, lines.iter().map(|line| line.subscription_id)).await?;
    let now: HashMap<SubscriptionId, Billable> = now.into_iter().map(|line| (line.subscription_id, line)).collect();
    Ok(lines.iter().all(|line| now.get(&line.subscription_id) == Some(line)))
}

/// How many rows of a table are a customer's.
async fn rows_of(
    s: &mut dyn Session,
    tenant: TenantId,
    table: &'static str,
    customer: CustomerId,
) -> Result<u64, StoreError> {
    let sql = format!("SELECT COUNT(*) FROM {table} WHERE tenant_id = $1 AND customer_id = $2");
    Ok(first(s, table, &sql, args![tenant, customer], |r| r.get()).await?.unwrap_or_default())
}
