use std::fmt::Write as _;
use std::num::NonZeroU32;

use http_body_util::BodyExt as _;
use postern_types::RateWindow;

use super::*;

fn request() -> RequestId {
    RequestId::parse("01234567-89ab-7cde-8f01-23456789abcd").unwrap()
}

fn body(response: Response<Full<Bytes>>) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let body = runtime
        .block_on(response.into_body().collect())
        .unwrap()
        .to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

fn requests(count: u32) -> Limit {
    Limit::Requests {
        count: NonZeroU32::new(count).unwrap(),
        window: RateWindow::Minute,
    }
}

/// A refusal of a code, with what usually comes with it.
fn example(code: RefusalCode) -> (Refusal, Challenge) {
    let refusal = Refusal::new(code, "SECRET CAUSE");
    match code {
        RefusalCode::RateLimited => {
            let notice = RateNotice {
                limit: requests(100),
                remaining: 0,
                reset_seconds: 30,
            };
            let refusal = refusal
                .with_limit(notice)
                .retry_after(Duration::from_millis(600));
            (refusal, Challenge::Invalid)
        }
        RefusalCode::TooManyConcurrent => {
            let limit = Limit::Concurrency {
                count: NonZeroU32::new(5).unwrap(),
            };
            let notice = RateNotice {
                limit,
                remaining: 0,
                reset_seconds: 0,
            };
            (refusal.with_limit(notice), Challenge::Invalid)
        }
        RefusalCode::Unauthenticated => (refusal, Challenge::Missing),
        RefusalCode::Denied => (refusal, Challenge::Scope),
        _ => (refusal, Challenge::Invalid),
    }
}

/// Head and body as text, headers in the order of their names.
fn shown(refusal: &Refusal, challenge: Challenge, dialect: Dialect) -> String {
    let response = render(refusal, challenge, dialect, &request(), false);
    let mut text = format!("{}\n", response.status());
    let mut fields: Vec<_> = response.headers().iter().collect();
    fields.sort_by_key(|(name, _)| name.as_str());
    for (name, value) in fields {
        writeln!(text, "{name}: {}", value.to_str().unwrap()).unwrap();
    }
    format!("{text}\n{}\n", body(response))
}

#[test]
fn each_code_has_its_answer_in_each_dialect() {
    // Goal: what clients see is changed knowingly. Method: every code and dialect beside its golden
    // file; the cause is nowhere.
    let dialects = [
        ("openai", Dialect::OpenAi),
        ("anthropic", Dialect::Anthropic),
        ("gemini", Dialect::Gemini),
        ("http", Dialect::Http),
    ];
    for (name, dialect) in dialects {
        let mut text = String::new();
        for code in RefusalCode::ALL {
            let (refusal, challenge) = example(*code);
            let answer = shown(&refusal, challenge, dialect);
            assert!(!answer.contains("SECRET"), "{answer}");
            writeln!(text, "=== {code}\n{answer}").unwrap();
            if dialect == Dialect::OpenAi {
                let azure = shown(&refusal, challenge, Dialect::AzureOpenAi);
                assert_eq!(answer, azure, "Azure speaks as OpenAI does");
            }
        }
        insta::with_settings!({
            snapshot_path => "../../tests/golden",
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(format!("refusals-{name}"), text);
        });
    }
}

#[test]
fn challenges_follow_rfc_6750() {
    let challenge = |code, challenge| {
        let response = render(
            &Refusal::new(code, ""),
            challenge,
            Dialect::Http,
            &request(),
            false,
        );
        let value = response.headers().get(WWW_AUTHENTICATE);
        value.map(|value| value.to_str().unwrap().to_owned())
    };
    let bearer = |error: &str| Some(format!(r#"Bearer realm="postern"{error}"#));
    use RefusalCode as C;
    // Section 3.1: no error where no credential came.
    assert_eq!(
        challenge(C::Unauthenticated, Challenge::Missing),
        bearer("")
    );
    let invalid = bearer(r#", error="invalid_token""#);
    assert_eq!(challenge(C::Unauthenticated, Challenge::Invalid), invalid);
    assert_eq!(challenge(C::Revoked, Challenge::Invalid), invalid);
    let narrow = bearer(r#", error="insufficient_scope""#);
    assert_eq!(challenge(C::Denied, Challenge::Scope), narrow);
    let malformed = bearer(r#", error="invalid_request""#);
    assert_eq!(challenge(C::BadRequest, Challenge::Request), malformed);
    assert_eq!(challenge(C::BadRequest, Challenge::None), None);
    assert_eq!(challenge(C::DataBlocked, Challenge::Invalid), None);
    assert_eq!(challenge(C::RateLimited, Challenge::Invalid), None);
}

#[test]
fn limits_are_said_in_structured_fields() {
    let mut headers = HeaderMap::new();
    let notice = RateNotice {
        limit: requests(100),
        remaining: 7,
        reset_seconds: 12,
    };
    rate_fields(&notice, &mut headers);
    assert_eq!(headers["ratelimit-policy"], r#""requests";q=100;w=60"#);
    assert_eq!(headers["ratelimit"], r#""requests";r=7;t=12"#);
    let limit = Limit::Concurrency {
        count: NonZeroU32::new(5).unwrap(),
    };
    rate_fields(
        &RateNotice {
            limit,
            remaining: 0,
            reset_seconds: 0,
        },
        &mut headers,
    );
    assert_eq!(
        headers["ratelimit-policy"],
        r#""concurrency";q=5;qu="concurrent-requests""#
    );
    assert_eq!(headers["ratelimit"], r#""concurrency";r=0"#);
    assert_eq!(headers.len(), 2);
}

#[test]
fn trying_again_is_never_said_too_early() {
    let after = |refusal: &Refusal| {
        let response = render(refusal, Challenge::None, Dialect::Http, &request(), false);
        let value = response.headers().get(RETRY_AFTER);
        value.map(|value| value.to_str().unwrap().to_owned())
    };
    let limited = Refusal::new(RefusalCode::RateLimited, "");
    assert_eq!(
        after(&limited.clone().retry_after(Duration::from_millis(1))).unwrap(),
        "1"
    );
    assert_eq!(
        after(&limited.clone().retry_after(Duration::from_millis(1001))).unwrap(),
        "2"
    );
    assert_eq!(after(&limited.retry_after(Duration::ZERO)).unwrap(), "1");
    assert_eq!(after(&Refusal::new(RefusalCode::Denied, "")), None);
    assert_eq!(
        after(&Refusal::new(RefusalCode::ShuttingDown, "")).unwrap(),
        "5"
    );
}

#[test]
fn an_answer_to_head_has_no_body() {
    let refusal = Refusal::new(RefusalCode::Denied, "");
    let response = render(
        &refusal,
        Challenge::Scope,
        Dialect::OpenAi,
        &request(),
        true,
    );
    assert_eq!(response.headers()["postern-refusal"], "denied");
    assert_eq!(body(response), "");
}
