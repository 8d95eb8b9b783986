//! Whatever people do to a token, in whatever order: it keeps at most two live secrets and never
//! gets a moment more than it was given.

use postern_store::{Revocation, TokenRow, Touch};
use proptest::prelude::*;

use crate::fixture::{DAY, Fixture, HOUR, after};

#[derive(Debug, Clone, Copy)]
enum Step {
    Rotate { grace: u64 },
    EndGrace,
    Use { newest: bool },
    Revoke,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop_oneof![Just(0), Just(60), 1..8 * DAY].prop_map(|grace| Step::Rotate { grace }),
        1 => Just(Step::EndGrace),
        4 => any::<bool>().prop_map(|newest| Step::Use { newest }),
        1 => Just(Step::Revoke),
    ]
}

/// Does a step. Tells whether it was done and whether it changes the token.
async fn take(fixture: &Fixture, row: &TokenRow, step: Step, seconds: u64) -> (bool, bool) {
    let tokens = fixture.store.tokens();
    match step {
        Step::Rotate { grace } => {
            let done = fixture.rotate(&row.id, grace, after(seconds)).await.is_ok();
            (done, done)
        }
        Step::EndGrace => {
            let done = tokens.end_grace(&row.id, after(seconds)).await.is_ok();
            (done, done)
        }
        Step::Use { newest } => {
            let mut secrets = row.secrets.iter();
            let secret = if newest {
                secrets.next_back()
            } else {
                secrets.next()
            };
            let touch = Touch {
                token: row.id,
                secret: secret.unwrap().number,
                at: after(seconds),
            };
            tokens.touch_last_used(&[touch]).await.unwrap();
            (true, false)
        }
        Step::Revoke => {
            let revocation = Revocation {
                by: "test".to_owned(),
                reason: None,
            };
            let changes = row.revoked.is_none();
            tokens
                .revoke(&row.id, &revocation, after(seconds))
                .await
                .unwrap();
            (true, changes)
        }
    }
}

/// What must hold between one moment and the next.
fn judge(before: &TokenRow, now: &TokenRow, changed: bool) {
    assert_eq!(now.expires_at, before.expires_at);
    assert!((1..=2).contains(&now.secrets.len()), "{now:?}");
    for secret in &now.secrets {
        let known = before
            .secrets
            .iter()
            .find(|old| old.number == secret.number);
        let end = known.map_or(before.expires_at, |old| old.expires_at);
        assert!(secret.expires_at <= end, "{before:?} then {now:?}");
    }
    let raised = now.version - before.version;
    assert_eq!(raised, u64::from(changed), "{before:?} then {now:?}");
    if before.revoked.is_some() {
        assert_eq!(now.secrets.len(), before.secrets.len());
        assert_eq!(now.revoked, before.revoked);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_order_of_steps_gives_a_token_more_life(
        steps in proptest::collection::vec((step(), 0..30 * HOUR), 1..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let fixture = Fixture::sqlite().await;
            let mut row = fixture.issue("dev").await.row;
            let mut seconds = 0;
            for (step, pause) in steps {
                seconds += pause;
                let (_, changed) = take(&fixture, &row, step, seconds).await;
                let now = fixture.store.tokens().show(&row.id).await.unwrap();
                judge(&row, &now, changed);
                row = now;
            }
        });
    }
}
