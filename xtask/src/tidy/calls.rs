//! Calls that product code does not make, each with the few places that may and what to do
//! instead. Test code is free of these rules, except `unsafe`.

use super::Finding;
use crate::tree::{SourceFile, Tree};

/// A banned call.
struct Ban {
    /// As it stands in the source.
    pattern: &'static str,
    /// Paths (or their beginnings) that may make it.
    allowed: &'static [&'static str],
    instead: &'static str,
}

/// Where the clock is read. Everything else takes the time as an argument.
const CLOCKS: &[&str] = &["crates/postern-guard/src/clock.rs", "crates/postern/src/"];

/// Where monotonic time is measured: durations of waits, never a point in the calendar.
const STOPWATCHES: &[&str] = &[
    "crates/postern-guard/src/",
    "crates/postern-http/src/",
    "crates/postern-audit/src/",
    "crates/postern-policy/examples/",
    "crates/postern/src/",
];

/// Where tasks start: each of these keeps the handle, or says why the task may outlive it.
const SPAWNERS: &[&str] = &[
    "crates/postern-guard/src/",
    "crates/postern-http/src/",
    "crates/postern/src/",
];

/// The command line is the one place that speaks to a terminal.
const TERMINAL: &[&str] = &[
    // To cargo, that is.
    "crates/postern/build.rs",
    "crates/postern/src/cli",
    "crates/postern/src/main.rs",
    "crates/postern/src/demo",
];

const BANS: &[Ban] = &[
    Ban {
        pattern: "SystemTime::now",
        allowed: CLOCKS,
        instead: "take the time as an argument",
    },
    Ban {
        pattern: "Timestamp::now",
        allowed: CLOCKS,
        instead: "take `now: Timestamp` as an argument",
    },
    Ban {
        pattern: "Instant::now",
        allowed: STOPWATCHES,
        instead: "take the time as an argument",
    },
    Ban {
        pattern: "tokio::spawn",
        allowed: SPAWNERS,
        instead: "return a future and let the planes or the binary start it",
    },
    Ban {
        pattern: "println!",
        allowed: TERMINAL,
        instead: "use tracing; only the command line prints",
    },
    Ban {
        pattern: "eprintln!",
        allowed: TERMINAL,
        instead: "use tracing; only the command line prints",
    },
    Ban {
        pattern: ".unwrap()",
        allowed: &[],
        instead: "return the error, or `expect(\"why this cannot happen\")`",
    },
    Ban {
        pattern: "unbounded_channel",
        allowed: &[],
        instead: "every queue has a bound, named in bounds.rs",
    },
    Ban {
        pattern: "mpsc::channel()",
        allowed: &[],
        instead: "name the capacity: tokio's `channel(n)` or std's `sync_channel(n)`",
    },
    Ban {
        pattern: "#[allow(",
        allowed: &[],
        instead: "use `#[expect(…, reason = \"…\")]`",
    },
    Ban {
        pattern: "process::exit",
        allowed: &["crates/postern/src/main.rs"],
        instead: "return an ExitCode, so that destructors run",
    },
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust() {
        for ban in BANS.iter().filter(|ban| !excused(file, ban)) {
            for line in rust.occurrences(ban.pattern) {
                if !file.is_test_line(line) {
                    let message = format!("`{}`: {}", ban.pattern, ban.instead);
                    findings.push(Finding::new(&file.path, line, message));
                }
            }
        }
        for line in rust.occurrences("unsafe") {
            let message = "`unsafe`: no crate of ours has any; find a safe way or a library";
            findings.push(Finding::new(&file.path, line, message));
        }
    }
    findings
}

/// The workshop may read clocks, start tasks and print; it may not unwrap or silence lints.
fn excused(file: &SourceFile, ban: &Ban) -> bool {
    let everywhere = ban.allowed.is_empty();
    ban.allowed.iter().any(|start| file.path.starts_with(start))
        || (file.is_workshop() && !everywhere)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: every banned call is found in product code and none in test code.
    #[test]
    fn each_ban_bites() {
        for ban in BANS {
            // An attribute needs its closing half to be valid Rust; a call needs its arguments.
            let text = match ban.pattern {
                "#[allow(" => "#[allow(dead_code)]\nfn f() {}\n".to_owned(),
                "mpsc::channel()" => "fn f() { mpsc::channel(); }\n".to_owned(),
                ".unwrap()" => "fn f() { x.unwrap(); }\n".to_owned(),
                pattern => format!("fn f() {{ {pattern}(); }}\n"),
            };
            let found = check(&Tree::sample(&[
                ("crates/postern-types/src/a.rs", &text),
                ("crates/postern-types/tests/a.rs", &text),
            ]));
            assert_eq!(found.len(), 1, "{}", ban.pattern);
            assert_eq!(found[0].path, "crates/postern-types/src/a.rs");
        }
    }

    #[test]
    fn unsafe_is_found_in_tests_too() {
        let found = check(&Tree::sample(&[(
            "crates/x/tests/a.rs",
            "fn f() { unsafe { g() } }",
        )]));
        assert_eq!(found.len(), 1);
    }
}
