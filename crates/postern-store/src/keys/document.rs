//! The document of one domain: what stands in its file.

use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use super::{KeyDomain, KeyPurpose, KeyRingError, VersionedKey};
use crate::random::Random;

const FORMAT: u32 = 1;

/// As it stands in the file. Field order is the order in the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    format: u32,
    domain: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    installation_id: Option<String>,
    keys: BTreeMap<String, Vec<RawKey>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKey {
    version: u32,
    key: String,
}

impl Drop for RawKey {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

/// The checked form: every purpose of the domain has at least one key, versions rise.
#[derive(Clone)]
pub(super) struct Document {
    domain: KeyDomain,
    installation_id: Option<String>,
    keys: BTreeMap<KeyPurpose, Vec<VersionedKey>>,
}

impl Document {
    /// Fresh keys for a domain.
    pub(super) fn generate(domain: &KeyDomain, random: &dyn Random) -> Result<Self, KeyRingError> {
        let mut document = Self {
            domain: domain.clone(),
            installation_id: None,
            keys: BTreeMap::new(),
        };
        if *domain == KeyDomain::Installation {
            let mut id = [0; 16];
            random.fill(&mut id)?;
            document.installation_id = Some(id.iter().map(|byte| format!("{byte:02x}")).collect());
        }
        for purpose in KeyPurpose::of(domain) {
            document.add_version(*purpose, random)?;
        }
        Ok(document)
    }

    pub(super) fn add_version(
        &mut self,
        purpose: KeyPurpose,
        random: &dyn Random,
    ) -> Result<(), KeyRingError> {
        let mut key = Zeroizing::new([0; 32]);
        random.fill(&mut *key)?;
        let keys = self.keys.entry(purpose).or_default();
        let version = keys.last().map_or(0, |newest| newest.version) + 1;
        keys.push(VersionedKey { version, key });
        Ok(())
    }

    pub(super) fn domain(&self) -> &KeyDomain {
        &self.domain
    }

    pub(super) fn installation_id(&self) -> Option<&str> {
        self.installation_id.as_deref()
    }

    /// All versions, the newest last.
    pub(super) fn keys(&self, purpose: KeyPurpose) -> &[VersionedKey] {
        self.keys.get(&purpose).map_or(&[], Vec::as_slice)
    }

    pub(super) fn current(&self, purpose: KeyPurpose) -> &VersionedKey {
        self.keys(purpose)
            .last()
            .expect("each purpose of a domain has a key")
    }

    pub(super) fn to_json(&self) -> Zeroizing<Vec<u8>> {
        let keys = self.keys.iter().map(|(purpose, keys)| {
            let keys = keys.iter().map(|key| RawKey {
                version: key.version,
                key: STANDARD.encode(*key.key),
            });
            (purpose.as_str().to_owned(), keys.collect())
        });
        let raw = Raw {
            format: FORMAT,
            domain: self.domain.as_str().to_owned(),
            installation_id: self.installation_id.clone(),
            keys: keys.collect(),
        };
        // Sized before it is filled, so that no smaller copy is left behind in freed memory.
        let mut json = Zeroizing::new(Vec::with_capacity(self.json_bytes_max()));
        serde_json::to_writer_pretty(&mut *json, &raw).expect("texts and numbers always serialize");
        json.push(b'\n');
        json
    }

    fn json_bytes_max(&self) -> usize {
        512 + self
            .keys
            .values()
            .map(|keys| 64 + keys.len() * 160)
            .sum::<usize>()
    }

    /// Reads a document. `place` names it in errors; `expected` is the domain it must be of.
    pub(super) fn parse(
        json: &[u8],
        place: &str,
        expected: &KeyDomain,
    ) -> Result<Self, KeyRingError> {
        let malformed = |fault: String| KeyRingError::Malformed {
            place: place.to_owned(),
            fault,
        };
        // The parser's own message may quote the text, so only the position is told.
        let raw: Raw = serde_json::from_slice(json).map_err(|error| {
            malformed(format!("line {}, column {}", error.line(), error.column()))
        })?;
        if raw.format != FORMAT {
            return Err(malformed(format!(
                "format {} is not one that this release reads",
                raw.format
            )));
        }
        if raw.domain != expected.as_str() {
            let fault = format!(
                "it holds the keys of another domain than {}",
                expected.as_str()
            );
            return Err(malformed(fault));
        }
        let keys = parse_keys(&raw, expected).map_err(malformed)?;
        let is_id = |id: &String| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
        let id_fits = match expected {
            KeyDomain::Installation => raw.installation_id.as_ref().is_some_and(is_id),
            KeyDomain::Environment(_) => raw.installation_id.is_none(),
        };
        if !id_fits {
            return Err(malformed("the installation id does not fit".to_owned()));
        }
        Ok(Self {
            domain: expected.clone(),
            installation_id: raw.installation_id,
            keys,
        })
    }
}

type Keys = BTreeMap<KeyPurpose, Vec<VersionedKey>>;

fn parse_keys(raw: &Raw, domain: &KeyDomain) -> Result<Keys, String> {
    let purposes = KeyPurpose::of(domain);
    let stranger = raw
        .keys
        .keys()
        .find(|name| purposes.iter().all(|purpose| purpose.as_str() != *name));
    if let Some(name) = stranger {
        let name: String = name.chars().take(40).collect();
        return Err(format!("{name:?} is not a purpose of {}", domain.as_str()));
    }
    let mut keys = BTreeMap::new();
    for purpose in purposes {
        let word = purpose.as_str();
        let mut versions: Vec<VersionedKey> = Vec::new();
        for key in raw.keys.get(word).map_or(&[][..], Vec::as_slice) {
            let rises = versions.last().map_or(0, |before| before.version) < key.version;
            let bytes = Zeroizing::new(STANDARD.decode(&key.key).unwrap_or_default());
            let bytes = <[u8; 32]>::try_from(bytes.as_slice());
            let (true, Ok(bytes)) = (rises, bytes) else {
                return Err(format!(
                    "key {} of {word} is not 32 bytes in base64 with a rising version",
                    key.version
                ));
            };
            versions.push(VersionedKey {
                version: key.version,
                key: Zeroizing::new(bytes),
            });
        }
        if versions.is_empty() {
            return Err(format!("there is no key for {word}"));
        }
        keys.insert(*purpose, versions);
    }
    Ok(keys)
}

/// SECURITY: the same key in two domains, or for two purposes, undoes their separation. It happens
/// when somebody copies a file to make a new environment.
pub(super) fn refuse_shared_keys(documents: &[Document]) -> Result<(), KeyRingError> {
    let mut seen: HashMap<[u8; 32], String> = HashMap::new();
    let mut fault = None;
    for document in documents {
        for (purpose, keys) in &document.keys {
            for key in keys {
                let name = format!(
                    "{} {} of {}",
                    purpose.as_str(),
                    key.version,
                    document.domain.as_str()
                );
                if let Some(other) = seen.insert(*key.key, name.clone()) {
                    fault.get_or_insert(format!("{other} and {name} are the same key"));
                }
            }
        }
    }
    for (mut key, _) in seen {
        key.zeroize();
    }
    match fault {
        Some(fault) => Err(KeyRingError::Unsafe(fault)),
        None => Ok(()),
    }
}
