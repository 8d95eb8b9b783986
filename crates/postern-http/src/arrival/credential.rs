//! The one credential of a request, wherever an SDK puts it.

use std::fmt;

use http::header::{AUTHORIZATION, Entry, HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use crate::strict::Fault;

/// Where a credential stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CredentialScheme {
    /// `Authorization: Bearer` (RFC 6750, section 2.1).
    Bearer,
    /// `x-api-key`: Anthropic's SDKs.
    XApiKey,
    /// `x-goog-api-key`: Google's SDKs.
    XGoogApiKey,
    /// `api-key`: Azure's SDKs.
    ApiKey,
}

impl CredentialScheme {
    /// The name of the field, in lower case.
    pub(crate) fn field(self) -> &'static str {
        match self {
            Self::Bearer => "authorization",
            Self::XApiKey => "x-api-key",
            Self::XGoogApiKey => "x-goog-api-key",
            Self::ApiKey => "api-key",
        }
    }
}

const KEY_FIELDS: [(HeaderName, CredentialScheme); 3] = [
    (X_API_KEY, CredentialScheme::XApiKey),
    (X_GOOG_API_KEY, CredentialScheme::XGoogApiKey),
    (API_KEY, CredentialScheme::ApiKey),
];
const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const X_GOOG_API_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");
const API_KEY: HeaderName = HeaderName::from_static("api-key");

/// A credential that somebody presented. Wiped when dropped, never printed.
///
/// KNOWN GAP: the connection's read buffer held the same bytes and is not wiped.
pub(crate) struct Credential {
    text: Zeroizing<String>,
    scheme: CredentialScheme,
}

impl Credential {
    /// The text, for the one place that checks it.
    pub(crate) fn expose(&self) -> &str {
        &self.text
    }

    /// Where it stood.
    pub(crate) fn scheme(&self) -> CredentialScheme {
        self.scheme
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({:?}, redacted)", self.scheme)
    }
}

/// Takes every credential out of the headers; there may be one (RFC 6750, section 2). An empty one
/// is none: SDKs send it when no key is set.
pub(super) fn take(headers: &mut HeaderMap) -> Result<Option<Credential>, Fault> {
    let mut found = Found::default();
    // Few requests carry one of these: one look at the names that came tells.
    if headers
        .keys()
        .any(|name| KEY_FIELDS.iter().any(|(field, _)| field == name))
    {
        for (name, scheme) in KEY_FIELDS {
            found.look(headers, name, |text| {
                let text = (!text.is_empty()).then(|| Zeroizing::new(text.to_owned()));
                Ok(text.map(|text| Credential { text, scheme }))
            });
        }
    }
    found.look(headers, AUTHORIZATION, |text| {
        let token = bearer(text)?;
        let scheme = CredentialScheme::Bearer;
        Ok(token.map(|text| Credential { text, scheme }))
    });
    found.only()
}

/// What stood in the fields that may carry a credential.
#[derive(Default)]
struct Found {
    credential: Option<Credential>,
    count: usize,
    fault: Option<Fault>,
}

impl Found {
    /// Takes a field out, all its values, and reads them.
    fn look(
        &mut self,
        headers: &mut HeaderMap,
        name: HeaderName,
        read: impl Fn(&str) -> Result<Option<Credential>, Fault>,
    ) {
        let Entry::Occupied(field) = headers.entry(name) else {
            return;
        };
        let (_, values) = field.remove_entry_mult();
        for value in values {
            match text(&value).and_then(|text| Ok((text.is_empty(), read(text)?))) {
                Ok((true, _)) => {}
                Ok((false, credential)) => {
                    self.count += 1;
                    self.credential = credential;
                }
                Err(fault) => self.fault = Some(fault),
            }
        }
    }

    fn only(self) -> Result<Option<Credential>, Fault> {
        match self.fault {
            Some(fault) => Err(fault),
            None if self.count > 1 => {
                Err(Fault::bad("the request carries more than one credential"))
            }
            None => Ok(self.credential),
        }
    }
}

fn text(value: &HeaderValue) -> Result<&str, Fault> {
    let text = value.to_str().map(str::trim);
    text.map_err(|_| Fault::bad("a credential is not ASCII text"))
}

/// The token of `Bearer <token>`; `None` for other schemes and for a bearer without a token.
fn bearer(value: &str) -> Result<Option<Zeroizing<String>>, Fault> {
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Ok(None);
    }
    // RFC 6750 `b64token`.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if !token.bytes().all(plain) {
        return Err(Fault::bad("the bearer token is malformed"));
    }
    Ok(Some(Zeroizing::new(token.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn take_from(fields: &[(&str, &str)]) -> Result<Option<(String, CredentialScheme)>, Fault> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        let credential = take(&mut headers);
        assert!(
            headers.is_empty(),
            "credentials are taken out whatever happens"
        );
        Ok(credential?.map(|credential| (credential.expose().to_owned(), credential.scheme())))
    }

    #[test]
    fn one_credential_is_found_wherever_an_sdk_puts_it() {
        use CredentialScheme::{ApiKey, Bearer, XApiKey, XGoogApiKey};
        let found = |scheme| Ok(Some(("t".to_owned(), scheme)));
        assert_eq!(take_from(&[("authorization", "Bearer t")]), found(Bearer));
        assert_eq!(take_from(&[("authorization", "bEARER  t")]), found(Bearer));
        assert_eq!(take_from(&[("x-api-key", "t")]), found(XApiKey));
        assert_eq!(take_from(&[("x-goog-api-key", "t")]), found(XGoogApiKey));
        assert_eq!(
            take_from(&[("api-key", "t"), ("x-api-key", "")]),
            found(ApiKey)
        );
        assert_eq!(take_from(&[]), Ok(None));
        assert_eq!(take_from(&[("authorization", "Bearer")]), Ok(None));
        assert_eq!(take_from(&[("authorization", "Basic dTpw")]), Ok(None));
    }

    #[test]
    fn two_credentials_are_a_fault() {
        for fields in [
            [("authorization", "Bearer a"), ("authorization", "Bearer a")],
            [("authorization", "Bearer a"), ("x-api-key", "a")],
            [("x-api-key", "a"), ("x-api-key", "b")],
            [("x-goog-api-key", "a"), ("api-key", "b")],
            [("authorization", "Basic dTpw"), ("x-api-key", "b")],
        ] {
            assert!(take_from(&fields).is_err(), "{fields:?}");
        }
        assert!(take_from(&[("authorization", "Bearer a b")]).is_err());
        assert!(take_from(&[("authorization", "Bearer a,b")]).is_err());
    }

    #[test]
    fn a_credential_is_not_printed() {
        let credential = Credential {
            text: Zeroizing::new("geheim".to_owned()),
            scheme: CredentialScheme::Bearer,
        };
        assert!(!format!("{credential:?}").contains("geheim"));
    }
}
