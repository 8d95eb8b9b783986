//! A token of one environment never opens another's, whatever it sends.

use postern_testkit::{Answer, ReplayUpstream, SeenRequest, raw};
use serde_json::json;

use crate::gateway::{Gateway, NewUpstream, Token};

fn named(name: &'static str) -> ReplayUpstream {
    let answer = move |_: &SeenRequest| Answer::json(200, &json!({"i_am": name}));
    ReplayUpstream::start(answer).expect("the upstream starts")
}

fn upstream(gateway: &Gateway, env: &str, name: &str, behind: &ReplayUpstream) {
    let credential = format!("{env}-credential");
    gateway.make(&NewUpstream {
        env,
        name,
        kind: "http",
        url: &behind.url(),
        credential: &credential,
        more: &[],
    });
}

/// The upstream `notes`, and a policy that allows everything.
fn install(gateway: &Gateway, env: &str, behind: &ReplayUpstream) {
    upstream(gateway, env, "notes", behind);
    let file = gateway.dir().join("all.cedar");
    std::fs::write(&file, "permit(principal, action, resource);").expect("it is ours");
    let file = file.display().to_string();
    gateway.json(&["policy", "create", "all", "--env", env, "--file", &file]);
}

// Goal: names resolve inside the token's environment. Method: the same upstream name, grants and
// principal in two environments with policies that allow everything; a dev token tries every way
// to name the other.
#[test]
fn a_dev_token_reaches_only_devs_upstream() {
    let gateway = Gateway::start();
    gateway.environment("prod");
    let (dev, prod) = (named("dev"), named("prod"));
    install(&gateway, "dev", &dev);
    install(&gateway, "prod", &prod);
    upstream(&gateway, "prod", "secrets", &prod);
    let grant = ["notes:call:GET|POST /{path...} body=any"];
    let (in_dev, in_prod) = (gateway.token(&grant), gateway.token_in("prod", &grant, &[]));
    let ask = |token: &Token, target: &str, headers: &[(&str, &str)]| {
        let bearer = token.bearer();
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend(headers);
        raw::request(gateway.addr(), "GET", target, &all, b"")
    };
    assert_eq!(ask(&in_dev, "/notes/x", &[]).json()["i_am"], "dev");
    assert_eq!(ask(&in_prod, "/notes/x", &[]).json()["i_am"], "prod");
    let reached = prod.take_requests().len();
    assert_eq!(reached, 1);
    for target in [
        "/secrets/x",
        "/prod/notes/x",
        "/prod:notes/x",
        "/prod.notes/x",
        "/prod%2Fnotes/x",
    ] {
        let answer = ask(&in_dev, target, &[]);
        assert!(
            (400..500).contains(&answer.status),
            "{target}: {}",
            answer.text()
        );
    }
    for header in [
        "postern-environment",
        "x-postern-env",
        "x-environment",
        "x-forwarded-host",
    ] {
        assert_eq!(
            ask(&in_dev, "/notes/x", &[(header, "prod")]).json()["i_am"],
            "dev"
        );
    }
    // The environment is a part of the token's text, but not a part that can be exchanged.
    let renamed = in_dev.secret.replacen("_dev_", "_prod_", 1);
    assert_ne!(renamed, in_dev.secret);
    let renamed = Token {
        id: in_dev.id.clone(),
        secret: renamed,
    };
    assert_eq!(ask(&renamed, "/notes/x", &[]).status, 401);
    assert_eq!(prod.requests().len(), 0, "a dev token reached prod");
    assert!(
        dev.requests()
            .iter()
            .all(|request| !request.contains("prod-credential"))
    );
}
