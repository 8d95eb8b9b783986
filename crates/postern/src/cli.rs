//! The command line: `postern NOUN VERB`, one file a command.
//!
//! Exit codes: 0 done, 1 a check failed or the server refused, 2 the command was not used as it can
//! be. Answers go to standard output, everything else to standard error.

mod admin;
mod audit;
mod check;
mod completions;
mod data_rule;
mod demo;
mod env;
pub mod escape;
pub mod failure;
mod init;
pub mod output;
mod policy;
mod principal;
mod prompt;
mod records;
mod reference;
mod serve;
mod status;
pub mod table;
mod token;
mod upstream;
mod values;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::Styles;
use clap::builder::styling::AnsiColor;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use failure::{Failure, Outcome};
use output::Out;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default())
    .placeholder(AnsiColor::Cyan.on_default().dimmed());

/// A guarded door for API tokens: issue, scope, rotate and revoke tokens, and stand in front of AI
/// providers and HTTP backends.
#[derive(Debug, Parser)]
#[command(
    name = "postern",
    version,
    styles = STYLES,
    max_term_width = 100,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "Start with `postern demo` for a tour, or `postern init` for an installation."
)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub globals: Globals,
    #[command(subcommand)]
    command: Command,
    /// The command as it was called, without the program's name.
    #[arg(skip)]
    called: String,
}

/// What holds for every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Globals {
    /// The data directory
    #[arg(
        long,
        global = true,
        env = "POSTERN_DATA",
        hide_env_values = true,
        default_value = "postern-data"
    )]
    pub data: PathBuf,

    /// The keys directory [default: postern-keys beside the data directory]
    #[arg(
        long,
        global = true,
        env = "POSTERN_KEYS_DIR",
        hide_env_values = true,
        value_name = "DIR"
    )]
    pub keys: Option<PathBuf>,

    /// Answer in JSON, for scripts
    #[arg(long, global = true)]
    pub json: bool,

    /// The gateway to speak to; see [`command`].
    #[arg(skip)]
    pub url: Option<String>,

    /// PEM file with the certificate authority to trust for --url
    #[arg(long, global = true, value_name = "FILE")]
    pub url_ca: Option<PathBuf>,
}

/// Commands about files of this machine, which ask no gateway: `--url` would be about another
/// installation than their answer. It is not shown for them, and refused with a reason.
const LOCAL: [&str; 7] = [
    "demo",
    "init",
    "serve",
    "check",
    "audit verify",
    "audit key",
    "completions",
];
/// The id of the option that names the gateway.
const GATEWAY: &str = "gateway";

/// The whole command line.
///
/// `--url` names the gateway everywhere but in `upstream create` and `update`, where it is the
/// upstream's address and the gateway's is given before the noun. Clap cannot override a global
/// option by another of the same name, so it is added to each command that has none.
fn command() -> clap::Command {
    fn add(command: clap::Command, called: &str) -> clap::Command {
        let command = command.mut_args(values::hinted);
        let taken = command
            .get_arguments()
            .any(|argument| argument.get_long() == Some("url"));
        let command = command.mut_subcommands(|deeper| {
            let called = below(called, deeper.get_name());
            add(deeper, &called)
        });
        if taken {
            return command;
        }
        let local = LOCAL.contains(&called);
        command.arg(
            clap::Arg::new(GATEWAY)
                .long("url")
                .value_name("URL")
                .value_hint(clap::ValueHint::Other)
                .help_heading("Everywhere")
                .display_order(500)
                .hide(local)
                .help(
                    "Speak to the gateway at this address instead of the one of the data \
                     directory; the administrator's token is read from POSTERN_ADMIN_TOKEN",
                ),
        )
    }
    add(Cli::command(), "")
}

/// What a command of the command `called` is called: `audit verify`.
fn below(called: &str, name: &str) -> String {
    format!("{called} {name}").trim_start().to_owned()
}

/// Reads a command line.
fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let matches = command().try_get_matches_from(words)?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    let mut level = Some(&matches);
    while let Some(matches) = level {
        if let Ok(Some(url)) = matches.try_get_one::<String>(GATEWAY) {
            cli.globals.url = Some(url.clone());
        }
        level = matches.subcommand().map(|(name, deeper)| {
            cli.called = below(&cli.called, name);
            deeper
        });
    }
    Ok(cli)
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A guided tour on loopback with everything embedded; leaves nothing behind
    Demo(demo::Demo),
    /// Make a new installation: keys, store, audit log, first administrator
    Init(init::Init),
    /// Run the gateway and its admin API
    Serve(serve::Serve),
    /// How the running gateway is doing
    Status(status::Status),
    /// Report every mistake in the configuration and the installation at once
    Check(check::Check),
    /// Environments: isolation boundaries with keys and names of their own
    #[command(subcommand)]
    Env(env::Env),
    /// Principals: who tokens speak for
    #[command(subcommand)]
    Principal(principal::Principal),
    /// Upstreams: the named backends of an environment
    #[command(subcommand)]
    Upstream(upstream::Upstream),
    /// Policies: the guard-rails of an environment, in Cedar
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Data rules: what is masked, blocked or reported in requests and answers
    #[command(subcommand)]
    DataRule(data_rule::DataRule),
    /// Tokens: create, list, show, rotate, revoke
    #[command(subcommand)]
    Token(token::Token),
    /// The audit log: tail, search, show, verify
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Print a completion script for a shell
    Completions(completions::Completions),
    /// Print one of the generated documents
    #[command(hide = true)]
    Reference(reference::Reference),
}

impl Globals {
    /// The directory of keys.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.keys.clone().unwrap_or_else(|| keys_beside(&self.data))
    }
}

/// `postern-keys` beside, never inside, the data directory.
fn keys_beside(data: &Path) -> PathBuf {
    let absolute = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    absolute
        .parent()
        .unwrap_or(Path::new("/"))
        .join("postern-keys")
}

/// The whole program: reads the arguments, runs the command, prints, gives the exit code.
#[must_use]
pub fn main() -> ExitCode {
    crate::panics::speak_of_places_only();
    let cli = match parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, std::env::args_os().any(|word| word == "--json")),
    };
    let json = cli.globals.json;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("postern-control")
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => {
            let mut out = Out::terminal(json);
            let outcome = runtime.block_on(run(cli, &mut out));
            // A blocking read (standard input, a long scan) must not hold the exit up.
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Err(Failure::new(format!(
            "the runtime cannot be started: {error}"
        ))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if failure.is_to_be_said() {
                // Nobody reads it any more if this fails.
                let _ = writeln!(anstream::stderr(), "{}", failure.render(json));
            }
            failure.exit()
        }
    }
}

/// Clap's own answer: help and version on standard output, mistakes on standard error.
fn usage(error: &clap::Error, json: bool) -> ExitCode {
    if json && error.use_stderr() {
        let said = error.to_string();
        let (mistake, more) = said.split_once("\n\n").unwrap_or((&said, ""));
        let mistake = mistake.strip_prefix("error: ").unwrap_or(mistake);
        let failure = Failure::usage(mistake.trim()).hint(more.trim());
        let _ = writeln!(anstream::stderr(), "{}", failure.render(true));
        return failure.exit();
    }
    // The arguments are the user's own; clap quotes them as they are.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Runs one command line in this process, for the demo and for tests.
///
/// # Errors
/// As the command does.
pub async fn run_line(line: &[&str], out: &mut Out) -> Outcome {
    let words = std::iter::once(OsString::from("postern")).chain(line.iter().map(OsString::from));
    let cli = parse(words).map_err(|error| Failure::usage(error.to_string()))?;
    Box::pin(run(cli, out)).await
}

async fn run(cli: Cli, out: &mut Out) -> Outcome {
    let globals = cli.globals;
    if globals.url.is_some() && LOCAL.contains(&cli.called.as_str()) {
        let called = cli.called;
        let message =
            format!("`postern {called}` is about files of this machine: it takes no --url");
        return Err(Failure::usage(message));
    }
    match cli.command {
        Command::Demo(command) => Box::pin(command.run(out)).await,
        Command::Init(command) => command.run(&globals, out).await,
        Command::Serve(command) => command.run(&globals).await,
        Command::Status(command) => command.run(&globals, out).await,
        Command::Check(command) => command.run(&globals, out).await,
        Command::Env(command) => command.run(&globals, out).await,
        Command::Principal(command) => command.run(&globals, out).await,
        Command::Upstream(command) => command.run(&globals, out).await,
        Command::Policy(command) => command.run(&globals, out).await,
        Command::DataRule(command) => command.run(&globals, out).await,
        Command::Token(command) => command.run(&globals, out).await,
        Command::Audit(command) => command.run(&globals, out).await,
        Command::Completions(command) => command.run(out),
        Command::Reference(command) => command.run(out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn local_commands_are_commands_that_hide_the_url() {
        for called in LOCAL {
            let mut command = &command();
            for name in called.split(' ') {
                command = command
                    .find_subcommand(name)
                    .unwrap_or_else(|| panic!("{called}"));
            }
            let url = command.get_arguments().find(|it| it.get_id() == GATEWAY);
            assert!(url.unwrap().is_hide_set(), "{called}");
        }
    }

    #[test]
    fn url_names_the_gateway_but_where_it_is_the_upstreams_address() {
        let read = |line: &str| {
            parse(line.split(' ').map(OsString::from))
                .map(|cli| cli.globals.url)
                .unwrap()
        };
        let create = "upstream create o --env dev --kind http --url http://127.0.0.1:1";
        assert_eq!(read(&format!("postern {create}")), None);
        let gateway = Some("https://gw".to_owned());
        assert_eq!(read(&format!("postern --url https://gw {create}")), gateway);
        assert_eq!(read("postern token list --url https://gw"), gateway);
        assert_eq!(read("postern --url https://gw token list"), gateway);
        assert_eq!(read("postern token list"), None);
    }

    #[test]
    fn keys_are_beside_the_data_and_never_inside() {
        assert_eq!(
            keys_beside(Path::new("/srv/postern/data")),
            Path::new("/srv/postern/postern-keys")
        );
        let relative = keys_beside(Path::new("postern-data"));
        assert!(relative.ends_with("postern-keys") && relative.is_absolute());
    }
}
