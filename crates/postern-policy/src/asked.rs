//! Who asks for what, in Cedar's terms.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use cedar_policy::{Context, Entities, Entity, EntityUid, RestrictedExpression};
use postern_types::{
    BuiltinClass, DataClass, EnvName, PrincipalId, RequestContext, UpstreamKind, UpstreamName,
};

use crate::bounds::ENTITIES_REMEMBERED_MAX;
use crate::engine::Question;
use crate::schema::{ACTIONS, Type};
use crate::{Denial, reveal};

/// Principal, action and resource of a request.
pub(crate) struct Asked<'a> {
    context: &'a RequestContext,
    principal: EntityUid,
    action: EntityUid,
    resource: EntityUid,
}

/// All that the entities of a request are made from, so that equal keys have equal entities.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    environment: EnvName,
    principal: PrincipalId,
    team: Option<String>,
    tenant: Option<String>,
    upstream: UpstreamName,
    kind: UpstreamKind,
    model: Option<String>,
    /// Where it is asked what may be revealed: the classes that rules define.
    defined: Option<Vec<DataClass>>,
}

impl<'a> Asked<'a> {
    pub(crate) fn new(context: &'a RequestContext) -> Self {
        Self {
            context,
            principal: Type::Principal.uid(context.subject.principal.id.as_str()),
            action: action(context),
            resource: match model(context) {
                Some(model) => Type::Model.uid(model),
                None => Type::Upstream.uid(context.upstream.as_str()),
            },
        }
    }

    pub(crate) fn question(&self, context: Context) -> Question {
        Question {
            principal: self.principal.clone(),
            action: self.action.clone(),
            resource: self.resource.clone(),
            context,
        }
    }

    /// The question whether a class may pass unmasked.
    pub(crate) fn may_reveal(&self, action: &EntityUid, class: &str, context: Context) -> Question {
        Question {
            principal: self.principal.clone(),
            action: action.clone(),
            resource: Type::DataClass.uid(class),
            context,
        }
    }

    /// The principal, the resource and what they belong to.
    pub(crate) fn entities(&self) -> Result<Arc<Entities>, Denial> {
        self.remembered(None)
    }

    /// The same with every class that ships with the product, and those of these that rules define.
    pub(crate) fn entities_with(&self, classes: &[DataClass]) -> Result<Arc<Entities>, Denial> {
        let defined = classes
            .iter()
            .filter(|class| matches!(class, DataClass::Custom(_)));
        self.remembered(Some(defined.cloned().collect()))
    }

    /// Entities met before are remembered: the closure of the hierarchy costs more than the
    /// decision.
    fn remembered(&self, defined: Option<Vec<DataClass>>) -> Result<Arc<Entities>, Denial> {
        thread_local! {
            static MET: RefCell<HashMap<Key, Arc<Entities>>> = RefCell::default();
        }
        let subject = &self.context.subject;
        let key = Key {
            environment: subject.environment.clone(),
            principal: subject.principal.id.clone(),
            team: subject.principal.team.clone(),
            tenant: subject.principal.tenant.clone(),
            upstream: self.context.upstream.clone(),
            kind: self.context.upstream_kind,
            model: model(self.context).map(str::to_owned),
            defined,
        };
        if let Some(entities) = MET.with_borrow(|met| met.get(&key).cloned()) {
            return Ok(entities);
        }
        let entities = Arc::new(self.build(key.defined.as_deref())?);
        MET.with_borrow_mut(|met| {
            if met.len() >= ENTITIES_REMEMBERED_MAX {
                met.clear();
            }
            met.insert(key, Arc::clone(&entities));
        });
        Ok(entities)
    }

    fn build(&self, defined: Option<&[DataClass]>) -> Result<Entities, Denial> {
        let unclear = |_| Denial::Unclear("an entity is outside Cedar's range");
        let subject = &self.context.subject;
        let environment = Type::Environment.uid(subject.environment.as_str());
        let inside = || HashSet::from([environment.clone()]);
        let mut all = vec![Entity::new_no_attrs(environment.clone(), HashSet::new())];

        let team = subject
            .principal
            .team
            .iter()
            .map(|name| Type::Team.uid(name));
        let tenant = subject
            .principal
            .tenant
            .iter()
            .map(|name| Type::Tenant.uid(name));
        let groups: Vec<EntityUid> = team.chain(tenant).collect();
        all.extend(
            groups
                .iter()
                .map(|group| Entity::new_no_attrs(group.clone(), inside())),
        );

        let id = &subject.principal.id;
        let about = attributes([("kind", id.kind().as_str()), ("name", id.name())]);
        let groups = groups.into_iter().chain(inside()).collect();
        all.push(Entity::new(self.principal.clone(), about, groups).map_err(unclear)?);

        let upstream = Type::Upstream.uid(self.context.upstream.as_str());
        let about = attributes([("kind", self.context.upstream_kind.as_str())]);
        all.push(Entity::new(upstream.clone(), about, inside()).map_err(unclear)?);
        if self.resource != upstream {
            all.push(Entity::new_no_attrs(
                self.resource.clone(),
                HashSet::from([upstream]),
            ));
        }
        all.extend(defined.into_iter().flat_map(classes));
        let unclear = |_| Denial::Unclear("the entities contradict each other");
        ACTIONS.clone().add_entities(all, None).map_err(unclear)
    }
}

/// The classes that ship with the product, those that rules define, and their groups.
fn classes(defined: &[DataClass]) -> Vec<Entity> {
    let builtin = BuiltinClass::ALL.map(DataClass::Builtin);
    let classes = builtin.iter().chain(defined).map(|class| {
        let group = Type::ClassGroup.uid(reveal::group(class));
        let class = Type::DataClass.uid(&class.to_string());
        Entity::new_no_attrs(class, HashSet::from([group]))
    });
    let groups = reveal::groups().map(|group| Type::ClassGroup.uid(group));
    let groups = groups.map(|group| Entity::new_no_attrs(group, HashSet::new()));
    classes.chain(groups).collect()
}

fn model(context: &RequestContext) -> Option<&str> {
    context.ai.as_ref().and_then(|ai| ai.model.as_deref())
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

fn attributes<const N: usize>(pairs: [(&str, &str); N]) -> HashMap<String, RestrictedExpression> {
    let valued = |(name, value): (&str, &str)| {
        (
            name.to_owned(),
            RestrictedExpression::new_string(value.to_owned()),
        )
    };
    pairs.into_iter().map(valued).collect()
}
