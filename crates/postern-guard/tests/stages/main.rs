//! The stages on a real store, real keys and a real audit log, with a clock that the test moves.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod counting;
mod data;
mod ending;
mod fixture;
mod placeholders;
mod recording;
mod who;
