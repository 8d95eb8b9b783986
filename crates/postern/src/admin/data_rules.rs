//! Data rules of an environment.

use axum::extract::Path;
use axum::response::Response;
use postern_store::DataRuleRow;
use postern_types::{DataRule as Rule, EnvName, RuleName};
use serde::Serialize;
use serde_json::{Value, json};

use super::desk::{Act, Body, Desk, name};
use super::environments::take_up;
use super::problem::Refused;
use crate::data_rules;
use crate::shapes::{ChangeDataRule, DataRule, NewDataRule, Problem};

/// Bytes of a rule in the audit log, which takes 48 KiB a record.
const DETAIL_BYTES_MAX: usize = 40 * 1024;

/// List the data rules of an environment.
#[utoipa::path(get, path = "/api/v1/environments/{env}/data-rules", tag = "data rules",
    params(("env" = String, Path)),
    responses((status = 200, body = Vec<DataRule>), (status = "4XX", body = Problem)))]
pub(super) async fn list(desk: Desk, Path(env): Path<String>) -> Response {
    let found = async {
        let env = name(&env, EnvName::parse)?;
        desk.may_see(Some(&env))?;
        desk.store().environments().show(&env).await?;
        let rows = desk.store().data_rules().list(&env).await?;
        Ok::<_, Refused>(rows.iter().map(shape).collect::<Vec<_>>())
    };
    desk.answer(found.await)
}

/// Show one data rule.
#[utoipa::path(get, path = "/api/v1/environments/{env}/data-rules/{name}", tag = "data rules",
    params(("env" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = DataRule), (status = "4XX", body = Problem)))]
pub(super) async fn show(desk: Desk, Path((env, rule)): Path<(String, String)>) -> Response {
    let found = async {
        let (env, rule) = names(&env, &rule)?;
        desk.may_see(Some(&env))?;
        let row = desk.store().data_rules().show(&env, &rule).await?;
        Ok::<_, Refused>(shape(&row))
    };
    desk.answer(found.await)
}

/// Save a data rule. It is compiled, together with those that hold already; the next request obeys
/// it.
#[utoipa::path(post, path = "/api/v1/environments/{env}/data-rules", tag = "data rules",
    params(("env" = String, Path)), request_body = NewDataRule,
    responses((status = 201, body = DataRule), (status = "4XX", body = Problem)))]
pub(super) async fn create(
    desk: Desk,
    Path(env): Path<String>,
    Body(new): Body<NewDataRule>,
) -> Response {
    let made = async {
        let (env, rule) = names(&env, &new.name)?;
        let act = Act {
            action: "data_rule.create",
            object: rule.to_string(),
            environment: Some(&env),
            detail: describe(&new.rule),
        };
        let work = async {
            let rule = data_rules::read(&rule, &new.rule).map_err(Refused::bad)?;
            let _turn = desk.turn().await?;
            check_together(&desk, &env, &rule).await?;
            let rules = desk.store().data_rules();
            let row = rules.create(&env, &rule, desk.now()).await?;
            take_up(&desk, &env).await?;
            Ok(shape(&row))
        };
        desk.act(act, work).await
    };
    desk.created(made.await)
}

/// Change a data rule; what is left out stays.
#[utoipa::path(patch, path = "/api/v1/environments/{env}/data-rules/{name}", tag = "data rules",
    params(("env" = String, Path), ("name" = String, Path)), request_body = ChangeDataRule,
    responses((status = 200, body = DataRule), (status = "4XX", body = Problem)))]
pub(super) async fn update(
    desk: Desk,
    Path((env, rule)): Path<(String, String)>,
    Body(change): Body<ChangeDataRule>,
) -> Response {
    let changed = async {
        let (env, rule) = names(&env, &rule)?;
        let act = Act {
            action: "data_rule.update",
            object: rule.to_string(),
            environment: Some(&env),
            detail: describe(&change),
        };
        let work = async {
            let _turn = desk.turn().await?;
            let rules = desk.store().data_rules();
            let before = rules.show(&env, &rule).await?;
            let wanted = data_rules::shape(&before.rule).changed(change.clone());
            let rule = data_rules::read(&rule, &wanted).map_err(Refused::bad)?;
            check_together(&desk, &env, &rule).await?;
            let row = rules.update(&env, &rule, before.version, desk.now());
            let row = row.await?;
            take_up(&desk, &env).await?;
            Ok(shape(&row))
        };
        desk.act(act, work).await
    };
    desk.answer(changed.await)
}

/// Delete a data rule. What it kept back passes from the next request on.
#[utoipa::path(delete, path = "/api/v1/environments/{env}/data-rules/{name}", tag = "data rules",
    params(("env" = String, Path), ("name" = String, Path)),
    responses((status = 200, description = "Gone"), (status = "4XX", body = Problem)))]
pub(super) async fn delete(desk: Desk, Path((env, rule)): Path<(String, String)>) -> Response {
    let gone = async {
        let (env, rule) = names(&env, &rule)?;
        let act = Act {
            action: "data_rule.delete",
            object: rule.to_string(),
            environment: Some(&env),
            detail: serde_json::Value::Null,
        };
        let work = async {
            desk.store().data_rules().delete(&env, &rule).await?;
            take_up(&desk, &env).await
        };
        desk.act(act, work).await
    };
    desk.answer(gone.await)
}

/// Compiles a rule with those beside which it will hold, at every upstream that it touches.
async fn check_together(desk: &Desk, env: &EnvName, rule: &Rule) -> Result<(), Refused> {
    if desk.state().metrics.analyzer.is_none() {
        let why = "and there is none: set url in the section [analyzer] of postern.toml and start \
                   the gateway again, or leave it out";
        data_rules::without_analyzer(rule, why).map_err(Refused::bad)?;
    }
    if let Some(upstream) = &rule.spec.upstream
        && !rule.spec.fields.is_empty()
    {
        match desk.store().upstreams().show(env, upstream).await {
            Ok(row) => data_rules::fields_fit(rule, row.kind).map_err(Refused::bad)?,
            // Asked again when it is made.
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
    }
    let rows = desk.store().data_rules().list(env).await?;
    let mut rules: Vec<Rule> = rows.into_iter().map(|row| row.rule).collect();
    rules.retain(|other| other.name != rule.name);
    rules.push(rule.clone());
    data_rules::prepare(rules).await.map_err(Refused::bad)
}

fn names(env: &str, rule: &str) -> Result<(EnvName, RuleName), Refused> {
    Ok((name(env, EnvName::parse)?, name(rule, RuleName::parse)?))
}

/// A rule, or a change of one, as the audit log names it: all of it but its patterns and the words
/// of its lists, which may be names of people.
fn describe(rule: &impl Serialize) -> Value {
    let mut described = serde_json::to_value(rule).unwrap_or_default();
    let custom = described.get_mut("custom").and_then(Value::as_array_mut);
    for custom in custom.into_iter().flatten() {
        let words = custom["words"].as_array().map_or(0, Vec::len);
        *custom = json!({"class": custom["class"], "pattern": custom["pattern"].is_string(),
            "words": words});
    }
    let bytes = described.to_string().len();
    if bytes > DETAIL_BYTES_MAX {
        // It will be refused: no rule that is accepted is as long.
        return json!({ "bytes": bytes });
    }
    described
}

fn shape(row: &DataRuleRow) -> DataRule {
    DataRule {
        rule: data_rules::shape(&row.rule),
        name: row.rule.name.to_string(),
        created_at: row.created_at.to_string(),
        changed_at: row.changed_at.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_of_a_rule_holds_no_word_of_its_lists() {
        let spec = json!({"directions": ["request"], "classes": ["email"], "action": "mask",
            "custom": [{"class": "custom:project", "words": ["Blue Falcon"]},
                {"class": "custom:badge", "pattern": "FALCON-[0-9]+"}]});
        let spec: crate::shapes::DataRuleSpec = serde_json::from_value(spec).unwrap();
        let described = describe(&spec).to_string();
        assert!(described.contains("custom:project") && described.contains("\"words\":1"));
        assert!(!described.to_lowercase().contains("falcon"), "{described}");
    }
}
