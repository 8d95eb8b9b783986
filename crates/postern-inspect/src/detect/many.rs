//! Many patterns in one automaton: one pass over a text tells of which rows a pattern matches.
//!
//! The automaton is made as texts ask for it and kept within a bound. Where a text asks for new
//! states again and again, it gives up and says that every pattern may match, so that no text can
//! make it slow.

use std::panic::{RefUnwindSafe, UnwindSafe};

use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_automata::util::pool::{Pool, PoolGuard};
use regex_automata::util::start;
use regex_automata::{Anchored, MatchKind};
use regex_syntax::hir::Hir;

use super::prefilter::Bits;
use crate::bounds::{MANY_BYTES_PER_STATE_MIN, MANY_CACHE_BYTES};

type NewCache = Box<dyn Fn() -> Cache + Send + Sync + UnwindSafe + RefUnwindSafe>;
type Caches = Pool<Cache, NewCache>;

/// Patterns of rows, as one automaton.
#[derive(Debug)]
pub(crate) struct Many {
    dfa: DFA,
    /// For each pattern, its rows.
    rows: Vec<Bits>,
    /// The rows of all patterns.
    pub(crate) covered: Bits,
    caches: Caches,
}

/// Texts that are read from their ends, one after the other.
pub(crate) struct Ending<'a> {
    many: &'a Many,
    cache: PoolGuard<'a, Cache, NewCache>,
    /// The rows of which a pattern matched; `None` once the automaton gave up.
    matching: Option<Bits>,
}

impl Ending<'_> {
    /// Reads a text that is given backwards, and tells how many of its bytes it took.
    pub(crate) fn read(&mut self, backwards: impl Iterator<Item = u8>) -> usize {
        let Some(matching) = &mut self.matching else {
            return 0;
        };
        let read = self
            .many
            .read(&mut self.cache, Anchored::Yes, backwards, matching);
        if read.is_none() {
            self.matching = None;
        }
        read.unwrap_or(0)
    }

    /// The rows of which a pattern matches the end of one of the texts; more, if it gave up.
    pub(crate) fn rows(self) -> Bits {
        self.matching.unwrap_or(self.many.covered)
    }
}

/// Patterns with their rows, those that are equal once.
#[derive(Debug)]
pub(crate) struct Patterns {
    patterns: Vec<Hir>,
    rows: Vec<Bits>,
    covered: Bits,
}

impl Patterns {
    pub(crate) const NONE: Self = Self {
        patterns: Vec::new(),
        rows: Vec::new(),
        covered: Bits::NONE,
    };

    pub(crate) fn add(&mut self, pattern: Hir, row: usize) {
        self.covered.set(row);
        let known = self.patterns.iter().position(|known| *known == pattern);
        let at = known.unwrap_or_else(|| {
            self.patterns.push(pattern);
            self.rows.push(Bits::NONE);
            self.rows.len() - 1
        });
        self.rows[at].set(row);
    }
}

impl Many {
    /// An automaton that reads forwards and finds matches anywhere.
    pub(crate) fn forward(patterns: Patterns) -> Self {
        Self::new(patterns, false, MANY_CACHE_BYTES)
    }

    /// An automaton that reads backwards and finds matches that end where it starts.
    pub(crate) fn backward(patterns: Patterns) -> Self {
        Self::new(patterns, true, MANY_CACHE_BYTES)
    }

    /// One that keeps so many bytes of states, or the fewest that it can work with.
    fn new(patterns: Patterns, reverse: bool, cache_bytes: usize) -> Self {
        let config = thompson::Config::new()
            .reverse(reverse)
            .utf8(false)
            .which_captures(WhichCaptures::None);
        let nfa: NFA = thompson::Compiler::new()
            .configure(config)
            .build_many_from_hir(&patterns.patterns)
            .expect("the patterns of the tables are few and short");
        let config = DFA::config()
            .match_kind(MatchKind::All)
            .cache_capacity(cache_bytes)
            .skip_cache_capacity_check(true)
            .minimum_cache_clear_count(Some(0))
            .minimum_bytes_per_state(Some(MANY_BYTES_PER_STATE_MIN));
        let dfa = DFA::builder()
            .configure(config)
            .build_from_nfa(nfa)
            .expect("word boundaries of Unicode are not in the patterns of the tables");
        let of = dfa.clone();
        Self {
            dfa,
            rows: patterns.rows,
            covered: patterns.covered,
            caches: Pool::new(Box::new(move || of.create_cache())),
        }
    }

    /// The rows of which a pattern matches somewhere in the text; more, if it gives up.
    pub(crate) fn matching(&self, text: impl Iterator<Item = u8>) -> Bits {
        let cache = &mut *self.caches.get();
        let mut matching = Bits::NONE;
        match self.read(cache, Anchored::No, text, &mut matching) {
            Some(_) => matching,
            None => self.covered,
        }
    }

    /// To read texts from their ends.
    pub(crate) fn ending(&self) -> Ending<'_> {
        Ending {
            many: self,
            cache: self.caches.get(),
            matching: Some(Bits::NONE),
        }
    }

    /// Reads the bytes and notes what matches; how many it took, or `None` if the automaton gives
    /// up.
    fn read(
        &self,
        cache: &mut Cache,
        anchored: Anchored,
        bytes: impl Iterator<Item = u8>,
        matching: &mut Bits,
    ) -> Option<usize> {
        // How much is read for each new state tells the library when to give up.
        let mut count = 0;
        cache.search_start(0);
        let done = self.follow(cache, anchored, bytes, (&mut count, matching));
        cache.search_finish(count);
        done.map(|()| count)
    }

    fn follow(
        &self,
        cache: &mut Cache,
        anchored: Anchored,
        bytes: impl Iterator<Item = u8>,
        (count, matching): (&mut usize, &mut Bits),
    ) -> Option<()> {
        let start = start::Config::new().anchored(anchored);
        let Ok(mut state) = self.dfa.start_state(cache, &start) else {
            // What cannot be read counts, or an automaton without room for its start would never
            // forget the states that take it.
            *count += bytes.count();
            return None;
        };
        for byte in bytes {
            *count += 1;
            state = self.dfa.next_state(cache, state, byte).ok()?;
            if state.is_tagged() {
                if state.is_dead() {
                    return Some(());
                }
                self.note(cache, state, matching);
            }
        }
        state = self.dfa.next_eoi_state(cache, state).ok()?;
        self.note(cache, state, matching);
        Some(())
    }

    fn note(&self, cache: &Cache, state: LazyStateID, matching: &mut Bits) {
        if !state.is_match() {
            return;
        }
        for nth in 0..self.dfa.match_len(cache, state) {
            let pattern = self.dfa.match_pattern(cache, state, nth);
            matching.join(&self.rows[pattern.as_usize()]);
        }
    }
}

#[cfg(test)]
mod tests;
