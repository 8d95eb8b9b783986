//! A small HTTP server on a free loopback port, for the backends of the tour.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Bytes of a request body that a backend of the tour reads.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// What a backend answers with.
pub(super) type Answer = Response<BoxBody<Bytes, std::io::Error>>;

/// A request, read whole.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: http::HeaderMap,
    pub(super) body: serde_json::Value,
}

/// What the backend does with a request.
pub(super) trait Backend: Send + Sync + 'static {
    /// Answers one request.
    fn answer(&self, call: &Call) -> Answer;
}

/// A backend that serves until this is dropped.
pub(super) struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// Starts a backend on a free port.
    pub(super) async fn start(backend: Arc<dyn Backend>) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let backend = Arc::clone(&backend);
                let service = service_fn(move |request| respond(Arc::clone(&backend), request));
                // The set ends its tasks when this task is ended.
                connections.spawn(async move {
                    let connection = http1::Builder::new();
                    // A client that goes away is no news here.
                    let _ = connection
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, task })
    }

    /// Its URL.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn respond(
    backend: Arc<dyn Backend>,
    request: Request<Incoming>,
) -> Result<Answer, Infallible> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_BYTES_MAX).collect().await else {
        return Ok(text(StatusCode::BAD_REQUEST, "the body cannot be read"));
    };
    let call = Call {
        method: head.method,
        path: head.uri.path().to_owned(),
        headers: head.headers,
        body: serde_json::from_slice(&body.to_bytes()).unwrap_or_default(),
    };
    Ok(backend.answer(&call))
}

/// An answer of plain text.
pub(super) fn text(status: StatusCode, text: &'static str) -> Answer {
    whole(
        status,
        "text/plain; charset=utf-8",
        Bytes::from_static(text.as_bytes()),
    )
}

/// An answer of JSON.
pub(super) fn json(status: StatusCode, value: &serde_json::Value) -> Answer {
    whole(status, "application/json", Bytes::from(value.to_string()))
}

fn whole(status: StatusCode, kind: &'static str, body: Bytes) -> Answer {
    let body = Full::new(body).map_err(|never| match never {}).boxed();
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer.headers_mut().insert(
        http::header::CONTENT_TYPE,
        http::HeaderValue::from_static(kind),
    );
    answer
}
