//! The `isp` command: a thin layer over the engine. It reads the clock once.

#![allow(dead_code, unused_imports, reason = "the commands that use these modules land next")]

mod config;
mod failure;
mod i18n;
mod import;
mod output;

fn main() -> std::process::ExitCode {
    failure::Exit::Done.into()
}
