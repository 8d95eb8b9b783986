//! What a copy of the data directory tells: no secret.

use std::fs;
use std::path::Path;

use postern_store::{
    NewAccess, NewCredential, NewPrincipal, Page, PrincipalChange, Revocation, Store, TokenFilter,
    UpstreamChange,
};
use postern_types::{PrincipalId, Secret};

use crate::fixture::{Fixture, HOUR, after, env, principal, start};

/// All bytes of all files below a directory.
fn dump(dir: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes.extend(dump(&path));
        } else {
            bytes.extend(fs::read(&path).unwrap());
        }
    }
    bytes
}

fn holds(dump: &[u8], needle: &[u8]) -> bool {
    dump.windows(needle.len()).any(|window| window == needle)
}

/// The spellings under which a secret could hide.
fn spellings(secret: &[u8]) -> Vec<Vec<u8>> {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    // The last characters of base64 depend on what follows, so they are left out.
    let cut = |text: String| text.as_bytes()[..text.len() - 3].to_vec();
    vec![
        secret.to_vec(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
        cut(STANDARD_NO_PAD.encode(secret)),
        cut(URL_SAFE_NO_PAD.encode(secret)),
    ]
}

#[tokio::test]
async fn a_dump_of_the_data_directory_holds_no_secret() {
    // Goal: a stolen disk yields no token, no credential and no key. Method: use every operation
    // that sees a secret, then look for each secret in each file, while the write-ahead log is
    // there and after it was folded in.
    let fixture = Fixture::sqlite().await;
    let store = &fixture.store;
    let mut secrets: Vec<Vec<u8>> = Vec::new();

    let mut wanted = Fixture::wanted("dev");
    wanted.idempotency_key = Some("idempotency-key-of-the-pipeline".to_owned());
    secrets.push(b"idempotency-key-of-the-pipeline".to_vec());
    let issued = store.tokens().create(&wanted, start()).await.unwrap();
    let rotated = fixture
        .rotate(&issued.row.id, HOUR, after(1))
        .await
        .unwrap();
    for token in [&issued.token, &rotated.token] {
        secrets.push(token.expose().as_bytes().to_vec());
        // The secret part alone, without the last four that are kept on purpose.
        let secret = token.expose().rsplit('_').next().unwrap();
        secrets.push(secret.as_bytes()[..secret.len() - 6].to_vec());
    }

    let first = "sk-first-credential-of-the-provider";
    let second = "sk-second-credential-of-the-provider";
    let sealed = |text: &str| Some(NewCredential::Sealed(Secret::from(text.to_owned())));
    let row = fixture.add_upstream("dev", "sealed", sealed(first)).await;
    let change = UpstreamChange {
        credential: sealed(second),
        ..UpstreamChange::default()
    };
    store
        .upstreams()
        .update(&env("dev"), &row.name, &change)
        .await
        .unwrap();
    secrets.extend([first.as_bytes().to_vec(), second.as_bytes().to_vec()]);

    fixture
        .keys
        .rotate_pepper(&env("dev"), &*fixture.random)
        .unwrap();
    for (_, document) in fixture.keys.to_variables() {
        use base64::Engine as _;
        let json = base64::engine::general_purpose::STANDARD
            .decode(document.expose())
            .unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        for keys in json["keys"].as_object().unwrap().values() {
            for key in keys.as_array().unwrap() {
                let key = key["key"].as_str().unwrap();
                let key = base64::engine::general_purpose::STANDARD
                    .decode(key)
                    .unwrap();
                assert_eq!(key.len(), 32);
                secrets.push(key);
            }
        }
    }
    // 1 idempotency key, 2 tokens twice, 2 credentials, 5 keys of each of 3 domains and 1 more.
    assert_eq!(secrets.len(), 1 + 4 + 2 + 15 + 1);

    let data = fixture.dir().join("data");
    for moment in ["while it is open", "after it was closed"] {
        let dump = dump(&data);
        // The search finds what is there.
        assert!(
            holds(&dump, b"api.example.com") && holds(&dump, issued.row.id.as_str().as_bytes())
        );
        for secret in &secrets {
            for spelling in spellings(secret) {
                assert!(!holds(&dump, &spelling), "a secret is on disk {moment}");
            }
        }
        store.close().await;
    }
}

#[tokio::test]
async fn a_dump_of_the_data_directory_holds_no_word_of_a_data_rule() {
    // Goal: the names that a rule guards are not on disk. Method: save and change a rule with a
    // word and a pattern, then look for both in each file, open and closed.
    let fixture = Fixture::sqlite().await;
    let rules = fixture.store.data_rules();
    let mut rule = crate::contract::data_rules::rule("projects", None);
    rule.spec.custom = vec![postern_types::CustomDetector {
        class: "custom:project".parse().unwrap(),
        pattern: Some("FALCON-[0-9]{4}".to_owned()),
        words: vec!["Project Blue Falcon".to_owned()],
    }];
    rules.create(&env("dev"), &rule, start()).await.unwrap();
    rules.update(&env("dev"), &rule, 1, after(1)).await.unwrap();
    for moment in ["while it is open", "after it was closed"] {
        let dump = dump(&fixture.dir().join("data"));
        assert!(holds(&dump, b"projects"), "the name is to find it by");
        for word in [&b"Blue Falcon"[..], b"FALCON-"] {
            for spelling in spellings(word) {
                assert!(!holds(&dump, &spelling), "a word is on disk {moment}");
            }
        }
        fixture.store.close().await;
    }
}

#[tokio::test]
async fn a_dump_of_the_data_directory_holds_no_value_of_a_placeholder() {
    // Goal: what placeholders stand for is not on disk. Method: keep values and change them, then
    // look for each in each file, open and closed.
    let fixture = Fixture::sqlite().await;
    let token = fixture.issue("dev").await.row.id;
    let values = ["anna.schmidt@example.com", "4539 5787 6362 1486"];
    for value in values {
        let whose = (&env("dev"), &token);
        let kept = crate::contract::pseudonyms::keep(&fixture.store, whose, value, start());
        kept.await.unwrap();
    }
    for moment in ["while it is open", "after it was closed"] {
        let dump = dump(&fixture.dir().join("data"));
        for value in values {
            for spelling in spellings(value.as_bytes()) {
                assert!(!holds(&dump, &spelling), "a value is on disk {moment}");
            }
        }
        fixture.store.close().await;
    }
}

#[tokio::test]
async fn nothing_that_is_printed_holds_a_secret() {
    let fixture = Fixture::sqlite().await;
    let credential = NewCredential::Sealed(Secret::from("sk-of-the-provider".to_owned()));
    let printed = format!("{credential:?}");
    let row = fixture
        .add_upstream("dev", "sealed", Some(credential))
        .await;
    let issued = fixture.issue("dev").await;
    let pepper = fixture.keys.peppers(&env("dev")).unwrap();
    let audit = fixture.keys.audit_key("dev").unwrap();
    let printed = format!(
        "{printed} {row:?} {issued:?} {pepper:?} {audit:?} {:?} {:?} {:?}",
        fixture.keys,
        fixture.store,
        fixture.keys.to_variables()
    );
    assert!(printed.contains("redacted"));
    let secret = issued.token.expose().rsplit('_').next().unwrap();
    for hidden in ["sk-of-the-provider", secret] {
        assert!(!printed.contains(hidden), "{printed}");
    }
}

/// Words about people, as [`write_about_ada`] gives them.
const WORDS: [&str; 9] = [
    "lovelace", "team-", "tenant-", "owner-", "purpose-", "maker-", "ada-key", "revoker-",
    "reason-",
];

/// Gives words about people to every operation that takes some.
async fn write_about_ada(store: &Store, ada: &PrincipalId) {
    let new = NewPrincipal {
        id: ada.clone(),
        team: Some("team-analytical-engine".to_owned()),
        tenant: Some("tenant-of-menabrea".to_owned()),
    };
    store
        .principals()
        .create(&env("dev"), &new, start())
        .await
        .unwrap();
    let mut wanted = Fixture::wanted("dev");
    let NewAccess::Data { principal, .. } = &mut wanted.access else {
        panic!("a token of the data plane was expected");
    };
    *principal = ada.clone();
    wanted.owner = Some("owner-charles".to_owned());
    wanted.purpose = Some("purpose-bernoulli".to_owned());
    wanted.created_by = "maker-byron".to_owned();
    wanted.idempotency_key = Some("ada-key".to_owned());
    let issued = store.tokens().create(&wanted, start()).await.unwrap();
    let revocation = Revocation {
        by: "revoker-annabella".to_owned(),
        reason: Some("reason-horse-races".to_owned()),
    };
    store
        .tokens()
        .revoke(&issued.row.id, &revocation, after(1))
        .await
        .unwrap();
    let change = PrincipalChange {
        team: Some(Some("team-of-poets".to_owned())),
        ..PrincipalChange::default()
    };
    store
        .principals()
        .update(&env("dev"), ada, &change)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_dump_of_the_data_directory_holds_nothing_about_people() {
    // Goal: a stolen disk does not tell who uses what, or what was said about them. Method: words
    // about people in every place that takes some, changed and deleted too, then looked for.
    let fixture = Fixture::sqlite().await;
    let store = &fixture.store;
    let ada = principal("user:ada.lovelace@example.org");
    write_about_ada(store, &ada).await;
    let filter = TokenFilter {
        env: Some(env("dev")),
        principal: Some(ada.clone()),
        ..TokenFilter::default()
    };
    let found = store
        .tokens()
        .list(&filter, &Page::default(), after(2))
        .await
        .unwrap();
    assert_eq!(found.rows.len(), 1, "what is sealed is still found by name");
    assert_eq!(found.rows[0].owner.as_deref(), Some("owner-charles"));
    store
        .principals()
        .delete(&env("dev"), &ada, after(2))
        .await
        .unwrap();

    let data = fixture.dir().join("data");
    for moment in ["while it is open", "after it was closed"] {
        let dump = dump(&data);
        for word in WORDS {
            assert!(
                !holds(&dump, word.as_bytes()),
                "{word:?} is on disk {moment}"
            );
        }
        store.close().await;
    }
}
