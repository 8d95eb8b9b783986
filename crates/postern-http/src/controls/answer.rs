//! An answer under data rules: its head, and the choice of who reads its body.

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, TRAILER};
use http_body::Body as _;
use postern_inspect::{
    BodyCleaner, BodyKind, Cleaner, Dialect, InspectError, ResponseOptions, ResponseReader,
};
use postern_types::{AiRequest, Direction, Refusal};

use super::reader::Way;
use super::{Controls, Reader, answer, clean_asking, fields};
use crate::analyzer::Analyzer;
use crate::bounds::AT_HAND_BYTES_MAX;
use crate::context::refuse;
use crate::forward::Inbound;
use crate::gateway::{Journey, Plane};
use crate::headers::forget_bytes;
use crate::inspect::Sent;

/// How an answer is read.
pub(crate) struct Reading {
    pub(crate) reader: Reader,
    pub(crate) before: Before,
    /// What cannot be inspected passes: no rule is for the answer.
    pub(super) lenient: bool,
    /// It came in a content coding: how much it is, is not known from its bytes.
    pub(crate) coded: bool,
}

/// How much of an answer is read before its head goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    /// What is there already: its bytes pass as they are.
    AtHand,
    /// Nothing: its bytes pass as they are, and rules that only report look at them.
    Nothing,
    /// Until something of it may go on, so that what is wrong with its beginning is a refusal.
    First {
        /// Whether it is made of events, whose client may wait for the head alone.
        live: bool,
    },
    /// All: nothing of it goes out before its end.
    Whole,
}

impl Plane {
    /// Judges the head of an answer and chooses who reads its body. Afterwards the head is that of
    /// the answer as it goes downstream, its findings apart.
    ///
    /// # Errors
    /// `data_blocked`; `cannot_inspect` when a rule is for the answer and it cannot be inspected.
    pub(crate) async fn reading(
        &self,
        sent: &Sent,
        inbound: &mut Inbound,
        journey: &mut Journey,
    ) -> Result<Reading, Refusal> {
        let reading = match &sent.controls {
            None => Reading::passing(sent, inbound),
            // Boxed: only answers under a rule need the room.
            Some(controls) => Box::pin(self.controlled(sent, controls, inbound, journey)).await?,
        };
        if reading.reader.decodes() {
            inbound.headers.remove(CONTENT_ENCODING);
        }
        if reading.reader.changes_length() {
            forget_bytes(&mut inbound.headers);
        }
        Ok(reading)
    }

    /// The reading of an answer to a request under rules.
    async fn controlled(
        &self,
        sent: &Sent,
        controls: &Controls,
        inbound: &mut Inbound,
        journey: &mut Journey,
    ) -> Result<Reading, Refusal> {
        let Some(mut cleaner) = controls.for_answer()? else {
            return Ok(Reading::passing(sent, inbound));
        };
        let headers = self.clean_head(&mut cleaner, controls, inbound).await;
        under_rules(sent, controls, (cleaner, headers), inbound, journey)
    }

    /// The fields of an answer as they may go on.
    async fn clean_head(
        &self,
        cleaner: &mut Cleaner,
        controls: &Controls,
        inbound: &Inbound,
    ) -> Result<HeaderMap, Refusal> {
        let analyzer = self.analyzer.as_deref();
        let named = controls.rules.headers(Direction::Response);
        let clean = |headers: &mut HeaderMap, cleaner: &mut Cleaner| {
            fields::clean_headers(headers, named, cleaner)
        };
        clean_asking(cleaner, analyzer, &inbound.headers, clean).await
    }
}

/// The reading of an answer to which something is to be done.
fn under_rules(
    sent: &Sent,
    controls: &Controls,
    (mut cleaner, cleaned): (Cleaner, Result<HeaderMap, Refusal>),
    inbound: &mut Inbound,
    journey: &mut Journey,
) -> Result<Reading, Refusal> {
    let lenient = controls.only_reports(Direction::Response);
    let restores = !cleaner.pseudonyms().is_empty();
    let part = inbound.status == StatusCode::PARTIAL_CONTENT
        || inbound.headers.contains_key(CONTENT_RANGE);
    if part && !lenient {
        return Err(cannot("the answer is a part of something"));
    }
    let cleaned = cleaned.map(|headers| {
        if !lenient {
            inbound.headers = headers;
            inbound.headers.remove(TRAILER);
        }
    });
    if lenient && cleaned.is_err() {
        cleaner.unread("header");
    }
    if (cleaned.is_err() && !lenient) || inbound.body.is_end_stream() {
        journey.found_in_answer(cleaner.findings());
        return match cleaned {
            Err(refusal) if !lenient => Err(refusal),
            _ => Ok(bodiless(sent, cleaner, lenient, inbound)),
        };
    }
    let content = match content(&inbound.headers) {
        Ok(content) => content,
        Err(error) if !lenient => return Err(refuse(&error)),
        Err(_) => {
            cleaner.unread("answer");
            journey.found_in_answer(cleaner.findings());
            return Ok(Reading::passing(sent, inbound));
        }
    };
    let coded = inbound.headers.contains_key(CONTENT_ENCODING);
    let (mut way, before) = cleaning_way(sent, cleaner, content, inbound);
    if lenient && !restores {
        return Ok(Reading {
            reader: Reader::rehearsing(passing_way(sent, inbound), way),
            before: Before::Nothing,
            lenient,
            coded,
        });
    }
    if lenient && (part || way.refuses()) {
        // Placeholders were to be turned back, and there is no way to look for them.
        way.unread();
        journey.found_in_answer(way.findings());
        return Ok(Reading::passing(sent, inbound));
    }
    Ok(Reading {
        reader: Reader::new(way),
        before,
        lenient,
        coded,
    })
}

/// The reading of an answer with nothing to inspect: no body at all, or the head of one that a
/// HEAD request asked for.
fn bodiless(sent: &Sent, cleaner: Cleaner, lenient: bool, inbound: &mut Inbound) -> Reading {
    // SECURITY: a head may tell of bytes that do not pass. A digest of a short text tells the text
    // to whoever tries all that it can be.
    let changes = match content(&inbound.headers) {
        Ok(content) => {
            let (way, _) = cleaning_way(sent, cleaner, content, inbound);
            Reader::new(way).changes_length()
        }
        Err(_) => true,
    };
    if changes && !lenient {
        forget_bytes(&mut inbound.headers);
    }
    Reading::passing(sent, inbound)
}

impl Reading {
    /// The reading of an answer to which nothing is done.
    fn passing(sent: &Sent, inbound: &Inbound) -> Self {
        Self {
            reader: Reader::new(passing_way(sent, inbound)),
            before: Before::AtHand,
            lenient: false,
            coded: false,
        }
    }
}

fn cannot(cause: &'static str) -> Refusal {
    refuse(&InspectError::CannotInspect(cause.into()))
}

/// What is done to an answer without rules: that of an AI provider is read, and no other.
fn passing_way(sent: &Sent, inbound: &Inbound) -> Way {
    match &sent.ai {
        Some(ai) => {
            let reader = ResponseReader::new(&options(sent, ai, inbound), None);
            Way::Ai(Box::new(reader))
        }
        None => Way::Pass,
    }
}

/// What an answer's head says of the content: its type and its coding.
type Content<'a> = (Option<&'a str>, Option<&'a str>);

fn content(headers: &HeaderMap) -> Result<Content<'_>, InspectError> {
    Ok((
        one_of(headers, &CONTENT_TYPE)?,
        one_of(headers, &CONTENT_ENCODING)?,
    ))
}

/// What is done to the body of an answer under rules, and how much of it is read first. What an AI
/// provider answers other than it was asked, an error, may be of any kind.
fn cleaning_way(
    sent: &Sent,
    cleaner: Cleaner,
    (content_type, content_encoding): Content<'_>,
    inbound: &Inbound,
) -> (Way, Before) {
    match sent.ai.as_ref().filter(|_| inbound.status.is_success()) {
        Some(ai) => {
            let kind = content_type.unwrap_or_default().to_ascii_lowercase();
            let grows = sent.dialect == Dialect::Gemini || !kind.starts_with("application/json");
            let before = if ai.stream && grows {
                Before::First { live: true }
            } else {
                Before::Whole
            };
            let reader = ResponseReader::new(&options(sent, ai, inbound), Some(cleaner));
            (Way::Ai(Box::new(reader)), before)
        }
        None => {
            let kind = BodyKind {
                content_type,
                content_encoding,
            };
            let cleaner = Box::new(BodyCleaner::new(&kind, cleaner));
            // What is small and says so is no stream: it is held, so that what is wrong with it can
            // still be said in its head.
            let length = inbound.body.size_hint().exact();
            let small = length.is_some_and(|bytes| bytes <= AT_HAND_BYTES_MAX);
            let before = if cleaner.is_held() || small {
                Before::Whole
            } else {
                let live = cleaner.is_live();
                Before::First { live }
            };
            (Way::Body(cleaner), before)
        }
    }
}

/// A field that may stand once: with two, readers differ in which they take.
fn one_of<'a>(
    headers: &'a HeaderMap,
    name: &http::HeaderName,
) -> Result<Option<&'a str>, InspectError> {
    let odd = || InspectError::CannotInspect(format!("the answer's {name} is ambiguous").into());
    let mut values = headers.get_all(name).iter();
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(odd());
    }
    first
        .map(|value| value.to_str().map_err(|_| odd()))
        .transpose()
}

/// The list of models under rules: its answer was made by us out of the provider's.
///
/// # Errors
/// `data_blocked` and `cannot_inspect`.
pub(crate) async fn clean_list(
    analyzer: Option<&Analyzer>,
    sent: &Sent,
    list: Bytes,
    journey: &mut Journey,
) -> Result<Bytes, Refusal> {
    let controls = sent.controls.as_deref();
    let lenient = controls.is_some_and(|controls| controls.only_reports(Direction::Response));
    let Some(mut cleaner) = controls.map(Controls::for_answer).transpose()?.flatten() else {
        return Ok(list);
    };
    let kind = BodyKind {
        content_type: Some("application/json"),
        content_encoding: None,
    };
    let (result, out) = loop {
        let mut out = Vec::new();
        let mut body = BodyCleaner::new(&kind, cleaner);
        let pushed = body.push(list.clone(), &mut out);
        let result = pushed.and_then(|()| body.finish(&mut out));
        cleaner = body.into_cleaner();
        if result != Err(InspectError::NeedsAnalysis) {
            break (result, out);
        }
        match answer(analyzer, &mut cleaner).await {
            Err(_) if lenient => return Ok(list),
            answered => answered?,
        }
    };
    if lenient && matches!(result, Err(InspectError::CannotInspect(_))) {
        cleaner.unread("answer");
    }
    journey.found_in_answer(cleaner.findings());
    match result {
        Err(InspectError::CannotInspect(_)) if lenient => Ok(list),
        Err(error) => Err(refuse(&error)),
        Ok(()) => Ok(out.concat().into()),
    }
}

/// What is known of an AI answer before its body.
fn options<'a>(sent: &Sent, ai: &AiRequest, inbound: &'a Inbound) -> ResponseOptions<'a> {
    let text = |name| {
        inbound
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    ResponseOptions {
        operation: ai.operation,
        dialect: sent.dialect,
        stream_asked: ai.stream,
        strip_usage: sent.strip_usage,
        keeps_answer: sent.keeps_answer,
        choices: Some(sent.choices),
        content_type: text(CONTENT_TYPE).unwrap_or_default(),
        content_encoding: text(CONTENT_ENCODING),
        status: inbound.status.as_u16(),
    }
}
