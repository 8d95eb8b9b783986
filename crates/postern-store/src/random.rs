//! Where random bytes come from: an argument, so that tests are deterministic.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom as Source};
use thiserror::Error;

/// A source of unpredictable bytes.
pub trait Random: Send + Sync {
    /// Fills `out` with random bytes.
    ///
    /// # Errors
    /// When the source cannot answer. Nothing is made from a half-filled buffer.
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomError>;
}

/// The source of random bytes failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the system's source of random bytes failed")]
pub struct RandomError;

/// The system's generator, seeded by the operating system.
#[derive(Debug, Default)]
pub struct SystemRandom(Source);

impl SystemRandom {
    /// The system's generator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Random for SystemRandom {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomError> {
        self.0.fill(out).map_err(|_| RandomError)
    }
}
