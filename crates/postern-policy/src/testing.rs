//! Requests, guard-rails and grants for the tests of this crate.

use postern_types::{
    AiRequest, CanonicalPath, EnvName, Grant, Operation, PolicyName, Principal, PrincipalId,
    RequestContext, Source, SourceVia, Subject, TokenId, UpstreamKind, UpstreamName,
};

use crate::{GuardRails, PolicySource, TokenGrants};

pub(crate) const ALLOW_ALL: &str = "permit(principal, action, resource);";

pub(crate) fn env(name: &str) -> EnvName {
    EnvName::parse(name).expect("a test writes good names")
}

pub(crate) fn source(name: &str, text: &str) -> PolicySource {
    let name = PolicyName::parse(name).expect("a test writes good names");
    PolicySource {
        name,
        text: text.to_owned(),
    }
}

/// Guard-rails of environment `dev` with these texts.
pub(crate) fn rails(texts: &[&str]) -> GuardRails {
    let sources: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(at, text)| source(&format!("p{at}"), text))
        .collect();
    GuardRails::compile(&env("dev"), &sources).unwrap_or_else(|error| panic!("{error}"))
}

/// Grants of environment `dev` in their command-line or JSON form, each for an upstream of the kind
/// that its action fits.
pub(crate) fn grants(texts: &[&str]) -> TokenGrants {
    let grants: Vec<Grant> = texts.iter().map(|text| grant(text)).collect();
    let compiled =
        TokenGrants::compile(&env("dev"), &grants).unwrap_or_else(|error| panic!("{error}"));
    compiled
        .validate()
        .unwrap_or_else(|error| panic!("{error}\n{}", compiled.cedar_text()));
    compiled
}

pub(crate) fn grant(text: &str) -> Grant {
    let grant = Grant::parse(text).unwrap_or_else(|error| panic!("{error}"));
    let kind = match &grant.actions {
        postern_types::Rights::Invoke(_) => UpstreamKind::OpenAi,
        postern_types::Rights::Call { .. } => UpstreamKind::Http,
    };
    grant.expand(kind).unwrap_or_else(|error| panic!("{error}"))
}

/// `GET /classes/Note/1?limit=1` and the like, at upstream `notes` of `dev`.
pub(crate) fn call(line: &str) -> RequestContext {
    let (method, target) = line.split_once(' ').expect("a method and a target");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pair = |text: &str| {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        (name.to_owned(), value.to_owned())
    };
    RequestContext {
        now: "2026-03-01T12:00:00.25Z".parse().expect("a time"),
        subject: subject(),
        upstream: UpstreamName::parse("notes").expect("a name"),
        upstream_kind: UpstreamKind::Http,
        ai: None,
        method: method.into(),
        path: CanonicalPath::parse(path).expect("a test writes good paths"),
        query: query
            .split('&')
            .filter(|text| !text.is_empty())
            .map(pair)
            .collect(),
        headers: vec!["accept".into(), "content-type".into()],
        json_body: None,
        body_bytes: Some(0),
        source: Source {
            address: "192.0.2.7".parse().expect("an address"),
            via: SourceVia::Socket,
        },
        tls: true,
    }
}

/// A request with a JSON body.
pub(crate) fn call_with(line: &str, body: &str) -> RequestContext {
    RequestContext {
        json_body: Some(body.as_bytes().to_vec()),
        body_bytes: Some(body.len() as u64),
        ..call(line)
    }
}

/// An operation on a model at upstream `openai` of `dev`; the empty model for the list.
pub(crate) fn invoke(operation: Operation, model: &str) -> RequestContext {
    RequestContext {
        upstream: UpstreamName::parse("openai").expect("a name"),
        upstream_kind: UpstreamKind::OpenAi,
        ai: Some(AiRequest {
            operation,
            model: (!model.is_empty()).then(|| model.into()),
            stream: true,
            output_cap: Some(256),
            text_bytes: 1_000,
        }),
        body_bytes: Some(1_200),
        ..call("POST /v1/chat/completions")
    }
}

pub(crate) fn subject() -> Subject {
    Subject {
        environment: env("dev"),
        token: TokenId::parse("0123456789abcdEF").expect("an id"),
        issued_at: "2026-02-01T12:00:00Z".parse().expect("a time"),
        principal: Principal {
            id: PrincipalId::parse("service:web").expect("a principal"),
            team: Some("search".to_owned()),
            tenant: Some("acme".to_owned()),
        },
    }
}

/// Each action once with everything that is optional, and once without.
pub(crate) fn every_kind_of_request() -> Vec<RequestContext> {
    let mut requests = vec![call("GET /"), call("GET /a/b%20c/?x=1&x=2&y")];
    for operation in Operation::ALL {
        let model = if operation.names_model() {
            "gpt-4o"
        } else {
            ""
        };
        requests.push(invoke(operation, model));
    }
    for mut bare in requests.clone() {
        bare.body_bytes = None;
        bare.source.address = "2001:db8::1".parse().expect("an address");
        bare.source.via = SourceVia::TrustedProxy;
        if let Some(ai) = &mut bare.ai {
            ai.output_cap = None;
            ai.text_bytes = u64::MAX;
        }
        requests.push(bare);
    }
    requests
}
