//! May they? Cedar behind a small face.

mod authorize;
mod decision;
mod grants;
mod rails;
mod source;

pub use authorize::{authorize, may_use_model};
pub use decision::{Denial, Layer, Permit};
pub use grants::TokenGrants;
pub use rails::GuardRails;
pub use source::{CompileError, PolicySource, Problem};

/// The Cedar schema that policies are checked against.
#[must_use]
pub fn schema_text() -> &'static str {
    include_str!("schema.cedarschema")
}
