use super::*;
use crate::testing::{ALLOW_ALL, env, rails, source};

fn problems(text: &str) -> Vec<Problem> {
    GuardRails::compile(&env("dev"), &[source("web", text)])
        .unwrap_err()
        .problems()
        .to_vec()
}

#[test]
fn each_mistake_is_named_with_its_place_and_an_advice() {
    // Goal: whoever saves a policy learns where to look and what to change. Method: golden file of
    // one mistake of each kind.
    let mistakes = [
        "permit(principal, action, resource)",
        "\n\npermit(principle, action, resource);",
        "permit(principal, action, resource)\nwhen { context.modle == \"a\" };",
        "permit(principal, action == Postern::Action::\"chat\", resource);",
        "permit(principal == User::\"a\", action, resource);",
        "permit(principal, action, resource)\n  when { context.tls == \"yes\" };",
        "permit(principal, action, resource) when { context.source == ip(context.method) };",
        "permit(principal, action, resource) when { context.source == ip(\"10.0.0\") };",
        "permit(principal, action == Postern::Action::\"messages\", resource)\n\
         when { context.output_cap < 5 };",
        "forbid(principal, action == Postern::Action::\"call\", resource is Postern::Model);",
        "forbid(principal, action, resource) when { context.method == \"GET\" && \
         context.method == \"G\u{202e}ET\" };",
        "permit(principal, action, resource == ?resource);",
        "// nothing but a comment",
    ];
    let mut golden = String::new();
    for text in mistakes {
        let found = problems(text);
        golden += &format!("{}\n", text.escape_debug());
        for problem in found {
            assert_eq!(problem.policy, "web");
            assert!(!problem.help.is_empty(), "{problem}");
            golden += &format!("  -> {problem}\n");
        }
    }
    insta::assert_snapshot!("mistakes", golden);
}

#[test]
fn all_mistakes_are_told_at_once() {
    let sources = [
        source(
            "one",
            "permit(principal, action, resource) when { context.nothing };",
        ),
        source("two", "permit("),
        source("three", ALLOW_ALL),
        source("four", "permit(principal, action, resource in ?resource);"),
        source("five", "// nothing but a comment"),
    ];
    let error = GuardRails::compile(&env("dev"), &sources).unwrap_err();
    let named: Vec<_> = error
        .problems()
        .iter()
        .map(|problem| problem.policy.as_str())
        .collect();
    for policy in ["one", "two", "four", "five"] {
        assert!(named.contains(&policy), "{policy} in {error}");
    }
    assert!(!named.contains(&"three"), "{error}");
}

#[test]
fn second_statements_are_told_apart() {
    let text = format!(
        "{ALLOW_ALL}\n{ALLOW_ALL}\n// c\nforbid(principal, action, resource) when {{ context.q }};"
    );
    let found = problems(&text);
    assert_eq!((found[0].line, found[0].policy.as_str()), (Some(4), "web"));
    let rails = rails(&[&format!("{ALLOW_ALL} {ALLOW_ALL}")]);
    let names: Vec<_> = rails.statements.iter().map(Statement::id).collect();
    assert_eq!(names, ["policy:p0", "policy:p0#2"]);
}

#[test]
fn names_of_another_environment_are_refused() {
    // Goal: a policy cannot be about another environment, and its writer is told. Method: the name
    // in each place where a name can stand.
    for text in [
        "permit(principal in Postern::Environment::\"prod\", action, resource);",
        "permit(principal, action, resource in Postern::Environment::\"prod\");",
        "permit(principal, action, resource)\nwhen { resource in [Postern::Environment::\"prod\"] };",
        "permit(principal, action, resource)\nunless { principal in Postern::Environment::\"prod\" };",
    ] {
        let found = problems(text);
        assert!(
            found[0].message.contains("prod") && found[0].message.contains("dev"),
            "{found:?}"
        );
        assert!(found[0].line.is_some() && found[0].help.contains("only ever sees its own"));
    }
    rails(&["permit(principal in Postern::Environment::\"dev\", action, resource);"]);
}

#[test]
fn a_policy_may_not_be_endless() {
    let long = format!("{ALLOW_ALL} // {}", "x".repeat(POLICY_TEXT_BYTES_MAX));
    assert!(problems(&long)[0].message.contains("longer than"));
    let many = ALLOW_ALL.repeat(STATEMENTS_MAX + 1);
    assert!(problems(&many)[0].message.contains("more than"));
}

#[test]
fn the_same_name_twice_is_an_error() {
    let twice = [source("a", ALLOW_ALL), source("a", ALLOW_ALL)];
    let error = GuardRails::compile(&env("dev"), &twice).unwrap_err();
    assert!(error.to_string().contains("a name of its own"), "{error}");
}

#[test]
fn documented_examples_compile() {
    rails(&[
        ALLOW_ALL,
        r#"forbid(principal, action, resource) unless { context.source.isInRange(ip("10.0.0.0/8")) };"#,
        r#"forbid(principal, action in Postern::Action::"invoke", resource in Postern::Upstream::"openai")
           when { context has output_cap && context.output_cap > 4096 };"#,
        r#"forbid(principal is Postern::Principal, action, resource) when { principal.kind == "agent"
           && context.time.toTime() < duration("8h") };"#,
        r#"forbid(principal in Postern::Team::"interns", action == Postern::Action::"call", resource)
           unless { context.method == "GET" };"#,
        r#"forbid(principal, action, resource) when { context.token_age > duration("30d") };"#,
        r#"forbid(principal, action, resource) when { context.token == Postern::Token::"0123456789abcdEF" };"#,
        r#"forbid(principal, action == Postern::Action::"call", resource) when {
           context.segments has s1 && context.segments.s1 == "admin" };"#,
    ]);
}
