//! What an external analyzer is asked and what it said: the names in a piece of text.
//!
//! Nothing here waits. A piece whose answer is not known is put on the list of what is wanted, and
//! nothing of it goes on; [`attempt`] then puts everything back as it was and says
//! [`CleanError::NeedsAnalysis`]. Whoever holds the cleaner asks, gives the answers, and lets it
//! try again.
//!
//! SECURITY: a caller that passed over `NeedsAnalysis` would lose text, never let it pass.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use postern_types::BuiltinClass;

use super::{CleanError, Cleaner};
use crate::bounds::{ANSWERS_BYTES_MAX, WANTED_PIECES_MAX};

/// What an analyzer tells of a piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnalyzedSpan {
    /// What it is.
    pub class: BuiltinClass,
    /// The first character, counted in Unicode code points of the piece.
    pub start: usize,
    /// The character after the last.
    pub end: usize,
    /// How sure the analyzer is, in percent.
    pub confidence: u8,
}

/// A span in bytes of its piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) class: BuiltinClass,
    pub(super) at: Range<usize>,
    pub(super) confidence: u8,
}

/// The answers of one direction of one request, and the questions.
#[derive(Clone, Default)]
pub(super) struct Analysis {
    answers: HashMap<String, Arc<[Named]>>,
    /// Bytes of the pieces in `answers`.
    bytes: usize,
    wanted: BTreeSet<String>,
    /// An answer came since the last attempt.
    fresh: bool,
    /// More is wanted than is asked for one unit of work.
    too_much: bool,
}

impl fmt::Debug for Analysis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Analysis({}, {})", self.answers.len(), self.wanted.len())
    }
}

impl Analysis {
    /// The names in a piece; `None` puts it on the list of what is wanted. What is too much to ask
    /// has no names where nothing `needs` them.
    pub(super) fn names(&mut self, piece: &str, needs: bool) -> Option<Arc<[Named]>> {
        if let Some(known) = self.answers.get(piece) {
            return Some(Arc::clone(known));
        }
        if self.wanted.len() < WANTED_PIECES_MAX {
            self.wanted.insert(piece.to_owned());
        } else if !self.wanted.contains(piece) {
            if !needs {
                return Some(Arc::default());
            }
            self.too_much = true;
        }
        None
    }
}

impl Cleaner {
    /// Whether an analyzer has to be asked about text.
    #[must_use]
    pub fn analyzes(&self) -> bool {
        self.rules.wants_analyzer(self.direction)
    }

    /// The pieces of text about which an analyzer has to be asked before work can go on.
    #[must_use]
    pub fn wanted(&self) -> Vec<String> {
        let analysis = self.analysis.as_ref();
        analysis.map_or_else(Vec::new, |analysis| {
            analysis.wanted.iter().cloned().collect()
        })
    }

    /// Takes the answer about a piece.
    ///
    /// # Errors
    /// `CannotInspect` when a span does not lie in the piece.
    pub fn answer(&mut self, piece: String, spans: &[AnalyzedSpan]) -> Result<(), CleanError> {
        let named = named(&piece, spans)?;
        let analysis = self.analysis.get_or_insert_default();
        analysis.wanted.remove(&piece);
        analysis.bytes += piece.len();
        analysis.fresh = true;
        analysis.answers.insert(piece, named);
        Ok(())
    }

    /// Does work that may need answers. Where some are missing, everything is as it was before,
    /// and [`Cleaner::wanted`] has what to ask.
    ///
    /// # Errors
    /// As the work says; `NeedsAnalysis` where answers are missing.
    pub fn attempt<T, E: From<CleanError>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        attempt(self, work)
    }

    /// Whether answers are missing.
    ///
    /// # Errors
    /// `CannotInspect` when there is more to ask than may be asked at once.
    fn missing(&self) -> Result<bool, CleanError> {
        match &self.analysis {
            Some(analysis) if analysis.too_much => {
                let cause = "there is too much text to be analyzed at once";
                Err(CleanError::CannotInspect(cause))
            }
            Some(analysis) => Ok(!analysis.wanted.is_empty()),
            None => Ok(false),
        }
    }
}

/// What is worked on with a cleaner, and can be put back as it was.
pub(crate) trait Attempt: Clone {
    /// The cleaner.
    fn cleaner(&mut self) -> &mut Cleaner;
}

impl Attempt for Cleaner {
    fn cleaner(&mut self) -> &mut Cleaner {
        self
    }
}

/// Does work that may need answers, as [`Cleaner::attempt`].
pub(crate) fn attempt<S: Attempt, T, E: From<CleanError>>(
    state: &mut S,
    work: impl FnOnce(&mut S) -> Result<T, E>,
) -> Result<T, E> {
    if !state.cleaner().analyzes() {
        return work(state);
    }
    // The answers stay where they are, whatever else is put back.
    let mut analysis = state.cleaner().analysis.take().unwrap_or_default();
    if analysis.bytes > ANSWERS_BYTES_MAX && !analysis.fresh {
        analysis = Box::default();
    }
    analysis.fresh = false;
    let before = state.clone();
    state.cleaner().analysis = Some(analysis);
    let done = work(state);
    if state.cleaner().missing()? {
        let analysis = state.cleaner().analysis.take();
        *state = before;
        state.cleaner().analysis = analysis;
        return Err(CleanError::NeedsAnalysis.into());
    }
    done
}

/// The spans in bytes.
fn named(piece: &str, spans: &[AnalyzedSpan]) -> Result<Arc<[Named]>, CleanError> {
    const ODD: CleanError = CleanError::CannotInspect("the analyzer's answer is not of this text");
    let mut places: Vec<usize> = piece.char_indices().map(|(at, _)| at).collect();
    places.push(piece.len());
    let mut all = Vec::with_capacity(spans.len());
    for span in spans {
        let (start, end) = (places.get(span.start), places.get(span.end));
        let (start, end) = start.zip(end).ok_or(ODD)?;
        if start >= end {
            return Err(ODD);
        }
        all.push(Named {
            class: span.class,
            at: *start..*end,
            confidence: span.confidence,
        });
    }
    Ok(all.into())
}
