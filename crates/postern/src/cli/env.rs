//! `postern env`: environments.

use clap::Subcommand;
use postern_types::EnvName;

use super::admin::Admin;
use super::failure::Outcome;
use super::output::{Out, style};
use super::table::{Cell, Sheet, Table, Tone};
use super::{Globals, prompt};
use crate::shapes::{Environment, NewEnvironment};

/// Environments.
#[derive(Debug, Subcommand)]
pub(super) enum Env {
    /// Make an environment, with keys of its own and the guard-rail policy `baseline`
    Create {
        /// 1 to 16 letters and digits; a name is never used twice
        #[arg(value_parser = EnvName::parse)]
        name: EnvName,
        /// What it is for
        #[arg(long, default_value = "")]
        description: String,
        /// The longest life that its tokens may have, such as 30d
        #[arg(long, value_name = "DURATION")]
        token_ttl_max: Option<String>,
    },
    /// List environments
    List,
    /// Show one environment
    Show {
        /// Its name
        #[arg(value_parser = EnvName::parse)]
        name: EnvName,
    },
    /// Retire an environment with its policies and principals; it must have no upstreams and no
    /// live tokens
    Delete {
        /// Its name
        #[arg(value_parser = EnvName::parse)]
        name: EnvName,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

impl Env {
    pub(super) async fn run(self, globals: &Globals, out: &mut Out) -> Outcome {
        let admin = Admin::of(globals)?;
        match self {
            Self::Create {
                name,
                description,
                token_ttl_max,
            } => {
                let body = NewEnvironment {
                    name: name.to_string(),
                    description,
                    token_ttl_max,
                };
                let made: Environment = admin.post("/api/v1/environments", &body, None).await?;
                out.answer(&made, |out| {
                    out.styled(style::GOOD, &format!("environment {} is there", made.name))?;
                    out.line("It has keys of its own and one guard-rail policy, `baseline`.")?;
                    out.line(&format!(
                        "See it: postern policy show baseline --env {}",
                        made.name
                    ))
                })?;
            }
            Self::List => {
                let list: Vec<Environment> = admin.fetch("/api/v1/environments").await?;
                out.answer(&list, |out| {
                    out.table(&table(&list), "There is no environment yet.")
                })?;
            }
            Self::Show { name } => {
                let path = format!("/api/v1/environments/{name}");
                let found: Environment = admin.fetch(&path).await?;
                out.answer(&found, |out| out.sheet(&sheet(&found)))?;
            }
            Self::Delete { name, yes } => {
                let question = format!(
                    "Retire environment {name} with its policies and principals? Its name is never \
                     used again."
                );
                prompt::confirm_loss(&question, yes)?;
                admin
                    .delete(&format!("/api/v1/environments/{name}"))
                    .await?;
                deleted(out, "environment", name.as_str())?;
            }
        }
        Ok(())
    }
}

/// Says that something is gone.
pub(super) fn deleted(out: &mut Out, noun: &str, name: &str) -> std::io::Result<()> {
    let value = serde_json::json!({ "deleted": name });
    out.answer(&value, |out| {
        out.styled(style::GOOD, &format!("{noun} {name} is deleted"))
    })
}

fn table(list: &[Environment]) -> Table {
    let mut table = Table::new(&["NAME", "TOKEN LIFE", "CREATED", "DESCRIPTION"]);
    for environment in list {
        table.row(vec![
            Cell::new(&environment.name, Tone::Strong),
            Cell::maybe(environment.token_ttl_max.as_ref()),
            environment.created_at.as_str().into(),
            environment.description.as_str().into(),
        ]);
    }
    table
}

fn sheet(environment: &Environment) -> Sheet {
    let mut sheet = Sheet::new();
    sheet.line("name", Cell::new(&environment.name, Tone::Strong));
    sheet.line("description", environment.description.as_str());
    sheet.line(
        "longest token life",
        Cell::maybe(environment.token_ttl_max.as_ref()),
    );
    sheet.line("created", environment.created_at.as_str());
    sheet
}
