//! A real Backend-as-a-Service stays narrow behind the gateway.
//!
//! parse-server gives everything to whoever holds the application's keys. The gateway holds them; a
//! token that may read one class can read that class, and there is no other way in.

use std::fs;
use std::path::{Path, PathBuf};

use postern_testkit::backend::{ParseServer, SECRET_TEXT};
use postern_testkit::raw::{self, RawAnswer, percent};
use postern_testkit::{Answer, ReplayUpstream, SeenRequest};
use serde_json::{Value, json};

use crate::gateway::{Gateway, NewUpstream, Token};

/// parse-server behind a gateway, a token that may read notes, and one that may write them.
struct Notes {
    parse: ParseServer,
    gateway: Gateway,
    reader: Token,
    writer: Token,
}

impl Notes {
    fn start() -> Option<Self> {
        let parse = ParseServer::start().expect("parse-server starts")?;
        let gateway = Gateway::start();
        let application = format!("x-parse-application-id={}", parse.application);
        let headers = [
            "--header",
            &application,
            "--header",
            "x-parse-master-key={credential}",
        ];
        gateway.make(&NewUpstream {
            env: "dev",
            name: "notes",
            kind: "http",
            url: &parse.url(),
            credential: &parse.master_key,
            more: &headers,
        });
        let query = json!({
            "limit": "integer",
            "order": {"one_of": ["title", "-title"]},
            "where": {"json_keys": ["title", "level", "$gt", "$lt"]},
        });
        let rules = json!([
            {"methods": ["GET"], "path": "/classes/Note/{id}"},
            {"methods": ["GET"], "path": "/classes/Note", "query": query},
        ]);
        let grant = json!({"upstream": "notes", "actions": {"call": {"rules": rules}}});
        let reader = gateway.token(&[&grant.to_string()]);
        let writer = gateway.token(&["notes:call:POST /classes/Note json=title&level"]);
        Some(Self {
            parse,
            gateway,
            reader,
            writer,
        })
    }

    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> RawAnswer {
        let mut all = headers.to_vec();
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        if !body.is_empty() {
            all.push(("content-type", "application/json"));
        }
        self.send_as(&self.reader, method, path, (&all, &body))
    }

    fn send_as(
        &self,
        token: &Token,
        method: &str,
        path: &str,
        (headers, body): (&[(&str, &str)], &str),
    ) -> RawAnswer {
        let bearer = token.bearer();
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend(headers);
        let target = format!("/notes{path}");
        let answer = raw::request(self.gateway.addr(), method, &target, &all, body.as_bytes());
        self.assert_nothing_leaked(method, path, &answer);
        answer
    }

    fn get(&self, path: &str) -> RawAnswer {
        self.send("GET", path, &[], &Value::Null)
    }

    /// Whatever is asked, neither the secret nor a key of the application may come back.
    fn assert_nothing_leaked(&self, method: &str, path: &str, answer: &RawAnswer) {
        let headers: String = answer
            .headers
            .iter()
            .map(|(n, v)| format!("{n}: {v}\n"))
            .collect();
        let all = format!("{headers}{}", answer.text());
        let parse = &self.parse;
        for secret in [SECRET_TEXT, &parse.master_key, &parse.rest_key] {
            assert!(
                !all.contains(secret),
                "{method} {path} gave away {secret:?}: {all}"
            );
        }
    }

    /// Asserts that the gateway itself refused.
    fn refused(&self, what: &str, answer: &RawAnswer) {
        let code = answer.header("postern-refusal");
        assert!(
            code.is_some(),
            "{what}: {} {}",
            answer.status,
            answer.text()
        );
        assert!(
            (400..500).contains(&answer.status),
            "{what}: {}",
            answer.status
        );
    }
}

// Goal: what was granted works as without a gateway. Method: read one note, all notes, and a query.
#[test]
fn a_reader_of_one_class_reads_that_class() {
    let Some(notes) = Notes::start() else { return };
    let one = notes.get(&format!("/classes/Note/{}", notes.parse.notes[0]));
    assert_eq!(
        (one.status, &one.json()["title"]),
        (200, &json!("Oil for the lamp"))
    );
    let all = notes.get("/classes/Note?order=-title&limit=5");
    assert_eq!(all.json()["results"].as_array().map(Vec::len), Some(2));
    let above = percent(r#"{"level":{"$gt":2}}"#);
    let some = notes.get(&format!("/classes/Note?where={above}"));
    assert_eq!(
        some.json()["results"].as_array().map(Vec::len),
        Some(1),
        "{}",
        some.text()
    );
}

/// Every way to read something that was not granted.
fn forbidden_reads(note: &str, secret: &str) -> Vec<String> {
    let inside = |operator: &str| {
        let inner = json!({"className": "Secret", "where": {"text": {"$regex": "cellar"}}});
        format!(
            "/classes/Note?where={}",
            percent(&json!({"hides": {operator: inner}}).to_string())
        )
    };
    vec![
        secret.to_owned(),
        "/classes/Secret".to_owned(),
        "/classes/Secret/".to_owned(),
        format!("{note}?include=hides"),
        "/classes/Note?include=hides".to_owned(),
        "/classes/Note?%69nclude=hides".to_owned(),
        "/classes/Note?includeAll=true".to_owned(),
        "/classes/Note?limit=1&limit=2".to_owned(),
        "/classes/Note?order=hides.text".to_owned(),
        inside("$inQuery"),
        inside("$notInQuery"),
        inside("\\u0024inQuery"),
        format!(
            "/classes/Note?where={}",
            percent(r#"{"hides":{"\u0024inQuery":{}}}"#)
        ),
        format!(
            "/classes/Note?where={}",
            percent(r#"{"$or":[{"hides.text":"x"}]}"#)
        ),
        format!(
            "/classes/Note?where={}",
            percent(r#"{"title":{"$select":{"key":"text"}}}"#)
        ),
        "/aggregate/Secret".to_owned(),
        "/aggregate/Note?%24match=%7B%7D".to_owned(),
        "/schemas".to_owned(),
        "/schemas/Note".to_owned(),
        "/users".to_owned(),
        "/config".to_owned(),
        "/serverInfo".to_owned(),
        "/graphql".to_owned(),
        "/classes/Note/..%2fSecret".to_owned(),
        "/classes/Note/../Secret".to_owned(),
        "/classes/Note/%2e%2e/Secret".to_owned(),
        "/classes//Secret".to_owned(),
        "/classes/Note;/../Secret".to_owned(),
        "/Classes/Secret".to_owned(),
    ]
}

/// Every way to write, or to read by what looks like a write.
fn forbidden_writes<'a>(note: &'a str, secret: &str) -> Vec<(&'static str, &'a str, Value)> {
    let get = json!({"_method": "GET"});
    let batch = json!({"requests": [{"method": "PUT", "path": secret, "body": {"level": 9}}]});
    vec![
        ("POST", "/classes/Note", json!({"title": "mine"})),
        ("PUT", note, json!({"title": "mine"})),
        ("DELETE", note, Value::Null),
        ("POST", "/classes/Secret", get.clone()),
        ("POST", "/classes/Note", get.clone()),
        ("GET", note, json!({"_method": "DELETE"})),
        ("POST", "/batch", batch),
        ("POST", "/aggregate/Secret", get),
        ("POST", "/schemas/Extra", json!({"className": "Extra"})),
        (
            "PUT",
            "/schemas/Note",
            json!({"className": "Note", "fields": {"a": {"type": "String"}}}),
        ),
        ("DELETE", "/schemas/Note", Value::Null),
        ("POST", "/functions/anything", json!({})),
        (
            "POST",
            "/graphql",
            json!({"query": "{secrets{edges{node{text}}}}"}),
        ),
        ("PATCH", note, json!({"title": "mine"})),
        ("OPTIONS", "/classes/Secret", Value::Null),
    ]
}

// Goal: nothing beside what was granted. Method: every way in that parse-server offers, each of
// which is open with the application's keys (the testkit proves that). Nothing may change, nothing
// of the secret may come back, and the gateway itself must have refused.
#[test]
fn a_reader_of_one_class_reaches_nothing_else() {
    let Some(notes) = Notes::start() else { return };
    let note = format!("/classes/Note/{}", notes.parse.notes[0]);
    let secret = format!("/classes/Secret/{}", notes.parse.secret);
    for path in forbidden_reads(&note, &secret) {
        notes.refused(&path, &notes.get(&path));
    }
    for (method, path, body) in forbidden_writes(&note, &secret) {
        notes.refused(
            &format!("{method} {path}"),
            &notes.send(method, path, &[], &body),
        );
    }
    let titles: Vec<Value> = notes
        .parse
        .objects("Note")
        .iter()
        .map(|n| n["title"].clone())
        .collect();
    assert_eq!(titles.len(), 2);
    assert!(titles.contains(&json!("Oil for the lamp")) && titles.contains(&json!("Wick")));
    assert_eq!(notes.parse.objects("Secret")[0]["level"], 3);
}

// Goal: who may write notes cannot read by what looks like a write. Method: every reading that
// parse-server takes in a body, in each content type in which it takes one; and a grant that does
// not say what its body may be, which is not made at all.
#[test]
fn a_writer_of_one_class_does_not_read_through_its_body() {
    let Some(notes) = Notes::start() else { return };
    let post = |kind: &str, body: &str| {
        let headers = [("content-type", kind)];
        notes.send_as(&notes.writer, "POST", "/classes/Note", (&headers, body))
    };
    let inside = json!({"className": "Secret", "where": {"text": {"$regex": "cellar"}}});
    let (app, master) = (&notes.parse.application, &notes.parse.master_key);
    let asks = [
        json!({"_method": "GET"}),
        json!({"_method": "GET", "where": {}, "include": "hides"}),
        json!({"_method": "GET", "where": {"hides": {"$inQuery": inside}}}),
        json!({"_method": "GET", "_ApplicationId": app, "_MasterKey": master}),
        json!({"title": {"_method": "GET"}}),
    ];
    for ask in &asks {
        for kind in ["application/json", "text/plain", "application/octet-stream"] {
            notes.refused(&format!("{kind} {ask}"), &post(kind, &ask.to_string()));
        }
    }
    for form in ["_method=GET", "title=a&_method=GET&include=hides"] {
        notes.refused(form, &post("application/x-www-form-urlencoded", form));
    }
    assert_eq!(notes.parse.objects("Note").len(), 2, "nothing was written");
    let made = post("application/json", r#"{"title":"Bell","level":1}"#);
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(
        notes.parse.objects("Note").len(),
        3,
        "what was granted works"
    );

    let silent = ["--grant", "notes:call:POST /classes/Note"];
    let line = [
        "token",
        "create",
        "--env",
        "dev",
        "--principal",
        "service:web",
    ];
    let refused = notes.gateway.run(&[&line[..], &silent].concat());
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        !refused.status.success() && said.contains("json=KEY&KEY"),
        "{said}"
    );
}

// Goal: a client cannot speak with the application's keys or disguise its method by headers.
// Method: granted requests that carry them, to parse-server, which gives the granted answer or
// none, and to a backend that keeps what it was asked, which must not have been asked with them.
#[test]
fn headers_that_carry_keys_or_methods_do_not_pass() {
    const MASTER: &str = "master-key-of-the-gateway";
    let carried = [
        ("x-parse-master-key", "guessed-master-key"),
        ("x-parse-application-id", "another-application"),
        ("x-parse-session-token", "r:0000000000000000000000000000000"),
        ("x-parse-javascript-key", "guessed-javascript-key"),
        ("x-http-method-override", "DELETE"),
        ("x-method-override", "DELETE"),
        ("x-parse-cloud-context", r#"{"cloud":1}"#),
        ("cookie", "session=1"),
    ];
    let (upstream, gateway) = recording_backend(MASTER);
    let token = gateway.token(&["notes:call:GET /classes/Note"]);
    let bearer = token.bearer();
    let mut asked = 0;
    for (name, value) in carried {
        let headers = [("authorization", bearer.as_str()), (name, value)];
        let path = "/notes/classes/Note";
        let answer = raw::request(gateway.addr(), "GET", path, &headers, b"");
        let seen = upstream.take_requests();
        if answer.header("postern-refusal").is_some() {
            assert!(seen.is_empty(), "{name}: refused and sent on");
            continue;
        }
        asked += 1;
        let [request] = &seen[..] else {
            panic!("{name}: {seen:?}")
        };
        assert_eq!((request.method.as_str(), answer.status), ("GET", 200));
        let keys: Vec<_> = request.headers_named("x-parse-master-key").collect();
        assert_eq!(keys, [MASTER], "{name}");
        let others = request
            .headers
            .iter()
            .filter(|(n, _)| n != "x-parse-master-key");
        for (other, its) in others {
            assert!(
                !other.eq_ignore_ascii_case(name) && !its.contains(value),
                "{name}"
            );
        }
    }
    assert!(asked >= 5, "most are taken off, not refused: {asked}");

    let Some(notes) = Notes::start() else { return };
    let note = format!("/classes/Note/{}", notes.parse.notes[0]);
    let master = notes.parse.master_key.clone();
    for (name, value) in [("x-parse-master-key", master.as_str())]
        .into_iter()
        .chain(carried)
    {
        let answer = notes.send("GET", &note, &[(name, value)], &Value::Null);
        let passed = answer.status == 200 && answer.json()["title"] == "Oil for the lamp";
        assert!(
            passed || answer.header("postern-refusal").is_some(),
            "{name}: {}",
            answer.text()
        );
    }
    assert_eq!(notes.parse.objects("Note").len(), 2);
}

/// A backend that keeps what it was asked and shows it, behind a gateway that holds its key.
fn recording_backend(master: &str) -> (ReplayUpstream, Gateway) {
    let upstream = ReplayUpstream::start(|request: &SeenRequest| {
        let echo: Vec<String> = request
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        let mut answer = Answer::json(200, &json!({"headers": echo}));
        answer.headers.push(("x-echo".to_owned(), echo.join("; ")));
        answer
    });
    let upstream = upstream.expect("the upstream starts");
    let gateway = Gateway::start();
    let headers = ["--header", "x-parse-master-key={credential}"];
    gateway.make(&NewUpstream {
        env: "dev",
        name: "notes",
        kind: "http",
        url: &upstream.url(),
        credential: master,
        more: &headers,
    });
    (upstream, gateway)
}

// Goal: the master key is the gateway's alone. Method: a backend that shows what it got, and every
// answer and every file that a client or a disk thief can see.
#[test]
fn the_master_key_never_leaves_the_gateway() {
    let master = "master-key-that-must-stay-inside-4711";
    let (upstream, gateway) = recording_backend(master);
    let token = gateway.token(&["notes:call:GET /classes/Note"]);
    let answer = raw::request(
        gateway.addr(),
        "GET",
        "/notes/classes/Note",
        &[
            ("authorization", &token.bearer()),
            ("x-parse-master-key", "mine"),
        ],
        b"",
    );
    let seen = upstream.requests();
    assert_eq!(
        seen[0]
            .headers_named("x-parse-master-key")
            .collect::<Vec<_>>(),
        [master]
    );
    assert!(
        !seen[0].contains(&token.secret),
        "the token reached the upstream"
    );
    // A backend that sends the credential back does not get it past the gateway.
    let all = format!("{:?}{}", answer.headers, answer.text());
    assert!(!all.contains(master), "{all}");
    assert!(!gateway.log().contains(master) && !gateway.log().contains(&token.secret));
    let shown = gateway.run(&["upstream", "show", "notes", "--env", "dev", "--json"]);
    assert!(!String::from_utf8_lossy(&shown.stdout).contains(master));
    for secret in [master, &token.secret] {
        let holders = files_with(&gateway.dir().join("data"), secret.as_bytes());
        assert!(holders.is_empty(), "{secret:?} is readable in {holders:?}");
    }
}

/// The files below `dir` that hold `needle`.
fn files_with(dir: &Path, needle: &[u8]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("the directory is ours").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, needle));
        } else if fs::read(&path).is_ok_and(|b| b.windows(needle.len()).any(|w| w == needle)) {
            found.push(path);
        }
    }
    found
}
