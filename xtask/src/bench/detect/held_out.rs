//! The held-out set: texts with values made by the published rules of each kind, in sentences,
//! cells, fields and alone, by a program that shares nothing with the detectors.
//!
//! The rows of the detectors were written beside the public corpora. These texts were not there
//! then, so they say more about other people's data.

mod tables;

pub(super) use tables::tables;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::path::Path;
use std::process::Command;

/// What a text is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Group {
    /// A value of a class stands in it.
    Value,
    /// It holds a number or code that is nobody's.
    Near,
    /// A key of a provider stands in it.
    Key,
    /// It looks as if it held a key.
    None,
}

/// One text, and the one value in it.
#[derive(Debug, Deserialize)]
pub(super) struct Text {
    pub(super) group: Group,
    /// What stands around the value, or what kind of near miss it is.
    pub(super) frame: String,
    /// The class of the value, or the provider of the key.
    pub(super) class: Option<String>,
    pub(super) text: String,
    /// Where the value stands, in characters.
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Text {
    /// Whether something says what the value is before it stands there.
    fn named(&self) -> bool {
        let frame = self.frame.trim_end_matches(", later");
        frame.ends_with(", named") || matches!(frame, "field" | "label")
    }
}

/// Makes the texts: the same in every run.
pub(super) fn generate(root: &Path, python: &Path) -> Result<Vec<Text>> {
    let program = root.join("xtask/tools/held_out");
    let output = Command::new(python)
        .arg("-B")
        .arg(&program)
        .output()
        .with_context(|| format!("cannot start {}", program.display()))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        bail!("the held-out set cannot be made: {}", why.trim());
    }
    String::from_utf8(output.stdout)?
        .lines()
        .map(|line| serde_json::from_str(line).context("a row of the held-out set"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(frame: &str) -> Text {
        Text {
            group: Group::Value,
            frame: frame.to_owned(),
            class: None,
            text: String::new(),
            start: 0,
            end: 0,
        }
    }

    #[test]
    fn a_name_counts_only_before_the_value() {
        assert!(text("prose, named").named() && text("field").named());
        assert!(text("cell, named, later").named() && text("label, later").named());
        assert!(!text("prose, unnamed").named() && !text("prose, named behind").named());
        assert!(!text("bare").named());
    }
}
