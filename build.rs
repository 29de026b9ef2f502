//! What `isp --version` tells: built in a clone of the project, the commit too. Whoever builds it may name another version in
//! `ISP_VERSION`.
#![allow(clippy::print_stdout, reason = "a build script speaks to cargo so")]

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=ISP_VERSION");
    if std::env::var_os("ISP_VERSION").is_some() {
        return;
    }
    // Unpacked in somebody else's repository it has no commit of its own.
    let ours = git(&["rev-parse", "--show-toplevel"])
        .is_some_and(|top| Path::new(&top) == Path::new(env!("CARGO_MANIFEST_DIR")));
    let Some(commit) = git(&["rev-parse", "--short", "HEAD"]).filter(|_| ours) else { return };
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]).filter(|log| Path::new(log).exists()) {
        println!("cargo::rerun-if-changed={log}");
    }
    println!("cargo::rustc-env=ISP_VERSION={} ({commit})", env!("CARGO_PKG_VERSION"));
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
