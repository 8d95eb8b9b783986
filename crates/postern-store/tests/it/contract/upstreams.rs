use std::fs;
use std::path::PathBuf;

use postern_store::{CredentialRef, CredentialSource, NewCredential, NewUpstream, UpstreamChange};
use postern_types::{Secret, UpstreamKind};

use crate::fixture::{Fixture, after, env, start, upstream};

fn sealed(text: &str) -> Option<NewCredential> {
    Some(NewCredential::Sealed(Secret::from(text.to_owned())))
}

pub(crate) async fn keep_a_sealed_credential(fixture: &Fixture) {
    let upstreams = fixture.store.upstreams();
    let row = fixture
        .add_upstream("dev", "sealed", sealed("sk-upstream-1"))
        .await;
    assert_eq!(row.credential, Some(CredentialSource::Sealed));
    let credential = upstreams.credential(&row).await.unwrap().unwrap();
    assert_eq!(credential.expose(), b"sk-upstream-1");
    let change = UpstreamChange {
        credential: sealed("sk-upstream-2"),
        ..UpstreamChange::default()
    };
    let changed = upstreams
        .update(&env("dev"), &row.name, &change)
        .await
        .unwrap();
    assert_eq!((changed.version, changed.credential_version), (2, 2));
    // A row that was read before the change still gets the credential of now.
    let credential = upstreams.credential(&row).await.unwrap().unwrap();
    assert_eq!(credential.expose(), b"sk-upstream-2");
    let none = fixture.add_upstream("dev", "open", None).await;
    assert_eq!(upstreams.credential(&none).await.unwrap(), None);
    for bad in [
        "",
        "two\nlines",
        " space",
        "caf\u{e9}",
        &"x".repeat(8 * 1024 + 1),
    ] {
        let change = UpstreamChange {
            credential: sealed(bad),
            ..UpstreamChange::default()
        };
        let refusal = upstreams
            .update(&env("dev"), &row.name, &change)
            .await
            .unwrap_err();
        assert!(refusal.is_invalid(), "{bad:?}");
    }
}

pub(crate) async fn change_the_settings_that_are_named(fixture: &Fixture) {
    let (upstreams, dev) = (fixture.store.upstreams(), env("dev"));
    let row = fixture.add_upstream("dev", "set", None).await;
    // What is changed, and what is there afterwards.
    for (change, after) in [
        (r#"{"a":1,"b":{"c":2}}"#, r#"{"a":1,"b":{"c":2}}"#),
        ("{}", r#"{"a":1,"b":{"c":2}}"#),
        (r#"{"b":{"d":3}}"#, r#"{"a":1,"b":{"d":3}}"#),
        (
            r#"{"a":null,"e":null,"f":false}"#,
            r#"{"b":{"d":3},"f":false}"#,
        ),
    ] {
        let change = UpstreamChange {
            settings: serde_json::from_str(change).unwrap(),
            ..UpstreamChange::default()
        };
        let changed = upstreams.update(&dev, &row.name, &change).await.unwrap();
        let after: serde_json::Value = serde_json::from_str(after).unwrap();
        assert_eq!(serde_json::Value::Object(changed.settings), after);
        assert_eq!(changed.url, row.url);
    }
}

pub(crate) async fn resolve_named_credentials_when_used(fixture: &Fixture) {
    let upstreams = fixture.store.upstreams();
    // A variable that every process has and whose value can stand in a header.
    let variable = NewCredential::Env("PATH".to_owned());
    let row = fixture
        .add_upstream("dev", "variable", Some(variable))
        .await;
    assert_eq!(row.credential.as_ref().unwrap().to_string(), "env:PATH");
    let credential = upstreams.credential(&row).await.unwrap().unwrap();
    assert_eq!(
        credential.expose_str().unwrap(),
        std::env::var("PATH").unwrap()
    );

    let unset = NewCredential::Env("SURELY_NOT_SET_ANYWHERE".to_owned());
    let row = fixture.add_upstream("dev", "unset", Some(unset)).await;
    let refusal = upstreams.credential(&row).await.unwrap_err();
    assert!(format!("{refusal:?}").contains("SURELY_NOT_SET_ANYWHERE"));

    let path = fixture.dir().join("provider-key");
    let row = fixture
        .add_upstream("dev", "file", Some(NewCredential::File(path.clone())))
        .await;
    assert!(upstreams.credential(&row).await.is_err());
    for text in ["first", "second\n", "third\r\n"] {
        fs::write(&path, text).unwrap();
        let credential = upstreams.credential(&row).await.unwrap().unwrap();
        assert_eq!(credential.expose_str(), Some(text.trim()));
    }
}

pub(crate) async fn refuse_a_file_that_is_not_one_line(fixture: &Fixture) {
    let upstreams = fixture.store.upstreams();
    let path = fixture.dir().join("provider-key");
    let row = fixture
        .add_upstream("dev", "file", Some(NewCredential::File(path.clone())))
        .await;
    for text in [
        "",
        "\n",
        "key\n\n",
        "key\nother",
        " key\n",
        "key \n",
        "\u{feff}key",
        "k\0",
    ] {
        fs::write(&path, text).unwrap();
        let refusal = upstreams.credential(&row).await.unwrap_err();
        assert!(
            format!("{refusal:?}").contains("provider-key"),
            "{text:?}: {refusal:?}"
        );
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(upstreams.credential(&row).await.is_err());
}

pub(crate) async fn never_read_the_gateways_own_secrets(fixture: &Fixture) {
    // Goal: no administrator gets the gateway's secrets sent to a server of his own. Method: name
    // them directly, through `..`, and through a link.
    for text in ["env:POSTERN_ADMIN_TOKEN", "env:postern_keys_installation"] {
        assert!(
            CredentialRef::parse(text).unwrap_err().is_invalid(),
            "{text}"
        );
    }
    let upstreams = fixture.store.upstreams();
    let dir = fixture.dir();
    let link = dir.join("innocent");
    std::os::unix::fs::symlink(dir.join("keys/dev.json"), &link).unwrap();
    let paths: [PathBuf; 4] = [
        dir.join("keys/dev.json"),
        dir.join("data/../keys/installation.json"),
        dir.join("data/postern.db"),
        link,
    ];
    for (index, path) in paths.into_iter().enumerate() {
        let name = format!("thief{index}");
        let row = fixture
            .add_upstream("dev", &name, Some(NewCredential::File(path)))
            .await;
        let refusal = format!("{:?}", upstreams.credential(&row).await.unwrap_err());
        assert!(refusal.contains("own keys or data"), "{refusal}");
    }
}

pub(crate) async fn ask_again_for_the_credential_of_another_server(fixture: &Fixture) {
    let (upstreams, dev) = (fixture.store.upstreams(), env("dev"));
    let row = fixture
        .add_upstream("dev", "sealed", sealed("sk-upstream-1"))
        .await;
    let to = |url: &str, credential: Option<NewCredential>| UpstreamChange {
        url: Some(url.to_owned()),
        credential,
        ..UpstreamChange::default()
    };
    for elsewhere in [
        "https://evil.example/v1",
        "http://api.example.com/v1",
        "https://api.example.com:444/v1",
    ] {
        let refusal = upstreams
            .update(&dev, &row.name, &to(elsewhere, None))
            .await;
        assert!(refusal.unwrap_err().is_invalid(), "{elsewhere}");
    }
    // Another path of the same server is no other server.
    let same = to("https://API.example.com/v2", None);
    let row = upstreams.update(&dev, &row.name, &same).await.unwrap();
    let credential = upstreams.credential(&row).await.unwrap().unwrap();
    assert_eq!(credential.expose(), b"sk-upstream-1");
    let other = to("https://other.example", sealed("sk-other"));
    let row = upstreams.update(&dev, &row.name, &other).await.unwrap();
    let credential = upstreams.credential(&row).await.unwrap().unwrap();
    assert_eq!(credential.expose(), b"sk-other");
}

pub(crate) async fn refuse_addresses_that_are_none(fixture: &Fixture) {
    for url in [
        "",
        "api.example.com",
        "ftp://api.example.com",
        "https://",
        "https://:443/",
        "https://user:secret@api.example.com",
        "https://api.example.com/?key=1",
        "https://api.example.com/#x",
        "https://api.example.com/a b",
        "https://api.example.com\\@evil.example",
    ] {
        let new = NewUpstream {
            name: upstream("wrong"),
            kind: UpstreamKind::Http,
            url: url.to_owned(),
            credential: None,
            settings: serde_json::Map::new(),
        };
        let refusal = fixture
            .store
            .upstreams()
            .create(&env("dev"), &new, start())
            .await;
        assert!(refusal.unwrap_err().is_invalid(), "{url}");
    }
}

pub(crate) async fn are_another_when_made_again(fixture: &Fixture) {
    let (upstreams, dev) = (fixture.store.upstreams(), env("dev"));
    let first = fixture
        .add_upstream("dev", "again", sealed("sk-upstream-1"))
        .await;
    let taken = NewUpstream {
        name: first.name.clone(),
        kind: UpstreamKind::Http,
        url: "http://localhost:1".to_owned(),
        credential: None,
        settings: serde_json::Map::new(),
    };
    assert!(
        upstreams
            .create(&dev, &taken, start())
            .await
            .unwrap_err()
            .is_conflict()
    );
    upstreams.delete(&dev, &first.name, after(1)).await.unwrap();
    assert!(
        upstreams
            .show(&dev, &first.name)
            .await
            .unwrap_err()
            .is_not_found()
    );
    // A copy of the row in somebody's memory opens nothing any more.
    assert!(
        upstreams
            .credential(&first)
            .await
            .unwrap_err()
            .is_not_found()
    );
    let second = upstreams.create(&dev, &taken, after(2)).await.unwrap();
    assert_ne!(first.id, second.id);
    assert!(
        upstreams
            .credential(&first)
            .await
            .unwrap_err()
            .is_not_found()
    );
    let names: Vec<_> = upstreams.list(&dev).await.unwrap();
    assert_eq!(names.len(), 2);
    // The same name elsewhere was never touched.
    assert!(
        upstreams
            .show(&env("prod"), &upstream("openai"))
            .await
            .is_ok()
    );
}
