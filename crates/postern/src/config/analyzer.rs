//! `[analyzer]`: who tells names of people, places and organisations.

use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::DeValue;

use super::reading::{Key, Reading, SectionKeys};
use super::units;

pub(super) const KEYS: SectionKeys = SectionKeys {
    name: "analyzer",
    doc: "Who tells the names of people, places and organisations, for data rules that look for \
          `person`, `place` or `organization`: a server that speaks the API of Presidio's \
          analyzer. It sees the text that it is asked about, so it belongs into the same hands as \
          the gateway. What it does not answer in time is refused as `cannot_inspect`.",
    keys: &[
        Key {
            name: "url",
            form: "address",
            default: None,
            doc: "Where it is, such as `\"http://127.0.0.1:5002\"`; `/analyze` follows. Beyond \
                  loopback only `https://`, unless `trust.plain_http_upstreams` is set. Without it \
                  rules that need an analyzer are refused.",
        },
        Key {
            name: "ca_file",
            form: "path",
            default: None,
            doc: "PEM file with the authorities that are believed for it, instead of the system's.",
        },
        Key {
            name: "timeout",
            form: "duration from 10ms to 1m",
            default: Some("\"500ms\""),
            doc: "Connecting, and answering about one sentence, must be done within this time.",
        },
        Key {
            name: "language",
            form: "text",
            default: Some("\"en\""),
            doc: "The language of the text, as the analyzer names it.",
        },
        Key {
            name: "score_min",
            form: "number from 0.0 to 1.0",
            default: Some("0.5"),
            doc: "What the analyzer is less sure of, it does not tell. A rule's own confidence \
                  counts besides.",
        },
    ],
};

/// An analyzer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Analyzer {
    /// Where it is.
    pub url: String,
    /// PEM file with the authorities that are believed for it.
    pub ca_file: Option<PathBuf>,
    /// How long one question may take.
    pub timeout: Duration,
    /// The language of the text.
    pub language: String,
    /// The lowest score that it tells, in percent.
    pub score_min: u8,
}

pub(super) fn parse(
    reading: &mut Reading<'_>,
    folder: &Path,
    plain_http: bool,
) -> Option<Analyzer> {
    let names = ["url", "ca_file", "timeout", "language", "score_min"];
    let mut places = names.iter().filter_map(|name| reading.place(&KEYS, name));
    let at = places.next().map(|span| span.start);
    let (least, most) = (Duration::from_millis(10), Duration::from_mins(1));
    let url = reading.maybe(&KEYS, "url", |value| address(value, plain_http));
    let ca_file = reading.maybe(&KEYS, "ca_file", units::path(folder));
    let timeout = reading.take(&KEYS, "timeout", units::duration(least, most));
    let language = reading.take(&KEYS, "language", units::text);
    let score_min = reading.take(&KEYS, "score_min", percent);
    // The defaults alone, written out, ask for nothing.
    let defaults = (Duration::from_millis(500), "en", 50);
    let said = ca_file.is_some() || (timeout, language.as_str(), score_min) != defaults;
    match (url, at.filter(|_| said)) {
        (Some(url), _) => Some(Analyzer {
            url,
            ca_file,
            timeout,
            language,
            score_min,
        }),
        (None, Some(at)) => {
            let message = "analyzer.url: without it nobody is asked: say where the analyzer is, or \
                           leave the section out";
            reading.problem(at, message.to_owned());
            None
        }
        (None, None) => None,
    }
}

/// An address to which text may be sent.
fn address(value: &DeValue<'_>, plain_http: bool) -> Result<String, String> {
    let text = units::text(value)?;
    postern_http::Endpoint::parse(&text, None, postern_http::Reach::Anywhere)
        .map_err(|error| error.to_string())?;
    let uri: http::Uri = text.parse().map_err(|_| "it is not a URL".to_owned())?;
    let host = uri.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let ip = host.parse::<std::net::IpAddr>();
    let here = host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback());
    if uri.scheme_str() == Some("http") && !here && !plain_http {
        return Err(format!(
            "{host} is not on loopback, and http:// would send text readable: use https://, or set \
             trust.plain_http_upstreams where the network encrypts by itself"
        ));
    }
    Ok(text)
}

/// A number from 0 to 1, in percent.
fn percent(value: &DeValue<'_>) -> Result<u8, String> {
    let number = match (value.as_float(), value.as_integer()) {
        (Some(number), _) => number.as_str().parse::<f64>().ok(),
        (None, Some(number)) => number.as_str().parse::<f64>().ok(),
        (None, None) => None,
    };
    let fits = |number: f64| {
        (0_u8..=100).find(|percent| (number * 100.0 - f64::from(*percent)).abs() <= 0.5)
    };
    number
        .and_then(fits)
        .ok_or_else(|| "it is not a number from 0.0 to 1.0".to_owned())
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn an_analyzer_is_read_and_its_mistakes_are_told() {
        let read = |text: &str| Config::parse(text, std::path::Path::new("/etc/postern"));
        assert_eq!(read("").unwrap().analyzer, None);
        let all = "[analyzer]\nurl = \"http://127.0.0.1:5002\"\ntimeout = \"2s\"\nscore_min = 0.35";
        let analyzer = read(all).unwrap().analyzer.unwrap();
        assert_eq!((analyzer.score_min, analyzer.timeout.as_secs()), (35, 2));
        assert_eq!(analyzer.language, "en");
        for (text, said) in [
            ("[analyzer]\nlanguage = \"de\"", "analyzer.url"),
            ("[analyzer]\nurl = \"ftp://x\"", "not http://"),
            ("[analyzer]\nurl = \"http://example.org\"", "loopback"),
            (
                "[analyzer]\nurl = \"http://[::1]:1\"\nscore_min = 3",
                "from 0.0 to 1.0",
            ),
        ] {
            let problems = read(text).unwrap_err();
            assert!(
                problems.iter().any(|it| it.message.contains(said)),
                "{problems:?}"
            );
        }
        let plain = "[analyzer]\nurl = \"http://a.example\"\n[trust]\nplain_http_upstreams = true";
        assert!(read(plain).unwrap().analyzer.is_some());
    }
}
