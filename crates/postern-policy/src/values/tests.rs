use super::*;
use postern_types::PathTemplate;
use proptest::prelude::*;

fn keys(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn rule(query: &[(&str, ValueRule)], body: BodyRule) -> CallRule {
    let mut rule = CallRule::new(vec!["POST".into()], PathTemplate::parse("/a").unwrap());
    rule.query = query
        .iter()
        .map(|(name, demand)| ((*name).to_owned(), demand.clone()))
        .collect();
    rule.body = body;
    rule
}

#[test]
fn integers_are_plain_decimal() {
    for good in ["0", "-1", "007", "999999999999999999"] {
        assert!(is_integer(good), "{good}");
    }
    for bad in [
        "",
        "-",
        "--1",
        "+1",
        " 1",
        "1 ",
        "1e3",
        "0x10",
        "1.0",
        "1,2",
        "9999999999999999999",
        "١",
        "1\n",
    ] {
        assert!(!is_integer(bad), "{bad:?}");
    }
}

#[test]
fn json_keys_are_closed_at_every_depth() {
    // Goal: no operator of a backend's query language gets in by nesting, by spelling or by being
    // said twice. Method: a row per trick, against the keys that are allowed.
    let allowed = keys(&["title", "tags", "id"]);
    for good in [
        "{}",
        "[]",
        "5",
        r#""$inQuery""#,
        "null",
        "true",
        r#"{"title":"$inQuery","tags":["a",{"id":1.5e3}]}"#,
        r#"{"\u0074itle":1}"#,
        r#" {"title":{"id":{"tags":-1}}} "#,
    ] {
        assert!(json_has_only(good, &allowed), "{good}");
    }
    for bad in [
        "",
        r#"{"$inQuery":{}}"#,
        r#"{"title":{"$inQuery":{"where":{}}}}"#,
        r#"{"tags":[[{"title":{"$where":"1"}}]]}"#,
        r#"{"title":{"\u0024inQuery":1}}"#,
        r#"{"\u0024\u0069nQuery":1}"#,
        r#"{"title":1,"title":2}"#,
        r#"{"title":1,"\u0074itle":2}"#,
        r#"{"title":1,"TITLE":2}"#,
        r#"{"title ":1}"#,
        r#"{"title\u0000":1}"#,
        r#"{"tags":{"id":1,"id":1}}"#,
        r#"{"title":1}{"$inQuery":1}"#,
        r#"{"title":1},"#,
        r#"{"title":1"#,
        r#"{title:1}"#,
        r#"{'title':1}"#,
        r#"{"title":"\ud800"}"#,
        r#"{"title":NaN}"#,
        r#"{"title":01}"#,
        r#"{"title":1,}"#,
        "/**/{}",
        "\u{feff}{}",
    ] {
        assert!(!json_has_only(bad, &allowed), "{bad}");
    }
    let deep = "[".repeat(200) + &"]".repeat(200);
    assert!(!json_has_only(&deep, &allowed), "deeper than anybody means");
}

#[test]
fn bodies_are_json_objects() {
    let rule = rule(&[], BodyRule::JsonKeys(keys(&["title"])));
    assert!(met(&rule, &[], Some(br#"{"title":[1,"a"]}"#)));
    for bad in [
        &b"[]"[..],
        b"1",
        b"null",
        br#""title""#,
        b"",
        b"title=1",
        b"{\"title\":\"\xff\"}",
    ] {
        assert!(
            !met(&rule, &[], Some(bad)),
            "{}",
            String::from_utf8_lossy(bad)
        );
    }
    assert!(
        !met(&rule, &[], None),
        "a body that was not read is not judged good"
    );
}

#[test]
fn each_value_is_held_to_its_demand() {
    let query = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    let rule = rule(
        &[
            ("limit", ValueRule::Integer),
            ("order", ValueRule::OneOf(keys(&["asc", "desc"]))),
            ("where", ValueRule::JsonKeys(keys(&["title"]))),
            ("free", ValueRule::Any),
        ],
        BodyRule::ByMethod,
    );
    assert!(demands(&rule));
    for (name, good, bad) in [
        ("limit", "10", "10;"),
        ("order", "asc", "ASC"),
        ("where", r#"{"title":"a"}"#, r#"{"title":{"$ne":null}}"#),
    ] {
        assert!(met(&rule, &query(name, good), None), "{name}");
        assert!(!met(&rule, &query(name, bad), None), "{name}");
        // A second value cannot hide behind a good one.
        let both = [query(name, good), query(name, bad)].concat();
        assert!(!met(&rule, &both, None), "{name}");
    }
    assert!(met(&rule, &query("free", "\0anything"), None));
}

/// Any JSON value with keys from a small alphabet, allowed and not.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        "[ -~]{0,6}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            proptest::collection::btree_map("a|b|\\$c|d e", inner, 0..3)
                .prop_map(|fields| fields.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

fn all_keys(value: &serde_json::Value, into: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (key, inner) in fields {
                into.push(key.clone());
                all_keys(inner, into);
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| all_keys(item, into)),
        _ => {}
    }
}

/// The same text with every letter of every string escaped.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    let (mut inside, mut after_backslash) = (false, false);
    for letter in text.chars() {
        let quote = letter == '"' && !after_backslash;
        inside ^= quote;
        let plain = inside && !quote && !after_backslash && letter != '\\';
        after_backslash = letter == '\\' && !after_backslash;
        if plain {
            out += &format!("\\u{:04x}", u32::from(letter));
        } else {
            out.push(letter);
        }
    }
    out
}

proptest! {
    #[test]
    fn a_value_passes_exactly_when_all_its_keys_are_listed(value in any_json()) {
        // Goal: the reader agrees with the meaning, in every spelling. Method: collect the keys
        // from the parsed value and compare, for the plain and for the escaped text.
        let allowed = keys(&["a", "b"]);
        let mut found = Vec::new();
        all_keys(&value, &mut found);
        let expected = found.iter().all(|key| allowed.contains(key));
        let text = value.to_string();
        prop_assert_eq!(json_has_only(&text, &allowed), expected);
        prop_assert_eq!(json_has_only(&escaped(&text), &allowed), expected, "{}", escaped(&text));
    }

    #[test]
    fn nothing_makes_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let allowed = keys(&["a"]);
        let held = object_has_only(&bytes, &allowed);
        let opens = bytes.contains(&0x7b);
        prop_assert!(!held || opens);
    }
}
