//! Where a store is, and how its file comes into being.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::OpenStoreError;

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreUrl(PathBuf);

impl StoreUrl {
    /// The embedded store of a data directory.
    #[must_use]
    pub fn in_data_dir(dir: &Path) -> Self {
        Self(dir.join("postern.db"))
    }

    /// Parses `sqlite:PATH`.
    ///
    /// # Errors
    /// When it names another database, or none.
    pub fn parse(text: &str) -> Result<Self, OpenStoreError> {
        let address = OpenStoreError::Address;
        match text.split_once(':') {
            Some(("sqlite", "" | ":memory:")) => Err(address("it names no file")),
            Some(("sqlite", path)) if path.contains('?') => {
                Err(address("it takes no parameters after ?"))
            }
            Some(("sqlite", path)) => {
                Ok(Self(PathBuf::from(path.strip_prefix("//").unwrap_or(path))))
            }
            Some(("postgres" | "postgresql", _)) => {
                Err(address("PostgreSQL is not built yet: write sqlite:PATH"))
            }
            _ => Err(address("write sqlite:PATH")),
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl std::fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sqlite:{}", self.0.display())
    }
}

/// An empty file beside the store's place, readable by its owner only, and the directory, locked:
/// to be held until the store has its name. SQLite gives its write-ahead log the mode of the
/// database, so the mode is set before it opens it.
///
/// INVARIANT: nobody makes a store here while another does. The file that is emptied below would be
/// the other's, which would go on in it, with other keys, and give the name to either.
pub(super) fn unfinished(url: &StoreUrl) -> Result<(StoreUrl, File), OpenStoreError> {
    let dir = directory(url);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(OpenStoreError::unusable)?;
    let alone = File::open(dir).map_err(OpenStoreError::unusable)?;
    match alone.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(OpenStoreError::AlreadyThere(url.clone())),
        Err(TryLockError::Error(error)) => return Err(OpenStoreError::unusable(error)),
    }
    let path = with_ending(url.path(), ".new");
    for ending in ["", "-wal", "-shm"] {
        match fs::remove_file(with_ending(&path, ending)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(OpenStoreError::unusable(error));
            }
            _ => {}
        }
    }
    let mut options = OpenOptions::new();
    options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .map_err(OpenStoreError::unusable)?;
    Ok((StoreUrl(path), alone))
}

/// Gives the finished store its name. A link, not a move: a store made meanwhile is not replaced.
pub(super) fn finish(unfinished: &StoreUrl, url: &StoreUrl) -> Result<(), OpenStoreError> {
    match fs::hard_link(unfinished.path(), url.path()) {
        Ok(()) => fs::remove_file(unfinished.path()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(OpenStoreError::AlreadyThere(url.clone()));
        }
        // A file system without links: nobody else makes a store there at this very moment.
        Err(_) => fs::rename(unfinished.path(), url.path()),
    }
    .map_err(OpenStoreError::unusable)?;
    File::open(directory(url))
        .and_then(|dir| dir.sync_all())
        .map_err(OpenStoreError::unusable)
}

/// The directory that the store is in.
fn directory(url: &StoreUrl) -> &Path {
    let dir = url.path().parent();
    dir.filter(|dir| !dir.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
