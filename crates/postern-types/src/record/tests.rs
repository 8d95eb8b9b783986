use std::net::Ipv4Addr;

use super::*;
use crate::SourceVia;

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
        summary: summary(),
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
