//! Counted: what whoever watches the gateway learns of each request.

use postern_guard::{Counted, Guard};
use postern_types::{DataAction, DataClass, Direction, End, Finding, RefusalCode, RuleName, Usage};

use crate::fixture::{Fixture, env, openai};

/// The counts of an environment, or of its upstream `openai`.
fn counts(guard: &Guard, environment: Option<&str>, upstream: bool) -> Counted {
    let all = guard.counted();
    let wanted = |it: &&Counted| {
        it.environment == environment.map(env) && it.upstream == upstream.then(openai)
    };
    all.iter().find(wanted).unwrap().clone()
}

fn ended(counted: &Counted, end: End) -> u64 {
    counted
        .requests
        .ends()
        .find(|(it, _)| *it == end)
        .unwrap()
        .1
}

fn refused(counted: &Counted, code: RefusalCode) -> u64 {
    counted
        .requests
        .refusals()
        .find(|(it, _)| *it == code)
        .unwrap()
        .1
}

/// A request that is answered, with a finding.
async fn answered(fixture: &Fixture, token: &str) {
    let mut flight = fixture.arrive();
    let caller = flight.authenticate(Some(token)).await.unwrap();
    flight.toward(&caller.upstream("openai").unwrap());
    let context = fixture.context(&caller, "gpt-4o-mini");
    let permit = flight.authorize(&caller, &context).unwrap();
    flight.limit(&caller, &permit).unwrap();
    flight.clear(&caller, &permit, &context).await.unwrap();
    flight.answered(200);
    let observed = flight.observed();
    (observed.request_bytes, observed.response_bytes) = (11, 22);
    observed.usage = Some(Usage {
        input_uncached: 5,
        output_text: 3,
        ..Usage::default()
    });
    observed.findings.push(Finding {
        class: DataClass::parse("email").unwrap(),
        direction: Direction::Request,
        action: DataAction::Mask,
        rule: RuleName::parse("people").unwrap(),
        dry_run: false,
        place: "messages.content".to_owned(),
        count: 2,
    });
    flight.close(End::Done);
}

/// A request that is over its limit, one that reaches no upstream, and one of a stranger.
async fn refused_lost_and_unknown(fixture: &Fixture, token: &str) {
    let mut over = fixture.arrive();
    let caller = over.authenticate(Some(token)).await.unwrap();
    over.toward(&caller.upstream("openai").unwrap());
    let context = fixture.context(&caller, "gpt-4o-mini");
    let permit = over.authorize(&caller, &context).unwrap();
    let refusal = over.limit(&caller, &permit).unwrap_err();
    over.refused(&refusal);
    over.close(End::Refused);
    let mut lost = fixture.arrive();
    lost.authenticate(Some(token)).await.unwrap();
    drop(lost);
    let mut stranger = fixture.arrive();
    let refusal = stranger.authenticate(None).await.err().unwrap();
    stranger.refused(&refusal);
    stranger.close(End::Refused);
}

#[tokio::test]
async fn a_request_is_counted_once_where_it_went() {
    // Goal: each request is counted once, where it belongs, and a change of the environment
    // forgets nothing. Method: one of each sort; the environment is loaded anew in between.
    let fixture = Fixture::new().await;
    let grant = "openai:invoke:gpt-4o-mini";
    let token = fixture.token("dev", grant, &["requests=1/minute"]).await;
    answered(&fixture, token.token.expose()).await;
    let dev = env("dev");
    fixture.guard.environment_changed(&dev).await.unwrap();
    refused_lost_and_unknown(&fixture, token.token.expose()).await;
    fixture.records().await;

    let guard = &fixture.guard;
    let there = counts(guard, Some("dev"), true);
    let requests = &there.requests;
    assert_eq!(
        (ended(&there, End::Done), ended(&there, End::Refused)),
        (1, 1)
    );
    assert_eq!(refused(&there, RefusalCode::RateLimited), 1);
    assert_eq!(
        (requests.request_bytes(), requests.response_bytes()),
        (11, 22)
    );
    assert_eq!(
        (requests.took().count(), requests.before_forward().count()),
        (2, 1)
    );
    assert_eq!(requests.answers().map(|(_, count)| count).sum::<u64>(), 1);
    let models = requests.models();
    let used = (
        models[0].model.as_str(),
        models[0].input_tokens,
        models[0].output_tokens,
    );
    assert_eq!(used, ("gpt-4o-mini", 5, 3));
    assert_eq!(
        ended(&counts(guard, Some("dev"), false), End::ClientGone),
        1
    );
    assert_eq!(
        refused(&counts(guard, None, false), RefusalCode::Unauthenticated),
        1
    );
    let elsewhere = counts(guard, Some("prod"), true);
    assert!(elsewhere.requests.ends().all(|(_, count)| count == 0));
    let limited: Vec<_> = guard.meters().limited().collect();
    assert_eq!(limited[1], ("requests/minute", 1));
    let findings = guard.meters().findings();
    assert_eq!((findings.len(), findings[0].1), (1, 2));
}

#[tokio::test]
async fn a_request_for_which_there_is_no_room_is_counted_too() {
    let fixture = Fixture::new().await;
    fixture.guard.shut_down(std::time::Duration::ZERO).await;
    let opening = postern_guard::Opening {
        method: "GET",
        path: "/",
        query_names: Vec::new(),
        source: postern_types::Source {
            address: std::net::Ipv4Addr::LOCALHOST.into(),
            via: postern_types::SourceVia::Socket,
        },
        user_agent: None,
    };
    assert!(fixture.guard.arrive(&opening).is_err());
    let strangers = counts(&fixture.guard, None, false);
    assert_eq!(refused(&strangers, RefusalCode::ShuttingDown), 1);
}
