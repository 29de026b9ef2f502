//! How a migration has to be written so that it runs on distributed tables with rows in them. CONTRIBUTING.md explains each rule.

use super::statement::{Piece, created_table, pieces, split};
use super::{EVERYWHERE, KEY, LAST_OF_BEFORE};
use crate::open::postgres_migrations;

/// What a statement must not hold, as Citus evaluates it on each node by itself, or has no such thing.
const WORDS: [(&str, &str); 9] = [
    ("SERIAL", "a sequence is shared by all writers"),
    ("BIGSERIAL", "a sequence is shared by all writers"),
    ("IDENTITY", "a sequence is shared by all writers"),
    ("SEQUENCE", "a sequence is shared by all writers"),
    ("TRIGGER", "Citus has no triggers on distributed tables"),
    ("DO", "a block runs on the coordinator alone"),
    ("CONCURRENTLY", "a migration is one transaction"),
    ("random", "it says something else on each shard"),
    ("clock_timestamp", "it says something else on each shard"),
];

/// What Citus would refuse of a migration, or do otherwise than PostgreSQL.
fn offences(sql: &str) -> Vec<String> {
    let mut found = Vec::new();
    for statement in split(sql) {
        let pieces = pieces(&statement);
        let mut say = |why: &str| found.push(format!("{why}: {}", statement.lines().next().unwrap_or_default()));
        for (word, why) in WORDS {
            if words(&statement).any(|found| found == word) {
                say(why);
            }
        }
        match pieces.as_slice() {
            [create, table, ..] if create.is("CREATE") && table.is("TABLE") => create_table(&statement, &mut say),
            [create, unique, ..]
                if create.is("CREATE")
                    && unique.is("UNIQUE")
                    && !pieces.iter().find_map(Piece::inside).is_some_and(by_tenant) =>
            {
                say("a unique index begins with tenant_id");
            }
            [alter, table, _, action, rest @ ..] if alter.is("ALTER") && table.is("TABLE") => {
                alter_table(*action, rest, &mut say);
            }
            _ => {}
        }
    }
    found
}

/// All words of a statement, those in brackets too, without texts in quotes.
fn words(statement: &str) -> impl Iterator<Item = &str> {
    let mut words = Vec::new();
    let mut open = vec![statement];
    while let Some(text) = open.pop() {
        for piece in pieces(text) {
            match piece.inside() {
                Some(inside) => open.push(inside),
                None => words.push(piece.text),
            }
        }
    }
    words.into_iter()
}

fn by_tenant(columns: &str) -> bool {
    pieces(columns).first().is_some_and(|first| first.is(KEY))
}

fn create_table(statement: &str, say: &mut impl FnMut(&str)) {
    let Some(table) = created_table(statement) else { return say("a table is made as CREATE TABLE name (columns)") };
    if EVERYWHERE.contains(&table) {
        return;
    }
    let all = pieces(statement);
    let Some(columns) = all.get(3).and_then(Piece::inside) else { return };
    let found = pieces(columns);
    if !by_tenant(columns) {
        say("a table begins with its column tenant_id");
    }
    for (at, piece) in found.iter().enumerate() {
        let after = |count: usize| found.get(at + count).and_then(Piece::inside);
        // Beside the column tenant_id itself, as in the table of the tenants.
        let of_the_first = !found[..at].iter().any(|before| before.text == ",");
        let keys = match piece.text.to_ascii_uppercase().as_str() {
            "PRIMARY" | "FOREIGN" => after(2),
            "UNIQUE" => after(1),
            "REFERENCES" => after(2),
            _ => continue,
        };
        if !keys.is_some_and(by_tenant) && !of_the_first {
            say("each key of a table stands on a line of its own and begins with tenant_id");
        }
    }
}

fn alter_table(action: Piece<'_>, rest: &[Piece<'_>], say: &mut impl FnMut(&str)) {
    if rest.iter().any(|piece| piece.text == ",") {
        say("an ALTER TABLE does one thing");
    }
    let Some(what) = rest.first().filter(|_| action.is("ADD")) else { return };
    if what.is("CONSTRAINT") {
        let kind = rest.iter().skip(2).position(|p| ["PRIMARY", "UNIQUE", "FOREIGN"].iter().any(|k| p.is(k)));
        if kind.is_some() && !rest.iter().filter_map(Piece::inside).all(by_tenant) {
            say("a key begins with tenant_id");
        }
    } else if what.is("COLUMN") {
        if rest.iter().any(|p| ["CHECK", "REFERENCES", "UNIQUE", "PRIMARY", "CONSTRAINT"].iter().any(|k| p.is(k))) {
            say("a column is added alone, and its CHECK or key after it as ADD CONSTRAINT name");
        }
    } else {
        say("what is added is written as ADD COLUMN, or as ADD CONSTRAINT with a name");
    }
}

/// Number 28 was written later than 29.
#[test]
fn new_migrations_run_on_distributed_tables() {
    for migration in postgres_migrations().iter().filter(|m| m.version > LAST_OF_BEFORE || m.version == 28) {
        let found = offences(migration.sql.as_str());
        assert!(found.is_empty(), "migration {}: {found:#?}", migration.version);
    }
}

/// The migrations of before are known to offend, in this way only.
#[test]
fn migrations_of_before_offend_as_the_runner_knows() {
    for migration in postgres_migrations().iter().filter(|m| m.version <= LAST_OF_BEFORE) {
        for offence in offences(migration.sql.as_str()) {
            let known = offence.starts_with("a column is added alone")
                || offence
                    == "what is added is written as ADD COLUMN, or as ADD CONSTRAINT with a name: ALTER TABLE former_accounts ADD PRIMARY KEY (tenant_id, subscription_id, router_id, username, service)";
            assert!(known, "migration {}: {offence}", migration.version);
        }
    }
}

#[test]
fn what_citus_refuses_is_found() {
    for (bad, why) in [
        ("ALTER TABLE t ADD COLUMN a TEXT CHECK (a > '')", "added alone"),
        ("ALTER TABLE t ADD COLUMN a UUID REFERENCES s (tenant_id, a)", "added alone"),
        ("ALTER TABLE t ADD COLUMN a TEXT, ADD COLUMN b TEXT", "one thing"),
        ("ALTER TABLE t ADD CHECK (a > 0)", "with a name"),
        ("ALTER TABLE t ADD PRIMARY KEY (tenant_id, a)", "with a name"),
        ("ALTER TABLE t ADD CONSTRAINT u UNIQUE (a, tenant_id)", "a key begins"),
        ("CREATE TABLE t (a UUID, tenant_id UUID, PRIMARY KEY (tenant_id, a))", "begins with its column"),
        ("CREATE TABLE t (tenant_id UUID, a UUID PRIMARY KEY)", "each key"),
        ("CREATE TABLE t (tenant_id UUID, a UUID, UNIQUE (a))", "each key"),
        ("CREATE TABLE t (tenant_id UUID, a UUID, FOREIGN KEY (a) REFERENCES s (a))", "each key"),
        ("CREATE TABLE t (tenant_id UUID, a UUID REFERENCES s)", "each key"),
        ("CREATE TABLE t AS SELECT 1", "made as"),
        ("CREATE UNIQUE INDEX i ON t (a, tenant_id)", "unique index"),
        ("CREATE TABLE t (tenant_id UUID, a BIGSERIAL)", "sequence"),
        ("UPDATE t SET a = random()", "each shard"),
        ("DO $$ BEGIN END $$", "coordinator alone"),
        ("CREATE INDEX CONCURRENTLY i ON t (tenant_id)", "one transaction"),
    ] {
        let found = offences(bad);
        assert!(found.iter().any(|f| f.contains(why)), "{bad}: {found:?}");
    }
    let good = "CREATE TABLE t (tenant_id UUID NOT NULL, a UUID CHECK (a IS NOT NULL), PRIMARY KEY (tenant_id, a),
            FOREIGN KEY (tenant_id, a) REFERENCES s (tenant_id, a)); -- REFERENCES nobody
        CREATE UNIQUE INDEX i ON t (tenant_id, a) WHERE a IS NULL;
        ALTER TABLE t ADD COLUMN b TEXT NOT NULL DEFAULT 'CHECK, UNIQUE';
        ALTER TABLE t ADD CONSTRAINT t_b_check CHECK (b IN ('x', 'y'));
        ALTER TABLE t ADD CONSTRAINT k UNIQUE (tenant_id, b);
        ALTER TABLE t DROP CONSTRAINT k;
        UPDATE t SET b = 'x';";
    assert_eq!(offences(good), [""; 0]);
}
