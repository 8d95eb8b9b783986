use super::*;
use crate::testing::{ALLOW_ALL, call, call_with, env, grant, grants, invoke, rails};
use crate::{Denial, Layer, UpstreamRules, authorize};
use postern_types::{
    Conditions, Invoke, ModelPattern, Operation, PathTemplate, RequestContext, ValueRule,
};
use proptest::prelude::*;

fn allowed(grants: &TokenGrants, request: &RequestContext) -> bool {
    match authorize(
        &rails(&[ALLOW_ALL]),
        grants,
        request,
        &UpstreamRules::default(),
    ) {
        Ok(_) => true,
        Err(Denial::NotGranted(Layer::Grants)) => false,
        Err(other) => panic!("{other} for {request:?}"),
    }
}

#[test]
fn an_invoke_grant_opens_its_models_and_operations_only() {
    let grants = grants(&[
        "openai:invoke:gpt-4o-mini,text-embedding-3-*",
        r#"{"upstream":"azure","actions":{"invoke":{"models":["*"],"operations":["embeddings"]}}}"#,
    ]);
    use Operation as O;
    for (operation, model, expected) in [
        (O::ChatCompletions, "gpt-4o-mini", true),
        (O::ChatCompletions, "gpt-4o", false),
        (O::ChatCompletions, "gpt-4o-mini-2", false),
        (O::ChatCompletions, "GPT-4o-mini", false),
        (O::Embeddings, "text-embedding-3-large", true),
        (O::Embeddings, "text-embedding-3-", true),
        (O::Embeddings, "text-embedding-2", false),
        (O::Embeddings, "xtext-embedding-3-small", false),
        // Not operations of the kind when the grant was made.
        (O::Messages, "gpt-4o-mini", false),
        (O::ListModels, "", true),
    ] {
        let request = invoke(operation, model);
        assert_eq!(
            allowed(&grants, &request),
            expected,
            "{operation} on {model:?}"
        );
    }
    let elsewhere = |name: &str, operation| RequestContext {
        upstream: UpstreamName::parse(name).unwrap(),
        ..invoke(operation, "gpt-4o-mini")
    };
    assert!(!allowed(&grants, &elsewhere("openai2", O::ChatCompletions)));
    assert!(!allowed(&grants, &elsewhere("azure", O::ChatCompletions)));
    assert!(allowed(&grants, &elsewhere("azure", O::Embeddings)));
}

#[test]
fn the_list_of_models_needs_its_own_operation() {
    let chat = r#"{"upstream":"openai","actions":{"invoke":{"models":["a"],"operations":["chat_completions"]}}}"#;
    assert!(!allowed(
        &grants(&[chat]),
        &invoke(Operation::ListModels, "")
    ));
    let list = r#"{"upstream":"openai","actions":{"invoke":{"models":["a"],"operations":["list_models"]}}}"#;
    assert!(allowed(
        &grants(&[list]),
        &invoke(Operation::ListModels, "")
    ));
    assert!(!allowed(
        &grants(&[list]),
        &invoke(Operation::ChatCompletions, "a")
    ));
}

#[test]
fn an_http_rule_is_closed_on_every_side() {
    // Goal: what a rule does not name is denied. Method: one request per way out of the rule.
    let grants = grants(&["notes:call:GET|HEAD /classes/Note/{id}?limit&skip"]);
    for good in [
        "GET /classes/Note/1",
        "HEAD /classes/Note/x%20y",
        "GET /classes/Note/1?limit=5&skip=",
        "GET /classes/Note/1?skip=%24inQuery",
    ] {
        assert!(allowed(&grants, &call(good)), "{good}");
    }
    for bad in [
        "POST /classes/Note/1",
        "get /classes/Note/1",
        "GET /classes/Note",
        "GET /classes/Note/",
        "GET /classes/Note/1/",
        "GET /classes/Note/1/2",
        "GET /classes/Other/1",
        "GET /classes/note/1",
        "GET /x/classes/Note/1",
        "GET /classes/Note/1?include=owner",
        "GET /classes/Note/1?limit=1&where={}",
        "GET /classes/Note/1?limit=1&limit=2",
        "GET /classes/Note/1?Limit=1",
        "GET /classes/Note/1?=1",
        "GET /",
    ] {
        assert!(!allowed(&grants, &call(bad)), "{bad}");
    }
    let with_body = RequestContext {
        body_bytes: Some(1),
        ..call("GET /classes/Note/1")
    };
    assert!(!allowed(&grants, &with_body), "a GET with a body");
    let chunked = RequestContext {
        body_bytes: None,
        ..call("GET /classes/Note/1")
    };
    assert!(
        !allowed(&grants, &chunked),
        "a GET whose body is of unknown length"
    );
    let ai = invoke(Operation::ChatCompletions, "a");
    let ai = RequestContext {
        upstream: UpstreamName::parse("notes").unwrap(),
        ..ai
    };
    assert!(!allowed(&grants, &ai), "a call grant opens no AI operation");
}

#[test]
fn conditions_hold_the_address() {
    let grants = grants(&[
        r#"{"upstream":"notes","conditions":{"addresses":["192.0.2.0/25",
        "2001:db8::/32","::ffff:10.0.0.0/104"]},"actions":{"call":{"rules":[
        {"methods":["GET"],"path":"/a"}]}}}"#,
    ]);
    for (address, expected) in [
        ("192.0.2.7", true),
        ("::ffff:192.0.2.7", true),
        ("192.0.2.128", false),
        ("10.9.8.7", true),
        ("11.0.0.1", false),
        ("2001:db8::1", true),
        ("2001:db9::1", false),
        ("::1", false),
        ("::192.0.2.7", false),
    ] {
        let mut request = call("GET /a");
        request.source.address = address.parse().unwrap();
        assert_eq!(allowed(&grants, &request), expected, "{address}");
    }
}

#[test]
fn values_and_bodies_are_judged_and_closed() {
    let grants = grants(&[r#"{"upstream":"notes","actions":{"call":{"rules":[
        {"methods":["GET"],"path":"/classes/Note","query":{"limit":"integer",
            "order":{"one_of":["createdAt"]},"where":{"json_keys":["title","$gt"]}}},
        {"methods":["POST"],"path":"/classes/Note","body":{"json_keys":["title"]}},
        {"methods":["POST"],"path":"/classes/Log","body":"any"},
        {"methods":["DELETE","POST"],"path":"/trash","body":"none"}]}}}"#]);
    for good in [
        "GET /classes/Note",
        "GET /classes/Note?limit=10&order=createdAt",
        r#"GET /classes/Note?where={"title":{"$gt":"a"}}"#,
        "DELETE /trash",
    ] {
        assert!(allowed(&grants, &call(good)), "{good}");
    }
    for bad in [
        "GET /classes/Note?limit=10;drop",
        "GET /classes/Note?order=-createdAt",
        r#"GET /classes/Note?where={"title":{"$inQuery":{}}}"#,
        r#"GET /classes/Note?where={"title":{"\u0024inQuery":{}}}"#,
        r#"GET /classes/Note?where={"title":1}&where={"$where":1}"#,
        r#"GET /classes/Note?where={"title":1,"title":2}"#,
        "POST /classes/Note",
    ] {
        assert!(!allowed(&grants, &call(bad)), "{bad}");
    }
    assert!(allowed(
        &grants,
        &call_with("POST /classes/Note", r#"{"title":"a"}"#)
    ));
    assert!(!allowed(
        &grants,
        &call_with("POST /classes/Note", r#"{"title":"a","ACL":{}}"#)
    ));
    assert!(!allowed(
        &grants,
        &call_with("POST /classes/Note", r#"{"_method":"PUT"}"#)
    ));
    assert!(allowed(
        &grants,
        &call_with("POST /classes/Log", "anything")
    ));
    assert!(!allowed(&grants, &call_with("POST /trash", "x")));

    let upstream = UpstreamName::parse("notes").unwrap();
    let path = |text| CanonicalPath::parse(text).unwrap();
    assert!(grants.needs_json_body(&upstream, "POST", &path("/classes/Note")));
    assert!(!grants.needs_json_body(&upstream, "POST", &path("/classes/Log")));
    assert!(!grants.needs_json_body(&upstream, "GET", &path("/classes/Note")));
    let other = UpstreamName::parse("other").unwrap();
    assert!(!grants.needs_json_body(&other, "POST", &path("/classes/Note")));
}

#[test]
fn a_stored_grant_that_says_nothing_of_bodies_keeps_its_meaning() {
    // Goal: a grant from before bodies had to be said still opens what it opened. Method: read it
    // as the store does, without the expansion that new grants go through.
    let stored = r#"{"upstream":"notes","actions":{"call":{"rules":[
        {"methods":["GET","POST"],"path":"/a"}]}}}"#;
    let grant = Grant::parse(stored).unwrap();
    let grants = TokenGrants::compile(&env("dev"), &[grant]).unwrap();
    assert!(allowed(&grants, &call_with("POST /a", "anything")));
    assert!(!allowed(&grants, &call_with("GET /a", "anything")));
}

#[test]
fn a_fact_of_one_rule_opens_no_other() {
    // Goal: facts are held apart by rule. Method: two rules for one path; the request meets the
    // values of the first and the shape of the second.
    let grants = grants(&[r#"{"upstream":"notes","actions":{"call":{"rules":[
        {"methods":["GET"],"path":"/a","query":{"x":"integer"}},
        {"methods":["GET"],"path":"/a","query":{"x":{"one_of":["y"]},"z":"any"}}]}}}"#]);
    assert!(allowed(&grants, &call("GET /a?x=1")));
    assert!(allowed(&grants, &call("GET /a?x=y&z=1")));
    assert!(!allowed(&grants, &call("GET /a?x=1&z=1")));
}

#[test]
fn headers_come_from_the_rules_that_matched() {
    let grants = grants(&[r#"{"upstream":"notes","actions":{"call":{"rules":[
        {"methods":["GET"],"path":"/a","headers":["x-one"]},
        {"methods":["GET"],"path":"/{any}","headers":["x-two","x-one"]},
        {"methods":["GET"],"path":"/b","headers":["x-three"]}]}}}"#]);
    let none = UpstreamRules::default();
    let permit = authorize(&rails(&[ALLOW_ALL]), &grants, &call("GET /a"), &none).unwrap();
    let headers: Vec<&str> = permit
        .allowed_headers()
        .iter()
        .map(|header| &**header)
        .collect();
    assert_eq!(headers, ["x-one", "x-two"]);
    assert_eq!(
        **permit.policies(),
        ["policy:p0", "grant:0.0", "grant:0.1"].map(Arc::from)
    );
}

#[test]
fn grants_that_name_nothing_are_refused() {
    // Goal: an empty list reads as "anything" to a person, so it is an error, not a grant of
    // nothing. Method: the lists that parsing lets through empty.
    let upstream = UpstreamName::parse("openai").unwrap();
    let of = |actions| Grant {
        upstream: upstream.clone(),
        actions,
        conditions: Conditions::default(),
    };
    let invoke = |models: &[&str], operations: &[Operation]| {
        of(Rights::Invoke(Invoke {
            models: models
                .iter()
                .map(|model| ModelPattern::parse(model).unwrap())
                .collect(),
            operations: operations.to_vec(),
        }))
    };
    let rule = CallRule::new(Vec::new(), PathTemplate::parse("/a").unwrap());
    for grant in [
        invoke(&[], &[Operation::Responses]),
        invoke(&["a"], &[]),
        of(Rights::Call { rules: vec![rule] }),
    ] {
        assert!(
            TokenGrants::compile(&env("dev"), std::slice::from_ref(&grant)).is_err(),
            "{grant:?}"
        );
    }
    let endless = vec!["a"; TOKEN_RULES_MAX + 1];
    let error = TokenGrants::compile(&env("dev"), &[invoke(&endless, &[Operation::Responses])]);
    assert!(error.unwrap_err().to_string().contains("more than"));
    let full = vec!["a"; TOKEN_RULES_MAX];
    let full =
        TokenGrants::compile(&env("dev"), &[invoke(&full, &[Operation::Responses])]).unwrap();
    assert!(
        !allowed(&full, &crate::testing::invoke(Operation::Responses, "b")),
        "and evaluates"
    );
}

#[test]
fn no_grants_open_nothing() {
    let none = grants(&[]);
    for request in crate::testing::every_kind_of_request() {
        assert!(!allowed(&none, &request));
    }
}

#[test]
fn the_owner_sees_cedar() {
    let grants = grants(&[
        "openai:invoke:gpt-4o-mini,text-embedding-3-*",
        "notes:call:GET /classes/Note/{id}?limit,GET /files/{path...}",
    ]);
    insta::assert_snapshot!("cedar_text", grants.cedar_text());
}

/// Text with everything that means something in a policy.
fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just("*".to_owned()),
        Just("\\*".to_owned()),
        Just("\"]) }; permit(principal, action, resource); //".to_owned()),
        Just("\u{202e}".to_owned()),
        Just("\n".to_owned()),
        Just("?principal".to_owned()),
        Just("__entity".to_owned()),
        "[a-c${}:]{1,3}",
    ];
    proptest::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_name_can_write_policy(name in nasty(), other in nasty(), value in nasty()) {
        // Goal: a name is only ever a name. Method: query names and path segments made of policy
        // syntax; the grant still has one statement, allows the exact name and no other.
        let mut rule = CallRule::new(vec!["GET".into()], PathTemplate::parse("/a/{id}").unwrap());
        rule.query.insert(name.clone(), ValueRule::Any);
        let grant = Grant {
            upstream: UpstreamName::parse("notes").unwrap(),
            actions: Rights::Call { rules: vec![rule] },
            conditions: Conditions::default(),
        };
        let grants = TokenGrants::compile(&env("dev"), &[grant]).unwrap();
        prop_assert_eq!(grants.of(&UpstreamName::parse("notes").unwrap()).unwrap().statements.len(), 1);
        let reparsed: PolicySet = grants.cedar_text().parse().unwrap();
        prop_assert_eq!(reparsed.num_of_policies(), 1, "{}", grants.cedar_text());

        let mut request = call("GET /a/b");
        request.query = vec![(name.clone(), value.clone())];
        prop_assert!(allowed(&grants, &request));
        request.query = vec![(other.clone(), value)];
        prop_assert_eq!(allowed(&grants, &request), other == name);
    }

    #[test]
    fn a_template_in_cedar_is_the_template(
        template in "/(a|b|\\{x\\})(/(a|b|\\{x\\})){0,3}(/|/\\{r\\.\\.\\.\\})?",
        path in "/(a|b|c)?(/(a|b|c)){0,4}/?",
    ) {
        // Goal: Cedar's reading of a path template equals its definition. Method: random templates
        // and paths against `PathTemplate::matches`.
        let (Ok(template), Ok(path)) = (PathTemplate::parse(&template), CanonicalPath::parse(&path))
        else { return Ok(()) };
        let rule = CallRule::new(vec!["GET".into()], template.clone());
        let grant = Grant {
            upstream: UpstreamName::parse("notes").unwrap(),
            actions: Rights::Call { rules: vec![rule] },
            conditions: Conditions::default(),
        };
        let grants = TokenGrants::compile(&env("dev"), &[grant]).unwrap();
        let request = RequestContext { path: path.clone(), ..call("GET /") };
        prop_assert_eq!(allowed(&grants, &request), template.matches(&path), "{} {}", template, path);
    }

    #[test]
    fn a_model_pattern_in_cedar_is_the_pattern(
        pattern in "[a-c.:/@+_-]{1,4}\\*?",
        model in "[a-c.:/@+_*-]{1,6}",
    ) {
        let parsed = ModelPattern::parse(&pattern).unwrap();
        let grants = grants(&[&format!(
            r#"{{"upstream":"openai","actions":{{"invoke":{{"models":["{pattern}"]}}}}}}"#
        )]);
        let request = invoke(Operation::Responses, &model);
        prop_assert_eq!(allowed(&grants, &request), parsed.matches(&model), "{} {}", pattern, model);
    }

    #[test]
    fn more_grants_never_take_away(first in 0_usize..4, second in 0_usize..4) {
        let texts = [
            "openai:invoke:gpt-4o", "openai:invoke:gpt-*",
            "notes:call:GET /a", "notes:call:GET /{any}?x",
        ];
        let one = grants(&[texts[first]]);
        let two = grants(&[texts[first], texts[second]]);
        for request in [invoke(Operation::Responses, "gpt-4o"), call("GET /a"), call("GET /b?x=1")] {
            prop_assert!(!allowed(&one, &request) || allowed(&two, &request));
        }
    }
}

#[test]
fn grants_are_those_that_were_given() {
    let given = [grant("openai:invoke:a"), grant("notes:call:GET /a")];
    let compiled = TokenGrants::compile(&env("dev"), &given).unwrap();
    assert_eq!(compiled.grants(), given);
}
