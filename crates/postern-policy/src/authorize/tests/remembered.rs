//! Decisions out of memory.

use super::*;

proptest! {
    #[test]
    fn a_remembered_decision_is_the_one_that_would_be_made(
        questions in proptest::collection::vec(
            (0_usize..8, 0_usize..5, 0_usize..8, any::<bool>(), 0_usize..3, 0_usize..3), 1..60),
    ) {
        // Goal: remembering changes no decision. Method: a long run of questions of few kinds, so
        // that most were asked before, some by another policy, principal or moment that differs in
        // one thing; what comes out is what asking afresh gives.
        static LAYERS: LazyLock<(Vec<GuardRails>, Vec<TokenGrants>)> = LazyLock::new(|| {
            let guards = [
                ALLOW_ALL,
                r#"permit(principal == Postern::Principal::"service:web", action, resource);"#,
                r#"permit(principal in Postern::Team::"a", action, resource);"#,
                r#"permit(principal, action, resource) unless { principal.kind == "user" };"#,
                r#"permit(principal, action, resource == Postern::Model::"gpt-4o");"#,
                r#"permit(principal, action == Postern::Action::"chat_completions", resource);"#,
                "permit(principal, action, resource) when { context.tls };",
                r#"permit(principal, action, resource);
                   forbid(principal in Postern::Tenant::"t", action, resource);"#,
            ];
            let granted = [
                "openai:invoke:*",
                "openai:invoke:gpt-4o",
                "openai:invoke:gpt-4*",
                "notes:call:GET /{rest...}",
                r#"{"upstream":"openai","actions":{"invoke":{"models":["*"],
                    "operations":["chat_completions"]}}}"#,
            ];
            let guards = guards.iter().map(|text| rails(&[text])).collect();
            (guards, granted.iter().map(|text| grants(&[text])).collect())
        });
        for (guard, granted, what, tls, team, tenant) in questions {
            let (guard, granted) = (&LAYERS.0[guard], &LAYERS.1[granted]);
            let mut request = match what {
                0 => call("GET /a"),
                1 => invoke(Operation::ChatCompletions, "gpt-4o"),
                2 => invoke(Operation::ChatCompletions, "gpt-4o-mini"),
                3 => invoke(Operation::ChatCompletions, "o4"),
                4 => invoke(Operation::Embeddings, "gpt-4o"),
                5 => invoke(Operation::Responses, "gpt-4o"),
                6 => call("POST /a"),
                _ => call("GET /b/c"),
            };
            request.tls = tls;
            let principal = &mut request.subject.principal;
            principal.id = PrincipalId::parse(["service:web", "user:web", "agent:a"][team]).unwrap();
            principal.team = [None, Some("a"), Some("b")][team].map(str::to_owned);
            principal.tenant = [None, Some("t"), Some("u")][tenant].map(str::to_owned);
            let afresh = ask(guard, granted, &request);
            prop_assert_eq!(permits(guard, granted, &request), afresh.clone());
            prop_assert_eq!(permits(guard, granted, &request), afresh);
        }
    }
}

#[test]
fn a_layer_that_was_compiled_anew_is_another() {
    // Goal: nothing that was permitted under a policy survives its change. Method: the same names
    // and the same question, permitted before the change.
    let request = invoke(Operation::ChatCompletions, "gpt-4o");
    let before = rails(&[ALLOW_ALL]);
    assert!(authorize(&before, wide(), &request).is_ok());
    let after = rails(&["forbid(principal, action, resource);"]);
    assert!(authorize(&after, wide(), &request).is_err());
    assert!(authorize(&before, &grants(&["openai:invoke:o4"]), &request).is_err());
    assert!(authorize(&before.clone(), wide(), &request).is_ok());
}
