//! Which public structs may get a field without breaking whoever uses them. One whose fields are all public can be written and taken
//! apart by anybody, so a new field breaks that code; `#[non_exhaustive]` keeps it from being written outside its crate.
//! `plain_structs.txt` lists those that are meant to be written, with the reason, and is complete.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const CRATES: [&str; 5] = ["isp-core", "isp-mikrotik", "isp-whatsapp", "isp-payment", "isp-store"];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The public structs of a file with public fields alone and without `non_exhaustive`.
fn plain(text: &str) -> BTreeSet<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = BTreeSet::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(rest) = line.strip_prefix("pub struct ").filter(|rest| rest.ends_with('{')) else { continue };
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
        let above = lines[..at].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("///"));
        let open = above.into_iter().any(|line| *line == "#[non_exhaustive]");
        let body: Vec<&str> = lines[at + 1..].iter().take_while(|line| **line != "}").copied().collect();
        let is_field = |line: &&str| {
            let word = line.trim_start().split(':').next().unwrap_or("");
            let depth = line.len() - line.trim_start().len();
            depth == 4 && line.contains(": ") && !line.trim_start().starts_with(['/', '#', ')']) && !word.is_empty()
        };
        let fields: Vec<&str> = body.into_iter().filter(is_field).collect();
        if !open && !fields.is_empty() && fields.iter().all(|field| field.starts_with("    pub ")) {
            found.insert(name);
        }
    }
    found
}

#[test]
fn every_public_struct_that_anybody_can_write_is_listed_with_its_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut there = BTreeSet::new();
    for folder in CRATES {
        let mut all = Vec::new();
        files(&root.join(folder).join("src"), &mut all);
        assert!(!all.is_empty(), "no Rust file in {folder}");
        for path in all {
            let file = path.strip_prefix(root).unwrap().to_str().unwrap().replace("/src/", "/");
            let names = plain(&std::fs::read_to_string(&path).unwrap());
            there.extend(names.into_iter().map(|name| format!("{} {name}", file.trim_end_matches(".rs"))));
        }
    }
    let (mut listed, mut reason) = (BTreeMap::new(), "");
    for line in include_str!("plain_structs.txt").lines().filter(|line| !line.is_empty()) {
        if let Some(text) = line.strip_prefix("# ") {
            reason = text;
            continue;
        }
        let (file, names) = line.split_once(": ").unwrap_or_else(|| panic!("no names: {line}"));
        assert!(!reason.is_empty(), "no reason above {line}");
        for name in names.split(' ') {
            assert_eq!(listed.insert(format!("{file} {name}"), reason), None, "twice: {file} {name}");
        }
    }
    let missing: Vec<&String> = there.iter().filter(|name| !listed.contains_key(*name)).collect();
    assert!(
        missing.is_empty(),
        "put #[non_exhaustive] on what nobody outside the crate has to write, and the rest into plain_structs.txt: {missing:#?}"
    );
    let gone: Vec<&String> = listed.keys().filter(|name| !there.contains(*name)).collect();
    assert!(gone.is_empty(), "no longer so, take them from plain_structs.txt: {gone:#?}");
}

#[test]
fn a_struct_is_plain_when_its_fields_are_public_and_it_is_not_non_exhaustive() {
    let text = "/// A.\npub struct A {\n    /// x\n    pub x: u8,\n}\n#[non_exhaustive]\npub struct B {\n    pub x: u8,\n}\n\
        pub struct C {\n    pub x: u8,\n    y: u8,\n}\npub struct D<'a> {\n    pub x: &'a str,\n}\nstruct E {\n    pub x: u8,\n}\n";
    assert_eq!(plain(text).into_iter().collect::<Vec<_>>(), ["A", "D"]);
}
