//! The OpenAPI document of the admin API, from the code that serves it.

use axum::Json;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::desk::Desk;
use super::{
    audit, data_rules, environments, metrics, policies, principals, status, tokens, upstreams,
};
use crate::shapes;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Postern admin API",
        description = "Environments, principals, upstreams, policies, data rules, tokens and the \
                       audit log of a Postern gateway. Every route but `/healthz` and `/readyz` \
                       asks for an administrator's token. Refusals are problem details (RFC 9457) \
                       whose `code` is one of the closed refusal codes. Every act is recorded.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        environments::list, environments::create, environments::show, environments::delete,
        principals::list, principals::create, principals::show, principals::update,
        principals::delete,
        upstreams::list, upstreams::create, upstreams::show, upstreams::update, upstreams::delete,
        policies::list, policies::create, policies::show, policies::delete,
        data_rules::list, data_rules::create, data_rules::show, data_rules::update,
        data_rules::delete,
        tokens::list, tokens::create, tokens::show, tokens::rotate, tokens::revoke,
        audit::search, audit::show, audit::checkpoint,
        status::status, status::healthz, status::readyz, metrics::serve,
        serve,
    ),
    components(schemas(shapes::SearchLine, shapes::AuditProgress)),
    security(("admin_token" = [])),
    modifiers(&AdminToken),
)]
struct Document;

struct AdminToken;

impl Modify for AdminToken {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An administrator's token, `pstn_ad1_…`"))
            .build();
        openapi
            .components
            .get_or_insert_default()
            .add_security_scheme("admin_token", SecurityScheme::Http(bearer));
    }
}

/// The document as JSON.
///
/// # Panics
/// Never: the document is made of text.
#[must_use]
pub fn document() -> String {
    let document = serde_json::to_value(Document::openapi()).expect("it is made of text");
    let mut text = serde_json::to_string_pretty(&document).expect("it is made of text");
    text.push('\n');
    text
}

/// This document.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "status",
    responses((status = 200, description = "The OpenAPI document")))]
pub(super) async fn serve(_desk: Desk) -> Response {
    Json(Document::openapi()).into_response()
}

#[cfg(test)]
mod tests {
    #[test]
    fn whatever_is_routed_is_described() {
        // Goal: a route that is added is in the document, from which another test takes what it
        // calls without a token. Method: the names of the handlers, from the text of both files.
        let router = include_str!("../admin.rs");
        let list = include_str!("openapi.rs").split_once("paths(").unwrap().1;
        let list = list.split_once("components(").unwrap().0;
        let described: Vec<_> = list.split(',').map(str::trim).collect();
        let mut handlers = 0;
        for verb in ["get(", "post(", "put(", "patch(", "delete("] {
            for rest in router.split(verb).skip(1) {
                let handler = rest.split_once(')').unwrap().0.trim();
                if handler.contains("::") {
                    let name = handler.strip_prefix("openapi::").unwrap_or(handler);
                    assert!(described.contains(&name), "{handler} is not described");
                    handlers += 1;
                }
            }
        }
        assert!(handlers > 25, "{handlers} handlers were found");
    }

    #[test]
    fn the_document_describes_every_route_and_asks_for_a_token() {
        let document: serde_json::Value = serde_json::from_str(&super::document()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        for (path, verbs) in [
            ("/api/v1/tokens", "get post"),
            ("/api/v1/tokens/{id}/revoke", "post"),
            (
                "/api/v1/environments/{env}/upstreams/{name}",
                "get patch delete",
            ),
            (
                "/api/v1/environments/{env}/data-rules/{name}",
                "get patch delete",
            ),
            ("/api/v1/audit/entries", "get"),
            ("/healthz", "get"),
            ("/metrics", "get"),
        ] {
            for verb in verbs.split(' ') {
                assert!(paths[path][verb].is_object(), "{verb} {path}");
            }
        }
        assert_eq!(
            document["security"][0]["admin_token"],
            serde_json::json!([])
        );
        assert_eq!(
            paths["/healthz"]["get"]["security"],
            serde_json::json!([{}])
        );
    }
}
