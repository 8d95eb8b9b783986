//! The text to the left of a match, read backwards by an automaton: as it is, and with blanks at
//! the joints of names.

use regex_automata::Anchored;
use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::util::start;

use super::context::{Joint, asked, joint};

/// What is told of each state in which a pattern matches; `true` if that is enough.
type Tell<'a> = dyn FnMut(&Cache, LazyStateID) -> bool + 'a;

/// One reading of a text.
struct Reading<'a> {
    dfa: &'a DFA,
    cache: &'a mut Cache,
    /// How many bytes were read.
    read: usize,
    /// Whether a joint of a name was among them.
    joints: bool,
}

/// Reads both; `None` where the automaton gives up.
pub(super) fn read(dfa: &DFA, cache: &mut Cache, left: &str, tell: &mut Tell<'_>) -> Option<()> {
    // How much is read for each new state tells the library when to give up.
    cache.search_start(0);
    let mut reading = Reading {
        dfa,
        cache,
        read: 0,
        joints: false,
    };
    let mut done = reading.follow::<false>(left.as_bytes(), tell);
    // Where no name has joints in what was read, the other reading is the same.
    if done == Some(false) && reading.joints {
        done = reading.follow::<true>(asked(left), tell);
    }
    if done.is_none() {
        // What cannot be read counts, or an automaton without room for its start would never
        // forget the states that take it.
        reading.read += left.len();
    }
    let read = reading.read;
    cache.search_finish(read);
    done.map(drop)
}

impl Reading<'_> {
    /// Reads the bytes until nothing more can match; whether enough was told. With `SPACED`, blanks
    /// stand at joints.
    fn follow<const SPACED: bool>(&mut self, bytes: &[u8], tell: &mut Tell<'_>) -> Option<bool> {
        let start = start::Config::new().anchored(Anchored::Yes);
        let mut state = self.dfa.start_state(self.cache, &start).ok()?;
        for (at, byte) in bytes.iter().enumerate().rev() {
            let mut byte = *byte;
            self.read += 1;
            // Most bytes are none that can be joints.
            if matches!(byte, b'_' | b'-' | b'A'..=b'Z') {
                match joint(bytes, at) {
                    Joint::None => {}
                    _ if !SPACED => self.joints = true,
                    Joint::Here => byte = b' ',
                    Joint::Before => {
                        state = self.dfa.next_state(self.cache, state, byte).ok()?;
                        if state.is_match() && tell(self.cache, state) {
                            return Some(true);
                        }
                        byte = b' ';
                    }
                }
            }
            state = self.dfa.next_state(self.cache, state, byte).ok()?;
            if state.is_tagged() {
                if state.is_dead() {
                    return Some(false);
                }
                if state.is_match() && tell(self.cache, state) {
                    return Some(true);
                }
            }
        }
        state = self.dfa.next_eoi_state(self.cache, state).ok()?;
        Some(state.is_match() && tell(self.cache, state))
    }
}
