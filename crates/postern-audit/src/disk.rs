//! The few operations by which the log changes the disk, behind a trait, so that tests can make
//! each of them fail, with and without effect.
//!
//! Reading goes through `std::fs`: a wrong read is found by its hash, a wrong write must never be
//! acknowledged.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use crate::bounds::ZERO_FILL_BYTES;

/// Where the log writes.
pub trait Disk: Send + Sync {
    /// Creates a file, or empties the one that is there, for its owner only.
    ///
    /// # Errors
    /// What the operating system says.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Opens an existing file for writing.
    ///
    /// # Errors
    /// What the operating system says.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Renames a file over whatever is at `to`.
    ///
    /// # Errors
    /// What the operating system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// What the operating system says.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes names created, renamed or removed in a directory durable.
    ///
    /// # Errors
    /// What the operating system says.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
}

/// A file that the log writes.
pub trait DiskFile: Send + Sync {
    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    /// What the operating system says.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Waits until the contents, and the length, are on stable storage.
    ///
    /// # Errors
    /// What the operating system says. Never called again after it failed.
    fn sync(&self) -> io::Result<()>;

    /// Sets the length.
    ///
    /// # Errors
    /// What the operating system says.
    fn set_len(&self, bytes: u64) -> io::Result<()>;
}

/// The disk of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Box::new(options.open(path)?))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OpenOptions::new().write(true).open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }
}

impl DiskFile for File {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(self, bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        File::set_len(self, bytes)
    }
}

/// Puts `bytes` at `path` so that a crash leaves the old or the new contents, never a mixture.
pub(crate) fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let aside = path.with_added_extension("new");
    let file = disk.create(&aside)?;
    file.write_at(bytes, 0)?;
    // A crash before this sync leaves the old file; the rename makes the new one visible whole.
    file.sync()?;
    disk.rename(&aside, path)?;
    disk.sync_dir(parent(path))
}

/// Makes a file of `bytes` zeros, allocated and durable, and leaves it open.
pub(crate) fn zeroed(disk: &dyn Disk, path: &Path, bytes: u64) -> io::Result<Box<dyn DiskFile>> {
    let file = disk.create(path)?;
    let zeros = vec![0_u8; ZERO_FILL_BYTES];
    let mut offset = 0;
    while offset < bytes {
        let step = zeros
            .len()
            .min(usize::try_from(bytes - offset).unwrap_or(usize::MAX));
        file.write_at(&zeros[..step], offset)?;
        offset += step as u64;
    }
    file.sync()?;
    Ok(file)
}

/// The directory that holds `path`.
pub(crate) fn parent(path: &Path) -> &Path {
    path.parent()
        .expect("every path of the log lies in its directory")
}
