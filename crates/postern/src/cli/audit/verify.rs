//! `postern audit verify`: offline, with nothing but the files and a public key.

use std::path::{Path, PathBuf};

use clap::Args;
use postern_audit::{OpenLogError, Report, VerifyingKey};
use serde::Serialize;

use super::{own_key, paths, progress_bar, read_checkpoint, show_progress};
use crate::cli::Globals;
use crate::cli::check::settings;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::output::{Out, style};
use crate::cli::table::{Cell, Sheet, Tone};
use crate::installation::Paths;
use crate::shapes::AuditProgress;

#[derive(Debug, Args)]
pub(in crate::cli) struct Verify {
    /// A checkpoint that was kept elsewhere
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// The public key to check with, or a file with it [default: of the installation's keys]
    #[arg(long, value_name = "KEY")]
    public_key: Option<String>,
    /// The log's directory [default: audit in the data directory]
    #[arg(long, value_name = "DIR")]
    log: Option<PathBuf>,
    /// The configuration, for where the signed size is kept [default: postern.toml in the data
    /// directory, if any]
    #[arg(long, value_name = "FILE", conflicts_with = "log")]
    config: Option<PathBuf>,
}

/// The answer of `verify` for scripts.
#[derive(Serialize)]
struct Verdict {
    sound: bool,
    entries: u64,
    segments: u64,
    root: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_bad_entry: Option<u64>,
    findings: Vec<String>,
    witnesses: Vec<String>,
    not_seen: Vec<String>,
}

impl Verify {
    pub(super) fn run(self, globals: &Globals, out: &mut Out) -> Outcome {
        let paths = paths(globals);
        let dir = self.log.clone().unwrap_or_else(|| paths.audit());
        if !dir.is_dir() {
            return Err(
                Failure::new(format!("there is no audit log in {}", dir.display()))
                    .hint("name the data directory with --data, or the log's with --log"),
            );
        }
        let key = self.key(&paths)?;
        let given = self
            .checkpoint
            .as_deref()
            .map(|file| read_checkpoint(file, &key));
        let given = given.transpose()?;
        let bar = progress_bar(out, "bytes");
        let report = postern_audit::verify(&dir, &key, given.as_ref(), &mut |read, of| {
            show_progress(&bar, AuditProgress { read, of });
        });
        bar.finish_and_clear();
        let mut verdict = Verdict::of(&report);
        if verdict.sound {
            verdict.missing(self.refused(&paths, &key)?);
        }
        out.answer(&verdict, |out| describe(out, &report, &verdict))?;
        if verdict.sound {
            return Ok(());
        }
        let what = match verdict.first_bad_entry {
            Some(seq) => format!("the audit log is not as it was written, from entry {seq} on"),
            None => "the audit log is not as it was written".to_owned(),
        };
        Err(Failure::new(what).hint("keep the files as they are: they are evidence"))
    }

    /// Why `serve` would refuse the installation's own log. Files alone cannot tell that nothing
    /// was taken from them; the installation knows that it keeps a signed size.
    ///
    /// # Errors
    /// When that cannot be found out.
    fn refused(&self, paths: &Paths, key: &VerifyingKey) -> Outcome<Option<String>> {
        if self.log.is_some() {
            return Ok(None);
        }
        let config = settings(self.config.as_deref(), paths)?;
        let signed_size = config.audit.signed_size_file.as_deref();
        let checked = postern_audit::check_openable(&paths.audit(), key, signed_size);
        let Err(error) = checked else {
            return Ok(None);
        };
        let found = matches!(
            error,
            OpenLogError::RolledBack { .. }
                | OpenLogError::Damaged(_)
                | OpenLogError::Missing(_)
                | OpenLogError::OtherLog(_)
        );
        let why = format!("{:#}", anyhow::Error::from(error));
        if found {
            return Ok(Some(why));
        }
        // What could not be read says nothing about the log: no alarm, and no all-clear.
        let unknown = "it cannot be said whether entries are missing";
        Err(Failure::new(format!("{why}: {unknown}"))
            .hint("the entries that are there are as they were written"))
    }

    fn key(&self, paths: &Paths) -> Outcome<VerifyingKey> {
        let Some(given) = &self.public_key else {
            return own_key(paths).map_err(|failure| {
                failure.hint(
                    "a log is checked without them too: give its public key with --public-key; \
                     `postern audit key` prints it where the keys are",
                )
            });
        };
        let text = if Path::new(given).is_file() {
            std::fs::read_to_string(given)?
        } else {
            given.clone()
        };
        VerifyingKey::parse(text.trim()).map_err(|error| {
            Failure::usage(format!("the public key does not read: {error}")).hint(
                "`postern audit key` prints it, in one line; name a file with it, or quote it",
            )
        })
    }
}

impl Verdict {
    fn of(report: &Report) -> Self {
        let witness = |witness: &postern_audit::Witness| match witness.signed {
            None => format!("{}: none", witness.kind),
            Some(size) if witness.agrees => format!("{}: agrees on {size} entries", witness.kind),
            Some(size) => format!("{}: does not agree on {size} entries", witness.kind),
        };
        Self {
            sound: report.is_sound(),
            entries: report.size,
            segments: report.segments,
            root: report
                .root
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
            first_bad_entry: report.bad.as_ref().and_then(|bad| bad.seq),
            findings: report.findings.iter().map(ToString::to_string).collect(),
            witnesses: report.witnesses.iter().map(witness).collect(),
            not_seen: report.blind_spots(),
        }
    }

    /// Adds what no replay of the files shows.
    fn missing(&mut self, refused: Option<String>) {
        let empty =
            || (self.entries == 0).then(|| "it has no entry: each log begins with one".to_owned());
        let found = refused.or_else(empty);
        self.sound &= found.is_none();
        self.findings.extend(found);
    }
}

fn describe(out: &mut Out, report: &Report, verdict: &Verdict) -> std::io::Result<()> {
    if verdict.sound {
        out.styled(
            style::GOOD,
            &format!("{} entries, all as they were written", report.size),
        )?;
    } else {
        out.styled(style::BAD, "The log is NOT as it was written")?;
    }
    let mut sheet = Sheet::new();
    for finding in &verdict.findings {
        sheet.line("found", Cell::new(finding, Tone::Bad));
    }
    sheet.line(
        "in order",
        format!("{} entries in {} files", report.size, report.segments),
    );
    sheet.line("root", verdict.root.as_str());
    for witness in &verdict.witnesses {
        sheet.line("witness", witness.as_str());
    }
    for spot in &verdict.not_seen {
        sheet.line("not seen", Cell::new(spot, Tone::Faint));
    }
    out.sheet(&sheet)
}
