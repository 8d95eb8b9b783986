//! References to the secret that an upstream asks for, and how one is resolved when it is used.
//!
//! A credential is kept sealed in the store, or named: an environment variable of the gateway, or a
//! file that it can read. A named one is read each time it is resolved, so that its owner can
//! rotate it without telling the gateway.
//!
//! SECURITY: a reference is chosen by an administrator and read by the gateway, and what is read is
//! sent to the upstream's address. So it never names the gateway's own secrets: no variable that
//! starts with `POSTERN_`, and no file among the keys or the data. Anything else that the gateway
//! may read, it will: run it as a user that can read little.

use std::fmt;
use std::path::{Path, PathBuf};

use postern_types::Secret;

use crate::bounds::CREDENTIAL_BYTES_MAX;
use crate::error::StoreError;

/// What is written after `--credential`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialRef {
    /// `env:NAME`: an environment variable of the gateway.
    Env(String),
    /// `file:PATH`: a file on the gateway's machine.
    File(PathBuf),
    /// `-`: the secret itself is given apart and sealed.
    Given,
}

/// A credential to store. `Debug` does not show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewCredential {
    /// An environment variable of the gateway.
    Env(String),
    /// A file on the gateway's machine.
    File(PathBuf),
    /// The secret itself, to be sealed.
    Sealed(Secret),
}

/// Where a stored credential comes from; never the credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialSource {
    /// An environment variable of the gateway.
    Env(String),
    /// A file on the gateway's machine.
    File(PathBuf),
    /// Sealed in the store.
    Sealed,
}

impl CredentialRef {
    /// Parses a reference.
    ///
    /// # Errors
    /// When it is of no known form, of one that is not built yet, or names a secret of the gateway
    /// itself.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        if text == "-" {
            return Ok(Self::Given);
        }
        match text.split_once(':') {
            Some(("env", name)) => {
                check_variable(name)?;
                Ok(Self::Env(name.to_owned()))
            }
            Some(("file", path)) => {
                check_path(Path::new(path))?;
                Ok(Self::File(PathBuf::from(path)))
            }
            Some(("vault", _)) => Err(StoreError::invalid(
                "credentials from vault: are not built yet: use env:NAME, file:PATH or - (read \
                 from standard input and sealed)",
            )),
            // What was given may be the secret itself, so it is not repeated.
            _ => Err(StoreError::invalid(
                "a credential is given as env:NAME, file:PATH or - (read from standard input and \
                 sealed), never as the secret itself",
            )),
        }
    }

    /// The credential to store; `given` is the secret for `-`.
    ///
    /// # Errors
    /// When `-` comes without a secret, or another form with one.
    pub fn with_secret(self, given: Option<Secret>) -> Result<NewCredential, StoreError> {
        match (self, given) {
            (Self::Env(name), None) => Ok(NewCredential::Env(name)),
            (Self::File(path), None) => Ok(NewCredential::File(path)),
            (Self::Given, Some(secret)) => Ok(NewCredential::Sealed(secret)),
            (Self::Given, None) => Err(StoreError::invalid(
                "the credential - needs the secret itself: give it on standard input",
            )),
            (Self::Env(_) | Self::File(_), Some(_)) => Err(StoreError::invalid(
                "a secret was given beside a reference to one: give either",
            )),
        }
    }
}

impl fmt::Display for CredentialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Sealed => f.write_str("sealed"),
        }
    }
}

impl NewCredential {
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match self {
            Self::Env(name) => check_variable(name),
            Self::File(path) => check_path(path),
            Self::Sealed(secret) => check_secret(secret.expose())
                .map_err(|fault| StoreError::invalid(format!("the credential {fault}"))),
        }
    }
}

fn check_variable(name: &str) -> Result<(), StoreError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let first = name.bytes().next();
    if first.is_none_or(|byte| byte.is_ascii_digit())
        || !name.bytes().all(plain)
        || name.len() > 128
    {
        return Err(StoreError::invalid(
            "env: wants the name of an environment variable: letters, digits and _, at most 128",
        ));
    }
    // SECURITY: POSTERN_KEYS_… and POSTERN_ADMIN_TOKEN are never sent to an upstream.
    if name.to_ascii_uppercase().starts_with("POSTERN_") {
        return Err(StoreError::invalid(format!(
            "the variable {name} is the gateway's own and is not sent to an upstream"
        )));
    }
    Ok(())
}

fn check_path(path: &Path) -> Result<(), StoreError> {
    let text = path.to_str().unwrap_or_default();
    if !path.is_absolute() || text.len() > 4096 || text.chars().any(char::is_control) {
        return Err(StoreError::invalid(
            "file: wants the absolute path of a file on the gateway's machine",
        ));
    }
    Ok(())
}

/// What a credential must be to stand in a header: no more than that is known of it.
fn check_secret(bytes: &[u8]) -> Result<(), &'static str> {
    let visible = |byte: &u8| (0x20..0x7f).contains(byte);
    if bytes.is_empty() {
        return Err("is empty");
    }
    if bytes.len() > CREDENTIAL_BYTES_MAX {
        return Err("is longer than 8 KiB");
    }
    if !bytes.iter().all(visible) {
        return Err("holds a character that cannot stand in a header, such as a line break");
    }
    if bytes.starts_with(b" ") || bytes.ends_with(b" ") {
        return Err("starts or ends with a space");
    }
    Ok(())
}

/// Reads a named credential. No file in one of the gateway's own directories is read. Blocking.
pub(crate) fn resolve(source: &CredentialSource, own: &[PathBuf]) -> Result<Secret, StoreError> {
    let what = "read an upstream credential";
    let fault = |fault: String| StoreError::unavailable(what, fault);
    match source {
        CredentialSource::Sealed => Err(fault("it is sealed".to_owned())),
        CredentialSource::Env(name) => {
            check_variable(name)?;
            let value = std::env::var(name)
                .map_err(|_| fault(format!("the variable {name} is not set, or is not text")))?;
            let secret = Secret::from(value);
            check_secret(secret.expose())
                .map_err(|wrong| fault(format!("the value of {name} {wrong}")))?;
            Ok(secret)
        }
        CredentialSource::File(path) => read_file(path, own),
    }
}

/// One line break at the end is what editors and `echo` leave and is taken off; anything more is
/// not ours to guess about.
fn read_file(path: &Path, own: &[PathBuf]) -> Result<Secret, StoreError> {
    use std::io::Read as _;
    let what = "read an upstream credential";
    let fault =
        |fault: String| StoreError::unavailable(what, format!("{} {fault}", path.display()));
    let io = |error: std::io::Error| fault(format!("cannot be read: {error}"));
    // Links are followed (mounted secrets are links), so it is the target that is judged.
    let target = path.canonicalize().map_err(io)?;
    if own.iter().any(|own| target.starts_with(own)) {
        return Err(fault(
            "lies among the gateway's own keys or data".to_owned(),
        ));
    }
    let metadata = std::fs::metadata(&target).map_err(io)?;
    if !metadata.is_file() {
        return Err(fault("is not a file".to_owned()));
    }
    let file = std::fs::File::open(&target).map_err(io)?;
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(CREDENTIAL_BYTES_MAX + 3));
    file.take(CREDENTIAL_BYTES_MAX as u64 + 3)
        .read_to_end(&mut bytes)
        .map_err(io)?;
    let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    check_secret(line).map_err(|wrong| fault(wrong.to_owned()))?;
    Ok(Secret::new(line.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_parse_as_documented() {
        assert_eq!(CredentialRef::parse("-").unwrap(), CredentialRef::Given);
        let env = CredentialRef::parse("env:OPENAI_API_KEY").unwrap();
        assert_eq!(env, CredentialRef::Env("OPENAI_API_KEY".to_owned()));
        let file = CredentialRef::parse("file:/run/secrets/openai").unwrap();
        assert_eq!(file, CredentialRef::File("/run/secrets/openai".into()));
        let vault = CredentialRef::parse("vault:secret/openai").unwrap_err();
        assert!(vault.to_string().contains("not built yet"), "{vault}");
        for bad in [
            "",
            "env:",
            "env:A-B",
            "env:1A",
            "file:",
            "file:relative",
            "file:/a\nb",
            "ENV:A",
        ] {
            assert!(CredentialRef::parse(bad).unwrap_err().is_invalid(), "{bad}");
        }
    }

    #[test]
    fn a_secret_given_as_a_reference_is_not_repeated() {
        let refusal = CredentialRef::parse("sk-proj-123456").unwrap_err();
        assert!(!refusal.to_string().contains("123456"), "{refusal}");
    }

    #[test]
    fn the_secret_itself_comes_with_a_dash_only() {
        let secret = || Some(Secret::from("sk-1".to_owned()));
        let sealed = CredentialRef::Given.with_secret(secret()).unwrap();
        assert_eq!(sealed, NewCredential::Sealed(secret().unwrap()));
        assert!(CredentialRef::Given.with_secret(None).is_err());
        assert!(
            CredentialRef::Env("A".to_owned())
                .with_secret(secret())
                .is_err()
        );
        assert!(CredentialRef::Env("A".to_owned()).with_secret(None).is_ok());
    }
}
