//! A request under data rules, before anything of it is sent.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use postern_guard::BodyRoom;
use postern_inspect::{BodyCleaner, BodyKind, Cleaner, InspectError, Outgoing, RequestFacts};
use postern_types::{Direction, Refusal, RefusalCode};

use super::{Controls, answer, fields};
use crate::arrival::Query;
use crate::bounds::CLEANED_INLINE_BYTES_MAX;
use crate::context::{ExchangeBody, refuse};
use crate::gateway::{Journey, Plane};
use crate::headers::forget_bytes;

/// What of a request may be changed by a rule.
pub(crate) struct CleanRequest<'a> {
    pub(crate) headers: &'a mut HeaderMap,
    pub(crate) query: &'a mut Query,
    pub(crate) body: &'a mut ExchangeBody,
    /// Whether usage is asked for on the client's behalf.
    pub(crate) splice: bool,
    /// Where a body that is read whole takes its room.
    pub(crate) room: BodyRoom,
}

impl Plane {
    /// Cleans what the rules are about: named fields and parameters, and the body, which is read
    /// whole for it. Gives the body as it leaves, where there is one and it was inspected.
    ///
    /// # Errors
    /// `data_blocked` and `cannot_inspect`; and what reading the body gives.
    pub(crate) async fn clean_request(
        &self,
        request: CleanRequest<'_>,
        controls: &mut Controls,
        journey: &mut Journey,
    ) -> Result<Option<Outgoing>, Refusal> {
        let cleaned = if controls.only_reports(Direction::Request) {
            self.rehearse(request, controls, journey).await
        } else {
            self.clean_parts(request, controls, journey).await
        };
        // What was found is recorded also where it is the reason of a refusal.
        journey.flight.observed().findings = controls.findings().to_vec();
        cleaned
    }

    /// Does on copies what the rules say, for their findings alone.
    async fn rehearse(
        &self,
        request: CleanRequest<'_>,
        controls: &mut Controls,
        journey: &mut Journey,
    ) -> Result<Option<Outgoing>, Refusal> {
        if !controls.only_reports(Direction::Response) {
            fields::ask_for_the_whole(request.headers);
        }
        let (mut headers, mut query) = (request.headers.clone(), request.query.clone());
        let copies = CleanRequest {
            headers: &mut headers,
            query: &mut query,
            ..request
        };
        match self.clean_parts(copies, controls, journey).await {
            // Without a cleaner there would be none for the answer.
            Err(refusal) if refusal.code() == RefusalCode::Internal => Err(refusal),
            Err(refusal) if refusal.code() == RefusalCode::CannotInspect => {
                controls.unread();
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    async fn clean_parts(
        &self,
        request: CleanRequest<'_>,
        controls: &mut Controls,
        journey: &mut Journey,
    ) -> Result<Option<Outgoing>, Refusal> {
        let CleanRequest {
            headers,
            query,
            body,
            splice,
            room,
        } = request;
        if !controls.only_reports(Direction::Response) {
            fields::ask_for_the_whole(headers);
        }
        if !controls.apply(Direction::Request) {
            return Ok(None);
        }
        let rules = Arc::clone(&controls.rules);
        let analyzer = self.analyzer.as_deref();
        let before = (headers.clone(), query.clone());
        let cleaned = controls.clean_asking(analyzer, &before, |(headers, query), cleaner| {
            fields::clean_headers(headers, rules.headers(Direction::Request), cleaner)?;
            if let Some(clean) = fields::clean_query(query, rules.query(), cleaner)? {
                *query = clean;
            }
            Ok(())
        });
        (*headers, *query) = cleaned.await?;
        if let ExchangeBody::Stream { body: arriving, .. } = body {
            let bytes_max = self.inspected_bytes_max();
            let read = if controls.only_reports(Direction::Request) {
                // What a dry run cannot hold passes, like everything else.
                let Some(read) = arriving.try_collect(bytes_max, room).await else {
                    return Ok(None);
                };
                Ok(read)
            } else {
                arriving.collect(bytes_max, room).await
            };
            journey.body_read = read.is_ok();
            *body = ExchangeBody::Whole(read?);
        }
        let taken = match body {
            ExchangeBody::Ai { facts, body } => Taken {
                facts: Some((facts.clone(), splice)),
                body: body.clone(),
            },
            ExchangeBody::Whole(body) => Taken {
                facts: None,
                body: body.clone(),
            },
            // Read whole above.
            ExchangeBody::Stream { .. } => return Ok(None),
        };
        if taken.body.is_empty() {
            return Ok(None);
        }
        self.clean_body(taken, headers, controls).await.map(Some)
    }

    async fn clean_body(
        &self,
        taken: Taken,
        headers: &mut HeaderMap,
        controls: &mut Controls,
    ) -> Result<Outgoing, Refusal> {
        let text = |name| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.map(str::to_owned)
        };
        let (content_type, encoding) = (text(CONTENT_TYPE), text(CONTENT_ENCODING));
        let mut cleaner = controls.take()?;
        // How much a coded body is, is not known from its bytes.
        let bytes = match encoding {
            Some(_) => CLEANED_INLINE_BYTES_MAX + 1,
            None => taken.body.len(),
        };
        let (taken, types) = (Arc::new(taken), Arc::new((content_type, encoding)));
        let result = loop {
            let (taken, types) = (Arc::clone(&taken), Arc::clone(&types));
            let work = move || {
                let kind = BodyKind {
                    content_type: types.0.as_deref(),
                    content_encoding: types.1.as_deref(),
                };
                taken.clean(&kind, cleaner)
            };
            let result;
            (result, cleaner) = self.work(bytes, work).await?;
            if !matches!(result, Err(InspectError::NeedsAnalysis)) {
                break result;
            }
            if let Err(refusal) = answer(self.analyzer.as_deref(), &mut cleaner).await {
                controls.give_back(cleaner);
                return Err(refusal);
            }
        };
        controls.give_back(cleaner);
        let clean = result.map_err(|error| refuse(&error))?;
        if !clean.passes {
            headers.remove(CONTENT_ENCODING);
            forget_bytes(headers);
        }
        Ok(clean.outgoing)
    }
}

/// A body that was read whole, to be cleaned.
struct Taken {
    /// What an AI request is about, and whether usage is asked for.
    facts: Option<(RequestFacts, bool)>,
    body: Bytes,
}

/// A body that may leave.
struct Clean {
    outgoing: Outgoing,
    /// It is as it came, its coding included.
    passes: bool,
}

impl Taken {
    /// Cleans it; the cleaner is as it was where an analyzer has to be asked first.
    fn clean(
        &self,
        kind: &BodyKind<'_>,
        mut cleaner: Cleaner,
    ) -> (Result<Clean, InspectError>, Cleaner) {
        if let Some((facts, splice)) = &self.facts {
            let clean = facts.clean_outbound(self.body.clone(), *splice, &mut cleaner);
            let clean = clean.map(|outgoing| Clean {
                outgoing,
                passes: false,
            });
            return (clean, cleaner);
        }
        let mut body = BodyCleaner::new(kind, cleaner);
        let mut pieces = Vec::new();
        let result = body
            .push(self.body.clone(), &mut pieces)
            .and_then(|()| body.finish(&mut pieces));
        let passes = body.passes();
        let len = pieces.iter().map(|piece| piece.len() as u64).sum();
        let clean = result.map(|()| Clean {
            outgoing: Outgoing {
                pieces,
                len,
                strip_usage: false,
            },
            passes,
        });
        (clean, body.into_cleaner())
    }
}
