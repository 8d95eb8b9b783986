//! The demo keeps its word, and notices when it does not.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};

use postern_testkit::tools;
use tempfile::TempDir;

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
fn a_demo_that_nobody_reads_to_its_end_did_not_hold() {
    let dir = tempfile::tempdir().unwrap();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_postern"));
    demo.args(["demo", "--once"])
        .env("TMPDIR", dir.path())
        .stdout(Stdio::piped());
    let mut child = demo.spawn().expect("the binary runs");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    lines.next().expect("it begins").expect("text");
    drop(lines);
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_demo_whose_terminal_is_closed_leaves_nothing_behind() {
    Standing::start().end_by("-HUP");
}

/// A demo that stays up, until it is interrupted.
struct Standing {
    child: Child,
    dir: TempDir,
    text: String,
    // Kept open: a demo whose output is closed would end.
    _lines: Lines<BufReader<ChildStdout>>,
}

impl Standing {
    fn start() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut demo = Command::new(env!("CARGO_BIN_EXE_postern"));
        demo.arg("demo")
            .env("TMPDIR", dir.path())
            .stdout(Stdio::piped());
        let mut child = demo.spawn().expect("the binary runs");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let mut text = String::new();
        while !text.contains("postern audit tail -f") {
            text.push_str(
                &lines
                    .next()
                    .expect("the demo goes on to its end")
                    .expect("text"),
            );
            text.push('\n');
        }
        Self {
            child,
            dir,
            text,
            _lines: lines,
        }
    }

    /// The lines to copy under a heading, as somebody marks them: up to the next empty line.
    fn lines_to_copy(&self, heading: &str) -> String {
        let after = self
            .text
            .split_once(&format!("\n{heading}\n"))
            .expect("the heading is there")
            .1;
        let (lines, _) = after.split_once("\n\n").expect("an empty line follows");
        format!("{lines}\n")
    }

    fn interrupt(self) -> ExitStatus {
        self.end_by("-INT")
    }

    fn end_by(mut self, signal: &str) -> ExitStatus {
        assert!(
            self.child.try_wait().expect("it can be asked").is_none(),
            "it is still up"
        );
        let id = self.child.id().to_string();
        let killed = Command::new("kill").args([signal, &id]).status();
        assert!(killed.expect("kill runs").success());
        let status = self.child.wait().expect("it can be waited for");
        let left = std::fs::read_dir(self.dir.path())
            .expect("it reads")
            .count();
        assert_eq!(left, 0, "the directory is gone");
        status
    }
}

#[test]
fn the_demo_stays_up_with_lines_to_copy_until_it_is_interrupted() {
    // Goal: the lines work as they are printed, with the official SDKs. Method: copy them, run
    // them, look for what the sandbox says.
    const SAID: &str = "A postern is the small door that is watched.";
    let demo = Standing::start();
    if let Some(curl) = tools::curl() {
        let lines = demo
            .lines_to_copy("curl")
            .replacen("curl", &curl.display().to_string(), 1);
        let mut shell = Command::new("sh");
        let said = printed(shell.arg("-c").arg(lines));
        assert!(
            said.contains("watched.") && said.contains("[DONE]"),
            "{said}"
        );
    }
    if let Some(python) = tools::python() {
        let said = printed(
            Command::new(python)
                .arg("-c")
                .arg(demo.lines_to_copy("Python")),
        );
        assert_eq!(said.matches(SAID).count(), 2, "both SDKs: {said}");
    }
    if let (Some(node), Some(modules)) = (tools::node(), tools::node_modules()) {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(modules, folder.path().join("node_modules")).unwrap();
        let script = folder.path().join("chat.mjs");
        std::fs::write(&script, demo.lines_to_copy("Node")).unwrap();
        assert_eq!(printed(Command::new(node).arg(script)).trim(), SAID);
    }
    assert!(
        demo.interrupt().success(),
        "an interrupted demo ends in good order"
    );
}

fn printed(command: &mut Command) -> String {
    let output = command.output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}
