mod remembered;

use super::*;
use crate::attributes::Needed;
use crate::reads::Reads;
use crate::testing::{
    ALLOW_ALL, call, env, every_kind_of_request, grants, invoke, rails, source, subject,
};
use std::sync::LazyLock;

use postern_types::{PrincipalId, UpstreamName};
use proptest::prelude::*;

/// Grants that cover every request of [`every_kind_of_request`].
fn wide() -> &'static TokenGrants {
    static WIDE: LazyLock<TokenGrants> = LazyLock::new(|| {
        let operations = Operation::ALL
            .map(|operation| format!("\"{operation}\""))
            .join(",");
        let invoke = format!(r#"{{"invoke":{{"models":["*"],"operations":[{operations}]}}}}"#);
        grants(&[
            &format!(r#"{{"upstream":"openai","actions":{invoke}}}"#),
            "notes:call:GET /,GET /{rest...}?x&y,GET /a?x&y,POST /{rest...} body=any",
        ])
    });
    &WIDE
}

/// The decision at an upstream without data rules.
fn authorize(
    rails: &GuardRails,
    grants: &TokenGrants,
    context: &RequestContext,
) -> Result<Permit, Denial> {
    super::authorize(rails, grants, context, &UpstreamRules::default())
}

fn denied(result: Result<Permit, Denial>) -> Denial {
    match result {
        Ok(permit) => panic!("allowed by {:?}", permit.policies()),
        Err(denial) => denial,
    }
}

#[test]
fn a_permit_says_what_was_permitted() {
    let request = invoke(Operation::ChatCompletions, "gpt-4o");
    let permit = authorize(&rails(&[ALLOW_ALL]), wide(), &request).unwrap();
    assert_eq!(permit.environment(), &env("dev"));
    assert_eq!(permit.token(), subject().token);
    assert_eq!(permit.principal().as_str(), "service:web");
    assert_eq!(permit.upstream().as_str(), "openai");
    assert_eq!(permit.operation(), Some(Operation::ChatCompletions));
    assert_eq!(permit.model(), Some("gpt-4o"));
    assert_eq!(**permit.policies(), ["policy:p0", "grant:0"].map(Arc::from));
    assert!(permit.allowed_headers().is_empty());
}

#[test]
fn empty_denies() {
    // Goal: nothing permits by default, in either layer. Method: every kind of request against an
    // empty set beside one that would allow.
    for request in every_kind_of_request() {
        let no_rails = authorize(&rails(&[]), wide(), &request);
        assert_eq!(denied(no_rails), Denial::NotGranted(Layer::GuardRails));
        let no_grants = authorize(&rails(&[ALLOW_ALL]), &grants(&[]), &request);
        assert_eq!(denied(no_grants), Denial::NotGranted(Layer::Grants));
    }
}

#[test]
fn a_dev_token_never_reaches_prod() {
    // Goal: promise "Apart": even an allow-all policy and a grant of the same upstream name open
    // dev's upstream only. Method: the same names in both environments, every mixture of token,
    // guard-rails and grants.
    let envs = ["dev", "prod"].map(env);
    let grant = [crate::testing::grant("openai:invoke:*")];
    for token in &envs {
        for rails_env in &envs {
            for grants_env in &envs {
                let rails = GuardRails::compile(rails_env, &[source("all", ALLOW_ALL)]).unwrap();
                let grants = TokenGrants::compile(grants_env, &grant).unwrap();
                let mut request = invoke(Operation::Responses, "gpt-4o");
                request.subject.environment = token.clone();
                let result = authorize(&rails, &grants, &request);
                if token == rails_env && token == grants_env {
                    assert_eq!(result.unwrap().environment(), token);
                } else {
                    let denial = denied(result);
                    assert!(
                        matches!(denial, Denial::OtherEnvironment { .. }),
                        "{denial}"
                    );
                }
            }
        }
    }
}

#[test]
fn statements_that_fail_deny() {
    // Goal: an evaluation error is a denial, whether the statement permits or forbids, though the
    // engine would skip it. Method: statements that strict validation accepts and that fail on
    // this request, each beside an allow-all.
    let failures = [
        "forbid(principal, action == Postern::Action::\"responses\", resource)
         when { context.text_bytes * 9223372036854775807 > 0 };",
        "permit(principal, action == Postern::Action::\"responses\", resource)
         when { context.text_bytes - 9223372036854775807 - 9223372036854775807 < 0 };",
        "forbid(principal, action == Postern::Action::\"responses\", resource)
         when { Postern::Principal::\"user:ghost\".kind == \"agent\" };",
        "forbid(principal, action == Postern::Action::\"responses\", resource)
         when { Postern::Upstream::\"gone\".kind == \"http\" };",
        "forbid(principal, action == Postern::Action::\"responses\", resource)
         unless { context.time.offset(duration(\"9223372036854775807ms\")) > context.time };",
    ];
    let request = invoke(Operation::Responses, "gpt-4o");
    for failing in failures {
        let denial = denied(authorize(&rails(&[ALLOW_ALL, failing]), wide(), &request));
        let Denial::Failed {
            layer: Layer::GuardRails,
            causes,
        } = &denial
        else {
            panic!("{denial} for {failing}")
        };
        assert!(causes[0].contains("policy:p1"), "{causes:?}");
        // On another action the statement is not evaluated that far.
        let other = invoke(Operation::Embeddings, "gpt-4o");
        assert!(
            authorize(&rails(&[ALLOW_ALL, failing]), wide(), &other).is_ok(),
            "{failing}"
        );
    }
}

#[test]
fn forbids_win_and_are_named() {
    let forbid = "forbid(principal, action, resource == Postern::Model::\"gpt-4o\");";
    let rails = rails(&[ALLOW_ALL, forbid]);
    let denial = denied(authorize(
        &rails,
        wide(),
        &invoke(Operation::Responses, "gpt-4o"),
    ));
    let policies = vec!["policy:p1".to_owned()];
    assert_eq!(
        denial,
        Denial::Forbidden {
            layer: Layer::GuardRails,
            policies
        }
    );
    assert_eq!(
        denial.cause(),
        "the guard-rails of the environment forbid it: policy:p1"
    );
    assert!(authorize(&rails, wide(), &invoke(Operation::Responses, "gpt-4")).is_ok());
}

/// The rest of a statement, and whether it holds for `responses` on `gpt-4o`.
const STATEMENTS: [(&str, bool); 26] = [
    (
        r#"(principal in Postern::Team::"search", action, resource)"#,
        true,
    ),
    (
        r#"(principal in Postern::Team::"ads", action, resource)"#,
        false,
    ),
    (
        r#"(principal in Postern::Tenant::"acme", action, resource)"#,
        true,
    ),
    (
        r#"(principal in Postern::Tenant::"search", action, resource)"#,
        false,
    ),
    (
        r#"(principal == Postern::Principal::"service:web", action, resource)"#,
        true,
    ),
    (
        r#"(principal in Postern::Environment::"dev", action, resource)"#,
        true,
    ),
    (
        r#"(principal, action in Postern::Action::"invoke", resource)"#,
        true,
    ),
    (
        r#"(principal, action == Postern::Action::"call", resource)"#,
        false,
    ),
    (
        r#"(principal, action, resource in Postern::Upstream::"openai")"#,
        true,
    ),
    (
        r#"(principal, action, resource in Postern::Upstream::"notes")"#,
        false,
    ),
    (
        r#"(principal, action, resource in Postern::Environment::"dev")"#,
        true,
    ),
    (
        r#"(principal, action, resource is Postern::Model in Postern::Upstream::"openai")"#,
        true,
    ),
    (
        r#"(principal, action, resource) when { principal.kind == "service" }"#,
        true,
    ),
    (
        r#"(principal, action, resource) when { principal.name == "web" }"#,
        true,
    ),
    (
        r#"(principal, action, resource) when { context.upstream.kind == "openai" }"#,
        true,
    ),
    (
        r#"(principal, action, resource) when { context.upstream.kind == "http" }"#,
        false,
    ),
    (
        r#"(principal, action, resource) when { context.time < datetime("2026-03-02") }"#,
        true,
    ),
    (
        r#"(principal, action, resource) when { context.time.toTime() > duration("12h") }"#,
        true,
    ),
    (
        r#"(principal, action, resource) when { context.token_age > duration("29d") }"#,
        false,
    ),
    (
        r#"(principal, action, resource) when { context.token_age == duration("28d250ms") }"#,
        true,
    ),
    (
        r#"(principal, action, resource) when { context.source == ip("192.0.2.7") }"#,
        true,
    ),
    (
        r#"(principal, action, resource) when { context.source_via == "socket" }"#,
        true,
    ),
    (
        r#"(principal, action, resource)
            when { context.token == Postern::Token::"0123456789abcdEF" }"#,
        true,
    ),
    (
        r#"(principal, action, resource) when { context.path == "/v1/chat/completions" }"#,
        true,
    ),
    (
        r#"(principal, action, resource) when { context.header_names.contains("accept") }"#,
        true,
    ),
    (
        r#"(principal, action, resource) when { context == context && context.tls }"#,
        true,
    ),
];

#[test]
fn the_words_of_the_schema_mean_what_it_says() {
    // Goal: teams, tenants, upstreams, kinds, action groups and every sort of attribute are at
    // hand. Method: each statement as the only permit, and as a forbid beside an allow-all.
    let request = invoke(Operation::Responses, "gpt-4o");
    for (rest, holds) in STATEMENTS {
        let text = format!("permit{rest};");
        let result = authorize(&rails(&[&text]), wide(), &request);
        assert_eq!(result.is_ok(), holds, "{text}: {result:?}");
        let text = format!("forbid{rest};");
        let result = authorize(&rails(&[ALLOW_ALL, &text]), wide(), &request);
        assert_eq!(result.is_ok(), !holds, "{text}: {result:?}");
    }
    let mut loner = request;
    (loner.subject.principal.team, loner.subject.principal.tenant) = (None, None);
    let text = r#"permit(principal in Postern::Team::"search", action, resource);"#;
    assert!(authorize(&rails(&[text]), wide(), &loner).is_err());
}

#[test]
fn a_team_cannot_pose_as_a_tenant_or_a_principal() {
    // Goal: names of different kinds never meet. Method: one text as team, tenant and model.
    let mut request = invoke(Operation::Responses, "search");
    request.subject.principal.tenant = None;
    for kind in ["Tenant", "Environment"] {
        let text = format!(r#"permit(principal in Postern::{kind}::"search", action, resource);"#);
        let compiled = GuardRails::compile(&env("dev"), &[source("p", &text)]);
        let Ok(rails) = compiled else { continue };
        assert!(authorize(&rails, wide(), &request).is_err(), "{kind}");
    }
    request.subject.principal.id = PrincipalId::parse("user:web").unwrap();
    let text = r#"permit(principal == Postern::Principal::"service:web", action, resource);"#;
    assert!(authorize(&rails(&[text]), wide(), &request).is_err());
}

#[test]
fn requests_without_a_clear_meaning_are_denied() {
    let rails = rails(&[ALLOW_ALL]);
    let unclear = |request: RequestContext| {
        let denial = denied(authorize(&rails, wide(), &request));
        assert!(matches!(denial, Denial::Unclear(_)), "{denial}");
    };
    let mut request = invoke(Operation::Responses, "a");
    request.ai = None;
    unclear(request);
    let mut request = call("GET /");
    request.ai = invoke(Operation::Responses, "a").ai;
    unclear(request);
    unclear(invoke(Operation::Responses, ""));
    let mut request = invoke(Operation::ListModels, "a");
    unclear(request.clone());
    request.ai.as_mut().unwrap().operation = Operation::Responses;
    request.ai.as_mut().unwrap().model = Some("".into());
    unclear(request);
}

#[test]
fn the_list_of_models_is_filtered_by_both_layers() {
    let rails = rails(&[
        ALLOW_ALL,
        "forbid(principal, action, resource == Postern::Model::\"gpt-4o\");",
    ]);
    let grants = grants(&["openai:invoke:gpt-*", "other:invoke:claude"]);
    let list = invoke(Operation::ListModels, "");
    assert!(may_use_model(&rails, &grants, &list, "gpt-4o-mini"));
    for model in ["gpt-4o", "claude", "", "o3"] {
        assert!(!may_use_model(&rails, &grants, &list, model), "{model}");
    }
    let only_list = crate::testing::grants(&[
        r#"{"upstream":"openai","actions":{"invoke":{"models":["*"],"operations":["list_models"]}}}"#,
    ]);
    assert!(
        !may_use_model(&rails, &only_list, &list, "gpt-4o-mini"),
        "listing is not using"
    );
}

#[test]
fn causes_name_the_layer_and_never_an_address() {
    for (denial, layer, text) in [
        (
            Denial::NotGranted(Layer::Grants),
            Some(Layer::Grants),
            "grants of the token",
        ),
        (
            Denial::Failed {
                layer: Layer::GuardRails,
                causes: vec!["overflow".to_owned()],
            },
            Some(Layer::GuardRails),
            "could not be evaluated: overflow",
        ),
        (Denial::Unclear("no operation"), None, "no operation"),
    ] {
        assert_eq!(denial.layer(), layer);
        assert!(denial.cause().contains(text), "{denial}");
    }
}

/// Statements over every sort of thing that a policy can ask about; each passes strict validation.
fn statement() -> impl Strategy<Value = String> {
    let effect = prop_oneof![Just("permit"), Just("forbid")];
    let scope = prop_oneof![
        Just("principal, action, resource"),
        Just(r#"principal in Postern::Team::"search", action, resource"#),
        Just(r#"principal in Postern::Tenant::"other", action, resource"#),
        Just(r#"principal, action in Postern::Action::"invoke", resource"#),
        Just(r#"principal, action, resource in Postern::Upstream::"openai""#),
        Just(r#"principal, action, resource is Postern::Upstream"#),
    ];
    let condition = prop_oneof![
        Just("true == true"),
        Just(r#"context.method == "GET""#),
        Just(r#"principal.kind == "service""#),
        Just("context has body_bytes && context.body_bytes > 0"),
        Just("context.segments.count > 1"),
        Just(r#"context.query_names.contains("x")"#),
        Just("context.segments.count * 9223372036854775807 > 1"),
        Just(r#"context.source.isInRange(ip("192.0.2.0/24"))"#),
        Just(r#"context.time > datetime("2026-02-01")"#),
        Just(r#"context.upstream.kind == "http""#),
        Just("[context].contains(context)"),
    ];
    (
        effect,
        scope,
        proptest::collection::vec((any::<bool>(), condition), 0..3),
    )
        .prop_map(|(effect, scope, conditions)| {
            let conditions: String = conditions
                .iter()
                .map(|(when, text)| {
                    format!(" {} {{ {text} }}", if *when { "when" } else { "unless" })
                })
                .collect();
            format!("{effect}({scope}){conditions};")
        })
}

fn compile(texts: &[String]) -> Option<GuardRails> {
    let sources: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(at, text)| source(&format!("p{at}"), text))
        .collect();
    GuardRails::compile(&env("dev"), &sources).ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn adding_a_forbid_never_allows_more(
        texts in proptest::collection::vec(statement(), 1..5),
        forbid in statement(),
    ) {
        // Goal: monotony. Method: random guard-rails with and without one more forbid, asked about
        // every kind of request.
        let forbid = forbid.replacen("permit", "forbid", 1);
        let Some(without) = compile(&texts) else { return Ok(()) };
        let Some(with) = compile(&[texts, vec![forbid]].concat()) else { return Ok(()) };
        for request in every_kind_of_request() {
            let before = authorize(&without, wide(), &request).is_ok();
            let after = authorize(&with, wide(), &request).is_ok();
            prop_assert!(before || !after, "{:?}", request);
        }
    }

    #[test]
    fn leaving_out_what_no_policy_reads_changes_nothing(
        texts in proptest::collection::vec(statement(), 1..5),
    ) {
        // Goal: the shortcut of `reads` is exact. Method: the same guard-rails with everything at
        // hand give the same verdict, with the same statements named.
        let Some(short) = compile(&texts) else { return Ok(()) };
        let mut full = short.clone();
        full.needed = Needed::by(&Reads::everything());
        for request in every_kind_of_request() {
            let names = |permit: Permit| Arc::clone(permit.policies());
            let short = authorize(&short, wide(), &request).map(names);
            let full = authorize(&full, wide(), &request).map(names);
            prop_assert_eq!(short, full, "{:?}", request);
        }
    }

    #[test]
    fn a_failing_statement_never_allows(texts in proptest::collection::vec(statement(), 0..4)) {
        let failing = "permit(principal, action, resource)
            when { context.segments.count - 9223372036854775807 - 9223372036854775807 > 0 };";
        let all = [texts, vec![ALLOW_ALL.to_owned(), failing.to_owned()]].concat();
        let Some(rails) = compile(&all) else { return Ok(()) };
        for request in every_kind_of_request() {
            prop_assert!(authorize(&rails, wide(), &request).is_err());
        }
    }

    #[test]
    fn whatever_is_sent_stays_in_its_upstream(
        upstream in "[a-z]{1,3}", path in "/[a-z%.{}$]{0,8}", model in "[ -~]{1,12}",
    ) {
        // Goal: nothing that the client writes makes a grant of one upstream open another. Method:
        // random upstream, path and model against a grant of everything at one upstream.
        let grants = grants(&["abc:call:GET /{rest...}", "xyz:invoke:*"]);
        let name = UpstreamName::parse(&upstream).unwrap();
        let mut request = invoke(Operation::Responses, &model);
        request.upstream = name.clone();
        let result = authorize(&rails(&[ALLOW_ALL]), &grants, &request);
        prop_assert_eq!(result.is_ok(), upstream == "xyz");
        if let Ok(path) = postern_types::CanonicalPath::parse(&path) {
            let request = RequestContext { upstream: name, path, ..call("GET /") };
            let result = authorize(&rails(&[ALLOW_ALL]), &grants, &request);
            prop_assert!(result.is_err() || upstream == "abc");
        }
    }
}
