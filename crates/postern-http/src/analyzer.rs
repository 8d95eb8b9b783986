//! The external analyzer: who is asked for the names of people, places and organisations.
//!
//! It speaks the API of Presidio's analyzer: `POST /analyze` with a text, answered with a list of
//! spans, counted in code points. Each piece of text is a question of its own, and several are
//! under way at once.
//!
//! SECURITY: a question that is not answered in time, or not in a way that can be read, is
//! `cannot_inspect`: no text passes that should have been looked at. Neither text nor answer is
//! written to a log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Limited};
use parking_lot::Mutex;
use postern_guard::{Histogram, HistogramReading};
use postern_inspect::AnalyzedSpan;
use postern_types::{BuiltinClass, Refusal, RefusalCode};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use crate::bounds::{
    ANALYZER_ANSWER_BYTES_MAX, ANALYZER_BOUNDS_US, ANALYZER_CALLS_MAX, ANALYZER_CORE_CALLS_MAX,
    ANALYZER_RETRY, ANALYZER_TOTAL, UpstreamBounds,
};
use crate::connect::{Connected, Endpoint};
use crate::forward::OutboundBody;

/// How an analyzer is reached, and how it is asked.
#[derive(Debug)]
pub struct AnalyzerSettings {
    /// Where it is; `/analyze` follows.
    pub endpoint: Endpoint,
    /// Connecting and answering one question must be done within this time.
    pub timeout: Duration,
    /// The language of the text, as the analyzer names it.
    pub language: String,
    /// What the analyzer is less sure of is not told, in percent.
    pub score_min: u8,
    /// What became of the questions.
    pub counts: Arc<AnalyzerCounts>,
}

/// What became of the questions to an analyzer, since the start.
#[derive(Debug)]
pub struct AnalyzerCounts {
    failures: AtomicU64,
    took: Histogram,
}

impl Default for AnalyzerCounts {
    fn default() -> Self {
        Self {
            failures: AtomicU64::new(0),
            took: Histogram::new(ANALYZER_BOUNDS_US),
        }
    }
}

impl AnalyzerCounts {
    /// Questions that were asked.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.took().count()
    }

    /// Questions that were not answered, not in time, or not readably.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// The time that all questions took together, in microseconds.
    #[must_use]
    pub fn micros(&self) -> u64 {
        self.took().sum_us
    }

    /// Counts a question, and gives the time that it took in microseconds.
    fn asked(&self, took: Duration, answered: bool) -> u64 {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.took.add_us(micros);
        if !answered {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
        micros
    }

    /// How long questions took, failed ones among them.
    #[must_use]
    pub fn took(&self) -> HistogramReading {
        self.took.read()
    }
}

/// A question that is being asked. It is counted once, also where nobody waits for its answer any
/// more: then it has failed.
struct Question<'a> {
    counts: &'a AnalyzerCounts,
    started: Instant,
    counted: bool,
}

impl<'a> Question<'a> {
    fn new(counts: &'a AnalyzerCounts) -> Self {
        Self {
            counts,
            started: Instant::now(),
            counted: false,
        }
    }

    /// Gives the time that it took in microseconds.
    fn ended(mut self, answered: bool) -> u64 {
        self.counted = true;
        self.counts.asked(self.started.elapsed(), answered)
    }
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        if !self.counted {
            self.counts.asked(self.started.elapsed(), false);
        }
    }
}

/// The answers to some questions, each with its piece of text.
pub(crate) type Answers = Vec<(String, Vec<AnalyzedSpan>)>;

/// The way to the analyzer of one core.
#[derive(Debug)]
pub(crate) struct Analyzer {
    settings: Arc<AnalyzerSettings>,
    bounds: UpstreamBounds,
    /// How long all that is asked at once may take.
    total: Duration,
    places: Semaphore,
    idle: Mutex<Vec<(Connected, Instant)>>,
}

impl Analyzer {
    pub(crate) fn new(settings: Arc<AnalyzerSettings>, bounds: UpstreamBounds) -> Self {
        Self {
            settings,
            bounds,
            total: ANALYZER_TOTAL,
            places: Semaphore::new(ANALYZER_CORE_CALLS_MAX),
            idle: Mutex::default(),
        }
    }

    /// Asks about pieces of text. Where nothing `needs` the answers, a failure is as if there were
    /// no names.
    ///
    /// # Errors
    /// `cannot_inspect` when one of them is not answered.
    pub(crate) async fn ask(&self, pieces: Vec<String>, needs: bool) -> Result<Answers, Refusal> {
        let unneeded = if needs { Vec::new() } else { pieces.clone() };
        let asked = stream::iter(pieces)
            .map(async |piece| {
                let spans = self.one(&piece).await?;
                Ok((piece, spans))
            })
            .buffer_unordered(ANALYZER_CALLS_MAX)
            .try_collect();
        let late = || Err("the questions took too long in all".to_owned());
        match timeout(self.total, asked).await.unwrap_or_else(|_| late()) {
            Ok(answers) => Ok(answers),
            Err(_) if !needs => Ok(unneeded.into_iter().map(|p| (p, Vec::new())).collect()),
            Err(cause) => Err(cannot(&cause).retry_after(ANALYZER_RETRY)),
        }
    }

    /// Asks one question, within its time.
    async fn one(&self, piece: &str) -> Result<Vec<AnalyzedSpan>, String> {
        let _place = self.places.acquire().await.map_err(|e| e.to_string())?;
        let question = Question::new(&self.settings.counts);
        let answered = timeout(self.settings.timeout, self.call(piece)).await;
        let mut answered = answered.unwrap_or_else(|_| Err("it took too long".to_owned()));
        let chars = piece.chars().count();
        let lies = |span: &AnalyzedSpan| span.start < span.end && span.end <= chars;
        if answered.as_ref().is_ok_and(|spans| !spans.iter().all(lies)) {
            answered = Err("its answer is not of this text".to_owned());
        }
        let micros = question.ended(answered.is_ok());
        let cause = answered.as_ref().err();
        tracing::debug!(micros, bytes = piece.len(), cause, "the analyzer was asked");
        answered
    }

    async fn call(&self, piece: &str) -> Result<Vec<AnalyzedSpan>, String> {
        let question = json!({
            "text": piece,
            "language": self.settings.language,
            "score_threshold": f64::from(self.settings.score_min) / 100.0,
            "entities": ["PERSON", "LOCATION", "ORGANIZATION"],
        });
        let question = Bytes::from(question.to_string());
        if let Some(kept) = self.kept().await {
            // The analyzer may have closed it meanwhile. Asking twice does no harm.
            if let Ok(spans) = self.exchange(kept, question.clone()).await {
                return Ok(spans);
            }
        }
        let (endpoint, allowed) = (&self.settings.endpoint, self.settings.timeout);
        let fresh = endpoint.connect(allowed, &self.bounds).await;
        let fresh = fresh.map_err(|refusal| refusal.cause().to_owned())?;
        self.exchange(fresh, question).await
    }

    async fn exchange(
        &self,
        mut connection: Connected,
        question: Bytes,
    ) -> Result<Vec<AnalyzedSpan>, String> {
        let endpoint = &self.settings.endpoint;
        let target = endpoint.target("/analyze", None);
        let target = target.ok_or("its address is no request target")?;
        let length = HeaderValue::from(question.len());
        let mut request = Request::new(OutboundBody::pieces(vec![question]));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::from(target);
        let json = HeaderValue::from_static("application/json");
        let headers = request.headers_mut();
        headers.insert(HOST, endpoint.host_field());
        headers.insert(CONTENT_TYPE, json.clone());
        headers.insert(ACCEPT, json);
        headers.insert(CONTENT_LENGTH, length);
        let sent = connection.sender().send_request(request).await;
        let answer = sent.map_err(|error| error.to_string())?;
        if answer.status() != StatusCode::OK {
            return Err(format!("it answered with {}", answer.status()));
        }
        let body = Limited::new(answer.into_body(), ANALYZER_ANSWER_BYTES_MAX);
        let body = body.collect().await.map_err(|error| error.to_string())?;
        let spans = spans(&body.to_bytes())?;
        self.keep(connection);
        Ok(spans)
    }

    /// The connection that was used last, if one is idle and alive.
    async fn kept(&self) -> Option<Connected> {
        loop {
            let (mut connection, since) = self.idle.lock().pop()?;
            if connection.is_closed() || since.elapsed() >= self.bounds.idle_timeout {
                continue;
            }
            let ready = connection.sender().ready();
            if let Ok(Ok(())) = timeout(self.bounds.ready, ready).await {
                return Some(connection);
            }
        }
    }

    fn keep(&self, mut connection: Connected) {
        connection.rest();
        let mut idle = self.idle.lock();
        if !connection.is_closed() && idle.len() < ANALYZER_CORE_CALLS_MAX {
            idle.push((connection, Instant::now()));
        }
    }
}

/// A refusal because the analyzer did not answer.
pub(crate) fn cannot(cause: &str) -> Refusal {
    let cause = format!("the analyzer cannot be asked: {cause}");
    let refusal = Refusal::new(RefusalCode::CannotInspect, cause);
    refusal.telling("the analyzer that a rule needs does not answer")
}

/// Reads an answer. Entities that were not asked for are nothing to us.
fn spans(answer: &[u8]) -> Result<Vec<AnalyzedSpan>, String> {
    const ODD: &str = "its answer cannot be read";
    let list: Vec<Value> = serde_json::from_slice(answer).map_err(|_| ODD)?;
    let mut spans = Vec::with_capacity(list.len());
    for found in &list {
        let kind = found["entity_type"].as_str().ok_or(ODD)?;
        let place = |name: &str| {
            let number = found[name].as_u64();
            number.and_then(|number| usize::try_from(number).ok())
        };
        let (start, end) = place("start").zip(place("end")).ok_or(ODD)?;
        let score = found["score"].as_f64().ok_or(ODD)?;
        let Some(class) = class(kind) else {
            continue;
        };
        spans.push(AnalyzedSpan {
            class,
            start,
            end,
            confidence: percent(score).ok_or(ODD)?,
        });
    }
    Ok(spans)
}

/// The class of an entity, by the names that Presidio and its models have for it.
fn class(entity: &str) -> Option<BuiltinClass> {
    match entity {
        "PERSON" => Some(BuiltinClass::Person),
        "LOCATION" | "GPE" | "ADDRESS" => Some(BuiltinClass::Place),
        "ORGANIZATION" | "ORG" => Some(BuiltinClass::Organization),
        _ => None,
    }
}

/// A score from 0 to 1 in percent.
fn percent(score: f64) -> Option<u8> {
    (0_u8..=100).find(|percent| (0.0..f64::from(*percent) / 100.0 + 0.005).contains(&score))
}

#[cfg(test)]
mod tests;
