//! Principals of an environment.

use axum::extract::Path;
use axum::response::Response;
use postern_store::{NewPrincipal as NewRow, PrincipalChange, PrincipalRow};
use postern_types::{EnvName, PrincipalId};

use super::desk::{Act, Body, Desk, name};
use super::problem::Refused;
use crate::shapes::{ChangePrincipal, NewPrincipal, Principal, Problem};

/// List the principals of an environment.
#[utoipa::path(get, path = "/api/v1/environments/{env}/principals", tag = "principals",
    params(("env" = String, Path)),
    responses((status = 200, body = Vec<Principal>), (status = "4XX", body = Problem)))]
pub(super) async fn list(desk: Desk, Path(env): Path<String>) -> Response {
    let found = async {
        let env = name(&env, EnvName::parse)?;
        desk.may_see(Some(&env))?;
        desk.store().environments().show(&env).await?;
        let rows = desk.store().principals().list(&env).await?;
        Ok::<_, Refused>(rows.into_iter().map(shape).collect::<Vec<_>>())
    };
    desk.answer(found.await)
}

/// Show one principal.
#[utoipa::path(get, path = "/api/v1/environments/{env}/principals/{id}", tag = "principals",
    params(("env" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = Principal), (status = "4XX", body = Problem)))]
pub(super) async fn show(desk: Desk, Path((env, id)): Path<(String, String)>) -> Response {
    let found = async {
        let (env, id) = names(&env, &id)?;
        desk.may_see(Some(&env))?;
        Ok::<_, Refused>(shape(desk.store().principals().show(&env, &id).await?))
    };
    desk.answer(found.await)
}

/// Make a principal.
#[utoipa::path(post, path = "/api/v1/environments/{env}/principals", tag = "principals",
    params(("env" = String, Path)), request_body = NewPrincipal,
    responses((status = 201, body = Principal), (status = "4XX", body = Problem)))]
pub(super) async fn create(
    desk: Desk,
    Path(env): Path<String>,
    Body(new): Body<NewPrincipal>,
) -> Response {
    let made = async {
        let (env, id) = names(&env, &new.id)?;
        let detail = serde_json::json!({ "team": new.team, "tenant": new.tenant });
        let row = NewRow {
            id,
            team: new.team,
            tenant: new.tenant,
        };
        let act = Act {
            action: "principal.create",
            object: row.id.to_string(),
            environment: Some(&env),
            detail,
        };
        let work = async {
            Ok(shape(
                desk.store()
                    .principals()
                    .create(&env, &row, desk.now())
                    .await?,
            ))
        };
        desk.act(act, work).await
    };
    desk.created(made.await)
}

/// Change a principal. Disabling it refuses its tokens and ends its running streams.
#[utoipa::path(patch, path = "/api/v1/environments/{env}/principals/{id}", tag = "principals",
    params(("env" = String, Path), ("id" = String, Path)), request_body = ChangePrincipal,
    responses((status = 200, body = Principal), (status = "4XX", body = Problem)))]
pub(super) async fn update(
    desk: Desk,
    Path((env, id)): Path<(String, String)>,
    Body(change): Body<ChangePrincipal>,
) -> Response {
    let changed = async {
        let (env, id) = names(&env, &id)?;
        let act = Act {
            action: "principal.update",
            object: id.to_string(),
            environment: Some(&env),
            detail: serde_json::to_value(&change).unwrap_or_default(),
        };
        let text = |text: Option<String>| text.map(|text| Some(text).filter(|t| !t.is_empty()));
        let wanted = PrincipalChange {
            team: text(change.team),
            tenant: text(change.tenant),
            disabled: change.disabled,
        };
        let work = async {
            let row = desk.store().principals().update(&env, &id, &wanted).await?;
            desk.state()
                .guard
                .principal_changed(&env, &id, row.disabled);
            Ok(shape(row))
        };
        desk.act(act, work).await
    };
    desk.answer(changed.await)
}

/// Delete a principal. Its tokens open nothing any more, and its running streams end.
#[utoipa::path(delete, path = "/api/v1/environments/{env}/principals/{id}", tag = "principals",
    params(("env" = String, Path), ("id" = String, Path)),
    responses((status = 200, description = "Gone"), (status = "4XX", body = Problem)))]
pub(super) async fn delete(desk: Desk, Path((env, id)): Path<(String, String)>) -> Response {
    let gone = async {
        let (env, id) = names(&env, &id)?;
        let act = Act {
            action: "principal.delete",
            object: id.to_string(),
            environment: Some(&env),
            detail: serde_json::Value::Null,
        };
        let work = async {
            desk.store()
                .principals()
                .delete(&env, &id, desk.now())
                .await?;
            desk.state().guard.principal_changed(&env, &id, true);
            Ok(())
        };
        desk.act(act, work).await
    };
    desk.answer(gone.await)
}

fn names(env: &str, id: &str) -> Result<(EnvName, PrincipalId), Refused> {
    Ok((name(env, EnvName::parse)?, name(id, PrincipalId::parse)?))
}

fn shape(row: PrincipalRow) -> Principal {
    Principal {
        id: row.principal.id.to_string(),
        team: row.principal.team,
        tenant: row.principal.tenant,
        disabled: row.disabled,
        created_at: row.created_at.to_string(),
    }
}
