//! Proofs of transfer with their sealed files and their reviews.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use isp_core::ids::{CustomerId, InvoiceId, ProofId, TenantId};
use isp_core::money::Money;
use isp_core::ports::StoreError;
use isp_core::protection::proof::Verdict;
use isp_core::protection::{Proof, ProofContent, ProofFile, Review};
use uuid::Uuid;

use crate::rows::{append, must_exist};
use crate::session::{Session, all, first, readable_of};
use crate::table::{PROOF_FILES, PROOF_INVOICES, PROOF_REVIEWS, PROOFS};
use crate::value::{Reader, Value, args};
use crate::vault::{Place, Vault};

fn place(tenant: TenantId, proof: ProofId) -> Place {
    Place { table: "proof_files", column: "content", tenant, row: proof.0 }
}

pub(crate) async fn write(
    s: &mut dyn Session,
    vault: &Vault,
    tenant: TenantId,
    proofs: Vec<(Proof, ProofContent)>,
    reviews: Vec<(ProofId, Review)>,
) -> Result<(), StoreError> {
    let (mut rows, mut invoices, mut files) = (Vec::new(), Vec::new(), Vec::new());
    for (proof, content) in proofs {
        files.push(args![tenant, proof.id, vault.seal_bytes(place(tenant, proof.id), content.reveal())?]);
        invoices.extend(proof.invoices.into_iter().map(|invoice| args![tenant, proof.id, invoice]));
        let ProofFile { name, kind, size, sha256 } = proof.file;
        let (at, by) = (proof.arrived_at, proof.by);
        rows.push(args![tenant, proof.id, proof.customer_id, proof.amount, at, by, name, kind, size, sha256]);
    }
    append(s, &PROOFS, rows).await?;
    append(s, &PROOF_INVOICES, invoices).await?;
    append(s, &PROOF_FILES, files).await?;
    must_exist(s, tenant, &PROOFS, reviews.iter().map(|(id, _)| id.0).collect()).await?;
    let rows = reviews.into_iter().map(|(id, Review { verdict, at, by, reason })| {
        let (state, payment) = match verdict {
            Verdict::Accepted(payment) => ("accepted", Some(payment)),
            Verdict::Rejected => ("rejected", None),
            Verdict::TakenBack => ("taken_back", None),
        };
        args![tenant, id, state.to_owned(), payment, at, by, reason]
    });
    append(s, &PROOF_REVIEWS, rows.collect()).await
}

/// How many proofs of one customer or of all wait for review, and over how much.
pub(crate) async fn waiting(
    s: &mut dyn Session,
    tenant: TenantId,
    customer: Option<CustomerId>,
) -> Result<(u64, Money), StoreError> {
    let only = if customer.is_some() { "AND t.customer_id = $2" } else { "" };
    let sql = format!(
        "SELECT COUNT(*), CAST(COALESCE(SUM(t.amount), 0) AS BIGINT) FROM proofs t
        WHERE t.tenant_id = $1 {only} AND NOT EXISTS
            (SELECT 1 FROM proof_reviews r WHERE r.tenant_id = t.tenant_id AND r.proof_id = t.proof_id)"
    );
    let mut values = args![tenant];
    values.extend(customer.into_iter().flat_map(|c| args![c]));
    let counted = first(s, "proof", &sql, values, |r| Ok((r.get()?, r.get()?))).await?;
    Ok(counted.unwrap_or_default())
}

/// The proof with an id.
pub(crate) async fn one(s: &mut dyn Session, tenant: TenantId, id: ProofId) -> Result<Option<Proof>, StoreError> {
    Ok(proofs(s, "AND t.proof_id = $2", args![tenant, id]).await?.0.pop())
}

/// The proofs of one customer or of all, in id order.
pub(crate) async fn of(
    s: &mut dyn Session,
    tenant: TenantId,
    customer: Option<CustomerId>,
) -> Result<Vec<Proof>, StoreError> {
    let only = if customer.is_some() { "AND t.customer_id = $2" } else { "" };
    let mut values = args![tenant];
    values.extend(customer.into_iter().flat_map(|c| args![c]));
    Ok(proofs(s, only, values).await?.0)
}

/// The proofs that a condition picks, in id order; and the customers of those that cannot be read.
pub(crate) async fn proofs(
    s: &mut dyn Session,
    only: &str,
    args: Vec<Value>,
) -> Result<(Vec<Proof>, HashSet<Uuid>), StoreError> {
    let sql = format!(
        "SELECT t.proof_id, t.customer_id, t.amount, t.arrived_at, t.taken_by, t.file_name, t.file_kind, t.file_size,
            t.sha256, r.state, r.payment_id, r.reviewed_at, r.reviewed_by, r.reason
        FROM proofs t LEFT JOIN proof_reviews r ON r.tenant_id = t.tenant_id AND r.proof_id = t.proof_id
        WHERE t.tenant_id = $1 {only} ORDER BY t.proof_id"
    );
    let (mut found, unclear) = readable_of(s, "proof", &sql, args.clone(), 1, read).await?;
    if found.is_empty() {
        return Ok((found, unclear));
    }
    let sql = format!(
        "SELECT i.proof_id, i.invoice_id FROM proofs t
            JOIN proof_invoices i ON i.tenant_id = t.tenant_id AND i.proof_id = t.proof_id
        WHERE t.tenant_id = $1 {only} ORDER BY i.proof_id, i.invoice_id"
    );
    let mut invoices: HashMap<ProofId, Vec<InvoiceId>> = HashMap::new();
    for (proof, invoice) in all(s, "proof", &sql, args, |r| Ok((r.get::<ProofId>()?, r.get()?))).await? {
        invoices.entry(proof).or_default().push(invoice);
    }
    for proof in &mut found {
        proof.invoices = invoices.remove(&proof.id).unwrap_or_default();
    }
    Ok((found, unclear))
}

fn read(r: &mut Reader<'_>) -> Result<Proof, StoreError> {
    let (id, customer_id, amount, arrived_at, by) = (r.get()?, r.get()?, r.get()?, r.get()?, r.get()?);
    let file = ProofFile { name: r.get()?, kind: r.get()?, size: r.get()?, sha256: r.get()? };
    let (state, payment) = (r.get::<Option<String>>()?, r.get()?);
    let said = (r.get()?, r.get()?, r.get()?);
    let verdict = match (state.as_deref(), payment) {
        (None, _) => None,
        (Some("accepted"), Some(payment)) => Some(Verdict::Accepted(payment)),
        (Some("rejected"), None) => Some(Verdict::Rejected),
        (Some("taken_back"), None) => Some(Verdict::TakenBack),
        _ => return Err(r.corrupt("its review makes no sense")),
    };
    let review = match (verdict, said) {
        (Some(verdict), (Some(at), Some(by), Some(reason))) => Some(Review { verdict, at, by, reason }),
        _ => None,
    };
    Ok(Proof { id, customer_id, invoices: Vec::new(), amount, arrived_at, by, file, review })
}

/// Removes the files of proofs that were reviewed before a moment; the proofs stay.
pub(crate) async fn forget_files(
    s: &mut dyn Session,
    tenant: TenantId,
    reviewed_before: DateTime<Utc>,
    limit: u32,
) -> Result<u64, StoreError> {
    let sql = "DELETE FROM proof_files WHERE tenant_id = $1 AND proof_id IN (
        SELECT f.proof_id FROM proof_files f
            JOIN proof_reviews r ON r.tenant_id = f.tenant_id AND r.proof_id = f.proof_id
        WHERE f.tenant_id = $1 AND r.reviewed_at < $2 ORDER BY f.proof_id LIMIT $3)";
    s.execute(sql, args![tenant, reviewed_before, limit]).await
}

pub(crate) async fn content(
    s: &mut dyn Session,
    vault: &Vault,
    tenant: TenantId,
    proof: ProofId,
) -> Result<Option<ProofContent>, StoreError> {
    let sql = "SELECT content_sealed FROM proof_files WHERE tenant_id = $1 AND proof_id = $2";
    let sealed: Option<Vec<u8>> = first(s, "proof file", sql, args![tenant, proof], |r| r.get()).await?;
    sealed.map(|sealed| vault.open_bytes(place(tenant, proof), &sealed).map(ProofContent::new)).transpose()
}
