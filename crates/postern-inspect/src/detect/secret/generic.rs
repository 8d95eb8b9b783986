//! Secrets that have no shape at all and are called by their names: passwords, tokens, keys.
//!
//! A password may be nearly anything, so the rows for passwords ask for little and stand behind
//! the words for passwords only. The row for keys stands behind many more words and asks for a
//! value that looks drawn at random.
//!
//! KNOWN GAP: a passphrase with spaces is seen word by word, and words are no secrets.

use postern_types::BuiltinClass::GenericSecret;

use super::assignment::{assigned, given, option};
use super::{Detector, Edges, Needs, entropy};

/// Names of passwords, with what may be written behind them.
macro_rules! password {
    ($joint:literal) => {
        concat!(
            r"(?:passw(?:or)?d|passwort|passphrase|passcode|pwd|adgangskode|kodeord",
            r"|l[^\s]{1,2}senord|wachtwoord|mot",
            $joint,
            "?de",
            $joint,
            r"?passe|contrase[^\s]{1,2}a|senha",
            r"|(?:db|user|_|my|root)_?pass)",
            r"(?:[0-9]{1,3}|s|[_.-](?:[a-z]{1,12}[_.-]?){1,2})?",
        )
    };
}

/// A value without quotes: it ends where a list, a query or a sentence goes on.
macro_rules! bare_value {
    () => {
        concat!(
            r#"[^\s"'`,;&<>(){}|\[\]\\:=][^\s"'`,;&<\\]{2,158}"#,
            r#"[^\s"'`,;&<>(){}|\[\]\\.:?]"#,
        )
    };
}

/// Names of secrets that are generated.
macro_rules! secret {
    () => {
        concat!(
            r"(?:secret|token|passw(?:or)?d|pwd|passphrase|credential|bearer|_auth|authkey|apikey",
            r"|(?:api|access|auth|account|admin|app|client|consumer|crypt|customer|deploy",
            r"|encryption|hmac|ingest|install|instrumentation|integration|license|master|private",
            r"|project|rest|root|server|service|session|shared|signing|storage|subscription",
            r"|write)[_. -]?key",
            r"|salt|nonce_key|connection_?string|authorization|webhook|pat_)",
            // Names that end in `id` name something that is no secret.
            r"(?:[a-z0-9_.-]{0,24}(?:[a-ce-z0-9_.-]|[a-hj-z0-9_.-]d)|s)?",
        )
    };
}

/// The table.
pub(super) const DETECTORS: &[Detector] = &[
    Detector::new(
        "assigned_key",
        GenericSecret,
        Needs::Digits(1),
        concat!(
            r"[A-Za-z0-9_.+/~%!$*^-][A-Za-z0-9_.+/~%!$*^#@{}()\[\]?|-]{8,254}",
            r"[A-Za-z0-9_.+/~%!$*^#@}-]={0,2}",
        ),
    )
    .left(concat!(
        "(?:",
        secret!(),
        "(?:",
        assigned!(),
        "|",
        given!(),
        ")|",
        option!(),
        ")"
    ))
    .edges(Edges::Word)
    .check(entropy::random)
    .sure(75)
    .at_most(260)
    .examples(
        &[
            "client_secret: ⟦h7Kq2Vx9Lm4Tz8Rw3Np6⟧",
            "export APP_TOKEN=\"⟦3f9a1c7be02d58466af1d9e37b20c5d8⟧\"",
            "'api_key' => '⟦h7Kq2Vx9Lm4Tz8Rw3Np6⟧',",
            "https://host.internal/x?access_token=⟦h7Kq2Vx9Lm4Tz8Rw3Np6⟧&page=2",
            "deploy --api-key ⟦h7Kq2Vx9Lm4Tz8Rw3Np6⟧",
            "<client-secret>⟦h7Kq2Vx9Lm4Tz8Rw3Np6⟧</client-secret>",
            "the api key for the staging account is ⟦h7Kq2Vx9Lm4Tz8Rw3Np6⟧ until May",
        ],
        &[
            "api_key = \"your_api_key_goes_here\"",
            "token = tokenizer.next_token_of_line()",
            "secret = process.env.CLIENT_SECRET_V2",
            "token: ${GITHUB_TOKEN}",
            "secret_name: production-database-credentials",
            "max_tokens: 100000000000",
        ],
    ),
    quoted(
        "quoted_password",
        Needs::Byte(b'"'),
        r#""([^"\s\\]{4,160})"#,
        &[
            "password = \"⟦h7K,q2&x⟧\"",
            "{\"db_password\":\"⟦s3cr!t;x⟧\"}",
        ],
        &[
            "password = \"string\"",
            "title = \"h7K,q2&x\"",
            "password = \"${X}\"",
        ],
    ),
    quoted(
        "single_quoted_password",
        Needs::Digits(1),
        r"'([^'\s\\]{4,160})",
        &[
            "'password' => '⟦h7K,q2&x⟧'",
            "IDENTIFIED WITH PASSWORD '⟦s3cr!t;x⟧'",
        ],
        &["password = 'string'", "title = 'h7K,q2&x'"],
    ),
    quoted(
        "ticked_password",
        Needs::Byte(b'`'),
        r"`([^`\s\\]{4,160})",
        &["password := `⟦h7K,q2&x⟧`"],
        &["password := `string`", "the password `admin` does not work"],
    ),
    quoted_secret(
        "quoted_secret",
        Needs::Byte(b'"'),
        r#""([^"\s\\]{10,160})"#,
        &["api_key = \"⟦h7{Kq)2Vx]9Lm$4Tz⟧\""],
        &[
            "api_key = \"string\"",
            "token = \"{scheme}://{host}/{path}\"",
        ],
    ),
    quoted_secret(
        "single_quoted_secret",
        Needs::Digits(1),
        r"'([^'\s\\]{10,160})",
        &["'api_key' => '⟦h7{Kq)2Vx]9Lm$4Tz⟧'"],
        &["'api_key' => 'string'", "'token' => '[a-z]{3}'"],
    ),
    bare("bare_password", Needs::Digits(1)).examples(
        &[
            "password: ⟦hunter2⟧",
            "My password is ⟦hunter2⟧, please keep it.",
            "The password for the guest network is ⟦hunter2⟧.",
            "login --user me --password ⟦hunter2⟧",
            "Passwort: ⟦Sommer2019!⟧",
        ],
        &[
            "password: string(255)",
            "The password was changed in 2024.",
            "The password for v2 is required.",
            "passwordless login since v2.10.0",
        ],
    ),
    bare("bare_password_with_bang", Needs::Byte(b'!'))
        .examples(&["password: ⟦correct!Horse⟧"], &["password: required!"]),
    bare("bare_password_with_at", Needs::Byte(b'@'))
        .examples(&["password: ⟦p@ssTheSalt⟧"], &["password: @Input"]),
    bare("bare_password_with_hash", Needs::Byte(b'#'))
        .examples(&["password: ⟦correct#Horse⟧"], &["password: #optional"]),
    bare("bare_password_with_dollar", Needs::Byte(b'$'))
        .examples(&["password: ⟦correct$Horse⟧"], &["password: $PASSWORD"]),
    joined("joined_password", Needs::Byte(b'=')).examples(
        &[
            "PASSWORD=⟦hunter2⟧",
            "curl -d user=me&password=⟦correct!Horse⟧&x=1",
        ],
        &["PASSWORD=$PASSWORD", "password=get_password()"],
    ),
    joined("joined_password_with_digit", Needs::Digits(1)).examples(
        &["password:⟦hunter2⟧", "<password>⟦hunter2⟧</password>"],
        &["password:string", "<password>x</password>"],
    ),
    bare_secret("marked_secret_with_dollar", Needs::Byte(b'$')).examples(
        &["apikey: ⟦hq{Kq)Vx]Lm$Tz⟧"],
        &["token: ${HOST}/$PATH#{x}", "secret: $(cat /run/x)"],
    ),
    bare_secret("marked_secret_with_hash", Needs::Byte(b'#')).examples(
        &["secret: '⟦hq{Kq)Vx]Lm#Tz⟧'"],
        &["token: https://host.internal/#/(x)", "secret: #optional"],
    ),
    bare_secret("marked_secret_with_bang", Needs::Byte(b'!')).examples(
        &["private_key := `⟦hq{Kq)Vx]Lm!Tz⟧`"],
        &["token: vec![x(y), z]", "secret: Surprise!!!"],
    ),
    bare_secret("marked_secret_with_at", Needs::Byte(b'@')).examples(
        &["client_secret: ⟦hq{Kq)Vx]Lm@Tz⟧"],
        &["token: someone@mail.internal", "secret: @Value(x)"],
    ),
    // The name stands on the other side: `if ("…" == password)`.
    Detector::new(
        "compared_secret",
        GenericSecret,
        Needs::AnyCase(&["passw", "secret", "pwd", "private_key", "api_key", "token"]),
        concat!(
            r#"["']([^"'\s\\]{6,44})["'] [!=]={1,2} "#,
            r"(?i:[a-z0-9_.$]{0,20}(?:passw(?:or)?d|secret|pwd|private_?key|api_?key|token))",
        ),
    )
    .edges(Edges::Any)
    .check(entropy::compared)
    .sure(70)
    .at_most(90)
    .examples(
        &[
            "if ('⟦h7K,q2&x⟧' == password) {",
            "\"⟦h7{Kq)2Vx]9Lm$4Tz⟧\" !== my_api_key",
        ],
        &[
            "'string' == password",
            "\"h7K,q2&x\" == title",
            "'token' === token",
        ],
    ),
    Detector::new(
        "numeric_password",
        GenericSecret,
        Needs::Digits(4),
        "[0-9]{4,12}",
    )
    .left(concat!(
        r"\b(?:pin|pin[ _-]?code|passcode|passw(?:or)?d|pwd)",
        assigned!()
    ))
    .edges(Edges::Number)
    .sure(70)
    .examples(
        &["password = ⟦20481024⟧", "my PIN is ⟦4071⟧"],
        &["pin 4071 of the plug"],
    ),
    // Nobody called it a secret: reported to those who ask for low confidence only.
    Detector::new(
        "random_text",
        GenericSecret,
        Needs::Run(32),
        r"[A-Za-z0-9+/_-]{32,256}={0,2}",
    )
    .edges(Edges::Key)
    .check(entropy::random)
    .sure(30)
    .at_most(260)
    .examples(
        &["⟦h7Kq2Vx9Lm4Tz8Rw3Np6Zk3v9Qh2dLx7⟧"],
        &["a-long-file-name-of-some-kind-or-other.txt"],
    ),
];

/// A password in quotes, which may hold anything but the quote.
const fn quoted(
    id: &'static str,
    needs: Needs,
    pattern: &'static str,
    found: &'static [&'static str],
    clear: &'static [&'static str],
) -> Detector {
    Detector::new(id, GenericSecret, needs, pattern)
        .left(concat!(
            password!("[_ ]"),
            r"(?:",
            assigned!(),
            r"|\s{1,2}@?)"
        ))
        .edges(Edges::Any)
        .check(entropy::password)
        .sure(78)
        .at_most(162)
        .examples(found, clear)
}

/// A password in one run with its name.
const fn joined(id: &'static str, needs: Needs) -> Detector {
    Detector::new(
        id,
        GenericSecret,
        needs,
        concat!(
            r"(?i:",
            password!("_"),
            r#"["'\]\)]{0,2}(?::=|=>|={1,3}|:|>))"#,
            "(",
            bare_value!(),
            ")",
        ),
    )
    .edges(Edges::Any)
    .check(entropy::password)
    .sure(80)
    .at_most(256)
}

/// A secret in quotes that is no run of letters and digits.
const fn quoted_secret(
    id: &'static str,
    needs: Needs,
    pattern: &'static str,
    found: &'static [&'static str],
    clear: &'static [&'static str],
) -> Detector {
    Detector::new(id, GenericSecret, needs, pattern)
        .left(concat!(secret!(), r"(?:", assigned!(), r"|\s{1,2}@?)"))
        .edges(Edges::Any)
        .check(entropy::marked)
        .sure(70)
        .at_most(162)
        .examples(found, clear)
}

/// A secret without quotes that is no run of letters and digits.
const fn bare_secret(id: &'static str, needs: Needs) -> Detector {
    Detector::new(id, GenericSecret, needs, bare_value!())
        .left(concat!(secret!(), assigned!()))
        .edges(Edges::Word)
        .check(entropy::marked)
        .sure(68)
        .at_most(160)
}

/// A password without quotes; punctuation at its end belongs to the sentence.
const fn bare(id: &'static str, needs: Needs) -> Detector {
    Detector::new(id, GenericSecret, needs, bare_value!())
        .left(concat!(
            "(?:",
            password!("[_ ]"),
            "(?:",
            assigned!(),
            "|",
            given!(),
            ")|",
            option!(),
            ")"
        ))
        .edges(Edges::Word)
        .check(entropy::password)
        .sure(75)
        .at_most(160)
}
