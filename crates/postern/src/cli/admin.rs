//! The command line as a client of the admin API: over the socket in the data directory, which only
//! its owner can open, or over the network with an administrator's token.

use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::Globals;
use super::failure::{Failure, Outcome};
use crate::client::{self, ClientError, Endpoint};
use crate::shapes::Problem;

/// Where the token for `--url` comes from. Never an argument: arguments are visible to others.
const TOKEN_VARIABLE: &str = "POSTERN_ADMIN_TOKEN";
/// Bytes of one line of a streamed answer.
const LINE_BYTES_MAX: usize = 1024 * 1024;
/// How long an installation's gateway may take to listen. Whoever types `postern serve &` and the
/// next command, or lets a script do so, is not told that there is none.
const STARTING: Duration = Duration::from_secs(2);
/// How often it is looked for meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A connection to the admin API.
pub(super) struct Admin {
    endpoint: Endpoint,
    token: Option<Zeroizing<String>>,
}

impl Admin {
    /// The gateway that the options name.
    pub(super) fn of(globals: &Globals) -> Outcome<Self> {
        let Some(url) = &globals.url else {
            return Ok(Self {
                endpoint: Endpoint::Socket(socket(&globals.data)),
                token: None,
            });
        };
        let token = std::env::var(TOKEN_VARIABLE)
            .ok()
            .filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| {
            Failure::usage(format!(
                "--url needs an administrator's token in {TOKEN_VARIABLE}"
            ))
            .hint("on the gateway's machine, `postern token create --role ROLE` makes one")
        })?;
        let endpoint = Endpoint::of_url(url, globals.url_ca.as_deref())
            .map_err(|error| Failure::usage(error.to_string()))?;
        let loopback = |host: &str| {
            host == "localhost"
                || host
                    .parse::<std::net::IpAddr>()
                    .is_ok_and(|ip| ip.is_loopback())
        };
        if let Endpoint::Plain(authority) = &endpoint
            && !loopback(&authority.host)
        {
            return Err(Failure::usage(format!(
                "{url} is plain HTTP: the administrator's token would travel in clear text"
            ))
            .hint("use https://, or run the command on the gateway's machine"));
        }
        Ok(Self {
            endpoint,
            token: Some(Zeroizing::new(token)),
        })
    }

    pub(super) async fn fetch<T: DeserializeOwned>(&self, path: &str) -> Outcome<T> {
        self.send(self.request(Method::GET, path, Bytes::new(), None)?)
            .await
    }

    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        idempotency_key: Option<&str>,
    ) -> Outcome<T> {
        self.send(self.request(Method::POST, path, encode(body)?, idempotency_key)?)
            .await
    }

    pub(super) async fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Outcome<T> {
        self.send(self.request(Method::PATCH, path, encode(body)?, None)?)
            .await
    }

    pub(super) async fn delete(&self, path: &str) -> Outcome {
        let request = self.request(Method::DELETE, path, Bytes::new(), None)?;
        self.answer(request).await.map(|_| ())
    }

    /// Reads an answer of JSON lines, line by line as they come. `each` says whether to go on.
    pub(super) async fn lines<T: DeserializeOwned>(
        &self,
        path: &str,
        mut each: impl FnMut(T) -> Outcome<bool>,
    ) -> Outcome {
        let mut response = self
            .answer(self.request(Method::GET, path, Bytes::new(), None)?)
            .await?;
        let mut held: Vec<u8> = Vec::new();
        while let Some(frame) = response.body_mut().frame().await {
            let frame =
                frame.map_err(|error| Failure::new(format!("the answer broke: {error}")))?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            held.extend_from_slice(&data);
            while let Some(end) = held.iter().position(|byte| *byte == b'\n') {
                let rest = held.split_off(end + 1);
                let line = std::mem::replace(&mut held, rest);
                if !each(decode(&line)?)? {
                    return Ok(());
                }
            }
            if held.len() > LINE_BYTES_MAX {
                return Err(Failure::new(
                    "the server's answer has a line without an end",
                ));
            }
        }
        Ok(())
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        idempotency_key: Option<&str>,
    ) -> Outcome<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.endpoint.host())
            .header(
                header::USER_AGENT,
                concat!("postern/", env!("CARGO_PKG_VERSION")),
            );
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        if let Some(token) = &self.token {
            let value = Zeroizing::new(format!("Bearer {}", token.as_str()));
            let mut value = header::HeaderValue::from_str(&value)
                .map_err(|_| Failure::usage(format!("{TOKEN_VARIABLE} does not hold a token")))?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        request
            .body(Full::new(body))
            .map_err(|error| Failure::usage(format!("this cannot be asked: {error}")))
    }

    async fn send<T: DeserializeOwned>(&self, request: Request<Full<Bytes>>) -> Outcome<T> {
        let response = self.answer(request).await?;
        let body = client::read_whole(response)
            .await
            .map_err(|e| Failure::new(e.to_string()))?;
        decode(&body)
    }

    /// Sends, and turns what is no success into a failure that says what to do.
    async fn answer(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Outcome<http::Response<hyper::body::Incoming>> {
        let response = self.reach(request).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let body = client::read_whole(response)
            .await
            .map_err(|e| Failure::new(e.to_string()))?;
        Err(match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => refusal(problem),
            Err(_) => Failure::new(format!("the server answered {status}, not as Postern does")),
        })
    }

    /// Sends as soon as somebody listens. Until then nothing was sent, so nothing is done twice.
    async fn reach(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Outcome<http::Response<hyper::body::Incoming>> {
        let begun = Instant::now();
        loop {
            match self.endpoint.send(request.clone()).await {
                Err(error) if self.may_be_starting(&error) && begun.elapsed() < STARTING => {
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                sent => return sent.map_err(|error| self.unreachable(&error)),
            }
        }
    }

    /// Whether there is an installation whose gateway does not listen, or not yet.
    fn may_be_starting(&self, error: &ClientError) -> bool {
        use std::io::ErrorKind::{ConnectionRefused, NotFound};
        let (ClientError::Connect { source, .. }, Endpoint::Socket(path)) = (error, &self.endpoint)
        else {
            return false;
        };
        let data = path.ancestors().nth(2);
        matches!(source.kind(), NotFound | ConnectionRefused)
            && data.is_some_and(|data| data.join("audit").is_dir())
    }

    fn unreachable(&self, error: &ClientError) -> Failure {
        let failure = Failure::new(error.to_string());
        let ClientError::Connect { source, .. } = error else {
            return failure;
        };
        let Endpoint::Socket(path) = &self.endpoint else {
            return failure.hint("is the gateway running there, and is this its admin address?");
        };
        let data = path.ancestors().nth(2).unwrap_or(path).display();
        match source.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused => Failure::new(
                format!("no gateway is running on the data directory {data}"),
            )
            .hint(format!("start it with `postern serve --data {data}`"))
            .hint("or name another with --data DIR, or a remote one with --url URL"),
            std::io::ErrorKind::PermissionDenied => {
                failure.hint("only the user that runs the gateway may open its socket")
            }
            _ => failure,
        }
    }
}

/// The admin socket of a data directory.
pub(crate) fn socket(data: &Path) -> std::path::PathBuf {
    data.join("run").join("admin.sock")
}

/// A value of the query string.
pub(super) fn encoded(value: &str) -> String {
    utf8_percent_encode(value, NON_ALPHANUMERIC).to_string()
}

/// The fields of a shape as a query string, those that are set.
pub(super) fn query_string(shape: &impl Serialize) -> Outcome<String> {
    let value = serde_json::to_value(shape).map_err(|error| Failure::new(error.to_string()))?;
    let mut pairs = Vec::new();
    for (name, value) in value.as_object().into_iter().flatten() {
        let text = match value {
            serde_json::Value::Null => continue,
            serde_json::Value::String(text) => encoded(text),
            other => encoded(&other.to_string()),
        };
        pairs.push(format!("{name}={text}"));
    }
    Ok(pairs.join("&"))
}

fn encode(body: &impl Serialize) -> Outcome<Bytes> {
    let body = serde_json::to_vec(body).map_err(|error| Failure::new(error.to_string()))?;
    Ok(Bytes::from(body))
}

fn decode<T: DeserializeOwned>(body: &[u8]) -> Outcome<T> {
    serde_json::from_slice(body).map_err(|error| {
        Failure::new(format!("the server's answer is not understood: {error}"))
            .hint("do the command line and the gateway have the same release?")
    })
}

fn refusal(problem: Problem) -> Failure {
    let message = problem.detail.unwrap_or(problem.title);
    let failure = Failure::new(message);
    let failure = match problem.code.as_str() {
        "unauthenticated" => {
            failure.hint("the token in POSTERN_ADMIN_TOKEN is not a live administrator's token")
        }
        "denied" => failure.hint("an administrator with a wider role or scope may do this"),
        "audit_unavailable" => {
            failure.hint("is the disk full? nothing is done that cannot be recorded")
        }
        _ => failure,
    };
    failure.from_server(Some(problem.code), Some(problem.request_id))
}
