use std::time::Duration;

use postern_guard::Caller;
use postern_store::{Issued, NewAccess, NewToken};
use postern_types::{Grant, RefusalCode, Secret};
use zeroize::Zeroizing;

use crate::fixture::{Fixture, env, principal};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// A token that outlives what is kept for it.
async fn token(fixture: &Fixture) -> Issued {
    let new = NewToken {
        access: NewAccess::Data {
            env: env("dev"),
            principal: principal(),
            grants: vec![Grant::parse("openai:invoke:*").unwrap()],
            limits: Vec::new(),
        },
        ttl: Some(24 * 30 * HOUR),
        owner: None,
        purpose: None,
        created_by: "test".into(),
        idempotency_key: None,
    };
    let tokens = fixture.guard.store().tokens();
    tokens.create(&new, fixture.now()).await.unwrap()
}

async fn kept(fixture: &Fixture, caller: &Caller) -> Option<Vec<u8>> {
    let kept = fixture.guard.placeholders(caller).await.unwrap();
    kept.map(|kept| kept.expose().to_vec())
}

fn value(_: Option<&Secret>) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(b"value".to_vec())
}

#[tokio::test]
async fn placeholders_live_a_day_after_their_last_use() {
    let fixture = Fixture::new().await;
    let (one, two) = (token(&fixture).await, token(&fixture).await);
    let one = fixture.caller(one.token.expose()).await.unwrap();
    let two = fixture.caller(two.token.expose()).await.unwrap();
    fixture.guard.keep_placeholders(&one, value).await.unwrap();
    for _ in 0..5 {
        fixture.clock.advance(20 * HOUR);
        assert_eq!(kept(&fixture, &one).await.as_deref(), Some(&b"value"[..]));
        assert_eq!(kept(&fixture, &two).await, None, "another token's");
    }
    fixture.clock.advance(25 * HOUR);
    assert_eq!(kept(&fixture, &one).await, None);
}

#[tokio::test]
async fn nothing_is_kept_for_a_token_that_was_revoked_meanwhile() {
    let fixture = Fixture::new().await;
    let token = token(&fixture).await;
    let caller = fixture.caller(token.token.expose()).await.unwrap();
    fixture
        .guard
        .keep_placeholders(&caller, value)
        .await
        .unwrap();
    fixture.revoke(token.row.id).await;
    assert_eq!(kept(&fixture, &caller).await, None);
    let late = fixture.guard.keep_placeholders(&caller, value).await;
    assert_eq!(late.unwrap_err().code(), RefusalCode::Revoked);
}
