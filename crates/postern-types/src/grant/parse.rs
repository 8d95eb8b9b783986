//! The forms in which people write grants.

use std::sync::Arc;

use super::rule::check_method;
use super::{CallRule, Conditions, Grant, GrantError, Invoke, ModelPattern, Rights, ValueRule};
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
        "call" => Rights::Call {
            rules: resources.map(call_rule).collect::<Result<_, _>>()?,
        },
        _ => return Err(shape()),
    };
    Ok(Grant {
        upstream,
        actions,
        conditions: Conditions::default(),
    })
}

/// `GET|HEAD /classes/Note?limit&skip`.
fn call_rule(text: &str) -> Result<CallRule, GrantError> {
    let shape = || GrantError::Shape(text.chars().take(200).collect());
    let (methods, target) = text.split_once(' ').ok_or_else(shape)?;
    let methods = methods
        .split('|')
        .map(|method| check_method(method).map(|()| Arc::from(method)))
        .collect::<Result<Vec<Arc<str>>, _>>()?;
    let (path, query) = target.trim().split_once('?').unwrap_or((target.trim(), ""));
    let path = PathTemplate::parse(path)
        .map_err(|error| GrantError::Path(path.chars().take(200).collect(), error))?;
    let mut rule = CallRule::new(methods, path);
    for name in query.split('&').filter(|name| !name.is_empty()) {
        rule.query.insert(name.to_owned(), ValueRule::Any);
    }
    Ok(rule)
}
