//! Placeholders that outlive their request: kept before it is forwarded, turned back later on.

use std::sync::Arc;

use postern_guard::{Caller, Upstream};
use postern_inspect::KeptPseudonyms;
use postern_types::{
    DataAction, DataRule, Direction, OwnedId, OwnedKind, PseudonymScope, Refusal, Secret,
};

use super::{Controls, lost};
use crate::context::ExchangeBody;
use crate::gateway::{Journey, Plane};

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

    /// The conversation that a request belongs to: the one that it names, that of the answer which
    /// it goes on from, or a new one.
    pub(super) fn conversation(
        &self,
        upstream: &Upstream,
        body: &ExchangeBody,
        journey: &Journey,
    ) -> Arc<str> {
        let references: &[OwnedId] = match body {
            ExchangeBody::Ai { facts, .. } => &facts.references,
            _ => &[],
        };
        let of_kind = |kind| references.iter().find(|named| named.kind == kind);
        if let Some(named) = of_kind(OwnedKind::Conversation) {
            // A provider's names are unique at that provider only.
            return format!("{} {}", upstream.row.name, named.id).into();
        }
        of_kind(OwnedKind::Response)
            .and_then(|answer| self.guard.conversation(upstream, answer))
            .unwrap_or_else(|| journey.flight.request().to_string().into())
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
