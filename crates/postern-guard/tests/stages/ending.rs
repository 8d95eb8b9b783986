//! Instant: what a revoke ends.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use postern_guard::EndStream;
use postern_types::{AuditRecord, End, RefusalCode};

use crate::fixture::Fixture;

struct Stream(AtomicUsize);

impl EndStream for Stream {
    fn end(&self, how: End) {
        assert_eq!(how, End::Revoked);
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_revoke_refuses_the_next_request_and_ends_what_runs() {
    let fixture = Fixture::new().await;
    let token = fixture.token("dev", "openai:invoke:gpt-4o-mini", &[]).await;
    let mut flight = fixture.arrive();
    let caller = fixture
        .clear(&mut flight, token.token.expose())
        .await
        .unwrap();
    let stream = Arc::new(Stream(AtomicUsize::new(0)));
    let weak: Weak<Stream> = Arc::downgrade(&stream);
    let _handle = caller.register(weak.clone()).unwrap();
    fixture.revoke(token.row.id).await;
    assert_eq!(stream.0.load(Ordering::SeqCst), 1);
    assert_eq!(caller.ended(), Some(End::Revoked));
    assert!(
        caller.register(weak).is_err(),
        "what starts late is turned away"
    );
    assert_eq!(
        fixture
            .caller(token.token.expose())
            .await
            .err()
            .unwrap()
            .code(),
        RefusalCode::Unauthenticated
    );
    flight.close(End::Revoked);
}

#[tokio::test]
async fn a_request_that_was_let_in_before_the_revoke_is_not_forwarded_after_it() {
    let fixture = Fixture::new().await;
    let token = fixture.token("dev", "openai:invoke:gpt-4o-mini", &[]).await;
    let mut flight = fixture.arrive();
    let caller = flight
        .authenticate(Some(token.token.expose()))
        .await
        .unwrap();
    let context = fixture.context(&caller, "gpt-4o-mini");
    let permit = flight.authorize(&caller, &context).unwrap();
    flight.limit(&caller, &permit).unwrap();
    fixture.revoke(token.row.id).await;
    let refusal = flight
        .clear(&caller, &permit, &context)
        .await
        .err()
        .unwrap();
    assert_eq!(refusal.code(), RefusalCode::Revoked);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_look_up_cannot_bring_a_revoked_token_back() {
    // Goal: no interleaving of look-ups and a revoke leaves the old record in memory. Method: many
    // rounds of look-ups that race with a revoke; after the revoke returned, none may pass.
    let fixture = Arc::new(Fixture::new().await);
    for _ in 0..40 {
        let token = fixture.token("dev", "openai:invoke:gpt-4o-mini", &[]).await;
        let text = token.token.expose().to_owned();
        let racing: Vec<_> = (0..4)
            .map(|_| {
                let (fixture, text) = (Arc::clone(&fixture), text.clone());
                tokio::spawn(async move { drop(fixture.caller(&text).await) })
            })
            .collect();
        fixture.revoke(token.row.id).await;
        assert!(
            fixture.caller(&text).await.is_err(),
            "the next request is refused"
        );
        for task in racing {
            task.await.unwrap();
        }
        assert!(
            fixture.caller(&text).await.is_err(),
            "and so is every later one"
        );
    }
}

#[tokio::test]
async fn a_token_that_expires_while_its_body_comes_in_is_not_forwarded() {
    let fixture = Fixture::new().await;
    let token = fixture.token("dev", "openai:invoke:gpt-4o-mini", &[]).await;
    let mut flight = fixture.arrive();
    let caller = flight
        .authenticate(Some(token.token.expose()))
        .await
        .unwrap();
    let context = fixture.context(&caller, "gpt-4o-mini");
    let permit = flight.authorize(&caller, &context).unwrap();
    flight.limit(&caller, &permit).unwrap();
    fixture.clock.advance(Duration::from_secs(3601));
    let refusal = flight
        .clear(&caller, &permit, &context)
        .await
        .err()
        .unwrap();
    assert_eq!(refusal.code(), RefusalCode::Revoked);
}

#[tokio::test]
async fn a_stop_waits_for_the_last_flight() {
    // Goal: the log is not closed in good order while an outcome is still on its way. Method: a
    // flight that outlives the shutdown, and the wait for it before and after it is let go.
    let fixture = Fixture::new().await;
    let token = fixture.token("dev", "openai:invoke:gpt-4o-mini", &[]).await;
    let mut flight = fixture.arrive();
    let caller = fixture
        .clear(&mut flight, token.token.expose())
        .await
        .unwrap();
    let guard = &fixture.guard;
    guard.shut_down(Duration::from_millis(10)).await;
    assert_eq!(caller.ended(), Some(End::Shutdown), "it was told to end");
    assert!(
        !guard.all_closed(Duration::from_millis(50)).await,
        "one hangs, and the stop says so"
    );
    let waiting = guard.all_closed(Duration::from_secs(10));
    let letting_go = async { drop(flight) };
    let (closed, ()) = tokio::join!(waiting, letting_go);
    assert!(closed);
    let outcomes: Vec<End> = fixture
        .records()
        .await
        .into_iter()
        .filter_map(|record| match record {
            AuditRecord::Outcome(outcome) => Some(outcome.end),
            _ => None,
        })
        .collect();
    assert_eq!(outcomes, [End::Shutdown]);
}
