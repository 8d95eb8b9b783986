//! What a copy of the data directory tells: no secret.

use std::fs;
use std::path::Path;

use postern_store::{NewCredential, UpstreamChange};
use postern_types::Secret;

use crate::fixture::{Fixture, HOUR, after, env, start};

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
    // 1 idempotency key, 2 tokens twice, 2 credentials, 3 keys of each of 3 domains and 1 more.
    assert_eq!(secrets.len(), 1 + 4 + 2 + 9 + 1);

    let data = fixture.dir().join("data");
    for moment in ["while it is open", "after it was closed"] {
        let dump = dump(&data);
        // The search finds what is there.
        assert!(holds(&dump, b"service:web") && holds(&dump, issued.row.id.as_str().as_bytes()));
        for secret in &secrets {
            for spelling in spellings(secret) {
                assert!(!holds(&dump, &spelling), "a secret is on disk {moment}");
            }
        }
        store.close().await;
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
