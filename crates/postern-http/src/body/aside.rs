//! Work on an answer that takes long: on a thread of its own, so that the other streams of this
//! core go on meanwhile. Nothing of the answer is read on before it is done.
//!
//! An answer that is ended while its reader is away does not wait for it: the client has its last
//! words at once. What the reader finds still counts, so its request is closed when it is done.
//!
//! What waits in the reader is not asked of it: it is what came since it last gave something.
//!
//! KNOWN GAP: rules that only report see what has gone on already, so that what waits for them
//! cannot be told, and is worked on at once.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use parking_lot::Mutex;
use postern_inspect::InspectError;
use postern_types::{End, Refusal, RefusalCode};
use tokio::sync::Semaphore;

use super::Inner;
use crate::bounds::{CLEANED_INLINE_BYTES_MAX, DECODED_RATIO};
use crate::controls::{Reader, work_aside};

/// The work that is under way, and what the reader holds.
pub(super) struct Aside {
    workers: Arc<Semaphore>,
    coded: bool,
    away: Option<Away>,
    /// Bytes that came since the reader last gave something.
    held: usize,
}

/// A reader at work.
struct Away {
    work: Pin<Box<Work>>,
    stage: Arc<Mutex<Stage>>,
}

type Work = dyn Future<Output = Result<(), Refusal>> + Send;

/// How far the work has come, as both sides see it.
enum Stage {
    /// It is under way, or waits for its turn.
    Working,
    Done(Box<Done>),
    /// The answer has ended meanwhile: this is to be done with the reader when it is back.
    Ended(Late),
    Over,
}

/// The reader, what it gave, and how far it came.
struct Done {
    reader: Reader,
    out: Vec<Bytes>,
    result: Result<(), InspectError>,
}

type Late = Box<dyn FnOnce(&Reader) + Send>;

/// One step of a reader. INVARIANT: however it ends (done, panicked, dropped before its turn), what
/// an ended answer left to be done is done.
struct Job {
    reader: Option<Reader>,
    given: Option<(Vec<Bytes>, Result<(), InspectError>)>,
    stage: Arc<Mutex<Stage>>,
}

impl Job {
    fn run<Step>(mut self, step: Step)
    where
        Step: FnOnce(&mut Reader, &mut Vec<Bytes>) -> Result<(), InspectError>,
    {
        if let Some(reader) = &mut self.reader {
            let mut out = Vec::new();
            let result = step(reader, &mut out);
            self.given = Some((out, result));
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let Some(reader) = self.reader.take() else {
            return;
        };
        let mut stage = self.stage.lock();
        match std::mem::replace(&mut *stage, Stage::Over) {
            Stage::Ended(late) => {
                drop(stage);
                late(&reader);
            }
            Stage::Working | Stage::Done(_) | Stage::Over => {
                if let Some((out, result)) = self.given.take() {
                    *stage = Stage::Done(Box::new(Done {
                        reader,
                        out,
                        result,
                    }));
                }
            }
        }
    }
}

impl Aside {
    /// The places to work, and whether the answer came in a content coding.
    pub(super) fn new((workers, coded): (Arc<Semaphore>, bool)) -> Self {
        Self {
            workers,
            coded,
            away: None,
            held: 0,
        }
    }

    /// Whether the reader is away at work.
    pub(super) fn is_at_work(&self) -> bool {
        self.away.is_some()
    }

    /// Sends the reader away to do a step.
    fn send<Step>(&mut self, reader: &mut Reader, step: Step)
    where
        Step: FnOnce(&mut Reader, &mut Vec<Bytes>) -> Result<(), InspectError>,
        Step: Send + 'static,
    {
        let stand_in = reader.away();
        let stage = Arc::new(Mutex::new(Stage::Working));
        let job = Job {
            reader: Some(std::mem::replace(reader, stand_in)),
            given: None,
            stage: Arc::clone(&stage),
        };
        let workers = Arc::clone(&self.workers);
        let work = Box::pin(work_aside(workers, move || job.run(step)));
        self.away = Some(Away { work, stage });
    }

    /// Waits until the step is done.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Box<Done>, Refusal>> {
        let lost = || Refusal::new(RefusalCode::Internal, "the reader of an answer was lost");
        let Some(away) = &mut self.away else {
            return Poll::Ready(Err(lost()));
        };
        let worked = ready!(away.work.as_mut().poll(cx));
        let stage = std::mem::replace(&mut *away.stage.lock(), Stage::Over);
        self.away = None;
        Poll::Ready(worked.and_then(|()| match stage {
            Stage::Done(done) => Ok(done),
            Stage::Working | Stage::Ended(_) | Stage::Over => Err(lost()),
        }))
    }

    /// Does this with the reader: at once where it is here, else when it has done its step. What is
    /// under way counts for nothing else any more.
    pub(super) fn when_back(
        &mut self,
        reader: &Reader,
        late: impl FnOnce(&Reader) + Send + 'static,
    ) {
        let Some(away) = self.away.take() else {
            return late(reader);
        };
        let mut stage = away.stage.lock();
        match std::mem::replace(&mut *stage, Stage::Over) {
            Stage::Working => *stage = Stage::Ended(Box::new(late)),
            Stage::Done(done) => late(&done.reader),
            // The step has panicked: what was known before it is all that is known.
            Stage::Ended(_) | Stage::Over => late(reader),
        }
        // A step that has not had its turn never gets one; its reader comes back here.
        drop(stage);
        drop(away.work);
    }
}

impl Inner {
    /// Lets the reader do a step, for which so many bytes have come: at once where little waits in
    /// it, else aside.
    pub(super) fn read<Step>(&mut self, bytes: usize, step: Step)
    where
        Step: FnOnce(&mut Reader, &mut Vec<Bytes>) -> Result<(), InspectError>,
        Step: Send + 'static,
    {
        let ratio = if self.aside.coded { DECODED_RATIO } else { 1 };
        self.aside.held += bytes * ratio;
        if self.aside.held <= CLEANED_INLINE_BYTES_MAX || !self.reader.changes_length() {
            let mut out = std::mem::take(&mut self.scratch);
            let done = step(&mut self.reader, &mut out);
            return self.has_read(out, done);
        }
        self.aside.send(&mut self.reader, step);
    }

    /// Goes on once work that is under way is done.
    pub(super) fn poll_aside(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match ready!(self.aside.poll(cx)) {
            Ok(done) => {
                self.reader = done.reader;
                self.has_read(done.out, done.result);
            }
            Err(refusal) => self.break_off(&refusal, End::Refused),
        }
        Poll::Ready(())
    }

    /// The reader has done a step.
    fn has_read(&mut self, mut out: Vec<Bytes>, done: Result<(), InspectError>) {
        if !out.is_empty() {
            self.aside.held = 0;
        }
        self.hand_on(&mut out);
        match done {
            Err(InspectError::NeedsAnalysis) => self.ask(),
            Err(error) => self.cannot_go_on(&error),
            Ok(()) if self.finishing => {
                self.source = None;
                self.close(End::Done);
            }
            Ok(()) => {}
        }
    }
}

#[cfg(test)]
mod tests;
