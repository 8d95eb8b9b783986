//! One evaluation: the statements of a layer, one question, a verdict.
//!
//! A request is allowed when at least one `permit` holds, no `forbid` holds, and every statement
//! can be evaluated.
//!
//! SECURITY: Cedar's own authorizer skips a statement whose evaluation fails. A skipped `forbid`
//! would let the request pass, so here any failure denies, whatever the other statements say.
//!
//! WHY NOT `Authorizer::is_authorized`: it builds the condition of each statement anew on each call
//! and its answer out of whole policies. The conditions are taken from Cedar once and evaluated by
//! Cedar; the last step above is all that is ours, and tests hold it equal to the authorizer, on
//! every mixture of outcomes and on Cedar's own test vectors.

use std::sync::Arc;

use cedar_policy::{
    Context, Effect, Entities, EntityUid, EvalResult, Expression, Policy, Request, eval_expression,
};

use crate::{Denial, Layer};

/// A statement, ready to be evaluated.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    id: Arc<str>,
    effect: Effect,
    /// Scope and conditions in one expression.
    condition: Expression,
}

impl Statement {
    pub(crate) fn new(policy: &Policy) -> Self {
        let id: &str = policy.id().as_ref();
        let condition = Expression::from(policy.as_ref().condition());
        Self {
            id: Arc::from(id),
            effect: policy.effect(),
            condition,
        }
    }

    #[cfg(test)]
    pub(crate) fn id(&self) -> &str {
        &self.id
    }
}

/// Principal, action, resource and context of one evaluation.
pub(crate) struct Question {
    pub(crate) principal: EntityUid,
    pub(crate) action: EntityUid,
    pub(crate) resource: EntityUid,
    pub(crate) context: Context,
}

/// The ids of the statements that permitted, in their order; or why the answer is no.
pub(crate) fn evaluate(
    layer: Layer,
    statements: &[Statement],
    entities: &Entities,
    question: Question,
) -> Result<Vec<Arc<str>>, Denial> {
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
    let (mut permits, mut forbids, mut causes) = (Vec::new(), Vec::new(), Vec::new());
    for statement in statements {
        let id = &statement.id;
        match (
            eval_expression(&request, entities, &statement.condition),
            statement.effect,
        ) {
            (Ok(EvalResult::Bool(false)), _) => {}
            (Ok(EvalResult::Bool(true)), Effect::Permit) => permits.push(Arc::clone(id)),
            (Ok(EvalResult::Bool(true)), Effect::Forbid) => forbids.push(id.to_string()),
            (Ok(other), _) => causes.push(format!("{id}: it says {other}, neither yes nor no")),
            (Err(error), _) => causes.push(format!("{id}: {error}")),
        }
    }
    if !causes.is_empty() {
        Err(Denial::Failed { layer, causes })
    } else if !forbids.is_empty() {
        Err(Denial::Forbidden {
            layer,
            policies: forbids,
        })
    } else if permits.is_empty() {
        Err(Denial::NotGranted(layer))
    } else {
        Ok(permits)
    }
}

#[cfg(test)]
mod tests;
