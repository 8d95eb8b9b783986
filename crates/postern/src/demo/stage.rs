//! The stage of the tour: backends, an installation in a temporary directory, the gateway.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::de::DeserializeOwned;
use tempfile::TempDir;

use super::narrator::Narrator;
use super::notes::Notes;
use super::sandbox::Sandbox;
use super::server::Server;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::output::Out;
use crate::cli::run_line;
use crate::config::Config;
use crate::installation::{Installation, Paths, write_private};
use crate::running::Running;
use crate::shapes::IssuedToken;

/// How often the log signs its size: often, since a tour is short and should end signed.
const CHECKPOINTS: Duration = Duration::from_secs(1);
/// How long a signature may be waited for.
const SIGNED_WITHIN: Duration = Duration::from_secs(20);
/// Columns after which a printed command goes on in the next line.
const COMMAND_COLUMNS: usize = 44;
/// Bytes of one file of the tour's audit log.
const SEGMENT_BYTES: u64 = 1024 * 1024;
/// What can be tried by hand at the end, with placeholders for the address and the token.
const FAREWELL: [(&str, &str); 3] = [
    ("curl", include_str!("farewell/chat.sh")),
    ("Python", include_str!("farewell/chat.py")),
    ("Node", include_str!("farewell/chat.mjs")),
];
/// The keys that the backends ask for; the clients never see them.
const SANDBOX_KEY: &str = "sandbox-provider-key";
const NOTES_KEY: &str = "notes-backend-key";

/// Everything the tour stands on. What is dropped is gone, the directory too.
pub(super) struct Stage {
    running: Running,
    pub(super) sandbox: Arc<Sandbox>,
    sandbox_server: Server,
    notes_server: Server,
    other_notes_server: Server,
    paths: Paths,
    program: String,
    /// Tokens by the shell variables that the printed commands use.
    tokens: BTreeMap<&'static str, IssuedToken>,
    /// Removed last.
    dir: TempDir,
}

/// What a command printed, and how it ended.
pub(super) struct Printed {
    pub(super) text: String,
    pub(super) ended: Outcome,
}

impl Stage {
    /// Starts everything.
    pub(super) async fn build() -> Outcome<Self> {
        let dir = tempfile::Builder::new().prefix("postern-demo-").tempdir()?;
        let paths = Paths {
            data: dir.path().join("postern-data"),
            keys: dir.path().join("postern-keys"),
        };
        let sandbox = Arc::new(Sandbox::new(SANDBOX_KEY.to_owned()));
        let notes = |notes| {
            Arc::new(Notes {
                key: NOTES_KEY.to_owned(),
                notes,
            })
        };
        let sandbox_server = Server::start(Arc::clone(&sandbox) as _).await?;
        let notes_server = Server::start(notes(&["water the plants", "call Ada"])).await?;
        let other_notes_server = Server::start(notes(&["a note of production"])).await?;
        for (file, key) in [("sandbox-key", SANDBOX_KEY), ("notes-key", NOTES_KEY)] {
            write_private(&dir.path().join(file), key.as_bytes())?;
        }
        let mut config = Config::without_file();
        config.listen.data = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        config.listen.admin = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        config.audit.segment_bytes = SEGMENT_BYTES;
        config.audit.checkpoint_interval = CHECKPOINTS;
        let made = &mut Vec::new();
        let installation = Installation::create(&paths, &config, made).await?;
        installation.close().await?;
        let running = Running::start(&paths, &config).await?;
        Ok(Self {
            running,
            sandbox,
            sandbox_server,
            notes_server,
            other_notes_server,
            paths,
            program: program(),
            tokens: BTreeMap::new(),
            dir,
        })
    }

    /// Where the data plane listens.
    pub(super) fn base(&self) -> String {
        format!("http://{}", self.running.addresses().data)
    }

    /// Where the sandbox listens.
    pub(super) fn sandbox_url(&self) -> String {
        self.sandbox_server.url()
    }

    /// What a command prints, however it ends.
    pub(super) async fn printed(&self, line: &[&str]) -> String {
        self.quietly(line, None).await.text
    }

    /// The audit log's directory.
    pub(super) fn audit_log(&self) -> PathBuf {
        self.paths.audit()
    }

    /// Waits until a checkpoint signs so many entries; gives how many the newest one signs.
    pub(super) async fn signed(&self, entries: u64) -> Outcome<u64> {
        let log = self.running.installation().guard.log();
        let signed = async {
            loop {
                let size = log.checkpoint().size();
                if size >= entries {
                    return size;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let waited = tokio::time::timeout(SIGNED_WITHIN, signed).await;
        waited.map_err(|_| Failure::new("no checkpoint was signed in time"))
    }

    /// A place for files of the tour.
    pub(super) fn scratch(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The token behind a shell variable of the printed commands.
    pub(super) fn token(&self, variable: &str) -> &IssuedToken {
        self.tokens
            .get(variable)
            .expect("steps keep their tokens before they use them")
    }

    /// Says where everything is, and how to repeat what follows.
    pub(super) fn introduce(&self, say: &mut Narrator<'_>) -> Outcome {
        let addresses = self.running.addresses();
        say.heading("A gateway, a sandbox of AI providers and a small HTTP backend are running")?;
        say.remark(&format!("data plane  http://{}", addresses.data))?;
        say.remark(&format!("admin API   http://{}", addresses.admin))?;
        say.remark(&format!(
            "providers   {} (a sandbox; no real one is called)",
            self.sandbox_server.url()
        ))?;
        say.remark(&format!("backend     {}", self.notes_server.url()))?;
        say.heading("To repeat the commands in another terminal")?;
        say.command(&format!(
            "export POSTERN_DATA={}",
            self.paths.data.display()
        ))?;
        say.command(&format!("alias postern={}", self.program))?;
        Ok(())
    }

    /// Makes environments, upstreams and principals: what an administrator does once.
    pub(super) async fn furnish(&self, say: &mut Narrator<'_>) -> Outcome {
        say.heading("Two environments, their upstreams, and who tokens are for")?;
        let sandbox = self.sandbox_server.url();
        let sandbox_key = format!("file:{}", self.scratch("sandbox-key").display());
        let notes_key = format!("file:{}", self.scratch("notes-key").display());
        for env in ["dev", "prod"] {
            self.must(say, &["env", "create", env]).await?;
        }
        for name in ["openai", "anthropic", "gemini"] {
            let line = [
                "upstream",
                "create",
                name,
                "--env",
                "dev",
                "--kind",
                name,
                "--url",
                &sandbox,
                "--credential",
                &sandbox_key,
            ];
            self.must(say, &line).await?;
        }
        let notes = [
            ("dev", self.notes_server.url()),
            ("prod", self.other_notes_server.url()),
        ];
        for (env, url) in &notes {
            let line = [
                "upstream",
                "create",
                "notes",
                "--env",
                env,
                "--kind",
                "http",
                "--url",
                url,
                "--credential",
                &notes_key,
            ];
            self.must(say, &line).await?;
            self.must(say, &["principal", "create", "service:tour", "--env", env])
                .await?;
        }
        Ok(())
    }

    /// Runs a command of the command line, printing it first.
    pub(super) async fn run(&self, say: &mut Narrator<'_>, line: &[&str]) -> Outcome<Printed> {
        say.command(&spell(line))?;
        Ok(self
            .quietly(line, say.width().map(|width| width.saturating_sub(5)))
            .await)
    }

    /// Runs a command that must do what it says; its answer is not shown.
    pub(super) async fn must(&self, say: &mut Narrator<'_>, line: &[&str]) -> Outcome {
        self.run(say, line).await?.ended
    }

    /// Runs a command that is not part of the story, and reads its JSON.
    pub(super) async fn ask<T: DeserializeOwned>(&self, line: &[&str]) -> Outcome<T> {
        let line: Vec<&str> = line.iter().copied().chain(["--json"]).collect();
        let printed = self.quietly(&line, None).await;
        printed.ended?;
        serde_json::from_str(&printed.text)
            .map_err(|error| Failure::new(format!("the answer does not read: {error}")))
    }

    async fn quietly(&self, line: &[&str], width: Option<u16>) -> Printed {
        let kept = Kept::default();
        let json = line.contains(&"--json");
        let mut out = Out::into_sink(json, width, Box::new(kept.clone()));
        let data = self.paths.data.display().to_string();
        let keys = self.paths.keys.display().to_string();
        let mut whole = vec!["--data", data.as_str(), "--keys", keys.as_str()];
        whole.extend(line);
        let ended = run_line(&whole, &mut out).await;
        let bytes = kept
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Printed {
            text: String::from_utf8_lossy(&bytes).into_owned(),
            ended,
        }
    }

    /// Mints a token and keeps it under a shell variable.
    pub(super) async fn mint(
        &mut self,
        say: &mut Narrator<'_>,
        variable: &'static str,
        line: &[&str],
    ) -> Outcome {
        let line: Vec<&str> = line.iter().copied().chain(["--json"]).collect();
        let printed = self.run(say, &line).await?;
        printed.ended?;
        let issued: IssuedToken = serde_json::from_str(&printed.text)
            .map_err(|error| Failure::new(format!("no token came back: {error}")))?;
        say.answer(&printed.text)?;
        say.command(&format!("{variable}={}", issued.token.expose()))?;
        self.tokens.insert(variable, issued);
        Ok(())
    }

    /// What to try by hand while everything stays up.
    pub(super) async fn farewell(&mut self, say: &mut Narrator<'_>) -> Outcome {
        say.heading("Everything stays up until Ctrl-C. A token to play with:")?;
        let line = [
            "token",
            "create",
            "--env",
            "dev",
            "--principal",
            "service:tour",
            "--ttl",
            "1h",
            "--grant",
            "openai:invoke:gpt-4o-mini",
            "--grant",
            "anthropic:invoke:claude-haiku-4-5",
            "--grant",
            "gemini:invoke:gemini-2.5-flash",
        ];
        self.mint(say, "TOKEN", &line).await?;
        let token = self.token("TOKEN").token.expose();
        for (heading, lines) in FAREWELL {
            say.heading(heading)?;
            say.uncut(
                &lines
                    .replace("BASE_URL", &self.base())
                    .replace("API_TOKEN", token),
            )?;
        }
        say.heading("And watch it")?;
        say.command("postern audit tail -f")?;
        Ok(())
    }

    /// Stops the gateway in good order; the rest goes by being dropped.
    pub(super) async fn clear(self) -> Outcome {
        self.running.stop().await?;
        drop((
            self.sandbox_server,
            self.notes_server,
            self.other_notes_server,
        ));
        self.dir.close()?;
        Ok(())
    }
}

/// The program as it was started, absolute, so that the alias works from anywhere.
fn program() -> String {
    let path = std::env::current_exe().ok();
    path.map_or_else(|| "postern".to_owned(), |path| path.display().to_string())
}

/// A command line as it is typed in a shell, long ones broken before their options.
fn spell(line: &[&str]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@+".contains(c);
    let words = line.iter().map(|word| {
        if !word.is_empty() && word.chars().all(plain) {
            (*word).to_owned()
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    });
    let mut text = "postern".to_owned();
    let mut column = text.len();
    for word in words {
        // Options move to the next line together with their value.
        if word.starts_with("--") && column > COMMAND_COLUMNS {
            text.push_str(" \\\n ");
            column = 1;
        }
        text.push(' ');
        text.push_str(&word);
        column += word.len() + 1;
    }
    text
}

/// A sink that can be read after it was written.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_spelt_so_that_a_shell_reads_them_back() {
        assert_eq!(spell(&["env", "create", "dev"]), "postern env create dev");
        assert_eq!(
            spell(&["--grant", "n:call:GET /x"]),
            "postern --grant 'n:call:GET /x'"
        );
        assert_eq!(spell(&["it's", ""]), "postern 'it'\\''s' ''");
    }
}
