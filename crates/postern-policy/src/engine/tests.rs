use super::*;
use std::collections::BTreeSet;
use std::path::PathBuf;

use cedar_policy::{
    Authorizer, Decision, EntityId, EntityTypeName, PolicySet, Schema, ValidationMode, Validator,
};
use serde_json::Value;

/// The rows of one file of Cedar's own test vectors; `None` where there are none on this machine.
fn vectors(file: &str) -> Option<Vec<Value>> {
    let corpora = std::env::var_os("POSTERN_CORPORA").map_or_else(
        || {
            PathBuf::from(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../../shared/corpora"
            ))
        },
        PathBuf::from,
    );
    let Ok(text) = std::fs::read_to_string(corpora.join("conformance").join(file)) else {
        assert!(
            std::env::var_os("CI").is_none_or(|ci| ci != "true"),
            "corpora not found"
        );
        eprintln!("SKIPPED: corpora not found");
        return None;
    };
    Some(
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
    )
}

fn uid(value: &Value) -> EntityUid {
    let kind: EntityTypeName = value["type"].as_str().unwrap().parse().unwrap();
    EntityUid::from_type_name_and_id(kind, EntityId::new(value["id"].as_str().unwrap()))
}

/// What became of the rows of a file.
#[derive(Debug, Default)]
struct Tally {
    /// Requests whose verdict was compared.
    compared: usize,
    allowed: usize,
    /// Requests that Cedar decides although a statement fails, and that we deny.
    failed: usize,
    /// Rows that use the `decimal` extension, which is not built in.
    beyond_us: usize,
}

fn replay(file: &str) -> Option<Tally> {
    let mut tally = Tally::default();
    for row in vectors(file)? {
        if row.to_string().contains("decimal") {
            tally.beyond_us += 1;
            continue;
        }
        replay_row(&row, &mut tally);
    }
    Some(tally)
}

fn replay_row(row: &Value, tally: &mut Tally) {
    let name = &row["id"];
    let policies: PolicySet = row["policies"].as_str().unwrap().parse().unwrap();
    let (schema, _) = Schema::from_cedarschema_str(row["schema"].as_str().unwrap()).unwrap();
    let valid = Validator::new(schema.clone()).validate(&policies, ValidationMode::Strict);
    // Some findings are mere warnings to this release of Cedar; we refuse those as well.
    let refused = !valid.validation_passed_without_warnings();
    match row["should_validate"].as_bool().unwrap() {
        true => assert!(valid.validation_passed(), "{name}"),
        false => assert!(refused, "{name}"),
    }
    let entities = Entities::from_json_value(row["entities"].clone(), Some(&schema)).unwrap();
    let statements: Vec<Statement> = policies.policies().map(Statement::new).collect();

    for asked in row["requests"].as_array().unwrap() {
        let action = uid(&asked["action"]);
        let checked = asked["validateRequest"].as_bool().unwrap_or(false);
        let context = asked["context"].clone();
        let context = Context::from_json_value(context, checked.then_some((&schema, &action)));
        let question = Question {
            principal: uid(&asked["principal"]),
            action,
            resource: uid(&asked["resource"]),
            context: context.unwrap(),
        };
        let verdict = evaluate(Layer::GuardRails, &statements, &entities, question);
        let ids = |key: &str| -> BTreeSet<String> {
            let ids = asked[key].as_array().unwrap().iter();
            ids.map(|id| id.as_str().unwrap().to_owned()).collect()
        };
        tally.compared += 1;
        match (
            verdict,
            ids("errors").is_empty(),
            asked["decision"].as_str().unwrap(),
        ) {
            (Ok(permits), true, "allow") => {
                let permits: BTreeSet<String> = permits.iter().map(ToString::to_string).collect();
                assert_eq!(permits, ids("reason"), "{name}");
                tally.allowed += 1;
            }
            (Err(Denial::Forbidden { policies, .. }), true, "deny") => {
                assert_eq!(BTreeSet::from_iter(policies), ids("reason"), "{name}");
            }
            (Err(Denial::NotGranted(_)), true, "deny") => {
                assert!(ids("reason").is_empty(), "{name}");
            }
            (Err(Denial::Failed { causes, .. }), false, _) => {
                let failing = causes.iter().filter_map(|cause| cause.split(": ").next());
                assert_eq!(
                    failing.map(str::to_owned).collect::<BTreeSet<_>>(),
                    ids("errors")
                );
                tally.failed += 1;
            }
            (verdict, _, expected) => panic!("{name}: {verdict:?}, but {expected}"),
        }
    }
}

#[test]
fn cedars_handwritten_vectors_agree() {
    // Goal: the last step, which is ours, is Cedar's, but for failures, which deny. Method: replay
    // Cedar's integration tests and compare decision, determining policies and failing policies.
    let Some(tally) = replay("cedar_handwritten.jsonl") else {
        return;
    };
    assert!(tally.compared >= 9 && tally.allowed >= 5, "{tally:?}");
    eprintln!("{tally:?}");
}

#[test]
fn cedars_generated_vectors_agree() {
    let Some(tally) = replay("cedar_generated.jsonl") else {
        return;
    };
    assert!(
        tally.compared >= 1_000 && tally.allowed >= 100 && tally.failed >= 10,
        "{tally:?}"
    );
    eprintln!("{tally:?}");
}

#[test]
fn the_authorizer_agrees_on_every_mixture() {
    // Goal: as above, on each mixture of holding, not holding and failing statements. Method: all
    // sets of up to three of them, against Cedar's own authorizer.
    let texts = [
        "permit(principal, action, resource);",
        "permit(principal, action, resource) when { 1 == 2 };",
        "permit(principal, action, resource) when { 9223372036854775807 + 1 == 2 };",
        "forbid(principal, action, resource);",
        "forbid(principal, action, resource) when { 1 == 2 };",
        "forbid(principal, action, resource) when { context.missing };",
        "forbid(principal, action, resource) when { 5 };",
    ];
    let person = || "Person::\"a\"".parse::<EntityUid>().unwrap();
    for mask in 0_u32..(1 << texts.len()) {
        let chosen = (0..texts.len()).filter(|bit| mask & (1 << bit) != 0);
        let set: PolicySet = chosen
            .map(|bit| texts[bit])
            .collect::<String>()
            .parse()
            .unwrap();
        let statements: Vec<Statement> = set.policies().map(Statement::new).collect();
        let question = Question {
            principal: person(),
            action: person(),
            resource: person(),
            context: Context::empty(),
        };
        let verdict = evaluate(Layer::Grants, &statements, &Entities::empty(), question);
        let request = Request::new(person(), person(), person(), Context::empty(), None).unwrap();
        let theirs = Authorizer::new().is_authorized(&request, &set, &Entities::empty());
        let failing = theirs.diagnostics().errors().count();
        match verdict {
            Ok(permits) => {
                assert_eq!((theirs.decision(), failing), (Decision::Allow, 0), "{set}");
                assert_eq!(permits.len(), theirs.diagnostics().reason().count());
            }
            Err(Denial::Failed { causes, .. }) => assert_eq!(causes.len(), failing, "{set}"),
            Err(_) => assert_eq!((theirs.decision(), failing), (Decision::Deny, 0), "{set}"),
        }
    }
}
