//! An installation on disk: the data directory, the keys beside it, and how they are opened.
//!
//! ```text
//! postern-data/             0700
//!   postern.db              environments, upstreams, policies, tokens (digests)
//!   audit/                  the audit log
//!   run/admin.sock          the admin API for the command line
//!   run/addresses.json      where the running gateway listens
//!   postern.toml            the settings, if there are any
//! postern-keys/             0700, beside and never inside
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use postern_audit::{Log, LogOptions, Reader, RecoveryReport, SealingKeys, SigningKey};
use postern_guard::{Clock, Guard, GuardBounds, GuardParts, Histogram, LeftOpen, RingKeys};
use postern_store::{INSTALLATION, KeyRing, OpenStoreError, Store, StoreUrl, SystemRandom};

use crate::config::Config;
use crate::metrics;

/// Names the log in checkpoints, before the installation's id.
const ORIGIN: &str = "postern.audit";

/// Where an installation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The data directory.
    pub data: PathBuf,
    /// The keys directory.
    pub keys: PathBuf,
}

impl Paths {
    /// The audit log.
    #[must_use]
    pub fn audit(&self) -> PathBuf {
        self.data.join("audit")
    }

    /// What belongs to the running process.
    #[must_use]
    pub fn run(&self) -> PathBuf {
        self.data.join("run")
    }

    /// The settings, if no other file is named.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.data.join("postern.toml")
    }

    /// Where new keys would be put: the directory when nothing is in it, else their file alone.
    /// What cannot be looked into is not taken for empty.
    fn new_keys(&self) -> PathBuf {
        let nothing_inside = match std::fs::read_dir(&self.keys) {
            Ok(mut inside) => inside.next().is_none(),
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        };
        if nothing_inside {
            self.keys.clone()
        } else {
            self.keys.join(format!("{INSTALLATION}.json"))
        }
    }

    fn store(&self, config: &Config) -> Result<StoreUrl> {
        match &config.store.sqlite {
            Some(path) => Ok(StoreUrl::parse(&format!("sqlite:{}", path.display()))?),
            None => Ok(StoreUrl::in_data_dir(&self.data)),
        }
    }
}

/// The clock of the control plane.
#[must_use]
pub fn now() -> Timestamp {
    Clock::system().now()
}

/// The keys: from the keys directory, or from the environment when it holds them.
///
/// # Errors
/// When there are none, or they are refused.
pub fn open_keys(paths: &Paths) -> Result<KeyRing> {
    if std::env::var_os("POSTERN_KEYS_INSTALLATION").is_some() {
        return Ok(KeyRing::from_env()?);
    }
    Ok(KeyRing::open(&paths.keys, &paths.data)?)
}

/// The store.
///
/// # Errors
/// When there is none, or the keys are not its own.
pub async fn open_store(paths: &Paths, config: &Config, keys: &Arc<KeyRing>) -> Result<Store> {
    let random = Arc::new(SystemRandom::new());
    Ok(Store::open(&paths.store(config)?, Arc::clone(keys), random).await?)
}

/// The key that signs the audit log's checkpoints.
///
/// # Errors
/// Never for a key ring that was opened.
pub fn signing_key(keys: &KeyRing) -> Result<SigningKey> {
    let origin = format!("{ORIGIN}/{}", keys.installation_id());
    Ok(SigningKey::from_seed(&origin, &keys.audit_signing_seed())?)
}

/// The audit log for reading, bodies opened.
///
/// # Errors
/// When there is no log.
pub fn open_reader(paths: &Paths, keys: &Arc<KeyRing>) -> Result<Reader> {
    let sealing: Arc<dyn SealingKeys> = Arc::new(RingKeys::new(Arc::clone(keys)));
    Ok(Reader::open(&paths.audit(), Some(sealing))?)
}

/// Whether the audit log would open, without opening it: beside a running gateway too.
///
/// # Errors
/// As [`Installation::open`] with this log, but that it is open elsewhere.
pub fn check_log(paths: &Paths, config: &Config, keys: &KeyRing) -> Result<()> {
    let key = signing_key(keys)?.verifying_key();
    let signed_size = config.audit.signed_size_file.as_deref();
    let checked = postern_audit::check_openable(&paths.audit(), &key, signed_size);
    checked.context("the audit log cannot be opened")
}

/// An installation that is open: this process is the one that writes to it.
pub struct Installation {
    /// The stages shared by all planes, with store, keys and log inside.
    pub guard: Arc<Guard>,
    /// Reads the audit log, bodies opened.
    pub reader: Reader,
    /// What opening the audit log found.
    pub recovery: RecoveryReport,
    /// How long syncs of the audit log took.
    pub audit_syncs: Arc<Histogram>,
}

impl Installation {
    /// Makes a new installation: keys, store and audit log. It is closed again at the end of
    /// [`Installation::close`], as any other.
    ///
    /// `made` is told each place that this run filled, also when it fails: what is there then is
    /// worth nothing. A place that was filled before, or by another run, is never in it.
    ///
    /// # Errors
    /// When there is one already, or the file system refuses.
    pub async fn create(paths: &Paths, config: &Config, made: &mut Vec<PathBuf>) -> Result<Self> {
        private_dir(&paths.data)?;
        let url = paths.store(config)?;
        // Looked at first, so that a mistaken init leaves no stray keys beside a living store.
        for there in [url.path(), &paths.audit()] {
            if there.exists() {
                bail!(
                    "{} is there already: it is never written over",
                    there.display()
                );
            }
        }
        let signed_size = config.audit.signed_size_file.clone();
        let signed_size = signed_size.filter(|file| !file.exists());
        let new_keys = paths.new_keys();
        let random = Arc::new(SystemRandom::new());
        let keys = KeyRing::create(&paths.keys, &paths.data, &*random)?;
        // WHY NOT before: of two runs at once, one makes the keys, and they are not the other's.
        made.push(new_keys);
        let keys = Arc::new(keys);
        let store = Store::create(&url, Arc::clone(&keys), random, now()).await;
        if !matches!(store, Err(OpenStoreError::AlreadyThere(_))) {
            made.push(url.path().to_owned());
        }
        let store = store?;
        made.push(paths.audit());
        made.extend(signed_size);
        Self::assemble(paths, config, store, keys, true).await
    }

    /// Opens an installation for serving.
    ///
    /// # Errors
    /// When a part is missing, refused, damaged, or open elsewhere.
    pub async fn open(paths: &Paths, config: &Config) -> Result<Self> {
        let keys = Arc::new(open_keys(paths)?);
        let store = open_store(paths, config, &keys).await?;
        Self::assemble(paths, config, store, keys, false).await
    }

    async fn assemble(
        paths: &Paths,
        config: &Config,
        store: Store,
        keys: Arc<KeyRing>,
        create: bool,
    ) -> Result<Self> {
        let audit_syncs = Arc::new(metrics::sync_histogram());
        let syncs = Arc::clone(&audit_syncs);
        let options = LogOptions {
            on_sync: Some(Arc::new(move |took| syncs.add(took))),
            durability: config.audit.durability,
            create,
            segment_bytes: config.audit.segment_bytes,
            checkpoint_interval: config.audit.checkpoint_interval,
            signed_size_file: config.audit.signed_size_file.clone(),
            ..LogOptions::default()
        };
        let sealing: Arc<dyn SealingKeys> = Arc::new(RingKeys::new(Arc::clone(&keys)));
        let signing = signing_key(&keys)?;
        let dir = paths.audit();
        // Opening replays the end of the log and syncs: nothing for an asynchronous thread.
        let opening =
            tokio::task::spawn_blocking(move || Log::open(&dir, sealing, signing, options));
        let (log, recovery) = opening.await?.context("the audit log cannot be opened")?;
        let reader = open_reader(paths, &keys)?;
        let left_open = (!recovery.created).then(|| LeftOpen {
            reader: reader.clone(),
            from: recovery.last_clean_seq,
        });
        let guard = Guard::open(GuardParts {
            store,
            keys,
            log: Arc::new(log),
            clock: Clock::system(),
            durability: config.audit.durability,
            bounds: GuardBounds {
                flights_max: config.limits.requests_in_progress,
                body_bytes_max: config.limits.request_bodies_bytes,
                ..GuardBounds::default()
            },
            left_open,
        })
        .await?;
        Ok(Self {
            guard,
            reader,
            recovery,
            audit_syncs,
        })
    }

    /// Closes log and store in good order.
    ///
    /// # Errors
    /// When the log failed before or while it was closed.
    pub async fn close(&self) -> Result<()> {
        let closed = self.guard.log().close().await;
        self.guard.store().close().await;
        closed.context("the audit log was not closed in good order")?;
        Ok(())
    }
}

/// Makes a directory that only its owner may enter, or checks that it is one.
///
/// # Errors
/// When it cannot be made, or others may enter it.
pub fn private_dir(path: &Path) -> Result<()> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    let mut builder = std::fs::DirBuilder::new();
    let made = builder.recursive(true).mode(0o700).create(path);
    made.with_context(|| format!("cannot make the directory {}", path.display()))?;
    let mode = std::fs::metadata(path)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        bail!(
            "the directory {} is open to others (mode {mode:03o}): chmod 700 it first",
            path.display()
        );
    }
    Ok(())
}

/// Writes a file of this process that only its owner may read, whole or not at all.
///
/// # Errors
/// When the file system refuses.
pub fn write_private(path: &Path, content: &[u8]) -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let beside = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    let file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside);
    let mut file = file.with_context(|| format!("cannot write {}", beside.display()))?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
        .with_context(|| format!("cannot put {} into its place", path.display()))
}
