//! What one decision costs: `cargo run --profile quick -p postern-policy --example authorize_rate`.
//!
//! One thread, warm, in-process: the evaluation of both layers and the permit. Prints the
//! microseconds of each kind of request, in the best of many short batches.

use std::error::Error;
use std::hint::black_box;
use std::io::Write as _;
use std::time::Instant;

use postern_policy::{GuardRails, PolicySource, TokenGrants, UpstreamRules, authorize};
use postern_types::{
    AiRequest, CanonicalPath, EnvName, Grant, Operation, PolicyName, Principal, PrincipalId,
    RequestContext, Source, SourceVia, Subject, TokenId, UpstreamKind, UpstreamName,
};

const BATCHES: u32 = 400;
const ROUNDS: u32 = 100;

const ALLOW_ALL: &str = "permit(principal, action, resource);";

const TYPICAL: &str = r#"
    permit(principal, action, resource);
    forbid(principal, action in Postern::Action::"invoke", resource is Postern::Model)
    when { context.model like "*-preview" };
    forbid(principal, action, resource)
    unless { context.source.isInRange(ip("192.0.2.0/24")) };
"#;

const HIERARCHY: &str = r#"
    permit(principal in Postern::Team::"search", action, resource);
    forbid(principal, action, resource in Postern::Upstream::"restricted")
    unless { principal.kind == "service" && context.time < datetime("2027-01-01") };
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let dev = EnvName::parse("dev")?;
    let rails = |text: &str| -> Result<GuardRails, Box<dyn Error>> {
        let source = PolicySource {
            name: PolicyName::parse("rails")?,
            text: text.to_owned(),
        };
        Ok(GuardRails::compile(&dev, &[source])?)
    };
    let texts = [
        (
            "openai:invoke:gpt-4o-mini,text-embedding-3-*",
            UpstreamKind::OpenAi,
        ),
        (
            "notes:call:GET|HEAD /classes/Note/{id}?limit&skip,GET /classes/Note",
            UpstreamKind::Http,
        ),
    ];
    let granted = texts
        .map(|(text, kind)| Grant::parse(text)?.expand(kind))
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;
    let grants = TokenGrants::compile(&dev, &granted)?;

    let rules = UpstreamRules::default();
    let mut out = std::io::stdout().lock();
    let requests = [("AI", ai_request(&dev)?), ("HTTP", http_request(&dev)?)];
    for (name, text) in [
        ("allow-all", ALLOW_ALL),
        ("typical", TYPICAL),
        ("hierarchy", HIERARCHY),
    ] {
        let rails = rails(text)?;
        for (kind, request) in &requests {
            authorize(&rails, &grants, request, &rules)?;
            let each = microseconds(ROUNDS, || {
                drop(black_box(authorize(&rails, &grants, request, &rules)));
            });
            writeln!(
                out,
                "{kind:<5} {name:<10} {each:>8.2} µs  {:>9.0}/s",
                1e6 / each
            )?;
        }
    }
    let each = microseconds(2, || {
        drop(black_box(TokenGrants::compile(&dev, &granted)));
    });
    writeln!(out, "compile the grants of a token  {each:>8.1} µs")?;
    let each = microseconds(1, || drop(black_box(rails(TYPICAL))));
    writeln!(out, "compile and validate rails     {each:>8.1} µs")?;
    Ok(())
}

/// The best of many short batches: what the work costs when nothing interrupts it.
fn microseconds(rounds: u32, mut work: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..BATCHES {
        let start = Instant::now();
        for _ in 0..rounds {
            work();
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e6 / f64::from(rounds));
    }
    best
}

fn ai_request(environment: &EnvName) -> Result<RequestContext, Box<dyn Error>> {
    Ok(RequestContext {
        upstream: UpstreamName::parse("openai")?,
        upstream_kind: UpstreamKind::OpenAi,
        ai: Some(AiRequest {
            operation: Operation::ChatCompletions,
            model: Some("gpt-4o-mini".into()),
            stream: true,
            output_cap: Some(256),
            text_bytes: 1_000,
        }),
        method: "POST".into(),
        path: CanonicalPath::parse("/v1/chat/completions")?,
        query: Vec::new(),
        body_bytes: Some(1_200),
        ..http_request(environment)?
    })
}

fn http_request(environment: &EnvName) -> Result<RequestContext, Box<dyn Error>> {
    Ok(RequestContext {
        now: "2026-03-01T12:00:00Z".parse()?,
        subject: Subject {
            environment: environment.clone(),
            token: TokenId::parse("0123456789abcdEF")?,
            issued_at: "2026-02-01T12:00:00Z".parse()?,
            principal: Principal {
                id: PrincipalId::parse("service:web")?,
                team: Some("search".to_owned()),
                tenant: None,
            },
        },
        upstream: UpstreamName::parse("notes")?,
        upstream_kind: UpstreamKind::Http,
        ai: None,
        method: "GET".into(),
        path: CanonicalPath::parse("/classes/Note/1")?,
        query: vec![("limit".to_owned(), "10".to_owned())],
        headers: ["accept", "user-agent", "content-type"]
            .map(Into::into)
            .to_vec(),
        json_body: None,
        body_bytes: Some(0),
        source: Source {
            address: "192.0.2.7".parse()?,
            via: SourceVia::Socket,
        },
        tls: true,
    })
}
