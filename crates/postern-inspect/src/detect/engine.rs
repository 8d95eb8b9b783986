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

use super::context::{self, Spaced, floor};
use super::facts::{self, ByteSet, Facts, syntax};
use super::prefilter::{Bits, Held, Prefilter, ROWS_MAX, length_bit};
use super::span::{Known, Span, Weight, What, resolve};
use super::words::Words;
use super::{Detector, Edges, Needs, TABLES};
use crate::bounds::{FAILED_BYTES_MAX, LEFT_BYTES, PATTERN_CACHE_BYTES};

/// A row with what is known of its patterns.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) detector: &'static Detector,
    pub(crate) facts: Facts,
    /// The bytes, white space apart, in which the text to its left may end.
    pub(crate) left_last: ByteSet,
    /// The bytes, white space too, in which the text to its left may end.
    left_end: ByteSet,
    /// The byte it needs, where every match holds it more than once, and how often.
    needed: Option<(u8, usize)>,
    /// The lengths of runs of letters, digits and `_` that a match may be.
    lengths: u64,
    regex: OnceLock<Regex>,
    left: OnceLock<Regex>,
}

/// How sure a row must be of its shape that the name of something else before it, such as `order
/// no.`, leaves it as sure, in percent.
const NAMED_OTHERWISE: u8 = 75;

/// How sure a match is at most that is called something else, in percent.
const CALLED_OTHER: u8 = 40;

/// How many bytes patterns may run over before looking for their words is worth while.
const WORDS_WORTH: usize = 96;

/// The rows that a rule set asks for.
#[derive(Debug, Clone)]
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
            alone: Bits::NONE,
        };
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
        let mut words = Wanted {
            rows: Bits::NONE,
            worded: Bits::NONE,
            alone: Bits::NONE,
        };
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
        segment: Range<usize>,
        alone: bool,
        wanted: &Wanted,
        judge: &dyn Fn(&DataClass, u8) -> Weight,
    ) -> Vec<Span> {
        let bytes = &text.as_bytes()[segment.clone()];
        let mut rows = wanted.rows;
        if alone {
            rows.join(&wanted.alone);
        }
        let Some((picked, held)) = self.prefilter.pick(bytes, &rows) else {
            return Vec::new();
        };
        let solid = |byte: &&u8| !byte.is_ascii_whitespace();
        let before = text.as_bytes()[..segment.start].iter().rfind(solid);
        let before = before.copied().unwrap_or(b' ');
        let (mut worded, mut lefts) = (Bits::NONE, Bits::NONE);
        let mut beside = 0;
        let mut spans = Vec::new();
        let search = Search {
            text: &text[..segment.end],
            from: segment.start,
            alone,
            judge,
        };
        let mut run = |order: usize| self.rows[order].find(&search, order, &mut spans);
        for order in picked.rows() {
            let row = &self.rows[order];
            if !row.may_match(before, bytes, &held) {
                continue;
            }
            let bare = alone && wanted.alone.has(order);
            let word = wanted.worded.has(order) && !bare;
            let left = self.words.asking.has(order);
            if !word && !left {
                run(order);
                continue;
            }
            beside += 1;
            if left {
                lefts.set(order);
            } else {
                worded.set(order);
            }
        }
        // Where nobody asks for it without a word, one must stand in the text; to look for words
        // costs as much as some patterns on a short segment.
        if beside * segment.len() > WORDS_WORTH || beside > 1 {
            let from = floor(text, segment.start.saturating_sub(LEFT_BYTES));
            let (near, left) = self.words.near(&text[from..segment.end]);
            worded.keep(&near);
            lefts.keep(&left);
        }
        worded.join(&lefts);
        worded.rows().for_each(run);
        resolve(text, 0, &mut spans);
        spans
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

impl Row {
    pub(super) fn new(detector: &'static Detector) -> Self {
        let read = |pattern: &str| Facts::read(pattern).expect("a test reads every pattern");
        // In any letter case, as it is searched.
        let left = read(&format!("(?i:{})", detector.left));
        let facts = read(detector.pattern);
        Self {
            detector,
            left_last: left.last_of_left(),
            left_end: left.end_of_left(),
            needed: needed(detector),
            lengths: lengths(detector, &facts),
            facts,
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
                Edges::Glued => format!(r"(?:{pattern})(?-u:\b{{end-half}})"),
                Edges::Word | Edges::Number | Edges::Groups | Edges::Key => {
                    format!(r"(?-u:\b{{start-half}})(?:{pattern})(?-u:\b{{end-half}})")
                }
            };
            compile(&pattern)
        })
    }

    /// Whether a segment may hold a match, behind text that ends in `before`. What ends within the
    /// segment must end directly before the match; before the segment, white space may follow.
    fn may_match(&self, before: u8, segment: &[u8], held: &Held) -> bool {
        let behind = self.detector.left.is_empty()
            || self.left_last.has(before)
            || self.left_end.meets(&held.bytes);
        let often = |(byte, count): (u8, usize)| {
            count <= segment.iter().filter(|other| **other == byte).count()
        };
        behind
            && held.lengths & self.lengths != 0
            && self.needed.is_none_or(often)
            && self.facts.musts.iter().all(|set| set.meets(&held.bytes))
    }

    /// Searches the end of `text` from `from` on.
    fn find(&self, search: &Search<'_>, order: usize, spans: &mut Vec<Span>) {
        let (text, from) = (search.text, search.from);
        let regex = self.regex();
        // Where starts are known, each is tried alone: a search for the first of many would follow
        // all of them at once through the long repetitions of such rows.
        let anchored = match self.detector.left {
            "" => Anchored::No,
            _ => Anchored::Yes,
        };
        let mut captures = None;
        let mut at = from;
        let mut failed = 0;
        while let Some(start) = self.next_start(text, at) {
            let input = Input::new(text).span(start..text.len()).anchored(anchored);
            let Some((whole, value)) = next_match(regex, &input, &mut captures) else {
                if anchored == Anchored::No {
                    return;
                }
                at = start + 1;
                continue;
            };
            let (whole, value) = (widen(text, whole), widen(text, value));
            let span = self.judge(search, &whole, &value, order);
            at = match span {
                Some(_) => whole.end.max(whole.start + 1),
                None => whole.start + 1,
            };
            if span.is_none() {
                failed += whole.len();
                if failed > FAILED_BYTES_MAX {
                    spans.extend(self.endless(whole.start..text.len(), order, search.judge));
                    return;
                }
            }
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
            behind && self.facts.first.has(bytes[*start]) && text.is_char_boundary(*start)
        };
        let last = (bytes.len() + 1).saturating_sub(self.facts.bytes_min.max(1));
        (at..last).find(fits)
    }

    /// Text in which more matches fail their check than there is time for: all of it is taken for
    /// a value, since the rest of it was not looked at.
    fn endless(
        &self,
        range: Range<usize>,
        order: usize,
        judge: &dyn Fn(&DataClass, u8) -> Weight,
    ) -> Option<Span> {
        let class = DataClass::Builtin(self.detector.class);
        let (without, with) = self.detector.confidence;
        let confidence = without.max(with);
        let weight = judge(&class, confidence);
        (weight != Weight::None).then_some(Span {
            start: range.start,
            end: range.end,
            matched: range.start,
            what: What::Found {
                class,
                confidence,
                weight,
                order,
                goes_on: None,
                known: Known::Whole,
            },
        })
    }

    fn judge(
        &self,
        search: &Search<'_>,
        whole: &Range<usize>,
        value: &Range<usize>,
        order: usize,
    ) -> Option<Span> {
        let text = search.text;
        let detector = self.detector;
        let fine = !value.is_empty()
            && context::edges_hold(detector.edges, text, whole)
            && (detector.left.is_empty() || self.left_ends(left_of(text, whole.start)))
            && detector
                .check
                .is_none_or(|check| check(&text[value.clone()]));
        if !fine {
            return None;
        }
        let (without, with) = detector.confidence;
        let surer =
            with != without && context::has_word(left_of(text, whole.start), detector.words);
        let mut confidence = if surer { with } else { without };
        let left = left_of(text, whole.start);
        if !surer
            && with != without
            && without < NAMED_OTHERWISE
            && context::other_name(left).is_some()
        {
            confidence = confidence.min(CALLED_OTHER);
        }
        if detector.alone > confidence && search.alone && search.holds_only(whole) {
            confidence = detector.alone;
        }
        let class = DataClass::Builtin(detector.class);
        let weight = (search.judge)(&class, confidence);
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
                known: Known::Whole,
            },
        })
    }

    fn left(&self) -> &Regex {
        let compiled = || compile(&format!("(?i:{})\\z", self.detector.left));
        self.left.get_or_init(compiled)
    }

    fn left_ends(&self, left: &str) -> bool {
        let pattern = self.left();
        let spaced = || Spaced::of(left).is_some_and(|spaced| pattern.is_match(spaced.text()));
        pattern.is_match(left) || spaced()
    }

    /// Compiles both patterns now.
    #[cfg(test)]
    pub(super) fn compiles(&self) {
        self.regex();
        self.left_ends("");
    }
}

/// The text to the left of a match that a row may ask about.
fn left_of(text: &str, start: usize) -> &str {
    &text[floor(text, start.saturating_sub(LEFT_BYTES))..start]
}

/// The byte that the row needs, if a match holds it more than once.
fn needed(detector: &Detector) -> Option<(u8, usize)> {
    let Needs::Byte(byte) = detector.needs else {
        return None;
    };
    let count = facts::least(detector.pattern, &ByteSet::of(|other| other == byte));
    (count > 1).then_some((byte, count))
}

/// The lengths of runs that a match may be: one of letters, digits and `_` alone, with edges, is
/// such a run as a whole.
fn lengths(detector: &Detector, facts: &Facts) -> u64 {
    if matches!(detector.edges, Edges::Any | Edges::Glued) || !facts.of_word {
        return u64::MAX;
    }
    let (min, max) = (facts.bytes_min, facts.bytes_max.unwrap_or(usize::MAX));
    // All that is longer shares the last bit.
    (min.min(63)..=max.min(63)).fold(0, |bits, length| bits | length_bit(length))
}

/// The whole match and the value in it. Groups cost, so they are looked for in a match only.
fn next_match(
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
