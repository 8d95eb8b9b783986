//! What the cleaning of an answer has come to, to be compared.

use std::fmt::Debug;

use super::AnswerCleaner;

impl AnswerCleaner {
    /// All that what comes next can depend on; rules and tables do not change and are left out.
    pub(in crate::response) fn state(&self) -> impl Debug + '_ {
        (
            (&self.channels, &self.thinking, &self.form),
            (&self.wholes, &self.starts),
            (&self.queue, self.dropped, &self.waiting),
            (self.cleaner.findings(), self.cleaner.pseudonyms()),
        )
    }
}
