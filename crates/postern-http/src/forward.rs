//! *forward*: sends a request upstream and gives its answer as it comes.
//!
//! A request is sent again only when not a byte of it was written: a kept connection may have been
//! closed by the upstream while it was idle. Everything else is reported, never repeated. Nothing
//! is buffered: the body of the request is read as the upstream takes it, the body of the answer as
//! the client takes it.

mod inbound;
mod outbound;
mod uncoded;

use std::sync::Arc;

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use postern_types::{CanonicalPath, Refusal, RefusalCode};
use tokio::time::{Instant, timeout_at};

use crate::bounds::{Bounds, Timeouts, UpstreamBounds};
use crate::connect::Connected;
use crate::headers::{Scrubber, UpstreamCredential, forget_bytes};
use crate::pool::{Pool, Seat};

pub(crate) use crate::connect::Endpoint;
pub(crate) use crate::pool::PoolKey;
pub(crate) use inbound::{InboundBody, InboundError};
pub(crate) use outbound::OutboundBody;

use inbound::Lease;
use outbound::Upload;

/// An upstream as it is now: where it is, what it asks for, how long it may take.
#[derive(Debug)]
pub(crate) struct Destination {
    pub(crate) key: PoolKey,
    pub(crate) endpoint: Endpoint,
    pub(crate) credential: UpstreamCredential,
    pub(crate) timeouts: Timeouts,
}

/// A request ready to leave.
#[derive(Debug)]
pub(crate) struct OutboundRequest {
    pub(crate) method: Method,
    /// Without the upstream's name.
    pub(crate) path: CanonicalPath,
    /// The encoded query, without the question mark.
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: OutboundBody,
}

/// An answer as it comes in.
#[derive(Debug)]
pub(crate) struct Inbound {
    pub(crate) status: StatusCode,
    /// As the upstream sent them, without its credential.
    pub(crate) headers: HeaderMap,
    /// Boxed: it goes from stage to stage, and each would hold a copy.
    pub(crate) body: Box<InboundBody>,
}

/// The way upstream of one core.
#[derive(Debug)]
pub(crate) struct Forward {
    bounds: Arc<Bounds>,
    pool: Arc<Pool>,
}

/// What came of one attempt.
enum Attempt {
    Answered(Response<Incoming>),
    /// Not a byte was written.
    Unsent(Request<OutboundBody>, String),
    Failed(Refusal),
}

impl Forward {
    pub(crate) fn new(bounds: Arc<Bounds>) -> Self {
        let pool = Pool::new(bounds.upstream.clone());
        Self { bounds, pool }
    }

    /// Sends a request and waits for the head of its answer. Dropping the future or the answer ends
    /// the exchange.
    ///
    /// # Errors
    /// `overloaded`, `upstream_unreachable`, `upstream_timeout`, `upstream_protocol`; and what the
    /// client did wrong with the body of its request.
    pub(crate) async fn send(
        &self,
        to: &Arc<Destination>,
        request: OutboundRequest,
    ) -> Result<Inbound, Refusal> {
        let seat = self.pool.seat(&to.key).await?;
        let started = Instant::now();
        let upload = Arc::new(Upload::new(started));
        let mut request = prepare(to, request, &upload)?;
        let bounds = &self.bounds.upstream;
        for _ in 0..bounds.attempts_max {
            let mut connection = match seat.kept(bounds, started).await {
                Some(connection) => connection,
                // Boxed: a handshake takes room that most requests do not need.
                None => Box::pin(to.endpoint.connect(to.timeouts.connect, bounds)).await?,
            };
            match attempt(connection.sender(), request, &upload, &to.timeouts).await {
                Attempt::Answered(response) => {
                    check_size(response.headers(), bounds)?;
                    return receive(
                        to,
                        response,
                        Exchange {
                            connection,
                            seat,
                            upload,
                            started,
                        },
                    );
                }
                Attempt::Failed(refusal) => return Err(refusal),
                Attempt::Unsent(unsent, cause) => {
                    tracing::debug!(cause, "sending again: nothing had been written");
                    request = unsent;
                }
            }
        }
        let cause = "every connection closed before a request could be written";
        Err(Refusal::new(RefusalCode::UpstreamUnreachable, cause))
    }

    #[cfg(test)]
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }
}

/// What belongs to one exchange besides its messages.
struct Exchange {
    connection: Connected,
    seat: Seat,
    upload: Arc<Upload>,
    started: Instant,
}

fn prepare(
    to: &Destination,
    request: OutboundRequest,
    upload: &Arc<Upload>,
) -> Result<Request<OutboundBody>, Refusal> {
    let OutboundRequest {
        method,
        path,
        query,
        mut headers,
        body,
    } = request;
    let target = to
        .endpoint
        .target(path.encoded(), query.as_deref())
        .ok_or_else(|| {
            Refusal::new(
                RefusalCode::Internal,
                "the canonical target is not a request target",
            )
        })?;
    headers.insert(HOST, to.endpoint.host_field());
    let may_have_body = matches!(method, Method::POST | Method::PUT | Method::PATCH);
    if may_have_body && body.is_none() {
        // Said explicitly: some servers ask for it (RFC 9110, section 8.6).
        headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
    }
    let mut outgoing = Request::new(body.watched(Arc::clone(upload)));
    *outgoing.method_mut() = method;
    *outgoing.uri_mut() = Uri::from(target);
    *outgoing.headers_mut() = headers;
    Ok(outgoing)
}

async fn attempt(
    sender: &mut SendRequest<OutboundBody>,
    request: Request<OutboundBody>,
    upload: &Upload,
    timeouts: &Timeouts,
) -> Attempt {
    let started = upload.started();
    let mut sending = std::pin::pin!(sender.try_send_request(request));
    loop {
        let due = upload.moved_at() + timeouts.first_byte;
        let deadline = due.min(started + timeouts.total);
        match timeout_at(deadline, sending.as_mut()).await {
            Ok(Ok(response)) => return Attempt::Answered(response),
            Ok(Err(mut error)) => {
                let cause = describe(error.error());
                if let Some(request) = error.take_message() {
                    return Attempt::Unsent(request, cause);
                }
                return Attempt::Failed(match upload.failure() {
                    // Not the upstream's fault: the client's body broke off or broke its framing.
                    Some(failure) => failure.refusal(),
                    None => Refusal::new(RefusalCode::UpstreamProtocol, cause),
                });
            }
            // The body of the request moved meanwhile: the time starts again.
            Err(_) if upload.moved_at() + timeouts.first_byte > due && deadline == due => {}
            Err(_) => {
                let cause = "the upstream gave no answer in time";
                return Attempt::Failed(Refusal::new(RefusalCode::UpstreamTimeout, cause));
            }
        }
    }
}

/// The error with what is behind it, for the operator.
fn describe(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn receive(
    to: &Destination,
    response: Response<Incoming>,
    exchange: Exchange,
) -> Result<Inbound, Refusal> {
    let (head, body) = response.into_parts();
    if let Err(cause) = check_framing(head.status, &head.headers) {
        return Err(Refusal::new(RefusalCode::UpstreamProtocol, cause));
    }
    let mut headers = head.headers;
    let scrubber = to.credential.scrubber();
    scrubber.headers(&mut headers);
    let Exchange {
        connection,
        seat,
        upload,
        started,
    } = exchange;
    let lease = Lease {
        connection,
        seat,
        upload,
    };
    let scrubber = Some(scrubber).filter(Scrubber::looks);
    // No body, or the head of one that a HEAD request asked for: nothing to look through.
    let decoder = if scrubber.is_none() || body.is_end_stream() {
        None
    } else {
        let read = uncoded::decoder(&headers);
        read.map_err(|cause| Refusal::new(RefusalCode::UpstreamProtocol, cause))?
    };
    if decoder.is_some() {
        headers.remove(CONTENT_ENCODING);
        forget_bytes(&mut headers);
    }
    let scrubbing = scrubber.map(|scrubber| (scrubber, decoder));
    let body = InboundBody::new(body, scrubbing, lease, &to.timeouts, started);
    let body = Box::new(body);
    Ok(Inbound {
        status: head.status,
        headers,
        body,
    })
}

/// hyper counts a head only while it is not whole, so one that came in time is counted here.
fn check_size(headers: &HeaderMap, bounds: &UpstreamBounds) -> Result<(), Refusal> {
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if bytes <= bounds.head_bytes_max && headers.len() <= bounds.headers_max {
        return Ok(());
    }
    Err(Refusal::new(
        RefusalCode::UpstreamProtocol,
        "the answer's head is too large",
    ))
}

/// An answer that another reader would end elsewhere is not passed on (RFC 9112, section 6.3).
fn check_framing(status: StatusCode, headers: &HeaderMap) -> Result<(), &'static str> {
    if status.is_informational() {
        return Err("the upstream switched protocols unasked");
    }
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    if let Some(coding) = codings.next() {
        if !coding.as_bytes().eq_ignore_ascii_case(b"chunked") || codings.next().is_some() {
            return Err("the answer's Transfer-Encoding is not exactly chunked");
        }
        if headers.contains_key(CONTENT_LENGTH) {
            return Err("the answer has both Transfer-Encoding and Content-Length");
        }
    }
    if headers.get_all(CONTENT_LENGTH).iter().nth(1).is_some() {
        return Err("the answer has two Content-Length fields");
    }
    Ok(())
}
