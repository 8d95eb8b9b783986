//! Upstreams of an environment, and where their credentials come from.

mod place;

use axum::extract::Path;
use axum::response::Response;
use postern_store::{
    CredentialSource, NewCredential as StoredCredential, NewUpstream as NewRow, UpstreamChange,
    UpstreamRow,
};
use postern_types::{EnvName, RefusalCode, Secret, UpstreamKind, UpstreamName};

use self::place::{check_place, check_url, own_machine};
use super::desk::{Act, Body, Desk, name};
use super::environments::take_up;
use super::problem::Refused;
use crate::data_rules;
use crate::shapes::{
    ChangeUpstream, NewCredential, NewUpstream, Problem, Upstream, UpstreamSettings,
};

/// List the upstreams of an environment.
#[utoipa::path(get, path = "/api/v1/environments/{env}/upstreams", tag = "upstreams",
    params(("env" = String, Path)),
    responses((status = 200, body = Vec<Upstream>), (status = "4XX", body = Problem)))]
pub(super) async fn list(desk: Desk, Path(env): Path<String>) -> Response {
    let found = async {
        let env = name(&env, EnvName::parse)?;
        desk.may_see(Some(&env))?;
        desk.store().environments().show(&env).await?;
        let rows = desk.store().upstreams().list(&env).await?;
        Ok::<_, Refused>(rows.into_iter().map(shape).collect::<Vec<_>>())
    };
    desk.answer(found.await)
}

/// Show one upstream; never its credential.
#[utoipa::path(get, path = "/api/v1/environments/{env}/upstreams/{name}", tag = "upstreams",
    params(("env" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = Upstream), (status = "4XX", body = Problem)))]
pub(super) async fn show(desk: Desk, Path((env, upstream)): Path<(String, String)>) -> Response {
    let found = async {
        let (env, upstream) = names(&env, &upstream)?;
        desk.may_see(Some(&env))?;
        let row = desk.store().upstreams().show(&env, &upstream).await?;
        Ok::<_, Refused>(looked_at(&desk, &env, row))
    };
    desk.answer(found.await)
}

/// Make an upstream.
#[utoipa::path(post, path = "/api/v1/environments/{env}/upstreams", tag = "upstreams",
    params(("env" = String, Path)), request_body = NewUpstream,
    responses((status = 201, body = Upstream), (status = "4XX", body = Problem)))]
pub(super) async fn create(
    desk: Desk,
    Path(env): Path<String>,
    Body(new): Body<NewUpstream>,
) -> Response {
    let made = async {
        let (env, upstream) = names(&env, &new.name)?;
        let asked = new.settings.own_machine;
        let held = own_machine(&desk, asked);
        let act = Act {
            action: "upstream.create",
            object: upstream.to_string(),
            environment: Some(&env),
            detail: serde_json::json!({
                "kind": new.kind, "url": without_user(&new.url),
                "settings": describe_settings(&new.settings),
                "own_machine": held.as_ref().map_or(asked, |held| *held),
                "credential": new.credential.as_ref().map(describe),
            }),
        };
        let work = async {
            check_url(&desk, &new.url)?;
            check_place(&desk, &new.url)?;
            check_reach(&desk, new.credential.as_ref(), Some(&new.settings))?;
            let kind = name(&new.kind, UpstreamKind::parse)?;
            let _turn = desk.turn().await?;
            check_rules(&desk, &env, &upstream, kind).await?;
            let mut settings = settings_map(&new.settings)?;
            settings.retain(|_, value| !value.is_null());
            settings.insert(OWN_MACHINE.to_owned(), held?.unwrap_or(true).into());
            let row = NewRow {
                name: upstream.clone(),
                kind,
                url: new.url.clone(),
                credential: new.credential.as_ref().map(stored),
                settings,
            };
            let row = desk
                .store()
                .upstreams()
                .create(&env, &row, desk.now())
                .await?;
            take_up(&desk, &env).await?;
            Ok(looked_at(&desk, &env, row))
        };
        desk.act(act, work).await
    };
    desk.created(made.await)
}

/// Change an upstream. A new address needs a new credential, so that the old one is not sent there.
#[utoipa::path(patch, path = "/api/v1/environments/{env}/upstreams/{name}", tag = "upstreams",
    params(("env" = String, Path), ("name" = String, Path)), request_body = ChangeUpstream,
    responses((status = 200, body = Upstream), (status = "4XX", body = Problem)))]
pub(super) async fn update(
    desk: Desk,
    Path((env, upstream)): Path<(String, String)>,
    Body(change): Body<ChangeUpstream>,
) -> Response {
    let changed = async {
        let (env, upstream) = names(&env, &upstream)?;
        let asked = change.settings.as_ref().and_then(|it| it.own_machine);
        // What changes the credential alone leads nowhere else than before.
        let held = if change.url.is_some() || change.settings.is_some() {
            own_machine(&desk, asked)
        } else {
            Ok(None)
        };
        let act = Act {
            action: "upstream.update",
            object: upstream.to_string(),
            environment: Some(&env),
            detail: serde_json::json!({
                "url": change.url.as_deref().map(without_user),
                "settings": change.settings.as_ref().map(describe_settings),
                "own_machine": held.as_ref().map_or(asked, |held| *held),
                "credential": change.credential.as_ref().map(describe),
            }),
        };
        let work = async {
            if let Some(url) = &change.url {
                check_url(&desk, url)?;
                check_place(&desk, url)?;
            } else if change.settings.is_some() {
                // What could not be reached afterwards is refused now.
                let row = desk.store().upstreams().show(&env, &upstream).await?;
                check_place(&desk, &row.url)?;
            }
            check_reach(&desk, change.credential.as_ref(), change.settings.as_ref())?;
            let settings = change.settings.as_ref().map(settings_map).transpose()?;
            let mut settings = settings.unwrap_or_default();
            settings.extend(held?.map(|held| (OWN_MACHINE.to_owned(), held.into())));
            let wanted = UpstreamChange {
                url: change.url.clone(),
                credential: change.credential.as_ref().map(stored),
                settings,
            };
            let row = desk
                .store()
                .upstreams()
                .update(&env, &upstream, &wanted)
                .await?;
            take_up(&desk, &env).await?;
            Ok(looked_at(&desk, &env, row))
        };
        desk.act(act, work).await
    };
    desk.answer(changed.await)
}

/// Delete an upstream. Grants that name it open nothing any more, also when another is made under
/// its name.
#[utoipa::path(delete, path = "/api/v1/environments/{env}/upstreams/{name}", tag = "upstreams",
    params(("env" = String, Path), ("name" = String, Path)),
    responses((status = 200, description = "Gone"), (status = "4XX", body = Problem)))]
pub(super) async fn delete(desk: Desk, Path((env, upstream)): Path<(String, String)>) -> Response {
    let gone = async {
        let (env, upstream) = names(&env, &upstream)?;
        let act = Act {
            action: "upstream.delete",
            object: upstream.to_string(),
            environment: Some(&env),
            detail: serde_json::Value::Null,
        };
        let work = async {
            desk.store()
                .upstreams()
                .delete(&env, &upstream, desk.now())
                .await?;
            take_up(&desk, &env).await
        };
        desk.act(act, work).await
    };
    desk.answer(gone.await)
}

/// Keeps a scoped administrator from what belongs to the installation.
///
/// SECURITY: `env:` and `file:` name secrets of the gateway's machine, which may be those of other
/// environments; an upstream of one's own would then receive them.
fn check_reach(
    desk: &Desk,
    credential: Option<&NewCredential>,
    settings: Option<&UpstreamSettings>,
) -> Result<(), Refused> {
    if desk.scope().is_none() {
        return Ok(());
    }
    let of_the_machine = matches!(
        credential,
        Some(NewCredential::Env(_) | NewCredential::File(_))
    ) || settings.is_some_and(|settings| settings.ca_file.is_some());
    if of_the_machine {
        return Err(Refused::new(
            RefusalCode::Denied,
            "variables and files of the gateway's machine are for administrators of the whole \
             installation: give the credential itself, to be sealed",
        ));
    }
    Ok(())
}

/// Keeps data rules that name this upstream, from before there was one or of one that was deleted,
/// from doing nothing in silence.
async fn check_rules(
    desk: &Desk,
    env: &EnvName,
    upstream: &UpstreamName,
    kind: UpstreamKind,
) -> Result<(), Refused> {
    for row in desk.store().data_rules().list(env).await? {
        if row.rule.spec.upstream.as_ref() == Some(upstream) {
            data_rules::fields_fit(&row.rule, kind).map_err(Refused::bad)?;
        }
    }
    Ok(())
}

fn names(env: &str, upstream: &str) -> Result<(EnvName, UpstreamName), Refused> {
    Ok((
        name(env, EnvName::parse)?,
        name(upstream, UpstreamName::parse)?,
    ))
}

/// A credential as the audit log names it.
fn describe(credential: &NewCredential) -> String {
    match credential {
        NewCredential::Env(name) => format!("env:{name}"),
        NewCredential::File(path) => format!("file:{path}"),
        NewCredential::Sealed(_) => "sealed".to_owned(),
    }
}

/// An address as the audit log names it: a password in it is refused later, but was already said.
fn without_user(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://…@{rest}"),
        _ => url.to_owned(),
    }
}

/// Settings as the audit log names them: header values may be secret, whatever they should be.
fn describe_settings(settings: &UpstreamSettings) -> serde_json::Value {
    serde_json::json!({
        "include_usage": settings.include_usage,
        "ca_file": settings.ca_file,
        "headers": settings.headers.keys().collect::<Vec<_>>(),
    })
}

fn stored(credential: &NewCredential) -> StoredCredential {
    match credential {
        NewCredential::Env(name) => StoredCredential::Env(name.clone()),
        NewCredential::File(path) => StoredCredential::File(path.into()),
        NewCredential::Sealed(secret) => {
            StoredCredential::Sealed(Secret::new(secret.expose().as_bytes().to_vec()))
        }
    }
}

/// The name of the setting that this API decides for itself.
const OWN_MACHINE: &str = "own_machine";

/// All settings as they are stored, `null` where there is none; but for [`OWN_MACHINE`], which the
/// caller decides.
fn settings_map(settings: &UpstreamSettings) -> Result<postern_store::UpstreamSettings, Refused> {
    let invalid = |error| Refused::bad(format!("the settings are not valid: {error}"));
    let mut given = serde_json::to_value(settings).map_err(invalid)?;
    if let Some(given) = given.as_object_mut() {
        given.remove(OWN_MACHINE);
    }
    // The data plane's own reading is the check: what it would not accept is not stored.
    let read: postern_guard::UpstreamSettings = serde_json::from_value(given).map_err(invalid)?;
    match serde_json::to_value(read).map_err(invalid)? {
        serde_json::Value::Object(mut map) => {
            map.remove(OWN_MACHINE);
            Ok(map)
        }
        _ => Err(Refused::bad("the settings are no object")),
    }
}

/// One upstream, with whether the data plane has its credential: a variable that is not set or a
/// file that is missing would else be noticed at the first request.
fn looked_at(desk: &Desk, env: &EnvName, row: UpstreamRow) -> Upstream {
    Upstream {
        credential_fault: desk.state().guard.credential_fault(env, &row.name),
        ..shape(row)
    }
}

fn shape(row: UpstreamRow) -> Upstream {
    let credential = row.credential.map(|source| match source {
        CredentialSource::Env(name) => format!("env:{name}"),
        CredentialSource::File(path) => format!("file:{}", path.display()),
        CredentialSource::Sealed => "sealed".to_owned(),
    });
    let own_machine = postern_guard::UpstreamSettings::parse(&row.settings)
        .ok()
        .map(|settings| settings.own_machine);
    let settings = serde_json::from_value(serde_json::Value::Object(row.settings));
    let settings: UpstreamSettings = settings.unwrap_or_default();
    Upstream {
        name: row.name.to_string(),
        kind: row.kind.to_string(),
        url: row.url,
        credential,
        credential_fault: None,
        settings: UpstreamSettings {
            own_machine,
            ..settings
        },
        created_at: row.created_at.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shapes::SecretText;

    #[test]
    fn what_is_recorded_of_an_upstream_holds_no_secret() {
        assert_eq!(without_user("https://ada:pass@host/x"), "https://…@host/x");
        assert_eq!(without_user("https://host/x"), "https://host/x");
        let mut settings = UpstreamSettings::default();
        settings
            .headers
            .insert("x-key".to_owned(), "secret-value".to_owned());
        let described = describe_settings(&settings).to_string();
        assert!(described.contains("x-key") && !described.contains("secret-value"));
        let sealed = SecretText::new(zeroize::Zeroizing::new("secret-value".to_owned()));
        assert_eq!(describe(&NewCredential::Sealed(sealed)), "sealed");
    }
}
