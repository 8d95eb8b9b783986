//! Health for everybody, status for administrators.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use postern_audit::Durability;

use super::AdminState;
use super::desk::Desk;
use crate::shapes::{AnalyzerStatus, Status};

/// How long an answer about the store is good for.
const READY_FOR: Duration = Duration::from_secs(1);

/// Whether the process lives.
#[utoipa::path(get, path = "/healthz", tag = "health", security(()),
    responses((status = 200, description = "The process lives")))]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether requests are served: the audit log takes records, the store can be written, nothing
/// stops.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()),
    responses(
        (status = 200, description = "Requests are served"),
        (status = 503, description = "They are not; no reason is given to strangers"),
    ))]
pub(super) async fn readyz(State(state): State<Arc<AdminState>>) -> Response {
    let status = state.guard.status();
    if status.audit_healthy && !status.stopping && store_is_ready(&state).await {
        return "ready\n".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
}

/// Asks the store at most once a second: the question takes its write lock, and anybody may ask.
async fn store_is_ready(state: &AdminState) -> bool {
    let mut known = state.store_ready.lock().await;
    if let Some((asked_at, ready)) = *known
        && asked_at.elapsed() < READY_FOR
    {
        return ready;
    }
    let ready = state.guard.store().ready().await.is_ok();
    *known = Some((Instant::now(), ready));
    ready
}

/// How the gateway is doing.
#[utoipa::path(get, path = "/api/v1/status", tag = "status",
    responses((status = 200, body = Status), (status = "4XX", body = crate::shapes::Problem)))]
pub(super) async fn status(desk: Desk) -> Response {
    if let Err(refused) = desk.may_see(None) {
        return refused.render(desk.request());
    }
    let state = desk.state();
    let counts = state.guard.status();
    let durability = match state.guard.log().durability() {
        Durability::Buffered => "buffered",
        Durability::Durable => "durable",
    };
    Json(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: format!("{:.3}", state.started_at),
        data: state.data_address.clone(),
        admin: state.admin_address.clone(),
        stopping: counts.stopping,
        audit_healthy: counts.audit_healthy,
        audit_size: state.guard.log().checkpoint().size(),
        audit_durability: durability.to_owned(),
        requests_in_progress: counts.in_progress,
        body_bytes: counts.body_bytes,
        tokens_cached: counts.tokens_cached,
        environments: counts.environments,
        analyzer: state
            .metrics
            .analyzer
            .as_ref()
            .map(|counts| AnalyzerStatus {
                calls: counts.calls(),
                failures: counts.failures(),
                total_us: counts.micros(),
            }),
    })
    .into_response()
}
