//! Who may be speaking through somebody's browser.
//!
//! SECURITY: a page of an attacker can make a browser call any address, and by pointing its own
//! name at that address (DNS rebinding) it can even read the answers. The browser then sends the
//! page's name as `Host`, and as `Origin`. So `Host` must be an IP address, `localhost` or a name
//! from the settings, and an `Origin` must be the same place.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, Uri, header};
use postern_types::RefusalCode;

use super::AdminState;
use super::problem::Refused;

pub(super) async fn check(
    State(state): State<Arc<AdminState>>,
    request: Request,
    next: Next,
) -> Response {
    match judge(request.headers(), request.uri(), &state.hosts) {
        Ok(()) => next.run(request).await,
        Err(why) => {
            tracing::warn!(why, "admin request refused");
            Refused::new(RefusalCode::Denied, why).render(state.guard.request_id())
        }
    }
}

fn judge(headers: &HeaderMap, target: &Uri, hosts: &[String]) -> Result<(), &'static str> {
    let mut given = headers.get_all(header::HOST).iter();
    let host = given
        .next()
        .and_then(|host| host.to_str().ok())
        .ok_or("there is no Host header")?;
    if given.next().is_some() {
        return Err("there are several Host headers");
    }
    if target
        .authority()
        .is_some_and(|authority| authority.as_str() != host)
    {
        return Err("the request's target and its Host header name different places");
    }
    let name = name_of(host).ok_or("the Host header is not a host name")?;
    let known = name == "localhost" || name.parse::<IpAddr>().is_ok() || hosts.contains(&name);
    if !known {
        return Err(
            "the Host header names another place: call the admin API by its IP address, or \
                    add the name to listen.admin_hosts",
        );
    }
    for origin in headers.get_all(header::ORIGIN) {
        let origin = origin.to_str().unwrap_or("");
        let place = origin
            .strip_prefix("https://")
            .or_else(|| origin.strip_prefix("http://"));
        if place != Some(host) {
            return Err("the Origin header names another place: browsers may not call from there");
        }
    }
    Ok(())
}

/// The host without port and brackets, in lower case.
fn name_of(host: &str) -> Option<String> {
    let authority: http::uri::Authority = host.parse().ok()?;
    if host.contains('@') {
        return None;
    }
    let name = authority
        .host()
        .trim_start_matches('[')
        .trim_end_matches(']');
    Some(name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pairs: &[(&'static str, &str)]) -> Result<(), &'static str> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        judge(
            &headers,
            &Uri::from_static("/api/v1/tokens"),
            &["admin.example".to_owned()],
        )
    }

    #[test]
    fn dns_rebinding_is_refused() {
        // Goal: no page in a browser reaches the API by a name or from an origin of its own.
        for good in [
            "127.0.0.1:8081",
            "[::1]:8081",
            "localhost",
            "LOCALHOST:1",
            "admin.example:443",
        ] {
            assert_eq!(asked(&[("host", good)]), Ok(()), "{good}");
        }
        for bad in [
            "evil.example",
            "localhost.evil.example:8081",
            "127.0.0.1.evil.example",
            "",
            "a@b",
        ] {
            assert!(asked(&[("host", bad)]).is_err(), "{bad}");
        }
        assert!(asked(&[]).is_err());
        assert!(asked(&[("host", "localhost"), ("host", "localhost")]).is_err());
    }

    #[test]
    fn foreign_origins_are_refused() {
        let host = ("host", "127.0.0.1:8081");
        assert_eq!(asked(&[host, ("origin", "http://127.0.0.1:8081")]), Ok(()));
        for origin in ["http://127.0.0.1:9", "https://evil.example", "null", ""] {
            assert!(asked(&[host, ("origin", origin)]).is_err(), "{origin}");
        }
    }
}
