//! The closed list of operations: method, path and query of each dialect.

use std::borrow::Cow;

use postern_types::{AiRequest, CanonicalPath, Operation, SmolStr};

use crate::bounds::OPERATION_SEGMENTS_MAX;
use crate::request::{self, Family};
use crate::{Dialect, InspectError, RequestFacts};

/// The head of a request, as far as it decides the operation.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The path as the upstream sees it, without the upstream's name.
    pub path: &'a CanonicalPath,
    /// The query parameters, decoded, in order.
    pub query: &'a [(String, String)],
    /// The `Content-Type` header.
    pub content_type: Option<&'a str>,
    /// The `Content-Encoding` header.
    pub content_encoding: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// A POST of JSON, without a query: what most operations are.
    #[must_use]
    pub fn posted(path: &'a CanonicalPath) -> Self {
        Self {
            method: "POST",
            path,
            query: &[],
            content_type: Some("application/json"),
            content_encoding: None,
        }
    }
}

/// A request whose operation is known and whose body may still have to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    pub(crate) operation: Operation,
    pub(crate) dialect: Dialect,
    /// The model, where the path names it.
    pub(crate) path_model: Option<SmolStr>,
    pub(crate) family: Option<Family>,
}

/// Finds the operation of a request.
///
/// # Errors
/// When the method and path are not on the list, a query parameter is not, or the head declares a
/// body that this crate does not read.
pub fn locate(dialect: Dialect, target: &Target<'_>) -> Result<Located, InspectError> {
    let given = target.path.segments();
    let mut room = [""; OPERATION_SEGMENTS_MAX];
    for (name, segment) in room.iter_mut().zip(given) {
        *name = segment;
    }
    // No operation has more segments than there is room for.
    let segments = room.get(..given.len()).unwrap_or_default();
    let found = match dialect {
        Dialect::OpenAi => openai(target.method, segments),
        Dialect::AzureOpenAi => azure(target.method, segments),
        Dialect::Anthropic => anthropic(target.method, segments),
        Dialect::Gemini => gemini(target.method, segments),
        Dialect::Http => None,
    };
    let Some((operation, path_model)) = found else {
        let cause = format!("{} {}", target.method, short(target.path.encoded()));
        return Err(InspectError::UnknownOperation(Cow::Owned(cause)));
    };
    let path_model = path_model.map(model_name).transpose()?;
    check_query(dialect, target.query)?;
    let family = Family::of(operation, dialect);
    if family.is_some() {
        check_body_headers(target)?;
    }
    Ok(Located {
        operation,
        dialect,
        path_model,
        family,
    })
}

impl Located {
    /// The operation.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// Whether the body has to be read before the request can be judged. Where it does not, the
    /// operation has no body.
    #[must_use]
    pub fn needs_body(&self) -> bool {
        self.family.is_some()
    }

    /// Reads the body, whole.
    ///
    /// # Errors
    /// When the body is not one JSON object that every reader understands alike in what is read
    /// here, names no model, or asks for something that is not served.
    pub fn read(self, body: &[u8]) -> Result<RequestFacts, InspectError> {
        match self.family {
            Some(family) => request::read(&self, family, body),
            None if body.is_empty() => Ok(RequestFacts::without_body(AiRequest {
                operation: self.operation,
                model: self.path_model,
                stream: false,
                output_cap: None,
                text_bytes: 0,
            })),
            None => Err(InspectError::bad("this operation has no body")),
        }
    }
}

type Found<'a> = Option<(Operation, Option<&'a str>)>;

fn openai<'a>(method: &str, segments: &[&'a str]) -> Found<'a> {
    let operation = match (method, segments) {
        ("GET", ["v1", "models"]) => Operation::ListModels,
        ("GET", ["v1", "models", model]) => return Some((Operation::ShowModel, Some(model))),
        ("POST", ["v1", rest @ ..]) => openai_post(rest)?,
        _ => return None,
    };
    Some((operation, None))
}

fn openai_post(rest: &[&str]) -> Option<Operation> {
    match rest {
        ["chat", "completions"] => Some(Operation::ChatCompletions),
        ["responses"] => Some(Operation::Responses),
        ["embeddings"] => Some(Operation::Embeddings),
        ["moderations"] => Some(Operation::Moderations),
        _ => None,
    }
}

fn azure<'a>(method: &str, segments: &[&'a str]) -> Found<'a> {
    if method != "POST" {
        return None;
    }
    match segments {
        ["openai", "deployments", deployment, rest @ ..] => {
            let operation = match rest {
                ["chat", "completions"] => Operation::ChatCompletions,
                ["embeddings"] => Operation::Embeddings,
                _ => return None,
            };
            Some((operation, Some(deployment)))
        }
        ["openai", "responses"] => Some((Operation::Responses, None)),
        ["openai", "v1", rest @ ..] => {
            let operation = openai_post(rest)?;
            (operation != Operation::Moderations).then_some((operation, None))
        }
        _ => None,
    }
}

fn anthropic<'a>(method: &str, segments: &[&'a str]) -> Found<'a> {
    match (method, segments) {
        ("POST", ["v1", "messages"]) => Some((Operation::Messages, None)),
        ("POST", ["v1", "messages", "count_tokens"]) => Some((Operation::CountTokens, None)),
        _ => None,
    }
}

fn gemini<'a>(method: &str, segments: &[&'a str]) -> Found<'a> {
    let ("POST", ["v1beta" | "v1", "models", last]) = (method, segments) else {
        return None;
    };
    let (model, action) = last.split_once(':')?;
    let operation = match action {
        "generateContent" => Operation::GenerateContent,
        "streamGenerateContent" => Operation::StreamGenerateContent,
        "countTokens" => Operation::CountTokens,
        _ => return None,
    };
    Some((operation, Some(model)))
}

/// The query parameters that may be there, each at most once. Never `key`: a credential in an
/// address ends up in logs.
fn check_query(dialect: Dialect, query: &[(String, String)]) -> Result<(), InspectError> {
    let mut alternatives = 0;
    for (place, (name, value)) in query.iter().enumerate() {
        if query[..place].iter().any(|(earlier, _)| earlier == name) {
            return Err(InspectError::bad("a query parameter stands twice"));
        }
        let allowed = match (dialect, name.as_str()) {
            (Dialect::OpenAi | Dialect::AzureOpenAi, "api-version") => {
                !value.is_empty()
                    && value
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            }
            (Dialect::Anthropic, "beta") => matches!(value.as_str(), "true" | "false"),
            (Dialect::Gemini, "alt" | "$alt") => {
                alternatives += 1;
                matches!(value.as_str(), "sse" | "json" | "json;enum-encoding=int")
            }
            (Dialect::Gemini, "prettyPrint") => matches!(value.as_str(), "true" | "false"),
            (_, "key") => return Err(InspectError::bad("a credential stands in the address")),
            _ => false,
        };
        if !allowed {
            let cause = format!("query parameter {}", short(name));
            return Err(InspectError::Unsupported(Cow::Owned(cause)));
        }
    }
    if alternatives > 1 {
        return Err(InspectError::bad("alt is given in both spellings"));
    }
    Ok(())
}

fn check_body_headers(target: &Target<'_>) -> Result<(), InspectError> {
    match target.content_encoding.map(str::trim) {
        None => {}
        Some(encoding) if encoding.eq_ignore_ascii_case("identity") => {}
        Some(encoding) => {
            let cause = format!("request bodies encoded as {}", short(encoding));
            return Err(InspectError::Unsupported(Cow::Owned(cause)));
        }
    }
    let declared = target.content_type.unwrap_or_default();
    let mut parts = declared.split(';').map(str::trim);
    let json = parts
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let utf8 = |part: &str| {
        let value = part
            .split_once('=')
            .map(|(name, value)| (name.trim(), value.trim()));
        value.is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("charset")
                && value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
    };
    if json && parts.filter(|part| !part.is_empty()).all(utf8) {
        Ok(())
    } else {
        Err(InspectError::bad(
            "the content type must be application/json in UTF-8",
        ))
    }
}

/// Checks a model's name: the characters that grants know, so that no name means one thing here
/// and another at the provider.
pub(crate) fn model_name(name: &str) -> Result<SmolStr, InspectError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:/@+".contains(&b);
    if name.is_empty() {
        return Err(InspectError::UnknownModel(Cow::Borrowed(
            "its name is empty",
        )));
    }
    if name.len() > crate::bounds::MODEL_BYTES_MAX || !name.bytes().all(plain) {
        return Err(InspectError::bad(
            "a model's name has 1 to 128 letters, digits and -_.:/@+",
        ));
    }
    Ok(SmolStr::new(name))
}

/// A name out of a request, cut short and made harmless for logs.
pub(crate) fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

#[cfg(test)]
mod tests;
