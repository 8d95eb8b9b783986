//! Randomness from the operating system, behind one small door.

use std::cell::RefCell;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

/// Bytes drawn at once: a draw costs the same for ten bytes as for hundreds.
const DRAWN_BYTES: usize = 640;

/// The system's random source.
#[derive(Debug, Clone, Default)]
pub struct Random(SystemRandom);

/// Bytes of one thread that were drawn and not handed out yet.
struct Drawn {
    bytes: [u8; DRAWN_BYTES],
    left: usize,
}

impl Random {
    /// Random bytes for the id of a request, ten as a rule. Keys are drawn where they are used.
    ///
    /// # Panics
    /// When the operating system gives no randomness: nothing safe can be done without it.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        thread_local! {
            static DRAWN: RefCell<Drawn> = const {
                RefCell::new(Drawn { bytes: [0; DRAWN_BYTES], left: 0 })
            };
        }
        const { assert!(N <= DRAWN_BYTES, "ids are short") };
        DRAWN.with_borrow_mut(|drawn| {
            if drawn.left < N {
                self.0
                    .fill(&mut drawn.bytes)
                    .expect("the operating system gives randomness");
                drawn.left = DRAWN_BYTES;
            }
            let mut bytes = [0; N];
            let (_, next) = drawn.bytes[..drawn.left].split_at_mut(drawn.left - N);
            bytes.copy_from_slice(next);
            // Nothing is handed out twice, and nothing stays behind.
            next.fill(0);
            drawn.left -= N;
            bytes
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_bytes_are_handed_out_twice() {
        // Goal: ids differ also over the end of what was drawn at once, and between threads.
        // Method: many more than one draw holds, on two threads.
        let draw = || -> Vec<[u8; 10]> { (0..1000).map(|_| Random::default().bytes()).collect() };
        let there = std::thread::spawn(draw);
        let mut all = draw();
        all.extend(there.join().expect("no panic"));
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }
}
