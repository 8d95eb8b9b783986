//! Data controls: what is found in text, and what goes on instead.
//!
//! A [`RuleSet`] is what the rules of an upstream come to; a [`Cleaner`] applies it to one
//! direction of one request, and keeps what was found and the placeholders that it made. Text goes
//! through a [`Channel`], piece by piece: it holds back what could still become part of a finding
//! and gives the rest at once. The output in sum is a function of the text alone, wherever it was
//! cut. Where rules ask for names, text waits for an external analyzer (`analysis`).

mod action;
mod analysis;
mod channel;
mod custom;
mod findings;
mod flow;
mod json_text;
mod kept;
mod keys;
mod ours;
mod pieces;
mod plain;
mod pseudonym;
mod rules;
mod seam;
mod spelling;
mod table;
mod watch;
mod words;

use std::sync::Arc;

use postern_types::{DataAction, DataClass, Direction, Finding, RuleName};
use thiserror::Error;

pub use analysis::AnalyzedSpan;
pub(crate) use analysis::{Attempt, attempt};
pub(crate) use channel::{Channel, TextKind};
pub use kept::KeptPseudonyms;
pub use keys::MaskKeys;
pub use pseudonym::Pseudonyms;
pub use rules::{RuleError, RuleSet};
pub(crate) use seam::{CDATA, CDATA_END, COMMENT, is_read_twice, seam_len};
pub(crate) use table::TableKind;

use crate::detect::span::Weight;
use analysis::Analysis;
use findings::Findings;
use rules::Verdict;

/// Why text does not go on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CleanError {
    /// A rule says that text with such a value does not pass.
    #[error("the data rule {rule} blocks the class {class}")]
    Blocked {
        /// What was found.
        class: DataClass,
        /// The rule that blocks it.
        rule: RuleName,
    },
    /// The text cannot be inspected, so it does not pass.
    #[error("cannot inspect the text: {0}")]
    CannotInspect(&'static str),
    /// An analyzer has to be asked before work goes on. Whoever does not know that refuses.
    #[error("cannot inspect the text: an analyzer has to be asked first")]
    NeedsAnalysis,
}

/// What goes on instead of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Act {
    Keep,
    Replace(String),
}

/// One direction of one request: rules, what its principal may see, and what was found.
#[derive(Debug, Clone)]
pub struct Cleaner {
    rules: Arc<RuleSet>,
    direction: Direction,
    revealed: Vec<DataClass>,
    keys: MaskKeys,
    findings: Findings,
    /// The placeholders of this request; in its answer, those that are turned back.
    pseudonyms: Pseudonyms,
    /// What an analyzer is asked and what it said; made when it is first needed.
    analysis: Option<Box<Analysis>>,
}

impl Cleaner {
    /// A cleaner for one direction of one request. Classes in `revealed` pass and are reported.
    #[must_use]
    pub fn new(
        rules: Arc<RuleSet>,
        direction: Direction,
        revealed: &[DataClass],
        keys: MaskKeys,
    ) -> Self {
        Self {
            rules,
            direction,
            revealed: revealed.to_vec(),
            keys,
            findings: Findings::default(),
            pseudonyms: Pseudonyms::default(),
            analysis: None,
        }
    }

    /// The cleaner of the answer: it turns the placeholders of the request back.
    #[must_use]
    pub fn for_response(&self, revealed: &[DataClass]) -> Self {
        let mut cleaner = Self::new(
            Arc::clone(&self.rules),
            Direction::Response,
            revealed,
            self.keys.clone(),
        );
        cleaner.pseudonyms = self.pseudonyms.clone();
        cleaner
    }

    /// Placeholders of earlier requests of the same caller, to be turned back in this answer.
    pub fn remember(&mut self, earlier: &KeptPseudonyms) {
        self.pseudonyms.merge(earlier);
    }

    /// The placeholders known so far, with what they stand for: secrets of the caller.
    #[must_use]
    pub fn pseudonyms(&self) -> &Pseudonyms {
        &self.pseudonyms
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// Which way the text travels.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Whether text passes through unread: no rule applies and no placeholder is to be turned back.
    #[must_use]
    pub fn idle(&self) -> bool {
        !self.rules.applies(self.direction) && !self.restores()
    }

    /// Whether text may go on other than it came.
    pub(crate) fn acts(&self) -> bool {
        self.rules.acts(self.direction) || self.restores()
    }

    /// Cleans one text that is there whole. `left` is text that stands to its left, such as the
    /// name of the field.
    ///
    /// # Errors
    /// When a rule blocks what is found, or the text cannot be inspected.
    pub fn clean_value(
        &mut self,
        place: &str,
        left: &str,
        text: &str,
    ) -> Result<Option<String>, CleanError> {
        self.clean_as(TextKind::Plain, place, left, text)
    }

    /// As [`Cleaner::clean_value`], for a text that may be JSON in a string: what begins like JSON
    /// is read as such, whole or not, so that its escapes hide nothing.
    ///
    /// # Errors
    /// As [`Cleaner::clean_value`].
    pub fn clean_embedded(
        &mut self,
        place: &str,
        left: &str,
        text: &str,
    ) -> Result<Option<String>, CleanError> {
        let kind = if text.trim_ascii_start().starts_with(['{', '[', '"']) {
            TextKind::Json
        } else {
            TextKind::Plain
        };
        self.clean_as(kind, place, left, text)
    }

    fn clean_as(
        &mut self,
        kind: TextKind,
        place: &str,
        left: &str,
        text: &str,
    ) -> Result<Option<String>, CleanError> {
        if self.idle() {
            return Ok(None);
        }
        let mut channel = Channel::new(kind, place, left);
        let mut out = String::new();
        channel.push(text, self, &mut out)?;
        channel.finish(self, &mut out)?;
        Ok((out != text).then_some(out))
    }

    /// Treats a text as a value of the class, whatever stands in it: it was found by its place.
    ///
    /// # Errors
    /// When a rule blocks the class.
    pub fn found(
        &mut self,
        class: &DataClass,
        place: &str,
        text: &str,
    ) -> Result<Option<String>, CleanError> {
        if self.ours().is(text) {
            return Ok(None);
        }
        match self.act(class, 100, place, Value::Whole(text))? {
            Act::Keep => Ok(None),
            Act::Replace(with) => Ok((with != text).then_some(with)),
        }
    }

    /// How strong the action is that holds for a class, the rules that only report apart.
    pub(crate) fn strength(&self, class: &DataClass) -> u8 {
        let firm = self.rules.firm(self.direction, class, 100);
        firm.map_or(0, |verdict| verdict.action.strength())
    }

    /// What was found so far.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        self.findings.list()
    }

    fn restores(&self) -> bool {
        self.direction == Direction::Response && !self.pseudonyms.is_empty()
    }

    fn weight(&self, class: &DataClass, confidence: u8) -> Weight {
        match self.rules.verdict(self.direction, class, confidence) {
            Some(verdict) if verdict.acts() && !self.revealed.contains(class) => {
                if verdict.action == DataAction::Block {
                    Weight::Blocks
                } else {
                    Weight::Acts(verdict.action.strength())
                }
            }
            Some(_) => Weight::Passes,
            None => Weight::None,
        }
    }

    /// Does what the rules say about a value, and reports it.
    fn act(
        &mut self,
        class: &DataClass,
        confidence: u8,
        place: &str,
        value: Value<'_>,
    ) -> Result<Act, CleanError> {
        let rules = Arc::clone(&self.rules);
        let revealed = self.revealed.contains(class);
        for verdict in rules.dry(self.direction, class, confidence) {
            self.report(class, &rules, verdict, verdict.action, place);
        }
        let Some(verdict) = rules.firm(self.direction, class, confidence) else {
            return Ok(Act::Keep);
        };
        if verdict.action == DataAction::Allow {
            return Ok(Act::Keep);
        }
        if revealed {
            self.report(class, &rules, verdict, DataAction::Flag, place);
            return Ok(Act::Keep);
        }
        self.report(class, &rules, verdict, verdict.action, place);
        match verdict.action {
            DataAction::Allow | DataAction::Flag => Ok(Act::Keep),
            DataAction::Block => Err(CleanError::Blocked {
                class: class.clone(),
                rule: rules.name(verdict).clone(),
            }),
            DataAction::Pseudonym(scope) => Ok(Act::Replace(self.pseudonym(class, scope, value))),
            DataAction::Mask | DataAction::KeepLast(_) | DataAction::Hash => {
                let with = action::replace(verdict.action, class, &self.keys, value);
                Ok(Act::Replace(with))
            }
        }
    }

    fn pseudonym(
        &mut self,
        class: &DataClass,
        scope: postern_types::PseudonymScope,
        value: Value<'_>,
    ) -> String {
        let placeholder = match value {
            Value::Whole(text) | Value::BeforeAt(text) => {
                self.pseudonyms.place(&self.keys, scope, class, text)
            }
            Value::Part => None,
        };
        placeholder.unwrap_or_else(|| action::mask(class))
    }

    fn report(
        &mut self,
        class: &DataClass,
        rules: &RuleSet,
        verdict: &Verdict,
        action: DataAction,
        place: &str,
    ) {
        let finding = Finding {
            class: class.clone(),
            direction: self.direction,
            action,
            rule: rules.name(verdict).clone(),
            dry_run: verdict.dry_run,
            place: place.to_owned(),
            count: 1,
        };
        self.findings.add(finding);
    }
}

/// How much of a value is known when it is replaced.
#[derive(Debug, Clone, Copy)]
enum Value<'a> {
    Whole(&'a str),
    /// All of it, and an `@` behind it: letters that are left of it would read as an address.
    BeforeAt(&'a str),
    /// It goes on beyond what may be held, or only a part of it stands alone: only a label can
    /// stand for it.
    Part,
}

#[cfg(test)]
mod tests;
