//! Presidio itself as the analyzer: what it takes for a question is what it is asked.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use postern_guard::GuardBounds;
use postern_testkit::corpora::workspace_root;
use postern_testkit::process::{Process, free_port};

use crate::analyzer::{NAMES, echo, names, settings};
use crate::fixture::Line;

/// The Python that has Presidio. It is large and belongs to the benchmark, so it may be missing
/// anywhere: then the stand-in of the testkit is all that speaks its API.
fn python() -> Option<PathBuf> {
    let own = std::env::var_os("POSTERN_TOOLS_RIVALS_PYTHON").map(PathBuf::from);
    let installed = || workspace_root().join("target/tools/rivals/bin/python");
    let python = own.unwrap_or_else(installed);
    if !python.exists() {
        eprintln!("skipped: no Presidio; `cargo xtask bench detect` installs it");
        return None;
    }
    Some(python)
}

#[test]
fn presidio_is_asked_in_its_own_words() {
    // Goal: requests, answers and offsets are those of the real analyzer. Method: its engine with
    // a list of names, behind a plain server, and a text with letters of one to four bytes.
    let Some(python) = python() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let port = free_port().unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/line/presidio.py");
    let known = serde_json::to_string(&NAMES).unwrap();
    let mut command = Command::new(python);
    command.arg(script).arg(port.to_string()).arg(known);
    let mut server = Process::start("presidio", &mut command, dir.path()).unwrap();
    let address = ([127, 0, 0, 1], port).into();
    server
        .wait_for_port(address, Duration::from_secs(60))
        .unwrap();

    let url = format!("http://127.0.0.1:{port}");
    let settings = settings(&url, Duration::from_secs(20));
    let counts = std::sync::Arc::clone(&settings.counts);
    let line = Line::asking(echo(), GuardBounds::default(), Some(settings));
    line.rule("names", names(&["request"], "mask"));
    let text = "é 😀 Zoë of Acme. Nobody here. Jane Doe is in Århus";
    let kind = [("content-type", "text/plain")];
    let got = line.request(&line.master(), "POST", "/notes/a", &kind, text.as_bytes());
    let clean = "é 😀 [PERSON] of [ORGANIZATION]. Nobody here. [PERSON] is in [PLACE]";
    assert_eq!(got.text(), clean);
    assert_eq!((counts.calls(), counts.failures()), (2, 0));
}
