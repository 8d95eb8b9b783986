//! The house style as a test: what a reviewer would say twice, tidy says once.
//!
//! Each check is a small file with a test that shows it finding a bad sample. A finding names the
//! place and says what to do instead. Exceptions are short lists inside the checks, each entry
//! with its reason, so that an exception is reviewed like code.

mod calls;
mod columns;
mod decisions;
mod edges;
mod errors;
mod front;
mod functions;
mod leftovers;
mod links;
mod manifest;
mod names;
mod paths;
mod sizes;
mod tests_honest;
mod threats;
mod words;

use crate::tree::Tree;
use anyhow::Result;
use std::path::Path;
use std::process::ExitCode;

/// One thing to mend.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl Finding {
    pub(crate) fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            message: message.into(),
        }
    }
}

type Check = fn(&Tree) -> Vec<Finding>;

/// All checks that need only the text of the tree.
const CHECKS: &[(&str, Check)] = &[
    ("calls", calls::check),
    ("columns", columns::check),
    ("decisions", decisions::check),
    ("errors", errors::check),
    ("front", front::check),
    ("functions", functions::check),
    ("leftovers", leftovers::check),
    ("links", links::check),
    ("manifest", manifest::check),
    ("names", names::check),
    ("paths", paths::check),
    ("sizes", sizes::check),
    ("tests", tests_honest::check),
    ("threats", threats::check),
    ("words", words::check),
];

/// Runs every check and prints what they found.
pub(crate) fn run(root: &Path) -> Result<ExitCode> {
    let tree = Tree::read(root)?;
    let mut findings: Vec<(&str, Finding)> = Vec::new();
    for file in &tree.files {
        if let Some(why) = &file.broken {
            findings.push(("syntax", Finding::new(&file.path, 1, why.as_str())));
        }
    }
    for (name, check) in CHECKS {
        findings.extend(check(&tree).into_iter().map(|finding| (*name, finding)));
    }
    findings.extend(
        edges::check(root)?
            .into_iter()
            .map(|finding| ("edges", finding)),
    );
    findings.sort_by(|a, b| a.1.cmp(&b.1));
    for (
        name,
        Finding {
            path,
            line,
            message,
        },
    ) in &findings
    {
        println!("{path}:{line}: {name}: {message}");
    }
    println!(
        "tidy: {} files, {} checks, {} findings",
        tree.files.len(),
        CHECKS.len() + 1,
        findings.len()
    );
    Ok(if findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
