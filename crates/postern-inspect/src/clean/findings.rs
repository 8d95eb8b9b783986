//! What was found, counted: never the values.

use postern_types::Finding;

use crate::bounds::{FINDINGS_MAX, PLACE_BYTES_MAX};
use crate::detect::context::floor;

/// Findings of one kind at one place are one entry with a count.
#[derive(Debug, Clone, Default)]
pub(super) struct Findings(Vec<Finding>);

/// The place of findings beyond the bound.
const ELSEWHERE: &str = "…";

impl Findings {
    pub(super) fn add(&mut self, mut finding: Finding) {
        finding
            .place
            .truncate(floor(&finding.place, PLACE_BYTES_MAX));
        if self.count(&finding) {
            return;
        }
        if self.0.len() >= FINDINGS_MAX {
            ELSEWHERE.clone_into(&mut finding.place);
            if self.count(&finding) {
                return;
            }
        }
        self.0.push(finding);
    }

    /// Adds to the entry of the same kind, if there is one.
    fn count(&mut self, finding: &Finding) -> bool {
        let same = |known: &&mut Finding| {
            known.place == finding.place
                && known.class == finding.class
                && known.rule == finding.rule
                && known.action == finding.action
                && known.dry_run == finding.dry_run
        };
        match self.0.iter_mut().find(same) {
            Some(known) => {
                known.count = known.count.saturating_add(finding.count);
                true
            }
            None => false,
        }
    }

    pub(super) fn list(&self) -> Vec<Finding> {
        self.0.clone()
    }
}
