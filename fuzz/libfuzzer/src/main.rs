//! Runs the target that `ISP_FUZZ_TARGET` names under libFuzzer, with the options of libFuzzer.
#![no_main]

use std::sync::LazyLock;

use isp_fuzz::Target;
use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("ISP_FUZZ_TARGET").unwrap_or_default();
    isp_fuzz::target(&name).unwrap_or_else(|| panic!("ISP_FUZZ_TARGET names no target: {name:?}"))
});

fuzz_target!(|data: &[u8]| (TARGET.run)(data));
