use std::time::Duration;

use postern_store::Rotation;
use postern_types::End;

#[expect(
    dead_code,
    reason = "it is that of the stages, of which these tests need a part"
)]
#[path = "../../tests/stages/fixture.rs"]
mod fixture;

use fixture::Fixture;

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
