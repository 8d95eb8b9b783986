//! Running other programs: visibly for the steps of a check, quietly for installations, and always
//! with the whole output at hand when something fails.

use anyhow::{Context, Result};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What a program said, standard output and standard error as they came, and whether it succeeded.
pub(crate) struct Outcome {
    pub(crate) success: bool,
    pub(crate) output: String,
}

/// Runs a program and shows its output line by line while it runs.
pub(crate) fn visibly(command: &mut Command) -> Result<Outcome> {
    run(command, true, None)
}

/// Runs a program without showing its output; the caller shows it when it matters.
pub(crate) fn quietly(command: &mut Command) -> Result<Outcome> {
    run(command, false, None)
}

/// Like [`quietly`], and ends the program when it has not finished in time.
pub(crate) fn quietly_within(command: &mut Command, limit: Duration) -> Result<Outcome> {
    run(command, false, Some(limit))
}

fn run(command: &mut Command, show: bool, limit: Option<Duration>) -> Result<Outcome> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    let collected = Arc::new(Mutex::new(String::new()));
    let readers = [
        child
            .stdout
            .take()
            .map(|pipe| collect(pipe, show, &collected)),
        child
            .stderr
            .take()
            .map(|pipe| collect(pipe, show, &collected)),
    ];
    let started = Instant::now();
    let status = loop {
        match limit {
            None => break child.wait()?,
            Some(limit) => {
                if let Some(status) = child.try_wait()? {
                    break status;
                }
                if started.elapsed() > limit {
                    child.kill().with_context(|| format!("cannot end {name}"))?;
                    let line = format!("{name}: ended after {} s\n", limit.as_secs());
                    collected.lock().expect("no reader panics").push_str(&line);
                    break child.wait()?;
                }
                thread::sleep(Duration::from_millis(50));
            }
        }
    };
    for reader in readers.into_iter().flatten() {
        reader
            .join()
            .map_err(|_| anyhow::anyhow!("a reader of {name}'s output panicked"))?;
    }
    let output = std::mem::take(&mut *collected.lock().expect("no reader panics"));
    Ok(Outcome {
        success: status.success(),
        output,
    })
}

fn collect(
    pipe: impl Read + Send + 'static,
    show: bool,
    into: &Arc<Mutex<String>>,
) -> thread::JoinHandle<()> {
    let into = Arc::clone(into);
    thread::spawn(move || {
        let mut lines = BufReader::new(pipe);
        let mut line = Vec::new();
        // Lines need not be UTF-8: a compiler may quote any file.
        while lines
            .read_until(b'\n', &mut line)
            .is_ok_and(|read| read > 0)
        {
            let text = String::from_utf8_lossy(&line);
            if show {
                print!("{text}");
            }
            into.lock().expect("no reader panics").push_str(&text);
            line.clear();
        }
    })
}

/// Finds a program in `PATH`, and in the folders where Debian keeps those of the administrator.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|candidate| is_executable(candidate))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// A cargo of the toolchain that runs us.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: both streams and the verdict arrive.
    #[test]
    fn output_and_verdict_arrive() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        let outcome = quietly(&mut command).expect("there is a shell");
        assert!(!outcome.success);
        assert!(outcome.output.contains("out") && outcome.output.contains("err"));
    }

    /// Goal: a program that hangs is ended, and the output says so.
    #[test]
    fn a_hanging_program_is_ended() {
        let mut command = Command::new("sleep");
        command.arg("60");
        let limit = Duration::from_millis(100);
        let outcome = quietly_within(&mut command, limit).expect("there is a sleep");
        assert!(!outcome.success);
        assert!(outcome.output.contains("ended after"));
    }
}
