//! How many answers of a chat come: no more than were asked for.
//!
//! Who asked for one reads all that comes as one text, whatever number stands beside it. Servers
//! have been seen that number each piece where the number of the answer belongs (TGI 1.4.3); to
//! us each piece would be a text, and a value would go through in pieces.

use crate::clean::CleanError;

use super::ends::is_same;

/// The answers of one stream.
#[derive(Debug, Clone, Default)]
pub(super) struct Answers {
    /// How many were asked for, if that is known.
    asked: Option<u64>,
    /// Those that have said something, by their numbers.
    come: Vec<Vec<u8>>,
}

impl Answers {
    pub(super) fn new(asked: Option<u64>) -> Self {
        Self {
            asked,
            come: Vec::new(),
        }
    }

    /// A text of the answer with this number comes.
    ///
    /// # Errors
    /// `CannotInspect` when it is one more than were asked for.
    pub(super) fn take(&mut self, number: &[u8]) -> Result<(), CleanError> {
        let Some(asked) = self.asked else {
            return Ok(());
        };
        if self.come.iter().any(|known| is_same(known, number)) {
            return Ok(());
        }
        if self.come.len() as u64 >= asked {
            return Err(CleanError::CannotInspect(
                "more answers come than were asked for",
            ));
        }
        self.come.push(number.to_vec());
        Ok(())
    }
}
