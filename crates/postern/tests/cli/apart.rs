//! An administrator of one environment is not one of another, and roles hold.

use serde_json::{Value, json};

use crate::house::{House, Reply, printed};

fn denied(reply: &Reply) {
    assert_eq!(
        (reply.status, &reply.body["code"]),
        (403, &json!("denied")),
        "{}",
        reply.body
    );
    assert!(
        reply.body["detail"].is_null(),
        "what is out of reach is not described"
    );
}

fn data_rules_are_denied(house: &House, path: &str, token: &str) {
    let one = format!("{path}/people");
    let spec = json!({ "directions": ["request"], "classes": ["email"], "action": "mask" });
    let rule = json!({ "name": "people", "rule": spec });
    let weaker = json!({ "action": "allow" });
    denied(&house.ask("GET", path, token, &Value::Null));
    denied(&house.ask("POST", path, token, &rule));
    denied(&house.ask("GET", &one, token, &Value::Null));
    denied(&house.ask("PATCH", &one, token, &weaker));
    denied(&house.ask("DELETE", &one, token, &Value::Null));
}

#[test]
fn an_administrator_of_one_environment_neither_sees_nor_touches_another() {
    // Goal: nothing of `prod` opens to an administrator of `dev`, whether it exists or not. Method:
    // every route that names an environment or a token, with prod's names and with unknown ones.
    let house = House::open();
    house.furnish("dev");
    house.furnish("prod");
    let (prod_token, _) = house.token("prod");
    let (owner_id, _) = house.administrator("owner", None);
    let (_, dev) = house.administrator("owner", Some("dev"));
    for env in ["prod", "nowhere"] {
        let at = |rest: &str| format!("/api/v1/environments/{env}{rest}");
        for path in [
            "",
            "/principals",
            "/principals/service:web",
            "/upstreams",
            "/upstreams/notes",
            "/policies",
            "/policies/baseline",
        ] {
            denied(&house.ask("GET", &at(path), &dev, &Value::Null));
        }
        for path in [
            "",
            "/principals/service:web",
            "/upstreams/notes",
            "/policies/baseline",
        ] {
            denied(&house.ask("DELETE", &at(path), &dev, &Value::Null));
        }
        let upstream = json!({ "name": "x", "kind": "http", "url": "http://127.0.0.1:9" });
        denied(&house.ask("POST", &at("/upstreams"), &dev, &upstream));
        let policy = json!({ "name": "x", "text": "permit(principal, action, resource);" });
        denied(&house.ask("POST", &at("/policies"), &dev, &policy));
        data_rules_are_denied(&house, &at("/data-rules"), &dev);
        denied(&house.ask(
            "POST",
            &at("/principals"),
            &dev,
            &json!({ "id": "service:x" }),
        ));
        let url = json!({ "url": "http://127.0.0.1:10" });
        denied(&house.ask("PATCH", &at("/upstreams/notes"), &dev, &url));
        let disable = json!({ "disabled": true });
        denied(&house.ask("PATCH", &at("/principals/service:web"), &dev, &disable));
        let token = json!({ "environment": env, "principal": "service:web", "grants": [] });
        denied(&house.ask("POST", "/api/v1/tokens", &dev, &token));
        let list = format!("/api/v1/tokens?environment={env}");
        denied(&house.ask("GET", &list, &dev, &Value::Null));
        let search = format!("/api/v1/audit/entries?environment={env}");
        denied(&house.ask("GET", &search, &dev, &Value::Null));
    }
    for id in [prod_token.as_str(), owner_id.as_str(), "0123456789abcdef"] {
        let at = |rest: &str| format!("/api/v1/tokens/{id}{rest}");
        denied(&house.ask("GET", &at(""), &dev, &Value::Null));
        denied(&house.ask("POST", &at("/rotate"), &dev, &json!({})));
        denied(&house.ask("POST", &at("/revoke"), &dev, &json!({})));
    }
    denied(&house.ask("GET", "/api/v1/status", &dev, &Value::Null));
    denied(&house.ask("GET", "/api/v1/audit/checkpoint", &dev, &Value::Null));
    denied(&house.ask(
        "POST",
        "/api/v1/environments",
        &dev,
        &json!({ "name": "mine" }),
    ));
    let wide = json!({ "role": "owner" });
    denied(&house.ask("POST", "/api/v1/tokens", &dev, &wide));
}

#[test]
fn an_administrator_of_one_environment_has_that_one_whole() {
    let house = House::open();
    house.furnish("dev");
    house.furnish("prod");
    let (prod_token, _) = house.token("prod");
    let (dev_token, _) = house.token("dev");
    let (_, dev) = house.administrator("owner", Some("dev"));
    let environments = house.ask("GET", "/api/v1/environments", &dev, &Value::Null);
    assert_eq!(environments.body.as_array().unwrap().len(), 1);
    let tokens = house.ask("GET", "/api/v1/tokens", &dev, &Value::Null);
    let listed = tokens.body["items"].as_array().unwrap();
    assert!(
        listed.iter().all(|token| token["environment"] == "dev"),
        "{}",
        tokens.body
    );
    let revoked = format!("/api/v1/tokens/{dev_token}/revoke");
    assert_eq!(house.ask("POST", &revoked, &dev, &json!({})).status, 200);
    assert_eq!(house.json(&["token", "show", &prod_token])["state"], "live");
}

#[test]
fn a_scoped_administrator_cannot_reach_secrets_of_the_machine() {
    // Goal: `env:` and `file:` would let an administrator of one environment send another's
    // provider key to a server of their own. Method: try both, and a certificate file.
    let house = House::open();
    house.furnish("dev");
    let (_, dev) = house.administrator("admin", Some("dev"));
    let make = |name: &str, more: Value| {
        let mut body = json!({ "name": name, "kind": "http", "url": "https://api.example.com" });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        house.ask("POST", "/api/v1/environments/dev/upstreams", &dev, &body)
    };
    for more in [
        json!({ "credential": { "env": "OPENAI_API_KEY" } }),
        json!({ "credential": { "file": "/etc/passwd" } }),
        json!({ "settings": { "ca_file": "/etc/passwd" } }),
    ] {
        let reply = make("stolen", more);
        assert_eq!(
            (reply.status, &reply.body["code"]),
            (403, &json!("denied")),
            "{}",
            reply.body
        );
    }
    assert_eq!(
        make("own", json!({ "credential": { "sealed": "my-own-key" } })).status,
        201
    );
    let change = json!({ "credential": { "env": "OPENAI_API_KEY" } });
    let reply = house.ask(
        "PATCH",
        "/api/v1/environments/dev/upstreams/own",
        &dev,
        &change,
    );
    assert_eq!(reply.status, 403, "{}", reply.body);
}

#[test]
fn roles_hold() {
    let house = House::open();
    house.furnish("dev");
    let (id, _) = house.token("dev");
    let (admin_id, admin) = house.administrator("admin", None);
    let (_, auditor) = house.administrator("auditor", None);
    let auditors = json!({ "role": "auditor" });
    // An administrator makes everything but administrators.
    let principal = json!({ "id": "service:other" });
    let principals = "/api/v1/environments/dev/principals";
    assert_eq!(
        house
            .ask("POST", principals, &admin, &principal.clone())
            .status,
        201
    );
    denied(&house.ask("POST", "/api/v1/tokens", &admin, &auditors.clone()));
    denied(&house.ask(
        "POST",
        &format!("/api/v1/tokens/{admin_id}/rotate"),
        &admin,
        &json!({}),
    ));
    assert_eq!(
        house
            .ask("POST", "/api/v1/tokens", &house.owner, &auditors)
            .status,
        201
    );
    // An auditor looks at everything and changes nothing.
    assert_eq!(
        house.ask("GET", principals, &auditor, &Value::Null).status,
        200
    );
    denied(&house.ask("POST", principals, &auditor, &principal));
    denied(&house.ask(
        "POST",
        &format!("/api/v1/tokens/{id}/revoke"),
        &auditor,
        &json!({}),
    ));
    denied(&house.ask("DELETE", "/api/v1/environments/dev", &auditor, &Value::Null));
    // What was refused is on record.
    let refused = house.json(&["audit", "search", "--kind", "admin", "--status", "403"]);
    let actions: Vec<&str> = refused
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["record"]["action"].as_str().unwrap())
        .collect();
    let wanted = [
        "token.create",
        "token.rotate",
        "principal.create",
        "token.revoke",
        "environment.delete",
    ];
    assert_eq!(actions, wanted);
}

#[test]
fn services_of_the_gateways_machine_are_for_the_whole_installation() {
    // Goal: an administrator of one environment cannot point an upstream at what is open to the
    // gateway's machine alone. Method: its admin API and the metadata service of clouds, in a new
    // upstream and in a changed one; by name and by address.
    let house = House::open();
    house.furnish("dev");
    let (_, dev) = house.administrator("admin", Some("dev"));
    let list = "/api/v1/environments/dev/upstreams";
    let admin_api = format!("http://{}", house.admin);
    for url in [
        admin_api.as_str(),
        "http://localhost:8081",
        "https://localhost.:8081",
        "https://[::1]",
        "https://[::ffff:127.0.0.1]",
        "https://127.1",
        "https://169.254.169.254",
        "https://[fe80::1]",
    ] {
        let new = json!({ "name": "inner", "kind": "http", "url": url });
        let change = json!({ "url": url });
        let one = format!("{list}/notes");
        for reply in [
            house.ask("POST", list, &dev, &new),
            house.ask("PATCH", &one, &dev, &change),
        ] {
            let code = &reply.body["code"];
            assert_eq!((reply.status, code), (403, &json!("denied")), "{url}");
        }
    }
    let outside = json!({ "name": "outer", "kind": "http", "url": "https://api.example.com" });
    assert_eq!(house.ask("POST", list, &dev, &outside).status, 201);
    let whole = json!({ "name": "inner", "kind": "http", "url": admin_api });
    assert_eq!(house.ask("POST", list, &house.owner, &whole).status, 201);
}

const UPSTREAMS: &str = "/api/v1/environments/dev/upstreams";

/// A change of an upstream's settings, with a word on what it may reach, or none.
fn settings(own_machine: Option<bool>) -> Value {
    json!({ "settings": { "headers": { "x-a": "b" }, "own_machine": own_machine } })
}

#[test]
fn a_scoped_administrators_upstream_is_never_on_the_gateways_machine() {
    // Goal: no name that an administrator of one environment gives an upstream leads to the
    // gateway's own machine, and nothing that anybody changes later undoes it by itself. Method:
    // each way to make and change an upstream, by both sorts of administrator; what is stored.
    let house = House::open();
    house.furnish("dev");
    let (_, dev) = house.administrator("admin", Some("dev"));
    let (owner, dev) = (house.owner.as_str(), dev.as_str());
    let outer = format!("{UPSTREAMS}/outer");
    let url = json!({ "url": "https://inner.example.com" });
    let told = |method: &str, path: &str, who: &str, body: &Value| {
        let reply = house.ask(method, path, who, body);
        assert!(matches!(reply.status, 200 | 201), "{body}: {}", reply.body);
        reply.body["settings"]["own_machine"].clone()
    };
    let new = json!({ "name": "outer", "kind": "http", "url": url["url"] });
    assert_eq!(told("POST", UPSTREAMS, dev, &new), false);
    assert_eq!(told("PATCH", &outer, dev, &settings(None)), false);
    // The whole installation's administrators change it by saying so alone.
    assert_eq!(told("PATCH", &outer, owner, &settings(None)), false);
    assert_eq!(told("PATCH", &outer, owner, &url), false);
    assert_eq!(told("PATCH", &outer, owner, &settings(Some(true))), true);
    assert_eq!(told("PATCH", &outer, owner, &settings(None)), true);
    // Another credential leads nowhere else. Another address or other settings may.
    let credential = json!({ "credential": { "sealed": "a-key" } });
    assert_eq!(told("PATCH", &outer, dev, &credential), true);
    assert_eq!(told("PATCH", &outer, dev, &url), false);
    assert_eq!(told("PATCH", &outer, owner, &settings(Some(true))), true);
    assert_eq!(told("PATCH", &outer, dev, &settings(Some(false))), false);
    assert_eq!(told("GET", &outer, dev, &Value::Null), false);
}

#[test]
fn to_be_on_the_gateways_machine_is_not_a_scoped_administrators_to_allow() {
    // Goal: what a scoped administrator may not have is refused aloud, changes nothing and is on
    // record. Method: ask for it in each way, and look at the upstream and at the audit log.
    let house = House::open();
    house.furnish("dev");
    let (_, dev) = house.administrator("admin", Some("dev"));
    let mut new = settings(Some(true));
    new["name"] = json!("outer");
    new["kind"] = json!("http");
    new["url"] = json!("https://inner.example.com");
    let refused = |method: &str, path: &str, body: &Value| {
        let reply = house.ask(method, path, &dev, body);
        let code = &reply.body["code"];
        assert_eq!((reply.status, code), (403, &json!("denied")), "{body}");
        reply.body["detail"].as_str().unwrap().to_owned()
    };
    let outer = format!("{UPSTREAMS}/outer");
    assert!(refused("POST", UPSTREAMS, &new).contains("own_machine"));
    new["settings"] = json!({});
    assert_eq!(house.ask("POST", UPSTREAMS, &dev, &new).status, 201);
    assert!(refused("PATCH", &outer, &settings(Some(true))).contains("own_machine"));
    // One that is on loopback by its address would end by this, so it is told before.
    let notes = format!("{UPSTREAMS}/notes");
    assert!(refused("PATCH", &notes, &settings(None)).contains("loopback"));
    for (path, own) in [(&outer, false), (&notes, true)] {
        let shown = house.ask("GET", path, &dev, &Value::Null).body;
        let held = json!({ "include_usage": true, "own_machine": own });
        assert_eq!(shown["settings"], held, "{path}");
    }
    // The log has what was asked where it was refused, and what holds where it was not.
    let acts = house.json(&["audit", "search", "--kind", "admin", "--env", "dev"]);
    // The second record of each act, which has its status.
    let acts = acts.as_array().unwrap().iter().map(|act| &act["record"]);
    let told: Vec<Value> = acts
        .filter(|act| act["object"] == "outer" && act["status"].is_number())
        .map(|act| {
            let detail = serde_json::from_str::<Value>(act["detail"].as_str().unwrap()).unwrap();
            json!([act["action"], act["status"], detail["own_machine"]])
        })
        .collect();
    assert_eq!(
        json!(told),
        json!([
            ["upstream.create", 403, true],
            ["upstream.create", 200, false],
            ["upstream.update", 403, true],
        ])
    );
}

#[test]
fn the_command_line_says_what_an_upstream_may_reach() {
    let house = House::open();
    house.json(&["env", "create", "dev"]);
    let make = |name: &str, flag: &[&str]| {
        let line = [
            "upstream", "create", name, "--env", "dev", "--kind", "http", "--url",
        ];
        let made = house.json(&[&line[..], &["http://127.0.0.1:9"], flag].concat());
        made["settings"]["own_machine"].clone()
    };
    assert_eq!(make("a", &[]), true);
    assert_eq!(make("b", &["--own-machine"]), true);
    assert_eq!(make("c", &["--no-own-machine"]), false);
    let line = ["upstream", "update", "c", "--env", "dev"];
    let update = |rest: &[&'static str]| [&line[..], rest].concat();
    // Other settings leave it; a setting without the word that replaces them changes nothing.
    let replaced = house.json(&update(&["--settings", "--header", "x-a=b"]));
    assert_eq!(replaced["settings"]["own_machine"], false);
    let shown = printed(&house.run(&["upstream", "show", "c", "--env", "dev"]));
    assert!(shown.contains("never connected to"), "{shown}");
    for wrong in [
        &["--url", "http://127.0.0.1:8", "--own-machine"][..],
        &["--settings", "--own-machine", "--no-own-machine"],
    ] {
        assert_eq!(
            house.run(&update(wrong)).status.code(),
            Some(2),
            "{wrong:?}"
        );
    }
    let kept = house.json(&["upstream", "show", "c", "--env", "dev"]);
    assert_eq!(kept["url"], "http://127.0.0.1:9");
    let freed = house.json(&update(&["--settings", "--own-machine"]));
    assert_eq!(freed["settings"]["own_machine"], true);
}
