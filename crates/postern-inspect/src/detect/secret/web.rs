//! Credentials in addresses, headers and connection strings, and JSON Web Tokens.
//!
//! In an address the value is `user:password`, so that scheme and host stay readable.

use postern_types::BuiltinClass::{
    ApiKey, BasicAuth, CloudCredential, ConnectionString, GenericSecret, Jwt,
};

use super::placeholder::stands_for_something;
use super::{Detector, Edges, Needs, checksum, entropy};

/// The table.
pub(super) const DETECTORS: &[Detector] = &[
    Detector::new(
        "json_web_token",
        Jwt,
        Needs::Literal(&["eyJ", "ewog", "ewoJ", "ewoi", "eyAi"]),
        concat!(
            r"e[yw][A-Za-z0-9_-]{14,}={0,2}\.[A-Za-z0-9_-]{8,}={0,2}",
            r"(?:\.[A-Za-z0-9_-]{0,})?(?:\.[A-Za-z0-9_-]{1,}\.[A-Za-z0-9_-]{1,})?={0,2}",
        ),
    )
    .edges(Edges::Word)
    .check(is_jwt)
    .sure(98)
    .open_ended()
    .examples(
        &[
            "Bearer ⟦eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiIsIm4iOjF9.k3x9Qv2Lm7Tz4Wr8Np5Yb1Cs6H⟧",
            "⟦eyJhbGciOiJub25lIn0.eyJzdWIiOiI0MiJ9.⟧",
        ],
        &[
            "eyJhbGciOiJIUzI1NiJ9",
            "eyJmb28iOiJiYXIifQ.eyJzdWIiOiI0MiJ9.abcdefgh",
        ],
    ),
    Detector::new(
        "database_address",
        ConnectionString,
        Needs::Literal(&["://"]),
        concat!(
            r"(?i:postgres(?:ql)?|mysqlx?|mariadb|mongodb|rediss?|amqps?|mssql|sqlserver|",
            r"clickhouse|cassandra|neo4j|bolt|ldaps?|smtps?|imaps?|nats|mqtts?|cockroachdb|",
            r"snowflake|couchdb|influxdb|oracle|trino|presto|hive|cloudinary|memcached|valkeys?|",
            r"kafka|rabbitmq|libsql|vertica|redshift)(?:\+[a-z0-9_]{1,16})?://",
            r#"([^\s:/@"'`<>]{0,96}:[^\s"'`<>]{1,160})@"#,
        ),
    )
    .edges(Edges::Any)
    .check(is_user_and_password)
    .sure(95)
    .at_most(320)
    .examples(
        &[
            "DATABASE_URL=postgres://⟦app:h7Kq2Vx9⟧@db.internal:5432/app",
            "mongodb+srv://⟦svc:p@ss/w0rd⟧@cluster0.mongodb.net/?retryWrites=true",
            "redis://⟦:h7Kq2Vx9⟧@cache:6379/0",
        ],
        &[
            "postgres://localhost:5432/app",
            "postgres://app:${DB_PASSWORD}@db.internal/app",
            "redis://cache:6379/0",
        ],
    ),
    Detector::new(
        "jdbc_credentials",
        ConnectionString,
        Needs::AnyCase(&["jdbc:oracle:"]),
        r#"(?i:jdbc:oracle:[a-z]{2,4}:)([^\s:/@"'`<>]{1,64}/[^\s:/@"'`<>]{1,64})@"#,
    )
    .edges(Edges::Any)
    .check(is_user_and_password)
    .sure(95)
    .at_most(256)
    .examples(
        &["jdbc:oracle:thin:⟦app/h7Kq2Vx9⟧@//db.internal:1521/xe"],
        &["jdbc:oracle:thin:@//db.internal:1521/xe"],
    ),
    Detector::new(
        "ado_password",
        ConnectionString,
        Needs::AnyCase(&["password=", "pwd="]),
        r#"(?i:;(?:password|pwd)=)("[^"\s]{1,128}|'[^'\s]{1,128}|[^\s;"'<]{1,128})"#,
    )
    .edges(Edges::Any)
    .check(is_password)
    .sure(95)
    .at_most(160)
    .examples(
        &["Server=db;Uid=app;Pwd=⟦h7Kq,2Vx9⟧;Encrypt=true"],
        &["Server=db;Uid=app;Pwd={password};", "Server=db;Pwd=;"],
    ),
    Detector::new(
        "ado_spaced_password",
        ConnectionString,
        Needs::AnyCase(&["password=", "pwd="]),
        r#"(?i:(?:password|pwd)=)("[^"\s]{1,128}|'[^'\s]{1,128}|[^\s;"'<]{1,128})"#,
    )
    .left(r";\s{1,2}")
    .edges(Edges::Any)
    .check(is_password)
    .sure(95)
    .at_most(160)
    .examples(
        &["Server=db; User Id=app; Password=⟦h7Kq2Vx9⟧; Encrypt=true"],
        &["Server=db; Password=$(DbPassword);"],
    ),
    Detector::new(
        "address_credentials",
        BasicAuth,
        Needs::Literal(&["://"]),
        concat!(
            r#"[A-Za-z][A-Za-z0-9+.-]{1,20}://([^\s:/@"'`<>?#]{0,128}:"#,
            r#"[^\s/"'`<>]{1,160})@[A-Za-z0-9\[]"#,
        ),
    )
    .edges(Edges::Any)
    .check(is_user_and_password)
    .sure(90)
    .at_most(340)
    .examples(
        &[
            "git clone https://⟦deploy:h7Kq2Vx9⟧@git.internal/app.git",
            "ftp://⟦me:s3cr!t⟧@files.internal/x",
        ],
        &[
            "https://host.internal:8443/x",
            "https://user:password@host.internal/",
            "https://cdn.internal:443/@scope/package@1",
            "http://$USER:$PASS@host.internal/",
        ],
    ),
    Detector::new(
        "address_token",
        BasicAuth,
        Needs::Literal(&["://"]),
        // With the two strokes, so that it starts before what looks like an e-mail address.
        r"(?i:https?):(//[A-Za-z0-9_.~%-]{16,128})(?::x-oauth-basic)?@[A-Za-z0-9\[]",
    )
    .edges(Edges::Any)
    .check(is_address_token)
    .sure(85)
    .at_most(180)
    .examples(
        &["https:⟦//3f9a1c7be02d58466af1d9e37b20c5d8⟧@git.internal/app.git"],
        &["https://some.long.user.name@host.internal/"],
    ),
    Detector::new(
        "basic_authorization",
        BasicAuth,
        Needs::Run(8),
        r"[A-Za-z0-9+/_-]{8,}={0,2}",
    )
    .left(r"\bbasic\s{1,2}")
    .edges(Edges::Word)
    .check(is_basic)
    .sure(95)
    .open_ended()
    .examples(
        &["Authorization: Basic ⟦YXBwOmg3S3EyVng5⟧"],
        &[
            "Basic principles",
            "Authorization: Basic eyJmb28iOiJiYXIifQ",
        ],
    ),
    Detector::new(
        "bearer_authorization",
        GenericSecret,
        Needs::Digits(1),
        r"[A-Za-z0-9_.~+/|-]{16,}={0,2}",
    )
    .left(concat!(
        r"\b(?:bearer|authorization: ?(?:token|apikey|bot|sso-key|key)|token token=)",
        r#"\s{0,2}["']?"#,
    ))
    .edges(Edges::Word)
    .check(entropy::random)
    .sure(85)
    .open_ended()
    .examples(
        &["Authorization: Bearer ⟦h7Kq2Vx9Lm4Tz8Rw3Np6⟧"],
        &[
            "Authorization: Bearer <your-access-token>",
            "a bearer certificate-of-deposit-2020",
        ],
    ),
    Detector::new(
        "curl_user",
        BasicAuth,
        Needs::Byte(b':'),
        r#"[^\s:"'`$<>{}]{1,64}:(?:["']?[^\s"'`]{3,128})?"#,
    )
    .left(r#"(?:[ \t\r\n\x0b\x0c]-u|--user|--proxy-user)[\s=]{0,3}["']?"#)
    .edges(Edges::Word)
    .check(is_curl_user)
    .sure(85)
    .at_most(200)
    .examples(
        &[
            "curl -u ⟦app:h7Kq2Vx9⟧ https://host.internal/",
            "curl --user '⟦app:h7Kq2Vx9⟧' x",
            "curl\x0b-u ⟦app:h7Kq2Vx9⟧ x",
            "curl\x0c-u ⟦app:h7Kq2Vx9⟧ x",
        ],
        &[
            "curl -u app:$PASSWORD https://host.internal/",
            "docker run -u 1000:1000 x",
        ],
    ),
    Detector::new(
        "session_cookie",
        GenericSecret,
        Needs::AnyCase(&["sess", "sid=", "csrf", "xsrf", "auth", "jwt=", "remember"]),
        concat!(
            r"(?i:[a-z0-9_.-]{0,24}(?:session(?:_?id)?|sessid|[._-]sid|csrf-?token|xsrf-token|",
            r"_?auth(?:_token)?|authtoken|remember_token)=)([A-Za-z0-9%_.~+/-]{16,512}={0,2})",
        ),
    )
    .edges(Edges::Word)
    .check(entropy::random)
    .sure(80)
    .at_most(600)
    .examples(
        &["Cookie: theme=dark; app_session=⟦h7Kq2Vx9Lm4Tz8Rw3Np6⟧"],
        &["session=2024-winter-semester", "session=abc"],
    ),
    Detector::new(
        "signature_parameter",
        CloudCredential,
        Needs::AnyCase(&["sig=", "signature="]),
        r"(?i:[?&](?:sig|x-amz-signature|x-goog-signature)=)([A-Za-z0-9%+/_-]{40,512}={0,2})",
    )
    .edges(Edges::Any)
    .check(entropy::varied)
    .sure(90)
    .at_most(560)
    .examples(
        &["https://x.blob.internal/c?sv=2024&sig=⟦h7Kq2Vx9Lm4Tz8Rw3Np6Zk3v9Qh2dLx7WpT5rMn8Yc1%3D⟧"],
        &["https://x.blob.internal/c?sig=h7Kq2Vx9"],
    ),
    Detector::new(
        "docker_registry_auth",
        ApiKey,
        Needs::Digits(1),
        r"[A-Za-z0-9+/]{12,512}={0,2}",
    )
    .left(r#"["']?\b_?auth["']?\s{0,2}[:=]\s{0,2}["']?"#)
    .edges(Edges::Word)
    .check(is_basic)
    .sure(90)
    .at_most(520)
    .examples(
        &[
            "\"auth\": \"⟦YXBwOmg3S3EyVng5⟧\"",
            "_auth=⟦YXBwOmg3S3EyVng5⟧",
        ],
        &["\"auth\": \"required-by-server\""],
    ),
];

/// The first part decodes to a JSON object that names an algorithm.
fn is_jwt(value: &str) -> bool {
    let header = value.split('.').next().and_then(checksum::base64);
    header.is_some_and(|header| {
        let header = String::from_utf8_lossy(&header);
        header.trim_start().starts_with('{') && header.contains("\"alg\"")
    })
}

/// Base64 of `user:password`.
fn is_basic(value: &str) -> bool {
    checksum::base64(value)
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| text.find(':').map(|colon| (text, colon)))
        .is_some_and(|(text, colon)| {
            !text.starts_with('{') && text.len() > 3 && colon <= 64 && !text.contains('\0')
        })
}

/// `user:password` (or `user/password`) in which the password is a real one.
fn is_user_and_password(value: &str) -> bool {
    let Some((user, password)) = value.split_once([':', '/']) else {
        return false;
    };
    let port = password.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &password[port..];
    let address = port > 0 && port <= 5 && (rest.is_empty() || rest.starts_with(['/', '?']));
    !address && !user.starts_with("//") && is_password(password)
}

/// A token in the place of the user.
fn is_address_token(value: &str) -> bool {
    entropy::random(value.trim_start_matches('/'))
}

/// `user:password`, or a token in the place of the user.
fn is_curl_user(value: &str) -> bool {
    match value.strip_suffix(':') {
        Some(user) => entropy::password(user),
        None => is_user_and_password(value),
    }
}

/// A password that is none of the words with which people fill examples.
fn is_password(value: &str) -> bool {
    const FILLERS: &[&str] = &[
        "password", "passwd", "pass", "pwd", "secret", "token", "pw", "key", "apikey", "api_key",
    ];
    let bare = value.trim_matches(['"', '\'']);
    !bare.is_empty()
        && !FILLERS.contains(&bare.to_ascii_lowercase().as_str())
        && !bare.starts_with(['{', '[', '<', '%', '$'])
        && (entropy::password(bare) || bare.len() >= 6 && !stands_for_something_else(bare))
}

/// As for every secret, except that a password in an address may well be one plain word.
fn stands_for_something_else(value: &str) -> bool {
    let word = value.bytes().all(|byte| byte.is_ascii_alphabetic());
    !word && stands_for_something(value)
}
