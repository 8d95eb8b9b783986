//! The decision: every layer is asked on its own, and all must allow.

use std::collections::HashSet;
use std::sync::Arc;

use postern_types::{DataRules, Direction, Operation, RequestContext, Rights};

use crate::asked::Asked;
use crate::attributes::Facts;
use crate::engine::evaluate;
use crate::remembered::{Permits, recall, remember};
use crate::schema::ACTIONS;
use crate::{Denial, GuardRails, Layer, Permit, TokenGrants, UpstreamRules};

/// Asks every layer, each in an evaluation of its own; all must allow. A permit of one layer never
/// meets the other's policies, so a token cannot widen the guard-rails, nor they the token.
///
/// `rules` are the data rules of the upstream that is asked: the permit carries them on, with the
/// classes of which the guard-rails say that this principal may send or see them unmasked.
///
/// # Errors
/// Which layer did not allow the request, and why.
pub fn authorize(
    rails: &GuardRails,
    grants: &TokenGrants,
    context: &RequestContext,
    rules: &UpstreamRules,
) -> Result<Permit, Denial> {
    let mut permit = decide(rails, grants, context)?;
    if rules.rules().is_empty() {
        return Ok(permit);
    }
    let revealed = |direction| {
        let classes = rules.classes(direction);
        rails.reveals.ask(context, direction, classes)
    };
    let in_request = revealed(Direction::Request)?;
    let in_response = revealed(Direction::Response)?;
    // Most requests reveal nothing: what was remembered of them is shared as it is.
    let mut new = Vec::new();
    for policy in in_request.policies.iter().chain(&in_response.policies) {
        if !permit.policies.contains(policy) && !new.contains(policy) {
            new.push(Arc::clone(policy));
        }
    }
    if !new.is_empty() {
        permit.policies = permit.policies.iter().cloned().chain(new).collect();
    }
    permit.data_rules = DataRules {
        rules: Arc::clone(rules.rules()),
        revealed_in_request: in_request.classes.into(),
        revealed_in_response: in_response.classes.into(),
    };
    Ok(permit)
}

/// The decision on the request itself.
fn decide(
    rails: &GuardRails,
    grants: &TokenGrants,
    context: &RequestContext,
) -> Result<Permit, Denial> {
    let token_environment = &context.subject.environment;
    if rails.environment() != token_environment || grants.environment() != token_environment {
        return Err(Denial::OtherEnvironment {
            token: token_environment.clone(),
            rails: rails.environment().clone(),
            grants: grants.environment().clone(),
        });
    }
    check_kind(context)?;
    let Permits { policies, headers } = permits(rails, grants, context)?;
    Ok(Permit {
        environment: token_environment.clone(),
        token: context.subject.token,
        principal: context.subject.principal.id.clone(),
        upstream: context.upstream.clone(),
        upstream_kind: context.upstream_kind,
        operation: context.ai.as_ref().map(|ai| ai.operation),
        model: context.ai.as_ref().and_then(|ai| ai.model.clone()),
        headers,
        policies,
        data_rules: DataRules::default(),
    })
}

/// What both layers say: out of memory where they can say nothing else than before.
fn permits(
    rails: &GuardRails,
    grants: &TokenGrants,
    context: &RequestContext,
) -> Result<Permits, Denial> {
    let layers = grants
        .of(&context.upstream)
        .filter(|granted| rails.needed.only_kept() && granted.needed.only_kept())
        .map(|granted| (rails.id, granted.id));
    let Some(layers) = layers else {
        return ask(rails, grants, context);
    };
    if let Some(permits) = recall(layers, context) {
        return Ok(permits);
    }
    let permits = ask(rails, grants, context)?;
    remember(layers, context, permits.clone());
    Ok(permits)
}

/// Asks one layer after the other.
fn ask(
    rails: &GuardRails,
    grants: &TokenGrants,
    context: &RequestContext,
) -> Result<Permits, Denial> {
    let asked = Asked::new(context);
    let facts = Facts {
        request: context,
        rules_met: Vec::new(),
    };
    let question = asked.question(rails.needed.context(&facts)?);
    let by_rails = if rails.needed.entities {
        evaluate(
            Layer::GuardRails,
            &rails.statements,
            &*asked.entities()?,
            question,
        )
    } else {
        evaluate(Layer::GuardRails, &rails.statements, &ACTIONS, question)
    }?;

    // The statements of grants are ours, and look into no hierarchy.
    let granted = grants
        .of(&context.upstream)
        .ok_or(Denial::NotGranted(Layer::Grants))?;
    let facts = Facts {
        request: context,
        rules_met: grants.rules_met(context),
    };
    let question = asked.question(granted.needed.context(&facts)?);
    let by_grants = evaluate(Layer::Grants, &granted.statements, &ACTIONS, question)?;
    Ok(Permits {
        headers: grants.headers(&by_grants),
        policies: by_rails.into_iter().chain(by_grants).collect(),
    })
}

/// Whether any operation that the token was granted would be allowed on a model: the filter of the
/// list of models. `context` is that of the request for the list; a guard-rail that asks about the
/// path or the method sees those of the list.
#[must_use]
pub fn may_use_model(
    rails: &GuardRails,
    grants: &TokenGrants,
    context: &RequestContext,
    model: &str,
) -> bool {
    let mut question = context.clone();
    granted_operations(grants, context)
        .into_iter()
        .any(|operation| {
            let Some(ai) = &mut question.ai else {
                return false;
            };
            ai.operation = operation;
            ai.model = Some(model.into());
            decide(rails, grants, &question).is_ok()
        })
}

fn granted_operations(grants: &TokenGrants, context: &RequestContext) -> HashSet<Operation> {
    grants
        .grants()
        .iter()
        .filter(|grant| grant.upstream == context.upstream)
        .filter_map(|grant| match &grant.actions {
            Rights::Invoke(invoke) => Some(&invoke.operations),
            Rights::Call { .. } => None,
        })
        .flatten()
        .copied()
        .filter(|operation| operation.names_model())
        .collect()
}

/// The parts of the request must say the same thing about what it is.
fn check_kind(context: &RequestContext) -> Result<(), Denial> {
    let Some(ai) = &context.ai else {
        return if context.upstream_kind.is_ai() {
            Err(Denial::Unclear(
                "no operation is known of a request to an AI upstream",
            ))
        } else {
            Ok(())
        };
    };
    if !context.upstream_kind.is_ai() {
        return Err(Denial::Unclear(
            "an AI operation at an upstream that is none",
        ));
    }
    match &ai.model {
        None if ai.operation.names_model() => Err(Denial::Unclear("the operation names no model")),
        Some(_) if !ai.operation.names_model() => {
            Err(Denial::Unclear("the list of models names a model"))
        }
        Some(model) if model.is_empty() => Err(Denial::Unclear("the model's name is empty")),
        None | Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
