//! What must be true after each round, read from the tables, the simulated WhatsApp and the simulated router.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};

use super::gateway::{Gateway, Told};
use super::{Chaos, DATABASE, LINES, Paid};

/// Makes the database.
pub(super) async fn found(server: &str, name: &str) {
    let mut connection = PgConnection::connect(server).await.unwrap();
    connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
}

/// How much was lived.
pub(super) struct Counted {
    pub(super) invoices: usize,
    pub(super) payments: usize,
    pub(super) turns: usize,
    pub(super) unknown: usize,
}

pub(super) async fn counted(url: &str) -> Counted {
    let mut books = Books(PgConnection::connect(url).await.unwrap());
    Counted {
        invoices: books.count("SELECT COUNT(*) FROM invoices").await,
        payments: books.count("SELECT COUNT(*) FROM payments").await,
        turns: books.count("SELECT COUNT(*) FROM access_events WHERE kind IN ('isolated_arrears', 'reopened')").await,
        unknown: books.count("SELECT COUNT(*) FROM outbox WHERE state = 'unknown'").await,
    }
}

/// How many webhooks wait to be read; of this one, or of all.
pub(super) async fn waiting(url: &str, body: Option<String>) -> usize {
    let sql =
        "SELECT COUNT(*) FROM webhooks WHERE state = 'waiting' AND ($1 IS NULL OR convert_from(body, 'UTF8') = $1)";
    let mut connection = PgConnection::connect(url).await.unwrap();
    let count = sqlx::query_scalar::<_, i64>(sql).bind(body).fetch_one(&mut connection).await.unwrap();
    usize::try_from(count).unwrap()
}

struct Books(PgConnection);

impl Books {
    async fn count(&mut self, sql: &'static str) -> usize {
        usize::try_from(sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut self.0).await.unwrap()).unwrap()
    }

    async fn rows(&mut self, sql: &'static str) -> Vec<Vec<String>> {
        let rows = sqlx::query(sql).fetch_all(&mut self.0).await.unwrap();
        rows.iter().map(|row| (0..row.len()).map(|at| row.get::<String, _>(at)).collect()).collect()
    }
}

impl Chaos {
    /// Everything that is not as it must be, each in words.
    pub(super) fn lost(&mut self) -> Vec<String> {
        let url = self.server.url_of(DATABASE);
        let mut seen = std::mem::take(&mut self.outbox);
        let mut lost = self.stage.runtime.block_on(async {
            let mut books = Books(PgConnection::connect(&url).await.unwrap());
            let mut lost = money(&mut books, self.months() * LINES, &self.paid).await;
            lost.extend(outbox(&mut books, &mut seen).await);
            lost.extend(lines(&mut books, &self.carried()).await);
            lost.extend(webhooks(&mut books, &self.told).await);
            lost.extend(gateway(&mut books, &self.gateway).await);
            let done = books.rows("SELECT outbox_id::text, state FROM outbox WHERE topic = 'message'").await;
            lost.extend(self.messages(&done));
            lost
        });
        self.outbox = seen;
        lost.extend(self.looked_over());
        lost
    }

    /// Each kind of damage to the tables is noticed: what is compared is there to be compared.
    pub(super) fn notices_damage(&mut self) {
        let url = self.server.url_of(DATABASE);
        for (damage, words) in [
            (
                "UPDATE journal_lines SET amount = amount + 1 WHERE line = (SELECT MAX(line) FROM journal_lines)",
                "is off by",
            ),
            ("DELETE FROM invoices WHERE number = (SELECT MAX(number) FROM invoices)", "months of lines"),
            (
                "UPDATE payments SET reference = 'X'
                WHERE reference = (SELECT MAX(reference) FROM payments WHERE provider <> 'tripay')",
                "by hand is booked 0 times",
            ),
            (
                "INSERT INTO payments
                SELECT (jsonb_populate_record(p, jsonb_build_object('payment_id', gen_random_uuid(), 'identity', 'X'))).*
                FROM payments p WHERE reference = (SELECT MAX(reference) FROM payments WHERE provider = 'tripay')",
                "by webhook is booked 2 times",
            ),
            (
                "UPDATE payments SET reference = 'Y'
                WHERE reference = (SELECT MAX(reference) FROM payments WHERE provider = 'tripay')",
                "by webhook is booked 0 times",
            ),
            (
                "UPDATE webhooks SET state = 'waiting' WHERE webhook_id = (SELECT webhook_id FROM webhooks LIMIT 1)",
                "is kept as waiting",
            ),
            (
                "DELETE FROM webhooks WHERE webhook_id = (SELECT webhook_id FROM webhooks LIMIT 1)",
                "was answered and is not kept",
            ),
            ("UPDATE journal_lines SET amount = amount + 1 WHERE account = 'gateway'", "the gateway owes"),
            ("DELETE FROM outbox WHERE outbox_id = (SELECT outbox_id FROM outbox LIMIT 1)", "of the outbox is gone"),
            (
                "UPDATE outbox SET state = 'pending' WHERE topic = 'message' AND state = 'done'",
                "went out and is pending",
            ),
            ("UPDATE service_access SET observed_access = 'closed'", "recorded closed"),
        ] {
            self.stage.runtime.block_on(async {
                PgConnection::connect(&url).await.unwrap().execute(damage).await.unwrap();
            });
            let lost = self.lost();
            assert!(lost.iter().any(|found| found.contains(words)), "not noticed: {damage}: {lost:#?}");
        }
    }

    /// The months that have begun: each line is billed on the first of each.
    fn months(&self) -> usize {
        let (year, month, _) = self.day.ymd();
        usize::try_from(i64::from(year - 2026) * 12 + i64::from(month)).unwrap()
    }

    /// What the router gives each line: the profile of its account and that of its session.
    fn carried(&self) -> BTreeMap<String, (String, Option<String>)> {
        let sessions: BTreeMap<_, _> =
            self.stage.router.sessions().into_iter().map(|session| (session.name, session.profile)).collect();
        let secrets = self.stage.router.secrets().into_iter();
        secrets.map(|secret| (secret.name.clone(), (secret.profile, sessions.get(&secret.name).cloned()))).collect()
    }

    /// Each message that is done is at WhatsApp once, and WhatsApp has none that is not on record.
    fn messages(&self, rows: &[Vec<String>]) -> Vec<String> {
        let mut taken: BTreeMap<String, usize> = BTreeMap::new();
        for message in self.stage.whatsapp.messages() {
            let id = message.callback_data.as_deref().and_then(|data| data.rsplit(':').next()).unwrap_or("?");
            *taken.entry(id.to_owned()).or_default() += 1;
        }
        let mut lost: Vec<String> = taken
            .iter()
            .filter(|(_, count)| **count > 1)
            .map(|(id, _)| format!("message {id} went out twice"))
            .collect();
        if !self.stage.whatsapp.duplicates().is_empty() {
            lost.push("WhatsApp was asked twice for one message".to_owned());
        }
        let mut known = BTreeSet::new();
        for row in rows {
            let [id, state] = row.as_slice() else { continue };
            match (state.as_str(), taken.contains_key(id)) {
                ("done", false) => lost.push(format!("message {id} is done and nobody has it")),
                ("done" | "unknown", true) => drop(known.insert(id.clone())),
                (_, true) => lost.push(format!("message {id} went out and is {state}")),
                (_, false) => {}
            }
        }
        lost.extend(taken.keys().filter(|id| !known.contains(*id)).map(|id| format!("message {id} is on no record")));
        lost
    }

    /// What `isp` itself finds.
    fn looked_over(&self) -> Vec<String> {
        let isp = &self.stage.isp;
        let found = isp.run(&["--format", "json", "doctor", "--offline"]).stdout;
        let found: serde_json::Value = serde_json::from_slice(&found).unwrap();
        // No copy is made here, only busy days are lived, and a message whose worker died is for a person to look at: those are counted.
        let usual = ["backup.none", "run.missed", "outbox.unknown"];
        let mut lost: Vec<String> = Vec::new();
        for finding in found.as_array().unwrap() {
            let name = finding["finding"].as_str().unwrap();
            if !usual.contains(&name) {
                lost.push(format!("isp doctor: {finding}"));
            }
        }
        let audit = isp.run(&["audit", "verify"]);
        if !audit.status.success() {
            lost.push(format!("isp audit verify: {}", String::from_utf8_lossy(&audit.stdout)));
        }
        lost
    }
}

async fn money(books: &mut Books, invoices: usize, paid: &[Paid]) -> Vec<String> {
    let mut lost = Vec::new();
    let unbalanced = "SELECT journal_entry_id::text, SUM(amount)::text FROM journal_lines GROUP BY journal_entry_id HAVING SUM(amount) <> 0";
    for row in books.rows(unbalanced).await {
        lost.push(format!("journal entry {} is off by {}", row[0], row[1]));
    }
    let entries = "SELECT journal_entry_id::text FROM journal_entries e
        WHERE NOT EXISTS (SELECT 1 FROM journal_lines l WHERE l.journal_entry_id = e.journal_entry_id)";
    lost.extend(books.rows(entries).await.into_iter().map(|row| format!("journal entry {} has no lines", row[0])));
    let twice = "SELECT subscription_id::text, period_start::text FROM invoices GROUP BY 1, 2 HAVING COUNT(*) > 1";
    lost.extend(
        books.rows(twice).await.into_iter().map(|row| format!("line {} is billed twice for {}", row[0], row[1])),
    );
    let there = books.count("SELECT COUNT(*) FROM invoices").await;
    if there != invoices {
        lost.push(format!("{there} invoices where {invoices} months of lines have begun"));
    }
    let off = "SELECT i.number::text FROM invoices i
        WHERE i.paid <> (SELECT COALESCE(SUM(a.amount), 0) FROM allocations a WHERE a.invoice_id = i.invoice_id)";
    lost.extend(books.rows(off).await.into_iter().map(|row| format!("invoice {} is not paid by what it says", row[0])));
    let mut booked: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let sql =
        "SELECT p.reference, c.code, p.amount::text FROM payments p JOIN customers c USING (tenant_id, customer_id)";
    for row in books.rows(sql).await {
        booked.entry(row[0].clone()).or_default().push((row[1].clone(), row[2].clone()));
    }
    for Paid { customer, reference, amount, how } in paid {
        let found = booked.remove(reference).unwrap_or_default();
        if found.len() != 1 {
            lost.push(format!("payment {reference} {how} is booked {} times", found.len()));
        }
        let other = found.iter().filter(|(whose, of)| whose != customer || *of != amount.to_string());
        lost.extend(other.map(|(whose, of)| format!("payment {reference} is booked for {whose} with {of}")));
    }
    lost.extend(booked.into_keys().map(|reference| format!("payment {reference} was made by nobody")));
    lost
}

/// What the gateway told was answered, is kept once, and was read.
async fn webhooks(books: &mut Books, told: &[Told]) -> Vec<String> {
    let rows = books.rows("SELECT convert_from(body, 'UTF8'), state, note FROM webhooks").await;
    let mut kept: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for row in rows {
        kept.entry(row[0].clone()).or_default().push((row[1].clone(), row[2].clone()));
    }
    let mut lost = Vec::new();
    for told in told {
        let (payment, found) = (&told.payment, kept.remove(&told.body()).unwrap_or_default());
        match found.as_slice() {
            [(state, _)] if state == "read" => {}
            [(state, note)] => lost.push(format!("the webhook of {payment} is kept as {state}: {note}")),
            [] => lost.push(format!("the webhook of {payment} was answered and is not kept")),
            more => lost.push(format!("the webhook of {payment} is kept {} times", more.len())),
        }
    }
    lost.extend(kept.into_keys().map(|_| "a webhook is kept that nobody sent".to_owned()));
    lost
}

/// What the gateway owes is what the books say of it.
async fn gateway(books: &mut Books, gateway: &Gateway) -> Vec<String> {
    let owes = gateway.simulator.holds().as_i64().to_string();
    let booked = "SELECT COALESCE(SUM(amount), 0)::text FROM journal_lines WHERE account = 'gateway'";
    let booked = books.rows(booked).await.remove(0).remove(0);
    if booked == owes { Vec::new() } else { vec![format!("the gateway owes {owes}, and {booked} is booked")] }
}

/// Nothing waits any more, nothing failed, and no row that was seen is gone.
async fn outbox(books: &mut Books, seen: &mut BTreeSet<String>) -> Vec<String> {
    let mut lost = Vec::new();
    let mut gone = std::mem::take(seen);
    for row in books.rows("SELECT outbox_id::text, topic, state, note FROM outbox").await {
        if !["done", "dropped", "unknown"].contains(&row[2].as_str()) || (row[1] == "access" && row[2] == "unknown") {
            lost.push(format!("{} {} is {}: {}", row[1], row[0], row[2], row[3]));
        }
        gone.remove(&row[0]);
        seen.insert(row[0].clone());
    }
    lost.extend(gone.into_iter().map(|id| format!("row {id} of the outbox is gone")));
    let keys = "SELECT k.outbox_id::text FROM notification_keys k
        WHERE NOT EXISTS (SELECT 1 FROM outbox o WHERE o.outbox_id = k.outbox_id)";
    lost.extend(
        books.rows(keys).await.into_iter().map(|row| format!("message {} was decided and is not there", row[0])),
    );
    lost
}

/// Each line's wish is on record as confirmed, and is what its account and its session carry.
async fn lines(books: &mut Books, carried: &BTreeMap<String, (String, Option<String>)>) -> Vec<String> {
    let sql = "SELECT c.code, a.desired, COALESCE(a.observed_access, '?'), (a.observed_revision = a.revision)::text
        FROM service_access a JOIN subscriptions s USING (tenant_id, subscription_id)
        JOIN customers c ON c.tenant_id = s.tenant_id AND c.customer_id = s.customer_id";
    let rows = books.rows(sql).await;
    let mut lost = Vec::new();
    if rows.len() != LINES {
        lost.push(format!("{} lines of {LINES} have a wish", rows.len()));
    }
    for row in rows {
        let number: usize = row[0].trim_start_matches('P').parse().unwrap();
        let profile = if row[1] == "isolated" { "isolir" } else { "h20" };
        let there = carried.get(&format!("warga{number}"));
        let same = there.is_some_and(|(account, session)| {
            account == profile && session.as_deref().is_none_or(|session| session == profile)
        });
        if !same || row[1] != row[2] || row[3] != "true" {
            lost.push(format!(
                "line {} is wanted {}, recorded {} ({}), and the router has {there:?}",
                row[0], row[1], row[2], row[3]
            ));
        }
    }
    lost
}
