//! What the parser and the validator found, as problems with a place and an advice.

use std::collections::{HashMap, HashSet};

use cedar_policy::ffi::DetailedError;
use cedar_policy::{PolicyId, PolicySet, ValidationMode, Validator};

use crate::Problem;
use crate::schema::SCHEMA;

/// Where a statement comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) policy: &'a str,
    pub(crate) text: &'a str,
}

impl Origin<'_> {
    /// A problem at a byte of the text.
    pub(crate) fn problem(self, at: Option<usize>, message: String, help: &str) -> Problem {
        let place = at.and_then(|at| self.text.get(..at)).map(|before| {
            let line = before.rsplit('\n').next().unwrap_or(before);
            (before.matches('\n').count() + 1, line.chars().count() + 1)
        });
        Problem {
            policy: self.policy.to_owned(),
            line: place.map(|(line, _)| line),
            column: place.map(|(_, column)| column),
            message,
            help: help.to_owned(),
        }
    }

    /// A problem as Cedar describes it, with an advice of ours where Cedar has none.
    pub(crate) fn diagnosed(self, error: impl Into<DetailedError>, advice: &str) -> Problem {
        let error: DetailedError = error.into();
        let at = error.source_locations.first().map(|label| label.loc.start);
        let help = error.help.as_deref().unwrap_or(advice);
        self.problem(at, printable(&error.message), &printable(help))
    }
}

/// One line without what could deceive a terminal, and without the statement's id, which the place
/// already says.
fn printable(text: &str) -> String {
    let text = match text.split_once("`, ") {
        Some((start, rest)) if start.starts_with("for policy `") => rest,
        _ => text,
    };
    let mut line = String::with_capacity(text.len());
    for letter in text.chars() {
        let directs = matches!(letter, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
            || matches!(letter, '\u{2066}'..='\u{2069}');
        match letter {
            '\n' => line.push(' '),
            _ if letter.is_control() || directs => line.extend(letter.escape_unicode()),
            _ => line.push(letter),
        }
    }
    line
}

/// What to do where a text cannot be read.
pub(crate) const PARSE_ADVICE: &str =
    "write permit(…) or forbid(…), then when { … } or unless { … }, then ;";

/// What to do where the schema does not allow what a text says.
const VALIDATE_ADVICE: &str = "look in the schema for what exists and what belongs together";

/// Checks statements against the schema in strict mode. Warnings count too, where there is no error
/// that they follow from.
pub(crate) fn strict(
    policies: &PolicySet,
    origins: &HashMap<PolicyId, Origin<'_>>,
) -> Vec<Problem> {
    let result = Validator::new(SCHEMA.clone()).validate(policies, ValidationMode::Strict);
    let wrong: HashSet<&PolicyId> = result
        .validation_errors()
        .map(|error| error.policy_id())
        .collect();
    let errors = result
        .validation_errors()
        .map(|error| (error.policy_id(), DetailedError::from(error)));
    let warnings = result
        .validation_warnings()
        .filter(|warning| !wrong.contains(warning.policy_id()))
        .map(|warning| (warning.policy_id(), DetailedError::from(warning)));
    let mut problems: Vec<Problem> = errors
        .chain(warnings)
        .map(|(id, error)| {
            let unknown = Origin {
                policy: id.as_ref(),
                text: "",
            };
            origins
                .get(id)
                .copied()
                .unwrap_or(unknown)
                .diagnosed(error, VALIDATE_ADVICE)
        })
        .collect();
    // One mistake is found again for each action that the statement applies to.
    problems.sort();
    problems.dedup_by(|next, kept| {
        (&next.policy, next.line, next.column) == (&kept.policy, kept.line, kept.column)
            && kept.line.is_some()
    });
    problems
}
