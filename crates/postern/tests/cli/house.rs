//! An installation with a running gateway, and ways to speak to it.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use postern_testkit::process::Process;
use serde_json::Value;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_postern");
/// How long the gateway may take to come up in a debug build on a busy machine.
const START_MAX: Duration = Duration::from_secs(60);
/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// An installation whose gateway runs until this is dropped.
pub(crate) struct House {
    // Ends before its directory goes.
    gateway: Process,
    dir: TempDir,
    pub(crate) admin: SocketAddr,
    pub(crate) data: SocketAddr,
    /// The first administrator's token.
    pub(crate) owner: String,
}

/// An answer of the admin API.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Value,
}

impl House {
    /// A gateway on free loopback ports.
    pub(crate) fn open() -> Self {
        Self::open_with(tempfile::tempdir().expect("a temporary directory"), "")
    }

    /// The same in a directory, with more lines of `postern.toml`.
    pub(crate) fn open_with(dir: TempDir, more: &str) -> Self {
        let made = run_in(dir.path(), &["init", "--no-upstream", "--json"]);
        assert!(made.status.success(), "{}", printed(&made));
        let made: Value = serde_json::from_slice(&made.stdout).expect("init prints JSON");
        let listen = "[listen]\ndata = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n";
        let settings = format!("{listen}{more}");
        fs::write(dir.path().join("data/postern.toml"), settings).expect("the directory is ours");
        let owner = made["admin_token"].as_str().expect("a token").to_owned();
        Self::serve(dir, owner)
    }

    /// Starts the gateway once more where one stood; nobody's token is known any more.
    pub(crate) fn again(dir: TempDir) -> Self {
        Self::serve(dir, String::new())
    }

    fn serve(dir: TempDir, owner: String) -> Self {
        let gateway = Process::start("serve", command(dir.path()).arg("serve"), dir.path());
        let mut gateway = gateway.expect("serve starts");
        let file = dir.path().join("data/run/addresses.json");
        let told: Value = gateway
            .wait_for(START_MAX, || {
                serde_json::from_slice(&fs::read(&file).ok()?).ok()
            })
            .expect("serve tells its addresses");
        let address = |name: &str| {
            let text = told[name].as_str().expect("addresses are texts");
            text.parse().expect("an address and a port")
        };
        Self {
            gateway,
            admin: address("admin"),
            data: address("data"),
            owner,
            dir,
        }
    }

    /// Stops the gateway as an operator does; gives how it ended and what is left.
    pub(crate) fn stop(self) -> (std::process::ExitStatus, TempDir) {
        let ended = self.gateway.stop().expect("it can be waited for");
        (ended, self.dir)
    }

    /// Sends the gateway a signal.
    pub(crate) fn signal(&self, name: &str) {
        self.gateway.signal(name).expect("kill runs");
    }

    /// Waits until the gateway said something.
    pub(crate) fn wait_until_said(&mut self, text: &str) {
        let deadline = std::time::Instant::now() + ANSWER_MAX;
        while !self.diagnostics().contains(text) {
            assert!(
                std::time::Instant::now() < deadline,
                "{}",
                self.diagnostics()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The diagnostics of the gateway.
    pub(crate) fn diagnostics(&self) -> String {
        self.gateway.output()
    }

    /// Runs the command line on the installation.
    pub(crate) fn run(&self, line: &[&str]) -> Output {
        run_in(self.path(), line)
    }

    /// Runs the command line; it must succeed. Gives its JSON.
    pub(crate) fn json(&self, line: &[&str]) -> Value {
        let line: Vec<&str> = line.iter().copied().chain(["--json"]).collect();
        let output = self.run(&line);
        assert!(output.status.success(), "{line:?}: {}", printed(&output));
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{line:?}: {error}: {}", printed(&output)))
    }

    /// Makes an environment with a principal and an upstream.
    pub(crate) fn furnish(&self, env: &str) {
        self.json(&["env", "create", env]);
        self.json(&["principal", "create", "service:web", "--env", env]);
        let line = [
            "upstream", "create", "notes", "--env", env, "--kind", "http", "--url",
        ];
        self.json(&[&line[..], &["http://127.0.0.1:9"]].concat());
    }

    /// Makes a token for `notes`; gives its id and itself.
    pub(crate) fn token(&self, env: &str) -> (String, String) {
        let line = [
            "token",
            "create",
            "--env",
            env,
            "--principal",
            "service:web",
            "--ttl",
            "1h",
        ];
        pair(&self.json(&[&line[..], &["--grant", "notes:call:GET /notes"]].concat()))
    }

    /// Makes an administrator's token; gives its id and itself.
    pub(crate) fn administrator(&self, role: &str, env: Option<&str>) -> (String, String) {
        let mut line = vec!["token", "create", "--role", role, "--ttl", "1h"];
        line.extend(env.iter().flat_map(|env| ["--env", env]));
        pair(&self.json(&line))
    }

    /// Asks the admin API over the network.
    pub(crate) fn ask(&self, method: &str, path: &str, token: &str, body: &Value) -> Reply {
        let bearer = format!("Authorization: Bearer {token}\r\n");
        self.ask_raw(method, path, &bearer, body)
    }

    /// The same with the header lines as they are given; a `Host` is added if there is none.
    pub(crate) fn ask_raw(&self, method: &str, path: &str, lines: &str, body: &Value) -> Reply {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let host = if lines.contains("Host:") {
            String::new()
        } else {
            format!("Host: {}\r\n", self.admin)
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\n{host}{lines}Connection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(self.admin).expect("the admin API listens");
        stream
            .set_read_timeout(Some(ANSWER_MAX))
            .expect("a timeout is a timeout");
        stream
            .write_all(request.as_bytes())
            .expect("the request goes out");
        let mut answer = Vec::new();
        stream
            .read_to_end(&mut answer)
            .expect("an answer comes back");
        let answer = String::from_utf8(answer).expect("answers are text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
        let status = head
            .split(' ')
            .nth(1)
            .expect("a status line")
            .parse()
            .expect("a status");
        // Bodies of known length only; a streamed one is read through the command line.
        let body = serde_json::from_str(body).unwrap_or(Value::Null);
        Reply {
            status,
            head: head.to_ascii_lowercase(),
            body,
        }
    }
}

fn pair(issued: &Value) -> (String, String) {
    let text = |name: &str| issued[name].as_str().expect("a text").to_owned();
    (text("id"), text("token"))
}

/// The program with the directories of an installation, and nothing of the caller's environment
/// that it would listen to.
pub(crate) fn command(dir: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.current_dir(dir).stdin(Stdio::null());
    for name in [
        "POSTERN_DATA",
        "POSTERN_ADMIN_TOKEN",
        "OPENAI_API_KEY",
        "ANTHROPIC_API_KEY",
    ] {
        command.env_remove(name);
    }
    for name in ["NO_COLOR", "COLUMNS", "CLICOLOR_FORCE", "POSTERN_KEYS_DIR"] {
        command.env_remove(name);
    }
    command
        .arg("--data")
        .arg(dir.join("data"))
        .arg("--keys")
        .arg(dir.join("keys"));
    command
}

pub(crate) fn run_in(dir: &Path, line: &[&str]) -> Output {
    command(dir).args(line).output().expect("the binary runs")
}

/// Everything that a command printed.
pub(crate) fn printed(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

/// All files under a directory.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("the directory reads") {
        let entry = entry.expect("its entries read");
        let kind = entry.file_type().expect("they have types");
        if kind.is_dir() {
            found.extend(files(&entry.path()));
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    found
}
