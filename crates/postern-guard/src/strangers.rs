//! Requests that nobody could be authenticated for.
//!
//! Two duties. They are *limited*: an address that fails too often gets `rate_limited` for its
//! failures, while a valid token from the same address always passes, because the failure is known
//! only after looking. And they are *recorded without letting strangers fill the log*: counts per
//! address, exact, written as one record per address and flush, from a slot pool of their own.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use parking_lot::Mutex;
use postern_types::{RefusalCode, StrangerRecord};

use crate::bounds::{GuardBounds, RECORD_TEXT_MAX, cut};

const MINUTE_US: u64 = 60_000_000;

/// What strangers did since the last flush, and how often each failed lately.
pub(crate) struct Strangers {
    failures_per_minute: u32,
    addresses_max: usize,
    records_per_flush: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failures: HashMap<IpAddr, Failures>,
    /// The failures of all addresses for which there was no room.
    crowd: Failures,
    tallies: HashMap<IpAddr, Tally>,
    rest: Option<Tally>,
}

/// Failures in the current minute of one address.
#[derive(Default, Clone, Copy)]
struct Failures {
    window: u64,
    count: u32,
}

struct Tally {
    first_ms: i64,
    last_ms: i64,
    counts: HashMap<RefusalCode, u64>,
    sample_path: String,
}

/// Addresses are counted as a person holds them: an IPv6 customer has a whole /64.
fn bucket(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => IpAddr::V6(Ipv6Addr::from(u128::from(v6) & !u128::from(u64::MAX))),
        },
    }
}

impl Strangers {
    pub(crate) fn new(bounds: &GuardBounds) -> Self {
        Self {
            failures_per_minute: bounds.failures_per_minute,
            addresses_max: bounds.stranger_addresses_max,
            records_per_flush: bounds.stranger_records_per_flush,
            state: Mutex::default(),
        }
    }

    /// Counts a failed authentication; gives the wait when the address has failed too often.
    pub(crate) fn failed(&self, address: IpAddr, now_us: u64) -> Option<Duration> {
        let address = bucket(address);
        let window = now_us / MINUTE_US;
        let mut state = self.state.lock();
        let State {
            failures, crowd, ..
        } = &mut *state;
        if failures.len() >= self.addresses_max && !failures.contains_key(&address) {
            failures.retain(|_, seen| seen.window == window);
        }
        let room = failures.len() < self.addresses_max || failures.contains_key(&address);
        let seen = if room {
            failures.entry(address).or_default()
        } else {
            crowd
        };
        if seen.window != window {
            *seen = Failures { window, count: 0 };
        }
        seen.count = seen.count.saturating_add(1);
        let left_us = MINUTE_US - now_us % MINUTE_US;
        (seen.count > self.failures_per_minute).then(|| Duration::from_micros(left_us))
    }

    /// Counts a refused request for the record.
    pub(crate) fn refused(&self, address: IpAddr, code: RefusalCode, path: &str, at_ms: i64) {
        let address = bucket(address);
        let mut state = self.state.lock();
        let State { tallies, rest, .. } = &mut *state;
        let fresh = || Tally {
            first_ms: at_ms,
            last_ms: at_ms,
            counts: HashMap::new(),
            sample_path: cut(path, RECORD_TEXT_MAX),
        };
        let room = tallies.len() < self.addresses_max || tallies.contains_key(&address);
        let tally = if room {
            tallies.entry(address).or_insert_with(fresh)
        } else {
            rest.get_or_insert_with(fresh)
        };
        tally.last_ms = tally.last_ms.max(at_ms);
        *tally.counts.entry(code).or_default() += 1;
    }

    /// Takes what is to be recorded now. Addresses above the number of records per flush are added
    /// up in one record without an address: the counts stay exact, the log stays small.
    pub(crate) fn take(&self) -> Vec<StrangerRecord> {
        let (tallies, mut rest) = {
            let mut state = self.state.lock();
            (std::mem::take(&mut state.tallies), state.rest.take())
        };
        let mut tallies: Vec<(IpAddr, Tally)> = tallies.into_iter().collect();
        tallies.sort_by_key(|(_, tally)| std::cmp::Reverse(tally.counts.values().sum::<u64>()));
        let own = tallies.len().min(self.records_per_flush);
        for (_, tally) in tallies.drain(own..) {
            rest = Some(match rest {
                None => tally,
                Some(sum) => sum.merged(&tally),
            });
        }
        tallies
            .into_iter()
            .map(|(address, tally)| tally.into_record(Some(address)))
            .chain(rest.map(|tally| tally.into_record(None)))
            .collect()
    }

    /// Gives back what could not be recorded, so that no count is lost.
    pub(crate) fn put_back(&self, record: StrangerRecord) {
        let mut state = self.state.lock();
        let counts = record.counts.into_iter().collect();
        let (first_ms, last_ms) = (record.first_ms, record.last_ms);
        let tally = Tally {
            first_ms,
            last_ms,
            counts,
            sample_path: record.sample_path,
        };
        let State { tallies, rest, .. } = &mut *state;
        let slot = match record.address {
            Some(address) if tallies.len() < self.addresses_max => {
                let sum = match tallies.remove(&address) {
                    Some(newer) => tally.merged(&newer),
                    None => tally,
                };
                tallies.insert(address, sum);
                return;
            }
            _ => rest,
        };
        *slot = Some(match slot.take() {
            Some(newer) => tally.merged(&newer),
            None => tally,
        });
    }
}

impl Tally {
    fn merged(mut self, other: &Self) -> Self {
        self.first_ms = self.first_ms.min(other.first_ms);
        self.last_ms = self.last_ms.max(other.last_ms);
        for (code, count) in &other.counts {
            *self.counts.entry(*code).or_default() += count;
        }
        self
    }

    fn into_record(self, address: Option<IpAddr>) -> StrangerRecord {
        let mut counts: Vec<_> = self.counts.into_iter().collect();
        counts.sort_by_key(|(code, _)| code.as_str());
        let Self {
            first_ms,
            last_ms,
            sample_path,
            ..
        } = self;
        StrangerRecord {
            address,
            first_ms,
            last_ms,
            counts,
            sample_path,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn strangers(addresses_max: usize, records_per_flush: usize) -> Strangers {
        Strangers::new(&GuardBounds {
            failures_per_minute: 2,
            stranger_addresses_max: addresses_max,
            stranger_records_per_flush: records_per_flush,
            ..GuardBounds::default()
        })
    }

    #[test]
    fn failures_are_limited_by_address_and_minute() {
        let strangers = strangers(10, 10);
        let (one, two) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        assert_eq!(strangers.failed(one, 0), None);
        assert_eq!(strangers.failed(one, 1), None);
        assert!(strangers.failed(one, 2).is_some());
        assert_eq!(
            strangers.failed(two, 2),
            None,
            "another address has its own count"
        );
        assert_eq!(
            strangers.failed(one, MINUTE_US),
            None,
            "a new minute starts at zero"
        );
    }

    #[test]
    fn an_ipv6_customer_is_one_address() {
        let strangers = strangers(10, 10);
        for host in 1..=3_u16 {
            let address = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, host));
            assert_eq!(strangers.failed(address, 0).is_some(), host == 3);
        }
    }

    proptest! {
        // Goal: records are few and counts exact, however many addresses come, also when a record
        // could not be written. Method: random addresses; give some records back; sum at the end.
        #[test]
        fn counts_stay_exact(hits in proptest::collection::vec(0_u8..40, 0..300)) {
            let strangers = strangers(8, 3);
            let mut written = 0;
            for (turn, hit) in hits.iter().enumerate() {
                let address = IpAddr::from([192, 0, 2, *hit]);
                strangers.refused(address, RefusalCode::Unauthenticated, "/x", 1);
                if turn % 17 == 0 {
                    let records = strangers.take();
                    prop_assert!(records.len() <= 4);
                    for (place, record) in records.into_iter().enumerate() {
                        if place % 2 == 0 {
                            written += record.counts.iter().map(|(_, count)| count).sum::<u64>();
                        } else {
                            strangers.put_back(record);
                        }
                    }
                }
            }
            for record in strangers.take() {
                written += record.counts.iter().map(|(_, count)| count).sum::<u64>();
            }
            prop_assert_eq!(written, hits.len() as u64);
        }
    }
}
