//! Subscriptions and the terms they are billed by.

use std::collections::{BTreeMap, HashMap, HashSet};

use isp_core::billing::Billable;
use isp_core::calendar::{Date, Zone};
use isp_core::ids::{CustomerId, SiteId, SubscriptionId, TenantId};
use isp_core::isolation::{Access, ServiceAccess};
use isp_core::ports::{BillableQuery, PageQuery, StoreError};
use isp_core::report::{Alike, LinesSaid};
use isp_core::subscription::{BillingTerms, Subscription};
use isp_core::terms::FormerTerms;
use isp_core::text::Code;
use uuid::Uuid;

use crate::access;
use crate::customer::after;
use crate::encode;
use crate::error::rejected;
use crate::rows::upsert_each;
use crate::session::{Session, all, first, readable, readable_page};
use crate::table::{SUBSCRIPTIONS, named};
use crate::terms::{ACCOUNT, TERMS, TERMS_COLUMNS, password_place, read_account, read_terms, terms_values};
use crate::value::{Column as _, Reader, Value, args};
use crate::vault::Vault;

pub(crate) async fn write(
    s: &mut dyn Session,
    vault: &Vault,
    tenant: TenantId,
    subscriptions: Vec<Subscription>,
) -> Result<(), StoreError> {
    let name = |v: &Subscription| (v.id.0, v.router_id.map(|r| r.0), v.account.username.as_str().to_owned());
    let names: Vec<NameOn> = subscriptions.iter().map(name).collect();
    let row = |subscription: Subscription| {
        let Subscription { id, customer_id, site_id, router_id, account, terms } = subscription;
        let sealed = vault.seal(password_place(tenant, id), account.password.reveal())?;
        let mut row = args![tenant, id, customer_id, site_id, router_id, account.username, sealed];
        row.extend(terms_values(&terms));
        row.extend(args![account.service, account.address]);
        Ok(row)
    };
    let renamed = renamed(s, tenant, names).await?;
    upsert_each(s, &SUBSCRIPTIONS, subscriptions.into_iter().map(row)).await?;
    must_differ_in_letters(s, tenant, renamed).await
}

/// Those of some lines that are new on their router, or have another user name there than before.
async fn renamed(s: &mut dyn Session, tenant: TenantId, names: Vec<NameOn>) -> Result<Vec<Uuid>, StoreError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT subscription_id, router_id, username FROM subscriptions
        WHERE tenant_id = $1 AND subscription_id IN IDS(($2))";
    let ids = Value::Ids(names.iter().map(|(id, ..)| *id).collect());
    let read = |r: &mut Reader<'_>| Ok((r.get::<Uuid>()?, r.get()?, r.get::<Code>()?.as_str().to_owned()));
    let before: HashSet<NameOn> =
        all(s, "subscription", sql, vec![Value::Id(tenant.0), ids], read).await?.into_iter().collect();
    Ok(names.into_iter().filter(|name| name.1.is_some() && !before.contains(name)).map(|(id, ..)| id).collect())
}

/// Refuses user names that another line of the router has but for the case of its letters: RouterOS would take both, and
/// people would mean one.
async fn must_differ_in_letters(s: &mut dyn Session, tenant: TenantId, lines: Vec<Uuid>) -> Result<(), StoreError> {
    let twins = |one: &Placed, other: &Placed| other.ends.is_none() && other.username != one.username;
    must_not_meet(s, tenant, lines, "lower(username)", |one| Some(one.folded.as_str()), twins).await
}

/// Lines that are looked at at once: a row that the driver read is some hundred bytes.
const LINES_AT_ONCE: usize = 5_000;

/// A line, its router and its user name to the letter.
type NameOn = (Uuid, Option<Uuid>, String);

/// Lines that have one user name or one address on a router have no day of service in common: looked at once all of a commit is
/// written.
pub(crate) async fn check_usernames(s: &mut dyn Session, tenant: TenantId, ids: Vec<Uuid>) -> Result<(), StoreError> {
    must_not_meet(s, tenant, ids.clone(), "username", |one| Some(one.username.as_str()), Placed::serve_together)
        .await?;
    must_not_meet(s, tenant, ids, "ip_address", |one| one.address.as_deref(), Placed::serve_together).await
}

/// A line by what it must not share with another one of its router.
struct Placed {
    id: Uuid,
    router: Uuid,
    username: String,
    /// In small letters, as the database makes them.
    folded: String,
    address: Option<String>,
    starts: Date,
    ends: Option<Date>,
}

impl Placed {
    const COLUMNS: &str = "subscription_id, router_id, username, lower(username), ip_address, starts_on, ends_on";

    fn read(r: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: r.get()?,
            router: r.get()?,
            username: r.get()?,
            folded: r.get()?,
            address: r.get()?,
            starts: r.get()?,
            ends: r.get()?,
        })
    }

    /// Whether both have a day of service in common.
    fn serve_together(&self, other: &Self) -> bool {
        let within = |one: &Self, of: &Self| of.ends.is_none_or(|ends| of.starts < ends && one.starts < ends);
        within(self, other) && within(other, self)
    }
}

/// Refuses lines whose key stands at another line of their router, where both are found to `meet`. A self-join would say the same,
/// and takes the square of the lines of a router when the server plans it without knowing how many there are: in the commit
/// that brings them.
async fn must_not_meet(
    s: &mut dyn Session,
    tenant: TenantId,
    lines: Vec<Uuid>,
    column: &str,
    key: impl Fn(&Placed) -> Option<&str> + Sync,
    meet: impl Fn(&Placed, &Placed) -> bool + Sync,
) -> Result<(), StoreError> {
    for lines in lines.chunks(LINES_AT_ONCE) {
        some_must_not_meet(s, tenant, lines, column, &key, &meet).await?;
    }
    Ok(())
}

/// The same for some of the lines: each is compared with all of its router.
async fn some_must_not_meet(
    s: &mut dyn Session,
    tenant: TenantId,
    lines: &[Uuid],
    column: &str,
    key: &(impl Fn(&Placed) -> Option<&str> + Sync),
    meet: &(impl Fn(&Placed, &Placed) -> bool + Sync),
) -> Result<(), StoreError> {
    let columns = Placed::COLUMNS;
    let sql = format!(
        "SELECT {columns} FROM subscriptions
        WHERE tenant_id = $1 AND subscription_id IN IDS(($2)) AND router_id IS NOT NULL"
    );
    let args = vec![Value::Id(tenant.0), Value::Ids(lines.to_vec())];
    let mut routers: BTreeMap<Uuid, Vec<Placed>> = BTreeMap::new();
    for line in all(s, "subscription", &sql, args, Placed::read).await?.into_iter().filter(|line| key(line).is_some()) {
        routers.entry(line.router).or_default().push(line);
    }
    let sql = format!(
        "SELECT {columns} FROM subscriptions WHERE tenant_id = $1 AND router_id = $2 AND {column} IN TEXTS(($3))"
    );
    for (router, lines) in routers {
        let mut by_key: HashMap<&str, Vec<&Placed>> = HashMap::new();
        for line in &lines {
            by_key.entry(key(line).unwrap_or_default()).or_default().push(line);
        }
        let keys = by_key.keys().map(|key| (*key).to_owned()).collect();
        let args = vec![Value::Id(tenant.0), Value::Id(router), Value::Texts(keys)];
        for other in all(s, "subscription", &sql, args, Placed::read).await? {
            let same = key(&other).and_then(|key| by_key.get(key)).map_or(&[][..], Vec::as_slice);
            if same.iter().any(|line| line.id != other.id && meet(line, &other)) {
                return Err(StoreError::Duplicate { what: SUBSCRIPTIONS.duplicate });
            }
        }
    }
    Ok(())
}

/// Replaces terms.
pub(crate) async fn write_terms(
    s: &mut dyn Session,
    tenant: TenantId,
    terms: &[(SubscriptionId, BillingTerms)],
) -> Result<(), StoreError> {
    let sql = "UPDATE subscriptions SET package_id = $3, change_package_id = $4, change_from = $5, billing_day = $6,
            cycle_months = $7, timing = $8, starts_on = $9, ends_on = $10, paused_from = $11, held_price = $12,
            held_until = $13, discount_amount = $14, discount_percent = $15, discount_until = $16, billed_from = $17,
            charged_until = $18
        WHERE tenant_id = $1 AND subscription_id = $2";
    for (id, terms) in terms {
        let mut values = args![tenant, *id];
        values.extend(terms_values(terms));
        debug_assert_eq!(values.len(), 2 + TERMS_COLUMNS);
        if s.execute(sql, values).await.map_err(|e| named(e, &SUBSCRIPTIONS))? != 1 {
            return Err(rejected("it names a subscription that does not exist"));
        }
    }
    Ok(())
}

/// Keeps terms that are replaced.
pub(crate) async fn write_former_terms(
    s: &mut dyn Session,
    tenant: TenantId,
    former: &[FormerTerms],
) -> Result<(), StoreError> {
    // In two steps, while the tenant's row is held: a cluster behind a wall brings no row from a query into a table.
    let last = "SELECT COALESCE(MAX(place), 0) FROM former_terms WHERE tenant_id = $1 AND subscription_id = $2";
    let sql = "INSERT INTO former_terms (tenant_id, subscription_id, place, until, terms) VALUES ($1, $2, $3, $4, $5)";
    for FormerTerms { subscription_id, until, terms } in former {
        let place: i64 =
            first(s, "former terms", last, args![tenant, *subscription_id], |r| r.get()).await?.unwrap_or(0);
        s.execute(sql, args![tenant, *subscription_id, place + 1, *until, encode::json(terms)?]).await?;
    }
    Ok(())
}

/// The terms that lines had before.
pub(crate) async fn former_terms(
    s: &mut dyn Session,
    tenant: TenantId,
    lines: &[SubscriptionId],
) -> Result<Vec<FormerTerms>, StoreError> {
    let sql = "SELECT subscription_id, until, terms FROM former_terms
        WHERE tenant_id = $1 AND subscription_id IN IDS(($2)) ORDER BY subscription_id, place";
    let ids = Value::Ids(lines.iter().map(|id| id.0).collect());
    all(s, "former terms", sql, vec![Value::Id(tenant.0), ids], |r| {
        let (subscription_id, until) = (r.get()?, r.get()?);
        let terms = encode::read_json("former terms", &r.get::<String>()?)?;
        Ok(FormerTerms { subscription_id, until, terms })
    })
    .await
}

/// Sets the days from which subscriptions are billed.
pub(crate) async fn write_billed_from(
    s: &mut dyn Session,
    tenant: TenantId,
    marks: &[(SubscriptionId, Option<Date>)],
) -> Result<(), StoreError> {
    if marks.is_empty() {
        return Ok(());
    }
    let sql = "WITH v (id, day) AS (VALUES {rows})
        UPDATE subscriptions SET billed_from = v.day FROM v WHERE tenant_id = $1 AND subscription_id = v.id";
    let last: std::collections::BTreeMap<_, _> = marks.iter().copied().collect();
    let count = last.len() as u64;
    let rows = last.into_iter().flat_map(|(id, day)| args![id, day]).collect();
    if s.execute_rows(sql, args![tenant], 2, rows).await? == count {
        Ok(())
    } else {
        Err(rejected("it names a subscription that does not exist"))
    }
}

/// Marks subscriptions that could not be read, so that they are billed from a day on when they can be.
pub(crate) async fn write_not_billed(
    s: &mut dyn Session,
    tenant: TenantId,
    marks: &[(SubscriptionId, Date)],
) -> Result<(), StoreError> {
    let sql = "UPDATE subscriptions SET billed_from = $3
        WHERE tenant_id = $1 AND subscription_id = $2 AND (billed_from IS NULL OR billed_from > $3)";
    for (id, day) in marks {
        s.execute(sql, args![tenant, *id, *day]).await?;
    }
    Ok(())
}

/// A page of the lines that a run of billing looks at.
///
/// The billing days are a list in the text and the zones are asked for by themselves, so that a server sees how many lines it will find
/// and reads them in the order of their key. Of a sum over bits it guesses that it finds hardly any, and sorts all lines for each page.
pub(crate) async fn billable(
    s: &mut dyn Session,
    tenant: TenantId,
    query: BillableQuery,
    page: PageQuery<SubscriptionId>,
) -> Result<Vec<Billable>, StoreError> {
    let zones = zones(s, tenant).await?;
    let sql = format!(
        "SELECT s.subscription_id, s.customer_id, s.site_id, {TERMS} FROM subscriptions s
        WHERE s.tenant_id = $1 AND s.subscription_id > $2
            AND ({}s.billed_from IS NOT NULL OR s.ends_on >= $3)
        ORDER BY s.subscription_id LIMIT $4",
        on_days(query.days)
    );
    let args = args![tenant, after(page.after.map(|id| id.0)), query.ends_from, page.limit];
    readable_page(s, "subscription", &sql, args, (1, 3), |r| read_billable(r, &zones)).await
}

/// What a run of billing needs to know of these lines, in no order; those that cannot be read are left out.
pub(crate) async fn billable_of(
    s: &mut dyn Session,
    tenant: TenantId,
    lines: impl Iterator<Item = SubscriptionId>,
) -> Result<Vec<Billable>, StoreError> {
    let zones = zones(s, tenant).await?;
    let sql = format!(
        "SELECT s.subscription_id, s.customer_id, s.site_id, {TERMS} FROM subscriptions s WHERE s.tenant_id = $1 AND s.subscription_id IN IDS(($2))"
    );
    let args = vec![Value::Id(tenant.0), Value::Ids(lines.map(|id| id.0).collect())];
    readable(s, "subscription", &sql, args, |r| read_billable(r, &zones)).await
}

/// The zones of a provider's sites, or why one cannot be read.
type Zones = HashMap<SiteId, Result<Zone, String>>;

async fn zones(s: &mut dyn Session, tenant: TenantId) -> Result<Zones, StoreError> {
    let sql = "SELECT site_id, zone FROM sites WHERE tenant_id = $1";
    let zones = all(s, "site", sql, args![tenant], |r| Ok((r.get::<SiteId>()?, r.get::<String>()?))).await?;
    Ok(zones.into_iter().map(|(site, zone)| (site, Zone::from_value(Value::Text(zone)))).collect())
}

fn read_billable(r: &mut Reader<'_>, zones: &Zones) -> Result<Billable, StoreError> {
    let (subscription_id, customer_id, site_id) = (r.get()?, r.get()?, r.get()?);
    let zone = match zones.get(&site_id) {
        Some(zone) => zone.clone().map_err(|reason| r.corrupt(&format!("the zone of its site: {reason}")))?,
        None => return Err(r.corrupt("its site is not there")),
    };
    Ok(Billable { subscription_id, customer_id, site_id, zone, terms: read_terms(r)? })
}

/// The condition that a line has one of these billing days, a bit each, and an "or" behind it.
fn on_days(days: u32) -> String {
    let days: Vec<String> = (1..=31).filter(|day| days >> day & 1 == 1).map(|day: u32| day.to_string()).collect();
    if days.is_empty() { String::new() } else { format!("s.billing_day IN ({}) OR ", days.join(", ")) }
}

fn select() -> String {
    format!(
        "SELECT s.subscription_id, s.customer_id, s.site_id, s.router_id, {ACCOUNT}, {TERMS}, {}
        FROM subscriptions s
            LEFT JOIN service_access a ON a.tenant_id = s.tenant_id AND a.subscription_id = s.subscription_id",
        access::COLUMNS
    )
}

fn read(vault: &Vault, tenant: TenantId, r: &mut Reader<'_>) -> Result<(Subscription, ServiceAccess), StoreError> {
    let (id, customer_id, site_id, router_id) = (r.get()?, r.get()?, r.get()?, r.get()?);
    let account = read_account(r, |sealed| vault.open_or_hide(password_place(tenant, id), sealed))?;
    let terms = read_terms(r)?;
    let access = access::read(r, id)?;
    Ok((Subscription { id, customer_id, site_id, router_id, account, terms }, access))
}

pub(crate) async fn page(
    s: &mut dyn Session,
    vault: &Vault,
    tenant: TenantId,
    customer: Option<CustomerId>,
    page: PageQuery<SubscriptionId>,
) -> Result<Vec<(Subscription, ServiceAccess)>, StoreError> {
    let only = if customer.is_some() { "AND s.customer_id = $4" } else { "" };
    let sql = format!(
        "{} WHERE s.tenant_id = $1 AND s.subscription_id > $2 {only} ORDER BY s.subscription_id LIMIT $3",
        select()
    );
    let mut args = args![tenant, after(page.after.map(|id| id.0)), page.limit];
    args.extend(customer.into_iter().flat_map(|c| args![c]));
    readable_page(s, "subscription", &sql, args, (1, 2), |r| read(vault, tenant, r)).await
}

/// The lines of these customers, in no order.
pub(crate) async fn of_customers(
    s: &mut dyn Session,
    vault: &Vault,
    tenant: TenantId,
    customers: Value,
) -> Result<Vec<(Subscription, ServiceAccess)>, StoreError> {
    let sql = format!("{} WHERE s.tenant_id = $1 AND s.customer_id IN IDS(($2))", select());
    readable(s, "subscription", &sql, vec![Value::Id(tenant.0), customers], |r| read(vault, tenant, r)).await
}

/// How many lines are wanted in which access, and what their routers said.
pub(crate) async fn said(s: &mut dyn Session, tenant: TenantId) -> Result<Vec<LinesSaid>, StoreError> {
    // An access that lacks one of these columns is read as none, closed and of no revision.
    let sql = "SELECT g.desired, g.routed, g.said, g.fresh, COUNT(*) FROM (
            SELECT CASE WHEN a.revision IS NOT NULL AND a.version IS NOT NULL THEN a.desired END AS desired,
                s.router_id IS NOT NULL AS routed, CASE WHEN a.observed_at IS NOT NULL THEN a.observed_access END AS said,
                a.observed_at IS NOT NULL AND COALESCE(a.observed_revision, 0) = a.revision AS fresh
            FROM subscriptions s
                LEFT JOIN service_access a ON a.tenant_id = $1 AND a.subscription_id = s.subscription_id
            WHERE s.tenant_id = $1) g
        GROUP BY g.desired, g.routed, g.said, g.fresh";
    all(s, "subscription", sql, args![tenant], |r| {
        let (desired, routed, said, current) =
            (r.get::<Option<Access>>()?, r.get()?, r.get()?, r.get::<Option<bool>>()?);
        let known = desired.is_some();
        let (said, current) = (if known { said } else { None }, known && current.unwrap_or(false));
        Ok(LinesSaid::new(desired.unwrap_or(Access::Closed), routed, said, current, r.get()?))
    })
    .await
}

/// How many lines have the same package, prices, days of service and wanted access.
pub(crate) async fn alike(s: &mut dyn Session, tenant: TenantId) -> Result<Vec<Alike>, StoreError> {
    // What stands for the columns that nobody asks here fits the reader of terms.
    let sql = "SELECT s.package_id, s.change_package_id, s.change_from, MIN(s.billing_day), MIN(s.cycle_months), MIN(s.timing),
            s.starts_on, s.ends_on, s.paused_from, s.held_price, s.held_until, CAST(NULL AS BIGINT), CAST(NULL AS SMALLINT),
            CAST(NULL AS DATE), CAST(NULL AS DATE), CAST(NULL AS DATE), a.desired, COUNT(*)
        FROM subscriptions s
            LEFT JOIN service_access a ON a.tenant_id = s.tenant_id AND a.subscription_id = s.subscription_id
        WHERE s.tenant_id = $1
        GROUP BY s.package_id, s.change_package_id, s.change_from, s.starts_on, s.ends_on, s.paused_from, s.held_price,
            s.held_until, a.desired";
    all(s, "subscription", sql, args![tenant], |r| {
        let terms = read_terms(r)?;
        // A line without a row of access has none yet.
        Ok(Alike { terms, desired: r.get::<Option<Access>>()?.unwrap_or(Access::Closed), count: r.get()? })
    })
    .await
}
