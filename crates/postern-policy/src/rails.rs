//! The guard-rails of an environment.

use std::collections::HashMap;

use cedar_policy::{EntityUid, Policy, PolicyId, PolicySet};
use postern_types::EnvName;

use crate::attributes::Needed;
use crate::bounds::{POLICY_TEXT_BYTES_MAX, STATEMENTS_MAX};
use crate::engine::Statement;
use crate::reads::Reads;
use crate::remembered::LayerId;
use crate::reveal::{Reveals, Scope};
use crate::schema::Type;
use crate::validate::{self, Origin, PARSE_ADVICE};
use crate::{CompileError, PolicySource, Problem, reveal};

/// The compiled guard-rails of one environment. They allow what at least one statement permits and
/// none forbids; without any statement they allow nothing.
#[derive(Debug, Clone)]
pub struct GuardRails {
    environment: EnvName,
    pub(crate) id: LayerId,
    pub(crate) statements: Vec<Statement>,
    pub(crate) needed: Needed,
    pub(crate) reveals: Reveals,
}

/// What the statements taken so far read, for each of the two questions.
#[derive(Default)]
struct AllReads {
    requests: Reads,
    reveals: Reads,
    statements: usize,
}

impl GuardRails {
    /// Compiles and validates every statement in strict mode. What the validator only warns of is
    /// an error too: a `forbid` that can never apply is a hole that looks like a wall.
    ///
    /// # Errors
    /// Every problem of every text, each with its place and what to do.
    pub fn compile(environment: &EnvName, sources: &[PolicySource]) -> Result<Self, CompileError> {
        let mut rails = Self {
            environment: environment.clone(),
            id: LayerId::next(),
            statements: Vec::new(),
            needed: Needed::default(),
            reveals: Reveals::default(),
        };
        let mut reads = AllReads::default();
        let mut policies = PolicySet::new();
        let mut origins = HashMap::new();
        let mut problems = Vec::new();
        for source in sources {
            let origin = Origin {
                policy: source.name.as_str(),
                text: &source.text,
            };
            let parsed = statements(source).unwrap_or_else(|found| {
                problems.extend(found);
                Vec::new()
            });
            for policy in parsed {
                problems.extend(foreign_names(environment, origin, &policy));
                problems.extend(about_data(origin, &policy));
                problems.extend(rails.add(origin, &policy, &mut reads).err());
                origins.insert(policy.id().clone(), origin);
                if policies.add(policy).is_err() {
                    let message = "there is another policy of this name".to_owned();
                    let help = "give each policy a name of its own";
                    problems.push(origin.problem(None, message, help));
                }
            }
        }
        problems.extend(validate::strict(&policies, &origins));
        rails.needed = Needed::by(&reads.requests);
        rails.reveals.needed = Needed::to_reveal(&reads.reveals);
        if problems.is_empty() {
            Ok(rails)
        } else {
            Err(CompileError::new(environment, problems))
        }
    }

    fn add(
        &mut self,
        origin: Origin<'_>,
        policy: &Policy,
        reads: &mut AllReads,
    ) -> Result<(), Problem> {
        let complex = |error: &dyn std::fmt::Display| {
            origin.problem(
                None,
                error.to_string(),
                "write the statement in a simpler form",
            )
        };
        if reads.statements >= STATEMENTS_MAX {
            return Err(origin.problem(
                None,
                format!("the environment would have more than {STATEMENTS_MAX} statements"),
                "join statements: one can name several actions, models or principals",
            ));
        }
        reads.statements += 1;
        let json = policy.to_json().map_err(|error| complex(&error))?;
        let scope = Scope::of(policy);
        if scope.requests {
            reads.requests.add(&json);
        }
        if !scope.reveals.is_empty() {
            reads.reveals.add(&json);
        }
        // By way of the JSON form a statement forgets its place in the text, which the evaluation
        // would carry along at every step.
        let bare = Policy::from_json(Some(policy.id().clone()), json);
        let statement = Statement::new(&bare.map_err(|error| complex(&error))?);
        // A statement is asked only where its scope could cover the question: elsewhere it says no.
        if scope.requests {
            self.statements.push(statement.clone());
        }
        if !scope.reveals.is_empty() {
            self.reveals.add(policy, scope, statement);
        }
        Ok(())
    }

    /// The environment they guard.
    #[must_use]
    pub fn environment(&self) -> &EnvName {
        &self.environment
    }
}

/// The statements of one text, each with the id by which it is known in decisions: `policy:NAME`,
/// and from the second one on `policy:NAME#2`.
fn statements(source: &PolicySource) -> Result<Vec<Policy>, Vec<Problem>> {
    let origin = Origin {
        policy: source.name.as_str(),
        text: &source.text,
    };
    if source.text.len() > POLICY_TEXT_BYTES_MAX {
        return Err(vec![origin.problem(
            None,
            format!("the text is longer than {POLICY_TEXT_BYTES_MAX} bytes"),
            "split it into several policies",
        )]);
    }
    let parsed = source.text.parse::<PolicySet>().map_err(|errors| {
        let found = errors
            .iter()
            .map(|error| origin.diagnosed(error, PARSE_ADVICE));
        found.collect::<Vec<_>>()
    })?;
    if parsed.num_of_templates() > 0 {
        return Err(vec![origin.problem(
            None,
            "it is a template: it holds ?principal or ?resource".to_owned(),
            "name the principal or resource, or leave the scope open",
        )]);
    }
    // The parser numbers statements from 0 in the order of the text.
    let numbered = (0..parsed.num_of_policies()).map(|number| {
        let id = match number {
            0 => format!("policy:{}", source.name),
            _ => format!("policy:{}#{}", source.name, number + 1),
        };
        let statement = parsed.policy(&PolicyId::new(format!("policy{number}")))?;
        Some(statement.new_id(PolicyId::new(id)))
    });
    let missing = |what: &str| {
        vec![origin.problem(None, what.to_owned(), "write at least one permit or forbid")]
    };
    match numbered.collect::<Option<Vec<_>>>() {
        Some(statements) if statements.is_empty() => Err(missing("it holds no statement")),
        Some(statements) => Ok(statements),
        None => Err(missing("its statements could not be told apart")),
    }
}

/// Names of another environment. They could never match, because a request brings the names of its
/// own environment only; whoever writes one believes something else.
fn foreign_names(environment: &EnvName, origin: Origin<'_>, statement: &Policy) -> Vec<Problem> {
    let own = |name: &EntityUid| name.id().unescaped() == environment.as_str();
    statement
        .entity_literals()
        .iter()
        .filter(|name| name.type_name().to_string() == Type::Environment.name() && !own(name))
        .map(|name| {
            let id = name.id().unescaped();
            origin.problem(
                origin.text.find(&format!("{id:?}")),
                format!("it names environment {id:?}, but it is a policy of {environment}"),
                "save it in that environment, or leave the environment out: a policy only ever \
                 sees its own",
            )
        })
        .collect()
}

/// Names of data that there is none of, and permits to reveal that reveal nothing.
fn about_data(origin: Origin<'_>, statement: &Policy) -> Vec<Problem> {
    let names = statement.entity_literals();
    let mut problems: Vec<Problem> = names
        .iter()
        .filter(|name| !reveal::exists(name))
        .map(|name| {
            let id = name.id().unescaped();
            origin.problem(
                origin.text.find(&format!("{id:?}")),
                format!("there is no data class or group {id:?}"),
                "`postern data-rule classes` lists them; one of a rule's own is \"custom:NAME\", \
                 and they are all in the group \"custom\"",
            )
        })
        .collect();
    if reveal::reveals_in_vain(statement) {
        problems.push(origin.problem(
            None,
            "it permits something about data classes, but names no action".to_owned(),
            "write action == Postern::Action::\"reveal_in_response\" (or reveal_in_request, or \
             reveal for both): only a permit that names one reveals anything",
        ));
    }
    problems
}

#[cfg(test)]
mod tests;
