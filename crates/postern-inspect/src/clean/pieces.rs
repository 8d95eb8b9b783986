//! The pieces in which text is shown to an analyzer: sentences and lines, behind the patterns.
//!
//! Text that the patterns have let go is held until its piece is whole and its answer known. A long
//! sentence is shown in pieces that overlap ([`cut`]), and what stands in two of them goes on when
//! both answers are there. What the patterns have put in place of a value is never taken apart.

mod cut;
mod names;

use std::collections::VecDeque;
use std::ops::Range;

use super::channel::Sink;
use super::{Act, CleanError, Cleaner, Value};
use crate::detect::span::{Known, Span, What, resolve};
use cut::{Cut, Shown};
use names::Names;

/// What stands in place of text, or of nothing.
#[derive(Debug, Clone)]
struct Part {
    /// Where it stands in what is visible.
    at: Range<usize>,
    /// The text that it stands for.
    old: String,
    /// Whether it only takes more text away.
    skips: bool,
}

/// The piece that has begun and those behind it.
#[derive(Debug, Clone, Default)]
pub(super) struct Pieces {
    /// The text as it goes on, so far.
    visible: String,
    /// Where what is held starts in it.
    from: usize,
    parts: VecDeque<Part>,
    /// How many of the parts take text away.
    skips: usize,
    cut: Cut,
    names: Names,
}

impl Sink for Pieces {
    fn keep(&mut self, text: &str) {
        self.visible.push_str(text);
    }

    fn replace(&mut self, text: &str, with: &str) {
        let start = self.visible.len();
        self.visible.push_str(with);
        self.parts.push_back(Part {
            at: start..self.visible.len(),
            old: text.to_owned(),
            skips: false,
        });
    }

    fn skip(&mut self, text: &str) {
        self.skips += 1;
        self.parts.push_back(Part {
            at: self.visible.len()..self.visible.len(),
            old: text.to_owned(),
            skips: true,
        });
    }
}

impl Pieces {
    pub(super) fn holds(&self) -> bool {
        !self.visible.is_empty() || !self.parts.is_empty()
    }

    /// Gives on the pieces that are whole; all that is there when the text has `ended`.
    pub(super) fn release(
        &mut self,
        cleaner: &mut Cleaner,
        place: &str,
        ended: bool,
        out: &mut dyn Sink,
    ) -> Result<(), CleanError> {
        loop {
            let from = self.from;
            while let Some(part) = self.parts.pop_front_if(|it| it.skips && it.at.end == from) {
                self.skips -= 1;
                out.skip(&part.old);
            }
            let found = self.cut.find(&self.visible, &self.parts, self.skips > 0);
            let shown = match found {
                Some(shown) => shown,
                None if ended && from < self.visible.len() => self.cut.rest(self.visible.len()),
                None => break,
            };
            self.show(&shown, cleaner, place, out)?;
        }
        // Once, not for each piece: a text may consist of line ends.
        let given = std::mem::take(&mut self.from);
        self.visible.drain(..given);
        for part in &mut self.parts {
            part.at = part.at.start - given..part.at.end - given;
        }
        self.cut.shift(given);
        self.names.shift(given);
        Ok(())
    }

    /// Shows a piece, and gives on what is known after it.
    fn show(
        &mut self,
        shown: &Shown,
        cleaner: &mut Cleaner,
        place: &str,
        out: &mut dyn Sink,
    ) -> Result<(), CleanError> {
        let mut missing = false;
        if self.worth_asking(&shown.at) {
            let needs = cleaner.rules.needs_analyzer(cleaner.direction);
            let analysis = cleaner.analysis.get_or_insert_default();
            match analysis.names(&self.visible[shown.at.clone()], needs) {
                Some(names) => self.names.take(&names, shown, &self.parts, cleaner),
                None => missing = true,
            }
        }
        let to = self.names.known_to(&self.visible, shown)?;
        if missing {
            // The work is done again: nothing goes on meanwhile.
            each(self, self.from..to, out, |text, out| out.replace(text, ""));
        } else {
            self.give(to, cleaner, place, out)?;
        }
        let count = self.parts.iter().take_while(|part| part.at.start < to);
        let count = count.count();
        self.parts.drain(..count);
        self.from = to;
        Ok(())
    }

    /// Whether there may be a name: a letter that we did not write.
    fn worth_asking(&self, range: &Range<usize>) -> bool {
        let mut stretches = kept(&self.parts, range.clone());
        stretches.any(|at| self.visible[at].chars().any(char::is_alphabetic))
    }

    /// Gives on the text up to an offset, with its names replaced.
    fn give(
        &mut self,
        to: usize,
        cleaner: &mut Cleaner,
        place: &str,
        out: &mut dyn Sink,
    ) -> Result<(), CleanError> {
        let mut names = self.names.before(to);
        resolve(&self.visible, self.from, &mut names);
        let mut at = self.from;
        for name in &names {
            for stretch in kept(&self.parts, name.start..name.end) {
                let Some((value, with)) = self.replaced(name, stretch, cleaner, place)? else {
                    continue;
                };
                each(self, at..value.start, out, |text, out| out.keep(text));
                out.replace(&self.visible[value.clone()], &with);
                at = value.end;
            }
        }
        each(self, at..to, out, |text, out| out.keep(text));
        Ok(())
    }

    /// What stands in place of a stretch of a name, and where.
    fn replaced(
        &self,
        name: &Span,
        stretch: Range<usize>,
        cleaner: &mut Cleaner,
        place: &str,
    ) -> Result<Option<(Range<usize>, String)>, CleanError> {
        let What::Found {
            class,
            confidence,
            known,
            ..
        } = &name.what
        else {
            return Ok(None);
        };
        let text = &self.visible[stretch.clone()];
        let start = stretch.start + (text.len() - text.trim_start().len());
        let value = start..start + text.trim().len();
        let text = text.trim();
        let ours = cleaner.ours();
        let ours = ours.is(text) || ours.is_around(&self.visible, value.clone());
        if text.is_empty() || ours {
            return Ok(None);
        }
        let whole = match known {
            Known::Part => Value::Part,
            Known::Whole | Known::BeforeAt => Value::Whole(text),
        };
        Ok(match cleaner.act(class, *confidence, place, whole)? {
            Act::Replace(with) => Some((value, with)),
            Act::Keep => None,
        })
    }
}

/// The stretches of a range that are kept text.
fn kept(parts: &VecDeque<Part>, range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = range.end..range.end;
    let beside = parts.iter().map(|part| part.at.clone());
    let mut from = range.start;
    beside
        .chain(std::iter::once(end))
        .map(move |part| {
            let stretch = from..part.start.min(range.end);
            from = from.max(part.end);
            stretch
        })
        .filter(|stretch| stretch.start < stretch.end)
}

/// Gives on the parts in a range as they are, and each stretch of kept text as told.
fn each(
    pieces: &Pieces,
    range: Range<usize>,
    out: &mut dyn Sink,
    told: impl Fn(&str, &mut dyn Sink),
) {
    let inside = |part: &&Part| part.at.start >= range.start && part.at.end <= range.end;
    let mut at = range.start;
    for part in pieces.parts.iter().filter(inside) {
        if at < part.at.start {
            told(&pieces.visible[at..part.at.start], out);
        }
        out.replace(&part.old, &pieces.visible[part.at.clone()]);
        at = part.at.end;
    }
    if at < range.end {
        told(&pieces.visible[at..range.end], out);
    }
}
