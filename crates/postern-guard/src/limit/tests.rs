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
        wait > Duration::ZERO && wait <= Duration::from_millis(500),
        "{wait:?}"
    );
    // Goal: coming back when told is early enough and not too early.
    let later = u64::try_from(wait.as_micros()).unwrap();
    assert!(reserve(&counters, token(), &limits, later).is_ok());
    assert!(reserve(&counters, token(), &limits, later).is_err());
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
    // Goal: whatever the arrivals, the count of a window plus its refill is never passed.
    // Method: random gaps; count what passes in every window that starts at an arrival.
    #[test]
    fn never_more_than_the_count_and_its_refill(
        count in 1_u32..20,
        gaps in proptest::collection::vec(0_u64..400_000, 1..300),
    ) {
        let counters = Counters::default();
        let limits = limits(&[&format!("requests={count}/second")]);
        let mut now = 0;
        let mut passed = Vec::new();
        for gap in gaps {
            now += gap;
            if reserve(&counters, token(), &limits, now).is_ok() {
                passed.push(now);
            }
        }
        for (first, start) in passed.iter().enumerate() {
            for (last, end) in passed.iter().enumerate().skip(first) {
                let refill = (end - start) * u64::from(count) / SECOND_US;
                let most = u64::from(count) + refill + 1;
                prop_assert!((last - first + 1) as u64 <= most);
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
