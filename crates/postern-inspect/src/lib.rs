//! What is in the bytes? The wire dialects of AI providers, read without I/O.
//!
//! The crate answers four questions about bytes that somebody else moves:
//!
//! 1. [`locate`]: which operation of the closed list is this request, and is it one at all?
//! 2. [`Located::read`]: which model, stream flag and caps does the body name, how much text does
//!    it carry, and to which state behind the shared provider credential does it refer?
//! 3. [`RequestFacts::outbound`] and [`ResponseReader`]: which bytes go on? The same bytes, unless
//!    usage is asked for on the client's behalf; then one key goes in and its effects come out.
//! 4. [`ResponseReader::report`]: what did the provider say that it consumed, with which model?
//!
//! It refuses to guess. Whatever two JSON readers could understand differently in what is read to
//! decide is [`InspectError::BadRequest`], and whatever is not on the list of operations is
//! [`InspectError::UnknownOperation`]. Nothing here blocks, allocates without a bound
//! (`bounds.rs`), reads a clock or awaits.
//!
//! # Where data rules act
//!
//! A [`Cleaner`] holds the rules of one direction of one request. Requests go through
//! [`RequestFacts::clean_outbound`], answers through a [`ResponseReader`] that was given one. Where
//! text stands in each dialect is said by the tables in `text/`; `document` reads a body strictly
//! and writes anew only what changed; `response/clean` follows the texts of a stream over its
//! events. Without a rule neither touches a byte.
//!
//! ```
//! use postern_inspect::{Dialect, Target, locate};
//! use postern_types::CanonicalPath;
//!
//! let path = CanonicalPath::parse("/v1/chat/completions")?;
//! let target = Target {
//!     method: "POST",
//!     path: &path,
//!     query: &[],
//!     content_type: Some("application/json"),
//!     content_encoding: None,
//! };
//! let located = locate(Dialect::OpenAi, &target)?;
//! assert!(located.needs_body());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod body;
mod bounds;
mod clean;
mod detect;
mod dialect;
mod document;
mod error;
pub mod fuzz;
mod json;
mod locate;
mod models;
mod preview;
mod refusal;
mod request;
mod response;
mod segment;
#[cfg(test)]
mod testing;
mod text;

pub use body::{BodyCleaner, BodyKind, ContentDecoder};
pub use clean::{
    AnalyzedSpan, CleanError, Cleaner, KeptPseudonyms, MaskKeys, Pseudonyms, RuleError, RuleSet,
};
pub use detect::scan::{Detected, detect, detect_class};
pub use detect::{DetectorFacts, detectors};
pub use dialect::{Dialect, guess_dialect};
pub use error::InspectError;
pub use locate::{Located, Target, locate};
pub use models::ModelsFilter;
pub use preview::{Exchange, Preview, preview, preview_exchange};
pub use refusal::{RefusalText, StreamFraming, error_body, error_event};
pub use request::{Outgoing, RequestFacts};
pub use response::{
    ErrorEnding, READABLE_ENCODINGS, ResponseOptions, ResponseReader, ResponseReport,
};
