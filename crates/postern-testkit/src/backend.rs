//! Real programs that stand behind (or in front of) the gateway in tests.
//!
//! Each `start` gives `None` when the program is not installed (see [`crate::tools`]) and fails
//! when it is and does not come up. Two of them tell what they parsed, each with a parser that is
//! not ours: that is how a test learns whether the gateway and a backend read the same bytes as the
//! same request.

mod nginx;
mod node;
mod parse;
mod postgres;

use std::time::Duration;

use serde::Deserialize;

pub use nginx::Nginx;
pub use node::NodeBackend;
pub use parse::{ParseServer, SECRET_TEXT};
pub use postgres::Postgres;

/// How long a program may take to come up.
const START_MAX: Duration = Duration::from_secs(60);

/// One request as a backend parsed it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct BackendRequest {
    /// The method.
    pub method: String,
    /// The request target as it came.
    pub target: String,
    /// The `Host` header.
    pub host: String,
    /// The body without its framing, as far as it came.
    pub body: String,
    /// Whether all of it came.
    pub complete: bool,
}

/// A backend that tells what it parsed.
pub trait Witness {
    /// Where it listens.
    fn addr(&self) -> std::net::SocketAddr;
    /// Every request that it parsed so far, in order.
    fn requests(&self) -> Vec<BackendRequest>;
    /// Its name in messages.
    fn name(&self) -> &'static str;
}
