//! Recovery: the normal way to open a log, after a clean close as after a crash.
//!
//! The segments from the last signed size on are replayed. What then stands at the end and is not a
//! whole frame was never acknowledged as durable; it is cut off, and the cut becomes an entry. What
//! was certainly durable and is now unreadable, changed or gone is damage: the log stays closed,
//! unless the operator says to go on, and that becomes an entry too.
//!
//! Nothing is cut before the entry that says so is durable: see [`Repair`].

use std::path::{Path, PathBuf};

use crate::bounds::NOTE_BYTES_MAX;
use crate::checkpoint::Checkpoint;
use crate::disk::{Disk, RealDisk};
use crate::note::VerifyingKey;
use crate::options::{OpenLogError, RecoveryReport};
use crate::replay::{Replay, is_torn_beginning};
use crate::segment::Layout;

mod walk;

use walk::Walk;

/// Where to go on, and what was found.
pub(crate) struct Recovered {
    pub(crate) replay: Replay,
    pub(crate) report: RecoveryReport,
    /// To be done when the new segment, with its entries about it, is durable.
    pub(crate) repairs: Vec<Repair>,
}

/// Bytes to be cut off a segment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Repair {
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
}

pub(crate) struct Recovery<'a> {
    pub(crate) layout: &'a Layout,
    pub(crate) disk: &'a dyn Disk,
    pub(crate) key: &'a VerifyingKey,
    pub(crate) signed_size: PathBuf,
    pub(crate) accept_damage: bool,
    /// Nothing is written, renamed or removed.
    pub(crate) look_only: bool,
}

/// Says why opening the log would refuse what is in `dir`, without changing anything and without
/// its lock, so that it can be asked beside a running writer.
///
/// `signed_size` is where the signed size is kept, if not in `dir`. More is asked for here than
/// [`crate::verify`] asks of files alone: a log of one's own has entries, and a signed size.
///
/// # Errors
/// What opening would refuse with, but that the log is open elsewhere.
pub fn check_openable(
    dir: &Path,
    key: &VerifyingKey,
    signed_size: Option<&Path>,
) -> Result<(), OpenLogError> {
    let layout = Layout::new(dir);
    let missing = || OpenLogError::Missing(dir.to_owned());
    let identity = match std::fs::read_to_string(layout.identity()) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(missing()),
        read => read.map_err(OpenLogError::io("reading the log id"))?,
    };
    let log_id = crate::log::parse_identity(&identity, key.name())?;
    let recovery = Recovery {
        signed_size: signed_size.map_or_else(|| layout.signed_size(), Path::to_owned),
        layout: &layout,
        disk: &RealDisk,
        key,
        accept_damage: false,
        look_only: true,
    };
    let recovered = recovery.run()?.ok_or_else(missing)?;
    if recovered.replay.log_id != log_id {
        let what = "the segments have another log's id".to_owned();
        return Err(OpenLogError::OtherLog(what));
    }
    Ok(())
}

/// Reads a signed checkpoint from a file. `None` if there is no such file.
pub(crate) fn read_checkpoint(
    path: &Path,
    key: &VerifyingKey,
) -> std::io::Result<Option<Result<Checkpoint, String>>> {
    let note = match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
        Ok(file) if file.len() > NOTE_BYTES_MAX => return Ok(Some(Err("it is too long".into()))),
        Ok(_) => std::fs::read(path)?,
    };
    let parsed = String::from_utf8(note)
        .map_err(|_| "it is not text".to_owned())
        .and_then(|note| Checkpoint::parse(&note, key).map_err(|error| with_source(&error)));
    Ok(Some(parsed))
}

/// An error with its cause, in one line.
pub(crate) fn with_source(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

impl Recovery<'_> {
    /// Replays what is there. `None` if nothing was ever written and signed.
    pub(crate) fn run(&self) -> Result<Option<Recovered>, OpenLogError> {
        let mut damage = Vec::new();
        let signed = self.signed(&mut damage)?;
        let numbers = self.numbers_with_data()?;
        if numbers.is_empty() {
            return match (signed, damage.is_empty()) {
                (None, true) => Ok(None),
                (signed, _) => Err(OpenLogError::RolledBack {
                    signed: signed.map_or(0, |signed| signed.size()),
                    found: 0,
                }),
            };
        }
        if signed.is_none() && damage.is_empty() && self.remove_torn_beginning(&numbers)? {
            return Ok(None);
        }
        self.refuse_unless_accepted(&damage)?;
        let mut walk = Walk::new(self, &numbers, signed.as_ref())?;
        walk.all_segments()?;
        walk.finish(damage).map(Some)
    }

    /// The size that was signed last.
    fn signed(&self, damage: &mut Vec<String>) -> Result<Option<Checkpoint>, OpenLogError> {
        let read = read_checkpoint(&self.signed_size, self.key);
        match read.map_err(OpenLogError::io("reading the signed size"))? {
            None => Ok(None),
            Some(Ok(checkpoint)) => Ok(Some(checkpoint)),
            Some(Err(why)) => {
                damage.push(format!("the signed size is not to be relied on: {why}"));
                Ok(None)
            }
        }
    }

    /// Whether the only segment was cut off while its header was written. Nothing was ever in it.
    fn remove_torn_beginning(&self, numbers: &[u64]) -> Result<bool, OpenLogError> {
        let [only] = numbers else { return Ok(false) };
        let path = self.layout.segment(*only);
        if !is_torn_beginning(&path).map_err(OpenLogError::io("reading a segment"))? {
            return Ok(false);
        }
        self.remove_empty(&path)?;
        Ok(true)
    }

    fn remove_empty(&self, path: &Path) -> Result<(), OpenLogError> {
        if self.look_only {
            return Ok(());
        }
        let removed = self.disk.remove(path);
        removed.map_err(OpenLogError::io("removing an empty segment"))
    }

    fn refuse_unless_accepted(&self, damage: &[String]) -> Result<(), OpenLogError> {
        if damage.is_empty() || self.accept_damage {
            return Ok(());
        }
        Err(OpenLogError::Damaged(damage.join("; ")))
    }

    /// The segments, without a last one that was created and never begun.
    fn numbers_with_data(&self) -> Result<Vec<u64>, OpenLogError> {
        let io = OpenLogError::io("listing the segments");
        let mut numbers = self.layout.segment_numbers().map_err(io)?;
        while let Some(last) = numbers.last() {
            let path = self.layout.segment(*last);
            let bytes = std::fs::read(&path).map_err(OpenLogError::io("reading a segment"))?;
            if bytes.iter().any(|byte| *byte != 0) {
                break;
            }
            // A crash between the rename and the header left it: there is nothing to lose.
            self.remove_empty(&path)?;
            numbers.pop();
        }
        Ok(numbers)
    }
}
