//! One row: its patterns, compiled when a segment first asks for them, and the search for them.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use postern_types::DataClass;
use regex_automata::meta::Regex;
use regex_automata::util::captures::Captures;
use regex_automata::util::syntax::parse_with;
use regex_automata::{Anchored, Input};

use super::Search;
use crate::bounds::{FAILED_BYTES_MAX, LEFT_BYTES, PATTERN_CACHE_BYTES};
use crate::detect::context::{self, Named, Spaced, floor};
use crate::detect::facts::{self, ByteSet, Facts, of_word, syntax};
use crate::detect::prefilter::{Held, length_bit};
use crate::detect::scout::{Scout, Scratch};
use crate::detect::span::{Known, Span, Weight, What};
use crate::detect::words::Words;
use crate::detect::{Detector, Edges, Needs};

/// A row with what is known of its patterns.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) detector: &'static Detector,
    pub(crate) facts: Facts,
    /// The bytes, white space apart, in which the text to its left may end.
    pub(crate) left_last: ByteSet,
    /// The bytes, white space too, in which the text to its left may end.
    pub(in crate::detect) left_end: ByteSet,
    /// The bytes directly behind which a match may begin, where text to its left is asked for.
    pub(in crate::detect) behind: ByteSet,
    /// The byte it needs, where every match holds it more than once, and how often.
    needed: Option<(u8, usize)>,
    /// The lengths of runs of letters, digits and `_` that a match may be.
    lengths: u64,
    /// For each byte, whether a match may begin with it, and directly behind it, where text to its
    /// left is asked for.
    starts: Box<[u8]>,
    /// Its number among the automata of the engine.
    nth: usize,
    scout: OnceLock<Scout>,
    /// Made when the scout first says that there may be a match.
    regex: OnceLock<Regex>,
    /// What must stand to its left; rows that ask for the same share it.
    pub(super) left: Arc<Left>,
}

/// What must stand to the left of a match.
#[derive(Debug)]
pub(super) struct Left {
    pattern: &'static str,
    /// Its number among the automata of the engine.
    nth: usize,
    scout: OnceLock<Scout>,
    /// Made when a text first is too much for the scout.
    regex: OnceLock<Regex>,
}

/// How sure a row must be of its shape that the name of something else before it, such as `order
/// no.`, leaves it as sure, in percent.
const NAMED_OTHERWISE: u8 = 75;

/// How sure a match is at most that is called something else, in percent.
const CALLED_OTHER: u8 = 40;

impl Row {
    pub(super) fn new(detector: &'static Detector, nth: usize, left_of_match: Arc<Left>) -> Self {
        let read = |pattern: &str| Facts::read(pattern).expect("a test reads every pattern");
        // In any letter case, as it is searched.
        let left = read(&format!("(?i:{})", detector.left));
        let facts = read(detector.pattern);
        let left_end = left.end_of_left();
        let behind = match detector.edges {
            Edges::Any | Edges::Glued => left_end,
            _ => left_end.meet(&ByteSet::of(|byte| !of_word(byte))),
        };
        Self {
            detector,
            left_last: left.last_of_left(),
            left_end,
            behind,
            starts: starts(detector, &facts, &behind),
            needed: needed(detector),
            lengths: lengths(detector, &facts),
            facts,
            nth,
            scout: OnceLock::new(),
            regex: OnceLock::new(),
            left: left_of_match,
        }
    }

    /// The pattern as it is searched. Letters, digits and `_` beside a match are part of the
    /// search, so that it prefers a match with good edges to an earlier alternative with bad ones.
    fn pattern(&self) -> String {
        let pattern = self.detector.pattern;
        match self.detector.edges {
            Edges::Any => pattern.to_owned(),
            Edges::Glued => format!(r"(?:{pattern})(?-u:\b{{end-half}})"),
            Edges::Word | Edges::Number | Edges::Groups | Edges::Key => {
                format!(r"(?-u:\b{{start-half}})(?:{pattern})(?-u:\b{{end-half}})")
            }
        }
    }

    fn regex(&self) -> &Regex {
        self.regex.get_or_init(|| compile(&self.pattern()))
    }

    fn scout(&self) -> &Scout {
        self.scout.get_or_init(|| Scout::forward(&self.pattern()))
    }

    /// Compiles what is needed to search where nothing matches.
    pub(super) fn warm(&self) {
        self.scout();
        if !self.detector.left.is_empty() {
            self.left.scout();
        }
    }

    /// Whether a segment may hold a match, behind text that ends in `before`. What ends within the
    /// segment must end directly before the match; before the segment, white space may follow.
    pub(super) fn may_match(&self, before: u8, segment: &[u8], held: &Held) -> bool {
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
    pub(super) fn find(&self, search: &Search<'_>, scratch: &mut Scratch, spans: &mut Vec<Span>) {
        let (text, from) = (search.text, search.from);
        let scout = self.scout();
        // Where starts are known, each is tried alone: a search for the first of many would follow
        // all of them at once through the long repetitions of such rows.
        let anchored = match self.detector.left {
            "" => Anchored::No,
            _ => Anchored::Yes,
        };
        let mut captures = None;
        let mut at = from;
        let mut failed = 0;
        let mut reach = match search.near {
            Some((words, near)) => words.reach(self.nth, near),
            None => Words::anywhere(),
        };
        while let Some(start) = self.next_start(text, at) {
            match reach.next(start) {
                Some(next) if next == start => {}
                Some(next) => {
                    at = next;
                    continue;
                }
                None => return,
            }
            // The left says no sooner than a long repetition does.
            if anchored == Anchored::Yes && !self.left.ends(left_of(text, start), scratch) {
                at = start + 1;
                continue;
            }
            let input = Input::new(text).span(start..text.len()).anchored(anchored);
            let may = scout.may_match(&input, scratch, self.nth);
            let found = may.then(|| next_match(self.regex(), &input, &mut captures));
            let Some((whole, value)) = found.flatten() else {
                if anchored == Anchored::No {
                    return;
                }
                at = start + 1;
                continue;
            };
            let (whole, value) = (widen(text, whole), widen(text, value));
            let span = self.judge(search, &whole, &value);
            at = match span {
                Some(_) => whole.end.max(whole.start + 1),
                None => whole.start + 1,
            };
            if span.is_none() {
                failed += whole.len();
                if failed > FAILED_BYTES_MAX {
                    spans.extend(self.endless(whole.start..text.len(), search.judge));
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
        let last = (bytes.len() + 1).saturating_sub(self.facts.bytes_min.max(1));
        let fits = |before: u8, first: u8| {
            let before = self.starts[usize::from(before)] & BEHIND != 0;
            before && self.starts[usize::from(first)] & FIRST != 0
        };
        let mut at = at;
        if at == 0 {
            if last > 0 && self.facts.first.has(bytes[0]) {
                return Some(0);
            }
            at = 1;
        }
        loop {
            let mut pairs = bytes.get(at - 1..last)?.windows(2);
            at += pairs.position(|pair| fits(pair[0], pair[1]))?;
            if text.is_char_boundary(at) {
                return Some(at);
            }
            at += 1;
        }
    }

    /// Text in which more matches fail their check than there is time for: all of it is taken for
    /// a value, since the rest of it was not looked at.
    fn endless(
        &self,
        range: Range<usize>,
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
                order: self.nth,
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
    ) -> Option<Span> {
        let text = search.text;
        let left = left_of(text, whole.start);
        let detector = self.detector;
        let checks = || {
            detector
                .check
                .is_none_or(|check| check(&text[value.clone()]))
        };
        let edges = || context::edges_hold(detector.edges, text, whole);
        if value.is_empty() || !edges() || !checks() {
            return None;
        }
        let (without, with) = detector.confidence;
        let named = (with != without).then(|| Named::by(left));
        let mut confidence = match named {
            Some(named) if named.has_word(detector.words) => with,
            Some(named) if named.otherwise && without < NAMED_OTHERWISE => {
                without.min(CALLED_OTHER)
            }
            _ => without,
        };
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
                order: self.nth,
                goes_on,
                known: Known::Whole,
            },
        })
    }

    /// Whether its pattern matches with edges that hold.
    #[cfg(test)]
    pub(in crate::detect) fn matches(&self, text: &str) -> bool {
        let whole = |at| self.regex().search(&Input::new(text).span(at..text.len()));
        let mut found = whole(0);
        while let Some(it) = found {
            let range = widen(text, it.range());
            if context::edges_hold(self.detector.edges, text, &range) {
                return true;
            }
            found = whole(it.start() + 1);
        }
        false
    }

    /// Whether the pattern matches right there, as its automaton says too.
    #[cfg(test)]
    pub(super) fn scouts(&self, text: &str, at: usize, scratch: &mut Scratch) -> bool {
        let input = Input::new(text).span(at..text.len());
        let matches = [Anchored::No, Anchored::Yes].map(|anchored| {
            let input = input.clone().anchored(anchored);
            let may = self.scout().may_match(&input, scratch, self.nth);
            let matches = self.regex().is_match(input);
            assert_eq!(may, matches, "{}: {at} in {text:?}", self.detector.id);
            matches
        });
        matches[1]
    }

    /// Compiles all patterns of a row.
    #[cfg(test)]
    pub(in crate::detect) fn compiles(detector: &'static Detector) {
        let row = Self::new(detector, 0, Arc::new(Left::new(detector.left, 1)));
        row.warm();
        row.regex();
        row.left.regex();
    }
}

impl Left {
    pub(super) fn new(pattern: &'static str, nth: usize) -> Self {
        Self {
            pattern,
            nth,
            scout: OnceLock::new(),
            regex: OnceLock::new(),
        }
    }

    fn scout(&self) -> &Scout {
        let compiled = || Scout::backward(&format!("(?i:{})", self.pattern));
        self.scout.get_or_init(compiled)
    }

    fn regex(&self) -> &Regex {
        let compiled = || compile(&format!("(?i:{})\\z", self.pattern));
        self.regex.get_or_init(compiled)
    }

    /// Whether the text ends with it, as it is or with blanks at the joints of names.
    fn ends(&self, left: &str, scratch: &mut Scratch) -> bool {
        let told = self.scout().ends(left, scratch, self.nth);
        told.unwrap_or_else(|| self.is_match(left))
    }

    /// Whether the text ends with it, as its automaton and the pattern say.
    #[cfg(test)]
    pub(super) fn scouts(&self, left: &str, scratch: &mut Scratch) -> bool {
        let told = self.scout().ends(left, scratch, self.nth);
        assert_eq!(told, Some(self.is_match(left)), "{} {left:?}", self.pattern);
        told == Some(true)
    }

    /// [`Self::ends`] for a text that is too much for the scout.
    fn is_match(&self, left: &str) -> bool {
        let pattern = self.regex();
        let spaced = || Spaced::of(left).is_some_and(|spaced| pattern.is_match(spaced.text()));
        pattern.is_match(left) || spaced()
    }
}

/// The text to the left of a match that a row may ask about.
pub(in crate::detect) fn left_of(text: &str, start: usize) -> &str {
    &text[floor(text, start.saturating_sub(LEFT_BYTES))..start]
}

/// Of a byte with which a match may begin.
const FIRST: u8 = 1;

/// Of a byte directly behind which a match may begin.
const BEHIND: u8 = 2;

/// What [`Row::next_start`] looks up.
fn starts(detector: &Detector, facts: &Facts, behind: &ByteSet) -> Box<[u8]> {
    if detector.left.is_empty() {
        return Box::default();
    }
    let of = |is: bool, kind: u8| if is { kind } else { 0 };
    (0..=u8::MAX)
        .map(|byte| of(facts.first.has(byte), FIRST) | of(behind.has(byte), BEHIND))
        .collect()
}

/// The byte that the row needs, if a match holds it more than once.
fn needed(detector: &Detector) -> Option<(u8, usize)> {
    let Needs::Byte(byte) = detector.needs else {
        return None;
    };
    let count = facts::least(detector.pattern, &ByteSet::of(|other| other == byte));
    (count > 1).then_some((byte, count))
}

/// The lengths of runs of which a match holds one. A match of letters, digits and `_` alone, with
/// edges, is such a run as a whole.
fn lengths(detector: &Detector, facts: &Facts) -> u64 {
    let whole = facts.of_word && !matches!(detector.edges, Edges::Any | Edges::Glued);
    let (min, max) = match whole {
        true => (facts.bytes_min, facts.bytes_max.unwrap_or(usize::MAX)),
        false => (facts.word_in_row, usize::MAX),
    };
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
    let pattern = parse_with(pattern, &syntax()).expect("a test reads every pattern");
    // Groups are read by an automaton of its own, which the others would only keep.
    let groups = pattern.properties().explicit_captures_len() > 0;
    let config = Regex::config()
        .utf8_empty(false)
        .onepass(groups)
        .hybrid_cache_capacity(PATTERN_CACHE_BYTES);
    Regex::builder()
        .configure(config)
        .build_from_hir(&pattern)
        .expect("a test compiles every pattern")
}
