//! Rules that only report, where they would refuse.
//!
//! What a dry run cannot read passes like everything else. That the same rule would refuse it is
//! what its author has to know before the rule acts, so it is a finding of its own class.

use postern_types::{DataAction, DataClass, Finding, OpaqueAction};

use super::{CleanError, Cleaner};

impl Cleaner {
    /// Whether all that may be done is to report: the rules are dry runs, and there is nothing to
    /// turn back.
    pub(crate) fn only_watches(&self) -> bool {
        self.rules.only_watches(self.direction) && self.pseudonyms.is_empty()
    }

    /// What happens to content that is no text, or would happen to it under rules that only report.
    pub(crate) fn opaque(&self) -> OpaqueAction {
        let watched = self.rules.watched(self.direction);
        match watched.filter(|_| self.only_watches()) {
            Some((opaque, _)) => opaque,
            None => self.rules.opaque(self.direction),
        }
    }

    /// Content that is to be refused; under rules that only report it is told and passes.
    pub(crate) fn refuse(&mut self, place: &str, error: CleanError) -> Result<(), CleanError> {
        if self.only_watches() {
            self.unread(place);
            return Ok(());
        }
        Err(error)
    }

    /// Tells, where rules only report, that this could not be inspected and would be refused.
    pub fn unread(&mut self, place: &str) {
        let Some((_, rule)) = self.rules.watched(self.direction) else {
            return;
        };
        let finding = Finding {
            class: DataClass::cannot_inspect(),
            direction: self.direction,
            action: DataAction::Block,
            rule: rule.clone(),
            dry_run: true,
            place: place.to_owned(),
            count: 1,
        };
        self.findings.add(finding);
    }
}
