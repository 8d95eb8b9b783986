//! The pieces in which text is shown to an analyzer: sentences and lines, behind the patterns.
//!
//! Text that the patterns have let go is held until its piece is whole and its answer known. Where
//! a piece ends is decided character by character, by what stands before that point alone, so it
//! does not matter how the text came. What the patterns have put in place of a value is never taken
//! apart.

use std::collections::VecDeque;
use std::ops::Range;

use postern_types::DataClass;

use super::analysis::Named;
use super::channel::Sink;
use super::{Act, CleanError, Cleaner, Value, action};
use crate::bounds::ANALYZED_PIECE_BYTES_MAX;

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
    parts: VecDeque<Part>,
    /// How many of the parts take text away.
    skips: usize,
    cut: Cut,
}

/// How far the text was looked at for its end.
#[derive(Debug, Clone, Default)]
struct Cut {
    /// Where the piece starts.
    start: usize,
    /// Up to where the text was looked at.
    at: usize,
    /// The end of the last white space among them.
    white: usize,
    /// A mark that ends a sentence was last, but for closing quotes.
    ended: bool,
    /// Letters of the word that is being read, and whether it begins with a capital.
    letters: usize,
    capital: bool,
}

/// A word of so few letters that begins with a capital is an initial or a title: its point ends no
/// sentence ("J. R. Smith", "Dr. Jones").
const TITLE_LETTERS_MAX: usize = 4;

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
            let from = self.cut.start;
            while let Some(part) = self.parts.pop_front_if(|it| it.skips && it.at.end == from) {
                self.skips -= 1;
                out.skip(&part.old);
            }
            match self.find() {
                Some(end) => self.piece(end, cleaner, place, out)?,
                None if ended && from < self.visible.len() => {
                    self.piece(self.visible.len(), cleaner, place, out)?;
                }
                None => break,
            }
        }
        // Once, not for each piece: a text may consist of line ends.
        let given = self.cut.start;
        self.visible.drain(..given);
        for part in &mut self.parts {
            part.at = part.at.start - given..part.at.end - given;
        }
        self.cut.start = 0;
        self.cut.at -= given;
        self.cut.white -= given;
        Ok(())
    }

    /// Gives on the first piece with its names replaced.
    fn piece(
        &mut self,
        end: usize,
        cleaner: &mut Cleaner,
        place: &str,
        out: &mut dyn Sink,
    ) -> Result<(), CleanError> {
        let from = self.cut.start;
        let piece = self.visible[from..end].to_owned();
        let count = self.parts.iter().take_while(|part| part.at.start < end);
        let count = count.count();
        let mut parts: Vec<Part> = self.parts.drain(..count).collect();
        for part in &mut parts {
            part.at = part.at.start - from..part.at.end - from;
        }
        self.cut = Cut {
            start: end,
            at: end,
            white: end,
            ..Cut::default()
        };
        let names = if worth_asking(&piece, &parts) {
            let needs = cleaner.rules.needs_analyzer(cleaner.direction);
            match cleaner
                .analysis
                .get_or_insert_default()
                .names(&piece, needs)
            {
                Some(names) => names,
                None => {
                    give_nothing(&piece, &parts, out);
                    return Ok(());
                }
            }
        } else {
            Vec::new().into()
        };
        give(&piece, &parts, &names, cleaner, place, out)
    }
}

impl Pieces {
    /// The end of the first piece, if it is known.
    fn find(&mut self) -> Option<usize> {
        let cut = &mut self.cut;
        // What is taken away behind a value may go on for long, so the piece ends before it.
        let skips = self.parts.iter().filter(|part| part.skips);
        let stop = if self.skips > 0 {
            skips.map(|part| part.at.start).next()
        } else {
            None
        };
        let mut parts = self.parts.iter().peekable();
        loop {
            if stop.is_some_and(|stop| cut.at >= stop) {
                return Some(cut.at);
            }
            let c = self.visible[cut.at..].chars().next()?;
            while parts.next_if(|part| part.at.end <= cut.at).is_some() {}
            let part = parts.peek().filter(|part| part.at.start <= cut.at);
            let (end, c) = match part {
                // As a whole, like a word of small letters.
                Some(part) => (part.at.end, 'x'),
                None => (cut.at + c.len_utf8(), c),
            };
            if end - cut.start > ANALYZED_PIECE_BYTES_MAX && cut.at > cut.start {
                return Some(if cut.white > cut.start {
                    cut.white
                } else {
                    cut.at
                });
            }
            cut.at = end;
            if cut.ends_with(c) {
                return Some(end);
            }
        }
    }
}

impl Cut {
    /// Whether a piece ends behind this character.
    fn ends_with(&mut self, c: char) -> bool {
        match c {
            '\n' | '。' | '！' | '？' => return true,
            '.' | '!' | '?' | '…' => {
                let title = c == '.' && self.capital && self.letters <= TITLE_LETTERS_MAX;
                self.ended = !title;
            }
            '"' | '\'' | ')' | ']' | '”' | '’' | '»' => {}
            c if c.is_whitespace() => {
                self.white = self.at;
                if self.ended {
                    return true;
                }
            }
            _ => self.ended = false,
        }
        if c.is_alphanumeric() {
            if self.letters == 0 {
                self.capital = c.is_uppercase();
            }
            self.letters += 1;
        } else if c != '.' {
            self.letters = 0;
        }
        false
    }
}

/// Whether there may be a name in the piece: a letter that we did not write.
fn worth_asking(piece: &str, parts: &[Part]) -> bool {
    kept(piece, parts, 0..piece.len()).any(|at| piece[at].chars().any(char::is_alphabetic))
}

/// The stretches of a range that are kept text.
fn kept<'a>(
    piece: &'a str,
    parts: &'a [Part],
    range: Range<usize>,
) -> impl Iterator<Item = Range<usize>> + 'a {
    let end = piece.len()..piece.len();
    let ends = parts.iter().map(|part| part.at.clone());
    let mut from = range.start;
    ends.chain(std::iter::once(end))
        .map(move |part| {
            let stretch = from..part.start.min(range.end);
            from = from.max(part.end);
            stretch
        })
        .filter(|stretch| stretch.start < stretch.end)
}

/// Takes the piece away whole: its answer is missing, and the work is done again.
fn give_nothing(piece: &str, parts: &[Part], out: &mut dyn Sink) {
    each(piece, parts, 0..piece.len(), out, |text, out| {
        out.replace(text, "");
    });
}

/// Gives on a piece with its names replaced.
fn give(
    piece: &str,
    parts: &[Part],
    names: &[Named],
    cleaner: &mut Cleaner,
    place: &str,
    out: &mut dyn Sink,
) -> Result<(), CleanError> {
    let mut values = Vec::new();
    for name in names {
        for stretch in kept(piece, parts, name.at.clone()) {
            let text = &piece[stretch.clone()];
            let start = stretch.start + (text.len() - text.trim_start().len());
            let value = start..start + text.trim().len();
            let class = DataClass::Builtin(name.class);
            let kept = cleaner.rules.kept(&class);
            let ours = action::is_ours(&piece[value.clone()], kept)
                || action::within_ours(piece, value.clone());
            if value.is_empty() || ours {
                continue;
            }
            let whole = Value::Whole(&piece[value.clone()]);
            if let Act::Replace(with) = cleaner.act(&class, name.confidence, place, whole)? {
                values.push((value, with));
            }
        }
    }
    let mut at = 0;
    for (value, with) in values {
        each(piece, parts, at..value.start, out, |text, out| {
            out.keep(text);
        });
        out.replace(&piece[value.clone()], &with);
        at = value.end;
    }
    each(piece, parts, at..piece.len(), out, |text, out| {
        out.keep(text);
    });
    Ok(())
}

/// Gives on the parts in a range as they are, and each stretch of kept text as told.
fn each(
    piece: &str,
    parts: &[Part],
    range: Range<usize>,
    out: &mut dyn Sink,
    told: impl Fn(&str, &mut dyn Sink),
) {
    let inside = |part: &&Part| part.at.start >= range.start && part.at.end <= range.end;
    let mut at = range.start;
    for part in parts.iter().filter(inside) {
        if at < part.at.start {
            told(&piece[at..part.at.start], out);
        }
        out.replace(&part.old, &piece[part.at.clone()]);
        at = part.at.end;
    }
    if at < range.end {
        told(&piece[at..range.end], out);
    }
}
