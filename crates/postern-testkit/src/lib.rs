//! For tests only: upstreams that replay recordings, and the real programs that tests talk to.
//!
//! Three families of help, none of which knows anything about the gateway:
//!
//! - [`ReplayUpstream`] is a real HTTP/1.1 server on a free loopback port. It answers from
//!   [`Exchange`]s (a committed set in our own words, or recordings), in any shape that a good or a
//!   hostile provider could choose ([`Answer`]), and keeps every request it saw.
//! - [`raw`] speaks bytes: a client that sends exactly what a test wrote and splits what came back.
//! - [`process`], [`tools`] and [`backend`] start real programs (nginx, Node, PostgreSQL,
//!   parse-server, the SDK drivers) and end them when the test ends.
//!
//! The crate never decides what is right. It shows what happened; the test judges.

pub mod analyzer;
pub mod answer;
pub mod backend;
pub mod corpora;
pub mod exchange;
mod include_usage;
pub mod library;
pub mod process;
pub mod raw;
pub mod tools;
pub mod upstream;

pub use answer::{Answer, Cut, Ending, Framing, Gzip};
pub use exchange::Exchange;
pub use library::Library;
pub use upstream::{Reading, ReplayUpstream, Responder, SeenRequest};
