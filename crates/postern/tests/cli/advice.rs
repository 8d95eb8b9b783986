//! Whoever is refused is told what to do, and shells offer what may be said.

use std::fs;
use std::process::{Command, Output};

use crate::house::{House, command, printed, run_in};

/// Mistakes, and words of the advice that each must come with.
const MISTAKES: [(&[&str], &str); 18] = [
    (&["env", "create", "dev"], "choose another name"),
    (&["env", "show", "dve"], "`postern env list`"),
    (&["env", "create", "Dev"], "use 1 to 16 characters"),
    (
        &["principal", "create", "service:web", "--env", "dev"],
        "update it, or choose another name",
    ),
    (
        &["principal", "update", "service:web", "--env", "dev"],
        "--disable",
    ),
    (
        &["principal", "create", "web", "--env", "dev"],
        "use KIND:NAME",
    ),
    (
        &[
            "upstream",
            "create",
            "notes",
            "--env",
            "dev",
            "--kind",
            "http",
            "--url",
            "http://127.0.0.1:9",
        ],
        "update it, or choose another name",
    ),
    (
        &[
            "upstream",
            "create",
            "x",
            "--env",
            "dev",
            "--kind",
            "smtp",
            "--url",
            "https://x",
        ],
        "use openai, azure-openai, anthropic, gemini or http",
    ),
    (
        &["upstream", "update", "notes", "--env", "dev"],
        "use --url",
    ),
    (
        &[
            "token",
            "create",
            "--env",
            "dev",
            "--principal",
            "service:nobody",
            "--grant",
            "notes:call:GET /notes",
        ],
        "`postern principal list --env dev`",
    ),
    (
        &[
            "token",
            "create",
            "--env",
            "dev",
            "--principal",
            "service:web",
            "--grant",
            "notes:call:GET /notes",
            "--limit",
            "requests=9/day",
        ],
        "only requests per second or minute",
    ),
    (
        &["token", "rotate", "AAAAAAAAAAAAAAAA"],
        "`postern token list`",
    ),
    (
        &["policy", "delete", "none", "--env", "dev", "--yes"],
        "`postern policy list --env dev`",
    ),
    (&["policy", "delete", "baseline", "--env", "dev"], "--yes"),
    (
        &["audit", "search", "--refusal", "no"],
        "use unauthenticated",
    ),
    (&["audit", "search", "--kind", "no"], "use intent, outcome"),
    (&["audit", "show", "999999"], "`postern audit tail`"),
    (
        &["audit", "show", "0198c5a0-0000-7000-8000-000000000000"],
        "--kind strangers",
    ),
];

#[test]
fn each_mistake_comes_with_an_advice() {
    let house = House::open();
    house.furnish("dev");
    for (line, advice) in MISTAKES {
        let refused = house.run(line);
        let said = String::from_utf8_lossy(&refused.stderr).replace('\n', " ");
        assert!(!refused.status.success(), "{line:?} is no mistake: {said}");
        assert!(said.contains(advice), "{line:?}: {said}");
        let as_json = house.run(&[line, &["--json"]].concat());
        let error: serde_json::Value = serde_json::from_slice(&as_json.stderr)
            .unwrap_or_else(|error| panic!("{line:?}: {error}: {}", printed(&as_json)));
        assert!(error["error"]["message"].is_string(), "{line:?}: {error}");
        assert!(error.to_string().contains(advice), "{line:?}: {error}");
    }
}

#[test]
fn an_auditor_without_keys_is_told_what_to_give() {
    // Goal: whoever has a copy of the log, and no key but the public one, is not sent to `init`.
    // Method: a copy in a place without an installation, and each way of giving the wrong thing.
    let house = House::open();
    house.furnish("dev");
    let copied = Command::new("cp")
        .arg("-r")
        .arg(house.path().join("data/audit"))
        .arg(house.path().join("copy"))
        .status();
    assert!(copied.expect("cp runs").success());
    let copy = house.path().join("copy").display().to_string();
    let key = house.json(&["audit", "key"])["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let elsewhere = tempfile::tempdir().unwrap();
    let garbage = elsewhere.path().join("garbage");
    fs::write(&garbage, "no checkpoint").unwrap();
    let garbage = garbage.display().to_string();
    let verify = |more: &[&str]| {
        let line = [&["audit", "verify", "--log", &copy], more].concat();
        run_in(elsewhere.path(), &line)
    };
    for (more, advice) in [
        (&[][..], "--public-key"),
        (&["--public-key", "nonsense"], "`postern audit key`"),
        (
            &["--public-key", &key, "--checkpoint", "missing"],
            "`postern audit checkpoint --out FILE`",
        ),
        (
            &["--public-key", &key, "--checkpoint", &garbage],
            "`postern audit checkpoint --out FILE`",
        ),
    ] {
        let refused = verify(more);
        let said = printed(&refused);
        assert!(!refused.status.success(), "{more:?}: {said}");
        assert!(said.contains(advice), "{more:?}: {said}");
    }
    let verified = verify(&["--public-key", &key]);
    assert!(verified.status.success(), "{}", printed(&verified));
}

#[test]
fn an_environment_that_was_closed_by_a_deletion_is_said_to_be_so() {
    let house = House::open();
    house.furnish("dev");
    let file = house.path().join("forbid.cedar");
    fs::write(&file, "forbid(principal, action, resource);").unwrap();
    let file = file.display().to_string();
    house.json(&["policy", "create", "more", "--env", "dev", "--file", &file]);
    let delete = |name| house.run(&["policy", "delete", name, "--env", "dev", "--yes"]);
    let one = printed(&delete("more"));
    assert!(!one.contains("warning"), "{one}");
    let last = delete("baseline");
    assert!(last.status.success());
    let said = printed(&last);
    assert!(said.contains("every request there is refused"), "{said}");
}

#[test]
fn a_search_that_may_have_left_something_out_says_so() {
    let house = House::open();
    house.furnish("dev");
    let aside = |limit| {
        let output = house.run(&["audit", "search", "--kind", "admin", "--limit", limit]);
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(aside("2").contains("--limit"), "{}", aside("2"));
    assert_eq!(aside("1000"), "");
}

/// What bash offers for the last of these words.
fn offered(script: &str, words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    let (last, before) = (words[words.len() - 1], words[words.len() - 2]);
    let asked = format!(
        "source '{script}'; COMP_WORDS=({}); COMP_CWORD={}; _postern postern '{last}' '{before}'; \
         echo \"${{COMPREPLY[@]}}\"",
        quoted.join(" "),
        words.len() - 1
    );
    let output: Output = Command::new("bash")
        .args(["-c", &asked])
        .output()
        .expect("bash runs");
    String::from_utf8(output.stdout)
        .expect("it is text")
        .trim()
        .to_owned()
}

#[test]
fn shells_complete_commands_and_closed_lists_and_no_names_of_files() {
    // Goal: what a shell offers can be said. Method: every shell has its script; bash is asked,
    // in a directory with files whose names no environment can have.
    let dir = tempfile::tempdir().unwrap();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run_in(dir.path(), &["completions", shell]);
        let text = String::from_utf8(script.stdout).unwrap();
        assert!(text.contains("audit") && text.contains("grant"), "{shell}");
    }
    let script = dir.path().join("script");
    let made = run_in(dir.path(), &["completions", "bash"]);
    fs::write(&script, made.stdout).unwrap();
    let script = script.display().to_string();
    let ask = |words: &[&str]| offered(&script, words);
    assert_eq!(ask(&["postern", "tok"]), "token");
    let verbs = ask(&["postern", "token", ""]);
    for verb in ["create", "list", "show", "rotate", "revoke"] {
        assert!(verbs.contains(verb), "{verbs}");
    }
    let kinds = ask(&["postern", "upstream", "create", "x", "--kind", ""]);
    assert_eq!(kinds, "openai azure-openai anthropic gemini http");
    let kinds = ask(&["postern", "audit", "search", "--kind", ""]);
    assert_eq!(kinds, "intent outcome admin strangers system");
    assert_eq!(
        ask(&["postern", "audit", "search", "--refusal", "rate"]),
        "rate_limited"
    );
    for option in ["--env", "--principal", "--grant", "--ttl"] {
        let files = ask(&["postern", "token", "create", option, ""]);
        assert_eq!(files, "", "{option}");
    }
}

#[test]
fn keys_come_from_the_environment_as_the_manual_says() {
    // Goal: an installation whose keys are nowhere on the disk. Method: each file of the keys in
    // base64, as `docs/operations.md` has it, and the directory taken away.
    use base64::Engine as _;
    let house = House::open();
    house.furnish("dev");
    let (_, dir) = house.stop();
    let keys = dir.path().join("keys");
    let mut commands = command(dir.path());
    for (variable, file) in [
        ("POSTERN_KEYS_INSTALLATION", "installation.json"),
        ("POSTERN_KEYS_ENV_DEV", "dev.json"),
    ] {
        let bytes = fs::read(keys.join(file)).expect("the file is there");
        let text = base64::engine::general_purpose::STANDARD.encode(bytes);
        commands.env(variable, text);
    }
    fs::rename(&keys, dir.path().join("away")).unwrap();
    let without = run_in(dir.path(), &["audit", "search"]);
    assert!(
        printed(&without).contains("there are no keys"),
        "{}",
        printed(&without)
    );
    let with = commands
        .args(["audit", "search", "--env", "dev"])
        .output()
        .unwrap();
    assert!(with.status.success(), "{}", printed(&with));
    assert!(
        printed(&with).contains("upstream.create"),
        "{}",
        printed(&with)
    );
}

#[test]
fn a_rotation_does_not_promise_more_than_the_tokens_life() {
    let house = House::open();
    house.furnish("dev");
    let (id, _) = house.token("dev");
    let said = printed(&house.run(&["token", "rotate", &id]));
    assert!(said.contains("or till the token ends"), "{said}");
    let (id, _) = house.token("dev");
    let said = printed(&house.run(&["token", "rotate", &id, "--grace", "0s"]));
    assert!(said.contains("opens no more"), "{said}");
}
