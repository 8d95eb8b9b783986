//! The HTTP data plane as a whole: what it is made of, and how one request enters it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use http::{Request, Response};
use http_body::Body as _;
use hyper::body::Incoming;
use ipnet::IpNet;
use postern_guard::{Flight, Guard, Opening};
use postern_inspect::{Dialect, guess_dialect};
use postern_types::{End, Finding, Refusal, RefusalCode, RequestId};
use tokio_util::sync::CancellationToken;

use crate::analyzer::{Analyzer, AnalyzerSettings};
use crate::arrival::{Arrival, Credential, Reception, Rejected};
use crate::body::AnswerBody;
use crate::bounds::Bounds;
use crate::connection::ConnectionFacts;
use crate::controls::{Late, Rules, tell_findings};
use crate::directory::Directory;
use crate::forward::Forward;
use crate::listener::{ListenError, Listener, Serving};
use crate::refusal::{self, Challenge};

/// What a gateway is made of.
pub struct GatewayParts {
    /// The stages shared by all data planes.
    pub guard: Arc<Guard>,
    /// Every cap and timeout.
    pub bounds: Bounds,
    /// Proxies in front whose `X-Forwarded-For` is believed.
    pub proxies: Vec<IpNet>,
    /// Who tells the names of people, places and organisations, where rules ask for them.
    pub analyzer: Option<AnalyzerSettings>,
}

/// The HTTP data plane.
pub struct Gateway {
    guard: Arc<Guard>,
    bounds: Arc<Bounds>,
    proxies: Arc<[IpNet]>,
    analyzer: Option<Arc<AnalyzerSettings>>,
}

impl Gateway {
    /// Puts a gateway together. Nothing is served yet.
    #[must_use]
    pub fn new(parts: GatewayParts) -> Self {
        let GatewayParts {
            guard,
            bounds,
            proxies,
            analyzer,
        } = parts;
        Self {
            guard,
            bounds: Arc::new(bounds),
            proxies: proxies.into(),
            analyzer: analyzer.map(Arc::new),
        }
    }

    /// Serves a listener, one runtime a core, until `shutdown` and the drain after it.
    ///
    /// # Errors
    /// When the threads cannot be started.
    pub fn serve(
        self,
        listener: Listener,
        shutdown: &CancellationToken,
    ) -> Result<Serving, ListenError> {
        let Self {
            guard,
            bounds,
            proxies,
            analyzer,
        } = self;
        let directory = Arc::new(Directory::default());
        let rules = Arc::new(Rules::new(bounds.cleaned_aside_max));
        let reception = Arc::new(Reception {
            bounds: Arc::clone(&bounds),
            proxies: Arc::clone(&proxies),
        });
        let make = {
            let bounds = Arc::clone(&bounds);
            move |_core: usize| {
                let plane = Arc::new(Plane {
                    guard: Arc::clone(&guard),
                    bounds: Arc::clone(&bounds),
                    reception: Arc::clone(&reception),
                    directory: Arc::clone(&directory),
                    rules: Arc::clone(&rules),
                    forward: Forward::new(Arc::clone(&bounds)),
                    analyzer: analyzer.as_ref().map(|settings| {
                        let upstream = bounds.upstream.clone();
                        Arc::new(Analyzer::new(Arc::clone(settings), upstream))
                    }),
                });
                move |request: Request<Incoming>, facts: ConnectionFacts| {
                    let plane = Arc::clone(&plane);
                    async move { plane.answer(request, facts).await }
                }
            }
        };
        listener.serve(&bounds, &proxies, shutdown, make)
    }
}

/// What one core serves with: the shared guard, and upstream connections of its own.
pub(crate) struct Plane {
    pub(crate) guard: Arc<Guard>,
    pub(crate) bounds: Arc<Bounds>,
    reception: Arc<Reception>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) rules: Arc<Rules>,
    pub(crate) forward: Forward,
    pub(crate) analyzer: Option<Arc<Analyzer>>,
}

/// One request under way: its flight, and how its client wants to be spoken to.
pub(crate) struct Journey {
    pub(crate) flight: Flight,
    /// Guessed from the head until the upstream is known.
    pub(crate) dialect: Dialect,
    /// Cuts the client's connection: for a client that reads nothing.
    pub(crate) hang_up: CancellationToken,
    /// Whether the request's body was read to its end, or there is none.
    pub(crate) body_read: bool,
    /// Where the client is told what data rules found: whether the answer's findings are among it.
    pub(crate) tells: Option<bool>,
    /// A reader of the answer that is still at work: the request is recorded when it is done.
    pub(crate) late: Option<Late>,
}

impl Journey {
    /// Takes down what was found in the answer: from here on it is known, and told.
    pub(crate) fn found_in_answer(&mut self, findings: Vec<Finding>) {
        self.flight.observed().findings.extend(findings);
        self.tells = self.tells.map(|_| true);
    }

    /// Tells the client what data rules found, where they say so.
    pub(crate) fn tell(&mut self, headers: &mut http::HeaderMap) {
        if let Some(whole) = self.tells {
            tell_findings(&self.flight.observed().findings, whole, headers);
        }
    }
}

impl Plane {
    /// Answers one request, whatever it is: the line's outer half.
    async fn answer(
        &self,
        request: Request<Incoming>,
        facts: ConnectionFacts,
    ) -> Response<AnswerBody> {
        let arrival = match Arrival::receive(request, &facts, &self.reception) {
            Ok(arrival) => arrival,
            Err(rejected) => return closing(self.turn_away(&rejected)),
        };
        let path = arrival.path.encoded();
        let dialect = guess_dialect(path, &|name| carries(&arrival, name));
        let challenge = match arrival.credential {
            Some(_) => Challenge::Invalid,
            None => Challenge::Missing,
        };
        let head_only = arrival.method == http::Method::HEAD;
        let flight = match self.open(&arrival, path) {
            Ok(flight) => flight,
            Err(refusal) => {
                return closing(self.render(&refusal, challenge, dialect, head_only));
            }
        };
        // A connection of HTTP/2 carries other requests too; there a stream that nobody reads holds
        // no more than its window, and is let alone.
        let shared = arrival.version == http::Version::HTTP_2;
        let hang_up = if shared {
            CancellationToken::new()
        } else {
            facts.hang_up
        };
        let body_read = arrival.body.is_end_stream();
        let mut journey = Journey {
            flight,
            dialect,
            hang_up,
            body_read,
            tells: None,
            late: None,
        };
        let carried = AssertUnwindSafe(self.carry(arrival, &mut journey))
            .catch_unwind()
            .await;
        let refusal = match carried {
            Ok(Ok(answer)) => return answer.depart(journey),
            Ok(Err(refusal)) => refusal,
            Err(_panic) => Refusal::new(RefusalCode::Internal, "a stage panicked"),
        };
        let Journey {
            mut flight,
            dialect,
            body_read,
            tells,
            late,
            ..
        } = journey;
        let told = tells.map(|whole| (flight.observed().findings.clone(), whole));
        log(&refusal, flight.request());
        let challenge = match refusal.code() {
            RefusalCode::Denied => Challenge::Scope,
            RefusalCode::Unauthenticated | RefusalCode::Revoked => challenge,
            _ => Challenge::None,
        };
        let request = flight.request();
        if refusal.is_client_gone() {
            // Nobody was refused: the answer below goes to a connection that is not there any more.
            flight.close(End::ClientGone);
        } else {
            flight.refused(&refusal);
            Late::close(late, flight, end_of(&refusal));
        }
        let mut answer = refusal::render(&refusal, challenge, dialect, &request, head_only);
        if let Some((findings, whole)) = told {
            tell_findings(&findings, whole, answer.headers_mut());
        }
        let answer = answer.map(AnswerBody::from);
        if body_read { answer } else { closing(answer) }
    }

    /// A request that is not even well-formed: refused and counted, without a look at its token.
    fn turn_away(&self, rejected: &Rejected) -> Response<AnswerBody> {
        let Rejected {
            refusal,
            method,
            path,
            headers,
            source,
            user_agent,
            ..
        } = rejected;
        let dialect = guess_dialect(path, &|name| headers.contains_key(name));
        let opening = Opening {
            method,
            path,
            query_names: Vec::new(),
            source: *source,
            user_agent: user_agent.as_deref(),
        };
        let head_only = method == "HEAD";
        match self.guard.arrive(&opening) {
            Err(refusal) => self.render(&refusal, Challenge::None, dialect, head_only),
            Ok(mut flight) => {
                let request = flight.request();
                log(refusal, request);
                flight.refused(refusal);
                flight.close(End::Refused);
                refusal::render(refusal, rejected.challenge, dialect, &request, head_only)
                    .map(AnswerBody::from)
            }
        }
    }

    fn open(&self, arrival: &Arrival, path: &str) -> Result<Flight, Refusal> {
        let names = arrival.query.pairs().iter().map(|(name, _)| name.as_str());
        self.guard.arrive(&Opening {
            method: arrival.method.as_str(),
            path,
            query_names: names.collect(),
            source: arrival.source,
            user_agent: arrival.user_agent.as_deref(),
        })
    }

    /// Renders a refusal for which there is no flight: the gateway takes no requests at all.
    fn render(
        &self,
        refusal: &Refusal,
        challenge: Challenge,
        dialect: Dialect,
        head_only: bool,
    ) -> Response<AnswerBody> {
        let unix_ms = u64::try_from(self.guard.clock().now().as_millisecond()).unwrap_or(0);
        let request = RequestId::new(unix_ms, &self.guard.random().bytes());
        log(refusal, request);
        refusal::render(refusal, challenge, dialect, &request, head_only).map(AnswerBody::from)
    }
}

/// Says that the connection ends with this answer (RFC 9112, section 9.6): the rest of the request
/// was not read, so nothing can follow it, and a client must not send the next one into the close.
/// On HTTP/2 hyper takes the field off.
fn closing(mut answer: Response<AnswerBody>) -> Response<AnswerBody> {
    let close = http::HeaderValue::from_static("close");
    answer.headers_mut().insert(http::header::CONNECTION, close);
    answer
}

/// Whether a header came, the one with the credential included, which is no longer among the
/// others.
fn carries(arrival: &Arrival, name: &str) -> bool {
    let scheme = arrival.credential.as_ref().map(Credential::scheme);
    // A request has few fields: looking along them is less than reading the name anew.
    let mut came = arrival.headers.keys();
    came.any(|field| field.as_str() == name) || scheme.is_some_and(|scheme| scheme.field() == name)
}

/// The operator's side of a refusal: the cause, which never goes out.
fn log(refusal: &Refusal, request: RequestId) {
    use postern_types::Fault;
    let (code, cause) = (refusal.code(), refusal.cause());
    match code.fault() {
        Fault::Downstream => tracing::debug!(%request, %code, cause, "refused"),
        Fault::Upstream => tracing::warn!(%request, %code, cause, "refused"),
        Fault::Ours => tracing::error!(%request, %code, cause, "refused"),
    }
}

/// How a request that ended in a refusal is recorded.
fn end_of(refusal: &Refusal) -> End {
    match refusal.code() {
        RefusalCode::Revoked if refusal.is_of_expiry() => End::Expired,
        RefusalCode::Revoked => End::Revoked,
        RefusalCode::ShuttingDown => End::Shutdown,
        RefusalCode::UpstreamTimeout => End::UpstreamTimedOut,
        RefusalCode::UpstreamProtocol => End::UpstreamReset,
        RefusalCode::Internal => End::Panic,
        _ => End::Refused,
    }
}
