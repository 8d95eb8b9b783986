//! Guard-rail policies of an environment.

use axum::extract::Path;
use axum::response::Response;
use postern_policy::{GuardRails, PolicySource};
use postern_store::PolicyRow;
use postern_types::{EnvName, PolicyName};

use super::desk::{Act, Body, Desk, name};
use super::environments::take_up;
use super::problem::Refused;
use crate::shapes::{NewPolicy, Policy, Problem};

/// List the policies of an environment.
#[utoipa::path(get, path = "/api/v1/environments/{env}/policies", tag = "policies",
    params(("env" = String, Path)),
    responses((status = 200, body = Vec<Policy>), (status = "4XX", body = Problem)))]
pub(super) async fn list(desk: Desk, Path(env): Path<String>) -> Response {
    let found = async {
        let env = name(&env, EnvName::parse)?;
        desk.may_see(Some(&env))?;
        desk.store().environments().show(&env).await?;
        let rows = desk.store().policies().list(&env).await?;
        Ok::<_, Refused>(rows.into_iter().map(shape).collect::<Vec<_>>())
    };
    desk.answer(found.await)
}

/// Show one policy.
#[utoipa::path(get, path = "/api/v1/environments/{env}/policies/{name}", tag = "policies",
    params(("env" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = Policy), (status = "4XX", body = Problem)))]
pub(super) async fn show(desk: Desk, Path((env, policy)): Path<(String, String)>) -> Response {
    let found = async {
        let (env, policy) = names(&env, &policy)?;
        desk.may_see(Some(&env))?;
        Ok::<_, Refused>(shape(desk.store().policies().show(&env, &policy).await?))
    };
    desk.answer(found.await)
}

/// Save a policy. It is checked against the schema, together with those that hold already.
#[utoipa::path(post, path = "/api/v1/environments/{env}/policies", tag = "policies",
    params(("env" = String, Path)), request_body = NewPolicy,
    responses((status = 201, body = Policy), (status = "4XX", body = Problem)))]
pub(super) async fn create(
    desk: Desk,
    Path(env): Path<String>,
    Body(new): Body<NewPolicy>,
) -> Response {
    let made = async {
        let (env, policy) = names(&env, &new.name)?;
        let act = Act {
            action: "policy.create",
            object: policy.to_string(),
            environment: Some(&env),
            detail: serde_json::json!({ "text": new.text }),
        };
        let work = async {
            let _turn = desk.turn().await?;
            let rows = desk.store().policies().list(&env).await?;
            let mut sources: Vec<PolicySource> = rows
                .into_iter()
                .map(|row| PolicySource {
                    name: row.name,
                    text: row.text,
                })
                .collect();
            sources.push(PolicySource {
                name: policy.clone(),
                text: new.text.clone(),
            });
            GuardRails::compile(&env, &sources).map_err(|error| Refused::bad(error.to_string()))?;
            let row = desk
                .store()
                .policies()
                .create(&env, &policy, &new.text, desk.now())
                .await?;
            take_up(&desk, &env).await?;
            Ok(shape(row))
        };
        desk.act(act, work).await
    };
    desk.created(made.await)
}

/// Delete a policy.
#[utoipa::path(delete, path = "/api/v1/environments/{env}/policies/{name}", tag = "policies",
    params(("env" = String, Path), ("name" = String, Path)),
    responses((status = 200, description = "Gone"), (status = "4XX", body = Problem)))]
pub(super) async fn delete(desk: Desk, Path((env, policy)): Path<(String, String)>) -> Response {
    let gone = async {
        let (env, policy) = names(&env, &policy)?;
        let act = Act {
            action: "policy.delete",
            object: policy.to_string(),
            environment: Some(&env),
            detail: serde_json::Value::Null,
        };
        let work = async {
            desk.store().policies().delete(&env, &policy).await?;
            take_up(&desk, &env).await
        };
        desk.act(act, work).await
    };
    desk.answer(gone.await)
}

fn names(env: &str, policy: &str) -> Result<(EnvName, PolicyName), Refused> {
    Ok((name(env, EnvName::parse)?, name(policy, PolicyName::parse)?))
}

fn shape(row: PolicyRow) -> Policy {
    Policy {
        name: row.name.to_string(),
        text: row.text,
        created_at: row.created_at.to_string(),
    }
}
