//! `postern principal`: who tokens speak for.

use clap::Subcommand;
use postern_types::{EnvName, PrincipalId};

use super::Globals;
use super::admin::Admin;
use super::env::deleted;
use super::failure::{Failure, Outcome};
use super::output::{Out, style};
use super::prompt;
use super::table::{Cell, Sheet, Table, Tone};
use crate::shapes::{ChangePrincipal, NewPrincipal, Principal as Shape};

/// Principals.
#[derive(Debug, Subcommand)]
pub(super) enum Principal {
    /// Make a principal
    Create {
        /// KIND:NAME, with kind user, service, workload or agent
        #[arg(value_parser = PrincipalId::parse)]
        id: PrincipalId,
        /// Its environment
        #[arg(long, value_parser = EnvName::parse)]
        env: EnvName,
        /// Its team
        #[arg(long)]
        team: Option<String>,
        /// Its tenant
        #[arg(long)]
        tenant: Option<String>,
    },
    /// List the principals of an environment
    List {
        /// The environment
        #[arg(long, value_parser = EnvName::parse)]
        env: EnvName,
    },
    /// Show one principal
    Show {
        /// KIND:NAME
        #[arg(value_parser = PrincipalId::parse)]
        id: PrincipalId,
        /// Its environment
        #[arg(long, value_parser = EnvName::parse)]
        env: EnvName,
    },
    /// Change a principal: its team, its tenant, or whether its tokens open anything
    Update {
        /// KIND:NAME
        #[arg(value_parser = PrincipalId::parse)]
        id: PrincipalId,
        /// Its environment
        #[arg(long, value_parser = EnvName::parse)]
        env: EnvName,
        /// Its team; empty takes it away
        #[arg(long)]
        team: Option<String>,
        /// Its tenant; empty takes it away
        #[arg(long)]
        tenant: Option<String>,
        /// Refuse its tokens and end its running streams
        #[arg(long, conflicts_with = "enable")]
        disable: bool,
        /// Accept its tokens again
        #[arg(long)]
        enable: bool,
    },
    /// Delete a principal; its tokens open nothing any more
    Delete {
        /// KIND:NAME
        #[arg(value_parser = PrincipalId::parse)]
        id: PrincipalId,
        /// Its environment
        #[arg(long, value_parser = EnvName::parse)]
        env: EnvName,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

impl Principal {
    pub(super) async fn run(self, globals: &Globals, out: &mut Out) -> Outcome {
        let admin = Admin::of(globals)?;
        match self {
            Self::Create {
                id,
                env,
                team,
                tenant,
            } => {
                let body = NewPrincipal {
                    id: id.to_string(),
                    team,
                    tenant,
                };
                let made: Shape = admin.post(&list_path(&env), &body, None).await?;
                out.answer(&made, |out| {
                    out.styled(style::GOOD, &format!("principal {} is there", made.id))
                })?;
            }
            Self::List { env } => {
                let list: Vec<Shape> = admin.fetch(&list_path(&env)).await?;
                let nothing = format!("There is no principal in {env} yet.");
                out.answer(&list, |out| out.table(&table(&list), &nothing))?;
            }
            Self::Show { id, env } => {
                let found: Shape = admin.fetch(&path(&env, &id)).await?;
                out.answer(&found, |out| out.sheet(&sheet(&found)))?;
            }
            Self::Update {
                id,
                env,
                team,
                tenant,
                disable,
                enable,
            } => {
                let disabled = (disable || enable).then_some(disable);
                let change = ChangePrincipal {
                    team,
                    tenant,
                    disabled,
                };
                if change.team.is_none() && change.tenant.is_none() && disabled.is_none() {
                    return Err(Failure::usage("nothing to change was named")
                        .hint("use --team, --tenant, --disable or --enable"));
                }
                let changed: Shape = admin.patch(&path(&env, &id), &change).await?;
                out.answer(&changed, |out| out.sheet(&sheet(&changed)))?;
            }
            Self::Delete { id, env, yes } => {
                let question = format!("Delete principal {id} of {env}? Its tokens end with it.");
                prompt::confirm_loss(&question, yes)?;
                admin.delete(&path(&env, &id)).await?;
                deleted(out, "principal", id.as_str())?;
            }
        }
        Ok(())
    }
}

fn list_path(env: &EnvName) -> String {
    format!("/api/v1/environments/{env}/principals")
}

fn path(env: &EnvName, id: &PrincipalId) -> String {
    format!("{}/{id}", list_path(env))
}

fn state(principal: &Shape) -> Cell {
    if principal.disabled {
        Cell::new("disabled", Tone::Bad)
    } else {
        Cell::new("active", Tone::Good)
    }
}

fn table(list: &[Shape]) -> Table {
    let mut table = Table::new(&["PRINCIPAL", "STATE", "TEAM", "TENANT", "CREATED"]);
    for principal in list {
        table.row(vec![
            Cell::new(&principal.id, Tone::Strong),
            state(principal),
            Cell::maybe(principal.team.as_ref()),
            Cell::maybe(principal.tenant.as_ref()),
            principal.created_at.as_str().into(),
        ]);
    }
    table
}

fn sheet(principal: &Shape) -> Sheet {
    let mut sheet = Sheet::new();
    sheet.line("principal", Cell::new(&principal.id, Tone::Strong));
    sheet.line("state", state(principal));
    sheet.line("team", Cell::maybe(principal.team.as_ref()));
    sheet.line("tenant", Cell::maybe(principal.tenant.as_ref()));
    sheet.line("created", principal.created_at.as_str());
    sheet
}
