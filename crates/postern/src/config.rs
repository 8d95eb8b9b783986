//! `postern.toml`: the start-up settings.
//!
//! One file a section, each with the table of its keys (name, form, default, meaning) and the
//! function that turns them into the checked form. The table is what the reader knows, what the
//! reference prints and what `postern check` suggests from, so that none of them can say something
//! else. Everything wrong is reported at once, with line numbers. An unknown key is an error.
//!
//! Objects (environments, upstreams, policies, tokens) are not here: they change while the gateway
//! runs, through the admin API.

mod analyzer;
mod audit;
mod limits;
mod listen;
mod log;
mod reading;
mod reference;
mod store;
mod tls;
mod trust;
mod units;

use std::path::{Path, PathBuf};

pub use analyzer::Analyzer;
pub use audit::Audit;
pub use limits::Limits;
pub use listen::Listen;
pub use log::{Log, LogFormat};
use reading::Reading;
pub use reading::{Key, Problem, SectionKeys};
pub use reference::markdown as reference;
pub use store::Store;
pub use tls::Tls;
pub use trust::Trust;
pub(crate) use units::{parse_duration, spell as spell_duration};

/// All sections, in the order of the reference.
pub const SECTIONS: [&SectionKeys; 8] = [
    &listen::KEYS,
    &tls::KEYS,
    &store::KEYS,
    &audit::KEYS,
    &trust::KEYS,
    &analyzer::KEYS,
    &limits::KEYS,
    &log::KEYS,
];

/// Bytes of a configuration file; a larger one is a mistake.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The checked settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where the gateway listens.
    pub listen: Listen,
    /// Certificates of the listeners.
    pub tls: Option<Tls>,
    /// Where the state is.
    pub store: Store,
    /// How the audit log is written.
    pub audit: Audit,
    /// Whose word is taken.
    pub trust: Trust,
    /// Who tells names, if anybody.
    pub analyzer: Option<Analyzer>,
    /// Caps and timeouts.
    pub limits: Limits,
    /// Diagnostics.
    pub log: Log,
}

/// Everything that is wrong with a configuration.
#[derive(Debug)]
pub struct Problems {
    file: PathBuf,
    list: Vec<Problem>,
}

impl Problems {
    /// What is wrong, in the order of the file.
    #[must_use]
    pub fn list(&self) -> &[Problem] {
        &self.list
    }

    /// The file that was read.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }
}

impl std::fmt::Display for Problems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (place, problem) in self.list.iter().enumerate() {
            if place > 0 {
                writeln!(f)?;
            }
            write!(
                f,
                "{}:{}: {}",
                self.file.display(),
                problem.line,
                problem.message
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl Config {
    /// Reads a file. Paths in it are relative to its folder.
    ///
    /// # Errors
    /// With everything that is wrong with it.
    pub fn read(file: &Path) -> Result<Self, Problems> {
        let refuse = |message: String| Problems {
            file: file.to_owned(),
            list: vec![Problem { line: 1, message }],
        };
        let size = std::fs::metadata(file)
            .map_err(|error| refuse(error.to_string()))?
            .len();
        if size > FILE_BYTES_MAX {
            return Err(refuse(format!(
                "the file has {size} bytes, more than {FILE_BYTES_MAX}"
            )));
        }
        let text = std::fs::read_to_string(file).map_err(|error| refuse(error.to_string()))?;
        let folder = file.parent().unwrap_or_else(|| Path::new("."));
        Self::parse(&text, folder).map_err(|list| Problems {
            file: file.to_owned(),
            list,
        })
    }

    /// The settings that hold when there is no file.
    ///
    /// # Panics
    /// Never: a test parses the empty file.
    #[must_use]
    pub fn without_file() -> Self {
        Self::parse("", Path::new(".")).expect("every key has a default or may be left out")
    }

    /// Parses the text of a file.
    ///
    /// # Errors
    /// With everything that is wrong with it, in the order of the lines.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, Vec<Problem>> {
        let mut reading = Reading::new(text, &SECTIONS);
        let tls = tls::parse(&mut reading, folder);
        let trust = trust::parse(&mut reading);
        let config = Self {
            analyzer: analyzer::parse(&mut reading, folder, trust.plain_http_upstreams),
            listen: listen::parse(&mut reading, tls.is_some()),
            tls,
            store: store::parse(&mut reading, folder),
            audit: audit::parse(&mut reading, folder),
            trust,
            limits: limits::parse(&mut reading),
            log: log::parse(&mut reading),
        };
        let problems = reading.finish();
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(problems)
        }
    }
}

#[cfg(test)]
mod tests;
