//! Who may see what unmasked: a decision of the guard-rails, carried in the permit.
//!
//! SECURITY: revealing is a layer of its own. A `permit` takes part only if the scope of its action
//! names a reveal action, so that an environment which allows every request reveals nothing. A
//! `forbid` takes part with any scope that covers a reveal action, the open one included.

use std::sync::{Arc, LazyLock};

use cedar_policy::{
    ActionConstraint, Effect, EntityTypeName, EntityUid, Policy, ResourceConstraint,
};
use postern_types::{ClassGroup, DataClass, Direction, RequestContext};

use crate::asked::Asked;
use crate::attributes::{Facts, Needed};
use crate::engine::{Statement, evaluate};
use crate::schema::{ACTIONS, Type};
use crate::{Denial, Layer};

/// The statements about revealing of one environment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reveals {
    pub(crate) statements: Vec<Statement>,
    pub(crate) needed: Needed,
    /// What the permits could reveal at most, by their scopes. Where nothing could be, no question
    /// is asked: a request pays for this layer only where it is used.
    reach: Vec<Reach>,
}

/// What the scope of one permit covers.
#[derive(Debug, Clone)]
struct Reach {
    directions: Vec<Direction>,
    classes: Classes,
}

#[derive(Debug, Clone)]
enum Classes {
    All,
    One(String),
    Group(String),
}

/// Classes that may pass, and the statements that say so.
#[derive(Debug, Default)]
pub(crate) struct Revealed {
    pub(crate) classes: Vec<DataClass>,
    pub(crate) policies: Vec<Arc<str>>,
}

/// The group of the classes that rules define.
const DEFINED: &str = "custom";

/// The group of a class, as policies name it.
pub(crate) fn group(class: &DataClass) -> &'static str {
    match class {
        DataClass::Builtin(class) => class.group().as_str(),
        DataClass::Custom(_) => DEFINED,
    }
}

/// Every group that policies can name.
pub(crate) fn groups() -> impl Iterator<Item = &'static str> {
    let shipped = ClassGroup::ALL.into_iter().map(ClassGroup::as_str);
    shipped.chain([DEFINED])
}

/// What the scope of a statement's action covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    /// Requests.
    pub(crate) requests: bool,
    /// Directions in which something is revealed.
    pub(crate) reveals: Vec<Direction>,
    /// Whether the scope is open, and so names nothing.
    open: bool,
}

impl Scope {
    pub(crate) fn of(policy: &Policy) -> Self {
        let named = match policy.action_constraint() {
            ActionConstraint::Any => {
                return Self {
                    requests: true,
                    reveals: match policy.effect() {
                        Effect::Permit => Vec::new(),
                        Effect::Forbid => BOTH.to_vec(),
                    },
                    open: true,
                };
            }
            ActionConstraint::Eq(action) => vec![action],
            ActionConstraint::In(actions) => actions,
        };
        let named: Vec<&str> = named.iter().map(|action| action.id().unescaped()).collect();
        let reveals =
            |direction: &Direction| named.contains(&"reveal") || named.contains(&word(*direction));
        Self {
            requests: named.iter().any(|action| !action.starts_with("reveal")),
            reveals: BOTH.into_iter().filter(reveals).collect(),
            open: false,
        }
    }
}

const BOTH: [Direction; 2] = [Direction::Request, Direction::Response];

/// The action of a direction.
fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Request => "reveal_in_request",
        Direction::Response => "reveal_in_response",
    }
}

fn action(direction: Direction) -> &'static EntityUid {
    static ACTIONS: LazyLock<[EntityUid; 2]> =
        LazyLock::new(|| BOTH.map(|direction| Type::Action.uid(word(direction))));
    &ACTIONS[usize::from(direction == Direction::Response)]
}

/// Whether a permit speaks of data in its scope and yet reveals nothing, because it names no action.
pub(crate) fn reveals_in_vain(policy: &Policy) -> bool {
    let about_data = |name: &EntityTypeName| {
        let name = name.to_string();
        [Type::DataClass, Type::ClassGroup]
            .iter()
            .any(|kind| kind.name() == name)
    };
    let about_data = match policy.resource_constraint() {
        ResourceConstraint::Any => false,
        ResourceConstraint::Eq(one) | ResourceConstraint::In(one) => about_data(one.type_name()),
        ResourceConstraint::Is(kind) | ResourceConstraint::IsIn(kind, _) => about_data(&kind),
    };
    about_data && policy.effect() == Effect::Permit && Scope::of(policy).open
}

/// Whether a name in a policy is one of a class or a group that there is; other names are none of
/// this module's.
pub(crate) fn exists(name: &EntityUid) -> bool {
    let (kind, id) = (name.type_name().to_string(), name.id().unescaped());
    if kind == Type::DataClass.name() {
        DataClass::parse(id).is_ok()
    } else if kind == Type::ClassGroup.name() {
        groups().any(|group| group == id)
    } else {
        true
    }
}

impl Reveals {
    /// Takes a statement whose scope covers a reveal action.
    pub(crate) fn add(&mut self, policy: &Policy, scope: Scope, statement: Statement) {
        self.statements.push(statement);
        if policy.effect() == Effect::Permit {
            self.reach.push(Reach {
                directions: scope.reveals,
                classes: Classes::of(policy),
            });
        }
    }

    fn could(&self, direction: Direction, class: &DataClass) -> bool {
        self.reach.iter().any(|reach| {
            reach.directions.contains(&direction)
                && match &reach.classes {
                    Classes::All => true,
                    Classes::One(name) => *name == class.to_string(),
                    Classes::Group(name) => name == group(class),
                }
        })
    }

    /// Which of these classes may pass unmasked.
    ///
    /// # Errors
    /// When a statement could not be evaluated: it could be the one that forbids, or show that the
    /// policy means something else, so the request is denied.
    pub(crate) fn ask(
        &self,
        request: &RequestContext,
        direction: Direction,
        classes: &[DataClass],
    ) -> Result<Revealed, Denial> {
        let mut revealed = Revealed::default();
        let could: Vec<&DataClass> = classes
            .iter()
            .filter(|class| self.could(direction, class))
            .collect();
        if could.is_empty() {
            return Ok(revealed);
        }
        let asked = Asked::new(request);
        let rules_met = Vec::new();
        let context = self.needed.context(&Facts { request, rules_met })?;
        let known = self
            .needed
            .entities
            .then(|| asked.entities_with(classes))
            .transpose()?;
        let entities = known.as_deref().unwrap_or(&ACTIONS);
        for class in could {
            let action = action(direction);
            let question = asked.may_reveal(action, &class.to_string(), context.clone());
            match evaluate(Layer::GuardRails, &self.statements, entities, question) {
                Ok(policies) => {
                    revealed.classes.push(class.clone());
                    revealed.policies.extend(policies);
                }
                Err(Denial::NotGranted(_) | Denial::Forbidden { .. }) => {}
                Err(failed) => return Err(failed),
            }
        }
        Ok(revealed)
    }
}

impl Classes {
    fn of(policy: &Policy) -> Self {
        let id = |name: &EntityUid| name.id().unescaped().to_owned();
        match policy.resource_constraint() {
            ResourceConstraint::Eq(one) => Self::One(id(&one)),
            ResourceConstraint::In(one) | ResourceConstraint::IsIn(_, one) => {
                // A class is in itself too.
                if one.type_name().to_string() == Type::DataClass.name() {
                    Self::One(id(&one))
                } else {
                    Self::Group(id(&one))
                }
            }
            ResourceConstraint::Any | ResourceConstraint::Is(_) => Self::All,
        }
    }
}

#[cfg(test)]
mod tests;
