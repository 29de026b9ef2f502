//! What the documents promise about files: links lead somewhere, a guide lists its chapters, an addon carries its licence.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder that belongs to the project, with one of these endings.
fn files(dir: &Path, endings: &[&str]) -> Vec<PathBuf> {
    const BUILT: [&str; 6] = ["target", ".git", ".build", "dist", "__pycache__", "corpus"];
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !BUILT.contains(&name.as_str()) && !name.starts_with(".venv") {
                found.extend(files(&path, endings));
            }
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// The lines of a page that are prose, with their numbers: nothing between fences is a link or a heading.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut fenced = false;
    text.lines()
        .enumerate()
        .filter(|(_, line)| {
            let fence = line.trim_start().starts_with("```");
            fenced ^= fence;
            !fence && !fenced
        })
        .map(|(number, line)| (number + 1, line))
        .collect()
}

/// The targets of `[text](target)` in a line. What stands between backticks is not a link.
fn targets(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find("](") {
        let behind = &rest[at + 2..];
        // An odd number of backticks before it: inside of code.
        let code = line[..line.len() - behind.len()].matches('`').count() % 2 == 1;
        let Some(end) = behind.find(')') else { break };
        if !code {
            found.push(&behind[..end]);
        }
        rest = &behind[end..];
    }
    found
}

/// The anchor that a forge makes of a heading.
fn anchor(heading: &str) -> String {
    heading
        .trim()
        .to_lowercase()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
            _ => None,
        })
        .collect()
}

fn anchors(text: &str) -> BTreeSet<String> {
    prose(text).iter().filter(|(_, l)| l.starts_with('#')).map(|(_, l)| anchor(l.trim_start_matches('#'))).collect()
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let pages = files(root(), &[".md"]);
    assert!(pages.len() > 20, "the documents were not found: {}", pages.len());
    let (mut wrong, mut looked_at) = (Vec::new(), 0);
    for page in &pages {
        let text = std::fs::read_to_string(page).unwrap();
        for (number, line) in prose(&text) {
            for target in targets(line) {
                if target.contains("://") || target.starts_with("mailto:") {
                    continue;
                }
                looked_at += 1;
                let (path, part) = target.split_once('#').unwrap_or((target, ""));
                let file = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
                if !file.exists() {
                    wrong.push(format!("{}:{number}: {target} does not exist", shown(page)));
                } else if !part.is_empty()
                    && file.is_file()
                    && !anchors(&std::fs::read_to_string(&file).unwrap()).contains(part)
                {
                    wrong.push(format!("{}:{number}: {target} names no heading there", shown(page)));
                }
            }
        }
    }
    assert!(looked_at > 50, "only {looked_at} links were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn links_are_found_where_they_are() {
    assert_eq!(targets("see [a](b.md) and [`c`](d.md#e), not `[x](y)`"), ["b.md", "d.md#e"]);
    assert_eq!(anchor(" Billing, and how fast it is"), "billing-and-how-fast-it-is");
    assert_eq!(prose("# one\n```\n[a](b)\n```\ntwo"), [(1, "# one"), (5, "two")]);
}

#[test]
fn a_guide_lists_each_of_its_chapters() {
    for language in ["en", "id"] {
        let folder = root().join("docs/guide").join(language).join("src");
        let summary = std::fs::read_to_string(folder.join("SUMMARY.md")).unwrap();
        let listed: BTreeSet<&str> = summary.lines().flat_map(targets).collect();
        let pages = files(&folder, &[".md"]);
        let there: BTreeSet<&str> = pages.iter().map(|page| page.file_name().unwrap().to_str().unwrap()).collect();
        let chapters: BTreeSet<&str> = there.into_iter().filter(|name| *name != "SUMMARY.md").collect();
        assert_eq!(listed, chapters, "docs/guide/{language}/src/SUMMARY.md");
    }
}

#[test]
fn an_addon_carries_the_licence_that_its_manifest_names() {
    let manifests = files(&root().join("isp-odoo"), &["__manifest__.py"]);
    assert!(manifests.len() >= 3, "the addons were not found");
    let reuse = std::fs::read_to_string(root().join("REUSE.toml")).unwrap();
    for manifest in manifests {
        let addon = manifest.parent().unwrap();
        let text = std::fs::read_to_string(&manifest).unwrap();
        let (title, spdx) = if text.contains("\"license\": \"AGPL-3\"") {
            ("GNU AFFERO GENERAL PUBLIC LICENSE", "AGPL-3.0-only")
        } else if text.contains("\"license\": \"LGPL-3\"") {
            ("GNU LESSER GENERAL PUBLIC LICENSE", "LGPL-3.0-only")
        } else {
            panic!("{}: which licence?", shown(&manifest))
        };
        let licence = std::fs::read_to_string(addon.join("LICENSE")).expect("each addon has a file LICENSE");
        assert_eq!(licence.lines().next().unwrap().trim(), title, "{}", shown(addon));
        let path = format!("path = \"{}/**\"", shown(addon));
        let (_, behind) = reuse.split_once(&path).unwrap_or_else(|| panic!("REUSE.toml lacks {path}"));
        let named = behind.split("[[annotations]]").next().unwrap();
        assert!(named.contains(&format!("\"{spdx}\"")), "REUSE.toml, {path}: not {spdx}");
    }
}

/// Where packages come from is what cargo and pip are set up with, nothing that a file of this project says.
#[test]
fn no_file_names_the_host_of_a_registry() {
    let hosts =
        [["crates", ".io"], ["py", "pi.org"], ["files.python", "hosted.org"], ["npm", "js.org"]].map(|h| h.concat());
    let endings = [".md", ".rst", ".rs", ".py", ".toml", ".txt", ".sh", ".yml", "Makefile"];
    let mut texts = files(root(), &endings);
    texts.extend(files(&root().join("scripts"), &[""]));
    let mut wrong = Vec::new();
    for file in texts {
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        wrong.extend(hosts.iter().filter(|h| text.contains(h.as_str())).map(|h| format!("{}: {h}", shown(&file))));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
