//! Recorded bodies of AI providers: requests, answers and streams, cleaned by the code that cleans
//! traffic.

use std::borrow::Cow;

use bytes::Bytes;
use postern_types::{CanonicalPath, Direction, Operation};
use serde_json::Value;

use super::{Preview, cleaner};
use crate::request::Family;
use crate::{
    Cleaner, Dialect, InspectError, Located, ResponseOptions, ResponseReader, RuleSet, Target,
    locate,
};

/// Whose body it is.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    /// The dialect of an AI provider.
    pub dialect: Dialect,
    /// The path of the request as the provider sees it, with or without its query. Without it the
    /// operation is told from the body.
    pub path: Option<&'a str>,
}

/// Applies rules to a request's or an answer's body as if it went by at an AI provider; a stream is
/// told by its form. Hashes and placeholders are as in [`super::preview`].
///
/// # Errors
/// `UnknownOperation` when the operation cannot be told from the body, or the path is of none.
pub fn preview_exchange(
    rules: RuleSet,
    direction: Direction,
    exchange: Exchange<'_>,
    body: &str,
) -> Result<Preview, InspectError> {
    let located = located(exchange, direction, body)?;
    let cleaner = cleaner(rules, direction);
    Ok(match direction {
        Direction::Request => request(located, cleaner, body),
        Direction::Response => answer(&located, cleaner, body),
    })
}

fn request(located: Located, mut cleaner: Cleaner, body: &str) -> Preview {
    let bytes = Bytes::copy_from_slice(body.as_bytes());
    let outgoing = located
        .read(&bytes)
        .and_then(|facts| facts.clean_outbound(bytes, false, &mut cleaner));
    Preview {
        text: outgoing.map(|outgoing| text_of(&outgoing.pieces)),
        findings: cleaner.findings(),
    }
}

fn answer(located: &Located, cleaner: Cleaner, body: &str) -> Preview {
    let streams = is_events(body) || located.operation == Operation::StreamGenerateContent;
    let options = ResponseOptions {
        operation: located.operation,
        dialect: located.dialect,
        stream_asked: streams,
        strip_usage: false,
        keeps_answer: true,
        choices: None,
        content_type: if is_events(body) {
            "text/event-stream"
        } else {
            "application/json"
        },
        content_encoding: None,
        status: 200,
    };
    let watches = cleaner.only_watches();
    let mut reader = ResponseReader::new(&options, Some(cleaner));
    let mut pieces = Vec::new();
    let done = reader
        .push(Bytes::copy_from_slice(body.as_bytes()), &mut pieces)
        .and_then(|()| reader.finish(&mut pieces));
    let text = match done {
        Ok(()) => Ok(text_of(&pieces)),
        // What a dry run cannot read passes, and is told.
        Err(InspectError::CannotInspect(_)) if watches => {
            reader.unread();
            Ok(body.to_owned())
        }
        Err(error) => Err(error),
    };
    Preview {
        text,
        findings: reader.findings(),
    }
}

fn text_of(pieces: &[Bytes]) -> String {
    String::from_utf8_lossy(&pieces.concat()).into_owned()
}

fn located(
    Exchange { dialect, path }: Exchange<'_>,
    direction: Direction,
    body: &str,
) -> Result<Located, InspectError> {
    if let Some(path) = path {
        let bare = path.split_once('?').map_or(path, |(path, _)| path);
        let path = CanonicalPath::parse(bare)
            .map_err(|error| InspectError::UnknownOperation(Cow::Owned(error.to_string())))?;
        let target = Target::posted(&path);
        return locate(dialect, &target);
    }
    let first = first_document(body);
    let operation = match direction {
        Direction::Request => asked(dialect, first.as_ref()),
        Direction::Response => answered(dialect, first.as_ref(), body),
    };
    let operation = operation.ok_or(InspectError::UnknownOperation(Cow::Borrowed(
        "the body does not tell which it is of",
    )))?;
    let named = first.is_some_and(|first| first.get("model").is_some());
    let in_path = match dialect {
        Dialect::Gemini => true,
        Dialect::AzureOpenAi => !named,
        _ => false,
    };
    Ok(Located {
        operation,
        dialect,
        path_model: in_path.then(|| "model".into()),
        family: Family::of(operation, dialect),
    })
}

/// Whether the text is a stream of events.
fn is_events(body: &str) -> bool {
    const FIELDS: [&str; 5] = ["data:", "event:", "id:", "retry:", ":"];
    let begin = body.trim_start_matches(['\u{feff}', '\r', '\n']);
    FIELDS.iter().any(|field| begin.starts_with(field))
}

/// The body; of a stream or an array the first document.
fn first_document(body: &str) -> Option<Value> {
    if is_events(body) {
        let data = body.lines().filter_map(|line| line.strip_prefix("data:"));
        return data
            .filter_map(|data| serde_json::from_str::<Value>(data).ok())
            .find(Value::is_object);
    }
    match serde_json::from_str(body).ok()? {
        Value::Array(elements) => elements.into_iter().next(),
        value => Some(value),
    }
}

/// The operation of a request.
fn asked(dialect: Dialect, body: Option<&Value>) -> Option<Operation> {
    /// Members that only requests for responses have.
    const OF_RESPONSES: [&str; 12] = [
        "instructions",
        "tools",
        "stream",
        "previous_response_id",
        "conversation",
        "prompt",
        "reasoning",
        "text",
        "include",
        "store",
        "max_output_tokens",
        "temperature",
    ];
    match dialect {
        Dialect::Anthropic => return Some(Operation::Messages),
        Dialect::Gemini => return Some(Operation::GenerateContent),
        Dialect::Http => return None,
        Dialect::OpenAi | Dialect::AzureOpenAi => {}
    }
    let body = body?;
    let has = |name: &str| body.get(name).is_some();
    if has("messages") {
        return Some(Operation::ChatCompletions);
    }
    // An item says who speaks, or that it is no part of what is to be moderated.
    let is_item = |item: &Value| {
        let kind = item.get("type").and_then(Value::as_str);
        item.get("role").is_some()
            || kind.is_some_and(|kind| !["text", "image_url"].contains(&kind))
    };
    let items = body.get("input").and_then(Value::as_array);
    if OF_RESPONSES.iter().any(|name| has(name))
        || items.is_some_and(|items| items.iter().any(is_item))
    {
        return Some(Operation::Responses);
    }
    let embeds = has("input") && (has("encoding_format") || has("dimensions"));
    embeds.then_some(Operation::Embeddings)
}

/// The operation of an answer.
fn answered(dialect: Dialect, first: Option<&Value>, body: &str) -> Option<Operation> {
    match dialect {
        Dialect::Anthropic => return Some(Operation::Messages),
        Dialect::Gemini if is_events(body) || body.trim_start().starts_with('[') => {
            return Some(Operation::StreamGenerateContent);
        }
        Dialect::Gemini => return Some(Operation::GenerateContent),
        Dialect::Http => return None,
        Dialect::OpenAi | Dialect::AzureOpenAi => {}
    }
    let first = first?;
    let has = |name: &str| first.get(name).is_some();
    let kind = first.get("type").and_then(Value::as_str);
    if has("choices") {
        Some(Operation::ChatCompletions)
    } else if has("output") || kind.is_some_and(|kind| kind.starts_with("response.")) {
        Some(Operation::Responses)
    } else if has("results") {
        Some(Operation::Moderations)
    } else if has("data") {
        Some(Operation::Embeddings)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use postern_types::OpaqueAction;
    use serde_json::json;

    use super::*;
    use crate::testing::rule;

    const MAIL: &str = "jane.doe@example.com";

    fn tried(
        dialect: Dialect,
        direction: Direction,
        path: Option<&str>,
        body: &str,
    ) -> Result<Preview, InspectError> {
        let rule = rule(postern_types::DataAction::Mask);
        assert_eq!(rule.spec.opaque, OpaqueAction::Refuse);
        let rules = RuleSet::compile(&[rule]).unwrap();
        preview_exchange(rules, direction, Exchange { dialect, path }, body)
    }

    /// Goal: each kind of body is read as what it is. Method: a request, an answer and a stream of
    /// each dialect with a value, without a path; in streams the value is cut in two.
    #[test]
    fn bodies_are_read_as_the_gateway_reads_them() {
        let (one, two) = MAIL.split_at(6);
        let events = |events: [Value; 2]| events.map(|event| format!("data: {event}\n\n")).concat();
        let chat = |text: &str| json!({"choices":[{"index":0,"delta":{"content":text}}]});
        let delta = |text: &str| {
            json!({"type":"response.output_text.delta","item_id":"i",
            "output_index":0,"content_index":0,"delta":text})
        };
        let block = |text: &str| {
            json!({"type":"content_block_delta","index":0,
            "delta":{"type":"text_delta","text":text}})
        };
        let part = |text: &str| json!({"candidates":[{"content":{"parts":[{"text":text}]}}]});
        let openai = Dialect::OpenAi;
        let azure = Dialect::AzureOpenAi;
        let asks = [
            (
                openai,
                json!({"model":"m","messages":[{"role":"user","content":MAIL}]}),
            ),
            (azure, json!({"messages":[{"role":"user","content":MAIL}]})),
            (openai, json!({"model":"m","input":MAIL,"stream":true})),
            (
                openai,
                json!({"model":"m","input":[{"role":"user","content":MAIL}]}),
            ),
            (
                openai,
                json!({"model":"m","input":[MAIL],"encoding_format":"float"}),
            ),
            (
                Dialect::Anthropic,
                json!({"model":"m","max_tokens":1,
                "messages":[{"role":"user","content":MAIL}]}),
            ),
            (
                Dialect::Gemini,
                json!({"contents":[{"parts":[{"text":MAIL}]}]}),
            ),
        ];
        let answers = [
            (
                azure,
                json!({"choices":[{"message":{"content":MAIL}}]}).to_string(),
            ),
            (
                openai,
                json!({"output":[{"type":"message",
                "content":[{"type":"output_text","text":MAIL}]}]})
                .to_string(),
            ),
            (
                Dialect::Anthropic,
                json!({"content":[{"type":"text","text":MAIL}]}).to_string(),
            ),
            (Dialect::Gemini, part(MAIL).to_string()),
            (Dialect::Gemini, json!([part(one), part(two)]).to_string()),
            (Dialect::Gemini, events([part(one), part(two)])),
            (openai, events([chat(one), chat(two)]) + "data: [DONE]\n\n"),
            (openai, events([delta(one), delta(two)])),
            (Dialect::Anthropic, events([block(one), block(two)])),
        ];
        let asks = asks.map(|(dialect, body)| (dialect, Direction::Request, body.to_string()));
        let answers = answers.map(|(dialect, body)| (dialect, Direction::Response, body));
        for (dialect, direction, body) in asks.into_iter().chain(answers) {
            let tried = tried(dialect, direction, None, &body).unwrap();
            let text = tried.text.unwrap();
            assert!(text.contains("[EMAIL]"), "{body} became {text}");
            assert!(!text.contains(two), "{text}");
            assert_eq!(tried.findings.len(), 1, "{body}");
        }
    }

    #[test]
    fn what_the_body_does_not_tell_is_asked_for() {
        let body = json!({"model":"m","input":MAIL}).to_string();
        let unknown = |path| {
            let tried = tried(Dialect::OpenAi, Direction::Request, path, &body);
            matches!(tried, Err(InspectError::UnknownOperation(_)))
        };
        assert!(unknown(None) && unknown(Some("/v1/nothing")) && unknown(Some("v1")));
        for path in ["/v1/responses", "/v1/embeddings?x=1", "/v1/moderations"] {
            let tried = tried(Dialect::OpenAi, Direction::Request, Some(path), &body).unwrap();
            assert!(tried.text.unwrap().contains("[EMAIL]"), "{path}");
        }
        let odd = json!({"model":"m","messages":[{"role":"user",
            "content":[{"type":"hologram","text":MAIL}]}]});
        let refused = tried(Dialect::OpenAi, Direction::Request, None, &odd.to_string()).unwrap();
        assert!(matches!(refused.text, Err(InspectError::CannotInspect(_))));
        let twice = r#"{"model":"m","model":"n","messages":[]}"#;
        let refused = tried(Dialect::OpenAi, Direction::Request, None, twice).unwrap();
        assert!(matches!(refused.text, Err(InspectError::BadRequest(_))));
    }
}
