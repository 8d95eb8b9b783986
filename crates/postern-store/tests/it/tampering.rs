//! Somebody who can write to the file, but has no keys, changes what is there.

use postern_store::{
    NewCredential, Page, PrincipalChange, Revocation, Store, TokenFilter, UpstreamChange,
    UpstreamRow,
};
use postern_types::{Secret, TokenDigest};
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;

use crate::contract::pseudonyms::keep;
use crate::fixture::{Fixture, env, principal, start, upstream};

async fn seal(fixture: &Fixture, in_env: &str, name: &str, secret: &str) -> UpstreamRow {
    let credential = NewCredential::Sealed(Secret::from(secret.to_owned()));
    fixture.add_upstream(in_env, name, Some(credential)).await
}

/// Changes the file from outside.
async fn tamper(fixture: &Fixture, sql: &'static str) {
    let url = format!("sqlite:{}", fixture.url.path().display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let done = sqlx::query(sql).execute(&mut connection).await.unwrap();
    assert_eq!(done.rows_affected(), 1, "{sql}");
    connection.close().await.unwrap();
}

async fn credential_of(store: &Store, in_env: &str, name: &str) -> Result<Vec<u8>, String> {
    let row = store
        .upstreams()
        .show(&env(in_env), &upstream(name))
        .await
        .unwrap();
    match store.upstreams().credential(&row).await {
        Ok(secret) => Ok(secret.unwrap().expose().to_vec()),
        Err(error) => Err(format!("{error:?}")),
    }
}

#[tokio::test]
async fn a_sealed_credential_opens_nowhere_but_in_its_place() {
    // Goal: a sealed credential cannot be transplanted. Method: copy it to another upstream of the
    // environment, to the same name in another environment, to a row of another name, and back to
    // another server's address; each time only the tampered place fails.
    let moves = [
        "UPDATE upstreams SET credential_sealed = (SELECT credential_sealed FROM upstreams \
         WHERE env = 'dev' AND name = 'a') WHERE env = 'dev' AND name = 'b'",
        "UPDATE upstreams SET credential_sealed = (SELECT credential_sealed FROM upstreams \
         WHERE env = 'prod' AND name = 'b') WHERE env = 'dev' AND name = 'b'",
        "UPDATE upstreams SET url = 'https://evil.example/v1' WHERE env = 'dev' AND name = 'b'",
        "UPDATE upstreams SET credential_version = 2 WHERE env = 'dev' AND name = 'b'",
        "UPDATE upstreams SET credential_sealed = substr(credential_sealed, 1, 40) \
         WHERE env = 'dev' AND name = 'b'",
        "UPDATE upstreams SET credential_sealed = x'' WHERE env = 'dev' AND name = 'b'",
    ];
    for sql in moves {
        let fixture = Fixture::sqlite().await;
        seal(&fixture, "dev", "a", "sk-a").await;
        seal(&fixture, "dev", "b", "sk-b").await;
        seal(&fixture, "prod", "b", "sk-prod").await;
        assert_eq!(
            credential_of(&fixture.store, "dev", "b").await.unwrap(),
            b"sk-b"
        );
        tamper(&fixture, sql).await;
        let refusal = credential_of(&fixture.store, "dev", "b").await.unwrap_err();
        assert!(refusal.contains("UnsealError"), "{sql}: {refusal}");
        assert_eq!(
            credential_of(&fixture.store, "dev", "a").await.unwrap(),
            b"sk-a"
        );
        assert_eq!(
            credential_of(&fixture.store, "prod", "b").await.unwrap(),
            b"sk-prod"
        );
    }
}

#[tokio::test]
async fn an_older_credential_cannot_be_put_back() {
    let fixture = Fixture::sqlite().await;
    let row = seal(&fixture, "dev", "a", "sk-leaked").await;
    tamper(
        &fixture,
        "UPDATE upstreams SET settings = '{\"kept\":\"' || hex(credential_sealed) || '\"}' \
         WHERE env = 'dev' AND name = 'a'",
    )
    .await;
    let change = UpstreamChange {
        credential: Some(NewCredential::Sealed(Secret::from("sk-new".to_owned()))),
        ..UpstreamChange::default()
    };
    fixture
        .store
        .upstreams()
        .update(&env("dev"), &row.name, &change)
        .await
        .unwrap();
    tamper(
        &fixture,
        "UPDATE upstreams SET credential_sealed = unhex(settings ->> 'kept') \
         WHERE env = 'dev' AND name = 'a'",
    )
    .await;
    assert!(credential_of(&fixture.store, "dev", "a").await.is_err());
}

#[tokio::test]
async fn a_token_changed_by_hand_is_refused() {
    // Goal: writing to the file gives nobody rights. Method: each clear column that means something
    // changed in turn; the token does not read any more, and a second one still does.
    let changes = [
        "UPDATE tokens SET revoked_ms = NULL WHERE revoked_ms IS NOT NULL",
        "UPDATE tokens SET expires_ms = expires_ms + 1 WHERE revoked_ms IS NOT NULL",
        "UPDATE tokens SET created_ms = created_ms - 1 WHERE revoked_ms IS NOT NULL",
        "UPDATE tokens SET env = 'prod' WHERE revoked_ms IS NOT NULL",
        "UPDATE tokens SET principal_key = 2 WHERE revoked_ms IS NOT NULL",
        "UPDATE tokens SET version = 1 WHERE revoked_ms IS NOT NULL",
        "UPDATE tokens SET kind = 'admin', principal_key = NULL, role = 'owner', env = NULL \
         WHERE revoked_ms IS NOT NULL",
        "UPDATE tokens SET sealed = (SELECT sealed FROM tokens WHERE revoked_ms IS NULL) \
         WHERE revoked_ms IS NOT NULL",
        "UPDATE token_secrets SET expires_ms = expires_ms + 1 \
         WHERE token_id = (SELECT token_id FROM tokens WHERE revoked_ms IS NOT NULL)",
        "UPDATE token_secrets SET number = 2 \
         WHERE token_id = (SELECT token_id FROM tokens WHERE revoked_ms IS NOT NULL)",
        "UPDATE token_secrets SET digest = x'00' \
         WHERE token_id = (SELECT token_id FROM tokens WHERE revoked_ms IS NOT NULL)",
        "INSERT INTO token_secrets SELECT token_id, 9, digest, pepper_version, last_four, \
         created_ms, expires_ms, NULL, NULL FROM token_secrets \
         WHERE token_id = (SELECT token_id FROM tokens WHERE revoked_ms IS NOT NULL)",
    ];
    for sql in changes {
        let fixture = Fixture::sqlite().await;
        let tokens = fixture.store.tokens();
        let (victim, other) = (fixture.issue("dev").await, fixture.issue("dev").await);
        let revocation = Revocation {
            by: "test".to_owned(),
            reason: None,
        };
        tokens
            .revoke(&victim.row.id, &revocation, start())
            .await
            .unwrap();
        tamper(&fixture, sql).await;
        let refusal = tokens.by_id(&victim.row.id).await.unwrap_err();
        assert!(refusal.to_string().contains("read"), "{sql}: {refusal}");
        // A list that holds it is refused too, rather than shown without it.
        let list = tokens
            .list(&TokenFilter::default(), &Page::default(), start())
            .await;
        assert!(list.is_err(), "{sql}");
        assert_eq!(tokens.show(&other.row.id).await.unwrap(), other.row);
    }
}

#[tokio::test]
async fn a_digest_moved_to_another_token_is_of_no_use() {
    // Goal: a token's text opens its own row only. Method: give the first token's row the second
    // one's digest; neither text matches there.
    let fixture = Fixture::sqlite().await;
    let (first, second) = (fixture.issue("dev").await, fixture.issue("dev").await);
    let url = format!("sqlite:{}", fixture.url.path().display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let sql = "UPDATE token_secrets SET digest = $1 WHERE token_id = $2";
    sqlx::query(sql)
        .bind(&second.row.secrets[0].digest.as_bytes()[..])
        .bind(first.row.id.as_str())
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let row = fixture.store.tokens().show(&first.row.id).await.unwrap();
    let peppers = fixture.keys.peppers(&env("dev")).unwrap();
    let of_first = TokenDigest::compute(peppers.current(), &first.token);
    assert!(!row.secrets[0].digest.matches(&of_first));
    // The second token's text names the second token, so it never meets this row.
    assert_ne!(second.token.id(), row.id);
}

#[tokio::test]
async fn a_principal_found_under_anothers_name_is_refused() {
    let fixture = Fixture::sqlite().await;
    fixture.add_principal("dev", "user:ada").await;
    tamper(
        &fixture,
        "UPDATE principals SET deleted_ms = 1 WHERE principal_key = 1",
    )
    .await;
    tamper(
        &fixture,
        "UPDATE principals SET name_mark = (SELECT name_mark FROM principals \
         WHERE principal_key = 1) WHERE env = 'dev' AND deleted_ms IS NULL",
    )
    .await;
    let principals = fixture.store.principals();
    let refusal = principals
        .find(&env("dev"), &principal("service:web"))
        .await;
    assert!(refusal.unwrap_err().to_string().contains("read a record"));
    assert_eq!(
        principals
            .find(&env("dev"), &principal("user:ada"))
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn a_principal_changed_by_hand_is_refused() {
    for sql in [
        "UPDATE principals SET disabled = 0 WHERE env = 'dev'",
        "UPDATE principals SET version = 1 WHERE env = 'dev'",
        "UPDATE principals SET sealed = (SELECT sealed FROM principals WHERE env = 'prod') \
         WHERE env = 'dev'",
    ] {
        let fixture = Fixture::sqlite().await;
        let principals = fixture.store.principals();
        let web = principal("service:web");
        let change = PrincipalChange {
            disabled: Some(true),
            ..PrincipalChange::default()
        };
        principals.update(&env("dev"), &web, &change).await.unwrap();
        tamper(&fixture, sql).await;
        let refusal = principals.find(&env("dev"), &web).await.unwrap_err();
        assert!(
            refusal.to_string().contains("read a record"),
            "{sql}: {refusal}"
        );
        assert!(principals.find(&env("prod"), &web).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_data_rule_changed_by_hand_is_refused() {
    // Goal: nobody weakens a rule in the file. Method: move it, turn it back, and exchange what it
    // says, one column at a time; the list is refused whole: a rule left out protects nothing.
    for sql in [
        "UPDATE data_rules SET name = 'other' WHERE name = 'people'",
        "UPDATE data_rules SET env = 'prod' WHERE name = 'people'",
        "UPDATE data_rules SET version = 1 WHERE name = 'people'",
        "UPDATE data_rules SET sealed = (SELECT sealed FROM data_rules WHERE name = 'cards') \
         WHERE name = 'people'",
        "UPDATE data_rules SET sealed = x'' WHERE name = 'people'",
    ] {
        let fixture = Fixture::sqlite().await;
        let (rules, dev) = (fixture.store.data_rules(), env("dev"));
        let people = crate::contract::data_rules::rule("people", None);
        let cards = crate::contract::data_rules::rule("cards", None);
        rules.create(&dev, &people, start()).await.unwrap();
        rules.create(&dev, &cards, start()).await.unwrap();
        rules.update(&dev, &people, 1, start()).await.unwrap();
        tamper(&fixture, sql).await;
        let in_dev = rules.list(&dev).await;
        let in_prod = rules.list(&env("prod")).await;
        let error = in_dev.and(in_prod).unwrap_err();
        assert!(
            format!("{error:?}").contains("UnsealError"),
            "{sql}: {error:?}"
        );
    }
}

#[tokio::test]
async fn placeholders_changed_by_hand_are_refused() {
    // Goal: nobody has another token's values given back, or keeps them alive, through the file.
    // Method: two tokens of dev, one of prod; move and bend the first one's row.
    for sql in [
        "UPDATE pseudonyms SET sealed = (SELECT p.sealed FROM pseudonyms p \
         WHERE p.expires_ms = pseudonyms.expires_ms AND p.token_id <> pseudonyms.token_id \
         AND p.env = 'dev') WHERE rowid = 1",
        "UPDATE pseudonyms SET expires_ms = expires_ms + 1 WHERE rowid = 1",
        "UPDATE pseudonyms SET env = 'prod' WHERE rowid = 1",
        "UPDATE pseudonyms SET sealed = x'' WHERE rowid = 1",
    ] {
        let fixture = Fixture::sqlite().await;
        let (one, two) = (fixture.issue("dev").await, fixture.issue("dev").await);
        for token in [&one, &two] {
            let whose = (&env("dev"), &token.row.id);
            keep(&fixture.store, whose, "value", start()).await.unwrap();
        }
        tamper(&fixture, sql).await;
        let kept = fixture.store.pseudonyms();
        let in_dev = kept.read(&env("dev"), &one.row.id, start()).await;
        let in_prod = kept.read(&env("prod"), &one.row.id, start()).await;
        let error = in_dev.and(in_prod).unwrap_err();
        assert!(
            format!("{error:?}").contains("UnsealError"),
            "{sql}: {error:?}"
        );
        let other = kept.read(&env("dev"), &two.row.id, start()).await.unwrap();
        assert_eq!(other.unwrap().content.expose(), b"value");
    }
}
