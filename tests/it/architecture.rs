//! The rules of the architecture, as tests: what isp-core must not reach or mention, who must not depend on whom,
//! and that every error code is unique and explained in `docs/errors.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The packages that a workspace member reaches through normal dependencies, with all its features on.
fn reached_by(member: &str) -> BTreeSet<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["tree", "--offline", "--locked", "--edges", "normal", "--all-features", "--prefix", "none"])
        .args(["--format", "{p}", "--package", member])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let names: BTreeSet<_> = tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    assert!(names.contains(member));
    names
}

/// All Rust files below a folder, with the comments blanked out.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    walk(&root().join(folder), &mut paths);
    assert!(!paths.is_empty(), "no Rust file in {folder}");
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), without_comments(&std::fs::read_to_string(path).unwrap()))).collect()
}

/// Drops line comments; a `//` inside a string literal (an address) stays.
fn without_comments(text: &str) -> String {
    text.lines()
        .map(|line| {
            let comment =
                line.match_indices("//").map(|(at, _)| at).find(|at| line[..*at].matches('"').count() % 2 == 0);
            comment.map_or(line, |at| &line[..at])
        })
        .collect::<Vec<_>>()
        .join("\n")
}

fn mentions(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].chars().next_back().is_some_and(part) && !text[at + word.len()..].chars().next().is_some_and(part)
    })
}

#[test]
fn the_core_reaches_no_runtime_no_database_no_network_and_no_python() {
    let reached = reached_by("isp-core");
    for forbidden in ["tokio", "sqlx", "sqlx-core", "reqwest", "hyper", "pyo3", "mio"] {
        assert!(!reached.contains(forbidden), "isp-core reaches {forbidden}");
    }
}

/// Files are names with bytes, and what exists is a value: who reads and writes is the caller, a program or Python.
#[test]
fn the_import_opens_no_file_and_knows_no_store() {
    let reached = reached_by("isp-import");
    for forbidden in ["tokio", "sqlx", "sqlx-core", "reqwest", "pyo3", "isp-store", "isp-mikrotik"] {
        assert!(!reached.contains(forbidden), "isp-import reaches {forbidden}");
    }
    for (path, text) in sources("isp-import/src") {
        for word in ["std::fs", "std::env", "Utc::now", "SystemTime"] {
            assert!(!mentions(&text, word), "{} names {word}", path.display());
        }
    }
}

/// Facts are no wider than their decision: what the caller of the wheel does not know is `Unknown` there, never an id of
/// zeros.
#[test]
fn the_wheel_fills_nothing_with_ids_of_nobody() {
    for (path, text) in sources("isp-py/src") {
        for nobody in ["nil()", "Uuid::default", "Uuid::from_u128(0)"] {
            assert!(!text.contains(nobody), "{} names {nobody}", path.display());
        }
    }
}

#[test]
fn the_core_reads_no_clock_draws_no_lots_and_has_no_floats() {
    let words = [
        "Utc::now",
        "Local::now",
        "SystemTime",
        "Instant",
        "f32",
        "f64",
        "rand::random",
        "Uuid::now_v7",
        "Uuid::new_v4",
        "TcpStream",
        "UdpSocket",
        "std::fs",
        "std::env",
    ];
    let mut found = Vec::new();
    for (path, text) in sources("isp-core/src") {
        found.extend(
            words.iter().filter(|word| mentions(&text, word)).map(|word| format!("{}: {word}", path.display())),
        );
    }
    assert!(found.is_empty(), "isp-core is pure; time, ids and files are arguments:\n{}", found.join("\n"));
}

/// The modules of isp-core from the ground up, those of a line together. A module names only modules of its own line and
/// of lines above it in this list.
const ORDER: [&[&str]; 22] = [
    &["typed"],
    &["error", "calendar", "money"],
    &["text", "ids", "secret"],
    &["ending"],
    &["tax", "holiday", "clock"],
    &["customer", "place", "subscription"],
    &["package", "installation"],
    // What was billed, what was paid, what is booked.
    &["billing", "payment", "ledger"],
    &["device"],
    &["bank"],
    &["protection"],
    &["isolation"],
    &["message"],
    &["terms"],
    &["privacy", "retention"],
    &["policy"],
    &["report"],
    // The store.
    &["ports"],
    &["audit", "simulation"],
    &["engine"],
    &["rules"],
    &["testing"],
];

#[test]
fn the_modules_of_the_core_keep_their_order() {
    let line_of = |module: &str| ORDER.iter().position(|line| line.contains(&module));
    let source = root().join("isp-core/src");
    let mut wrong = Vec::new();
    for (path, text) in sources("isp-core/src") {
        let file = path.strip_prefix(&source).unwrap();
        let module = file.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        if module == "lib" {
            continue;
        }
        let Some(line) = line_of(module) else {
            wrong.push(format!("{module} has no place in the order"));
            continue;
        };
        // Unit tests may take their samples from anywhere.
        let text = text.split("#[cfg(test)]").next().unwrap();
        let above = named_modules(text).into_iter().filter(|other| line_of(other).is_some_and(|at| at > line));
        wrong.extend(above.map(|other| format!("{} names {other}", file.display())));
    }
    assert!(wrong.is_empty(), "decisions lie below, the store above; see ARCHITECTURE.md:\n{}", wrong.join("\n"));
    assert!(ORDER.iter().all(|line| line.len() <= 3), "a ring of more than three modules");
}

/// The modules that a text names after `crate::`, alone or in braces.
fn named_modules(text: &str) -> BTreeSet<&str> {
    let word = |text: &'_ str| text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let mut found = BTreeSet::new();
    for (at, name) in text.match_indices("crate::") {
        let rest = &text[at + name.len()..];
        match rest.strip_prefix('{') {
            Some(group) => {
                let group = &group[..group.find(';').unwrap_or(group.len())];
                found.extend(group.split(',').map(str::trim_start).map(|part| &part[..word(part)]));
            }
            None => _ = found.insert(&rest[..word(rest)]),
        }
    }
    found
}

/// Files that name each other in a circle cannot be read one after the other. In isp-core the order above stands for this.
#[test]
fn the_files_of_the_adapters_name_each_other_in_no_circle() {
    for folder in
        ["isp-mikrotik/src", "isp-store/src", "isp-whatsapp/src", "isp-payment/src", "isp-serve/src", "isp-py/src"]
    {
        let named = files_named(folder);
        let circles = circles(&named);
        assert!(circles.is_empty(), "{folder}: these files name each other in a circle: {circles:#?}");
    }
}

/// Each file of a crate by its module path, with the files that it names. What unit tests name does not count.
fn files_named(folder: &str) -> BTreeMap<String, BTreeSet<String>> {
    let source = root().join(folder);
    let module = |path: &Path| {
        let path = path.strip_prefix(&source).unwrap().with_extension("");
        let parts: Vec<_> = path.iter().map(|part| part.to_str().unwrap()).filter(|part| *part != "mod").collect();
        parts.join("::")
    };
    let texts: BTreeMap<String, String> =
        sources(folder).into_iter().map(|(path, text)| (module(&path), text)).collect();
    let named = |(file, text): (&String, &String)| {
        let paths = paths_named(text.split("#[cfg(test)]").next().unwrap(), file);
        let files = paths.into_iter().filter_map(|path| {
            // The longest beginning of the path that is a file: what follows is an item in it.
            let ends = [path.len()].into_iter().chain(path.rmatch_indices("::").map(|(at, _)| at));
            ends.map(|end| path[..end].to_owned()).find(|file| texts.contains_key(file))
        });
        (file.clone(), files.filter(|other| other != file).collect())
    };
    texts.iter().map(named).collect()
}

/// The paths after `crate::` and `super::` in a text, written out from the root of the crate, braces taken apart.
fn paths_named(text: &str, file: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut supers = 0;
    for (at, _) in text.match_indices("::") {
        let word = text[..at].rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
        supers = if word == "super" { supers + 1 } else { 0 };
        let mut from = match word {
            "crate" => String::new(),
            "super" if !text[at + 2..].starts_with("super::") => {
                let parts: Vec<&str> = file.split("::").collect();
                let above = parts.len().saturating_sub(std::mem::take(&mut supers));
                parts[..above].join("::")
            }
            _ => continue,
        };
        if !from.is_empty() {
            from.push_str("::");
        }
        take_apart(&text[at + 2..], &from, &mut found);
    }
    found
}

/// Adds the paths that a text begins with, `{a, b::{c, d}}` being three; the bytes that they take up.
fn take_apart(text: &str, before: &str, found: &mut BTreeSet<String>) -> usize {
    let word = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    if let Some(rest) = text[word..].strip_prefix("::").filter(|_| word > 0) {
        return word + 2 + take_apart(rest, &format!("{before}{}::", &text[..word]), found);
    }
    if word > 0 || !text.starts_with('{') {
        found.insert(format!("{before}{}", &text[..word]));
        return word;
    }
    let mut at = 1;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty() && !rest.starts_with('}')) {
        let blank = rest.find(|c: char| c.is_alphanumeric() || c == '_' || c == '{' || c == '}').unwrap_or(rest.len());
        at += blank;
        if text[at..].starts_with('}') || at == text.len() {
            break;
        }
        at += take_apart(&text[at..], before, found).max(1);
    }
    at + 1
}

/// The groups of more than one file in which each reaches every other.
fn circles(graph: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<&str>> {
    let reach = |from: &str| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from.to_owned()]);
        while let Some(file) = next.pop() {
            let named = graph.get(&file).into_iter().flatten();
            next.extend(named.filter(|other| seen.insert((*other).clone())).cloned().collect::<Vec<_>>());
        }
        seen
    };
    let reached: BTreeMap<&str, BTreeSet<String>> = graph.keys().map(|file| (file.as_str(), reach(file))).collect();
    let mut found: Vec<Vec<&str>> = Vec::new();
    for (file, others) in &reached {
        if others.contains(*file) && !found.iter().flatten().any(|known| known == file) {
            found.push(reached.keys().copied().filter(|o| others.contains(*o) && reached[o].contains(*file)).collect());
        }
    }
    found
}

#[test]
fn adapters_do_not_see_each_other() {
    let adapters = ["isp-mikrotik", "isp-radius", "isp-whatsapp", "isp-payment", "isp-store"];
    for adapter in adapters {
        let reached = reached_by(adapter);
        for other in adapters.iter().filter(|other| **other != adapter).chain(&["isp", "isp-py"]) {
            assert!(!reached.contains(*other), "{adapter} depends on {other}");
        }
    }
    let core = reached_by("isp-core");
    assert!(!core.iter().any(|name| name.starts_with("isp-") && name != "isp-core"), "isp-core depends on an adapter");
}

const MEMBERS: [&str; 10] = [
    "isp-serve/src",
    "isp-core/src",
    "isp-import/src",
    "isp-mikrotik/src",
    "isp-payment/src",
    "isp-radius/src",
    "isp-store/src",
    "isp-whatsapp/src",
    "isp-py/src",
    "src",
];

/// Every `"word.word"` literal in the body of a `fn code(`, with the place of that function.
fn codes() -> Vec<(String, String)> {
    let mut codes = Vec::new();
    for (path, text) in MEMBERS.into_iter().flat_map(sources) {
        let short = path.strip_prefix(root()).unwrap().display().to_string();
        for (start, _) in text.match_indices("fn code(") {
            let open = start + text[start..].find('{').unwrap();
            let line = text[..start].matches('\n').count() + 1;
            let body = &text[open..open + body_length(&text[open..])];
            codes.extend(literals(body).map(|code| (code, format!("{short}:{line}"))));
        }
    }
    codes
}

fn body_length(text: &str) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    panic!("a function body without an end");
}

fn literals(text: &str) -> impl Iterator<Item = String> {
    text.split('"').skip(1).step_by(2).filter(|literal| is_code(literal)).map(str::to_owned)
}

fn is_code(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    text.split_once('.').is_some_and(|(area, name)| part(area) && part(name))
}

/// The codes of `docs/errors.md`: the first cell of each row of its tables.
fn documented() -> Vec<String> {
    let text = std::fs::read_to_string(root().join("docs/errors.md")).unwrap();
    text.lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(code, rest)| {
            let cells = rest.split('|').filter(|cell| !cell.trim().is_empty()).count();
            assert_eq!(cells, 2, "docs/errors.md: {code} needs a meaning and what to do");
            code.to_owned()
        })
        .collect()
}

#[test]
fn error_codes_are_unique() {
    // Two enums may share a code where they mean the same, as `docs/errors.md` has one line for it; one may not.
    let mut twice = Vec::new();
    let codes = codes();
    for (index, (code, place)) in codes.iter().enumerate() {
        twice.extend(codes[..index].contains(&(code.clone(), place.clone())).then(|| format!("{code} in {place}")));
    }
    assert!(codes.len() > 20, "the codes are not found any more: {codes:?}");
    assert!(twice.is_empty(), "one code, one meaning: {twice:#?}");
}

#[test]
fn error_codes_are_documented_and_nothing_else_is() {
    let documented = documented();
    let unique: BTreeSet<_> = documented.iter().cloned().collect();
    assert_eq!(unique.len(), documented.len(), "a code stands twice in docs/errors.md");
    let written: BTreeMap<_, _> = codes().into_iter().collect();
    let missing: Vec<_> = written.iter().filter(|(code, _)| !unique.contains(*code)).collect();
    assert!(missing.is_empty(), "add these to docs/errors.md: {missing:#?}");
    let gone: Vec<_> = unique.iter().filter(|code| !written.contains_key(*code)).collect();
    assert!(gone.is_empty(), "docs/errors.md explains codes that no fn code() returns: {gone:?}");
}

#[test]
fn this_test_sees_what_it_looks_for() {
    assert_eq!(named_modules("use crate::{a, b::C};\nlet x = crate::d::E;"), BTreeSet::from(["a", "b", "d"]));
    assert_eq!(
        paths_named("use crate::{a, b::{C, d::E}};\nfn f() -> super::G { super::super::h::I }", "x::y::z"),
        ["a", "b::C", "b::d::E", "x::y::G", "x::h::I"].map(str::to_owned).into(),
    );
    let graph = [("a", "b"), ("b", "c"), ("c", "b"), ("d", "a")];
    let graph = graph.map(|(from, to)| (from.to_owned(), BTreeSet::from([to.to_owned()]))).into();
    assert_eq!(circles(&graph), [["b", "c"]]);
    assert!(mentions("let x: f64 = 1.0;", "f64") && !mentions("let buf64 = 1;", "f64"));
    assert_eq!(without_comments("let a = \"https://x\"; // f64\n/// f64\nb"), "let a = \"https://x\"; \n\nb");
    let body = "{ match self { A => \"a.b\", B(e) => e.code(), C => \"x\" } } \"c.d\"";
    assert_eq!(literals(&body[..body_length(body)]).collect::<Vec<_>>(), ["a.b"]);
    assert!(is_code("router.timeout") && !is_code("customers.csv.gz") && !is_code("due_soon"));
}

/// True when the words of a document are those of the name, but for articles and the like.
fn echoes(document: &str, name: &str) -> bool {
    const LITTLE: [&str; 15] =
        ["the", "a", "an", "its", "of", "this", "is", "that", "it", "for", "his", "her", "their", "in", "on"];
    let bare = |word: &str| word.trim_end_matches('s').to_owned();
    let named: BTreeSet<String> = name.split('_').map(bare).collect();
    let lower = document.to_lowercase();
    let mut words = lower.split(|sign: char| !sign.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    words.all(|word| LITTLE.contains(&word) || named.contains(&bare(word)))
}

/// `/// The name.` above `pub name` tells a reader nothing: what it holds, in which unit or shape, does.
#[test]
fn the_document_of_a_field_says_more_than_its_name() {
    assert!(echoes("The customers.", "customer") && echoes("Its IDs", "id") && !echoes("Whose it is.", "customer"));
    let mut found = Vec::new();
    let mut seen = 0;
    let crates = ["core", "store", "mikrotik", "radius", "whatsapp", "payment", "http", "serve", "cases"];
    for folder in crates.map(|name| format!("isp-{name}/src")) {
        for (path, _) in sources(&folder) {
            let text = std::fs::read_to_string(&path).unwrap();
            let lines: Vec<&str> = text.lines().map(str::trim).collect();
            for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("pub ")) {
                let Some((name, _)) = line.trim_start_matches("pub ").split_once(": ") else { continue };
                let above = lines[..at].iter().rev().skip_while(|line| line.starts_with("#["));
                let document: Vec<&str> = above.map_while(|line| line.strip_prefix("/// ")).collect();
                if name.contains(' ') || document.len() != 1 {
                    continue;
                }
                seen += 1;
                if echoes(document[0], name) {
                    found.push(format!("{}:{}: {name}", path.display(), at + 1));
                }
            }
        }
    }
    assert!(seen > 500, "{seen} fields: they were not found");
    assert_eq!(found, Vec::<String>::new());
}
