use postern_types::Secret;

use super::*;

fn map(fields: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn names(headers: &HeaderMap) -> Vec<&str> {
    let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    names
}

fn secret() -> Secret {
    Secret::from("geheim-123\n".to_owned())
}

/// What a curious client might send besides.
fn everything() -> HeaderMap {
    map(&[
        ("host", "gateway"),
        ("content-type", "application/json"),
        ("accept", "*/*"),
        ("user-agent", "sdk/1"),
        ("authorization", "Bearer mine"),
        ("x-api-key", "mine"),
        ("api-key", "mine"),
        ("x-goog-api-key", "mine"),
        ("cookie", "a=b"),
        ("accept-encoding", "gzip"),
        ("connection", "keep-alive, X-Stainless-Lang"),
        ("keep-alive", "5"),
        ("te", "trailers"),
        ("trailer", "x"),
        ("proxy-authorization", "z"),
        ("proxy-connection", "x"),
        ("transfer-encoding", "chunked"),
        ("content-length", "5"),
        ("upgrade", "h2c"),
        ("x-forwarded-for", "1.2.3.4"),
        ("x-forwarded-host", "evil"),
        ("forwarded", "for=1.2.3.4"),
        ("x-real-ip", "1.2.3.4"),
        ("via", "1.1 me"),
        ("x-http-method-override", "DELETE"),
        ("postern-principal", "user:root"),
        ("openai-organization", "org-evil"),
        ("openai-project", "proj-evil"),
        ("openai-beta", "assistants=v2"),
        ("anthropic-version", "2023-06-01"),
        ("anthropic-beta", "x"),
        ("x-goog-api-client", "genai/1"),
        ("x-goog-user-project", "evil"),
        ("x-stainless-lang", "python"),
        ("x-stainless-os", "Linux"),
        ("x-custom", "1"),
        ("if-none-match", "\"1\""),
    ])
}

#[test]
fn only_the_closed_list_goes_upstream() {
    // Goal: for each kind, exactly these fields leave. Method: one request with everything in it.
    let common = ["accept", "accept-encoding", "content-type", "user-agent"];
    let rows: [(UpstreamKind, &[&str]); 5] = [
        (
            UpstreamKind::OpenAi,
            &["authorization", "openai-beta", "x-stainless-os"],
        ),
        (
            UpstreamKind::AzureOpenAi,
            &["api-key", "openai-beta", "x-stainless-os"],
        ),
        (
            UpstreamKind::Anthropic,
            &[
                "anthropic-beta",
                "anthropic-version",
                "x-api-key",
                "x-stainless-os",
            ],
        ),
        (
            UpstreamKind::Gemini,
            &["x-goog-api-client", "x-goog-api-key", "x-stainless-os"],
        ),
        (
            UpstreamKind::Http,
            &["authorization", "connection", "if-none-match", "te"],
        ),
    ];
    for (kind, own) in rows {
        let credential = UpstreamCredential::for_kind(kind, &secret()).unwrap();
        let headers = outbound(kind, &everything(), &[], &credential);
        let mut wanted: Vec<&str> = common.iter().chain(own).copied().collect();
        wanted.sort_unstable();
        assert_eq!(names(&headers), wanted, "{kind}");
        assert!(
            !headers
                .values()
                .any(|value| value.as_bytes().ends_with(b"mine")),
            "{kind}"
        );
        assert_eq!(headers["accept-encoding"], "identity");
    }
}

#[test]
fn a_grant_opens_a_field_but_never_a_barred_one() {
    let allowed: Vec<Arc<str>> = [
        "x-custom",
        "connection",
        "authorization",
        "x-forwarded-for",
        "postern-principal",
        "te",
    ]
    .map(Arc::from)
    .to_vec();
    let headers = outbound(
        UpstreamKind::Http,
        &everything(),
        &allowed,
        &UpstreamCredential::none(),
    );
    let wanted = [
        "accept",
        "accept-encoding",
        "connection",
        "content-type",
        "if-none-match",
        "te",
        "user-agent",
        "x-custom",
    ];
    assert_eq!(names(&headers), wanted);
    // Of its own hop, the gateway asks for trailers where the client does.
    assert_eq!(
        (&headers["connection"], &headers["te"]),
        (&"te".parse().unwrap(), &"trailers".parse().unwrap())
    );
    // A field that the client nominates for this hop does not pass either.
    let mut arrived = everything();
    arrived.append(
        CONNECTION,
        HeaderValue::from_static("close, x-CUSTOM , accept"),
    );
    let headers = outbound(
        UpstreamKind::Http,
        &arrived,
        &allowed,
        &UpstreamCredential::none(),
    );
    assert!(!headers.contains_key("x-custom") && !headers.contains_key("accept"));
}

#[test]
fn credentials_stand_where_each_api_expects_them() {
    let value = |kind: UpstreamKind, name: &str| {
        let mut headers = HeaderMap::new();
        UpstreamCredential::for_kind(kind, &secret())
            .unwrap()
            .put(&mut headers);
        assert!(headers[name].is_sensitive());
        headers[name].to_str().unwrap().to_owned()
    };
    assert_eq!(
        value(UpstreamKind::OpenAi, "authorization"),
        "Bearer geheim-123"
    );
    assert_eq!(value(UpstreamKind::AzureOpenAi, "api-key"), "geheim-123");
    assert_eq!(value(UpstreamKind::Anthropic, "x-api-key"), "geheim-123");
    assert_eq!(value(UpstreamKind::Gemini, "x-goog-api-key"), "geheim-123");
    assert_eq!(
        value(UpstreamKind::Http, "authorization"),
        "Bearer geheim-123"
    );
}

#[test]
fn templates_set_several_fields() {
    let template = |name: &str, value: &str| HeaderTemplate {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    let lay_out = |templates: &[HeaderTemplate], secret: Option<&Secret>| {
        UpstreamCredential::lay_out(UpstreamKind::Http, templates, secret)
    };
    let parse = [
        template("X-Parse-Application-Id", "notes"),
        template("X-Parse-Master-Key", "{credential}"),
    ];
    let credential = lay_out(&parse, Some(&secret())).unwrap();
    let mut headers = HeaderMap::new();
    credential.put(&mut headers);
    assert_eq!(
        names(&headers),
        ["x-parse-application-id", "x-parse-master-key"]
    );
    assert_eq!(headers["x-parse-master-key"], "geheim-123");
    assert!(!format!("{credential:?}").contains("geheim"));

    // A template that does not mention the credential leaves it where it belongs.
    let credential = lay_out(&parse[..1], Some(&secret())).unwrap();
    let mut headers = HeaderMap::new();
    credential.put(&mut headers);
    assert_eq!(names(&headers), ["authorization", "x-parse-application-id"]);

    for (bad, secret) in [
        (template("host", "x"), Some(secret())),
        (template("connection", "x"), Some(secret())),
        (template("content-length", "1"), Some(secret())),
        (template("not a name", "x"), Some(secret())),
        (template("x-key", "a\r\nb"), Some(secret())),
        (template("x-key", "{credential}"), None),
        (
            template("x-key", "{credential}"),
            Some(Secret::from("a\nb".to_owned())),
        ),
        (
            template("x-key", "{credential}"),
            Some(Secret::from(" ".to_owned())),
        ),
    ] {
        let error = lay_out(std::slice::from_ref(&bad), secret.as_ref()).unwrap_err();
        assert!(!error.to_string().contains("geheim"), "{error}");
    }
}

#[test]
fn answers_lose_what_is_not_for_the_client() {
    let answer = || {
        map(&[
            ("content-type", "application/json"),
            ("content-length", "5"),
            ("connection", "close, x-hop"),
            ("x-hop", "1"),
            ("keep-alive", "timeout=5"),
            ("transfer-encoding", "chunked"),
            ("trailer", "x-sum"),
            ("upgrade", "h2c"),
            ("proxy-authenticate", "Basic"),
            ("alt-svc", "h3=\":443\""),
            ("strict-transport-security", "max-age=1"),
            ("set-cookie", "__cf_bm=1"),
            ("openai-organization", "acme"),
            ("postern-request-id", "forged"),
            ("postern-refusal", "denied"),
            ("x-request-id", "req_1"),
            ("retry-after", "3"),
        ])
    };
    let mut headers = answer();
    inbound(UpstreamKind::OpenAi, &mut headers, false);
    let kept = [
        "content-length",
        "content-type",
        "retry-after",
        "x-request-id",
    ];
    assert_eq!(names(&headers), kept);
    let mut headers = answer();
    inbound(UpstreamKind::Http, &mut headers, true);
    let kept = [
        "content-length",
        "content-type",
        "openai-organization",
        "retry-after",
        "set-cookie",
        "trailer",
        "x-request-id",
    ];
    assert_eq!(names(&headers), kept);
}

#[test]
fn nothing_that_describes_the_old_bytes_stays() {
    let names = [
        "content-length",
        "etag",
        "last-modified",
        "accept-ranges",
        "digest",
        "content-digest",
        "repr-digest",
        "content-md5",
    ];
    let mut headers = HeaderMap::new();
    for name in names {
        headers.insert(name, HeaderValue::from_static("1"));
    }
    headers.insert("content-type", HeaderValue::from_static("text/plain"));
    forget_bytes(&mut headers);
    assert_eq!(headers.len(), 1);
}
