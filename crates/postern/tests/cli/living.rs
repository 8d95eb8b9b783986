//! A gateway's life: stopped, interrupted, called over TLS, left alone in the middle of an act.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use postern_testkit::{Answer, ReplayUpstream, SeenRequest};
use serde_json::{Value, json};

use crate::house::{House, command, printed, run_in};

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_stop_is_in_good_order_recorded_and_verified() {
    let house = House::open();
    house.furnish("dev");
    let (ended, dir) = house.stop();
    assert!(ended.success(), "{ended}");
    assert!(!dir.path().join("data/run/addresses.json").exists());
    assert!(!dir.path().join("data/run/admin.sock").exists());
    let verdict = run_in(dir.path(), &["audit", "verify", "--json"]);
    let verdict: Value = serde_json::from_slice(&verdict.stdout).unwrap();
    let covered = format!("agrees on {} entries", verdict["entries"]);
    let witnesses = verdict["witnesses"].to_string();
    assert!(
        witnesses.contains(&covered),
        "a last checkpoint covers everything: {witnesses}"
    );
    let events = run_in(
        dir.path(),
        &["audit", "search", "--kind", "system", "--json"],
    );
    let events: Value = serde_json::from_slice(&events.stdout).unwrap();
    let events: Vec<&Value> = events
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["record"]["event"])
        .collect();
    assert_eq!(events, ["init", "start", "stop"]);
}

#[test]
fn a_second_signal_ends_it_and_the_next_start_recovers() {
    // Goal: an operator in a hurry is obeyed, and nothing is lost. Method: hold a request of the
    // data plane open so that the first signal waits for it, then send another.
    let mut house = House::open();
    house.furnish("dev");
    let (_, token) = house.token("dev");
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    house.json(&["upstream", "update", "notes", "--env", "dev", "--url", &url]);
    let mut client = TcpStream::connect(house.data).unwrap();
    let request = format!(
        "GET /notes/notes HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\r\n",
        house.data
    );
    client.write_all(request.as_bytes()).unwrap();
    let _held = silent.accept().unwrap();
    house.signal("TERM");
    house.wait_until_said("stopping");
    house.signal("INT");
    let (ended, dir) = house.stop();
    assert_eq!(ended.code(), Some(1), "not in good order, and it says so");
    let mut serve = command(dir.path());
    let mut again = serve.arg("serve").stderr(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + PATIENCE;
    let abandoned = loop {
        let found = run_in(
            dir.path(),
            &["audit", "search", "--kind", "outcome", "--json"],
        );
        let found: Value = serde_json::from_slice(&found.stdout).unwrap_or_default();
        let ends = found.as_array().cloned().unwrap_or_default();
        if let Some(entry) = ends
            .iter()
            .find(|entry| entry["record"]["end"] == "abandoned")
        {
            break entry.clone();
        }
        assert!(Instant::now() < deadline, "{found}");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert_eq!(abandoned["record"]["summary"]["path"], "/notes/notes");
    again.kill().unwrap();
    again.wait().unwrap();
}

#[test]
fn a_stop_tells_streams_that_do_not_end_by_themselves() {
    // Goal: whoever reads an endless stream is told why it ends, and the record says so. Method:
    // several of them under a short drain, and the signal that a supervisor sends.
    let event = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"on\"}}]}\n\n";
    let upstream = ReplayUpstream::start(move |_: &SeenRequest| {
        Answer::endless("", event, Duration::from_millis(20))
    })
    .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let house = House::open_with(dir, "[limits]\ndrain = \"1s\"\n");
    house.furnish("dev");
    let url = upstream.url();
    let line = [
        "upstream", "create", "openai", "--env", "dev", "--kind", "openai",
    ];
    house.json(&[&line[..], &["--url", &url]].concat());
    let grant = ["--grant", "openai:invoke:gpt-4o-mini"];
    let line = [
        "token",
        "create",
        "--env",
        "dev",
        "--principal",
        "service:web",
    ];
    let issued = house.json(&[&line[..], &grant].concat());
    let token = issued["token"].as_str().unwrap();
    let body = r#"{"model":"gpt-4o-mini","stream":true,"messages":[]}"#;
    let request = format!(
        "POST /openai/v1/chat/completions HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        house.data,
        body.len()
    );
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let mut stream = TcpStream::connect(house.data).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut first = [0; 400];
            stream.read_exact(&mut first).unwrap();
            std::thread::spawn(move || {
                let mut rest = Vec::new();
                let _ = stream.read_to_end(&mut rest);
                String::from_utf8_lossy(&rest).into_owned()
            })
        })
        .collect();
    let (ended, dir) = house.stop();
    assert!(ended.success(), "{ended}");
    for client in clients {
        let rest = client.join().unwrap();
        let end = &rest[rest.len().saturating_sub(600)..];
        assert!(
            end.contains("shutting_down") && end.ends_with("0\r\n\r\n"),
            "{end}"
        );
    }
    let found = run_in(
        dir.path(),
        &["audit", "search", "--kind", "outcome", "--json"],
    );
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    let ends = found.as_array().unwrap();
    assert_eq!(ends.len(), 8);
    for entry in ends {
        let told = (&entry["record"]["end"], &entry["record"]["refusal"]);
        assert_eq!(
            told,
            (&json!("shutdown"), &json!("shutting_down")),
            "{entry}"
        );
    }
}

#[test]
fn an_act_is_finished_when_its_client_hangs_up() {
    // Goal: a revocation that reached the gateway holds in the store and in the data plane, also
    // when nobody waits for the answer. Method: send it and close the connection at once.
    let house = House::open();
    house.furnish("dev");
    let use_it = |token: &str| {
        let mut stream = TcpStream::connect(house.data).unwrap();
        let request = format!(
            "GET /notes/other HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\
             Connection: close\r\n\r\n",
            house.data
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    for _ in 0..10 {
        let (id, token) = house.token("dev");
        assert_eq!(
            use_it(&token),
            "403",
            "the token is known, the path is not granted"
        );
        let request = format!(
            "POST /api/v1/tokens/{id}/revoke HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}",
            house.admin, house.owner
        );
        let mut stream = TcpStream::connect(house.admin).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Both).unwrap();
        drop(stream);
        let deadline = Instant::now() + PATIENCE;
        // Either it never got in, or it is whole.
        while house.json(&["token", "show", &id])["state"] == "revoked" && use_it(&token) != "401" {
            assert!(
                Instant::now() < deadline,
                "revoked in the store, live in the data plane"
            );
        }
    }
}

#[test]
fn an_administrator_whose_token_ends_while_its_request_arrives_does_nothing() {
    // Goal: whoever has a stolen token and keeps a request half sent makes nothing of it once the
    // token is revoked, least of all another token. Method: the head and half of the body; the
    // revocation, as soon as the gateway has seen the token used; and then the rest.
    let house = House::open();
    let (id, token) = house.administrator("owner", None);
    let body = json!({ "role": "owner", "ttl": "1h" }).to_string();
    let (first, rest) = body.split_at(body.len() / 2);
    let request = format!(
        "POST /api/v1/tokens HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\
         Connection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{first}",
        house.admin,
        body.len()
    );
    let mut stream = TcpStream::connect(house.admin).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let deadline = Instant::now() + PATIENCE;
    while house.json(&["token", "show", &id])["last_used_at"].is_null() {
        assert!(Instant::now() < deadline, "the token was never used");
        std::thread::sleep(Duration::from_millis(50));
    }
    house.json(&["token", "revoke", &id]);
    stream.write_all(rest.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    let path = "/api/v1/tokens?kind=admin&state=live";
    let live = house.ask("GET", path, &house.owner, &Value::Null).body;
    assert_eq!(live["items"].as_array().unwrap().len(), 1, "{live}");
    let acts = house.json(&["audit", "search", "--action", "token.create"]);
    let refused = |act: &&Value| act["record"]["status"] == 401;
    let refused = acts.as_array().unwrap().iter().filter(refused).count();
    assert_eq!(refused, 1, "it is recorded: {acts}");
}

#[test]
fn the_admin_api_speaks_tls_and_a_stranger_certificate_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (
        dir.path().join("certificate.pem"),
        dir.path().join("key.pem"),
    );
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let tls = format!(
        "[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n",
        certificate.display(),
        key.display()
    );
    let loose = tempfile::tempdir().unwrap();
    fs::copy(&key, loose.path().join("key.pem")).unwrap();
    fs::set_permissions(
        loose.path().join("key.pem"),
        fs::Permissions::from_mode(0o644),
    )
    .unwrap();
    let settings = tls.replace(&key.display().to_string(), "key.pem");
    fs::write(loose.path().join("postern.toml"), settings).unwrap();
    let config = loose.path().join("postern.toml").display().to_string();
    let refused = run_in(loose.path(), &["serve", "--config", &config]);
    assert!(
        printed(&refused).contains("chmod 600"),
        "{}",
        printed(&refused)
    );
    let house = House::open_with(dir, &tls);
    let url = format!("https://{}", house.admin);
    let ask = |more: &[&str]| {
        let mut command = command(house.path());
        command
            .args(["env", "list", "--json", "--url", &url])
            .args(more);
        command
            .env("POSTERN_ADMIN_TOKEN", &house.owner)
            .output()
            .unwrap()
    };
    let trusted = ask(&["--url-ca", &certificate.display().to_string()]);
    assert!(trusted.status.success(), "{}", printed(&trusted));
    let untrusted = ask(&[]);
    assert_eq!(untrusted.status.code(), Some(1), "{}", printed(&untrusted));
    // The socket needs no certificate.
    assert_eq!(house.json(&["env", "list"]), json!([]));
}

#[test]
fn repeating_a_command_with_its_idempotency_key_makes_no_second_token() {
    let house = House::open();
    house.furnish("dev");
    let line = [
        "token",
        "create",
        "--env",
        "dev",
        "--principal",
        "service:web",
        "--grant",
        "notes:call:GET /notes",
        "--idempotency-key",
        "once",
    ];
    let first = house.json(&line);
    let second = house.run(&line);
    assert_eq!(second.status.code(), Some(1));
    let said = printed(&second);
    assert!(
        said.contains(first["id"].as_str().unwrap()),
        "the first token is named: {said}"
    );
    assert!(
        !said.contains(first["token"].as_str().unwrap()),
        "and not shown again"
    );
    let tokens = house.json(&["token", "list", "--env", "dev"]);
    assert_eq!(tokens.as_array().unwrap().len(), 1);
}

#[test]
fn a_second_gateway_does_not_share_the_first_ones_port() {
    let first = House::open();
    let dir = tempfile::tempdir().unwrap();
    assert!(run_in(dir.path(), &["init"]).status.success());
    let settings = format!(
        "[listen]\ndata = \"{}\"\nadmin = \"127.0.0.1:0\"\n",
        first.data
    );
    fs::write(dir.path().join("data/postern.toml"), settings).unwrap();
    let second = run_in(dir.path(), &["serve"]);
    assert_eq!(second.status.code(), Some(1));
    let said = printed(&second);
    assert!(said.contains("cannot listen on"), "{said}");
    assert!(
        !said.contains("postern check"),
        "it could not see it: {said}"
    );
}

#[test]
fn a_reader_that_stops_reading_is_no_failure() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = command(dir.path())
        .args(["completions", "zsh"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", printed(&output));
    assert!(output.stderr.is_empty(), "{}", printed(&output));
}

#[test]
fn a_start_that_fails_names_everything_that_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    assert!(run_in(dir.path(), &["init"]).status.success());
    fs::remove_file(dir.path().join("data/postern.db")).unwrap();
    fs::remove_dir_all(dir.path().join("data/audit")).unwrap();
    let refused = run_in(dir.path(), &["serve"]);
    let said = printed(&refused);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(
        said.contains("no store") && said.contains("no audit log"),
        "{said}"
    );
}
