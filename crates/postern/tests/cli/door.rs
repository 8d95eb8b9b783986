//! Who gets in to the admin API at all.

use serde_json::{Value, json};

use crate::house::{House, Reply, printed};

/// Every route, as the served document lists them.
fn routes(house: &House) -> Vec<(String, String)> {
    let document = house
        .ask("GET", "/api/v1/openapi.json", &house.owner, &Value::Null)
        .body;
    let paths = document["paths"]
        .as_object()
        .expect("the document has paths")
        .clone();
    paths
        .into_iter()
        .flat_map(|(path, verbs)| {
            let filled = path
                .replace("{env}", "dev")
                .replace("{name}", "notes")
                .replace("{id}", "0123456789abcdef");
            let verbs = verbs.as_object().expect("verbs").clone();
            verbs
                .into_iter()
                .map(move |(verb, _)| (verb.to_uppercase(), filled.clone()))
        })
        .collect()
}

/// A stranger is refused, and told nothing; after many failures of an address, told to wait.
fn turned_away(reply: &Reply, what: &str) {
    match reply.status {
        401 => {
            assert_eq!(reply.body["code"], "unauthenticated", "{what}");
            assert!(reply.head.contains("www-authenticate: bearer"), "{what}");
        }
        429 => {
            assert_eq!(reply.body["code"], "rate_limited", "{what}");
            assert!(reply.head.contains("retry-after: "), "{what}");
        }
        status => panic!("{what}: {status}"),
    }
    assert!(reply.body["detail"].is_null(), "strangers are told nothing");
}

#[test]
fn every_route_but_health_asks_who_calls_on_loopback_too() {
    // Goal: no route is open to strangers. Method: take the routes from the document that is
    // served, and call each without a token, with a wrong one, and with one of the data plane.
    let house = House::open();
    house.furnish("dev");
    let (_, data) = house.token("dev");
    let mut wrong = house.owner.clone();
    let cut = wrong.split_off(wrong.len() - 1);
    wrong.push(if cut == "A" { 'B' } else { 'A' });
    let routes = routes(&house);
    assert!(routes.len() > 25, "{routes:?}");
    for (verb, path) in routes {
        let open = path == "/healthz" || path == "/readyz";
        let none = house.ask_raw(&verb, &path, "", &json!({}));
        if open {
            assert_eq!(none.status, 200, "{verb} {path}");
        } else {
            turned_away(&none, &format!("{verb} {path}"));
            assert!(none.head.contains("cache-control: no-store"));
        }
    }
    for token in [wrong.as_str(), data.as_str(), "nonsense"] {
        turned_away(
            &house.ask("GET", "/api/v1/tokens", token, &Value::Null),
            token,
        );
    }
    turned_away(
        &house.ask_raw("GET", "/api/v1/nothing", "", &Value::Null),
        "no route",
    );
    // However often strangers failed from this address, a valid token passes.
    assert_eq!(
        house
            .ask("GET", "/api/v1/tokens", &house.owner, &Value::Null)
            .status,
        200
    );
    assert_eq!(
        house
            .ask("GET", "/api/v1/nothing", &house.owner, &Value::Null)
            .status,
        404
    );
}

#[test]
fn pages_in_browsers_do_not_reach_the_admin_api() {
    let house = House::open();
    let bearer = format!("Authorization: Bearer {}\r\n", house.owner);
    let ask = |lines: &str| {
        let lines = format!("{bearer}{lines}");
        house.ask_raw("GET", "/api/v1/status", &lines, &Value::Null)
    };
    assert_eq!(ask("").status, 200);
    assert_eq!(ask("Host: localhost:8081\r\n").status, 200);
    for lines in [
        "Host: rebound.example\r\n",
        "Host: 127.0.0.1\r\nHost: 127.0.0.1\r\n",
        "Origin: https://evil.example\r\n",
        "Origin: null\r\n",
    ] {
        let reply = ask(lines);
        assert_eq!(
            (reply.status, &reply.body["code"]),
            (403, &json!("denied")),
            "{lines}"
        );
    }
    // Health is checked too: a page learns nothing from it.
    let health = house.ask_raw("GET", "/healthz", "Host: rebound.example\r\n", &Value::Null);
    assert_eq!(health.status, 403);
}

#[test]
fn a_revoked_or_rotated_administrator_is_out_at_once() {
    let house = House::open();
    let (id, token) = house.administrator("admin", None);
    let status = |token: &str| {
        house
            .ask("GET", "/api/v1/status", token, &Value::Null)
            .status
    };
    assert_eq!(status(&token), 200);
    let rotated = house.json(&["token", "rotate", &id, "--grace", "0s"]);
    let renewed = rotated["token"].as_str().unwrap();
    assert_eq!((status(&token), status(renewed)), (401, 200));
    house.json(&["token", "revoke", &id]);
    assert_eq!(status(renewed), 401);
}

#[test]
fn the_socket_is_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let house = House::open();
    let mode = |path: &str| {
        std::fs::metadata(house.path().join(path))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode("data/run/admin.sock"), 0o600);
    assert_eq!(mode("data/run"), 0o700);
    assert_eq!(mode("data"), 0o700);
    assert_eq!(mode("keys"), 0o700);
}

#[test]
fn strangers_who_hold_connections_do_not_lock_the_owner_out() {
    // Goal: the owner's socket has room of its own. Method: hold more silent connections on the
    // network side than it takes, and use the command line.
    let house = House::open();
    let held: Vec<_> = (0..300)
        .filter_map(|_| std::net::TcpStream::connect(house.admin).ok())
        .collect();
    assert!(held.len() > 256);
    assert_eq!(house.json(&["env", "list"]), json!([]));
    drop(held);
}

#[test]
fn large_and_broken_bodies_are_refused_in_problem_details() {
    let house = House::open();
    let large = json!({ "name": "dev", "description": "x".repeat(300 * 1024) });
    let reply = house.ask("POST", "/api/v1/environments", &house.owner, &large);
    assert_eq!(
        (reply.status, &reply.body["code"]),
        (413, &json!("body_too_large"))
    );
    for body in [
        json!({ "nam": "dev" }),
        json!([]),
        json!({ "name": "Not A Name" }),
    ] {
        let reply = house.ask("POST", "/api/v1/environments", &house.owner, &body);
        assert!([400, 422].contains(&reply.status), "{}", reply.body);
        assert_eq!(reply.body["code"], "bad_request");
        assert!(reply.head.contains("application/problem+json"));
    }
}

#[test]
fn the_command_line_reaches_a_remote_gateway_with_a_token_from_the_environment() {
    let house = House::open();
    house.furnish("dev");
    let url = format!("http://{}", house.admin);
    let elsewhere = tempfile::tempdir().unwrap();
    let remote = |token: Option<&str>| {
        let mut command = crate::house::command(elsewhere.path());
        command.args(["env", "list", "--url", &url, "--json"]);
        command.envs(token.map(|token| ("POSTERN_ADMIN_TOKEN", token)));
        command.output().unwrap()
    };
    let listed = remote(Some(&house.owner));
    assert!(listed.status.success(), "{}", printed(&listed));
    assert!(printed(&listed).contains("\"dev\""));
    assert_eq!(remote(None).status.code(), Some(2), "the token is missing");
    assert_eq!(remote(Some("pstn_ad1_wrong")).status.code(), Some(1));
    let plain = crate::house::command(elsewhere.path())
        .args(["env", "list", "--url", "http://192.0.2.1:8081"])
        .env("POSTERN_ADMIN_TOKEN", "secret")
        .output()
        .unwrap();
    assert_eq!(
        plain.status.code(),
        Some(2),
        "a token is not sent in clear text"
    );
    assert!(
        printed(&plain).contains("clear text"),
        "{}",
        printed(&plain)
    );
}
