//! Data rules through the command line and the admin API.

use std::fs;

use serde_json::{Value, json};

use crate::house::{House, printed, run_in};

/// A command line, cut at its spaces.
fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

#[test]
fn a_data_rule_is_made_listed_changed_and_deleted() {
    // Goal: the life of a rule by command line. Method: each command, its JSON and its table.
    let house = House::open();
    house.furnish("dev");
    let made = house.json(&words(
        "data-rule create people --env dev --class personal,card --direction both --action mask \
         --pattern custom:badge=B-[0-9]{6} --field $.user.email=email --header X-Note \
         --tell-client",
    ));
    let rule = &made["rule"];
    assert_eq!(rule["classes"], json!(["personal", "card"]));
    assert_eq!(rule["directions"], json!(["request", "response"]));
    assert_eq!(rule["custom"][0]["pattern"], "B-[0-9]{6}");
    assert_eq!(rule["headers"], json!(["x-note"]));
    assert_eq!(rule["tell_client"], true);

    let changed = house.json(&words(
        "data-rule update people --env dev --action block --upstream notes --dry-run \
         --tell-client=false",
    ));
    let rule = &changed["rule"];
    assert_eq!(rule["action"], "block");
    assert_eq!(rule["upstream"], "notes");
    assert_eq!(rule["dry_run"], true);
    assert_eq!(rule["tell_client"], false);
    let kept = json!(["personal", "card"]);
    assert_eq!(rule["classes"], kept, "what is not named stays");
    assert_eq!(changed["created_at"], made["created_at"]);
    let shown = house.json(&words("data-rule show people --env dev"));
    assert_eq!(shown, changed);
    let listed = house.json(&words("data-rule list --env dev"));
    assert_eq!(listed, json!([changed]));
    for line in [
        "data-rule list --env dev",
        "data-rule show people --env dev",
    ] {
        let mut command = crate::house::command(house.path());
        let output = command.args(words(line)).env("COLUMNS", "80").output();
        let text = printed(&output.unwrap());
        for part in ["people", "block", "dry run", "custom:badge"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(80), "{text}");
    }
    let lists = "data-rule update people --env dev --header x-note --query where";
    let named = house.json(&words(lists));
    assert_eq!(named["rule"]["headers"], json!(["x-note"]));
    let cleared = house.json(&words(
        "data-rule update people --env dev --clear header,query",
    ));
    assert!(cleared["rule"].get("headers").is_none() && cleared["rule"].get("query").is_none());
    assert_eq!(cleared["rule"]["classes"], kept);
    house.json(&words("data-rule update people --env dev --every-upstream"));
    house.json(&words("data-rule delete people --env dev --yes"));
    assert_eq!(house.json(&words("data-rule list --env dev")), json!([]));
}

#[test]
fn a_rule_for_names_is_saved_where_an_analyzer_is_set_up() {
    let settings = "[analyzer]\nurl = \"http://127.0.0.1:9\"\n";
    let house = House::open_with(tempfile::tempdir().unwrap(), settings);
    house.furnish("dev");
    let made = house.json(&words(
        "data-rule create names --env dev --class person --action pseudonym",
    ));
    assert_eq!(made["rule"]["classes"], json!(["person"]));
    fs::write(house.path().join("letter.txt"), "Jane Doe").unwrap();
    let trial = house.run(&words("data-rule test letter.txt --class person"));
    assert!(
        printed(&trial).contains("does not ask"),
        "{}",
        printed(&trial)
    );
    let (_, token) = house.administrator("admin", None);
    let status = house.ask("GET", "/api/v1/status", &token, &Value::Null);
    let counts = json!({"calls": 0, "failures": 0, "total_us": 0});
    assert_eq!(status.body["analyzer"], counts);
}

#[test]
fn mistakes_in_a_data_rule_say_what_to_do_and_nothing_is_saved() {
    let house = House::open();
    house.furnish("dev");
    let rows = "\
        --class emial --action mask => postern data-rule classes
        --class email --action redact => use allow, flag, mask
        --class email => use --action mask
        --action mask => use --class
        --class person --action mask => needs an analyzer
        --class custom:badge --action mask => without defining it
        --class email --action mask --upstream notse => notse
        --field user.email=email --action mask => is no path
        --pattern custom:a=( --action mask => data rule r
        --words custom:a=/nowhere --action mask => cannot be read";
    for (more, said) in rows.lines().filter_map(|row| row.split_once(" => ")) {
        let line = format!("data-rule create r --env dev {}", more.trim_start());
        let output = house.run(&words(&line));
        let text = printed(&output);
        assert!(!output.status.success(), "{line}");
        assert!(text.contains(said), "{line}: {text}");
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
    let words_of = format!("custom:project={}", list.display());
    let create = format!("data-rule create projects --env dev --words {words_of} --action mask");
    house.json(&words(&create));
    house.json(&words("data-rule update projects --env dev --action flag"));
    house.json(&words("data-rule delete projects --env dev --yes"));
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

/// Goal: recorded bodies of AI providers are shown as the gateway would clean them, and what is not
/// known is asked for. Method: a request, a stream with a value over two events, and mistakes.
#[test]
fn a_rule_is_tried_on_recorded_bodies_of_providers() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    let ask = json!({"model": "m", "messages": [{"role": "user", "content": "I am ada@lovelace.example"}]});
    write("ask.json", &ask.to_string());
    write(
        "input.json",
        r#"{"model":"m","input":"I am ada@lovelace.example"}"#,
    );
    let chunk = |text: &str| {
        let chunk = json!({"choices": [{"index": 0, "delta": {"content": text}}]});
        format!("data: {chunk}\n\n")
    };
    let stream = chunk("I am ada@love") + &chunk("lace.example now") + "data: [DONE]\n\n";
    write("answer.sse", &stream);
    let test = |line: &str| run_in(dir.path(), &words(&format!("data-rule test {line}")));
    let shown = |line: &str| {
        let output = test(line);
        assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
        printed(&output)
    };
    let asked = shown("ask.json --class email --dialect openai --json");
    let asked: Value = serde_json::from_str(&asked).unwrap();
    assert_eq!(asked["outcome"], "changed");
    assert_eq!(asked["findings"][0]["place"], "messages.content");
    let answered = shown("answer.sse --class email --dialect azure-openai --direction response");
    assert!(
        answered.contains("+ data:") && answered.contains("[EMAIL]"),
        "{answered}"
    );
    let pathed = shown("input.json --class email --dialect openai --path /v1/responses");
    assert!(pathed.contains("[EMAIL]"), "{pathed}");
    write("twice.json", r#"{"model":"m","model":"n","messages":[]}"#);
    let refused = shown("twice.json --class email --dialect openai --json");
    assert!(refused.contains("refused"), "{refused}");
    let mistakes = [
        (
            "input.json --class email --dialect openai",
            "say --path, such as",
        ),
        (
            "ask.json --class email --dialect openai --path /nowhere",
            "as the provider sees it",
        ),
        (
            "ask.json --class email --dialect http",
            "leave --dialect out",
        ),
        ("ask.json --class email --path /v1/responses", "--dialect"),
        (
            "ask.json --class email --dialect openai --type text/plain",
            "cannot be used with",
        ),
    ];
    for (line, said) in mistakes {
        let output = test(line);
        assert!(!output.status.success(), "{line}");
        assert!(
            printed(&output).contains(said),
            "{line}: {}",
            printed(&output)
        );
    }
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

#[test]
fn a_change_in_an_environment_that_is_not_there_says_so_and_is_recorded() {
    // Goal: a mistyped environment is told as what it is, whoever was to change what there,
    // and the attempt stands in the log. Method: each noun's changes by command line.
    let house = House::open();
    house.furnish("dev");
    let rows = "\
        data-rule create r --env prod --class email --action mask
        data-rule update r --env prod --dry-run
        data-rule delete r --env prod --yes
        upstream create u --env prod --kind http --url http://127.0.0.1:9
        principal create service:web --env prod
        token create --env prod --principal service:web --ttl 1h --grant notes:call:GET /notes";
    for line in rows.lines().map(str::trim) {
        let (line, grant) = line.split_once(" --grant ").unwrap_or((line, ""));
        let mut line = words(line);
        if !grant.is_empty() {
            line.extend(["--grant", grant]);
        }
        let output = house.run(&line);
        let text = printed(&output);
        assert!(!output.status.success(), "{line:?}");
        assert!(text.contains("environment prod"), "{line:?}: {text}");
        assert!(!text.contains("audit log"), "{line:?}: {text}");
    }
    // Who may change nothing is refused as anywhere else, and his attempt stands there too.
    let (_, auditor) = house.administrator("auditor", None);
    let tried = [
        ("PATCH", "/api/v1/environments/typo/data-rules/r"),
        ("DELETE", "/api/v1/environments/typo/upstreams/u"),
    ];
    for (method, path) in tried {
        let denied = house.ask(method, path, &auditor, &json!({}));
        assert_eq!(denied.status, 403, "{method} {path}: {}", denied.body);
        assert_eq!(denied.body["code"], "denied", "{method} {path}");
    }
    let administrator = json!({"role": "auditor", "environment": "typo"});
    let denied = house.ask("POST", "/api/v1/tokens", &auditor, &administrator);
    assert_eq!(denied.body["code"], "denied", "{}", denied.body);
    let found = house
        .json(&["audit", "search", "--since", "1h", "--limit", "100"])
        .to_string();
    let attempts = [
        ("data_rule.create", "prod/r"),
        ("data_rule.update", "typo/r"),
        ("upstream.delete", "typo/u"),
        ("token.create", "typo/auditor"),
    ];
    for (action, object) in attempts {
        let recorded = found.contains(action) && found.contains(object);
        assert!(recorded, "{action} {object}: {found}");
    }
}

#[test]
fn a_field_at_an_ai_upstream_is_refused_when_it_is_saved() {
    let house = House::open();
    house.furnish("dev");
    let upstream = "upstream create chat --env dev --kind openai --url http://127.0.0.1:9";
    house.json(&words(upstream));
    let line = "data-rule create f --env dev --action mask --field $.user=email";
    let refused = house.run(&words(&format!("{line} --upstream chat")));
    assert!(!refused.status.success());
    let text = printed(&refused);
    assert!(
        text.contains("plain HTTP") && text.contains("openai"),
        "{text}"
    );
    let everywhere = printed(&house.run(&words(line)));
    assert!(
        everywhere.contains("plain HTTP upstreams alone"),
        "{everywhere}"
    );
    house.json(&words("data-rule update f --env dev --upstream notes"));
    let moved = house.run(&words("data-rule update f --env dev --upstream chat"));
    assert!(!moved.status.success(), "{}", printed(&moved));
    // Nor does the upstream change under the rule.
    house.json(&words("upstream delete notes --env dev --yes"));
    let again = |kind: &str| {
        let line =
            format!("upstream create notes --env dev --url http://127.0.0.1:9 --kind {kind}");
        house.run(&words(&line))
    };
    let other = again("openai");
    let text = printed(&other);
    assert!(!other.status.success(), "{text}");
    assert!(
        text.contains("data rule f") && text.contains("openai"),
        "{text}"
    );
    assert!(again("http").status.success());
}

#[test]
fn rules_without_their_analyzer_are_told_at_the_start_and_by_check() {
    // Goal: an operator who takes the analyzer away learns which rules refuse everything now.
    // Method: a rule for names and a dry run of one, then a start without the section.
    let settings = "[analyzer]\nurl = \"http://127.0.0.1:9\"\n";
    let house = House::open_with(tempfile::tempdir().unwrap(), settings);
    house.furnish("dev");
    house.json(&words(
        "data-rule create names --env dev --class person --action mask",
    ));
    house.json(&words(
        "data-rule create watch --env dev --class person --action mask --dry-run",
    ));
    let (_, dir) = house.stop();
    let file = dir.path().join("data/postern.toml");
    let kept = fs::read_to_string(&file).unwrap().replace(settings, "");
    fs::write(&file, kept).unwrap();
    let checked = run_in(dir.path(), &["check"]);
    assert!(!checked.status.success());
    let text = printed(&checked);
    assert!(
        text.contains("rule names") && text.contains("[analyzer]"),
        "{text}"
    );
    assert!(!text.contains("watch"), "{text}");
    let mut again = House::again(dir);
    again.wait_until_said("rule names");
    again.stop();
}

#[test]
fn a_rule_and_its_upstream_that_are_made_at_once_are_checked_together() {
    // Goal: no rule is saved that does nothing, whoever makes what at the same time. Method: a rule
    // for fields, and the upstream that it names, of a kind in whose bodies none are looked for.
    // One of the two is refused, wherever in the check of the rule, which takes its time for a long
    // list of words, the upstream comes.
    let house = House::open();
    house.furnish("dev");
    let at = |what: &str| format!("/api/v1/environments/dev/{what}");
    let words: Vec<String> = (0..6_000)
        .map(|word| format!("word {word} of it"))
        .collect();
    for round in 0..8_u64 {
        let name = format!("soon-{round}");
        let spec = json!({ "upstream": name, "directions": ["request"], "action": "mask",
            "fields": [{ "path": "$.a", "class": "email" }],
            "custom": [{ "class": "custom:project", "words": words }] });
        let rule = json!({ "name": name, "rule": spec });
        let upstream = json!({ "name": name, "kind": "openai", "url": "http://127.0.0.1:9" });
        let (rule, upstream) = std::thread::scope(|scope| {
            let ask = |what: &'static str, body: Value| {
                let (house, path) = (&house, at(what));
                scope.spawn(move || house.ask("POST", &path, &house.owner, &body).status)
            };
            let rule = ask("data-rules", rule);
            std::thread::sleep(std::time::Duration::from_millis(round * 10));
            let upstream = ask("upstreams", upstream);
            (rule.join().unwrap(), upstream.join().unwrap())
        });
        assert_ne!((rule, upstream), (201, 201), "{name}");
    }
}
