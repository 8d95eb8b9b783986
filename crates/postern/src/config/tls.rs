//! `[tls]`: the certificate of the listeners.

use std::path::{Path, PathBuf};

use super::reading::{Key, Reading, SectionKeys};
use super::units;

pub(super) const KEYS: SectionKeys = SectionKeys {
    name: "tls",
    doc: "The certificate of the data plane and of the admin API. Both keys or none. TLS 1.2 and \
          1.3, HTTP/1.1 and HTTP/2 (data plane).",
    keys: &[
        Key {
            name: "certificate",
            form: "path",
            default: None,
            doc: "PEM file with the certificate and its chain, the own one first.",
        },
        Key {
            name: "key",
            form: "path",
            default: None,
            doc: "PEM file with the private key. Nobody else may be able to read it.",
        },
    ],
};

/// The certificate of the listeners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// PEM file with the chain.
    pub certificate: PathBuf,
    /// PEM file with the private key.
    pub key: PathBuf,
}

pub(super) fn parse(reading: &mut Reading<'_>, folder: &Path) -> Option<Tls> {
    let places = ["certificate", "key"].map(|name| reading.place(&KEYS, name));
    let at = places.into_iter().flatten().map(|span| span.start).next();
    let certificate = reading.maybe(&KEYS, "certificate", units::path(folder));
    let key = reading.maybe(&KEYS, "key", units::path(folder));
    match (certificate, key) {
        (Some(certificate), Some(key)) => Some(Tls { certificate, key }),
        (None, None) => None,
        (certificate, _) => {
            let missing = if certificate.is_some() {
                "key"
            } else {
                "certificate"
            };
            reading.problem(
                at.unwrap_or(0),
                format!("tls.{missing} is missing: both or none"),
            );
            None
        }
    }
}
