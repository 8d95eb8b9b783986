use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use postern_store::{Page, Rotation, TokenFilter, Touch};

use crate::fixture::{Fixture, after, start};

/// Starts all at once and waits for all.
async fn all<T: Send + 'static>(
    tasks: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let tasks: Vec<_> = tasks.map(tokio::spawn).collect();
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await.unwrap());
    }
    done
}

pub(crate) async fn makes_one_token_for_one_key(fixture: &Fixture) {
    // Goal: a pipeline that runs twice at once mints one token. Method: ten creates with one key
    // through two handles.
    let second = fixture.second().await;
    let tasks = (0..10).map(|index| {
        let store = if index % 2 == 0 {
            fixture.store.clone()
        } else {
            second.clone()
        };
        let mut wanted = Fixture::wanted("dev");
        wanted.idempotency_key = Some("deploy 17".to_owned());
        async move {
            store
                .tokens()
                .create(&wanted, start())
                .await
                .map(|issued| issued.row.id)
        }
    });
    let results = all(tasks).await;
    let made: Vec<_> = results
        .iter()
        .filter_map(|result| result.as_ref().ok())
        .collect();
    assert_eq!(made.len(), 1);
    for result in results.iter().filter_map(|result| result.as_ref().err()) {
        let postern_store::StoreError::Conflict { existing, .. } = result else {
            panic!("{result}");
        };
        assert_eq!(existing.as_ref(), Some(made[0]));
    }
    second.close().await;
}

pub(crate) async fn never_leaves_three_live_secrets(fixture: &Fixture) {
    let id = fixture.issue("dev").await.row.id;
    let tasks = (0..12_u64).map(|index| {
        let store = fixture.store.clone();
        async move {
            let rotation = Rotation {
                grace: Duration::from_secs(index % 3 * 60),
                idempotency_key: None,
            };
            let touch = |secret| Touch {
                token: id,
                secret,
                at: after(1),
            };
            let touches: Vec<_> = (1..14).map(touch).collect();
            store.tokens().touch_last_used(&touches).await.unwrap();
            store
                .tokens()
                .rotate(&id, &rotation, after(index))
                .await
                .is_ok()
        }
    });
    let done = all(tasks).await.into_iter().filter(|done| *done).count();
    let row = fixture.store.tokens().show(&id).await.unwrap();
    assert!((1..=2).contains(&row.secrets.len()), "{row:?}");
    // Each rotation that was answered has its own secret and its own version.
    assert_eq!(row.version, 1 + done as u64);
    assert_eq!(
        row.secrets.last().unwrap().number,
        1 + u32::try_from(done).unwrap()
    );
}

pub(crate) async fn counts_every_change_of_two_processes(fixture: &Fixture) {
    let second = fixture.second().await;
    let before = fixture.store.revision().await.unwrap();
    let tasks = (0..40).map(|index| {
        let store = if index % 2 == 0 {
            fixture.store.clone()
        } else {
            second.clone()
        };
        async move {
            store
                .tokens()
                .create(&Fixture::wanted("dev"), start())
                .await
                .unwrap()
                .row
                .id
        }
    });
    let mut ids = all(tasks).await;
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 40);
    assert_eq!(second.revision().await.unwrap(), before + 40);
    // A change that was refused is none.
    let mut refused = Fixture::wanted("dev");
    refused.ttl = Some(Duration::ZERO);
    assert!(second.tokens().create(&refused, start()).await.is_err());
    assert_eq!(second.revision().await.unwrap(), before + 40);
    second.ready().await.unwrap();
    second.close().await;
}

/// Polls a future so many times, a moment apart, and drops it.
async fn abandon(future: impl Future, polls: usize) -> bool {
    let mut future = pin!(future);
    for _ in 0..polls {
        let poll = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        if matches!(poll, Poll::Ready(_)) {
            return true;
        }
        tokio::time::sleep(Duration::from_micros(300)).await;
    }
    false
}

pub(crate) async fn leaves_nothing_half_done_when_a_caller_goes_away(fixture: &Fixture) {
    // Goal: a create that is dropped anywhere has happened wholly or not at all, and the store goes
    // on. Method: drop creates after more and more polls; count tokens, secrets and revisions.
    let tokens = fixture.store.tokens();
    let before = fixture.store.revision().await.unwrap();
    let mut finished = 0;
    for polls in 0..40 {
        let wanted = Fixture::wanted("dev");
        finished += u64::from(abandon(tokens.create(&wanted, start()), polls).await);
        fixture.store.ready().await.unwrap();
    }
    assert!(
        finished > 0,
        "no create ever finished: the test shows nothing"
    );
    let all = tokens
        .list(&TokenFilter::default(), &Page::default(), start())
        .await
        .unwrap();
    assert!(all.rows.iter().all(|row| row.secrets.len() == 1));
    // One that was dropped while its commit was under way may have happened.
    let made = all.rows.len() as u64;
    assert!(made >= finished);
    assert_eq!(fixture.store.revision().await.unwrap(), before + made);
}
