use std::time::{Duration, Instant};

use postern_store::{NewUpstream, Rotation};
use postern_types::{End, UpstreamKind};

#[expect(
    dead_code,
    reason = "it is that of the stages, of which these tests need a part"
)]
#[path = "../../tests/stages/fixture.rs"]
mod fixture;

use fixture::{Fixture, env, openai};

const GRANT: &str = "openai:invoke:gpt-4o-mini";

#[tokio::test]
async fn a_token_that_lives_on_is_not_held_by_the_end_of_what_ran() {
    // Goal: a token that was rotated without a grace opens with its new secret, whoever looks it up
    // meanwhile. Method: the steps of that change, with a look-up between them.
    let fixture = Fixture::new().await;
    let token = fixture.token("dev", GRANT, &[]).await;
    let id = token.row.id;
    let rotation = Rotation {
        grace: Duration::ZERO,
        ..Rotation::default()
    };
    let store = fixture.guard.store().tokens();
    let rotated = store.rotate(&id, &rotation, fixture.now()).await.unwrap();
    fixture.guard.tokens.forget(id);
    let old = fixture.caller(token.token.expose()).await;
    assert!(old.is_err(), "its old secret opens nothing");
    fixture.guard.tokens.endings.end_token(id, End::Revoked);
    let caller = fixture.caller(rotated.token.expose()).await.unwrap();
    assert_eq!(caller.ended(), None);
}

#[test]
fn grants_of_one_picture_do_not_meet_the_upstreams_of_another() {
    // Goal: while an environment is taken up, no grant opens an upstream that was made again under
    // an old name. Method: hold the change between its two steps, the new picture and forgetting
    // who was looked up on the old one, and let a request in there.
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().unwrap()
    };
    let here = runtime();
    let fixture = here.block_on(Fixture::new());
    let token = here.block_on(fixture.token("dev", GRANT, &[]));
    let text = token.token.expose();
    let guard = &fixture.guard;
    let upstream = || {
        let caller = here.block_on(fixture.caller(text)).unwrap();
        caller.upstream("openai").unwrap().row.id
    };
    let granted = upstream();
    here.block_on(async {
        let upstreams = guard.store().upstreams();
        let (dev, name, now) = (env("dev"), openai(), fixture.now());
        upstreams.delete(&dev, &name, now).await.unwrap();
        let new = NewUpstream {
            name,
            kind: UpstreamKind::OpenAi,
            url: "http://127.0.0.1:9/another".to_owned(),
            credential: None,
            settings: serde_json::Map::new(),
        };
        upstreams.create(&dev, &new, now).await.unwrap();
    });
    std::thread::scope(|scope| {
        let held = guard.tokens.changing.lock();
        let change = scope.spawn(|| runtime().block_on(guard.environment_changed(&env("dev"))));
        let deadline = Instant::now() + Duration::from_secs(20);
        let shown = || {
            let world = guard.world.load();
            world.environments[&env("dev")].upstreams[&openai()].row.id != granted
        };
        while !shown() {
            assert!(Instant::now() < deadline, "the new picture never came");
            // The store gives its connections back in tasks of this runtime.
            here.block_on(async { tokio::time::sleep(Duration::from_millis(1)).await });
        }
        assert_eq!(upstream(), granted, "its grant was for another upstream");
        drop(held);
        change.join().unwrap().unwrap();
    });
    assert_ne!(upstream(), granted);
}
