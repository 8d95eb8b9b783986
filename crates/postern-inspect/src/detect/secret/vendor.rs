//! Keys that a prefix (or another fixed part) gives away, one row a kind of key.
//!
//! The first word of an id is the vendor. The formats are what the vendors document or have been
//! seen to issue. A short prefix in front of a wide alphabet also needs a value that looks drawn at
//! random, since words may follow it too.

pub(super) mod ai;
pub(super) mod cloud;
pub(super) mod code;
pub(super) mod commerce;
pub(super) mod communication;
pub(super) mod data;
pub(super) mod hosting;
pub(super) mod observability;
pub(super) mod payment;
