//! The writer: turns a batch of entries into one frame, and knows where the next one goes.
//!
//! Whoever holds the writer's lock writes for everybody. A frame is one write; what a crash leaves
//! of it is found by its hash.

use std::collections::HashMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use tokio::sync::oneshot;
use zstd::bulk::Compressor;

use crate::bounds::{COMPRESS_FROM_BYTES, COMPRESS_LEVEL, TILES_WAITING_MAX};
use crate::checkpoint::FrameMark;
use crate::disk::DiskFile;
use crate::entry::{AppendError, Durability, Position, Slots};
use crate::frame::{FrameBlock, FrameBuilder, FrameHeader};
use crate::leaf::{Leaf, LogNote, NO_BODY};
use crate::seal::{BlockPlace, DataKey, DomainKey, FileIdentity, SealingKeys};
use crate::segment::SegmentHeader;
use crate::shelf::{Mark, Shelf};
use crate::tree::{Hash, Tree, sha256};

/// The answer to an append.
pub(crate) type Reply = oneshot::Sender<Result<Position, AppendError>>;

/// An entry on its way into the log.
pub(crate) struct Pending {
    /// The leaf entry, behind the zero byte that its hash begins with.
    pub(crate) leaf: Vec<u8>,
    pub(crate) hash: Hash,
    pub(crate) domain: Arc<str>,
    /// Length, salt and body, as they stand in a block; empty if there is no body.
    pub(crate) item: Vec<u8>,
    pub(crate) reply: Option<(Durability, Reply)>,
    /// Given back when the entry is written.
    pub(crate) _slot: Option<Slots>,
}

impl Pending {
    /// An entry of the log's own, in the clear.
    pub(crate) fn note(note: &LogNote) -> Self {
        let header = note.encode();
        let mut leaf = vec![0];
        Leaf {
            by_caller: false,
            domain: "",
            header: header.as_bytes(),
            body_commit: &NO_BODY,
        }
        .encode(&mut leaf);
        let hash = sha256(&leaf);
        Self {
            leaf,
            hash,
            domain: Arc::default(),
            item: Vec::new(),
            reply: None,
            _slot: None,
        }
    }

    /// Bytes that it takes in a frame.
    pub(crate) fn bytes(&self) -> usize {
        self.leaf.len() + self.item.len()
    }
}

/// The keys in use for a domain: its own, and the one for the current file.
struct Sealer {
    from: DomainKey,
    key: DataKey,
}

impl Sealer {
    fn new(file: &FileIdentity, domain: &str, from: DomainKey) -> Self {
        Self {
            key: DataKey::derive(file, domain, &from),
            from,
        }
    }
}

/// What became of a batch.
#[derive(Default)]
pub(crate) struct Written {
    /// Answers to give once the writer's lock is free.
    pub(crate) answers: Vec<(Reply, Result<Position, AppendError>)>,
    /// An entry that nobody waits for could not be sealed: it is lost, so the log must stop.
    pub(crate) lost: Option<AppendError>,
}

pub(crate) struct Writer {
    shelf: Arc<Shelf>,
    keys: Arc<dyn SealingKeys>,
    file: Arc<dyn DiskFile>,
    /// The file's number on its disk.
    inode: u64,
    identity: FileIdentity,
    sealers: HashMap<String, Sealer>,
    /// Ask the key source again before the next frame.
    pub(crate) keys_stale: bool,
    /// No entry below waits for a partner in what is written.
    pub(crate) settled: u64,
    /// Answers that wait for the next sync.
    pub(crate) awaiting_sync: Vec<(Reply, Position)>,
    tree: Tree,
    chain: Hash,
    bytes: u64,
    next_frame: u32,
    /// Set while a frame is made: a panic in between leaves a state not to be gone on with.
    broken: bool,
    builder: FrameBuilder,
    compressor: Compressor<'static>,
    plain: Vec<u8>,
    packed: Vec<u8>,
}

/// Where a new writer goes on.
pub(crate) struct Continue {
    pub(crate) log_id: [u8; 16],
    pub(crate) segment: u64,
    pub(crate) tree: Tree,
    pub(crate) chain: Hash,
    pub(crate) prev_bytes: u64,
    pub(crate) settled: u64,
}

impl Writer {
    /// Begins a segment of its own: a recovered file is never written to again.
    pub(crate) fn begin(
        shelf: Arc<Shelf>,
        keys: Arc<dyn SealingKeys>,
        from: Continue,
        boot_id: [u8; 16],
    ) -> io::Result<Self> {
        let identity = FileIdentity {
            log_id: from.log_id,
            segment: from.segment,
            boot_id,
            salt: random()?,
        };
        let header = SegmentHeader {
            file: identity,
            first_seq: from.tree.size(),
            settled: from.settled,
            prev_bytes: from.prev_bytes,
            prev_hash: from.chain,
            edge: from.tree.edge().to_vec(),
        };
        let (file, bytes, chain) = begin_segment(&shelf, &header)?;
        let inode = inode(&shelf, from.segment)?;
        Ok(Self {
            shelf,
            keys,
            file,
            inode,
            identity,
            sealers: HashMap::new(),
            keys_stale: false,
            settled: from.settled,
            awaiting_sync: Vec::new(),
            tree: from.tree,
            chain,
            bytes,
            next_frame: 0,
            broken: false,
            builder: FrameBuilder::default(),
            compressor: Compressor::new(COMPRESS_LEVEL)?,
            plain: Vec::new(),
            packed: Vec::new(),
        })
    }

    pub(crate) fn mark(&self) -> Mark {
        let frames = FrameMark {
            segment: self.identity.segment,
            hash: self.chain,
        };
        Mark {
            size: self.tree.size(),
            root: self.tree.root(),
            bytes: self.bytes,
            frames,
        }
    }

    pub(crate) fn file(&self) -> &Arc<dyn DiskFile> {
        &self.file
    }

    /// Writes a batch as one frame, with which all below `settled` is. After an error the writer
    /// must not be used again; the entries still in `batch` may or may not be on disk.
    pub(crate) fn write(&mut self, batch: &mut Vec<Pending>, settled: u64) -> io::Result<Written> {
        if std::mem::replace(&mut self.broken, true) {
            return Err(io::Error::other("an earlier frame was not finished"));
        }
        let mut written = Written::default();
        self.find_keys(batch, &mut written);
        if !batch.is_empty() {
            let expected = batch.iter().map(Pending::bytes).sum::<usize>() as u64;
            if self.next_frame > 0 && self.bytes + expected > self.shelf.segment_bytes {
                self.rotate()?;
            }
            // Behind the rotation: the header of a segment is there before the frame is.
            self.settled = self.settled.max(settled);
            self.write_frame(batch)?;
            self.answer(batch, &mut written);
            if self.shelf.tiles.lock().len() > TILES_WAITING_MAX {
                self.sync_and_store_tiles()?;
            }
        }
        self.broken = false;
        Ok(written)
    }

    /// Makes sure that every domain in the batch has a data key; entries without one are refused.
    fn find_keys(&mut self, batch: &mut Vec<Pending>, written: &mut Written) {
        if std::mem::take(&mut self.keys_stale) {
            self.refresh_keys();
        }
        let mut sealable = |pending: &mut Pending| {
            pending.item.is_empty()
                || self.sealers.contains_key(&*pending.domain)
                || self.add_sealer(&pending.domain)
        };
        let refused = batch
            .extract_if(.., |pending| !sealable(pending))
            .collect::<Vec<_>>();
        for refused in refused {
            let reason = match self.keys.current(&refused.domain) {
                Ok(_) => "the key could not be had a moment ago".to_owned(),
                Err(error) => error.to_string(),
            };
            let error = AppendError::NoKey {
                domain: refused.domain.to_string(),
                reason: reason.into(),
            };
            match refused.reply {
                Some((_, reply)) => written.answers.push((reply, Err(error))),
                None => written.lost = Some(error),
            }
        }
    }

    fn add_sealer(&mut self, domain: &str) -> bool {
        let Ok(current) = self.keys.current(domain) else {
            return false;
        };
        self.sealers.insert(
            domain.to_owned(),
            Sealer::new(&self.identity, domain, current),
        );
        true
    }

    /// Takes up new key versions. A domain whose key cannot be had now keeps the one in use: the
    /// outcome of a request that is under way must be recorded, even if nobody can open its body.
    fn refresh_keys(&mut self) {
        for (domain, sealer) in &mut self.sealers {
            match self.keys.current(domain) {
                Ok(current) if current.version != sealer.from.version => {
                    *sealer = Sealer::new(&self.identity, domain, current);
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%domain, %error, "the sealing key in use is kept");
                }
            }
        }
    }

    fn write_frame(&mut self, batch: &[Pending]) -> io::Result<()> {
        let first_seq = self.tree.size();
        let mut full = Vec::new();
        self.builder.begin();
        for pending in batch {
            self.builder.leaf(&pending.leaf[1..], &pending.hash);
            self.tree.push(pending.hash, &mut full);
        }
        self.seal_blocks(batch, first_seq)?;
        let durable = *self.shelf.durable.lock();
        let this_segment = durable.frames.segment == self.identity.segment;
        let header = FrameHeader {
            bytes: 0,
            number: self.next_frame,
            entries: 0,
            first_seq,
            synced_bytes: if this_segment { durable.bytes } else { 0 },
            settled: self.settled,
            leaves_bytes: 0,
            blocks: 0,
            prev_hash: self.chain,
            root_after: self.tree.root(),
        };
        let wanted_spare = self.wants_spare();
        let (frame, hash) = self.builder.finish(header);
        self.file.write_at(frame, self.bytes)?;
        self.bytes += frame.len() as u64;
        if self.wants_spare() && !wanted_spare {
            // In good time: the next segment is filled with zeros while this one still has room.
            self.shelf.send_publisher(|errand| errand.spare = true);
        }
        self.chain = hash;
        self.next_frame += 1;
        if !full.is_empty() {
            self.shelf.tiles.lock().append(&mut full);
        }
        Ok(())
    }

    /// Adds one sealed block for each domain that has bodies in the batch.
    fn seal_blocks(&mut self, batch: &[Pending], first_seq: u64) -> io::Result<()> {
        let mut rest = batch
            .iter()
            .filter(|p| !p.item.is_empty())
            .collect::<Vec<_>>();
        while let Some(domain) = rest.first().map(|pending| &*pending.domain) {
            self.plain.clear();
            rest.retain(|pending| {
                let same = *pending.domain == *domain;
                if same {
                    self.plain.extend_from_slice(&pending.item);
                }
                !same
            });
            let sealer = self
                .sealers
                .get(domain)
                .expect("keys were found for the whole batch");
            let plain_bytes = u32::try_from(self.plain.len()).map_err(io::Error::other)?;
            let compressed = self.plain.len() >= COMPRESS_FROM_BYTES && {
                self.packed.clear();
                self.packed
                    .reserve(zstd::zstd_safe::compress_bound(self.plain.len()));
                self.compressor
                    .compress_to_buffer(&self.plain, &mut self.packed)?;
                self.packed.len() < self.plain.len()
            };
            let sealed = if compressed {
                &mut self.packed
            } else {
                &mut self.plain
            };
            let (frame, key_version) = (self.next_frame, sealer.from.version);
            let place = BlockPlace {
                frame,
                first_seq,
                domain,
                key_version,
                compressed,
                plain_bytes,
            };
            sealer.key.seal(&place, sealed);
            self.builder.block(&FrameBlock {
                domain,
                key_version,
                compressed,
                plain_bytes,
                sealed,
            });
        }
        Ok(())
    }

    /// Splits the answers of a written batch: now, or after the next sync.
    fn answer(&mut self, batch: &mut Vec<Pending>, written: &mut Written) {
        let first_seq = self.tree.size() - batch.len() as u64;
        for (i, pending) in batch.drain(..).enumerate() {
            let position = Position {
                seq: first_seq + i as u64,
            };
            match pending.reply {
                Some((Durability::Buffered, reply)) => {
                    written.answers.push((reply, Ok(position)));
                }
                Some((Durability::Durable, reply)) => self.awaiting_sync.push((reply, position)),
                None => {}
            }
        }
    }

    /// Goes on in a new file in good time, so that no appender has to wait for the syncs of it.
    pub(crate) fn rotate_if_nearly_full(&mut self) -> io::Result<()> {
        let nearly_full = self.shelf.segment_bytes - self.shelf.segment_bytes / 8;
        if self.next_frame == 0 || self.bytes < nearly_full || self.broken {
            return Ok(());
        }
        self.broken = true;
        self.rotate()?;
        self.broken = false;
        Ok(())
    }

    /// Goes on in a new file.
    ///
    /// A crash after the sync leaves a full segment and nothing after it; after the rename, a
    /// segment without header, which recovery removes; after the header, an empty segment; after
    /// that, zeros behind the end of the old one, which nobody reads.
    fn rotate(&mut self) -> io::Result<()> {
        // A frame in the new segment vouches for the whole of the old one, so that comes first.
        self.shelf.sync(self.file.as_ref(), self.mark())?;
        let (old, old_bytes) = (Arc::clone(&self.file), self.bytes);
        let identity = FileIdentity {
            segment: self.identity.segment + 1,
            salt: random()?,
            ..self.identity
        };
        let header = SegmentHeader {
            file: identity,
            first_seq: self.tree.size(),
            settled: self.settled,
            prev_bytes: self.bytes,
            prev_hash: self.chain,
            edge: self.tree.edge().to_vec(),
        };
        (self.file, self.bytes, self.chain) = begin_segment(&self.shelf, &header)?;
        self.identity = identity;
        self.inode = inode(&self.shelf, identity.segment)?;
        for (domain, sealer) in &mut self.sealers {
            sealer.key = DataKey::derive(&identity, domain, &sealer.from);
        }
        self.next_frame = 0;
        old.set_len(old_bytes)?;
        old.sync()
    }

    fn sync_and_store_tiles(&mut self) -> io::Result<()> {
        self.shelf.sync(self.file.as_ref(), self.mark())?;
        self.shelf.store_tiles(self.tree.size())
    }

    /// Gives back the space that was prepared and not used.
    pub(crate) fn trim(&mut self) -> io::Result<()> {
        self.file.set_len(self.bytes)?;
        self.file.sync()
    }

    /// Whether the segment's name still leads to the file that is written: an open file can be
    /// deleted or replaced without any write failing.
    pub(crate) fn is_in_place(&self) -> bool {
        let path = self.shelf.layout.segment(self.identity.segment);
        std::fs::metadata(path).is_ok_and(|file| file.ino() == self.inode)
    }

    /// Whether it is time to prepare the next segment.
    pub(crate) fn wants_spare(&self) -> bool {
        self.bytes > self.shelf.segment_bytes / 4
    }
}

/// Makes the prepared file a segment: names it, writes its header, waits until both are durable.
fn begin_segment(
    shelf: &Shelf,
    header: &SegmentHeader,
) -> io::Result<(Arc<dyn DiskFile>, u64, Hash)> {
    let file = shelf.name_spare(&shelf.layout.segment(header.file.segment))?;
    let (bytes, hash) = header.encode();
    file.write_at(&bytes, 0)?;
    file.sync()?;
    shelf.disk.sync_dir(&shelf.layout.segments())?;
    Ok((Arc::from(file), bytes.len() as u64, hash))
}

fn inode(shelf: &Shelf, segment: u64) -> io::Result<u64> {
    Ok(std::fs::metadata(shelf.layout.segment(segment))?.ino())
}

/// Random bytes from the operating system's generator.
pub(crate) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| io::Error::other("no random bytes"))?;
    Ok(bytes)
}
