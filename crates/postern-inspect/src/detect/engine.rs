//! The engine: the rows of all tables, compiled, and the search of one segment.
//!
//! Patterns are compiled when a segment first asks for them, and then shared by all streams: as
//! much as it takes to see that nothing matches, and the rest when something first does. A search
//! sees the text to the left of the segment, for edges and context, and never what comes after it,
//! so that its result cannot depend on how much of the text has arrived.

mod row;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use postern_types::{BuiltinClass, DataClass};

use self::row::Left;
pub(crate) use self::row::Row;
pub(super) use self::row::left_of;
use super::facts::is_white;
use super::lefts::Lefts;
use super::many::Many;
use super::prefilter::{Bits, Prefilter, ROWS_MAX};
use super::scout::{Scratch, Scratches};
use super::shapes::{EDGE, shapes};
use super::span::{Span, Weight, resolve};
use super::words::{Near, Words};
use super::{Detector, TABLES};

/// What it takes to run a pattern and to ask for its words, in bytes that are read for words.
const PATTERN_WORTH: usize = 32;

/// So few rows are asked about a segment sooner than the automaton over shapes is.
const FEW_ROWS: usize = 8;

/// No more of the text before a segment is skipped between two that stand close together.
const BETWEEN_BYTES: usize = 32;

/// So few rows cost less than the automaton over shapes.
const SHAPES_WORTH: usize = 2;

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
    /// What was asked about words near the segment, if that was asked.
    near: Option<(&'a Words, &'a Near)>,
}

/// The compiled tables.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) rows: Vec<Row>,
    pub(crate) prefilter: Prefilter,
    pub(super) words: Words,
    pub(super) shapes: Many,
    lefts: Lefts,
    scratches: Scratches,
}

/// The detectors that ship with the product.
pub(crate) static ENGINE: LazyLock<Engine> =
    LazyLock::new(|| Engine::new(TABLES.into_iter().flatten()));

impl Engine {
    pub(crate) fn new(detectors: impl Iterator<Item = &'static Detector>) -> Self {
        let detectors: Vec<&'static Detector> = detectors.collect();
        let mut lefts: HashMap<&str, Arc<Left>> = HashMap::new();
        let mut rows = Vec::with_capacity(detectors.len());
        for (nth, detector) in detectors.iter().enumerate() {
            let next = detectors.len() + lefts.len();
            let left = lefts
                .entry(detector.left)
                .or_insert_with(|| Arc::new(Left::new(detector.left, next)));
            rows.push(Row::new(detector, nth, Arc::clone(left)));
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
            scratches: Scratch::pool(),
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

    /// Compiles now what it takes to see where the patterns of these rows match nothing, so that no
    /// stream waits for it. The rest of a pattern is compiled when it first matches: that is
    /// several times as large, and most never do.
    pub(crate) fn warm(&self, wanted: &Wanted) {
        let mut rows = wanted.rows;
        rows.join(&wanted.alone);
        rows.rows().for_each(|index| self.rows[index].warm());
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
        let (picked, asked) = self.pick(text, (segment.clone(), alone), wanted, near);
        if picked.is_empty() {
            return Vec::new();
        }
        let search = Search {
            text: &text[..segment.end],
            from: segment.start,
            alone,
            judge,
            near: asked.then_some((&self.words, near)),
        };
        let mut spans = Vec::new();
        let mut scratch = self.scratches.get();
        for order in picked.rows() {
            self.rows[order].find(&search, &mut scratch, &mut spans);
        }
        resolve(text, 0, &mut spans);
        spans
    }

    /// The rows that may match in the segment, and whether words were asked for that.
    fn pick(
        &self,
        text: &str,
        (segment, alone): (Range<usize>, bool),
        wanted: &Wanted,
        near: &mut Near,
    ) -> (Bits, bool) {
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
            return (Bits::NONE, false);
        };
        // Where the text before it was read for words, they cost less than all else.
        let unread = near.unread(&segment);
        let mut asked = unread <= segment.len() + BETWEEN_BYTES;
        if asked {
            self.keep_named(text, segment.clone(), worded, (near, &mut picked));
            if picked.is_empty() {
                return (picked, asked);
            }
        }
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
            if picked.is_empty() {
                return (picked, asked);
            }
        }
        if picked.common(&self.shapes.covered) > SHAPES_WORTH {
            let shapes = self.shapes.matching(bytes, EDGE);
            picked.keep_of(&self.shapes.covered, &shapes);
        }
        if !few {
            drop_unlike(&mut picked);
        }
        // Backwards from where values start; mostly the first bytes say no.
        if picked.meets(self.lefts.covered()) {
            let left = self.lefts.before(text, segment.clone(), &picked);
            picked.keep_of(self.lefts.covered(), &left);
        }
        // To read a text for words costs as much as some patterns on a short segment.
        let rows = picked.common(worded) + picked.common(&self.words.asking);
        if !asked && rows * (PATTERN_WORTH + segment.len()) > unread {
            asked = true;
            self.keep_named(text, segment, worded, (near, &mut picked));
        }
        (picked, asked)
    }

    /// Drops rows that do not have to the left of the segment or in it what they need there: those
    /// of `worded` one of their words, others what the text to their left holds.
    fn keep_named(
        &self,
        text: &str,
        segment: Range<usize>,
        worded: &Bits,
        (near, picked): (&mut Near, &mut Bits),
    ) {
        let (with, left) = self.words.near(text, segment, near);
        picked.keep_of(worded, &with);
        picked.keep_of(&self.words.asking, &left);
    }
}

impl Search<'_> {
    /// Whether only marks stand beside the match; beside one without letters, more numbers may.
    /// What has letters behind a `#` is a colour, a tag or a place in a page.
    fn holds_only(&self, whole: &Range<usize>) -> bool {
        let bytes = self.text.as_bytes();
        let lettered = bytes[whole.clone()].iter().any(u8::is_ascii_alphabetic);
        if lettered && bytes[..whole.start].ends_with(b"#") {
            return false;
        }
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
