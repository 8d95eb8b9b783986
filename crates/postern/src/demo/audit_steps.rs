//! Steps 8 and 9: the audit log.

use std::path::{Path, PathBuf};

use postern_types::{AuditRecord, End, RefusalCode};
use serde_json::Value;

use super::expect;
use super::narrator::Narrator;
use super::stage::Stage;
use crate::cli::failure::{Failure, Outcome};
use crate::shapes::AuditEntry;

pub(super) async fn shows_all(
    stage: &mut Stage,
    sabotaged: bool,
    say: &mut Narrator<'_>,
) -> Outcome {
    let search = ["audit", "search", "--env", "dev", "--kind", "outcome"];
    let printed = stage.run(say, &search).await?;
    printed.ended?;
    say.answer(&printed.text)?;
    let entries: Vec<AuditEntry> = stage.ask(&["audit", "search", "--limit", "1000"]).await?;
    has_everything(stage, &entries)?;
    say.remark("Nothing a client was told is missing, and neither is what the administrator did.")?;
    let last = entries.iter().map(|entry| entry.seq).max().unwrap_or(0);
    let signed = stage.signed(last + 1).await?;
    say.remark(&format!("The newest checkpoint signs {signed} entries."))?;
    if sabotaged {
        // The log itself, while the gateway runs: what an intruder would do.
        let (file, place) = somewhere_in_the_middle(&stage.audit_log())?;
        flip(&file, place)?;
    }
    let printed = stage.run(say, &["audit", "verify"]).await?;
    say.answer(&printed.text)?;
    printed.ended
}

/// Whether the log has each thing that happened on the tour.
fn has_everything(stage: &Stage, entries: &[AuditEntry]) -> Outcome {
    let records: Vec<&AuditRecord> = entries.iter().filter_map(|e| e.record.as_deref()).collect();
    let outcome = |variable: &str, end: End, refusal: Option<RefusalCode>| {
        let id = &stage.token(variable).id;
        records.iter().any(|record| match record {
            AuditRecord::Outcome(record) => {
                let token = record.summary.token;
                token.is_some_and(|token| token.as_str() == id)
                    && record.end == end
                    && record.refusal == refusal
            }
            _ => false,
        })
    };
    let did = |action: &str, object: &str| {
        records.iter().any(|record| match record {
            AuditRecord::Admin(record) => {
                record.action == action && record.object == object && record.status == Some(200)
            }
            _ => false,
        })
    };
    let denied = Some(RefusalCode::Denied);
    let (limited, unknown) = (RefusalCode::RateLimited, RefusalCode::UnknownUpstream);
    let endless = &stage.token("ENDLESS_TOKEN").id;
    for (there, what) in [
        (outcome("TOKEN", End::Done, None), "the stream that passed"),
        (outcome("TOKEN", End::Refused, denied), "the refused model"),
        (
            outcome("PROD_TOKEN", End::Refused, Some(unknown)),
            "the other environment's attempt",
        ),
        (
            outcome("ENDLESS_TOKEN", End::Revoked, Some(RefusalCode::Revoked)),
            "the stream that was cut",
        ),
        (
            outcome("LIMITED_TOKEN", End::Refused, Some(limited)),
            "the request over the limit",
        ),
        (did("token.revoke", endless), "the revocation"),
        (
            did("environment.create", "dev"),
            "the making of the environment",
        ),
    ] {
        expect(there, || format!("the audit log does not show {what}"))?;
    }
    let intents = records
        .iter()
        .filter(|r| matches!(r, AuditRecord::Intent(_)))
        .count();
    expect(intents > 0, || "there are no intents".to_owned())
}

pub(super) async fn flipped_byte(
    stage: &mut Stage,
    sabotaged: bool,
    say: &mut Narrator<'_>,
) -> Outcome {
    let copy = stage.scratch("copy-of-the-log");
    let (from, to) = (stage.audit_log(), copy.display().to_string());
    say.command(&format!("cp -r {} {to}", from.display()))?;
    copy_folder(&from, &copy)?;
    let (file, place) = somewhere_in_the_middle(&copy)?;
    let flipped = !byte_at(&file, place)?;
    say.command(&format!(
        "printf '\\{flipped:03o}' | dd of={} bs=1 seek={place} conv=notrunc status=none",
        file.display()
    ))?;
    if !sabotaged {
        flip(&file, place)?;
    }
    let printed = stage.run(say, &["audit", "verify", "--log", &to]).await?;
    say.answer(&printed.text)?;
    let failure = match printed.ended {
        Ok(()) => return Err(Failure::new("the changed copy verifies")),
        Err(failure) => failure,
    };
    say.answer(&failure.render(false))?;
    // The same once more for its fields.
    let verdict = stage
        .verdict(&["audit", "verify", "--log", &to, "--json"])
        .await?;
    let named = verdict["first_bad_entry"].as_u64();
    expect(named.is_some(), || "the record is not named".to_owned())
}

impl Stage {
    /// The JSON of a verification that fails as it should.
    async fn verdict(&self, line: &[&str]) -> Outcome<Value> {
        let text = self.printed(line).await;
        serde_json::from_str(&text).map_err(|error| Failure::new(error.to_string()))
    }
}

/// The newest file of a log, and a byte half-way through what is written in it.
fn somewhere_in_the_middle(log: &Path) -> Outcome<(PathBuf, usize)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(log.join("segments"))? {
        let path = entry?.path();
        let written = std::fs::read(&path)?
            .iter()
            .rposition(|byte| *byte != 0)
            .unwrap_or(0);
        files.push((written, path));
    }
    let (written, file) = files
        .into_iter()
        .max()
        .ok_or_else(|| Failure::new("the log has no files"))?;
    Ok((file, written / 2))
}

fn byte_at(file: &Path, place: usize) -> Outcome<u8> {
    let bytes = std::fs::read(file)?;
    bytes
        .get(place)
        .copied()
        .ok_or_else(|| Failure::new("the file is too short"))
}

fn flip(file: &Path, place: usize) -> Outcome {
    use std::io::{Seek, SeekFrom, Write};
    let flipped = !byte_at(file, place)?;
    let mut file = std::fs::OpenOptions::new().write(true).open(file)?;
    let place = u64::try_from(place).map_err(|error| Failure::new(error.to_string()))?;
    file.seek(SeekFrom::Start(place))?;
    file.write_all(&[flipped])?;
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Outcome {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
