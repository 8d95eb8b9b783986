//! Private keys in armour: `-----BEGIN … PRIVATE KEY-----` up to the END line stays together, and
//! so do the private lines of a PuTTY file.
//!
//! Between the two lines white space joins as long as the text looks like lines of a key: long
//! runs, headers with a colon, marks of the code around it. Prose ends the armour, so that a
//! sentence that names such a line does not swallow what follows.

use super::join::{Link, Stop};
use crate::bounds::ARMOUR_LABEL_BYTES_MAX;
use crate::detect::context::floor;

const BEGIN: &[u8] = b"-----BEGIN";
const END: &str = "-----END";
const DASHES: &str = "-----";
const PRIVATE: &str = "PRIVATE KEY";

/// What stands before the number of private lines in a file of PuTTY.
const PUTTY: &[u8] = b"Private-Lines:";

/// The longest line in it is 64 bytes, and its number has two digits.
const PUTTY_LINE_BYTES_MAX: usize = 64;

/// The shortest run that is a line of a key for sure, in bytes.
const LINE_BYTES: usize = 16;

/// How much of a line is looked at, in bytes; less than what stays to the left of held text.
const LINE_KEPT_BYTES: usize = 64;

#[derive(Debug, Clone)]
pub(super) struct Armour {
    phase: Phase,
    /// Where the label of the BEGIN or END line starts, or the body behind the BEGIN line.
    label: usize,
    /// Whether the line is a header: anything may stand behind its colon.
    header: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Begin,
    Body,
    End,
    /// The number of lines in a file of PuTTY.
    Count,
    /// These lines.
    Lines,
}

/// Whether the word says that the private lines of a PuTTY file follow.
pub(super) fn opens_putty(word: &[u8]) -> bool {
    word.ends_with(PUTTY)
}

/// Whether the word opens armour, if a blank follows.
pub(super) fn opens(word: &[u8]) -> bool {
    word.ends_with(BEGIN)
}

impl Armour {
    /// Whether the run opens armour.
    pub(super) fn opens(text: &str, run: usize, at: usize) -> bool {
        let bytes = text.as_bytes();
        bytes[at] == b' ' && opens(&bytes[run..at])
    }

    /// The private lines of a PuTTY file, from the space before their number.
    pub(super) fn putty(at: usize) -> Self {
        Self {
            phase: Phase::Count,
            ..Self::new(at)
        }
    }

    /// What is at the break behind the number of lines, or behind one of them.
    fn putty_goes_on(&mut self, word: &str, join: Stop) -> Stop {
        let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
        let fits = match self.phase {
            // A file from Windows has a second byte at the end of its lines.
            Phase::Count if word.is_empty() => true,
            Phase::Count => word.len() <= 3 && word.bytes().all(|byte| byte.is_ascii_digit()),
            _ => word.len() <= PUTTY_LINE_BYTES_MAX && word.bytes().all(base64),
        };
        if !word.is_empty() {
            self.phase = Phase::Lines;
        }
        if fits { join } else { Stop::Break }
    }

    pub(super) fn new(label: usize) -> Self {
        Self {
            phase: Phase::Begin,
            label,
            header: false,
        }
    }

    pub(super) fn shift(&mut self, bytes: usize) {
        self.label = self.label.saturating_sub(bytes);
    }

    /// What is at the break at `at`, behind the run from `run`.
    pub(super) fn stop(&mut self, text: &str, run: usize, at: usize, ended: bool) -> Stop {
        let join = Stop::Join(super::script::width(text.as_bytes()[at]), Link::None);
        if matches!(self.phase, Phase::Count | Phase::Lines) {
            // Of an endless line only the end is still there.
            let from = run.max(at.saturating_sub(PUTTY_LINE_BYTES_MAX + 1));
            return self.putty_goes_on(&text[floor(text, from)..at], join);
        }
        let word = &text[run..at];
        if self.phase == Phase::Begin {
            let Some(dashes) = word.find(DASHES) else {
                return self.label_goes_on(word, at, join);
            };
            if !text[self.label..run + dashes].ends_with(PRIVATE)
                && !text[self.label..run + dashes].ends_with("PRIVATE KEY BLOCK")
            {
                return Stop::Break;
            }
            self.phase = Phase::Body;
            self.label = run + dashes + DASHES.len();
        }
        // Of an endless line only the end is still there.
        let from = run.max(self.label).max(at.saturating_sub(LINE_KEPT_BYTES));
        let word = &text[floor(text, from)..at];
        if self.phase == Phase::End {
            return if word.contains(DASHES) {
                Stop::Break
            } else {
                self.label_goes_on(word, at, join)
            };
        }
        self.body(word, text, at, (join, ended))
    }

    fn label_goes_on(&self, word: &str, at: usize, join: Stop) -> Stop {
        let capitals = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        let short = at.saturating_sub(self.label) <= ARMOUR_LABEL_BYTES_MAX;
        if short && word.bytes().all(capitals) {
            join
        } else {
            Stop::Break
        }
    }

    fn body(&mut self, word: &str, text: &str, at: usize, (join, ended): (Stop, bool)) -> Stop {
        if let Some(end) = word.find(END) {
            if word[end + END.len()..].contains(DASHES) {
                return Stop::Break;
            }
            self.phase = Phase::End;
            self.label = at;
            return join;
        }
        self.header |= word.ends_with(':');
        let header = self.header;
        if matches!(text.as_bytes()[at], b'\n' | b'\r') {
            self.header = false;
        }
        let solid = is_solid(word);
        if header || !solid || word.len() >= LINE_BYTES {
            return join;
        }
        // A short last line: only the END line may follow.
        let next = text[at..].chars().find(|c| !c.is_whitespace());
        match next {
            Some('-') => join,
            None if !ended => Stop::More,
            Some(_) | None => Stop::Break,
        }
    }
}

/// Whether there is more in it than marks of code and ends of lines that are written as `\n`.
fn is_solid(word: &str) -> bool {
    let mut escaped = false;
    for byte in word.bytes() {
        if byte.is_ascii_alphanumeric() && !escaped {
            return true;
        }
        escaped = byte == b'\\' && !escaped;
    }
    false
}
