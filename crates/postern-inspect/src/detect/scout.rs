//! One pattern as an automaton that says whether it matches, and nothing else.
//!
//! Most patterns that run match nothing, and most never match in the life of a process. So what it
//! takes to find a match and the groups in it, which is several times as large, is made for a
//! pattern when it first matches; until then there is this automaton alone. Its states are made as
//! texts ask for them and belong to whoever searches.

use std::fmt;

use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_automata::util::pool::Pool;
use regex_automata::util::syntax::parse_with;
use regex_automata::{Input, MatchKind};

use super::backward;
use super::facts::syntax;
use crate::bounds::{
    LEFT_CACHE_BYTES, PATTERN_BYTES_PER_STATE_MIN, PATTERN_CACHE_BYTES, PATTERN_CACHES_MIN,
};

/// The automaton of one pattern.
#[derive(Debug)]
pub(crate) struct Scout {
    dfa: DFA,
}

/// The states of all automata that one search has met; the next one goes on with them.
#[derive(Default)]
pub(crate) struct Scratch {
    /// For each automaton by its number.
    caches: Vec<Option<Box<Cache>>>,
}

/// Where searches leave them for each other.
pub(crate) type Scratches = Pool<Scratch, fn() -> Scratch>;

impl fmt::Debug for Scratch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Scratch").finish_non_exhaustive()
    }
}

impl Scratch {
    /// Where searches take one from.
    pub(crate) fn pool() -> Scratches {
        Pool::new(Self::default)
    }

    fn of(&mut self, nth: usize, dfa: &DFA) -> &mut Cache {
        if self.caches.len() <= nth {
            self.caches.resize_with(nth + 1, || None);
        }
        self.caches[nth].get_or_insert_with(|| Box::new(dfa.create_cache()))
    }
}

/// How patterns are compiled of which only is asked whether they match.
pub(super) fn bare(reverse: bool) -> thompson::Config {
    thompson::Config::new()
        .reverse(reverse)
        .utf8(false)
        .which_captures(WhichCaptures::None)
}

impl Scout {
    /// One that reads forwards.
    pub(crate) fn forward(pattern: &str) -> Self {
        Self::new(pattern, false)
    }

    /// One that reads backwards.
    pub(crate) fn backward(pattern: &str) -> Self {
        Self::new(pattern, true)
    }

    fn new(pattern: &str, reverse: bool) -> Self {
        let pattern = parse_with(pattern, &syntax()).expect("a test reads every pattern");
        let nfa: NFA = thompson::Compiler::new()
            .configure(bare(reverse))
            .build_from_hir(&pattern)
            .expect("a test compiles every pattern");
        let cache_bytes = match reverse {
            true => LEFT_CACHE_BYTES,
            false => PATTERN_CACHE_BYTES,
        };
        let config = DFA::config()
            .match_kind(MatchKind::All)
            .cache_capacity(cache_bytes)
            .skip_cache_capacity_check(true)
            .minimum_cache_clear_count(Some(PATTERN_CACHES_MIN))
            .minimum_bytes_per_state(Some(PATTERN_BYTES_PER_STATE_MIN));
        let dfa = DFA::builder()
            .configure(config)
            .build_from_nfa(nfa)
            .expect("word boundaries of Unicode are not in the patterns of the tables");
        Self { dfa }
    }

    /// Whether the pattern matches there; also where the automaton gives up. It has the number
    /// `nth` of all of them.
    pub(crate) fn may_match(&self, input: &Input<'_>, scratch: &mut Scratch, nth: usize) -> bool {
        let cache = scratch.of(nth, &self.dfa);
        let input = input.clone().earliest(true);
        !matches!(self.dfa.try_search_fwd(cache, &input), Ok(None))
    }

    /// Whether the pattern matches the end of the text to the left of a match, as it is or with
    /// blanks at the joints of names; `None` where the automaton gives up.
    pub(crate) fn ends(&self, left: &str, scratch: &mut Scratch, nth: usize) -> Option<bool> {
        let cache = scratch.of(nth, &self.dfa);
        let mut ends = false;
        let mut tell = |_: &Cache, _| {
            ends = true;
            true
        };
        backward::read(&self.dfa, cache, left, &mut tell)?;
        Some(ends)
    }
}
