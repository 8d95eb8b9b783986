//! Child processes that end when the test ends.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How often a waiting test looks again.
const POLL: Duration = Duration::from_millis(5);
/// How long an orderly end may take before the process is killed.
const STOP_MAX: Duration = Duration::from_secs(5);

/// A running child process; it is killed when dropped. Its output goes to a file.
pub struct Process {
    child: Child,
    name: String,
    output: PathBuf,
}

impl Process {
    /// Starts `command`, with its output in `dir/name.log`.
    ///
    /// # Errors
    ///
    /// When the log file or the process cannot be made.
    pub fn start(name: &str, command: &mut Command, dir: &Path) -> Result<Self> {
        let output = dir.join(format!("{name}.log"));
        let file = fs::File::create(&output).with_context(|| output.display().to_string())?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot start {name}: {command:?}"))?;
        Ok(Self {
            child,
            name: name.to_owned(),
            output,
        })
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it printed so far.
    #[must_use]
    pub fn output(&self) -> String {
        fs::read_to_string(&self.output).unwrap_or_default()
    }

    /// Waits until `ready` gives something.
    ///
    /// # Errors
    ///
    /// When the process ends first or the time runs out; the error has its output.
    pub fn wait_for<T>(
        &mut self,
        within: Duration,
        mut ready: impl FnMut() -> Option<T>,
    ) -> Result<T> {
        let deadline = Instant::now() + within;
        loop {
            if let Some(value) = ready() {
                return Ok(value);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status}:\n{}", self.name, self.output());
            }
            if Instant::now() > deadline {
                bail!(
                    "{} is not ready after {within:?}:\n{}",
                    self.name,
                    self.output()
                );
            }
            std::thread::sleep(POLL);
        }
    }

    /// Waits until something accepts connections at `addr`.
    ///
    /// # Errors
    ///
    /// As [`Process::wait_for`].
    pub fn wait_for_port(&mut self, addr: SocketAddr, within: Duration) -> Result<()> {
        let connect = || TcpStream::connect_timeout(&addr, Duration::from_millis(200)).ok();
        self.wait_for(within, connect).map(drop)
    }

    /// Ends it as an operator would (SIGTERM), and kills it when that does not help.
    ///
    /// # Errors
    ///
    /// When the process cannot be waited for.
    pub fn stop(mut self) -> Result<ExitStatus> {
        self.signal("TERM")?;
        let deadline = Instant::now() + STOP_MAX;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                self.child.kill()?;
                return Ok(self.child.wait()?);
            }
            std::thread::sleep(POLL);
        }
    }

    /// Sends a signal by name.
    ///
    /// # Errors
    ///
    /// When `kill` cannot be run.
    pub fn signal(&self, name: &str) -> Result<()> {
        let id = self.child.id().to_string();
        Command::new("kill")
            .args(["-s", name, &id])
            .status()
            .context("cannot run kill")?;
        Ok(())
    }

    /// Kills it at once (SIGKILL) and waits for its end.
    ///
    /// # Errors
    ///
    /// When the process cannot be waited for.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A loopback port that is free now. Only for programs that cannot choose one themselves: another
/// process may take it before they do.
///
/// # Errors
///
/// When no port can be had.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Runs `command` to its end within a time; gives its standard output.
///
/// # Errors
///
/// When it fails or takes too long; the error has what it printed.
pub fn run(name: &str, command: &mut Command, within: Duration) -> Result<String> {
    let dir = tempfile::tempdir()?;
    let (out, err) = (dir.path().join("out"), dir.path().join("err"));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(fs::File::create(&out)?)
        .stderr(fs::File::create(&err)?)
        .spawn()
        .with_context(|| format!("cannot start {name}: {command:?}"))?;
    let deadline = Instant::now() + within;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            bail!(
                "{name} takes more than {within:?}:\n{}",
                fs::read_to_string(&err)?
            );
        }
        std::thread::sleep(POLL);
    };
    let printed = fs::read_to_string(&out)?;
    if !status.success() {
        bail!(
            "{name} ended with {status}:\n{printed}\n{}",
            fs::read_to_string(&err)?
        );
    }
    Ok(printed)
}
