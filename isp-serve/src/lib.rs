#![doc = include_str!("../README.md")]

pub mod app;
pub mod gateway;
pub mod hooks;
pub mod metrics;
pub mod notify;
pub mod pages;
pub mod papers;
pub mod portal;
pub mod provider;
mod queue;
mod routes;
pub mod server;
pub mod settings;
pub mod snap;
pub mod source;
pub mod source_address;
pub mod told;
pub mod whatsapp;
pub mod work;

pub use app::App;
pub use provider::{Provider, Wires};
pub use routes::router;
pub use settings::Settings;
