//! Recorded: what stands in the log after each way to end.

use std::future::poll_fn;
use std::net::IpAddr;
use std::task::Poll;
use std::time::Duration;

use postern_types::{AuditRecord, End, OutcomeRecord, Refusal, RefusalCode};
use tokio_util::sync::CancellationToken;

use crate::fixture::Fixture;

fn outcomes(records: &[AuditRecord]) -> Vec<&OutcomeRecord> {
    records
        .iter()
        .filter_map(|record| match record {
            AuditRecord::Outcome(outcome) => Some(outcome),
            _ => None,
        })
        .collect()
}

fn intents(records: &[AuditRecord]) -> usize {
    records
        .iter()
        .filter(|record| matches!(record, AuditRecord::Intent(_)))
        .count()
}

#[tokio::test]
async fn a_forwarded_request_has_an_intent_and_one_outcome() {
    let fixture = Fixture::new().await;
    let token = fixture.token("dev", "openai:invoke:gpt-4o-mini", &[]).await;
    let mut flight = fixture.arrive();
    let request = flight.request();
    fixture
        .clear(&mut flight, token.token.expose())
        .await
        .unwrap();
    flight.observed().status = Some(200);
    flight.close(End::Done);
    let records = fixture.records().await;
    assert_eq!(intents(&records), 1);
    let outcomes = outcomes(&records);
    assert_eq!(outcomes.len(), 1);
    assert_eq!(
        (outcomes[0].end, outcomes[0].status),
        (End::Done, Some(200))
    );
    assert_eq!(outcomes[0].summary.request, request);
    assert_eq!(outcomes[0].summary.token, Some(token.row.id));
}

#[tokio::test]
async fn a_dropped_flight_is_closed_once_and_gives_back_its_place() {
    // Goal: a client that goes away at any point leaves exactly one outcome and no reservation.
    // Method: drop the flight after each stage; the limit of one allows the next each time.
    let fixture = Fixture::new().await;
    let token = fixture
        .token("dev", "openai:invoke:gpt-4o-mini", &["concurrency=1"])
        .await;
    let text = token.token.expose();
    drop(fixture.arrive());
    let mut flight = fixture.arrive();
    flight.authenticate(Some(text)).await.unwrap();
    drop(flight);
    for _ in 0..3 {
        let mut flight = fixture.arrive();
        let cleared = fixture.clear(&mut flight, text).await;
        assert!(cleared.is_ok(), "{:?}", cleared.err());
        drop(flight);
        while fixture.guard.status().in_progress > 0 {
            tokio::task::yield_now().await;
        }
    }
    let records = fixture.records().await;
    assert_eq!(intents(&records), 3);
    let ends: Vec<End> = outcomes(&records)
        .iter()
        .map(|outcome| outcome.end)
        .collect();
    assert_eq!(ends, [End::ClientGone; 4]);
}

#[tokio::test]
async fn a_panic_is_recorded_as_one() {
    let fixture = Fixture::new().await;
    let token = fixture.token("dev", "openai:invoke:gpt-4o-mini", &[]).await;
    let mut flight = fixture.arrive();
    fixture
        .clear(&mut flight, token.token.expose())
        .await
        .unwrap();
    let thread = std::thread::spawn(move || {
        let _flight = flight;
        panic!("on purpose");
    });
    assert!(thread.join().is_err());
    let records = fixture.records().await;
    assert_eq!(outcomes(&records)[0].end, End::Panic);
}

#[tokio::test]
async fn a_refused_request_has_an_outcome_with_its_cause_and_no_intent() {
    let fixture = Fixture::new().await;
    let token = fixture.token("dev", "openai:invoke:gpt-4o-mini", &[]).await;
    let mut flight = fixture.arrive();
    flight
        .authenticate(Some(token.token.expose()))
        .await
        .unwrap();
    flight.refused(&Refusal::new(RefusalCode::Denied, "because"));
    flight.close(End::Refused);
    let records = fixture.records().await;
    assert_eq!(intents(&records), 0);
    let outcomes = outcomes(&records);
    assert_eq!(outcomes[0].refusal, Some(RefusalCode::Denied));
    assert_eq!(outcomes[0].cause.as_deref(), Some("because"));
    assert_eq!(outcomes[0].status, Some(403));
}

#[tokio::test]
async fn strangers_are_counted_exactly_in_few_records() {
    let fixture = Fixture::new().await;
    for turn in 0..200_u8 {
        let address = IpAddr::from([192, 0, 2, turn % 3]);
        let mut flight = fixture.arrive_from(address);
        let refusal = flight.authenticate(None).await.err().unwrap();
        flight.refused(&refusal);
        flight.close(End::Refused);
    }
    fixture.guard.shut_down(std::time::Duration::ZERO).await;
    let records = fixture.records().await;
    let mut requests = 0;
    for record in &records {
        let AuditRecord::Strangers(strangers) = record else {
            panic!("{record:?}")
        };
        requests += strangers.counts.iter().map(|(_, count)| count).sum::<u64>();
    }
    assert_eq!(requests, 200);
    assert_eq!(records.len(), 3, "one record an address");
}

#[tokio::test]
async fn what_a_crash_left_open_is_closed_as_abandoned() {
    // Goal: after a crash every intent has an outcome. Method: forget a flight, as a killed process
    // does, and open the same directory again.
    let fixture = Fixture::new().await;
    let token = fixture.token("dev", "openai:invoke:gpt-4o-mini", &[]).await;
    let mut done = fixture.arrive();
    fixture
        .clear(&mut done, token.token.expose())
        .await
        .unwrap();
    done.close(End::Done);
    let mut lost = fixture.arrive();
    let request = lost.request();
    fixture
        .clear(&mut lost, token.token.expose())
        .await
        .unwrap();
    let fixture = fixture.crash(lost).await;
    let records = fixture.records().await;
    let outcomes = outcomes(&records);
    assert_eq!(outcomes.len(), 2);
    assert_eq!(
        (outcomes[1].end, outcomes[1].summary.request),
        (End::Abandoned, request)
    );
}

#[tokio::test]
async fn an_intent_is_not_settled_before_its_request_knows_where_it_is() {
    // Goal: a crash leaves no intent without an outcome, also of a request that learns late that
    // its intent is in the log. Method: one whose intent is written on behalf of another's, and
    // whose turn does not come; meanwhile the other ends, a stop does two rounds of housekeeping,
    // and a record tells the log how far all is settled. Then it goes on, and the process dies.
    let fixture = Fixture::new().await;
    let token = fixture.token("dev", "openai:invoke:gpt-4o-mini", &[]).await;
    let text = token.token.expose();
    let mut late = fixture.arrive();
    let request = late.request();
    let caller = late.authenticate(Some(text)).await.unwrap();
    let context = fixture.context(&caller, "gpt-4o-mini");
    let permit = late.authorize(&caller, &context).unwrap();
    late.limit(&caller, &permit).unwrap();
    {
        let mut clearing = Box::pin(late.clear(&caller, &permit, &context));
        let waits = poll_fn(|cx| Poll::Ready(clearing.as_mut().poll(cx).is_pending())).await;
        assert!(waits, "it lets others go first");
        let mut other = fixture.arrive();
        fixture.clear(&mut other, text).await.unwrap();
        other.close(End::Done);
        fixture.guard.shut_down(Duration::ZERO).await;
        let stop = CancellationToken::new();
        stop.cancel();
        fixture.guard.housekeeping(stop).await;
        let recorded = fixture.guard.record_system("stop", String::new()).await;
        recorded.unwrap();
        // The stop has ended its token; what matters is what stands in the log.
        drop(clearing.await);
    }
    let fixture = fixture.crash(late).await;
    let records = fixture.records().await;
    assert_eq!(intents(&records), 2);
    let abandoned = outcomes(&records)
        .into_iter()
        .filter(|outcome| outcome.end == End::Abandoned)
        .map(|outcome| outcome.summary.request);
    assert_eq!(abandoned.collect::<Vec<_>>(), [request]);
}

#[tokio::test]
async fn a_crash_gives_no_rate_back() {
    // Goal: twice the count does not pass because the process died in between. Method: a limit of
    // three, two requests before a crash, and tries after it until the window is over.
    let fixture = Fixture::new().await;
    let limit = ["requests=3/minute"];
    let token = fixture
        .token("dev", "openai:invoke:gpt-4o-mini", &limit)
        .await;
    let text = token.token.expose();
    let mut done = fixture.arrive();
    fixture.clear(&mut done, text).await.unwrap();
    done.close(End::Done);
    fixture.clock.advance(Duration::from_secs(20));
    let mut lost = fixture.arrive();
    fixture.clear(&mut lost, text).await.unwrap();
    let fixture = fixture.crash(lost).await;
    fixture.clock.advance(Duration::from_secs(30));
    let mut third = fixture.arrive();
    fixture.clear(&mut third, text).await.unwrap();
    let mut fourth = fixture.arrive();
    let refusal = fixture.clear(&mut fourth, text).await.err().unwrap();
    assert_eq!(refusal.code(), RefusalCode::RateLimited);
    let wait = refusal.retry_after_value().unwrap();
    let expected = Duration::from_secs(10);
    assert!(
        wait >= expected && wait < expected + Duration::from_secs(2),
        "{wait:?}"
    );
    fixture.clock.advance(wait);
    let mut again = fixture.arrive();
    assert!(fixture.clear(&mut again, text).await.is_ok());
}

#[tokio::test]
async fn a_token_in_an_address_does_not_reach_the_log() {
    // Goal: no spelling of a token in a path stays in the log. Method: three spellings by a
    // stranger and by the token's holder; search the encoded records for the token's secret.
    let fixture = Fixture::new().await;
    let token = fixture.token("dev", "openai:invoke:gpt-4o-mini", &[]).await;
    let text = token.token.expose();
    for path in [
        format!("/{text}"),
        format!("/x/Bearer%20{text}"),
        format!("/a,%70{}", &text[1..]),
    ] {
        let source = postern_types::Source {
            address: std::net::Ipv4Addr::LOCALHOST.into(),
            via: postern_types::SourceVia::Socket,
        };
        for presented in [None, Some(text)] {
            let opening = postern_guard::Opening {
                method: "GET",
                path: &path,
                query_names: Vec::new(),
                source,
                user_agent: None,
            };
            let mut flight = fixture.guard.arrive(&opening).unwrap();
            let refusal = match flight.authenticate(presented).await {
                Ok(_) => Refusal::new(RefusalCode::BadRequest, "as the plane would"),
                Err(refusal) => refusal,
            };
            flight.refused(&refusal);
            flight.close(End::Refused);
        }
    }
    fixture.guard.shut_down(std::time::Duration::ZERO).await;
    let records = fixture.records().await;
    assert_eq!(outcomes(&records).len(), 3);
    let said = format!("{records:?}");
    assert!(!said.contains(&text[text.len() - 40..]), "{said}");
}
