//! The HTTP data plane.

mod analyzer;
mod arrival;
mod body;
mod bounds;
mod connect;
mod connection;
mod context;
mod controls;
mod directory;
mod forward;
mod gateway;
mod headers;
mod inspect;
mod line;
mod listener;
mod own_machine;
mod pool;
mod refusal;
mod source;
mod strict;
#[cfg(test)]
mod tests;
mod tls;

pub use analyzer::{AnalyzerCounts, AnalyzerSettings};
pub use bounds::{Bounds, DownstreamBounds, Http2Bounds, Timeouts, UpstreamBounds};
pub use connect::{Endpoint, EndpointError};
pub use gateway::{Gateway, GatewayParts};
pub use headers::{CredentialError, HeaderTemplate, UpstreamCredential};
pub use listener::{Connections, ListenError, ListenOptions, Listener, Serving, check_plain};
pub use own_machine::{Reach, is_own_machine};
pub use tls::{TlsError, TlsFiles};
