//! A stand-in for the engine, until it lands: it finds one word.
#![allow(missing_docs, reason = "stand-in")]

use std::sync::Arc;

use postern_types::{
    DataClass, DataRule, Direction, FieldRule, Finding, OpaqueAction, RuleName, ThinkingAction,
};
use thiserror::Error;

#[derive(Debug, Clone)]
pub struct RuleSet {
    rules: Vec<DataRule>,
}
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("stand-in")]
pub struct RuleError;

impl RuleSet {
    pub fn compile(rules: &[DataRule]) -> Result<Self, RuleError> {
        Ok(Self {
            rules: rules.to_vec(),
        })
    }
    pub fn applies(&self, direction: Direction) -> bool {
        self.rules
            .iter()
            .any(|r| r.spec.directions.contains(&direction))
    }
    pub fn opaque(&self, _: Direction) -> OpaqueAction {
        self.rules
            .first()
            .map_or(OpaqueAction::Refuse, |r| r.spec.opaque)
    }
    pub fn thinking(&self, _: Direction) -> ThinkingAction {
        ThinkingAction::Drop
    }
    pub fn headers(&self, _: Direction) -> &[String] {
        self.rules.first().map_or(&[], |r| &r.spec.headers)
    }
    pub fn query(&self) -> &[String] {
        self.rules.first().map_or(&[], |r| &r.spec.query)
    }
    pub fn fields(&self, _: Direction) -> &[FieldRule] {
        self.rules.first().map_or(&[], |r| &r.spec.fields)
    }
    pub fn tells_client(&self) -> bool {
        true
    }
    pub fn wants_analyzer(&self, _: Direction) -> bool {
        false
    }
}

#[derive(Clone)]
pub struct MaskKeys;
impl MaskKeys {
    pub fn new(_: &[u8; 32], _: &str, _: &str, _: &str) -> Self {
        Self
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CleanError {
    #[error("blocked")]
    Blocked { class: DataClass, rule: RuleName },
    #[error("{0}")]
    CannotInspect(&'static str),
}

pub struct Cleaner {
    rules: Arc<RuleSet>,
    direction: Direction,
    found: Vec<Finding>,
}

impl Cleaner {
    pub fn new(
        rules: Arc<RuleSet>,
        direction: Direction,
        _revealed: &[DataClass],
        _keys: MaskKeys,
    ) -> Self {
        Self {
            rules,
            direction,
            found: Vec::new(),
        }
    }
    pub fn for_response(&self, _: &[DataClass]) -> Cleaner {
        Self {
            rules: Arc::clone(&self.rules),
            direction: Direction::Response,
            found: Vec::new(),
        }
    }
    pub(crate) fn rules(&self) -> &Arc<RuleSet> {
        &self.rules
    }
    pub(crate) fn direction(&self) -> Direction {
        self.direction
    }
    pub fn clean_value(
        &mut self,
        place: &str,
        _left: &str,
        text: &str,
    ) -> Result<Option<String>, CleanError> {
        let rule = RuleName::parse("stub").expect("a name");
        if text.contains("mona@example.com")
            && self.rules.rules[0].spec.action == postern_types::DataAction::Block
        {
            return Err(CleanError::Blocked {
                class: DataClass::parse("email").expect("a class"),
                rule,
            });
        }
        if !text.contains("mona@example.com") {
            return Ok(None);
        }
        self.found.push(Finding {
            class: DataClass::parse("email").expect("a class"),
            direction: self.direction,
            action: postern_types::DataAction::Mask,
            rule,
            dry_run: false,
            place: place.into(),
            count: 1,
        });
        Ok(Some(text.replace("mona@example.com", "[EMAIL]")))
    }
    pub fn found(
        &mut self,
        class: &DataClass,
        _place: &str,
        _text: &str,
    ) -> Result<Option<String>, CleanError> {
        Ok(Some(format!("[{}]", class.label())))
    }
    pub fn findings(&self) -> Vec<Finding> {
        self.found.clone()
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum TextKind {
    Plain,
    #[allow(dead_code, reason = "stand-in")]
    Json,
}

pub(crate) struct Channel {
    place: String,
    left: String,
    held: String,
}

impl Channel {
    pub(crate) fn new(_: TextKind, place: &str, left: &str) -> Self {
        Self {
            place: place.into(),
            left: left.into(),
            held: String::new(),
        }
    }
    pub(crate) fn push(
        &mut self,
        text: &str,
        cleaner: &mut Cleaner,
        out: &mut String,
    ) -> Result<(), CleanError> {
        self.held += text;
        if let Some(at) = self.held.rfind([' ', '\n']) {
            let rest = self.held.split_off(at + 1);
            let piece = std::mem::replace(&mut self.held, rest);
            let clean = cleaner.clean_value(&self.place, &self.left, &piece)?;
            out.push_str(&clean.unwrap_or(piece));
        }
        Ok(())
    }
    pub(crate) fn finish(
        &mut self,
        cleaner: &mut Cleaner,
        out: &mut String,
    ) -> Result<(), CleanError> {
        let piece = std::mem::take(&mut self.held);
        let clean = cleaner.clean_value(&self.place, &self.left, &piece)?;
        out.push_str(&clean.unwrap_or(piece));
        Ok(())
    }
}
