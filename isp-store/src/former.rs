//! Accounts that lines have left on routers.

use chrono::{DateTime, Utc};
use isp_core::ids::{CustomerId, RouterId, SubscriptionId, TenantId};
use isp_core::isolation::AccessTarget;
use isp_core::package::{Speed, UserGroup};
use isp_core::ports::StoreError;
use isp_core::subscription::Account;
use isp_core::terms::account::FormerAccount;

use crate::session::{Session, all};
use crate::table::FORMER_ACCOUNTS;
use crate::terms::{password_place, read_account};
use crate::value::{Value, args};
use crate::vault::Vault;

pub(crate) async fn write(
    s: &mut dyn Session,
    tenant: TenantId,
    accounts: Vec<FormerAccount>,
) -> Result<(), StoreError> {
    if accounts.is_empty() {
        return Ok(());
    }
    let rows = accounts
        .into_iter()
        .flat_map(|a| {
            let closed_at = None::<DateTime<Utc>>;
            args![tenant, a.subscription_id, a.router_id, a.username, a.service, a.address, a.left_at, closed_at]
        })
        .collect();
    s.execute_rows(&FORMER_ACCOUNTS.upsert_sql(), Vec::new(), FORMER_ACCOUNTS.columns.len(), rows).await.map(drop)
}

/// What is to be closed on a router of what these lines have left.
pub(crate) async fn targets(
    s: &mut dyn Session,
    vault: &Vault,
    tenant: TenantId,
    router: RouterId,
    lines: &[SubscriptionId],
) -> Result<Vec<AccessTarget>, StoreError> {
    let sql = "SELECT f.subscription_id, f.username, s.password_sealed, f.service, f.ip_address, k.group_name, k.down_kbps, k.up_kbps,
            COALESCE(a.revision, 0), e.customer_id
        FROM former_accounts f
            JOIN subscriptions s ON s.tenant_id = f.tenant_id AND s.subscription_id = f.subscription_id
            JOIN packages k ON k.tenant_id = s.tenant_id AND k.package_id = s.package_id
            LEFT JOIN service_access a ON a.tenant_id = s.tenant_id AND a.subscription_id = s.subscription_id
            LEFT JOIN erasures e ON e.tenant_id = s.tenant_id AND e.customer_id = s.customer_id
        WHERE f.tenant_id = $1 AND f.router_id = $2 AND f.subscription_id IN IDS(($3)) AND f.closed_at IS NULL
            AND NOT EXISTS (
            SELECT 1 FROM subscriptions o WHERE o.tenant_id = f.tenant_id AND o.router_id = f.router_id
                AND o.username = f.username AND o.service = f.service AND o.ends_on IS NULL)
        ORDER BY f.subscription_id, f.username, f.service";
    let ids = Value::Ids(lines.iter().map(|id| id.0).collect());
    all(s, "former account", sql, vec![Value::Id(tenant.0), Value::Id(router.0), ids], |r| {
        let subscription_id = r.get()?;
        let account = read_account(r, |sealed| vault.open(password_place(tenant, subscription_id), sealed))?;
        Ok(AccessTarget {
            subscription_id,
            router_id: router,
            account,
            group: UserGroup { name: r.get()?, speed: Speed { down_kbps: r.get()?, up_kbps: r.get()? } },
            desired: isp_core::isolation::Access::Closed,
            revision: r.get()?,
            adopt: false,
            succeeds: Vec::new(),
            left: true,
            forget: r.get::<Option<CustomerId>>()?.is_some(),
        })
    })
    .await
}

/// All that the lines of a customer have left.
pub(crate) async fn of(
    s: &mut dyn Session,
    tenant: TenantId,
    customer: CustomerId,
) -> Result<Vec<FormerAccount>, StoreError> {
    let sql = "SELECT f.subscription_id, f.router_id, f.username, f.service, f.ip_address, f.left_at
        FROM former_accounts f
            JOIN subscriptions s ON s.tenant_id = f.tenant_id AND s.subscription_id = f.subscription_id
        WHERE s.tenant_id = $1 AND s.customer_id = $2
        ORDER BY f.subscription_id, f.router_id, f.username, f.service";
    all(s, "former account", sql, args![tenant, customer], |r| {
        Ok(FormerAccount {
            subscription_id: r.get()?,
            router_id: r.get()?,
            username: r.get()?,
            service: r.get()?,
            address: r.get()?,
            left_at: r.get()?,
        })
    })
    .await
}

/// Keeps that the router closed one, or forgets it with the person.
pub(crate) async fn closed(
    s: &mut dyn Session,
    tenant: TenantId,
    router: RouterId,
    line: SubscriptionId,
    account: &Account,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = "UPDATE former_accounts SET closed_at = $5
        WHERE tenant_id = $1 AND router_id = $2 AND subscription_id = $3 AND username = $4 AND service = $6";
    s.execute(sql, args![tenant, router, line, account.username.clone(), at, account.service]).await?;
    let gone = "DELETE FROM former_accounts WHERE tenant_id = $1 AND router_id = $2 AND subscription_id = $3
        AND username = $4 AND service = $5 AND EXISTS (
        SELECT 1 FROM subscriptions s JOIN erasures e ON e.tenant_id = s.tenant_id AND e.customer_id = s.customer_id
        WHERE s.tenant_id = $1 AND s.subscription_id = $3)";
    s.execute(gone, args![tenant, router, line, account.username.clone(), account.service]).await.map(drop)
}
