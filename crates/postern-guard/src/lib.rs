//! The stages that every data plane shares: authenticate, authorize, limit, record.
//!
//! A [`Guard`] knows who holds which token, what the policies say, what was used of each limit, and
//! writes the audit log. It knows no wire protocol: a data plane brings the credential and a
//! [`RequestContext`](postern_types::RequestContext) and gets back proofs that only these stages
//! can make: a `Caller`, a `Permit`, a `Reservation`, a `Clearance`. A stage that was skipped does
//! not compile.
//!
//! A [`Flight`] is one request in progress. It is closed exactly once, whatever happened to the
//! request; dropping it is enough, because dropping signals the closer.

// Tests inside the crate share the fixture of those outside.
#[cfg(test)]
extern crate self as postern_guard;

mod admin;
mod authenticate;
mod bodies;
mod bounds;
mod clock;
mod closer;
mod ending;
mod flight;
mod guard;
mod keys;
mod limit;
mod meters;
mod owned;
mod placeholders;
mod random;
mod recording;
mod recover;
mod strangers;
mod tokens;
mod world;

pub use admin::{AdminAct, AdminCaller};
pub use authenticate::Caller;
pub use bodies::BodyRoom;
pub use bounds::GuardBounds;
pub use clock::{Clock, ManualClock};
pub use ending::{EndStream, StreamEnded, StreamHandle};
pub use flight::{Clearance, Flight, Observed, Opening};
pub use guard::{Guard, GuardParts, OpenGuardError, Status, TokenChange};
pub use keys::RingKeys;
pub use limit::Reservation;
pub use meters::{
    Counted, FindingKey, Histogram, HistogramReading, Meters, ModelUse, Place, RequestCounts,
};
pub use postern_policy::Permit;
pub use postern_store::UpstreamId;
pub use random::Random;
pub use recover::LeftOpen;
pub use world::{Upstream, UpstreamSettings};
