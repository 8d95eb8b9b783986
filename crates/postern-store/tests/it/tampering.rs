//! Somebody who can write to the file, but has no keys, moves sealed credentials about.

use postern_store::{NewCredential, Store, UpstreamChange, UpstreamRow};
use postern_types::Secret;
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;

use crate::fixture::{Fixture, env, upstream};

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
async fn a_row_that_does_not_read_back_is_an_error_and_no_default() {
    let fixture = Fixture::sqlite().await;
    let issued = fixture.issue("dev").await;
    let breaks = [
        "UPDATE tokens SET grants = '[{\"upstream_id\":1}]'",
        "UPDATE token_secrets SET digest = x'00'",
        "UPDATE tokens SET kind = 'admin', principal_key = NULL, role = 'god'",
    ];
    for sql in breaks {
        tamper(&fixture, sql).await;
        let refusal = fixture
            .store
            .tokens()
            .by_id(&issued.row.id)
            .await
            .unwrap_err();
        assert!(refusal.to_string().contains("read"), "{sql}: {refusal}");
    }
}
