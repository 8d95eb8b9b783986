//! Randomness from the operating system, behind one small door.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

/// The system's random source.
#[derive(Debug, Clone, Default)]
pub struct Random(SystemRandom);

impl Random {
    /// Random bytes.
    ///
    /// # Panics
    /// When the operating system gives no randomness: nothing safe can be done without it.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0
            .fill(&mut bytes)
            .expect("the operating system gives randomness");
        bytes
    }
}
