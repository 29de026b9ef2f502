//! What a database's refusal means to the caller. The text never holds values of rows: PostgreSQL's details do, so
//! they are left out. Its messages are left out too: they are in the server's language, while a reason of ours is looked
//! up in the user's.

use isp_core::ports::StoreError;
use sqlx::error::ErrorKind;
use sqlx::postgres::PgDatabaseError;

/// Maps an error of the driver.
pub(crate) fn store_error(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Database(e) => {
            if let Some(pg) = e.try_downcast_ref::<PgDatabaseError>() {
                postgres(pg)
            } else {
                sqlite(e.kind(), e.code().and_then(|c| c.parse().ok()).unwrap_or(1), e.message())
            }
        }
        // What TLS says of a certificate comes as "invalid data" of the connection.
        sqlx::Error::Io(e) if e.kind() == std::io::ErrorKind::InvalidData => tls(e.to_string()),
        sqlx::Error::Io(e) if e.to_string().starts_with("failed to lookup address") => {
            unavailable("the name of its server has no address")
        }
        sqlx::Error::Io(e) => unavailable(e.kind().to_string()),
        sqlx::Error::Tls(e) => tls(e.to_string()),
        sqlx::Error::PoolTimedOut => unavailable("no free connection within the time limit"),
        sqlx::Error::PoolClosed => unavailable("the store is closed"),
        sqlx::Error::WorkerCrashed => unavailable("its worker ended"),
        sqlx::Error::BeginFailed | sqlx::Error::InvalidSavePointStatement => {
            unavailable("no transaction could be opened")
        }
        sqlx::Error::Protocol(_) => unavailable("the connection broke off in the middle of an answer"),
        sqlx::Error::Configuration(_) => rejected("the database URL cannot be read"),
        sqlx::Error::ColumnDecode { index, .. } => {
            StoreError::Corrupt { what: "row", reason: format!("column {index} has another type") }
        }
        sqlx::Error::Decode(_) | sqlx::Error::ColumnIndexOutOfBounds { .. } | sqlx::Error::ColumnNotFound(_) => {
            StoreError::Corrupt { what: "row", reason: "a column has another type".to_owned() }
        }
        _ => rejected("the driver does not take the statement"),
    }
}

/// Why TLS does not trust a server. Citus makes each server a certificate of the first version of X.509, of 1988, which the driver does
/// not read.
fn tls(reason: String) -> StoreError {
    let old = reason.contains("UnsupportedCertVersion");
    StoreError::Tls { reason: if old { FIRST_X509.to_owned() } else { reason } }
}

const FIRST_X509: &str = "the server's certificate is one of X.509 version 1, as Citus makes them; give the server one of version 3, or write \
    sslmode=disable in the URL where nobody can listen in between";

fn postgres(error: &PgDatabaseError) -> StoreError {
    let code = error.code();
    let place = error.constraint().or(error.table()).unwrap_or("a table");
    match (code, code.get(..2).unwrap_or("")) {
        ("23505", _) => StoreError::Duplicate { what: "row" },
        ("23503", _) => rejected(format!("it names a row that does not exist ({place})")),
        ("23514" | "23502", _) => rejected(format!("it breaks a rule of the tables ({place})")),
        ("40001" | "40P01", _) => StoreError::Conflict,
        ("55P03" | "25P03", _) => StoreError::Held,
        ("57014", _) => StoreError::TooSlow,
        ("53100", _) => StoreError::DiskFull,
        ("25006", _) => StoreError::ReadOnly,
        ("XX001" | "XX002", _) => StoreError::Damaged { reason: format!("SQLSTATE {code}") },
        ("42P01" | "42703", _) => StoreError::Outdated,
        ("42501", _) if error.routine() == Some("ExecWithCheckOptions") => rejected("the row is another provider's"),
        ("42501", _) => rejected("its user may not do that; give it the rights to these tables"),
        // These concern the server, not a row.
        (_, "08" | "28" | "3D" | "53" | "57" | "58") => unavailable(refusal(code)),
        // Two changed the same table, right or user at once.
        ("XX000", _) if error.routine().is_some_and(|routine| routine.starts_with("simple_heap_")) => {
            StoreError::Conflict
        }
        ("XX000", _) if is_of_a_node(error) => of_node(error.message()),
        (_, "XX") => StoreError::Corrupt { what: "table", reason: format!("SQLSTATE {code}") },
        _ => rejected(format!("SQLSTATE {code} ({place})")),
    }
}

/// True for what the coordinator of a Citus cluster tells of another node, without a code: that it broke off, that it did not
/// commit, or what it found in the rows of a COPY.
fn is_of_a_node(error: &PgDatabaseError) -> bool {
    let told = [
        "ReportResultError",
        "ReportCopyError",
        "ErrorIfPostCommitFailedShardPlacements",
        "MarkRemoteTransactionFailed",
    ];
    error.routine().is_some_and(|routine| told.contains(&routine))
}

/// What became of a statement on a node. Where a row of a COPY broke a rule, the words of the node are passed on, in whatever
/// language. They hold the name of the rule, which is that of our table with the number of the shard behind it.
fn of_node(message: &str) -> StoreError {
    let mut words = message.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let broken = words.find_map(|word| {
        let (rule, shard) = word.rsplit_once('_')?;
        if shard.is_empty() || !shard.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        match rule.rsplit_once('_')?.1 {
            "pkey" | "key" => Some(StoreError::Duplicate { what: "row" }),
            "fkey" => Some(rejected(format!("it names a row that does not exist ({rule})"))),
            "check" => Some(rejected(format!("it breaks a rule of the tables ({rule})"))),
            _ => None,
        }
    });
    broken.unwrap_or_else(|| unavailable("a node of its cluster broke off"))
}

/// Why a server lets nobody in: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn refusal(code: &str) -> String {
    let known = match code {
        "28P01" => "the password or the user of its URL is not right",
        "28000" => {
            "its server does not let this user in: there is no such user, or pg_hba.conf does not admit it from here"
        }
        "3D000" => "its server has no database of that name",
        "53300" => "its server has no connection left",
        "53200" => "its server has no memory left",
        "57P01" | "57P02" => "its server is being shut down",
        "57P03" => "its server is starting or stopping and takes nobody in",
        "57P04" => "the database was dropped",
        "57P05" => "its server ended a connection that was idle for too long",
        _ if code.starts_with("08") => "the connection broke off in the middle of an answer",
        // The code stands alone: it is the same in every language.
        _ => return format!("SQLSTATE {code}"),
    };
    known.to_owned()
}

/// SQLite's result codes: <https://www.sqlite.org/rescode.html>. Its messages name tables and columns, never values.
fn sqlite(kind: ErrorKind, code: i32, message: &str) -> StoreError {
    match kind {
        ErrorKind::UniqueViolation => return StoreError::Duplicate { what: "row" },
        ErrorKind::ForeignKeyViolation => return rejected("it names a row that does not exist"),
        ErrorKind::CheckViolation | ErrorKind::NotNullViolation => {
            return rejected(format!("it breaks a rule of the tables ({message})"));
        }
        _ => {}
    }
    match code & 0xff {
        5 | 6 => StoreError::Held,
        8 => StoreError::ReadOnly,
        // The disk had no room for the shared memory or the log beside the file, which a reader needs, too.
        10 if matches!(code, 778 | 4618 | 4874) => StoreError::DiskFull,
        10 => unavailable("reading or writing the database file failed"),
        13 => StoreError::DiskFull,
        14 => unavailable("the database file cannot be opened"),
        11 | 26 => StoreError::Damaged { reason: message.to_owned() },
        _ => rejected(message),
    }
}

/// The database does not answer.
pub(crate) fn unavailable(reason: impl Into<String>) -> StoreError {
    StoreError::Unavailable { reason: reason.into() }
}

/// The database does not take it.
pub(crate) fn rejected(reason: impl Into<String>) -> StoreError {
    StoreError::Rejected { reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_names_the_rule_that_a_copied_row_broke() {
        let duplicate = r#"duplicate key value violates unique constraint "invoices_pkey_102070""#;
        assert_eq!(of_node(duplicate), StoreError::Duplicate { what: "row" });
        let german = "doppelter Schlüsselwert verletzt Unique-Constraint »sites_code_key_102016«";
        assert_eq!(of_node(german), StoreError::Duplicate { what: "row" });
        let fkey = r#"insert or update on table "cpes_102046" violates foreign key constraint "cpes_tenant_id_customer_id_fkey_102046""#;
        assert_eq!(of_node(fkey).code(), "store.rejected");
        for lost in [
            "server closed the connection unexpectedly",
            "could not commit transaction for shard 102070 on any active node",
        ] {
            assert!(of_node(lost).retryable(), "{lost}");
        }
    }

    #[test]
    fn a_refusal_is_a_reason_of_ours() {
        for code in ["28P01", "28000", "3D000", "53300", "57P03", "08006"] {
            assert!(!refusal(code).contains(code), "{code}");
        }
        assert_eq!(refusal("53400"), "SQLSTATE 53400");
    }
}
