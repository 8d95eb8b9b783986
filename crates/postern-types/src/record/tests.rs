use std::net::Ipv4Addr;

use super::*;
use crate::{BuiltinClass, DataAction, Direction, RuleName, SourceVia};

fn summary() -> RequestSummary {
    RequestSummary {
        request: RequestId::new(1_700_000_000_000, &[3; 10]),
        arrived_ms: 1_700_000_000_000,
        environment: Some(EnvName::parse("dev").unwrap()),
        token: Some(TokenId::parse("0123456789abcdef").unwrap()),
        principal: Some(PrincipalId::parse("service:web").unwrap()),
        source: Source {
            address: Ipv4Addr::LOCALHOST.into(),
            via: SourceVia::Socket,
        },
        method: "POST".into(),
        path: "/openai/v1/chat/completions".into(),
        query_names: vec![],
        upstream: Some(UpstreamName::parse("openai").unwrap()),
        upstream_kind: Some(UpstreamKind::OpenAi),
        operation: Some(Operation::ChatCompletions),
        model: Some("gpt-4o-mini".into()),
        stream: true,
        user_agent: None,
    }
}

fn outcome() -> AuditRecord {
    AuditRecord::Outcome(OutcomeRecord {
        summary: summary().into(),
        end: End::Done,
        status: Some(200),
        refusal: None,
        cause: None,
        upstream_status: Some(200),
        request_bytes: 10,
        response_bytes: 20,
        usage: Some(Usage {
            input_uncached: 3,
            ..Usage::default()
        }),
        response_model: None,
        timing: Timing::default(),
        findings: vec![Finding {
            class: BuiltinClass::Email.into(),
            direction: Direction::Response,
            action: DataAction::KeepLast(4),
            rule: RuleName::parse("people").unwrap(),
            dry_run: false,
            place: "choices.message.content".into(),
            count: 3,
        }],
    })
}

#[test]
fn records_read_back() {
    let at = Timestamp::from_millisecond(1_700_000_000_500).unwrap();
    let (header, body) = outcome().encode(at);
    assert_eq!(AuditRecord::decode(&body).unwrap(), outcome());
    let header = RecordHeader::decode(&header).unwrap();
    assert_eq!(
        (header.kind, header.status),
        (RecordKind::Outcome, Some(200))
    );
    assert_eq!(header.at_ms, 1_700_000_000_500);
}

#[test]
fn bodies_of_the_first_version_are_read() {
    // Goal: logs written before findings existed stay readable. Method: an outcome with its fields
    // in the order and with the version byte of then.
    let AuditRecord::Outcome(now) = outcome() else {
        panic!("an outcome")
    };
    let then = first::Outcome {
        summary: now.summary.clone(),
        end: now.end,
        status: now.status,
        refusal: now.refusal,
        cause: now.cause.clone(),
        upstream_status: now.upstream_status,
        request_bytes: now.request_bytes,
        response_bytes: now.response_bytes,
        usage: now.usage,
        response_model: now.response_model.clone(),
        timing: now.timing,
    };
    let body = write(1, &first::Plain::Outcome(then), 0);
    let bare = OutcomeRecord {
        findings: Vec::new(),
        ..now
    };
    assert_eq!(AuditRecord::decode(&body), Ok(AuditRecord::Outcome(bare)));
    let system = SystemRecord {
        event: "start".into(),
        detail: String::new(),
    };
    let body = write(1, &first::Plain::System(system.clone()), 0);
    assert_eq!(AuditRecord::decode(&body), Ok(AuditRecord::System(system)));
}

#[test]
fn the_clear_header_names_nobody() {
    // Goal: nothing personal is in the clear part. Method: search it for the body's texts.
    let (header, _) = outcome().encode(Timestamp::UNIX_EPOCH);
    let text = String::from_utf8_lossy(&header);
    for personal in [
        "service:web",
        "0123456789abcdef",
        "chat/completions",
        "gpt-4o-mini",
    ] {
        assert!(!text.contains(personal), "{personal}");
    }
}

#[test]
fn other_versions_and_noise_are_errors() {
    assert_eq!(
        AuditRecord::decode(&[9, 0]),
        Err(DecodeRecordError::Version(9))
    );
    assert_eq!(AuditRecord::decode(&[]), Err(DecodeRecordError::Malformed));
    assert_eq!(
        AuditRecord::decode(&[1, 200, 200]),
        Err(DecodeRecordError::Malformed)
    );
}

/// The words of an enum, in the order of the numbers that records have for them.
fn numbered<T: serde::Serialize>(all: &[T]) -> String {
    let word = |(number, value): (usize, &T)| {
        let written = postcard::to_allocvec(value).unwrap();
        assert_eq!(written, [u8::try_from(number).unwrap()], "out of order");
        serde_json::to_string(value).unwrap().replace('"', "")
    };
    let words: Vec<String> = all.iter().enumerate().map(word).collect();
    words.join(" ")
}

#[test]
fn what_logs_hold_keeps_its_number() {
    // Goal: an old log is never read as saying something else, because a variant came in between.
    // Method: the numbers of all that records hold, against what they were. Only add at the end.
    let kinds = [
        RecordKind::Intent,
        RecordKind::Outcome,
        RecordKind::Admin,
        RecordKind::Strangers,
        RecordKind::System,
    ];
    assert_eq!(numbered(&kinds), "intent outcome admin strangers system");
    assert_eq!(
        numbered(End::ALL),
        "done refused upstream_reset upstream_timed_out client_gone revoked shutdown panic \
         abandoned expired"
    );
    assert_eq!(
        numbered(RefusalCode::ALL),
        "unauthenticated denied unknown_upstream unknown_operation unknown_model \
         bad_request body_too_large unsupported rate_limited too_many_concurrent \
         budget_exhausted data_blocked cannot_inspect revoked upstream_unreachable \
         upstream_timeout upstream_protocol audit_unavailable store_unavailable \
         overloaded shutting_down internal"
    );
    assert_eq!(
        numbered(&UpstreamKind::ALL),
        "openai azure-openai anthropic gemini http"
    );
    assert_eq!(
        numbered(&Operation::ALL),
        "chat_completions responses embeddings list_models show_model moderations \
         messages count_tokens generate_content stream_generate_content"
    );
    let ways = [Direction::Request, Direction::Response];
    assert_eq!(numbered(&ways), "request response");
    assert_eq!(
        numbered(&[SourceVia::Socket, SourceVia::TrustedProxy]),
        "socket trusted_proxy"
    );
}
