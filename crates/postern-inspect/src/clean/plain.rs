//! A text that is written in a code, as what it says, and where each byte of that was written.

use std::ops::Range;

use crate::detect::fold::folded;
use crate::detect::span::Span;

/// A text that was decoded, once or several times.
pub(super) struct Plain {
    pub(super) text: String,
    /// For each byte, and the end, the place of its spelling in the text that was decoded first.
    from: Vec<usize>,
}

impl Plain {
    /// A text that is not decoded yet, as it is read.
    pub(super) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            from: (0..=text.len()).collect(),
        }
    }

    /// The text with each code as what it says; `None` if there is none. `code` tells what stands
    /// for a character at the beginning of a text, and its bytes.
    pub(super) fn decoded(&self, code: impl Fn(&str) -> Option<(char, usize)>) -> Option<Self> {
        let mut inner = Self {
            text: String::with_capacity(self.text.len()),
            from: Vec::with_capacity(self.from.len()),
        };
        let mut at = 0;
        let mut any = false;
        while let Some(c) = self.text[at..].chars().next() {
            let (said, bytes) = match code(&self.text[at..]) {
                Some(one) => {
                    any = true;
                    one
                }
                None => (c, c.len_utf8()),
            };
            // As text is read elsewhere: what is written in other characters is the plain one.
            let mut room = [0; 4];
            let said = folded(said.encode_utf8(&mut room));
            inner.text.push_str(&said);
            inner.from.extend(said.bytes().map(|_| self.from[at]));
            at += bytes;
        }
        inner.from.push(self.from[at]);
        any.then_some(inner)
    }

    /// Where in the text that stands which was written there.
    pub(super) fn place_of(&self, written: Range<usize>) -> Range<usize> {
        let place = |at| self.from.partition_point(|from| *from < at);
        place(written.start)..place(written.end).min(self.text.len())
    }

    /// Where a value that was found in the text was written.
    pub(super) fn written(&self, span: Span) -> Span {
        Span {
            start: self.from[span.start],
            end: self.from[span.end],
            matched: self.from[span.matched],
            what: span.what,
        }
    }
}
