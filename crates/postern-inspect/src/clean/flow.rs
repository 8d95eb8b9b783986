//! Plain text on its way: held until it is settled, searched, and given on.

mod coded;
mod escaped;
mod told;
mod written;

use std::ops::Range;

use coded::Coded;
use escaped::Escapes;

use super::channel::Sink;
use super::custom::Walk;
use super::pieces::Pieces;
use super::spelling::Spelling;
use super::{Act, CleanError, Cleaner, Value};
use crate::bounds::{HIDDEN_BYTES_MAX, LEFT_BYTES, SLICE_BYTES};
use crate::detect::context::{ceiling, floor};
use crate::detect::fold::{self, Fold, folded};
use crate::detect::scan::settle;
use crate::detect::span::{Known, Span, Weight, What, resolve};
use crate::detect::words::Near;
use crate::segment::{Segmenter, Step};
pub(super) use told::Told;
use written::Written;

/// The state of one text between pieces.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    /// Some text that is already given, for context, and all that is held, folded.
    text: String,
    /// How what is held was written, where that is another text; empty otherwise.
    written: Option<Box<Spelling>>,
    /// Bytes without width since the last white space, or letter that no number holds.
    hidden: u32,
    /// Whether there is no more text.
    ended: bool,
    /// Where what is held starts.
    from: usize,
    segmenter: Segmenter,
    /// Possible matches of classes that rules define.
    walk: Walk,
    /// Words near what is held.
    near: Near,
    /// Findings in what is held, in order unless some were told.
    spans: Vec<Span>,
    /// Whether some of them were found in parts of the text by themselves.
    told: bool,
    /// What is written in percent-encoding.
    coded: Coded,
    /// What escapes in it say.
    escapes: Escapes,
    /// What waits for an analyzer, behind the patterns; `None` until one is asked.
    pieces: Option<Box<Pieces>>,
    /// A number or a word of JSON: no name is in it.
    bare: bool,
    /// Whether what is there may be all of a text.
    whole: bool,
}

/// How sure a class is that a rule defines: its author says so.
const SURE: u8 = 100;

/// Whether this is what stands behind a password in an address.
fn is_host(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    text.strip_prefix('@')
        .is_some_and(|host| host.bytes().all(inner))
}

impl Flow {
    /// A text with `left` to its left.
    pub(super) fn new(left: &str) -> Self {
        let mut text = folded(left).into_owned();
        // A name that touched the value would look like a part of it.
        if text.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            text.push_str(": ");
        }
        Self::start(text)
    }

    /// A text that goes on directly behind `left`.
    pub(super) fn after(left: &str) -> Self {
        let from = floor(left, left.len().saturating_sub(LEFT_BYTES));
        Self::start(folded(&left[from..]).into_owned())
    }

    fn start(text: String) -> Self {
        Self {
            from: text.len(),
            segmenter: Segmenter::new(&text),
            walk: Walk::new(text.len()),
            coded: Coded::new(text.len()),
            escapes: Escapes::default(),
            text,
            written: None,
            hidden: 0,
            ended: false,
            near: Near::default(),
            spans: Vec::new(),
            told: false,
            pieces: None,
            bare: false,
            whole: true,
        }
    }

    /// The same, for a number or a word of JSON: no analyzer is asked about it, and it is not all
    /// of a text.
    pub(super) fn bare(mut self) -> Self {
        self.bare = true;
        self.whole = false;
        self
    }

    /// The same, for what is all of a text nevertheless.
    pub(super) fn whole(mut self) -> Self {
        self.whole = true;
        self
    }

    pub(super) fn holds(&self) -> bool {
        let holds = self.from < self.text.len() || self.is_foreign();
        holds || self.pieces.as_ref().is_some_and(|it| it.holds())
    }

    pub(super) fn push(
        &mut self,
        piece: &str,
        cleaner: &mut Cleaner,
        place: &str,
        out: &mut dyn Sink,
    ) -> Result<(), CleanError> {
        let mut rest = piece;
        while !rest.is_empty() {
            let (slice, more) = rest.split_at(floor(rest, SLICE_BYTES));
            rest = more;
            self.read(slice, cleaner)?;
            self.give_on(cleaner, place, false, out)?;
        }
        Ok(())
    }

    /// Takes text and searches it.
    fn read(&mut self, slice: &str, cleaner: &Cleaner) -> Result<(), CleanError> {
        let mut rest = slice;
        while !rest.is_empty() {
            self.begin_escaped(rest, cleaner);
            let (text, more) = rest.split_at(self.escapes.stretch(rest));
            rest = more;
            self.take(text)?;
            self.search(cleaner, false)?;
            self.end_escaped(text, cleaner);
        }
        Ok(())
    }

    pub(super) fn finish(
        &mut self,
        cleaner: &mut Cleaner,
        place: &str,
        out: &mut dyn Sink,
    ) -> Result<(), CleanError> {
        self.search(cleaner, true)?;
        self.ended = true;
        self.give_on(cleaner, place, true, out)
    }

    /// Whether what is held was written as another text than it is read.
    fn is_foreign(&self) -> bool {
        self.written.as_ref().is_some_and(|it| !it.is_empty())
    }

    /// Takes text as it is read, and notes how it was written.
    fn take(&mut self, slice: &str) -> Result<(), CleanError> {
        let mut at = 0;
        if self.hidden == 0 && !self.is_foreign() && slice.is_ascii() {
            self.text.push_str(slice);
            return Ok(());
        }
        while let Some((place, c, fold)) = fold::next(slice, at) {
            self.take_same(&slice[at..place]);
            at = place + c.len_utf8();
            let spelling = self.written.get_or_insert_default();
            if spelling.is_empty() {
                spelling.plain(&self.text[self.from..]);
            }
            let raw = &slice[place..at];
            match fold {
                Fold::As(byte) => {
                    self.text.push(char::from(byte));
                    spelling.spelled(1, raw);
                }
                Fold::Same | Fold::Nothing => {
                    spelling.spelled(0, raw);
                    self.hide(raw.len())?;
                }
            }
        }
        self.take_same(&slice[at..]);
        Ok(())
    }

    /// Takes a mark that is written here and no part of the text to its readers.
    pub(super) fn pass_over(&mut self, mark: &str) -> Result<(), CleanError> {
        let spelling = self.written.get_or_insert_default();
        if spelling.is_empty() {
            spelling.plain(&self.text[self.from..]);
        }
        spelling.spelled(0, mark);
        self.hide(mark.len())
    }

    /// Notes bytes that are written and not read.
    fn hide(&mut self, bytes: usize) -> Result<(), CleanError> {
        self.hidden = self.hidden.saturating_add(bytes as u32);
        // SECURITY: what has no width takes no room in a window, so that a value could be
        // stretched without end by it.
        if self.hidden > HIDDEN_BYTES_MAX {
            return Err(CleanError::CannotInspect(
                "too many characters without width stand in one word",
            ));
        }
        Ok(())
    }

    /// Takes text that is read as it was written.
    fn take_same(&mut self, same: &str) {
        if same.bytes().any(|byte| byte <= b' ' || byte >= 0x80) {
            self.hidden = 0;
        }
        self.text.push_str(same);
        if let Some(spelling) = self.written.as_mut().filter(|it| !it.is_empty()) {
            spelling.plain(same);
        }
    }

    /// Gives on what is settled, through the analyzer's pieces where one is asked.
    fn give_on(
        &mut self,
        cleaner: &mut Cleaner,
        place: &str,
        ended: bool,
        out: &mut dyn Sink,
    ) -> Result<(), CleanError> {
        if self.bare || !cleaner.analyzes() {
            return self.release(cleaner, place, out);
        }
        let mut pieces = self.pieces.take().unwrap_or_default();
        self.release(cleaner, place, &mut *pieces)?;
        pieces.release(cleaner, place, ended, out)?;
        self.pieces = Some(pieces);
        Ok(())
    }

    /// Reads on as far as the text goes, in each way in which it is read.
    fn search(&mut self, cleaner: &Cleaner, ended: bool) -> Result<(), CleanError> {
        self.advance(cleaner, ended);
        self.walk(cleaner, ended);
        self.read_coded(cleaner, ended)?;
        self.read_escaped(cleaner, ended)
    }

    /// Reads on as far as the text goes and collects what is found.
    fn advance(&mut self, cleaner: &Cleaner, ended: bool) {
        loop {
            let plain = &cleaner.rules.engine().prefilter.plain;
            match self.segmenter.step(&self.text, plain, ended) {
                Step::More => return,
                Step::Segment(start, end) => {
                    let alone =
                        ended && self.whole && self.segmenter.is_alone(&self.text, start, end);
                    let found = self.find(cleaner, start..end, alone);
                    self.spans.extend(found);
                }
                Step::Window(start, end, first) => {
                    let found = self.find(cleaner, start..end, false);
                    let settled = settle(&self.text, found, start..end, first);
                    self.spans.extend(settled.spans);
                    self.segmenter.cut(&self.text, settled.cut, settled.goes_on);
                    self.coded.is_long(end);
                }
                Step::Rest(start, end) => self.spans.push(Span {
                    start,
                    end,
                    matched: start,
                    what: What::Rest,
                }),
            }
        }
    }

    fn find(&mut self, cleaner: &Cleaner, segment: Range<usize>, alone: bool) -> Vec<Span> {
        let judge = |class: &_, confidence| cleaner.weight(class, confidence);
        let wanted = cleaner.rules.rows(cleaner.direction);
        let engine = cleaner.rules.engine();
        let (text, near) = (&self.text, &mut self.near);
        let mut spans = engine.find(text, (segment.clone(), alone), wanted, near, &judge);
        spans.retain(|span| !self.is_ours(cleaner, span));
        for span in &mut spans {
            span.stands_before_at(&self.text[..segment.end]);
        }
        if cleaner.restores() {
            self.placeholders(cleaner, segment, &mut spans);
        }
        spans
    }

    /// What was written in place of a value is none.
    fn is_ours(&self, cleaner: &Cleaner, span: &Span) -> bool {
        let What::Found { class, .. } = &span.what else {
            return false;
        };
        let (ours, value) = (cleaner.ours(), span.start..span.end);
        // A match that begins in a label is none; the host behind it is nobody's.
        let first = span.matched..ceiling(&self.text, span.matched + 1);
        if span.is_part() && is_host(&self.text[value.clone()]) && ours.is_around(&self.text, first)
        {
            return true;
        }
        ours.is_written(class, &self.text[value.clone()])
            || ours.is_around(&self.text, value.clone())
            || self.is_coded_label(ours, class, value)
    }

    /// Looks for the classes that rules define.
    fn walk(&mut self, cleaner: &Cleaner, ended: bool) {
        let Some(custom) = cleaner.rules.custom() else {
            return;
        };
        for own in self.walk.advance(custom, &self.text, ended) {
            let weight = cleaner.weight(&own.class, SURE);
            if weight == Weight::None {
                continue;
            }
            let (start, end) = (floor(&self.text, own.start), ceiling(&self.text, own.end));
            self.spans.push(Span {
                start,
                end,
                matched: start,
                what: What::Found {
                    class: own.class,
                    confidence: SURE,
                    weight,
                    order: usize::MAX,
                    goes_on: None,
                    known: Known::Whole,
                },
            });
        }
    }

    /// Placeholders come before anything that is found around them.
    fn placeholders(&self, cleaner: &Cleaner, segment: Range<usize>, spans: &mut Vec<Span>) {
        let mut from = segment.start;
        let text = &self.text[..segment.end];
        while let Some((start, end, value)) = cleaner.pseudonyms.next(text, from) {
            let apart = |span: &Span| span.end <= start || end <= span.start;
            let beyond = |span: &Span| span.start < start || end < span.end;
            from = end;
            // SECURITY: a value of which a placeholder is a part is a value all the same, or a
            // model could write a placeholder beside a secret to let it pass. It holds, unrestored.
            if spans
                .iter()
                .any(|span| span.acts() && !apart(span) && beyond(span))
            {
                continue;
            }
            spans.retain(apart);
            spans.push(Span {
                start,
                end,
                matched: start,
                what: What::Placeholder(value),
            });
        }
        resolve(text, 0, spans);
    }

    /// Gives on what is settled.
    fn release(
        &mut self,
        cleaner: &mut Cleaner,
        place: &str,
        out: &mut dyn Sink,
    ) -> Result<(), CleanError> {
        let mut settled = self.segmenter.settled();
        let mut spans = std::mem::take(&mut self.spans);
        let custom = cleaner.rules.custom().is_some();
        if custom {
            settled = settled.min(self.walk.settled());
        }
        settled = settled.min(self.coded.settled());
        settled = settled.min(self.escapes.settled(cleaner));
        if custom || self.told || self.coded.holds() || self.escapes.is_open() {
            // Of a value that reaches beyond, others may start inside: what is left of it beside
            // them is not known.
            let starts = |span: &Span| span.start.max(self.from);
            let beyond = spans.iter().filter(|span| span.end > settled).map(starts);
            settled = beyond.fold(settled, usize::min);
            let (ready, open) = spans.into_iter().partition(|span| starts(span) < settled);
            (spans, self.spans) = (ready, open);
            spans.retain(|span| !self.is_ours(cleaner, span));
            self.escapes.drop_misread(&mut spans);
            resolve(&self.text, self.from, &mut spans);
            spans.retain(|span| !self.is_ours(cleaner, span));
        }
        let mut written = self.written.take().filter(|spelling| !spelling.is_empty());
        let mut given = Written {
            spelling: written.as_deref_mut(),
            out,
        };
        let done = self.give(spans, settled, (cleaner, place), &mut given);
        if self.ended && done.is_ok() {
            given.keep_rest();
        }
        self.written = written;
        done?;
        self.forget();
        Ok(())
    }

    /// Gives on everything before `settled`, and what the spans say instead of them.
    fn give(
        &mut self,
        spans: Vec<Span>,
        settled: usize,
        (cleaner, place): (&mut Cleaner, &str),
        out: &mut Written<'_>,
    ) -> Result<(), CleanError> {
        let mut at = self.from;
        for span in spans {
            if span.start < at {
                continue;
            }
            let value = &self.text[span.start..span.end];
            // What is kept has to be given before the value's spelling is known.
            out.keep(&self.text[at..span.start]);
            at = span.start;
            let coded = self.coded.of(span.start..span.end);
            let act = match span.what {
                What::Rest => {
                    out.skip(value);
                    at = span.end;
                    continue;
                }
                What::Placeholder(original) => Act::Replace(original),
                What::Found {
                    class,
                    confidence,
                    goes_on,
                    known,
                    ..
                } => {
                    let place = out.place(place);
                    let value = coded.value().unwrap_or_else(|| out.spelling_of(value));
                    let known = match (goes_on, known) {
                        (Some(_), _) if span.end - span.start > LEFT_BYTES => Value::Part,
                        (_, Known::Part) => Value::Part,
                        (_, Known::BeforeAt) => Value::BeforeAt(value),
                        (_, Known::Whole) => Value::Whole(value),
                    };
                    cleaner.act(&class, confidence, &place, known)?
                }
            };
            if let Act::Replace(with) = act {
                out.replace(value, &coded.encoded(&with));
                at = span.end;
            }
        }
        if at < settled {
            out.keep(&self.text[at..settled]);
        }
        self.from = at.max(settled);
        Ok(())
    }

    /// Drops text that is neither held nor needed for context.
    fn forget(&mut self) {
        let keep = floor(&self.text, self.from.saturating_sub(LEFT_BYTES));
        if keep >= SLICE_BYTES || keep > 0 && keep >= self.text.len() / 2 {
            self.text.drain(..keep);
            self.from -= keep;
            self.segmenter.shift(keep);
            self.walk.shift(keep);
            self.coded.shift(keep);
            self.escapes.shift(keep);
            self.near.shift(keep);
            for span in &mut self.spans {
                span.start -= keep;
                span.end -= keep;
                span.matched = span.matched.saturating_sub(keep);
            }
        }
    }
}
