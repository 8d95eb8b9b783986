//! An answer under data rules: its head, and the choice of who reads its body.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, TRAILER};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use postern_guard::Caller;
use postern_inspect::{
    BodyCleaner, BodyKind, Cleaner, InspectError, ResponseOptions, ResponseReader,
};
use postern_types::{Direction, Refusal};

use super::{Controls, Reader, fields};
use crate::context::refuse;
use crate::forward::{Inbound, InboundBody};
use crate::gateway::{Journey, Plane};
use crate::inspect::Sent;

/// How an answer is read.
pub(crate) struct Reading {
    /// `None`: it passes as it comes.
    pub(crate) reader: Option<Reader>,
    /// Nothing of it goes out before its end, so it is read to its end before its head goes out.
    pub(crate) whole: bool,
}

impl Plane {
    /// Judges the head of an answer and chooses who reads its body. Afterwards the head is that of
    /// the answer as it goes downstream, its findings apart.
    ///
    /// # Errors
    /// `data_blocked`; `cannot_inspect` when a rule is for the answer and it cannot be inspected.
    pub(crate) fn reading(
        &self,
        sent: &Sent,
        inbound: &mut Inbound,
        journey: &mut Journey,
    ) -> Result<Reading, Refusal> {
        let controls = sent.controls.as_ref();
        let reading = match controls.and_then(|it| Some((it, it.for_answer()?))) {
            None => Reading {
                reader: ai_reader(sent, inbound).map(|reader| Reader::Ai(Box::new(reader))),
                whole: false,
            },
            Some((controls, cleaner)) => under_rules(sent, controls, cleaner, inbound, journey)?,
        };
        if let Some(reader) = &reading.reader {
            if reader.decodes() {
                inbound.headers.remove(CONTENT_ENCODING);
            }
            if reader.changes_length() {
                inbound.headers.remove(http::header::CONTENT_LENGTH);
                inbound.headers.remove(ETAG);
            }
        }
        Ok(reading)
    }

    /// Reads an answer to its end, cleans it, and gives it whole.
    ///
    /// # Errors
    /// `data_blocked` and `cannot_inspect`, and what the upstream did wrong.
    pub(crate) async fn read_clean(
        &self,
        body: &mut InboundBody,
        mut reader: Reader,
        (sent, caller): (&Sent, &Caller),
        journey: &mut Journey,
    ) -> Result<Bytes, Refusal> {
        let mut out = Vec::new();
        let mut bytes = 0;
        let mut result = Ok(());
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| error.refusal())?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            bytes += data.len();
            result = reader.push(data, &mut out).map_err(|error| refuse(&error));
            if result.is_err() {
                break;
            }
        }
        if result.is_ok() {
            let finish = move || {
                let result = reader.finish(&mut out);
                (reader, out, result)
            };
            let (read, pieces, finished) = self.work(bytes, finish).await?;
            (reader, out) = (read, pieces);
            result = finished.map_err(|error| refuse(&error));
        }
        for owned in reader.newly_created() {
            self.guard.remember(caller, &sent.upstream, owned.clone());
        }
        let report = reader.report();
        let observed = journey.flight.observed();
        observed.usage = report.usage;
        observed.response_model = report.response_model;
        observed.findings.extend(reader.findings());
        result?;
        Ok(match <[Bytes; 1]>::try_from(out) {
            Ok([one]) => one,
            Err(many) => many.concat().into(),
        })
    }
}

fn under_rules(
    sent: &Sent,
    controls: &Controls,
    mut cleaner: Cleaner,
    inbound: &mut Inbound,
    journey: &mut Journey,
) -> Result<Reading, Refusal> {
    let applies = controls.apply(Direction::Response);
    let headers = &mut inbound.headers;
    if applies {
        let part = inbound.status == StatusCode::PARTIAL_CONTENT;
        if part || headers.contains_key(CONTENT_RANGE) {
            return Err(cannot("the answer is a part of something"));
        }
        let rules = Arc::clone(&controls.rules);
        let cleaned =
            fields::clean_headers(headers, rules.headers(Direction::Response), &mut cleaner);
        if cleaned.is_err() {
            journey
                .flight
                .observed()
                .findings
                .extend(cleaner.findings());
        }
        cleaned?;
    }
    headers.remove(TRAILER);
    if inbound.body.is_end_stream() {
        journey
            .flight
            .observed()
            .findings
            .extend(cleaner.findings());
        // Nothing to inspect: no body at all, or the head of one that a HEAD request asked for.
        return Ok(Reading {
            reader: None,
            whole: false,
        });
    }
    let cleans = body_reader(sent, cleaner, inbound);
    let reading = match cleans {
        // Only placeholders were to be turned back, and there is nowhere to look for them.
        Err(_) if !applies => Reading {
            reader: None,
            whole: false,
        },
        cleans => cleans.map_err(|error| refuse(&error))?,
    };
    fields::forget_bytes(&mut inbound.headers);
    Ok(reading)
}

fn cannot(cause: &'static str) -> Refusal {
    refuse(&InspectError::CannotInspect(cause.into()))
}

/// The reader of an answer's body under rules.
fn body_reader(sent: &Sent, cleaner: Cleaner, inbound: &Inbound) -> Result<Reading, InspectError> {
    let field = |name| one_of(&inbound.headers, name);
    let (content_type, content_encoding) = (field(CONTENT_TYPE)?, field(CONTENT_ENCODING)?);
    let reader = ai_reader(sent, inbound).filter(|_| inbound.status.is_success());
    let decoded = reader
        .as_ref()
        .is_some_and(ResponseReader::decodes_downstream);
    let kind = BodyKind {
        content_type,
        content_encoding: content_encoding.filter(|_| !decoded),
    };
    let cleaner = Box::new(BodyCleaner::new(&kind, cleaner)?);
    let whole = cleaner.is_held();
    let reader = match reader {
        Some(reader) => Reader::Both(Box::new(reader), cleaner),
        None => Reader::Body(cleaner),
    };
    Ok(Reading {
        reader: Some(reader),
        whole,
    })
}

/// A field that may stand once: with two, readers differ in which they take.
fn one_of(headers: &HeaderMap, name: http::HeaderName) -> Result<Option<&str>, InspectError> {
    let odd = || InspectError::CannotInspect(format!("the answer's {name} is ambiguous").into());
    let mut values = headers.get_all(&name).iter();
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
pub(crate) fn clean_list(
    sent: &Sent,
    list: Bytes,
    journey: &mut Journey,
) -> Result<Bytes, Refusal> {
    let Some(cleaner) = sent.controls.as_ref().and_then(Controls::for_answer) else {
        return Ok(list);
    };
    let kind = BodyKind {
        content_type: Some("application/json"),
        content_encoding: None,
    };
    let mut out = Vec::new();
    let mut cleaner = BodyCleaner::new(&kind, cleaner).map_err(|error| refuse(&error))?;
    let pushed = cleaner.push(list, &mut out);
    let result = pushed.and_then(|()| cleaner.finish(&mut out));
    journey
        .flight
        .observed()
        .findings
        .extend(cleaner.findings());
    result.map_err(|error| refuse(&error))?;
    Ok(out.concat().into())
}

/// The reader of an AI answer; plain HTTP answers are not read.
fn ai_reader(sent: &Sent, inbound: &Inbound) -> Option<ResponseReader> {
    let ai = sent.ai.as_ref()?;
    let text = |name| {
        inbound
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    Some(ResponseReader::new(&ResponseOptions {
        operation: ai.operation,
        dialect: sent.dialect,
        stream_asked: ai.stream,
        strip_usage: sent.strip_usage,
        keeps_answer: sent.keeps_answer,
        content_type: text(CONTENT_TYPE).unwrap_or_default(),
        content_encoding: text(CONTENT_ENCODING),
        status: inbound.status.as_u16(),
    }))
}
