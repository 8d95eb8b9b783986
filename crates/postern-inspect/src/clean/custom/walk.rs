//! Following the possible starts of a match through one text.

use aho_corasick::automaton::Automaton as _;
use postern_types::DataClass;
use regex_automata::Anchored;
use regex_automata::dfa::Automaton as _;
use regex_automata::util::start;

use super::Custom;
use crate::bounds::CUSTOM_GAP_BYTES_MAX;
use crate::detect::context::is_word_letter;

/// A value that a rule's own class has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::clean) struct Own {
    pub(in crate::clean) start: usize,
    pub(in crate::clean) end: usize,
    pub(in crate::clean) class: DataClass,
}

/// The matches that are alive in one text; offsets are those of the text it is given.
#[derive(Debug, Clone, Default)]
pub(in crate::clean) struct Walk {
    at: usize,
    alive: Vec<Thread>,
}

/// A possible match: where it starts and how far its automaton is.
#[derive(Debug, Clone)]
struct Thread {
    start: usize,
    automaton: Automaton,
    /// Its longest match so far.
    best: Option<(usize, usize)>,
    /// A word that ends here if no letter follows.
    open: Option<(usize, usize)>,
    /// Bytes of the white space in a phrase that was read last.
    white: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Automaton {
    Words(aho_corasick::automaton::StateID),
    Pattern(usize, regex_automata::util::primitives::StateID),
}

impl Walk {
    /// Starts at the offset.
    pub(in crate::clean) fn new(at: usize) -> Self {
        Self {
            at,
            alive: Vec::new(),
        }
    }

    /// Everything before it is settled.
    pub(in crate::clean) fn settled(&self) -> usize {
        let starts = self.alive.iter().map(|thread| thread.start);
        starts.min().unwrap_or(self.at)
    }

    /// The text lost so many bytes at its front.
    pub(in crate::clean) fn shift(&mut self, bytes: usize) {
        // Without classes of rules nothing is read, and the offset stays behind.
        self.at = self.at.saturating_sub(bytes);
        for thread in &mut self.alive {
            thread.start -= bytes;
            for (end, _) in thread.best.iter_mut().chain(&mut thread.open) {
                *end -= bytes;
            }
        }
    }

    /// Reads on to the end of the text; gives the matches that are settled.
    pub(in crate::clean) fn advance(
        &mut self,
        custom: &Custom,
        text: &str,
        ended: bool,
    ) -> Vec<Own> {
        let mut found = Vec::new();
        let bytes = text.as_bytes();
        while self.at < bytes.len() {
            let at = self.at;
            if !self.alive.is_empty() {
                self.step(custom, bytes[at], inside_word(text, at), &mut found);
            }
            if text.is_char_boundary(at) {
                self.start(custom, text, at);
            }
            self.at += 1;
        }
        if ended {
            for thread in std::mem::take(&mut self.alive) {
                let best = thread
                    .at_end(custom, self.at)
                    .or(thread.open)
                    .or(thread.best);
                found.extend(own(custom, &thread, best));
            }
        }
        found
    }

    /// Feeds the byte at `self.at` to every match that is alive; `inside` says whether letters of
    /// one word stand on both sides of it.
    fn step(&mut self, custom: &Custom, byte: u8, inside: bool, found: &mut Vec<Own>) {
        let at = self.at;
        self.alive.retain_mut(|thread| {
            if let Some(open) = thread.open.take().filter(|_| !inside) {
                thread.best = Some(open);
            }
            let goes_on = thread.feed(custom, byte, at);
            if !goes_on {
                found.extend(own(custom, thread, thread.best));
            }
            goes_on
        });
    }

    /// Begins a match at the offset wherever one can begin.
    fn start(&mut self, custom: &Custom, text: &str, at: usize) {
        let byte = text.as_bytes()[at];
        if let Some(words) = &custom.words
            && !inside_word(text, at)
            && let Ok(state) = words.start_state(aho_corasick::Anchored::Yes)
        {
            self.begin(custom, Automaton::Words(state), at, byte);
        }
        let look_behind = start::Config::new()
            .anchored(Anchored::Yes)
            .look_behind(at.checked_sub(1).map(|before| text.as_bytes()[before]));
        for (index, (dfa, _)) in custom.patterns.iter().enumerate() {
            // A match that is longer already and covers this start would win.
            let covered = self.alive.iter().any(|thread| {
                matches!(thread.automaton, Automaton::Pattern(other, _) if other == index)
                    && thread.best.is_some_and(|(end, _)| end > at)
            });
            if !covered && let Ok(state) = dfa.start_state(&look_behind) {
                self.begin(custom, Automaton::Pattern(index, state), at, byte);
            }
        }
    }

    fn begin(&mut self, custom: &Custom, automaton: Automaton, start: usize, byte: u8) {
        let mut thread = Thread {
            start,
            automaton,
            best: None,
            open: None,
            white: 0,
        };
        if thread.feed(custom, byte, start) {
            self.alive.push(thread);
        }
    }
}

/// Whether the offset is between two letters of one word.
fn inside_word(text: &str, at: usize) -> bool {
    text.is_char_boundary(at)
        && text[at..].chars().next().is_some_and(is_word_letter)
        && text[..at].chars().next_back().is_some_and(is_word_letter)
}

impl Thread {
    /// Takes the byte at the offset; `false` when no longer match can come.
    fn feed(&mut self, custom: &Custom, byte: u8, at: usize) -> bool {
        match &mut self.automaton {
            Automaton::Words(state) => {
                let Some(words) = &custom.words else {
                    return false;
                };
                let white = byte.is_ascii_whitespace();
                self.white = if white { self.white + 1 } else { 0 };
                if self.white > 1 {
                    return self.white <= CUSTOM_GAP_BYTES_MAX;
                }
                let byte = if white { b' ' } else { byte };
                *state = words.next_state(aho_corasick::Anchored::Yes, *state, byte);
                if words.is_match(*state) {
                    self.open = Some((at + 1, words.match_pattern(*state, 0).as_usize()));
                }
                !words.is_dead(*state)
            }
            Automaton::Pattern(index, state) => {
                let dfa = &custom.patterns[*index].0;
                *state = dfa.next_state(*state, byte);
                // A match is told one byte after its end.
                if dfa.is_match_state(*state) {
                    self.best = Some((at, *index));
                }
                !dfa.is_dead_state(*state) && !dfa.is_quit_state(*state)
            }
        }
    }

    /// The match that the end of the text makes.
    fn at_end(&self, custom: &Custom, at: usize) -> Option<(usize, usize)> {
        let Automaton::Pattern(index, state) = self.automaton else {
            return None;
        };
        let dfa = &custom.patterns[index].0;
        let last = dfa.next_eoi_state(state);
        dfa.is_match_state(last).then_some((at, index))
    }
}

fn own(custom: &Custom, thread: &Thread, best: Option<(usize, usize)>) -> Option<Own> {
    let (end, index) = best?;
    let class = match thread.automaton {
        Automaton::Words(_) => &custom.word_classes[index],
        Automaton::Pattern(..) => &custom.patterns[index].1,
    };
    Some(Own {
        start: thread.start,
        end,
        class: class.clone(),
    })
}
