//! What a database's refusal means to the caller. The text never holds values of rows: PostgreSQL's details do, so
//! they are left out, and so are messages of kinds that may quote a value.

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
        sqlx::Error::Io(e) if e.kind() == std::io::ErrorKind::InvalidData => StoreError::Tls { reason: e.to_string() },
        sqlx::Error::Io(e) if e.to_string().starts_with("failed to lookup address") => {
            unavailable("the name of its server has no address")
        }
        sqlx::Error::Io(e) => unavailable(e.kind().to_string()),
        sqlx::Error::Tls(e) => StoreError::Tls { reason: e.to_string() },
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
        // These concern the server, not a row, and their messages name no values of rows.
        (_, "08" | "28" | "3D" | "53" | "57" | "58") => unavailable(format!("{} ({code})", error.message())),
        (_, "XX") => StoreError::Corrupt { what: "table", reason: format!("SQLSTATE {code}") },
        _ => rejected(format!("SQLSTATE {code} ({place})")),
    }
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
