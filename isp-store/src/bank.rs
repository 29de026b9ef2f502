//! Bank files, mutations and what was learnt of their payers.

use isp_core::Money;
use isp_core::bank::{ImportedFile, Mutation, MutationMark, MutationRow, MutationState, PayerAlias, Telling};
use isp_core::ids::{BankFileId, MutationId, TenantId};
use isp_core::ports::{ChangeSet, MutationQuery, PageQuery, StoreError, TellingQuery};

use crate::customer::after;
use crate::rows::{append, must_exist};
use crate::session::{Session, all, first, readable_page};
use crate::table::{BANK_FILES, MUTATION_TELLINGS, MUTATIONS, PAYER_ALIASES};
use crate::value::{Reader, args};

/// What a change set writes of bank files.
pub(crate) struct Changes {
    files: Vec<ImportedFile>,
    mutations: Vec<Mutation>,
    tellings: Vec<Telling>,
    marks: Vec<(MutationId, u32, MutationMark)>,
    aliases: Vec<PayerAlias>,
    forgotten: Vec<MutationId>,
}

impl Changes {
    /// Takes them out of a change set.
    pub(crate) fn of(changes: &mut ChangeSet) -> Self {
        Self {
            files: std::mem::take(&mut changes.bank_files),
            mutations: std::mem::take(&mut changes.mutations),
            tellings: std::mem::take(&mut changes.tellings),
            marks: std::mem::take(&mut changes.mutation_marks),
            aliases: std::mem::take(&mut changes.payer_aliases),
            forgotten: std::mem::take(&mut changes.forgotten_aliases),
        }
    }
}

pub(crate) async fn write(s: &mut dyn Session, tenant: TenantId, changes: Changes) -> Result<(), StoreError> {
    let Changes { files, mutations, tellings, marks, aliases, forgotten } = changes;
    let rows = files
        .into_iter()
        .map(|f| args![tenant, f.id, f.format, f.account.folded(), f.from, f.until, f.at, f.by])
        .collect();
    append(s, &BANK_FILES, rows).await?;
    let rows = mutations
        .into_iter()
        .map(|m| {
            let account = m.account.folded();
            let state = MutationState::Unmatched;
            let Mutation { id, format, bank, on, amount, text, balance, file_id, may_correct, .. } = m;
            args![tenant, id, account, format, bank, on, amount, text, balance, file_id, may_correct, state, 0_u32]
        })
        .collect();
    append(s, &MUTATIONS, rows).await?;
    let rows = tellings
        .into_iter()
        .map(|t| args![tenant, t.id, t.mutation_id, t.source.folded(), t.text, t.balance])
        .collect();
    append(s, &MUTATION_TELLINGS, rows).await?;
    for (id, revision, mark) in marks {
        let MutationMark { state, payment_id, booked, clue, at, by, reason } = mark;
        let sql = "UPDATE mutations SET state = $4, payment_id = $5, booked = $6, clue = $7, marked_at = $8,
                marked_by = $9, reason = $10, revision = $3 + 1
            WHERE tenant_id = $1 AND mutation_id = $2 AND revision = $3";
        let values = args![tenant, id, revision, state, payment_id, booked, clue, at, by, reason];
        // Another mutation has the payment meanwhile.
        let taken = |error| match error {
            StoreError::Duplicate { .. } => StoreError::Conflict,
            other => other,
        };
        if s.execute(sql, values).await.map_err(taken)? != 1 {
            must_exist(s, tenant, &MUTATIONS, vec![id.0]).await?;
            return Err(StoreError::Conflict);
        }
    }
    for id in forgotten {
        s.execute("DELETE FROM payer_aliases WHERE tenant_id = $1 AND mutation_id = $2", args![tenant, id]).await?;
    }
    let rows = aliases.into_iter().map(|a| args![tenant, a.mutation_id, a.words, a.customer_id]).collect();
    append(s, &PAYER_ALIASES, rows).await
}

/// A file that was imported.
pub(crate) async fn file(
    s: &mut dyn Session,
    tenant: TenantId,
    id: BankFileId,
) -> Result<Option<ImportedFile>, StoreError> {
    let sql = "SELECT bank_file_id, format, account, first_day, last_day, imported_at, imported_by FROM bank_files
        WHERE tenant_id = $1 AND bank_file_id = $2";
    first(s, "bank_file", sql, args![tenant, id], |r| {
        let (id, format, account, from, until) = (r.get()?, r.get()?, r.get()?, r.get()?, r.get()?);
        Ok(ImportedFile { id, format, account, from, until, at: r.get()?, by: r.get()? })
    })
    .await
}

fn read(r: &mut Reader<'_>) -> Result<MutationRow, StoreError> {
    let (id, account, format, bank) = (r.get()?, r.get()?, r.get()?, r.get()?);
    let (on, amount) = (r.get()?, r.get()?);
    let (text, balance, file_id, may_correct, revision) = (r.get()?, r.get()?, r.get()?, r.get()?, r.get()?);
    let mutation = Mutation { id, account, format, bank, on, amount, text, balance, file_id, may_correct };
    let (state, payment_id, booked, clue) = (r.get()?, r.get()?, r.get()?, r.get()?);
    let mark = match (r.get()?, r.get()?, r.get()?) {
        (Some(at), Some(by), Some(reason)) => Some(MutationMark { state, payment_id, booked, clue, at, by, reason }),
        _ => None,
    };
    Ok(MutationRow { mutation, mark, revision })
}

/// What waits for a person to say whose it is.
const WAITS: &str = "amount > 0 AND state IN ('unmatched', 'taken_back')";

/// How many mutations wait for a person, and over how much.
pub(crate) async fn waiting(s: &mut dyn Session, tenant: TenantId) -> Result<(u64, Money), StoreError> {
    let sql = format!(
        "SELECT COUNT(*), CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM mutations WHERE tenant_id = $1 AND {WAITS}"
    );
    let counted = first(s, "mutation", &sql, args![tenant], |r| Ok((r.get()?, r.get()?))).await?;
    Ok(counted.unwrap_or_default())
}

pub(crate) async fn page(
    s: &mut dyn Session,
    tenant: TenantId,
    query: &MutationQuery,
    page: PageQuery<MutationId>,
) -> Result<Vec<MutationRow>, StoreError> {
    let mut sql =
        "SELECT mutation_id, account, format, bank, happened_on, amount, told, balance, bank_file_id, may_correct_id, revision,
            state, payment_id, booked, clue, marked_at, marked_by, reason
        FROM mutations WHERE tenant_id = $1 AND mutation_id > $2"
            .to_owned();
    let mut args = args![tenant, after(page.after.map(|id| id.0)), page.limit];
    if let Some(id) = query.id {
        args.extend(args![id]);
        sql += &format!(" AND mutation_id = ${}", args.len());
    }
    if let Some(account) = &query.account {
        args.extend(args![account.folded()]);
        sql += &format!(" AND account = ${}", args.len());
    }
    if let Some((from, until)) = query.days {
        args.extend(args![from, until]);
        sql += &format!(" AND happened_on BETWEEN ${} AND ${}", args.len() - 1, args.len());
    }
    if let Some(amount) = query.amount {
        args.extend(args![amount]);
        sql += &format!(" AND amount = ${}", args.len());
    }
    if query.waiting {
        sql += &format!(" AND {WAITS}");
    }
    if let Some(payment) = query.payment {
        args.extend(args![payment]);
        sql += &format!(" AND payment_id = ${}", args.len());
    }
    if query.anew {
        sql += " AND may_correct_id IS NOT NULL";
    }
    if query.out {
        sql += " AND amount < 0";
    }
    sql += " ORDER BY mutation_id LIMIT $3";
    readable_page(s, "mutation", &sql, args, (1, 2), read).await
}

/// Who told of mutations.
pub(crate) async fn tellings(
    s: &mut dyn Session,
    tenant: TenantId,
    query: &TellingQuery,
) -> Result<Vec<Telling>, StoreError> {
    let mut sql = "SELECT t.telling_id, t.mutation_id, t.source, t.told, t.balance FROM mutation_tellings t
        JOIN mutations m ON m.tenant_id = t.tenant_id AND m.mutation_id = t.mutation_id WHERE t.tenant_id = $1"
        .to_owned();
    let mut args = args![tenant];
    if let Some(id) = query.id {
        args.extend(args![id]);
        sql += &format!(" AND t.telling_id = ${}", args.len());
    }
    if let Some(account) = &query.account {
        args.extend(args![account.folded()]);
        sql += &format!(" AND m.account = ${}", args.len());
    }
    if let Some((from, until)) = query.days {
        args.extend(args![from, until]);
        sql += &format!(" AND m.happened_on BETWEEN ${} AND ${}", args.len() - 1, args.len());
    }
    sql += " ORDER BY t.telling_id";
    all(s, "mutation_telling", &sql, args, |r| {
        Ok(Telling { id: r.get()?, mutation_id: r.get()?, source: r.get()?, text: r.get()?, balance: r.get()? })
    })
    .await
}

/// What was learnt of payers.
pub(crate) async fn aliases(s: &mut dyn Session, tenant: TenantId) -> Result<Vec<PayerAlias>, StoreError> {
    let sql = "SELECT mutation_id, words, customer_id FROM payer_aliases WHERE tenant_id = $1 ORDER BY mutation_id";
    all(s, "payer_alias", sql, args![tenant], |r| {
        Ok(PayerAlias { mutation_id: r.get()?, words: r.get()?, customer_id: r.get()? })
    })
    .await
}
