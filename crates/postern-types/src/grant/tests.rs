use super::*;

#[test]
fn command_line_grants_read_as_documented() {
    let grant = Grant::parse("openai:invoke:gpt-4o-mini,text-embedding-3-*").unwrap();
    assert!(grant.includes_future());
    let Rights::Invoke(invoke) = &grant.actions else {
        panic!("an invoke grant")
    };
    assert!(invoke.models[0].matches("gpt-4o-mini") && !invoke.models[0].matches("gpt-4o"));
    assert!(invoke.models[1].matches("text-embedding-3-large"));

    let grant =
        Grant::parse("notes:call:GET|HEAD /classes/Note/{id}?limit&skip,DELETE /x").unwrap();
    let Rights::Call { rules } = &grant.actions else {
        panic!("a call grant")
    };
    assert_eq!(rules.len(), 2);
    assert_eq!(rules[0].query.keys().collect::<Vec<_>>(), ["limit", "skip"]);
}

#[test]
fn grants_expand_to_what_exists_today() {
    // Goal: operations left out become today's list, so that one added later is not included.
    let grant = Grant::parse("claude:invoke:claude-haiku-4-5").unwrap();
    let grant = grant.expand(UpstreamKind::Anthropic).unwrap();
    let Rights::Invoke(invoke) = &grant.actions else {
        panic!("an invoke grant")
    };
    assert_eq!(
        invoke.operations,
        [Operation::Messages, Operation::CountTokens]
    );
    let json = serde_json::to_string(&grant).unwrap();
    assert_eq!(
        Grant::parse(&json).unwrap(),
        grant,
        "the JSON form reads back"
    );
}

#[test]
fn wrong_grants_say_what_to_do() {
    for (text, hint) in [
        ("openai", "UPSTREAM:invoke"),
        ("openai:use:gpt", "UPSTREAM:invoke"),
        ("Open:invoke:gpt", "1 to 63 characters"),
        ("openai:invoke:gpt-*-mini", "one * at the end"),
        ("notes:call:FETCH /a", "use GET"),
        ("notes:call:GET a", "must start with a slash"),
    ] {
        let error = Grant::parse(text).unwrap_err().to_string();
        assert!(error.contains(hint), "{text}: {error}");
    }
    let grant = Grant::parse("notes:invoke:gpt").unwrap();
    assert!(
        grant
            .expand(UpstreamKind::Http)
            .unwrap_err()
            .to_string()
            .contains("grant call")
    );
    let reserved = r#"{"upstream":"notes","actions":{"call":{"rules":[
        {"methods":["GET"],"path":"/a","headers":["Authorization"]}]}}}"#;
    let grant = Grant::parse(reserved).unwrap();
    assert!(matches!(
        grant.expand(UpstreamKind::Http),
        Err(GrantError::Header(_))
    ));
}

#[test]
fn unknown_fields_are_errors() {
    // Goal: a misspelt restriction must not be ignored, which would widen the grant.
    let text = r#"{"upstream":"notes","actions":{"call":{"rules":[
        {"methods":["GET"],"path":"/a","qurey":{}}]}}}"#;
    assert!(Grant::parse(text).is_err());
}
