//! Values that overlap, that contain what we wrote, and rows whose checks fail all the time.

use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::*;
use crate::bounds::WINDOW_BYTES;
use crate::detect::engine::ENGINE;

static TRIES: AtomicUsize = AtomicUsize::new(0);

fn fails(_: &str) -> bool {
    TRIES.fetch_add(1, Ordering::Relaxed);
    false
}

static OVERLAPPING: &[Detector] = &[
    Detector::new(
        "o_first",
        BuiltinClass::Passport,
        Needs::Byte(b'-'),
        r"id-[a-z]{4}-[a-z]{4}",
    ),
    Detector::new(
        "o_second",
        BuiltinClass::ApiKey,
        Needs::Byte(b'-'),
        r"[a-z]{4}-[a-z]{4}-key[0-9]?",
    ),
    Detector::new(
        "o_third",
        BuiltinClass::Phone,
        Needs::Byte(b'!'),
        r"key[0-9]?!",
    )
    .edges(Edges::Any),
];

static OVERLAPS: LazyLock<Engine> = LazyLock::new(|| Engine::new(OVERLAPPING.iter()));

static FAILING: &[Detector] = &[Detector::new(
    "o_fails",
    BuiltinClass::GenericSecret,
    Needs::Run(6),
    r"[a-z]{6,2000}",
)
.edges(Edges::Any)
.check(fails)
.at_most(2000)];

static FAILS: LazyLock<Engine> = LazyLock::new(|| Engine::new(FAILING.iter()));

fn cleaner_of(engine: &'static Engine, rules: &[DataRule]) -> Cleaner {
    let rules = RuleSet::compile_with(engine, rules).unwrap();
    let keys = MaskKeys::new(&[7; 32], "prod", "token", "request");
    Cleaner::new(Arc::new(rules), Direction::Request, &[], keys)
}

/// Goal: of two values that overlap nothing passes. Method: rows of which one matches the end of
/// the other; the end that the first leaves is masked under its own class, whatever the action,
/// unless a third value covers it.
#[test]
fn nothing_is_left_of_values_that_overlap() {
    let cases = [
        ("a id-abcd-efgh-key b", "a [PASSPORT][API_KEY] b"),
        ("a id-abcd-efgh b", "a [PASSPORT] b"),
        ("a id-abcd-efgh-key7! b", "a [PASSPORT][PHONE] b"),
    ];
    for (text, expected) in cases {
        let mut all = cleaner_of(&OVERLAPS, &[rule("all", &["all"], "mask")]);
        let out = clean(&mut all, text).unwrap();
        // A mark alone says nothing, so it may stay.
        assert_eq!(out.replace("]-[", "]["), expected);
        let mut all = cleaner_of(&OVERLAPS, &[rule("all", &["all"], "mask")]);
        assert_eq!(in_pieces(&mut all, text, 1).unwrap(), out);
    }
    let mut pseudonyms = cleaner_of(&OVERLAPS, &[rule("all", &["all"], "pseudonym:token")]);
    let out = clean(&mut pseudonyms, cases[0].0).unwrap();
    assert!(
        out.starts_with("a PASSPORT_") && out.ends_with("[API_KEY] b"),
        "{out}"
    );
    let blocks = [
        rule("all", &["passport"], "mask"),
        rule("key", &["api_key"], "block"),
    ];
    let blocked = clean(&mut cleaner_of(&OVERLAPS, &blocks), cases[0].0);
    assert!(matches!(blocked, Err(CleanError::Blocked { .. })));
}

/// Goal: a row that matches everywhere and fails its check costs no square of a window, and what
/// was not looked at does not pass. Method: a long run; the tries are counted.
#[test]
fn rows_that_fail_everywhere_are_bounded() {
    let text = format!("so {} so", "a".repeat(8 * WINDOW_BYTES));
    let mut all = cleaner_of(&FAILS, &[rule("all", &["all"], "mask")]);
    let out = clean(&mut all, &text).unwrap();
    let tries = TRIES.load(Ordering::Relaxed);
    assert!(tries < 2 * WINDOW_BYTES, "{tries} tries");
    assert!(out.starts_with("so ") && out.ends_with("[GENERIC_SECRET] so"));
    let mut all = cleaner_of(&FAILS, &[rule("all", &["all"], "mask")]);
    assert_eq!(in_pieces(&mut all, &text, 1000).unwrap(), out);
}

/// Goal: stars that anybody may write do not hide a value. Method: stars before values that are
/// longer than what a rule leaves, or that no rule leaves anything of.
#[test]
fn stars_hide_nothing() {
    let all = |action: &str| cleaner(&[rule("all", &["all"], action)]);
    for action in ["mask", "keep-last-4", "keep-last-2", "pseudonym:token"] {
        let text = "password: ************hunter2!x ok";
        let out = clean(&mut all(action), text).unwrap();
        assert!(!out.contains("hunter"), "{action}: {out}");
        let again = clean(&mut all(action), &out).unwrap();
        assert!(leaves_no_more(&again, &out), "{action}: {again}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Goal: cleaning twice changes nothing where a value stands in an address, with the tables
    /// that ship; stars may become more. Method: addresses and assignments with drawn values.
    #[test]
    fn values_in_addresses_are_cleaned_once(
        user in "[a-z]{1,8}",
        secret in "[a-zA-Z0-9]{8,16}[0-9][A-Z]",
        mark in prop::sample::select(vec!["", "!", "$", "."]),
        host in "[a-z]{3,8}\\.(com|example\\.org)",
        shape in 0..6_usize,
        action in prop::sample::select(
            vec!["mask", "hash", "keep-last-1", "keep-last-4", "pseudonym:token"],
        ),
    ) {
        let text = match shape {
            0 => format!("at postgres://{user}:{secret}{mark}@{host}:5432/db now"),
            1 => format!("mail {user}.{secret}@{host} now"),
            2 => format!("password={secret}{mark}@{host} now"),
            3 => format!("https://{user}:{secret}@{host}/path?q={user}@{host} now"),
            4 => format!("password: {secret}{mark} and {user}@{host}"),
            _ => format!("curl -u {user}:{secret}{mark} https://{host}/"),
        };
        let rules = [rule("all", &["all"], action)];
        let cleaner = || {
            let rules = RuleSet::compile(&rules).unwrap();
            let keys = MaskKeys::new(&[7; 32], "prod", "token", "request");
            Cleaner::new(Arc::new(rules), Direction::Request, &[], keys)
        };
        let once = clean(&mut cleaner(), &text).unwrap();
        let twice = clean(&mut cleaner(), &once).unwrap();
        // A hash may look like the beginning of a secret, once; what stands behind it goes then.
        let thrice = clean(&mut cleaner(), &twice).unwrap();
        let hashed = action == "hash" || action == "pseudonym:token";
        prop_assert!(
            leaves_no_more(&twice, &once) || hashed && thrice == twice,
            "{}: {}, then {}, then {}", text, once, twice, thrice
        );
    }
}

/// Goal: who names one kind of number is obeyed where the number is of other kinds too. Method: a
/// number that is valid as an Australian Medicare number and as an American provider's, alone and
/// in a sentence, under rules that name the less likely kind alone or more strongly.
#[test]
fn a_number_of_two_kinds_is_both() {
    let texts = ["2000016891", "NPI and Medicare number 2000016891 it is"];
    let alone = [rule("n", &["us_npi"], "mask")];
    let weaker = |action| {
        [
            rule("m", &["au_medicare"], action),
            rule("n", &["us_npi"], "mask"),
        ]
    };
    let numbers = [
        rule("all", &["national_id"], "keep-last-4"),
        rule("n", &["us_npi"], "mask"),
    ];
    let cases: [&[DataRule]; 6] = [
        &alone,
        &weaker("allow"),
        &weaker("flag"),
        &weaker("keep-last-4"),
        &weaker("pseudonym:token"),
        &numbers,
    ];
    for rules in cases {
        for text in texts {
            let mut both = cleaner_of(&ENGINE, rules);
            let out = clean(&mut both, text).unwrap();
            assert_eq!(out, text.replace("2000016891", "[US_NPI]"), "{rules:?}");
        }
    }
    let mut blocks = cleaner_of(&ENGINE, &weaker("block"));
    assert!(clean(&mut blocks, texts[0]).is_err());
}
