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

#[test]
fn pipes_and_no_color_get_no_colours_and_tables_fit_the_width() {
    let house = House::open();
    house.furnish("dev");
    house.token("dev");
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
        &["env", "list"],
        &["upstream", "list", "--env", "dev"],
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
