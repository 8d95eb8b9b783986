use postern_store::{Made, PrincipalKey, UpstreamRow};
use postern_types::{OwnedId, OwnedKind};

use crate::fixture::{DAY, Fixture, after, env, principal, start, upstream};

fn response(id: &str) -> OwnedId {
    OwnedId {
        kind: OwnedKind::Response,
        id: id.to_owned(),
    }
}

async fn parts(fixture: &Fixture, name: &str) -> (UpstreamRow, PrincipalKey) {
    let upstreams = fixture.store.upstreams();
    let row = upstreams
        .show(&env(name), &upstream("openai"))
        .await
        .unwrap();
    let principals = fixture.store.principals();
    let web = principals
        .show(&env(name), &principal("service:web"))
        .await
        .unwrap();
    (row, web.key)
}

fn made(upstream: &UpstreamRow, id: &str, by: PrincipalKey) -> Made {
    Made {
        upstream: upstream.id,
        what: response(id),
        by,
        at: start(),
    }
}

pub(crate) async fn is_known_by_the_whole_name(fixture: &Fixture) {
    let (dev, web) = parts(fixture, "dev").await;
    let (prod, _) = parts(fixture, "prod").await;
    let owned = fixture.store.owned();
    owned.record(&made(&dev, "resp_1", web)).await.unwrap();
    owned.record(&made(&dev, "resp_1", web)).await.unwrap();
    let owner = |upstream: &UpstreamRow, what: OwnedId| {
        let upstream = upstream.id;
        async move { owned.owner_of(upstream, &what, start()).await.unwrap() }
    };
    assert_eq!(owner(&dev, response("resp_1")).await, Some(web));
    assert_eq!(owner(&dev, response("resp_2")).await, None);
    assert_eq!(owner(&dev, response("RESP_1")).await, None);
    assert_eq!(owner(&prod, response("resp_1")).await, None);
    let file = OwnedId {
        kind: OwnedKind::File,
        id: "resp_1".to_owned(),
    };
    assert_eq!(owner(&dev, file).await, None);
    let long = made(&dev, &"x".repeat(513), web);
    assert!(owned.record(&long).await.unwrap_err().is_invalid());
}

pub(crate) async fn stays_with_whoever_made_it(fixture: &Fixture) {
    // Goal: nobody takes an object over. Method: a second principal claims one, alone and in a
    // batch; neither changes anything.
    let (dev, web) = parts(fixture, "dev").await;
    let thief = fixture.add_principal("dev", "agent:thief").await;
    let owned = fixture.store.owned();
    owned.record(&made(&dev, "resp_1", web)).await.unwrap();
    let claim = made(&dev, "resp_1", thief);
    assert!(owned.record(&claim).await.unwrap_err().is_conflict());
    let batch = [made(&dev, "resp_2", thief), claim];
    assert!(owned.record_all(&batch).await.unwrap_err().is_conflict());
    let owner = owned.owner_of(dev.id, &response("resp_1"), start()).await;
    assert_eq!(owner.unwrap(), Some(web));
    let none = owned.owner_of(dev.id, &response("resp_2"), start()).await;
    assert_eq!(none.unwrap(), None);
}

pub(crate) async fn ends(fixture: &Fixture) {
    let (dev, web) = parts(fixture, "dev").await;
    let other = fixture.add_principal("dev", "agent:other").await;
    let owned = fixture.store.owned();
    owned.record(&made(&dev, "resp_1", web)).await.unwrap();
    let owner_at = |now| async move {
        let owner = owned.owner_of(dev.id, &response("resp_1"), now).await;
        owner.unwrap()
    };
    assert_eq!(owner_at(after(60 * DAY - 1)).await, Some(web));
    assert_eq!(owner_at(after(60 * DAY)).await, None);
    assert_eq!(owned.purge(after(59 * DAY)).await.unwrap(), 0);
    // What has ended is free before it is purged.
    let mut late = made(&parts(fixture, "dev").await.0, "resp_1", other);
    late.at = after(61 * DAY);
    owned.record(&late).await.unwrap();
    assert_eq!(owner_at(after(61 * DAY)).await, Some(other));
    assert_eq!(owned.purge(after(200 * DAY)).await.unwrap(), 1);
    assert_eq!(owned.purge(after(200 * DAY)).await.unwrap(), 0);
}

pub(crate) async fn is_not_inherited(fixture: &Fixture) {
    // Goal: a name made again owns nothing of its predecessor. Method: delete and make again the
    // principal, then the upstream.
    let (store, dev) = (&fixture.store, env("dev"));
    let (before, web) = parts(fixture, "dev").await;
    store
        .owned()
        .record(&made(&before, "resp_1", web))
        .await
        .unwrap();
    store
        .principals()
        .delete(&dev, &principal("service:web"), start())
        .await
        .unwrap();
    let again = fixture.add_principal("dev", "service:web").await;
    let owner = store
        .owned()
        .owner_of(before.id, &response("resp_1"), start())
        .await;
    assert_ne!(owner.unwrap(), Some(again));
    assert_ne!(again, web);

    store
        .owned()
        .record(&made(&before, "resp_2", again))
        .await
        .unwrap();
    store
        .upstreams()
        .delete(&dev, &upstream("openai"), start())
        .await
        .unwrap();
    let after = fixture.add_upstream("dev", "openai", None).await;
    assert_ne!(before.id, after.id);
    let owner = store
        .owned()
        .owner_of(after.id, &response("resp_2"), start())
        .await;
    assert_eq!(owner.unwrap(), None);
}
