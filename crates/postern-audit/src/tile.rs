//! Tiles (C2SP tlog-tiles): 256 hashes of one level to a file, written once, never changed.
//!
//! KNOWN GAP: the partial tiles and the entry bundles of that format are not written. The segments
//! hold the leaf entries; somebody who mirrors the log as static files has to make the bundles.

use std::io;
use std::path::{Path, PathBuf};

use crate::disk::{self, Disk};
use crate::tree::Hash;

/// Hashes in a full tile.
pub(crate) const TILE_WIDTH: usize = 256;

/// Tile levels that a tree of 2^64 leaves can have.
pub(crate) const TILE_LEVELS: u32 = 8;

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

    /// The bytes of the tile's file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.hashes.concat()
    }
}

/// Where a tile is stored, under the directory of the log: `tile/L/x001/x234/067`.
pub(crate) fn path(dir: &Path, level: u32, index: u64) -> PathBuf {
    let mut groups = vec![format!("{:03}", index % 1000)];
    let mut rest = index / 1000;
    while rest > 0 {
        groups.push(format!("x{:03}", rest % 1000));
        rest /= 1000;
    }
    let mut path = dir.join("tile").join(level.to_string());
    path.extend(groups.iter().rev());
    path
}

/// Stores full tiles durably: each file by rename, each directory synced once.
pub(crate) fn store(disk: &dyn Disk, dir: &Path, tiles: &[Tile]) -> io::Result<()> {
    let mut changed = std::collections::BTreeSet::new();
    for tile in tiles {
        let path = path(dir, tile.level, tile.index);
        let folder = disk::parent(&path).to_owned();
        if !folder.is_dir() {
            std::fs::create_dir_all(&folder)?;
            let above = folder
                .ancestors()
                .skip(1)
                .take_while(|above| above.starts_with(dir));
            changed.extend(above.map(Path::to_owned));
        }
        let aside = path.with_added_extension("new");
        let file = disk.create(&aside)?;
        file.write_at(&tile.bytes(), 0)?;
        file.sync()?;
        disk.rename(&aside, &path)?;
        changed.insert(folder);
    }
    changed.iter().try_for_each(|folder| disk.sync_dir(folder))
}

/// Reads a full tile, if it is there; one of another length is damage.
pub(crate) fn load(dir: &Path, level: u32, index: u64) -> io::Result<Option<Vec<Hash>>> {
    let path = path(dir, level, index);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if bytes.len() != TILE_WIDTH * 32 {
        let what = format!("tile {} has {} bytes", path.display(), bytes.len());
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    let (hashes, _) = bytes.as_chunks::<32>();
    Ok(Some(hashes.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::RealDisk;

    #[test]
    fn tiles_are_where_the_format_says() {
        let at = |level, index| path(Path::new("log"), level, index).display().to_string();
        assert_eq!(at(0, 0), "log/tile/0/000");
        assert_eq!(at(1, 999), "log/tile/1/999");
        assert_eq!(at(0, 1_234_067), "log/tile/0/x001/x234/067");
    }

    #[test]
    fn a_stored_tile_loads() {
        let dir = tempfile::tempdir().expect("a directory");
        let hashes = (0..=255).map(|i| [i; 32]).collect::<Vec<_>>();
        let tile = Tile {
            level: 2,
            index: 1007,
            hashes,
        };
        assert_eq!(tile.end(), 1008 << 24);
        assert_eq!(load(dir.path(), 2, 1007).expect("reads"), None);
        store(&RealDisk, dir.path(), std::slice::from_ref(&tile)).expect("stores");
        assert_eq!(load(dir.path(), 2, 1007).expect("reads"), Some(tile.hashes));
        std::fs::write(path(dir.path(), 2, 1007), b"short").expect("writes");
        assert!(load(dir.path(), 2, 1007).is_err());
    }
}
