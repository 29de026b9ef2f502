//! /ppp/secret (accounts), /ppp/profile (user groups) and /ppp/active (sessions).

pub mod aaa;
pub mod active;
pub mod profile;
pub mod secret;

pub use active::PppActive;
pub use profile::PppProfile;
pub use secret::PppSecret;
