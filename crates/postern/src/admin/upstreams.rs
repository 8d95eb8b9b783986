//! Upstreams of an environment, and where their credentials come from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::extract::Path;
use axum::response::Response;
use postern_store::{
    CredentialSource, NewCredential as StoredCredential, NewUpstream as NewRow, UpstreamChange,
    UpstreamRow,
};
use postern_types::{EnvName, RefusalCode, Secret, UpstreamKind, UpstreamName};

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
        let act = Act {
            action: "upstream.create",
            object: upstream.to_string(),
            environment: Some(&env),
            detail: serde_json::json!({
                "kind": new.kind, "url": without_user(&new.url),
                "settings": describe_settings(&new.settings),
                "credential": new.credential.as_ref().map(describe),
            }),
        };
        let work = async {
            check_url(&desk, &new.url)?;
            check_place(&desk, &new.url)?;
            check_reach(&desk, new.credential.as_ref(), Some(&new.settings))?;
            let kind = name(&new.kind, UpstreamKind::parse)?;
            check_rules(&desk, &env, &upstream, kind).await?;
            let row = NewRow {
                name: upstream.clone(),
                kind,
                url: new.url.clone(),
                credential: new.credential.as_ref().map(stored),
                settings: settings_map(&new.settings)?,
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
        let act = Act {
            action: "upstream.update",
            object: upstream.to_string(),
            environment: Some(&env),
            detail: serde_json::json!({
                "url": change.url.as_deref().map(without_user),
                "settings": change.settings.as_ref().map(describe_settings),
                "credential": change.credential.as_ref().map(describe),
            }),
        };
        let work = async {
            if let Some(url) = &change.url {
                check_url(&desk, url)?;
                check_place(&desk, url)?;
            }
            check_reach(&desk, change.credential.as_ref(), change.settings.as_ref())?;
            let wanted = UpstreamChange {
                url: change.url.clone(),
                credential: change.credential.as_ref().map(stored),
                settings: change.settings.as_ref().map(settings_map).transpose()?,
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

/// Refuses to send credentials and prompts over a network in clear text.
fn check_url(desk: &Desk, url: &str) -> Result<(), Refused> {
    let uri: http::Uri = url
        .parse()
        .map_err(|_| Refused::bad("the address is not a URL"))?;
    if uri.scheme_str() != Some("http") || desk.state().plain_http_upstreams {
        return Ok(());
    }
    let host = host(&uri);
    let loopback = |host: &str| host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if host == "localhost" || loopback(host) {
        return Ok(());
    }
    Err(Refused::bad(format!(
        "{host} is not on loopback, and http:// would send the credential in clear text: use \
         https://, or set trust.plain_http_upstreams where the network encrypts by itself"
    )))
}

fn host(uri: &http::Uri) -> &str {
    let host = uri.host().unwrap_or("");
    host.trim_start_matches('[').trim_end_matches(']')
}

/// Keeps a scoped administrator from the services of the gateway's own machine: its admin API,
/// backends of other environments that rely on being reachable from there alone, and the metadata
/// service of a cloud, which gives its credentials to whoever asks from the machine.
///
/// KNOWN GAP: a name is not resolved here, and may be made to mean such an address later.
fn check_place(desk: &Desk, url: &str) -> Result<(), Refused> {
    if desk.scope().is_none() {
        return Ok(());
    }
    let uri: http::Uri = url
        .parse()
        .map_err(|_| Refused::bad("the address is not a URL"))?;
    if is_of_the_machine(host(&uri)) {
        return Err(Refused::new(
            RefusalCode::Denied,
            "addresses of the gateway's own machine and link (loopback, link-local), and of the \
             metadata services of clouds, are for administrators of the whole installation",
        ));
    }
    Ok(())
}

/// Where clouds answer a machine about itself, beside the link-local 169.254.169.254: Alibaba,
/// Oracle, Azure; AWS and Google over IPv6.
const METADATA_ADDRESSES: [IpAddr; 5] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
];

/// The names that their resolvers give these services.
const METADATA_NAMES: [&str; 5] = [
    "metadata",
    "metadata.goog",
    "metadata.google.internal",
    "instance-data",
    "instance-data.ec2.internal",
];

/// Whether a host is, by its spelling, on the gateway's own machine or link, or tells a machine
/// about itself.
fn is_of_the_machine(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    let address = name.split('%').next().unwrap_or_default();
    if let Ok(address) = address.parse::<IpAddr>() {
        let address = address.to_canonical();
        if METADATA_ADDRESSES.contains(&address) {
            return true;
        }
        return match address {
            IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local() || v4.octets()[0] == 0,
            IpAddr::V6(v6) => v6.is_loopback() || v6.is_unspecified() || v6.is_unicast_link_local(),
        };
    }
    // Resolvers read `127.1`, `2130706433` and `0x7f.1` as addresses too: nobody means well by
    // them.
    let last = name.rsplit('.').next().unwrap_or_default();
    let number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    let named = METADATA_NAMES.contains(&name.as_str());
    number || named || name == "localhost" || name.ends_with(".localhost")
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

fn settings_map(settings: &UpstreamSettings) -> Result<postern_store::UpstreamSettings, Refused> {
    let value = serde_json::to_value(settings).map_err(|error| Refused::bad(error.to_string()))?;
    // The data plane's own reading is the check: what it would not accept is not stored.
    serde_json::from_value::<postern_guard::UpstreamSettings>(value.clone())
        .map_err(|error| Refused::bad(format!("the settings are not valid: {error}")))?;
    match value {
        serde_json::Value::Object(map) => Ok(map),
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
    let settings = serde_json::from_value(serde_json::Value::Object(row.settings));
    Upstream {
        name: row.name.to_string(),
        kind: row.kind.to_string(),
        url: row.url,
        credential,
        credential_fault: None,
        settings: settings.unwrap_or_default(),
        created_at: row.created_at.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shapes::SecretText;

    #[test]
    fn addresses_of_the_machine_are_told_in_every_spelling() {
        for host in [
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "::ffff:127.0.0.1",
            "0.0.0.0",
            "::",
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "fe80::1",
            "fe80::1%eth0",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
            "::ffff:168.63.129.16",
            "fd00:ec2::254",
            "fd00:0ec2:0::0254",
            "fd20:ce::254",
            "metadata",
            "Metadata.Google.Internal.",
            "metadata.goog",
            "instance-data.ec2.internal",
            "",
        ] {
            assert!(is_of_the_machine(host), "{host:?}");
        }
        for host in [
            "api.openai.com",
            "10.0.0.1",
            "192.168.1.1",
            "2001:db8::1",
            "localhost.example.com",
            "127.0.0.1.example.com",
            "fd00::1",
            "100.100.100.201",
            "192.0.0.193",
            "fd00:ec2::255",
            "metadata.example.com",
        ] {
            assert!(!is_of_the_machine(host), "{host:?}");
        }
    }

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
