//! A migration as single statements, as far as ours are written: words, texts in single quotes, texts between dollar signs,
//! brackets, comments.

/// The statements of a migration, without comments and without the semicolon.
pub(super) fn split(sql: &str) -> Vec<String> {
    let mut statements = Vec::new();
    let mut text = String::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("--") {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
            text.push('\n');
            continue;
        }
        let length = match first {
            '\'' | '"' => quoted(rest, first),
            '$' => dollars(rest),
            _ => first.len_utf8(),
        };
        let (now, after) = rest.split_at(length);
        rest = after;
        if now == ";" {
            statements.push(std::mem::take(&mut text));
        } else {
            text.push_str(now);
        }
    }
    statements.push(text);
    statements.iter().map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()).collect()
}

/// How long the text in quotes is that `text` begins with. A doubled quote in it is two texts side by side, which is the same.
fn quoted(text: &str, quote: char) -> usize {
    text[1..].find(quote).map_or(text.len(), |at| at + 2)
}

/// How long the text between `$TAG$` and `$TAG$` is that `text` begins with; 1 for a dollar sign that begins none.
fn dollars(text: &str) -> usize {
    let Some(end) = text[1..].find('$') else { return 1 };
    let tag = &text[..end + 2];
    if !tag[1..=end].chars().all(|c| c.is_alphanumeric() || c == '_') {
        return 1;
    }
    text[tag.len()..].find(tag).map_or(text.len(), |at| at + 2 * tag.len())
}

/// A piece of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    /// A word, a text in quotes, a sign, or what stands in a pair of brackets with them.
    pub(super) text: &'a str,
    /// Where it begins.
    pub(super) at: usize,
}

impl<'a> Piece<'a> {
    pub(super) fn is(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }

    /// What stands in its brackets.
    pub(super) fn inside(&self) -> Option<&'a str> {
        self.text.strip_prefix('(')?.strip_suffix(')')
    }
}

/// The pieces of a statement; brackets are one piece.
pub(super) fn pieces(statement: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = statement[at..].chars().next() {
        let rest = &statement[at..];
        let length = match first {
            c if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            '\'' | '"' => quoted(rest, first),
            '$' => dollars(rest),
            '(' => bracketed(rest),
            c if c.is_alphanumeric() || c == '_' => {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            }
            c => c.len_utf8(),
        };
        found.push(Piece { text: &rest[..length], at });
        at += length;
    }
    found
}

fn bracketed(text: &str) -> usize {
    let (mut depth, mut at) = (0_u32, 0);
    while let Some(first) = text[at..].chars().next() {
        at += match first {
            '\'' | '"' => quoted(&text[at..], first),
            _ => first.len_utf8(),
        };
        match first {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// The table that a statement makes.
pub(super) fn created_table(statement: &str) -> Option<&str> {
    match pieces(statement).as_slice() {
        [create, table, name, columns, ..]
            if create.is("CREATE") && table.is("TABLE") && columns.inside().is_some() =>
        {
            Some(name.text)
        }
        _ => None,
    }
}

/// A statement of the migrations of before in parts that Citus takes: it refuses to add a column together with a check, but takes
/// the check by itself, under the name that PostgreSQL would have given it.
pub(super) fn separated(statement: &str) -> Vec<String> {
    let found = pieces(statement);
    let [alter, table_word, table, add, column_word, column, rest @ ..] = found.as_slice() else {
        return vec![statement.to_owned()];
    };
    let adds = alter.is("ALTER") && table_word.is("TABLE") && add.is("ADD") && column_word.is("COLUMN");
    let Some(first) = rest.iter().find(|piece| piece.is("CHECK")).filter(|_| adds) else {
        return vec![statement.to_owned()];
    };
    let mut parts = vec![statement[..first.at].trim_end().to_owned()];
    for check in rest.windows(2).filter(|two| two[0].is("CHECK")) {
        let expression = check[1].text;
        // It is named by its column when it is about that one alone.
        let alone = names(expression).iter().all(|name| *name == column.text);
        let name =
            if alone { format!("{}_{}_check", table.text, column.text) } else { format!("{}_check", table.text) };
        parts.push(format!("ALTER TABLE {} ADD CONSTRAINT {name} CHECK {expression}", table.text));
    }
    parts
}

/// The columns that an expression of ours names: what is written small, outside quotes.
fn names(expression: &str) -> Vec<&str> {
    pieces(expression)
        .into_iter()
        .flat_map(|piece| match piece.inside() {
            Some(inside) => names(inside),
            None => vec![piece.text],
        })
        .filter(|text| text.starts_with(|c: char| c.is_lowercase()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::postgres_migrations;

    #[test]
    fn a_semicolon_in_a_text_a_comment_or_a_body_ends_no_statement() {
        let sql =
            "-- one; two\nCREATE TABLE a (b TEXT DEFAULT ';''x;'); -- three;\nDO $x$ BEGIN; END $x$;\n\nSELECT $1;;";
        let found = split(sql);
        assert_eq!(found, ["CREATE TABLE a (b TEXT DEFAULT ';''x;')", "DO $x$ BEGIN; END $x$", "SELECT $1"]);
        assert_eq!(created_table(&found[0]), Some("a"));
        assert_eq!(created_table(&found[1]), None);
    }

    #[test]
    fn every_statement_of_the_migrations_begins_with_its_word() {
        for migration in postgres_migrations() {
            for statement in split(migration.sql.as_str()) {
                let first = pieces(&statement)[0].text;
                assert!(["CREATE", "ALTER", "UPDATE", "INSERT", "DROP", "DELETE"].contains(&first), "{statement}");
            }
        }
    }

    #[test]
    fn a_column_and_its_checks_are_added_one_after_the_other() {
        let one = "ALTER TABLE t ADD COLUMN a TEXT NOT NULL DEFAULT 'CHECK'\n    CHECK (a IN ('CHECK (x)', 'y'))";
        assert_eq!(
            separated(one),
            [
                "ALTER TABLE t ADD COLUMN a TEXT NOT NULL DEFAULT 'CHECK'",
                "ALTER TABLE t ADD CONSTRAINT t_a_check CHECK (a IN ('CHECK (x)', 'y'))"
            ]
        );
        let two = "ALTER TABLE t ADD COLUMN b BIGINT CHECK (b BETWEEN -1 AND 1) CHECK ((a IS NULL) = (b IS NULL))";
        assert_eq!(
            separated(two),
            [
                "ALTER TABLE t ADD COLUMN b BIGINT",
                "ALTER TABLE t ADD CONSTRAINT t_b_check CHECK (b BETWEEN -1 AND 1)",
                "ALTER TABLE t ADD CONSTRAINT t_check CHECK ((a IS NULL) = (b IS NULL))"
            ]
        );
        for whole in ["ALTER TABLE t ADD COLUMN a TEXT", "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)", "DROP INDEX i"]
        {
            assert_eq!(separated(whole), [whole]);
        }
    }
}
