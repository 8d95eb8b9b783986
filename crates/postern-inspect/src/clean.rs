//! A stand-in for the engine of data controls, until it is merged: finds one fixed word.

use postern_types::{DataClass, Finding, OpaqueAction, RuleName, ThinkingAction};

/// Why cleaning ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CleanError {
    /// A value that may not pass.
    Blocked {
        /// What it is.
        class: DataClass,
        /// Who says so.
        rule: RuleName,
    },
    /// The content cannot be inspected.
    CannotInspect(&'static str),
}

/// One direction of one request.
#[derive(Debug)]
pub struct Cleaner {
    pub(crate) opaque: OpaqueAction,
    pub(crate) thinking: ThinkingAction,
}

const VALUE: &str = "4111111111111111";

impl Cleaner {
    pub(crate) fn opaque(&self) -> OpaqueAction {
        self.opaque
    }
    pub(crate) fn thinking(&self) -> ThinkingAction {
        self.thinking
    }
    /// Cleans a text.
    ///
    /// # Errors
    /// Never.
    pub fn clean_value(
        &mut self,
        _: &str,
        _: &str,
        text: &str,
    ) -> Result<Option<String>, CleanError> {
        Ok(text.contains(VALUE).then(|| text.replace(VALUE, "[CARD]")))
    }
    /// What was found.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        Vec::new()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextKind {
    Plain,
    Json,
}

#[derive(Debug)]
pub(crate) struct Channel {
    held: String,
}

impl Channel {
    pub(crate) fn new(_: TextKind, _: &str, _: &str) -> Self {
        Self {
            held: String::new(),
        }
    }
    pub(crate) fn push(
        &mut self,
        text: &str,
        cleaner: &mut Cleaner,
        out: &mut String,
    ) -> Result<(), CleanError> {
        self.held.push_str(text);
        let alive = self.held.rfind(|c: char| !c.is_ascii_digit());
        let end = alive.map_or(0, |at| {
            at + self.held[at..].chars().next().map_or(0, char::len_utf8)
        });
        let rest = self.held.split_off(end);
        let ready = std::mem::replace(&mut self.held, rest);
        let cleaned = cleaner.clean_value("", "", &ready)?;
        out.push_str(cleaned.as_deref().unwrap_or(&ready));
        Ok(())
    }
    pub(crate) fn finish(
        &mut self,
        cleaner: &mut Cleaner,
        out: &mut String,
    ) -> Result<(), CleanError> {
        let ready = std::mem::take(&mut self.held);
        let cleaned = cleaner.clean_value("", "", &ready)?;
        out.push_str(cleaned.as_deref().unwrap_or(&ready));
        Ok(())
    }
    pub(crate) fn holds(&self) -> bool {
        !self.held.is_empty()
    }
}
