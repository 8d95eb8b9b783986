//! *inspect response*, and the body that carries it: the answer on its way downstream.
//!
//! The body owns the request's [`Flight`]: it closes it where the end is seen (done, upstream
//! broke, revoked), and hands it to the closer by dropping it where the end is not seen (client
//! gone). It can be ended from outside, at once, also while its client reads nothing: everything
//! that ends is behind one lock that the revoker can take.

mod aside;
mod asking;

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use parking_lot::Mutex;
use postern_guard::{Caller, EndStream, Flight, Guard, StreamHandle, Upstream};
use postern_inspect::{InspectError, RefusalText};
use postern_types::{End, Refusal, RefusalCode};
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::analyzer::Analyzer;
use crate::context::refuse;
use crate::controls::Reader;
use crate::forward::{InboundBody, InboundError};
use aside::Aside;
use asking::Asking;

/// A client that has not taken the end of a revoked answer after this long is cut off.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// The answer was broken off: the connection is cut, so that the client cannot take what it has for
/// the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the answer was broken off")]
pub(crate) struct BrokenOff;

/// The body of any answer.
pub(crate) enum AnswerBody {
    /// Made by the gateway, or read whole.
    Whole(Full<Bytes>),
    /// On its way from an upstream.
    Guarded(GuardedBody),
}

impl From<Full<Bytes>> for AnswerBody {
    fn from(body: Full<Bytes>) -> Self {
        Self::Whole(body)
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body)
                .poll_frame(cx)
                .map(|frame| frame.map(|f| f.map_err(|n| match n {}))),
            Self::Guarded(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Guarded(body) => body.running.inner.lock().is_drained(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Guarded(body) => body.running.inner.lock().size_hint(),
        }
    }
}

/// An answer on its way downstream.
pub(crate) struct GuardedBody {
    running: Arc<Running>,
    _listed: Option<StreamHandle>,
}

/// What the body and the revoker share.
struct Running {
    inner: Mutex<Inner>,
    hang_up: CancellationToken,
    /// The client's side has taken all there is, or given up: its connection is to be left alone,
    /// because another request may be on it already.
    left: Arc<AtomicBool>,
}

/// The state of an answer. INVARIANT: `flight` is there until the answer ended, and no longer.
struct Inner {
    guard: Arc<Guard>,
    caller: Caller,
    upstream: Arc<Upstream>,
    flight: Option<Flight>,
    source: Option<Box<InboundBody>>,
    reader: Reader,
    asking: Asking,
    aside: Aside,
    /// The upstream's answer is whole, and what is held of it is worked on.
    finishing: bool,
    trailers_pass: bool,
    conversation: Option<Arc<str>>,
    request_bytes: Arc<AtomicU64>,
    ready: VecDeque<Bytes>,
    scratch: Vec<Bytes>,
    trailers: Option<http::HeaderMap>,
    /// The connection is to be broken off.
    broken: bool,
    /// The turn in which what came before the break is written has begun.
    breaking: bool,
    waker: Option<Waker>,
}

/// What a guarded body is made of.
pub(crate) struct Course {
    pub(crate) guard: Arc<Guard>,
    pub(crate) caller: Caller,
    pub(crate) upstream: Arc<Upstream>,
    pub(crate) source: Box<InboundBody>,
    /// Reads the answer as it passes.
    pub(crate) reader: Reader,
    /// What of it goes on already.
    pub(crate) first: Vec<Bytes>,
    /// Who tells names in it; and whether it may not pass without.
    pub(crate) analyzer: (Option<Arc<Analyzer>>, bool),
    /// The places to work on what is large; and whether the answer came in a content coding.
    pub(crate) workers: (Arc<Semaphore>, bool),
    pub(crate) request_bytes: Arc<AtomicU64>,
    /// As in [`crate::inspect::Sent`].
    pub(crate) trailers_pass: bool,
    /// As in [`crate::inspect::Sent::conversation`].
    pub(crate) conversation: Option<Arc<str>>,
}

impl GuardedBody {
    /// Puts an answer under guard. When the token ended already, the answer ends at once.
    pub(crate) fn new(mut course: Course, flight: Flight, hang_up: CancellationToken) -> Self {
        let caller = course.caller.clone();
        course.guard.meters().answer_begins();
        let inner = Inner {
            guard: course.guard,
            caller: course.caller,
            upstream: course.upstream,
            flight: Some(flight),
            source: Some(course.source),
            reader: course.reader,
            conversation: course.conversation,
            asking: Asking::new(course.analyzer),
            aside: Aside::new(course.workers),
            finishing: false,
            trailers_pass: course.trailers_pass,
            request_bytes: course.request_bytes,
            ready: VecDeque::new(),
            scratch: Vec::new(),
            trailers: None,
            broken: false,
            breaking: false,
            waker: None,
        };
        let running = Arc::new(Running {
            inner: Mutex::new(inner),
            hang_up,
            left: Arc::default(),
        });
        {
            let mut inner = running.inner.lock();
            if !course.first.is_empty() {
                inner.hand_on(&mut course.first);
            }
            // A body that has nothing to give may never be asked for it.
            if inner.source.as_ref().is_some_and(Body::is_end_stream) {
                inner.finish();
            }
        }
        let weak: Weak<Running> = Arc::downgrade(&running);
        let listed = match caller.register(weak) {
            Ok(listed) => Some(listed),
            Err(ended) => {
                running.inner.lock().cut(ended.0);
                None
            }
        };
        Self {
            running,
            _listed: listed,
        }
    }

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        self.running.inner.lock().poll(cx)
    }
}

impl Drop for GuardedBody {
    fn drop(&mut self) {
        self.running.left.store(true, Ordering::Release);
        let mut inner = self.running.inner.lock();
        inner.guard.meters().answer_ends();
        drop(inner.source.take());
        // Dropping the flight signals the closer: the client went away, or the gateway is ending.
        inner.let_go(drop);
    }
}

impl EndStream for Running {
    fn end(&self, how: End) {
        let waker = {
            let mut inner = self.inner.lock();
            inner.cut(how);
            inner.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        // A client that reads nothing never takes the last words: its connection is cut instead.
        let (hang_up, left) = (self.hang_up.clone(), Arc::clone(&self.left));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            drop(runtime.spawn(async move {
                tokio::time::sleep(LAST_WORDS).await;
                if !left.load(Ordering::Acquire) {
                    hang_up.cancel();
                }
            }));
        }
    }
}

impl Inner {
    fn is_drained(&self) -> bool {
        let over = self.flight.is_none() && self.source.is_none();
        over && self.ready.is_empty() && self.trailers.is_none() && !self.broken
    }

    fn size_hint(&self) -> SizeHint {
        let waiting: u64 = self.ready.iter().map(|chunk| chunk.len() as u64).sum();
        let changes = self.reader.changes_length();
        match &self.source {
            None if !self.broken => SizeHint::with_exact(waiting),
            Some(source) if !changes => match source.size_hint().exact() {
                Some(left) => SizeHint::with_exact(left + waiting),
                None => SizeHint::default(),
            },
            _ => SizeHint::default(),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        loop {
            if let Some(chunk) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(chunk))));
            }
            if self.flight.is_some() && self.guard.clock().now() >= self.caller.ends_at() {
                self.cut(End::Expired);
                continue;
            }
            if self.aside.is_at_work() {
                if self.poll_aside(cx).is_pending() {
                    self.wait(cx);
                    return Poll::Pending;
                }
                continue;
            }
            if self.asking.asked.is_some() {
                if self.poll_asked(cx).is_pending() {
                    self.wait(cx);
                    return Poll::Pending;
                }
                continue;
            }
            let Some(source) = &mut self.source else {
                if self.broken {
                    return self.poll_break(cx);
                }
                let trailers = self.trailers.take();
                return Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))));
            };
            match Pin::new(source).poll_frame(cx) {
                Poll::Pending => {
                    self.wait(cx);
                    return Poll::Pending;
                }
                Poll::Ready(None) => self.finish(),
                Poll::Ready(Some(Err(error))) => self.upstream_broke(error),
                Poll::Ready(Some(Ok(frame))) => self.take(frame),
            }
        }
    }

    /// Breaks the connection off, one turn later: what was handed over until now, the head
    /// included, is written meanwhile. An error at once overtakes it, and the client learns
    /// nothing.
    fn poll_break(&mut self, cx: &Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        if !std::mem::replace(&mut self.breaking, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.broken = false;
        Poll::Ready(Some(Err(BrokenOff)))
    }

    /// Remembers whom to wake when the answer is ended from outside.
    fn wait(&mut self, cx: &Context<'_>) {
        let known = self.waker.as_ref();
        if !known.is_some_and(|waker| waker.will_wake(cx.waker())) {
            self.waker = Some(cx.waker().clone());
        }
    }

    /// Takes a frame from the upstream: observed, recorded where it names something owned, and made
    /// ready for the client.
    fn take(&mut self, frame: Frame<Bytes>) {
        match frame.into_data() {
            Ok(chunk) => self.take_data(chunk),
            Err(frame) => {
                self.trailers = frame.into_trailers().ok().filter(|_| self.trailers_pass);
            }
        }
        // A client's side that knows the length does not ask again after the last byte.
        let works = self.asking.asked.is_some() || self.aside.is_at_work();
        if !works && self.source.as_ref().is_some_and(Body::is_end_stream) {
            self.finish();
        }
    }

    fn take_data(&mut self, chunk: Bytes) {
        self.read(chunk.len(), move |reader, out| reader.push(chunk, out));
    }

    /// Remembers who owns what the provider made, before the bytes that name it are ready.
    fn hand_on(&mut self, out: &mut Vec<Bytes>) {
        for owned in self.reader.newly_created() {
            let conversation = self.conversation.as_ref();
            self.guard
                .remember(&self.caller, &self.upstream, owned.clone(), conversation);
        }
        for chunk in out.drain(..) {
            self.make_ready(chunk);
        }
        self.scratch = std::mem::take(out);
    }

    fn make_ready(&mut self, chunk: Bytes) {
        if chunk.is_empty() {
            return;
        }
        if let Some(flight) = &mut self.flight {
            flight.observed().response_bytes += chunk.len() as u64;
        }
        self.ready.push_back(chunk);
    }

    /// The upstream's answer is whole.
    fn finish(&mut self) {
        self.finishing = true;
        self.read(0, Reader::finish);
    }

    /// A data rule ends the answer, or what has to be read of it cannot be read.
    fn cannot_go_on(&mut self, error: &InspectError) {
        let refusal = refuse(error).of_answer();
        let end = match refusal.code() {
            RefusalCode::DataBlocked | RefusalCode::CannotInspect => End::Refused,
            _ => End::UpstreamReset,
        };
        self.break_off(&refusal, end);
    }

    fn upstream_broke(&mut self, error: InboundError) {
        self.break_off(&error.refusal(), error.end());
    }

    /// Ends the answer from outside: revoked, expired, or the gateway is going away.
    fn cut(&mut self, how: End) {
        if self.flight.is_none() {
            return;
        }
        let code = match how {
            End::Shutdown => RefusalCode::ShuttingDown,
            _ => RefusalCode::Revoked,
        };
        let cause = format!("the answer was under way ({})", how.as_str());
        self.break_off(&Refusal::new(code, cause), how);
    }

    /// Ends the answer before it is whole: with the provider's own error where the framing has a
    /// place for it, else by breaking the connection off.
    fn break_off(&mut self, refusal: &Refusal, end: End) {
        self.source = None;
        self.trailers = None;
        self.asking.asked = None;
        let Some(flight) = &mut self.flight else {
            return;
        };
        flight.refused(refusal);
        let request_id = flight.request().to_string();
        let public = refusal.public();
        let text = RefusalText {
            status: refusal.code().status(),
            code: refusal.code().as_str(),
            message: &public,
            request_id: &request_id,
        };
        match self.reader.error_ending(&text) {
            Some(last_words) => self.make_ready(Bytes::from(last_words)),
            None => self.broken = true,
        }
        self.close(end);
    }

    fn close(&mut self, end: End) {
        self.let_go(move |flight| flight.close(end));
    }

    /// Ends the flight with all that was seen of the answer; where the reader is away at work, when
    /// it is done.
    fn let_go(&mut self, how: impl FnOnce(Flight) + Send + 'static) {
        let Some(mut flight) = self.flight.take() else {
            return;
        };
        flight.observed().request_bytes = self.request_bytes.load(Ordering::Relaxed);
        self.aside.when_back(&self.reader, move |reader| {
            let (report, observed) = (reader.report(), flight.observed());
            observed.usage = report.usage;
            observed.response_model = report.response_model;
            observed.findings.extend(reader.findings());
            how(flight);
        });
    }
}

/// An answer whose head is known and whose body is ready to be put under guard.
pub(crate) struct Answer {
    pub(crate) head: http::response::Parts,
    pub(crate) body: AnswerSource,
}

/// Where the body of an answer comes from.
pub(crate) enum AnswerSource {
    /// It was read whole and is finished with.
    Whole(Bytes),
    /// It streams.
    Course(Box<Course>),
}

impl Answer {
    /// Hands the flight to the answer's body, to travel with it.
    pub(crate) fn depart(self, journey: crate::gateway::Journey) -> Response<AnswerBody> {
        let crate::gateway::Journey {
            mut flight,
            hang_up,
            ..
        } = journey;
        flight.observed().status = Some(self.head.status.as_u16());
        let body = match self.body {
            AnswerSource::Whole(bytes) => {
                flight.observed().response_bytes = bytes.len() as u64;
                flight.close(End::Done);
                AnswerBody::Whole(Full::new(bytes))
            }
            AnswerSource::Course(course) => {
                AnswerBody::Guarded(GuardedBody::new(*course, flight, hang_up))
            }
        };
        Response::from_parts(self.head, body)
    }
}
