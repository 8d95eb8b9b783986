//! A sliding window: at most so many in any stretch of time of one length.
//!
//! What was taken is remembered with the time at which it leaves the window. Up to
//! [`RATE_GRAINS`] uses each has a time of its own, and the window is exact. Beyond that, uses that
//! lie close together share the time of their last one, so that memory is bounded whatever the
//! count: they come back late by a grain at most, and never early. So no window of the length ever
//! holds more than the count, at its edges neither.

use std::collections::VecDeque;

use crate::bounds::RATE_GRAINS;

/// A sliding window. It reads no clock: time is an argument, and does not go back.
#[derive(Debug, Clone)]
pub(super) struct Window {
    count: u32,
    length_us: u64,
    grain_us: u64,
    uses: VecDeque<Uses>,
    used: u32,
}

/// Uses that leave the window together.
#[derive(Debug, Clone, Copy)]
struct Uses {
    first_us: u64,
    last_us: u64,
    times: u32,
}

impl Window {
    pub(super) fn new(count: u32, length_us: u64) -> Self {
        let exact = count <= RATE_GRAINS;
        Self {
            count,
            length_us,
            grain_us: if exact {
                0
            } else {
                length_us / u64::from(RATE_GRAINS)
            },
            uses: VecDeque::new(),
            used: 0,
        }
    }

    /// Starts with what another window of the same length remembers: a limit that was edited does
    /// not forget.
    pub(super) fn follow(&mut self, earlier: &Self) {
        if earlier.length_us == self.length_us && earlier.used > self.used {
            self.uses.clone_from(&earlier.uses);
            self.used = earlier.used;
        }
    }

    /// Starts with what was used before a restart. It may have been kept in coarser grains than
    /// this window's: then it comes back late by one of them, and never early.
    pub(super) fn recover(&mut self, earlier: &Self) {
        self.uses.clone_from(&earlier.uses);
        self.used = earlier.used;
    }

    /// How long from now until one more fits; `None` if it fits now.
    pub(super) fn wait_us(&mut self, now_us: u64) -> Option<u64> {
        let now_us = self.advance(now_us);
        // One place has to come free, and more where the count was made smaller.
        let mut short = (self.used + 1).saturating_sub(self.count);
        if short == 0 {
            return None;
        }
        let mut leaves_us = now_us;
        for uses in &self.uses {
            leaves_us = uses.last_us + self.length_us;
            short = short.saturating_sub(uses.times);
            if short == 0 {
                break;
            }
        }
        Some(leaves_us - now_us)
    }

    /// Takes one. To be called where [`wait_us`](Self::wait_us) just gave `None`.
    pub(super) fn take(&mut self, now_us: u64) {
        let now_us = self.advance(now_us);
        self.used += 1;
        if let Some(newest) = self.uses.back_mut()
            && now_us - newest.first_us <= self.grain_us
        {
            newest.last_us = now_us;
            newest.times += 1;
            return;
        }
        self.uses.push_back(Uses {
            first_us: now_us,
            last_us: now_us,
            times: 1,
        });
    }

    /// How many still fit.
    pub(super) fn remaining(&self) -> u32 {
        self.count.saturating_sub(self.used)
    }

    /// How long from now until all of the count fits again.
    pub(super) fn full_in_us(&self, now_us: u64) -> u64 {
        let last = self.uses.back().map(|uses| uses.last_us + self.length_us);
        last.map_or(0, |leaves| leaves.saturating_sub(now_us))
    }

    /// Forgets what has left the window. Threads may bring times in any order by a little; the
    /// window's own time never goes back.
    fn advance(&mut self, now_us: u64) -> u64 {
        let newest = self.uses.back().map_or(0, |uses| uses.last_us);
        let now_us = now_us.max(newest);
        while let Some(oldest) = self.uses.front()
            && oldest.last_us + self.length_us <= now_us
        {
            self.used -= oldest.times;
            self.uses.pop_front();
        }
        now_us
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LENGTH: u64 = 1_000_000;
    const GRAIN: u64 = LENGTH / RATE_GRAINS as u64;

    /// Counts on both sides of where the window stops being exact.
    fn counts() -> impl Strategy<Value = u32> {
        prop_oneof![1_u32..8, 50_u32..70, 100_u32..400]
    }

    /// Gaps between arrivals: crowds, trickles and pauses.
    fn gaps() -> impl Strategy<Value = Vec<u64>> {
        let gap = prop_oneof![
            4 => 0_u64..200,
            3 => 200_u64..30_000,
            1 => 30_000_u64..1_200_000,
        ];
        proptest::collection::vec(gap, 1..1_500)
    }

    proptest! {
        // Goal: the promise itself, and that it costs little. Method: random arrivals; what passed
        // is kept apart, and every stretch of the length is counted. What is refused must be so
        // because the stretch, longer by a grain, was full.
        #[test]
        fn no_window_ever_holds_more_than_the_count(count in counts(), gaps in gaps()) {
            let mut window = Window::new(count, LENGTH);
            let most = count as usize;
            let grain = if count <= RATE_GRAINS { 0 } else { GRAIN };
            let mut now = 0;
            let mut passed: Vec<u64> = Vec::new();
            for gap in gaps {
                now += gap;
                match window.wait_us(now) {
                    None => {
                        window.take(now);
                        passed.push(now);
                    }
                    Some(_) => {
                        let since = now.saturating_sub(LENGTH + grain);
                        let held = passed.iter().rev().take_while(|at| **at >= since).count();
                        prop_assert!(held >= most, "refused with {held} of {most}");
                    }
                }
                prop_assert!(window.uses.len() <= RATE_GRAINS as usize + 2);
            }
            // The first of each `count + 1` in a row has left when the last comes.
            for both in passed.windows(most + 1) {
                prop_assert!(both[most] - both[0] >= LENGTH);
            }
        }

        // Goal: who waits as told is let in, and is told no longer than needed. Method: fill a
        // window by random arrivals and come back at the time told, and just before it.
        #[test]
        fn waiting_as_told_is_enough(count in counts(), gaps in gaps()) {
            let mut window = Window::new(count, LENGTH);
            let mut now = 0;
            for gap in gaps {
                now += gap;
                if let Some(wait) = window.wait_us(now) {
                    prop_assert!(wait <= LENGTH);
                    prop_assert!(window.clone().wait_us(now + wait - 1).is_some());
                    prop_assert!(window.clone().wait_us(now + wait).is_none());
                } else {
                    window.take(now);
                    prop_assert!(window.full_in_us(now) == LENGTH);
                }
            }
        }
    }

    #[test]
    fn a_full_window_stays_full_after_a_pause_too() {
        // Goal: the fault that this replaced is gone. Method: a whole count after a long pause,
        // and a look at every moment of the window that follows.
        let mut window = Window::new(100, LENGTH);
        let start = 50 * LENGTH;
        for _ in 0..100 {
            assert_eq!(window.wait_us(start), None);
            window.take(start);
        }
        for later in (0..LENGTH).step_by(10_000) {
            assert!(window.wait_us(start + later).is_some(), "{later}");
        }
        assert_eq!(window.wait_us(start + LENGTH), None);
        assert_eq!(window.remaining(), 100);
    }

    #[test]
    fn a_smaller_count_does_not_forget_and_says_when_there_is_room() {
        let mut wide = Window::new(4, LENGTH);
        for at in [0, 10, 20, 30] {
            wide.take(at);
        }
        let mut narrow = Window::new(2, LENGTH);
        narrow.follow(&wide);
        assert_eq!(narrow.remaining(), 0);
        // Three have to leave before one more fits under two.
        assert_eq!(narrow.wait_us(100), Some(LENGTH + 20 - 100));
        let mut other = Window::new(2, LENGTH * 60);
        other.follow(&wide);
        assert_eq!(other.remaining(), 2, "another length starts anew");
    }

    #[test]
    fn time_that_goes_back_opens_nothing() {
        let mut window = Window::new(1, LENGTH);
        window.take(500);
        assert_eq!(window.wait_us(100), Some(LENGTH));
    }
}
