//! What programs may rely on: everything that `isp` prints as JSON in these tests is as `docs/output.schema.json` says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use serde_json::Value;

/// Each key with its types.
type Keys = BTreeMap<String, BTreeSet<&'static str>>;

/// What the document says.
static SCHEMA: LazyLock<Keys> = LazyLock::new(|| {
    let schema: Value = serde_json::from_str(include_str!("../../../docs/output.schema.json")).unwrap();
    let keys = schema["$defs"]["row"]["properties"].as_object().unwrap().iter();
    keys.map(|(key, value)| {
        assert!(value["description"].as_str().is_some_and(|text| !text.is_empty()), "{key} has no description");
        let types = value["type"].as_array().unwrap().iter().map(|one| match one.as_str().unwrap() {
            "string" => "string",
            "integer" => "integer",
            "null" => "null",
            other => panic!("{key}: {other}?"),
        });
        (key.clone(), types.collect())
    })
    .collect()
});

/// Panics where an output holds a key or a type that the document does not.
pub(crate) fn check(output: &Value, arguments: &[&str]) {
    match output {
        Value::Array(rows) => rows.iter().for_each(|row| check_row(row, arguments)),
        // `report finance`.
        Value::Object(parts) => {
            for (name, part) in parts {
                match name.as_str() {
                    "months" | "aging_by" => check(part, arguments),
                    "aging" if part.is_null() => {}
                    "aging" => check_row(part, arguments),
                    other => panic!("{arguments:?}: {other} is not in docs/output.schema.json"),
                }
            }
        }
        other => panic!("{arguments:?}: rows were expected, not {other}"),
    }
}

fn check_row(row: &Value, arguments: &[&str]) {
    for (key, value) in row.as_object().unwrap() {
        let types = SCHEMA.get(key).unwrap_or_else(|| panic!("{arguments:?}: {key} is not in docs/output.schema.json"));
        let is = match value {
            Value::String(_) => "string",
            Value::Number(number) if number.is_i64() => "integer",
            Value::Null => "null",
            _ => "something else",
        };
        assert!(types.contains(is), "{arguments:?}: {key} is {is}, docs/output.schema.json says {types:?}");
    }
}

/// The keys that the program's sources name, with their types.
fn keys_of(dir: &Path, found: &mut Keys) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            keys_of(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap();
            for (call, kind) in [("column(\"", "string"), ("number(\"", "integer")] {
                for rest in text.split(call).skip(1) {
                    let key = rest.split('"').next().unwrap();
                    found.entry(key.to_owned()).or_insert_with(|| BTreeSet::from(["null"])).insert(kind);
                }
            }
        }
    }
}

#[test]
fn the_schema_has_every_key_of_the_program() {
    let mut found = Keys::new();
    keys_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin/isp"), &mut found);
    assert!(found.len() > 200, "the sources were not found");
    assert_eq!(*SCHEMA, found);
}
