//! Policy texts as they come in, and what is wrong with them.

use std::fmt;

use postern_types::{EnvName, PolicyName};
use thiserror::Error;

/// One stored guard-rail: its name and its text, which may hold several Cedar statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySource {
    /// Its name in the environment.
    pub name: PolicyName,
    /// The Cedar text.
    pub text: String,
}

/// Everything that is wrong with the policies or grants of one environment, found in one go.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the policies of environment {environment} were not accepted{}", listed(.problems))]
pub struct CompileError {
    environment: EnvName,
    problems: Vec<Problem>,
}

impl CompileError {
    pub(crate) fn new(environment: &EnvName, mut problems: Vec<Problem>) -> Self {
        problems.sort();
        problems.dedup();
        Self {
            environment: environment.clone(),
            problems,
        }
    }

    /// Each problem, in the order of policies, lines and columns; never empty.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

fn listed(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(|problem| format!("\n  {problem}"))
        .collect()
}

/// One thing that is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The policy or grant it was found in.
    pub policy: String,
    /// The line, from 1; `None` where no place can be named.
    pub line: Option<usize>,
    /// The column in characters, from 1.
    pub column: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.policy)?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}; {}", self.message, self.help)
    }
}
