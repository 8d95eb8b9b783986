//! Tiles (C2SP tlog-tiles): 256 hashes of one level, written once, never changed.
//!
//! A file holds the 256 tiles that lie under one tile of the level above, one after the other, so
//! that a second of traffic is stored with one write and one sync instead of one of each a tile.
//!
//! KNOWN GAP: the partial tiles and the entry bundles of that format are not written, and a tile is
//! a slice of a file instead of a file. Somebody who mirrors the log as static files has to make
//! them.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::disk::{self, Disk, DiskFile};
use crate::tree::Hash;

/// Hashes in a full tile.
pub(crate) const TILE_WIDTH: usize = 256;

/// Tile levels that a tree of 2^64 leaves can have.
pub(crate) const TILE_LEVELS: u32 = 8;

/// Bytes of a full tile.
const TILE_BYTES: usize = TILE_WIDTH * 32;

/// Tiles in one file: those under one tile of the level above, 2 MiB.
const TILES_A_FILE: u64 = TILE_WIDTH as u64;

/// A full tile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tile {
    pub(crate) level: u32,
    pub(crate) index: u64,
    pub(crate) hashes: Vec<Hash>,
}

impl Tile {
    /// The number of leaves the tree has when this tile is full.
    pub(crate) fn end(&self) -> u64 {
        (self.index + 1) << (8 * (self.level + 1))
    }

    /// Which file it is in: the level, and the number of the file.
    fn place(&self) -> (u32, u64) {
        (self.level, self.index / TILES_A_FILE)
    }
}

/// The file that holds a tile, under the directory of the log: `tile/L/NNNNNNNNNN.tiles`.
pub(crate) fn path(dir: &Path, level: u32, index: u64) -> PathBuf {
    let name = format!("{:010}.tiles", index / TILES_A_FILE);
    dir.join("tile").join(level.to_string()).join(name)
}

/// Where a tile begins in its file.
fn offset(index: u64) -> u64 {
    (index % TILES_A_FILE) * TILE_BYTES as u64
}

/// Stores full tiles durably: neighbours in one write, each file and directory synced once.
///
/// A crash leaves some of them, the last perhaps in part, and nothing that a signature speaks of:
/// recovery compares every tile of the segments that it replays, and stores again what differs.
pub(crate) fn store(disk: &dyn Disk, dir: &Path, tiles: &[Tile]) -> io::Result<()> {
    let mut ordered = tiles.iter().collect::<Vec<_>>();
    ordered.sort_unstable_by_key(|tile| (tile.level, tile.index));
    let mut folders = BTreeSet::new();
    for group in ordered.chunk_by(|a, b| a.place() == b.place()) {
        let path = path(dir, group[0].level, group[0].index);
        let file = open(disk, &path)?;
        for run in group.chunk_by(|a, b| a.index + 1 == b.index) {
            let hashes = run.iter().flat_map(|tile| tile.hashes.as_flattened());
            let bytes = hashes.copied().collect::<Vec<_>>();
            file.write_at(&bytes, offset(run[0].index))?;
        }
        file.sync()?;
        // All of them, each time: who made one may have died before it was synced.
        let above = path.ancestors().skip(1);
        folders.extend(above.take_while(|f| f.starts_with(dir)).map(Path::to_owned));
    }
    folders.iter().try_for_each(|folder| disk.sync_dir(folder))
}

/// Opens a file of tiles, or begins it.
fn open(disk: &dyn Disk, path: &Path) -> io::Result<Box<dyn DiskFile>> {
    if path.is_file() {
        return disk.open(path);
    }
    std::fs::create_dir_all(disk::parent(path))?;
    disk.create(path)
}

/// Reads a full tile, if it is there whole. A file that is being written grows behind its bytes, so
/// its length says which tiles are.
pub(crate) fn load(dir: &Path, level: u32, index: u64) -> io::Result<Option<Vec<Hash>>> {
    let file = match File::open(path(dir, level, index)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if file.metadata()?.len() < offset(index) + TILE_BYTES as u64 {
        return Ok(None);
    }
    let mut hashes = vec![[0; 32]; TILE_WIDTH];
    file.read_exact_at(hashes.as_flattened_mut(), offset(index))?;
    Ok(Some(hashes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::RealDisk;

    fn tile(level: u32, index: u64) -> Tile {
        let first = index.to_be_bytes()[7];
        let hashes = (0..=255).map(|i| [i ^ first; 32]).collect();
        Tile {
            level,
            index,
            hashes,
        }
    }

    #[test]
    fn tiles_are_where_the_format_says() {
        let at = |level, index| path(Path::new("log"), level, index).display().to_string();
        assert_eq!(at(0, 0), "log/tile/0/0000000000.tiles");
        assert_eq!(at(1, 255), "log/tile/1/0000000000.tiles");
        assert_eq!(at(0, 1_234_067), "log/tile/0/0000004820.tiles");
        assert_eq!(offset(1_234_067), 147 * 8192);
    }

    #[test]
    fn stored_tiles_load() {
        // Goal: what is stored is read back, whatever the order and the files, and nothing else is
        // taken for a tile. Method: tiles of two levels and three files, stored in two goes.
        let dir = tempfile::tempdir().expect("a directory");
        let tiles = [(0, 254), (1, 0), (0, 255), (0, 256), (0, 257)];
        let tiles = tiles.map(|(level, index)| tile(level, index));
        assert_eq!(tile(2, 1007).end(), 1008 << 24);
        assert_eq!(load(dir.path(), 0, 254).expect("reads"), None);
        store(&RealDisk, dir.path(), &tiles[3..]).expect("stores");
        store(&RealDisk, dir.path(), &tiles[..3]).expect("stores");
        for tile in tiles {
            let loaded = load(dir.path(), tile.level, tile.index).expect("reads");
            assert_eq!(loaded, Some(tile.hashes), "{}/{}", tile.level, tile.index);
        }
        assert_eq!(load(dir.path(), 0, 258).expect("reads"), None);
        let path = path(dir.path(), 1, 0);
        std::fs::write(path, [7; 8191]).expect("writes");
        assert_eq!(load(dir.path(), 1, 0).expect("reads"), None, "half a tile");
    }
}
