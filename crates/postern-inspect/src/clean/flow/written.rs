//! Where settled text goes: as it was written, which may be another text than what is read.

use std::borrow::Cow;

use crate::clean::channel::Sink;
use crate::clean::spelling::{Spelled, Spelling};

/// Where text goes that is settled, as it was written.
pub(super) struct Written<'a> {
    /// How it was written, where that is another text.
    pub(super) spelling: Option<&'a mut Spelling>,
    pub(super) out: &'a mut dyn Sink,
}

impl Written<'_> {
    fn spelled(&mut self) -> Option<Spelled<'_>> {
        self.spelling.as_mut().map(|spelling| Spelled {
            spelling,
            out: &mut *self.out,
            quoted: false,
        })
    }

    pub(super) fn keep(&mut self, text: &str) {
        match self.spelled() {
            Some(mut spelled) => spelled.keep(text),
            None => self.out.keep(text),
        }
    }

    pub(super) fn replace(&mut self, text: &str, with: &str) {
        match self.spelled() {
            Some(mut spelled) => spelled.replace(text, with),
            None => self.out.replace(text, with),
        }
    }

    pub(super) fn skip(&mut self, text: &str) {
        match self.spelled() {
            Some(mut spelled) => spelled.skip(text),
            None => self.out.skip(text),
        }
    }

    /// Where the next text stands, in a text of this place.
    pub(super) fn place<'b>(&mut self, of: &'b str) -> Cow<'b, str> {
        self.out.place(of).map_or(Cow::Borrowed(of), Cow::Owned)
    }

    /// How the next text, which stays, was written.
    pub(super) fn spelling_of<'b>(&'b self, text: &'b str) -> &'b str {
        match &self.spelling {
            Some(spelling) => spelling.peek(text.len()),
            None => text,
        }
    }

    /// Gives what was written behind the last character that is read.
    pub(super) fn keep_rest(&mut self) {
        if let Some(spelling) = &mut self.spelling {
            let rest = spelling.rest();
            if !rest.is_empty() {
                self.out.keep(&rest);
            }
        }
    }
}
