//! The decision.

use postern_types::RequestContext;

use crate::{Denial, GuardRails, Layer, Permit, TokenGrants};

/// Asks every layer, each in an evaluation of its own; all must allow.
///
/// # Errors
/// Which layer did not allow the request, and why.
pub fn authorize(
    rails: &GuardRails,
    grants: &TokenGrants,
    context: &RequestContext,
) -> Result<Permit, Denial> {
    let _ = (rails, grants, context);
    Err(Denial::NotGranted(Layer::GuardRails))
}

/// Whether any operation that the token was granted would be allowed on a model: the filter of the
/// list of models. `context` is that of the request for the list.
#[must_use]
pub fn may_use_model(
    rails: &GuardRails,
    grants: &TokenGrants,
    context: &RequestContext,
    model: &str,
) -> bool {
    let _ = (rails, grants, context, model);
    false
}
