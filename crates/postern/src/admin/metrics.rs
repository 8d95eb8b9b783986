//! Metrics, for administrators of the whole installation: they tell what every environment does.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use postern_types::RefusalCode;

use super::desk::Desk;
use super::problem::Refused;
use crate::metrics::CONTENT_TYPE;

/// What the gateway counts, in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "status",
    responses(
        (status = 200, description = "All metrics", body = String,
            content_type = "text/plain; version=0.0.4"),
        (status = "4XX", body = crate::shapes::Problem),
    ))]
pub(super) async fn serve(desk: Desk) -> Response {
    if let Err(refused) = desk.may_see(None) {
        return refused.render(desk.request());
    }
    match desk.state().metrics.page() {
        Ok(page) => {
            let kind = HeaderValue::from_static(CONTENT_TYPE);
            ([(header::CONTENT_TYPE, kind)], page).into_response()
        }
        Err(_) => Refused::silent(RefusalCode::Internal).render(desk.request()),
    }
}
