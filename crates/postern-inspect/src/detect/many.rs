//! Many patterns in one automaton: one pass over a text tells of which rows a pattern matches.
//!
//! The automaton is made as texts ask for it and kept within a bound. Where a text asks for new
//! states again and again, it gives up and says that every pattern may match, so that no text can
//! make it slow.

use std::panic::{RefUnwindSafe, UnwindSafe};

use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_automata::util::pool::Pool;
use regex_automata::util::start;
use regex_automata::{Anchored, MatchKind};
use regex_syntax::hir::Hir;

use super::prefilter::Bits;
use crate::bounds::{MANY_BYTES_PER_STATE_MIN, MANY_CACHE_BYTES};

type Caches = Pool<Cache, Box<dyn Fn() -> Cache + Send + Sync + UnwindSafe + RefUnwindSafe>>;

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
            Some(()) => matching,
            None => self.covered,
        }
    }

    /// The rows of which a pattern matches the end of one of the texts; more, if it gives up.
    /// The texts are given backwards.
    pub(crate) fn ending<T: Iterator<Item = u8>>(
        &self,
        mut texts: impl Iterator<Item = T>,
    ) -> Bits {
        let cache = &mut *self.caches.get();
        let mut matching = Bits::NONE;
        let end = |backwards| self.read(cache, Anchored::Yes, backwards, &mut matching);
        match texts.try_for_each(end) {
            Some(()) => matching,
            None => self.covered,
        }
    }

    /// Reads the bytes and notes what matches; `None` if the automaton gives up.
    fn read(
        &self,
        cache: &mut Cache,
        anchored: Anchored,
        bytes: impl Iterator<Item = u8>,
        matching: &mut Bits,
    ) -> Option<()> {
        // How much is read for each new state tells the library when to give up.
        let mut count = 0;
        cache.search_start(0);
        let done = self.follow(cache, anchored, bytes, (&mut count, matching));
        cache.search_finish(count);
        done
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
