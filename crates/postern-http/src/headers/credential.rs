//! Where an upstream's credential goes.

use std::fmt;

use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use postern_types::{Secret, UpstreamKind};
use thiserror::Error;

use super::{Scrubber, is_of_the_hop};

/// What stands for the credential in a template.
const PLACE: &str = "{credential}";

/// A field that goes upstream with every request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderTemplate {
    /// The field's name.
    pub name: String,
    /// Its value, in which `{credential}` stands for the credential; without it the value is sent
    /// as it is.
    pub value: String,
}

/// A credential cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CredentialError {
    /// The secret holds what a header field cannot carry.
    #[error("the upstream's credential cannot stand in a header: it is empty or not plain text")]
    Secret,
    /// A template's name is not one that may be set.
    #[error("header {0:?} cannot be set for an upstream")]
    Name(String),
    /// A template's value is not a field value.
    #[error("the value of header {0:?} for an upstream is not plain text")]
    Value(String),
    /// A template asks for a credential and there is none.
    #[error("header {0:?} asks for the upstream's credential, and it has none")]
    Missing(String),
}

/// The fields that authenticate the gateway to an upstream, laid out once.
#[derive(Clone)]
pub struct UpstreamCredential {
    fields: Vec<(HeaderName, HeaderValue)>,
    scrubber: Scrubber,
}

impl fmt::Debug for UpstreamCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.fields.iter().map(|(name, _)| name.as_str()).collect();
        write!(f, "UpstreamCredential({names:?}, redacted)")
    }
}

impl UpstreamCredential {
    /// An upstream that asks for none.
    #[must_use]
    pub fn none() -> Self {
        Self {
            fields: Vec::new(),
            scrubber: Scrubber::default(),
        }
    }

    /// The credential where this kind of API expects it.
    ///
    /// # Errors
    /// When it cannot stand in a header field.
    pub fn for_kind(kind: UpstreamKind, secret: &Secret) -> Result<Self, CredentialError> {
        Self::lay_out(kind, &[], Some(secret))
    }

    /// The credential where the templates put it; where none of them mentions it, where this kind
    /// of API expects it.
    ///
    /// # Errors
    /// When a template cannot be used, or the credential cannot stand in a header field.
    pub fn lay_out(
        kind: UpstreamKind,
        templates: &[HeaderTemplate],
        secret: Option<&Secret>,
    ) -> Result<Self, CredentialError> {
        let text = secret.map(checked).transpose()?;
        let mut fields = Vec::with_capacity(templates.len() + 1);
        let mut placed = false;
        for template in templates {
            let name = name(&template.name)?;
            placed |= template.value.contains(PLACE);
            fields.push((name, value(template, text)?));
        }
        if let (false, Some(text)) = (placed, text) {
            fields.push(default_place(kind, text)?);
        }
        Ok(Self {
            fields,
            scrubber: Scrubber::new(secret),
        })
    }

    /// Sets the fields, over whatever was there.
    pub(crate) fn put(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.fields {
            headers.insert(name.clone(), value.clone());
        }
    }

    /// What looks for the credential in what comes back.
    pub(crate) fn scrubber(&self) -> Scrubber {
        self.scrubber.clone()
    }
}

fn checked(secret: &Secret) -> Result<&str, CredentialError> {
    let text = secret
        .expose_str()
        .map(str::trim)
        .ok_or(CredentialError::Secret)?;
    let plain = !text.is_empty() && text.bytes().all(|byte| matches!(byte, 0x20..=0x7e));
    if plain {
        Ok(text)
    } else {
        Err(CredentialError::Secret)
    }
}

fn default_place(
    kind: UpstreamKind,
    text: &str,
) -> Result<(HeaderName, HeaderValue), CredentialError> {
    let (name, value) = match kind {
        UpstreamKind::OpenAi | UpstreamKind::Http => (AUTHORIZATION, format!("Bearer {text}")),
        UpstreamKind::AzureOpenAi => (HeaderName::from_static("api-key"), text.to_owned()),
        UpstreamKind::Anthropic => (HeaderName::from_static("x-api-key"), text.to_owned()),
        UpstreamKind::Gemini => (HeaderName::from_static("x-goog-api-key"), text.to_owned()),
    };
    let mut value = HeaderValue::try_from(value).map_err(|_| CredentialError::Secret)?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// A name that an operator may set: not one that frames the message or belongs to the hop.
fn name(text: &str) -> Result<HeaderName, CredentialError> {
    let refused = || CredentialError::Name(text.chars().take(80).collect());
    let name = HeaderName::try_from(text).map_err(|_| refused())?;
    let framing = ["host", "content-length", "expect", "accept-encoding"];
    if framing.contains(&name.as_str()) || is_of_the_hop(name.as_str()) {
        return Err(refused());
    }
    Ok(name)
}

fn value(template: &HeaderTemplate, text: Option<&str>) -> Result<HeaderValue, CredentialError> {
    let shown = || template.name.chars().take(80).collect();
    let sensitive = template.value.contains(PLACE);
    let value = if sensitive {
        let text = text.ok_or_else(|| CredentialError::Missing(shown()))?;
        template.value.replace(PLACE, text)
    } else {
        template.value.clone()
    };
    let mut value = HeaderValue::try_from(value).map_err(|_| CredentialError::Value(shown()))?;
    value.set_sensitive(sensitive);
    Ok(value)
}
