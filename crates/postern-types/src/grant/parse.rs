//! The forms in which people write grants.

use std::sync::Arc;

use super::rule::{check_method, has_body};
use super::{
    BodyRule, CallRule, Conditions, Grant, GrantError, Invoke, ModelPattern, Rights, ValueRule,
};
use crate::{PathTemplate, UpstreamName};

pub(super) fn grant(text: &str) -> Result<Grant, GrantError> {
    let shape = || GrantError::Shape(text.chars().take(200).collect());
    let text = text.trim();
    if text.starts_with('{') {
        return serde_json::from_str(text)
            .map_err(|error| GrantError::Shape(format!("{error} in the JSON grant")));
    }
    let mut parts = text.splitn(3, ':');
    let (Some(upstream), Some(action), Some(resources)) =
        (parts.next(), parts.next(), parts.next())
    else {
        return Err(shape());
    };
    let upstream = UpstreamName::parse(upstream)?;
    let resources = resources
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let actions = match action {
        "invoke" => {
            let models = resources
                .map(ModelPattern::parse)
                .collect::<Result<Vec<_>, _>>()?;
            Rights::Invoke(Invoke {
                models,
                operations: Vec::new(),
            })
        }
        "call" => {
            let rules = resources.map(call_rules).collect::<Result<Vec<_>, _>>()?;
            Rights::Call {
                rules: rules.concat(),
            }
        }
        _ => return Err(shape()),
    };
    Ok(Grant {
        upstream,
        actions,
        conditions: Conditions::default(),
    })
}

/// `GET|HEAD /classes/Note?limit&skip`, `POST /classes/Note json=title&level`.
///
/// Where methods with and without a body stand together, the keys are for those with one: that is
/// two rules, since a rule with keys wants a body. Keys where no method has one are a mistake: the
/// rule would open nothing.
fn call_rules(text: &str) -> Result<Vec<CallRule>, GrantError> {
    let shape = || GrantError::Shape(text.chars().take(200).collect());
    let mut words = text.split_ascii_whitespace();
    let (Some(methods), Some(target)) = (words.next(), words.next()) else {
        return Err(shape());
    };
    let body = words.next().map(|word| body(word).ok_or_else(shape));
    let body = body.transpose()?.unwrap_or_default();
    if words.next().is_some() {
        return Err(shape());
    }
    let methods = methods
        .split('|')
        .map(|method| check_method(method).map(|()| Arc::from(method)))
        .collect::<Result<Vec<Arc<str>>, _>>()?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = PathTemplate::parse(path)
        .map_err(|error| GrantError::Path(path.chars().take(200).collect(), error))?;
    let mut rule = CallRule::new(methods, path);
    for name in query.split('&').filter(|name| !name.is_empty()) {
        rule.query.insert(name.to_owned(), ValueRule::Any);
    }
    let keys = matches!(body, BodyRule::JsonKeys(_));
    rule.body = body;
    let (with, without): (Vec<_>, Vec<_>) = rule.methods.iter().cloned().partition(|m| has_body(m));
    if keys && with.is_empty() {
        return Err(GrantError::NoBody(text.chars().take(200).collect()));
    }
    if !keys || without.is_empty() {
        return Ok(vec![rule]);
    }
    let bare = CallRule {
        methods: without,
        body: BodyRule::None,
        ..rule.clone()
    };
    rule.methods = with;
    Ok(vec![bare, rule])
}

/// `body=any`, `body=none` or `json=title&level`.
fn body(word: &str) -> Option<BodyRule> {
    match word.split_once('=')? {
        ("body", "any") => Some(BodyRule::Any),
        ("body", "none") => Some(BodyRule::None),
        ("json", keys) => {
            let keys = keys.split('&').filter(|key| !key.is_empty());
            let keys: Vec<String> = keys.map(str::to_owned).collect();
            (!keys.is_empty()).then_some(BodyRule::JsonKeys(keys))
        }
        _ => None,
    }
}
