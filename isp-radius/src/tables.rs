//! The tables of FreeRADIUS 3 in PostgreSQL, and one of ours beside them: `isp_lines` says whose a user is, since the tables of
//! FreeRADIUS have no room for a mark.

use std::collections::BTreeMap;
use std::str::FromStr as _;
use std::time::Duration;

use isp_core::Secret;
use isp_core::ports::PortError;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgSslMode};
use sqlx::{PgConnection, Postgres, Row as _, Transaction};
use uuid::Uuid;

use crate::problem::Problem;
use crate::reconcile::{CHECKS, Found, Owner, Pair, REPLIES, Wanted};

/// One lock for all who write, so that two programs never write rows of one user beside each other.
const LOCK: i64 = 0x6973_7020_7261_6469;

const OURS: &str = "CREATE TABLE IF NOT EXISTS isp_lines (
    username text PRIMARY KEY,
    subscription_id uuid NOT NULL,
    router_id uuid NOT NULL,
    owed boolean NOT NULL,
    stamp bigint NOT NULL
)";

/// The tables, through a few connections.
#[derive(Clone)]
pub(crate) struct Tables(PgPool);

impl Tables {
    /// Names the database without calling it; the first question does.
    pub(crate) fn at(url: &Secret) -> Result<Self, PortError> {
        let known = ["postgres://", "postgresql://"].iter().any(|scheme| url.reveal().starts_with(scheme));
        let options = PgConnectOptions::from_str(url.reveal()).ok().filter(|_| known);
        let mut options = options.ok_or(Problem::Database)?;
        let near = options.get_socket().is_some()
            || options.get_host().starts_with('/')
            || ["localhost", "127.0.0.1", "::1"].contains(&options.get_host());
        if !near && !url.reveal().contains("sslmode=") {
            options = options.ssl_mode(PgSslMode::VerifyFull);
        }
        options =
            options.application_name("isp-radius").options([("lock_timeout", "5s"), ("statement_timeout", "30s")]);
        let pool =
            PgPoolOptions::new().max_connections(4).acquire_timeout(Duration::from_secs(10)).connect_lazy_with(options);
        Ok(Self(pool))
    }

    /// What the tables say of these users, in order, and of these groups.
    pub(crate) async fn read(
        &self,
        users: &[String],
        groups: &[String],
    ) -> Result<(Vec<Found>, BTreeMap<String, Vec<Pair>>), PortError> {
        let mut connection = self.0.acquire().await.map_err(before)?;
        if !has_ours(&mut connection).await.map_err(before)? {
            let mut found = vec![Found::default(); users.len()];
            rows(&mut connection, users, &mut found).await.map_err(before)?;
            return Ok((found, group_rows(&mut connection, groups).await.map_err(before)?));
        }
        read(&mut connection, users, groups).await.map_err(before)
    }

    /// The users of these subscriptions, and who else is ours.
    pub(crate) async fn ours(&self) -> Result<Vec<(String, Uuid)>, PortError> {
        let mut connection = self.0.acquire().await.map_err(before)?;
        if !has_ours(&mut connection).await.map_err(before)? {
            return Ok(Vec::new());
        }
        let sql = "SELECT username, subscription_id FROM isp_lines ORDER BY username";
        let rows = sqlx::query(sql).fetch_all(&mut *connection).await.map_err(before)?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect::<Result<_, sqlx::Error>>()
            .map_err(before)
    }

    /// Begins to write, alone.
    pub(crate) async fn begin(&self) -> Result<Writing, PortError> {
        let mut transaction = self.0.begin().await.map_err(before)?;
        sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *transaction).await.map_err(before)?;
        sqlx::query(OURS).execute(&mut *transaction).await.map_err(before)?;
        Ok(Writing(transaction))
    }

    /// Keeps that no session of a user has old terms any more, unless the rows were written again since.
    pub(crate) async fn settled(&self, username: &str, stamp: i64) -> Result<(), PortError> {
        let sql = "UPDATE isp_lines SET owed = false WHERE username = $1 AND stamp = $2";
        sqlx::query(sql).bind(username).bind(stamp).execute(&self.0).await.map_err(unsure)?;
        Ok(())
    }
}

/// A transaction that holds the lock.
pub(crate) struct Writing(Transaction<'static, Postgres>);

impl Writing {
    pub(crate) async fn read(
        &mut self,
        users: &[String],
        groups: &[String],
    ) -> Result<(Vec<Found>, BTreeMap<String, Vec<Pair>>), PortError> {
        read(&mut self.0, users, groups).await.map_err(before)
    }

    /// Gives a group exactly these rows, and whoever is in it owes a new session.
    pub(crate) async fn group(&mut self, group: &str, pairs: &[Pair]) -> Result<(), PortError> {
        self.run("DELETE FROM radgroupreply WHERE groupname = $1", group).await?;
        self.run("DELETE FROM radgroupcheck WHERE groupname = $1", group).await?;
        let sql = "INSERT INTO radgroupreply (groupname, attribute, op, value) VALUES ($1, $2, $3, $4)";
        for pair in pairs {
            self.insert(sql, group, pair).await?;
        }
        self.run(
            "UPDATE isp_lines SET owed = true, stamp = stamp + 1
             WHERE username IN (SELECT username FROM radusergroup WHERE groupname = $1)",
            group,
        )
        .await
    }

    /// Gives a user exactly these rows, as those of a line of ours.
    pub(crate) async fn user(
        &mut self,
        username: &str,
        (subscription, router): (Uuid, Uuid),
        wanted: &Wanted,
        owes: bool,
    ) -> Result<(), PortError> {
        for (table, attributes) in [("radcheck", CHECKS.as_slice()), ("radreply", REPLIES.as_slice())] {
            let sql = match table {
                "radcheck" => "DELETE FROM radcheck WHERE username = $1 AND attribute = ANY($2)",
                _ => "DELETE FROM radreply WHERE username = $1 AND attribute = ANY($2)",
            };
            let delete = sqlx::query(sql).bind(username).bind(attributes);
            delete.execute(&mut *self.0).await.map_err(before)?;
        }
        self.run("DELETE FROM radusergroup WHERE username = $1", username).await?;
        let sql = "INSERT INTO radcheck (username, attribute, op, value) VALUES ($1, $2, $3, $4)";
        for pair in &wanted.checks {
            self.insert(sql, username, pair).await?;
        }
        if let Some(group) = &wanted.group {
            let sql = "INSERT INTO radusergroup (username, groupname, priority) VALUES ($1, $2, 1)";
            sqlx::query(sql).bind(username).bind(group).execute(&mut *self.0).await.map_err(before)?;
        }
        let sql = "INSERT INTO isp_lines (username, subscription_id, router_id, owed, stamp) VALUES ($1, $2, $3, $4, 1)
             ON CONFLICT (username) DO UPDATE
             SET subscription_id = excluded.subscription_id, router_id = excluded.router_id,
                 owed = isp_lines.owed OR excluded.owed, stamp = isp_lines.stamp + 1";
        let ours = sqlx::query(sql).bind(username).bind(subscription).bind(router).bind(owes);
        ours.execute(&mut *self.0).await.map_err(before)?;
        Ok(())
    }

    pub(crate) async fn commit(self) -> Result<(), PortError> {
        self.0.commit().await.map_err(unsure)
    }

    async fn run(&mut self, sql: &'static str, key: &str) -> Result<(), PortError> {
        sqlx::query(sql).bind(key).execute(&mut *self.0).await.map_err(before)?;
        Ok(())
    }

    async fn insert(&mut self, sql: &'static str, key: &str, pair: &Pair) -> Result<(), PortError> {
        let insert = sqlx::query(sql).bind(key).bind(&pair.attribute).bind(&pair.op).bind(&pair.value);
        insert.execute(&mut *self.0).await.map_err(before)?;
        Ok(())
    }
}

async fn has_ours(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT to_regclass('isp_lines') IS NOT NULL").fetch_one(connection).await
}

async fn read(
    connection: &mut PgConnection,
    users: &[String],
    groups: &[String],
) -> Result<(Vec<Found>, BTreeMap<String, Vec<Pair>>), sqlx::Error> {
    let mut found = vec![Found::default(); users.len()];
    let at: BTreeMap<&str, usize> = users.iter().enumerate().map(|(at, user)| (user.as_str(), at)).collect();
    let sql = "SELECT username, subscription_id, owed, stamp, router_id FROM isp_lines WHERE username = ANY($1)";
    for row in sqlx::query(sql).bind(users).fetch_all(&mut *connection).await? {
        let (subscription, owed, stamp) = (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        let owner = Owner { subscription, router: row.try_get(4)?, owed, stamp };
        if let Some(found) = at.get(row.try_get::<&str, _>(0)?).and_then(|at| found.get_mut(*at)) {
            found.owner = Some(owner);
        }
    }
    rows(connection, users, &mut found).await?;
    Ok((found, group_rows(connection, groups).await?))
}

/// The rows of users in the tables of FreeRADIUS.
async fn rows(connection: &mut PgConnection, users: &[String], found: &mut [Found]) -> Result<(), sqlx::Error> {
    let at: BTreeMap<&str, usize> = users.iter().enumerate().map(|(at, user)| (user.as_str(), at)).collect();
    let sql = "SELECT username, 1, attribute, op, value FROM radcheck WHERE username = ANY($1)
         UNION ALL SELECT username, 2, attribute, op, value FROM radreply WHERE username = ANY($1)
         UNION ALL (SELECT username, 3, groupname, '', '' FROM radusergroup WHERE username = ANY($1) ORDER BY priority)";
    for row in sqlx::query(sql).bind(users).fetch_all(connection).await? {
        let Some(found) = at.get(row.try_get::<&str, _>(0)?).and_then(|at| found.get_mut(*at)) else { continue };
        found.there = true;
        let attribute: String = row.try_get(2)?;
        match row.try_get::<i32, _>(1)? {
            1 if CHECKS.contains(&attribute.as_str()) => {
                found.checks.push(Pair { attribute, op: row.try_get(3)?, value: row.try_get(4)? });
            }
            2 if REPLIES.contains(&attribute.as_str()) => found.replies += 1,
            3 => found.groups.push(attribute),
            _ => {}
        }
    }
    Ok(())
}

/// The rows of groups; a group without any is left out.
async fn group_rows(
    connection: &mut PgConnection,
    groups: &[String],
) -> Result<BTreeMap<String, Vec<Pair>>, sqlx::Error> {
    let mut found: BTreeMap<String, Vec<Pair>> = BTreeMap::new();
    // A check that a group has could keep its replies away, so it counts as a row that is not wanted.
    let sql = "SELECT groupname, attribute, op, value FROM radgroupreply WHERE groupname = ANY($1)
         UNION ALL SELECT groupname, 'check:' || attribute, op, value FROM radgroupcheck WHERE groupname = ANY($1)";
    for row in sqlx::query(sql).bind(groups).fetch_all(connection).await? {
        let pair = Pair { attribute: row.try_get(1)?, op: row.try_get(2)?, value: row.try_get(3)? };
        found.entry(row.try_get(0)?).or_default().push(pair);
    }
    found.values_mut().for_each(|pairs| pairs.sort());
    Ok(found)
}

/// An error before anything was committed.
fn before(error: sqlx::Error) -> PortError {
    refused(&error).unwrap_or_else(|| PortError::NotSent { reason: words(&error) })
}

/// An error after which nobody knows whether it was.
fn unsure(error: sqlx::Error) -> PortError {
    refused(&error).unwrap_or_else(|| PortError::Unknown { reason: words(&error) })
}

/// What a person has to set right.
fn refused(error: &sqlx::Error) -> Option<PortError> {
    let sqlx::Error::Database(database) = error else { return None };
    let problem = match database.code()?.as_ref() {
        "42P01" | "42703" => Problem::Schema,
        "42501" => Problem::Rights,
        "28P01" | "28000" => Problem::Login,
        "3D000" => Problem::Database,
        _ => return None,
    };
    Some(problem.into())
}

/// What went wrong, without values of rows and without the address.
fn words(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(database) => {
            let code = database.code().map(|code| format!(" ({code})")).unwrap_or_default();
            format!("the database of RADIUS refused{code}")
        }
        sqlx::Error::PoolTimedOut => "the database of RADIUS does not answer".to_owned(),
        sqlx::Error::Tls(_) => "no trusted TLS connection to the database of RADIUS".to_owned(),
        sqlx::Error::Io(error) => format!("the database of RADIUS cannot be reached: {}", error.kind()),
        _ => "the database of RADIUS answered something else than was asked".to_owned(),
    }
}
