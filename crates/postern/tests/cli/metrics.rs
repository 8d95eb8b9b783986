//! Metrics, as Prometheus scrapes them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use postern_testkit::raw::{self, RawAnswer};
use postern_testkit::{Answer, ReplayUpstream, tools};

use crate::house::{House, printed};

/// A request of each of these threads, again and again.
const CLIENTS: usize = 3;
const TURNS: usize = 40;

type Samples = BTreeMap<String, f64>;

fn scrape(house: &House, token: &str) -> RawAnswer {
    let bearer = format!("Bearer {token}");
    raw::request(
        house.admin,
        "GET",
        "/metrics",
        &[("authorization", &bearer)],
        b"",
    )
}

fn ask(house: &House, token: &str, path: &str) -> u16 {
    let bearer = format!("Bearer {token}");
    raw::request(house.data, "GET", path, &[("authorization", &bearer)], b"").status
}

/// The samples of a page, by name and labels as they stand there.
fn samples(page: &str) -> Samples {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        (name.to_owned(), value.parse().unwrap())
    };
    lines.map(sample).collect()
}

/// A house whose upstream `notes` answers.
fn furnished() -> (House, ReplayUpstream) {
    let house = House::open();
    house.furnish("dev");
    let answer = |_: &_| Answer::new(200, "application/json", "{\"notes\":[]}");
    let upstream = ReplayUpstream::start(answer).unwrap();
    let line = ["upstream", "update", "notes", "--env", "dev", "--url"];
    house.json(&[&line[..], &[&upstream.url()]].concat());
    (house, upstream)
}

#[test]
fn a_scrape_counts_what_happens_while_it_happens() {
    // Goal: the page is right, and whole, while requests run. Method: clients that are answered,
    // refused and unknown, and a scraper beside them; then the sums.
    let (house, _upstream) = furnished();
    let (_, auditor) = house.administrator("auditor", None);
    let (id, token) = house.token("dev");
    let over = AtomicBool::new(false);
    let pages: Vec<Samples> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..TURNS {
                        assert_eq!(ask(&house, &token, "/notes/notes"), 200);
                        assert_eq!(ask(&house, &token, "/notes/hidden-path"), 403);
                        // Failures of one address are answered 429 after a while.
                        assert!([401, 429].contains(&ask(&house, "nobody", "/notes/notes")));
                    }
                })
            })
            .collect();
        let scraper = scope.spawn(|| {
            let mut pages = Vec::new();
            while !over.load(Ordering::SeqCst) {
                let answer = scrape(&house, &auditor);
                assert_eq!((answer.status, answer.complete), (200, true));
                pages.push(samples(&answer.text()));
            }
            pages
        });
        let ended: Vec<_> = clients.into_iter().map(|client| client.join()).collect();
        // Before any of them fails the test: the scraper would go on for ever.
        over.store(true, Ordering::SeqCst);
        assert!(ended.iter().all(Result::is_ok));
        scraper.join().unwrap()
    });
    let done = r#"postern_requests_total{environment="dev",upstream="notes",end="done"}"#;
    for pair in pages.windows(2) {
        assert!(pair[0][done] <= pair[1][done], "a counter only grows");
    }
    let answer = scrape(&house, &auditor);
    let kind = answer.header("content-type");
    assert_eq!(kind, Some("text/plain; version=0.0.4; charset=utf-8"));
    let page = answer.text();
    check_sums(&samples(&page), (CLIENTS * TURNS) as f64);
    for secret in [&id, &token, &auditor, "hidden-path", "/notes", "127.0.0.1"] {
        assert!(
            !page.contains(secret),
            "{secret} is no client's to put there"
        );
    }
    check_with_promtool(&page);
    check_reference(&house, &page);
}

fn check_sums(samples: &Samples, each: f64) {
    let there = r#"{environment="dev",upstream="notes""#;
    let value = |name: String| *samples.get(&name).unwrap_or_else(|| panic!("{name}"));
    assert_eq!(
        value(format!("postern_requests_total{there},end=\"done\"}}")),
        each
    );
    assert_eq!(
        value(format!("postern_requests_total{there},end=\"refused\"}}")),
        each
    );
    assert_eq!(
        value(format!("postern_refusals_total{there},code=\"denied\"}}")),
        each
    );
    assert_eq!(
        value(format!(
            "postern_upstream_answers_total{there},status=\"2xx\"}}"
        )),
        each
    );
    let bytes = each * "{\"notes\":[]}".len() as f64;
    assert_eq!(
        value(format!("postern_response_body_bytes_total{there}}}")),
        bytes
    );
    assert_eq!(
        value(format!("postern_request_duration_seconds_count{there}}}")),
        2.0 * each
    );
    assert_eq!(
        value(format!("postern_before_forward_seconds_count{there}}}")),
        each
    );
    let nobody = r#"{environment="",upstream="",code="unauthenticated"}"#;
    let limited = r#"{environment="",upstream="",code="rate_limited"}"#;
    let strangers = ["postern_refusals_total"]
        .map(|name| value(format!("{name}{nobody}")) + value(format!("{name}{limited}")));
    assert_eq!(strangers, [each]);
    let issued = r#"postern_admin_acts_total{action="token.create",outcome="done"}"#;
    assert_eq!(
        value(issued.to_owned()),
        2.0,
        "the auditor's and the client's"
    );
    for name in [
        "postern_audit_entries_total",
        "postern_audit_sync_duration_seconds_count",
        "postern_tokens_in_memory",
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_start_time_seconds",
        "postern_audit_healthy",
    ] {
        assert!(value(name.to_owned()) > 0.0, "{name}");
    }
}

/// The check of the people who read such pages.
fn check_with_promtool(page: &str) {
    let Some(promtool) = tools::promtool() else {
        return;
    };
    let mut command = Command::new(promtool);
    command.args(["check", "metrics"]).stdin(Stdio::piped());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(page.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", printed(&output));
    assert_eq!(printed(&output), "", "nothing to find fault with");
}

/// Every metric of the page is in the reference, and the other way round.
fn check_reference(house: &House, page: &str) {
    let described = house.run(&["reference", "metrics"]);
    let described = String::from_utf8(described.stdout).unwrap();
    let named: BTreeSet<&str> = described
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split_once('`'))
        .map(|(name, _)| name)
        .filter(|name| name.starts_with("postern_") || name.starts_with("process_"))
        // There only where an analyzer is set up.
        .filter(|name| !name.starts_with("postern_analyzer_"))
        .collect();
    let told: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .filter_map(|line| line.split_once(' '))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(named, told);
}

#[test]
fn metrics_are_for_administrators_of_everything() {
    // Goal: what every environment does is told to nobody else, and nowhere else. Method: each
    // sort of caller at each door.
    let (house, _upstream) = furnished();
    let (_, scoped) = house.administrator("owner", Some("dev"));
    let (_, token) = house.token("dev");
    assert_eq!(scrape(&house, &house.owner).status, 200);
    assert_eq!(scrape(&house, &scoped).status, 403);
    assert_eq!(scrape(&house, &token).status, 401);
    let nobody = raw::request(house.admin, "GET", "/metrics", &[], b"");
    assert_eq!(nobody.status, 401);
    for who in [&token, &house.owner, &scoped] {
        let status = ask(&house, who, "/metrics");
        assert!(status == 401 || status == 404, "{status} on the data plane");
    }
}

#[test]
fn the_status_says_what_is_held() {
    let (house, _upstream) = furnished();
    let status = house.json(&["status"]);
    assert_eq!(
        (&status["body_bytes"], &status["environments"]),
        (&0.into(), &1.into())
    );
    let said = printed(&house.run(&["status"]));
    assert!(
        said.contains("serving") && said.contains("request bodies in memory"),
        "{said}"
    );
}
