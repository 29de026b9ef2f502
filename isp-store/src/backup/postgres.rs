//! PostgreSQL: its own `pg_dump` and `pg_restore`, called and checked.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufReader;
use std::path::Path;
use std::process::{Command, Stdio};

use isp_core::ports::StoreError;
use sqlx::migrate::AppliedMigration;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use super::place::{Workshop, prove};
use super::report::{BackupError, Copied, Fit, lacking};
use crate::error::{rejected, store_error};
use crate::open::{postgres_migrations, stands};
use crate::postgres::connect;
use crate::reseal::sealed_columns;
use crate::vault::Vault;
use crate::wall::refuse_behind;
use crate::wrap::from_hex;

/// What a file of `pg_dump --format=custom` begins with.
const MAGIC: &[u8] = b"PGDMP";
const DUMP: &str = "pg_dump";
const RESTORE: &str = "pg_restore";
/// All relations that are neither the server's own nor those of an extension; indexes go with their tables.
const OURS: &str = "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' AND c.relkind NOT IN ('i', 'I') AND NOT EXISTS (
        SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')";

/// True for a file that begins like a dump.
pub(super) fn is_one(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

pub(super) async fn backup(options: PgConnectOptions, to: &Path, vault: Option<&Vault>) -> Result<Copied, BackupError> {
    let options = without_limits(options);
    let mut connection = connect(&options).await?;
    refuse_behind(&mut connection).await?;
    let server = server_version(&mut connection).await?;
    has_version(DUMP, server)?;
    has_version(RESTORE, server)?;
    let workshop = Workshop::new(to)?;
    // What is dumped and what is counted are one state of the database.
    let mut transaction =
        connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map_err(store_error)?;
    let snapshot: String =
        sqlx::query_scalar("SELECT pg_export_snapshot()").fetch_one(&mut *transaction).await.map_err(store_error)?;
    let mut dump = tool(DUMP, &options);
    dump.args(["--format=custom", "--no-owner", "--no-privileges", "--no-password"]);
    dump.arg(format!("--snapshot={snapshot}")).arg("--file").arg(workshop.file());
    let dumped = blocking(move || run(DUMP, dump)).await;
    let counted = rows(&mut transaction).await;
    dumped?;
    let counted = counted?;
    transaction.rollback().await.map_err(store_error)?;
    connection.close().await.map_err(store_error)?;
    only_its_owners(workshop.file())?;

    let copied = look(workshop.file(), to, vault).await?;
    for (table, count) in &counted {
        let found = copied.tables.get(plain(table)).copied();
        if found.unwrap_or(0) != *count {
            let what = format!("{table}: {}, not {count}", found.unwrap_or(0));
            return Err(BackupError::Incomplete { what });
        }
    }
    workshop.finish_proved(|path| BackupError::Exists { path })?;
    Ok(Copied { proved: true, ..copied })
}

pub(super) async fn restore(
    options: PgConnectOptions,
    from: &Path,
    vault: Option<&Vault>,
) -> Result<Copied, BackupError> {
    let options = without_limits(options);
    let mut connection = connect(&options).await?;
    has_version(RESTORE, server_version(&mut connection).await?)?;
    let there: bool = sqlx::query_scalar(AssertSqlSafe(format!("SELECT EXISTS (SELECT 1 {OURS})")))
        .fetch_one(&mut connection)
        .await
        .map_err(store_error)?;
    if there {
        return Err(BackupError::InTheWay { path: name_of(&options) });
    }
    let (file, proving) = (from.to_owned(), from.to_owned());
    let proved = blocking(move || prove(&file, &proving)).await?;
    let copied = look(from, from, vault).await?;
    copied.usable()?;
    // In one transaction: all of it is there, or nothing.
    let mut restore = tool(RESTORE, &options);
    restore.args(["--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", "--no-password"]);
    restore.arg("--dbname").arg(name_of(&options)).arg(from);
    blocking(move || run(RESTORE, restore)).await?;
    for (table, count) in rows(&mut connection).await? {
        let expected = copied.rows(plain(&table));
        if expected != count {
            return Err(BackupError::Incomplete { what: format!("{table}: {count}, not {expected}") });
        }
    }
    // A server that has not counted yet plans its first queries badly.
    sqlx::query("ANALYZE").execute(&mut connection).await.map_err(store_error)?;
    connection.close().await.map_err(store_error)?;
    Ok(Copied { proved, ..copied })
}

/// A large database takes longer than a statement of a run may.
fn without_limits(options: PgConnectOptions) -> PgConnectOptions {
    options.options([("statement_timeout", "0"), ("idle_in_transaction_session_timeout", "0")])
}

fn name_of(options: &PgConnectOptions) -> String {
    options.get_database().unwrap_or_else(|| options.get_username()).to_owned()
}

async fn server_version(connection: &mut PgConnection) -> Result<u32, StoreError> {
    let number: String =
        sqlx::query_scalar("SHOW server_version_num").fetch_one(connection).await.map_err(store_error)?;
    number.parse::<u32>().map(|n| n / 10_000).map_err(|_| rejected("the server does not say its version"))
}

/// Refuses a program that is not there or of another main version than the server: what it writes may not be read back.
fn has_version(tool: &'static str, server: u32) -> Result<(), BackupError> {
    let said = Command::new(tool).arg("--version").stdin(Stdio::null()).output();
    let said = said.map_err(|_| BackupError::ToolMissing { tool })?;
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    // "pg_dump (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"
    let found = text.split_whitespace().nth(2).and_then(|version| version.split('.').next());
    let Some(found) = found.and_then(|version| version.parse().ok()) else {
        return Err(BackupError::ToolMissing { tool });
    };
    if found == server { Ok(()) } else { Err(BackupError::ToolVersion { tool, found, server }) }
}

/// A program with the connection in its environment, where nobody else on the machine sees the password.
fn tool(name: &str, options: &PgConnectOptions) -> Command {
    let url = options.to_url_lossy();
    let host = options.get_socket().map_or_else(|| options.get_host().to_owned(), |path| path.display().to_string());
    let mut command = Command::new(name);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.env("PGHOST", host.trim_matches(['[', ']']));
    command.env("PGPORT", options.get_port().to_string());
    command.env("PGUSER", options.get_username());
    command.env("PGDATABASE", name_of(options));
    command.env("PGAPPNAME", "isp");
    // Its limits are those of a run.
    command.env_remove("PGOPTIONS");
    if let Some(password) = url.password() {
        command.env("PGPASSWORD", decoded(password));
    }
    for (key, value) in url.query_pairs() {
        let variable = match &*key {
            "sslmode" => "PGSSLMODE",
            "sslrootcert" => "PGSSLROOTCERT",
            "sslcert" => "PGSSLCERT",
            "sslkey" => "PGSSLKEY",
            _ => continue,
        };
        command.env(variable, value.as_ref());
    }
    command
}

/// A part of a URL with its `%XX` written out.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        match after.get(..2).and_then(from_hex) {
            Some(byte) => {
                bytes.extend(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(b'%');
                rest = after;
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

fn run(tool: &'static str, mut command: Command) -> Result<(), BackupError> {
    let output = command.output().map_err(|_| BackupError::ToolMissing { tool })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    // What the server says of a row may quote it.
    let first = said.lines().next().unwrap_or("").split("ERROR:").next().unwrap_or("").trim();
    let reason = first.strip_prefix(tool).unwrap_or(first).trim_start_matches([':', ' ']);
    let reason = reason.strip_prefix("error: ").unwrap_or(reason);
    let reason = if reason.is_empty() { output.status.to_string() } else { reason.to_owned() };
    Err(BackupError::ToolFailed { tool, reason })
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(_) => Err(StoreError::Unavailable { reason: "the program is going down".to_owned() }.into()),
    }
}

/// The tables with their rows, each with its schema before it.
async fn rows(connection: &mut PgConnection) -> Result<BTreeMap<String, u64>, StoreError> {
    let tables = format!("SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) {OURS} AND c.relkind = 'r'");
    let tables: Vec<String> =
        sqlx::query_scalar(AssertSqlSafe(tables)).fetch_all(&mut *connection).await.map_err(store_error)?;
    let mut rows = BTreeMap::new();
    for table in tables {
        let sql = format!("SELECT COUNT(*) FROM ONLY {table}");
        let count: i64 =
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *connection).await.map_err(store_error)?;
        rows.insert(table, u64::try_from(count).unwrap_or(0));
    }
    Ok(rows)
}

/// The name of a table without its schema.
fn plain(table: &str) -> &str {
    table.rsplit('.').next().unwrap_or(table)
}

/// Reads a dump from its first to its last row: what it holds of each table, its migrations and its key.
async fn look(file: &Path, name: &Path, vault: Option<&Vault>) -> Result<Copied, BackupError> {
    let path = file.to_owned();
    let scan = blocking(move || scan(&path)).await?;
    if !scan.tables.contains_key("_sqlx_migrations") || !scan.tables.contains_key("meta") {
        return Err(BackupError::NotACopy { path: name.display().to_string() });
    }
    let bytes = file.metadata().map_err(|e| BackupError::file(file, &e))?.len();
    let status = stands(&postgres_migrations(), &scan.applied);
    let key = Fit::of(vault, scan.sealed.as_deref());
    let lacking_keys = lacking(vault, &scan.sealing);
    Ok(Copied { file: name.to_owned(), bytes, tables: scan.tables, status, key, lacking_keys, proved: false })
}

#[derive(Default)]
struct Scan {
    tables: BTreeMap<String, u64>,
    applied: Vec<AppliedMigration>,
    sealed: Option<Vec<u8>>,
    sealing: BTreeSet<String>,
}

fn scan(file: &Path) -> Result<Scan, BackupError> {
    let mut command = Command::new(RESTORE);
    command.args(["--data-only", "--file=-"]).arg(file).stdin(Stdio::null());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(|_| BackupError::ToolMissing { tool: RESTORE })?;
    let mut found = Scan::default();
    if let Some(out) = child.stdout.take() {
        found.read(BufReader::new(out)).map_err(|e| BackupError::file(file, &e))?;
    }
    let output = child.wait_with_output().map_err(|e| BackupError::file(file, &e))?;
    if output.status.success() {
        return Ok(found);
    }
    let reason = "the file cannot be read to its end".to_owned();
    Err(StoreError::Damaged { reason }.into())
}

impl Scan {
    fn read(&mut self, mut out: impl std::io::BufRead) -> std::io::Result<()> {
        let mut line = Vec::new();
        let mut table: Option<(String, Vec<String>)> = None;
        loop {
            line.clear();
            if out.read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            match &table {
                None => {
                    table = copied_table(text).inspect(|(name, _)| _ = self.tables.entry(name.clone()).or_default())
                }
                Some(_) if text == b"\\." => table = None,
                Some((name, columns)) => {
                    *self.tables.entry(name.clone()).or_default() += 1;
                    if name == "meta" || name == "_sqlx_migrations" {
                        self.row(columns, &String::from_utf8_lossy(text));
                    }
                    for (_, column) in sealed_columns().filter(|(table, _)| table == name) {
                        let at = columns.iter().position(|c| c == column);
                        let cell = at.and_then(|at| text.split(|byte| *byte == b'\t').nth(at));
                        // The form and the key's id, in hex behind the doubled backslash; NULL is shorter.
                        let head = cell.and_then(|cell| cell.get(3..13)).and_then(|hex| std::str::from_utf8(hex).ok());
                        self.sealing.extend(head.and_then(from_hex).map(|head| Vault::key_name(&head)));
                    }
                }
            }
        }
    }

    /// A row of the two small tables that tell what the copy is.
    fn row(&mut self, columns: &[String], text: &str) {
        let cells: Vec<&str> = text.split('\t').collect();
        let cell = |column: &str| columns.iter().position(|c| c == column).and_then(|at| cells.get(at)).copied();
        // The backslash of a bytea is doubled.
        let bytes = |column: &str| cell(column)?.strip_prefix("\\\\x").and_then(from_hex);
        if cell("key") == Some("vault_check") {
            self.sealed = bytes("value");
        }
        if let (Some(Ok(version)), Some(checksum)) = (cell("version").map(str::parse), bytes("checksum")) {
            self.applied.push(AppliedMigration { version, checksum: checksum.into() });
        }
    }
}

/// The table and the columns of a line that begins the rows of a table.
fn copied_table(line: &[u8]) -> Option<(String, Vec<String>)> {
    let line = std::str::from_utf8(line).ok()?;
    let (table, columns) = line.strip_prefix("COPY ")?.strip_suffix(") FROM stdin;")?.split_once(" (")?;
    Some((plain(table).to_owned(), columns.split(", ").map(str::to_owned).collect()))
}

/// The dump was made with the rights that the machine gives to new files.
fn only_its_owners(path: &Path) -> Result<(), BackupError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
            .map_err(|e| BackupError::file(path, &e))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_handed_over_as_it_is() {
        assert_eq!(decoded("p%40ss%25%C3%A9"), "p@ss%é");
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(decoded("a%zz"), "a%zz");
        let options: PgConnectOptions =
            "postgres://isp:p%40ss@db.example:5433/books?sslmode=verify-full".parse().unwrap();
        let command = tool(DUMP, &options);
        let of = |name: &str| {
            let found = command.get_envs().find(|(key, _)| *key == name);
            found.and_then(|(_, value)| value).map(|value| value.to_string_lossy().into_owned())
        };
        assert_eq!(of("PGPASSWORD").as_deref(), Some("p@ss"));
        assert_eq!(of("PGHOST").as_deref(), Some("db.example"));
        assert_eq!((of("PGPORT").as_deref(), of("PGDATABASE").as_deref()), (Some("5433"), Some("books")));
        assert_eq!(of("PGSSLMODE").as_deref(), Some("verify-full"));
        assert!(!command.get_args().any(|arg| arg.to_string_lossy().contains("p@ss")));
    }

    #[test]
    fn the_rows_of_a_dump_are_counted() {
        let dump = b"SET x = 1;\n\nCOPY public.meta (key, value) FROM stdin;\nvault_check\t\\\\x0102\nother\t\\\\x00\n\\.\n\
            COPY public._sqlx_migrations (version, description, checksum) FROM stdin;\n1\tinitial\t\\\\xab\n\\.\n\
            COPY public.payments (a, b) FROM stdin;\n1\tCOPY x (y) FROM stdin;\n2\t\n\\.\nCOPY public.sites (a) FROM stdin;\n\\.\n";
        let mut scan = Scan::default();
        scan.read(&dump[..]).unwrap();
        let counts: Vec<(&str, u64)> = scan.tables.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        assert_eq!(counts, [("_sqlx_migrations", 1), ("meta", 2), ("payments", 2), ("sites", 0)]);
        assert_eq!(scan.sealed, Some(vec![1, 2]));
        assert_eq!(scan.applied[0].version, 1);
        assert_eq!(scan.applied[0].checksum.as_ref(), [0xab]);
    }
}
