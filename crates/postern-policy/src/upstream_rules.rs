//! The data rules of one upstream, and the classes they speak of.

use std::sync::Arc;

use postern_types::{BuiltinClass, ClassSelector, DataClass, DataRule, Direction};

/// The data rules that hold at one upstream. Made when rules change, shared by all requests.
#[derive(Debug, Clone, Default)]
pub struct UpstreamRules {
    rules: Arc<[DataRule]>,
    in_request: Arc<[DataClass]>,
    in_response: Arc<[DataClass]>,
}

impl UpstreamRules {
    /// Takes the rules that name the upstream, or name none.
    #[must_use]
    pub fn new(rules: Arc<[DataRule]>) -> Self {
        Self {
            in_request: classes(&rules, Direction::Request),
            in_response: classes(&rules, Direction::Response),
            rules,
        }
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &Arc<[DataRule]> {
        &self.rules
    }

    /// The classes that the rules speak of in a direction, each once, in the order of the classes.
    #[must_use]
    pub fn classes(&self, direction: Direction) -> &[DataClass] {
        match direction {
            Direction::Request => &self.in_request,
            Direction::Response => &self.in_response,
        }
    }
}

fn classes(rules: &[DataRule], direction: Direction) -> Arc<[DataClass]> {
    let mut spoken_of = Vec::new();
    let specs = rules.iter().map(|rule| &rule.spec);
    for spec in specs.filter(|spec| spec.directions.contains(&direction)) {
        let builtin = BuiltinClass::ALL.into_iter().map(DataClass::Builtin);
        spoken_of.extend(
            builtin.filter(|class| spec.classes.iter().any(|selector| selector.selects(class))),
        );
        spoken_of.extend(spec.classes.iter().filter_map(|selector| match selector {
            ClassSelector::Class(class) => Some(class.clone()),
            ClassSelector::All | ClassSelector::Group(_) => None,
        }));
        spoken_of.extend(spec.custom.iter().map(|custom| custom.class.clone()));
        spoken_of.extend(spec.fields.iter().map(|field| field.class.clone()));
    }
    spoken_of.sort();
    spoken_of.dedup();
    spoken_of.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_speak_of_what_they_name_in_their_directions() {
        // Goal: exactly the classes of a direction are asked for. Method: rules with a class, a
        // group, a class of their own and a field.
        let rule = |name: &str, spec: serde_json::Value| DataRule {
            name: name.parse().unwrap(),
            spec: serde_json::from_value(spec).unwrap(),
        };
        let rules = UpstreamRules::new(Arc::from(vec![
            rule(
                "one",
                serde_json::json!({"directions": ["request"], "classes": ["email", "payment"],
                    "action": "mask"}),
            ),
            rule(
                "two",
                serde_json::json!({"directions": ["request", "response"], "classes": ["email"],
                    "action": "block",
                    "custom": [{"class": "custom:badge", "pattern": "B[0-9]{5}"}],
                    "fields": [{"path": "$..note", "class": "custom:note"}]}),
            ),
        ]));
        let names = |direction| -> Vec<String> {
            let classes = rules.classes(direction).iter();
            classes.map(ToString::to_string).collect()
        };
        assert_eq!(
            names(Direction::Response),
            ["email", "custom:badge", "custom:note"]
        );
        let request = names(Direction::Request);
        assert!(request.contains(&"card".to_owned()) && request.contains(&"iban".to_owned()));
        assert_eq!(request.iter().filter(|name| *name == "email").count(), 1);
        assert!(!request.contains(&"us_ssn".to_owned()));
        assert!(
            UpstreamRules::default()
                .classes(Direction::Request)
                .is_empty()
        );
    }
}
