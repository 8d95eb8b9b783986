//! The gateway as an operator runs it: the real binary, `init`, `serve`, and the command line.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use postern_testkit::process::Process;
use serde_json::Value;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_postern");
/// How long the gateway may take to come up in a debug build on a busy machine.
const START_MAX: Duration = Duration::from_secs(30);

/// A running gateway with an installation of its own, which goes when it is dropped.
pub(crate) struct Gateway {
    // Ends before its directory goes.
    process: Process,
    dir: TempDir,
    data: SocketAddr,
    files: AtomicUsize,
}

/// An upstream to make.
pub(crate) struct NewUpstream<'a> {
    pub(crate) env: &'a str,
    pub(crate) name: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) url: &'a str,
    pub(crate) credential: &'a str,
    /// More arguments.
    pub(crate) more: &'a [&'a str],
}

/// A token as it was shown once.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Token {
    /// The value of an `Authorization` header.
    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.secret)
    }
}

impl Gateway {
    /// A gateway on free loopback ports with the environment `dev`.
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// The same with more lines of `postern.toml`; the section `[listen]` is open at its start.
    pub(crate) fn start_with(config: &str) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("postern.toml");
        let listen = "[listen]\ndata = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n";
        fs::write(&file, format!("{listen}{config}")).expect("the directory is ours");
        let made = command(&dir)
            .arg("init")
            .arg("--config")
            .arg(&file)
            .output();
        let made = made.expect("the binary runs");
        assert!(made.status.success(), "init: {}", printed(&made));
        let (process, data) = serve(&dir);
        let gateway = Self {
            process,
            dir,
            data,
            files: AtomicUsize::new(0),
        };
        gateway.environment("dev");
        gateway
    }

    /// Kills the server where it stands, as the kernel does when memory is short, and starts
    /// another on the same installation. Its addresses are new ones.
    pub(crate) fn kill_and_start_again(&mut self) {
        self.process.kill().expect("it runs");
        let (process, data) = serve(&self.dir);
        self.process = process;
        self.data = data;
    }

    /// Where the data plane listens.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.data
    }

    /// The base URL of an upstream.
    pub(crate) fn url(&self, upstream: &str) -> String {
        format!("http://{}/{upstream}", self.data)
    }

    /// The directory of the installation: `data`, `keys`, and whatever tests put there.
    pub(crate) fn dir(&self) -> PathBuf {
        self.dir.path().to_owned()
    }

    /// Runs the command line.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        command(&self.dir)
            .args(args)
            .output()
            .expect("the binary runs")
    }

    /// Runs the command line with `--json`; it must succeed.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let output = command(&self.dir)
            .args(args)
            .arg("--json")
            .output()
            .expect("it runs");
        assert!(output.status.success(), "{args:?}: {}", printed(&output));
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("{args:?} printed no JSON ({error}): {}", printed(&output))
        })
    }

    /// Runs the command line with something to read; it must succeed.
    pub(crate) fn told(&self, args: &[&str], input: &str) {
        let file = self.dir.path().join("input");
        fs::write(&file, input).expect("the directory is ours");
        let input = fs::File::open(&file).expect("it was written");
        let output = command(&self.dir).args(args).stdin(input).output();
        let output = output.expect("the binary runs");
        fs::remove_file(&file).expect("it is there");
        assert!(output.status.success(), "{args:?}: {}", printed(&output));
    }

    /// Makes an environment with the principal `service:test` in it.
    pub(crate) fn environment(&self, name: &str) {
        self.json(&["env", "create", name]);
        self.json(&["principal", "create", "service:test", "--env", name]);
    }

    /// Makes an upstream of the environment `dev` with this credential.
    pub(crate) fn upstream(&self, name: &str, kind: &str, url: &str, credential: &str) {
        self.make(&NewUpstream {
            env: "dev",
            name,
            kind,
            url,
            credential,
            more: &[],
        });
    }

    /// Makes an upstream.
    pub(crate) fn make(&self, new: &NewUpstream<'_>) {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        let file = self.dir.path().join(format!("credential-{number}"));
        fs::write(&file, new.credential).expect("the directory is ours");
        restrict(&file);
        let reference = format!("file:{}", file.display());
        let mut args = vec!["upstream", "create", new.name, "--env", new.env];
        args.extend([
            "--kind",
            new.kind,
            "--url",
            new.url,
            "--credential",
            &reference,
        ]);
        args.extend(new.more);
        self.json(&args);
    }

    /// Makes a token of the environment `dev` with these grants.
    pub(crate) fn token(&self, grants: &[&str]) -> Token {
        self.token_in("dev", grants, &[])
    }

    /// Makes a token with more arguments.
    pub(crate) fn token_in(&self, env: &str, grants: &[&str], more: &[&str]) -> Token {
        let mut args = vec![
            "token",
            "create",
            "--env",
            env,
            "--principal",
            "service:test",
        ];
        args.extend(["--ttl", "1h"]);
        for grant in grants {
            args.extend(["--grant", grant]);
        }
        args.extend(more);
        let made = self.json(&args);
        let text = |name: &str| made[name].as_str().expect("a text").to_owned();
        Token {
            id: text("id"),
            secret: text("token"),
        }
    }

    /// What the server wrote to its log.
    pub(crate) fn log(&self) -> String {
        self.process.output()
    }
}

fn serve(dir: &TempDir) -> (Process, SocketAddr) {
    let addresses = dir.path().join("data/run/addresses.json");
    let _ = fs::remove_file(&addresses);
    let mut serve = command(dir);
    serve
        .arg("serve")
        .arg("--config")
        .arg(dir.path().join("postern.toml"));
    let mut process = Process::start("serve", &mut serve, dir.path()).expect("serve starts");
    let told = process.wait_for(START_MAX, || {
        serde_json::from_slice::<Value>(&fs::read(&addresses).ok()?).ok()
    });
    let told = told.expect("serve tells its addresses");
    let data = told["data"].as_str().expect("addresses are texts");
    (process, data.parse().expect("an address and a port"))
}

fn restrict(file: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    let owner_only = fs::Permissions::from_mode(0o600);
    fs::set_permissions(file, owner_only).expect("the file is ours");
}

fn command(dir: &TempDir) -> Command {
    let mut command = Command::new(PROGRAM);
    command.current_dir(dir.path()).stdin(Stdio::null());
    for variable in [
        "POSTERN_DATA",
        "POSTERN_ADMIN_TOKEN",
        "OPENAI_API_KEY",
        "ANTHROPIC_API_KEY",
    ] {
        command.env_remove(variable);
    }
    command.arg("--data").arg(dir.path().join("data"));
    command.arg("--keys").arg(dir.path().join("keys"));
    command
}

fn printed(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!(
        "{}\n{}{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    )
}
