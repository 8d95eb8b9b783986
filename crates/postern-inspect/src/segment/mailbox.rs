//! Names of mailboxes and hosts at what ends a run elsewhere: letters of scripts without spaces,
//! and a blank between quotes.

use super::quoted::{self, Quoted};
use super::{Segmenter, script};
use crate::bounds::MAILBOX_BYTES_MAX;
use crate::detect::context::ceiling;
use crate::detect::prefilter::{QUOTE, STOP};

/// Whether a run goes on at what may end one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Inner {
    No,
    /// What follows decides, and is not there.
    More,
    /// It does, with so many bytes.
    Bytes(usize),
}

impl Segmenter {
    /// Whether the run goes on at the white space or the character beyond ASCII at `at`.
    pub(super) fn goes_on(&mut self, text: &str, ended: bool) -> Inner {
        let bytes = text.as_bytes();
        if let Some(width) = script::inner(text, self.at) {
            return Inner::Bytes(width);
        }
        if self.armour.is_some() {
            return Inner::No;
        }
        if bytes[self.at] == b' ' {
            if self.kinds & (QUOTE | STOP) == 0 {
                return Inner::No;
            }
            return match quoted::name(bytes, self.run, self.at, ended) {
                Quoted::No => Inner::No,
                Quoted::More => Inner::More,
                Quoted::To(end) => Inner::Bytes(end - self.at),
            };
        }
        if bytes[self.at].is_ascii() || !script::is_wide(text, self.at) {
            return Inner::No;
        }
        if self.start == self.at {
            self.wide = true;
            return Inner::Bytes(0);
        }
        if !script::in_host(&bytes[self.run..self.at]) {
            return Inner::No;
        }
        Inner::Bytes(script::width(bytes[self.at]))
    }

    /// Reads on over letters of scripts without spaces. Those directly before an `@` are the name
    /// of an address, and so many are held as such a name may have. `true` if more text decides.
    pub(super) fn read_wide(&mut self, text: &str, ended: bool) -> bool {
        let bytes = text.as_bytes();
        self.at = script::wide_end(text, self.at);
        let from = ceiling(text, self.at.saturating_sub(MAILBOX_BYTES_MAX));
        self.start = self.start.max(from);
        match bytes.get(self.at) {
            None if !ended => return true,
            Some(b'@') => self.special = true,
            _ => {
                self.before = bytes[self.at - 1];
                self.start = self.at;
                self.kinds = 0;
            }
        }
        self.run = self.start;
        self.wide = false;
        false
    }
}
