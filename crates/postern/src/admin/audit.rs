//! The audit log: search, one entry, the newest checkpoint.
//!
//! Looking into the log is an act and is recorded, once for each question and before its answer; a
//! search that follows the log sees its own record as any other, and causes no second one. An
//! answer ends with the token of the administrator who asked.

mod watched;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, header};
use postern_types::EnvName;
use tokio_util::sync::CancellationToken;

use super::desk::{Act, Desk};
use super::problem::Refused;
use crate::search::{self, Question};
use crate::shapes::{AuditEntry, AuditQuery, CheckpointNote, Problem, SearchLine};
use crate::streaming::Streaming;
use watched::Watched;

/// Lines of an answer that wait for the client.
const LINES_WAITING_MAX: usize = 64;
/// How often a search that follows the log looks for new entries.
const FOLLOW_EVERY: Duration = Duration::from_millis(200);

/// Search the audit log. The answer is JSON lines: progress, entries with the newest last, `done`.
#[utoipa::path(get, path = "/api/v1/audit/entries", tag = "audit", params(AuditQuery),
    responses(
        (status = 200, body = SearchLine, content_type = "application/jsonl"),
        (status = "4XX", body = Problem),
    ))]
pub(super) async fn search(
    desk: Desk,
    query: Result<Query<AuditQuery>, QueryRejection>,
) -> Response {
    match begin(&desk, query).await {
        Ok(answer) => answer,
        Err(refused) => refused.render(desk.request()),
    }
}

async fn begin(
    desk: &Desk,
    query: Result<Query<AuditQuery>, QueryRejection>,
) -> Result<Response, Refused> {
    let Query(query) = query.map_err(|error| Refused::bad(error.body_text()))?;
    let question = Question::parse(&query, desk.scope(), desk.now()).map_err(Refused::bad)?;
    let environment = query
        .environment
        .as_deref()
        .and_then(|env| EnvName::parse(env).ok());
    if environment.is_some() {
        desk.may_see(environment.as_ref())?;
    }
    desk.look(Act {
        action: "audit.search",
        object: "audit log".to_owned(),
        environment: desk.scope(),
        detail: serde_json::to_value(&query).unwrap_or_default(),
    })
    .await?;
    let reader = desk.state().reader.clone();
    let guard = Arc::clone(&desk.state().guard);
    let (sender, lines) = Streaming::new(LINES_WAITING_MAX);
    let ended = CancellationToken::new();
    let watched = {
        let caller = desk.caller().clone();
        let why = SearchLine::Failed("the administrator's token has ended".to_owned());
        Watched::new(
            lines,
            Arc::clone(&guard),
            caller,
            ended.clone(),
            render(&why),
        )
    };
    // Reading is blocking work; it ends when the client is gone, because nobody takes its lines,
    // and when its token is, although a client that reads nothing takes none.
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        let mut each = |line: SearchLine| {
            let sent = ended.run_until_cancelled(sender.send(Ok(render(&line))));
            runtime.block_on(sent).is_some_and(|sent| sent.is_ok())
        };
        let mut reached = search::scan(&reader, &question, &mut each);
        while let Ok(next) = reached
            && query.follow
            && !sender.is_closed()
            && !ended.is_cancelled()
            && !guard.status().stopping
        {
            std::thread::sleep(FOLLOW_EVERY);
            reached = search::newer(&reader, &question, next, &mut each);
        }
        if let Err(error) = reached {
            each(SearchLine::Failed(error.to_string()));
        }
    });
    let mut answer = Response::new(axum::body::Body::new(watched));
    let kind = HeaderValue::from_static("application/jsonl");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(answer)
}

fn render(line: &SearchLine) -> Bytes {
    let mut text = serde_json::to_vec(line).expect("lines have text keys and go into memory");
    text.push(b'\n');
    Bytes::from(text)
}

/// Show what the log has about one entry number, or about one request.
#[utoipa::path(get, path = "/api/v1/audit/entries/{id}", tag = "audit",
    params(("id" = String, Path, description = "An entry number, or a request id")),
    responses((status = 200, body = Vec<AuditEntry>), (status = "4XX", body = Problem)))]
pub(super) async fn show(desk: Desk, Path(id): Path<String>) -> Response {
    let found = async {
        desk.look(Act {
            action: "audit.show",
            object: id.chars().take(64).collect(),
            environment: desk.scope(),
            detail: serde_json::Value::Null,
        })
        .await?;
        let reader = desk.state().reader.clone();
        let scope = desk.scope().cloned();
        let now = desk.now();
        let wanted = id.clone();
        let reading =
            tokio::task::spawn_blocking(move || entries_of(&reader, &wanted, scope.as_ref(), now));
        let entries = reading.await.map_err(|_| {
            Refused::new(
                postern_types::RefusalCode::Internal,
                "the log could not be read",
            )
        })??;
        if entries.is_empty() {
            return Err(Refused::not_found(search::nothing_about(&id)));
        }
        Ok(entries)
    };
    desk.answer(found.await)
}

fn entries_of(
    reader: &postern_audit::Reader,
    id: &str,
    scope: Option<&EnvName>,
    now: jiff::Timestamp,
) -> Result<Vec<AuditEntry>, Refused> {
    let found = crate::search::about(reader, id, scope, now);
    found.map_err(|error| match error {
        search::AboutError::Question(why) => Refused::bad(why),
        search::AboutError::Log(error) => Refused::new(
            postern_types::RefusalCode::AuditUnavailable,
            error.to_string(),
        ),
    })
}

/// The newest signed checkpoint, to be kept somewhere else.
#[utoipa::path(get, path = "/api/v1/audit/checkpoint", tag = "audit",
    responses((status = 200, body = CheckpointNote), (status = "4XX", body = Problem)))]
pub(super) async fn checkpoint(desk: Desk) -> Response {
    if let Err(refused) = desk.may_see(None) {
        return refused.render(desk.request());
    }
    let checkpoint = desk.state().guard.log().checkpoint();
    axum::Json(CheckpointNote {
        size: checkpoint.size(),
        note: checkpoint.note().to_owned(),
        key: desk.state().verifying.to_string(),
    })
    .into_response()
}
