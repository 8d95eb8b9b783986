//! From nothing to a running gateway, and what refuses to start.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::house::{House, command, files, printed, run_in};

#[test]
fn init_makes_an_installation_once_and_says_what_to_do_next() {
    let dir = tempfile::tempdir().unwrap();
    let made = run_in(dir.path(), &["init"]);
    let text = printed(&made);
    assert!(made.status.success(), "{text}");
    for part in [
        "pstn_ad1_installation_",
        "shown once",
        "postern serve",
        "postern token create",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let again = run_in(dir.path(), &["init"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(
        printed(&again).contains("never written over"),
        "{}",
        printed(&again)
    );
    let other_keys = std::process::Command::new(env!("CARGO_BIN_EXE_postern"))
        .arg("--data")
        .arg(dir.path().join("data"))
        .arg("--keys")
        .arg(dir.path().join("other"))
        .arg("init")
        .output()
        .unwrap();
    assert_eq!(other_keys.status.code(), Some(1));
    assert!(!dir.path().join("other").exists(), "no stray keys are left");
}

#[test]
fn init_offers_a_provider_whose_key_is_there_without_copying_the_key() {
    let dir = tempfile::tempdir().unwrap();
    let init = |more: &[&str]| {
        let mut command = command(dir.path());
        command.env("OPENAI_API_KEY", "sk-the-providers-own-key");
        command.arg("init").args(more).output().unwrap()
    };
    let made = init(&["--yes", "--json"]);
    assert!(made.status.success(), "{}", printed(&made));
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(made["upstreams"], serde_json::json!(["openai"]));
    for file in files(dir.path()) {
        let bytes = fs::read(&file).unwrap();
        let found = bytes
            .windows(24)
            .any(|part| part == b"sk-the-providers-own-key");
        assert!(!found, "{}", file.display());
    }
    // Nobody is at the terminal: nothing is assumed.
    let other = tempfile::tempdir().unwrap();
    let mut command = command(other.path());
    let silent = command
        .env("OPENAI_API_KEY", "sk-x")
        .args(["init", "--json"])
        .output()
        .unwrap();
    let silent: Value = serde_json::from_slice(&silent.stdout).unwrap();
    assert_eq!(silent["upstreams"], serde_json::json!([]));
}

#[test]
fn serve_refuses_keys_that_others_can_read_and_keys_inside_the_data() {
    let dir = tempfile::tempdir().unwrap();
    assert!(run_in(dir.path(), &["init"]).status.success());
    let keys = dir.path().join("keys");
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o755)).unwrap();
    let refused = run_in(dir.path(), &["serve"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        printed(&refused).contains("refused"),
        "{}",
        printed(&refused)
    );
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o700)).unwrap();
    fs::rename(&keys, dir.path().join("data/keys")).unwrap();
    let inside = command(dir.path())
        .arg("--keys")
        .arg(dir.path().join("data/keys"))
        .arg("serve")
        .output();
    // The option is given twice, which is a mistake of use; so give it once.
    assert_eq!(inside.unwrap().status.code(), Some(2));
    let inside = std::process::Command::new(env!("CARGO_BIN_EXE_postern"))
        .arg("--data")
        .arg(dir.path().join("data"))
        .arg("--keys")
        .arg(dir.path().join("data/keys"))
        .arg("serve")
        .output()
        .unwrap();
    assert_eq!(inside.status.code(), Some(1), "{}", printed(&inside));
}

#[test]
fn a_missing_part_is_an_error_and_not_a_fresh_start() {
    let dir = tempfile::tempdir().unwrap();
    let none = run_in(dir.path(), &["serve"]);
    assert_eq!(none.status.code(), Some(1));
    assert!(
        printed(&none).contains("postern init"),
        "{}",
        printed(&none)
    );
    assert!(run_in(dir.path(), &["init"]).status.success());
    fs::rename(dir.path().join("data/audit"), dir.path().join("moved")).unwrap();
    let without_log = run_in(dir.path(), &["serve"]);
    assert_eq!(
        without_log.status.code(),
        Some(1),
        "{}",
        printed(&without_log)
    );
    assert!(
        printed(&without_log).contains("audit log"),
        "{}",
        printed(&without_log)
    );
    assert!(
        !dir.path().join("data/audit/segments").exists(),
        "no second log was begun"
    );
}

#[test]
fn check_reports_every_mistake_at_once_with_line_numbers() {
    let dir = tempfile::tempdir().unwrap();
    assert!(run_in(dir.path(), &["init"]).status.success());
    let fine = run_in(dir.path(), &["check"]);
    assert!(fine.status.success(), "{}", printed(&fine));
    let file = dir.path().join("data/postern.toml");
    fs::write(
        &file,
        "[listen]\ndat = \"x\"\nadmin = 5\n[audit]\ndurability = \"no\"\n",
    )
    .unwrap();
    fs::set_permissions(dir.path().join("keys"), fs::Permissions::from_mode(0o755)).unwrap();
    let found = run_in(dir.path(), &["check"]);
    let text = printed(&found);
    assert_eq!(found.status.code(), Some(1));
    for part in [
        "postern.toml:2:",
        "postern.toml:3:",
        "postern.toml:5:",
        "keys:",
        "4 mistakes",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let serve = run_in(dir.path(), &["serve"]);
    assert_eq!(serve.status.code(), Some(1));
    assert!(
        printed(&serve).contains("postern.toml:5:"),
        "serve names all of them too"
    );
    // What it says to do works for whoever has the program alone.
    assert!(printed(&serve).contains("`postern reference config`"));
    let reference = run_in(dir.path(), &["reference", "config"]);
    assert!(printed(&reference).contains("durability"));
}

#[test]
fn a_stop_is_in_good_order_and_the_next_start_finds_it_so() {
    let house = House::open();
    house.furnish("dev");
    let (id, token) = house.token("dev");
    assert_eq!(
        house.ask_raw("GET", "/readyz", "", &Value::Null).status,
        200
    );
    let path = house.path().to_owned();
    // A second gateway on the same directory is refused while the first runs.
    let second = run_in(&path, &["serve"]);
    assert_eq!(second.status.code(), Some(1), "{}", printed(&second));
    let said = printed(&second);
    assert!(said.contains("another `postern serve` runs on"), "{said}");
    assert!(!said.contains("postern check"), "{said}");
    assert_eq!(
        house.json(&["token", "show", &id])["state"],
        "live",
        "the first is unharmed"
    );
    let diagnostics = house.diagnostics();
    for secret in [&token, &house.owner] {
        assert!(
            !diagnostics.contains(secret.as_str()),
            "diagnostics hold no token"
        );
        for file in files(&path.join("data")) {
            let bytes = fs::read(&file).unwrap();
            let found = bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found, "{} holds a token", file.display());
        }
    }
    assert!(house.data.port() != 0);
}

#[test]
fn an_address_that_is_taken_is_named_with_where_to_say_another() {
    let dir = tempfile::tempdir().unwrap();
    assert!(run_in(dir.path(), &["init"]).status.success());
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap();
    let (taken, free) = (taken.to_string(), "127.0.0.1:0".to_owned());
    for (data, admin) in [(&taken, &free), (&free, &taken)] {
        let settings = format!("[listen]\ndata = \"{data}\"\nadmin = \"{admin}\"\n");
        fs::write(dir.path().join("data/postern.toml"), settings).unwrap();
        let serve = run_in(dir.path(), &["serve"]);
        let said = printed(&serve);
        assert_eq!(serve.status.code(), Some(1), "{said}");
        for part in [taken.as_str(), "[listen]", "postern.toml"] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}

#[test]
fn a_command_waits_for_a_gateway_that_is_just_starting() {
    // Goal: the lines of the README can be pasted in one go. Method: a gateway of the test's own,
    // which opens its socket a moment later than the command asks.
    use std::io::{Read as _, Write as _};
    let dir = tempfile::tempdir().unwrap();
    assert!(run_in(dir.path(), &["init"]).status.success());
    private(dir.path(), "data/run");
    let socket = dir.path().join("data/run/admin.sock");
    let late = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(300));
        let listener = std::os::unix::net::UnixListener::bind(socket).unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";
        stream.write_all(answer.as_bytes()).unwrap();
    });
    let listed = run_in(dir.path(), &["env", "list", "--json"]);
    assert!(listed.status.success(), "{}", printed(&listed));
    late.join().unwrap();
}

#[test]
fn an_init_that_fails_says_what_to_delete_before_the_next() {
    // Goal: who ran into a full disk or a wrong path gets on without guessing. Method: a store
    // where none can be made; delete what is named and nothing else; try again with a right path.
    let dir = tempfile::tempdir().unwrap();
    store_is_nowhere(dir.path());
    let settings = dir.path().join("data/postern.toml");
    let failed = run_in(dir.path(), &["init", "--no-upstream"]);
    let said = printed(&failed);
    assert_eq!(failed.status.code(), Some(1), "{said}");
    let named = said.split_once("before the next try: ").expect(&said).1;
    for place in named.lines().next().unwrap().split(' ') {
        assert!(place.starts_with(dir.path().to_str().unwrap()), "{place}");
        fs::remove_dir_all(place).unwrap();
    }
    fs::remove_file(&settings).unwrap();
    let made = run_in(dir.path(), &["init", "--no-upstream"]);
    assert!(made.status.success(), "{}", printed(&made));
}

#[test]
fn an_init_that_fails_names_nothing_that_it_did_not_make() {
    // Goal: nobody is told to delete keys or data that are not the failed run's own. Method: an
    // `init` before which a part is there already: as a file, empty, or as what is in use.
    let prepared = |prepare: &dyn Fn(&Path)| {
        let dir = tempfile::tempdir().unwrap();
        prepare(dir.path());
        let failed = run_in(dir.path(), &["init", "--no-upstream"]);
        assert_eq!(failed.status.code(), Some(1), "{}", printed(&failed));
        printed(&failed)
    };
    let keys_are_a_file = |dir: &Path| fs::write(dir.join("keys"), "precious").unwrap();
    let store_is_there = |dir: &Path| {
        private(dir, "keys");
        fs::write(private(dir, "data").join("postern.db"), "precious").unwrap();
    };
    let keys_are_in_use = |dir: &Path| {
        assert!(run_in(dir, &["init", "--no-upstream"]).status.success());
        fs::rename(dir.join("data"), dir.join("elsewhere")).unwrap();
    };
    let cases: [&dyn Fn(&Path); 3] = [&keys_are_a_file, &store_is_there, &keys_are_in_use];
    for prepare in cases {
        let said = prepared(prepare);
        assert!(!said.contains("delete what is left"), "{said}");
    }
    // Keys that stood beside the ones it made stay out of it.
    let said = prepared(&|dir| {
        store_is_nowhere(dir);
        fs::write(private(dir, "keys").join("dev.json"), "precious").unwrap();
    });
    let named = said.split_once("before the next try: ").expect(&said).1;
    let named = named.lines().next().unwrap();
    assert!(named.ends_with("keys/installation.json"), "{said}");
}

/// Settings by which no store can be made.
fn store_is_nowhere(dir: &Path) {
    let settings = "[store]\nurl = \"sqlite:/proc/nowhere/postern.db\"\n";
    fs::write(private(dir, "data").join("postern.toml"), settings).expect("it is written");
}

/// A directory that only its owner may enter, as an operator makes it before `init`.
fn private(dir: &Path, name: &str) -> PathBuf {
    let made = dir.join(name);
    fs::create_dir(&made).expect("it is made");
    fs::set_permissions(&made, fs::Permissions::from_mode(0o700)).expect("it is ours");
    made
}

#[test]
fn init_says_what_it_made_and_what_it_passed_over() {
    let init = |more: &[&str]| {
        let dir = tempfile::tempdir().unwrap();
        let mut command = command(dir.path());
        command.env("OPENAI_API_KEY", "sk-x").arg("init").args(more);
        printed(&command.output().unwrap())
    };
    let made = init(&["--yes", "--env", "staging"]);
    assert!(
        made.contains("environment") && made.contains("staging"),
        "{made}"
    );
    assert!(made.contains("upstreams in it"), "{made}");
    let silent = init(&[]);
    assert!(silent.contains("OPENAI_API_KEY is set"), "{silent}");
    let unwanted = init(&["--no-upstream"]);
    assert!(!unwanted.contains("OPENAI_API_KEY is set"), "{unwanted}");
}

#[test]
fn commands_about_files_of_this_machine_take_no_url() {
    let dir = tempfile::tempdir().unwrap();
    for line in [
        &["audit", "verify"][..],
        &["audit", "key"],
        &["check"],
        &["init"],
        &["serve"],
        &["demo"],
    ] {
        let refused = run_in(dir.path(), &[line, &["--url", "https://remote"]].concat());
        let said = printed(&refused);
        assert_eq!(refused.status.code(), Some(2), "{line:?}: {said}");
        assert!(said.contains("it takes no --url"), "{line:?}: {said}");
    }
    let data = dir.path().join("data");
    assert!(!data.exists(), "nothing was made");
}

#[test]
fn check_and_verify_see_what_serve_refuses() {
    // Goal: nothing that keeps the gateway from starting is called sound, and what `check` cannot
    // see is not sent to it. Method: a log from which entries, or the signature, were taken.
    let dir = tempfile::tempdir().unwrap();
    assert!(run_in(dir.path(), &["init"]).status.success());
    let audit = dir.path().join("data/audit");
    let all_of_them = || {
        let answers = ["serve", "check"].map(|word| run_in(dir.path(), &[word]));
        let [serve, check] = answers.map(|answer| (answer.status.code(), printed(&answer)));
        let verify = run_in(dir.path(), &["audit", "verify"]);
        (serve, check, (verify.status.code(), printed(&verify)))
    };
    fs::remove_file(audit.join("signed-size")).unwrap();
    let (serve, check, verify) = all_of_them();
    for (code, said) in [&serve, &check, &verify] {
        assert_eq!(*code, Some(1), "{said}");
        assert!(said.contains("signed size is missing"), "{said}");
    }
    assert!(serve.1.contains("`postern check` shows"), "{}", serve.1);
    // With the checkpoint gone too, no file tells any more that there ever was an entry.
    fs::remove_file(audit.join("checkpoint")).unwrap();
    for segment in fs::read_dir(audit.join("segments")).unwrap() {
        fs::remove_file(segment.unwrap().path()).unwrap();
    }
    let (serve, check, verify) = all_of_them();
    for (code, said) in [&serve, &check, &verify] {
        assert_eq!(*code, Some(1), "{said}");
        assert!(said.contains("there is no audit log in"), "{said}");
    }
    let copy = audit.display().to_string();
    let empty = run_in(dir.path(), &["audit", "verify", "--log", &copy]);
    let said = printed(&empty);
    assert_eq!(empty.status.code(), Some(1), "{said}");
    assert!(said.contains("it has no entry"), "{said}");
}

#[test]
fn a_signed_size_that_cannot_be_read_is_no_finding_about_the_log() {
    // Goal: a file system that fails raises no alarm about evidence, and gives no all-clear.
    // Method: a place for the signed size that cannot be looked into.
    let dir = tempfile::tempdir().unwrap();
    assert!(run_in(dir.path(), &["init"]).status.success());
    let place = dir.path().join("data/postern.db/signed-size");
    let settings = format!("[audit]\nsigned_size_file = \"{}\"\n", place.display());
    fs::write(dir.path().join("data/postern.toml"), settings).unwrap();
    let verify = run_in(dir.path(), &["audit", "verify"]);
    let said = printed(&verify);
    assert_eq!(verify.status.code(), Some(1), "{said}");
    assert!(said.contains("reading the signed size"), "{said}");
    assert!(said.contains("it cannot be said whether"), "{said}");
    assert!(!said.contains("NOT as it was written"), "{said}");
    assert!(!said.contains("evidence"), "{said}");
}

#[test]
fn mistakes_of_use_are_json_for_scripts() {
    let dir = tempfile::tempdir().unwrap();
    for line in [
        &["token", "craete"][..],
        &["token", "rotate", "0123456789abcdef", "--grace", "8"],
        &["env", "create"],
        &["check", "--url", "x"],
    ] {
        let refused = run_in(dir.path(), &[line, &["--json"]].concat());
        assert_eq!(refused.status.code(), Some(2));
        let said: Value = serde_json::from_slice(&refused.stderr)
            .unwrap_or_else(|error| panic!("{error}: {}", printed(&refused)));
        assert!(said["error"]["message"].is_string(), "{said}");
    }
}
