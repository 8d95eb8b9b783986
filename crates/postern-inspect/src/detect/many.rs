//! Many patterns in one automaton: one pass over a text tells of which rows a pattern matches.
//!
//! The automaton is made as texts ask for it and kept within a bound. Where a text asks for new
//! states again and again, it gives up and says that every pattern may match, so that no text can
//! make it slow.

use std::panic::{RefUnwindSafe, UnwindSafe};

use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::{self, NFA};
use regex_automata::util::pool::{Pool, PoolGuard};
use regex_automata::util::start;
use regex_automata::{Anchored, MatchKind};
use regex_syntax::hir::Hir;

use super::backward;
use super::prefilter::Bits;
use super::scout::bare;
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
    /// The patterns that matched; `None` once the automaton gave up.
    told: Option<Bits>,
}

impl Ending<'_> {
    /// Reads the text to the left of a match backwards, as it is and with blanks at the joints of
    /// names.
    pub(crate) fn read(&mut self, left: &str) {
        let Some(told) = &mut self.told else {
            return;
        };
        let many = self.many;
        let mut tell = |cache: &Cache, state| {
            many.note(cache, state, told);
            false
        };
        if backward::read(&many.dfa, &mut self.cache, left, &mut tell).is_none() {
            self.told = None;
        }
    }

    /// The rows of which a pattern matches the end of one of the texts; more, if it gave up.
    pub(crate) fn rows(self) -> Bits {
        self.told
            .map_or(self.many.covered, |told| self.many.rows_of(&told))
    }
}

/// Texts that are read from where a match may begin.
pub(crate) struct Beginning<'a> {
    many: &'a Many,
    cache: PoolGuard<'a, Cache, NewCache>,
}

impl Beginning<'_> {
    /// Whether a pattern of one of the rows matches the beginning of the text and one more byte, or
    /// the automaton gives up.
    pub(crate) fn any(&mut self, (text, edge): (&[u8], u8), rows: &Bits) -> bool {
        let mut read = 0;
        self.cache.search_start(0);
        let any = self.follow((text, edge), rows, &mut read);
        if any.is_none() {
            // What cannot be read counts; see `backward::read`.
            read += text.len();
        }
        self.cache.search_finish(read);
        any.unwrap_or(true)
    }

    fn follow(&mut self, (text, edge): (&[u8], u8), rows: &Bits, read: &mut usize) -> Option<bool> {
        let (many, cache) = (self.many, &mut *self.cache);
        let of = |cache: &Cache, state: LazyStateID| {
            let mut told = 0..many.dfa.match_len(cache, state);
            told.any(|nth| {
                let pattern = many.dfa.match_pattern(cache, state, nth);
                many.rows[pattern.as_usize()].meets(rows)
            })
        };
        let start = start::Config::new().anchored(Anchored::Yes);
        let mut state = many.dfa.start_state(cache, &start).ok()?;
        for byte in text.iter().chain([&edge]) {
            *read += 1;
            state = many.dfa.next_state(cache, state, *byte).ok()?;
            if state.is_tagged() {
                if state.is_dead() {
                    return Some(false);
                }
                if state.is_match() && of(cache, state) {
                    return Some(true);
                }
            }
        }
        state = many.dfa.next_eoi_state(cache, state).ok()?;
        Some(state.is_match() && of(cache, state))
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
        let nfa: NFA = thompson::Compiler::new()
            .configure(bare(reverse))
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

    /// The rows of which a pattern matches somewhere in the text between two more bytes; more, if
    /// it gives up.
    pub(crate) fn matching(&self, text: &[u8], edge: u8) -> Bits {
        let cache = &mut *self.caches.get();
        let mut told = Bits::NONE;
        cache.search_start(0);
        let done = self.follow(cache, (text, edge), &mut told);
        // How much is read for each new state tells the library when to give up. What cannot be
        // read counts, or an automaton without room for its start would never forget the states
        // that take it.
        cache.search_finish(text.len());
        match done {
            Some(()) => self.rows_of(&told),
            None => self.covered,
        }
    }

    /// The rows of the patterns. As every pattern has a row, the bits of rows have room for them.
    fn rows_of(&self, told: &Bits) -> Bits {
        told.rows().fold(Bits::NONE, |mut rows, pattern| {
            rows.join(&self.rows[pattern]);
            rows
        })
    }

    /// To read texts from where matches may begin.
    pub(crate) fn beginning(&self) -> Beginning<'_> {
        Beginning {
            many: self,
            cache: self.caches.get(),
        }
    }

    /// To read texts from their ends.
    pub(crate) fn ending(&self) -> Ending<'_> {
        Ending {
            many: self,
            cache: self.caches.get(),
            told: Some(Bits::NONE),
        }
    }

    fn follow(&self, cache: &mut Cache, (text, edge): (&[u8], u8), told: &mut Bits) -> Option<()> {
        let start = start::Config::new().anchored(Anchored::No);
        let mut state = self.dfa.start_state(cache, &start).ok()?;
        state = self.dfa.next_state(cache, state, edge).ok()?;
        self.note(cache, state, told);
        for byte in text {
            let before = state;
            state = self.dfa.next_state(cache, state, *byte).ok()?;
            // A state that leads to itself has nothing new to tell.
            if state.is_tagged() && state != before {
                self.note(cache, state, told);
            }
        }
        state = self.dfa.next_state(cache, state, edge).ok()?;
        self.note(cache, state, told);
        state = self.dfa.next_eoi_state(cache, state).ok()?;
        self.note(cache, state, told);
        Some(())
    }

    fn note(&self, cache: &Cache, state: LazyStateID, told: &mut Bits) {
        if !state.is_match() {
            return;
        }
        for nth in 0..self.dfa.match_len(cache, state) {
            told.set(self.dfa.match_pattern(cache, state, nth).as_usize());
        }
    }
}

#[cfg(test)]
mod tests;
