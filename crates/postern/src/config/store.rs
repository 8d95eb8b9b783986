//! `[store]`: where environments, upstreams, policies and tokens are kept.

use std::path::{Path, PathBuf};

use super::reading::{Key, Reading, SectionKeys};
use super::units;

pub(super) const KEYS: SectionKeys = SectionKeys {
    name: "store",
    doc: "Where environments, upstreams, policies and tokens are kept.",
    keys: &[Key {
        name: "url",
        form: "`sqlite:PATH`",
        default: None,
        doc: "The database. Left out, it is `postern.db` in the data directory.",
    }],
};

/// Where the state is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Store {
    /// The database file; `None` means in the data directory.
    pub sqlite: Option<PathBuf>,
}

pub(super) fn parse(reading: &mut Reading<'_>, folder: &Path) -> Store {
    let sqlite = reading.maybe(&KEYS, "url", |value| {
        let text = units::text(value)?;
        if text.starts_with("postgres") {
            return Err("PostgreSQL is not served yet: write sqlite:PATH".to_owned());
        }
        let path = text.strip_prefix("sqlite:").filter(|path| !path.is_empty());
        let path = path.ok_or_else(|| format!("{text:?} is not a store: write sqlite:PATH"))?;
        Ok(folder.join(path))
    });
    Store { sqlite }
}
