//! What OpenAI does with `stream_options.include_usage`, over a stream recorded without it.
//!
//! With the option each frame that carries choices has a `usage` of null, and one more frame, with
//! no choices and the figures, comes before `[DONE]`. Every other byte stays as it was.

use bytes::Bytes;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// Whether the body of a request asks for the option.
pub(crate) fn asked(body: &[u8]) -> bool {
    let option = |body: Value| body.pointer("/stream_options/include_usage").cloned();
    serde_json::from_slice(body).ok().and_then(option) == Some(Value::Bool(true))
}

/// The stream as it would have been with the option; a stream that has usage in it stays as it is.
pub(crate) fn with_usage(stream: &Bytes, usage: &Value) -> Bytes {
    let Ok(text) = std::str::from_utf8(stream) else {
        return stream.clone();
    };
    if text.contains("\"usage\"") {
        return stream.clone();
    }
    let mut out = String::with_capacity(text.len() + 1024);
    let mut extra: Option<String> = None;
    for line in text.split_inclusive('\n') {
        let data = line.strip_prefix("data:").map(str::trim);
        match data {
            Some("[DONE]") => {
                out.push_str(&extra.take().unwrap_or_default());
                out.push_str(line);
            }
            Some(frame) => match usage_frame(frame, usage) {
                Some(usage_frame) => {
                    extra = Some(format!("data: {usage_frame}\n\n"));
                    out.push_str(&with_null(line));
                }
                None => out.push_str(line),
            },
            None => out.push_str(line),
        }
    }
    Bytes::from(out)
}

/// The line with a null usage: where OpenAI has it, before the padding, else at the end.
fn with_null(line: &str) -> String {
    let place = line.rfind(",\"obfuscation\":").or_else(|| line.rfind('}'));
    match place {
        Some(at) => format!("{},\"usage\":null{}", &line[..at], &line[at..]),
        None => line.to_owned(),
    }
}

/// The extra frame, made after this one; `None` when this frame has no choices to speak of.
fn usage_frame(frame: &str, usage: &Value) -> Option<String> {
    let Fields(fields) = serde_json::from_str(frame).ok()?;
    let choices = fields.iter().find(|(name, _)| name == "choices")?;
    if choices.1.get().starts_with("[]") {
        return None;
    }
    let usage = ("usage".to_owned(), usage.to_string());
    let kept = fields
        .iter()
        .filter(|(name, _)| name != "obfuscation")
        .map(|(name, value)| {
            let value = if name == "choices" { "[]" } else { value.get() };
            (name.clone(), value.to_owned())
        });
    let written = |(name, value): (String, String)| format!("{}:{value}", Value::from(name));
    let fields: Vec<String> = kept.chain([usage]).map(written).collect();
    Some(format!("{{{}}}", fields.join(",")))
}

/// The fields of an object in their order, values as written.
struct Fields(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    fields.push(entry);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const PLAIN: &str = concat!(
        "data: {\"id\":\"c\",\"choices\":[],\"prompt_filter_results\":[]}\n\n",
        "data: {\"id\":\"c\",\"choices\":[{\"delta\":{\"content\":\"a}b\"}}],",
        "\"obfuscation\":\"x\"}\n\n",
        "data: {\"id\":\"c\",\"choices\":[{\"delta\":{}}]}\n\n",
        "data: [DONE]\n\n",
    );

    // Goal: the option adds the null fields and one frame, no more. Method: a whole stream.
    #[test]
    fn the_option_adds_null_fields_and_one_frame() {
        let with = with_usage(
            &Bytes::from_static(PLAIN.as_bytes()),
            &json!({"total_tokens": 3}),
        );
        let expected = concat!(
            "data: {\"id\":\"c\",\"choices\":[],\"prompt_filter_results\":[]}\n\n",
            "data: {\"id\":\"c\",\"choices\":[{\"delta\":{\"content\":\"a}b\"}}],\"usage\":null,",
            "\"obfuscation\":\"x\"}\n\n",
            "data: {\"id\":\"c\",\"choices\":[{\"delta\":{}}],\"usage\":null}\n\n",
            "data: {\"id\":\"c\",\"choices\":[],\"usage\":{\"total_tokens\":3}}\n\n",
            "data: [DONE]\n\n",
        );
        assert_eq!(with, expected);
    }

    #[test]
    fn a_stream_that_tells_usage_anyway_is_left_alone() {
        let stream =
            Bytes::from_static(b"data: {\"choices\":[{}],\"usage\":{}}\n\ndata: [DONE]\n\n");
        assert_eq!(with_usage(&stream, &json!({})), stream);
    }

    #[test]
    fn only_a_true_option_counts() {
        assert!(asked(br#"{"stream_options":{"include_usage":true}}"#));
        assert!(!asked(br#"{"stream_options":{"include_usage":false}}"#));
        assert!(!asked(br#"{"stream":true}"#));
    }
}
