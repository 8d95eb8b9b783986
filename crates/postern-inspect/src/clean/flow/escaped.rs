//! Text with escapes in it, as JSON and the strings of programs write it (`\n`, `\u0040`): what it
//! says is read too, beside the text as it stands.
//!
//! Nobody can tell of a backslash amid other words whether it begins an escape: the text may be
//! JSON in a fenced block, or the name of a file. So from the segment on in which one stands, the
//! text is read a second time, with its escapes as what they say, until both readings have come to
//! the same place and no escape is left of it that could stand for a word beside a value. Text
//! without a backslash costs one look for it.

use std::collections::VecDeque;
use std::ops::Range;

use super::coded::Found;
use super::{CleanError, Cleaner, Coded, Flow};
use crate::bounds::{JSON_BACKSLASHES_MAX, LEFT_BYTES};
use crate::clean::json_text::escape::{Escape, Read};
use crate::detect::fold::folded;
use crate::detect::span::{Span, What};

/// The escapes of one text; offsets are those of the text as it is read.
#[derive(Debug, Clone, Default)]
pub(super) struct Escapes {
    open: Option<Box<Reading>>,
    /// Where escapes stand in what is held, in order.
    stand: VecDeque<Range<usize>>,
}

/// The second reading of a text.
#[derive(Debug, Clone)]
struct Reading {
    flow: Flow,
    /// The first byte of the text that is not read.
    at: usize,
    /// How far places in the text are from those in what it says; in order.
    marks: VecDeque<Mark>,
    /// Where the last escape ends in the text, if one stood.
    last: Option<usize>,
}

/// From a place in what is said on, so far is it to the place where that is written.
#[derive(Debug, Clone, Copy)]
struct Mark {
    at: usize,
    shift: isize,
}

/// What stands at a backslash.
enum Next {
    /// A character in so many bytes.
    Char(char, usize),
    /// So many bytes that are no escape.
    Plain(usize),
    /// What follows decides.
    More,
}

impl Escapes {
    /// Whether a second reading is open.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Nothing from there on is settled.
    pub(super) fn settled(&self, cleaner: &Cleaner) -> usize {
        let open = self.open.as_ref();
        open.map_or(usize::MAX, |reading| {
            reading.written(reading.settled(cleaner))
        })
    }

    /// The text lost so many bytes at its front.
    pub(super) fn shift(&mut self, bytes: usize) {
        while self.stand.front().is_some_and(|range| range.end <= bytes) {
            self.stand.pop_front();
        }
        for range in &mut self.stand {
            *range = range.start.saturating_sub(bytes)..range.end - bytes;
        }
        if let Some(reading) = &mut self.open {
            reading.at -= bytes;
            reading.last = reading.last.map(|last| last.saturating_sub(bytes));
            for mark in &mut reading.marks {
                mark.shift -= bytes as isize;
            }
        }
    }

    /// Drops what was found in the text as it stands where it begins with a letter of an escape and
    /// is known without it: of `\nnick@…`, what follows the line end.
    pub(super) fn drop_misread(&self, spans: &mut Vec<Span>) {
        if self.stand.is_empty() {
            return;
        }
        let begins_in = |span: &Span| {
            let at = self.stand.partition_point(|range| range.end <= span.start);
            let range = self.stand.get(at)?;
            (range.start < span.start).then_some(range.end)
        };
        let is_misread = |span: &Span| {
            begins_in(span).is_some_and(|start| {
                let same = |other: &&Span| other.start == start && other.end == span.end;
                { spans.iter() }
                    .filter(same)
                    .any(|other| other.weight() >= span.weight())
            })
        };
        let misread: Vec<bool> = spans.iter().map(is_misread).collect();
        let mut misread = misread.into_iter();
        spans.retain(|_| misread.next() != Some(true));
    }

    /// How many bytes at the front of a text to come are read in one go, so that what is done does
    /// not depend on where it was cut.
    pub(super) fn stretch(&self, text: &str) -> usize {
        let bytes = text.as_bytes();
        let end = match self.open {
            Some(_) => {
                let white = bytes.iter().position(u8::is_ascii_whitespace);
                white.map(|at| at + 1)
            }
            None => memchr::memchr(b'\\', bytes),
        };
        end.unwrap_or(bytes.len())
    }
}

impl Flow {
    /// Before text is read that goes on so: its second reading begins where an escape may.
    pub(super) fn begin_escaped(&mut self, text: &str, cleaner: &Cleaner) {
        if self.escapes.open.is_some() || !text.starts_with('\\') {
            return;
        }
        let mut start = self.segmenter.settled();
        if cleaner.rules.custom().is_some() {
            start = start.min(self.walk.settled());
        }
        // No analyzer is asked: it is shown the text as it stands.
        let flow = Self::after(&self.text[..start]).bare();
        let mark = Mark {
            at: 0,
            shift: start as isize - flow.from as isize,
        };
        self.escapes.open = Some(Box::new(Reading {
            flow,
            at: start,
            marks: VecDeque::from([mark]),
            last: None,
        }));
    }

    /// Behind text that was read: the second reading ends where it comes to the same as the first.
    pub(super) fn end_escaped(&mut self, text: &str, cleaner: &Cleaner) {
        let Some(reading) = &self.escapes.open else {
            return;
        };
        if !text.ends_with(|c: char| c.is_ascii_whitespace()) {
            return;
        }
        let is_over = reading.last.is_none_or(|last| {
            let settled = reading.written(reading.flow.segmenter.settled());
            let walked = reading.written(reading.flow.walk.settled());
            let custom = cleaner.rules.custom().is_some();
            settled == self.segmenter.settled()
                && settled >= last + LEFT_BYTES
                && (!custom || walked == self.walk.settled())
        });
        if is_over {
            self.escapes.open = None;
        }
    }

    /// Reads what escapes say, as far as the text goes, and collects what is found.
    pub(super) fn read_escaped(
        &mut self,
        cleaner: &Cleaner,
        ended: bool,
    ) -> Result<(), CleanError> {
        let Some(mut reading) = self.escapes.open.take() else {
            return Ok(());
        };
        reading.take(&self.text, ended, &mut self.escapes.stand)?;
        reading.flow.advance(cleaner, ended);
        reading.flow.walk(cleaner, ended);
        let found = std::mem::take(&mut reading.flow.spans);
        // Without an escape it is what the first reading finds.
        if reading.last.is_some() && !found.is_empty() {
            self.told = true;
            for span in found {
                let value = reading.flow.text[span.start..span.end].to_owned();
                let span = Span {
                    start: reading.written(span.start),
                    end: reading.written(span.end),
                    matched: reading.written(span.matched),
                    what: span.what,
                };
                if span.what != What::Rest {
                    self.coded.found.push(Found {
                        range: span.start..span.end,
                        value,
                        depth: 0,
                        escaped: true,
                    });
                }
                self.spans.push(span);
            }
        }
        reading.forget(cleaner);
        self.escapes.open = Some(reading);
        Ok(())
    }
}

impl Reading {
    /// Where in what is said nothing is settled any more.
    fn settled(&self, cleaner: &Cleaner) -> usize {
        let settled = self.flow.segmenter.settled();
        match cleaner.rules.custom() {
            Some(_) => settled.min(self.flow.walk.settled()),
            None => settled,
        }
    }

    /// Where in the text that is written which is said there.
    fn written(&self, at: usize) -> usize {
        let next = self.marks.partition_point(|mark| mark.at <= at);
        let shift = self.marks[next - 1].shift;
        // What stands to the left may be gone from the text.
        at.saturating_add_signed(shift)
    }

    /// Takes the text up to its end, or to an escape that is not whole.
    fn take(
        &mut self,
        text: &str,
        ended: bool,
        stand: &mut VecDeque<Range<usize>>,
    ) -> Result<(), CleanError> {
        loop {
            let rest = &text[self.at..];
            let plain = memchr::memchr(b'\\', rest.as_bytes()).unwrap_or(rest.len());
            self.take_plain(&rest[..plain]);
            let rest = &rest[plain..];
            if rest.is_empty() {
                return Ok(());
            }
            match next(rest, ended) {
                Next::More => return Ok(()),
                Next::Plain(bytes) => self.take_plain(&rest[..bytes]),
                Next::Char(said, bytes) => {
                    stand.push_back(self.at..self.at + bytes);
                    self.take_escape(said, bytes)?;
                }
            }
        }
    }

    fn take_plain(&mut self, text: &str) {
        self.flow.take_same(text);
        self.at += text.len();
    }

    fn take_escape(&mut self, said: char, bytes: usize) -> Result<(), CleanError> {
        let mut room = [0; 4];
        let said = folded(said.encode_utf8(&mut room));
        if said.is_empty() {
            self.flow.hide(bytes)?;
        } else {
            self.flow.take_same(&said);
        }
        self.at += bytes;
        self.last = Some(self.at);
        let at = self.flow.text.len();
        self.marks.push_back(Mark {
            at,
            shift: self.at as isize - at as isize,
        });
        Ok(())
    }

    /// Drops what is settled and not needed for context.
    fn forget(&mut self, cleaner: &Cleaner) {
        let (settled, before) = (self.settled(cleaner), self.flow.text.len());
        self.flow.from = settled;
        self.flow.coded = Coded::new(settled);
        self.flow.forget();
        let gone = before - self.flow.text.len();
        if gone == 0 {
            return;
        }
        for mark in &mut self.marks {
            mark.shift += gone as isize;
            mark.at = mark.at.saturating_sub(gone);
        }
        while self.marks.get(1).is_some_and(|mark| mark.at == 0) {
            self.marks.pop_front();
        }
    }
}

/// What stands at the backslash with which the text begins. Before an escape there may be more of
/// them, as many as the strings that stand around it ask for.
fn next(text: &str, ended: bool) -> Next {
    let slashes = text.bytes().take_while(|byte| *byte == b'\\');
    let slashes = slashes.take(JSON_BACKSLASHES_MAX + 2).count();
    if slashes > JSON_BACKSLASHES_MAX + 1 {
        return Next::Plain(1);
    }
    let rest = &text.as_bytes()[slashes..];
    let said = match rest.first() {
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(same @ (b'"' | b'\'' | b'/')) => char::from(*same),
        Some(b'u') => return unit(rest, slashes, ended),
        Some(b'x') => return byte(rest, slashes, ended),
        None if !ended => return Next::More,
        _ => return Next::Plain(slashes),
    };
    Next::Char(said, slashes + 1)
}

/// An escape of four digits of sixteen, or two of them for one character.
fn unit(rest: &[u8], slashes: usize, ended: bool) -> Next {
    let mut escape = Escape::default();
    for (at, byte) in [b'\\'].iter().chain(rest).enumerate() {
        match escape.push(*byte) {
            Read::More => {}
            Read::Char(said) => return Next::Char(said, slashes + at),
            Read::Bad | Read::Lone => return Next::Plain(slashes),
        }
    }
    if ended {
        Next::Plain(slashes)
    } else {
        Next::More
    }
}

/// An escape of two digits of sixteen, as strings of programs have it.
fn byte(rest: &[u8], slashes: usize, ended: bool) -> Next {
    let digit = |at: usize| rest.get(at).map(|byte| char::from(*byte).to_digit(16));
    match (digit(1), digit(2)) {
        (Some(Some(high)), Some(Some(low))) => {
            let said = char::from_u32(high * 16 + low);
            said.map_or(Next::Plain(slashes), |said| Next::Char(said, slashes + 3))
        }
        (None, _) | (Some(Some(_)), None) if !ended => Next::More,
        _ => Next::Plain(slashes),
    }
}
