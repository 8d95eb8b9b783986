//! Limits: requests per second or minute, and requests in progress.
//!
//! What a token used is kept apart from who it is: reloading or rotating a token never resets its
//! counters, and both of its live secrets draw on the same ones.

mod counters;
mod window;

use std::sync::Arc;
use std::time::Duration;

use postern_types::{Limit, RateNotice, Refusal, RefusalCode, TokenId};

pub(crate) use counters::{Counters, Earlier};
use counters::{InProgress, RateVerdict, TokenCounters};

/// Proof that the limits let the request through. Holds its place among the requests in progress
/// until it is dropped.
pub struct Reservation {
    notice: Option<RateNotice>,
    _in_progress: Vec<InProgress>,
}

impl Reservation {
    /// The limit nearest to exhaustion, for the `RateLimit` fields of the answer.
    #[must_use]
    pub fn notice(&self) -> Option<RateNotice> {
        self.notice
    }
}

/// Takes one request from every limit of a token, or refuses.
///
/// Concurrency is asked first: a request that finds no place must not use up rate.
pub(crate) fn reserve(
    counters: &Counters,
    token: TokenId,
    limits: &[Limit],
    now_us: u64,
) -> Result<Reservation, Refusal> {
    if limits.is_empty() {
        return Ok(Reservation {
            notice: None,
            _in_progress: Vec::new(),
        });
    }
    let counters: Arc<TokenCounters> = counters.of(token, limits);
    let mut in_progress = Vec::new();
    for limit in limits {
        if let Limit::Concurrency { count } = limit {
            let place = counters.enter(count.get()).ok_or_else(|| {
                let notice = RateNotice {
                    limit: *limit,
                    remaining: 0,
                    reset_seconds: 1,
                };
                Refusal::new(
                    RefusalCode::TooManyConcurrent,
                    format!("limit {limit} is reached"),
                )
                .retry_after(Duration::from_secs(1))
                .with_limit(notice)
            })?;
            in_progress.push(place);
        }
    }
    let notice = match counters.take(now_us) {
        RateVerdict::Taken(notice) => notice,
        RateVerdict::Refused { notice, wait } => {
            let cause = format!("limit {} is used up", notice.limit);
            return Err(Refusal::new(RefusalCode::RateLimited, cause)
                .retry_after(wait)
                .with_limit(notice));
        }
    };
    Ok(Reservation {
        notice,
        _in_progress: in_progress,
    })
}

#[cfg(test)]
mod tests;
