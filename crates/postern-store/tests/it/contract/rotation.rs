use std::time::Duration;

use postern_store::{Revocation, Rotation, StoreError, Touch};
use postern_types::TokenDigest;

use crate::fixture::{DAY, Fixture, HOUR, after, env, start};

async fn use_secret(fixture: &Fixture, token: postern_types::TokenId, secret: u32, seconds: u64) {
    let touch = Touch {
        token,
        secret,
        at: after(seconds),
    };
    fixture
        .store
        .tokens()
        .touch_last_used(&[touch])
        .await
        .unwrap();
}

pub(crate) async fn keeps_the_old_secret_for_the_grace(fixture: &Fixture) {
    let first = fixture.issue("dev").await;
    let rotation = Rotation::default();
    let tokens = fixture.store.tokens();
    let second = tokens
        .rotate(&first.row.id, &rotation, after(HOUR))
        .await
        .unwrap();
    assert_eq!(second.token.id(), first.token.id());
    assert_ne!(second.token.expose(), first.token.expose());
    assert_eq!(second.row.version, 2);
    assert_eq!(second.row.expires_at, first.row.expires_at);
    let [old, new] = second.row.secrets.as_slice() else {
        panic!("two secrets were expected");
    };
    assert_eq!((old.number, old.expires_at), (1, after(HOUR + DAY)));
    assert_eq!((new.number, new.expires_at), (2, first.row.expires_at));
    let peppers = fixture.keys.peppers(&env("dev")).unwrap();
    for (secret, token) in [(old, &first.token), (new, &second.token)] {
        let digest = TokenDigest::compute(peppers.current(), token);
        assert!(secret.digest.matches(&digest));
    }
}

pub(crate) async fn never_outlives_the_token(fixture: &Fixture) {
    // Goal: neither secret gets more life than the token had. Method: rotate shortly before its end
    // with a grace that would pass it, then rotate again with a longer grace.
    let mut wanted = Fixture::wanted("dev");
    wanted.ttl = Some(Duration::from_secs(100));
    let tokens = fixture.store.tokens();
    let id = tokens.create(&wanted, start()).await.unwrap().row.id;
    let row = fixture.rotate(&id, HOUR, after(90)).await.unwrap().row;
    assert_eq!(row.expires_at, after(100));
    assert!(
        row.secrets
            .iter()
            .all(|secret| secret.expires_at == after(100))
    );

    let long = fixture.issue("dev").await.row.id;
    fixture.rotate(&long, 60, after(1)).await.unwrap();
    let row = fixture.rotate(&long, DAY, after(2)).await.unwrap().row;
    assert_eq!(row.secrets[0].number, 1);
    assert_eq!(
        row.secrets[0].expires_at,
        after(61),
        "a second rotation lengthened the grace"
    );
}

pub(crate) async fn ends_everything_old_without_grace(fixture: &Fixture) {
    let id = fixture.issue("dev").await.row.id;
    fixture.rotate(&id, HOUR, after(1)).await.unwrap();
    use_secret(fixture, id, 1, 2).await;
    use_secret(fixture, id, 2, 2).await;
    let row = fixture.rotate(&id, 0, after(3)).await.unwrap().row;
    let numbers: Vec<_> = row.secrets.iter().map(|secret| secret.number).collect();
    assert_eq!(numbers, [3]);
}

pub(crate) async fn replaces_a_secret_that_was_never_used(fixture: &Fixture) {
    // Goal: a rotation whose answer was lost can be tried again without cutting anybody off.
    // Method: rotate twice; only the first secret was ever used.
    let id = fixture.issue("dev").await.row.id;
    use_secret(fixture, id, 1, 1).await;
    fixture.rotate(&id, HOUR, after(2)).await.unwrap();
    let row = fixture.rotate(&id, HOUR, after(3)).await.unwrap().row;
    let numbers: Vec<_> = row.secrets.iter().map(|secret| secret.number).collect();
    assert_eq!(numbers, [1, 3]);
    assert_eq!(row.secrets[0].expires_at, after(HOUR + 2));
}

pub(crate) async fn refuses_while_two_secrets_are_in_use(fixture: &Fixture) {
    let id = fixture.issue("dev").await.row.id;
    fixture.rotate(&id, HOUR, after(1)).await.unwrap();
    use_secret(fixture, id, 2, 2).await;
    let refusal = fixture.rotate(&id, HOUR, after(3)).await.unwrap_err();
    assert!(refusal.is_conflict());
    // When the older one has run out, there is room again.
    let row = fixture
        .rotate(&id, HOUR, after(HOUR + 1))
        .await
        .unwrap()
        .row;
    let numbers: Vec<_> = row.secrets.iter().map(|secret| secret.number).collect();
    assert_eq!(numbers, [2, 3]);
}

pub(crate) async fn ends_a_grace_early(fixture: &Fixture) {
    let tokens = fixture.store.tokens();
    let id = fixture.issue("dev").await.row.id;
    assert!(
        tokens
            .end_grace(&id, after(1))
            .await
            .unwrap_err()
            .is_conflict()
    );
    fixture.rotate(&id, HOUR, after(1)).await.unwrap();
    let row = tokens.end_grace(&id, after(2)).await.unwrap();
    assert_eq!(
        (row.secrets.len(), row.secrets[0].number, row.version),
        (1, 2, 3)
    );
    assert!(
        tokens
            .end_grace(&id, after(2))
            .await
            .unwrap_err()
            .is_conflict()
    );
}

pub(crate) async fn refuses_dead_tokens_and_long_graces(fixture: &Fixture) {
    let id = fixture.issue("dev").await.row.id;
    let refusal = fixture
        .rotate(&id, 7 * DAY + 1, after(1))
        .await
        .unwrap_err();
    assert!(refusal.is_invalid());
    fixture.rotate(&id, 7 * DAY, after(1)).await.unwrap();
    let refusal = fixture
        .rotate(&id, HOUR, after(90 * DAY))
        .await
        .unwrap_err();
    assert!(refusal.to_string().contains("has expired"), "{refusal}");
    let revocation = Revocation {
        by: "test".to_owned(),
        reason: None,
    };
    fixture
        .store
        .tokens()
        .revoke(&id, &revocation, after(2))
        .await
        .unwrap();
    for grace in [0, HOUR] {
        let refusal = fixture.rotate(&id, grace, after(3)).await.unwrap_err();
        assert!(refusal.to_string().contains("was revoked"), "{refusal}");
    }
    let unknown = fixture
        .rotate(&"0000000000000000".parse().unwrap(), 0, after(1))
        .await;
    assert!(unknown.unwrap_err().is_not_found());
}

pub(crate) async fn is_done_once_for_an_idempotency_key(fixture: &Fixture) {
    let id = fixture.issue("dev").await.row.id;
    let rotation = Rotation {
        grace: Duration::from_secs(HOUR),
        idempotency_key: Some("rotate 1".to_owned()),
    };
    let tokens = fixture.store.tokens();
    tokens.rotate(&id, &rotation, after(1)).await.unwrap();
    let StoreError::Conflict { existing, .. } =
        tokens.rotate(&id, &rotation, after(2)).await.unwrap_err()
    else {
        panic!("a conflict was expected");
    };
    assert_eq!(existing, Some(id));
    assert_eq!(tokens.show(&id).await.unwrap().version, 2);
    // The same key on another token is another rotation.
    let other = fixture.issue("dev").await.row.id;
    tokens.rotate(&other, &rotation, after(1)).await.unwrap();
}
