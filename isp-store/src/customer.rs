//! Customers.

use isp_core::customer::{Customer, Nik};
use isp_core::ids::{CustomerId, TenantId};
use isp_core::ports::{PageQuery, StoreError};
use isp_core::text::Code;
use uuid::Uuid;

use crate::encode;
use crate::rows::upsert_each;
use crate::session::{Session, all, first, readable, readable_by, readable_page};
use crate::table::CUSTOMERS;
use crate::value::{Kind, Reader, Value, args};
use crate::vault::{Place, Vault};

const COLUMNS: &str = "customer_id, code, name, nik_sealed, address, phone, language, invoicing, latitude, longitude";

fn nik_place(tenant: TenantId, customer: CustomerId) -> Place {
    Place { table: "customers", column: "nik", tenant, row: customer.0 }
}

pub(crate) async fn write(
    s: &mut dyn Session,
    vault: &Vault,
    tenant: TenantId,
    customers: Vec<Customer>,
) -> Result<(), StoreError> {
    let row = |customer: Customer| {
        let Customer { id, code, name, nik, address, phone, language, invoicing, coordinates } = customer;
        let nik = nik.as_ref().map(Nik::reveal);
        let sealed = nik.map(|nik| vault.seal(nik_place(tenant, id), nik)).transpose()?;
        let index = nik.and_then(|nik| vault.blind_index(tenant, nik));
        let key = code.folded();
        let (north, east) = encode::degrees(coordinates);
        Ok(args![tenant, id, code, name, sealed, index, address, phone, language, invoicing, key, north, east])
    };
    upsert_each(s, &CUSTOMERS, customers.into_iter().map(row)).await
}

fn read(r: &mut Reader<'_>, vault: &Vault, tenant: TenantId) -> Result<Customer, StoreError> {
    let (id, code, name) = (r.get()?, r.get()?, r.get()?);
    let nik = match r.get::<Option<Vec<u8>>>()? {
        Some(_) if vault.is_locked() => None,
        Some(sealed) => {
            let clear = vault.open(nik_place(tenant, id), &sealed)?;
            Some(Nik::parse(clear.reveal()).map_err(|_| r.corrupt("its NIK is none"))?)
        }
        None => None,
    };
    let (address, phone, language, invoicing) = (r.get()?, r.get()?, r.get()?, r.get()?);
    let coordinates = encode::coordinates(r)?;
    Ok(Customer { id, code, name, nik, address, phone, language, invoicing, coordinates })
}

pub(crate) async fn by_id(
    s: &mut dyn Session,
    vault: &Vault,
    tenant: TenantId,
    id: CustomerId,
) -> Result<Option<Customer>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM customers WHERE tenant_id = $1 AND customer_id = $2");
    first(s, "customer", &sql, args![tenant, id], |r| read(r, vault, tenant)).await
}

pub(crate) async fn by_code(
    s: &mut dyn Session,
    vault: &Vault,
    tenant: TenantId,
    code: &Code,
) -> Result<Option<Customer>, StoreError> {
    // One that is written exactly so first: a database of old may hold two that differ in case only.
    let sql = format!(
        "SELECT {COLUMNS} FROM customers WHERE tenant_id = $1 AND (code = $2 OR code_key = $3)
        ORDER BY CASE WHEN code = $2 THEN 0 ELSE 1 END LIMIT 1"
    );
    first(s, "customer", &sql, args![tenant, code.clone(), code.folded()], |r| read(r, vault, tenant)).await
}

/// All whose code is this one, whatever the case. The key of a second one of old has a blank and its id behind it, so it stands between
/// the key and the key with a blank and a `g`, in any order of letters.
pub(crate) async fn alike(
    s: &mut dyn Session,
    vault: &Vault,
    tenant: TenantId,
    code: &Code,
) -> Result<Vec<Customer>, StoreError> {
    let key = code.folded();
    let sql = format!(
        "SELECT {COLUMNS} FROM customers WHERE tenant_id = $1 AND code_key >= $2 AND code_key < $3
        AND (code_key = $2 OR code_key LIKE $4) ORDER BY customer_id"
    );
    let args = args![tenant, key.clone(), format!("{key} g"), format!("{key} %")];
    let mut found = all(s, "customer", &sql, args, |r| read(r, vault, tenant)).await?;
    // A `_` stands for any sign there.
    found.retain(|customer| customer.code.folded() == key);
    Ok(found)
}

/// The codes of some customers, without what is sealed.
pub(crate) async fn codes(
    s: &mut dyn Session,
    tenant: TenantId,
    ids: &[CustomerId],
) -> Result<Vec<(CustomerId, Code)>, StoreError> {
    let sql = "SELECT customer_id, code FROM customers WHERE tenant_id = $1 AND customer_id IN IDS(($2))
        ORDER BY customer_id";
    let args = vec![Value::Id(tenant.0), Value::Ids(ids.iter().map(|id| id.0).collect())];
    all(s, "customer", sql, args, |r| Ok((r.get()?, r.get()?))).await
}

/// Some customers; one whose row was damaged is left out, as in a page.
pub(crate) async fn of(
    s: &mut dyn Session,
    vault: &Vault,
    tenant: TenantId,
    ids: &[CustomerId],
) -> Result<Vec<Customer>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM customers WHERE tenant_id = $1 AND customer_id IN IDS(($2)) ORDER BY customer_id"
    );
    let args = vec![Value::Id(tenant.0), Value::Ids(ids.iter().map(|id| id.0).collect())];
    readable(s, "customer", &sql, args, |r| read(r, vault, tenant)).await
}

pub(crate) async fn by_nik(
    s: &mut dyn Session,
    vault: &Vault,
    tenant: TenantId,
    nik: &Nik,
) -> Result<Vec<Customer>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM customers WHERE tenant_id = $1 AND nik_index = $2 ORDER BY customer_id");
    let mut found = Vec::new();
    for index in vault.blind_indexes(tenant, nik.reveal()) {
        found.extend(all(s, "customer", &sql, args![tenant, index], |r| read(r, vault, tenant)).await?);
    }
    Ok(found)
}

pub(crate) async fn page(
    s: &mut dyn Session,
    vault: &Vault,
    tenant: TenantId,
    page: PageQuery<CustomerId>,
) -> Result<Vec<Customer>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM customers WHERE tenant_id = $1 AND customer_id > $2 ORDER BY customer_id LIMIT $3"
    );
    readable_page(s, "customer", &sql, args![tenant, after(page.after.map(|id| id.0)), page.limit], (1, 2), |r| {
        read(r, vault, tenant)
    })
    .await
}

/// A page in the order of the codes' bytes.
pub(crate) async fn page_from(
    s: &mut dyn Session,
    vault: &Vault,
    tenant: TenantId,
    after: Option<&Code>,
    limit: u32,
) -> Result<Vec<Customer>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM customers WHERE tenant_id = $1 AND code COLLATE \"C\" > $2
        ORDER BY code COLLATE \"C\" LIMIT $3"
    );
    let args = args![tenant, after.map(ToString::to_string).unwrap_or_default(), limit];
    readable_by(s, "customer", &sql, args, (&[(1, 1, Kind::Text)], 2), |r| read(r, vault, tenant)).await
}

/// The id after which a page begins. No row has the nil id: ids are version 5, 7 or 8.
pub(crate) fn after(id: Option<Uuid>) -> Uuid {
    id.unwrap_or_default()
}
