//! Cutting text into segments: pieces over whose ends no value goes.
//!
//! A segment is a run without white space, or several that belong together: groups of a number or a
//! code joined by one space, a date with a month's name, a private key in armour. Where a run ends
//! is decided by the text alone, with as little of what follows as the decision needs, so that a
//! word of prose is settled at the space behind it.
//!
//! A run may be endless. Then it is judged in windows: once twice a window's bytes are there, what
//! starts in the first half is settled, and the rest stays. The places where that happens are
//! counted in the text, never in the pieces in which it arrived.

mod armour;
mod join;
mod mailbox;
mod month;
mod quoted;
mod script;
mod words;

use armour::Armour;
use join::{Link, Stop};
use mailbox::Inner;

use crate::bounds::{JOINED_WINDOW_BYTES, WINDOW_BYTES};
use crate::detect::facts::{ByteSet, is_white};
use crate::detect::prefilter::{
    CAPITAL, DIGIT, GATE, LETTER, Look, Plain, QUOTE, SPECIAL, STOP, WHITE,
};

/// What the segmenter came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// More text is needed, or its end. Everything before [`Segmenter::settled`] is settled.
    More,
    /// A segment from here to there may hold something.
    Segment(usize, usize),
    /// The open segment reaches from the first to the second offset and is long: what starts before
    /// the third is settled. [`Segmenter::cut`] must follow.
    Window(usize, usize, usize),
    /// From here to there, the value goes on in which the last cut fell.
    Rest(usize, usize),
}

/// The state between pieces; offsets are those of the text it is given, see [`Segmenter::shift`].
#[derive(Debug, Clone)]
pub(crate) struct Segmenter {
    /// Where the open segment starts.
    start: usize,
    /// Where its last run starts.
    run: usize,
    /// The first byte not yet looked at.
    at: usize,
    /// Whether the open segment holds a byte that no plain word has.
    special: bool,
    /// [`LETTER`] if the last byte was a letter of ASCII.
    letter: u8,
    /// What bytes the last run holds.
    kinds: u8,
    /// What bytes the runs before it hold in the open segment.
    earlier: u8,
    joined: bool,
    /// Whether all of the open segment is letters of scripts without spaces.
    wide: bool,
    link: Link,
    armour: Option<Armour>,
    swallow: Option<Swallow>,
    /// The last byte before the segment that is no white space.
    before: u8,
    /// Where the text begins, if nothing to its left says what it is.
    origin: Option<usize>,
}

/// Names of fields that say nothing about their value; one letter says nothing either.
const SAYS_NOTHING: [&str; 18] = [
    "answer", "arg", "body", "cell", "content", "data", "field", "input", "item", "line",
    "message", "output", "prompt", "query", "result", "text", "val", "value",
];

/// White space before or behind a value that is the whole text, in bytes.
const MARGIN_BYTES_MAX: usize = 16;

/// A value that began before and has no end yet.
#[derive(Debug, Clone, Copy)]
enum Swallow {
    /// It goes on over these bytes.
    Bytes(ByteSet),
    /// It goes on to the end of its armour.
    Armour,
}

/// Whether it is white space of which the prefilter knows that it joins groups.
fn plain_white(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| WHITE.contains(byte))
}

/// Whether the text is white space that may stand around a value that is the whole text.
fn is_margin(text: &str) -> bool {
    text.len() <= MARGIN_BYTES_MAX && text.bytes().all(|byte| byte <= b' ')
}

impl Segmenter {
    /// Starts at the offset; the text before it stands to the left.
    pub(crate) fn new(text: &str) -> Self {
        let solid = |byte: &u8| !is_white(*byte);
        let name = text.trim_matches(|c: char| !c.is_alphanumeric());
        let named = |known: &&str| known.eq_ignore_ascii_case(name);
        let says_nothing = name.chars().nth(1).is_none() || SAYS_NOTHING.iter().any(named);
        Self {
            start: text.len(),
            run: text.len(),
            at: text.len(),
            special: false,
            letter: 0,
            kinds: 0,
            earlier: 0,
            joined: false,
            wide: false,
            link: Link::None,
            armour: None,
            swallow: None,
            before: text.bytes().rfind(solid).unwrap_or(b' '),
            origin: says_nothing.then_some(text.len()),
        }
    }

    /// Whether the segment is the whole text, a little white space around it apart, and nothing to
    /// the left of the text says what it is. To be asked at the end of the text.
    pub(crate) fn is_alone(&self, text: &str, start: usize, end: usize) -> bool {
        let before = self.origin.and_then(|origin| text.get(origin..start));
        before.is_some_and(is_margin) && text.get(end..).is_some_and(is_margin)
    }

    /// Everything before it is settled.
    pub(crate) fn settled(&self) -> usize {
        self.start
    }

    /// The text lost so many bytes at its front.
    pub(crate) fn shift(&mut self, bytes: usize) {
        // Where a value is passed over, its beginning may be gone.
        self.start = self.start.saturating_sub(bytes);
        self.run = self.run.saturating_sub(bytes);
        self.at -= bytes;
        self.origin = self.origin.and_then(|origin| origin.checked_sub(bytes));
        if let Some(armour) = &mut self.armour {
            armour.shift(bytes);
        }
    }

    /// Settles the open segment up to the offset. Its last value goes on over `goes_on`, if it
    /// does.
    pub(crate) fn cut(&mut self, text: &str, at: usize, goes_on: Option<ByteSet>) {
        self.before = text.as_bytes()[at - 1];
        self.start = at;
        if self.run <= at {
            self.run = at;
            self.joined = false;
        }
        self.link = Link::None;
        self.kinds |= STOP;
        self.swallow = goes_on.map(|bytes| match self.armour {
            Some(_) => Swallow::Armour,
            None => Swallow::Bytes(bytes),
        });
    }

    /// Reads on in `text`; `ended` says that there is no more.
    pub(crate) fn step(&mut self, text: &str, plain: &Plain, ended: bool) -> Step {
        let bytes = text.as_bytes();
        if let Some(swallow) = self.swallow
            && let Some(rest) = self.pass_over(text, swallow, ended)
        {
            return rest;
        }
        loop {
            if let Some(window) = self.window() {
                return window;
            }
            if self.wide && self.read_wide(text, ended) {
                return Step::More;
            }
            self.read_words(text, plain);
            if self.at >= self.limit().min(bytes.len()) {
                if self.at < bytes.len() || self.window().is_some() {
                    continue;
                }
                if !ended {
                    return Step::More;
                }
                match self.close(text, plain) {
                    Some(segment) => return segment,
                    None => return Step::More,
                }
            }
            match self.goes_on(text, ended) {
                Inner::No => {}
                Inner::More => return Step::More,
                Inner::Bytes(width) => {
                    self.special |= width > 0;
                    self.kinds |= STOP;
                    self.at += width;
                    continue;
                }
            }
            match self.stop(text, ended) {
                Stop::More => return Step::More,
                Stop::Join(width, link) => {
                    let white = &bytes[self.at..self.at + width];
                    self.at += width;
                    self.run = self.at;
                    self.letter = 0;
                    self.earlier |= self.kinds | if plain_white(white) { 0 } else { STOP };
                    self.kinds = 0;
                    self.joined = true;
                    self.link = link;
                }
                // White space may be all that follows, and then the segment is the whole text.
                Stop::Break
                    if !ended
                        && self.armour.is_none()
                        && self.is_worth(plain)
                        && self.is_alone(text, self.start, self.at) =>
                {
                    return Step::More;
                }
                Stop::Break => {
                    let segment = self.close(text, plain);
                    if !script::is_wide(text, self.at) {
                        self.at += script::width(bytes[self.at]);
                    }
                    self.start = self.at;
                    self.run = self.at;
                    if let Some(segment) = segment {
                        return segment;
                    }
                }
            }
        }
    }

    /// Reads on to what may end a run, over all words in which nothing is found; to the end of the
    /// window or the text if there is no such thing before.
    fn read_words(&mut self, text: &str, plain: &Plain) {
        let bytes = text.as_bytes();
        loop {
            self.skip_words(text, plain);
            let limit = self.limit().min(bytes.len());
            let (mut letter, mut kinds) = (self.letter, self.kinds);
            let rest = bytes.get(self.at..limit).unwrap_or_default();
            let mut read = 0;
            // What is special already does not have to be looked at for that.
            while !self.special && read < rest.len() {
                let kind = plain.kinds[usize::from(rest[read])];
                if kind & STOP != 0 {
                    break;
                }
                self.special = kind & SPECIAL | (kind & CAPITAL) >> 1 & letter != 0;
                letter = kind & LETTER;
                kinds |= kind;
                read += 1;
            }
            for byte in &rest[read..] {
                let kind = plain.kinds[usize::from(*byte)];
                if kind & STOP != 0 {
                    break;
                }
                letter = kind;
                kinds |= kind;
                read += 1;
            }
            self.at += read;
            (self.letter, self.kinds) = (letter & LETTER, kinds);
            if read == rest.len() || !self.pass_word(bytes, plain) {
                return;
            }
        }
    }

    /// Passes over a word of prose that holds nothing, with the white space behind it; this is
    /// what most text is made of. `false` if it may hold something, or goes on.
    fn pass_word(&mut self, bytes: &[u8], plain: &Plain) -> bool {
        let end = self.at;
        let length = end - self.start;
        let passes = bytes[end] <= b' '
            && !self.special
            && !self.joined
            && length > 0
            && length < plain.bytes_min
            && self.settles(bytes)
            && (length < plain.gated_min || !self.gated(plain));
        if passes {
            self.before = bytes[end - 1];
            self.at = end + 1;
            self.start = self.at;
            self.run = self.at;
            self.letter = 0;
            self.kinds = 0;
        }
        passes
    }

    /// Whether the row of a value may ask for text to its left, and such text may stand there.
    fn gated(&self, plain: &Plain) -> bool {
        self.kinds & GATE != 0 || plain.gate.has(self.before)
    }

    /// Whether the last run, which ends before `at`, is over at any white space: it holds no digit
    /// and nothing beyond ASCII, it does not end in a capital, and it is no month, so nothing could
    /// go on behind it.
    fn settles(&self, bytes: &[u8]) -> bool {
        let last = bytes[self.at - 1];
        self.kinds & (DIGIT | STOP) == 0
            && last != b')'
            && !last.is_ascii_uppercase()
            && (self.kinds & CAPITAL == 0 || !month::leads(&bytes[self.run..self.at]))
            && !(last == b':' && armour::opens_putty(&bytes[self.run..self.at]))
            && !join::ends_quoted(&bytes[self.run..self.at])
            && (self.kinds & QUOTE == 0 || !quoted::opens(&bytes[self.run..self.at]))
            && !(self.origin == Some(self.start) && join::is_small(&bytes[self.run..self.at]))
            && self.link == Link::None
            && self.armour.is_none()
    }

    /// Ends the open segment before `at`; gives it if it may hold something.
    fn close(&mut self, text: &str, plain: &Plain) -> Option<Step> {
        let (start, end) = (self.start, self.at);
        let worth = self.is_worth(plain);
        self.start = end;
        self.run = end;
        self.special = false;
        self.letter = 0;
        (self.earlier, self.kinds) = (0, 0);
        self.joined = false;
        self.link = Link::None;
        self.armour = None;
        if start == end {
            return None;
        }
        self.before = text.as_bytes()[end - 1];
        worth.then_some(Step::Segment(start, end))
    }

    /// Whether the open segment may hold something.
    fn is_worth(&self, plain: &Plain) -> bool {
        // What is armoured or wide is no text of a known kind.
        let unknown = self.armour.is_some() || self.wide;
        plain.is_worth(Look {
            length: self.at - self.start,
            kinds: self.earlier | self.kinds | if unknown { STOP } else { 0 },
            special: self.special,
            joined: self.joined,
            before: self.before,
        })
    }

    /// What is at the white space or break at `at`.
    fn stop(&mut self, text: &str, ended: bool) -> Stop {
        if let Some(armour) = &mut self.armour {
            return armour.stop(text, self.run, self.at, ended);
        }
        if self.at == self.run || self.settles(text.as_bytes()) {
            return Stop::Break;
        }
        if Armour::opens(text, self.run, self.at) {
            self.armour = Some(Armour::new(self.at));
            return Stop::Join(1, Link::None);
        }
        if text.as_bytes()[self.at] == b' '
            && armour::opens_putty(&text.as_bytes()[self.run..self.at])
        {
            self.armour = Some(Armour::putty(self.at));
            return Stop::Join(1, Link::None);
        }
        let around = join::Around {
            link: self.link,
            joined: self.joined,
            first: self.origin == Some(self.start),
            ended,
        };
        join::decide(text, self.run..self.at, around)
    }

    /// Passes over the rest of a value; `None` when it ends at once.
    fn pass_over(&mut self, text: &str, swallow: Swallow, ended: bool) -> Option<Step> {
        let from = self.at;
        let open = match swallow {
            Swallow::Bytes(set) => self.pass_bytes(text, &set),
            Swallow::Armour => self.pass_armour(text, ended),
        };
        self.start = self.at;
        if !open || ended {
            self.run = self.at;
            self.swallow = None;
            self.armour = None;
        }
        let nothing = (open && !ended).then_some(Step::More);
        if from < self.at {
            Some(Step::Rest(from, self.at))
        } else {
            nothing
        }
    }

    /// Whether the value may go on beyond the text.
    fn pass_bytes(&mut self, text: &str, set: &ByteSet) -> bool {
        let rest = &text.as_bytes()[self.at..];
        let inner = |byte: &&u8| set.has(**byte) && !is_white(**byte);
        self.at += rest.iter().take_while(inner).count();
        // A set of bytes may end inside a character, which then belongs to the value.
        while !text.is_char_boundary(self.at) {
            self.at += 1;
        }
        self.at == text.len()
    }

    fn pass_armour(&mut self, text: &str, ended: bool) -> bool {
        let bytes = text.as_bytes();
        while self.at < bytes.len() {
            if bytes[self.at] > b' ' {
                self.at += script::width(bytes[self.at]);
                continue;
            }
            match self.stop(text, ended) {
                Stop::More => return true,
                Stop::Break => return false,
                Stop::Join(width, _) => {
                    self.at += width;
                    self.run = self.at;
                }
            }
        }
        true
    }

    /// The offset at which the open segment is judged as a window.
    fn limit(&self) -> usize {
        if self.groups() {
            self.start + 2 * JOINED_WINDOW_BYTES
        } else {
            self.start + 2 * WINDOW_BYTES
        }
    }

    /// Whether the segment is one of joined groups whose last one is short.
    fn groups(&self) -> bool {
        let armoured = self.armour.is_some();
        self.joined && !armoured && self.run - self.start >= JOINED_WINDOW_BYTES
    }

    fn window(&self) -> Option<Step> {
        if self.at < self.limit() {
            return None;
        }
        let first = if self.groups() {
            JOINED_WINDOW_BYTES
        } else {
            WINDOW_BYTES
        };
        Some(Step::Window(self.start, self.at, self.start + first))
    }
}
