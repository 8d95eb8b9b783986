//! The demo keeps its word, and notices when it does not.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

const STEPS: usize = 9;

fn demo(more: &[&str], temporary: &std::path::Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_postern"))
        .args(["demo", "--once"])
        .args(more)
        .env("TMPDIR", temporary)
        .output()
        .expect("the binary runs")
}

#[test]
fn the_demo_holds_every_step_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let output = demo(&[], dir.path());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert_eq!(text.matches("✓ held").count(), STEPS, "{text}");
    for command in [
        "$ postern token create",
        "$ curl -sN http://127.0.0.1:",
        "$ cp -r ",
    ] {
        assert!(text.contains(command), "{command}");
    }
    assert_eq!(
        std::fs::read_dir(dir.path()).unwrap().count(),
        0,
        "the directory is gone"
    );
}

#[test]
fn the_demo_fails_at_each_step_that_is_sabotaged() {
    // Goal: no step can go wrong unnoticed. Method: make each one go wrong, one after the other.
    let dir = tempfile::tempdir().unwrap();
    for step in 1..=STEPS {
        let output = demo(&["--sabotage", &step.to_string()], dir.path());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "step {step}: {said}");
        assert!(
            said.contains(&format!("step {step} did not hold")),
            "{said}"
        );
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(
            text.matches("✓ held").count(),
            step - 1,
            "the steps before held: {text}"
        );
    }
    let output = demo(&["--sabotage", "99"], dir.path());
    assert_eq!(output.status.code(), Some(2), "there is no such step");
    assert_eq!(
        std::fs::read_dir(dir.path()).unwrap().count(),
        0,
        "the directories are gone"
    );
}

#[test]
fn the_demo_stays_up_with_lines_to_copy_until_it_is_interrupted() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_postern"))
        .arg("demo")
        .env("TMPDIR", dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut text = String::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while !text.contains("postern audit tail -f") {
        let line = lines.next().expect("the demo goes on to its end").unwrap();
        text.push_str(&line);
        text.push('\n');
    }
    for line in [
        "curl -sN http://",
        "OpenAI(base_url=\"http://",
        "new OpenAI({ baseURL:",
    ] {
        assert!(text.contains(line), "{line}");
    }
    assert!(child.try_wait().unwrap().is_none(), "it is still up");
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    assert!(
        child.wait().unwrap().success(),
        "an interrupted demo ends in good order"
    );
    assert_eq!(
        std::fs::read_dir(dir.path()).unwrap().count(),
        0,
        "the directory is gone"
    );
}
