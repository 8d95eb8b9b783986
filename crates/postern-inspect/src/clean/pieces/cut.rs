//! Where the pieces of a text end.
//!
//! A piece ends with its sentence or line, or where something is taken away. A sentence that is too
//! long is shown in several pieces that overlap: each begins so far before the end of the one
//! before that any name that the end cuts is whole in it. Everything is decided character by
//! character, by what stands before, so it does not matter how the text came.

use std::collections::VecDeque;
use std::ops::Range;

use super::Part;
use crate::bounds::{ANALYZED_OVERLAP_BYTES, ANALYZED_PIECE_BYTES_MAX};
use crate::detect::context::floor;

/// A piece to be shown.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// Where it stands in what is visible.
    pub(super) at: Range<usize>,
    /// Up to where the piece before it was shown; its own start where nothing was shown twice.
    pub(super) before: usize,
    /// Where the next one begins: at its end, or before it where its sentence goes on.
    pub(super) next: usize,
}

/// How far the text was looked at for the end of a piece.
#[derive(Debug, Clone, Default)]
pub(super) struct Cut {
    /// Where the piece starts.
    start: usize,
    /// Up to where the piece before it was shown.
    before: usize,
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

/// Bytes of a piece behind which white space is a good place for its end; before it too little of
/// the text would be new in it.
const WHITE_FROM: usize = ANALYZED_PIECE_BYTES_MAX - ANALYZED_OVERLAP_BYTES;

const _: () = assert!(ANALYZED_PIECE_BYTES_MAX >= 4 * ANALYZED_OVERLAP_BYTES);

impl Cut {
    /// The first piece, if its end is known. `skips` says whether a part takes text away.
    pub(super) fn find(
        &mut self,
        text: &str,
        parts: &VecDeque<Part>,
        skips: bool,
    ) -> Option<Shown> {
        // What is taken away behind a value may go on for long, so the piece ends before it.
        let stop = if skips {
            parts.iter().find(|part| part.skips)
        } else {
            None
        };
        let stop = stop.map(|part| part.at.start);
        let mut rest = parts.iter().peekable();
        let mut last_part = None;
        loop {
            if stop.is_some_and(|stop| self.at >= stop) {
                return Some(self.ends(self.at));
            }
            let c = text[self.at..].chars().next()?;
            while let Some(part) = rest.next_if(|part| part.at.end <= self.at) {
                last_part = Some(part.at.end);
            }
            let part = rest.peek().filter(|part| part.at.start <= self.at);
            let (end, c) = match part {
                // As a whole, like a word of small letters.
                Some(part) => (part.at.end, 'x'),
                None => (self.at + c.len_utf8(), c),
            };
            if end - self.start > ANALYZED_PIECE_BYTES_MAX && self.at > self.start {
                // No name goes over what stands in place of a value.
                let apart = part.is_some() || last_part == Some(self.at);
                return Some(if apart {
                    self.ends(self.at)
                } else {
                    self.goes_on(text, parts)
                });
            }
            self.at = end;
            if self.ends_with(c) {
                return Some(self.ends(end));
            }
        }
    }

    /// The rest of the text, which has ended.
    pub(super) fn rest(&mut self, end: usize) -> Shown {
        self.ends(end)
    }

    /// The text lost so many bytes at its front.
    pub(super) fn shift(&mut self, bytes: usize) {
        self.start -= bytes;
        self.at -= bytes;
        self.before = self.before.saturating_sub(bytes);
        self.white = self.white.saturating_sub(bytes);
    }

    /// The piece ends there, and its sentence with it.
    fn ends(&mut self, end: usize) -> Shown {
        let shown = Shown {
            at: self.start..end,
            before: self.before,
            next: end,
        };
        *self = Self {
            start: end,
            before: end,
            at: end,
            white: end,
            ..Self::default()
        };
        shown
    }

    /// The piece is as long as it may be, and its sentence goes on.
    fn goes_on(&mut self, text: &str, parts: &VecDeque<Part>) -> Shown {
        let end = if self.white >= self.start + WHITE_FROM {
            self.white
        } else {
            self.at
        };
        let shown = Shown {
            at: self.start..end,
            before: self.before,
            next: self.again_from(text, parts, end),
        };
        self.start = shown.next;
        self.before = end;
        shown
    }

    /// Where the next piece begins: so far before the end of this one that no name reaches from
    /// there over the end, and with a word, if one begins nearby.
    fn again_from(&self, text: &str, parts: &VecDeque<Part>, end: usize) -> usize {
        let from = floor(text, end - ANALYZED_OVERLAP_BYTES);
        let around = parts
            .iter()
            .find(|part| part.at.start < from && from < part.at.end);
        if let Some(part) = around {
            // What stands in place of a value is never taken apart; a name begins behind it.
            return if part.at.start > self.start {
                part.at.start
            } else {
                part.at.end
            };
        }
        let parts_end = parts.iter().map(|part| part.at.end);
        let part_end = parts_end.take_while(|end| *end <= from).last();
        let least = floor(text, from - ANALYZED_OVERLAP_BYTES);
        let least = least.max(part_end.unwrap_or(0));
        let mut before = text[least..from].char_indices().rev();
        match before.find(|(_, c)| c.is_whitespace()) {
            Some((at, white)) => least + at + white.len_utf8(),
            None => from,
        }
    }

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
