use std::time::Duration;

use postern_store::{NewEnvironment, StoreError};
use postern_types::TokenDigest;

use crate::fixture::{Fixture, after, env, principal, start, upstream};

pub(crate) async fn are_made_listed_and_shown(fixture: &Fixture) {
    let environments = fixture.store.environments();
    let mut new = NewEnvironment::named(env("staging"));
    new.description = "before prod".to_owned();
    new.token_ttl_max = Some(Duration::from_secs(60));
    let made = environments.create(&new, start()).await.unwrap();
    assert_eq!(made.created_at, start());
    assert_eq!(environments.show(&env("staging")).await.unwrap(), made);
    let names: Vec<_> = environments.list().await.unwrap();
    let names: Vec<_> = names.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["dev", "prod", "staging"]);
    assert!(
        environments
            .create(&new, start())
            .await
            .unwrap_err()
            .is_conflict()
    );
    assert!(
        environments
            .show(&env("test"))
            .await
            .unwrap_err()
            .is_not_found()
    );
}

pub(crate) async fn are_retired_only_when_nothing_lives_there(fixture: &Fixture) {
    // Goal: an environment goes only when it is empty. Method: try with a token and an upstream,
    // with neither, and with a token that has expired.
    let (store, dev) = (&fixture.store, env("dev"));
    let mut wanted = Fixture::wanted("dev");
    wanted.ttl = Some(Duration::from_secs(10));
    store.tokens().create(&wanted, start()).await.unwrap();
    let refusal = store
        .environments()
        .delete(&dev, after(5))
        .await
        .unwrap_err();
    assert!(refusal.to_string().contains("1 live tokens"), "{refusal}");
    let refusal = store
        .environments()
        .delete(&dev, after(10))
        .await
        .unwrap_err();
    assert!(refusal.to_string().contains("1 upstreams"), "{refusal}");
    store
        .upstreams()
        .delete(&dev, &upstream("openai"), after(10))
        .await
        .unwrap();
    store.environments().delete(&dev, after(10)).await.unwrap();
    assert!(
        store
            .environments()
            .show(&dev)
            .await
            .unwrap_err()
            .is_not_found()
    );
    let gone = store
        .principals()
        .find(&dev, &principal("service:web"))
        .await
        .unwrap();
    assert_eq!(gone, None);
    let refused = store.tokens().create(&wanted, after(11)).await.unwrap_err();
    assert!(refused.is_not_found());
}

pub(crate) async fn never_take_a_retired_name(fixture: &Fixture) {
    let environments = fixture.store.environments();
    let new = NewEnvironment::named(env("old"));
    environments.create(&new, start()).await.unwrap();
    environments.delete(&env("old"), after(1)).await.unwrap();
    let refusal = environments.create(&new, after(2)).await.unwrap_err();
    assert!(
        refusal.is_conflict() && refusal.to_string().contains("existed"),
        "{refusal}"
    );
}

pub(crate) async fn refuse_what_is_reserved_or_unbounded(fixture: &Fixture) {
    let environments = fixture.store.environments();
    let mut reserved = NewEnvironment::named(env("installation"));
    assert!(
        environments
            .create(&reserved, start())
            .await
            .unwrap_err()
            .is_invalid()
    );
    reserved.name = env("fine");
    reserved.token_ttl_max = Some(Duration::from_secs(10 * 366 * 86_400));
    assert!(
        environments
            .create(&reserved, start())
            .await
            .unwrap_err()
            .is_invalid()
    );
    reserved.token_ttl_max = None;
    reserved.description = "clear the \u{1b}[2J screen".to_owned();
    assert!(
        environments
            .create(&reserved, start())
            .await
            .unwrap_err()
            .is_invalid()
    );
    // None of them left keys behind.
    assert!(!fixture.keys.environments().contains(&env("fine")));
}

pub(crate) async fn have_peppers_of_their_own(fixture: &Fixture) {
    // Goal: a digest of one environment says nothing in another. Method: one token's digest under
    // the peppers of both.
    let issued = fixture.issue("dev").await;
    let digest = |name| {
        let peppers = fixture.keys.peppers(&env(name)).unwrap();
        TokenDigest::compute(peppers.current(), &issued.token)
    };
    assert!(!digest("dev").matches(&digest("prod")));
    let unknown = fixture.keys.peppers(&env("test")).map_err(StoreError::from);
    assert!(unknown.unwrap_err().to_string().contains("keys"));
}

pub(crate) async fn use_keys_that_a_crash_left_without_an_environment(fixture: &Fixture) {
    // Goal: making an environment can be tried again after a crash between its keys and its row.
    // Method: the keys are there, the row is not.
    fixture
        .keys
        .add_environment(&env("late"), &*fixture.random)
        .unwrap();
    let before = fixture.keys.audit_key("late").unwrap();
    assert!(
        fixture
            .store
            .environments()
            .show(&env("late"))
            .await
            .is_err()
    );
    fixture.add_environment("late").await;
    assert_eq!(fixture.keys.audit_key("late").unwrap().key, before.key);
}
