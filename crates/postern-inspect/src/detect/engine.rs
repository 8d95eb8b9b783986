//! The engine: the rows of all tables, compiled, and the search of one segment.
//!
//! Patterns are compiled when a segment first asks for them, and then shared by all streams. A
//! search sees the text to the left of the segment, for edges and context, and never what comes
//! after it, so that its result cannot depend on how much of the text has arrived.

mod row;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use postern_types::{BuiltinClass, DataClass};

pub(crate) use self::row::Row;
pub(super) use self::row::left_of;
use super::facts::is_white;
use super::lefts::Lefts;
use super::many::Many;
use super::prefilter::{Bits, Prefilter, ROWS_MAX};
use super::shapes::{edged, shapes};
use super::span::{Span, Weight, resolve};
use super::words::{Near, Words};
use super::{Detector, TABLES};

/// What it takes to run a pattern and to ask for its words, in bytes that are read for words.
const PATTERN_WORTH: usize = 32;

/// So few rows are asked about a segment sooner than the automaton over shapes is.
const FEW_ROWS: usize = 8;

/// The rows that a rule set asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    rows: Bits,
    /// Those it asks for only where one of their words stands to the left.
    worded: Bits,
    /// Those it asks for where their value is the whole text.
    alone: Bits,
}

/// Where values are looked for, and what is made of them.
struct Search<'a> {
    /// The text up to the end of the segment.
    text: &'a str,
    /// Where the segment starts.
    from: usize,
    /// Whether the segment is the whole text.
    alone: bool,
    judge: &'a dyn Fn(&DataClass, u8) -> Weight,
}

/// The compiled tables.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) rows: Vec<Row>,
    pub(crate) prefilter: Prefilter,
    pub(super) words: Words,
    pub(super) shapes: Many,
    lefts: Lefts,
}

/// The detectors that ship with the product.
pub(crate) static ENGINE: LazyLock<Engine> =
    LazyLock::new(|| Engine::new(TABLES.into_iter().flatten()));

impl Engine {
    pub(crate) fn new(detectors: impl Iterator<Item = &'static Detector>) -> Self {
        let mut rows: Vec<Row> = detectors.map(Row::new).collect();
        let mut lefts = HashMap::new();
        for row in &mut rows {
            let left: &Arc<_> = lefts
                .entry(row.detector.left)
                .or_insert_with(|| Arc::clone(&row.left));
            row.left = Arc::clone(left);
        }
        assert!(rows.len() <= ROWS_MAX, "the bits of rows have room");
        let prefilter = Prefilter::new(&rows);
        let words = Words::new(&rows);
        let shapes = shapes(&rows);
        let lefts = Lefts::new(&rows, &words.asking);
        Self {
            rows,
            prefilter,
            words,
            shapes,
            lefts,
        }
    }

    /// The rows of the classes that somebody asks for at a confidence.
    pub(crate) fn wanted(&self, asked: impl Fn(BuiltinClass, u8) -> bool) -> Wanted {
        let mut wanted = Wanted::default();
        for (index, row) in self.rows.iter().enumerate() {
            let (without, with) = row.detector.confidence;
            let class = row.detector.class;
            if asked(class, without) {
                wanted.rows.set(index);
                continue;
            }
            if asked(class, with) {
                wanted.rows.set(index);
                wanted.worded.set(index);
            }
            if asked(class, row.detector.alone) {
                wanted.alone.set(index);
            }
        }
        wanted
    }

    /// Of these rows, those whose values are told in words of a format too.
    pub(crate) fn word_rows(&self, of: &Wanted) -> Wanted {
        let mut words = Wanted::default();
        let is_told = |index: &usize| self.rows[*index].detector.is_told_in_words();
        for index in of.rows.rows().filter(is_told) {
            if !of.worded.has(index) {
                words.rows.set(index);
            }
        }
        words
    }

    /// Compiles the patterns of these rows now, so that no stream waits for them.
    pub(crate) fn warm(&self, wanted: &Wanted) {
        let mut rows = wanted.rows;
        rows.join(&wanted.alone);
        for row in rows.rows().map(|index| &self.rows[index]) {
            row.regex();
            if !row.detector.left.is_empty() {
                row.left();
            }
        }
    }

    /// Finds every value in the segment, without those that a better one overlaps. `alone` says
    /// that the segment is the whole text.
    pub(crate) fn find(
        &self,
        text: &str,
        (segment, alone): (Range<usize>, bool),
        wanted: &Wanted,
        near: &mut Near,
        judge: &dyn Fn(&DataClass, u8) -> Weight,
    ) -> Vec<Span> {
        let picked = self.pick(text, (segment.clone(), alone), wanted, near);
        let search = Search {
            text: &text[..segment.end],
            from: segment.start,
            alone,
            judge,
        };
        let mut spans = Vec::new();
        for order in picked.rows() {
            self.rows[order].find(&search, order, &mut spans);
        }
        resolve(text, 0, &mut spans);
        spans
    }

    /// The rows that may match in the segment.
    fn pick(
        &self,
        text: &str,
        (segment, alone): (Range<usize>, bool),
        wanted: &Wanted,
        near: &mut Near,
    ) -> Bits {
        let bytes = &text.as_bytes()[segment.clone()];
        let (mut with_alone, mut not_alone);
        let (mut rows, mut worded) = (&wanted.rows, &wanted.worded);
        if alone {
            (with_alone, not_alone) = (*rows, *worded);
            with_alone.join(&wanted.alone);
            not_alone.drop(&wanted.alone);
            (rows, worded) = (&with_alone, &not_alone);
        }
        let Some((mut picked, held)) = self.prefilter.pick(bytes, rows) else {
            return Bits::NONE;
        };
        let mut left = text.as_bytes()[..segment.start].iter().copied();
        let before = left.rfind(|byte| !is_white(*byte)).unwrap_or(b' ');
        let drop_unlike = |picked: &mut Bits| {
            let all = *picked;
            let unlike = |order: &usize| !self.rows[*order].may_match(before, bytes, &held);
            all.rows()
                .filter(unlike)
                .for_each(|order| picked.unset(order));
        };
        // The cheaper question first: words of prose are picked by a row or two.
        let few = picked.common(&picked) <= FEW_ROWS;
        if few {
            drop_unlike(&mut picked);
        }
        if picked.meets(&self.shapes.covered) {
            picked.keep_of(&self.shapes.covered, &self.shapes.matching(edged(bytes)));
        }
        if !few {
            drop_unlike(&mut picked);
        }
        if picked.is_empty() {
            return picked;
        }
        self.look_left(text, segment, worded, (near, &mut picked));
        picked
    }

    /// Drops rows that do not have to the left of the segment or in it what they need there: those
    /// of `worded` one of their words, others the text that they ask for.
    fn look_left(
        &self,
        text: &str,
        segment: Range<usize>,
        worded: &Bits,
        (near, picked): (&mut Near, &mut Bits),
    ) {
        // Backwards from where values start; mostly the first bytes say no.
        if picked.meets(self.lefts.covered()) {
            let left = self.lefts.before(text, segment.clone(), picked);
            picked.keep_of(self.lefts.covered(), &left);
        }
        // To read a text for words costs as much as some patterns on a short segment.
        let asked = picked.common(worded) + picked.common(&self.words.asking);
        if asked * (PATTERN_WORTH + segment.len()) > near.unread(&segment) {
            let (with, left) = self.words.near(text, segment, near);
            picked.keep_of(worded, &with);
            picked.keep_of(&self.words.asking, &left);
        }
    }
}

impl Search<'_> {
    /// Whether only marks stand beside the match; beside one without letters, more numbers may.
    fn holds_only(&self, whole: &Range<usize>) -> bool {
        let bytes = self.text.as_bytes();
        let lettered = bytes[whole.clone()].iter().any(u8::is_ascii_alphabetic);
        let mut beside = bytes[self.from..whole.start]
            .iter()
            .chain(&bytes[whole.end..]);
        !beside.any(|byte| {
            byte.is_ascii_alphabetic() || !byte.is_ascii() || lettered && byte.is_ascii_digit()
        })
    }
}

#[cfg(test)]
mod tests;
