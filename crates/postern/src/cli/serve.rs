//! `postern serve`: the gateway and its admin API, until a signal.

use std::path::PathBuf;

use clap::Args;
use postern_audit::OpenLogError;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::Globals;
use super::check::{mistakes, settings, tls_mistakes};
use super::failure::{Failure, Outcome};
use crate::config::{Config, LogFormat};
use crate::installation::Paths;
use crate::running::Running;

/// Libraries that say much at the levels at which the gateway says what it does. Whoever wants to
/// hear them names them in `log.level`.
const QUIET: &str = "sqlx=warn,h2=info,hyper=info,hyper_util=info";

/// Run the gateway and its admin API.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// The configuration [default: postern.toml in the data directory, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Serve {
    pub(super) async fn run(self, globals: &Globals) -> Outcome {
        let paths = Paths {
            data: globals.data.clone(),
            keys: globals.keys(),
        };
        let config = settings(self.config.as_deref(), &paths)?;
        refuse_loose_tls_key(&config)?;
        diagnostics(&config);
        // Before anything is opened, so that a signal during the start is not lost.
        let mut signals = Signals::new()?;
        let running = match Running::start(&paths, &config).await {
            Ok(running) => running,
            Err(error) => return Err(everything_wrong(&error, &paths, &config).await),
        };
        let addresses = running.addresses();
        tracing::info!(data = %addresses.data, admin = %addresses.admin, "serving");
        let name = signals.next().await;
        tracing::info!(signal = name, "stopping: requests in progress may finish");
        tokio::select! {
            stopped = running.stop() => stopped?,
            name = signals.next() => {
                return Err(Failure::new(format!("ended by a second {name}, not in good order")));
            }
        }
        tracing::info!("stopped in good order");
        Ok(())
    }
}

/// A private key that others can read is not private any more.
fn refuse_loose_tls_key(config: &Config) -> Outcome {
    let mistakes = tls_mistakes(config);
    if mistakes.is_empty() {
        return Ok(());
    }
    let list = mistakes.join("\n");
    Err(Failure::new(format!("the gateway cannot start:\n{list}")))
}

/// A start that failed names the fault that stopped it, and whatever else is wrong.
async fn everything_wrong(error: &anyhow::Error, paths: &Paths, config: &Config) -> Failure {
    let locked = |cause: &(dyn std::error::Error + 'static)| {
        matches!(cause.downcast_ref(), Some(OpenLogError::Locked(_)))
    };
    if error.chain().any(locked) {
        let data = paths.data.display();
        return Failure::new(format!("another `postern serve` runs on {data}")).hint(
            "`postern status` says how it is doing; another place: --data DIR and --keys DIR",
        );
    }
    let first = format!("{error:#}");
    let mut message = format!("the gateway cannot start: {first}");
    let mistakes = mistakes(paths, config).await;
    for also in mistakes.iter().filter(|also| !also.ends_with(&first)) {
        message.push_str(&format!("\nalso: {also}"));
    }
    let failure = Failure::new(message);
    if error.chain().any(is_taken) {
        return failure.hint("`[listen]` in postern.toml says where: data and admin");
    }
    if mistakes.is_empty() {
        // A disk that is full, say: nothing that `check` could see.
        return failure;
    }
    failure.hint("`postern check` shows all of this without starting anything")
}

/// Whether somebody else listens where the gateway should.
fn is_taken(cause: &(dyn std::error::Error + 'static)) -> bool {
    let io: Option<&std::io::Error> = cause.downcast_ref();
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::AddrInUse)
}

/// The signals that stop the gateway.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn new() -> Outcome<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    pub(super) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// What is said at a level that was asked for.
fn filter(level: &str) -> EnvFilter {
    EnvFilter::try_new(format!("{QUIET},{level}")).unwrap_or_else(|_| EnvFilter::new("info"))
}

/// Diagnostics go to standard error. Called once; a second call changes nothing.
fn diagnostics(config: &Config) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter(&config.log.level))
        .with_writer(std::io::stderr);
    let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::io::IsTerminal::is_terminal(&std::io::stderr());
    let _ = match config.log.format {
        LogFormat::Text => builder.with_ansi(colours).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_speak_when_they_are_named() {
        let debug = filter("debug").to_string();
        assert!(
            debug.contains("sqlx=warn") && debug.ends_with("debug"),
            "{debug}"
        );
        let named = filter("info,sqlx=debug").to_string();
        assert!(
            named.contains("sqlx=debug") && !named.contains("sqlx=warn"),
            "{named}"
        );
    }
}
