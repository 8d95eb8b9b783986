use super::*;
use proptest::prelude::*;

const SECOND_US: u64 = 1_000_000;

fn token() -> TokenId {
    TokenId::parse("0123456789abcdef").unwrap()
}

fn limits(texts: &[&str]) -> Vec<Limit> {
    texts
        .iter()
        .map(|text| Limit::parse(text).unwrap())
        .collect()
}

#[test]
fn a_rate_lets_its_count_through_and_says_when_to_come_back() {
    let counters = Counters::default();
    let limits = limits(&["requests=2/second"]);
    let first = reserve(&counters, token(), &limits, 0).unwrap();
    assert_eq!(first.notice().unwrap().remaining, 1);
    assert!(reserve(&counters, token(), &limits, 0).is_ok());
    let refusal = reserve(&counters, token(), &limits, 0).err().unwrap();
    assert_eq!(refusal.code(), RefusalCode::RateLimited);
    let wait = refusal.retry_after_value().unwrap();
    assert!(
        wait > Duration::ZERO && wait <= Duration::from_secs(1),
        "{wait:?}"
    );
    // Goal: coming back when told is early enough and not too early.
    let later = u64::try_from(wait.as_micros()).unwrap();
    assert!(reserve(&counters, token(), &limits, later - 1).is_err());
    assert!(reserve(&counters, token(), &limits, later).is_ok());
}

#[test]
fn what_was_used_before_a_restart_counts() {
    // Goal: a restart in the middle of a window lets no more through than the window has. Method:
    // uses of before it, some too old to count, and the limits of each length after it.
    let minute = 60 * SECOND_US;
    let now = 2 * minute;
    let recovered = || {
        let mut earlier = Earlier::default();
        for ago in [
            minute + 5 * SECOND_US,
            50 * SECOND_US,
            SECOND_US / 2,
            SECOND_US / 4,
        ] {
            earlier.add(token(), now - ago);
        }
        let counters = Counters::default();
        counters.recover(earlier);
        counters
    };
    let passes = |counters: &Counters, limit: &str, at: u64| {
        let limits = limits(&[limit]);
        (0..100)
            .take_while(|_| reserve(counters, token(), &limits, at).is_ok())
            .count()
    };
    assert_eq!(
        passes(&recovered(), "requests=10/minute", now),
        7,
        "three were used"
    );
    assert_eq!(passes(&recovered(), "requests=90/minute", now), 87);
    assert_eq!(
        passes(&recovered(), "requests=10/second", now),
        8,
        "two of them just now"
    );
    assert_eq!(passes(&recovered(), "requests=2/minute", now), 0);
    assert_eq!(
        passes(&recovered(), "requests=10/second", now + 2 * SECOND_US),
        10
    );
    let counters = recovered();
    counters.purge(now);
    assert_eq!(
        passes(&counters, "requests=10/minute", now),
        7,
        "it is too soon to forget"
    );
    let counters = recovered();
    counters.purge(now + minute);
    assert_eq!(passes(&counters, "requests=10/minute", now + minute), 10);
    // Only once: what the token used since is not added to it again.
    let (counters, other) = (recovered(), TokenId::parse("fedcba9876543210").unwrap());
    let limits = limits(&["requests=10/minute"]);
    assert!(reserve(&counters, other, &limits, now).is_ok());
    assert_eq!(passes(&counters, "requests=10/minute", now), 7);
    assert_eq!(passes(&counters, "requests=11/minute", now), 1, "edited");
}

#[test]
fn concurrency_counts_what_is_in_progress() {
    let counters = Counters::default();
    let limits = limits(&["concurrency=1", "requests=100/minute"]);
    let held = reserve(&counters, token(), &limits, 0).unwrap();
    let refusal = reserve(&counters, token(), &limits, 0).err().unwrap();
    assert_eq!(refusal.code(), RefusalCode::TooManyConcurrent);
    drop(held);
    let again = reserve(&counters, token(), &limits, 0).unwrap();
    // Goal: the refused request used up no rate. Method: 100 less the two that passed.
    assert_eq!(again.notice().unwrap().remaining, 98);
}

#[test]
fn editing_a_limit_keeps_what_is_in_progress() {
    let counters = Counters::default();
    let held = reserve(&counters, token(), &limits(&["concurrency=2"]), 0).unwrap();
    assert!(reserve(&counters, token(), &limits(&["concurrency=1"]), 0).is_err());
    drop(held);
    assert!(reserve(&counters, token(), &limits(&["concurrency=1"]), 0).is_ok());
}

#[test]
fn a_request_that_one_rate_refuses_uses_up_no_other() {
    let counters = Counters::default();
    let limits = limits(&["requests=1/second", "requests=3/minute"]);
    for second in 0..3 {
        let now = second * SECOND_US;
        assert!(reserve(&counters, token(), &limits, now).is_ok());
        assert!(reserve(&counters, token(), &limits, now).is_err());
    }
    let refusal = reserve(&counters, token(), &limits, 3 * SECOND_US)
        .err()
        .unwrap();
    // Goal: the wait is the longest that any rate asks for.
    assert_eq!(
        refusal.retry_after_value(),
        Some(Duration::from_secs(57)),
        "{refusal}"
    );
}

#[test]
fn editing_a_limit_forgets_nothing_that_was_used() {
    let counters = Counters::default();
    for _ in 0..3 {
        assert!(reserve(&counters, token(), &limits(&["requests=3/minute"]), 0).is_ok());
    }
    let wider = limits(&["requests=4/minute", "concurrency=9"]);
    assert!(reserve(&counters, token(), &wider, 1).is_ok());
    assert!(reserve(&counters, token(), &wider, 2).is_err());
    assert!(reserve(&counters, token(), &limits(&["requests=2/minute"]), 3).is_err());
}

#[test]
fn counters_are_forgotten_only_when_they_are_full_again() {
    let counters = Counters::default();
    let limits = limits(&["requests=1/minute"]);
    assert!(reserve(&counters, token(), &limits, 0).is_ok());
    counters.purge(61 * SECOND_US);
    assert!(
        reserve(&counters, token(), &limits, 30 * SECOND_US).is_err(),
        "still counted"
    );
    counters.purge(10 * 60 * SECOND_US);
    assert!(reserve(&counters, token(), &limits, 10 * 60 * SECOND_US).is_ok());
}

proptest! {
    // Goal: whatever the arrivals, no window of any of a token's rates holds more than its count,
    // and who waits as told is let in. Method: random gaps under two rates; count what passes in
    // every window that starts at an arrival.
    #[test]
    fn no_rate_of_a_token_is_ever_passed(
        per_second in 1_u32..20,
        per_minute in 1_u32..90,
        gaps in proptest::collection::vec(0_u64..400_000, 1..300),
    ) {
        let counters = Counters::default();
        let limits = limits(&[
            &format!("requests={per_second}/second"),
            &format!("requests={per_minute}/minute"),
        ]);
        let mut now = 0;
        let mut passed = Vec::new();
        for gap in gaps {
            now += gap;
            if let Err(refusal) = reserve(&counters, token(), &limits, now) {
                let wait = refusal.retry_after_value().unwrap();
                now += u64::try_from(wait.as_micros()).unwrap();
                prop_assert!(reserve(&counters, token(), &limits, now).is_ok());
            }
            passed.push(now);
        }
        for (count, length) in [(per_second, SECOND_US), (per_minute, 60 * SECOND_US)] {
            let most = count as usize;
            for both in passed.windows(most + 1) {
                prop_assert!(both[most] - both[0] >= length);
            }
        }
    }

    // Goal: never more in progress than allowed, and none lost. Method: random enter and leave.
    #[test]
    fn concurrency_is_exact(
        cap in 1_u32..6,
        steps in proptest::collection::vec(any::<bool>(), 0..60),
    ) {
        let counters = Counters::default();
        let limits = limits(&[&format!("concurrency={cap}")]);
        let mut held = Vec::new();
        for enter in steps {
            if enter {
                let given = reserve(&counters, token(), &limits, 0);
                prop_assert_eq!(given.is_ok(), held.len() < cap as usize);
                held.extend(given.ok());
            } else {
                held.pop();
            }
        }
    }
}
