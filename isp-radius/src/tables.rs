//! The tables of FreeRADIUS 3 in PostgreSQL or MySQL, and one of ours beside them: `isp_lines` says whose a user is, since the
//! tables of FreeRADIUS have no room for a mark.

use std::collections::{BTreeMap, HashMap};

use isp_core::Secret;
use isp_core::ports::PortError;
use uuid::Uuid;

use crate::reconcile::{CHECKS, Found, Owner, Pair, REPLIES, Wanted};
use crate::sql::{Connection, Database, Row, Transaction, Value, problem};

/// So many names are asked for at once: MySQL counts the values of a statement in 16 bits.
const AT_ONCE: usize = 10_000;

const OURS_POSTGRES: &str = "CREATE TABLE IF NOT EXISTS isp_lines (
    username text PRIMARY KEY,
    subscription_id uuid NOT NULL,
    router_id uuid NOT NULL,
    owed boolean NOT NULL,
    stamp bigint NOT NULL
)";

/// As wide as the names of FreeRADIUS are there.
const OURS_MYSQL: &str = "CREATE TABLE IF NOT EXISTS isp_lines (
    username varchar(64) PRIMARY KEY,
    subscription_id char(36) NOT NULL,
    router_id char(36) NOT NULL,
    owed boolean NOT NULL,
    stamp bigint NOT NULL
) ENGINE = InnoDB";

/// Whoever writes locks its one row. The locks that MySQL has beside tables belong to a connection, and outlive a transaction.
const LOCK_MYSQL: &str = "CREATE TABLE IF NOT EXISTS isp_lock (id int PRIMARY KEY) ENGINE = InnoDB";

/// The tables, through a few connections.
#[derive(Clone)]
pub(crate) struct Tables(Database);

impl Tables {
    /// Names the database without calling it; the first question does.
    pub(crate) fn at(url: &Secret) -> Result<Self, PortError> {
        Ok(Self(Database::at(url)?))
    }

    /// What the tables say of these users, in order, and of these groups.
    pub(crate) async fn read(
        &self,
        users: &[String],
        groups: &[String],
    ) -> Result<(Vec<Found>, BTreeMap<String, Vec<Pair>>), PortError> {
        let mut lent = self.0.lend().await.map_err(before)?;
        let mut connection = lent.connection();
        let ours = has_ours(&mut connection).await.map_err(before)?;
        read(&mut connection, &self.0, ours, users, groups).await.map_err(before)
    }

    /// The users of these subscriptions, and who else is ours.
    pub(crate) async fn ours(&self) -> Result<Vec<(String, Uuid)>, PortError> {
        let mut lent = self.0.lend().await.map_err(before)?;
        let mut connection = lent.connection();
        if !has_ours(&mut connection).await.map_err(before)? {
            return Ok(Vec::new());
        }
        let sql = "SELECT username, subscription_id FROM isp_lines ORDER BY username";
        let rows = connection.rows(sql, &[]).await.map_err(before)?;
        rows.iter().map(|row| Ok((row.text(0)?, row.id(1)?))).collect::<Result<_, sqlx::Error>>().map_err(before)
    }

    /// Names as the database compares them.
    pub(crate) fn folded(&self, name: &str) -> String {
        self.0.folded(name)
    }

    /// Begins to write, alone: two programs never write rows of one user beside each other.
    pub(crate) async fn begin(&self) -> Result<Writing, PortError> {
        let made = match &self.0 {
            Database::Postgres(_) => self.begin_postgres().await,
            Database::Mysql(_) => self.begin_mysql().await,
        };
        Ok(Writing { transaction: made.map_err(before)?, database: self.0.clone() })
    }

    async fn begin_postgres(&self) -> Result<Transaction, sqlx::Error> {
        const LOCK: i64 = 0x6973_7020_7261_6469;
        let mut transaction = self.0.begin().await?;
        let mut connection = transaction.connection();
        connection.run("SELECT pg_advisory_xact_lock(?)", &[Value::Number(LOCK)]).await?;
        connection.run(OURS_POSTGRES, &[]).await?;
        Ok(transaction)
    }

    async fn begin_mysql(&self) -> Result<Transaction, sqlx::Error> {
        // A table that is made ends a transaction, so it is made before.
        let mut lent = self.0.lend().await?;
        let mut connection = lent.connection();
        if !has_ours(&mut connection).await? {
            connection.run(OURS_MYSQL, &[]).await?;
        }
        connection.run(LOCK_MYSQL, &[]).await?;
        connection.run("INSERT IGNORE INTO isp_lock (id) VALUES (1)", &[]).await?;
        drop(lent);
        let mut transaction = self.0.begin().await?;
        transaction.connection().rows("SELECT id FROM isp_lock WHERE id = 1 FOR UPDATE", &[]).await?;
        Ok(transaction)
    }

    /// Keeps that no session of a user has old terms any more, unless the rows were written again since.
    pub(crate) async fn settled(&self, username: &str, stamp: i64) -> Result<(), PortError> {
        let sql = "UPDATE isp_lines SET owed = false WHERE username = ? AND stamp = ?";
        let mut lent = self.0.lend().await.map_err(before)?;
        let values = [Value::Text(username), Value::Number(stamp)];
        lent.connection().run(sql, &values).await.map_err(unsure)
    }
}

/// A transaction that holds the lock.
pub(crate) struct Writing {
    transaction: Transaction,
    database: Database,
}

impl Writing {
    pub(crate) async fn read(
        &mut self,
        users: &[String],
        groups: &[String],
    ) -> Result<(Vec<Found>, BTreeMap<String, Vec<Pair>>), PortError> {
        read(&mut self.transaction.connection(), &self.database, true, users, groups).await.map_err(before)
    }

    /// Gives a group exactly these rows, and whoever is in it owes a new session.
    pub(crate) async fn group(&mut self, group: &str, pairs: &[Pair]) -> Result<(), PortError> {
        self.run("DELETE FROM radgroupreply WHERE groupname = ?", &[Value::Text(group)]).await?;
        self.run("DELETE FROM radgroupcheck WHERE groupname = ?", &[Value::Text(group)]).await?;
        let sql = "INSERT INTO radgroupreply (groupname, attribute, op, value) VALUES (?, ?, ?, ?)";
        for pair in pairs {
            self.insert(sql, group, pair).await?;
        }
        // Asked for here, and not below the other statement: the columns of two tables may compare text in two ways.
        let members = "SELECT username FROM radusergroup WHERE groupname = ?";
        let members = self.transaction.connection().rows(members, &[Value::Text(group)]).await.map_err(before)?;
        let members: Vec<String> = members.iter().map(|row| row.text(0)).collect::<Result<_, _>>().map_err(before)?;
        for members in members.chunks(AT_ONCE) {
            let sql = "UPDATE isp_lines SET owed = true, stamp = stamp + 1 WHERE username IN ?";
            self.run(sql, &[list(members)]).await?;
        }
        Ok(())
    }

    /// Gives a user exactly these rows, as those of a line of ours.
    pub(crate) async fn user(
        &mut self,
        username: &str,
        (subscription, router): (Uuid, Uuid),
        wanted: &Wanted,
        owes: bool,
    ) -> Result<(), PortError> {
        let of_user = |attributes: &[&'static str]| [Value::Text(username), Value::List(attributes.to_vec())];
        let sql = "DELETE FROM radcheck WHERE username = ? AND lower(rtrim(attribute)) IN ?";
        self.run(sql, &of_user(&CHECKS)).await?;
        let sql = "DELETE FROM radreply WHERE username = ? AND lower(rtrim(attribute)) IN ?";
        self.run(sql, &of_user(&REPLIES)).await?;
        self.run("DELETE FROM radusergroup WHERE username = ?", &[Value::Text(username)]).await?;
        let sql = "INSERT INTO radcheck (username, attribute, op, value) VALUES (?, ?, ?, ?)";
        for pair in &wanted.checks {
            self.insert(sql, username, pair).await?;
        }
        if let Some(group) = &wanted.group {
            let sql = "INSERT INTO radusergroup (username, groupname, priority) VALUES (?, ?, 1)";
            self.run(sql, &[Value::Text(username), Value::Text(group)]).await?;
        }
        let sql = match &self.database {
            Database::Postgres(_) => {
                "INSERT INTO isp_lines (username, subscription_id, router_id, owed, stamp) VALUES (?, ?, ?, ?, 1)
                 ON CONFLICT (username) DO UPDATE
                 SET subscription_id = excluded.subscription_id, router_id = excluded.router_id,
                     owed = isp_lines.owed OR excluded.owed, stamp = isp_lines.stamp + 1"
            }
            Database::Mysql(_) => {
                "INSERT INTO isp_lines (username, subscription_id, router_id, owed, stamp) VALUES (?, ?, ?, ?, 1)
                 ON DUPLICATE KEY UPDATE
                     subscription_id = VALUES(subscription_id), router_id = VALUES(router_id),
                     owed = owed OR VALUES(owed), stamp = stamp + 1"
            }
        };
        self.run(sql, &[Value::Text(username), Value::Id(subscription), Value::Id(router), Value::Flag(owes)]).await
    }

    /// Takes every row of a user away who is this line's and of whom no session has old terms; nothing of anybody else.
    pub(crate) async fn forget(&mut self, username: &str, subscription: Uuid) -> Result<(), PortError> {
        let (found, _) = self.read(&[username.to_owned()], &[]).await?;
        let owner = found.first().and_then(|found| found.owner);
        if owner.is_none_or(|owner| owner.subscription != subscription || owner.owed) {
            return Ok(());
        }
        for sql in [
            "DELETE FROM radcheck WHERE username = ?",
            "DELETE FROM radreply WHERE username = ?",
            "DELETE FROM radusergroup WHERE username = ?",
            "DELETE FROM isp_lines WHERE username = ?",
        ] {
            self.run(sql, &[Value::Text(username)]).await?;
        }
        Ok(())
    }

    pub(crate) async fn commit(self) -> Result<(), PortError> {
        self.transaction.commit().await.map_err(unsure)
    }

    async fn run(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<(), PortError> {
        self.transaction.connection().run(sql, values).await.map_err(before)
    }

    async fn insert(&mut self, sql: &'static str, key: &str, pair: &Pair) -> Result<(), PortError> {
        let values = [key, &pair.attribute, &pair.op, &pair.value].map(Value::Text);
        self.run(sql, &values).await
    }
}

fn list(texts: &[String]) -> Value<'_> {
    Value::List(texts.iter().map(String::as_str).collect())
}

async fn has_ours(connection: &mut Connection<'_>) -> Result<bool, sqlx::Error> {
    let sql = match connection {
        Connection::Postgres(_) => "SELECT count(*) FROM pg_catalog.pg_class WHERE oid = to_regclass('isp_lines')",
        Connection::Mysql(_) => {
            "SELECT count(*) FROM information_schema.tables
             WHERE table_schema = DATABASE() AND table_name = 'isp_lines'"
        }
    };
    let rows = connection.rows(sql, &[]).await?;
    rows.first().map_or(Ok(false), |row| Ok(row.number(0)? > 0))
}

/// A question about names, and how the table is asked whether it takes one name for another.
struct Question {
    rows: &'static str,
    same: &'static str,
}

const LINES: Question = Question {
    rows: "SELECT username, subscription_id, owed, stamp, router_id FROM isp_lines WHERE username IN ?",
    same: "SELECT count(*) FROM isp_lines WHERE username = ? AND username IN ?",
};
const OF_CHECKS: Question = Question {
    rows: "SELECT username, attribute, op, value FROM radcheck WHERE username IN ?",
    same: "SELECT count(*) FROM radcheck WHERE username = ? AND username IN ?",
};
const OF_REPLIES: Question = Question {
    rows: "SELECT username, attribute FROM radreply WHERE username IN ?",
    same: "SELECT count(*) FROM radreply WHERE username = ? AND username IN ?",
};
const OF_GROUPS: Question = Question {
    rows: "SELECT username, groupname FROM radusergroup WHERE username IN ? ORDER BY priority",
    same: "SELECT count(*) FROM radusergroup WHERE username = ? AND username IN ?",
};
const GROUP_REPLIES: Question = Question {
    rows: "SELECT groupname, attribute, op, value FROM radgroupreply WHERE groupname IN ?",
    same: "SELECT count(*) FROM radgroupreply WHERE groupname = ? AND groupname IN ?",
};
const GROUP_CHECKS: Question = Question {
    rows: "SELECT groupname, attribute, op, value FROM radgroupcheck WHERE groupname IN ?",
    same: "SELECT count(*) FROM radgroupcheck WHERE groupname = ? AND groupname IN ?",
};

/// Asks about names, a part of them at a time, and hands over each row with the place of the name that it is of.
///
/// A database may take two names for the same that are written differently: MySQL does not look at capital letters, accents
/// and blanks at the end, and to FreeRADIUS such a row is the user's. Which of the names a row has is then asked of the table
/// itself, in halves, since nobody else knows how it compares.
async fn each_row(
    connection: &mut Connection<'_>,
    database: &Database,
    names: &[String],
    question: &Question,
    mut take: impl FnMut(usize, &Row) -> Result<(), sqlx::Error> + Send,
) -> Result<(), sqlx::Error> {
    for (part, some) in (0..).step_by(AT_ONCE).zip(names.chunks(AT_ONCE)) {
        let mut places: HashMap<String, Vec<usize>> = HashMap::with_capacity(some.len());
        for (place, name) in (part..).zip(some) {
            places.entry(database.folded(name)).or_default().push(place);
        }
        for row in connection.rows(question.rows, &[list(some)]).await? {
            let name = row.text(0)?;
            let key = database.folded(&name);
            if !places.contains_key(&key) {
                let same = same_as(connection, some, question.same, &name).await?;
                places.insert(key.clone(), same.into_iter().map(|place| part + place).collect());
            }
            for place in places.get(&key).into_iter().flatten() {
                take(*place, &row)?;
            }
        }
    }
    Ok(())
}

/// Which of these names the table takes for that of a row.
async fn same_as(
    connection: &mut Connection<'_>,
    names: &[String],
    same: &'static str,
    name: &str,
) -> Result<Vec<usize>, sqlx::Error> {
    let mut found = Vec::new();
    let mut parts = vec![(0, names)];
    while let Some((start, some)) = parts.pop() {
        let rows = connection.rows(same, &[Value::Text(name), list(some)]).await?;
        if rows.first().map_or(Ok(0), |row| row.number(0))? == 0 {
            continue;
        }
        match some {
            [_] => found.push(start),
            _ => {
                let (first, second) = some.split_at(some.len() / 2);
                parts.extend([(start, first), (start + first.len(), second)]);
            }
        }
    }
    Ok(found)
}

/// What the tables say of these users and groups; without our own table everything there is somebody else's.
async fn read(
    connection: &mut Connection<'_>,
    database: &Database,
    ours: bool,
    users: &[String],
    groups: &[String],
) -> Result<(Vec<Found>, BTreeMap<String, Vec<Pair>>), sqlx::Error> {
    let mut found = vec![Found::default(); users.len()];
    if ours {
        each_row(connection, database, users, &LINES, |at, row| {
            let owner =
                Owner { subscription: row.id(1)?, router: row.id(4)?, owed: row.flag(2)?, stamp: row.number(3)? };
            found.get_mut(at).into_iter().for_each(|found| found.owner = Some(owner));
            Ok(())
        })
        .await?;
    }
    let among = |names: &[&str], attribute: &str| names.contains(&attribute.trim_end().to_lowercase().as_str());
    each_row(connection, database, users, &OF_CHECKS, |at, row| {
        let Some(found) = found.get_mut(at) else { return Ok(()) };
        let pair = pair(row)?;
        found.there = true;
        found.checks.extend(among(&CHECKS, &pair.attribute).then_some(pair));
        Ok(())
    })
    .await?;
    each_row(connection, database, users, &OF_REPLIES, |at, row| {
        let Some(found) = found.get_mut(at) else { return Ok(()) };
        found.there = true;
        found.replies += usize::from(among(&REPLIES, &row.text(1)?));
        Ok(())
    })
    .await?;
    each_row(connection, database, users, &OF_GROUPS, |at, row| {
        let Some(found) = found.get_mut(at) else { return Ok(()) };
        found.there = true;
        found.groups.push(row.text(1)?);
        Ok(())
    })
    .await?;
    Ok((found, group_rows(connection, database, groups).await?))
}

/// The rows of groups; a group without any is left out.
async fn group_rows(
    connection: &mut Connection<'_>,
    database: &Database,
    groups: &[String],
) -> Result<BTreeMap<String, Vec<Pair>>, sqlx::Error> {
    let mut found: BTreeMap<String, Vec<Pair>> = BTreeMap::new();
    let mut keep = |at: usize, pair: Pair| {
        let group = groups.get(at).cloned();
        group.into_iter().for_each(|group| found.entry(group).or_default().push(pair.clone()));
    };
    each_row(connection, database, groups, &GROUP_REPLIES, |at, row| {
        keep(at, pair(row)?);
        Ok(())
    })
    .await?;
    // A check that a group has could keep its replies away, so it counts as a row that is not wanted.
    each_row(connection, database, groups, &GROUP_CHECKS, |at, row| {
        let pair = pair(row)?;
        keep(at, Pair { attribute: format!("check:{}", pair.attribute), ..pair });
        Ok(())
    })
    .await?;
    found.values_mut().for_each(|pairs| pairs.sort());
    Ok(found)
}

/// Attribute, operator and value of a row.
fn pair(row: &Row) -> Result<Pair, sqlx::Error> {
    Ok(Pair { attribute: row.text(1)?, op: row.text(2)?, value: row.text(3)? })
}

/// An error before anything was committed.
fn before(error: sqlx::Error) -> PortError {
    problem(&error).map_or_else(|| PortError::NotSent { reason: words(&error) }, PortError::from)
}

/// An error after which nobody knows whether it was.
fn unsure(error: sqlx::Error) -> PortError {
    problem(&error).map_or_else(|| PortError::Unknown { reason: words(&error) }, PortError::from)
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
