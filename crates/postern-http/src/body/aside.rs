//! Work on an answer that takes long: on a thread of its own, so that the other streams of this
//! core go on meanwhile. Nothing of the answer is read on before it is done.
//!
//! What waits in the reader is not asked of it: it is what came since it last gave something.
//!
//! KNOWN GAP: rules that only report see what has gone on already, so that what waits for them
//! cannot be told, and is worked on at once.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use postern_inspect::InspectError;
use postern_types::{End, Refusal};
use tokio::sync::Semaphore;

use super::Inner;
use crate::bounds::{CLEANED_INLINE_BYTES_MAX, DECODED_RATIO};
use crate::controls::{Reader, work_aside};

/// The work that is under way, and what the reader holds.
pub(super) struct Aside {
    workers: Arc<Semaphore>,
    coded: bool,
    work: Option<Pin<Box<Work>>>,
    /// Bytes that came since the reader last gave something.
    held: usize,
}

/// The reader, what it gave, and how far it came.
type Done = (Reader, Vec<Bytes>, Result<(), InspectError>);

type Work = dyn Future<Output = Result<Done, Refusal>> + Send;

impl Aside {
    /// The places to work, and whether the answer came in a content coding.
    pub(super) fn new((workers, coded): (Arc<Semaphore>, bool)) -> Self {
        Self {
            workers,
            coded,
            work: None,
            held: 0,
        }
    }

    /// Whether the reader is away at work.
    pub(super) fn is_at_work(&self) -> bool {
        self.work.is_some()
    }

    /// Gives up what is under way; the thread ends by itself.
    pub(super) fn give_up(&mut self) {
        self.work = None;
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
        let away = self.reader.away();
        let mut reader = std::mem::replace(&mut self.reader, away);
        let workers = Arc::clone(&self.aside.workers);
        self.aside.work = Some(Box::pin(work_aside(workers, move || {
            let mut out = Vec::new();
            let done = step(&mut reader, &mut out);
            (reader, out, done)
        })));
    }

    /// Goes on once work that is under way is done.
    pub(super) fn poll_aside(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(work) = &mut self.aside.work {
            let done = ready!(work.as_mut().poll(cx));
            self.aside.work = None;
            match done {
                Ok((reader, out, done)) => {
                    self.reader = reader;
                    self.has_read(out, done);
                }
                Err(refusal) => self.break_off(&refusal, End::Refused),
            }
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
