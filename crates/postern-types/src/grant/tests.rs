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
fn what_a_body_may_be_has_to_be_said() {
    // Goal: no grant opens bodies by silence. Method: the same rule said in each way, on the
    // command line and as JSON; and one that was stored before it had to be said.
    let expand = |text: &str| Grant::parse(text).and_then(|grant| grant.expand(UpstreamKind::Http));
    let json = |body: &str| {
        format!(
            r#"{{"upstream":"notes","actions":{{"call":{{"rules":[
            {{"methods":["GET","POST"],"path":"/a"{body}}}]}}}}}}"#
        )
    };
    let silent = [
        "notes:call:POST /a".to_owned(),
        "notes:call:GET|PUT /a?x".to_owned(),
        "notes:call:GET /a,PATCH /a".to_owned(),
        json(""),
        json(r#","body":"by_method""#),
    ];
    for text in silent {
        let error = expand(&text).unwrap_err();
        assert!(matches!(error, GrantError::Body(_)), "{text}: {error}");
        assert!(error.to_string().contains("json=KEY&KEY"), "{error}");
    }
    for (text, any) in [
        ("notes:call:GET|DELETE /a".to_owned(), false),
        ("notes:call:POST /a body=none".to_owned(), false),
        ("notes:call:POST /a?x json=title&level".to_owned(), false),
        ("notes:call:POST /a  body=any".to_owned(), true),
        (json(r#","body":"none""#), false),
        (json(r#","body":"any""#), true),
        (json(r#","body":{"json_keys":["title"]}"#), false),
    ] {
        let grant = expand(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(grant.takes_any_body(), any, "{text}");
        let stored = serde_json::to_string(&grant).unwrap();
        assert_eq!(Grant::parse(&stored).unwrap(), grant, "{text}");
    }
    let stored = Grant::parse(&json("")).unwrap();
    assert!(stored.takes_any_body(), "an older grant keeps its meaning");
    for text in [
        "notes:call:POST /a body=all",
        "notes:call:POST /a json",
        "notes:call:POST /a json=",
        "notes:call:POST /a json=&",
        "notes:call:POST /a body=any x",
    ] {
        assert!(
            matches!(Grant::parse(text), Err(GrantError::Shape(_))),
            "{text}"
        );
    }
    for text in [
        "notes:call:GET /a json=title",
        "notes:call:GET|DELETE /a json=title",
    ] {
        let error = Grant::parse(text).unwrap_err();
        assert!(matches!(error, GrantError::NoBody(_)), "{text}: {error}");
        assert!(error.to_string().contains("leave json= out"), "{error}");
    }
}

#[test]
fn keys_are_for_the_methods_that_have_a_body() {
    let grant = Grant::parse("notes:call:GET|POST|DELETE /a?x json=title&level").unwrap();
    let Rights::Call { rules } = &grant.actions else {
        panic!("a call grant")
    };
    let keys = BodyRule::JsonKeys(vec!["title".to_owned(), "level".to_owned()]);
    let said: Vec<_> = rules
        .iter()
        .map(|rule| (rule.methods.join("|"), rule.body.clone()))
        .collect();
    assert_eq!(
        said,
        [
            ("GET|DELETE".to_owned(), BodyRule::None),
            ("POST".to_owned(), keys)
        ]
    );
    assert!(rules.iter().all(|rule| rule.query.contains_key("x")));
}

#[test]
fn unknown_fields_are_errors() {
    // Goal: a misspelt restriction must not be ignored, which would widen the grant.
    let text = r#"{"upstream":"notes","actions":{"call":{"rules":[
        {"methods":["GET"],"path":"/a","qurey":{}}]}}}"#;
    assert!(Grant::parse(text).is_err());
}
