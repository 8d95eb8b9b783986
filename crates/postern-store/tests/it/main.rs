//! The store from outside: its contract, what lies on disk, and what happens when somebody tampers
//! with it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod at_rest;
mod contract;
mod fixture;
mod opening;
mod rotation_model;
mod tampering;
