//! How answers are read, and what happens past each bound: nothing is told, so nothing passes.

use postern_testkit::{Answer, ReplayUpstream, analyzer};

use super::*;
use crate::own_machine::Reach;

#[test]
fn answers_are_read_strictly() {
    let good =
        br#"[{"entity_type":"PERSON","start":1,"end":4,"score":0.85,"analysis_explanation":null},
        {"entity_type":"NRP","start":0,"end":1,"score":1},
        {"entity_type":"ORG","start":5,"end":6,"score":1.0}]"#;
    let read = spans(good).unwrap();
    assert_eq!(read.len(), 2);
    assert_eq!(
        (read[0].class, read[0].confidence),
        (BuiltinClass::Person, 85)
    );
    assert_eq!(
        (read[1].class, read[1].confidence),
        (BuiltinClass::Organization, 100)
    );
    for odd in [
        "",
        "{}",
        r#"{"error":"x"}"#,
        r#"[{"entity_type":"PERSON","start":1,"end":4}]"#,
        r#"[{"entity_type":"PERSON","start":-1,"end":4,"score":1}]"#,
        r#"[{"entity_type":"PERSON","start":1,"end":4,"score":7}]"#,
        r#"[{"entity_type":"PERSON","start":1.5,"end":4,"score":1}]"#,
        "[1]",
    ] {
        assert!(spans(odd.as_bytes()).is_err(), "{odd}");
    }
}

#[test]
fn scores_are_percentages() {
    let cases = [
        (0.0, Some(0)),
        (0.5, Some(50)),
        (0.849_999, Some(85)),
        (1.0, Some(100)),
    ];
    for (score, expected) in cases {
        assert_eq!(percent(score), expected, "{score}");
    }
    assert_eq!(percent(1.2), None);
    assert_eq!(percent(-0.1), None);
}

/// An analyzer at this address that has so long for all that is asked at once.
fn within(upstream: &ReplayUpstream, total: Duration) -> Analyzer {
    let settings = AnalyzerSettings {
        endpoint: Endpoint::parse(&upstream.url(), None, Reach::Anywhere).unwrap(),
        timeout: Duration::from_secs(20),
        language: "en".to_owned(),
        score_min: 35,
        counts: Arc::default(),
    };
    Analyzer {
        total,
        ..Analyzer::new(Arc::new(settings), UpstreamBounds::default())
    }
}

fn pieces(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("Zoë {number}")).collect()
}

const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(20);

/// Goal: an analyzer that answers each question in time, but not all of them, tells nothing.
/// Each question that was asked is counted, and those that were given up as failed. Method: one of
/// several questions is never answered; then as many as are asked at once, with one behind them;
/// then one fails while others are under way.
#[tokio::test]
async fn what_takes_too_long_in_all_is_not_told() {
    let upstream = analyzer::start(&[("Zoë", "PERSON")]).unwrap();
    upstream.queue(Answer::silent());
    let analyzer = within(&upstream, SHORT);
    let asked = analyzer.ask(pieces(3), true).await;
    assert_eq!(asked.unwrap_err().code(), RefusalCode::CannotInspect);
    let counts = &analyzer.settings.counts;
    assert_eq!(counts.calls(), 3);
    assert!((1..=3).contains(&counts.failures()), "{counts:?}");
    let all = within(&upstream, SHORT);
    for _ in 0..ANALYZER_CALLS_MAX {
        upstream.queue(Answer::silent());
    }
    assert!(all.ask(pieces(ANALYZER_CALLS_MAX + 1), true).await.is_err());
    let counts = &all.settings.counts;
    let expected = ANALYZER_CALLS_MAX as u64;
    assert_eq!((counts.calls(), counts.failures()), (expected, expected));
    let one_fails = within(&upstream, LONG);
    upstream.queue(Answer::new(503, "text/plain", ""));
    for _ in 1..ANALYZER_CALLS_MAX {
        upstream.queue(Answer::silent());
    }
    assert!(
        one_fails
            .ask(pieces(ANALYZER_CALLS_MAX), true)
            .await
            .is_err()
    );
    let counts = &one_fails.settings.counts;
    assert_eq!((counts.calls(), counts.failures()), (expected, expected));
    upstream.queue(Answer::silent());
    let asked = within(&upstream, SHORT).ask(pieces(3), false).await;
    assert!(asked.unwrap().iter().all(|(_, spans)| spans.is_empty()));
}

/// Goal: beyond the places of a core a question waits, and one that waits too long is not taken
/// for answered. Method: all places are taken, then one is given back.
#[tokio::test]
async fn a_question_without_a_place_is_not_asked_and_not_passed() {
    let upstream = analyzer::start(&[("Zoë", "PERSON")]).unwrap();
    let mut analyzer = within(&upstream, SHORT);
    let all = u32::try_from(ANALYZER_CORE_CALLS_MAX).unwrap();
    let taken = analyzer.places.acquire_many(all).await.unwrap();
    assert!(
        analyzer.places.try_acquire().is_err(),
        "so many and no more"
    );
    let asked = analyzer.ask(pieces(1), true).await;
    assert_eq!(asked.unwrap_err().code(), RefusalCode::CannotInspect);
    assert!(upstream.take_requests().is_empty());
    drop(taken);
    analyzer.total = LONG;
    let answers = analyzer.ask(pieces(100), true).await.unwrap();
    assert!(answers.iter().all(|(_, spans)| spans.len() == 1));
    assert_eq!(answers.len(), 100);
}

/// Goal: an answer that is larger than any real one is none.
#[tokio::test]
async fn an_answer_that_is_too_large_is_not_read() {
    let upstream = analyzer::start(&[]).unwrap();
    let one = json!({"entity_type": "PERSON", "start": 0, "end": 1, "score": 1});
    let many = vec![one; ANALYZER_ANSWER_BYTES_MAX / 40];
    upstream.queue(Answer::json(200, &Value::Array(many)));
    let asked = within(&upstream, LONG).ask(pieces(1), true).await;
    assert_eq!(asked.unwrap_err().code(), RefusalCode::CannotInspect);
}
