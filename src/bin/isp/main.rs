//! The isp command.
fn main() {}
