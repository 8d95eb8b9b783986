use super::*;

#[test]
fn grants_are_spelt_as_they_are_typed_and_open_ends_are_labelled() {
    let spell = |text| spell_grant(&Grant::parse(text).unwrap());
    assert_eq!(
        spell("openai:invoke:gpt-4o-mini"),
        "openai:invoke:gpt-4o-mini ()"
    );
    assert_eq!(
        spell("notes:call:GET|HEAD /notes/{id}?limit"),
        "notes:call:GET|HEAD /notes/{id}?limit"
    );
    for text in [
        "notes:call:POST /a body=any",
        "notes:call:POST /a?x json=title&level",
        "notes:call:PUT /a body=none",
    ] {
        assert_eq!(spell(text), text);
    }
    assert_eq!(
        spell("notes:call:GET|POST /a"),
        "notes:call:GET|POST /a body=any"
    );
    assert!(spell("openai:invoke:gpt-*").contains("open to what is added later"));
}

#[test]
fn what_is_spelt_opens_no_more_than_the_grant() {
    // Goal: a grant that is copied out of `token show` into `token create` is the same grant.
    // Method: rules in JSON, also those that the short form cannot say, spelt and read again.
    let rules = [
        r#"{"methods":["GET","POST"],"path":"/a","body":{"json_keys":["t"]}}"#,
        r#"{"methods":["GET"],"path":"/a","body":{"json_keys":["t"]}}"#,
        r#"{"methods":["POST"],"path":"/a","body":{"json_keys":["t"]}}"#,
        r#"{"methods":["POST"],"path":"/a","body":{"json_keys":[]}}"#,
        r#"{"methods":["POST"],"path":"/a","body":{"json_keys":["t&u","v w"]}}"#,
        r#"{"methods":["GET"],"path":"/a","query":{"limit":"integer"}}"#,
        r#"{"methods":["GET"],"path":"/a","query":{"limit":"any"}}"#,
        r#"{"methods":["GET"],"path":"/a","headers":["x-kind"]}"#,
        r#"{"methods":["GET","PUT"],"path":"/a","body":"any"}"#,
        r#"{"methods":["GET","PUT"],"path":"/a","body":"none"}"#,
    ];
    let lists = rules.iter().map(|rule| (*rule).to_owned());
    for rules in lists.chain([rules.join(",")]) {
        let json = format!(r#"{{"upstream":"notes","actions":{{"call":{{"rules":[{rules}]}}}}}}"#);
        let grant = Grant::parse(&json).unwrap();
        let spelt = spell_grant(&grant);
        assert_eq!(Grant::parse(&spelt).unwrap(), grant, "{spelt}");
    }
    // As it was stored when the body went without saying.
    let old = r#"{"upstream":"notes","actions":{"call":{"rules":[
        {"methods":["POST"],"path":"/a","headers":["x-kind"]}]}}}"#;
    let spelt = spell_grant(&serde_json::from_str(old).unwrap());
    assert!(Grant::parse(&spelt).unwrap().takes_any_body(), "{spelt}");
    assert!(spelt.contains(r#""body":"any""#), "{spelt}");
}

#[test]
fn list_times_are_told_from_now() {
    let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    for (time, told) in [
        ("2026-01-02T03:04:05.9Z", "0s ago"),
        ("2026-01-02T03:05:04Z", "in 59s"),
        ("2026-01-02T03:02:05Z", "2m ago"),
        ("2026-01-04T03:04:04Z", "in 47h"),
        ("2026-04-02T03:04:05Z", "in 90d"),
        ("2025-12-31T03:04:05Z", "2d ago"),
        ("some day", "some day"),
    ] {
        assert_eq!(from_now(time, now), told, "{time}");
    }
}

#[test]
fn a_list_of_tokens_fits_a_terminal_with_a_line_a_token() {
    // Goal: a list can be looked over. Method: long names of every column, at 80 columns.
    let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let token: Shape = serde_json::from_value(serde_json::json!({
        "id": "0123456789abcdef", "state": "revoked", "kind": "server",
        "environment": "staging", "principal": "service:search-web",
        "grants": [], "limits": [],
        "created_at": "2026-01-01T00:00:00.5Z", "created_by": "owner",
        "expires_at": "2026-12-31T00:00:00.5Z",
        "last_used_at": "2026-01-01T03:04:05.5Z", "secrets": [],
    }))
    .unwrap();
    let text = table(&[token], now).render(Some(80));
    let text = anstream::adapter::strip_str(&text).to_string();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(
        text.contains("in 362d") && text.contains("24h ago"),
        "{text}"
    );
}
