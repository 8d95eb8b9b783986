//! Tokens: made, listed, rotated, revoked.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query};
use axum::response::Response;
use http::HeaderMap;
use postern_guard::TokenChange;
use postern_policy::TokenGrants;
use postern_store::{
    AdminRole, NewAccess, NewToken as NewRow, Page, Revocation, Rotation, TokenAccess, TokenFilter,
    TokenRow, TokenState,
};
use postern_types::{EnvName, PrincipalId, RefusalCode, TokenId, TokenKind};
use serde::Deserialize;
use utoipa::IntoParams;

use super::desk::{Act, Body, Desk, name};
use super::problem::Refused;
use crate::config::parse_duration;
use crate::shapes::{
    IssuedToken, NewToken, Problem, RevokeToken, RevokedToken, RotateToken, Token, TokenList,
    TokenSecret,
};

/// Which tokens to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Only those of this environment.
    environment: Option<String>,
    /// Only those of this principal.
    principal: Option<String>,
    /// Only those in this state: `live`, `expired`, `revoked`.
    state: Option<String>,
    /// `server` or `admin`.
    kind: Option<String>,
    /// The page after this token.
    after: Option<String>,
    /// So many, 1 to 1000.
    limit: Option<u32>,
}

/// List tokens, newest first.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "tokens", params(ListQuery),
    responses((status = 200, body = TokenList), (status = "4XX", body = Problem)))]
pub(super) async fn list(desk: Desk, query: Result<Query<ListQuery>, QueryRejection>) -> Response {
    let found = async {
        let Query(query) = query.map_err(|error| Refused::bad(error.body_text()))?;
        let page = Page {
            after: query
                .after
                .as_deref()
                .map(|id| name(id, TokenId::parse))
                .transpose()?,
            limit: query.limit.unwrap_or(Page::default().limit),
        };
        let filter = filter(&desk, &query)?;
        let page = desk
            .store()
            .tokens()
            .list(&filter, &page, desk.now())
            .await?;
        if let Some(env) = filter.env.as_ref().filter(|_| page.rows.is_empty()) {
            // A name that was mistyped is not an environment without tokens.
            desk.store().environments().show(env).await?;
        }
        let items = page
            .rows
            .iter()
            .filter(|row| sees(&desk, row))
            .map(|row| shape(&desk, row));
        Ok::<_, Refused>(TokenList {
            items: items.collect(),
            next: page.next.map(|id| id.to_string()),
        })
    };
    desk.answer(found.await)
}

fn filter(desk: &Desk, query: &ListQuery) -> Result<TokenFilter, Refused> {
    let mut filter = TokenFilter {
        env: query
            .environment
            .as_deref()
            .map(|env| name(env, EnvName::parse))
            .transpose()?,
        principal: query
            .principal
            .as_deref()
            .map(|id| name(id, PrincipalId::parse))
            .transpose()?,
        ..TokenFilter::default()
    };
    filter.state = match query.state.as_deref() {
        None => None,
        Some("live") => Some(TokenState::Live),
        Some("expired") => Some(TokenState::Expired),
        Some("revoked") => Some(TokenState::Revoked),
        Some(_) => return Err(Refused::bad("state is live, expired or revoked")),
    };
    filter.kind = match query.kind.as_deref() {
        None => None,
        Some("server") => Some(TokenKind::Server),
        Some("admin") => Some(TokenKind::Admin),
        Some(_) => return Err(Refused::bad("kind is server or admin")),
    };
    if let Some(scope) = desk.scope() {
        if filter.env.as_ref().is_some_and(|env| env != scope) {
            return Err(Refused::silent(RefusalCode::Denied));
        }
        filter.env = Some(scope.clone());
    }
    Ok(filter)
}

/// Show one token.
#[utoipa::path(get, path = "/api/v1/tokens/{id}", tag = "tokens", params(("id" = String, Path)),
    responses((status = 200, body = Token), (status = "4XX", body = Problem)))]
pub(super) async fn show(desk: Desk, Path(id): Path<String>) -> Response {
    let found = async {
        let row = find(&desk, &id).await?;
        Ok::<_, Refused>(shape(&desk, &row))
    };
    desk.answer(found.await)
}

/// Make a token. The answer is the only one that holds it.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "tokens", request_body = NewToken,
    params(("idempotency-key" = Option<String>, Header,
        description = "Repeating the request with the same key makes no second token")),
    responses((status = 201, body = IssuedToken), (status = "4XX", body = Problem)))]
pub(super) async fn create(desk: Desk, headers: HeaderMap, Body(new): Body<NewToken>) -> Response {
    let issued = async {
        let access = access(&new)?;
        let env = match &access {
            NewAccess::Data { env, .. } => Some(env.clone()),
            NewAccess::Admin { env, .. } => env.clone(),
        };
        let act = Act {
            action: "token.create",
            object: new
                .principal
                .clone()
                .or(new.role.clone())
                .unwrap_or_default(),
            environment: env.as_ref(),
            detail: serde_json::to_value(&new).unwrap_or_default(),
        };
        let administrators = matches!(access, NewAccess::Admin { .. });
        if administrators && !desk.may_manage_administrators(env.as_ref()) {
            return desk.denied(act).await;
        }
        let row = NewRow {
            access,
            ttl: new
                .ttl
                .as_deref()
                .map(parse_duration)
                .transpose()
                .map_err(Refused::bad)?,
            owner: new.owner.clone(),
            purpose: new.purpose.clone(),
            created_by: desk.name(),
            idempotency_key: idempotency_key(&headers)?,
        };
        let work = async {
            check_grants(&desk, &row.access).await?;
            let issued = desk.store().tokens().create(&row, desk.now()).await?;
            // An id that was asked for a moment ago and not there may be remembered as unknown.
            desk.state()
                .guard
                .token_changed(issued.row.id, TokenChange::Edited);
            let expires_at = issued.row.expires_at.to_string();
            Ok(IssuedToken::new(
                issued.row.id.to_string(),
                issued.token.expose(),
                expires_at,
            ))
        };
        desk.act(act, work).await
    };
    desk.created(issued.await)
}

/// Compiles and validates grants before a token is made of them: what does not compile would make a
/// token that opens nothing. An upstream that does not exist is left to the store to name.
async fn check_grants(desk: &Desk, access: &NewAccess) -> Result<(), Refused> {
    let NewAccess::Data { env, grants, .. } = access else {
        return Ok(());
    };
    let upstreams = desk.store().upstreams().list(env).await?;
    let mut expanded = Vec::with_capacity(grants.len());
    for grant in grants {
        if let Some(row) = upstreams.iter().find(|row| row.name == grant.upstream) {
            let grant = grant.clone().expand(row.kind);
            expanded.push(grant.map_err(|error| Refused::bad(error.to_string()))?);
        }
    }
    TokenGrants::compile(env, &expanded)
        .and_then(|grants| grants.validate())
        .map_err(|error| Refused::bad(error.to_string()))
}

/// Give a token a new secret. The old one opens until the grace is over; its life gets no longer.
#[utoipa::path(post, path = "/api/v1/tokens/{id}/rotate", tag = "tokens",
    params(("id" = String, Path), ("idempotency-key" = Option<String>, Header,
        description = "Repeating the request with the same key rotates once")),
    request_body = RotateToken,
    responses((status = 200, body = IssuedToken), (status = "4XX", body = Problem)))]
pub(super) async fn rotate(
    desk: Desk,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(wanted): Body<RotateToken>,
) -> Response {
    let issued = async {
        let row = find(&desk, &id).await?;
        let env = env_of(&row);
        let act = Act {
            action: "token.rotate",
            object: row.id.to_string(),
            environment: env.as_ref(),
            detail: serde_json::to_value(&wanted).unwrap_or_default(),
        };
        if row.kind() == TokenKind::Admin && !desk.may_manage_administrators(env.as_ref()) {
            return desk.denied(act).await;
        }
        let mut rotation = Rotation {
            idempotency_key: idempotency_key(&headers)?,
            ..Rotation::default()
        };
        if let Some(grace) = &wanted.grace {
            rotation.grace = parse_duration(grace).map_err(Refused::bad)?;
        }
        let work = async {
            // So that a secret that was used a moment ago is not taken for one that got lost.
            desk.state().guard.write_last_uses().await;
            let issued = desk
                .store()
                .tokens()
                .rotate(&row.id, &rotation, desk.now())
                .await?;
            // Without a grace the old secret is taken for stolen: what runs under it ends too.
            // Nobody holds the new one yet.
            let change = if rotation.grace.is_zero() {
                TokenChange::Revoked
            } else {
                TokenChange::Edited
            };
            desk.state().guard.token_changed(row.id, change);
            let expires_at = issued.row.expires_at.to_string();
            Ok(IssuedToken::new(
                row.id.to_string(),
                issued.token.expose(),
                expires_at,
            ))
        };
        desk.act(act, work).await
    };
    desk.answer(issued.await)
}

/// End a token now. Its next request is refused and its running streams end.
#[utoipa::path(post, path = "/api/v1/tokens/{id}/revoke", tag = "tokens",
    params(("id" = String, Path)), request_body = RevokeToken,
    responses((status = 200, body = Token), (status = "4XX", body = Problem)))]
pub(super) async fn revoke(
    desk: Desk,
    Path(id): Path<String>,
    Body(wanted): Body<RevokeToken>,
) -> Response {
    let gone = async {
        let row = find(&desk, &id).await?;
        let env = env_of(&row);
        let act = Act {
            action: "token.revoke",
            object: row.id.to_string(),
            environment: env.as_ref(),
            detail: serde_json::to_value(&wanted).unwrap_or_default(),
        };
        if row.kind() == TokenKind::Admin && !desk.may_manage_administrators(env.as_ref()) {
            return desk.denied(act).await;
        }
        let revocation = Revocation {
            by: desk.name(),
            reason: wanted.reason.clone(),
        };
        let work = async {
            let row = desk
                .store()
                .tokens()
                .revoke(&row.id, &revocation, desk.now())
                .await?;
            desk.state()
                .guard
                .token_changed(row.id, TokenChange::Revoked);
            Ok(shape(&desk, &row))
        };
        desk.act(act, work).await
    };
    desk.answer(gone.await)
}

/// A token that the caller may see. What it may not see is `denied`, whether it exists or not.
async fn find(desk: &Desk, id: &str) -> Result<TokenRow, Refused> {
    let id = name(id, TokenId::parse)?;
    match desk.store().tokens().show(&id).await {
        Ok(row) if sees(desk, &row) => Ok(row),
        Err(error) if desk.scope().is_none() || !error.is_not_found() => Err(error.into()),
        Ok(_) | Err(_) => Err(Refused::silent(RefusalCode::Denied)),
    }
}

fn env_of(row: &TokenRow) -> Option<EnvName> {
    match &row.access {
        TokenAccess::Data(access) => Some(access.env.clone()),
        TokenAccess::Admin(access) => access.env.clone(),
    }
}

fn sees(desk: &Desk, row: &TokenRow) -> bool {
    desk.may_see(env_of(row).as_ref()).is_ok()
}

fn access(new: &NewToken) -> Result<NewAccess, Refused> {
    let env = new
        .environment
        .as_deref()
        .map(|env| name(env, EnvName::parse))
        .transpose()?;
    if let Some(role) = &new.role {
        let role = AdminRole::parse(role)
            .ok_or_else(|| Refused::bad("role is owner, admin or auditor"))?;
        if new.principal.is_some() || !new.grants.is_empty() || !new.limits.is_empty() {
            let why = "an administrator's token has a role, and no principal, grants or limits";
            return Err(Refused::bad(why));
        }
        return Ok(NewAccess::Admin { role, env });
    }
    let principal = new
        .principal
        .as_deref()
        .ok_or_else(|| Refused::bad("principal is missing"))?;
    Ok(NewAccess::Data {
        env: env.ok_or_else(|| Refused::bad("environment is missing"))?,
        principal: name(principal, PrincipalId::parse)?,
        grants: new.grants.clone(),
        limits: new.limits.clone(),
    })
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Refused> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let text = value
        .to_str()
        .map_err(|_| Refused::bad("Idempotency-Key is not plain text"))?;
    Ok(Some(text.to_owned()))
}

fn shape(desk: &Desk, row: &TokenRow) -> Token {
    let (mut principal, mut role) = (None, None);
    let (mut grants, mut limits) = (Vec::new(), Vec::new());
    match &row.access {
        TokenAccess::Data(access) => {
            principal = Some(access.principal.to_string());
            grants = access
                .grants
                .iter()
                .map(|bound| bound.grant.clone())
                .collect();
            limits.clone_from(&access.limits);
        }
        TokenAccess::Admin(access) => role = Some(access.role.as_str().to_owned()),
    }
    let state = match row.state(desk.now()) {
        TokenState::Live => "live",
        TokenState::Expired => "expired",
        TokenState::Revoked => "revoked",
    };
    let secrets = row.secrets.iter().map(|secret| TokenSecret {
        number: secret.number,
        last_four: secret.last_four.clone(),
        created_at: secret.created_at.to_string(),
        expires_at: secret.expires_at.to_string(),
        last_used_at: secret.last_used_at.map(|at| at.to_string()),
    });
    Token {
        id: row.id.to_string(),
        kind: if role.is_some() { "admin" } else { "server" }.to_owned(),
        state: state.to_owned(),
        environment: env_of(row).map(|env| env.to_string()),
        principal,
        role,
        includes_future: grants.iter().any(postern_types::Grant::includes_future),
        grants,
        limits,
        owner: row.owner.clone(),
        purpose: row.purpose.clone(),
        created_at: row.created_at.to_string(),
        created_by: row.created_by.clone(),
        expires_at: row.expires_at.to_string(),
        last_used_at: row.last_used_at.map(|at| at.to_string()),
        revoked: row.revoked.as_ref().map(|revoked| RevokedToken {
            at: revoked.at.to_string(),
            by: revoked.by.clone(),
            reason: revoked.reason.clone(),
        }),
        secrets: secrets.collect(),
    }
}
