//! The admin API: environments, principals, upstreams, policies, data rules, tokens, the audit log.
//!
//! It is served on two ways in: a socket in the data directory, which only the owner of the data
//! can open, and a listener of its own. Every route but `/healthz` and `/readyz` asks who calls, on
//! loopback too. An act is recorded before it is done and after; a refused one is recorded too.
//!
//! SECURITY: an administrator of one environment is not one of another. What such a caller may not
//! reach is `denied` whether it exists or not.

mod audit;
mod data_rules;
mod desk;
mod environments;
mod listener;
mod metrics;
mod openapi;
mod origin;
mod policies;
mod principals;
mod problem;
mod status;
mod tokens;
mod upstreams;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, patch, post};
use jiff::Timestamp;
use postern_audit::{Reader, VerifyingKey};
use postern_guard::Guard;
use tokio_util::task::TaskTracker;

use crate::metrics::Sources;

pub use environments::BASELINE;
pub use listener::{AdminListener, AdminListenerOptions};
pub use openapi::document as openapi_document;

/// Bytes of a request body: the largest is a data rule with a list of words.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// A request must be read, done and its answer begun within this time.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// What the admin API works on.
pub struct AdminState {
    /// The stages, with store, keys and log.
    pub guard: Arc<Guard>,
    /// Reads the audit log, bodies opened.
    pub reader: Reader,
    /// Checks the audit log's checkpoints.
    pub verifying: VerifyingKey,
    /// When the gateway started.
    pub started_at: Timestamp,
    /// Where the data plane listens.
    pub data_address: String,
    /// Where the admin API listens.
    pub admin_address: String,
    /// Host names by which it may be called.
    pub hosts: Vec<String>,
    /// Whether upstreams beyond loopback may be plain HTTP.
    pub plain_http_upstreams: bool,
    /// What is counted, for whoever watches.
    pub metrics: Sources,
    /// The user who owns the data, and therefore the socket.
    pub owner: u32,
    /// Requests under way. They go on when their client hangs up, and a stop waits for them.
    pub under_way: TaskTracker,
    /// Held while policies, data rules and upstreams are checked against each other and saved.
    pub one_change: tokio::sync::Mutex<()>,
    /// When the store was last asked whether it is ready, and what it said.
    pub store_ready: tokio::sync::Mutex<Option<(Instant, bool)>>,
}

/// All routes.
pub fn router(state: Arc<AdminState>) -> Router {
    let tokens = Router::new()
        .route("/", get(tokens::list).post(tokens::create))
        .route("/{id}", get(tokens::show))
        .route("/{id}/rotate", post(tokens::rotate))
        .route("/{id}/revoke", post(tokens::revoke));
    let audit = Router::new()
        .route("/entries", get(audit::search))
        .route("/entries/{id}", get(audit::show))
        .route("/checkpoint", get(audit::checkpoint));
    let api = Router::new()
        .nest("/environments", environments())
        .nest("/tokens", tokens)
        .nest("/audit", audit)
        .route("/status", get(status::status))
        .route("/openapi.json", get(openapi::serve))
        .fallback(problem::no_such_route);
    Router::new()
        .nest("/api/v1", api)
        .route("/metrics", get(metrics::serve))
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::no_such_route)
        .layer(middleware::from_fn_with_state(
            Arc::clone(&state),
            desk::admit,
        ))
        // Open to everybody: what is routed below the layer is not asked who calls.
        .route("/healthz", get(status::healthz))
        .route("/readyz", get(status::readyz))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&state),
            origin::check,
        ))
        .layer(middleware::from_fn(in_time))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(state)
}

/// The routes of environments and of what is in them.
fn environments() -> Router<Arc<AdminState>> {
    Router::new()
        .route("/", get(environments::list).post(environments::create))
        .route(
            "/{env}",
            get(environments::show).delete(environments::delete),
        )
        .route(
            "/{env}/principals",
            get(principals::list).post(principals::create),
        )
        .route(
            "/{env}/principals/{id}",
            get(principals::show)
                .patch(principals::update)
                .delete(principals::delete),
        )
        .route(
            "/{env}/upstreams",
            get(upstreams::list).post(upstreams::create),
        )
        .route(
            "/{env}/upstreams/{name}",
            get(upstreams::show)
                .merge(patch(upstreams::update))
                .delete(upstreams::delete),
        )
        .route(
            "/{env}/policies",
            get(policies::list).post(policies::create),
        )
        .route(
            "/{env}/policies/{name}",
            get(policies::show).delete(policies::delete),
        )
        .route(
            "/{env}/data-rules",
            get(data_rules::list).post(data_rules::create),
        )
        .route(
            "/{env}/data-rules/{name}",
            get(data_rules::show)
                .merge(patch(data_rules::update))
                .delete(data_rules::delete),
        )
}

/// Bounds the time of a request, and keeps every answer out of caches.
async fn in_time(
    request: axum::extract::Request,
    next: middleware::Next,
) -> axum::response::Response {
    use axum::response::IntoResponse;
    let answer = tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await;
    let mut answer = answer.unwrap_or_else(|_| http::StatusCode::REQUEST_TIMEOUT.into_response());
    let headers = answer.headers_mut();
    let fixed = http::HeaderValue::from_static;
    headers.insert(http::header::CACHE_CONTROL, fixed("no-store"));
    headers.insert(http::header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff"));
    answer
}
