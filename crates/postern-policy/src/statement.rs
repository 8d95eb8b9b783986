//! One grant, one rule: one Cedar statement.

use ipnet::IpNet;
use postern_types::{
    BodyRule, CallRule, Conditions, Invoke, METHODS_WITH_BODY, Operation, PathTemplate, Segment,
    UpstreamName,
};
use serde_json::Value;

use crate::attributes::address;
use crate::expression::{
    all, any, binary, context, entity, equal, has_segment, in_range, is_empty, literal, not,
    record, resource_is, segment, segment_count, set, starts_with, uid, variable,
};
use crate::schema::Type;

/// The statement of an invoke grant.
///
/// # Errors
/// What is missing: an empty list would read as "anything" to a person and as "nothing" here.
pub(crate) fn invoke(
    upstream: &UpstreamName,
    invoke: &Invoke,
    conditions: &Conditions,
) -> Result<Value, &'static str> {
    if invoke.models.is_empty() {
        return Err("it names no model");
    }
    if invoke.operations.is_empty() {
        return Err("it names no operation");
    }
    let mut operations = invoke.operations.clone();
    operations.sort();
    operations.dedup();
    let lists = |operation: &Operation| !operation.names_model();
    // The list of models is answered with the models that may be used, so naming the operation is
    // enough there; every other operation is on a model.
    let models = invoke.models.iter().map(|pattern| model(pattern.as_str()));
    let named = any(models.collect());
    let asked = if operations.iter().all(lists) {
        literal(true)
    } else if operations.iter().any(lists) {
        any(vec![resource_is(Type::Upstream), named])
    } else {
        named
    };
    let here = equal(
        context("upstream"),
        entity(Type::Upstream, upstream.as_str()),
    );
    // WHY NOT `action in […]`: the engine would build that set anew on each evaluation, at more
    // than the price of all the comparisons.
    let operation = any(operations
        .iter()
        .map(|operation| is_action(*operation))
        .collect());
    let mut terms = vec![operation, here, asked];
    terms.extend(addresses(conditions));
    let open = || record([("op", "All".into())]);
    Ok(permit(open(), open(), all(terms)))
}

/// The statement of one HTTP rule. `fact` is its name in `rules_met`, where it has demands that
/// only [`values`](crate::values) can judge.
///
/// # Errors
/// What is missing.
pub(crate) fn call(
    upstream: &UpstreamName,
    rule: &CallRule,
    conditions: &Conditions,
    fact: Option<&str>,
) -> Result<Value, &'static str> {
    if rule.methods.is_empty() {
        return Err("it names no method");
    }
    let methods = rule.methods.iter().map(|method| is_method(method));
    let mut terms = vec![any(methods.collect())];
    terms.extend(path(&rule.path));
    terms.push(not(context("query_repeated")));
    terms.push(query(rule));
    terms.extend(body(&rule.body));
    terms.extend(addresses(conditions));
    terms.extend(fact.map(|fact| binary("contains", context("rules_met"), literal(fact))));
    let resource = only(Type::Upstream, upstream.as_str());
    Ok(permit(only(Type::Action, "call"), resource, all(terms)))
}

fn permit(action: Value, resource: Value, condition: Value) -> Value {
    let when = record([("kind", "when".into()), ("body", condition)]);
    record([
        ("effect", "permit".into()),
        ("principal", record([("op", "All".into())])),
        ("action", action),
        ("resource", resource),
        ("conditions", vec![when].into()),
    ])
}

fn only(kind: Type, id: &str) -> Value {
    record([("op", "==".into()), ("entity", uid(kind, id))])
}

fn is_action(operation: Operation) -> Value {
    equal(variable("action"), entity(Type::Action, operation.as_str()))
}

fn is_method(method: &str) -> Value {
    equal(context("method"), literal(method))
}

fn model(pattern: &str) -> Value {
    match pattern.strip_suffix('*') {
        Some(prefix) => starts_with(context("model"), prefix),
        None => equal(context("model"), literal(pattern)),
    }
}

/// Segment by segment, so that a variable cannot swallow a slash.
fn path(template: &PathTemplate) -> Vec<Value> {
    let wanted = template.segments();
    let compare = if template.includes_future() {
        ">="
    } else {
        "=="
    };
    let count = binary(compare, segment_count(), literal(wanted.len()));
    let segments = wanted.iter().zip(1..).map(|(wanted, place)| {
        let fits = match wanted {
            Segment::Literal(text) => equal(segment(place), literal(text.as_str())),
            Segment::Any | Segment::Rest => binary("!=", segment(place), literal("")),
        };
        binary("&&", has_segment(place), fits)
    });
    std::iter::once(count).chain(segments).collect()
}

fn query(rule: &CallRule) -> Value {
    if rule.query.is_empty() {
        return is_empty(context("query_names"));
    }
    let names = set(rule.query.keys().map(String::as_str));
    binary("containsAll", names, context("query_names"))
}

fn body(rule: &BodyRule) -> Option<Value> {
    let nothing = not(context("has_body"));
    match rule {
        BodyRule::ByMethod | BodyRule::Any => {
            let mut ways: Vec<Value> = METHODS_WITH_BODY.map(is_method).into();
            ways.push(nothing);
            Some(any(ways))
        }
        BodyRule::None => Some(nothing),
        // Judged as a fact.
        BodyRule::JsonKeys(_) => None,
    }
}

fn addresses(conditions: &Conditions) -> Option<Value> {
    if conditions.addresses.is_empty() {
        return None;
    }
    let ranges = conditions
        .addresses
        .iter()
        .map(|one| in_range(context("source"), &range(one)));
    Some(any(ranges.collect()))
}

/// A range in the form that [`address`] gives to addresses: IPv4 dressed as IPv6 is undressed here
/// too.
fn range(range: &IpNet) -> String {
    let network = range.network();
    let dressed = network.is_ipv6() && network.to_canonical().is_ipv4();
    let bits = if dressed {
        range.prefix_len().saturating_sub(96)
    } else {
        range.prefix_len()
    };
    format!("{}/{bits}", address(network))
}
