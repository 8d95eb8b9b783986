//! A PostgreSQL server of the test's own, in a temporary folder.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use tempfile::TempDir;

use super::START_MAX;
use crate::process::{Process, free_port, run};
use crate::tools;

/// How long `initdb` and `pg_ctl stop` may take.
const STEP_MAX: Duration = Duration::from_secs(60);

/// A running server; it is stopped when dropped. Nothing of it is meant to last, so it never syncs.
pub struct Postgres {
    process: Process,
    addr: SocketAddr,
    bin: PathBuf,
    dir: TempDir,
}

impl Postgres {
    /// Starts a fresh server with one database, `postgres`, and one user of the same name who needs
    /// no password from this machine.
    ///
    /// # Errors
    ///
    /// When PostgreSQL is there and does not start.
    pub fn start() -> Result<Option<Self>> {
        let Some(bin) = tools::postgres_bin() else {
            return Ok(None);
        };
        let dir = tempfile::tempdir()?;
        // PostgreSQL runs as another user than root, who must be able to make its folder in here.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o1777))?;
        let data = dir.path().join("data");
        let mut initdb = command(&bin, "initdb");
        initdb
            .args([
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-sync",
                "-D",
            ])
            .arg(&data);
        run("initdb", initdb.current_dir(dir.path()), STEP_MAX)?;

        let addr = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let mut server = command(&bin, "postgres");
        server
            .arg("-D")
            .arg(&data)
            .args(["-p", &addr.port().to_string()]);
        server.args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]);
        server
            .arg("-c")
            .arg(format!("unix_socket_directories={}", dir.path().display()));
        let mut process = Process::start("postgres", server.current_dir(dir.path()), dir.path())?;
        let ready = || {
            let mut probe = Command::new(bin.join("pg_isready"));
            probe.args(["-q", "-h", "127.0.0.1", "-p", &addr.port().to_string()]);
            probe
                .status()
                .ok()
                .filter(std::process::ExitStatus::success)
        };
        process.wait_for(START_MAX, ready)?;
        Ok(Some(Self {
            process,
            addr,
            bin,
            dir,
        }))
    }

    /// The connection URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.addr)
    }

    /// What the server logged.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.output()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Killing the launcher alone would leave the server behind.
        let mut stop = command(&self.bin, "pg_ctl");
        stop.arg("-D")
            .arg(self.dir.path().join("data"))
            .args(["-m", "immediate", "stop"]);
        let _ = run("pg_ctl", stop.current_dir(self.dir.path()), STEP_MAX);
    }
}

/// A program of PostgreSQL, run as a user it accepts.
fn command(bin: &Path, program: &str) -> Command {
    let mut words = tools::postgres_as().into_iter();
    let program = bin.join(program);
    match words.next() {
        Some(launcher) => {
            let mut command = Command::new(launcher);
            command.args(words).arg(program);
            command
        }
        None => Command::new(program),
    }
}
