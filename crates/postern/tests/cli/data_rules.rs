//! Data rules through the command line and the admin API.

use std::fs;

use serde_json::{Value, json};

use crate::house::{House, printed, run_in};

#[test]
fn a_data_rule_is_made_listed_changed_and_deleted() {
    // Goal: the life of a rule by command line. Method: each command, its JSON and its table.
    let house = House::open();
    house.furnish("dev");
    let create = [
        "data-rule",
        "create",
        "people",
        "--env",
        "dev",
        "--class",
        "personal,card",
        "--direction",
        "both",
        "--action",
        "mask",
        "--pattern",
        "custom:badge=B-[0-9]{6}",
        "--field",
        "$.user.email=email",
        "--header",
        "X-Note",
        "--tell-client",
    ];
    let made = house.json(&create);
    let rule = &made["rule"];
    assert_eq!(rule["classes"], json!(["personal", "card"]));
    assert_eq!(rule["directions"], json!(["request", "response"]));
    assert_eq!(rule["custom"][0]["pattern"], "B-[0-9]{6}");
    assert_eq!(
        (&rule["headers"][0], &rule["tell_client"]),
        (&json!("x-note"), &json!(true))
    );

    let change = [
        "data-rule",
        "update",
        "people",
        "--env",
        "dev",
        "--action",
        "block",
        "--upstream",
        "notes",
        "--dry-run",
        "--tell-client=false",
    ];
    let changed = house.json(&change);
    let rule = &changed["rule"];
    assert_eq!(
        (
            &rule["action"],
            &rule["upstream"],
            &rule["dry_run"],
            &rule["tell_client"]
        ),
        (
            &json!("block"),
            &json!("notes"),
            &json!(true),
            &json!(false)
        )
    );
    assert_eq!(
        rule["classes"],
        json!(["personal", "card"]),
        "what is not named stays"
    );
    assert_eq!(changed["created_at"], made["created_at"]);
    assert_eq!(
        house.json(&["data-rule", "list", "--env", "dev"]),
        json!([changed])
    );
    assert_eq!(
        house.json(&["data-rule", "show", "people", "--env", "dev"]),
        changed
    );
    for line in [
        &["data-rule", "list", "--env", "dev"][..],
        &["data-rule", "show", "people", "--env", "dev"],
    ] {
        let output = crate::house::command(house.path())
            .args(line)
            .env("COLUMNS", "80")
            .output()
            .unwrap();
        let text = printed(&output);
        assert!(text.contains("people") && text.contains("block"), "{text}");
        assert!(
            text.contains("dry run") && text.contains("custom:badge"),
            "{text}"
        );
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
    }
    house.json(&[
        "data-rule",
        "update",
        "people",
        "--env",
        "dev",
        "--every-upstream",
    ]);
    house.json(&["data-rule", "delete", "people", "--env", "dev", "--yes"]);
    assert_eq!(
        house.json(&["data-rule", "list", "--env", "dev"]),
        json!([])
    );
}

#[test]
fn mistakes_in_a_data_rule_say_what_to_do_and_nothing_is_saved() {
    let house = House::open();
    house.furnish("dev");
    let create = ["data-rule", "create", "r", "--env", "dev"];
    for (more, said) in [
        (
            &["--class", "emial", "--action", "mask"][..],
            "postern data-rule classes",
        ),
        (
            &["--class", "email", "--action", "redact"],
            "use allow, flag, mask",
        ),
        (&["--class", "email"], "use --action mask"),
        (&["--action", "mask"], "use --class"),
        (
            &["--class", "person", "--action", "mask"],
            "needs an analyzer",
        ),
        (
            &["--class", "custom:badge", "--action", "mask"],
            "without defining it",
        ),
        (
            &[
                "--class",
                "email",
                "--action",
                "mask",
                "--upstream",
                "notse",
            ],
            "notse",
        ),
        (
            &["--field", "user.email=email", "--action", "mask"],
            "is no path",
        ),
        (
            &["--words", "custom:a=/nowhere", "--action", "mask"],
            "cannot be read",
        ),
    ] {
        let output = house.run(&[&create[..], more].concat());
        let text = printed(&output);
        assert!(
            !output.status.success() && text.contains(said),
            "{more:?}: {text}"
        );
    }
    let update = house.run(&["data-rule", "update", "r", "--env", "dev"]);
    assert!(printed(&update).contains("nothing to change was named"));
    assert_eq!(
        house.json(&["data-rule", "list", "--env", "dev"]),
        json!([])
    );
}

#[test]
fn acts_on_data_rules_are_recorded_without_their_words() {
    // Goal: the log says who changed which rule how, and holds no word of a list. Method: a rule
    // with words, changed and deleted; read every record.
    let house = House::open();
    house.furnish("dev");
    let list = house.path().join("projects");
    fs::write(&list, "Blue Falcon\nGrey Heron\n").unwrap();
    let words = format!("custom:project={}", list.display());
    let create = [
        "data-rule",
        "create",
        "projects",
        "--env",
        "dev",
        "--words",
        &words,
        "--action",
        "mask",
    ];
    house.json(&create);
    house.json(&[
        "data-rule",
        "update",
        "projects",
        "--env",
        "dev",
        "--action",
        "flag",
    ]);
    house.json(&["data-rule", "delete", "projects", "--env", "dev", "--yes"]);
    let acts = house.json(&["audit", "search", "--action", "data_rule."]);
    let actions: Vec<&Value> = acts
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["record"]["action"])
        .collect();
    let expected = ["data_rule.create", "data_rule.update", "data_rule.delete"];
    assert_eq!(actions, expected.map(|name| [name, name]).concat());
    assert!(acts.to_string().contains("custom:project"));
    assert!(!acts.to_string().contains("Falcon"));
    let missing = house.run(&["audit", "search", "--finding", "emial"]);
    assert!(printed(&missing).contains("data-rule classes"));
    assert_eq!(
        house.json(&["audit", "search", "--finding", "all"]),
        json!([])
    );
}

#[test]
fn a_rule_is_tried_on_a_file_without_a_gateway() {
    // Goal: the difference, the findings and the exit code. Method: a text and a JSON body in a
    // directory without an installation, with each kind of end.
    let dir = tempfile::tempdir().unwrap();
    let text = "Hello,\nwrite to ada@lovelace.example today.\nBye.\n";
    fs::write(dir.path().join("note.txt"), text).unwrap();
    let body = json!({"messages": [{"role": "user", "content": "I am ada@lovelace.example"}]});
    fs::write(dir.path().join("body.json"), body.to_string()).unwrap();
    let test = |file: &str, more: &[&str]| {
        let file = dir.path().join(file).display().to_string();
        let line = [&["data-rule", "test", &file][..], more].concat();
        let output = run_in(dir.path(), &line);
        assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
        printed(&output)
    };
    let shown = test("note.txt", &["--class", "email"]);
    assert!(
        shown.contains("- write to ada@lovelace.example today."),
        "{shown}"
    );
    assert!(shown.contains("+ write to [EMAIL] today."), "{shown}");
    assert!(!shown.contains('\u{1b}'), "no colours in a pipe");
    let json: Value =
        serde_json::from_str(&test("body.json", &["--class", "all", "--json"])).unwrap();
    assert_eq!(
        (&json["outcome"], &json["findings"][0]["class"]),
        (&json!("changed"), &json!("email"))
    );
    let cleaned: Value = serde_json::from_str(json["text"].as_str().unwrap()).unwrap();
    assert_eq!(cleaned["messages"][0]["content"], "I am [EMAIL]");
    let blocked = test("note.txt", &["--class", "email", "--action", "block"]);
    assert!(blocked.contains("does not pass"), "{blocked}");
    let other = test("note.txt", &["--class", "card"]);
    assert!(other.contains("passes unchanged"), "{other}");
    let dry = test("note.txt", &["--class", "email", "--dry-run"]);
    assert!(
        dry.contains("passes unchanged") && dry.contains("dry run"),
        "{dry}"
    );
}

#[test]
fn classes_are_listed_with_their_detectors() {
    let dir = tempfile::tempdir().unwrap();
    let output = run_in(dir.path(), &["data-rule", "classes", "--json"]);
    let classes: Value = serde_json::from_slice(&output.stdout).unwrap();
    let email = classes
        .as_array()
        .unwrap()
        .iter()
        .find(|class| class["class"] == "email");
    let email = email.unwrap();
    assert_eq!(email["group"], "personal");
    assert!(!email["detectors"].as_array().unwrap().is_empty());
    let table = printed(&run_in(dir.path(), &["data-rule", "classes"]));
    assert!(table.contains("us_ssn") && table.contains("custom:NAME"));
}
