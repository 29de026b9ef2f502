#![doc = include_str!("../README.md")]

pub mod catalog;
pub mod cloud;
pub mod error;
pub mod graph;
mod kind;
mod messenger;
pub mod notification;
pub mod outcome;
pub mod personal;
#[cfg(feature = "simulator")]
pub mod simulator;
pub mod template;
pub mod text;
pub mod webhook;
