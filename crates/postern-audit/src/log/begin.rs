//! Opening: lock, recover, begin a new segment, record what was found, sign.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use crate::checkpoint::FrameMark;
use crate::commit::Commit;
use crate::disk::{self, Disk};
use crate::leaf::LogNote;
use crate::note::{SigningKey, hex, unhex};
use crate::options::{LogOptions, OpenLogError, RecoveryReport};
use crate::publish::Publisher;
use crate::recover::{Recovered, Recovery, Repair};
use crate::seal::SealingKeys;
use crate::segment::Layout;
use crate::shelf::{Mark, Shelf};
use crate::tree::{EMPTY_ROOT, Tree};
use crate::writer::{Continue, Pending, Writer, random};

const IDENTITY_LINE: &str = "postern-audit 1";

/// A log that is ready to be written to.
pub(crate) struct Begun {
    pub(crate) commit: Commit,
    pub(crate) publisher: Publisher,
    pub(crate) lock: File,
    pub(crate) report: RecoveryReport,
}

/// Opens or begins a log.
pub(crate) fn begin(
    dir: &Path,
    keys: Arc<dyn SealingKeys>,
    signing: SigningKey,
    options: &LogOptions,
) -> Result<Begun, OpenLogError> {
    let layout = Layout::new(dir);
    let disk = options.disk.as_ref();
    if options.create {
        create_dirs(&layout, disk).map_err(OpenLogError::io("creating the directory"))?;
    } else if !layout.segments().is_dir() {
        return Err(OpenLogError::Missing(dir.to_owned()));
    }
    let locked = super::lock(&layout.lock()).map_err(OpenLogError::io("locking"))?;
    let lock = locked.ok_or_else(|| OpenLogError::Locked(dir.to_owned()))?;
    let log_id = identity(&layout, disk, signing.name(), options.create)?;
    let verifying = signing.verifying_key();
    let signed_size = options
        .signed_size_file
        .clone()
        .unwrap_or_else(|| layout.signed_size());
    let recovery = Recovery {
        layout: &layout,
        disk,
        key: &verifying,
        signed_size: signed_size.clone(),
        accept_damage: options.accept_damage,
        look_only: false,
    };
    let recovered = recovery.run()?;
    if recovered.is_none() && !options.create {
        return Err(OpenLogError::Missing(dir.to_owned()));
    }
    let (from, report, repairs) = starting_point(recovered, log_id)?;
    let mark = Mark {
        size: from.tree.size(),
        root: if from.tree.size() == 0 {
            EMPTY_ROOT
        } else {
            from.tree.root()
        },
        bytes: from.prev_bytes,
        frames: FrameMark {
            segment: from.segment,
            hash: from.chain,
        },
    };
    let shelf = Arc::new(Shelf::new(layout, Mark { bytes: 0, ..mark }, options));
    let writer = first_entries(&shelf, keys, from, &report)?;
    // Only now that the entries about it are durable may anything be cut off.
    repair(disk, &shelf.layout, &repairs).map_err(OpenLogError::io("cutting off a torn end"))?;
    let publisher = Publisher::begin(Arc::clone(&shelf), signing, signed_size);
    let publisher = publisher.map_err(OpenLogError::io("signing the size"))?;
    let commit = Commit::new(shelf, writer, options.linger);
    Ok(Begun {
        commit,
        publisher,
        lock,
        report,
    })
}

/// Creates the directories, for their owner only.
fn create_dirs(layout: &Layout, disk: &dyn Disk) -> std::io::Result<()> {
    if layout.segments().is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(layout.segments())?;
    disk.sync_dir(layout.dir())?;
    match layout.dir().parent() {
        Some(above) if above.is_dir() => disk.sync_dir(above),
        _ => Ok(()),
    }
}

/// Where to go on: behind what was recovered, or at nothing.
fn starting_point(
    recovered: Option<Recovered>,
    log_id: [u8; 16],
) -> Result<(Continue, RecoveryReport, Vec<Repair>), OpenLogError> {
    let Some(Recovered {
        replay,
        report,
        repairs,
    }) = recovered
    else {
        let from = Continue {
            log_id,
            segment: 0,
            tree: Tree::empty(),
            chain: [0; 32],
            prev_bytes: 0,
            settled: 0,
        };
        let report = RecoveryReport {
            created: true,
            clean: true,
            size: 0,
            last_clean_seq: 0,
            tail_cuts: Vec::new(),
            damage_accepted: None,
        };
        return Ok((from, report, Vec::new()));
    };
    if replay.log_id != log_id {
        return Err(OpenLogError::OtherLog(
            "the segments have another log's id".to_owned(),
        ));
    }
    let from = Continue {
        log_id,
        segment: replay.segment + 1,
        tree: replay.tree,
        chain: replay.chain,
        prev_bytes: replay.bytes,
        settled: report.last_clean_seq,
    };
    Ok((from, report, repairs))
}

/// Begins the segment of this boot with the entries that say how the log was found.
fn first_entries(
    shelf: &Arc<Shelf>,
    keys: Arc<dyn SealingKeys>,
    from: Continue,
    report: &RecoveryReport,
) -> Result<Writer, OpenLogError> {
    let boot = random().map_err(OpenLogError::io("drawing a boot id"))?;
    let mut notes = vec![LogNote::Opened { boot }];
    notes.extend(report.tail_cuts.iter().cloned().map(LogNote::TailCut));
    notes.extend(
        report
            .damage_accepted
            .clone()
            .map(|what| LogNote::DamageAccepted { what }),
    );
    let mut batch = notes.iter().map(Pending::note).collect::<Vec<_>>();
    let writer = Writer::begin(Arc::clone(shelf), keys, from, boot).and_then(|mut writer| {
        writer.write(&mut batch, 0)?;
        shelf.sync(writer.file().as_ref(), writer.mark())?;
        Ok(writer)
    });
    writer.map_err(OpenLogError::io("beginning a segment"))
}

fn repair(disk: &dyn Disk, layout: &Layout, repairs: &[Repair]) -> std::io::Result<()> {
    for Repair { path, bytes } in repairs {
        let file = disk.open(path)?;
        file.set_len(*bytes)?;
        file.sync()?;
    }
    disk.sync_dir(&layout.segments())
}

/// Reads the id of the log, or gives it one.
fn identity(
    layout: &Layout,
    disk: &dyn Disk,
    origin: &str,
    create: bool,
) -> Result<[u8; 16], OpenLogError> {
    let path = layout.identity();
    match std::fs::read_to_string(&path) {
        Ok(text) => parse_identity(&text, origin),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && create => {
            let io = OpenLogError::io("naming");
            let numbers = layout.segment_numbers().map_err(&io)?;
            if !numbers.is_empty() {
                return Err(OpenLogError::Damaged(
                    "there are segments, but no log id".to_owned(),
                ));
            }
            let id: [u8; 16] = random().map_err(&io)?;
            let text = format!("{IDENTITY_LINE}\n{origin}\n{}\n", hex(&id));
            disk::replace(disk, &path, text.as_bytes()).map_err(&io)?;
            Ok(id)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(OpenLogError::Missing(layout.dir().to_owned()))
        }
        Err(error) => Err(OpenLogError::io("reading the log id")(error)),
    }
}

/// Reads the text of the identity file.
pub(crate) fn parse_identity(text: &str, origin: &str) -> Result<[u8; 16], OpenLogError> {
    let lines = text.lines().collect::<Vec<_>>();
    let [IDENTITY_LINE, found, id] = lines[..] else {
        return Err(OpenLogError::Damaged(
            "the log id is not readable".to_owned(),
        ));
    };
    if found != origin {
        let what = format!("its origin is {found}, the key is of {origin}");
        return Err(OpenLogError::OtherLog(what));
    }
    unhex(id).ok_or_else(|| OpenLogError::Damaged("the log id is not readable".to_owned()))
}
