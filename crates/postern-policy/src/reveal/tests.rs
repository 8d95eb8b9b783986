use super::*;
use crate::testing::{ALLOW_ALL, call, env, grants, invoke, rails, source};
use crate::{GuardRails, Permit, UpstreamRules, authorize};
use postern_types::{Operation, PrincipalId};

/// Rules that mask cards, e-mail addresses and badges in both directions, and passports in answers.
fn rules() -> UpstreamRules {
    let rule = |name: &str, spec: serde_json::Value| postern_types::DataRule {
        name: name.parse().unwrap(),
        spec: serde_json::from_value(spec).unwrap(),
    };
    let both = serde_json::json!({"directions": ["request", "response"], "action": "mask",
        "classes": ["email", "card"], "custom": [{"class": "custom:badge", "words": ["badge"]}]});
    let answers = serde_json::json!({"directions": ["response"], "action": "mask",
        "classes": ["passport"]});
    UpstreamRules::new(vec![rule("both", both), rule("answers", answers)].into())
}

fn asked(rails: &GuardRails, request: &RequestContext) -> Result<Permit, Denial> {
    let all = r#"{"invoke":{"models":["*"],"operations":["chat_completions"]}}"#;
    let granted = grants(&[
        &format!(r#"{{"upstream":"openai","actions":{all}}}"#),
        "notes:call:GET /{rest...}",
    ]);
    authorize(rails, &granted, request, &rules())
}

fn chat() -> RequestContext {
    invoke(Operation::ChatCompletions, "gpt-4o")
}

/// The classes revealed in the request and in the answer, beside a policy that allows everything.
fn revealed(texts: &[&str]) -> [Vec<String>; 2] {
    let texts: Vec<&str> = [ALLOW_ALL].iter().chain(texts).copied().collect();
    let permit = asked(&rails(&texts), &chat()).unwrap();
    let rules = permit.data_rules();
    assert_eq!(rules.rules.len(), 2, "the permit carries the rules");
    [&rules.revealed_in_request, &rules.revealed_in_response]
        .map(|classes| classes.iter().map(ToString::to_string).collect())
}

const NOTHING: [&[&str]; 2] = [&[], &[]];

#[test]
fn what_is_permitted_is_revealed_and_nothing_else() {
    // Goal: every way to name data and directions means what it says. Method: a row per way, with
    // the classes revealed in the request and in the answer.
    let rows: &[(&str, [&[&str]; 2])] = &[
        (
            r#"permit(principal, action == Postern::Action::"reveal_in_response",
                resource == Postern::DataClass::"card");"#,
            [&[], &["card"]],
        ),
        (
            r#"permit(principal, action == Postern::Action::"reveal_in_request",
                resource in Postern::ClassGroup::"personal");"#,
            [&["email"], &[]],
        ),
        (
            r#"permit(principal, action in Postern::Action::"reveal",
                resource in Postern::ClassGroup::"personal");"#,
            [&["email"], &["email", "passport"]],
        ),
        (
            r#"permit(principal, action in [Postern::Action::"reveal"], resource);"#,
            [
                &["email", "card", "custom:badge"],
                &["email", "passport", "card", "custom:badge"],
            ],
        ),
        (
            r#"permit(principal, action in Postern::Action::"reveal",
                resource == Postern::DataClass::"custom:badge");"#,
            [&["custom:badge"], &["custom:badge"]],
        ),
        (
            r#"permit(principal, action == Postern::Action::"reveal_in_request",
                resource in Postern::ClassGroup::"custom");"#,
            [&["custom:badge"], &[]],
        ),
        (
            r#"permit(principal in Postern::Team::"search",
                action == Postern::Action::"reveal_in_response", resource is Postern::DataClass)
                when { resource in Postern::ClassGroup::"payment" && context.tls
                    && context.upstream == Postern::Upstream::"openai"
                    && context has model && context.model like "gpt-*"
                    && context.source.isInRange(ip("192.0.2.0/24")) };"#,
            [&[], &["card"]],
        ),
        (
            r#"permit(principal in Postern::Team::"ads", action in Postern::Action::"reveal",
                resource);"#,
            NOTHING,
        ),
        (
            r#"permit(principal, action in Postern::Action::"reveal",
                resource == Postern::DataClass::"iban");"#,
            NOTHING,
        ),
    ];
    assert_eq!(
        revealed(&[]),
        NOTHING,
        "masked unless a policy says otherwise"
    );
    for (text, expected) in rows {
        assert_eq!(revealed(&[text]), *expected, "{text}");
    }
}

#[test]
fn a_broad_permit_reveals_nothing() {
    // Goal: an environment that allows every request does not thereby show every value. Method:
    // permits that hold for the question but name no reveal action in their scope.
    for text in [
        ALLOW_ALL,
        r#"permit(principal, action, resource) when { context.tls };"#,
        r#"permit(principal, action, resource)
            when { action in Postern::Action::"reveal" };"#,
        r#"permit(principal in Postern::Team::"search", action, resource);"#,
    ] {
        assert_eq!(revealed(&[text]), NOTHING, "{text}");
    }
    // One that speaks of data in its scope was meant to reveal: its writer is told.
    for scope in [
        r#"resource == Postern::DataClass::"card""#,
        r#"resource in Postern::ClassGroup::"payment""#,
        "resource is Postern::DataClass",
    ] {
        let text = format!("permit(principal, action, {scope});");
        let error = GuardRails::compile(&env("dev"), &[source("show", &text)]).unwrap_err();
        assert!(error.to_string().contains("names no action"), "{error}");
    }
    // And one that reveals opens no request.
    let reveal = r#"permit(principal, action in Postern::Action::"reveal", resource);"#;
    let denial = asked(&rails(&[reveal]), &chat()).err().unwrap();
    assert_eq!(denial, Denial::NotGranted(Layer::GuardRails));
}

#[test]
fn a_forbid_wins_whatever_its_scope() {
    let all = r#"permit(principal, action in Postern::Action::"reveal", resource);"#;
    let cards = r#"forbid(principal, action == Postern::Action::"reveal_in_response",
        resource == Postern::DataClass::"card");"#;
    let [request, response] = revealed(&[all, cards]);
    assert!(request.contains(&"card".to_owned()) && !response.contains(&"card".to_owned()));
    assert!(response.contains(&"email".to_owned()));
    // With an open scope it covers revealing too, here everything but requests.
    let broad = r#"forbid(principal, action, resource)
        when { resource is Postern::DataClass };"#;
    assert_eq!(revealed(&[all, broad]), NOTHING);
}

#[test]
fn a_statement_that_fails_denies_the_request() {
    // Goal: a policy that cannot be evaluated never reveals, and is not passed over. Method: an
    // overflow that strict validation accepts, in a permit and in a forbid; at an upstream whose
    // rules do not speak of the class nothing is asked.
    let fails = r#"when { 9223372036854775807 + context.segments.count > 0 }"#;
    for text in [
        format!(r#"permit(principal, action in Postern::Action::"reveal", resource) {fails};"#),
        format!(
            r#"permit(principal, action in Postern::Action::"reveal", resource);
            forbid(principal, action in Postern::Action::"reveal", resource) {fails};"#
        ),
    ] {
        let rails = rails(&[ALLOW_ALL, &text]);
        let denial = asked(&rails, &chat()).err().unwrap();
        assert!(matches!(denial, Denial::Failed { .. }), "{denial}");
        let granted = grants(&["openai:invoke:gpt-4o"]);
        let free = authorize(&rails, &granted, &chat(), &UpstreamRules::default());
        assert!(free.is_ok(), "no rule, no question");
    }
}

#[test]
fn names_of_data_are_checked_when_the_policy_is_saved() {
    for (name, known) in [
        (r#"Postern::DataClass::"card""#, true),
        (r#"Postern::DataClass::"custom:badge""#, true),
        (r#"Postern::DataClass::"credit_card""#, false),
        (r#"Postern::DataClass::"Card""#, false),
    ] {
        let text = format!(
            "permit(principal, action in Postern::Action::\"reveal\", resource == {name});"
        );
        let compiled = GuardRails::compile(&env("dev"), &[source("show", &text)]);
        assert_eq!(compiled.is_ok(), known, "{name}");
    }
    for group in groups() {
        rails(&[&format!(
            "permit(principal, action in Postern::Action::\"reveal\", \
             resource in Postern::ClassGroup::\"{group}\");"
        )]);
    }
    let text = "permit(principal, action in Postern::Action::\"reveal\",\n\
                resource in Postern::ClassGroup::\"payments\");";
    let error = GuardRails::compile(&env("dev"), &[source("show", text)]).unwrap_err();
    let problem = &error.problems()[0];
    assert_eq!(problem.line, Some(2));
    assert!(problem.message.contains("payments") && problem.help.contains("data-rule classes"));
}

#[test]
fn the_record_names_who_revealed() {
    let text = r#"permit(principal, action in Postern::Action::"reveal", resource);"#;
    let permit = asked(&rails(&[ALLOW_ALL, text]), &chat()).unwrap();
    assert_eq!(
        **permit.policies(),
        ["policy:p0", "grant:0", "policy:p1"].map(Arc::from)
    );
}

#[test]
fn a_principal_sees_what_is_its_own() {
    // Goal: the decision is about the principal that asks, at plain HTTP upstreams too. Method: two
    // principals, one policy.
    let text = r#"permit(principal == Postern::Principal::"user:auditor",
        action == Postern::Action::"reveal_in_response", resource)
        unless { context has model || context.method != "GET" };"#;
    let rails = rails(&[ALLOW_ALL, text]);
    let mut request = call("GET /customers/7");
    let other = asked(&rails, &request).unwrap();
    assert!(other.data_rules().revealed_in_response.is_empty());
    request.subject.principal.id = PrincipalId::parse("user:auditor").unwrap();
    let auditor = asked(&rails, &request).unwrap();
    assert_eq!(auditor.data_rules().revealed_in_response.len(), 4);
    assert!(auditor.data_rules().revealed_in_request.is_empty());
}
