//! Child processes that end with us, and what they use: `/proc/PID/stat`, whole process trees.

use anyhow::{Context, Result};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// The unit of CPU time in `/proc`: 100 a second on every Linux that Rust's std supports.
const TICK_US: u64 = 10_000;
const PAGE_BYTES: u64 = 4096;

/// A child process; ended when dropped.
pub(super) struct Process {
    child: Child,
}

impl Process {
    pub(super) fn start(command: &mut Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self { child })
    }

    pub(super) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `ready` answers, for as long as the process lives and `limit` allows.
    pub(super) fn wait_until<T>(
        &mut self,
        limit: Duration,
        mut ready: impl FnMut() -> Option<T>,
    ) -> Result<T> {
        let started = Instant::now();
        loop {
            if let Some(answer) = ready() {
                return Ok(answer);
            }
            if let Some(status) = self.child.try_wait()? {
                anyhow::bail!("the process ended early: {status}");
            }
            if started.elapsed() > limit {
                anyhow::bail!("not ready after {} s", limit.as_secs());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// User and system time of the process and its children, in microseconds.
    pub(super) fn cpu_us(&self) -> u64 {
        family(self.child.id())
            .iter()
            .map(|stat| stat.cpu_ticks * TICK_US)
            .sum()
    }

    /// Resident memory of the process and its children, in bytes.
    pub(super) fn resident_bytes(&self) -> u64 {
        family(self.child.id())
            .iter()
            .map(|stat| stat.resident_pages * PAGE_BYTES)
            .sum()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A master ends its workers when it is asked politely, and is ended when it does not.
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        for _ in 0..100 {
            if asked.is_err() || matches!(self.child.try_wait(), Ok(Some(_))) {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        // Both fail only when it is gone already.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// What one line of `/proc/PID/stat` says that we need.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    pid: u32,
    parent: u32,
    cpu_ticks: u64,
    resident_pages: u64,
}

impl Stat {
    fn read(pid: u32) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The name is in parentheses and may hold anything; what follows the last one is fields.
    fn parse(line: &str) -> Option<Self> {
        let (start, rest) = line.rsplit_once(')')?;
        let pid = start.split_whitespace().next()?.parse().ok()?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        // proc(5) counts from 1 and from the pid: the state, field 3, is our field 0.
        let number = |index: usize| fields.get(index - 3)?.parse::<u64>().ok();
        Some(Self {
            pid,
            parent: u32::try_from(number(4)?).ok()?,
            cpu_ticks: number(14)? + number(15)?,
            resident_pages: number(24)?,
        })
    }
}

/// The process and its direct children.
fn family(pid: u32) -> Vec<Stat> {
    let all = Path::new("/proc")
        .read_dir()
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
            Stat::read(pid)
        });
    all.filter(|stat| stat.pid == pid || stat.parent == pid)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a process name with spaces and parentheses does not shift the fields.
    #[test]
    fn a_stat_line_is_read() {
        let line = "42 (a) b (c)) S 7 42 42 0 -1 4194560 100 0 0 0 11 5 0 0 20 0 4 0 9 1000 33 1";
        let expected = Stat {
            pid: 42,
            parent: 7,
            cpu_ticks: 16,
            resident_pages: 33,
        };
        assert_eq!(Stat::parse(line), Some(expected));
    }

    #[test]
    fn our_own_process_is_found() {
        let own = family(std::process::id());
        assert!(
            own.iter()
                .any(|stat| stat.pid == std::process::id() && stat.resident_pages > 0)
        );
    }
}
