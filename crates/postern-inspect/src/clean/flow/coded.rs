//! Text that is written in percent-encoding (RFC 3986, section 2.1), as in addresses of pages: what
//! it says is read too, beside the text as it stands.
//!
//! A run of ASCII with an encoded byte in it is searched once more, decoded, when it has ended; an
//! endless one in windows that are counted in the text. What stands in place of a value that was
//! found so is encoded as well, so that an address stays one. Text without a percent sign costs one
//! look for it.

use std::borrow::Cow;
use std::ops::Range;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use postern_types::DataClass;

use super::{CleanError, Cleaner, Flow};
use crate::bounds::{CODED_DEPTH_MAX, WINDOW_BYTES};
use crate::clean::ours::{LABEL_BYTES_MAX, Ours};
use crate::clean::plain::Plain;
use crate::clean::spelling::inner;
use crate::detect::span::{Span, What};

/// What is written in percent-encoding; the rest never has to be.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Bytes of an encoded one.
const ENCODED_BYTES: usize = 3;

/// A value that was found so, or in what escapes say.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) range: Range<usize>,
    /// What it says.
    pub(super) value: String,
    /// How often it was encoded.
    pub(super) depth: usize,
    /// Whether it stands among escapes.
    pub(super) escaped: bool,
}

/// The encoded runs of one text; offsets are those of the text as it is read.
#[derive(Debug, Clone, Default)]
pub(super) struct Coded {
    /// The first byte not yet looked at.
    at: usize,
    /// Where the run starts that is open.
    open: Option<usize>,
    /// Where the run starts that ends in what may be an encoded byte.
    waits: Option<usize>,
    /// No run starts before it.
    done: usize,
    /// Where the last window ended over a long run of the text as it stands.
    long: usize,
    pub(super) found: Vec<Found>,
}

/// How a value is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Code<'a> {
    /// What it says, where all of it was found decoded.
    value: Option<&'a str>,
    depth: usize,
    escaped: bool,
}

/// A run to be read: all of it, or a window over it.
struct Run {
    range: Range<usize>,
    /// What starts before it is settled.
    first: usize,
    ended: bool,
}

impl Coded {
    /// A text begins at the offset.
    pub(super) fn new(from: usize) -> Self {
        Self {
            at: from,
            done: from,
            ..Self::default()
        }
    }

    pub(super) fn holds(&self) -> bool {
        self.open.or(self.waits).is_some()
    }

    /// Nothing from there on is settled.
    pub(super) fn settled(&self) -> usize {
        self.open.or(self.waits).unwrap_or(usize::MAX)
    }

    /// The text lost so many bytes at its front, of which nothing is held.
    pub(super) fn shift(&mut self, bytes: usize) {
        self.at -= bytes;
        self.done = self.done.saturating_sub(bytes);
        self.long = self.long.saturating_sub(bytes);
        for held in [&mut self.open, &mut self.waits] {
            *held = held.map(|start| start - bytes);
        }
        self.found.retain_mut(|found| {
            let is_held = found.range.start >= bytes;
            found.range.start = found.range.start.saturating_sub(bytes);
            found.range.end = found.range.end.saturating_sub(bytes);
            is_held
        });
    }

    /// Text is searched in windows, and goes on window by window. SECURITY: so a run that is not
    /// encoded yet is held like one that is, or its beginning would be gone by then.
    pub(super) fn is_long(&mut self, window_end: usize) {
        self.long = window_end;
    }

    /// How the value there is written.
    pub(super) fn of(&self, range: Range<usize>) -> Code<'_> {
        let meets = |found: &&Found| found.range.start < range.end && range.start < found.range.end;
        let exact = self.found.iter().find(|found| found.range == range);
        let found = exact.or_else(|| self.found.iter().find(meets));
        Code {
            value: exact.map(|found| found.value.as_str()),
            depth: found.map_or(0, |found| found.depth),
            escaped: found.is_some_and(|found| found.escaped),
        }
    }

    /// The next run that is whole, or a window of one. [`Coded::cut`] must follow.
    fn next(&mut self, text: &str, ended: bool) -> Option<Run> {
        let bytes = text.as_bytes();
        if self.open.is_none() {
            self.open = self.begin(bytes, ended).or_else(|| self.goes_on(bytes));
        }
        let start = self.open?;
        let end = bytes[self.at..].iter().position(|byte| !is_inner(*byte));
        self.at = end.map_or(bytes.len(), |end| self.at + end);
        let is_long = self.at - start >= 2 * WINDOW_BYTES;
        let run = |to, first| Run {
            range: start..to,
            first,
            ended: !is_long,
        };
        if is_long {
            return Some(run(start + 2 * WINDOW_BYTES, start + WINDOW_BYTES));
        }
        (end.is_some() || ended).then(|| run(self.at, self.at))
    }

    /// Where the next run starts that has an encoded byte.
    fn begin(&mut self, bytes: &[u8], ended: bool) -> Option<usize> {
        self.waits = None;
        while let Some(at) = memchr::memchr(b'%', &bytes[self.at..]) {
            let at = self.at + at;
            let digits = bytes[at + 1..].iter().take(ENCODED_BYTES - 1);
            let is_whole = digits.len() == ENCODED_BYTES - 1;
            if !{ digits }.all(u8::is_ascii_hexdigit) || !is_whole && ended {
                self.at = at + 1;
            } else if is_whole {
                self.at = at + ENCODED_BYTES;
                return Some(self.run_start(bytes, at));
            } else {
                self.at = at;
                self.waits = Some(self.run_start(bytes, at));
                return None;
            }
        }
        self.at = bytes.len();
        None
    }

    /// Where the run starts over which the text was searched in windows, if it is open.
    fn goes_on(&mut self, bytes: &[u8]) -> Option<usize> {
        if self.long <= self.done || !bytes[self.long..].iter().all(|byte| is_inner(*byte)) {
            self.long = 0;
            return None;
        }
        self.waits = None;
        Some(self.run_start(bytes, self.long))
    }

    fn run_start(&self, bytes: &[u8], at: usize) -> usize {
        let before = bytes[self.done..at]
            .iter()
            .rposition(|byte| !is_inner(*byte));
        self.done + before.map_or(0, |before| before + 1)
    }

    /// The run was read up to there.
    fn cut(&mut self, at: usize, ended: bool) {
        self.done = at;
        self.open = (!ended).then_some(at);
    }
}

impl<'a> Code<'a> {
    pub(super) fn value(self) -> Option<&'a str> {
        self.value
    }

    /// What stands in place of the value, written as it was.
    pub(super) fn encoded(self, with: &str) -> Cow<'_, str> {
        let mut written = Cow::Borrowed(with);
        if self.escaped {
            written = Cow::Owned(inner(with));
        }
        for _ in 0..self.depth {
            written = Cow::Owned(utf8_percent_encode(&written, ENCODED).to_string());
        }
        written
    }
}

impl Flow {
    /// Reads what is encoded, as far as the text goes, and collects what is found.
    pub(super) fn read_coded(&mut self, cleaner: &Cleaner, ended: bool) -> Result<(), CleanError> {
        while let Some(run) = self.coded.next(&self.text, ended) {
            let mut cut = run.first;
            for (span, found) in self.found_coded(&run.range, cleaner)? {
                if span.start >= run.first {
                    continue;
                }
                cut = cut.max(span.end);
                self.told = true;
                self.spans.push(span);
                self.coded.found.push(found);
            }
            if !run.ended {
                cut = before_code(&self.text, cut);
            }
            self.coded.cut(cut, run.ended);
        }
        Ok(())
    }

    /// Whether what was written in place of a value stands there or around it, encoded.
    pub(super) fn is_coded_label(
        &self,
        ours: Ours<'_>,
        class: &DataClass,
        value: Range<usize>,
    ) -> bool {
        const AROUND: usize = LABEL_BYTES_MAX + 4 * ENCODED_BYTES;
        let bytes = self.text.as_bytes();
        let before = &bytes[value.start.saturating_sub(AROUND)..value.start];
        let left = before.iter().rev().take_while(|byte| is_inner(**byte));
        let behind = bytes[value.end..].iter().take(AROUND);
        let from = value.start - left.count();
        let to = value.end + behind.take_while(|byte| is_inner(**byte)).count();
        if memchr::memchr(b'%', &bytes[from..to]).is_none() {
            return false;
        }
        let mut plain = Plain::new(&self.text[from..to]);
        (0..CODED_DEPTH_MAX).any(|_| {
            let Some(inner) = plain.decoded(code) else {
                return false;
            };
            plain = inner;
            let said = plain.place_of(value.start - from..value.end - from);
            ours.is_written(class, &plain.text[said.clone()]) || ours.is_around(&plain.text, said)
        })
    }

    fn found_coded(
        &self,
        run: &Range<usize>,
        cleaner: &Cleaner,
    ) -> Result<Vec<(Span, Found)>, CleanError> {
        let mut all = Vec::new();
        if memchr::memchr(b'%', &self.text.as_bytes()[run.clone()]).is_none() {
            return Ok(all);
        }
        let mut plain = Plain::new(&self.text[run.clone()]);
        for depth in 1..=CODED_DEPTH_MAX {
            let Some(inner) = plain.decoded(code) else {
                break;
            };
            plain = inner;
            let flow = Self::after(&self.text[..run.start]).bare();
            for mut span in flow.all_in(&plain.text, cleaner)? {
                let value = plain.text[span.start..span.end].to_owned();
                if let What::Found { goes_on, .. } = &mut span.what {
                    *goes_on = None;
                }
                let mut span = plain.written(span);
                span.start += run.start;
                span.end += run.start;
                span.matched += run.start;
                let range = span.start..span.end;
                all.push((
                    span,
                    Found {
                        range,
                        value,
                        depth,
                        escaped: false,
                    },
                ));
            }
        }
        Ok(all)
    }
}

/// Whether it may stand in an address without being encoded, and no value ends there for sure.
fn is_inner(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"%-._~:/?#@!$&*+=".contains(&byte)
}

/// The offset, or that of the encoded byte inside of which it is.
fn before_code(text: &str, at: usize) -> usize {
    let begins = |back: &usize| text.as_bytes().get(at - back) == Some(&b'%');
    at - (1..ENCODED_BYTES).find(begins).unwrap_or(0)
}

/// The character that encoded bytes at the beginning of a text say, and their length.
fn code(text: &str) -> Option<(char, usize)> {
    let byte = |nth: usize| {
        let code = text.get(nth * ENCODED_BYTES..(nth + 1) * ENCODED_BYTES)?;
        let digits = code.strip_prefix('%')?;
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)
    };
    let mut bytes = [byte(0)?, 0, 0, 0];
    let count = match bytes[0] {
        0..0x80 => 1,
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    };
    for (nth, room) in bytes.iter_mut().enumerate().take(count).skip(1) {
        *room = byte(nth)?;
    }
    let said = std::str::from_utf8(&bytes[..count]).ok()?.chars().next()?;
    Some((said, count * ENCODED_BYTES))
}
