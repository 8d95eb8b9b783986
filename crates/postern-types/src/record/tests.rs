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
