//! The decision: every layer is asked on its own, and all must allow.

use std::collections::{HashMap, HashSet};

use cedar_policy::{Context, Entities, Entity, EntityUid, RestrictedExpression};
use postern_types::{Operation, RequestContext, Rights};

use crate::attributes::{self, Facts};
use crate::engine::{Question, evaluate};
use crate::reads::Reads;
use crate::schema::{ACTIONS, Type};
use crate::{Denial, GuardRails, Layer, Permit, TokenGrants};

/// Asks every layer, each in an evaluation of its own; all must allow. A permit of one layer never
/// meets the other's policies, so a token cannot widen the guard-rails, nor they the token.
///
/// # Errors
/// Which layer did not allow the request, and why.
pub fn authorize(
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
    let asked = Asked::new(context);

    let facts = Facts {
        request: context,
        rules_met: Vec::new(),
    };
    let question = asked.question(attributes::context(&rails.reads, &facts)?);
    let by_rails = match asked.entities(&rails.reads)? {
        Some(entities) => evaluate(Layer::GuardRails, &rails.statements, &entities, question),
        None => evaluate(Layer::GuardRails, &rails.statements, &ACTIONS, question),
    }?;

    // The statements of grants are ours, and look into no hierarchy but the actions'.
    let facts = Facts {
        request: context,
        rules_met: grants.rules_met(context),
    };
    let question = asked.question(attributes::context(&grants.reads, &facts)?);
    let by_grants = evaluate(Layer::Grants, &grants.statements, &ACTIONS, question)?;

    let headers = grants.headers(&by_grants);
    let mut policies = by_rails;
    policies.extend(by_grants);
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
            ai.model = Some(model.to_owned());
            authorize(rails, grants, &question).is_ok()
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

/// The action that a request is.
pub(crate) fn action(context: &RequestContext) -> EntityUid {
    Type::Action.uid(
        context
            .ai
            .as_ref()
            .map_or("call", |ai| ai.operation.as_str()),
    )
}

/// Who asks for what, in Cedar's terms.
struct Asked<'a> {
    context: &'a RequestContext,
    principal: EntityUid,
    action: EntityUid,
    resource: EntityUid,
}

impl<'a> Asked<'a> {
    fn new(context: &'a RequestContext) -> Self {
        let model = context.ai.as_ref().and_then(|ai| ai.model.as_deref());
        Self {
            context,
            principal: Type::Principal.uid(context.subject.principal.id.as_str()),
            action: action(context),
            resource: match model {
                Some(model) => Type::Model.uid(model),
                None => Type::Upstream.uid(context.upstream.as_str()),
            },
        }
    }

    fn question(&self, context: Context) -> Question {
        Question {
            principal: self.principal.clone(),
            action: self.action.clone(),
            resource: self.resource.clone(),
            context,
        }
    }

    /// The principal, the resource and what they belong to, where policies look into it.
    fn entities(&self, reads: &Reads) -> Result<Option<Entities>, Denial> {
        if !reads.entities {
            return Ok(None);
        }
        let unclear = |_| Denial::Unclear("an entity is outside Cedar's range");
        let subject = &self.context.subject;
        let environment = Type::Environment.uid(subject.environment.as_str());
        let mut all = vec![Entity::new_no_attrs(environment.clone(), HashSet::new())];

        let mut groups = HashSet::from([environment.clone()]);
        let named = [
            (Type::Team, &subject.principal.team),
            (Type::Tenant, &subject.principal.tenant),
        ];
        for (kind, name) in named {
            let Some(name) = name else { continue };
            let group = kind.uid(name);
            all.push(Entity::new_no_attrs(
                group.clone(),
                HashSet::from([environment.clone()]),
            ));
            groups.insert(group);
        }
        let id = &subject.principal.id;
        let about = attributes([("kind", id.kind().as_str()), ("name", id.name())]);
        all.push(
            Entity::new(self.principal.clone(), about, groups)
                .map_err(|_| Denial::Unclear("the principal is outside Cedar's range"))?,
        );

        let upstream = Type::Upstream.uid(self.context.upstream.as_str());
        let about = attributes([("kind", self.context.upstream_kind.as_str())]);
        all.push(
            Entity::new(upstream.clone(), about, HashSet::from([environment]))
                .map_err(|_| Denial::Unclear("the upstream is outside Cedar's range"))?,
        );
        if self.resource != upstream {
            all.push(Entity::new_no_attrs(
                self.resource.clone(),
                HashSet::from([upstream]),
            ));
        }
        ACTIONS
            .clone()
            .add_entities(all, None)
            .map(Some)
            .map_err(unclear)
    }
}

fn attributes<const N: usize>(pairs: [(&str, &str); N]) -> HashMap<String, RestrictedExpression> {
    pairs
        .into_iter()
        .map(|(name, value)| {
            (
                name.to_owned(),
                RestrictedExpression::new_string(value.to_owned()),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests;
