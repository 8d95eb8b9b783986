//! One client connection: which version it speaks, its limits, its end.
//!
//! The version is found here rather than by a helper of hyper-util, because that helper reads ahead
//! of the HTTP/1 parser and of every timer: a connection that sends nothing would stay for ever.

mod answer;
mod bell;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use crate::bounds::{Bounds, HYPER_HEADERS_MAX};
use crate::strict::{Exchange, StrictIo, Version, Violation};
use answer::{Answer, Cancelled, Streams};
use bell::Belled;

/// An error of any body.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What a request's connection tells about it.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionFacts {
    /// The other end of the socket.
    pub(crate) peer: SocketAddr,
    /// Whether the connection is encrypted.
    pub(crate) tls: bool,
    /// Drops the connection at once, whatever it carries. For a client that stalls.
    pub(crate) hang_up: CancellationToken,
    /// What the request's bytes did wrong. The rest of the request is then a stand-in.
    pub(crate) violation: Option<Violation>,
}

/// The places and settings that all connections of a listener share.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) bounds: Arc<Bounds>,
    pub(crate) shutdown: CancellationToken,
}

/// A connection that was accepted and, where asked, encrypted.
pub(crate) struct Accepted<T> {
    pub(crate) io: T,
    pub(crate) peer: SocketAddr,
    pub(crate) tls: bool,
    /// What TLS agreed on; `None` where the first bytes must tell.
    pub(crate) version: Option<Version>,
}

/// Serves one connection until it ends.
pub(crate) async fn serve<T, S, F, B>(accepted: Accepted<T>, service: S, shared: Shared)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Fn(Request<Incoming>, ConnectionFacts) -> F + Send + Sync + Clone + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let facts = ConnectionFacts {
        peer: accepted.peer,
        tls: accepted.tls,
        hang_up: CancellationToken::new(),
        violation: None,
    };
    let hang_up = Belled::new(facts.hang_up.clone().cancelled_owned());
    let serving = converse(accepted, service, facts, shared);
    tokio::select! {
        biased;
        () = hang_up => tracing::debug!("hung up on the client"),
        result = serving => if let Err(error) = result {
            tracing::debug!(%error, "the connection ended early");
        },
    }
}

async fn converse<T, S, F, B>(
    accepted: Accepted<T>,
    service: S,
    facts: ConnectionFacts,
    shared: Shared,
) -> io::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Fn(Request<Incoming>, ConnectionFacts) -> F + Send + Sync + Clone + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let mut io = StrictIo::new(accepted.io, Arc::clone(&shared.bounds));
    let version = match accepted.version {
        Some(version) => version,
        None => io.sniff().await?,
    };
    match version {
        // Boxed, so that a connection holds the state of its own version only, and once.
        Version::Http1 => Box::pin(serve_http1(io, service, facts, shared)).await,
        Version::Http2 => {
            io.open();
            Box::pin(serve_http2(io, service, facts, shared)).await
        }
    }
}

async fn serve_http1<T, S, F, B>(
    io: StrictIo<T>,
    service: S,
    facts: ConnectionFacts,
    shared: Shared,
) -> io::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Fn(Request<Incoming>, ConnectionFacts) -> F + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let exchange = io.exchange();
    let finished: Arc<Exchange> = Arc::clone(&exchange);
    let service = service_fn(move |request| {
        let mut facts = facts.clone();
        facts.violation = exchange.take_violation();
        // Boxed, so that its memory is free again once the answer has begun: hyper keeps the
        // place of this future for as long as the connection lives, a long stream included.
        let answering = Box::pin(service(request, facts));
        let exchange = Arc::clone(&finished);
        async move {
            let answer = answering.await;
            Ok::<_, Infallible>(answer.map(|body| Answer::http1(body, exchange)))
        }
    });
    let bounds = &shared.bounds.downstream;
    // The timers of heads and of idleness are StrictIo's: hyper never sees part of a head.
    let mut builder = http1::Builder::new();
    if bounds.headers_max != HYPER_HEADERS_MAX {
        builder.max_headers(bounds.headers_max);
    }
    let connection = builder
        .header_read_timeout(None)
        .max_buf_size(bounds.buffer_bytes_max)
        .half_close(false)
        .serve_connection(TokioIo::new(io), service);
    let mut connection = pin!(connection);
    // A token of its own: it is looked at whenever the connection moves, and the cores would meet
    // at the lock of a shared one.
    let shutdown = Belled::new(shared.shutdown.child_token().cancelled_owned());
    tokio::select! {
        // In this order: an exchange that is done when the shutdown comes is done.
        biased;
        result = connection.as_mut() => return result.map_err(io::Error::other),
        () = shutdown => connection.as_mut().graceful_shutdown(),
    }
    connection.await.map_err(io::Error::other)
}

async fn serve_http2<T, S, F, B>(
    io: StrictIo<T>,
    service: S,
    facts: ConnectionFacts,
    shared: Shared,
) -> io::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Fn(Request<Incoming>, ConnectionFacts) -> F + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let bounds = &shared.bounds;
    let streams = Arc::new(Streams::new(
        bounds.http2.cancelled_max,
        facts.hang_up.clone(),
    ));
    let watched = Arc::clone(&streams);
    let service = service_fn(move |request| {
        // Boxed for the same reason as in HTTP/1.
        let answering = Box::pin(service(request, facts.clone()));
        let cancelled = Cancelled::new(Arc::clone(&streams));
        async move {
            let answer = answering.await;
            let stream = cancelled.answered();
            Ok::<_, Infallible>(answer.map(|body| Answer::http2(body, stream)))
        }
    });
    let limits = &bounds.http2;
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams_max)
        .max_header_list_size(limits.header_list_bytes_max)
        .initial_stream_window_size(limits.stream_window_bytes)
        .initial_connection_window_size(limits.connection_window_bytes)
        .max_send_buf_size(limits.send_buffer_bytes_max)
        .max_pending_accept_reset_streams(limits.pending_resets_max)
        .max_local_error_reset_streams(limits.local_resets_max)
        .keep_alive_interval(limits.ping_interval)
        .keep_alive_timeout(limits.ping_timeout)
        .serve_connection(TokioIo::new(io), service);
    let mut connection = pin!(connection);
    let mut stalls =
        pin!(watched.stalled(bounds.downstream.stalled_reader, bounds.downstream.idle));
    let early = tokio::select! {
        result = connection.as_mut() => return result.map_err(io::Error::other),
        end = stalls.as_mut() => Some(end),
        () = shared.shutdown.cancelled() => None,
    };
    match early {
        Some(answer::Quiet::Stalled) => return Err(io::ErrorKind::TimedOut.into()),
        Some(answer::Quiet::Idle) | None => connection.as_mut().graceful_shutdown(),
    }
    connection.await.map_err(io::Error::other)
}
