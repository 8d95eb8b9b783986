//! The postern binary, as a library for its own tests.
//!
//! The command line ([`cli`]), the start-up settings ([`config`]), the admin API and the demo. No
//! other crate imports this one.

pub mod admin;
pub mod cli;
pub mod client;
pub mod config;
pub mod data_rules;
pub mod demo;
pub mod installation;
pub mod metrics;
mod panics;
pub mod running;
pub mod search;
pub mod shapes;
mod streaming;
