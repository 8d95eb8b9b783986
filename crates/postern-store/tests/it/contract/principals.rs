use postern_store::{PrincipalChange, Revocation};

use crate::fixture::{Fixture, after, env, principal, start};

pub(crate) async fn are_made_changed_and_deleted(fixture: &Fixture) {
    let (principals, dev) = (fixture.store.principals(), env("dev"));
    let id = principal("agent:scout");
    let first = fixture.add_principal("dev", "agent:scout").await;
    let change = PrincipalChange {
        team: Some(Some("red".to_owned())),
        disabled: Some(true),
        ..PrincipalChange::default()
    };
    let changed = principals.update(&dev, &id, &change).await.unwrap();
    assert_eq!((changed.version, changed.disabled), (2, true));
    assert_eq!(changed.principal.team.as_deref(), Some("red"));
    assert_eq!(principals.show(&dev, &id).await.unwrap(), changed);
    let change = PrincipalChange {
        team: Some(None),
        ..PrincipalChange::default()
    };
    let changed = principals.update(&dev, &id, &change).await.unwrap();
    assert_eq!((changed.principal.team, changed.disabled), (None, true));
    principals.delete(&dev, &id, after(1)).await.unwrap();
    assert!(principals.show(&dev, &id).await.unwrap_err().is_not_found());
    assert!(
        principals
            .delete(&dev, &id, after(1))
            .await
            .unwrap_err()
            .is_not_found()
    );
    assert_eq!(principals.list(&dev).await.unwrap().len(), 1);
    // Made again, it is another.
    assert_ne!(fixture.add_principal("dev", "agent:scout").await, first);
}

pub(crate) async fn keep_apart_by_environment(fixture: &Fixture) {
    let id = principal("service:web");
    let dev = fixture
        .store
        .principals()
        .show(&env("dev"), &id)
        .await
        .unwrap();
    let prod = fixture
        .store
        .principals()
        .show(&env("prod"), &id)
        .await
        .unwrap();
    assert_ne!(dev.key, prod.key);
    let change = PrincipalChange {
        disabled: Some(true),
        ..PrincipalChange::default()
    };
    fixture
        .store
        .principals()
        .update(&env("dev"), &id, &change)
        .await
        .unwrap();
    let prod = fixture
        .store
        .principals()
        .show(&env("prod"), &id)
        .await
        .unwrap();
    assert!(!prod.disabled);
}

pub(crate) async fn stay_while_they_have_live_tokens(fixture: &Fixture) {
    let (principals, dev) = (fixture.store.principals(), env("dev"));
    let id = principal("service:web");
    let issued = fixture.issue("dev").await;
    assert!(
        principals
            .delete(&dev, &id, start())
            .await
            .unwrap_err()
            .is_conflict()
    );
    let revocation = Revocation {
        by: "test".to_owned(),
        reason: None,
    };
    let tokens = fixture.store.tokens();
    tokens
        .revoke(&issued.token.id(), &revocation, start())
        .await
        .unwrap();
    principals.delete(&dev, &id, start()).await.unwrap();
    // The revoked token still tells whose it was.
    let row = tokens.show(&issued.token.id()).await.unwrap();
    assert!(format!("{:?}", row.access).contains("service:web"));
}
