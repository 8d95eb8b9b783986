//! What data rules found, counted by what it is and never by what it says.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use postern_types::{DataAction, Finding};

use crate::bounds::FINDING_KINDS_MAX;

/// The class under which findings are counted once there are too many kinds of them.
const REST: &str = "other";

/// In what part of a message something was found. The place itself may hold names that a client
/// chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The body.
    Body,
    /// A header field.
    Header,
    /// A query parameter.
    Query,
}

impl Place {
    /// The word used in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Header => "header",
            Self::Query => "query",
        }
    }

    fn of(place: &str) -> Self {
        match place.split_once(' ') {
            Some(("header", _)) => Self::Header,
            Some(("query", _)) => Self::Query,
            _ => Self::Body,
        }
    }
}

/// What findings are counted by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FindingKey {
    /// The data class: a built-in one, or one that a data rule defines.
    pub class: String,
    /// What was done, without its parameter.
    pub action: &'static str,
    /// Which way it travelled.
    pub direction: &'static str,
    /// In what part of the message.
    pub place: Place,
    /// Whether the rule only reports.
    pub dry_run: bool,
}

/// Counts by key. A lock, because most requests have no finding at all.
#[derive(Debug, Default)]
pub(crate) struct FindingCounts(Mutex<BTreeMap<FindingKey, u64>>);

impl FindingCounts {
    pub(crate) fn add(&self, findings: &[Finding]) {
        if findings.is_empty() {
            return;
        }
        let mut counts = self.0.lock();
        for finding in findings {
            let mut key = FindingKey {
                class: finding.class.to_string(),
                action: word(finding.action),
                direction: finding.direction.as_str(),
                place: Place::of(&finding.place),
                dry_run: finding.dry_run,
            };
            if counts.len() >= FINDING_KINDS_MAX && !counts.contains_key(&key) {
                REST.clone_into(&mut key.class);
            }
            *counts.entry(key).or_default() += u64::from(finding.count);
        }
    }

    pub(crate) fn read(&self) -> Vec<(FindingKey, u64)> {
        let counts = self.0.lock();
        counts
            .iter()
            .map(|(key, count)| (key.clone(), *count))
            .collect()
    }
}

/// An action without what it is told beside: a closed list.
fn word(action: DataAction) -> &'static str {
    match action {
        DataAction::Allow => "allow",
        DataAction::Flag => "flag",
        DataAction::Mask => "mask",
        DataAction::KeepLast(_) => "keep-last",
        DataAction::Hash => "hash",
        DataAction::Pseudonym(_) => "pseudonym",
        DataAction::Block => "block",
    }
}

#[cfg(test)]
mod tests {
    use postern_types::{DataClass, Direction, RuleName};

    use super::*;

    fn finding(class: &str, place: &str, count: u32) -> Finding {
        Finding {
            class: DataClass::parse(class).unwrap(),
            direction: Direction::Request,
            action: DataAction::KeepLast(4),
            rule: RuleName::parse("r").unwrap(),
            dry_run: false,
            place: place.to_owned(),
            count,
        }
    }

    #[test]
    fn places_are_told_by_kind_only() {
        let counts = FindingCounts::default();
        counts.add(&[
            finding("email", "messages.content", 2),
            finding("email", "mona@example.com", 1),
            finding("email", "header x-mona", 1),
            finding("email", "query mona", 1),
        ]);
        let read = counts.read();
        let told: Vec<_> = read
            .iter()
            .map(|(key, count)| (key.class.as_str(), key.action, key.place.as_str(), *count))
            .collect();
        let each = |place, count| ("email", "keep-last", place, count);
        assert_eq!(told, [each("body", 3), each("header", 1), each("query", 1)]);
    }

    #[test]
    fn kinds_are_bounded_and_no_finding_is_lost() {
        let counts = FindingCounts::default();
        for number in 0..FINDING_KINDS_MAX + 50 {
            counts.add(&[finding(&format!("custom:c{number}"), "a", 1)]);
        }
        counts.add(&[finding("custom:c0", "a", 1)]);
        let read = counts.read();
        assert_eq!(read.len(), FINDING_KINDS_MAX + 1);
        let rest = read.iter().find(|(key, _)| key.class == REST);
        assert_eq!(rest.map(|(_, count)| *count), Some(50));
        let total: u64 = read.iter().map(|(_, count)| count).sum();
        assert_eq!(total, FINDING_KINDS_MAX as u64 + 51);
    }
}
