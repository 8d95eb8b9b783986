//! Placeholders of earlier requests, of the caller's own token and of no other.
//!
//! The guard reads nothing of what is kept; whoever made the placeholders does.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use postern_store::StoreError;
use postern_store::bounds::PSEUDONYMS_TTL;
use postern_types::{Refusal, RefusalCode, Secret};
use zeroize::Zeroizing;

use crate::{Caller, Guard};

/// How much of its life may pass before a use lets it begin anew: a busy token writes once an hour
/// for it, not with each request.
const RENEWED_AFTER: Duration = Duration::from_secs(60 * 60);

impl Guard {
    /// What was kept for the caller's token, which lives on by being asked for.
    ///
    /// # Errors
    /// `store_unavailable`, also when it was changed by hand; `revoked`.
    pub async fn placeholders(&self, caller: &Caller) -> Result<Option<Secret>, Refusal> {
        let (subject, now) = (caller.subject(), self.clock.now());
        let kept = self.store.pseudonyms();
        let row = kept.read(&subject.environment, &subject.token, now).await;
        let row = row.map_err(|error| refused(&error))?;
        if row
            .as_ref()
            .is_some_and(|row| is_ageing(row.expires_at, now))
        {
            self.keep_placeholders(caller, |kept| {
                Zeroizing::new(kept.map_or_else(Vec::new, |kept| kept.expose().to_vec()))
            })
            .await?;
        }
        Ok(row.map(|row| row.content))
    }

    /// Puts something else in the place of what is kept for the caller's token. No other request of
    /// it changes that meanwhile.
    ///
    /// # Errors
    /// `store_unavailable`; `revoked` when the token ended.
    pub async fn keep_placeholders(
        &self,
        caller: &Caller,
        with: impl FnOnce(Option<&Secret>) -> Zeroizing<Vec<u8>> + Send,
    ) -> Result<(), Refusal> {
        let (subject, now) = (caller.subject(), self.clock.now());
        let kept = self.store.pseudonyms();
        kept.change(&subject.environment, &subject.token, now, with)
            .await
            .map_err(|error| refused(&error))
    }
}

fn is_ageing(expires_at: Timestamp, now: Timestamp) -> bool {
    let left = expires_at.duration_since(now);
    SignedDuration::try_from(PSEUDONYMS_TTL - RENEWED_AFTER).is_ok_and(|enough| left < enough)
}

fn refused(error: &StoreError) -> Refusal {
    let code = if error.is_not_found() {
        RefusalCode::Revoked
    } else {
        RefusalCode::StoreUnavailable
    };
    Refusal::new(code, error.to_string())
}
