//! Refusals of the admin API: problem details (RFC 9457) with the closed refusal codes.
//!
//! Administrators are told what was wrong; strangers are told the code's public text.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use postern_store::StoreError;
use postern_types::{Refusal, RefusalCode, RequestId};

use crate::shapes::Problem;

/// A refusal on its way to being an answer.
#[derive(Debug)]
pub(super) struct Refused {
    code: RefusalCode,
    status: StatusCode,
    detail: Option<String>,
    retry_after: Option<std::time::Duration>,
}

impl Refused {
    /// A refusal that says to the administrator what was wrong.
    pub(super) fn new(code: RefusalCode, detail: impl Into<String>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..Self::silent(code)
        }
    }

    /// A refusal that says no more than its code.
    pub(super) fn silent(code: RefusalCode) -> Self {
        let status = StatusCode::from_u16(code.status()).expect("codes have statuses of HTTP");
        Self {
            code,
            status,
            detail: None,
            retry_after: None,
        }
    }

    /// The request cannot be understood.
    pub(super) fn bad(detail: impl Into<String>) -> Self {
        Self::new(RefusalCode::BadRequest, detail)
    }

    /// There is no such thing. `bad_request` is the nearest of the closed codes.
    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            ..Self::bad(detail)
        }
    }

    /// The status that is answered.
    pub(super) fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Renders the answer to a request.
    pub(super) fn render(self, request: RequestId) -> Response {
        let request_id = request.to_string();
        let problem = Problem {
            kind: "about:blank".to_owned(),
            title: self.code.public().to_owned(),
            status: self.status.as_u16(),
            code: self.code.as_str().to_owned(),
            detail: self.detail,
            request_id: request_id.clone(),
        };
        let mut answer = (self.status, Json(problem)).into_response();
        let headers = answer.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(
            "postern-refusal",
            HeaderValue::from_static(self.code.as_str()),
        );
        if let Ok(value) = HeaderValue::from_str(&request_id) {
            headers.insert("postern-request-id", value);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"postern admin\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(after) = self.retry_after {
            headers.insert(
                header::RETRY_AFTER,
                HeaderValue::from(after.as_secs().max(1)),
            );
        }
        answer
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self {
            retry_after: refusal.retry_after_value(),
            ..Self::silent(refusal.code())
        }
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { noun, ref name } => {
                Self::not_found(format!("{error}{}", where_to_look(noun, name)))
            }
            StoreError::Conflict {
                ref reason,
                existing,
            } => {
                let detail = match existing {
                    Some(id) => format!("{reason} (token {id})"),
                    None => reason.clone(),
                };
                Self {
                    status: StatusCode::CONFLICT,
                    ..Self::bad(detail)
                }
            }
            StoreError::Invalid(_) => Self::bad(error.to_string()),
            StoreError::Unavailable { .. } => {
                tracing::error!(%error, cause = ?std::error::Error::source(&error), "store failed");
                Self::silent(RefusalCode::StoreUnavailable)
            }
        }
    }
}

/// Which list has the names that are there: most often one was mistyped.
fn where_to_look(noun: &str, name: &str) -> String {
    let env = name.rsplit_once(" in ").map(|(_, env)| env);
    let command = match (noun, env) {
        ("environment", _) => "env list".to_owned(),
        ("token", _) => "token list".to_owned(),
        ("upstream" | "principal" | "policy", Some(env)) => format!("{noun} list --env {env}"),
        ("data rule", Some(env)) => format!("data-rule list --env {env}"),
        _ => return String::new(),
    };
    format!(": `postern {command}` shows what is there")
}

/// Anything that is not a route. It is asked who calls first, so that strangers learn no routes.
pub(super) async fn no_such_route(desk: super::desk::Desk) -> Response {
    let refused = Refused::new(
        RefusalCode::UnknownOperation,
        "the admin API has no such route",
    );
    refused.render(desk.request())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_comes_with_the_list_of_what_is() {
        let said = |noun, name: &str| {
            let name = name.to_owned();
            let refused = Refused::from(StoreError::NotFound { noun, name });
            refused.detail.unwrap_or_default()
        };
        assert_eq!(
            said("environment", "dve"),
            "there is no environment dve: `postern env list` shows what is there"
        );
        assert_eq!(
            said("data rule", "cards in dev"),
            "there is no data rule cards in dev: \
             `postern data-rule list --env dev` shows what is there"
        );
        for noun in ["upstream", "principal", "policy"] {
            let list = format!("`postern {noun} list --env dev`");
            assert!(said(noun, "x in dev").contains(&list), "{noun}");
        }
        assert_eq!(said("live token", "x"), "there is no live token x");
    }
}
