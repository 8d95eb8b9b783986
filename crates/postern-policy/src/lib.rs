//! May they? Cedar behind a small face.
//!
//! A request is allowed when every layer allows it, each in an evaluation of its own: the
//! guard-rails of the environment, written in Cedar by people, and the grants of the token,
//! compiled to Cedar here. Only [`authorize`] makes a [`Permit`], and the stages that follow demand
//! one, so a request that was not authorized does not compile.
//!
//! Data rules mask what they find; which classes a principal may send or see unmasked is asked of
//! the guard-rails too, in an evaluation of its own, and carried in the permit.
//!
//! What it refuses to do: I/O, reading a clock, letting a Cedar type out. Three rules close it:
//! nothing permits by default, a statement whose evaluation fails denies, and a name means
//! something inside one environment only.
//!
//! ```
//! use postern_policy::{GuardRails, PolicySource};
//! use postern_types::{EnvName, PolicyName};
//!
//! let dev = EnvName::parse("dev")?;
//! let source = PolicySource {
//!     name: PolicyName::parse("no-large-models")?,
//!     text: r#"
//!         permit(principal, action, resource);
//!         forbid(principal, action in Postern::Action::"invoke", resource is Postern::Model)
//!         when { context.model like "*-large" };
//!     "#.to_owned(),
//! };
//! GuardRails::compile(&dev, &[source.clone()])?;
//!
//! // A misspelt attribute is found when the policy is saved, with its place.
//! let misspelt = source.text.replace("context.model", "context.modle");
//! let wrong = PolicySource { text: misspelt, ..source };
//! let error = GuardRails::compile(&dev, &[wrong]).unwrap_err();
//! assert_eq!(error.problems()[0].line, Some(4));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod asked;
mod attributes;
mod authorize;
mod bounds;
mod decision;
mod engine;
mod expression;
mod grants;
mod rails;
mod reads;
mod remembered;
mod reveal;
mod schema;
mod source;
mod statement;
#[cfg(test)]
mod testing;
mod upstream_rules;
mod validate;
mod values;

pub use authorize::{authorize, may_use_model};
pub use decision::{Denial, Layer, Permit};
pub use grants::TokenGrants;
pub use rails::GuardRails;
pub use schema::schema_text;
pub use source::{CompileError, PolicySource, Problem};
pub use upstream_rules::UpstreamRules;
