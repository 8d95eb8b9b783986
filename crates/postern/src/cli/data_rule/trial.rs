//! `postern data-rule test`: what a rule would do to a file.
//!
//! The file is read and cleaned in this process, by the code that cleans traffic. The file is the
//! user's own, so what was found in it may be shown to them.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use postern_inspect::{Exchange, InspectError, Preview, RuleSet, preview, preview_exchange};
use postern_types::{DataAction, DataRule, Direction, EnvName, Finding, RuleName, UpstreamKind};
use serde::Serialize;

use super::super::Globals;
use super::super::failure::{Failure, Outcome};
use super::super::output::{Out, style};
use super::super::records;
use super::super::values::{self, Listed};
use super::diff::{self, Line};
use super::options::{Said, Way};
use crate::data_rules;

/// Bytes of a file that is tried. Bodies of requests are seldom larger.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Show what a rule would do to a file.
#[derive(Debug, Args)]
pub(in crate::cli) struct Test {
    /// A body: text or JSON; - reads standard input
    file: PathBuf,
    /// Read it as this content type [default: told from the file: JSON, lines of JSON, or text]
    #[arg(long = "type", value_name = "TYPE")]
    content_type: Option<String>,
    /// Read it as a body of this kind of AI upstream: a request, an answer or a recorded stream,
    /// as --direction says
    #[arg(long, value_name = "KIND",
        value_parser = Listed::new(UpstreamKind::parse, values::dialects),
        conflicts_with_all = ["content_type", "fields"])]
    dialect: Option<UpstreamKind>,
    /// The path of its request as the provider sees it, such as /v1/responses [default: told from
    /// the body]
    #[arg(long, value_name = "PATH", requires = "dialect")]
    path: Option<String>,
    /// The environment of a rule that is there
    #[arg(long, value_parser = EnvName::parse, requires = "rule")]
    env: Option<EnvName>,
    /// A rule that is there, instead of one spelt with the options below
    #[arg(long, value_name = "NAME", value_parser = RuleName::parse, requires = "env",
        conflicts_with_all = ["classes", "action", "patterns", "words", "fields"])]
    rule: Option<RuleName>,
    #[command(flatten)]
    said: Box<Said>,
}

/// What became of the file, for scripts.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    /// `unchanged`, `changed`, `blocked` or `cannot_inspect`; `refused` for what a gateway refuses
    /// under any rule.
    outcome: &'static str,
    direction: Direction,
    findings: &'a [Finding],
    /// The text that would go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    /// Why none would.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

impl Test {
    pub(in crate::cli) async fn run(self, globals: &Globals, out: &mut Out) -> Outcome {
        let text = read(&self.file)?;
        let rule = self.rule(globals).await?;
        let direction = self.direction(&rule)?;
        if !(rule.spec.headers.is_empty() && rule.spec.query.is_empty()) {
            out.aside("headers and query parameters are not tried: only what stands in the file");
        }
        if self.dialect.is_some() && !rule.spec.fields.is_empty() {
            out.aside("fields are not tried: they are for plain HTTP upstreams");
        }
        let compiled =
            RuleSet::compile(&[rule]).map_err(|error| Failure::new(error.to_string()))?;
        let tried = self.tried(compiled, direction, &text)?;
        let answer = Answer {
            outcome: match &tried.text {
                Ok(after) if *after == text => "unchanged",
                Ok(_) => "changed",
                Err(InspectError::DataBlocked(_)) => "blocked",
                Err(InspectError::CannotInspect(_)) => "cannot_inspect",
                Err(_) => "refused",
            },
            direction,
            findings: &tried.findings,
            text: tried.text.as_deref().ok(),
            cause: tried.text.as_ref().err().map(ToString::to_string),
        };
        out.answer(&answer, |out| show(out, &text, &tried))?;
        Ok(())
    }

    /// What becomes of the text.
    fn tried(&self, rules: RuleSet, direction: Direction, text: &str) -> Outcome<Preview> {
        let Some(kind) = self.dialect else {
            let content_type = self.content_type.as_deref();
            return Ok(preview(rules, direction, content_type, text));
        };
        if kind == UpstreamKind::Http {
            let wrong = Failure::usage("http is the kind of upstreams that are no AI provider's");
            return Err(wrong.hint("leave --dialect out, and say --type if the file does not tell"));
        }
        let exchange = Exchange {
            dialect: kind.into(),
            path: self.path.as_deref(),
        };
        preview_exchange(rules, direction, exchange, text).map_err(|error| match &self.path {
            Some(_) => Failure::usage(error.to_string())
                .hint("say --path as the provider sees it, such as /v1/chat/completions"),
            None => Failure::usage(format!(
                "whether this is a {} of one operation or another cannot be told from the file",
                direction.as_str()
            ))
            .hint("say --path, such as /v1/responses or /v1/embeddings"),
        })
    }

    async fn rule(&self, globals: &Globals) -> Outcome<DataRule> {
        let (name, spec) = match (&self.env, &self.rule) {
            (Some(env), Some(name)) => {
                let found = super::fetch(globals, env, name).await?;
                (name.clone(), found.rule)
            }
            _ => {
                let name = RuleName::parse("test").expect("it is a name of a rule");
                (name, self.said.rule_with(DataAction::Mask)?)
            }
        };
        let rule = data_rules::read(&name, &spec).map_err(Failure::usage)?;
        let why = "which this command does not ask: leave it out here";
        data_rules::without_analyzer(&rule, why).map_err(Failure::usage)?;
        Ok(rule)
    }

    /// The direction that was said, or the first one that the rule is for.
    fn direction(&self, rule: &DataRule) -> Outcome<Direction> {
        let directions = &rule.spec.directions;
        let said = match self.said.direction {
            Some(Way::Request) => Some(Direction::Request),
            Some(Way::Response) => Some(Direction::Response),
            Some(Way::Both) | None => None,
        };
        match said {
            Some(way) if !directions.contains(&way) => Err(Failure::usage(format!(
                "the rule does not look at a {}",
                way.as_str()
            ))),
            Some(way) => Ok(way),
            None => directions
                .first()
                .copied()
                .ok_or_else(|| Failure::usage("the rule has no direction")),
        }
    }
}

fn show(out: &mut Out, before: &str, tried: &Preview) -> std::io::Result<()> {
    match &tried.text {
        Ok(after) if after == before => out.styled(style::GOOD, "It passes unchanged.")?,
        Ok(after) => {
            for line in diff::lines(before, after) {
                match line {
                    Line::Gap(at) => out.styled(style::FAINT, &format!("@ line {at}"))?,
                    Line::Same(text) => out.line(&format!("  {text}"))?,
                    Line::Before(text) => out.styled(style::BAD, &format!("- {text}"))?,
                    Line::After(text) => out.styled(style::GOOD, &format!("+ {text}"))?,
                }
            }
        }
        Err(error) => out.styled(style::BAD, &format!("It does not pass: {error}."))?,
    }
    if tried.findings.is_empty() {
        return out.line("Nothing was found.");
    }
    out.line("")?;
    out.table(&records::findings(&tried.findings), "Nothing was found.")?;
    let keyed =
        |finding: &Finding| matches!(finding.action, DataAction::Hash | DataAction::Pseudonym(_));
    if tried.findings.iter().any(keyed) {
        let note = "A gateway makes other hashes and placeholders, under keys of its own.";
        out.styled(style::FAINT, note)?;
    }
    Ok(())
}

fn read(file: &Path) -> Outcome<String> {
    let wrong = |what: &str| Failure::usage(format!("{} cannot be tried: {what}", file.display()));
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        let stdin = std::io::stdin().lock();
        stdin.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file)
            .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| wrong(&error.to_string()))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(wrong(&format!("it is longer than {FILE_BYTES_MAX} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| {
        wrong("it is not UTF-8")
            .hint("a gateway refuses such a body as cannot_inspect under a rule")
    })
}
