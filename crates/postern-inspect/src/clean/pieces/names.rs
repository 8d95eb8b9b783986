//! The names that were told and are not yet acted on, over all pieces of a sentence.

use std::collections::VecDeque;
use std::ops::Range;

use postern_types::DataClass;

use super::Part;
use super::cut::Shown;
use crate::clean::analysis::Named;
use crate::clean::{CleanError, Cleaner};
use crate::detect::span::{Known, Span, Weight, What};

/// Names in what is held, in the order of their starts.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    all: Vec<Span>,
}

/// A name that no piece shows whole is known in part only: nothing of it may pass.
const TOO_LONG: CleanError =
    CleanError::CannotInspect("a name is longer than what an analyzer is shown at once");

impl Names {
    /// Takes up what was told of a piece. Where it tells of one name twice, as the overlap of two
    /// pieces makes it, the name is all that was said to be of it.
    /// Where an end of it is in what stands in place of a value, it ends beside that.
    pub(super) fn take(
        &mut self,
        named: &[Named],
        shown: &Shown,
        parts: &VecDeque<Part>,
        cleaner: &Cleaner,
    ) {
        for name in named {
            let class = DataClass::Builtin(name.class);
            let weight = cleaner.weight(&class, name.confidence);
            let around = |at: usize| {
                let mut parts = parts.iter();
                parts.find(|part| part.at.start < at && at < part.at.end)
            };
            let (start, end) = (shown.at.start + name.at.start, shown.at.start + name.at.end);
            let start = around(start).map_or(start, |part| part.at.end);
            let end = around(end).map_or(end, |part| part.at.start);
            if weight == Weight::None || start >= end {
                continue;
            }
            self.all.push(Span {
                start,
                end,
                matched: start,
                what: What::Found {
                    class,
                    confidence: name.confidence,
                    weight,
                    order: usize::MAX,
                    goes_on: None,
                    known: Known::Whole,
                },
            });
        }
        self.all
            .sort_by_key(|name| (name.start, std::cmp::Reverse(name.end)));
        let mut united: Vec<Span> = Vec::with_capacity(self.all.len());
        for name in self.all.drain(..) {
            let same = united
                .iter_mut()
                .rev()
                .find(|known| same_class(known, &name));
            match same {
                Some(known) if name.start < known.end => unite(known, &name),
                _ => united.push(name),
            }
        }
        self.all = united;
    }

    /// Up to where the names are known once a piece was told: where the next one begins, but
    /// before a name that goes over that place, which the next piece may make longer.
    ///
    /// # Errors
    /// `CannotInspect` when a name that may not pass was in no piece whole.
    pub(super) fn known_to(&self, text: &str, shown: &Shown) -> Result<usize, CleanError> {
        let goes_on = shown.next < shown.at.end;
        let mut to = shown.next;
        for name in self.all.iter().rev().filter(|name| name.acts()) {
            let cut_behind = goes_on && name.start < shown.next && touches(text, name, shown);
            let cut_before = name.start == shown.at.start && name.end > shown.before;
            if cut_behind || cut_before && shown.before > shown.at.start {
                return Err(TOO_LONG);
            }
            if name.start < to && name.end > to {
                to = name.start;
            }
        }
        // Names that go on into each other over more than a piece would be held without end.
        if to < shown.at.start {
            return Err(TOO_LONG);
        }
        Ok(to)
    }

    /// The names that start before the offset.
    pub(super) fn before(&mut self, to: usize) -> Vec<Span> {
        let count = self.all.partition_point(|name| name.start < to);
        self.all.drain(..count).collect()
    }

    /// The text lost so many bytes at its front.
    pub(super) fn shift(&mut self, bytes: usize) {
        for name in &mut self.all {
            name.start -= bytes;
            name.end -= bytes;
            name.matched = name.start;
        }
    }
}

/// Whether the name goes to the end of the piece, a space apart at most.
fn touches(text: &str, name: &Span, shown: &Shown) -> bool {
    let behind: Range<usize> = name.end.min(shown.at.end)..shown.at.end;
    let mut behind = text[behind].chars();
    behind.next().is_none_or(char::is_whitespace) && behind.next().is_none()
}

fn same_class(one: &Span, other: &Span) -> bool {
    match (&one.what, &other.what) {
        (What::Found { class: one, .. }, What::Found { class: other, .. }) => one == other,
        _ => false,
    }
}

/// Makes a name as long and as sure as both.
fn unite(known: &mut Span, more: &Span) {
    known.end = known.end.max(more.end);
    if let What::Found {
        confidence, weight, ..
    } = &mut known.what
        && let What::Found {
            confidence: other,
            weight: heavier,
            ..
        } = &more.what
    {
        *confidence = (*confidence).max(*other);
        *weight = (*weight).max(*heavier);
    }
}
