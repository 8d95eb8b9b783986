//! Which parts of a request a set of policies reads.
//!
//! Building the context of a request costs more than evaluating a short policy over it. A policy
//! can learn of an attribute only by naming it after `context`, so whatever no policy names is left
//! out; where `context` stands in any other place, everything is put in. The same holds for the
//! entities: when no policy looks into the hierarchy or at an entity's attributes, none are built.
//! This changes no decision, only its price; a test compares the two.

use std::collections::BTreeSet;

use serde_json::Value;

/// What must be at hand when a set of policies is evaluated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reads {
    /// The whole context is used as a value.
    pub(crate) whole_context: bool,
    /// The attributes of the context that are named.
    pub(crate) attributes: BTreeSet<String>,
    /// The hierarchy or the attributes of principals and resources are looked into.
    pub(crate) entities: bool,
}

impl Reads {
    /// Everything: always right, only slower.
    #[cfg(test)]
    pub(crate) fn everything() -> Self {
        Self {
            whole_context: true,
            attributes: BTreeSet::new(),
            entities: true,
        }
    }

    pub(crate) fn attribute(&self, name: &str) -> bool {
        self.whole_context || self.attributes.contains(name)
    }

    /// Adds what one policy reads, from its JSON form.
    pub(crate) fn add(&mut self, policy: &Value) {
        for scope in ["principal", "resource"] {
            // `in`, and `is … in`.
            let scope = policy.get(scope);
            let op = scope
                .and_then(|scope| scope.get("op"))
                .and_then(Value::as_str);
            let plain = matches!(op, Some("All" | "==")) || (op == Some("is") && lacks_in(scope));
            self.entities |= !plain;
        }
        match policy.get("conditions") {
            Some(conditions) => self.expression(conditions),
            None => {
                self.whole_context = true;
                self.entities = true;
            }
        }
    }

    fn expression(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.expression(item)),
            Value::Object(fields) => {
                for (key, inner) in fields {
                    self.operator(key, inner);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn operator(&mut self, key: &str, inner: &Value) {
        let left = inner.get("left");
        match (key, left, inner.get("attr").and_then(Value::as_str)) {
            ("Var", _, _) if inner.is_string() => {
                self.whole_context |= inner.as_str() == Some("context");
            }
            ("." | "has", Some(left), Some(attribute)) if is_context(left) => {
                self.attributes.insert(attribute.to_owned());
            }
            ("." | "has", Some(left), Some(_)) if is_segments(left) => {
                self.attributes.insert("segments".to_owned());
            }
            // A type test looks at the name alone, unless it goes on with `in`.
            ("is", Some(left), _) if inner.get("in").is_none() => self.expression(left),
            ("." | "has" | "getTag" | "hasTag" | "in" | "is", _, _) => {
                self.entities = true;
                self.expression(inner);
            }
            _ => self.expression(inner),
        }
    }
}

fn lacks_in(scope: Option<&Value>) -> bool {
    scope.is_some_and(|scope| scope.get("in").is_none())
}

fn is_context(expression: &Value) -> bool {
    expression.get("Var").and_then(Value::as_str) == Some("context")
}

/// `context.segments`: the one record inside the context.
fn is_segments(expression: &Value) -> bool {
    let Some(access) = expression.get(".") else {
        return false;
    };
    access.get("left").is_some_and(is_context)
        && access.get("attr").and_then(Value::as_str) == Some("segments")
}

#[cfg(test)]
mod tests {
    use super::*;
    use cedar_policy::Policy;

    fn reads(text: &str) -> Reads {
        let mut reads = Reads::default();
        reads.add(&Policy::parse(None, text).unwrap().to_json().unwrap());
        reads
    }

    #[test]
    fn what_is_named_is_read() {
        let plain = reads("permit(principal, action, resource);");
        assert_eq!(plain, Reads::default());
        let some = reads(
            r#"forbid(principal == Postern::Principal::"user:a", action, resource) when {
                context.model like "gpt-4*" && context has output_cap && context.output_cap > 5
                || context.segments has s2 && context.segments.s2 == "Var" };"#,
        );
        assert_eq!(
            some.attributes,
            ["model", "output_cap", "segments"].map(String::from).into()
        );
        assert!(!some.whole_context && !some.entities);
    }

    #[test]
    fn every_way_into_the_hierarchy_is_seen() {
        // Goal: leaving entities out can never make a `forbid` miss. Method: a row per construct
        // that looks into them.
        for condition in [
            r#"principal in Postern::Team::"a""#,
            r#"principal is Postern::Principal in Postern::Team::"a""#,
            r#"principal.kind == "agent""#,
            "principal has kind",
            r#"context.upstream.kind == "http""#,
            r#"context.upstream has kind"#,
            r#"principal.hasTag("a")"#,
            r#"{Var: principal}.Var in Postern::Team::"a""#,
            r#"if true then resource in Postern::Upstream::"a" else false"#,
        ] {
            let text = format!("forbid(principal, action, resource) unless {{ {condition} }};");
            assert!(reads(&text).entities, "{condition}");
        }
        for scope in [
            r#"principal in Postern::Team::"a", action, resource"#,
            r#"principal, action, resource in Postern::Upstream::"a""#,
            r#"principal is Postern::Principal in Postern::Team::"a", action, resource"#,
            r#"principal, action, resource is Postern::Model in Postern::Upstream::"a""#,
        ] {
            assert!(reads(&format!("forbid({scope});")).entities, "{scope}");
        }
    }

    #[test]
    fn the_context_as_a_value_is_read_whole() {
        for condition in [
            "context == context",
            "[context].contains({})",
            "{a: context}.a.tls",
            "{Var: context}.Var.tls",
            "(if true then context else context).tls",
        ] {
            let text = format!("forbid(principal, action, resource) when {{ {condition} }};");
            assert!(reads(&text).whole_context, "{condition}");
        }
    }
}
