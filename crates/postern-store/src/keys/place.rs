//! The directory of the keys: who may read it, and how a document gets into it whole.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::document::Document;
use super::{KeyDomain, KeyRingError};
use crate::bounds::KEY_FILE_BYTES_MAX;

const ENDING: &str = "json";
/// Held while a document is written, so that two programs do not both follow the same version.
const LOCK: &str = ".lock";

/// A directory that was found fit for keys.
pub(super) struct Place {
    dir: PathBuf,
}

impl Place {
    pub(super) fn create(dir: &Path, data_dir: &Path) -> Result<Self, KeyRingError> {
        // Judged before anything is made, so that a refused directory is not left behind.
        apart(&resolve(dir)?, &resolve(data_dir)?)?;
        if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(parent).map_err(io_error("make the directory", parent))?;
        }
        match DirBuilder::new().mode(0o700).create(dir) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(io_error("make the directory", dir)(error)),
        }
        let place = Self::open(dir, data_dir)?;
        let target = place.file_of(&KeyDomain::Installation);
        if fs::symlink_metadata(&target).is_ok() {
            return Err(KeyRingError::AlreadyThere(target.display().to_string()));
        }
        Ok(place)
    }

    pub(super) fn open(dir: &Path, data_dir: &Path) -> Result<Self, KeyRingError> {
        let metadata = match fs::symlink_metadata(dir) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(KeyRingError::Missing(dir.display().to_string()));
            }
            Err(error) => return Err(io_error("look at", dir)(error)),
        };
        if !metadata.is_dir() {
            return Err(refused(dir, "is not a directory (a link is not followed)"));
        }
        private(dir, &metadata)?;
        let dir = resolve(dir)?;
        apart(&dir, &resolve(data_dir)?)?;
        Ok(Self { dir })
    }

    pub(super) fn path(&self) -> &Path {
        &self.dir
    }

    fn file_of(&self, domain: &KeyDomain) -> PathBuf {
        self.dir.join(format!("{}.{ENDING}", domain.as_str()))
    }

    /// Every document. A file that is not one is refused: it may be a key under a wrong name.
    pub(super) fn read_all(&self) -> Result<Vec<Document>, KeyRingError> {
        let mut documents = Vec::new();
        let entries = fs::read_dir(&self.dir).map_err(io_error("list", &self.dir))?;
        for entry in entries {
            let path = entry.map_err(io_error("list", &self.dir))?.path();
            let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
            // Our lock, and what a crash left of a document that was being written.
            if name.starts_with('.') {
                continue;
            }
            let stem = name.strip_suffix(&format!(".{ENDING}"));
            let domain = stem.and_then(|stem| KeyDomain::parse(stem).ok());
            let domain = domain.ok_or_else(|| refused(&path, "is not the file of any domain"))?;
            let document = self.read(&domain)?;
            documents.extend(document);
        }
        if documents
            .iter()
            .all(|document| *document.domain() != KeyDomain::Installation)
        {
            let missing = self.file_of(&KeyDomain::Installation);
            return Err(KeyRingError::Missing(missing.display().to_string()));
        }
        Ok(documents)
    }

    fn read(&self, domain: &KeyDomain) -> Result<Option<Document>, KeyRingError> {
        let path = self.file_of(domain);
        let found = match fs::symlink_metadata(&path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error("look at", &path)(error)),
        };
        if !found.is_file() {
            return Err(refused(
                &path,
                "is not a plain file (a link is not followed)",
            ));
        }
        let file = File::open(&path).map_err(io_error("open", &path))?;
        // What was opened is judged, not what stood there before.
        let opened = file.metadata().map_err(io_error("look at", &path))?;
        if (opened.dev(), opened.ino()) != (found.dev(), found.ino()) {
            return Err(refused(&path, "was exchanged while it was opened"));
        }
        private(&path, &opened)?;
        if opened.len() > KEY_FILE_BYTES_MAX {
            return Err(refused(&path, "is too large to be keys"));
        }
        let mut json = Zeroizing::new(Vec::with_capacity(
            usize::try_from(opened.len()).expect("a bounded length fits") + 1,
        ));
        file.take(KEY_FILE_BYTES_MAX + 1)
            .read_to_end(&mut json)
            .map_err(io_error("read", &path))?;
        Document::parse(&json, &path.display().to_string(), domain).map(Some)
    }

    /// Writes the document of a domain that has none.
    pub(super) fn write_new(&self, document: &Document) -> Result<(), KeyRingError> {
        self.update(document.domain(), |there| match there {
            Some(_) => Err(KeyRingError::AlreadyThere(
                self.file_of(document.domain()).display().to_string(),
            )),
            None => Ok((document.clone(), true)),
        })
        .map(|_| ())
    }

    /// Reads the document of a domain, lets `change` make the next one of it, and puts that in its
    /// place when `change` says so. One program at a time.
    pub(super) fn update(
        &self,
        domain: &KeyDomain,
        change: impl FnOnce(Option<Document>) -> Result<(Document, bool), KeyRingError>,
    ) -> Result<Document, KeyRingError> {
        let path = self.dir.join(LOCK);
        let mut options = OpenOptions::new();
        let lock = options
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(io_error("open", &path))?;
        lock.lock().map_err(io_error("lock", &path))?;
        let (document, changed) = change(self.read(domain)?)?;
        if changed {
            self.replace(&document)?;
        }
        // The lock ends with its file.
        drop(lock);
        Ok(document)
    }

    /// Beside, synced, moved, directory synced: a crash leaves the old document or the new one.
    fn replace(&self, document: &Document) -> Result<(), KeyRingError> {
        let target = self.file_of(document.domain());
        let beside = self
            .dir
            .join(format!(".{}.new", document.domain().as_str()));
        match fs::remove_file(&beside) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io_error("remove", &beside)(error)),
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)
            .map_err(io_error("make", &beside))?;
        file.write_all(&document.to_json())
            .and_then(|()| file.sync_all())
            .map_err(io_error("write", &beside))?;
        fs::rename(&beside, &target).map_err(io_error("put in its place", &target))?;
        File::open(&self.dir)
            .and_then(|dir| dir.sync_all())
            .map_err(io_error("sync", &self.dir))
    }
}

/// SECURITY: nobody but the owner may read or write, and the owner is whoever runs the program.
fn private(path: &Path, metadata: &fs::Metadata) -> Result<(), KeyRingError> {
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        let wanted = if metadata.is_dir() { "700" } else { "600" };
        return Err(KeyRingError::Unsafe(format!(
            "{} has mode {mode:04o}, which lets others in: run `chmod {wanted} {}`",
            path.display(),
            path.display()
        )));
    }
    // Where the system tells who runs the program (Linux), the owner must be that user.
    let own = fs::metadata("/proc/self").map(|own| own.uid());
    if own.is_ok_and(|own| own != metadata.uid()) {
        return Err(refused(path, "belongs to another user"));
    }
    Ok(())
}

/// SECURITY: whoever gets a copy of the data directory must not get the keys with it.
fn apart(dir: &Path, data_dir: &Path) -> Result<(), KeyRingError> {
    if dir.starts_with(data_dir) || data_dir.starts_with(dir) {
        return Err(KeyRingError::Unsafe(format!(
            "{} and the data directory {} lie within each other: a copy of the data would hold \
             the keys",
            dir.display(),
            data_dir.display()
        )));
    }
    Ok(())
}

/// The path without links and dots, also of a directory that is not there yet.
fn resolve(path: &Path) -> Result<PathBuf, KeyRingError> {
    let absolute = std::path::absolute(path).map_err(io_error("find", path))?;
    let mut missing = Vec::new();
    let mut there = absolute.as_path();
    loop {
        match there.canonicalize() {
            Ok(mut resolved) => {
                resolved.extend(missing.iter().rev());
                return Ok(resolved);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // `..` after a directory that is not there cannot be judged.
                let (Some(name), Some(parent)) = (there.file_name(), there.parent()) else {
                    return Err(refused(path, "cannot be resolved"));
                };
                missing.push(name.to_owned());
                there = parent;
            }
            Err(error) => return Err(io_error("find", path)(error)),
        }
    }
}

fn refused(path: &Path, fault: &str) -> KeyRingError {
    KeyRingError::Unsafe(format!("{} {fault}", path.display()))
}

fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeyRingError {
    let path = path.to_owned();
    move |source| KeyRingError::Io {
        doing,
        path,
        source,
    }
}
