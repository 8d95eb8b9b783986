use jiff::Timestamp;
use postern_store::{Revocation, Store};
use postern_types::{EnvName, TokenId};
use zeroize::Zeroizing;

use crate::fixture::{DAY, Fixture, after, env, start};

/// What is kept for a token of dev.
async fn kept(store: &Store, token: &TokenId, now: Timestamp) -> Option<String> {
    let row = store.pseudonyms().read(&env("dev"), token, now).await;
    row.unwrap()
        .map(|row| row.content.expose_str().unwrap().to_owned())
}

/// Adds a text to what is kept for a token.
pub(crate) async fn keep(
    store: &Store,
    (environment, token): (&EnvName, &TokenId),
    text: &str,
    now: Timestamp,
) -> Result<(), postern_store::StoreError> {
    let kept = store.pseudonyms();
    let with = |before: Option<&postern_types::Secret>| {
        let mut bytes = before.map_or_else(Vec::new, |before| before.expose().to_vec());
        bytes.extend_from_slice(text.as_bytes());
        Zeroizing::new(bytes)
    };
    kept.change(environment, token, now, with).await
}

pub(crate) async fn are_kept_for_one_token(fixture: &Fixture) {
    let (store, dev) = (&fixture.store, env("dev"));
    let (one, two) = (fixture.issue("dev").await, fixture.issue("dev").await);
    let (one, two) = (one.row.id, two.row.id);
    assert_eq!(kept(store, &one, start()).await, None);
    keep(store, (&dev, &one), "a", start()).await.unwrap();
    keep(store, (&dev, &two), "x", start()).await.unwrap();
    keep(store, (&dev, &one), "b", after(1)).await.unwrap();
    assert_eq!(kept(store, &one, after(1)).await.as_deref(), Some("ab"));
    assert_eq!(kept(store, &two, after(1)).await.as_deref(), Some("x"));
    let elsewhere = store.pseudonyms().read(&env("prod"), &one, start()).await;
    assert!(elsewhere.unwrap().is_none());
    let astray = keep(store, (&env("prod"), &one), "c", start()).await;
    assert!(astray.unwrap_err().is_not_found());
    let large = keep(store, (&dev, &one), &"x".repeat(64 * 1024), start()).await;
    assert!(large.unwrap_err().is_invalid());
    // Another process, or this one after a restart, finds it.
    let second = fixture.second().await;
    assert_eq!(kept(&second, &one, after(1)).await.as_deref(), Some("ab"));
}

pub(crate) async fn end_when_nobody_uses_them(fixture: &Fixture) {
    let (store, dev) = (&fixture.store, env("dev"));
    let token = fixture.issue("dev").await.row.id;
    keep(store, (&dev, &token), "a", start()).await.unwrap();
    keep(store, (&dev, &token), "b", after(DAY / 2))
        .await
        .unwrap();
    let late = after(DAY);
    assert_eq!(kept(store, &token, late).await.as_deref(), Some("ab"));
    assert_eq!(store.pseudonyms().purge(late).await.unwrap(), 0);
    let ended = after(DAY + DAY / 2);
    assert_eq!(kept(store, &token, ended).await, None);
    // What has ended is not taken up again.
    keep(store, (&dev, &token), "c", ended).await.unwrap();
    assert_eq!(kept(store, &token, ended).await.as_deref(), Some("c"));
    assert_eq!(store.pseudonyms().purge(after(3 * DAY)).await.unwrap(), 1);
    assert_eq!(kept(store, &token, start()).await, None);
}

pub(crate) async fn go_when_their_token_is_revoked(fixture: &Fixture) {
    let (store, dev) = (&fixture.store, env("dev"));
    let token = fixture.issue("dev").await.row.id;
    keep(store, (&dev, &token), "a", start()).await.unwrap();
    let by = Revocation {
        by: "test".to_owned(),
        reason: None,
    };
    store.tokens().revoke(&token, &by, start()).await.unwrap();
    assert_eq!(kept(store, &token, start()).await, None);
    let late = keep(store, (&dev, &token), "a", start()).await;
    assert!(late.unwrap_err().is_not_found(), "a request that still ran");
    assert_eq!(kept(store, &token, start()).await, None);
}
