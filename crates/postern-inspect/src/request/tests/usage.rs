//! Usage that is asked for on the client's behalf.

use super::*;

#[test]
fn usage_is_asked_for_by_one_change() {
    // Goal: exactly one key is added (or one value replaced), every other byte kept. Method: rows
    // of body and outcome; `None` where the body must go on as it is.
    let rows = [
        (
            r#" {"model":"a","stream":true} "#,
            Some(r#" {"model":"a","stream":true,"stream_options":{"include_usage":true}} "#),
        ),
        (
            r#"{"stream_options":{},"model":"a","stream":true}"#,
            Some(r#"{"stream_options":{"include_usage":true},"model":"a","stream":true}"#),
        ),
        (
            r#"{"model":"a","stream":true,"stream_options": { "include_obfuscation" : false } }"#,
            Some(
                r#"{"model":"a","stream":true,"stream_options": { "include_obfuscation" : false ,"include_usage":true} }"#,
            ),
        ),
        (
            r#"{"model":"a","stream":true,"stream_options": null}"#,
            Some(r#"{"model":"a","stream":true,"stream_options": {"include_usage":true}}"#),
        ),
        (
            r#"{"model":"a","stream":true,"stream_options":{"include_usage": false}}"#,
            Some(r#"{"model":"a","stream":true,"stream_options":{"include_usage": true}}"#),
        ),
        (
            r#"{"model":"a","stream":true,"stream_options":{"include_usage":null,"x":1}}"#,
            Some(r#"{"model":"a","stream":true,"stream_options":{"include_usage":true,"x":1}}"#),
        ),
        (
            r#"{"model":"a","stream":true,"stream_options":{"include_usage":true}}"#,
            None,
        ),
        (r#"{"model":"a","stream":false}"#, None),
        (r#"{"model":"a","stream":null}"#, None),
        (r#"{"model":"a"}"#, None),
    ];
    for (body, expected) in rows {
        let facts = read(Dialect::OpenAi, CHAT, body).unwrap();
        let out = facts.outbound(Bytes::from_static(body.as_bytes()), true);
        assert_eq!(out.strip_usage, expected.is_some(), "{body}");
        let joined = out.pieces.concat();
        assert_eq!(out.len, joined.len() as u64);
        assert_eq!(String::from_utf8(joined).unwrap(), expected.unwrap_or(body));
        let kept = facts.outbound(Bytes::from_static(body.as_bytes()), false);
        assert_eq!(
            (kept.pieces.concat(), kept.strip_usage),
            (body.as_bytes().to_vec(), false)
        );
    }
    let body = r#"{"model":"a","stream":true}"#;
    let facts = read(Dialect::OpenAi, RESPONSES, body).unwrap();
    assert!(
        !facts
            .outbound(Bytes::from_static(body.as_bytes()), true)
            .strip_usage
    );
}
