//! Placeholders that outlive their request: kept before it is forwarded, turned back later on.

use postern_guard::Caller;
use postern_inspect::KeptPseudonyms;
use postern_types::{DataAction, DataRule, Direction, OwnedKind, PseudonymScope, Refusal, Secret};

use super::{Controls, lost};
use crate::context::ExchangeBody;
use crate::gateway::Plane;

impl Plane {
    /// Keeps the placeholders of a request whose scope is wider than it, and takes up those that
    /// the same token's earlier requests left. Without such a rule nothing is read or written.
    ///
    /// # Errors
    /// `store_unavailable`: what could not be turned back later does not leave. `revoked`.
    pub(crate) async fn keep_placeholders(
        &self,
        controls: &mut Controls,
        caller: &Caller,
    ) -> Result<(), Refusal> {
        if !controls.keeps {
            return Ok(());
        }
        let own = controls.cleaner.as_ref().ok_or_else(lost)?;
        let own = own.pseudonyms().clone();
        let mut kept = read(self.guard.placeholders(caller).await?.as_ref());
        if kept.renew(&own) {
            // Another request of the token may have written since it was read.
            let with = |stored: Option<&Secret>| {
                kept = read(stored);
                kept.renew(&own);
                kept.export()
            };
            self.guard.keep_placeholders(caller, with).await?;
        }
        controls.earlier = kept;
        Ok(())
    }
}

/// What was kept; nothing where another release wrote it in another form.
fn read(stored: Option<&Secret>) -> KeptPseudonyms {
    stored
        .and_then(|stored| KeptPseudonyms::import(stored.expose()))
        .unwrap_or_default()
}

/// Whether a rule makes placeholders of requests that outlive them.
pub(super) fn keeps(rules: &[DataRule]) -> bool {
    let wide = |action| match action {
        DataAction::Pseudonym(scope) => scope != PseudonymScope::Request,
        _ => false,
    };
    rules.iter().map(|rule| &rule.spec).any(|spec| {
        !spec.dry_run && spec.directions.contains(&Direction::Request) && wide(spec.action)
    })
}

/// The conversation at the provider that a request names, if it names one.
pub(super) fn conversation(body: &ExchangeBody) -> Option<&str> {
    let ExchangeBody::Ai { facts, .. } = body else {
        return None;
    };
    let mut named = facts.references.iter();
    named
        .find(|named| named.kind == OwnedKind::Conversation)
        .map(|named| named.id.as_str())
}
