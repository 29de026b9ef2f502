//! Promises, exemptions and outages, each with its ending; proofs of transfer among the facts of a decision.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use isp_core::calendar::Zone;
use isp_core::ids::{CustomerId, TenantId};
use isp_core::isolation::AccessFacts;
use isp_core::ports::StoreError;
use isp_core::protection::{Exemption, Outage, Promise, ProtectionTimes, Protections};
use uuid::Uuid;

use crate::session::{Session, readable_of};
use crate::value::{Reader, Value, args};
use crate::{ending, proof};

/// Adds the protections that had begun by a moment; the customers and sites of which one cannot be read.
pub(crate) async fn add(
    s: &mut dyn Session,
    tenant: TenantId,
    facts: &mut [AccessFacts],
    as_of: DateTime<Utc>,
) -> Result<HashSet<Uuid>, StoreError> {
    let ids = |mut ids: Vec<Uuid>| {
        ids.sort_unstable();
        ids.dedup();
        Value::Ids(ids)
    };
    let customers = ids(facts.iter().map(|f| f.customer_id.0).collect());
    let sites = ids(facts.iter().map(|f| f.site_id.0).collect());
    let begun = Value::Day(Zone::Wit.date_of(as_of));
    let some = "AND t.customer_id IN IDS(($2))";
    let args = || vec![Value::Id(tenant.0), customers.clone(), begun.clone()];
    let (promises, mut unclear) = promises(s, &format!("{some} AND t.made_on <= $3"), args()).await?;
    let (exemptions, more) = exemptions(s, &format!("{some} AND t.from_day <= $3"), args()).await?;
    unclear.extend(more);
    let args = vec![Value::Id(tenant.0), customers.clone(), Value::Moment(as_of)];
    let (proofs, more) = proof::proofs(s, &format!("{some} AND t.arrived_at <= $3"), args).await?;
    unclear.extend(more);
    let args = vec![Value::Id(tenant.0), sites, Value::Moment(as_of)];
    let (outages, more) = outages(s, "AND t.site_id IN IDS(($2)) AND t.from_at <= $3", args).await?;
    unclear.extend(more);
    let promises = grouped(promises, |p| (p.customer_id, p.days()));
    let exemptions = grouped(exemptions, |e| (e.customer_id, e.days()));
    let proofs = grouped(proofs, |p| (p.customer_id, p.times().collect::<Vec<_>>()));
    let outages = grouped(outages, |o| (o.site_id, o.times()));
    for fact in facts {
        fact.protections = Protections::from(ProtectionTimes {
            promises: promises.get(&fact.customer_id).cloned().unwrap_or_default(),
            exemptions: exemptions.get(&fact.customer_id).cloned().unwrap_or_default(),
            outages: outages.get(&fact.site_id).cloned().unwrap_or_default(),
            proofs: proofs.get(&fact.customer_id).map(|of| of.concat()).unwrap_or_default(),
        });
    }
    Ok(unclear)
}

/// All promises and exemptions, of one customer or of all.
pub(crate) async fn of(
    s: &mut dyn Session,
    tenant: TenantId,
    customer: Option<CustomerId>,
) -> Result<(Vec<Promise>, Vec<Exemption>), StoreError> {
    let only = if customer.is_some() { "AND t.customer_id = $2" } else { "" };
    let mut values = args![tenant];
    values.extend(customer.into_iter().flat_map(|c| args![c]));
    Ok((promises(s, only, values.clone()).await?.0, exemptions(s, only, values).await?.0))
}

/// All outages.
pub(crate) async fn all_outages(s: &mut dyn Session, tenant: TenantId) -> Result<Vec<Outage>, StoreError> {
    Ok(outages(s, "", args![tenant]).await?.0)
}

fn grouped<R, K: std::hash::Hash + Eq, T>(rows: Vec<R>, part: impl Fn(&R) -> (K, T)) -> HashMap<K, Vec<T>> {
    let mut groups: HashMap<K, Vec<T>> = HashMap::new();
    for row in &rows {
        let (key, part) = part(row);
        groups.entry(key).or_default().push(part);
    }
    groups
}

/// Rows, and the customers or sites of those that cannot be read.
type Readable<T> = Result<(Vec<T>, HashSet<Uuid>), StoreError>;

async fn promises(s: &mut dyn Session, only: &str, args: Vec<Value>) -> Readable<Promise> {
    let sql = select("t.promise_id, t.customer_id, t.made_on, t.until_day, t.taken_by", "promise", only);
    readable_of(s, "promise", &sql, args, 1, |r| {
        Ok(Promise {
            id: r.get()?,
            customer_id: r.get()?,
            made_on: r.get()?,
            until: r.get()?,
            by: r.get()?,
            ending: ending::read(r)?,
        })
    })
    .await
}

async fn exemptions(s: &mut dyn Session, only: &str, args: Vec<Value>) -> Readable<Exemption> {
    let columns = "t.exemption_id, t.customer_id, t.from_day, t.until_day, t.reason, t.granted_by";
    readable_of(s, "exemption", &select(columns, "exemption", only), args, 1, |r| {
        Ok(Exemption {
            id: r.get()?,
            customer_id: r.get()?,
            from: r.get()?,
            until: r.get()?,
            reason: r.get()?,
            by: r.get()?,
            ending: ending::read(r)?,
        })
    })
    .await
}

async fn outages(s: &mut dyn Session, only: &str, args: Vec<Value>) -> Readable<Outage> {
    let sql = select("t.outage_id, t.site_id, t.from_at, t.until_at, t.note", "outage", only);
    let read = |r: &mut Reader<'_>| {
        Ok(Outage {
            id: r.get()?,
            site_id: r.get()?,
            from: r.get()?,
            until: r.get()?,
            note: r.get()?,
            ending: ending::read(r)?,
        })
    };
    readable_of(s, "outage", &sql, args, 1, read).await
}

fn select(columns: &str, record: &str, only: &str) -> String {
    let join = ending::join(record, &format!("t.{record}_id"));
    format!(
        "SELECT {columns}, {} FROM {record}s t {join} WHERE t.tenant_id = $1 {only} ORDER BY t.{record}_id",
        ending::COLUMNS
    )
}
