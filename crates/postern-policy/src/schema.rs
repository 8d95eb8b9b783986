//! The schema, parsed once, and the names of its types.

use std::sync::LazyLock;

use cedar_policy::{Entities, EntityId, EntityTypeName, EntityUid, Schema};

/// The Cedar schema that every policy is checked against, with a comment on each attribute.
#[must_use]
pub fn schema_text() -> &'static str {
    include_str!("schema.cedarschema")
}

pub(crate) static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let (schema, _warnings) = Schema::from_cedarschema_str(schema_text())
        .expect("the shipped schema parses: a test holds it");
    schema
});

/// The action hierarchy: all that an evaluation needs when no policy looks into other entities.
pub(crate) static ACTIONS: LazyLock<Entities> = LazyLock::new(|| {
    SCHEMA
        .action_entities()
        .expect("the action hierarchy of the shipped schema is a tree")
});

/// An entity type of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Environment,
    Team,
    Tenant,
    Principal,
    Token,
    Upstream,
    Model,
    ClassGroup,
    DataClass,
    Action,
}

impl Type {
    const ALL: [Self; 10] = [
        Self::Environment,
        Self::Team,
        Self::Tenant,
        Self::Principal,
        Self::Token,
        Self::Upstream,
        Self::Model,
        Self::ClassGroup,
        Self::DataClass,
        Self::Action,
    ];

    /// The full name, as policies write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Environment => "Postern::Environment",
            Self::Team => "Postern::Team",
            Self::Tenant => "Postern::Tenant",
            Self::Principal => "Postern::Principal",
            Self::Token => "Postern::Token",
            Self::Upstream => "Postern::Upstream",
            Self::Model => "Postern::Model",
            Self::ClassGroup => "Postern::ClassGroup",
            Self::DataClass => "Postern::DataClass",
            Self::Action => "Postern::Action",
        }
    }

    /// The entity of this type with an id. No text is parsed: an id cannot be read as anything
    /// else.
    pub(crate) fn uid(self, id: &str) -> EntityUid {
        static NAMES: LazyLock<[EntityTypeName; 10]> = LazyLock::new(|| {
            Type::ALL.map(|kind| {
                kind.name()
                    .parse()
                    .expect("the names above are Cedar names")
            })
        });
        EntityUid::from_type_name_and_id(NAMES[self as usize].clone(), EntityId::new(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use postern_types::Operation;

    #[test]
    fn the_schema_declares_every_operation_and_type() {
        // Goal: an operation added to the closed list cannot be forgotten here. Method: look each
        // one up in the parsed schema.
        let actions: Vec<_> = SCHEMA.actions().cloned().collect();
        for operation in Operation::ALL {
            assert!(
                actions.contains(&Type::Action.uid(operation.as_str())),
                "{operation}"
            );
        }
        assert_eq!(
            actions.len(),
            Operation::ALL.len() + 5,
            "and `invoke`, `call` and the three of `reveal`"
        );
        let types: Vec<_> = SCHEMA.entity_types().map(ToString::to_string).collect();
        for kind in Type::ALL.into_iter().filter(|kind| *kind != Type::Action) {
            assert!(types.contains(&kind.name().to_owned()), "{kind:?}");
        }
    }

    #[test]
    fn the_schema_is_the_one_agreed() {
        // Goal: a change of what policies can rely on is seen in review. Method: golden file of the
        // schema in Cedar's own form, which comments do not touch.
        let (fragment, _) =
            cedar_policy::SchemaFragment::from_cedarschema_str(schema_text()).unwrap();
        insta::assert_snapshot!("schema", fragment.to_cedarschema().unwrap());
    }

    #[test]
    fn every_attribute_is_explained() {
        // Goal: the reference generated from the schema leaves no attribute unexplained. Method: a
        // declaration line follows a comment line, but for the numbered segments.
        let mut before = "";
        for line in schema_text().lines().map(str::trim) {
            let declares = line.ends_with(',') && line.contains(": ") && !line.starts_with("//");
            let numbered = line.starts_with('s') && line.contains("?: String");
            let scope = ["principal:", "resource:"]
                .iter()
                .any(|word| line.starts_with(word));
            if declares && !numbered && !scope {
                assert!(before.starts_with("//"), "{line}");
            }
            before = line;
        }
    }
}
