//! `postern check`: every mistake at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde::Serialize;

use super::Globals;
use super::failure::{Failure, Outcome};
use super::output::{Out, style};
use crate::config::Config;
use crate::data_rules;
use crate::installation::{self, Paths};

/// Report every mistake in the configuration and the installation at once.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// The configuration [default: postern.toml in the data directory, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check the configuration only, not the installation
    #[arg(long)]
    config_only: bool,
}

#[derive(Debug, Serialize)]
struct Finding {
    /// `FILE:LINE` for the configuration, else what was looked at.
    place: String,
    message: String,
}

impl Check {
    pub(super) async fn run(self, globals: &Globals, out: &mut Out) -> Outcome {
        let paths = Paths {
            data: globals.data.clone(),
            keys: globals.keys(),
        };
        let mut findings = Vec::new();
        let config = match load(self.config.as_deref(), &paths) {
            Ok(config) => Some(config),
            Err(problems) => {
                findings.extend(problems);
                None
            }
        };
        if let Some(config) = &config {
            tls(config, &mut findings);
        }
        if !self.config_only {
            // What the configuration does not say is looked for where it is by default.
            let config = config.unwrap_or_else(Config::without_file);
            parts(&paths, &config, &mut findings).await;
        }
        out.answer(&findings, |out| {
            for finding in &findings {
                out.styled(
                    style::BAD,
                    &format!("{}: {}", finding.place, finding.message),
                )?;
            }
            if findings.is_empty() {
                out.styled(style::GOOD, "no mistakes found")?;
            }
            Ok(())
        })?;
        match findings.len() {
            0 => Ok(()),
            1 => Err(Failure::new("there is 1 mistake")),
            count => Err(Failure::new(format!("there are {count} mistakes"))),
        }
    }
}

/// The settings: of the named file, else of the data directory's, else the defaults.
fn load(named: Option<&Path>, paths: &Paths) -> Result<Config, Vec<Finding>> {
    let file = match named {
        Some(file) => file.to_owned(),
        None if paths.config().exists() => paths.config(),
        None => return Ok(Config::without_file()),
    };
    Config::read(&file).map_err(|problems| {
        let place = |line: usize| format!("{}:{line}", problems.file().display());
        let list = problems.list().iter();
        list.map(|p| Finding {
            place: place(p.line),
            message: p.message.clone(),
        })
        .collect()
    })
}

/// The same for commands that go on with the settings.
pub(super) fn settings(named: Option<&Path>, paths: &Paths) -> Outcome<Config> {
    load(named, paths).map_err(|findings| {
        let lines: Vec<String> = findings
            .iter()
            .map(|f| format!("{}: {}", f.place, f.message))
            .collect();
        Failure::new(format!(
            "the configuration has mistakes:\n{}",
            lines.join("\n")
        ))
        .hint("`postern reference config` prints every key")
    })
}

/// What is wrong with an installation, besides its settings.
pub(super) async fn mistakes(paths: &Paths, config: &Config) -> Vec<String> {
    let mut findings = Vec::new();
    parts(paths, config, &mut findings).await;
    lines(findings)
}

/// What is wrong with the files that `[tls]` names.
pub(super) fn tls_mistakes(config: &Config) -> Vec<String> {
    let mut findings = Vec::new();
    tls(config, &mut findings);
    lines(findings)
}

fn lines(findings: Vec<Finding>) -> Vec<String> {
    findings
        .into_iter()
        .map(|found| format!("{}: {}", found.place, found.message))
        .collect()
}

fn tls(config: &Config, findings: &mut Vec<Finding>) {
    let Some(tls) = &config.tls else { return };
    for (place, file) in [("tls.certificate", &tls.certificate), ("tls.key", &tls.key)] {
        if let Err(error) = std::fs::File::open(file) {
            let message = format!("{} cannot be read: {error}", file.display());
            findings.push(Finding {
                place: place.to_owned(),
                message,
            });
        }
    }
    if let Ok(metadata) = std::fs::metadata(&tls.key) {
        use std::os::unix::fs::MetadataExt;
        if metadata.mode() & 0o077 != 0 {
            let message = format!("{} can be read by others: chmod 600 it", tls.key.display());
            findings.push(Finding {
                place: "tls.key".to_owned(),
                message,
            });
        }
    }
}

/// Opens what can be opened beside a running gateway: keys, store, the audit log for reading.
async fn parts(paths: &Paths, config: &Config, findings: &mut Vec<Finding>) {
    let mut found = |place: &str, error: &dyn std::fmt::Display| {
        findings.push(Finding {
            place: place.to_owned(),
            message: error.to_string(),
        });
    };
    if !paths.data.is_dir() {
        let message = format!("{} is not there: run `postern init`", paths.data.display());
        found("data directory", &message);
        return;
    }
    let keys = match installation::open_keys(paths) {
        Ok(keys) => Arc::new(keys),
        Err(error) => {
            found("keys", &format!("{error:#}"));
            if !paths.audit().is_dir() {
                found(
                    "audit log",
                    &format!("there is none in {}", paths.audit().display()),
                );
            }
            return;
        }
    };
    match installation::open_store(paths, config, &keys).await {
        Ok(store) => {
            if config.analyzer.is_none() {
                match data_rules::unanswered(&store).await {
                    Ok(rules) => rules.iter().for_each(|rule| found("data rules", rule)),
                    Err(error) => found("data rules", &error.with_causes()),
                }
            }
            store.close().await;
        }
        Err(error) => found("store", &format!("{error:#}")),
    }
    if let Err(error) = installation::check_log(paths, config, &keys) {
        found("audit log", &format!("{error:#}"));
    }
}
