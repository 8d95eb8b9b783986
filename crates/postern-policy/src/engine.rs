//! One evaluation: a set of policies, one question, a verdict.
//!
//! SECURITY: the engine skips a policy whose evaluation fails. A skipped `forbid` would let the
//! request pass, so here any failure makes the verdict a denial, whatever the other policies say.

use cedar_policy::{
    AuthorizationError, Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request,
};

use crate::{Denial, Layer};

/// Principal, action, resource and context of one evaluation.
pub(crate) struct Question {
    pub(crate) principal: EntityUid,
    pub(crate) action: EntityUid,
    pub(crate) resource: EntityUid,
    pub(crate) context: Context,
}

/// The ids of the statements that permitted, sorted; or why the answer is no.
pub(crate) fn evaluate(
    layer: Layer,
    policies: &PolicySet,
    entities: &Entities,
    question: Question,
) -> Result<Vec<String>, Denial> {
    let Question {
        principal,
        action,
        resource,
        context,
    } = question;
    // The context is built by us for the types of the schema: checking each one again would cost
    // more than the decision. The tests check contexts of every kind against the schema.
    let request = Request::new(principal, action, resource, context, None)
        .map_err(|_| Denial::Unclear("the request does not fit the schema"))?;
    let response = Authorizer::new().is_authorized(&request, policies, entities);
    let diagnostics = response.diagnostics();
    let mut causes: Vec<String> = diagnostics.errors().map(describe).collect();
    if !causes.is_empty() {
        causes.sort();
        return Err(Denial::Failed { layer, causes });
    }
    let mut ids: Vec<String> = diagnostics.reason().map(ToString::to_string).collect();
    ids.sort();
    match response.decision() {
        // INVARIANT: the engine allows only with a reason; an empty set has none.
        Decision::Allow if !ids.is_empty() => Ok(ids),
        Decision::Allow | Decision::Deny if ids.is_empty() => Err(Denial::NotGranted(layer)),
        Decision::Allow | Decision::Deny => Err(Denial::Forbidden {
            layer,
            policies: ids,
        }),
    }
}

fn describe(error: &AuthorizationError) -> String {
    error.to_string()
}
