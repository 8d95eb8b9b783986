//! A stand-in for the engine of data controls, until it is merged: finds two fixed values.

use std::sync::Arc;

use postern_types::{
    DataAction, DataClass, DataRule, Direction, Finding, OpaqueAction, RuleName, ThinkingAction,
};

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

/// The rules.
#[derive(Debug)]
pub struct RuleSet(Vec<DataRule>);

impl RuleSet {
    /// Compiles rules.
    ///
    /// # Errors
    /// Never.
    pub fn compile(rules: &[DataRule]) -> Result<Self, String> {
        Ok(Self(rules.to_vec()))
    }
}

/// Keys.
#[derive(Debug)]
pub struct MaskKeys;

impl MaskKeys {
    /// Makes keys.
    #[must_use]
    pub fn new(_: &[u8; 32], _: &str, _: &str, _: &str) -> Self {
        Self
    }
}

/// One direction of one request.
#[derive(Debug)]
pub struct Cleaner(Arc<RuleSet>);

const VALUES: [(&str, &str); 2] = [
    ("4111111111111111", "[CARD]"),
    ("jane.doe@example.com", "[EMAIL]"),
];

impl Cleaner {
    /// A cleaner.
    #[must_use]
    pub fn new(rules: Arc<RuleSet>, _: Direction, _: &[DataClass], _: MaskKeys) -> Self {
        Self(rules)
    }
    pub(crate) fn opaque(&self) -> OpaqueAction {
        self.0.0[0].spec.opaque
    }
    pub(crate) fn thinking(&self) -> ThinkingAction {
        self.0.0[0].spec.thinking
    }
    /// Cleans a text.
    ///
    /// # Errors
    /// When it is blocked.
    pub fn clean_value(
        &mut self,
        _: &str,
        _: &str,
        text: &str,
    ) -> Result<Option<String>, CleanError> {
        let found = VALUES.iter().any(|(value, _)| text.contains(value));
        if found && self.0.0[0].spec.action == DataAction::Block {
            return Err(CleanError::Blocked {
                class: DataClass::parse("card").map_err(|_| CleanError::CannotInspect(""))?,
                rule: self.0.0[0].name.clone(),
            });
        }
        let all = VALUES.iter().fold(text.to_owned(), |all, (value, label)| {
            all.replace(value, label)
        });
        Ok(found.then_some(all))
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
        let alive = self.held.rfind(|c: char| c.is_whitespace() || c == '"');
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
