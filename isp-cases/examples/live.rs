//! Lives the cases of a folder in memory and names the red ones: `cargo run -p isp-cases --example live -- cases`.
#![allow(clippy::print_stdout, reason = "an example")]

use std::path::Path;
use std::process::ExitCode;

use isp_cases::{EngineHost, Suite, compare, live};
use isp_core::testing::MemoryStore;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "cases".to_owned());
    let suite = match Suite::read(Path::new(&folder)) {
        Ok(suite) => suite,
        Err(bad) => {
            println!("{bad}");
            return ExitCode::from(2);
        }
    };
    let mut red = 0_usize;
    for case in suite.cases.iter().filter(|case| suite.lacks.why("memory", case).is_none()) {
        let store = MemoryStore::new();
        let report = live(&mut EngineHost::new(&store, case), case).await;
        let found = compare(case, &report);
        if !found.is_empty() {
            red += 1;
            println!("{}: {}", case.file, case.title);
        }
    }
    println!("{red} of {} red", suite.cases.len());
    ExitCode::from(u8::from(red > 0))
}
