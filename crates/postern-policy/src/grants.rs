//! The grants of a token, compiled to Cedar.
//!
//! Each invoke grant and each HTTP rule becomes one `permit` statement, so that one engine decides
//! and a denial names the layer. The statements speak of no token and no principal: whoever holds
//! equal grants holds equal statements.

use std::sync::Arc;

use cedar_policy::{Policy, PolicyId, PolicySet};
use foldhash::HashMap;
use postern_types::{
    BodyRule, CallRule, CanonicalPath, EnvName, Grant, RequestContext, Rights, UpstreamName,
};

use serde_json::Value;

use crate::attributes::Needed;
use crate::bounds::TOKEN_RULES_MAX;
use crate::engine::Statement;
use crate::reads::Reads;
use crate::remembered::LayerId;
use crate::{CompileError, Problem, statement, validate, values};

/// The compiled grants of one token.
#[derive(Debug, Clone)]
pub struct TokenGrants {
    environment: EnvName,
    grants: Vec<Grant>,
    /// By the upstream that they open. Each statement asks for its upstream itself; those of the
    /// others would say no, and are not asked.
    layers: HashMap<UpstreamName, UpstreamGrants>,
    /// Headers that may pass, by the id of the statement that lets them.
    headers: HashMap<String, Vec<Arc<str>>>,
}

/// The statements that open one upstream.
#[derive(Debug, Clone, Default)]
pub(crate) struct UpstreamGrants {
    pub(crate) id: LayerId,
    pub(crate) statements: Vec<Statement>,
    pub(crate) needed: Needed,
    reads: Reads,
}

impl TokenGrants {
    /// Compiles grants to Cedar. No grants at all is not an error: it permits nothing.
    ///
    /// # Errors
    /// When a grant names nothing, or there are more rules than a token may have.
    pub fn compile(environment: &EnvName, grants: &[Grant]) -> Result<Self, CompileError> {
        let mut compiled = Self {
            environment: environment.clone(),
            grants: grants.to_vec(),
            layers: HashMap::default(),
            headers: HashMap::default(),
        };
        let mut problems: Vec<Problem> = too_many(grants).into_iter().collect();
        for (number, grant) in grants.iter().enumerate() {
            let layer = compiled.layers.entry(grant.upstream.clone()).or_default();
            for (id, json) in statements((number, grant)) {
                problems.extend(layer.add(&id, json).err());
            }
        }
        for (place, rule) in rules(grants).filter(|(_, rule)| !rule.headers.is_empty()) {
            compiled.headers.insert(place.id(), rule.headers.clone());
        }
        if problems.is_empty() {
            Ok(compiled)
        } else {
            Err(CompileError::new(environment, problems))
        }
    }

    /// The statements that open an upstream; none where it was not granted.
    pub(crate) fn of(&self, upstream: &UpstreamName) -> Option<&UpstreamGrants> {
        self.layers.get(upstream)
    }

    /// Whether every statement passes Cedar's validator in strict mode. Statements are made from a
    /// fixed form, so this is asked when a token is made and in tests, not when it is loaded.
    ///
    /// # Errors
    /// What the validator found.
    pub fn validate(&self) -> Result<(), CompileError> {
        let policies = PolicySet::from_policies(self.policies());
        let problems = policies.map_or_else(
            |error| vec![problem("grants", error.to_string(), REPORT)],
            |policies| validate::strict(&policies, &std::collections::HashMap::new()),
        );
        if problems.is_empty() {
            Ok(())
        } else {
            Err(CompileError::new(&self.environment, problems))
        }
    }

    /// The statements as Cedar text, in the order of the grants: what the token's owner is shown.
    #[must_use]
    pub fn cedar_text(&self) -> String {
        self.policies()
            .filter_map(|policy| Some(format!("// {}\n{}\n", policy.id(), policy.to_cedar()?)))
            .collect()
    }

    /// The statements as whole policies. They are not kept, since only people ask for them.
    fn policies(&self) -> impl Iterator<Item = Policy> {
        let compiled = self.grants.iter().enumerate().flat_map(statements);
        compiled.filter_map(|(id, json)| policy(&id, json).ok())
    }

    /// The environment they were compiled for.
    #[must_use]
    pub fn environment(&self) -> &EnvName {
        &self.environment
    }

    /// The grants as they were given.
    #[must_use]
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// Whether a rule that could allow the request asks about its JSON body, so that the body must
    /// be read before the decision.
    #[must_use]
    pub fn needs_json_body(
        &self,
        upstream: &UpstreamName,
        method: &str,
        path: &CanonicalPath,
    ) -> bool {
        rules(&self.grants).any(|(place, rule)| {
            matches!(rule.body, BodyRule::JsonKeys(_))
                && self.grants[place.grant].upstream == *upstream
                && is_for(rule, method, path)
        })
    }

    /// The facts about the request that Cedar cannot find itself.
    pub(crate) fn rules_met(&self, request: &RequestContext) -> Vec<String> {
        if !self
            .of(&request.upstream)
            .is_some_and(|layer| layer.needed.rules_met)
        {
            return Vec::new();
        }
        let body = request.json_body.as_deref();
        rules(&self.grants)
            .filter(|(place, rule)| {
                self.grants[place.grant].upstream == request.upstream
                    && is_for(rule, &request.method, &request.path)
                    && values::demands(rule)
                    && values::met(rule, &request.query, body)
            })
            .map(|(place, _)| place.fact())
            .collect()
    }

    /// The headers that the statements let pass, each once.
    pub(crate) fn headers(&self, statements: &[Arc<str>]) -> Arc<[Arc<str>]> {
        if self.headers.is_empty() {
            return Arc::default();
        }
        let mut headers: Vec<Arc<str>> = statements
            .iter()
            .filter_map(|id| self.headers.get(&**id))
            .flatten()
            .cloned()
            .collect();
        headers.sort();
        headers.dedup();
        headers.into()
    }
}

impl UpstreamGrants {
    fn add(&mut self, id: &str, json: Result<Value, &'static str>) -> Result<(), Problem> {
        if let Ok(json) = &json {
            self.reads.add(json);
        }
        self.statements.push(Statement::new(&policy(id, json)?));
        self.needed = Needed::by(&self.reads);
        Ok(())
    }
}

/// Where a rule stands: in which grant, at which place there.
#[derive(Debug, Clone, Copy)]
struct Place {
    grant: usize,
    rule: usize,
}

impl Place {
    /// The rule's name among the facts.
    fn fact(self) -> String {
        format!("{}.{}", self.grant, self.rule)
    }

    /// The id of its statement.
    fn id(self) -> String {
        format!("grant:{}", self.fact())
    }
}

fn rules(grants: &[Grant]) -> impl Iterator<Item = (Place, &CallRule)> {
    grants.iter().enumerate().flat_map(|(grant, granted)| {
        let rules = match &granted.actions {
            Rights::Call { rules } => rules.as_slice(),
            Rights::Invoke(_) => &[],
        };
        rules
            .iter()
            .enumerate()
            .map(move |(rule, rules)| (Place { grant, rule }, rules))
    })
}

/// The statements of one grant, each with its id.
fn statements((number, grant): (usize, &Grant)) -> Vec<(String, Result<Value, &'static str>)> {
    let (upstream, conditions) = (&grant.upstream, &grant.conditions);
    match &grant.actions {
        Rights::Invoke(invoke) => {
            vec![(
                format!("grant:{number}"),
                statement::invoke(upstream, invoke, conditions),
            )]
        }
        Rights::Call { rules } => rules
            .iter()
            .enumerate()
            .map(|(rule_number, rule)| {
                let place = Place {
                    grant: number,
                    rule: rule_number,
                };
                let fact = values::demands(rule).then(|| place.fact());
                let statement = statement::call(upstream, rule, conditions, fact.as_deref());
                (place.id(), statement)
            })
            .collect(),
    }
}

/// Where a statement of ours does not compile, the fault is ours.
const REPORT: &str = "report this: grants that were parsed always compile";

fn policy(id: &str, json: Result<Value, &'static str>) -> Result<Policy, Problem> {
    let json = json.map_err(|what| {
        problem(
            id,
            what.to_owned(),
            "name at least one model and operation, or one method",
        )
    })?;
    Policy::from_json(Some(PolicyId::new(id)), json)
        .map_err(|error| problem(id, error.to_string(), REPORT))
}

fn problem(policy: &str, message: String, help: &str) -> Problem {
    Problem {
        policy: policy.to_owned(),
        line: None,
        column: None,
        message,
        help: help.to_owned(),
    }
}

fn too_many(grants: &[Grant]) -> Option<Problem> {
    let named = grants.iter().map(|grant| match &grant.actions {
        Rights::Invoke(invoke) => invoke.models.len(),
        Rights::Call { rules } => rules.len(),
    });
    (named.sum::<usize>() > TOKEN_RULES_MAX).then(|| {
        let message = format!("they name more than {TOKEN_RULES_MAX} rules and models");
        problem(
            "grants",
            message,
            "use path templates and model prefixes, or several tokens",
        )
    })
}

fn is_for(rule: &CallRule, method: &str, path: &CanonicalPath) -> bool {
    rule.methods.iter().any(|allowed| &**allowed == method) && rule.path.matches(path)
}

#[cfg(test)]
mod tests;
