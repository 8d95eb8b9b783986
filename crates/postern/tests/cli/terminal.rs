//! What reaches a terminal.

use std::io::Write;
use std::net::TcpStream;

use crate::house::{House, command, printed};

#[test]
fn hostile_requests_cannot_speak_to_the_terminal_of_whoever_reads_the_log() {
    // Goal: escape sequences in a path, a user agent and a model never come out of the command
    // line, as a table, as a sheet or as JSON. Method: send them, and read the log every way.
    let house = House::open();
    house.furnish("dev");
    let (_, token) = house.token("dev");
    for path in ["/notes/%1b%5d0%3bowned%07", "/notes/\u{9b}2J", "/%e2%80%ae"] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\
             User-Agent: \u{9b}31m\u{202e}agent\r\nConnection: close\r\n\r\n",
            house.data
        );
        let mut stream = TcpStream::connect(house.data).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let _ = std::io::Read::read_to_end(&mut stream, &mut Vec::new());
    }
    for line in [
        &["audit", "tail", "-n", "50"][..],
        &["audit", "search"],
        &["audit", "search", "--json"],
    ] {
        for width in ["80", "200"] {
            let output = command(house.path())
                .args(line)
                .env("COLUMNS", width)
                .output()
                .unwrap();
            let text = printed(&output);
            assert!(output.status.success(), "{text}");
            let obeyed = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!text.contains(obeyed), "{line:?}: {text:?}");
        }
    }
}

/// An installation in which every name is as long as names can be; gives a token's id, and the
/// names of the environment, the principal, and of everything else.
fn long_winded(house: &House) -> [String; 4] {
    let (env, name) = ("e".repeat(16), "n".repeat(40));
    let principal = format!("service:{}", "p".repeat(63));
    house.furnish("dev");
    house.token("dev");
    let about = "words and words and ".repeat(6);
    house.json(&["env", "create", &env, "--description", &about]);
    let team = ["--team", "a-team-of-many", "--tenant", "a-tenant-of-many"];
    let line = ["principal", "create", &principal, "--env", &env];
    house.json(&[&line[..], &team].concat());
    let address = format!("https://{}.example/{}", "h".repeat(60), "path/".repeat(12));
    let line = [
        "upstream", "create", &name, "--env", &env, "--kind", "http", "--url", &address,
    ];
    house.json(&line);
    let grant = format!(
        "{name}:call:GET /{}?{}",
        "segment/".repeat(12),
        "parameter&".repeat(6)
    );
    let grant = grant.trim_end_matches('&');
    let line = [
        "token",
        "create",
        "--env",
        &env,
        "--principal",
        &principal,
        "--grant",
        grant,
    ];
    let rest = ["--owner", &about, "--purpose", &about];
    let made = house.json(&[&line[..], &rest].concat());
    let id = made["id"].as_str().expect("a text").to_owned();
    let line = [
        "data-rule",
        "create",
        &name,
        "--env",
        &env,
        "--action",
        "mask",
        "--upstream",
        &name,
    ];
    house.json(&[&line[..], &["--class", "all", "--header", &"h".repeat(60)]].concat());
    let file = house.path().join("policy.cedar");
    std::fs::write(&file, "permit(principal, action, resource);").expect("the directory is ours");
    let file = file.display().to_string();
    house.json(&["policy", "create", &name, "--env", &env, "--file", &file]);
    let (bearer, target) = (
        made["token"].as_str().expect("a text"),
        format!("/{name}/{name}"),
    );
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {bearer}\r\n\
         Connection: close\r\n\r\n",
        house.data
    );
    let mut stream = TcpStream::connect(house.data).expect("it listens");
    stream.write_all(request.as_bytes()).expect("it reads");
    let _ = std::io::Read::read_to_end(&mut stream, &mut Vec::new());
    [id, env, principal, name]
}

#[test]
fn pipes_and_no_color_get_no_colours_and_tables_fit_the_width() {
    let house = House::open();
    let [id, env, principal, name] = &long_winded(&house);
    let run = |line: &[&str], name: &str, value: &str| {
        let output = command(house.path())
            .args(line)
            .env(name, value)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    for line in [
        &["token", "list"][..],
        &["token", "list", "--env", env],
        &["token", "show", id],
        &["env", "list"],
        &["env", "show", env],
        &["principal", "list", "--env", env],
        &["principal", "show", principal, "--env", env],
        &["upstream", "list", "--env", "dev"],
        &["upstream", "list", "--env", env],
        &["upstream", "show", name, "--env", env],
        &["policy", "list", "--env", env],
        &["data-rule", "list", "--env", env],
        &["data-rule", "show", name, "--env", env],
        &["audit", "tail", "-n", "50"],
        &["audit", "search", "--env", env],
        &["audit", "search", "--kind", "outcome"],
        &["audit", "show", "5"],
        &["audit", "verify"],
        &["status"],
    ] {
        let piped = run(line, "COLUMNS", "80");
        assert!(!piped.contains('\u{1b}'), "{piped:?}");
        assert!(
            piped.lines().all(|line| line.chars().count() <= 80),
            "{piped}"
        );
        assert!(
            piped.lines().all(|line| line == line.trim_end()),
            "{piped:?}"
        );
        assert!(
            run(line, "CLICOLOR_FORCE", "1").contains("\u{1b}["),
            "asked for, they come"
        );
        assert!(!run(line, "NO_COLOR", "1").contains('\u{1b}'));
    }
}

#[test]
fn mistakes_say_what_to_do_and_have_their_exit_codes() {
    let dir = tempfile::tempdir().unwrap();
    let run = |line: &[&str]| crate::house::run_in(dir.path(), line);
    let off = run(&["env", "list"]);
    assert_eq!(off.status.code(), Some(1));
    assert!(
        printed(&off).contains("start it with `postern serve"),
        "{}",
        printed(&off)
    );
    let json = run(&["env", "list", "--json"]);
    let error: serde_json::Value = serde_json::from_slice(&json.stderr).unwrap();
    assert!(
        error["error"]["hints"][0]
            .as_str()
            .unwrap()
            .contains("postern serve")
    );
    let json = run(&["env", "lisst", "--json"]);
    assert_eq!(json.status.code(), Some(2));
    let error: serde_json::Value = serde_json::from_slice(&json.stderr).unwrap();
    let said = error["error"]["message"].as_str().unwrap();
    assert!(said.contains("lisst"), "{error}");
    for line in [
        &["env", "create", "Not-A-Name"][..],
        &["token", "create"],
        &["token", "show", "short"],
        &["nonsense"],
        &["env", "delete", "dev"],
    ] {
        assert_eq!(
            run(line).status.code(),
            Some(2),
            "{line:?}: {}",
            printed(&run(line))
        );
    }
    let script = run(&["completions", "bash"]);
    assert!(
        printed(&script).contains("_postern"),
        "there is a completion script"
    );
}
