//! Keys in environment variables, for places that have no disk to trust.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postern_types::{EnvName, Secret};
use zeroize::Zeroizing;

use super::document::Document;
use super::{KeyDomain, KeyRingError};

const INSTALLATION_VARIABLE: &str = "POSTERN_KEYS_INSTALLATION";
const ENVIRONMENT_PREFIX: &str = "POSTERN_KEYS_ENV_";

/// The variables of this process that may hold keys.
pub(super) fn process() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| name == INSTALLATION_VARIABLE || name.starts_with(ENVIRONMENT_PREFIX))
        // A value that is not text becomes one that does not read, and is reported by name.
        .map(|(name, value)| (name, value.into_string().unwrap_or_default()))
        .collect()
}

pub(super) fn read(
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Vec<Document>, KeyRingError> {
    let mut documents = Vec::new();
    for (name, value) in variables {
        let value = Zeroizing::new(value);
        let Some(domain) = domain_of(&name) else {
            continue;
        };
        let domain = domain.ok_or_else(|| malformed(&name, "the name names no environment"))?;
        let json = STANDARD
            .decode(value.trim())
            .map(Zeroizing::new)
            .map_err(|_| malformed(&name, "it is no file of the keys directory in base64"))?;
        documents.push(Document::parse(&json, &name, &domain)?);
    }
    if documents
        .iter()
        .all(|document| *document.domain() != KeyDomain::Installation)
    {
        return Err(KeyRingError::Missing(format!("${INSTALLATION_VARIABLE}")));
    }
    Ok(documents)
}

pub(super) fn write(document: &Document) -> (String, Secret) {
    let name = match document.domain() {
        KeyDomain::Installation => INSTALLATION_VARIABLE.to_owned(),
        KeyDomain::Environment(env) => {
            format!("{ENVIRONMENT_PREFIX}{}", env.as_str().to_ascii_uppercase())
        }
    };
    (name, Secret::from(STANDARD.encode(&*document.to_json())))
}

/// `None` when the variable is not one of ours, `Some(None)` when it names no possible environment.
fn domain_of(name: &str) -> Option<Option<KeyDomain>> {
    if name == INSTALLATION_VARIABLE {
        return Some(Some(KeyDomain::Installation));
    }
    let env = name.strip_prefix(ENVIRONMENT_PREFIX)?;
    // One spelling: the name in capitals, so that two variables never mean one environment.
    let domain = (env == env.to_ascii_uppercase())
        .then(|| EnvName::parse(&env.to_ascii_lowercase()).ok())
        .flatten()
        .filter(|env| env.as_str() != super::INSTALLATION)
        .map(KeyDomain::Environment);
    Some(domain)
}

fn malformed(name: &str, fault: &str) -> KeyRingError {
    KeyRingError::Malformed {
        place: format!("${}", name.chars().take(80).collect::<String>()),
        fault: fault.to_owned(),
    }
}
