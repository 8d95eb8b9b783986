//! Environments.

use axum::extract::Path;
use axum::response::Response;
use postern_policy::{GuardRails, PolicySource};
use postern_store::{EnvironmentRow, NewEnvironment as NewRow};
use postern_types::{EnvName, PolicyName, RefusalCode};

use super::desk::{Act, Body, Desk, name};
use super::problem::Refused;
use crate::config::{parse_duration, spell_duration};
use crate::shapes::{Environment, NewEnvironment, Problem};

/// The guard-rail that every environment begins with. It stands in the store as any other, so that
/// it can be read, and deleted for a narrower one.
pub const BASELINE: &str = "\
// The guard-rail that every environment begins with: whatever a token's own grants allow may pass.
// A request needs both, a policy here and a grant of its token. Add `forbid` statements in policies
// of your own, or delete this one and permit less.
permit(principal, action, resource);
";

/// List environments.
#[utoipa::path(get, path = "/api/v1/environments", tag = "environments",
    responses((status = 200, body = Vec<Environment>), (status = "4XX", body = Problem)))]
pub(super) async fn list(desk: Desk) -> Response {
    let rows = desk.store().environments().list().await;
    desk.answer(rows.map_err(Refused::from).map(|rows| {
        let seen = rows
            .into_iter()
            .filter(|row| desk.may_see(Some(&row.name)).is_ok());
        seen.map(shape).collect::<Vec<_>>()
    }))
}

/// Show one environment.
#[utoipa::path(get, path = "/api/v1/environments/{env}", tag = "environments",
    params(("env" = String, Path)),
    responses((status = 200, body = Environment), (status = "4XX", body = Problem)))]
pub(super) async fn show(desk: Desk, Path(env): Path<String>) -> Response {
    let found = async {
        let env = name(&env, EnvName::parse)?;
        desk.may_see(Some(&env))?;
        Ok(shape(desk.store().environments().show(&env).await?))
    };
    desk.answer(found.await)
}

/// Make an environment, with keys of its own and the guard-rail policy `baseline`.
#[utoipa::path(post, path = "/api/v1/environments", tag = "environments",
    request_body = NewEnvironment,
    responses((status = 201, body = Environment), (status = "4XX", body = Problem)))]
pub(super) async fn create(desk: Desk, Body(new): Body<NewEnvironment>) -> Response {
    let made = async {
        let env = name(&new.name, EnvName::parse)?;
        let ttl = new.token_ttl_max.as_deref().map(parse_duration).transpose();
        let row = NewRow {
            name: env.clone(),
            description: new.description.clone(),
            token_ttl_max: ttl.map_err(Refused::bad)?,
        };
        let detail = serde_json::json!({
            "description": new.description, "token_ttl_max": new.token_ttl_max,
        });
        let act = Act {
            action: "environment.create",
            object: env.to_string(),
            environment: None,
            detail,
        };
        desk.act(act, make(&desk, &row)).await
    };
    desk.created(made.await)
}

async fn make(desk: &Desk, new: &NewRow) -> Result<Environment, Refused> {
    let row = desk.store().environments().create(new, desk.now()).await?;
    let baseline = PolicyName::parse("baseline").expect("it is a policy name");
    let source = PolicySource {
        name: baseline.clone(),
        text: BASELINE.to_owned(),
    };
    GuardRails::compile(&row.name, &[source]).map_err(|error| {
        Refused::new(
            RefusalCode::Internal,
            format!("the baseline does not compile: {error}"),
        )
    })?;
    desk.store()
        .policies()
        .create(&row.name, &baseline, BASELINE, desk.now())
        .await?;
    take_up(desk, &row.name).await?;
    Ok(shape(row))
}

/// Retire an environment with its policies and principals. It must have no live tokens and no
/// upstreams; its name is never used again.
#[utoipa::path(delete, path = "/api/v1/environments/{env}", tag = "environments",
    params(("env" = String, Path)),
    responses((status = 200, description = "Gone"), (status = "4XX", body = Problem)))]
pub(super) async fn delete(desk: Desk, Path(env): Path<String>) -> Response {
    let gone = async {
        let env = name(&env, EnvName::parse)?;
        let act = Act {
            action: "environment.delete",
            object: env.to_string(),
            environment: None,
            detail: serde_json::Value::Null,
        };
        let work = async {
            desk.store().environments().delete(&env, desk.now()).await?;
            take_up(&desk, &env).await
        };
        desk.act(act, work).await
    };
    desk.answer(gone.await)
}

/// Lets the data plane see what changed in an environment.
pub(super) async fn take_up(desk: &Desk, env: &EnvName) -> Result<(), Refused> {
    desk.state()
        .guard
        .environment_changed(env)
        .await
        .map_err(|error| {
            tracing::error!(environment = %env, %error, "a change is stored but not taken up");
            let detail =
                format!("the change is stored, but not taken up by the data plane: {error}");
            Refused::new(RefusalCode::StoreUnavailable, detail)
        })
}

fn shape(row: EnvironmentRow) -> Environment {
    Environment {
        name: row.name.to_string(),
        description: row.description,
        token_ttl_max: Some(spell_duration(row.token_ttl_max)),
        created_at: row.created_at.to_string(),
    }
}
