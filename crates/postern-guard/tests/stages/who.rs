//! Narrow and apart: who is let in, and where.

use std::collections::HashSet;
use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::task::Poll;
use std::time::Duration;

use postern_store::{NewUpstream, Rotation};
use postern_types::{End, OwnedId, OwnedKind, RefusalCode, UpstreamKind};
use zeroize::Zeroizing;

use crate::fixture::{Fixture, env, openai, principal};

#[tokio::test]
async fn strangers_learn_nothing_from_the_answer() {
    // Goal: unknown, wrong, revoked, expired and foreign tokens look the same outside. Method: the
    // public parts of each refusal are put into one set.
    let fixture = Fixture::new().await;
    let live = fixture.token("dev", "openai:invoke:gpt-4o-mini", &[]).await;
    let revoked = fixture.token("dev", "openai:invoke:gpt-4o-mini", &[]).await;
    fixture.revoke(revoked.row.id).await;
    let text = live.token.expose();
    let other = fixture.token("dev", "openai:invoke:gpt-4o-mini", &[]).await;
    // The id of one token with the secret of another: a wrong secret with a right checksum.
    let wrong = postern_types::ApiToken::mint(
        postern_types::TokenKind::Server,
        &env("dev"),
        &[7; 12],
        &[9; 32],
    );
    let elsewhere = postern_types::ApiToken::mint(
        postern_types::TokenKind::Server,
        &env("nowhere"),
        &[7; 12],
        &[9; 32],
    );
    let cut = &text[..text.len() - 1];
    let mut seen = HashSet::new();
    let presented_tokens = [
        None,
        Some("sk-something-else"),
        Some(cut),
        Some(wrong.expose()),
        Some(elsewhere.expose()),
        Some(revoked.token.expose()),
    ];
    for (place, presented) in (1_u8..).zip(presented_tokens) {
        // Each from an address of its own, so that the limit of failures plays no part.
        let address = IpAddr::from([10, 0, 0, place]);
        let mut flight = fixture.arrive_from(address);
        let refusal = flight.authenticate(presented).await.err().unwrap();
        seen.insert((
            refusal.code(),
            refusal.code().public(),
            refusal.retry_after_value(),
        ));
        assert_eq!(
            refusal.code(),
            RefusalCode::Unauthenticated,
            "{}",
            refusal.cause()
        );
    }
    fixture.clock.advance(Duration::from_secs(3601));
    let expired = fixture.caller(other.token.expose()).await.err().unwrap();
    seen.insert((
        expired.code(),
        expired.code().public(),
        expired.retry_after_value(),
    ));
    assert_eq!(seen.len(), 1, "{seen:?}");
}

#[tokio::test]
async fn a_token_never_leaves_its_environment() {
    // Goal: the same upstream name in two environments with an allow-all policy; a dev token
    // reaches dev's. Method: resolve, and look at where the upstream is.
    let fixture = Fixture::new().await;
    for name in ["dev", "prod"] {
        let token = fixture.token(name, "openai:invoke:*", &[]).await;
        let caller = fixture.caller(token.token.expose()).await.unwrap();
        let upstream = caller.upstream("openai").unwrap();
        assert_eq!(upstream.row.url, format!("http://127.0.0.1:9/{name}"));
        assert_eq!(caller.subject().environment, env(name));
    }
    // A token's text with the other environment's name in it is another token: nobody's.
    let token = fixture.token("dev", "openai:invoke:*", &[]).await;
    let moved = token.token.expose().replace("_dev_", "_prod_");
    assert_eq!(
        fixture.caller(&moved).await.err().unwrap().code(),
        RefusalCode::Unauthenticated
    );
}

#[tokio::test]
async fn grants_and_guard_rails_must_both_allow() {
    let fixture = Fixture::new().await;
    let token = fixture.token("dev", "openai:invoke:gpt-4o-mini", &[]).await;
    let mut flight = fixture.arrive();
    let caller = flight
        .authenticate(Some(token.token.expose()))
        .await
        .unwrap();
    let allowed = fixture.context(&caller, "gpt-4o-mini");
    let other = fixture.context(&caller, "gpt-4o");
    assert!(flight.authorize(&caller, &allowed).is_ok());
    let refusal = flight.authorize(&caller, &other).err().unwrap();
    assert_eq!(refusal.code(), RefusalCode::Denied);
    // Without any guard-rail nothing is allowed.
    let baseline = postern_types::PolicyName::parse("baseline").unwrap();
    fixture
        .guard
        .store()
        .policies()
        .delete(&env("dev"), &baseline)
        .await
        .unwrap();
    fixture
        .guard
        .environment_changed(&env("dev"))
        .await
        .unwrap();
    let mut flight = fixture.arrive();
    let caller = flight
        .authenticate(Some(token.token.expose()))
        .await
        .unwrap();
    assert!(flight.authorize(&caller, &allowed).is_err());
}

#[tokio::test]
async fn an_upstream_made_again_is_not_opened_by_old_grants() {
    let fixture = Fixture::new().await;
    let token = fixture.token("dev", "openai:invoke:gpt-4o-mini", &[]).await;
    let store = fixture.guard.store();
    store
        .upstreams()
        .delete(&env("dev"), &openai(), fixture.now())
        .await
        .unwrap();
    let again = NewUpstream {
        name: openai(),
        kind: UpstreamKind::OpenAi,
        url: "http://127.0.0.1:9/another".into(),
        credential: None,
        settings: serde_json::Map::new(),
    };
    store
        .upstreams()
        .create(&env("dev"), &again, fixture.now())
        .await
        .unwrap();
    fixture
        .guard
        .environment_changed(&env("dev"))
        .await
        .unwrap();
    let mut flight = fixture.arrive();
    let caller = flight
        .authenticate(Some(token.token.expose()))
        .await
        .unwrap();
    let context = fixture.context(&caller, "gpt-4o-mini");
    assert_eq!(
        flight.authorize(&caller, &context).err().unwrap().code(),
        RefusalCode::Denied
    );
}

#[tokio::test]
async fn failures_are_limited_and_valid_tokens_are_not() {
    let fixture = Fixture::new().await;
    let token = fixture.token("dev", "openai:invoke:gpt-4o-mini", &[]).await;
    let mut codes = Vec::new();
    for _ in 0..5 {
        codes.push(fixture.caller("pstn_nonsense").await.err().unwrap().code());
        assert!(fixture.caller(token.token.expose()).await.is_ok());
    }
    use RefusalCode::{RateLimited, Unauthenticated};
    assert_eq!(
        codes,
        [
            Unauthenticated,
            Unauthenticated,
            Unauthenticated,
            RateLimited,
            RateLimited
        ]
    );
}

#[tokio::test]
async fn rotation_keeps_both_secrets_for_the_grace_and_no_longer() {
    let fixture = Fixture::new().await;
    let old = fixture.token("dev", "openai:invoke:gpt-4o-mini", &[]).await;
    assert!(fixture.caller(old.token.expose()).await.is_ok());
    let rotation = Rotation {
        grace: Duration::from_secs(60),
        ..Rotation::default()
    };
    let tokens = fixture.guard.store().tokens();
    let new = tokens
        .rotate(&old.row.id, &rotation, fixture.now())
        .await
        .unwrap();
    fixture
        .guard
        .token_changed(old.row.id, postern_guard::TokenChange::Edited);
    assert!(fixture.caller(old.token.expose()).await.is_ok());
    assert!(fixture.caller(new.token.expose()).await.is_ok());
    fixture.clock.advance(Duration::from_secs(61));
    assert!(fixture.caller(old.token.expose()).await.is_err());
    let caller = fixture.caller(new.token.expose()).await.unwrap();
    assert_eq!(
        caller.ends_at(),
        old.row.expires_at,
        "rotation never extends life"
    );
}

#[tokio::test]
async fn a_rotation_waits_for_the_uses_that_are_being_written() {
    // Goal: a rotation sees every use from before it, so that no secret in use is taken for one
    // that got lost. Method: it asks for them while housekeeping has them in hand and waits for the
    // store, which somebody else's change keeps busy.
    let fixture = Fixture::new().await;
    let token = fixture.token("dev", "openai:invoke:gpt-4o-mini", &[]).await;
    let mut flight = fixture.arrive();
    let text = token.token.expose();
    let caller = fixture.clear(&mut flight, text).await.unwrap();
    flight.close(End::Done);
    let guard = Arc::clone(&fixture.guard);
    let (begun, has_begun) = sync_channel(1);
    let (release, released) = sync_channel::<()>(1);
    let busy = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let change = guard.keep_placeholders(&caller, move |_| {
            begun.send(()).unwrap();
            released.recv().unwrap();
            Zeroizing::default()
        });
        runtime.unwrap().block_on(change).unwrap();
    });
    // Not blocking: the store gives its connection back in a task of this runtime.
    while has_begun.try_recv().is_err() {
        tokio::task::yield_now().await;
    }
    let mut housekeeping = Box::pin(fixture.guard.write_last_uses());
    let mut rotation = Box::pin(fixture.guard.write_last_uses());
    let in_hand = poll_fn(|cx| Poll::Ready(housekeeping.as_mut().poll(cx).is_pending())).await;
    let waits = poll_fn(|cx| Poll::Ready(rotation.as_mut().poll(cx).is_pending())).await;
    release.send(()).unwrap();
    assert!(in_hand && waits, "it goes on without them");
    tokio::join!(housekeeping, rotation);
    busy.join().unwrap();
    let row = fixture.guard.store().tokens().show(&token.row.id).await;
    assert_eq!(row.unwrap().last_used_at, Some(fixture.now()));
}

#[tokio::test]
async fn only_its_maker_may_refer_to_what_a_provider_keeps() {
    let fixture = Fixture::new().await;
    let token = fixture.token("dev", "openai:invoke:*", &[]).await;
    let caller = fixture.caller(token.token.expose()).await.unwrap();
    let upstream = caller.upstream("openai").unwrap();
    let id = |id: &str| OwnedId {
        kind: OwnedKind::Response,
        id: id.into(),
    };
    let guard = &fixture.guard;
    guard.remember(&caller, &upstream, id("resp_1"), Some(&"first".into()));
    let first = guard.conversation(&upstream, &id("resp_1"));
    assert_eq!(first.as_deref(), Some("first"));
    assert_eq!(guard.conversation(&upstream, &id("resp_2")), None);
    assert!(
        guard
            .check_references(&caller, &upstream, &[id("resp_1")])
            .await
            .is_ok()
    );
    let both = [id("resp_1"), id("resp_2")];
    assert!(
        guard
            .check_references(&caller, &upstream, &both)
            .await
            .is_err()
    );
    // The same id at the same-named upstream of another environment is another id.
    let prod = fixture.token("prod", "openai:invoke:*", &[]).await;
    let prod = fixture.caller(prod.token.expose()).await.unwrap();
    let upstream = prod.upstream("openai").unwrap();
    assert!(
        guard
            .check_references(&prod, &upstream, &[id("resp_1")])
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_disabled_principal_acts_no_more() {
    let fixture = Fixture::new().await;
    let token = fixture.token("dev", "openai:invoke:*", &[]).await;
    let caller = fixture.caller(token.token.expose()).await.unwrap();
    let change = postern_store::PrincipalChange {
        disabled: Some(true),
        ..Default::default()
    };
    let store = fixture.guard.store();
    store
        .principals()
        .update(&env("dev"), &principal(), &change)
        .await
        .unwrap();
    fixture
        .guard
        .principal_changed(&env("dev"), &principal(), true);
    assert_eq!(caller.ended(), Some(End::Revoked));
    assert!(fixture.caller(token.token.expose()).await.is_err());
}
