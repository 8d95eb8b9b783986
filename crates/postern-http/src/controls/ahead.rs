//! An answer under data rules that is read before its head goes out: to its end, or until something
//! of it may go on. Whatever is wrong with it until then is a refusal with a status of its own.
//!
//! The reader is lent to each step of the work, so that what it has found counts however the
//! reading ends. A step that is under way when the token ends is not waited for with the answer:
//! the request is recorded when the step is done.

use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use postern_guard::{Caller, Flight};
use postern_inspect::InspectError;
use postern_types::{End, Refusal, RefusalCode};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use super::answer::{Before, Reading};
use super::ask;
use super::held::Held;
use super::reader::Reader;
use crate::bounds::{CLEANED_INLINE_BYTES_MAX, HEAD_WAITS_MAX};
use crate::context::refuse;
use crate::forward::InboundBody;
use crate::gateway::{Journey, Plane};
use crate::inspect::Sent;
use crate::line::unless_ended;

/// How far an answer was read before its head.
pub(crate) enum Ahead {
    /// To its end: this goes on of it.
    Whole(Bytes),
    /// So far that this may go on of it; nothing of an answer that keeps its client waiting.
    Begun { reader: Reader, first: Vec<Bytes> },
}

/// A reader and what it gave.
struct AtWork {
    reader: Reader,
    out: Vec<Bytes>,
}

/// A reader that is lent to a step of work which goes on after its request has ended.
pub(crate) struct Late(Arc<Mutex<AtWork>>);

impl Late {
    /// Closes a flight: when the step is done, and with what it found, if there is one.
    pub(crate) fn close(late: Option<Self>, mut flight: Flight, end: End) {
        let Some(Self(at_work)) = late else {
            return flight.close(end);
        };
        drop(tokio::spawn(async move {
            let found = at_work.lock().await.reader.findings();
            flight.observed().findings.extend(found);
            flight.close(end);
        }));
    }
}

/// What is needed to read.
struct Lending {
    at_work: Arc<Mutex<AtWork>>,
    lenient: bool,
    coded: bool,
    needs_analyzer: bool,
}

impl Lending {
    /// How many bytes count as come before the first.
    fn bytes(&self) -> usize {
        if self.coded {
            CLEANED_INLINE_BYTES_MAX
        } else {
            0
        }
    }
}

impl Plane {
    /// Reads an answer under rules as far as it is read before its head goes out.
    ///
    /// # Errors
    /// `data_blocked` and `cannot_inspect`, also for one that is to be held whole and is too large
    /// for that; what taking room for it gives; what the upstream did wrong; and what ends the
    /// token.
    pub(crate) async fn read_ahead(
        &self,
        body: &mut InboundBody,
        reading: Reading,
        (sent, caller): (&Sent, &Caller),
        journey: &mut Journey,
    ) -> Result<Ahead, Refusal> {
        let whole = reading.before == Before::Whole;
        let live = reading.before == Before::First { live: true };
        let mut held = Held::new(caller.body_room(), reading.lenient && whole);
        let lending = Lending {
            at_work: Arc::new(Mutex::new(AtWork {
                reader: reading.reader,
                out: Vec::new(),
            })),
            lenient: reading.lenient,
            coded: reading.coded,
            needs_analyzer: sent.needs_analyzer(),
        };
        // Nothing has gone out yet, so what ends the token ends this as any other wait.
        let read = {
            let read = pin!(async {
                if whole {
                    let read = self.read_whole(body, &lending, &mut held).await;
                    return read.map(|()| true);
                }
                self.read_first(body, &lending, live, &mut held).await
            });
            unless_ended(caller, read).await
        };
        let Ok(mut at_work) = lending.at_work.try_lock() else {
            // Only what ends a request leaves a step under way.
            journey.late = Some(Late(Arc::clone(&lending.at_work)));
            return match read {
                Err(refusal) => Err(refusal),
                Ok(_) => Err(Refusal::new(RefusalCode::Internal, "a reader is away")),
            };
        };
        let out = std::mem::take(&mut at_work.out);
        if matches!(read, Ok(false)) {
            let stand_in = at_work.reader.away();
            let reader = std::mem::replace(&mut at_work.reader, stand_in);
            return Ok(Ahead::Begun { reader, first: out });
        }
        self.take_down(&mut at_work.reader, (sent, caller), journey);
        read?;
        let out = match held.take_passing() {
            Some(original) => original,
            None => out,
        };
        Ok(Ahead::Whole(held.finish(out)))
    }

    /// Reads an answer until something of it may go on; says whether it has ended before that.
    /// Until then all of it is held.
    async fn read_first(
        &self,
        body: &mut InboundBody,
        lending: &Lending,
        live: bool,
        held: &mut Held,
    ) -> Result<bool, Refusal> {
        let by = live.then(|| Instant::now() + HEAD_WAITS_MAX);
        let mut bytes = lending.bytes();
        loop {
            let frame = match by {
                None => body.frame().await,
                Some(by) => match timeout_at(by, body.frame()).await {
                    Ok(frame) => frame,
                    Err(_late) => return Ok(false),
                },
            };
            let Some(frame) = frame else {
                self.step(lending, bytes, Reader::finish).await?;
                return Ok(true);
            };
            let frame = frame.map_err(|error| error.refusal())?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            bytes += data.len();
            held.arrive(&data)?;
            let push = move |reader: &mut Reader, out: &mut Vec<Bytes>| reader.push(data, out);
            self.step(lending, bytes, push).await?;
            let at_work = lending.at_work.lock().await;
            if at_work.out.iter().any(|piece| !piece.is_empty()) {
                return Ok(false);
            }
        }
    }

    /// Reads an answer to its end. Where what cannot be inspected passes, what is held then says
    /// that it passes as it came.
    async fn read_whole(
        &self,
        body: &mut InboundBody,
        lending: &Lending,
        held: &mut Held,
    ) -> Result<(), Refusal> {
        let lenient = |result: &Result<(), Refusal>| {
            let cannot = |refusal: &Refusal| refusal.code() == RefusalCode::CannotInspect;
            lending.lenient && result.as_ref().is_err_and(cannot)
        };
        let mut bytes = lending.bytes();
        let mut result = Ok(());
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| error.refusal())?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            bytes += data.len();
            held.arrive(&data)?;
            if result.is_ok() {
                let push = move |reader: &mut Reader, out: &mut Vec<Bytes>| reader.push(data, out);
                result = self.step(lending, bytes, push).await;
                held.given(&lending.at_work.lock().await.out)?;
            }
            if result.is_err() && !lenient(&result) {
                return result;
            }
        }
        if result.is_ok() {
            result = self.step(lending, bytes, Reader::finish).await;
            held.given(&lending.at_work.lock().await.out)?;
        }
        if !lenient(&result) {
            return result;
        }
        lending.at_work.lock().await.reader.unread();
        held.pass();
        Ok(())
    }

    /// Does a step, and asks the analyzer until the reader needs nothing more.
    async fn step<Step>(&self, lending: &Lending, bytes: usize, step: Step) -> Result<(), Refusal>
    where
        Step: FnOnce(&mut Reader, &mut Vec<Bytes>) -> Result<(), InspectError>,
        Step: Send + 'static,
    {
        let mut done = self.lend(lending, bytes, step).await?;
        while done == Err(InspectError::NeedsAnalysis) {
            let wanted = lending.at_work.lock().await.reader.wanted();
            let analyzer = self.analyzer.as_deref();
            let answers = ask(analyzer, wanted, lending.needs_analyzer).await?;
            let resume = move |reader: &mut Reader, out: &mut Vec<Bytes>| {
                answers
                    .iter()
                    .try_for_each(|(piece, spans)| reader.answer(piece, spans))
                    .and_then(|()| reader.resume(out))
            };
            done = self.lend(lending, bytes, resume).await?;
        }
        done.map_err(|error| refuse(&error))
    }

    async fn lend<Step>(
        &self,
        lending: &Lending,
        bytes: usize,
        step: Step,
    ) -> Result<Result<(), InspectError>, Refusal>
    where
        Step: FnOnce(&mut Reader, &mut Vec<Bytes>) -> Result<(), InspectError>,
        Step: Send + 'static,
    {
        let mut lent = Arc::clone(&lending.at_work).lock_owned().await;
        let work = move || {
            let AtWork { reader, out } = &mut *lent;
            step(reader, out)
        };
        self.work(bytes, work).await
    }
}
