//! The audit log through the command line.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::house::{House, printed};

fn actions(entries: &Value) -> Vec<String> {
    let entries = entries.as_array().expect("a list").iter();
    entries
        .map(|entry| entry["record"]["action"].as_str().unwrap_or("").to_owned())
        .collect()
}

#[test]
fn every_act_is_recorded_before_and_after_and_no_record_holds_a_secret() {
    let house = House::open();
    house.furnish("dev");
    let (id, token) = house.token("dev");
    house.json(&["token", "revoke", &id, "--reason", "test"]);
    let acts = house.json(&["audit", "search", "--kind", "admin", "--action", "token."]);
    assert_eq!(
        actions(&acts),
        [
            "token.create",
            "token.create",
            "token.revoke",
            "token.revoke"
        ]
    );
    let statuses: Vec<&Value> = acts
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["record"]["status"])
        .collect();
    let (before, after) = (&Value::Null, &serde_json::json!(200));
    assert_eq!(statuses, [before, after, before, after]);
    let everything = house
        .json(&["audit", "search", "--limit", "10000"])
        .to_string();
    for secret in [&token, &house.owner] {
        assert!(
            !everything.contains(secret.as_str()),
            "a record holds a token"
        );
    }
}

#[test]
fn a_look_into_the_log_is_recorded_once_and_not_again_for_itself() {
    let house = House::open();
    for _ in 0..3 {
        house.json(&["audit", "tail"]);
    }
    let looks = house.json(&["audit", "search", "--action", "audit."]);
    assert_eq!(
        actions(&looks),
        ["audit.search"; 4],
        "three looks, and this one"
    );
    house.json(&["audit", "show", "0"]);
    let looks = house.json(&["audit", "search", "--action", "audit.show"]);
    assert_eq!(actions(&looks), ["audit.show"]);
}

#[test]
fn show_finds_a_request_and_an_entry_and_says_when_there_is_none() {
    let house = House::open();
    house.furnish("dev");
    let acts = house.json(&["audit", "search", "--action", "environment.create"]);
    let request = acts[0]["request"].as_str().unwrap().to_owned();
    let about = house.json(&["audit", "show", &request]);
    assert_eq!(
        actions(&about),
        ["environment.create", "environment.create"]
    );
    let seq = about[0]["seq"].to_string();
    assert_eq!(
        house.json(&["audit", "show", &seq])[0]["seq"],
        about[0]["seq"]
    );
    for id in ["999999", "0198c5a0-0000-7000-8000-000000000000", "nonsense"] {
        let none = house.run(&["audit", "show", id]);
        assert_eq!(none.status.code(), Some(1), "{id}: {}", printed(&none));
    }
}

#[test]
fn verify_names_the_first_bad_record_and_says_what_it_could_not_see() {
    // Goal: an auditor with the files and the public key finds a change. Method: verify a copy
    // against a checkpoint kept elsewhere, then flip a byte, then cut the log back.
    let house = House::open();
    house.furnish("dev");
    let kept = house.path().join("kept");
    let kept = kept.display().to_string();
    house.json(&["audit", "checkpoint", "--out", &kept]);
    let key = house.json(&["audit", "key"])["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let sound = house.json(&[
        "audit",
        "verify",
        "--checkpoint",
        &kept,
        "--public-key",
        &key,
    ]);
    assert_eq!(sound["sound"], true);
    assert!(
        !sound["not_seen"].as_array().unwrap().is_empty(),
        "blind spots are named"
    );
    let copy = house.path().join("copy");
    let from = house.path().join("data/audit");
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .arg(&from)
        .arg(&copy)
        .status();
    assert!(copied.unwrap().success());
    let segment = copy.join("segments/0000000001.seg");
    let mut bytes = fs::read(&segment).unwrap();
    let last = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[last / 2] ^= 0x40;
    fs::write(&segment, &bytes).unwrap();
    let copy = copy.display().to_string();
    let changed = house.run(&["audit", "verify", "--log", &copy, "--json"]);
    assert_eq!(changed.status.code(), Some(1));
    let verdict: Value = serde_json::from_slice(&changed.stdout).unwrap();
    assert_eq!(verdict["sound"], false);
    assert!(verdict["first_bad_entry"].is_u64(), "{verdict}");
    let other = "postern.audit/other+00000000+AQl50v8wL9ETTFEz473Wt5MfqehINzWBLcz9iM+j7otY";
    let wrong = house.run(&["audit", "verify", "--public-key", other]);
    assert_ne!(
        wrong.status.code(),
        Some(0),
        "another key vouches for nothing"
    );
}

#[test]
fn a_stopped_installation_is_searched_from_its_files() {
    let dir = tempfile::tempdir().unwrap();
    assert!(crate::house::run_in(dir.path(), &["init"]).status.success());
    let output = crate::house::run_in(dir.path(), &["audit", "search", "--json"]);
    assert!(output.status.success(), "{}", printed(&output));
    let entries: Value = serde_json::from_slice(&output.stdout).unwrap();
    let init = entries
        .as_array()
        .unwrap()
        .iter()
        .any(|e| e["record"]["event"] == "init");
    assert!(init, "{entries}");
    assert!(printed(&output).contains("nobody records that"));
}

#[test]
fn an_environment_that_is_not_there_is_no_empty_list() {
    let house = House::open();
    house.json(&["env", "create", "dev"]);
    for line in [&["token", "list"][..], &["audit", "search"]] {
        let known = house.run(&[line, &["--env", "dev"]].concat());
        assert!(known.status.success(), "{}", printed(&known));
        let typo = house.run(&[line, &["--env", "dve"]].concat());
        let said = printed(&typo);
        assert_eq!(typo.status.code(), Some(1), "{line:?}: {said}");
        assert!(said.contains("environment dve"), "{said}");
    }
    // A deleted one has its records still, so that a search in them may find nothing.
    house.json(&["principal", "create", "service:web", "--env", "dev"]);
    house.json(&["env", "delete", "dev", "--yes"]);
    let fits = house.json(&["audit", "search", "--env", "dev", "--action", "principal."]);
    assert_eq!(actions(&fits), ["principal.create"; 2], "attempt and end");
    let nothing = house.run(&["audit", "search", "--env", "dev", "--action", "policy."]);
    let said = printed(&nothing);
    assert!(
        nothing.status.success() && said.contains("Nothing fits"),
        "{said}"
    );
}

#[test]
fn an_upstream_whose_credential_cannot_be_had_is_said_to_be_so() {
    // Goal: a variable that was forgotten is named when the upstream is made, not by a 502 later.
    // Method: references to what is not there; the answer, the warning and the diagnostics.
    let house = House::open();
    house.json(&["env", "create", "dev"]);
    for (name, reference, why) in [
        (
            "one",
            "env:NO_SUCH_VARIABLE",
            "the variable NO_SUCH_VARIABLE is not set",
        ),
        ("two", "file:/nonexistent", "/nonexistent cannot be read"),
    ] {
        let line = [
            "upstream", "create", name, "--env", "dev", "--kind", "openai",
        ];
        let rest = [
            "--url",
            "https://api.openai.com/v1",
            "--credential",
            reference,
        ];
        let made = house.run(&[&line[..], &rest].concat());
        let said = printed(&made);
        assert!(made.status.success() && said.contains(why), "{said}");
        assert!(
            said.contains("/v1/v1"),
            "the doubled version is noticed: {said}"
        );
        let shown = house.json(&["upstream", "show", name, "--env", "dev"]);
        assert!(
            shown["credential_fault"].as_str().unwrap().contains(why),
            "{shown}"
        );
        assert!(house.diagnostics().contains(why), "{}", house.diagnostics());
    }
    // What is told is what requests meet: a file that was made since is not read by itself.
    let file = house.path().join("key");
    let reference = format!("file:{}", file.display());
    let set = |name| ["upstream", "update", name, "--env", "dev", "--credential"];
    let missing = house.json(&[&set("two")[..], &[&reference]].concat());
    assert!(missing["credential_fault"].is_string(), "{missing}");
    fs::write(&file, "sk-the-providers-own-key").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let show = ["upstream", "show", "two", "--env", "dev"];
    let shown = house.json(&show);
    assert_eq!(shown["credential_fault"], missing["credential_fault"]);
    let mended = house.json(&[&set("two")[..], &[&reference]].concat());
    assert_eq!(mended["credential_fault"], Value::Null);
    fs::remove_file(&file).unwrap();
    assert_eq!(house.json(&show)["credential_fault"], Value::Null);
    let line = [
        "upstream", "create", "three", "--env", "dev", "--kind", "http",
    ];
    let rest = ["--url", "http://127.0.0.1:9", "--json"];
    let fine = house.run(&[&line[..], &rest].concat());
    assert!(fine.stderr.is_empty(), "{}", printed(&fine));
}
