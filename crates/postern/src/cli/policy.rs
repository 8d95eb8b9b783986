//! `postern policy`: the guard-rails of an environment.

use std::io::Read;
use std::path::PathBuf;

use clap::Subcommand;
use postern_types::{EnvName, PolicyName};

use super::Globals;
use super::admin::Admin;
use super::env::deleted;
use super::escape::plain_lines;
use super::failure::{Failure, Outcome};
use super::output::{Out, style};
use super::prompt;
use super::table::{Cell, Table, Tone};
use crate::shapes::{NewPolicy, Policy as Shape};

/// Bytes of a policy text that is read.
const TEXT_BYTES_MAX: u64 = 256 * 1024;

/// Policies.
#[derive(Debug, Subcommand)]
pub(super) enum Policy {
    /// Save a policy; it is checked against the schema first
    Create {
        /// Its name
        #[arg(value_parser = PolicyName::parse)]
        name: PolicyName,
        /// Its environment
        #[arg(long, value_parser = EnvName::parse)]
        env: EnvName,
        /// The file with the Cedar text; - reads standard input
        #[arg(short, long, value_name = "FILE")]
        file: PathBuf,
    },
    /// List the policies of an environment
    List {
        /// The environment
        #[arg(long, value_parser = EnvName::parse)]
        env: EnvName,
    },
    /// Show one policy
    Show {
        /// Its name
        #[arg(value_parser = PolicyName::parse)]
        name: PolicyName,
        /// Its environment
        #[arg(long, value_parser = EnvName::parse)]
        env: EnvName,
    },
    /// Delete a policy; without any permitting policy an environment refuses everything
    Delete {
        /// Its name
        #[arg(value_parser = PolicyName::parse)]
        name: PolicyName,
        /// Its environment
        #[arg(long, value_parser = EnvName::parse)]
        env: EnvName,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

impl Policy {
    pub(super) async fn run(self, globals: &Globals, out: &mut Out) -> Outcome {
        let admin = Admin::of(globals)?;
        match self {
            Self::Create { name, env, file } => {
                let body = NewPolicy {
                    name: name.to_string(),
                    text: read(&file)?,
                };
                let made: Shape = admin.post(&list_path(&env), &body, None).await?;
                out.answer(&made, |out| {
                    out.styled(style::GOOD, &format!("policy {} holds in {env}", made.name))
                })?;
            }
            Self::List { env } => {
                let list: Vec<Shape> = admin.fetch(&list_path(&env)).await?;
                let nothing =
                    format!("Environment {env} has no policy: every request there is refused.");
                out.answer(&list, |out| out.table(&table(&list), &nothing))?;
            }
            Self::Show { name, env } => {
                let found: Shape = admin.fetch(&format!("{}/{name}", list_path(&env))).await?;
                out.answer(&found, |out| {
                    let head = format!(
                        "// policy {} of {env}, made {}",
                        found.name, found.created_at
                    );
                    out.styled(style::FAINT, &head)?;
                    out.raw(&format!("{}\n", plain_lines(found.text.trim_end())))
                })?;
            }
            Self::Delete { name, env, yes } => {
                prompt::confirm_loss(&format!("Delete policy {name} of {env}?"), yes)?;
                admin.delete(&format!("{}/{name}", list_path(&env))).await?;
                deleted(out, "policy", name.as_str())?;
                // It is done, and recorded, whatever becomes of this question.
                let left = admin.fetch::<Vec<Shape>>(&list_path(&env)).await;
                if left.is_ok_and(|left| left.is_empty()) {
                    out.warn(&format!(
                        "environment {env} has no policy now: every request there is refused"
                    ));
                }
            }
        }
        Ok(())
    }
}

fn list_path(env: &EnvName) -> String {
    format!("/api/v1/environments/{env}/policies")
}

fn read(file: &std::path::Path) -> Outcome<String> {
    let unreadable = |error: std::io::Error| {
        Failure::usage(format!(
            "the policy in {} cannot be read: {error}",
            file.display()
        ))
    };
    let mut text = String::new();
    if file == std::path::Path::new("-") {
        let stdin = std::io::stdin().lock();
        stdin
            .take(TEXT_BYTES_MAX)
            .read_to_string(&mut text)
            .map_err(unreadable)?;
    } else {
        let opened = std::fs::File::open(file).map_err(unreadable)?;
        opened
            .take(TEXT_BYTES_MAX)
            .read_to_string(&mut text)
            .map_err(unreadable)?;
    }
    Ok(text)
}

fn table(list: &[Shape]) -> Table {
    let mut table = Table::new(&["POLICY", "LINES", "CREATED"]);
    for policy in list {
        table.row(vec![
            Cell::new(&policy.name, Tone::Strong),
            policy.text.lines().count().to_string().into(),
            policy.created_at.as_str().into(),
        ]);
    }
    table
}
