//! The whole line over real sockets, in front of an upstream that replays exchanges: what passes,
//! what is refused, what ends when a token ends, and what stands in the audit log after each.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod analyzer;
mod bodies;
mod data;
mod data_ahead;
mod data_ai;
mod data_kept;
mod data_streams;
mod data_told;
mod ends;
mod fixture;
mod http2;
mod passes;
mod presidio;
mod refused;
