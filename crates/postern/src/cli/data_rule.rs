//! `postern data-rule`: what is looked for in requests and answers, and what is done about it.

mod classes;
mod diff;
mod options;
mod trial;

use clap::Subcommand;
use postern_types::{EnvName, RuleName};

use super::Globals;
use super::admin::Admin;
use super::env::deleted;
use super::failure::{Failure, Outcome};
use super::output::{Out, style};
use super::prompt;
use super::table::{Cell, Sheet, Table, Tone};
use crate::shapes::{ChangeDataRule, DataRule as Shape, DataRuleSpec, NewDataRule};
use options::{List, Said};

/// Data rules.
#[derive(Debug, Subcommand)]
pub(super) enum DataRule {
    /// Make a data rule; it holds from the next request on
    Create {
        /// Its name
        #[arg(value_parser = RuleName::parse)]
        name: RuleName,
        /// Its environment
        #[arg(long, value_parser = EnvName::parse)]
        env: EnvName,
        #[command(flatten)]
        said: Box<Said>,
    },
    /// List the data rules of an environment
    List {
        /// The environment
        #[arg(long, value_parser = EnvName::parse)]
        env: EnvName,
    },
    /// Show one data rule
    Show {
        /// Its name
        #[arg(value_parser = RuleName::parse)]
        name: RuleName,
        /// Its environment
        #[arg(long, value_parser = EnvName::parse)]
        env: EnvName,
    },
    /// Change a data rule; what is not named stays, and a list that is named is replaced
    Update {
        /// Its name
        #[arg(value_parser = RuleName::parse)]
        name: RuleName,
        /// Its environment
        #[arg(long, value_parser = EnvName::parse)]
        env: EnvName,
        /// Let it hold for every upstream of the environment
        #[arg(long, conflicts_with = "upstream")]
        every_upstream: bool,
        /// Empty these lists
        #[arg(long, value_name = "LIST,…", value_delimiter = ',')]
        clear: Vec<List>,
        #[command(flatten)]
        said: Box<Said>,
    },
    /// Delete a data rule; what it kept back passes from the next request on
    Delete {
        /// Its name
        #[arg(value_parser = RuleName::parse)]
        name: RuleName,
        /// Its environment
        #[arg(long, value_parser = EnvName::parse)]
        env: EnvName,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// List the classes of sensitive data, and by how many detectors each is found
    Classes,
    /// Show what a rule would do to a file, without a gateway and without sending anything
    Test(trial::Test),
}

impl DataRule {
    pub(super) async fn run(self, globals: &Globals, out: &mut Out) -> Outcome {
        match self {
            Self::Classes => classes::list(out)?,
            Self::Test(test) => test.run(globals, out).await?,
            Self::Create { name, env, said } => {
                let body = NewDataRule {
                    name: name.to_string(),
                    rule: said.rule()?,
                };
                let admin = Admin::of(globals)?;
                let made: Shape = admin.post(&list_path(&env), &body, None).await?;
                out.answer(&made, |out| {
                    out.styled(style::GOOD, &format!("data rule {name} holds in {env}"))?;
                    out.sheet(&sheet(&made))
                })?;
            }
            Self::List { env } => {
                let list: Vec<Shape> = Admin::of(globals)?.fetch(&list_path(&env)).await?;
                let nothing = format!("Environment {env} has no data rule: everything passes.");
                out.answer(&list, |out| out.table(&table(&list), &nothing))?;
            }
            Self::Show { name, env } => {
                let found = fetch(globals, &env, &name).await?;
                out.answer(&found, |out| out.sheet(&sheet(&found)))?;
            }
            Self::Update {
                name,
                env,
                every_upstream,
                clear,
                said,
            } => {
                let mut change = said.change()?;
                for list in clear {
                    list.clear(&mut change)?;
                }
                if every_upstream {
                    change.upstream = Some(String::new());
                }
                let changed = update(globals, &env, &name, &change).await?;
                out.answer(&changed, |out| out.sheet(&sheet(&changed)))?;
            }
            Self::Delete { name, env, yes } => {
                prompt::confirm_loss(&format!("Delete data rule {name} of {env}?"), yes)?;
                Admin::of(globals)?.delete(&path(&env, &name)).await?;
                deleted(out, "data rule", name.as_str())?;
            }
        }
        Ok(())
    }
}

async fn fetch(globals: &Globals, env: &EnvName, name: &RuleName) -> Outcome<Shape> {
    Admin::of(globals)?.fetch(&path(env, name)).await
}

async fn update(
    globals: &Globals,
    env: &EnvName,
    name: &RuleName,
    change: &ChangeDataRule,
) -> Outcome<Shape> {
    let nothing = serde_json::to_value(change).is_ok_and(|change| change == serde_json::json!({}));
    if nothing {
        return Err(Failure::usage("nothing to change was named")
            .hint("use --class, --action, --direction or another option of `data-rule create`"));
    }
    Admin::of(globals)?.patch(&path(env, name), change).await
}

fn list_path(env: &EnvName) -> String {
    format!("/api/v1/environments/{env}/data-rules")
}

fn path(env: &EnvName, name: &RuleName) -> String {
    format!("{}/{name}", list_path(env))
}

fn table(list: &[Shape]) -> Table {
    let mut table = Table::new(&["RULE", "UPSTREAM", "DIRECTION", "LOOKS FOR", "ACTION"]);
    for shape in list {
        let rule = &shape.rule;
        let every = || Cell::new("every", Tone::Faint);
        let action = if rule.dry_run {
            Cell::new(format!("{} (dry run)", rule.action), Tone::Warn)
        } else {
            rule.action.as_str().into()
        };
        table.row(vec![
            Cell::new(&shape.name, Tone::Strong),
            rule.upstream.as_deref().map_or_else(every, Cell::from),
            rule.directions.join(", ").into(),
            looks_for(rule).into(),
            action,
        ]);
    }
    table
}

/// The classes that a rule names, defines or finds by their place, each once.
fn looks_for(rule: &DataRuleSpec) -> String {
    let defined = rule.custom.iter().map(|custom| &custom.class);
    let placed = rule.fields.iter().map(|field| &field.class);
    let mut all: Vec<&str> = Vec::new();
    for class in rule.classes.iter().chain(defined).chain(placed) {
        if !all.contains(&class.as_str()) {
            all.push(class);
        }
    }
    all.join(", ")
}

fn sheet(shape: &Shape) -> Sheet {
    let rule = &shape.rule;
    let mut sheet = Sheet::new();
    sheet.line("rule", Cell::new(&shape.name, Tone::Strong));
    sheet.line("upstream", rule.upstream.as_deref().unwrap_or("every"));
    sheet.line("direction", rule.directions.join(", "));
    sheet.line("looks for", looks_for(rule));
    for custom in &rule.custom {
        let what = match &custom.pattern {
            Some(pattern) => format!("the pattern {pattern}"),
            None => format!("{} words", custom.words.len()),
        };
        sheet.line(&custom.class, what);
    }
    for field in &rule.fields {
        sheet.line("field", format!("{} is {}", field.path, field.class));
    }
    if !rule.fields.is_empty() && rule.upstream.is_none() {
        let only = "looked for at plain HTTP upstreams alone";
        sheet.line("fields", Cell::new(only, Tone::Warn));
    }
    for (name, values) in [("headers", &rule.headers), ("query", &rule.query)] {
        if !values.is_empty() {
            sheet.line(name, values.join(", "));
        }
    }
    sheet.line("action", rule.action.as_str());
    if rule.dry_run {
        let only = "it only reports what it would do";
        sheet.line("dry run", Cell::new(only, Tone::Warn));
    }
    sheet.line("confidence from", format!("{} %", rule.confidence_min));
    sheet.line("what is no text", rule.opaque.as_str());
    sheet.line("signed reasoning", rule.thinking.as_str());
    if rule.tell_client {
        sheet.line("client", "is told what was found");
    }
    sheet.line("created", shape.created_at.as_str());
    if shape.changed_at != shape.created_at {
        sheet.line("changed", shape.changed_at.as_str());
    }
    sheet
}
