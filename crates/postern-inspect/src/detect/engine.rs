//! The engine: the rows of all tables, compiled, and the search of one segment.
//!
//! Patterns are compiled when a segment first asks for them, and then shared by all streams. A
//! search sees the text to the left of the segment, for edges and context, and never what comes
//! after it, so that its result cannot depend on how much of the text has arrived.

use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use postern_types::{BuiltinClass, DataClass};
use regex_automata::meta::Regex;
use regex_automata::util::captures::Captures;
use regex_automata::{Anchored, Input};

use super::context::{self, floor};
use super::facts::{ByteSet, Facts, syntax};
use super::prefilter::{Bits, Held, Prefilter, ROWS_MAX};
use super::words::Words;
use super::{Detector, Edges, TABLES};
use crate::bounds::{LEFT_BYTES, PATTERN_CACHE_BYTES};

/// A row with what is known of its patterns.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) detector: &'static Detector,
    pub(crate) facts: Facts,
    /// The bytes, white space apart, in which the text to its left may end.
    pub(crate) left_last: ByteSet,
    /// The bytes, white space too, in which the text to its left may end.
    left_end: ByteSet,
    regex: OnceLock<Regex>,
    left: OnceLock<Regex>,
}

/// How many bytes patterns may run over before looking for their words is worth while.
const WORDS_WORTH: usize = 96;

/// The rows that a rule set asks for.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    rows: Bits,
    /// Those it asks for only where one of their words stands to the left.
    worded: Bits,
}

/// What a rule set makes of a class at a confidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// Nobody asks.
    None,
    /// It is reported and passes.
    Passes,
    /// Something is done about it.
    Acts,
}

/// A value found: where it stands, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Where the whole match starts, of which the value may be a part.
    pub(crate) matched: usize,
    pub(crate) what: What,
}

/// What a span is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// Found by a detector or a pattern of a rule.
    Found {
        class: DataClass,
        confidence: u8,
        weight: Weight,
        /// Its place among the detectors, to order equal findings.
        order: usize,
        /// The bytes with which it goes on, where it reaches the end of the window.
        goes_on: Option<ByteSet>,
    },
    /// A placeholder of ours, and what it stands for.
    Placeholder(String),
    /// The value before it goes on.
    Rest,
}

/// The compiled tables.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) rows: Vec<Row>,
    pub(crate) prefilter: Prefilter,
    words: Words,
}

/// The detectors that ship with the product.
pub(crate) static ENGINE: LazyLock<Engine> =
    LazyLock::new(|| Engine::new(TABLES.into_iter().flatten()));

impl Engine {
    pub(crate) fn new(detectors: impl Iterator<Item = &'static Detector>) -> Self {
        let rows: Vec<Row> = detectors.map(Row::new).collect();
        assert!(rows.len() <= ROWS_MAX, "the bits of rows have room");
        let prefilter = Prefilter::new(&rows);
        let words = Words::new(&rows);
        Self {
            rows,
            prefilter,
            words,
        }
    }

    /// The rows of the classes that somebody asks for at a confidence.
    pub(crate) fn wanted(&self, asked: impl Fn(BuiltinClass, u8) -> bool) -> Wanted {
        let mut wanted = Wanted {
            rows: Bits::NONE,
            worded: Bits::NONE,
        };
        for (index, row) in self.rows.iter().enumerate() {
            let (without, with) = row.detector.confidence;
            let class = row.detector.class;
            if asked(class, without) {
                wanted.rows.set(index);
            } else if asked(class, with) {
                wanted.rows.set(index);
                wanted.worded.set(index);
            }
        }
        wanted
    }

    /// Finds every value in the segment, without those that a better one overlaps.
    pub(crate) fn find(
        &self,
        text: &str,
        segment: Range<usize>,
        wanted: &Wanted,
        judge: &dyn Fn(&DataClass, u8) -> Weight,
    ) -> Vec<Span> {
        let bytes = &text.as_bytes()[segment.clone()];
        let solid = |byte: &&u8| !byte.is_ascii_whitespace();
        let before = text.as_bytes()[..segment.start].iter().rfind(solid);
        let before = before.copied().unwrap_or(b' ');
        let (mut picked, held) = self.prefilter.pick(bytes);
        picked.keep(&wanted.rows);
        let mut worded = Bits::NONE;
        let mut beside = 0;
        let mut spans = Vec::new();
        let text_to_end = &text[..segment.end];
        let mut run = |order: usize| {
            self.rows[order].find(text_to_end, segment.start, order, judge, &mut spans);
        };
        for order in picked.rows() {
            let row = &self.rows[order];
            if segment.len() < row.facts.bytes_min || !row.may_match(before, &held) {
                continue;
            }
            if wanted.worded.has(order) {
                worded.set(order);
                beside += 1;
            } else {
                run(order);
            }
        }
        // Where nobody asks for it without a word, one must stand in the text; to look for words
        // costs as much as some patterns on a short segment.
        if beside * segment.len() > WORDS_WORTH {
            let left = floor(text, segment.start.saturating_sub(LEFT_BYTES));
            worded.keep(&self.words.near(&text[left..segment.end]));
        }
        worded.rows().for_each(run);
        resolve(&mut spans);
        spans
    }
}

/// Orders spans and drops those that a better one overlaps. What acts comes before what passes:
/// a value that is only reported must not hide one that may not pass.
pub(crate) fn resolve(spans: &mut Vec<Span>) {
    if spans.len() < 2 {
        return;
    }
    spans.sort_by_key(rank);
    let mut kept: Vec<Span> = Vec::with_capacity(spans.len());
    for acts in [true, false] {
        let mut taken_to = 0;
        for span in spans.iter().filter(|span| span.acts() == acts) {
            let free = span.start >= taken_to
                && (acts
                    || !kept
                        .iter()
                        .any(|k| k.start < span.end && span.start < k.end));
            if free {
                taken_to = span.end;
                kept.push(span.clone());
            }
        }
    }
    kept.sort_by_key(|span| span.start);
    *spans = kept;
}

fn rank(span: &Span) -> (usize, std::cmp::Reverse<(usize, u8)>, usize) {
    let (confidence, order) = match &span.what {
        What::Found {
            confidence, order, ..
        } => (*confidence, *order),
        What::Placeholder(_) | What::Rest => (u8::MAX, 0),
    };
    let length = span.end - span.start;
    (span.start, std::cmp::Reverse((length, confidence)), order)
}

impl Span {
    pub(crate) fn acts(&self) -> bool {
        match &self.what {
            What::Found { weight, .. } => *weight == Weight::Acts,
            What::Placeholder(_) | What::Rest => true,
        }
    }
}

impl Row {
    pub(super) fn new(detector: &'static Detector) -> Self {
        let read = |pattern: &str| Facts::read(pattern).expect("a test reads every pattern");
        // In any letter case, as it is searched.
        let left = read(&format!("(?i:{})", detector.left));
        Self {
            detector,
            facts: read(detector.pattern),
            left_last: left.last_of_left(),
            left_end: left.end_of_left(),
            regex: OnceLock::new(),
            left: OnceLock::new(),
        }
    }

    fn regex(&self) -> &Regex {
        self.regex.get_or_init(|| {
            let pattern = self.detector.pattern;
            // Letters, digits and `_` beside a match are part of the search, so that it prefers
            // a match with good edges to an earlier alternative with bad ones.
            let pattern = match self.detector.edges {
                Edges::Any => pattern.to_owned(),
                Edges::Word | Edges::Number | Edges::Groups | Edges::Key => {
                    format!(r"(?-u:\b{{start-half}})(?:{pattern})(?-u:\b{{end-half}})")
                }
            };
            compile(&pattern)
        })
    }

    /// Whether a segment of these bytes may hold a match, behind text that ends in `before`.
    fn may_match(&self, before: u8, held: &Held) -> bool {
        let behind = self.detector.left.is_empty()
            || self.left_last.has(before)
            || self.left_last.meets(&held.bytes);
        behind
            && held.digits_in_row >= self.facts.digits_in_row
            && self.facts.musts.iter().all(|set| set.meets(&held.bytes))
    }

    /// Searches the end of `text` from `from` on.
    fn find(
        &self,
        text: &str,
        from: usize,
        order: usize,
        judge: &dyn Fn(&DataClass, u8) -> Weight,
        spans: &mut Vec<Span>,
    ) {
        let regex = self.regex();
        // Where starts are known, each is tried alone: a search for the first of many would follow
        // all of them at once through the long repetitions of such rows.
        let anchored = match self.detector.left {
            "" => Anchored::No,
            _ => Anchored::Yes,
        };
        let mut captures = None;
        let mut at = from;
        while let Some(start) = self.next_start(text, at) {
            let input = Input::new(text).span(start..text.len()).anchored(anchored);
            let Some((whole, value)) = search(regex, &input, &mut captures) else {
                if anchored == Anchored::No {
                    return;
                }
                at = start + 1;
                continue;
            };
            let (whole, value) = (widen(text, whole), widen(text, value));
            let span = self.judge(text, &whole, &value, order, judge);
            at = match span {
                Some(_) => whole.end.max(whole.start + 1),
                None => whole.start + 1,
            };
            spans.extend(span);
            while !text.is_char_boundary(at) {
                at += 1;
            }
        }
    }

    /// Where a match may start, from `at` on: behind a byte in which the text to its left may end.
    /// Without this, rows of that kind would be tried at each joint of a long run of base64.
    fn next_start(&self, text: &str, at: usize) -> Option<usize> {
        let bytes = text.as_bytes();
        if self.detector.left.is_empty() || at > bytes.len() {
            return (at <= bytes.len()).then_some(at);
        }
        let fits = |start: &usize| {
            let before = start.checked_sub(1).map(|before| bytes[before]);
            let behind = before.is_none_or(|byte| self.left_end.has(byte));
            behind && text.is_char_boundary(*start)
        };
        (at..bytes.len()).find(fits)
    }

    fn judge(
        &self,
        text: &str,
        whole: &Range<usize>,
        value: &Range<usize>,
        order: usize,
        judge: &dyn Fn(&DataClass, u8) -> Weight,
    ) -> Option<Span> {
        let detector = self.detector;
        let left = &text[floor(text, whole.start.saturating_sub(LEFT_BYTES))..whole.start];
        let fine = !value.is_empty()
            && context::edges_hold(detector.edges, text, whole)
            && (detector.left.is_empty() || self.left_ends(left))
            && detector
                .check
                .is_none_or(|check| check(&text[value.clone()]));
        if !fine {
            return None;
        }
        let (without, with) = detector.confidence;
        let surer = with != without && context::has_word(left, detector.words);
        let confidence = if surer { with } else { without };
        let class = DataClass::Builtin(detector.class);
        let weight = judge(&class, confidence);
        let goes_on = (detector.open_ended && whole.end == text.len())
            .then(|| self.facts.tail.unwrap_or(ByteSet::ALL));
        (weight != Weight::None).then_some(Span {
            start: value.start,
            end: value.end,
            matched: whole.start,
            what: What::Found {
                class,
                confidence,
                weight,
                order,
                goes_on,
            },
        })
    }

    fn left_ends(&self, left: &str) -> bool {
        let compiled = || compile(&format!("(?i:{})\\z", self.detector.left));
        self.left.get_or_init(compiled).is_match(left)
    }

    /// Compiles both patterns now.
    #[cfg(test)]
    pub(super) fn compiles(&self) {
        self.regex();
        self.left_ends("");
    }
}

/// The whole match and the value in it. Groups cost, so they are looked for in a match only.
fn search(
    regex: &Regex,
    input: &Input<'_>,
    captures: &mut Option<Captures>,
) -> Option<(Range<usize>, Range<usize>)> {
    let whole = regex.search(input)?.range();
    if regex.captures_len() == 1 {
        return Some((whole.clone(), whole));
    }
    let captures = captures.get_or_insert_with(|| regex.create_captures());
    let input = input.clone().range(whole.start..input.end());
    regex.search_captures(&input.anchored(Anchored::Yes), captures);
    let value = captures
        .get_group(1)
        .map_or_else(|| whole.clone(), |group| group.start..group.end);
    Some((whole, value))
}

/// A pattern of bytes may end inside a character; the value then takes all of it.
fn widen(text: &str, range: Range<usize>) -> Range<usize> {
    let mut end = range.end;
    while !text.is_char_boundary(end) {
        end += 1;
    }
    floor(text, range.start)..end
}

fn compile(pattern: &str) -> Regex {
    let config = Regex::config()
        .utf8_empty(false)
        .hybrid_cache_capacity(PATTERN_CACHE_BYTES);
    Regex::builder()
        .syntax(syntax())
        .configure(config)
        .build(pattern)
        .expect("a test compiles every pattern")
}
